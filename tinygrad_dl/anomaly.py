"""Anomaly mode: the first NaN or infinity stops the program and says where it comes from, forward included.

The rule. In the forward, a recorded result that holds a NaN raises, and one that holds an infinity does unless an input
held one: masks of -inf are usual, so fills, scalars and tensors may bring infinities in. In backward, what a rule gives
is looked at in the same way; what came in are the gradient that arrived and the values that the forward saved. What is
not recorded (no input requires grad, or `no_grad`) is not looked at, but a NaN that comes from there into a recorded
operation is named as that input's. Backward also compares a checksum of every saved array with the forward's.
"""

import contextlib
import threading
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator
from types import FrameType, TracebackType
from typing import Any, NamedTuple

import numpy as np

from . import backend
from .errors import AnomalyError, ArgumentTypeError, GraphError
from .explain import describe
from .modes import modes, unchecked
from .node import Node
from .observing import ObservedNode, Place, ignore, observe
from .operation import Operation
from .ops.reduction import unbroadcast
from .tensor import Tensor

# --- switching it on and off


class _State(threading.local):
    """What this thread looks for."""

    enabled = False
    check_nan = True
    deriving: "Derivation | None" = None  # in a recorded walk: the operation whose rules are running


_state = _State()


def _switch(mode: bool, check_nan: bool) -> None:
    for name, value in (("mode", mode), ("check_nan", check_nan)):
        if not isinstance(value, bool):
            raise ArgumentTypeError(f"set_detect_anomaly: {name} is True or False, not {value!r}")
    if mode and not _state.enabled:
        observe(_look, first=False)
    elif _state.enabled and not mode:
        ignore(_look)
    modes.checking = _checking if mode else unchecked
    _state.enabled, _state.check_nan = mode, check_nan


class set_detect_anomaly:
    """Switch anomaly mode of this thread on or off, at once or for a `with` block; see `detect_anomaly`.

    Arguments: mode (bool), check_nan (False: no values are looked at, but errors name the line of the forward, and
    checksums are compared).

    >>> import tinygrad_dl as tg
    >>> with tg.autograd.set_detect_anomaly(True):
    ...     print(tg.is_anomaly_enabled())
    True
    >>> tg.is_anomaly_enabled()
    False
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._before = (_state.enabled, _state.check_nan)
        _switch(mode, check_nan)

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        _switch(*self._before)


class detect_anomaly(set_detect_anomaly):
    """Raise at the first NaN or infinity, in the forward or in backward, and say where it comes from.

    Raises AnomalyError at the first recorded result that holds a NaN, or an infinity that no input held (fills and
    scalars are inputs: a mask of -inf is no anomaly, 1/0 is), and in backward at the first rule that gives one. The
    error names the operation, what came in, the value, its index, and the line that called the operation. GraphError
    for a saved value that something else has written to, such as NumPy through `tensor.numpy()`. Other errors of
    backward say where the forward was.

    Arguments: check_nan (False looks at no values). It is slow, hence the warning. Only what is recorded is looked at;
    a NaN from outside is named as the input that brought it. The mode is this thread's.

    >>> import tinygrad_dl as tg
    >>> x = tg.tensor([1.0, 0.0], requires_grad=True)
    >>> try:
    ...     with tg.autograd.set_detect_anomaly(True):
    ...         y = 1 / x
    ... except tg.AnomalyError as error:
    ...     print(error)
    reciprocal: the result (float32 of shape (2,)) holds inf at index (1,), and no input held an infinity
        input: float32 of shape (2,), a leaf, there 0
        called at <doctest ...>, line 3, in <module>: y = 1 / x
    """

    def __init__(self, check_nan: bool = True) -> None:
        self._before = (_state.enabled, _state.check_nan)
        self._check_nan = check_nan
        warnings.warn("anomaly mode looks at every value, which is slow: use it to find an error", stacklevel=2)

    def __enter__(self) -> None:
        _switch(True, self._check_nan)


def is_anomaly_enabled() -> bool:
    """Whether this thread is in anomaly mode.

    >>> import tinygrad_dl as tg
    >>> tg.is_anomaly_enabled()
    False
    """
    return _state.enabled


def is_anomaly_check_nan_enabled() -> bool:
    """Whether anomaly mode looks at values when it is on.

    >>> import tinygrad_dl as tg
    >>> tg.is_anomaly_check_nan_enabled()
    True
    """
    return _state.check_nan


# --- the forward


class Derivation(NamedTuple):
    """An operation whose rules ran when another was recorded, in a walk that is recorded itself."""

    operation: str
    call: Place | None


def _look(node: ObservedNode, operation: Any, args: tuple[Any, ...], result: Any, frame: FrameType | None) -> None:
    """Look at a result that was just recorded."""
    node.checksums = [_checksum(value) for _, value in _saved(node)]
    node.deriving = _state.deriving
    if not _state.check_nan or _state.deriving is not None:  # of a rule what it gives is looked at, not its steps
        return
    came = _members(zip(operation.parameters, args))
    several = isinstance(result, tuple)
    for i, part in enumerate(result if several else (result,)):
        what = f"{operation.name.strip('_')}: {f'result {i}' if several else 'the result'}"
        _require_sound(what, part, operation, came, "no input held", f"called at {node.call}")


def _members(came: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Names and values of what came in, with lists of arrays taken apart."""
    found: list[tuple[str, Any]] = []
    for name, value in came:
        if isinstance(value, list | tuple):
            found += [(f"{name}[{i}]", part) for i, part in enumerate(value) if _is_array(_array(part))]
        else:
            found.append((name, value))
    return found


