"""In which order samples are taken; public in `utils.data`."""

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, Generic, TypeVar

import numpy as np

from tinygrad_dl.errors import ArgumentError, ArgumentTypeError
from tinygrad_dl.random import Generator, numpy_generator
from tinygrad_dl.tensor import Tensor

T = TypeVar("T", covariant=True)


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


class SubsetRandomSampler(Sampler[int]):
    """Given indices in random order, a new one each time.

    >>> import tinygrad_dl as tg
    >>> sorted(tg.utils.data.SubsetRandomSampler([3, 5, 8]))
    [3, 5, 8]
    """

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices, self.generator = indices, generator

    def __iter__(self) -> Iterator[int]:
        for i in numpy_generator(self.generator).permutation(len(self.indices)).tolist():
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """num_samples indices, each drawn with a probability in proportion to its weight.

    Arguments: weights, one for each sample; num_samples; replacement, whether one may be drawn again; generator. Raises
    ArgumentError for weights that are no row of numbers from 0 on, and for more draws than there are.

    >>> import tinygrad_dl as tg
    >>> list(tg.utils.data.WeightedRandomSampler([0.0, 0.5, 0.0], 3))
    [1, 1, 1]
    """

    def __init__(
        self, weights: Sequence[float], num_samples: int, replacement: bool = True, generator: Generator | None = None
    ) -> None:
        _require_count("WeightedRandomSampler", "num_samples", num_samples)
        if not isinstance(replacement, bool):
            raise ArgumentError(f"WeightedRandomSampler: replacement is {replacement!r}, but must be True or False")
        listed = weights.tolist() if isinstance(weights, Tensor) else list(weights)
        if not all(isinstance(w, int | float) and w >= 0 for w in listed) or not any(listed):
            raise ArgumentError("WeightedRandomSampler: weights must be a row of numbers from 0 on, not all of them 0")
        possible = sum(w > 0 for w in listed)
        if not replacement and num_samples > possible:
            raise ArgumentError(
                f"WeightedRandomSampler: {num_samples} can't be drawn without replacement from {possible} with a weight"
            )
        self.weights = np.fromiter(listed, np.float64, len(listed))
        self.num_samples, self.replacement, self.generator = num_samples, replacement, generator

    def __iter__(self) -> Iterator[int]:
        source, shares = numpy_generator(self.generator), self.weights / self.weights.sum()
        yield from source.choice(len(shares), self.num_samples, replace=self.replacement, p=shares).tolist()

    def __len__(self) -> int:
        return self.num_samples


class DistributedSampler(Sampler[int]):
    """The part of the indices that one of several processes takes: every num_replicas-th, from rank on.

    Each process takes as many: the first indices come again at the end, or (drop_last) the last are left out.
    `set_epoch(epoch)` gives shuffle another order. Arguments: dataset; num_replicas, rank (there is no process group to
    ask for them: both are needed); shuffle; seed; drop_last. Raises ArgumentError (a RuntimeError) without the two and
    for a rank that is not from 0 to num_replicas - 1.

    >>> import tinygrad_dl as tg
    >>> list(tg.utils.data.DistributedSampler("abcde", num_replicas=2, rank=1, shuffle=False))
    [1, 3, 0]
    """

    def __init__(
        self,
        dataset: Sized,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        if num_replicas is None or rank is None:
            raise ArgumentError(
                "DistributedSampler: there is no process group to ask; give num_replicas and rank, or guard it with "
                "distributed.is_available()"
            )
        if not 0 <= rank < num_replicas:
            raise ArgumentError(f"DistributedSampler: rank is {rank}, but must be from 0 to {num_replicas - 1}")
        self.dataset, self.num_replicas, self.rank = dataset, num_replicas, rank
        self.shuffle, self.seed, self.drop_last, self.epoch = shuffle, seed, drop_last, 0
        self.num_samples = len(dataset) // num_replicas if drop_last else math.ceil(len(dataset) / num_replicas)
        self.total_size = self.num_samples * num_replicas

    def __iter__(self) -> Iterator[int]:
        count = len(self.dataset)
        order = np.random.default_rng(self.seed + self.epoch).permutation(count) if self.shuffle else np.arange(count)
        return iter(np.resize(order, self.total_size)[self.rank :: self.num_replicas].tolist())

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Have the next pass in another order than that of other epochs."""
        self.epoch = epoch


def _require_count(who: str, what: str, value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ArgumentError(f"{who}: {what} is {value!r}, but must be an integer from 1 on")
