"""`autograd.Function`: an operation whose forward and backward the user writes on Tensors."""

import functools
import inspect
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from numpy import generic

from . import backend
from .dtypes import FLOATING
from .errors import ArgumentTypeError, DeviceError, GraphError, ShapeError
from .explain import freed
from .inplace import edits, overwritten_by, stamp
from .modes import modes, no_grad
from .node import FREED, Node, Slot, make_node
from .operation import to
from .ops.editing import rebase
from .tensor import Tensor, wrap
from .views import require_editable, root_of, track

__all__ = ["Function", "FunctionCtx", "once_differentiable"]

# --- what a forward tells its backward


class FunctionCtx:
    """What one call of a Function keeps from forward to backward: saved tensors, and any attribute that is set on it.

    `needs_input_grad` says for each argument of the call whether it needs a gradient. Tensors belong into
    `save_for_backward`: as an attribute, an output would refer to itself, and an edit would not be noticed.
    """

    __slots__ = (
        "__dict__",
        "_dirty",
        "_node",
        "_non_differentiable",
        "_read",
        "_to_save",
        "materialize_grads",
        "needs_input_grad",
    )

    def __init__(self, needs_input_grad: tuple[bool, ...] = ()) -> None:
        self.needs_input_grad = needs_input_grad
        self.materialize_grads = True
        self._to_save: tuple[Any, ...] = ()
        self._dirty: tuple[Tensor, ...] = ()
        self._non_differentiable: tuple[Tensor, ...] = ()
        self._node: Any = None  # a weak reference: the node refers to this
        self._read = False

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep inputs, outputs or other tensors for backward, which reads them as `ctx.saved_tensors`.

        Inputs and outputs have their history there, so that backward can be differentiated again; others are
        constants. Raises ArgumentTypeError for what is neither a Tensor nor None.
        """
        self._to_save = _all_tensors("save_for_backward", tensors, "set anything else as an attribute of ctx", None)

    def save_for_forward(self, *tensors: Tensor | None) -> None:
        """What `jvp` would read: accepted and not kept, since there is no forward mode that could call it."""
        _all_tensors("save_for_forward", tensors, "set anything else as an attribute of ctx", None)

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Say that these outputs don't require grad; backward still gets a gradient for each, of zeros."""
        self._non_differentiable = _all_tensors("mark_non_differentiable", tensors, "only outputs can be marked")

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Say that forward has edited these inputs in place; it must return each of them."""
        self._dirty = _all_tensors("mark_dirty", tensors, "only inputs can be marked")

    def set_materialize_grads(self, value: bool) -> None:
        """Whether backward gets zeros (as usual) or None for an output that led to no gradient."""
        if not isinstance(value, bool):
            raise ArgumentTypeError(f"set_materialize_grads: value is True or False, not {value!r}")
        self.materialize_grads = value

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """What `save_for_backward` kept, with its history; empty while forward runs.

        Raises GraphError for a tensor that was edited in place since, and when backward has freed them.
        """
        if self._node is None:
            return ()
        node = self._node()
        if node is None:
            raise GraphError("saved_tensors: the graph that this ctx belongs to no longer exists")
        if self._read:
            raise GraphError(
                f"{node.plan.operation.name}: saved_tensors can be read once with clear_saved_tensors_on_access = True;"
                " keep the tuple in a variable, or leave that attribute at False"
            )
        if node.saved is FREED:
            raise freed(node)
        opened = tuple(
            [
                None if array is None else _opened(node, i, array, origin)
                for i, (array, origin) in enumerate(zip(node.saved or (), node.plan.origins, strict=True))
            ]
        )
        if node.plan.operation.function.clear_saved_tensors_on_access:
            node.saved, self._read = FREED, True
        return opened


def _all_tensors(method: str, tensors: tuple[Any, ...], advice: str, *others: Any) -> tuple[Any, ...]:
    for i, tensor in enumerate(tensors):
        if not isinstance(tensor, Tensor) and tensor not in others:
            raise ArgumentTypeError(f"{method}: argument {i} is no Tensor but {type(tensor).__name__}; {advice}")
    return tensors


def _opened(node: Any, i: int, array: Any, origin: Any) -> Tensor:
    """A saved array as a tensor with its history: a node or leaf, the number of an output, or None."""
    name = node.plan.operation.name
    writer = overwritten_by(array, node.saved_at) if node.saved_at < edits.last else None
    if writer is not None:
        raise GraphError(
            f"backward: {name} saved tensor {i} (shape {tuple(array.shape)}) for its derivative, but {writer} has "
            "overwritten it since. Call backward before the edit, or edit a copy: tensor.clone()"
        )
    if origin is None:
        return wrap(array)
    if isinstance(origin, int):
        return wrap(array, True, node.plan.edge(node, origin))
    if isinstance(origin, Node):
        return wrap(array, True, origin)
    if origin.array is array:
        return origin
    if modes.record is None:  # the values that forward saw
        return wrap(array)
    raise GraphError(
        f"{name}: a leaf of shape {tuple(array.shape)} got another array (by .data, .to() or a loaded state) after it "
        "was used, so the graph of its gradient can't be recorded. Compute the result again first"
    )


# --- what the engine sees of a call


@dataclass(slots=True)
class Meta:
    """What is known of a tensor without its values."""

    shape: tuple[int, ...]
    dtype: Any
    device: Any


def _meta(value: Any) -> Meta | None:
    """The shape, dtype and device of a tensor; None for anything else."""
    if not isinstance(value, Tensor):
        return None
    array = value.array
    return Meta(array.shape, array.dtype, backend.device_of(array))


class FunctionOperation:
    """A Function, called with tensors in some places, as the engine and the pictures see an operation."""

    joint = True  # one rule gives the contributions to all inputs
    twin = listed = None

    def __init__(self, function: "type[Function]", is_tensor: tuple[bool, ...]) -> None:
        self.name, self.function = function.__name__, function
        self.parameters = _names(function, len(is_tensor))
        self.rules = {name: None for name, is_one in zip(self.parameters, is_tensor) if is_one}

    def run(self, arrays: list[Any]) -> tuple[Any, dict[str, Any]]:
        """The forward on arrays, as `Operation.run`."""
        given = [
            _wrapped(value) if backend.is_array(value) or isinstance(value, generic) else value for value in arrays
        ]
        with no_grad():
            out = self.function.apply(*given)
        tensors = [part.array for part in (out if isinstance(out, tuple) else (out,)) if isinstance(part, Tensor)]
        return tensors[0] if len(tensors) == 1 else tuple(tensors), {}


class Call:
    """The plan of one call of a Function: its rule hands the gradients to the user's backward as Tensors."""

    __slots__ = ("ctx", "inputs", "needed", "needs", "operation", "origins", "outputs", "several")

    compound = True
    listed = None
    names = sources = ()  # what is saved is checked, and gets its history back, where backward reads it

    def __init__(
        self, operation: FunctionOperation, ctx: FunctionCtx, args: tuple[Any, ...], outs: list[Any], origins: list[Any]
    ) -> None:
        self.operation, self.ctx = operation, ctx
        self.origins = origins  # not with the saved arrays: those of a checkpoint come from another run
        self.inputs, self.outputs = [_meta(value) for value in args], [_meta(value) for value in outs]
        self.needed = ctx.needs_input_grad
        self.needs = tuple([name for name, need in zip(operation.parameters, self.needed) if need])
        # With more than one tensor among the outputs, gradients come as a tuple, one for each of these.
        self.several = len(outs) > 1 and sum(meta is not None for meta in self.outputs) > 1

    @property
    def rules(self) -> tuple[Callable[[Any, Any], list[Any]]]:
        """The one rule, `contributions`."""
        return (self.contributions,)  # a bound method that was kept would be a cycle

    def saved_values(self, saved: Any) -> tuple[Any, ...]:
        """Nothing that the engine would have to look after."""
        return ()

    def edge(self, node: Any, i: int) -> Any:
        """The node of output `i` among the outputs that are tensors."""
        return make_node(_kind(Slot), None, (node,), i, node.shape[i][0]) if self.several else node

    def contributions(self, g: Any, saved: Any) -> list[Any]:
        """What backward gives for each input that is a tensor: arrays for arrays, Tensors for Tensors."""
        parts = g if self.several else (g,)
        recorded = any(isinstance(part, Tensor) for part in parts)
        function, before = self.operation.function, edits.last
        given = self._by_output([part if part is None or recorded else _wrapped(part) for part in parts])
        args = (list(given),) if function.boxed_grads_call else given
        results = _backward_of(function)(self.ctx, *args)
        found = self._checked(results if isinstance(results, tuple) else (results,))
        if edits.last != before:
            self._require_untouched(given, before)
        return [part if part is None or recorded else part.array for part in found]

    def _by_output(self, parts: list[Tensor | None]) -> list[Tensor | None]:
        """A gradient for each output: None for what is no tensor, zeros where none came."""
        coming = iter(parts)
        given = [None if meta is None else next(coming) for meta in self.outputs]
        if self.ctx.materialize_grads:
            for i, meta in enumerate(self.outputs):
                if meta is not None and given[i] is None:
                    given[i] = wrap(backend.module_of(meta.device).zeros(meta.shape, meta.dtype))
        return given

    def _checked(self, results: tuple[Any, ...]) -> list[Tensor | None]:
        """What backward returned, for each input that is a tensor; refused when it can't be the gradients."""
        name, count = self.operation.name, len(self.inputs)
        if len(results) < count or any(part is not None for part in results[count:]):
            raise GraphError(
                f"{name}: backward returned {len(results)} gradient(s), but forward was called with {count} "
                f"argument(s) beside ctx; return one for each, None for what needs none"
            )
        found: list[Tensor | None] = []
        for i, (part, meta, needed) in enumerate(zip(results, self.inputs, self.needed)):
            if part is not None and meta is None:
                raise GraphError(
                    f"{name}: backward returned a gradient for argument {i}, which is no tensor; return None"
                )
            if part is not None and not isinstance(part, Tensor):
                raise GraphError(
                    f"{name}: backward returned {type(part).__name__} as the gradient of argument {i}; a gradient is a "
                    "Tensor or None, and several are a tuple"
                )
            if meta is not None:
                found.append(_fitted(name, part, meta) if needed and part is not None else None)
        return found

    def _require_untouched(self, given: list[Tensor | None], since: int) -> None:
        for part in given:
            writer = None if part is None else overwritten_by(part.array, since)
            if writer is not None:
                raise GraphError(
                    f"{self.operation.name}: in backward, {writer} has written into the gradient that came in, which "
                    "other operations may share; edit a copy: grad_output.clone()"
                )


