"""Routes: the paths along which a gradient comes from a result to one value, each a factor of the chain rule a step."""

from collections.abc import Sequence

from ..errors import GraphError
from .history import Value
from .reading import Reader

Route = list[tuple[Value, int]]  # the operations that are passed, and which of its paths is taken out of each
MOST_ROUTES = 100  # more can't be read; a graph of n steps may have 2ⁿ


class Routes:
    """The ways through some operations, which come in the order of their creation."""

    def __init__(self, operations: Sequence[Value], reader: Reader) -> None:
        self._exits = {value: _exits(value, reader) for value in operations}
        self._partial: dict[tuple[Value, int], bool] = {}

    def lead_to(self, value: Value) -> bool:
        """Whether any operation sends something to a value."""
        return any(value in exits for exits in self._exits.values())

    def between(self, root: Value, target: Value) -> list[Route]:
        """All routes from a result to a value. Raises GraphError when there are more than can be read."""
        count: dict[Value | None, int] = {target: 1}
        for value, exits in self._exits.items():
            if value is not target:
                count[value] = sum(count.get(end, 0) for end in exits)
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
            places = enumerate(self._exits[value])
            onward = [(end, [*route, (value, i)]) for i, end in places if end is not None and count.get(end)]
            unfinished += reversed(onward)
        return routes

    def is_partial(self, value: Value, place: int) -> bool:
        """Whether an operation depends on what one of its paths leads to in other ways too, through other results."""
        if (value, place) not in self._partial:
            target = self._exits[value][place]
            others = {end for end in self._exits[value] if end is not target}
            self._partial[value, place] = bool(others) and self._any_leads_to(others, target)
        return self._partial[value, place]

    def _any_leads_to(self, starts: set[Value | None], target: Value | None) -> bool:
        unfinished, seen = list(starts), set(starts)
        while unfinished:
            for end in self._exits.get(unfinished.pop(), ()):  # type: ignore[arg-type]
                if end is target:
                    return True
                if end not in seen:
                    seen.add(end)
                    unfinished.append(end)
        return False


def _exits(value: Value, reader: Reader) -> list[Value | None]:
    """Where each path out of an operation leads; None where its rule sends nothing."""
    sent = reader.sent(value, value.gradient)
    return [None if part is None else argument.value for argument, part in sent]
