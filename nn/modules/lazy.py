"""`LazyModuleMixin` where PyTorch keeps it: `nn.modules.lazy`."""

from ..lazy import LazyModuleMixin

__all__ = ["LazyModuleMixin"]
