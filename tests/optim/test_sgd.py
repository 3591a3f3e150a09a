"""SGD: the notes' traces, PyTorch's numbers, its errors."""

from __future__ import annotations

import numpy as np
import pytest
from side_by_side import compare_with_torch, trace

import tinygrad_dl as tg
from tinygrad_dl.errors import ArgumentError, ArgumentTypeError
from tinygrad_dl.optim import SGD

# Section 6 of the notes: id, options, the parameter after each step.
TRACES = {
    "O01": ({"lr": 0.1}, [[0.99, -1.98], [0.96, -2.02], [0.98, -2.03]]),
    "O04": ({"lr": 0.1, "momentum": 0.9}, [[0.99, -1.98], [0.951, -2.002], [0.9359, -2.0318]]),
    "O05": ({"lr": 0.1, "momentum": 0.9, "nesterov": True}, [[0.981, -1.962], [0.9159, -2.0218], [0.92231, -2.05862]]),
    "O18": ({"lr": 0.1, "weight_decay": 0.1}, [[0.98, -1.96], [0.9402, -1.9804], [0.950798, -1.970596]]),
}


@pytest.mark.parametrize("name", TRACES)
def test_traces_of_the_notes(name: str) -> None:
    options, expected = TRACES[name]
    np.testing.assert_allclose(list(trace(lambda params: SGD(params, **options))), expected, rtol=1e-12)


def test_nesterov_walks_the_look_ahead_points_of_the_notes() -> None:
    """O06: f = w^2 from 1."""
    w = tg.tensor(1.0, dtype=tg.float64, requires_grad=True)
    optimizer = SGD([w], lr=0.1, momentum=0.9, nesterov=True)
    points = []
    for _ in range(5):
        optimizer.zero_grad()
        (w * w).backward()
        optimizer.step()
        points.append(w.item())
    expected = [0.62, 0.22239999999999993, -0.10835200000000006, -0.32482304000000006, -0.41571758080000004]
    np.testing.assert_allclose(points, expected, rtol=1e-12)


def test_a_step_of_linear_regression_by_hand() -> None:
    """W021: X 2x3, w0 = (2, 2, 2), alpha 0.01."""
    x = tg.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    y, w = tg.tensor([14.0, 32.0]), tg.tensor([2.0, 2.0, 2.0], requires_grad=True)
    ((y - x @ w) ** 2).mean().backward()
    SGD([w], lr=0.01).step()
    np.testing.assert_allclose(w.detach().numpy(), [2.1, 2.14, 2.18], rtol=1e-6)


OPTIONS = [
    {},
    {"momentum": 0.9},
    {"momentum": 0.9, "nesterov": True},
    {"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1},
    {"maximize": True, "weight_decay": 0.1},
    {"momentum": 0.5, "nesterov": True, "weight_decay": 0.01, "maximize": True},
    {"momentum": 0.9, "foreach": True},
    {"weight_decay": 0.1, "fused": True},  # with momentum PyTorch's own fails when gradients are missing
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_follows_pytorch(options: dict) -> None:
    torch = pytest.importorskip("torch")
    compare_with_torch("SGD", {"lr": 0.01, **options}, {"lr": 0.05}, torch)


def test_the_default_rate_is_pytorchs() -> None:
    w = tg.tensor([1.0], requires_grad=True)
    assert SGD([w]).param_groups[0]["lr"] == 1e-3


def test_the_first_momentum_is_the_undamped_gradient() -> None:
    w = tg.tensor([1.0], requires_grad=True)
    optimizer = SGD([w], lr=0.1, momentum=0.9, dampening=0.5)
    for expected in (2.0, 0.9 * 2.0 + 0.5 * 2.0):
        w.grad = tg.tensor([2.0])
        optimizer.step()
        assert optimizer.state[w]["momentum_buffer"].item() == pytest.approx(expected)


def test_the_momentum_is_not_the_gradient_itself() -> None:
    w = tg.tensor([1.0], requires_grad=True)
    optimizer = SGD([w], lr=0.1, momentum=0.9)
    w.grad = g = tg.tensor([2.0])
    optimizer.step()
    g.fill_(100.0)
    assert optimizer.state[w]["momentum_buffer"].item() == 2.0


def test_there_is_no_state_without_momentum() -> None:
    w = tg.tensor([1.0], requires_grad=True)
    optimizer = SGD([w], lr=0.1)
    w.grad = tg.tensor([2.0])
    optimizer.step()
    assert optimizer.state_dict()["state"] == {}


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"lr": -1.0}, ArgumentError, "SGD: lr is -1.0, but must be 0 or more"),
        ({"lr": float("nan")}, ArgumentError, "lr is nan"),
        ({"lr": "0.1"}, ArgumentTypeError, "lr is '0.1', but must be a number"),
        ({"lr": tg.zeros(2)}, ArgumentError, r"lr is a tensor of shape \(2,\), but must have one element"),
        ({"momentum": -0.1}, ArgumentError, "momentum is -0.1"),
        ({"weight_decay": -0.1}, ArgumentError, "weight_decay is -0.1"),
        ({"nesterov": True}, ArgumentError, "nesterov needs momentum above 0 and dampening 0, but momentum is 0"),
        ({"nesterov": True, "momentum": 0.9, "dampening": 0.1}, ArgumentError, "dampening 0.1"),
        ({"differentiable": True}, NotImplementedError, "differentiable=True .* not supported"),
    ],
)
def test_options_out_of_range(options: dict, error: type, words: str) -> None:
    w = tg.tensor([1.0], requires_grad=True)
    with pytest.raises(error, match=words):
        SGD([w], **options)
    if "lr" in options:  # the same holds for one group's
        with pytest.raises(error, match=words):
            SGD([{"params": [w], **options}])


def test_options_may_be_tensors_of_one_element() -> None:
    """Each alone: a tensor is read at every step, so that changing it in place counts."""
    for name in ("lr", "momentum", "weight_decay"):
        options = {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}
        results = []
        for as_tensor in (False, True):
            w = tg.tensor([1.0, -2.0], requires_grad=True)
            option = tg.tensor(options[name], dtype=tg.float64) if as_tensor else options[name]
            optimizer = tg.optim.SGD([w], **{**options, name: option})
            for _ in range(4):
                w.grad = tg.tensor([0.5, 0.25])
                optimizer.step()
                if as_tensor:
                    option.mul_(0.5)
                else:
                    optimizer.param_groups[0][name] *= 0.5
            results.append(w.tolist())
        assert results[0] == results[1], name
