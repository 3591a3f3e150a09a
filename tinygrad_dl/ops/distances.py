"""Lengths and distances of tensors, and rows cut to a length."""

import math
from typing import Any

from ..errors import ArgumentError, ShapeError
from ..methods import attach
from ..tensor import Tensor, normalize_dim
from .composed import composed
from .editing import attach_in_place
from .elementwise import sub, where
from .norms import vector_norm


@composed
def norm(input: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """(Σ |xᵢ|^p)^(1/p) over all dimensions or those in `dim`; of all elements as of one vector, "fro" being p = 2.

    Arguments: input (floating tensor), p (number, ±inf, or "fro" for at most two dimensions), dim (integer, tuple or
    None for all), keepdim, dtype (to compute in). The derivative where the norm is 0 is 0. Raises DtypeError for
    integers.

    >>> import tinygrad_dl as tg
    >>> tg.norm(tg.tensor([[3.0, -4.0], [6.0, 8.0]]), dim=1)
    tensor([ 5., 10.])
    """
    if isinstance(p, Tensor):
        p = p.item()
    if p == "nuc":
        raise NotImplementedError("norm: the nuclear norm is not there yet; sum the singular values instead")
    if isinstance(p, str) and p != "fro":
        raise ArgumentError(f"norm: p is a number, inf or 'fro', {p!r} came")
    if p == "fro" and isinstance(dim, tuple | list) and len(dim) > 2:
        raise ShapeError(f"norm: 'fro' is a norm of vectors and matrices, dim={dim!r} has more dimensions; use p=2")
    return vector_norm(input, 2 if p in ("fro", None) else p, dim, keepdim, dtype=dtype)


@composed
def dist(input: Any, other: Any, p: Any = 2) -> Any:
    """The p-norm of input - other, all elements as one vector.

    Arguments: two floating tensors that broadcast, p (number). Raises DtypeError for integers.

    >>> import tinygrad_dl as tg
    >>> tg.dist(tg.tensor([1.0, 2.0]), tg.tensor([4.0, 6.0]))
    tensor(5.)
    """
    return vector_norm(sub(input, other), p)


@composed
def renorm(input: Any, p: float, dim: int, maxnorm: float) -> Any:
    """The slices along `dim` whose p-norm is more than `maxnorm`, multiplied so that it becomes that.

    Arguments: input (2-d or more), p (number above 0), dim (integer), maxnorm (number). Raises ShapeError for fewer
    dimensions, ArgumentError for p or maxnorm below 0.

    >>> import tinygrad_dl as tg
    >>> tg.renorm(tg.tensor([[3.0, 4.0], [0.6, 0.8]]), 2, 0, 5.0)
    tensor([[3.0000, 4.0000],
            [0.6000, 0.8000]])
    """
    if not p > 0 or maxnorm < 0 or math.isnan(p):
        raise ArgumentError(f"renorm: p must be above 0 and maxnorm 0 or more, {p} and {maxnorm} came")
    if input.ndim < 2:
        raise ShapeError(f"renorm: input must have two dimensions or more, shape {tuple(input.shape)} came")
    axis = normalize_dim("renorm", dim, input.ndim)
    length = vector_norm(input, p, tuple(i for i in range(input.ndim) if i != axis), True)
    return input * where(length > maxnorm, maxnorm / (length + 1e-7), 1.0)


attach(norm, dist, renorm)
attach_in_place(renorm)
