"""How a tensor's elements lie in memory: the names that PyTorch has for it. New memory here is row-major, always."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

from .errors import ArgumentTypeError

Creation = TypeVar("Creation", bound=Callable[..., Any])


class memory_format:
    """An order of the elements in memory, as `contiguous_format`: the last dimension runs fastest.

    >>> import tinygrad_dl as tg
    >>> tg.zeros(2).contiguous(memory_format=tg.contiguous_format)
    tensor([0., 0.])
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"tinygrad_dl.{self.name}"

    def __reduce__(self) -> str:
        return self.name


class layout(memory_format):
    """How elements are stored: `strided`, each in its place; there are no sparse tensors.

    >>> import tinygrad_dl as tg
    >>> tg.zeros(2).layout
    tinygrad_dl.strided
    """


contiguous_format, preserve_format = memory_format("contiguous_format"), memory_format("preserve_format")
channels_last, channels_last_3d = memory_format("channels_last"), memory_format("channels_last_3d")
strided = layout("strided")


def require_row_major(name: str, memory_format: Any) -> None:
    """Refuse every order in memory but the one there is."""
    if memory_format in (None, contiguous_format, preserve_format):
        return
    if memory_format not in (channels_last, channels_last_3d):
        raise ArgumentTypeError(f"{name}: memory_format is for example contiguous_format, not {memory_format!r}")
    raise NotImplementedError(
        f"{name}: memory_format={memory_format!r} is not supported: new memory is row-major here. It would change no "
        "value; leave it out"
    )


def row_major(create: Creation) -> Creation:
    """Let a function that makes a tensor take PyTorch's `layout`, `memory_format` and `pin_memory`."""
    name = create.__name__

    @functools.wraps(create)
    def call(
        *args: Any, layout: Any = None, memory_format: Any = None, pin_memory: bool = False, **options: Any
    ) -> Any:
        if layout is not None and layout is not strided:
            raise NotImplementedError(f"{name}: layout={layout!r} is not supported; tensors are strided")
        if pin_memory:
            raise NotImplementedError(f"{name}: pin_memory=True is not supported; leave it out")
        if memory_format is not None:
            require_row_major(name, memory_format)
        return create(*args, **options)

    return cast(Creation, call)
