"""Distances and similarities of rows: of each to each of another set, or of pairs."""

import functools
import math
from typing import Any

import numpy as np

from .. import backend
from ..dtypes import find, result_type
from ..errors import ArgumentError, DtypeError, ShapeError
from ..operation import operation
from ..tensor import normalize_dim
from .blocks import BLOCK
from .composed import composed
from .einsum import vecdot
from .elementwise import where
from .linalg import matmul
from .matrices import require_floating, require_matrix
from .norms import norm_of, vector_norm
from .reduction import cast
from .reduction import sum as sum_
from .shape import expand, unsqueeze
from .solving import turned

# --- each with each

_BLOCK = 32768  # differences at a time, which stay in the cache


def _weights(g: Any, out: Any) -> Any:
    """g divided by the distance; a distance of 0 has the derivative 0."""
    return where(out == 0, 0.0, g) / _not_zero(out)


def _not_zero(x: Any) -> Any:
    """x with ones for zeros, where what it is multiplied with is 0."""
    return where(x == 0, 1.0, x)


def _slope(difference: Any, out: Any, p: float) -> Any:
    """The derivative of ‖difference‖ₚ = out by the elements of the difference; 0 where out is 0."""
    if p == 0:
        return difference * 0
    size, sign = np.abs(difference), np.sign(difference)
    if p == 1:
        return sign
    if math.isinf(p):
        return sign * (size == out)
    return sign * _not_zero(size) ** (p - 1) * _not_zero(out) ** (1 - p)


def _each_difference(x1: Any, x2: Any) -> Any:
    return unsqueeze(x1, -2) - unsqueeze(x2, -3)


def _first_rule(g: Any, x1: Any, x2: Any, out: Any, p: Any) -> Any:
    if p == 2:
        weights = _weights(g, out)
        return x1 * sum_(weights, -1, True) - matmul(weights, x2)
    return sum_(_slope(_each_difference(x1, x2), unsqueeze(out, -1), p) * unsqueeze(g, -1), -2)


def _second_rule(g: Any, x1: Any, x2: Any, out: Any, p: Any) -> Any:
    if p == 2:
        weights = turned(_weights(g, out))
        return x2 * sum_(weights, -1, True) - matmul(weights, x1)
    return -sum_(_slope(_each_difference(x1, x2), unsqueeze(out, -1), p) * unsqueeze(g, -1), -3)


@operation("cdist", x1=_first_rule, x2=_second_rule)
def _distances(x1: Any, x2: Any, p: float, by_product: bool) -> Any:
    if type(x1) is not type(x2):
        raise TypeError("mixed devices")
    if x1.dtype == np.float16:
        return _distances_of_wide(x1.astype(np.float32), x2.astype(np.float32), p, by_product).astype(np.float16)
    return _distances_of_wide(x1, x2, p, by_product)


def _distances_of_wide(x1: Any, x2: Any, p: float, by_product: bool) -> Any:
    if by_product:
        squares = (x1 * x1).sum(axis=-1)[..., :, None] + (x2 * x2).sum(axis=-1)[..., None, :]
        squares = squares - 2 * np.matmul(x1, x2.swapaxes(-2, -1))
        return np.sqrt(np.maximum(squares, 0))
    (n, d), m = x1.shape[-2:], x2.shape[-2]
    if d == 0:
        batch = np.broadcast_shapes(x1.shape[:-2], x2.shape[:-2])
        return backend.zeros(x1, (*batch, n, m))
    if n * m * d <= _BLOCK or d > n * m:
        difference = x1[..., :, None, :] - x2[..., None, :, :]
        return norm_of(difference, p, (difference.ndim - 1,), False)
    return _one_by_one(x1, x2, p)


def _one_by_one(x1: Any, x2: Any, p: float) -> Any:
    """The distances, one element of the rows after another, without an array of all differences."""
    out: Any = None
    for k in range(x1.shape[-1]):
        size = np.abs(x1[..., :, None, k] - x2[..., None, :, k])
        if math.isinf(p):
            out = size if out is None else np.maximum(out, size)
            continue
        part = size * size if p == 2 else size if p == 1 else (size != 0).astype(size.dtype) if p == 0 else size**p
        out = part if out is None else np.add(out, part, out=out)
    if p in (0, 1) or math.isinf(p):
        return out
    return np.sqrt(out) if p == 2 else np.power(out, 1 / p)


