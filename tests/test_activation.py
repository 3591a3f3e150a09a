"""Activations at special values, on big arrays, in place, drawn at random; and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
import tinygrad_dl.nn.functional as F
from tinygrad_dl import nn

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

# Numbers that are ties of one of them, infinities, numbers whose exponential is none.
SPECIAL = [-np.inf, -1e30, -1000, -50, -6, -3, -1, -0.5, -0.0, 0.0, 0.5, 1, 3, 6, 19.9, 20, 21, 1000, 1e30, np.inf]
NAMES = """relu relu6 leaky_relu elu selu celu gelu silu mish softplus softsign tanhshrink softshrink hardshrink
hardtanh hardsigmoid hardswish logsigmoid sigmoid tanh""".split()
FORMS: dict[str, Callable[[Any, Any], Any]] = {
    **{name: lambda lib, x, name=name: getattr(lib.nn.functional, name)(x) for name in NAMES},
    "gelu tanh": lambda lib, x: lib.nn.functional.gelu(x, approximate="tanh"),
    "threshold": lambda lib, x: lib.nn.functional.threshold(x, 0.5, 7.0),
    "softplus of a steeper slope": lambda lib, x: lib.nn.functional.softplus(x, 2.0, 6.0),
    "prelu": lambda lib, x: lib.nn.functional.prelu(x, lib.tensor([0.25], dtype=x.dtype)),
}
# Where PyTorch has rounding that ours has not: the derivative in float32 constants, infinity where a limit exists.
LIMITS = {"gelu tanh", "mish", "gelu", "silu", "softsign"}  # at ±infinity, and at 1e30 in float32


def both(torch: Any, form: str, values: Any) -> list[tuple[Any, Any]]:
    """Values and gradients in both libraries."""
    results = []
    for lib in (tg, torch):
        x = lib.tensor(values, requires_grad=True)
        out = FORMS[form](lib, x)
        weights = lib.tensor(np.linspace(0.5, 1.5, values.size).astype(values.dtype))
        results.append((out.detach().numpy(), lib.autograd.grad(out, x, weights)[0].numpy()))
    return list(zip(*results))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("form", FORMS)
def test_special_values_are_pytorchs(form: str, dtype: str) -> None:
    torch = pytest.importorskip("torch")
    values = np.array([*SPECIAL, np.nan], dtype)
    if form in LIMITS:
        values = values[np.abs(values) <= 1000]
    close = (1e-12, 1e-15) if dtype == "float64" and form != "hardsigmoid" else (1e-5, 2e-6)
    if form == "relu":  # the gradient of a NaN is 0 here, as of all that is not positive
        values = values[:-1]
    for what, (ours, theirs) in zip(("value", "gradient"), both(torch, form, values)):
        np.testing.assert_allclose(ours, theirs, *close, err_msg=what)


@pytest.mark.parametrize("form", FORMS)
def test_big_arrays_give_pytorchs_numbers(form: str) -> None:
    """In float64, to which float32 must come close: PyTorch's own gelu in float32 does less well."""
    torch = pytest.importorskip("torch")
    values = np.random.default_rng(0).normal(size=100_001).astype("float32") * 3
    exact = both(torch, form, values.astype("float64"))
    for what, (ours, _), (wide, theirs) in zip(("value", "gradient"), both(tg, form, values), exact):
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, theirs, 1e-5, 5e-6 if form == "gelu tanh" else 2e-6, err_msg=what)
        np.testing.assert_allclose(wide, theirs, 1e-12 if form != "hardsigmoid" else 1e-7, 1e-14, err_msg=what)


def test_gelu_is_exact_in_float64() -> None:
    values = [-6.0, -1.0, -1e-8, 0.3, 2.0]  # to 17 digits, from a library of arbitrary precision
    exact = [
        -5.9195258702261885e-09,
        -0.15865525393145705,
        -4.999999960105772e-09,
        0.1853734266566858,
        1.9544997361036416,
    ]
    np.testing.assert_allclose(F.gelu(tg.tensor(values, dtype=tg.float64)).numpy(), exact, 1e-7, 1e-16)
    np.testing.assert_allclose(F.gelu(tg.tensor(values[1:], dtype=tg.float64)).numpy(), exact[1:], 1e-15)


