"""The functions behind the layers: what a layer computes, without parameters of its own."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tinygrad_dl import backend
from tinygrad_dl.errors import ArgumentError, ArgumentTypeError, DtypeError, TinygradError
from tinygrad_dl.methods import make_public
from tinygrad_dl.ops import editing
from tinygrad_dl.ops.activation import (
    celu,
    celu_,
    elu,
    elu_,
    gelu,
    glu,
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    hardtanh_,
    leaky_relu,
    leaky_relu_,
    logsigmoid,
    mish,
    prelu,
    relu6,
    relu_,
    selu,
    selu_,
    silu,
    softplus,
    softshrink,
    softsign,
    tanhshrink,
    threshold,
    threshold_,
)
from tinygrad_dl.ops.bilinear import bilinear
from tinygrad_dl.ops.bounds import clamp as _clamp
from tinygrad_dl.ops.convolution import conv1d, conv2d, conv3d, conv_transpose1d, conv_transpose2d, conv_transpose3d
from tinygrad_dl.ops.ctc import ctc_loss
from tinygrad_dl.ops.elementwise import mul as _mul
from tinygrad_dl.ops.elementwise import relu as _relu
from tinygrad_dl.ops.elementwise import sigmoid, tanh
from tinygrad_dl.ops.embedding import embedding, embedding_bag
from tinygrad_dl.ops.folding import fold, unfold
from tinygrad_dl.ops.interpolation import interpolate, upsample, upsample_bilinear, upsample_nearest
from tinygrad_dl.ops.likelihood_loss import binary_cross_entropy, gaussian_nll_loss, kl_div, poisson_nll_loss
from tinygrad_dl.ops.linalg import linear
from tinygrad_dl.ops.linear_cross_entropy import linear_cross_entropy
from tinygrad_dl.ops.loss import binary_cross_entropy_with_logits, cross_entropy, nll_loss
from tinygrad_dl.ops.margin_loss import (
    cosine_embedding_loss,
    hinge_embedding_loss,
    margin_ranking_loss,
    multi_margin_loss,
    multilabel_margin_loss,
    multilabel_soft_margin_loss,
    soft_margin_loss,
    triplet_margin_loss,
    triplet_margin_with_distance_loss,
)
from tinygrad_dl.ops.normalization import (
    batch_norm,
    group_norm,
    instance_norm,
    layer_norm,
    local_response_norm,
    rms_norm,
)
from tinygrad_dl.ops.norms import vector_norm as _vector_norm
from tinygrad_dl.ops.padding import channel_shuffle, pad, pixel_shuffle, pixel_unshuffle
from tinygrad_dl.ops.pairwise import cosine_similarity, pairwise_distance, pdist
from tinygrad_dl.ops.pooling import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    adaptive_max_pool3d,
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    lp_pool1d,
    lp_pool2d,
    lp_pool3d,
    max_pool1d,
    max_pool2d,
    max_pool3d,
    max_unpool1d,
    max_unpool2d,
    max_unpool3d,
)
from tinygrad_dl.ops.regression_loss import huber_loss, l1_loss, mse_loss, smooth_l1_loss
from tinygrad_dl.ops.sampling_grid import affine_grid, grid_sample
from tinygrad_dl.ops.softmax import log_softmax as _log_softmax
from tinygrad_dl.ops.softmax import softmax as _softmax
from tinygrad_dl.random import numpy_generator
from tinygrad_dl.tensor import Tensor, wrap

from .attending import multi_head_attention_forward, scaled_dot_product_attention
from .dropping import alpha_dropout, dropout, dropout1d, dropout2d, dropout3d, feature_alpha_dropout
from .fractional import fractional_max_pool2d, fractional_max_pool3d

__all__ = [
    "linear",
    "bilinear",
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
    "fractional_max_pool2d",
    "fractional_max_pool3d",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "relu",
    "relu_",
    "relu6",
    "leaky_relu",
    "leaky_relu_",
    "prelu",
    "rrelu",
    "rrelu_",
    "elu",
    "elu_",
    "selu",
    "selu_",
    "celu",
    "celu_",
    "gelu",
    "silu",
    "mish",
    "softplus",
    "tanh",
    "hardtanh",
    "hardtanh_",
    "softsign",
    "tanhshrink",
    "softshrink",
    "hardshrink",
    "sigmoid",
    "logsigmoid",
    "hardsigmoid",
    "hardswish",
    "threshold",
    "threshold_",
    "glu",
    "softmin",
    "gumbel_softmax",
    "normalize",
    "batch_norm",
    "group_norm",
    "instance_norm",
    "layer_norm",
    "local_response_norm",
    "rms_norm",
    "softmax",
    "log_softmax",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "alpha_dropout",
    "feature_alpha_dropout",
    "cross_entropy",
    "linear_cross_entropy",
    "nll_loss",
    "binary_cross_entropy_with_logits",
    "mse_loss",
    "l1_loss",
    "smooth_l1_loss",
    "huber_loss",
    "binary_cross_entropy",
    "kl_div",
    "poisson_nll_loss",
    "gaussian_nll_loss",
    "hinge_embedding_loss",
    "margin_ranking_loss",
    "cosine_embedding_loss",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "soft_margin_loss",
    "ctc_loss",
    "one_hot",
    "pad",
    "fold",
    "unfold",
    "interpolate",
    "upsample",
    "upsample_bilinear",
    "upsample_nearest",
    "affine_grid",
    "grid_sample",
    "pixel_shuffle",
    "pixel_unshuffle",
    "channel_shuffle",
    "embedding",
    "embedding_bag",
    "cosine_similarity",
    "pairwise_distance",
    "pdist",
    "scaled_dot_product_attention",
    "multi_head_attention_forward",
]

make_public(globals())  # of the operations, the forms that refuse calls without a tensor

_relu_in_place = editing.in_place_form(_relu, "relu(inplace=True)")
_rrelu_in_place = editing.in_place_form(_mul, "rrelu(inplace=True)")


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


def rrelu(
    input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, inplace: bool = False
) -> Tensor:
    """x where it is positive, else a · x: a drawn from [lower, upper) for each value while training, else their mean.

    Arguments: input, floating, of any shape; lower, upper; training; inplace, whether the result is written into the
    input. Raises ArgumentError when lower is the larger one, DtypeError for integers. Source: notes, section 3, N078.

    >>> import tinygrad_dl as tg
    >>> import tinygrad_dl.nn.functional as F
    >>> F.rrelu(tg.tensor([-1.0, 2.0]), 0.1, 0.3)
    tensor([-0.2000,  2.0000])
    """
    _require_tensor("rrelu", input)
    if lower > upper:
        raise ArgumentError(f"rrelu: lower {lower} is larger than upper {upper}")
    if not training:
        return leaky_relu(input, (lower + upper) / 2, inplace)
    _require_floating("rrelu", input)
    array = input.array
    drawn = numpy_generator(None).uniform(lower, upper, array.shape).astype(array.dtype)
    slopes = np.where(array > 0, array.dtype.type(1), backend.from_numpy(drawn, input.device))
    multiply = _rrelu_in_place if inplace else _mul
    return multiply(input, wrap(slopes))


def rrelu_(input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False) -> Tensor:
    """`rrelu` in place: the result is written into the input, which is returned.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.rrelu_(tg.tensor([3.0]))
    tensor([3.])
    """
    return rrelu(input, lower, upper, training, True)


def softmin(input: Tensor, dim: int | None = None, *, dtype: Any = None) -> Tensor:
    """exp(-xᵢ) / Σⱼ exp(-xⱼ) along `dim`, the softmax of -x: large where the input is small.

    Arguments: input; dim (None: chosen as PyTorch does, with a warning); dtype to compute in. Result of the input's
    shape. Raises DimensionError for a dim out of range. Source: notes, section 3, N073.

    >>> import tinygrad_dl as tg
    >>> import tinygrad_dl.nn.functional as F
    >>> F.softmin(tg.zeros(1, 4), dim=1)
    tensor([[0.2500, 0.2500, 0.2500, 0.2500]])
    """
    return _softmax(-input, _chosen_dim("softmin", input, dim), dtype)


def gumbel_softmax(logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """softmax((logits + gumbels) / tau) along `dim`, a draw from the classes that has a derivative.

    The noise is -log(-log(uniform)), drawn by the default generator. hard gives one-hot rows, with the gradient of the
    soft ones.

    Arguments: logits, floating, of any shape; tau, the temperature; hard; eps, which is without effect in PyTorch too
    and must be left out; dim. Raises ArgumentError for another eps, DtypeError for integers. Source: Jang et al., 2016.

    >>> import tinygrad_dl as tg
    >>> import tinygrad_dl.nn.functional as F
    >>> F.gumbel_softmax(tg.zeros(2, 3), hard=True).sum(dim=1)
    tensor([1., 1.])
    """
    _require_tensor("gumbel_softmax", logits)
    _require_floating("gumbel_softmax", logits)
    if eps != 1e-10:
        raise ArgumentError("gumbel_softmax: eps has no effect, in PyTorch either; leave it out")
    array = logits.array
    gumbels = -np.log(numpy_generator(None).exponential(size=array.shape)).astype(array.dtype)
    soft = _softmax((logits + wrap(backend.from_numpy(gumbels, logits.device))) / tau, dim)
    if not hard:
        return soft
    picked = soft.array.argmax(axis=dim)
    classes = backend.array_module(array).arange(array.shape[dim])
    one = np.expand_dims(picked, dim) == classes.reshape((-1,) + (1,) * (-dim - 1 if dim < 0 else array.ndim - dim - 1))
    return wrap(one.astype(array.dtype)) - soft.detach() + soft


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


def _require_floating(name: str, input: Tensor) -> None:
    if not input.is_floating_point():
        raise DtypeError(f"{name}: the input must be floating, not {input.dtype}; convert it first: input.float()")


def _require_tensor(name: str, value: Any) -> None:
    if not isinstance(value, Tensor):
        raise ArgumentTypeError(f"{name}: a Tensor is needed, not {type(value).__name__}; use tinygrad_dl.tensor(...)")


def normalize(input: Tensor, p: float = 2.0, dim: Any = 1, eps: float = 1e-12) -> Tensor:
    """x / max(‖x‖ₚ, eps), where the norm is taken along `dim`: vectors of length 1.

    Arguments: input, floating, of any shape; p, the order of the norm; dim (integer or tuple); eps, which keeps vectors
    of zeros. Result of the input's shape and dtype. Raises DtypeError for integers, DimensionError for a dim out of
    range.

    >>> import tinygrad_dl as tg
    >>> import tinygrad_dl.nn.functional as F
    >>> F.normalize(tg.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    _require_tensor("normalize", input)
    return input / _clamp(_vector_norm(input, p, dim, True), min=eps)


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
