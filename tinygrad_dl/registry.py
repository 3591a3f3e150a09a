"""Registries of the hooks of modules and of optimizers: one each, in which a hook says where it is called."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

from .hooks import RemovableHandle


class Hook(NamedTuple):
    """A user's function and when to call it: where (`kind`), and how it was registered."""

    kind: str
    function: Callable[..., Any]
    with_kwargs: bool = False
    always_call: bool = False
    with_module: bool = True  # of a module's hooks on loading: whether the module is the first argument
    may_replace: bool = False  # of a module's hooks on a state dict: whether they may return another one


Registry = OrderedDict[int, Hook]


def add(registry: Registry, hook: Hook, prepend: bool = False) -> RemovableHandle:
    """Put a hook behind the others, or before them."""
    handle = RemovableHandle(registry)
    registry[handle.id] = hook
    if prepend:
        registry.move_to_end(handle.id, last=False)
    return handle


def of_kind(kind: str, *registries: Registry | None) -> list[tuple[int, Hook]]:
    """The hooks of one kind with their numbers: a list, since a hook may remove others and itself."""
    return [(i, hook) for registry in registries if registry for i, hook in list(registry.items()) if hook.kind == kind]
