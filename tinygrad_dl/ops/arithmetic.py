"""Arithmetic beyond the operators: roots, divisors, products with sums, and the choice of the larger number."""

from typing import Any

import numpy as np

from .. import backend
from ..dtypes import FLOATING, float32, float64, result_type
from ..errors import DtypeError
from ..explain import describe
from ..methods import attach
from ..operation import elementwise, operation
from ..promotion import SCALARS
from ..tensor import NUMPY, Tensor
from .blocks import blockwise
from .composed import composed
from .division import no_derivative
from .editing import attach_in_place, zeros_like
from .elementwise import older_order, pow, reciprocal, sign, sub, where

# --- powers


@composed
def square(input: Any) -> Any:
    """input · input, element by element.

    >>> import tinygrad_dl as tg
    >>> tg.square(tg.tensor([-3.0, 2.0]))
    tensor([9., 4.])
    """
    return pow(input, 2)


rsqrt = elementwise(
    "rsqrt",
    blockwise(lambda x: np.reciprocal(np.sqrt(x)), lambda out, x: np.divide(1, np.sqrt(x, out), out)),
    """1 / √input.

    Argument: input (tensor; integers give the default dtype).

    >>> import tinygrad_dl as tg
    >>> tg.rsqrt(tg.tensor([4.0, 0.25]))
    tensor([0.5000, 2.0000])
    """,
    floating=True,
    numpy=(),
    input=blockwise(lambda g, out: g * (out * out * out) * -0.5),
)


@composed
def float_power(input: Any, exponent: Any) -> Any:
    """input to the power `exponent`, computed and returned in float64.

    Arguments: tensors that broadcast, or a number on one side.

    >>> import tinygrad_dl as tg
    >>> tg.float_power(tg.tensor([2, 3]), -1).dtype
    tinygrad_dl.float64
    """
    return pow(*[value.to(float64) if isinstance(value, Tensor) else float(value) for value in (input, exponent)])


# --- divisors


def _of_integers(name: str, ufunc: Any, words: str) -> Any:
    doc = f"""The {words} of integers, never negative. Has no derivative.

    Arguments: integer tensors that broadcast, or a number. Raises DtypeError for others.

    >>> import tinygrad_dl as tg
    >>> tg.{name}(tg.tensor([4, 6]), tg.tensor([6, -9]))
    tensor([{ufunc(4, 6)}, {ufunc(6, -9)}])
    """
    refuse = ("bf", "only whole numbers have divisors; convert others first, for example with .long()")
    return elementwise(name, ufunc, doc, refuse=refuse, input=None, other=None)


gcd = _of_integers("gcd", np.gcd, "greatest common divisor")
lcm = _of_integers("lcm", np.lcm, "least common multiple")

# --- sums and products in one


@composed
def rsub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """other - alpha · input, element by element.

    >>> import tinygrad_dl as tg
    >>> tg.rsub(tg.tensor([1.0, 2.0]), 5)
    tensor([4., 3.])
    """
    return sub(other, input, alpha=alpha)


@operation(
    "addcmul",
    promote="same",
    input=lambda g: g,
    tensor1=blockwise(lambda g, tensor2, value: g * (tensor2 * value)),
    tensor2=blockwise(lambda g, tensor1, value: g * (tensor1 * value)),
)
def _addcmul(input: Any, tensor1: Any, tensor2: Any, value: Any) -> Any:
    if input.dtype.kind == "b":
        raise DtypeError("addcmul: bools are not added; convert them first, for example with .int()")
    if type(value) is float and input.dtype.kind != "f":
        raise DtypeError(f"addcmul: value must be an integer for integer tensors, {value} came")
    # what has no name NumPy adds to in place
    return input + (tensor1 * tensor2 if value == 1 else tensor1 * tensor2 * backend.constant(value, input))


@composed
def addcmul(input: Any, tensor1: Any, tensor2: Any, tensor: Any = None, *, value: Any = 1) -> Any:
    """input + value · tensor1 · tensor2, element by element.

    Arguments: tensors that broadcast, value (number). Raises DtypeError for a fraction with integers, and for bools.
    In PyTorch's older order, addcmul(input, value, tensor1, tensor2), it warns.

    >>> import tinygrad_dl as tg
    >>> tg.addcmul(tg.zeros(2), tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0]), value=2)
    tensor([ 6., 16.])
    """
    if tensor is not None:
        value, tensor1, tensor2 = older_order("addcmul", tensor1, tensor2, tensor)
    return _addcmul(input, tensor1, tensor2, value)


