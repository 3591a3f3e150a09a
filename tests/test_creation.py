"""Making tensors: values, dtypes, devices and shared memory are PyTorch's, and what can't be made says why."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import tinygrad_dl as tg
from tinygrad_dl.errors import ArgumentError, ArgumentTypeError, DeviceError, DtypeError, ShapeError, TinygradError


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")


@pytest.fixture
def default_dtype() -> Iterator[None]:
    """Another default dtype, for both libraries' sake put back afterwards."""
    before = tg.get_default_dtype()
    yield
    tg.set_default_dtype(before)


def described(tensor: Any) -> tuple[Any, ...]:
    """All that the two libraries must agree on."""
    values = [repr(v) for v in np.asarray(tensor.detach().cpu().numpy()).ravel().tolist()]
    return tuple(tensor.shape), str(tensor.dtype).rpartition(".")[2], tensor.requires_grad, tensor.is_leaf, values


# --- what can be made

A = np.array([[1, 2, 3], [4, 5, 6]])
MADE: dict[str, Callable[[Any], Any]] = {
    # from data
    "tensor of an int": lambda lib: lib.tensor(3),
    "tensor of a float": lambda lib: lib.tensor(3.5),
    "tensor of a bool": lambda lib: lib.tensor(True),
    "tensor of a list": lambda lib: lib.tensor([1, 2]),
    "tensor of nested tuples": lambda lib: lib.tensor(((1.0, 2.0), (3.0, 4.0))),
    "tensor of ints and floats": lambda lib: lib.tensor([1, 2.5]),
    "tensor of bools and ints": lambda lib: lib.tensor([True, 2]),
    "tensor of bools and floats": lambda lib: lib.tensor([True, 0.5]),
    "tensor of nothing": lambda lib: lib.tensor([]),
    "tensor of empty rows": lambda lib: lib.tensor([[], []]),
    "tensor of special numbers": lambda lib: lib.tensor([float("nan"), float("inf"), -0.0]),
    "tensor of a large int": lambda lib: lib.tensor(2**62),
    "tensor of a range": lambda lib: lib.tensor(range(4)),
    "tensor of float64": lambda lib: lib.tensor(np.ones((2, 1))),
    "tensor of NumPy's scalar": lambda lib: lib.tensor(np.float64(2.5)),
    "tensor of NumPy's integer": lambda lib: lib.tensor(np.int32(7)),
    "tensor of a list of NumPy's scalars": lambda lib: lib.tensor([np.float64(1.5), np.float64(2)]),
    "tensor of a list of arrays": lambda lib: lib.tensor([np.arange(2), np.arange(2)]),
    "tensor of a transposed array": lambda lib: lib.tensor(A.T),
    "tensor of a reversed copy": lambda lib: lib.tensor(A[::-1].copy()),
    "tensor of a tensor": lambda lib: lib.tensor(lib.ones(2, dtype=lib.float64).numpy()),
    "tensor of a list of 0-d tensors": lambda lib: lib.tensor([lib.tensor(1.5), lib.tensor(2.0)]),
    "tensor, dtype": lambda lib: lib.tensor([1, 2], dtype=lib.float64),
    "tensor, to int": lambda lib: lib.tensor([1.9, -1.9], dtype=lib.int64),
    "tensor, to bool": lambda lib: lib.tensor([0.0, 0.5, 2.0], dtype=lib.bool),
    "tensor, to uint8": lambda lib: lib.tensor([0, 255], dtype=lib.uint8),
    "tensor, to float16": lambda lib: lib.tensor([1.0, 1e-4], dtype=lib.float16),
    "tensor, requires_grad": lambda lib: lib.tensor([1.0], requires_grad=True),
    "as_tensor of a list": lambda lib: lib.as_tensor([1, 2]),
    "as_tensor of an array": lambda lib: lib.as_tensor(A),
    "as_tensor, dtype": lambda lib: lib.as_tensor(A, dtype=lib.float32),
    "as_tensor of a tensor, dtype": lambda lib: lib.as_tensor(lib.ones(2), dtype=lib.int64),
    "as_tensor of a tensor in a graph": lambda lib: lib.as_tensor(lib.ones(2, requires_grad=True) * 2),
    "from_numpy": lambda lib: lib.from_numpy(A.astype(np.int16)),
    "from_numpy of a view": lambda lib: lib.from_numpy(A[:, ::2]),
    "from_numpy of 0-d": lambda lib: lib.from_numpy(np.array(2.5)),
    # filled
    "zeros": lambda lib: lib.zeros(2, 3),
    "zeros of a tuple": lambda lib: lib.zeros((2, 3)),
    "zeros of a list": lambda lib: lib.zeros([2]),
    "zeros of a Size": lambda lib: lib.zeros(lib.ones(3, 1).shape),
    "zeros, size=": lambda lib: lib.zeros(size=(1, 2)),
    "zeros, 0-d": lambda lib: lib.zeros(()),
    "zeros, empty": lambda lib: lib.zeros(0, 3),
    "zeros of NumPy's integers": lambda lib: lib.zeros(np.int64(2), np.int32(1)),
    "zeros, dtype": lambda lib: lib.zeros(2, dtype=lib.int8),
    "zeros, bool": lambda lib: lib.zeros(2, dtype=lib.bool),
    "zeros, requires_grad": lambda lib: lib.zeros(2, requires_grad=True),
    "ones": lambda lib: lib.ones(2, 2),
    "ones, bool": lambda lib: lib.ones(2, dtype=lib.bool),
    "ones, float16": lambda lib: lib.ones(1, dtype=lib.float16, requires_grad=True),
    "full of an int": lambda lib: lib.full((2,), 7),
    "full of a float": lambda lib: lib.full((2,), 7.5),
    "full of a bool": lambda lib: lib.full((2,), True),
    "full of infinity": lambda lib: lib.full((1,), float("inf")),
    "full, 0-d": lambda lib: lib.full((), 3.0),
    "full, dtype": lambda lib: lib.full((2,), 3, dtype=lib.float64),
    "full, fraction to int": lambda lib: lib.full((2,), 3.7, dtype=lib.int64),
    "full by names": lambda lib: lib.full(size=(2,), fill_value=1.5, requires_grad=True),
    "eye": lambda lib: lib.eye(3),
    "eye of two": lambda lib: lib.eye(2, 3, dtype=lib.int64),
    "eye, wide": lambda lib: lib.eye(3, 1),
    "eye, empty": lambda lib: lib.eye(0),
    "empty, shape": lambda lib: lib.empty(2, 3, dtype=lib.float64) * 0 == 5,
    # steps
    "arange(5)": lambda lib: lib.arange(5),
    "arange(0)": lambda lib: lib.arange(0),
    "arange(2.5)": lambda lib: lib.arange(2.5),
    "arange(5.)": lambda lib: lib.arange(5.0),
    "arange(1, 4)": lambda lib: lib.arange(1, 4),
    "arange(1, 8, 3)": lambda lib: lib.arange(1, 8, 3),
    "arange down": lambda lib: lib.arange(5, 0, -2),
    "arange of fractions": lambda lib: lib.arange(0, 1, 0.25),
    "arange down in fractions": lambda lib: lib.arange(1.0, -1.0, -0.5),
    "arange of tenths": lambda lib: lib.arange(0, 1, 0.1, dtype=lib.float64),
    "arange, dtype": lambda lib: lib.arange(3, dtype=lib.float64),
    "arange, to int": lambda lib: lib.arange(0, 3, 1, dtype=lib.int32),
    "arange by names": lambda lib: lib.arange(start=2, end=9, step=2),
    "arange(end=3)": lambda lib: lib.arange(end=3),
    "arange of tensors": lambda lib: lib.arange(lib.tensor(1), lib.tensor(4)),
    "arange, requires_grad": lambda lib: lib.arange(3.0, requires_grad=True),
    "arange, nothing": lambda lib: lib.arange(3, 3),
    "linspace": lambda lib: lib.linspace(0, 1, 5),
    "linspace down": lambda lib: lib.linspace(3, -3, 7),
    "linspace of one": lambda lib: lib.linspace(2, 5, 1),
    "logspace": lambda lib: lib.logspace(0, 2, 3),
    "logspace, base": lambda lib: lib.logspace(0, 3, 4, base=2),
    "logspace by names, to int": lambda lib: lib.logspace(start=2, end=0, steps=3, dtype=lib.int64),
    "logspace of one": lambda lib: lib.logspace(1, 2, 1, requires_grad=True),
    "tril_indices": lambda lib: lib.tril_indices(3, 2),
    "tril_indices, offset": lambda lib: lib.tril_indices(2, 3, offset=-1, dtype=lib.int32),
    "triu_indices": lambda lib: lib.triu_indices(2, 3, 1),
    "triu_indices of nothing": lambda lib: lib.triu_indices(0, 3),
    "linspace of none": lambda lib: lib.linspace(2, 5, 0),
    "linspace by names": lambda lib: lib.linspace(start=0, end=2, steps=3, dtype=lib.float64, requires_grad=True),
    "scalar_tensor": lambda lib: lib.scalar_tensor(3),
    "scalar_tensor of a bool, dtype": lambda lib: lib.scalar_tensor(True, dtype=lib.int8, requires_grad=False),
    "asarray of a list": lambda lib: lib.asarray([1, 2]),
    "asarray of an array, dtype": lambda lib: lib.asarray(A, dtype=lib.float32),
    "asarray, requires_grad": lambda lib: lib.asarray([1.0], requires_grad=True),
    "asarray of one in the graph, copy": lambda lib: lib.asarray(lib.ones(2, requires_grad=True) * 2, copy=True),
    "asarray that leaves the graph": lambda lib: lib.asarray(lib.ones(2, requires_grad=True) * 2, requires_grad=False),
    "empty_strided": lambda lib: lib.empty_strided((2, 3), (1, 2), dtype=lib.float64) * 0 == 5,
    "strides of empty_strided": lambda lib: lib.tensor(lib.empty_strided((2, 0, 3), (1, 5, 2)).stride()),
    "constants": lambda lib: lib.tensor([lib.pi, lib.e, lib.inf, -lib.inf, lib.nan])[lib.newaxis],
    "layout=": lambda lib: lib.zeros(2, layout=lib.strided, pin_memory=False),
    "memory_format=": lambda lib: lib.ones_like(lib.zeros(2), memory_format=lib.preserve_format),
    # like another
    "new_zeros": lambda lib: lib.ones(2, dtype=lib.float64).new_zeros(2, 3),
    "new_zeros, size=": lambda lib: lib.ones(2, dtype=lib.int8).new_zeros(size=(2,), layout=lib.strided),
    "new_zeros, 0-d": lambda lib: lib.ones(2).new_zeros(()),
    "new_ones, dtype": lambda lib: lib.ones(2).new_ones((2,), dtype=lib.int32),
    "new_empty, shape": lambda lib: lib.ones(2, dtype=lib.float64).new_empty(2, 1) * 0 == 5,
    "new_full": lambda lib: lib.ones(2, dtype=lib.float64).new_full((2,), 3),
    "new_full of a fraction": lambda lib: lib.tensor([1]).new_full(size=(2,), fill_value=3.5),
    "new_full, requires_grad": lambda lib: lib.ones(1).new_full((1,), 2, requires_grad=True),
    "new_tensor": lambda lib: lib.ones(2, dtype=lib.float64).new_tensor([1, 2]),
    "new_tensor, dtype": lambda lib: lib.ones(2).new_tensor([1.5], dtype=lib.int8, requires_grad=False),
    "new of data": lambda lib: lib.ones(2, dtype=lib.float64).new([1, 2]),
    "new of fractions as integers": lambda lib: lib.tensor([1]).new([1.5]),
    "new of nothing": lambda lib: lib.ones(2, dtype=lib.float64).new(),
    "new of sizes": lambda lib: lib.ones(2, dtype=lib.float64).new(2, 1) * 0 == 5,
    "zeros_like": lambda lib: lib.zeros_like(lib.ones(2, 3, dtype=lib.int32)),
    "ones_like": lambda lib: lib.ones_like(lib.zeros(2, dtype=lib.float64)),
    "full_like": lambda lib: lib.full_like(lib.zeros(2), 3),
    "full_like, to int": lambda lib: lib.full_like(lib.tensor([1, 2]), 7.9),
    "full_like, to bool": lambda lib: lib.full_like(lib.tensor([True, False]), 3),
    "full_like, dtype": lambda lib: lib.full_like(lib.zeros(2), 3, dtype=lib.int64),
    "zeros_like, dtype": lambda lib: lib.zeros_like(lib.zeros(2), dtype=lib.bool),
    "ones_like of one in the graph": lambda lib: lib.ones_like(lib.ones(2, requires_grad=True) * 2),
    "ones_like, requires_grad": lambda lib: lib.ones_like(lib.ones(2), requires_grad=True),
    "zeros_like of 0-d": lambda lib: lib.zeros_like(lib.tensor(3)),
}


