"""Losses as layers: they hold the options and call the function of the same name in `nn.functional`."""

from __future__ import annotations

from typing import Any

from tinygrad_dl.errors import ArgumentTypeError, nearest
from tinygrad_dl.ops.loss import binary_cross_entropy_with_logits, cross_entropy, mse_loss, nll_loss
from tinygrad_dl.tensor import Tensor

from .module import Module


class _Loss(Module):
    """What all losses share: the reduction, a repr without options, as in PyTorch, and a word on its oldest options."""

    def __init__(self, reduction: str, unknown: dict[str, Any]) -> None:
        super().__init__()
        for name in unknown:
            if name in ("size_average", "reduce"):
                remedy = " Write reduction='mean', 'sum' or 'none' instead."
            else:
                remedy = nearest(name, ["weight", "pos_weight", "ignore_index", "reduction", "label_smoothing"])
            raise ArgumentTypeError(f"{type(self).__name__}: there is no argument {name!r}.{remedy}")
        self.reduction = reduction

    def extra_repr(self) -> str:
        """Nothing, as in PyTorch."""
        return ""


class MSELoss(_Loss):
    """The squared error (input - target)², its mean, sum or (reduction="none") each.

    Arguments: reduction. Input and target of one shape; a target of another shape is broadcast with a warning. Source:
    notes, section 2.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.MSELoss()(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 4.0]))
    tensor(2.)
    """

    def __init__(self, *, reduction: str = "mean", **unknown: Any) -> None:
        super().__init__(reduction, unknown)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return mse_loss(input, target, reduction=self.reduction)


class CrossEntropyLoss(_Loss):
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
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
        **unknown: Any,
    ) -> None:
        super().__init__(reduction, unknown)
        self.register_buffer("weight", weight)
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


class NLLLoss(_Loss):
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
        self, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: str = "mean", **unknown: Any
    ) -> None:
        super().__init__(reduction, unknown)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return nll_loss(input, target, weight=self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


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
        self, weight: Tensor | None = None, *, reduction: str = "mean", pos_weight: Tensor | None = None, **unknown: Any
    ) -> None:
        super().__init__(reduction, unknown)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return binary_cross_entropy_with_logits(
            input, target, weight=self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )
