"""Losses of probabilities and of parameters of distributions: negative log-likelihoods. Source: notes, section 2."""

import math
import warnings
from typing import Any

import numpy as np

from ..errors import ArgumentError, ShapeError
from ..operation import operation
from .blocks import blockwise
from .bounds import clamp
from .elementwise import where
from .exponential import exp, log
from .loss_parts import REDUCTIONS, reduced, reduction_of, require_floating_loss, require_shape, require_tensors
from .pairwise import not_below
from .shape import unsqueeze

# --- binary cross-entropy

_LOWEST = -100.0  # the logarithm of 0 counts as this, so that a sure but wrong prediction has a finite loss


def _not_below(x: Any, low: float) -> Any:
    return clamp(x, low, math.inf)


@operation(
    "binary_cross_entropy",
    promote="same",
    input=blockwise(lambda g, input, target: g * (input - target) / _not_below((1 - input) * input, 1e-12)),
    target=blockwise(lambda g, input: g * (np.log1p(-input) - np.log(input))),
)
@blockwise
def _binary_cross_entropy(input: Any, target: Any) -> Any:
    with np.errstate(divide="ignore"):
        missed = (target - 1) * np.maximum(np.log1p(-input), _LOWEST)
        return missed - target * np.maximum(np.log(input), _LOWEST)


def binary_cross_entropy(
    input: Any, target: Any, weight: Any = None, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
) -> Any:
    """-(y log x + (1 - y) log(1 - x)) of probabilities x; no logarithm counts as less than -100.

    Arguments: input (between 0 and 1), target y (of the same shape, between 0 and 1), weight (tensor that broadcasts),
    reduction ("mean", "sum" or "none"). Raises ShapeError, DtypeError, and ArgumentError for an input outside [0, 1].
    Source: notes, section 2, N037.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.binary_cross_entropy(tg.tensor([0.5, 0.0]), tg.tensor([1.0, 1.0]), reduction="none")
    tensor([  0.6931, 100.0000])
    """
    name = "binary_cross_entropy"
    reduction = reduction_of(name, reduction, size_average, reduce)
    require_tensors(name, input=input, target=target)
    require_floating_loss(name, input)
    require_shape(name, "target", target, input)
    x = input.array
    if x.size and not (x.min() >= 0 and x.max() <= 1):  # (NaN is outside too)
        raise ArgumentError(
            f"{name}: the input must be probabilities, between 0 and 1, these are from {x.min()} to {x.max()}; logits "
            "go into binary_cross_entropy_with_logits"
        )
    loss = _binary_cross_entropy(input, target)
    return reduced(loss if weight is None else loss * weight, reduction)


# --- distributions


@operation(
    "kl_div",
    promote="same",
    input=lambda g, target: -g * target,
    target=blockwise(lambda g, input, target: g * (np.log(target) + 1 - input)),
)
@blockwise
def _divergence(input: Any, target: Any) -> Any:
    with np.errstate(divide="ignore", invalid="ignore"):
        own = target * np.log(target)
    return np.where(target == 0, 0, own) - target * input


def kl_div(
    input: Any,
    target: Any,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Any:
    """y (log y - x), summed: how far a distribution is from the target, which y is, with x the logarithm of the first.

    Arguments: input (log-probabilities), target (probabilities, or their logarithms with log_target), reduction
    ("batchmean": the sum over the examples' number, which is the divergence; "mean" over all elements, with a warning;
    "sum" or "none"), log_target. Raises ArgumentError, ShapeError. Source: Kullback and Leibler, 1951.

    >>> import tinygrad_dl as tg
    >>> x, y = tg.tensor([[0.5, 0.5]]).log(), tg.tensor([[1.0, 0.0]])
    >>> tg.nn.functional.kl_div(x, y, reduction="batchmean")
    tensor(0.6931)
    """
    given = size_average is not None or reduce is not None
    reduction = reduction_of("kl_div", reduction, size_average, reduce, ("batchmean", *REDUCTIONS))
    require_tensors("kl_div", input=input, target=target)
    require_floating_loss("kl_div", input, target)
    if reduction == "mean" and not given:
        warn_about_mean()
    loss = exp(target) * (target - input) if log_target else _divergence(input, target)
    if reduction != "batchmean":
        return reduced(loss, reduction)
    return reduced(loss, "sum") / (input.shape[0] or math.nan) if input.ndim else loss


def warn_about_mean() -> None:
    warnings.warn(
        "kl_div: reduction='mean' divides by the number of elements, not of examples; 'batchmean' gives the divergence",
        UserWarning,
        stacklevel=3,
    )


def _stirling(target: Any) -> Any:
    """log(target!) by Stirling's formula; 0 for a target up to 1."""
    some = where(target > 1, target, 1.0)
    return where(target > 1, some * log(some) - some + 0.5 * log(2 * math.pi * some), 0.0)


def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    size_average: Any = None,
    eps: float = 1e-8,
    reduce: Any = None,
    reduction: str = "mean",
) -> Any:
    """e^x - y x, the negative log-likelihood of counts y that are Poisson distributed, x being the logarithm of a rate.

    Arguments: input, target (tensors that broadcast), log_input (False: the input is the rate itself, and the loss
    x - y log(x + eps)), full (add Stirling's log(y!) where y > 1), eps, reduction ("mean", "sum" or "none").

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.poisson_nll_loss(tg.tensor([0.0, 1.0]), tg.tensor([2.0, 3.0]), reduction="none")
    tensor([ 1.0000, -0.2817])
    """
    name = "poisson_nll_loss"
    reduction = reduction_of(name, reduction, size_average, reduce)
    require_tensors(name, input=input, target=target)
    loss = exp(input) - target * input if log_input else input - target * log(input + eps)
    return reduced(loss + _stirling(target) if full else loss, reduction)


def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Any:
    """(log var + (input - target)² / var) / 2, the negative log-likelihood of normally distributed targets.

    Arguments: input (the means), target (tensors that broadcast), var (the variances: of the input's shape, without its
    last dimension or with a 1 in one place; or a number), full (add log(2π)/2), eps (variances count as at least that),
    reduction ("mean", "sum" or "none"). Raises ArgumentError for a negative variance, ShapeError. Source: Nix and
    Weigend, 1994.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.gaussian_nll_loss(tg.tensor([1.0]), tg.tensor([3.0]), tg.tensor([4.0]))
    tensor(1.1931)
    """
    name = "gaussian_nll_loss"
    reduction = reduction_of(name, reduction)
    require_tensors(name, input=input, target=target)
    if isinstance(var, float | int):
        var = input.detach() * 0 + var
    require_tensors(name, var=var)
    require_floating_loss(name, var)
    if bool((var.array < 0).any()):
        raise ArgumentError(f"{name}: variances must not be negative, {var.array.min()} came")
    bounded = not_below(_variances(input, var), eps)
    error = input - target
    loss = 0.5 * (log(bounded) + error * error / bounded)
    return reduced(loss + math.log(2 * math.pi) / 2 if full else loss, reduction)


def _variances(input: Any, var: Any) -> Any:
    """The variances in a shape that broadcasts to the input's."""
    here, wanted = tuple(var.shape), tuple(input.shape)
    if here == wanted[:-1] and here != wanted:
        return unsqueeze(var, -1)
    differing = [size for size, other in zip(here, wanted, strict=False) if size != other]
    if here != wanted and (len(here) != len(wanted) or sum(differing) != 1):
        raise ShapeError(
            f"gaussian_nll_loss: var has shape {here}, for an input of shape {wanted} it must be that, or without the "
            "last dimension, or with a 1 in one place"
        )
    return var