def _wrapped(part: Any) -> Tensor:
    return wrap(backend.scalar_array(part) if isinstance(part, generic) else part)


def _fitted(name: str, part: Any, meta: Meta) -> Tensor:
    """A gradient in its input's dtype; the walk sums what broadcasting repeated. Refused when it fits otherwise."""
    shape, array = meta.shape, part.array
    back = array.ndim - len(shape)
    if array.shape != shape and (back < 0 or any(n not in (1, m) for n, m in zip(shape, array.shape[back:]))):
        raise ShapeError(
            f"{name}: backward returned a gradient of shape {tuple(part.shape)} for an input of shape {tuple(shape)}"
        )
    if backend.device_of(array) != meta.device:
        if array.ndim:
            raise DeviceError(
                f"{name}: backward returned a gradient on '{part.device}' for an input on '{meta.device}'; use "
                f".to('{meta.device}')"
            )
        part = to(part, None, meta.device)
    return part if array.dtype is meta.dtype else to(part, meta.dtype, None)


def _backward_of(function: "type[Function]") -> Callable[..., Any]:
    """The user's backward, which may be called vjp."""
    if function.vjp is Function.vjp:
        return function.backward
    if function.backward is not Function.backward:
        raise GraphError(f"{function.__name__}: backward and vjp are two names for one method; define one of them")
    return function.vjp


