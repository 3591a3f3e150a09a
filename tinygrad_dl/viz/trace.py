"""The trace: while it is open, nodes keep what a picture of backprop needs and plain nodes drop.

That is the value of each operation, its arguments, the gradient that arrives in backward, the caller's variable names
and source line, and the modules that were running. All of it lives on the node and dies with the graph.
"""

import ast
import bisect
import dis
import functools
import threading
import weakref
from collections.abc import Iterator, Mapping
from types import CodeType, FrameType, TracebackType
from typing import Any

import numpy as np

from .. import backend
from ..modes import modes
from ..nn.hooks import everywhere
from ..node import Node
from ..observing import ObservedNode, Place, call_user, ignore, is_library, observe
from ..registry import Hook, add
from ..tensor import Tensor, wrap

# --- switching it on and off


class _State(threading.local):
    """What this thread traces."""

    def __init__(self) -> None:
        self.depth = 0  # how many traces are open; `trace(True)` counts as one
        self.always = False
        self.outer: Any = None  # the modules that were running before the first one
        self.open: list[Trace] = []
        self.names = Names()


class Trace:
    """What was recorded while it was open: `with viz.trace() as t: ...`. `t.nodes` are its operations in order."""

    def __init__(self) -> None:
        self.nodes: list[ObservedNode] = []

    def __enter__(self) -> "Trace":
        _open()
        _state.open.append(self)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        _state.open.remove(self)
        _close()

    def __len__(self) -> int:
        return len(self.nodes)

    @property
    def roots(self) -> list[ObservedNode]:
        """The operations whose results no other operation of this trace used."""
        used = {id(parent) for node in self.nodes for parent in parents_of(node)}
        used |= {id(parent.parent) for node in self.nodes for parent in parents_of(node) if is_slot(parent)}
        return [node for node in self.nodes if id(node) not in used]

    def __repr__(self) -> str:
        return f"<trace of {len(self.nodes)} operation(s)>"


def trace(enabled: bool | None = None) -> Trace | None:
    """Record what pictures need: `with viz.trace() as t:` for a block, `viz.trace(True)` from here on in this thread.

    Graphs made meanwhile keep values, gradients, names and source lines for `viz.graph` and `viz.explain`. Arguments:
    enabled (True or False switches at once; nothing gives a context manager). Traces may be nested. The environment
    variable TINYGRAD_DL_TRACE=1 switches it on for an unchanged script.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import viz
    >>> a = tg.tensor(2.0, requires_grad=True)
    >>> with viz.trace() as t:
    ...     J = a * a + 1
    >>> t, [node.record.operation.name for node in t.nodes]
    (<trace of 2 operation(s)>, ['mul', 'add'])
    """
    if enabled is None:
        return Trace()
    if enabled != _state.always:
        _state.always = bool(enabled)
        if enabled:
            _open()
        else:
            _close()
    return None


def _open() -> None:
    if _state.depth == 0:
        _state.outer = modes.modules
        _state.names = Names()
        observe(_note, first=True)
        if modes.modules is None:
            modes.modules = []
        _state.watch = add(everywhere, Hook("trace", _open))  # modules look at `modes.modules` only if there are hooks
    _state.depth += 1


def _close() -> None:
    _state.depth -= 1
    if _state.depth == 0:
        modes.modules = _state.outer
        ignore(_note)
        _state.watch.remove()
        _state.names = Names()


def name_tensors(names: Mapping[str, Tensor]) -> None:
    """Give tensors their names while a trace is open, where no variable of the caller's holds them."""
    for name, tensor in names.items():
        _state.names.put(tensor, name)


# --- what a node keeps


