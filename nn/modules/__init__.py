"""Where PyTorch keeps `Module` and the hooks of all modules: `nn.modules.module`."""

from . import module
from .module import Module

__all__ = ["module", "Module"]
