"""Diagonals and triangles of matrices and of stacks of them."""

from typing import Any

import numpy as np

from .. import backend
from ..errors import ArgumentTypeError, DimensionError, DtypeError, ShapeError
from ..explain import describe
from ..methods import attach
from ..operation import operation
from ..tensor import NUMPY, Tensor, normalize_dim
from .composed import composed
from .editing import attach_in_place
from .reduction import sum as _sum
from .reduction import total
from .shape import clone, expand, reshape, sizes_of

# --- diagonals


@operation(
    "diagonal",
    views=True,
    input=lambda g, offset, dim1, dim2, input_shape: _diag_embed(g, offset, dim1, dim2, input_shape),
)
def _diagonal(input: Any, offset: int, dim1: int, dim2: int) -> Any:
    return backend.diagonal(input, offset, dim1, dim2)


@operation("diag_embed", input=lambda g, offset, dim1, dim2: _diagonal(g, offset, dim1, dim2))
def _diag_embed(input: Any, offset: int, dim1: int, dim2: int, shape: Any) -> Any:
    """Zeros of `shape` with `input` as the diagonals of two dimensions."""
    out = backend.zeros(input, tuple(shape))
    backend.diagonal(out, offset, dim1, dim2)[...] = input
    return out


def _plane(name: str, dim1: int, dim2: int, ndim: int) -> tuple[int, int]:
    first, second = normalize_dim(name, dim1, ndim), normalize_dim(name, dim2, ndim)
    if first == second:
        raise ShapeError(f"{name}: the two dimensions of a diagonal must differ, {dim1} and {dim2} came")
    return first, second


