"""New tensors of random numbers whose distribution other tensors describe. No gradient goes through a draw: it is 0."""

from __future__ import annotations  # NumPy loads its generators when they are first asked for

from typing import Any

import numpy as np

from . import backend, dtypes
from .creation import _finish, natural_sizes
from .draws import BLOCK, _bernoulli_, _normal_, bernoulli_of
from .errors import ArgumentError, ArgumentTypeError, ShapeError
from .generator import Generator, numpy_generator
from .layouts import row_major
from .methods import attach
from .ops.composed import composed
from .ops.editing import store
from .ops.shape import clone
from .outputs import fills_out
from .random import floating
from .tensor import Tensor, wrap


def _tensor(name: str, argument: str, value: Any) -> Tensor:
    if not isinstance(value, Tensor):
        raise ArgumentTypeError(f"{name}: {argument} must be a Tensor, not {type(value).__name__}")
    return value


def _floating_tensor(name: str, argument: str, value: Any) -> Tensor:
    floating(name, _tensor(name, argument, value).dtype)
    return value


@composed
def bernoulli(input: Tensor, p: float | None = None, *, generator: Generator | None = None) -> Tensor:
    """1 with the probability that `input` gives, else 0; with a number `p` the same for all elements.

    Arguments: input (floating probabilities, or any dtype with `p`), p, generator. Raises ArgumentError for what is no
    probability.

    >>> import tinygrad_dl as tg
    >>> tg.bernoulli(tg.tensor([0.0, 1.0]))
    tensor([0., 1.])
    """
    if p is None:
        return bernoulli_of("bernoulli", clone(_floating_tensor("bernoulli", "input", input)), input, generator)
    return _bernoulli_(clone(_tensor("bernoulli", "input", input)), p, generator=generator)


@composed
def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Counts drawn from the Poisson distribution, k with probability λᵏ e^(-λ) / k!.

    Arguments: input (floating rates λ ≥ 0), generator. Raises ArgumentError for a negative rate.

    >>> import tinygrad_dl as tg
    >>> tg.poisson(tg.tensor([0.0, 4.0])).shape
    tinygrad_dl.Size([2])
    """
    rates = backend.to_numpy(_floating_tensor("poisson", "input", input).array)
    if not bool(((rates >= 0) & (rates < 2.0**62)).all()):
        raise ArgumentError("poisson: rates can't be negative or above 2**62, nor NaN")
    return _drawn("poisson", input, numpy_generator(generator).poisson(rates))


@composed
def binomial(count: Tensor, prob: Tensor, generator: Generator | None = None) -> Tensor:
    """How many of `count` trials succeed, each with probability `prob`. The two broadcast.

    Arguments: count (floating, whole numbers ≥ 0), prob (floating, 0 to 1), generator.

    >>> import tinygrad_dl as tg
    >>> tg.binomial(tg.tensor([3.0, 3.0]), tg.tensor([0.0, 1.0]))
    tensor([0., 3.])
    """
    trials, chances = (
        backend.to_numpy(_floating_tensor("binomial", *named).array) for named in (("count", count), ("prob", prob))
    )
    if not bool((trials >= 0).all()) or not bool(((chances >= 0) & (chances <= 1)).all()):
        raise ArgumentError("binomial: counts can't be negative, and probabilities lie between 0 and 1")
    return _drawn("binomial", count + prob, numpy_generator(generator).binomial(trials.astype(np.int64), chances))


def _drawn(name: str, like: Tensor, values: Any) -> Tensor:
    """Values of the host as a tensor like another one, whose gradient is 0."""
    array = np.asarray(values).astype(like.array.dtype)
    return store(name, clone(like), wrap(backend.from_numpy(array, like.device)))


@row_major
@fills_out
def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers drawn from normal distributions: of a mean and a deviation each, or of one `size` for two numbers.

    Arguments: mean and std (tensors, which broadcast, or numbers), size, generator; with size also dtype, device and
    requires_grad as for `randn`. The result has the dtype of the mean, or of std if the mean is a number.

    >>> import tinygrad_dl as tg
    >>> tg.normal(tg.tensor([1.0, 2.0]), 0.0)
    tensor([1., 2.])
    >>> tg.normal(0.0, 1.0, (2, 3)).shape
    tinygrad_dl.Size([2, 3])
    """
    if isinstance(mean, Tensor) or isinstance(std, Tensor):
        if size is not None or requires_grad:
            raise ArgumentTypeError("normal: size and requires_grad are for two numbers; of tensors the result follows")
        return _normal_of(mean, std, generator, dtype).to(device=device)
    if size is None:
        raise ArgumentTypeError("normal: two numbers came; pass a tensor among them, or size=, the result's shape")
    kind = floating("normal", dtype)
    made = _finish(np.empty(natural_sizes("normal", (size,)), kind.numpy), kind, device)
    return _normal_(made, mean, std, generator=generator).requires_grad_(requires_grad)


