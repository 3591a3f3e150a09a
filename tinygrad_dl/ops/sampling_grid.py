"""Images read at the points of a grid, and grids made of affine maps. Source: Jaderberg et al., Spatial Transformer
Networks, 2015.

A point is given between -1 and 1; what it reads is a weighted sum of the elements around it. The weights are an
expression in the point, and the elements are taken from the image, so that the derivatives by both come by themselves.
"""

import math
import warnings
from itertools import product
from typing import Any

import numpy as np

from .. import backend
from ..errors import ArgumentError, ArgumentTypeError, DeviceError, DtypeError, ShapeError
from ..operation import operation
from ..tensor import Tensor, wrap
from .composed import composed
from .elementwise import where
from .indexing import getitem, take_along_dim
from .linalg import matmul
from .shape import expand, reshape, transpose, unsqueeze

SAMPLING = ("bilinear", "nearest", "bicubic")
PADDING = ("zeros", "border", "reflection")


class SamplingModeError(ArgumentError, NotImplementedError):
    """A way of sampling that is not known, or not for so many dimensions."""


@operation(input=lambda g, slopes: g * slopes)
def moved(input: Any, places: Any, slopes: Any) -> Any:
    """Places that were computed from the input elsewhere, and their slopes in it."""
    return places.copy()


# --- where a point lies in the image


def _in_elements(x: Any, n: int, align_corners: bool) -> Any:
    """A coordinate from -1 to 1, counted in elements: the ends are the middles of the outer ones, or their edges."""
    return (x + 1) * ((n - 1) / 2) if align_corners else ((x + 1) * n - 1) * 0.5


def _reflected(x: Any, n: int, align_corners: bool) -> tuple[Any, Any]:
    """Places mirrored at both ends as often as it takes, and the signs of their slopes."""
    low, length = (0.0, n - 1.0) if align_corners else (-0.5, float(n))
    if length <= 0:
        return np.zeros_like(x), np.zeros_like(x)
    away = np.abs(x - low)
    sign = np.where(x < low, -1, 1)
    turns = np.floor(away / length)
    rest = away - turns * length
    odd = turns % 2 == 1
    return np.where(odd, length - rest, rest) + low, np.where(odd, -sign, sign).astype(x.dtype)


def _clipped(x: Any, n: int) -> tuple[Any, Any]:
    """Places inside the image, 0 for NaN, and whether they were before, as numbers."""
    return np.minimum(np.fmax(x, 0), n - 1).astype(x.dtype), ((x > 0) & (x < n - 1)).astype(x.dtype)


def _kept_inside(x: Any, n: int, padding_mode: str, align_corners: bool) -> tuple[Any, Any]:
    if padding_mode == "border":
        return _clipped(x, n)
    mirrored, sign = _reflected(x, n, align_corners)
    places, inside = _clipped(mirrored, n)
    return places, sign * inside


# --- what is read there


def _taken(flat: Any, places: list[Any], sizes: Any, weight: Any) -> Any:
    """A weight times the elements at places of whole numbers (N, points) in each dimension; 0 outside the image."""
    inside: Any = True
    index: Any = 0
    for at, n in zip(places, sizes):
        inside &= (at >= 0) & (at <= n - 1)
        index = index * n + np.clip(np.where(at == at, at, 0), 0, n - 1).astype(np.int64)
    n, channels = flat.shape[:2]
    index = expand(wrap(index.reshape(n, 1, -1)), (n, channels, index.shape[1]))
    values = where(wrap(inside.reshape(n, 1, -1)), take_along_dim(flat, index, 2), 0.0)
    return values if weight is None else values * unsqueeze(weight, 1)


def _linear(flat: Any, points: list[Any], sizes: Any) -> Any:
    """The 2, 4 or 8 elements around each point, weighted by how near they are."""
    first = [np.floor(point.array) for point in points]
    total = None
    for corner in product((0, 1), repeat=len(points)):
        weight: Any = None
        for point, low, far in zip(points, first, corner):
            part = point - wrap(low) if far else wrap(low + 1) - point
            weight = part if weight is None else weight * part
        read = _taken(flat, [low + far for low, far in zip(first, corner)], sizes, weight)
        total = read if total is None else total + read
    return total


