"""Angles, trigonometric and hyperbolic functions, and their inverses."""

import math
from typing import Any

import numpy as np

from .. import backend
from ..dtypes import FLOATING
from ..methods import attach
from ..operation import elementwise
from .blocks import blockwise
from .editing import attach_in_place
from .elementwise import where


def _function(name: str, ufunc: Any, words: str, rule: Any, at: float = 0.5, numpy: Any = None) -> Any:
    doc = f"""{words}

    Argument: input (tensor; integers give the default dtype).

    >>> import tinygrad_dl as tg
    >>> tg.{name}(tg.tensor([{at}]))
    tensor([{ufunc(at):.4f}])
    """
    return elementwise(name, ufunc, doc, floating=True, numpy=numpy, input=blockwise(rule))


# --- trigonometric

sin = _function("sin", np.sin, "The sine of an angle in radians.", lambda g, input: g * np.cos(input))
cos = _function("cos", np.cos, "The cosine of an angle in radians.", lambda g, input: -g * np.sin(input))
tan = _function("tan", np.tan, "The tangent of an angle in radians.", lambda g, out: g * (1 + out * out))
asin = _function(
    "asin",
    np.arcsin,
    "The angle between -π/2 and π/2 whose sine is input; NaN beyond -1 and 1.",
    lambda g, input: g / np.sqrt(1 - input * input),
)
acos = _function(
    "acos",
    np.arccos,
    "The angle between 0 and π whose cosine is input; NaN beyond -1 and 1.",
    lambda g, input: -g / np.sqrt(1 - input * input),
)
atan = _function(
    "atan",
    np.arctan,
    "The angle between -π/2 and π/2 whose tangent is input.",
    lambda g, input: g / (1 + input * input),
)

# --- hyperbolic

sinh = _function("sinh", np.sinh, "The hyperbolic sine.", lambda g, input: g * np.cosh(input))
cosh = _function("cosh", np.cosh, "The hyperbolic cosine.", lambda g, input: g * np.sinh(input))
asinh = _function(
    "asinh", np.arcsinh, "The inverse of the hyperbolic sine.", lambda g, input: g / np.sqrt(input * input + 1)
)
acosh = _function(
    "acosh",
    np.arccosh,
    "The inverse of the hyperbolic cosine, from 0 on; NaN below 1.",
    lambda g, input: g / np.sqrt(input * input - 1),
    at=2.0,
)
atanh = _function(
    "atanh",
    np.arctanh,
    "The inverse of the hyperbolic tangent; NaN beyond -1 and 1.",
    lambda g, input: g / (1 - input * input),
)

# --- angles

RADIANS, DEGREES = math.pi / 180, 180 / math.pi
deg2rad = _function(
    "deg2rad",
    lambda x: x * RADIANS,
    "An angle from degrees to radians.",
    lambda g: g * RADIANS,
    90.0,
    (np.deg2rad, np.radians),
)
rad2deg = _function(
    "rad2deg",
    lambda x: x * DEGREES,
    "An angle from radians to degrees.",
    lambda g: g * DEGREES,
    3.0,
    (np.rad2deg, np.degrees),
)


def _share(g: Any, numerator: Any, input: Any, other: Any) -> Any:
    """g · numerator / (input² + other²), which has no direction at the origin: 0 there."""
    square = input * input + other * other
    return where(square == 0, 0.0, g * (numerator / square))


atan2 = elementwise(
    "atan2",
    np.arctan2,
    """The angle, between -π and π, of the point with the ordinate `input` and the abscissa `other`.

    Arguments: tensors that broadcast; integers give the default dtype.

    >>> import tinygrad_dl as tg
    >>> tg.atan2(tg.tensor([1.0, -1.0]), tg.tensor([-1.0, 0.0]))
    tensor([ 2.3562, -1.5708])
    """,
    floating=True,
    input=blockwise(lambda g, input, other: _share(g, other, input, other)),
    other=blockwise(lambda g, input, other: _share(g, -input, input, other)),
)


@blockwise
def _hypot_by_squares(x: Any, y: Any) -> Any:
    """Several times as fast as NumPy's, which takes over where squares leave the range or near its lower end."""
    squares, limits = x * x, np.finfo(x.dtype)
    squares += y * y
    usual = squares.size and squares.min() > limits.tiny / limits.eps and squares.max() < np.inf
    return np.sqrt(squares) if usual else np.hypot(x, y)


hypot = elementwise(
    "hypot",
    backend.for_many(_hypot_by_squares, np.hypot, FLOATING),
    """√(input² + other²), the length of the hypotenuse, without overflow.

    Arguments: floating tensors that broadcast. Raises DtypeError for integers.

    >>> import tinygrad_dl as tg
    >>> tg.hypot(tg.tensor([3.0]), tg.tensor([4.0]))
    tensor([5.])
    """,
    numpy=(np.hypot,),
    refuse=("biu", "floating numbers are needed; convert first, for example with .float()"),
    input=blockwise(lambda g, input, out: g * (input / out)),
    other=blockwise(lambda g, other, out: g * (other / out)),
)

# --- methods

ALIASES = {
    "arcsin": asin,
    "arccos": acos,
    "arctan": atan,
    "arctan2": atan2,
    "arcsinh": asinh,
    "arccosh": acosh,
    "arctanh": atanh,
}
arcsin, arccos, arctan, arctan2, arcsinh, arccosh, arctanh = ALIASES.values()
_FUNCTIONS = (sin, cos, tan, asin, acos, atan, sinh, cosh, asinh, acosh, atanh, deg2rad, rad2deg, atan2, hypot)
attach(*_FUNCTIONS, **ALIASES)
attach_in_place(*_FUNCTIONS, **ALIASES)
