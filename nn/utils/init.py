"""Making a module whose values will be overwritten."""

from __future__ import annotations

import inspect
from typing import Any

from tinygrad_dl.errors import ArgumentError, ArgumentTypeError
from tinygrad_dl.random import fork_rng

from ..module import Module


def skip_init(module_cls: type[Module], *args: Any, **kwargs: Any) -> Any:
    """`module_cls(*args, **kwargs)` without a draw from the generator: its values are there to be overwritten.

    Raises ArgumentTypeError for what is no class of modules, ArgumentError for one without a `device` argument.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> before = tg.random.get_rng_state()
    >>> layer = nn.utils.skip_init(nn.Linear, 2, 3)
    >>> tg.equal(tg.random.get_rng_state(), before)
    True
    """
    if not (isinstance(module_cls, type) and issubclass(module_cls, Module)):
        raise ArgumentTypeError(f"skip_init: a class of modules is needed, {module_cls!r} came")
    if "device" not in inspect.signature(module_cls).parameters:
        raise ArgumentError(f"skip_init: {module_cls.__name__} takes no device; make it as usual")
    with fork_rng():
        return module_cls(*args, **kwargs)
