"""Making tensors: from data, filled, in steps, or like another tensor."""

import builtins
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from . import backend, dtypes
from .errors import ArgumentError, ArgumentTypeError, DtypeError, ShapeError
from .layouts import row_major, strided
from .methods import attach
from .ops.blocks import BLOCK
from .ops.shape import sizes_of
from .outputs import fills_out
from .tensor import Size, Tensor, wrap

# --- what data become


def _construct(self: Tensor, *data: Any, requires_grad: bool = False, device: Any = None) -> None:
    """Tensor(data) and Tensor(sizes): see the class."""
    self.array = _from_data_or_sizes(data, requires_grad, device)
    self.node = self.extras = self._grad = None
    self._requires_grad = False
    if requires_grad:
        self.requires_grad = True


Tensor.__init__ = _construct  # type: ignore[method-assign]


def _from_data_or_sizes(data: tuple[Any, ...], requires_grad: bool, device: Any, dtype: Any = None) -> Any:
    where = backend.find_device(device)
    default = dtypes.get_default_dtype().numpy if dtype is None else dtype
    sizes = data[0] if len(data) == 1 and isinstance(data[0], Size) else data
    if all(isinstance(size, int) and not isinstance(size, bool) for size in sizes):
        if requires_grad and len(data) == 1 and not isinstance(data[0], Size):
            raise ArgumentTypeError(
                f"Tensor({data[0]}, requires_grad=True) is ambiguous: integers are sizes. Write Tensor({data[0]}.0, "
                f"requires_grad=True) for the number, or tinygrad_dl.empty({data[0]}, requires_grad=True) for a size"
            )
        if any(size < 0 for size in sizes):
            raise ArgumentError(
                f"Tensor: sizes can't be negative, {tuple(sizes)} came; write {float(sizes[0])} for a number"
            )
        return backend.module_of(where).empty(sizes if sizes else (0,), default)
    if len(data) != 1:
        raise ArgumentTypeError(f"Tensor: one argument with data or several integers as sizes, not {data!r}")
    value = data[0].array if isinstance(data[0], Tensor) else data[0]
    if isinstance(value, str | bytes | dict | set) or value is None:
        raise ArgumentTypeError(f"Tensor: {type(value).__name__} is no data; pass numbers, nested lists or an array")
    return backend.from_numpy(data_array("Tensor", value).astype(default), where)


def data_array(operation: str, data: Any) -> np.ndarray:
    """Numbers, nested sequences (also of 0-d tensors) or an array as a host array; a clear error for the rest."""
    if isinstance(data, Tensor):
        data = data.array
    if isinstance(data, list | tuple) and any(isinstance(item, Tensor) for item in data):
        data = [data_array(operation, item) for item in data]
    try:
        array = backend.host_array(data)
    except (ValueError, TypeError, OverflowError) as error:
        raise ArgumentError(f"{operation}: nested lists must have the same length at each level ({error})") from None
    if array.dtype.kind not in "biuf":
        raise ArgumentTypeError(
            f"{operation}: data of type {type(data).__name__} ({array.dtype}) can't be a tensor; pass real numbers"
        )
    return array


def _finish(array: np.ndarray, dtype: Any, device: Any, requires_grad: bool = False) -> Tensor:
    """A host array as a tensor of a dtype on a device."""
    if dtype is not None:
        wanted = dtypes.find(dtype).numpy
        array = array if array.dtype == wanted else array.astype(wanted)
    made = wrap(backend.from_numpy(array, backend.find_device(device)))
    if requires_grad:
        made.requires_grad = True
    return made


def _natural(operation: str, data: Any, dtype: Any) -> np.ndarray:
    """Data in its natural dtype: arrays keep theirs, Python's floats take the default dtype."""
    array = data_array(operation, data)
    if dtype is None:
        if array.dtype == np.float64 and not _of_numpy(data):
            return array.astype(dtypes.get_default_dtype().numpy)
        dtypes.of_numpy(array.dtype)
    elif array.dtype.kind == "i" and array.size and not _of_numpy(data):
        for extreme in (array.min(), array.max()):
            _require_in_range(operation, int(extreme), dtypes.find(dtype).numpy)
    return array


def _require_in_range(name: str, value: Any, wanted: Any) -> None:
    """Raise for a Python integer that a dtype does not hold; NumPy's arrays wrap, as in PyTorch."""
    if type(value) is int and wanted.kind in "iu":
        info = np.iinfo(wanted)
        if not info.min <= value <= info.max:
            raise DtypeError(
                f"{name}: {value} does not fit into {wanted}, which holds {info.min} to {info.max}; choose a wider "
                "dtype"
            )


