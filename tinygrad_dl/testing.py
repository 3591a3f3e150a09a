"""For tests: `assert_close`, and the device `strict`, which runs on the CPU and refuses what CuPy refuses.

`strict` is a module with NumPy's functions and an `ndarray` of its own around a NumPy array. It never mixes with NumPy:
a script that runs with `device="strict"` makes no call that works on NumPy only. The tables below were measured on
CuPy 14.2; `tests/test_cupy_replay.py` compares them with the CuPy that is installed and shows real CuPy every call.
"""

import math
import types
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from . import backend
from .errors import ArgumentError, ArgumentTypeError
from .tensor import Tensor

# --- what CuPy lacks

# Names of NumPy's main module.
LACKS = frozenset(
    """False_ ScalarType True_ asmatrix block bmat busday_count busday_offset busdaycalendar bytes_ char character
    clongdouble complex256 core ctypeslib datetime64 datetime_as_string datetime_data dtypes einsum_path emath errstate
    f2py flexible float128 frompyfunc fromregex geomspace get_include getbufsize geterr geterrcall histogram_bin_edges
    info insert is_busday isnat little_endian longdouble ma matrix matvec memmap nanpercentile nanquantile ndenumerate
    nditer nested_iters object_ polyder polydiv polyint rec recarray record sctypeDict setbufsize seterr seterrcall
    show_runtime spacing str_ strings test timedelta64 typecodes unstack vecdot vecmat void""".split()
)
LACKS_LINALG = frozenset("diagonal matrix_norm multi_dot outer svdvals tensordot test trace vecdot vector_norm".split())
# Attributes and methods of arrays. CuPy has other objects as `device` (ask `backend.device_of`) and `flat`.
LACKS_METHODS = frozenset("ctypes device flat getfield resize setfield setflags to_device".split())

# Keywords that NumPy's functions and methods of these names take and CuPy's don't.
_MASKED = frozenset(("where", "initial"))
_MOMENTS = frozenset(("where", "correction", "mean"))
LACKS_KEYWORDS: dict[str, frozenset[str]] = {
    **dict.fromkeys("amax amin max min nanmax nanmin nanprod nansum prod sum".split(), _MASKED),
    **dict.fromkeys("all any mean nanmean".split(), frozenset(("where",))),
    **dict.fromkeys("std var nanstd nanvar".split(), _MOMENTS),
    **dict.fromkeys("sort argsort".split(), frozenset(("order", "stable"))),
    **dict.fromkeys("partition argpartition".split(), frozenset(("kind", "order"))),
    **dict.fromkeys("percentile quantile".split(), frozenset(("weights",))),
    **dict.fromkeys("zeros ones empty full arange eye".split(), frozenset(("device", "like"))),
    **dict.fromkeys("zeros_like ones_like empty_like full_like linspace".split(), frozenset(("device",))),
    **dict.fromkeys("broadcast_to broadcast_arrays copy".split(), frozenset(("subok",))),
    "astype": frozenset(("casting", "subok", "device")),
    "clip": frozenset(("min", "max")),
    "count_nonzero": frozenset(("keepdims",)),
    "isin": frozenset(("kind",)),
    "reshape": frozenset(("shape",)),
    "take": frozenset(("mode",)),
    "unique": frozenset(("sorted",)),
}

# Ufuncs have no .reduce, .accumulate and .reduceat but these, and .at for few dtypes.
REDUCES = {"reduce": ("add", "multiply"), "accumulate": ("add", "multiply"), "reduceat": ("add",)}
_WHOLE = ("int32", "int64", "uint32", "uint64")
_ORDERED = (*_WHOLE, "float32", "float64")
SCATTERS = {
    "add": (*_ORDERED, "float16"),
    "subtract": ("int32", "uint32"),
    "maximum": _ORDERED,
    "minimum": _ORDERED,
    **dict.fromkeys(("bitwise_and", "bitwise_or", "bitwise_xor"), _WHOLE),
}
_UFUNC_KEYWORDS = {
    "__call__": ("out", "dtype", "casting", "where"),
    "outer": ("out", "dtype", "casting", "where"),
    "at": (),
    "reduce": ("axis", "dtype", "out", "keepdims"),
    "accumulate": ("axis", "dtype", "out"),
    "reduceat": ("axis", "dtype", "out"),
}
_COMPARISONS = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")
_SCALAR_CODES = "?bBhHiIlLqQefdFD"  # dtypes of the NumPy scalars that CuPy takes
_FILLS = ("full", "full_like", "copyto")  # take a 0-d NumPy array for a number
_UPLOADS = ("take",)  # send NumPy arrays of indices to the GPU
_ARRAYS_OF_ONE = ("allclose", "array_equal", "array_equiv", "count_nonzero")  # NumPy returns a bool or an int


