"""Where a rule finds its arrays: big parameters in blocks that fit the cache, small ones end to end in a flat array.

Most rules are elementwise, so neither changes a bit of the result; another one gets each parameter whole. Blocks spare
trips to memory between the functions of a rule; a flat array makes one call of fifty. Parameters keep their arrays and
are copied in and out, since users replace and share them; the state is the optimizer's own and lives in the flat array.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any, NamedTuple, Protocol

import numpy as np

from tinygrad_dl.backend import CACHE_LINE, Array, aligned_zeros, array_module, byte_interval, device_of, owner
from tinygrad_dl.dtypes import float64, get_default_dtype
from tinygrad_dl.inplace import stamp_all
from tinygrad_dl.tensor import Tensor

BLOCK = 50_000  # elements: enough that calls cost little, and a second-level cache holds most of a rule's arrays
SMALL = 2_048  # elements up to which copying in and out costs less than calling a rule's functions once more on the CPU

Scratch = dict[Any, Any]  # memory that is used again


class Rule(Protocol):
    """What an optimizer does with the arrays that it is handed."""

    elementwise: bool

    def pack_from(self, options: dict[str, Any]) -> int:
        """From how many small parameters on copying them together costs less than calling the rule for each."""

    def update(
        self, w: Array, g: Array, state: dict[str, Any], options: dict[str, Any], scratch: tuple[Array, Array]
    ) -> None:
        """Write the new values."""

    def advance(self, numbers: dict[str, float], options: dict[str, Any]) -> None:
        """Write the new numbers."""


class Entry(NamedTuple):
    """A parameter's array, and the tensors of its state: arrays, and single numbers. `new` at its first step."""

    array: Array
    state: dict[str, Tensor]
    numbers: dict[str, Tensor]
    new: bool

    def kind(self) -> tuple[Any, ...]:
        """What parameters must have in common to be updated by one call."""
        numbers = tuple(number.item() for number in self.numbers.values())
        return self.array.dtype, device_of(self.array), numbers, self.new


class Layout:
    """The arrays that a step of one group writes, as its rule gets them. It holds for as long as these arrays do."""

    def __init__(self, entries: Sequence[Entry], scratch: Scratch, rule: Rule, options: dict[str, Any]) -> None:
        self.new = any(entry.new for entry in entries)
        self.held: list[Array] = []  # by which the optimizer knows whether it still holds
        self.parts: list[_Alone | _Pack] = []
        shared = _sharing_memory([entry.array for entry in entries])
        packs: dict[tuple[Any, ...], list[int]] = {}
        alone: list[int] = []
        for position, entry in enumerate(entries):
            small = SMALL if array_module(entry.array) is np else BLOCK  # a GPU's calls cost as much as a long copy
            if rule.elementwise and entry.array.size <= small and position not in shared:
                packs.setdefault(entry.kind(), []).append(position)
            else:
                alone.append(position)
        for positions in packs.values():
            on_cpu = array_module(entries[positions[0]].array) is np
            if len(positions) < (rule.pack_from(options) if on_cpu else 2):
                alone += positions
            else:
                self.parts.append(_Pack(positions, [entries[position] for position in positions]))
        self.parts += [_Alone(position, entries[position], scratch, rule.elementwise) for position in sorted(alone)]
        self.plain = [part.plain() for part in self.parts if isinstance(part, _Alone) and part.is_plain()]
        self.others = [part for part in self.parts if isinstance(part, _Pack) or not part.is_plain()]
        self.counted = [part for part in self.parts if isinstance(part, _Pack) and part.numbers]
        self.written = [array for part in self.parts for array in part.written]

    def in_step(self) -> bool:
        """Whether parameters that share a call still have the same numbers: a user may have set one's `step`."""
        return not self.counted or all(part.in_step() for part in self.counted)

    def run(self, rule: Rule, gradients: list[Array], options: dict[str, Any], operation: str) -> None:
        """Update all parameters; `gradients` in the order of the entries."""
        stamp_all(self.written, operation)  # before writing: what a rule has written when it fails is known too
        update = rule.update
        for position, w, state, scratch in self.plain:
            update(w, gradients[position], state, options, scratch)
        for part in self.others:
            part.run(rule, gradients, options)


