"""Data sets, samplers and loaders: order under a seed, batches, collation, errors."""

from __future__ import annotations

import warnings
from collections import OrderedDict, defaultdict, namedtuple
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl.errors import ArgumentError, ArgumentTypeError, DimensionError, ShapeError
from tinygrad_dl.utils import data as data_module
from tinygrad_dl.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    Subset,
    TensorDataset,
    default_collate,
    default_convert,
    random_split,
)

Point = namedtuple("Point", ["x", "y"])


def seeded(seed: int) -> Any:
    return tg.Generator().manual_seed(seed)


def numbered(length: int, **options: Any) -> TensorDataset:
    """Row i of the first tensor is (i, i), of the second 10 i."""
    rows = tg.arange(length, **options)
    return TensorDataset(tg.stack([rows, rows], dim=1).float(), rows * 10)


def order_of(loader: DataLoader) -> list[int]:
    return [int(x) for batch in loader for x in batch[1]]


class Squares(Dataset):
    def __init__(self, length: int = 5) -> None:
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> tuple[int, int]:
        if index >= self.length:
            raise IndexError(index)
        return index, index**2


# --- data sets


def test_tensor_dataset() -> None:
    data = numbered(4)
    x, y = data[2]
    assert len(data) == 4 and x.tolist() == [2.0, 2.0] and y.item() == 20
    assert [t.tolist() for t in data[1:3]] == [[[1.0, 1.0], [2.0, 2.0]], [10, 20]]


@pytest.mark.parametrize("tensors", [(), (tg.zeros(3), tg.zeros(2)), (tg.zeros(()),)], ids=len)
def test_tensor_dataset_needs_one_length(tensors: tuple) -> None:
    with pytest.raises(ShapeError, match="tensors of one length are needed, but their shapes are"):
        TensorDataset(*tensors)


def test_tensor_dataset_takes_tensors() -> None:
    with pytest.raises(ArgumentTypeError, match=r"argument 1 is a ndarray; convert it with tinygrad_dl\.as_tensor"):
        TensorDataset(tg.zeros(2), np.zeros(2))


def test_subset() -> None:
    part = Subset(Squares(), [3, 1])
    assert len(part) == 2 and list(part) == [(3, 9), (1, 1)]
    inner = Subset(numbered(10), [2, 4, 6])
    assert [t.tolist() for t in inner[[0, 2]]] == [[[2.0, 2.0], [6.0, 6.0]], [20, 60]]


def test_methods_that_a_subclass_lacks() -> None:
    with pytest.raises(NotImplementedError, match="Dataset: a subclass of Dataset defines __getitem__"):
        Dataset()[0]
    with pytest.raises(NotImplementedError, match="Sampler: a subclass of Sampler defines __iter__"):
        iter(Sampler())
    with pytest.raises(TypeError):
        len(Dataset())  # type: ignore[arg-type]


# --- random_split


def test_random_split_cuts_without_overlap() -> None:
    first, second = random_split(range(10), [7, 3], generator=seeded(1))
    assert (len(first), len(second)) == (7, 3)
    assert sorted([*first, *second]) == list(range(10)) and list(first) != sorted(first)


def test_random_split_follows_the_seed() -> None:
    parts = [[list(part) for part in random_split(range(20), [0.5, 0.5], seeded(seed))] for seed in (3, 3, 4)]
    assert parts[0] == parts[1] != parts[2]
    tg.manual_seed(5)
    first = list(random_split(range(20), [15, 5])[0])
    tg.manual_seed(5)
    assert list(random_split(range(20), [15, 5])[0]) == first


@pytest.mark.parametrize(
    ("total", "lengths", "counts"),
    [
        (10, [0.5, 0.5], [5, 5]),
        (11, [0.5, 0.5], [6, 5]),
        (10, [0.7, 0.2, 0.1], [7, 2, 1]),
        (7, [1 / 3, 1 / 3, 1 / 3], [3, 2, 2]),
        (5, [5, 0], [5, 0]),
        (1, [1], [1]),
        (0, [0, 0], [0, 0]),
    ],
)
def test_lengths_of_random_split(total: int, lengths: list, counts: list[int]) -> None:
    assert [len(part) for part in random_split(range(total), lengths)] == counts
    torch_data = pytest.importorskip("torch.utils.data")
    assert [len(part) for part in torch_data.random_split(range(total), lengths)] == counts


def test_random_split_warns_of_an_empty_part() -> None:
    with pytest.warns(UserWarning, match=r"subset 1 \(of 0.001\) is empty"):
        random_split(range(3), [0.999, 0.001])


