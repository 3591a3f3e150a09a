"""The loss of a sequence of labels whose places are not known: all ways to spread them over time count together.

Between and around the labels there may be blanks, and each label and blank may last: with 2U + 1 states (blank, label,
blank, ...) the sum over all ways is a recursion over time (Graves et al., Connectionist temporal classification, 2006).
"""

import math
from typing import Any

import numpy as np

from .. import backend
from ..errors import ArgumentError, ArgumentTypeError, DimensionError, DtypeError, ShapeError
from ..explain import explain
from ..operation import keep, operation
from ..tensor import Tensor, wrap
from .elementwise import where
from .joining import cat, stack
from .loss_parts import reduced, reduction_of, require_tensors
from .shape import squeeze, unsqueeze
from .softmax import logsumexp

_IMPOSSIBLE = -math.inf  # the logarithm of a probability of 0


def _moved(x: Any, by: int) -> Any:
    """Each state's value at `by` states further on (further back if negative), impossible ones where there is none."""
    out = backend.filled(x, x.shape, _IMPOSSIBLE)
    if by < x.shape[1] and by > 0:
        out[:, by:] = x[:, :-by]
    elif -x.shape[1] < by < 0:
        out[:, :by] = x[:, -by:]
    return out


def _forward(emitted: Any, skips: Any) -> Any:
    """The logarithms of the probabilities to have come to each state at each time (T, N, states)."""
    alphas = backend.filled(emitted, emitted.shape, _IMPOSSIBLE)
    alphas[0, :, :2] = emitted[0, :, :2]
    for t in range(1, len(emitted)):
        before = alphas[t - 1]
        came = np.logaddexp(before, _moved(before, 1))
        alphas[t] = np.logaddexp(came, np.where(skips, _moved(before, 2), _IMPOSSIBLE)) + emitted[t]
    return alphas


def _backward(emitted: Any, skips: Any, lengths: Any, ends: Any) -> Any:
    """The logarithms of the probabilities to come to an end from each state at each time, with what it emits."""
    betas = backend.filled(emitted, emitted.shape, _IMPOSSIBLE)
    after = betas[0].copy()
    for t in range(len(emitted) - 1, -1, -1):
        left = np.logaddexp(after, _moved(after, -1))
        skipping = _moved(np.where(skips, after, _IMPOSSIBLE), -2)
        starts = np.where(ends & (lengths == t + 1)[:, None], 0.0, _IMPOSSIBLE)
        after = np.logaddexp(np.logaddexp(left, skipping), starts).astype(emitted.dtype) + emitted[t]
        betas[t] = after
    return betas


def _emitted(log_probs: Any, states: Any) -> Any:
    """What each state says at each time (T, N, states)."""
    examples = backend.array_module(states).arange(states.shape[0])[:, None]
    return log_probs[:, examples, states]


def _rule(g: Any, log_probs: Any, states: Any, skips: Any, lengths: Any, ends: Any, out: Any, alphas: Any) -> Any:
    return _gradient(g, log_probs, states, skips, lengths, ends, out, alphas)


_LOW = -1e30  # in the place of -inf, whose derivatives would be NaN


def _composed(log_probs: Any, states: Any, skips: Any, lengths: Any, ends: Any) -> Any:
    """What the operation computes, from operations."""
    module = backend.array_module(states.array)
    emitted = log_probs[:, wrap(module.arange(states.shape[0])[:, None]), states]
    start = wrap(module.arange(states.shape[1])) < 2
    nothing = emitted[0].detach() * 0 + _LOW
    alphas, loss = where(start, emitted[0], _LOW), where(ends[:, 0], 0.0, -nothing[:, 0])
    for t in range(log_probs.shape[0]):
        if t:
            one, two = (cat([nothing[:, :by], alphas[:, :-by]], 1) for by in (1, 2))
            alphas = logsumexp(stack([alphas, one, where(skips, two, _LOW)]), 0) + emitted[t]
        loss = where(lengths == t + 1, -logsumexp(where(ends, alphas, _LOW), 1), loss)
    return where(loss > -_LOW / 2, math.inf, loss)


@operation("ctc_loss", twin=_composed, log_probs=_rule)
def _ctc(log_probs: Any, states: Any, skips: Any, lengths: Any, ends: Any) -> Any:
    """The loss of each example (N) from log_probs (T, N, C), the labels of the states and the states to end in."""
    if type(log_probs) is not type(states):
        raise TypeError("mixed devices")
    alphas = _forward(_emitted(log_probs, states), skips)
    module = backend.array_module(states)
    last = alphas[np.maximum(lengths - 1, 0), module.arange(states.shape[0])]
    total = logsumexp(np.where(ends, last, _IMPOSSIBLE), 1)
    nothing = np.where(ends[:, 0], 0.0, math.inf)  # in no time only no labels are possible
    return keep(np.where(lengths > 0, -total, nothing).astype(log_probs.dtype), alphas=alphas)


@operation("ctc_gradient")
def _gradient(g: Any, log_probs: Any, states: Any, skips: Any, lengths: Any, ends: Any, out: Any, alphas: Any) -> Any:
    """-g times the probability to be in a state of each class at each time, given the labels."""
    emitted = _emitted(log_probs, states)
    betas = _backward(emitted, skips, lengths, ends)
    module = backend.array_module(states)
    with np.errstate(invalid="ignore"):
        sure = np.where(betas == _IMPOSSIBLE, _IMPOSSIBLE, alphas + betas - emitted)
        there = np.exp(sure + out[:, None])
    within = (module.arange(len(log_probs))[:, None] < lengths)[:, :, None]
    nowhere = np.where(g == 0, 0.0, math.nan)[:, None]  # the gradient of an infinite loss, unless it does not count
    there = np.where(within, np.where((out == math.inf)[:, None], nowhere, there * g[:, None]), 0.0)
    gradient = backend.zeros(log_probs, log_probs.shape)
    examples = module.arange(states.shape[0])
    for s in range(states.shape[1]):
        gradient[:, examples, states[:, s]] -= there[:, :, s].astype(log_probs.dtype)
    return gradient


