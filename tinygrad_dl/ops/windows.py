"""Windows and other steps in memory as views; copies in which one part is replaced."""

import math
from typing import Any

import numpy as np

from .. import backend
from ..errors import ArgumentError, DimensionError, ShapeError
from ..methods import attach
from ..operation import operation
from ..tensor import Tensor, normalize_dim
from .broadcasting import require_one_device
from .composed import composed
from .diagonals import diagonal
from .indexing import select
from .shape import clone, reshape, sizes_of

# --- windows


@operation(
    "unfold", views=True, input=lambda g, dimension, step, input_shape: _overlap(g, dimension, step, input_shape)
)
def _unfold(input: Any, dimension: int, size: int, step: int) -> Any:
    count, stride = (input.shape[dimension] - size) // step + 1, input.strides[dimension]
    shape, strides = list(input.shape), list(input.strides)
    shape[dimension], strides[dimension] = count, stride * step
    return backend.strided(input, (*shape, size), (*strides, stride), writeable=step >= size)


@operation(
    "unfold_backward", input=lambda g, dimension, step, input_shape: _unfold(g, dimension, input_shape[-1], step)
)
def _overlap(input: Any, dimension: int, step: int, shape: Any) -> Any:
    """Windows added up where they overlap: the reverse of `_unfold`."""
    out = backend.zeros(input, tuple(shape))
    before, reach = (slice(None),) * dimension, (input.shape[dimension] - 1) * step + 1
    for i in range(input.shape[-1]):  # the i-th elements of all windows lie apart
        out[(*before, slice(i, i + reach, step))] += input[..., i]
    return out


@composed
def unfold(input: Any, dimension: int, size: int, step: int) -> Any:
    """All windows of a size along a dimension, each `step` further than the one before; a view.

    Arguments: input (tensor), dimension, size (at most that of the dimension), step (positive). The windows lie in a
    new last dimension. Raises ShapeError for a size that does not fit, ArgumentError for a step below 1.

    >>> import tinygrad_dl as tg
    >>> tg.arange(4).unfold(0, 2, 1)
    tensor([[0, 1],
            [1, 2],
            [2, 3]])
    """
    if input.ndim == 0:
        return unfold(reshape(input, (1,)), dimension, size, step)[0]
    dimension = normalize_dim("unfold", dimension, input.ndim)
    size, step = sizes_of("unfold", (size, step))
    n = input.shape[dimension]
    if not 0 <= size <= n:
        raise ShapeError(
            f"unfold: dimension {dimension} of size {n} has no windows of size {size}; 0 to {n} would work"
        )
    if step < 1:
        raise ArgumentError(f"unfold: step must be positive, {step} came")
    return _unfold(input, dimension, size, step)


# --- any steps in memory


@operation(
    "as_strided", views=True, input=lambda g, stride, start, input_shape: _add_strided(g, stride, start, input_shape)
)
def _as_strided(input: Any, size: Any, stride: Any, start: int) -> Any:
    flat = backend.row_major(input).reshape(-1)[start:]
    steps = tuple([step * input.dtype.itemsize for step in stride])
    return backend.strided(flat, tuple(size), steps, writeable=not _overlaps(size, stride))


@operation(
    "as_strided_backward", input=lambda g, stride, start, input_shape: _as_strided(g, input_shape, stride, start)
)
def _add_strided(input: Any, stride: Any, start: int, shape: Any) -> Any:
    """Zeros of `shape` with each element added where `_as_strided` reads it."""
    out, places = backend.zeros(input, (math.prod(shape),)), start
    for d, (n, step) in enumerate(zip(input.shape, stride)):
        along = backend.array_module(input).arange(n) * step
        places = places + along.reshape((n,) + (1,) * (input.ndim - d - 1))
    if input.ndim:
        np.add.at(out, places, input)
    else:
        out[start] = input
    return out.reshape(tuple(shape))


def _overlaps(size: Any, stride: Any) -> bool:
    """Whether an element may stand in several places: no dimension's step may fall within what the finer ones reach."""
    reach = 0
    for step, n in sorted((step, n) for step, n in zip(stride, size) if n > 1):
        if step <= reach:
            return True
        reach += (n - 1) * step
    return False


