"""What losses share: how they are reduced, and what they ask of their arguments."""

import warnings
from typing import Any

import numpy as np

from ..dtypes import FLOATING
from ..errors import ArgumentError, ArgumentTypeError, DtypeError, ShapeError
from ..tensor import Tensor
from .reduction import mean
from .reduction import sum as sum_

REDUCTIONS = ("mean", "sum", "none")


def reduced(loss: Any, reduction: str) -> Any:
    return mean(loss) if reduction == "mean" else sum_(loss) if reduction == "sum" else loss


def reduction_of(
    name: str, reduction: str, size_average: Any = None, reduce: Any = None, allowed: tuple[str, ...] = REDUCTIONS
) -> str:
    """The reduction that is meant; the two options that it replaced still count if they are given, with a warning."""
    if size_average is not None or reduce is not None:
        reduction = "none" if reduce is False else "sum" if size_average is False else "mean"
        warnings.warn(
            f"{name}: size_average and reduce are old; write reduction={reduction!r} instead", UserWarning, stacklevel=3
        )
    if reduction not in allowed:
        listed = f"{', '.join(map(repr, allowed[:-1]))} or {allowed[-1]!r}"
        raise ArgumentError(f"{name}: reduction is {listed}, not {reduction!r}")
    return reduction


def require_tensors(name: str, **values: Any) -> None:
    for argument, value in values.items():
        if not isinstance(value, Tensor):
            raise ArgumentTypeError(
                f"{name}: {argument} must be a Tensor, not {type(value).__name__}; convert it with "
                "tinygrad_dl.tensor(...)"
            )


def require_floating_loss(name: str, *tensors: Any) -> None:
    if not any(tensor.array.dtype in FLOATING for tensor in tensors):
        raise DtypeError(f"{name}: a loss needs floating numbers, {tensors[0].dtype} came; use input.float()")


def require_shape(name: str, argument: str, tensor: Any, like: Any) -> None:
    if tensor.array.shape != like.array.shape:
        raise ShapeError(
            f"{name}: {argument} has shape {tuple(tensor.shape)}, it must have the input's, {tuple(like.shape)}; use "
            f"{argument}.reshape(...)"
        )


def warn_about_broadcasting(name: str, input: Any, target: Any) -> None:
    if input.array.shape == target.array.shape:
        return
    try:
        result = np.broadcast_shapes(input.array.shape, target.array.shape)
    except ValueError:
        return  # the operation raises with a better message
    warnings.warn(
        f"{name}: input has shape {tuple(input.shape)} and target {tuple(target.shape)}, so they broadcast to "
        f"{result}, which is rarely meant: every input is compared with every target. Give both one shape, for example "
        f"with target.reshape({', '.join(map(str, input.shape))}) or input.squeeze()",
        UserWarning,
        stacklevel=4,
    )
