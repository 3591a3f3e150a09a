"""The graph of a result as a picture: DOT, drawn as SVG, PNG or PDF. Values are blue, gradients orange."""

import html
import math
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import ArgumentError, MissingPackageError
from ..tensor import Tensor
from .arrays import matrix_rows
from .history import CONSTANT, LEAF, RESULT, Argument, History, Value, results_of
from .reading import Reader, host, nameless, output_symbols
from .trace import Trace
from .writing import number_text

PALETTE = {
    "paper": "#fbfaf7", "card": "#ffffff", "ink": "#1d2430", "soft": "#667085", "line": "#d9dde3", "arrow": "#98a2b3",
    "value": "#1f5fbf", "value_soft": "#e6effb", "grad": "#b5480b", "grad_soft": "#fdeee2", "cluster": "#f2f4f7",
}  # fmt: skip
FONT, MONO = "DejaVu Sans", "DejaVu Sans Mono"
FOLD_ABOVE = 150  # operations; more can't be read, and laying out takes long
BOXES_UP_TO = 60  # that folding by itself leaves
LABELS_UP_TO = 30  # operations, for the local derivatives beside the edges


def graph(
    tensor: Tensor | Sequence[Tensor] | Trace,
    *,
    fold: bool | int | None = None,
    letters: bool = True,
    names: Mapping[str, Tensor] | None = None,
    direction: str = "LR",
    title: str | None = None,
) -> "Graph":
    """The graph of what led to a result: operations, leaves, and, after a trace, values, gradients and names.

    Without a trace the picture has structure, shapes, the leaves' values and gradients. A gradient that backward has
    not brought yet is "not yet". Arguments: tensor (one, several, or a trace), fold (modules as one box each: True,
    False, to a depth, or None: when there are more than 150 operations), letters (False: a traced result without a name
    in the source is written out where it is used, and has no node of its own), names ({"W": tensor}, where the
    variables' names are not wanted), direction ("LR" or "TB"), title. Returns a Graph: `.source` is DOT,
    `.save("graph.svg")` draws, a notebook shows it. Raises GraphError for a tensor without history. Source: notes,
    section 1.1.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import viz
    >>> w = tg.tensor(3.0, requires_grad=True)
    >>> with viz.trace():
    ...     J = w * w
    >>> picture = viz.graph(J)
    >>> picture
    <graph of 1 operation and 1 leaf; .save("graph.svg") draws it>
    >>> print(picture.text())
    w          leaf  value 3  gradient not yet
    J = w·w    mul   value 9  gradient not yet
    """
    if direction not in ("LR", "TB"):
        raise ArgumentError(f"graph: direction is 'LR' (left to right) or 'TB' (top to bottom), not {direction!r}")
    if not isinstance(fold, bool | None) and (not isinstance(fold, int) or fold < 1):
        raise ArgumentError(f"graph: fold is True, False, None or how deep, from 1; not {fold!r}")
    history = History(results_of("graph", tensor), sys._getframe(1), names)
    return Graph(history, fold, letters, direction, title)


