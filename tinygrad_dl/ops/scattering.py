"""Writing, adding and reducing into places that a tensor of indices names. Source: PyTorch's definitions."""

from typing import Any

import numpy as np

from .. import backend
from ..errors import ArgumentError, ArgumentTypeError, DimensionError, DtypeError
from ..methods import attach
from ..operation import operation
from ..tensor import Tensor, normalize_dim, wrap
from .composed import composed
from .conversion import filling
from .editing import attach_in_place, in_place_form, store, zeros_like
from .elementwise import where
from .gathering import line, require_fitting, require_index, require_inside, require_same_device
from .index_edits import check_source
from .indexing import gather_along, grid, put_along_dim
from .places import rows_at, stable_order, write
from .reduction import cast
from .shape import clone, expand, reshape

# --- one value or source for each index


def _source(name: str, self: Tensor, dim: int, index: Any, src: Any) -> tuple[Any, Any]:
    """The place of `index` along `dim` of the tensor as a line or more, and the part of `src` that goes there."""
    if not isinstance(src, Tensor):
        raise ArgumentTypeError(f"{name}: src must be a Tensor, not {type(src).__name__}")
    if src.dtype != self.dtype:
        raise DtypeError(f"{name}: src is {src.dtype}, the tensor {self.dtype}; use src.to(tensor.dtype)")
    require_same_device(name, self, "src", src)
    dim = require_fitting(name, self, dim, index, src)
    return grid(line(index).array, dim), _corner(line(src), line(index).shape)


def _corner(src: Any, shape: Any) -> Any:
    """The first elements of `src` in each dimension."""
    return src if src.shape == shape else src[tuple([slice(n) for n in shape])]


def _write(name: str, self: Tensor, dim: int, index: Any, src: Any, add: bool) -> Tensor:
    place, part = _source(name, self, dim, index, src)
    if not index.numel():
        return _write_nothing(name, self, src)
    store(name, line(self), part, place, add)
    return self


def _write_nothing(name: str, self: Tensor, src: Tensor) -> Tensor:
    """Write no element of `src`, which becomes a part of the history all the same, as in PyTorch."""
    nowhere = backend.array_module(self.array).zeros(tuple(line(self).shape), bool)
    store(name, line(self), reshape(src, (-1,))[:0], (nowhere,))
    return self


def _scatter_(self: Tensor, dim: int, index: Any, src: Any = None, value: Any = None, *, reduce: Any = None) -> Tensor:
    """Write `src`, or one `value`, at `index` along `dim`, in place; or add it, or multiply by it (`reduce`)."""
    return _scatter("scatter_", self, dim, index, src, value, reduce)


def _scatter(name: str, self: Tensor, dim: int, index: Any, src: Any, value: Any, reduce: Any) -> Tensor:
    if (src is None) == (value is None):
        raise ArgumentTypeError(f"{name}: give either src, a tensor, or value, a number")
    if reduce not in (None, "add", "multiply"):
        raise ArgumentError(f"{name}: reduce is 'add' or 'multiply', not {reduce!r}")
    if isinstance(value, Tensor) and value.ndim:
        raise ArgumentTypeError(
            f"{name}: value must be a number, a tensor of shape {tuple(value.shape)} came; give it as src"
        )
    if isinstance(src, Tensor) and reduce != "multiply":
        return _write(name, self, dim, index, src, reduce == "add")
    if not isinstance(src, Tensor):
        value = filling(name, self, src if value is None else value)
        if reduce is None:
            dim = require_fitting(name, self, dim, index)
            if index.numel():
                store(name, line(self), value, grid(line(index).array, dim))
            return self
        require_index(name, self, index)
        src = _filled(self, value, index.shape)
        if reduce == "add":
            return _write(name, self, dim, index, src, True)
    return _scatter_reduce_(self, dim, index, src, "prod")


def _filled(like: Tensor, value: Any, shape: Any) -> Tensor:
    """A tensor of a number in the dtype and on the device of another."""
    return expand(zeros_like(reshape(like, (-1,))[:1]) + value, tuple(shape)).to(like.dtype)


