"""Layers that apply a function to every value, or to the values along one dimension."""

from __future__ import annotations

import warnings
from typing import Any

from tinygrad_dl.creation import full
from tinygrad_dl.errors import ArgumentError, DimensionError
from tinygrad_dl.tensor import Tensor

from .functional import (
    celu,
    elu,
    gelu,
    glu,
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    leaky_relu,
    log_softmax,
    logsigmoid,
    mish,
    prelu,
    relu,
    rrelu,
    selu,
    sigmoid,
    silu,
    softmax,
    softmin,
    softplus,
    softshrink,
    softsign,
    tanh,
    tanhshrink,
    threshold,
)
from .module import Module
from .parameter import Parameter


def _written(module: Module, *names: str) -> str:
    """`name=value` for each name, and `inplace=True` only when it is set, as in PyTorch."""
    parts = [f"{name}={getattr(module, name)}" for name in names]
    return ", ".join(parts + ["inplace=True"] * bool(getattr(module, "inplace", False)))


class _InPlace(Module):
    """What several activations share: `inplace` is their only argument."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        """`inplace` only when it is set, as in PyTorch."""
        return _written(self)


class ReLU(_InPlace):
    """max(0, x) at every value; its slope at 0 is taken as 0.

    Arguments: inplace, whether the result is written into the input. Input and result of any shape. Raises GraphError
    for an input that can't be edited in place. Source: notes, section 3.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.ReLU()(tg.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return relu(input, self.inplace)


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


class LeakyReLU(Module):
    """x where it is positive, else negative_slope · x: no unit dies.

    Arguments: negative_slope; inplace, whether the result is written into the input. Input and result of any shape.
    Source: notes, section 3.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.LeakyReLU(0.1)(tg.tensor([-1.0, 2.0]))
    tensor([-0.1000,  2.0000])
    """

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope, self.inplace = negative_slope, inplace

    def forward(self, input: Tensor) -> Tensor:
        return leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        """The arguments."""
        return _written(self, "negative_slope")


class PReLU(Module):
    """x where it is positive, else a · x with a learned a, one or one for each channel. Keep it out of weight decay.

    Arguments: num_parameters, 1 or the number of channels; init, the first a; device, dtype of the parameter. Input and
    result of one shape, channels in dimension 1; `weight` is (num_parameters,). Source: notes, section 3; He et al.,
    2015.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.PReLU()(tg.tensor([-2.0, 3.0])).tolist()
    [-0.5, 3.0]
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        self.weight = Parameter(full((num_parameters,), float(init), device=device, dtype=dtype))

    def reset_parameters(self) -> None:
        """Set the slopes to `init` again."""
        self.weight.data.fill_(self.init)

    def forward(self, input: Tensor) -> Tensor:
        return prelu(input, self.weight)

    def extra_repr(self) -> str:
        """The arguments."""
        return _written(self, "num_parameters")


class RReLU(Module):
    """x where it is positive, else a · x: a is drawn anew for each value while training, and is the mean in `eval()`.

    Arguments: lower; upper, between which a is drawn; inplace, whether the result is written into the input. Input
    and result of any shape. Source: notes, section 3.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.RReLU(0.1, 0.3).eval()(tg.tensor([-1.0, 2.0]))
    tensor([-0.2000,  2.0000])
    """

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False) -> None:
        super().__init__()
        self.lower, self.upper, self.inplace = lower, upper, inplace

    def forward(self, input: Tensor) -> Tensor:
        return rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        """The arguments."""
        return _written(self, "lower", "upper")


class ELU(Module):
    """x where it is positive, else alpha · (eˣ - 1): smooth, with outputs around 0.

    Arguments: alpha; inplace, whether the result is written into the input. Input and result of any shape. Source:
    notes, section 3.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.ELU()(tg.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha, self.inplace = alpha, inplace

    def forward(self, input: Tensor) -> Tensor:
        return elu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        """The arguments."""
        return _written(self, "alpha")


class SELU(_InPlace):
    """ELU with the scale and alpha that keep mean 0 and variance 1 through layers.

    Arguments: inplace, whether the result is written into the input. Input and result of any shape. Source: notes,
    section 3; Klambauer et al., 2017.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.SELU()(tg.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """

    def forward(self, input: Tensor) -> Tensor:
        return selu(input, self.inplace)


class CELU(Module):
    """max(0, x) + min(0, alpha · (exp(x / alpha) - 1)): its slope at 0 is 1 for every alpha.

    Arguments: alpha, not 0; inplace, whether the result is written into the input. Input and result of any shape.
    Source: notes, section 3.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.CELU(2.0)(tg.tensor([-1.0, 2.0]))
    tensor([-0.7869,  2.0000])
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha, self.inplace = alpha, inplace

    def forward(self, input: Tensor) -> Tensor:
        return celu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        """The arguments."""
        return _written(self, "alpha")


class GELU(Module):
    """x · Φ(x) with the normal distribution's Φ: the activation of transformers.

    Arguments: approximate, "none" or "tanh". Input and result of any shape. Source: notes, section 3; Hendrycks and
    Gimpel, 2016.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.GELU()(tg.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.1587,  0.0000,  0.8413])
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        return gelu(input, approximate=self.approximate)

    def extra_repr(self) -> str:
        """The arguments."""
        return f"approximate={self.approximate!r}"


