"""Statistics: moments together, sums and means without NaN, counts, covariances."""

from typing import Any

import numpy as np

from ..backend import HOST, row_major
from ..dtypes import FLOATING, find, get_default_dtype
from ..errors import ArgumentError, DtypeError, ShapeError
from ..methods import attach
from ..operation import operation
from ..tensor import NUMPY, Tensor
from .bounds import clamp
from .composed import composed
from .elementwise import where
from .linalg import matmul
from .reduction import axis_of, cast, correction_of, deviation, restore, total, var_and_mean
from .reduction import sum as sum_
from .shape import dims_of, reshape, squeeze, transpose, unsqueeze

# --- moments together


def _floating(name: str, input: Any) -> None:
    if input.dtype not in FLOATING:
        raise DtypeError(f"{name}: floating numbers are needed, {input.dtype} came; use input.float()")


@composed
def var_mean(
    input: Any, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: Any = None
) -> Any:
    """The variance and the mean, as `var` and `mean` give them: (variance, mean).

    Arguments as for `var`. Raises DtypeError for integers.

    >>> import tinygrad_dl as tg
    >>> tg.var_mean(tg.tensor([1.0, 2.0, 3.0]))
    (tensor(1.), tensor(2.))
    """
    dim, correction = correction_of("var_mean", dim, unbiased, correction)
    return var_and_mean(input, dim, correction, keepdim)


@composed
def std_mean(
    input: Any, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: Any = None
) -> Any:
    """The standard deviation and the mean, as `std` and `mean` give them: (deviation, mean).

    Arguments as for `std`. Raises DtypeError for integers.

    >>> import tinygrad_dl as tg
    >>> tg.std_mean(tg.tensor([1.0, 2.0, 3.0]))
    (tensor(1.), tensor(2.))
    """
    dim, correction = correction_of("std_mean", dim, unbiased, correction)
    variance, center = var_and_mean(input, dim, correction, keepdim)
    return deviation(variance), center


# --- without NaN, and counts


@operation(
    "nansum", input=lambda g, input, dim, keepdim: where(input == input, restore(g, input.shape, dim, keepdim), 0.0)
)
def _nansum(input: Any, dim: Any, keepdim: bool) -> Any:
    axis = axis_of(input, dim)
    out = total(input, axis, keepdim)
    if int(np.count_nonzero(out != out)):
        out = total(np.where(input == input, input, input.dtype.type(0)), axis, keepdim)
    return row_major(out)


@composed
def nansum(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The sum of the elements that are not NaN; the others get the gradient 0.

    Arguments as for `sum`.

    >>> import tinygrad_dl as tg
    >>> tg.nansum(tg.tensor([1.0, float("nan"), 2.0]))
    tensor(3.)
    """
    if input.dtype not in FLOATING:
        return sum_(input, dim, keepdim, dtype)
    return _nansum(input if dtype is None else cast(input, find(dtype).numpy), dim, keepdim)


@composed
def nanmean(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The mean of the elements that are not NaN; NaN where there is none.

    Arguments as for `mean`. Raises DtypeError for integers.

    >>> import tinygrad_dl as tg
    >>> tg.nanmean(tg.tensor([1.0, float("nan"), 2.0]))
    tensor(1.5000)
    """
    _floating("nanmean", input)
    return nansum(input, dim, keepdim, dtype=dtype) / sum_(input == input, dim, keepdim)


@operation()
def count_nonzero(input: Any, dim: Any = None) -> Any:
    """How many elements are not 0, of all or along `dim`; NaN is not 0.

    Arguments: input (tensor), dim (integer, tuple or None for all). Returns int64.

    >>> import tinygrad_dl as tg
    >>> tg.count_nonzero(tg.tensor([[0.0, 2.0], [3.0, 4.0]]), 0)
    tensor([1, 2])
    """
    dims = dims_of("count_nonzero", dim, input.ndim)
    if len(dims) == input.ndim and type(input) is HOST:
        return np.int64(np.count_nonzero(input))
    return row_major(total(input != 0, dims))


# --- covariances


def _weights(input: Any, fweights: Any, aweights: Any) -> Any:
    """The weight of each observation, or None: how often it counts times how much."""
    n = input.shape[1]
    for name, given, kind in (("fweights", fweights, False), ("aweights", aweights, True)):
        if given is None:
            continue
        if given.dtype.is_floating_point is not kind or given.dtype.category == 0:
            raise DtypeError(f"cov: {name} must be {'floating numbers' if kind else 'integers'}, {given.dtype} came")
        if given.ndim > 1 or given.numel() != n:
            raise ShapeError(f"cov: {name} has shape {tuple(given.shape)}, there are {n} observations (columns)")
        if bool((given < 0).any()):
            raise ArgumentError(f"cov: {name} can't be negative, {given.min().item()} came")
    if fweights is None or aweights is None:
        return aweights if fweights is None else fweights
    return fweights * aweights


@composed
def cov(input: Any, *, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Any:
    """The covariances of variables, which are rows, over observations, which are columns: a matrix.

    Arguments: input (at most 2-d; one variable gives its variance), correction (the sum is divided by n - correction),
    fweights (integers: how often each observation counts), aweights (floating numbers: how much it does). Raises
    ShapeError for more dimensions, DtypeError for bools.

    >>> import tinygrad_dl as tg
    >>> tg.cov(tg.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    if input.ndim > 2:
        raise ShapeError(f"cov: variables are rows of a matrix, a tensor of shape {tuple(input.shape)} came")
    if input.dtype == np.bool_:
        raise DtypeError("cov: bools have no covariance; convert them first, for example with .float()")
    x = input if input.ndim == 2 else reshape(input, (1, -1))
    weights = _weights(x, fweights, aweights)
    if x.dtype not in FLOATING:
        x = cast(x, get_default_dtype().numpy)
    weighted = x if weights is None else x * weights
    amount = x.shape[1] if weights is None else sum_(weights)
    if weights is not None and x.shape[1] and not bool(amount != 0):
        raise ArgumentError("cov: the weights add up to 0, so nothing can be divided by them")
    lost = correction if aweights is None or correction == 0 else correction * sum_(weights * aweights) / amount
    centred = x - unsqueeze(sum_(weighted, 1) / amount, 1)
    products = matmul(centred, transpose(centred if weights is None else centred * weights, 0, 1))
    return squeeze(products / _not_negative(amount - lost))


def _not_negative(number: Any) -> Any:
    return clamp(number, min=0) if isinstance(number, Tensor) else max(number, 0)


@composed
def corrcoef(input: Any) -> Any:
    """The correlations of variables, which are rows: their covariances divided by their standard deviations.

    Arguments: input (at most 2-d). Raises ShapeError for more dimensions.

    >>> import tinygrad_dl as tg
    >>> tg.corrcoef(tg.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    if input.ndim > 2:
        raise ShapeError(f"corrcoef: variables are rows of a matrix, a tensor of shape {tuple(input.shape)} came")
    covariances = cov(input)
    if covariances.ndim == 0:
        return covariances / covariances
    every = list(range(covariances.shape[0]))
    spread = covariances[every, every] ** 0.5
    return clamp(covariances / unsqueeze(spread, 1) / unsqueeze(spread, 0), -1, 1)


attach(nansum, nanmean, count_nonzero, cov, corrcoef)
NUMPY |= {np.count_nonzero: lambda a, axis=None: count_nonzero(a, axis)}