@pytest.mark.parametrize("name", MADE)
def test_made_as_in_pytorch(torch: Any, name: str) -> None:
    assert described(MADE[name](tg)) == described(MADE[name](torch))


DEFAULTS = [
    (name, dtype)
    for name in MADE
    for dtype in ("float64", "float16")
    if any(word in name for word in ("zeros", "full", "eye", "linspace", "arange", "tensor of"))
]


@pytest.mark.parametrize(("name", "dtype"), DEFAULTS)
def test_the_default_dtype_counts_as_in_pytorch(torch: Any, default_dtype: None, name: str, dtype: str) -> None:
    before = torch.get_default_dtype()
    tg.set_default_dtype(getattr(tg, dtype))
    torch.set_default_dtype(getattr(torch, dtype))
    try:
        assert described(MADE[name](tg)) == described(MADE[name](torch))
    finally:
        torch.set_default_dtype(before)


def test_values_without_pytorch() -> None:
    """What the most used functions make, said in full, for where PyTorch is not installed."""
    assert described(tg.tensor([[1, 2]])) == ((1, 2), "int64", False, True, ["1", "2"])
    assert described(tg.zeros(1, 2)) == ((1, 2), "float32", False, True, ["0.0", "0.0"])
    assert described(tg.full((2,), 0.5, requires_grad=True)) == ((2,), "float32", True, True, ["0.5", "0.5"])
    assert described(tg.arange(1, 4)) == ((3,), "int64", False, True, ["1", "2", "3"])
    assert described(tg.linspace(0, 1, 3)) == ((3,), "float32", False, True, ["0.0", "0.5", "1.0"])
    assert described(tg.eye(1, 2)) == ((1, 2), "float32", False, True, ["1.0", "0.0"])


