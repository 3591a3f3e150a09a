"""How a forward function on arrays and the rules of its inputs become an operation that records.

A rule is one expression that asks for what it needs by name: `g` (the gradient of the output), any argument of the
forward, `out`, `<argument>_shape`, `<argument>_dtype`, and what the forward kept. The names say what is saved. Rules
read arrays, Tensors (then they record the graph of the gradient) and Symbols (then they write down the derivation)
alike.
"""

import functools
from collections.abc import Callable
from operator import itemgetter
from typing import Any, NamedTuple

from numpy import generic

from . import backend
from .arguments import bind, refuse_arrays, unruled, written
from .backend import HOST, constant
from .explain import explain, refused, unknown_name
from .inplace import tick
from .modes import Modes, modes
from .node import Node, make_node, output
from .outputs import into
from .promotion import SCALARS, meeting, regular, wrapped_integers
from .tensor import NUMPY, Tensor, wrap
from .views import track

Modes.record = Modes.recorder = Node  # in every thread, from the start


# --- plans


class Plan:
    """For one choice of inputs that need a gradient: which rules run, what they ask for, and where that came from.

    `sources` says for each saved name which history it has when the walk itself is recorded: the index of a parent,
    "out" for the node's own output, "list" for a list of inputs, None for a constant.
    """

    __slots__ = ("collect", "compound", "listed", "names", "needs", "operation", "rules", "sources")

    def __init__(self, operation: "Operation", needs: tuple[str, ...], several: bool, kept: tuple[str, ...]) -> None:
        self.operation, self.needs = operation, needs
        self.listed = operation.listed if operation.listed in needs else None
        joint = operation.joint
        rules = [operation.rules[name] for name in needs] if joint is None else [joint]
        asked = [_asked(rule, 1 if joint is None else 2) for rule in rules]
        names = dict.fromkeys(name for names in asked for name in names)
        if operation.twin is not None:  # the twin runs on all arguments again
            names.update(dict.fromkeys(operation.parameters))
        self.names = tuple(names)
        self.sources = tuple(self._source(name) for name in self.names)
        self.collect = _collector(operation, self.names, kept)
        self.rules = tuple(self._adapter(rule, wanted) for rule, wanted in zip(rules, asked, strict=True))
        self.compound = joint is not None or self.listed is not None or several  # needs more than a call of each rule

    def _source(self, name: str) -> Any:
        if name == "out":
            return "out"
        if name == self.listed:
            return "list"
        return self.needs.index(name) if name in self.needs else None

    def _adapter(self, rule: Any, asked: list[str]) -> Callable[[Any, Any], Any]:
        """A function of (g, saved) that hands the saved values to the rule by position."""
        if self.operation.joint is not None:
            needs = tuple(name in self.needs for name in self.operation.rules)
            joint = rule
            rule = lambda g, *values: joint(g, needs, *values)  # noqa: E731
        at = [self.names.index(name) for name in asked]
        if not at:
            return lambda g, saved: rule(g)
        if len(self.names) == 1:  # held bare
            return rule
        if at == list(range(len(self.names))):
            return lambda g, saved: rule(g, *saved)
        if len(at) == 1:
            place = at[0]
            return lambda g, saved: rule(g, saved[place])
        pick = itemgetter(*at)
        return lambda g, saved: rule(g, *pick(saved))

    def saved_values(self, saved: Any) -> tuple[Any, ...]:
        """The saved values as a tuple in the order of `names`."""
        return saved if len(self.names) > 1 else (saved,) if self.names else ()


def _asked(rule: Any, skip: int) -> list[str]:
    code = rule.__code__
    return list(code.co_varnames[skip : code.co_argcount])


_ATTRIBUTES: dict[str, Callable[[Any], Any]] = {
    "shape": lambda array: array.shape,
    "dtype": lambda array: array.dtype,
    "device": backend.device_of,
}


def _collector(operation: "Operation", names: tuple[str, ...], kept: tuple[str, ...]) -> Callable[[Any], Any]:
    """A function from (arguments, output, kept values) to what is saved: nothing, one value bare, or a tuple."""
    places = [*operation.parameters, "out", *kept]
    if not names:
        return lambda values: None
    if all(name in places for name in names):
        return itemgetter(*[places.index(name) for name in names])
    readers = [_reader(operation, places, name) for name in names]
    return readers[0] if len(readers) == 1 else lambda values: tuple([read(values) for read in readers])


