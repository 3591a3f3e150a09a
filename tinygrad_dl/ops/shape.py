"""Shapes: the same elements in another arrangement. Views where NumPy gives views."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import backend
from ..errors import ArgumentError, ArgumentTypeError, ShapeError
from ..layouts import require_row_major
from ..methods import attach
from ..operation import operation
from ..tensor import NUMPY, Tensor, normalize_dim
from .composed import composed

# --- reshaping


def dims_of(operation: str, dim: Any, ndim: int, empty_is_all: bool = True) -> tuple[int, ...]:
    """The dimensions that `dim` (None, an integer or a sequence) names, counted from the front."""
    if dim is None or (empty_is_all and isinstance(dim, tuple | list) and len(dim) == 0):
        return tuple(range(ndim))
    given = tuple(dim) if isinstance(dim, tuple | list) else (dim,)
    dims = tuple([normalize_dim(operation, d, ndim) for d in given])
    if len(set(dims)) != len(dims):
        raise ShapeError(f"{operation}: a dimension appears more than once in dim={dim!r}")
    return dims if ndim else ()


def sizes_of(operation: str, sizes: tuple[Any, ...]) -> tuple[int, ...]:
    """Sizes given one by one or as one sequence, as integers."""
    if len(sizes) == 1 and not isinstance(sizes[0], int | np.integer):
        sizes = tuple(sizes[0]) if isinstance(sizes[0], Sequence | Tensor) else sizes
    try:
        return tuple([n if type(n) is int else n.__index__() for n in sizes])
    except (AttributeError, TypeError):
        raise ArgumentTypeError(f"{operation}: sizes must be integers, not {sizes!r}") from None


@operation(views=True, input=lambda g, input_shape: reshape(g, input_shape))
def reshape(input: Any, shape: Any) -> Any:
    """The same elements in another shape; a view where the memory allows it, else a copy.

    Arguments: input (tensor), shape (integers; one may be -1, which is worked out). Raises ShapeError when the number
    of elements does not fit.

    >>> import tinygrad_dl as tg
    >>> tg.reshape(tg.arange(6), (2, -1)).shape
    tinygrad_dl.Size([2, 3])
    """
    return _in_shape("reshape", input, shape)


@operation("view", views=True, input=lambda g, input_shape: reshape(g, input_shape))
def _reshaped(input: Any, shape: Any) -> Any:
    return _in_shape("view", input, shape)


def _in_shape(name: str, input: Any, shape: Any) -> Any:
    if shape != (-1,) and (-1 in shape or math.prod(shape) != input.size):
        shape = _worked_out(name, input, shape)
    return input.reshape(shape)


def _view(self: Tensor, shape: Any) -> Tensor:
    """The same elements in another shape, sharing memory. Raises ShapeError when their order in memory forbids it.

    Only the user's tensor must allow it: a gradient, which the operation reads in the same way, may lie otherwise.
    """
    out, array = _reshaped(self, shape), self.array
    if array.size and array.ndim and backend.memory_root(out.array) is not backend.memory_root(array):
        raise ShapeError(
            f"view: a tensor of shape {tuple(array.shape)} with this order in memory has no view of shape "
            f"{tuple(shape)}; use reshape(...), which copies when it must"
        )
    return out


def _worked_out(name: str, input: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape with its -1 replaced, or a ShapeError."""
    known = [n for n in shape if n != -1]
    rest = math.prod(known)
    if len(shape) - len(known) > 1:
        raise ShapeError(f"{name}: only one size can be -1, {tuple(shape)} came")
    if any(n < 0 for n in known):
        raise ShapeError(f"{name}: sizes can't be negative (but for one -1), {tuple(shape)} came")
    if len(known) == len(shape):
        if rest != input.size:
            raise ShapeError(
                f"{name}: shape {tuple(shape)} has {rest} elements, the input of shape {tuple(input.shape)} has "
                f"{input.size}"
            )
        return shape
    if rest == 0:
        raise ShapeError(f"{name}: the -1 in {tuple(shape)} could be any size, since another size is 0; give it")
    if input.size % rest:
        raise ShapeError(
            f"{name}: {input.size} elements (shape {tuple(input.shape)}) can't be divided into {tuple(shape)}"
        )
    return tuple([input.size // rest if n == -1 else n for n in shape])


@composed
def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """The dimensions from `start_dim` to `end_dim` as one; a 0-d tensor becomes 1-d.

    Raises DimensionError for dimensions out of range, ShapeError when start_dim comes after end_dim.

    >>> import tinygrad_dl as tg
    >>> tg.flatten(tg.zeros(2, 3, 4), 1).shape
    tinygrad_dl.Size([2, 12])
    """
    shape = input.shape
    start, end = normalize_dim("flatten", start_dim, len(shape)), normalize_dim("flatten", end_dim, len(shape))
    if start > end:
        raise ShapeError(
            f"flatten: start_dim {start_dim} comes after end_dim {end_dim} in a tensor of {len(shape)} dimensions"
        )
    if start == end and shape:
        return input
    return reshape(input, (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))


@composed
def unflatten(input: Any, dim: int, sizes: Any) -> Any:
    """One dimension as several; a view where the memory allows it.

    Arguments: input (tensor), dim, sizes (integers whose product is its size; one may be -1). Raises ShapeError when
    they don't fit.

    >>> import tinygrad_dl as tg
    >>> tg.unflatten(tg.zeros(2, 12), 1, (3, -1)).shape
    tinygrad_dl.Size([2, 3, 4])
    """
    shape = tuple(input.shape)
    dim, parts = normalize_dim("unflatten", dim, len(shape)), sizes_of("unflatten", (sizes,))
    if not parts or not shape:
        raise ShapeError(f"unflatten: sizes {parts} are no parts of dimension {dim} of shape {shape}")
    rest = math.prod(n for n in parts if n != -1)
    full = tuple([shape[dim] // (rest or 1) if n == -1 else n for n in parts])
    if math.prod(full) != shape[dim] or min(full) < 0 or parts.count(-1) > 1:
        raise ShapeError(
            f"unflatten: sizes {parts} don't multiply up to {shape[dim]}, dimension {dim} of shape {shape}"
        )
    return reshape(input, (*shape[:dim], *full, *shape[dim + 1 :]))


@composed
def ravel(input: Any) -> Any:
    """All elements in one dimension; a view of what is contiguous, else a copy.

    >>> import tinygrad_dl as tg
    >>> tg.ravel(tg.tensor([[1, 2], [3, 4]]))
    tensor([1, 2, 3, 4])
    """
    return reshape(input.contiguous(), (-1,))


# --- order of dimensions


@operation(views=True, input=lambda g, dims: permute(g, inverse(dims)))
def permute(input: Any, dims: Any) -> Any:
    """The dimensions in another order; a view.

    Arguments: input (tensor), dims (each dimension once). Raises ShapeError otherwise.

    >>> import tinygrad_dl as tg
    >>> tg.permute(tg.zeros(2, 3, 4), (2, 0, 1)).shape
    tinygrad_dl.Size([4, 2, 3])
    """
    order = [normalize_dim("permute", d, input.ndim) for d in dims]
    if sorted(order) != list(range(input.ndim)):
        raise ShapeError(f"permute: dims {tuple(dims)} must name each of the {input.ndim} dimensions once")
    return input.transpose(order)


def inverse(dims: Sequence[int]) -> tuple[int, ...]:
    """The order of dimensions that undoes another one."""
    n = len(dims)
    order = [d % n for d in dims]
    return tuple([order.index(i) for i in range(n)])


@operation(views=True, input=lambda g, dim0, dim1: transpose(g, dim0, dim1))
def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """Two dimensions exchanged; a view.

    Raises DimensionError for a dimension out of range.

    >>> import tinygrad_dl as tg
    >>> tg.transpose(tg.zeros(2, 3), 0, 1).shape
    tinygrad_dl.Size([3, 2])
    """
    first, second = normalize_dim("transpose", dim0, input.ndim), normalize_dim("transpose", dim1, input.ndim)
    return input.swapaxes(first, second) if input.ndim else input[...]


@composed
def movedim(input: Any, source: Any, destination: Any) -> Any:
    """Dimensions moved to other places, the rest in their order; a view.

    Arguments: input (tensor), source and destination (an integer each, or equally many). Raises ShapeError for a
    dimension that comes twice, ArgumentTypeError for different kinds.

    >>> import tinygrad_dl as tg
    >>> tg.movedim(tg.zeros(2, 3, 4), 0, -1).shape
    tinygrad_dl.Size([3, 4, 2])
    """
    if isinstance(source, int) != isinstance(destination, int):
        raise ArgumentTypeError(
            f"movedim: source and destination must both be integers or both sequences, {source!r} and {destination!r} "
            "came"
        )
    ndim = input.ndim
    places = [dims_of("movedim", dim, ndim, empty_is_all=False) for dim in (source, destination)]
    if len(places[0]) != len(places[1]):
        raise ShapeError(
            f"movedim: source {source!r} and destination {destination!r} must name equally many dimensions"
        )
    order = [d for d in range(ndim) if d not in places[0]]
    for place, dim in sorted(zip(places[1], places[0])):
        order.insert(place, dim)
    return permute(input, order)


moveaxis = movedim


@composed
def swapaxes(input: Any, axis0: int, axis1: int) -> Any:
    """Two dimensions exchanged; a view. As `transpose`, in NumPy's words.

    >>> import tinygrad_dl as tg
    >>> tg.swapaxes(tg.zeros(2, 3), 0, 1).shape
    tinygrad_dl.Size([3, 2])
    """
    return transpose(input, axis0, axis1)


@composed
def swapdims(input: Any, dim0: int, dim1: int) -> Any:
    """Two dimensions exchanged; a view. Another name of `transpose`.

    >>> import tinygrad_dl as tg
    >>> tg.swapdims(tg.zeros(2, 3), 0, 1).shape
    tinygrad_dl.Size([3, 2])
    """
    return transpose(input, dim0, dim1)


@composed
def t(input: Any) -> Any:
    """The transpose of a matrix; a vector stays as it is. Raises ShapeError for more dimensions.

    >>> import tinygrad_dl as tg
    >>> tg.t(tg.zeros(2, 3)).shape
    tinygrad_dl.Size([3, 2])
    """
    if input.ndim > 2:
        raise ShapeError(
            f"t: a matrix has at most 2 dimensions, this tensor has shape {tuple(input.shape)}; use transpose or .mT"
        )
    return transpose(input, 0, 1) if input.ndim == 2 else input


def _reversed(self: Any) -> Any:
    """All dimensions in reverse order; the transpose of a matrix."""
    return transpose(self, 0, 1) if self.ndim == 2 else permute(self, tuple(range(self.ndim))[::-1])


def _matrix_transpose(self: Any) -> Any:
    """The last two dimensions exchanged."""
    if self.ndim < 2:
        raise ShapeError(f"mT: a matrix has at least 2 dimensions, this tensor has shape {tuple(self.shape)}")
    return transpose(self, -2, -1)


@composed
def adjoint(input: Any) -> Any:
    """The last two dimensions exchanged, real numbers being their own conjugates; a view.

    Raises ShapeError for a vector.

    >>> import tinygrad_dl as tg
    >>> tg.adjoint(tg.zeros(4, 2, 3)).shape
    tinygrad_dl.Size([4, 3, 2])
    """
    return _matrix_transpose(input) if input.ndim else input


def _hermitian(self: Any) -> Any:
    """The conjugate transpose of a matrix."""
    if self.ndim not in (0, 2):
        raise ShapeError(f"H: a matrix has 2 dimensions, this tensor has shape {tuple(self.shape)}; use .mH")
    return adjoint(self)


# --- dimensions of size 1


@composed
def squeeze(input: Any, dim: Any = None) -> Any:
    """Without the dimensions of size 1, all of them or those in `dim`; a view.

    Arguments: input (tensor), dim (integer or tuple; a dimension of another size stays). Raises DimensionError.

    >>> import tinygrad_dl as tg
    >>> tg.squeeze(tg.zeros(1, 3, 1)).shape
    tinygrad_dl.Size([3])
    """
    shape = input.shape
    dims = dims_of("squeeze", dim, len(shape), empty_is_all=False)
    return reshape(input, tuple([n for i, n in enumerate(shape) if n != 1 or i not in dims]))


@composed
def unsqueeze(input: Any, dim: int) -> Any:
    """With a new dimension of size 1 at `dim`; a view. Raises DimensionError when out of range.

    >>> import tinygrad_dl as tg
    >>> tg.unsqueeze(tg.zeros(3), 0).shape
    tinygrad_dl.Size([1, 3])
    """
    shape = input.shape
    place = normalize_dim("unsqueeze", dim, len(shape) + 1)
    return reshape(input, (*shape[:place], 1, *shape[place:]))


# --- repeating by strides


@operation(views=True, input=lambda g, input_shape: sum_to(g, input_shape))
def expand(input: Any, size: Any) -> Any:
    """Dimensions of size 1 repeated to `size`, new ones in front; a view without new memory.

    Arguments: input (tensor), size (integers; -1 keeps a size). The gradient is summed over what was repeated. Raises
    ShapeError when a size other than 1 would change. Source: notes, section 1.9.

    >>> import tinygrad_dl as tg
    >>> tg.tensor([[1], [2]]).expand(2, 3).tolist()
    [[1, 1, 1], [2, 2, 2]]
    """
    extra = len(size) - input.ndim
    if extra < 0:
        raise ShapeError(f"expand: {tuple(size)} has fewer dimensions than the tensor of shape {tuple(input.shape)}")
    wanted = tuple([input.shape[i - extra] if n == -1 and i >= extra else n for i, n in enumerate(size)])
    for i, n in enumerate(input.shape):
        if n not in (1, wanted[extra + i]):
            raise ShapeError(
                f"expand: dimension {i} has size {n} and can't become {wanted[extra + i]} (shape {tuple(input.shape)} "
                f"to {tuple(size)}); only size 1 repeats"
            )
    if any(n < 0 for n in wanted):
        raise ShapeError(f"expand: {tuple(size)} has a negative size for a new dimension")
    if math.prod(wanted) == input.size:  # nothing repeats: a view like others, which may be written to
        return input.reshape(wanted)
    return backend.broadcast_to(input, wanted)


@operation(input=lambda g, input_shape: expand(g, input_shape))
def sum_to(input: Any, shape: Any) -> Any:
    """Summed over the dimensions along which `shape` was repeated: the reverse of `expand`."""
    extra = input.ndim - len(shape)
    axes = tuple([i for i, n in enumerate(input.shape) if i < extra or (shape[i - extra] == 1 and n != 1)])
    if not axes:
        return input
    inner = np.dtype(np.float32) if input.dtype == np.float16 else input.dtype
    return np.add.reduce(input, axes, inner).astype(input.dtype, copy=False).reshape(tuple(shape))


# --- copies


@operation(numpy=(np.copy,), input=lambda g: g)
def clone(input: Any, memory_format: Any = None) -> Any:
    """A copy with memory of its own; the gradient passes to the original.

    >>> import tinygrad_dl as tg
    >>> x = tg.ones(2)
    >>> tg.clone(x).data_ptr() == x.data_ptr()
    False
    """
    require_row_major("clone", memory_format)
    return input.copy()


def contiguous(input: Any, memory_format: Any = None) -> Any:
    """The tensor itself when its elements lie one after the other in memory, else a copy that does."""
    require_row_major("contiguous", memory_format)
    return input if input.is_contiguous() else clone(input)


# --- methods and NumPy's functions


def variadic(function: Any, argument: str) -> Any:
    """A method that takes its sizes one by one or as one sequence."""

    def method(self: Any, *sizes: Any, **named: Any) -> Any:
        if not (sizes or named):
            raise ArgumentTypeError(f"{function.__name__.strip('_')}: the argument {argument} is missing")
        given = named.pop(argument, None)
        if named:
            raise ArgumentTypeError(
                f"{function.__name__}: there is no argument {next(iter(named))!r}; it takes {argument}"
            )
        return function(self, sizes_of(function.__name__.strip("_"), sizes if given is None else (given,)))

    method.__name__ = function.__name__.strip("_")
    method.__doc__ = function.__doc__
    method.operation = getattr(function, "operation", function)  # type: ignore[attr-defined]
    return method


def _numpy_transpose(a: Any, axes: Any = None) -> Any:
    return permute(a, tuple(axes) if axes is not None else tuple(range(a.ndim))[::-1])


def _numpy_reshape(a: Any, shape: Any, order: str = "C") -> Any:
    """np.reshape: with order "F", the first dimension runs fastest."""
    sizes = sizes_of("reshape", (shape,))
    if order == "C":
        return reshape(a, sizes)
    if order != "F":
        raise ArgumentError(f"numpy.reshape: order is 'C' or 'F', not {order!r}")
    return _numpy_transpose(reshape(_numpy_transpose(a), sizes[::-1]))


def _numpy_expand_dims(a: Any, axis: Any) -> Any:
    """np.expand_dims: new dimensions at the places that they have in the result."""
    places = axis if isinstance(axis, list | tuple) else (axis,)
    for place in sorted(normalize_dim("expand_dims", place, a.ndim + len(places)) for place in places):
        a = unsqueeze(a, place)
    return a


attach(flatten, unflatten, ravel, movedim, t, adjoint, squeeze, unsqueeze, clone, contiguous, transpose)
attach(swapaxes, swapdims, moveaxis=movedim)
attach(
    reshape=variadic(reshape, "shape"),
    view=variadic(_view, "size"),
    permute=variadic(permute, "dims"),
    expand=variadic(expand, "size"),
)
attach(T=property(_reversed), mT=property(_matrix_transpose), H=property(_hermitian), mH=property(adjoint))


def _view_as(self: Tensor, other: Tensor) -> Tensor:
    """The same elements in the shape of another tensor, sharing memory, as `view`."""
    return _view(self, tuple(other.shape))


def _reshape_as(self: Tensor, other: Tensor) -> Tensor:
    """The same elements in the shape of another tensor, as `reshape`."""
    return reshape(self, tuple(other.shape))


def _expand_as(self: Tensor, other: Tensor) -> Tensor:
    """The tensor repeated to the shape of another one, as `expand`."""
    return expand(self, tuple(other.shape))


attach(view_as=_view_as, reshape_as=_reshape_as)
attach(expand_as=_expand_as)
NUMPY.update(
    {
        np.reshape: _numpy_reshape,
        np.ravel: lambda a, order="C": _numpy_reshape(a, (-1,), order),
        np.transpose: _numpy_transpose,
        np.swapaxes: lambda a, axis1, axis2: transpose(a, axis1, axis2),
        np.squeeze: lambda a, axis=None: squeeze(a, axis),
        np.expand_dims: _numpy_expand_dims,
    }
)