_MODES = ("use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist")
_MANY = 25  # rows, from which on products of matrices are used


@composed
def cdist(x1: Any, x2: Any, p: float = 2.0, compute_mode: str = _MODES[0]) -> Any:
    """The distances ‖aᵢ - bⱼ‖ₚ of each row of x1 to each of x2.

    Arguments: x1 (..., n, d), x2 (..., m, d) of one floating dtype; p (not negative; inf for the largest
    difference), compute_mode (whether distances with p = 2 come from a product of matrices, which is fast and rounds
    more: "use_mm_for_euclid_dist_if_necessary" does so for more than 25 rows). Returns (..., n, m). The derivative of a
    distance of 0 is 0. Raises ShapeError, DtypeError, ArgumentError.

    >>> import tinygrad_dl as tg
    >>> tg.cdist(tg.tensor([[0.0, 0.0]]), tg.tensor([[3.0, 4.0], [0.0, 1.0]]))
    tensor([[5., 1.]])
    """
    require_floating("cdist", x1=x1, x2=x2)
    for x in (x1, x2):
        if x.ndim < 2:
            raise ShapeError(f"cdist: rows are needed, at least 2 dimensions, shape {tuple(x.shape)} came")
    if x1.shape[-1] != x2.shape[-1]:
        raise ShapeError(f"cdist: rows must have one length, shapes {tuple(x1.shape)} and {tuple(x2.shape)} came")
    if compute_mode not in _MODES:
        raise ArgumentError(f"cdist: compute_mode is one of {', '.join(map(repr, _MODES))}, not {compute_mode!r}")
    many = compute_mode == _MODES[1] or (compute_mode == _MODES[0] and max(x1.shape[-2], x2.shape[-2]) > _MANY)
    return _distances(x1, x2, _order("cdist", p), many and p == 2)


def _order(name: str, p: float) -> float:
    if not p >= 0:
        raise ArgumentError(f"{name}: p can't be negative, {p} came")
    return float(p)


@functools.lru_cache(4)
def _pairs(n: int) -> Any:
    """Where the pairs i < j stand in a matrix of n rows and columns, counted along its rows."""
    first, second = np.triu_indices(n, 1)
    return first * n + second


@operation("pairs", square=lambda g, square_shape: _spread(g, square_shape[0]))
def _gathered(square: Any) -> Any:
    n = square.shape[0]
    return square.reshape(n * n)[_pairs(n)]


@operation("spread", pairs=lambda g: _gathered(g))
def _spread(pairs: Any, n: int) -> Any:
    out = backend.zeros(pairs, (n * n,))
    out[_pairs(n)] = pairs
    return out.reshape(n, n)


def _pair_rule(g: Any, input: Any, out: Any, p: Any) -> Any:
    """As of the distances of all rows to all, each of which stands for a pair."""
    g, out = (_spread(x, input.shape[0]) for x in (g, out))
    return _first_rule(g + turned(g), input, input, out + turned(out), p)


