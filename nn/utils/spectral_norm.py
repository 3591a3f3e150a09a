"""The older `spectral_norm`, which computes the weight anew before each call of its module."""

from __future__ import annotations

from typing import Any

from tinygrad_dl.autograd import no_grad
from tinygrad_dl.errors import ArgumentError
from tinygrad_dl.random import randn
from tinygrad_dl.tensor import Tensor

from ..functional import normalize
from ..module import Module
from ..parameter import Parameter
from .parametrizations import as_matrix, rows_of
from .weight_norm import find_hook, own_parameter, take_hook


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Module:
    """Divide a weight by its largest singular value σ, in PyTorch's older form: W = W_orig / σ, σ = uᵀ W_orig v.

    The parameter is `weight_orig`, the vectors are the buffers `weight_u` and `weight_v`; the weight is a plain
    attribute, computed before each call, in training after n_power_iterations steps of the power method. Newer:
    `parametrizations.spectral_norm`. Arguments as there. Returns the module. Source: Miyato et al. 2018.

    >>> from tinygrad_dl import nn
    >>> list(nn.utils.spectral_norm(nn.Linear(2, 3)).state_dict())
    ['bias', 'weight_orig', 'weight_u', 'weight_v']
    """
    if find_hook(module, SpectralNorm, name):
        raise ArgumentError(f"spectral_norm: {type(module).__name__}.{name} has it already")
    if n_power_iterations <= 0:
        raise ArgumentError(f"spectral_norm: n_power_iterations is {n_power_iterations}, but must be 1 or more")
    weight = own_parameter(module, name, "spectral_norm")
    hook = SpectralNorm(name, n_power_iterations, rows_of(module) if dim is None else dim, eps)
    delattr(module, name)
    module.register_parameter(f"{name}_orig", weight)
    with no_grad():
        for letter, size in zip("uv", as_matrix(weight, hook.dim).shape):
            start = randn(size, dtype=weight.dtype, device=weight.device)
            module.register_buffer(f"{name}_{letter}", normalize(start, dim=0, eps=eps))
        module.__dict__[name] = weight.detach()
    module.register_forward_pre_hook(hook)
    return module


def remove_spectral_norm(module: Module, name: str = "weight") -> Module:
    """Make the weight an ordinary parameter again, of its value. Raises ArgumentError where there is no such norm."""
    hook = take_hook(module, SpectralNorm, name, "remove_spectral_norm")
    with no_grad():
        value = hook.compute_weight(module, do_power_iteration=False).detach()
    for part in (name, f"{name}_orig", f"{name}_u", f"{name}_v"):
        delattr(module, part)
    module.register_parameter(name, Parameter(value))
    return module


class SpectralNorm:
    """The hook that computes the weight."""

    def __init__(self, name: str, n_power_iterations: int, dim: int, eps: float) -> None:
        self.name, self.n_power_iterations, self.dim, self.eps = name, n_power_iterations, dim, eps

    def compute_weight(self, module: Any, do_power_iteration: bool) -> Tensor:
        """The weight of a module, whose vectors are turned first in training."""
        weight, u, v = (getattr(module, f"{self.name}_{part}") for part in ("orig", "u", "v"))
        matrix = as_matrix(weight, self.dim)
        if do_power_iteration:
            with no_grad():
                for _ in range(self.n_power_iterations):
                    v.copy_(normalize(matrix.T @ u, dim=0, eps=self.eps))
                    u.copy_(normalize(matrix @ v, dim=0, eps=self.eps))
            u, v = u.clone(), v.clone()  # which the next step overwrites, and backward may come later
        return weight / (u @ (matrix @ v))

    def __call__(self, module: Any, args: Any) -> None:
        module.__dict__[self.name] = self.compute_weight(module, module.training)