@composed
def scatter(input: Any, dim: int, index: Any, src: Any = None, value: Any = None, *, reduce: Any = None) -> Any:
    """`input` with `src` written at `index` along `dim`: out[index[i, j], j] = src[i, j] for dim 0, and so on.

    Arguments: input (tensor), dim, index (int64 or int32; as many dimensions as the input, none larger but for `dim`),
    src (tensor of the input's dtype, in no dimension smaller than the index) or value (number), reduce (None, "add" or
    "multiply"). Where an index comes twice the last is written. d/d input = g, but 0 at what was written; d/d src = g
    at the indices. Raises ShapeError, DtypeError, and DimensionError for an index out of range.

    >>> import tinygrad_dl as tg
    >>> tg.scatter(tg.zeros(2, 3), 1, tg.tensor([[2], [0]]), 1.0)
    tensor([[0., 0., 1.],
            [1., 0., 0.]])
    """
    return _scatter("scatter", clone(input), dim, index, src, value, reduce)


def _scatter_add_(self: Tensor, dim: int, index: Any, src: Any) -> Tensor:
    """Add `src` at `index` along `dim`, in place; an index may come several times."""
    return _write("scatter_add_", self, dim, index, src, True)


@composed
def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Any:
    """`input` with `src` added at `index` along `dim`: out[index[i, j], j] += src[i, j] for dim 0, and so on.

    Arguments: as for `scatter`; an index may come several times. d/d input = g, d/d src = g at the indices.

    >>> import tinygrad_dl as tg
    >>> tg.scatter_add(tg.zeros(3), 0, tg.tensor([2, 2]), tg.tensor([1.0, 5.0]))
    tensor([0., 0., 6.])
    """
    return _write("scatter_add", clone(input), dim, index, src, True)


# --- by one index for the elements in a row


def _put_(self: Tensor, index: Any, source: Any, accumulate: bool = False) -> Tensor:
    """Write `source`, or add it, at the elements that `index` names of the tensor read as one row, in place."""
    return _put("put_", self, index, source, accumulate)


def _put(name: str, self: Tensor, index: Any, source: Any, accumulate: bool) -> Tensor:
    require_index(name, self, index, ("int64",))
    if not isinstance(source, Tensor) or source.dtype != self.dtype:
        raise DtypeError(f"{name}: source must be a Tensor of {self.dtype}")
    if source.numel() != index.numel():
        raise DimensionError(f"{name}: index names {index.numel()} elements, source has {source.numel()}")
    require_same_device(name, self, "source", source)
    require_inside(name, index.array, self.numel(), "a tensor", -self.numel())
    if not index.numel():
        return _write_nothing(name, self, source)
    place = np.unravel_index(index.array.reshape(-1) % self.numel(), tuple(line(self).shape))
    store(name, line(self), reshape(source, (-1,)), place, accumulate)
    return self


@composed
def put(input: Any, index: Any, source: Any, accumulate: bool = False) -> Any:
    """`input` with `source` written at, or added to, the elements that `index` names of the input read as one row.

    Arguments: input, index (int64; below 0 from the end), source (as many elements; the input's dtype), accumulate
    (add, also where an element is named several times). Raises DimensionError, DtypeError.

    >>> import tinygrad_dl as tg
    >>> tg.put(tg.zeros(2, 2), tg.tensor([0, -1]), tg.tensor([1.0, 2.0]))
    tensor([[1., 0.],
            [0., 2.]])
    """
    return _put("put", clone(input), index, source, accumulate)


# --- reductions

_UFUNCS = {"prod": np.multiply, "amax": np.maximum, "amin": np.minimum}


def _neutral(reduce: str, dtype: Any) -> Any:
    """The number that changes nothing in a reduction."""
    if reduce == "prod":
        return 1
    if dtype.kind == "f":
        return -np.inf if reduce == "amax" else np.inf
    if dtype.kind == "b":
        return reduce == "amin"
    return np.iinfo(dtype).min if reduce == "amax" else np.iinfo(dtype).max


def _reduce_at(ufunc: Any, flat: Any, numbers: Any, values: Any) -> None:
    """flat[n] = ufunc(flat[n], value) for each number n and value, as often as a number comes."""
    if type(flat) is backend.HOST:
        ufunc.at(flat, numbers, values)
        return
    order = stable_order(numbers)  # CuPy has this for few functions and dtypes: one call for each time a number comes
    numbers, values = numbers[order], values[order]
    module = backend.array_module(flat)
    times = module.arange(numbers.size) - module.searchsorted(numbers, numbers)
    for time in range(int(times.max()) + 1 if times.size else 0):
        now = times == time
        flat[numbers[now]] = ufunc(flat[numbers[now]], values[now])


