"""Reading at an index and its reverse: where an element was read, its gradient is added."""

from typing import Any

import numpy as np

from .. import backend
from ..operation import operation
from .places import accumulate, read_elements


@operation("index", views=True, input=lambda g, input_shape, index: put(g, index, input_shape))
def read(input: Any, index: Any) -> Any:
    along = _along(index)
    if along is not None:
        return input.take(*along)  # in half the time
    if type(index) is tuple and all(map(backend.is_array, index)) and index:
        return read_elements(input, index)
    out = input[index]
    if isinstance(out, np.generic):  # a single element too is a view of the tensor's memory
        out = input[(*index, ...) if isinstance(index, tuple) else (index, ...)]
    if any(map(backend.is_array, parts_of(index))) and input.flags.c_contiguous:
        return backend.row_major(out)  # NumPy lays out the dimensions of arrays first, wherever they stand
    return out


def _along(index: Any) -> tuple[Any, int] | None:
    """The array of integers and its dimension, of an index that is nothing else."""
    parts = parts_of(index)
    places = [i for i, part in enumerate(parts) if backend.is_array(part)]
    if len(places) != 1 or parts[places[0]].dtype.kind == "b":
        return None
    place = places[0]
    whole = all(part == slice(None) for part in (*parts[:place], *parts[place + 1 :]))
    return (parts[place], place) if whole else None


@operation("index_put", input=lambda g, index: read(g, index))
def put(input: Any, index: Any, shape: Any) -> Any:
    """Zeros of `shape` with `input` added at `index`: where a read element came from, its gradient goes."""
    out = backend.zeros(input, tuple(shape))
    if _repeats(index):
        accumulate(out, index, input, fresh=True)
    else:
        out[index] = input
    return out


def _repeats(index: Any) -> bool:
    """Whether an index could name an element twice: only integer arrays do."""
    return any(backend.is_array(part) and part.dtype.kind in "iu" and part.ndim for part in parts_of(index))


def parts_of(index: Any) -> tuple[Any, ...]:
    return index if isinstance(index, tuple) else (index,)
