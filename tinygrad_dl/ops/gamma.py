"""The gamma function's logarithm, its derivatives, and the Hurwitz zeta function, from NumPy alone.

Above 8 asymptotic series hold; below, recurrences lead there or to (1, 2), reflections to positive numbers. The
constants of the rational function were fitted for this file with 60 digits. Source: Abramowitz and Stegun, 6.1 to 6.4
and 23.2.
"""

import math
from typing import Any

import numpy as np

from ..dtypes import result_type
from ..errors import ArgumentError, ArgumentTypeError, DtypeError
from ..methods import attach
from ..operation import elementwise, operation
from ..promotion import SCALARS
from .blocks import blockwise, chosen, polynomial
from .composed import composed
from .editing import attach_in_place
from .error_functions import in_double

# lgamma(1 + u) / (u (u - 1)) for u between 0 and 1
_ABOVE = (
    0.5772156649015329, 1.4168440382730387, 1.256904785558402, 0.4881110979652391, 0.07919319903026166,
    0.004057824720597832, 1.5541537678933775e-05,
)  # fmt: skip
_BELOW = (
    1.0, 2.8795050236191093, 3.1317117280829274, 1.600338546605783, 0.3884668373817348, 0.03967954948997819,
    0.0011776347614992106,
)  # fmt: skip
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798)  # B2, B4, ...
_STIRLING = tuple([b / ((2 * k + 2) * (2 * k + 1)) for k, b in enumerate(_BERNOULLI)])
_DIGAMMA = tuple([b / (2 * k + 2) for k, b in enumerate(_BERNOULLI)])

# --- kernels on arrays of float64


def _sine_of_pi(x: Any) -> Any:
    """sin πx up to its sign; the whole part of x goes first, exactly."""
    return np.sin((x - np.round(x)) * math.pi)


def _lgamma(x: Any) -> Any:
    with np.errstate(all="ignore"):
        negative = x < 0
        reflects = negative.any()
        positive = chosen(negative, 1 - x, x) if reflects else x
        out = _lgamma_below_8(np.clip(positive, 0, 8))
        if not (positive < 8).all():
            out = chosen(positive < 8, out, _lgamma_by_series(positive))
        if reflects:
            out = chosen(negative, math.log(math.pi) - np.log(np.abs(_sine_of_pi(x))) - out, out)
            out = chosen(x == -math.inf, math.inf, out)
        return out


def _lgamma_by_series(x: Any) -> Any:
    inverse = 1 / x
    series = polynomial(inverse * inverse, *_STIRLING) * inverse
    return (x - 0.5) * (np.log(x) - 1) + (series + (math.log(2 * math.pi) - 1) / 2)


def _lgamma_below_8(x: Any) -> Any:
    """Γ(x) is Γ(1 + u), u the fraction of x, times x - 1, x - 2, ... down to 1 + u, or divided by an x below 1."""
    u = x - np.floor(x)
    factors = np.clip(x - 1, 1, math.inf)
    for k in range(2, 7):
        factors *= np.clip(x - k, 1, math.inf)
    core = u * (u - 1) * (polynomial(u, *_ABOVE) / polynomial(u, *_BELOW))
    return core + np.log(factors) - np.log(np.clip(x, 0, 1))


def _digamma(x: Any) -> Any:
    with np.errstate(all="ignore"):
        negative = x < 0
        positive = chosen(negative, 1 - x, x)
        y = chosen(positive < 8, positive + 8, positive)
        inverse = 1 / y
        square = inverse * inverse
        out = np.log(y) - inverse / 2 - square * polynomial(square, *_DIGAMMA)
        if (positive < 8).any():
            steps = 1 / positive
            for k in range(1, 8):
                steps += 1 / (positive + k)
            out = chosen(positive < 8, out - steps, out)
        part = x - np.round(x)
        out = chosen(negative, out - math.pi / np.tan(part * math.pi), out)
        out = chosen(negative & (part == 0), math.nan, out)
        return chosen(x == 0, np.copysign(math.inf, -x), chosen(x == -math.inf, math.nan, out))


def _trigamma(x: Any) -> Any:
    with np.errstate(all="ignore"):
        reflected = x < 0.5
        positive = chosen(reflected, 1 - x, x)
        y = chosen(positive < 8, positive + 8, positive)
        inverse = 1 / y
        square = inverse * inverse
        out = inverse + square / 2 + inverse * square * polynomial(square, *_BERNOULLI)
        if (positive < 8).any():
            steps = positive**-2
            for k in range(1, 8):
                steps += (positive + k) ** -2
            out = chosen(positive < 8, out + steps, out)
        sine = _sine_of_pi(x) / math.pi
        return chosen(reflected, 1 / (sine * sine) - out, out)


