"""Arrays as the page shows them: a number as text, a small array in full, every array as a heat map."""

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

from .page_words import Words
from .reading import host
from .symbol import number_text

DIGITS, DIGITS_IN_FULL = 5, 4
IN_FULL, COLUMNS_IN_FULL = 64, 8  # elements, and in a row, of an array whose numbers are all shown
LEVELS = "ABCDEFGHIJKLMNOPQRSTUabcdefghijklmnopqrst"  # of a heat map: from -1 over 0, the U, to 1


class Arrays:
    """A list of what is shown of arrays, each once; the page refers to them by number."""

    def __init__(self, words: Words, rows: int, columns: int) -> None:
        self.shown: list[dict[str, Any]] = []
        self._words, self._rows, self._columns = words, rows, columns
        self._places: dict[int, tuple[int, Any]] = {}  # with the array, so that its identity stays its own

    def add(self, array: Any) -> int:
        """The number of an array, or of a tuple of arrays."""
        known = self._places.get(id(array))
        if known is None:
            known = len(self.shown), array
            self._places[id(array)] = known
            self.shown.append({})
            self.shown[known[0]] = self._described(array)
        return known[0]

    def text(self, array: Any) -> str:
        """An array in a line."""
        return str(self.shown[self.add(array)]["text"])

    def _described(self, array: Any) -> dict[str, Any]:
        if isinstance(array, tuple):
            parts = [self.add(part) for part in array if part is not None]
            return {"text": self._words["outputs"].format(count=len(array)), "parts": parts}
        plain = host(array)
        if plain.ndim == 0:
            return {"text": number(plain.item()), "dtype": str(plain.dtype)}
        shape = str(tuple(plain.shape))
        seen: dict[str, Any] = {"text": shape, "shape": shape, "dtype": str(plain.dtype), "note": self._summary(plain)}
        if plain.size:
            seen |= self._heat(plain)
        if plain.ndim <= 2 and 0 < plain.size <= IN_FULL and plain.shape[-1] <= COLUMNS_IN_FULL:
            seen["cells"] = [[number(x, DIGITS_IN_FULL) for x in row] for row in np.atleast_2d(plain).tolist()]
        return seen

    def _summary(self, array: np.ndarray) -> str:
        if not array.size:
            return self._words["empty"]
        real = np.abs(array) if array.dtype.kind == "c" else array.astype(np.float64)
        finite = real[np.isfinite(real)]
        words = []
        if finite.size:
            low, high, mean = (number_text(float(x), 3) for x in (finite.min(), finite.max(), finite.mean()))
            words.append(self._words["summary"].format(low=low, high=high, mean=mean))
        if finite.size < real.size:
            words.append(self._words["not finite"].format(counts=", ".join(_not_finite(real))))
        return "; ".join(words)

    def _heat(self, array: np.ndarray) -> dict[str, Any]:
        """Rows of letters, from the most negative to the most positive; some of the elements where there are many."""
        table = array.reshape(-1, array.shape[-1]) if array.ndim > 1 else array.reshape(1, -1)
        rows, columns = (_spaced(n, most) for n, most in zip(table.shape, (self._rows, self._columns)))
        sample = table[np.ix_(rows, columns)]
        sample = np.abs(sample) if sample.dtype.kind == "c" else sample.astype(np.float64)
        sizes_of = np.abs(sample[np.isfinite(sample)])
        strongest = float(sizes_of.max()) if sizes_of.size else 0.0
        heat = ["".join([_level(x, strongest) for x in row]) for row in sample.tolist()]
        if sample.size == table.size:
            return {"heat": heat}
        (few, narrow), (many, wide) = sample.shape, table.shape
        return {
            "heat": heat,
            "sample": self._words["sampled"].format(rows=few, columns=narrow, all_rows=many, all_columns=wide),
        }


def number(value: Any, digits: int = DIGITS) -> str:
    """A number as the page writes it; NaN and infinity by their names."""
    if isinstance(value, complex):
        sign = "−" if value.imag < 0 else "+"
        return f"{number_text(value.real, digits)} {sign} {number_text(abs(value.imag), digits)}i"
    text = number_text(value, digits)
    return {"nan": "NaN", "inf": "∞", "−inf": "−∞"}.get(text, text)


@functools.lru_cache
def _spaced(count: int, most: int) -> np.ndarray:
    """Places of so many at most, evenly spaced from the first to the last."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))


def _level(x: float, strongest: float) -> str:
    if x != x:
        return "?"
    if abs(x) == float("inf"):
        return "+" if x > 0 else "-"
    half = len(LEVELS) // 2
    return LEVELS[half + (round(x / strongest * half) if strongest else 0)]


def _not_finite(real: np.ndarray) -> Iterator[str]:
    for name, count in (("NaN", np.isnan(real)), ("∞", np.isposinf(real)), ("−∞", np.isneginf(real))):
        if count.any():
            yield f"{int(count.sum())} {name}"