def _normal_of(mean: Any, std: Any, generator: Generator | None, dtype: Any) -> Tensor:
    """A draw for each element of a mean and a deviation, of which at least one is a tensor."""
    like = _floating_tensor("normal", "mean", mean if isinstance(mean, Tensor) else std)
    target = (mean + std).to(like.dtype if dtype is None else dtype)
    center, spread = (value.array if isinstance(value, Tensor) else value for value in (mean, std))
    if not bool((spread >= 0).all() if isinstance(std, Tensor) else spread >= 0):
        raise ArgumentError(f"normal: std can't be negative{'' if isinstance(std, Tensor) else f', {std} came'}")
    drawn = numpy_generator(generator).standard_normal(target.array.shape)
    values = backend.from_numpy(drawn, target.device) * spread + center
    return store("normal", target, wrap(values.astype(target.array.dtype)))


@composed
def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """Indices drawn with probabilities in proportion to the weights in each row of `input`.

    Arguments: input (floating weights ≥ 0, (n,) or (m, n), none of whose rows is all 0), num_samples, replacement
    (whether an index may be drawn again), generator. The result is int64, (num_samples,) or (m, num_samples). Raises
    ArgumentError for weights that are no weights and for more samples than there are indices.

    >>> import tinygrad_dl as tg
    >>> tg.multinomial(tg.tensor([0.0, 3.0, 0.0]), 4, replacement=True)
    tensor([1, 1, 1, 1])
    """
    array = backend.to_numpy(_floating_tensor("multinomial", "input", input).array)
    if isinstance(num_samples, bool) or not isinstance(num_samples, int | np.integer):
        raise ArgumentTypeError(f"multinomial: num_samples is an integer, {num_samples!r} came")
    if array.ndim not in (1, 2):
        raise ShapeError(f"multinomial: input has 1 or 2 dimensions, the shape {tuple(input.shape)} came")
    if num_samples <= 0:
        raise ArgumentError(f"multinomial: num_samples must be positive, {num_samples} came")
    if not replacement and num_samples > array.shape[-1]:
        raise ArgumentError(
            f"multinomial: {num_samples} samples can't be drawn from {array.shape[-1]} without replacement; pass "
            "replacement=True"
        )
    weights = np.atleast_2d(array)
    totals = weights.sum(axis=1, dtype=np.float64)
    if weights.min(initial=0) < 0 or not bool(np.isfinite(totals).all()):
        raise ArgumentError("multinomial: weights are finite and not negative; input holds NaN, inf or a negative one")
    if not bool((totals > 0).all()):
        raise ArgumentError("multinomial: a row of input is all 0, so no index has a probability")
    draw = _with_replacement if replacement and num_samples > 1 else _without_replacement
    source, step = numpy_generator(generator), max(1, BLOCK // max(1, weights.shape[1]))
    drawn = np.empty((len(weights), num_samples), np.int64)
    for start in range(0, len(weights), step):
        rows = slice(start, start + step)
        drawn[rows] = draw(source, weights[rows].astype(np.float64), int(num_samples))
    return _finish(drawn.reshape(*array.shape[:-1], num_samples), dtypes.int64, input.device)


def _with_replacement(source: np.random.Generator, weights: np.ndarray, count: int) -> np.ndarray:
    """Row r's cumulative shares lie between r and r + 1, so that one search serves all rows."""
    rows, width = weights.shape
    first = np.arange(rows)[:, None]
    shares = np.cumsum(weights, axis=1)
    shares /= shares[:, -1:].copy()
    shares += first
    found = np.searchsorted(shares.ravel(), source.random((rows, count)) + first, side="right") - first * width
    if bool((found == width).any()):  # a sum was rounded up to the end of its row
        last = width - 1 - np.argmax(weights[:, ::-1] > 0, axis=1)
        found = np.minimum(found, last[:, None])
    return found


def _without_replacement(source: np.random.Generator, weights: np.ndarray, count: int) -> np.ndarray:
    """Each index waits for an exponential time with its weight as rate; those whose time comes first are drawn.

    Efraimidis and Spirakis, Weighted random sampling with a reservoir (2006).
    """
    speed = weights / np.maximum(source.standard_exponential(weights.shape), np.finfo(np.float64).tiny)
    if count == 1:
        return np.argmax(speed, axis=1)[:, None]
    chosen = np.argpartition(-speed, count - 1, axis=1)[:, :count]
    return np.take_along_axis(chosen, np.argsort(-np.take_along_axis(speed, chosen, 1), axis=1), 1)


attach(bernoulli=bernoulli, multinomial=multinomial)
