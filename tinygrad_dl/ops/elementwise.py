"""Elementwise operations: each line gives a function and, for every input, the rule of its gradient.

g is the gradient of the output, `out` the output itself. Source: notes, sections 1.12 and 3.
"""

import math
import operator
import warnings
from typing import Any

import numpy as np

from .. import backend
from ..dtypes import result_type
from ..errors import ArgumentError, ArgumentTypeError, DtypeError
from ..methods import attach
from ..operation import elementwise, operation
from ..promotion import SCALARS
from ..tensor import Tensor
from .blocks import BLOCK, blockwise, chosen, masked
from .composed import composed
from .division import divide_down, divide_towards_zero, floor_divide, remainder
from .editing import attach_in_place, attach_operator, zeros_like

# --- arithmetic

identity = elementwise(
    "positive",
    np.positive,
    "The tensor itself, as a new node of the graph.",
    refuse=("b", "bools have no sign; convert them first, for example with .int()"),
    input=lambda g: g,
)

_add = elementwise("add", operator.add, "input + other", numpy=(np.add,), input=lambda g: g, other=lambda g: g)
_sub = elementwise(
    "sub",
    operator.sub,
    "input - other",
    numpy=(np.subtract,),
    refuse=("b", "two bool tensors can't be subtracted; use logical_xor() or ^"),
    input=lambda g: g,
    other=lambda g: -g,
)
mul = elementwise(
    "mul",
    operator.mul,
    """input · other, element by element.

    Arguments: tensors that broadcast, or a number. d/d input = g · other, d/d other = g · input.

    >>> import tinygrad_dl as tg
    >>> tg.mul(tg.tensor([1.0, 2.0]), 3)
    tensor([3., 6.])
    """,
    numpy=(np.multiply,),
    input=lambda g, other: g * other,
    other=lambda g, input: g * input,
)
true_divide = elementwise(
    "div",
    operator.truediv,
    """input / other, element by element; integers give floating results.

    Arguments: tensors that broadcast, or a number.

    >>> import tinygrad_dl as tg
    >>> tg.true_divide(tg.tensor([1, 3]), 2)
    tensor([0.5000, 1.5000])
    """,
    floating=True,
    numpy=(np.true_divide,),
    input=lambda g, other: g / other,
    other=blockwise(lambda g, input, other: -g * (input / other) / other),
)

reciprocal = elementwise(
    "reciprocal",
    lambda x: 1 / x,
    """1 / input.

    Argument: input (tensor; integers give the default dtype).

    >>> import tinygrad_dl as tg
    >>> tg.reciprocal(tg.tensor([2.0, -4.0]))
    tensor([ 0.5000, -0.2500])
    """,
    floating=True,
    numpy=(np.reciprocal,),
    input=blockwise(lambda g, out: -g * (out * out)),
)


def _scaled(name: str, input: Any, other: Any, alpha: Any) -> Any:
    """other · alpha, where a fraction of integers would not be of the result's kind."""
    if isinstance(alpha, float) and result_type([getattr(x, "array", x) for x in (input, other)]).kind != "f":
        raise DtypeError(f"{name}: alpha must be an integer for integer tensors, {alpha} came")
    return other * alpha


def older_order(name: str, number: Any, *tensors: Any) -> tuple[Any, ...]:
    """The factor and the tensors of a call in PyTorch's older order, where the factor comes before them."""
    if type(number) not in SCALARS or not all(isinstance(tensor, Tensor) for tensor in tensors):
        raise ArgumentTypeError(f"{name}: takes {1 + len(tensors)} tensors by position; the factor goes by name")
    warnings.warn(f"{name}: a factor before the tensors is older; give it by name behind them", UserWarning, 4)
    return number, *tensors


@composed
def add(input: Any, other: Any, tensor: Any = None, *, alpha: Any = 1) -> Any:
    """input + alpha · other, element by element.

    Arguments: tensors that broadcast, or a number; alpha (number). The gradient goes to both inputs unchanged. In
    PyTorch's older order, add(input, alpha, other), it warns.

    >>> import tinygrad_dl as tg
    >>> tg.add(tg.tensor([1.0, 2.0]), 3, alpha=2)
    tensor([7., 8.])
    """
    if tensor is not None:
        alpha, other = older_order("add", other, tensor)
    return _add(input, other if alpha == 1 else _scaled("add", input, other, alpha))


