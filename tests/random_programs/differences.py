"""The differences from PyTorch that docs/differences.md explains, each with a check that it is that one.

PyTorch can be asked for the gradient that belongs to the values an operation saw, whatever was edited later:
`saved_tensors_hooks` that copy what is saved. Where PyTorch raises because of an edit and we don't, ours must be that.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any, NamedTuple
from unittest import mock

import numpy as np

import tinygrad_dl as tg
from tinygrad_dl import autograd, backend, inplace
from tinygrad_dl.errors import ArgumentError, GraphError, TinygradError
from tinygrad_dl.ops import editing

from .replaying import MADE_UNDER_NO_GRAD, STALE, Disagreement, Replay, Side, array_of, dtype_of, interval, sharing
from .writing import Statement

Check = Callable[[Any, list[Statement], Disagreement], bool]
# What PyTorch says.
OVERWRITTEN = "modified by an inplace operation"
DETACHED = "a saved tensor that has been detached in-place"
OVERLAP = "the written-to tensor refer to a single memory location"
NO_VIEW = "view size is not compatible with input tensor's size and stride"
WALKED = "Trying to backward through the graph a second time"
WIDTHS, TYPES = ("bool", "int64", "float32", "float64"), ("Bool", "Long", "Float", "Double")
PARTED_VALUES = ("value", "grad", "what a hook saw")
LOST = (*PARTED_VALUES, "hooks that ran", "how often a hook ran", "raised")  # with a view's old node


class Difference(NamedTuple):
    """A difference on purpose: its name, how its line in docs/differences.md begins, and whether a case is one."""

    name: str
    documented: str
    explains: Check


def is_ours(error: Exception) -> bool:
    """Whether our library raised an error on purpose."""
    return isinstance(error, TinygradError | NotImplementedError)


def replay(torch: Any, statements: list[Statement], theirs: Any = None, ours: Any = None) -> Replay:
    """Both sides running a program; `theirs` and `ours` are options of `Side`."""
    return Replay(statements, Side(torch, **theirs or {}), Side(tg, **ours or {}), is_ours).run()


def explained(torch: Any, replayed: Replay) -> str | None:
    """The name of the difference that the disagreement of a replay is, or None."""
    found = replayed.disagreement
    assert found is not None
    until = [line for i, line in enumerate(replayed.statements[: found.line + 1]) if i not in replayed.raised_lines]
    found = replace(found, line=len(until) - 1)
    return next((known.name for known in DIFFERENCES if known.explains(torch, until, found)), None)


# --- PyTorch on a program that means the same and has none of what differs


def agrees(torch: Any, statements: list[Statement], *rewrites: Callable[[Statement], str], ours: Any = None) -> bool:
    """Whether we agree with PyTorch when it copies all that it saves and reads each line as rewritten."""
    found = parted(torch, statements, *rewrites, ours=ours)
    if found is not None and _raised(found, WALKED):  # what saved nothing can't be freed
        found = parted(torch, statements, *rewrites, retaining, ours=ours)
    return found is None


def parted(torch: Any, statements: list[Statement], *rewrites: Callable[[Statement], str], ours: Any = None) -> Any:
    """Where we part from PyTorch when it copies all that it saves and reads each line as rewritten."""

    def copying(statement: Statement) -> Any:
        return torch.autograd.graph.saved_tensors_hooks(lambda saved: saved.clone(), lambda copy: copy)

    def reads(statement: Statement) -> str:
        for rewrite in (sliced, detached, reading_copies, unversioned, *rewrites):
            statement = replace(statement, source=rewrite(statement))
        return statement.source

    replayed = replay(torch, statements, {"around": copying, "reads": reads}, ours)
    return None if constant(replayed, torch) else replayed.disagreement


def constant(replayed: Replay, torch: Any) -> bool:
    """Whether a replay ends with a gradient that has a graph on one side, by which its own gradient is 0."""
    found, last = replayed.disagreement, replayed.statements[-1]
    if found is None or found.what != "requires_grad and is_leaf" or last.kind != "grad with a graph":
        return False
    if replayed.line < len(replayed.statements) - 1:
        return False
    side, library = (replayed.theirs, torch) if found.theirs[0] else (replayed.ours, tg)
    variables = dict(side.tensors())
    gradient = variables.pop(found.name).sum()
    sources = [tensor for tensor in variables.values() if tensor.requires_grad]
    second = library.autograd.grad(gradient, sources, allow_unused=True)
    return all(part is None or not np.nan_to_num(array_of(part)).any() for part in second)


def sliced(statement: Statement) -> str:
    """A line that takes one part of `split`, with a view of one output instead."""
    found = re.fullmatch(r"(.*)= (\w+)\.split\((\d+), (-?\d+)\)\[(\d)\]", statement.source)
    if found is None:
        return statement.source
    start, of, size, dim, at = found.groups()
    n = f"min({size}, {of}.shape[{dim}] - {size} * {at})"
    return f"{start}= {of}[(*[slice(None)] * ({dim} % {of}.ndim), slice({size} * {at}, {size} * {at} + {n}))]"


def detached(statement: Statement) -> str:
    """A line that makes a view under no_grad, with one that knows nothing of its base."""
    found = re.fullmatch(r"(with lib.no_grad\(\): v\d+ =) (.*)", statement.source)
    if found is None or statement.kind == "leaf":
        return statement.source
    return f"{found[1]} x.detach() if (x := {found[2]})._is_view() and x.is_leaf else x"


def reading_copies(statement: Statement) -> str:
    """An edit that copies what it reads first."""
    if not statement.edited:
        return statement.source
    start, target, rest = statement.source.partition(statement.edited)
    return start + target + re.sub(r"\bv\d+\b", r"\g<0>.clone()", rest)


def retaining(statement: Statement) -> str:
    """A backward pass that keeps its graph."""
    if "_graph=True" not in statement.source and ".grad(" in statement.source:
        return statement.source.replace(")[0]", ", retain_graph=True)[0]")
    if ".backward(" not in statement.source or "retain_graph" in statement.source:
        return statement.source
    start, call, rest = statement.source.rpartition(".backward(")
    return f"{start}{call}{rest[:-1]}{', ' if rest != ')' else ''}retain_graph=True)"


def unversioned(statement: Statement) -> str:
    """An edit outside the graph that PyTorch does not notice, so that it leaves the views of the memory as they are."""
    if not statement.edited or statement.recorded:
        return statement.source
    start, target, rest = statement.source.partition(statement.edited)
    spoken = re.match(r" \S+ ", rest)  # `v += 1`, not `v.add_(1)` or `v[0] = 1`
    return f"{start}data = {target}.data; data{rest}" if spoken else f"{start}{target}.data{rest}"


# --- another way of ours


@contextmanager
def stamping(stamp: Any) -> Any:
    """Another way to note edits, wherever edits are noted."""
    with mock.patch.object(inplace, "stamp", stamp), mock.patch.object(autograd, "stamp", stamp):
        yield


_stamp = inplace.stamp


@contextmanager
def by_whole_memory() -> Any:
    """Notice edits as PyTorch's counter of versions does: each is one of the whole memory."""

    def stamp_all(array: Any, operation: str) -> None:
        _stamp(backend.memory_root(array), operation)

    def share_memory(first: Any, second: Any) -> bool:
        return backend.memory_root(first) is backend.memory_root(second)

    with stamping(stamp_all), mock.patch.object(editing, "overlaps", share_memory):
        yield