class _OfFunction:
    """What the nodes of Functions have beside what all nodes have."""

    __slots__ = ()

    plan: Any
    parent: Any

    @property
    def _call(self) -> Call:
        return self.parent.plan if self.plan is None else self.plan

    def name(self) -> str:
        """The name of the Function, as PyTorch forms it: `MyFunctionBackward`."""
        return f"{self._call.operation.name}Backward"

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """What the forward saved, as backward will read it."""
        return self._call.ctx.saved_tensors

    @property
    def needs_input_grad(self) -> tuple[bool, ...]:
        """For each argument of the call, whether it needs a gradient."""
        return self._call.ctx.needs_input_grad


@functools.cache
def _kind(recorder: type[Node]) -> type[Node]:
    """Nodes of Functions, of the kind that is recorded now (plain, traced, an output among several)."""
    slots = () if recorder.__weakrefoffset__ else ("__weakref__",)
    return type(recorder.__name__, (_OfFunction, recorder), {"__slots__": slots})


def _described(function: "type[Function]", args: tuple[Any, ...]) -> FunctionOperation:
    """The operation of a Function when tensors stand in these places; made once."""
    is_tensor = tuple([isinstance(value, Tensor) for value in args])
    known = function._operations.get(is_tensor)
    if known is None:
        known = function._operations[is_tensor] = FunctionOperation(function, is_tensor)
    return known