def _reduce_rule(
    g: Any, needs: Any, input: Any, src: Any, out: Any, index: Any, dim: int, reduce: str, include_self: bool
) -> tuple[Any, Any]:
    rule = _product_rule if reduce == "prod" else _extreme_rule
    by_input, by_src = rule(g, needs, input, src, out, index, dim, reduce, include_self)
    if needs[0] and not include_self:
        by_input = _cleared(by_input, index, dim)
    return by_input, by_src


def _extreme_rule(
    g: Any, needs: Any, input: Any, src: Any, out: Any, index: Any, dim: int, reduce: str, include_self: bool
) -> tuple[Any, Any]:
    """The gradient in equal parts to all that reach the extreme, the old value among them, as PyTorch."""
    input_reaches = cast(input == out, g.dtype)
    src_reaches = cast(src == gather_along(out, index, dim), g.dtype)
    share = g / (input_reaches + put_along_dim(src_reaches, index, dim, input.shape))
    return input_reaches * share, src_reaches * gather_along(share, index, dim)


def _product_rule(
    g: Any, needs: Any, input: Any, src: Any, out: Any, index: Any, dim: int, reduce: str, include_self: bool
) -> tuple[Any, Any]:
    """To each factor the product of the others: all divided by it, or if it alone is 0 the product without it."""
    by_input = by_src = None
    if needs[0]:
        factor = where(input == 0, 1.0, input)
        by_input = g * _reduced(factor, src, index, dim, reduce, include_self) / factor
    if needs[1]:
        zeros = gather_along(put_along_dim(cast(src == 0, g.dtype), index, dim, input.shape), index, dim)
        factor = where(src == 0, 1.0, src)
        others = _reduced(input, where(zeros == 1, factor, src), index, dim, reduce, include_self)
        alone = where(zeros == 1, gather_along(g * others, index, dim), 0.0)
        by_src = where(src == 0, alone, gather_along(g * out, index, dim) / factor)
        if isinstance(zeros, Tensor) and bool((zeros > 1).any()):
            by_src = _once_differentiable(by_src)
    return by_input, by_src


def _refuse_second() -> Any:
    raise NotImplementedError(
        "scatter_reduce: a product with more than one 0 in src has no second derivative here, as in PyTorch"
    )


@operation(input=lambda g: _refuse_second())
def _once_differentiable(input: Any) -> Any:
    return input


@operation(input=lambda g, index, dim: _cleared(g, index, dim))
def _cleared(input: Any, index: Any, dim: int) -> Any:
    """A copy with zeros at `index` along `dim`."""
    out = backend.row_major(input.copy())
    write(out, grid(index, dim), 0)
    return out


def _is_of_slices(index: Any, shape: tuple[int, ...], dim: int) -> bool:
    """Whether NumPy's indices are one row, repeated for all other dimensions, whose slices are worth a call each."""
    if type(index) is not backend.HOST or index.size < 64 * max(index.shape[dim], 1):
        return False
    others = [i for i in range(index.ndim) if i != dim]
    return all(index.shape[i] == shape[i] and (index.strides[i] == 0 or shape[i] == 1) for i in others)


def _reduce_slices(ufunc: Any, out: Any, index: Any, src: Any, dim: int, reduce: str, include_self: bool) -> None:
    """Whole slices into those that the index names: each as often as its number comes, all others with it."""
    numbers = index.swapaxes(0, dim).reshape(index.shape[dim], -1)[:, 0]
    if not include_self:
        out[numbers] = _neutral(reduce, out.dtype)
    order = stable_order(numbers)
    ordered = numbers[order]
    times = np.arange(ordered.size) - ordered.searchsorted(ordered)
    for time in range(int(times.max()) + 1):
        now = times == time
        at = ordered[now]
        out[at] = ufunc(out[at], src[order[now]])


@operation("scatter_reduce", joint=_reduce_rule, input=None, src=None)
def _reduced(input: Any, src: Any, index: Any, dim: int, reduce: str, include_self: bool) -> Any:
    out = backend.row_major(input.copy())
    if _is_of_slices(index, out.shape, dim):
        _reduce_slices(_UFUNCS[reduce], out.swapaxes(0, dim), index, src.swapaxes(0, dim), dim, reduce, include_self)
        return out
    numbers, _ = rows_at(out.shape, grid(index, dim))  # type: ignore[misc]  # arrays for all dimensions are rows
    flat, numbers = out.reshape(-1), numbers.reshape(-1)
    if not include_self:
        flat[numbers] = _neutral(reduce, flat.dtype)
    _reduce_at(_UFUNCS[reduce], flat, numbers, src.reshape(-1))
    return out


