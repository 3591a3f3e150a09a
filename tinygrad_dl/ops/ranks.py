"""What depends on the order of the elements: medians, the k-th smallest, the most frequent, quantiles.

Each finds *places* first, which have no derivative, and reads the elements there. NaN counts as the largest.
"""

from typing import Any

import numpy as np

from .. import backend
from ..dtypes import FLOATING
from ..errors import ArgumentError, ArgumentTypeError, DimensionError, DtypeError, ShapeError
from ..methods import attach
from ..operation import operation
from ..return_types import named_result
from ..tensor import Tensor, normalize_dim, wrap
from .composed import composed
from .cumulative import scan
from .elementwise import where
from .extremes import evenly_rule, extreme, picking
from .indexing import gather_along
from .shape import clone, permute, reshape

# --- one element of each row


def _whole(name: str, x: Any) -> Any:
    """The input, if its elements have an order."""
    if x.dtype == np.bool_:
        raise DtypeError(f"{name}: bools have no {name}; convert them first, for example with .int()")
    return x


def _at(axis: int, start: int, stop: int | None) -> tuple[slice, ...]:
    return (*(slice(None),) * axis, slice(start, stop))


def _first(mask: Any, axis: int) -> Any:
    """Where the first True is along an axis, which keeps size 1."""
    return mask.argmax(axis=axis, keepdims=True)


def _like(x: Any, value: Any) -> Any:
    """Which elements equal one of their row; NaN equals NaN."""
    alike, undefined = x == value, value != value
    return alike | ((x != x) & undefined) if int(np.count_nonzero(undefined)) else alike


def _place_of(x: Any, value: Any, rank: Any, axis: int, undefined: bool = True) -> Any:
    """Where the element of a rank and this value is along an axis; equal elements keep their order.

    undefined: whether one of the values may be NaN.
    """
    alike = _like(x, value) if undefined else x == value
    if int(np.count_nonzero(alike)) == value.size:
        return _first(alike, axis)
    below = np.where(value == value, x < value, x == x).sum(axis=axis, keepdims=True)
    return _first(np.cumsum(alike, axis) == rank - below + 1, axis)


def _find_kth(x: Any, axis: int, k: int) -> Any:
    value = np.partition(_whole("kthvalue", x), k - 1, axis)[_at(axis, k - 1, k)]
    return value, _place_of(x, value, k - 1, axis)


def _find_median(x: Any, axis: int, option: None) -> Any:
    """The lower median; the first NaN where there is one."""
    n = x.shape[axis]
    middle = (n - 1) // 2
    ordered = np.partition(_whole("median", x), (middle, n - 1), axis)
    value, last = ordered[_at(axis, middle, middle + 1)], ordered[_at(axis, n - 1, None)]
    undefined = last != last
    if not int(np.count_nonzero(undefined)):
        return value, _place_of(x, value, middle, axis, False)
    place = _place_of(x, value, middle, axis)
    return np.where(undefined, last, value), np.where(undefined, _first(x != x, axis), place)


def _find_nanmedian(x: Any, axis: int, option: None) -> Any:
    middle = np.maximum((_whole("nanmedian", x) == x).sum(axis=axis, keepdims=True) - 1, 0) // 2
    if middle.size == 0:
        return middle.astype(x.dtype), middle
    value = np.take_along_axis(np.partition(x, np.unique(middle).tolist(), axis), middle, axis)
    return value, _place_of(x, value, middle, axis)


def _find_mode(x: Any, axis: int, option: None) -> Any:
    """The most frequent element, the smallest of several, and its last place."""
    rows = np.sort(x.swapaxes(axis, -1), -1)
    n = rows.shape[-1]
    position = backend.array_module(x).arange(n)
    start = backend.array_module(x).zeros(rows.shape, np.int64)
    start[..., 1:] = np.where(rows[..., 1:] != rows[..., :-1], position[1:], 0)
    length = position - scan(lambda first, then: [np.maximum(first[0], then[0])], [start])[0]
    value = np.take_along_axis(rows, length.argmax(axis=-1)[..., None], -1).swapaxes(axis, -1)
    backwards = (*(slice(None),) * axis, slice(None, None, -1))
    return value, n - 1 - _first(_like(x, value)[backwards], axis)


_median_along, _nanmedian_along = picking("median", _find_median), picking("nanmedian", _find_nanmedian)
_mode_along, _kth_along = picking("mode", _find_mode), picking("kthvalue", _find_kth)


