"""What PyTorch's users look for under `autograd.graph`: the class of nodes, and hooks."""

from typing import Any

from .hooks import register_multi_grad_hook
from .node import Node

__all__ = ["Node", "allow_mutation_on_saved_tensors", "register_multi_grad_hook", "save_on_cpu", "saved_tensors_hooks"]


def saved_tensors_hooks(pack_hook: Any, unpack_hook: Any) -> Any:
    """Not there: what an operation saves is fixed by its rules."""
    raise NotImplementedError(
        "saved_tensors_hooks: what an operation saves can't be packed. To save memory, compute again in backward with "
        "utils.checkpoint.checkpoint; to save something else, write an autograd.Function"
    )


def save_on_cpu(pin_memory: bool = False, device_type: str = "cuda") -> Any:
    """Not there: saved values stay on their device."""
    raise NotImplementedError(
        "save_on_cpu: saved values stay on their device. To save memory, compute again in backward with "
        "utils.checkpoint.checkpoint"
    )


def allow_mutation_on_saved_tensors() -> Any:
    """Not there: backward refuses a saved value that was overwritten."""
    raise NotImplementedError(
        "allow_mutation_on_saved_tensors: a saved value that is overwritten is not kept. Edit a copy, tensor.clone(), "
        "or use the form of the operation that makes a new tensor"
    )
