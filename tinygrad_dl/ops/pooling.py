"""Pooling: the largest, the sum or the mean of each window. Source: notes, section 7.

A maximum over a window is taken along one dimension after the other, so that k + k comparisons do the work of k · k.
Which element was the largest is not kept: the backward pass finds it again, in blocks of samples that fit the cache.
"""

import math
import textwrap
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from .. import backend
from ..errors import ArgumentError, ArgumentTypeError, DtypeError, ShapeError
from ..operation import operation
from ..tensor import Tensor, wrap
from .convolution import BLOCK, Sizes, each
from .editing import zeros_like
from .elementwise import abs as abs_
from .elementwise import div, relu, sign
from .indexing import put_along_dim, take_along_dim
from .reduction import mean
from .shape import flatten, reshape

# --- windows along one dimension


def _along(x: Any, dim: int, steps: Any, out: int, function: Any, fill: Any) -> Any:
    """A reduction over the windows of one dimension: of what lies behind the edges, as much as `fill` gives."""
    k, s, p, d = steps
    needed = (out - 1) * s + (k - 1) * d + 1
    if p or needed > x.shape[dim]:
        shape = list(x.shape)
        shape[dim] = max(needed, x.shape[dim] + p)
        wide = backend.array_module(x).empty(tuple(shape), x.dtype)
        wide.fill(fill)
        wide[(slice(None),) * dim + (slice(p, p + x.shape[dim]),)] = x
        x = wide
    parts = [x[(slice(None),) * dim + (slice(i * d, i * d + (out - 1) * s + 1, s),)] for i in range(k)]
    if k == 1:
        return parts[0]
    result = function(parts[0], parts[1])
    for part in parts[2:]:
        function(result, part, out=result)
    return result


def _reduced(x: Any, kernel: Sizes, steps: Any, out: Sizes, function: Any, fill: Any) -> Any:
    """A reduction over windows in all the last dimensions; the one whose elements lie together comes last."""
    for i, sizes in enumerate(zip(kernel, *steps)):
        x = _along(x, x.ndim - len(kernel) + i, sizes, out[i], function, fill)
    return x