@pytest.mark.parametrize("name", "relu relu6 hardtanh hardsigmoid hardshrink softshrink".split())
@pytest.mark.parametrize("size", [1, 5000, 100_000])
def test_an_infinite_gradient_stops_where_the_slope_is_0(name: str, size: int) -> None:
    """Of √0, say: 0 · infinity would be NaN."""
    torch = pytest.importorskip("torch")
    x = np.tile([-5.0, 0.0, 0.25, 7.0], size)
    g = np.tile([np.inf, np.inf, 1.0, np.nan], size)
    ours, theirs = (gradient_of(lib, name, x, g) for lib in (tg, torch))
    np.testing.assert_allclose(ours, theirs, 1e-6)


def gradient_of(lib: Any, name: str, x: Any, g: Any) -> Any:
    input = lib.tensor(x, requires_grad=True)
    getattr(lib.nn.functional, name)(input).backward(lib.tensor(g))
    return input.grad.numpy()


def test_vectors_of_zeros_stay_zero_when_normalized() -> None:
    torch = pytest.importorskip("torch")
    ours, theirs = (gradient_of(lib, "normalize", np.zeros((2, 3)), np.ones((2, 3))) for lib in (tg, torch))
    np.testing.assert_allclose(ours, theirs, 1e-12)


# --- drawn at random


def test_rrelu_draws_its_slopes_while_training() -> None:
    tg.manual_seed(0)
    x = tg.randn(10_000, requires_grad=True)
    y = F.rrelu(x, 0.2, 0.6, training=True)
    slopes = (y / x).detach().numpy()
    assert (slopes[x.detach().numpy() > 0] == 1).all()
    drawn = slopes[x.detach().numpy() < 0]
    assert 0.2 <= drawn.min() < 0.21 and 0.59 < drawn.max() <= 0.6001 and abs(drawn.mean() - 0.4) < 0.01
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), slopes, 1e-5)


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_gumbel_softmax_draws_classes_by_their_probabilities(dim: int) -> None:
    tg.manual_seed(0)
    probabilities = np.array([0.1, 0.2, 0.7])
    shape = (3, 20_000) if dim == 0 else (20_000, 3)
    logits = tg.tensor(np.broadcast_to(np.log(probabilities), (20_000, 3)).reshape(20_000, 3).copy())
    logits = (logits.T.contiguous() if dim == 0 else logits).requires_grad_()
    hard = F.gumbel_softmax(logits, tau=0.5, hard=True, dim=dim)
    assert tuple(hard.shape) == shape and hard.dtype == logits.dtype
    assert set(hard.detach().numpy().round(12).ravel()) == {0.0, 1.0}
    np.testing.assert_allclose(hard.detach().numpy().mean(1 if dim == 0 else 0), probabilities, atol=0.01)
    (hard * tg.tensor(np.random.default_rng(0).normal(size=shape))).sum().backward()
    assert abs(logits.grad.numpy().sum(dim)).max() < 1e-12 and abs(logits.grad.numpy()).max() > 0.01
    soft = F.gumbel_softmax(logits, tau=10.0, dim=dim).detach().numpy()
    np.testing.assert_allclose(soft.sum(dim), 1)
    assert soft.max() < 0.9


# --- in place


@pytest.mark.parametrize("name", "relu relu6 leaky_relu elu selu celu silu mish hardtanh hardsigmoid hardswish".split())
def test_in_place_writes_into_the_input(name: str) -> None:
    x = tg.tensor([-1.0, 0.5, 2.0])
    expected = getattr(F, name)(x).tolist()
    assert getattr(F, name)(x, inplace=True) is x and x.tolist() == expected
    leaf = tg.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match=rf"{name}\(inplace=True\)"):
        getattr(F, name)(leaf, inplace=True)


# --- mistakes

