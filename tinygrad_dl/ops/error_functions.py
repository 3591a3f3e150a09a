"""The error function, its kin, and the normal distribution, from NumPy alone.

The constants are rational functions and polynomials through Chebyshev points, fitted with 70 digits for this file;
float64 results are within a few units of the last place. float32 has a shorter form of its own where it matters.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..methods import attach
from ..operation import elementwise
from .blocks import blockwise, chosen, polynomial
from .editing import attach_in_place
from .elementwise import where

# --- kernels on arrays

_ERF_ABOVE = (
    1.1283791670955126, 0.14214874428063382, 0.04530431496553584, 0.0018273246406360385, 0.00019496984753178997,
)  # fmt: skip
_ERF_BELOW = (
    1.0, 0.45930937793412957, 0.09325302973969972, 0.010582353560685183, 0.0006812436819785099,
    2.029955528683424e-05,
)  # fmt: skip
_ERFCX = (
    1.2329951186255526, -0.13962111684056228, 0.015379652102619974, 0.06809705425466839, -0.10103906603631811,
    0.09373283499911264, -0.06633036581186058, 0.037167515526338006, -0.01619773406293477, 0.005031970069102256,
    -0.0007577732435942576, -0.0001992571524726518, 0.00015062142608651945, -2.4397731143023292e-05,
    -1.1221135665965907e-05, 5.70657829924074e-06, 2.9173425573089733e-07, -8.210647933297337e-07,
    7.771943241086912e-08, 1.0631817593818149e-07, -2.0725802488181963e-08, -1.2338731403798444e-08,
    3.2323973445082033e-09, 9.297625263709659e-10, -2.764120233734578e-10,
)  # fmt: skip
_CENTRE_ABOVE = (
    3.3871328727963665, 148.75654077063146, 2548.2248573022616, 21627.481160490544, 95692.7355126975,
    213550.1624843819, 214247.38019842355, 74060.81462563893, 3907.0076390238105,
)  # fmt: skip
_CENTRE_BELOW = (
    1.0, 46.923386895220546, 871.2838940641982, 8176.878340636066, 41169.981667908534, 109244.70555458806,
    140376.82723612527, 72342.69749284578, 9398.464517206578,
)  # fmt: skip
_TAIL_ABOVE = (
    1.4234371107496835, 4.658671152911319, 5.895441930593747, 3.867306448959962, 1.4607583582995678,
    0.3281996025557107, 0.04265573683356803, 0.0028477028904769918, 7.021355815515727e-05,
)  # fmt: skip
_TAIL_BELOW = (
    1.0, 2.073096479855932, 1.7409835549495896, 0.7681616354872175, 0.19254621603461666, 0.02720737081022722,
    0.0019346295319642268, 4.964417089088834e-05, 3.604856526953905e-11,
)  # fmt: skip
_FAR_ABOVE = (
    6.6579046435010945, 5.6679599837798085, 1.9476235181018091, 0.34783511956756974, 0.03465909147487114,
    0.0019253867703320272, 5.642786680367768e-05, 7.66080877745754e-07, 3.497746312779688e-09,
)  # fmt: skip
_FAR_BELOW = (
    1.0, 0.6304987726225469, 0.15460995413903095, 0.01871267495922155, 0.0011766856298211085, 3.726300913546024e-05,
    5.293382485762944e-07, 2.473274170463609e-09, 8.120253582602793e-18,
)  # fmt: skip

_TANH = (1.12837927, 0.102769056, -1.91831921e-4, -6.19783770e-4, 8.76370160e-5, -5.66842793e-6, 1.41849653e-7)
_TANH_OF_CDF = tuple([c * 0.5 ** (k + 0.5) for k, c in enumerate(_TANH)])  # for x / √2


def in_double(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of one array that computes in float64 and returns the floating dtype that came."""

    @functools.wraps(function)
    def compute(x: Any) -> Any:
        if type(x) is float:  # what a recorded walk makes of a saved number
            x = np.float64(x)
        out = function(x.astype(np.float64))
        return out.astype(x.dtype) if x.dtype.kind == "f" else out

    return compute


def _erf(x: Any) -> Any:
    """erf x; float32 as tanh of an odd polynomial, which is exact to 4 units of the last place."""
    if x.dtype == np.float32:
        out = polynomial(x * x, *_TANH)
        out *= x
        return np.tanh(out)
    return _erf_double(x)


