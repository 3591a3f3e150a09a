"""Layers between images and their windows as columns."""

from __future__ import annotations

from typing import Any

from tinygrad_dl.tensor import Tensor

from .functional import fold, unfold
from .module import Module


class Unfold(Module):
    """The windows of an image as columns: (N, C, H, W) becomes (N, C · elements of a window, windows).

    Arguments: kernel_size, dilation, padding, stride: integers or one for height and width. Raises ShapeError when a
    window is larger than the padded input. Source: notes, section 7 ("im2col").

    >>> import tinygrad_dl as tg
    >>> tg.nn.Unfold(2)(tg.ones(1, 3, 4, 4)).shape
    tinygrad_dl.Size([1, 12, 9])
    """

    def __init__(self, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> None:
        super().__init__()
        self.kernel_size, self.dilation, self.padding, self.stride = kernel_size, dilation, padding, stride

    def forward(self, input: Tensor) -> Tensor:
        return unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)


class Fold(Module):
    """Columns added up at the places of their windows: the transpose of `Unfold`, to an image of `output_size`.

    Arguments: output_size, kernel_size, dilation, padding, stride: integers or one for height and width. Raises
    ShapeError when the columns are not those of such an image.

    >>> import tinygrad_dl as tg
    >>> tg.nn.Fold((4, 4), 2)(tg.ones(1, 12, 9)).shape
    tinygrad_dl.Size([1, 3, 4, 4])
    """

    def __init__(
        self, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
    ) -> None:
        super().__init__()
        self.output_size, self.kernel_size = output_size, kernel_size
        self.dilation, self.padding, self.stride = dilation, padding, stride

    def forward(self, input: Tensor) -> Tensor:
        return fold(input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)