@pytest.mark.parametrize(
    ("lengths", "words"),
    [
        ([5, 4], r"\[5, 4\] add up to 9, but must add up to the 10 samples or to 1"),
        ([0.5, 0.4], r"lengths are integers, or fractions that add up to 1, but they are \[0.5, 0.4\]"),
        ([1.5, -0.5], "fractions must lie between 0 and 1"),
        ([11, -1], "lengths are integers"),
    ],
)
def test_lengths_that_do_not_fit(lengths: list, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        random_split(range(10), lengths)


# --- samplers


def test_sequential_sampler() -> None:
    sampler = SequentialSampler([5, 6, 7])
    assert list(sampler) == [0, 1, 2] and len(sampler) == 3


def test_random_sampler_gives_each_index_once_in_a_new_order_each_time() -> None:
    sampler = RandomSampler(range(50), generator=seeded(0))
    first, second = list(sampler), list(sampler)
    assert sorted(first) == sorted(second) == list(range(50)) and first != second
    assert len(sampler) == 50 and all(type(i) is int for i in first)
    assert list(RandomSampler(range(50), generator=seeded(0))) == first


def test_random_sampler_follows_manual_seed() -> None:
    orders = []
    for seed in (1, 1, 2):
        tg.manual_seed(seed)
        orders.append(list(RandomSampler(range(30))))
    assert orders[0] == orders[1] != orders[2]


def test_random_sampler_with_replacement() -> None:
    sampler = RandomSampler(range(5), replacement=True, num_samples=200, generator=seeded(0))
    drawn = list(sampler)
    assert len(sampler) == len(drawn) == 200 and set(drawn) == set(range(5))
    assert len(set(drawn[:5])) < 5 or len(set(drawn[5:10])) < 5  # for this seed


def test_random_sampler_draws_fewer_or_more_than_there_are() -> None:
    few = list(RandomSampler(range(10), num_samples=4))
    assert len(set(few)) == 4
    many = list(RandomSampler(range(4), num_samples=10))
    assert len(many) == 10 and sorted(many[:4]) == sorted(many[4:8]) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"replacement": 1}, ArgumentTypeError, "replacement is 1, but must be True or False"),
        ({"num_samples": 0}, ArgumentError, "num_samples .* is 0, but must be an integer from 1 on"),
        ({"num_samples": 1.5}, ArgumentError, "num_samples .* is 1.5"),
    ],
)
def test_options_of_random_sampler(options: dict, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        RandomSampler(range(3), **options)


def test_random_sampler_of_nothing() -> None:
    with pytest.raises(ArgumentError, match=r"num_samples \(by default the length of the data\) is 0"):
        RandomSampler([])
    with pytest.raises(ArgumentError, match="the data is empty"):
        list(RandomSampler([], num_samples=3))


def test_a_generator_must_be_ours() -> None:
    with pytest.raises(ArgumentTypeError, match=r"generator: a tinygrad_dl\.Generator is needed, not int"):
        list(RandomSampler(range(3), generator=7))  # type: ignore[arg-type]


def test_batch_sampler() -> None:
    for drop_last, expected in ((False, [[0, 1, 2], [3, 4, 5], [6]]), (True, [[0, 1, 2], [3, 4, 5]])):
        sampler = BatchSampler(SequentialSampler(range(7)), batch_size=3, drop_last=drop_last)
        assert list(sampler) == expected and len(sampler) == len(expected)
    assert list(BatchSampler(iter("abc"), 2, False)) == [["a", "b"], ["c"]]  # type: ignore[arg-type]


@pytest.mark.parametrize(("size", "drop_last"), [(0, False), (2.0, False), (True, False), (2, 1)])
def test_options_of_batch_sampler(size: Any, drop_last: Any) -> None:
    with pytest.raises(ArgumentError, match=r"batch_size is .* integer from 1 on|drop_last is 1, but must be True"):
        BatchSampler(range(3), size, drop_last)


# --- collation


def test_collating_tensors_arrays_and_numbers() -> None:
    assert default_collate([tg.ones(2), tg.zeros(2)]).tolist() == [[1.0, 1.0], [0.0, 0.0]]
    for batch, dtype in (
        ([1, 2], tg.int64),
        ([1.0, 2.0], tg.float64),
        ([True, False], tg.bool),
        ([np.float32(1), np.float32(2)], tg.float32),
        ([np.int16(1), np.int16(2)], tg.int16),
        ([np.ones(3, np.float32)] * 2, tg.float32),
        ([np.ones(3)] * 2, tg.float64),
        ([np.ones((), np.int32)] * 2, tg.int32),
    ):
        result = default_collate(batch)
        assert result.dtype is dtype and len(result) == 2
        np.testing.assert_array_equal(result.numpy(), np.stack(batch))


def test_collating_tensors_records_and_promotes() -> None:
    w = tg.ones(2, requires_grad=True)
    default_collate([w, w * 3]).sum().backward()
    assert w.grad is not None and w.grad.tolist() == [4.0, 4.0]
    assert default_collate([tg.ones(1), tg.ones(1, dtype=tg.float64)]).dtype is tg.float64
    strict = default_collate([tg.ones(2, device="strict"), tg.zeros(2, device="strict")])
    assert strict.device == "strict" and strict.tolist() == [[1.0, 1.0], [0.0, 0.0]]


def test_collating_nested_samples() -> None:
    batch = [
        {"point": Point(1, 2.0), "pair": (np.zeros(2), "a"), "list": [1, b"x"]},
        {"point": Point(3, 4.0), "pair": (np.ones(2), "b"), "list": [2, b"y"]},
    ]
    result = default_collate(batch)
    assert list(result) == ["point", "pair", "list"]
    assert type(result["point"]) is Point and result["point"].x.tolist() == [1, 3]
    array, names = result["pair"]
    assert type(result["pair"]) is list and array.tolist() == [[0.0, 0.0], [1.0, 1.0]] and list(names) == ["a", "b"]
    assert result["list"][0].tolist() == [1, 2] and list(result["list"][1]) == [b"x", b"y"]


def test_collating_keeps_the_type_of_dicts() -> None:
    ordered = default_collate([OrderedDict(b=1, a=2)] * 2)
    assert type(ordered) is OrderedDict and list(ordered) == ["b", "a"]
    filled = defaultdict(lambda: 7, a=1)
    result = default_collate([filled, filled])
    assert type(result) is defaultdict and result["missing"] == 7 and filled["a"] == 1
    assert type(default_collate([MappingProxyType({"a": 1})])) is MappingProxyType


@pytest.mark.parametrize(
    ("batch", "error", "words"),
    [
        ([], ArgumentError, "the batch is empty"),
        ([None], ArgumentTypeError, "can be batched, not NoneType; pass a collate_fn"),
        ([np.array(["a"])], ArgumentTypeError, "can be batched, not <U1"),
        ([tg.ones(2), tg.ones(2), tg.ones(3)], ShapeError, r"same shape, but sample 0 has \(2,\) and sample 2 \(3,\)"),
        ([np.ones(2), np.ones(3)], ShapeError, r"sample 0 has \(2,\) and sample 1 \(3,\)"),
        ([[1], [1, 2]], ShapeError, "same length, but sample 0 has 1 and sample 1 2"),
        ([{"a": 1}, {"b": 1}], ShapeError, r"same set of keys, but sample 0 has .*'a'.* and sample 1 .*'b'"),
    ],
)
def test_samples_that_make_no_batch(batch: list, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        default_collate(batch)


def test_collating_as_pytorch() -> None:
    torch_data = pytest.importorskip("torch.utils.data")
    for batch in (
        [(1, 2.0, "a", np.float32(3)), (4, 5.0, "b", np.float32(6))],
        [{"a": [1, (2, True)]}, {"a": [3, (4, False)]}],
        [Point(np.ones(2, np.int8), 0), Point(np.zeros(2, np.int8), 1)],
        ["a", "b"],
    ):
        assert repr_of(default_collate(batch)) == repr_of(torch_data.default_collate(batch))


def repr_of(value: Any) -> str:
    """Types, dtypes and values, the same for both libraries' tensors."""
    if hasattr(value, "tolist"):
        return f"{str(value.dtype).rpartition('.')[2]} {value.tolist()}"
    if isinstance(value, dict):
        return str({key: repr_of(one) for key, one in value.items()})
    if isinstance(value, list | tuple):
        return f"{type(value).__name__} {[repr_of(one) for one in value]}"
    return repr(value)


def test_converting_a_single_sample() -> None:
    sample = default_convert({"x": np.ones(2, np.float32), "y": (np.int64(3), "a", 1.5), "s": np.array(["b"])})
    assert sample["x"].dtype is tg.float32 and sample["y"][0].item() == 3
    assert type(sample["y"]) is list and sample["y"][1:] == ["a", 1.5] and sample["s"].tolist() == ["b"]


# --- loaders


def test_batches_in_order() -> None:
    loader = DataLoader(numbered(5), batch_size=2)
    batches = list(loader)
    assert len(loader) == 3 and type(batches[0]) is list
    assert [y.tolist() for _, y in batches] == [[0, 10], [20, 30], [40]]
    assert [tuple(x.shape) for x, _ in batches] == [(2, 2), (2, 2), (1, 2)]


def test_batch_size_is_one_by_default() -> None:
    assert [len(y) for _, y in DataLoader(numbered(2))] == [1, 1]


def test_drop_last() -> None:
    loader = DataLoader(numbered(5), batch_size=2, drop_last=True)
    assert len(loader) == 2 and order_of(loader) == [0, 10, 20, 30]


def test_shuffle_is_a_new_order_each_epoch_and_follows_the_seed() -> None:
    def epochs(seed: int) -> list[list[int]]:
        loader = DataLoader(numbered(40), batch_size=8, shuffle=True, generator=seeded(seed))
        return [order_of(loader), order_of(loader)]

    first = epochs(0)
    assert first[0] != first[1] and sorted(first[0]) == sorted(first[1]) == list(range(0, 400, 10))
    assert epochs(0) == first != epochs(1)


def test_shuffle_follows_manual_seed() -> None:
    loader = DataLoader(numbered(40), batch_size=8, shuffle=True)
    orders = []
    for seed in (0, 0, 1):
        tg.manual_seed(seed)
        orders.append(order_of(loader))
    assert orders[0] == orders[1] != orders[2]


def test_rows_stay_together() -> None:
    for x, y in DataLoader(numbered(20), batch_size=7, shuffle=True):
        np.testing.assert_array_equal(x.numpy() * 10, np.stack([y.numpy()] * 2, axis=1))


def test_batches_are_copies() -> None:
    data = numbered(4)
    for x, _ in DataLoader(data, batch_size=2):
        x.fill_(-1.0)
    assert data.tensors[0].min().item() == 0.0


def test_a_sampler_sets_the_order() -> None:
    class Backwards(Sampler):
        def __iter__(self) -> Iterator[int]:
            return iter([4, 2, 0])

        def __len__(self) -> int:
            return 3

    loader = DataLoader(numbered(5), batch_size=2, sampler=Backwards())
    assert len(loader) == 2 and order_of(loader) == [40, 20, 0]
    assert order_of(DataLoader(numbered(5), sampler=[-1, 0])) == [40, 0]
    assert order_of(DataLoader(numbered(5), sampler=tg.tensor([3, 1]))) == [30, 10]


def test_a_batch_sampler_sets_the_batches() -> None:
    loader = DataLoader(numbered(5), batch_sampler=[[0], [1, 2, 3], [4, 0]])
    assert [y.tolist() for _, y in loader] == [[0], [10, 20, 30], [40, 0]]
    assert len(loader) == 3 and loader.batch_size is None


def test_batches_of_samples() -> None:
    loader = DataLoader(Squares(), batch_size=3)
    assert [[t.tolist() for t in batch] for batch in loader] == [[[0, 1, 2], [0, 1, 4]], [[3, 4], [9, 16]]]
    assert [batch.tolist() for batch in DataLoader([1.0, 2.0, 3.0], batch_size=2)] == [[1.0, 2.0], [3.0]]


def test_single_samples_without_batches() -> None:
    loader = DataLoader(numbered(3), batch_size=None)
    assert len(loader) == 3 and [type(sample) for sample in loader] == [list] * 3
    assert [y.item() for _, y in loader] == [0, 10, 20]
    array = next(iter(DataLoader([np.ones(2)], batch_size=None)))
    assert isinstance(array, tg.Tensor)


def test_collate_fn_gets_the_samples() -> None:
    loader = DataLoader(Squares(), batch_size=2, collate_fn=list)
    assert list(loader) == [[(0, 0), (1, 1)], [(2, 4), (3, 9)], [(4, 16)]]
    rows = next(iter(DataLoader(numbered(3), batch_size=2, collate_fn=list)))
    assert [y.item() for _, y in rows] == [0, 10]


def test_getitems_gives_samples_at_once() -> None:
    class Many(Squares):
        def __getitems__(self, indices: list[int]) -> list[Any]:
            return [(i, -i) for i in indices]

    for data in (Many(), Subset(Many(), range(5))):
        assert [second.tolist() for _, second in DataLoader(data, batch_size=5)] == [[0, -1, -2, -3, -4]]


def test_a_subset_of_a_subset_of_tensors() -> None:
    inner = Subset(Subset(numbered(10), range(9, -1, -1)), [0, 2, 4])
    assert order_of(DataLoader(inner, batch_size=2)) == [90, 70, 50]


def test_batches_of_tensors_are_taken_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def one_by_one(self: Any, index: Any) -> None:
        raise AssertionError("a batch was made of single rows")

    monkeypatch.setattr(TensorDataset, "__getitem__", one_by_one)
    monkeypatch.setattr(data_module, "stack", one_by_one)
    assert order_of(DataLoader(Subset(rows_of(6), [5, 0, 3]), batch_size=2)) == [50, 0, 30]


def rows_of(length: int) -> TensorDataset:
    rows = tg.arange(length)
    return TensorDataset(rows.float(), rows * 10)


def test_a_subclass_of_tensor_dataset_keeps_its_own_samples() -> None:
    class Negated(TensorDataset):
        def __getitem__(self, index: Any) -> Any:
            return tuple(-row for row in super().__getitem__(index))

    assert next(iter(DataLoader(Negated(tg.arange(3)), batch_size=3)))[0].tolist() == [0, -1, -2]


def test_gradients_flow_through_batches() -> None:
    table = tg.ones(3, 2, requires_grad=True)
    (rows,) = next(iter(DataLoader(TensorDataset(table), batch_sampler=[[0, 2, 2]])))
    rows.sum().backward()
    assert table.grad is not None and table.grad.tolist() == [[1.0, 1.0], [0.0, 0.0], [2.0, 2.0]]


def test_batches_stay_on_their_device_in_the_same_order() -> None:
    plain = DataLoader(numbered(20), batch_size=6, shuffle=True, generator=seeded(0))
    strict = DataLoader(numbered(20, device="strict"), batch_size=6, shuffle=True, generator=seeded(0))
    for (x, y), (u, v) in zip(plain, strict, strict=True):
        assert u.device == "strict" and v.device == "strict"
        assert x.tolist() == u.tolist() and y.tolist() == v.tolist()


@pytest.mark.parametrize("device", ["cpu", "strict"])
def test_an_index_out_of_range(device: str) -> None:
    with pytest.raises(DimensionError, match="indices from 1 to 7 came for 3 samples"):
        list(DataLoader(numbered(3, device=device), batch_sampler=[[1, 7]]))


def test_an_empty_data_set_has_no_batches() -> None:
    assert list(DataLoader(Squares(0), batch_size=2)) == []
    with pytest.raises(ValueError, match="num_samples"):
        DataLoader(Squares(0), shuffle=True)


def test_the_length_is_the_samplers() -> None:
    for loader in (DataLoader(Squares(10), batch_size=4), DataLoader(Squares(10), 5, True, drop_last=True)):
        assert len(loader) == len(list(loader))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"batch_size": 0}, "batch_size is 0, but must be an integer from 1 on"),
        ({"shuffle": True, "sampler": [0]}, "sampler and shuffle=True exclude each other"),
        ({"batch_sampler": [[0]], "batch_size": 2}, "batch_sampler makes the batches, it excludes batch_size"),
        ({"batch_sampler": [[0]], "shuffle": True}, "batch_sampler makes the batches"),
        ({"batch_sampler": [[0]], "sampler": [0]}, "batch_sampler makes the batches"),
        ({"batch_sampler": [[0]], "drop_last": True}, "batch_sampler makes the batches"),
        ({"batch_size": None, "drop_last": True}, "there is no last batch to drop"),
        ({"num_workers": -1}, "num_workers is -1"),
        ({"timeout": -1}, "timeout is -1"),
        ({"timeout": 5}, "timeout is for worker processes, but num_workers is 0"),
        ({"prefetch_factor": 2}, "prefetch_factor is for worker processes"),
        ({"persistent_workers": True}, "persistent_workers is for worker processes"),
        ({"multiprocessing_context": "fork"}, "multiprocessing_context is for worker processes"),
    ],
)
def test_options_of_a_loader(options: dict, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        DataLoader(numbered(4), **options)


def test_workers_are_not_there() -> None:
    with pytest.raises(NotImplementedError, match=r"num_workers=2: there are no worker processes.* use num_workers=0"):
        DataLoader(numbered(4), num_workers=2)


def test_a_data_set_needs_its_methods() -> None:
    with pytest.raises(ArgumentTypeError, match="a generator, has no __getitem__ and no __len__"):
        DataLoader(i for i in range(3))
    with pytest.raises(ArgumentTypeError, match="a Dataset, has no __len__"):
        DataLoader(Dataset())


def test_a_loader_is_not_changed_once_made() -> None:
    loader = DataLoader(numbered(4))
    with pytest.raises(ArgumentError, match="batch_size can't be changed once the loader is made"):
        loader.batch_size = 2
    loader.generator = seeded(0)  # what PyTorch leaves open stays open


def test_pinned_memory_changes_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert order_of(DataLoader(numbered(3), pin_memory=True)) == [0, 10, 20]
