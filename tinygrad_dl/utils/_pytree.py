"""Nested dicts, lists and tuples taken apart and put together again, as in PyTorch's module of this name."""

from collections.abc import Callable, Iterable
from itertools import repeat
from typing import Any

from ..errors import ArgumentError
from ..nested import leaves_of, like


class TreeSpec:
    """What is left of nested dicts, lists and tuples without their leaves."""

    def __init__(self, tree: Any) -> None:
        self.num_leaves = len(leaves_of(tree))
        self._shape = like(tree, repeat(None))

    def unflatten(self, leaves: Iterable[Any]) -> Any:
        """The structure with these leaves. Raises ArgumentError for another number of them."""
        given = list(leaves)
        if len(given) != self.num_leaves:
            raise ArgumentError(f"tree_unflatten: a structure of {self.num_leaves} leaves, {len(given)} came")
        return like(self._shape, iter(given))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TreeSpec) and self._shape == other._shape and type(self._shape) is type(other._shape)

    __hash__ = None  # type: ignore[assignment]  # it holds dicts and lists

    def __repr__(self) -> str:
        return f"TreeSpec({self._shape!r})"


def tree_flatten(tree: Any) -> tuple[list[Any], TreeSpec]:
    """The leaves of nested dicts, lists and tuples in order, and what is left without them.

    >>> from tinygrad_dl.utils._pytree import tree_flatten, tree_unflatten
    >>> leaves, spec = tree_flatten({"a": [1, 2], "b": (3,)})
    >>> leaves, tree_unflatten([leaf * 10 for leaf in leaves], spec)
    ([1, 2, 3], {'a': [10, 20], 'b': (30,)})
    """
    return leaves_of(tree), TreeSpec(tree)


def tree_unflatten(leaves: Iterable[Any], treespec: TreeSpec) -> Any:
    """What `tree_flatten` took apart, with other leaves. Raises ArgumentError for another number of them."""
    return treespec.unflatten(leaves)


def tree_leaves(tree: Any) -> list[Any]:
    """The leaves of nested dicts, lists and tuples in order."""
    return leaves_of(tree)


def tree_map(func: Callable[..., Any], tree: Any, *rests: Any) -> Any:
    """The same structure with what a function makes of each leaf, and of those in the same place of other trees.

    >>> from tinygrad_dl.utils._pytree import tree_map
    >>> tree_map(lambda x, y: x + y, [1, (2,)], [10, (20,)])
    [11, (22,)]
    """
    leaves, spec = tree_flatten(tree)
    return spec.unflatten(map(func, leaves, *map(leaves_of, rests)))
