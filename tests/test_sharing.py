"""Memory shared with other libraries, Python's protocols, and einops on our tensors."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl import nn
from tinygrad_dl.errors import ExportError


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")


pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # PyTorch's


@pytest.fixture(params=["ours", "PyTorch's"])
def lib(request: pytest.FixtureRequest) -> Any:
    """The tests say what PyTorch does too."""
    return tg if request.param == "ours" else request.getfixturevalue("torch")


# --- DLPack

DTYPES = ("float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool")


@pytest.mark.parametrize("dtype", DTYPES)
def test_dlpack_shares_memory_with_numpy(lib: Any, dtype: str) -> None:
    x = lib.zeros(2, 3, dtype=getattr(lib, dtype)).t()
    array = np.from_dlpack(x)
    assert array.shape == (3, 2) and array.dtype == dtype and array.strides == (array.itemsize, 3 * array.itemsize)
    array[1, 0] = 1
    assert x[1, 0].item() == 1
    back = lib.from_dlpack(array)
    back[0, 1] = 1
    assert x[0, 1].item() == 1 and back.dtype == x.dtype and back.stride() == x.stride()


@pytest.mark.parametrize("dtype", DTYPES)
def test_dlpack_shares_memory_with_pytorch(torch: Any, dtype: str) -> None:
    theirs = torch.zeros(4, 3, dtype=getattr(torch, dtype))[::2]
    for take in (tg.from_dlpack, tg.utils.dlpack.from_dlpack):
        ours = take(theirs)
        assert ours.shape == (2, 3) and ours.stride() == (6, 1) and str(ours.dtype) == f"tinygrad_dl.{dtype}"
        ours.fill_(1)
        assert theirs.tolist() == ours.tolist() == [[1, 1, 1], [1, 1, 1]]
        theirs.zero_()
    x = tg.zeros(4, dtype=getattr(tg, dtype))
    for take in (torch.from_dlpack, torch.utils.dlpack.from_dlpack):
        taken = take(x[::2])
        taken.fill_(1)
        assert x.tolist() == [1, 0, 1, 0]
        x.zero_()


def test_capsules(torch: Any) -> None:
    x = tg.zeros(3)
    for give in (tg.to_dlpack, tg.utils.dlpack.to_dlpack, lambda t: t.__dlpack__()):
        for take in (tg.from_dlpack, torch.from_dlpack):
            take(give(x))[0] = 7.0
            assert x.tolist() == [7.0, 0.0, 0.0]
            x.zero_()
    tg.from_dlpack(torch.to_dlpack(theirs := torch.zeros(2)))[1] = 3.0
    assert theirs.tolist() == [0.0, 3.0]


def test_memory_that_is_shared_outlives_its_owner(torch: Any) -> None:
    shared = [
        tg.from_dlpack(torch.arange(100_000.0)),
        torch.from_dlpack(tg.arange(100_000.0)),
        tg.from_dlpack(torch.to_dlpack(torch.arange(100_000.0))),
        tg.from_dlpack(tg.to_dlpack(tg.arange(100_000.0))),
    ]
    junk = [[torch.full((100_000,), -1.0), np.full(100_000, -1.0, np.float32)] for _ in range(20)]
    assert [float(x.sum()) for x in shared] == pytest.approx([4999950000.0] * 4, rel=1e-4) and len(junk) == 20


def test_the_device_of_dlpack(lib: Any) -> None:
    kind, index = lib.ones(1).__dlpack_device__()
    assert (int(kind), index) == (1, 0)


def test_dlpack_may_copy_and_move() -> None:
    array = np.zeros(2)
    tg.from_dlpack(array, copy=True)[0] = 1.0
    assert array.tolist() == [0.0, 0.0]
    tg.from_dlpack(array, device="cpu")[0] = 1.0
    assert array.tolist() == [1.0, 0.0]
    assert tg.from_dlpack(array, device="strict").device == "strict"
    assert np.from_dlpack(tg.ones(2), copy=True).tolist() == [1.0, 1.0]


def test_what_dlpack_refuses(lib: Any) -> None:
    w = lib.ones(2, requires_grad=True)
    for call in (w.__dlpack__, lambda: np.from_dlpack(w * 2), lambda: lib.from_dlpack(w)):
        with pytest.raises(BufferError, match="grad"):
            call()
    with pytest.raises(RuntimeError, match="capsule"):
        lib.from_dlpack([1.0])


def test_what_only_ours_refuses_in_dlpack() -> None:
    for call, words in (
        (lambda: tg.ones(1).expand(3).__dlpack__(), r"(?i)read-?only.*clone\(\)"),
        (lambda: tg.as_tensor(np.ones(3)[::-1]).__dlpack__(), r"negative; use tensor\.clone\(\)"),
    ):
        with pytest.raises(ExportError, match=words):
            call()
    for call in (tg.ones(1, device="strict").__dlpack__, tg.ones(1, device="strict").__dlpack_device__):
        with pytest.raises(tg.DeviceError, match=r"'strict' can't be shared; use tensor\.cpu\(\)"):
            call()
    with pytest.raises(tg.DtypeError, match="complex128"):
        tg.from_dlpack(np.ones(2, complex))
    with pytest.raises(tg.ArgumentTypeError, match="to_dlpack: a Tensor is needed, not ndarray"):
        tg.to_dlpack(np.ones(1))  # type: ignore[arg-type]

    class Elsewhere:
        def __dlpack__(self, **options: Any) -> None: ...

        def __dlpack_device__(self) -> tuple[int, int]:
            return 8, 0  # Metal

    with pytest.raises(tg.DeviceError, match="device of DLPack's kind 8"):
        tg.from_dlpack(Elsewhere())


# --- arrays


def test_as_tensor_and_array_give_one_memory_back() -> None:
    for where in ("cpu", "strict"):
        array = tg.zeros(3, device=where).array
        x = tg.as_tensor(array)
        assert x.array is array and x.device == where
        x[0] = 4.0
        assert tg.as_tensor(x) is x and tg.as_tensor(array).tolist() == [4.0, 0.0, 0.0]


ODD: dict[str, Callable[[], Any]] = {
    "negative steps": lambda: np.ones(4)[::-1],
    "negative steps in one dimension": lambda: np.ones((2, 3))[:, ::-1],
    "bytes in another order": lambda: np.ones(4, ">f8"),
    "steps between elements": lambda: np.zeros(3, [("a", "f4"), ("b", "i1")])["a"],
    "numbers longer than any": lambda: np.ones(2, np.longdouble),
    "objects": lambda: np.array([1, "a"], object),
    "a list": lambda: [1.0],
}


@pytest.mark.parametrize("name", ODD)
def test_from_numpy_refuses_odd_arrays(torch: Any, name: str) -> None:
    with pytest.raises((ValueError, TypeError)) as theirs:
        torch.from_numpy(ODD[name]())
    with pytest.raises(tg.TinygradError, match=r"from_numpy|dtype") as ours:
        tg.from_numpy(ODD[name]())
    assert isinstance(ours.value, type(theirs.value)) or isinstance(ours.value, tg.DtypeError)


@pytest.mark.filterwarnings("error")
def test_from_numpy_of_memory_that_may_not_be_written_to() -> None:
    """No warning: what PyTorch warns of can't happen here."""
    array = np.ones(3)
    array.flags.writeable = False
    for make in (tg.from_numpy, tg.as_tensor):
        x = make(array)
        assert (x * 2).tolist() == [2.0, 2.0, 2.0]
        with pytest.raises(tg.ArgumentError, match="read-only"):
            x.mul_(2)
        with pytest.raises(tg.ArgumentError, match="read-only"):
            x[0] = 5.0
    assert array.tolist() == [1.0] * 3 and tg.tensor(array).mul_(2).tolist() == [2.0] * 3


