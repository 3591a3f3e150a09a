"""The derivation of a result as the notes write it: named local derivatives, then symbols, then numbers.

Every line is read off the rules that ran: with Symbols for the formulas, with the arrays of the trace for the numbers.
"""

from collections.abc import Iterator
from typing import Any

from ..errors import ArgumentError, nearest
from .along import Along
from .backprop import Backprop
from .formula import Name, ascii_of
from .history import RESULT
from .layout import Section, as_html, as_latex, as_markdown, as_text
from .lines import BACKWARD, FORWARD, PATHS, Line
from .narrator import Narrator
from .words import language_of


class Derivation:
    """A derivation: `str()` gives its text, `.lines` its lines, `derivation["dJ/db"]` the value of a line.

    `.text()`, `.markdown()`, `.latex()` and `.html()` write it; a notebook shows it by itself.
    """

    def __init__(self, said: Narrator, wrt: Any = None) -> None:
        self._said = said
        backward = list(Backprop(said).lines() if wrt is None else Along(said).lines(wrt))
        self.lines = [*_forward(said), *backward]  # which results the forward shows depends on what the backward used

    # --- reading and showing it

    def __getitem__(self, name: str) -> Any:
        """The value of a line by what it defines: `derivation["u"]`, `derivation["dJ/db"]`. Raises ArgumentError."""
        for line in self.lines:
            if line.name == name:
                return line.value.item() if line.value.ndim == 0 else line.value
        names = [line.name for line in self.lines]
        raise ArgumentError(
            f"derivation: there is no line for {name!r}; there are {', '.join(names)}.{nearest(name, names)}"
        )

    def text(self, *, ascii: bool = False, shapes: bool = False) -> str:
        """The derivation as text in columns: Unicode, or ASCII on request; `shapes` puts shapes behind all names."""
        return as_text(self._sections(), shapes, ascii_of if ascii else str)

    def markdown(self, *, shapes: bool = False) -> str:
        """The derivation as Markdown with formulas between double dollars."""
        return as_markdown(self._sections(), shapes)

    def latex(self, *, shapes: bool = False) -> str:
        """The derivation as LaTeX, for a document that loads amsmath; `shapes` puts shapes under the names."""
        return as_latex(self._sections(), shapes)

    def html(self, *, shapes: bool = True) -> str:
        """The derivation as HTML with MathML, to stand within a page; shapes stand under the names of arrays."""
        return as_html(self._sections(), shapes, language_of(self._said.words))

    def _sections(self) -> list[Section]:
        sections = []
        for phase in (FORWARD, BACKWARD, PATHS):
            lines = [line for line in self.lines if line.phase == phase]
            if lines:
                sections.append((self._said.words[phase], "" if phase == FORWARD else self._remark(), lines))
        return sections

    def _remark(self) -> str:
        """Which gradient a network's dZ is: of J, or of one example's loss."""
        if self._said.style.notation == "chain" or not self._said.examples or self._said.examples == 1:
            return ""
        return self._said.words["per example" if self._said.factor > 1 else "of the mean"].format(
            count=self._said.examples, root=self._said.root.name
        )

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return self.html()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": self.html()}


def _forward(said: Narrator) -> Iterator[Line]:
    """Each step of the forward."""
    shown = [v for v in said.values if v.kind == RESULT and v not in said.reader.folded and v not in said.hidden]
    shown += [value for value in said.branches if value.name in said.used]
    for value in sorted(shown, key=lambda value: value.node.order):
        layer, numbers = said.layers.get(value), None
        if layer is None:
            tree = said.reader.expression(value)
            formula, numbers = tree.formula(said.formulas), said.in_numbers(tree)
        else:
            formula = layer.forward(value)
        sides = [[formula], [] if numbers is None or isinstance(value.array, tuple) else [numbers]]
        left = Name(str(value.name), () if isinstance(value.array, tuple) else tuple(value.array.shape))
        yield said.line(FORWARD, left.name, left, sides, value.array)