@given(
    array=npst.arrays(
        st.sampled_from([np.float32, np.float64, np.int64, np.int32, np.int8, np.uint8, np.bool_]),
        npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
    ),
    dtype=st.sampled_from([None, "float32", "float64", "int64", "bool"]),
)
def test_any_array(torch: Any, array: Any, dtype: str | None) -> None:
    if dtype == "int64" and array.dtype.kind == "f" and not np.all(np.abs(array) < 2**62):
        array = np.zeros_like(array)  # there is no right answer
    with np.errstate(all="ignore"):
        ours, theirs = (lib.tensor(array, dtype=None if dtype is None else getattr(lib, dtype)) for lib in (tg, torch))
    assert described(ours) == described(theirs)


@given(start=st.integers(-9, 9), count=st.integers(0, 9), step=st.sampled_from([1, 2, 3, 0.5, 0.25, -1, -1.5]))
def test_any_arange(torch: Any, start: int, count: int, step: float) -> None:
    end = start + count * step
    assert described(tg.arange(start, end, step)) == described(torch.arange(start, end, step))


@given(
    start=st.floats(-1e3, 1e3, width=32),
    end=st.floats(-1e3, 1e3, width=32),
    steps=st.integers(0, 12),
    wide=st.booleans(),
)
def test_any_linspace(torch: Any, start: float, end: float, steps: int, wide: bool) -> None:
    ours, theirs = (lib.linspace(start, end, steps, dtype=lib.float64 if wide else lib.float32) for lib in (tg, torch))
    scale = max(abs(start), abs(end), 1e-30)
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), 0, scale * (1e-14 if wide else 5e-7))
    if steps > 1:
        assert ours[0].item() == pytest.approx(start, rel=1e-6) and ours[-1].item() == pytest.approx(end, rel=1e-6)


