"""Rows of a matrix by their numbers, one by one or a bag of them together. Source: notes, N121."""

import math
from typing import Any

import numpy as np

from .. import backend
from ..errors import ArgumentError, ArgumentTypeError, DimensionError, DtypeError, ShapeError
from ..inplace import assign
from ..operation import operation
from ..tensor import Tensor, wrap
from .composed import composed
from .elementwise import where
from .gathering import gather, require_index
from .index_edits import index_add
from .places import accumulate
from .reduction import cast
from .scattering import scatter_reduce
from .shape import expand, reshape, unsqueeze


class EmbeddingArgumentError(ArgumentError, AssertionError):
    """A padding_idx that the rows don't have, or weights of another shape."""


# --- rows


@operation(
    "embedding",
    weight=lambda g, index, weight_shape, padding, by_count: _put_rows(g, index, weight_shape, padding, by_count),
)
def _rows(weight: Any, index: Any, padding: int | None, by_count: bool) -> Any:
    return weight.take(index, 0)


@operation(
    input=lambda g, index, shape, padding, by_count: _rows_but_padding(
        g, index, shape, padding, by_count
    )  # its reverse
)
def _put_rows(input: Any, index: Any, shape: Any, padding: int | None, by_count: bool) -> Any:
    """Zeros of `shape` with rows added at their numbers, none at `padding`; divided by how often each comes."""
    out = backend.zeros(input, tuple(shape))
    accumulate(out, index, input / _counts(input, index, shape) if by_count else input, fresh=True)
    if padding is not None:
        out[padding] = 0
    return out


@operation(input=lambda g, index, shape, padding, by_count: _put_rows(g, index, shape, padding, by_count))
def _rows_but_padding(input: Any, index: Any, shape: Any, padding: int | None, by_count: bool) -> Any:
    out = input.take(index, 0)
    if by_count:
        out = out / _counts(out, index, shape)
    return out if padding is None else out * (index != padding)[..., None]


def _counts(like: Any, index: Any, shape: Any) -> Any:
    """How often the number of each row comes, beside its elements."""
    counts = backend.array_module(index).bincount(index.reshape(-1), minlength=shape[0])
    return counts.take(index)[..., None].astype(like.dtype)


def checked_padding(padding_idx: int | None, n: int) -> int | None:
    """`padding_idx` counted from the front; EmbeddingArgumentError when there is no such row."""
    if padding_idx is None:
        return None
    if not -n <= padding_idx < n:
        raise EmbeddingArgumentError(f"embedding: padding_idx {padding_idx} is none of {n} rows; {-n} to {n - 1} are")
    return padding_idx % n


def _require_rows(name: str, input: Any, weight: Tensor, kind: type[Exception]) -> None:
    """Raise unless the weight is a matrix and `input` holds numbers of its rows."""
    if not isinstance(weight, Tensor):
        raise ArgumentTypeError(f"{name}: weight must be a Tensor, not {type(weight).__name__}")
    require_index(name, weight, input)
    if weight.ndim != 2:
        raise ShapeError(
            f"{name}: weight must be a matrix with a row for each index, its shape is {tuple(weight.shape)}"
        )
    n, index = weight.shape[0], input.array
    low, high = (int(index.min()), int(index.max())) if index.size else (0, -1)
    if low < 0 or high >= n:
        raise kind(f"{name}: input holds the index {low if low < 0 else high}, weight has rows 0 to {n - 1}")


def _shorten(weight: Tensor, index: Any, max_norm: float, norm_type: float) -> None:
    """Scale the rows that are read, where they are longer, to a norm, in place and outside the graph."""
    named = backend.array_module(index).unique(index)
    rows = weight.array[named]
    powers = abs(rows) ** norm_type
    norms = abs(rows).max(1) if norm_type == math.inf else powers.sum(1) ** (1 / norm_type)
    long = norms > max_norm
    assign("embedding(max_norm)", weight.array, named[long], rows[long] * (max_norm / (norms[long] + 1e-7))[:, None])


