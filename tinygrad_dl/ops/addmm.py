"""A product of matrices or vectors added to a tensor: beta · input + alpha · (first · second)."""

from typing import Any

import numpy as np

from .. import backend
from ..dtypes import result_type
from ..errors import DtypeError, ShapeError
from ..methods import attach
from ..operation import operation
from .comparison import logical_or
from .composed import composed
from .editing import attach_in_place
from .elementwise import mul
from .linalg import first_rule, fit, product, require_batches, second_rule
from .matrices import require_dims, require_one_dtype
from .reduction import cast
from .shape import expand, reshape, transpose, unsqueeze


def _times(x: Any, factor: Any) -> Any:
    return x if factor == 1 else x * factor


@operation(
    "addmm",
    input=lambda g, beta: _times(g, beta),
    first=lambda g, first_shape, second, alpha: _times(first_rule(g, first_shape, second), alpha),
    second=lambda g, first, second_shape, alpha: _times(second_rule(g, first, second_shape), alpha),
)
def _plus_product(input: Any, first: Any, second: Any, beta: Any, alpha: Any, name: str) -> Any:
    if type(input) is not type(first):
        raise TypeError("mixed devices")  # also where beta is 0
    if not (input.dtype is first.dtype is second.dtype):
        require_one_dtype(name, input=input, first=first, second=second)
    if first.ndim == 3:
        require_batches(name, first, second)
    elif first.shape[-1] != second.shape[-2 if second.ndim > 1 else 0]:
        raise ShapeError(f"{name}: {fit(first.shape, second.shape)}")
    if input.dtype == np.float16:
        wide = [x.astype(np.float32) for x in (input, first, second)]
        return _combined(name, wide[0], product(*wide[1:]), beta, alpha).astype(np.float16)
    return _combined(name, input, product(first, second), beta, alpha)


def _combined(name: str, input: Any, out: Any, beta: Any, alpha: Any) -> Any:
    """beta · input + alpha · out, written into `out`; with beta 0 the input does not count, not even its NaN."""
    out = out[...]  # (the product of two vectors is NumPy's scalar)
    if alpha != 1:
        out *= _number(name, "alpha", alpha, out.dtype)
    try:
        if beta == 0:
            backend.broadcast_to(input, out.shape)
        else:
            out += _times(input, _number(name, "beta", beta, out.dtype))
    except ValueError:
        raise ShapeError(
            f"{name}: input {tuple(input.shape)} must broadcast to the product's shape {tuple(out.shape)}"
        ) from None
    return out


def _number(name: str, argument: str, value: Any, dtype: Any) -> Any:
    """beta or alpha as the tensors take it: a fraction has no meaning beside integers."""
    if type(value) is float and dtype.kind != "f":
        if value != int(value):
            raise DtypeError(f"{name}: {argument} must be an integer for {dtype} tensors, {value} came")
        return int(value)
    return value


@composed
def addmm(input: Any, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta · input + alpha · (mat1 @ mat2).

    Arguments: mat1 (n, k), mat2 (k, m), input (broadcasts to (n, m)) of one dtype; beta, alpha (numbers; with beta 0
    the input does not count, not even its NaN). Raises ShapeError, DtypeError.

    >>> import tinygrad_dl as tg
    >>> tg.addmm(tg.ones(2), tg.ones(1, 3), tg.ones(3, 2), beta=10)
    tensor([[13., 13.]])
    """
    if mat1.ndim != 2 or mat2.ndim != 2:
        require_dims("addmm", 2, mat1=mat1, mat2=mat2)
    return _plus_product(input, mat1, mat2, beta, alpha, "addmm")


@composed
def addmv(input: Any, mat: Any, vec: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta · input + alpha · (mat @ vec).

    Arguments: mat (n, k), vec (k), input (broadcasts to (n)) of one dtype; beta, alpha as for `addmm`. Raises
    ShapeError, DtypeError.

    >>> import tinygrad_dl as tg
    >>> tg.addmv(tg.ones(2), tg.ones(2, 3), tg.ones(3))
    tensor([4., 4.])
    """
    require_dims("addmv", 2, mat=mat)
    require_dims("addmv", 1, vec=vec)
    return _plus_product(input, mat, vec, beta, alpha, "addmv")


@composed
def baddbmm(input: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta · input + alpha · (batch1 @ batch2), for each matrix of the batches.

    Arguments: batch1 (b, n, k), batch2 (b, k, m), input (broadcasts to (b, n, m)) of one dtype; beta, alpha as for
    `addmm`. Raises ShapeError, DtypeError.

    >>> import tinygrad_dl as tg
    >>> tg.baddbmm(tg.ones(2), tg.ones(1, 1, 3), tg.ones(1, 3, 2))
    tensor([[[4., 4.]]])
    """
    if batch1.ndim != 3:
        require_dims("baddbmm", 3, batch1=batch1)
    return _plus_product(input, batch1, batch2, beta, alpha, "baddbmm")


@composed
def addbmm(input: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta · input + alpha · the sum of batch1 @ batch2 over the batch.

    Arguments: batch1 (b, n, k), batch2 (b, k, m), input (broadcasts to (n, m)) of one dtype; beta, alpha as for
    `addmm`. Raises ShapeError, DtypeError.

    >>> import tinygrad_dl as tg
    >>> tg.addbmm(tg.ones(2), tg.ones(5, 1, 3), tg.ones(5, 3, 2))
    tensor([[16., 16.]])
    """
    require_batches("addbmm", batch1, batch2)
    b, n, k = batch1.shape
    first = reshape(transpose(batch1, 0, 1), (n, b * k))
    second = reshape(batch2, (b * batch2.shape[1], batch2.shape[2]))
    return _plus_product(input, first, second, beta, alpha, "addbmm")


@composed
def addr(input: Any, vec1: Any, vec2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta · input + alpha · the outer product of two vectors.

    Arguments: vec1 (n), vec2 (m), input (broadcasts to (n, m)), mixed dtypes are promoted; beta, alpha as for `addmm`.
    Raises ShapeError.

    >>> import tinygrad_dl as tg
    >>> tg.addr(tg.zeros(2, 2), tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0]))
    tensor([[3., 4.],
            [6., 8.]])
    """
    require_dims("addr", 1, vec1=vec1, vec2=vec2)
    kind = result_type([getattr(x, "array", x) for x in (input, vec1, vec2)])
    input, vec1, vec2 = (cast(x, kind) for x in (input, vec1, vec2))
    if kind.kind == "b":  # which has no products of matrices
        return logical_or(
            expand(input, (vec1.shape[0], vec2.shape[0])) * bool(beta), mul(unsqueeze(vec1, 1), vec2) * bool(alpha)
        )
    return _plus_product(input, unsqueeze(vec1, 1), unsqueeze(vec2, 0), beta, alpha, "addr")


attach(addmm, addmv, addr, addbmm, baddbmm)
attach_in_place(addmm, addmv, addr, addbmm, baddbmm)
