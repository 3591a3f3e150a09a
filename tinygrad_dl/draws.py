"""Filling tensors with random numbers in place, as `normal_` does. The gradient of what was there becomes 0.

Floating numbers are drawn in float64 and rounded, so that a seed gives the same ones in every dtype.
"""

from __future__ import annotations  # NumPy loads its generators when they are first asked for

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from . import backend, dtypes
from .errors import ArgumentError, ArgumentTypeError, DeviceError, DtypeError, ShapeError
from .generator import Generator, numpy_generator
from .inplace import assign
from .methods import attach
from .ops.editing import in_graph, store
from .random import floating, require_integers, whole_range
from .tensor import Tensor, wrap
from .views import require_editable

BLOCK = 2**16  # numbers that are drawn and shaped at a time, so that both happen in the cache

Draw = Callable[[Any, int], np.ndarray]  # from one of NumPy's generators and a count


def redraw(name: str, tensor: Tensor, generator: Generator | None, draw: Draw) -> Tensor:
    """Fill a tensor with what `draw` gives for a generator and a count, in blocks; what is refused draws nothing."""
    source = numpy_generator(generator)
    if in_graph(tensor):
        require_editable(name, tensor)
        return store(name, tensor, wrap(backend.from_numpy(_drawn(tensor.array, source, draw), tensor.device)))

    def write(array: Any, place: Any, value: Any) -> None:
        if not backend.is_writeable(array):
            raise ValueError("read-only")
        if type(array) is backend.HOST and array.flags.c_contiguous:
            _fill(array, source, draw)
        else:
            array[place] = backend.from_numpy(_drawn(array, source, draw), tensor.device)

    assign(name, tensor.array, ..., None, write)
    return tensor


def _drawn(like: Any, source: np.random.Generator, draw: Draw) -> np.ndarray:
    drawn = np.empty(like.shape, like.dtype)
    _fill(drawn, source, draw)
    return drawn


def _fill(array: np.ndarray, source: np.random.Generator, draw: Draw) -> None:
    flat = array.reshape(-1)
    for start in range(0, flat.size, BLOCK):
        part = flat[start : start + BLOCK]
        part[...] = draw(source, part.size)


def _numeric(name: str, dtype: dtypes.dtype) -> None:
    if dtype is dtypes.bool_:
        raise DtypeError(f"{name}: draws numbers, a tensor of {dtype} came; use bernoulli_ or random_")


def _uniform_(
    self: Tensor, from_: float = 0.0, to: float = 1.0, *, generator: Generator | None = None, **named: Any
) -> Tensor:
    """Numbers drawn evenly from [`from`, `to`), in place. Raises ArgumentError for bounds in the wrong order."""
    kind = floating("uniform_", self.dtype).numpy
    low, high = named.pop("from", from_), to  # `from` is a word of Python's
    if named:
        raise ArgumentTypeError(
            f"uniform_: there is no argument {next(iter(named))!r}; it takes from, to and generator"
        )
    if not low <= high:
        raise ArgumentError(f"uniform_: from {low} lies above to {high}")
    if not high - low <= np.finfo(kind).max:
        raise ArgumentError(f"uniform_: from {low} to {high} is wider than {self.dtype} can tell apart")
    last = np.nextafter(kind.type(high), kind.type(low))  # rounding must not reach `to`

    def draw(source: np.random.Generator, count: int) -> np.ndarray:
        return np.minimum((source.random(count) * (high - low) + low).astype(kind), last)

    return redraw("uniform_", self, generator, draw)