BUFFERS: dict[str, Callable[[Any], Any]] = {
    "all": lambda lib: lib.frombuffer(bytearray(range(16)), dtype=lib.int32),
    "a part": lambda lib: lib.frombuffer(bytearray(range(16)), dtype=lib.int32, count=2, offset=4),
    "bytes": lambda lib: lib.frombuffer(bytearray(b"abc"), dtype=lib.uint8, offset=1),
    "an array": lambda lib: lib.frombuffer(np.arange(3.0), dtype=lib.float64, requires_grad=True),
    "an array of two dimensions": lambda lib: lib.frombuffer(np.ones((2, 3), np.int16), dtype=lib.int16),
    "no bytes": lambda lib: lib.frombuffer(bytearray(), dtype=lib.uint8),
    "no elements": lambda lib: lib.frombuffer(bytearray(8), dtype=lib.uint8, count=0),
    "a negative count": lambda lib: lib.frombuffer(bytearray(8), dtype=lib.uint8, count=-2),
    "too many": lambda lib: lib.frombuffer(bytearray(16), dtype=lib.float32, count=5),
    "too many behind an offset": lambda lib: lib.frombuffer(bytearray(16), dtype=lib.float32, count=4, offset=4),
    "offset outside": lambda lib: lib.frombuffer(bytearray(16), dtype=lib.float32, offset=16),
    "offset below 0": lambda lib: lib.frombuffer(bytearray(16), dtype=lib.float32, offset=-4),
    "no whole elements": lambda lib: lib.frombuffer(bytearray(15), dtype=lib.float32),
    "no whole elements behind an offset": lambda lib: lib.frombuffer(bytearray(16), dtype=lib.float32, offset=2),
    "no buffer": lambda lib: lib.frombuffer(3, dtype=lib.float32),
}


