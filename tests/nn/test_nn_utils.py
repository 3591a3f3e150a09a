"""Clipping and parameters as a vector: PyTorch's numbers, the notes', memory, what is refused."""

from __future__ import annotations

import json
import math
import tracemalloc
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl import nn
from tinygrad_dl.errors import ArgumentError, ArgumentTypeError, DeviceError, GraphError, ShapeError
from tinygrad_dl.nn import utils

DATA = Path(__file__).resolve().parent.parent / "data" / "worked_numbers.json"
WORKED = {entry["id"]: entry for entry in json.loads(DATA.read_text(encoding="utf-8"))}

SHAPES = [(3, 4), (), (5,), (300, 400), (7, 1, 2)]
NORMS = [2.0, 1, 3.5, 0.5, 0, math.inf, -math.inf, -1]


def arrays(dtype: str = "float32") -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape).astype(dtype)[...] for shape in SHAPES]


def with_gradients(lib: Any, dtype: str = "float32", **options: Any) -> list[Any]:
    """Parameters with gradients, and one without."""
    params = [lib.zeros(shape, dtype=getattr(lib, dtype), requires_grad=True, **options) for shape in [*SHAPES, (2,)]]
    for p, g in zip(params, arrays(dtype)):
        p.grad = lib.tensor(g, **options)
    return params


def gradients_of(params: list[Any]) -> list[np.ndarray]:
    return [p.grad.cpu().numpy() for p in params[:-1]]


# --- clipping


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("max_norm", [0.5, 1e9, 0.0])
@pytest.mark.parametrize("norm_type", NORMS)
def test_clip_grad_norm_follows_pytorch(norm_type: float, max_norm: float, dtype: str) -> None:
    torch = pytest.importorskip("torch")
    ours, theirs = with_gradients(tg, dtype), with_gradients(torch, dtype)
    before = torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type)
    norm = utils.clip_grad_norm_(ours, max_norm, norm_type, foreach=True)
    tolerance = 1e-4 if dtype == "float32" else 1e-9
    np.testing.assert_allclose(norm.item(), before.item(), rtol=tolerance)
    assert str(norm.dtype).endswith(dtype) and norm.shape == () and ours[-1].grad is None
    for a, b in zip(gradients_of(ours), gradients_of(theirs)):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=1e-12)


def test_the_numbers_of_the_notes() -> None:
    """W062: by norm and by value."""
    entry = WORKED["W062"]
    for clip, key in ((utils.clip_grad_norm_, "by_norm"), (utils.clip_grad_value_, "by_value")):
        w = tg.zeros(2, dtype=tg.float64, requires_grad=True)
        w.grad = tg.tensor(entry["inputs"]["g"], dtype=tg.float64)
        result = clip(w, 1.0)
        np.testing.assert_allclose(w.grad.numpy(), entry["expected"][key], rtol=1e-7)
        if key == "by_norm":
            assert result.item() == pytest.approx(entry["steps"]["norm"])


def test_clip_grad_value_follows_pytorch() -> None:
    torch = pytest.importorskip("torch")
    ours, theirs = with_gradients(tg), with_gradients(torch)
    ours[0].grad[0, 0] = theirs[0].grad[0, 0] = math.nan
    utils.clip_grad_value_(iter(ours), 0.3)
    torch.nn.utils.clip_grad_value_(theirs, 0.3)
    for a, b in zip(gradients_of(ours), gradients_of(theirs)):
        np.testing.assert_array_equal(a, b)


def test_the_norm_first_and_the_clipping_later() -> None:
    torch = pytest.importorskip("torch")
    found = []
    for lib in (tg, torch):
        params = with_gradients(lib)
        norm = lib.nn.utils.get_total_norm([p.grad for p in params if p.grad is not None])
        lib.nn.utils.clip_grads_with_norm_(params, 1.0, norm)
        found.append((norm.item(), gradients_of(params)))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-5)
    for a, b in zip(found[0][1], found[1][1]):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_small_dtypes_mixed_dtypes_no_gradients() -> None:
    half, single = tg.full((3,), 300.0, dtype=tg.float16), tg.full((3,), 300.0)
    norm = utils.get_total_norm([half, half])
    assert norm.dtype is tg.float16 and norm.item() == pytest.approx(734.5, rel=1e-3)
    assert utils.get_total_norm([half, single]).dtype is tg.float32
    assert utils.clip_grad_norm_([tg.zeros(1, requires_grad=True)], 1.0).item() == 0.0
    assert utils.get_total_norm([]).item() == 0.0 and utils.get_total_norm(tg.zeros(0)).item() == 0.0


def test_nan_and_infinity() -> None:
    for value in (math.nan, math.inf):
        params = with_gradients(tg)
        params[2].grad[1] = value
        before = [g.copy() for g in gradients_of(params)]
        with pytest.raises(RuntimeError, match="number 2 of the 5 gradients holds NaN or infinity") as caught:
            utils.clip_grad_norm_(params, 1.0, error_if_nonfinite=True)
        assert isinstance(caught.value, ArgumentError)
        for a, b in zip(gradients_of(params), before):
            np.testing.assert_array_equal(a, b)
        with pytest.raises(ArgumentError, match="get_total_norm: the norm of order inf"):
            utils.get_total_norm([p.grad for p in params[:-1]], math.inf, error_if_nonfinite=True)
        utils.clip_grad_norm_(params, 1.0)
        assert all(np.isnan(g).all() if value != value else (g == 0).sum() >= g.size - 1 for g in gradients_of(params))


