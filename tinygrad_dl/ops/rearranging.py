"""Elements in another order or repeated: copies, since their steps in memory are not those of a view."""

from itertools import product
from typing import Any

import numpy as np

from .. import backend
from ..backend import HOST
from ..errors import ArgumentError, ArgumentTypeError, DimensionError, DtypeError, ShapeError
from ..methods import attach
from ..operation import operation
from ..tensor import NUMPY, Tensor, normalize_dim, wrap
from .blocks import BLOCK
from .composed import composed
from .shape import clone, dims_of, reshape, sizes_of, sum_to, transpose, variadic

# --- reversed


_LONG_ROW = 64  # elements; NumPy reverses shorter rows as fast one by one


@operation("flip", input=lambda g, dims: _flip(g, dims))
def _flip(input: Any, dims: Any) -> Any:
    if type(input) is HOST and input.size > BLOCK and dims == (input.ndim - 1,) and input.shape[-1] >= _LONG_ROW:
        return _reversed_rows(backend.row_major(input).reshape(-1, input.shape[-1])).reshape(input.shape)
    return input[tuple([slice(None, None, -1 if d in dims else None) for d in range(input.ndim)])].copy()


def _reversed_rows(matrix: Any) -> Any:
    """Each row in reverse order: NumPy reverses a whole block of rows at more than twice the speed of single rows."""
    height, width = matrix.shape
    out, rows = backend.empty(matrix, matrix.shape), max(1, BLOCK // width)
    block = backend.empty(matrix, (rows, width))
    for start in range(0, height, rows):
        part = matrix[start : start + rows]
        turned = block[: len(part)]  # its rows are in reverse order too
        turned.reshape(-1)[...] = part.reshape(-1)[::-1]
        out[start : start + rows] = turned[::-1]
    return out


@composed
def flip(input: Any, dims: Any) -> Any:
    """The order of the elements reversed along dimensions.

    Arguments: input (tensor), dims (integers). Raises ShapeError for a dimension that comes twice.

    >>> import tinygrad_dl as tg
    >>> tg.flip(tg.tensor([[1, 2], [3, 4]]), (1,))
    tensor([[2, 1],
            [4, 3]])
    """
    return _flip(input, dims_of("flip", dims, input.ndim, empty_is_all=False))


def _flipped(name: str, input: Any, dim: int) -> Any:
    if input.ndim <= dim:
        raise ShapeError(f"{name}: at least {dim + 1} dimension(s) are needed, shape {tuple(input.shape)} came")
    return _flip(input, (dim,))


@composed
def fliplr(input: Any) -> Any:
    """The order of the columns reversed: along dimension 1. Raises ShapeError for less than 2 dimensions.

    >>> import tinygrad_dl as tg
    >>> tg.fliplr(tg.tensor([[1, 2]]))
    tensor([[2, 1]])
    """
    return _flipped("fliplr", input, 1)


@composed
def flipud(input: Any) -> Any:
    """The order of the rows reversed: along dimension 0. Raises ShapeError for a 0-d tensor.

    >>> import tinygrad_dl as tg
    >>> tg.flipud(tg.tensor([1, 2]))
    tensor([2, 1])
    """
    return _flipped("flipud", input, 0)


@composed
def rot90(input: Any, k: int = 1, dims: Any = (0, 1)) -> Any:
    """A plane turned by 90 degrees `k` times, from the first of two dimensions towards the second.

    Arguments: input (tensor), k (integer), dims (two dimensions). Raises ShapeError for others.

    >>> import tinygrad_dl as tg
    >>> tg.rot90(tg.tensor([[1, 2], [3, 4]]))
    tensor([[2, 4],
            [1, 3]])
    """
    if input.ndim < 2 or len(dims) != 2:
        raise ShapeError(f"rot90: two dimensions are turned, dims={dims!r} came for shape {tuple(input.shape)}")
    first, second = dims_of("rot90", tuple(dims), input.ndim)
    if k % 4 == 0:
        return clone(input)
    if k % 4 == 2:
        return _flip(input, (first, second))
    if k % 4 == 1:
        return clone(transpose(_flip(input, (second,)), first, second))  # no view: nobody has what it would show
    return _flip(transpose(input, first, second), (second,))


# --- moved


@operation("roll", input=lambda g, shifts: _roll(g, [-shift for shift in shifts]))
def _roll(input: Any, shifts: Any) -> Any:
    out = backend.empty(input, input.shape)
    for part in product(*[_two_parts(n, shift) for n, shift in zip(input.shape, shifts)]):
        out[tuple([target for target, _ in part])] = input[tuple([source for _, source in part])]
    return out


def _two_parts(n: int, shift: int) -> list[tuple[slice, slice]]:
    """Where the two parts of a dimension go (one, if they stay) and where they come from."""
    shift = shift % n if n else 0
    if not shift:
        return [(slice(None), slice(None))]
    return [(slice(shift, None), slice(n - shift)), (slice(shift), slice(n - shift, None))]


@composed
def roll(input: Any, shifts: Any, dims: Any = None) -> Any:
    """The elements moved along dimensions; what leaves at the end comes in at the beginning.

    Arguments: input (tensor), shifts (an integer or one for each dimension), dims (None: the elements in one row).
    Raises ShapeError when shifts and dims are not equally many.

    >>> import tinygrad_dl as tg
    >>> tg.roll(tg.tensor([1, 2, 3]), 1)
    tensor([3, 1, 2])
    """
    steps = sizes_of("roll", (shifts,))
    places = () if dims is None else sizes_of("roll", (dims,))
    if not places and len(steps) == 1:
        return reshape(_roll(reshape(input, (-1,)), steps), input.shape)
    if len(steps) != len(places) or not steps:
        raise ShapeError(f"roll: equally many shifts and dims are needed, shifts={shifts!r} and dims={dims!r} came")
    if input.ndim == 0:
        raise DimensionError(f"roll: dims={dims!r} came for a 0-d tensor, which has none")
    total = [0] * input.ndim
    for step, dim in zip(steps, places):
        total[normalize_dim("roll", dim, input.ndim)] += step
    return _roll(input, total)


# --- repeated


def _in_turn(first: Any, second: Any) -> tuple[int, ...]:
    """(a, b, c, ...) and (x, y, z, ...) as (a, x, b, y, c, z, ...)."""
    return tuple([n for pair in zip(first, second) for n in pair])


@operation("repeat", input=lambda g, repeats, input_shape: _fold_repeats(g, repeats, input_shape))
def _repeat(input: Any, repeats: Any) -> Any:
    shape = (1,) * (len(repeats) - input.ndim) + input.shape
    out = backend.empty(input, _in_turn(repeats, shape))
    out[...] = input.reshape(_in_turn([1] * len(shape), shape))
    return out.reshape(tuple([times * n for times, n in zip(repeats, shape)]))


def _fold_repeats(g: Any, repeats: Any, shape: Any) -> Any:
    """The gradient of `repeat`: summed over all copies of an element."""
    full = (1,) * (len(repeats) - len(shape)) + tuple(shape)
    wide = reshape(g, _in_turn(repeats, full))
    return reshape(sum_to(wide, _in_turn([1] * len(full), full)), shape)


@composed
def repeat(input: Any, repeats: Any) -> Any:
    """Copies of the tensor beside each other, `repeats[d]` of them along dimension d; `tile` of NumPy.

    Arguments: input (tensor), repeats (integers, for each dimension and for new ones in front). Raises ShapeError for
    less of them than dimensions.

    >>> import tinygrad_dl as tg
    >>> tg.tensor([1, 2]).repeat(2, 2)
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    if len(repeats) < input.ndim or any(n < 0 for n in repeats):
        raise ShapeError(
            f"repeat: a number of repeats, not negative, is needed for each dimension; {tuple(repeats)} came for shape "
            f"{tuple(input.shape)}"
        )
    return _repeat(input, repeats)


@composed
def tile(input: Any, dims: Any) -> Any:
    """As `Tensor.repeat`, but missing numbers in front are 1.

    Arguments: input (tensor), dims (integers). Raises ShapeError for negative ones.

    >>> import tinygrad_dl as tg
    >>> tg.tile(tg.tensor([[1, 2]]), (2,))
    tensor([[1, 2, 1, 2]])
    """
    times = sizes_of("tile", (dims,))
    return repeat(input, (1,) * (input.ndim - len(times)) + times)


@operation(
    "repeat_interleave",
    input=lambda g, repeats, dim, input_shape: reshape(
        sum_to(reshape(g, _split_at(input_shape, dim, repeats)), _split_at(input_shape, dim, 1)), input_shape
    ),
)
def _repeat_each(input: Any, repeats: int, dim: int) -> Any:
    return input.repeat(repeats, dim)


def _split_at(shape: Any, dim: int, repeats: int) -> tuple[int, ...]:
    """A shape with a new dimension behind `dim`."""
    return (*shape[: dim + 1], repeats, *shape[dim + 1 :])


@composed
def repeat_interleave(
    input: Any, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Any:
    """Each element, or each slice along `dim`, repeated in its place.

    Arguments: input (tensor), repeats (an integer, or a tensor of int64 or int32 with one number for each), dim (None:
    the elements in one row), output_size (what the size along dim becomes, checked). A tensor of numbers alone, as
    `repeat_interleave(repeats)`, gives the positions 0, 1, ... repeated. Raises ShapeError for numbers that don't fit,
    ArgumentError for negative ones.

    >>> import tinygrad_dl as tg
    >>> tg.repeat_interleave(tg.tensor([5, 6]), 2)
    tensor([5, 5, 6, 6])
    >>> tg.repeat_interleave(tg.tensor([5, 6]), tg.tensor([0, 2]))
    tensor([6, 6])
    """
    if repeats is None:
        counts = _counts(input, len(input) if input.ndim == 1 else -1, output_size)
        return wrap(backend.from_numpy(counts, input.device)).to(input.dtype)
    if dim is None:
        input, dim = reshape(input, (-1,)), 0
    dim = normalize_dim("repeat_interleave", dim, input.ndim)
    if input.ndim == 0:
        raise DimensionError("repeat_interleave: dim came for a 0-d tensor, which has none")
    n = input.shape[dim]
    if isinstance(repeats, Tensor) and repeats.numel() != 1:
        return input[(*(slice(None),) * dim, _counts(repeats, n, output_size))]
    if isinstance(repeats, Tensor):
        _require_counts(repeats)
        repeats = repeats.item()
    if not isinstance(repeats, int):
        raise ArgumentTypeError(f"repeat_interleave: repeats must be an integer or a tensor of them, {repeats!r} came")
    if repeats < 0:
        raise ArgumentError(f"repeat_interleave: repeats can't be negative, {repeats} came")
    _require_size(output_size, n * repeats)
    return _repeat_each(input, repeats, dim)


def _require_counts(repeats: Tensor) -> None:
    if repeats.ndim > 1:
        raise ShapeError(f"repeat_interleave: repeats has one dimension at most, shape {tuple(repeats.shape)} came")
    if repeats.array.dtype.name not in ("int64", "int32"):
        raise DtypeError(f"repeat_interleave: repeats must be int64 or int32, {repeats.dtype} came; use .long()")


def _counts(repeats: Tensor, n: int, output_size: int | None) -> Any:
    """The positions 0, 1, ..., each as often as `repeats` says, on the host."""
    _require_counts(repeats)
    times = backend.to_numpy(repeats.array)
    if len(times) != n:
        raise ShapeError(f"repeat_interleave: {len(times)} repeats came for a dimension of size {n}")
    if times.size and times.min() < 0:
        raise ArgumentError(f"repeat_interleave: repeats can't be negative, {times.min()} came")
    positions = np.repeat(np.arange(n), times)
    _require_size(output_size, len(positions))
    return positions


def _require_size(output_size: int | None, size: int) -> None:
    if output_size not in (None, size):
        raise ShapeError(f"repeat_interleave: output_size is {size} for these repeats, not {output_size}")


attach(fliplr, flipud, rot90, roll, repeat_interleave)
attach(flip=variadic(flip, "dims"), repeat=variadic(repeat, "repeats"), tile=variadic(tile, "dims"))


def _numpy_repeat(a: Any, repeats: Any, axis: int | None = None) -> Any:
    if isinstance(repeats, list | tuple):
        repeats = wrap(backend.from_numpy(backend.host_array(repeats), a.device))
    return repeat_interleave(a, repeats, axis)


def _numpy_flip(m: Any, axis: Any = None) -> Any:
    return flip(m, tuple(range(m.ndim)) if axis is None else axis)


_of_numpy: dict[Any, Any] = {
    np.flip: _numpy_flip,
    np.fliplr: lambda m: fliplr(m),
    np.flipud: lambda m: flipud(m),
    np.rot90: lambda m, k=1, axes=(0, 1): rot90(m, k, axes),
    np.roll: lambda a, shift, axis=None: roll(a, shift, axis),
    np.tile: lambda A, reps: tile(A, reps),
    np.repeat: _numpy_repeat,
}
NUMPY.update(_of_numpy)