# --- shared memory


@pytest.mark.parametrize("lib", ["tinygrad_dl", "torch"])
def test_asarray_shares_where_it_can(lib: str) -> None:
    module = pytest.importorskip(lib)
    a, t = np.zeros(2), module.ones(2)
    assert module.asarray(t) is t and module.asarray(t, copy=True) is not t
    shared, copied, converted = module.asarray(a), module.asarray(a, copy=True), module.asarray(a, dtype=module.float32)
    a[0] = 5.0
    assert [x[0].item() for x in (shared, copied, converted)] == [5.0, 0.0, 0.0]
    assert module.asarray(a, copy=False)[0].item() == 5.0
    for impossible in (
        lambda: module.asarray([1.0], copy=False),
        lambda: module.asarray(a, dtype=module.int8, copy=False),
    ):
        with pytest.raises(ValueError):
            impossible()


def test_layouts_have_names() -> None:
    x = tg.zeros(2, 3)
    assert repr([x.layout, tg.contiguous_format]) == "[tinygrad_dl.strided, tinygrad_dl.contiguous_format]"
    assert x.layout is tg.strided and isinstance(x.layout, tg.layout)
    assert isinstance(tg.channels_last, tg.memory_format)
    assert x.contiguous(memory_format=tg.contiguous_format) is x and x.to(memory_format=tg.preserve_format) is x
    assert x.t().contiguous(memory_format=tg.preserve_format).is_contiguous(memory_format=tg.contiguous_format)
    assert pickle.loads(pickle.dumps(tg.strided)) is tg.strided
    for refused in (
        lambda: x.contiguous(memory_format=tg.channels_last),
        lambda: x.clone(memory_format=tg.channels_last),
        lambda: x.to(memory_format=tg.channels_last_3d),
        lambda: x.is_contiguous(memory_format=tg.channels_last),
        lambda: tg.empty(2, memory_format=tg.channels_last),
        lambda: tg.zeros(2, layout="sparse"),
        lambda: x.new_zeros(2, pin_memory=True),
        lambda: tg.range(0, 2),
        lambda: x.resize_(3),
        lambda: x.resize_as_(x),
    ):
        with pytest.raises(NotImplementedError):
            refused()
    with pytest.raises(ArgumentTypeError, match="memory_format is for example contiguous_format, not 'C'"):
        x.contiguous(memory_format="C")


