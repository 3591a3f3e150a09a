"""A layered layout of a directed graph without cycles, from left to right (after Sugiyama, Tagawa and Toda, 1981).

Nodes stand in columns, each to the right of all it was made of. A line that spans several columns passes each of them
in a lane of its own, a horizontal piece between the nodes, and is curved only in the gaps, where nothing stands. A
label stands on such a lane, so that no line ever touches a label, nor a label another.
"""

import bisect
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

GAP = 46.0  # between columns
ROW_GAP, LANE_GAP = 22.0, 12.0  # below a node, and between lanes
LANE_HEIGHT = 6.0
SWEEPS = 8
PORTS_APART = 11.0


@dataclass
class Item:
    """Something to be placed: a node, a folded group, or an end of lines at the border of a group."""

    width: float
    height: float
    pinned: str = ""  # "first" or "last": the column that it must stand in


@dataclass
class Line:
    """A line between two items, by their places in the list, with a label's size."""

    source: int
    target: int
    width: float = 0.0
    height: float = 0.0
    via: list[tuple[int, float]] = field(default_factory=list)  # (column, y) of its lanes
    out_y: float = 0.0  # where it leaves and arrives, from the middle of the item
    in_y: float = 0.0
    label_at: int | None = None  # which of its lanes carries the label: the one next to the target


@dataclass
class Layout:
    """Where everything stands: columns as (left, right), and for each item its column and the y of its middle."""

    columns: list[tuple[float, float]]
    places: list[tuple[int, float]]
    lines: list[Line]
    width: float
    height: float


class _Cell:
    """What takes room in a column: an item, or a lane of a line."""

    __slots__ = ("after", "before", "column", "gap", "height", "is_lane", "order", "width", "y")

    def __init__(self, column: int, width: float, height: float, is_lane: bool) -> None:
        self.column, self.width, self.height, self.is_lane = column, width, height, is_lane
        self.gap = LANE_GAP if is_lane else ROW_GAP
        self.before: list[_Cell] = []
        self.after: list[_Cell] = []
        self.order, self.y = 0, 0.0


def lay_out(items: Sequence[Item], lines: Sequence[Line]) -> Layout:
    """Places for items and lines; an item must come before those that lines lead to from it."""
    if not items:
        return Layout([], [], [], 0.0, 0.0)
    step = 2 if any(line.width for line in lines) else 1  # with labels, every other column is theirs
    columns = _columns(items, lines, step)
    cells = [_Cell(column, item.width, item.height, False) for column, item in zip(columns, items, strict=True)]
    shared: dict[tuple[int, int], _Cell] = {}
    joined: set[tuple[int, int]] = set()
    lanes = [_lanes(line, cells, shared, joined) for line in lines]
    layers: list[list[_Cell]] = [[] for _ in range(1 + max(columns))]
    for cell in dict.fromkeys(itertools.chain(cells, *lanes)):
        layers[cell.column].append(cell)
    layers = _ordered(layers)
    _set_heights(layers)
    borders, right = [], 0.0
    for layer in layers:
        width = max(cell.width for cell in layer) if layer else 0.0
        borders.append((right, right + width))
        right += width + (GAP if step == 1 else GAP * 0.62)
    height = max(cell.y + cell.height / 2 for layer in layers for cell in layer)
    for line, own in zip(lines, lanes, strict=True):
        line.via = [(cell.column, cell.y) for cell in own]
        if line.width:
            line.label_at = len(own) - 1
    _spread_ends(lines, cells, lanes)
    places = [(cell.column, cell.y) for cell in cells]
    return Layout(borders, places, list(lines), borders[-1][1], height)


# --- columns


def _columns(items: Sequence[Item], lines: Sequence[Line], step: int) -> list[int]:
    """Each item right of all that leads to it, and then as near to where it is used as it can stand."""
    into: list[list[int]] = [[] for _ in items]
    out: list[list[int]] = [[] for _ in items]
    for line in lines:
        into[line.target].append(line.source)
        out[line.source].append(line.target)
    column: list[int] = []
    lowest = step if any(item.pinned == "first" for item in items) else 0
    for i, item in enumerate(items):
        column.append(0 if item.pinned == "first" else max([column[j] + step for j in into[i]], default=lowest))
    last = max(column)
    for i in reversed(range(len(items))):
        if items[i].pinned == "last":
            column[i] = last
        elif out[i] and not items[i].pinned:
            column[i] = min(column[j] for j in out[i]) - step
    return column