# --- the call


class Function:
    """Base of operations with a forward and a backward of one's own; `MyFunction.apply(...)` calls one.

    A subclass has static methods `forward(ctx, *inputs)` and `backward(ctx, *grads)`, or `forward(*inputs)`,
    `setup_context(ctx, inputs, output)` and `backward`. Forward gets Tensors and records nothing; it returns one Tensor
    or a tuple. Backward gets the gradient of each output and returns one for each input, None where there is none; it
    is itself recorded under create_graph=True, so its derivative is known if it is made of operations on Tensors.
    `ctx` is a FunctionCtx. Source: notes, section 1.11.

    >>> import tinygrad_dl as tg
    >>> class Cube(tg.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x ** 3
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         x, = ctx.saved_tensors
    ...         return g * 3 * x ** 2
    >>> x = tg.tensor(2.0, requires_grad=True)
    >>> y = Cube.apply(x)
    >>> y, tg.autograd.grad(y, x)
    (tensor(8., grad_fn=<CubeBackward>), (tensor(12.),))
    """

    clear_saved_tensors_on_access = False  # whether saved_tensors can be read once, and is free from then on
    boxed_grads_call = False  # whether backward gets the gradients as one list, which it may empty
    _operations: dict[tuple[bool, ...], FunctionOperation]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._operations = {}

    def __new__(cls, *args: Any, **options: Any) -> Any:
        raise GraphError(f"{cls.__name__}: a Function is not instantiated; call {cls.__name__}.apply(...)")

    @staticmethod
    def forward(*args: Any, **options: Any) -> Any:
        """What a subclass computes: `forward(ctx, *inputs)`, or `forward(*inputs)` beside a `setup_context`."""
        raise NotImplementedError("Function: write a static method forward(ctx, ...) for your subclass")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        """What a subclass keeps for its backward, where `forward` takes no ctx."""
        raise NotImplementedError("Function: setup_context is not written")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """The gradients of the inputs from those of the outputs; a subclass may call it `vjp`."""
        raise NotImplementedError("Function: write a static method backward(ctx, *grad_outputs) for your subclass")

    vjp = backward

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """Not called: there is no forward mode."""
        raise NotImplementedError(
            "Function: there is no forward mode, so jvp is never called; backward gives a product with the Jacobian "
            "from the left, and twice applied from the right"
        )

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        """Not called: there is no vmap."""
        raise NotImplementedError("Function: there is no vmap; give the inputs a dimension more, and sum over it")

    @classmethod
    def apply(cls, *args: Any, **options: Any) -> Any:
        """Call the Function: `forward` on the arguments, recorded as one operation.

        Arguments: as `forward` takes them after ctx, tensors and others; by name too, but none that has to be. Returns
        what forward returns: of an input that it returns as it is, another tensor on the same memory; tensors of
        integers and those marked don't require grad. Raises ArgumentTypeError for arguments that don't fit.
        """
        apart = cls.setup_context is not Function.setup_context
        if apart or options:
            args = _bound(cls, apart, args, options)
        ctx = FunctionCtx(tuple([isinstance(value, Tensor) and value._requires_grad for value in args]))
        with no_grad():
            if apart:
                output = cls.forward(*args)
                cls.setup_context(ctx, args, output)
            else:
                output = cls.forward(ctx, *args)
        several = isinstance(output, tuple)
        outs = _finished(cls, ctx, args, list(output) if several else [output])
        return tuple(outs) if several else outs[0]


