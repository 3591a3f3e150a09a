"""Extremes: the largest and smallest elements, and where they are. A NaN is both. Source: notes, section 1.12."""

import builtins
import math
from typing import Any

import numpy as np

from ..backend import HOST, row_major
from ..errors import ArgumentTypeError, DimensionError
from ..methods import attach
from ..operation import keep, operation
from ..return_types import named_result
from ..tensor import NUMPY, Tensor, normalize_dim
from .blocks import BLOCK
from .composed import composed
from .elementwise import maximum, minimum
from .indexing import put_along_dim
from .reduction import axis_of, cast, numpys_reduction, restore, sum
from .shape import dims_of

_FEW = 1024  # elements
_REDUCE: dict[str, Any] = {"max": np.maximum.reduce, "min": np.minimum.reduce}

# --- values


def extreme(name: str, x: Any, axis: Any, keepdims: bool) -> Any:
    """The maximum or minimum of an array; CuPy's arrays have only the method, which costs NumPy's more."""
    if type(x) is HOST:
        if axis is None and not keepdims and x.size < _FEW:
            row = x.reshape(-1)
            return row[getattr(row, f"arg{name}")()]  # a tenth of the time
        return _REDUCE[name](x, axis, None, None, keepdims)
    return getattr(x, name)(axis=axis, keepdims=keepdims)


def _reduced(name: str, x: Any, dim: Any, keepdim: bool) -> Any:
    if x.size == 0:
        lost = [d for d in dims_of(name, dim, x.ndim) if x.shape[d] == 0]
        if dim is None or lost:
            raise DimensionError(
                f"{name}: an empty tensor (shape {tuple(x.shape)}) has no extreme over dimensions of size 0"
            )
    return row_major(extreme(name, x, axis_of(x, dim), keepdim))


def _extreme_rule(g: Any, input: Any, input_dtype: Any, out: Any, dim: Any, keepdim: bool) -> Any:
    """The gradient in equal parts to all elements that reach the extreme."""
    reached = input == restore(out, input.shape, dim, keepdim)
    return restore(g, input.shape, dim, keepdim) / cast(sum(reached, dim, True), input_dtype) * reached


def evenly_rule(g: Any, input: Any, out: Any) -> Any:
    """The gradient of one element of all, in equal parts to all that are like it; to the NaN where it is one."""
    alike = (input == out) | ((input != input) & (out != out))
    return g / cast(sum(alike), g.dtype) * alike


@operation(input=_extreme_rule)
def amax(input: Any, dim: Any = (), keepdim: bool = False) -> Any:
    """The largest element over all dimensions or those in `dim`; ties share the gradient evenly.

    Arguments: input (tensor), dim (integer, tuple; all if empty), keepdim. Raises DimensionError for an empty tensor.

    >>> import tinygrad_dl as tg
    >>> tg.amax(tg.tensor([[1.0, 4.0], [3.0, 2.0]]), 1)
    tensor([4., 3.])
    """
    return _reduced("max", input, dim, keepdim)


@operation(input=_extreme_rule)
def amin(input: Any, dim: Any = (), keepdim: bool = False) -> Any:
    """The smallest element over all dimensions or those in `dim`; ties share the gradient evenly.

    Arguments as for `amax`.

    >>> import tinygrad_dl as tg
    >>> tg.amin(tg.tensor([[1.0, 4.0], [3.0, 2.0]]), 1)
    tensor([1., 2.])
    """
    return _reduced("min", input, dim, keepdim)


@operation("max", input=evenly_rule)
def _largest(input: Any) -> Any:
    return _reduced("max", input, None, False)


@operation("min", input=evenly_rule)
def _smallest(input: Any) -> Any:
    return _reduced("min", input, None, False)


# --- places


