"""Tensor: an array, its gradient and its place in the graph. Operators and methods are attached by the operations."""

import math
import operator
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from . import backend, dtypes
from .errors import ArgumentError, ArgumentTypeError, DeviceError, DimensionError, DtypeError, GraphError, ShapeError
from .layouts import require_row_major
from .views import leave_place


class Size(tuple[int, ...]):
    """The shape of a tensor, as `torch.Size`: a tuple that counts its elements.

    >>> import tinygrad_dl as tg
    >>> tg.zeros(2, 3).shape, tg.zeros(2, 3).shape.numel()
    (tinygrad_dl.Size([2, 3]), 6)
    """

    __slots__ = ()

    def __new__(cls, sizes: Iterable[Any] = ()) -> "Size":
        """See the class; ArgumentTypeError for what are no integers."""
        try:
            return tuple.__new__(cls, [operator.index(size) for size in sizes])
        except TypeError:
            raise ArgumentTypeError(f"Size: takes an iterable of integers, {sizes!r} came") from None

    def numel(self) -> int:
        """The number of elements."""
        return math.prod(self)

    def __repr__(self) -> str:
        return f"tinygrad_dl.Size({list(self)})"

    def __getitem__(self, index: Any) -> Any:
        part = tuple.__getitem__(self, index)
        return tuple.__new__(Size, part) if isinstance(index, slice) else part

    def __add__(self, other: Any) -> Any:
        return tuple.__new__(Size, tuple.__add__(self, other))

    def __radd__(self, other: Any) -> Any:
        return tuple.__new__(Size, tuple.__add__(other, self)) if isinstance(other, tuple) else NotImplemented

    def __mul__(self, times: Any) -> Any:
        return tuple.__new__(Size, tuple.__mul__(self, times))

    __rmul__ = __mul__


class _Slots:
    """The storage of a tensor. `Tensor` puts checked properties over the two that users assign to."""

    __slots__ = ("__weakref__", "_grad", "_requires_grad", "array", "extras", "node")

    array: Any  # NumPy's, CuPy's or the strict stand-in's; the values
    _requires_grad: bool
    _grad: Any
    node: Any  # the recorded operation this tensor came from; None on a leaf
    extras: Any  # what few tensors have: the dict of retained gradients, views and hooks


