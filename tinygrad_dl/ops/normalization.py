"""Normalisation over a batch, a layer, groups of channels: mean 0 and variance 1, then a scale and a shift that learn.

One operation serves all. It sees its input in the shape `sizes`, takes mean and variance over the dimensions `dims` of
that, and weight and bias in the shape `affine`. It keeps the statistics, not the normalised values. Source: notes,
section 4.1, N103.
"""

import math
from typing import Any

import numpy as np

from ..dtypes import FLOATING
from ..errors import ArgumentError, ArgumentTypeError, DimensionError, DtypeError, GraphError, ShapeError
from ..explain import explain
from ..inplace import assign
from ..operation import keep, operation
from ..tensor import Tensor
from .elementwise import sqrt
from .normalization_kernels import kernels_of
from .padding import pad
from .pooling import avg_pool2d
from .reduction import cast, mean, sum, total
from .shape import reshape

Sizes = tuple[int, ...]
_HALF, _SINGLE = np.dtype(np.float16), np.dtype(np.float32)

# --- the operation


def _wide(x: Any, sizes: Sizes) -> Any:
    """In another shape, and in float32 if it was float16."""
    return (cast(x, _SINGLE) if x.dtype == _HALF else x).reshape(sizes)


def _back(x: Any, shape: Sizes, dtype: Any) -> Any:
    """In the shape and dtype of what came in."""
    x = x.reshape(shape)
    return x if x.dtype == dtype else cast(x, dtype)


def _affine_of(normalized: Any, weight: Any, bias: Any, affine: Sizes) -> Any:
    """normalized · weight + bias, as far as there are such."""
    if weight is not None:
        normalized = normalized * _wide(weight, affine)
    return normalized if bias is None else normalized + _wide(bias, affine)


def _rule(
    g: Any,
    needs: tuple[bool, ...],
    input: Any,
    weight: Any,
    own: bool,
    eps: float,
    sizes: Sizes,
    dims: Sizes,
    affine: Sizes,
    bias_like: Any,
    shift: Any,
    scale: Any,
) -> tuple[Any, Any, Any]:
    """With n the normalised values and h = g · weight: dx = scale · (h - mean h - n · mean(h n)), dw = Σ g n, db = Σ g.

    The means are over `dims`, and 0 where the statistics are not the input's own; the first also without a mean.
    """
    kernels = kernels_of(g, sizes, dims)
    if kernels is not None:
        view = sizes, dims, affine
        dx, dw, db = kernels.backward(g, needs, input, weight, own, view, shift, scale)
        return dx, dw.reshape(weight.shape) if needs[1] else None, db.reshape(bias_like[0]) if needs[2] else None
    g, x = _wide(g, sizes), _wide(input, sizes)
    if own and isinstance(g, Tensor):  # the walk is recorded, and the statistics have a history too
        shift = None if shift is None else mean(x, dims, True)
        centered = x if shift is None else x - shift
        scale = 1 / sqrt(mean(centered * centered, dims, True) + eps)
    n = (x if shift is None else x - shift) * scale
    dx = dw = db = None
    repeated = tuple([i for i in range(len(sizes)) if i < len(sizes) - len(affine) or affine[i - len(sizes)] == 1])
    if needs[0]:
        h = g if weight is None else g * _wide(weight, affine)
        if own:
            h = (h if shift is None else h - mean(h, dims, True)) - n * mean(h * n, dims, True)
        dx = _back(h * scale, input.shape, input.dtype)
    if needs[1]:
        dw = _back(sum(g * n, repeated), weight.shape, weight.dtype)
    if needs[2]:
        db = _back(sum(g, repeated), *bias_like)
    return dx, dw, db


@operation("normalize", joint=_rule, constants=("shift", "scale"), input=None, weight=None, bias=None)
def _normalized(
    input: Any,
    weight: Any,
    bias: Any,
    center: Any,
    variance: Any,
    own: bool,
    centered: bool,
    eps: float,
    sizes: Sizes,
    dims: Sizes,
    affine: Sizes,
    bias_like: Any,
) -> Any:
    """(x - mean) / √(variance + eps) · weight + bias; own: center and variance are the input's, computed if None."""
    kernels = kernels_of(input, sizes, dims)
    if kernels is not None:
        moments = None if variance is None else (center, variance)
        out, center, scale = kernels.forward(input, weight, bias, moments, centered, eps, (sizes, dims, affine))
        return keep(out, shift=center, scale=scale)
    x = _wide(input, sizes)
    if variance is None:
        center, variance = _moments(x, dims, centered)
    scale = 1 / np.sqrt(variance + eps)
    n = (x if center is None else x - center) * scale
    out = _affine_of(n, weight, bias, affine)
    return keep(_back(out, input.shape, input.dtype), shift=center, scale=scale)


