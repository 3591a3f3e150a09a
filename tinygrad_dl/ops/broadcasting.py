"""Tensors brought to a common shape: by new dimensions, by repeating without new memory."""

from typing import Any

import numpy as np

from ..errors import ArgumentTypeError, ShapeError
from ..explain import explain
from ..methods import attach
from ..tensor import NUMPY, Size, Tensor
from .composed import composed
from .shape import expand, reshape, sizes_of, unsqueeze, variadic

# --- repeating by strides


@composed
def broadcast_to(input: Any, size: Any) -> Any:
    """Repeated along dimensions of size 1 and along new ones in front; a view, as `Tensor.expand`.

    Arguments: input (tensor), size (integers; -1 keeps a size). Raises ShapeError when a size other than 1 would
    change.

    >>> import tinygrad_dl as tg
    >>> tg.broadcast_to(tg.tensor([1, 2]), (2, 2))
    tensor([[1, 2],
            [1, 2]])
    """
    return expand(input, sizes_of("broadcast_to", (size,)))


def broadcast_shapes(*shapes: Any) -> Size:
    """The shape in which tensors of these shapes meet.

    Arguments: shapes (sequences of integers, or integers). Raises ShapeError when they don't broadcast.

    >>> import tinygrad_dl as tg
    >>> tg.broadcast_shapes((2, 1), (3,))
    tinygrad_dl.Size([2, 3])
    """
    given = [sizes_of("broadcast_shapes", (shape,)) for shape in shapes]
    if any(n < 0 for shape in given for n in shape):
        raise ShapeError(f"broadcast_shapes: sizes can't be negative, {', '.join(map(str, given))} came")
    return Size(_common("broadcast_shapes", given))


def _common(name: str, shapes: list[tuple[int, ...]]) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise ShapeError(f"{name}: the shapes {', '.join(map(str, shapes))} don't broadcast") from None


def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """Tensors repeated to their common shape; views.

    Arguments: tensors. Returns a tuple of them. Raises ShapeError when they don't broadcast.

    >>> import tinygrad_dl as tg
    >>> [x.tolist() for x in tg.broadcast_tensors(tg.tensor([1, 2]), tg.tensor(3))]
    [[1, 2], [3, 3]]
    """
    require_tensors("broadcast_tensors", tensors)
    require_one_device("broadcast_tensors", **{f"tensor {i}": x for i, x in enumerate(tensors)})
    shape = _common("broadcast_tensors", [x.array.shape for x in tensors])
    return tuple([expand(x, shape) for x in tensors])


def require_tensors(name: str, tensors: Any) -> None:
    """Refuse what is no tensor among several arguments."""
    for i, tensor in enumerate(tensors):
        if not isinstance(tensor, Tensor):
            raise ArgumentTypeError(
                f"{name}: argument {i} must be a Tensor, {type(tensor).__name__} came; convert it with "
                "tinygrad_dl.tensor(...)"
            )


def require_one_device(name: str, **tensors: Tensor) -> None:
    """Refuse tensors on different devices, by the names of the arguments."""
    if len({type(tensor.array) for tensor in tensors.values()}) > 1:
        raise explain(name, list(tensors), list(tensors.values()), TypeError("mixed devices"))


# --- new dimensions


def _each(name: str, dimensions: Any, tensors: tuple[Any, ...]) -> Any:
    """A function of one tensor, on each of several."""
    if len(tensors) == 1 and not isinstance(tensors[0], list | tuple):
        require_tensors(name, tensors)
        return dimensions(tensors[0])
    given = tensors[0] if len(tensors) == 1 else tensors
    require_tensors(name, given)
    return tuple([dimensions(x) for x in given])


def atleast_1d(*tensors: Any) -> Any:
    """A 0-d tensor with one dimension, others as they are; a view.

    Arguments: one tensor, or several, or a sequence of them. Returns a tensor, or a tuple of several.

    >>> import tinygrad_dl as tg
    >>> tg.atleast_1d(tg.tensor(2.0))
    tensor([2.])
    """
    return _each("atleast_1d", lambda x: reshape(x, (1,)) if x.ndim == 0 else x, tensors)


def atleast_2d(*tensors: Any) -> Any:
    """With two dimensions at least, new ones in front: a vector becomes a row. Arguments as for `atleast_1d`.

    >>> import tinygrad_dl as tg
    >>> tg.atleast_2d(tg.tensor([1, 2]))
    tensor([[1, 2]])
    """
    return _each("atleast_2d", lambda x: reshape(x, (1,) * (2 - x.ndim) + tuple(x.shape)) if x.ndim < 2 else x, tensors)


def atleast_3d(*tensors: Any) -> Any:
    """With three dimensions at least: (n,) becomes (1, n, 1), (n, m) becomes (n, m, 1). Arguments as for `atleast_1d`.

    >>> import tinygrad_dl as tg
    >>> tg.atleast_3d(tg.tensor([1, 2])).shape
    tinygrad_dl.Size([1, 2, 1])
    """
    return _each("atleast_3d", lambda x: unsqueeze(atleast_2d(x), -1) if x.ndim < 3 else x, tensors)


attach(broadcast_to=variadic(broadcast_to, "size"))
_of_numpy: dict[Any, Any] = {
    np.broadcast_to: lambda array, shape: broadcast_to(array, shape),
    np.atleast_1d: lambda *arys: atleast_1d(*arys),
    np.atleast_2d: lambda *arys: atleast_2d(*arys),
    np.atleast_3d: lambda *arys: atleast_3d(*arys),
}
NUMPY.update(_of_numpy)
