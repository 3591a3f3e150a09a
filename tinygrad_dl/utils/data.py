"""Data sets, samplers and the loader that makes batches of them. The public names are those of `torch.utils.data`."""

import copy
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any, Generic, TypeVar

import numpy as np

from tinygrad_dl.backend import HOST, device_of, from_numpy, is_array
from tinygrad_dl.creation import as_tensor, tensor
from tinygrad_dl.dtypes import float64
from tinygrad_dl.errors import ArgumentError, ArgumentTypeError, DimensionError, ShapeError
from tinygrad_dl.import_paths import make_places
from tinygrad_dl.ops.joining import stack
from tinygrad_dl.random import Generator
from tinygrad_dl.tensor import Tensor, wrap

from .datasets import (
    ChainDataset,
    ConcatDataset,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    TensorDataset,
    random_split,
)
from .samplers import (
    BatchSampler,
    DistributedSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

__all__ = [
    "Dataset",
    "IterableDataset",
    "TensorDataset",
    "StackDataset",
    "ConcatDataset",
    "ChainDataset",
    "Subset",
    "random_split",
    "Sampler",
    "SequentialSampler",
    "RandomSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
    "BatchSampler",
    "DistributedSampler",
    "DataLoader",
    "default_collate",
    "default_convert",
    "get_worker_info",
]

T = TypeVar("T", covariant=True)

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
        iterated = isinstance(dataset, IterableDataset)
        if iterated:
            _require_no_order(shuffle, sampler, batch_sampler)
        else:
            _require_indexable(dataset, needs_length=sampler is None and batch_sampler is None)
        _require_one_order(batch_size, shuffle, sampler, batch_sampler, drop_last)
        if sampler is None and iterated:
            sampler = _AsTheyCome(dataset)
        elif sampler is None:
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
        if isinstance(self.dataset, IterableDataset):
            yield from self._batches_as_they_come()
        elif self.batch_sampler is None:
            for index in self.sampler:
                yield self.collate_fn(self.dataset[index])
        else:
            for indices in self.batch_sampler:
                yield self._batch(indices)

    def __len__(self) -> int:
        return len(self.sampler if self.batch_sampler is None else self.batch_sampler)  # type: ignore[arg-type]

    def _batches_as_they_come(self) -> Iterator[Any]:
        samples = iter(self.dataset)
        if self.batch_size is None:
            yield from map(self.collate_fn, samples)
            return
        while batch := list(itertools.islice(samples, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield self.collate_fn(batch)

    def _batch(self, indices: Sequence[Any]) -> Any:
        dataset = self.dataset
        while type(dataset) is Subset:
            indices, dataset = [dataset.indices[i] for i in indices], dataset.dataset
        if type(dataset) is TensorDataset and self.collate_fn is default_collate:
            return _rows(dataset.tensors, indices)
        several = getattr(dataset, "__getitems__", None)
        return self.collate_fn(several(indices) if several else [dataset[index] for index in indices])


class _AsTheyCome(Sampler[Any]):
    """In the place of a sampler, where a data set is iterated over: only knows how many there are."""

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)


def get_worker_info() -> None:
    """What a worker process knows of itself: None, as in PyTorch's main process, since there are no others."""
    return


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


def _require_no_order(shuffle: Any, sampler: Any, batch_sampler: Any) -> None:
    if shuffle or sampler is not None or batch_sampler is not None:
        raise ArgumentError(
            "DataLoader: an IterableDataset sets the order itself; leave out shuffle, sampler and batch_sampler"
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


make_places(
    __name__,
    {"dataloader": "data", "dataset": "datasets", "sampler": "samplers", "distributed": "samplers"},
    inside=__name__.rpartition(".")[0],
)
