"""Layer normalisation, composed of operations."""

from __future__ import annotations

from typing import Any

from tinygrad_dl.creation import ones, zeros
from tinygrad_dl.tensor import Tensor

from .module import Module
from .parameter import Parameter


class LayerNorm(Module):
    """Each row minus its mean, divided by √(variance + eps), times a weight, plus a bias (Ba et al., 2016)."""

    def __init__(
        self,
        normalized_shape: int,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape, self.eps, self.elementwise_affine = (normalized_shape,), eps, elementwise_affine
        shape = self.normalized_shape
        self.weight = Parameter(ones(shape, device=device, dtype=dtype)) if elementwise_affine else None
        self.register_parameter("bias", Parameter(zeros(shape, device=device, dtype=dtype)) if bias else None)

    def forward(self, input: Tensor) -> Tensor:
        variance = input.var(-1, correction=0, keepdim=True)
        out = (input - input.mean(-1, keepdim=True)) / (variance + self.eps).sqrt()
        out = out if self.weight is None else out * self.weight
        return out if self.bias is None else out + self.bias

    def extra_repr(self) -> str:
        """As PyTorch's."""
        there = f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        return f"{self.normalized_shape}, eps={self.eps}, {there}"
