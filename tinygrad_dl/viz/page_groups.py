"""What the page folds: modules, and runs of operations where too many would stand side by side.

Every group is an unbroken run in the order of creation, so that no path leaves it and comes back, and a graph with
folded groups has no cycle. A module that runs twice makes two groups.
"""

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Sequence

from .history import RESULT, Value

SIDE_BY_SIDE = 40  # operations; more are folded into runs


class Group:
    """A module or a run of operations; `members` are places in the list of values, and groups within."""

    def __init__(self, parent: "Group | None", kind: str, first: int, module: str = "", name: str = "") -> None:
        self.parent, self.kind, self.first = parent, kind, first
        self.module, self.name = module, name  # its path, and what the page calls it
        self.members: list[int | Group] = []
        self.number = 0  # its place in the list of all groups

    @property
    def path(self) -> list["Group"]:
        """The groups around it and itself, from the outermost."""
        path, group = [self], self
        while group.parent is not None:
            group = group.parent
            path.append(group)
        return path[::-1]


def grouped(values: Sequence[Value]) -> tuple[list[Group], list[Group]]:
    """All groups, the whole graph first, and for each value the innermost one that it stands in."""
    root = Group(None, "graph", 0)
    results = [i for i, value in enumerate(values) if value.kind == RESULT]
    _fill(root, results, [_modules(value) for value in values], 0)
    homes = {i: group for group in _all(root) for i in group.members if isinstance(i, int)}
    for i, home in _homes_of_leaves(values, homes).items():
        homes[i] = home
        home.members.append(i)
    for group in list(_all(root)):
        group.members = [_only_one(member, homes, group) for member in group.members]
    groups = list(_all(root))
    for number, group in enumerate(groups):
        group.number = number
    return groups, [homes[i] for i in range(len(values))]


def _only_one(member: "int | Group", homes: dict[int, Group], around: Group) -> "int | Group":
    """A module of one operation and no parameters, such as Tanh, as that operation: a box around a box says nothing."""
    if isinstance(member, Group) and len(member.members) == 1 and isinstance(member.members[0], int):
        homes[member.members[0]] = around
        return member.members[0]
    return member


def _modules(value: Value) -> tuple[tuple[str, str], ...]:
    return value.record.modules if value.record is not None else ()


def _fill(group: Group, results: list[int], modules: Sequence[tuple[tuple[str, str], ...]], depth: int) -> None:
    """Modules nest a few deep, so this recursion is shallow whatever the size of the graph."""
    members: list[int | Group] = []
    for module, run in itertools.groupby(results, lambda i: modules[i][depth] if len(modules[i]) > depth else None):
        inside = list(run)
        if module is None:
            members += inside
            continue
        path, kind = module
        child = Group(group, "module", inside[0], path, path if path == kind else f"{path}: {kind}")
        _fill(child, inside, modules, depth + 1)
        members.append(child)
    group.members = _in_runs(group, members)


def _in_runs(group: Group, members: list[int | Group]) -> list[int | Group]:
    """Too many members as runs of about equal length, which are runs again if that is still too many."""
    if len(members) <= SIDE_BY_SIDE:
        return members
    levels = math.ceil(math.log(len(members), SIDE_BY_SIDE))
    size = math.ceil(len(members) / math.ceil(len(members) ** (1 / levels)))
    runs: list[int | Group] = []
    for start in range(0, len(members), size):
        part = members[start : start + size]
        run = Group(group, "run", part[0] if isinstance(part[0], int) else part[0].first)
        run.members = _in_runs(run, part)
        for member in run.members:
            if isinstance(member, Group):
                member.parent = run
        runs.append(run)
    return runs


def _all(root: Group) -> Iterable[Group]:
    """A group and all within, outer ones first."""
    waiting = [root]
    while waiting:
        group = waiting.pop(0)
        yield group
        waiting += _groups_in(group)


def _homes_of_leaves(values: Sequence[Value], homes: dict[int, Group]) -> dict[int, Group]:
    """A leaf or constant stands in the innermost group around all its uses; in a module only if it belongs there."""
    place = {id(value): i for i, value in enumerate(values)}
    found: dict[int, list[Group]] = {}
    for i, value in enumerate(values):
        for given in value.inputs if value.kind == RESULT else ():
            if given.kind != RESULT:
                leaf = place[id(given)]
                path = homes[i].path
                found[leaf] = _shared(found[leaf], path) if leaf in found else path
    owners = {leaf: _owner(values[leaf], path) for leaf, path in found.items()}
    crowd = Counter(map(id, owners.values()))
    return {  # where too many would stand, each stands where it is used
        leaf: owner if crowd[id(owner)] <= SIDE_BY_SIDE else found[leaf][-1] for leaf, owner in owners.items()
    }


def _shared(one: list[Group], other: list[Group]) -> list[Group]:
    return [a for a, b in zip(one, other) if a is b]


def _owner(value: Value, path: list[Group]) -> Group:
    """A parameter stays in its module; what was handed in from outside stands outside."""
    for outer, group in itertools.pairwise(path):
        if value.name is not None and not str(value.name).startswith(group.module):
            return outer
    return path[-1]


def short_names(values: Sequence[Value], homes: Sequence[Group]) -> dict[str, str]:
    """What parameters are called within their module: weight, not net[0].weight."""
    short = {}
    for value, home in zip(values, homes, strict=True):
        module = next((group.module for group in reversed(home.path) if group.module), "")
        if value.kind != RESULT and module and str(value.name).startswith(module):
            short[str(value.name)] = str(value.name).removeprefix(module).lstrip(".") or str(value.name)
    return short


def shown_at_first(groups: Sequence[Group], fold: bool | None, up_to: int) -> list[int]:
    """Which groups are unfolded at first: none, all, or level by level while so many boxes stay on the page at most."""
    if fold is not None:
        return [] if fold else [group.number for group in groups[1:]]
    unfolded: list[int] = []
    level, boxes = _groups_in(groups[0]), len(groups[0].members)
    while level:
        boxes += sum(len(group.members) - 1 for group in level)
        if boxes > up_to:
            break
        unfolded += [group.number for group in level]
        level = [inner for group in level for inner in _groups_in(group)]
    return unfolded


def _groups_in(group: Group) -> list[Group]:
    return [member for member in group.members if isinstance(member, Group)]