@composed
def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """The diagonal of two dimensions, as a new last dimension in their place; a view.

    Arguments: input (tensor), offset (how far above the main diagonal; negative: below), dim1, dim2. Raises
    DimensionError for less than 2 dimensions, ShapeError when both are one.

    >>> import tinygrad_dl as tg
    >>> tg.diagonal(tg.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    first, second = _plane("diagonal", dim1, dim2, input.ndim)
    return _diagonal(input, sizes_of("diagonal", (offset,))[0], first, second)


@composed
def diag_embed(input: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """Matrices of zeros with the last dimension of the input as their diagonals.

    Arguments: input (tensor), offset (how far above the main diagonal; negative: below), dim1, dim2 (the dimensions of
    the result that hold the matrices). Raises ShapeError when both are one.

    >>> import tinygrad_dl as tg
    >>> tg.diag_embed(tg.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    if input.ndim == 0:
        raise DimensionError("diag_embed: a 0-d tensor is no diagonal; use diagflat, or reshape(1)")
    first, second = _plane("diag_embed", dim1, dim2, input.ndim + 1)
    (offset,) = sizes_of("diag_embed", (offset,))
    size = input.shape[-1] + abs(offset)
    shape = list(input.shape[:-1])
    for place in sorted((first, second)):
        shape.insert(place, size)
    return _diag_embed(input, offset, first, second, tuple(shape))


@composed
def diag(input: Any, diagonal: int = 0) -> Any:
    """The matrix with a vector as its diagonal, or a copy of the diagonal of a matrix.

    Arguments: input (tensor of 1 or 2 dimensions), diagonal (how far above the main one; negative: below). Raises
    ShapeError for other dimensions.

    >>> import tinygrad_dl as tg
    >>> tg.diag(tg.tensor([1, 2]), 1)
    tensor([[0, 1, 0],
            [0, 0, 2],
            [0, 0, 0]])
    >>> tg.diag(tg.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    if input.ndim not in (1, 2):
        raise ShapeError(
            f"diag: a vector or a matrix is needed, shape {tuple(input.shape)} came; use diagonal or diag_embed"
        )
    return diag_embed(input, diagonal) if input.ndim == 1 else clone(_diagonal(input, diagonal, 0, 1))


@composed
def diagflat(input: Any, offset: int = 0) -> Any:
    """The matrix with all elements of a tensor as its diagonal.

    Arguments: input (tensor), offset (how far above the main diagonal; negative: below).

    >>> import tinygrad_dl as tg
    >>> tg.diagflat(tg.tensor([[1], [2]]))
    tensor([[1, 0],
            [0, 2]])
    """
    return diag_embed(reshape(input, (-1,)), offset)


def _trace_rule(g: Any, input_shape: Any) -> Any:
    return _diag_embed(expand(reshape(g, (1,)), (min(input_shape),)), 0, 0, 1, input_shape)


@operation(input=_trace_rule)
def trace(input: Any) -> Any:
    """The sum of the main diagonal of a matrix: Σᵢ aᵢᵢ.

    Arguments: input (matrix). Returns a 0-d tensor, int64 of integers. Raises ShapeError for other dimensions,
    DtypeError for bools.

    >>> import tinygrad_dl as tg
    >>> tg.trace(tg.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(5.)
    """
    if input.ndim != 2:
        raise ShapeError(f"trace: a matrix is needed, shape {tuple(input.shape)} came; use diagonal(...).sum(-1)")
    if input.dtype.kind == "b":
        raise DtypeError("trace: bools can't be added up here; convert them first, for example with .long()")
    return total(backend.diagonal(input, 0, 0, 1))


def fill_diagonal_(self: Tensor, fill_value: Any, wrap: bool = False) -> Tensor:
    """Write a number into the main diagonal of a matrix, or of a tensor of equal sizes, in place.

    Arguments: fill_value (number), wrap (begin again below a tall matrix, after an empty row). Raises ShapeError for
    less than 2 dimensions and for unequal sizes of more than 2.

    >>> import tinygrad_dl as tg
    >>> tg.zeros(2, 3).fill_diagonal_(1)
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    shape = tuple(self.shape)
    if len(shape) < 2 or (len(shape) > 2 and len(set(shape)) > 1):
        raise ShapeError(f"fill_diagonal_: a matrix, or more dimensions of one size, are needed, shape {shape} came")
    line = self
    while line.ndim > 1:
        line = diagonal(line, 0, 0, 1) if line.ndim == 2 else diagonal(line, 0, 0, line.ndim - 1)
    line.fill_(fill_value)
    if wrap and len(shape) == 2:
        for start in range(shape[1] + 1, shape[0], shape[1] + 1):
            diagonal(self[start:]).fill_(fill_value)
    return self


# --- triangles


def _below(array: Any, diagonal: int) -> Any:
    """A mask of the last two dimensions: on and below a diagonal."""
    return backend.array_module(array).tri(*array.shape[-2:], diagonal, dtype=bool)


@operation("tril", input=lambda g, diagonal: _tril(g, diagonal))
def _tril(input: Any, diagonal: int) -> Any:
    out = backend.zeros(input, input.shape)
    np.copyto(out, input, where=_below(input, diagonal))
    return out


@operation("triu", input=lambda g, diagonal: _triu(g, diagonal))
def _triu(input: Any, diagonal: int) -> Any:
    out = input.copy()
    np.copyto(out, False, where=_below(input, diagonal - 1))
    return out


def _triangle(name: str, input: Any, diagonal: Any) -> int:
    """The checked number of a triangle's diagonal."""
    if input.ndim < 2:
        raise ShapeError(f"{name}: at least 2 dimensions are needed, shape {tuple(input.shape)} came")
    if not isinstance(diagonal, Tensor):
        return sizes_of(name, (diagonal,))[0]
    if diagonal.ndim or diagonal.array.dtype.kind not in "iu":
        raise ArgumentTypeError(f"{name}: diagonal must be an integer, {describe(diagonal)} came")
    return int(diagonal)


@composed
def tril(input: Any, diagonal: int = 0) -> Any:
    """The lower triangle of each matrix, with zeros above.

    Arguments: input (tensor of at least 2 dimensions, the last two are matrices), diagonal (the last one that stays,
    how far above the main one). Raises ShapeError for less dimensions.

    >>> import tinygrad_dl as tg
    >>> tg.tril(tg.ones(2, 3))
    tensor([[1., 0., 0.],
            [1., 1., 0.]])
    """
    return _tril(input, _triangle("tril", input, diagonal))


@composed
def triu(input: Any, diagonal: int = 0) -> Any:
    """The upper triangle of each matrix, with zeros below. Arguments and errors as for `tril`.

    >>> import tinygrad_dl as tg
    >>> tg.triu(tg.ones(2, 3), 1)
    tensor([[0., 1., 1.],
            [0., 0., 1.]])
    """
    return _triu(input, _triangle("triu", input, diagonal))


attach(diagonal, diag, diag_embed, diagflat, trace, tril, triu, fill_diagonal_)
attach_in_place(tril, triu)
_of_numpy: dict[Any, Any] = {
    np.diagonal: lambda a, offset=0, axis1=0, axis2=1: diagonal(a, offset, axis1, axis2),
    np.diag: lambda v, k=0: diag(v, k),
    np.diagflat: lambda v, k=0: diagflat(v, k),
    np.trace: lambda a, offset=0, axis1=0, axis2=1: _sum(diagonal(a, offset, axis1, axis2), -1),
    np.tril: lambda m, k=0: tril(m, k),
    np.triu: lambda m, k=0: triu(m, k),
}
NUMPY.update(_of_numpy)
