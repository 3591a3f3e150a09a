"""The traced history of a loss, with its gradients; and a backward of one's own through it, on arrays."""

import math
from collections.abc import Mapping
from typing import Any

from ..autograd import grad
from ..errors import GraphError
from ..tensor import Tensor, wrap
from .history import LEAF, RESULT, History, Value, results_of


def history_of(operation: str, result: Any, names: Mapping[str, Tensor] | None = None) -> History:
    """The traced history of one number, with all gradients in it; `operation` is who asks."""
    roots = results_of(operation, result)
    if len(roots) > 1:
        raise GraphError(f"{operation}: backprop starts from one number, {len(roots)} results came; give the loss")
    history = History(roots, names=names)
    root = history.roots[0]
    if math.prod(root.shape if isinstance(root.shape, tuple) else ()) != 1:
        raise GraphError(
            f"{operation}: backprop starts from one number, a result of shape {root.shape} came; end with .sum() or "
            ".mean()"
        )
    untraced = next((value for value in history.values if value.kind == RESULT and value.record is None), None)
    if untraced is not None:
        raise GraphError(
            f"{operation}: {untraced.operation.name} (result of shape {untraced.shape}) was not traced, so its values "
            "are not known. Do the forward inside `with viz.trace():`, or pass the function: f, *inputs"
        )
    if root.gradient is None or float(root.gradient.item()) != 1:  # backward(gradient) may have begun with another
        _walk_back(history, root)
    return history


def _walk_back(history: History, root: Value) -> None:
    """Let the engine compute all gradients, without touching any `.grad`."""
    leaves = [value.tensor for value in history.values if value.kind == LEAF]
    grad(wrap(root.array, True, root.node), leaves, retain_graph=True, allow_unused=True)
    for value in history.values:
        if value.record is not None:
            value.gradient = value.record.gradient
