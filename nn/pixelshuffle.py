"""Layers that rearrange channels: as pixels, and among each other."""

from __future__ import annotations

from tinygrad_dl.tensor import Tensor

from .functional import channel_shuffle, pixel_shuffle, pixel_unshuffle
from .module import Module


class PixelShuffle(Module):
    """An image larger by a factor r, made of r² channels: (..., C · r², H, W) becomes (..., C, H · r, W · r).

    Arguments: upscale_factor (r). Raises ShapeError when the channels are not divisible by r².

    >>> import tinygrad_dl as tg
    >>> tg.nn.PixelShuffle(2)(tg.ones(1, 8, 3, 3)).shape
    tinygrad_dl.Size([1, 2, 6, 6])
    """

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return pixel_shuffle(input, self.upscale_factor)


class PixelUnshuffle(Module):
    """The reverse of `PixelShuffle`: (..., C, H · r, W · r) becomes (..., C · r², H, W).

    Arguments: downscale_factor (r). Raises ShapeError when height or width are not divisible by r.

    >>> import tinygrad_dl as tg
    >>> tg.nn.PixelUnshuffle(2)(tg.ones(1, 2, 6, 6)).shape
    tinygrad_dl.Size([1, 8, 3, 3])
    """

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return pixel_unshuffle(input, self.downscale_factor)


class ChannelShuffle(Module):
    """The channels, in groups, dealt out: the first of each group, then the second of each, ...

    Arguments: groups, which must divide the channels. Raises ShapeError otherwise.

    >>> import tinygrad_dl as tg
    >>> tg.nn.ChannelShuffle(2)(tg.arange(4).reshape(1, 4, 1, 1)).flatten()
    tensor([0, 2, 1, 3])
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Tensor) -> Tensor:
        return channel_shuffle(input, self.groups)
