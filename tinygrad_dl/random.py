"""New tensors of random numbers. As `torch.random`, this module also has what concerns seeds."""

from __future__ import annotations  # NumPy loads its generators when they are first asked for

import math
from typing import Any

import numpy as np

from . import dtypes
from .creation import _finish, _like, natural_sizes
from .errors import ArgumentError, ArgumentTypeError, DtypeError
from .generator import (
    Generator,
    default_generator,
    fork_rng,
    get_rng_state,
    initial_seed,
    manual_seed,
    numpy_generator,
    seed,
    set_rng_state,
)
from .layouts import row_major
from .outputs import fills_out
from .tensor import Tensor

__all__ = [
    "Generator", "default_generator", "manual_seed", "seed", "initial_seed", "get_rng_state", "set_rng_state",
    "fork_rng", "rand", "randn", "randint", "randperm", "rand_like", "randn_like", "randint_like",
]  # fmt: skip


def floating(name: str, dtype: Any) -> Any:
    """The dtype of a draw, the default one for None; DtypeError for one that is not floating."""
    found = dtypes.get_default_dtype() if dtype is None else dtypes.find(dtype)
    if not found.is_floating_point:
        raise DtypeError(f"{name}: draws floating numbers, {found} came; use randint or random_ for integers")
    return found


