"""Normalisation of big arrays, which goes in blocks, against PyTorch and against what small ones compute."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl.nn import functional
from tinygrad_dl.ops import normalization


def batch(lib: Any, x: Any, w: Any, b: Any) -> Any:
    mean, var = lib.zeros(6, dtype=lib.float64), lib.ones(6, dtype=lib.float64)
    out = lib.nn.functional.batch_norm(x, mean, var, w, b, True, 0.5)
    return out + mean.sum() + var.sum() + lib.nn.functional.batch_norm(x, mean, var, w, b)


def instance(lib: Any, x: Any, w: Any, b: Any) -> Any:
    return lib.nn.functional.instance_norm(x, None, None, w, b)


def layer(lib: Any, x: Any, w: Any, b: Any) -> Any:
    return lib.nn.functional.layer_norm(x, w.shape, w, b)


def root_mean_square(lib: Any, x: Any, w: Any, b: Any) -> Any:
    return lib.nn.functional.rms_norm(x, w.shape, w) + b


def group(count: int) -> Callable[..., Any]:
    return lambda lib, x, w, b: lib.nn.functional.group_norm(x, count, w, b)


BIG: dict[str, tuple[Callable[..., Any], tuple[int, ...], tuple[int, ...]]] = {
    "batch of vectors": (batch, (900, 6), (6,)),
    "batch of images": (batch, (3, 6, 20, 20), (6,)),
    "batch of short lines": (batch, (300, 6, 4), (6,)),
    "batch of maps longer than a block": (batch, (2, 6, 40000), (6,)),
    "many blocks of vectors": (batch, (9000, 6), (6,)),
    "instances": (instance, (5, 6, 30, 9), (6,)),
    "groups": (group(3), (5, 6, 300), (6,)),
    "one group": (group(1), (5, 6, 20, 20), (6,)),
    "groups of short lines": (group(2), (500, 6, 3), (6,)),
    "layer": (layer, (700, 60), (60,)),
    "layer of many rows": (layer, (6000, 200), (200,)),
    "layer of two dimensions": (layer, (70, 6, 90), (6, 90)),
    "rows longer than a block": (layer, (3, 50000), (50000,)),
    "root mean square": (root_mean_square, (5, 140, 60), (60,)),
}


@pytest.mark.parametrize("name", BIG)
def test_big_arrays_are_pytorchs(name: str) -> None:
    torch: Any = pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")
    function, shape, parameters = BIG[name]
    draw = np.random.default_rng(0)
    values = [draw.normal(1, 1, size) for size in (shape, parameters, parameters)]
    found = []
    for lib in (tg, torch):
        inputs = [lib.tensor(value, requires_grad=True) for value in values]
        out = function(lib, *inputs)
        first = lib.autograd.grad((out * out.detach().cos()).sum(), inputs, create_graph=True)
        weighted = sum([(slope * value.cos()).sum() for slope, value in zip(first, inputs)])
        found.append([out, *first, *lib.autograd.grad(weighted, inputs)])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), 1e-8, 1e-9)


@pytest.mark.parametrize("name", BIG)
@pytest.mark.parametrize("needed", [(True, False, False), (False, True, False), (False, False, True)])
def test_each_gradient_alone_and_what_small_arrays_compute(
    name: str, needed: tuple[bool, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    function, shape, parameters = BIG[name]
    draw = np.random.default_rng(0)
    values = [draw.normal(1, 1, size) for size in (shape, parameters, parameters)]

    def computed() -> list[Any]:
        inputs = [tg.tensor(value, requires_grad=need) for value, need in zip(values, needed)]
        out = function(tg, *inputs)
        (slope,) = tg.autograd.grad((out * out.detach().cos()).sum(), [x for x in inputs if x.requires_grad])
        return [out.detach(), slope]

    big = computed()
    monkeypatch.setattr(normalization, "kernels_of", lambda *args: None)
    for a, b in zip(big, computed(), strict=True):
        np.testing.assert_allclose(a, b, 1e-9, 1e-9)


@pytest.mark.parametrize("far", [1e3, 1e4])
@pytest.mark.parametrize("name", ["batch of images", "layer", "batch of vectors"])
def test_a_large_mean_does_not_swallow_the_variance(name: str, far: float) -> None:
    """The variance is computed around the mean, and not as a difference of large squares."""
    function, shape, parameters = BIG[name]
    values = np.random.default_rng(0).normal(size=shape)
    w, b = tg.ones(parameters), tg.zeros(parameters)
    run = layer if function is layer else lambda lib, x, w, b: functional.batch_norm(x, None, None, w, b, True)
    near, moved = [run(tg, tg.tensor((values + shift).astype("float32")), w, b) for shift in (0, far)]
    np.testing.assert_allclose(moved, near, atol=far * 3e-7)


@pytest.mark.parametrize("name", ["batch of images", "groups", "layer", "root mean square"])
def test_a_nan_stays_where_it_belongs(name: str) -> None:
    """What is multiplied by 0 to be left out of a product must not be infinite or NaN."""
    torch: Any = pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")
    function, shape, parameters = BIG[name]
    draw = np.random.default_rng(0)
    x, w, b = (draw.standard_normal(s) for s in (shape, parameters, parameters))
    x.flat[5], b.flat[3] = np.nan, np.inf
    found = []
    for lib in (tg, torch):
        given = [lib.tensor(v, requires_grad=True) for v in (x, w, b)]
        out = function(lib, *given)
        out.backward(lib.tensor(draw.standard_normal(shape) * 0 + 1.5))
        found.append([out.detach().numpy(), *[v.grad.numpy() for v in given]])
    for ours, theirs in zip(*found):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)
        assert np.isfinite(ours).any() or np.isnan(theirs).all()


@pytest.mark.parametrize("name", ["layer", "batch of vectors", "batch of images"])
def test_results_and_gradients_own_their_memory(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gradient that is a view would be copied into `.grad`."""
    function, shape, parameters = BIG[name]
    found: list[Any] = []

    def kernels_of(*given: Any) -> Any:
        kernels = kept(*given)

        def backward(*given: Any) -> Any:
            found.append(kernels.backward(*given))
            return found[-1]

        return kernels._replace(backward=backward)

    kept = normalization.kernels_of
    monkeypatch.setattr(normalization, "kernels_of", kernels_of)
    x, w = tg.randn(*shape, requires_grad=True), tg.ones(parameters)
    out = (
        functional.layer_norm(x, w.shape, w) if function is layer else functional.batch_norm(x, None, None, w, w, True)
    )
    out.sum().backward()
    assert len(found) == 1 and out.array.base is None and found[0][0].base is None


