"""Sorting, the largest elements, and what sorted elements are good for: searching and telling apart."""

import math
from typing import Any

import numpy as np

from .. import backend
from ..errors import ArgumentError, ArgumentTypeError, DimensionError, DtypeError, ShapeError
from ..explain import explain
from ..methods import attach
from ..operation import operation
from ..promotion import as_operand
from ..return_types import named_result
from ..tensor import Tensor, normalize_dim, wrap
from .blocks import rowwise
from .composed import composed
from .gathering import line, require_inside
from .indexing import gather_along
from .shape import clone, reshape

_Sorted = named_result("sort", "values", "indices")
_Topk = named_result("topk", "values", "indices")

# --- order


@operation()
def _order(input: Any, dim: int, descending: bool) -> Any:
    return _sorting(input, dim, descending)


@rowwise
def _sorting(input: Any, dim: int, descending: bool) -> Any:
    """The indices that sort an array along `dim`, equal elements as they came, NaN as the largest."""
    rows = input.swapaxes(dim, -1)
    if type(input) is backend.HOST and (input.itemsize > 2 or input.dtype.kind == "f"):
        order = _order_of_rows(rows, descending)
    elif descending:
        order = rows.shape[-1] - 1 - rows[..., ::-1].argsort(-1, kind="stable")[..., ::-1]
    else:
        order = rows.argsort(-1, kind="stable")
    return backend.row_major(order.swapaxes(dim, -1))


def _order_of_rows(rows: Any, descending: bool) -> Any:
    """The same along the last dimension, faster: NumPy's unstable sort, then equal elements put in order."""
    order = rows.argsort(-1)
    if descending:
        order = order[..., ::-1]
    values = np.take_along_axis(rows, order, -1)
    equal = values[..., 1:] == values[..., :-1]
    if rows.dtype.kind == "f":
        missing = values != values
        if missing.any():
            equal |= missing[..., 1:] & missing[..., :-1]
    if not equal.any():
        return order
    order = backend.row_major(order)
    again = np.zeros(order.shape, bool)  # the elements that equal the one before them
    again[..., 1:] = equal
    alike = again.copy()
    alike[..., :-1] |= equal
    places = alike.reshape(-1).nonzero()[0]
    flat, n = order.reshape(-1), order.shape[-1]
    runs = np.cumsum(~again.reshape(-1)[places]) * n  # the run of equal elements, plus the index: sorted at once
    keys = runs + flat[places]
    keys.sort()
    flat[places] = keys - runs
    return order


