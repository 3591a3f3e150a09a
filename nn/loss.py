"""Losses as layers: they hold the options and call the function of the same name in `nn.functional`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Self

from tinygrad_dl.errors import ArgumentError, ArgumentTypeError, nearest
from tinygrad_dl.ops.ctc import ctc_loss
from tinygrad_dl.ops.likelihood_loss import binary_cross_entropy, gaussian_nll_loss, kl_div, poisson_nll_loss
from tinygrad_dl.ops.loss import binary_cross_entropy_with_logits, cross_entropy, nll_loss
from tinygrad_dl.ops.loss_parts import reduction_of
from tinygrad_dl.ops.margin_loss import (
    cosine_embedding_loss,
    hinge_embedding_loss,
    margin_ranking_loss,
    multi_margin_loss,
    multilabel_margin_loss,
    multilabel_soft_margin_loss,
    require_margin,
    soft_margin_loss,
    triplet_margin_loss,
    triplet_margin_with_distance_loss,
)
from tinygrad_dl.ops.regression_loss import huber_loss, l1_loss, mse_loss, smooth_l1_loss
from tinygrad_dl.tensor import Tensor

from .distance import PairwiseDistance
from .module import Module


class _Loss(Module):
    """What all losses share: the reduction, a repr without options, as in PyTorch, and a word on misspelt ones.

    size_average and reduce, the options that reduction replaced, still count, with a warning.
    """

    def __new__(cls, *args: Any, **options: Any) -> Self:
        known = inspect.signature(cls.__init__).parameters
        for name in options:
            if name not in known and not any(p.kind is p.VAR_KEYWORD for p in known.values()):
                raise ArgumentTypeError(f"{cls.__name__}: there is no argument {name!r}.{nearest(name, known)}")
        return super().__new__(cls)

    def __init__(self, size_average: Any = None, reduce: Any = None, reduction: str = "mean") -> None:
        super().__init__()
        if size_average is not None or reduce is not None:
            reduction = reduction_of(type(self).__name__, reduction, size_average, reduce)
        self.reduction = reduction

    def extra_repr(self) -> str:
        """Nothing, as in PyTorch."""
        return ""


class _WeightedLoss(_Loss):
    """A loss with a weight for each class or value, which is a buffer."""

    def __init__(
        self, weight: Tensor | None = None, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


class L1Loss(_Loss):
    """The absolute error |input - target|, its mean, sum or (reduction="none") each.

    Arguments: reduction. Input and target of one shape; a target of another shape is broadcast with a warning. Source:
    notes, section 2.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.L1Loss()(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 4.0]))
    tensor(1.)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return l1_loss(input, target, reduction=self.reduction)


class MSELoss(_Loss):
    """The squared error (input - target)², its mean, sum or (reduction="none") each.

    Arguments: reduction. Input and target of one shape; a target of another shape is broadcast with a warning. Source:
    notes, section 2.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.MSELoss()(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 4.0]))
    tensor(2.)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return mse_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(_Loss):
    """e² / (2 beta) where the error e = input - target is smaller than beta, else |e| - beta/2.

    Arguments: reduction; beta (0 gives the absolute error). Input and target of one shape. Raises ArgumentError for a
    negative beta. Source: Girshick, Fast R-CNN, 2015.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.SmoothL1Loss()(tg.tensor([1.0, 2.0]), tg.tensor([1.5, 5.0]))
    tensor(1.3125)
    """

    def __init__(
        self, size_average: Any = None, reduce: Any = None, reduction: str = "mean", beta: float = 1.0
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(_Loss):
    """e² / 2 where the error e = input - target is at most delta, else delta · (|e| - delta/2).

    Arguments: reduction; delta (above 0). Input and target of one shape. Source: Huber, 1964.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.HuberLoss(delta=2.0)(tg.tensor([1.0, 2.0]), tg.tensor([1.5, 6.0]))
    tensor(3.0625)
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return huber_loss(input, target, self.reduction, self.delta)


