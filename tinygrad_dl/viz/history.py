"""The history of a result as pictures and derivations read it: its values in order, named, with their arguments."""

import itertools
from collections.abc import Iterable, Mapping
from types import FrameType
from typing import Any

from .. import backend
from ..errors import ArgumentTypeError, GraphError
from ..node import Node
from ..tensor import Tensor
from .trace import Names, Record, Trace, is_slot, parents_of, record_of

LEAF, CONSTANT, RESULT = "leaf", "constant", "result"


class Argument:
    """One argument of an operation: a value (and which of its outputs), or a number or option as it is."""

    __slots__ = ("label", "option", "output", "value")

    def __init__(self, label: str, value: "Value | None" = None, option: Any = None, output: int | None = None) -> None:
        self.label, self.value, self.option, self.output = label, value, option, output


class Value:
    """A leaf, a constant, or the result of an operation."""

    def __init__(self, kind: str, name: str | None, shape: Any, array: Any) -> None:
        self.kind, self.name, self.shape, self.array = kind, name, shape, array
        self.gradient: Any = None
        self.node: Any = None  # of a result
        self.tensor: Any = None  # of a leaf or a constant
        self.arguments: list[Argument] = []

    @property
    def record(self) -> Record | None:
        """What the trace kept; None when the operation was not traced."""
        return getattr(self.node, "record", None)

    @property
    def operation(self) -> Any:
        """The operation that made a result."""
        return self.node.plan.operation

    @property
    def inputs(self) -> list["Value"]:
        """The values among the arguments, one for each edge."""
        return [argument.value for argument in self.arguments if argument.value is not None]


class History:
    """All values that lead to some results, each once, in the order of their creation."""

    def __init__(
        self, roots: list[Any], frame: FrameType | None = None, names: Mapping[str, Tensor] | None = None
    ) -> None:
        self.values: list[Value] = []
        self.traced = False
        self._of_node: dict[Node, Value] = {}
        self._of_tensor: dict[int, Value] = {}
        self._given = {id(tensor): name for name, tensor in (names or {}).items()}
        self._frame, self._found = frame, _names_in_reach(frame)
        for node in _nodes_in_order([_node_of(root) for root in roots]):
            self._add_result(node)
        self.roots = [self._of_node[_node_of(root)] for root in roots]
        for root, tensor in zip(self.roots, roots, strict=True):
            if isinstance(tensor, Tensor) and not is_slot(tensor.node):
                root.array = tensor.array
                root.name = root.name or self._name(tensor)
                if root.gradient is None and tensor.retains_grad and tensor._grad is not None:
                    root.gradient = tensor._grad.array
        self._frame = None  # the caller's variables are his

    def _add_result(self, node: Node) -> None:
        record: Record | None = getattr(node, "record", None)
        value = Value(RESULT, None, node.shape, None)
        if record is not None:
            value.name, value.array, value.gradient = record.name, record.value, record.gradient
        value.node = node
        self.traced = self.traced or record is not None
        value.arguments = self._arguments(node) if record is None else self._recorded(record)
        self.values.append(value)
        self._of_node[node] = value

    def _arguments(self, node: Node) -> list[Argument]:
        """What an untraced node knows of its arguments: the parents that need a gradient."""
        labels: Iterable[str] = node.plan.needs
        if node.plan.listed is not None:
            labels = itertools.chain(node.plan.needs[:-1], itertools.repeat(node.plan.listed))
        return [
            self._argument(label, parent, None, None) for label, parent in zip(labels, parents_of(node), strict=False)
        ]

    def _recorded(self, record: Record) -> list[Argument]:
        found = []
        for label, argument, array in zip(record.operation.parameters, record.arguments, record.arrays, strict=True):
            members = isinstance(argument, list | tuple) and any(isinstance(part, Tensor) for part in argument)
            for part, kept in zip(argument, array, strict=True) if members else ((argument, array),):
                if isinstance(part, Tensor) or backend.is_array(part):
                    found.append(self._argument(label, part, record.names.get(id(part)), kept))
                else:
                    found.append(Argument(label, option=part))
        return found

    def _argument(self, label: str, parent: Any, name: str | None, array: Any) -> Argument:
        """An argument that is a tensor, an array or a node."""
        node = parent.node if isinstance(parent, Tensor) else parent if isinstance(parent, Node) else None
        if node is None:
            return Argument(label, self._outside(parent, name, array))
        output = None
        if is_slot(node):
            node, output = node.parent, node.saved
        if node not in self._of_node:  # the operation has no rule for this argument, so it is no parent
            return Argument(label, self._outside(parent, name, array))
        return Argument(label, self._of_node[node], output=output)

    def _outside(self, tensor: Any, name: str | None, array: Any) -> Value:
        """The value of a leaf or a constant, made at its first use."""
        value = self._of_tensor.get(id(tensor))
        if value is None:
            plain = array if array is not None else getattr(tensor, "array", tensor)
            kind = LEAF if getattr(tensor, "requires_grad", False) and tensor.node is None else CONSTANT
            value = Value(kind, name, tuple(plain.shape), plain)
            value.tensor = tensor
            if isinstance(tensor, Tensor):
                value.name = self._given.get(id(tensor)) or name or self._name(tensor)
                value.gradient = None if tensor._grad is None else tensor._grad.array
            self._of_tensor[id(tensor)] = value
            self.values.append(value)
        return value

    def _name(self, tensor: Tensor) -> str | None:
        return self._found.of_tensor(tensor, self._frame)

    def name_all(self, but: Iterable[Value] = ()) -> None:
        """Give every value, but for some, a name of its own: letters for none, numbers for a shared one."""
        left_out = set(but)
        taken = {value.name for value in self.values if value.name}
        for root in self.roots:
            if root.name is None:
                root.name = next(name for name in _unused(("J", "L"), taken))
        letters = {kind: _unused(pool, taken) for kind, pool in _LETTERS.items()}
        used: dict[str, int] = {}
        for value in self.values:
            if value in left_out:
                continue
            if value.name is None:
                value.name = next(letters[value.kind])
            used[value.name] = count = used.get(value.name, 0) + 1
            while count > 1:
                candidate = value.name + str(count).translate(_SUBSCRIPT)
                if candidate not in taken:
                    value.name = candidate
                    taken.add(candidate)
                    break
                count += 1

    def branches(self, nodes: Iterable[Any]) -> list[Value]:
        """Named results of a trace that were computed from values of this history but do not lead to its roots."""
        found = []
        for node in nodes:
            if node in self._of_node or not node.record.name:
                continue
            tensors = [argument for argument in node.record.arguments if isinstance(argument, Tensor)]
            if all((t.node in self._of_node) if t.node is not None else id(t) in self._of_tensor for t in tensors):
                value = Value(RESULT, node.record.name, node.shape, node.record.value)
                value.node, value.arguments = node, self._recorded(node.record)
                found.append(value)
        return found


