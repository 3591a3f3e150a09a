"""Runs a program on PyTorch and on tinygrad_dl side by side and compares what can be seen after each line."""

from __future__ import annotations

import types
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from .writing import Statement

WILD = 1e6  # larger values, infinities and NaN end the comparison of values
# What PyTorch says of a view from an operation with several outputs, or made under no_grad, after an edit of its base.
STALE = "This view is the output of a function that returns multiple views"
MADE_UNDER_NO_GRAD = "A view was created in no_grad mode and its base"

BUG_IN_PYTORCH = "ZeroTensors are immutable"  # the gradient of abs can't be added to


@lru_cache(maxsize=64)
def compiled(source: str) -> types.CodeType:
    return compile(source, "<program>", "exec")


class Side:
    """One library with the variables of a program: lines run `around` a context, as `reads` spells them."""

    def __init__(
        self,
        library: Any,
        around: Callable[[Statement], Any] = lambda statement: nullcontext(),
        reads: Callable[[Statement], str] = lambda statement: statement.source,
    ) -> None:
        self.around, self.reads = around, reads
        self.seen: dict[str, list[Any]] = {}  # what hooks saw, by their names
        self.variables: dict[str, Any] = {}
        self.globals: dict[str, Any] = {"lib": library, "see": self.see}

    def see(self, name: str, gradient: Any) -> None:
        self.seen.setdefault(name, []).append(described(gradient))

    def run(self, statement: Statement) -> Exception | None:
        """Run a line; the error that it raised, or None."""
        try:
            with self.around(statement):
                exec(compiled(self.reads(statement)), self.globals, self.variables)
        except Exception as error:
            return error.with_traceback(None)
        return None

    def tensors(self) -> Iterator[tuple[str, Any]]:
        return ((name, value) for name, value in self.variables.items() if name[0] == "v")


def described(tensor: Any) -> Any:
    """A tensor's dtype, shape and values, which later edits don't change."""
    return None if tensor is None else (dtype_of(tensor), tuple(tensor.shape), array_of(tensor).copy())


def dtype_of(tensor: Any) -> str:
    return str(tensor.dtype).rpartition(".")[2]


def array_of(tensor: Any) -> np.ndarray:
    return tensor.detach().numpy(force=True)


def interval(tensor: Any) -> tuple[int, int]:
    """The bytes from a tensor's first element to its last; (0, 0) of an empty one."""
    if not tensor.numel():
        return 0, 0
    start = tensor.data_ptr()
    steps = sum((n - 1) * step for n, step in zip(tensor.shape, tensor.stride()))
    return start, start + (steps + 1) * tensor.element_size()


def elements(tensor: Any) -> set[int]:
    """The addresses of all elements."""
    places = np.full((), tensor.data_ptr())
    for n, step in zip(tensor.shape, tensor.stride()):
        places = places[..., None] + np.arange(n) * (step * tensor.element_size())
    return set(places.ravel().tolist())


def sharing(name: str, tensors: dict[str, Any], spans: dict[str, tuple[int, int]]) -> list[str]:
    """The other tensors that share elements with the one of a name; `spans` are their intervals."""
    low, high = spans[name]
    near = [other for other, (start, end) in spans.items() if other != name and max(low, start) < min(high, end)]
    if not near:
        return []
    mine = elements(tensors[name])
    return sorted(other for other in near if mine & elements(tensors[other]))


# --- comparison


@dataclass(frozen=True)
class Disagreement:
    """Where the two sides part: after which line, in what, and what each has."""

    line: int
    what: str
    name: str
    theirs: Any
    ours: Any

    def __str__(self) -> str:
        return f"{self.what} of {self.name or 'the line'}: PyTorch {shown(self.theirs)}, here {shown(self.ours)}"


def shown(value: Any) -> str:
    if isinstance(value, Exception):
        return f"raises {type(value).__name__}: {' '.join(str(value).split())[:300]}"
    if isinstance(value, np.ndarray):
        return f"{value.tolist()}"
    if isinstance(value, tuple) and len(value) == 3 and isinstance(value[2], np.ndarray):
        return f"{value[0]}{list(value[1])} {value[2].tolist()}"
    return repr(value)


class Unknowable(Exception):
    """PyTorch failed for a reason of its own, so nothing can be said of the rest of the program."""


class Parted(Exception):
    """The two sides do not agree in (what, name, theirs, ours)."""


