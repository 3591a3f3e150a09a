"""Second derivatives where a formula says 0/0, overflows or has a corner; running extremes of what ties and is NaN."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
import tinygrad_dl.nn.functional as F


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")


def derivatives(lib: Any, function: Any, array: Any) -> list[Any]:
    """The gradient of a weighted sum of the results, and that of the sum of its squares."""
    x = lib.tensor(array, requires_grad=True)
    out = function(lib, x)
    weights = lib.tensor(np.linspace(1, 2, array.size, dtype=array.dtype).reshape(array.shape))
    (g,) = lib.autograd.grad((out * weights).sum(), x, create_graph=True)
    (h,) = lib.autograd.grad((g * g).sum(), x)
    return [g.detach().numpy(), h.numpy()]


CORNERS: dict[str, Any] = {
    "elu": lambda lib, x: lib.nn.functional.elu(x, 2.0),
    "selu": lambda lib, x: lib.selu(x),
    "celu": lambda lib, x: lib.celu(x, 0.5),
    "elu in place": lambda lib, x: lib.nn.functional.elu(x * 1, inplace=True),
}


@pytest.mark.parametrize("name", CORNERS)
@pytest.mark.parametrize("size", [1, 20_000])  # of one block, and of many
def test_a_corner_belongs_to_the_side_that_pytorch_says(torch: Any, name: str, size: int) -> None:
    array = np.tile(np.array([0.0, -0.0, 1.5, -1.5, 30.0, -30.0]), size)
    for ours, theirs in zip(*(derivatives(lib, CORNERS[name], array) for lib in (tg, torch))):
        np.testing.assert_allclose(ours, theirs, 1e-12, 1e-14)


def test_the_log_of_a_probability_is_flat_far_out(torch: Any) -> None:
    array = np.array([-8.0, -1e-9, 0.0, 1e-9, 3.0, 20.0, 38.0, 40.0, 1e3])  # (further left PyTorch loses digits)
    for ours, theirs in zip(*(derivatives(lib, lambda lib, x: lib.special.log_ndtr(x), array) for lib in (tg, torch))):
        np.testing.assert_allclose(ours, theirs, 1e-9, 1e-300)


@pytest.mark.parametrize("eps", [0.0, 0.2, 0.5, 0.7])
def test_logit_between_bounds_that_may_cross(torch: Any, eps: float) -> None:
    array = np.array([0.1, 0.2, 0.3, 0.5, 0.71, 0.9])
    for ours, theirs in zip(*(derivatives(lib, lambda lib, x: lib.logit(x, eps), array) for lib in (tg, torch))):
        np.testing.assert_allclose(ours, theirs, 1e-12)
    values = (lib.logit(lib.tensor([*array, np.nan]), eps) for lib in (tg, torch))
    np.testing.assert_allclose(*values, 1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sinc_is_smooth_at_0(dtype: Any) -> None:
    array = np.array([0.0, 1e-30, 1e-8, -1e-5, 1e-3, 0.1, -0.31, 0.33, 0.9], dtype)
    x = tg.tensor(array, requires_grad=True)
    (slope,) = tg.autograd.grad(tg.sinc(x).sum(), x, create_graph=True)
    (curvature,) = tg.autograd.grad(slope.sum(), x)
    y = array.astype(np.float64) * math.pi
    n = np.arange(1, 20)[:, None]  # sinc = Σ (-1)ⁿ y²ⁿ / (2n + 1)!
    factors = (-1.0) ** n / np.array([math.factorial(2 * k + 1) for k in range(1, 20)], np.float64)[:, None]
    exact = 8 * np.finfo(dtype).eps
    np.testing.assert_allclose(slope.detach(), (factors * 2 * n * y ** (2 * n - 1)).sum(0) * math.pi, exact, exact)
    expected = (factors * 2 * n * (2 * n - 1) * y ** (2 * n - 2)).sum(0) * math.pi**2
    np.testing.assert_allclose(curvature, expected, exact, 4 * exact)


@pytest.mark.parametrize("row", [[0, 0, 2, 800], [-800, 800, 3, 3], [-math.inf, 1, -math.inf, 2], [5, -1e5, 800, 0]])
def test_logcumsumexp_of_large_numbers_has_second_derivatives(row: list[float]) -> None:
    array = np.array(row, np.float64)
    x = tg.tensor(array, requires_grad=True)
    (g,) = tg.autograd.grad(tg.logcumsumexp(x, 0).sum(), x, create_graph=True)
    (h,) = tg.autograd.grad((g * tg.tensor([1.0, 2.0, 3.0, 4.0], dtype=tg.float64)).sum(), x)
    # d²/dxₖdxⱼ of the i-th sum is pₖ (δₖⱼ - pⱼ), where p are the shares of its terms
    expected = np.zeros(4)
    for i in range(1, 5):
        e = np.exp(array[:i] - array[:i].max()) if np.isfinite(array[:i].max()) else np.full(i, np.nan)
        shares = np.nan_to_num(e / e.sum())
        expected[:i] += shares * (np.arange(1, i + 1) - (shares * np.arange(1, i + 1)).sum())
    np.testing.assert_allclose(h, expected, 1e-9, 1e-12)


@pytest.mark.parametrize("weight", ["float64", "float32", "float16", "int64", "bool"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int64"])
def test_a_0d_weight_of_lerp_meets_the_others(torch: Any, dtype: str, weight: str) -> None:
    found = []
    for lib in (tg, torch):
        for shape in ((), (2,)):
            ends = [lib.full(shape, n).to(getattr(lib, dtype)) for n in (1, 3)]
            try:
                out = lib.lerp(*ends, lib.tensor(0.5).to(getattr(lib, weight)))
                found.append((str(out.dtype).split(".")[-1], out.tolist()))
            except RuntimeError:
                found.append(None)
    assert found[:2] == found[2:]


@pytest.mark.parametrize("name", ["cummax", "cummin"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int64", "uint8", "bool"])
def test_running_extremes_of_ties_are_pytorchs(torch: Any, name: str, dtype: str) -> None:
    draw = np.random.default_rng(3)
    numbers = [0.0, -0.0, 1, -1, np.nan, np.inf, -np.inf] if dtype.startswith("float") else [0, 1, 2, 1]
    for shape in ((7,), (3, 40), (2, 5, 4), (0,), (2, 0, 3), ()):
        array = np.asarray(draw.choice(numbers, shape)).astype(dtype)
        for dim in range(max(len(shape), 1)):
            ours, theirs = (getattr(lib, name)(lib.tensor(array), dim) for lib in (tg, torch))
            for a, b in zip(ours, theirs):
                assert a.shape == tuple(b.shape) and str(a.dtype).split(".")[-1] == str(b.dtype).split(".")[-1]
                np.testing.assert_array_equal(a.numpy(), b.numpy())
                np.testing.assert_array_equal(np.copysign(1.0, a.numpy()), np.copysign(1.0, b.numpy()))


def test_many_numbers_beside_a_bound_are_those_of_few() -> None:
    special = np.array([0.0, -0.0, 1.0, -1.0, np.nan, np.inf, -np.inf, 1e-40, 3.0], np.float32)
    few, many = tg.tensor(special), tg.tensor(np.tile(special, 1000))
    for function in (tg.relu, *(lambda x, b=b: x.clamp_min(b) for b in (0.5, -1, math.inf, math.nan))):
        np.testing.assert_array_equal(function(many).numpy(), np.tile(function(few).numpy(), 1000))
    for bound in (0.5, -1, -math.inf, math.nan):
        np.testing.assert_array_equal(many.clamp_max(bound), np.tile(few.clamp_max(bound), 1000))
    for options in ({}, {"nan": 1.0}, {"posinf": 2.0}, {"neginf": -2.0, "nan": 5.0}):
        big = tg.tensor(np.concatenate([np.ones(40_000, np.float32), np.tile(special, 6000)]))
        found = tg.nan_to_num(big, **options)
        np.testing.assert_array_equal(found[40_000:], np.tile(tg.nan_to_num(few, **options).numpy(), 6000))
        assert (found[:40_000] == 1).all() and bool(big.isnan().any())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(90_000,), (300, 300), (3, 40_000), (40_000, 3), (5, 200, 70)])
def test_sums_in_blocks_are_those_of_float64(shape: tuple[int, ...], dtype: Any) -> None:
    array = (np.random.default_rng(5).normal(size=shape) * 3 + 7).astype(dtype)
    exact, x, precision = array.astype(np.float64), tg.tensor(array), 100 * np.finfo(dtype).eps
    for dim in (None, *range(-len(shape), len(shape))):
        for keepdim in (False, True):
            found = tg.var(x, dim, keepdim=keepdim)
            np.testing.assert_allclose(found, exact.var(dim, ddof=1, keepdims=keepdim), precision)
            if dim is not None:
                sums = tg.logsumexp(x, dim, keepdim)
                np.testing.assert_allclose(sums, np.log(np.exp(exact).sum(dim, keepdims=keepdim)), precision)
    for scale in (1, 100):  # whose exponentials do, and do not, stay moderate
        wide = exact * scale - (exact * scale).max(0)
        expected = wide - np.log(np.exp(wide).sum(0, keepdims=True))
        np.testing.assert_allclose(F.log_softmax(x * scale, 0), expected, precision, 20 * scale * precision)