_LETTERS = {RESULT: "uvpqrsth", LEAF: "abcdefg", CONSTANT: "xykmn"}
_SUBSCRIPT = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def _unused(pool: Iterable[str], taken: set[Any]) -> Any:
    """Names of a pool that nothing has, then the pool's names with numbers; each is given out once."""
    pool = tuple(pool)
    for number in itertools.count(1):
        for letter in pool:
            name = letter if number == 1 else letter + str(number).translate(_SUBSCRIPT)
            if name not in taken:
                taken.add(name)
                yield name


def results_of(operation: str, target: Any) -> list[Any]:
    """The tensors or nodes that a picture is asked of: a tensor, several, or a trace's results."""
    if isinstance(target, Trace):
        if not target.nodes:
            raise GraphError(
                f"{operation}: this trace recorded nothing; do the forward inside `with viz.trace():`, with inputs "
                "that require grad"
            )
        return list(target.roots)
    targets = list(target) if isinstance(target, list | tuple) else [target]
    for tensor in targets:
        if not isinstance(tensor, Tensor):
            raise ArgumentTypeError(
                f"{operation}: a Tensor, a list of them or a trace has a graph, not {type(tensor).__name__}"
            )
        if tensor.node is None:
            raise GraphError(
                f"{operation}: this tensor (shape {tuple(tensor.shape)}) has no history: no recorded operation made "
                "it. Its inputs must require grad, outside no_grad and detach"
            )
    return targets


def _node_of(root: Any) -> Node:
    node = root.node if isinstance(root, Tensor) else root
    return node.parent if is_slot(node) else node


def _nodes_in_order(roots: list[Node]) -> list[Node]:
    """All operations that lead to the roots, without recursion."""
    seen = set(roots)
    stack = list(seen)
    while stack:
        for parent in parents_of(stack.pop()):
            node = parent.parent if is_slot(parent) else parent
            if isinstance(node, Node) and node not in seen:
                seen.add(node)
                stack.append(node)
    return sorted(seen, key=lambda node: node.order)


def _names_in_reach(frame: FrameType | None) -> Names:
    """The names that modules among a frame's variables give to their parameters."""
    names = Names()
    for name, value in list(frame.f_locals.items()) if frame is not None else ():
        if not name.startswith("_") and callable(getattr(type(value), "named_parameters", None)):
            names.add_module(value, name)
    return names


__all__ = ["CONSTANT", "LEAF", "RESULT", "Argument", "History", "Value", "record_of", "results_of"]
