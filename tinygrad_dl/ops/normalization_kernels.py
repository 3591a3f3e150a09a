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
    out, width, ones, room = np.empty_like(x), x.shape[1], np.ones(x.shape[1], x.dtype), _scratch(x, LARGE)
    center = np.empty((len(x), 1), x.dtype) if centered else None
    scale, factors = np.empty((len(x), 1), x.dtype), np.ones((len(room), 2), x.dtype)
    w = (ones if weight is None else weight.reshape(-1))[None]
    line = np.concatenate([w, np.zeros_like(w) if bias is None else bias.reshape(1, -1)])
    for rows in _blocks(x, LARGE):
        part, o, r = x[rows], out[rows], scale[rows]
        np.divide(np.vecdot(part, part)[:, None], width, out=r)
        if center is not None:
            m = np.divide(part.dot(ones)[:, None], width, out=center[rows])
            part, subtracted = _around(part, m, r, o)
        r += eps
        np.sqrt(r, out=r)
        np.divide(1, r, out=r)
        np.multiply(part, r if weight is None else np.dot(r, w, out=room[: len(o)]), out=o)
        if center is not None or bias is not None:  # the rest, (b - m r w), as a product of a matrix of two columns
            factors[: len(o), :1] = 0 if center is None or subtracted else -m * r
            o += np.dot(factors[: len(o)], line, out=room[: len(o)])
    return out.reshape(input.shape), center, scale


def _around(x: Any, m: Any, squares: Any, room: Any) -> tuple[Any, bool]:
    """Makes the mean squares of rows their variances. Returns x, minus the means if these are large, and whether so."""
    level = m * m
    if (level + level <= squares).all():  # then at most one bit of the difference is lost; not with a NaN
        squares -= level
        return x, False
    x = np.subtract(x, m, out=room)
    np.divide(np.vecdot(x, x)[:, None], x.shape[1], out=squares)
    return x, True


def _backward_of_rows(
    g: Any, needs: Any, input: Any, weight: Any, own: bool, view: Any, center: Any, scale: Any
) -> tuple[Any, Any, Any]:
    """The gradients of input, weight and bias."""
    x, g, shape = input.reshape(view[0]), g.reshape(view[0]), input.shape
    dx, width, ones = np.empty_like(x), x.shape[1], np.ones(x.shape[1], x.dtype)
    dw, db = np.zeros_like(ones), np.zeros_like(ones)
    w = ones if weight is None else weight.reshape(-1)
    moved, product = _scratch(x, LARGE), _scratch(x, LARGE)
    for rows in _blocks(x, LARGE):
        part, o, r = g[rows], dx[rows], scale[rows]
        c = x[rows] if center is None else np.subtract(x[rows], center[rows], out=moved[: len(part)])
        p = np.multiply(part, c, out=product[: len(part)])
        if needs[1]:
            dw += r[:, 0].dot(p)
        if needs[2]:
            db += np.ones(len(part), x.dtype).dot(part)
        if needs[0]:
            slope = p.dot(w)[:, None] * (r * r * r / -width)
            np.multiply(part, r if weight is None else np.dot(r, w[None], out=product[: len(part)]), out=o)
            c = np.multiply(c, slope, out=moved[: len(part)])
            if center is not None:
                c -= part.dot(w)[:, None] * (r / width)
            o += c
    return dx.reshape(shape), dw, db


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
    out = np.empty_like(x)
    for rows in _blocks(x, LARGE):
        o = np.multiply(x[rows], slope, out=out[rows])
        o += shift
    return out.reshape(input.shape), center, scale


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
    dx = np.empty_like(x)
    back = slope * scale * dw / -len(x)
    level = slope * db / -len(x) - center * back
    for rows in _blocks(x, LARGE):
        o = np.multiply(g[rows], slope, out=dx[rows])
        if own:
            c = np.multiply(x[rows], back, out=room[: len(o)])
            c += level
            o += c
    return dx.reshape(input.shape), dw, db


# --- maps: each row, a map of one channel of one sample, has mean, variance, weight and bias, which several may share


def _moments_of_maps(input: Any, view: Any) -> Moments:
    """The means and variances: of each map, and then of the maps that share them."""
    sizes, dims, _ = view
    x = input.reshape(-1, sizes[-1])
    length, ones, room = x.shape[1], np.ones(x.shape[1], x.dtype), _scratch(x)
    means, squares = np.empty(len(x), x.dtype), np.empty(len(x), x.dtype)
    for rows in _blocks(x):
        m = np.divide(x[rows].dot(ones), length, out=means[rows])
        c = np.subtract(x[rows], m[:, None], out=room[: len(m)])
        np.divide(np.vecdot(c, c), length, out=squares[rows])
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
    out = np.empty_like(x)
    for rows in _blocks(x):
        o = np.multiply(x[rows], slope[rows], out=out[rows])
        o += shift[rows]
    return out.reshape(input.shape), center, scale


def _backward_of_maps(
    g: Any, needs: Any, input: Any, weight: Any, own: bool, view: Any, center: Any, scale: Any
) -> tuple[Any, Any, Any]:
    """The gradients of input, weight and bias."""
    sizes, dims, affine = view
    x, g = input.reshape(-1, sizes[-1]), g.reshape(-1, sizes[-1])
    ones, room, means = np.ones(x.shape[1], x.dtype), _scratch(x), _of_maps(center, sizes)
    sums, products = np.empty(len(x), x.dtype), np.empty(len(x), x.dtype)
    for rows in _blocks(x):
        c = np.subtract(x[rows], means[rows], out=room[: len(g[rows])])
        np.vecdot(g[rows], c, out=products[rows])
        np.dot(g[rows], ones, out=sums[rows])
    sums, products = [v.reshape(*sizes[:-1], 1) for v in (sums, products)]
    products *= scale
    repeated = tuple([i for i in range(len(sizes)) if i < len(sizes) - len(affine) or affine[i - len(sizes)] == 1])
    dw, db = products.sum(repeated), sums.sum(repeated)
    if not needs[0]:
        return None, dw, db
    w = 1 if weight is None else weight.reshape(affine)
    count = math.prod([sizes[d] for d in dims])
    slope, dx = _of_maps(scale * w, sizes), np.empty_like(x)
    back = scale * scale * (products * w).sum(dims, keepdims=True) / -count
    level = scale * (sums * w).sum(dims, keepdims=True) / -count - center * back
    back, level = _of_maps(back, sizes), _of_maps(level, sizes)
    for rows in _blocks(x):
        o = np.multiply(g[rows], slope[rows], out=dx[rows])
        if own:
            c = np.multiply(x[rows], back[rows], out=room[: len(o)])
            c += level[rows]
            o += c
    return dx.reshape(input.shape), dw, db


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
