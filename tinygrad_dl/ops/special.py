"""Entropies, logits, and the functions that SciPy computes (CuPy on a GPU). Source: Abramowitz and Stegun."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend
from ..dtypes import result_type
from ..methods import attach
from ..operation import elementwise, operation
from ..promotion import SCALARS
from .blocks import blockwise, chosen, polynomial
from .composed import composed
from .editing import attach_in_place
from .elementwise import sign, where
from .error_functions import in_double
from .gamma import lgamma

# --- products with logarithms, and logits


def _times_logarithm(logarithm: Any) -> Callable[[Any, Any], Any]:
    """x · logarithm(y), but 0 where x is and y no NaN; in the arrays' dtype also where y is a number."""

    @blockwise
    def product(x: Any, y: Any) -> Any:
        if type(y) in SCALARS and x.dtype.kind == "f":
            y = x.dtype.type(y)
        with np.errstate(all="ignore"):
            return chosen((x == 0) & (y == y), 0, x * logarithm(y))

    return product


_xlogy_operation: Any = elementwise(
    "xlogy",
    _times_logarithm(np.log),
    "input · log(other), 0 where input is",
    floating=True,
    numpy=(),
    input=lambda g, input, other: where((input == 0) & (other <= 0), 0.0, _xlogy_operation(g, other)),
    other=lambda g, input, other: g * input / other,
)
_xlog1py_operation: Any = elementwise(
    "xlog1py",
    _times_logarithm(np.log1p),
    "input · log(1 + other), 0 where input is",
    floating=True,
    numpy=(),
    input=lambda g, input, other: where((input == 0) & (other <= -1), 0.0, _xlog1py_operation(g, other)),
    other=lambda g, input, other: g * input / (other + 1),
)


@composed
def xlogy(input: Any, other: Any) -> Any:
    """input · log(other), but 0 where input is 0 and other no NaN.

    Arguments: tensors that broadcast, or one number; integers in the default dtype.

    >>> import tinygrad_dl as tg
    >>> tg.xlogy(tg.tensor([0.0, 2.0]), tg.tensor([0.0, 1.0]))
    tensor([0., 0.])
    """
    return _xlogy_operation(input, other)


@composed
def xlog1py(input: Any, other: Any) -> Any:
    """input · log(1 + other), but 0 where input is 0 and other no NaN.

    Arguments: tensors that broadcast, or one number; integers in the default dtype.

    >>> import tinygrad_dl as tg
    >>> tg.special.xlog1py(tg.tensor([0.0, 2.0]), tg.tensor([-1.0, 0.0]))
    tensor([0., 0.])
    """
    return _xlog1py_operation(input, other)


def _entr(x: Any) -> Any:
    with np.errstate(all="ignore"):
        return np.where(x < 0, -math.inf, np.where(x == 0, 0.0, -x * np.log(x))).astype(x.dtype)


entr = elementwise(
    "entr",
    blockwise(in_double(_entr)),
    """-input · log(input), the part of one probability in an entropy: 0 at 0, -infinity below.

    Arguments: input (tensor; integers in the default dtype).

    >>> import tinygrad_dl as tg
    >>> tg.special.entr(tg.tensor([0.0, 0.5, 1.0]))
    tensor([0.0000, 0.3466, -0.0000])
    """,
    floating=True,
    numpy=(),
    input=lambda g, input: g * (-1 - np.log(input)),
)


def _logit_rule(g: Any, input: Any, eps: Any) -> Any:
    slope = g / (input * (1 - input))
    if eps is None or eps < 0:
        return where((input >= 0) & (input <= 1), slope, math.nan)
    return where((input < eps) | (input > 1 - eps), 0.0, slope)