# --- who sees the calls


class Call(NamedTuple):
    """One call on strict arrays: what kind it is, what was called, and with which arguments."""

    kind: str  # "ufunc", "function", "module", "operator", "method" or "attribute"
    name: str
    arguments: tuple[Any, ...]
    options: dict[str, Any]


_watchers: list[Callable[[Call], None]] = []


@contextmanager
def watch(watcher: Callable[[Call], None]) -> Iterator[None]:
    """Hand every call on strict arrays to `watcher`, before it is made, while the block runs.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import testing
    >>> a, calls = tg.ones(2, device="strict"), []
    >>> with testing.watch(lambda call: calls.append(call.name)):
    ...     b = a.exp()
    >>> "exp" in calls
    True
    """
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)


def _tell(kind: str, name: str, arguments: tuple[Any, ...], options: Mapping[str, Any] | None = None) -> None:
    for watcher in _watchers:
        watcher(Call(kind, name, arguments, dict(options or {})))


# --- arrays in, arrays out


def _host(value: Any, operands: list["ndarray"], uploads: bool = False) -> Any:
    """A value with NumPy arrays in place of strict ones, which are noted in `operands`; NumPy's own are refused."""
    if isinstance(value, ndarray):
        operands.append(value)
        return value._host
    if isinstance(value, np.ndarray) and not uploads:
        raise TypeError(f"Unsupported type {type(value)}: CuPy's functions take no NumPy arrays, move it first")
    if type(value) in (list, tuple):
        return type(value)(_host(item, operands, uploads) for item in value)
    return value


def _owner(array: Any) -> Any:
    """The object that owns an array's memory."""
    while (base := getattr(array, "base", None)) is not None:
        array = base
    return array


def _strict(result: Any, operands: Sequence["ndarray"]) -> Any:
    """A result of NumPy's with strict arrays in it; a view of an operand's memory remembers whose memory it is."""
    if isinstance(result, np.ndarray):
        for operand in operands:
            if operand._host is result:
                return operand
        owner = _owner(result)
        for operand in operands:
            if _owner(operand._host) is owner:
                return ndarray._around(result, operand if operand._base is None else operand._base)
        return ndarray._around(result)
    if isinstance(result, np.generic):
        return ndarray._around(np.asarray(result))
    if isinstance(result, tuple) and hasattr(result, "_fields"):
        return type(result)(*(_strict(item, operands) for item in result))
    if type(result) in (list, tuple):
        return type(result)(_strict(item, operands) for item in result)
    return result


def _run(function: Callable[..., Any], arguments: Any, options: Mapping[str, Any], uploads: bool = False) -> Any:
    """NumPy's function on the arrays behind strict ones. Never warns about floating-point errors: CuPy does not."""
    operands: list[ndarray] = []
    arguments = [_host(value, operands, uploads) for value in arguments]
    options = {name: _host(value, operands, uploads) for name, value in options.items()}
    with np.errstate(all="ignore"):
        return _strict(function(*arguments, **options), operands)


def _call(function: Callable[..., Any], name: str, arguments: Any, options: Mapping[str, Any]) -> Any:
    """A function or a method that is no ufunc, as CuPy has it."""
    if options.get("out") is ...:
        raise TypeError(f"{name}: CuPy takes no out=...; its results are arrays anyway")
    if name == "where" and not isinstance(arguments[0], ndarray):
        raise AttributeError(f"{type(arguments[0]).__name__!r} object has no attribute 'astype': where needs an array")
    if name in _FILLS:
        arguments = [_number(value) for value in arguments]
        options = {key: _number(value) for key, value in options.items()}
    if name == "take":
        options = {**options, "mode": "wrap"}  # an index out of range raises nothing on CuPy
    result = _run(function, arguments, options, name in _UPLOADS)
    if name in _ARRAYS_OF_ONE and not isinstance(result, ndarray):
        return ndarray._around(np.asarray(result))
    return result


def _refuse_keywords(name: str, options: Mapping[str, Any]) -> None:
    for keyword in options:
        if keyword in LACKS_KEYWORDS.get(name, ()):
            raise TypeError(f"{name}() got an unexpected keyword argument {keyword!r}: CuPy's has none")


