"""What the page shows: the nodes and edges of a history, and its steps forward and backward, as plain data.

Every number and every formula comes from the trace and from the rules that ran; the page's script only shows them.
"""

import linecache
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .history import RESULT, Argument, History, Value
from .page_arrays import Arrays
from .page_words import Words, hint
from .reading import Reader, argument_name, host, output_symbols

SHORT = 26  # characters of a formula in a box
LABEL = 18  # and of a derivative beside an edge
LONG = 200  # and of a formula beside the graph
TITLE = 90  # and in its title
AT_ONCE = 6  # values in a list of many

Data = dict[str, Any]


class Part:
    """What an operation sends along one of its paths."""

    def __init__(self, argument: Argument, array: Any, reading: Any, local: Any, mark: str) -> None:
        self.argument, self.array, self.reading, self.local = argument, array, reading, local
        assert argument.value is not None
        self.target = argument.value
        self.name = argument_name(argument) + mark


class Story:
    """A history as plain data: its `nodes` and `edges`, and its `steps` forward and backward."""

    def __init__(self, history: History, words: Words, language: str, arrays: Arrays, short: Mapping[str, str]) -> None:
        self.values, self.root = history.values, history.roots[0]
        self._words, self._language, self.arrays, self._reader = words, language, arrays, Reader()
        self._place = {id(value): i for i, value in enumerate(self.values)}
        results = [i for i, value in enumerate(self.values) if value.kind == RESULT]
        self.order = {place: number for number, place in enumerate(results, 1)}
        self._numbers = {str(v.name): self._text(v.array) for v in self.values if _is_number(v.array)}
        self.nodes = [self._node(value, short) for value in self.values]
        self.edges: list[Data] = []
        self._edge_of: dict[Argument, int] = {}
        for value in self.values:
            for argument in value.arguments if value.kind == RESULT else ():
                if argument.value is not None:
                    self._edge_of[argument] = len(self.edges)
                    self.edges.append({"from": self._place[id(argument.value)], "to": self._place[id(value)]})
        self.steps: list[Data] = [self._start()]
        for value in self.values:
            if value.kind == RESULT:
                self.steps.append(self._forward(value))
        self._follow_back()

    def _text(self, array: Any) -> str:
        return self.arrays.text(array)

    def _equal(self, parts: list[str], array: Any) -> str:
        """What some expressions come to: a number behind an equals sign, else a shape that stands by itself."""
        if array is None or _is_number(array):
            return _equal([*parts, *([] if array is None else [self._text(array)])])
        return f"{_equal(parts)}   {self._text(array)}".strip()

    # --- nodes

    def _node(self, value: Value, short: Mapping[str, str]) -> Data:
        name = str(value.name)
        node: Data = {"kind": value.kind, "name": name, "box": _cut(short.get(name, name), SHORT)}
        node |= {"value": self.arrays.add(value.array)}
        node |= {"valueStep": 0, "gradient": None, "gradientStep": None, "arrivals": []}
        if value.kind == RESULT:
            assert value.record is not None
            formula = self._reader.expression(value)
            node |= {"formula": _cut(formula.text(), LONG), "box": _cut(f"{name} = {formula.text(short)}", SHORT)}
            line = value.record.line
            if line is not None:
                source = linecache.getline(line.file, line.line).strip()
                node["source"] = [f"{Path(line.file).name}, {line.line}, {line.function}", _cut(source, LONG)]
            if value.record.modules:
                node["modules"] = " › ".join([p if p == kind else f"{p} ({kind})" for p, kind in value.record.modules])
        return node

    def _row(self, label: str, text: str = "", array: Any = None, kind: str = "") -> Data:
        """A row of the panel: words and, of what is no number, the array."""
        row: Data = {"label": label, "text": text, "kind": kind}
        if array is not None and not _is_number(array):
            row["array"] = self.arrays.add(array)
        return row

    # --- forward

    def _start(self) -> Data:
        given = [value for value in self.values if value.kind != RESULT]
        rows = [self._row(str(v.name), self._text(v.array), v.array, "value") for v in given[:AT_ONCE]]
        if len(given) > len(rows):
            rows.append(self._row("…", self._words["and more"].format(count=len(given) - len(rows))))
        return {"phase": "start", "node": None, "title": self._words["given"], "rows": rows, "lines": []}

    def _forward(self, value: Value) -> Data:
        place = self._place[id(value)]
        self.nodes[place]["valueStep"] = len(self.steps)
        formula = self._reader.expression(value)
        title = f"{value.name} = {formula.text()}"
        arguments = {argument_name(argument): argument for argument in self._reader.arguments(value)}
        rows = [
            self._row(name, self._text(_array_of(argument)), _array_of(argument), "value")
            for name, argument in list(arguments.items())[:AT_ONCE]
        ]
        out = self._equal([self._in_numbers(formula) or ""], value.array)
        rows.append(self._row(self._words["out"], out, value.array, "value"))
        rows.append(self._row(self._words["kept"], ", ".join(self._kept(value)) or self._words["nothing"]))
        return {
            "phase": "forward",
            "node": place,
            "title": _cut(title, TITLE),
            "rows": rows,
            "lines": [self._equal([_cut(title, LONG), self._in_numbers(formula) or ""], value.array)],
        }

    def _kept(self, value: Value) -> Iterator[str]:
        """What the node saved for its rules, by the names of the values."""
        for name in getattr(value.node.plan, "names", None) or ():
            given = [argument for argument in value.arguments if argument.label == name]
            if name == "out":
                yield self._words["itself"]
            elif not given:
                yield str(name)
            for argument in given:
                yield argument_name(argument) if argument.value is not None else _cut(str(argument.option), LABEL)

    def _in_numbers(self, formula: Any, more: Mapping[str, str] | None = None, factor: bool = False) -> str | None:
        """A formula with numbers for its names; None where there are no names, or one is no single number."""
        known = {**self._numbers, **(more or {})}
        if not formula.names() or not formula.names() <= known.keys():
            return None
        return _cut(formula.factor(known) if factor else formula.text(known), LONG)

    # --- backward

    def _follow_back(self) -> None:
        """The steps of backward, in the order in which the engine walks: from the operation recorded last."""
        flowing = [value for value in self.values if value.kind == RESULT and value.gradient is not None]
        parts = {id(value): list(self._parts(value)) for value in flowing}
        waiting: dict[int, list[str]] = {}  # by target: the operations that still have to send it their part
        for value in reversed(flowing):
            for part in parts[id(value)]:
                waiting.setdefault(id(part.target), []).append(str(value.name))
        self._count = {target: len(consumers) for target, consumers in waiting.items()}
        self._terms: dict[int, list[tuple[str, str, str]]] = {}
        self._sums: dict[int, Any] = {}
        self._seed(waiting)
        for value, following in zip(reversed(flowing), [*reversed(flowing[:-1]), None], strict=True):
            self.steps.append(self._through(value, parts[id(value)], waiting, following))

    def _parts(self, value: Value) -> Iterator[Part]:
        """What an operation sends, as arrays and as formulas."""
        named = output_symbols(self._gradient_name(value), value.array)
        readings, sent = self._reader.read(value, named), self._reader.sent(value, value.gradient)
        marks = _marks([argument_name(argument) for argument, _ in sent])
        for (argument, array), (_, reading), local, mark in zip(
            sent, readings, self._reader.locals(value), marks, strict=True
        ):
            if array is not None:
                yield Part(argument, array, reading, local, mark)

    def _gradient_name(self, value: Value) -> str:
        return f"d{self.root.name}/d{value.name}"

    def _seed(self, waiting: Mapping[int, list[str]]) -> None:
        """The step with which backward starts."""
        name, gradient = self._gradient_name(self.root), self.root.gradient
        node = self.nodes[self._place[id(self.root)]]
        node["gradient"], node["gradientStep"] = self.arrays.add(gradient), len(self.steps)
        title = self._words["seed"].format(root=self.root.name, number=self._text(gradient))
        still = [self._waits(value, waiting[id(value)]) for value in reversed(self.values) if waiting.get(id(value))]
        line = self._equal([name], gradient)
        row = self._row(name, self._text(gradient), gradient, "gradient")
        step = {"phase": "backward", "node": self._place[id(self.root)], "title": title, "rows": [row], "lines": [line]}
        self.steps.append({**step, "pending": self._some(still)})

    def _waits(self, value: Value, consumers: list[str]) -> str:
        names = list(dict.fromkeys(consumers))
        shown = ", ".join(names[:AT_ONCE]) + (", …" if len(names) > AT_ONCE else "")
        return self._words["waits"].format(name=value.name, count=len(consumers), consumers=shown)

    def _some(self, sentences: list[str]) -> list[str]:
        left = len(sentences) - AT_ONCE
        return sentences if left <= 0 else [*sentences[:AT_ONCE], self._words["and more"].format(count=left)]

    def _through(
        self, value: Value, parts: list[Part], waiting: Mapping[int, list[str]], following: Value | None
    ) -> Data:
        """The step through one operation: what arrives, what each path multiplies it with, what it adds up to."""
        name = self._gradient_name(value)
        rows = [self._row(self._words["incoming"], self._equal([name], value.gradient), value.gradient, "gradient")]
        for part in parts:
            rows += self._rows_of(value, part)
        lines, pending = [], []
        for target in {id(part.target): part.target for part in parts}.values():
            own = [part for part in parts if part.target is target]
            for part in own:
                waiting[id(target)].remove(str(value.name))
                self._add(target, part)
            row, line = self._total(target, waiting[id(target)])
            rows += [row] if row else []
            lines.append(line)
            pending.append(self._status(target, waiting[id(target)]))
        pending = self._some(pending)
        pending.append(self._words["end"] if following is None else self._words["turn"].format(name=following.name))
        place, formula = self._place[id(value)], self._reader.expression(value).text()
        title = _cut(self._words["through"].format(name=value.name, formula=formula), TITLE)
        step = {"phase": "backward", "node": place, "title": title, "rows": rows, "lines": lines, "pending": pending}
        return {**step, "hint": hint(value.operation.name, self._language), "lit": [self._lit(part) for part in parts]}

    def _rows_of(self, value: Value, part: Part) -> Iterator[Data]:
        """The local derivative of a path, and the product that goes along it."""
        gradient, sent = self._gradient_name(value), self._text(part.array)
        edge: Data = self.edges[self._edge_of[part.argument]]
        edge["step"] = len(self.steps)
        if _is_number(part.array):
            edge["sent"] = sent
        number = {gradient: self._text(value.gradient)} if _is_number(value.gradient) else {}
        words = gradient
        if part.local is None:
            formula = _formula_text(part.reading)
            worked = self._in_numbers(part.reading, number) if formula else None
            product = self._equal([formula, worked or ""], part.array)
            yield self._row(self._words["rule"].format(name=part.name), product, part.array, "gradient")
            words = formula or sent
        else:
            local, evaluated = part.local.text(), self._evaluated(value, part.local)
            known = self._text(evaluated) if _is_number(evaluated) else ""
            name = f"d{value.name}/d{part.name}"
            words = f"{gradient} · {name}"
            yield self._row(self._words["local"], self._equal([name, local], evaluated), evaluated, "local")
            product = f"{self._text(value.gradient) if number else gradient}·{part.local.factor()}"
            worked = self._in_numbers(part.local, factor=True)
            worked = f"{number[gradient]}·{worked}" if worked and number else ""
            edge["local"] = _cut(_equal([local, known]), LABEL)
            worked = _equal([product, worked]) if number else ""
            product = self._equal([worked or product], part.array)
            yield self._row(self._words["to"].format(name=part.name), product, part.array, "gradient")
        self._terms.setdefault(id(part.target), []).append((words, worked or "", sent))

    def _evaluated(self, value: Value, local: Any) -> Any:
        """A local derivative as numbers, where it is made of values of the graph; None elsewhere."""
        around = {argument_name(argument): _array_of(argument) for argument in self._reader.arguments(value)}
        around[str(value.name)] = value.array
        if not local.names() or not local.names() <= around.keys():
            return None
        return local.evaluate({name: host(around[name]) for name in local.names()})

    def _add(self, target: Value, part: Part) -> None:
        """A part arrives."""
        if isinstance(target.array, tuple):
            return
        before = self._sums.get(id(target))
        self._sums[id(target)] = part.array if before is None else before + part.array

    def _total(self, target: Value, left: list[str]) -> tuple[Data | None, str]:
        """What has arrived at a value, as a row where paths meet, and as a line of the derivation."""
        name, terms, all_ = self._gradient_name(target), self._terms[id(target)], self._count[id(target)]
        done, complete = all_ - len(left), not left
        total = self._sums.get(id(target))
        if complete and target.gradient is not None and target.kind == RESULT:
            total = target.gradient
        node = self.nodes[self._place[id(target)]]
        if complete:
            node["gradient"], node["gradientStep"] = self.arrays.add(total), len(self.steps)
        elif total is not None:
            node["arrivals"].append([len(self.steps), self.arrays.add(total), done, all_])
        added = _cut(_plus([sent for _, _, sent in terms]), LONG) if _is_number(total) and len(terms) > 1 else ""
        worked = added or (terms[0][1] if len(terms) == 1 else "")
        line = self._equal([_cut(f"{name} = {_plus([words for words, _, _ in terms])}", LONG), worked], total)
        if all_ == 1:
            return None, line
        state = self._words["complete"] if complete else self._words["so far"].format(done=done, all=all_)
        text = f"{self._equal([added], total)}  ({state})"
        return self._row(self._words["sum"].format(name=target.name), text, total, "gradient"), (
            line if complete else f"{line}  ({state})"
        )

    def _status(self, target: Value, left: list[str]) -> str:
        if left:
            return self._waits(target, left)
        return self._words["ready" if target.kind == RESULT else "leaf done"].format(name=target.name)

    def _lit(self, part: Part) -> int:
        return self._edge_of[part.argument]


def _is_number(array: Any) -> bool:
    return array is not None and not isinstance(array, tuple) and getattr(array, "ndim", 0) == 0


def _array_of(argument: Argument) -> Any:
    assert argument.value is not None
    array = argument.value.array
    return array if argument.output is None else array[argument.output]


def _formula_text(reading: Any) -> str:
    return _cut(reading.text(), LONG) if hasattr(reading, "text") else ""


def _equal(parts: list[str]) -> str:
    """u = b·c = 3·2 = 6, where each part says something new."""
    found: list[str] = []
    for part in parts:
        if part and (not found or found[-1].split(" = ")[-1] != part):
            found.append(part)
    return " = ".join(found)


def _plus(terms: list[str]) -> str:
    text = terms[0]
    for term in terms[1:]:
        text += f" − {term[1:]}" if term.startswith("−") else f" + {term}"
    return text


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _marks(names: list[str]) -> list[str]:
    """⁽¹⁾, ⁽²⁾ behind names that occur twice, so that both paths of a·a have one."""
    raised = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
    return [
        f"⁽{str(names[: i + 1].count(name)).translate(raised)}⁾" if names.count(name) > 1 else ""
        for i, name in enumerate(names)
    ]
