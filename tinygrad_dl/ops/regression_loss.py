"""Losses of numbers against numbers, by the size of the error. Source: notes, section 2, N030."""

from typing import Any

from .. import backend
from ..errors import ArgumentError
from ..operation import operation
from .blocks import blockwise
from .bounds import clamp
from .loss_parts import (
    reduced,
    reduction_of,
    require_floating_loss,
    require_shape,
    require_tensors,
    warn_about_broadcasting,
)
from .reduction import sum as sum_


@operation(
    promote="same",
    input=blockwise(lambda g, input, target: g * (2 * (input - target))),
    target=blockwise(lambda g, input, target: g * (2 * (target - input))),
)
@blockwise
def squared_error(input: Any, target: Any) -> Any:
    """(input - target)², element by element."""
    e = input - target
    return e * e


@operation(
    "huber_loss",
    promote="same",
    input=blockwise(lambda g, input, target, delta: clamp(input - target, -delta, delta) * g),
    target=blockwise(lambda g, input, target, delta: clamp(target - input, -delta, delta) * g),
)
@blockwise
def bent_error(input: Any, target: Any, delta: float) -> Any:
    """The squared error / 2 up to an error of delta, and a straight line that goes on from there."""
    error = input - target
    near = backend.clip(error, -delta, delta)
    error -= near * 0.5
    error *= near
    return error


def _pair(name: str, input: Any, target: Any) -> None:
    require_tensors(name, input=input, target=target)
    warn_about_broadcasting(name, input, target)


def mse_loss(
    input: Any, target: Any, size_average: Any = None, reduce: Any = None, reduction: str = "mean", weight: Any = None
) -> Any:
    """The mean of the squared errors (input - target)². Source: notes, section 2, N030.

    Arguments: input, target (tensors of one shape), reduction ("mean", which is over the sum of the weights, "sum" or
    "none"), weight (of the input's shape). d input = 2 (input - target) / n. Warns when the shapes differ, since
    broadcasting pairs every input with every target.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.mse_loss(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 4.0]))
    tensor(2.)
    """
    reduction = reduction_of("mse_loss", reduction, size_average, reduce)
    _pair("mse_loss", input, target)
    if weight is None:
        require_floating_loss("mse_loss", input, target)
        return reduced(squared_error(input, target), reduction)
    return _weighted("mse_loss", (input - target) ** 2, weight, input, reduction)


def _weighted(name: str, loss: Any, weight: Any, input: Any, reduction: str) -> Any:
    """A loss with a weight for each value; its mean is over the sum of the weights."""
    require_shape(name, "weight", weight, input)
    weighted = loss * weight
    return sum_(weighted) / sum_(weight) if reduction == "mean" else reduced(weighted, reduction)


def l1_loss(
    input: Any, target: Any, size_average: Any = None, reduce: Any = None, reduction: str = "mean", weight: Any = None
) -> Any:
    """The mean of the absolute errors |input - target|; its slope at 0 is taken as 0. Source: notes, section 2.

    Arguments: input, target (tensors of one shape), reduction ("mean", which is over the sum of the weights, "sum" or
    "none"), weight (of the input's shape). Warns when the shapes differ. Raises ShapeError for another weight.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.l1_loss(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 4.0]))
    tensor(1.)
    """
    reduction = reduction_of("l1_loss", reduction, size_average, reduce)
    _pair("l1_loss", input, target)
    loss = abs(input - target)
    return reduced(loss, reduction) if weight is None else _weighted("l1_loss", loss, weight, input, reduction)


def smooth_l1_loss(
    input: Any, target: Any, size_average: Any = None, reduce: Any = None, reduction: str = "mean", beta: float = 1.0
) -> Any:
    """e² / (2 beta) where the error e = input - target is smaller than beta, else |e| - beta/2.

    Arguments: input, target (tensors of one shape), reduction ("mean", "sum" or "none"), beta (0 gives `l1_loss`).
    Warns when the shapes differ. Raises ArgumentError for a negative beta, DtypeError for integers. Source: Girshick,
    Fast R-CNN, 2015.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.smooth_l1_loss(tg.tensor([1.0, 2.0]), tg.tensor([1.5, 5.0]), reduction="none")
    tensor([0.1250, 2.5000])
    """
    reduction = reduction_of("smooth_l1_loss", reduction, size_average, reduce)
    _pair("smooth_l1_loss", input, target)
    if beta < 0:
        raise ArgumentError(f"smooth_l1_loss: beta must not be negative, {beta} came")
    if beta == 0:
        return reduced(abs(input - target), reduction)
    require_floating_loss("smooth_l1_loss", input, target)
    loss = reduced(bent_error(input, target, beta), reduction)
    return loss if beta == 1 else loss / beta


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None) -> Any:
    """e² / 2 where the error e = input - target is at most delta, else delta · (|e| - delta/2).

    Arguments: input, target (tensors of one shape), reduction ("mean", "sum" or "none"), delta (above 0), weight (of
    the input's shape). Warns when the shapes differ. Raises ArgumentError, ShapeError, DtypeError for integers. Source:
    Huber, 1964.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.huber_loss(tg.tensor([1.0, 2.0]), tg.tensor([1.5, 6.0]), reduction="none", delta=2.0)
    tensor([0.1250, 6.0000])
    """
    reduction = reduction_of("huber_loss", reduction)
    _pair("huber_loss", input, target)
    if not delta > 0:
        raise ArgumentError(f"huber_loss: delta must be above 0, {delta} came")
    require_floating_loss("huber_loss", input, target)
    loss = bent_error(input, target, delta)
    if weight is None:
        return reduced(loss, reduction)
    require_shape("huber_loss", "weight", weight, input)
    return reduced(loss * weight, reduction)
