"""Norms of vectors and matrices."""

import math
from typing import Any

import numpy as np

from ..dtypes import find, promote_types
from ..errors import ArgumentError, ArgumentTypeError, DimensionError, DtypeError, ShapeError
from ..operation import operation
from ..promotion import SCALARS
from .composed import composed
from .decompositions import svdvals
from .elementwise import where
from .extremes import amax, amin
from .matrices import require_matrix
from .reduction import cast, restore, total
from .reduction import sum as sum_
from .shape import dims_of, permute, reshape, squeeze
from .softmax import SHORT_ROW


def _vector_norm_rule(g: Any, input: Any, input_dtype: Any, out: Any, ord: Any, dim: Any, keepdim: bool) -> Any:
    """The derivative where there is one; 0 where the norm is 0, as in PyTorch."""
    if ord == 0:
        return None  # counts
    g, out = restore(g, input.shape, dim, keepdim), restore(out, input.shape, dim, keepdim)
    if ord == 2:
        return input * where(out == 0, 0.0, g / out)
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
    return norm_of(wide, ord, axis, keepdim).astype(input.dtype)


def norm_of(x: Any, ord: Any, axis: Any, keepdim: bool) -> Any:
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
    """The sum of the squares; of what lies in rows in memory as products of the rows, without a copy."""
    if x.flags.c_contiguous and axis is None:
        flat = x.reshape(-1)
        out = flat.dot(flat)
        return out.reshape((1,) * x.ndim) if keepdim else out
    if x.flags.c_contiguous and axis == (x.ndim - 1,) and x.shape[-1] >= SHORT_ROW:
        out = np.matmul(x[..., None, :], x[..., None])
        return out[..., 0] if keepdim else out[..., 0, 0]
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


# --- matrices

ORDERS = ("fro", "nuc", math.inf, -math.inf, 1, -1, 2, -2)


def _extreme(sizes: Any, ord: Any, dim: int) -> Any:
    """The largest or smallest along a dimension, which stays; of none the largest is 0."""
    if ord < 0:
        return amin(sizes, dim, True)
    return amax(sizes, dim, True) if sizes.shape[dim] else sum_(sizes.detach(), dim, True)


@composed
def matrix_norm(A: Any, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None) -> Any:
    """A norm of each matrix.

    Arguments: A (floating tensor), ord: "fro" (the root of the sum of squares), "nuc" (the sum of the singular values),
    2 or -2 (the largest or smallest singular value), 1 or -1 (the largest or smallest sum of |x| of a column), inf or
    -inf (of a row); dim (the two dimensions of the matrices), keepdim, dtype (to compute in). Raises ArgumentError for
    another ord, ShapeError, DtypeError.

    >>> import tinygrad_dl as tg
    >>> A = tg.tensor([[3.0, 0.0], [0.0, 4.0]])
    >>> tg.linalg.matrix_norm(A), tg.linalg.matrix_norm(A, "nuc"), tg.linalg.matrix_norm(A, 2)
    (tensor(5.), tensor(7.), tensor(4.))
    """
    if ord not in ORDERS:
        raise (ArgumentTypeError if ord is None else ArgumentError)(
            f"matrix_norm: ord is one of {', '.join(map(repr, ORDERS))}, not {ord!r}"
        )
    if A.ndim < 2:
        raise ShapeError(f"matrix_norm: a matrix has at least 2 dimensions, shape {tuple(A.shape)} came")
    if not isinstance(dim, tuple | list):
        raise ArgumentTypeError(f"matrix_norm: dim must be two dimensions, {dim!r} came")
    if len(dim) != 2:
        raise ArgumentError(f"matrix_norm: dim must be two dimensions, {dim!r} came")
    A = _in_dtype("matrix_norm", A, dtype)
    rows, columns = dims_of("matrix_norm", dim, A.ndim)
    if ord == "fro":
        return _vector_norm(A, 2, (rows, columns), keepdim)
    if ord in (1, -1, math.inf, -math.inf):
        summed, extreme = (rows, columns) if abs(ord) == 1 else (columns, rows)
        sums = _vector_norm(A, 1, summed, True)
        out = _extreme(sums, ord, extreme)
        return out if keepdim else squeeze(out, (rows, columns))
    require_matrix("matrix_norm", A)
    others = [i for i in range(A.ndim) if i not in (rows, columns)]
    S = svdvals(A if columns == rows + 1 == A.ndim - 1 else permute(A, (*others, rows, columns)))
    out = sum_(S, -1) if ord == "nuc" else squeeze(_extreme(S, ord, -1), -1)
    return reshape(out, tuple([1 if i in (rows, columns) else n for i, n in enumerate(A.shape)])) if keepdim else out


@composed
def norm(A: Any, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The norm of vectors or of matrices, by `dim` and `ord`.

    With one dimension, and for a 1-d tensor, `vector_norm`; with two dimensions, and for a matrix, `matrix_norm`;
    without ord the root of the sum of squares. Arguments: A (floating tensor), ord, dim (integer or two), keepdim,
    dtype. Raises ShapeError for other numbers of dimensions.

    >>> import tinygrad_dl as tg
    >>> A = tg.tensor([[3.0, 0.0], [0.0, 4.0]])
    >>> tg.linalg.norm(A), tg.linalg.norm(A, 1), tg.linalg.norm(A, 1, dim=0)
    (tensor(5.), tensor(4.), tensor([3., 4.]))
    """
    if dim is not None:
        dims = tuple(dim) if isinstance(dim, tuple | list) else (dim,)
        if len(dims) not in (1, 2):
            raise ShapeError(f"norm: dim must be one dimension or two, {dim!r} came; vector_norm takes more")
    elif ord is None:
        return vector_norm(A, 2, None, keepdim, dtype=dtype)
    elif A.ndim not in (1, 2):
        raise ShapeError(f"norm: with ord and without dim a vector or matrix is needed, shape {tuple(A.shape)} came")
    else:
        dims = tuple(range(A.ndim))
    if len(dims) == 2 and ord is not None:
        return matrix_norm(A, ord, dims, keepdim, dtype=dtype)
    if isinstance(ord, str):
        raise ShapeError(f"norm: the {ord!r} norm is one of matrices, with two dimensions; dim {dim!r} came")
    return vector_norm(A, 2 if ord is None else ord, dims, keepdim, dtype=dtype)