def _number(value: Any) -> Any:
    """The number in a 0-d NumPy array; filling with any other host array is refused."""
    if isinstance(value, np.ndarray):
        if value.ndim:
            raise ValueError("non-scalar numpy.ndarray cannot be used for fill")
        return value[()]
    return value


# --- ufuncs


def _is_operand(value: Any) -> bool:
    """Whether CuPy's ufuncs take a value: arrays, Python's numbers exactly, NumPy's scalars."""
    if isinstance(value, np.generic):
        return value.dtype.char in _SCALAR_CODES
    return isinstance(value, ndarray) or type(value) in (bool, int, float, complex)


def _ufunc(ufunc: np.ufunc, method: str, inputs: Sequence[Any], options: dict[str, Any]) -> Any:
    """A ufunc or one of its methods, as CuPy has it."""
    name = ufunc.__name__
    if method in REDUCES and name not in REDUCES[method]:
        raise NotImplementedError(f"`cupy_{name}.{method}` is not supported yet")
    if method == "at":
        _refuse_scatter(name, inputs[0])
        inputs = [inputs[0], _key(inputs[1], inputs[0].shape)[0], *inputs[2:]]
    for keyword in options:
        if keyword not in _UFUNC_KEYWORDS[method] and not (name == "matmul" and keyword in ("axes", "axis")):
            raise TypeError(f"Wrong arguments {{{keyword!r}: {options[keyword]!r}}}: CuPy's {name} has no {keyword}")
    if name in _COMPARISONS:
        inputs = [value.item() if isinstance(value, np.ndarray) and not value.ndim else value for value in inputs]
    if method == "__call__":
        results = options.get("out", ())
        for value in (*inputs, *(results if isinstance(results, tuple) else (results,))):
            if value is not None and not _is_operand(value):
                raise TypeError(f"Unsupported type {type(value)}: CuPy's {name} takes arrays of its own and numbers")
    if name == "matmul" and not all(isinstance(value, ndarray) for value in inputs):
        raise TypeError("matmul: CuPy multiplies arrays of its own only, neither NumPy's nor numbers")
    return _run(ufunc if method == "__call__" else getattr(ufunc, method), inputs, options, uploads=method == "at")


def _refuse_scatter(name: str, target: Any) -> None:
    if name not in SCATTERS:
        raise NotImplementedError(f"`cupy_{name}.at` is not supported yet")
    if target.dtype.name not in SCATTERS[name]:
        raise TypeError(f"cupy.{name}.at only supports {', '.join(SCATTERS[name])} as data type, not {target.dtype}")


class _Ufunc:
    """A ufunc of the module: `strict.add`, with `strict.add.at`."""

    def __init__(self, ufunc: np.ufunc) -> None:
        self._ufunc = ufunc
        self.__name__ = ufunc.__name__

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        return self._method("__call__", *inputs, **options)

    def __getattr__(self, name: str) -> Any:
        if name not in _UFUNC_KEYWORDS or (self.__name__ == "matmul" and name != "__call__"):
            raise AttributeError(f"CuPy's ufunc {self.__name__} has no {name}")
        return partial(self._method, name)

    def _method(self, method: str, *inputs: Any, **options: Any) -> Any:
        name = self.__name__ if method == "__call__" else f"{self.__name__}.{method}"
        _tell("module", name, inputs, options)
        return _ufunc(self._ufunc, method, inputs, options)


# --- the array


class Memory(NamedTuple):
    """Where an array lies, as `cupy.ndarray.data` says it."""

    ptr: int


class Flags(NamedTuple):
    """What CuPy tells about an array's layout; there is no `writeable`."""

    c_contiguous: bool
    f_contiguous: bool
    owndata: bool

    @property
    def forc(self) -> bool:
        return self.c_contiguous or self.f_contiguous