@composed
def as_strided(input: Any, size: Any, stride: Any, storage_offset: int | None = None) -> Any:
    """A view with given steps in memory from one element to the next.

    Arguments: input (a tensor that is contiguous), size and stride (equally many integers), storage_offset (where it
    begins in the memory, in elements; None: where the input begins). Raises ShapeError for what reaches beyond the
    memory, NotImplementedError for other inputs and for elements of the memory that the input does not show.

    >>> import tinygrad_dl as tg
    >>> tg.as_strided(tg.arange(4), (3, 2), (1, 1))
    tensor([[0, 1],
            [1, 2],
            [2, 3]])
    """
    sizes, steps = sizes_of("as_strided", (size,)), sizes_of("as_strided", (stride,))
    if len(sizes) != len(steps) or any(n < 0 for n in (*sizes, *steps)):
        raise ShapeError(f"as_strided: size {sizes} and stride {steps} must be equally many numbers, none negative")
    array = input.array
    root = backend.memory_root(array)
    own = (backend.address(array) - backend.address(root)) // array.itemsize
    start = 0 if storage_offset is None else storage_offset - own
    last = start + sum((n - 1) * step for n, step in zip(sizes, steps)) if all(sizes) else start - 1
    if start + own < 0 or last + own >= root.nbytes // array.itemsize:
        raise ShapeError(
            f"as_strided: size {sizes} and stride {steps} reach from element {start + own} to {last + own} of a memory "
            f"of {root.nbytes // array.itemsize}"
        )
    if not input.is_contiguous() or start < 0 or last >= array.size:
        raise NotImplementedError(
            f"as_strided: only the elements of a contiguous tensor can be shown (this one has shape "
            f"{tuple(input.shape)} and stride {input.stride()}); call contiguous(), or as_strided on its base"
        )
    return _as_strided(input, sizes, steps, start)


# --- copies with one part replaced


def _replaced(name: str, input: Tensor, part: Any, src: Tensor) -> Tensor:
    """A copy of a tensor with `src` in one part, a view that `part` reads off it."""
    require_one_device(name, input=input, src=src)
    out = clone(input)
    place = part(out)
    if place.shape != src.shape:
        raise ShapeError(f"{name}: the part has shape {tuple(place.shape)}, src has {tuple(src.shape)}")
    place.copy_(src)
    return out


@composed
def select_scatter(input: Any, src: Any, dim: int, index: int) -> Any:
    """A copy with `src` in the slice at `index` along `dim`.

    Arguments: input (tensor), src (tensor of the slice's shape), dim, index. Raises ShapeError for another shape,
    DimensionError for a place out of range.

    >>> import tinygrad_dl as tg
    >>> tg.select_scatter(tg.zeros(2, 2), tg.ones(2), 0, 1)
    tensor([[0., 0.],
            [1., 1.]])
    """
    _require_dimension("select_scatter", input)
    return _replaced("select_scatter", input, lambda x: select(x, dim, index), src)


def _require_dimension(name: str, input: Any) -> None:
    if input.ndim == 0:
        raise DimensionError(f"{name}: a 0-d tensor has no dimension of which a part could be replaced")


@composed
def slice_scatter(
    input: Any, src: Any, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Any:
    """A copy with `src` in the slice start:end:step along `dim`.

    Arguments: input (tensor), src (tensor of the slice's shape), dim, start, end and step as in a slice. Raises
    ShapeError for another shape.

    >>> import tinygrad_dl as tg
    >>> tg.slice_scatter(tg.zeros(4), tg.ones(2), 0, 1, 3)
    tensor([0., 1., 1., 0.])
    """
    _require_dimension("slice_scatter", input)
    place = (*(slice(None),) * normalize_dim("slice_scatter", dim, input.ndim), slice(start, end, step))
    return _replaced("slice_scatter", input, lambda x: x[place], src)


@composed
def diagonal_scatter(input: Any, src: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """A copy with `src` in a diagonal.

    Arguments: input (tensor), src (tensor of the diagonal's shape), offset, dim1 and dim2 as for `diagonal`. Raises
    ShapeError for another shape.

    >>> import tinygrad_dl as tg
    >>> tg.diagonal_scatter(tg.zeros(2, 2), tg.ones(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    return _replaced("diagonal_scatter", input, lambda x: diagonal(x, offset, dim1, dim2), src)


attach(unfold, as_strided, select_scatter, slice_scatter, diagonal_scatter)
