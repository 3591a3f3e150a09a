"""Pseudoinverses, least squares, ranks and condition numbers: what depends on which singular values count as 0."""

import math
from collections import namedtuple
from typing import Any

import numpy as np

from .. import backend
from ..errors import ArgumentError, ShapeError
from ..operation import operation
from ..tensor import wrap
from .composed import composed
from .decompositions import svdvals
from .elementwise import where
from .extremes import amax, amin
from .linalg import matmul
from .matrices import attempt, identity_like, is_not_finite, require_matrix, require_one_dtype
from .norms import norm
from .reduction import sum as sum_
from .shape import squeeze, unsqueeze
from .solving import det, inv, turned


def _tolerance(S: Any, shape: Any, atol: Any, rtol: Any) -> Any:
    """Below which size a singular value counts as 0: max(atol, rtol · the largest)."""
    if rtol is None:
        rtol = max(shape[-2:]) * float(np.finfo(S.dtype).eps) if atol is None else 0.0
    largest = S.max(axis=-1, keepdims=True) if S.shape[-1] else S
    return np.maximum(_column(rtol) * largest, 0.0 if atol is None else _column(atol))


def _column(bound: Any) -> Any:
    """A bound for each matrix, as the singular values meet it."""
    return bound[..., None] if hasattr(bound, "ndim") and bound.ndim else bound


def _pinv_rule(g: Any, A: Any, out: Any) -> Any:
    """Of the rows and columns that A reaches, as for an inverse, and of what lies outside of them."""
    P, g = out[0], g[0]
    Pt, gt = turned(P), turned(g)
    inside = matmul(matmul(Pt, g), Pt)
    rows, columns = matmul(gt, matmul(P, Pt)), matmul(matmul(Pt, P), gt)
    return rows - matmul(A, matmul(P, rows)) + columns - matmul(matmul(columns, P), A) - inside


@operation("pinv", A=_pinv_rule)
def _pseudoinverse(A: Any, atol: Any, rtol: Any, hermitian: bool) -> Any:
    """The pseudoinverse and the rank."""
    if A.size == 0:
        rank = backend.array_module(A).zeros(A.shape[:-2], np.int64)
        return backend.zeros(A, (*A.shape[:-2], A.shape[-1], A.shape[-2])), rank
    if hermitian:
        S, U = np.linalg.eigh(A)
        Vt = U.swapaxes(-2, -1)
    else:
        U, S, Vt = attempt("pinv", lambda x: np.linalg.svd(x, False), A, problem=is_not_finite)
    size = np.abs(S)
    kept = size > _tolerance(size, A.shape, atol, rtol)
    inverted = np.where(kept, 1 / np.where(kept, S, S * 0 + 1), S * 0)
    return np.matmul(Vt.swapaxes(-2, -1) * inverted[..., None, :], U.swapaxes(-2, -1)), kept.sum(axis=-1)


@composed
def pinv(A: Any, rcond: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None) -> Any:
    """The pseudoinverse: of the matrices with the same rank the one whose product with A is nearest to I.

    Arguments: A (..., m, n), atol and rtol (numbers, or tensors with one for each matrix: singular values up to
    max(atol, rtol · the largest) count as 0; by default rtol = max(m, n) · eps), hermitian (A is symmetric), rcond
    (rtol by its older name). Returns (..., n, m). Raises LinAlgError, ShapeError, DtypeError.

    >>> import tinygrad_dl as tg
    >>> tg.linalg.pinv(tg.tensor([[2.0, 0.0], [0.0, 0.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.0000]])
    """
    require_matrix("pinv", A, square=hermitian)
    return _pseudoinverse(A, _array(atol), _array(rtol if rcond is None else rcond), hermitian)[0]


def _array(bound: Any) -> Any:
    return getattr(bound, "array", bound)


@operation("matrix_rank")
def _rank(A: Any, atol: Any, rtol: Any, hermitian: bool) -> Any:
    if hermitian:
        S = np.abs(np.linalg.eigvalsh(A))
    else:
        S = attempt("matrix_rank", lambda x: np.linalg.svd(x, compute_uv=False), A, problem=is_not_finite)
    return (S > _tolerance(S, A.shape, atol, rtol)).sum(axis=-1)


