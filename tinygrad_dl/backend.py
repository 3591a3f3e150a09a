"""Devices and array modules: the only file that knows which library an array comes from.

An array is NumPy's on `cpu`, CuPy's on `cuda` and the strict stand-in's on `strict`. Everything above calls NumPy's
functions and the array's own methods; NumPy dispatches on the type. What cannot be dispatched (making an array, moving
it, finding its memory) is here.
"""

import ctypes
import importlib
import os
import sys
import threading
from types import TracebackType
from typing import Any

import numpy as np

from .errors import ArgumentTypeError, DeviceError, MissingPackageError

HOST = np.ndarray  # the type of the CPU's arrays, whose 0-d results and fast paths differ from the others'
Array = Any  # numpy.ndarray, cupy.ndarray or the strict stand-in's


class device:
    """Where a tensor's array lies: `device("cpu")`, `device("cuda")`, `device("cuda:1")`, `device("strict")`.

    As a context manager it is where new tensors are made. Raises DeviceError for a type that does not exist.

    >>> import tinygrad_dl as tg
    >>> tg.device("cuda:1").type, tg.device("cuda", 1).index
    ('cuda', 1)
    """

    __slots__ = ("_outer", "index", "type")

    type: str
    index: int | None

    def __init__(self, type: Any, index: int | None = None) -> None:
        if isinstance(type, device):
            type, index = type.type, type.index if index is None else index
        if not isinstance(type, str):
            raise ArgumentTypeError(f"device: {type!r} came, but a device is a string such as 'cpu' or 'cuda:0'")
        name, colon, number = type.partition(":")
        if name not in _BACKENDS:
            raise DeviceError(f"device: {type!r} is unknown; there are {', '.join(map(repr, _BACKENDS))} and 'cuda:1'")
        if colon and (index is not None or not number.isdigit()):
            raise DeviceError(f"device: {type!r} with index {index!r} is not a device; write 'cuda:1' or ('cuda', 1)")
        self.type = name
        self.index = int(number) if colon else index
        self._outer: list[device | None] = []

    def __repr__(self) -> str:
        return f"device(type={self.type!r}" + ("" if self.index is None else f", index={self.index}") + ")"

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str):  # scripts write `t.device == "cuda"`
            return str(self) == other or (self.type == other and self.type != "cuda")
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __reduce__(self) -> tuple[Any, ...]:
        return device, (self.type, self.index)

    def __enter__(self) -> "device":
        self._outer.append(_local.device)
        _local.device = self
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: TracebackType | None) -> None:
        _local.device = self._outer.pop()


class _NumPy:
    """The arrays of the CPU."""

    module: Any = np
    array_type: type = np.ndarray

    def upload(self, array: np.ndarray, where: device) -> Array:
        return array

    def download(self, array: Array) -> np.ndarray:
        return array

    def device_of(self, array: Array) -> device:
        return CPU

    def address(self, array: Array) -> int:
        return array.__array_interface__["data"][0]

    def special(self, name: str) -> Any:
        try:
            return getattr(importlib.import_module("scipy.special"), name)
        except ImportError as error:
            raise MissingPackageError(
                f"{name}: this special function needs SciPy, which is not installed: pip install scipy"
            ) from error


class _CuPy:
    """The arrays of a GPU. Made when a CUDA device is first asked for."""

    def __init__(self) -> None:
        try:
            cupy = importlib.import_module("cupy")
        except ImportError as error:
            raise DeviceError(
                "device 'cuda' needs CuPy, which is not installed. With an NVIDIA driver for CUDA 12: pip install "
                "'cupy-cuda12x[ctk]' (for CUDA 13: 'cupy-cuda13x[ctk]')"
            ) from error
        if not cupy.is_available():
            raise DeviceError(
                f"device 'cuda': CuPy {cupy.__version__} is installed but finds no usable GPU. Check the driver with "
                "`nvidia-smi`, or use device='cpu'"
            )
        self.module, self.array_type = cupy, cupy.ndarray

    def upload(self, array: np.ndarray, where: device) -> Array:
        with self._on(where):
            return self.module.asarray(array)

    def download(self, array: Array) -> np.ndarray:
        return array.get()

    def device_of(self, array: Array) -> device:
        return device("cuda", int(array.device.id))

    def address(self, array: Array) -> int:
        return int(array.data.ptr)

    def special(self, name: str) -> Any:
        return getattr(importlib.import_module("cupyx.scipy.special"), name)

    def _on(self, where: device) -> Any:
        count = self.module.cuda.runtime.getDeviceCount()
        index = self.module.cuda.runtime.getDevice() if where.index is None else where.index
        if index >= count:
            raise DeviceError(f"device '{where}': this machine has {count} GPU(s), numbered from 0")
        return self.module.cuda.Device(index)


