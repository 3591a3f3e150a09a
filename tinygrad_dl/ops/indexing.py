"""Reading by index of every kind, and the gradients that flow back to where they were read."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import backend, dtypes
from ..errors import ArgumentError, ArgumentTypeError, DimensionError, DtypeError, ShapeError
from ..explain import explain
from ..methods import attach
from ..operation import operation
from ..promotion import as_operand
from ..tensor import NUMPY, Tensor, normalize_dim
from .composed import composed
from .conversion import filling
from .editing import store
from .places import accumulate, read_elements
from .reading import parts_of, read
from .shape import expand, reshape


def _index_part(part: Any, device: Any) -> Any:
    """One part of an index as the array library takes it."""
    if isinstance(part, Tensor):
        if part.array.dtype.kind not in "iub":
            raise DimensionError(
                f"index: a tensor used as index must hold integers or bools, not {part.dtype}; use .long()"
            )
        if part.array.ndim == 0 and part.array.dtype.kind != "b":
            return int(part.array.item())
        return backend.to_device(part.array.astype(bool) if part.array.dtype == np.uint8 else part.array, device)
    if part is None or part is Ellipsis or isinstance(part, bool | int):
        return part
    if isinstance(part, slice):
        return slice(*[_bound(bound) for bound in (part.start, part.stop, part.step)])
    if isinstance(part, np.integer) or (isinstance(part, np.ndarray) and part.ndim == 0 and part.dtype.kind in "iu"):
        return int(part)
    if isinstance(part, range | list | tuple | np.ndarray) or backend.is_array(part):
        array = np.asarray(
            [p.item() if isinstance(p, Tensor) else p for p in part]
            if isinstance(part, Sequence)
            else backend.to_numpy(part)
        )
        if array.size == 0 and isinstance(part, Sequence):
            array = array.astype(np.int64)
        if array.dtype.kind not in "iub":
            raise DimensionError(f"index: an index must hold integers or bools, {array.dtype} came")
        return backend.from_numpy(array, device)
    kind = ArgumentTypeError if isinstance(part, str) else DimensionError  # as PyTorch does
    raise kind(
        f"index: {type(part).__name__} is no index; integers, slices, None, ..., lists, and integer or bool tensors "
        "would work"
    )


def _bound(bound: Any) -> Any:
    if bound is None or hasattr(bound, "__index__"):
        return bound if bound is None else bound.__index__()
    raise ArgumentTypeError(f"index: a slice's bounds must be integers or None, {bound!r} came")


_APART = (Tensor, slice, list, tuple, np.ndarray, type(...))


def index_of(tensor: Tensor, index: Any) -> Any:
    """A user's index as the array library takes it, checked against the shape."""
    device = tensor.device
    if type(index) in (int, slice):
        return _checked_one(tensor, index)
    if isinstance(index, list) and any(part is None or isinstance(part, _APART) for part in index):
        index = tuple(index)  # as in PyTorch: a list of more than numbers is an index of several parts
    parts = tuple([_index_part(part, device) for part in (index if isinstance(index, tuple) else (index,))])
    _check(tensor, parts)
    if any(part is Ellipsis for part in parts) and any(backend.is_array(part) for part in parts):
        return _spelt_out(parts, tensor.array.ndim)
    return parts if isinstance(index, tuple) else parts[0]


def _spelt_out(parts: tuple[Any, ...], ndim: int) -> tuple[Any, ...]:
    """Slices for the Ellipsis: for NumPy, even one that stands for no dimension lies between the arrays beside it."""
    i = next(i for i, part in enumerate(parts) if part is Ellipsis)
    return (*parts[:i], *[slice(None)] * (ndim - sum(map(_takes, parts))), *parts[i + 1 :])


def _checked_one(tensor: Tensor, index: Any) -> Any:
    shape = tensor.array.shape
    if not shape:
        raise DimensionError("index: a 0-d tensor can't be indexed by an integer or a slice; use tensor.item()")
    if type(index) is int:
        if not -shape[0] <= index < shape[0]:
            raise DimensionError(f"index: {index} is out of bounds for dimension 0 of size {shape[0]}")
        return index
    index = _index_part(index, None)
    _require_positive_step(index)
    return index