class Record:
    """What a traced node knows beside its plan: see the fields."""

    __slots__ = (
        "arguments",
        "arrays",
        "call",
        "gradient",
        "line",
        "modules",
        "name",
        "names",
        "operation",
        "saved",
        "value",
    )

    def __init__(self, operation: Any, arguments: tuple[Any, ...], saved: Any, value: Any) -> None:
        self.operation = operation
        self.arguments = arguments  # all of them by position: tensors, numbers, options
        self.saved = saved  # what the rules ask for; the node itself gives it up in backward
        self.value = value  # an array, or a tuple of arrays
        self.arrays = [_kept(argument) for argument in arguments]
        self.gradient: Any = None  # of the value, once backward has passed
        self.name: str | None = None  # the variable that the value was assigned to
        self.names: dict[int, str] = {}  # of arguments that no traced operation made, by identity
        self.line: Place | None = None
        self.call: Any = None  # the call in the user's code that this operation belongs to
        self.modules: tuple[tuple[str, str], ...] = ()  # (path, type) of the modules that ran, outermost first

    def keep_gradient(self, g: Any) -> None:
        """What the walk calls with the gradient that arrives."""
        self.gradient = tuple(map(_array_of, g)) if isinstance(g, tuple) else _array_of(g)


def _array_of(value: Any) -> Any:
    if isinstance(value, np.generic):  # what NumPy's functions make of 0-d arrays
        return backend.scalar_array(value)
    return value.array if isinstance(value, Tensor) else value


def _kept(argument: Any) -> Any:
    """An argument's value as it is now: an optimizer or an edit in place will write into the tensor."""
    if isinstance(argument, list | tuple) and any(isinstance(part, Tensor) for part in argument):
        return [_kept(part) for part in argument]
    if isinstance(argument, Tensor):
        record = getattr(argument.node, "record", None)
        return argument.array.copy() if record is None or isinstance(record.value, tuple) else record.value
    return argument


def _copied(saved: Any) -> Any:
    """What a node saved, out of reach of later edits."""
    if isinstance(saved, list | tuple):
        return type(saved)([_copied(part) for part in saved])
    return saved.copy() if backend.is_array(saved) else saved


def _as_of_now(argument: Any, names: dict[int, str]) -> Any:
    """An argument that keeps its node: an edit in place will give the tensor another one."""
    if isinstance(argument, list | tuple) and any(isinstance(part, Tensor) for part in argument):
        return [_as_of_now(part, names) for part in argument]
    if not isinstance(argument, Tensor) or argument.node is None:
        return argument
    kept = wrap(argument.array, True, argument.node)
    if id(argument) in names:
        names[id(kept)] = names[id(argument)]
    return kept


def _note(node: ObservedNode, operation: Any, args: tuple[Any, ...], result: Any, frame: FrameType | None) -> None:
    """What the trace keeps of an operation that was just recorded."""
    value = tuple([part.array.copy() for part in result]) if isinstance(result, tuple) else result.array.copy()
    node.record = record = Record(operation, args, _copied(node.saved), value)
    node.watch("trace", record.keep_gradient)
    for open_trace in _state.open:
        open_trace.nodes.append(node)
    record.line = node.call
    _note_source(record, frame)
    record.arguments = tuple([_as_of_now(argument, record.names) for argument in args])


def parents_of(node: Node) -> tuple[Any, ...]:
    """The nodes and leaves that a node came from, in their order."""
    return node.parents


def is_slot(parent: Any) -> bool:
    """Whether a parent is one of several outputs of another node."""
    return isinstance(parent, Node) and parent.plan is None


def record_of(tensor: Any) -> Record | None:
    """The record of the operation that made a tensor, if it was traced."""
    node: Any = getattr(tensor, "node", None)
    return getattr(node.parent if is_slot(node) else node, "record", None)


# --- where in the user's code


def _note_source(record: Record, frame: FrameType | None) -> None:
    record.modules = _state.names.of_modules(frame)
    if frame is not None:
        record.call = (id(frame), frame.f_lasti)
    for argument in record.arguments:
        for tensor in argument if isinstance(argument, list | tuple) else (argument,):
            if isinstance(tensor, Tensor):
                _note_argument(record, tensor, frame)
    node = _syntax(frame)
    if frame is not None:
        record.name = stored_name(frame) if node is None else assigned_name(node, frame)
    if isinstance(node, ast.BinOp) and len(record.arguments) == 2:
        for operand, argument in zip((node.left, node.right), record.arguments, strict=True):
            if isinstance(argument, Tensor) and record_of(argument) is None and id(argument) not in record.names:
                record.names[id(argument)] = _written(operand)


