"""Layers that only change the shape."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tinygrad_dl.errors import ShapeError
from tinygrad_dl.tensor import Tensor, normalize_dim

from .module import Module


class Flatten(Module):
    """Joins the dimensions `start_dim` to `end_dim`: (N, C, H, W) becomes (N, C·H·W).

    Arguments: start_dim, end_dim, both included. Raises DimensionError for a dimension that is out of range. Source:
    notes, section 4.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.Flatten()(tg.zeros(10, 7, 7, 40)).shape
    tinygrad_dl.Size([10, 1960])
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Tensor) -> Tensor:
        return input.flatten(self.start_dim, self.end_dim)


class Unflatten(Module):
    """Splits dimension `dim` into several: the reverse of `Flatten`.

    Arguments: dim; unflattened_size, the sizes in its place, of which one may be -1: what remains. Raises ShapeError
    when the sizes don't multiply up to that of the dimension.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.Unflatten(1, (2, -1))(tg.zeros(10, 50)).shape
    tinygrad_dl.Size([10, 2, 25])
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        self.dim, self.unflattened_size = dim, tuple(unflattened_size)

    def forward(self, input: Tensor) -> Tensor:
        shape = input.shape
        dim = normalize_dim("Unflatten", self.dim, len(shape))
        sizes = self.unflattened_size
        known = math.prod(size for size in sizes if size != -1)
        rest_fits = sizes.count(-1) == 1 and known > 0 and shape[dim] % known == 0
        if not rest_fits and (-1 in sizes or known != shape[dim]):
            raise ShapeError(
                f"Unflatten: sizes {sizes} don't multiply up to {shape[dim]}, which is the size of dim {self.dim} of "
                f"an input of shape {tuple(shape)}"
            )
        filled = [shape[dim] // known if size == -1 else size for size in sizes]
        return input.reshape(*shape[:dim], *filled, *shape[dim + 1 :])
