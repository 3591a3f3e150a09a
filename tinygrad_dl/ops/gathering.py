"""Reading elements by tensors of indices or by masks, and finding them. Source: PyTorch's definitions."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import backend
from ..errors import ArgumentError, ArgumentTypeError, DimensionError, DtypeError, ShapeError
from ..explain import explain
from ..methods import attach
from ..operation import operation
from ..tensor import Tensor, normalize_dim, wrap
from . import elementwise
from .composed import composed
from .indexing import gather_along
from .places import accumulate
from .reading import put
from .shape import expand, reshape

# --- what came as an index


def require_index(name: str, self: Tensor, index: Any, dtypes: Sequence[str] = ("int32", "int64")) -> None:
    """Raise unless `index` is a tensor of int64, or int32, on the device of `self`."""
    if not isinstance(index, Tensor):
        raise ArgumentTypeError(f"{name}: index must be a Tensor of integers, not {type(index).__name__}")
    if index.array.dtype.name not in dtypes:
        raise DtypeError(f"{name}: index must hold {' or '.join(dtypes)}, not {index.dtype}; use index.long()")
    require_same_device(name, self, "index", index)


def require_same_device(name: str, self: Tensor, argument: str, other: Tensor) -> None:
    """Raise unless two tensors are on one device."""
    if type(other.array) is not type(self.array):
        raise explain(name, ("input", argument), (self, other), TypeError("mixed devices"))


def require_inside(name: str, index: Any, n: int, where: str, lowest: int = 0) -> None:
    """Raise when an array of indices leads out of a dimension."""
    if index.size == 0:
        return
    low, high = int(index.min()), int(index.max())
    if low < lowest or high >= n:
        raise DimensionError(
            f"{name}: index {low if low < lowest else high} is out of bounds for {where} of size {n}"
            + ("; here indices count from the front only" if low < 0 == lowest else "")
        )


def require_fitting(name: str, input: Tensor, dim: int, index: Any, src: Any = None) -> int:
    """`dim` counted from the front, when `index` fits the input, and `src` the index, as gather and scatter want it."""
    dim = normalize_dim(name, dim, input.ndim)
    require_index(name, input, index)
    if index.numel() == 0:
        return dim
    for argument, other in (("input", input), ("src", src)):
        if other is None:
            continue
        if max(other.ndim, 1) != max(index.ndim, 1):
            raise ShapeError(
                f"{name}: index of shape {tuple(index.shape)} and {argument} of shape {tuple(other.shape)} must have "
                "equally many dimensions"
            )
        free = dim if argument == "input" else None
        if any(n > m and d != free for d, (n, m) in enumerate(zip(index.shape, other.shape))):
            but = f" but dimension {dim}" if argument == "input" else ""
            raise ShapeError(
                f"{name}: index of shape {tuple(index.shape)} does not fit {argument} of shape {tuple(other.shape)}: "
                f"it must not be larger in any dimension{but}"
            )
    require_inside(name, index.array, input.shape[dim] if input.ndim else 1, f"dimension {dim}")
    return dim


def line(input: Any) -> Any:
    """A 0-d tensor as a view of one dimension, others as they are."""
    return input if input.ndim else reshape(input, (1,))


# --- reading


@composed
def gather(input: Any, dim: int, index: Any, *, sparse_grad: bool = False) -> Any:
    """The elements at `index` along `dim`: out[i, j] = input[index[i, j], j] for dim 0, and so on.

    Arguments: input (tensor), dim, index (int64 or int32; as many dimensions as the input, none larger but for `dim`),
    sparse_grad (changes nothing: gradients are dense). The result has the index's shape; gradients of an element that
    is read several times add up. Raises ShapeError, DtypeError, and DimensionError for an index out of range.

    >>> import tinygrad_dl as tg
    >>> tg.gather(tg.tensor([[1, 2], [3, 4]]), 1, tg.tensor([[0, 0], [1, 0]]))
    tensor([[1, 1],
            [4, 3]])
    """
    dim = require_fitting("gather", input, dim, index)
    if index.numel() == 0:
        return reshape(reshape(input, (-1,))[:0], tuple(index.shape))
    out = gather_along(line(input), line(index), dim)
    return out if index.ndim else reshape(out, ())


@operation("index_select", input=lambda g, dim, index, input_shape: _put_slices(g, dim, index, input_shape))
def _slices(input: Any, dim: int, index: Any) -> Any:
    return input.take(index, dim)


@operation(input=lambda g, dim, index: _slices(g, dim, index))
def _put_slices(input: Any, dim: int, index: Any, shape: Any) -> Any:
    """Zeros of `shape` with the slices of `input` added at `index` along `dim`: the reverse of reading them."""
    out = backend.zeros(input, tuple(shape))
    accumulate(out, (*[slice(None)] * dim, index), input, fresh=True)
    return out


@operation("take", input=lambda g, index, input_shape: put(g, index, input_shape))
def _take(input: Any, index: Any) -> Any:
    return input.take(index)


@composed
def index_select(input: Any, dim: int, index: Any) -> Any:
    """The slices at `index` along `dim`, as a copy.

    Arguments: input (tensor), dim, index (vector of int64 or int32, from the front). Raises DimensionError for an index
    out of range or with more dimensions, DtypeError for other dtypes.

    >>> import tinygrad_dl as tg
    >>> tg.index_select(tg.tensor([[1, 2], [3, 4]]), 1, tg.tensor([1, 1]))
    tensor([[2, 2],
            [4, 4]])
    """
    dim = normalize_dim("index_select", dim, input.ndim)
    require_index("index_select", input, index)
    if index.ndim > 1:
        raise DimensionError(f"index_select: index must be a vector, its shape is {tuple(index.shape)}")
    if not input.ndim and index.numel() != 1:
        raise ShapeError(f"index_select: of a 0-d tensor only 1 element can be selected, not {index.numel()}")
    require_inside("index_select", index.array, input.shape[dim] if input.ndim else 1, f"dimension {dim}")
    out = _slices(line(input), dim, line(index))
    return out if input.ndim else reshape(out, ())


@composed
def take(input: Any, index: Any) -> Any:
    """The elements at `index` of the input read as one row; the result has the index's shape.

    Arguments: input (tensor), index (int64; below 0 from the end). Raises DtypeError for other dtypes, DimensionError
    for an index out of range.

    >>> import tinygrad_dl as tg
    >>> tg.take(tg.tensor([[1, 2], [3, 4]]), tg.tensor([0, -1]))
    tensor([1, 4])
    """
    require_index("take", input, index, ("int64",))
    require_inside("take", index.array, input.numel(), "an input", -input.numel())
    return _take(reshape(input, (-1,)), index)


@composed
def masked_select(input: Any, mask: Any) -> Any:
    """The elements where `mask` is True, in one row.

    Arguments: input (tensor), mask (bool; the two broadcast). Raises DtypeError for a mask that is not bool, ShapeError
    for shapes that don't broadcast.

    >>> import tinygrad_dl as tg
    >>> x = tg.tensor([1.0, -2.0, 3.0])
    >>> tg.masked_select(x, x > 0)
    tensor([1., 3.])
    """
    if not isinstance(mask, Tensor):
        raise ArgumentTypeError(f"masked_select: mask must be a Tensor of bools, not {type(mask).__name__}")
    if mask.array.dtype.kind != "b":
        raise DtypeError(f"masked_select: mask must hold bools, not {mask.dtype}; use mask.bool()")
    require_same_device("masked_select", input, "mask", mask)
    if input.shape != mask.shape:
        try:
            shape = np.broadcast_shapes(tuple(input.shape), tuple(mask.shape))
        except ValueError as error:
            raise explain("masked_select", ("input", "mask"), (input, mask), error) from None
        input, mask = expand(input, shape), expand(mask, shape)
    return line(input)[line(mask)]


# --- finding


@composed
def nonzero(input: Any, *, as_tuple: bool = False) -> Any:
    """The indices of the elements that are not 0, in order: a row for each, or with `as_tuple` a vector per dimension.

    Returns int64 of shape (n, input.ndim), or a tuple that can be used as an index (of a 0-d tensor as of one element).

    >>> import tinygrad_dl as tg
    >>> tg.nonzero(tg.tensor([[0, 5], [7, 0]]))
    tensor([[0, 1],
            [1, 0]])
    """
    array = input.array
    if as_tuple:
        return tuple([wrap(found) for found in (array if array.ndim else array.reshape(1)).nonzero()])
    module = backend.array_module(array)
    if not array.ndim:
        return wrap(module.empty((int(bool(array)), 0), np.int64))
    return wrap(backend.nonzero(array))


@composed
def argwhere(input: Any) -> Any:
    """The indices of the elements that are not 0, a row for each: `nonzero`.

    >>> import tinygrad_dl as tg
    >>> tg.argwhere(tg.tensor([0, 5, 7]))
    tensor([[1],
            [2]])
    """
    return nonzero(input)


@composed
def where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """`input` where `condition` holds, else `other`; of a condition alone, the indices where it holds.

    Arguments: condition (bool tensor), input and other (tensors that broadcast with it, or numbers); or a condition of
    any dtype, as `nonzero(condition, as_tuple=True)`. Raises DtypeError for a condition that is not bool.

    >>> import tinygrad_dl as tg
    >>> x = tg.tensor([-1.0, 2.0])
    >>> tg.where(x > 0, x, 0.0), tg.where(x > 0)
    (tensor([0., 2.]), (tensor([1]),))
    """
    if input is None and other is None and isinstance(condition, Tensor):
        return nonzero(condition, as_tuple=True)
    if input is None or other is None:
        raise ArgumentTypeError("where: condition comes alone, or with both input and other")
    return elementwise.where(condition, input, other)


def unravel_index(indices: Tensor, shape: Any) -> tuple[Tensor, ...]:
    """The coordinates, in a tensor of a shape, of elements that are numbered in row-major order.

    Arguments: indices (tensor of integers), shape (an integer or several). Returns a tensor for each dimension. Raises
    ArgumentTypeError for indices that are no integers, ArgumentError for a negative size.

    >>> import tinygrad_dl as tg
    >>> tg.unravel_index(tg.tensor([1, 5]), (2, 3))
    (tensor([0, 1]), tensor([1, 2]))
    """
    if not isinstance(indices, Tensor) or indices.array.dtype.kind not in "iu":
        came = indices.dtype if isinstance(indices, Tensor) else type(indices).__name__
        raise ArgumentTypeError(f"unravel_index: indices must be a Tensor of integers, not {came}")
    sizes = tuple([int(n) for n in shape]) if isinstance(shape, Sequence | Tensor) else (int(shape),)
    if any(n < 0 for n in sizes):
        raise ArgumentError(f"unravel_index: a size can't be negative, {sizes} came")
    rest, found = indices.array, []
    for n in reversed(sizes):
        found.append(wrap(backend.without_scalars(rest % n)))
        rest = rest // n
    return tuple(reversed(found))


attach(gather, index_select, take, masked_select, nonzero, argwhere)
