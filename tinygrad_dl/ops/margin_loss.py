"""Losses that ask for a distance: the right answer must beat the wrong one by a margin. Source: notes, section 2."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend
from ..errors import ArgumentError, DimensionError, DtypeError, ShapeError
from ..tensor import wrap
from .activation import logsigmoid
from .bounds import clamp
from .elementwise import minimum, relu, sqrt, where
from .indexing import take_along_dim
from .loss import softplus
from .loss_parts import reduced, reduction_of, require_floating_loss, require_shape, require_tensors
from .pairwise import pairwise_distance
from .reduction import sum as sum_
from .shape import reshape, squeeze, unsqueeze

# --- pairs, labelled 1 or -1


def hinge_embedding_loss(
    input: Any, target: Any, margin: float = 1.0, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
) -> Any:
    """x where the target is 1, max(0, margin - x) where it is -1, x being the distance of a pair.

    Arguments: input, target (tensors that broadcast; both terms count for another target), margin, reduction ("mean",
    "sum" or "none"). Source: Hadsell et al., 2006.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.hinge_embedding_loss(tg.tensor([0.3, 0.2]), tg.tensor([1.0, -1.0]), reduction="none")
    tensor([0.3000, 0.8000])
    """
    name = "hinge_embedding_loss"
    reduction = reduction_of(name, reduction, size_average, reduce)
    require_tensors(name, input=input, target=target)
    require_floating_loss(name, input)
    far = where(target != 1, clamp(margin - input, min=0), 0)
    near = where(target != -1, input, 0)
    return reduced(far + near, reduction)


def margin_ranking_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float = 0.0,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Any:
    """max(0, -target · (input1 - input2) + margin): with a target of 1 the first must be larger, with -1 the second.

    Arguments: input1, input2, target (tensors of as many dimensions that broadcast), margin, reduction ("mean", "sum"
    or "none"). Raises ShapeError.

    >>> import tinygrad_dl as tg
    >>> x, y = tg.tensor([1.0, 1.0]), tg.tensor([2.0, 0.5])
    >>> tg.nn.functional.margin_ranking_loss(x, y, tg.tensor([1.0, 1.0]), reduction="none")
    tensor([1., 0.])
    """
    name = "margin_ranking_loss"
    reduction = reduction_of(name, reduction, size_average, reduce)
    require_tensors(name, input1=input1, input2=input2, target=target)
    _require_as_many_dims(name, input1=input1, input2=input2, target=target)
    return reduced(clamp(-target * (input1 - input2) + margin, min=0), reduction)


def _require_as_many_dims(name: str, **tensors: Any) -> None:
    if len({tensor.ndim for tensor in tensors.values()}) > 1:
        came = ", ".join(f"{argument} {tuple(tensor.shape)}" for argument, tensor in tensors.items())
        raise ShapeError(f"{name}: all must have as many dimensions, {came} came")


def cosine_embedding_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float = 0.0,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Any:
    """1 - cos where the target is 1, max(0, cos - margin) where it is -1, with the cosine of the angle of a pair.

    Arguments: input1, input2 (N, D) with target (N), or (D) with (); margin (from -1 to 1), reduction ("mean", "sum" or
    "none"). Raises ShapeError.

    >>> import tinygrad_dl as tg
    >>> x, y = tg.tensor([[1.0, 0.0]]), tg.tensor([[0.0, 1.0]])
    >>> tg.nn.functional.cosine_embedding_loss(x, y, tg.tensor([1]))
    tensor(1.)
    """
    name = "cosine_embedding_loss"
    reduction = reduction_of(name, reduction, size_average, reduce)
    require_tensors(name, input1=input1, input2=input2, target=target)
    if target.ndim > 1 or not input1.ndim == input2.ndim == target.ndim + 1:
        raise ShapeError(
            f"{name}: rows (N, D) with targets (N), or vectors (D) with one target () are needed; "
            f"{tuple(input1.shape)}, {tuple(input2.shape)} and {tuple(target.shape)} came"
        )
    sizes = (sum_(input1 * input1, -1) + _TINY) * (sum_(input2 * input2, -1) + _TINY)
    cosine = sum_(input1 * input2, -1) / sqrt(sizes)
    near = where(target == 1, 1 - cosine, 0.0)
    far = where(target == -1, clamp(cosine - margin, min=0), 0.0)
    return reduced(near + far, reduction)


_TINY = 1e-12  # added to squares of lengths, so that vectors of zeros have a cosine


def soft_margin_loss(
    input: Any, target: Any, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
) -> Any:
    """log(1 + e^(-target · input)): a smooth hinge for targets 1 and -1, without overflow.

    Arguments: input, target (tensors that broadcast), reduction ("mean", "sum" or "none").

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.soft_margin_loss(tg.tensor([0.0]), tg.tensor([1.0]))
    tensor(0.6931)
    """
    reduction = reduction_of("soft_margin_loss", reduction, size_average, reduce)
    require_tensors("soft_margin_loss", input=input, target=target)
    require_floating_loss("soft_margin_loss", input, target)
    return reduced(softplus(-target * input), reduction)


# --- triplets


def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Any:
    """max(0, d(anchor, positive) - d(anchor, negative) + margin) with the distance d(x, y) = ‖x - y + eps‖ₚ.

    Arguments: anchor, positive, negative (tensors (N, D) or (D) that broadcast), margin (above 0), p, eps, swap (take
    the positive's distance from the negative where it is the smaller one), reduction ("mean", "sum" or "none"). Raises
    ShapeError, ArgumentError. Source: notes, section 2, N041; Balntas et al., 2016, for the swap.

    >>> import tinygrad_dl as tg
    >>> a, p, n = (tg.tensor([[x]]) for x in (0.0, 1.0, 1.5))
    >>> tg.nn.functional.triplet_margin_loss(a, p, n)
    tensor(0.5000)
    """
    reduction = reduction_of("triplet_margin_loss", reduction, size_average, reduce)
    require_tensors("triplet_margin_loss", anchor=anchor, positive=positive, negative=negative)
    return _of_triplets(
        "triplet_margin_loss",
        (anchor, positive, negative),
        lambda x, y: pairwise_distance(x, y, p, eps),
        margin,
        swap,
        reduction,
    )


def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Callable[[Any, Any], Any] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """`triplet_margin_loss` with a distance of one's own: a function of two batches, or None for pairwise_distance.

    Arguments: anchor, positive, negative (tensors of as many dimensions), distance_function, margin (above 0), swap,
    reduction ("mean", "sum" or "none"). Raises ShapeError, ArgumentError.

    >>> import tinygrad_dl as tg
    >>> F = tg.nn.functional
    >>> a, p, n = (tg.tensor([[x]]) for x in (0.0, 1.0, 1.5))
    >>> F.triplet_margin_with_distance_loss(a, p, n, distance_function=lambda x, y: abs(x - y).sum(1))
    tensor(0.5000)
    """
    name = "triplet_margin_with_distance_loss"
    reduction = reduction_of(name, reduction)
    distance = pairwise_distance if distance_function is None else distance_function
    return _of_triplets(name, (anchor, positive, negative), distance, margin, swap, reduction)


def _of_triplets(
    name: str,
    triplet: tuple[Any, Any, Any],
    distance: Callable[[Any, Any], Any],
    margin: float,
    swap: bool,
    reduction: str,
) -> Any:
    anchor, positive, negative = triplet
    require_margin(name, margin)
    _require_as_many_dims(name, anchor=anchor, positive=positive, negative=negative)
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = minimum(far, distance(positive, negative))
    return reduced(clamp(margin + near - far, min=0), reduction)


def require_margin(name: str, margin: float) -> None:
    if not margin > 0:
        raise ArgumentError(f"{name}: margin must be above 0, {margin} came")


# --- several classes


def multi_margin_loss(
    input: Any,
    target: Any,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Any:
    """Σⱼ max(0, margin - x_y + xⱼ)ᵖ / C over the wrong classes j: the right class y must win by a margin.

    Arguments: input (N, C) with target (N) of int64 classes, or (C) with (); p (1 or 2), margin, weight (C), reduction
    ("mean", "sum" or "none"). Raises ShapeError, ArgumentError, and DimensionError for a class out of range. Source:
    Crammer and Singer, 2001.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.multi_margin_loss(tg.tensor([[0.1, 0.2, 0.4, 0.8]]), tg.tensor([3]))
    tensor(0.3250)
    """
    name = "multi_margin_loss"
    reduction = reduction_of(name, reduction, size_average, reduce)
    require_tensors(name, input=input, target=target)
    require_floating_loss(name, input)
    if p not in (1, 2):
        raise ArgumentError(f"{name}: p is 1 or 2, {p} came")
    rows, classes = _rows(name, input), target.array.reshape(-1)
    count = rows.shape[1]
    if target.ndim > 1 or len(classes) != rows.shape[0]:
        raise ShapeError(
            f"{name}: target has shape {tuple(target.shape)}, the input {tuple(input.shape)}: one class each"
        )
    if weight is not None and tuple(weight.shape) != (count,):
        raise ArgumentError(
            f"{name}: weight has shape {tuple(weight.shape)}, it must be ({count},), one for each class"
        )
    _require_in_range(name, target, 0, count)
    index = wrap(classes[:, None])
    loss = relu(rows - take_along_dim(rows, index, 1) + margin)
    if p == 2:
        loss = loss * loss
    if weight is not None:
        loss = loss * weight[index]
    columns = backend.array_module(classes).arange(count)
    loss = sum_(where(wrap(classes[:, None] == columns), 0.0, loss), 1) / count
    return reduced(reshape(loss, tuple(target.shape)), reduction)


def _rows(name: str, input: Any) -> Any:
    """A batch of rows from (N, C), (C) or a single number."""
    if input.ndim > 2 or (input.ndim and input.shape[-1] == 0):
        raise ShapeError(f"{name}: input must be (N, C) or (C), shape {tuple(input.shape)} came")
    return input if input.ndim == 2 else reshape(input, (1, -1))


def _require_in_range(name: str, target: Any, low: int, classes: int) -> None:
    array = target.array
    if array.dtype != np.int64:
        raise DtypeError(f"{name}: target must hold classes as int64, not {target.dtype}; use target.long()")
    if array.size and not (array.min() >= low and array.max() < classes):
        wrong = array.min() if array.min() < low else array.max()
        raise DimensionError(
            f"{name}: target holds the class {wrong}, the input has {classes} classes, numbered 0 to {classes - 1}"
        )


def multilabel_margin_loss(
    input: Any, target: Any, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
) -> Any:
    """Σ max(0, 1 - x_y + xⱼ) / C over the right classes y and the wrong classes j of each example.

    Arguments: input (N, C) or (C); target of the same shape, int64: the right classes first, then a -1 if there are
    fewer than C; reduction ("mean", "sum" or "none"). Raises ShapeError, DtypeError, DimensionError for a class out of
    range.

    >>> import tinygrad_dl as tg
    >>> x, y = tg.tensor([[0.1, 0.2, 0.4, 0.8]]), tg.tensor([[3, 0, -1, 1]])
    >>> tg.nn.functional.multilabel_margin_loss(x, y)
    tensor(0.8500)
    """
    name = "multilabel_margin_loss"
    reduction = reduction_of(name, reduction, size_average, reduce)
    require_tensors(name, input=input, target=target)
    require_floating_loss(name, input)
    require_shape(name, "target", target, input)
    rows, classes = _rows(name, input), _rows(name, target).array
    count = rows.shape[1]
    _require_in_range(name, target, -1, count)
    given = (classes < 0).cumsum(axis=1) == 0  # what stands before the first -1
    columns = backend.array_module(classes).arange(count)
    wrong = ~((classes[:, :, None] == columns) & given[:, :, None]).any(axis=1)
    right = take_along_dim(rows, wrap(np.where(given, classes, 0)), 1)
    loss = relu(1 - unsqueeze(right, 2) + unsqueeze(rows, 1))  # (N, right, wrong)
    loss = sum_(where(wrap(given[:, :, None] & wrong[:, None, :]), loss, 0.0), (1, 2)) / count
    return reduced(loss if input.ndim == 2 else squeeze(loss, 0), reduction)


def multilabel_soft_margin_loss(
    input: Any, target: Any, weight: Any = None, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
) -> Any:
    """-(y log σ(x) + (1 - y) log σ(-x)), its mean over the classes: independent yes-or-no questions about each example.

    Arguments: input x, target y (tensors (..., C) that broadcast), weight (tensor that broadcasts), reduction ("mean",
    "sum" or "none").

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.multilabel_soft_margin_loss(tg.tensor([[0.0, 0.0]]), tg.tensor([[1.0, 0.0]]))
    tensor(0.6931)
    """
    name = "multilabel_soft_margin_loss"
    reduction = reduction_of(name, reduction, size_average, reduce)
    require_tensors(name, input=input, target=target)
    loss = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    return reduced(sum_(loss, -1) / input.shape[-1], reduction)
