"""Losses: one number that says how far a prediction is from the truth. Source: notes, section 2."""

from typing import Any

import numpy as np

from .. import backend
from ..backend import HOST
from ..errors import ArgumentError, DimensionError, DtypeError, ShapeError
from ..explain import explain
from ..operation import keep, operation
from ..tensor import Tensor
from .blocks import BLOCK
from .elementwise import sigmoid, where
from .indexing import take_along_dim
from .loss_parts import REDUCTIONS, reduced, reduction_of, require_floating_loss, require_shape, require_tensors
from .reduction import cast, total
from .reduction import sum as sum_
from .shape import reshape, squeeze, unsqueeze
from .softmax import exponentials, log_softmax

# --- binary cross-entropy of logits


def _bce_rule(g: Any, input: Any, target: Any, pos_weight: Any) -> Any:
    if pos_weight is None:
        return g * (sigmoid(input) - target)
    return g * ((1 - target) - (1 + (pos_weight - 1) * target) * sigmoid(-input))


def _bce_target_rule(g: Any, input: Any, pos_weight: Any) -> Any:
    if pos_weight is None:
        return -g * input
    return g * ((pos_weight - 1) * softplus(-input) - input)


@operation(input=lambda g, input: g * sigmoid(input))
def softplus(input: Any) -> Any:
    """log(1 + e^input) without overflow: max(input, 0) + log(1 + e^-|input|)."""
    return np.maximum(input, 0) + np.log1p(np.exp(-np.abs(input)))


@operation(
    promote="float",
    input=_bce_rule,
    target=_bce_target_rule,
    pos_weight=lambda g, input, target: g * target * softplus(-input),
)
def _bce_with_logits(input: Any, target: Any, pos_weight: Any = None) -> Any:
    """max(x, 0) - x y + log(1 + e^-|x|), the stable form of notes, section 2, N038."""
    if pos_weight is None:
        return np.maximum(input, 0) - input * target + np.log1p(np.exp(-np.abs(input)))
    softplus_of_negative = np.maximum(-input, 0) + np.log1p(np.exp(-np.abs(input)))
    return (1 - target) * input + (1 + (pos_weight - 1) * target) * softplus_of_negative


def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Any:
    """-(y log s(x) + (1 - y) log(1 - s(x))) with s the sigmoid, computed from the logits x without overflow.

    Arguments: input (logits), target (of the same shape, between 0 and 1), weight (tensor that broadcasts), reduction
    ("mean", "sum" or "none"), pos_weight (weight of the positive class, broadcasts). d input = s(x) - y. Raises
    ShapeError when input and target differ in shape. Source: notes, section 2, N038.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.binary_cross_entropy_with_logits(tg.tensor([0.0]), tg.tensor([1.0]))
    tensor(0.6931)
    """
    name = "binary_cross_entropy_with_logits"
    require_tensors(name, input=input, target=target)
    reduction = reduction_of(name, reduction, size_average, reduce)
    require_floating_loss(name, input)
    require_shape(name, "target", target, input)
    loss = _bce_with_logits(input, target, pos_weight)
    return reduced(loss if weight is None else loss * weight, reduction)


# --- cross-entropy


def _of_classes(target: Any, rows: Any) -> Any:
    """Where each row's class is in flat memory: by these NumPy reads and writes twice as fast as by row and column."""
    return backend.row_starts(target, *rows.shape) + target


@operation()
def one_hot_like(target: Any, probabilities: Any) -> Any:
    """Rows with 1 at the target's class and 0 elsewhere, in the shape and dtype of `probabilities`."""
    out = backend.zeros(probabilities, probabilities.shape)
    out.reshape(-1)[_of_classes(target, out)] = 1
    return out


def _composed_cross_entropy(input: Any, target: Any, reduction: str) -> Any:
    """What the fused operation computes, from operations: the recorded walk differentiates this."""
    picked = take_along_dim(log_softmax(input, -1), unsqueeze(target, -1), -1)
    return reduced(-squeeze(picked, -1), reduction)


def _times_difference(g: Any, probabilities: Any, target: Any) -> Any:
    """g · (A - Y), the gradient of the logits; on arrays without Y, which is 0 nearly everywhere."""
    if not backend.is_array(probabilities):
        return g * (probabilities - one_hot_like(target, probabilities))
    out = backend.row_major(g * probabilities)
    out.reshape(-1)[_of_classes(target, out)] -= g.reshape(-1) if g.ndim else g
    return out