class _Strict:
    """The stand-in that refuses what CuPy refuses: `tinygrad_dl.testing`."""

    def __init__(self) -> None:
        testing = importlib.import_module("tinygrad_dl.testing")
        self.module, self.array_type, self.address = testing.strict, testing.strict.ndarray, testing.address

    def upload(self, array: np.ndarray, where: device) -> Array:
        return self.module.asarray(array)

    def download(self, array: Array) -> np.ndarray:
        return array.get()

    def device_of(self, array: Array) -> device:
        return STRICT

    def special(self, name: str) -> Any:
        function = _made["cpu"].special(name)

        def compute(*arrays: Array) -> Any:
            out = function(*[self.download(array) for array in arrays])
            return (
                tuple([self.module.asarray(part) for part in out]) if type(out) is tuple else self.module.asarray(out)
            )

        return compute


_BACKENDS: dict[str, Any] = {"cpu": _NumPy, "cuda": _CuPy, "strict": _Strict}
_made: dict[str, Any] = {"cpu": _NumPy()}  # the backends in use, by device type
_by_type: dict[type, Any] = {np.ndarray: _made["cpu"]}  # and by the type of their arrays

CPU = device("cpu")
STRICT = device("strict")


class _Local(threading.local):
    device: "device | None" = None


_local = _Local()
_default: "device | None" = None


def _backend(where: device) -> Any:
    found = _made.get(where.type)
    if found is None:
        found = _BACKENDS[where.type]()
        _made[where.type] = _by_type[found.array_type] = found
    return found


def in_use() -> frozenset[str]:
    """The types of the devices that were asked for so far."""
    return frozenset(_made)


def current_device() -> device:
    """Where new tensors are made: in the innermost `with device(...)`, else on the default device."""
    if _local.device is not None:
        return _local.device
    return get_default_device()


def get_default_device() -> device:
    """The device of new tensors outside every `with device(...)`.

    >>> import tinygrad_dl as tg
    >>> tg.get_default_device()
    device(type='cpu')
    """
    if _default is None:
        set_default_device(os.environ.get("TINYGRAD_DL_DEVICE") or "cpu")
    return _default  # type: ignore[return-value]  # set just above


def set_default_device(where: Any) -> None:
    """Make new tensors on `where` from now on; None restores the CPU.

    Raises DeviceError when the device is not there.

    >>> import tinygrad_dl as tg
    >>> tg.set_default_device("strict"); tg.zeros(2).device
    device(type='strict')
    >>> tg.set_default_device("cpu")
    """
    global _default
    chosen = device("cpu" if where is None else where)
    _backend(chosen)
    _default = chosen


def find_device(where: Any) -> device:
    """The device meant by a string, a `device`, an index of a GPU, or None (where new tensors are made)."""
    if where is None:
        return current_device()
    if isinstance(where, int) and not isinstance(where, bool):
        return device("cuda", where)
    return where if isinstance(where, device) else device(where)


def is_array(value: Any) -> bool:
    """Whether a value is an array of a device in use."""
    return type(value) in _by_type or isinstance(value, np.ndarray)


def is_writeable(array: Array) -> bool:
    """Whether an array may be written to: broadcast views and some of the user's arrays may not."""
    return bool(getattr(array.flags, "writeable", True))


def is_operand(value: Any) -> bool:
    """Whether a value can stand beside a tensor: a number, an array, a tensor, or a symbol."""
    return (
        isinstance(value, bool | int | float | np.generic)
        or is_array(value)
        or hasattr(value, "array")
        or hasattr(value, "apply_operation")
    )


def device_of(array: Array) -> device:
    """The device on which an array lies."""
    return _by_type[type(array)].device_of(array)


def array_module(array: Array) -> Any:
    """The module with NumPy's functions for an array's device; NumPy for its scalars."""
    return np if isinstance(array, np.generic) else _by_type[type(array)].module


def module_of(where: device) -> Any:
    """The module with NumPy's functions for a device."""
    return _backend(where).module


def from_numpy(array: np.ndarray, where: device) -> Array:
    """A host array's values on a device; on the CPU the same memory."""
    return _backend(where).upload(array, where)


def to_numpy(array: Array) -> np.ndarray:
    """An array's values on the host; on the CPU the same memory."""
    return _by_type[type(array)].download(array)