def _samples(x: Any) -> Iterator[slice]:
    """Slices of the first dimension whose elements fit the cache."""
    each_one = max(math.prod(x.shape[1:]), 1)
    count = max(1, BLOCK // 4 // each_one) if type(x) is backend.HOST else max(len(x), 1)
    return (slice(a, a + count) for a in range(0, len(x), count))


def _lowest(dtype: Any) -> Any:
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


# --- maximum


def _largest(x: Any, kernel: Sizes, steps: Any, out: Sizes) -> Any:
    y = backend.array_module(x).empty((*x.shape[: -len(kernel)], *out), x.dtype)
    for part in _samples(x):
        y[part] = _reduced(x[part], kernel, steps, out, np.maximum, _lowest(x.dtype))
    return y


def _places(kernel: Sizes, steps: Any, out: Sizes, sizes: Sizes) -> Iterator[tuple[Any, Any]]:
    """For each element of a window: where it lies in the input, and in which outputs, as slices."""
    for at in product(*map(range, kernel)):
        inside, outputs = [], []
        for i, n, o, s, p, d in zip(at, sizes, out, *steps):
            first = max(0, -((i * d - p) // s))  # of the outputs whose element i is no padding
            last = min(o - 1, (n - 1 + p - i * d) // s)
            start = first * s - p + i * d
            inside.append(slice(start, max(start, start + (last - first) * s + 1), s))
            outputs.append(slice(first, max(first, last + 1)))
        yield (..., *inside), (..., *outputs)


def _hits(x: Any, kernel: Sizes, steps: Any, out: Sizes) -> Iterator[tuple[Any, Any, Any]]:
    """For each element of a window where it lies, in which outputs, and in which of these it is the largest.

    The first of equal ones counts, as in PyTorch; a NaN is larger than all, and of several the last.
    """
    y = _reduced(x, kernel, steps, out, np.maximum, _lowest(x.dtype))
    places = list(_places(kernel, steps, out, x.shape[x.ndim - len(kernel) :]))
    nans = x.dtype.kind == "f" and bool(np.isnan(y).any())
    free = backend.ones(y).astype(bool)
    for inside, outputs in reversed(places) if nans else places:
        hit = x[inside] != x[inside] if nans else x[inside] == y[outputs]
        hit &= free[outputs]
        free[outputs] ^= hit
        yield inside, outputs, hit
    if nans:
        for inside, outputs in places:
            hit = (x[inside] == y[outputs]) & free[outputs]
            free[outputs] ^= hit
            yield inside, outputs, hit


@operation("max_pool", input=lambda g, input, kernel, steps, sizes: spread_to_largest(g, input, kernel, steps, sizes))
def max_pool(input: Any, kernel: Any, steps: Any, sizes: Any) -> Any:
    """The largest element of each window in the last dimensions, `sizes` of them."""
    return _largest(input, kernel, steps, sizes)


@operation(
    "max_pool_backward",
    input=lambda g, input: zeros_like(input),
    values=lambda g, input, kernel, steps, sizes: pick_largest(g, input, kernel, steps, sizes),
)
def spread_to_largest(values: Any, input: Any, kernel: Any, steps: Any, sizes: Any) -> Any:
    """Values of windows brought to the places where `input` is the largest of its window."""
    x, zero = backend.zeros(values, input.shape), backend.zero(values)
    for part in _samples(input):
        for inside, outputs, hit in _hits(input[part], kernel, steps, sizes):
            x[part][inside] += np.where(hit, values[part][outputs], zero)
    return x


@operation(
    "max_pool_pick",
    input=lambda g, input: zeros_like(input),
    values=lambda g, input, kernel, steps, sizes: spread_to_largest(g, input, kernel, steps, sizes),
)
def pick_largest(values: Any, input: Any, kernel: Any, steps: Any, sizes: Any) -> Any:
    """Of `values`, those that lie where `input` is the largest of its window."""
    y, zero = backend.zeros(values, (*input.shape[: -len(kernel)], *sizes)), backend.zero(values)
    for part in _samples(input):
        for inside, outputs, hit in _hits(input[part], kernel, steps, sizes):
            y[part][outputs] += np.where(hit, values[part][inside], zero)
    return y


@operation("max_pool_indices")
def indices_of_largest(input: Any, kernel: Any, steps: Any, sizes: Any) -> Any:
    """Where in its plane the largest element of each window lies, counted row by row."""
    plane = input.shape[input.ndim - len(kernel) :]
    count = backend.array_module(input).arange(math.prod(plane)).reshape(plane)
    y = backend.array_module(input).zeros((*input.shape[: -len(kernel)], *sizes), np.int64)
    for inside, outputs, hit in _hits(input, kernel, steps, sizes):
        y[outputs] += count[inside] * hit
    return y


# --- sums


@operation("window_sum", input=lambda g, input_shape, kernel, steps: window_spread(g, input_shape, kernel, steps))
def window_sum(input: Any, kernel: Any, steps: Any, sizes: Any) -> Any:
    """The sum of each window in the last dimensions."""
    y = backend.array_module(input).empty((*input.shape[: -len(kernel)], *sizes), input.dtype)
    for part in _samples(input):
        y[part] = _reduced(input[part], kernel, steps, sizes, np.add, 0)
    return y


@operation(
    "window_spread",
    input=lambda g, input_shape, kernel, steps: window_sum(g, kernel, steps, input_shape[-len(kernel) :]),
)
def window_spread(input: Any, shape: Any, kernel: Any, steps: Any) -> Any:
    """The transpose of `window_sum`: each value is added to all elements of its window."""
    x = backend.zeros(input, tuple(shape))
    sizes = input.shape[input.ndim - len(kernel) :]
    places = list(_places(kernel, steps, sizes, shape[len(shape) - len(kernel) :]))
    for part in _samples(input):
        for inside, outputs in places:
            x[part][inside] += input[part][outputs]
    return x


# --- as users call them


def _steps(name: str, dims: int, kernel: Any, stride: Any, padding: Any, dilation: Any = 1) -> tuple[Sizes, Any]:
    kernel = each(name, "kernel_size", kernel, dims, 1)
    stride = kernel if stride is None or stride == [] else each(name, "stride", stride, dims, 1)
    padding = each(name, "padding", padding, dims)
    if any(p > k // 2 for k, p in zip(kernel, padding)):
        raise ArgumentError(f"{name}: padding {padding} must be at most half of kernel_size {kernel}")
    return kernel, (stride, padding, each(name, "dilation", dilation, dims, 1))


def _require(name: str, input: Any, dims: int) -> None:
    if not isinstance(input, Tensor):
        raise ArgumentTypeError(f"{name}: input must be a Tensor, not {type(input).__name__}")
    if input.array.dtype.kind == "b":
        raise DtypeError(f"{name}: bools are not pooled; convert the input first, for example with .float()")
    if input.ndim not in (dims + 1, dims + 2):
        raise ShapeError(
            f"{name}: input must have {dims + 2} dimensions (batch, channels, sizes), or {dims + 1} without batch; "
            f"shape {tuple(input.shape)} came"
        )


def _sizes(name: str, input: Any, kernel: Sizes, steps: Any, ceil_mode: bool) -> Sizes:
    """How many windows there are in each dimension; with ceil_mode also those that begin inside and end outside."""
    sizes = []
    for n, k, s, p, d in zip(input.shape[-len(kernel) :], kernel, *steps):
        room = n + 2 * p - d * (k - 1) - 1
        count = (room + (s - 1 if ceil_mode else 0)) // s + 1
        if ceil_mode and (count - 1) * s >= n + p:
            count -= 1
        sizes.append(count)
    if min(sizes) < 1:
        raise ShapeError(
            f"{name}: windows of {kernel} are larger than the input of shape {tuple(input.shape)}, padding {steps[1]}"
        )
    return tuple(sizes)


def _max_pool(
    dims: int, input: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool, indices: bool
) -> Any:
    name = f"max_pool{dims}d"
    _require(name, input, dims)
    kernel, steps = _steps(name, dims, kernel, stride, padding, dilation)
    sizes = _sizes(name, input, kernel, steps, ceil_mode)
    largest = max_pool(input, kernel, steps, sizes)
    return (largest, indices_of_largest(input, kernel, steps, sizes)) if indices else largest


def _counts(input: Any, kernel: Sizes, steps: Any, sizes: Sizes, with_padding: bool) -> Any:
    """How many elements each window has, as an array that broadcasts; padding counts on request, what is beyond not."""
    counts: Any = 1
    for i, (n, o, k, s, p) in enumerate(zip(input.shape[-len(kernel) :], sizes, kernel, *steps[:2])):
        starts = np.arange(o) * s - p
        low, high = (starts, n + p) if with_padding else (np.maximum(starts, 0), n)
        row = np.minimum(starts + k, high) - low
        counts = counts * row.reshape(-1, *[1] * (len(kernel) - 1 - i))
    return counts


def _avg_pool(
    dims: int, input: Any, kernel: Any, stride: Any, padding: Any, ceil_mode: bool, with_padding: bool, divisor: Any
) -> Any:
    name = f"avg_pool{dims}d"
    _require(name, input, dims)
    kernel, steps = _steps(name, dims, kernel, stride, padding)
    sizes = _sizes(name, input, kernel, steps, ceil_mode)
    if divisor is not None and (not isinstance(divisor, int) or divisor == 0):
        raise ArgumentError(f"{name}: divisor_override must be an integer other than 0, not {divisor!r}")
    if divisor is None and (any(steps[1]) or ceil_mode):
        counts = _counts(input, kernel, steps, sizes, with_padding).astype(input.array.dtype)
        divisor = wrap(backend.from_numpy(counts, input.device))
    sums = window_sum(input, kernel, steps, sizes)
    whole = "trunc" if input.array.dtype.kind != "f" else None  # of integers, as in PyTorch
    return div(sums, math.prod(kernel) if divisor is None else divisor, rounding_mode=whole)


def _lp_pool(dims: int, input: Any, norm_type: Any, kernel: Any, stride: Any, ceil_mode: bool) -> Any:
    name = f"lp_pool{dims}d"
    means = _avg_pool(dims, input**norm_type, kernel, stride, 0, ceil_mode, True, None)
    sums = means * math.prod(each(name, "kernel_size", kernel, dims, 1))
    return (sign(sums) * relu(abs_(sums))) ** (1.0 / norm_type)


# --- windows that divide the input into so many parts


def _parts(n: int, count: int) -> list[tuple[int, int]]:
    """Where each of `count` windows over n elements begins and ends; they overlap where n is no multiple."""
    return [(i * n // count, -(-(i + 1) * n // count)) for i in range(count)]


def _output_size(name: str, dims: int, input: Any, output_size: Any) -> Sizes:
    _require(name, input, dims)
    sizes = tuple(output_size) if isinstance(output_size, tuple | list) else (output_size,) * dims
    sizes = sizes * dims if len(sizes) == 1 else sizes
    if len(sizes) != dims or not all(size is None or (isinstance(size, int) and size >= 0) for size in sizes):
        raise ArgumentError(f"{name}: output_size must be an integer or None, or {dims} of them, not {output_size!r}")
    found = tuple([n if size is None else size for n, size in zip(input.shape[-dims:], sizes)])
    if 0 in input.shape[-dims:]:
        raise ShapeError(f"{name}: an input of shape {tuple(input.shape)} has no elements to pool")
    return found


def _adaptive_avg_pool(dims: int, input: Any, output_size: Any) -> Any:
    name = f"adaptive_avg_pool{dims}d"
    sizes = _output_size(name, dims, input, output_size)
    if input.array.dtype.kind != "f":
        raise DtypeError(f"{name}: floating numbers are needed, {input.dtype} came; use input.float()")
    plane = tuple(input.shape[-dims:])
    if set(sizes) == {1}:
        return mean(input, tuple(range(-dims, 0)), True)
    if all(size and n % size == 0 for n, size in zip(plane, sizes)):
        kernel = tuple([n // size for n, size in zip(plane, sizes)])
        return window_sum(input, kernel, (kernel, (0,) * dims, (1,) * dims), sizes) / math.prod(kernel)
    for dim, size in zip(range(input.ndim - dims, input.ndim), sizes):
        input = part_means(input, dim, _parts(input.shape[dim], size))
    return input


@operation(input=lambda g, input_shape, dim, parts: part_means_spread(g, dim, parts, input_shape[dim]))
def part_means(input: Any, dim: int, parts: Any) -> Any:
    """The means of parts of one dimension, which may overlap: a list of (start, end)."""
    y = backend.array_module(input).empty((*input.shape[:dim], len(parts), *input.shape[dim + 1 :]), input.dtype)
    across = (slice(None),) * dim
    for i, (start, end) in enumerate(parts):
        np.add.reduce(input[(*across, slice(start, end))], dim, None, y[(*across, i)])
        y[(*across, i)] /= end - start
    return y


@operation(input=lambda g, dim, parts: part_means(g, dim, parts))
def part_means_spread(input: Any, dim: int, parts: Any, n: int) -> Any:
    """The transpose of `part_means`: each value is spread over its part."""
    x = backend.zeros(input, (*input.shape[:dim], n, *input.shape[dim + 1 :]))
    across = (slice(None),) * dim
    for i, (start, end) in enumerate(parts):
        x[(*across, slice(start, end))] += input[(*across, slice(i, i + 1))] / (end - start)
    return x


def _adaptive_max_pool(dims: int, input: Any, output_size: Any, indices: bool) -> Any:
    name = f"adaptive_max_pool{dims}d"
    sizes = _output_size(name, dims, input, output_size)
    plane = tuple(input.shape[-dims:])
    if all(size and n % size == 0 for n, size in zip(plane, sizes)):
        kernel = tuple([n // size for n, size in zip(plane, sizes)])
        steps = (kernel, (0,) * dims, (1,) * dims)
        largest = max_pool(input, kernel, steps, sizes)
        return (largest, indices_of_largest(input, kernel, steps, sizes)) if indices else largest
    windows = [[slice(*part) for part in _parts(n, size)] for n, size in zip(plane, sizes)]
    places = _largest_of_windows(input, list(product(*windows)), sizes)
    largest = reshape(take_along_dim(flatten(input, -dims), flatten(places, -dims), -1), places.shape)
    return (largest, places) if indices else largest


@operation("adaptive_max_pool_indices")
def _largest_of_windows(input: Any, windows: Any, sizes: Any) -> Any:
    """Where in its plane the largest element of each window lies, counted row by row."""
    dims = len(sizes)
    plane, lead = input.shape[input.ndim - dims :], input.shape[: input.ndim - dims]
    count = backend.array_module(input).arange(math.prod(plane)).reshape(plane)
    y = backend.array_module(input).empty((*lead, len(windows)), np.int64)
    for i, window in enumerate(windows):
        block = input[(..., *window)]
        place = block.reshape(*lead, math.prod(block.shape[len(lead) :])).argmax(-1)
        y[..., i] = count[window].reshape(-1)[place]
    return y.reshape(*lead, *sizes)


# --- back from pooled values


def _max_unpool(dims: int, input: Any, indices: Any, kernel: Any, stride: Any, padding: Any, output_size: Any) -> Any:
    name = f"max_unpool{dims}d"
    _require(name, input, dims)
    kernel, steps = _steps(name, dims, kernel, stride, padding)
    if not isinstance(indices, Tensor) or indices.shape != input.shape or indices.array.dtype != np.int64:
        raise ShapeError(f"{name}: indices must be an int64 tensor of the input's shape, {tuple(input.shape)}")
    plane = input.shape[-dims:]
    sizes = tuple([(n - 1) * s - 2 * p + k for n, k, s, p in zip(plane, kernel, *steps[:2])])
    if output_size is not None:
        wanted = tuple(output_size)[-dims:]
        if len(wanted) != dims or any(abs(a - b) >= s for a, b, s in zip(wanted, sizes, steps[0])):
            raise ArgumentError(f"{name}: output_size {tuple(output_size)} is not within a stride of {sizes}")
        sizes = wanted
    if indices.numel() and not 0 <= int(indices.array.min()) <= int(indices.array.max()) < math.prod(sizes):
        raise ShapeError(f"{name}: indices must lie in 0 to {math.prod(sizes) - 1}, those of an output of {sizes}")
    flat, places = flatten(input, -dims), flatten(indices, -dims).array
    spread = put_along_dim(flat, places, flat.ndim - 1, (*input.shape[:-dims], math.prod(sizes)))
    return reshape(spread, (*input.shape[:-dims], *sizes))


_SIZES = ("length", "height, width", "depth, height, width")
_WINDOWS = (
    "kernel_size, stride (kernel_size if None), padding: integers or one for each dimension; ceil_mode, whether "
    "windows that end beyond the edge count"
)
_RAISES = "Raises ShapeError, ArgumentError, DtypeError. Source: notes, section 7."


def _named(dims: int, function: Any, summary: str, arguments: str, example: str) -> Any:
    function.__name__ = function.__qualname__ = f"{function.__name__}{dims}d"
    given = f"Arguments: input (batch, channels, {_SIZES[dims - 1]}) or without the batch; {arguments}. {_RAISES}"
    given = textwrap.fill(given, 120, initial_indent=" " * 4, subsequent_indent=" " * 4)
    function.__doc__ = f"""{summary}

{given}

    >>> import tinygrad_dl as tg
    >>> x = tg.arange({4**dims}.0).reshape(1, {", ".join(["4"] * dims)})
    >>> {example}
    """
    return function


def _max_functions(dims: int) -> tuple[Any, Any, Any]:
    def max_pool(
        input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
        ceil_mode: bool = False, return_indices: bool = False,
    ) -> Any:  # fmt: skip
        return _max_pool(dims, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)

    def adaptive_max_pool(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
        return _adaptive_max_pool(dims, input, output_size, return_indices)

    def max_unpool(
        input: Tensor, indices: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
    ) -> Tensor:
        return _max_unpool(dims, input, indices, kernel_size, stride, padding, output_size)

    f, last = f"tg.nn.functional.{{}}{dims}d", 4**dims - 1
    return (
        _named(
            dims, max_pool, f"The largest of each window in {dims} dimension(s); the first of equals has the gradient.",
            f"{_WINDOWS}; dilation; return_indices, whether the places in the plane come too",
            f"{f.format('max_pool')}(x, 4).item()\n    {last}.0",
        ),
        _named(
            dims, adaptive_max_pool, f"The largest element of each of `output_size` windows, in {dims} dimension(s).",
            "output_size (integers, or None for the input's); return_indices, whether the places in the plane "
            "come too",
            f"{f.format('adaptive_max_pool')}(x, 1).item()\n    {last}.0",
        ),
        _named(
            dims, max_unpool, f"Zeros with each element at the place that max_pool{dims}d(return_indices=True) found.",
            "indices (int64, of the input's shape); kernel_size, stride, padding as in the pooling; output_size, "
            "where several sizes are possible",
            f"y, places = {f.format('max_pool')}(x, 2, return_indices=True)\n"
            f"    >>> {f.format('max_unpool')}(y, places, 2).shape == x.shape\n    True",
        ),
    )  # fmt: skip


def _mean_functions(dims: int) -> tuple[Any, Any, Any]:
    def avg_pool(
        input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
        count_include_pad: bool = True, divisor_override: int | None = None,
    ) -> Tensor:  # fmt: skip
        return _avg_pool(dims, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)

    def lp_pool(
        input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
    ) -> Tensor:
        return _lp_pool(dims, input, norm_type, kernel_size, stride, ceil_mode)

    def adaptive_avg_pool(input: Tensor, output_size: Any) -> Tensor:
        return _adaptive_avg_pool(dims, input, output_size)

    f = f"tg.nn.functional.{{}}{dims}d"
    return (
        _named(
            dims, avg_pool, f"The mean of each window in {dims} dimension(s).",
            f"{_WINDOWS}; count_include_pad, whether padding counts as zeros; divisor_override, what sums are divided "
            "by instead of their count",
            f"{f.format('avg_pool')}(x, 4).item()\n    {(4**dims - 1) / 2}",
        ),
        _named(
            dims, lp_pool, f"The root Σ(xᵖ)^(1/p) of each window in {dims} dimension(s).",
            "norm_type p; kernel_size, stride, ceil_mode as in pooling",
            f"{f.format('lp_pool')}(tg.ones_like(x), 1, 4).item()\n    {float(4**dims)}",
        ),
        _named(
            dims, adaptive_avg_pool, f"The mean of each of `output_size` windows, in {dims} dimension(s).",
            "output_size (integers, or None for the input's)",
            f"{f.format('adaptive_avg_pool')}(x, 1).item()\n    {(4**dims - 1) / 2}",
        ),
    )  # fmt: skip


max_pool1d, adaptive_max_pool1d, max_unpool1d = _max_functions(1)
max_pool2d, adaptive_max_pool2d, max_unpool2d = _max_functions(2)
max_pool3d, adaptive_max_pool3d, max_unpool3d = _max_functions(3)
avg_pool1d, lp_pool1d, adaptive_avg_pool1d = _mean_functions(1)
avg_pool2d, lp_pool2d, adaptive_avg_pool2d = _mean_functions(2)
avg_pool3d, lp_pool3d, adaptive_avg_pool3d = _mean_functions(3)