class Graph:
    """A picture of a graph: `.source`, `.save(path)`, `.svg()`, `.text()`; a notebook shows it by itself."""

    def __init__(
        self, history: History, fold: bool | int | None, letters: bool, direction: str, title: str | None
    ) -> None:
        folded = nameless(history) if history.traced and not letters else set()
        self.values, self.traced = [value for value in history.values if value not in folded], history.traced
        self._reader, self._direction, self._title = Reader(folded), direction, title
        if history.traced:
            history.name_all(folded)
        self.groups = _groups(self.values, fold)
        self._places = {id(value): i for i, value in enumerate(self.values)}
        self._homes = _homes_of_leaves(self.values)
        self._short = {str(v.name): _short_name(v, self._homes) for v in self.values if v.kind == LEAF}
        self._labelled = sum(value.kind == RESULT for value in self.values) <= LABELS_UP_TO and not self.groups
        self._has_numbers = (
            any(_edge_labels(value, self._reader) for value in self.values if value.kind == RESULT)
            if self._labelled
            else False
        )
        self.source = self._draw()

    # --- what it becomes

    def save(self, path: str | Path) -> Path:
        """Write the picture: `.dot` or `.gv` as text, `.svg`, `.png` and `.pdf` drawn. Returns the path.

        Raises ArgumentError for another suffix, and MissingPackageError when neither Graphviz nor pygraphviz is there
        to draw.
        """
        path = Path(path)
        kind = path.suffix.lstrip(".").lower()
        if kind in ("dot", "gv"):
            content = self.source.encode()
        elif kind in ("svg", "png", "pdf"):
            content = render(self.source, kind)
        else:
            raise ArgumentError(f"graph: a picture's name ends in .svg, .png, .pdf or .dot, not {path.name!r}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def svg(self) -> str:
        """The picture as SVG."""
        return render(self.source, "svg").decode()

    def text(self) -> str:
        """The graph as lines for a terminal: what each value is, and its value and gradient."""
        rows = [_text_row(value, self._reader) for value in self.values]
        widths = [max(len(row[i]) for row in rows) for i in range(3)]
        gaps = (4, 2, 2)
        return "\n".join(
            "".join(cell.ljust(w + gap) for cell, w, gap in zip(row, widths, gaps, strict=False)) + row[3]
            for row in rows
        )

    def __repr__(self) -> str:
        operations = sum(value.kind == RESULT for value in self.values)
        leaves = sum(value.kind == LEAF for value in self.values)
        counts = f"{_counted(operations, 'operation')} and {_counted(leaves, 'leaf')}"
        return f'<graph of {counts}; .save("graph.svg") draws it>'

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        try:
            return {"image/svg+xml": self.svg(), "text/plain": repr(self)}
        except MissingPackageError as error:
            return {"text/plain": f"{self.text()}\n{error}"}

    # --- drawing

    def _draw(self) -> str:
        import graphviz

        dot = graphviz.Digraph("backprop")
        self._set_style(dot)
        self._draw_nodes(dot)
        drawn: set[Any] = set()
        for value in self.values:
            if value.kind == RESULT:
                self._draw_edges(dot, value, drawn)
        return str(dot.source)

    def _set_style(self, dot: Any) -> None:
        dot.attr(
            rankdir=self._direction, bgcolor=PALETTE["paper"], pad="0.3", nodesep="0.22", ranksep="0.5", fontname=FONT
        )
        dot.attr("node", shape="plain", fontname=FONT, fontsize="13", fontcolor=PALETTE["ink"])
        dot.attr(
            "edge",
            color=PALETTE["arrow"],
            arrowsize="0.65",
            penwidth="1.3",
            fontname=MONO,
            fontsize="10.5",
            fontcolor=PALETTE["soft"],
        )
        dot.attr(label=self._legend(), labelloc="b", fontsize="11", fontcolor=PALETTE["soft"])

    def _legend(self) -> str:
        soft = PALETTE["soft"]
        parts = [
            f'<FONT COLOR="{PALETTE["value"]}">value</FONT> above',
            f'<FONT COLOR="{PALETTE["grad"]}">gradient</FONT> below',
        ]
        if self._labelled and self._has_numbers:
            parts.append("local derivative beside the edge")
        if not self.traced:
            parts = [*parts, "for values, names and inner gradients do the forward inside: with viz.trace():"]
        title = (
            f'<FONT POINT-SIZE="14" COLOR="{PALETTE["ink"]}"><B>{_escaped(self._title)}</B></FONT>'
            if self._title
            else ""
        )
        rows = [
            f"<TR><TD>{row}</TD></TR>" for row in (title, f'<FONT COLOR="{soft}">{"  ·  ".join(parts)}</FONT>') if row
        ]
        return f'<<TABLE BORDER="0" CELLPADDING="3">{"".join(rows)}</TABLE>>'

    def _draw_nodes(self, dot: Any) -> None:
        """Draw the nodes, each once: those of a module in a cluster of its own."""
        inside: dict[tuple[str, ...], list[Value]] = {}
        folded: dict[Any, list[Value]] = {}
        for value in self.values:
            group = self.groups.get(id(value))
            if group is not None:
                folded.setdefault(group, []).append(value)
            else:
                inside.setdefault(self._home(value), []).append(value)
        for group, values in folded.items():
            home = group[1][:-1] if group[0] == "module" else ()
            inside.setdefault(home, []).append(_Folded(group, values))  # type: ignore[arg-type]
        children: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
        for place in inside:
            for depth in range(len(place)):
                below = children.setdefault(place[:depth], [])
                if place[: depth + 1] not in below:
                    below.append(place[: depth + 1])
        self._fill(dot, (), inside, children)

    def _home(self, value: Value) -> tuple[str, ...]:
        """The modules around a value; a leaf stands where the first operation that uses it does."""
        if value.kind == RESULT:
            return modules_of(value)
        return self._homes.get(id(value), ())

    def _fill(
        self, dot: Any, home: tuple[str, ...], inside: Mapping[Any, list[Any]], children: Mapping[Any, list[Any]]
    ) -> None:
        """Modules nest a few deep, so this recursion is shallow whatever the size of the graph."""
        for value in inside.get(home, ()):
            self._draw_node(dot, value)
        for child in children.get(home, ()):
            single = len(inside.get(child, ())) == 1 and child not in children
            if single:  # a box around one box says nothing
                self._fill(dot, child, inside, children)
                continue
            with dot.subgraph(name="cluster_" + "/".join(child)) as cluster:
                title = f"<{_escaped(_module_label(child, self.values))}>"
                cluster.attr(label=title, labelloc="t", labeljust="l", style="rounded,filled", margin="10")
                cluster.attr(color=PALETTE["line"], fillcolor=PALETTE["cluster"])
                cluster.attr(fontcolor=PALETTE["soft"], fontsize="11", fontname=FONT)
                self._fill(cluster, child, inside, children)

    def _draw_node(self, dot: Any, value: Any) -> None:
        if isinstance(value, _Folded):
            dot.node(value.id, label=f"<{_box(value.label, None, None, dashed=True)}>")
            return
        dot.node(self._id(value), label=f"<{_label(value, self._reader, self._short)}>", tooltip=_tooltip(value))

    def _id(self, value: Value) -> str:
        group = self.groups.get(id(value))
        if group is not None:
            return _Folded(group, []).id
        return f"n{value.node.order}" if value.kind == RESULT else f"{value.kind}{self._places[id(value)]}"

    def _draw_edges(self, dot: Any, value: Value, drawn: set[Any]) -> None:
        """An edge for each argument in their order, so that a·a has two; folded boxes share one."""
        target = self._id(value)
        labels = _edge_labels(value, self._reader) if self._labelled else {}
        arguments = self._reader.arguments(value)
        several = len(arguments) > 1 and value.record is None
        for place, argument in enumerate(arguments):
            source = self._id(argument.value)  # type: ignore[arg-type]
            folded = id(argument.value) in self.groups or id(value) in self.groups
            if source == target or (folded and (source, target) in drawn):
                continue
            drawn.add((source, target))
            style: dict[str, str] = {}
            if argument.value.kind == CONSTANT:  # type: ignore[union-attr]
                style = {"style": "dashed", "color": PALETTE["line"]}
            words = [] if argument.output is None else [f"output {argument.output}"]
            words += [labels[argument]] if argument in labels else []
            if several and not folded and _order_matters(value):
                words.append(f"{place + 1}.")
            tail, head = _port(source, argument.value, self.groups), _port(target, value, self.groups)
            dot.edge(tail, head, **({"label": f"<{_beside('  '.join(words))}>"} if words else {}), **style)


def _port(name: str, value: Any, groups: Mapping[int, Any]) -> str:
    return name if id(value) in groups else f"{name}:body"


# --- folding


class _Folded:
    """A module, or a chain of operations, drawn as one box."""

    def __init__(self, group: tuple[str, Any], values: list[Value]) -> None:
        self.group, self.values = group, values
        self.id = f"{group[0]}_{'/'.join(group[1])}" if group[0] == "module" else f"chain_{group[1]}"

    @property
    def label(self) -> str:
        count = _counted(sum(value.kind == RESULT for value in self.values), "operation")
        parameters = sum(math.prod(value.shape) for value in self.values if value.kind == LEAF)
        kept = f", {_counted(parameters, 'parameter')}" if parameters else ""
        if self.group[0] == "module":
            return f"<B>{_escaped(_module_label(self.group[1], self.values))}</B><BR/>{count}{kept}"
        return f"… {count} …"


def _groups(values: list[Value], fold: bool | int | None) -> dict[int, Any]:
    """Which values are drawn inside which box: by module, or, where there are no modules, by chain."""
    count = sum(value.kind == RESULT for value in values)
    if fold is False or (fold is None and count <= FOLD_ABOVE):
        return {}
    homes = {id(value): modules_of(value) for value in values if value.kind == RESULT}
    deepest = max([len(home) for home in homes.values()], default=0)
    depth = deepest if fold is True else fold
    if depth is None:  # as deep as leaves few enough boxes
        depth = next((d for d in range(deepest, 0, -1) if len({h[:d] for h in homes.values()}) <= BOXES_UP_TO), 1)
    groups: dict[int, Any] = {key: ("module", home[:depth]) for key, home in homes.items() if home}
    for key, home in _homes_of_leaves(values).items():
        groups[key] = ("module", home[:depth])
    if count - len(groups) > FOLD_ABOVE or not groups:
        groups.update(_chains(values, groups))
    return groups


def _chains(values: list[Value], taken: Mapping[int, Any]) -> dict[int, Any]:
    """Runs of operations of which each has one consumer and one result among its arguments."""
    consumers: dict[int, int] = {}
    for value in values:
        for given in value.inputs if value.kind == RESULT else ():
            consumers[id(given)] = consumers.get(id(given), 0) + 1
    runs: dict[int, list[Value]] = {}
    run_of: dict[int, int] = {}
    for value in values:
        if value.kind != RESULT or id(value) in taken:
            continue
        before = [given for given in value.inputs if given.kind == RESULT]
        run = run_of.get(id(before[0])) if len(before) == 1 and consumers[id(before[0])] == 1 else None
        run = len(runs) if run is None else run
        run_of[id(value)] = run
        runs.setdefault(run, []).append(value)
    folded: dict[int, Any] = {}
    for run, members in runs.items():
        if len(members) > 4:  # the first and the last stay to be seen
            folded.update({id(value): ("chain", run) for value in members[1:-1]})
    return folded


def modules_of(value: Value) -> tuple[str, ...]:
    """The paths of the modules that an operation ran in, outermost first."""
    return tuple([path for path, _ in value.record.modules]) if value.record is not None else ()


def _homes_of_leaves(values: Sequence[Value]) -> dict[int, tuple[str, ...]]:
    """Where leaves that are named after a module stand: in it."""
    homes: dict[int, tuple[str, ...]] = {}
    for value in values:
        around = modules_of(value) if value.kind == RESULT else ()
        for given in value.inputs if around else ():
            if given.kind == LEAF and str(given.name).startswith(around[-1]):
                homes.setdefault(id(given), around)
    return homes


def _short_name(value: Value, homes: Mapping[int, tuple[str, ...]]) -> str:
    """A parameter's name within its module's cluster: weight, not model[0].weight."""
    home = homes.get(id(value))
    return str(value.name).removeprefix(home[-1]).lstrip(".") if home else str(value.name)


def _module_label(path: Sequence[str], values: Sequence[Value]) -> str:
    kinds = {
        p: kind
        for value in values
        if value.kind == RESULT and value.record is not None
        for p, kind in value.record.modules
    }
    kind = kinds.get(path[-1], "")
    return path[-1] if kind == path[-1] or not kind else f"{path[-1]}: {kind}"


# --- what stands in and beside a node


def _label(value: Value, reader: Reader, short: Mapping[str, str]) -> str:
    above = _chip(value.array, "value") if value.array is not None else _shape_chip(value.shape)
    if value.kind == CONSTANT:
        return _box(_name_cell(value, reader, short), above, None, dim=True)
    gradient = _chip(value.gradient, "grad") if value.gradient is not None else _pending_chip(value)
    return _box(_name_cell(value, reader, short), above, gradient, heavy=value.kind == LEAF)


def _box(
    body: str, above: str | None, below: str | None, *, heavy: bool = False, dim: bool = False, dashed: bool = False
) -> str:
    color = PALETTE["ink"] if heavy else PALETTE["line"] if dim else PALETTE["soft"]
    style = "ROUNDED,DASHED" if dashed else "ROUNDED"
    border = "2" if heavy else "1"
    rows = [f"<TR><TD>{_centred(above)}</TD></TR>"] if above else []
    look = f'STYLE="{style}" COLOR="{color}" BGCOLOR="{PALETTE["card"]}"'
    spacing = 'CELLBORDER="0" CELLSPACING="0" CELLPADDING="7"'
    cell = f'<TABLE BORDER="{border}" {spacing} {look}><TR><TD>{body}</TD></TR></TABLE>'
    rows.append(f'<TR><TD PORT="body" CELLPADDING="0">{cell}</TD></TR>')
    rows += [f"<TR><TD>{_centred(below)}</TD></TR>"] if below else []
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2">{"".join(rows)}</TABLE>'


def _centred(chip: str) -> str:
    """A chip that stays narrow in a wide box: empty cells beside it take most of the room."""
    pad = '<TD CELLPADDING="0"></TD>' * 4
    return (
        f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"><TR>{pad}<TD>{chip}</TD>{pad}</TR></TABLE>'
    )


def _name_cell(value: Value, reader: Reader, short: Mapping[str, str]) -> str:
    shown = short.get(str(value.name), value.name) if value.kind == LEAF else value.name
    name = "" if shown is None else f"<B>{_escaped(shown)}</B>"
    if value.kind != RESULT:
        text = name or ("leaf" if value.kind == LEAF else "constant")
        return f'<FONT COLOR="{PALETTE["soft"]}">{text}</FONT>' if value.kind == CONSTANT else text
    if value.record is None:
        return f"{name} = {_escaped(_operation_name(value))}" if name else _escaped(_operation_name(value))
    formula = _shortened(reader.expression(value).text(short))
    return f"{name} = {_escaped(formula)}"


def _operation_name(value: Value) -> str:
    return str(value.operation.name).strip("_")


def _shortened(text: str, limit: int = 48) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _chip(array: Any, kind: str) -> str:
    """A number, a small matrix, or the shape and range of a large one."""
    arrays = array if isinstance(array, tuple) else (array,)
    lines = [line for part in arrays if part is not None for line in _array_lines(host(part))]
    text = "<BR/>".join(_escaped(line).replace(" ", "&#160;") for line in lines)
    return (
        f'<TABLE BORDER="0" CELLBORDER="0" CELLPADDING="3" STYLE="ROUNDED" BGCOLOR="{PALETTE[kind + "_soft"]}"><TR><TD>'
        f'<FONT FACE="{MONO}" POINT-SIZE="11" COLOR="{PALETTE[kind]}">{text}</FONT></TD></TR></TABLE>'
    )


def _array_lines(array: Any) -> list[str]:
    if array.ndim == 0:
        return [number_text(array.item())]
    small = array.ndim <= 2 and array.size <= 12 and array.shape[-1] <= 4
    if small:
        return matrix_rows(array, 3)
    return [str(tuple(array.shape)), *matrix_rows(array, 3, limit=0)]


def _shape_chip(shape: Any) -> str:
    text = (
        " ".join(str(tuple(s)) for s, _ in shape)
        if isinstance(shape, list)
        else str(tuple(shape))
        if shape
        else "number"
    )
    return f'<FONT FACE="{MONO}" POINT-SIZE="11" COLOR="{PALETTE["soft"]}">{text}</FONT>'


def _pending_chip(value: Value) -> str | None:
    if value.kind == RESULT and value.record is None:
        return None  # not known, which is not the same as not yet
    return (
        f'<TABLE BORDER="1" CELLBORDER="0" CELLPADDING="2" STYLE="ROUNDED,DASHED" COLOR="{PALETTE["line"]}"><TR><TD>'
        f'<FONT POINT-SIZE="10" COLOR="{PALETTE["soft"]}">not yet</FONT></TD></TR></TABLE>'
    )


def _edge_labels(value: Value, reader: Reader) -> dict[Argument, str]:
    """Local derivatives beside the edges of operations on numbers: "c = 2"."""
    if value.record is None or isinstance(value.array, tuple) or value.array.ndim:
        return {}
    paths = reader.read(value, output_symbols("g", value.array))
    labels = zip(paths, reader.locals(value), strict=True)
    return {argument: _local_text(value, reader, local) for (argument, _), local in labels if local is not None}


def _beside(text: str) -> str:
    """A label of an edge, with room around it: Graphviz would let it touch its line."""
    return f'<TABLE BORDER="0" CELLPADDING="3"><TR><TD>{_escaped(text)}</TD></TR></TABLE>'


def _local_text(value: Value, reader: Reader, local: Any) -> str:
    around = [value, *[argument.value for argument in reader.arguments(value)]]
    numbers = {
        str(v.name): v.array.item()
        for v in around
        if v is not None and not isinstance(v.array, tuple) and v.array.ndim == 0
    }
    text = str(local.text())
    if not local.names() or not local.names() <= numbers.keys():
        return text
    return f"{text} = {number_text(float(local.evaluate(numbers)))}"


def _order_matters(value: Value) -> bool:
    return _operation_name(value) not in ("add", "mul", "maximum", "minimum")


def _tooltip(value: Value) -> str:
    line = value.record.line if value.record is not None else None
    words = [str(value.name or value.kind), f"shape {value.shape}"]
    words += [f"{Path(line[0]).name}:{line[1]} in {line[2]}"] if line is not None else []
    return html.escape(", ".join(words)).replace("\\", "\\\\")


def _escaped(text: Any) -> str:
    """Text for a label in Graphviz' HTML: nothing in a name can end the label or begin a tag."""
    plain = "".join(c if c.isprintable() else "·" for c in str(text))
    return html.escape(plain).replace("[", "&#91;").replace("]", "&#93;")


def _text_row(value: Value, reader: Reader) -> tuple[str, str, str, str]:
    name = str(value.name or "")
    kind = _operation_name(value) if value.kind == RESULT else value.kind
    if value.kind == RESULT and value.record is not None:
        name = f"{name} = {_shortened(reader.expression(value).text())}"
    shown = f"value {_one_line(value.array)}" if value.array is not None else f"shape {value.shape}"
    if value.kind == CONSTANT or (value.kind == RESULT and value.record is None):
        return name, kind, shown, ""
    gradient = "not yet" if value.gradient is None else _one_line(value.gradient)
    return name, kind, shown, f"gradient {gradient}"


def _one_line(array: Any) -> str:
    arrays = array if isinstance(array, tuple) else (array,)
    shown = [host(part) for part in arrays if part is not None]
    return ", ".join(" ".join(_array_lines(part)) if part.size <= 6 else str(tuple(part.shape)) for part in shown)


def _counted(n: int, noun: str) -> str:
    plural = {"leaf": "leaves"}.get(noun, noun + "s")
    return f"{n:,} {noun if n == 1 else plural}"


# --- rendering


def render(source: str, kind: str) -> bytes:
    """DOT drawn as svg, png or pdf."""
    drawn = _drawn(source, kind)
    if kind != "svg":
        return drawn
    for font, others in _SIMILAR.items():  # a browser without our font takes one of the same width
        drawn = drawn.replace(f'font-family="{font}"'.encode(), f'font-family="{font}, {others}"'.encode())
    return drawn


_SIMILAR = {FONT: "Verdana, sans-serif", MONO: "Menlo, Consolas, monospace"}


def _drawn(source: str, kind: str) -> bytes:
    """Drawn by the program `dot`, else by the libraries that pygraphviz brings."""
    if shutil.which("dot"):
        import graphviz

        drawn: bytes = graphviz.Source(source).pipe(format=kind)
        return drawn
    try:
        import pygraphviz
    except ImportError:
        raise MissingPackageError(
            "graph: drawing needs Graphviz, which is not installed. `pip install pygraphviz` brings its libraries "
            "along (Linux), or install the program: `apt-get install graphviz`, `brew install graphviz`. Saving as "
            ".dot works without"
        ) from None
    content: bytes = pygraphviz.AGraph(string=source).draw(format=kind, prog="dot")
    return content
