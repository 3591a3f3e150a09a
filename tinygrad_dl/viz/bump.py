"""The bump test: raise a leaf a little, run the function again, and see the result move."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..errors import GraphError
from ..modes import no_grad
from ..observing import call_user
from ..tensor import Tensor
from .history import Value
from .writing import number_text

MOST_ENTRIES = 200  # of an array that are bumped, each of which runs the function twice


class Bump:
    """Runs a function with one of its leaves raised. Inputs are taken in float64, so that small changes are seen."""

    def __init__(self, f: Callable[..., Any], inputs: Sequence[Any], by: float) -> None:
        self.f, self.by, self._inputs = f, by, list(inputs)
        self._exact = [_exact(value) for value in inputs]
        self.before = self._run()
        if self._run() != self.before:
            raise GraphError("explain: bump runs the function again, and it does not give the same number twice")

    def note(self, leaf: Value, slopes: np.ndarray, root: str, words: Mapping[str, str], digits: int) -> str:
        """What the test found at a leaf whose derivatives are known: at a number the new result, else a difference."""
        by = number_text(float(self.by))
        if not slopes.ndim:
            after = self._raised(leaf.tensor, (), self.by)
            change = after - self.before
            value = number_text(after, _digits_to_see(change, after, digits))
            return words["bumped"].format(bump=by, root=root, value=value, slope=number_text(change / self.by, digits))
        places = list(np.ndindex(slopes.shape))
        chosen = places[:: max(1, -(-len(places) // MOST_ENTRIES))]
        found = max([abs(self._slope(leaf.tensor, place) - slopes[place]) for place in chosen], default=0.0)
        which = "bumped entries" if len(chosen) == len(places) else "bumped some"
        difference = number_text(float(found), 2)
        return words[which].format(bump=by, difference=difference, count=len(chosen), total=len(places))

    def _slope(self, leaf: Tensor, place: tuple[int, ...]) -> float:
        return (self._raised(leaf, place, self.by) - self._raised(leaf, place, -self.by)) / (2 * self.by)

    def _raised(self, leaf: Tensor, place: tuple[int, ...], by: float) -> float:
        """The result with one entry of a leaf changed, and changed back."""
        given = [exact for value, exact in zip(self._inputs, self._exact, strict=True) if value is leaf]
        array = (given[0] if given else leaf).array
        before = array[place].copy()
        array[place] = before + by
        try:
            return self._run()
        finally:
            array[place] = before

    def _run(self) -> float:
        with no_grad():
            return float(call_user(self.f, self._exact).item())


def _exact(value: Any) -> Any:
    """A copy of a floating-point tensor in float64, so that no caller's tensor is written into."""
    if not isinstance(value, Tensor) or not value.is_floating_point():
        return value
    return value.detach().clone().to(dtypes.float64)


def _digits_to_see(change: float, value: float, digits: int) -> int:
    """How many digits of a value it takes to see two of a change."""
    if not change or not math.isfinite(change) or not value:
        return digits
    return max(digits, min(15, 2 + math.floor(math.log10(abs(value / change)))))