@operation(
    "addcdiv",
    promote="same",
    input=lambda g: g,
    tensor1=blockwise(lambda g, tensor2, value: g * (value / tensor2)),
    tensor2=blockwise(lambda g, tensor1, tensor2, value: -g * (tensor1 * value / tensor2) / tensor2),
)
def _addcdiv(input: Any, tensor1: Any, tensor2: Any, value: Any) -> Any:
    return input + (tensor1 / tensor2 if value == 1 else tensor1 / tensor2 * backend.constant(value, input))


@composed
def addcdiv(input: Any, tensor1: Any, tensor2: Any, tensor: Any = None, *, value: Any = 1) -> Any:
    """input + value · tensor1 / tensor2, element by element.

    Arguments: tensors that broadcast, one of the two that are divided floating, value (number). Raises DtypeError for
    a quotient of integers. In PyTorch's older order, addcdiv(input, value, tensor1, tensor2), it warns.

    >>> import tinygrad_dl as tg
    >>> tg.addcdiv(tg.zeros(2), tg.tensor([1.0, 2.0]), tg.tensor([4.0, 4.0]), value=2)
    tensor([0.5000, 1.0000])
    """
    if tensor is not None:
        value, tensor1, tensor2 = older_order("addcdiv", tensor1, tensor2, tensor)
    dtypes = [value.array.dtype for value in (tensor1, tensor2) if isinstance(value, Tensor)]
    if all(dtype.kind != "f" for dtype in dtypes):
        came = " and ".join(dtype.name for dtype in dtypes)
        raise DtypeError(f"addcdiv: {came} came, whose quotients are no integers; convert one first with .float()")
    return _addcdiv(input, tensor1, tensor2, value)


@operation(
    "lerp",
    promote="same",
    input=blockwise(lambda g, weight: g * (1 - weight)),
    end=lambda g, weight: g * weight,
    weight=blockwise(lambda g, input, end: g * (end - input)),
)
@blockwise
def _lerp(input: Any, end: Any, weight: Any) -> Any:
    """By a number from the nearer end, so that 1 gives `end` exactly."""
    way = end - input
    if type(weight) in SCALARS and not -0.5 < weight < 0.5:
        return end - way * (1 - weight)
    return input + weight * way


@composed
def lerp(input: Any, end: Any, weight: Any) -> Any:
    """input + weight · (end - input): from input (weight 0) to end (weight 1) on a straight line.

    Arguments: floating tensors of one dtype that broadcast; weight may be a number, or a 0-d tensor of any dtype that
    makes all three meet in a floating one. Raises DtypeError for others.

    >>> import tinygrad_dl as tg
    >>> tg.lerp(tg.tensor([0.0, 10.0]), tg.tensor([4.0, 20.0]), 0.25)
    tensor([ 1.0000, 12.5000])
    """
    dtype = input.array.dtype
    met = weight.array.dtype if isinstance(weight, Tensor) else dtype
    if met is not dtype and not weight.ndim:
        met = result_type([input.array, end.array, weight.array])
    elif met is not dtype:
        met = None
    if met not in FLOATING or end.array.dtype is not dtype:
        came = ", ".join(map(describe, (input, end, weight)))
        raise DtypeError(f"lerp: all tensors must have one floating dtype, {came} came; convert them first")
    return _lerp(input, end, weight)


# --- which of two numbers, and which sign