def _moments(x: Any, dims: Sizes, centered: bool) -> tuple[Any, Any]:
    """Mean (if wanted) and variance over dimensions, which are kept."""
    count = math.prod([x.shape[d] for d in dims]) or math.nan
    center = total(x, dims, True) / count if centered else None
    x = x if center is None else x - center
    return center, total(x * x, dims, True) / count


def _call(
    input: Any, weight: Any, bias: Any, center: Any, variance: Any, own: bool, centered: bool, eps: float, view: Any
) -> Any:
    """The operation, whose rules know shape and dtype of the bias: to keep its values would forbid to edit them."""
    bias_like = None if bias is None else (bias.array.shape, bias.array.dtype)
    return _normalized(input, weight, bias, center, variance, own, centered, eps, *view, bias_like)


# --- what came in


def _require(name: str, input: Any, **parameters: Any) -> None:
    """Raise for what is no tensor, not floating, or of a dtype that does not go with the input's."""
    for argument, value in {"input": input, **parameters}.items():
        if value is not None and not isinstance(value, Tensor):
            raise ArgumentTypeError(
                f"{name}: {argument} must be a Tensor, {type(value).__name__} came; use tinygrad_dl.tensor(...)"
            )
    if input.array.dtype not in FLOATING:
        raise DtypeError(
            f"{name}: floating numbers are needed, {input.dtype} of shape {tuple(input.shape)} came; use input.float()"
        )
    if any(value is not None and type(value.array) is not type(input.array) for value in parameters.values()):
        given = {"input": input, **parameters}
        raise explain(name, tuple(given), tuple(given.values()), TypeError("mixed devices"))
    fitting = (input.array.dtype, _SINGLE) if input.array.dtype == _HALF else (input.array.dtype,)
    for argument, value in parameters.items():
        if value is not None and value.array.dtype not in fitting:
            raise DtypeError(
                f"{name}: {argument} is {value.dtype} and the input {input.dtype}; convert one, for example the "
                f"layer with layer.to({input.dtype})"
            )


def _require_sizes(name: str, channels: int, **parameters: Any) -> None:
    for argument, value in parameters.items():
        if value is not None and math.prod(value.shape) != channels:
            raise ShapeError(
                f"{name}: {argument} has shape {tuple(value.shape)}, the input {channels} channels (its dimension 1): "
                f"it must have one number for each of them, ({channels},)"
            )


def _require_eps(name: str, eps: float) -> None:
    if eps < 0:
        raise ArgumentError(f"{name}: eps is added to a variance and can't be negative, {eps} came")


def _require_several(name: str, count: int, per: str, shape: Any) -> None:
    if count == 1:
        raise ArgumentError(
            f"{name}: one value per {per} has no variance to train with; the input's shape is {tuple(shape)}. Give a "
            "larger batch (DataLoader(drop_last=True) leaves out a last batch of one), or use layer.eval()"
        )


def _normalized_shape(name: str, input: Any, shape: Any, **parameters: Any) -> Sizes:
    if isinstance(shape, int) or not all(isinstance(n, int | np.integer) for n in shape):
        raise ArgumentTypeError(
            f"{name}: normalized_shape must be a tuple of integers, {shape!r} came; write ({shape},)"
        )
    shape = tuple(map(int, shape))
    if not shape:
        raise ArgumentError(f"{name}: normalized_shape needs at least one dimension, () came")
    if tuple(input.shape[-len(shape) :]) != shape:
        raise ShapeError(
            f"{name}: normalized_shape is {shape}, so the input must have shape (*, {', '.join(map(str, shape))}); "
            f"{tuple(input.shape)} came"
        )
    for argument, value in parameters.items():
        if value is not None and tuple(value.shape) != shape:
            raise ShapeError(
                f"{name}: {argument} has shape {tuple(value.shape)}, it must have normalized_shape, {shape}"
            )
    return shape


# --- what users call