def _saved(node: Any) -> list[tuple[str, Any]]:
    """The names and values of what a node saved."""
    plan, saved = node.plan, node.saved
    saved = saved if plan.listed is None else saved[0]
    if saved is not None and not plan.names:  # an autograd.Function's tensors
        return [(f"tensor {i}", array) for i, array in enumerate(saved) if array is not None]
    return list(zip(plan.names, plan.saved_values(saved)))


# --- backward


def _checking(contributions: Callable[..., Any]) -> Callable[..., Any]:
    """What a walk calls in place of `contributions`, which gives each parent of a node and what it gets."""

    def watched(node: Node, g: Any, recorded: bool, useful: Any) -> Any:
        if _state.deriving is not None:  # the walk of a twin: a step of a rule
            return contributions(node, g, recorded, useful)
        _require_untouched(node)
        with _telling_where(node):
            with _deriving(node, recorded):
                pairs = [(parent, rule(g, None)) for parent, rule in contributions(node, g, recorded, useful)]
                parts = [(parent, _fitting(part, parent)) for parent, part in pairs if part is not None]
            if _state.check_nan:
                _look_at_parts(node, g, parts)
        return [(parent, lambda g, saved, part=part: part) for parent, part in parts]

    return watched


def _fitting(part: Any, parent: Any) -> Any:
    shape = parent.shape if isinstance(parent, Node) else parent.array.shape
    return part if part.shape == shape else unbroadcast(part, shape)


def _look_at_parts(node: Node, g: Any, parts: list[tuple[Any, Any]]) -> None:
    """Look at the gradient that arrived at a node and at those that its rules gave."""
    operation = node.plan.operation
    gradient = [_array(part) for part in g] if isinstance(g, list | tuple) else _array(g)
    arrived = _members([("the gradient that arrived", gradient)])
    if any(_holds(np.isnan, part) for _, part in arrived):
        raise AnomalyError(
            f"backward: the gradient that arrived at {operation.name} holds nan, which no rule gave: it was passed to "
            f"backward, or is a sum of infinities\n    {_what_came(arrived, np.isnan)}\n    {_where(node)}"
        )
    came = arrived + _members(_saved(node))
    neither = "neither the gradient that arrived nor a saved value held"
    names = iter(_input_names(node))
    for parent, part in parts:
        name = next(name for name, owner in names if owner is parent)
        what = f"backward: the gradient of {operation.name} for its {name!r}"
        _require_sound(what, part, operation, came, neither, _where(node))


def look_at_hook(hook: Any, before: Iterable[Any], after: Any) -> None:
    """Look at the gradients that a hook gave in place of others."""
    if not (_state.enabled and _state.check_nan):
        return
    came = _members([("gradient", [_array(part) for part in before])])
    code = getattr(hook, "__code__", None)
    where = f"defined at {Place(code.co_filename, code.co_firstlineno, code.co_name)}" if code is not None else ""
    name = getattr(hook, "__name__", type(hook).__name__)
    for part in after if isinstance(after, tuple | list) else (after,):
        if _is_array(_array(part)):
            _require_sound(f"hook {name}: the gradient that it gave", part, None, came, "none that came in held", where)


def _input_names(node: Node) -> list[tuple[str, Any]]:
    """The name of the argument that each parent of a node was, in their order."""
    plan, parents = node.plan, node.parents
    names = [name for name in plan.needs if name != plan.listed]
    if plan.listed is not None:
        names += [f"{plan.listed}[{i}]" for i, needed in enumerate(node.saved[1]) if needed]
    return list(zip(names, parents))


@contextlib.contextmanager
def _deriving(node: Any, recorded: bool) -> Iterator[None]:
    if recorded:
        _state.deriving = Derivation(node.plan.operation.name, getattr(node, "call", None))
    try:
        yield
    finally:
        _state.deriving = None


