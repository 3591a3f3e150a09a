"""Where PyTorch keeps `Module` and the hooks of all modules: `nn.modules.module`."""

from . import lazy, loss, module
from .module import Module

__all__ = ["lazy", "loss", "module", "Module"]
