"""Normalisation of big NumPy arrays in blocks that fit the cache: the statistics, the result, the rule.

Three ways in which an array lies: each row has its statistics and each column its weight (layer norm), each column has
both (batch norm of vectors), or each row, which is a map, has both (batch norm of images, groups, instances). Where a
scale or a shift differs along rows and columns at once, a product of two vectors spreads it out: NumPy's own
broadcasting takes twice as long as two whole arrays do.
"""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ..backend import HOST
from .blocks import BLOCK

Sizes = tuple[int, ...]
Moments = tuple[Any, Any]
SMALL, SHORT = 4096, 16  # elements, and elements of a map, below which there is nothing to gain
LARGE = 2 * BLOCK  # for rows and columns, whose blocks take up to twenty calls: fewer gain more than a nearer cache
SEVERAL = 1 << 18  # elements for whose rows numbers are computed by many short calls; four times as many of one array
_WIDE = (np.dtype(np.float32), np.dtype(np.float64))


class Kernels(NamedTuple):
    """What is computed in blocks for one of the three ways."""

    moments: Any  # of (input, view): means and variances; None where these are not asked for by themselves
    forward: Any
    backward: Any


def kernels_of(input: Any, sizes: Sizes, dims: Sizes) -> Kernels | None:
    """The kernels for an array seen in the shape `sizes`, with statistics over `dims`; None without any."""
    if type(input) is not HOST or input.size < SMALL or input.dtype not in _WIDE:
        return None
    if len(sizes) == 2:
        return ROWS if dims == (1,) else COLUMNS
    return MAPS if sizes[-1] >= SHORT else None


