"""Checkpointing: less memory for one more forward.

The forward records the graph; at its end the nodes give up what they saved. When a walk first asks for it, the function
runs again with the same random draws, and each operation of that run hands what it saves to the node in its place. So
the graph and the order of all sums are those of a plain run: gradients are equal to the last bit.
"""

from __future__ import annotations

import contextlib
import functools
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import backend
from ..errors import ArgumentError, GraphError
from ..inplace import overwritten_by, tick
from ..modes import modes
from ..nested import leaves_of
from ..node import FREED, Node
from ..observing import set_observers
from ..random import get_rng_state, set_rng_state
from ..tensor import Tensor, wrap

__all__ = ["CheckpointError", "checkpoint", "checkpoint_sequential"]


class CheckpointError(GraphError):
    """The function of a checkpoint did something else when it ran again."""


def _no_contexts() -> tuple[Any, Any]:
    return contextlib.nullcontext(), contextlib.nullcontext()


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], tuple[Any, Any]] = _no_contexts,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """`function(*args, **kwargs)`, which keeps nothing for backward but runs again there.

    Of a network of n layers in segments of √n, memory holds about √n activations instead of n, for one more forward.
    Works under `autograd.grad`, `create_graph` and in another checkpoint, for parameters that the function only knows,
    and for any arguments and results.

    Arguments: function, which must do the same when it runs again; preserve_rng_state (the second run draws the same
    numbers from the default generator); context_fn (gives two context managers, for the first run and the second);
    determinism_check ("default": operations, shapes and dtypes of both runs are compared, "none": operations only).
    use_reentrant changes nothing here: there is this one way. The second run ends with the last operation that was
    recorded; early_stop=False and debug=True raise NotImplementedError. Returns what the function returns. While a
    trace is open, in anomaly mode, and when nothing records, this is a plain call. backward raises CheckpointError (a
    RuntimeError) when the second run differs, GraphError when an argument or a parameter was edited in between. Source:
    Chen et al., 2016, "Training deep nets with sublinear memory cost".

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl.utils.checkpoint import checkpoint
    >>> x = tg.tensor(2.0, requires_grad=True)
    >>> checkpoint(lambda x: x * x * x, x, use_reentrant=False).backward()
    >>> x.grad
    tensor(12.)
    """
    if debug or not early_stop:
        raise NotImplementedError("checkpoint: debug=True and early_stop=False are not there; leave them out")
    if determinism_check not in ("default", "none"):
        raise ArgumentError(f"checkpoint: determinism_check is 'default' or 'none', not {determinism_check!r}")
    first, second = context_fn()
    outer = modes.record
    if isinstance(outer, _Region):  # the first run of a checkpoint around this one, which will run it again
        made = len(outer.nodes)
        with first:
            result = function(*args, **kwargs)
        outer.give_up(made)
        return result
    if outer is not Node and not isinstance(outer, _SecondRun):
        with first:
            return function(*args, **kwargs)
    again = functools.partial(
        function, *map(_as_it_is, args), **{name: _as_it_is(value) for name, value in kwargs.items()}
    )
    region = _Region(again, second, preserve_rng_state, determinism_check == "default")
    try:
        with first, _recording(region):
            return function(*args, **kwargs)
    finally:
        region.end = tick()
        region.give_up()


def checkpoint_sequential(
    functions: Sequence[Callable[[Any], Any]],
    segments: int,
    input: Any,
    use_reentrant: bool | None = None,
    preserve_rng_state: bool = True,
) -> Any:
    """Functions one after the other (a Sequential, or a list) in segments, all but the last one checkpointed.

    Arguments: functions, segments (how many), input of the first, the others as for `checkpoint`. Returns what the last
    one returns. Raises ArgumentError unless 1 <= segments <= len(functions).

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl.utils.checkpoint import checkpoint_sequential
    >>> x = tg.tensor(3.0, requires_grad=True)
    >>> square = lambda x: x * x
    >>> checkpoint_sequential([square, square, square], 3, x, use_reentrant=False).backward()
    >>> x.grad, 8 * 3.0**7
    (tensor(17496.), 17496.0)
    """
    functions = list(functions)
    if not isinstance(segments, int) or not 1 <= segments <= len(functions):
        raise ArgumentError(
            f"checkpoint_sequential: segments is from 1 to the number of functions, {len(functions)}; {segments} came"
        )
    size = len(functions) // segments
    for start in range(0, size * (segments - 1), size):
        part = functools.partial(_in_turn, functions[start : start + size])
        input = checkpoint(part, input, use_reentrant=use_reentrant, preserve_rng_state=preserve_rng_state)
    return _in_turn(functions[size * (segments - 1) :], input)


