"""Reductions: sums, means, variances and their kin over some or all dimensions. Source: notes, section 1.12."""

import builtins
import math
from typing import Any

import numpy as np

from ..backend import HOST, row_major, row_of_ones
from ..dtypes import FLOATING, find
from ..errors import ArgumentTypeError, DtypeError, ShapeError
from ..methods import attach
from ..operation import operation
from ..tensor import NUMPY, Tensor
from .accumulate import LONG, is_long, long_sums
from .blocks import block_sums, blockwise
from .composed import composed
from .elementwise import where
from .shape import dims_of, expand, reshape, sizes_of, sum_to

_largest: Any = np.maximum.reduce
_add: Any = np.add.reduce  # by position it takes half the time of `sum`: (x, axis, dtype, out, keepdims)

# --- dimensions


def axis_of(input: Any, dim: Any) -> Any:
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
    return row_major(total(input, axis_of(input, dim), keepdim, dtype))


def total(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
    """The sum of an array: float16 in float32, small integers in int64, as PyTorch."""
    wanted = None if dtype is None else find(dtype).numpy
    if wanted is None and x.dtype in _SUMMED_AS_THEY_ARE:
        if x.size >= LONG and is_long(x, axis):
            return long_sums(x, axis, keepdims)
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
        if extra == 1 and type(g) is HOST and g.ndim == 2 and g.shape[0] <= 4096 and g.dtype in _SUMMED_AS_THEY_ARE:
            return row_of_ones(g, g.shape[0]).dot(g)  # in half the time
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
        return row_major((total(input, axis_of(input, dim), keepdim, np.float32) / n).astype(result))
    return row_major(total(input, axis_of(input, dim), keepdim, dtype) / n)


# --- spread


def _var_rule(g: Any, input: Any, dim: Any, correction: Any, keepdim: bool) -> Any:
    n = _count(input.shape, dim)
    if (dim is None or not input.ndim) and n <= correction:  # as PyTorch has it
        g = restore(g, input.shape, dim, keepdim)
        return where(input == mean(input, dim, True), g * math.nan, g * math.inf)
    factor = 2 / (n - correction) if n != correction else math.inf
    return _away(input, mean(input, dim, True), restore(g, input.shape, dim, keepdim) * factor)


@blockwise
def _away(x: Any, center: Any, factor: Any) -> Any:
    return (x - center) * factor


def _std_rule(g: Any, input: Any, out: Any, dim: Any, correction: Any, keepdim: bool) -> Any:
    through_root = where(out == 0, 0.0, g / (2 * out))  # a constant has subgradient 0, as in PyTorch
    return _var_rule(through_root, input, dim, correction, keepdim)


def _variance(name: str, x: Any, dim: Any, correction: Any, keepdim: bool) -> tuple[Any, Any]:
    """The variance of an array, and its mean with the dimensions kept; float16 in float32."""
    if x.dtype.kind != "f":
        raise DtypeError(f"{name}: floating numbers are needed, {x.dtype} came; use input.float()")
    axis = axis_of(x, dim)
    wide = x.astype(np.float32) if x.dtype == np.float16 else x
    center = _add(wide, axis, None, None, True)
    n = x.size // center.size if center.size else _count(x.shape, dim)
    center = center / (n or math.nan)
    squares = row_major(block_sums(_squared_distance, wide, center, axis, keepdim))
    return squares / builtins.max(n - correction, 0), center


def _squared_distance(x: Any, center: Any) -> Any:
    distance = x - center
    distance *= distance
    return distance


@operation(input=_var_rule)
def _var(input: Any, dim: Any, correction: Any, keepdim: bool) -> Any:
    out = _variance("var", input, dim, correction, keepdim)[0]
    return out if out.dtype == input.dtype else out.astype(input.dtype)


@operation(input=_std_rule)
def _std(input: Any, dim: Any, correction: Any, keepdim: bool) -> Any:
    out = np.sqrt(_variance("std", input, dim, correction, keepdim)[0])
    return out if out.dtype == input.dtype else out.astype(input.dtype)


def _var_mean_rule(g: Any, input: Any, dim: Any, correction: Any, keepdim: bool) -> Any:
    to_mean = spread(g[1] / _count(input.shape, dim), input.shape, dim, keepdim)
    return _var_rule(g[0], input, dim, correction, keepdim) + to_mean


@operation("var_mean", input=_var_mean_rule)
def var_and_mean(input: Any, dim: Any, correction: Any, keepdim: bool) -> Any:
    """The variance and the mean together."""
    variance, center = _variance("var_mean", input, dim, correction, keepdim)
    if not keepdim:
        center = center.reshape(variance.shape)
    center = row_major(center)
    return (
        (variance, center)
        if variance.dtype == input.dtype
        else tuple(x.astype(input.dtype) for x in (variance, center))
    )


@operation("sqrt", input=lambda g, out: where(out == 0, 0.0, g / (2 * out)))
def deviation(input: Any) -> Any:
    """The square root of a variance; its subgradient at 0 is 0."""
    return np.sqrt(input)


def correction_of(name: str, dim: Any, unbiased: Any, correction: Any) -> tuple[Any, Any]:
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
    0), keepdim, correction (number). When n <= correction it is infinite, or NaN of equal elements. Source: notes,
    section 4.1.

    >>> import tinygrad_dl as tg
    >>> tg.var(tg.tensor([1.0, 2.0, 3.0]))
    tensor(1.)
    """
    dim, correction = correction_of("var", dim, unbiased, correction)
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
    dim, correction = correction_of("std", dim, unbiased, correction)
    return _std(input, dim, correction, keepdim)


# --- truth


def _truth(name: str, x: Any, dim: Any, keepdim: bool) -> Any:
    out = getattr(x, name)(
        axis=dims_of(name, dim, x.ndim, empty_is_all=False) if dim is not None else None, keepdims=keepdim
    )
    out = row_major(out)
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


def _sum_to_size(self: Tensor, *size: Any) -> Any:
    """Summed over the dimensions along which a tensor of `size` would be repeated; itself if it has that size."""
    wanted = sizes_of("sum_to_size", size)
    extra = self.ndim - len(wanted)
    if extra < 0 or builtins.any(n not in (1, self.shape[extra + i]) for i, n in enumerate(wanted)):
        raise ShapeError(f"sum_to_size: {wanted} can't be expanded to {tuple(self.shape)}, so nothing sums to it")
    if wanted == self.shape:
        return self
    return sum_to(self if self.array.dtype in FLOATING else cast(self, np.dtype(np.int64)), wanted)


attach(sum, mean, var, std, any, all, sum_to_size=_sum_to_size)


# NumPy's functions take what they share with ours in another order.


def _refuse_out(reduction: Any, out: Any) -> None:
    if out is not None:
        raise ArgumentTypeError(
            f"numpy.{reduction.__name__}: out can't take a tensor's result; assign the result instead"
        )


def numpys_reduction(reduction: Any) -> Any:
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
NUMPY |= {np.any: numpys_reduction(any), np.all: numpys_reduction(all)}
