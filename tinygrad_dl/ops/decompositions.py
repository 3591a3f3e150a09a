"""Decompositions of matrices into simpler factors.

Factors that are determined up to a sign (or a rotation, for equal values) have derivatives that only make sense for
results that don't depend on that choice; where values are equal, those of the vectors are infinite, as in PyTorch.
"""

from collections import namedtuple
from typing import Any

import numpy as np

from ..errors import ArgumentError
from ..operation import operation
from .composed import composed
from .diagonals import diag_embed as with_diagonal
from .diagonals import tril as lower
from .elementwise import where
from .linalg import matmul
from .matrices import attempt, is_not_finite, require_matrix
from .shape import unsqueeze
from .solving import triangular_solution, turned
from .triangles import beside


def _over(a: Any, b: Any) -> Any:
    """a / b, but 0 / 0 is 0: what does not flow is not divided by equal values."""
    return a / where((a == 0) & (b == 0), 1.0, b)


def _differences(values: Any) -> Any:
    """The matrix of vⱼ - vᵢ."""
    return unsqueeze(values, -2) - unsqueeze(values, -1)


# --- QR

QRResult = namedtuple("QRResult", ["Q", "R"])


def _qr_rule(g: Any, out: Any, A_shape: Any, mode: Any) -> Any:
    (of_Q, of_R), (Q, R) = g, out
    m, n = A_shape[-2:]
    if mode == "complete" and m > n:
        raise NotImplementedError("qr: with mode='complete' a tall matrix has no derivative; use mode='reduced'")
    if m >= n:
        return _square_qr_rule(of_Q, of_R, Q, R)
    beyond = of_R[..., m:]  # of a wide matrix: the columns of R behind its square part are Qᵀ times those of A
    of_Q = of_Q + matmul(matmul(Q, R[..., m:]), turned(beyond))
    return beside(_square_qr_rule(of_Q, of_R[..., :m], Q, R[..., :m]), matmul(Q, beyond))


def _square_qr_rule(of_Q: Any, of_R: Any, Q: Any, R: Any) -> Any:
    M = matmul(R, turned(of_R)) - matmul(turned(of_Q), Q)
    mirrored = lower(M, 0) + turned(lower(M, -1))
    return turned(triangular_solution(R, turned(of_Q + matmul(Q, mirrored)), True, False))


@operation("qr", A=_qr_rule)
def _qr(A: Any, mode: Any) -> Any:
    Q, R = np.linalg.qr(A, mode)
    return Q, R


def _no_r_rule(g: Any) -> Any:
    raise NotImplementedError("qr: the derivative needs Q, which mode='r' does not compute; use mode='reduced'")


@operation("qr", A=_no_r_rule)
def _r(A: Any) -> Any:
    return np.linalg.qr(A, "r")


@composed
def qr(A: Any, mode: str = "reduced") -> Any:
    """Q with orthonormal columns and an upper triangle R, with Q · R = A.

    Arguments: A (..., m, n), mode: "reduced" (Q (..., m, k), R (..., k, n) with k = min(m, n)), "complete" (k = m) or
    "r" (an empty Q). The derivative of a matrix whose first k columns depend on each other is infinite. Raises
    ArgumentError for another mode, ShapeError, DtypeError.

    >>> import tinygrad_dl as tg
    >>> tg.linalg.qr(tg.tensor([[3.0], [4.0]])).R.abs()
    tensor([[5.]])
    """
    require_matrix("qr", A)
    if mode not in ("reduced", "complete", "r"):
        raise ArgumentError(f"qr: mode is 'reduced', 'complete' or 'r', not {mode!r}")
    if mode == "r":
        return QRResult(A.detach().reshape(-1)[:0].clone(), _r(A))
    return QRResult(*_qr(A, mode))


# --- singular values

SVDResult = namedtuple("SVDResult", ["U", "S", "Vh"])


def _svd_rule(g: Any, out: Any, A_shape: Any) -> Any:
    (of_U, of_S, of_Vh), (U, S, Vh) = g, out
    (m, n), k = A_shape[-2:], S.shape[-1]
    if U.shape[-1] > k:  # the vectors beyond are not determined
        U, of_U = U[..., :k], of_U[..., :k]
    if Vh.shape[-2] > k:
        Vh, of_Vh = Vh[..., :k, :], of_Vh[..., :k, :]
    squares = _differences(S * S)
    left, right = matmul(turned(U), of_U), matmul(Vh, turned(of_Vh))
    inner = _over(left - turned(left), squares) * unsqueeze(S, -2) + with_diagonal(of_S)
    inner = inner + unsqueeze(S, -1) * _over(right - turned(right), squares)
    result = matmul(matmul(U, inner), Vh)
    if m > k:
        scaled = _over(of_U, unsqueeze(S, -2))
        result = result + matmul(scaled - matmul(U, matmul(turned(U), scaled)), Vh)
    if n > k:
        scaled = _over(of_Vh, unsqueeze(S, -1))
        result = result + matmul(U, scaled - matmul(matmul(scaled, turned(Vh)), Vh))
    return result


@operation("svd", A=_svd_rule)
def _svd(A: Any, full_matrices: bool) -> Any:
    U, S, Vh = attempt("svd", np.linalg.svd, A, full_matrices, alone=np.linalg.svd, problem=is_not_finite)
    return U, S, Vh