@composed
def sub(input: Any, other: Any, tensor: Any = None, *, alpha: Any = 1) -> Any:
    """input - alpha · other, element by element.

    Arguments: tensors that broadcast, or a number; alpha (number). Raises DtypeError for bool tensors. In PyTorch's
    older order, sub(input, alpha, other), it warns.

    >>> import tinygrad_dl as tg
    >>> tg.sub(tg.tensor([1.0, 2.0]), 3)
    tensor([-2., -1.])
    """
    if tensor is not None:
        alpha, other = older_order("sub", other, tensor)
    return _sub(input, other if alpha == 1 else _scaled("sub", input, other, alpha))


@composed
def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Any:
    """input / other, element by element, rounded towards zero ("trunc") or down ("floor") on request.

    Arguments: tensors that broadcast, or a number. Raises ArgumentError for another rounding_mode.

    >>> import tinygrad_dl as tg
    >>> tg.div(tg.tensor([7.0, -7.0]), 2, rounding_mode="floor")
    tensor([ 3., -4.])
    """
    if rounding_mode is None:
        return true_divide(input, other)
    if rounding_mode == "floor":
        return divide_down(input, other)
    if rounding_mode == "trunc":
        return divide_towards_zero(input, other)
    raise ArgumentError(f"div: rounding_mode is None, 'trunc' or 'floor', not {rounding_mode!r}")


neg = elementwise(
    "neg",
    operator.neg,
    """-input

    >>> import tinygrad_dl as tg
    >>> tg.neg(tg.tensor([1.0, -2.0]))
    tensor([-1.,  2.])
    """,
    numpy=(np.negative,),
    refuse=("b", "a bool tensor can't be negated; use ~ or logical_not()"),
    input=lambda g: -g,
)


def _power(x: Any, y: Any) -> Any:
    """x to the power y; small whole exponents as products, which are up to 89 times faster."""
    if type(y) not in SCALARS:
        return _integer_power(x, y) if y.dtype.kind == "i" and type(x) is not float else np.power(x, y)
    if x.dtype.kind == "f":
        if y == 2:
            return x * x
        if y == 3:
            return x * x * x
        if y == 0.5:
            return np.sqrt(x)
    elif y < 0 and type(y) is int and x.dtype.kind in "iu":
        raise DtypeError(
            f"pow: integers to the negative power {y} are no integers; convert the base first: base.float()"
        )
    return np.power(x, y)


def _integer_power(x: Any, y: Any) -> Any:
    """Integers to integer powers; what a negative power makes smaller than 1 is 0, as in PyTorch (NumPy raises)."""
    powers = np.power(x, np.where(y < 0, y & 1, y))  # of 1 and -1 only the parity matters
    return np.where((y >= 0) | (x == 1) | (x == -1), powers, 0)


def _power_base_rule(g: Any, input: Any, other: Any) -> Any:
    if type(other) in SCALARS:
        return g * 0 if other == 0 else g * (2 * input) if other == 2 else g * (other * input ** (other - 1))
    return where(other == 0, 0.0, g * other * input ** (other - 1))


def _power_exponent_rule(g: Any, input: Any, other: Any, out: Any) -> Any:
    if type(input) not in SCALARS:
        return where((input == 0) & (other >= 0), 0.0, g * out * np.log(input))
    if input == 0:
        return where(other >= 0, 0.0, g * out * -math.inf)
    return g * out * (math.log(input) if input > 0 else math.nan)


_pow = elementwise(
    "pow",
    _power,
    "input ** exponent",
    numpy=(np.power,),
    numbers=True,
    refuse=("b", "bools have no powers; convert them first, for example with .int()"),
    input=blockwise(_power_base_rule, wide=False),
    other=blockwise(_power_exponent_rule, wide=False),
)


@composed
def pow(input: Any, exponent: Any) -> Any:
    """input to the power `exponent`, element by element.

    Arguments: tensors that broadcast, or a number on one side. d/d input = g · n · input^(n-1),
    d/d exponent = g · out · log(input). Raises DtypeError for integers to negative powers.

    >>> import tinygrad_dl as tg
    >>> tg.pow(tg.tensor([1.0, 2.0, 3.0]), 2)
    tensor([1., 4., 9.])
    """
    return _pow(input, exponent)


