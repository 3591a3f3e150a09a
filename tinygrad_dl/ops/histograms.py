"""Histograms: how many elements, or how much weight, fall between edges. None has a derivative."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import backend
from ..dtypes import FLOATING
from ..errors import ArgumentError, ArgumentTypeError, DtypeError, ShapeError
from ..methods import attach
from ..operation import operation
from ..return_types import named_result
from ..tensor import Tensor
from .blocks import blockwise
from .composed import composed
from .elementwise import where
from .reduction import sum as sum_
from .shape import reshape

# --- counting


@operation()
def _tally(places: Any, weights: Any, n: int) -> Any:
    """How often each of the places 0 to n - 1 comes, or how much weighs there."""
    return np.bincount(places, weights, n)


@operation()
def _counts(places: Any, n: int, weights: Any = None) -> Any:
    """The same of places in any shape, where -1 is none."""
    flat = places.reshape(-1)
    inside = flat >= 0
    weights = None if weights is None else weights.reshape(-1)[inside]
    return np.bincount(flat[inside], weights, n)


@composed
def bincount(input: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often each of the integers 0, 1, 2, … occurs, or with `weights` the sum of their weights.

    Arguments: input (1-d, integers of 0 or more), weights (of the same shape, or None), minlength (of the result).
    Returns int64; with weights float32 for float32, else float64. Raises ShapeError for more dimensions, ArgumentError
    for negative integers, DtypeError for others than integers.

    >>> import tinygrad_dl as tg
    >>> tg.bincount(tg.tensor([1, 3, 1]))
    tensor([0, 2, 0, 1])
    """
    if input.dtype.category != 1:
        raise DtypeError(f"bincount: integers are counted, {input.dtype} came; use input.long()")
    if input.ndim != 1:
        raise ShapeError(f"bincount: input must have one dimension, shape {tuple(input.shape)} came; use flatten()")
    if minlength < 0:
        raise ArgumentError(f"bincount: minlength must be 0 or more, {minlength} came")
    if input.numel() and input.min().item() < 0:
        raise ArgumentError(f"bincount: integers of 0 or more are counted, {input.min().item()} came")
    if weights is not None and weights.shape != input.shape:
        raise ShapeError(f"bincount: weights have shape {tuple(weights.shape)}, the input {tuple(input.shape)}")
    n = max(input.max().item() + 1 if input.numel() else 0, minlength)
    found = _tally(input, weights, n)
    if weights is None or (input.numel() and weights.dtype != np.float32):
        return found
    return found.to(weights.dtype if input.numel() else np.int64)  # of nothing it is a count, as in PyTorch


# --- edges


@operation()
def _between(input: Any, edges: Any) -> Any:
    """Between which edges each element lies: 0 for the first two; -1 outside. The last edge belongs to the last bin."""
    last = edges.shape[0] - 1
    if input.dtype.itemsize > 2 and last < 1 << 20 and _are_even(edges):
        return blockwise(lambda x: _between_even(x, edges))(input)
    place = np.searchsorted(edges, input.reshape(-1), "right").reshape(input.shape) - 1
    place = np.where(input == edges[last], last - 1, place)
    return np.where((place < last) & (input == input), place, -1)


def _are_even(edges: Any) -> bool:
    """Whether edges lie so nearly at even distances that a division finds the right two, or their neighbours."""
    last = edges.shape[0] - 1
    step = (edges[last] - edges[0]) / last
    even = edges[0] + step * backend.array_module(edges).arange(last + 1)
    return bool(step > 0) and bool((np.absolute(edges - even) < step / 4).all())


def _between_even(x: Any, edges: Any) -> Any:
    last = edges.shape[0] - 1
    inside = (x >= edges[0]) & (x <= edges[last])
    place = (np.where(inside, x - edges[0], 0) * (last / (edges[last] - edges[0]))).astype(np.int64)
    place = np.minimum(place, last - 1)
    place = place - (x < edges.take(place))
    place = place + (x >= edges.take(place + 1))
    return np.where(inside, np.minimum(place, last - 1), -1)


@operation()
def _evenly_between(input: Any, low: float, high: float, bins: int) -> Any:
    """The same for edges at even distances from low to high, by division."""
    kind = input.dtype.type
    inside = (input >= kind(low)) & (input <= kind(high))
    place = np.where(inside, (input - kind(low)) * kind(bins) / kind(high - low), 0).astype(np.int64)
    return np.where(inside, np.minimum(place, bins - 1), -1)


@operation()
def _even_edges(input: Any, low: float, high: float, bins: int) -> Any:
    """bins + 1 edges at even distances, counted from the nearer end."""
    number = backend.array_module(input).arange(bins + 1)
    step = (high - low) / bins
    return np.where(number < (bins + 1) // 2, low + number * step, high - (bins - number) * step).astype(input.dtype)


def _limits(name: str, input: Any, low: float, high: float, asked: bool, widen: float) -> tuple[float, float]:
    """The outer edges: as asked, or the extremes of the data, made to differ."""
    if not asked and input.numel():
        low, high = input.min().item(), input.max().item()
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ArgumentError(f"{name}: the range must be finite, {low} to {high} came; say which one to count in")
    if high < low:
        raise ArgumentError(f"{name}: the range must not end before it begins, {low} to {high} came")
    return (low - widen, high + widen) if low == high else (low, high)


def _check_bins(name: str, bins: Any) -> int:
    if type(bins) is not int:
        raise ArgumentTypeError(f"{name}: bins must be an integer, {bins!r} came")
    if bins < 1:
        raise ArgumentError(f"{name}: there must be at least one bin, {bins} came")
    return bins


def _check_input(name: str, input: Any) -> None:
    if input.dtype not in FLOATING:
        raise DtypeError(f"{name}: floating numbers are needed, {input.dtype} came; use input.float()")


# --- histograms


@composed
def histc(input: Any, bins: int = 100, min: float = 0, max: float = 0) -> Any:
    """How many elements fall into each of `bins` equal parts of the range from `min` to `max`.

    Arguments: input (floating tensor), bins (integer), min and max (numbers; the extremes of the data if both are 0).
    Elements outside are left out. Returns `bins` counts in the input's dtype. Raises ArgumentError for a range that is
    not finite.

    >>> import tinygrad_dl as tg
    >>> tg.histc(tg.tensor([1.0, 2.0, 1.0, 4.0]), bins=4, min=0, max=4)
    tensor([0., 2., 1., 1.])
    """
    _check_input("histc", input)
    bins = _check_bins("histc", bins)
    low, high = _limits("histc", input, min, max, min != max, 1)
    return _counts(_evenly_between(input, low, high, bins), bins).to(input.dtype)


_Histogram = named_result("histogram", "hist", "bin_edges")
_Histogramdd = named_result("histogramdd", "hist", "bin_edges")


def _edges(name: str, input: Any, bins: Any, limits: Any) -> Any:
    """The edges along one dimension: the user's, or even ones."""
    if isinstance(bins, Tensor):
        if bins.dtype != input.dtype:
            raise DtypeError(f"{name}: the edges must have the input's dtype, {input.dtype}; {bins.dtype} came")
        if bins.ndim != 1 or bins.shape[0] < 2:
            raise ArgumentError(f"{name}: the edges are a row of two or more, shape {tuple(bins.shape)} came")
        return bins.detach()
    low, high = (0.0, 1.0) if limits is None else limits
    low, high = _limits(name, input, low, high, limits is not None, 0.5)
    return _even_edges(input, low, high, _check_bins(name, bins))


def _histogram(name: str, points: Any, edges: list[Any], weight: Any, density: bool) -> Any:
    """The counts of points, whose coordinates stand along the last dimension, in the cells between edges."""
    if weight is not None:
        if weight.dtype != points.dtype:
            raise DtypeError(f"{name}: weight must have the input's dtype, {points.dtype}; {weight.dtype} came")
        if weight.shape != points.shape[:-1]:
            raise ShapeError(f"{name}: weight has shape {tuple(weight.shape)}, the points {tuple(points.shape[:-1])}")
    sizes = tuple([edge.shape[0] - 1 for edge in edges])
    place: Any = 0
    outside: Any = False
    for i, (edge, n) in enumerate(zip(edges, sizes)):
        along = _between(points[..., i], edge)
        place, outside = place * n + along, (along < 0) | outside
    counts = _counts(where(outside, -1, place), math.prod(sizes), weight)
    hist = reshape(counts.to(points.dtype), sizes)
    if density:
        hist = hist / sum_(hist)
        for i, edge in enumerate(edges):
            hist = hist / reshape(edge[1:] - edge[:-1], (-1,) + (1,) * (len(edges) - i - 1))
    return hist


@composed
def histogram(input: Any, bins: Any, *, range: Any = None, weight: Any = None, density: bool = False) -> Any:
    """How many elements fall between edges: (hist, bin_edges).

    Arguments: input (floating tensor), bins (how many equal ones, or the edges as a 1-d tensor), range (the outer
    edges; the extremes of the data if None), weight (of the input's shape), density (whether the area becomes 1). The
    last bin includes its right edge; what lies outside is left out. Raises ArgumentError for an infinite range.

    >>> import tinygrad_dl as tg
    >>> tg.histogram(tg.tensor([1.0, 2.0, 1.0]), bins=2, range=(0.0, 4.0)).hist
    tensor([2., 1.])
    """
    _check_input("histogram", input)
    if weight is not None and weight.shape != input.shape:
        raise ShapeError(f"histogram: weight has shape {tuple(weight.shape)}, the input {tuple(input.shape)}")
    flat = reshape(input.detach(), (-1,))
    edges = _edges("histogram", flat, bins, range)
    weights = None if weight is None else reshape(weight.detach(), (-1,))
    return _Histogram(_histogram("histogram", reshape(flat, (-1, 1)), [edges], weights, density), edges)


@composed
def histogramdd(input: Any, bins: Any, *, range: Any = None, weight: Any = None, density: bool = False) -> Any:
    """How many points fall into the cells between edges along each coordinate: (hist, bin_edges).

    Arguments: input (..., d) of points with d coordinates, bins (an integer for all, or for each coordinate an integer
    or the edges), range (2 · d outer edges in a row), weight (...), density (whether the volume becomes 1). Returns
    counts with d dimensions and a tuple of d rows of edges. Raises ShapeError, ArgumentError.

    >>> import tinygrad_dl as tg
    >>> tg.histogramdd(tg.tensor([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), bins=[2, 2]).hist
    tensor([[0., 1.],
            [1., 1.]])
    """
    _check_input("histogramdd", input)
    d = input.shape[-1] if input.ndim > 1 else 0
    if not d:
        raise ShapeError(f"histogramdd: points stand in rows (n, d), shape {tuple(input.shape)} came")
    each = list(bins) if isinstance(bins, Sequence) else [bins] * d
    if len(each) != d or (range is not None and len(range) != 2 * d):
        raise ShapeError(f"histogramdd: points of {d} coordinates need bins for each and {2 * d} numbers as range")
    points = input.detach()
    edges = [
        _edges("histogramdd", points[..., i], given, None if range is None else range[2 * i : 2 * i + 2])
        for i, given in enumerate(each)
    ]
    weights = None if weight is None else weight.detach()
    return _Histogramdd(_histogram("histogramdd", points, edges, weights, density), tuple(edges))


attach(bincount, histc, histogram)
