"""A function at a point and products with its Jacobian, on which `autograd.functional` and `func` stand.

vᵀ·J is a walk, and J·v the derivative of uᵀ·J with respect to u.
"""

from collections.abc import Callable, Sequence
from typing import Any, cast

from .arguments import key_of
from .autograd import _leading_to, _reachable, grad, inference_mode, is_grad_enabled
from .creation import arange, ones_like, zeros, zeros_like
from .errors import ArgumentError, DtypeError, GraphError, ShapeError
from .modes import walking
from .nested import leaves_of, like, tensors_of
from .ops.elementwise import identity
from .ops.joining import stack
from .tensor import Tensor, wrap

Function = Callable[..., Any]
Tensors = Sequence[Tensor]


class Point:
    """A function at a point: its value there, and products with its Jacobian.

    `call` takes a structure of tensors such as `inputs`. `record` says whether results stay in the graph; None: in that
    of whatever outside the function requires grad.
    """

    def __init__(
        self, name: str, call: Function, inputs: Any, record: bool | None, strict: bool = False, has_aux: bool = False
    ) -> None:
        self.name, self.like_inputs, self.record, self.strict = name, inputs, record, strict
        attached = is_grad_enabled() if record is None else record
        with inference_mode(False):  # which records, whatever the mode outside
            # Tensors of its own: what the function knows of the caller's from elsewhere is constant to it.
            given = [
                identity(t) if attached and t.requires_grad else t.detach().requires_grad_()
                for t in tensors_of(f"{name}: inputs", inputs)
            ]
            # An edit in place gives a tensor another node; the derivative is with respect to what came.
            self.inputs = [t if t.node is None else wrap(t.array, True, t.node) for t in given]
            result = call(like(inputs, iter(given)))
        if has_aux and not (isinstance(result, tuple) and len(result) == 2):
            raise ArgumentError(f"{name}: with has_aux=True the function must return a tuple (output, aux)")
        self.value, self.aux = result if has_aux else (result, cast(Any, None))
        self.outputs = tensors_of(f"{name}: what the function returns", self.value)

    def pull(self, v: Any) -> Any:
        """vᵀ·J, shaped as the inputs."""
        vectors = vectors_of(self.name, v, self.outputs)
        found = _pull(self.outputs, self.inputs, vectors, self._recorded(vectors), self.strict)
        return like(self.like_inputs, iter(found))

    def push(self, v: Any) -> Any:
        """J·v, shaped as the outputs."""
        vectors = vectors_of(self.name, v, self.inputs)
        seeds, products = self._linear()
        return like(self.value, iter(_pull(products, seeds, vectors, self._recorded(vectors), self.strict)))

    def jacobian(self, strategy: str) -> Any:
        """J by rows ("reverse-mode") or columns: for each output and input, of both shapes one behind the other."""
        if strategy not in ("reverse-mode", "forward-mode"):
            raise ArgumentError(f"{self.name}: strategy is 'reverse-mode' or 'forward-mode', not {strategy!r}")
        recorded = self._recorded()
        with walking(recorded):
            if strategy == "reverse-mode":
                parts = [_rows(out, self.inputs, recorded, self.strict) for out in self.outputs]
            else:
                seeds, products = self._linear()
                columns = [_rows(product, seeds, recorded, self.strict) for product in products]
                parts = [[_swapped(part, t.ndim) for part, t in zip(row, self.inputs)] for row in zip(*columns)]
        return like(self.value, iter([like(self.like_inputs, iter(row)) for row in parts]))

    def _linear(self) -> tuple[list[Tensor], list[Tensor]]:
        """Some u, and uᵀ·J recorded."""
        dtype = self.inputs[0].dtype  # for outputs of integers, whose derivative is 0
        seeds = [
            zeros_like(out, dtype=out.dtype if out.is_floating_point() else dtype).requires_grad_()
            for out in self.outputs
        ]
        return seeds, _pull(self.outputs, self.inputs, seeds, True, self.strict)

    def require_floating(self) -> None:
        """Raise when an output has no gradient that could be pulled back."""
        for out in self.outputs:
            if not out.is_floating_point():
                raise DtypeError(f"{self.name}: all outputs must be floating, one is {out.dtype}; see has_aux")

    def _recorded(self, vectors: Tensors = ()) -> bool:
        if self.record is None:
            return any(t.requires_grad for t in self.finished([*self.outputs, *vectors]))
        return self.record

    def finished(self, tree: Any) -> Any:
        """Results as the caller gets them: without a history that leads only to tensors of ours."""
        if self.record:
            return tree
        leaves = leaves_of(tree)
        keys = {key_of(t) for t in leaves if isinstance(t, Tensor) and t.requires_grad}
        outside: set[Any] = set()
        if self.record is None and is_grad_enabled():
            nodes = _reachable(keys)
            parents = [node.parents for node in nodes]
            outside = {leaf for leaf in keys.union(*parents) if isinstance(leaf, Tensor)} - {*self.inputs}
            outside |= _leading_to(nodes, outside)
        ours = keys - outside
        return like(tree, iter([t.detach() if isinstance(t, Tensor) and key_of(t) in ours else t for t in leaves]))


def _pull(outputs: Tensors, inputs: Tensors, vectors: Tensors, recorded: bool, strict: bool) -> list[Tensor]:
    """The gradients of inputs when `vectors` are those of the outputs; zeros for what no output depends on."""
    pairs = [(out, vector) for out, vector in zip(outputs, vectors) if out.requires_grad]
    found: Sequence[Tensor | None] = [None] * len(inputs)
    if pairs:
        roots, seeds = zip(*pairs)
        found = grad(roots, inputs, seeds, retain_graph=True, create_graph=recorded, allow_unused=True)
    lost = [i for i, g in enumerate(found) if g is None or (recorded and not g.requires_grad)]
    if strict and (lost or len(pairs) < len(outputs)):
        what = "an output or its derivative (recorded under create_graph)" if recorded else "an output"
        raise GraphError(f"strict=True: {what} does not depend on input {lost or 'any'}; strict=False has zeros")
    return [zeros_like(t) if g is None else g for t, g in zip(inputs, found)]


def _rows(out: Tensor, inputs: Tensors, recorded: bool, strict: bool) -> list[Tensor]:
    """The Jacobian of one output with respect to each input: a walk per element."""
    place = arange(out.numel(), device=out.device).reshape(out.shape)
    rows = [_pull([out], inputs, [(place == k).to(out.dtype)], recorded, strict) for k in range(out.numel())]
    shapes = [(*out.shape, *t.shape) for t in inputs]
    if not rows:
        return [zeros(shape, dtype=t.dtype, device=t.device) for shape, t in zip(shapes, inputs)]
    return [stack(parts).reshape(shape) for shape, parts in zip(shapes, zip(*rows))]


def _swapped(columns: Tensor, ndim: int) -> Tensor:
    """With the first `ndim` dimensions behind the others."""
    return columns.permute((*range(ndim, columns.ndim), *range(ndim)))


def vectors_of(name: str, v: Any, wanted: Tensors) -> list[Tensor]:
    """The tensors of v, one of the shape of each of the wanted."""
    if v is None and len(wanted) == 1 and wanted[0].numel() == 1:
        return [ones_like(wanted[0])]
    vectors = [] if v is None else tensors_of(f"{name}: v", v)
    came, shapes = ([tuple(t.shape) for t in tensors] for tensors in (vectors, wanted))
    if came != shapes:
        raise ShapeError(f"{name}: v must have the shape(s) {shapes}, {came or None} came")
    return vectors