def _cross_entropy_rule(g: Any, probabilities: Any, target: Any, reduction: str) -> Any:
    if reduction == "none":
        return _times_difference(unsqueeze(g, -1), probabilities, target)
    return _times_difference(g / target.shape[0] if reduction == "mean" else g, probabilities, target)


@operation("cross_entropy", twin=_composed_cross_entropy, input=_cross_entropy_rule)
def _fused_cross_entropy(input: Any, target: Any, reduction: str) -> Any:
    """Softmax and the negative log-likelihood of classes in one step; dZ = A - Y (notes, section 2, N040)."""
    loss, probabilities = _losses(input, target)
    if reduction != "none":
        loss = total(loss) / len(target) if reduction == "mean" else total(loss)
    return keep(loss, probabilities=probabilities)


def _losses(input: Any, target: Any) -> tuple[Any, Any]:
    """The loss of each row and its probabilities; on big NumPy arrays a few rows at a time, which stay in the cache."""
    if type(input) is HOST and input.size > BLOCK:
        loss, probabilities = np.empty(len(input), input.dtype), np.empty(input.shape, input.dtype)
        count = max(BLOCK // input.shape[1], 1)
        for start in range(0, len(input), count):
            rows = slice(start, start + count)
            loss[rows], probabilities[rows] = _losses_at_once(input[rows], target[rows])
        return loss, probabilities
    return _losses_at_once(input, target)


def _losses_at_once(input: Any, target: Any) -> tuple[Any, Any]:
    e, sums, x = exponentials(input, 1)
    picked = x.reshape(-1)[_of_classes(target, x)]
    e /= sums
    return np.log(sums).reshape(-1) - picked, e


def require_classes(name: str, target: Any, classes: int, ignore_index: int) -> bool:
    """Raise for a class that does not exist; returns whether one must be ignored."""
    array = target.array
    outside = array.view(np.uint64) >= classes  # the negative ones too
    if not np.count_nonzero(outside):  # in a fifth of the time of any()
        return 0 <= ignore_index < classes and bool((array == ignore_index).any())
    wrong = outside & (array != ignore_index)
    if bool(wrong.any()):
        first = int(array[wrong].reshape(-1)[0])
        raise DimensionError(
            f"{name}: target holds the class {first}, the input has {classes} classes, numbered 0 to {classes - 1}"
        )
    return True


def _is_plain(input: Any, target: Any) -> bool:
    """Whether the fused operation takes them: a matrix of logits and a class for each of its rows, at least one."""
    if not (isinstance(input, Tensor) and isinstance(target, Tensor)):
        return False
    x, classes = input.array, target.array
    if x.ndim != 2 or classes.dtype != np.int64 or type(x) is not type(classes):
        return False
    return classes.shape == x.shape[:1] and x.dtype.kind == "f" and classes.size > 0


def require_class_weights(name: str, weight: Any, classes: int) -> None:
    if weight is not None and tuple(weight.shape) != (classes,):
        raise ShapeError(
            f"{name}: weight has shape {tuple(weight.shape)}, it must have one number for each of the {classes} classes"
        )


def _class_dim(name: str, input: Any, target: Any) -> int:
    """The dimension of the classes: 1, or 0 for one example; devices and shapes are checked."""
    if type(input.array) is not type(target.array):
        raise explain(name, ("input", "target"), (input, target), TypeError("mixed devices"))
    dim = 0 if input.ndim == 1 else 1
    expected = tuple(input.shape[:dim]) + tuple(input.shape[dim + 1 :])
    if input.ndim == 0 or tuple(target.shape) != expected:
        raise ShapeError(
            f"{name}: target has shape {tuple(target.shape)}, for an input of shape {tuple(input.shape)} it must be "
            f"{expected}: one class for each example (or, as probabilities, floating and of the input's shape)"
        )
    return dim


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    ignore_index: int = -100,
    reduce: Any = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """-log softmax(input)[target], the loss of a classifier with several classes. Source: notes, section 2, N040.

    Arguments: input (logits, (C), (N, C) or (N, C, d1, ...)), target (int64 classes without the class dimension, or
    probabilities of the input's shape), weight (one per class), ignore_index (a class to leave out), reduction ("mean"
    weighted, "sum" or "none"), label_smoothing (0 to 1). d input = softmax(input) - one-hot(target), divided by N for
    the mean. Raises ShapeError, DtypeError, and DimensionError for a class out of range.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.cross_entropy(tg.tensor([[0.0, 0.0]]), tg.tensor([1]))
    tensor(0.6931)
    """
    if size_average is not None or reduce is not None or reduction not in REDUCTIONS:
        reduction = reduction_of("cross_entropy", reduction, size_average, reduce)
    if weight is None and label_smoothing == 0.0 and _is_plain(input, target):
        if not require_classes("cross_entropy", target, input.array.shape[1], ignore_index):
            return _fused_cross_entropy(input, target, reduction)
    require_tensors("cross_entropy", input=input, target=target)
    if not 0.0 <= label_smoothing <= 1.0:
        raise ArgumentError(f"cross_entropy: label_smoothing must lie between 0 and 1, {label_smoothing} came")
    require_floating_loss("cross_entropy", input)
    if target.is_floating_point():
        return _cross_entropy_of_probabilities(input, target, weight, reduction, label_smoothing)
    target = _classes("cross_entropy", target)
    dim = _class_dim("cross_entropy", input, target)
    classes = input.shape[dim]
    require_classes("cross_entropy", target, classes, ignore_index)
    require_class_weights("cross_entropy", weight, classes)
    log_probabilities = log_softmax(input, dim)
    loss = nll_loss(log_probabilities, target, weight, ignore_index=ignore_index, reduction=reduction)
    if not label_smoothing:
        return loss
    weighted = log_probabilities if weight is None else log_probabilities * _along(weight, dim, input.ndim)
    counted = target != ignore_index
    spread = where(counted, -sum_(weighted, dim), 0.0)
    if reduction == "mean":
        spread = sum_(spread) / sum_(weights_of_classes(weight, target, counted, input))
    elif reduction == "sum":
        spread = sum_(spread)
    return (1 - label_smoothing) * loss + (label_smoothing / classes) * spread


def _cross_entropy_of_probabilities(
    input: Any, target: Any, weight: Any, reduction: str, label_smoothing: float
) -> Any:
    if target.array.shape != input.array.shape:
        raise ShapeError(
            f"cross_entropy: target probabilities have shape {tuple(target.shape)}, they must have the input's, "
            f"{tuple(input.shape)}"
        )
    dim = 0 if input.ndim == 1 else 1
    classes = input.shape[dim]
    require_class_weights("cross_entropy", weight, classes)
    if label_smoothing:
        target = target * (1 - label_smoothing) + label_smoothing / classes
    terms = log_softmax(input, dim) * target
    loss = -sum_(terms if weight is None else terms * _along(weight, dim, input.ndim), dim)
    if reduction != "mean":
        return reduced(loss, reduction)
    return sum_(loss) / (loss.numel() or float("nan"))


def _classes(name: str, target: Any) -> Any:
    if target.array.dtype.kind not in "iu":
        raise DtypeError(f"{name}: target must hold classes as int64 (or floating probabilities), not {target.dtype}")
    return target if target.array.dtype == np.int64 else target.long()


def _along(weight: Any, dim: int, ndim: int) -> Any:
    return reshape(weight, (-1,) + (1,) * (ndim - dim - 1))


def weights_of_classes(weight: Any, target: Any, counted: Any, input: Any) -> Any:
    """The weight of each example: its class's (1 without weights), 0 where it is ignored."""
    if weight is None:
        return cast(counted, input.array.dtype)
    return where(counted, weight[where(counted, target, 0)], 0.0)


def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    ignore_index: int = -100,
    reduce: Any = None,
    reduction: str = "mean",
) -> Any:
    """-input[target], the negative log-likelihood of log-probabilities. Source: notes, section 2, N039.

    Arguments: input (log-probabilities, (C), (N, C) or (N, C, d1, ...)), target (int64 classes), weight (one per
    class), ignore_index, reduction ("mean" weighted, "sum" or "none"). Raises ShapeError, DtypeError, DimensionError.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.nll_loss(tg.tensor([[-0.5, -1.0]]), tg.tensor([1]))
    tensor(1.)
    """
    require_tensors("nll_loss", input=input, target=target)
    reduction = reduction_of("nll_loss", reduction, size_average, reduce)
    require_floating_loss("nll_loss", input)
    target = _classes("nll_loss", target)
    dim = _class_dim("nll_loss", input, target)
    require_classes("nll_loss", target, input.shape[dim], ignore_index)
    require_class_weights("nll_loss", weight, input.shape[dim])
    counted = target != ignore_index
    weights = weights_of_classes(weight, target, counted, input)
    picked = squeeze(take_along_dim(input, unsqueeze(where(counted, target, 0), dim), dim), dim)
    loss = where(counted, -picked * weights, 0.0)
    return sum_(loss) / sum_(weights) if reduction == "mean" else reduced(loss, reduction)
