"""Derivatives of functions: Jacobians, Hessians and products with them. Public as `autograd.functional`.

Two products with the Jacobian J of a function at a point are all there is: vᵀ·J is a walk, and J·v the derivative of
uᵀ·J with respect to u. A row of J is vᵀ·J for a unit vector v, and a Hessian is the Jacobian of a gradient. `func.py`
gives the same under other names.
"""

from typing import Any

from .errors import ArgumentError
from .nested import NoTensorError
from .point import Function, Point
from .tensor import Tensor

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


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