def _reader(operation: "Operation", places: list[str], name: str) -> Callable[[Any], Any]:
    """How to find the value of a name that a rule asks for: in its place, or as `<argument>_<attribute>`."""
    if name in places:
        return itemgetter(places.index(name))
    argument, _, attribute = name.rpartition("_")
    if argument not in places or attribute not in _ATTRIBUTES:
        raise unknown_name(operation, places, name)
    read, i = _ATTRIBUTES[attribute], places.index(argument)
    if argument == operation.listed:
        return lambda values: [read(value) for value in values[i]]
    return lambda values: read(values[i])


# --- operations


class Kept(NamedTuple):
    """What a fused forward hands to its rules beside its output."""

    out: Any
    kept: dict[str, Any]


def keep(out: Any, **values: Any) -> Kept:
    """Return `keep(out, name=array)` from a forward: rules may ask for `name`."""
    return Kept(out, values)


class Operation:
    """A forward function on arrays with the rules of its inputs; `record` is the function that users call."""

    def __init__(
        self,
        name: str,
        forward: Callable[..., Any],
        rules: dict[str, Any],
        joint: Any = None,
        twin: Any = None,
        promote: str | None = None,
        constants: tuple[str, ...] = (),
        listed: str | None = None,
        refuse: tuple[str, str] = ("", ""),
    ) -> None:
        self.name, self.forward, self.rules, self.refuse, self.views = name, forward, rules, refuse, False
        self.joint, self.twin, self.promote, self.constants, self.listed = joint, twin, promote, constants, listed
        code = forward.__code__
        self.parameters = list(code.co_varnames[: code.co_argcount])
        self.defaults = forward.__defaults__ or ()
        self.required = len(self.parameters) - len(self.defaults)
        self.places = [i for i, parameter in enumerate(self.parameters) if parameter in rules and parameter != listed]
        self.record: Any = None  # the recording function that takes raw arrays too
        self.function: Any = None  # of an elementwise operation, what is called on the arrays,
        self.numbers = False  # and whether it and the rules want Python's numbers as they came
        self.plans: dict[Any, Plan] = {}

    def knows_derivative_of(self, name: str) -> bool:
        """Whether a saved value that is no differentiated input has a history or is declared constant."""
        return name in self.parameters or self.twin is not None or name in self.constants

    def run(self, arrays: list[Any]) -> tuple[Any, dict[str, Any]]:
        """The forward on arrays: its output (never one of NumPy's scalars) and what it kept."""
        try:
            out = self.forward(*arrays)
        except (ValueError, TypeError, IndexError, OverflowError, AttributeError) as error:
            raise explain(self.name, self.parameters, arrays, error) from None
        out, kept = out if type(out) is Kept else (out, {})
        if isinstance(out, generic):
            out = out[...]  # type: ignore[index]  # which makes it an array
        elif type(out) is tuple:
            out = backend.without_scalars(out)
        return out, kept

    def plan(self, needs: tuple[int, ...], several: bool = False, kept: tuple[str, ...] = ()) -> Plan:
        """The plan for a choice of inputs (by position) that need a gradient, made at first use."""
        plan = Plan(self, tuple([self.parameters[i] for i in needs]), several, kept)
        self.plans[(needs, *kept) if kept else needs] = plan
        return plan