def _blocks(matrix: Any, block: int = BLOCK) -> Iterator[slice]:
    count = max(block // matrix.shape[1], 1)
    return (slice(start, start + count) for start in range(0, len(matrix), count))


def _scratch(like: Any, block: int = BLOCK) -> Any:
    """Memory for one block of a matrix."""
    return np.empty((min(max(block // like.shape[1], 1), len(like)), like.shape[1]), like.dtype)


# --- rows: each row has its mean and variance, each column its weight and bias


def _forward_of_rows(
    input: Any, weight: Any, bias: Any, moments: Moments | None, centered: bool, eps: float, view: Any
) -> tuple[Any, Any, Any]:
    """The result, the means (None if not wanted) and one over the deviations."""
    x = input.reshape(view[0])
    out, width, room = np.empty(input.shape, x.dtype), x.shape[1], _scratch(x, LARGE)
    center = np.empty((len(x), 1), x.dtype) if centered else None
    scale = np.empty((len(x), 1), x.dtype)
    w = np.ones(width, x.dtype) if weight is None else weight.reshape(-1)
    b = np.zeros(width, x.dtype) if bias is None else bias.reshape(-1)
    along, below = np.stack([w, np.zeros_like(w)]), np.stack([w, b])
    for several in _blocks(x, 4 * SEVERAL):
        part, o, r = x[several], out.reshape(x.shape)[several], scale[several, 0]
        m = None if center is None else center[several, 0]
        part, m = _moments_of_rows(part, m, r, o)
        np.divide(1, np.sqrt(r + eps), out=r)
        slopes = _pairs(r, 0)
        levels = None if m is None and bias is None else _pairs(np.zeros_like(r) if m is None else -m * r, 1)
        for rows in _blocks(part, LARGE):
            few = o[rows]
            spread = room[: len(few)]
            np.multiply(part[rows], np.dot(slopes[rows], along, out=spread), out=few)
            if levels is not None:  # b - m r w
                few += np.dot(levels[rows], below, out=spread)
    return out, center, scale


def _moments_of_rows(x: Any, center: Any, variance: Any, room: Any) -> tuple[Any, Any]:
    """Sets means (unless None) and variances. Returns x and the means to subtract, or, if large, x without them."""
    width = x.shape[1]
    np.divide(np.vecdot(x, x), width, out=variance)
    if center is None:
        return x, None
    np.divide(x.dot(np.ones(width, x.dtype)), width, out=center)
    level = center * center
    if (level + level <= variance).all():  # then at most one bit of the difference is lost; not with a NaN
        variance -= level
        return x, center
    x = np.subtract(x, center[:, None], out=room)
    np.divide(np.vecdot(x, x), width, out=variance)
    return x, None


def _pairs(first: Any, second: int) -> Any:
    """A column and a number beside it: by two rows they are sooner multiplied than one column by one row."""
    out = np.empty((len(first), 2), first.dtype)
    out[:, 0], out[:, 1] = first, second
    return out


def _backward_of_rows(
    g: Any, needs: Any, input: Any, weight: Any, own: bool, view: Any, center: Any, scale: Any
) -> tuple[Any, Any, Any]:
    """The gradients of input, weight and bias."""
    x, g, dx = input.reshape(view[0]), g.reshape(view[0]), np.empty(input.shape, input.dtype)
    width, room = x.shape[1], _scratch(x, LARGE)
    dw, of_ones = np.zeros(width, x.dtype), np.zeros((2, width), x.dtype)
    w = np.ones(width, x.dtype) if weight is None else weight.reshape(-1)
    along, across = (np.stack([row, np.zeros_like(w)]) for row in (w, np.ones_like(w)))
    for several in _blocks(x, SEVERAL):
        part, upstream, o, r = x[several], g[several], dx.reshape(x.shape)[several], scale[several, 0]
        m = np.zeros_like(r) if center is None else center[several, 0]
        if not ((m * r) ** 2 <= 1).all():  # as for the moments
            part, m = part - m[:, None], np.zeros_like(r)
        products, sums = np.empty_like(r), upstream.dot(w)
        if needs[1] or needs[2]:
            of_ones += np.stack([m * r, np.ones_like(r)]).dot(upstream)
        for rows in _blocks(part, LARGE):
            p = np.multiply(upstream[rows], part[rows], out=room[: len(r[rows])])
            np.dot(p, w, out=products[rows])
            if needs[1]:
                dw += r[rows].dot(p)
        if not needs[0]:
            continue
        slope = (products - m * sums) * (r * r * r / -width)
        slopes, backs = _pairs(r, 0), _pairs(slope, 0)
        levels = None if center is None else _pairs(sums * (r / -width) - slope * m, 0)
        for rows in _blocks(part, LARGE):
            few = o[rows]
            spread = room[: len(few)]
            np.multiply(upstream[rows], np.dot(slopes[rows], along, out=spread), out=few)
            few += np.multiply(part[rows], np.dot(backs[rows], across, out=spread), out=spread)
            if levels is not None:
                few += np.dot(levels[rows], across, out=spread)
    return dx, dw - of_ones[0], of_ones[1]


# --- columns: each column has its mean, variance, weight and bias


def _moments_of_columns(input: Any, view: Any) -> Moments:
    """The mean and the variance of each column."""
    x = input.reshape(view[0])
    over, room = np.full(len(x), 1 / len(x), x.dtype), _scratch(x, LARGE)
    center, squares = over.dot(x), np.zeros(x.shape[1], x.dtype)
    for rows in _blocks(x, LARGE):
        squares += over[rows].dot(np.multiply(x[rows], x[rows], out=room[: len(over[rows])]))
    level = center * center
    if (level + level <= squares).all():  # as for rows
        return center, squares - level
    missed, squares = np.zeros_like(center), np.zeros_like(center)  # missed: of the mean, what rounding left out
    for rows in _blocks(x, LARGE):
        c = np.subtract(x[rows], center, out=room[: len(over[rows])])
        missed += over[rows].dot(c)
        squares += over[rows].dot(np.multiply(c, c, out=c))
    return center + missed, squares - missed * missed


def _forward_of_columns(
    input: Any, weight: Any, bias: Any, moments: Moments | None, centered: bool, eps: float, view: Any
) -> tuple[Any, Any, Any]:
    """The result, the means and one over the deviations."""
    center, variance = _moments_of_columns(input, view) if moments is None else moments
    scale, x = 1 / np.sqrt(variance + eps), input.reshape(view[0])
    slope, shift = _line(weight, bias, center, scale, view[2])
    out = np.empty(input.shape, x.dtype)
    for rows in _blocks(x, LARGE):
        o = np.multiply(x[rows], slope, out=out.reshape(x.shape)[rows])
        o += shift
    return out, center, scale


def _backward_of_columns(
    g: Any, needs: Any, input: Any, weight: Any, own: bool, view: Any, center: Any, scale: Any
) -> tuple[Any, Any, Any]:
    """The gradients of input, weight and bias."""
    x, g = input.reshape(view[0]), g.reshape(view[0])
    ones, room = np.ones(len(x), x.dtype), _scratch(x, LARGE)
    db, dw = ones.dot(g), np.zeros(x.shape[1], x.dtype)
    near = ((center * scale) ** 2 <= 1).all()  # as for the moments
    for rows in _blocks(x, LARGE):
        c = x[rows] if near else np.subtract(x[rows], center, out=room[: len(ones[rows])])
        dw += ones[rows].dot(np.multiply(c, g[rows], out=room[: len(c)]))
    if near:
        dw -= center * db
    dw *= scale
    if not needs[0]:
        return None, dw, db
    slope = scale if weight is None else scale * weight.reshape(-1)
    dx = np.empty(input.shape, x.dtype)
    back = slope * scale * dw / -len(x)
    level = slope * db / -len(x) - center * back
    for rows in _blocks(x, LARGE):
        o = np.multiply(g[rows], slope, out=dx.reshape(x.shape)[rows])
        if own:
            c = np.multiply(x[rows], back, out=room[: len(o)])
            c += level
            o += c
    return dx, dw, db


# --- maps: each row, a map of one channel of one sample, has mean, variance, weight and bias, which several may share


def _moments_of_maps(input: Any, view: Any) -> Moments:
    """The means and variances: of each map, and then of the maps that share them."""
    sizes, dims, _ = view
    x = input.reshape(-1, sizes[-1])
    means, squares = np.empty(len(x), x.dtype), np.empty(len(x), x.dtype)
    for several in _blocks(x, SEVERAL):
        _moments_of_rows(x[several], means[several], squares[several], None)
    maps, shared = (*sizes[:-1], 1), dims[:-1]
    means, squares = means.reshape(maps), squares.reshape(maps)
    center = means.mean(shared, keepdims=True) if shared else means
    means = means - center
    squares += means * means
    return center, squares.mean(shared, keepdims=True) if shared else squares


def _forward_of_maps(
    input: Any, weight: Any, bias: Any, moments: Moments | None, centered: bool, eps: float, view: Any
) -> tuple[Any, Any, Any]:
    """The result, the means and one over the deviations."""
    sizes, _, affine = view
    center, variance = _moments_of_maps(input, view) if moments is None else moments
    scale, x = 1 / np.sqrt(variance + eps), input.reshape(-1, sizes[-1])
    slope, shift = [_of_maps(v, sizes) for v in _line(weight, bias, center, scale, affine)]
    out = np.empty(input.shape, x.dtype)
    for rows in _blocks(x):
        o = np.multiply(x[rows], slope[rows], out=out.reshape(x.shape)[rows])
        o += shift[rows]
    return out, center, scale


def _backward_of_maps(
    g: Any, needs: Any, input: Any, weight: Any, own: bool, view: Any, center: Any, scale: Any
) -> tuple[Any, Any, Any]:
    """The gradients of input, weight and bias."""
    sizes, dims, affine = view
    x, g = input.reshape(-1, sizes[-1]), g.reshape(-1, sizes[-1])
    ones, room, means = np.ones(x.shape[1], x.dtype), _scratch(x), _of_maps(center, sizes)
    sums, products = np.empty(len(x), x.dtype), np.empty(len(x), x.dtype)
    near = ((center * scale) ** 2 <= 1).all()  # as for the moments
    for several in _blocks(x, SEVERAL):
        np.dot(g[several], ones, out=sums[several])
        np.vecdot(g[several], x[several] if near else x[several] - means[several], out=products[several])
    if near:
        products -= means[:, 0] * sums
    sums, products = [v.reshape(*sizes[:-1], 1) for v in (sums, products)]
    products *= scale
    repeated = tuple([i for i in range(len(sizes)) if i < len(sizes) - len(affine) or affine[i - len(sizes)] == 1])
    dw, db = products.sum(repeated), sums.sum(repeated)
    if not needs[0]:
        return None, dw, db
    w = 1 if weight is None else weight.reshape(affine)
    count = math.prod([sizes[d] for d in dims])
    slope, dx = _of_maps(scale * w, sizes), np.empty(input.shape, x.dtype)
    back = scale * scale * (products * w).sum(dims, keepdims=True) / -count
    level = scale * (sums * w).sum(dims, keepdims=True) / -count - center * back
    back, level = _of_maps(back, sizes), _of_maps(level, sizes)
    for rows in _blocks(x):
        o = np.multiply(g[rows], slope[rows], out=dx.reshape(x.shape)[rows])
        if own:
            c = np.multiply(x[rows], back[rows], out=room[: len(o)])
            c += level[rows]
            o += c
    return dx, dw, db


def _line(weight: Any, bias: Any, center: Any, scale: Any, affine: Sizes) -> tuple[Any, Any]:
    """(x - center) · scale · weight + bias as x · slope + shift."""
    slope = scale if weight is None else scale * weight.reshape(affine)
    shift = -center * slope
    return slope, shift if bias is None else shift + bias.reshape(affine)


def _of_maps(value: Any, sizes: Sizes) -> Any:
    """A number for each map, as a column."""
    return np.broadcast_to(value, (*sizes[:-1], 1)).reshape(-1, 1)


ROWS = Kernels(None, _forward_of_rows, _backward_of_rows)
COLUMNS = Kernels(_moments_of_columns, _forward_of_columns, _backward_of_columns)
MAPS = Kernels(_moments_of_maps, _forward_of_maps, _backward_of_maps)
