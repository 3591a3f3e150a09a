"""Layers that leave out values at random while training."""

from __future__ import annotations

from tinygrad_dl.tensor import Tensor

from .functional import check_dropout, dropout
from .module import Module


class Dropout(Module):
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

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        check_dropout("Dropout", p)
        self.p, self.inplace = p, inplace

    def forward(self, input: Tensor) -> Tensor:
        return dropout(input, self.p, self.training, self.inplace)
