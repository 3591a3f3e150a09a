"""The older `weight_norm`, which computes the weight anew before each call of its module."""

from __future__ import annotations

import warnings
from typing import Any

from tinygrad_dl.errors import ArgumentError, ArgumentTypeError
from tinygrad_dl.tensor import Tensor

from ..module import Module
from ..parameter import Parameter
from .parametrizations import norm_except, scaled_to


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Learn a weight by its length and direction, in PyTorch's older form: parameters `weight_g` and `weight_v`.

    The weight is a plain attribute then, computed before each call of the module: W = g · v / ‖v‖, the norm over all
    dimensions but `dim` (None or -1: one norm of all). Warns that `parametrizations.weight_norm` took its place.
    Returns the module. Raises ArgumentError for a name that has it already or is no parameter.

    >>> import tinygrad_dl as tg, warnings
    >>> from tinygrad_dl import nn
    >>> with warnings.catch_warnings(): warnings.simplefilter("ignore"); layer = nn.utils.weight_norm(nn.Linear(2, 3))
    >>> [path for path, _ in layer.named_parameters()], layer(tg.ones(1, 2)).shape
    (['bias', 'weight_g', 'weight_v'], tinygrad_dl.Size([1, 3]))
    """
    warnings.warn(
        "nn.utils.weight_norm: nn.utils.parametrizations.weight_norm took its place", FutureWarning, stacklevel=2
    )
    if find_hook(module, WeightNorm, name):
        raise ArgumentError(f"weight_norm: {type(module).__name__}.{name} has it already")
    weight = own_parameter(module, name, "weight_norm")
    hook = WeightNorm(name, -1 if dim is None else dim)
    del module._kinds[name]  # the attribute stays, as a plain one
    module.register_parameter(f"{name}_g", Parameter(norm_except(weight, hook.dim).detach()))
    module.register_parameter(f"{name}_v", Parameter(weight.detach()))
    module.__dict__[name] = hook.compute_weight(module)
    module.register_forward_pre_hook(hook)
    return module


def remove_weight_norm(module: Module, name: str = "weight") -> Module:
    """Make the weight an ordinary parameter again, of its value. Raises ArgumentError where there is no weight norm."""
    hook = take_hook(module, WeightNorm, name, "remove_weight_norm")
    value = hook.compute_weight(module).detach()
    for part in (name, f"{name}_g", f"{name}_v"):
        delattr(module, part)
    module.register_parameter(name, Parameter(value))
    return module


class WeightNorm:
    """The hook that computes the weight."""

    def __init__(self, name: str, dim: int) -> None:
        self.name, self.dim = name, dim

    def compute_weight(self, module: Any) -> Tensor:
        """The weight of a module, from its length and direction."""
        return scaled_to(getattr(module, f"{self.name}_g"), getattr(module, f"{self.name}_v"), self.dim)

    def __call__(self, module: Any, args: Any) -> None:
        module.__dict__[self.name] = self.compute_weight(module)


# --- for the two older norms


def find_hook(module: Module, kind: Any, name: str) -> int | None:
    """The number of the hook of a kind for a parameter."""
    hooks = module._forward_pre_hooks.items()
    return next((number for number, hook in hooks if isinstance(hook, kind) and hook.name == name), None)


def take_hook(module: Module, kind: type, name: str, operation: str) -> Any:
    """Take a hook out of a module and return it."""
    number = find_hook(module, kind, name)
    if number is None or module._hooks is None:
        raise ArgumentError(f"{operation}: {type(module).__name__}.{name} has none to remove")
    return module._hooks.pop(number).function


def own_parameter(module: Module, name: str, operation: str) -> Parameter:
    """The parameter of a name; ArgumentTypeError for what is none."""
    parameter = module._parameters.get(name)
    if parameter is None:
        raise ArgumentTypeError(f"{operation}: {type(module).__name__} has no parameter {name!r}")
    return parameter