class CrossEntropyLoss(_WeightedLoss):
    """-log softmax(input)[target]: logits against classes. The input is not passed through a softmax before.

    With y the target as probabilities (one 1 for a class index), each example's loss is -Σⱼ wⱼ yⱼ log softmax(x)ⱼ, and
    its gradient at the logits, for equal weights, softmax(x) - y: dZ = Ŷ - Y in the notes.

    Arguments: weight, a tensor (C,) with a factor for each class; ignore_index, the target of examples that don't
    count; reduction ("mean", weighted by the factors of the targets, "sum" or "none"); label_smoothing in [0, 1], the
    share of y that is spread evenly over the classes. Input (N, C), (C,) or (N, C, d1, ...); target: integers (N,), ()
    or (N, d1, ...), or probabilities in the input's shape. Source: notes, section 2.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.CrossEntropyLoss()(tg.zeros(3, 4), tg.tensor([0, 1, 2]))
    tensor(1.3863)
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: Any = None,
        ignore_index: int = -100,
        reduce: Any = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return cross_entropy(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class NLLLoss(_WeightedLoss):
    """-input[target]: log-probabilities, as `LogSoftmax` gives them, against class indices.

    Arguments: weight, a tensor (C,) with a factor for each class; ignore_index, the target of examples that don't
    count; reduction ("mean", weighted by the factors of the targets, "sum" or "none"). Input (N, C), (C,) or (N, C,
    d1, ...); target: integers (N,), () or (N, d1, ...). Source: notes, section 2.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.NLLLoss()(tg.tensor([[-0.5, -2.0]]), tg.tensor([1]))
    tensor(2.)
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: Any = None,
        ignore_index: int = -100,
        reduce: Any = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return nll_loss(input, target, weight=self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


class NLLLoss2d(NLLLoss):
    """`NLLLoss` under an older name, for pictures (N, C, H, W)."""


class BCELoss(_WeightedLoss):
    """-w (y log x + (1 - y) log(1 - x)): probabilities x against targets y in [0, 1]. Logarithms are at least -100.

    Arguments: weight w, a tensor that broadcasts; reduction. Input and target of one shape. Raises ArgumentError for an
    input outside [0, 1]. Prefer `BCEWithLogitsLoss`, which is exact at the ends. Source: notes, section 2, N037.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.BCELoss()(tg.tensor([0.5, 0.5]), tg.tensor([1.0, 0.0]))
    tensor(0.6931)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return binary_cross_entropy(input, target, weight=self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_Loss):
    """-w (p·y log σ(x) + (1 - y) log(1 - σ(x))): logits x against targets y in [0, 1], without overflow.

    For p = w = 1 it is max(x, 0) - x y + log(1 + e^(-|x|)), and its gradient σ(x) - y.

    Arguments: weight w, a factor for each value; reduction ("mean", "sum" or "none"); pos_weight p, a factor for the
    positive ones; both tensors that broadcast to the input. Input and target of one shape. Source: notes, section 2.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.BCEWithLogitsLoss()(tg.tensor([0.0, 1000.0]), tg.tensor([1.0, 1.0]))
    tensor(0.3466)
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: Any = None,
        reduce: Any = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return binary_cross_entropy_with_logits(
            input, target, weight=self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


class KLDivLoss(_Loss):
    """y (log y - x): how far the distribution whose logarithm x is lies from the target y.

    Arguments: reduction ("batchmean", the divergence of an example; "mean", which divides by all elements and warns;
    "sum" or "none"); log_target, whether the target holds logarithms too. Source: Kullback and Leibler, 1951.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> x, y = tg.tensor([[0.5, 0.5]]).log(), tg.tensor([[1.0, 0.0]])
    >>> nn.KLDivLoss(reduction="batchmean")(x, y)
    tensor(0.6931)
    """

    def __init__(
        self, size_average: Any = None, reduce: Any = None, reduction: str = "mean", log_target: bool = False
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class PoissonNLLLoss(_Loss):
    """e^x - y x: counts y against logarithms x of the rates of Poisson distributions.

    Arguments: log_input (False: x is the rate itself, and the loss x - y log(x + eps)); full (add Stirling's log(y!));
    eps; reduction. Input and target broadcast.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.PoissonNLLLoss()(tg.tensor([0.0]), tg.tensor([2.0]))
    tensor(1.)
    """

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: Any = None,
        eps: float = 1e-8,
        reduce: Any = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input, self.full, self.eps = log_input, full, eps

    def forward(self, log_input: Tensor, target: Tensor) -> Tensor:
        return poisson_nll_loss(log_input, target, self.log_input, self.full, eps=self.eps, reduction=self.reduction)


class GaussianNLLLoss(_Loss):
    """(log var + (input - target)² / var) / 2: targets against the means and variances of normal distributions.

    Arguments: full (add log(2π)/2); eps (variances count as at least that); reduction. Input and target broadcast; var
    has the input's shape, or is without its last dimension, or has a 1 in one place, or is a number. Raises
    ArgumentError for a negative variance. Source: Nix and Weigend, 1994.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.GaussianNLLLoss()(tg.tensor([1.0]), tg.tensor([3.0]), tg.tensor([4.0]))
    tensor(1.1931)
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.full, self.eps = full, eps

    def forward(self, input: Tensor, target: Tensor, var: Tensor | float) -> Tensor:
        return gaussian_nll_loss(input, target, var, self.full, self.eps, self.reduction)


class HingeEmbeddingLoss(_Loss):
    """x where the target is 1, max(0, margin - x) where it is -1, x being the distance of a pair.

    Arguments: margin; reduction. Input and target broadcast. Source: Hadsell et al., 2006.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.HingeEmbeddingLoss()(tg.tensor([0.3, 0.2]), tg.tensor([1.0, -1.0]))
    tensor(0.5500)
    """

    def __init__(
        self, margin: float = 1.0, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return hinge_embedding_loss(input, target, self.margin, reduction=self.reduction)


class MarginRankingLoss(_Loss):
    """max(0, -target · (input1 - input2) + margin): with a target of 1 the first must be larger, with -1 the second.

    Arguments: margin; reduction. All three have as many dimensions and broadcast.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.MarginRankingLoss()(tg.tensor([1.0]), tg.tensor([2.0]), tg.tensor([1.0]))
    tensor(1.)
    """

    def __init__(
        self, margin: float = 0.0, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return margin_ranking_loss(input1, input2, target, self.margin, reduction=self.reduction)


class CosineEmbeddingLoss(_Loss):
    """1 - cos where the target is 1, max(0, cos - margin) where it is -1, with the cosine of the angle of a pair.

    Arguments: margin (from -1 to 1); reduction. Inputs (N, D) and target (N), or (D) and ().

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.CosineEmbeddingLoss()(tg.tensor([[1.0, 0.0]]), tg.tensor([[0.0, 1.0]]), tg.tensor([1]))
    tensor(1.)
    """

    def __init__(
        self, margin: float = 0.0, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return cosine_embedding_loss(input1, input2, target, self.margin, reduction=self.reduction)


class TripletMarginLoss(_Loss):
    """max(0, d(anchor, positive) - d(anchor, negative) + margin) with the distance d(x, y) = ‖x - y + eps‖ₚ.

    Arguments: margin (above 0); p; eps; swap (take the positive's distance from the negative where it is the smaller
    one); reduction. Inputs (N, D) or (D). Source: notes, section 2, N041.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.TripletMarginLoss()(*(tg.tensor([[x]]) for x in (0.0, 1.0, 1.5)))
    tensor(0.5000)
    """

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        size_average: Any = None,
        reduce: Any = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        require_margin("TripletMarginLoss", margin)
        self.margin, self.p, self.eps, self.swap = margin, p, eps, swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return triplet_margin_loss(
            anchor, positive, negative, self.margin, self.p, self.eps, self.swap, reduction=self.reduction
        )


class TripletMarginWithDistanceLoss(_Loss):
    """`TripletMarginLoss` with a distance of one's own: a function or a module of two batches.

    Arguments: distance_function (None: the Euclidean distance); margin (above 0); swap; reduction.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> loss = nn.TripletMarginWithDistanceLoss(distance_function=lambda x, y: abs(x - y).sum(1))
    >>> loss(*(tg.tensor([[x]]) for x in (0.0, 1.0, 1.5)))
    tensor(0.5000)
    """

    def __init__(
        self,
        *,
        distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        require_margin("TripletMarginWithDistanceLoss", margin)
        self.distance_function = PairwiseDistance() if distance_function is None else distance_function
        self.margin, self.swap = margin, swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )


class MultiMarginLoss(_WeightedLoss):
    """Σⱼ max(0, margin - x_y + xⱼ)ᵖ / C over the wrong classes j: the right class y must win by a margin.

    Arguments: p (1 or 2); margin; weight (C); reduction. Input (N, C) or (C), target (N) or () of classes. Raises
    DimensionError for a class out of range. Source: Crammer and Singer, 2001.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.MultiMarginLoss()(tg.tensor([[0.1, 0.2, 0.4, 0.8]]), tg.tensor([3]))
    tensor(0.3250)
    """

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Tensor | None = None,
        size_average: Any = None,
        reduce: Any = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        if p not in (1, 2):
            raise ArgumentError(f"MultiMarginLoss: p is 1 or 2, {p} came")
        self.p, self.margin = p, margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return multi_margin_loss(input, target, self.p, self.margin, self.weight, reduction=self.reduction)


class MultiLabelMarginLoss(_Loss):
    """Σ max(0, 1 - x_y + xⱼ) / C over the right classes y and the wrong classes j of each example.

    Arguments: reduction. Input (N, C) or (C); target of the same shape: the right classes first, then a -1 if there are
    fewer than C.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.MultiLabelMarginLoss()(tg.tensor([[0.1, 0.2, 0.4, 0.8]]), tg.tensor([[3, 0, -1, 1]]))
    tensor(0.8500)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return multilabel_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(_WeightedLoss):
    """-(y log σ(x) + (1 - y) log σ(-x)), its mean over the classes: independent yes-or-no questions.

    Arguments: weight, a tensor that broadcasts; reduction. Input and target (..., C).

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.MultiLabelSoftMarginLoss()(tg.tensor([[0.0, 0.0]]), tg.tensor([[1.0, 0.0]]))
    tensor(0.6931)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return multilabel_soft_margin_loss(input, target, self.weight, reduction=self.reduction)


class SoftMarginLoss(_Loss):
    """log(1 + e^(-target · input)): a smooth hinge for targets 1 and -1, without overflow.

    Arguments: reduction. Input and target broadcast.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.SoftMarginLoss()(tg.tensor([0.0]), tg.tensor([1.0]))
    tensor(0.6931)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return soft_margin_loss(input, target, reduction=self.reduction)


class CTCLoss(_Loss):
    """-log of the probability of a sequence of labels, over all ways to place them in time.

    Arguments: blank, the class that stands for none; reduction ("mean": each loss divided by its number of labels, and
    their mean; "sum" or "none"); zero_infinity, whether what is impossible counts as 0. Inputs: log_probs (T, N, C);
    targets (N, S), or all in one row; input_lengths, target_lengths (N). Source: Graves et al., 2006.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> log_probs = tg.zeros(2, 1, 2).log_softmax(2)
    >>> nn.CTCLoss()(log_probs, tg.tensor([[1]]), tg.tensor([2]), tg.tensor([1]))
    tensor(0.2877)
    """

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False) -> None:
        super().__init__(reduction=reduction)
        self.blank, self.zero_infinity = blank, zero_infinity

    def forward(self, log_probs: Tensor, targets: Tensor, input_lengths: Any, target_lengths: Any) -> Tensor:
        return ctc_loss(
            log_probs, targets, input_lengths, target_lengths, self.blank, self.reduction, self.zero_infinity
        )
