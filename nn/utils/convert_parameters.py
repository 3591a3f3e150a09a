"""Parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from tinygrad_dl.errors import ArgumentError, ArgumentTypeError, DeviceError, ShapeError
from tinygrad_dl.tensor import Tensor


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All parameters end to end in one vector, recorded like any operation.

    Raises ArgumentError when there are none, DeviceError for parameters on several devices.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.utils.parameters_to_vector([tg.ones(1, 2), tg.zeros(1)])
    tensor([1., 1., 0.])
    """
    listed = list(parameters)
    if not listed:
        raise ArgumentError("parameters_to_vector: there are no parameters (an iterator that was used up?)")
    _require_one_device("parameters_to_vector", listed)
    return np.concatenate([p.reshape(-1) for p in listed])  # type: ignore[return-value]  # of tensors, which record


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Cut a vector into the data of the parameters, which share its memory from then on.

    Raises ArgumentTypeError for what is no tensor, ShapeError unless it has as many elements as the parameters.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> w, b = tg.zeros(1, 2), tg.zeros(1)
    >>> nn.utils.vector_to_parameters(tg.tensor([1.0, 2.0, 3.0]), [w, b]); w, b
    (tensor([[1., 2.]]), tensor([3.]))
    """
    if not isinstance(vec, Tensor):
        raise ArgumentTypeError(f"vector_to_parameters: vec must be a Tensor, {type(vec).__name__} came")
    listed = list(parameters)
    _require_one_device("vector_to_parameters", listed)
    total = sum(p.numel() for p in listed)
    if tuple(vec.shape) != (total,):
        raise ShapeError(
            f"vector_to_parameters: vec has shape {tuple(vec.shape)}, but the parameters have {total} elements: "
            f"({total},) is needed"
        )
    at = 0
    for p in listed:
        p.data = vec[at : at + p.numel()].view_as(p).data
        at += p.numel()


def _require_one_device(operation: str, parameters: list[Tensor]) -> None:
    if len({p.device for p in parameters}) > 1:
        found = sorted({str(p.device) for p in parameters})
        raise DeviceError(f"{operation}: the parameters are on {' and '.join(found)}; move them to one device first")
