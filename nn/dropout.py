"""Layers that leave out values at random while training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinygrad_dl.tensor import Tensor

from . import dropping
from .dropping import check_dropout
from .module import Module


class _Dropout(Module):
    function: Callable[..., Any]

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        check_dropout(type(self).__name__, p)
        self.p, self.inplace = p, inplace

    def forward(self, input: Tensor) -> Tensor:
        """The input, of which values are left out while training."""
        return type(self).function(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        """The arguments as PyTorch shows them."""
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """While training, sets each value to 0 with probability p and divides the others by 1 - p; in `eval()`, nothing.

    So the expected value stays the same and nothing needs scaling later ("inverted" dropout; the notes' keep_prob is
    1 - p). A value that was left out gets no gradient.

    Arguments: p; inplace, whether the result is written into the input. Input and result of any shape. Raises
    ArgumentError for a p outside [0, 1], GraphError for an input that can't be edited in place. Source: notes, section
    8.3; Srivastava et al., 2014.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> layer = nn.Dropout(p=0.2)
    >>> sorted(set(layer(tg.ones(100)).tolist()))
    [0.0, 1.25]
    >>> layer.eval()(tg.ones(3))
    tensor([1., 1., 1.])
    """

    function = dropping.dropout


class Dropout1d(_Dropout):
    """As `Dropout`, for whole channels: one draw for each line of (N, C, L) or (C, L). Raises ShapeError for others.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.Dropout1d(1.0)(tg.ones(1, 2))
    tensor([[0., 0.]])
    """

    function = dropping.dropout1d


class Dropout2d(_Dropout):
    """As `Dropout1d`, for images (N, C, H, W)."""

    function = dropping.dropout2d


class Dropout3d(_Dropout):
    """As `Dropout1d`, for volumes (N, C, D, H, W) or (C, D, H, W)."""

    function = dropping.dropout3d


class AlphaDropout(_Dropout):
    """While training, sets values to SELU's lower limit with probability p, and keeps mean 0 and variance 1.

    Arguments as for `Dropout`. Source: Klambauer et al., 2017.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> out = nn.AlphaDropout(0.2)(tg.randn(10_000))
    >>> abs(out.mean().item()) < 0.1 and abs(out.std().item() - 1) < 0.1
    True
    """

    function = dropping.alpha_dropout


class FeatureAlphaDropout(_Dropout):
    """As `AlphaDropout`, for whole channels: one draw for each of the first two dimensions of (N, C, *)."""

    function = dropping.feature_alpha_dropout
