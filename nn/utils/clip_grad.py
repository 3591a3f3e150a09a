"""Gradients that are too large made smaller, in place: the cure for exploding gradients."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from functools import reduce
from typing import Any

import numpy as np

from tinygrad_dl.creation import full
from tinygrad_dl.dtypes import promote_types
from tinygrad_dl.errors import ArgumentError, ArgumentTypeError
from tinygrad_dl.inplace import stamp_all
from tinygrad_dl.tensor import Tensor

BLOCK = 65_536  # elements of scratch memory
EPS = 1e-6  # in the divisor, so that gradients of zeros give no NaN


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale all gradients together so that their norm is at most max_norm: g = g * min(1, max_norm / (norm + 1e-6)).

    The norm is that of all gradients as one vector; the direction stays. Arguments: parameters (those without a
    gradient don't count); max_norm; norm_type, p of the p-norm, or inf; error_if_nonfinite; foreach changes nothing.
    Returns the norm before, 0-d. Raises ArgumentError (a RuntimeError) for a norm that is NaN or infinite with
    error_if_nonfinite, and for a negative max_norm. Source: notes, section 8.7 (N228); Pascanu et al. 2013.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> w = tg.zeros(2, requires_grad=True)
    >>> w.grad = tg.tensor([3.0, 4.0])
    >>> nn.utils.clip_grad_norm_([w], max_norm=1.0), w.grad
    (tensor(5.), tensor([0.6000, 0.8000]))
    """
    gradients = _gradients("clip_grad_norm_", parameters)
    _require_bound("clip_grad_norm_", "max_norm", max_norm)
    norm = _total(gradients, norm_type)
    if error_if_nonfinite:
        _require_finite("clip_grad_norm_", gradients, norm, norm_type)
    _scale(gradients, max_norm / (norm + EPS), "clip_grad_norm_")
    return _as_tensor(norm, gradients)


def clip_grad_norm(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The older name of `clip_grad_norm_`; warns."""
    warnings.warn("nn.utils.clip_grad_norm: its name is clip_grad_norm_ now", FutureWarning, stacklevel=2)
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None) -> None:
    """Cut every element of every gradient to [-clip_value, clip_value], which changes the direction.

    Raises ArgumentError for a negative clip_value. Source: notes, section 8.7 (N228).

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> w = tg.zeros(2, requires_grad=True)
    >>> w.grad = tg.tensor([0.9, 100.0])
    >>> nn.utils.clip_grad_value_([w], 1.0); w.grad
    tensor([0.9000, 1.0000])
    """
    gradients = [gradient.array for gradient in _gradients("clip_grad_value_", parameters)]
    _require_bound("clip_grad_value_", "clip_value", clip_value)
    stamp_all(gradients, "clip_grad_value_")
    for g in gradients:
        np.maximum(g, -clip_value, out=g)
        np.minimum(g, clip_value, out=g)


def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The norm of tensors, say gradients, as if they were one vector; 0-d.

    Raises ArgumentError for a norm that is NaN or infinite with error_if_nonfinite.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.utils.get_total_norm([tg.tensor([3.0]), tg.tensor([4.0])])
    tensor(5.)
    """
    listed = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    norm = _total(listed, norm_type)
    if error_if_nonfinite:
        _require_finite("get_total_norm", listed, norm, norm_type)
    return _as_tensor(norm, listed)


def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Scale gradients by min(1, max_norm / (total_norm + 1e-6)), for a norm that is known already.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> w = tg.zeros(2, requires_grad=True)
    >>> w.grad = tg.tensor([3.0, 4.0])
    >>> nn.utils.clip_grads_with_norm_([w], 1.0, tg.tensor(10.0)); w.grad
    tensor([0.3000, 0.4000])
    """
    gradients = _gradients("clip_grads_with_norm_", parameters)
    _require_bound("clip_grads_with_norm_", "max_norm", max_norm)
    _scale(gradients, max_norm / (float(total_norm) + EPS), "clip_grads_with_norm_")


# --- inside


def _gradients(operation: str, parameters: Any) -> list[Tensor]:
    listed = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    for position, p in enumerate(listed):
        if not isinstance(p, Tensor):
            raise ArgumentTypeError(f"{operation}: parameter {position} is a {type(p).__name__}, but must be a Tensor")
    return [p._grad for p in listed if p._grad is not None]


def _require_bound(operation: str, name: str, value: Any) -> None:
    if not isinstance(value, int | float | Tensor):
        raise ArgumentTypeError(f"{operation}: {name} is {value!r}, but must be a number")
    if not float(value) >= 0:
        raise ArgumentError(f"{operation}: {name} is {value!r}, but must be 0 or more")


def _total(tensors: list[Tensor], norm_type: float) -> float:
    """The norm of all as one vector: the norm of their norms."""
    p = float(norm_type)
    norms = [_norm(tensor.array, p) for tensor in tensors if tensor.array.size]
    return _norm(np.fromiter(norms, float), p) if norms else 0.0


def _norm(x: Any, p: float) -> float:
    if x.dtype.itemsize < 4:
        x = x.astype(np.float32)  # squares would overflow
    x = (x if x.flags.c_contiguous else x.T).reshape(-1)  # in any order; without a copy where one is possible
    if p == 2:
        return float(x.dot(x)) ** 0.5
    if p == math.inf:
        return float(np.maximum(x.max(), -x.min()))
    blocks = (np.absolute(x[start : start + BLOCK]) for start in range(0, x.size, BLOCK))
    if p == -math.inf:
        return float(min(block.min() for block in blocks))
    if p == 0:
        return float(sum(np.add.reduce(block != 0) for block in blocks))
    return sum(float(np.add.reduce(block**p)) for block in blocks) ** (1 / p)


def _scale(gradients: list[Tensor], factor: float, operation: str) -> None:
    if factor >= 1:  # false for NaN, which goes into all gradients, as in PyTorch
        return
    arrays = [gradient.array for gradient in gradients]
    stamp_all(arrays, operation)
    for g in arrays:
        g *= factor


def _require_finite(operation: str, tensors: list[Tensor], norm: float, norm_type: float) -> None:
    if math.isfinite(norm):
        return
    wrong = [i for i, tensor in enumerate(tensors) if not np.isfinite(tensor.array).all()]
    where = f"number {wrong[0]} of the {len(tensors)} gradients holds NaN or infinity" if wrong else "it overflows"
    raise ArgumentError(
        f"{operation}: the norm of order {norm_type} is {norm}: {where}. With error_if_nonfinite=False the gradients "
        "are scaled by it all the same"
    )


def _as_tensor(norm: float, tensors: list[Tensor]) -> Tensor:
    if not tensors:
        return full((), 0.0)
    dtype = reduce(promote_types, [tensor.dtype for tensor in tensors])
    return full((), norm, dtype=dtype, device=tensors[0].device)
