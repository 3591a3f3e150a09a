"""Edits in place: stamps on memory, by which backward notices that a value it saved was overwritten.

An edit leaves (byte interval, time, operation) with the array that owns the memory. `backward` looks only at nodes
older than the last edit and compares intervals, so that writing to a neighbour in one flat buffer is no conflict. No
stale stamp can hit a new array: a value saved before an edit has kept its memory alive since, so an edit of the same
addresses after it was an edit of that value.
"""

import itertools
import weakref
from collections.abc import Iterable
from typing import Any

from . import backend
from .errors import ArgumentError, GraphError
from .explain import explain

tick = itertools.count(1).__next__  # one clock orders nodes and edits


class _Memory:
    """The edits of one piece of memory: (first byte, last byte + 1, time, operation)."""

    __slots__ = ("edits", "owner")

    def __init__(self, owner: Any) -> None:
        self.owner = owner
        self.edits: list[tuple[int, int, int, str]] = []


class Edits:
    """All edits so far. `last` is the time of the last one: nodes created later need no look."""

    def __init__(self) -> None:
        self.last = 0
        self.owned: dict[int, _Memory] = {}  # by the identity of the array that owns the memory
        self.foreign = _Memory(None)  # memory that belongs to no array (a file mapped into memory, another library's)


edits = Edits()


def stamp(array: Any, operation: str) -> None:
    """Note that `operation` has just written into `array`."""
    memory = _memory_of(array)
    edits.last = now = tick()
    if array.base is None:  # all of its memory: no need to look where that lies
        memory.edits = [(0, 1 << 64, now, operation)]
        return
    low, high = backend.byte_interval(array)
    if low == high:  # an empty view
        return
    memory.edits = [e for e in memory.edits if e[0] < low or e[1] > high]  # what this edit covers is forgotten
    memory.edits.append((low, high, now, operation))


def stamp_all(arrays: Iterable[Any], operation: str) -> None:
    """Note that `operation` has just written into several arrays, in one go."""
    now = tick()
    whole = [(0, 1 << 64, now, operation)]
    for array in arrays:
        memory = edits.owned.get(id(array)) if array.base is None else None
        if memory is None:
            stamp(array, operation)
        else:
            memory.edits = whole
    edits.last = max(edits.last, now)


def assign(operation: str, array: Any, place: Any, value: Any) -> None:
    """Write a value (an array or a number) into a tensor's array at a place, and stamp it."""
    try:
        array[place] = value
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        if not backend.is_writeable(array):
            raise ArgumentError(
                f"{operation}: the memory of this tensor (shape {tuple(array.shape)}) can't be written: it is a "
                "broadcast view, in which one element stands in several places, or a read-only array; write into "
                "tensor.clone()"
            ) from None
        raise explain(operation, ("tensor", "value"), (array, value), error) from None
    stamp(_region(array, place), operation)


def _region(array: Any, place: Any) -> Any:
    """The view that was written to; of an index with arrays, the whole array."""
    parts = place if isinstance(place, tuple) else (place,)
    if place is Ellipsis or not all(part is None or isinstance(part, (int, slice, type(...))) for part in parts):
        return array
    return array[parts if Ellipsis in parts else (*parts, ...)]


def overwritten_by(array: Any, since: int) -> str | None:
    """The operation that wrote into the memory of `array` after the time `since`, or None."""
    memory = _memory_of(array, make=False)
    if memory is None or not memory.edits:
        return None
    low, high = backend.byte_interval(array)
    for start, end, time, operation in reversed(memory.edits):
        if time > since and start < high and low < end and low < high:
            return operation
    return None


def require_intact(node: Any) -> None:
    """Raise when a value that a node saved was overwritten after it was saved."""
    plan, saved = node.plan, node.saved
    if plan.listed is not None:
        saved, _ = saved
    for name, value in zip(plan.names, plan.saved_values(saved), strict=True):
        for array in value if isinstance(value, list | tuple) else (value,):
            writer = overwritten_by(array, node.order) if backend.is_array(array) else None
            if writer is not None:
                raise GraphError(
                    f"backward: {plan.operation.name} saved its {name!r} (shape {tuple(array.shape)}) for its "
                    f"derivative, but {writer} has overwritten it since. Call backward before the edit, or edit a "
                    "copy: tensor.clone()"
                )


def _memory_of(array: Any, make: bool = True) -> Any:
    root = array if array.base is None else backend.memory_root(array)
    if root.base is not None:
        return edits.foreign
    key = id(root)
    memory = edits.owned.get(key)
    if memory is None and make:
        forget = edits.owned.pop
        memory = edits.owned[key] = _Memory(weakref.ref(root, lambda _: forget(key, None)))
    return memory


def _out_of_place(operation: str) -> str:
    """How to write an edit so that it makes a new tensor: `add(...)` for `add_`, `a + b` for `a += b`."""
    return "a = a + b instead of a += b" if operation.startswith("__i") else f"{operation.rstrip('_')}(...)"


def require_editable(operation: str, edited: Any, recording: bool, *written: Any) -> None:
    """Refuse an edit that the graph would have to know of.

    `edited` is the tensor that is written to, `written` what is written. Edits of the graph itself come in a later
    version; edits of a leaf that requires grad are wrong in any.
    """
    if not recording:
        return
    if edited.requires_grad and edited.node is None:
        raise GraphError(
            f"{operation}: a leaf that requires grad (shape {tuple(edited.shape)}) can't be edited in place while "
            "recording: backward would not know which value its gradient belongs to. To update it, write\n"
            "    with tinygrad_dl.no_grad():\n"
            "        W -= alpha * dW\n"
            "or make a new tensor: W = W - alpha * dW"
        )
    if edited.requires_grad or any(getattr(value, "requires_grad", False) for value in written):
        raise NotImplementedError(
            f"{operation}: an edit in place of a tensor in the graph (shape {tuple(edited.shape)}) is not recorded "
            f"yet. Use the form that makes a new tensor, such as {_out_of_place(operation)}, or edit under "
            "tinygrad_dl.no_grad()"
        )