@operation()
def argmax(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The index of the largest element, of the first if several: over all elements, or along `dim`.

    Arguments: input (tensor), dim (integer or None), keepdim. Returns int64. Raises DimensionError for an empty tensor.

    >>> import tinygrad_dl as tg
    >>> tg.argmax(tg.tensor([1.0, 5.0, 2.0]))
    tensor(1)
    """
    return _position("argmax", input, dim, keepdim)


@operation()
def argmin(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The index of the smallest element, of the first if several: over all elements, or along `dim`.

    Arguments as for `argmax`.

    >>> import tinygrad_dl as tg
    >>> tg.argmin(tg.tensor([3.0, 1.0, 2.0]))
    tensor(1)
    """
    return _position("argmin", input, dim, keepdim)


def _position(name: str, x: Any, dim: Any, keepdim: bool) -> Any:
    if dim is None:
        if x.size == 0:
            raise DimensionError(
                f"{name}: an empty tensor (shape {tuple(x.shape)}) has no extreme; give a dim of another size"
            )
        place = getattr(x.reshape(-1), name)()
        return place.reshape((1,) * x.ndim) if keepdim else place
    if not isinstance(dim, int):
        raise ArgumentTypeError(f"{name}: dim must be one integer or None, not {dim!r}")
    axis = normalize_dim(name, dim, x.ndim)
    if x.ndim == 0:
        return x.argmax()
    if x.shape[axis] == 0:
        raise DimensionError(f"{name}: dimension {dim} of shape {tuple(x.shape)} has size 0 and no extreme")
    place = _places(name, x, axis)
    return place.reshape((*x.shape[:axis], 1, *x.shape[axis + 1 :])) if keepdim else place


def _places(name: str, x: Any, axis: int) -> Any:
    """`argmax` or `argmin` along an axis; of NumPy's arrays, which it copies unless that is the last, in parts."""
    inner = math.prod(x.shape[axis + 1 :])
    if type(x) is not HOST or x.size <= BLOCK or inner == 1 or not x.flags.c_contiguous:
        return getattr(x, name)(axis=axis)
    cubes = x.reshape(-1, x.shape[axis], inner)
    out = np.empty((len(cubes), inner), np.int64)
    width, height = builtins.max(BLOCK // x.shape[axis], 16), builtins.max(BLOCK // (x.shape[axis] * inner), 1)
    for i in range(0, len(cubes), height):
        for j in range(0, inner, width):
            out[i : i + height, j : j + width] = getattr(cubes[i : i + height, :, j : j + width], name)(axis=1)
    return out.reshape(*x.shape[:axis], *x.shape[axis + 1 :])


# --- values and places along a dimension


def picking(name: str, find: Any) -> Any:
    """An operation with two results, the elements that `find` chooses along a dimension and their places.

    find: a function of (array, axis, option) that gives both, with size 1 along the axis. The element that was chosen
    gets the gradient.
    """

    @operation(name, constants=("places",), input=_picked_rule)
    def along(input: Any, dim: int, keepdim: bool, option: Any = None) -> Any:
        axis = normalize_dim(name, dim, input.ndim)
        if input.ndim == 0:
            row = input.reshape(1)
            value, place = (found.reshape(()) for found in find(row, 0, option))
            return keep((value, place), places=place)
        if input.shape[axis] == 0:
            raise DimensionError(f"{name}: dimension {dim} of shape {tuple(input.shape)} has size 0, so it has none")
        values, places = find(input, axis, option)
        if not keepdim:
            shape = (*input.shape[:axis], *input.shape[axis + 1 :])
            values, places = values.reshape(shape), places.reshape(shape)
        values, places = row_major(values), row_major(places)
        return keep((values, places), places=places)

    return along


def _picked_rule(g: Any, input_shape: Any, places: Any, dim: int, keepdim: bool) -> Any:
    if not input_shape:
        return g[0]
    axis = dim % len(input_shape)
    rows, places = (restore(x, input_shape, axis, keepdim) for x in (g[0], places))
    return put_along_dim(rows, places, axis, input_shape)


def _with_place(name: str) -> Any:
    def find(x: Any, axis: int, option: None) -> Any:
        values = extreme(name, x, axis, True)
        return values, _places(f"arg{name}", x, axis % x.ndim).reshape(values.shape)

    return picking(name, find)


_max_along, _min_along = _with_place("max"), _with_place("min")
_Max, _Min = named_result("max", "values", "indices"), named_result("min", "values", "indices")


def _extreme(result: Any, whole: Any, along: Any, between: Any, input: Any, dim: Any, keepdim: bool) -> Any:
    """PyTorch's three meanings of max and min, told apart by what comes second."""
    if isinstance(dim, Tensor | np.ndarray):
        return between(input, dim)
    return whole(input) if dim is None else result(*along(input, dim, keepdim))


@composed
def max(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The largest element; with `dim` (values, indices) along it; with a second tensor the larger of two elements.

    Arguments: input (tensor), dim (integer) or other (tensor), keepdim. Over all elements ties share the gradient
    evenly, along a dimension the first index gets it, between two tensors half each: as PyTorch. Raises DimensionError
    for an empty tensor.

    >>> import tinygrad_dl as tg
    >>> tg.max(tg.tensor([[1.0, 4.0], [3.0, 2.0]]), 1).indices
    tensor([1, 0])
    """
    return _extreme(_Max, _largest, _max_along, maximum, input, dim if other is None else other, keepdim)


@composed
def min(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The smallest element; with `dim` (values, indices) along it; with a second tensor the smaller of two elements.

    Arguments and gradients as for `max`.

    >>> import tinygrad_dl as tg
    >>> tg.min(tg.tensor([[1.0, 4.0], [3.0, 2.0]]))
    tensor(1.)
    """
    return _extreme(_Min, _smallest, _min_along, minimum, input, dim if other is None else other, keepdim)


_Aminmax = named_result("aminmax", "min", "max")


@composed
def aminmax(input: Any, *, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest and the largest element, of all or along `dim`: (min, max).

    Arguments and gradients as for `amin` and `amax`; dim is one integer.

    >>> import tinygrad_dl as tg
    >>> tg.aminmax(tg.tensor([3.0, 1.0, 2.0])).max
    tensor(3.)
    """
    dim = () if dim is None else normalize_dim("aminmax", dim, input.ndim)
    return _Aminmax(amin(input, dim, keepdim), amax(input, dim, keepdim))


# --- methods and NumPy's functions

attach(amax, amin, argmax, argmin, max, min, aminmax)
NUMPY |= {np.max: numpys_reduction(amax), np.min: numpys_reduction(amin)}
NUMPY |= {np.amax: numpys_reduction(amax), np.amin: numpys_reduction(amin)}
NUMPY |= {np.argmax: numpys_reduction(argmax), np.argmin: numpys_reduction(argmin)}
