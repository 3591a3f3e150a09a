"""Cross-entropy of logits that a matrix makes, also a few rows at a time, so that they are never there all at once."""

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import backend
from ..dtypes import float16, float32, float64
from ..errors import ArgumentError, ArgumentTypeError, DtypeError, ShapeError
from ..explain import explain
from ..operation import operation
from .elementwise import where
from .indexing import take_along_dim
from .linalg import linear
from .loss import cross_entropy, require_class_weights, require_classes, weights_of_classes
from .loss_parts import reduced, reduction_of, require_floating_loss, require_tensors
from .reduction import sum as sum_
from .reduction import total
from .shape import reshape, squeeze, unsqueeze
from .softmax import exponentials, log_softmax

_NAME = "linear_cross_entropy"
_HALF, _SINGLE = np.dtype(np.float16), np.dtype(np.float32)


@dataclass(frozen=True, slots=True)
class LinearCrossEntropyOptions:
    """How many rows of logits `linear_cross_entropy` computes at a time. Results do not depend on it.

    Arguments: batch_chunk_size, the number of rows; or chunking_method: "aspect_ratio:n", as many rows as take an n-th
    of the input's memory ("auto": n = 2), or None, all. Without effect, since every graph may be walked again with
    retain_graph and sums are of float32 at the least: allow_retain_graph, acc_policy ("auto", "accurate", "balanced"
    or "compact"), acc_dtype. Raises ArgumentError for other values.

    >>> from tinygrad_dl import nn
    >>> nn.LinearCrossEntropyOptions(batch_chunk_size=256).batch_chunk_size
    256
    """

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: str = "auto"
    acc_dtype: Any = None

    def __post_init__(self) -> None:
        name, _, factor = str(self.chunking_method).partition(":")
        if self.chunking_method not in (None, "auto", "aspect_ratio") and (
            name != "aspect_ratio" or not factor.isdigit() or int(factor) < 1
        ):
            self._refuse("chunking_method", "'auto', 'aspect_ratio', 'aspect_ratio:n' or None")
        size = self.batch_chunk_size
        if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
            self._refuse("batch_chunk_size", "a number of rows from 1 on, or None")
        if self.acc_policy not in ("auto", "accurate", "balanced", "compact"):
            self._refuse("acc_policy", "'auto', 'accurate', 'balanced' or 'compact'")
        if self.acc_dtype not in (None, float16, float32, float64):
            self._refuse("acc_dtype", "None, float16, float32 or float64")

    def _refuse(self, argument: str, wanted: str) -> None:
        raise ArgumentError(f"LinearCrossEntropyOptions: {argument} is {wanted}, not {getattr(self, argument)!r}")

    def rows(self, count: int, width: int, classes: int) -> int:
        """How many of `count` rows of an input of this width are taken at a time."""
        size, method = self.batch_chunk_size, self.chunking_method
        if method is None or (method == "auto" and size is not None):
            return max(min(size or count, count), 1)
        factor = 2 if method == "auto" else int(method.partition(":")[2] or 1)
        wanted = math.ceil(count / max(math.ceil(classes / max(width, 1)), 1))
        found = min((1 << max(wanted - 1, 0).bit_length()) // factor, count)
        if size is not None and size != found:
            raise ArgumentError(
                f"{_NAME}: batch_chunk_size {size} and chunking_method {method!r}, which gives {found}, disagree; "
                "give one of them"
            )
        return max(found, 1)


# --- the operation: the loss of each row


def _parts(count: int, rows: int) -> Iterator[slice]:
    return (slice(start, start + rows) for start in range(0, count, rows))


def _wide(x: Any) -> Any:
    return x.astype(_SINGLE) if x is not None and x.dtype == _HALF else x


def _exponentials(x: Any, weight: Any, bias: Any) -> tuple[Any, Any, Any]:
    """e^logits, their sums along the rows, and the logits, of the first two or of all three without a maximum."""
    logits = x @ weight.T
    if bias is not None:
        logits += bias
    return exponentials(logits, 1)


def _places(target: Any, classes: int) -> Any:
    """Where each row's class lies among the logits of all rows."""
    return backend.array_module(target).arange(0, target.size * classes, classes) + target


def _some_losses(x: Any, weight: Any, bias: Any, target: Any) -> Any:
    _, sums, logits = _exponentials(x, weight, bias)
    return np.log(sums).reshape(-1) - logits.reshape(-1)[_places(target, len(weight))]


def _differences(g: Any, x: Any, weight: Any, bias: Any, target: Any) -> Any:
    """g (P - Y), with P the probabilities of the classes and Y the true ones: the gradient of the logits."""
    d, sums, _ = _exponentials(x, weight, bias)
    d *= g[:, None] / sums
    d.reshape(-1)[_places(target, len(weight))] -= g
    return d


def _rule(
    g: Any, needs: tuple[bool, ...], input: Any, linear_weight: Any, linear_bias: Any, target: Any, rows: int
) -> tuple[Any, ...]:
    found = iter(_gradients(g, needs, input, linear_weight, linear_bias, target, rows))
    return tuple([next(found) if need else None for need in needs])


@operation("linear_cross_entropy_gradients")
def _gradients(g: Any, needs: Any, input: Any, linear_weight: Any, linear_bias: Any, target: Any, rows: int) -> Any:
    """Those that are needed: of the logits' gradients D of some rows at a time, dX = D W, dW = Σ Dᵀ X and db = Σ D."""
    x, w, bias, g = _wide(input), _wide(linear_weight), _wide(linear_bias), _wide(g)
    dx, dw, db = backend.empty(x, x.shape), backend.zeros(w, w.shape), backend.zeros(w, w.shape[:1])
    for part in _parts(len(x), rows):
        d = _differences(g[part], x[part], w, bias, target[part])
        if needs[0]:
            dx[part] = d @ w
        if needs[1]:
            dw += d.T @ x[part]
        if needs[2]:
            db += total(d, (0,))
    return tuple([v.astype(input.dtype, copy=False) for need, v in zip(needs, (dx, dw, db)) if need])


def _composed(input: Any, linear_weight: Any, linear_bias: Any, target: Any, rows: int) -> Any:
    """What the operation computes, from operations: the recorded walk differentiates this."""
    picked = take_along_dim(log_softmax(linear(input, linear_weight, linear_bias), -1), unsqueeze(target, -1), -1)
    return -squeeze(picked, -1)


@operation(_NAME, joint=_rule, twin=_composed, input=None, linear_weight=None, linear_bias=None)
def _losses(input: Any, linear_weight: Any, linear_bias: Any, target: Any, rows: int) -> Any:
    """log Σ e^z - z[target] of each row of logits z = x Wᵀ + b, computed for `rows` of them at a time."""
    x, w, bias = _wide(input), _wide(linear_weight), _wide(linear_bias)
    loss = backend.empty(x, x.shape[:1])
    for part in _parts(len(x), rows):
        loss[part] = _some_losses(x[part], w, bias, target[part])
    return loss.astype(input.dtype, copy=False)


# --- as users call it


def linear_cross_entropy(
    input: Any,
    linear_weight: Any,
    target: Any,
    *,
    linear_bias: Any = None,
    weight: Any = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: LinearCrossEntropyOptions | None = None,
) -> Any:
    """The `cross_entropy` of logits x Wᵀ + b, which with options are computed a few rows at a time: less memory.

    Arguments: input x (N, E) or (E); linear_weight W (C, E), or (C, d1, ..., E) for losses in several dimensions;
    target, classes (N), () or (N, d1, ...), or probabilities in the shape of the logits; linear_bias, of the shape of
    linear_weight without E, or None; weight (C), a factor for each class; reduction ("mean", weighted, "sum" or
    "none"); ignore_index, a class to leave out (None: -100, and none among probabilities); label_smoothing in [0, 1];
    options, for classes (N) and no smoothing; otherwise they are left aside with a warning. Raises ShapeError,
    DtypeError, ArgumentError, and DimensionError for a class out of range.

    >>> import tinygrad_dl as tg
    >>> import tinygrad_dl.nn.functional as F
    >>> F.linear_cross_entropy(tg.ones(2, 3), tg.zeros(4, 3), tg.tensor([0, 3]))
    tensor(1.3863)
    """
    inner = _check(input, linear_weight, linear_bias, target)
    classes = linear_weight.shape[0]
    shape = (*input.shape[:-1], classes, *inner)
    if ignore_index is not None and tuple(target.shape) == shape:
        raise ArgumentError(f"{_NAME}: ignore_index is a class, and target holds probabilities; leave it out")
    ignore_index = -100 if ignore_index is None else ignore_index
    reduction = reduction_of(_NAME, reduction)
    if options is not None:
        if not inner and label_smoothing == 0 and target.array.dtype == np.int64 and target.ndim == input.ndim - 1:
            return _in_parts(input, linear_weight, target, linear_bias, weight, reduction, ignore_index, options)
        warnings.warn(
            f"{_NAME}: options are left aside: they are for targets of int64, a weight (C, E) and no label_smoothing; "
            f"target {target.dtype}, weight {tuple(linear_weight.shape)}, label_smoothing {label_smoothing} came",
            UserWarning,
            stacklevel=2,
        )
    if inner:
        linear_weight = reshape(linear_weight, (classes * math.prod(inner), -1))
        linear_bias = None if linear_bias is None else reshape(linear_bias, (-1,))
    logits = linear(input, linear_weight, linear_bias)
    return cross_entropy(
        reshape(logits, shape) if inner else logits,
        target,
        weight,
        ignore_index=ignore_index,
        reduction=reduction,
        label_smoothing=label_smoothing,
    )


def _check(input: Any, linear_weight: Any, linear_bias: Any, target: Any) -> tuple[int, ...]:
    """The sizes of a loss in several dimensions. Raise unless the tensors fit each other."""
    require_tensors(_NAME, input=input, linear_weight=linear_weight, target=target)
    given = {"input": input, "linear_weight": linear_weight, "target": target}
    if linear_bias is not None:
        require_tensors(_NAME, linear_bias=linear_bias)
        given["linear_bias"] = linear_bias
    if len({type(x.array) for x in given.values()}) > 1:
        raise explain(_NAME, tuple(given), tuple(given.values()), TypeError("mixed devices"))
    require_floating_loss(_NAME, input)
    came = f"input {tuple(input.shape)} and linear_weight {tuple(linear_weight.shape)} came"
    if input.ndim not in (1, 2) or linear_weight.ndim < 2 or input.shape[-1] != linear_weight.shape[-1]:
        raise ShapeError(f"{_NAME}: input (N, E) or (E) and linear_weight (C, ..., E) are needed; {came}")
    wanted = tuple(linear_weight.shape[:-1])
    if len(wanted) > 1 and input.ndim == 1:
        raise ShapeError(f"{_NAME}: a loss in several dimensions needs an input (N, E); {came}")
    if linear_bias is not None and tuple(linear_bias.shape) != wanted:
        raise ShapeError(f"{_NAME}: linear_bias has shape {tuple(linear_bias.shape)}, it must be {wanted}")
    if any(x is not target and x.dtype != input.dtype for x in given.values()):
        kinds = ", ".join(f"{argument} {x.dtype}" for argument, x in given.items() if x is not target)
        raise DtypeError(f"{_NAME}: input, weight and bias must have one dtype; {kinds} came")
    return wanted[1:]


def _in_parts(
    input: Any,
    linear_weight: Any,
    target: Any,
    linear_bias: Any,
    weight: Any,
    reduction: str,
    ignore_index: int,
    options: LinearCrossEntropyOptions,
) -> Any:
    """A few rows at a time; what is ignored is computed like class 0, and its loss is left out."""
    if not isinstance(options, LinearCrossEntropyOptions):
        raise ArgumentTypeError(f"{_NAME}: options are LinearCrossEntropyOptions, not {type(options).__name__}")
    if options.acc_dtype not in (None, input.dtype) and (options.acc_dtype, input.dtype) != (float32, float16):
        raise ArgumentError(f"{_NAME}: acc_dtype {options.acc_dtype} does not go with an input of {input.dtype}")
    classes, width = linear_weight.shape
    x = input if input.ndim == 2 else unsqueeze(input, 0)
    target = target if input.ndim == 2 else unsqueeze(target, 0)
    if target.shape[0] != x.shape[0]:
        raise ShapeError(f"{_NAME}: target has shape {tuple(target.shape)}, it must be ({x.shape[0]},)")
    require_classes(_NAME, target, classes, ignore_index)
    require_class_weights(_NAME, weight, classes)
    counted = target != ignore_index
    factors = weights_of_classes(weight, target, counted, input)
    rows = options.rows(x.shape[0], width, classes)
    loss = _losses(x, linear_weight, linear_bias, where(counted, target, 0), rows)
    loss = where(counted, loss * factors, 0.0)
    if reduction == "mean":
        return sum_(loss) / sum_(factors)
    loss = reduced(loss, reduction)
    return squeeze(loss, 0) if input.ndim == 1 and reduction == "none" else loss
