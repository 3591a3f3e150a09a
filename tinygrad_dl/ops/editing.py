"""Edits in place that the graph knows of: the edited tensor, the root of its memory and all views get new nodes.

Nodes are never changed: an edit records its operation out of place and gives the result's node to the tensor. An edit
through a view gives the root of the memory the operation `patched`, and every live view of that root is read again.
"""

import functools
from collections.abc import Callable
from typing import Any

from .. import backend
from ..dtypes import FLOATING, can_cast, of
from ..errors import DtypeError, GraphError, ShapeError
from ..explain import explain
from ..inplace import assign, knowing, overlaps, tick
from ..methods import attach_reflected
from ..modes import modes
from ..node import Node, own
from ..operation import operation, to
from ..tensor import Tensor, wrap
from ..views import MOVED, Path, live_views, register, replay, require_editable, root_of
from .places import accumulate, write
from .reading import read

# --- operations that write into their first argument, which no rule asks for


@operation("zeros_like")
def zeros_like(input: Any) -> Any:
    """Zeros of the same shape: the gradient of a value that was overwritten."""
    return backend.zeros(input, input.shape)


@operation("copy", input=lambda g: zeros_like(g), value=lambda g: g)
def _copied(input: Any, value: Any, name: str) -> Any:
    assign(name, input, ..., value)
    return input


@operation("index_assign", input=lambda g, index: without(g, index), value=lambda g, index: read(g, index))
def _put(input: Any, value: Any, index: Any, name: str) -> Any:
    assign(name, input, index, value, write)
    return input


def add_at(array: Any, index: Any, value: Any) -> None:
    """Add at an index, as often as it names an element."""
    if not backend.is_writeable(array):
        raise ValueError("read-only")  # NumPy would write
    accumulate(array, index, value)


@operation("index_add", input=lambda g: g, value=lambda g, index: read(g, index))
def _add_at(input: Any, value: Any, index: Any, name: str) -> Any:
    assign(name, input, index, value, add_at)
    return input


@operation(input=lambda g, index: without(g, index))
def without(input: Any, index: Any) -> Any:
    """A copy with zeros at an index."""
    out = own(input)
    write(out, index, 0)
    return out


@operation(
    "copy_slices", input=lambda g, path, order: without_region(g, path, order), part=lambda g, path: replay(path, g)
)
def patched(input: Any, part: Any, path: Path, order: Any) -> Any:
    """The root of some memory after `part` was written into its view at `path`: the memory holds it already."""
    return input


@operation(input=lambda g, path, order: without_region(g, path, order))
def without_region(input: Any, path: Path, order: Any) -> Any:
    """A copy with zeros in the view at `path`; its axes lie in memory in the root's order, so that the view is one."""
    out = own(input[...].transpose(order)).transpose([order.index(i) for i in range(input.ndim)])
    replay(path, out)[...] = 0
    return out


# --- editing a tensor


def in_place_form(operation: Callable[..., Any], name: str) -> Callable[..., Tensor]:
    """The form of an operation that writes its result into its first argument and returns it."""

    @functools.wraps(operation)
    def edit(self: Tensor, *args: Any, **options: Any) -> Tensor:
        if not in_graph(self, *args, *options.values()):
            outer, modes.record = modes.record, None
            try:
                result = operation(self, *args, **options)
            finally:
                modes.record = outer
            assign(name, self.array, ..., _fitting(name, self, result).array)
            return self
        require_editable(name, self)
        before, since = _before(self), tick()
        result = _fitting(name, self, operation(before, *args, **options))
        if result.node is None or result.node.order < since:  # nothing differentiable made it
            return store(name, self, result)
        _keep_overwritten(result.node, before.array, since)
        assign(name, self.array, ..., result.array)
        _share_result(result.node, result.array, self.array)
        rebase(self, result.node)
        return self

    edit.__name__ = edit.__qualname__ = name
    edit.__doc__ = f"`{operation.__name__}` in place: the result is written into this tensor, which is returned."
    return edit


def store(name: str, target: Tensor, value: Any, index: Any = ..., add: bool = False) -> Tensor:
    """Write a tensor, an array or a number, which broadcasts, into a tensor at an index with arrays, or everywhere.

    add: add to what is there, as often as the index names an element.
    """
    if isinstance(value, Tensor) and type(value.array) is not type(target.array):
        if value.array.ndim:
            raise explain(name, ("tensor", "value"), (target, value), TypeError("mixed devices"))
        value = to(value, None, target.device)
    if not in_graph(target, value):
        assign(name, target.array, index, getattr(value, "array", value), add_at if add else write)
        return target
    require_editable(name, target)
    if isinstance(value, Tensor) and value.array.dtype is not target.array.dtype:
        value = to(value, target.array.dtype, None)
    before = _before(target)
    if index is ...:
        result = _copied(before, value, name)
    else:
        result = (_add_at if add else _put)(before, value, index, name)
    rebase(target, result.node)
    return target


def in_graph(edited: Tensor, *written: Any) -> bool:
    """Whether an edit must be recorded: while recording, and a gradient could reach what is edited or written."""
    if modes.record is None or edited.array.dtype not in FLOATING:
        return False
    return (
        edited._requires_grad
        or root_of(edited)._requires_grad
        or any(isinstance(value, Tensor) and value._requires_grad for value in written)
    )