def test_on_the_strict_device_and_of_other_layouts() -> None:
    cpu, strict = with_gradients(tg), with_gradients(tg, device="strict")
    turned = with_gradients(tg)
    for p in turned[3:4]:
        p.grad = tg.from_numpy(np.asfortranarray(p.grad.numpy()))
    norms = [utils.clip_grad_norm_(params, 0.5).item() for params in (cpu, strict, turned)]
    assert norms == pytest.approx([norms[0]] * 3, rel=1e-6)
    for a, b, c in zip(*map(gradients_of, (cpu, strict, turned))):
        np.testing.assert_allclose(b, a, rtol=1e-6)
        np.testing.assert_allclose(c, a, rtol=1e-6)


def test_clipping_is_an_edit_that_backward_notices() -> None:
    w = tg.ones(3, requires_grad=True)
    w.grad = tg.full((3,), 5.0)
    x = tg.ones(3, requires_grad=True)
    loss = (w.grad * x).sum()
    utils.clip_grad_norm_(w, 1.0)
    with pytest.raises(GraphError, match="clip_grad_norm_"):
        loss.backward()


@pytest.mark.parametrize(
    "clip",
    [lambda p: utils.clip_grad_norm_(p, 0.5), lambda p: utils.clip_grad_norm_(p, 0.5, math.inf)]
    + [lambda p: utils.clip_grad_norm_(p, 0.5, 1.0), lambda p: utils.clip_grad_value_(p, 0.1)],
)
def test_a_warm_clipping_allocates_nothing_that_counts(clip: Any) -> None:
    params = [tg.zeros(1000, 1000, requires_grad=True), tg.zeros(5, requires_grad=True)]
    for p in params:
        p.grad = tg.ones_like(p)
    clip(params)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        clip(params)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - before < 600_000  # bytes: cache-sized blocks; the gradient has 4,000,000


def test_the_older_name_warns() -> None:
    w = tg.zeros(2, requires_grad=True)
    w.grad = tg.tensor([3.0, 4.0])
    with pytest.warns(FutureWarning, match="its name is clip_grad_norm_ now"):
        assert utils.clip_grad_norm([w], 1.0).item() == 5.0


def test_what_clipping_refuses() -> None:
    w = tg.zeros(2, requires_grad=True)
    for call, error, words in (
        (lambda: utils.clip_grad_norm_([w], -1.0), ArgumentError, "max_norm is -1.0, but must be 0 or more"),
        (lambda: utils.clip_grad_norm_([w], math.nan), ArgumentError, "max_norm is nan"),
        (lambda: utils.clip_grad_norm_([w], "1"), ArgumentTypeError, "max_norm is '1', but must be a number"),
        (lambda: utils.clip_grad_value_([w], -1.0), ArgumentError, "clip_value is -1.0"),
        (lambda: utils.clip_grad_norm_([w, 3], 1.0), ArgumentTypeError, "parameter 1 is a int, but must be a Tensor"),
    ):
        with pytest.raises(error, match=words):
            call()


# --- vectors


def test_parameters_to_a_vector_and_back() -> None:
    torch = pytest.importorskip("torch")
    ours, theirs = (lib.nn.Sequential(lib.nn.Linear(3, 2), lib.nn.Linear(2, 1)) for lib in (tg, torch))
    values = np.arange(11, dtype=np.float32)
    vector = tg.tensor(values)
    utils.vector_to_parameters(vector, ours.parameters())
    torch.nn.utils.vector_to_parameters(torch.tensor(values), theirs.parameters())
    for a, b in zip(ours.parameters(), theirs.parameters()):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())
    together = utils.parameters_to_vector(ours.parameters())
    np.testing.assert_array_equal(together.detach().numpy(), values)
    (together * tg.arange(11)).sum().backward()
    assert ours[0].weight.grad.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    vector.fill_(7.0)  # one memory
    assert ours[1].bias.item() == 7.0


def test_what_vectors_refuse() -> None:
    net = nn.Linear(3, 2)
    with pytest.raises(ShapeError, match=r"vec has shape \(7,\), but the parameters have 8 elements: \(8,\) is needed"):
        utils.vector_to_parameters(tg.zeros(7), net.parameters())
    with pytest.raises(ArgumentTypeError, match="vec must be a Tensor, list came"):
        utils.vector_to_parameters([1.0], net.parameters())  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="there are no parameters"):
        utils.parameters_to_vector([])
    with pytest.raises(DeviceError, match="the parameters are on cpu and strict"):
        utils.parameters_to_vector([tg.zeros(1), tg.zeros(1, device="strict")])


def test_nothing_warns_in_the_usual_case() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        utils.clip_grad_norm_(with_gradients(tg), 1.0)
        utils.clip_grad_value_(with_gradients(tg), 1.0)
