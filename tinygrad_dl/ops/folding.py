"""Windows of images as columns, and columns added up at the places of their windows: each is the other's derivative."""

import math
from itertools import product
from typing import Any

from .. import backend
from ..errors import ArgumentTypeError, DtypeError, ShapeError
from ..operation import operation
from ..tensor import Tensor
from .composed import composed
from .convolution import Sizes, each, output_sizes
from .shape import squeeze, unsqueeze


@operation("unfold_windows", input=lambda g, input_shape, kernel, steps: folded(g, input_shape[2:], kernel, steps))
def unfolded(input: Any, kernel: Any, steps: Any) -> Any:
    """The windows of an input (n, c, ...) as columns: (n, c · elements of a window, windows)."""
    sizes = input.shape[2:]
    out = output_sizes(sizes, kernel, steps)
    padded = _padded(input, sizes, steps[1])
    padded[_inside(sizes, steps[1])] = input
    columns = backend.empty(input, (*input.shape[:2], *kernel, *out))
    for at, reached in _places(kernel, steps, out):
        columns[(slice(None), slice(None), *at)] = padded[reached]
    return columns.reshape(len(input), input.shape[1] * math.prod(kernel), math.prod(out))


@operation("fold_windows", input=lambda g, kernel, steps: unfolded(g, kernel, steps))
def folded(input: Any, sizes: Any, kernel: Any, steps: Any) -> Any:
    """Columns (n, c · elements of a window, windows) added up at the places of their windows: (n, c, sizes)."""
    sizes = tuple(sizes)
    out = output_sizes(sizes, kernel, steps)
    columns = input.reshape(len(input), input.shape[1] // math.prod(kernel), *kernel, *out)
    padded = _padded(columns, sizes, steps[1])
    for at, reached in _places(kernel, steps, out):
        padded[reached] += columns[(slice(None), slice(None), *at)]
    return padded[_inside(sizes, steps[1])].copy()


def _padded(like: Any, sizes: Sizes, padding: Sizes) -> Any:
    return backend.zeros(like, (*like.shape[:2], *[n + 2 * p for n, p in zip(sizes, padding)]))


def _inside(sizes: Sizes, padding: Sizes) -> tuple[slice, ...]:
    return (slice(None), slice(None), *[slice(p, p + n) for n, p in zip(sizes, padding)])


def _places(kernel: Sizes, steps: Any, out: Sizes) -> Any:
    """For each element of a window, where it lies in the padded input for all windows."""
    stride, _, dilation = steps
    for at in product(*map(range, kernel)):
        reached = [slice(i * d, i * d + s * (o - 1) + 1, s) for i, d, s, o in zip(at, dilation, stride, out)]
        yield at, (slice(None), slice(None), *reached)


def _steps(name: str, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> tuple[Sizes, Any]:
    steps = (
        each(name, "stride", stride, 2, 1),
        each(name, "padding", padding, 2),
        each(name, "dilation", dilation, 2, 1),
    )
    return each(name, "kernel_size", kernel_size, 2, 1), steps


def _batch(name: str, input: Any, ndim: int, shape: str) -> Any:
    if not isinstance(input, Tensor):
        raise ArgumentTypeError(f"{name}: input must be a Tensor, not {type(input).__name__}")
    if input.ndim not in (ndim, ndim - 1) or 0 in input.shape[1:]:
        raise ShapeError(f"{name}: input must be {shape}, or without batch; shape {tuple(input.shape)} came")
    if input.array.dtype.kind not in "fb":
        raise DtypeError(f"{name}: floating numbers are needed, {input.dtype} came; use input.float()")
    return input if input.ndim == ndim else unsqueeze(input, 0)


@composed
def unfold(input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """The windows of an image as columns: (N, C, H, W) becomes (N, C · elements of a window, windows).

    Arguments: input; kernel_size, dilation, padding, stride: integers or one for height and width. Raises ShapeError
    when a window is larger than the padded input, ArgumentError. Source: notes, section 7 ("im2col").

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.unfold(tg.arange(4.0).reshape(1, 1, 2, 2), (1, 2))
    tensor([[[0., 2.],
             [1., 3.]]])
    """
    batch = _batch("unfold", input, 4, "(batch, channels, height, width)")
    kernel, steps = _steps("unfold", kernel_size, dilation, padding, stride)
    if min(output_sizes(tuple(batch.shape[2:]), kernel, steps)) < 1:
        raise ShapeError(f"unfold: windows of {kernel} are larger than the padded input of shape {tuple(input.shape)}")
    out = unfolded(batch, kernel, steps)
    return out if input.ndim == 4 else squeeze(out, 0)


@composed
def fold(input: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Columns added up at the places of their windows: the transpose of `unfold`, to an image of `output_size`.

    Arguments: input (N, C · elements of a window, windows); output_size, kernel_size, dilation, padding, stride:
    integers or one for height and width. Result (N, C, height, width). Raises ShapeError when the columns are not
    those of such an image, ArgumentError.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.fold(tg.ones(1, 2, 2), (1, 3), (1, 2))
    tensor([[[[1., 2., 1.]]]])
    """
    batch = _batch("fold", input, 3, "(batch, channels · elements of a window, windows)")
    kernel, steps = _steps("fold", kernel_size, dilation, padding, stride)
    sizes = each("fold", "output_size", output_size, 2, 1)
    out = output_sizes(sizes, kernel, steps)
    if min(out) < 1 or batch.shape[1] % math.prod(kernel) or batch.shape[2] != math.prod(out):
        raise ShapeError(
            f"fold: an image of {sizes} has {math.prod(out)} windows of {kernel}, the input must be (batch, a multiple "
            f"of {math.prod(kernel)}, {math.prod(out)}); shape {tuple(input.shape)} came"
        )
    image = folded(batch, sizes, kernel, steps)
    return image if input.ndim == 3 else squeeze(image, 0)
