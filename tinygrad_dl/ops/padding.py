"""Padding and cropping, with a number or with what the tensor holds; channels rearranged as pixels."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .. import backend
from ..errors import ArgumentError, ArgumentTypeError, DtypeError, ShapeError
from ..operation import operation
from ..tensor import Tensor
from .composed import composed
from .conversion import filling
from .shape import inverse, sizes_of

Pads = Sequence[tuple[int, int]]  # of each dimension, what is added before and after; negative where it is cropped


@operation("constant_pad", input=lambda g, pads: _pad_with(g, [(-before, -after) for before, after in pads], 0))
def _pad_with(input: Any, pads: Pads, value: Any) -> Any:
    out = backend.filled(input, tuple([n + sum(pad) for n, pad in zip(input.shape, pads)]), value)
    out[_inside(pads)] = input[_inside([(-before, -after) for before, after in pads])]
    return out


def _inside(pads: Pads) -> tuple[slice, ...]:
    """Where the input stands in what was padded (of negative pads: all that remains of it)."""
    return tuple([slice(max(before, 0), -after if after > 0 else None) for before, after in pads])


# --- with what the tensor holds: the borders of the result are copies of other parts of it


def _borders(mode: str, size: int, before: int, after: int) -> Iterator[tuple[slice, slice]]:
    """Where the borders of a padded dimension are, and where the elements that they repeat."""
    end = before + size
    if mode == "reflect":
        sources = slice(2 * before, before, -1), slice(end - 2, end - 2 - after if end - 2 >= after else None, -1)
    elif mode == "replicate":
        sources = slice(before, before + 1), slice(end - 1, end)
    else:
        sources = slice(size, end), slice(before, before + after)
    if before:
        yield slice(0, before), sources[0]
    if after:
        yield slice(end, end + after), sources[1]


def _along(dim: int, place: slice) -> tuple[slice, ...]:
    return (*(slice(None),) * dim, place)


@operation("pad", input=lambda g, pads, mode: _fold_borders(g, pads, mode))
def _pad_by_borders(input: Any, pads: Pads, mode: str) -> Any:
    out = backend.empty(input, tuple([n + sum(pad) for n, pad in zip(input.shape, pads)]))
    out[_inside(pads)] = input
    for dim, (size, pad) in enumerate(zip(input.shape, pads)):
        for border, source in _borders(mode, size, *pad):
            out[_along(dim, border)] = out[_along(dim, source)]
    return out


@operation("pad_backward", input=lambda g, pads, mode: _pad_by_borders(g, pads, mode))
def _fold_borders(input: Any, pads: Pads, mode: str) -> Any:
    """The borders added to the elements that they repeat, and cut off: the reverse of `_pad_by_borders`."""
    out = input.copy()
    for dim, pad in enumerate(pads):  # the order of the dimensions does not matter
        for border, source in _borders(mode, out.shape[dim] - sum(pad), *pad):
            part = out[_along(dim, border)]
            out[_along(dim, source)] += np.add.reduce(part, dim, keepdims=True) if mode == "replicate" else part
    return out[_inside(pads)].copy()


_MODES = ("constant", "reflect", "replicate", "circular")


@composed
def pad(input: Any, pad: Any, mode: str = "constant", value: Any = None) -> Any:
    """Longer, or shorter where a number is negative, at both ends of the last dimensions.

    Arguments: input (tensor), pad (pairs of integers: before and after the last dimension, then those of the one
    before it, ...), mode ("constant": filled with `value`, 0 if None; "reflect": mirrored at the edges; "replicate":
    the edges repeated; "circular": as if it were a ring; the last three pad the last 1, 2 or 3 dimensions of 2 or 3, 3
    or 4, 4 or 5). Raises ShapeError for pads that don't fit the shape, ArgumentError for an unknown mode.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.pad(tg.tensor([[1, 2, 3]]), (1, 2))
    tensor([[0, 1, 2, 3, 0, 0]])
    >>> tg.nn.functional.pad(tg.tensor([[1, 2, 3]]), (2, 1), mode="reflect")
    tensor([[3, 2, 1, 2, 3, 2]])
    """
    if mode not in _MODES:
        raise UnknownModeError(f"pad: mode is one of {', '.join(map(repr, _MODES))}, not {mode!r}")
    if isinstance(pad, Tensor | int):
        raise ArgumentTypeError(f"pad: pad must be a tuple or list of integers, {type(pad).__name__} came")
    pads = _pairs(input, sizes_of("pad", (pad,)))
    if mode == "constant":
        for dim, (n, (before, after)) in enumerate(zip(input.shape, pads)):
            if n + min(before, 0) + min(after, 0) < 0:
                raise ShapeError(f"pad: ({before}, {after}) crops more than dimension {dim} of size {n} has")
        value = value.item() if isinstance(value, Tensor) else value
        return _pad_with(input, pads, filling("pad", input, value or 0))
    if value:
        raise ArgumentError(
            f"pad: mode {mode!r} fills with the tensor's own elements, value={value!r} came; leave it out"
        )
    return _pad_by_mode(input, pads, mode, len(pad) // 2)


class UnknownModeError(ArgumentError, NotImplementedError):
    """A way of padding that is not known."""


def _pairs(input: Any, pad: tuple[int, ...]) -> list[tuple[int, int]]:
    """The pads of each dimension, in the order of the dimensions."""
    if len(pad) % 2 or len(pad) > 2 * input.ndim:
        raise ShapeError(
            f"pad: pad must have two numbers for each of the last dimensions; {len(pad)} came for a tensor of shape "
            f"{tuple(input.shape)}"
        )
    pads = [(0, 0)] * (input.ndim - len(pad) // 2) + [(pad[i], pad[i + 1]) for i in range(len(pad) - 2, -1, -2)]
    for dim, (n, (before, after)) in enumerate(zip(input.shape, pads)):
        if n + before + after < 0:
            raise ShapeError(f"pad: ({before}, {after}) would leave nothing of dimension {dim} of size {n}")
    return pads


def _pad_by_mode(input: Any, pads: list[tuple[int, int]], mode: str, count: int) -> Any:
    shape = tuple(input.shape)
    if not 1 <= count <= 3 or input.ndim not in (count + 1, count + 2):
        raise UnknownModeError(
            f"pad: mode {mode!r} pads the last 1 to 3 dimensions of a tensor with one or two more; {count} came for "
            f"shape {shape}"
        )
    if mode != "circular" and (input.array.dtype.kind == "b" or 0 in shape[-count - 1 :]):
        if input.array.dtype.kind == "b":
            raise DtypeError(f"pad: mode {mode!r} does not take bool tensors; convert it first with .byte()")
        raise ShapeError(f"pad: mode {mode!r} needs elements to repeat, the input has shape {shape}")
    for dim, (n, (before, after)) in enumerate(zip(shape, pads)):
        most = max(before, after)
        if (mode == "reflect" and most >= n > 0) or (mode == "circular" and most > n):
            raise ShapeError(
                f"pad: mode {mode!r} can't pad dimension {dim} of size {n} with ({before}, {after}); at most "
                f"{n - (mode == 'reflect')} would work"
            )
        if mode != "circular" and n and n + before + after < 1:
            raise ShapeError(f"pad: ({before}, {after}) would leave nothing of dimension {dim} of size {n}")
    padded = [(max(before, 0), max(after, 0)) for before, after in pads]
    cropped = [(min(before, 0), min(after, 0)) for before, after in pads]
    if not any(map(any, cropped)):
        return _pad_by_borders(input, pads, mode)
    if mode == "circular":  # PyTorch makes a ring of what is left, but mirrors and repeats what there was
        return _pad_by_borders(_pad_with(input, cropped, 0), padded, mode)
    return _pad_with(_pad_by_borders(input, padded, mode), cropped, 0)


# --- channels as pixels


@operation(
    "rearrange",
    input=lambda g, wide, order, input_shape: _rearranged(g, [wide[i] for i in order], inverse(order), input_shape),
)
def _rearranged(input: Any, wide: Any, order: Any, shape: Any) -> Any:
    """A copy: taken apart into the dimensions `wide`, these in another order, and put together as `shape`."""
    return input.reshape(wide).transpose(order).copy().reshape(shape)


def _last(wide: Sequence[int], *order: int) -> tuple[int, ...]:
    """An order of the last dimensions as one of all."""
    first = len(wide) - len(order)
    return (*range(first), *[first + i for i in order])


def _factor(name: str, argument: str, value: Any) -> int:
    (factor,) = sizes_of(name, (value,))
    if factor < 1:
        raise ArgumentError(f"{name}: {argument} must be positive, {factor} came")
    return factor


def _require_image(name: str, input: Any, channels: int, height: int, width: int) -> None:
    if input.ndim < 3:
        raise ShapeError(
            f"{name}: an input of shape (..., channels, height, width) is needed, {tuple(input.shape)} came"
        )
    for dim, (what, divisor) in enumerate({"channels": channels, "height": height, "width": width}.items(), -3):
        if input.shape[dim] % divisor:
            raise ShapeError(
                f"{name}: the {what}, dimension {dim} of shape {tuple(input.shape)}, must be divisible by {divisor}"
            )


@composed
def pixel_shuffle(input: Any, upscale_factor: int) -> Any:
    """An image larger by a factor r, made of r² channels: (..., C · r², H, W) becomes (..., C, H · r, W · r).

    Arguments: input (tensor of at least 3 dimensions), upscale_factor (r). Raises ShapeError when the channels are not
    divisible by r². Source: Shi et al., Real-Time Single Image and Video Super-Resolution, 2016.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.pixel_shuffle(tg.arange(4).reshape(4, 1, 1), 2)
    tensor([[[0, 1],
             [2, 3]]])
    """
    r = _factor("pixel_shuffle", "upscale_factor", upscale_factor)
    _require_image("pixel_shuffle", input, r * r, 1, 1)
    *before, channels, height, width = input.shape
    channels //= r * r
    wide, shape = (*before, channels, r, r, height, width), (*before, channels, height * r, width * r)
    return _rearranged(input, wide, _last(wide, 0, 3, 1, 4, 2), shape)


@composed
def pixel_unshuffle(input: Any, downscale_factor: int) -> Any:
    """The reverse of `pixel_shuffle`: (..., C, H · r, W · r) becomes (..., C · r², H, W).

    Arguments: input (tensor of at least 3 dimensions), downscale_factor (r). Raises ShapeError when the height or the
    width is not divisible by r.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.pixel_unshuffle(tg.arange(4).reshape(1, 2, 2), 2).flatten()
    tensor([0, 1, 2, 3])
    """
    r = _factor("pixel_unshuffle", "downscale_factor", downscale_factor)
    _require_image("pixel_unshuffle", input, 1, r, r)
    *before, channels, height, width = input.shape
    height, width = height // r, width // r
    wide, shape = (*before, channels, height, r, width, r), (*before, channels * r * r, height, width)
    return _rearranged(input, wide, _last(wide, 0, 2, 4, 1, 3), shape)


@composed
def channel_shuffle(input: Any, groups: int) -> Any:
    """The channels, in groups, dealt out: the first of each group, then the second of each, ...

    Arguments: input (tensor of shape (N, C, ...) with at least 3 dimensions), groups (divides C). Raises ShapeError
    otherwise. Source: Zhang et al., ShuffleNet, 2017.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.channel_shuffle(tg.arange(4).reshape(1, 4, 1), 2).flatten()
    tensor([0, 2, 1, 3])
    """
    groups = _factor("channel_shuffle", "groups", groups)
    if input.ndim < 3 or input.shape[1] % groups:
        raise ShapeError(
            f"channel_shuffle: an input of shape (N, C, ...) with at least 3 dimensions and C divisible by {groups} is "
            f"needed, {tuple(input.shape)} came"
        )
    n, channels, *rest = input.shape
    wide = (n, groups, channels // groups, *rest)
    return _rearranged(input, wide, (0, 2, 1, *range(3, len(wide))), tuple(input.shape))