def _cubic_weights(t: Any) -> list[Any]:
    """Keys' kernel with a = -3/4 at 1 + t, t, 1 - t and 2 - t."""
    a = -0.75
    far = lambda x: ((x - 5) * x + 8) * x * a - 4 * a  # noqa: E731
    near = lambda x: ((a + 2) * x - (a + 3)) * x * x + 1  # noqa: E731
    return [far(t + 1), near(t), near(1 - t), far(2 - t)]


def _bicubic(flat: Any, points: list[Any], sizes: Any, padding_mode: str, align_corners: bool) -> Any:
    """The 4 × 4 elements around each point; each one outside is replaced as the padding mode says."""
    first = [np.floor(point.array) for point in points]
    weights = [_cubic_weights(point - wrap(low)) for point, low in zip(points, first)]
    total = None
    for i, j in product(range(4), repeat=2):
        places = [low + k - 1 for low, k in zip(first, (i, j))]
        if padding_mode != "zeros":
            places = [_kept_inside(at, n, padding_mode, align_corners)[0] for at, n in zip(places, sizes)]
        read = _taken(flat, places, sizes, weights[0][i] * weights[1][j])
        total = read if total is None else total + read
    return total


@composed
def grid_sample(
    input: Any, grid: Any, mode: str = "bilinear", padding_mode: str = "zeros", align_corners: bool | None = None
) -> Any:
    """The input read at the points of a grid: (N, C, H, W) at (N, h, w, 2) gives (N, C, h, w), and so with three sizes.

    Arguments: input; grid, points (x, y) or (x, y, z) from -1 to 1; mode "bilinear", "nearest" or "bicubic" (images
    only); padding_mode, what lies outside: "zeros", "border" (its edge) or "reflection"; align_corners, whether ±1 are
    the middles of the outer elements or (False, and None with a warning) their edges. Raises ShapeError, DtypeError,
    DeviceError, ArgumentError.

    >>> import tinygrad_dl as tg
    >>> x, middle = tg.arange(4.0).reshape(1, 1, 2, 2), tg.zeros(1, 1, 1, 2)
    >>> tg.nn.functional.grid_sample(x, middle, align_corners=False)
    tensor([[[[1.5000]]]])
    """
    _require(input, grid, mode, padding_mode)
    align_corners = _chosen("grid_sample", align_corners)
    if input.array.dtype == np.float16:  # too coarse for places
        return grid_sample(input.float(), grid.float(), mode, padding_mode, align_corners).half()
    sizes, n = tuple(input.shape[2:]), input.shape[0]
    flat = reshape(input, (n, input.shape[1], math.prod(sizes)))
    count = math.prod(grid.shape[1:-1])
    points: list[Any] = []
    for i, size in enumerate(reversed(sizes)):  # a point's last number belongs to the first dimension
        point = _in_elements(reshape(getitem(grid, (..., i)), (n, count)), size, align_corners)
        if padding_mode != "zeros" and mode != "bicubic":
            point = moved(point, *_kept_inside(point.array, size, padding_mode, align_corners))
        points.insert(0, point)
    if mode == "nearest":  # the grid has a derivative, of zeros
        still = [moved(point, np.rint(point.array), np.zeros_like(point.array)) for point in points]
        out = _taken(flat, [point.array for point in still], sizes, sum(still) * 0 + 1 if grid.requires_grad else None)
    elif mode == "bicubic":
        out = _bicubic(flat, points, sizes, padding_mode, align_corners)
    else:
        out = _linear(flat, points, sizes)
    return reshape(out, (n, input.shape[1], *grid.shape[1:-1]))


