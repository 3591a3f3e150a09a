"""Norms of vectors and matrices."""

import math
from typing import Any

import numpy as np

from ..dtypes import find, promote_types
from ..errors import ArgumentTypeError, DimensionError, DtypeError
from ..operation import operation
from ..promotion import SCALARS
from .composed import composed
from .elementwise import where
from .reduction import cast, restore, total
from .reduction import sum as sum_
from .shape import dims_of


def _vector_norm_rule(g: Any, input: Any, input_dtype: Any, out: Any, ord: Any, dim: Any, keepdim: bool) -> Any:
    """The derivative where there is one; 0 where the norm is 0, as in PyTorch."""
    if ord == 0:
        return None  # counts
    g, out = restore(g, input.shape, dim, keepdim), restore(out, input.shape, dim, keepdim)
    if ord == 2:
        return g * where(out == 0, 0.0, input / out)
    if ord == 1:
        return g * np.sign(input)
    if math.isinf(ord):
        size = np.abs(input)
        reached = cast((size == out) | (size != size), input_dtype)
        return np.sign(input) * (g / sum_(reached, dim, True) * reached)
    if ord < 1:
        return np.sign(input) * where(input == 0, 0.0, np.abs(input) ** (ord - 1)) * g * out ** (1 - ord)
    power = np.sign(input) * np.abs(input) ** (ord - 1) if ord < 2 else input * np.abs(input) ** (ord - 2)
    return power * where(out == 0, 0.0, g / out ** (ord - 1))


@operation("vector_norm", input=_vector_norm_rule)
def _vector_norm(input: Any, ord: Any, dim: Any, keepdim: bool) -> Any:
    dims = dims_of("vector_norm", dim, input.ndim)
    axis = None if len(dims) == input.ndim else dims
    if ord < 0 or math.isinf(ord):
        lost = [d for d in range(input.ndim) if input.shape[d] == 0 and d in dims]
        if lost:
            raise DimensionError(
                f"vector_norm: the {ord} norm of no elements does not exist; dimension {lost[0]} of shape "
                f"{tuple(input.shape)} has size 0"
            )
    wide = input.astype(np.float32) if input.dtype == np.float16 else input
    return _norm_of(wide, ord, axis, keepdim).astype(input.dtype)


def _norm_of(x: Any, ord: Any, axis: Any, keepdim: bool) -> Any:
    """The norm of an array of float32 or float64."""
    if ord == 2:
        return np.sqrt(_squares(x, axis, keepdim))
    if ord == 0:
        return total((x != 0).astype(x.dtype), axis, keepdim)
    size = np.abs(x)
    if ord == 1:
        return total(size, axis, keepdim)
    if math.isinf(ord):
        return size.max(axis=axis, keepdims=keepdim) if ord > 0 else size.min(axis=axis, keepdims=keepdim)
    return np.power(total(size**ord, axis, keepdim), 1 / ord)  # (a scalar of NumPy's has another `**` than arrays)


def _squares(x: Any, axis: Any, keepdim: bool) -> Any:
    """The sum of the squares; of everything that lies in a row in memory as one product, without a copy."""
    if axis is None and x.flags.c_contiguous:
        flat = x.reshape(-1)
        out = flat.dot(flat)
        return out.reshape((1,) * x.ndim) if keepdim else out
    return total(x * x, axis, keepdim)


def _in_dtype(name: str, input: Any, dtype: Any) -> Any:
    """The input in the dtype to compute in, which may be wider than its own."""
    came = find(input.dtype)
    if not came.is_floating_point:
        raise DtypeError(f"{name}: floating numbers are needed, {came} came; use input.float()")
    if dtype is None:
        return input
    wanted = find(dtype)
    if promote_types(came, wanted) is not wanted or not wanted.is_floating_point:
        raise DtypeError(f"{name}: dtype must be floating and not narrower than {came}, {wanted} came")
    return cast(input, wanted.numpy)


@composed
def vector_norm(input: Any, ord: Any = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """(Σ |xᵢ|^ord)^(1/ord) over all dimensions or those in `dim`: the length of a vector for ord 2.

    Arguments: input (floating tensor), ord (number; 0 counts what is not 0, ±inf is the extreme of |xᵢ|), dim (integer,
    tuple or None for all), keepdim, dtype (to compute in). The derivative where the norm is 0 is 0. Raises DtypeError
    for integers, DimensionError for the extreme of no elements.

    >>> import tinygrad_dl as tg
    >>> tg.linalg.vector_norm(tg.tensor([3.0, -4.0]))
    tensor(5.)
    """
    if type(ord) not in SCALARS:
        raise ArgumentTypeError(f"vector_norm: ord must be a number, {ord!r} came; matrix_norm knows 'fro' and 'nuc'")
    return _vector_norm(_in_dtype("vector_norm", input, dtype), ord, dim, keepdim)