def _require_positive_step(part: slice) -> None:
    if part.step is not None and part.step <= 0:
        raise ArgumentError(f"index: a slice's step must be positive, {part.step} came; use flip for the reverse order")


def _check(tensor: Tensor, parts: tuple[Any, ...]) -> None:
    shape = tensor.array.shape
    used = sum(_takes(part) for part in parts)
    if used > len(shape):
        raise DimensionError(
            f"index: {used} indices came for a tensor of {len(shape)} dimension(s), shape {tuple(shape)}"
        )
    dim = 0
    for part in parts:
        if part is Ellipsis:
            dim += len(shape) - used
            continue
        if isinstance(part, slice):
            _require_positive_step(part)
        elif isinstance(part, int) and not isinstance(part, bool):
            if not -shape[dim] <= part < shape[dim]:
                raise DimensionError(f"index: {part} is out of bounds for dimension {dim} of size {shape[dim]}")
        elif backend.is_array(part):
            if part.dtype.kind == "b":
                if tuple(part.shape) != tuple(shape[dim : dim + part.ndim]):
                    raise DimensionError(
                        f"index: a mask of shape {tuple(part.shape)} does not fit shape {tuple(shape)} at dimension "
                        f"{dim}"
                    )
            elif part.size and not bool(((part >= -shape[dim]) & (part < shape[dim])).all()):
                raise DimensionError(
                    f"index: values from {int(part.min())} to {int(part.max())} are out of bounds for dimension {dim} "
                    f"of size {shape[dim]}"
                )
        dim += _takes(part)


def _takes(part: Any) -> int:
    """How many dimensions a part of an index uses up."""
    if part is None or part is Ellipsis or isinstance(part, bool):
        return 0
    return part.ndim if backend.is_array(part) and part.dtype.kind == "b" else 1


def getitem(self: Tensor, index: Any) -> Tensor:
    """The elements at an index: integers and slices give views, lists, integer and bool tensors copies."""
    place = index_of(self, index)
    if type(place) is tuple and _mixes(place):
        first, then = _in_two_steps(place)
        return read(read(self, first), then)
    return read(self, place)


def _mixes(parts: tuple[Any, ...]) -> bool:
    """Whether integers stand beside arrays or bools in an index."""
    integers = [part for part in parts if isinstance(part, int) and not isinstance(part, bool)]
    return bool(integers) and any(isinstance(part, bool) or backend.is_array(part) for part in parts)


