"""Tensor: how it is made, what it says of itself, what may be assigned to it, and how it leaves Python's hands."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl import nn


@pytest.fixture(params=["ours", "PyTorch's"])
def lib(request: pytest.FixtureRequest) -> Any:
    """The tests say what PyTorch does too."""
    if request.param == "ours":
        return tg
    return pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")


# --- the constructor


def test_integers_are_sizes(lib: Any) -> None:
    assert lib.Tensor(3, 4).shape == (3, 4) and lib.Tensor(2).shape == (2,)
    assert lib.Tensor(lib.zeros(3, 5).shape).shape == (3, 5)
    assert lib.Tensor().shape == (0,) and lib.Tensor(0).shape == (0,) and lib.Tensor(2, 0).shape == (2, 0)
    assert lib.Tensor(3, 4).dtype == lib.float32 and lib.Tensor(3).is_leaf and not lib.Tensor(3).requires_grad


def test_lists_and_arrays_are_data(lib: Any) -> None:
    for data in ([1, 2], (1, 2), [1.0, 2.0], np.array([1, 2]) if lib is tg else [1, 2]):
        t = lib.Tensor(data)
        assert t.tolist() == [1.0, 2.0] and t.dtype == lib.float32
    assert lib.Tensor([]).shape == (0,) and lib.Tensor([[1, 2], [3, 4]]).shape == (2, 2)
    assert lib.Tensor([3]).tolist() == [3.0]


def test_numbers_with_a_point_are_data() -> None:
    t = tg.Tensor(5.0, requires_grad=True)
    assert t.item() == 5.0 and t.shape == () and t.requires_grad and t.dtype == tg.float32
    (t * t).backward()
    assert t.grad.item() == 10.0
    assert tg.Tensor(np.float64(2)).item() == 2.0 and tg.Tensor(np.array(3)).item() == 3.0


def test_one_integer_that_requires_grad_is_ambiguous() -> None:
    with pytest.raises(
        TypeError,
        match=r"Tensor\(5, requires_grad=True\).*Tensor\(5\.0, requires_grad=True\).*empty\(5, requires_grad=True\)",
    ) as caught:
        tg.Tensor(5, requires_grad=True)
    assert isinstance(caught.value, tg.TinygradError)
    assert tg.Tensor(3, 4, requires_grad=True).shape == (3, 4)
    assert tg.Tensor(tg.Size([5]), requires_grad=True).shape == (5,)
    assert nn.Parameter(tg.Tensor(3, 4)).shape == (3, 4)


def test_data_is_copied() -> None:
    array = np.ones(2, np.float32)
    source = tg.ones(2)
    for t in (tg.Tensor(array), tg.Tensor(source), tg.tensor(array), tg.tensor(source)):
        t.fill_(9.0)
    assert array.tolist() == [1.0, 1.0] and source.tolist() == [1.0, 1.0]


def test_the_default_dtype_and_device() -> None:
    tg.set_default_dtype(tg.float64)
    try:
        assert tg.Tensor([1]).dtype == tg.Tensor(2).dtype == tg.Tensor(1.5).dtype == tg.float64
    finally:
        tg.set_default_dtype(tg.float32)
    assert tg.Tensor([1.0], device="strict").device == "strict"
    with tg.device("strict"):
        assert tg.Tensor(2).device == tg.Tensor([1.0]).device == "strict"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (("abc",), "str is no data"),
        ((None,), "NoneType is no data"),
        (({1: 2},), "dict is no data"),
        (([1.0], [2.0]), "one argument with data or several integers"),
        ((3.0, 4.0), "one argument with data or several integers"),
        (([[1, 2], [3]],), "nested lists must have the same length"),
        ((["a"],), "can't be a tensor"),
        ((1 + 2j,), "can't be a tensor"),
        ((object(),), "can't be a tensor"),
        (([None, 1.0],), "can't be a tensor"),
    ],
)
def test_what_is_no_data(data: tuple[Any, ...], words: str) -> None:
    with pytest.raises((TypeError, ValueError), match=f"Tensor: .*{words}") as caught:
        tg.Tensor(*data)
    assert isinstance(caught.value, tg.TinygradError)


def test_negative_sizes() -> None:
    with pytest.raises(RuntimeError, match=r"(?i)negative.*-1"):
        tg.Tensor(-1)


# --- what it says of itself


def test_properties(lib: Any) -> None:
    t = lib.zeros(2, 3, 4, dtype=lib.float64)
    assert (t.shape, t.ndim, t.dim(), t.numel(), t.nelement()) == ((2, 3, 4), 3, 3, 24, 24)
    assert (t.size(), t.size(1), t.size(-1), t.size(dim=0)) == ((2, 3, 4), 3, 4, 2)
    assert (t.itemsize, t.element_size(), t.nbytes) == (8, 8, 192)
    assert (t.stride(), t.stride(0), t.stride(-1)) == ((12, 4, 1), 12, 1)
    assert t.is_contiguous() and not t.permute(2, 1, 0).is_contiguous()
    assert t.is_floating_point() and not t.is_complex() and not t.is_cuda
    assert t.data_ptr() == t[0, 0].data_ptr() and t[1].data_ptr() - t.data_ptr() == 96
    assert str(t.device) == "cpu" and t.dtype is lib.float64
    assert len(t) == 2 and t.shape.numel() == 24
    assert not lib.zeros(1, dtype=lib.int64).is_floating_point()


def test_sizes_are_tuples() -> None:
    shape = tg.zeros(2, 3).shape
    assert repr(shape) == "tinygrad_dl.Size([2, 3])" and isinstance(shape, tuple)
    assert type(shape[1:]) is tg.Size and type(shape + (4,)) is tg.Size and shape[0] == 2
    assert shape == (2, 3) and hash(shape) == hash((2, 3)) and [*shape] == [2, 3]


def test_sizes_out_of_range() -> None:
    for call in (lambda t: t.size(2), lambda t: t.stride(-3)):
        with pytest.raises(IndexError, match=r"(size|stride): dim -?\d is out of range for a tensor of 2 dim"):
            call(tg.zeros(2, 3))


def test_hash_is_identity_and_equality_is_elementwise(lib: Any) -> None:
    a, b = lib.ones(2), lib.ones(2)
    assert len({a, b, a}) == 2 and {a: 1}[a] == 1 and hash(a) == hash(a)
    assert (a == b).tolist() == [True, True] and (a != b).tolist() == [False, False]
    assert (a == 1).tolist() == [True, True] and (1 == a).tolist() == [True, True]
    assert (a == None) is False and (a != None) is True and (a == "one") is False  # noqa: E711
    assert a is not b and any(a is t for t in [b, a])


def test_membership(lib: Any) -> None:
    t = lib.tensor([1.0, 2.0])
    assert 2 in t and 2.0 in t and lib.tensor(1.0) in t and 3 not in t
    with pytest.raises(RuntimeError):
        "a" in t  # noqa: B015
    with pytest.raises(RuntimeError):
        None in t  # noqa: B015


def test_an_unknown_attribute_names_the_nearest() -> None:
    code = "import tinygrad_dl as tg; tg.ones(2).requires_gard"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(tg.__file__).parents[1]
    )
    assert "'Tensor' object has no attribute 'requires_gard'. Did you mean: 'requires_grad'?" in done.stderr
    t = tg.ones(2)
    with pytest.raises(AttributeError, match="'Tensor' object has no attribute 'requires_gard'"):
        t.requires_gard  # noqa: B018
    with pytest.raises(AttributeError):
        t.new_attribute = 1
    assert not hasattr(t, "nothing_like_it") and getattr(t, "nothing_like_it", 5) == 5


# --- its values


def test_conversions(lib: Any) -> None:
    t = lib.tensor(2.75)
    assert (float(t), int(t), bool(t), t.item(), f"{t:.1f}") == (2.75, 2, True, 2.75, "2.8")
    one = lib.tensor([[3]])
    assert (float(one), int(one), one.item(), bool(one)) == (3.0, 3, 3, True)
    assert type(one.item()) is int and type(t.item()) is float and type(lib.tensor(True).item()) is bool
    assert [10, 20, 30, 40][lib.tensor(2)] == 30 and list(range(lib.tensor(3))) == [0, 1, 2]
    assert lib.tensor([[1, 2], [3, 4]]).tolist() == [[1, 2], [3, 4]] and lib.tensor(5).tolist() == 5
    assert not bool(lib.tensor(0.0)) and bool(lib.tensor(float("nan")))


def test_conversions_of_tensors_that_require_grad() -> None:
    t = tg.tensor(2.5, requires_grad=True) * 1.0
    assert t.item() == 2.5 and float(t) == 2.5 and f"{t:.2f}" == "2.50" and t.tolist() == 2.5


def test_conversions_that_are_refused(lib: Any) -> None:
    many, none = lib.ones(2), lib.ones(0)
    for call in (lambda: many.item(), lambda: bool(many), lambda: none.item()):
        with pytest.raises(RuntimeError):
            call()
    with pytest.raises((ValueError, TypeError)):
        float(many)
    with pytest.raises(TypeError):
        [1, 2][lib.tensor(1.0)]
    with pytest.raises(TypeError):
        len(lib.tensor(1.0))
    with pytest.raises(TypeError):
        iter(lib.tensor(1.0))
    with pytest.raises(TypeError):
        f"{many:.2f}"


def test_numpy_shares_the_memory(lib: Any) -> None:
    t = lib.zeros(2)
    array = t.numpy()
    array[0] = 5.0
    assert t.tolist() == [5.0, 0.0] and np.asarray(t).tolist() == [5.0, 0.0]
    t.fill_(7.0)
    assert array.tolist() == [7.0, 7.0]


def test_numpy_of_a_tensor_in_the_graph() -> None:
    w = tg.ones(2, requires_grad=True)
    for call in (lambda t: t.numpy(), np.asarray, np.array, lambda t: np.asarray(t * 2)):
        with pytest.raises(RuntimeError, match=r"numpy: this tensor requires grad.*detach\(\)\.numpy\(\)"):
            call(w)
    assert w.numpy(force=True).tolist() == [1.0, 1.0] and w.detach().numpy().tolist() == [1.0, 1.0]


def test_numpy_of_a_tensor_on_another_device() -> None:
    t = tg.ones(2, device="strict")
    with pytest.raises(RuntimeError, match=r"numpy: .*'strict'.*'cpu'.*cpu\(\)\.numpy\(\)"):
        t.numpy()
    assert t.numpy(force=True).tolist() == [1.0, 1.0] and t.cpu().numpy().tolist() == [1.0, 1.0]


def test_the_array_protocol() -> None:
    t = tg.tensor([1.5, 2.5])
    assert np.array(t, dtype=np.int64).tolist() == [1, 2] and np.array(t).dtype == np.float32
    copied = np.array(t)
    copied[0] = 9.0
    assert t.tolist() == [1.5, 2.5]
    assert np.asarray(t, dtype=np.float64).dtype == np.float64


def test_iteration_records(lib: Any) -> None:
    x = lib.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    a, b = x
    (a * b).sum().backward()
    assert x.grad.tolist() == [[3.0, 4.0], [1.0, 2.0]]
    assert [row.tolist() for row in x] == [[1.0, 2.0], [3.0, 4.0]] and list(lib.zeros(0, 2)) == []


# --- its place in the graph


def test_leaves_and_results(lib: Any) -> None:
    w, c = lib.ones(2, requires_grad=True), lib.ones(2)
    u = w * c
    assert w.is_leaf and c.is_leaf and not u.is_leaf and (c * 2).is_leaf
    assert w.grad_fn is None and u.grad_fn is not None and u.requires_grad and not (c * 2).requires_grad
    assert u.detach().is_leaf and not u.detach().requires_grad and u.detach().data_ptr() == u.data_ptr()
    assert not u.data.requires_grad and u.data.data_ptr() == u.data_ptr()


def test_grad_fn_and_next_functions(lib: Any) -> None:
    a, b = lib.ones(2, requires_grad=True), lib.ones(2, requires_grad=True)
    u = a * b
    v = u + 1
    assert [t.grad_fn.name() for t in (u, v, u.tanh(), u.sum(), -u, u.exp())] == [
        "MulBackward0",
        "AddBackward0",
        "TanhBackward0",
        "SumBackward0",
        "NegBackward0",
        "ExpBackward0",
    ]
    (first, none) = v.grad_fn.next_functions
    assert first == (u.grad_fn, 0) and none == (None, 0)
    (to_a, i), (to_b, j) = u.grad_fn.next_functions
    assert to_a.variable is a and to_b.variable is b and i == j == 0 and to_a.next_functions == ()
    assert "AccumulateGrad" in to_a.name()
    (from_c,), (none, from_a) = [[f for f in (lib.ones(2) - a).grad_fn.next_functions if f[0]], (None, to_a)]
    assert from_c[0].variable is a and from_a is to_a and none is None


def test_next_functions_name_the_output(lib: Any) -> None:
    x = lib.arange(4.0).requires_grad_()
    _, last = lib.split(x, 2)
    ((node, place),) = [f for f in (last * 2).grad_fn.next_functions if f[0]]
    assert place == 1 and "Split" in node.name()


def test_a_graph_can_be_walked_by_its_functions() -> None:
    x = tg.ones(2, requires_grad=True)
    y = (x * x + x).sum()
    seen, todo = [], [y.grad_fn]
    while todo:
        function = todo.pop(0)
        if function is not None:
            seen.append(function.name())
            todo += [parent for parent, _ in function.next_functions]
    assert seen == ["SumBackward0", "AddBackward0", "MulBackward0"] + ["AccumulateGrad"] * 3
    assert repr(y.grad_fn) == "<SumBackward0>"


def test_requires_grad(lib: Any) -> None:
    t = lib.ones(2)
    assert t.requires_grad_() is t and t.requires_grad
    t.requires_grad = False
    assert not t.requires_grad and not (t * 2).requires_grad
    assert not t.requires_grad_(False).requires_grad
    u = t.requires_grad_() * 2
    for switch in (lambda: setattr(u, "requires_grad", False), lambda: u.requires_grad_(False)):
        with pytest.raises(RuntimeError, match=r"detach\(\)|detach_no_grad|var_no_grad"):
            switch()
    for dtype in (lib.int64, lib.bool, lib.uint8):
        with pytest.raises(RuntimeError, match="floating"):
            lib.ones(2, dtype=dtype).requires_grad_()
        with pytest.raises(RuntimeError, match=r"(?i)floating"):
            lib.tensor([1], dtype=dtype, requires_grad=True)


def test_detach_in_place(lib: Any) -> None:
    u = lib.ones(2, requires_grad=True) * 2
    assert u.detach_() is u and u.is_leaf and not u.requires_grad and u.grad_fn is None


def test_what_may_be_assigned_to_grad(lib: Any) -> None:
    w = lib.ones(2, requires_grad=True)
    g = lib.tensor([1.0, 2.0])
    w.grad = g
    assert w.grad is g
    (w * 3).sum().backward()
    assert w.grad is g and g.tolist() == [4.0, 5.0]
    w.grad = None
    assert w.grad is None
    w.grad = g
    del w.grad
    assert w.grad is None


def test_what_may_not_be_assigned_to_grad(lib: Any) -> None:
    w = lib.ones(2, requires_grad=True)
    for wrong, kind in (
        (lib.ones(3), RuntimeError),
        (lib.ones(2, 1), RuntimeError),
        (lib.ones(2, dtype=lib.float64), RuntimeError),
        (w, RuntimeError),
        (1.0, TypeError),
        (np.ones(2, np.float32), TypeError),
    ):
        with pytest.raises(kind, match="grad"):
            w.grad = wrong
        assert w.grad is None


def test_the_words_of_what_may_not_be_assigned_to_grad() -> None:
    w = tg.ones(2, requires_grad=True)
    for wrong, words in (
        (tg.ones(3), r"shape \(3,\) came for a tensor of shape \(2,\)"),
        (tg.ones(2).double(), r"float64 on cpu .*float32 on cpu; convert it with gradient\.to\(tensor\)"),
        (tg.ones(2, device="strict"), r"float32 on strict .*float32 on cpu"),
        (w, "its own gradient"),
        (1.0, "assign a Tensor or None, not float"),
    ):
        with pytest.raises(tg.TinygradError, match=f"grad: .*{words}"):
            w.grad = wrong  # type: ignore[assignment]


def test_reading_the_gradient_of_what_is_no_leaf_warns(lib: Any) -> None:
    u = lib.ones(2, requires_grad=True) * 2
    with pytest.warns(UserWarning, match=r"retain_grad\(\)"):
        assert u.grad is None
    u.retain_grad()
    u.sum().backward()
    assert u.grad.tolist() == [1.0, 1.0]


def test_a_warning_points_at_the_reader() -> None:
    u = tg.ones(2, requires_grad=True) * 2
    with pytest.warns(UserWarning, match="MulBackward0") as caught:
        u.grad  # noqa: B018
    assert caught[0].filename == __file__


@pytest.mark.filterwarnings("error")
def test_leaves_never_warn() -> None:
    assert tg.ones(2).grad is None and tg.ones(2, requires_grad=True).grad is None


def test_retain_grad(lib: Any) -> None:
    x = lib.tensor(3.0, requires_grad=True)
    u = x * 2
    u.retain_grad()
    u.retain_grad()
    assert u.retains_grad and not x.retains_grad
    y = u * u
    y.backward(retain_graph=True)
    assert u.grad.item() == 12.0 and x.grad.item() == 24.0
    y.backward()
    assert u.grad.item() == 24.0 and x.grad.item() == 48.0
    x.retain_grad()
    assert not x.retains_grad
    with pytest.raises(RuntimeError, match="retain_grad"):
        lib.ones(2).retain_grad()


def test_retained_gradients_of_an_output_among_several(lib: Any) -> None:
    x = lib.arange(4.0).requires_grad_()
    a, b = lib.split(x, 2)
    a.retain_grad()
    (a * b).sum().backward()
    assert a.grad.tolist() == [2.0, 3.0] and x.grad.tolist() == [2.0, 3.0, 0.0, 1.0]


def test_data_may_be_replaced(lib: Any) -> None:
    w = lib.ones(2, requires_grad=True)
    new = lib.tensor([5.0, 6.0])
    w.data = new
    assert w.tolist() == [5.0, 6.0] and w.data_ptr() == new.data_ptr() and w.requires_grad
    (w * w).sum().backward()
    assert w.grad.tolist() == [10.0, 12.0]
    for wrong, kind in ((lib.tensor([1, 2]), RuntimeError), ([1.0, 2.0], TypeError)):
        with pytest.raises(kind):
            w.data = wrong
    assert w.tolist() == [5.0, 6.0]


# --- copies


def test_deepcopy(lib: Any) -> None:
    w = lib.tensor([1.0, 2.0], requires_grad=True)
    (w * w).sum().backward()
    twin = copy.deepcopy(w)
    assert twin.requires_grad and twin.is_leaf and twin.tolist() == [1.0, 2.0] and twin.grad.tolist() == [2.0, 4.0]
    assert twin.data_ptr() != w.data_ptr() and twin.grad.data_ptr() != w.grad.data_ptr()
    pair = copy.deepcopy([w, w])
    assert pair[0] is pair[1] and pair[0] is not w
    with pytest.raises(RuntimeError, match=r"(?i)deep ?copy.*"):
        copy.deepcopy(w * 2)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickle(protocol: int) -> None:
    for original in (
        tg.tensor([[1.0, 2.0]], requires_grad=True),
        tg.tensor([1, 2, 3]),
        tg.ones(4, dtype=tg.float16)[::2],
        tg.tensor(2.5, dtype=tg.float64),
        tg.ones(2, device="strict", requires_grad=True),
    ):
        twin = pickle.loads(pickle.dumps(original, protocol))
        assert type(twin) is tg.Tensor and twin.tolist() == original.tolist() and twin.dtype == original.dtype
        assert twin.requires_grad == original.requires_grad and twin.device == original.device
        assert twin.data_ptr() != original.data_ptr()
        assert (twin * original + twin.exp()).dtype == (original * original + original.exp()).dtype
        assert (original == twin).tolist() == (twin == twin).tolist()
        twin.detach().add_(1)
        assert twin.tolist() != original.tolist()


def test_a_gradient_through_an_unpickled_leaf() -> None:
    w = pickle.loads(pickle.dumps(tg.tensor([1.0, 2.0], requires_grad=True)))
    (w * w * tg.tensor([3.0, 4.0])).sum().backward()
    assert w.grad.tolist() == [6.0, 16.0]


def test_dtypes_of_foreign_arrays_are_the_usual_ones() -> None:
    for array in (
        np.arange(3, dtype=np.longlong),
        np.zeros(3, np.dtype("f4", metadata={"unit": "m"})),
        np.arange(3).astype(">f8"),
        pickle.loads(pickle.dumps(np.ones(3, np.float32))),
    ):
        for make in (tg.from_numpy, tg.tensor, tg.as_tensor)[not array.dtype.isnative :]:
            t = make(array)
            assert (t * t + 1).tolist() == [v * v + 1 for v in array.tolist()]
            assert ((t * tg.ones(3, dtype=t.dtype)).exp() - t).shape == (3,)
        assert (tg.ones(3) * array).tolist() == array.tolist() and (array * tg.ones(3)).shape == (3,)


def test_copy_shares_memory() -> None:
    w = tg.ones(2, requires_grad=True)
    twin = copy.copy(w)
    assert twin is not w and twin.data_ptr() == w.data_ptr() and twin.requires_grad and twin.is_leaf


# --- subclasses


def test_a_subclass_of_tensor() -> None:
    class Labelled(tg.Tensor):
        def __init__(self, data: Any, label: str) -> None:
            super().__init__(data, requires_grad=True)
            self.label = label

    x = Labelled([1.0, 2.0], "x")
    assert x.label == "x" and x.requires_grad and type(x * 2) is tg.Tensor
    (x * x).sum().backward()
    assert x.grad.tolist() == [2.0, 4.0] and (np.ones(2) * x).requires_grad


# --- NumPy on tensors


def test_an_array_of_numpy_beside_a_tensor_records() -> None:
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    a = np.array([3.0, 4.0], np.float32)
    for y in (a * x, x * a, a + x, a - x, a / x, a @ x, np.multiply(a, x), np.dot(a, x), np.exp(x), np.float64(2) * x):
        assert type(y) is tg.Tensor and y.requires_grad
    (a * x).sum().backward()
    assert x.grad.tolist() == [3.0, 4.0]
    a *= tg.tensor([2.0, 2.0])
    assert type(a) is np.ndarray and a.tolist() == [6.0, 8.0]


def test_a_function_of_numpy_that_nothing_records() -> None:
    x = tg.tensor([3.0, 1.0, 2.0])
    assert type(np.sort(x)) is tg.Tensor and np.sort(x).tolist() == [1.0, 2.0, 3.0]
    assert np.add.reduce(x).item() == 6.0 and np.sort(a=x).shape == (3,)
    x.requires_grad_()
    for call in (np.sort, np.add.reduce, lambda t: np.multiply(t, t, out=np.zeros(3, np.float32))):
        with pytest.raises(RuntimeError, match=r"numpy\.\w+.*the gradient of a tensor of shape \(3,\).*detach\(\)"):
            call(x)
