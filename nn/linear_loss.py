"""The loss of a linear layer's logits, with the layer in it."""

from __future__ import annotations

import math
from typing import Any

from tinygrad_dl.errors import ArgumentError, ShapeError
from tinygrad_dl.ops.linear_cross_entropy import LinearCrossEntropyOptions, linear_cross_entropy
from tinygrad_dl.tensor import Tensor

from .linear import Linear
from .loss import _WeightedLoss


class LinearCrossEntropyLoss(_WeightedLoss):
    """The cross-entropy of logits that a linear layer makes of its input; with options a few rows at a time.

    Arguments: in_features; num_classes C; out_features, the sizes (d1, ...) of losses in several dimensions; bias of
    the layer; device, dtype of its parameters; reduction ("mean", "sum" or "none"); weight (C), a factor for each
    class; ignore_index, the target of examples that don't count; label_smoothing in [0, 1]; options, a
    `LinearCrossEntropyOptions`. Input (N, in_features) or (in_features); target (N, d1, ...), or probabilities
    (N, C, d1, ...). Raises ShapeError, ArgumentError.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> loss = nn.LinearCrossEntropyLoss(3, 4, options=nn.LinearCrossEntropyOptions(batch_chunk_size=2))
    >>> loss(tg.zeros(5, 3), tg.tensor([0, 1, 2, 3, 0]))
    tensor(1.3863, grad_fn=<DivBackward0>)
    """

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        out_features: tuple[int, ...] = (),
        bias: bool = False,
        device: Any = None,
        dtype: Any = None,
        reduction: str = "mean",
        weight: Tensor | None = None,
        ignore_index: int | None = None,
        label_smoothing: float = 0.0,
        options: LinearCrossEntropyOptions | None = None,
    ) -> None:
        name = "LinearCrossEntropyLoss"
        if weight is not None and tuple(weight.shape) != (num_classes,):
            raise ShapeError(f"{name}: weight must have shape ({num_classes},), {tuple(weight.shape)} came")
        if not 0 <= label_smoothing <= 1:
            raise ArgumentError(f"{name}: label_smoothing must lie between 0 and 1, {label_smoothing} came")
        super().__init__(weight=weight, reduction=reduction)
        self.num_classes, self.out_features = num_classes, out_features
        self.ignore_index, self.label_smoothing, self.options = ignore_index, label_smoothing, options
        self.linear = Linear(in_features, num_classes * math.prod(out_features), bias, device, dtype)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        shape, bias = (self.num_classes, *self.out_features), self.linear.bias
        return linear_cross_entropy(
            input,
            self.linear.weight.reshape(*shape, self.linear.in_features),
            target,
            linear_bias=None if bias is None else bias.reshape(shape),
            weight=self.weight,
            reduction=self.reduction,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
            options=self.options,
        )

    def extra_repr(self) -> str:
        """The arguments as PyTorch shows them."""
        return (
            f"in_features={self.linear.in_features}, num_classes={self.num_classes}, out_features={self.out_features}, "
            f"bias={self.linear.bias is not None}, reduction={self.reduction}, ignore_index={self.ignore_index}, "
            f"label_smoothing={self.label_smoothing}, options={self.options}"
        )
