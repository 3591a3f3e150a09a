"""Differences of neighbours, what they say of the slope, and the areas between them."""

from typing import Any

import numpy as np

from ..dtypes import FLOATING, get_default_dtype
from ..errors import ArgumentError, ArgumentTypeError, DimensionError, DtypeError, ShapeError
from ..methods import attach
from ..tensor import NUMPY, Tensor, normalize_dim
from .comparison import ne
from .composed import composed
from .cumulative import cumsum
from .joining import cat
from .reduction import cast
from .reduction import sum as sum_
from .shape import clone, dims_of, reshape


def _part(x: Any, dim: int, start: int | None, stop: int | None) -> Any:
    """The elements from start to stop along a dimension."""
    return x[(*(slice(None),) * dim, slice(start, stop))]


def _steps(x: Any, dim: int) -> Any:
    """Each element's distance to the one before it; of bools, whether they differ."""
    later, earlier = _part(x, dim, 1, None), _part(x, dim, None, -1)
    return ne(later, earlier) if x.dtype == np.bool_ else later - earlier


@composed
def diff(input: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """The differences of neighbours along `dim`, `n` times: element i + 1 minus element i.

    Arguments: input (tensor; bools are compared), n (integer), dim (integer), prepend and append (tensors that are
    joined to the input first). The result is n shorter. Raises ShapeError for 0-d tensors, ArgumentError for a
    negative n.

    >>> import tinygrad_dl as tg
    >>> tg.diff(tg.tensor([1, 4, 9]))
    tensor([3, 5])
    """
    joined = [x for x in (prepend, input, append) if x is not None]
    if input.ndim == 0 or any(x.ndim != input.ndim for x in joined):
        shapes = ", ".join(str(tuple(x.shape)) for x in joined)
        raise ShapeError(f"diff: all tensors must have as many dimensions, at least one; shapes {shapes} came")
    if n < 0:
        raise ArgumentError(f"diff: n must be 0 or more, {n} came")
    axis = normalize_dim("diff", dim, input.ndim)
    x = input if len(joined) == 1 else cat(joined, axis)
    for _ in range(min(n, x.shape[axis])):
        x = _steps(x, axis)
    return x if n else clone(x)


# --- slopes


def _slope(y: Any, dim: int, h: Any, edge_order: int) -> Any:
    """The slope along a dimension: central differences inside, on both edges what one side tells.

    h: the distance of neighbours, or all distances as a tensor that lies along the dimension.
    """

    def at(start: int | None, stop: int | None) -> Any:
        return _part(y, dim, start, stop)

    def gap(start: int | None, stop: int | None) -> Any:
        return _part(h, dim, start, stop) if isinstance(h, Tensor) and h.ndim else h

    a, b = gap(None, -1), gap(1, None)  # to the one before and to the one behind
    if a is h:
        inside = (at(2, None) - at(None, -2)) / (2 * h)
    else:
        inside = -b / (a * (a + b)) * at(None, -2) + (b - a) / (a * b) * at(1, -1) + a / (b * (a + b)) * at(2, None)
    if edge_order == 1:
        first, last = (at(1, 2) - at(0, 1)) / gap(0, 1), (at(-1, None) - at(-2, -1)) / gap(-1, None)
    else:
        first = _edge(at(0, 1), at(1, 2), at(2, 3), gap(0, 1), gap(1, 2))
        last = -_edge(at(-1, None), at(-2, -1), at(-3, -2), gap(-1, None), gap(-2, -1))
    return cat([first, inside, last], dim)


def _edge(y0: Any, y1: Any, y2: Any, a: Any, b: Any) -> Any:
    """The slope at y0 of the parabola through three points, the distances between which are a and b."""
    return -(2 * a + b) / (a * (a + b)) * y0 + (a + b) / (a * b) * y1 - a / (b * (a + b)) * y2


def _beside(row: Any, ndim: int, dim: int) -> Any:
    """A row as a tensor of more dimensions that lies along one of them."""
    return reshape(row, tuple([-1 if i == dim else 1 for i in range(ndim)]))


@composed
def gradient(input: Any, *, spacing: Any = None, dim: Any = None, edge_order: int = 1) -> Any:
    """The slopes of sampled values along each dimension, estimated by central differences: a tuple of tensors.

    Arguments: input (tensor), spacing (the distance of neighbours, or for each dimension a distance or the coordinates
    as a 1-d tensor), dim (integer or tuple; None for all), edge_order (1 or 2: lines or parabolas at the edges). Raises
    ShapeError for dimensions with fewer than edge_order + 1 elements.

    >>> import tinygrad_dl as tg
    >>> tg.gradient(tg.tensor([0.0, 1.0, 4.0, 9.0]))
    (tensor([1., 2., 4., 5.]),)
    """
    if edge_order not in (1, 2):
        raise ArgumentError(f"gradient: edge_order is 1 or 2, {edge_order} came")
    if input.dtype in (np.bool_, np.uint8):
        raise DtypeError(f"gradient: {input.dtype} has no negative differences; convert it first with .int()")
    if dim is not None and not input.ndim:
        raise DimensionError(f"gradient: a 0-d tensor has no dimension {dim!r}")
    dims = dims_of("gradient", dim, input.ndim, empty_is_all=False)
    gaps = _gaps(spacing, input, dims)
    if any(input.shape[d] <= edge_order for d in dims):
        raise ShapeError(
            f"gradient: edge_order {edge_order} needs {edge_order + 1} elements along each dimension, shape "
            f"{tuple(input.shape)} came"
        )
    x = input if input.dtype in FLOATING else cast(input, get_default_dtype().numpy)
    return tuple([_slope(x, d, gap, edge_order) for d, gap in zip(dims, gaps)])


def _gaps(spacing: Any, input: Any, dims: tuple[int, ...]) -> list[Any]:
    """The distance of neighbours along each dimension, or all distances."""
    if spacing is None or isinstance(spacing, int | float) or (isinstance(spacing, Tensor) and spacing.ndim == 0):
        return [1 if spacing is None else spacing] * len(dims)
    if not isinstance(spacing, list | tuple) or not all(isinstance(h, int | float | Tensor) for h in spacing):
        raise ArgumentTypeError(
            f"gradient: spacing is a number, or a list of a number or a 1-d tensor for each dimension, not {spacing!r}"
        )
    if len(spacing) != len(dims):
        raise ShapeError(f"gradient: {len(dims)} dimension(s) need as many spacings, {len(spacing)} came")
    for d, given in zip(dims, spacing):
        if isinstance(given, Tensor) and tuple(given.shape) != (input.shape[d],):
            raise ShapeError(
                f"gradient: the coordinates along dimension {d} must have shape ({input.shape[d]},), "
                f"{tuple(given.shape)} came"
            )
    return [
        _beside(_steps(given, 0), input.ndim, d) if isinstance(given, Tensor) else given
        for d, given in zip(dims, spacing)
    ]


# --- areas


def _strips(name: str, y: Any, x: Any, dx: Any, dim: int) -> tuple[Any, int]:
    """Twice the area under each pair of neighbours, and the dimension along which they lie."""
    if y.ndim == 0:
        raise DimensionError(f"{name}: y needs a dimension to integrate along, a 0-d tensor came")
    axis = normalize_dim(name, dim, y.ndim)
    if y.dtype == np.bool_ or (x is not None and x.dtype == np.bool_):
        raise DtypeError(f"{name}: bools have no area; convert them first, for example with .float()")
    heights = _part(y, axis, 1, None) + _part(y, axis, None, -1)
    if x is None:
        return heights * dx, axis
    if x.ndim == 1:
        if x.shape[0] != y.shape[axis]:
            raise ShapeError(f"{name}: x has {x.shape[0]} elements, dimension {axis} of y {y.shape[axis]}")
        return heights * _beside(_steps(x, 0), y.ndim, axis), axis
    places = reshape(x, (1,) * (y.ndim - x.ndim) + tuple(x.shape))
    return heights * _steps(places, axis), axis


@composed
def trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Any:
    """The area under a curve of samples along `dim`, by trapezoids: the sum of (yᵢ + yᵢ₊₁) / 2 · (xᵢ₊₁ - xᵢ).

    Arguments: y (tensor), x (the places of the samples: 1-d or of y's shape) or dx (their distance, 1), dim (integer).
    Raises ShapeError when x does not fit, DtypeError for bools.

    >>> import tinygrad_dl as tg
    >>> tg.trapezoid(tg.tensor([1.0, 2.0, 3.0]))
    tensor(4.)
    """
    if x is None and y.ndim and y.dtype != np.bool_ and y.shape[axis := normalize_dim("trapezoid", dim, y.ndim)]:
        ends = y.select(axis, 0) + y.select(axis, -1)
        return (sum_(y, axis) - ends / 2) * (1 if dx is None else dx)
    strips, axis = _strips("trapezoid", y, x, 1 if dx is None else dx, dim)
    return sum_(strips, axis) / 2


@composed
def cumulative_trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Any:
    """The running area under a curve of samples along `dim`, by trapezoids; one element shorter than y.

    Arguments as for `trapezoid`.

    >>> import tinygrad_dl as tg
    >>> tg.cumulative_trapezoid(tg.tensor([1.0, 2.0, 3.0]))
    tensor([1.5000, 4.0000])
    """
    strips, axis = _strips("cumulative_trapezoid", y, x, 1 if dx is None else dx, dim)
    return cumsum(strips, axis) / 2


@composed
def trapz(y: Any, x: Any = None, *, dx: Any = 1, dim: int = -1) -> Any:
    """The older name of `trapezoid`.

    >>> import tinygrad_dl as tg
    >>> tg.trapz(tg.tensor([1.0, 2.0, 3.0]), dx=2)
    tensor(8.)
    """
    return trapezoid(y, x, dx=dx, dim=dim)


attach(diff)
NUMPY |= {np.diff: lambda a, n=1, axis=-1: diff(a, n, axis)}
