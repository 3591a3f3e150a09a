"""Layers: the operations of one call of a module, which a derivation shows as one step."""

from collections.abc import Iterable
from itertools import groupby

from .formula import Formula, Group, Name, Number, Row, Word, joined
from .history import CONSTANT, RESULT, History, Value


class Layer:
    """Operations that follow each other within a module; `hidden` are those whose results are used there only."""

    def __init__(self, path: str, members: list[Value], outputs: list[Value]) -> None:
        self.path, self.members, self.outputs = path, members, outputs
        self.hidden = frozenset(members) - frozenset(outputs)

    def forward(self, output: Value) -> Formula:
        """What a result of the layer is: the module applied to what came from outside."""
        inside = frozenset(self.members)
        given = [value for member in self.members for value in member.inputs if value not in inside]
        shown = [value for value in dict.fromkeys(given) if not self._is_own(value)]
        call = self._call(Word(self.path), [Name(str(value.name)) for value in shown])
        if len(self.outputs) == 1:
            return call
        return Row((call, Group("[", Number(str(self.outputs.index(output))), "]")))

    def backward(self, gradients: list[Formula]) -> Formula:
        """What the layer sends to all that came in, as a call."""
        return self._call(Word(f"{self.path}.backward"), gradients)

    def _call(self, function: Formula, arguments: list[Formula]) -> Formula:
        return Row((function, Group("(", joined(arguments, ", ") if arguments else Row(()), ")")))

    def _is_own(self, value: Value) -> bool:
        """Whether a value is the module's own parameter or a constant that it made."""
        name = value.name or ""
        return name.startswith((f"{self.path}.", f"{self.path}[")) or (value.kind == CONSTANT and not name)


def layers_of(history: History, fold: bool | int) -> dict[Value, Layer]:
    """The layer that each operation belongs to, where there is something to fold.

    `fold` is True for the innermost modules, or how deep modules are looked at.
    """
    if fold is False:
        return {}
    results = [value for value in history.values if value.kind == RESULT]
    around = {value: _paths(value) for value in results}
    containers = {path for paths in around.values() for path in paths[:-1]}
    users = _users(results)
    found: dict[Value, Layer] = {}
    for path, run in groupby(results, lambda value: _layer_path(around[value], fold, containers)):
        members = list(run)
        if path is not None:
            layer = _layer(path, members, users, history.roots)
            found |= dict.fromkeys(members, layer) if layer is not None else {}
    return found


def _paths(value: Value) -> tuple[str, ...]:
    return tuple([path for path, _ in value.record.modules]) if value.record is not None else ()


def _layer_path(paths: tuple[str, ...], fold: bool | int, containers: set[str]) -> str | None:
    if not paths:
        return None
    if fold is True:
        return None if paths[-1] in containers else paths[-1]
    return paths[: int(fold)][-1]


def _users(results: Iterable[Value]) -> dict[Value, list[Value]]:
    users: dict[Value, list[Value]] = {}
    for value in results:
        for given in value.inputs:
            users.setdefault(given, []).append(value)
    return users


def _layer(path: str, members: list[Value], users: dict[Value, list[Value]], roots: list[Value]) -> Layer | None:
    """A layer, or None where nothing could be left out, or where a result is used both inside and outside."""
    inside = frozenset(members)
    outputs = [value for value in members if value in roots or not inside.issuperset(users.get(value, ()))]
    both = any(inside.intersection(users.get(value, ())) for value in outputs)
    if both or len(outputs) == len(members) or any(value in roots for value in members):
        return None
    return Layer(path, members, outputs)