def _require_bool(name: str, argument: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise ArgumentTypeError(f"{name}: {argument} must be True or False, not {value!r}")


@composed
def argsort(input: Any, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Any:
    """The indices that sort a tensor along a dimension; NaN counts as the largest.

    Arguments: input (tensor), dim, descending, stable (equal elements keep their order; here they always do). Returns
    int64 of the input's shape. Raises DimensionError for a dim out of range.

    >>> import tinygrad_dl as tg
    >>> tg.argsort(tg.tensor([3.0, 1.0, 2.0]))
    tensor([1, 2, 0])
    """
    _require_bool("argsort", "descending", descending)
    dim = normalize_dim("argsort", dim, input.ndim)
    order = _order(line(input), dim, descending)
    return order if input.ndim else reshape(order, ())


@composed
def sort(input: Any, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Any:
    """The elements in order along a dimension, and the indices that they had; NaN counts as the largest.

    Arguments: as for `argsort`. Returns (values, indices), both of the input's shape; each value's gradient goes to the
    element that it was. Raises DimensionError for a dim out of range.

    >>> import tinygrad_dl as tg
    >>> tg.sort(tg.tensor([3.0, 1.0, 2.0]), descending=True).values
    tensor([3., 2., 1.])
    """
    _require_bool("sort", "descending", descending)
    dim = normalize_dim("sort", dim, input.ndim)
    order = _order(line(input), dim, descending)
    values = gather_along(line(input), order, dim)
    return _Sorted(values, order) if input.ndim else _Sorted(reshape(values, ()), reshape(order, ()))


@composed
def msort(input: Any) -> Any:
    """The elements in order along the first dimension: `sort(input, 0).values`.

    >>> import tinygrad_dl as tg
    >>> tg.msort(tg.tensor([[3, 1], [2, 5]]))
    tensor([[2, 1],
            [3, 5]])
    """
    return sort(input, 0).values


# --- the largest


@operation()
def _chosen(input: Any, k: int, dim: int, largest: bool, ordered: bool) -> Any:
    """The indices of the k largest or smallest elements along `dim`."""
    return _choosing(input, k, dim, largest, ordered)


@rowwise
def _choosing(input: Any, k: int, dim: int, largest: bool, ordered: bool) -> Any:
    rows = input.swapaxes(dim, -1)
    n = rows.shape[-1]
    if 0 < k < n:
        chosen = rows.argpartition(n - k if largest else k - 1, -1)
        chosen = chosen[..., n - k :] if largest else chosen[..., :k]
    else:
        chosen = backend.array_module(rows).zeros(rows.shape, np.int64)[..., :k]
        chosen[...] = backend.array_module(rows).arange(k)
    if ordered:
        chosen = np.sort(chosen, -1)  # so that equal elements come in their order
        order = _sorting(np.take_along_axis(rows, chosen, -1), -1, largest)
        chosen = np.take_along_axis(chosen, order, -1)
    return backend.row_major(chosen.swapaxes(dim, -1))


@composed
def topk(input: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """The k largest, or smallest, elements along a dimension, in order, and their indices; NaN counts as the largest.

    Arguments: input (tensor), k, dim, largest, sorted (in order; else in any). Returns (values, indices). Of equal
    elements any may be chosen. Raises ArgumentError for a k that the dimension does not have, DtypeError for bools.

    >>> import tinygrad_dl as tg
    >>> tg.topk(tg.tensor([3.0, 1.0, 2.0]), 2).values
    tensor([3., 2.])
    """
    dim = normalize_dim("topk", dim, input.ndim)
    n = input.shape[dim] if input.ndim else 1
    if isinstance(k, bool) or not hasattr(k, "__index__"):
        raise ArgumentTypeError(f"topk: k must be an integer, not {k!r}")
    k = k.__index__()
    if not 0 <= k <= n:
        raise ArgumentError(f"topk: k is {k}, dimension {dim} of shape {tuple(input.shape)} has {n} element(s)")
    if input.array.dtype.kind == "b":
        raise DtypeError("topk: bools have no order here; use input.int()")
    if not input.ndim:
        return _Topk(clone(input), reshape(_order(line(input), 0, False), ()))
    indices = _chosen(input, k, dim, largest, sorted)
    return _Topk(gather_along(input, indices, dim), indices)


# --- telling apart


def _results(*found: Any) -> Any:
    """One tensor, or a tuple of those that were asked for."""
    given = tuple([wrap(part) for part in found if part is not None])
    return given if len(given) > 1 else given[0]


def _unique_dim(name: str, input: Tensor, dim: int) -> int:
    if not input.ndim:
        raise DimensionError(f"{name}: a 0-d tensor has no dimension {dim}; leave dim out")
    dim = normalize_dim(name, dim, input.ndim)
    if any(n == 0 and d != dim for d, n in enumerate(input.shape)):
        raise ShapeError(
            f"{name}: slices of a tensor of shape {tuple(input.shape)} along dimension {dim} have no elements"
        )
    return dim


@composed
def unique(
    input: Any, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The different elements in ascending order, or with `dim` the different slices; every NaN is different.

    Arguments: input (tensor), sorted (they always are), return_inverse (also where each element went), return_counts
    (also how often each came), dim. Returns one tensor or a tuple of (elements, inverse, counts); it is not
    differentiable. Raises DimensionError, ShapeError for slices without elements.

    >>> import tinygrad_dl as tg
    >>> tg.unique(tg.tensor([3, 1, 3]), return_counts=True)
    (tensor([1, 3]), tensor([1, 2]))
    """
    array = input.array
    if dim is None:
        array, shape = array.reshape(-1), array.shape
    else:
        dim = _unique_dim("unique", input, dim)
        shape = (array.shape[dim],)
        if array.shape[dim] == 0:
            none = backend.array_module(array).zeros(0, np.int64)
            return _results(array.copy(), none if return_inverse else None, none if return_counts else None)
    found: Any = np.unique(  # type: ignore[call-overload]  # its axis may be None
        array, return_inverse=return_inverse, return_counts=return_counts, axis=dim, equal_nan=False
    )
    elements, *others = found if isinstance(found, tuple) else (found,)
    if return_inverse:
        others[0] = others[0].reshape(shape)
    return _results(elements, *others)


@composed
def unique_consecutive(
    input: Any, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The elements without those that equal the one before them, or with `dim` the slices; every NaN is different.

    Arguments and result as for `unique`.

    >>> import tinygrad_dl as tg
    >>> tg.unique_consecutive(tg.tensor([1, 1, 2, 1]), return_counts=True)
    (tensor([1, 2, 1]), tensor([2, 1, 1]))
    """
    array = input.array
    shape = array.shape
    if dim is None:
        rows = array.reshape(-1)
    else:
        dim = _unique_dim("unique_consecutive", input, dim)
        rows, shape = array.swapaxes(0, dim), (array.shape[dim],)
    n, module = rows.shape[0], backend.array_module(array)
    new = module.ones(n, bool)
    if n:
        new[1:] = (rows[1:] != rows[:-1]).reshape(n - 1, math.prod(rows.shape[1:])).any(1)
    starts = new.nonzero()[0]
    out = rows[starts] if dim is None else backend.row_major(rows[starts].swapaxes(0, dim))
    inverse = (module.cumsum(new) - 1).reshape(shape) if return_inverse else None
    counts = module.diff(module.concatenate((starts, module.full(1, n)))) if return_counts else None
    return _results(out, inverse, counts)


# --- searching


def _side(side: Any, right: bool) -> bool:
    if side not in (None, "left", "right"):
        raise ArgumentError(f"searchsorted: side is 'left' or 'right', not {side!r}")
    if side == "left" and right:
        raise ArgumentError("searchsorted: side 'left' and right=True contradict each other")
    return right or side == "right"


def _insertion(sequence: Any, values: Any, right: bool) -> Any:
    """Where values belong in sequences that are sorted along the last dimension, by halving all intervals at once."""
    module = backend.array_module(sequence)
    n = sequence.shape[-1]
    low, high = module.zeros(values.shape, np.int64), module.full(values.shape, n)
    for _ in range(n.bit_length()):
        middle = (low + high) >> 1
        at = np.minimum(middle, n - 1)
        there = sequence.take(at) if sequence.ndim == 1 else np.take_along_axis(sequence, at, -1)
        before = ~(there > values) if right else ~(there >= values)
        before &= low < high
        low, high = np.where(before, middle + 1, low), np.where(before, high, middle)
    return low


def _search(name: str, sequence: Any, values: Any, right: bool, out_int32: bool) -> Tensor:
    a, v = sequence.array, values.array
    if a.dtype.kind == v.dtype.kind == "b" and v.size:
        raise DtypeError(f"{name}: bools have no order here; use .int()")
    if type(a) is not type(v):
        if v.ndim:
            raise explain(name, ("sorted_sequence", "input"), (sequence, values), TypeError("mixed devices"))
        v = backend.to_device(v, sequence.device)
    if a.dtype != v.dtype:
        common = np.promote_types(a.dtype, v.dtype)
        a, v = a.astype(common, copy=False), v.astype(common, copy=False)
    if a.ndim > 1 or bool((a[-1:] != a[-1:]).any()):  # NaN is larger than all for NumPy, in PyTorch's search it is not
        found = _insertion(a, v, right)
    else:
        found = a.searchsorted(v, side="right" if right else "left")
    return wrap(backend.scalar_array(found).astype(np.int32 if out_int32 else np.int64, copy=False))


@composed
def searchsorted(
    sorted_sequence: Tensor,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Tensor | None = None,
) -> Tensor:
    """The indices at which `input` could be inserted so that the sequences stay sorted along their last dimension.

    Arguments: sorted_sequence (one sequence, or of shape (*, n) with one for each row of the input), input (tensor, or
    a number beside one sequence), out_int32 (int32 for int64), right (behind equal elements) or side ("left", "right"),
    sorter (int64 indices that sort the sequences). Returns the input's shape. Raises ShapeError for other shapes.

    >>> import tinygrad_dl as tg
    >>> tg.searchsorted(tg.tensor([1, 3, 5]), tg.tensor([0, 3, 6]))
    tensor([0, 1, 3])
    """
    if not isinstance(sorted_sequence, Tensor):
        raise ArgumentTypeError(f"searchsorted: sorted_sequence must be a Tensor, not {type(sorted_sequence).__name__}")
    right = _side(side, right)
    sequence, shape = sorted_sequence, tuple(sorted_sequence.shape)
    values = as_operand("searchsorted", "input", input)
    if not isinstance(values, Tensor):
        values = _number(values, sequence)
    if not shape:
        raise ShapeError("searchsorted: sorted_sequence is a 0-d tensor; a sequence has a dimension")
    if len(shape) > 1 and shape[:-1] != tuple(values.shape[:-1]):
        raise ShapeError(
            f"searchsorted: sorted_sequence of shape {shape} and input of shape {tuple(values.shape)} must agree "
            "in all dimensions but the last, or the sequence have one dimension"
        )
    if sorter is not None:
        sequence = _sorted_by(sequence, sorter)
    return _search("searchsorted", sequence, values, right, out_int32)


def _number(value: Any, like: Tensor) -> Tensor:
    """A number as a 0-d tensor of the dtype that it takes beside a tensor."""
    module = backend.array_module(like.array)
    floats = isinstance(value, float) and not like.is_floating_point()
    return wrap(
        module.full((), value, np.float64 if floats else like.array.dtype if isinstance(value, float) else None)
    )


def _sorted_by(sequence: Tensor, sorter: Any) -> Tensor:
    if not isinstance(sorter, Tensor):
        raise ArgumentTypeError(f"searchsorted: sorter must be a Tensor of int64, not {type(sorter).__name__}")
    if sorter.array.dtype != np.int64:
        raise DtypeError(f"searchsorted: sorter must hold int64, not {sorter.dtype}; use sorter.long()")
    if sorter.shape != sequence.shape:
        raise ShapeError(f"searchsorted: sorter has shape {tuple(sorter.shape)}, the sequence {tuple(sequence.shape)}")
    require_inside("searchsorted", sorter.array, sequence.shape[-1], "a sequence")
    return gather_along(sequence.detach(), sorter, sequence.ndim - 1)


@composed
def bucketize(input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """The number of the bucket, between sorted boundaries, that each element falls into.

    Arguments: input (tensor or number), boundaries (vector in ascending order), out_int32 (int32 for int64), right
    (whether an element on a boundary falls into the bucket behind it). Raises ShapeError for other boundaries.

    >>> import tinygrad_dl as tg
    >>> tg.bucketize(tg.tensor([0, 3, 6]), tg.tensor([1, 3, 5]))
    tensor([0, 1, 3])
    """
    if not isinstance(boundaries, Tensor):
        raise ArgumentTypeError(f"bucketize: boundaries must be a Tensor, not {type(boundaries).__name__}")
    if boundaries.ndim != 1:
        raise ShapeError(f"bucketize: boundaries must be a vector, their shape is {tuple(boundaries.shape)}")
    values = as_operand("bucketize", "input", input)
    if not isinstance(values, Tensor):
        values = _number(values, boundaries)
    return _search("bucketize", boundaries, values, right, out_int32)


attach(argsort, sort, msort, topk, unique, unique_consecutive)
