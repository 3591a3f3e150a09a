"""Pooling by a fraction: windows of one size at places that are drawn, so many as are wanted. Source: Graham, 2014."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_dl import backend
from tinygrad_dl.errors import ArgumentError, ArgumentTypeError, DtypeError, ShapeError
from tinygrad_dl.ops.convolution import each
from tinygrad_dl.ops.indexing import take_along_dim
from tinygrad_dl.random import numpy_generator
from tinygrad_dl.tensor import Tensor, wrap

from .module import Module


def fractional_max_pool2d(
    input: Tensor, kernel_size: Any, output_size: Any = None, output_ratio: Any = None, return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:  # fmt: skip
    """The largest element of each of `output_size` windows of an image, which begin at places that are drawn.

    Arguments: input (batch, channels, height, width) or without the batch; kernel_size; output_size, or output_ratio of
    the input's sizes, a number or one for each dimension; return_indices, whether the places in the plane come too.
    Raises ShapeError, ArgumentError, DtypeError.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.fractional_max_pool2d(tg.ones(1, 3, 9, 7), 2, output_size=(5, 4)).shape
    tinygrad_dl.Size([1, 3, 5, 4])
    """
    return _pooled(2, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)


def fractional_max_pool3d(
    input: Tensor, kernel_size: Any, output_size: Any = None, output_ratio: Any = None, return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:  # fmt: skip
    """`fractional_max_pool2d` in three dimensions.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.fractional_max_pool3d(tg.ones(1, 3, 9, 7, 8), 2, output_ratio=0.5).shape
    tinygrad_dl.Size([1, 3, 4, 3, 4])
    """
    return _pooled(3, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)


def _pooled(dims: int, input: Any, kernel: Any, size: Any, ratio: Any, indices: bool, samples: Any) -> Any:
    name = f"fractional_max_pool{dims}d"
    if not isinstance(input, Tensor):
        raise ArgumentTypeError(f"{name}: input must be a Tensor, not {type(input).__name__}")
    if not input.is_floating_point():
        raise DtypeError(f"{name}: floating numbers are needed, {input.dtype} came; use input.float()")
    if input.ndim not in (dims + 1, dims + 2):
        raise ShapeError(f"{name}: input must be (batch, channels, {dims} sizes), or without batch; {input.shape} came")
    plane = tuple(input.shape[-dims:])
    kernel = each(name, "kernel_size", kernel, dims, 1)
    if (size is None) == (ratio is None):
        raise ArgumentError(f"{name}: exactly one of output_size and output_ratio is needed")
    ratios = tuple(ratio) if isinstance(ratio, tuple | list) else (ratio,) * dims
    given = tuple([int(n * r) for n, r in zip(plane, ratios)]) if size is None else size
    sizes = each(name, "output_size", given, dims, 1)
    if any(out + k - 1 > n for n, k, out in zip(plane, kernel, sizes)):
        raise ShapeError(f"{name}: an input of sizes {plane} is too small for {sizes} windows of {kernel}")
    batch = input if input.ndim == dims + 2 else input.unsqueeze(0)
    n, channels = batch.shape[:2]
    if samples is None:
        drawn = numpy_generator(None).random((n, channels, dims))
        samples = wrap(backend.from_numpy(drawn.astype(input.array.dtype), input.device))
    places = _places(samples.array, plane, kernel, sizes)
    flat = batch.reshape(n, channels, math.prod(plane))
    windows = take_along_dim(flat, wrap(places.reshape(n, channels, -1)), 2)
    largest, at = windows.reshape(n, channels, math.prod(sizes), math.prod(kernel)).max(-1)
    shape = (*input.shape[:-dims], *sizes)
    if not indices:
        return largest.reshape(*shape)
    found = take_along_dim(wrap(places), at.unsqueeze(-1), 3)
    return largest.reshape(*shape), found.reshape(*shape)


def _places(samples: Any, plane: Any, kernel: Any, sizes: Any) -> Any:
    """The elements of each window, counted in the plane: (n, channels, windows, elements of a window)."""
    module, dims = backend.array_module(samples), len(plane)
    order = (1, 0) if dims == 2 else (0, 1, 2)  # of the numbers that PyTorch draws, the first is the width's
    total: Any = 0
    for i, (n, k, out) in enumerate(zip(plane, kernel, sizes)):
        u = samples[:, :, order[i], None]
        step = samples.dtype.type((n - k) / (out - 1) if out > 1 else 0)
        starts = ((module.arange(out).astype(samples.dtype) + u) * step).astype(np.int64) - (u * step).astype(np.int64)
        starts[:, :, -1] = n - k
        at = starts[..., None] + module.arange(k)
        shape = [*at.shape[:2], *[1] * (2 * dims)]
        shape[2 + i], shape[2 + dims + i] = out, k
        total = total * n + at.reshape(shape)
    return total.reshape(*samples.shape[:2], math.prod(sizes), math.prod(kernel))


class _FractionalMaxPool(Module):
    dims: int

    def __init__(
        self, kernel_size: Any, output_size: Any = None, output_ratio: Any = None, return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        name = type(self).__name__
        if (output_size is None) == (output_ratio is None):
            raise ArgumentError(f"{name}: exactly one of output_size and output_ratio is needed")
        ratios = output_ratio if isinstance(output_ratio, tuple | list) else (output_ratio,) * self.dims
        if output_ratio is not None and not all(0 < ratio < 1 for ratio in ratios):
            raise ArgumentError(f"{name}: output_ratio must be between 0 and 1, not {output_ratio!r}")
        self.kernel_size, self.output_size, self.output_ratio = kernel_size, output_size, output_ratio
        self.return_indices, self._random_samples = return_indices, _random_samples

    def forward(self, input: Tensor) -> Any:
        return _pooled(
            self.dims, input, self.kernel_size, self.output_size, self.output_ratio, self.return_indices,
            self._random_samples,
        )  # fmt: skip

    def extra_repr(self) -> str:
        """Nothing, as in PyTorch."""
        return ""


class FractionalMaxPool2d(_FractionalMaxPool):
    """The largest element of each of so many windows of an image, which begin at places that are drawn.

    Arguments: kernel_size; output_size, or output_ratio (between 0 and 1) of the input's sizes; return_indices.
    Raises ArgumentError unless one of both is given, and what `fractional_max_pool2d` raises.

    >>> import tinygrad_dl as tg
    >>> tg.nn.FractionalMaxPool2d(2, output_ratio=0.6)(tg.ones(1, 3, 10, 10)).shape
    tinygrad_dl.Size([1, 3, 6, 6])
    """

    dims = 2


class FractionalMaxPool3d(_FractionalMaxPool):
    """FractionalMaxPool2d in three dimensions.

    >>> import tinygrad_dl as tg
    >>> tg.nn.FractionalMaxPool3d(2, output_size=3)(tg.ones(1, 2, 7, 8, 9)).shape
    tinygrad_dl.Size([1, 2, 3, 3, 3])
    """

    dims = 3
