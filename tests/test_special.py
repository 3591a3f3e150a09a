"""Special functions: exact to the last places, at special values, on big arrays; and what they refuse."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

# Arguments and values to 17 digits, from a library of arbitrary precision.
EXACT: dict[str, tuple[list[float], list[float]]] = {
    "erf": (
        [-2.5, -1e-09, 0.3, 0.999, 3.0],
        [-0.999593047982555, -1.1283791670955127e-09, 0.3286267594591274, 0.8422852702064969, 0.9999779095030014],
    ),
    "erfc": (
        [-2.0, 0.1, 2.5, 10.0, 26.0],
        [1.9953222650189528, 0.887537083981715, 0.0004069520174449589, 2.088487583762545e-45, 5.663192408856143e-296],
    ),
    "erfcx": (
        [-3.0, 0.2, 5.0, 100.0],
        [16205.988853999586, 0.8090195199015807, 0.11070463773306863, 0.005641613782989433],
    ),
    "erfinv": (
        [-0.9, 1e-12, 0.5, 0.99999, 0.999999999],
        [-1.1630871536766743, 8.86226925452758e-13, 0.4769362762044699, 3.123413274341571, 4.320005388105362],
    ),
    "ndtr": (
        [-30.0, -3.0, 0.1, 2.0],
        [4.906713927148187e-198, 0.0013498980316300946, 0.539827837277029, 0.9772498680518208],
    ),
    "ndtri": (
        [1e-300, 1e-20, 0.01, 0.6],
        [-37.0470962993612, -9.262340089798407, -2.326347874040841, 0.2533471031357997],
    ),
    "log_ndtr": (
        [-1000.0, -40.0, -1.0, 3.0, 12.0],
        [-500007.82669481216, -804.6084420137538, -1.8410216450092636, -0.0013508099647481938, -1.776482112077679e-33],
    ),
    "gammaln": (
        [-3.7, 1e-05, 0.9999, 1.5, 2.0001, 7.9, 8.1, 100000.0],
        [
            -1.3797399049658245,
            11.512919692895826,
            5.7729791561193866e-05,
            -0.12078223763524522,
            4.2281658112919945e-05,
            8.32426586800881,
            8.72738826343204,
            1051287.7089736569,
        ],
    ),
    "digamma": (
        [-3.7, 1e-05, 0.3, 5.0, 100.0],
        [-0.8450768588704194, -100000.57719921567, -3.502524222200133, 1.5061176684318005, 4.600161852738087],
    ),
    "trigamma": (
        [-3.7, 1e-05, 0.3, 5.0, 100.0],
        [14.84242186412428, 10000000001.644909, 12.245364546107732, 0.22132295573711533, 0.010050166663333571],
    ),
}


@pytest.mark.parametrize("name", EXACT)
def test_values_are_exact_to_float64(name: str) -> None:
    values, exact = EXACT[name]
    function = (lambda x: tg.polygamma(1, x)) if name == "trigamma" else getattr(tg.special, name)
    x = tg.tensor(values, dtype=tg.float64)
    np.testing.assert_allclose(function(x).numpy(), exact, 2e-15)
    big = tg.tensor(np.repeat(values, 20_000))  # in blocks
    np.testing.assert_allclose(function(big).numpy()[::20_000], exact, 2e-15)
    kept = [i for i, y in enumerate(exact) if abs(y) > 1e-30]
    narrow = tg.tensor([values[i] for i in kept], dtype=tg.float32)
    expected = function(narrow.double()).numpy()
    assert function(narrow).dtype == tg.float32
    np.testing.assert_allclose(function(narrow).numpy(), expected, 4e-7)


SPECIAL = [-np.inf, -1e30, -40.5, -3, -1, -0.5, -0.0, 0.0, 1e-20, 0.5, 1, 2, 3, 40.5, 1e30, np.inf, np.nan]
UNARY = """erf erfc erfinv erfcx ndtr ndtri log_ndtr gammaln digamma entr logit sinc i0 i0e i1 i1e expit bessel_j0
bessel_j1 bessel_y0 bessel_y1 modified_bessel_k0 modified_bessel_k1 scaled_modified_bessel_k0 airy_ai""".split()
# Where PyTorch's result or derivative is not the function's: NaN for a limit, rounding of huge arguments.
LEFT_OUT: dict[str, Callable[[Any], Any]] = {
    "sinc": lambda x: (np.abs(x) < 1e29) & (x != 1e-20),  # (near 0 its derivative is not 0)
    "digamma": lambda x: (np.abs(x) < 1e29) & ~((x <= 0) & (np.floor(x) == x)),
    "gammaln": lambda x: ~((x < -1e29) | (x == -40.5)),
    "erfcx": lambda x: x > -20,
    "log_ndtr": lambda x: np.abs(x) < 1e19,
    "ndtri": lambda x: (x >= 0) & (x <= 1),
    **{name: lambda x: np.abs(x) < 100 for name in UNARY if name[0] in "bma" or name[:2] in ("i0", "i1", "sc")},
}


@pytest.mark.parametrize("name", UNARY)
def test_special_values_are_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch")
    values = np.array(SPECIAL)
    values = values[LEFT_OUT[name](values)] if name in LEFT_OUT else values
    results = []
    for lib in (tg, torch):
        x = lib.tensor(values, requires_grad=True)
        out = getattr(lib.special, name)(x)
        g = lib.autograd.grad(out.sum(), x)[0].numpy() if out.requires_grad else values
        results.append((out.detach().numpy(), g))
    for what, ours, theirs in zip(("value", "gradient"), *results):
        np.testing.assert_allclose(ours, theirs, 1e-6 if name.startswith("airy") else 1e-9, 1e-300, err_msg=what)


@pytest.mark.parametrize("name", ["xlogy", "xlog1py"])
def test_products_with_logarithms_at_special_values_are_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch")
    a, b = (m.ravel() for m in np.meshgrid([0.0, 1.0, -1.0, np.inf, np.nan], [0.0, 1.0, -1.0, -2.0, np.inf, np.nan]))
    results = []
    for lib in (tg, torch):
        x, y = lib.tensor(a, requires_grad=True), lib.tensor(b, requires_grad=True)
        out = getattr(lib.special, name)(x, y)
        results.append([out.detach().numpy(), *(g.numpy() for g in lib.autograd.grad(out.sum(), (x, y)))])
    for ours, theirs in zip(*results):
        np.testing.assert_array_equal(ours, theirs)


def test_zeta_beyond_its_domain_is_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    s, q = (m.ravel() for m in np.meshgrid([0.5, 1.0, 2.0, 2.5, 30.0], [-2.5, -2.0, 0.0, 0.25, 1.0, 50.0, np.nan]))
    ours = tg.special.zeta(tg.tensor(s), tg.tensor(q)).numpy()
    np.testing.assert_allclose(ours, torch.special.zeta(torch.tensor(s), torch.tensor(q)).numpy(), 1e-12)


@pytest.mark.parametrize("function", [tg.igamma, tg.igammac, tg.special.zeta])
def test_a_derivative_that_nobody_knows_raises(function: Any) -> None:
    x, y = tg.tensor([2.5], requires_grad=True), tg.tensor([1.5], requires_grad=True)
    out = function(x, y)
    with pytest.raises(NotImplementedError, match=r"input\.detach\(\)"):
        out.backward()
    function(x.detach(), y).backward()
    assert y.grad is not None


def test_without_scipy_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.special", None)
    with pytest.raises(tg.MissingPackageError, match=r"i0.*pip install scipy"):
        tg.i0(tg.ones(2))
    assert tg.lgamma(tg.tensor([4.0])).item() == pytest.approx(np.log(6))  # which needs none


MISTAKES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "polygamma's order": (lambda lib: lib.polygamma(-1, lib.ones(2)), "-1"),
    "polygamma's arguments": (lambda lib: lib.polygamma(lib.ones(2), 1), "before the tensor"),
    "mvlgamma's p": (lambda lib: lib.mvlgamma(lib.ones(2), 0), "0"),
    "mvlgamma of bools": (lambda lib: lib.mvlgamma(lib.ones(2) > 0, 1), "bool"),
    "igamma of integers": (lambda lib: lib.igamma(lib.tensor([1, 2]), lib.tensor([1, 2])), "int64"),
    "two numbers": (lambda lib: lib.xlogy(2.0, 3.0), "float"),
    "an array": (lambda lib: lib.special.erf(np.ones(2)), "ndarray"),
    "shapes": (lambda lib: lib.special.xlog1py(lib.ones(2), lib.ones(3)), r"\(2,\).*\(3,\)"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_errors_of_pytorchs_class_that_say_what_came(name: str) -> None:
    call, words = MISTAKES[name]
    with pytest.raises(tg.TinygradError, match=words) as ours:
        call(tg)
    torch = pytest.importorskip("torch")
    with pytest.raises(Exception) as theirs:
        call(torch)
    expected = RuntimeError if isinstance(theirs.value, NotImplementedError) else type(theirs.value)
    assert isinstance(ours.value, expected), theirs.value


def test_ldexp_with_infinite_exponents() -> None:
    assert tg.ldexp(tg.tensor([0.5, -1.0, 3.0]), tg.tensor([np.inf, np.inf, -np.inf])).tolist() == [np.inf, -np.inf, 0]