_NAME = "ctc_loss"


def ctc_loss(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Any:
    """-log of the probability of a sequence of labels, over all ways to place them in time.

    Arguments: log_probs (T, N, C) or (T, C), logarithms of probabilities as `log_softmax` gives them, float32 or
    float64; targets, classes (N, S), or those of all examples in one row; input_lengths, target_lengths (N), tensors or
    sequences; blank, the class that stands for none; reduction ("mean": each loss divided by its number of labels, and
    their mean; "sum" or "none"); zero_infinity, whether what is impossible, with more labels than time, counts as 0.
    Raises ShapeError, DtypeError, ArgumentError, and DimensionError for a class out of range. Source: Graves et al.,
    2006.

    >>> import tinygrad_dl as tg
    >>> log_probs = tg.zeros(2, 1, 2).log_softmax(2)  # 1, 11, 01 and 10 are three of four ways
    >>> tg.nn.functional.ctc_loss(log_probs, tg.tensor([[1]]), [2], [1])
    tensor(0.2877)
    """
    reduction = reduction_of(_NAME, reduction)
    require_tensors(_NAME, log_probs=log_probs, targets=targets)
    if type(log_probs.array) is not type(targets.array):
        raise explain(_NAME, ("log_probs", "targets"), (log_probs, targets), TypeError("mixed devices"))
    if log_probs.array.dtype not in (np.float32, np.float64):
        raise DtypeError(f"{_NAME}: log_probs must be float32 or float64, they are {log_probs.dtype}; use .float()")
    if log_probs.ndim not in (2, 3):
        raise ShapeError(f"{_NAME}: log_probs must be (T, N, C) or (T, C), shape {tuple(log_probs.shape)} came")
    given = log_probs if log_probs.ndim == 3 else unsqueeze(log_probs, 1)
    times, examples, classes = given.shape
    if not 0 <= blank < classes:
        raise ArgumentError(f"{_NAME}: blank must be one of the {classes} classes, 0 to {classes - 1}, {blank} came")
    lengths = _lengths("input_lengths", input_lengths, examples, times)
    counts = _lengths("target_lengths", target_lengths, examples, None)
    labels = _labels(targets, counts, classes)
    states = np.full((examples, 2 * labels.shape[1] + 1), blank)
    states[:, 1::2] = labels
    skips = np.zeros(states.shape, bool)  # over the blank between two labels that differ
    skips[:, 2:] = (states[:, 2:] != blank) & (states[:, 2:] != states[:, :-2])
    at = np.arange(states.shape[1])
    ends = (at == 2 * counts[:, None]) | (at == 2 * counts[:, None] - 1)
    parts = [wrap(backend.from_numpy(array, log_probs.device)) for array in (states, skips, lengths, ends)]
    loss = _ctc(given, *parts)
    if zero_infinity:
        loss = where(loss == math.inf, 0.0, loss)
    if reduction == "mean":
        divisors = np.maximum(counts, 1).astype(given.array.dtype)
        loss = loss / wrap(backend.from_numpy(divisors, log_probs.device))
    return reduced(loss if log_probs.ndim == 3 or reduction != "none" else squeeze(loss, 0), reduction)


def _lengths(argument: str, given: Any, examples: int, most: int | None) -> Any:
    """Lengths as an array of integers on the host."""
    values = given.tolist() if isinstance(given, Tensor) else given
    values = [values] if isinstance(values, int) else list(values)
    if not all(type(value) is int for value in values):
        raise ArgumentTypeError(f"{_NAME}: {argument} must be integers, {values} came")
    if len(values) != examples:
        raise ShapeError(f"{_NAME}: {argument} must be one for each of the {examples} examples, {len(values)} came")
    if values and (min(values) < 0 or (most is not None and max(values) > most)):
        allowed = "0 or more" if most is None else f"from 0 to {most}, the times in log_probs"
        raise ArgumentError(f"{_NAME}: {argument} must be {allowed}, {values} came")
    return np.fromiter(values, np.int64, len(values))


def _labels(targets: Any, counts: Any, classes: int) -> Any:
    """The labels of each example in a row of its own, on the host; what stands behind them is the class 0."""
    if targets.array.dtype.kind not in "iu":
        raise DtypeError(f"{_NAME}: targets must be classes, integers, not {targets.dtype}; use targets.long()")
    given = backend.to_numpy(targets.array)
    longest = int(counts.max()) if counts.size else 0
    inside = np.arange(longest) < counts[:, None]
    labels = np.zeros(inside.shape, np.int64)
    if given.ndim == 1:
        fits = given.size == counts.sum()
        if fits:
            labels[inside] = given
    else:
        fits = given.ndim == 2 and given.shape[0] == counts.size and given.shape[1] >= longest
        if fits:
            labels[inside] = given[:, :longest][inside]
    if not fits:
        raise ShapeError(
            f"{_NAME}: targets have shape {tuple(targets.shape)}; for target_lengths {counts.tolist()} they must be "
            f"({counts.size}, {longest}) or wider, or all in one row, ({int(counts.sum())},)"
        )
    if labels.size and (labels.min() < 0 or labels.max() >= classes):
        wrong = labels.min() if labels.min() < 0 else labels.max()
        raise DimensionError(f"{_NAME}: targets hold the class {wrong}, there are {classes}, 0 to {classes - 1}")
    return labels
