"""What to say after a failure: the operation, what came, and what would work. Nothing here runs before one."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from . import backend
from .errors import (
    ArgumentError,
    ArgumentTypeError,
    DeviceError,
    DimensionError,
    DtypeError,
    GraphError,
    ShapeError,
    TinygradError,
    nearest,
)


def describe(value: Any) -> str:
    """A value as an error names it: shape, dtype and device of arrays, the value of the rest."""
    array = getattr(value, "array", value)
    if backend.is_array(array):
        where = backend.device_of(array)
        place = "" if where.type == "cpu" else f" on '{where}'"
        return f"{array.dtype.name} of shape {tuple(array.shape)}{place}"
    if isinstance(value, list | tuple) and any(backend.is_array(getattr(part, "array", part)) for part in value):
        return "[" + ", ".join(map(describe, value)) + "]"
    return repr(value)


def explain(operation: str, names: Iterable[str], values: Iterable[Any], error: Exception) -> Exception:
    """Our error for one that the array library raised in a forward."""
    if isinstance(error, TinygradError):
        return error
    pairs = list(zip(names, values, strict=False))
    members = [(name, part) for name, value in pairs for part in (value if isinstance(value, list) else [value])]
    arrays = [(name, value) for name, value in members if backend.is_array(getattr(value, "array", value))]
    came = ", ".join(f"{name} {describe(value)}" for name, value in pairs if value is not None)
    mixed = _mixed_devices(operation, arrays)
    if mixed is not None:
        return mixed
    shapes = [tuple(value.shape) for _, value in arrays]
    if len(shapes) == 2 and "broadcast" in str(error):
        (first, _), (second, _) = arrays
        return ShapeError(
            f"{operation}: {first} {shapes[0]} and {second} {shapes[1]} don't broadcast: {_misfit(*shapes)}"
        )
    if isinstance(error, np.exceptions.AxisError):
        n = max(error.ndim or 0, 1)
        return DimensionError(f"{operation}: dim {error.axis} is out of range, {-n} to {n - 1} would work; got {came}")
    if isinstance(error, IndexError):
        return DimensionError(f"{operation}: {_plain(error)}; got {came}")
    if isinstance(error, TypeError):
        if "ufunc" in str(error):
            dtypes = " and ".join(dict.fromkeys(value.dtype.name for _, value in arrays))
            return DtypeError(
                f"{operation}: not defined for {dtypes}; got {came}. Convert first, for example with .float()"
            )
        kind: type[Exception] = ArgumentTypeError if "integer" in str(error) else DtypeError
        return kind(f"{operation}: {_plain(error)}; got {came}")
    if isinstance(error, AttributeError):  # what is no array has not what arrays have
        return ArgumentTypeError(
            f"{operation}: tensors are needed, got {came}; convert numbers and lists with tinygrad_dl.tensor(...)"
        )
    if isinstance(error, OverflowError):
        return ArgumentError(f"{operation}: {_plain(error)}; got {came}")
    return ShapeError(f"{operation}: {_plain(error)}; got {came}")


def _mixed_devices(operation: str, arrays: list[tuple[str, Any]]) -> DeviceError | None:
    devices = [backend.device_of(getattr(value, "array", value)) for _, value in arrays]
    if len(set(devices)) < 2:
        return None
    placed = ", ".join(f"{name} is on '{where}'" for (name, _), where in zip(arrays, devices, strict=True))
    return DeviceError(f"{operation}: {placed}. Move one of them, for example {arrays[-1][0]}.to('{devices[0]}')")


def _misfit(first: tuple[int, ...], second: tuple[int, ...]) -> str:
    """The last dimension at which two shapes do not broadcast, and what would work."""
    for back in range(1, min(len(first), len(second)) + 1):
        a, b = first[-back], second[-back]
        if a != b and 1 not in (a, b):
            return f"dimension {-back} is {a} and {b}; equal sizes, or 1 in one of them, would work"
    return "equal sizes, or 1 in one of them, would work"


def _plain(error: Exception) -> str:
    """The library's message in one line without its own punctuation at the end."""
    return " ".join(str(error).split()).rstrip(".")


def freed(node: Any) -> GraphError:
    """The error for walking a node whose saved values are gone."""
    return GraphError(
        f"backward: {node.plan.operation.name} (output of shape {node.shape}) was walked already and what it saved is "
        "freed. If two losses share it, add them and call backward once, or pass retain_graph=True to the first call. "
        f"If it is from an earlier training step, a tensor outlived that step: detach() it.{recorded_at(node)}"
    )


def recorded_at(node: Any) -> str:
    """The sentence that says where a node was recorded; empty when neither a trace nor anomaly mode kept that."""
    call = getattr(node, "call", None)
    return "" if call is None else f" {node.plan.operation.name} was recorded at {call}"


def unknown_name(operation: Any, places: list[str], name: str) -> ArgumentError:
    """The error for a rule that asks for what there is not."""
    return ArgumentError(
        f"{operation.name}: a rule asks for {name!r}, but there are g, {', '.join(places)}, and of each its _shape, "
        f"_dtype and _device.{nearest(name, places)}"
    )


def refused(operation: Any, arrays: list[Any], error: Exception) -> Exception:
    """Our error for a failed elementwise forward; for a dtype that the operation refuses, with its own words."""
    if any(getattr(array, "dtype", np.dtype("V")).kind in operation.refuse[0] for array in arrays):
        error = TypeError(operation.refuse[1])
    met = [backend.scalar_array(value) if isinstance(value, np.generic) else value for value in arrays]
    return explain(operation.name, operation.parameters, met, error)


def moved(leaf: Any) -> Exception:
    """A leaf that has become the result of an edit since it was used."""
    return GraphError(
        f"backward: a leaf of shape {tuple(leaf.shape)} was used and then edited in place into the graph, so it has no "
        ".grad any more for that use. Edit a copy: tensor.clone()"
    )


def unused(i: int, tensor: Any) -> GraphError:
    """The error for an input of `grad` that no output depends on."""
    return GraphError(
        f"grad: the outputs do not depend on input {i} (shape {tuple(tensor.shape)}). Pass allow_unused=True to get "
        "None, or materialize_grads=True for zeros"
    )


CREATE_GRAPH_KEEPS = (
    "backward(create_graph=True) makes each leaf and its gradient refer to each other, which keeps the graph in "
    "memory. Use autograd.grad, or set the leaves' .grad to None after use."
)