@pytest.mark.parametrize("name", BUFFERS)
def test_buffers(torch: Any, name: str) -> None:
    results = []
    for each in (tg, torch):
        try:
            x = BUFFERS[name](each)
            results.append((x.tolist(), str(x.dtype).rpartition(".")[2], x.requires_grad, x.is_leaf))
        except ValueError as error:
            results.append(ValueError)
            assert each is torch or (isinstance(error, tg.TinygradError) and "frombuffer" in str(error))
    assert results[0] == results[1]


def test_a_buffer_is_shared() -> None:
    memory = bytearray(4)
    tg.frombuffer(memory, dtype=tg.uint8)[2] = 9
    assert list(memory) == [0, 0, 9, 0]
    with pytest.raises(tg.ArgumentError, match="read-only"):
        tg.frombuffer(b"abc", dtype=tg.uint8).zero_()


def test_the_array_protocol(lib: Any) -> None:
    x = lib.ones(2)
    np.asarray(x)[0] = 5.0
    assert x.tolist() == [5.0, 1.0]
    assert np.asarray(x, np.float64).dtype == np.float64 and np.array(x, copy=True).base is None
    np.asarray(x, np.float32)[1] = 6.0
    assert x.tolist() == [5.0, 6.0]
    with pytest.raises(ValueError, match="copy"):
        np.asarray(x, np.float64, copy=False)
    with pytest.raises(RuntimeError, match="grad"):
        np.asarray(lib.ones(1, requires_grad=True))
    w = lib.ones(2, requires_grad=True)
    w.numpy(force=True)[0] = 3.0
    assert w.tolist() == [3.0, 1.0] and x.__array_priority__ == 1000


# --- storages


def test_where_in_its_memory_a_tensor_lies(lib: Any) -> None:
    x = lib.arange(24.0).reshape(2, 3, 4)
    views = [x, x[1], x[:, 1], x[:, :, 2], x.transpose(0, 2)[1, 2], x[1:, ::2, 3:], x.clone(), x[1].clone()[2]]
    assert [view.storage_offset() for view in views] == [0, 12, 4, 2, 9, 15, 0, 8]
    assert x.is_set_to(x.detach()) and x[1].is_set_to(x[1]) and x.is_set_to(x.view(2, 3, 4))
    for other in (x.clone(), x[1], x.view(6, 4), x.transpose(0, 1)):
        assert not x.is_set_to(other)


def test_a_dtype_that_no_tensor_has_as_a_method() -> None:
    with pytest.raises(tg.DtypeError, match="bfloat16: tensors have no such dtype; use float32"):
        tg.ones(1).bfloat16()
    with pytest.raises(tg.ArgumentTypeError, match="is_set_to: a Tensor is needed, not int"):
        tg.ones(1).is_set_to(1)


def test_storages_tell_what_shares_memory() -> None:
    x = tg.zeros(2, 3)
    for view in (x[1], x.t(), x.view(6)[2:], x.detach()):
        assert view.untyped_storage().data_ptr() == view.storage().data_ptr() == x.data_ptr()
        assert view.untyped_storage().nbytes() == 24 and len(view.storage()) == view.storage().size() == 6
    assert x.clone().storage().data_ptr() != x.storage().data_ptr()
    assert x.untyped_storage().size() == 24 and x.storage().dtype is tg.float32 and x.storage().device == "cpu"
    assert repr(x[1].storage()) == "[tinygrad_dl.TypedStorage(device=cpu) of size 6]"
    assert tg.is_storage(x.untyped_storage()) and not tg.is_storage(x)