class _Alone:
    """A parameter that is updated where it lies: in blocks on the CPU, where calls are cheap and the cache is small."""

    def __init__(self, position: int, entry: Entry, scratch: Scratch, elementwise: bool) -> None:
        w = entry.array
        arrays = {name: tensor.array for name, tensor in entry.state.items()}
        self.position = position
        self.numbers = {name: tensor.array for name, tensor in entry.numbers.items()}
        self.written = [w, *map(owner, arrays.values()), *self.numbers.values()]
        self.places: list[slice] | None = None  # of the blocks; None for one that is the whole parameter as it is
        places: list[Any] = [...]
        in_blocks = elementwise and w.size > BLOCK and array_module(w) is np
        if in_blocks and all(x.flags.c_contiguous for x in [w, *arrays.values()]):
            length = -(-w.size // -(-w.size // BLOCK))  # equal blocks: a short one at the end costs as many calls
            length = -(-length // CACHE_LINE) * CACHE_LINE  # and each begins where the state and a line do
            self.places = places = [slice(start, start + length) for start in range(0, w.size, length)]
            w, arrays = w.reshape(-1), {name: array.reshape(-1) for name, array in arrays.items()}
        spare = _scratch_like(w, w[places[0]].size, scratch)
        self.blocks = []
        for here in places:
            block = w[here]
            state: dict[str, Any] = {name: array[here] for name, array in arrays.items()}
            pair = (spare[0][: block.size].reshape(block.shape), spare[1][: block.size].reshape(block.shape))
            self.blocks.append((block, {**state, "new": entry.new}, pair))

    def is_plain(self) -> bool:
        """Whether one call of the rule is all: no blocks, no numbers."""
        return self.places is None and not self.numbers

    def plain(self) -> tuple[int, Array, dict[str, Any], tuple[Array, Array]]:
        """What that call needs."""
        return self.position, *self.blocks[0]

    def run(self, rule: Rule, gradients: list[Array], options: dict[str, Any]) -> None:
        """Update the parameter."""
        g = gradients[self.position]
        numbers = _advanced(self.numbers, rule, options) if self.numbers else None
        parts = (g,) if self.places is None else map(g.reshape(-1).__getitem__, self.places)
        for (w, state, scratch), part in zip(self.blocks, parts):
            if numbers:
                state.update(numbers)
            rule.update(w, part, state, options, scratch)


class _Pack:
    """Small parameters that are updated by one call on flat arrays, in which they lie end to end."""

    def __init__(self, positions: list[int], entries: list[Entry]) -> None:
        self.positions = positions
        self.arrays = [entry.array for entry in entries]
        ends = list(accumulate((array.size for array in self.arrays), initial=0))
        like = self.arrays[0]
        self.w, self.g, *scratch = (aligned_zeros(like, (ends[-1],)) for _ in range(4))
        self.scratch = (scratch[0], scratch[1])
        self.views = [
            self.w[start:end].reshape(array.shape) for (start, end), array in zip(pairwise(ends), self.arrays)
        ]
        self.state: dict[str, Any] = {"new": entries[0].new}
        for name in entries[0].state:
            flat = self.state[name] = aligned_zeros(like, (ends[-1],))
            _move_in([entry.state[name] for entry in entries], flat, ends)
        self.numbers: dict[str, Array] = {}
        for name in entries[0].numbers:
            flat = self.numbers[name] = np.zeros(len(entries), step_dtype())
            _move_in([entry.numbers[name] for entry in entries], flat, range(len(entries) + 1))
        state = [owner(self.state[name]) for name in entries[0].state]
        self.written = [*self.arrays, *state, *self.numbers.values()]

    def in_step(self) -> bool:
        """Whether all numbers of a name are still one."""
        return all(len({*numbers.tolist()}) == 1 for numbers in self.numbers.values())

    def run(self, rule: Rule, gradients: list[Array], options: dict[str, Any]) -> None:
        """Update the parameters."""
        np.concatenate(self.arrays, axis=None, out=self.w)
        np.concatenate([gradients[position] for position in self.positions], axis=None, out=self.g)
        if self.numbers:
            self.state.update(_advanced(self.numbers, rule, options))
        rule.update(self.w, self.g, self.state, options, self.scratch)
        for array, view in zip(self.arrays, self.views):
            array[...] = view


def _advanced(held: dict[str, Array], rule: Rule, options: dict[str, Any]) -> dict[str, float]:
    """The numbers of this step, which are also written to where they are kept; the rule gets them as they are there."""
    numbers = {name: array.item(0) for name, array in held.items()}
    rule.advance(numbers, options)
    for name, array in held.items():
        array.fill(numbers[name])
        numbers[name] = array.item(0)
    return numbers


def step_dtype() -> Any:
    """NumPy's dtype of the counts of steps, as in PyTorch: a floating dtype, that of the default but not float16."""
    return np.float64 if get_default_dtype() is float64 else np.float32


def _move_in(tensors: list[Tensor], flat: Array, ends: Sequence[int]) -> None:
    """Let the tensors of the state be views of a flat array, with their values."""
    for tensor, (start, end) in zip(tensors, pairwise(ends)):
        view = flat[start:end].reshape(tensor.array.shape)
        view[...] = tensor.array
        tensor.array = view


def _scratch_like(array: Array, size: int, scratch: Scratch) -> tuple[Array, Array]:
    """Two flat arrays for a rule's intermediate values, shared by all parameters of a dtype and device."""
    key = array.dtype, device_of(array)
    if key not in scratch or scratch[key][0].size < size:
        scratch[key] = (aligned_zeros(array, (size,)), aligned_zeros(array, (size,)))
    return scratch[key]


def _sharing_memory(arrays: Sequence[Array]) -> set[int]:
    """The positions of arrays whose memory meets another's: each must see what was written for the one before."""
    intervals = sorted((*byte_interval(array), position) for position, array in enumerate(arrays))
    return {position for pair in _meeting(intervals) for position in pair}


def _meeting(intervals: list[tuple[int, int, int]]) -> Iterator[tuple[int, int]]:
    """Pairs of positions whose intervals (low, high, position), sorted, meet: each with the one reaching furthest."""
    furthest = intervals[0]
    for interval in intervals[1:]:
        if interval[0] < furthest[1]:
            yield furthest[2], interval[2]
        furthest = max(furthest, interval, key=lambda one: one[1])
