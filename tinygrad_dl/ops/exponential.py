"""Exponentials and logarithms, of base e, 2 and 10."""

import math
from collections import namedtuple
from typing import Any

import numpy as np

from .. import backend
from ..dtypes import FLOATING
from ..errors import DtypeError
from ..methods import attach
from ..operation import elementwise, keep, operation
from ..tensor import NUMPY
from .blocks import blockwise
from .composed import composed
from .editing import attach_in_place

LN2, LN10 = math.log(2), math.log(10)


def _function(name: str, ufunc: Any, words: str, rule: Any) -> Any:
    doc = f"""{words}

    Argument: input (tensor; integers give the default dtype).

    >>> import tinygrad_dl as tg
    >>> tg.{name}(tg.tensor([2.5]))
    tensor([{ufunc(2.5):.4f}])
    """
    return elementwise(name, ufunc, doc, floating=True, input=rule)


exp = _function("exp", np.exp, "e to the power input.", lambda g, out: g * out)
exp2 = _function("exp2", np.exp2, "2 to the power input.", blockwise(lambda g, out: g * out * LN2))
expm1 = _function(
    "expm1", np.expm1, "e to the power input, minus 1; exact for small inputs.", blockwise(lambda g, out: g * (out + 1))
)
log = _function("log", np.log, "The natural logarithm.", lambda g, input: g / input)
log2 = _function("log2", np.log2, "The logarithm of base 2.", blockwise(lambda g, input: g / (input * LN2)))
log10 = _function("log10", np.log10, "The logarithm of base 10.", blockwise(lambda g, input: g / (input * LN10)))
log1p = _function(
    "log1p",
    np.log1p,
    "The natural logarithm of 1 + input; exact for small inputs.",
    blockwise(lambda g, input: g / (input + 1)),
)

# --- sums in terms of logarithms


def _decay(x: Any, y: Any) -> Any:
    """-|x - y|, but 0 where that is NaN: of two equal infinities, whose sum is that infinity."""
    distance = np.subtract(x, y)
    return np.fmin(-np.absolute(distance), 0)


@blockwise
def _log_of_sum(x: Any, y: Any) -> Any:
    return np.maximum(x, y) + np.log1p(np.exp(_decay(x, y)))


@blockwise
def _log2_of_sum(x: Any, y: Any) -> Any:
    return np.maximum(x, y) + np.log1p(np.exp2(_decay(x, y))) * (1 / LN2)


_INTEGERS = ("biu", "floating numbers are needed; convert first, for example with .float()")

logaddexp = elementwise(
    "logaddexp",
    backend.for_many(_log_of_sum, np.logaddexp, FLOATING),
    """log(e^input + e^other) without overflow.

    Arguments: floating tensors that broadcast. Raises DtypeError for integers.

    >>> import tinygrad_dl as tg
    >>> tg.logaddexp(tg.tensor([100.0]), tg.tensor([100.0]))
    tensor([100.6931])
    """,
    numpy=(np.logaddexp,),
    refuse=_INTEGERS,
    input=blockwise(lambda g, input, other: g / (1 + np.exp(other - input))),
    other=blockwise(lambda g, input, other: g / (1 + np.exp(input - other))),
)
logaddexp2 = elementwise(
    "logaddexp2",
    backend.for_many(_log2_of_sum, np.logaddexp2, FLOATING),
    """log2(2^input + 2^other) without overflow.

    Arguments: floating tensors that broadcast. Raises DtypeError for integers.

    >>> import tinygrad_dl as tg
    >>> tg.logaddexp2(tg.tensor([10.0]), tg.tensor([10.0]))
    tensor([11.])
    """,
    numpy=(np.logaddexp2,),
    refuse=_INTEGERS,
    input=blockwise(lambda g, input, other: g / (1 + np.exp2(other - input))),
    other=blockwise(lambda g, input, other: g / (1 + np.exp2(input - other))),
)

# --- a number as mantissa and exponent


def _scaled(x: Any, y: Any) -> Any:
    """x · 2^y in two steps, neither of which leaves the range when the result does not."""
    half = np.clip(np.floor(y * 0.5), -1100, 1100)  # finite, so that what is left of an infinite y is infinite
    return x * np.exp2(half) * np.exp2(y - half)


ldexp = elementwise(
    "ldexp",
    _scaled,
    """input · 2^other, element by element.

    Arguments: tensors that broadcast; integers give the default dtype.

    >>> import tinygrad_dl as tg
    >>> tg.ldexp(tg.tensor([0.5, 3.0]), tg.tensor([1, 2]))
    tensor([ 1., 12.])
    """,
    floating=True,
    numpy=(np.ldexp,),
    input=lambda g, other: g * np.exp2(other),
    other=blockwise(lambda g, out: g * (out * LN2)),
)


Parts = namedtuple("Parts", ["mantissa", "exponent"])


@operation("frexp", constants=("power",), input=lambda g, power: g[0] / np.exp2(power))
def _frexp(input: Any) -> Any:
    if input.dtype.kind != "f":
        raise DtypeError(f"frexp: floating numbers are needed, {input.dtype} came; convert them with .float()")
    mantissa, exponent = np.frexp(input)
    return keep((mantissa, exponent), power=exponent.astype(input.dtype))


@composed
def frexp(input: Any) -> Any:
    """The numbers as mantissa · 2^exponent, with |mantissa| from 0.5 to below 1: (mantissa, exponent).

    Argument: input (floating tensor). The exponent is int32. Raises DtypeError for integers.

    >>> import tinygrad_dl as tg
    >>> tg.frexp(tg.tensor([3.0, 0.5])).exponent
    tensor([2, 0], dtype=tinygrad_dl.int32)
    """
    return Parts(*_frexp(input))


_FUNCTIONS = (exp, exp2, expm1, log, log2, log10, log1p)
attach(*_FUNCTIONS, logaddexp, logaddexp2, ldexp, frexp)
attach_in_place(*_FUNCTIONS, ldexp)
NUMPY[np.frexp] = frexp