def _reduce(name: str, input: Tensor, src: Any, index: Any, dim: int, reduce: str, include_self: bool) -> Tensor:
    """A reduction of `src`, of the shape of `index`, into a tensor with dimensions."""
    if reduce not in ("sum", "mean"):
        return _reduced(input, src, index, dim, reduce, include_self)
    out = clone(input) if include_self else _cleared(input, index, dim)
    store(name, out, src, grid(index.array, dim), add=True)
    if reduce == "sum":
        return out
    ones = backend.ones(index.array)
    counts = put_along_dim(ones, index.array, dim, input.shape) + int(include_self)
    counts = cast(_at_least_one(counts), input.array.dtype)
    return out / wrap(counts) if input.is_floating_point() else out // wrap(counts)


def _at_least_one(counts: Any) -> Any:
    return np.maximum(counts, 1)


def _require_mean(name: str, input: Tensor, reduce: str) -> None:
    if reduce == "mean" and input.array.dtype.kind == "b":
        raise DtypeError(f"{name}: bools have no mean; use input.float()")


@composed
def scatter_reduce(input: Any, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True) -> Any:
    """`input` with `src` reduced into it at `index` along `dim`: each place gets the reduction of all that goes there.

    Arguments: as for `scatter_add`; reduce ("sum", "prod", "mean", "amax" or "amin"), include_self (whether the old
    value takes part). The gradients are those of the reductions; extremes share theirs evenly. Raises ArgumentError for
    another reduce, and what `scatter` raises.

    >>> import tinygrad_dl as tg
    >>> tg.scatter_reduce(tg.ones(2), 0, tg.tensor([0, 0, 1]), tg.tensor([2.0, 3.0, 4.0]), "mean")
    tensor([2.0000, 2.5000])
    """
    if reduce not in ("sum", "prod", "mean", "amax", "amin"):
        raise ArgumentError(f"scatter_reduce: reduce is 'sum', 'prod', 'mean', 'amax' or 'amin', not {reduce!r}")
    _require_mean("scatter_reduce", input, reduce)
    _, part = _source("scatter_reduce", input, dim, index, src)
    if index.numel() == 0:
        return _write_nothing("scatter_reduce", clone(input), src)
    dim = normalize_dim("scatter_reduce", dim, input.ndim)
    out = _reduce("scatter_reduce", line(input), part, line(index), dim, reduce, include_self)
    return out if input.ndim else reshape(out, ())


@composed
def index_reduce(input: Any, dim: int, index: Any, source: Any, reduce: str, *, include_self: bool = True) -> Any:
    """`input` with the slices of `source` reduced into it at the indices along `dim`.

    Arguments: input, dim, index (vector of int64 or int32), source (the input's shape but for `dim`, where it has one
    slice for each index; the input's dtype), reduce ("prod", "mean", "amax" or "amin"), include_self (whether the old
    values take part). Raises ArgumentError for another reduce, ShapeError, DimensionError, DtypeError.

    >>> import tinygrad_dl as tg
    >>> tg.index_reduce(tg.ones(2), 0, tg.tensor([0, 0]), tg.tensor([2.0, 3.0]), "prod")
    tensor([6., 1.])
    """
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise ArgumentError(f"index_reduce: reduce is 'prod', 'mean', 'amax' or 'amin', not {reduce!r}")
    _require_mean("index_reduce", input, reduce)
    dim = normalize_dim("index_reduce", dim, input.ndim)
    require_index("index_reduce", input, index)
    check_source("index_reduce", input, dim, index, source)
    places = reshape(index, (-1,) + (1,) * (max(input.ndim, 1) - dim - 1))
    src = line(source)
    out = _reduce("index_reduce", line(input), src, expand(places, src.shape), dim, reduce, include_self)
    return out if input.ndim else reshape(out, ())


attach(scatter, scatter_add, scatter_reduce, index_reduce, put)
attach(scatter_=_scatter_, scatter_add_=_scatter_add_, put_=_put_)
attach_in_place(scatter_reduce, index_reduce)
_scatter_reduce_ = in_place_form(scatter_reduce, "scatter_(reduce='multiply')")