@in_double
def _erf_double(x: Any) -> Any:
    a = np.abs(x)
    square = np.clip(x * x, 0, 1)
    small = x * polynomial(square, *_ERF_ABOVE) / polynomial(square, *_ERF_BELOW)
    return chosen(a < 1, small, np.copysign(1 - _erfc_positive(a), x))


def _scaled(x: Any) -> Any:
    """e^(x²) erfc x for x ≥ 0: a polynomial of (x - 4) / (x + 4), divided by 1 + 2 x."""
    return polynomial(1 - 8 / (x + 4), *_ERFCX) / (1 + 2 * x)


def _exp_of_square(x: Any, factor: float) -> Any:
    """e^(factor · x²) for float64: the square of the leading half of x has no rounding error, the rest is small."""
    a = np.clip(np.abs(x), 0, 40)  # where it is 0 or infinite already
    half = a.astype(np.float32).astype(np.float64)
    return np.exp(half * half * factor) * np.exp((a - half) * (a + half) * factor)


def _erfc_positive(x: Any) -> Any:
    return _exp_of_square(x, -1) * _scaled(x)


def _erfc(x: Any) -> Any:
    tail = _erfc_positive(np.abs(x))
    return chosen(x < 0, 2 - tail, tail)


def _erfcx(x: Any) -> Any:
    scaled = _scaled(np.abs(x))
    return chosen(x < 0, 2 * _exp_of_square(x, 1) - scaled, scaled)


def _ndtr(x: Any) -> Any:
    tail = _exp_of_square(x, -0.5) * _scaled(np.abs(x) * math.sqrt(0.5)) / 2
    return chosen(x < 0, tail, 1 - tail)


def _quantile(q: Any, tail: Any) -> Any:
    """The x below which a normal variable lies with probability ½ + q; tail = ½ - |q|, which is exact near 0."""
    inside = 0.425**2 - np.clip(q * q, 0, 0.425**2)
    out = q * polynomial(inside, *_CENTRE_ABOVE) / polynomial(inside, *_CENTRE_BELOW)
    outside = np.abs(q) > 0.425
    if outside.any():
        r = np.sqrt(-np.log(tail))
        x = np.clip(r - 1.6, 0, 3.4)
        distance = polynomial(x, *_TAIL_ABOVE) / polynomial(x, *_TAIL_BELOW)
        far = r > 5
        if far.any():
            x = np.clip(r - 5, 0, 22.4)
            distance = chosen(far, polynomial(x, *_FAR_ABOVE) / polynomial(x, *_FAR_BELOW), distance)
        distance = chosen(tail > 0, distance, np.where(tail == 0, np.inf, np.nan))
        out = chosen(outside, np.copysign(distance, q), out)
    return out


def normal_cdf(x: Any) -> Any:
    """Φ(x) with the absolute accuracy of the dtype, which is what gelu needs."""
    if x.dtype != np.float32:
        return _erf(x * math.sqrt(0.5)) * 0.5 + 0.5
    out = polynomial(x * x, *_TANH_OF_CDF)
    out *= x
    out = np.tanh(out)
    out *= 0.5
    out += 0.5
    return out


# --- operations

_TWO_OVER_ROOT_PI = 2 / math.sqrt(math.pi)
_ROOT_TWO_PI = math.sqrt(2 * math.pi)


def density(x: Any) -> Any:
    """φ(x), the density of the normal distribution, the derivative of Φ."""
    return np.exp(x * x * -0.5) / _ROOT_TWO_PI


