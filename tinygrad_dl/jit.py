"""What concerns compiling. Nothing is compiled: functions and modules come back as they are and run as Python does."""

from collections.abc import Callable
from typing import Any

from .unavailable import refused, warn_once

_AS_PYTHON = "nothing is compiled; the function or module comes back as it is"


def compile(
    model: Any = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: Any = None,
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    disable: bool = False,
) -> Any:
    """The function or module itself: it runs as Python does, as under PyTorch's backend "eager".

    A warning says so once, unless that is what was asked for (`backend="eager"` or `disable=True`); the other arguments
    speak to a compiler. Without a model it is a decorator.

    >>> import tinygrad_dl as tg
    >>> square = tg.compile(lambda x: x * x, backend="eager")
    >>> square(tg.tensor(3.0))
    tensor(9.)
    """
    if backend != "eager" and not disable:
        warn_once("compile", _AS_PYTHON)
    return _itself if model is None else model


def _itself(obj: Any) -> Any:
    return obj


def script(obj: Any, **options: Any) -> Any:
    """The function or module itself, with a warning once.

    >>> import tinygrad_dl as tg, warnings
    >>> with warnings.catch_warnings(): warnings.simplefilter("ignore"); tg.jit.script(len)([1, 2])
    2
    """
    warn_once("jit.script", _AS_PYTHON)
    return obj


def trace(func: Any, example_inputs: Any = None, **options: Any) -> Any:
    """The function or module itself, with a warning once; nothing is called with the example."""
    warn_once("jit.trace", _AS_PYTHON)
    return func


def ignore(drop: Any = False, **options: Any) -> Any:
    """A decorator that changes nothing, since nothing is compiled."""
    return drop if callable(drop) else _itself


def export(fn: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator that changes nothing, since nothing is compiled."""
    return fn


unused = script_if_tracing = export


def is_scripting() -> bool:
    """Whether the code is being compiled: never."""
    return False


def is_tracing() -> bool:
    """Whether the code is being traced: never."""
    return False


class ScriptModule:
    """The class of compiled modules, which has no instances. Raises NotImplementedError when called."""

    __init__ = refused("jit.ScriptModule", "nothing is compiled; use nn.Module")


ScriptFunction = ScriptModule
save = refused("jit.save", "modules aren't compiled; save their state_dict() with tinygrad_dl.save")
load = refused("jit.load", "there are no compiled modules; load a state_dict with tinygrad_dl.load")
freeze = refused("jit.freeze", "nothing is compiled; use module.eval()")