@composed
def embedding(
    input: Any,
    weight: Any,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """The rows of `weight` with the numbers in `input`.

    Arguments: input (int64 or int32, of any shape (*)), weight (V, H), padding_idx (a row that gets no gradient),
    max_norm (rows that are read and longer are scaled to it first, in place) of the norm norm_type, scale_grad_by_freq
    (divide each row's gradient by how often it comes), sparse (changes nothing: gradients are dense). Result (*, H).
    Raises DimensionError for a number that no row has, EmbeddingArgumentError for such a padding_idx.

    >>> import tinygrad_dl as tg
    >>> import tinygrad_dl.nn.functional as F
    >>> F.embedding(tg.tensor([2, 0]), tg.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    tensor([[5., 6.],
            [1., 2.]])
    """
    _require_rows("embedding", input, weight, DimensionError)
    padding = checked_padding(padding_idx, weight.shape[0])
    if max_norm is not None:
        _shorten(weight, input.array, max_norm, norm_type)
    return _rows(weight, input, padding, scale_grad_by_freq)


# --- bags


def _bags(input: Tensor, offsets: Any, include_last_offset: bool) -> tuple[Tensor, int]:
    """The bag that each index is in, and how many bags there are."""
    array, module = input.array, backend.array_module(input.array)
    if array.ndim == 2:
        if offsets is not None:
            raise ArgumentError("embedding_bag: a matrix has a bag in each row, so offsets must be None")
        return wrap(module.arange(array.shape[0]).repeat(array.shape[1])), array.shape[0]
    if array.ndim != 1 or not isinstance(offsets, Tensor) or offsets.ndim != 1:
        raise ArgumentError(
            f"embedding_bag: input must be a matrix, or a vector with a vector of offsets; its shape is {array.shape}"
        )
    require_index("embedding_bag", input, offsets)
    starts = offsets.array[:-1] if include_last_offset else offsets.array
    if starts.size and (int(starts[0]) != 0 or int(starts[-1]) > array.size):
        raise ShapeError(f"embedding_bag: offsets begin with 0 and end in the input, of {array.size} indices")
    bags = starts.searchsorted(module.arange(array.size), side="right") - 1
    return wrap(bags), starts.size


@composed
def embedding_bag(
    input: Any,
    weight: Any,
    offsets: Any = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Any:
    """The sum, mean or maximum of the rows of `weight` whose numbers are in one bag; of an empty bag 0.

    Arguments: input (int64 or int32; a matrix with a bag in each row, or a vector with offsets), weight (V, H), offsets
    (where each bag begins; with include_last_offset also where the last ends), mode ("sum", "mean" or "max"),
    per_sample_weights (factors of the rows, of the input's shape, for sums), padding_idx (rows that count as not
    there); the others as for `embedding`. Result (bags, H). Raises ArgumentError, ShapeError.

    >>> import tinygrad_dl as tg
    >>> import tinygrad_dl.nn.functional as F
    >>> F.embedding_bag(tg.tensor([0, 1, 1]), tg.tensor([[1.0, 2.0], [3.0, 4.0]]), tg.tensor([0, 2]))
    tensor([[2., 3.],
            [3., 4.]])
    """
    if mode not in ("sum", "mean", "max"):
        raise ArgumentError(f"embedding_bag: mode is 'sum', 'mean' or 'max', not {mode!r}")
    _require_rows("embedding_bag", input, weight, ShapeError)
    if not weight.is_floating_point():
        raise DtypeError(f"embedding_bag: weight must be floating, not {weight.dtype}; use weight.float()")
    bags, n = _bags(input, offsets, include_last_offset)
    padding = checked_padding(padding_idx, weight.shape[0])
    if max_norm is not None:
        _shorten(weight, input.array, max_norm, norm_type)
    index = reshape(input, (-1,))
    rows = _rows(weight, index, padding, scale_grad_by_freq)
    if per_sample_weights is not None:
        if mode != "sum":
            raise NotImplementedError(f"embedding_bag: per_sample_weights are factors in a sum, mode {mode!r} has none")
        if per_sample_weights.shape != input.shape:
            raise ShapeError(
                f"embedding_bag: per_sample_weights of shape {tuple(per_sample_weights.shape)} must have the input's, "
                f"{tuple(input.shape)}"
            )
        rows = rows * reshape(per_sample_weights, (-1, 1))
    if padding is not None:
        there = index != padding
        rows, bags = rows[there], bags[there]
    return _bag_maximum(rows, bags, n) if mode == "max" else _bag_sum(rows, bags, n, mode == "mean")


def _bag_sum(rows: Any, bags: Any, n: int, mean: bool) -> Any:
    sums = index_add(_zeros(rows, n), 0, bags, rows)
    if not mean:
        return sums
    counts = backend.array_module(bags.array).bincount(bags.array, minlength=n)
    return sums / cast(wrap(np.maximum(counts, 1)[:, None]), rows.array.dtype)


def _bag_maximum(rows: Any, bags: Any, n: int) -> Any:
    """The largest of each bag in each column; the first of several gets the gradient."""
    places, values = expand(unsqueeze(bags, 1), rows.shape), rows.detach()
    largest = scatter_reduce(_zeros(values, n), 0, places, values, "amax", include_self=False)
    number = wrap(backend.array_module(bags.array).arange(len(bags))[:, None])
    none = len(bags)
    candidates = where(values == gather(largest, 0, places), number, none)
    start = backend.array_module(bags.array).full((n, rows.shape[1]), none)
    first = scatter_reduce(wrap(start), 0, places, candidates, "amin")
    padded = index_add(_zeros(rows, none + 1), 0, number[:, 0], rows)  # a row of zeros at the end, for empty bags
    return gather(padded, 0, first)


def _zeros(like: Any, n: int) -> Any:
    return wrap(backend.zeros(like.array, (n, like.shape[1])))
