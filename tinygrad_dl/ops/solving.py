"""Inverses, solutions of linear equations, determinants and Cholesky factors."""

import math
from collections import namedtuple
from typing import Any

import numpy as np

from .. import backend
from ..errors import ArgumentError, ShapeError
from ..methods import attach
from ..operation import operation
from ..tensor import wrap
from .composed import composed
from .diagonals import tril as lower
from .diagonals import triu as upper
from .elementwise import where
from .linalg import matmul
from .matrices import attempt, has_no_root, is_singular, require_matrix, require_one_dtype
from .reduction import sum as sum_
from .shape import permute, reshape, squeeze, transpose, unsqueeze
from .triangles import identity_like


def turned(x: Any) -> Any:
    """The transposes of matrices."""
    return transpose(x, -2, -1)


# --- inverses


@operation("inv", A=lambda g, out: -matmul(matmul(turned(out), g), turned(out)))
def _inverse(A: Any) -> Any:
    return attempt("inv", np.linalg.inv, A, problem=is_singular)


@composed
def inv(A: Any) -> Any:
    """The inverse of each matrix: A · inv(A) = I.

    Arguments: A (..., n, n), float32 or float64. Raises LinAlgError for a singular matrix, ShapeError, DtypeError.

    >>> import tinygrad_dl as tg
    >>> tg.linalg.inv(tg.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    require_matrix("inv", A, square=True)
    return _inverse(A)


# --- equations


def _solve_rule(g: Any, needs: Any, A: Any, out: Any) -> Any:
    of_B = _solution(turned(A), g)
    return (-matmul(of_B, turned(out)) if needs[0] else None), of_B


@operation("solve", joint=_solve_rule, A=None, B=None)
def _solution(A: Any, B: Any) -> Any:
    return attempt("solve", np.linalg.solve, A, B, alone=np.linalg.inv, problem=is_singular)


def _is_vector(A: Any, B: Any) -> bool:
    """Whether B holds one vector for each matrix, by PyTorch's rule."""
    return bool(B.ndim == 1 or (A.ndim - 1 == B.ndim and tuple(B.shape) == tuple(A.shape[:-1])))


@composed
def solve(A: Any, B: Any, *, left: bool = True) -> Any:
    """The X with A · X = B, or with X · A = B when left is False.

    Arguments: A (..., n, n), B (..., n, k) or for left=False (..., k, n), or one vector (..., n) for each matrix, of
    one dtype; batches broadcast. Raises LinAlgError for a singular matrix, ShapeError, DtypeError.

    >>> import tinygrad_dl as tg
    >>> tg.linalg.solve(tg.tensor([[2.0, 0.0], [0.0, 4.0]]), tg.tensor([2.0, 2.0]))
    tensor([1.0000, 0.5000])
    """
    require_matrix("solve", A, square=True)
    require_one_dtype("solve", A=A, B=B)
    vector = _is_vector(A, B)
    right = unsqueeze(B, -1) if vector else B
    n, rows = A.shape[-1], right.shape[-2 if left or vector else -1] if right.ndim > 1 else 0
    if rows != n or (vector and not left):
        raise ShapeError(
            f"solve: B {tuple(B.shape)} does not fit A {tuple(A.shape)}: "
            + (f"(..., {n}, k) or (..., {n}) would work" if left else f"(..., k, {n}) would work")
        )
    out = _solution(A, right) if left else turned(_solution(turned(A), turned(right)))
    return squeeze(out, -1) if vector else out


# --- triangles

_BLOCK = 64  # rows that are solved at once; larger triangles by products of matrices


def _substituted(A: Any, B: Any, up: bool) -> Any:
    """The solution of a triangle of equations; a zero in the diagonal gives infinities, as in LAPACK."""
    n = A.shape[-1]
    if n > _BLOCK:
        half = n // 2
        first, last = (slice(half, n), slice(0, half)) if up else (slice(0, half), slice(half, n))
        x = _substituted(A[..., first, first], B[..., first, :], up)
        y = _substituted(A[..., last, last], B[..., last, :] - np.matmul(A[..., last, first], x), up)
        return np.concatenate((y, x) if up else (x, y), axis=-2)
    try:
        return np.linalg.solve(A, B)
    except np.linalg.LinAlgError:
        return _row_by_row(A, B, up)


def _row_by_row(A: Any, B: Any, up: bool) -> Any:
    batch = np.broadcast_shapes(A.shape[:-2], B.shape[:-2])
    out = backend.zeros(B, (*batch, *B.shape[-2:]))
    for i in reversed(range(A.shape[-1])) if up else range(A.shape[-1]):
        known = np.matmul(A[..., i : i + 1, :], out)
        out[..., i, :] = (B[..., i, :] - known[..., 0, :]) / A[..., i, i, None]
    return out


def _triangle(x: Any, up: bool, unit: bool) -> Any:
    """The part of a matrix that counts."""
    return upper(x, int(unit)) if up else lower(x, -int(unit))


def _triangular_rule(g: Any, needs: Any, A: Any, out: Any, up: bool, unit: bool) -> Any:
    of_B = triangular_solution(turned(A), g, not up, unit)
    return (_triangle(-matmul(of_B, turned(out)), up, unit) if needs[0] else None), of_B


