"""Dropout of values and of channels: how often, what is scaled, what is kept, and when nothing happens."""

from __future__ import annotations

import math
import tracemalloc
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl import nn
from tinygrad_dl.nn import functional
from tinygrad_dl.ops.blocks import BLOCK

SHAPES = {
    "dropout": (40, 50),
    "dropout1d": (40, 50, 3),
    "dropout2d": (40, 50, 2, 2),
    "dropout3d": (40, 50, 2, 1, 2),
    "alpha_dropout": (40, 50),
    "feature_alpha_dropout": (40, 50, 3),
}
LAYERS = {name: "".join(part.capitalize() for part in name.split("_")) for name in SHAPES}


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")


@pytest.mark.parametrize("p", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("name", SHAPES)
def test_outputs_are_those_that_pytorch_has(torch: Any, name: str, p: float) -> None:
    """The same two values for each input, and about as many of each; those of one channel alike."""
    shape = SHAPES[name]
    tg.manual_seed(0)
    ours = getattr(functional, name)(tg.full(shape, 1.5, dtype=tg.float64), p, True).numpy()
    theirs = getattr(torch.nn.functional, name)(torch.full(shape, 1.5, dtype=torch.float64), p, True).numpy()
    np.testing.assert_allclose(np.unique(ours), np.unique(theirs), 1e-12)
    kept = (ours == ours.max()).reshape(2000, -1)
    assert (kept == kept[:, :1]).all()
    assert abs(kept[:, 0].mean() - (1 - p)) < 4 * math.sqrt(p * (1 - p) / 2000)


@pytest.mark.parametrize("size", [BLOCK - 3, BLOCK, 3 * BLOCK + 5])
@pytest.mark.parametrize("name", ["dropout", "alpha_dropout"])
def test_many_values_are_dropped_as_few_are(name: str, size: int) -> None:
    x = tg.arange(1, size + 1, dtype=tg.float64).requires_grad_()
    run = getattr(functional, name)
    tg.manual_seed(5)
    flat = run(x, 0.3, True)
    tg.manual_seed(5)
    strided = run(x.reshape(-1, 1).expand(-1, 2)[:, 0], 0.3, True)  # not contiguous: all at once
    np.testing.assert_allclose(flat.detach(), strided.detach(), 1e-12)
    (slope,) = tg.autograd.grad(flat.sum(), x)
    kept = slope.numpy() != 0
    scale = slope.numpy().max()
    np.testing.assert_allclose(slope.numpy(), kept * scale)
    assert abs(kept.mean() - 0.7) < 5 * math.sqrt(0.21 / size)


def test_draws_are_independent() -> None:
    """Neighbours, values a byte or a block apart, and two draws agree as often as chance has it."""
    tg.manual_seed(2)
    first, second = [functional.dropout(tg.ones(8 * BLOCK), 0.5).numpy() > 0 for _ in range(2)]
    for other in (second, *[np.roll(first, shift) for shift in (1, 2, 7, 8, BLOCK)]):
        assert abs((first == other).mean() - 0.5) < 5 * 0.5 / math.sqrt(first.size)


@pytest.mark.parametrize("name", SHAPES)
def test_when_nothing_is_dropped_and_when_all_is(torch: Any, name: str) -> None:
    x = tg.tensor(np.ones(SHAPES[name]))
    run = getattr(functional, name)
    assert run(x, 0.0, True) is x and run(x, 0.5, False) is x
    all_of_it = run(x, 1.0, True)
    theirs = getattr(torch.nn.functional, name)(torch.ones(SHAPES[name]), 1.0, True)
    np.testing.assert_array_equal(all_of_it.numpy(), theirs.numpy())


@pytest.mark.parametrize("name", SHAPES)
def test_in_place_writes_into_the_input(name: str) -> None:
    x = tg.ones(SHAPES[name], requires_grad=True)
    h = x * 3
    assert getattr(functional, name)(h, 0.5, True, True) is h
    h.sum().backward()
    assert set(np.unique((x.grad.numpy() == 0) == (h.detach().numpy() == h.detach().numpy().min()))) == {True}


@pytest.mark.parametrize("name", SHAPES)
def test_layers_are_shown_as_pytorchs_and_follow_eval(torch: Any, name: str) -> None:
    for arguments in ((), (0.25, True)):
        layer = getattr(nn, LAYERS[name])(*arguments)
        assert repr(layer) == repr(getattr(torch.nn, LAYERS[name])(*arguments))
    x = tg.ones(SHAPES[name])
    assert (layer(x.clone()) != x).any() and layer.eval()(x) is x
    with pytest.raises(ValueError, match=f"{LAYERS[name]}: p, .* between 0 and 1, but got 2"):
        getattr(nn, LAYERS[name])(2)


@pytest.mark.parametrize("name", SHAPES)
def test_a_second_walk_and_a_recorded_one_use_the_same_draw(name: str) -> None:
    x = tg.full(SHAPES[name], 2.0, requires_grad=True)
    out = getattr(functional, name)(x * x, 0.5, True)
    (first,) = tg.autograd.grad(out.sum(), x, retain_graph=True)
    (second,) = tg.autograd.grad(out.sum(), x, create_graph=True)
    assert first.tolist() == second.tolist()
    (third,) = tg.autograd.grad(second.sum(), x)
    np.testing.assert_allclose(third * 2, first)


def test_samples_without_a_batch(torch: Any) -> None:
    """One line or volume: its first dimension are the channels."""
    for name, shape in (("dropout1d", (1000, 2)), ("dropout3d", (1000, 1, 2, 2))):
        out = getattr(functional, name)(tg.ones(shape), 0.5).numpy().reshape(1000, -1)
        assert (out == out[:, :1]).all() and set(out[:, 0]) == {0, 2}


def test_other_shapes() -> None:
    for name, shape in (
        ("dropout1d", (3,)),
        ("dropout1d", (2, 3, 4, 5)),
        ("dropout2d", (3,)),
        ("feature_alpha_dropout", (3,)),
    ):
        with pytest.raises(RuntimeError, match=rf"{name}: the input must .*\({', '.join(map(str, shape))}"):
            getattr(functional, name)(tg.ones(shape), 0.5, True)
    for name, shape in (("dropout2d", (3, 4, 5)), ("dropout3d", (3, 4, 5)), ("dropout2d", (3, 4))):
        with pytest.warns(UserWarning, match=f"{name}: the input should have"):
            assert getattr(functional, name)(tg.ones(shape), 0.5).shape == shape
    with pytest.raises(RuntimeError, match=r"alpha_dropout: the input must be floating, not tinygrad_dl\.int64"):
        functional.alpha_dropout(tg.ones(3).long(), 0.5, True)


def test_nan_and_infinity_stay(torch: Any) -> None:
    """A value that is left out is multiplied by 0, as in PyTorch."""
    values = [math.nan, math.inf, -math.inf, 1.0]
    for p in (0.5, 1.0):
        out = functional.dropout(tg.tensor(values), p)
        assert out.isnan()[0] and not out.isfinite()[:3].any()
    assert (
        functional.dropout(tg.tensor(values), 1.0).isnan().tolist()
        == torch.dropout(torch.tensor(values), 1.0, True).isnan().tolist()
    )


def test_one_bit_is_kept_for_each_value() -> None:
    x = tg.ones(1_000_000, requires_grad=True)
    functional.dropout(x)
    tracemalloc.start()
    try:
        out = functional.dropout(x)
        kept = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert kept < out.array.nbytes + 150_000
