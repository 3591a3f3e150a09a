"""A loss that is traced, and its history with all gradients."""

import math
from collections.abc import Mapping
from typing import Any

from ..autograd import grad
from ..creation import tensor as make_tensor
from ..errors import ArgumentTypeError, GraphError
from ..observing import ObservedNode, call_user
from ..tensor import Tensor, wrap
from .history import LEAF, RESULT, History, Value, results_of
from .trace import Trace


def traced(operation: str, f: Any, inputs: tuple[Any, ...]) -> tuple[Any, list[ObservedNode], list[Any]]:
    """The result of a function that runs under a trace, or what came in its place; the operations that were traced,
    and the inputs as the function got them.
    """
    if is_function(f):
        given = [make_tensor(float(x), requires_grad=True) if type(x) in (int, float) else x for x in inputs]
        with Trace() as opened:
            result = call_user(f, given)
        return result, opened.nodes, given
    if inputs:
        raise ArgumentTypeError(
            f"{operation}: inputs go to a function; {type(f).__name__} came with {len(inputs)} input(s)"
        )
    return f, f.nodes if isinstance(f, Trace) else [], []


def is_function(f: Any) -> bool:
    """Whether something is run for its result; a tensor is a result."""
    return callable(f) and not isinstance(f, Tensor)


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
