"""Products, and running sums, products and extremes along a dimension.

Products of all but one element, and so the derivatives of products, come from running products from both ends: they
divide by nothing, so zeros need no care. What runs is either NumPy's own or `scan`, which takes log n steps.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend
from ..dtypes import FLOATING, find
from ..errors import DtypeError
from ..methods import attach
from ..operation import keep, operation
from ..return_types import named_result
from ..tensor import NUMPY, normalize_dim
from .accumulate import accumulated, is_long, long_products
from .composed import composed
from .editing import attach_in_place
from .elementwise import where
from .indexing import put_along_dim
from .reduction import cast, spread
from .shape import reshape

_multiply: Any = np.multiply.reduce

# --- along an axis


def scan(combine: Callable[..., Any], parts: list[Any]) -> list[Any]:
    """The running results of an associative function along the last axis: of pairs first, then of what lies between.

    parts: arrays of one shape that belong together; combine(earlier parts, later parts) gives such a list.
    """
    n = parts[0].shape[-1]
    if n < 2:
        return parts
    pairs = combine([x[..., 0 : n - 1 : 2] for x in parts], [x[..., 1::2] for x in parts])
    odd = scan(combine, pairs)
    even = combine([x[..., : (n - 1) // 2] for x in odd], [x[..., 2::2] for x in parts])
    return [_woven(*each) for each in zip(parts, odd, even)]


def _woven(x: Any, odd: Any, even: Any) -> Any:
    out = backend.array_module(x).empty(x.shape, x.dtype)
    out[..., :1], out[..., 1::2], out[..., 2::2] = x[..., :1], odd, even
    return out


def _scanned(combine: Callable[..., Any], parts: list[Any], dim: int, reverse: bool = False) -> list[Any]:
    """`scan` along any dimension, forwards or backwards."""
    if not parts[0].ndim:
        return parts
    rows = [x.swapaxes(dim, -1) for x in parts]
    found = scan(combine, [x[..., ::-1] for x in rows] if reverse else rows)
    return [backend.row_major((x[..., ::-1] if reverse else x).swapaxes(dim, -1)) for x in found]


@operation(input=lambda g, dim, by: moved(g, dim, -by, 0))
def moved(input: Any, dim: int, by: int, fill: Any) -> Any:
    """The elements moved by one place (`by` 1 or -1) along a dimension; the place that gets free is filled."""
    out = backend.array_module(input).empty(input.shape, input.dtype)
    if not input.ndim:
        out[...] = fill
        return out
    before = (slice(None),) * dim
    to, source, free = (slice(1, None), slice(None, -1), slice(None, 1))
    if by < 0:
        to, source, free = source, to, slice(-1, None)
    out[(*before, to)] = input[(*before, source)]
    out[(*before, free)] = fill
    return out


def _recurrence_rule(g: Any, factor: Any, dim: int, reverse: bool) -> Any:
    """What arrives at a step came from it and, by the factor, from the step behind."""
    return recurrence(g, moved(factor, dim, 1 if reverse else -1, 0), dim, not reverse)


@operation(
    input=_recurrence_rule,
    factor=lambda g, factor, out, dim, reverse: (
        _recurrence_rule(g, factor, dim, reverse) * moved(out, dim, -1 if reverse else 1, 0)
    ),
)
def recurrence(input: Any, factor: Any, dim: int, reverse: bool) -> Any:
    """y with yᵢ = inputᵢ + factorᵢ · yᵢ₋₁ along a dimension; with `reverse` from the end, yᵢ₊₁ in place of yᵢ₋₁."""

    def combine(first: list[Any], then: list[Any]) -> list[Any]:
        return [first[0] * then[0], first[1] * then[0] + then[1]]

    return _scanned(combine, [factor, input], dim, reverse)[1]


# --- sums and products


def _in_dtype(input: Any, dtype: Any) -> Any:
    """In the dtype that was asked for: asked of the input for floating numbers, of the result for integers."""
    wanted = None if dtype is None else find(dtype).numpy
    return input if wanted is None or input.dtype == wanted else cast(input, wanted)


@operation("cumsum", input=lambda g, dim, reverse: _running_sum(g, dim, not reverse))
def _running_sum(input: Any, dim: int, reverse: bool) -> Any:
    return accumulated(np.add, backend.row_major(input), dim, reverse)


@composed
def cumsum(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """The running sum along `dim`: element i is the sum of the elements 0 to i.

    Arguments: input (tensor), dim (integer), dtype (of the result; integers and bools are summed as int64). The
    gradient is the running sum from the end.

    >>> import tinygrad_dl as tg
    >>> tg.cumsum(tg.tensor([1.0, 2.0, 3.0]), 0)
    tensor([1., 3., 6.])
    """
    return _in_dtype(_running_sum(_in_dtype(input, dtype), normalize_dim("cumsum", dim, input.ndim), False), dtype)


def _running_product_rule(g: Any, input: Any, out: Any, dim: int, reverse: bool) -> Any:
    """The product of what came before, times what the factor reaches behind it."""
    step = -1 if reverse else 1
    return moved(out, dim, step, 1) * recurrence(g, moved(input, dim, -step, 0), dim, not reverse)


@operation("cumprod", input=_running_product_rule)
def _running_product(input: Any, dim: int, reverse: bool) -> Any:
    return accumulated(np.multiply, backend.row_major(input), dim, reverse)


@composed
def cumprod(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """The running product along `dim`: element i is the product of the elements 0 to i.

    Arguments: input (tensor), dim (integer), dtype (of the result; integers and bools are multiplied as int64). The
    derivatives are exact where factors are 0.

    >>> import tinygrad_dl as tg
    >>> tg.cumprod(tg.tensor([1.0, 2.0, 3.0]), 0)
    tensor([1., 2., 6.])
    """
    axis = normalize_dim("cumprod", dim, input.ndim)
    return _in_dtype(_running_product(_in_dtype(input, dtype), axis, False), dtype)


def _others_rule(g: Any, input: Any, dim: Any) -> Any:
    axis = 0 if dim is None else dim
    x, g = (reshape(input, (-1,)), reshape(g, (-1,))) if dim is None else (input, g)
    before, behind = _running_product(x, axis, False), _running_product(x, axis, True)
    to_before = moved(g * moved(behind, axis, -1, 1), axis, -1, 0)
    to_behind = moved(g * moved(before, axis, 1, 1), axis, 1, 0)
    both = _running_product_rule(to_before, x, before, axis, False) + _running_product_rule(
        to_behind, x, behind, axis, True
    )
    return reshape(both, input.shape)


@operation("product_of_others", input=_others_rule)
def _product_of_others(input: Any, dim: Any) -> Any:
    """For each element the product of all others along `dim`: by division where no factor is 0."""
    if not input.ndim:
        return backend.ones(input)
    zeros = input.size - int(np.count_nonzero(input))
    if zeros == 0:
        return _multiplied(input, dim, True) / input
    if dim is None and zeros > 1:
        return backend.zeros(input, input.shape)
    x, axis = (input.reshape(-1), 0) if dim is None else (input, dim)
    before, behind = accumulated(np.multiply, x, axis, False), accumulated(np.multiply, x, axis, True)
    return (moved(before, axis, 1, 1) * moved(behind, axis, -1, 1)).reshape(input.shape)


def _multiplied(x: Any, axis: Any, keepdim: bool) -> Any:
    """The product of an array: float16 in float32, integers and bools in int64."""
    if x.dtype.kind != "f":
        return _multiply(x, axis, np.int64, None, keepdim)
    if x.dtype == np.float16:
        return _multiply(x, axis, np.float32, None, keepdim).astype(np.float16)
    return long_products(x, axis, keepdim) if is_long(x, axis) else _multiply(x, axis, None, None, keepdim)


@operation(
    "prod", input=lambda g, input, dim, keepdim: _product_of_others(input, dim) * spread(g, input.shape, dim, keepdim)
)
def _prod(input: Any, dim: Any, keepdim: bool) -> Any:
    return backend.row_major(_multiplied(input, dim if input.ndim else None, keepdim))


@composed
def prod(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The product of all elements, or along `dim`.

    Arguments: input (tensor), dim (integer or None for all), keepdim, dtype (of the result; integers and bools are
    multiplied as int64). Each element gets the product of the others; exact where factors are 0.

    >>> import tinygrad_dl as tg
    >>> tg.prod(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), 1)
    tensor([ 2., 12.])
    """
    axis = None if dim is None else normalize_dim("prod", dim, input.ndim)
    return _in_dtype(_prod(_in_dtype(input, dtype), axis, keepdim), dtype)


