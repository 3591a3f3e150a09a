"""Layers that normalise each example by itself."""

from __future__ import annotations

from typing import Any

from tinygrad_dl.creation import empty
from tinygrad_dl.errors import ArgumentError, DtypeError, ShapeError
from tinygrad_dl.ops.joining import cat
from tinygrad_dl.ops.normalization import group_norm, layer_norm, local_response_norm, rms_norm
from tinygrad_dl.ops.pooling import avg_pool2d
from tinygrad_dl.tensor import Tensor

from . import init
from .module import Module
from .parameter import Parameter


class _Affine(Module):
    """A weight that starts at 1 and a bias that starts at 0, where wanted."""

    def _add(self, shape: Any, weight: bool, bias: bool, device: Any, dtype: Any) -> None:
        for name, wanted in (("weight", weight), ("bias", bias)):
            self.register_parameter(name, Parameter(empty(shape, device=device, dtype=dtype)) if wanted else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start again: weight 1, bias 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.__dict__.get("bias") is not None:
            init.zeros_(self.bias)


def _as_shape(normalized_shape: Any) -> tuple[int, ...]:
    return (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)


class LayerNorm(_Affine):
    """Each example minus its mean, divided by √(variance + eps), times a weight, plus a bias that are learnt.

    Arguments: normalized_shape, an integer or a tuple: the last dimensions of the input, over which mean and variance
    are taken; eps; elementwise_affine, whether there is a weight of that shape; bias, whether a bias too; device,
    dtype. Input and result (*, normalized_shape). Raises ShapeError for another shape. Source: Ba et al., 2016.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.LayerNorm(2, elementwise_affine=False)(tg.tensor([[1.0, 3.0]]))
    tensor([[-1.0000,  1.0000]])
    """

    def __init__(
        self,
        normalized_shape: Any,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape, self.eps = _as_shape(normalized_shape), eps
        self.elementwise_affine = elementwise_affine
        self._add(self.normalized_shape, elementwise_affine, elementwise_affine and bias, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        return layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The arguments as PyTorch shows them."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(_Affine):
    """Each example divided by √(the mean of its squares + eps), times a weight that is learnt.

    Arguments: normalized_shape, an integer or a tuple: the last dimensions of the input; eps (None: the spacing at 1 of
    the dtype); elementwise_affine, whether there is a weight; device, dtype. Input and result (*, normalized_shape).
    Raises ShapeError for another shape. Source: Zhang and Sennrich, 2019.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.RMSNorm(2, elementwise_affine=False)(tg.tensor([[1.0, 7.0]]))
    tensor([[0.2000, 1.4000]])
    """

    def __init__(
        self,
        normalized_shape: Any,
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape, self.eps = _as_shape(normalized_shape), eps
        self.elementwise_affine = elementwise_affine
        self.register_parameter(
            "weight",
            Parameter(empty(self.normalized_shape, device=device, dtype=dtype)) if elementwise_affine else None,
        )
        self.reset_parameters()

    def forward(self, x: Tensor) -> Tensor:
        return rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """The arguments as PyTorch shows them."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(_Affine):
    """Each group of channels of each sample minus its mean, divided by √(variance + eps), times weight, plus bias.

    Arguments: num_groups, which divides num_channels C; eps; affine, whether there are weight and bias, (C,); device,
    dtype; bias. Input and result (N, C, *). Raises ArgumentError for groups that don't divide the channels, ShapeError.
    Source: Wu and He, 2018.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.GroupNorm(2, 4, affine=False)(tg.tensor([[1.0, 3.0, 2.0, 6.0]]))
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_groups < 1 or num_channels % num_groups:
            raise ArgumentError(f"GroupNorm: num_channels {num_channels} is not divisible by num_groups {num_groups}")
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        self._add((num_channels,), affine, affine and bias, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        return group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The arguments as PyTorch shows them."""
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class LocalResponseNorm(Module):
    """Each value divided by (k + alpha · the mean of the squares in `size` neighbouring channels) ^ beta.

    Arguments: size, alpha, beta, k. Input and result (N, C, L, *). Raises ShapeError for fewer dimensions. Source:
    Krizhevsky et al., 2012.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.LocalResponseNorm(2, alpha=1.0, beta=1.0)(tg.ones(1, 2, 1))
    tensor([[[0.6667],
             [0.5000]]])
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, input: Tensor) -> Tensor:
        return local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        """The arguments as PyTorch shows them."""
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class CrossMapLRN2d(Module):
    """Each value divided by (k + alpha / size · the sum of the squares in channels around its own) ^ beta.

    The channels are ⌊(size - 1) / 2⌋ on either side, and always the first too: PyTorch's running sum, whose values
    these are, never loses it. `LocalResponseNorm` does without. Arguments: size, alpha, beta, k. Input and result
    (N, C, H, W), floating. Raises ShapeError for other dimensions, ArgumentError for a size below 1, DtypeError.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.CrossMapLRN2d(1, alpha=1.0, beta=1.0)(tg.ones(1, 2, 1, 1)).flatten()
    tensor([0.5000, 0.3333])
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, input: Tensor) -> Tensor:
        shape = tuple(input.shape)
        if len(shape) != 4 or shape[1] < 1:
            raise ShapeError(f"CrossMapLRN2d: the input must be (N, C, H, W) of at least one channel; {shape} came")
        if self.size < 1:
            raise ArgumentError(f"CrossMapLRN2d: size, a number of channels, must be at least 1, {self.size} came")
        if not input.is_floating_point():
            raise DtypeError(f"CrossMapLRN2d: floating numbers are needed, {input.dtype} came; use input.float()")
        if input.numel() == 0:
            return input
        sums = _sums_of_channels(input * input, (self.size + 1) // 2)
        return input / (sums * (self.alpha / self.size) + self.k) ** self.beta

    def extra_repr(self) -> str:
        """The arguments as PyTorch shows them."""
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


def _sums_of_channels(squares: Tensor, reach: int) -> Tensor:
    """For each channel of (N, C, H, W) the sum of those nearer than `reach`, and of the first."""
    n, c, h, w = squares.shape
    window = 2 * reach - 1
    sums = avg_pool2d(squares.reshape(n, 1, c, h * w), (window, 1), 1, (reach - 1, 0)).reshape(n, c, h, w) * window
    return sums if c <= reach else cat([sums[:, :reach], sums[:, reach:] + squares[:, :1]], 1)