def _finished(function: type[Function], ctx: FunctionCtx, args: tuple[Any, ...], outs: list[Any]) -> list[Any]:
    """The outputs as the caller gets them, with a node when one of them has a gradient."""
    saving, dirty, constant = ctx._to_save, ctx._dirty, _ids(ctx._non_differentiable)
    ctx._to_save = ctx._dirty = ctx._non_differentiable = ()  # an output held here would hold itself
    name, recording, tensors = function.__name__, modes.record, [out for out in outs if isinstance(out, Tensor)]
    inputs, edited = _ids(args), _ids(dirty)
    # Where an output stands, if it is not just an input returned as it is; the last place of one returned twice.
    places = {id(t): i for i, t in enumerate(tensors) if id(t) in edited or id(t) not in inputs}
    for tensor in dirty:
        if id(tensor) not in places:
            raise GraphError(
                f"{name}: a tensor of shape {tuple(tensor.shape)} was marked by mark_dirty, which is for inputs that "
                "forward has edited in place, and was not returned"
            )
        stamp(tensor.array, name)
    flows = [t.array.dtype in FLOATING and id(t) not in constant for t in tensors]
    if recording is None or True not in ctx.needs_input_grad or True not in flows:
        results = _results(tensors, [None] * len(tensors), places, edited)
    else:
        for tensor in dirty:
            _require_recordable(name, tensor, constant, len(tensors) > 1)
        saved = tuple([None if t is None else t.array for t in saving]) or None
        origins = [None if t is None else _origin(t, places, flows) for t in saving]
        node = _node(recording, Call(_described(function, args), ctx, args, outs, origins), args, saved, tensors)
        edges = [node.plan.edge(node, i) if flow else None for i, flow in enumerate(flows)]
        before = tuple([wrap(v.array, v._requires_grad, v.node) if id(v) in edited else v for v in args])
        results = _results(tensors, edges, places, edited)
        if recording is not Node:
            recording.note(node, node.plan.operation, before, tuple(results) if len(results) > 1 else results[0])
    _track(name, args, [result for result in results if id(result) not in edited])
    coming = iter(results)
    return [next(coming) if isinstance(out, Tensor) else out for out in outs]


def _node(recording: Any, plan: Call, args: tuple[Any, ...], saved: Any, tensors: list[Tensor]) -> Any:
    """The node of a call."""
    parents = tuple([value.node or value for value, need in zip(args, plan.needed) if need])
    zeros = plan.ctx.materialize_grads  # a slot without a dtype stays None in the walk
    shapes = [(t.array.shape, t.array.dtype if zeros else None) for t in tensors]
    shape = shapes if plan.several else tensors[0].array.shape
    node = make_node(_kind(getattr(recording, "kind", recording)), plan, parents, saved, shape)
    plan.ctx._node = weakref.ref(node)
    return node


def _ids(values: Iterable[Any]) -> set[int]:
    return {id(value) for value in values}


def _results(tensors: list[Tensor], edges: list[Any], places: dict[int, int], edited: set[int]) -> list[Tensor]:
    """What the caller gets for the outputs that are tensors, each with its node: new ones, and the inputs edited."""
    results: dict[int, Tensor] = {}
    for i, (tensor, edge) in enumerate(zip(tensors, edges)):
        if id(tensor) not in places:  # an input as it is: a view of it
            results[i] = wrap(tensor.array[...], edge is not None, edge)
        else:
            if id(tensor) in edited and edge is not None:
                rebase(tensor, edge)
            is_itself = id(tensor) in edited and (edge is not None or not tensor._requires_grad)
            results[i] = tensor if is_itself else wrap(tensor.array, edge is not None, edge)
    return [results[places.get(id(tensor), i)] for i, tensor in enumerate(tensors)]


def _origin(tensor: Tensor, places: dict[int, int], flows: list[bool]) -> Any:
    """Where the history of a saved tensor is; of an output only its place, since its node would be a cycle."""
    place = places.get(id(tensor))
    if place is not None:
        return place if flows[place] else None
    return (tensor.node or tensor) if tensor._requires_grad else None


def _require_recordable(name: str, tensor: Tensor, constant: set[int], several: bool) -> None:
    """Refuse an edit by forward that the graph can't hold, as PyTorch does."""
    require_editable(name, tensor)
    if tensor._requires_grad and id(tensor) in constant:
        raise GraphError(
            f"{name}: an input that requires grad can't be marked dirty and non-differentiable; clone() it"
        )
    if several and root_of(tensor) is not tensor:
        raise GraphError(
            f"{name}: forward has edited an input that is a view, and returned several tensors, which can't be "
            "recorded. Return one, or pass input.clone()"
        )


