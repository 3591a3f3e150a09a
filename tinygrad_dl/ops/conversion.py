"""Dtypes and devices of tensors, and filling them in place."""

import functools
import math
from typing import Any

import numpy as np

from .. import backend, dtypes
from ..errors import ArgumentTypeError, DtypeError, GraphError, ShapeError
from ..layouts import require_row_major
from ..methods import attach
from ..operation import to as convert
from ..promotion import as_operand, wrapped_integers
from ..tensor import Tensor, wrap
from .editing import store
from .shape import clone

_PLACES = (str, backend.device)


def _to(
    self: Tensor,
    *args: Any,
    dtype: Any = None,
    device: Any = None,
    non_blocking: bool = False,
    copy: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """This tensor with another dtype or on another device; itself when nothing changes and `copy` is not set.

    Arguments: a dtype, a device, a device and a dtype, or another tensor to be like. non_blocking changes nothing here:
    copies are finished on return. Raises ArgumentTypeError for anything else, DeviceError for a device that is not
    there.
    """
    if len(args) == 1 and type(self.array) is backend.HOST and type(args[0]) in _PLACES and args[0] == "cpu":
        if dtype is None and device is None and not copy:  # the usual line of a loop that could run on a GPU
            return self
    if memory_format is not None:
        require_row_major("to", memory_format)
    for value in args:
        if isinstance(value, Tensor):
            dtype, device = value.dtype, value.device
        elif (
            isinstance(value, dtypes.dtype)
            or (isinstance(value, type) and not isinstance(value, backend.device))
            or isinstance(value, np.dtype)
        ):
            dtype = value
        elif isinstance(value, str | backend.device | int) and not isinstance(value, bool):
            device = value
        elif value is not None:
            raise ArgumentTypeError(f"to: a dtype, a device or a Tensor is needed, not {value!r}")
    wanted = None if dtype is None else dtypes.find(dtype).numpy
    where = None if device is None else backend.find_device(device)
    if wanted is self.array.dtype:
        wanted = None
    if where is not None and backend.to_device(self.array, where) is self.array:
        where = None
    if wanted is None and where is None:
        return clone(self) if copy else self
    return convert(self, wanted, where)


def _cast(name: str, target: dtypes.dtype) -> Any:
    def method(self: Tensor) -> Tensor:
        return _to(self, dtype=target)

    method.__name__ = name
    method.__doc__ = f"This tensor as {target.name}; itself when it is already."
    return method


def _cpu(self: Tensor) -> Tensor:
    """This tensor on the CPU; itself when it is there."""
    return _to(self, device="cpu")


def _cuda(self: Tensor, device: Any = None) -> Tensor:
    """This tensor on a GPU; itself when it is there."""
    return _to(self, device="cuda" if device is None else device)


def _copy_(self: Tensor, src: Any, non_blocking: bool = False) -> Tensor:
    """Write the values of `src`, which broadcasts, into this tensor, across dtypes and devices."""
    source = as_operand("copy_", "src", src)
    if isinstance(source, Tensor):
        if source.ndim > self.ndim:  # NumPy would drop leading dimensions of size 1
            raise ShapeError(f"copy_: src of shape {tuple(source.shape)} does not broadcast to {tuple(self.shape)}")
        source = _to(source, self.device)
    return store("copy_", self, source)


def _fill_(self: Tensor, value: Any) -> Tensor:
    """Write one number everywhere."""
    return _fill("fill_", self, value)


def _zero_(self: Tensor) -> Tensor:
    """Write 0 everywhere."""
    return _fill("zero_", self, 0)


def _fill(name: str, self: Tensor, value: Any) -> Tensor:
    return store(name, self, filling(name, self, value))


def filling(name: str, self: Tensor, value: Any) -> Any:
    """A number or a 0-d tensor as it can be written into a tensor."""
    number = as_operand(name, "value", value)
    if isinstance(number, Tensor):
        if number.array.ndim:
            raise ShapeError(
                f"{name}: a number or a 0-d tensor fills, one of shape {tuple(number.shape)} came; use copy_"
            )
        if number.requires_grad:
            return _to(number, self.device)
        number = number.item()
        if self.is_floating_point():  # as in PyTorch, only a number must fit
            return number
    dtype = self.array.dtype
    if dtype.kind == "b" or (dtype.kind == "f" and not abs(number) < math.inf):  # every floating dtype has NaN
        return number
    low, high = _limits(dtype)
    if low <= number <= high:
        return number
    if low == 0 and -high <= number < 0:  # as PyTorch: -1 is 255 in uint8, but 300 is too large
        return wrapped_integers((self, int(number)))[1]
    raise DtypeError(f"{name}: {number} does not fit into {self.dtype}, which holds {low} to {high}")


def _apply_(self: Tensor, callable: Any) -> Tensor:
    """Replace each element by what a Python function makes of it: slow, and on the CPU only.

    Raises GraphError for a tensor that requires grad.
    """
    return _by_python("apply_", self, lambda: map(callable, self.array.ravel().tolist()))


def _map_(self: Tensor, tensor: Tensor, callable: Any) -> Tensor:
    """Replace each element by what a Python function makes of it and the element of `tensor`, which broadcasts."""
    other = as_operand("map_", "tensor", tensor)

    def values() -> Any:
        try:
            others = np.broadcast_to(other.array, self.array.shape)
        except ValueError:
            raise ShapeError(
                f"map_: tensor of shape {tuple(other.shape)} does not broadcast to {tuple(self.shape)}"
            ) from None
        return map(callable, self.array.ravel().tolist(), others.ravel().tolist())

    return _by_python("map_", self, values)


def _by_python(name: str, self: Tensor, values: Any) -> Tensor:
    """Write what a Python function gives for each element."""
    if self.requires_grad:
        raise GraphError(f"{name}: no derivative of a Python function is known; use tensor.detach().{name}(...)")
    if self.device.type != "cpu":
        raise ArgumentTypeError(f"{name}: runs on the CPU only, this tensor is on '{self.device}'")
    results = np.fromiter(values(), np.float64 if self.array.dtype.kind == "f" else object, self.array.size)
    return store(name, self, wrap(results.astype(self.array.dtype).reshape(self.array.shape)))


@functools.cache
def _limits(dtype: Any) -> tuple[Any, Any]:
    """The least and the greatest number of one of NumPy's dtypes, as Python's numbers."""
    if dtype.kind == "f":
        return float(np.finfo(dtype).min), float(np.finfo(dtype).max)
    return np.iinfo(dtype).min, np.iinfo(dtype).max


_CASTS = {
    "float": dtypes.float32, "double": dtypes.float64, "half": dtypes.float16, "long": dtypes.int64,
    "int": dtypes.int32,
    "short": dtypes.int16, "char": dtypes.int8, "byte": dtypes.uint8, "bool": dtypes.bool_,
}  # fmt: skip
attach(**{name: _cast(name, target) for name, target in _CASTS.items()})
attach(apply_=_apply_, map_=_map_, to=_to, cpu=_cpu, cuda=_cuda, copy_=_copy_, fill_=_fill_, zero_=_zero_)


def _type_as(self: Tensor, other: Tensor) -> Tensor:
    """The tensor in the dtype of another one."""
    return _to(self, dtype=other.dtype)


attach(type_as=_type_as)
