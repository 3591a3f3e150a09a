"""The walk from a result back to its inputs: `backward` and `grad`."""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from sys import getrefcount
from typing import Any

from numpy import generic

from . import backend
from .arguments import keys_of, listed, seeds_of
from .backend import SOLE_HOLDER
from .errors import ArgumentError, GraphError, ShapeError
from .explain import CREATE_GRAPH_KEEPS, freed, moved, unused
from .hooks import through_node_hooks
from .inplace import edits, require_intact, stamp
from .modes import enable_grad, inference_mode, is_grad_enabled, modes, no_grad, set_grad_enabled, walking
from .node import FREED, Node, filled, guard, own, pass_by, put_into_slot
from .ops.elementwise import identity
from .ops.reduction import unbroadcast
from .recorded import saved_with_history, walk_twin
from .tensor import Tensor, wrap

__all__ = ["backward", "enable_grad", "grad", "inference_mode", "is_grad_enabled", "no_grad", "set_grad_enabled"]

# --- what users call


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Add the derivative of `tensors` with respect to every leaf to the leaf's `.grad`.

    leaf.grad += sum over tensors of (d tensor / d leaf) · grad_tensor

    Arguments: tensors (floating, in a graph), grad_tensors (one of the same shape for each; 1 for a tensor of one
    element), retain_graph (keep what was saved, for another walk), create_graph (record the walk, for higher
    derivatives), inputs (only these get gradients). Raises GraphError for tensors without history and for a graph that
    was walked already, ShapeError for gradients of another shape. Source: notes, sections 1.1 and 1.7.

    >>> import tinygrad_dl as tg
    >>> a, b, c = (tg.tensor(v, requires_grad=True) for v in (5.0, 3.0, 2.0))
    >>> tg.autograd.backward(3 * (a + b * c))
    >>> a.grad, b.grad, c.grad
    (tensor(3.), tensor(6.), tensor(9.))
    """
    roots = listed("backward", "tensors", tensors)
    wanted = [] if inputs is None else listed("backward", "inputs", inputs)
    targets = None if inputs is None else keys_of("backward", wanted)
    for tensor in wanted:
        tensor.retain_grad()  # (nothing happens to a leaf)
    if targets == []:
        raise GraphError("backward: inputs is empty; leave it out for all leaves")
    if create_graph:
        warnings.warn(CREATE_GRAPH_KEEPS, UserWarning, stacklevel=3)
    with walking(create_graph):
        seeds = seeds_of("backward", roots, grad_tensors, create_graph)
        gradients = walk(seeds, create_graph, create_graph if retain_graph is None else retain_graph, targets)
        if targets is not None:  # those that are no leaves have theirs already
            gradients = {tensor: gradients[tensor] for tensor in wanted if tensor in gradients}
        _accumulate(gradients, create_graph)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """The derivatives of `outputs` with respect to `inputs`, leaves or not, without touching `.grad`.

    Arguments as in `backward`; allow_unused (None for an input that the outputs don't depend on, else GraphError),
    materialize_grads (zeros instead of None). Returns one tensor per input. Source: notes, section 1.11.

    >>> import tinygrad_dl as tg
    >>> x = tg.tensor(2.0, requires_grad=True)
    >>> (slope,) = tg.autograd.grad(x * x * x, x, create_graph=True)
    >>> slope, tg.autograd.grad(slope, x)
    (tensor(12., grad_fn=<AddBackward0>), (tensor(12.),))
    """
    if not only_inputs:
        raise NotImplementedError("grad: only_inputs=False no longer exists; use backward to fill every leaf's .grad")
    if is_grads_batched:
        raise NotImplementedError("grad: is_grads_batched needs batched walks; call grad once per row of grad_outputs")
    if allow_unused is False and materialize_grads:
        raise ArgumentError(
            "grad: materialize_grads=True gives zeros for unused inputs, so allow_unused can't be False"
        )
    roots, wanted = listed("grad", "outputs", outputs), listed("grad", "inputs", inputs)
    keys = keys_of("grad", wanted)
    with walking(create_graph):
        seeds = seeds_of("grad", roots, grad_outputs, create_graph)
        gradients = walk(seeds, create_graph, create_graph if retain_graph is None else retain_graph, keys)
    results: list[Tensor | None] = []
    for i, (key, tensor) in enumerate(zip(keys, wanted, strict=True)):
        g = gradients.get(key)
        if g is None:
            if materialize_grads:
                g = wrap(backend.zeros(tensor.array, tensor.array.shape), create_graph)
            elif not allow_unused:
                raise unused(i, tensor)
        results.append(g if g is None or isinstance(g, Tensor) else wrap(own(g)))
    return tuple(results)


def _tensor_backward(
    self: Tensor,
    gradient: Tensor | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Add the derivative of this tensor with respect to every leaf to the leaf's `.grad`; see `autograd.backward`."""
    backward(self, gradient, retain_graph, create_graph, inputs)


Tensor.backward = _tensor_backward  # type: ignore[attr-defined]


# --- the walk


def walk(
    seeds: dict[Any, Any], recorded: bool, keep: bool, targets: Iterable[Any] | None = None, ends: Iterable[Any] = ()
) -> dict[Any, Any]:
    """Pass each node once, from the last created to the first, and not beyond `ends`.

    `seeds` are the gradients of the roots (nodes or leaves). Gradients are arrays, or Tensors when the walk is
    `recorded`. Unless `keep`, saved values are freed on the way. With `targets` only what leads to them is computed.
    Returns the gradients of leaves, `ends` and `targets`.
    """
    nodes = _reachable(seeds, ends)
    wanted = None if targets is None else set(targets)
    passing: Any = None if wanted is None else _leading_to(nodes, wanted)
    captured: dict[Any, Any] = {}
    gradients = dict(seeds)
    owned = set()  # nodes and leaves whose gradient is a sum of ours: safe to add to in place
    contributions = modes.checking(_contributions)
    usual = not recorded and wanted is None and contributions is _contributions

    def useful(parent: Any) -> bool:
        """Whether a gradient for this parent leads to what is wanted."""
        return wanted is None or parent in wanted or parent in passing

    for node in nodes:
        g = gradients.pop(node, None)
        if g is None:  # nothing flowed here
            continue
        plan, hooks = node.plan, node.extras
        if hooks is not None and (node in seeds or useful(node)):
            g = pass_by(hooks, filled(g, node.shape, recorded) if type(g) is list else g)
        if wanted is not None:
            if node in wanted:
                captured[node] = g
            if node not in passing:
                continue
        if hooks is not None and "before" in hooks:
            g = pass_by(hooks["before"], g)
        if plan is None:  # one of several outputs: its gradient goes into its slot
            if node.parent not in gradients:
                gradients[node.parent] = [None] * len(node.parent.shape)
            put_into_slot(gradients[node.parent], node.saved, g)
            continue
        saved = node.saved
        if saved is FREED:
            raise freed(node)
        if node.order < edits.last:  # (a hook may have edited just now)
            require_intact(node)
        if usual and not plan.compound:
            first, second = node.parent, node.partner  # (the property `parents` written out)
            parents = (first, second) if second is not None else first if type(first) is tuple else (first,)
            pairs: Iterable[Any] = zip(parents, plan.rules)
        else:
            pairs = contributions(node, g, recorded, useful)
        if hooks is not None and "results" in hooks:
            pairs = through_node_hooks(node, pairs, g, saved)
        for parent, rule in pairs:
            part = rule(g, saved)
            if part is None:
                continue
            shape = parent.shape if isinstance(parent, Node) else parent.array.shape
            if part.shape != shape:
                part = unbroadcast(part, shape)
            old = gradients.get(parent)
            if old is None:
                gradients[parent] = part  # may alias another gradient
            elif parent in owned:
                old += part
                gradients[parent] = old  # NumPy's scalars don't change in place
            else:
                gradients[parent] = old + part
                if not recorded:
                    owned.add(parent)
        if not keep and saved is not None:
            node.saved = FREED
    for leaf, g in gradients.items():
        if leaf.extras is not None and "hooks" in leaf.extras:
            gradients[leaf] = pass_by(leaf.extras["hooks"], g)
    gradients.update(captured)
    return gradients


def _reachable(seeds: Iterable[Any], ends: Iterable[Any] = ()) -> list[Node]:
    """All nodes that lead to the seeds, the last created first: a node's consumers were all created after it."""
    seen = {*seeds, *ends}
    nodes = [key for key in seeds if isinstance(key, Node) and key not in ends]
    for node in nodes:  # grows on the way
        first, second = node.parent, node.partner  # (the property `parents` written out)
        for parent in (first, second) if second is not None else first if type(first) is tuple else (first,):
            if parent not in seen and isinstance(parent, Node):
                seen.add(parent)
                nodes.append(parent)
    nodes.sort(key=attrgetter("order"), reverse=True)
    return nodes


def _leading_to(nodes: list[Node], targets: set[Any]) -> set[Any]:
    """The nodes through which a gradient reaches one of the targets."""
    passing: set[Any] = set()
    for node in reversed(nodes):  # inputs before outputs
        if any(parent in targets or parent in passing for parent in node.parents):
            passing.add(node)
    return passing


def _contributions(node: Node, g: Any, recorded: bool, useful: Any) -> Iterator[tuple[Any, Any]]:
    """Each parent with a rule, as in the usual case, where the rules must be prepared.

    A recorded walk gives saved values their history first; joint rules and rules of lists are called once for all.
    """
    plan, saved, mask = node.plan, node.saved, None
    parents = iter(node.parents)
    if type(g) is list:
        g = filled(g, node.shape, recorded)
    if plan.listed is not None:
        saved, mask = saved
    if recorded:
        saved = saved_with_history(node, plan.saved_values(saved), mask)
        if plan.operation.twin is not None:
            yield from zip(parents, map(_found, walk_twin(walk, plan, saved, g)))
            return
        saved = saved if len(plan.names) > 1 else saved[0] if saved else None
    if plan.operation.joint is not None:
        parts = dict(zip(plan.operation.rules, plan.rules[0](g, saved), strict=True))
        yield from zip(parents, [_found(parts[name]) for name in plan.needs])
        return
    for name, rule in zip(plan.needs, plan.rules):
        if name == plan.listed:
            yield from zip(parents, [_found(part) for part, need in zip(rule(g, saved), mask or ()) if need])
        else:
            parent = next(parents)
            if useful(parent):
                yield parent, _found(rule(g, saved))


def _found(part: Any) -> Any:
    """A contribution that is known already, in the form of a rule."""
    return lambda g, saved: part


# --- leaves


def _accumulate(gradients: dict[Tensor, Any], recorded: bool) -> None:
    """Add each gradient to its leaf's `.grad`: the first as it is when only the walk holds it, later ones in place."""
    hooked: list[Tensor] = []
    with guard:
        while gradients:
            leaf, g = gradients.popitem()
            old = leaf._grad
            if leaf.extras is not None and "accumulated" in leaf.extras:
                hooked.append(leaf)
            if not leaf._requires_grad:  # frozen since the forward
                continue
            if leaf.node is not None:
                raise moved(leaf)
            if recorded:
                leaf._grad = identity(g) if old is None else old + g
            elif old is None:
                ours = getrefcount(g) == SOLE_HOLDER and not isinstance(g, generic) and backend.sole_view(g)
                leaf._grad = wrap(g if ours else own(g))
            elif old._requires_grad or not backend.is_writeable(old.array):
                leaf._grad = wrap(own(old.array + g))
            elif old.array.shape != g.shape:
                raise ShapeError(f"backward: {g.shape} meets a .grad of {tuple(old.shape)}; set .grad to None")
            else:
                old.array += g
                stamp(old.array, "backward (adding to .grad)")
    for leaf in reversed(hooked):  # in the order of the gradients
        pass_by(leaf.extras["accumulated"], leaf)