@dataclass
class Replay:
    """Both sides running one program. `disagreement` is set when they part, and the program ends there."""

    statements: list[Statement]
    theirs: Side
    ours: Side
    is_ours: Callable[[Exception], bool]  # whether an error is one that our library raises on purpose
    disagreement: Disagreement | None = None
    ran: Counter[str] = field(default_factory=Counter)
    raised: Counter[str] = field(default_factory=Counter)
    through_edited_view: bool = False
    raised_lines: set[int] = field(default_factory=set)
    wild: bool = False
    loose: bool = False  # float32 has been seen
    line: int = 0

    def run(self) -> Replay:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                self._run()
            except Parted as parted:
                self.disagreement = Disagreement(self.line, *parted.args)
            except Unknowable:
                pass
            except Exception as error:  # a tensor that can't be looked at
                self.disagreement = Disagreement(self.line, "broken tensor", "", None, error)
        return self

    def _run(self) -> None:
        for line, statement in enumerate(self.statements):
            self.line = line
            before = set(self.theirs.variables)
            theirs, ours = self.theirs.run(statement), self.ours.run(statement)
            self._compare_errors(theirs, ours)
            if theirs is not None:
                self.raised_lines.add(self.line)
                if isinstance(theirs, NameError):  # of a line that made nothing
                    continue
                self.raised[statement.kind] += 1
                if statement.walks:  # it may have left gradients half way
                    return
                continue
            self.ran[statement.kind] += 1
            new = set(self.theirs.variables) - before
            for name, tensor in self.theirs.tensors():
                if statement.reaches or name in new:
                    self._compare(name, tensor, self.ours.variables[name])
            self._compare_memory(new)
            if statement.walks:
                self._compare_gradients()
            elif statement.edited:
                self._watch_edit(self.theirs.variables[statement.edited])
        self._compare_memory({name for name, _ in self.theirs.tensors()})

    def _compare_errors(self, theirs: Exception | None, ours: Exception | None) -> None:
        if BUG_IN_PYTORCH in str(theirs):
            raise Unknowable
        if (theirs is None) != (ours is None):
            raise Parted("raised", "", theirs, ours)
        slip = type(theirs) is type(ours) and str(theirs) == str(ours)  # of the program: an unknown name, no gradient
        if ours is not None and not slip and not self.is_ours(ours):
            raise Parted("raw error", "", theirs, ours)

    def _compare(self, name: str, theirs: Any, ours: Any) -> None:
        for what, see in (("dtype", dtype_of), ("shape", lambda tensor: tuple(tensor.shape))):
            if see(theirs) != see(ours):
                raise Parted(what, name, see(theirs), see(ours))
        self._compare_values("value", name, array_of(theirs), array_of(ours))
        try:
            place = theirs.requires_grad, theirs.is_leaf
        except RuntimeError as error:  # PyTorch won't say
            if STALE in str(error) or MADE_UNDER_NO_GRAD in str(error):
                return
            raise
        if place == (True, True) and theirs._is_view() and theirs._base.requires_grad:
            place = False, True  # made under no_grad: it says what its base says
        if place != (ours.requires_grad, ours.is_leaf):
            raise Parted("requires_grad and is_leaf", name, place, (ours.requires_grad, ours.is_leaf))

    def _compare_values(self, what: str, name: str, theirs: np.ndarray, ours: np.ndarray) -> None:
        if theirs.dtype.kind != "f":
            if not self.wild and not np.array_equal(theirs, ours):
                raise Parted(what, name, theirs.copy(), ours.copy())
            return
        self.loose |= theirs.dtype == np.float32
        size = float(np.abs(theirs).max(initial=0.0))
        self.wild |= not size < WILD
        tolerance = (1e-3 if self.loose else 1e-9) * (1 + size)
        if not self.wild and not (np.abs(theirs - ours) <= tolerance).all():
            raise Parted(what, name, theirs.copy(), ours.copy())

    def _compare_memory(self, names: set[str]) -> None:
        """With which other variables each of these shares memory."""
        names = {name for name in names if name[0] == "v"}
        if not names:
            return
        tensors = [dict(side.tensors()) for side in (self.theirs, self.ours)]
        spans = [{name: interval(tensor) for name, tensor in known.items()} for known in tensors]
        for name in names:
            expected, found = (sharing(name, *known) for known in zip(tensors, spans))
            if expected != found:
                raise Parted("sharing", name, expected, found)

    def _compare_gradients(self) -> None:
        for name, theirs in self.theirs.tensors():
            try:
                keeps = theirs.is_leaf or theirs.retains_grad
            except RuntimeError:
                continue
            ours = self.ours.variables[name]
            if theirs.retains_grad != ours.retains_grad:
                raise Parted("retains_grad", name, theirs.retains_grad, ours.retains_grad)
            if keeps:
                self._compare_tensors("grad", name, described(theirs.grad), described(ours.grad))
        self._compare_sharing_of_gradients()
        if self.theirs.seen.keys() != self.ours.seen.keys():
            raise Parted("hooks that ran", "", sorted(self.theirs.seen), sorted(self.ours.seen))
        for name, expected in self.theirs.seen.items():
            found = self.ours.seen[name]
            if len(expected) != len(found):
                raise Parted("how often a hook ran", name, len(expected), len(found))
            for one, other in zip(expected, found):
                self._compare_tensors("what a hook saw", name, one, other)

    def _compare_tensors(self, what: str, name: str, theirs: Any, ours: Any) -> None:
        if theirs is None or ours is None or theirs[:2] != ours[:2]:
            if (theirs is None) != (ours is None) or theirs is not ours:
                raise Parted(what, name, theirs, ours)
            return
        self._compare_values(what, name, theirs[2], ours[2])

    def _compare_sharing_of_gradients(self) -> None:
        """No gradient of ours may share memory with another one, or with a variable."""
        tensors = dict(self.ours.tensors())
        owners = {id(t): t for t in tensors.values() if (t.is_leaf or t.retains_grad) and t.grad is not None}
        gradients = {f"{i}.grad": t.grad for i, t in owners.items()}
        tensors |= gradients
        spans = {name: interval(tensor) for name, tensor in tensors.items()}
        if any(sharing(name, tensors, spans) for name in gradients):
            raise Parted("memory of .grad", "", "of its own", "shared with another gradient or variable")

    def _watch_edit(self, edited: Any) -> None:
        """Notice when a walk passes an edit through a view, or a view whose base was edited."""
        if not edited.requires_grad:
            return

        def passed(*_: Any) -> None:
            self.through_edited_view = True

        views = [t for _, t in self.theirs.tensors() if t._base is edited]
        for tensor in [edited._base] if edited._is_view() else views:
            try:
                node = tensor.grad_fn
            except RuntimeError:
                continue
            if node is not None:
                node.register_hook(passed)
