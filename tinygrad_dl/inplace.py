"""Edits in place: stamps on memory, by which backward notices that a value it saved was overwritten.

An edit leaves (byte interval, time, operation) with the array that owns the memory. `backward` looks only at nodes
older than the last edit and compares intervals, so that writing to a neighbour in one flat buffer is no conflict. No
stale stamp can hit a new array: a value saved before an edit has kept its memory alive since, so an edit of the same
addresses after it was an edit of that value.
"""

import itertools
import math
import threading
import weakref
from bisect import bisect_left
from collections.abc import Iterable
from typing import Any

from . import backend
from .errors import ArgumentError, GraphError
from .explain import explain, recorded_at

tick = itertools.count(1).__next__  # one clock orders nodes and edits
MOST_PIECES = 1 << 16  # of one memory; beyond, neighbours are taken for edited together, as PyTorch takes all views


class _Memory:
    """The last edit of each byte of one piece of memory: disjoint pieces (first byte, last byte + 1, time, operation).

    They are sorted, so that finding one of n takes log n steps.
    """

    __slots__ = ("edits", "owner")

    def __init__(self, owner: Any) -> None:
        self.owner = owner
        self.edits: list[tuple[int, int, int, str]] = []

    def write(self, low: int, high: int, time: int, operation: str) -> None:
        """Put a new piece over what was there."""
        first, last = self.meeting(low, high)
        new = [(low, high, time, operation)]
        if first < last:  # what sticks out on either side stays
            before, after = self.edits[first], self.edits[last - 1]
            if before[0] < low:
                new.insert(0, (before[0], low, *before[2:]))
            if high < after[1]:
                new.append((high, after[1], *after[2:]))
        self.edits[first:last] = new
        if len(self.edits) > MOST_PIECES and self.owner is not None:  # (foreign neighbours have nothing in common)
            pairs = zip(self.edits[::2], self.edits[1::2])
            self.edits = [(a[0], b[1], *max(a[2:], b[2:])) for a, b in pairs] + self.edits[len(self.edits) // 2 * 2 :]

    def meeting(self, low: int, high: int) -> tuple[int, int]:
        """From which index to which one pieces meet an interval."""
        first = bisect_left(self.edits, (low,))
        if first and self.edits[first - 1][1] > low:
            first -= 1
        return first, bisect_left(self.edits, (high,), first)


class Edits:
    """All edits so far. `last` is the time of the last one: nodes created later need no look."""

    def __init__(self) -> None:
        self.last = 0
        self.owned: dict[int, _Memory] = {}  # by the identity of the array that owns the memory
        self.foreign = _Memory(None)  # memory that belongs to no array (a file mapped into memory, another library's)


edits = Edits()

# Held by whoever changes what is known of a memory, its edits and its views. An edit can come in the middle of another
# one of its thread: in a destructor that the garbage collector runs.
knowing = threading.RLock()


def stamp(array: Any, operation: str) -> None:
    """Note that `operation` has just written into `array`."""
    if array.base is None:  # all of its memory: no need to look where that lies
        with knowing:
            edits.last = now = tick()
            (edits.owned.get(id(array)) or _memory_of(array)).edits = [(0, 1 << 64, now, operation)]
        return
    low, high = backend.byte_interval(array)
    if low < high:  # no empty view
        with knowing:
            edits.last = now = tick()
            _memory_of(array).write(low, high, now, operation)


def stamp_all(arrays: Iterable[Any], operation: str) -> None:
    """Note that `operation` has just written into several arrays, in one go."""
    owned = edits.owned
    with knowing:
        edits.last = now = tick()
        whole = (0, 1 << 64, now, operation)
        for array in arrays:
            if array.base is None:
                (owned.get(id(array)) or _memory_of(array)).edits = [whole]
            else:
                stamp(array, operation)


def assign(operation: str, array: Any, place: Any, value: Any, write: Any = None) -> None:
    """Write a value (an array or a number) into a tensor's array at a place, by `write` if given, and stamp it."""
    try:
        (write or type(array).__setitem__)(array, place, value)
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


def overwritten_by(array: Any, since: int, before: float = math.inf) -> str | None:
    """The operation that wrote into the memory of `array` between two times, or None."""
    memory = _memory_of(array, make=False)
    if memory is None or not memory.edits:
        return None
    low, high = backend.byte_interval(array)
    with knowing:
        met = memory.edits[slice(*memory.meeting(low, high))] if low < high else []
    return max([piece[2:] for piece in met if since < piece[2] < before], default=(0, None))[1]


def require_intact(node: Any) -> None:
    """Raise when a value that a node saved was overwritten after it was saved."""
    plan, saved = node.plan, node.saved
    if plan.listed is not None:
        saved, _ = saved
    for name, value in zip(plan.names, plan.saved_values(saved), strict=True):
        for array in value if isinstance(value, list | tuple) else (value,):
            writer = overwritten_by(array, node.saved_at) if backend.is_array(array) else None
            if writer is not None:
                raise GraphError(
                    f"backward: {plan.operation.name} saved its {name!r} (shape {tuple(array.shape)}) for its "
                    f"derivative, but {writer} has overwritten it since. Call backward before the edit, or edit a "
                    f"copy: tensor.clone().{recorded_at(node)}"
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


def overlaps(first: Any, second: Any) -> bool:
    """Whether two arrays could share elements: one memory, and intervals that meet."""
    if backend.memory_root(first) is not backend.memory_root(second):
        return False
    (low, high), (start, end) = backend.byte_interval(first), backend.byte_interval(second)
    return low < end and start < high
