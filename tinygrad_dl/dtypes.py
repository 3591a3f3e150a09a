"""Data types and PyTorch's rules for mixing them."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from .errors import ArgumentTypeError, DtypeError


class dtype:
    """A data type, as `torch.dtype`: `float32.numpy` is NumPy's, and NumPy accepts ours wherever it takes a dtype.

    >>> import tinygrad_dl as tg
    >>> tg.float32, tg.float32.itemsize, tg.int64.is_floating_point
    (tinygrad_dl.float32, 4, False)
    """

    __slots__ = ("category", "dtype", "is_complex", "is_floating_point", "is_signed", "itemsize", "name", "numpy")

    def __init__(self, name: str, category: int) -> None:
        self.name = name
        self.numpy = self.dtype = np.dtype(name)  # NumPy reads `.dtype` of what it is given as a dtype
        self.category = category  # 0 bool, 1 integer, 2 floating
        self.is_floating_point = category == 2
        self.is_complex = False
        self.is_signed = self.numpy.kind != "u" and category > 0
        self.itemsize = self.numpy.itemsize

    def __repr__(self) -> str:
        return f"tinygrad_dl.{self.name}"

    def __reduce__(self) -> str:
        return "bool_" if self.name == "bool" else self.name

    def __eq__(self, other: object) -> bool:
        if isinstance(other, dtype) or other is None:  # of which NumPy thinks that it is float64
            return self is other
        try:
            return self.numpy == other
        except TypeError:
            return False

    def __hash__(self) -> int:
        return hash(self.numpy)


class _Refused(dtype):
    """A dtype of PyTorch's that no tensor has here: scripts may name it, using it is refused."""

    __slots__ = ("instead",)

    def __init__(self, name: str, itemsize: int, instead: str) -> None:
        self.name, self.itemsize, self.category, self.instead = name, itemsize, 2, instead
        self.is_complex = name.startswith("complex")
        self.is_floating_point = "float" in name
        self.is_signed = not name.startswith("u")

    @property
    def numpy(self) -> Any:  # type: ignore[override]
        raise DtypeError(f"{self.name}: tensors have no such dtype; use {self.instead}")

    dtype = numpy

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return hash(self.name)


bfloat16 = _Refused("bfloat16", 2, "float32, or float16 for half the memory")
complex64, complex128 = (_Refused(f"complex{8 * n}", n, "two tensors, for the two parts") for n in (8, 16))
uint16, uint32, uint64 = (_Refused(f"uint{8 * n}", n, "int32 or int64") for n in (2, 4, 8))
cfloat, cdouble = complex64, complex128
bool_ = dtype("bool", 0)
uint8, int8, int16, int32, int64 = (dtype(name, 1) for name in ("uint8", "int8", "int16", "int32", "int64"))
float16, float32, float64 = (dtype(name, 2) for name in ("float16", "float32", "float64"))
half, float_, double, short, int_, long = float16, float32, float64, int16, int32, int64

ALL = (bool_, uint8, int8, int16, int32, int64, float16, float32, float64)
_OF = {d.numpy: d for d in ALL}
FLOATING = frozenset((float16.numpy, float32.numpy, float64.numpy))

_default = float32


def get_default_dtype() -> dtype:
    """The dtype of new floating tensors, `float32` at first.

    >>> import tinygrad_dl as tg
    >>> tg.get_default_dtype()
    tinygrad_dl.float32
    """
    return _default


def set_default_dtype(d: Any) -> None:
    """Make `d`, a floating dtype, the dtype of new floating tensors.

    Raises DtypeError for a dtype that is not floating.

    >>> import tinygrad_dl as tg
    >>> tg.set_default_dtype(tg.float64); tg.tensor(1.5).dtype
    tinygrad_dl.float64
    >>> tg.set_default_dtype(tg.float32)
    """
    global _default
    chosen = find(d)
    if not chosen.is_floating_point:
        raise DtypeError(f"set_default_dtype: {chosen} came, but the default must be float16, float32 or float64")
    _default = chosen


def find(given: Any) -> dtype:
    """Our dtype for one of ours, NumPy's or Python's (`float` is float64 and `int` int64, as in PyTorch)."""
    if isinstance(given, dtype):
        return given
    try:
        numpy_dtype = np.dtype(given)
    except TypeError:
        raise ArgumentTypeError(f"dtype: {given!r} is not a dtype; pass for example tinygrad_dl.float32") from None
    return of_numpy(numpy_dtype)


def of_numpy(numpy_dtype: Any) -> dtype:
    """Our dtype for NumPy's; DtypeError for one that no tensor has (objects, strings, complex numbers, uint16)."""
    found = _OF.get(numpy_dtype)
    if found is None:
        found = _OF.get(numpy_dtype.newbyteorder("=")) if hasattr(numpy_dtype, "newbyteorder") else None
    if found is None:
        known = ", ".join(d.name for d in ALL)
        raise DtypeError(f"tensors have no dtype {numpy_dtype}; they have {known}: convert the data first")
    return found


def of(array: Any) -> dtype:
    """Our dtype of an array."""
    return _OF[array.dtype]


def result_type(operands: Iterable[Any], floating: bool = False) -> Any:
    """NumPy's dtype in which arrays and Python scalars meet, by PyTorch's rules.

    A 0-d array yields to arrays with dimensions of its category, a Python scalar to both; what wins in category wins
    the dtype. Scalars alone take the default dtype of their kind. `floating`: integers and bools meet in the default
    dtype.
    """
    dimensioned, zero_dimensional, scalars = None, None, None
    for operand in operands:
        if hasattr(operand, "dtype"):
            if operand.ndim:
                dimensioned = _meet(dimensioned, operand.dtype)
            else:
                zero_dimensional = _meet(zero_dimensional, operand.dtype)
        else:
            scalars = _meet(scalars, _scalar_dtype(operand))
    result = None
    for level in (dimensioned, zero_dimensional, scalars):
        if level is not None and (result is None or _OF[level].category > _OF[result].category):
            result = level
    if floating and result is not None and result not in FLOATING:
        result = _default.numpy
    return result


def promote_types(type1: Any, type2: Any) -> dtype:
    """The dtype in which two dtypes meet, as `torch.promote_types`.

    >>> import tinygrad_dl as tg
    >>> tg.promote_types(tg.int64, tg.float16)
    tinygrad_dl.float16
    """
    return _OF[_meet(find(type1).numpy, find(type2).numpy)]


def can_cast(from_: Any, to: Any) -> bool:
    """Whether a result of dtype `from_` may be stored in `to`: not from a higher category to a lower one.

    >>> import tinygrad_dl as tg
    >>> tg.can_cast(tg.float64, tg.float32), tg.can_cast(tg.float32, tg.int64)
    (True, False)
    """
    source, target = find(from_), find(to)
    return source.category <= target.category


def _meet(first: Any, second: Any) -> Any:
    if first is None or first is second:
        return second
    a, b = _OF[first], _OF[second]
    if a.category != b.category:
        return first if a.category > b.category else second
    return np.promote_types(first, second)


def _scalar_dtype(value: Any) -> Any:
    if isinstance(value, bool):
        return bool_.numpy
    return int64.numpy if isinstance(value, int) else _default.numpy
