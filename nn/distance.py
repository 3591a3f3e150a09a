"""Layers that compare two vectors by an angle or a distance."""

from __future__ import annotations

from tinygrad_dl.ops.pairwise import cosine_similarity, pairwise_distance
from tinygrad_dl.tensor import Tensor

from .module import Module


class CosineSimilarity(Module):
    """x1 · x2 / (‖x1‖ ‖x2‖) along `dim`: the cosine of the angle between two vectors.

    Arguments: dim; eps (the norms count as at least that). Inputs that broadcast. Source: notes, section 2, N049.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.CosineSimilarity()(tg.tensor([[1.0, 0.0]]), tg.tensor([[0.0, 2.0]]))
    tensor([0.])
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim, self.eps = dim, eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return cosine_similarity(x1, x2, self.dim, self.eps)

    def extra_repr(self) -> str:
        """Nothing, as in PyTorch."""
        return ""


class PairwiseDistance(Module):
    """‖x1 - x2 + eps‖ₚ over the last dimension: the distance of each row of x1 from that of x2.

    Arguments: p; eps (added to each difference, so that there is a derivative); keepdim. Inputs (N, D) or (D) that
    broadcast. Source: notes, section 2, N049.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.PairwiseDistance()(tg.tensor([[0.0, 0.0]]), tg.tensor([[3.0, 4.0]]))
    tensor([5.0000])
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm, self.eps, self.keepdim = p, eps, keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)

    def extra_repr(self) -> str:
        """Nothing, as in PyTorch."""
        return ""
