"""What came in: arguments by position, and the tensors and gradients from which a walk starts."""

import functools
from collections.abc import Iterable
from types import CodeType, FunctionType
from typing import Any

from . import backend
from .errors import ArgumentTypeError, DeviceError, GraphError, ShapeError, nearest
from .tensor import Tensor, wrap

ALIASES = {
    "axis": "dim",
    "axes": "dim",
    "keepdims": "keepdim",
    "x": "input",
    "a": "input",
    "x1": "input",
    "x2": "other",
    "b": "other",
}


def written(source: str, module: str, **names: Any) -> Any:
    """A function from a lambda's text, with parameters that are known at run time only, as one of a module."""
    return FunctionType(_code_of(source).replace(), {**names, "__name__": module})


@functools.cache
def _code_of(source: str) -> CodeType:
    """Compiled once: a copy, which each function needs to be specialised, takes a twentieth of the time."""
    code: CodeType = eval(source).__code__
    return code


def bind(operation: Any, args: tuple[Any, ...], options: dict[str, Any]) -> tuple[Any, ...]:
    """All arguments by position, defaults filled in."""
    if len(args) > len(operation.parameters):
        raise ArgumentTypeError(
            f"{operation.name}: takes {len(operation.parameters)} argument(s) by position, {len(args)} came"
        )
    if not options and len(args) >= operation.required:
        return args + operation.defaults[len(args) - operation.required :]
    given = dict(zip(operation.parameters, args, strict=False))
    for name, value in options.items():
        name = ALIASES.get(name, name) if name not in operation.parameters else name
        if name not in operation.parameters:
            hint = nearest(name, operation.parameters)
            raise ArgumentTypeError(
                f"{operation.name}: there is no argument {name!r}; it takes {', '.join(operation.parameters)}.{hint}"
            )
        if name in given:
            raise ArgumentTypeError(f"{operation.name}: argument {name!r} came twice")
        given[name] = value
    filled = dict(zip(operation.parameters[operation.required :], operation.defaults, strict=True)) | given
    missing = [name for name in operation.parameters if name not in filled]
    if missing:
        raise ArgumentTypeError(f"{operation.name}: missing argument(s) {', '.join(missing)}")
    return tuple([filled[name] for name in operation.parameters])


def unruled(operation: Any, i: int) -> bool:
    """Refuse a tensor that requires grad where an operation that has rules has none for it."""
    if operation.rules:
        raise NotImplementedError(
            f"{operation.name}: no derivative is known for {operation.parameters[i]}; pass "
            f"{operation.parameters[i]}.detach()"
        )
    return False


def refuse_arrays(record: Any, operation: Any, arrays: list[Any]) -> Any:
    """What a user gets who calls an operation without any Tensor."""
    came = type(arrays[0]).__name__ if arrays else "nothing"
    raise ArgumentTypeError(
        f"{operation.name}: input must be a Tensor, {came} came; convert it with tinygrad_dl.tensor(...)"
    )


def key_of(tensor: Tensor) -> Any:
    """What stands for a tensor in a walk: its node, or on a leaf itself."""
    return tensor if tensor.node is None else tensor.node


def keys_of(operation: str, inputs: list[Tensor]) -> list[Any]:
    """What stands for each input in a walk; GraphError for one that does not require grad."""
    for i, tensor in enumerate(inputs):
        if not tensor._requires_grad:
            raise GraphError(
                f"{operation}: input {i} (shape {tuple(tensor.shape)}) does not require grad; call requires_grad_() "
                "before the forward"
            )
    return [key_of(tensor) for tensor in inputs]


def listed(operation: str, argument: str, tensors: Any) -> list[Tensor]:
    """One tensor or several as a list."""
    if isinstance(tensors, Tensor):
        return [tensors]
    found = list(tensors) if isinstance(tensors, Iterable) else [tensors]
    for tensor in found:
        if not isinstance(tensor, Tensor):
            raise ArgumentTypeError(f"{operation}: {argument} must be Tensors, {type(tensor).__name__} came")
    return found


def seeds_of(operation: str, roots: list[Tensor], gradients: Any, recorded: bool) -> dict[Any, Any]:
    """The gradient with which each root starts."""
    if gradients is None:
        given = [None] * len(roots)
    else:
        given = list(gradients) if isinstance(gradients, (list, tuple)) else [gradients]
    if len(given) != len(roots):
        raise GraphError(f"{operation}: {len(roots)} tensor(s) came with {len(given)} gradient(s); pass one for each")
    seeds: dict[Any, Any] = {}
    for root, gradient in zip(roots, given):
        if not root._requires_grad:
            raise GraphError(
                f"{operation}: this tensor (shape {tuple(root.shape)}, {root.dtype}) does not require grad and no "
                "operation that does made it. Call requires_grad_() on the inputs before the forward, and check for "
                "no_grad and detach"
            )
        if gradient is None:
            if root.array.size != 1:
                raise _no_implicit_gradient(operation, root)
            g = wrap(backend.ones(root.array)) if recorded else backend.one(root.array)
        else:
            g = _seed(operation, root, gradient)
            g = g if recorded else g.array
        key = key_of(root)
        seeds[key] = g if key not in seeds else seeds[key] + g
    return seeds


def _no_implicit_gradient(operation: str, root: Tensor) -> GraphError:
    return GraphError(
        f"{operation}: only a tensor of one element has an implicit gradient (1), this one has shape "
        f"{tuple(root.shape)}. Reduce it first, for example with .sum() or .mean(), or pass a gradient of that shape"
    )


def _seed(operation: str, root: Tensor, gradient: Any) -> Tensor:
    """The user's gradient of a root, checked."""
    array = root.array
    if not isinstance(gradient, Tensor):
        raise ArgumentTypeError(
            f"{operation}: a gradient is a Tensor of shape {tuple(root.shape)}, {type(gradient).__name__} came"
        )
    if gradient.array.shape != array.shape:
        raise ShapeError(
            f"{operation}: a gradient of shape {tuple(gradient.shape)} came for a tensor of shape {tuple(root.shape)}"
        )
    if type(gradient.array) is not type(array):
        raise DeviceError(
            f"{operation}: the gradient is on '{gradient.device}', the tensor on '{root.device}'; use "
            f"gradient.to('{root.device}')"
        )
    return gradient if gradient.array.dtype is array.dtype else gradient.to(root.dtype)