# --- logarithms of running sums


def _gap(a: Any, b: Any) -> Any:
    """a - b, and 0 of two equal infinities."""
    return where(a == b, 0.0, a - b)


def _logcumsumexp_rule(g: Any, input: Any, out: Any, dim: int) -> Any:
    fading = np.exp(_gap(out, moved(out, dim, -1, math.inf)))  # at most 1, as the sums grow; behind the last nothing
    return np.exp(_gap(input, out)) * recurrence(g, fading, dim, True)


@operation("logcumsumexp", input=_logcumsumexp_rule)
def _logcumsumexp(input: Any, dim: int) -> Any:
    return _scanned(lambda first, then: [np.logaddexp(first[0], then[0])], [input.copy()], dim)[0]  # of one, itself


@composed
def logcumsumexp(input: Any, dim: int) -> Any:
    """log of the running sum of e^input along `dim`, computed without overflow.

    Arguments: input (floating tensor), dim (integer). Raises DtypeError for integers.

    >>> import tinygrad_dl as tg
    >>> tg.logcumsumexp(tg.tensor([1000.0, 1000.0]), 0)
    tensor([1000.0000, 1000.6932])
    """
    axis = normalize_dim("logcumsumexp", dim, input.ndim)
    if input.dtype not in FLOATING:
        raise DtypeError(f"logcumsumexp: floating numbers are needed, {input.dtype} came; use input.float()")
    return _logcumsumexp(input, axis)