def operation(
    name: str | None = None,
    *,
    joint: Any = None,
    twin: Any = None,
    promote: str | None = None,
    constants: tuple[str, ...] = (),
    listed: str | None = None,
    views: bool = False,
    numpy: tuple[Any, ...] = (),
    **rules: Any,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate a forward function on arrays: `@operation(input=lambda g, ...: ...)` makes it record on Tensors.

    joint: one rule for all inputs, of (g, needs, ...), giving a tuple with None where `needs` is False; then `rules`
    only names the inputs. twin: the same function composed of operations, which the walk differentiates when it is
    recorded. promote: "same" or "float", the inputs meet in one dtype, "float" in a floating one. constants: names that
    a forward keeps and that have no derivative. listed: the argument that is a list of tensors; its rule returns a
    list. views: results may show the memory of the first argument. numpy: NumPy's functions that it records.
    """

    if joint is not None and listed is not None:
        raise NotImplementedError("operation: a joint rule can't have a listed argument; give the list its own rule")

    def decorate(forward: Callable[..., Any]) -> Callable[..., Any]:
        made = Operation(name or forward.__name__, forward, rules, joint, twin, promote, constants, listed)
        made.views = views
        return register(_general, made, functools.partial(functools.update_wrapper, wrapped=forward), numpy)

    return decorate


def register(build: Any, made: Operation, document: Callable[[Any], Any], numpy: tuple[Any, ...]) -> Callable[..., Any]:
    """The recording function of an operation, found by NumPy's functions on tensors.

    It comes in two forms: rules call the one that takes raw arrays too, users (through `public`) one that refuses them.
    """
    made.record = record = document(build(made, call_on_arrays))
    record.operation, record.__wrapped__ = made, made.forward  # which has the signature
    record.public = lambda: document(build(made, refuse_arrays))
    for function in numpy:
        NUMPY[function] = record
    return record


def _general(operation: Operation, otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """The recording function of an operation with any arguments."""
    arity, promote, views = len(operation.parameters), operation.promote, operation.views
    listed = None if operation.listed is None else operation.parameters.index(operation.listed)
    rules, joint = operation.rules, operation.joint  # of a joint rule's inputs only the names count
    ruled = [name in rules and (joint or rules[name]) is not None for name in operation.parameters]

    def record(*args: Any, **options: Any) -> Any:
        if options or len(args) != arity:
            if (into_tensor := options.pop("out", None)) is not None:
                return into(into_tensor, record, args, options)
            args = bind(operation, args, options)
        if promote is not None:
            args = promote_arguments(operation, args)
        arrays, parents, places = list(args), [], []  # places: of the inputs that need a gradient
        found, mask, recording = False, None, modes.record
        for i, value in enumerate(args):
            if isinstance(value, Tensor):
                found = True
                arrays[i] = value.array
                if value._requires_grad and recording is not None and (ruled[i] or unruled(operation, i)):
                    places.append(i)
                    parents.append(value.node or value)
        if listed is not None:
            members = args[listed]
            arrays[listed] = [value.array if isinstance(value, Tensor) else value for value in members]
            found = found or any(isinstance(value, Tensor) for value in members)
            mask = [recording is not None and isinstance(value, Tensor) and value._requires_grad for value in members]
            if True in mask:
                places.append(listed)
                parents += [value.node or value for value, need in zip(members, mask) if need]
        if not found:
            return otherwise(record, operation, arrays)
        out, kept = operation.run(arrays)
        several = type(out) is tuple
        if not places or (not several and out.dtype.kind != "f"):  # integers have no gradient
            result: Any = tuple([wrap(part) for part in out]) if several else wrap(out)
            return track(operation, args, result, recording) if views else result
        needs = tuple(places)
        key = (needs, *kept) if kept else needs
        plan = operation.plans.get(key) or operation.plan(needs, several, tuple(kept))
        saved = plan.collect((*arrays, out, *kept.values()))
        if plan.listed is not None:
            saved = saved, mask
        shape = [(part.shape, part.dtype) for part in out] if several else out.shape
        node = make_node(recording, plan, parents, saved, shape)
        result = tuple([output(part, i, node) for i, part in enumerate(out)]) if several else wrap(out, True, node)
        if views:
            track(operation, args, result, recording)
        if recording is not Node:
            recording.note(node, operation, args, result)
        return result

    return record


def call_on_arrays(record: Any, operation: Operation, arrays: list[Any]) -> Any:
    """What a rule gets that calls an operation on raw arrays: a raw array; a Symbol writes the call down instead."""
    for value in arrays:
        if hasattr(value, "apply_operation"):
            return value.apply_operation(record, arrays)
    out = operation.forward(*arrays)
    return out.out if type(out) is Kept else out


# --- elementwise operations: short recording paths

_new = object.__new__


def elementwise(
    name: str,
    function: Callable[..., Any],
    doc: str,
    *,
    floating: bool = False,
    numpy: tuple[Any, ...] | None = None,
    refuse: tuple[str, str] = ("", ""),
    numbers: bool = False,
    **rules: Any,
) -> Callable[..., Any]:
    """An operation from a function of one or two arrays whose recording path has nothing to loop over.

    floating: integers are computed in the default dtype. refuse: a dtype kind that the operation does not take, and
    what to use instead. numpy: the NumPy functions it records, `function` itself if not given. numbers: Python's
    numbers reach the function and the rules as they came.
    """
    arguments = ", ".join(rules)
    # From our own names, in the table, so that the forward has the rules' parameters.
    forward = written(f"lambda {arguments}: function({arguments})", __name__, function=function)
    made = Operation(name, forward, rules, promote="float" if floating else "same", refuse=refuse)
    made.function, made.numbers = function, numbers

    return register(
        _unary if len(rules) == 1 else _binary, made, documented(name, doc), (function,) if numpy is None else numpy
    )


def documented(name: str, doc: str) -> Callable[[Any], Any]:
    """A decorator that gives a recording function its name and docstring."""

    def document(record: Any) -> Any:
        record.__name__, record.__qualname__, record.__doc__ = name, name, doc
        return record

    return document


def _unary(operation: Operation, otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """The recording function of an elementwise operation of one input."""
    (name,) = operation.rules
    function = operation.function
    plan: Any = None
    keeps: Any = None  # of (input, out), what is saved

    def record(input: Any, surplus: Any = None, out: Any = None) -> Any:  # (keyword-only `out` would take 30 ns more)
        nonlocal plan, keeps
        if out is not surplus:
            return into(out, record, (input,), {}, surplus)
        if not isinstance(input, Tensor):
            return otherwise(record, operation, [input])
        array = input.array
        if array.ndim == 0 and type(array) is HOST:
            array = array[()]  # NumPy's scalars: several times faster, also in the rules
        try:
            out = function(array)
        except (TypeError, ValueError) as error:
            raise refused(operation, [array], error) from None
        kept = out
        if isinstance(out, generic):
            out = out[...]  # type: ignore[index]  # which makes it an array
        if out.dtype is not array.dtype:
            (promoted,) = promote_arguments(operation, (input,))
            if promoted is not input:
                return record(promoted)
            kept = out = out.astype(array.dtype)
        if not input._requires_grad or (recording := modes.record) is None:
            return wrap(out)
        if keeps is None:  # not the plan: another thread may have made that and not yet these
            plan = operation.plan((0,))
            keeps = _keeper(plan, {name: 0, "out": 2})
        node = recording()  # `make_node` and `wrap` written out: every elementwise operation would pay for the calls
        node.plan, node.parent, node.partner, node.saved = plan, input.node or input, None, keeps(array, None, kept)
        node.shape, node.order, node.extras = out.shape, tick(), None
        result = _new(Tensor)
        result.array, result.node, result._requires_grad = out, node, True
        result._grad = result.extras = None
        if recording is not Node:
            recording.note(node, operation, (input,), result)
        return result

    return record


def _keeper(plan: Plan, places: dict[str, int]) -> Callable[[Any, Any, Any], Any]:
    """What an elementwise operation saves of (input, other, output): nothing, one value bare, or a tuple."""
    at = tuple([places[name] for name in plan.names])
    pick = itemgetter(*at) if at else None
    return _KEEPS.get(at) or (lambda x, y, out: pick((x, y, out)))  # type: ignore[misc]


_KEEPS: dict[tuple[int, ...], Any] = {  # the usual ones, without a tuple in between
    (): lambda x, y, out: None,
    (0,): lambda x, y, out: x,
    (1,): lambda x, y, out: y,
    (2,): lambda x, y, out: out,
    (1, 0): lambda x, y, out: (y, x),
}


def _binary(operation: Operation, otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """The recording function of an elementwise operation of two inputs."""
    named, other_named = operation.rules
    function, numbers = operation.function, operation.numbers
    plans: list[Any] = [None] * 4  # by which inputs need a gradient: second 1, first 2, both 3
    keeps: list[Any] = [None] * 4  # of (input, other, out), what is saved

    def prepare(which: int) -> Any:
        plans[which] = operation.plan(((1,), (0,), (0, 1))[which - 1])
        keeps[which] = _keeper(plans[which], {named: 0, other_named: 1, "out": 2})  # last: other threads look here
        return keeps[which]

    def record(input: Any, other: Any, surplus: Any = None, out: Any = None) -> Any:
        if out is not surplus:
            return into(out, record, (input, other), {}, surplus)
        if isinstance(input, Tensor):
            x = like = input.array
            if isinstance(other, Tensor):
                y = other.array
                if x.dtype is not y.dtype or type(x) is not type(y):
                    return record(*promote_arguments(operation, (input, other)))
                if x.ndim == 0 and y.ndim == 0 and type(x) is HOST:
                    x, y = x[()], y[()]  # NumPy's scalars: several times faster, also in the rules
                which = (2 if input._requires_grad else 0) + (1 if other._requires_grad else 0)
            else:
                if type(other) not in SCALARS:
                    return record(*promote_arguments(operation, (input, other)))
                if x.ndim == 0 and type(x) is HOST:
                    x = x[()]
                y = other if numbers else constant(other, x)
                which = 2 if input._requires_grad else 0
        elif isinstance(other, Tensor):
            if type(input) not in SCALARS:
                return record(*promote_arguments(operation, (input, other)))
            y = like = other.array
            if y.ndim == 0 and type(y) is HOST:
                y = y[()]
            x = input if numbers else constant(input, y)
            which = 1 if other._requires_grad else 0
        else:
            return otherwise(record, operation, [input, other])
        try:
            out = function(x, y)
        except (TypeError, ValueError, OverflowError) as error:
            return _recover(record, operation, (input, other), error)
        kept = out
        if isinstance(out, generic):
            out = out[...]  # type: ignore[index]  # which makes it an array
        if out.dtype is not like.dtype:
            promoted = promote_arguments(operation, (input, other))
            if promoted[0] is not input or promoted[1] is not other:
                return record(*promoted)
            kept = out = out.astype(like.dtype)
        if which == 0 or (recording := modes.record) is None:
            return wrap(out)
        pick = keeps[which] or prepare(which)
        node = recording()  # `make_node` and `wrap` written out: every elementwise operation would pay for the calls
        node.plan, node.saved = plans[which], pick(x, y, kept)
        node.parent = (input.node or input) if which > 1 else (other.node or other)
        node.partner = (other.node or other) if which == 3 else None
        node.shape, node.order, node.extras = out.shape, tick(), None
        result = _new(Tensor)
        result.array, result.node, result._requires_grad = out, node, True
        result._grad = result.extras = None
        if recording is not Node:
            recording.note(node, operation, (input, other), result)
        return result

    return record


def _recover(record: Any, operation: Operation, args: tuple[Any, ...], error: Exception) -> Any:
    """After a failed forward: a scalar out of an integer's range wraps as in PyTorch, all else is explained."""
    wrapped = wrapped_integers(args) if isinstance(error, OverflowError) else list(args)
    if any(new is not old for new, old in zip(wrapped, args)):
        return record(*wrapped)
    raise refused(operation, [getattr(value, "array", value) for value in args], error) from None


# --- conversion, which promotion records


def promote_arguments(operation: Operation, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments met in one dtype and on one device; conversions of tensors are recorded."""
    if regular(operation, args):
        return args
    values, conversions = meeting(operation, args)
    for i, dtype, device in conversions:
        values[i] = to(values[i], dtype, device)
    return tuple(values)


@operation("to", input=lambda g, input_dtype, input_device: to(g, input_dtype, input_device))
def to(input: Any, dtype: Any, device: Any) -> Any:
    """An array in another dtype (NumPy's) and on another device; None changes nothing."""
    moved = input if device is None else backend.to_device(input, device)
    if dtype is None or moved.dtype is dtype:
        return moved
    return moved.view(dtype) if moved.dtype == dtype else moved.astype(dtype)
