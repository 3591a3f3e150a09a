"""Layers that apply a function to every value, or to the values along one dimension."""

from __future__ import annotations

from tinygrad_dl.tensor import Tensor

from .functional import log_softmax, relu, sigmoid, softmax, tanh
from .module import Module


class ReLU(Module):
    """max(0, x) at every value; its slope at 0 is taken as 0.

    Arguments: inplace, whether the result is written into the input. Input and result of any shape. Raises GraphError
    for an input that can't be edited in place. Source: notes, section 3.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.ReLU()(tg.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return relu(input, self.inplace)

    def extra_repr(self) -> str:
        """`inplace` only when it is set, as in PyTorch."""
        return "inplace=True" if self.inplace else ""


class Tanh(Module):
    """tanh x = (eˣ - e⁻ˣ) / (eˣ + e⁻ˣ) at every value: between -1 and 1, zero-centred.

    Input and result of any shape. Source: notes, section 3.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.Tanh()(tg.tensor([0.0, 20.0]))
    tensor([0., 1.])
    """

    forward = staticmethod(tanh)


class Sigmoid(Module):
    """σ(x) = 1 / (1 + e⁻ˣ) at every value: a probability. A `BCEWithLogitsLoss` takes what comes before it.

    Input and result of any shape. Source: notes, section 3.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.Sigmoid()(tg.tensor([0.0]))
    tensor([0.5000])
    """

    forward = staticmethod(sigmoid)


class Softmax(Module):
    """exp(xᵢ) / Σⱼ exp(xⱼ) along `dim`: probabilities that sum to 1. A `CrossEntropyLoss` takes what comes before it.

    Arguments: dim. Input and result of one shape. Source: notes, section 3.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.Softmax(dim=1)(tg.zeros(1, 4))
    tensor([[0.2500, 0.2500, 0.2500, 0.2500]])
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return softmax(input, self.dim)


class LogSoftmax(Module):
    """xᵢ - log Σⱼ exp(xⱼ) along `dim`: the logarithm of `Softmax`, without overflow. What `NLLLoss` takes.

    Arguments: dim. Input and result of one shape. Source: notes, section 3.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.LogSoftmax(dim=1)(tg.zeros(1, 4)).exp()
    tensor([[0.2500, 0.2500, 0.2500, 0.2500]])
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return log_softmax(input, self.dim)