@operation("solve_triangular", joint=_triangular_rule, A=None, B=None)
def triangular_solution(A: Any, B: Any, up: bool, unit: bool) -> Any:
    part = _triangle(A, up, unit)
    return _substituted(part + identity_like(A, A.shape[-1]) if unit else part, B, up)


@composed
def solve_triangular(A: Any, B: Any, *, upper: bool, left: bool = True, unitriangular: bool = False) -> Any:
    """The X with A · X = B (or X · A = B) for triangles A; what lies outside of the triangle is not looked at.

    Arguments: A (..., n, n), B (..., n, k) of one dtype, upper (which triangle), left, unitriangular (take ones for the
    diagonal). A zero in the diagonal gives infinities. Raises ShapeError, DtypeError.

    >>> import tinygrad_dl as tg
    >>> tg.linalg.solve_triangular(tg.tensor([[2.0, 2.0], [0.0, 1.0]]), tg.tensor([[4.0], [1.0]]), upper=True)
    tensor([[1.],
            [1.]])
    """
    require_matrix("solve_triangular", A, square=True)
    require_matrix("solve_triangular", B)
    require_one_dtype("solve_triangular", A=A, B=B)
    if B.shape[-2 if left else -1] != A.shape[-1]:
        raise ShapeError(
            f"solve_triangular: B {tuple(B.shape)} does not fit A {tuple(A.shape)}: its size {-2 if left else -1} "
            f"must be {A.shape[-1]}"
        )
    if left:
        return triangular_solution(A, B, upper, unitriangular)
    return turned(triangular_solution(turned(A), turned(B), not upper, unitriangular))


# --- Cholesky


def _cholesky_rule(g: Any, out: Any) -> Any:
    """Half of the symmetric matrix made of the lower triangle of Lᵀg, between two inverses of L."""
    inner = lower(matmul(turned(out), g), 0)
    both = (inner + turned(lower(inner, -1))) * 0.5
    half = triangular_solution(turned(out), both, True, False)
    return turned(triangular_solution(turned(out), turned(half), True, False))


@operation("cholesky", A=_cholesky_rule)
def _cholesky_factor(A: Any) -> Any:
    return attempt("cholesky", np.linalg.cholesky, A, problem=has_no_root)


@composed
def cholesky(A: Any, *, upper: bool = False) -> Any:
    """The lower triangle L with L · Lᵀ = A, or the upper one U with Uᵀ · U = A.

    Arguments: A (..., n, n), symmetric and positive definite; only one triangle of it is read. Raises LinAlgError for a
    matrix that is not positive definite, ShapeError, DtypeError.

    >>> import tinygrad_dl as tg
    >>> tg.linalg.cholesky(tg.tensor([[4.0, 2.0], [2.0, 2.0]]))
    tensor([[2., 0.],
            [1., 1.]])
    """
    require_matrix("cholesky", A, square=True)
    return turned(_cholesky_factor(turned(A))) if upper else _cholesky_factor(A)


@composed
def cholesky_solve(B: Any, L: Any, upper: bool = False) -> Any:
    """The X with L · Lᵀ · X = B, for a factor that `cholesky` gave.

    Arguments: B (..., n, k), L (..., n, n; its other triangle is not looked at), upper (L is the upper factor).

    >>> import tinygrad_dl as tg
    >>> tg.cholesky_solve(tg.tensor([[4.0]]), tg.tensor([[2.0]]))
    tensor([[1.]])
    """
    require_matrix("cholesky_solve", L, square=True)
    if upper:
        middle = solve_triangular(turned(L), B, upper=False)
        return solve_triangular(L, middle, upper=True)
    return solve_triangular(turned(L), solve_triangular(L, B, upper=False), upper=True)


@composed
def cholesky_inverse(L: Any, upper: bool = False) -> Any:
    """The inverse of L · Lᵀ, for a factor that `cholesky` gave. Arguments as for `cholesky_solve`.

    >>> import tinygrad_dl as tg
    >>> tg.cholesky_inverse(tg.tensor([[2.0]]))
    tensor([[0.2500]])
    """
    require_matrix("cholesky_inverse", L, square=True)
    return cholesky_solve(wrap(identity_like(L.array, L.shape[-1])), L, upper)


# --- determinants


def _cofactor_rule(g: Any, A: Any) -> Any:
    """By the inverse: of singular matrices the determinant has first derivatives only, others are infinite or NaN."""
    turned_inverse = _turned_inverse(A)
    along = reshape(sum_(g * turned_inverse, (-2, -1)), (*A.shape[:-2], 1, 1))
    size = reshape(_determinant(A), (*A.shape[:-2], 1, 1))
    return size * (along * turned_inverse - matmul(matmul(turned_inverse, turned(g)), turned_inverse))