def _zeta(s: Any, q: Any) -> Any:
    """The first terms, until q + k is above 14, and Euler's and Maclaurin's sum for the rest."""
    with np.errstate(all="ignore"):
        s, q = np.broadcast_arrays(s, q)
        usable = (s > 1) & ((q > 0) | ((np.floor(s) == s) & (np.floor(q) != q)))
        a, out = np.where(usable, q, 15.0), np.zeros_like(q)
        while (a <= 14).any():
            small = a <= 14
            out += np.where(small, a**-s, 0)
            a = np.where(small, a + 1, a)
        out += a ** (1 - s) / (s - 1) + a**-s / 2
        term = s / 2 * a ** (-s - 1)
        for j, bernoulli in enumerate(_BERNOULLI, 1):
            out += bernoulli * term
            term = term * (s + 2 * j - 1) * (s + 2 * j) / ((2 * j + 1) * (2 * j + 2)) / (a * a)
        poles = (s == 1) | ((s > 1) & (q <= 0) & (np.floor(q) == q))
        return np.where(usable, out, np.where(poles, np.inf, np.nan))


# --- operations


def _polygamma(n: int, x: Any) -> Any:
    if n < 2:
        return (_trigamma if n else _digamma)(x)
    return (-1) ** (n + 1) * math.factorial(n) * _zeta(x.dtype.type(n + 1), x)


lgamma = elementwise(
    "lgamma",
    blockwise(in_double(_lgamma)),
    """log |Γ(input)|, where Γ(n) = (n - 1)!.

    Arguments: input (tensor; integers in the default dtype). Infinite at 0, -1, -2, ...

    >>> import tinygrad_dl as tg
    >>> tg.lgamma(tg.tensor([1.0, 5.0]))
    tensor([0.0000, 3.1781])
    """,
    floating=True,
    numpy=(),
    input=lambda g, input: g * digamma(input),
)
digamma: Any = elementwise(
    "digamma",
    blockwise(in_double(_digamma)),
    """The derivative of lgamma.

    Arguments: input (tensor; integers in the default dtype).

    >>> import tinygrad_dl as tg
    >>> tg.digamma(tg.tensor([1.0, 2.0]))
    tensor([-0.5772,  0.4228])
    """,
    floating=True,
    numpy=(),
    input=lambda g, input: g * polygamma(1, input),
)


@operation("polygamma", promote="float", input=lambda g, input, n: g * _polygamma_operation(input, n + 1))
@blockwise
def _polygamma_operation(input: Any, n: int) -> Any:
    return in_double(lambda x: _polygamma(n, x))(input)


@composed
def polygamma(n: int, input: Any) -> Any:
    """The derivative of digamma, n times; digamma itself for n = 0.

    Arguments: n (integer ≥ 0), input (tensor; integers in the default dtype). Raises ArgumentError for a negative n.

    >>> import tinygrad_dl as tg
    >>> tg.polygamma(1, tg.tensor([1.0, 2.0]))
    tensor([1.6449, 0.6449])
    """
    if not isinstance(n, int):
        raise ArgumentTypeError(f"polygamma: n must be an integer, not {type(n).__name__}; it comes before the tensor")
    if n < 0:
        raise ArgumentError(f"polygamma: n must not be negative, {n} came")
    return _polygamma_operation(input, n)


@composed
def mvlgamma(input: Any, p: int) -> Any:
    """log of the multivariate gamma function: p (p - 1)/4 · log π + the sum of lgamma(input - j/2), j = 0 ... p - 1.

    Arguments: input (tensor; integers in the default dtype), p (integer ≥ 1). Raises ArgumentError for a p below 1,
    DtypeError for bools.

    >>> import tinygrad_dl as tg
    >>> tg.mvlgamma(tg.tensor([3.0]), 2)
    tensor([1.5502])
    """
    if p < 1:
        raise ArgumentError(f"mvlgamma: p must be at least 1, {p} came")
    if input.array.dtype.kind == "b":
        raise DtypeError(f"mvlgamma: bools of shape {tuple(input.shape)} came; use input.float()")
    total = lgamma(input)
    for j in range(1, p):
        total = total + lgamma(input - j / 2)
    return total + p * (p - 1) / 4 * math.log(math.pi)


def _no_derivative(name: str, argument: str) -> Any:
    raise NotImplementedError(f"{name}: no derivative is known for {argument}; pass {argument}.detach()")


def _zeta_in_double(x: Any, y: Any) -> Any:
    out = _zeta(*[np.float64(v) if type(v) in SCALARS else v.astype(np.float64) for v in (x, y)])
    return out.astype(result_type([x, y], True))


zeta: Any = elementwise(
    "zeta",
    _zeta_in_double,
    """Hurwitz's zeta function, the sum of (other + k)^-input over k = 0, 1, ...

    Arguments: input, other (tensors that broadcast, or one number). Raises NotImplementedError for the derivative of
    input, as PyTorch does. Source: Abramowitz and Stegun, 23.2.

    >>> import tinygrad_dl as tg
    >>> tg.special.zeta(tg.tensor([2.0, 4.0]), 1)
    tensor([1.6449, 1.0823])
    """,
    floating=True,
    numpy=(),
    input=lambda g: _no_derivative("zeta", "input"),
    other=lambda g, input, other: g * -input * zeta(input + 1, other),
)

attach(lgamma, digamma, mvlgamma, polygamma=lambda self, n: polygamma(n, self))
attach_in_place(lgamma, digamma, mvlgamma, polygamma=lambda self, n: polygamma(n, self))
