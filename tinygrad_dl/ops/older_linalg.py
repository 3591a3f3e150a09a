"""The names that decompositions had before `linalg`; they differ in arguments and results."""

from collections import namedtuple
from typing import Any

from .. import backend
from ..methods import attach
from ..tensor import wrap
from .composed import composed
from .decompositions import qr as _qr
from .decompositions import svd as _svd
from .decompositions import svdvals
from .pseudoinverse import pinv
from .solving import cholesky as _cholesky
from .solving import inv, turned

SVDResult = namedtuple("SVDResult", ["U", "S", "V"])


@composed
def inverse(input: Any) -> Any:
    """The inverse of each matrix; `linalg.inv` under its older name.

    >>> import tinygrad_dl as tg
    >>> tg.inverse(tg.tensor([[0.5]]))
    tensor([[2.]])
    """
    return inv(input)


@composed
def pinverse(input: Any, rcond: float = 1e-15) -> Any:
    """The pseudoinverse; `linalg.pinv` under its older name, with another bound.

    >>> import tinygrad_dl as tg
    >>> tg.pinverse(tg.tensor([[2.0]]))
    tensor([[0.5000]])
    """
    return pinv(input, rcond)


@composed
def cholesky(input: Any, upper: bool = False) -> Any:
    """The lower triangle L with L · Lᵀ = input, or the upper one U with Uᵀ · U = input, as `linalg.cholesky`.

    >>> import tinygrad_dl as tg
    >>> tg.cholesky(tg.tensor([[4.0]]))
    tensor([[2.]])
    """
    return _cholesky(input, upper=upper)


@composed
def qr(input: Any, some: bool = True) -> Any:
    """`linalg.qr` under its older name: some=False is mode="complete".

    >>> import tinygrad_dl as tg
    >>> tg.qr(tg.ones(3, 2), some=False).Q.shape
    tinygrad_dl.Size([3, 3])
    """
    return _qr(input, "reduced" if some else "complete")


@composed
def svd(input: Any, some: bool = True, compute_uv: bool = True) -> Any:
    """U · diag(S) · Vᵀ = input, by the older name; `linalg.svd` gives Vᵀ.

    Arguments: input (..., m, n), some (only the first min(m, n) vectors), compute_uv (else U and V are zeros).

    >>> import tinygrad_dl as tg
    >>> tg.svd(tg.tensor([[3.0, 0.0], [0.0, 4.0]])).S
    tensor([4., 3.])
    """
    if compute_uv:
        U, S, Vh = _svd(input, not some)
        return SVDResult(U, S, turned(Vh))
    U, V = (wrap(backend.zeros(input.array, (*input.shape[:-2], size, size))) for size in input.shape[-2:])
    return SVDResult(U, svdvals(input), V)


attach(inverse, pinverse, cholesky, qr, svd)