# --- the checks


def _raised(disagreement: Disagreement, theirs: str) -> bool:
    """Whether only PyTorch raised, and said so."""
    return disagreement.what == "raised" and disagreement.ours is None and theirs in str(disagreement.theirs)


def _neighbour(torch: Any, statements: list[Statement], disagreement: Disagreement) -> bool:
    if not _raised(disagreement, OVERWRITTEN):
        return False
    coarse = replay(torch, statements, ours={"around": lambda statement: by_whole_memory()})
    return coarse.disagreement is None and agrees(torch, statements)


def _edited(disagreement: Disagreement) -> tuple[str, list[int]]:
    """The dtype and the shape of the saved tensor that was edited, from PyTorch's message."""
    found = re.search(r"\[(?:torch\.|CPU)(\w+?)(?:Tensor|Type) \[([\d, ]*)\]", str(disagreement.theirs))
    return ("", []) if found is None else (found[1], [int(n) for n in found[2].split(",") if n])


def _number(torch: Any, statements: list[Statement], disagreement: Disagreement) -> bool:
    if not _raised(disagreement, OVERWRITTEN) or _edited(disagreement)[1]:
        return False
    return agrees(torch, statements)


def _nothing(torch: Any, statements: list[Statement], disagreement: Disagreement) -> bool:
    if not _raised(disagreement, OVERWRITTEN) or 0 not in _edited(disagreement)[1]:
        return False
    return agrees(torch, statements)