def _note_argument(record: Record, tensor: Tensor, frame: FrameType | None) -> None:
    maker = record_of(tensor)
    if maker is None:
        name = _state.names.of_tensor(tensor, frame)
        if name is not None:
            record.names[id(tensor)] = name
        return
    held = None if frame is None else held_name(tensor, frame)
    if maker.name is None and not isinstance(maker.value, tuple):  # else it is one output's name
        maker.name = held
    elif held is None and maker.call == record.call:  # an inner step of the call whose result gets that name
        maker.name = None


# --- names


_parsing = threading.Lock()  # Python 3.11 can't build two syntax trees at a time: it mixes up their depths


@functools.cache
def _executing() -> Any:
    try:
        import executing
    except ImportError:
        return None
    return executing


def _syntax(frame: FrameType | None) -> Any:
    """The expression of the source that a frame is evaluating; None when it can't be known."""
    executing = _executing()
    if executing is None or frame is None:
        return None
    with _parsing:
        return executing.Source.executing(frame).node


def _written(expression: ast.expr) -> str:
    """A constant that was computed on the spot, as the source writes it: (1 − y)."""
    text = ast.unparse(expression).replace(" - ", " − ").replace(" * ", "·").replace(" / ", "/")
    return f"({text})" if isinstance(expression, ast.BinOp | ast.UnaryOp) else text


def assigned_name(node: Any, frame: FrameType) -> str | None:
    """The variable that the value of a running expression will be assigned to; None when it is not."""
    parent = getattr(node, "parent", None)
    if isinstance(node, ast.AugAssign):
        return _target_name(node.target, frame)
    if isinstance(parent, ast.Assign) and parent.value is node and len(parent.targets) == 1:
        return _target_name(parent.targets[0], frame)
    if isinstance(parent, ast.AnnAssign | ast.NamedExpr) and parent.value is node:
        return _target_name(parent.target, frame)
    if isinstance(parent, ast.Tuple):
        statement = getattr(parent, "parent", None)
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Tuple):
            targets = statement.targets[0].elts
            if len(targets) == len(parent.elts):
                return _target_name(targets[parent.elts.index(node)], frame)
    return None


def stored_name(frame: FrameType) -> str | None:
    """The same from the bytecode, where there is no source, or no package to read it: variables only."""
    places, instructions = _instructions(frame.f_code)
    following = bisect.bisect_right(places, frame.f_lasti)
    if following == len(places) or not instructions[following].opname.startswith(_STORES):
        return None
    name = instructions[following].argval
    return name[0] if isinstance(name, tuple) else name  # two instructions in one, from Python 3.13 on


_STORES = ("STORE_FAST", "STORE_NAME", "STORE_DEREF", "STORE_GLOBAL")


@functools.lru_cache(maxsize=256)
def _instructions(code: CodeType) -> tuple[list[int], list[dis.Instruction]]:
    """The instructions of some code and where each begins."""
    instructions = list(dis.get_instructions(code))
    return [instruction.offset for instruction in instructions], instructions


def _target_name(target: ast.expr, frame: FrameType) -> str | None:
    """`z`, `self.z` as z, and `Z[l]` with the value that l has, as the notes write it: Z[1]."""
    if isinstance(target, ast.Name):
        return target.id
    if isinstance(target, ast.Attribute):
        return target.attr
    if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
        key = target.slice
        if isinstance(key, ast.Constant):
            return _item_name(target.value.id, key.value)
        if isinstance(key, ast.Name):
            value = {**frame.f_globals, **frame.f_locals}.get(key.id)
            return _item_name(target.value.id, value) if isinstance(value, int | str) else None
    return None


def _item_name(container: str, key: Any) -> str:
    return str(key) if isinstance(key, str) else f"{container}[{key}]"


