"""Nested structures of tensors: dicts, lists and tuples, as functions take and return them."""

from collections.abc import Iterator
from typing import Any

from .errors import ArgumentError, ArgumentTypeError
from .tensor import Tensor


class NoTensorError(ArgumentTypeError, ArgumentError):
    """Something else where a function or its caller should give a tensor."""


def leaves_of(tree: Any) -> list[Any]:
    """What stands in nested dicts, lists and tuples, in order."""
    if isinstance(tree, dict | list | tuple):
        parts = tree.values() if isinstance(tree, dict) else tree
        return [leaf for part in parts for leaf in leaves_of(part)]
    return [tree]


def like(tree: Any, leaves: Iterator[Any]) -> Any:
    """The same nested structure with other leaves."""
    if isinstance(tree, dict):
        return {name: like(part, leaves) for name, part in tree.items()}
    if isinstance(tree, list | tuple):
        parts = [like(part, leaves) for part in tree]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    return next(leaves)


def tensors_of(what: str, tree: Any) -> list[Tensor]:
    """The leaves of a structure, which must be tensors."""
    leaves = leaves_of(tree)
    for leaf in leaves:
        if not isinstance(leaf, Tensor):
            raise NoTensorError(f"{what} must be Tensors, {type(leaf).__name__} came; use tinygrad_dl.tensor(...)")
    return leaves