def _converted(torch: Any, statements: list[Statement], disagreement: Disagreement) -> bool:
    if not _raised(disagreement, OVERWRITTEN):
        return False
    widest = max(WIDTHS.index(dtype_of(tensor)) for _, tensor in replay(torch, statements).theirs.tensors())
    return TYPES.index(_edited(disagreement)[0]) < widest and agrees(torch, statements)


def _saves_less(torch: Any, statements: list[Statement], disagreement: Disagreement) -> bool:
    return (_raised(disagreement, WALKED) or _raised(disagreement, OVERWRITTEN)) and agrees(torch, statements)


def _order_in_memory(torch: Any, statements: list[Statement], disagreement: Disagreement) -> bool:
    if not _raised(disagreement, NO_VIEW):
        return False

    def copies(statement: Statement) -> str:
        return re.sub(r"\.view\((.*)\)$", r".reshape(\1).clone()", statement.source)

    return agrees(torch, statements, copies, ours={"reads": copies})


def _data(torch: Any, statements: list[Statement], disagreement: Disagreement) -> bool:
    if not any(statement.data for statement in statements):
        return False
    if disagreement.what in PARTED_VALUES:  # PyTorch computed with the edited value
        return agrees(torch, statements)
    if disagreement.what != "raised" or not isinstance(disagreement.ours, GraphError):
        return False

    def unnoticed(statement: Statement) -> Any:
        return stamping(lambda array, operation: None) if statement.data else nullcontext()

    if "got another array" in str(disagreement.ours):  # noticed by another value
        return True
    again = replay(torch, statements, ours={"around": unnoticed}).disagreement
    return again is None or (again.line == disagreement.line and again.what in PARTED_VALUES)


def _freed_shapes(torch: Any, statements: list[Statement], disagreement: Disagreement) -> bool:
    if disagreement.what != "raised" or disagreement.theirs is not None or "freed" not in str(disagreement.ours):
        return False
    walk = autograd.walk

    def keeping(seeds: Any, recorded: bool, keep: bool, *rest: Any, **named: Any) -> Any:
        return walk(seeds, recorded, True, *rest, **named)

    options = {"around": lambda statement: mock.patch.object(autograd, "walk", keeping)}
    return agrees(torch, [line for line in statements if not line.data], ours=options)


def _several_outputs(torch: Any, statements: list[Statement], disagreement: Disagreement) -> bool:
    # Ours may go on to a variable that is not there, since both sides refused to make it.
    missing = disagreement.what == "raw error" and STALE in str(disagreement.theirs)
    return (missing or _raised(disagreement, STALE)) and agrees(torch, statements)


def _view_under_no_grad(torch: Any, statements: list[Statement], disagreement: Disagreement) -> bool:
    if not any(detached(statement) != statement.source for statement in statements):
        return False
    seen = disagreement.what == "requires_grad and is_leaf" or disagreement.theirs is None
    return (seen or _raised(disagreement, MADE_UNDER_NO_GRAD)) and agrees(torch, statements)


def _overlap(torch: Any, statements: list[Statement], disagreement: Disagreement) -> bool:
    if reading_copies(statements[-1]) == statements[-1].source:
        return False
    return (_raised(disagreement, OVERLAP) or disagreement.what == "value") and agrees(torch, statements)


def _beyond_inputs(torch: Any, statements: list[Statement], disagreement: Disagreement) -> bool:
    if _raised(disagreement, OVERWRITTEN):
        statements_that_stop = statements[-1:]
    elif _raised(disagreement, WALKED):
        statements_that_stop = statements
    else:
        return False
    if not any("inputs=" in statement.source for statement in statements_that_stop):
        return False
    return agrees(torch, without_hooks_on_views(torch, statements), retaining)


