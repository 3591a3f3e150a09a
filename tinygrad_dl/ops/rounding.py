"""Rounding: down, up, towards zero, to the nearest number of so many decimals."""

from typing import Any

import numpy as np

from .. import backend
from ..errors import DtypeError
from ..methods import attach
from ..operation import elementwise, operation
from ..tensor import NUMPY
from .composed import composed
from .editing import attach_in_place, zeros_like

_BOOLS = ("b", "a bool tensor can't be rounded; convert it first with .int() or .float()")


def _rounding(name: str, ufunc: Any, words: str) -> Any:
    def rounded(x: Any) -> Any:
        if x.dtype.kind == "b":
            raise TypeError  # which `refuse` explains
        return ufunc(x) if x.dtype.kind == "f" else x.copy()

    doc = f"""The integer {words}; its derivative is 0.

    Argument: input (tensor; integers come back as they are). Raises DtypeError for bools.

    >>> import tinygrad_dl as tg
    >>> tg.{name}(tg.tensor([-1.5, 0.5, 2.5])).tolist()
    {[float(ufunc(x)) for x in (-1.5, 0.5, 2.5)]}
    """
    return elementwise(name, rounded, doc, numpy=(ufunc,), refuse=_BOOLS, input=lambda g: zeros_like(g))


floor = _rounding("floor", np.floor, "at or below input")
ceil = _rounding("ceil", np.ceil, "at or above input")
trunc = _rounding("trunc", np.trunc, "next to input towards zero")
_round = _rounding("round", np.rint, "nearest to input; of two the even one")
fix = trunc


def _fraction(x: Any) -> Any:
    if x.dtype.kind != "f":
        raise TypeError  # which `refuse` explains
    return x - np.trunc(x)


frac = elementwise(
    "frac",
    _fraction,
    """What input - trunc(input) leaves behind the decimal point, with the sign of input.

    Argument: input (floating tensor). Raises DtypeError for integers.

    >>> import tinygrad_dl as tg
    >>> tg.frac(tg.tensor([1.25, -1.25]))
    tensor([ 0.2500, -0.2500])
    """,
    numpy=(),
    refuse=("biu", "whole numbers have no fraction; convert them first with .float()"),
    input=lambda g: g,
)


@operation("round_decimals", input=lambda g: zeros_like(g))
def _round_decimals(input: Any, decimals: int) -> Any:
    if input.dtype.kind != "f":
        raise DtypeError(
            f"round: decimals are for floating tensors, {input.dtype} came; convert it first with .float()"
        )
    shift = backend.constant(10.0 ** abs(decimals), input)
    return np.rint(input * shift) / shift if decimals > 0 else np.rint(input / shift) * shift


@composed
def round(input: Any, *, decimals: int = 0) -> Any:
    """The number nearest to input with so many decimals, 0 of them at first; of two the even one. Its derivative is 0.

    Arguments: input (tensor; integers come back as they are), decimals (a negative one rounds to tens, hundreds, ...).
    Raises DtypeError for bools, and with decimals for integers.

    >>> import tinygrad_dl as tg
    >>> tg.round(tg.tensor([2.5, -1.2345]), decimals=2)
    tensor([ 2.5000, -1.2300])
    """
    return _round_decimals(input, decimals) if decimals else _round(input)


# --- methods

attach(floor, ceil, trunc, round, frac, fix=trunc)
attach_in_place(floor, ceil, trunc, round, frac, fix=trunc)
NUMPY[np.fix] = trunc
NUMPY[np.round] = NUMPY[np.around] = lambda a, decimals=0: round(a, decimals=decimals)
