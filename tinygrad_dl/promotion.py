"""How the arguments of an operation meet in one dtype and on one device, by PyTorch's rules."""

from typing import Any

import numpy as np

from . import backend
from .dtypes import FLOATING, of_numpy, result_type
from .errors import ArgumentTypeError
from .explain import explain
from .tensor import Tensor, wrap

SCALARS = frozenset((float, int, bool))


def regular(operation: Any, args: tuple[Any, ...]) -> bool:
    """Whether all inputs are numbers or floating tensors of one dtype and kind of array, as usual: nothing to do."""
    first = None
    for i in operation.places:
        value = args[i]
        if isinstance(value, Tensor):
            array = value.array
            if first is None:
                first = array
            elif array.dtype is not first.dtype or type(array) is not type(first):
                return False
        elif type(value) is not float and type(value) is not int and (value is not None or i < operation.required):
            return False
    return first is not None and first.dtype in FLOATING


def meeting(operation: Any, args: tuple[Any, ...]) -> tuple[list[Any], list[tuple[int, Any, Any]]]:
    """The arguments as operands, and which of them (place, dtype, device) must be converted for all to meet.

    NumPy's scalars and the user's 0-d arrays become Python scalars, other arrays constant tensors.
    """
    values = list(args)
    places = [i for i in operation.places if values[i] is not None or i < operation.required]
    if not any(isinstance(values[i], Tensor) for i in places):
        return values, []  # a rule calls with raw arrays
    for i in places:
        values[i] = as_operand(operation.name, operation.parameters[i], values[i])
    tensors = [values[i] for i in places if isinstance(values[i], Tensor)]
    where = next((value.device for value in tensors if value.array.ndim), tensors[0].device)
    target = result_type([getattr(values[i], "array", values[i]) for i in places], operation.promote == "float")
    if target.kind in operation.refuse[0]:
        raise explain(operation.name, operation.parameters, args, TypeError(operation.refuse[1]))
    conversions = []
    for i in places:
        value = values[i]
        if not isinstance(value, Tensor):
            values[i] = float(value) if target.kind == "f" and type(value) is int else value
        elif value.device != where:
            if value.array.ndim:
                raise explain(operation.name, operation.parameters, args, TypeError("mixed devices"))
            # 0-d tensors mix with all devices
            conversions.append((i, target, where))
        elif value.array.dtype is not target:
            conversions.append((i, target, None))
    return values, conversions


def as_operand(name: str, argument: str, value: Any) -> Any:
    """A tensor or a Python scalar from what may stand beside a tensor."""
    if isinstance(value, Tensor) or type(value) in SCALARS:
        return value
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0):
        value = value.item()
        if type(value) in SCALARS:
            return value
    elif backend.is_array(value):
        of_numpy(value.dtype)  # raises for a dtype that no tensor has
        return wrap(backend.host_array(value) if isinstance(value, np.ndarray) else value)
    elif isinstance(value, bool | int | float):  # a subclass of Python's numbers, such as an enumeration's member
        return (bool if isinstance(value, bool) else int if isinstance(value, int) else float)(value)
    raise ArgumentTypeError(
        f"{name}: {argument} must be a Tensor, a NumPy array or a number, not {type(value).__name__}; convert it with "
        "tinygrad_dl.tensor(...)"
    )


def wrapped_integers(args: tuple[Any, ...]) -> list[Any]:
    """The arguments with Python integers wrapped into the range of the tensors' dtype, as PyTorch does."""
    dtype = result_type([getattr(value, "array", value) for value in args])
    if dtype.kind not in "iu":
        return list(args)
    info = np.iinfo(dtype)
    low, span = int(info.min), int(info.max) - int(info.min) + 1
    return [(value - low) % span + low if type(value) is int else value for value in args]