class Tensor(_Slots):
    """An array that records what is computed from it, so that `backward` finds its gradient.

    `Tensor(data)` copies lists, numbers and arrays in the default dtype; integers are sizes, as in PyTorch:
    `Tensor(3, 4)` has that shape and values that are not set. Prefer `tinygrad_dl.tensor`, which keeps the dtype.

    Arguments: data (numbers, nested lists, arrays), requires_grad (bool). Raises ArgumentTypeError for what is not
    data, and for `Tensor(5, requires_grad=True)`, which could mean a number or a size.

    >>> import tinygrad_dl as tg
    >>> x = tg.Tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    __slots__ = ()
    __array_priority__ = 1000
    __hash__ = object.__hash__  # `==` compares elements; tensors are keys by identity

    if TYPE_CHECKING:  # what creation and the operations attach; other methods are found through the last

        def __init__(self, *data: Any, requires_grad: bool = False, device: Any = None) -> None: ...
        def __getitem__(self, index: Any) -> "Tensor": ...
        def __setitem__(self, index: Any, value: Any) -> None: ...
        def __neg__(self) -> "Tensor": ...

        __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __getitem__
        __pow__ = __rpow__ = __matmul__ = __rmatmul__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __getitem__
        __lt__ = __le__ = __gt__ = __ge__ = __and__ = __or__ = __xor__ = __getitem__
        __abs__ = __pos__ = __invert__ = __neg__

        # For type checkers alone: if there were one, Python 3.11 would read every attribute of a tensor the slow way.
        def __getattr__(self, name: str) -> Any: ...

    # --- what it is

    @property
    def shape(self) -> Size:
        """The size of each dimension."""
        return tuple.__new__(Size, self.array.shape)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self.array.ndim

    @property
    def dtype(self) -> dtypes.dtype:
        """The data type of the elements."""
        return dtypes.of(self.array)

    @property
    def device(self) -> backend.device:
        """Where the array lies."""
        return backend.device_of(self.array)

    @property
    def is_cuda(self) -> bool:
        """Whether the array lies on a GPU."""
        return self.device.type == "cuda"

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return self.array.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self.array.nbytes

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of dimension `dim`."""
        return self.shape if dim is None else self.array.shape[normalize_dim("size", dim, self.ndim)]

    def dim(self) -> int:
        """The number of dimensions."""
        return self.array.ndim

    ndimension = dim

    def numel(self) -> int:
        """The number of elements."""
        return self.array.size

    nelement = numel

    def element_size(self) -> int:
        """Bytes of one element."""
        return self.array.itemsize

    def stride(self, dim: int | None = None) -> Any:
        """Steps in memory from one element to the next along each dimension, in elements."""
        strides = tuple(step // self.array.itemsize for step in self.array.strides)
        return strides if dim is None else strides[normalize_dim("stride", dim, self.ndim)]

    def is_contiguous(self, memory_format: Any = None) -> bool:
        """Whether the elements lie in memory one after the other, the last dimension running fastest."""
        require_row_major("is_contiguous", memory_format)
        return bool(self.array.flags.c_contiguous)

    def data_ptr(self) -> int:
        """The address of the first element."""
        return backend.address(self.array)

    def is_floating_point(self) -> bool:
        """Whether the elements are floating-point numbers."""
        return self.dtype.is_floating_point

    def is_complex(self) -> bool:
        """Whether the elements are complex: never, tensors are real."""
        return False

    # --- its place in the graph

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this tensor are recorded, so that gradients reach it."""
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if value and self.array.dtype not in dtypes.FLOATING:
            raise DtypeError(
                f"requires_grad: only floating tensors can require gradients, this one is {self.dtype} of shape "
                f"{tuple(self.shape)}; convert it first: tensor.float()"
            )
        if not value and self.node is not None:
            raise GraphError(
                f"requires_grad: only a leaf's flag can be switched off, this tensor came from {self.node.name()}; use "
                "tensor.detach() for a tensor outside the graph"
            )
        self._requires_grad = bool(value)

    @property
    def grad(self) -> "Tensor | None":
        """The gradient that `backward` has added up so far; None before."""
        if self._grad is None and self.node is not None and not self.retains_grad:
            self._warn_about_missing_grad()
        return self._grad

    @grad.setter
    def grad(self, value: "Tensor | None") -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                raise ArgumentTypeError(f"grad: assign a Tensor or None, not {type(value).__name__}")
            if value is self:
                raise GraphError("grad: a tensor can't be its own gradient")
            if value.array.shape != self.array.shape:
                raise ShapeError(f"grad: shape {tuple(value.shape)} came for a tensor of shape {tuple(self.shape)}")
            if value.array.dtype != self.array.dtype or type(value.array) is not type(self.array):
                raise DtypeError(
                    f"grad: {value.dtype} on {value.device} came for a tensor of {self.dtype} on {self.device}; "
                    "convert it with gradient.to(tensor)"
                )
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    def _warn_about_missing_grad(self) -> None:
        warnings.warn(
            f"grad: this tensor is no leaf (it came from {self.node.name()}), so backward does not keep its gradient. "
            "Call tensor.retain_grad() before backward, or read the leaf's.",
            UserWarning,
            stacklevel=3,
        )

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made this tensor."""
        return self.node is None

    @property
    def grad_fn(self) -> Any:
        """The recorded operation that made this tensor; None on a leaf."""
        return self.node

    @property
    def retains_grad(self) -> bool:
        """Whether `retain_grad` was called on this tensor, which is no leaf."""
        return self.extras is not None and "retained" in self.extras

    def requires_grad_(self, requires_grad: bool = True) -> "Tensor":
        """Set `requires_grad` and return the tensor."""
        self.requires_grad = requires_grad
        return self

    def retain_grad(self) -> None:
        """Keep the gradient of this tensor, which is no leaf, in `.grad` after `backward`.

        Raises GraphError when it does not require grad.

        >>> import tinygrad_dl as tg
        >>> x = tg.tensor(3.0, requires_grad=True)
        >>> u = x * 2; u.retain_grad(); (u * u).backward()
        >>> u.grad
        tensor(12.)
        """
        if not self._requires_grad:
            raise GraphError("retain_grad: this tensor does not require grad, so backward has nothing to keep for it")
        if self.node is None or self.retains_grad:
            return
        self.extras = self.extras or {}
        self.extras["retained"] = True
        self.node.retain_into(self)

    @property
    def data(self) -> "Tensor":
        """The same memory as a tensor outside the graph. Assigning replaces the array."""
        return wrap(self.array)

    @data.setter
    def data(self, value: "Tensor") -> None:
        if not isinstance(value, Tensor):
            raise ArgumentTypeError(f"data: assign a Tensor, not {type(value).__name__}")
        if self._requires_grad and value.array.dtype not in dtypes.FLOATING:
            raise DtypeError(f"data: {value.dtype} came for a tensor that requires grad; convert it with .float()")
        leave_place(self, value.array)
        self.array = value.array

    def detach(self) -> "Tensor":
        """The same memory as a tensor that does not require grad."""
        return wrap(self.array)

    def detach_(self) -> "Tensor":
        """Cut this tensor from the graph that made it; it becomes a leaf that does not require grad.

        Raises GraphError for a view, whose base would stay in the graph.
        """
        if self.extras is not None and "view" in self.extras:
            raise GraphError("detach_: a view can't be cut from the graph in place; use view.detach()")
        self.node, self._requires_grad = None, False
        (self.extras or {}).pop("retained", None)
        return self

    # --- its values

    def item(self) -> Any:
        """The value of a tensor of one element as a Python number. Raises ShapeError for more."""
        if self.array.size != 1:
            raise ShapeError(
                f"item: only a tensor of one element is a number, this one has shape {tuple(self.shape)}; use "
                "tolist(), or reduce it first with sum() or mean()"
            )
        return self.array.item()

    def tolist(self) -> Any:
        """The values as nested lists of Python numbers."""
        return self.array.tolist()

    def numpy(self, *, force: bool = False) -> np.ndarray:
        """The values as a NumPy array that shares the tensor's memory.

        Raises GraphError for a tensor that requires grad and DeviceError for one on another device, unless `force`.
        """
        if not force:
            if self._requires_grad:
                raise GraphError(
                    "numpy: this tensor requires grad, and NumPy would compute past the graph. Use "
                    "tensor.detach().numpy()"
                )
            if self.device.type != "cpu":
                raise DeviceError(
                    f"numpy: this tensor is on '{self.device}', NumPy's arrays are on 'cpu'. Use tensor.cpu().numpy()"
                )
        return backend.to_numpy(self.array)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        array = self.numpy()
        return array if dtype is None and not copy else np.array(array, dtype=dtype, copy=copy)

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __complex__(self) -> complex:
        return complex(self.item())

    def __index__(self) -> int:
        if self.array.dtype.kind not in "biu" or self.array.size != 1:
            raise ArgumentTypeError(
                f"index: only an integer tensor of one element is an index, not {self.dtype} {tuple(self.shape)}"
            )
        return int(self.array.item())

    def __bool__(self) -> bool:
        if self.array.size != 1:
            raise ArgumentError(
                f"bool: a tensor of shape {tuple(self.shape)} is neither true nor false; use tensor.any() or "
                "tensor.all()"
            )
        return bool(self.array.item())

    def __len__(self) -> int:
        if self.array.ndim == 0:
            raise ArgumentTypeError("len: a 0-d tensor has no length")
        return self.array.shape[0]

    def __iter__(self) -> Iterator["Tensor"]:
        if self.array.ndim == 0:
            raise ArgumentTypeError("iter: a 0-d tensor can't be iterated; use tensor.item()")
        return iter([self[i] for i in range(self.array.shape[0])])

    def __reversed__(self) -> "Tensor":
        return self[list(range(self.array.shape[0]))[::-1]] if self.array.ndim else self

    def __contains__(self, element: Any) -> bool:
        if isinstance(element, Tensor | bool | int | float):
            return bool((self == element).any())  # type: ignore[attr-defined]  # `==` gives a tensor
        raise ArgumentError(f"in: a number or a Tensor can be in a tensor, not {type(element).__name__}")

    def __format__(self, spec: str) -> str:
        if spec and self.array.ndim:
            raise ArgumentTypeError(
                f"format: {spec!r} is for one number, this tensor has shape {tuple(self.shape)}; use tensor.item(), or "
                "set_printoptions"
            )
        return str(self) if self.array.ndim else format(self.item(), spec)


NUMPY: dict[Any, Callable[..., Any]] = {}  # NumPy's functions -> the operations that record them

_new = object.__new__


def wrap(array: Any, requires_grad: bool = False, node: Any = None) -> Tensor:
    """A tensor around an array, unchecked and without a copy: how operations make their results."""
    tensor = _new(Tensor)
    tensor.array = array
    tensor.node = node
    tensor._requires_grad = requires_grad
    tensor._grad = None
    tensor.extras = None
    return tensor


def normalize_dim(operation: str, dim: int, ndim: int) -> int:
    """`dim` counted from the front; DimensionError when out of range. A 0-d tensor has dimension 0 and -1."""
    bound = max(ndim, 1)
    if not isinstance(dim, int | np.integer) or isinstance(dim, bool):
        raise ArgumentTypeError(f"{operation}: dim must be an integer, not {dim!r}")
    if not -bound <= dim < bound:
        raise DimensionError(
            f"{operation}: dim {dim} is out of range for a tensor of {ndim} dimension(s); {-bound} to {bound - 1} "
            "would work"
        )
    return dim % bound