# --- functions of Python on elements


def test_apply_and_map(lib: Any) -> None:
    x = lib.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert x.t().apply_(lambda v: v * v) is not None and x.tolist() == [[1.0, 4.0], [9.0, 16.0]]
    assert lib.tensor([1, 2]).apply_(lambda v: v + 2).tolist() == [3, 4]
    assert x.map_(lib.tensor([[1.0, 2.0]]), lambda a, b: a - b) is x and x.tolist() == [[0.0, 2.0], [8.0, 14.0]]
    w = lib.ones(2, requires_grad=True)
    for call in (lambda: w.apply_(abs), lambda: w.map_(lib.ones(2), max)):
        with pytest.raises(RuntimeError, match=r"detach\(\)"):
            call()


def test_apply_writes_as_an_edit() -> None:
    w, c = tg.ones(2, requires_grad=True), tg.ones(2)
    y = (w * c).sum()
    c.apply_(lambda v: v + 1)
    with pytest.raises(tg.GraphError, match="apply_ has overwritten"):
        y.backward()
    with pytest.raises(tg.ShapeError, match=r"map_: .*\(3,\).*\(2,\)"):
        c.map_(tg.ones(3), max)
    with pytest.raises(TypeError, match="apply_: runs on the CPU only"):
        tg.ones(1, device="strict").apply_(abs)


# --- Python's protocols

