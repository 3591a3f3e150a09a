"""Joining tensors and taking them apart. Parts are views."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from .. import backend
from ..dtypes import result_type
from ..errors import ArgumentError, ArgumentTypeError, DimensionError, DtypeError, ShapeError
from ..methods import attach
from ..operation import operation, to
from ..promotion import as_operand
from ..tensor import NUMPY, Tensor, normalize_dim
from .broadcasting import atleast_1d, atleast_2d, atleast_3d
from .composed import composed
from .shape import clone, reshape, sizes_of

# --- joining


@operation(
    listed="tensors", tensors=lambda g, tensors_shape, dim: split(g, [shape[dim] for shape in tensors_shape], dim)
)
def _cat(tensors: Any, dim: int) -> Any:
    return backend.row_major(np.concatenate(tensors, dim))  # NumPy keeps an order that all inputs have


@composed
def cat(tensors: Any, dim: int = 0) -> Any:
    """Tensors joined along a dimension that they have.

    Arguments: tensors (sequence; shapes agree but for `dim`; mixed dtypes are promoted; 1-d empty tensors fit all),
    dim (integer). Each gets its part of the gradient. Raises ArgumentError for none, ShapeError for shapes that differ.

    >>> import tinygrad_dl as tg
    >>> tg.cat([tg.zeros(2), tg.ones(1)])
    tensor([0., 0., 1.])
    """
    members = _members("cat", tensors)
    if any(member.ndim == 0 for member in members):
        raise ShapeError("cat: a 0-d tensor can't be joined; use stack")
    first = next((tuple(member.shape) for member in members if member.shape != (0,)), (0,))
    dim = normalize_dim("cat", dim, len(first))
    before, after = first[:dim], first[dim + 1 :]
    members = [reshape(m, (*before, 0, *after)) if m.shape == (0,) != first else m for m in members]
    for i, member in enumerate(members):
        shape = tuple(member.shape)
        if len(shape) != len(first) or (shape[:dim], shape[dim + 1 :]) != (before, after):
            raise ShapeError(
                f"cat: tensor {i} of shape {shape} does not fit {first}: all sizes but dimension {dim} must agree"
            )
    return _cat(members, dim)


@operation("stack", listed="tensors", tensors=lambda g, dim: _unbind(g, dim))
def _stack(tensors: Any, dim: int) -> Any:
    shape = tensors[0].shape
    shape = (*shape[:dim], 1, *shape[dim:])
    return backend.row_major(np.concatenate([part.reshape(shape) for part in tensors], dim))


@composed
def stack(tensors: Any, dim: int = 0) -> Any:
    """Tensors of one shape joined along a new dimension.

    Arguments: tensors (sequence of one shape), dim (integer). Raises ArgumentError for none, ShapeError for shapes that
    differ.

    >>> import tinygrad_dl as tg
    >>> tg.stack([tg.zeros(2), tg.ones(2)])
    tensor([[0., 0.],
            [1., 1.]])
    """
    members = _members("stack", tensors)
    shapes = [tuple(member.shape) for member in members]
    if len(set(shapes)) > 1:
        raise ShapeError(f"stack: all tensors must have one shape, {', '.join(map(str, shapes))} came")
    place = normalize_dim("stack", dim, len(shapes[0]) + 1)
    return _stack(members, place)


def _of_at_least(name: str, tensors: Any, dimensions: Any) -> list[Any]:
    """The tensors of a list, each with the dimensions that it lacks."""
    return [dimensions(member) for member in _members(name, tensors)]


@composed
def hstack(tensors: Any) -> Any:
    """Tensors joined side by side: along dimension 1, those of one dimension along that.

    Arguments: tensors (sequence; 0-d ones count as one element). Raises as `cat`.

    >>> import tinygrad_dl as tg
    >>> tg.hstack([tg.zeros(2), tg.ones(1)])
    tensor([0., 0., 1.])
    """
    members = _of_at_least("hstack", tensors, atleast_1d)
    return cat(members, 0 if members[0].ndim == 1 else 1)


@composed
def vstack(tensors: Any) -> Any:
    """Tensors joined one below the other, along dimension 0; those of one dimension are rows.

    Arguments: tensors (sequence). Raises as `cat`.

    >>> import tinygrad_dl as tg
    >>> tg.vstack([tg.zeros(2), tg.ones(2)])
    tensor([[0., 0.],
            [1., 1.]])
    """
    return cat(_of_at_least("vstack", tensors, atleast_2d), 0)


@composed
def dstack(tensors: Any) -> Any:
    """Tensors joined behind each other, along dimension 2.

    Arguments: tensors (sequence; of shape (n,) they count as (1, n, 1), (n, m) as (n, m, 1)). Raises as `cat`.

    >>> import tinygrad_dl as tg
    >>> tg.dstack([tg.zeros(2), tg.ones(2)]).shape
    tinygrad_dl.Size([1, 2, 2])
    """
    return cat(_of_at_least("dstack", tensors, atleast_3d), 2)


@composed
def column_stack(tensors: Any) -> Any:
    """Tensors joined side by side; those of one dimension are columns.

    Arguments: tensors (sequence). Raises as `cat`.

    >>> import tinygrad_dl as tg
    >>> tg.column_stack([tg.zeros(2), tg.ones(2)])
    tensor([[0., 1.],
            [0., 1.]])
    """
    members = _of_at_least("column_stack", tensors, lambda x: reshape(x, (x.numel(), 1)) if x.ndim < 2 else x)
    return cat(members, 1)


concat = concatenate = cat
row_stack = vstack


def _members(name: str, tensors: Any) -> list[Any]:
    """The tensors of a list in their common dtype."""
    if isinstance(tensors, Tensor) or not isinstance(tensors, Sequence):
        raise ArgumentTypeError(f"{name}: tensors must be a list or tuple of Tensors, {type(tensors).__name__} came")
    members = list(tensors)
    if not members:
        raise ArgumentError(f"{name}: the list of tensors is empty")
    for i, member in enumerate(members):
        if not isinstance(member, Tensor):
            raise ArgumentTypeError(
                f"{name}: element {i} must be a Tensor, {type(member).__name__} came; convert it with "
                "tinygrad_dl.tensor(...)"
            )
    target = result_type([member.array for member in members])
    return [member if member.array.dtype is target else to(member, target, None) for member in members]


# --- taking apart


@operation(views=True, input=lambda g, dim: _cat(_wanted(g), dim))
def _split(input: Any, sizes: Any, dim: int) -> Any:
    parts, start = [], 0
    before = (slice(None),) * dim
    for size in sizes:
        parts.append(input[(*before, slice(start, start + size))])
        start += size
    return tuple(parts)


def _wanted(parts: Any) -> list[Any]:
    """The parts of a gradient of several outputs as a list of tensors."""
    return list(parts)


@composed
def split(tensor: Any, split_size_or_sections: Any, dim: int = 0) -> Any:
    """Taken apart along a dimension, into parts of one size (the last may be smaller) or of the sizes given; views.

    Arguments: tensor, split_size_or_sections (integer or sizes that add up), dim. Returns a tuple of tensors. Raises
    ShapeError for sizes that don't fit.

    >>> import tinygrad_dl as tg
    >>> [part.tolist() for part in tg.split(tg.arange(5), 2)]
    [[0, 1], [2, 3], [4]]
    """
    if tensor.ndim == 0:
        raise ShapeError("split: a 0-d tensor can't be taken apart")
    dim = normalize_dim("split", dim, tensor.ndim)
    n, given = tensor.shape[dim], split_size_or_sections
    if isinstance(given, int | np.integer):
        if given < 0 or (given == 0 and n):
            raise ShapeError(
                f"split: split_size {given} does not fit dimension {dim} of size {n}; a positive size would work"
            )
        sizes = [min(given, n - start) for start in range(0, n, given)] if n else [0]
    else:
        sizes = list(sizes_of("split", (given,)))
        if sum(sizes) != n or any(size < 0 for size in sizes):
            raise ShapeError(f"split: the sizes {sizes} add up to {sum(sizes)}, dimension {dim} has {n}")
    return _split(tensor, sizes, dim)


@composed
def split_with_sizes(input: Any, split_sizes: Any, dim: int = 0) -> Any:
    """Taken apart along a dimension into parts of the sizes given; views. As `split` with a list.

    >>> import tinygrad_dl as tg
    >>> [part.tolist() for part in tg.split_with_sizes(tg.arange(4), [1, 3])]
    [[0], [1, 2, 3]]
    """
    return split(input, sizes_of("split_with_sizes", (split_sizes,)), dim)


@composed
def chunk(input: Any, chunks: int, dim: int = 0) -> Any:
    """Taken apart along a dimension into at most `chunks` parts of one size, the last may be smaller; views.

    Arguments: input (tensor), chunks (positive integer), dim. Returns a tuple of tensors. Raises ArgumentError for
    chunks below 1, ShapeError for a 0-d tensor.

    >>> import tinygrad_dl as tg
    >>> [part.tolist() for part in tg.chunk(tg.arange(5), 2)]
    [[0, 1, 2], [3, 4]]
    """
    if input.ndim == 0:
        raise ShapeError("chunk: a 0-d tensor can't be taken apart")
    (chunks,) = sizes_of("chunk", (chunks,))
    if chunks < 1:
        raise ArgumentError(f"chunk: chunks must be positive, {chunks} came")
    n = input.shape[normalize_dim("chunk", dim, input.ndim)]
    return split(input, -(-n // chunks) if n else [0] * chunks, dim)


@composed
def tensor_split(input: Any, indices_or_sections: Any, dim: int = 0) -> Any:
    """Taken apart along a dimension, into equally many parts (the first ones may be larger by 1) or at indices; views.

    Arguments: input (tensor), indices_or_sections (the number of parts; or the indices at which parts begin, as of
    slices, also as a tensor of int64), dim. Returns a tuple of tensors. Raises ArgumentError for less than 1 part,
    DtypeError for a tensor of another dtype, ShapeError for a 0-d tensor.

    >>> import tinygrad_dl as tg
    >>> [part.tolist() for part in tg.tensor_split(tg.arange(5), 3)]
    [[0, 1], [2, 3], [4]]
    >>> [part.tolist() for part in tg.tensor_split(tg.arange(5), (1, 3))]
    [[0], [1, 2], [3, 4]]
    """
    if input.ndim == 0:
        raise ShapeError("tensor_split: a 0-d tensor can't be taken apart")
    dim = normalize_dim("tensor_split", dim, input.ndim)
    n, given = input.shape[dim], indices_or_sections
    if isinstance(given, Tensor):
        if given.array.dtype != np.int64 or given.ndim > 1:
            raise DtypeError(
                f"tensor_split: indices_or_sections as a tensor must be int64 of at most 1 dimension, {given.dtype} of "
                f"shape {tuple(given.shape)} came; use .long()"
            )
        given = given.tolist()
    if isinstance(given, list | tuple):
        bounds = [0, *sizes_of("tensor_split", (given,)), n]
    else:
        (parts,) = sizes_of("tensor_split", (given,))
        if parts < 1:
            raise ArgumentError(f"tensor_split: the number of parts must be positive, {parts} came")
        size, larger = divmod(n, parts)
        bounds = [i * size + min(i, larger) for i in range(parts + 1)]
    before = (slice(None),) * dim
    return tuple([input[(*before, slice(start, end))] for start, end in pairwise(bounds)])


def _split_along(name: str, input: Any, indices_or_sections: Any, dim: int, least: int) -> Any:
    """`tensor_split` along the dimension that a name stands for; a number of parts must divide its size."""
    if input.ndim < least:
        raise ShapeError(
            f"{name}: a tensor of at least {least} dimension(s) is needed, one of shape {tuple(input.shape)} came"
        )
    given = indices_or_sections.tolist() if isinstance(indices_or_sections, Tensor) else indices_or_sections
    if not isinstance(given, list | tuple):
        (parts,) = sizes_of(name, (given,))
        if parts < 1 or input.shape[dim] % parts:
            raise ShapeError(
                f"{name}: dimension {dim} of size {input.shape[dim]} can't be divided into {parts} equal parts; "
                "tensor_split makes unequal ones"
            )
    return tensor_split(input, given, dim)


@composed
def hsplit(input: Any, indices_or_sections: Any) -> Any:
    """Taken apart side by side: along dimension 1, a tensor of one dimension along that; views.

    Arguments as for `tensor_split`; a number of parts must divide the size. Raises ShapeError otherwise.

    >>> import tinygrad_dl as tg
    >>> [part.tolist() for part in tg.hsplit(tg.arange(4), 2)]
    [[0, 1], [2, 3]]
    """
    return _split_along("hsplit", input, indices_or_sections, int(input.ndim > 1), 1)


@composed
def vsplit(input: Any, indices_or_sections: Any) -> Any:
    """Taken apart one below the other, along dimension 0 of at least 2; views. Arguments as for `hsplit`.

    >>> import tinygrad_dl as tg
    >>> [part.tolist() for part in tg.vsplit(tg.tensor([[1, 2], [3, 4]]), 2)]
    [[[1, 2]], [[3, 4]]]
    """
    return _split_along("vsplit", input, indices_or_sections, 0, 2)


@composed
def dsplit(input: Any, indices_or_sections: Any) -> Any:
    """Taken apart along dimension 2 of at least 3; views. Arguments as for `hsplit`.

    >>> import tinygrad_dl as tg
    >>> [tuple(part.shape) for part in tg.dsplit(tg.zeros(1, 2, 4), 2)]
    [(1, 2, 2), (1, 2, 2)]
    """
    return _split_along("dsplit", input, indices_or_sections, 2, 3)


@operation("unbind", views=True, input=lambda g, dim: _stack(_wanted(g), dim))
def _unbind(input: Any, dim: int) -> Any:
    before = (slice(None),) * dim
    return tuple([input[(*before, i, ...)] for i in range(input.shape[dim])])


@composed
def unbind(input: Any, dim: int = 0) -> Any:
    """The slices along a dimension, without it; views.

    Arguments: input (tensor), dim. Returns a tuple of tensors. Raises DimensionError for a 0-d tensor.

    >>> import tinygrad_dl as tg
    >>> [row.tolist() for row in tg.unbind(tg.tensor([[1, 2], [3, 4]]))]
    [[1, 2], [3, 4]]
    """
    if input.ndim == 0:
        raise DimensionError("unbind: a 0-d tensor has no dimension to take apart; use tensor.item()")
    return _unbind(input, normalize_dim("unbind", dim, input.ndim))


@composed
def narrow(input: Any, dim: int, start: Any, length: int) -> Any:
    """The elements from `start` on, `length` many, along a dimension; a view.

    Arguments: input (tensor), dim, start (integer, also a 0-d tensor; negative from the end), length. Raises
    DimensionError for a start out of range, ShapeError for a length that reaches beyond the end.

    >>> import tinygrad_dl as tg
    >>> tg.narrow(tg.arange(5), 0, 1, 3)
    tensor([1, 2, 3])
    """
    if input.ndim == 0:
        raise ShapeError("narrow: a 0-d tensor has no dimension to narrow")
    dim = normalize_dim("narrow", dim, input.ndim)
    n = input.shape[dim]
    if isinstance(start, Tensor) and (start.ndim or start.array.dtype.kind not in "iu"):
        raise DtypeError(f"narrow: start must be an integer, a tensor of {start.dtype} came; use .long() and .item()")
    start, length = sizes_of("narrow", (start, length))
    if not -n <= start <= n:
        raise DimensionError(f"narrow: start {start} is out of range for dimension {dim} of size {n}")
    first = start + n if start < 0 else start
    if length < 0 or first + length > n:
        raise ShapeError(
            f"narrow: from {start}, dimension {dim} of size {n} has 0 to {n - first} elements, length {length} came"
        )
    return input[(*(slice(None),) * dim, slice(first, first + length))]


@composed
def narrow_copy(input: Any, dim: int, start: Any, length: int) -> Any:
    """As `narrow`, but a copy.

    >>> import tinygrad_dl as tg
    >>> tg.narrow_copy(tg.arange(5), 0, 1, 3)
    tensor([1, 2, 3])
    """
    return clone(narrow(input, dim, start, length))


# --- methods and NumPy's functions


def _numpy_concatenate(arrays: Any, axis: int | None = 0) -> Any:
    members = _tensors("concatenate", arrays)
    return cat([reshape(m, (-1,)) for m in members] if axis is None else members, axis or 0)


def _tensors(name: str, arrays: Any) -> list[Any]:
    """The members of a list in which NumPy's arrays may stand beside tensors."""
    return [as_operand(name, "arrays", array) for array in arrays]


attach(split, split_with_sizes, chunk, tensor_split, hsplit, vsplit, dsplit, unbind, narrow, narrow_copy)
_of_numpy: dict[Any, Any] = {
    np.concatenate: _numpy_concatenate,
    np.stack: lambda arrays, axis=0: stack(_tensors("stack", arrays), axis),
    np.hstack: lambda tup: hstack(_tensors("hstack", tup)),
    np.vstack: lambda tup: vstack(_tensors("vstack", tup)),
    np.dstack: lambda tup: dstack(_tensors("dstack", tup)),
    np.column_stack: lambda tup: column_stack(_tensors("column_stack", tup)),
}
NUMPY.update(_of_numpy)