@pytest.mark.parametrize("lib", ["tinygrad_dl", "torch"])
def test_whose_memory_it_is(lib: str) -> None:
    module = pytest.importorskip(lib)
    a = np.zeros(2, np.float32)
    shared = [module.from_numpy(a), module.as_tensor(a), module.as_tensor(a, dtype=module.float32)]
    copies = [module.tensor(a), module.as_tensor(a, dtype=module.float64), module.Tensor(a.tolist())]
    a[0] = 5.0
    assert [t[0].item() for t in shared] == [5.0] * 3
    assert [t[0].item() for t in copies] == [0.0] * 3
    shared[0].fill_(7)
    assert a.tolist() == [7.0, 7.0]
    t = module.ones(2)
    assert module.as_tensor(t) is t and module.as_tensor(t, dtype=module.float32) is t
    assert module.as_tensor(t, dtype=module.float64) is not t


def test_a_copy_of_a_tensor_is_a_leaf_of_its_own() -> None:
    x = tg.ones(2, requires_grad=True)
    copied = tg.tensor(x * 2)
    assert copied.is_leaf and not copied.requires_grad and copied.tolist() == [2.0, 2.0]
    again = tg.tensor(x)
    again.fill_(0)
    assert x.tolist() == [1.0, 1.0] and not again.requires_grad


def test_as_tensor_keeps_the_graph() -> None:
    x = tg.ones(2, requires_grad=True)
    y = tg.as_tensor(x * 3)
    y.sum().backward()
    assert x.grad is not None and x.grad.tolist() == [3.0, 3.0]
    z = tg.as_tensor(x, dtype=tg.float64)
    z.sum().backward()
    assert x.grad.tolist() == [4.0, 4.0] and x.grad.dtype is tg.float32


def test_no_two_tensors_share_what_was_filled() -> None:
    first, second = tg.zeros(2), tg.zeros(2)
    first.fill_(1)
    assert second.tolist() == [0.0, 0.0]
    like = tg.zeros_like(first)
    like.add_(3)
    assert first.tolist() == [1.0, 1.0]
    row = [1.0, 2.0]
    made = tg.tensor(row)
    row[0] = 9.0
    assert made.tolist() == [1.0, 2.0]