# --- running extremes


def _running_extreme(name: str, ufunc: Any, reaches: Any) -> Any:
    """An operation that gives the extreme so far and its place, the last of several; of NaN the last, too."""

    def combine(first: list[Any], then: list[Any]) -> list[Any]:
        later = reaches(then[0], first[0]) | (then[0] != then[0])
        return [np.where(later, b, a) for a, b in zip(first, then)]

    @operation(
        name,
        constants=("places",),
        input=lambda g, input_shape, places, dim: put_along_dim(g[0], places, dim, input_shape),
    )
    def running(input: Any, dim: int) -> Any:
        module = backend.array_module(input)
        places = module.zeros(input.shape, np.int64)
        if input.ndim:
            places += module.arange(input.shape[dim]).reshape((-1,) + (1,) * (input.ndim - dim - 1))
        if type(input) is backend.HOST and input.ndim:
            values = _accumulated_extreme(ufunc, input, places, dim)
        else:
            values, places = _scanned(combine, [input.copy(), places], dim)
        return keep((values, places), places=places)

    return running


def _accumulated_extreme(ufunc: Any, x: Any, places: Any, dim: int) -> Any:
    """The same of NumPy's arrays: an element that equals the extreme so far is its place until the next.

    Turns `places`, which says where each element stands, into where the extremes do.
    """
    values = ufunc.accumulate(x, dim)
    reached = x == values
    if x.dtype.kind == "f":
        reached |= x != x
    places *= reached
    np.maximum.accumulate(places, dim, None, places)
    if x.dtype.kind == "f" and not values.all():  # 0.0 or -0.0, whichever came last
        values = np.take_along_axis(x, places, dim)
    return backend.row_major(values)


_running_largest = _running_extreme("cummax", np.maximum, np.greater_equal)
_running_smallest = _running_extreme("cummin", np.minimum, np.less_equal)
_Cummax = named_result("cummax", "values", "indices")
_Cummin = named_result("cummin", "values", "indices")


@composed
def cummax(input: Any, dim: int) -> Any:
    """The largest element so far along `dim`, and where it is: (values, indices), the last of several.

    Arguments: input (tensor), dim (integer). A NaN is the largest. The gradient goes to the element at the index.

    >>> import tinygrad_dl as tg
    >>> tg.cummax(tg.tensor([1.0, 3.0, 2.0]), 0).values
    tensor([1., 3., 3.])
    """
    return _Cummax(*_running_largest(input, normalize_dim("cummax", dim, input.ndim)))


@composed
def cummin(input: Any, dim: int) -> Any:
    """The smallest element so far along `dim`, and where it is: (values, indices), the last of several.

    Arguments and gradient as for `cummax`.

    >>> import tinygrad_dl as tg
    >>> tg.cummin(tg.tensor([2.0, 3.0, 1.0]), 0).indices
    tensor([0, 0, 2])
    """
    return _Cummin(*_running_smallest(input, normalize_dim("cummin", dim, input.ndim)))


# --- methods and NumPy's functions

attach(cumsum, cumprod, prod, logcumsumexp, cummax, cummin)


def _in_own_dtype(running: Any) -> Any:
    """The form in place of a running sum or product, whose result has the tensor's dtype."""

    @composed
    def own(input: Any, dim: int, *, dtype: Any = None) -> Any:
        if dtype is not None and find(dtype) != input.dtype:
            name = running.__name__
            raise DtypeError(f"{name}_: the result has the tensor's dtype, {input.dtype}; {dtype} came")
        return running(input, dim)

    own.__name__ = running.__name__
    return own


attach_in_place(_in_own_dtype(cumsum), _in_own_dtype(cumprod))


def _numpys_running(running: Any) -> Any:
    def numpys(a: Any, axis: Any = None, dtype: Any = None) -> Any:
        return running(reshape(a, (-1,)) if axis is None else a, axis or 0, dtype=dtype)

    numpys.__qualname__ = running.__name__
    return numpys


def _numpys_prod(a: Any, axis: Any = None, dtype: Any = None, *, keepdims: bool = False) -> Any:
    return prod(a, axis, keepdims, dtype=dtype)


NUMPY |= {np.prod: _numpys_prod, np.cumsum: _numpys_running(cumsum), np.cumprod: _numpys_running(cumprod)}