@pytest.mark.parametrize("name", ["layer", "batch of images", "batch of vectors"])
def test_gradients_far_from_zero_are_those_near_it(name: str) -> None:
    function, shape, parameters = BIG[name]
    draw = np.random.default_rng(0)
    values, upstream = draw.normal(size=shape), draw.normal(size=shape)
    found = []
    for dtype in (tg.float64, tg.float32):
        x = tg.tensor((values + 3000).astype("float32"), dtype=dtype, requires_grad=True)
        w = tg.ones(parameters, dtype=dtype, requires_grad=True)
        b = tg.zeros(parameters, dtype=dtype)
        out = layer(tg, x, w, b) if function is layer else functional.batch_norm(x, None, None, w, b, True)
        found.append([g.double() for g in tg.autograd.grad(out, [x, w], tg.tensor(upstream, dtype=dtype))])
    for exact, single in zip(*found):
        assert (exact - single).abs().max() < 5e-4 * exact.abs().max()


def test_nothing_is_kept_but_the_input_and_the_statistics() -> None:
    x = tg.randn(64, 32, 16, 16, requires_grad=True)
    functional.batch_norm(x, None, None, training=True)  # what is made once
    tracemalloc.start()
    try:
        out = functional.batch_norm(x, None, None, training=True)
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 1.02 * out.array.nbytes and peak < 1.3 * out.array.nbytes
