"""A softmax over very many classes, which looks closely only at groups of rare ones that are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from tinygrad_dl.errors import ArgumentError, DimensionError, ShapeError
from tinygrad_dl.ops.elementwise import where
from tinygrad_dl.ops.joining import cat
from tinygrad_dl.tensor import Tensor

from .containers import ModuleList, Sequential
from .functional import log_softmax
from .linear import Linear
from .module import Module


class LogProbabilityAndLoss(NamedTuple):
    """What `AdaptiveLogSoftmaxWithLoss` gives: each target's log-probability, and the mean loss."""

    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """Cross-entropy over classes in the order of how often they come: the head has the frequent ones and the groups.

    A rare class's probability is that of its group, times its own within the group, which a smaller network knows.

    Arguments: in_features; n_classes; cutoffs, where groups begin, rising; div_value, by which each group's network is
    narrower than the one before; head_bias; device, dtype. Input (N, in_features) and target (N), or one of each.
    Gives (output, loss). Raises ShapeError, and DimensionError for a class out of range. Source: Grave et al., 2017.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> layer = nn.AdaptiveLogSoftmaxWithLoss(16, 100, cutoffs=[10, 50])
    >>> layer(tg.randn(3, 16), tg.tensor([5, 20, 99])).output.shape
    tinygrad_dl.Size([3])
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        edges = [0, *cutoffs, n_classes]
        if len(edges) < 3 or any(int(b) != b or b <= a for a, b in pairwise(edges)):
            raise ArgumentError(
                f"AdaptiveLogSoftmaxWithLoss: cutoffs must be rising integers from 1 to {n_classes - 1}; "
                f"{list(cutoffs)} came"
            )
        self.in_features, self.n_classes, self.div_value, self.head_bias = in_features, n_classes, div_value, head_bias
        self.cutoffs = edges[1:]
        self.shortlist_size, self.n_clusters = self.cutoffs[0], len(self.cutoffs) - 1
        self.head_size = self.shortlist_size + self.n_clusters
        made: dict[str, Any] = {"device": device, "dtype": dtype}
        self.head = Linear(in_features, self.head_size, bias=head_bias, **made)
        self.tail = ModuleList()
        for i, (low, high) in enumerate(pairwise(self.cutoffs)):
            width = int(in_features // div_value ** (i + 1))
            inner = Linear(in_features, width, bias=False, **made)
            self.tail.append(Sequential(inner, Linear(width, high - low, bias=False, **made)))

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        for module in self.modules():
            if isinstance(module, Linear):
                module.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> LogProbabilityAndLoss:
        came = f"input {tuple(input_.shape)} and target {tuple(target_.shape)} came"
        if target_.ndim > 1 or input_.ndim != target_.ndim + 1 or input_.shape[:-1] != target_.shape:
            raise ShapeError(f"AdaptiveLogSoftmaxWithLoss: (N, in_features) and (N) are needed, or one of each; {came}")
        input, target = (input_, target_) if target_.ndim else (input_.unsqueeze(0), target_.unsqueeze(0))
        if target.numel() and not 0 <= target.min().item() <= target.max().item() < self.n_classes:
            raise DimensionError(
                f"AdaptiveLogSoftmaxWithLoss: classes are from 0 to {self.n_classes - 1}, those of the target from "
                f"{target.min().item()} to {target.max().item()}"
            )
        place = target
        for i, (low, high) in enumerate(pairwise(self.cutoffs)):
            place = where((target >= low) & (target < high), self.shortlist_size + i, place)
        output = log_softmax(self.head(input), 1).gather(1, place.unsqueeze(1)).squeeze(1)
        for i, (low, high) in enumerate(pairwise(self.cutoffs)):
            rows = ((target >= low) & (target < high)).nonzero().squeeze(1)
            if rows.numel():
                inside = log_softmax(self.tail[i](input[rows]), 1)
                output = output.index_add(0, rows, inside.gather(1, (target[rows] - low).unsqueeze(1)).squeeze(1))
        return LogProbabilityAndLoss(output if target_.ndim else output.squeeze(0), -output.mean())

    def log_prob(self, input: Tensor) -> Tensor:
        """The log-probabilities of all classes (N, n_classes) of inputs (N, in_features)."""
        return self._all(input, self.head(input))

    def _all(self, input: Tensor, scores: Tensor) -> Tensor:
        head = log_softmax(scores, 1)
        parts = [head[:, : self.shortlist_size]]
        for i, tail in enumerate(self.tail):
            group = self.shortlist_size + i
            parts.append(log_softmax(tail(input), 1) + head[:, group : group + 1])
        return cat(parts, 1)

    def predict(self, input: Tensor) -> Tensor:
        """The likeliest class (N): the head's, or that of all where a group of rare ones wins there."""
        scores = self.head(input)
        best = scores.argmax(1)
        rare = best >= self.shortlist_size
        return where(rare, self._all(input, scores).argmax(1), best) if bool(rare.any()) else best

    def extra_repr(self) -> str:
        """Nothing, as in PyTorch."""
        return ""