def _of_numpy(data: Any) -> bool:
    """Whether the dtype comes from NumPy or a tensor rather than from Python's numbers."""
    while isinstance(data, list | tuple) and data:
        data = data[0]
    return isinstance(data, np.ndarray | np.generic | Tensor) or backend.is_array(data)


def tensor(
    data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False
) -> Tensor:
    """A new leaf with a copy of the data.

    Arguments: data (numbers, nested lists, arrays, tensors), dtype (default: the data's; the default dtype for Python's
    floats), device, requires_grad, pin_memory (has no meaning on the CPU and is refused when set). Raises ArgumentError
    for ragged lists, ArgumentTypeError for what is no number.

    >>> import tinygrad_dl as tg
    >>> tg.tensor([[1.0, 2.0], [3.0, 4.0]])
    tensor([[1., 2.],
            [3., 4.]])
    """
    if pin_memory:
        raise NotImplementedError("tensor: pin_memory=True is not supported; leave it out")
    if isinstance(data, Tensor) and device is None:
        device = data.device
    array = _natural("tensor", data, dtype)
    return _finish(np.array(array), dtype, device, requires_grad)


def asarray(
    obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None, requires_grad: bool | None = None
) -> Tensor:
    """A tensor of an object, which shares its memory where it can.

    Arguments: obj (data as for `tensor`), dtype, device, copy (True: never share; False: an error where that would need
    a copy), requires_grad (None: as the object's; False for a tensor in a graph leaves the graph).

    >>> import numpy as np, tinygrad_dl as tg
    >>> a = np.zeros(2); t = tg.asarray(a); a[0] = 5.0; t
    tensor([5., 0.], dtype=tinygrad_dl.float64)
    """
    made = as_tensor(obj, dtype, device)
    source = obj.array if isinstance(obj, Tensor) else obj
    shared = backend.is_array(source) and backend.memory_root(made.array) is backend.memory_root(source)
    if copy is False and not shared:
        raise ArgumentError(
            f"asarray: copy=False, but {type(obj).__name__} has no memory that {made.dtype} on '{made.device}' could "
            "share"
        )
    if copy and shared:
        made = made.clone()
    if requires_grad is None:
        return made
    return made.requires_grad_() if requires_grad else made.detach()


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """A tensor that shares the data's memory where it can: an array's or a tensor's of the same dtype and device.

    Arguments: data as for `tensor`, dtype, device.

    >>> import numpy as np, tinygrad_dl as tg
    >>> a = np.zeros(2); t = tg.as_tensor(a); a[0] = 5.0; t
    tensor([5., 0.], dtype=tinygrad_dl.float64)
    """
    if isinstance(data, Tensor):
        return data.to(dtype=dtype, device=device) if dtype is not None or device is not None else data
    if backend.is_array(data) and not isinstance(data, np.ndarray):
        found = wrap(data)
        return found.to(dtype=dtype, device=device) if dtype is not None or device is not None else found
    return _finish(_natural("as_tensor", data, dtype), dtype, device)


def from_numpy(ndarray: np.ndarray) -> Tensor:
    """A tensor on the CPU that shares the memory of a NumPy array.

    An array that may not be written to gives a tensor that may not. Raises ArgumentTypeError for anything else,
    DtypeError for a dtype that no tensor has, ArgumentError for negative steps and bytes in another order.

    >>> import numpy as np, tinygrad_dl as tg
    >>> tg.from_numpy(np.arange(3))
    tensor([0, 1, 2])
    """
    if not isinstance(ndarray, np.ndarray):
        raise ArgumentTypeError(
            f"from_numpy: a NumPy array is needed, not {type(ndarray).__name__}; use tensor(...) for other data"
        )
    dtypes.of_numpy(ndarray.dtype)
    if not ndarray.dtype.isnative:
        raise ArgumentError(
            "from_numpy: the bytes of the numbers stand in another order; use tensor(...), which copies"
        )
    if any(step < 0 or step % ndarray.itemsize for step in ndarray.strides):
        raise ArgumentError(
            f"from_numpy: the steps of this array (strides {ndarray.strides}) are negative or no whole elements of "
            f"{ndarray.itemsize} bytes; use ndarray.copy()"
        )
    return wrap(backend.host_array(ndarray))


