"""The functions of nn.functional that are not operations themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
import tinygrad_dl.nn.functional as F
from tinygrad_dl import nn

INDICES = np.array([[2, 0, 1], [1, 1, 2]])


def test_every_name_is_there_and_listed() -> None:
    assert nn.functional is F
    for name in F.__all__:
        assert callable(getattr(F, name)), name


def test_relu_takes_pytorchs_arguments() -> None:
    assert F.relu(tg.tensor([-1.0, 2.0]), False).tolist() == [0.0, 2.0]


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_takes_a_dtype(name: str) -> None:
    torch = pytest.importorskip("torch")
    ours = getattr(F, name)(tg.tensor(INDICES), dim=1, dtype=tg.float64)
    theirs = getattr(torch.nn.functional, name)(torch.tensor(INDICES), dim=1, dtype=torch.float64)
    assert ours.dtype == tg.float64
    np.testing.assert_allclose(ours.numpy(), theirs.numpy())


@pytest.mark.parametrize("rows, classes", [(16, 5), (17, 5), (40, 1), (40, 64), (40, 65)])
def test_softmax_of_many_rows_does_not_overflow(rows: int, classes: int) -> None:
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).normal(0, 1e3, (rows, classes))  # e^1000 is infinite: the maximum must be taken off
    x[3, 0], x[5, 0] = np.nan, -np.inf
    for name in ("softmax", "log_softmax"):
        for form in (x, np.asfortranarray(x)):
            expected = getattr(torch.nn.functional, name)(torch.tensor(x), dim=1).numpy()
            with np.errstate(all="ignore"):
                ours = getattr(F, name)(tg.tensor(form), dim=1).numpy()
            np.testing.assert_allclose(ours, expected, rtol=1e-12)


@pytest.mark.parametrize("classes", [-1, 3, 5])
def test_one_hot_agrees_with_pytorch(classes: int) -> None:
    torch = pytest.importorskip("torch")
    for indices in (INDICES, INDICES[0], INDICES[0, 0]):
        ours = F.one_hot(tg.tensor(indices), classes)
        theirs = torch.nn.functional.one_hot(torch.tensor(indices), classes)
        assert ours.dtype == tg.int64 and ours.tolist() == theirs.tolist()
    assert (
        F.one_hot(tg.tensor(INDICES, device="strict"), classes).tolist()
        == F.one_hot(tg.tensor(INDICES), classes).tolist()
    )


def test_one_hot_of_nothing() -> None:
    empty = tg.zeros(0, dtype=tg.int64)
    assert F.one_hot(empty, 3).shape == (0, 3)
    with pytest.raises(RuntimeError, match=r"no class to count in a tensor of shape \(0,\); give num_classes"):
        F.one_hot(empty)


def test_what_one_hot_refuses() -> None:
    with pytest.raises(RuntimeError, match="from 0 to 1, these are from 0 to 2"):
        F.one_hot(tg.tensor(INDICES), 2)
    with pytest.raises(RuntimeError, match="these are from -1 to 3"):
        F.one_hot(tg.tensor([-1, 3]))
    for dtype in (tg.float32, tg.bool):
        with pytest.raises(RuntimeError, match=rf"one_hot: .* {dtype}; convert it: tensor.long\(\)"):
            F.one_hot(tg.ones(2, dtype=dtype))


@pytest.mark.parametrize("function", [F.dropout, F.one_hot, F.relu, F.softmax, F.log_softmax])
def test_what_is_no_tensor_is_refused(function: Callable[..., object]) -> None:
    for value in (np.ones(2), [1, 2]):
        with pytest.raises(TypeError, match=rf"{function.__name__}.*Tensor"):
            function(value)
    with pytest.raises(TypeError, match=r"relu.*Tensor"):
        F.relu([1, 2], inplace=True)  # type: ignore[arg-type]


def test_dropout_takes_pytorchs_arguments() -> None:
    x = tg.ones(100)
    assert F.dropout(x, 0.5, False) is x
    assert set(F.dropout(x, p=0.75).tolist()) == {0.0, 4.0}


@pytest.mark.parametrize("shape", [(70, 1000), (3, 40_000), (4000, 17), (1200, 100), (2, 300, 129)])
@pytest.mark.parametrize(("mean", "scale"), [(0.0, 1.0), (0.0, 300.0), (-1000.0, 1.0)])
def test_softmax_of_big_arrays_is_pytorchs(shape: tuple[int, ...], mean: float, scale: float) -> None:
    """In blocks of rows, with and without the maximum taken off."""
    torch = pytest.importorskip("torch")
    draw = np.random.default_rng(0)
    x, weights = draw.normal(mean, scale, shape), draw.normal(size=shape)
    x.reshape(-1)[3], x.reshape(-1)[shape[-1] + 5] = -np.inf, np.nan
    target = draw.integers(0, shape[-1], shape[:-1])

    def run(lib: Any, name: str, dim: int) -> list[np.ndarray]:
        input = lib.tensor(x, requires_grad=True)
        if name == "cross_entropy":
            out = lib.nn.functional.cross_entropy(
                input.reshape(-1, shape[-1]), lib.tensor(target.reshape(-1)), reduction="none"
            )
            out.backward(lib.tensor(weights.reshape(-1, shape[-1])[:, 0].copy()))
        else:
            out = getattr(lib.nn.functional, name)(input, dim=dim)
            out.backward(lib.tensor(weights))
        return [out.detach().numpy(), input.grad.numpy()]

    for name, dim in [("softmax", -1), ("softmax", 0), ("log_softmax", -1), ("log_softmax", 0), ("cross_entropy", -1)]:
        for ours, theirs in zip(run(tg, name, dim), run(torch, name, dim), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12, err_msg=f"{name} {dim}")
