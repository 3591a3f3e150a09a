"""softmax and its kin; the maximum is subtracted first, so that nothing overflows. Source: notes, section 3, N071."""

from typing import Any

import numpy as np

from .. import backend
from ..backend import HOST, row_major, row_of_ones
from ..dtypes import FLOATING, find
from ..errors import DtypeError
from ..methods import attach
from ..operation import operation
from ..tensor import normalize_dim
from .blocks import BLOCK, block_sums, blockwise, rowwise
from .reduction import cast, restore, sum, total
from .shape import dims_of


def _floating(name: str, x: Any, dtype: Any) -> Any:
    if dtype is not None:
        return x.astype(find(dtype).numpy)
    if x.dtype not in FLOATING:
        raise DtypeError(f"{name}: floating numbers are needed, {x.dtype} came; use input.float()")
    return x


def shifted(x: Any, dim: int) -> Any:
    """x without its maximum along a dimension."""
    if x.ndim == 2 and dim in (-1, 1) and type(x) is HOST and x.shape[0] > 16 and 0 < x.shape[1] <= SHORT_ROW:
        return x - _row_maxima(x)[:, None]
    return x - x.max(axis=dim, keepdims=True) if x.size else x


SHORT_ROW = 256  # up to here NumPy is faster, up to ten times, along columns than along rows


def _row_maxima(x: Any) -> Any:
    """One half of each row against the other until few columns are left, which then become rows."""
    while x.shape[1] > 40:
        half = x.shape[1] // 2
        left, right, odd = x[:, :half], x[:, half : 2 * half], x[:, 2 * half :]
        x = np.maximum(left, right)
        if odd.size:
            np.maximum(x[:, :1], odd, out=x[:, :1])
    return np.maximum.reduce(x.T.copy(), 0)


def exponentials(x: Any, dim: int) -> tuple[Any, Any, Any]:
    """e^x, its sums along a dimension, and x: all without the maximum, unless the sums are moderate as they are."""
    if type(x) is HOST and x.size >= 4096:  # two passes less
        e = np.exp(x)
        sums = _sums(e, dim)
        if sums.min() > 1e-3 and sums.max() < 1e7:  # not with a NaN
            return e, sums, x
    x = shifted(x, dim)
    e = np.exp(x)
    return e, _sums(e, dim), x


def _sums(e: Any, dim: int) -> Any:
    """The sums along a dimension, which is kept; of many rows as a product with ones, up to ten times faster."""
    if e.ndim == 2 and dim in (-1, 1) and e.shape[0] > 16 and 0 < e.shape[1] <= 4096 and e.itemsize > 2:
        return e.dot(row_of_ones(e, e.shape[1]))[:, None]
    return total(e, (dim,), True)


def _exponential(x: Any, largest: Any) -> Any:
    out = x - largest
    return np.exp(out, out) if out.ndim else np.exp(out)


@rowwise
def _softmax(x: Any, dim: int) -> Any:
    e, sums, _ = exponentials(x, dim)
    e /= sums
    return e


@rowwise
def _log_softmax(x: Any, dim: int) -> Any:
    if type(x) is HOST and x.size > BLOCK and x.itemsize > 2:  # of columns: without all exponentials at a time
        sums = block_sums(_exponential, x, backend.zeros(x, (*x.shape[:dim], 1, *x.shape[dim:][1:])), dim, True)
        if sums.min() > 1e-3 and sums.max() < 1e7:  # as in `exponentials`
            return x - np.log(sums)
        out = x - (largest := x.max(axis=dim, keepdims=True))
        out -= np.log(block_sums(_exponential, x, largest, dim, True))
        return out
    _, sums, x = exponentials(x, dim)
    return x - np.log(sums)


@operation(input=rowwise(lambda g, out, dim, input_dtype: cast(out * (g - sum(g * out, dim, True)), input_dtype)))
def softmax(input: Any, dim: int, dtype: Any = None) -> Any:
    """e^input divided by its sum along `dim`: positive numbers that add up to 1. Source: notes, section 3, N071.

    Arguments: input (floating tensor), dim (integer), dtype (to compute in). d input = out · (g - the sum of g · out).
    Raises DtypeError for integers without a dtype.

    >>> import tinygrad_dl as tg
    >>> tg.softmax(tg.tensor([0.0, 0.0]), 0)
    tensor([0.5000, 0.5000])
    """
    dim = normalize_dim("softmax", dim, input.ndim)
    x = row_major(_floating("softmax", input, dtype))
    return _softmax(x, dim) if x.ndim else x * 0 + 1


@blockwise
def _less(g: Any, out: Any, total: Any) -> Any:
    return g - np.exp(out) * total


@operation(input=rowwise(lambda g, out, dim, input_dtype: cast(_less(g, out, sum(g, dim, True)), input_dtype)))
def log_softmax(input: Any, dim: int, dtype: Any = None) -> Any:
    """The logarithm of `softmax`, computed without overflow. Source: notes, section 3, N072.

    Arguments as for `softmax`. d input = g - softmax · the sum of g.

    >>> import tinygrad_dl as tg
    >>> tg.log_softmax(tg.tensor([0.0, 0.0]), 0)
    tensor([-0.6931, -0.6931])
    """
    dim = normalize_dim("log_softmax", dim, input.ndim)
    x = row_major(_floating("log_softmax", input, dtype))
    return _log_softmax(x, dim) if x.ndim else x - x


@blockwise
def _share(x: Any, sums: Any, g: Any) -> Any:
    return np.exp(x - sums) * g


@operation(
    promote="float",
    input=lambda g, input, out, dim, keepdim: _share(
        input, restore(out, input.shape, dim, keepdim), restore(g, input.shape, dim, keepdim)
    ),
)
def logsumexp(input: Any, dim: Any, keepdim: bool = False) -> Any:
    """log of the sum of e^input along `dim`, computed without overflow.

    Arguments: input (tensor; integers in the default dtype), dim (integer or tuple), keepdim. d input = g · softmax.

    >>> import tinygrad_dl as tg
    >>> tg.logsumexp(tg.tensor([1000.0, 1000.0]), 0)
    tensor(1000.6932)
    """
    axis = dims_of("logsumexp", dim, input.ndim)
    if input.size == 0:
        return np.log(total(np.exp(input), axis, keepdim))
    largest = input.max(axis=axis, keepdims=True)
    largest = np.where(np.isfinite(largest), largest, np.zeros_like(largest))  # all -inf must not give NaN
    if input.dtype.itemsize > 2 and len(axis) in (1, input.ndim):
        along = axis[0] if len(axis) < input.ndim else None
        summed = block_sums(_exponential, input, largest, along, True)
    else:
        summed = total(_exponential(input, largest), axis, True)
    with np.errstate(divide="ignore"):
        out = row_major(np.log(summed) + largest)
    return out if keepdim else out.reshape(tuple([n for i, n in enumerate(input.shape) if i not in axis]))


attach(softmax, log_softmax, logsumexp)
