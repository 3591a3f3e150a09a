"""Layers that multiply by a matrix, and the one that does nothing."""

from __future__ import annotations

import math
from typing import Any

from tinygrad_dl.creation import empty
from tinygrad_dl.errors import ArgumentError
from tinygrad_dl.ops.bilinear import bilinear
from tinygrad_dl.ops.linalg import linear
from tinygrad_dl.tensor import Tensor

from . import init
from .module import Module
from .parameter import Parameter


class Identity(Module):
    """Returns its input: y = x, whatever arguments it was made with. Switches a layer off without other changes.

    >>> from tinygrad_dl import nn
    >>> nn.Identity(54, unused=0.1)(3)
    3
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        return input


class Linear(Module):
    """A fully connected layer, examples in rows: y = x Wᵀ + b.

    Both parameters start uniform in ±1/√in_features, as PyTorch's do (variance 1/(3·in_features): none of the schemes
    with a name, which are in `nn.init`).

    Arguments: in_features, out_features; bias, whether there is a b; device, dtype of the parameters. Input (*,
    in_features), result (*, out_features); `weight` W is (out_features, in_features), `bias` b (out_features,) or
    None. Raises ShapeError when the input's last dimension is another. Source: notes, section 4.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> layer = nn.Linear(20, 30)
    >>> layer(tg.randn(128, 20)).shape
    tinygrad_dl.Size([128, 30])
    """

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(empty(out_features, in_features, device=device, dtype=dtype))
        self.register_parameter("bias", Parameter(empty(out_features, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))  # is uniform in ±1/√in_features
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        return linear(input, self.weight, self.bias)


class NonDynamicallyQuantizableLinear(Linear):
    """`Linear` under the name that PyTorch shows for the last layer of its MultiheadAttention."""


class Bilinear(Module):
    """y = x1 W x2 + b, one matrix W for each output: how well two vectors fit, in several learnt ways.

    Both parameters start uniform in ±1/√in1_features.

    Arguments: in1_features, in2_features, out_features; bias, whether there is a b; device, dtype. Inputs (*,
    in1_features) and (*, in2_features), result (*, out_features). Raises ShapeError for other sizes.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.Bilinear(20, 30, 40)(tg.randn(128, 20), tg.randn(128, 30)).shape
    tinygrad_dl.Size([128, 40])
    """

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if in1_features <= 0:
            raise ArgumentError(f"Bilinear: in1_features must be above 0, {in1_features} came")
        super().__init__()
        self.in1_features, self.in2_features, self.out_features = in1_features, in2_features, out_features
        self.weight = Parameter(empty(out_features, in1_features, in2_features, device=device, dtype=dtype))
        self.register_parameter("bias", Parameter(empty(out_features, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        bound = 1 / math.sqrt(self.in1_features)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        return bilinear(input1, input2, self.weight, self.bias)
