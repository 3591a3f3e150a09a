"""Memory that is shared with other libraries: DLPack, buffers, and storages, which are the memory itself."""

from typing import Any

import numpy as np

from . import backend, dtypes
from .creation import from_numpy
from .errors import ArgumentError, ArgumentTypeError, ExportError
from .methods import attach
from .tensor import Tensor, wrap

# --- DLPack


def _export(
    self: Tensor, *, stream: Any = None, max_version: Any = None, dl_device: Any = None, copy: bool | None = None
) -> Any:
    """A capsule by which another library reads and writes the tensor's memory, after the protocol DLPack.

    Raises ExportError (a BufferError) for a tensor that requires grad, for memory that may not be written to, and for
    negative steps, which some libraries don't survive.
    """
    if self._requires_grad:
        raise ExportError("dlpack: this tensor requires grad, and others would compute past the graph; use detach()")
    if any(step < 0 for step in self.array.strides):
        raise ExportError("dlpack: the steps between this tensor's elements are negative; use tensor.clone()")
    try:
        return backend.to_dlpack(self.array, stream=stream, max_version=max_version, dl_device=dl_device, copy=copy)
    except BufferError as error:
        raise ExportError(f"dlpack: {error}; use tensor.clone()") from None


def _export_device(self: Tensor) -> tuple[int, int]:
    """The kind of the device in DLPack's numbers, and which one of that kind: (1, 0) is the CPU, (2, 0) a GPU."""
    return backend.dlpack_device(self.array)


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor that shares the memory of another library's array, or of a capsule of DLPack.

    Arguments: ext_tensor (NumPy's, CuPy's or PyTorch's, or what `utils.dlpack.to_dlpack` gave), device, copy (True:
    always a copy). Raises ArgumentError for what has no such memory, ExportError where the other library refuses.

    >>> import numpy as np, tinygrad_dl as tg
    >>> a = np.zeros(2); t = tg.from_dlpack(a); t[0] = 5.0; a
    array([5., 0.])
    """
    array = backend.from_dlpack(ext_tensor)
    if array is None:
        raise ArgumentError(
            f"from_dlpack: an array with __dlpack__ or a capsule is needed, not {type(ext_tensor).__name__}"
        )
    dtypes.of_numpy(array.dtype)  # raises for a dtype that no tensor has
    shared = wrap(array)
    moved = shared if device is None else shared.to(device)
    return moved.clone() if copy and moved is shared else moved


def to_dlpack(tensor: Tensor) -> Any:
    """A capsule by which another library takes over the tensor's memory; it can be taken once.

    >>> import tinygrad_dl as tg
    >>> tg.utils.dlpack.from_dlpack(tg.utils.dlpack.to_dlpack(tg.ones(2)))
    tensor([1., 1.])
    """
    if not isinstance(tensor, Tensor):
        raise ArgumentTypeError(f"to_dlpack: a Tensor is needed, not {type(tensor).__name__}")
    return tensor.__dlpack__()


# --- buffers


def frombuffer(buffer: Any, *, dtype: Any, count: int = -1, offset: int = 0, requires_grad: bool = False) -> Tensor:
    """A tensor of one dimension that shares the memory of a buffer, such as a bytearray.

    Arguments: buffer, dtype, count (how many elements; a negative one: all), offset (in bytes), requires_grad. Raises
    ArgumentError where the buffer does not hold so many whole elements.

    >>> import tinygrad_dl as tg
    >>> tg.frombuffer(bytearray([1, 2, 3]), dtype=tg.uint8, offset=1)
    tensor([2, 3], dtype=tinygrad_dl.uint8)
    """
    wanted = dtypes.find(dtype).numpy
    try:
        size = memoryview(buffer).nbytes
    except TypeError:
        kind = type(buffer).__name__
        raise ArgumentError(f"frombuffer: {kind} is no buffer; pass bytes, a bytearray or an array") from None
    if size == 0 or count == 0:
        raise ArgumentError(f"frombuffer: nothing to share: the buffer has {size} bytes, count is {count}")
    if not 0 <= offset < size:
        raise ArgumentError(f"frombuffer: offset {offset} does not lie within the {size} bytes of the buffer")
    if count < 0 and (size - offset) % wanted.itemsize:
        raise ArgumentError(
            f"frombuffer: {size - offset} bytes behind offset {offset} are no whole number of elements of "
            f"{wanted.itemsize} bytes"
        )
    if count > 0 and offset + count * wanted.itemsize > size:
        raise ArgumentError(
            f"frombuffer: {count} elements of {wanted.itemsize} bytes behind offset {offset} need more than the "
            f"{size} bytes of the buffer"
        )
    return from_numpy(np.frombuffer(buffer, wanted, max(count, -1), offset)).requires_grad_(requires_grad)


# --- storages


class UntypedStorage:
    """The memory that tensors show: two are views of each other if their storages have the same `data_ptr()`.

    >>> import tinygrad_dl as tg
    >>> x = tg.zeros(2, 3); x[1].untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
    True
    >>> x[1].untyped_storage().nbytes()
    24
    """

    def __init__(self, root: Any) -> None:
        self._root = root

    def data_ptr(self) -> int:
        """The address of the first byte."""
        return backend.byte_interval(self._root)[0]

    def nbytes(self) -> int:
        """The number of bytes."""
        low, high = backend.byte_interval(self._root)
        return high - low

    @property
    def device(self) -> backend.device:
        """Where the memory is."""
        return backend.device_of(self._root)

    def element_size(self) -> int:
        """Bytes of one element: 1."""
        return 1

    def size(self) -> int:
        """The number of elements."""
        return self.nbytes() // self.element_size()

    __len__ = size

    def __repr__(self) -> str:
        return f"[tinygrad_dl.{type(self).__name__}(device={self.device}) of size {self.size()}]"


class TypedStorage(UntypedStorage):
    """The memory that tensors show, in elements of a dtype."""

    def __init__(self, root: Any, dtype: dtypes.dtype) -> None:
        super().__init__(root)
        self.dtype = dtype

    def element_size(self) -> int:
        """Bytes of one element."""
        return self.dtype.itemsize


def _untyped_storage(self: Tensor) -> UntypedStorage:
    """The memory that the tensor shows, whole."""
    return UntypedStorage(backend.memory_root(self.array))


def _storage(self: Tensor) -> TypedStorage:
    """The memory that the tensor shows, whole, in its elements."""
    return TypedStorage(backend.memory_root(self.array), self.dtype)


def _storage_offset(self: Tensor) -> int:
    """How many elements lie in the memory before the tensor's first one."""
    start = backend.byte_interval(backend.memory_root(self.array))[0]
    return (backend.address(self.array) - start) // self.array.itemsize


def _is_set_to(self: Tensor, tensor: Tensor) -> bool:
    """Whether two tensors show the same elements of one memory in the same way."""
    if not isinstance(tensor, Tensor):
        raise ArgumentTypeError(f"is_set_to: a Tensor is needed, not {type(tensor).__name__}")
    mine, other = (
        (backend.address(t.array), t.array.shape, t.array.strides, t.array.dtype, t.device) for t in (self, tensor)
    )
    return mine == other


def is_storage(obj: Any) -> bool:
    """Whether an object is the memory of tensors.

    >>> import tinygrad_dl as tg
    >>> tg.is_storage(tg.zeros(2).storage()), tg.is_storage(tg.zeros(2))
    (True, False)
    """
    return isinstance(obj, UntypedStorage)


attach(
    __dlpack__=_export,
    __dlpack_device__=_export_device,
    untyped_storage=_untyped_storage,
    storage=_storage,
    storage_offset=_storage_offset,
    is_set_to=_is_set_to,
)
