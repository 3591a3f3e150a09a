"""The lines of one value's derivation: the chain rule along every path to it, and their sum."""

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..errors import ArgumentError, GraphError, nearest
from .formula import Formula, Word, derivative
from .history import LEAF, Value
from .lines import PATHS, Line, Term, mean_of, product, summed, sums
from .narrator import Narrator, argument_formula, constant_like, constant_of, marks_of, name_formula, times
from .reading import host
from .routes import Route, Routes
from .symbol import Symbol
from .writing import number

Factor = tuple[Formula, Symbol | None, int | None]  # of a path: the step by name, as a formula, the output it leads to

MOST_NESTED = 50  # rules that are written into each other; more can't be read


class Along:
    """The paths from a result to one value, in the words of a narrator."""

    def __init__(self, said: Narrator) -> None:
        self._said = said
        self._routes = Routes(said.flowing(), said.reader)
        self._factor = functools.cache(self._read_factor)

    def _target(self, wrt: Any) -> Value:
        """The value that is asked for, by name or as a tensor."""
        for value in self._said.values:
            if value.tensor is not None and value.tensor is wrt:
                return self._reached(value)
        names = {str(value.name): value for value in self._said.values if value.name}
        if isinstance(wrt, str) and wrt in names:
            return self._reached(names[wrt])
        node = getattr(wrt, "node", None)
        found = next((value for value in self._said.values if node is not None and value.node is node), None)
        if found is not None and found.name:
            return self._reached(found)
        if not isinstance(wrt, str):
            raise GraphError(
                f"explain: wrt is no tensor of this derivation; its names are {', '.join(names)}. Was it computed in "
                "another run, or does it not lead to the result?"
            )
        raise ArgumentError(f"explain: wrt={wrt!r} is not in it; there are {', '.join(names)}.{nearest(wrt, names)}")

    def _reached(self, value: Value) -> Value:
        if value is self._said.root:
            raise ArgumentError(f"explain: wrt={value.name} is the result itself; give what it was computed from")
        if isinstance(value.array, tuple):
            raise GraphError(f"explain: wrt={value.name} has several outputs; give what it was computed from")
        if not self._routes.lead_to(value):
            raise GraphError(f"explain: no gradient goes to {value.name}: it does not require grad")
        return value

    def lines(self, wrt: Any) -> Iterator[Line]:
        """A product of local derivatives for each path from the result to one value, and their sum."""
        target = self._target(wrt)
        terms = [self._along(route, target) for route in self._routes.between(self._said.root, target)]
        if len(terms) > 1:
            for i, term in enumerate(terms):
                label = self._said.words["path"].format(number=i + 1)
                yield self._path_line(label, Word(label), [term], 1)
        written = self._said.gradient(target)
        mean = self._said.factor if target.kind == LEAF else 1
        yield self._said.bumped(self._path_line(written.text(), written, terms, mean), target)

    def _read_factor(self, value: Value, place: int) -> Factor:
        """A step of a path: its derivative by name, and as a formula where it is taken element by element."""
        given = [argument for argument, _ in self._said.reader.sent(value, value.gradient)]
        name = argument_formula(given[place], marks_of(given)[place])
        local = self._said.reader.locals(value)[place]
        written = derivative(name_formula(value), name, self._routes.is_partial(value, place))
        return written, None if local is None else self._said.named(local), given[place].output

    def _along(self, route: Route, target: Value) -> Term:
        """The product along one path: element by element where all its steps are, else as the rules nest."""
        steps = [self._factor(value, place) for value, place in route]
        words = product([written for written, _, _ in steps], " · ")
        array = self._through(route, steps, times(self._said.root.gradient, self._said.factor), self._said.reader.sent)
        factors = [local for _, local, _ in steps if local is not None]
        if len(factors) < len(steps) and len(steps) > MOST_NESTED:
            return Term(words, words, array)
        if len(factors) < len(steps) or self._said.factor != 1:
            seed = constant_like(self._said.factor, self._said.root)
            nested = self._through(route, steps, seed, self._said.reader.read)
            tree = self._said.named(nested)
            return Term(words, tree.formula(self._said.formulas), array, self._said.in_numbers(tree))
        known = all(tree.names() <= self._said.numbers.keys() for tree in factors)
        numbers = self._product_in_numbers(factors) if known and not target.array.ndim else None
        return Term(words, _product_of(factors, self._said.formulas), array, numbers)

    def _through(self, route: Route, steps: list[Factor], g: Any, send: Callable[[Value, Any], list[Any]]) -> Any:
        """What the rules along a path make of a gradient, an array or a tree."""
        for (value, place), (_, _, output) in zip(route, steps, strict=True):
            argument, g = send(value, g)[place]
            if output is not None:  # of several: nothing comes to the others
                parts = argument.value.array
                nothing = [constant_of(0, part) if isinstance(g, Symbol) else part * 0 for part in parts]
                g = tuple([g if i == output else other for i, other in enumerate(nothing)])
        return g

    def _product_in_numbers(self, factors: list[Symbol]) -> Formula:
        """A product with the number that each factor is."""
        values = [number(float(factor.evaluate(self._said.exact)), self._said.style.digits) for factor in factors]
        if len(values) == 1:
            return values[0]
        return product([values[0], *(Symbol("").as_factor({"": value}) for value in values[1:])])

    def _path_line(self, name: str, left: Formula, terms: list[Term], mean: int) -> Line:
        total = sums([host(term.array) for term in terms])
        words = mean_of([term.words for term in terms if term.words is not None], mean)
        symbols = summed(terms, mean)
        more = [] if symbols[0].text() == words.text() else symbols
        return self._said.line(PATHS, name, left, [[words], more], total / mean)


def _product_of(factors: list[Symbol], known: Mapping[str, Formula]) -> Formula:
    return factors[0].formula(known) if len(factors) == 1 else product([factor.as_factor(known) for factor in factors])
