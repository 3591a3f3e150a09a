"""Reading the operations of a history: what each computes and what it sends back, as Symbols and in numbers."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .. import backend
from ..autograd import unbroadcast
from .history import CONSTANT, RESULT, Argument, History, Value
from .simplify import simplify
from .symbol import Symbol, call, contributions

Path = tuple[Argument, Any]  # an argument, and what is sent to it


class Reader:
    """Reads a history. Values in `folded` have no name of their own: they are written out where they are used.

    What an operation kept beside its arguments is called as its rule calls it, with a stroke where that is in `taken`.
    """

    def __init__(self, folded: Iterable[Value] = (), taken: Iterable[str] = ()) -> None:
        self.folded, self._taken = frozenset(folded), frozenset(taken)
        self._expressions: dict[Value, Any] = {}

    # --- forward

    def expression(self, value: Value) -> Any:
        """What a traced operation computes, as a Symbol of the names of its arguments."""
        if value not in self._expressions:
            self._expressions[value] = self._expression(value)
        return self._expressions[value]

    def _expression(self, value: Value) -> Any:
        operation = value.operation
        parts: list[Any] = []
        for label in operation.parameters:
            found = [self._argument(argument) for argument in value.arguments if argument.label == label]
            parts.append(found if label == operation.listed else found[0])
        labels = tuple(operation.parameters)
        result = call(operation.name, lambda *arrays: operation.run(arrays)[0], parts, labels, value.array)
        return result[0].parts[0].symbol if isinstance(result, tuple) else result

    def _argument(self, argument: Argument) -> Any:
        if argument.value is None:
            return argument.option
        if argument.value in self.folded:
            return self.expression(argument.value)
        array = _array_of(argument)
        return Symbol(argument_name(argument), array.shape, array.dtype)

    def arguments(self, value: Value) -> list[Argument]:
        """The arguments of an operation that are values, those of folded values in their place."""
        found: list[Argument] = []
        for argument in value.arguments:
            if argument.value in self.folded:
                found += self.arguments(argument.value)
            elif argument.value is not None:
                found.append(argument)
        return found

    # --- backward

    def sent(self, value: Value, gradient: Any) -> list[Path]:
        """What an operation sends to each argument that needs it: arrays, by the rules that the engine runs."""
        assert value.record is not None
        return self._through(value, gradient, lambda v, g: contributions(v.node.plan, v.record.saved, g))  # type: ignore[union-attr]

    def sent_with(self, value: Value, gradient: Any, saved: Any) -> list[Path]:
        """The same with other values in place of what the operation saved."""
        return self._through(value, gradient, lambda v, g: contributions(v.node.plan, saved, g))

    def read(self, value: Value, g: Any) -> list[Path]:
        """The same, read by Symbols; g is a Symbol, or several."""
        return self._through(value, g, lambda v, g: contributions(v.node.plan, self._saved(v), g))

    def _through(self, value: Value, g: Any, send: Callable[[Value, Any], list[Any]]) -> list[Path]:
        """What is sent, through folded values to those that have a name; broadcasting undone as the walk does it."""
        found: list[Path] = []
        for argument, part in zip(paths(value), send(value, g), strict=True):
            shape = tuple(_array_of(argument).shape)
            if part is not None and tuple(part.shape) != shape:
                part = unbroadcast(part, shape)
            if isinstance(part, np.generic):
                part = backend.scalar_array(part)
            if part is not None and argument.value in self.folded:
                found += self._through(argument.value, part, send)
            else:
                found.append((argument, part))
        return found

    def _saved(self, value: Value) -> Any:
        """What the node saved, arrays replaced by Symbols under the names of the history."""
        plan, record = value.node.plan, value.record
        assert record is not None
        if not plan.names:  # a user's Function reads what it saved itself
            return record.saved
        saved, mask = record.saved if plan.listed is not None else (record.saved, None)
        symbols = []
        for name, kept in zip(plan.names, plan.saved_values(saved), strict=True):
            arguments = [self._argument(argument) for argument in value.arguments if argument.label == name]
            if name == "out":
                symbols.append(
                    self.expression(value) if value in self.folded else output_symbols(str(value.name), value.array)
                )
            elif name == plan.listed:
                symbols.append(arguments)
            elif arguments and isinstance(arguments[0], Symbol | bool | int | float):  # numbers were saved as arrays
                symbols.append(arguments[0])
            else:
                own = f"{name}′" if name in self._taken else name
                symbols.append(Symbol(own, kept.shape, kept.dtype) if backend.is_array(kept) else kept)
        packed = tuple(symbols) if len(symbols) > 1 else symbols[0] if symbols else None
        return packed if mask is None else (packed, mask)

    def locals(self, value: Value) -> list[Symbol | None]:
        """For each path the rule read with g = 1, where it multiplies element by element; None where it does more."""
        if isinstance(value.array, tuple):
            return [None] * len(self.read(value, output_symbols("g", value.array)))
        shape, dtype = value.array.shape, value.array.dtype
        whole, local = self.read(value, Symbol("g", shape, dtype)), self.read(value, Symbol.number(1, shape, dtype))
        return [
            simplify(part) if _scales(reading, argument, value) else None
            for (argument, reading), (_, part) in zip(whole, local, strict=True)
        ]


def _scales(reading: Any, argument: Argument, value: Value) -> bool:
    """Whether a reading multiplies each element of the gradient by a number of its own, and sums nothing."""
    shape = tuple(_array_of(argument).shape)
    if not isinstance(reading, Symbol):
        return False
    return (value.array.size == 1 == math.prod(shape)) or (reading.is_pointwise and tuple(reading.shape) == shape)


def paths(value: Value) -> list[Argument]:
    """The arguments to which an operation sends gradients, in the order of the node's parents."""
    plan = value.node.plan
    sent = [a for a in value.arguments if a.value is not None and a.value.kind != CONSTANT and a.label in plan.needs]
    return sorted(sent, key=lambda argument: argument.label == plan.listed)