@composed
def matrix_rank(A: Any, tol: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None) -> Any:
    """How many singular values of each matrix are larger than max(atol, rtol · the largest).

    Arguments as for `pinv`; tol (atol by its older name). Returns (...), int64. Raises LinAlgError, ShapeError,
    DtypeError.

    >>> import tinygrad_dl as tg
    >>> tg.linalg.matrix_rank(tg.ones(2, 3))
    tensor(1)
    """
    require_matrix("matrix_rank", A, square=hermitian)
    return _rank(A, _array(atol if tol is None else tol), _array(rtol), hermitian)


# --- least squares

LstsqResult = namedtuple("LstsqResult", ["solution", "residuals", "rank", "singular_values"])
DRIVERS = ("gelsy", "gels", "gelsd", "gelss")


@composed
def lstsq(A: Any, B: Any, rcond: Any = None, *, driver: str | None = None) -> Any:
    """The X with the smallest ‖A · X - B‖, and among these the shortest.

    Arguments: A (..., m, n), B (..., m, k) or one vector (..., m) for each matrix, rcond (singular values up to rcond ·
    the largest count as 0), driver (all compute the same). Returns (solution (..., n, k), residuals (of the drivers
    gels, gelsd and gelss when m > n and all columns are independent), rank, singular_values (of gelsd and gelss)).
    Raises ShapeError, DtypeError, ArgumentError.

    >>> import tinygrad_dl as tg
    >>> tg.linalg.lstsq(tg.tensor([[2.0]]), tg.tensor([3.0])).solution
    tensor([1.5000])
    """
    require_matrix("lstsq", A)
    require_one_dtype("lstsq", A=A, B=B)
    driver = driver or "gelsy"
    if driver not in DRIVERS:
        raise ArgumentError(f"lstsq: driver is one of {', '.join(DRIVERS)}, not {driver!r}")
    vector = B.ndim == A.ndim - 1
    right = unsqueeze(B, -1) if vector else B
    if right.ndim != A.ndim or right.shape[-2] != A.shape[-2]:
        raise ShapeError(f"lstsq: B {tuple(B.shape)} does not fit A {tuple(A.shape)}: both need as many rows")
    inverse, rank = _pseudoinverse(A, None, rcond, False)
    solution = matmul(inverse, right)
    nothing = sum_(A.detach()).reshape(-1)[:0]
    (m, n), residuals = A.shape[-2:], nothing
    if m > n and driver != "gelsy" and bool((rank == n).all()):
        error = matmul(A, solution) - right
        residuals = sum_(error * error, -2)
    return LstsqResult(
        squeeze(solution, -1) if vector else solution,
        residuals,
        rank if driver != "gels" else nothing.long(),
        svdvals(A) if driver in ("gelsd", "gelss") else nothing,
    )


# --- condition


@composed
def cond(A: Any, p: Any = None) -> Any:
    """How much larger relative errors of A can become in inv(A): the norm of A times that of its inverse.

    Arguments: A (..., m, n), p (None or 2: the largest singular value by the smallest; -2: the other way round; "fro",
    "nuc", ±1 or ±inf: square matrices only). A singular matrix has inf. Raises ArgumentError for another p, ShapeError,
    DtypeError.

    >>> import tinygrad_dl as tg
    >>> tg.linalg.cond(tg.tensor([[4.0, 0.0], [0.0, 2.0]]))
    tensor(2.)
    """
    if p in (None, 2, -2):
        require_matrix("cond", A)
        S = svdvals(A)
        if S.shape[-1] == 0:
            return sum_(S, -1)
        return amax(S, -1) / amin(S, -1) if p != -2 else amin(S, -1) / amax(S, -1)
    if p not in ("fro", "nuc", 1, -1, math.inf, -math.inf):
        raise ArgumentError(f"cond: p is None, 2, -2, 'fro', 'nuc', 1, -1, inf or -inf, not {p!r}")
    require_matrix("cond", A, square=True)
    if A.shape[-1] == 0:
        return sum_(A, (-2, -1))
    singular = det(A.detach()) == 0
    safe = where(unsqueeze(unsqueeze(singular, -1), -1), wrap(identity_like(A.array, A.shape[-1])), A)
    return where(singular, math.inf, norm(A, p, (-2, -1)) * norm(inv(safe), p, (-2, -1)))
