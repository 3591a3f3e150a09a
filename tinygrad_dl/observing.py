"""Who looks at what is recorded: a trace and anomaly mode, alone or together. While nobody does, this costs nothing."""

import linecache
import sys
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any, NamedTuple

from .modes import modes
from .node import Node

_PACKAGE = __name__.partition(".")[0]


class Place(NamedTuple):
    """A place in the user's code."""

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        source = linecache.getline(self.file, self.line).strip()
        return f"{self.file}, line {self.line}, in {self.function}" + (source and f": {source}")


class ObservedNode(Node):
    """A node on which the observers of its thread write; the engine makes it in place of `Node` while there are any."""

    __slots__ = ("call", "checksums", "deriving", "record")

    call: Place | None  # where in the user's code it was recorded
    record: Any  # of a trace: all that pictures need
    checksums: list[Any]  # of anomaly mode: those of the saved values,
    deriving: Any  # and whose rules were running

    @staticmethod
    def note(node: "ObservedNode", operation: Any, args: tuple[Any, ...], result: Any) -> None:
        """Called by the engine after it made a node."""
        frame = calling_frame()
        node.call = None if frame is None else Place(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)
        for observer in modes.observers:
            observer(node, operation, args, result, frame)


def observe(observer: Callable[..., None], first: bool) -> None:
    """From now on call `observer(node, operation, args, result, frame)` for what is recorded in this thread.

    first: before the others. A trace is; anomaly mode may raise, and the trace has then seen what it complains of.
    """
    set_observers((observer, *modes.observers) if first else (*modes.observers, observer))


def ignore(observer: Callable[..., None]) -> None:
    """No longer call an observer."""
    set_observers(tuple([other for other in modes.observers if other is not observer]))


def set_observers(observers: tuple[Callable[..., None], ...]) -> None:
    """Let these look at what is recorded in this thread from now on."""
    modes.observers = observers
    modes.recorder = ObservedNode if observers else Node
    modes.record = modes.record and modes.recorder


# --- where in the user's code


def call_user(f: Any, inputs: Iterable[Any]) -> Any:
    """Call a function of the user's: what lies beyond this frame is not the code that is observed."""
    return f(*inputs)


def calling_frame() -> FrameType | None:
    """The innermost frame that is not ours (nor NumPy's, which calls us back)."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and is_library(frame):
        frame = None if frame.f_code is call_user.__code__ else frame.f_back
    return frame


def is_library(frame: FrameType) -> bool:
    """Whether a frame runs code of ours or of NumPy's."""
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] in (_PACKAGE, "numpy")