def argument_name(argument: Argument) -> str:
    """What an argument is called: its value's name, with the number of the output where there are several."""
    assert argument.value is not None
    return f"{argument.value.name}" + ("" if argument.output is None else f"[{argument.output}]")


def output_symbols(name: str, array: Any) -> Any:
    """The Symbol of a result, or several where the operation has several outputs."""
    if isinstance(array, tuple):
        return tuple([Symbol(f"{name}[{i}]", part.shape, part.dtype) for i, part in enumerate(array)])
    return Symbol(name, array.shape, array.dtype)


def _array_of(argument: Argument) -> Any:
    assert argument.value is not None
    return argument.value.array if argument.output is None else argument.value.array[argument.output]


def count_of_mean(value: Value) -> int | None:
    """How many examples a result is the mean of, or None."""
    record = value.record
    if record is None:
        return None
    options = dict(zip(record.operation.parameters, record.arrays, strict=True))
    if record.operation.name == "mean":
        return int(options["input"].size // max(value.array.size, 1))
    return int(options["target"].shape[0]) if options.get("reduction") == "mean" else None


FOLD_DEPTH = 20  # a longer chain of results without names would be no line to read


def nameless(history: History) -> set[Value]:
    """Results without a name in the source that are used once: they are written out there."""
    uses: dict[Value, int] = {}
    for value in history.values:
        for given in value.inputs if value.kind == RESULT else ():
            uses[given] = uses.get(given, 0) + 1
    depth: dict[Value, int] = {}
    for value in history.values:
        if value.kind == RESULT and not value.name and uses.get(value) == 1 and not isinstance(value.array, tuple):
            below = 1 + max([depth.get(given, 0) for given in value.inputs], default=0)
            if below <= FOLD_DEPTH:
                depth[value] = below
    return set(depth)


def host(array: Any) -> Any:
    """An array of any device, or one of NumPy's scalars, as a host array."""
    return backend.to_numpy(backend.scalar_array(array) if isinstance(array, np.generic) else array)
