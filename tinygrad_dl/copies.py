"""Tensors that are copied deeply and pickled: with their attributes, without their place in a graph."""

import copy
from typing import Any

import numpy as np

from . import backend
from .errors import GraphError
from .methods import attach
from .tensor import Tensor


def _deepcopy(self: Tensor, memo: dict[int, Any]) -> Tensor:
    if self.node is not None:
        raise GraphError(
            f"deepcopy: only leaves can be copied deeply, this tensor came from {self.node.name()}. Use "
            "tensor.detach().clone()"
        )
    copied = type(self).__new__(type(self))
    memo[id(self)] = copied
    copied.array = _memory(self, memo)
    copied.node = copied.extras = None
    copied._requires_grad, copied._grad = self._requires_grad, copy.deepcopy(self._grad, memo)
    for name, value in _attributes(self).items():
        setattr(copied, name, copy.deepcopy(value, memo))
    return copied


def _memory(self: Tensor, memo: dict[int, Any]) -> Any:
    """A copy of an array. Views of one memory become views of one copy; parameters have their own, as in PyTorch."""
    array = self.array
    root = backend.memory_root(array)
    if type(self) is not Tensor or not backend.owns_memory(root):
        return array.copy()
    if id(root) not in memo:
        memo[id(root)] = backend.copied_memory(root)
    return backend.seen_in(memo[id(root)], array, root)


def _attributes(self: Tensor) -> dict[str, Any]:
    """What a subclass's instance was given by its own name."""
    return getattr(self, "__dict__", {})


def _reduce(self: Tensor, protocol: Any) -> Any:
    parts = (type(self), backend.to_numpy(self.array), str(self.device), self._requires_grad, _attributes(self))
    return _rebuild, parts


def _rebuild(kind: Any, array: np.ndarray, device: str, requires_grad: bool, attributes: dict[str, Any]) -> Tensor:
    tensor = kind.__new__(kind)
    tensor.array = backend.from_numpy(backend.host_array(array), backend.device(device))
    tensor.node = tensor.extras = tensor._grad = None
    tensor._requires_grad = requires_grad
    for name, value in attributes.items():
        setattr(tensor, name, value)
    return tensor


attach(__deepcopy__=_deepcopy, __reduce_ex__=_reduce)
