"""Where an index leads, and adding there as often as it names an element: what every gradient of a reading needs.

`np.add.at` on rows is ten times slower than reading them. For NumPy's arrays the rows are sorted by their number; the
first of each number are added at once, then the second of each, and so on, in blocks that fit a cache, until only a few
numbers are left. Short rows are added element by element, which NumPy does fast in one dimension.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import backend

_BLOCK = 32768  # elements that fit a cache
_SHORT = 16  # rows up to this length are added element by element
_FEW = 64  # numbers, whose rows are added number by number
_SMALL = 256  # up to so many elements, NumPy's own function is faster than sorting
_WHOLE = slice(None)


def rows_at(shape: tuple[int, ...], index: Any) -> tuple[Any, tuple[int, ...]] | None:
    """The numbers of the rows that an index names, and the shape of a row; None for an index of another kind.

    Of this kind is an index of arrays of integers side by side, with whole dimensions before and behind them. A row is
    what lies behind the arrays.
    """
    parts = index if isinstance(index, tuple) else (index,)
    named = [i for i, part in enumerate(parts) if backend.is_array(part)]
    if not named or any(parts[i].dtype.kind not in "iu" for i in named):
        return None
    first, last = named[0], named[-1] + 1
    if last - first != len(named) or any(part != _WHOLE for part in (*parts[:first], *parts[last:])):
        return None
    terms, size = [], 1
    for n, part in zip(reversed(shape[first:last]), reversed(parts[first:last])):
        part = _from_the_front(part, n)
        terms.append(part if size == 1 else part * size)
        size *= n
    if first:
        before = backend.array_module(terms[0]).arange(math.prod(shape[:first])) * size
        terms.append(before.reshape(shape[:first] + (1,) * max(term.ndim for term in terms)))
    terms.sort(key=lambda term: term.size)  # the large ones last, so that few sums are large
    numbers = terms[0]
    for term in terms[1:]:
        numbers = numbers + term
    return numbers, shape[last:]


def _from_the_front(index: Any, n: int) -> Any:
    """Indices as int64, those below 0 counted from the front."""
    if index.dtype != np.int64:
        index = index.astype(np.int64)
    if index.size and int(index.min()) < 0:
        return index + n * (index < 0)
    return index


def _leads_to_elements(array: Any, index: Any) -> bool:
    """Whether an index is of arrays for all dimensions, of many elements, of an array whose elements lie in a row."""
    return (
        type(index) is tuple
        and len(index) == array.ndim > 0
        and all(backend.is_array(part) and part.dtype.kind in "iu" for part in index)
        and max(part.size for part in index) > _SMALL
        and array.flags.c_contiguous
    )


def _numbers(array: Any, index: Any, shape: tuple[int, ...]) -> Iterator[tuple[Any, Any]]:
    """The numbers of the elements at an index of arrays, in blocks: where a block is in the result, and its numbers.

    All numbers at once, in fresh memory, would cost more than reading what they lead to.
    """
    size = math.prod(shape)
    step = max(1, _BLOCK * shape[0] // size) if type(array) is backend.HOST else shape[0]
    for start in range(0, shape[0], step):
        block = slice(start, start + step)
        parts = [part[block] if part.ndim == len(shape) and len(part) > 1 else part for part in index]
        numbers, _ = rows_at(array.shape, tuple(parts))  # type: ignore[misc]  # such an index has numbers
        yield block, numbers


def read_elements(array: Any, index: Any) -> Any:
    """A copy of the elements at an index of arrays."""
    if not _leads_to_elements(array, index):
        return backend.row_major(array[index])
    shape = np.broadcast_shapes(*[part.shape for part in index])
    out, flat = backend.array_module(array).empty(shape, array.dtype), array.reshape(-1)
    for block, numbers in _numbers(array, index, shape):
        out[block] = flat.take(numbers)
    return out


def write(array: Any, index: Any, value: Any) -> None:
    """Write a value, which broadcasts, at an index of any kind."""
    if not _leads_to_elements(array, index):
        array[index] = value
        return
    shape = np.broadcast_shapes(*[part.shape for part in index])
    flat, single = array.reshape(-1), not getattr(value, "ndim", 0)
    values = value if single else backend.broadcast_to(value, shape)
    for block, numbers in _numbers(array, index, shape):
        flat[numbers] = values if single else values[block]


def accumulate(out: Any, index: Any, value: Any, fresh: bool = False) -> None:
    """Add an array, which broadcasts, into another at an index, as often as that names an element.

    fresh: whether the other one holds zeros.
    """
    if type(out) is not backend.HOST and out.dtype.kind in "iub" and out.itemsize < 4:  # CuPy adds only wider ones
        total = backend.array_module(out).zeros(out.shape, np.int64)
        np.add.at(total, index, value)
        out[...] = out + total
    elif type(out) is not backend.HOST or value.size <= _SMALL:
        np.add.at(out, index, value)
    elif not out.flags.c_contiguous:
        total = backend.zeros(out, out.shape)
        accumulate(total, index, value, True)
        out += total
    elif _leads_to_elements(out, index):
        shape, flat = np.broadcast_shapes(*[part.shape for part in index]), out.reshape(-1)
        values = backend.broadcast_to(value, shape).astype(out.dtype, copy=False)
        for block, numbers in _numbers(out, index, shape):
            np.add.at(flat, numbers.reshape(-1), values[block].reshape(-1))
    else:
        numbers, row = rows_at(out.shape, index) or (np.arange(out.size).reshape(out.shape)[index], ())
        width, shape = math.prod(row), numbers.shape + row
        value = value if value.shape == shape else backend.broadcast_to(value, shape)
        values = value.astype(out.dtype, copy=False).reshape(-1, width)
        if width <= _SHORT:
            _add_elements(out.reshape(-1, width), numbers.reshape(-1), values)
        elif width:
            _add_rows(out.reshape(-1, width), numbers.reshape(-1), values, fresh)


def _add_elements(out: Any, numbers: Any, values: Any) -> None:
    """Add rows to those of the given numbers, element by element."""
    width = out.shape[1]
    flat = out.reshape(-1)
    if width == 1:
        np.add.at(flat, numbers, values.reshape(-1))
        return
    columns, step = np.arange(width), max(1, _BLOCK // width)
    for start in range(0, len(numbers), step):
        places = numbers[start : start + step, None] * width + columns
        np.add.at(flat, places.reshape(-1), values[start : start + step].reshape(-1))


def _add_rows(out: Any, numbers: Any, values: Any, fresh: bool) -> None:
    """Add rows to those of the given numbers, a cacheful of numbers at a time, those that come most often first."""
    order = stable_order(numbers)
    numbers = numbers[order]
    starts = np.concatenate(([0], np.flatnonzero(numbers[1:] != numbers[:-1]) + 1))
    counts = np.diff(starts, append=len(numbers))
    often = stable_order(len(numbers) - counts)
    starts, counts, step = starts[often], counts[often], max(1, _BLOCK // out.shape[1])
    for start in range(0, len(starts), step):
        block = slice(start, start + step)
        rows, sums = numbers[starts[block]], _sums_of_rows(values, order, starts[block], counts[block], step)
        out[rows] = sums if fresh else out.take(rows, 0) + sums


def _sums_of_rows(values: Any, order: Any, starts: Any, counts: Any, step: int) -> Any:
    """The sums of rows that stand behind each start, as many as its count: the first of all, then the second..."""
    sums, done = values.take(order[starts], 0), 1
    while (left := int(np.count_nonzero(counts > done))) > _FEW:
        sums[:left] += values.take(order[starts[:left] + done], 0)
        done += 1
    for i, (first, count) in enumerate(zip(starts[:left].tolist(), counts[:left].tolist())):
        for start in range(first + done, first + count, step):
            rows = values.take(order[start : min(start + step, first + count)], 0)
            sums[i] += np.add.reduce(rows, 0, sums.dtype)
    return sums


def stable_order(keys: Any) -> Any:
    """The order that sorts a vector of integers from 0, equal ones as they came.

    Keys and places packed into one integer sort five times faster than a stable sort of the keys.
    """
    if not len(keys):
        return keys
    bits = len(keys).bit_length()
    if int(keys.max()).bit_length() + bits > 63:
        return keys.argsort(kind="stable")
    packed = (keys << bits) | backend.array_module(keys).arange(len(keys))
    packed.sort()
    return packed & ((1 << bits) - 1)
