"""What the graph is made of: a node for each recorded operation, and a light one for each of several outputs."""

import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from . import backend
from .dtypes import FLOATING
from .inplace import tick
from .tensor import Tensor, wrap


class Hooks(dict[Any, Any]):
    """Functions by the id of their handle, which refers to this weakly; `metadata` is the user's, on a node."""

    __slots__ = ("__weakref__", "metadata")


# Held while a gradient is added to a `.grad` or a hook is registered. A destructor may do so in the middle of it, too.
guard = threading.RLock()

FREED = type("Freed", (), {"__repr__": lambda self: "<freed>"})()  # stands where a node's saved values were


class Node:
    """One recorded operation: its plan, the nodes or leaves it came from, and what its rules asked for.

    It does not hold its output. One or two parents and one saved value are held bare: fewer objects for the garbage
    collector to track, which takes a tenth of the time of small programs. `shape` is the output's; of several outputs,
    a list of (shape, dtype).
    """

    __slots__ = ("extras", "order", "parent", "partner", "plan", "saved", "shape")

    plan: Any  # the rules that run; None on one of several outputs
    parent: Any  # the only one or the first of two, or a tuple of all
    partner: Any  # the second of two
    saved: Any
    shape: Any
    order: int  # when it was created
    extras: Any  # a dict of functions that see, and may change, the gradient on its way

    @property
    def parents(self) -> tuple[Any, ...]:
        """The nodes and leaves that it came from, in their order."""
        first, second = self.parent, self.partner
        return (first, second) if second is not None else first if type(first) is tuple else (first,)

    def name(self) -> str:
        """The name of the operation, as PyTorch forms it: `MulBackward0`."""
        words = self.plan.operation.name.strip("_").split("_")
        return "".join(word[:1].upper() + word[1:] for word in words) + "Backward0"

    @property
    def saved_at(self) -> int:
        """When it saved what its rules ask for."""
        return self.order

    def watch(self, key: Any, see: Callable[[Any], Any]) -> None:
        """From now on call `see` with the gradient that passes here; what it returns goes on, unless that is None."""
        with guard:
            if self.extras is None:
                self.extras = Hooks()
            retained = self.extras.pop("retain", None)
            self.extras[key] = see
            if retained is not None:  # the last to see it
                self.extras["retain"] = retained

    def retain_into(self, tensor: Tensor) -> None:
        """From now on add the gradient that passes here to `tensor.grad`."""
        target = weakref.ref(tensor)

        def retain(g: Any) -> None:
            owner = target()
            if owner is not None:
                gradient = g.clone() if isinstance(g, Tensor) else wrap(own(g))
                with guard:
                    owner._grad = gradient if owner._grad is None else owner._grad + gradient

        self.watch("retain", retain)

    def __repr__(self) -> str:
        return f"<{self.name()}>"


def make_node(kind: Any, plan: Any, parents: Any, saved: Any, shape: Any) -> Any:
    """A new node."""
    node = kind()
    count = len(parents)
    node.parent, node.partner = parents if count == 2 else (parents[0] if count == 1 else tuple(parents), None)
    node.plan, node.saved = plan, saved
    node.shape, node.order, node.extras = shape, tick(), None
    return node


class Slot(Node):
    """One of several outputs of a node (its parent): puts its gradient into place `saved` there."""

    __slots__ = ()

    def name(self) -> str:
        """The name of the operation with several outputs."""
        return self.parent.name()


def own(g: Any) -> Any:
    """A gradient as an array that nobody else holds."""
    return backend.scalar_array(g) if isinstance(g, np.generic) else g.copy()


def output(array: Any, i: int, node: Node) -> Tensor:
    """One of several outputs; integers (indices) have no gradient."""
    if array.dtype not in FLOATING:
        return wrap(array)
    return wrap(array, True, make_node(Slot, None, (node,), i, array.shape))


def put_into_slot(parts: list[Any], i: int, g: Any) -> None:
    """Add the gradient of output `i` to the others': a recorded walk may have made a second slot of that output."""
    parts[i] = g if parts[i] is None else parts[i] + g


def filled(parts: list[Any], shapes: list[Any], recorded: bool) -> tuple[Any, ...]:
    """The gradients of several outputs; zeros for an output that nobody used."""
    known = next(part for part in parts if part is not None)
    array = known.array if recorded else backend.scalar_array(known) if isinstance(known, np.generic) else known
    zeros = backend.array_module(array).zeros
    unused = (lambda shape, dtype: wrap(zeros(shape, dtype))) if recorded else zeros
    pairs = zip(parts, shapes, strict=True)
    return tuple([unused(*like) if part is None and like[1] in FLOATING else part for part, like in pairs])


def pass_by(seers: Hooks, g: Any) -> Any:
    """A gradient after everyone has seen it who asked to, and may have changed it."""
    for see in list(seers.values()):
        changed = None if type(see) is Hooks else see(g)  # those of the node itself have their time
        g = g if changed is None else changed
    return g