def _in_two_steps(parts: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """An index as one of integers, slices and None, a view, and one of arrays into that view.

    PyTorch takes integers out first; NumPy counts an integer among the arrays, which may move their dimensions to the
    front.
    """
    first: list[Any] = []
    then: list[Any] = []
    whole = slice(None)
    for part in parts:
        if isinstance(part, bool):
            then.append(part)
        elif isinstance(part, int):
            first.append(part)
        elif backend.is_array(part):
            first += [whole] * _takes(part)
            then.append(part)
        else:
            first.append(part)
            then.append(part if part is Ellipsis else whole)
    if not any(part is Ellipsis for part in first):
        first.append(Ellipsis)  # so that a single element is a view too
    return tuple(first), tuple(then)


def setitem(self: Tensor, index: Any, value: Any) -> None:
    """Write a value at an index, in place."""
    place = index_of(self, index)
    value = as_operand("index assignment", "value", value)
    if not isinstance(value, Tensor) and not self.is_floating_point():
        value = filling("index assignment", self, value)
    target = self
    if type(place) is tuple and _mixes(place):
        first, place = _in_two_steps(place)
        target = read(self, first)
    elif not any(isinstance(part, bool) or backend.is_array(part) for part in parts_of(place)):
        target = self if all(part is Ellipsis or part == slice(None) for part in parts_of(place)) else read(self, place)
        place = ...
    store("index assignment", target, _without_leading_ones(value, target, place), place)


def _without_leading_ones(value: Any, target: Tensor, place: Any) -> Any:
    """A value as NumPy assigns it: PyTorch also takes dimensions of size 1 in front that the place does not have."""
    if not isinstance(value, Tensor) or value.ndim == 0:
        return value
    ndim = target.ndim if place is ... else target.array[place].ndim
    extra = value.ndim - ndim
    return reshape(value, tuple(value.shape[extra:])) if extra > 0 and set(value.shape[:extra]) == {1} else value


@composed
def select(input: Any, dim: int, index: int) -> Any:
    """The slice at `index` along `dim`, without that dimension; a view. Raises DimensionError when out of range.

    >>> import tinygrad_dl as tg
    >>> tg.select(tg.tensor([[1, 2], [3, 4]]), 1, 0)
    tensor([1, 3])
    """
    dim = normalize_dim("select", dim, input.ndim)
    return input[(slice(None),) * dim + (index,)]


def grid(indices: Any, dim: int) -> tuple[Any, ...]:
    """The index that reads along `dim` at `indices` and stays in place along the other dimensions."""
    module = backend.array_module(indices)
    places = []
    for d, n in enumerate(indices.shape):
        places.append(indices if d == dim else module.arange(n).reshape((n,) + (1,) * (indices.ndim - d - 1)))
    return tuple(places)


@operation("take_along_dim", input=lambda g, indices, dim, input_shape: put_along_dim(g, indices, dim, input_shape))
def gather_along(input: Any, indices: Any, dim: int) -> Any:
    """The elements at `indices` along `dim`; along the others `indices` may end earlier."""
    return read_elements(input, grid(indices, dim))


@operation(input=lambda g, indices, dim: gather_along(g, indices, dim))
def put_along_dim(input: Any, indices: Any, dim: int, shape: Any) -> Any:
    """Zeros of `shape` with `input` added at `indices` along `dim`: the reverse of `gather_along`."""
    out = backend.zeros(input, tuple(shape))
    accumulate(out, grid(indices, dim), input, fresh=True)
    return out


@composed
def take_along_dim(input: Any, indices: Any, dim: int | None = None) -> Any:
    """The elements at `indices` along `dim`, which have the shape of the result.

    Arguments: input (tensor), indices (integers; the other dimensions broadcast with the input's), dim (None for the
    elements in one row). Raises ShapeError when they don't fit, DtypeError for indices that are no integers.

    >>> import tinygrad_dl as tg
    >>> x = tg.tensor([[1.0, 4.0], [3.0, 2.0]])
    >>> tg.take_along_dim(x, tg.argmax(x, 1, True), 1)
    tensor([[4.],
            [3.]])
    """
    if dim is None:
        input, indices, dim = reshape(input, (-1,)), reshape(indices, (-1,)), 0
    dim = normalize_dim("take_along_dim", dim, input.ndim)
    if indices.dtype not in _INTEGERS:
        raise DtypeError(f"take_along_dim: indices must be integers, not {indices.dtype}; use indices.long()")
    if input.ndim != indices.ndim:
        raise ShapeError(
            f"take_along_dim: indices of shape {tuple(indices.shape)} do not fit input of shape {tuple(input.shape)}: "
            "both must have equally many dimensions"
        )
    if isinstance(input, Tensor) and isinstance(indices, Tensor) and type(input.array) is not type(indices.array):
        raise explain("take_along_dim", ("input", "indices"), (input, indices), TypeError("mixed devices"))
    mine, theirs = ((*x.shape[:dim], 1, *x.shape[dim + 1 :]) for x in (input, indices))
    if mine != theirs:
        common = _common_shape(input, indices, dim, mine, theirs)
        input, indices = (expand(x, (*common[:dim], x.shape[dim], *common[dim + 1 :])) for x in (input, indices))
    return gather_along(input, indices, dim)


def _common_shape(
    input: Any, indices: Any, dim: int, mine: tuple[int, ...], theirs: tuple[int, ...]
) -> tuple[int, ...]:
    if len(mine) == len(theirs):
        try:
            return np.broadcast_shapes(mine, theirs)
        except ValueError:
            pass
    raise ShapeError(
        f"take_along_dim: indices of shape {tuple(indices.shape)} do not fit input of shape {tuple(input.shape)}: all "
        f"dimensions but dim {dim} must be equal or 1"
    )


_INTEGERS = frozenset(d for d in dtypes.ALL if d.category == 1)


attach(select, take_along_dim, __getitem__=getitem, __setitem__=setitem)
NUMPY[np.take_along_axis] = lambda arr, indices, axis: take_along_dim(arr, indices, axis)
