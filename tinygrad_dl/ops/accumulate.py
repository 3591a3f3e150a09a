"""Long sums, products and running results of NumPy's arrays, where NumPy's own loops take their elements one by one.

Sums of rows are products with a row of ones; products and running results go over many rows of a block at once.
Running results of floating numbers are computed in float64, as PyTorch does.
"""

import math
from typing import Any

import numpy as np

from .. import backend
from ..backend import HOST

LONG = 1 << 15  # elements: what is shorter takes NumPy's own loops less time
_WIDE, _ROW, _GROUP, _BLOCK, _SHORT, _NARROW, _FEW = np.dtype(np.float64), 4096, 8, 1 << 16, 64, 64, 16


def is_long(x: Any, axis: Any) -> bool:
    """Whether an array lies in long rows along `axis` (None: as one row), so that there is something to gain."""
    if x.size < LONG or type(x) is not HOST or not x.flags.c_contiguous:
        return False
    return axis is None or (axis in (-1, x.ndim - 1) and x.shape[-1] >= _SHORT)


def long_sums(x: Any, axis: Any, keepdims: bool) -> Any:
    """The sums of the rows of an array of float32 or float64; in parts of 4096, so that little is lost to rounding."""
    rows = x.reshape(-1, x.size if axis is None else x.shape[-1])
    n = rows.shape[1]
    width = min(n, _ROW)
    whole = n - n % width
    parts = np.matmul(rows[:, :whole].reshape(rows.shape[0], -1, width), backend.row_of_ones(x, width))
    sums = np.add.reduce(parts, 1) if whole == n else np.add.reduce(parts, 1) + np.add.reduce(rows[:, whole:], 1)
    return sums.reshape(_reduced_shape(x, axis, keepdims))


def long_products(x: Any, axis: Any, keepdims: bool) -> Any:
    """The products of the rows of an array: of parts of a row element by element, then of what is left."""
    rows = x.reshape(-1, x.size if axis is None else x.shape[-1])
    n = rows.shape[1]
    width = min(_ROW, n // 16)
    whole = n - n % width
    parts: Any = np.multiply.reduce(rows[:, :whole].reshape(rows.shape[0], -1, width), 1)
    products = np.multiply.reduce(parts, 1) * np.multiply.reduce(rows[:, whole:], 1)
    return products.reshape(_reduced_shape(x, axis, keepdims))


def _reduced_shape(x: Any, axis: Any, keepdims: bool) -> tuple[int, ...]:
    if axis is None:
        return (1,) * x.ndim if keepdims else ()
    return (*x.shape[:-1], 1) if keepdims else x.shape[:-1]


def accumulated(ufunc: Any, x: Any, dim: int, reverse: bool) -> Any:
    """The running sum or product along a dimension, from the front or from the end; of integers and bools in int64."""
    floating = x.dtype.kind == "f"
    if not x.ndim:
        return x.copy() if floating else x.astype(np.int64)
    precise = x.dtype.itemsize > 2 and x.shape[dim] <= _FEW  # no need for float64
    if not reverse and (precise or not floating):
        return ufunc.accumulate(x, dim, None if floating else np.int64)
    order = (slice(None),) * dim + (slice(None, None, -1 if reverse else 1),)
    out = backend.array_module(x).empty(x.shape, x.dtype if floating else np.int64)
    if precise or not floating or x.size < LONG or type(x) is not HOST or not x.flags.c_contiguous:
        ufunc.accumulate(x[order], dim, None if precise and floating else _WIDE if floating else np.int64, out[order])
        return out
    inner = math.prod(x.shape[dim + 1 :])
    back = slice(None, None, -1) if reverse else slice(None)
    if inner == 1:
        shape: tuple[int, ...] = (-1, x.shape[dim])
        _rows(ufunc, x.reshape(shape)[:, back], out.reshape(shape)[:, back])
    elif inner < _NARROW:
        ufunc.accumulate(x[order], dim, _WIDE, out[order])
    else:
        shape = (-1, x.shape[dim], inner)
        for columns, results in zip(x.reshape(shape), out.reshape(shape)):
            _columns(ufunc, columns[back], results[back])
    return out


def _rows(ufunc: Any, x: Any, out: Any) -> None:
    """Running results along rows, some rows or a part of one at a time."""
    height, width = max(1, _BLOCK // x.shape[1]), min(x.shape[1], _BLOCK)
    for i in range(0, x.shape[0], height):
        start: Any = ufunc.identity
        for j in range(0, x.shape[1], width):
            part = (slice(i, i + height), slice(j, j + width))
            start = _block(ufunc, x[part], out[part], start)


def _block(ufunc: Any, x: Any, out: Any, start: Any) -> Any:
    """Running results in groups of eight elements, then of the groups; gives what the next block starts with."""
    rows, whole = x.shape[0], x.shape[1] - x.shape[1] % _GROUP
    groups = np.empty((rows, whole // _GROUP, _GROUP))
    groups[...] = x[:, :whole].reshape(groups.shape)
    for i in range(1, _GROUP):
        ufunc(groups[..., i - 1], groups[..., i], groups[..., i])
    starts = np.empty((rows, whole // _GROUP + 1))
    starts[:, 0], starts[:, 1:] = start, groups[..., -1]
    ufunc.accumulate(starts, 1, None, starts)
    ufunc(groups, starts[:, :-1, None], groups)
    out[:, :whole] = groups.reshape(rows, whole)
    rest = np.empty((rows, x.shape[1] - whole + 1))
    rest[:, 0], rest[:, 1:] = starts[:, -1], x[:, whole:]
    ufunc.accumulate(rest, 1, None, rest)
    out[:, whole:] = rest[:, 1:]
    return rest[:, -1]


def _columns(ufunc: Any, x: Any, out: Any) -> None:
    """Running results down columns, one row after the other."""
    so_far = x[0].astype(_WIDE)
    out[0] = so_far
    for row, result in zip(x[1:], out[1:]):
        ufunc(so_far, row, so_far)
        result[...] = so_far