@operation(promote="float", input=_logit_rule)
@blockwise
def logit(input: Any, eps: float | None = None) -> Any:
    """log(input / (1 - input)), the inverse of the sigmoid.

    Arguments: input (tensor of probabilities; integers in the default dtype), eps (number or None: input is clipped to
    eps and 1 - eps first). Infinite at 0 and 1, NaN outside.

    >>> import tinygrad_dl as tg
    >>> tg.logit(tg.tensor([0.5, 0.75]))
    tensor([0.0000, 1.0986])
    """
    with np.errstate(all="ignore"):
        z = input if eps is None or eps < 0 else np.where(input < eps, eps, np.minimum(input, 1 - eps))
        return np.log(z / (1 - z))


# (cos y - sin(y) / y) / y as y times a series in y²: (-1)^k · 2k / (2k + 1)!
_SLOPE_OF_SINC = [(-1) ** k * 2 * k / math.factorial(2 * k + 1) for k in range(1, 11)]


@blockwise
def _slope_of_sinc(x: Any) -> Any:
    y = x * math.pi
    near = np.clip(y, -1, 1)  # where the difference would cancel
    series = near * polynomial(near * near, *_SLOPE_OF_SINC)
    far = chosen(near == y, 1, y)
    return chosen(near == y, series, (np.cos(far) - np.sinc(x)) / far) * math.pi


def _curvature_of_sinc(g: Any, input: Any, out: Any) -> Any:
    """From sinc'' = -π² sinc - 2 sinc' / x, whose last part is 2π² / 3 at 0."""
    ratio = where(input == 0, -(math.pi**2) / 3, out / where(input == 0, 1.0, input))
    return g * (sinc(input) * -(math.pi**2) - 2 * ratio)


slope_of_sinc = elementwise(
    "slope_of_sinc", _slope_of_sinc, "The derivative of sinc.", numpy=(), input=_curvature_of_sinc
)
sinc: Any = elementwise(
    "sinc",
    np.sinc,
    """sin(π input) / (π input), 1 at 0.

    Arguments: input (tensor; integers in the default dtype).

    >>> import tinygrad_dl as tg
    >>> tg.sinc(tg.tensor([0.0, 0.5]))
    tensor([1.0000, 0.6366])
    """,
    floating=True,
    numpy=(np.sinc,),
    input=lambda g, input: g * slope_of_sinc(input),
)

# --- by SciPy


def _scipys(name: str) -> Callable[[Any], Any]:
    """SciPy's function of one array, computed in float64."""
    return blockwise(in_double(lambda x: backend.special(name, x)))


def _bessel(name: str, words: str, value: float, rule: Any) -> Any:
    doc = f"""{words}

    Arguments: input (tensor; integers in the default dtype). Raises MissingPackageError without SciPy.

    >>> import tinygrad_dl as tg
    >>> tg.special.{name}(tg.tensor([1.0]))
    tensor([{value:.4f}])
    """
    return elementwise(name, _scipys(name), doc, floating=True, numpy=(), input=rule)


i0: Any = _bessel(
    "i0", "The modified Bessel function of the first kind, of order 0.", 1.2661, lambda g, input: g * i1(input)
)
i0e: Any = _bessel(
    "i0e",
    "i0 times e^-|input|, which does not overflow.",
    0.4658,
    lambda g, input, out: g * (i1e(input) - sign(input) * out),
)
i1: Any = _bessel(
    "i1",
    "The modified Bessel function of the first kind, of order 1.",
    0.5652,
    lambda g, input, out: g * where(input == 0, 0.5, i0(input) - out / where(input == 0, 1.0, input)),
)
i1e: Any = _bessel(
    "i1e",
    "i1 times e^-|input|, which does not overflow.",
    0.2079,
    lambda g, input, out: (
        g * where(input == 0, 0.5, i0e(input) - out * (sign(input) + 1 / where(input == 0, 1.0, input)))
    ),
)


def _without_derivative(name: str, function: Callable[[Any], Any], words: str, value: str) -> Any:
    """A function of which PyTorch knows no derivative either: its results don't require grad."""

    def compute(input: Any) -> Any:
        return function(input.astype(result_type([input], True)))

    compute.__name__ = compute.__qualname__ = name
    compute.__doc__ = f"""{words} It has no derivative here, as in PyTorch.

    Arguments: input (tensor; integers in the default dtype). Raises MissingPackageError without SciPy.

    >>> import tinygrad_dl as tg
    >>> tg.special.{name}(tg.tensor([1.0]))
    tensor([{value}])
    """
    return operation(name)(compute)


