"""The lines that a derivation is made of, and the terms that a gradient's line sums."""

from dataclasses import dataclass, field
from typing import Any

from .arrays import aligned_cells, matrix_cells, summary
from .formula import Formula, Group, Number, Quotient, Row, Sign, added
from .reading import host
from .writing import number

FORWARD, BACKWARD, PATHS = "Forward", "Backward", "Paths"


@dataclass
class Line:
    """One line: what it defines, what that is equal to, column by column, and the number or array that it comes to."""

    phase: str
    name: str  # as `derivation[name]` finds it
    left: Formula
    sides: list[list[Formula]]  # in each column what follows a sign of equality; the first column is the left side's
    value: Any
    shape: tuple[int, ...] = ()
    cells: list[list[str]] | None = None  # of a small vector or matrix
    told: str = ""  # of a large array, or of several outputs
    note: str = ""

    @property
    def columns(self) -> list[str]:
        """The line as text, column by column; the rows of a matrix are its `block`."""
        return self.written()

    @property
    def text(self) -> str:
        """The line without alignment."""
        return "  ".join(self.columns)

    @property
    def block(self) -> list[str]:
        """The rows of a small matrix."""
        return [] if self.cells is None or len(self.cells) == 1 else aligned_cells(self.cells)

    def written(self, shapes: bool = False) -> list[str]:
        """The columns, with the shapes of names on request."""
        first, *others = self.sides
        columns = [" = ".join([self.left.text(shapes), *(side.text(shapes) for side in first)])]
        columns += [" ".join(f"= {side.text(shapes)}" for side in column) for column in others]
        if self.cells is not None and len(self.cells) == 1:
            columns.append(f"= {aligned_cells(self.cells)[0]}")
        elif self.told and not isinstance(self.value, tuple):
            columns.append(f"= {self.told}")
        if isinstance(self.value, tuple):
            columns.append(self.told)
        elif self.shape:
            columns.append(str(self.shape))
        return [*columns, self.note] if self.note else columns


def line_of(
    phase: str, name: str, left: Formula, sides: list[list[Formula]], value: Any, digits: int, words: str
) -> Line:
    """A line with its value behind it: a number as a last column, an array beside or below it."""
    if isinstance(value, tuple):
        return Line(phase, name, left, sides, value, told=" ".join(str(tuple(part.shape)) for part in value))
    if value.ndim == 0:
        return Line(phase, name, left, [*sides, [number(value.item(), digits)]], value)
    cells = matrix_cells(value, digits)
    told = "" if cells is not None else summary(value, words)
    return Line(phase, name, left, sides, value, tuple(value.shape), cells, told)


@dataclass
class Term:
    """What one path adds to a gradient: as named derivatives, as symbols, in numbers, and as an array."""

    words: Formula | None
    symbols: Formula
    array: Any
    numbers: Formula | None = None
    constant: Any = None  # the tree, where it asks for nothing
    names: set[str] = field(default_factory=set)


def mean_of(terms: list[Formula], count: int) -> Formula:
    """Terms as a sum, divided by a number of examples."""
    total = added(terms)
    if count == 1:
        return total
    share = Quotient(Number("1"), Number(str(count)))
    return Row((share, Sign("·"), total if len(terms) == 1 else Group("(", total, ")")))


def summed(terms: list[Term], count: int) -> list[Formula]:
    """The sum of terms in symbols, and in numbers where these are known and say more."""
    symbols = mean_of([term.symbols for term in terms], count)
    known = [term.numbers for term in terms if term.numbers is not None]
    if len(known) < len(terms):
        return [symbols]
    numbers = mean_of(known, count)
    return [symbols] if numbers.text() == symbols.text() else [symbols, numbers]


def product(factors: list[Formula], sign: str = "·") -> Formula:
    """Factors side by side."""
    parts: list[Formula] = []
    for factor in factors:
        parts += [Sign(sign), factor] if parts else [factor]
    return Row(tuple(parts)) if len(parts) > 1 else parts[0]


def sums(arrays: list[Any]) -> Any:
    """The sum of what several paths brought."""
    total = arrays[0]
    for array in arrays[1:]:
        total = total + array
    return host(total)
