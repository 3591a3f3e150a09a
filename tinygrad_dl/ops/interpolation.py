"""Images and signals resized. Each dimension is resized on its own: its new elements are a matrix times the old ones.

The matrices are small, so that their products are quick, and their transposes are the derivatives. Nearest elements
are not multiplied but taken, so that infinities and NaNs stay where they are.
"""

import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .. import backend
from ..errors import ArgumentError, ArgumentTypeError, DtypeError, ShapeError
from ..operation import operation
from ..tensor import Tensor, wrap
from .composed import composed
from .gathering import index_select
from .pooling import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d, window_spread

LINEAR = {"linear": 1, "bilinear": 2, "trilinear": 3}
MODES = ("nearest", "nearest-exact", "area", *LINEAR, "bicubic", "lanczos")
Sizes = tuple[int, ...]
BAND = 32  # rows of a matrix that are multiplied together


class UnknownModeError(ArgumentError, NotImplementedError):
    """A way of resizing that is not known, or not for so many dimensions."""


@operation(input=lambda g, matrix, dim: product_along(g, matrix.T, dim))
def product_along(input: Any, matrix: Any, dim: int) -> Any:
    """A matrix times the elements along one dimension, float16 computed in float32."""
    x = input.astype(np.float32) if input.dtype == np.float16 else input
    before, after = math.prod(x.shape[:dim]), math.prod(x.shape[dim + 1 :])
    last = dim == x.ndim - 1
    y = backend.empty(x, (before, len(matrix)) if last else (before, len(matrix), after))
    x = x.reshape(before, matrix.shape[1]) if last else x.reshape(before, matrix.shape[1], after)
    for rows, columns in _bands(matrix):
        part = matrix[rows, columns]
        y[:, rows] = x[:, columns] @ part.T if last else part @ x[:, columns]
    return y.reshape(*input.shape[:dim], len(matrix), *input.shape[dim + 1 :]).astype(input.dtype, copy=False)


def _bands(matrix: Any) -> Iterator[tuple[slice, slice]]:
    """Rows of a matrix, and the columns outside of which they are 0; all where a call is dearer than a product."""
    if type(matrix) is not backend.HOST or len(matrix) <= BAND:
        yield slice(None), slice(None)
        return
    for a in range(0, len(matrix), BAND):
        band: Any = matrix[a : a + BAND]
        used = band.any(0).nonzero()[0]
        yield slice(a, a + BAND), slice(used[0], used[-1] + 1) if len(used) else slice(0)


# --- which old elements make a new one


def _step(n: int, out: int, align_corners: bool, factor: float | None) -> float:
    """How far apart new elements lie, counted in old ones."""
    if align_corners:
        return (n - 1) / (out - 1) if out > 1 else 0.0
    return n / out if factor is None else 1 / factor


def _positions(n: int, out: int, align_corners: bool, factor: float | None) -> Any:
    """Where the new elements lie: aligned are the middles of the outer elements, or else their outer edges."""
    step, places = _step(n, out, align_corners, factor), np.arange(out)
    return places * step if align_corners else (places + 0.5) * step - 0.5


def _nearest_places(n: int, out: int, factor: float | None, exact: bool, dtype: Any, image: bool) -> Any:
    """The old element of each new one. PyTorch rounds places to float32, also of float64 numbers, and so it is here.

    As PyTorch does, in images a size that stays or is doubled goes by the sizes, whatever the factor was.
    """
    if image and not exact and out in (n, 2 * n):
        return np.arange(out) // (out // n)
    kind: Any = np.float64 if dtype == np.float64 else np.float32
    step = kind(1 / factor) if factor is not None else kind(n) / kind(out)
    places = ((np.arange(out) + (0.5 if exact else 0.0)).astype(kind) * step).astype(np.float32)
    return np.minimum(places.astype(np.int64), n - 1)


def _cubic(x: Any, a: float) -> Any:
    """Keys' kernel: 1 at 0, 0 at the other integers, smooth, 0 from 2 on."""
    x = np.abs(x)
    near, far = ((a + 2) * x - (a + 3)) * x * x + 1, ((x - 5) * x + 8) * x * a - 4 * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def _linear_matrix(n: int, out: int, align_corners: bool, factor: float | None) -> Any:
    x = np.maximum(_positions(n, out, align_corners, factor), 0) if n != out else np.arange(out) * 1.0
    first = np.minimum(x.astype(np.int64), n - 1)
    share = x - first
    matrix, rows = np.zeros((out, n)), np.arange(out)
    matrix[rows, first] = 1 - share
    matrix[rows, np.minimum(first + 1, n - 1)] += share
    return matrix


