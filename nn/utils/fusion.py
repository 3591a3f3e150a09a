"""A normalization in use, taken into the layer before it: one layer instead of two."""

from __future__ import annotations

import copy
from typing import Any

from tinygrad_dl.autograd import no_grad
from tinygrad_dl.errors import ArgumentError, ShapeError
from tinygrad_dl.tensor import Tensor

from ..parameter import Parameter


def fuse_conv_bn_eval(conv: Any, bn: Any, transpose: bool = False) -> Any:
    """A convolution that does what a convolution and the batch norm behind it do, both in eval.

    Arguments: conv; bn, with running statistics; transpose, whether conv is a transposed one. Returns a new layer.
    Raises ArgumentError in training, and for a batch norm without running statistics.
    """
    return _fused("fuse_conv_bn_eval", conv, bn, transpose)


def fuse_conv_bn_weights(
    conv_w: Tensor,
    conv_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """Weight and bias that do what a convolution's and a batch norm's do one after the other.

    W' = W γ / √(v + ε) and b' = (b - m) γ / √(v + ε) + β, with the running mean m and variance v.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> one = tg.ones(1)
    >>> nn.utils.fuse_conv_bn_weights(tg.ones(1, 1, 1), None, one, one, 0.0, 3 * one, None)[1].tolist()
    [-3.0]
    """
    with no_grad():
        scale = (bn_rv + bn_eps).rsqrt() * (1 if bn_w is None else bn_w)
        bias = (-bn_rm if conv_b is None else conv_b - bn_rm) * scale
        bias = bias if bn_b is None else bias + bn_b
        rows = [1, -1] if transpose else [-1, 1]
        weight = conv_w * scale.reshape(*rows, *[1] * (conv_w.ndim - 2))
    learnt = conv_w.requires_grad, conv_w.requires_grad if conv_b is None else conv_b.requires_grad
    return Parameter(weight.to(dtype=conv_w.dtype), learnt[0]), Parameter(bias.to(dtype=conv_w.dtype), learnt[1])


def fuse_linear_bn_eval(linear: Any, bn: Any) -> Any:
    """A Linear that does what a Linear and the batch norm behind it do, both in eval; as a convolution's."""
    if linear.out_features != bn.num_features and bn.num_features != 1:
        raise ShapeError(
            f"fuse_linear_bn_eval: the Linear gives {linear.out_features} features, the batch norm takes "
            f"{bn.num_features}"
        )
    return _fused("fuse_linear_bn_eval", linear, bn, False)


def fuse_linear_bn_weights(
    linear_w: Tensor, linear_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float, bn_w: Tensor, bn_b: Tensor
) -> tuple[Parameter, Parameter]:
    """Weight and bias that do what a Linear's and a batch norm's do one after the other."""
    return fuse_conv_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b)


def _fused(operation: str, layer: Any, bn: Any, transpose: bool) -> Any:
    if layer.training or bn.training:
        raise ArgumentError(f"{operation}: both layers must be in eval: call eval() first")
    if bn.running_mean is None or bn.running_var is None:
        raise ArgumentError(f"{operation}: the batch norm has no running statistics; make it with them")
    fused = copy.deepcopy(layer)
    fused.weight, fused.bias = fuse_conv_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias, transpose
    )
    return fused
