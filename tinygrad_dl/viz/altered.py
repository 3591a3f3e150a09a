"""Backward with a slip in it: what comes out when one step of it is done wrongly, as people do it by hand."""

import functools
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from .. import backend
from .history import RESULT, History, Value
from .reading import Path, Reader, host, paths

Send = Callable[[Value, Any], list[Path]]
Gradients = dict[Value, Any]
Slip = tuple[str, dict[str, str]]  # the key of a phrase, and what it names
MOST_OPERATIONS, MOST_NUMBERS = 60, 100_000  # in a graph that is searched for slips

# The derivatives that are mixed up, by the function's result.
_SLOPES: dict[str, Callable[[Any], Any]] = {
    "tanh": lambda out: 1 - out * out,
    "sigmoid": lambda out: out * (1 - out),
    "relu": lambda out: out > 0,
}


def backward(history: History, altered: Mapping[Value, Send] | None = None) -> Gradients:
    """The gradients of a traced history by the rules that the engine runs; some steps may be altered."""
    reader, altered = Reader(), altered or {}
    root = history.roots[0]
    arrived: dict[Value, list[tuple[int | None, Any]]] = {root: [(None, root.array * 0 + 1)]}
    complete: Gradients = {}
    for value in reversed(history.values):
        if value.kind != RESULT or value not in arrived:
            continue
        complete[value] = gradient = _total(value, arrived[value])
        for argument, part in altered.get(value, reader.sent)(value, gradient):
            if part is not None and argument.value is not None:
                arrived.setdefault(argument.value, []).append((argument.output, part))
    ends = {value: _total(value, parts) for value, parts in arrived.items() if value.kind != RESULT}
    return complete | ends


def _total(value: Value, parts: list[tuple[int | None, Any]]) -> Any:
    """The sum of what arrived; of an operation with several outputs one for each of them."""
    if not isinstance(value.array, tuple):
        return _sum([part for _, part in parts])
    return tuple([_sum([out * 0, *(part for at, part in parts if at == i)]) for i, out in enumerate(value.array)])


def _sum(parts: list[Any]) -> Any:
    total = functools.reduce(operator.add, parts)
    return backend.scalar_array(total) if isinstance(total, np.generic) else total


def slips(history: History) -> Iterator[tuple[Slip, Gradients]]:
    """Slips in one step, each with the gradients that it leads to; none for graphs that are too large to search."""
    results = [value for value in history.values if value.kind == RESULT and not isinstance(value.array, tuple)]
    if len(results) > MOST_OPERATIONS or sum(value.array.size for value in results) > MOST_NUMBERS:
        return
    everywhere: dict[tuple[str, str], dict[Value, Send]] = {}
    for value in results:
        for slip, send in _at_activation(value):
            everywhere.setdefault((slip[0], slip[1].get("other", "")), {})[value] = send
            yield slip, backward(history, {value: send})
        for slip, send in _at_product(value, history):
            try:
                yield slip, backward(history, {value: send})
            except ValueError:  # another step can't take what comes out of this one
                continue
    for (kind, other), altered in everywhere.items():
        if len(altered) > 1:
            names = {"function": _list(v.operation.name for v in altered), "result": _list(v.name for v in altered)}
            yield (kind, names | {"other": other}), backward(history, altered)
    for value, parts in _meeting(history, results):
        for leaving, _ in enumerate(parts):
            yield ("path missing", {"name": str(value.name)}), {value: _sum(parts[:leaving] + parts[leaving + 1 :])}


def _list(names: Iterable[Any]) -> str:
    return ", ".join(dict.fromkeys(map(str, names)))


def _at_activation(value: Value) -> Iterator[tuple[Slip, Send]]:
    """The derivative of an activation forgotten, or that of another one in its place."""
    ends = paths(value)
    if len(ends) != 1 or len(value.inputs) != 1 or Reader().locals(value)[0] is None:
        return
    name = value.operation.name
    told = {"function": name, "result": str(value.name)}
    yield ("activation missing", told), lambda v, g: [(ends[0], g)]
    for other, slope in _SLOPES.items() if name in _SLOPES else ():
        if other != name:
            yield ("other activation", told | {"other": other}), _scaled(ends[0], slope(value.array))


def _scaled(end: Any, slope: Any) -> Send:
    return lambda v, g: [(end, g * slope)]


def _at_product(value: Value, history: History) -> Iterator[tuple[Slip, Send]]:
    """Another array in the place of one that a rule multiplies by: the activation of the wrong layer, say."""
    plan, record = value.node.plan, value.record
    assert record is not None
    if not plan.names or plan.listed is not None:
        return
    saved = plan.saved_values(record.saved)
    for i, (name, kept) in enumerate(zip(plan.names, saved, strict=True)):
        right = value if name == "out" else next((a.value for a in value.arguments if a.label == name), None)
        if not backend.is_array(kept) or right is None:
            continue
        for wrong in history.values:
            if _may_stand_for(wrong, kept, value):
                changed = tuple([wrong.array if at == i else array for at, array in enumerate(saved)])
                told = {"wrong": str(wrong.name), "right": str(right.name)}
                yield ("wrong array", told), _with_saved(changed if len(changed) > 1 else changed[0])


def _with_saved(saved: Any) -> Send:
    return lambda v, g: Reader().sent_with(v, g, saved)


def _may_stand_for(wrong: Value, kept: Any, value: Value) -> bool:
    """Whether an array fits in the place of another one and is not the same."""
    if isinstance(wrong.array, tuple) or wrong.array.dtype.kind != "f":
        return False
    if wrong.array.shape == kept.shape:
        return not np.array_equal(host(wrong.array), host(kept))
    elementwise = kept.shape == value.array.shape and kept.ndim == wrong.array.ndim > 0
    return elementwise and all(a in (1, b) for a, b in zip(wrong.array.shape, kept.shape, strict=True))


def _meeting(history: History, results: list[Value]) -> Iterator[tuple[Value, list[Any]]]:
    """Values at which several paths meet, with what each brings."""
    gradients, reader = backward(history), Reader()
    brought: dict[Value, list[Any]] = {}
    for value in results:
        for argument, part in reader.sent(value, gradients[value]) if value in gradients else ():
            if part is not None and argument.value is not None:
                brought.setdefault(argument.value, []).append(part)
    yield from ((value, parts) for value, parts in brought.items() if len(parts) > 1)
