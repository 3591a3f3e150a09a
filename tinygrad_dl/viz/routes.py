"""Routes: the paths along which a gradient comes from a result to one value, each a factor of the chain rule a step."""

from collections.abc import Sequence

from ..errors import GraphError
from .history import Value
from .reading import Reader

Route = list[tuple[Value, int]]  # the operations that are passed, and which of its paths is taken out of each
MOST_ROUTES = 100  # more can't be read; a graph of n steps may have 2ⁿ


def routes_to(target: Value, root: Value, flowing: Sequence[Value], reader: Reader) -> list[Route]:
    """All routes from the root to a value. Raises GraphError when there are more than can be read."""
    exits = {value: _exits(value, reader) for value in flowing}
    count: dict[Value | None, int] = {target: 1}
    for value in flowing:
        if value is not target:
            count[value] = sum(count.get(end, 0) for end in exits[value])
    if count[root] > MOST_ROUTES:
        raise GraphError(
            f"explain: {count[root]:,} paths lead from {root.name} to {target.name}, and at most {MOST_ROUTES} are "
            "written out; without wrt each gradient is derived once, whatever the number of paths"
        )
    routes, unfinished = list[Route](), [(root, Route())]
    while unfinished:
        value, route = unfinished.pop()
        if value is target:
            routes.append(route)
            continue
        onward = [
            (end, [*route, (value, i)]) for i, end in enumerate(exits[value]) if end is not None and count.get(end)
        ]
        unfinished += reversed(onward)
    return routes


def is_partial(value: Value, place: int, flowing: Sequence[Value], reader: Reader) -> bool:
    """Whether an operation depends on what one of its paths leads to by another way too, through other results."""
    target = _exits(value, reader)[place]
    leading = {target}
    for below in flowing:
        if below is not value and leading.intersection(_exits(below, reader)):
            leading.add(below)
    return any(end is not target and end in leading for end in _exits(value, reader))


def _exits(value: Value, reader: Reader) -> list[Value | None]:
    """Where each path out of an operation leads; None where its rule sends nothing."""
    sent = reader.sent(value, value.gradient)
    return [None if part is None else argument.value for argument, part in sent]