def _euclidean_pairs(x: Any) -> Any:
    """From products of float32 rows in float64, |a|² + |b|² - 2ab; where that cancels, from the differences."""
    n = x.shape[0]
    rows = (x - x.mean(0)).astype(np.float64)
    sizes = np.add.reduce(rows * rows, 1)
    out, at = np.empty(n * (n - 1) // 2, x.dtype), 0
    height, step = max(BLOCK // n, 1), max(BLOCK // x.shape[1], 1)
    for i in range(0, n, height):
        sums = sizes[i : i + height, None] + sizes[i + 1 :]
        squares = sums - 2 * rows[i : i + height].dot(rows[i + 1 :].T)
        distances = np.sqrt(np.maximum(squares, 0)).astype(x.dtype)
        near = (squares <= 1e-6 * sums).nonzero()
        for start in range(0, len(near[0]), step):
            k, j = (places[start : start + step] for places in near)
            difference = x[i + k] - x[i + 1 + j]
            distances[k, j] = np.sqrt(np.add.reduce(difference * difference, 1))
        for k in range(len(sums)):
            row = distances[k, k:]
            out[at : at + row.size] = row
            at += row.size
    return out


@operation("pdist", input=_pair_rule)
def _pair_distances(input: Any, p: float) -> Any:
    n = input.shape[0]
    if (
        p == 2
        and n > 50
        and input.shape[1]
        and type(input) is backend.HOST
        and input.itemsize == 4
        and np.isfinite(input).all()
    ):
        return _euclidean_pairs(input)
    return _distances_of_wide(input, input, p, False).reshape(n * n)[_pairs(n)]


@composed
def pdist(input: Any, p: float = 2) -> Any:
    """The distances ‖aᵢ - aⱼ‖ₚ of the rows of a matrix, each pair i < j once, in the order of i and then j.

    Arguments: input (n, d), float32 or float64; p (not negative). Returns (n · (n - 1) / 2). Raises ShapeError,
    DtypeError, ArgumentError.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.pdist(tg.tensor([[0.0], [1.0], [3.0]]))
    tensor([1., 3., 2.])
    """
    require_matrix("pdist", input)
    if input.ndim != 2:
        raise ShapeError(f"pdist: a matrix is needed, shape {tuple(input.shape)} came; cdist takes batches")
    return _pair_distances(input, _order("pdist", p))


# --- pairs


@operation("clamp", size=lambda g: g)
def not_below(size: Any, eps: float) -> Any:
    """A norm, but not below eps; the derivative is that of the norm everywhere, as in PyTorch."""
    return np.maximum(size, eps)


@composed
def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """x1 · x2 / (‖x1‖ ‖x2‖) along `dim`: the cosine of the angle between two vectors.

    Arguments: x1, x2 (tensors that broadcast; mixed dtypes are promoted), dim (integer), eps (the norms count as at
    least that). Raises DtypeError for integers.

    >>> import tinygrad_dl as tg
    >>> tg.cosine_similarity(tg.tensor([[1.0, 0.0]]), tg.tensor([[0.0, 2.0]]))
    tensor([0.])
    """
    if x1.dtype != x2.dtype or tuple(x1.shape) != tuple(x2.shape) or not find(x1.dtype).is_floating_point:
        x1, x2 = _met(x1, x2)
    shape = tuple(x1.shape)
    dim = normalize_dim("cosine_similarity", dim, len(shape))
    sizes = [not_below(vector_norm(x, 2, dim), eps) for x in (x1, x2)]
    return vecdot(x1, x2, dim=dim) / sizes[0] / sizes[1]


def _met(x1: Any, x2: Any) -> tuple[Any, Any]:
    """Both in one floating dtype and of one shape."""
    kind = result_type([getattr(x, "array", x) for x in (x1, x2)])
    if not find(kind).is_floating_point:
        raise DtypeError(f"cosine_similarity: floating numbers are needed, {kind} came; use .float()")
    try:
        shape = np.broadcast_shapes(tuple(x1.shape), tuple(x2.shape))
    except ValueError:
        raise ShapeError(f"cosine_similarity: shapes {tuple(x1.shape)} and {tuple(x2.shape)} don't broadcast") from None
    return cast(expand(x1, shape), kind), cast(expand(x2, shape), kind)


@composed
def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Any:
    """‖x1 - x2 + eps‖ₚ over the last dimension: the distance of each row of x1 from that of x2.

    Arguments: x1, x2 (tensors that broadcast), p (number), eps (added to each difference, so that there is a
    derivative), keepdim. Raises ShapeError.

    >>> import tinygrad_dl as tg
    >>> tg.pairwise_distance(tg.tensor([[0.0, 0.0]]), tg.tensor([[3.0, 4.0]]))
    tensor([5.0000])
    """
    return vector_norm(x1 - x2 + eps, p, -1, keepdim)