def _lanes(
    line: Line, cells: Sequence[_Cell], shared: dict[tuple[int, int], _Cell], joined: set[tuple[int, int]]
) -> list[_Cell]:
    """A lane in each column between the ends of a line, which all lines from the same item share, but for a label's."""
    source, target = cells[line.source], cells[line.target]
    lanes = []
    for column in range(source.column + 1, target.column):
        if line.width and column == target.column - 1:
            lanes.append(_Cell(column, line.width, line.height, True))
        else:
            fresh = _Cell(column, 0.0, LANE_HEIGHT, True)
            lanes.append(shared.setdefault((line.source, column), fresh))
    for left, right in itertools.pairwise([source, *lanes, target]):
        if (id(left), id(right)) not in joined:
            joined.add((id(left), id(right)))
            left.after.append(right)
            right.before.append(left)
    return lanes


# --- the order in a column


def _ordered(layers: list[list[_Cell]]) -> list[list[_Cell]]:
    """The layers in an order with few crossings: each cell at the mean place of its neighbours, to and fro."""
    _number(layers)
    best, fewest = [list(layer) for layer in layers], _crossings(layers)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        forward = sweep % 2 == 0
        for layer in layers if forward else reversed(layers):
            layer.sort(key=lambda cell: _mean(cell.before if forward else cell.after, cell.order))
            _number([layer])
        crossings = _crossings(layers)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
    _number(best)
    return best


def _number(layers: Iterable[list[_Cell]]) -> None:
    for layer in layers:
        for place, cell in enumerate(layer):
            cell.order = place


def _mean(neighbours: list[_Cell], otherwise: float) -> float:
    return sum(cell.order for cell in neighbours) / len(neighbours) if neighbours else otherwise


def _crossings(layers: list[list[_Cell]]) -> int:
    """How many pairs of lines cross: inversions among the ends of lines in the order of their beginnings."""
    count = 0
    for layer in layers:
        ends: list[int] = []
        for cell in layer:
            for end in sorted(other.order for other in cell.after):
                count += len(ends) - bisect.bisect_right(ends, end)
                bisect.insort(ends, end)
    return count


# --- heights


def _set_heights(layers: list[list[_Cell]]) -> None:
    """Heights near those of the neighbours, with room between cells; the top is at 0."""
    for layer in layers:
        _place(layer, [0.0] * len(layer))
    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            _place(layer, [_wanted(cell, sweep) for cell in layer])
    top = min(cell.y - cell.height / 2 for layer in layers for cell in layer)
    for layer in layers:
        for cell in layer:
            cell.y -= top


def _wanted(cell: _Cell, sweep: int) -> float:
    """The mean height of the neighbours: on one side at first, on both in the end."""
    if sweep >= SWEEPS - 2:
        near = cell.before + cell.after
    else:
        near = (cell.before if sweep % 2 == 0 else cell.after) or cell.before + cell.after
    return sum(other.y for other in near) / len(near) if near else cell.y


def _place(layer: list[_Cell], wanted: list[float]) -> None:
    """The heights nearest to the wanted ones, in squares, that keep order and room (pool adjacent violators)."""
    offsets, offset = [], 0.0
    for above, cell in itertools.pairwise([None, *layer]):
        if above is not None:
            offset += (above.height + cell.height) / 2 + min(above.gap, cell.gap)  # type: ignore[union-attr]
        offsets.append(offset)
    blocks: list[tuple[float, int]] = []  # (mean, count) of cells that touch each other
    for want, offset in zip(wanted, offsets, strict=True):
        mean, count = want - offset, 1
        while blocks and blocks[-1][0] > mean:
            other, more = blocks.pop()
            mean, count = (mean * count + other * more) / (count + more), count + more
        blocks.append((mean, count))
    means = [mean for mean, count in blocks for _ in range(count)]
    for cell, mean, offset in zip(layer, means, offsets, strict=True):
        cell.y = mean + offset


def _spread_ends(lines: Sequence[Line], cells: Sequence[_Cell], lanes: Sequence[list[_Cell]]) -> None:
    """Lines that arrive at the same item do so one below the other, in the order in which they come."""
    arriving: dict[int, list[tuple[float, int]]] = {}
    for i, line in enumerate(lines):
        before = lanes[i][-1] if lanes[i] else cells[line.source]
        arriving.setdefault(line.target, []).append((before.y, i))
    for target, ends in arriving.items():
        apart = min(PORTS_APART, cells[target].height * 0.5 / len(ends))
        for place, (_, i) in enumerate(sorted(ends)):
            lines[i].in_y = (place - (len(ends) - 1) / 2) * apart