# --- one input


def _sign(x: Any) -> Any:
    """np.sign, but for NaN, whose sign is 0 in PyTorch, and bools, which NumPy refuses."""
    if x.dtype.kind != "f":
        return x.copy() if x.dtype.kind == "b" else np.sign(x)
    if 0 < x.ndim and x.size < 2048:  # fewer calls; below fewer cycles
        out = np.sign(x)
        out[x != x] = 0
        return out
    return ((x > 0).view(np.int8) - (x < 0).view(np.int8)).astype(x.dtype)


def _fill_with_sign(out: Any, x: Any) -> None:
    out[...] = (x > 0).view(np.int8) - (x < 0).view(np.int8) if x.dtype.kind == "f" else _sign(x)


sign = elementwise(
    "sign",
    blockwise(_sign, _fill_with_sign),
    """-1, 0 or 1: the sign. Its derivative is 0.

    >>> import tinygrad_dl as tg
    >>> tg.sign(tg.tensor([-2.0, 0.0, 5.0]))
    tensor([-1.,  0.,  1.])
    """,
    numpy=(np.sign,),
    input=lambda g: zeros_like(g),
)


def _absolute(x: Any) -> Any:
    if x.dtype.kind == "b":
        raise DtypeError("abs: a bool tensor has no absolute value; convert it first with .int()")
    return np.absolute(x)


abs = elementwise(
    "abs",
    _absolute,
    """The absolute value |input|; its subgradient at 0 is 0.

    >>> import tinygrad_dl as tg
    >>> tg.abs(tg.tensor([-2.0, 3.0]))
    tensor([2., 3.])
    """,
    numpy=(np.absolute,),
    input=blockwise(lambda g, input: g * sign(input)),
)
sqrt = elementwise(
    "sqrt",
    np.sqrt,
    """The square root.

    >>> import tinygrad_dl as tg
    >>> tg.sqrt(tg.tensor([4.0, 9.0]))
    tensor([2., 3.])
    """,
    floating=True,
    input=blockwise(lambda g, out: g / (2 * out)),
)
tanh = elementwise(
    "tanh",
    np.tanh,
    """The hyperbolic tangent. Source: notes, section 3, N068.

    >>> import tinygrad_dl as tg
    >>> tg.tanh(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """,
    floating=True,
    input=blockwise(lambda g, out: g * (1 - out * out)),
)


def _sigmoid(x: Any) -> Any:
    out = np.exp(np.negative(x) if x.dtype.kind == "f" else x * -1.0)  # may be infinite; 1/infinity is the right 0
    out += 1
    return np.reciprocal(out)


def fill_with_sigmoid(out: Any, x: Any) -> None:
    """e^x / (1 + e^x), which takes a quarter less time than from e^-x; where e^x is infinite, 1."""
    np.exp(x, out)
    np.divide(out, out + 1, out)
    if not out.max() <= 1:
        np.copyto(out, 1, where=x > 80)


def _fill_with_slope(result: Any, g: Any, out: Any) -> None:
    np.subtract(1, out, result)
    result *= out
    result *= g


sigmoid = elementwise(
    "sigmoid",
    blockwise(_sigmoid, fill_with_sigmoid),
    """1 / (1 + e^-input), between 0 and 1. Source: notes, section 3, N066.

    >>> import tinygrad_dl as tg
    >>> tg.sigmoid(tg.tensor([0.0, 2.0]))
    tensor([0.5000, 0.8808])
    """,
    floating=True,
    numpy=(),
    input=blockwise(lambda g, out: g * (out * (1 - out)), _fill_with_slope),
)
relu = elementwise(
    "relu",
    backend.at_least_zero,
    """max(0, input); the derivative at 0 is 0, as in PyTorch. Source: notes, section 3, N074.

    >>> import tinygrad_dl as tg
    >>> tg.relu(tg.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """,
    numpy=(),
    refuse=("b", "a bool tensor has no relu; convert it first with .float()"),
    input=lambda g, out: masked(g, out > 0),
)

# --- extremes