@operation("svdvals")
def _svdvals(A: Any) -> Any:
    return attempt("svdvals", lambda x: np.linalg.svd(x, compute_uv=False), A, problem=is_not_finite)


@composed
def svd(A: Any, full_matrices: bool = True, *, driver: str | None = None) -> Any:
    """U · diag(S) · Vh = A, with orthonormal columns in U and rows in Vh, and S ≥ 0 in descending order.

    Arguments: A (..., m, n), full_matrices (U (..., m, m), Vh (..., n, n); else only the first k = min(m, n) vectors),
    driver (None; there is one). The signs of the vectors are the library's choice. Raises LinAlgError for a matrix that
    is not finite, ShapeError, DtypeError.

    >>> import tinygrad_dl as tg
    >>> tg.linalg.svd(tg.tensor([[3.0, 0.0], [0.0, 4.0]])).S
    tensor([4., 3.])
    """
    require_matrix("svd", A)
    if driver is not None:
        raise ArgumentError(f"svd: driver {driver!r} came; drivers can be chosen on CUDA in PyTorch only, leave it out")
    return SVDResult(*_svd(A, full_matrices))


@composed
def svdvals(A: Any, *, driver: str | None = None) -> Any:
    """The singular values of each matrix in descending order.

    Arguments: A (..., m, n), driver (None; there is one). Returns (..., min(m, n)). Raises LinAlgError for a matrix
    that is not finite, ShapeError, DtypeError.

    >>> import tinygrad_dl as tg
    >>> tg.linalg.svdvals(tg.tensor([[3.0, 0.0], [0.0, 4.0]]))
    tensor([4., 3.])
    """
    require_matrix("svdvals", A)
    if driver is not None:
        raise ArgumentError(f"svdvals: driver {driver!r} came; there is one, leave it out")
    return _svd(A, False)[1] if A.requires_grad else _svdvals(A)  # the derivative needs the vectors


# --- eigenvalues

EighResult = namedtuple("EighResult", ["eigenvalues", "eigenvectors"])


def _eigh_rule(g: Any, out: Any) -> Any:
    (of_values, of_vectors), (values, vectors) = g, out
    turning = matmul(turned(vectors), of_vectors)
    inner = _over(0.5 * (turning - turned(turning)), _differences(values)) + with_diagonal(of_values)
    return matmul(matmul(vectors, inner), turned(vectors))


@operation("eigh", A=_eigh_rule)
def _eigh(A: Any, UPLO: str) -> Any:
    values, vectors = attempt("eigh", np.linalg.eigh, A, UPLO, alone=np.linalg.eigh, problem=is_not_finite)
    return values, vectors


@operation("eigvalsh")
def _eigvalsh(A: Any, UPLO: str) -> Any:
    return attempt("eigvalsh", np.linalg.eigvalsh, A, UPLO, alone=np.linalg.eigvalsh, problem=is_not_finite)


def _require_triangle(name: str, A: Any, UPLO: str) -> str:
    require_matrix(name, A, square=True)
    if UPLO.upper() not in ("L", "U"):
        raise ArgumentError(f"{name}: UPLO is 'L' or 'U' (the triangle that is read), not {UPLO!r}")
    return UPLO.upper()


@composed
def eigh(A: Any, UPLO: str = "L") -> Any:
    """Eigenvalues, in ascending order, and eigenvectors of symmetric matrices: V · diag(L) · Vᵀ = A.

    Arguments: A (..., n, n), UPLO (the triangle that is read: "L" lower, "U" upper). Returns (eigenvalues (..., n),
    eigenvectors (..., n, n), as columns, with signs of the library's choice). Raises ShapeError, DtypeError,
    ArgumentError.

    >>> import tinygrad_dl as tg
    >>> tg.linalg.eigh(tg.tensor([[3.0, 0.0], [0.0, 1.0]])).eigenvalues
    tensor([1., 3.])
    """
    return EighResult(*_eigh(A, _require_triangle("eigh", A, UPLO)))


@composed
def eigvalsh(A: Any, UPLO: str = "L") -> Any:
    """The eigenvalues of symmetric matrices in ascending order. Arguments and errors as for `eigh`.

    >>> import tinygrad_dl as tg
    >>> tg.linalg.eigvalsh(tg.tensor([[0.0, 2.0], [2.0, 0.0]]))
    tensor([-2.,  2.])
    """
    triangle = _require_triangle("eigvalsh", A, UPLO)
    return _eigh(A, triangle)[0] if A.requires_grad else _eigvalsh(A, triangle)  # the derivative needs the vectors


@composed
def eig(A: Any) -> Any:
    """Not there: eigenvalues of matrices that are not symmetric are complex numbers, which tensors don't hold yet."""
    raise NotImplementedError(
        "eig: its results are complex numbers, which tensors can't hold; symmetric matrices have eigh()"
    )


@composed
def eigvals(A: Any) -> Any:
    """Not there: eigenvalues of matrices that are not symmetric are complex numbers, which tensors don't hold yet."""
    raise NotImplementedError(
        "eigvals: its results are complex numbers, which tensors can't hold; symmetric matrices have eigvalsh()"
    )
