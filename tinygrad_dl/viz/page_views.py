"""Where everything stands on the page: a layout of the whole graph and of the inside of each group.

A view holds what lies directly in its group, folded groups as boxes, and, for lines that cross the group's border, an
end at its left or right side. The page puts the view of an unfolded group in the place of its box.
"""

from collections.abc import Sequence
from typing import Any

from .history import RESULT
from .page_data import Story
from .page_groups import Group
from .page_layout import Item, Line, lay_out
from .page_words import Words

LETTER, GROUP_LETTER, SMALL_LETTER = 8.5, 7.9, 6.9  # widths in the fonts of boxes and of what stands around them
BODY, CHIP, PAD = 34.0, 20.0, 24.0
CELL = 4.0  # of a heat map on the graph
GROUP_HEIGHT = 66.0
LABEL_HEIGHT = 32.0

Box = dict[str, Any]


def views(groups: Sequence[Group], homes: Sequence[Group], story: Story, words: Words, labelled: bool) -> list[Any]:
    """The view of each group, in their order."""
    drawings = [_View(group, story, words) for group in groups]
    for edge in range(len(story.edges)):
        _draw(drawings, homes, story, edge, labelled)
    return [drawing.arranged() for drawing in drawings]


def _draw(drawings: Sequence["_View"], homes: Sequence[Group], story: Story, edge: int, labelled: bool) -> None:
    """An edge as a line in each view that it passes."""
    source, target = story.edges[edge]["from"], story.edges[edge]["to"]
    out, into = homes[source].path, homes[target].path
    depth = sum(a is b for a, b in zip(out, into))  # how many groups around both
    start: Any = source if depth == len(out) else out[depth]
    end: Any = target if depth == len(into) else into[depth]
    drawings[out[depth - 1].number].connect(("box", start), ("box", end), source, edge, labelled)
    for i in range(depth, len(into)):
        inner: Any = target if i + 1 == len(into) else into[i + 1]
        drawings[into[i].number].connect(("in", source), ("box", inner), source, edge, labelled)
    for i in range(depth, len(out)):
        inner = source if i + 1 == len(out) else out[i + 1]
        drawings[out[i].number].connect(("box", inner), ("out", source), source, edge, False)


class _View:
    def __init__(self, group: Group, story: Story, words: Words) -> None:
        self._group, self._story, self._words = group, story, words
        self._lines: dict[Any, tuple[Any, Any, list[int], float]] = {}
        self._ends: dict[Any, None] = {}

    def connect(self, start: Any, end: Any, source: int, edge: int, labelled: bool) -> None:
        """Let a line lead from one box or end to another; lines into a group from the same value are one."""
        for place in (start, end):
            if place[0] != "box":
                self._ends[place] = None
        whole = isinstance(end[1], Group) or end[0] == "out"
        key = (start, end, source) if whole else edge
        if key in self._lines:
            self._lines[key][2].append(edge)
            return
        words: dict[str, Any] = self._story.edges[edge] if labelled and not whole else {}
        length = max(len(words.get("local", "")), len(words.get("sent", "")))
        self._lines[key] = start, end, [edge], length and length * SMALL_LETTER + 8

    def arranged(self) -> Any:
        """The view as data: columns, boxes and lines."""
        inside = [("box", member) for member in sorted(self._group.members, key=self._creation)]
        keys = [end for end in self._ends if end[0] == "in"] + inside + [e for e in self._ends if e[0] == "out"]
        place = {key: i for i, key in enumerate(keys)}
        boxes = [self._box(kind, what) for kind, what in keys]
        pinned = {"in": "first", "out": "last"}
        items = [Item(b["w"], b["h"], pinned.get(kind, "")) for b, (kind, _) in zip(boxes, keys, strict=True)]
        lines = [
            Line(place[start], place[end], width, LABEL_HEIGHT if width else 0.0)
            for start, end, _, width in self._lines.values()
        ]
        layout = lay_out(items, lines)
        for box, (column, y) in zip(boxes, layout.places, strict=True):
            box |= {"c": column, "y": _round(y)}
        drawn = [
            {"s": line.source, "t": line.target, "in": _round(line.in_y), "edges": edges, "label": line.label_at}
            | {"via": [[column, _round(y)] for column, y in line.via]}
            for line, (_, _, edges, _) in zip(layout.lines, self._lines.values(), strict=True)
        ]
        columns = [[_round(left), _round(right)] for left, right in layout.columns]
        size = {"w": _round(layout.width), "h": _round(layout.height)}
        parent = self._group.parent.number if self._group.parent else None
        named = {"label": self._label(), "parent": parent, "kind": self._group.kind}
        return {**named, **size, "columns": columns, "boxes": boxes, "lines": drawn}

    def _creation(self, member: Any) -> tuple[bool, int]:
        """An order in which what is used comes first: leaves and constants, then results as they were made."""
        place = member if isinstance(member, int) else member.first
        return self._story.values[place].kind == RESULT, place

    def _box(self, kind: str, what: Any) -> Box:
        if kind != "box":
            return {"k": kind, "i": what, "w": 0, "h": 2}
        if isinstance(what, Group):
            width = max(len(_label(what, self._story, self._words)) * GROUP_LETTER, 120) + PAD
            return {"k": "group", "i": what.number, "w": _round(width), "h": GROUP_HEIGHT}
        node = self._story.nodes[what]
        waits = len(self._words["not yet"]) * SMALL_LETTER + 14
        chips = [self._chip(node["value"]), self._chip(node["gradient"]), *[self._chip(a[1]) for a in node["arrivals"]]]
        width = max(len(node["box"]) * LETTER + PAD, waits, *[width for width, _ in chips])
        around = max(CHIP, *[height for _, height in chips]) + 6  # above as below, so that lines meet the middle
        return {"k": "node", "i": what, "w": _round(width), "h": _round(BODY + 2 * around)}

    def _chip(self, array: int | None) -> tuple[float, float]:
        """The size of a value or a gradient above or below its node."""
        if array is None:
            return 0.0, CHIP
        shown = self._story.arrays.shown[array]
        if "heat" in shown:
            rows, columns = len(shown["heat"]), len(shown["heat"][0])
            cell = cell_of(rows, columns)
            return max(columns * cell + 8, len(shown["text"]) * SMALL_LETTER), rows * cell + 8 + 14
        return len(shown["text"]) * SMALL_LETTER * 1.08 + 14, CHIP

    def _label(self) -> str:
        return _label(self._group, self._story, self._words)


def cell_of(rows: int, columns: int) -> float:
    """The side of a square of a heat map on the graph: 4 to 12, so that small arrays are no dots."""
    return max(CELL, min(12.0, 48.0 // rows, 84.0 // columns))


def _label(group: Group, story: Story, words: Words) -> str:
    if group.kind != "run":
        return group.name
    inside = sorted(_results_in(group, story))
    order = story.order
    return words["run"].format(first=order[inside[0]], last=order[inside[-1]])


def _results_in(group: Group, story: Story) -> list[int]:
    found, waiting = [], [group]
    while waiting:
        for member in waiting.pop().members:
            if isinstance(member, Group):
                waiting.append(member)
            elif story.values[member].kind == RESULT:
                found.append(member)
    return found


def _round(x: float) -> float:
    return round(x, 1)