def _in_turn(functions: Sequence[Callable[[Any], Any]], input: Any) -> Any:
    for function in functions:
        input = function(input)
    return input


# --- what is open around it


class _Surroundings(threading.local):
    """Of this thread: functions that give the contexts which are open, and which a second run opens again."""

    contexts: tuple[Callable[[], Any], ...] = ()


_surroundings = _Surroundings()


@contextlib.contextmanager
def surrounding(*contexts: Callable[[], Any]) -> Iterator[None]:
    """Open contexts, outermost first; the second run of a checkpoint that is called inside is inside of them, too."""
    outer = _surroundings.contexts
    _surroundings.contexts = (*outer, *contexts)
    try:
        with contextlib.ExitStack() as opened:
            for context in contexts:
                opened.enter_context(context())
            yield
    finally:
        _surroundings.contexts = outer


# --- the first run

_GIVEN_UP = type("GivenUp", (), {"__repr__": lambda self: "<given up until backward>"})()
_slot: Any = vars(Node)["saved"]  # where nodes keep what they saved, below the property of the same name


class _Hollow(Node):
    """A node that gave up what it saved; `twin` is the node in its place in the second run, or that one's values."""

    __slots__ = ("__weakref__", "region", "twin")

    region: _Region
    twin: Any

    @property
    def saved(self) -> Any:
        """What the rules ask for; when first asked for, the function runs again."""
        if self.is_empty():
            with self.region.lock:  # another thread may be about it
                if self.is_empty():
                    self.region.run_again()
        return _slot.__get__(self) if self.twin is None else self.twin.saved

    @saved.setter
    def saved(self, value: Any) -> None:
        _slot.__set__(self, value)
        self.twin = None

    @property
    def saved_at(self) -> int:
        """When it saved that."""
        return self.order if self.twin is None else self.twin.saved_at

    def holds_values(self) -> bool:
        """Whether it saved something that a walk has not freed yet."""
        held = _slot.__get__(self)
        return held is not None and held is not FREED

    def is_empty(self) -> bool:
        """Whether what it saved must come from the second run and has not come yet."""
        return self.twin is None and _slot.__get__(self) is _GIVEN_UP


class _Values(NamedTuple):
    """What a node of the second run saved, and when; the node itself may be walked and freed on its own."""

    saved: Any
    saved_at: int


class _Region:
    """The operations of a checkpoint. As `modes.record` it makes hollow nodes."""

    kind = _Hollow
    end: int | None = None  # when the first run was over

    def __init__(self, again: Any, context: Any, preserve_rng_state: bool, compare: bool) -> None:
        self.again, self.context, self.compare = again, context, compare
        self.state = get_rng_state() if preserve_rng_state else None
        self.outer, self.surroundings = modes.record, _surroundings.contexts
        self.start = tick()
        self.lock = threading.RLock()
        self.nodes: list[Any] = []  # weak references: the nodes hold the region
        self.forms: list[tuple[Any, ...]] = []
        self.leaves: dict[Tensor, Any] = {}  # with the arrays that they had
        self.taken: list[list[Tensor]] = []  # which of them each operation took

    def __call__(self) -> _Hollow:
        return self.kind()

    def note(self, node: _Hollow, operation: Any, args: tuple[Any, ...], result: Any) -> None:
        """Called by the engine after it made a node."""
        node.region = self
        self.nodes.append(weakref.ref(node))
        self.forms.append(_form(node, result))
        self.taken.append(_leaves(args))
        self.leaves.update((leaf, leaf.array) for leaf in self.taken[-1])
        if self.outer is not Node:  # this region lies in another one, which runs again
            self.outer.note(node, operation, args, result)

    def give_up(self, first: int = 0) -> None:
        """Let the nodes from the first on forget what they saved."""
        for known in self.nodes[first:]:
            node = known()
            if node is not None and node.holds_values():
                node.saved = _GIVEN_UP

    def run_again(self) -> None:
        """Fill all nodes that are there so far."""
        for tensor in _tensors([*self.again.args, self.again.keywords]):
            _require_intact("an argument", tensor, self.start, tick())
        for leaf, array in self.leaves.items():
            if leaf.array is not array:
                raise GraphError(
                    f"checkpoint: a leaf of shape {tuple(leaf.shape)} got another array (by .data, .to() or a loaded "
                    "state) after the function took it, so it can't run again for backward. Call it again first"
                )
        run = _SecondRun(self)
        try:
            with self.context, surrounding(*self.surroundings), _random_state(self.state), _recording(run):
                self.again()
        except _AllFilled:
            for hollow in [known() for known in self.nodes]:
                if hollow is not None and isinstance(hollow.twin, Node) and not isinstance(hollow.twin, _Hollow):
                    hollow.twin = _Values(hollow.twin.saved, hollow.twin.saved_at)
            if self.end is not None:
                self.again, self.surroundings = None, ()  # what they held may go: nothing is empty now
            return
        raise CheckpointError(
            f"checkpoint: the function recorded {run.total} operations in forward, but only {run.count} when it ran "
            "again for backward; it must do the same each time"
        )