def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Each channel minus its mean, divided by √(variance + eps), times weight, plus bias.

    While training the statistics are those of the batch, and the running ones move towards them by `momentum`
    (running_var towards n/(n-1) times the variance); otherwise the running ones are used.

    Arguments: input (N, C, *), floating; running_mean, running_var, weight, bias (C,) or None. Result of the input's
    shape and dtype; float16 is computed in float32. Raises ArgumentError for one value per channel while training,
    ShapeError, DtypeError. Source: notes, section 4.1, N103; Ioffe and Szegedy, 2015.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.batch_norm(tg.tensor([[1.0], [3.0]]), None, None, training=True)
    tensor([[-1.0000],
            [ 1.0000]])
    """
    name = "batch_norm"
    _require(name, input, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    shape = input.array.shape
    if len(shape) < 2:
        raise DimensionError(f"{name}: the input must be (N, C, *), its shape is {shape}; use input.unsqueeze(0)")
    n, c, length = shape[0], shape[1], math.prod(shape[2:])
    _require_eps(name, eps)
    if training:
        _require_several(name, n * length, "channel", shape)
    _require_sizes(name, c, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    if (running_mean is None) != (running_var is None):
        raise ArgumentError(f"{name}: running_mean and running_var come together, or both are None")
    if not training and running_mean is None:
        raise ArgumentError(f"{name}: running_mean and running_var are needed when training is False")
    view = ((n, c), (0,), (c,)) if length == 1 else ((n, c, length), (0, 2), (c, 1))
    return _with_statistics(name, input, running_mean, running_var, weight, bias, training, momentum, eps, view)


def _with_statistics(
    name: str,
    input: Any,
    mean: Any,
    var: Any,
    weight: Any,
    bias: Any,
    own: bool,
    momentum: float,
    eps: float,
    view: Any,
) -> Any:
    """Normalised by the input's own statistics, which move the running ones, or by the running ones."""
    sizes, dims, affine = view
    for argument, value in (("running_mean", mean), ("running_var", var)):
        if value is not None and value.requires_grad:
            raise GraphError(
                f"{name}: {argument} can't require grad: no derivative by it exists; use {argument}.detach()"
            )
    if not own:
        center, variance = [_wide(value.array, affine) for value in (mean, var)]
        return _call(input, weight, bias, center, variance, False, True, eps, view)
    center = variance = None
    if mean is not None and input.array.size:
        kernels = kernels_of(input.array, sizes, dims)
        if kernels is None:
            center, variance = _moments(_wide(input.array, sizes), dims, True)
        else:
            center, variance = kernels.moments(input.array, view)
        count = input.array.size // center.size
        _move(name, mean, center, momentum)
        _move(name, var, variance * (count / max(count - 1, 1)), momentum)
    return _call(input, weight, bias, center, variance, True, True, eps, view)


def _move(name: str, running: Any, batch: Any, momentum: float) -> None:
    """running := (1 - momentum) running + momentum · batch; of several samples of their own, by the mean of these."""
    if batch.size != running.array.size:  # (N, C, ...): instance norm
        batch = total(batch, (0,)) / batch.shape[0]
    old = running.array
    assign(name, old, ..., old * (1 - momentum) + cast(batch.reshape(old.shape) * momentum, old.dtype))