class SiLU(_InPlace):
    """x · σ(x), also called swish.

    Arguments: inplace, whether the result is written into the input. Input and result of any shape. Source: notes,
    section 3.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.SiLU()(tg.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.2689,  0.0000,  0.7311])
    """

    def forward(self, input: Tensor) -> Tensor:
        return silu(input, self.inplace)


class Mish(_InPlace):
    """x · tanh(log(1 + eˣ)).

    Arguments: inplace, whether the result is written into the input. Input and result of any shape. Source: notes,
    section 3; Misra, 2019.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.Mish()(tg.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.3034,  0.0000,  0.8651])
    """

    def forward(self, input: Tensor) -> Tensor:
        return mish(input, self.inplace)


class Softplus(Module):
    """log(1 + exp(beta · x)) / beta: a smooth ReLU.

    Arguments: beta; threshold, above which (of beta · x) the result is x. Input and result of any shape. Source:
    notes, section 3.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.Softplus()(tg.tensor([-1.0, 0.0, 30.0]))
    tensor([ 0.3133,  0.6931, 30.0000])
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, input: Tensor) -> Tensor:
        return softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        """The arguments."""
        return _written(self, "beta", "threshold")


class Hardtanh(Module):
    """x, but not below min_val nor above max_val; its slope on the bounds is taken as 0.

    Arguments: min_val, max_val; inplace, whether the result is written into the input; min_value, max_value, the first
    two under their older names. Input and result of any shape. Raises ArgumentError unless min_val < max_val. Source:
    notes, section 3.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.Hardtanh()(tg.tensor([-2.0, 0.5, 3.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:
        super().__init__()
        if min_value is not None or max_value is not None:
            warnings.warn("Hardtanh: min_value and max_value are now min_val and max_val", FutureWarning, stacklevel=2)
        self.min_val = min_val if min_value is None else min_value
        self.max_val = max_val if max_value is None else max_value
        self.inplace = inplace
        if not self.max_val > self.min_val:
            raise ArgumentError(f"Hardtanh: max_val {self.max_val} must be larger than min_val {self.min_val}")

    def forward(self, input: Tensor) -> Tensor:
        return hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        """The arguments."""
        return _written(self, "min_val", "max_val")


class ReLU6(Hardtanh):
    """min(max(0, x), 6); its slope at 0 and 6 is taken as 0.

    Arguments: inplace, whether the result is written into the input. Input and result of any shape. Source: notes,
    section 3.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.ReLU6()(tg.tensor([-1.0, 3.0, 7.0]))
    tensor([0., 3., 6.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        """`inplace` only when it is set, as in PyTorch."""
        return _written(self)


class LogSigmoid(Module):
    """log σ(x), without overflow.

    Input and result of any shape. Source: notes, section 3.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.LogSigmoid()(tg.tensor([0.0, 2.0]))
    tensor([-0.6931, -0.1269])
    """

    forward = staticmethod(logsigmoid)


class Hardsigmoid(Module):
    """min(max(0, x + 3), 6) / 6: a sigmoid of straight lines.

    Arguments: inplace, whether the result is written into the input. Input and result of any shape. Source: notes,
    section 3.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.Hardsigmoid()(tg.tensor([-4.0, 0.0, 1.5]))
    tensor([0.0000, 0.5000, 0.7500])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return hardsigmoid(input, self.inplace)

    def extra_repr(self) -> str:
        """Nothing, as in PyTorch."""
        return ""


class Hardswish(Module):
    """x · min(max(0, x + 3), 6) / 6: a SiLU of straight pieces.

    Arguments: inplace, whether the result is written into the input. Input and result of any shape. Source: notes,
    section 3.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.Hardswish()(tg.tensor([-4.0, 1.5, 4.0]))
    tensor([-0.0000,  1.1250,  4.0000])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return hardswish(input, self.inplace)

    def extra_repr(self) -> str:
        """Nothing, as in PyTorch."""
        return ""


class Softsign(Module):
    """x / (1 + |x|), between -1 and 1.

    Input and result of any shape. Source: notes, section 3.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.Softsign()(tg.tensor([-1.0, 3.0]))
    tensor([-0.5000,  0.7500])
    """

    forward = staticmethod(softsign)


class Tanhshrink(Module):
    """x - tanh x.

    Input and result of any shape. Source: notes, section 3.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.Tanhshrink()(tg.tensor([0.0, 2.0]))
    tensor([0.0000, 1.0360])
    """

    forward = staticmethod(tanhshrink)


class Softshrink(Module):
    """x moved towards 0 by lambd, and 0 where it is not further away.

    Arguments: lambd, not negative. Input and result of any shape. Source: notes, section 3.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.Softshrink()(tg.tensor([-2.0, 0.3, 1.0]))
    tensor([-1.5000,  0.0000,  0.5000])
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        return softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        """The arguments."""
        return str(self.lambd)


class Hardshrink(Module):
    """x, but 0 between -lambd and lambd.

    Arguments: lambd. Input and result of any shape. Source: notes, section 3.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.Hardshrink()(tg.tensor([-2.0, 0.3, 1.0]))
    tensor([-2.,  0.,  1.])
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        return hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        """The arguments."""
        return str(self.lambd)


class Threshold(Module):
    """x where it is larger than the threshold, else value.

    Arguments: threshold; value; inplace, whether the result is written into the input. Input and result of any
    shape. Source: notes, section 3.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.Threshold(1.0, 0.0)(tg.tensor([0.5, 2.0]))
    tensor([0., 2.])
    """

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold, self.value, self.inplace = threshold, value, inplace

    def forward(self, input: Tensor) -> Tensor:
        return threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        """The arguments."""
        return _written(self, "threshold", "value")


class GLU(Module):
    """a · σ(b), where a and b are the halves of the input along `dim`.

    Arguments: dim, of an even size. The result has half the size along `dim`. Source: Dauphin et al., 2017.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.GLU()(tg.tensor([1.0, 2.0, 0.0, 0.0]))
    tensor([0.5000, 1.0000])
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return glu(input, self.dim)

    def extra_repr(self) -> str:
        """The arguments."""
        return _written(self, "dim")


class Softmin(Module):
    """exp(-xᵢ) / Σⱼ exp(-xⱼ) along `dim`: large where the input is small.

    Arguments: dim. Input and result of any shape. Source: notes, section 3.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.Softmin(dim=1)(tg.zeros(1, 4))
    tensor([[0.2500, 0.2500, 0.2500, 0.2500]])
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return softmin(input, self.dim)

    def extra_repr(self) -> str:
        """The arguments."""
        return _written(self, "dim")


class Softmax2d(Module):
    """Softmax over the channels at each place of a picture.

    Input and result (N, C, H, W) or (C, H, W). Raises DimensionError for another number of dimensions. Source: notes,
    section 3.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.Softmax2d()(tg.zeros(2, 1, 1)).flatten()
    tensor([0.5000, 0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        if input.dim() not in (3, 4):
            raise DimensionError(f"Softmax2d: (N, C, H, W) or (C, H, W) is needed, the shape is {tuple(input.shape)}")
        return softmax(input, -3)
