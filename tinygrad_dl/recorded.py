"""The recorded walk (`create_graph`): saved values get their history back, so that rules record."""

from typing import Any

import numpy as np

from . import backend
from .errors import GraphError
from .node import Node, output
from .ops.elementwise import identity
from .tensor import Tensor, wrap


def walk_twin(walk: Any, plan: Any, saved: tuple[Any, ...], g: Any) -> list[Any]:
    """Differentiate the composed form of a fused operation on its saved inputs, recording."""
    operation = plan.operation
    given = {name: saved[plan.names.index(name)] for name in operation.parameters}
    inputs: list[Tensor] = []
    for name in plan.needs:
        if name == plan.listed:
            given[name] = [identity(t) if t._requires_grad else t for t in given[name]]
            inputs += [t for t in given[name] if t._requires_grad]
        else:
            given[name] = identity(given[name])
            inputs.append(given[name])
    result = operation.twin(*[given[name] for name in operation.parameters])
    results, parts = (result, g) if isinstance(result, tuple) else ((result,), (g,))
    # A node of its own for each result: the twin may return one twice, or an input as it came.
    seeds = {identity(tensor).node: part for tensor, part in zip(results, parts) if tensor._requires_grad}
    ends = [tensor.node for tensor in inputs]
    gradients = walk(seeds, True, True, ends=ends)
    return [gradients.get(end) for end in ends]


def saved_with_history(node: Node, values: tuple[Any, ...], mask: Any) -> tuple[Any, ...]:
    """The saved values as tensors with the history they had, so that the rules record."""
    plan, parents, found = node.plan, node.parents, []
    for name, source, value in zip(plan.names, plan.sources, values):
        if source == "out":
            found.append(_output_with_history(node, value))
        elif source == "list":
            members = iter(parents[len(plan.needs) - 1 :])
            pairs = zip(value, mask)
            found.append([_with_history(v, next(members), plan) if need else _constant(v) for v, need in pairs])
        elif source is not None:
            found.append(_with_history(value, parents[source], plan))
        elif plan.operation.knows_derivative_of(name) or not (backend.is_array(value) or isinstance(value, np.generic)):
            found.append(_constant(value))
        else:
            raise NotImplementedError(
                f"{plan.operation.name}: its derivative keeps {name!r}, whose own derivative is not known, so it can't "
                "be differentiated twice (create_graph=True)"
            )
    return tuple(found)


def _constant(value: Any) -> Any:
    if isinstance(value, list):  # of a list of tensors none needs a gradient
        return [_constant(part) for part in value]
    if isinstance(value, np.generic):
        return value.item()
    return wrap(value) if backend.is_array(value) else value


def _array(value: Any) -> Any:
    """A saved value as an array: of 0-d operations NumPy's scalars are saved."""
    return backend.scalar_array(value) if isinstance(value, np.generic) else value


def _output_with_history(node: Node, value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple([output(part, i, node) for i, part in enumerate(value)])
    return wrap(_array(value), True, node)


def _with_history(value: Any, parent: Any, plan: Any) -> Tensor:
    if isinstance(parent, Node):
        return wrap(_array(value), True, parent)
    if parent.array is value or (isinstance(value, np.generic) and np.array_equal(parent.array, value, equal_nan=True)):
        return parent
    raise GraphError(
        f"{plan.operation.name}: a leaf of shape {tuple(parent.shape)} got another array (by .data, .to() or a loaded "
        "state) after it was used, so the graph of its gradient can't be recorded. Compute the result again first"
    )
