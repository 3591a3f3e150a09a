"""Batches of sequences of different lengths: padded to one length, or packed without padding for recurrent layers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Self

import numpy as np

from tinygrad_dl import backend
from tinygrad_dl.creation import full
from tinygrad_dl.errors import ArgumentError, ArgumentTypeError, ShapeError
from tinygrad_dl.ops.gathering import index_select
from tinygrad_dl.ops.index_edits import index_copy
from tinygrad_dl.ops.joining import cat
from tinygrad_dl.ops.shape import reshape
from tinygrad_dl.tensor import Tensor, wrap

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpad_sequence",
    "pack_sequence",
    "unpack_sequence",
]


class _Fields(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Fields):
    """Sequences of a batch without padding: all first steps, then all second ones, of those that are still going on.

    Made by `pack_padded_sequence` and `pack_sequence`; recurrent layers take and return it. data (sum of lengths, *);
    batch_sizes (T), int64 on the CPU: how many sequences have each step; sorted_indices, unsorted_indices: the order of
    decreasing length and its inverse, None when the sequences came in that order.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl.nn.utils.rnn import pack_sequence
    >>> pack_sequence([tg.tensor([1, 2, 3]), tg.tensor([4, 5])]).data
    tensor([1, 4, 2, 5, 3])
    """

    __slots__ = ()

    def __new__(
        cls,
        data: Any,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> Self:
        if batch_sizes is None:
            if not isinstance(data, list | tuple) or len(data) != 2:
                raise ArgumentTypeError("PackedSequence: without batch_sizes, data must be a pair (data, batch_sizes)")
            data, batch_sizes = data
        assert batch_sizes is not None
        if batch_sizes.device.type != "cpu":
            raise ArgumentError(
                f"PackedSequence: batch_sizes must be on the CPU, not {batch_sizes.device}; make packed sequences by "
                "pack_sequence or pack_padded_sequence"
            )
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """The same with `data` converted or moved as by `Tensor.to`; itself when there is nothing to do."""
        data = self.data.to(*args, **kwargs)
        if data is self.data:
            return self
        orders = [None if order is None else order.to(data.device) for order in self[2:]]
        return type(self)(data, self.batch_sizes, *orders)

    def cuda(self, *args: Any, **kwargs: Any) -> Self:
        """The same with `data` on a GPU."""
        return self.to(*(args or ("cuda",)), **kwargs)

    def cpu(self) -> Self:
        """The same with `data` on the CPU."""
        return self.to("cpu")

    def double(self) -> Self:
        """The same with `data` in float64."""
        return self.to(self.data.double().dtype)

    def float(self) -> Self:
        """The same with `data` in float32."""
        return self.to(self.data.float().dtype)

    def half(self) -> Self:
        """The same with `data` in float16."""
        return self.to(self.data.half().dtype)

    def long(self) -> Self:
        """The same with `data` in int64."""
        return self.to(self.data.long().dtype)

    def int(self) -> Self:
        """The same with `data` in int32."""
        return self.to(self.data.int().dtype)

    @property
    def is_cuda(self) -> bool:
        """Whether `data` is on a GPU."""
        return self.data.is_cuda


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes another: the places of 0, 1, 2... in it; None of None.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl.nn.utils.rnn import invert_permutation
    >>> invert_permutation(tg.tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    return None if permutation is None else permutation.argsort()


# --- where the rows of packed and padded sequences lie


def _batch_sizes(lengths: np.ndarray) -> np.ndarray:
    """How many sequences have each step."""
    return np.add.reduce(lengths[:, None] > np.arange(lengths.max(initial=0)), 0)


def _places(lengths: np.ndarray, order: np.ndarray, total: int, batch_first: bool) -> np.ndarray:
    """The rows that packed sequences, in this order, have in the padded batch of `total` steps."""
    steps, members = np.nonzero(np.arange(lengths.max(initial=0))[:, None] < lengths[order])
    return order[members] * total + steps if batch_first else steps * len(order) + order[members]


def _spread(rows: Tensor, places: np.ndarray, shape: tuple[int, int], padding_value: float) -> Tensor:
    """Rows put at their places in a padded batch."""
    steps, batch = shape
    sizes = tuple(rows.shape[1:])
    padding = full((steps * batch, *sizes), padding_value, dtype=rows.dtype, device=rows.device)
    return reshape(index_copy(padding, 0, _index(places, rows), rows), (steps, batch, *sizes))


def _index(places: np.ndarray, like: Tensor) -> Tensor:
    return wrap(backend.from_numpy(places.astype(np.int64), like.device))


def _require_tensor(name: str, argument: str, value: Any, dims: int) -> None:
    if not isinstance(value, Tensor):
        raise ArgumentTypeError(f"{name}: {argument} must be a Tensor, not {type(value).__name__}")
    if value.ndim < dims:
        raise ShapeError(f"{name}: {argument} must have at least {dims} dimensions, it has shape {tuple(value.shape)}")


def _lengths(name: str, lengths: Any, batch: int, steps: int) -> np.ndarray:
    """Lengths on the host, all of them possible."""
    given = backend.to_numpy(lengths.array) if isinstance(lengths, Tensor) else backend.host_array(lengths)
    if given.ndim != 1 or len(given) != batch:
        raise ShapeError(
            f"{name}: lengths must be one number for each of {batch} sequences, not of shape {given.shape}"
        )
    if batch and (given.dtype.kind not in "iu" and not np.array_equal(given, np.floor(given))):
        raise ArgumentError(f"{name}: lengths must be integers, {given.tolist()} came")
    if batch and given.min() <= 0:
        raise ArgumentError(
            f"{name}: each length must be greater than 0, {given.tolist()} came; leave empty sequences out"
        )
    if batch and given.max() > steps:
        raise ArgumentError(f"{name}: a length of {given.max()} came, but the input has {steps} steps")
    return given.astype(np.int64)


# --- as users call them


def pack_padded_sequence(
    input: Tensor, lengths: Tensor | Sequence[int], batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """A padded batch of sequences packed: the padding left out.

    Arguments: input (T, B, *), or (B, T, *) if batch_first; lengths of the B sequences, from 1 to T; enforce_sorted:
    they must come longest first, else they are sorted (and the result of a layer sorted back). Raises ArgumentError for
    lengths that don't fit or aren't in order, ShapeError.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl.nn.utils.rnn import pack_padded_sequence
    >>> pack_padded_sequence(tg.tensor([[1, 2, 0], [3, 0, 0]]), [2, 1], batch_first=True).data
    tensor([1, 3, 2])
    """
    name = "pack_padded_sequence"
    _require_tensor(name, "input", input, 2)
    batch, steps = (input.shape[0], input.shape[1]) if batch_first else (input.shape[1], input.shape[0])
    if not batch:
        raise ShapeError(f"{name}: there is no sequence in an input of shape {tuple(input.shape)}")
    host = _lengths(name, lengths, batch, steps)
    order = np.arange(batch) if enforce_sorted else np.argsort(-host, kind="stable")
    if (np.diff(host[order]) > 0).any():
        raise ArgumentError(
            f"{name}: lengths must be in decreasing order, {host.tolist()} came; use enforce_sorted=False"
        )
    places = _places(host, order, steps, batch_first)
    rows = index_select(reshape(input, (batch * steps, *input.shape[2:])), 0, _index(places, input))
    sizes = wrap(backend.from_numpy(_batch_sizes(host), backend.find_device("cpu")))
    return PackedSequence(rows, sizes, None if enforce_sorted else _index(order, input))


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """The padded batch (T, B, *), or (B, T, *) if batch_first, of packed sequences, and their lengths (B).

    Arguments: sequence; batch_first; padding_value; total_length, a T larger than the longest sequence needs. The
    sequences come in the order that they had before they were packed. Raises ArgumentError for a total_length too
    small, ArgumentTypeError for what is no PackedSequence.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl.nn.utils.rnn import pack_sequence, pad_packed_sequence
    >>> packed = pack_sequence([tg.tensor([1, 2, 3]), tg.tensor([4, 5])])
    >>> pad_packed_sequence(packed, batch_first=True)
    (tensor([[1, 2, 3],
            [4, 5, 0]]), tensor([3, 2]))
    """
    if not isinstance(sequence, PackedSequence):
        raise ArgumentTypeError(f"pad_packed_sequence: a PackedSequence is needed, not {type(sequence).__name__}")
    sizes = backend.to_numpy(sequence.batch_sizes.array)
    steps = len(sizes) if total_length is None else total_length
    if steps < len(sizes):
        raise ArgumentError(
            f"pad_packed_sequence: total_length {total_length} is smaller than the longest sequence, {len(sizes)}"
        )
    batch = int(sizes[0])
    in_order = np.add.reduce(sizes[:, None] > np.arange(batch), 0)  # longest first
    order = np.arange(batch)
    if sequence.sorted_indices is not None:
        order = backend.to_numpy(sequence.sorted_indices.array)
    lengths = np.empty_like(in_order)
    lengths[order] = in_order
    places = _places(lengths, order, steps, batch_first)
    padded = _spread(sequence.data, places, (batch, steps) if batch_first else (steps, batch), padding_value)
    return padded, wrap(backend.from_numpy(lengths, backend.find_device("cpu")))


def pad_sequence(
    sequences: Any, batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Tensor:
    """Sequences of different lengths as one batch, padded to the longest.

    Arguments: sequences, tensors (L, *) that differ in L only; batch_first; padding_value; padding_side, "right" or
    "left". Result (T, B, *), or (B, T, *) if batch_first, of the first one's dtype. Raises ArgumentError for another
    side or no sequence, ShapeError when the other dimensions differ.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl.nn.utils.rnn import pad_sequence
    >>> pad_sequence([tg.tensor([1, 2, 3]), tg.tensor([4])], batch_first=True)
    tensor([[1, 2, 3],
            [4, 0, 0]])
    """
    if not isinstance(sequences, Iterable):
        raise ArgumentTypeError(f"pad_sequence: a list of tensors is needed, not {type(sequences).__name__}")
    sequences = tuple(sequences)
    if padding_side not in ("left", "right"):
        raise ArgumentError(f"pad_sequence: padding_side must be 'left' or 'right', not {padding_side!r}")
    if not sequences:
        raise ArgumentError("pad_sequence: a list of at least one sequence is needed, an empty one came")
    for sequence in sequences:
        _require_tensor("pad_sequence", "each sequence", sequence, 1)
    if len({tuple(sequence.shape[1:]) for sequence in sequences}) > 1:
        shapes = ", ".join(str(tuple(sequence.shape)) for sequence in sequences)
        raise ShapeError(f"pad_sequence: sequences may differ in their first dimension only, not {shapes}")
    batch, lengths = len(sequences), [sequence.shape[0] for sequence in sequences]
    steps = max(lengths)
    first = [steps - length if padding_side == "left" else 0 for length in lengths]
    at = np.concatenate([start + np.arange(length) for start, length in zip(first, lengths)])
    member = np.repeat(np.arange(batch), lengths)
    places = member * steps + at if batch_first else at * batch + member
    rows = cat([sequence.to(sequences[0].dtype) for sequence in sequences], 0)
    return _spread(rows, places, (batch, steps) if batch_first else (steps, batch), padding_value)


def unpad_sequence(padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False) -> list[Tensor]:
    """The sequences of a padded batch, as a list of copies with their lengths.

    Arguments: padded_sequences (T, B, *), or (B, T, *) if batch_first, which stays as it is; lengths (B). Raises
    ShapeError for another number of lengths.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl.nn.utils.rnn import unpad_sequence
    >>> unpad_sequence(tg.tensor([[1, 2, 3], [4, 0, 0]]), tg.tensor([3, 1]), batch_first=True)
    [tensor([1, 2, 3]), tensor([4])]
    """
    _require_tensor("unpad_sequence", "padded_sequences", padded_sequences, 2)
    batch = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    counts = lengths.tolist() if isinstance(lengths, Tensor) else list(lengths)
    if len(counts) != len(batch):
        raise ShapeError(f"unpad_sequence: {len(counts)} lengths came for {len(batch)} sequences")
    return [sequence[: max(int(count), 0)].clone() for sequence, count in zip(batch, counts)]


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Sequences of different lengths packed: `pad_sequence`, then `pack_padded_sequence`.

    Arguments: sequences, tensors (L, *) that differ in L only; enforce_sorted: they must come longest first, else they
    are sorted. Raises ArgumentError for sequences that aren't in order or have no step.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl.nn.utils.rnn import pack_sequence
    >>> pack_sequence([tg.tensor([1]), tg.tensor([2, 3])], enforce_sorted=False).sorted_indices
    tensor([1, 0])
    """
    padded = pad_sequence(sequences)
    return pack_padded_sequence(padded, [len(sequence) for sequence in sequences], enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences that were packed, as a list in the order that they had before.

    Raises ArgumentTypeError for what is no PackedSequence.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl.nn.utils.rnn import pack_sequence, unpack_sequence
    >>> unpack_sequence(pack_sequence([tg.tensor([1, 2]), tg.tensor([3])]))
    [tensor([1, 2]), tensor([3])]
    """
    return unpad_sequence(*pad_packed_sequence(packed_sequences, batch_first=True), batch_first=True)