def _normal_(self: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Numbers drawn from the normal distribution, in place. Raises ArgumentError for a negative deviation."""
    floating("normal_", self.dtype)
    if not std >= 0:
        raise ArgumentError(f"normal_: std can't be negative, {std} came")
    return redraw("normal_", self, generator, lambda source, count: source.standard_normal(count) * std + mean)


def _log_normal_(self: Tensor, mean: float = 1.0, std: float = 2.0, *, generator: Generator | None = None) -> Tensor:
    """e to the power of numbers drawn from the normal distribution with this mean and deviation, in place."""
    floating("log_normal_", self.dtype)
    if not std > 0:
        raise ArgumentError(f"log_normal_: std must be positive, {std} came")
    return redraw("log_normal_", self, generator, lambda source, count: source.lognormal(mean, std, count))


def _cauchy_(self: Tensor, median: float = 0.0, sigma: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Numbers drawn from the Cauchy distribution, σ / (π (σ² + (x - median)²)), in place."""
    floating("cauchy_", self.dtype)
    if not sigma > 0:
        raise ArgumentError(f"cauchy_: sigma must be positive, {sigma} came")
    return redraw("cauchy_", self, generator, lambda source, count: source.standard_cauchy(count) * sigma + median)


def _exponential_(self: Tensor, lambd: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Numbers drawn from the exponential distribution, λ e^(-λ x) for x > 0, in place."""
    kind = floating("exponential_", self.dtype).numpy
    if not lambd > 0:
        raise ArgumentError(f"exponential_: lambd must be positive, {lambd} came")
    least = np.finfo(kind).tiny  # 0 is no number of the distribution: scripts divide by what they draw
    return redraw(
        "exponential_",
        self,
        generator,
        lambda source, count: np.maximum((source.standard_exponential(count) / lambd).astype(kind), least),
    )


def _geometric_(self: Tensor, p: float, *, generator: Generator | None = None) -> Tensor:
    """How many trials of probability `p` it takes to succeed, k with probability (1 - p)^(k - 1) p, in place."""
    _numeric("geometric_", self.dtype)
    if not 0 < p < 1:
        raise ArgumentError(f"geometric_: p lies between 0 and 1, {p} came")
    rate, whole = -math.log1p(-p), not self.is_floating_point()

    def draw(source: np.random.Generator, count: int) -> np.ndarray:
        trials = np.maximum(np.ceil(source.standard_exponential(count) / rate), 1)
        return trials.astype(np.int64) if whole else trials

    return redraw("geometric_", self, generator, draw)


def _random_(self: Tensor, *bounds: Any, generator: Generator | None = None, **named: Any) -> Tensor:
    """Integers drawn evenly from `from`, ..., `to` - 1, in place: `random_(from, to)`, `random_(to)` from 0.

    Without bounds every integer from 0 that the dtype holds exactly; `to=None` leaves the upper one out.
    """
    given = dict(zip(("to",) if len(bounds) == 1 and "to" not in named else ("from", "to"), bounds)) | named
    if given.keys() - {"from", "to"} or len(bounds) + len(named) > 2 or given.keys() == {"from"}:
        raise ArgumentTypeError(f"random_: takes random_(), random_(to) or random_(from, to), {(*bounds, named)} came")
    low, high = given.get("from", 0), given.get("to")
    if not all(isinstance(value, int | np.integer) for value in (low, 0 if high is None else high)):
        raise ArgumentTypeError(f"random_: bounds are integers, {(low, high)} came")
    high = _exact_end(self.dtype) if high is None else high
    require_integers("random_", low, high, self.dtype)
    return redraw("random_", self, generator, lambda source, count: source.integers(low, high, count))


def _exact_end(dtype: dtypes.dtype) -> int:
    """One more than the greatest integer up to which a dtype holds all of them."""
    if dtype.is_floating_point:
        return 2 ** (np.finfo(dtype.numpy).nmant + 1) + 1
    return whole_range(dtype)[1] + 1


def _bernoulli_(self: Tensor, p: Any = 0.5, *, generator: Generator | None = None) -> Tensor:
    """1 with probability `p`, else 0, in place; `p` is a number, or a tensor that broadcasts."""
    if isinstance(p, Tensor):
        return bernoulli_of("bernoulli_", self, p, generator)
    if not isinstance(p, bool | int | float) or not 0 <= p <= 1:
        raise ArgumentError(f"bernoulli_: a probability lies between 0 and 1, {p!r} came")
    return redraw("bernoulli_", self, generator, lambda source, count: source.random(count) < p)


def bernoulli_of(name: str, target: Tensor, p: Tensor, generator: Generator | None) -> Tensor:
    """Write 1 into a tensor with the probabilities in another one, else 0."""
    floating(name, p.dtype)
    if p.device != target.device:
        raise DeviceError(f"{name}: p is on '{p.device}', the tensor on '{target.device}'; use p.to(tensor.device)")
    try:
        chances = np.broadcast_to(p.array, target.array.shape)
    except ValueError:
        raise ShapeError(f"{name}: p of shape {tuple(p.shape)} does not broadcast to {tuple(target.shape)}") from None
    if not bool(((p.array >= 0) & (p.array <= 1)).all()):
        raise ArgumentError(f"{name}: probabilities lie between 0 and 1")
    source = numpy_generator(generator)
    if in_graph(target):
        require_editable(name, target)
    drawn = backend.from_numpy(source.random(target.array.shape), target.device)
    return store(name, target, wrap((drawn < chances).astype(target.array.dtype)))


attach(
    uniform_=_uniform_,
    normal_=_normal_,
    log_normal_=_log_normal_,
    cauchy_=_cauchy_,
    exponential_=_exponential_,
    geometric_=_geometric_,
    random_=_random_,
    bernoulli_=_bernoulli_,
)
