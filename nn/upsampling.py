"""Layers that resize: `interpolate` with its arguments kept."""

from __future__ import annotations

from typing import Any

from tinygrad_dl.tensor import Tensor

from .functional import interpolate
from .module import Module


class Upsample(Module):
    """The input resized in the dimensions after batch and channels, by `interpolate`.

    Arguments: size or scale_factor, a number or one for each dimension; mode "nearest", "linear", "bilinear",
    "trilinear", "bicubic", ...; align_corners, whether the middles of the outer elements stay in place rather than
    their edges; recompute_scale_factor. Raises what `interpolate` raises.

    >>> import tinygrad_dl as tg
    >>> tg.nn.Upsample(scale_factor=2, mode="bilinear")(tg.ones(1, 3, 4, 5)).shape
    tinygrad_dl.Size([1, 3, 8, 10])
    """

    def __init__(
        self, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        several = isinstance(scale_factor, tuple)
        self.size, self.mode, self.align_corners = size, mode, align_corners
        self.scale_factor = tuple([float(f) for f in scale_factor]) if several else scale_factor and float(scale_factor)
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Tensor) -> Tensor:
        return interpolate(
            input, self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor
        )

    def extra_repr(self) -> str:
        """Size or factor, and the mode, as PyTorch shows them."""
        by = f"size={self.size!r}" if self.scale_factor is None else f"scale_factor={self.scale_factor!r}"
        return f"{by}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """Images resized to the nearest elements; PyTorch's older form of Upsample.

    Arguments: size or scale_factor, a number or one for height and width.

    >>> import tinygrad_dl as tg
    >>> tg.nn.UpsamplingNearest2d(scale_factor=2)(tg.ones(1, 3, 4, 5)).shape
    tinygrad_dl.Size([1, 3, 8, 10])
    """

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor)


class UpsamplingBilinear2d(Upsample):
    """Images resized bilinearly with aligned corners; PyTorch's older form of Upsample.

    Arguments: size or scale_factor, a number or one for height and width.

    >>> import tinygrad_dl as tg
    >>> tg.nn.UpsamplingBilinear2d(size=8)(tg.ones(1, 3, 4, 5)).shape
    tinygrad_dl.Size([1, 3, 8, 8])
    """

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, "bilinear", align_corners=True)