MISTAKES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "gelu's approximation": (lambda lib: lib.nn.functional.gelu(lib.ones(2), approximate="erf"), "'erf'"),
    "gelu of integers": (lambda lib: lib.nn.functional.gelu(lib.ones(2, dtype=lib.int64)), "int64"),
    "softsign of bools": (lambda lib: lib.nn.functional.softsign(lib.ones(2) > 0), "bool"),
    "tanhshrink of bools": (lambda lib: lib.nn.functional.tanhshrink(lib.ones(2) > 0), "bool"),
    "elu of integers": (lambda lib: lib.nn.functional.elu(lib.ones(2, dtype=lib.int32)), "int32"),
    "softshrink's lambd": (lambda lib: lib.nn.functional.softshrink(lib.ones(2), -1.0), "-1.0"),
    "crossed bounds": (lambda lib: lib.nn.functional.hardtanh(lib.ones(2), 2, 1), "min_val 2 .* max_val 1"),
    "crossed bounds of a layer": (lambda lib: lib.nn.Hardtanh(1.0, 1.0)(lib.ones(1)), "1.0"),
    "a negative bound of bytes": (lambda lib: lib.nn.functional.hardtanh(lib.ones(2).byte()), "uint8"),
    "an odd glu": (lambda lib: lib.nn.functional.glu(lib.ones(2, 3)), r"odd size 3"),
    "glu of a number": (lambda lib: lib.nn.functional.glu(lib.ones(())), "0-d"),
    "glu's dim": (lambda lib: lib.nn.functional.glu(lib.ones(2, 4), 2), "2"),
    "prelu's weights": (lambda lib: lib.nn.functional.prelu(lib.ones(2, 3), lib.ones(2)), "2 weights and 3 channels"),
    "prelu's matrix": (lambda lib: lib.nn.functional.prelu(lib.ones(2, 3), lib.ones(1, 3)), r"\(1, 3\)"),
    "prelu's dtypes": (lambda lib: lib.nn.functional.prelu(lib.ones(2), lib.ones(1, dtype=lib.float64)), "float64"),
    "prelu's number": (lambda lib: lib.nn.functional.prelu(lib.ones(2), 0.25), "float"),
    "rrelu's bounds": (lambda lib: lib.nn.functional.rrelu(lib.ones(2), 0.5, 0.1), "0.5"),
    "celu's alpha": (lambda lib: lib.nn.functional.celu(lib.ones(2), 0.0), "alpha"),
    "threshold of bools": (lambda lib: lib.nn.functional.threshold(lib.ones(2) > 0, 0, 1), "bool"),
    "an array": (lambda lib: lib.nn.functional.silu(np.ones(2)), "ndarray"),
    "Softmax2d of a matrix": (lambda lib: lib.nn.Softmax2d()(lib.ones(2, 3)), r"\(2, 3\)"),
    "gumbel of integers": (lambda lib: lib.nn.functional.gumbel_softmax(lib.ones(2, dtype=lib.int64)), "int64"),
}
ALONE = {"crossed bounds of a layer": AssertionError, "Softmax2d of a matrix": ValueError, "celu's alpha": RuntimeError}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_errors_of_pytorchs_class_that_say_what_came(name: str) -> None:
    call, words = MISTAKES[name]
    with pytest.raises(tg.TinygradError, match=words) as ours:
        call(tg)
    torch = pytest.importorskip("torch")
    with pytest.raises(Exception) as theirs:
        call(torch)
    expected = RuntimeError if isinstance(theirs.value, NotImplementedError) else type(theirs.value)
    assert isinstance(ours.value, expected) or name in ALONE, (type(ours.value), theirs.value)


def test_layers_are_listed_and_start_as_pytorchs() -> None:
    assert nn.PReLU(3, 0.5).weight.tolist() == [0.5] * 3
    layer = nn.PReLU()
    with tg.no_grad():
        layer.weight.zero_()
    layer.reset_parameters()
    assert layer.weight.tolist() == [0.25]
    with pytest.warns(FutureWarning, match="min_val"):
        assert nn.Hardtanh(min_value=-2.0, max_value=3.0)(tg.tensor([-5.0, 5.0])).tolist() == [-2.0, 3.0]
