"""How arrays are shown: small ones in full, with equal decimals, big ones as a line that sums them up."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .writing import number_text

LIMIT = 36  # numbers of an array that is shown in full


def matrix_cells(array: np.ndarray, digits: int = 5, limit: int = LIMIT) -> list[list[str]] | None:
    """The numbers of a small vector or matrix as text, row by row; None of a larger array or one of more dimensions."""
    if array.size > limit or array.ndim > 2 or array.size == 0:
        return None
    rows = [array] if array.ndim == 1 else list(array) if array.ndim else [array.reshape(1)]
    write = _column_format(array, digits)
    return [[write(x) for x in row.tolist()] for row in rows]


def summary(array: np.ndarray, words: str = "{low} … {high}, mean {mean}") -> str:
    """What can be said in a line of an array that is too large to be shown."""
    if array.size == 0:
        return "[]"
    low, high, mean = (number_text(float(x), 3) for x in (array.min(), array.max(), array.mean()))
    return words.format(low=low, high=high, mean=mean)


def aligned_cells(cells: list[list[str]]) -> list[str]:
    """The rows of a matrix as text in columns."""
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    return ["[" + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) + "]" for row in cells]


def matrix_rows(array: np.ndarray, digits: int = 5, limit: int = LIMIT) -> list[str]:
    """A small vector or matrix as aligned rows, a large one as a line that sums it up."""
    cells = matrix_cells(array, digits, limit)
    return [summary(array)] if cells is None else aligned_cells(cells)


def _column_format(array: np.ndarray, digits: int) -> Callable[[Any], str]:
    """How the numbers of a matrix are written: with equal decimals, unless they are whole or differ much in size."""
    sizes = np.abs(array[array != 0])
    if array.dtype.kind != "f" or not sizes.size or not np.isfinite(sizes).all():
        return lambda x: number_text(x, digits)
    largest, smallest = float(sizes.max()), float(sizes.min())
    decimals = digits - 1 - math.floor(math.log10(largest))
    if (array == np.round(array)).all() or smallest < largest / 100 or not 0 < decimals < 8:
        return lambda x: number_text(x, digits)
    places = min(decimals, digits)
    return lambda x: f"{round(x, places) + 0.0:.{places}f}".replace("-", "−")  # + 0.0: no negative zeros
