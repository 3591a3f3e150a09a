"""How a derivation says things: what values, gradients and results are called, as symbols and in numbers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import GraphError
from ..observing import ObservedNode
from .bump import Bump
from .folding import Layer, layers_of
from .formula import Barred, Differential, Formula, Group, Name, Raised, Word, derivative
from .history import LEAF, RESULT, Argument, History, Value
from .lines import Line, line_of
from .reading import Reader, argument_name, count_of_mean, host, nameless
from .simplify import simplify
from .symbol import Symbol
from .tree import decided, key, substitute
from .words import words_in
from .writing import number

End = tuple[Value, int | None]  # what a gradient goes to: a value, or one of its outputs


@dataclass(frozen=True)
class Style:
    """What a derivation shows, and how: the options of `explain`."""

    notation: str = "chain"
    per_example: bool = False
    letters: bool = True
    digits: int = 5
    fold: bool | int = True
    language: str | None = None


class Narrator:
    """A traced history with a name for everything in it, in the style that was asked for."""

    def __init__(self, history: History, also: list[ObservedNode], style: Style, bump: Bump | None) -> None:
        self.words, self.style, self.root, self._bump = words_in(style.language), style, history.roots[0], bump
        self.layers: dict[Value, Layer] = layers_of(history, style.fold)
        self.hidden = {value for value, layer in self.layers.items() if value in layer.hidden}
        folded = set() if style.letters else nameless(history) - self.layers.keys()
        history.name_all(folded)
        self.values, self.branches = history.values, history.branches(also)
        self._taken = {str(value.name) for value in [*self.values, *self.branches] if value.name}
        self.reader = Reader(folded, self._taken)
        self._known, self.used = self._named_expressions(), set[str]()
        self.formulas = self._written_names()
        self.exact = _single_numbers([*self.branches, *self.values])
        self.numbers = {name: self.single(value) for name, value in self.exact.items()}
        self.examples = count_of_mean(self.root)
        if style.per_example and self.examples is None:
            raise GraphError(
                "explain: per_example needs a loss that is a mean over examples, this one was made by "
                f"{self.root.operation.name}"
            )
        self.factor = self.examples if style.per_example and self.examples else 1  # of what J's gradients are shown

    def _named_expressions(self) -> dict[Any, str]:
        """Names for what was computed, so that a rule's sigmoid(Z) is written A, even if A leads nowhere else."""
        found = {}
        for value in [*self.values, *self.branches]:
            if (
                value.kind == RESULT
                and value.name
                and not isinstance(value.array, tuple)
                and value not in self.reader.folded
                and value not in self.hidden
            ):
                found[key(simplify(self.reader.expression(value)))] = str(value.name)
        return found

    def _written_names(self) -> dict[str, Formula]:
        """How the symbols of gradients are written."""
        found: dict[str, Formula] = {}
        for value in self.values:
            if value.name:
                arrays = value.array if isinstance(value.array, tuple) else ()
                for i, _ in enumerate(arrays):
                    found[f"{gradient_key(value)}[{i}]"] = self.gradient(value, i)
                found[gradient_key(value)] = self.gradient(value)
        return found

    def line(self, phase: str, name: str, left: Formula, sides: list[list[Formula]], value: Any) -> Line:
        """A line, without the columns that are empty."""
        value = value if isinstance(value, tuple) else host(value)
        sides = [sides[0], *(side for side in sides[1:] if side)]
        return line_of(phase, name, left, sides, value, self.style.digits, self.words["summary"])

    def flowing(self) -> list[Value]:
        """The results that a gradient came to, but for those that are written out elsewhere."""
        return [v for v in self.values if v.kind == RESULT and v.gradient is not None and v not in self.reader.folded]

    def gradient(self, value: Value, output: int | None = None) -> Formula:
        """dJ/db, db or b̄."""
        name, notation = name_formula(value, output), self.style.notation
        if notation == "bar":
            return Barred(name)
        if notation == "d" and f"d{value.name}" not in self._taken:  # else a variable of the program has that name
            return Differential(name)
        return derivative(name_formula(self.root), name)

    def named(self, formula: Symbol) -> Symbol:
        """A formula, simplified, with names for what was computed in the forward."""
        named: Symbol = substitute(simplify(formula), self._known)
        self.used |= named.names()
        return named

    def in_numbers(self, tree: Symbol, known: Mapping[str, Formula] | None = None) -> Formula | None:
        """A formula with numbers for names; None when one of them is no single number."""
        known = self.numbers if known is None else known
        return self.with_numbers(tree).formula(known) if tree.names() <= known.keys() else None

    def with_numbers(self, tree: Symbol) -> Symbol:
        """The tree as it is written in numbers."""
        found: Symbol = decided(simplify(tree), self.exact)
        return found

    def single(self, array: Any) -> Formula:
        """A number, with the digits that were asked for."""
        return number(float(array), self.style.digits)

    def bumped(self, line: Line, target: Value) -> Line:
        """The line of a leaf with what the bump test found."""
        if self._bump is not None and target.kind == LEAF:
            line.note = self._bump.note(target, line.value, str(self.root.name), self.words, self.style.digits)
        return line


def marks_of(arguments: list[Argument]) -> list[str]:
    """1, 2 at arguments that are the same value, so that both paths of a·a have a name."""
    count: dict[str, int] = {}
    names = [argument_name(argument) for argument in arguments]
    marks = []
    for name in names:
        count[name] = count.get(name, 0) + 1
        marks.append(str(count[name]) if names.count(name) > 1 else "")
    return marks


_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def argument_formula(argument: Argument, mark: str) -> Formula:
    """The name of an argument, with the number of the path where it has several."""
    name = Name(argument_name(argument))
    return Raised(name, Group("(", Word(mark), ")"), f"⁽{mark.translate(_RAISED)}⁾") if mark else name


def name_formula(value: Value, output: int | None = None) -> Formula:
    """The name of a value, or of one of its outputs."""
    return Name(str(value.name) + ("" if output is None else f"[{output}]"))


def end_of(argument: Argument) -> End:
    """Where a path out of an operation leads."""
    assert argument.value is not None
    return argument.value, argument.output


def gradient_key(value: Value) -> str:
    """The name of a gradient's symbol, which no variable of a program has."""
    return f"gradient of {value.name}"


def constant_like(number: float, value: Value) -> Symbol:
    """A number in the place of a value."""
    return constant_of(number, value.array)


def constant_of(number: float, array: Any) -> Symbol:
    """A number in the place of an array."""
    return Symbol.number(number, array.shape, array.dtype)


def times(gradient: Any, factor: float) -> Any:
    """A gradient, or the several of an operation with several outputs, times a number."""
    if factor == 1:
        return gradient
    return tuple([part * factor for part in gradient]) if isinstance(gradient, tuple) else gradient * factor


def _single_numbers(values: Iterable[Value]) -> dict[str, float]:
    """The values that are single numbers, by name."""
    named = [v for v in values if v.name and not isinstance(v.array, tuple) and v.array.ndim == 0]
    return {str(value.name): float(value.array.item()) for value in named}