def to_device(array: Array, where: device) -> Array:
    """An array on another device; the same array when it is there already."""
    if isinstance(array, np.generic):
        array = scalar_array(array)
    here = device_of(array)
    if here == where or (here.type == where.type and where.index is None):
        return array
    return from_numpy(to_numpy(array), where)


def scalar_array(value: Any) -> Array:
    """NumPy's 0-d result as an array: NumPy returns scalars there, which are not arrays and cannot be written to."""
    return value[...]


def row_major(array: Any) -> Any:
    """An array whose last dimension runs fastest in memory: itself if that is so, or if it is a Symbol, without any."""
    return array.copy() if is_array(array) and not array.flags.c_contiguous else array


def without_scalars(out: Any) -> Any:
    """One result or a tuple of several, with arrays in place of NumPy's scalars."""
    if type(out) is tuple:
        return tuple([without_scalars(part) for part in out])
    return scalar_array(out) if isinstance(out, np.generic) else out


_constants: dict[tuple[Any, Any], Any] = {}


def constant(value: Any, array: Array) -> Any:
    """A Python number as NumPy meets it fastest beside a floating array: a 0-d array of its dtype, made once.

    NumPy takes twice as long for `array * 2.0` as for a product with a 0-d array. 0 stays as it is (0.0 and -0.0 are
    one key), and so does everything beside integers and on other devices.
    """
    found = _constants.get((value, array.dtype))
    if found is None:
        if array.dtype.kind != "f" or value == 0 or value != value or (type(value) is int and abs(value) > 2**53):
            return value
        if len(_constants) > 1000:
            _constants.clear()
        found = _constants[value, array.dtype] = np.array(value, array.dtype)
    return found if type(array) is np.ndarray else value


def clip(array: Array, low: Any, high: Any) -> Array:
    """An array between two bounds, `high` where they cross; CuPy's own function has `low` there."""
    if type(array) is np.ndarray:
        return array.clip(low, high)  # in one pass
    return np.minimum(np.maximum(array, low), high)


def for_many(function: Any, ufunc: Any, dtypes: Any) -> Any:
    """On big NumPy arrays of one of some dtypes a function of more calls and fewer cycles, else NumPy's ufunc."""

    def compute(x: Array, y: Array) -> Array:
        many = type(x) is np.ndarray and x.size > 2048 and x.dtype in dtypes and getattr(y, "dtype", None) is x.dtype
        return function(x, y) if many else ufunc(x, y)

    return compute


def at_least(array: Array, low: Any) -> Array:
    """The larger of an array's elements and a number or other elements.

    Between two numbers NumPy finds many floating ones up to four times as fast as above one.
    """
    if type(array) is np.ndarray and array.size > 2048 and array.dtype.kind == "f" and getattr(low, "ndim", 0) == 0:
        return array.clip(low, constant(np.inf, array))
    return np.maximum(array, low)


def at_most(array: Array, high: Any) -> Array:
    """The smaller of an array's elements and a number or other elements; see `at_least`."""
    if type(array) is np.ndarray and array.size > 2048 and array.dtype.kind == "f" and getattr(high, "ndim", 0) == 0:
        return array.clip(constant(-np.inf, array), high)
    return np.minimum(array, high)


_zeros: dict[Any, Any] = {}


def zero(array: Array) -> Any:
    """0 as NumPy meets it fastest beside a floating array, made once for each dtype; see `constant`."""
    if type(array) is not np.ndarray or array.dtype.kind != "f":
        return 0
    found = _zeros.get(array.dtype)
    if found is None:
        found = _zeros[array.dtype] = np.zeros((), array.dtype)
    return found


def at_least_zero(array: Array) -> Array:
    """The larger of an array's elements and 0."""
    return at_least(array, zero(array)) if array.size > 2048 else np.maximum(array, zero(array))


def zeros(array: Array, shape: tuple[int, ...]) -> Array:
    """Zeros of the dtype and device of `array`."""
    return array_module(array).zeros(shape, array.dtype)


def empty(array: Array, shape: tuple[int, ...]) -> Array:
    """Memory of the dtype and device of `array` whose values are not set."""
    return array_module(array).empty(shape, array.dtype)


def filled(array: Array, shape: tuple[int, ...], value: Any) -> Array:
    """One number everywhere, in the dtype and on the device of `array`."""
    return array_module(array).full(shape, value, array.dtype) if value else zeros(array, shape)


def ones(array: Array) -> Array:
    """Ones of the shape, dtype and device of `array`."""
    out = array_module(array).empty(array.shape, array.dtype)
    out.fill(1)
    return out


_ones: dict[Any, Any] = {}


