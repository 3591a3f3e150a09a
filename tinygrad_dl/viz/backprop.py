"""The lines of the backward: each gradient as the sum of what came along its paths, when it is complete."""

from collections.abc import Iterator, Mapping
from typing import Any

from .folding import Layer
from .formula import derivative
from .history import LEAF, Argument, Value
from .lines import BACKWARD, Line, Term, mean_of, product, summed, sums
from .narrator import (
    End,
    Narrator,
    argument_formula,
    constant_like,
    end_of,
    gradient_key,
    marks_of,
    name_formula,
    times,
)
from .reading import host, output_symbols
from .symbol import Symbol


class Backprop:
    """The backward of a history, in the words of a narrator."""

    def __init__(self, said: Narrator) -> None:
        self._said = said

    def lines(self) -> Iterator[Line]:
        """Gradients in the order in which they are complete: when all consumers have sent their part."""
        arrived: dict[End, list[Term]] = {}
        constants: dict[Value, Symbol] = {self._said.root: constant_like(self._said.factor, self._said.root)}
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
                    if self._said.style.notation != "chain" and known is not None:
                        constants[target[0]] = known.shaped(target[0].array.shape)
                    yield self._gradient_line(target, terms)

    def _steps(self) -> list[Value | Layer]:
        """The operations from the last to the first, a folded layer as one of them."""
        found: list[Value | Layer] = []
        for value in reversed(self._said.flowing()):
            step = self._said.layers.get(value, value)
            if not found or found[-1] is not step:
                found.append(step)
        return found

    def _targets(self, step: Value | Layer) -> list[End]:
        """Where a step sends something to: once for each path, or once for each target of a layer."""
        if isinstance(step, Layer):
            members = [v for v in step.members if v.gradient is not None]
            ends = [t for value in members for t in self._targets(value) if t[0] not in step.hidden]
            return list(dict.fromkeys(ends))
        sent = self._said.reader.sent(step, step.gradient)
        return [end_of(argument) for argument, part in sent if part is not None]

    def _sent(self, step: Value | Layer, constants: Mapping[Value, Symbol]) -> Iterator[tuple[End, Term]]:
        """What a step sends: an operation along each of its paths, a layer to each of its targets."""
        if isinstance(step, Value):
            for argument, term in self._terms(step, constants):
                yield end_of(argument), term
            return
        arrays: dict[End, list[Any]] = {}
        for value in step.members:
            if value.gradient is None:
                continue
            for argument, array in self._said.reader.sent(value, times(value.gradient, self._said.factor)):
                if array is not None and argument.value not in step.hidden:
                    arrays.setdefault(end_of(argument), []).append(host(array))
        outputs = [value for value in step.members if value not in step.hidden and value.gradient is not None]
        through = step.backward([self._said.gradient(value) for value in outputs])
        for target, parts in arrays.items():
            words = [
                product([self._said.gradient(v), derivative(name_formula(v), name_formula(*target))], " · ")
                for v in outputs
            ]
            chain = self._said.style.notation == "chain"
            yield target, Term(mean_of(words, 1) if chain else None, through, sums(parts))

    def _terms(self, value: Value, constants: Mapping[Value, Symbol]) -> Iterator[tuple[Argument, Term]]:
        """What an operation sends along each of its paths, as names, symbols and numbers."""
        gradient, reader, own = times(value.gradient, self._said.factor), self._said.reader, self._said.gradient(value)
        readings = reader.read(value, constants.get(value, output_symbols(gradient_key(value), value.array)))
        arrays = [array for _, array in reader.sent(value, gradient)]
        chain = self._said.style.notation == "chain"
        locals_ = reader.locals(value) if chain else [None] * len(readings)
        marks = marks_of([argument for argument, _ in readings])
        single = None if isinstance(gradient, tuple) or gradient.ndim else self._said.single(gradient)
        known = self._said.numbers if single is None else self._said.numbers | {gradient_key(value): single}
        for (argument, reading), array, local, mark in zip(readings, arrays, locals_, marks, strict=True):
            if array is None:  # a rule that sends nothing
                continue
            if local is None or value is self._said.root:
                tree = self._said.named(reading if local is None else local)
                symbols = tree.formula(self._said.formulas)
                constant = tree if local is None and not tree.names() else None
                words = None if value in constants else symbols
                term = Term(words, symbols, array, self._said.in_numbers(tree, known), constant)
            else:
                tree = self._said.named(local)
                words = product([own, derivative(name_formula(value), argument_formula(argument, mark))], " · ")
                upstream = own if single is None else single
                term = Term(words, product([upstream, tree.as_factor(self._said.formulas)]), array)
                if single is not None and not value.array.ndim and tree.names() <= known.keys():
                    term.numbers = product([upstream, self._said.with_numbers(tree).as_factor(known)])
            yield argument, term

    def _gradient_line(self, end: End, terms: list[Term]) -> Line:
        """The sum of what all paths brought."""
        target, output = end
        mean = self._said.factor if target.kind == LEAF else 1
        total = sums([host(term.array) for term in terms])
        words = [term.words or (term.symbols if len(terms) > 1 else None) for term in terms]
        symbols, *numbers = summed(terms, mean)
        first = mean_of([word for word in words if word is not None], mean) if any(words) else None
        if first is None:
            sides = [[], [symbols, *numbers]]
        else:
            sides = [[first], numbers if first.text() == symbols.text() else [symbols, *numbers]]
        written = self._said.gradient(target, output)
        return self._said.bumped(self._said.line(BACKWARD, written.text(), written, sides, total / mean), target)
