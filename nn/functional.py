"""The functions behind the layers: what a layer computes, without parameters of its own."""

from __future__ import annotations

import warnings
from typing import Any

from tinygrad_dl import backend
from tinygrad_dl.errors import ArgumentError, ArgumentTypeError, DtypeError, TinygradError
from tinygrad_dl.methods import make_public
from tinygrad_dl.ops import editing
from tinygrad_dl.ops.elementwise import mul as _mul
from tinygrad_dl.ops.elementwise import relu as _relu
from tinygrad_dl.ops.elementwise import sigmoid, tanh
from tinygrad_dl.ops.embedding import embedding, embedding_bag
from tinygrad_dl.ops.linalg import linear
from tinygrad_dl.ops.loss import binary_cross_entropy_with_logits, cross_entropy, mse_loss, nll_loss
from tinygrad_dl.ops.reduction import log_softmax as _log_softmax
from tinygrad_dl.ops.reduction import softmax as _softmax
from tinygrad_dl.random import numpy_generator
from tinygrad_dl.tensor import Tensor, wrap

__all__ = [
    "linear",
    "relu",
    "tanh",
    "sigmoid",
    "softmax",
    "log_softmax",
    "dropout",
    "cross_entropy",
    "nll_loss",
    "binary_cross_entropy_with_logits",
    "mse_loss",
    "one_hot",
    "embedding",
    "embedding_bag",
]

make_public(globals())  # of the operations, the forms that refuse calls without a tensor

_relu_in_place = editing.in_place_form(_relu, "relu(inplace=True)")
_mul_in_place = editing.in_place_form(_mul, "dropout(inplace=True)")


class ClassIndexError(TinygradError, RuntimeError):
    """Class indices that fit no number of classes."""


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(0, x) at every value; its slope at 0 is taken as 0.

    Arguments: input of any shape; inplace, whether the result is written into it. Raises GraphError for an input that
    can't be edited in place. Source: notes, section 3.

    >>> import tinygrad_dl as tg
    >>> import tinygrad_dl.nn.functional as F
    >>> F.relu(tg.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    if not inplace:
        return _relu(input)
    _require_tensor("relu", input)
    return _relu_in_place(input)


def softmax(input: Tensor, dim: int | None = None, *, dtype: Any = None) -> Tensor:
    """exp(xᵢ) / Σⱼ exp(xⱼ) along `dim`: probabilities that sum to 1.

    Arguments: input; dim (None: chosen as PyTorch does, with a warning); dtype to compute in. Result of the input's
    shape. Raises DimensionError for a dim out of range. Source: notes, section 3.

    >>> import tinygrad_dl as tg
    >>> import tinygrad_dl.nn.functional as F
    >>> F.softmax(tg.zeros(1, 4), dim=1)
    tensor([[0.2500, 0.2500, 0.2500, 0.2500]])
    """
    return _softmax(input, _chosen_dim("softmax", input, dim), dtype)


def log_softmax(input: Tensor, dim: int | None = None, *, dtype: Any = None) -> Tensor:
    """xᵢ - log Σⱼ exp(xⱼ) along `dim`: the logarithm of `softmax`, without overflow.

    Arguments: input; dim (None: chosen as PyTorch does, with a warning); dtype to compute in. Result of the input's
    shape. Raises DimensionError for a dim out of range. Source: notes, section 3.

    >>> import tinygrad_dl as tg
    >>> import tinygrad_dl.nn.functional as F
    >>> F.log_softmax(tg.zeros(1, 4), dim=1).exp()
    tensor([[0.2500, 0.2500, 0.2500, 0.2500]])
    """
    return _log_softmax(input, _chosen_dim("log_softmax", input, dim), dtype)


def _chosen_dim(name: str, input: Tensor, dim: int | None) -> int:
    if dim is None:
        _require_tensor(name, input)
        dim = 0 if input.dim() in (0, 1, 3) else 1
        warnings.warn(
            f"{name}: no dim was given; {dim} was chosen for an input of shape {tuple(input.shape)}. Write dim={dim}",
            UserWarning,
            stacklevel=3,
        )
    return dim


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """While training: x · d / (1 - p), each d being 0 with probability p, else 1. Otherwise x itself.

    The factors are drawn once, by the default generator, and saved for backward.

    Arguments: input, floating, of any shape; p; training; inplace, whether the result is written into the input.
    Result of the input's shape and dtype. Raises ArgumentError for a p outside [0, 1], DtypeError for integers,
    GraphError for an input that can't be edited in place. Source: notes, section 8.3.

    >>> import tinygrad_dl as tg
    >>> import tinygrad_dl.nn.functional as F
    >>> F.dropout(tg.ones(3), p=0.5, training=False)
    tensor([1., 1., 1.])
    """
    _require_tensor("dropout", input)
    check_dropout("dropout", p)
    if not training or p == 0:
        return input
    if not input.is_floating_point():
        raise DtypeError(f"dropout: the input must be floating, not {input.dtype}; convert it first: input.float()")
    array = input.array
    kept = numpy_generator(None).random(array.shape, "float32") >= p
    factors = kept.astype(array.dtype)
    if p < 1:
        factors /= 1 - p
    multiply = _mul_in_place if inplace else _mul
    return multiply(input, wrap(backend.from_numpy(factors, input.device)))


def _require_tensor(name: str, value: Any) -> None:
    if not isinstance(value, Tensor):
        raise ArgumentTypeError(f"{name}: a Tensor is needed, not {type(value).__name__}; use tinygrad_dl.tensor(...)")


def check_dropout(name: str, p: float) -> None:
    """Raise unless p is a probability."""
    if not 0 <= p <= 1:
        raise ArgumentError(
            f"{name}: p, the probability of leaving a value out, has to be between 0 and 1, but got {p}"
        )


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """For each class index a row of zeros with a 1 at that index.

    Arguments: tensor of integers ≥ 0 and of any shape (*); num_classes C (-1: the largest index + 1). Result (*, C),
    int64. Raises DtypeError for other than integers, ClassIndexError (a RuntimeError) for an index outside [0, C).

    >>> import tinygrad_dl as tg
    >>> import tinygrad_dl.nn.functional as F
    >>> F.one_hot(tg.tensor([2, 0]))
    tensor([[0, 0, 1],
            [1, 0, 0]])
    """
    _require_tensor("one_hot", tensor)
    index = tensor.array
    if index.dtype.kind not in "iu":
        raise DtypeError(
            f"one_hot: class indices are integers, the tensor is {tensor.dtype}; convert it: tensor.long()"
        )
    if index.size == 0 and num_classes < 0:
        raise ClassIndexError(
            f"one_hot: no class to count in a tensor of shape {tuple(tensor.shape)}; give num_classes"
        )
    low, high = (int(index.min()), int(index.max())) if index.size else (0, -1)
    classes = high + 1 if num_classes < 0 else num_classes
    if low < 0 or high >= classes:
        raise ClassIndexError(f"one_hot: class indices must be from 0 to {classes - 1}, these are from {low} to {high}")
    columns = backend.array_module(index).arange(classes)
    return wrap((index[..., None] == columns).astype("int64"))
