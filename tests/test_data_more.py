"""Data sets made of others, samplers of subsets and weights, data that is iterated over; on PyTorch as well."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg

torch = pytest.importorskip("torch")


@pytest.fixture(params=["tinygrad_dl", "torch"])
def lib(request: pytest.FixtureRequest) -> Any:
    """Ours, and PyTorch to confirm what the test expects."""
    return pytest.importorskip(request.param)


def counting(lib: Any, length: int) -> Any:
    class Counting(lib.utils.data.IterableDataset):
        def __iter__(self) -> Any:
            return iter(range(length))

        def __len__(self) -> int:
            return length

    return Counting()


def batches(loader: Any) -> list[Any]:
    return [batch.tolist() if hasattr(batch, "tolist") else batch for batch in loader]


def test_end_to_end(lib: Any) -> None:
    data = lib.utils.data
    first, second = data.TensorDataset(lib.arange(3)), data.TensorDataset(lib.arange(2) + 10)
    both = first + second
    assert isinstance(both, data.ConcatDataset) and len(both) == 5
    assert [both[i][0].item() for i in (0, 2, 3, 4, -1, -5)] == [0, 2, 10, 11, 11, 0]
    assert both.cumulative_sizes == [3, 5] and both.datasets == [first, second]
    assert [len(batch[0]) for batch in data.DataLoader(both, batch_size=2)] == [2, 2, 1]
    with pytest.raises((ValueError, IndexError)):
        both[-6]
    for wrong in ([], [counting(lib, 2)]):
        with pytest.raises((AssertionError, ValueError)):
            data.ConcatDataset(wrong)


def test_side_by_side(lib: Any) -> None:
    data = lib.utils.data
    assert data.StackDataset([1, 2], "ab")[1] == (2, "b")
    named = data.StackDataset(x=[1, 2], y="ab")
    assert named[0] == {"x": 1, "y": "a"} and len(named) == 2
    for args, kwargs in (((), {}), (([1],), {"x": [1]}), (([1], [1, 2]), {})):
        with pytest.raises(ValueError):
            data.StackDataset(*args, **kwargs)


def test_data_that_is_iterated_over(lib: Any) -> None:
    data = lib.utils.data
    loader = data.DataLoader(counting(lib, 5), batch_size=2)
    assert batches(loader) == [[0, 1], [2, 3], [4]] and len(loader) == 3
    assert batches(data.DataLoader(counting(lib, 5), batch_size=2, drop_last=True)) == [[0, 1], [2, 3]]
    assert batches(data.DataLoader(counting(lib, 2), batch_size=None)) == [0, 1]
    chain = counting(lib, 2) + counting(lib, 3)
    assert list(chain) == [0, 1, 0, 1, 2] and len(chain) == 5 and isinstance(chain, data.ChainDataset)
    for options in ({"shuffle": True}, {"sampler": [0]}, {"batch_sampler": [[0]]}):
        with pytest.raises(ValueError):
            data.DataLoader(counting(lib, 2), **options)
    with pytest.raises((AssertionError, TypeError)):
        list(data.ChainDataset([[1]]))
    assert data.get_worker_info() is None


def test_samplers_of_subsets_and_weights(lib: Any) -> None:
    data = lib.utils.data
    subset = data.SubsetRandomSampler([3, 5, 8])
    assert sorted(subset) == [3, 5, 8] and len(subset) == 3
    weighted = data.WeightedRandomSampler([0.0, 3.0, 1.0], 4000)
    drawn = np.bincount(list(weighted), minlength=3)
    assert len(weighted) == drawn.sum() == 4000 and drawn[0] == 0 and 2700 < drawn[1] < 3300
    assert sorted(data.WeightedRandomSampler(lib.tensor([1.0, 2.0]), 2, replacement=False)) == [0, 1]
    for options in ({"num_samples": 0}, {"num_samples": 2, "replacement": 3}):
        with pytest.raises(ValueError):
            data.WeightedRandomSampler([1.0], **options)


def test_weights_that_make_no_sense() -> None:
    sampler = tg.utils.data.WeightedRandomSampler
    for weights in ([-1.0, 2.0], [0.0, 0.0], [[1.0]], []):
        with pytest.raises(ValueError, match="weights must be"):
            sampler(weights, 1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="2 can't be drawn"):
        sampler([1.0, 0.0], 2, replacement=False)


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize(("length", "replicas"), [(7, 3), (6, 3), (2, 5)])
def test_the_parts_of_several_processes(lib: Any, length: int, replicas: int, drop_last: bool) -> None:
    def parts(shuffle: bool, epoch: int = 0) -> Any:
        samplers = [
            lib.utils.data.DistributedSampler(range(length), replicas, rank, shuffle, drop_last=drop_last)
            for rank in range(replicas)
        ]
        for sampler in samplers:
            sampler.set_epoch(epoch)
        assert len({len(sampler) for sampler in samplers}) == 1
        return [list(sampler) for sampler in samplers]

    each = length // replicas if drop_last else -(-length // replicas)
    expected = [[(rank + i * replicas) % length for i in range(each)] for rank in range(replicas)]
    assert parts(shuffle=False) == expected
    mixed = parts(shuffle=True)
    assert mixed == parts(shuffle=True) and {len(part) for part in mixed} == {each}
    assert drop_last or {i for part in mixed for i in part} == set(range(length))
    assert length < 6 or mixed != parts(shuffle=True, epoch=1)


def test_processes_that_are_not_there(lib: Any) -> None:
    with pytest.raises((RuntimeError, ValueError)):
        lib.utils.data.DistributedSampler([1, 2])
    with pytest.raises(ValueError):
        lib.utils.data.DistributedSampler([1, 2], num_replicas=2, rank=2)


@pytest.mark.parametrize("file", ["dataloader", "dataset", "sampler", "distributed"])
def test_pytorchs_import_paths(file: str) -> None:
    theirs = importlib.import_module(f"torch.utils.data.{file}")
    ours = importlib.import_module(f"tinygrad_dl.utils.data.{file}")
    names = [name for name in theirs.__all__ if hasattr(tg.utils.data, name)]
    assert names
    for name in names:
        assert getattr(ours, name) is getattr(tg.utils.data, name)
