"""What operations on matrices ask of their inputs."""

from typing import Any

from ..dtypes import find
from ..errors import DtypeError, ShapeError


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
