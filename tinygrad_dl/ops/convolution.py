"""Convolutions in one, two and three dimensions, and their transposes. Source: notes, section 7.

Three operations are bilinear in the same three arrays: an output is a correlation of an input with a weight; from any
two of them the gradient of the third is computed. So each one's rules are the other two, to every order.

Nothing that is wider than a block is kept: the columns (each window of the input as one column of a matrix) are laid
out a few samples or rows at a time in one buffer that fits the cache, and laid out again for the backward pass.
"""

import math
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from .. import backend
from ..errors import ArgumentError, ArgumentTypeError, DeviceError, DtypeError, ShapeError
from ..operation import operation
from ..tensor import Tensor, wrap
from .joining import cat
from .reduction import sum as sum_
from .shape import squeeze, unsqueeze

BLOCK = 1 << 18  # elements of the buffer for columns: 1 MB of float32
NARROW = 24  # rows of a matrix of columns below which products are slow
Sizes = tuple[int, ...]

# --- columns


def _columns(x: Any, kernel: Sizes, steps: Any, out: Sizes, groups: int) -> Iterator[tuple[slice, slice, list[Any]]]:
    """Blocks of the columns of x (n, c, ...): samples, outputs, and for each tap (samples, groups, width, outputs).

    Where the first dimension's stride is 1, its taps are the same columns some rows further: these are laid out once.
    """
    stride, padding, dilation = steps
    n, c = x.shape[:2]
    inner = math.prod(out[1:])
    if math.prod(kernel) == 1 and set(stride) == {1} and out == x.shape[2:] and x.flags.c_contiguous:
        yield slice(0, n), slice(0, out[0] * inner), [x.reshape(n, groups, c // groups, out[0] * inner)]
        return
    taps = _taps(kernel, stride, c // groups)
    kernel = (kernel[0] // taps, *kernel[1:])
    width, more = c * math.prod(kernel), (taps - 1) * dilation[0]
    module = backend.array_module(x)
    rows, samples = _block(width * inner, out[0] + more, n, x)
    rows = max(rows - more, 1)
    padded = None
    if set(padding) != {0}:
        padded = module.zeros((samples, c, *[s + 2 * p for s, p in zip(x.shape[2:], padding)]), x.dtype)
    room = module.empty(samples * width * (rows + more) * inner, x.dtype)
    for a in range(0, n, samples):
        part = x[a : a + samples]
        if padded is not None:
            padded[(slice(0, len(part)), slice(None), *_inside(padding, x.shape[2:]))] = part
            part = padded[: len(part)]
        windows = _windows(part, kernel, stride, dilation, (out[0] + more, *out[1:]))
        for r in range(0, out[0], rows):
            last = min(r + rows, out[0])
            view = windows[(slice(None),) * (2 + len(kernel)) + (slice(r, last + more),)]
            block = room[: view.size].reshape(view.shape)
            block[...] = view
            flat = block.reshape(len(part), groups, width // groups, (last + more - r) * inner)
            starts = [i * dilation[0] * inner for i in range(taps)]
            columns = [flat[..., start : start + (last - r) * inner] for start in starts]
            yield slice(a, a + len(part)), slice(r * inner, last * inner), columns


def _taps(kernel: Sizes, stride: Sizes, channels: int) -> int:
    """How many products make an output: one for each place in the kernel's first dimension, or one for all."""
    return kernel[0] if stride[0] == 1 and channels * math.prod(kernel[1:]) >= NARROW else 1


def _matrices(weight: Any, taps: int, groups: int) -> Any:
    """The weight (out, in, kernel...) as a matrix (taps, groups, out / groups, width) for each tap."""
    o, c = weight.shape[:2]
    apart = weight.reshape(groups, o // groups, c, taps, math.prod(weight.shape[2:]) // taps)
    return apart.transpose(3, 0, 1, 2, 4).reshape(taps, groups, o // groups, -1)


def _block(row: int, rows: int, samples: int, x: Any) -> tuple[int, int]:
    """How many rows of outputs and how many samples the buffer holds; all where a call is dearer than memory."""
    if type(x) is not backend.HOST:
        return rows, max(samples, 1)
    if row * rows > BLOCK:
        return max(1, BLOCK // max(row, 1)), 1
    return rows, max(1, min(samples, BLOCK // max(row * rows, 1)))


def _inside(padding: Sizes, sizes: Sizes) -> tuple[slice, ...]:
    return tuple([slice(p, p + size) for p, size in zip(padding, sizes)])


def _windows(x: Any, kernel: Sizes, stride: Sizes, dilation: Sizes, out: Sizes) -> Any:
    """The view (n, c, kernel..., out...) of an array (n, c, ...)."""
    steps = x.strides[2:]
    inside = tuple([step * d for step, d in zip(steps, dilation)])
    across = tuple([step * s for step, s in zip(steps, stride)])
    return backend.strided(x, (*x.shape[:2], *kernel, *out), (*x.strides[:2], *inside, *across))


# --- the three operations: steps are (stride, padding, dilation), each with a number for each dimension


def _correlate(x: Any, weight: Any, steps: Any, groups: int, out: Sizes) -> Any:
    """The products of each window of x with the weight (out channels, in channels / groups, kernel...)."""
    n, channels = x.shape[0], weight.shape[0]
    y = backend.array_module(x).empty((n, groups, channels // groups, math.prod(out)), x.dtype)
    matrices = _matrices(weight, _taps(weight.shape[2:], steps[0], weight.shape[1]), groups)
    for samples, outputs, columns in _columns(x, weight.shape[2:], steps, out, groups):
        place = y[samples, :, :, outputs]
        np.matmul(matrices[0], columns[0], out=place)
        for matrix, tap in zip(matrices[1:], columns[1:]):
            place += matrix @ tap
    return y.reshape(n, channels, *out)


def _correlate_transposed(y: Any, weight: Any, steps: Any, groups: int, sizes: Sizes) -> Any:
    """The transpose of `_correlate` in its input: each output's products go back to the places of its window."""
    stride, padding, dilation = steps
    kernel = weight.shape[2:]
    n, out, c = y.shape[0], y.shape[2:], weight.shape[1] * groups
    around = tuple([d * (k - 1) - p for d, k, p in zip(dilation, kernel, padding)])
    exact = all(n + a - p == size for n, a, p, size in zip(out, around, padding, sizes))
    laid_out, added_up = y.shape[1] * math.prod(kernel[1:]) * math.prod(sizes), c * math.prod(kernel) * math.prod(out)
    exact &= set(stride) == {1} and min(around) >= 0
    if exact and laid_out <= 3 * added_up:  # then it is, and sooner done as, a correlation with the kernel turned round
        return _correlate(y, _turned(weight, groups), (stride, around, dilation), groups, sizes)
    module = backend.array_module(y)
    x = module.empty((n, c, *sizes), y.dtype)
    matrix = weight.reshape(groups, weight.shape[0] // groups, math.prod(weight.shape[1:])).swapaxes(1, 2)
    flat = y.reshape(n, groups, weight.shape[0] // groups, math.prod(out))
    samples = _block(c * math.prod(kernel) * math.prod(out[1:]), out[0], n, y)[1]
    padded = module.empty((samples, c, *[size + 2 * p for size, p in zip(sizes, padding)]), y.dtype)
    for a in range(0, n, samples):
        columns = matrix @ flat[a : a + samples]
        columns = columns.reshape(len(columns), c, *kernel, *out)
        place = padded[: len(columns)]
        place.fill(0)
        for at in product(*map(range, kernel)):
            reached = [slice(i * d, i * d + s * (o - 1) + 1, s) for i, d, s, o in zip(at, dilation, stride, out)]
            place[(slice(None), slice(None), *reached)] += columns[(slice(None), slice(None), *at)]
        x[a : a + samples] = place[(slice(None), slice(None), *_inside(padding, sizes))]
    return x


def _turned(weight: Any, groups: int) -> Any:
    """The weight with its kernel turned round and its channels exchanged, group by group."""
    o, c, *kernel = weight.shape
    turned = weight[(slice(None), slice(None), *[slice(None, None, -1)] * len(kernel))]
    return turned.reshape(groups, o // groups, c, *kernel).swapaxes(1, 2).reshape(groups * c, o // groups, *kernel)


def _correlate_weight(y: Any, x: Any, shape: Sizes, steps: Any, groups: int) -> Any:
    """The transpose of `_correlate` in its weight: the products of each window with its output, summed."""
    taps = _taps(shape[2:], steps[0], shape[1])
    parts = backend.zeros(x, (taps, groups, shape[0] // groups, math.prod(shape[1:]) // taps))
    flat = y.reshape(y.shape[0], groups, shape[0] // groups, math.prod(y.shape[2:]))
    for samples, outputs, columns in _columns(x, shape[2:], steps, y.shape[2:], groups):
        for part, tap in zip(parts, columns):
            part += np.add.reduce(flat[samples, :, :, outputs] @ tap.swapaxes(2, 3), 0)
    apart = parts.reshape(taps, groups, shape[0] // groups, shape[1], math.prod(shape[2:]) // taps)
    return apart.transpose(1, 2, 3, 0, 4).reshape(shape)


# --- as operations: steps is (stride, padding, dilation), each a number for each dimension


def _computed(function: Any, first: Any, second: Any, *how: Any) -> Any:
    """A function of two arrays, float16 computed in float32 as PyTorch does."""
    dtype = first.dtype
    if dtype == np.float16:
        first, second = first.astype(np.float32), second.astype(np.float32)
    return function(backend.row_major(first), backend.row_major(second), *how).astype(dtype, copy=False)


def _with_bias(y: Any, bias: Any) -> Any:
    if bias is not None:
        y += bias.reshape(-1, *[1] * (y.ndim - 2))
    return y


def _bias_rule(g: Any) -> Any:
    return sum_(g, (0, *range(2, g.ndim)))


@operation(
    input=lambda g, input_shape, weight, steps, groups: transposed(g, weight, None, input_shape[2:], steps, groups),
    weight=lambda g, input, weight_shape, steps, groups: weight_gradient(g, input, weight_shape, steps, groups),
    bias=_bias_rule,
)
def convolution(input: Any, weight: Any, bias: Any, sizes: Any, steps: Any, groups: int) -> Any:
    """The products of a weight (out, in / groups, ...) with windows of an input (n, in, ...), plus a bias."""
    return _with_bias(_computed(_correlate, input, weight, steps, groups, tuple(sizes)), bias)


@operation(
    "transposed_convolution",
    input=lambda g, input_shape, weight, steps, groups: convolution(g, weight, None, input_shape[2:], steps, groups),
    weight=lambda g, input, weight_shape, steps, groups: weight_gradient(input, g, weight_shape, steps, groups),
    bias=_bias_rule,
)
def transposed(input: Any, weight: Any, bias: Any, sizes: Any, steps: Any, groups: int) -> Any:
    """The transpose of a convolution to an output of these sizes; the weight is (in, out / groups, ...)."""
    return _with_bias(_computed(_correlate_transposed, input, weight, steps, groups, tuple(sizes)), bias)


@operation(
    "convolution_weight",
    output=lambda g, output_shape, input, steps, groups: convolution(input, g, None, output_shape[2:], steps, groups),
    input=lambda g, output, input_shape, steps, groups: transposed(output, g, None, input_shape[2:], steps, groups),
)
def weight_gradient(output: Any, input: Any, shape: Any, steps: Any, groups: int) -> Any:
    """The gradient of a convolution's weight of this shape from that of its output and from its input."""
    return _computed(_correlate_weight, output, input, tuple(shape), steps, groups)


# --- as users call them


def output_sizes(sizes: Sizes, kernel: Sizes, steps: Any) -> Sizes:
    """⌊(n + 2p - d (k - 1) - 1) / s⌋ + 1 in each dimension. Source: notes, section 7, N300."""
    parts = zip(sizes, kernel, *steps)
    return tuple([(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in parts])


def each(name: str, argument: str, value: Any, dims: int, least: int = 0) -> Sizes:
    """A number for each dimension from one number or several."""
    values = tuple(value) if isinstance(value, tuple | list) else (value,)
    values = values * dims if len(values) == 1 else values
    if len(values) != dims or not all(isinstance(v, int) and not isinstance(v, bool) and v >= least for v in values):
        raise ArgumentError(f"{name}: {argument} must be an integer from {least} on, or {dims} of them, not {value!r}")
    return values


def _require(name: str, input: Any, weight: Any, bias: Any, dims: int) -> None:
    for argument, value in (("input", input), ("weight", weight), ("bias", bias)):
        if not isinstance(value, Tensor) and not (argument == "bias" and value is None):
            raise ArgumentTypeError(f"{name}: {argument} must be a Tensor, not {type(value).__name__}")
    given = [value for value in (input, weight, bias) if value is not None]
    if any(value.dtype != weight.dtype for value in given) or weight.array.dtype.kind == "b":
        kinds = ", ".join(str(value.dtype) for value in given)
        raise DtypeError(f"{name}: input, weight and bias must have one dtype, not bool; {kinds} came")
    if any(type(value.array) is not type(weight.array) for value in given):
        places = ", ".join(f"'{value.device}'" for value in given)
        raise DeviceError(f"{name}: input, weight and bias must be on one device, {places} came; use .to(device)")
    if input.ndim not in (dims + 1, dims + 2) or weight.ndim != dims + 2:
        raise ShapeError(
            f"{name}: input must have {dims + 2} dimensions (batch, channels, sizes), or {dims + 1} without batch, and "
            f"weight {dims + 2}; shapes {tuple(input.shape)} and {tuple(weight.shape)} came"
        )


def _fit(name: str, channels: int, of_weight: int, groups: Any, input: Any, weight: Any, outputs: int) -> None:
    if not isinstance(groups, int) or groups < 1:
        raise ArgumentError(f"{name}: groups must be a positive integer, not {groups!r}")
    if channels != of_weight * groups or outputs % groups:
        raise ShapeError(
            f"{name}: input {tuple(input.shape)} has {channels} channels; weight {tuple(weight.shape)} with groups="
            f"{groups} needs {of_weight * groups}, and a number of outputs that {groups} divides"
        )


def _convolved(
    name: str, dims: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: Any
) -> Any:
    _require(name, input, weight, bias, dims)
    batch = input if input.ndim == dims + 2 else unsqueeze(input, 0)
    stride, dilation = each(name, "stride", stride, dims, 1), each(name, "dilation", dilation, dims, 1)
    kernel, channels = weight.shape[2:], batch.shape[1]
    _fit(name, channels, weight.shape[1], groups, input, weight, weight.shape[0])
    if isinstance(padding, str):
        batch, padding = _named_padding(name, padding, batch, kernel, stride, dilation)
    steps = (stride, each(name, "padding", padding, dims), dilation)
    if any(n + 2 * p < d * (k - 1) + 1 for n, k, _, p, d in zip(batch.shape[2:], kernel, *steps)):
        raise ShapeError(
            f"{name}: the kernel {tuple(kernel)} with dilation {dilation} is larger than the padded input: sizes "
            f"{tuple(batch.shape[2:])}, padding {steps[1]}"
        )
    if bias is not None and tuple(bias.shape) != (weight.shape[0],):
        raise ShapeError(f"{name}: bias must have shape ({weight.shape[0]},), not {tuple(bias.shape)}")
    out = convolution(batch, weight, bias, output_sizes(batch.shape[2:], kernel, steps), steps, groups)
    return out if input.ndim == dims + 2 else squeeze(out, 0)


def _named_padding(name: str, padding: str, x: Any, kernel: Any, stride: Any, dilation: Any) -> tuple[Any, Any]:
    """The padding that "same" or "valid" asks for; where it is uneven, one zero more is put at the end."""
    if padding == "valid":
        return x, 0
    if padding != "same":
        raise ArgumentError(f"{name}: padding must be integers, 'valid' or 'same', not {padding!r}")
    if set(stride) != {1}:
        raise ArgumentError(f"{name}: padding='same' goes with stride 1 only, not {tuple(stride)}")
    totals = [d * (k - 1) for d, k in zip(dilation, kernel)]
    for dim, total in enumerate(totals, 2):
        if total % 2:
            end = wrap(backend.zeros(x.array, tuple([1 if i == dim else n for i, n in enumerate(x.shape)])))
            x = cat([x, end], dim)
    return x, tuple([total // 2 for total in totals])


def _transposed(
    name: str, dims: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, output_padding: Any,
    groups: Any, dilation: Any,
) -> Any:  # fmt: skip
    _require(name, input, weight, bias, dims)
    batch = input if input.ndim == dims + 2 else unsqueeze(input, 0)
    stride, dilation = each(name, "stride", stride, dims, 1), each(name, "dilation", dilation, dims, 1)
    steps = (stride, each(name, "padding", padding, dims), dilation)
    more = each(name, "output_padding", output_padding, dims)
    if any(m >= max(s, d) for m, s, d in zip(more, stride, dilation)):
        raise ArgumentError(
            f"{name}: output_padding {more} must be smaller than stride {stride} or dilation {dilation}"
        )
    if batch.shape[1] != weight.shape[0] or not isinstance(groups, int) or groups < 1 or batch.shape[1] % groups:
        raise ShapeError(
            f"{name}: input {tuple(input.shape)} has {batch.shape[1]} channels, weight {tuple(weight.shape)} takes "
            f"{weight.shape[0]}, which groups={groups} must divide"
        )
    if bias is not None and tuple(bias.shape) != (weight.shape[1] * groups,):
        raise ShapeError(f"{name}: bias must have shape ({weight.shape[1] * groups},), not {tuple(bias.shape)}")
    parts = zip(batch.shape[2:], weight.shape[2:], *steps, more)
    sizes = tuple([(n - 1) * s - 2 * p + d * (k - 1) + m + 1 for n, k, s, p, d, m in parts])
    if min(sizes) < 0:
        raise ShapeError(f"{name}: input {tuple(input.shape)} gives an output of sizes {sizes}; use less padding")
    out = transposed(batch, weight, bias, sizes, steps, groups)
    return out if input.ndim == dims + 2 else squeeze(out, 0)


def _functions(dims: int) -> tuple[Any, Any]:
    """conv1d, conv2d or conv3d and its transpose."""
    sizes = ("length", "height, width", "depth, height, width")[dims - 1]
    ones = ", ".join(["1"] * (dims + 2))

    def conv(
        input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
        dilation: Any = 1, groups: int = 1,
    ) -> Tensor:  # fmt: skip
        return _convolved(f"conv{dims}d", dims, input, weight, bias, stride, padding, dilation, groups)

    def conv_transpose(
        input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
        output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
    ) -> Tensor:  # fmt: skip
        name = f"conv_transpose{dims}d"
        return _transposed(name, dims, input, weight, bias, stride, padding, output_padding, groups, dilation)

    conv.__doc__ = f"""The correlation of an input with a weight in {dims} dimension(s).

    Arguments: input (batch, in, {sizes}) or without the batch, weight (out, in / groups, kernel sizes), bias (out) or
    None; stride, padding, dilation: integers or one for each dimension, padding also "same" or "valid"; groups: the
    channels are split into so many, each with its own outputs. Sizes: ⌊(n + 2 padding - dilation (k - 1) - 1) / stride⌋
    + 1. Raises ShapeError, DtypeError, ArgumentError. Source: notes, section 7.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.conv{dims}d(tg.ones({ones}), 2 * tg.ones({ones})).shape
    tinygrad_dl.Size([{ones}])
    """
    conv_transpose.__doc__ = f"""The transpose of a convolution in {dims} dimension(s): each input spreads the weight.

    Arguments: input (batch, in, {sizes}) or without the batch, weight (in, out / groups, kernel sizes), bias (out) or
    None; stride, padding, output_padding, dilation: integers or one for each dimension; groups as in conv{dims}d.
    Sizes: (n - 1) stride - 2 padding + dilation (k - 1) + output_padding + 1. Raises ShapeError,
    DtypeError, ArgumentError.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.conv_transpose{dims}d(tg.ones({ones}), 2 * tg.ones({ones})).shape
    tinygrad_dl.Size([{ones}])
    """
    for function, name in ((conv, f"conv{dims}d"), (conv_transpose, f"conv_transpose{dims}d")):
        function.__name__ = function.__qualname__ = name
    return conv, conv_transpose


conv1d, conv_transpose1d = _functions(1)
conv2d, conv_transpose2d = _functions(2)
conv3d, conv_transpose3d = _functions(3)