def test_as_tensor_of_another_devices_array() -> None:
    there = tg.ones(2, device="strict")
    assert tg.as_tensor(there) is there and tg.as_tensor(there, device="cpu").device.type == "cpu"
    found = tg.as_tensor(there.array)
    assert found.device.type == "strict" and found.array is there.array
    assert tg.as_tensor(there.array, device="cpu", dtype=tg.int64).tolist() == [1, 1]
    assert tg.tensor(there).device.type == "strict" and tg.tensor(there, device="cpu").device.type == "cpu"


def test_arrays_of_foreign_byte_order_are_converted_where_they_may_be_copied() -> None:
    a = np.array([1.0, 2.0], ">f4")
    for made in (tg.tensor(a), tg.as_tensor(a)):
        assert made.dtype is tg.float32 and made.tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match=r"from_numpy: .*another order; use tensor"):
        tg.from_numpy(a)


def test_dtypes_may_be_numpys_or_pythons() -> None:
    assert tg.zeros(1, dtype=np.float64).dtype is tg.float64 and tg.tensor([1], dtype=np.dtype("int8")).dtype is tg.int8
    assert tg.zeros(1, dtype=float).dtype is tg.float64 and tg.zeros(1, dtype=int).dtype is tg.int64
    assert tg.zeros(1, dtype=bool).dtype is tg.bool
    assert tg.float64 == np.float64 and tg.float64 != None and tg.float32 != None  # noqa: E711


@pytest.mark.parametrize("name", ["zeros", "ones", "empty"])
def test_sizes_in_every_form(name: str) -> None:
    make = getattr(tg, name)
    for made in (
        make(2, 3),
        make((2, 3)),
        make([2, 3]),
        make(size=(2, 3)),
        make(tg.zeros(2, 3).shape),
        make(size=[2, 3]),
    ):
        assert made.shape == (2, 3) and made.is_contiguous()


# --- what can't be made: the class is PyTorch's, the words say what came and what would work

