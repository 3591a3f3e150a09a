"""Where PyTorch keeps `Module` and the hooks of all modules: `nn.modules.module`."""

from . import lazy, module
from .module import Module

__all__ = ["lazy", "module", "Module"]
