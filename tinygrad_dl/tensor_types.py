"""The older types of tensors, a dtype and a place in one name: `FloatTensor`, `cuda.LongTensor`."""

import warnings
from typing import Any

from . import backend, dtypes
from .creation import _natural
from .errors import ArgumentError, ArgumentTypeError, DtypeError
from .methods import attach
from .ops.shape import sizes_of
from .tensor import Size, Tensor, wrap

_NAMES = {
    "Float": dtypes.float32, "Double": dtypes.float64, "Half": dtypes.float16, "Long": dtypes.int64,
    "Int": dtypes.int32, "Short": dtypes.int16, "Char": dtypes.int8, "Byte": dtypes.uint8, "Bool": dtypes.bool_,
}  # fmt: skip


class TensorType:
    """A type of tensors by its older name, such as `tinygrad_dl.LongTensor`.

    Called with data (nested lists, an array, a tensor) or sizes it makes a tensor; `isinstance` and `Tensor.type` take
    it. A tensor of the type is not copied. Raises DtypeError for a tensor of another dtype.

    >>> import tinygrad_dl as tg
    >>> tg.LongTensor([1, 2]), tg.FloatTensor(2, 3).shape
    (tensor([1, 2]), tinygrad_dl.Size([2, 3]))
    >>> isinstance(tg.zeros(2), tg.FloatTensor)
    True
    """

    def __init__(self, name: str, dtype: dtypes.dtype, place: str) -> None:
        self.__name__ = self.__qualname__ = name
        self.__module__ = "tinygrad_dl" if place == "cpu" else f"tinygrad_dl.{place}"
        self.dtype, self.place = dtype, place

    def __call__(self, *data: Any, device: Any = None) -> Tensor:
        where = backend.device(self.place if device is None else device)
        if where.type != self.place:
            raise ArgumentError(f"{self.__name__}: makes tensors on '{self.place}', device '{where}' came")
        if not data or isinstance(data[0], int | Size):
            sizes = sizes_of(self.__name__, data or (0,))
            if min(sizes, default=0) < 0:
                raise ArgumentError(f"{self.__name__}: sizes can't be negative, {sizes} came")
            return wrap(backend.module_of(where).empty(sizes, self.dtype.numpy))
        return self._from_data(data, where)

    def _from_data(self, data: tuple[Any, ...], where: backend.device) -> Tensor:
        values = data[0] if len(data) == 1 else None
        if isinstance(values, Tensor):
            if not isinstance(values, self):  # type: ignore[arg-type]  # isinstance asks __instancecheck__
                raise DtypeError(
                    f"{self.__name__}: a tensor of {values.dtype} on '{values.device}' came; use tensor.to(...)"
                )
            return wrap(values.array)
        if isinstance(values, str | float | None):
            raise ArgumentTypeError(f"{self.__name__}: takes one sequence of numbers or sizes, {data!r} came")
        array = _natural(self.__name__, values, self.dtype)
        return wrap(backend.from_numpy(array.astype(self.dtype.numpy), where))

    def __instancecheck__(self, value: Any) -> bool:
        return isinstance(value, Tensor) and value.dtype is self.dtype and value.device.type == self.place

    def __repr__(self) -> str:
        return f"<class '{self}'>"

    def __str__(self) -> str:
        return f"{self.__module__}.{self.__name__}"

    def __reduce__(self) -> tuple[Any, ...]:
        return find_type, (str(self),)


TYPES = {
    place: {f"{name}Tensor": TensorType(f"{name}Tensor", dtype, place) for name, dtype in _NAMES.items()}
    for place in ("cpu", "cuda")
}


def find_type(name: Any) -> TensorType:
    """The type of a name with or without the module's: 'torch.FloatTensor' too, so that scripts run unchanged."""
    if isinstance(name, TensorType):
        return name
    place, _, kind = str(name).removeprefix("torch.").removeprefix("tinygrad_dl.").rpartition(".")
    found = TYPES.get(place or "cpu", {}).get(kind)
    if found is None:
        known = ", ".join(TYPES["cpu"])
        raise ArgumentError(f"type: {name!r} is unknown; there are {known} and the same in cuda, as 'cuda.FloatTensor'")
    return found


class _Variables(type):
    """All tensors are variables."""

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, Tensor)


class Variable(metaclass=_Variables):
    """A tensor with the same memory, outside the graph: the older name of what every tensor is.

    Arguments: data (a tensor), requires_grad. `volatile=True` warns and does nothing, as in PyTorch. Raises
    ArgumentTypeError for what is no tensor.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl.autograd import Variable
    >>> x = Variable(tg.ones(2), requires_grad=True); type(x), x.requires_grad
    (<class 'tinygrad_dl.tensor.Tensor'>, True)
    """

    def __new__(cls, data: Any = None, requires_grad: bool = False, volatile: bool = False) -> Any:
        """See the class."""
        if volatile:
            warnings.warn(
                "Variable: volatile has no effect; compute under `with tinygrad_dl.no_grad()` instead",
                UserWarning,
                stacklevel=2,
            )
        if data is not None and not isinstance(data, Tensor):
            raise ArgumentTypeError(f"Variable: data must be a Tensor, not {type(data).__name__}; use tensor(...)")
        return (Tensor() if data is None else wrap(data.array)).requires_grad_(requires_grad)


def set_default_tensor_type(t: Any) -> None:
    """Make a floating type, by its older name, that of new tensors: its dtype and its place.

    Arguments: t (a type or its name). Raises ArgumentTypeError for integers; prefer set_default_dtype.

    >>> import tinygrad_dl as tg
    >>> tg.set_default_tensor_type(tg.DoubleTensor); tg.zeros(1).dtype
    tinygrad_dl.float64
    >>> tg.set_default_tensor_type("torch.FloatTensor")
    """
    chosen = find_type(t)
    if not chosen.dtype.is_floating_point:
        raise ArgumentTypeError(f"set_default_tensor_type: {chosen} came, but only a floating type can be the default")
    backend.set_default_device(chosen.place)
    dtypes.set_default_dtype(chosen.dtype)


def typename(obj: Any) -> str:
    """The name of an object's type with its module; a tensor's as `tensor.type()` has it.

    >>> import tinygrad_dl as tg
    >>> tg.typename(tg.zeros(1)), tg.typename(3)
    ('tinygrad_dl.FloatTensor', 'int')
    """
    if isinstance(obj, Tensor):
        return str(_type(obj))
    kind = obj if isinstance(obj, type | TensorType) else type(obj)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


_KINDS = {dtype: name for name, dtype in _NAMES.items()}


def _type(self: Tensor, dtype: Any = None, non_blocking: bool = False) -> Any:
    """This tensor as another type, a dtype or an older name such as 'torch.LongTensor'; without one, its type's name.

    Raises ArgumentError for a name that is none.
    """
    if dtype is None:
        place = self.device.type
        return f"tinygrad_dl.{'' if place == 'cpu' else place + '.'}{_KINDS[self.dtype]}Tensor"
    if isinstance(dtype, str | TensorType):
        chosen = find_type(dtype)
        return self.to(chosen.place, chosen.dtype)
    return self.to(dtype=dtype)


attach(type=_type)