def row_of_ones(array: Array, n: int) -> Array:
    """n ones of the dtype and device of `array`, by which products are sums; on the CPU made once for each n."""
    if type(array) is not np.ndarray:
        return array_module(array).ones(n, array.dtype)
    found = _ones.get((n, array.dtype))
    if found is None:
        if len(_ones) > 100:
            _ones.clear()
        found = _ones[n, array.dtype] = np.ones(n, array.dtype)
        found.flags.writeable = False
    return found


_starts: dict[Any, Any] = {}


def row_starts(array: Array, rows: int, columns: int) -> Array:
    """0, columns, 2 columns, ...: where rows start in flat memory, on the device of `array`; few are made once."""
    if type(array) is not np.ndarray or rows > 4096:
        return array_module(array).arange(0, rows * columns, columns)
    found = _starts.get((rows, columns))
    if found is None:
        if len(_starts) > 100:
            _starts.clear()
        found = _starts[rows, columns] = np.arange(0, rows * columns, columns)
        found.flags.writeable = False
    return found


def one(array: Array) -> Any:
    """1 as the gradient of an array of one element: beside a 0-d one NumPy is fastest with a scalar of its own."""
    return array.dtype.type(1) if array.ndim == 0 and type(array) is np.ndarray else ones(array)


def broadcast_to(array: Array, shape: tuple[int, ...]) -> Array:
    """A view of `array` repeated along its dimensions of size 1 and along new ones in front.

    NumPy's own function costs ten times as much on small arrays as laying the strides out here.
    """
    if isinstance(array, np.ndarray | np.generic) and (array.flags.c_contiguous or array.flags.f_contiguous):
        extra = len(shape) - array.ndim
        fits = extra >= 0 and all(a == b or a == 1 for a, b in zip(array.shape, shape[extra:], strict=True))
        if fits and array.size:
            steps = [0 if n == 1 else step for n, step in zip(array.shape, array.strides, strict=True)]
            view: Any = np.ndarray(shape, array.dtype, array, 0, (0,) * extra + tuple(steps))
            view.flags.writeable = False  # one element stands in several places
            return view
    return np.broadcast_to(array, shape)


def strided(array: Array, shape: tuple[int, ...], strides: tuple[int, ...], writeable: bool = True) -> Array:
    """A view of `array` with these steps in bytes; not writeable where one element stands in several places."""
    root = memory_root(array)
    if not isinstance(array, np.ndarray):
        return array_module(array).lib.stride_tricks.as_strided(array, shape, strides)
    if root.flags.forc and array.size:  # NumPy's own function costs ten times as much
        view: Any = np.ndarray(shape, array.dtype, root, address(array) - address(root), strides)
    else:
        view = np.lib.stride_tricks.as_strided(array, shape, strides)
    if not (writeable and is_writeable(array)):
        view.flags.writeable = False
    return view


def nonzero(array: Array) -> Array:
    """The places of the elements that are not 0, a row for each."""
    places = array.nonzero()
    rows = getattr(places[0], "base", None)  # NumPy's are the columns of a matrix that it does not give
    if type(rows) is np.ndarray and rows.shape == (len(places[0]), array.ndim):
        return rows
    return array_module(array).stack(places, 1)


def diagonal(array: Array, offset: int, dim1: int, dim2: int) -> Array:
    """The diagonal of two dimensions, a view that may be written to where the array may: NumPy's own may not."""
    start = [slice(None)] * array.ndim
    start[dim1], start[dim2] = slice(max(-offset, 0), None), slice(max(offset, 0), None)
    part = array[tuple(start)] if offset else array
    rest = [d for d in range(array.ndim) if d not in (dim1, dim2)]
    shape = [part.shape[d] for d in rest] + [min(part.shape[dim1], part.shape[dim2])]
    strides = [part.strides[d] for d in rest] + [part.strides[dim1] + part.strides[dim2]]
    return strided(part, tuple(shape), tuple(strides))


def special(name: str, *arrays: Array) -> Array:
    """SciPy's special function of a name, or CuPy's, on the arrays of one device."""
    found = _by_type.get(type(arrays[0]), _made["cpu"])  # NumPy's scalars have no device
    return found.special(name)(*arrays)


def address(array: Array) -> int:
    """The address of an array's first element."""
    return _by_type[type(array)].address(array)


def byte_interval(array: Array) -> tuple[int, int]:
    """The addresses of the first byte of an array and of the one behind its last."""
    low = high = address(array)
    for size, stride in zip(array.shape, array.strides, strict=True):
        if size == 0:
            return low, low
        if stride < 0:
            low += (size - 1) * stride
        else:
            high += (size - 1) * stride
    return low, high + array.itemsize