def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """As `batch_norm`, but each sample has its own mean and variance in each channel.

    Arguments: input (N, C, *), floating; use_input_stats, whether statistics are the input's (then the running ones
    move towards their mean over the samples) or the running ones; the others as for `batch_norm`. Raises ArgumentError
    for one value per sample and channel. Source: Ulyanov et al., 2016.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.instance_norm(tg.tensor([[[1.0, 3.0]]]))
    tensor([[[-1.0000,  1.0000]]])
    """
    name = "instance_norm"
    _require(name, input, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    shape = input.array.shape
    if use_input_stats:
        _require_several(name, math.prod(shape[2:]), "sample and channel", shape)
    if len(shape) < 2:
        raise DimensionError(f"{name}: the input must be (N, C, *), its shape is {shape}; use input.unsqueeze(0)")
    n, c, length = shape[0], shape[1], math.prod(shape[2:])
    _require_eps(name, eps)
    if (running_mean is None) != (running_var is None):
        raise ArgumentError(f"{name}: running_mean and running_var come together, or both are None")
    _require_sizes(name, c, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    if not use_input_stats and running_mean is None:
        raise ArgumentError(f"{name}: running_mean and running_var are needed when use_input_stats is False")
    view = (n, c, length), (2,), (c, 1)
    return _with_statistics(name, input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps, view)


def layer_norm(input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """Each example minus its mean, divided by √(variance + eps), times weight, plus bias.

    Arguments: input (*, normalized_shape), floating; normalized_shape (tuple), the last dimensions, over which the
    statistics are taken; weight, bias of that shape or None. Result of the input's shape and dtype. Raises ShapeError,
    DtypeError. Source: Ba et al., 2016.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.layer_norm(tg.tensor([[1.0, 3.0]]), (2,))
    tensor([[-1.0000,  1.0000]])
    """
    _require("layer_norm", input, weight=weight, bias=bias)
    shape = _normalized_shape("layer_norm", input, normalized_shape, weight=weight, bias=bias)
    return _call(input, weight, bias, None, None, True, True, eps, _rows(input, shape))


def _rows(input: Any, shape: Sizes) -> tuple[Sizes, Sizes, Sizes]:
    width = math.prod(shape)
    return (math.prod(input.shape[: input.ndim - len(shape)]), width), (1,), (width,)


def rms_norm(input: Any, normalized_shape: Any, weight: Any = None, eps: float | None = None) -> Any:
    """Each example divided by √(the mean of its squares + eps), times weight: layer norm without a mean.

    Arguments: input (*, normalized_shape), floating; normalized_shape (tuple), the last dimensions; weight of that
    shape or None; eps (None: the spacing at 1 of the dtype that it is computed in). Result of the input's shape and
    dtype. Raises ShapeError, DtypeError. Source: Zhang and Sennrich, 2019.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.rms_norm(tg.tensor([[1.0, 7.0]]), (2,))
    tensor([[0.2000, 1.4000]])
    """
    _require("rms_norm", input, weight=weight)
    shape = _normalized_shape("rms_norm", input, normalized_shape, weight=weight)
    if eps is None:
        eps = float(np.finfo(_SINGLE if input.array.dtype == _HALF else input.array.dtype).eps)
    return _call(input, weight, None, None, None, True, False, eps, _rows(input, shape))


def group_norm(input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """As `batch_norm`, but each sample has its own mean and variance in each of `num_groups` groups of channels.

    Arguments: input (N, C, *), floating; num_groups, which divides C; weight, bias (C,) or None. Result of the input's
    shape and dtype. Raises ShapeError, ArgumentError, DtypeError. Source: Wu and He, 2018.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.group_norm(tg.tensor([[1.0, 3.0, 2.0, 6.0]]), 2)
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """
    name = "group_norm"
    _require(name, input, weight=weight, bias=bias)
    shape = input.array.shape
    if len(shape) < 2:
        raise ShapeError(f"{name}: the input must be (N, C, *), its shape is {shape}; use input.unsqueeze(0)")
    n, c, length = shape[0], shape[1], math.prod(shape[2:])
    if num_groups < 1 or c % num_groups:
        raise ArgumentError(
            f"{name}: num_groups {num_groups} does not divide the {c} channels of an input of shape {shape}"
        )
    for argument, value in (("weight", weight), ("bias", bias)):
        if value is not None and tuple(value.shape) != (c,):
            raise ShapeError(f"{name}: {argument} has shape {tuple(value.shape)}, for this input it must be ({c},)")
    each = c // num_groups
    _require_several(name, n * each * length, "group", shape)
    view = (n, num_groups, each, length), (2, 3), (num_groups, each, 1)
    return _call(input, weight, bias, None, None, True, True, eps, view)


def local_response_norm(input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Any:
    """Each value divided by (k + alpha · the mean of the squares in `size` neighbouring channels) ^ beta.

    Arguments: input (N, C, *) with at least three dimensions; size (at least 1), alpha, beta, k. Result of the input's
    shape. Raises ShapeError for fewer dimensions, ArgumentError for a size below 1. Source: Krizhevsky et al., 2012.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.local_response_norm(tg.ones(1, 2, 1), 2, alpha=1.0, beta=1.0)
    tensor([[[0.6667],
             [0.5000]]])
    """
    if not isinstance(input, Tensor):
        raise ArgumentTypeError(f"local_response_norm: input must be a Tensor, {type(input).__name__} came")
    if input.ndim < 3:
        raise ShapeError(f"local_response_norm: the input must be (N, C, L, *), its shape is {tuple(input.shape)}")
    if input.array.size == 0:
        return input
    if size < 1:
        raise ArgumentError(f"local_response_norm: size, a number of channels, must be at least 1, {size} came")
    n, c, *rest = input.shape
    squares = pad(reshape(input * input, (n, 1, c, math.prod(rest))), (0, 0, size // 2, (size - 1) // 2))
    means = reshape(avg_pool2d(squares, (size, 1), stride=1), tuple(input.shape))
    return input / (means * alpha + k) ** beta
