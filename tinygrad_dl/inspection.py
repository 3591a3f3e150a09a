"""Looking at a recorded graph as PyTorch's users do: `tensor.grad_fn.next_functions`."""

from typing import Any

from .node import FREED, Hooks, Node, Slot
from .tensor import Tensor


class AccumulateGrad(Node):
    """Where a gradient arrives in a leaf; exists for those who walk `next_functions`."""

    __slots__ = ("variable",)

    def __init__(self, variable: Tensor) -> None:
        self.variable = variable

    next_functions = ()

    @property
    def metadata(self) -> dict[Any, Any]:
        """A dict for the user's notes, the same one for a leaf as long as that lives."""
        self.variable.extras = self.variable.extras or {}
        return self.variable.extras.setdefault("metadata", {})

    def register_hook(self, hook: Any) -> Any:
        """Not there: hooks of a leaf are the tensor's."""
        raise NotImplementedError(
            "AccumulateGrad: register hooks on the leaf itself: variable.register_hook to see its gradient, "
            "variable.register_post_accumulate_grad_hook to see .grad"
        )

    register_prehook = register_hook

    def name(self) -> str:
        """The name that PyTorch's users look for."""
        return "AccumulateGrad"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AccumulateGrad) and other.variable is self.variable

    def __hash__(self) -> int:
        return id(self.variable)

    def __repr__(self) -> str:
        return "<AccumulateGrad>"


def next_functions(node: Any) -> tuple[Any, ...]:
    """For each differentiable input the node (and which of its outputs) that it came from, as in PyTorch."""
    if isinstance(node, Slot):
        return next_functions(node.parent)
    return tuple([(None, 0) if parent is None else _as_function(parent) for parent in inputs_of(node)])


def inputs_of(node: Any) -> list[Any]:
    """The node or leaf that each differentiable input came from, None for one that needs no gradient."""
    plan = node.plan
    parents = iter(node.parents)
    if plan.listed is not None:
        mask = [True] * len(node.parents) if node.saved is FREED else node.saved[1]
        return [next(parents) if needed else None for needed in mask]
    return [next(parents) if name in plan.needs else None for name in plan.operation.rules]


def _as_function(parent: Any) -> tuple[Any, int]:
    if isinstance(parent, Slot):
        return parent.parent, parent.saved
    return (parent if isinstance(parent, Node) else AccumulateGrad(parent)), 0


def metadata(node: Any) -> dict[Any, Any]:
    """A dict for the user's notes on a node."""
    node = node.parent if isinstance(node, Slot) else node
    if node.extras is None:
        node.extras = Hooks()
    if not hasattr(node.extras, "metadata"):
        node.extras.metadata = {}
    return node.extras.metadata


Node.metadata = property(metadata)  # type: ignore[attr-defined]
Node.next_functions = property(next_functions)  # type: ignore[attr-defined]
