"""The derivation of a result as the notes write it: named local derivatives, then symbols, then numbers.

Every line is read off the rules that ran: with Symbols for the text, with the arrays of the trace for the numbers.
"""

import html
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..autograd import grad
from ..creation import tensor as make_tensor
from ..errors import ArgumentError, ArgumentTypeError, GraphError, nearest
from ..observing import ObservedNode, call_user
from ..tensor import Tensor
from .history import LEAF, RESULT, Argument, History, Value, results_of
from .reading import Reader, argument_name, host, nameless, output_symbols
from .symbol import Symbol, key, number_text, simplify, substitute
from .trace import Trace

NOTATIONS = ("chain", "d", "bar")
FORWARD, BACKWARD = "Forward", "Backward"
_GAPS = {FORWARD: (4, 3), BACKWARD: (7, 2)}  # spaces behind the first two columns


def explain(
    f: Callable[..., Tensor] | Tensor | Trace,
    *inputs: Any,
    notation: str = "chain",
    per_example: bool = False,
    letters: bool | None = None,
    digits: int = 5,
) -> "Derivation":
    """The derivation of a number: each step forward, each gradient backward, as names, symbols and numbers.

    `viz.explain(f, *inputs)` runs f and traces it; `viz.explain(loss)` reads a loss that was computed under
    `viz.trace()`. Arguments: f (a function that returns one number, such a number, or a trace), inputs (tensors; a
    float becomes a leaf), notation ("chain" writes dJ/db = dJ/du · du/db, "d" writes dZ, dW, db as the notes' networks
    do, "bar" writes b̄), per_example (gradients of one example's loss, with 1/m in those of the leaves, as the notes do
    where J is a mean over m examples; else all are gradients of J), letters (True: a result that has no name in the
    source gets a letter and a line; False: it is written out where it is used; None: False in notation "d"), digits
    (significant ones of numbers). Touches no `.grad`.
    Raises GraphError when nothing was traced or the result is not one number. Source: notes, sections 1.1 to 1.8.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import viz
    >>> def f(b, c):
    ...     u = b * c
    ...     return u + b
    >>> print(viz.explain(f, 3.0, 2.0))
    Forward
      u = b·c      = 3·2     = 6
      J = u + b    = 6 + 3   = 9
    Backward
      dJ/du                           = 1                  = 1
      dJ/db = 1 + dJ/du · du/db       = 1 + 1·c = 1 + 1·2  = 3
      dJ/dc = dJ/du · du/dc           = 1·b = 1·3          = 3
    """
    if notation not in NOTATIONS:
        raise ArgumentError(
            f"explain: notation is {', '.join(map(repr, NOTATIONS))}, not {notation!r}.{nearest(notation, NOTATIONS)}"
        )
    also: list[ObservedNode] = []
    if callable(f) and not isinstance(f, Tensor):
        with Trace() as opened:
            result = call_user(f, [_as_input(value) for value in inputs])
        also = opened.nodes
    elif inputs:
        raise ArgumentTypeError(
            f"explain: inputs go to a function; {type(f).__name__} came with {len(inputs)} input(s)"
        )
    else:
        result, also = f, (f.nodes if isinstance(f, Trace) else [])
    return Derivation(
        _history_of(result), also, notation, per_example, notation != "d" if letters is None else letters, digits
    )


def _as_input(value: Any) -> Any:
    return make_tensor(float(value), requires_grad=True) if type(value) in (int, float) else value


def _history_of(result: Any) -> History:
    """The traced history of one number, with all gradients in it."""
    roots = results_of("explain", result)
    if len(roots) > 1:
        raise GraphError(f"explain: one number has a derivation, {len(roots)} results came; give the loss itself")
    history = History(roots)
    root = history.roots[0]
    if math.prod(root.shape if isinstance(root.shape, tuple) else ()) != 1:
        raise GraphError(
            f"explain: one number has a derivation, a result of shape {root.shape} came; end with .sum() or .mean()"
        )
    untraced = next((value for value in history.values if value.kind == RESULT and value.record is None), None)
    if untraced is not None:
        raise GraphError(
            f"explain: {untraced.operation.name} (result of shape {untraced.shape}) was not traced, so its values are "
            "not known. Do the forward inside `with viz.trace():`, or pass the function: viz.explain(f, *inputs)"
        )
    if root.gradient is None:
        _walk_back(history, root, roots[0])
    return history


