"""Public functions that are composed of operations take their arguments as the operations themselves do."""

import functools
from collections.abc import Callable
from typing import Any

from ..arguments import ALIASES
from ..errors import ArgumentTypeError, nearest
from ..outputs import into


def composed(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a function take NumPy's names too (`axis` for `dim`), as PyTorch does, and explain unknown ones."""
    code = function.__code__
    parameters = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]

    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        if options:
            if (out := options.pop("out", None)) is not None:
                return into(out, call, args, options)
            options = {_parameter(function.__name__, name, parameters): value for name, value in options.items()}
        return function(*args, **options)

    if parameters[0] != "tensors":  # functions of a list look into it themselves
        call.composed = True  # type: ignore[attr-defined]  # the package refuses calls without any tensor
    return call


def _parameter(function: str, name: str, parameters: tuple[str, ...]) -> str:
    """The parameter that a user's name means."""
    known = name if name in parameters else ALIASES.get(name, name)
    if known not in parameters:
        raise ArgumentTypeError(
            f"{function}: there is no argument {name!r}; it takes {', '.join(parameters)}.{nearest(name, parameters)}"
        )
    return known