@operation("cofactors", A=_cofactor_rule)
def _cofactors(A: Any) -> Any:
    """det(A) · inv(A)ᵀ, which exists for singular matrices too: by their singular values."""
    sizes = np.linalg.det(A)
    if bool((sizes != 0).all()):
        return np.linalg.inv(A).swapaxes(-2, -1) * sizes[..., None, None]
    U, S, Vh = np.linalg.svd(A)
    products = []
    for i in range(S.shape[-1]):
        others = S.copy()
        others[..., i] = 1
        products.append(others.prod(axis=-1))
    signs = np.linalg.det(U) * np.linalg.det(Vh)
    return np.matmul(U * (np.stack(products, -1) * signs[..., None])[..., None, :], Vh)


@operation("det", A=lambda g, A: reshape(g, (*A.shape[:-2], 1, 1)) * _cofactors(A))
def _determinant(A: Any) -> Any:
    return np.linalg.det(A)


@composed
def det(A: Any) -> Any:
    """The determinant of each matrix.

    Arguments: A (..., n, n), float32 or float64. Returns (...). Raises ShapeError, DtypeError.

    >>> import tinygrad_dl as tg
    >>> tg.linalg.det(tg.tensor([[2.0, 1.0], [1.0, 3.0]]))
    tensor(5.)
    """
    require_matrix("det", A, square=True)
    return _determinant(A)


SlogdetResult = namedtuple("SlogdetResult", ["sign", "logabsdet"])


@operation("inv", A=lambda g, out: -matmul(matmul(out, turned(g)), out))
def _turned_inverse(A: Any) -> Any:
    """inv(A)ᵀ, infinite where A is singular."""
    try:
        return np.linalg.inv(A).swapaxes(-2, -1)
    except np.linalg.LinAlgError:
        return _cofactors(A) / np.linalg.det(A)[..., None, None]


@operation("slogdet", A=lambda g, A: reshape(g[1], (*A.shape[:-2], 1, 1)) * _turned_inverse(A))
def _signed_logarithm(A: Any) -> Any:
    sign, logarithm = np.linalg.slogdet(A)
    return sign, logarithm


@composed
def slogdet(A: Any) -> Any:
    """The sign of the determinant and the logarithm of its absolute value, which neither over- nor underflows.

    Arguments: A (..., n, n), float32 or float64. Returns (sign, logabsdet); of a singular matrix 0 and -inf. Raises
    ShapeError, DtypeError.

    >>> import tinygrad_dl as tg
    >>> tg.linalg.slogdet(tg.tensor([[0.0, 1.0], [1.0, 0.0]])).sign
    tensor(-1.)
    """
    require_matrix("slogdet", A, square=True)
    return SlogdetResult(*_signed_logarithm(A))


@composed
def logdet(input: Any) -> Any:
    """The logarithm of the determinant of each matrix: -inf of a singular one, NaN where the determinant is negative.

    Arguments: input (..., n, n), float32 or float64.

    >>> import tinygrad_dl as tg
    >>> tg.logdet(tg.tensor([[1.0, 0.0], [0.0, 1.0]]))
    tensor(0.)
    """
    sign, logarithm = slogdet(input)
    return where(sign == -1, math.nan, logarithm)


# --- tensors as matrices


@composed
def tensorinv(A: Any, ind: int = 2) -> Any:
    """The inverse of a tensor read as the matrix of its first `ind` dimensions by the others.

    Arguments: A (the sizes of both groups have one product), ind (positive). Returns the other dimensions, then the
    first. Raises ShapeError, ArgumentError, LinAlgError.

    >>> import tinygrad_dl as tg
    >>> tg.linalg.tensorinv(tg.eye(6).reshape(2, 3, 6)).shape
    tinygrad_dl.Size([6, 2, 3])
    """
    if ind < 1:
        raise ArgumentError(f"tensorinv: ind must be positive, {ind} came")
    shape = tuple(A.shape)
    rows, columns = math.prod(shape[:ind]), math.prod(shape[ind:])
    if rows != columns:
        raise ShapeError(f"tensorinv: the sizes {shape[:ind]} and {shape[ind:]} must have one product")
    return reshape(inv(reshape(A, (rows, columns))), shape[ind:] + shape[:ind])


@composed
def tensorsolve(A: Any, B: Any, dims: Any = None) -> Any:
    """The X for which the sum of A · X over all dimensions of X is B.

    Arguments: A (shape of B, then of X), B, dims (dimensions of A to move to the end first). Raises ShapeError,
    LinAlgError.

    >>> import tinygrad_dl as tg
    >>> tg.linalg.tensorsolve(tg.eye(6).reshape(2, 3, 6), tg.ones(2, 3)).shape
    tinygrad_dl.Size([6])
    """
    if dims is not None:
        last = [d % A.ndim for d in dims]
        A = permute(A, (*[i for i in range(A.ndim) if i not in last], *last))
    shape, size = tuple(A.shape)[B.ndim :], math.prod(B.shape)
    if math.prod(shape) != size or math.prod(A.shape) != size * size:
        raise ShapeError(
            f"tensorsolve: A {tuple(A.shape)} must have the sizes of B {tuple(B.shape)}, then others of one product"
        )
    return reshape(solve(reshape(A, (size, size)), reshape(B, (size,))), shape)


attach(cholesky_solve, cholesky_inverse, det, slogdet, logdet)