erf = elementwise(
    "erf",
    blockwise(_erf),
    """The error function, 2/√π times the integral of e^(-t²) from 0 to input.

    Arguments: input (tensor; integers in the default dtype). Source: Abramowitz and Stegun, 7.1.

    >>> import tinygrad_dl as tg
    >>> tg.erf(tg.tensor([0.0, 1.0, -10.0]))
    tensor([ 0.0000,  0.8427, -1.0000])
    """,
    floating=True,
    numpy=(),
    input=blockwise(lambda g, input: g * (np.exp(-(input * input)) * _TWO_OVER_ROOT_PI)),
)
erfc = elementwise(
    "erfc",
    blockwise(in_double(_erfc)),
    """1 - erf(input), exact also where it is small.

    Arguments: input (tensor; integers in the default dtype). Source: Abramowitz and Stegun, 7.1.

    >>> import tinygrad_dl as tg
    >>> tg.erfc(tg.tensor([0.0, 1.0]))
    tensor([1.0000, 0.1573])
    """,
    floating=True,
    numpy=(),
    input=blockwise(lambda g, input: g * (np.exp(-(input * input)) * -_TWO_OVER_ROOT_PI)),
)
erfinv: Any = elementwise(
    "erfinv",
    blockwise(in_double(lambda x: _quantile(x / 2, (1 - np.abs(x)) / 2) * math.sqrt(0.5))),
    """The inverse of erf: infinite at -1 and 1, NaN beyond.

    Arguments: input (tensor; integers in the default dtype).

    >>> import tinygrad_dl as tg
    >>> tg.erfinv(tg.tensor([0.0, 0.8427, 1.0]))
    tensor([0.0000, 1.0000,    inf])
    """,
    floating=True,
    numpy=(),
    input=lambda g, input: g * (np.exp(erfinv(input) ** 2) / _TWO_OVER_ROOT_PI),
)
erfcx = elementwise(
    "erfcx",
    blockwise(in_double(_erfcx)),
    """e^(input²) · erfc(input), which stays representable where erfc is 0.

    Arguments: input (tensor; integers in the default dtype).

    >>> import tinygrad_dl as tg
    >>> tg.special.erfcx(tg.tensor([0.0, 100.0]))
    tensor([1.0000, 0.0056])
    """,
    floating=True,
    numpy=(),
    input=lambda g, input, out: g * (2 * input * out - _TWO_OVER_ROOT_PI),
)
cdf = elementwise(
    "cdf",
    blockwise(normal_cdf),
    "Φ(input) with the absolute accuracy of the dtype; `ndtr` has the relative one",
    floating=True,
    numpy=(),
    input=blockwise(lambda g, input: g * density(input)),
)
ndtr = elementwise(
    "ndtr",
    blockwise(in_double(_ndtr)),
    """Φ(input), the probability that a normal variable lies below.

    Arguments: input (tensor; integers in the default dtype).

    >>> import tinygrad_dl as tg
    >>> tg.special.ndtr(tg.tensor([-1.0, 0.0, 1.0]))
    tensor([0.1587, 0.5000, 0.8413])
    """,
    floating=True,
    numpy=(),
    input=blockwise(lambda g, input: g * density(input)),
)
ndtri = elementwise(
    "ndtri",
    blockwise(in_double(lambda p: _quantile(p - 0.5, np.minimum(p, 1 - p)))),
    """The inverse of ndtr: the value below which a normal variable lies with the probability `input`.

    Arguments: input (tensor between 0 and 1; integers in the default dtype). NaN outside.

    >>> import tinygrad_dl as tg
    >>> tg.special.ndtri(tg.tensor([0.1587, 0.5, 1.0]))
    tensor([-0.9998,  0.0000,     inf])
    """,
    floating=True,
    numpy=(),
    input=lambda g, out: g * (_ROOT_TWO_PI * np.exp(out * out / 2)),
)


def _log_ndtr(x: Any) -> Any:
    """From erfcx on the left, where Φ is small; from 1 - Φ on the right, where that is small."""
    tail = _scaled(np.abs(x) * math.sqrt(0.5)) / 2
    return chosen(x < 0, np.log(tail) - x * x / 2, np.log1p(-tail * _exp_of_square(x, -0.5)))


log_ndtr = elementwise(
    "log_ndtr",
    blockwise(in_double(_log_ndtr)),
    """log Φ(input), also where Φ is 0 in floating numbers.

    Arguments: input (tensor; integers in the default dtype).

    >>> import tinygrad_dl as tg
    >>> tg.special.log_ndtr(tg.tensor([0.0, -100.0]))
    tensor([-6.9315e-01, -5.0055e+03])
    """,
    floating=True,
    numpy=(),
    # φ(x) / Φ(x), from erfcx on the left, from both as they are on the right
    input=lambda g, input, out: (
        g
        * where(
            input < 0,
            (2 / _ROOT_TWO_PI) / erfcx(where(input < 0, input, 0.0) * -math.sqrt(0.5)),
            np.exp(-(out + input * input / 2)) / _ROOT_TWO_PI,
        )
    ),
)

attach(erf, erfc, erfinv)
attach_in_place(erf, erfc, erfinv)
