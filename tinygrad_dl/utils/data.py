"""Data sets, samplers and the loader that makes batches of them. The public names are those of `torch.utils.data`."""

import copy
import itertools
import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, MutableSequence, Sequence, Sized
from typing import Any, Generic, TypeVar

import numpy as np

from tinygrad_dl.backend import HOST, device_of, from_numpy, is_array
from tinygrad_dl.creation import as_tensor, tensor
from tinygrad_dl.dtypes import float64
from tinygrad_dl.errors import ArgumentError, ArgumentTypeError, DimensionError, ShapeError
from tinygrad_dl.ops.joining import stack
from tinygrad_dl.random import Generator, numpy_generator
from tinygrad_dl.tensor import Tensor, wrap

T = TypeVar("T", covariant=True)

# --- data sets


class Dataset(Generic[T]):
    """Base of data sets: a subclass defines `__getitem__(index)` and, for most samplers, `__len__()`.

    It may define `__getitems__(indices)`, which gives a list of samples, where many at once are cheaper.

    >>> import tinygrad_dl as tg
    >>> class Squares(tg.utils.data.Dataset):
    ...     def __len__(self): return 4
    ...     def __getitem__(self, index): return index, index**2
    >>> list(tg.utils.data.DataLoader(Squares(), batch_size=4))
    [[tensor([0, 1, 2, 3]), tensor([0, 1, 4, 9])]]
    """

    def __getitem__(self, index: Any) -> T:
        raise NotImplementedError(f"{type(self).__name__}: a subclass of Dataset defines __getitem__(index)")


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Tensors of one length; sample i is the tuple of their i-th rows.

    Arguments: tensors, each of shape (length, ...). Raises ShapeError when the lengths differ.

    >>> import tinygrad_dl as tg
    >>> data = tg.utils.data.TensorDataset(tg.arange(3), tg.tensor([5.0, 6.0, 7.0]))
    >>> len(data), data[1]
    (3, (tensor(1), tensor(6.)))
    """

    def __init__(self, *tensors: Tensor) -> None:
        for position, one in enumerate(tensors):
            if not isinstance(one, Tensor):
                raise ArgumentTypeError(
                    f"TensorDataset: argument {position} is a {type(one).__name__}; convert it with "
                    "tinygrad_dl.as_tensor"
                )
        shapes = [tuple(one.shape) for one in tensors]
        if not tensors or () in shapes or len({shape[0] for shape in shapes}) > 1:
            raise ShapeError(f"TensorDataset: tensors of one length are needed, but their shapes are {shapes}")
        self.tensors: tuple[Any, ...] = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(one[index] for one in self.tensors)

    def __len__(self) -> int:
        return len(self.tensors[0])


class Subset(Dataset[T]):
    """The samples of `dataset` at `indices`, in that order.

    >>> import tinygrad_dl as tg
    >>> odd = tg.utils.data.Subset([10, 11, 12, 13], [1, 3])
    >>> len(odd), odd[1]
    (2, 13)
    """

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, index: Any) -> T:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __len__(self) -> int:
        return len(self.indices)


def random_split(dataset: Any, lengths: Sequence[int | float], generator: Generator | None = None) -> list[Subset[Any]]:
    """Cut a data set at random into subsets that don't overlap.

    Arguments: lengths, numbers of samples that add up to len(dataset), or fractions that add up to 1, rounded down, the
    samples left over going one each to the first subsets. generator draws the order.

    Raises ArgumentError when the lengths don't add up. Warns of an empty subset.

    >>> import tinygrad_dl as tg
    >>> [len(part) for part in tg.utils.data.random_split(range(10), [0.75, 0.25])]
    [8, 2]
    """
    total = len(dataset)
    counts = _counts(lengths, total)
    if sum(counts) != total:
        raise ArgumentError(
            f"random_split: lengths {list(lengths)} add up to {sum(lengths):g}, "
            f"but must add up to the {total} samples or to 1"
        )
    order = numpy_generator(generator).permutation(total).tolist()
    ends = itertools.accumulate(counts)
    return [Subset(dataset, order[end - count : end]) for end, count in zip(ends, counts)]


def _counts(lengths: Sequence[int | float], total: int) -> list[Any]:
    """Lengths as numbers of samples, where they are fractions of the whole."""
    if not math.isclose(sum(lengths), 1):
        if any(not isinstance(length, int) or length < 0 for length in lengths):
            raise ArgumentError(
                f"random_split: lengths are integers, or fractions that add up to 1, but they are {list(lengths)}"
            )
        return list(lengths)
    if any(not 0 <= fraction <= 1 for fraction in lengths):
        raise ArgumentError(f"random_split: fractions must lie between 0 and 1, but they are {list(lengths)}")
    counts = [math.floor(total * fraction) for fraction in lengths]
    for i in range(total - sum(counts)):
        counts[i % len(counts)] += 1
    for i, count in enumerate(counts):
        if count == 0:
            warnings.warn(f"random_split: subset {i} (of {lengths[i]:g}) is empty", UserWarning, stacklevel=3)
    return counts


# --- samplers


class Sampler(Generic[T]):
    """Base of samplers: a subclass defines `__iter__()`, over indices or lists of them, and mostly `__len__()`."""

    def __iter__(self) -> Iterator[T]:
        raise NotImplementedError(f"{type(self).__name__}: a subclass of Sampler defines __iter__()")


class SequentialSampler(Sampler[int]):
    """The indices 0, 1, ... in order.

    >>> import tinygrad_dl as tg
    >>> list(tg.utils.data.SequentialSampler("abc"))
    [0, 1, 2]
    """

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """The indices in random order, a new one each time.

    Arguments: replacement (each index is drawn from all); num_samples, how many are drawn, by default len(data_source);
    beyond that, without replacement, another order follows; generator.

    Raises ArgumentTypeError and ArgumentError for replacement that is not a bool and num_samples below 1.

    >>> import tinygrad_dl as tg
    >>> sorted(tg.utils.data.RandomSampler("abc"))
    [0, 1, 2]
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        if not isinstance(replacement, bool):
            raise ArgumentTypeError(f"RandomSampler: replacement is {replacement!r}, but must be True or False")
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        _require_count("RandomSampler", "num_samples (by default the length of the data)", self.num_samples)

    @property
    def num_samples(self) -> int:
        """How many indices are drawn; the data may have grown since."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        source, length, wanted = numpy_generator(self.generator), len(self.data_source), self.num_samples
        if length == 0:
            raise ArgumentError("RandomSampler: the data is empty, there is no index to draw")
        if self.replacement:
            yield from source.integers(length, size=wanted).tolist()
            return
        for start in range(0, wanted, length):
            yield from source.permutation(length)[: wanted - start].tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Lists of `batch_size` indices of another sampler; the last may be shorter, unless `drop_last`.

    Raises ArgumentError for a batch_size below 1 and for drop_last that is not a bool.

    >>> import tinygrad_dl as tg
    >>> list(tg.utils.data.BatchSampler(range(5), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        _require_count("BatchSampler", "batch_size", batch_size)
        if not isinstance(drop_last, bool):
            raise ArgumentError(f"BatchSampler: drop_last is {drop_last!r}, but must be True or False")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        indices = iter(self.sampler)
        while batch := list(itertools.islice(indices, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self) -> int:
        full, rest = divmod(len(self.sampler), self.batch_size)  # type: ignore[arg-type]  # where the sampler has a length
        return full + (rest > 0 and not self.drop_last)


# --- from samples to batches


def default_collate(batch: Sequence[Any]) -> Any:
    """A batch from a list of samples: tensors, arrays and numbers become a tensor with one dimension more, in front.

    Dicts and sequences of them are walked into, tuples becoming lists; strings and bytes stay a list. Floats become
    float64 and integers int64, arrays keep their dtype.

    Raises ShapeError for samples of different shapes or lengths and ArgumentTypeError for what can't be batched.

    >>> import tinygrad_dl as tg
    >>> tg.utils.data.default_collate([{"x": 1, "name": "a"}, {"x": 2, "name": "b"}])
    {'x': tensor([1, 2]), 'name': ['a', 'b']}
    """
    if not batch:
        raise ArgumentError("default_collate: the batch is empty, so there is nothing to put together")
    first = batch[0]
    if isinstance(first, Tensor):
        return _stacked(batch)
    if (is_array(first) or isinstance(first, np.generic)) and first.dtype.kind in "biuf":
        _require_equal("shape", [sample.shape for sample in batch])
        return as_tensor(np.stack(batch))
    if isinstance(first, float):
        return tensor(list(batch), dtype=float64)
    if isinstance(first, int):
        return tensor(list(batch))
    if isinstance(first, str | bytes):
        return batch
    if isinstance(first, Mapping):
        _require_equal("set of keys", [sample.keys() for sample in batch])
        return _like(first, {key: default_collate([sample[key] for sample in batch]) for key in first})
    if isinstance(first, Sequence):
        _require_equal("length", [len(sample) for sample in batch])
        return _like(first, [default_collate(column) for column in zip(*batch)])
    raise ArgumentTypeError(
        f"default_collate: samples of tensors, arrays, numbers, strings, dicts or sequences can be batched, not "
        f"{getattr(first, 'dtype', type(first).__name__)}; pass a collate_fn"
    )


def _stacked(samples: Sequence[Tensor]) -> Tensor:
    """Tensors of one shape as a batch; one call where nothing is to be recorded or converted."""
    arrays = [sample.array for sample in samples]
    _require_equal("shape", [array.shape for array in arrays])
    if any(sample.requires_grad for sample in samples) or len({(type(array), array.dtype) for array in arrays}) > 1:
        return stack(list(samples))
    return wrap(np.stack(arrays))


def default_convert(data: Any) -> Any:
    """A single sample with its arrays, also in dicts and sequences, as tensors; the rest stays as it is.

    >>> import numpy as np, tinygrad_dl as tg
    >>> tg.utils.data.default_convert({"x": np.ones(2), "name": "a"})
    {'x': tensor([1., 1.], dtype=tinygrad_dl.float64), 'name': 'a'}
    """
    if is_array(data) or isinstance(data, np.generic):
        return as_tensor(data) if data.dtype.kind in "biuf" else data
    if isinstance(data, Mapping):
        return _like(data, {key: default_convert(value) for key, value in data.items()})
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        return _like(data, [default_convert(value) for value in data])
    return data


def _like(kind: Any, values: Any) -> Any:
    """A dict or list as the type of `kind`, where that can be made so; a plain tuple becomes a list, as in PyTorch."""
    if hasattr(kind, "_fields"):
        return type(kind)(*values)
    try:
        if isinstance(kind, MutableMapping):
            clone: Any = copy.copy(kind)  # with what the type keeps beside its items, such as a default
            clone.update(values)
            return clone
        if isinstance(kind, MutableSequence):
            clone = copy.copy(kind)
            clone[:] = values
            return clone
        return values if isinstance(kind, tuple) else type(kind)(values)
    except TypeError:
        return values


def _require_equal(what: str, found: list[Any]) -> None:
    for position, one in enumerate(found):
        if one != found[0]:
            raise ShapeError(
                f"default_collate: samples of a batch need the same {what}, but sample 0 has {found[0]} and "
                f"sample {position} {one}; cut or pad them, or pass a collate_fn that does"
            )


class DataLoader(Generic[T]):
    """Batches of a data set, epoch by epoch: each `for batch in loader` passes over the data once.

    Arguments: dataset (anything with `__getitem__` and `__len__`); batch_size (None: single samples, not batched);
    shuffle (a new random order each epoch); sampler (gives the indices); batch_sampler (gives lists of indices, instead
    of batch_size, shuffle, sampler and drop_last); collate_fn (makes a batch from a list of samples, `default_collate`
    unless given); drop_last (leave out a last batch that is not full); generator (draws the order). A TensorDataset's
    batches, and those of its subsets, are taken by one index call per tensor.

    Samples are loaded in this process: num_workers other than 0 raises NotImplementedError. timeout, worker_init_fn,
    multiprocessing_context, prefetch_factor, persistent_workers and in_order are about workers: they are checked as
    PyTorch checks them without workers, and then have no effect. pin_memory and pin_memory_device change how PyTorch
    copies to a GPU and no values; they have no effect here.

    Raises ArgumentError for arguments that exclude each other or make no sense, ArgumentTypeError for a data set
    without the methods named.

    >>> import tinygrad_dl as tg
    >>> data = tg.utils.data.TensorDataset(tg.arange(5), tg.arange(5) ** 2)
    >>> for x, y in tg.utils.data.DataLoader(data, batch_size=3):
    ...     print(x, y)
    tensor([0, 1, 2]) tensor([0, 1, 4])
    tensor([3, 4]) tensor([ 9, 16])
    """

    _FIXED = frozenset(("dataset", "batch_size", "sampler", "batch_sampler", "drop_last", "persistent_workers"))

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Sequence[Any]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        _require_no_workers(num_workers, timeout, multiprocessing_context, prefetch_factor, persistent_workers)
        _require_indexable(dataset, needs_length=sampler is None and batch_sampler is None)
        _require_one_order(batch_size, shuffle, sampler, batch_sampler, drop_last)
        if sampler is None:
            sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        if batch_sampler is not None:
            batch_size = None
        elif batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        if collate_fn is None:
            collate_fn = default_convert if batch_sampler is None else default_collate
        self.dataset = dataset
        self.batch_size = batch_size
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.num_workers = num_workers
        self.collate_fn = collate_fn
        self.pin_memory = pin_memory
        self.drop_last = drop_last
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.generator = generator
        self.prefetch_factor = prefetch_factor
        self.pin_memory_device = pin_memory_device
        self.in_order = in_order
        self.persistent_workers = persistent_workers
        self._ready = True

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._FIXED and "_ready" in vars(self):
            raise ArgumentError(f"DataLoader: {name} can't be changed once the loader is made; make another loader")
        super().__setattr__(name, value)

    def __iter__(self) -> Iterator[Any]:
        if self.batch_sampler is None:
            for index in self.sampler:
                yield self.collate_fn(self.dataset[index])
        else:
            for indices in self.batch_sampler:
                yield self._batch(indices)

    def __len__(self) -> int:
        return len(self.sampler if self.batch_sampler is None else self.batch_sampler)  # type: ignore[arg-type]

    def _batch(self, indices: Sequence[Any]) -> Any:
        dataset = self.dataset
        while type(dataset) is Subset:
            indices, dataset = [dataset.indices[i] for i in indices], dataset.dataset
        if type(dataset) is TensorDataset and self.collate_fn is default_collate:
            return _rows(dataset.tensors, indices)
        several = getattr(dataset, "__getitems__", None)
        return self.collate_fn(several(indices) if several else [dataset[index] for index in indices])


def _rows(tensors: Sequence[Any], indices: Sequence[int]) -> list[Tensor]:
    """The rows of each tensor at `indices`, copied by one call."""
    rows = np.fromiter(indices, np.int64, len(indices))
    batch = []
    for one in tensors:
        array = one.array
        if type(array) is HOST and not one._requires_grad:
            try:
                batch.append(wrap(array.take(rows, axis=0)))
            except IndexError:
                raise _no_such_rows(rows, len(array)) from None
            continue
        if rows.size and not -len(array) <= rows.min() <= rows.max() < len(array):  # a GPU would wrap around
            raise _no_such_rows(rows, len(array))
        here = from_numpy(rows, device_of(array))
        batch.append(one[wrap(here)] if one.requires_grad else wrap(array.take(here, axis=0)))
    return batch


def _no_such_rows(rows: np.ndarray, length: int) -> DimensionError:
    return DimensionError(f"TensorDataset: indices from {rows.min()} to {rows.max()} came for {length} samples")


# --- checks


def _require_count(who: str, what: str, value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ArgumentError(f"{who}: {what} is {value!r}, but must be an integer from 1 on")


def _require_no_workers(workers: int, timeout: float, context: Any, prefetch: int | None, persistent: bool) -> None:
    if workers < 0:
        raise ArgumentError(f"DataLoader: num_workers is {workers}, but must be 0")
    if workers:
        raise NotImplementedError(
            f"DataLoader: num_workers={workers}: there are no worker processes, samples are loaded in this one; use "
            "num_workers=0"
        )
    if timeout < 0:
        raise ArgumentError(f"DataLoader: timeout is {timeout}, but must be 0 or more")
    for name, given in (
        ("timeout", timeout),
        ("multiprocessing_context", context),
        ("prefetch_factor", prefetch is not None),
        ("persistent_workers", persistent),
    ):
        if given:
            raise ArgumentError(f"DataLoader: {name} is for worker processes, but num_workers is 0; leave it out")


def _require_indexable(dataset: Any, needs_length: bool) -> None:
    needed = ["__getitem__", "__len__"] if needs_length else ["__getitem__"]
    missing = [name for name in needed if not hasattr(dataset, name)]
    if missing:
        raise ArgumentTypeError(
            f"DataLoader: the data set, a {type(dataset).__name__}, has no {' and no '.join(missing)}; pass one that "
            "has, such as a TensorDataset or a list"
        )


def _require_one_order(
    batch_size: int | None, shuffle: bool | None, sampler: Any, batch_sampler: Any, drop_last: bool
) -> None:
    if sampler is not None and shuffle:
        raise ArgumentError("DataLoader: sampler and shuffle=True exclude each other: both set the order")
    if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
        raise ArgumentError(
            "DataLoader: batch_sampler makes the batches, it excludes batch_size, shuffle, sampler and drop_last"
        )
    if batch_size is None and drop_last:
        raise ArgumentError("DataLoader: batch_size=None gives single samples, there is no last batch to drop")
