"""Hooks: the user's functions that see, and may change, gradients on their way."""

import itertools
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .anomaly import look_at_hook
from .arguments import listed
from .errors import ArgumentError, ArgumentTypeError, DtypeError, GraphError, HookResultError, ShapeError
from .inspection import inputs_of
from .modes import modes
from .node import Hooks, Node, Slot, guard, own
from .ops.reduction import unbroadcast
from .tensor import Tensor, wrap

_next_id = itertools.count().__next__


class RemovableHandle:
    """What registering a hook returns: `remove()` takes the hook away, as does the end of a `with` block.

    >>> import tinygrad_dl as tg
    >>> x = tg.tensor(1.0, requires_grad=True)
    >>> handle = x.register_hook(lambda g: g * 10)
    >>> handle.remove()
    >>> (x * 2).backward(); x.grad
    tensor(2.)
    """

    def __init__(self, registry: dict[Any, Any]) -> None:
        self.id = _next_id()
        self._registry = weakref.ref(registry)

    def remove(self) -> None:
        """Take the hook away; nothing happens when it is gone already."""
        registry = self._registry()
        if registry is not None:
            registry.pop(self.id, None)

    def __enter__(self) -> "RemovableHandle":
        return self

    def __exit__(self, *error: Any) -> None:
        self.remove()


def add_hook(registry: Hooks, hook: Any) -> RemovableHandle:
    """Put a hook at the end of a registry."""
    handle = RemovableHandle(registry)
    registry[handle.id] = hook
    return handle


# --- on tensors