def _detached_after_saving(torch: Any, statements: list[Statement], disagreement: Disagreement) -> bool:
    return _raised(disagreement, DETACHED) and agrees(torch, statements)


def _edit_outside(torch: Any, statements: list[Statement], disagreement: Disagreement) -> bool:
    if not any(unversioned(statement) != statement.source for statement in statements):
        return False
    if disagreement.what not in LOST or _raised(disagreement, OVERWRITTEN):
        return False
    if "has overwritten it since" in str(disagreement.ours):  # on a way that PyTorch does not go any more

        def unnoticed(statement: Statement) -> Any:
            outside = unversioned(statement) != statement.source
            return stamping(lambda array, operation: None) if outside else nullcontext()

        return replay(torch, statements, {"reads": unversioned}, {"around": unnoticed}).disagreement is None
    return agrees(torch, statements)


def _constant_gradient(torch: Any, statements: list[Statement], disagreement: Disagreement) -> bool:
    if disagreement.what == "grad" and (disagreement.theirs is None) != (disagreement.ours is None):
        known = disagreement.theirs or disagreement.ours
        return not known[2].any() and any("create_graph" in statement.source for statement in statements)
    return constant(replay(torch, statements), torch)


def _hook_on_edited_view(torch: Any, statements: list[Statement], disagreement: Disagreement) -> bool:
    if disagreement.what not in LOST or not any(statement.recorded for statement in statements):
        return False
    kept = without_hooks_on_views(torch, statements)
    return len(kept) < len(statements) and agrees(torch, kept)


def without_hooks_on_views(torch: Any, statements: list[Statement]) -> list[Statement]:
    """A program that sets no hooks on views."""
    views = {name for name, tensor in replay(torch, statements).theirs.tensors() if tensor._is_view()}
    hooked = [re.search(r"(v\d+)\.register_", statement.source) for statement in statements]
    return [statement for statement, found in zip(statements, hooked) if found is None or found[1] not in views]


def _repeated_memory(torch: Any, statements: list[Statement], disagreement: Disagreement) -> bool:
    if disagreement.what != "raised" or disagreement.theirs is not None:
        return False
    if not isinstance(disagreement.ours, ArgumentError) or "broadcast view" not in str(disagreement.ours):
        return False
    tensors = dict(replay(torch, statements).theirs.tensors())
    repeating = {
        name for name, t in tensors.items() if any(step == 0 and n > 1 for n, step in zip(t.shape, t.stride()))
    }
    spans = {name: interval(tensor) for name, tensor in tensors.items()}
    edited = statements[-1].edited
    return bool(repeating & {edited, *sharing(edited, tensors, spans)})


DIFFERENCES = [
    Difference("numbers of 0-d results", "**0-d results save numbers", _number),
    Difference("an edit of a neighbour", "**Edits are noticed by bytes", _neighbour),
    Difference("an edit of nothing", "**Edits are noticed by bytes", _nothing),
    Difference("backward stops at its inputs", "**`backward(inputs=...)` stops", _beyond_inputs),
    Difference("an operand that was saved converted", "**Operands are saved as converted", _converted),
    Difference("less is saved", "**Less is saved", _saves_less),
    Difference("order in memory", "**Order in memory", _order_in_memory),
    Difference("an edit through .data", "**Edits through `.data`", _data),
    Difference("shapes are freed too", "Operations that save only shapes", _freed_shapes),
    Difference("a view from split, its base edited", "**Parts from `split`", _several_outputs),
    Difference("a view made under no_grad", "**Views made under `no_grad`", _view_under_no_grad),
    Difference("an edit reads what it writes", "**Edits may read", _overlap),
    Difference("detach_ of what was saved", "**`detach_`", _detached_after_saving),
    Difference("a view whose memory was edited outside the graph", "**Edits outside the graph", _edit_outside),
    Difference("a constant gradient", "**A constant gradient", _constant_gradient),
    Difference("a hook on a view that was edited", "**Hooks on views", _hook_on_edited_view),
    Difference("a write into a broadcast view", "Broadcast views", _repeated_memory),
]