@contextlib.contextmanager
def _telling_where(node: Any) -> Iterator[None]:
    """An error in a rule also says where the forward was."""
    try:
        yield
    except AnomalyError:
        raise
    except Exception as error:
        error.add_note(f"{node.plan.operation.name}: {_where(node)}")
        raise


def _where(node: Any) -> str:
    call = getattr(node, "call", None)
    if call is None:
        return "recorded outside anomaly mode; switch it on before the forward to see the line"
    deriving = getattr(node, "deriving", None)
    inner = "" if deriving is None else f"\n    in the derivative of {deriving.operation}, called at {deriving.call}"
    return f"recorded at {call}{inner}"


# --- saved values that something else has written to


def _checksum(value: Any) -> Any:
    """A checksum of an array, or a list of them; None for what can't be written to."""
    if isinstance(value, list | tuple):
        return [_checksum(part) for part in value]
    return zlib.crc32(backend.to_numpy(value).tobytes()) if backend.is_array(value) else None


def _require_untouched(node: Any) -> None:
    for (name, value), before in zip(_saved(node), getattr(node, "checksums", ())):
        if _checksum(value) != before:
            raise GraphError(
                f"backward: {node.plan.operation.name} saved its {name!r} ({describe(value)}) for its derivative, and "
                "something that is not tinygrad_dl has written to that memory since, such as NumPy through "
                "tensor.numpy(). Call backward before that, or let it write to a copy: tensor.clone()\n"
                f"    {_where(node)}"
            )


# --- looking at values

_KINDS = ((np.isnan, "a NaN"), (np.isinf, "an infinity"))


def _require_sound(
    what: str, result: Any, operation: Any, came: list[tuple[str, Any]], neither: str, where: str
) -> None:
    """Raise when a result holds a NaN, or an infinity that nothing held that came in."""
    array = _array(result)
    if array.dtype.kind != "f" or bool(np.isfinite(array).all()):
        return
    find, kind = next((find, kind) for find, kind in _KINDS if _holds(find, array))
    bringing = [name for name, value in came if _holds(find, value)]
    if bringing and find is np.isinf:
        return
    at = _first(find, array)
    why = f"which came in with {' and '.join(bringing)}" if bringing else f"and {neither} {kind}"
    elementwise = isinstance(operation, Operation) and operation.function is not None
    lines = _what_came(came, find, array.shape, at if elementwise else None)
    raise AnomalyError(
        f"{what} ({describe(array)}) holds {array[at].item()}{_index(at)}, {why}\n    {lines}\n    {where}"
    )


def _what_came(
    came: list[tuple[str, Any]], find: Any, shape: tuple[int, ...] = (), at: tuple[int, ...] | None = None
) -> str:
    """What came in, an argument a line: its shape, its value at the place in question, and where it is unsound."""
    lines = []
    for name, value in came:
        array = _array(value)
        if not (_is_array(array) or isinstance(value, int | float)):
            continue
        line = f"{name}: {describe(array)}"
        if isinstance(value, Tensor) and value.node is None:
            line += ", a leaf" if value.requires_grad else ", outside the graph"
        if at is not None and _is_array(array) and _broadcasts(array.shape, shape):
            here = tuple([0 if n == 1 else i for n, i in zip(array.shape, at[len(at) - array.ndim :])])
            line += f", there {array[here].item():.6g}"
        kind = next((kind for kind in (find, np.isinf) if _is_array(array) and _holds(kind, array)), None)
        if kind is not None:
            first = _first(kind, array)
            line += f", holds {array[first].item()}{_index(first)}"
        lines.append(line)
    return "\n    ".join(lines)


def _broadcasts(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    return len(shape) <= len(target) and all(a in (1, b) for a, b in zip(shape[::-1], target[::-1]))


def _index(at: tuple[int, ...]) -> str:
    return f" at index {at}" if at else ""


def _holds(find: Any, value: Any) -> bool:
    """Whether a tensor, an array or a number holds a NaN or an infinity."""
    array = _array(value)
    if _is_array(array):
        return array.dtype.kind == "f" and bool(find(array).any())
    return type(value) is float and bool(find(value))


def _first(find: Any, array: Any) -> tuple[int, ...]:
    """The index of the first NaN or infinity."""
    at = int(find(array).reshape(-1).argmax())
    return tuple([int(i) for i in np.unravel_index(at, array.shape)])


def _array(value: Any) -> Any:
    return value.array if isinstance(value, Tensor) else value


def _is_array(value: Any) -> bool:
    return isinstance(value, np.generic) or backend.is_array(value)
