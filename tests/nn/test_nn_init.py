"""The ways to draw first values: their distributions, PyTorch's formulas, and what they refuse."""

from __future__ import annotations

import inspect
import math
import statistics
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl import nn
from tinygrad_dl.errors import ArgumentError, DtypeError

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


# --- the others of PyTorch's


def test_draws_between_two_bounds() -> None:
    """Each region of the normal distribution has its share, also far out."""
    for mean, std, a, b in ((0.0, 1.0, -2.0, 2.0), (1.0, 2.0, 0.0, 1.5), (0.0, 1.0, 5.0, 6.0), (0.0, 0.02, -2.0, 2.0)):
        tg.manual_seed(0)
        w = nn.init.trunc_normal_(tg.empty(200, 100, dtype=tg.float64), mean, std, a, b).numpy()
        assert a <= w.min() and w.max() <= b
        bell = statistics.NormalDist(mean, std)
        middle = mean + std * 0.3 if a < mean + std * 0.3 < b else a + 0.1
        beyond_a, beyond, beyond_b = (bell.cdf(2 * mean - x) for x in (a, middle, b))  # exact far out, too
        share = (beyond_a - beyond) / (beyond_a - beyond_b)
        assert (w < middle).mean() == pytest.approx(share, abs=0.015)
    assert nn.init.trunc_normal_(tg.empty(3), mean=5.0, std=0.0).tolist() == [2.0] * 3


@pytest.mark.parametrize("shape", [(3, 3), (4, 9), (9, 4), (4, 3, 2, 2), (1, 5)])
def test_orthogonal_rows_or_columns(shape: tuple[int, ...]) -> None:
    w = nn.init.orthogonal_(tg.empty(*shape, dtype=tg.float64), gain=2.0).numpy().reshape(shape[0], -1)
    small = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    np.testing.assert_allclose(small, 4.0 * np.eye(len(small)), atol=1e-12)


def test_orthogonal_matrices_are_equally_likely() -> None:
    tg.manual_seed(0)
    corners = [nn.init.orthogonal_(tg.empty(2, 2))[0, 0].item() for _ in range(400)]
    assert abs(np.mean(corners)) < 0.1 and np.mean(np.square(corners)) == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize(("shape", "groups"), [((2, 2, 3), 1), ((4, 2, 3), 2), ((3, 5, 2, 4), 1), ((6, 2, 1, 3, 3), 3)])
def test_dirac_follows_pytorch(shape: tuple[int, ...], groups: int) -> None:
    torch = pytest.importorskip("torch")
    theirs = torch.nn.init.dirac_(torch.empty(*shape), groups).numpy()
    np.testing.assert_array_equal(nn.init.dirac_(tg.empty(*shape), groups).numpy(), theirs)


def test_a_part_of_each_column_is_zero() -> None:
    w = nn.init.sparse_(tg.empty(10, 50), sparsity=0.25, std=2.0).numpy()
    assert ((w == 0).sum(0) == 3).all() and len({tuple(column) for column in (w == 0).T}) > 20
    assert w[w != 0].std() == pytest.approx(2.0, rel=0.15)
    assert not nn.init.sparse_(tg.empty(4, 3), sparsity=1.0).any()


def test_all_names_of_pytorch_are_there() -> None:
    torch = pytest.importorskip("torch")
    functions = {name for name, value in vars(torch.nn.init).items() if inspect.isfunction(value) and name[0] != "_"}
    assert functions <= set(dir(nn.init))


@pytest.mark.parametrize(
    "name",
    ["uniform", "normal", "eye", "orthogonal", "xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal"],
)
def test_older_names_warn(name: str) -> None:
    with pytest.warns(FutureWarning, match=rf"nn\.init\.{name}: its name is {name}_ now"):
        tg.manual_seed(0)
        older = getattr(nn.init, name)(tg.empty(3, 4))
    tg.manual_seed(0)
    assert older.tolist() == getattr(nn.init, f"{name}_")(tg.empty(3, 4)).tolist()


def test_a_parameter_on_any_device_gets_the_same_draws() -> None:
    for name in ("trunc_normal_", "orthogonal_", "lecun_normal_", "eye_"):
        found = []
        for device in ("cpu", "strict"):
            tg.manual_seed(0)
            w = nn.Parameter(tg.empty(3, 4, device=device))
            assert getattr(nn.init, name)(w) is w and w.requires_grad and w.grad_fn is None
            found.append(w.detach().cpu().tolist())
        assert found[0] == found[1]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: nn.init.trunc_normal_(tg.empty(3), a=2, b=-2), "a <= b and std >= 0 are needed"),
        (lambda: nn.init.trunc_normal_(tg.empty(3), std=-1), "std -1"),
        (lambda: nn.init.eye_(tg.empty(3)), r"eye_: a tensor of 2 dimensions is needed, but its shape is \(3,\)"),
        (lambda: nn.init.dirac_(tg.empty(3, 3)), "dirac_: a tensor of 3 to 5 is needed"),
        (lambda: nn.init.dirac_(tg.empty(3, 2, 3), groups=2), "groups must divide the 3 outputs, but is 2"),
        (lambda: nn.init.orthogonal_(tg.empty(3)), "a tensor of 2 or more is needed"),
        (lambda: nn.init.sparse_(tg.empty(4, 3), 1.5), "sparsity must be from 0 to 1, but is 1.5"),
        (lambda: nn.init.sparse_(tg.empty(4), 0.5), "sparse_: a tensor of 2 dimensions"),
    ],
)
def test_arguments_out_of_range(call: Any, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        call()


def test_draws_are_floating() -> None:
    for name in ("trunc_normal_", "orthogonal_"):
        with pytest.raises(DtypeError, match=f"{name}: draws are floating, the tensor is"):
            getattr(nn.init, name)(tg.zeros(2, 2, dtype=tg.int64))