# --- outputs that share an input's memory


def _track(name: str, args: tuple[Any, ...], results: list[Tensor]) -> None:
    """Let outputs that share an input's memory be views of it that can't be edited while recording."""
    results = [result for result in results if result.array.base is not None]
    inputs = [value for value in args if isinstance(value, Tensor)] if results else []
    by_memory = {id(backend.memory_root(value.array)): value for value in inputs}
    for result in results:
        value = by_memory.get(id(backend.memory_root(result.array)))
        if value is not None:
            track(_OutOfFunction, (value, name, result.array.shape), result, modes.record, f"{_VIEW} {name}")


_VIEW = "is a view of an input that came out of the Function"


class _OutOfFunction:
    """How such a view would be read again after an edit of its root: not at all, so that backward raises there."""

    @staticmethod
    def record(root: Any, name: str, shape: tuple[int, ...]) -> Tensor:
        """A tensor of the view's shape through which no walk can pass."""
        why = (
            f"{name}: backward came to a view of an input that this Function returned, whose memory an operation has "
            "edited since; return input.clone(), or edit a copy"
        )
        return _Underivable.apply(why, (wrap(backend.zeros(root.array, shape)),), root)[0]


def _parameters(function: type[Function]) -> list[inspect.Parameter]:
    """What forward takes after ctx."""
    found = list(inspect.signature(function.forward).parameters.values())
    has_ctx = function.setup_context is Function.setup_context and found[0].kind is not inspect.Parameter.VAR_POSITIONAL
    return found[1:] if has_ctx else found


def _bound(function: type[Function], fill: bool, args: tuple[Any, ...], options: dict[str, Any]) -> tuple[Any, ...]:
    """The arguments by position, those left out with their defaults if `fill`."""
    try:
        bound = inspect.Signature(_parameters(function)).bind(*args, **options)
    except TypeError as error:
        raise ArgumentTypeError(f"{function.__name__}: {error}") from None
    if fill:
        bound.apply_defaults()
    if bound.kwargs:
        raise ArgumentTypeError(
            f"{function.__name__}: apply passes arguments on by position, so {', '.join(bound.kwargs)} can't be given: "
            "let forward take it by position, and give all before it"
        )
    return bound.args


def _names(function: type[Function], count: int) -> list[str]:
    """What the arguments of a call are called in pictures and in `next_functions`."""
    parameters = _parameters(function)
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][:count]
    rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "")
    return names + [f"{rest}[{i}]" for i in range(count - len(names))]


# --- what can't be differentiated


class _Underivable(Function):
    """Results that depend on some sources in an unknown way: a walk that comes here raises, and says why."""

    @staticmethod
    def forward(ctx: Any, why: str, results: tuple[Any, ...], *sources: Tensor) -> Any:
        """The results as they are."""
        ctx.why = why
        return results

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """The error."""
        raise GraphError(ctx.why)


def once_differentiable(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a backward that can't be differentiated itself: a second derivative through it raises GraphError.

    It runs without recording, so it may leave the Tensors (for NumPy, say).

    >>> import tinygrad_dl as tg
    >>> class Double(tg.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         return x * 2
    ...     @staticmethod
    ...     @tg.autograd.function.once_differentiable
    ...     def backward(ctx, g):
    ...         return tg.tensor(g.numpy() * 2)
    >>> x = tg.tensor(2.0, requires_grad=True)
    >>> tg.autograd.grad(Double.apply(x), x)
    (tensor(2.),)
    """

    @functools.wraps(fn)
    def once(ctx: Any, *grads: Any) -> Any:
        with no_grad():
            results = fn(ctx, *grads)
        if modes.record is None:
            return results
        node = ctx._node and ctx._node()
        came, parents = [g for g in grads if g is not None], node.parents if node else ()
        # Whether fn used what it saved can't be known, so that what it computed depends on the inputs as well.
        inputs = [wrap(came[0].array, True, parent) if isinstance(parent, Node) else parent for parent in parents]
        why = (
            f"{fn.__qualname__} is marked with @once_differentiable, so what it computed can't be differentiated "
            "again. Write it with operations on Tensors, and take the mark away"
        )
        return _Underivable.apply(why, results if isinstance(results, tuple) else (results,), *came, *inputs)

    return once