# --- filled


def natural_sizes(name: str, given: tuple[Any, ...], size: Any = None) -> tuple[int, ...]:
    """Sizes given one by one, as one sequence or by the keyword `size`, none of them negative."""
    if size is None and not given:
        raise ArgumentTypeError(f"{name}: size is missing; write {name}(2, 3), or {name}(()) for a 0-d tensor")
    sizes = sizes_of(name, given if size is None else (size,))
    if any(n < 0 for n in sizes):
        raise ShapeError(f"{name}: sizes can't be negative, {sizes} came")
    return sizes


def _filled(name: str, sizes: tuple[int, ...], value: Any, dtype: Any, device: Any, requires_grad: bool) -> Tensor:
    wanted = (dtypes.get_default_dtype() if dtype is None else dtypes.find(dtype)).numpy
    _require_in_range(name, value, wanted)
    made = wrap(backend.module_of(backend.find_device(device)).full(sizes, value, wanted))
    if requires_grad:
        made.requires_grad = True
    return made


@row_major
@fills_out
def zeros(*sizes: Any, size: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros of a shape.

    Arguments: sizes (integers or one sequence, also as `size=`), dtype (default dtype if None), device, requires_grad.

    >>> import tinygrad_dl as tg
    >>> tg.zeros(2)
    tensor([0., 0.])
    """
    return _filled("zeros", natural_sizes("zeros", sizes, size), 0, dtype, device, requires_grad)


@row_major
@fills_out
def ones(*sizes: Any, size: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones of a shape; arguments as for `zeros`.

    >>> import tinygrad_dl as tg
    >>> tg.ones(2, dtype=tg.int64)
    tensor([1, 1])
    """
    return _filled("ones", natural_sizes("ones", sizes, size), 1, dtype, device, requires_grad)


@row_major
@fills_out
def full(size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """One number everywhere; without a dtype the number's: bool, int64 or the default dtype.

    >>> import tinygrad_dl as tg
    >>> tg.full((2,), 7)
    tensor([7, 7])
    """
    value = _number("full", "fill_value", fill_value)
    if dtype is None:
        dtype = dtypes.bool_ if isinstance(value, bool) else dtypes.int64 if isinstance(value, int) else None
    return _filled("full", natural_sizes("full", (size,)), value, dtype, device, requires_grad)


@row_major
@fills_out
def empty(*sizes: Any, size: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A shape whose values are not set; arguments as for `zeros`.

    >>> import tinygrad_dl as tg
    >>> tg.empty(2, 3).shape
    tinygrad_dl.Size([2, 3])
    """
    wanted = (dtypes.get_default_dtype() if dtype is None else dtypes.find(dtype)).numpy
    made = wrap(backend.module_of(backend.find_device(device)).empty(natural_sizes("empty", sizes, size), wanted))
    if requires_grad:
        made.requires_grad = True
    return made


@row_major
@fills_out
def eye(n: int, m: int | None = None, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """The unit matrix of n rows and m (or n) columns.

    >>> import tinygrad_dl as tg
    >>> tg.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    n, m = natural_sizes("eye", (n, n if m is None else m))
    made = _filled("eye", (n, m), 0, dtype, device, requires_grad)
    made.array.reshape(-1)[: m * m : m + 1] = 1
    return made


def _series(number: Callable[[Any], Any], count: int, dtype: Any, device: Any, requires_grad: bool) -> Tensor:
    """The numbers that a function gives of the places 0 to count - 1, an array: made and rounded block by block."""
    wanted = dtypes.get_default_dtype() if dtype is None else dtypes.find(dtype)
    made = np.empty(count, wanted.numpy)
    for start in builtins.range(0, count, BLOCK):
        made[start : start + BLOCK] = number(np.arange(start, min(start + BLOCK, count)))
    return _finish(made, None, device, requires_grad)


def _spaced(name: str, start: Any, end: Any, steps: int) -> Callable[[Any], Any]:
    """The numbers at equal distances from `start` to `end`, both included, as a function of their places."""
    first, last = (float(_number(name, argument, value)) for argument, value in (("start", start), ("end", end)))
    step = (last - first) / max(steps - 1, 1)

    def number(place: Any) -> Any:
        found = place * step + first
        found[(place == steps - 1) & (place > 0)] = last
        return found

    return number


def _number(name: str, argument: str, value: Any) -> Any:
    """A number from a number or a 0-d tensor."""
    number = value.item() if isinstance(value, Tensor | np.generic) else value
    if not isinstance(number, bool | int | float):
        raise ArgumentTypeError(f"{name}: {argument} must be a number, not {value!r}")
    return number


@row_major
@fills_out
def arange(
    start: Any = None,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """start, start + step, ... below `end`; with one argument from 0.

    Arguments: numbers; all integers give int64, else the default dtype. Raises ArgumentError for a step of 0 or one
    that leads away from the end.

    >>> import tinygrad_dl as tg
    >>> tg.arange(1, 2.5, 0.5)
    tensor([1.0000, 1.5000, 2.0000])
    """
    if end is None:
        start, end = None, start
    given = {"start": 0 if start is None else start, "end": end, "step": step}
    numbers = [_number("arange", name, value) for name, value in given.items()]
    first, last, by = numbers
    if not all(map(math.isfinite, numbers)):
        raise ArgumentError(f"arange: from {first} to {last} in steps of {by} is no finite range")
    if by == 0 or (last - first) / by < 0:
        raise ArgumentError(
            f"arange: from {first} to {last} in steps of {by} leads nowhere; the step's sign must lead to the end"
        )
    if dtype is None:
        dtype = dtypes.int64 if all(isinstance(n, int) for n in numbers) else dtypes.get_default_dtype()
    count = math.ceil((last - first) / by)
    return _series(lambda place: first + place * by, count, dtype, device, requires_grad)


@row_major
@fills_out
def linspace(
    start: Any, end: Any, steps: int, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """`steps` numbers at equal distances from `start` to `end`, both included.

    >>> import tinygrad_dl as tg
    >>> tg.linspace(0, 1, 3)
    tensor([0.0000, 0.5000, 1.0000])
    """
    (steps,) = natural_sizes("linspace", (steps,))
    return _series(_spaced("linspace", start, end, steps), steps, dtype, device, requires_grad)


@row_major
@fills_out
def logspace(
    start: Any,
    end: Any,
    steps: int,
    base: Any = 10.0,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` powers of `base`, from base^start to base^end, whose exponents have equal distances.

    >>> import tinygrad_dl as tg
    >>> tg.logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    (steps,) = natural_sizes("logspace", (steps,))
    exponent, radix = _spaced("logspace", start, end, steps), float(_number("logspace", "base", base))
    with np.errstate(all="ignore"):
        return _series(lambda place: np.power(radix, exponent(place)), steps, dtype, device, requires_grad)


def range(*args: Any, **options: Any) -> Tensor:
    """Refused: it counts the end in, and PyTorch too advises against it. Use `arange`.

    >>> import tinygrad_dl as tg
    >>> tg.range(0, 2)
    Traceback (most recent call last):
        ...
    NotImplementedError: range: it counts the end in, unlike Python's, and is deprecated; use arange(start, end)
    """
    raise NotImplementedError("range: it counts the end in, unlike Python's, and is deprecated; use arange(start, end)")


@row_major
def scalar_tensor(s: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A number as a 0-d tensor of the default dtype, or of another.

    >>> import tinygrad_dl as tg
    >>> tg.scalar_tensor(3)
    tensor(3.)
    """
    return full(
        (),
        _number("scalar_tensor", "s", s),
        dtype=dtype or dtypes.get_default_dtype(),
        device=device,
        requires_grad=requires_grad,
    )


def _triangle(name: str, row: int, col: int, offset: int, dtype: Any, device: Any, part: Any) -> Tensor:
    row, col = natural_sizes(name, (row, col))
    wanted = dtypes.int64 if dtype is None else dtypes.find(dtype)
    if wanted.numpy.kind not in "iu":
        raise DtypeError(f"{name}: dtype must be one of integers, not {wanted}")
    rows, columns = np.divmod(np.flatnonzero(part(np.ones((row, col), bool), *sizes_of(name, (offset,)))), max(col, 1))
    return _finish(np.stack([rows, columns]), wanted, device)


@row_major
def tril_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None) -> Tensor:
    """The places of the lower triangle of a matrix, as a row of their rows and one of their columns.

    Arguments: row and col (its sizes), offset (of the last diagonal, above the main one), dtype, device.

    >>> import tinygrad_dl as tg
    >>> tg.tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    return _triangle("tril_indices", row, col, offset, dtype, device, np.tril)


@row_major
def triu_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None) -> Tensor:
    """The places of the upper triangle of a matrix; arguments as for `tril_indices`.

    >>> import tinygrad_dl as tg
    >>> tg.triu_indices(2, 2)
    tensor([[0, 0, 1],
            [0, 1, 1]])
    """
    return _triangle("triu_indices", row, col, offset, dtype, device, np.triu)


@row_major
def empty_strided(
    size: Any, stride: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A shape whose values are not set, with given steps in memory from one element to the next.

    Arguments: size and stride (equally many integers), dtype, device, requires_grad. Where steps are 0 one element
    stands in several places, and can't be written to.

    >>> import tinygrad_dl as tg
    >>> tg.empty_strided((2, 3), (1, 2)).stride()
    (1, 2)
    """
    sizes, steps = natural_sizes("empty_strided", (size,)), natural_sizes("empty_strided", (stride,))
    if len(sizes) != len(steps):
        raise ShapeError(f"empty_strided: size {sizes} and stride {steps} must have equally many numbers")
    reach = sum((n - 1) * step for n, step in zip(sizes, steps)) + 1 if all(sizes) else 0
    memory = empty(reach, dtype=dtype, device=device).array
    overlaps = reach < math.prod(sizes)
    made = wrap(backend.strided(memory, sizes, tuple([step * memory.itemsize for step in steps]), not overlaps))
    return made.requires_grad_(requires_grad)


# --- like another tensor


def _like(name: str, input: Any, dtype: Any, device: Any) -> dict[str, Any]:
    if not isinstance(input, Tensor):
        raise ArgumentTypeError(f"{name}: input must be a Tensor, not {type(input).__name__}")
    return {"dtype": input.dtype if dtype is None else dtype, "device": input.device if device is None else device}


@row_major
def zeros_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros with the shape, dtype and device of a tensor.

    >>> import tinygrad_dl as tg
    >>> tg.zeros_like(tg.tensor([1, 2]))
    tensor([0, 0])
    """
    like = _like("zeros_like", input, dtype, device)
    return zeros(input.shape, **like, requires_grad=requires_grad)


@row_major
def ones_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones with the shape, dtype and device of a tensor.

    >>> import tinygrad_dl as tg
    >>> tg.ones_like(tg.tensor([1, 2]))
    tensor([1, 1])
    """
    like = _like("ones_like", input, dtype, device)
    return ones(input.shape, **like, requires_grad=requires_grad)


@row_major
def full_like(
    input: Tensor, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """One number everywhere, with the shape, dtype and device of a tensor.

    >>> import tinygrad_dl as tg
    >>> tg.full_like(tg.tensor([1, 2]), 7)
    tensor([7, 7])
    """
    like = _like("full_like", input, dtype, device)
    return full(input.shape, fill_value, **like, requires_grad=requires_grad)


@row_major
def empty_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor like another whose values are not set.

    >>> import tinygrad_dl as tg
    >>> tg.empty_like(tg.tensor([1, 2])).dtype
    tinygrad_dl.int64
    """
    like = _like("empty_like", input, dtype, device)
    return empty(input.shape, **like, requires_grad=requires_grad)


def _new(create: Any, name: str) -> Any:
    """A method that makes a tensor as a function does, with the dtype and on the device of this one."""

    @row_major
    def method(self: Tensor, *args: Any, dtype: Any = None, device: Any = None, **options: Any) -> Tensor:
        return create(*args, **_like(name, self, dtype, device), **options)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = (
        f"`{create.__name__.strip('_')}` with the dtype and on the device of this tensor, unless others are given."
    )
    return method


def _new_full(size: Any, fill_value: Any, **options: Any) -> Tensor:
    if isinstance(size, int):
        raise ArgumentTypeError(f"new_full: size must be a sequence of integers, {size} came; write ({size},)")
    return full(size, fill_value, **options)


def _new_as_constructor(self: Tensor, *data: Any, device: Any = None) -> Tensor:
    """Sizes or data as `Tensor(...)` takes them, with the dtype and on the device of this tensor."""
    return wrap(_from_data_or_sizes(data, False, self.device if device is None else device, self.array.dtype))


attach(
    new_zeros=_new(zeros, "new_zeros"),
    new_ones=_new(ones, "new_ones"),
    new_empty=_new(empty, "new_empty"),
    new_full=_new(_new_full, "new_full"),
    new_tensor=_new(tensor, "new_tensor"),
    new=_new_as_constructor,
    layout=property(lambda self: strided),
)