maximum = elementwise(
    "maximum",
    np.maximum,
    """The larger of two elements; where they tie each gets half of the gradient.

    >>> import tinygrad_dl as tg
    >>> tg.maximum(tg.tensor([1.0, 5.0]), tg.tensor([3.0, 2.0]))
    tensor([3., 5.])
    """,
    input=blockwise(lambda g, input, other: where(input == other, g / 2, where(input < other, 0.0, g))),
    other=blockwise(lambda g, input, other: where(input == other, g / 2, where(input > other, 0.0, g))),
)
minimum = elementwise(
    "minimum",
    np.minimum,
    """The smaller of two elements; where they tie each gets half of the gradient.

    >>> import tinygrad_dl as tg
    >>> tg.minimum(tg.tensor([1.0, 5.0]), tg.tensor([3.0, 2.0]))
    tensor([1., 2.])
    """,
    input=blockwise(lambda g, input, other: where(input == other, g / 2, where(input > other, 0.0, g))),
    other=blockwise(lambda g, input, other: where(input == other, g / 2, where(input < other, 0.0, g))),
)


@operation(
    promote="same",
    numpy=(np.where,),
    input=lambda g, condition: where(condition, g, 0.0),
    other=lambda g, condition: where(condition, 0.0, g),
)
def where(condition: Any, input: Any, other: Any) -> Any:
    """input where `condition` holds, else other.

    Arguments: condition (bool tensor), input and other (tensors that broadcast with it, or numbers). Raises DtypeError
    for a condition that is not bool.

    >>> import tinygrad_dl as tg
    >>> x = tg.tensor([-1.0, 2.0])
    >>> tg.where(x > 0, x, 0.0)
    tensor([0., 2.])
    """
    if not hasattr(condition, "dtype"):
        raise ArgumentTypeError(
            f"where: condition must be a bool tensor, {type(condition).__name__} came; convert it with "
            "tinygrad_dl.tensor(...)"
        )
    if condition.dtype.kind != "b":
        raise DtypeError(
            f"where: condition must be a bool tensor, {condition.dtype} of shape {tuple(condition.shape)} came; "
            "compare it with something"
        )
    if type(input) in SCALARS and type(other) in SCALARS:
        return np.where(condition, input, other).astype(result_type([input, other]))
    return chosen(condition, input, other)


# --- operators and methods

for _symbol, _operation in {
    "add": _add,
    "sub": _sub,
    "mul": mul,
    "truediv": true_divide,
    "floordiv": floor_divide,
    "mod": remainder,
    "pow": _pow,
}.items():
    attach_operator(_symbol, _operation)
absolute, negative, multiply, subtract, divide, sgn = abs, neg, mul, sub, div, sign


def _divided_by(self: Tensor, other: Any) -> Any:
    """other / self; a number as PyTorch does it, by the reciprocal, whose derivative needs only its result."""
    if type(other) not in SCALARS:
        return true_divide(other, self)
    inverse = reciprocal(self)
    if inverse.requires_grad or inverse.array.size <= BLOCK:
        return inverse * other
    inverse.array *= other  # nobody else has seen it
    return inverse


attach(__rtruediv__=_divided_by, __rdiv__=_divided_by, __div__=true_divide)
attach(__idiv__=Tensor.__itruediv__)  # type: ignore[attr-defined]


@composed
def positive(input: Any) -> Any:
    """The tensor itself: an edit of `+x` is one of x. Raises DtypeError for bools.

    >>> import tinygrad_dl as tg
    >>> x = tg.tensor([1.0, -2.0])
    >>> tg.positive(x) is x
    True
    """
    return identity(input) if input.array.dtype.kind == "b" else input  # (which refuses bools)


attach(add, sub, mul, div, pow, neg, sign, abs, sqrt, tanh, sigmoid, relu)
attach(maximum, minimum)
attach(
    __neg__=neg,
    __abs__=abs,
    __pos__=positive,
    true_divide=true_divide,
    absolute=abs,
    negative=neg,
    multiply=mul,
    subtract=sub,
    divide=div,
    positive=positive,
)
attach(where=lambda self, condition, other: where(condition, self, other))
attach_in_place(
    add,
    sub,
    mul,
    div,
    pow,
    neg,
    sign,
    abs,
    sqrt,
    tanh,
    sigmoid,
    relu,
    absolute=abs,
    negative=neg,
    true_divide=true_divide,
    multiply=mul,
    subtract=sub,
    divide=div,
)
