"""What operations on matrices ask of their inputs, and what they say when a matrix has no solution."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend
from ..dtypes import find
from ..errors import DtypeError, LinAlgError, ShapeError


def require_one_dtype(name: str, **tensors: Any) -> None:
    """Raise unless all have one dtype."""
    kinds = {argument: find(tensor.dtype) for argument, tensor in tensors.items()}
    if len(set(kinds.values())) > 1:
        came = ", ".join(f"{argument} {kind.name}" for argument, kind in kinds.items())
        raise DtypeError(f"{name}: all must have one dtype, {came} came; convert, for example with .to(...)")


def require_floating(name: str, **tensors: Any) -> None:
    """Raise unless all are floating and of one dtype."""
    for argument, tensor in tensors.items():
        kind = find(tensor.dtype)
        if not kind.is_floating_point:
            raise DtypeError(f"{name}: floating numbers are needed, {argument} is {kind.name}; use {argument}.float()")
    require_one_dtype(name, **tensors)


def require_dims(name: str, ndim: int, **tensors: Any) -> None:
    """Raise unless all have that many dimensions."""
    kind = {1: "vector", 2: "matrix", 3: "batch of matrices"}[ndim]
    for argument, tensor in tensors.items():
        if tensor.ndim != ndim:
            raise ShapeError(
                f"{name}: {argument} must be a {kind} ({ndim}-d), shape {tuple(tensor.shape)} came; "
                "matmul takes batches, matrices and vectors"
            )


def require_matrix(name: str, A: Any, square: bool = False) -> None:
    """Raise unless A holds matrices that LAPACK takes: float32 or float64, square if asked for."""
    kind = find(A.dtype)
    if not kind.is_floating_point or kind.itemsize < 4:
        raise DtypeError(f"{name}: float32 or float64 is needed, {kind.name} came; use A.float()")
    if A.ndim < 2:
        raise ShapeError(f"{name}: a matrix has at least 2 dimensions, shape {tuple(A.shape)} came")
    if square and A.shape[-1] != A.shape[-2]:
        raise ShapeError(f"{name}: square matrices are needed, shape {tuple(A.shape)} came")


def attempt(name: str, function: Callable[..., Any], A: Any, *others: Any, alone: Any = None, problem: Any) -> Any:
    """function(A, ...) of a batch of matrices; a LinAlgError says which of them it fails for.

    alone: a function that fails for the same single matrices; problem: of such a matrix, what is wrong.
    """
    try:
        return function(A, *others)
    except np.linalg.LinAlgError:
        places = np.ndindex(*A.shape[:-2])
        place = next((place for place in places if _fails(alone or function, A[place])), ())
        which = f"matrix {', '.join(map(str, place))} of a batch" if place else "the matrix"
        raise LinAlgError(f"{name}: {which} (shape {tuple(A.shape)}) {problem(A[place])}") from None


def _fails(function: Callable[..., Any], matrix: Any) -> bool:
    try:
        function(matrix)
    except np.linalg.LinAlgError:
        return True
    return False


def is_singular(matrix: Any) -> str:
    """What is wrong with a matrix that has no inverse."""
    return "is singular: it has no inverse; pinv() and lstsq() take such matrices"


def has_no_root(matrix: Any) -> str:
    """What is wrong with a matrix that has no Cholesky factor: its first leading part that has none."""
    sizes = range(1, matrix.shape[-1] + 1)
    order = next((n for n in sizes if _fails(np.linalg.cholesky, matrix[:n, :n])), matrix.shape[-1])
    return f"is not positive definite: the leading {order} by {order} part of it has no factor"


def is_not_finite(matrix: Any) -> str:
    """What is wrong with a matrix for which an iteration does not converge."""
    return "holds infinities or NaN, or the algorithm did not converge"


def identity_like(x: Any, n: int) -> Any:
    """The identity matrix of n rows in the dtype and on the device of an array."""
    return backend.array_module(x).eye(n, dtype=x.dtype)
