"""What `autograd.graph` offers: the class of recorded operations and hooks on several tensors."""

from .hooks import register_multi_grad_hook
from .node import Node

__all__ = ["Node", "register_multi_grad_hook"]