def _require(input: Any, grid: Any, mode: str, padding_mode: str) -> None:
    for argument, value in (("input", input), ("grid", grid)):
        if not isinstance(value, Tensor):
            raise ArgumentTypeError(f"grid_sample: {argument} must be a Tensor, not {type(value).__name__}")
    if mode not in SAMPLING or padding_mode not in PADDING:
        raise ArgumentError(
            f"grid_sample: mode is one of {', '.join(SAMPLING)} and padding_mode one of {', '.join(PADDING)}; {mode!r} "
            f"and {padding_mode!r} came"
        )
    shapes = f"input {tuple(input.shape)} and grid {tuple(grid.shape)}"
    dims = input.ndim - 2
    if dims not in (2, 3) or grid.ndim != input.ndim or grid.shape[-1] != dims or grid.shape[0] != input.shape[0]:
        raise ShapeError(
            "grid_sample: an input (N, C, H, W) takes a grid (N, h, w, 2), one of three sizes a grid (N, d, h, w, 3); "
            f"{shapes} came"
        )
    if mode == "bicubic" and dims != 2:
        raise ArgumentError(f"grid_sample: mode 'bicubic' is for images (N, C, H, W), {shapes} came")
    if 0 in input.shape[2:]:
        raise ShapeError(f"grid_sample: the input has no elements to read: {shapes}")
    if input.array.dtype.kind != "f" or input.dtype != grid.dtype:
        raise DtypeError(
            f"grid_sample: input and grid must be of one floating dtype, {input.dtype} and {grid.dtype} came"
        )
    if type(input.array) is not type(grid.array):
        raise DeviceError(
            f"grid_sample: input is on '{input.device}', grid on '{grid.device}'; use grid.to(input.device)"
        )


def _chosen(name: str, align_corners: bool | None) -> bool:
    if align_corners is None:
        warnings.warn(f"{name}: align_corners was not given, False was chosen; write align_corners=False", stacklevel=4)
    return bool(align_corners)


@composed
def affine_grid(theta: Any, size: Any, align_corners: bool | None = None) -> Any:
    """The grid of an affine map: θ · (x, y, 1) for the points of an image of `size`, to be read by `grid_sample`.

    Arguments: theta (N, 2, 3), or (N, 3, 4) for three sizes; size, of the image that is wanted: (N, C, H, W) or (N, C,
    D, H, W); align_corners as in `grid_sample`. Result (N, H, W, 2) or (N, D, H, W, 3). Raises ShapeError, DtypeError.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.affine_grid(tg.eye(2, 3).unsqueeze(0), (1, 1, 1, 2), align_corners=False)
    tensor([[[[-0.5000,  0.0000],
              [ 0.5000,  0.0000]]]])
    """
    if not isinstance(theta, Tensor):
        raise ArgumentTypeError(f"affine_grid: theta must be a Tensor, not {type(theta).__name__}")
    if not theta.is_floating_point():
        raise ArgumentError(f"affine_grid: theta must be floating, {theta.dtype} came; use theta.float()")
    size, align_corners = tuple(size), _chosen("affine_grid", align_corners)
    dims = len(size) - 2
    if dims not in (2, 3):
        raise SamplingModeError(f"affine_grid: size is (N, C, H, W) or (N, C, D, H, W), {size} came")
    if tuple(theta.shape) != (size[0], dims, dims + 1):
        raise ShapeError(f"affine_grid: size {size} needs theta {(size[0], dims, dims + 1)}, {tuple(theta.shape)} came")
    if min(size) < 1:
        raise ShapeError(f"affine_grid: sizes must be positive, {size} came")
    axes = [_axis(n, align_corners) for n in size[2:]]
    points = np.stack([*reversed(np.meshgrid(*axes, indexing="ij")), np.ones(size[2:])], -1).reshape(-1, dims + 1)
    base = wrap(backend.from_numpy(points.astype(theta.array.dtype), theta.device))
    return reshape(matmul(unsqueeze(base, 0), transpose(theta, 1, 2)), (size[0], *size[2:], dims))


def _axis(n: int, align_corners: bool) -> Any:
    """The middles of n elements between -1 and 1, or n points from -1 to 1."""
    if n == 1:
        return np.zeros(1)
    return np.linspace(-1, 1, n) * (1 if align_corners else (n - 1) / n)
