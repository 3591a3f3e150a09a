"""Questions to a compiler that is not there: `torch.compiler`."""

from collections.abc import Callable
from typing import Any

from .jit import compile as compile


def is_compiling() -> bool:
    """Whether the code is being compiled: never.

    >>> import tinygrad_dl as tg
    >>> tg.compiler.is_compiling()
    False
    """
    return False


is_dynamo_compiling = is_exporting = is_compiling


def disable(fn: Any = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """A decorator that changes nothing, since nothing is compiled."""
    return (lambda function: function) if fn is None else fn


def reset() -> None:
    """Forget what was compiled: nothing."""


def allow_in_graph(fn: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator that changes nothing, since nothing is compiled."""
    return fn