REFUSED: dict[str, tuple[Callable[[Any], Any], type[TinygradError], str]] = {
    "a ragged list": (lambda lib: lib.tensor([[1, 2], [3]]), ArgumentError, r"tensor: nested lists .* same length"),
    "numbers and lists": (lambda lib: lib.tensor([1, [2]]), ArgumentError, "tensor: nested lists"),
    "text": (lambda lib: lib.tensor("a"), ArgumentTypeError, "tensor: data of type str .*real numbers"),
    "a list of text": (lambda lib: lib.tensor(["a"]), ArgumentTypeError, "tensor: data of type list"),
    "nothing": (lambda lib: lib.tensor(None), ArgumentTypeError, "tensor: data of type NoneType"),
    "objects": (lambda lib: lib.tensor(object()), ArgumentTypeError, "tensor: data of type object"),
    "a dict": (lambda lib: lib.tensor({}), ArgumentTypeError, "tensor: data of type dict"),
    "300 in uint8": (lambda lib: lib.tensor(300, dtype=lib.uint8), DtypeError, "tensor: 300 does not fit into uint8"),
    "-1 in uint8": (lambda lib: lib.full((1,), 300, dtype=lib.uint8), DtypeError, "full: 300 .*holds 0 to 255"),
    "integers that require grad": (
        lambda lib: lib.tensor([1, 2], requires_grad=True),
        DtypeError,
        r"int64 of shape \(2,\).*float\(\)",
    ),
    "zeros of integers that require grad": (
        lambda lib: lib.zeros(2, dtype=lib.int64, requires_grad=True),
        DtypeError,
        "int64",
    ),
    "arange that requires grad": (lambda lib: lib.arange(3, requires_grad=True), DtypeError, "int64"),
    "an array of objects": (lambda lib: lib.from_numpy(np.array([None])), DtypeError, "no dtype object; they have"),
    "a list for an array": (lambda lib: lib.from_numpy([1]), ArgumentTypeError, r"from_numpy: .*not list; use tensor"),
    "a number for an array": (lambda lib: lib.from_numpy(np.float64(1)), ArgumentTypeError, "from_numpy: .*float64"),
    "a negative size": (lambda lib: lib.zeros(2, -1), ShapeError, r"zeros: sizes can't be negative, \(2, -1\) came"),
    "a negative size of full": (lambda lib: lib.full((-2,), 1), ShapeError, r"full: .*\(-2,\)"),
    "a negative eye": (lambda lib: lib.eye(-1), ShapeError, "eye: .*negative"),
    "a fraction as size": (lambda lib: lib.ones(2.5), ArgumentTypeError, "ones: .*2.5"),
    "text as size": (lambda lib: lib.zeros("a"), ArgumentTypeError, "zeros: .*'a'"),
    "no size": (lambda lib: lib.full(), TypeError, "full"),  # type: ignore[dict-item]
    "text to fill with": (lambda lib: lib.full((2,), "a"), ArgumentTypeError, "full: fill_value .* number, not 'a'"),
    "a step of 0": (lambda lib: lib.arange(0, 3, 0), ArgumentError, "arange: from 0 to 3 in steps of 0"),
    "a step the wrong way": (lambda lib: lib.arange(0, 3, -1), ArgumentError, "arange: from 0 to 3 in steps of -1"),
    "an infinite range": (lambda lib: lib.arange(float("inf")), ArgumentError, "arange: .*inf .*no finite range"),
    "NaN as bound": (lambda lib: lib.arange(0.0, float("nan")), ArgumentError, "arange: .*nan"),
    "text as bound": (lambda lib: lib.arange("a"), ArgumentTypeError, "arange: end must be a number, not 'a'"),
    "no bound": (lambda lib: lib.arange(), ArgumentTypeError, "arange: end must be a number, not None"),
    "negative steps": (lambda lib: lib.linspace(0, 1, -1), ShapeError, "linspace: .*negative"),
    "steps of a fraction": (lambda lib: lib.linspace(0, 1, 2.5), ArgumentTypeError, "linspace: .*2.5"),
    "like a list": (lambda lib: lib.zeros_like([1.0]), ArgumentTypeError, "zeros_like: input .* Tensor, not list"),
    "an unknown device": (lambda lib: lib.zeros(2, device="gpu"), DeviceError, "'gpu' is unknown; .*'cuda'"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_says_why(name: str) -> None:
    call, kind, words = REFUSED[name]
    with pytest.raises(kind, match=f"(?s){words}") as caught:
        call(tg)
    assert isinstance(caught.value, TinygradError) or kind is TypeError
    assert caught.value.__cause__ is None and (caught.value.__context__ is None or caught.value.__suppress_context__)


# What is no data is a TypeError here, whatever it is, and what is ragged a ValueError; PyTorch has several classes.
OTHER_CLASSES = {"numbers and lists", "a list of text", "nothing", "objects", "a dict", "an array of objects"}


@pytest.mark.parametrize("name", [name for name in REFUSED if name not in OTHER_CLASSES])
def test_what_is_refused_raises_pytorchs_class(torch: Any, name: str) -> None:
    call = REFUSED[name][0]
    with pytest.raises(Exception) as expected:
        call(torch)
    with pytest.raises(type(expected.value)):
        call(tg)


def test_options_that_mean_nothing_here_are_refused() -> None:
    with pytest.raises(NotImplementedError, match="pin_memory=True is not supported"):
        tg.tensor([1.0], pin_memory=True)
    with pytest.raises(TypeError):
        tg.zeros(2, grad=True)  # type: ignore[call-arg]
    for dtype in ("uint32", "uint16", "uint64"):
        with pytest.raises(DtypeError, match=f"no dtype {dtype}; they have bool, uint8"):
            tg.tensor(np.ones(2).astype(dtype))
    with pytest.raises(ArgumentTypeError, match="complex64"):
        tg.tensor(np.ones(2).astype("complex64"))


def test_a_dtype_that_is_not_there_is_named() -> None:
    for call in (lambda: tg.zeros(2, dtype="flaot32"), lambda: tg.tensor([1], dtype=3)):
        with pytest.raises(TinygradError, match=r"flaot32|3"):
            call()


def test_large_integers() -> None:
    assert tg.tensor(2**63 - 1).item() == 2**63 - 1 and tg.tensor(-(2**63)).item() == -(2**63)
    with pytest.raises(TinygradError):
        tg.tensor(2**63)
    with pytest.raises(TinygradError):
        tg.tensor(10**40)
    assert math.isinf(tg.tensor(1e300).item()) and tg.tensor(1e300, dtype=tg.float64).item() == 1e300
