"""Functions made from functions: `grad(f)` is the function that computes the gradient of f. Public as `func`.

They may be nested, and results belong to the graph of whatever outside them requires grad: arguments, what the function
knows from elsewhere, and the arguments of a transformation around this one.
"""

from typing import Any

from .errors import ArgumentError
from .nn.functional_call import functional_call
from .point import Function, Point
from .tensor import Tensor

__all__ = ["functional_call", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "value_and_grad", "vjp"]


def grad(func: Function, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Function:
    """A function that computes the gradient of `func`, a function that returns a 0-d tensor.

    Arguments: func, argnums (with respect to which arguments, by position; each a floating tensor or a nest of dicts,
    lists and tuples of them), has_aux (func returns a pair; the second part is handed through). The function returns
    gradients in the structure of the argument, a tuple of them for a tuple of argnums; with has_aux the pair
    (gradients, aux). Raises ArgumentError for another result of func and for argnums that don't exist.

    >>> import tinygrad_dl as tg
    >>> cube = lambda x: x * x * x
    >>> tg.func.grad(cube)(tg.tensor(2.0)), tg.func.grad(tg.func.grad(cube))(tg.tensor(2.0))
    (tensor(12.), tensor(12.))
    """

    def gradient(*args: Any, **kwargs: Any) -> Any:
        found, value = grad_and_value(func, argnums, has_aux)(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return gradient


def grad_and_value(func: Function, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Function:
    """As `grad`, for a function that returns (gradients, value), or with has_aux (gradients, (value, aux)).

    >>> import tinygrad_dl as tg
    >>> tg.func.grad_and_value(lambda x: x * x)(tg.tensor(3.0))
    (tensor(6.), tensor(9.))
    """

    def both(*args: Any, **kwargs: Any) -> Any:
        point = _at("grad", func, argnums, args, kwargs, has_aux)
        if not isinstance(point.value, Tensor) or point.value.ndim:
            came = (
                f"shape {tuple(point.value.shape)}" if isinstance(point.value, Tensor) else type(point.value).__name__
            )
            raise ArgumentError(
                f"grad: the function must return a 0-d Tensor, {came} came; see func.vjp and func.jacrev"
            )
        value = (point.value, point.aux) if has_aux else point.value
        return point.finished((point.pull(None), value))

    return both


def value_and_grad(func: Function, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Function:
    """As `grad_and_value`, in the order that JAX uses: (value, gradients).

    >>> import tinygrad_dl as tg
    >>> tg.func.value_and_grad(lambda x: x * x)(tg.tensor(3.0))
    (tensor(9.), tensor(6.))
    """
    both = grad_and_value(func, argnums, has_aux)
    return lambda *args, **kwargs: both(*args, **kwargs)[::-1]


def vjp(func: Function, *primals: Any, has_aux: bool = False) -> Any:
    """What `func` returns at `primals`, and the function v ↦ vᵀ·J that pulls gradients of it back to them.

    Arguments: func, primals (tensors or nests of them), has_aux as for `grad`. Returns (output, pull), or
    (output, pull, aux); pull takes what is built as the output and returns a tuple with a part for each primal.

    >>> import tinygrad_dl as tg
    >>> output, pull = tg.func.vjp(lambda x, y: x * y, tg.tensor(2.0), tg.tensor(3.0))
    >>> output, pull(tg.tensor(1.0))
    (tensor(6.), (tensor(3.), tensor(2.)))
    """
    point = Point("vjp", lambda given: func(*given), primals, None, has_aux=has_aux)
    point.require_floating()
    pull = lambda cotangents: point.finished(point.pull(cotangents))  # noqa: E731
    output, aux = point.finished((point.value, point.aux))
    return (output, pull, aux) if has_aux else (output, pull)


def jvp(func: Function, primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False) -> Any:
    """What `func` returns at `primals`, and its derivative J·v in the direction of `tangents`.

    Arguments: func, primals (a tuple of tensors or nests), tangents (of the same structure and shapes), strict (an
    output that depends on no primal is an error), has_aux as for `grad`. Returns (output, derivative) in one structure,
    or (output, derivative, aux). Raises ShapeError for tangents of another shape.

    >>> import tinygrad_dl as tg
    >>> tg.func.jvp(lambda x: x * x, (tg.tensor(3.0),), (tg.tensor(10.0),))
    (tensor(9.), tensor(60.))
    """
    if not isinstance(primals, tuple):
        raise ArgumentError(f"jvp: primals must be a tuple, so that func(*primals) can be called; {primals!r} came")
    point = Point("jvp", lambda given: func(*given), primals, None, strict, has_aux)
    result = point.finished((point.value, point.push(tangents), point.aux))
    return result if has_aux else result[:2]


def jacrev(
    func: Function, argnums: int | tuple[int, ...] = 0, *, has_aux: bool = False, chunk_size: int | None = None
) -> Function:
    """A function that computes the Jacobian of `func` by rows: for functions with fewer outputs than inputs.

    Arguments as for `grad`, func may return any nest of tensors; chunk_size (how many rows may be computed at once)
    changes nothing here: they go one by one. The function returns tensors of shape (*output.shape, *input.shape) in the
    structure of the output, each a structure of the argument; with has_aux the pair (Jacobian, aux).

    >>> import tinygrad_dl as tg
    >>> tg.func.jacrev(lambda x: x * x)(tg.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if chunk_size is not None and chunk_size < 1:
        raise ArgumentError(f"jacrev: chunk_size is at least 1, {chunk_size} came")
    return _jacobian("jacrev", "reverse-mode", func, argnums, has_aux)


def jacfwd(
    func: Function, argnums: int | tuple[int, ...] = 0, has_aux: bool = False, *, randomness: str = "error"
) -> Function:
    """A function that computes the Jacobian of `func` by columns: for functions with fewer inputs than outputs.

    Arguments and result as for `jacrev`. func runs once, so that all columns see the same random numbers; randomness
    "different" raises NotImplementedError.

    >>> import tinygrad_dl as tg
    >>> tg.func.jacfwd(lambda x: x * x)(tg.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if randomness not in ("error", "same"):
        raise NotImplementedError(f"jacfwd: func runs once for all columns, so randomness can't be {randomness!r}")
    return _jacobian("jacfwd", "forward-mode", func, argnums, has_aux)


def hessian(func: Function, argnums: int | tuple[int, ...] = 0) -> Function:
    """A function that computes the second derivatives of `func`: the Jacobian of its Jacobian.

    >>> import tinygrad_dl as tg
    >>> tg.func.hessian(lambda x: (x * x * x).sum())(tg.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)


def _jacobian(name: str, strategy: str, func: Function, argnums: int | tuple[int, ...], has_aux: bool) -> Function:
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        point = _at(name, func, argnums, args, kwargs, has_aux)
        if strategy == "reverse-mode":
            point.require_floating()
        found, aux = point.finished((point.jacobian(strategy), point.aux))
        return (found, aux) if has_aux else found

    return jacobian


def _at(name: str, func: Function, argnums: Any, args: tuple[Any, ...], kwargs: dict[str, Any], has_aux: bool) -> Point:
    """A function of some of its arguments, the others being constant."""
    several = isinstance(argnums, tuple)
    places = argnums if several else (argnums,)
    if not places or not all(isinstance(i, int) and -len(args) <= i < len(args) for i in places):
        raise ArgumentError(
            f"{name}: argnums is the position of an argument or a tuple of them, {argnums!r} came for {len(args)} "
            "argument(s) by position"
        )
    places = [i % len(args) for i in places]
    if len(set(places)) < len(places):
        raise ArgumentError(f"{name}: argnums {argnums} names an argument twice")

    def call(given: Any) -> Any:
        chosen = dict(zip(places, given if several else (given,)))
        return func(*[chosen.get(i, value) for i, value in enumerate(args)], **kwargs)

    inputs = tuple([args[i] for i in places])
    return Point(name, call, inputs if several else inputs[0], None, has_aux=has_aux)
