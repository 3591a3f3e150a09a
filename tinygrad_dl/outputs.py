"""`out=`: what a function computes goes into a tensor that the user has."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

from .dtypes import can_cast, find
from .errors import ArgumentTypeError, DeviceError, DtypeError, GraphError, ShapeError
from .modes import is_grad_enabled, no_grad
from .tensor import Tensor

Creation = TypeVar("Creation", bound=Callable[..., Any])


def into(
    out: Any, function: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any], surplus: Any = None
) -> Any:
    """Call a function, write its result into `out` (one tensor, or as many as there are results) and return that.

    Raises GraphError while recording when an argument requires grad: what is written into `out` has no history.
    """
    name = function.__name__
    if out is None or surplus is not None:
        raise ArgumentTypeError(f"{name}: takes {len(args)} argument(s) by position, more came; out= goes by name")
    outs = out if isinstance(out, tuple | list) else (out,)
    for value in outs:
        if not isinstance(value, Tensor):
            raise ArgumentTypeError(f"{name}: out must be a Tensor, {type(value).__name__} came")
    if is_grad_enabled() and any(map(_requires_grad, (args, options, outs))):
        raise GraphError(
            f"{name}: out= writes outside the graph, but an argument requires grad; leave out= away, or use no_grad()"
        )
    with no_grad():
        result = function(*args, **options)
        results = result if isinstance(result, tuple | list) else (result,)
        if not all(isinstance(value, Tensor) for value in results):
            raise ArgumentTypeError(f"{name}: gives no tensor that could be written into out; leave out= away")
        if len(outs) != len(results) or (len(results) == 1) is not (out is outs[0]):
            raise ArgumentTypeError(f"{name}: {len(results)} result(s) need out= of as many tensors, {len(outs)} came")
        for target, value in zip(outs, results, strict=True):
            _check(name, target, value)
        for target, value in zip(outs, results, strict=True):
            if target.shape == value.shape:
                target.copy_(value)
            else:
                target.data = value.to(target.dtype).clone()
    return result._make(outs) if hasattr(result, "_make") else out


def _requires_grad(value: Any) -> bool:
    if isinstance(value, Tensor):
        return value.requires_grad
    members = value.values() if isinstance(value, dict) else value if isinstance(value, tuple | list) else ()
    return any(map(_requires_grad, members))


def _check(name: str, target: Tensor, value: Tensor) -> None:
    if target.device != value.device:
        raise DeviceError(f"{name}: out is on '{target.device}', the result on '{value.device}'")
    if not can_cast(value.dtype, target.dtype):
        raise DtypeError(f"{name}: a result of {value.dtype} can't be written into out of {target.dtype}")
    if target.shape != value.shape and target.numel():
        raise ShapeError(
            f"{name}: the result has shape {tuple(value.shape)}, out has {tuple(target.shape)}; pass an out of that "
            "shape, or an empty one"
        )


def fills_out(create: Creation) -> Creation:
    """Let a function that makes a tensor take `out=`; the dtype and the device are then those of `out`."""

    @functools.wraps(create)
    def call(*args: Any, out: Any = None, **options: Any) -> Any:
        if not isinstance(out, Tensor):
            return create(*args, **options) if out is None else into(out, create, args, options)
        wanted = options.get("dtype")
        if wanted is not None and find(wanted) != out.dtype:
            raise DtypeError(f"{create.__name__}: out has {out.dtype}, dtype={wanted} was asked for")
        return into(out, create, args, {**options, "dtype": out.dtype, "device": out.device})

    return cast(Creation, call)