PROTOCOLS: dict[str, Callable[[Any], Any]] = {
    "format of a number": lambda lib: (f"{lib.tensor(3.14159):.3f} {lib.tensor(7):.1f}", f"{lib.tensor(2.5)}"),
    "format of an integer": lambda lib: f"{lib.tensor(7):d} {lib.tensor(7):>4}",
    "format of a bool": lambda lib: f"{lib.tensor(True)}",
    "format of one that requires grad": lambda lib: f"{lib.tensor(2.0, requires_grad=True):.1f}",
    "format of many": lambda lib: f"{lib.ones(2)}",
    "format of many with a width": lambda lib: f"{lib.ones(2):>9}",
    "format of many with digits": lambda lib: f"{lib.ones(1):.2f}",
    "percent": lambda lib: "%d %.2f" % (lib.tensor(3), lib.tensor(2.5)),  # noqa: UP031
    "complex": lambda lib: complex(lib.tensor([2.5])),
    "complex of many": lambda lib: complex(lib.ones(2)),
    "float": lambda lib: float(lib.tensor([[2.5]])),
    "float of many": lambda lib: float(lib.ones(2)),
    "int": lambda lib: int(lib.tensor([2.7])),
    "index": lambda lib: ["a", "b"][lib.tensor([1])],
    "index of a bool": lambda lib: ["a", "b"][lib.tensor(True)],
    "index of a float": lambda lib: ["a", "b"][lib.tensor(1.0)],
    "range": lambda lib: list(range(lib.tensor(3))),
    "in": lambda lib: (1.0 in lib.ones(2), 2 in lib.ones(2), lib.tensor(1) in lib.ones(2), True in lib.ones(2)),
    "NaN in": lambda lib: float("nan") in lib.tensor([float("nan")]),
    "text in": lambda lib: "a" in lib.ones(2),
    "None in": lambda lib: None in lib.ones(2),
    "reversed": lambda lib: [x.tolist() for x in reversed(lib.arange(6).reshape(3, 2))],
    "reversed of a number": lambda lib: reversed(lib.tensor(2.0)).item(),
    "reversed of nothing": lambda lib: reversed(lib.zeros(0, 2)).tolist(),
    "list": lambda lib: [x.item() for x in list(lib.arange(3))],
    "unpacking": lambda lib: [x.tolist() for x in (lambda a, b: (a, b))(*lib.eye(2))],
    "iteration of a number": lambda lib: list(lib.tensor(1.0)),
    "len": lambda lib: (len(lib.zeros(3, 2)), len(lib.zeros(0))),
    "len of a number": lambda lib: len(lib.tensor(1.0)),
    "bool": lambda lib: (bool(lib.tensor([0.0])), bool(lib.tensor(3)), bool(lib.tensor([[True]]))),
    "bool of many": lambda lib: bool(lib.ones(2)),
    "bool of nothing": lambda lib: bool(lib.ones(0)),
    "hash": lambda lib: (lambda x: len({x: 1, x.clone(): 2, x.detach(): 3}))(lib.ones(2)),
    "sum": lambda lib: sum(lib.arange(4)).item(),
    "max": lambda lib: max(lib.arange(4)).item(),
    "sorted": lambda lib: [x.item() for x in sorted(lib.tensor([3, 1, 2]))],
    "divmod": lambda lib: divmod(lib.arange(4), 2),
    "tolist": lambda lib: (lib.tensor(2).tolist(), lib.zeros(0, 2).tolist(), lib.tensor([[True]]).tolist()),
    "Size, joined": lambda lib: (lib.Size([2]) + (3,), (3,) + lib.Size([2]), lib.Size([1, 2]) * 2, 2 * lib.Size([1])),
    "Size, parts": lambda lib: (lib.Size([1, 2, 3])[1:], lib.Size([1, 2])[-1], lib.Size([2, 3]).numel(), lib.Size()),
    "Size of a tensor": lambda lib: (lib.Size(lib.tensor([2, 3])), lib.Size(range(2)), lib.Size([True])),
    "Size, equal": lambda lib: (lib.Size([2]) == (2,), hash(lib.Size([2])) == hash((2,)), lib.Size([2]) != (3,)),
    "Size of floats": lambda lib: lib.Size([1.5]),
    "Size of text": lambda lib: lib.Size("ab"),
    "Size of a number": lambda lib: lib.Size(3),
    "Size and a list": lambda lib: lib.Size([2]) + [3],
    "get_device": lambda lib: (lib.ones(1).get_device(), lib.get_device(lib.ones(1))),
    "is_nonzero": lambda lib: (lib.is_nonzero(lib.tensor([0])), lib.tensor(2.0).is_nonzero()),
    "is_nonzero of many": lambda lib: lib.is_nonzero(lib.ones(2)),
    "is_same_size": lambda lib: (lib.is_same_size(lib.ones(2), lib.ones(2)), lib.ones(2).is_same_size(lib.ones(1))),
    "kinds": lambda lib: [
        [lib.is_floating_point(x), lib.is_complex(x), lib.is_signed(x), lib.is_inference(x), x.is_signed()]
        for x in (lib.ones(1), lib.tensor([1]), lib.tensor([True]), lib.ones(1, dtype=lib.uint8))
    ],
    "places": lambda lib: [
        getattr(lib.ones(1), name)
        for name in ("is_cpu", "is_cuda", "is_sparse", "is_sparse_csr", "is_quantized", "is_meta", "is_mps", "is_xpu",
                     "is_mkldnn", "is_nested")
    ],
    "layout": lambda lib: (lib.ones(1).layout == lib.strided, repr(lib.strided).rpartition(".")[2]),
    "pinned and shared": lambda lib: (lib.ones(1).is_pinned(), lib.ones(1).is_shared()),
    "to_dense": lambda lib: (lib.ones(2).to_dense().tolist(), str(lib.ones(1).to_dense(lib.float64).dtype)[-7:]),
}  # fmt: skip


def plain(value: Any) -> Any:
    """Sizes of either library alike, and marked, so that a tuple in place of one is noticed."""
    if type(value).__name__ == "Size":
        return "Size", *value
    return type(value)(map(plain, value)) if isinstance(value, list | tuple) else value


@pytest.mark.parametrize("name", PROTOCOLS)
def test_protocols_are_pytorchs(torch: Any, name: str) -> None:
    results: list[Any] = []
    for lib in (tg, torch):
        try:
            results.append(plain(PROTOCOLS[name](lib)))
        except Exception as error:
            results.append(error)
    found, expected = results
    if isinstance(expected, Exception):
        assert isinstance(found, type(expected)), (found, expected)
    else:
        assert found == expected


def test_what_is_not_there_says_what_is() -> None:
    for call, words in (
        (tg.ones(1).to_sparse, r"to_sparse: .*nonzero\(\)"),
        (tg.ones(1).pin_memory, "pin_memory: there is no pinned memory"),
        (tg.ones(1).share_memory_, "share_memory_: .*copies.*Queue"),
    ):
        with pytest.raises(NotImplementedError, match=words):
            call()


