"""Shows the real CuPy every call that ran on the device `strict`, on arrays that have no memory.

`record` notes the distinct calls that a program makes. `replay` repeats each on CuPy: without a GPU that fails with a
CUDA error, or for want of cuBLAS, when CuPy knows the call, and with another error when it does not.
"""

from __future__ import annotations

import operator
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tinygrad_dl import testing
from tinygrad_dl.testing import Call, strict

ROOT = Path(__file__).resolve().parent.parent


class Blank(NamedTuple):
    """What is remembered of an array."""

    shape: tuple[int, ...]
    dtype: str
    strides: tuple[int, ...]


class Seen(NamedTuple):
    """A call with blanks for its arrays, and the line of ours that made it first."""

    call: Call
    place: str


class Recorder:
    """The distinct calls: those that differ in what was called, in options, or in kind, dtype, ndim of arguments."""

    def __init__(self) -> None:
        self.calls: dict[Any, Seen] = {}

    def __call__(self, call: Call) -> None:
        key = (call.kind, call.name, _signature(call.arguments), _signature(call.options))
        if key not in self.calls:
            self.calls[key] = Seen(Call(call.kind, call.name, _blank(call.arguments), _blank(call.options)), _place())

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Add the calls of a block."""
        with testing.watch(self):
            yield

    def __iter__(self) -> Iterator[Seen]:
        return iter(self.calls.values())

    def __len__(self) -> int:
        return len(self.calls)


def record(*programs: Callable[[], Any]) -> Recorder:
    """The distinct calls on strict arrays that some programs make; one that raises is recorded up to there."""
    recorder = Recorder()
    for program in programs:
        with recorder.recording():
            program()
    return recorder


def _signature(value: Any) -> Any:
    """What makes a call another call."""
    if isinstance(value, strict.ndarray):
        layout = "C" if value.flags.c_contiguous else "F" if value.flags.f_contiguous else "strided"
        return "array", value.dtype.str, value.ndim, layout, value.size == 0
    if isinstance(value, np.ndarray):
        return "host", value.dtype.str, value.ndim
    if isinstance(value, dict):
        return tuple((name, _signature(item)) for name, item in sorted(value.items()))
    if isinstance(value, list | tuple):
        return type(value).__name__, tuple(map(_signature, value))
    if isinstance(value, slice):
        return "slice", _signature(value.start), _signature(value.stop), _signature(value.step)
    if isinstance(value, int) and not isinstance(value, bool):
        return type(value).__name__, value < 0
    if isinstance(value, float | complex | np.generic):
        return type(value).__name__
    return repr(value)


def _blank(value: Any) -> Any:
    """A value that holds no array alive."""
    if isinstance(value, strict.ndarray):
        return Blank(value.shape, value.dtype.str, value.strides)
    if isinstance(value, dict):
        return {name: _blank(item) for name, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(_blank, value))
    return value.copy() if isinstance(value, np.ndarray) else value


def _place() -> str:
    """The line of this project that makes the call which is being recorded."""
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        path = Path(frame.f_code.co_filename)
        if ROOT in path.parents and path.name not in ("testing.py", "replay.py"):
            return f"{path.relative_to(ROOT)}:{frame.f_lineno}"
    return "unknown"


# --- on CuPy


def replay(calls: Recorder, cupy: Any) -> list[str]:
    """What CuPy does not know, one line for each call."""
    problems = []
    for call, place in calls:
        problem = _refusal(call, cupy) or _other_loop(call, cupy)
        if problem:
            problems.append(f"{place}: {describe(call)}: {problem}")
    return problems


def _refusal(call: Call, cupy: Any) -> str:
    """CuPy's reason to refuse a call, or an empty string."""
    try:
        arguments, options = fill(call.arguments, cupy), fill(call.options, cupy)
        _callable(call, cupy)(*arguments, **options)
    except cupy.cuda.runtime.CUDARuntimeError:
        return ""
    except ImportError as error:
        return "" if re.search(r"lib(cublas|cusolver|cusparse|nvrtc|nvJitLink)", str(error)) else repr(error)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def fill(value: Any, cupy: Any) -> Any:
    """A value with arrays of CuPy on no memory in place of the blanks."""
    if isinstance(value, Blank):
        nowhere = cupy.cuda.MemoryPointer(cupy.cuda.UnownedMemory(4096, 64, None, 0), 0)
        return cupy.ndarray(value.shape, value.dtype, memptr=nowhere, strides=value.strides)
    if isinstance(value, dict):
        return {name: fill(item, cupy) for name, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(fill(item, cupy) for item in value)
    return value


def _callable(call: Call, cupy: Any) -> Callable[..., Any]:
    """What a call calls when arrays are CuPy's."""
    if call.kind == "ufunc":
        return _dotted(np, call.name)
    if call.kind == "function":
        return _dotted(np, call.name.removeprefix("numpy."))
    if call.kind == "module":
        return _dotted(cupy, call.name)
    if call.kind == "operator":
        return _operator(call.name)
    if call.kind == "method":
        return lambda array, *arguments, **options: getattr(array, call.name)(*arguments, **options)
    assert call.kind == "attribute", call
    return lambda array: getattr(array, call.name)


def _dotted(module: Any, name: str) -> Any:
    return reduce(getattr, name.split("."), module)


def _operator(name: str) -> Callable[..., Any]:
    if name in ("divmod", "truth"):
        return divmod if name == "divmod" else bool
    return getattr(operator, name + "_" * (name in ("and", "or")))


# --- dtypes: without a GPU a ufunc fails before it looks at them


def _other_loop(call: Call, cupy: Any) -> str:
    """Whether CuPy has no loop for a ufunc's dtypes, or one with results of another dtype than NumPy's."""
    ufunc = _ufunc_of(call)
    name = "" if ufunc is None else ufunc.__name__
    types = getattr(getattr(cupy, name, None), "types", None)
    if ufunc is None or not types or call.options.get("dtype") is not None:
        return ""
    inputs = call.arguments[: ufunc.nin]
    found = _loop(types, inputs)
    try:
        expected = ufunc.resolve_dtypes((*map(_operand_dtype, inputs), *[None] * ufunc.nout))[ufunc.nin :]
    except TypeError:
        return ""  # NumPy has no loop either
    if found is None:
        return f"CuPy's {name} has no loop for {[str(_operand_dtype(value)) for value in inputs]}"
    if tuple(map(np.dtype, found)) != expected:
        return f"CuPy's {name} gives {found}, NumPy's {''.join(dtype.char for dtype in expected)}"
    return ""


def _ufunc_of(call: Call) -> np.ufunc | None:
    """The ufunc that a call is one of; None for other calls."""
    if call.kind == "operator":
        table = {**testing.ARITHMETIC, **testing.ORDER, **testing.UNARY, "eq": np.equal, "ne": np.not_equal}
        return table.get(call.name) or table.get(call.name.removeprefix("i"))
    found = getattr(np, call.name, None) if call.kind in ("ufunc", "module") else None
    return found if isinstance(found, np.ufunc) else None


def _operand_dtype(value: Any) -> Any:
    """A dtype, or Python's type where the operand is a number that yields to arrays."""
    if isinstance(value, Blank):
        return np.dtype(value.dtype)
    return type(value) if type(value) in (int, float, complex) else np.asarray(value).dtype


def _loop(types: list[str], inputs: tuple[Any, ...]) -> str | None:
    """The results of the loop that CuPy chooses: the first that takes all operands; numbers yield to arrays."""
    dtypes = [_operand_dtype(value) for value in inputs]
    arrays = [dtype for dtype in dtypes if isinstance(dtype, np.dtype)]
    numbers = [dtype for dtype in dtypes if not isinstance(dtype, np.dtype)]
    weak = arrays and max(map(_category, arrays)) >= max(map(_category, map(np.dtype, numbers)), default=0)
    for loop in types:
        taken, _, results = loop.partition("->")
        if all(_takes(np.dtype(code), dtype, bool(weak)) for code, dtype in zip(taken, dtypes)):
            return results or taken
    return None


def _category(dtype: np.dtype[Any]) -> int:
    return "biufc".index(dtype.kind.replace("u", "i"))


def _takes(loop: np.dtype[Any], operand: Any, weak: bool) -> bool:
    if np.can_cast(np.dtype(operand), loop):
        return True
    return weak and not isinstance(operand, np.dtype) and np.result_type(operand(0), loop) == loop


def describe(call: Call) -> str:
    """A call as one reads it."""

    def show(value: Any) -> str:
        if isinstance(value, Blank):
            return f"{np.dtype(value.dtype).name}{list(value.shape)}"
        if isinstance(value, np.ndarray):
            return f"NumPy {value.dtype}{list(value.shape)}"
        if type(value) in (list, tuple):
            inner = ", ".join(map(show, value))
            return f"[{inner}]" if isinstance(value, list) else f"({inner})"
        return repr(value)

    inside = [*map(show, call.arguments), *(f"{name}={show(value)}" for name, value in call.options.items())]
    return f"{call.kind} {call.name}({', '.join(inside)})"