def uniform(source: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Numbers from [0, 1) in a floating dtype."""
    drawn = source.random(shape, dtype=np.float64 if dtype.itemsize == 8 else np.float32)
    if dtype.itemsize == 2:
        drawn = np.minimum(drawn, np.float32(1 - 2**-11))  # rounding must not reach 1
    return np.asarray(drawn).astype(dtype, copy=False)


def standard_normal(source: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Numbers of mean 0 and variance 1 in a floating dtype."""
    count = math.prod(shape)
    if dtype.itemsize == 8 or count < PAIRS:
        drawn = np.asarray(source.standard_normal(shape, dtype=np.float64 if dtype.itemsize == 8 else np.float32))
        return drawn.astype(dtype, copy=False)
    flat = np.empty(count, np.float32)
    for start in range(0, count, PAIRS):
        _in_pairs(source, flat[start : start + PAIRS])
    return flat.reshape(shape).astype(dtype, copy=False)


PAIRS = 2**15  # from so many float32 numbers on they are drawn in pairs, block by block, within the cache


def _in_pairs(source: np.random.Generator, out: np.ndarray) -> None:
    """Fill with normal numbers: the coordinates of points with an even angle and a radius of √(-2 log u).

    Box and Muller, A note on the generation of random normal deviates (1958). It takes a third of the time of NumPy's
    own, and no number is farther out than 5.8, since u is a multiple of 2⁻²⁴; so are PyTorch's.
    """
    half = (out.size + 1) // 2
    radius, angle = source.random((2, half), np.float32)
    radius = np.sqrt(-2 * np.log(1 - radius))
    angle *= 2 * np.pi
    np.cos(angle, out=out[:half])
    np.sin(angle[: out.size - half], out=out[half:])
    out[:half] *= radius
    out[half:] *= radius[: out.size - half]


@row_major
@fills_out
def rand(
    *sizes: Any,
    size: Any = None,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers drawn evenly from [0, 1).

    Arguments: sizes (integers or one sequence, also as `size=`), generator, dtype (floating), device, requires_grad.

    >>> import tinygrad_dl as tg
    >>> x = tg.rand(100); bool(((x >= 0) & (x < 1)).all())
    True
    """
    kind = floating("rand", dtype)
    drawn = uniform(numpy_generator(generator), natural_sizes("rand", sizes, size), kind.numpy)
    return _finish(drawn, kind, device, requires_grad)


@row_major
@fills_out
def randn(
    *sizes: Any,
    size: Any = None,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers drawn from the normal distribution with mean 0 and variance 1; arguments as for `rand`.

    >>> import tinygrad_dl as tg
    >>> tg.randn(2, 3).shape
    tinygrad_dl.Size([2, 3])
    """
    kind = floating("randn", dtype)
    drawn = standard_normal(numpy_generator(generator), natural_sizes("randn", sizes, size), kind.numpy)
    return _finish(drawn, kind, device, requires_grad)


@row_major
@fills_out
def randint(
    low: Any = None,
    high: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Integers drawn evenly from low, ..., high - 1; `randint(high, size)` starts at 0.

    Raises ArgumentError when there is nothing to draw from, DtypeError when the dtype does not hold the integers.

    >>> import tinygrad_dl as tg
    >>> tg.randint(3, (2, 2)).shape
    tinygrad_dl.Size([2, 2])
    """
    given = [value for value in (low, high, size) if value is not None]
    low, high, size = (0, *given) if len(given) == 2 else (low, high, size)
    if not isinstance(size, tuple | list) or not all(isinstance(n, int | np.integer) for n in (low, high)):
        raise ArgumentTypeError(
            f"randint: randint(low, high, size) takes two integers and a tuple, {(low, high, size)!r} came"
        )
    kind = dtypes.int64 if dtype is None else dtypes.find(dtype)
    require_integers("randint", low, high, kind)
    drawn = np.asarray(numpy_generator(generator).integers(low, high, natural_sizes("randint", (size,))))
    return _finish(drawn, kind, device, requires_grad)


def require_integers(name: str, low: int, high: int, dtype: dtypes.dtype) -> None:
    """Raise unless there are integers low, ..., high - 1, and a dtype holds them."""
    if high <= low:
        raise ArgumentError(f"{name}: there is no integer from {low} up to but not including {high}")
    least, most = whole_range(dtype)
    if low < least or high - 1 > most:
        raise DtypeError(
            f"{name}: integers from {low} to {high - 1} don't fit into {dtype}, which holds {least} to {most}"
        )


def whole_range(dtype: dtypes.dtype) -> tuple[int, int]:
    """The least and the greatest integer that a dtype holds."""
    if dtype.is_floating_point:
        limit = min(int(np.finfo(dtype.numpy).max), 2**63 - 1)
        return -limit, limit
    if dtype is dtypes.bool_:
        return 0, 1
    return int(np.iinfo(dtype.numpy).min), int(np.iinfo(dtype.numpy).max)


@row_major
@fills_out
def randperm(
    n: int, *, generator: Generator | None = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """The integers 0, ..., n - 1 in random order. Raises DtypeError when the dtype does not hold them.

    >>> import tinygrad_dl as tg
    >>> sorted(tg.randperm(4).tolist())
    [0, 1, 2, 3]
    """
    (n,) = natural_sizes("randperm", (n,))
    kind = dtypes.int64 if dtype is None else dtypes.find(dtype)
    if n - 1 > whole_range(kind)[1]:
        raise DtypeError(f"randperm: {n - 1} does not fit into {kind}, which holds up to {whole_range(kind)[1]}")
    return _finish(numpy_generator(generator).permutation(n), kind, device, requires_grad)


# --- like another tensor


@row_major
def rand_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """As `rand`, with the shape, dtype and device of a tensor.

    >>> import tinygrad_dl as tg
    >>> tg.rand_like(tg.zeros(2)).shape
    tinygrad_dl.Size([2])
    """
    like = _like("rand_like", input, dtype, device)
    return rand(input.shape, generator=generator, **like, requires_grad=requires_grad)


@row_major
def randn_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """As `randn`, with the shape, dtype and device of a tensor.

    >>> import tinygrad_dl as tg
    >>> tg.randn_like(tg.zeros(2)).shape
    tinygrad_dl.Size([2])
    """
    like = _like("randn_like", input, dtype, device)
    return randn(input.shape, generator=generator, **like, requires_grad=requires_grad)


@row_major
def randint_like(
    input: Tensor,
    low: Any = None,
    high: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """As `randint`, with the shape, dtype and device of a tensor.

    >>> import tinygrad_dl as tg
    >>> tg.randint_like(tg.zeros(2), 3).shape
    tinygrad_dl.Size([2])
    """
    like = _like("randint_like", input, dtype, device)
    return randint(low, high, tuple(input.shape), generator=generator, **like, requires_grad=requires_grad)