airy_ai = _without_derivative(
    "airy_ai", blockwise(in_double(lambda x: backend.special("airy", x)[0])), "Airy's function Ai.", "0.1353"
)
bessel_j0 = _without_derivative("bessel_j0", _scipys("j0"), "Bessel's function of the first kind, order 0.", "0.7652")
bessel_j1 = _without_derivative("bessel_j1", _scipys("j1"), "Bessel's function of the first kind, order 1.", "0.4401")
bessel_y0 = _without_derivative("bessel_y0", _scipys("y0"), "Bessel's function of the second kind, order 0.", "0.0883")
bessel_y1 = _without_derivative("bessel_y1", _scipys("y1"), "Bessel's function of the second kind, order 1.", "-0.7812")
modified_bessel_i0 = _without_derivative("modified_bessel_i0", _scipys("i0"), "The same numbers as i0.", "1.2661")
modified_bessel_i1 = _without_derivative("modified_bessel_i1", _scipys("i1"), "The same numbers as i1.", "0.5652")
modified_bessel_k0 = _without_derivative(
    "modified_bessel_k0", _scipys("k0"), "The modified Bessel function of the second kind, order 0.", "0.4210"
)
modified_bessel_k1 = _without_derivative(
    "modified_bessel_k1", _scipys("k1"), "The modified Bessel function of the second kind, order 1.", "0.6019"
)
scaled_modified_bessel_k0 = _without_derivative(
    "scaled_modified_bessel_k0", _scipys("k0e"), "modified_bessel_k0 times e^input.", "1.1445"
)
scaled_modified_bessel_k1 = _without_derivative(
    "scaled_modified_bessel_k1", _scipys("k1e"), "modified_bessel_k1 times e^input.", "1.6362"
)
spherical_bessel_j0 = _without_derivative(
    "spherical_bessel_j0",
    blockwise(in_double(lambda x: np.sinc(x / math.pi))),
    "The spherical Bessel function of order 0, sin(input) / input.",
    "0.8415",
)

# --- incomplete gamma functions


def _no_derivative(name: str) -> Any:
    raise NotImplementedError(f"{name}: no derivative by input is known, in PyTorch neither; pass input.detach()")


def _incomplete(name: str, scipys: str, words: str, value: float, sign: int) -> Any:
    def compute(x: Any, y: Any) -> Any:
        out = backend.special(scipys, x.astype(np.float64), y.astype(np.float64))
        return out.astype(x.dtype) if x.dtype.kind == "f" else out

    doc = f"""{words}

    Arguments: input a > 0, other x ≥ 0 (floating tensors that broadcast, or one number). Raises DtypeError for
    integers, MissingPackageError without SciPy, NotImplementedError for the derivative by input. Source: 6.5.

    >>> import tinygrad_dl as tg
    >>> tg.{name}(tg.tensor([2.0]), tg.tensor([1.0]))
    tensor([{value:.4f}])
    """
    return elementwise(
        name,
        compute,
        doc,
        numpy=(),
        refuse=("biu", "floating numbers are needed; convert the inputs first: input.float()"),
        input=lambda g: _no_derivative(name),
        other=lambda g, input, other: g * sign * np.exp((input - 1) * np.log(other) - other - lgamma(input)),
    )


igamma = _incomplete("igamma", "gammainc", "The regularized lower incomplete gamma function P(a, x).", 0.2642, 1)
igammac = _incomplete("igammac", "gammaincc", "The regularized upper incomplete gamma function, 1 - P.", 0.7358, -1)

attach(xlogy, logit, sinc, i0, igamma, igammac)
attach_in_place(xlogy, logit, sinc, i0, igamma, igammac)
