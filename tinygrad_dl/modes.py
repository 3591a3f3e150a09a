"""What is recorded, and where: the modes of this thread."""

import contextlib
import functools
import inspect
import threading
from typing import Any

from .errors import ArgumentTypeError
from .silence import silence, unsilence


def unchecked(contributions: Any) -> Any:
    """What a walk calls for the contributions of a node; anomaly mode puts what looks at them in its place."""
    return contributions


class Modes(threading.local):
    """What records in this thread: a class of nodes, or None under `no_grad`."""

    record: Any = None
    recorder: Any = None  # what `enable_grad` restores: `Node`, or while there are observers a subclass that calls them
    observers: tuple[Any, ...] = ()  # an open trace, anomaly mode
    checking: Any = staticmethod(unchecked)
    inference = False
    after_walk: dict[Any, list[Any]] = {}  # what hooks want called at the end of this walk, and with what
    modules: Any = None  # while tracing: the modules whose forward is running, outermost first


modes = Modes()


class walking:
    """The mode of a walk: it records or not, whatever the caller's mode; infinities and NaN are silent results."""

    __slots__ = ("calls", "outer", "recorded", "tokens")

    def __init__(self, recorded: bool) -> None:
        self.recorded = recorded

    def __enter__(self) -> None:
        self.outer, modes.record = modes.record, modes.recorder if self.recorded else None
        self.calls, modes.after_walk = modes.after_walk, {}  # a hook may walk another graph
        self.tokens = silence()

    def __exit__(self, *error: Any) -> None:
        unsilence(self.tokens)
        modes.record = self.outer and modes.recorder
        calls, modes.after_walk = modes.after_walk, self.calls
        for call, gradients in calls.items() if error[0] is None else ():
            call(gradients)


class _Mode(contextlib.ContextDecorator):
    """A grad mode as context manager and decorator, of this thread only; also on generators, as in PyTorch."""

    def __init__(self) -> None:
        self._outer: list[tuple[Any, bool]] = []

    _arguments: tuple[Any, ...] = ()  # with which it was made

    def _recreate_cm(self) -> "_Mode":
        return type(self)(*self._arguments)

    def _record(self) -> Any:
        raise NotImplementedError

    def __new__(cls, function: Any = None, **options: Any) -> Any:
        mode = super().__new__(cls)
        if callable(function):  # used as `@no_grad` without parentheses
            mode.__init__()  # type: ignore[misc]
            return mode(function)
        return mode

    def __call__(self, function: Any) -> Any:
        if not inspect.isgeneratorfunction(function):
            return super().__call__(function)

        @functools.wraps(function)
        def generator(*args: Any, **options: Any) -> Any:
            with self._recreate_cm():
                steps = function(*args, **options)
            resume: Any = steps.send
            sent: list[Any] = [None]
            while True:
                with self._recreate_cm():
                    try:
                        item = resume(sent.pop())  # gone from here: an error would hold this frame and be held by it
                    except StopIteration as end:
                        return end.value
                try:
                    resume, sent = steps.send, [(yield item)]
                except BaseException as error:  # thrown in, also by close(): the function may handle it
                    resume, sent = steps.throw, [error]

        return generator

    def __enter__(self) -> "_Mode":
        self._outer.append((modes.record, modes.inference))
        modes.record = self._record()
        return self

    def __exit__(self, *error: Any) -> None:
        record, modes.inference = self._outer.pop()
        modes.record = record and modes.recorder  # who observes may have changed inside


class no_grad(_Mode):
    """Nothing is recorded inside: results do not require grad, leaves may be edited in place.

    >>> import tinygrad_dl as tg
    >>> w = tg.tensor(1.0, requires_grad=True)
    >>> with tg.no_grad():
    ...     print((w * 2).requires_grad)
    False
    """

    def _record(self) -> Any:
        return None


class enable_grad(_Mode):
    """Operations are recorded inside, also within `no_grad` (not within `inference_mode`).

    >>> import tinygrad_dl as tg
    >>> w = tg.tensor(1.0, requires_grad=True)
    >>> with tg.no_grad(), tg.enable_grad():
    ...     print((w * 2).requires_grad)
    True
    """

    def _record(self) -> Any:
        return None if modes.inference else modes.recorder


class set_grad_enabled(_Mode):
    """Switch recording on or off, at once or for a `with` block.

    >>> import tinygrad_dl as tg
    >>> with tg.set_grad_enabled(False):
    ...     print(tg.is_grad_enabled())
    False
    """

    def __new__(cls, mode: bool) -> Any:
        if not isinstance(mode, bool):
            raise ArgumentTypeError(f"set_grad_enabled: mode is True or False, not {mode!r}")
        return object.__new__(cls)

    def __init__(self, mode: bool) -> None:
        super().__init__()
        self.mode, self._arguments = mode, (mode,)
        self._before = (modes.record, modes.inference)
        modes.record = self._record()

    def __call__(self, function: Any) -> Any:
        modes.record = self._before[0]  # a decorator acts inside the function only
        return super().__call__(function)

    def _record(self) -> Any:
        return modes.recorder if self.mode and not modes.inference else None

    def __enter__(self) -> "set_grad_enabled":
        self._outer.append(self._before)
        modes.record = self._record()
        return self


class inference_mode(_Mode):
    """As `no_grad`, for code that will never need gradients of what it computes.

    >>> import tinygrad_dl as tg
    >>> with tg.inference_mode():
    ...     print(tg.is_grad_enabled(), tg.is_inference_mode_enabled())
    False True
    """

    def __init__(self, mode: bool = True) -> None:
        super().__init__()
        self.mode, self._arguments = mode, (mode,)

    def _record(self) -> Any:
        modes.inference = self.mode
        return None if self.mode else modes.recorder


def is_grad_enabled() -> bool:
    """Whether operations are recorded in this thread.

    >>> import tinygrad_dl as tg
    >>> tg.is_grad_enabled()
    True
    """
    return modes.record is not None


def is_inference_mode_enabled() -> bool:
    """Whether this thread is inside `inference_mode`.

    >>> import tinygrad_dl as tg
    >>> tg.is_inference_mode_enabled()
    False
    """
    return modes.inference