class ndarray:
    """An array of the device `strict`: a NumPy array that mixes with its like and with numbers only.

    `get()` copies it to the host, `strict.asarray` copies a NumPy array from there. Results are arrays, never scalars.

    >>> from tinygrad_dl.testing import strict
    >>> import numpy as np
    >>> a = strict.asarray(np.arange(4.0))
    >>> (a.sum() * 2).get(), a[1:].base is a
    (array(12.), True)
    >>> a + np.ones(4)
    Traceback (most recent call last):
        ...
    TypeError: Unsupported type <class 'numpy.ndarray'>: CuPy's add takes arrays of its own and numbers
    """

    __slots__ = ("__weakref__", "_base", "_host")
    __array_priority__ = 100
    __hash__ = None  # type: ignore[assignment]  # `==` compares elements

    _host: np.ndarray
    _base: "ndarray | None"

    def __init__(self, shape: Any, dtype: Any = float, order: Any = "C") -> None:
        _tell("module", "ndarray", (shape, dtype), {"order": order})
        self._host, self._base = np.empty(shape, dtype, order), None

    @classmethod
    def _around(cls, array: np.ndarray, base: "ndarray | None" = None) -> "ndarray":
        self = object.__new__(cls)
        self._host, self._base = array, base
        return self

    # --- to and from the host

    def get(self) -> np.ndarray:
        """A copy on the host."""
        _tell("method", "get", (self,))
        return self._host.copy()

    def set(self, array: np.ndarray) -> None:
        """Copy a host array of the same shape and dtype into this one."""
        _tell("method", "set", (self, array))
        if not isinstance(array, np.ndarray):
            raise TypeError("Only numpy.ndarray can be set to cupy.ndarray")
        if array.dtype != self.dtype:
            raise TypeError(f"{array.dtype} array cannot be set to {self.dtype} array")
        if array.shape != self.shape:
            raise ValueError(f"Shape mismatch. Old shape: {self.shape}, new shape: {array.shape}")
        self._host[...] = array

    def item(self) -> Any:
        _tell("method", "item", (self,))
        if self._host.size != 1:
            raise ValueError("can only convert an array of size 1 to a Python scalar")
        return self._host.item()

    def tolist(self) -> Any:
        _tell("method", "tolist", (self,))
        return self._host.tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()`.")

    def __bool__(self) -> bool:
        _tell("operator", "truth", (self,))
        if self._host.size == 0:
            warnings.warn("The truth value of an empty array is ambiguous.", DeprecationWarning, stacklevel=2)
            return False
        return bool(self._host)  # of several elements: NumPy raises what CuPy raises

    def __int__(self) -> int:
        return int(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __complex__(self) -> complex:
        return complex(self.item())

    def __repr__(self) -> str:
        return repr(self._host)

    def __str__(self) -> str:
        return str(self._host)

    def __format__(self, specification: str) -> str:
        return format(self._host, specification)

    def __copy__(self) -> "ndarray":
        return self.copy()

    def __deepcopy__(self, memo: Any) -> "ndarray":
        return self.copy()

    def __reduce__(self) -> tuple[Any, ...]:
        return _from_host, (self.get(),)

    # --- what it is

    @property
    def shape(self) -> tuple[int, ...]:
        return self._host.shape

    @shape.setter
    def shape(self, shape: Any) -> None:
        self._host.shape = shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._host.dtype

    @property
    def ndim(self) -> int:
        return self._host.ndim

    @property
    def size(self) -> int:
        return self._host.size

    @property
    def itemsize(self) -> int:
        return self._host.itemsize

    @property
    def nbytes(self) -> int:
        return self._host.nbytes

    @property
    def strides(self) -> tuple[int, ...]:
        return self._host.strides

    @property
    def flags(self) -> Flags:
        flags = self._host.flags
        return Flags(flags.c_contiguous, flags.f_contiguous, self._base is None)

    @property
    def base(self) -> "ndarray | None":
        """The array whose memory this one views, or None."""
        return self._base

    @property
    def data(self) -> Memory:
        return Memory(address(self))

    @property
    def T(self) -> "ndarray":
        _tell("attribute", "T", (self,))
        return self if self.ndim < 2 else _strict(self._host.T, (self,))

    def __len__(self) -> int:
        return len(self._host)

    def __iter__(self) -> Iterator["ndarray"]:
        if not self.ndim:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self)))

    # --- methods

    def __getattr__(self, name: str) -> Any:
        # A dunder that NumPy finds, such as __array_interface__, would let it convert silently.
        if name in LACKS_METHODS or name.startswith("_"):
            raise AttributeError(f"cupy.ndarray has no {name}")
        found = getattr(self._host, name)
        if callable(found):
            return partial(self._method, name)
        _tell("attribute", name, (self,))
        return _strict(found, (self,))

    def _method(self, name: str, *arguments: Any, **options: Any) -> Any:
        _tell("method", name, (self, *arguments), options)
        if name != "clip":  # only the function lacks min= and max=
            _refuse_keywords(name, options)
        return _call(getattr(np.ndarray, name), name, (self, *arguments), options)

    def fill(self, value: Any) -> None:
        """Write one number, or a 0-d array, everywhere."""
        _tell("method", "fill", (self, value))
        self._host.fill(_filling(value))

    # --- NumPy's functions

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        name, results = ufunc.__name__, options.get("out", ())
        if method in ("__call__", "outer"):  # else a tensor's own __array_ufunc__ gets its turn
            if not all(_is_operand(value) or isinstance(value, np.ndarray) for value in (*inputs, *results)):
                return NotImplemented
        _tell("ufunc", name if method == "__call__" else f"{name}.{method}", inputs, options)
        if name in LACKS or (name == "matmul" and method != "__call__"):
            return NotImplemented
        if "out" in options:
            if len(results) != 1:
                raise ValueError("The 'out' parameter must have exactly one array value")
            options["out"] = results[0]
        return _ufunc(ufunc, method, inputs, options)

    def __array_function__(self, function: Any, kinds: Any, arguments: Any, options: dict[str, Any]) -> Any:
        if not all(issubclass(kind, ndarray | np.ndarray) for kind in kinds):
            return NotImplemented
        _tell("function", f"{function.__module__}.{function.__name__}", arguments, options)
        path = function.__module__.split(".")[1:]
        lacking = LACKS_LINALG if path == ["linalg"] else LACKS
        if function.__name__ in lacking or not set(path) <= _SUBMODULES:
            return NotImplemented
        _refuse_keywords(function.__name__, options)
        return _call(function, function.__name__, arguments, options)

    # --- elements

    def __getitem__(self, key: Any) -> "ndarray":
        _tell("operator", "getitem", (self, key))
        host_key, _ = _key(key, self.shape)
        result = self._host[host_key]
        if isinstance(result, np.generic):  # one element is a 0-d view
            result = self._host[(*host_key, ...)]
        return _strict(result, (self,))

    def __setitem__(self, key: Any, value: Any) -> None:
        _tell("operator", "setitem", (self, key, value))
        host_key, advanced = _key(key, self.shape)
        if isinstance(value, ndarray):
            value = value._host
        elif not advanced:  # CuPy uploads what is written by indices, but fills a slice with a number only
            value = _filling(value)
        with np.errstate(all="ignore"):
            self._host[host_key] = value

    # --- operators

    def __eq__(self, other: Any) -> Any:
        if _equals_no_number(other):
            return ndarray._around(np.zeros(self.shape, bool))
        return NotImplemented if _defers_to(other) else _operator("eq", np.equal, self, other)

    def __ne__(self, other: Any) -> Any:
        if _equals_no_number(other):
            return ndarray._around(np.ones(self.shape, bool))
        return NotImplemented if _defers_to(other) else _operator("ne", np.not_equal, self, other)


def _equals_no_number(other: Any) -> bool:
    """Whether an object compares by identity; CuPy then says "unequal" of each element instead of raising."""
    by_identity: Any = object.__eq__
    return other is None or type(other).__eq__ is by_identity


def _from_host(array: np.ndarray) -> ndarray:
    return ndarray._around(array.copy())


def _filling(value: Any) -> Any:
    """What NumPy writes for a value that CuPy accepts as a filling."""
    if isinstance(value, ndarray):
        if value.ndim:
            raise ValueError("non-scalar cupy.ndarray cannot be used for fill")
        return value._host
    if isinstance(value, list | tuple):
        raise ValueError("non-scalar numpy.ndarray cannot be used for fill")
    value = _number(value)
    if not _is_operand(value):
        raise TypeError(f"Unsupported type {type(value)}: CuPy fills with a number or a 0-d array")
    return value


def _key(key: Any, shape: tuple[int, ...]) -> tuple[tuple[Any, ...], bool]:
    """A key for the NumPy array behind, and whether it holds arrays of indices.

    Those may come from the host, as on CuPy, and wrap around where they are out of range: CuPy does not check them.
    """
    entries = [_index_array(entry) for entry in (key if isinstance(key, tuple) else (key,))]
    consumed = [0 if entry is None or entry is ... else _axes_of(entry) for entry in entries]
    axis, advanced = 0, False
    for position, entry in enumerate(entries):
        if entry is ...:
            axis = len(shape) - sum(consumed[position:])
        elif isinstance(entry, np.ndarray):
            advanced = True
            if entry.dtype.kind in "iu" and axis < len(shape) and shape[axis]:
                entries[position] = entry % shape[axis]
        axis += consumed[position]
    return tuple(entries), advanced


def _index_array(entry: Any) -> Any:
    if isinstance(entry, ndarray):
        return entry._host
    if isinstance(entry, list | tuple | range):
        array = np.asarray([item._host if isinstance(item, ndarray) else item for item in entry])
        return array if array.size else array.astype(np.intp)
    return np.asarray(entry) if isinstance(entry, bool | np.bool_) else entry


def _axes_of(entry: Any) -> int:
    """How many axes an entry of a key takes."""
    return entry.ndim if isinstance(entry, np.ndarray) and entry.dtype.kind == "b" else 1


def _operator(name: str, ufunc: np.ufunc, left: Any, right: Any) -> Any:
    """`left` and `right`, one of them strict, joined by an operator."""
    _tell("operator", name, (left, right))
    return _ufunc(ufunc, "__call__", (left, right), {})


def _defers_to(other: Any) -> bool:
    """Whether the other operand is left to decide: it is neither an array nor a number."""
    return not isinstance(other, np.ndarray) and not _is_operand(other)


# By Python's names of them.
ARITHMETIC: dict[str, np.ufunc] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "truediv": np.true_divide,
    "floordiv": np.floor_divide,
    "mod": np.remainder,
    "divmod": np.divmod,
    "pow": np.power,
    "matmul": np.matmul,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
    "lshift": np.left_shift,
    "rshift": np.right_shift,
}
ORDER: dict[str, np.ufunc] = {"lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal}
UNARY: dict[str, np.ufunc] = {"neg": np.negative, "pos": np.positive, "abs": np.absolute, "invert": np.invert}


def _add_operators() -> None:
    """The operators of `ndarray`: forward, reflected, and in place but for `@=`, which CuPy has not."""
    for name, ufunc in {**ARITHMETIC, **ORDER}.items():
        setattr(ndarray, f"__{name}__", _forward(name, ufunc))
    for name, ufunc in ARITHMETIC.items():
        setattr(ndarray, f"__r{name}__", _reflected(name, ufunc))
        if name not in ("matmul", "divmod"):
            setattr(ndarray, f"__i{name}__", _in_place(name, ufunc))
    for name, ufunc in UNARY.items():
        setattr(ndarray, f"__{name}__", _unary(name, ufunc))


def _forward(name: str, ufunc: np.ufunc) -> Callable[[ndarray, Any], Any]:
    def operator(self: ndarray, other: Any) -> Any:
        return NotImplemented if _defers_to(other) else _operator(name, ufunc, self, other)

    return operator


def _reflected(name: str, ufunc: np.ufunc) -> Callable[[ndarray, Any], Any]:
    def operator(self: ndarray, other: Any) -> Any:
        return NotImplemented if _defers_to(other) else _operator(name, ufunc, other, self)

    return operator


def _in_place(name: str, ufunc: np.ufunc) -> Callable[[ndarray, Any], ndarray]:
    def operator(self: ndarray, other: Any) -> ndarray:
        _tell("operator", f"i{name}", (self, other))
        return _ufunc(ufunc, "__call__", (self, other), {"out": self})

    return operator


def _unary(name: str, ufunc: np.ufunc) -> Callable[[ndarray], ndarray]:
    def operator(self: ndarray) -> ndarray:
        _tell("operator", name, (self,))
        return _ufunc(ufunc, "__call__", (self,), {})

    return operator


_add_operators()


# --- the module

_SUBMODULES = frozenset(("fft", "lib", "linalg", "stride_tricks"))


class _Module(types.ModuleType):
    """NumPy's module, or one of its submodules, on strict arrays; what CuPy lacks is an AttributeError."""

    def __init__(self, name: str, behind: types.ModuleType) -> None:
        super().__init__(name)
        self._behind = behind
        self._path = "" if behind is np else behind.__name__.removeprefix("numpy.") + "."

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in (LACKS_LINALG if self._path == "linalg." else LACKS):
            raise AttributeError(f"module 'cupy' has no attribute {self._path + name!r}")
        if name == "random":
            raise AttributeError("random numbers are drawn on the host, so that a seed gives the same ones everywhere")
        found = getattr(self._behind, name)
        if isinstance(found, types.ModuleType):
            if name not in _SUBMODULES:
                raise AttributeError(f"module 'cupy' has no attribute {self._path + name!r}")
            found = _Module(f"{self.__name__}.{name}", found)
        elif isinstance(found, np.ufunc):
            found = _Ufunc(found)
        elif callable(found) and not isinstance(found, type):
            found = partial(self._function, name, found)
        setattr(self, name, found)  # looked up once
        return found

    def _function(self, name: str, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        _tell("module", self._path + name, arguments, options)
        _refuse_keywords(name, options)
        return _call(function, name, arguments, options)


def _array(data: Any, dtype: Any = None, copy: bool = True, order: Any = "K", ndmin: int = 0) -> ndarray:
    """An array of strict arrays, or a copy of host data."""
    options = {"dtype": dtype, "copy": copy, "order": order, "ndmin": ndmin}
    _tell("module", "array", (data,), options)
    if isinstance(data, np.ndarray):
        return ndarray._around(np.array(data, dtype, copy=True, order=order, ndmin=ndmin))
    if isinstance(data, ndarray) and not copy:
        options["copy"] = None
    return _run(np.array, (data,), options)


def _asarray(data: Any, dtype: Any = None, order: Any = None) -> ndarray:
    """A strict array itself, or a copy of host data."""
    _tell("module", "asarray", (data,), {"dtype": dtype, "order": order})
    if isinstance(data, np.ndarray):
        return ndarray._around(np.array(data, dtype, order=order or "K"))
    return _run(np.asarray, (data,), {"dtype": dtype, "order": order})


def make() -> Any:
    """The module with NumPy's functions on strict arrays, as `cupy` is on CuPy's.

    >>> from tinygrad_dl import testing
    >>> testing.make().zeros((2, 3)).shape
    (2, 3)
    """
    module: Any = _Module("strict", np)
    module.ndarray, module.array, module.asarray = ndarray, _array, _asarray
    return module


strict = make()


def address(array: ndarray) -> int:
    """The address of a strict array's first element.

    >>> from tinygrad_dl import testing
    >>> a = testing.strict.zeros((2, 3), "float32")
    >>> testing.address(a[1]) - testing.address(a)
    12
    """
    return array._host.__array_interface__["data"][0]


# --- comparing


# Relative and absolute tolerance by dtype, as PyTorch's; other dtypes are compared exactly.
TOLERANCES = {"float16": (1e-3, 1e-5), "float32": (1.3e-6, 1e-5), "float64": (1e-7, 1e-7)}


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """Raise AssertionError unless |actual − expected| ≤ atol + rtol · |expected|, as `torch.testing.assert_close`.

    `actual` and `expected` are two tensors, arrays or numbers, or sequences and mappings of them. `rtol` and `atol`
    come from the dtype unless both are given; shapes must agree, and devices, dtypes and strides where they are
    checked (layouts always do: all tensors are dense). Parameters compare with tensors, unless `allow_subclasses` is
    False. `msg` replaces the message, or makes it from ours. Raises ArgumentError when one tolerance is given without
    the other, and ArgumentTypeError for values that cannot be compared.

    >>> import tinygrad_dl as tg
    >>> tg.testing.assert_close(tg.tensor([1.0, 2.0]) / 3, tg.tensor([0.333333, 0.666667]))
    >>> tg.testing.assert_close(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 2.5]))
    Traceback (most recent call last):
        ...
    AssertionError: 1 of 2 elements differ by more than 1e-05 + 1.3e-06·|expected|.
      The most at [1]: 2.0 came, 2.5 was expected; the difference is 0.5, relative 0.2
    """
    if (rtol is None) != (atol is None):
        given, missing = ("rtol", "atol") if atol is None else ("atol", "rtol")
        raise ArgumentError(f"assert_close: {given} came without {missing}; give both or neither")
    tolerances = None if rtol is None or atol is None else (rtol, atol)
    for path, problem in _problems(
        actual, expected, "", tolerances, equal_nan, check_device, check_dtype, check_stride, allow_subclasses
    ):
        message = problem + (f"\n  In item {path}" if path else "")
        raise AssertionError((msg(message) if callable(msg) else msg) or message)


def _problems(actual: Any, expected: Any, path: str, *how: Any) -> Iterator[tuple[str, str]]:
    """Where two values differ: the path into nested containers, and what is wrong there."""
    pair = (actual, expected)
    if all(isinstance(value, Mapping) for value in pair):
        if actual.keys() != expected.keys():
            missing, more = (sorted(map(repr, one.keys() - other.keys())) for one, other in (pair[::-1], pair))
            yield (
                path,
                f"The keys differ: missing {', '.join(missing) or 'none'}; unexpected {', '.join(more) or 'none'}",
            )
        for key in actual.keys() & expected.keys():
            yield from _problems(actual[key], expected[key], f"{path}[{key!r}]", *how)
    elif all(isinstance(value, Sequence) and not isinstance(value, str) for value in pair):
        if len(actual) != len(expected):
            yield path, f"The lengths differ: {len(actual)} came, {len(expected)} was expected"
        for position, (item, wanted) in enumerate(zip(actual, expected, strict=False)):
            yield from _problems(item, wanted, f"{path}[{position}]", *how)
    else:
        problem = _difference(actual, expected, *how)
        if problem:
            yield path, problem


def _difference(
    actual: Any,
    expected: Any,
    tolerances: tuple[float, float] | None,
    equal_nan: bool,
    check_device: bool,
    check_dtype: bool,
    check_stride: bool,
    allow_subclasses: bool,
) -> str:
    """What is wrong with a value, or an empty string."""
    if actual is None or expected is None or isinstance(actual, bool) or isinstance(expected, bool):
        return "" if actual is expected else f"{actual!r} came, {expected!r} was expected"
    if isinstance(actual, int | float) and isinstance(expected, int | float):
        if check_dtype and type(actual) is not type(expected):
            return f"The types differ: {type(actual).__name__} came, {type(expected).__name__} was expected"
        host, wanted = np.asarray(actual), np.asarray(expected)
    elif type(actual) is type(expected) or (
        allow_subclasses and (isinstance(actual, type(expected)) or isinstance(expected, type(actual)))
    ):
        first, second = _array_in(actual), _array_in(expected)
        attributes: list[tuple[str, Any, Any]] = [("shapes", first.shape, second.shape)]
        if check_device:
            attributes.append(("devices", backend.device_of(first), backend.device_of(second)))
        if check_dtype:
            attributes.append(("dtypes", first.dtype, second.dtype))
        if check_stride:
            attributes.append(("strides", _steps(first), _steps(second)))
        for name, came, asked in attributes:
            if came != asked:
                return f"The {name} differ: {came} came, {asked} was expected"
        host, wanted = backend.to_numpy(first), backend.to_numpy(second)
    else:
        raise ArgumentTypeError(
            f"assert_close: {type(actual).__name__} and {type(expected).__name__} cannot be compared; make both "
            "tensors (tinygrad_dl.as_tensor), arrays or numbers"
        )
    return _mismatch(host, wanted, tolerances or _tolerances(host, wanted), equal_nan)


def _steps(array: Any) -> tuple[int, ...]:
    """Strides in elements, as PyTorch counts them."""
    return tuple(stride // array.itemsize for stride in array.strides)


def _array_in(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.array
    if not backend.is_array(value):
        raise ArgumentTypeError(
            f"assert_close: {type(value).__name__} cannot be compared; pass tensors, arrays or numbers"
        )
    return value


def _tolerances(*arrays: np.ndarray) -> tuple[float, float]:
    """The wider of the default tolerances of the arrays' dtypes."""
    pairs = [TOLERANCES.get(array.dtype.name, (0.0, 0.0)) for array in arrays]
    return max(pair[0] for pair in pairs), max(pair[1] for pair in pairs)


def _mismatch(actual: np.ndarray, expected: np.ndarray, tolerances: tuple[float, float], equal_nan: bool) -> str:
    """How many elements are too far apart, and which most; an empty string when none is."""
    rtol, atol = tolerances
    kind = np.float64 if "f" in actual.dtype.kind + expected.dtype.kind else np.int64
    actual, expected = actual.astype(kind), expected.astype(kind)
    with np.errstate(all="ignore"):
        distance, size = np.abs(actual - expected), np.abs(expected)
        close = (actual == expected) | (np.isfinite(size) & (distance <= atol + rtol * size))
        if equal_nan:
            close |= np.isnan(actual) & np.isnan(expected)
        if close.all():
            return ""
        relative = np.where(close, -1, np.nan_to_num(distance / size, nan=math.inf))
        worst, worse = (
            np.unravel_index(np.argmax(by), close.shape)
            for by in (np.where(close, -1, np.nan_to_num(distance, nan=math.inf)), relative)
        )
    allowed = f"differ by more than {atol:g} + {rtol:g}·|expected|" if rtol or atol else "are not equal"
    message = (
        f"{np.sum(~close)} of {close.size} elements {allowed}.\n"
        f"  The most{_place(worst)}: {actual[worst]} came, {expected[worst]} was expected; "
        f"the difference is {distance[worst]}, relative {relative[worst]:.3g}"
    )
    if relative[worse] > relative[worst]:
        message += f"\n  Relatively the most{_place(worse)}: {actual[worse]} came, {expected[worse]} was expected; "
        message += f"relative {relative[worse]:.3g}"
    return message


def _place(index: Any) -> str:
    return f" at [{', '.join(map(str, index))}]" if index else ""
