"""Derivatives of functions: Jacobians, Hessians and products with them. Public as `autograd.functional`.

Two products with the Jacobian J of a function at a point are all there is: vᵀ·J is a walk, and J·v the derivative of
uᵀ·J with respect to u. A row of J is vᵀ·J for a unit vector v, and a Hessian is the Jacobian of a gradient. `func.py`
gives the same under other names.
"""

from collections.abc import Callable, Sequence
from typing import Any, cast

from .arguments import key_of
from .autograd import _leading_to, _reachable, grad, inference_mode, is_grad_enabled
from .creation import arange, ones_like, zeros, zeros_like
from .errors import ArgumentError, GraphError, ShapeError
from .modes import walking
from .nested import NoTensorError, leaves_of, like, tensors_of
from .ops.elementwise import identity
from .ops.shape import stack
from .tensor import Tensor, wrap

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

Function = Callable[..., Any]
Tensors = Sequence[Tensor]


# --- a function at a point


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
        seeds = [zeros_like(out).requires_grad_() for out in self.outputs]
        return seeds, _pull(self.outputs, self.inputs, seeds, True, self.strict)

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
            parents = [node.parents if type(node.parents) is tuple else (node.parents,) for node in nodes]
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


# --- autograd.functional


def jacobian(
    func: Function,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian of a function: J[i, j] = d output i / d input j.

    Arguments: func (of tensors, giving tensors, also nested), inputs (a floating tensor or a tuple of them),
    create_graph (record, for higher derivatives), strict (an output that does not depend on an input is an error, not
    zeros), strategy ("reverse-mode": a walk per row, "forward-mode": a walk per column), vectorize (changes nothing
    here: walks go one by one). Returns a tensor of shape (*output.shape, *input.shape), a tuple of them for a tuple of
    inputs, in the structure of the outputs. Raises ArgumentTypeError for what is no tensor, GraphError under `strict`.
    Source: notes, section 1.11.

    >>> import tinygrad_dl as tg
    >>> tg.autograd.functional.jacobian(lambda x: x * x, tg.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    point = _at("jacobian", func, inputs, create_graph, strict)
    return point.finished(point.jacobian(strategy))


def hessian(
    func: Function,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The second derivatives of a function that gives one number: H[i, j] = d² output / (d input i · d input j).

    Arguments as for `jacobian`. Returns a tensor of shape (*input.shape, *input.shape), a tuple of tuples for a tuple
    of inputs. Raises as `jacobian`, and ArgumentError for a function with another result. Source: notes, section 1.11.

    >>> import tinygrad_dl as tg
    >>> tg.autograd.functional.hessian(lambda x: (x * x * x).sum(), tg.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    point = _gradient_at("hessian", func, inputs, create_graph, strict)
    return point.finished(point.jacobian(outer_jacobian_strategy))


def vjp(func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """The product of a vector and the Jacobian, vᵀ·J.

    Arguments as for `jacobian`; v has the shapes of the outputs (None: 1, for one output of one element). Returns the
    outputs, and the product in the structure of the inputs. Raises as `jacobian`, and ShapeError for another v.

    >>> import tinygrad_dl as tg
    >>> tg.autograd.functional.vjp(lambda x: x * x, tg.tensor([1.0, 2.0]), tg.tensor([1.0, 10.0]))
    (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    point = _at("vjp", func, inputs, create_graph, strict)
    return point.finished((point.value, point.pull(v)))


def jvp(func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """The product of the Jacobian and a vector, J·v: the derivative in the direction v.

    Arguments as for `jacobian`; v has the shapes of the inputs (None: 1, for one input of one element). Returns the
    outputs, and the product in their structure. Raises as `vjp`.

    >>> import tinygrad_dl as tg
    >>> tg.autograd.functional.jvp(lambda x: (x * x).sum(), tg.tensor([1.0, 2.0]), tg.tensor([1.0, 1.0]))
    (tensor(5.), tensor(6.))
    """
    point = _at("jvp", func, inputs, create_graph, strict)
    return point.finished((point.value, point.push(v)))


def hvp(func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """The product of the Hessian and a vector, H·v, without the n² numbers of the Hessian.

    Arguments as for `hessian`; v has the shapes of the inputs (None: 1, for one input of one element). Returns the
    output, and the product in the structure of the inputs. Raises as `hessian` and `vjp`. Source: notes, section 1.11.

    >>> import tinygrad_dl as tg
    >>> tg.autograd.functional.hvp(lambda x: (x * x * x).sum(), tg.tensor([1.0, 2.0]), tg.tensor([1.0, 1.0]))
    (tensor(9.), tensor([ 6., 12.]))
    """
    point = _gradient_at("hvp", func, inputs, create_graph, strict)
    return point.finished((point.aux, point.push(v)))


def vhp(func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """The product of a vector and the Hessian, vᵀ·H: a walk less than `hvp`, and equal where H is symmetric.

    Arguments, results and errors as for `hvp`.

    >>> import tinygrad_dl as tg
    >>> tg.autograd.functional.vhp(lambda x: (x * x * x).sum(), tg.tensor([1.0, 2.0]), tg.tensor([1.0, 1.0]))
    (tensor(9.), tensor([ 6., 12.]))
    """
    point = _gradient_at("vhp", func, inputs, create_graph, strict)
    return point.finished((point.aux, point.pull(v)))


def _at(name: str, func: Function, inputs: Any, create_graph: bool, strict: bool, has_aux: bool = False) -> Point:
    """A function at a tensor or a tuple of tensors."""
    if not isinstance(inputs, Tensor | tuple):
        raise NoTensorError(f"{name}: inputs must be a Tensor or a tuple of Tensors, not {type(inputs).__name__}")
    call = (lambda given: func(*given)) if isinstance(inputs, tuple) else func
    return Point(name, call, inputs, create_graph, strict, has_aux)


def _gradient_at(name: str, func: Function, inputs: Any, create_graph: bool, strict: bool) -> Point:
    """The gradient of a function of one number at a point; the number is its `aux`."""

    def gradient(*given: Tensor) -> tuple[Any, Tensor]:
        point = _at(name, func, given if isinstance(inputs, tuple) else given[0], True, strict)
        if not isinstance(point.value, Tensor) or point.value.numel() != 1:
            raise ArgumentError(f"{name}: the function must return a single Tensor of one element")
        return point.pull(None), point.value

    return _at(name, gradient, inputs, create_graph, strict, has_aux=True)