def register_hook(self: Tensor, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
    """Call `hook` with the gradient of this tensor whenever one is computed; what it returns takes its place.

    On a leaf the hook sees the gradient before it is added to `.grad`. Hooks run in the order of registration; one
    set before an edit in place sees the gradient of the value before the edit. Returns a handle with `remove()`.
    Raises GraphError for a tensor that does not require grad; in backward, an error for a result of another shape,
    dtype or type.

    >>> import tinygrad_dl as tg
    >>> x = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> handle = x.register_hook(lambda g: g.clamp(max=3.0))
    >>> (x * x).sum().backward(); x.grad
    tensor([2., 3.])
    """
    _require_grad("register_hook", self)
    if self.node is None:
        return add_hook(_registry(self, "hooks"), _seeing(hook))
    handle = RemovableHandle(_watched(self.node))
    self.node.watch(handle.id, _seeing(hook))
    return handle


def register_post_accumulate_grad_hook(self: Tensor, hook: Callable[[Tensor], Any]) -> RemovableHandle:
    """Call `hook` with this leaf after its gradient was added to `.grad`.

    Raises GraphError for what is no leaf; in backward, HookResultError when the hook returns anything but None.

    >>> import tinygrad_dl as tg
    >>> w = tg.tensor(1.0, requires_grad=True)
    >>> handle = w.register_post_accumulate_grad_hook(lambda w: print("gradient", w.grad))
    >>> (w * 2).backward()
    gradient tensor(2.)
    """
    _require_grad("register_post_accumulate_grad_hook", self)
    if self.node is not None:
        raise GraphError(
            f"register_post_accumulate_grad_hook: only leaves get a .grad, this tensor came from {self.node.name()}; "
            "use register_hook"
        )

    def see(leaf: Tensor) -> None:
        if hook(leaf) is not None:
            raise HookResultError("register_post_accumulate_grad_hook: the hook must return None; it may edit .grad")

    return add_hook(_registry(self, "accumulated"), see)


def _require_grad(name: str, tensor: Tensor) -> None:
    if not tensor._requires_grad:
        raise GraphError(f"{name}: this tensor (shape {tuple(tensor.shape)}) does not require grad, no gradient comes")


def _registry(leaf: Tensor, kind: str) -> Hooks:
    with guard:
        if leaf.extras is None:
            leaf.extras = {}
        return leaf.extras.setdefault(kind, Hooks())


def _watched(node: Node) -> Hooks:
    with guard:
        if node.extras is None:
            node.extras = Hooks()
        return node.extras


def _seeing(hook: Callable[[Tensor], Any]) -> Callable[[Any], Any]:
    """A user's hook as the walk calls it; it gets a gradient of its own, which it may also edit."""

    def see(g: Any) -> Any:
        recorded = isinstance(g, Tensor)
        shown = g.clone() if recorded else wrap(own(g))
        changed = hook(shown)
        changed = shown if changed is None else _checked(changed, shown)
        look_at_hook(hook, (g,), (changed,))
        return changed if recorded else changed.array

    return see


def _checked(changed: Any, g: Tensor) -> Tensor:
    """What a hook returned, if it can take the gradient's place."""
    if not isinstance(changed, Tensor):
        raise ArgumentTypeError(f"hook: return a Tensor or None, not {type(changed).__name__}")
    if changed.shape != g.shape:
        raise ShapeError(f"hook: a gradient of shape {tuple(changed.shape)} came back for one of {tuple(g.shape)}")
    if changed.dtype != g.dtype or changed.device != g.device:
        raise DtypeError(
            f"hook: a gradient of {changed.dtype} on '{changed.device}' came back for one of {g.dtype} on '{g.device}'"
        )
    return changed


# --- on several tensors


def register_multi_grad_hook(
    tensors: Sequence[Tensor], fn: Callable[..., None], *, mode: str = "all"
) -> RemovableHandle:
    """Call `fn` once in every backward that reaches the tensors.

    mode: "all" calls fn(gradients), a list with None for a tensor that got none, after all have come; "any" calls
    fn(gradient) with the first one. Raises ArgumentError for another mode, GraphError for a tensor that does not
    require grad.

    >>> import tinygrad_dl as tg
    >>> a, b = tg.tensor([3.0, 4.0], requires_grad=True).split(1)
    >>> handle = tg.autograd.graph.register_multi_grad_hook((a, b), lambda grads: print(grads))
    >>> (a * b).sum().backward()
    [tensor([4.]), tensor([3.])]
    """
    if mode not in ("all", "any"):
        raise ArgumentError(f"register_multi_grad_hook: mode is 'all' or 'any', not {mode!r}")
    members = listed("register_multi_grad_hook", "tensors", tensors)
    group, n = Hooks(), len(members)  # a hook that knew the tensors would hold them in a cycle

    def seen_by(i: int) -> Callable[[Tensor], None]:
        def see(g: Tensor) -> None:
            first = finish not in modes.after_walk
            modes.after_walk.setdefault(finish, [None] * n)[i] = g
            if first and mode == "any":
                fn(g)

        return see

    def finish(grads: list[Any]) -> None:
        if mode == "all":
            fn(grads)

    for tensor in members:
        _require_grad("register_multi_grad_hook", tensor)
    handles = [register_hook(tensor, seen_by(i)) for i, tensor in enumerate(members)]
    return _Handles(group, handles)


class _Handles(RemovableHandle):
    """One handle for several."""

    def __init__(self, registry: Hooks, handles: list[RemovableHandle]) -> None:
        super().__init__(registry)
        self._handles = handles

    def remove(self) -> None:
        for handle in self._handles:
            handle.remove()


# --- on nodes


def register_prehook(self: Node, hook: Callable[[tuple[Tensor, ...]], Any]) -> RemovableHandle:
    """Call `hook(grad_outputs)` before the rules of this node run; the tuple that it returns takes their place.

    Hooks on the tensors that the node made come first, however late they were registered.
    """

    def see(g: Any) -> Any:
        several = type(g) is tuple
        shown = _tensors(g if several else (g,))
        changed = hook(shown)
        if changed is None:
            return None
        look_at_hook(hook, shown, changed)
        parts = _replaced(changed, shown, isinstance((g[0] if several else g), Tensor))
        return parts if several else parts[0]

    return add_hook(_own_hooks(self, "before"), see)


def register_node_hook(self: Node, hook: Callable[[tuple[Any, ...], tuple[Any, ...]], Any]) -> RemovableHandle:
    """Call `hook(grad_inputs, grad_outputs)` after the rules of this node; a tuple replaces the gradients of inputs."""
    return add_hook(_own_hooks(self, "results"), hook)


def _own_hooks(node: Node, kind: str) -> Hooks:
    """The hooks of a kind on a node, not on a tensor; of one of several outputs, those on the operation."""
    return _watched(node.parent if isinstance(node, Slot) else node).setdefault(kind, Hooks())


def through_node_hooks(node: Node, pairs: Any, g: Any, saved: Any) -> Iterator[tuple[Any, Any]]:
    """Each parent with its contribution, after the hooks on a node's results have seen all of them."""
    parents = inputs_of(node)
    parts: Any = [None] * len(parents)  # also for inputs that need no gradient, or lead to nothing wanted
    places = iter(range(len(parents)))
    for parent, rule in pairs:
        i = next(i for i in places if parents[i] is parent)
        part = rule(g, saved)
        shape = parent.shape if isinstance(parent, Node) else parent.array.shape
        parts[i] = part if part is None or part.shape == shape else unbroadcast(part, shape)
    recorded = any(isinstance(part, Tensor) for part in parts)
    for hook in list(node.extras["results"].values()):
        shown = _tensors(parts)
        changed = hook(shown, _tensors(g if isinstance(g, (list, tuple)) else (g,)))
        parts = parts if changed is None else _replaced(changed, shown, recorded)
        look_at_hook(hook, shown, parts)
    for parent, part in zip(parents, parts):
        if part is None:
            continue
        yield parent, lambda g, saved, part=part: part


def _tensors(parts: Any) -> tuple[Any, ...]:
    return tuple([part if part is None or isinstance(part, Tensor) else wrap(own(part)) for part in parts])


def _replaced(changed: Any, shown: tuple[Any, ...], recorded: bool) -> Any:
    """The gradients that a hook returned in place of those it was shown, as the walk takes them."""
    changed = changed if isinstance(changed, tuple) else (changed,)
    if len(changed) != len(shown):
        raise ArgumentError(f"hook: return {len(shown)} gradient(s) or None, {len(changed)} came back")
    parts = [old if new is None or old is None else _checked(new, old) for new, old in zip(changed, shown)]
    return tuple([part if part is None or recorded else part.array for part in parts])


Tensor.register_hook = register_hook  # type: ignore[attr-defined]
Tensor.register_post_accumulate_grad_hook = register_post_accumulate_grad_hook  # type: ignore[attr-defined]
Node.register_hook = register_node_hook  # type: ignore[attr-defined]
Node.register_prehook = register_prehook  # type: ignore[attr-defined]
