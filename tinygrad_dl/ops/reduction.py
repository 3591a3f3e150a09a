"""Reductions: sums, means, extremes and their kin over some or all dimensions. Source: notes, section 1.12."""

import math
from typing import Any

import numpy as np

from ..dtypes import FLOATING, find
from ..errors import ArgumentTypeError, DimensionError, DtypeError, ShapeError
from ..methods import attach
from ..operation import operation
from ..return_types import named_result
from ..tensor import NUMPY, Tensor, normalize_dim
from .composed import composed
from .elementwise import maximum, minimum, where
from .indexing import take_along_dim
from .shape import clone, dims_of, expand, reshape, squeeze, sum_to

_add: Any = np.add.reduce  # by position it takes half the time of `sum`: (x, axis, dtype, out, keepdims)

# --- dimensions


def _axis(input: Any, dim: Any) -> Any:
    """What NumPy takes for `dim`: None for all dimensions. A 0-d tensor has dimensions 0 and -1, as in PyTorch."""
    if dim is None or (input.ndim == 0 and dim in (0, -1, (0,), (-1,))):
        return None
    return (tuple(dim) or None) if isinstance(dim, (tuple, list)) else dim


def spread(g: Any, shape: tuple[int, ...], dim: Any, keepdim: bool) -> Any:
    """Give a reduced array its lost dimensions back and repeat it along them."""
    return expand(restore(g, shape, dim, keepdim), shape)


def restore(g: Any, shape: tuple[int, ...], dim: Any, keepdim: bool) -> Any:
    """Give a reduced array its lost dimensions back with size 1, so that it broadcasts."""
    if keepdim or g.ndim == len(shape):
        return g
    dims = dims_of("restore", dim, len(shape))
    return reshape(g, tuple([1 if i in dims else n for i, n in enumerate(shape)]))


def _count(shape: tuple[int, ...], dim: Any) -> int:
    return math.prod(shape[d] for d in dims_of("mean", dim, len(shape)))


# --- sums