def held_name(tensor: Tensor, frame: FrameType) -> str | None:
    """The name under which a frame's variables hold a tensor: itself, in a list or dict, or as an attribute of self."""
    for variables in _variables(frame):
        for name, value in variables:
            if value is tensor:
                return name
    for variables in _variables(frame):
        for name, value in variables:
            for key, held in _items(value):
                if held is tensor:
                    return _item_name(name, key)
    for attribute, held in getattr(frame.f_locals.get("self"), "__dict__", {}).items():
        if held is tensor:
            return attribute
    return None


def _variables(frame: FrameType) -> Iterator[list[tuple[str, Any]]]:
    """The variables that a frame sees: its own, then those of its module."""
    yield [item for item in frame.f_locals.items() if _is_telling(item[0])]
    if frame.f_globals is not frame.f_locals:
        yield [item for item in frame.f_globals.items() if _is_telling(item[0])]


def _is_telling(name: str) -> bool:
    return not name.startswith("_") and name not in ("self", "In", "Out")


def _variable_of(module: Any, frame: FrameType | None) -> str | None:
    """The variable of a caller that holds a module; within its own forward it is only `self`."""
    while frame is not None and frame.f_code is not call_user.__code__:
        for variables in () if is_library(frame) else _variables(frame):
            for name, value in variables:
                if value is module:
                    return name
        frame = frame.f_back
    return None


def _items(value: Any) -> Iterator[tuple[Any, Any]]:
    if type(value) in (list, tuple, dict) and len(value) <= 1000:
        yield from value.items() if isinstance(value, dict) else enumerate(value)


class Names:
    """The names of tensors and modules that have been found, for as long as these live."""

    def __init__(self) -> None:
        self._found: dict[int, tuple[Any, str]] = {}

    def _get(self, thing: Any) -> str | None:
        reference, name = self._found.get(id(thing), (None, ""))
        return name if reference is not None and reference() is thing else None

    def put(self, thing: Any, name: str) -> None:
        """Remember the name of a tensor or a module."""
        forget, key = self._found.pop, id(thing)
        self._found[key] = (weakref.ref(thing, lambda _: forget(key, None)), name)

    def of_tensor(self, tensor: Tensor, frame: FrameType | None) -> str | None:
        """The name of a leaf or a constant: of a parameter its module's, else that of the outermost variable.

        A function's parameter is followed to its caller, since `layer(X, W1)` says more than the `w` inside.
        """
        name = self._get(tensor) or (None if frame is None else held_name(tensor, frame))
        while name is not None and frame is not None and name in frame.f_code.co_varnames[: frame.f_code.co_argcount]:
            frame = frame.f_back
            outer = None if frame is None or is_library(frame) else held_name(tensor, frame)
            if outer is None or (not outer.isidentifier() and not outer.lower().startswith(name.lower())):
                break  # the list that the arguments came in says less
            name = outer
        if name is not None:
            self.put(tensor, name)
        return name

    def of_modules(self, frame: FrameType | None) -> tuple[tuple[str, str], ...]:
        """(path, type) of the modules that are running, outermost first; names the outermost's parameters."""
        running = modes.modules or ()
        if not running:
            return ()
        root = running[0]
        if self._get(root) is None:
            self.add_module(root, _variable_of(root, frame) or type(root).__name__)
        if any(self._get(module) is None for module in running):
            self.add_module(root, self._get(root) or type(root).__name__)
        return tuple([(self._get(module) or type(module).__name__, type(module).__name__) for module in running])

    def add_module(self, root: Any, name: str) -> None:
        """Name a module, all below it, and its parameters by their paths."""
        for path, module in root.named_modules():
            self.put(module, join(name, path))
        for path, parameter in root.named_parameters():
            self.put(parameter, join(name, path))


def join(root: str, path: str) -> str:
    """A path as Python would reach it: model, "0.weight" gives model[0].weight."""
    for part in path.split(".") if path else ():
        root += f"[{part}]" if part.isdigit() else f".{part}"
    return root


_state = _State()
