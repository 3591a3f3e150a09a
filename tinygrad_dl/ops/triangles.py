"""Triangles and diagonals of the last two dimensions, as the rules of decompositions need them."""

from typing import Any

import numpy as np

from .. import backend
from ..operation import operation


@operation("tril", input=lambda g, diagonal: lower(g, diagonal))
def lower(input: Any, diagonal: int) -> Any:
    """The lower triangle up to a diagonal, with zeros above."""
    return np.tril(input, diagonal)


@operation("triu", input=lambda g, diagonal: upper(g, diagonal))
def upper(input: Any, diagonal: int) -> Any:
    """The upper triangle from a diagonal on, with zeros below."""
    return np.triu(input, diagonal)


@operation("diag_embed", input=lambda g: diagonal_of(g))
def with_diagonal(input: Any) -> Any:
    """Square matrices of zeros with the last dimension as their diagonals."""
    n = input.shape[-1]
    out = backend.zeros(input, (*input.shape[:-1], n * n))
    out[..., :: n + 1] = input
    return out.reshape((*input.shape, n))


@operation("diagonal", input=lambda g: with_diagonal(g))
def diagonal_of(input: Any) -> Any:
    """The diagonals of square matrices."""
    n = input.shape[-1]
    return input.reshape((*input.shape[:-2], n * n))[..., :: n + 1].copy()


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
