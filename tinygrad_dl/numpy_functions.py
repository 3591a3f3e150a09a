"""NumPy's functions on tensors: those that operations come from record, others see plain arrays or refuse."""

from typing import Any

import numpy as np

from . import backend
from .errors import ArgumentTypeError, GraphError
from .inplace import stamp
from .tensor import NUMPY, Tensor, wrap


def array_ufunc(self: Tensor, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
    operation = NUMPY.get(ufunc) if method == "__call__" and "out" not in options else None
    if operation is not None:
        return operation(*inputs, **options)
    return _outside_the_graph(
        f"{ufunc.__name__}.{method}" if method != "__call__" else ufunc.__name__,
        getattr(ufunc, method),
        inputs,
        options,
    )


def array_function(self: Tensor, function: Any, types: Any, args: Any, options: Any) -> Any:
    operation = NUMPY.get(function)
    if operation is not None and "out" not in options:
        return operation(*args, **options)
    return _outside_the_graph(function.__name__, function, args, options)


def _plain(name: str, value: Any) -> Any:
    """An argument of a NumPy function with arrays in place of tensors."""
    if isinstance(value, Tensor):
        if value._requires_grad:
            raise GraphError(
                f"numpy.{name}: no operation records this call, so the gradient of a tensor of shape "
                f"{tuple(value.shape)} would be lost. Use a tinygrad_dl function, or tensor.detach()"
            )
        return value.array
    return type(value)([_plain(name, part) for part in value]) if isinstance(value, list | tuple) else value


def _outside_the_graph(name: str, function: Any, args: Any, options: Any) -> Any:
    """Call a NumPy function that no operation records: on plain arrays, and only if no gradient is lost by that."""
    outs = options.get("out")
    if isinstance(outs, Tensor) or (isinstance(outs, tuple) and any(isinstance(out, Tensor) for out in outs)):
        raise ArgumentTypeError(f"numpy.{name}: out= can't be a Tensor; assign the result, or pass tensor.numpy()")
    plain = {key: _plain(name, value) for key, value in options.items()}
    result = function(*_plain(name, tuple(args)), **plain)
    written = args[0] if args else next((options[key] for key in ("dst", "a", "arr") if key in options), None)
    if isinstance(written, Tensor) and (name in WRITERS or name.endswith(".at")):
        stamp(written.array, f"numpy.{name}")
    if isinstance(result, np.generic):
        result = backend.scalar_array(result)
    return wrap(result) if outs is None and backend.is_array(result) and result.dtype.kind in "biuf" else result


WRITERS = frozenset(
    ("copyto", "put", "place", "putmask", "fill_diagonal", "put_along_axis")
)  # into their first argument

Tensor.__array_ufunc__ = array_ufunc  # type: ignore[attr-defined]
Tensor.__array_function__ = array_function  # type: ignore[attr-defined]