def test_the_words_for_formats() -> None:
    with pytest.raises(tg.ArgumentTypeError, match=r"format: '\.2f' is for one number, .*\(2,\); use tensor\.item\(\)"):
        f"{tg.ones(2):.2f}"
    assert f"{tg.ones(2)}" == repr(tg.ones(2)) == f"{tg.ones(2)!s}"


def test_reversed_records() -> None:
    x = tg.arange(3.0).requires_grad_()
    (reversed(x) * tg.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert x.grad.tolist() == [3.0, 2.0, 1.0]


# --- copies and pickles


def test_deep_copies_of_views_share_a_memory_of_their_own(lib: Any) -> None:
    base = lib.arange(12.0).reshape(3, 4)
    copied = copy.deepcopy([base, base[1], base.t()[1:], base.view(12)[5]])
    copied[0][1, 1] = -7.0
    assert copied[1].tolist() == [4.0, -7.0, 6.0, 7.0] and copied[2][0, 1].item() == copied[3].item() == -7.0
    assert copied[2].stride() == (1, 4) and base[1, 1].item() == 5.0
    alone = copy.deepcopy(base[1])
    alone[0] = 100.0
    assert base[1, 0].item() == 4.0 and alone.tolist() == [100.0, 5.0, 6.0, 7.0]


@pytest.mark.parametrize("order", ["C", "F", "permuted", "0-d", "empty"])
def test_deep_copies_of_every_layout(order: str) -> None:
    array = {
        "C": np.arange(6.0).reshape(2, 3),
        "F": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "permuted": np.arange(24.0).reshape(2, 3, 4).transpose(1, 0, 2).copy(order="K"),
        "0-d": np.array(3.0),
        "empty": np.zeros((0, 2)),
    }[order]
    x = tg.as_tensor(array)
    a, b = copy.deepcopy((x, x.detach()))
    assert a.tolist() == b.tolist() == x.tolist() and a.stride() == x.stride()
    a.fill_(-1.0)
    assert b.tolist() == a.tolist() and (not array.size or x.tolist() != a.tolist())


def test_deep_copies_of_foreign_memory() -> None:
    x = tg.frombuffer(bytearray(8), dtype=tg.float32)
    twin = copy.deepcopy(x)
    twin[0] = 1.0
    assert x.tolist() == [0.0, 0.0] and copy.deepcopy(tg.ones(2, device="strict")).device == "strict"


def test_deep_copies_of_modules_are_their_own() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    net(tg.ones(2)).sum().backward()
    twin = copy.deepcopy(net)
    with tg.no_grad():
        twin[0].weight.zero_()
    assert net[0].weight.any() and twin[0].weight.grad.tolist() == net[0].weight.grad.tolist()
    assert type(twin[0].weight) is nn.Parameter and twin[0].weight.grad.data_ptr() != net[0].weight.grad.data_ptr()


class Labelled(tg.Tensor):
    """A tensor with an attribute of its own."""


def test_attributes_of_subclasses_are_copied_and_pickled() -> None:
    x = Labelled([1.0, 2.0])
    x.label = ["x"]
    for twin in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert type(twin) is Labelled and twin.label == ["x"] and twin.label is not x.label and twin.tolist() == [1, 2]


def test_a_tensor_in_a_graph_comes_back_as_a_leaf(lib: Any) -> None:
    y = lib.ones(2, requires_grad=True) * 2
    for twin in (pickle.loads(pickle.dumps(y)), copy.copy(y)):
        assert twin.is_leaf and twin.requires_grad and twin.tolist() == [2.0, 2.0]


def same(a: Any, b: Any) -> bool:
    return a.dtype == b.dtype and a.tolist() == b.tolist() and a.requires_grad == b.requires_grad


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_what_else_pickles(lib: Any, protocol: int) -> None:
    def twin(value: Any) -> Any:
        return pickle.loads(pickle.dumps(value, protocol))

    for dtype in (lib.float32, lib.bool, lib.int64, lib.bfloat16):
        assert twin(dtype) is dtype
    assert twin(lib.device("cpu")) == lib.device("cpu") and twin(lib.Size([2, 3])) == lib.Size([2, 3])
    assert type(twin(lib.Size([2]))) is lib.Size and twin(lib.strided) == lib.strided
    assert same(twin(lib.nn.Parameter(lib.ones(2))), lib.ones(2, requires_grad=True))
    assert type(twin(lib.nn.Parameter(lib.ones(2), requires_grad=False))) is lib.nn.Parameter
    net = lib.nn.Sequential(lib.nn.Linear(2, 3), lib.nn.Tanh(), lib.nn.Dropout(0.5)).eval()
    again = twin(net)
    x = lib.ones(1, 2)
    assert again(x).tolist() == net(x).tolist() and not again.training
    assert [name for name, _ in again.named_parameters()] == [name for name, _ in net.named_parameters()]
    optimizer = lib.optim.SGD(again.parameters(), lr=0.1)
    again(x).sum().backward()
    optimizer.step()
    assert again(x).tolist() != net(x).tolist()


# --- einops


@pytest.fixture
def einops() -> Any:
    return pytest.importorskip("einops", reason="einops is not installed (pip install -e '.[compare]')")


EINOPS: dict[str, Callable[[Any, Any], Any]] = {
    "rearrange": lambda e, x: e.rearrange(x, "b (h s) c -> (b s) c h", s=2),
    "rearrange a list": lambda e, x: e.rearrange([x, x * 2], "n b h c -> b (n h) c"),
    "rearrange with 1": lambda e, x: e.rearrange(x, "b h c -> b 1 (h c)"),
    "rearrange with dots": lambda e, x: e.rearrange(x, "b ... -> ... b"),
    "reduce mean": lambda e, x: e.reduce(x, "b (h s) c -> b h c", "mean", s=2),
    "reduce sum": lambda e, x: e.reduce(x, "b h c -> c", "sum"),
    "reduce max": lambda e, x: e.reduce(x, "b h c -> b", "max"),
    "reduce min": lambda e, x: e.reduce(x, "b h c -> () h ()", "min"),
    "reduce by a function": lambda e, x: e.reduce(x, "b h c -> b", lambda t, axes: t.logsumexp(axes)),
    "reduce to a number": lambda e, x: e.reduce(x, "... ->", "sum"),
    "repeat": lambda e, x: e.repeat(x, "b h c -> b (h r) c n", r=2, n=3),
    "repeat in front": lambda e, x: e.repeat(x, "b h c -> r b h c", r=2),
    "einsum": lambda e, x: e.einsum(x, x, "b h c, b k c -> b h k"),
    "pack": lambda e, x: e.pack([x, x[:, :1]], "b * c")[0],
    "unpack": lambda e, x: e.unpack(x, [[2], [2]], "b * c")[1],
}


@pytest.mark.parametrize("name", EINOPS)
def test_einops(torch: Any, einops: Any, name: str) -> None:
    values, gradients = [], []
    for lib in (tg, torch):
        x = lib.tensor(np.random.default_rng(0).random((2, 4, 3)), requires_grad=True)
        y = EINOPS[name](einops, x)
        assert type(y) is lib.Tensor
        (y * y).sum().backward()
        values.append(y.detach().numpy())
        gradients.append(x.grad.numpy())
    np.testing.assert_allclose(values[0], values[1], 1e-12)
    np.testing.assert_allclose(gradients[0], gradients[1], 1e-12)


def test_einops_asks_for_shapes_and_anything_else(einops: Any) -> None:
    x = tg.zeros(2, 3)
    assert einops.parse_shape(x, "a b") == {"a": 2, "b": 3}
    assert einops.reduce(x > -1, "a b -> b", "all").tolist() == [True] * 3
    assert einops.reduce(x > 0, "a b -> b", "any").tolist() == [False] * 3
    assert isinstance(einops.asnumpy(tg.ones(1, requires_grad=True)), np.ndarray)
    with pytest.raises(NotImplementedError, match="mean"):
        einops.reduce(tg.arange(3), "a ->", "mean")
    if hasattr(tg.Tensor, "prod"):
        assert einops.reduce(tg.full((2, 3), 2.0), "a b ->", "prod").item() == 64.0


@pytest.mark.parametrize("first", ["einops", "tinygrad_dl", "einops._backends"])
def test_einops_may_be_imported_before_or_after(einops: Any, first: str) -> None:
    program = (
        f"import {first}; import sys, tinygrad_dl as tg; before = 'einops' in sys.modules\n"
        "import einops; assert einops.rearrange(tg.ones(2, 3), 'a b -> b a').shape == (3, 2)\n"
        "assert before == ('einops' in " + repr(first) + ")\n"
        "assert not [f for f in sys.meta_path if type(f).__name__ == '_EinopsFinder']"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
