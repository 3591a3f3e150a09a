"""Division with a whole quotient: rounded down or towards zero, and the remainder that it leaves."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend
from ..dtypes import result_type
from ..errors import ArgumentError
from ..methods import attach
from ..operation import elementwise
from ..promotion import SCALARS
from .blocks import blockwise
from .editing import attach_in_place, zeros_like

BOOLS = ("b", "bools can't be divided; convert them first, for example with .int()")
_SINGLE, _LIMIT = np.dtype(np.float32), 2.0**24


def no_derivative(name: str) -> Any:
    """What the rule of an operation does whose derivative PyTorch does not have either."""
    raise NotImplementedError(
        f"{name}: its derivative is not defined; detach() the input, or round the result of a division"
    )


def _require_nonzero(name: str, x: Any, y: Any) -> None:
    if getattr(x, "size", 1) == 0:
        return
    if getattr(y, "dtype", np.dtype(type(y))).kind in "iu" and getattr(x, "dtype", np.dtype(type(x))).kind in "iu":
        if (y == 0) if type(y) in SCALARS else bool((y == 0).any()):
            raise ArgumentError(f"{name}: integer division by zero")


def _quick(ufunc: Any, rounding: Any, result: Callable[[Any, Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """A ufunc of a division, on big float32 arrays by way of float64, which is ten times as fast and as exact.

    The quotient of two float32 is nearer to a whole number than float64 can tell only from 2^24 on: there, and where it
    is none, the ufunc takes over.
    """

    @blockwise
    def by_double(x: Any, y: Any) -> Any:
        a, b = x.astype(np.float64), y.astype(np.float64)
        quotient = rounding(a / b)
        if quotient.size and not (quotient.max() < _LIMIT and quotient.min() > -_LIMIT):
            return ufunc(x, y)
        return result(quotient, a, b).astype(_SINGLE)

    return backend.for_many(by_double, ufunc, (_SINGLE,))


_down = _quick(np.floor_divide, np.floor, lambda quotient, a, b: quotient)
_left_down = _quick(np.remainder, np.floor, lambda quotient, a, b: np.copysign(a - quotient * b, b))
_left_towards_zero = _quick(np.fmod, np.trunc, lambda quotient, a, b: np.copysign(a - quotient * b, a))


def _floor_division(x: Any, y: Any) -> Any:
    _require_nonzero("floor_divide", x, y)
    return _down(x, y)


def _trunc_division(x: Any, y: Any) -> Any:
    _require_nonzero("div", x, y)
    kind = result_type([x, y])
    if kind.kind == "f":
        return np.trunc(np.true_divide(x, y))
    down = np.floor_divide(x, y)
    return down + ((down < 0) & (down * y != x)).astype(kind)  # rounded down is one too low below 0


def _remainder(x: Any, y: Any) -> Any:
    _require_nonzero("remainder", x, y)
    return _left_down(x, y)


def _truncated_remainder(x: Any, y: Any) -> Any:
    _require_nonzero("fmod", x, y)
    return _left_towards_zero(x, y)


floor_divide = elementwise(
    "floor_divide",
    _floor_division,
    """input / other rounded down.

    Arguments: tensors that broadcast, or a number. Raises ArgumentError for an integer division by zero. Has no
    derivative.

    >>> import tinygrad_dl as tg
    >>> tg.tensor([7, -7]) // 2
    tensor([ 3, -4])
    """,
    numpy=(np.floor_divide,),
    refuse=BOOLS,
    input=lambda g: no_derivative("floor_divide"),
    other=lambda g: no_derivative("floor_divide"),
)
divide_down = elementwise(
    "div_floor",
    _floor_division,
    "input / other rounded down; flat between the steps",
    numpy=(),
    refuse=BOOLS,
    input=lambda g: zeros_like(g),
    other=lambda g: zeros_like(g),
)
divide_towards_zero = elementwise(
    "div_trunc",
    _trunc_division,
    "input / other rounded towards zero; flat between the steps",
    numpy=(),
    refuse=BOOLS,
    input=lambda g: zeros_like(g),
    other=lambda g: zeros_like(g),
)
remainder = elementwise(
    "remainder",
    _remainder,
    """The remainder of input / other rounded down; it has the sign of `other`, as Python's %.

    Arguments: tensors that broadcast, or a number. Raises ArgumentError for an integer division by zero.

    >>> import tinygrad_dl as tg
    >>> tg.tensor([7.0, -7.0]) % 3
    tensor([1., 2.])
    """,
    numpy=(np.remainder,),
    refuse=BOOLS,
    input=lambda g: g,
    other=blockwise(lambda g, input, other: -g * divide_down(input, other)),
)
fmod = elementwise(
    "fmod",
    _truncated_remainder,
    """The remainder of input / other rounded towards zero; it has the sign of `input`, as C's fmod.

    Arguments: tensors that broadcast, or a number. Raises ArgumentError for an integer division by zero.

    >>> import tinygrad_dl as tg
    >>> tg.fmod(tg.tensor([7.0, -7.0]), 3)
    tensor([ 1., -1.])
    """,
    numpy=(np.fmod,),
    refuse=BOOLS,
    input=lambda g: g,
    other=blockwise(lambda g, input, other: -g * divide_towards_zero(input, other)),
)
attach(floor_divide, remainder, fmod)
attach_in_place(floor_divide, remainder, fmod)