def _before(tensor: Tensor) -> Tensor:
    """A tensor's stand-in for the value before an edit; by the array's identity its saved value is known."""
    return wrap(tensor.array[...], tensor._requires_grad, tensor.node)


def _fitting(name: str, target: Tensor, value: Tensor) -> Tensor:
    """A result as it can be written into a tensor; refuses what PyTorch refuses."""
    if value.array.shape != target.array.shape:
        raise ShapeError(
            f"{name}: the result has shape {tuple(value.shape)} and can't be written into a tensor of shape "
            f"{tuple(target.shape)}"
        )
    if value.array.dtype is target.array.dtype:
        return value
    if not can_cast(value.dtype, target.dtype):
        raise DtypeError(
            f"{name}: a {of(value.array)} result can't be written into a {target.dtype} tensor; convert the tensor "
            "first"
        )
    return to(value, target.array.dtype, None)


def _keep_overwritten(node: Node, array: Any, since: int) -> None:
    """Give the nodes made after `since` a copy of the array that is about to be overwritten, if a rule asks for it."""
    nodes, copy = [node], None
    for node in nodes:  # grows on the way
        if any(value is array for value in saved_arrays(node)):
            copy = array.copy() if copy is None else copy
            _replace(node, array, copy)
        nodes += [parent for parent in node.parents if isinstance(parent, Node) and parent.order > since]


def _share_result(node: Node, result: Any, memory: Any) -> None:
    """Let a node that saved its result hold the edited memory, as of now, instead.

    Not when it saved that memory as another argument (`x.mul_(x)`), which is overwritten: then backward must raise.
    """
    if not any(overlaps(value, memory) for value in saved_arrays(node)):
        _replace(node, result, memory)
        node.order = tick()


def saved_arrays(node: Node) -> list[Any]:
    """The arrays that a node saved; one of several outputs saves none."""
    if node.plan is None:
        return []
    return [value for value in node.plan.saved_values(node.saved) if backend.is_array(value)]


def _replace(node: Node, old: Any, new: Any) -> None:
    if type(node.saved) is tuple:
        node.saved = tuple([new if value is old else value for value in node.saved])
    elif node.saved is old:
        node.saved = new


def rebase(edited: Tensor, node: Node) -> None:
    """Give an edited tensor the node that made its new values; the root of its memory and all views of it follow."""
    root = root_of(edited)
    if root is not edited:
        part = wrap(edited.array, True, node)
        strides = root.array.strides
        order = sorted(range(len(strides)), key=lambda i: -abs(strides[i]))
        node = patched(_before(root), part, edited.extras["view"].path, order).node
    set_node(root, node)
    for view in live_views(root, forget=True):
        view.__class__ = _Outdated
        if view.retains_grad and view.extras["view"].refusal != MOVED:
            _read_again(view)


def set_node(tensor: Tensor, node: Node) -> None:
    """The node of a tensor's new value; what retained the old value's gradient retains the new one's."""
    if tensor.retains_grad:
        tensor.node.extras.pop("retain")
        node.retain_into(tensor)
    tensor.node, tensor._requires_grad = node, True


class _Outdated(Tensor):
    """A view after an edit of its memory: the first question about its place in the graph reads it again.

    So an edit costs the same whatever the number of views. Only here does a tensor change its class: the slots that
    every operation reads stay slots.
    """

    __slots__ = ()
    node = property(lambda self: _read_again(self).node, lambda self, node: setattr(_read_again(self), "node", node))
    _requires_grad = property(
        lambda self: _read_again(self)._requires_grad,
        lambda self, value: setattr(_read_again(self), "_requires_grad", value),
    )


_Outdated.__name__ = _Outdated.__qualname__ = "Tensor"
_Outdated.__module__ = Tensor.__module__


def _read_again(view: Tensor) -> Tensor:
    """Give an outdated view the node of reading it off the root of its memory as that is now."""
    with knowing:
        if type(view) is _Outdated:
            root, path, refusal = view.extras["view"]
            if root_of(view) is not root or refusal == MOVED:
                raise GraphError(
                    f"view: this view (shape {tuple(view.array.shape)}) or its base was edited, and either got another "
                    "array by .data, so its gradient is unknown; read the view anew"
                )
            outer, modes.record = modes.record, modes.recorder
            try:
                again = replay(path, wrap(root.array, root._requires_grad, root.node))
            finally:
                modes.record = outer
            slots: Any = Tensor  # set before the class changes: another thread may read them
            old = slots.node.__get__(view)
            slots.node.__set__(view, again.node)
            slots._requires_grad.__set__(view, again._requires_grad)
            view.__class__ = slots
            register(root, view)
            if view.retains_grad:
                old.extras.pop("retain")
                again.node.retain_into(view)
    return view


# --- operators and methods


def attach_operator(name: str, operation: Callable[..., Any], in_place: bool = True) -> None:
    """Make a binary operation an operator: `a ∘ b`, `b ∘ a` and `a ∘= b`."""
    attach_reflected(name, operation)
    if in_place:
        setattr(Tensor, f"__i{name}__", in_place_form(operation, f"__i{name}__"))


def attach_in_place(*operations: Callable[..., Any], **named: Callable[..., Any]) -> None:
    """Give Tensor the forms in place, `exp_` for `exp`, that write the result into the tensor itself."""
    for name, function in {**{function.__name__: function for function in operations}, **named}.items():
        setattr(Tensor, f"{name}_", in_place_form(function, f"{name}_"))