@operation(
    input=lambda g, input_shape, input_dtype, dim, keepdim: cast(spread(g, input_shape, dim, keepdim), input_dtype)
)
def sum(input: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    """The sum over all dimensions or those in `dim`.

    Arguments: input (tensor), dim (integer, tuple or None for all), keepdim (keep them with size 1), dtype (of the
    result; integers and bools are summed as int64). Every element gets the gradient of its sum.

    >>> import tinygrad_dl as tg
    >>> tg.sum(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=1)
    tensor([3., 7.])
    """
    return total(input, _axis(input, dim), keepdim, dtype)


def total(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
    """The sum of an array: float16 in float32, small integers in int64, as PyTorch."""
    wanted = None if dtype is None else find(dtype).numpy
    if wanted is None and x.dtype in _SUMMED_AS_THEY_ARE:
        return _add(x, axis, None, None, keepdims)
    if wanted is None:
        wanted = x.dtype if x.dtype.kind == "f" else np.dtype(np.int64)
    inner = np.dtype(np.float32) if wanted == np.float16 else wanted
    return _add(x, axis, inner, None, keepdims).astype(wanted)


_SUMMED_AS_THEY_ARE = frozenset((np.dtype(np.float32), np.dtype(np.float64)))


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """Sum `g` down to `shape`, the reverse of broadcasting (notes, section 1.9: db = the sum of dZ)."""
    if isinstance(g, Tensor):
        return sum_to(g, shape)
    extra = g.ndim - len(shape)
    if g.shape[extra:] == shape:  # only new dimensions in front
        return total(g, 0 if extra == 1 else tuple(range(extra)))
    axes = tuple([i for i, n in enumerate(g.shape) if i < extra or (n != 1 and shape[i - extra] == 1)])
    try:
        return total(g, axes, True).reshape(shape)
    except ValueError:
        raise ShapeError(
            f"backward: a gradient of shape {tuple(g.shape)} came for a tensor of shape {tuple(shape)}: the tensor got "
            "another array (by .data) after it was used, or the rule of an operation gives a wrong shape"
        ) from None


@operation(input=lambda g, input_dtype: cast(g, input_dtype))
def cast(input: Any, dtype: Any) -> Any:
    """The elements in another dtype (NumPy's); the same array when it has it already."""
    return input if input.dtype == dtype else input.astype(dtype)


@operation(
    input=lambda g, input_shape, input_dtype, dim, keepdim: cast(
        spread(g / _count(input_shape, dim), input_shape, dim, keepdim), input_dtype
    )
)
def mean(input: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    """The mean over all dimensions or those in `dim`: the sum divided by the number of elements.

    Arguments as for `sum`. Raises DtypeError for integers without a floating `dtype`.

    >>> import tinygrad_dl as tg
    >>> tg.mean(tg.tensor([1.0, 2.0, 6.0]))
    tensor(3.)
    """
    result = input.dtype if dtype is None else find(dtype).numpy
    if result not in FLOATING:
        raise DtypeError(
            f"mean: a mean needs floating numbers, {input.dtype} came; use input.float() or dtype=tinygrad_dl.float32"
        )
    n = _count(input.shape, dim) or math.nan
    if result == np.float16:  # the sum would overflow where the mean does not
        return (total(input, _axis(input, dim), keepdim, np.float32) / n).astype(result)
    return total(input, _axis(input, dim), keepdim, dtype) / n


# --- spread


def _var_rule(g: Any, input: Any, dim: Any, correction: Any, keepdim: bool) -> Any:
    n = _count(input.shape, dim)
    factor = 2 / (n - correction) if n > correction else math.nan
    return restore(g, input.shape, dim, keepdim) * ((input - mean(input, dim, True)) * factor)


def _std_rule(g: Any, input: Any, out: Any, dim: Any, correction: Any, keepdim: bool) -> Any:
    through_root = where(out == 0, 0.0, g / (2 * out))  # a constant has subgradient 0, as in PyTorch
    return _var_rule(through_root, input, dim, correction, keepdim)


def _variance(name: str, x: Any, dim: Any, correction: Any, keepdim: bool) -> Any:
    if x.dtype not in FLOATING:
        raise DtypeError(f"{name}: floating numbers are needed, {x.dtype} came; use input.float()")
    axis, n = _axis(x, dim), _count(x.shape, dim)
    wide = x.astype(np.float32) if x.dtype == np.float16 else x
    centred = wide - _add(wide, axis, None, None, True) / (n or math.nan)
    squares = _add(centred * centred, axis, None, None, keepdim)
    return squares / (n - correction) if n > correction else squares * math.nan


@operation(input=_var_rule)
def _var(input: Any, dim: Any, correction: Any, keepdim: bool) -> Any:
    return _variance("var", input, dim, correction, keepdim).astype(input.dtype)


@operation(input=_std_rule)
def _std(input: Any, dim: Any, correction: Any, keepdim: bool) -> Any:
    return np.sqrt(_variance("std", input, dim, correction, keepdim)).astype(input.dtype)


def _correction(name: str, dim: Any, unbiased: Any, correction: Any) -> tuple[Any, Any]:
    """PyTorch's three ways to say it: var(x, False), var(x, dim, unbiased=False), var(x, dim, correction=0)."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if unbiased is not None and correction is not None:
        raise ArgumentTypeError(f"{name}: give either unbiased or correction, not both")
    if correction is None:
        correction = 1 if unbiased is None else int(unbiased)
    return dim, correction


@composed
def var(
    input: Any, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: Any = None
) -> Any:
    """The variance: the squared distances from the mean, summed and divided by n - correction.

    Arguments: input (floating tensor), dim (integer, tuple or None for all), unbiased (correction 1, the default, or
    0), keepdim, correction (number). NaN when n <= correction. Source: notes, section 4.1.

    >>> import tinygrad_dl as tg
    >>> tg.var(tg.tensor([1.0, 2.0, 3.0]))
    tensor(1.)
    """
    dim, correction = _correction("var", dim, unbiased, correction)
    return _var(input, dim, correction, keepdim)


@composed
def std(
    input: Any, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: Any = None
) -> Any:
    """The standard deviation, the square root of `var`; its subgradient where it is 0 is 0.

    Arguments as for `var`.

    >>> import tinygrad_dl as tg
    >>> tg.std(tg.tensor([1.0, 2.0, 3.0]))
    tensor(1.)
    """
    dim, correction = _correction("std", dim, unbiased, correction)
    return _std(input, dim, correction, keepdim)


# --- extremes


def _extreme_rule(g: Any, input: Any, input_dtype: Any, out: Any, dim: Any, keepdim: bool) -> Any:
    """The gradient in equal parts to all elements that reach the extreme."""
    reached = cast(input == restore(out, input.shape, dim, keepdim), input_dtype)
    return restore(g, input.shape, dim, keepdim) * (reached / sum(reached, dim, True))


def evenly_rule(g: Any, input: Any, out: Any) -> Any:
    """The gradient of one element of all, in equal parts to all that are like it; to the NaN where it is one."""
    alike = cast((input == out) | ((input != input) & (out != out)), g.dtype)
    return alike * (g / sum(alike))


def _reduced(name: str, x: Any, dim: Any, keepdim: bool) -> Any:
    if x.size == 0:
        lost = [d for d in dims_of(name, dim, x.ndim) if x.shape[d] == 0]
        if dim is None or lost:
            raise DimensionError(
                f"{name}: an empty tensor (shape {tuple(x.shape)}) has no extreme over dimensions of size 0"
            )
    return getattr(x, name)(axis=_axis(x, dim), keepdims=keepdim)


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
def evenly_largest(input: Any) -> Any:
    return _reduced("max", input, None, False)


@operation("min", input=evenly_rule)
def evenly_smallest(input: Any) -> Any:
    return _reduced("min", input, None, False)


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
    place = getattr(x, name)(axis=axis)
    return place.reshape((*x.shape[:axis], 1, *x.shape[axis + 1 :])) if keepdim else place


def picked(result: Any, input: Any, position: Any, dim: int, keepdim: bool) -> Any:
    """(values, indices): the elements of each row along `dim` at the place that `position(rows, dim)` finds."""
    row = input if input.ndim else reshape(input, (1,))
    indices = position(row, dim)
    values = take_along_dim(row, indices, dim)
    if not (keepdim and input.ndim):
        values, indices = clone(squeeze(values, dim)), clone(squeeze(indices, dim))  # results of their own, no views
    return result(values, indices)


_Max, _Min = named_result("max", "values", "indices"), named_result("min", "values", "indices")


def _extreme(result: Any, whole: Any, position: Any, between: Any, input: Any, dim: Any, keepdim: bool) -> Any:
    """PyTorch's three meanings of max and min, told apart by what comes second."""
    if isinstance(dim, Tensor | np.ndarray):
        return between(input, dim)
    if dim is None:
        return whole(input)
    return picked(result, input, lambda rows, dim: position(rows, dim, True), dim, keepdim)


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
    return _extreme(_Max, evenly_largest, argmax, maximum, input, dim if other is None else other, keepdim)


@composed
def min(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The smallest element; with `dim` (values, indices) along it; with a second tensor the smaller of two elements.

    Arguments and gradients as for `max`.

    >>> import tinygrad_dl as tg
    >>> tg.min(tg.tensor([[1.0, 4.0], [3.0, 2.0]]))
    tensor(1.)
    """
    return _extreme(_Min, evenly_smallest, argmin, minimum, input, dim if other is None else other, keepdim)


# --- truth


def _truth(name: str, x: Any, dim: Any, keepdim: bool) -> Any:
    out = getattr(x, name)(
        axis=dims_of(name, dim, x.ndim, empty_is_all=False) if dim is not None else None, keepdims=keepdim
    )
    return out.astype(np.uint8) if x.dtype == np.uint8 else out


@operation()
def any(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Whether an element is not 0: over all dimensions or those in `dim`.

    >>> import tinygrad_dl as tg
    >>> tg.any(tg.tensor([0.0, 2.0]))
    tensor(True)
    """
    return _truth("any", input, dim, keepdim)


@operation()
def all(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Whether no element is 0: over all dimensions or those in `dim`.

    >>> import tinygrad_dl as tg
    >>> tg.all(tg.tensor([0.0, 2.0]))
    tensor(False)
    """
    return _truth("all", input, dim, keepdim)


# --- methods and NumPy's functions

attach(sum, mean, var, std, amax, amin, argmax, argmin, max, min, any, all)


# NumPy's functions take what they share with ours in another order.


def _refuse_out(reduction: Any, out: Any) -> None:
    if out is not None:
        raise ArgumentTypeError(
            f"numpy.{reduction.__name__}: out can't take a tensor's result; assign the result instead"
        )


def _numpys(reduction: Any) -> Any:
    def numpys(a: Any, axis: Any = None, out: Any = None, keepdims: bool = False) -> Any:
        _refuse_out(reduction, out)
        return reduction(a, axis, keepdims)

    numpys.__qualname__ = reduction.__name__  # what Python's complaints about arguments call it
    return numpys


def _numpys_sum(reduction: Any) -> Any:
    def numpys(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False) -> Any:
        _refuse_out(reduction, out)
        return reduction(a, axis, keepdims, dtype)

    numpys.__qualname__ = reduction.__name__
    return numpys


def _numpys_spread(reduction: Any) -> Any:
    def numpys(
        a: Any,
        axis: Any = None,
        dtype: Any = None,
        out: Any = None,
        ddof: Any = 0,
        keepdims: bool = False,
        **named: Any,
    ) -> Any:
        _refuse_out(reduction, out)
        values = a if dtype is None else cast(a, find(dtype).numpy)
        return reduction(values, axis, keepdim=keepdims, **({"correction": ddof} | named))

    numpys.__qualname__ = reduction.__name__
    return numpys


NUMPY |= {
    np.sum: _numpys_sum(sum),
    np.mean: _numpys_sum(mean),
    np.var: _numpys_spread(var),
    np.std: _numpys_spread(std),
}
NUMPY |= {np.max: _numpys(amax), np.min: _numpys(amin), np.amax: _numpys(amax), np.amin: _numpys(amin)}
NUMPY |= {np.any: _numpys(any), np.all: _numpys(all), np.argmax: _numpys(argmax), np.argmin: _numpys(argmin)}
