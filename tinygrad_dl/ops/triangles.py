"""Matrices as the rules of decompositions need them."""

from typing import Any

import numpy as np

from .. import backend
from ..operation import operation


def identity_like(x: Any, n: int) -> Any:
    """The identity matrix of n rows in the dtype and on the device of an array."""
    return backend.array_module(x).eye(n, dtype=x.dtype)


@operation(
    "cat",
    input=lambda g, input_shape: g[..., : input_shape[-1]],
    other=lambda g, input_shape: g[..., input_shape[-1] :],
)
def beside(input: Any, other: Any) -> Any:
    """Two matrices side by side."""
    return np.concatenate((input, other), axis=-1)