fmax = elementwise(
    "fmax",
    np.fmax,
    """The larger of two elements, or the one that is a number; where they tie `input` gets the gradient.

    Arguments: tensors that broadcast.

    >>> import tinygrad_dl as tg
    >>> tg.fmax(tg.tensor([1.0, float("nan")]), tg.tensor([3.0, 2.0]))
    tensor([3., 2.])
    """,
    input=blockwise(lambda g, input, other: where((input >= other) | (other != other), g, 0.0)),
    other=blockwise(lambda g, input, other: where((input >= other) | (other != other), 0.0, g)),
)
fmin = elementwise(
    "fmin",
    np.fmin,
    """The smaller of two elements, or the one that is a number; where they tie `input` gets the gradient.

    Arguments: tensors that broadcast.

    >>> import tinygrad_dl as tg
    >>> tg.fmin(tg.tensor([1.0, float("nan")]), tg.tensor([3.0, 2.0]))
    tensor([1., 2.])
    """,
    input=blockwise(lambda g, input, other: where((input <= other) | (other != other), g, 0.0)),
    other=blockwise(lambda g, input, other: where((input <= other) | (other != other), 0.0, g)),
)
copysign = elementwise(
    "copysign",
    np.copysign,
    """|input| with the sign of `other`, whose -0.0 counts as negative. Its derivative at 0 is 0.

    Arguments: tensors that broadcast, or a number for other; integers give the default dtype.

    >>> import tinygrad_dl as tg
    >>> tg.copysign(tg.tensor([1.0, 2.0]), tg.tensor([-0.0, 3.0]))
    tensor([-1.,  2.])
    """,
    floating=True,
    input=blockwise(lambda g, input, out: where(input == 0, 0.0, g * (out / input))),
    other=lambda g: zeros_like(g),
)


_heaviside = elementwise(
    "heaviside",
    lambda x, values: np.where(x == 0, values, x > 0),
    "0 below 0, 1 above 0, and `values` at 0.",
    numpy=(),
    input=lambda g: no_derivative("heaviside"),
    values=lambda g: no_derivative("heaviside"),
)


@composed
def heaviside(input: Any, values: Any) -> Any:
    """The step function: 0 where input is negative or NaN, 1 where it is positive, `values` where it is 0.

    Arguments: two tensors of one dtype that broadcast. Has no derivative. Raises DtypeError for two dtypes.

    >>> import tinygrad_dl as tg
    >>> tg.heaviside(tg.tensor([-1.5, 0.0, 2.0]), tg.tensor(0.5))
    tensor([0.0000, 0.5000, 1.0000])
    """
    if isinstance(input, Tensor) and isinstance(values, Tensor) and input.array.dtype is not values.array.dtype:
        raise DtypeError(
            f"heaviside: both must have one dtype, {input.dtype} and {values.dtype} came; convert one of them first"
        )
    return _heaviside(input, values)


@blockwise
def _neighbour(x: Any, y: Any) -> Any:
    """By bits, whose order is that of numbers of one sign; NumPy's way, which is slower, where that is no help."""
    if ((x == y) | (x == 0) | (x != x) | (y != y)).any():
        return np.nextafter(x, y)
    away_from_zero = (y > x) == (x > 0)
    return (x.view(f"i{x.itemsize}") + (away_from_zero.view(np.int8) * 2 - 1)).view(x.dtype)


nextafter = elementwise(
    "nextafter",
    backend.for_many(_neighbour, np.nextafter, (float32.numpy, float64.numpy)),
    """The next number after input in the direction of `other`; where there is one, the gradient passes to input.

    Arguments: floating tensors that broadcast. Raises DtypeError for integers.

    >>> import tinygrad_dl as tg
    >>> (tg.nextafter(tg.tensor([1.0]), tg.tensor([2.0])) - 1).item() == tg.finfo(tg.float32).eps
    True
    """,
    numpy=(np.nextafter,),
    refuse=("biu", "floating numbers are needed; convert first, for example with .float()"),
    input=lambda g, input, other: where(input == other, 0.0, g),
    other=lambda g: zeros_like(g),
)


# --- methods


def _float_power_(self: Tensor, exponent: Any) -> Tensor:
    """`float_power` in place, of float64 tensors: its results are that."""
    if self.dtype is not float64:
        raise DtypeError(f"float_power_: the result is float64 and can't be written into a {self.dtype} tensor")
    return self.pow_(exponent)


_FUNCTIONS = (square, reciprocal, rsqrt, gcd, lcm, addcmul, addcdiv, lerp, copysign, heaviside, nextafter)
attach(*_FUNCTIONS, fmax, fmin, float_power, sgn=sign)
attach_in_place(*_FUNCTIONS, sgn=sign)
attach(float_power_=_float_power_)
NUMPY[np.square], NUMPY[np.heaviside] = square, heaviside