def _tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in leaves_of(tree) if isinstance(leaf, Tensor)]


def _leaves(args: Any) -> list[Tensor]:
    """The leaves among some arguments that get a gradient."""
    return [tensor for tensor in _tensors(args) if tensor.requires_grad and tensor.node is None]


def _as_it_is(value: Any) -> Any:
    """An argument for the second run: an edit in place may give the caller's tensor another node meanwhile.

    A leaf that requires grad can't get one, and stays itself, so that gradients find it.
    """
    if type(value) is not Tensor or (value.requires_grad and value.node is None):
        return value
    return wrap(value.array, value.requires_grad, value.node)


def _form(node: Node, result: Any) -> tuple[Any, ...]:
    """What must be the same in both runs: the operation, and the shapes and dtypes of its results."""
    plan, results = node.plan, result if isinstance(result, tuple) else (result,)
    kept = plan.names or len(node.saved or ())  # a Function's have no names
    return (plan.operation, plan.needs, kept), [(tuple(part.shape), part.dtype) for part in results]


@contextlib.contextmanager
def _recording(recorder: Any) -> Iterator[None]:
    """Let every operation be recorded by this recorder."""
    outer = modes.record, modes.recorder, modes.inference
    modes.record, modes.recorder, modes.inference = recorder, recorder, False
    try:
        yield
    finally:
        modes.record, modes.recorder, modes.inference = outer
        if modes.recorder is Node:  # anomaly mode or a trace may have been switched on inside
            set_observers(modes.observers)


@contextlib.contextmanager
def _random_state(state: Any) -> Iterator[None]:
    """Let the default generator draw from a state on (None: as it stands), and go on afterwards as if nobody had."""
    if state is None:
        yield
        return
    outer = get_rng_state()
    set_rng_state(state)
    try:
        yield
    finally:
        set_rng_state(outer)


# --- the second run


class _AllFilled(BaseException):
    """Ends the second run; no Exception, so that the function does not catch it."""


class _SecondRun:
    """As `modes.record` it makes plain nodes and gives each to the hollow node in its place."""

    kind = Node

    def __init__(self, region: _Region) -> None:
        self.region, self.count, self.total = region, 0, len(region.nodes)
        self.start = tick()

    def __call__(self) -> Node:
        return self.kind()

    def note(self, node: Node, operation: Any, args: tuple[Any, ...], result: Any) -> None:
        """Called by the engine after it made a node."""
        region, place = self.region, self.count
        (before, shapes), (now, shapes_now) = region.forms[place], _form(node, result)
        if before != now or (region.compare and shapes != shapes_now):
            raise CheckpointError(
                f"checkpoint: operation {place} of the function was {before[0].name} with {shapes} in forward, but is "
                f"{now[0].name} with {shapes_now} when it runs again for backward; it must do the same each time"
            )
        if region.end is not None:
            for tensor in _tensors(args):
                _require_intact(f"what {operation.name} takes", tensor, region.end, self.start)
        self.require_leaves(operation.name, region.taken[place], _leaves(args))
        hollow = region.nodes[place]()
        if hollow is not None and hollow.is_empty():
            hollow.twin = node
        self.count += 1
        if self.count == self.total:
            raise _AllFilled

    def require_leaves(self, name: str, taken: list[Tensor], now: list[Tensor]) -> None:
        """Raise when an operation takes other leaves than in the first run: a parameter was replaced, say.

        A leaf that the function makes is another one each time, with the same values unless it was edited since.
        """
        same = len(taken) == len(now) and all(
            new is old or overwritten_by(old.array, self.region.start) or _equal(new.array, old.array)
            for new, old in zip(now, taken)
        )
        if not same:
            raise CheckpointError(
                f"checkpoint: {name} takes another leaf or parameter when the function runs again for backward than it "
                "took in forward; call backward before you replace a parameter"
            )


def _equal(first: Any, second: Any) -> bool:
    return np.array_equal(backend.to_numpy(first), backend.to_numpy(second), equal_nan=True)


def _require_intact(what: str, tensor: Tensor, since: int, before: int) -> None:
    """Raise when a tensor was overwritten between the two runs."""
    writer = overwritten_by(tensor.array, since, before)
    if writer is not None:
        raise GraphError(
            f"checkpoint: {what} (shape {tuple(tensor.shape)}) was overwritten by {writer} after the function took it, "
            "so it can't run again for backward. Call backward before the edit, or edit a copy: tensor.clone()"
        )
