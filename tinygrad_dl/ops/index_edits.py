"""Writing by index, mask or dimension: the form in place, and the same on a copy. Source: PyTorch's definitions."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import ArgumentTypeError, DimensionError, DtypeError, ShapeError
from ..explain import explain
from ..methods import attach
from ..tensor import Tensor, normalize_dim
from .composed import composed
from .conversion import filling
from .editing import store
from .gathering import require_inside
from .indexing import index_of
from .shape import clone, expand, reshape


def _place(name: str, self: Tensor, dim: int, index: Any) -> Any:
    """The index that takes `index`, a vector of integers, along `dim`."""
    dim = normalize_dim(name, dim, self.ndim)
    if not isinstance(index, Tensor) or index.array.dtype.kind not in "iu":
        came = index.dtype if isinstance(index, Tensor) else type(index).__name__
        raise ArgumentTypeError(f"{name}: index must be a Tensor of integers, not {came}")
    _same_device(name, self, "index", index)
    if index.ndim > 1:
        raise ShapeError(f"{name}: index must be a vector, its shape is {tuple(index.shape)}")
    n = self.shape[dim] if self.ndim else 1
    require_inside(name, index.array, n, f"dimension {dim}", -n)
    if not self.ndim:
        return (..., None) if index.numel() else (False,)
    return index_of(self, (*[slice(None)] * dim, reshape(index, (-1,))))


def _same_device(name: str, self: Tensor, argument: str, other: Tensor) -> None:
    if other.ndim and type(other.array) is not type(self.array):
        raise explain(name, ("tensor", argument), (self, other), TypeError("mixed devices"))


def _sources(name: str, self: Tensor, dim: int, index: Any, source: Any) -> tuple[tuple[Any, ...], Tensor]:
    """The place of `index` along `dim`, and `source` checked to fit there exactly."""
    place = _place(name, self, dim, index)
    check_source(name, self, dim, index, source)
    return place, source


def check_source(name: str, self: Tensor, dim: int, index: Any, source: Any) -> None:
    """Raise unless `source` has a slice for each index along `dim`, and the indices count from the front."""
    if not isinstance(source, Tensor):
        raise ArgumentTypeError(f"{name}: source must be a Tensor, not {type(source).__name__}")
    if source.dtype != self.dtype:
        raise DtypeError(f"{name}: source is {source.dtype}, the tensor {self.dtype}; use source.to(tensor.dtype)")
    require_inside(name, index.array, self.shape[dim] if self.ndim else 1, f"dimension {dim}")
    wanted = list(self.shape)
    if not wanted and not source.numel() == index.numel() == 1:
        raise DimensionError(
            f"{name}: a 0-d tensor takes one index and a 0-d source, {index.numel()} index(es) and a source of shape "
            f"{tuple(source.shape)} came"
        )
    if wanted:
        wanted[dim] = index.numel()
    if wanted and list(source.shape) != wanted:
        raise ShapeError(
            f"{name}: source has shape {tuple(source.shape)}, {tuple(wanted)} fits {index.numel()} index(es) along "
            f"dimension {dim} of {tuple(self.shape)}"
        )


# --- by mask


def _masked_fill_(self: Tensor, mask: Any, value: Any) -> Tensor:
    """Write a number where `mask` (bool, broadcasting) is True, in place."""
    return store("masked_fill_", self, filling("masked_fill_", self, value), _mask("masked_fill_", self, mask))


def _mask(name: str, self: Tensor, mask: Any) -> Any:
    if not isinstance(mask, Tensor) or mask.array.dtype.kind != "b":
        came = mask.dtype if isinstance(mask, Tensor) else type(mask).__name__
        raise DtypeError(f"{name}: mask must be a Tensor of bools, not {came}; use mask.bool()")
    _same_device(name, self, "mask", mask)
    return index_of(self, mask if mask.shape == self.shape else expand(mask, tuple(self.shape)))


@composed
def masked_fill(input: Any, mask: Any, value: Any) -> Any:
    """`value` where `mask` is True, else `input`.

    Arguments: input and mask (bool; they broadcast), value (number or 0-d tensor, taken in the input's dtype). The
    gradient of what was overwritten is 0, that of a tensor `value` the sum over the mask. Raises DtypeError for a mask
    that is not bool, ShapeError for a value with dimensions.

    >>> import tinygrad_dl as tg
    >>> tg.masked_fill(tg.ones(3), tg.tensor([True, False, True]), 0.5)
    tensor([0.5000, 1.0000, 0.5000])
    """
    if isinstance(mask, Tensor):
        input = expand(input, np.broadcast_shapes(input.shape, mask.shape)) if mask.shape != input.shape else input
    return _masked_fill_(clone(input), mask, value)


def _masked_scatter_(self: Tensor, mask: Any, source: Any) -> Tensor:
    """Write the first elements of `source`, in order, where `mask` (bool, broadcasting) is True, in place."""
    place = _mask("masked_scatter_", self, mask)
    n = int(place.sum())
    if not isinstance(source, Tensor) or source.dtype != self.dtype:
        raise DtypeError(f"masked_scatter_: source must be a Tensor of {self.dtype}")
    if source.numel() < n:
        raise ShapeError(f"masked_scatter_: source has {source.numel()} elements, the mask is True {n} times")
    return store("masked_scatter_", self, reshape(source, (-1,))[:n], place)


@composed
def masked_scatter(input: Any, mask: Any, source: Any) -> Any:
    """The elements of `source`, in order, where `mask` is True, else `input`.

    Arguments: input, mask (bool; broadcasts to input), source (at least as many elements as the mask is True). Raises
    ShapeError for too few, DtypeError for other dtypes.

    >>> import tinygrad_dl as tg
    >>> tg.masked_scatter(tg.zeros(3), tg.tensor([True, False, True]), tg.tensor([1.0, 2.0, 3.0]))
    tensor([1., 0., 2.])
    """
    return _masked_scatter_(clone(input), mask, source)


# --- along a dimension


def _index_fill_(self: Tensor, dim: int, index: Any, value: Any) -> Tensor:
    """Write a number at `index` along `dim`, in place."""
    return store("index_fill_", self, filling("index_fill_", self, value), _place("index_fill_", self, dim, index))


@composed
def index_fill(input: Any, dim: int, index: Any, value: Any) -> Any:
    """`input` with `value` at the indices along `dim`.

    Arguments: input, dim, index (vector of integers), value (number or 0-d tensor). Raises DimensionError for what is
    out of range.

    >>> import tinygrad_dl as tg
    >>> tg.index_fill(tg.zeros(2, 2), 1, tg.tensor([0]), 3.0)
    tensor([[3., 0.],
            [3., 0.]])
    """
    return _index_fill_(clone(input), dim, index, value)


def _index_copy_(self: Tensor, dim: int, index: Any, source: Any) -> Tensor:
    """Write the slices of `source` at `index` along `dim`, in place."""
    place, source = _sources("index_copy_", self, dim, index, source)
    return store("index_copy_", self, source, place)


@composed
def index_copy(input: Any, dim: int, index: Any, source: Any) -> Any:
    """`input` with the slices of `source` at the indices along `dim`.

    Arguments: input, dim, index (vector of integers, from the front), source (the input's shape but for `dim`, where it
    has one slice for each index; the input's dtype). Raises ShapeError, DimensionError, DtypeError.

    >>> import tinygrad_dl as tg
    >>> tg.index_copy(tg.zeros(3), 0, tg.tensor([2, 0]), tg.tensor([1.0, 5.0]))
    tensor([5., 0., 1.])
    """
    return _index_copy_(clone(input), dim, index, source)


def _index_add_(self: Tensor, dim: int, index: Any, source: Any, *, alpha: Any = 1) -> Tensor:
    """Add alpha times the slices of `source` at `index` along `dim`, in place; an index may come several times."""
    place, source = _sources("index_add_", self, dim, index, source)
    return _accumulate("index_add_", self, source if alpha == 1 else source * alpha, place)


@composed
def index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: Any = 1) -> Any:
    """`input` with alpha · the slices of `source` added at the indices along `dim`.

    Arguments: as in `index_copy`; an index may come several times, all its slices are added. d/d input = g, d/d source
    = alpha · g at the indices.

    >>> import tinygrad_dl as tg
    >>> tg.index_add(tg.zeros(3), 0, tg.tensor([2, 2]), tg.tensor([1.0, 5.0]))
    tensor([0., 0., 6.])
    """
    return _index_add_(clone(input), dim, index, source, alpha=alpha)


def _accumulate(name: str, self: Tensor, value: Any, place: Any) -> Tensor:
    """Add a value at an index, every time that it names an element."""
    return store(name, self, value, place, add=True)


# --- by several indices


def _index_put_(self: Tensor, indices: Any, values: Any, accumulate: bool = False) -> Tensor:
    """Write `values`, or add them, at the elements that a tuple of index tensors names, in place."""
    if not isinstance(indices, Sequence) or not all(isinstance(index, Tensor) for index in indices):
        raise ArgumentTypeError("index_put_: indices must be a tuple of Tensors of integers or bools")
    if not isinstance(values, Tensor) or values.dtype != self.dtype:
        raise DtypeError(f"index_put_: values must be a Tensor of {self.dtype}")
    if not self.ndim:
        raise DimensionError("index_put_: a 0-d tensor has no dimension for an index; use fill_")
    place = index_of(self, tuple(indices))
    return _accumulate("index_put_", self, values, place) if accumulate else store("index_put_", self, values, place)


@composed
def index_put(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """`input` with `values` written at, or added to, the elements that a tuple of index tensors names.

    Arguments: input, indices (integers or bools, as in `input[indices]`), values (broadcast; the input's dtype),
    accumulate (add, also where an element is named several times).

    >>> import tinygrad_dl as tg
    >>> tg.index_put(tg.zeros(3), (tg.tensor([1, 1]),), tg.tensor([2.0, 3.0]), accumulate=True)
    tensor([0., 5., 0.])
    """
    return _index_put_(clone(input), indices, values, accumulate)


attach(masked_fill, masked_scatter, index_fill, index_copy, index_add, index_put)
attach(
    masked_fill_=_masked_fill_,
    masked_scatter_=_masked_scatter_,
    index_fill_=_index_fill_,
    index_copy_=_index_copy_,
    index_add_=_index_add_,
    index_put_=_index_put_,
)
