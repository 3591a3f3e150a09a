"""The derivation of a result as the notes write it: named local derivatives, then symbols, then numbers.

Every line is read off the rules that ran: with Symbols for the formulas, with the arrays of the trace for the numbers.
"""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import ArgumentError, GraphError, nearest
from ..observing import ObservedNode
from .bump import Bump
from .folding import Layer, layers_of
from .formula import Barred, Differential, Formula, Group, Name, Raised, Word, ascii_of, derivative
from .history import LEAF, RESULT, Argument, History, Value
from .layout import Section, as_html, as_latex, as_markdown, as_text
from .lines import BACKWARD, FORWARD, PATHS, Line, Term, line_of, mean_of, product, sums
from .reading import Reader, argument_name, count_of_mean, host, nameless, output_symbols
from .routes import Route, Routes
from .simplify import simplify
from .symbol import Symbol
from .tree import decided, key, substitute
from .words import language_of, words_in
from .writing import number

NOTATIONS = ("chain", "d", "bar")
Factor = tuple[Formula, Symbol | None, int | None]  # of a path: the step by name, as a formula, the output it leads to
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


class Derivation:
    """A derivation: `str()` gives its text, `.lines` its lines, `derivation["dJ/db"]` the value of a line.

    `.text()`, `.markdown()`, `.latex()` and `.html()` write it; a notebook shows it by itself.
    """

    def __init__(
        self, history: History, also: list[ObservedNode], style: Style, wrt: Any = None, bump: Bump | None = None
    ) -> None:
        self._bump = bump
        self.words, self.style, self.root = words_in(style.language), style, history.roots[0]
        self._layers = {} if wrt is not None else layers_of(history, style.fold)
        self._hidden = {value for value, layer in self._layers.items() if value in layer.hidden}
        folded = set() if style.letters else nameless(history) - self._layers.keys()
        history.name_all(folded)
        self._values, self._branches = history.values, history.branches(also)
        self._taken = {str(value.name) for value in [*self._values, *self._branches] if value.name}
        self._reader = Reader(folded, self._taken)
        self._known, self._used = self._named_expressions(), set[str]()
        self._formulas = self._written_names()
        singles = _single_numbers([*self._branches, *self._values])
        self._exact = {name: float(array.item()) for name, array in singles.items()}
        self._numbers = {name: number(value, style.digits) for name, value in self._exact.items()}
        self.examples = count_of_mean(self.root)
        if style.per_example and self.examples is None:
            raise GraphError(
                "explain: per_example needs a loss that is a mean over examples, this one was made by "
                f"{self.root.operation.name}"
            )
        self.factor = self.examples if style.per_example and self.examples else 1
        backward = list(self._backward() if wrt is None else self._along_paths(self._target(wrt)))
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
                and value not in self._hidden
            ):
                found[key(simplify(self._reader.expression(value)))] = str(value.name)
        return found

    def _written_names(self) -> dict[str, Formula]:
        """How the symbols of gradients are written."""
        found: dict[str, Formula] = {}
        for value in self._values:
            if value.name:
                arrays = value.array if isinstance(value.array, tuple) else ()
                for i, _ in enumerate(arrays):
                    found[f"{_gradient_key(value)}[{i}]"] = self._gradient(value, i)
                found[_gradient_key(value)] = self._gradient(value)
        return found

    # --- forward

    def _forward(self) -> Iterator[Line]:
        shown = [v for v in self._values if v.kind == RESULT and v not in self._reader.folded and v not in self._hidden]
        shown += [value for value in self._branches if value.name in self._used]
        for value in sorted(shown, key=lambda value: value.node.order):
            layer, numbers = self._layers.get(value), None
            if layer is None:
                tree = self._reader.expression(value)
                formula, numbers = tree.formula(self._formulas), self._in_numbers(tree)
            else:
                formula = layer.forward(value)
            sides = [[formula], [] if numbers is None or isinstance(value.array, tuple) else [numbers]]
            left = Name(str(value.name), () if isinstance(value.array, tuple) else tuple(value.array.shape))
            yield self._line(FORWARD, left.name, left, sides, value.array)

    def _line(self, phase: str, name: str, left: Formula, sides: list[list[Formula]], value: Any) -> Line:
        value = value if isinstance(value, tuple) else host(value)
        sides = [sides[0], *(side for side in sides[1:] if side)]
        return line_of(phase, name, left, sides, value, self.style.digits, self.words["summary"])

    # --- backward

    def _backward(self) -> Iterator[Line]:
        """Gradients in the order in which they are complete: when all consumers have sent their part."""
        arrived: dict[End, list[Term]] = {}
        constants: dict[Value, Symbol] = {self.root: _constant_like(self.factor, self.root)}
        steps = self._steps()
        waiting: dict[End, int] = {}
        for step in steps:
            for target in self._targets(step):
                waiting[target] = waiting.get(target, 0) + 1
        for step in steps:
            for target, term in self._sent(step, constants):
                arrived.setdefault(target, []).append(term)
                waiting[target] -= 1
                if not waiting[target]:
                    terms = arrived[target]
                    known = terms[0].constant if len(terms) == 1 and target[1] is None else None
                    if self.style.notation != "chain" and known is not None:
                        constants[target[0]] = known.shaped(target[0].array.shape)
                    yield self._gradient_line(target, terms)

    def _flowing(self) -> list[Value]:
        """The results that a gradient came to, but for those that are written out elsewhere."""
        return [v for v in self._values if v.kind == RESULT and v.gradient is not None and v not in self._reader.folded]

    def _steps(self) -> list[Value | Layer]:
        """The operations from the last to the first, a folded layer as one of them."""
        found: list[Value | Layer] = []
        for value in reversed(self._flowing()):
            step = self._layers.get(value, value)
            if not found or found[-1] is not step:
                found.append(step)
        return found

    def _targets(self, step: Value | Layer) -> list[End]:
        """Where a step sends something to: once for each path, or once for each target of a layer."""
        if isinstance(step, Layer):
            members = [v for v in step.members if v.gradient is not None]
            ends = [t for value in members for t in self._targets(value) if t[0] not in step.hidden]
            return list(dict.fromkeys(ends))
        sent = self._reader.sent(step, step.gradient)
        return [_end(argument) for argument, part in sent if part is not None]

    def _sent(self, step: Value | Layer, constants: Mapping[Value, Symbol]) -> Iterator[tuple[End, Term]]:
        if isinstance(step, Value):
            for argument, term in self._terms(step, constants):
                yield _end(argument), term
            return
        arrays: dict[End, list[Any]] = {}
        for value in step.members:
            if value.gradient is None:
                continue
            for argument, array in self._reader.sent(value, _times(value.gradient, self.factor)):
                if array is not None and argument.value not in step.hidden:
                    arrays.setdefault(_end(argument), []).append(host(array))
        outputs = [value for value in step.members if value not in step.hidden and value.gradient is not None]
        through = step.backward([self._gradient(value) for value in outputs])
        for target, parts in arrays.items():
            words = [product([self._gradient(v), derivative(_name(v), _name(*target))], " · ") for v in outputs]
            chain = self.style.notation == "chain"
            yield target, Term(mean_of(words, 1) if chain else None, through, sums(parts))

    def gradient_name(self, value: Value) -> str:
        """dJ/db, db or b̄."""
        return self._gradient(value).text()

    def _gradient(self, value: Value, output: int | None = None) -> Formula:
        name, notation = _name(value, output), self.style.notation
        if notation == "bar":
            return Barred(name)
        if notation == "d" and f"d{value.name}" not in self._taken:  # else a variable of the program has that name
            return Differential(name)
        return derivative(_name(self.root), name)

    def _terms(self, value: Value, constants: Mapping[Value, Symbol]) -> Iterator[tuple[Argument, Term]]:
        """What an operation sends along each of its paths, as names, symbols and numbers."""
        gradient, reader, own = _times(value.gradient, self.factor), self._reader, self._gradient(value)
        readings = reader.read(value, constants.get(value, output_symbols(_gradient_key(value), value.array)))
        arrays = [array for _, array in reader.sent(value, gradient)]
        chain = self.style.notation == "chain"
        locals_ = reader.locals(value) if chain else [None] * len(readings)
        marks = _marks([argument for argument, _ in readings])
        single = None if isinstance(gradient, tuple) or gradient.ndim else self._single(gradient)
        known = self._numbers if single is None else self._numbers | {_gradient_key(value): single}
        for (argument, reading), array, local, mark in zip(readings, arrays, locals_, marks, strict=True):
            if array is None:  # a rule that sends nothing
                continue
            if local is None or value is self.root:
                tree = self._named(reading if local is None else local)
                symbols = tree.formula(self._formulas)
                constant = tree if local is None and not tree.names() else None
                words = None if value in constants else symbols
                term = Term(words, symbols, array, self._in_numbers(tree, known), constant)
            else:
                tree = self._named(local)
                words = product([own, derivative(_name(value), _argument(argument, mark))], " · ")
                upstream = own if single is None else single
                term = Term(words, product([upstream, tree.as_factor(self._formulas)]), array)
                if single is not None and not value.array.ndim and tree.names() <= known.keys():
                    term.numbers = product([upstream, self._with_numbers(tree).as_factor(known)])
            yield argument, term

    def _named(self, formula: Symbol) -> Symbol:
        """A formula, simplified, with names for what was computed in the forward."""
        named: Symbol = substitute(simplify(formula), self._known)
        self._used |= named.names()
        return named

    def _in_numbers(self, tree: Symbol, known: Mapping[str, Formula] | None = None) -> Formula | None:
        """A formula with numbers for names; None when one of them is no single number."""
        known = self._numbers if known is None else known
        return self._with_numbers(tree).formula(known) if tree.names() <= known.keys() else None

    def _with_numbers(self, tree: Symbol) -> Symbol:
        """The tree as it is written in numbers."""
        found: Symbol = decided(simplify(tree), self._exact)
        return found

    def _single(self, array: Any) -> Formula:
        return number(float(array.item()), self.style.digits)

    def _gradient_line(self, end: End, terms: list[Term]) -> Line:
        """The sum of what all paths brought."""
        target, output = end
        mean = self.factor if target.kind == LEAF else 1
        total = sums([host(term.array) for term in terms])
        words = [term.words or (term.symbols if len(terms) > 1 else None) for term in terms]
        symbols = mean_of([term.symbols for term in terms], mean)
        first = mean_of([word for word in words if word is not None], mean) if any(words) else None
        sides: list[list[Formula]] = [[], [symbols]] if first is None else [[first], [symbols]]
        if first is not None and first.text() == symbols.text():
            sides = [[first], []]
        if not total.ndim and all(term.numbers is not None for term in terms):
            numbers = mean_of([term.numbers for term in terms if term.numbers is not None], mean)
            if numbers.text() != symbols.text():
                sides[1].append(numbers)
        written = self._gradient(target, output)
        return self._bumped(self._line(BACKWARD, written.text(), written, sides, total / mean), target)

    def _bumped(self, line: Line, target: Value) -> Line:
        """The line of a leaf with what the bump test found."""
        if self._bump is not None and target.kind == LEAF:
            line.note = self._bump.note(target, line.value, str(self.root.name), self.words, self.style.digits)
        return line

    # --- one leaf, path by path

    def _target(self, wrt: Any) -> Value:
        """The value that is asked for, by name or as a tensor."""
        for value in self._values:
            if value.tensor is not None and value.tensor is wrt:
                return self._reached(value)
        names = {str(value.name): value for value in self._values if value.name}
        if isinstance(wrt, str) and wrt in names:
            return self._reached(names[wrt])
        node = getattr(wrt, "node", None)
        found = next((value for value in self._values if node is not None and value.node is node), None)
        if found is not None and found.name:
            return self._reached(found)
        if not isinstance(wrt, str):
            raise GraphError(
                f"explain: wrt is no tensor of this derivation; its names are {', '.join(names)}. Was it computed in "
                "another run, or does it not lead to the result?"
            )
        raise ArgumentError(f"explain: wrt={wrt!r} is not in it; there are {', '.join(names)}.{nearest(wrt, names)}")

    def _reached(self, value: Value) -> Value:
        if value is self.root:
            raise ArgumentError(f"explain: wrt={value.name} is the result itself; give what it was computed from")
        if isinstance(value.array, tuple):
            raise GraphError(f"explain: wrt={value.name} has several outputs; give what it was computed from")
        if value not in {end for step in self._flowing() for end, _ in self._targets(step)}:
            raise GraphError(f"explain: no gradient goes to {value.name}: it does not require grad")
        return value

    def _along_paths(self, target: Value) -> Iterator[Line]:
        """A product of local derivatives for each path from the result to one value, and their sum."""
        routes = Routes(self._flowing(), self._reader)
        factor = functools.cache(functools.partial(self._factor, routes))
        terms = [self._along(route, factor, target) for route in routes.between(self.root, target)]
        if len(terms) > 1:
            for i, term in enumerate(terms):
                label = self.words["path"].format(number=i + 1)
                yield self._path_line(label, Word(label), [term], 1)
        written = self._gradient(target)
        mean = self.factor if target.kind == LEAF else 1
        yield self._bumped(self._path_line(written.text(), written, terms, mean), target)

    def _factor(self, routes: Routes, value: Value, place: int) -> Factor:
        """A step of a path: its derivative by name, and as a formula where it is taken element by element."""
        given = [argument for argument, _ in self._reader.sent(value, value.gradient)]
        name = _argument(given[place], _marks(given)[place])
        local = self._reader.locals(value)[place]
        written = derivative(_name(value), name, routes.is_partial(value, place))
        return written, None if local is None else self._named(local), given[place].output

    def _along(self, route: Route, factor: Callable[[Value, int], Factor], target: Value) -> Term:
        """The product along one path: element by element where all its steps are, else as the rules nest."""
        steps = [factor(value, place) for value, place in route]
        words = product([written for written, _, _ in steps], " · ")
        array = self._through(route, steps, _times(self.root.gradient, self.factor), self._reader.sent)
        factors = [local for _, local, _ in steps if local is not None]
        if len(factors) < len(steps) or self.factor != 1:
            nested = self._through(route, steps, _constant_like(self.factor, self.root), self._reader.read)
            tree = self._named(nested)
            return Term(words, tree.formula(self._formulas), array, self._in_numbers(tree))
        known = all(tree.names() <= self._numbers.keys() for tree in factors)
        numbers = self._product_in_numbers(factors) if known and not target.array.ndim else None
        return Term(words, _product_of(factors, self._formulas), array, numbers)

    def _through(self, route: Route, steps: list[Factor], g: Any, send: Callable[[Value, Any], list[Any]]) -> Any:
        """What the rules along a path make of a gradient, an array or a tree."""
        for (value, place), (_, _, output) in zip(route, steps, strict=True):
            argument, g = send(value, g)[place]
            if output is not None:  # of several: nothing comes to the others
                parts = argument.value.array
                nothing = [_constant(0, part) if isinstance(g, Symbol) else part * 0 for part in parts]
                g = tuple([g if i == output else other for i, other in enumerate(nothing)])
        return g

    def _product_in_numbers(self, factors: list[Symbol]) -> Formula:
        """A product with the number that each factor is."""
        values = [number(float(factor.evaluate(self._exact)), self.style.digits) for factor in factors]
        if len(values) == 1:
            return values[0]
        return product([values[0], *(Symbol("").as_factor({"": value}) for value in values[1:])])

    def _path_line(self, name: str, left: Formula, terms: list[Term], mean: int) -> Line:
        total = sums([host(term.array) for term in terms])
        symbols = mean_of([term.symbols for term in terms], mean)
        sides = [[mean_of([term.words for term in terms if term.words is not None], mean)], [symbols]]
        if not total.ndim and all(term.numbers is not None for term in terms):
            numbers = mean_of([term.numbers for term in terms if term.numbers is not None], mean)
            if numbers.text() != symbols.text():
                sides[1].append(numbers)
        return self._line(PATHS, name, left, sides, total / mean)

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
        return as_html(self._sections(), shapes, language_of(self.words))

    def _sections(self) -> list[Section]:
        sections = []
        for phase in (FORWARD, BACKWARD, PATHS):
            lines = [line for line in self.lines if line.phase == phase]
            if lines:
                sections.append((self.words[phase], "" if phase == FORWARD else self._remark(), lines))
        return sections

    def _remark(self) -> str:
        """Which gradient a network's dZ is: of J, or of one example's loss."""
        if self.style.notation == "chain" or not self.examples or self.examples == 1:
            return ""
        return self.words["per example" if self.factor > 1 else "of the mean"].format(
            count=self.examples, root=self.root.name
        )

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return self.html()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": self.html()}


