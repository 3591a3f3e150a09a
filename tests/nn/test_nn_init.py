"""The ways to draw first values: their distributions, PyTorch's formulas, and what they refuse."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl import nn

SHAPE = (60, 40, 3, 3)  # fan in 360, fan out 540
BOUNDS = {
    "uniform_": (lambda init, w: init.uniform_(w, -2.0, 3.0), -2.0, 3.0),
    "xavier_uniform_": (lambda init, w: init.xavier_uniform_(w), math.sqrt(6 / 900), None),
    "xavier_uniform_, gain": (lambda init, w: init.xavier_uniform_(w, gain=2.0), 2 * math.sqrt(6 / 900), None),
    "kaiming_uniform_": (lambda init, w: init.kaiming_uniform_(w), math.sqrt(6 / 360), None),
    "kaiming_uniform_, linear layers": (
        lambda init, w: init.kaiming_uniform_(w, a=math.sqrt(5)),
        1 / math.sqrt(360),
        None,
    ),
    "kaiming_uniform_, fan out": (
        lambda init, w: init.kaiming_uniform_(w, mode="fan_out", nonlinearity="relu"),
        math.sqrt(6 / 540),
        None,
    ),
    "kaiming_uniform_, LeCun": (
        lambda init, w: init.kaiming_uniform_(w, nonlinearity="linear"),
        math.sqrt(3 / 360),
        None,
    ),
}
DEVIATIONS = {
    "normal_": (lambda init, w: init.normal_(w, 1.0, 0.5), 1.0, 0.5),
    "xavier_normal_": (lambda init, w: init.xavier_normal_(w, 2.0), 0.0, 2 * math.sqrt(2 / 900)),
    "kaiming_normal_": (lambda init, w: init.kaiming_normal_(w, nonlinearity="relu"), 0.0, math.sqrt(2 / 360)),
    "kaiming_normal_, fan out": (
        lambda init, w: init.kaiming_normal_(w, 0.5, "fan_out", "leaky_relu"),
        0.0,
        math.sqrt(2 / 1.25 / 540),
    ),
}
ALL: dict[str, Callable[[Any, Any], Any]] = {
    **{name: case[0] for name, case in {**BOUNDS, **DEVIATIONS}.items()},
    "constant_": lambda init, w: init.constant_(w, 0.5),
    "ones_": lambda init, w: init.ones_(w),
    "zeros_": lambda init, w: init.zeros_(w),
}


def libraries() -> list[Any]:
    torch = pytest.importorskip("torch")
    tg.manual_seed(0)
    torch.manual_seed(0)
    return [tg, torch]


@pytest.mark.parametrize("name", BOUNDS)
def test_uniform_draws(name: str) -> None:
    fill, low, high = BOUNDS[name]
    low, high = (-low, low) if high is None else (low, high)
    for lib in libraries():  # PyTorch's own draws have these bounds too
        values = fill(lib.nn.init, lib.empty(*SHAPE)).numpy()
        assert low <= values.min() < low + (high - low) * 1e-3
        assert high - (high - low) * 1e-3 < values.max() <= high
        assert values.mean() == pytest.approx((low + high) / 2, abs=(high - low) * 0.005)
        assert values.var() == pytest.approx((high - low) ** 2 / 12, rel=0.02)


@pytest.mark.parametrize("name", DEVIATIONS)
def test_normal_draws(name: str) -> None:
    fill, mean, deviation = DEVIATIONS[name]
    for lib in libraries():
        values = fill(lib.nn.init, lib.empty(*SHAPE)).numpy()
        assert values.mean() == pytest.approx(mean, abs=deviation * 0.02)
        assert values.std() == pytest.approx(deviation, rel=0.01)
        assert np.abs(values - mean).max() > 3.5 * deviation, "with tails"


def test_constants() -> None:
    assert nn.init.constant_(tg.empty(2), 0.5).tolist() == [0.5, 0.5]
    assert nn.init.ones_(tg.empty(2)).tolist() == [1.0, 1.0]
    assert nn.init.zeros_(tg.empty(2)).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("name", ALL)
def test_each_writes_into_a_parameter_and_returns_it(name: str) -> None:
    parameter = nn.Parameter(tg.empty(4, 3))
    array = parameter.array
    assert ALL[name](nn.init, parameter) is parameter
    assert parameter.array is array and parameter.requires_grad and parameter.is_leaf


@pytest.mark.parametrize("name", ALL)
def test_the_same_draws_on_every_device_and_of_every_dtype(name: str) -> None:
    values = []
    for options in ({}, {"device": "strict"}, {"dtype": tg.float64}, {"dtype": tg.float16}):
        tg.manual_seed(7)
        drawn = ALL[name](nn.init, tg.empty(4, 3, **options))
        assert str(drawn.device) == options.get("device", "cpu") and drawn.dtype == options.get("dtype", tg.float32)
        values.append(drawn.tolist())
    assert values[0] == values[1]
    np.testing.assert_allclose(values[0], values[2], rtol=1e-6)
    np.testing.assert_allclose(values[0], values[3], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", [*BOUNDS, *DEVIATIONS])
def test_a_generator_of_ones_own(name: str) -> None:
    function = getattr(nn.init, name.split(",")[0])
    state = tg.Generator().manual_seed(3), tg.Generator().manual_seed(3)
    first, second = (function(tg.empty(4, 3), generator=generator).tolist() for generator in state)
    assert first == second != function(tg.empty(4, 3), generator=state[0]).tolist()


GAINS = [("linear", None), ("sigmoid", None), ("tanh", None), ("relu", None), ("selu", None), ("conv1d", None)]
GAINS += [("conv_transpose3d", None), ("leaky_relu", None), ("leaky_relu", 0.2), ("leaky_relu", 1)]


@pytest.mark.parametrize(("nonlinearity", "param"), GAINS)
def test_gains_agree_with_pytorch(nonlinearity: str, param: float | None) -> None:
    torch = pytest.importorskip("torch")
    assert nn.init.calculate_gain(nonlinearity, param) == torch.nn.init.calculate_gain(nonlinearity, param)


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 4), (2, 3, 4, 5), (0, 3), (2, 0)])
def test_fans_agree_with_pytorch(shape: tuple[int, ...]) -> None:
    torch = pytest.importorskip("torch")
    ours = nn.init._calculate_fan_in_and_fan_out(tg.empty(*shape))
    assert ours == torch.nn.init._calculate_fan_in_and_fan_out(torch.empty(*shape))


def test_a_tensor_without_elements_is_left_alone_with_a_warning() -> None:
    for fill in (nn.init.kaiming_uniform_, nn.init.kaiming_normal_):
        with pytest.warns(UserWarning, match=r"of shape \(0, 3\), does nothing") as caught:
            fill(tg.empty(0, 3))
        assert caught[0].filename == __file__


def test_what_is_refused() -> None:
    w = tg.empty(2, 3)
    for fill in (nn.init.xavier_uniform_, nn.init.xavier_normal_, nn.init.kaiming_uniform_, nn.init.kaiming_normal_):
        with pytest.raises(ValueError, match=r"fan in and fan out can not be computed for a tensor of shape \(3,\)"):
            fill(tg.empty(3))
    with pytest.raises(ValueError, match="mode 'fan' is not supported; use 'fan_in' or 'fan_out'"):
        nn.init.kaiming_uniform_(w, mode="fan")
    with pytest.raises(ValueError, match="unsupported nonlinearity 'rule'; there are linear, "):
        nn.init.kaiming_normal_(w, nonlinearity="rule")
    with pytest.raises(ValueError, match="negative_slope must be a number, 'x' came"):
        nn.init.calculate_gain("leaky_relu", "x")  # type: ignore[arg-type]
    for fill in (nn.init.uniform_, nn.init.normal_):
        with pytest.raises(RuntimeError, match=r"draws are floating, the tensor is tinygrad_dl.int64"):
            fill(tg.empty(2, dtype=tg.int64))
    with pytest.raises(ValueError, match="uniform_"):
        nn.init.uniform_(w, 1.0, 0.0)
    with pytest.raises(ValueError, match="normal_"):
        nn.init.normal_(w, std=-1.0)
