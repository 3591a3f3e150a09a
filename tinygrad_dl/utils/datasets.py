"""Data sets, whole and in parts; public in `utils.data`."""

import bisect
import itertools
import math
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from tinygrad_dl.errors import ArgumentError, ArgumentTypeError, DimensionError, ShapeError
from tinygrad_dl.random import Generator, numpy_generator
from tinygrad_dl.tensor import Tensor

T = TypeVar("T", covariant=True)


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

    def __add__(self, other: Any) -> "ConcatDataset[T]":
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T]):
    """Base of data sets that are read from front to end: a subclass defines `__iter__()`.

    A DataLoader makes batches of it as they come, without sampler and shuffle.

    >>> import tinygrad_dl as tg
    >>> class Count(tg.utils.data.IterableDataset):
    ...     def __iter__(self): return iter(range(3))
    >>> list(tg.utils.data.DataLoader(Count(), batch_size=2))
    [tensor([0, 1]), tensor([2])]
    """

    def __iter__(self) -> Iterator[T]:
        raise NotImplementedError(f"{type(self).__name__}: a subclass of IterableDataset defines __iter__()")

    def __add__(self, other: Any) -> "ChainDataset[T]":  # type: ignore[override]
        return ChainDataset([self, other])


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


class ConcatDataset(Dataset[T]):
    """Several data sets end to end, as `first + second` makes it.

    Raises ArgumentError without any, and for one that is only iterated over.

    >>> import tinygrad_dl as tg
    >>> both = tg.utils.data.ConcatDataset([[1, 2], [3]])
    >>> len(both), both[2], both[-3]
    (3, 3, 1)
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ArgumentError("ConcatDataset: at least one data set is needed")
        if any(isinstance(one, IterableDataset) for one in self.datasets):
            raise ArgumentError("ConcatDataset: an IterableDataset has no indices; put it into a ChainDataset")
        self.cumulative_sizes = list(itertools.accumulate(map(len, self.datasets)))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int) -> T:
        if not -len(self) <= index < len(self):
            raise DimensionError(f"ConcatDataset: index {index} is out of range for {len(self)} samples")
        place = index % len(self)
        which = bisect.bisect_right(self.cumulative_sizes, place)
        return self.datasets[which][place - (self.cumulative_sizes[which - 1] if which else 0)]


class ChainDataset(IterableDataset[T]):
    """Several data sets that are iterated over, end to end. Raises ArgumentTypeError for one of another kind."""

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = datasets

    def __iter__(self) -> Iterator[T]:
        for one in self.datasets:
            if not isinstance(one, IterableDataset):
                raise ArgumentTypeError(f"ChainDataset: an IterableDataset is needed, {type(one).__name__} came")
            yield from one

    def __len__(self) -> int:
        return sum(len(one) for one in self.datasets)  # where they have lengths


class StackDataset(Dataset[Any]):
    """Several data sets side by side: sample i has the i-th of each, as a tuple or, given by name, as a dict.

    Raises ArgumentError without any, and for different lengths.

    >>> import tinygrad_dl as tg
    >>> tg.utils.data.StackDataset(image=[1, 2], label=["a", "b"])[1]
    {'image': 2, 'label': 'b'}
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if bool(args) == bool(kwargs):
            raise ArgumentError("StackDataset: give data sets, either all by position or all by name")
        self.datasets: Any = args or kwargs
        lengths = [len(one) for one in (args or kwargs.values())]
        if len(set(lengths)) > 1:
            raise ArgumentError(f"StackDataset: the data sets need one length, theirs are {lengths}")
        self._length = lengths[0]

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {name: one[index] for name, one in self.datasets.items()}
        return tuple(one[index] for one in self.datasets)


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