def memory_root(array: Array) -> Array:
    """The array that owns the memory of a view; the last array on the way to memory that is foreign."""
    kind, root = type(array), array
    while (array := getattr(array, "base", None)) is not None:  # also through what is no array, as in as_strided
        if type(array) is kind:
            root = array
    return root


def owns_memory(array: Array) -> bool:
    """Whether an array of NumPy's has memory of its own, from its first element on."""
    return type(array) is np.ndarray and array.base is None


def copied_memory(root: np.ndarray) -> np.ndarray:
    """A copy of the memory that an array owns, with its elements in the order in which they lie there."""
    order = sorted(range(root.ndim), key=lambda i: -root.strides[i])
    return root.transpose(order).copy().reshape(-1)


def seen_in(memory: np.ndarray, array: np.ndarray, root: np.ndarray) -> np.ndarray:
    """The view of a copied memory that shows there what `array` shows of `root`, whose copy it is."""
    return np.ndarray(array.shape, array.dtype, memory, address(array) - address(root), array.strides)


# --- DLPack, in whose numbers 1 and 3 are memory of the host, 2 and 13 that of GPUs


def to_dlpack(array: Array, **options: Any) -> Any:
    """A capsule by which another library takes over an array's memory."""
    if not hasattr(array, "__dlpack__"):
        raise DeviceError(f"dlpack: memory on '{device_of(array)}' can't be shared; use tensor.cpu()")
    return array.__dlpack__(**{name: value for name, value in options.items() if value is not None})


def dlpack_device(array: Array) -> tuple[int, int]:
    """The kind and the number of the device of an array."""
    if not hasattr(array, "__dlpack_device__"):
        raise DeviceError(f"dlpack: memory on '{device_of(array)}' can't be shared; use tensor.cpu()")
    kind, index = array.__dlpack_device__()
    return int(kind), int(index)


class _Capsule:
    """A capsule in the form in which libraries take one now."""

    def __init__(self, capsule: Any, kind: int) -> None:
        self._capsule, self._device = capsule, (kind, 0)

    def __dlpack__(self, **options: Any) -> Any:
        return self._capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._device


def _writeable(array: np.ndarray) -> np.ndarray:
    """The same memory as an array that may be written to.

    A capsule without a version can't say whether it may be; only memory that may is put into one.
    """
    low, high = byte_interval(array)
    memory: Any = (ctypes.c_char * (high - low)).from_address(low)
    memory.owner = array  # lives as long as the memory is seen
    return np.ndarray(array.shape, array.dtype, memory, address(array) - low, array.strides)


def from_dlpack(external: Any) -> Array | None:
    """An array on the memory of another library's, or of a capsule's; None when it is neither."""
    if type(external).__name__ == "PyCapsule":
        unversioned = '"dltensor"' in repr(external)
        try:
            array = np.from_dlpack(_Capsule(external, 1))
            return _writeable(array) if unversioned else array
        except (RuntimeError, BufferError):  # not the host's memory
            return module_of(device("cuda")).from_dlpack(_Capsule(external, 2))
    if not hasattr(external, "__dlpack__") or not hasattr(external, "__dlpack_device__"):
        return None
    kind = int(external.__dlpack_device__()[0])
    if kind not in (1, 2, 3, 13):
        raise DeviceError(f"from_dlpack: the memory is on a device of DLPack's kind {kind}; move it to the CPU first")
    return (np if kind in (1, 3) else module_of(device("cuda"))).from_dlpack(external)


def host_array(data: Any) -> np.ndarray:
    """Python data, NumPy scalars or any array as a NumPy array of native byte order, without a copy where possible."""
    array = to_numpy(data) if type(data) in _by_type else np.asarray(data)
    if not array.dtype.isnative:
        return array.astype(array.dtype.newbyteorder("="))
    dtype = np.dtype(array.dtype.type)  # the one object that stands for it: unpickled arrays bring another
    return array if array.dtype is dtype or array.dtype.kind not in "biuf" else array.view(dtype)


def _sole_references() -> int:
    gradients = {0: np.empty(1)}
    _, g = gradients.popitem()
    return sys.getrefcount(g)


def sole_view(array: Array) -> bool:
    """Whether an array has memory of its own, or shows all of another array's that nobody else holds."""
    base = array.base
    if base is None:
        return True
    whole = type(base) is np.ndarray and base.nbytes == array.nbytes and array.flags.c_contiguous
    return whole and base.base is None and sys.getrefcount(base) == SOLE_HOLDER + 1


SOLE_HOLDER = _sole_references()  # what `sys.getrefcount(x)` says of an x that one variable holds and nobody else