def _walk_back(history: History, root: Value, result: Any) -> None:
    """Let the engine compute all gradients, without touching any `.grad`."""
    if not isinstance(result, Tensor):
        raise GraphError("explain: backward has not run on this trace; give the loss itself: viz.explain(loss)")
    leaves = [value.tensor for value in history.values if value.kind == LEAF]
    grad(result, leaves, retain_graph=True, allow_unused=True)
    for value in history.values:
        if value.record is not None:
            value.gradient = value.record.gradient


# --- the derivation


@dataclass
class Line:
    """One line: what it defines, its columns, and the number or array that it comes to."""

    phase: str
    name: str
    columns: list[str]
    value: Any
    shape: tuple[int, ...]
    block: list[str] = field(default_factory=list)  # the rows of a small matrix

    @property
    def text(self) -> str:
        """The line without alignment."""
        return "  ".join(self.columns)


class Derivation:
    """A derivation: `str()` gives its text, `.lines` its lines, `derivation["dJ/db"]` the value of a line."""

    def __init__(
        self, history: History, also: list[ObservedNode], notation: str, per_example: bool, letters: bool, digits: int
    ) -> None:
        folded = set() if letters else nameless(history)
        history.name_all(folded)
        self.notation, self.digits = notation, digits
        self.root, self._values, self._branches = history.roots[0], history.values, history.branches(also)
        self._reader = Reader(folded)
        self._known, self._used = self._named_expressions(), set[str]()
        self._numbers = {**_numbers(self._branches, digits), **_numbers(self._values, digits)}
        self.examples = _count_of_mean(self.root)
        if per_example and self.examples is None:
            raise GraphError(
                "explain: per_example needs a loss that is a mean over examples, this one was made by "
                f"{self.root.operation.name}"
            )
        self.factor = self.examples if per_example and self.examples else 1
        backward = list(self._backward())
        self.lines = [*self._forward(), *backward]

    def _named_expressions(self) -> dict[Any, str]:
        """Names for what was computed, so that a rule's sigmoid(Z) is written A, even if A leads nowhere else."""
        found = {}
        for value in [*self._values, *self._branches]:
            if (
                value.kind == RESULT
                and value.name
                and not isinstance(value.array, tuple)
                and value not in self._reader.folded
            ):
                found[key(simplify(self._reader.expression(value)))] = str(value.name)
        return found

    # --- forward

    def _forward(self) -> Iterator[Line]:
        shown = [value for value in self._values if value.kind == RESULT and value not in self._reader.folded]
        shown += [value for value in self._branches if value.name in self._used]
        for value in sorted(shown, key=lambda value: value.node.order):
            formula = self._reader.expression(value)
            numbers = formula.text(self._numbers) if formula.names() <= self._numbers.keys() else None
            yield self._line(FORWARD, str(value.name), [f"{value.name} = {formula.text()}"], value.array, numbers)

    def _line(self, phase: str, name: str, columns: list[str], value: Any, numbers: str | None) -> Line:
        if isinstance(value, tuple):
            shapes = " ".join(str(tuple(part.shape)) for part in value)
            return Line(phase, name, [*columns, shapes], value, ())
        array = host(value)
        if array.ndim == 0:
            shown = [] if numbers is None else [f"= {numbers}"]
            return Line(phase, name, [*columns, *shown, f"= {number_text(array.item(), self.digits)}"], array, ())
        rows, shape = matrix_rows(array, self.digits), str(tuple(array.shape))
        if len(rows) == 1:
            return Line(phase, name, [*columns, f"= {rows[0]}", shape], array, array.shape)
        return Line(phase, name, [*columns, shape], array, array.shape, rows)

    # --- backward

    def _backward(self) -> Iterator[Line]:
        """Gradients in the order in which they are complete: when all consumers have sent their part."""
        arrived: dict[Value, list[Term]] = {}
        flowing = [
            v for v in self._values if v.kind == RESULT and v.gradient is not None and v not in self._reader.folded
        ]
        constants: dict[Value, Symbol] = {self.root: _constant_like(self.factor, self.root)}
        waiting = self._consumers(flowing)
        for value in reversed(flowing):
            for argument, term in self._terms(value, constants):
                target = argument.value
                assert target is not None
                arrived.setdefault(target, []).append(term)
                waiting[target] -= 1
                if not waiting[target]:
                    terms = arrived[target]
                    if self.notation != "chain" and len(terms) == 1 and not terms[0].symbols.names():
                        constants[target] = terms[0].symbols
                    yield self._gradient_line(target, terms)

    def _consumers(self, flowing: list[Value]) -> dict[Value, int]:
        """How many paths lead to each value: it is complete when as many parts have arrived."""
        count: dict[Value, int] = {}
        for value in flowing:
            for argument, part in self._reader.sent(value, value.gradient):
                if part is not None:
                    count[argument.value] = count.get(argument.value, 0) + 1  # type: ignore[index, arg-type]
        return count

    def gradient_name(self, value: Value) -> str:
        """dJ/db, db or b̄."""
        if self.notation == "d":
            return f"d{value.name}"
        return f"{value.name}\u0304" if self.notation == "bar" else f"d{self.root.name}/d{value.name}"

    def _terms(self, value: Value, constants: Mapping[Value, Symbol]) -> Iterator[tuple[Argument, "Term"]]:
        """What an operation sends along each of its paths, as names, symbols and numbers."""
        gradient = _times(value.gradient, self.factor)
        name, reader = self.gradient_name(value), self._reader
        named = output_symbols(name, value.array)
        readings = reader.read(value, constants.get(value, named))
        arrays = [array for _, array in reader.sent(value, gradient)]
        chain = self.notation == "chain"
        locals_ = reader.locals(value) if chain else [None] * len(readings)
        marks = _marks([argument for argument, _ in readings])
        for (argument, reading), array, local, mark in zip(readings, arrays, locals_, marks, strict=True):
            if array is None:  # a rule that sends nothing
                continue
            if local is None:
                symbols = self._named(reading)
                term = Term("" if value in constants else symbols.text(), symbols, symbols.text(), array)
                term.numbers = self._in_numbers(symbols, name, gradient)
            elif value is self.root:
                symbols = self._named(local)
                term = Term("", symbols, symbols.text(), array, self._in_numbers(symbols, name, gradient))
            else:
                symbols = self._named(local)
                words = f"{name} · d{value.name}/d{argument_name(argument)}{mark}"
                upstream = _single(gradient, self.digits) if not value.array.ndim else name
                term = Term(words, symbols, f"{upstream}·{symbols.factor()}", array)
                if not value.array.ndim and symbols.names() <= self._numbers.keys():
                    term.numbers = f"{upstream}·{symbols.factor(self._numbers)}"
            yield argument, term

    def _named(self, formula: Symbol) -> Symbol:
        """A formula, simplified, with names for what was computed in the forward."""
        named: Symbol = substitute(simplify(formula), self._known)
        self._used |= named.names()
        return named

    def _in_numbers(self, formula: Symbol, gradient_name: str, gradient: Any) -> str | None:
        """A formula with numbers for names; None when one of them is no single number."""
        known = self._numbers
        if not isinstance(gradient, tuple) and not gradient.ndim:
            known = {**known, gradient_name: _single(gradient, self.digits)}
        return formula.text(known) if formula.names() <= known.keys() else None

    def _gradient_line(self, target: Value, terms: list["Term"]) -> Line:
        """The sum of what all paths brought."""
        mean = self.factor if target.kind == LEAF else 1
        total = host(terms[0].array)
        for term in terms[1:]:
            total = total + host(term.array)
        name = self.gradient_name(target)
        words = [term.words or (term.text if len(terms) > 1 else "") for term in terms]
        symbols = _mean_of([term.text for term in terms], mean)
        first = f"{name} = {_mean_of(words, mean)}" if any(words) else name
        columns = [first] if first == f"{name} = {symbols}" else [first, f"= {symbols}"]
        numbers = None
        if not total.ndim and all(term.numbers is not None for term in terms):
            numbers = _mean_of([str(term.numbers) for term in terms], mean)
        if numbers is not None and numbers != symbols:
            columns = [*columns[:-1], f"{columns[-1]} = {numbers}"] if len(columns) > 1 else [*columns, f"= {numbers}"]
        return self._line(BACKWARD, name, columns, total / mean, None)

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

    def __str__(self) -> str:
        written = []
        for phase in (FORWARD, BACKWARD):
            note = self._note() if phase == BACKWARD else ""
            written += [phase + note, *_aligned([line for line in self.lines if line.phase == phase], _GAPS[phase])]
        return "\n".join(written)

    def _note(self) -> str:
        """Which gradient a network's dZ is: of J, or of one example's loss."""
        if self.notation == "chain" or not self.examples or self.examples == 1:
            return ""
        if self.factor > 1:
            return f"  (of each example's loss; 1/{self.examples} comes in with the leaves, as in the notes)"
        return f"  (of {self.root.name}, a mean over {self.examples}; per_example=True: of each example's loss)"

    def __repr__(self) -> str:
        return str(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        text = str(self)
        return {"text/plain": text, "text/html": f'<pre style="line-height:1.5">{html.escape(text)}</pre>'}


@dataclass
class Term:
    """What one path adds to a gradient: as named derivatives, as symbols, in numbers, and as an array."""

    words: str
    symbols: Symbol
    text: str
    array: Any
    numbers: str | None = None


def _mean_of(terms: list[str], count: int) -> str:
    """Terms as a sum, divided by a number of examples."""
    if count == 1:
        return _joined(terms)
    return f"1/{count}·{_joined(terms)}" if len(terms) == 1 else f"1/{count}·({_joined(terms)})"


def _joined(terms: list[str]) -> str:
    """Terms as a sum."""
    text = terms[0]
    for term in terms[1:]:
        text += f" − {term[1:]}" if term.startswith("−") else f" + {term}"
    return text


def _marks(arguments: list[Argument]) -> list[str]:
    """⁽¹⁾, ⁽²⁾ behind arguments that are the same value, so that both paths of a·a have a name."""
    count: dict[str, int] = {}
    names = [argument_name(argument) for argument in arguments]
    marks = []
    for name in names:
        count[name] = count.get(name, 0) + 1
        marks.append(f"⁽{str(count[name]).translate(_RAISED)}⁾" if names.count(name) > 1 else "")
    return marks


_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def _constant_like(number: float, value: Value) -> Symbol:
    return Symbol.number(number, value.array.shape, value.array.dtype)


def _times(gradient: Any, factor: float) -> Any:
    if factor == 1:
        return gradient
    return tuple([part * factor for part in gradient]) if isinstance(gradient, tuple) else gradient * factor


def _single(array: Any, digits: int) -> str:
    return number_text(float(array.item()), digits)


def _numbers(values: Iterable[Value], digits: int) -> dict[str, str]:
    """The values that are single numbers, as text by name."""
    numbers = [value for value in values if value.name and not isinstance(value.array, tuple) and value.array.ndim == 0]
    return {str(value.name): _single(value.array, digits) for value in numbers}


def _count_of_mean(root: Value) -> int | None:
    """How many examples a loss is the mean of, or None."""
    record = root.record
    assert record is not None
    options = dict(zip(record.operation.parameters, record.arrays, strict=True))
    if record.operation.name == "mean":
        return int(options["input"].size // max(root.array.size, 1))
    return int(options["target"].shape[0]) if options.get("reduction") == "mean" else None


def matrix_rows(array: np.ndarray, digits: int = 5, limit: int = 36) -> list[str]:
    """A small vector or matrix as aligned rows, a large one as a line that sums it up."""
    if array.size > limit or array.ndim > 2 or array.size == 0:
        if array.size == 0:
            return ["[]"]
        low, high, mean = (number_text(float(x), 3) for x in (array.min(), array.max(), array.mean()))
        return [f"{low} … {high}, mean {mean}"]
    rows = [array] if array.ndim == 1 else list(array) if array.ndim else [array.reshape(1)]
    write = _column_format(array, digits)
    cells = [[write(x) for x in row.tolist()] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    return ["[" + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) + "]" for row in cells]


def _column_format(array: np.ndarray, digits: int) -> Callable[[Any], str]:
    """How the numbers of a matrix are written: with equal decimals, unless they are whole or differ much in size."""
    sizes = np.abs(array[array != 0])
    if array.dtype.kind != "f" or not sizes.size or not np.isfinite(sizes).all():
        return lambda x: number_text(x, digits)
    largest, smallest = float(sizes.max()), float(sizes.min())
    decimals = digits - 1 - math.floor(math.log10(largest))
    if (array == np.round(array)).all() or smallest < largest / 100 or not 0 < decimals < 8:
        return lambda x: number_text(x, digits)
    places = min(decimals, digits)
    return lambda x: f"{round(x, places) + 0.0:.{places}f}".replace("-", "−")  # + 0.0: no negative zeros


def _aligned(lines: list[Line], gaps: tuple[int, int]) -> Iterator[str]:
    """Lines in columns; a last column stands by itself."""
    widths = [
        max([len(_bare(line.columns[i])) for line in lines if len(line.columns) > i + 1], default=0) for i in range(3)
    ]
    for line in lines:
        text = " "
        for i, column in enumerate(line.columns):
            last = i == len(line.columns) - 1
            text += " " + column if i == 0 else column
            if not last:
                text += " " * (widths[i] - len(_bare(column)) + gaps[min(i, 1)])
        yield text.rstrip()
        yield from ("      " + row for row in line.block)


def _bare(text: str) -> str:
    """Text without combining marks, which take no width."""
    return text.replace("\u0304", "")