def _cubic_matrix(n: int, out: int, align_corners: bool, factor: float | None) -> Any:
    """Four elements make a new one; those beyond the edges are the edges."""
    x = _positions(n, out, align_corners, factor)
    first = np.floor(x).astype(np.int64)
    matrix, rows = np.zeros((out, n)), np.arange(out)
    for i in range(-1, 3):
        np.add.at(matrix, (rows, np.clip(first + i, 0, n - 1)), _cubic(x - (first + i), -0.75))
    return matrix


# The kernels of `antialias`, and how far they reach: stretched over what a new element covers where there are fewer.
_KERNELS: dict[str, tuple[float, Callable[[Any], Any]]] = {
    "bilinear": (1.0, lambda x: np.maximum(1 - np.abs(x), 0)),
    "bicubic": (2.0, lambda x: _cubic(x, -0.5)),
    "lanczos": (3.0, lambda x: np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0.0)),
}


def _smooth_matrix(mode: str, n: int, out: int, align_corners: bool, factor: float | None) -> Any:
    reach, kernel = _KERNELS[mode]
    step = _step(n, out, align_corners, factor)
    wide = max(step, 1.0)
    middle = (step * (np.arange(out) + 0.5)).reshape(-1, 1)
    first = np.maximum((middle - reach * wide + 0.5).astype(np.int64), 0)
    last = np.minimum((middle + reach * wide + 0.5).astype(np.int64), n)
    places = np.arange(n)
    weights = kernel((places - middle + 0.5) / wide) * ((places >= first) & (places < last))
    return weights / weights.sum(1, keepdims=True)


# --- as users call them


def _sizes(input: Any, size: Any, scale_factor: Any, recompute: Any) -> tuple[Sizes, list[float | None]]:
    """The sizes of the result, and the factors by which positions are computed (None: by the sizes)."""
    dims = input.ndim - 2
    if (size is None) == (scale_factor is None):
        raise ArgumentError("interpolate: exactly one of size and scale_factor is needed")
    name, given = ("size", size) if scale_factor is None else ("scale_factor", scale_factor)
    values = list(given) if isinstance(given, tuple | list) else [given] * dims
    if len(values) != dims:
        raise ArgumentError(
            f"interpolate: {name} has a number for each dimension after batch and channels, {dims} of an input of "
            f"shape {tuple(input.shape)}; {given} came"
        )
    if scale_factor is None:
        if recompute:
            raise ArgumentError("interpolate: recompute_scale_factor goes with scale_factor, not with size")
        if not all(isinstance(value, int) and not isinstance(value, bool) for value in values):
            raise ArgumentTypeError(f"interpolate: size must be integers, {size!r} came; use int(...)")
        sizes: Sizes = tuple(values)
    else:
        sizes = tuple([math.floor(n * float(value)) for n, value in zip(input.shape[2:], values)])
    if min(sizes) < 1 or 0 in input.shape[1:]:
        raise ShapeError(f"interpolate: an input of shape {tuple(input.shape)} can't be resized to sizes {sizes}")
    return sizes, [None if scale_factor is None or recompute else float(value) for value in values]


def _require(input: Any, mode: str, align_corners: bool | None, antialias: bool) -> None:
    if not isinstance(input, Tensor):
        raise ArgumentTypeError(f"interpolate: input must be a Tensor, not {type(input).__name__}")
    dims = {**LINEAR, "bicubic": 2, "lanczos": 2}.get(mode)
    if mode not in MODES or input.ndim not in (3, 4, 5) or dims not in (None, input.ndim - 2):
        raise UnknownModeError(
            f"interpolate: mode {mode!r} is not for an input of shape {tuple(input.shape)}; (batch, channels, length) "
            "takes 'linear', one of height and width 'bilinear', 'bicubic' or 'lanczos', one of three sizes "
            "'trilinear', and all take 'nearest', 'nearest-exact' and 'area'"
        )
    if align_corners is not None and mode in ("nearest", "nearest-exact", "area"):
        raise ArgumentError(f"interpolate: align_corners goes with the interpolating modes, not with {mode!r}")
    if antialias and mode not in _KERNELS:
        raise ArgumentError(f"interpolate: antialias goes with {', '.join(_KERNELS)}, not with {mode!r}")
    if mode == "lanczos" and (not antialias or align_corners):
        raise ArgumentError("interpolate: mode 'lanczos' needs antialias=True, and has no align_corners")
    byte = mode.startswith("nearest") and input.array.dtype == np.uint8
    if input.array.dtype.kind != "f" and not byte:
        raise DtypeError(f"interpolate: mode {mode!r} takes floating numbers, {input.dtype} came; use input.float()")


