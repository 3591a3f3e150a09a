"""Leaving out values at random: the product with a mask of which one bit is kept for each value."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..backend import HOST, array_module
from ..operation import operation
from .blocks import BLOCK

Offsets = tuple[float, float]


@operation(input=lambda g, bits, units, scale: dropped(g, bits, units, scale, None))
def dropped(input: Any, bits: Any, units: tuple[int, ...], scale: float, offsets: Offsets | None) -> Any:
    """input · scale where a bit is set, else input · 0; to which the second of `offsets` or the first is added.

    A unit is a value, or the values behind the first dimensions: bits holds one bit for each of `units`.
    """
    if type(input) is HOST and units == input.shape and input.size > BLOCK and input.flags.c_contiguous:
        x, out = input.reshape(-1), np.empty_like(input)
        for part in blocks(input.size):
            o, kept = out.reshape(-1)[part], np.unpackbits(bits[part.start // 8 : part.stop // 8 + 1])
            np.multiply(x[part], _spread(kept[: o.size].astype(input.dtype), 0.0, scale), out=o)
            if offsets is not None:
                o += _spread(kept[: o.size].astype(input.dtype), *offsets)
        return out
    kept = array_module(bits).unpackbits(bits)[: _count(units)].astype(input.dtype)
    kept = kept.reshape(units + (1,) * (input.ndim - len(units)))
    out = input * _spread(kept.copy(), 0.0, scale)
    return out if offsets is None else out + _spread(kept, *offsets)


def _spread(kept: Any, low: float, high: float) -> Any:
    """Zeros and ones as two other numbers, in place."""
    kept *= kept.dtype.type(high - low)
    if low:
        kept += kept.dtype.type(low)
    return kept


def _count(units: tuple[int, ...]) -> int:
    return int(np.prod(units, dtype=np.int64))


def blocks(size: int) -> Iterator[slice]:
    """Slices of at most a block, each of which begins a byte of bits."""
    return (slice(start, min(start + BLOCK, size)) for start in range(0, size, BLOCK))