@operation("median", input=evenly_rule)
def _median_of_all(input: Any, skip: bool) -> Any:
    """The lower median of all elements; NaN if one is NaN, or, with `skip`, that of the others."""
    row, name = input.reshape(-1), "nanmedian" if skip else "median"
    if row.size == 0 and row.dtype in FLOATING:
        return np.sum(row) * np.nan
    if row.size == 0:
        raise DimensionError(f"{name}: an empty tensor (shape {tuple(input.shape)}) of integers has no median")
    largest = extreme("max", _whole(name, row), None, False)
    if largest != largest:
        known = row[row == row]
        if not skip or known.size == 0:
            return largest
        row = known
    return np.partition(row, (row.size - 1) // 2)[(row.size - 1) // 2]


_Median = named_result("median", "values", "indices")
_Nanmedian = named_result("nanmedian", "values", "indices")
_Mode = named_result("mode", "values", "indices")
_Kthvalue = named_result("kthvalue", "values", "indices")


@composed
def median(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The lower median of all elements; with `dim` (values, indices) along it. NaN where an element is NaN.

    Arguments: input (tensor), dim (integer or None for all), keepdim. Over all elements those equal to the median share
    the gradient evenly, along a dimension the element at the index gets it. Raises DtypeError for bools.

    >>> import tinygrad_dl as tg
    >>> tg.median(tg.tensor([3.0, 1.0, 2.0, 4.0]))
    tensor(2.)
    """
    return _median_of_all(input, False) if dim is None else _Median(*_median_along(input, dim, keepdim))


@composed
def nanmedian(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The lower median of the elements that are not NaN; with `dim` (values, indices) along it.

    Arguments and gradients as for `median`.

    >>> import tinygrad_dl as tg
    >>> tg.nanmedian(tg.tensor([3.0, float("nan"), 2.0]))
    tensor(2.)
    """
    return _median_of_all(input, True) if dim is None else _Nanmedian(*_nanmedian_along(input, dim, keepdim))


@composed
def mode(input: Any, dim: int = -1, keepdim: bool = False) -> Any:
    """The most frequent element along `dim`: (values, indices); the smallest of several, and its last place.

    Arguments: input (tensor), dim (integer), keepdim. The gradient goes to the element at the index.

    >>> import tinygrad_dl as tg
    >>> tg.mode(tg.tensor([2, 1, 2, 1, 3])).values
    tensor(1)
    """
    return _Mode(*_mode_along(input, dim, keepdim))


@composed
def kthvalue(input: Any, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """The k-th smallest element along `dim`: (values, indices).

    Arguments: input (tensor), k (from 1 to the size), dim (integer), keepdim. The gradient goes to the element at the
    index. Raises ArgumentError for another k, DtypeError for bools.

    >>> import tinygrad_dl as tg
    >>> tg.kthvalue(tg.tensor([3.0, 1.0, 2.0]), 2).values
    tensor(2.)
    """
    axis = normalize_dim("kthvalue", dim, input.ndim)
    n = input.shape[axis] if input.ndim else 1
    if n and not 1 <= k <= n:
        raise ArgumentError(f"kthvalue: k is from 1 to the size of dimension {axis}, {n}; {k} came")
    return _Kthvalue(*_kth_along(input, axis, keepdim, k))


# --- quantiles

_ROUNDINGS: dict[str, Any] = {"lower": np.floor, "higher": np.ceil, "nearest": np.round}
_INTERPOLATIONS = ("linear", *_ROUNDINGS, "midpoint")


@operation()
def _last_ranks(input: Any, skip: bool) -> Any:
    """The largest rank of rows: of all elements, or of those that are not NaN."""
    counted = input == input if skip else input.astype(bool) | True
    return np.maximum(counted.sum(axis=-1, keepdims=True) - 1, 0).astype(input.dtype)


@operation()
def _undefined(input: Any) -> Any:
    """Which rows hold a NaN."""
    return (input != input).any(axis=-1, keepdims=True)


def _ranks(rows: Any, q: Any, skip: bool) -> Any:
    """Where in the ordered rows the quantiles lie, 0 to n - 1; in rows with a NaN where that is, at the end."""
    last = _last_ranks(rows, skip)
    return q * last if skip else where(_undefined(rows), last, q * last)


@operation()
def _places_of(input: Any, ranks: Any) -> Any:
    """The places of the elements of whole ranks in rows; equal elements keep their order."""
    return np.take_along_axis(np.argsort(input, -1, kind="stable"), ranks.astype(np.int64), -1)


@operation("floor")
def _rounded(input: Any, how: str) -> Any:
    return _ROUNDINGS[how](input)


def _at_ranks(rows: Any, ranks: Any, interpolation: str) -> Any:
    """The elements of rows at ranks, between two of them as asked."""
    last = rows.ndim - 1
    if interpolation in _ROUNDINGS:
        return gather_along(rows, _places_of(rows, _rounded(ranks, interpolation)), last)
    lower = _rounded(ranks, "lower")
    below = gather_along(rows, _places_of(rows, lower), last)
    above = gather_along(rows, _places_of(rows, _rounded(ranks, "higher")), last)
    if interpolation == "midpoint":
        return above - (above - below) / 2
    part = ranks - lower
    step = above - below
    return where(part < 0.5, below + part * step, above - (1 - part) * step)  # from the nearer one, as infinities need


def _quantile(name: str, input: Any, q: Any, dim: Any, keepdim: bool, interpolation: str, skip: bool) -> Any:
    if input.dtype not in (np.float32, np.float64):
        raise DtypeError(f"{name}: input must be float32 or float64, {input.dtype} came; use input.float()")
    q = _chances(name, input, q)
    if interpolation not in _INTERPOLATIONS:
        raise ArgumentError(f"{name}: interpolation is one of {', '.join(_INTERPOLATIONS)}; {interpolation!r} came")
    axis = 0 if dim is None else normalize_dim(name, dim, input.ndim)
    rows = reshape(input, (-1,)) if dim is None or not input.ndim else input
    if input.numel() == 0:
        raise ArgumentError(f"{name}: an empty tensor (shape {tuple(input.shape)}) has no quantiles")
    order = [*(i for i in range(rows.ndim) if i != axis), axis]
    rows = permute(rows, order)
    found = _at_ranks(rows, _ranks(rows, reshape(q, (-1,)), skip), interpolation)
    found = permute(found, (found.ndim - 1, *range(found.ndim - 1)))  # one q after the other
    shape = list(rows.shape[:-1])
    if keepdim:
        shape = [1] * input.ndim if dim is None else [1 if i == axis else n for i, n in enumerate(input.shape)]
    return clone(reshape(found, (*q.shape, *shape)))


def _chances(name: str, input: Any, q: Any) -> Any:
    """The q of quantiles as a tensor of the input's dtype."""
    if not isinstance(q, Tensor):
        if not isinstance(q, int | float):
            raise ArgumentTypeError(f"{name}: q must be a number or a tensor, {type(q).__name__} came")
        if not 0 <= q <= 1:
            raise ArgumentError(f"{name}: q lies between 0 and 1, {q} came")
        return wrap(backend.array_module(input.array).zeros((), input.array.dtype) + input.array.dtype.type(q))
    if q.ndim > 1:
        raise ShapeError(f"{name}: q is a number or a row of them, shape {tuple(q.shape)} came")
    if q.dtype != input.dtype:
        raise DtypeError(f"{name}: q must have the input's dtype, {input.dtype}; {q.dtype} came")
    if q.numel() and not bool(((q >= 0) & (q <= 1)).all()):
        raise ArgumentError(f"{name}: q lies between 0 and 1, {q.min().item()} to {q.max().item()} came")
    return q


@composed
def quantile(input: Any, q: Any, dim: Any = None, keepdim: bool = False, *, interpolation: str = "linear") -> Any:
    """The values below which a share `q` of the elements lies, over all of them or along `dim`.

    Arguments: input (float32 or float64), q (number or 1-d tensor of the input's dtype, 0 to 1), dim (integer or None
    for all), keepdim, interpolation between two elements ("linear", "lower", "higher", "midpoint", "nearest"). A row of
    q gives a first dimension. NaN where an element is NaN. Raises ArgumentError for an empty tensor.

    >>> import tinygrad_dl as tg
    >>> tg.quantile(tg.tensor([0.0, 1.0, 2.0, 3.0]), tg.tensor([0.5, 1.0]))
    tensor([1.5000, 3.0000])
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation, False)


@composed
def nanquantile(input: Any, q: Any, dim: Any = None, keepdim: bool = False, *, interpolation: str = "linear") -> Any:
    """The quantiles of the elements that are not NaN.

    Arguments as for `quantile`.

    >>> import tinygrad_dl as tg
    >>> tg.nanquantile(tg.tensor([0.0, float("nan"), 2.0]), 0.5)
    tensor(1.)
    """
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation, True)


attach(median, nanmedian, mode, kthvalue, quantile, nanquantile)