@composed
def interpolate(
    input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None, antialias: bool = False,
) -> Any:  # fmt: skip
    """The input resized in the dimensions after batch and channels.

    Arguments: input (batch, channels, 1 to 3 sizes), floating (uint8 too in mode "nearest"); size or scale_factor, a
    number or one for each dimension; mode "nearest", "nearest-exact", "area" (means), "linear", "bilinear",
    "trilinear", "bicubic" or "lanczos"; align_corners, whether the middles of the outer elements stay in place rather
    than their edges; recompute_scale_factor, whether positions follow the whole sizes; antialias, whether fewer
    elements are means of all that they cover. Raises ShapeError, ArgumentError, UnknownModeError, DtypeError.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.interpolate(tg.tensor([[[0.0, 1.0]]]), scale_factor=2, mode="linear")
    tensor([[[0.0000, 0.2500, 0.7500, 1.0000]]])
    """
    _require(input, mode, align_corners, antialias)
    sizes, factors = _sizes(input, size, scale_factor, recompute_scale_factor or (mode == "area" and size is None))
    if mode == "area":
        return (adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d)[input.ndim - 3](input, sizes)
    if mode.startswith("nearest"):
        return _nearest(input, sizes, factors, mode == "nearest-exact")
    dtype = np.float64 if input.array.dtype == np.float64 else np.float32
    plane = tuple(input.shape[2:])
    for dim, (n, out, factor) in enumerate(zip(plane, sizes, factors), 2):
        if antialias:
            matrix = np.eye(n) if sizes == plane else _smooth_matrix(mode, n, out, bool(align_corners), factor)
        else:
            make = _cubic_matrix if mode == "bicubic" else _linear_matrix
            matrix = make(n, out, bool(align_corners), factor)
        input = product_along(input, backend.from_numpy(matrix.astype(dtype), input.device), dim)
    return input


def _nearest(input: Any, sizes: Sizes, factors: list[float | None], exact: bool) -> Any:
    plane = tuple(input.shape[2:])
    dtype = input.array.dtype
    places = [_nearest_places(n, out, f, exact, dtype, len(plane) == 2) for n, out, f in zip(plane, sizes, factors)]
    times = tuple([out // n for n, out in zip(plane, sizes)])
    if all(len(at) == n * r and (at == np.arange(n).repeat(r)).all() for at, n, r in zip(places, plane, times)):
        still, near = (0,) * len(plane), (1,) * len(plane)
        return window_spread(input, (*input.shape[:2], *sizes), times, (times, still, near))
    for dim, at in enumerate(places, 2):
        input = index_select(input, dim, wrap(backend.from_numpy(at, input.device)))
    return input


@composed
def upsample(
    input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
) -> Any:
    """`interpolate` under its older name.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.upsample(tg.ones(1, 1, 2), size=4).shape
    tinygrad_dl.Size([1, 1, 4])
    """
    _older("upsample", "interpolate")
    return interpolate(input, size, scale_factor, mode, align_corners)


@composed
def upsample_nearest(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """`interpolate` in mode "nearest" under its older name.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.upsample_nearest(tg.ones(1, 1, 2), size=4).shape
    tinygrad_dl.Size([1, 1, 4])
    """
    _older("upsample_nearest", "interpolate")
    return interpolate(input, size, scale_factor)


@composed
def upsample_bilinear(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """`interpolate` in mode "bilinear" with aligned corners under its older name.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.upsample_bilinear(tg.ones(1, 1, 2, 2), size=4).shape
    tinygrad_dl.Size([1, 1, 4, 4])
    """
    _older("upsample_bilinear", "interpolate(mode='bilinear', align_corners=True)")
    return interpolate(input, size, scale_factor, "bilinear", True)


def _older(name: str, now: str) -> None:
    warnings.warn(f"{name} is the older name of {now}", UserWarning, stacklevel=4)