def _marks(arguments: list[Argument]) -> list[str]:
    """1, 2 at arguments that are the same value, so that both paths of a·a have a name."""
    count: dict[str, int] = {}
    names = [argument_name(argument) for argument in arguments]
    marks = []
    for name in names:
        count[name] = count.get(name, 0) + 1
        marks.append(str(count[name]) if names.count(name) > 1 else "")
    return marks


_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def _argument(argument: Argument, mark: str) -> Formula:
    """The name of an argument, with the number of the path where it has several."""
    name = Name(argument_name(argument))
    return Raised(name, Group("(", Word(mark), ")"), f"⁽{mark.translate(_RAISED)}⁾") if mark else name


def _name(value: Value, output: int | None = None) -> Formula:
    return Name(str(value.name) + ("" if output is None else f"[{output}]"))


def _end(argument: Argument) -> End:
    """Where a path out of an operation leads."""
    assert argument.value is not None
    return argument.value, argument.output


def _gradient_key(value: Value) -> str:
    """The name of a gradient's symbol, which no variable of a program has."""
    return f"gradient of {value.name}"


def _product_of(factors: list[Symbol], known: Mapping[str, Formula]) -> Formula:
    return factors[0].formula(known) if len(factors) == 1 else product([factor.as_factor(known) for factor in factors])


def _constant_like(number: float, value: Value) -> Symbol:
    return _constant(number, value.array)


def _constant(number: float, array: Any) -> Symbol:
    return Symbol.number(number, array.shape, array.dtype)


def _times(gradient: Any, factor: float) -> Any:
    if factor == 1:
        return gradient
    return tuple([part * factor for part in gradient]) if isinstance(gradient, tuple) else gradient * factor


def _single_numbers(values: Iterable[Value]) -> dict[str, Any]:
    """The values that are single numbers, by name."""
    return {str(v.name): v.array for v in values if v.name and not isinstance(v.array, tuple) and v.array.ndim == 0}
