"""The device `strict` refuses what CuPy refuses, and works as NumPy where CuPy works; `assert_close`, as PyTorch's."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import tinygrad_dl as tg
from tinygrad_dl import nn, testing
from tinygrad_dl.errors import ArgumentError, ArgumentTypeError
from tinygrad_dl.testing import assert_close, strict


def on_strict(shape: tuple[int, ...] = (2, 3), dtype: str = "float32") -> Any:
    return strict.asarray(np.arange(np.prod(shape)).reshape(shape).astype(dtype))


A = np.arange(6, dtype="float32").reshape(2, 3)
HOST = np.ones((2, 3), "float32")
SCALAR = np.array(2.0, "float32")
MASK = A > 2
INDEX = np.array([0, 1])


# --- what is refused; `a` is a strict array of shape (2, 3), the exception is CuPy's

REFUSED: list[tuple[str, type[Exception], Callable[[Any], Any]]] = [
    ("a + NumPy", TypeError, lambda a: a + HOST),
    ("NumPy + a", TypeError, lambda a: HOST + a),
    ("a + 0-d NumPy", TypeError, lambda a: a + SCALAR),
    ("0-d NumPy + a", TypeError, lambda a: SCALAR + a),
    ("np.add(a, 0-d)", TypeError, lambda a: np.add(a, SCALAR)),
    ("a += NumPy", TypeError, lambda a: a.__iadd__(HOST)),
    ("NumPy += a", TypeError, lambda a: HOST.copy().__iadd__(a)),
    ("a > NumPy", TypeError, lambda a: a > HOST),
    ("a == NumPy", TypeError, lambda a: a == HOST),
    ("a * list", TypeError, lambda a: a * [1.0, 2.0, 3.0]),
    ("a + None", TypeError, lambda a: a + None),
    ("a + 'text'", TypeError, lambda a: a + "text"),
    ("a @ NumPy", TypeError, lambda a: a @ HOST.T),
    ("NumPy @ a", TypeError, lambda a: HOST.T @ a),
    ("np.matmul(a, 2.0)", TypeError, lambda a: np.matmul(a, 2.0)),
    ("a @= a", AttributeError, lambda a: a.__imatmul__),
    ("np.asarray(a)", TypeError, lambda a: np.asarray(a)),
    ("np.array([a])", TypeError, lambda a: np.array([a, a])),
    ("np.ascontiguousarray", TypeError, lambda a: np.ascontiguousarray(a)),
    ("as_strided", TypeError, lambda a: np.lib.stride_tricks.as_strided(a, (2,), (4,))),
    ("NumPy[0] = a", TypeError, lambda a: HOST.copy().__setitem__(0, a[0])),
    ("a[0] = NumPy", ValueError, lambda a: a.__setitem__(0, HOST[0])),
    ("a[0] = list", ValueError, lambda a: a.__setitem__(0, [1.0, 2.0, 3.0])),
    ("a[0] = None", TypeError, lambda a: a.__setitem__(0, None)),
    ("a.fill(NumPy)", ValueError, lambda a: a.fill(HOST)),
    ("a.fill(a)", ValueError, lambda a: a.fill(a)),
    ("np.copyto(a, NumPy)", ValueError, lambda a: np.copyto(a, HOST)),
    ("np.concatenate mixed", TypeError, lambda a: np.concatenate([a, HOST])),
    ("np.where mixed", TypeError, lambda a: np.where(a > 0, a, HOST)),
    ("np.where(True, a, 0)", AttributeError, lambda a: np.where(True, a, 0.0)),
    ("np.clip with 0-d", TypeError, lambda a: np.clip(a, SCALAR, None)),
    ("np.clip(min=)", TypeError, lambda a: np.clip(a, min=0)),
    ("module on NumPy", TypeError, lambda a: strict.exp(HOST)),
    ("out= NumPy", TypeError, lambda a: np.add(a, a, out=HOST.copy())),
    ("method's out= NumPy", TypeError, lambda a: a.sum(axis=0, out=np.zeros(3, "float32"))),
    ("out=... of the module", TypeError, lambda a: strict.add(a, a, out=...)),
    ("out=... of a method", TypeError, lambda a: a.sum(axis=0, out=...)),
    ("out=... of a function", TypeError, lambda a: np.sum(a, axis=0, out=...)),
    ("two outs", ValueError, lambda a: np.modf(a, out=(a.copy(), a.copy()))),
    ("order= of a ufunc", TypeError, lambda a: np.add(a, a, order="C")),
    ("np.sum(where=)", TypeError, lambda a: np.sum(a, where=a > 0)),
    ("a.sum(where=)", TypeError, lambda a: a.sum(where=a > 0)),
    ("a.max(initial=)", TypeError, lambda a: a.max(initial=0)),
    ("add.reduce(where=)", TypeError, lambda a: np.add.reduce(a, where=a > 0)),
    ("add.reduce(initial=)", TypeError, lambda a: np.add.reduce(a, initial=0)),
    ("np.var(correction=)", TypeError, lambda a: np.var(a, correction=1)),
    ("np.take(mode=)", TypeError, lambda a: np.take(a, INDEX, axis=0, mode="clip")),
    ("np.argsort(stable=)", TypeError, lambda a: np.argsort(a, stable=True)),
    ("np.reshape(shape=)", TypeError, lambda a: np.reshape(a, shape=(3, 2))),
    ("a.astype(casting=)", TypeError, lambda a: a.astype("float64", casting="safe")),
    ("a.item(0)", TypeError, lambda a: a.item(0)),
    ("np.maximum.reduce", NotImplementedError, lambda a: np.maximum.reduce(a)),
    ("module's maximum.reduce", NotImplementedError, lambda a: strict.maximum.reduce(a)),
    ("np.logical_and.accumulate", NotImplementedError, lambda a: np.logical_and.accumulate(a > 0)),
    ("np.multiply.at", NotImplementedError, lambda a: np.multiply.at(a, 0, 2.0)),
    ("np.maximum.at in float16", TypeError, lambda a: np.maximum.at(a.astype("float16"), 0, 2.0)),
    ("np.block", TypeError, lambda a: np.block([a, a])),
    ("np.vecdot", TypeError, lambda a: np.vecdot(a, a)),
    ("np.linalg.vector_norm", TypeError, lambda a: np.linalg.vector_norm(a)),
    ("module's block", AttributeError, lambda a: strict.block),
    ("module's errstate", AttributeError, lambda a: strict.errstate),
    ("module's linalg.multi_dot", AttributeError, lambda a: strict.linalg.multi_dot),
    ("module's random", AttributeError, lambda a: strict.random),
    ("module's ma", AttributeError, lambda a: strict.ma),
    ("a.setflags", AttributeError, lambda a: a.setflags(write=False)),
    ("a.ctypes", AttributeError, lambda a: a.ctypes),
    ("a.resize", AttributeError, lambda a: a.resize),
    ("a.flags.writeable", AttributeError, lambda a: a.flags.writeable),
    ("a.__array_interface__", AttributeError, lambda a: a.__array_interface__),
    ("a typo", AttributeError, lambda a: a.summ),
    ("truth of many", ValueError, lambda a: bool(a)),
    ("float of many", ValueError, lambda a: float(a)),
    ("as an integer", TypeError, lambda a: range(strict.asarray(np.array(3)))),
    ("len of 0-d", TypeError, lambda a: len(a.sum())),
    ("iteration over 0-d", TypeError, lambda a: iter(a.sum())),
    ("hash", TypeError, lambda a: hash(a)),
    ("a.strides = ...", AttributeError, lambda a: setattr(a, "strides", (4, 4))),
    ("a.x = ...", AttributeError, lambda a: setattr(a, "x", 1)),
    ("integer out of range", IndexError, lambda a: a[5]),
    ("too many indices", IndexError, lambda a: a[0, 0, 0]),
    ("shapes", ValueError, lambda a: a + a.T),
    ("shapes of a product", ValueError, lambda a: a @ a),
]


@pytest.mark.parametrize(("error", "call"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_refused(error: type[Exception], call: Callable[[Any], Any]) -> None:
    with pytest.raises(error):
        call(on_strict())


# --- what works: each call gives strict arrays with NumPy's values; `x` is the array, `m` its module

ALLOWED: list[tuple[str, Callable[[Any, Any], Any]]] = [
    ("scalars of Python", lambda x, m: (x + 2) * 2.5 - True),
    ("scalars of NumPy", lambda x, m: np.float32(2) * x + np.int64(1)),
    ("reflected", lambda x, m: 1.0 / (7 - x) ** 2 + 3 // (x + 1) + 5 % (x + 1)),
    ("divmod", lambda x, m: divmod(x, 2.0)),
    ("unary", lambda x, m: -abs(+x)),
    ("bits", lambda x, m: ~(x > 1) | (x < 4) & (x != 2) ^ (x == 5)),
    ("comparison with 0-d NumPy", lambda x, m: x > SCALAR),
    ("equal to None", lambda x, m: x == None if m is strict else np.zeros(x.shape, bool)),  # noqa: E711
    ("unequal to None", lambda x, m: x != None if m is strict else np.ones(x.shape, bool)),  # noqa: E711
    ("ufunc of NumPy", lambda x, m: np.exp(x) + np.maximum(x, 1.0)),
    ("ufunc of the module", lambda x, m: m.exp(x) + m.maximum(x, 1.0)),
    ("ufunc with where=", lambda x, m: np.add(x, x, where=x > 2, out=m.zeros((2, 3), "float32"))),
    ("ufunc of two results", lambda x, m: np.modf(x / 2)),
    ("ufunc with dtype=", lambda x, m: np.add(x, x, dtype="float64")),
    ("add.reduce", lambda x, m: np.add.reduce(x, axis=1, keepdims=True)),
    ("add.reduce of all", lambda x, m: np.add.reduce(x, axis=None)),
    ("multiply.accumulate", lambda x, m: np.multiply.accumulate(x + 1, axis=1)),
    ("multiply.outer", lambda x, m: np.multiply.outer(x, x)),
    ("module's add.reduce", lambda x, m: m.add.reduce(x, axis=0)),
    ("product", lambda x, m: x @ x.T),
    ("product with out=", lambda x, m: np.matmul(x, x.T, out=m.zeros((2, 2), "float32"))),
    ("einsum", lambda x, m: np.einsum("ij,kj->ik", x, x)),
    ("methods", lambda x, m: x.sum(axis=0) + x.max(axis=0) - x.mean(axis=0) * x.var(axis=0, ddof=1)),
    ("clip by method", lambda x, m: x.clip(min=1, max=3)),
    ("shapes", lambda x, m: x.reshape(3, 2).transpose(1, 0)[None].squeeze(0).ravel()),
    ("functions of shapes", lambda x, m: np.moveaxis(np.expand_dims(x, 0), 0, 2)),
    ("broadcast_to", lambda x, m: np.broadcast_to(x, (2, 2, 3)) + 0),
    ("split", lambda x, m: np.split(x, 3, axis=1)),
    ("concatenate", lambda x, m: np.concatenate([x, x * 2], axis=1)),
    ("stack of the module", lambda x, m: m.stack((x, x))),
    ("array of arrays", lambda x, m: m.array([x, x])),
    ("where", lambda x, m: np.where(x > 2, x, 0.0)),
    ("norm", lambda x, m: np.linalg.norm(x)),
    ("norm of the module", lambda x, m: m.linalg.norm(x, axis=1)),
    ("sort", lambda x, m: (np.sort(-x, axis=1), np.argsort(-x, axis=1, kind="stable"))),
    ("unique", lambda x, m: np.unique(x > 2, return_inverse=True)),
    ("reductions to a bool", lambda x, m: ((x > 2).any(), np.all(x > 2, axis=0))),
    ("allclose", lambda x, m: np.asarray(True) if m is np else np.allclose(x, x)),
    ("full from 0-d NumPy", lambda x, m: m.full((2,), SCALAR) + np.full_like(x[0, :2], SCALAR)),
    ("creation", lambda x, m: m.zeros((2, 3)) + m.ones(3) + m.arange(3) + m.eye(2, 3)),
    ("like", lambda x, m: np.zeros_like(x) + np.ones_like(x, dtype="float64")),
    ("windows", lambda x, m: m.lib.stride_tricks.sliding_window_view(x, 2, axis=1)),
    ("as_strided of the module", lambda x, m: m.lib.stride_tricks.as_strided(x, (2, 2), (4, 8))),
    ("one element", lambda x, m: x[1, 2]),
    ("one element by 0-d index", lambda x, m: x[m.asarray(np.array(1)), 2]),
    ("slices", lambda x, m: (x[0], x[:, 1:], x[..., None, ::-1], x[-1, ...])),
    ("indices", lambda x, m: (x[m.asarray(INDEX)], x[INDEX, 1], x[[1, 0]], x[:, [0, 2]], x[[]])),
    ("masks", lambda x, m: (x[x > 2], x[MASK], x[True])),
    ("take", lambda x, m: (np.take(x, INDEX, axis=1), x.take(m.asarray(INDEX)))),
    ("astype", lambda x, m: (x.astype("int32"), x.astype("float32", copy=False))),
    ("iteration", lambda x, m: [row * 2 for row in x]),
    ("overflow", lambda x, m: np.exp(x * 1000) if m is strict else np.array([[1, np.inf, np.inf], [np.inf] * 3], "f")),
]


@pytest.mark.parametrize("call", [case[1] for case in ALLOWED], ids=[case[0] for case in ALLOWED])
@pytest.mark.filterwarnings("error")
def test_allowed(call: Callable[[Any, Any], Any]) -> None:
    def compare(actual: Any, expected: Any) -> None:
        if isinstance(expected, list | tuple):
            assert type(actual).__name__ == type(expected).__name__
            for item, wanted in zip(actual, expected, strict=True):
                compare(item, wanted)
        else:
            assert type(actual) is strict.ndarray
            assert actual.dtype == np.asarray(expected).dtype
            np.testing.assert_array_equal(actual.get(), expected)

    compare(call(on_strict(), strict), call(A.copy(), np))


EDITS: list[tuple[str, Callable[[Any, Any], Any]]] = [
    ("operators", lambda x, m: [x.__iadd__(1), x.__imul__(x), x.__isub__(0.5), x.__itruediv__(2), x.__ipow__(2)]),
    ("slice = number", lambda x, m: x.__setitem__((slice(None), 0), 7.0)),
    ("slice = 0-d NumPy", lambda x, m: x.__setitem__(0, SCALAR)),
    ("slice = array", lambda x, m: x.__setitem__(slice(1, None), x[:1])),
    ("element = 0-d array", lambda x, m: x.__setitem__((0, 0), x.sum())),
    ("mask = number", lambda x, m: x.__setitem__(x > 2, 0.0)),
    ("mask = NumPy, uploaded", lambda x, m: x.__setitem__(x > 2, np.ones(3))),
    ("indices = list", lambda x, m: x.__setitem__(([0, 1], [2, 0]), [8.0, 9.0])),
    ("add.at", lambda x, m: np.add.at(x, (INDEX, [0, 0]), 5.0)),
    ("add.at, repeated", lambda x, m: m.add.at(x, m.asarray(np.array([1, 1])), x[:1])),
    ("fill", lambda x, m: x.fill(3.0)),
    ("fill with 0-d", lambda x, m: x.fill(x.sum())),
    ("copyto", lambda x, m: np.copyto(x, x[0])),
    ("out=", lambda x, m: np.multiply(x, 2.0, out=x)),
    ("out= of a method", lambda x, m: x.sum(axis=0, out=x[1])),
    ("sort in place", lambda x, m: x.sort(axis=0)),
    ("through a view", lambda x, m: x.T[1].__iadd__(10)),
    ("through a view of one element", lambda x, m: x[1, 1, ...].__iadd__(10)),
    ("shape", lambda x, m: setattr(x, "shape", (3, 2))),
]


@pytest.mark.parametrize("edit", [case[1] for case in EDITS], ids=[case[0] for case in EDITS])
def test_edits(edit: Callable[[Any, Any], Any]) -> None:
    x, expected = on_strict(), A.copy()
    edit(x, strict)
    edit(expected, np)
    np.testing.assert_array_equal(x.get(), expected)


def test_in_place_returns_the_array_itself() -> None:
    a = on_strict()
    b, out = a, strict.zeros((2, 3), "float32")
    b += 1
    assert b is a
    assert np.add(a, a, out=out) is out and strict.add(a, 1.0, out) is out and np.sum(a, axis=0, out=out[0]) is not out
    assert a.astype("float32", copy=False) is a and strict.asarray(a) is a


@given(shape=npst.array_shapes(max_dims=3, max_side=5), data=st.data())
def test_indices_out_of_range_wrap_as_on_cupy(shape: tuple[int, ...], data: st.DataObject) -> None:
    host = np.arange(np.prod(shape)).reshape(shape)
    axis = data.draw(st.integers(0, len(shape) - 1))
    index = np.array(data.draw(st.lists(st.integers(-20, 20), min_size=1, max_size=4)))
    before = data.draw(
        st.sampled_from(
            [(slice(None),) * axis, (..., *[None] * 0)] if axis == len(shape) - 1 else [(slice(None),) * axis]
        )
    )
    key = (*before, index)
    expected = host[(slice(None),) * axis + (index % shape[axis],)]
    assert (strict.asarray(host)[key].get() == expected).all()
    assert (np.take(strict.asarray(host), index, axis=axis).get() == expected).all()


# --- memory


def test_views_know_whose_memory_they_are() -> None:
    a = on_strict()
    views = [a[0], a[0, 1], a.T, a.reshape(3, 2), a.T[1:], np.ravel(a), np.broadcast_to(a, (2, 2, 3)), a.view("int32")]
    views += [
        np.split(a, 2)[1],
        np.expand_dims(a, 0),
        strict.lib.stride_tricks.sliding_window_view(a, 2, 1),
        a[0, 0, ...],
    ]
    assert [view.base is a for view in views] == [True] * len(views)
    copies = [
        a,
        a + 0,
        a.copy(),
        a[[0]],
        a[a > 1],
        a.astype("float64"),
        a.get(),
        np.array(1.0),
        strict.asarray(A),
        a.sum(),
    ]
    assert [copied.base for copied in copies] == [None] * len(copies)


def test_views_of_results_know_them() -> None:
    a = np.roll(on_strict(), 1)  # NumPy returns a view of its own work space
    assert a.base is None and a[0].base is a


def test_upload_and_download_copy() -> None:
    host = A.copy()
    a = strict.asarray(host)
    host[0, 0] = 100
    down = a.get()
    down[0, 1] = 100
    assert a.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    a.set(host)
    assert a[0, 0].item() == 100
    with pytest.raises(TypeError, match="float64 array cannot be set"):
        a.set(host.astype("float64"))
    with pytest.raises(ValueError, match="Shape mismatch"):
        a.set(host.T)


def test_layout_as_cupy_tells_it() -> None:
    a = on_strict()
    assert (a.shape, a.strides, a.itemsize, a.nbytes, a.size, a.ndim, len(a)) == ((2, 3), (12, 4), 4, 24, 6, 2, 2)
    assert a.flags.c_contiguous and a.flags.owndata and not a.T.flags.owndata and a.T.flags.f_contiguous
    assert testing.address(a[1]) - testing.address(a) == 12 == a[1].data.ptr - a.data.ptr
    assert a[0].T is not a and on_strict((3,)).T.ndim == 1


def test_weak_references_and_no_cycles() -> None:
    gc.disable()
    try:
        a = on_strict()
        gone, view = weakref.ref(a), a[0]
        del a
        assert gone() is view.base
        del view
        assert gone() is None
    finally:
        gc.enable()


def test_copies_and_pickles() -> None:
    a = on_strict()
    for other in (copy.copy(a), copy.deepcopy(a), pickle.loads(pickle.dumps(a)), a.copy()):
        assert type(other) is strict.ndarray and other.base is None and other is not a
        np.testing.assert_array_equal(other.get(), A)


def test_conversions_of_one_element() -> None:
    one = strict.asarray(np.array([2.5]))
    assert (float(one), int(one), complex(one), bool(one), one.item(), f"{one[0]:.2f}") == (
        2.5,
        2,
        2.5,
        True,
        2.5,
        "2.50",
    )
    with pytest.warns(DeprecationWarning, match="empty"):
        assert not strict.zeros(0)


def test_other_types_get_their_turn() -> None:
    class Other:
        def __radd__(self, other: Any) -> str:
            return "radd"

        def __array_ufunc__(self, *_: Any, **__: Any) -> str:
            return "ufunc"

        def __array_function__(self, *_: Any, **__: Any) -> str:
            return "function"

    a = on_strict()
    assert a + Other() == "radd" and np.add(a, Other()) == "ufunc" and np.concatenate([a, Other()]) == "function"


# --- watching


def test_watch_sees_every_kind_of_call() -> None:
    a, seen = on_strict(), []
    with testing.watch(lambda call: seen.append((call.kind, call.name))):
        np.exp(a)
        np.add.reduce(a, axis=0)
        np.concatenate([a, a])
        strict.zeros(3)
        strict.add.reduce(a)
        a.sum(axis=0)
        a.T  # noqa: B018
        2.0 * a
        a[0]
        a[0] = 1.0
        a += 1
        bool(a[0, 0])
        strict.asarray(A)
    assert seen == [
        ("ufunc", "exp"),
        ("ufunc", "add.reduce"),
        ("function", "numpy.concatenate"),
        ("module", "zeros"),
        ("module", "add.reduce"),
        ("method", "sum"),
        ("attribute", "T"),
        ("operator", "mul"),
        ("operator", "getitem"),
        ("operator", "setitem"),
        ("operator", "iadd"),
        ("operator", "getitem"),
        ("operator", "truth"),
        ("module", "asarray"),
    ]
    np.exp(a)
    assert len(seen) == 14


# --- the device


def test_tensors_on_strict() -> None:
    a = tg.tensor([[1.0, 2.0], [3.0, 4.0]], device="strict", requires_grad=True)
    (a * a).sum().backward()
    assert type(a.array) is strict.ndarray and type(a.grad.array) is strict.ndarray
    assert a.grad.tolist() == [[2.0, 4.0], [6.0, 8.0]] and a.cpu().device == "cpu"


def test_strict_and_cpu_do_not_mix() -> None:
    with pytest.raises(tg.errors.DeviceError, match=r"(?s)strict.*cpu|cpu.*strict"):
        tg.ones(2, device="strict") + tg.ones(2)


# --- assert_close


def tensor(*values: float, dtype: Any = None) -> tg.Tensor:
    return tg.tensor(list(values), dtype=dtype)


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (tensor(1.0, 2.0), tensor(1.0, 2.000001)),
        (tensor(0.0), tensor(9e-6)),
        (tensor(float("inf")), tensor(float("inf"))),
        (tensor(1.0, dtype=tg.float16), tensor(1.0009, dtype=tg.float16)),
        (tensor(), tensor()),
        (1.0, 1.00000001),
        (None, None),
        ([tensor(1.0), 2], (tensor(1.0), 2)),
        ({"a": [1.0]}, {"a": [1.0]}),
        (A, A.copy()),
        (on_strict(), on_strict()),
    ],
)
def test_close(actual: Any, expected: Any) -> None:
    assert_close(actual, expected)


@pytest.mark.parametrize(
    ("actual", "expected", "message"),
    [
        (
            tensor(1.0, 2.0),
            tensor(1.0, 2.5),
            r"1 of 2 elements differ by more than 1e-05 .*at \[1\]: 2.0 came, 2.5 was",
        ),
        (
            tensor(100.0, 1.0, 7.0),
            tensor(110.0, 2.0, 7.0),
            r"2 of 3 .*at \[0\]: .*difference is 10.0, relative 0.0909\n.*Relatively the most at \[1\]: .*0.5$",
        ),
        (tensor(1.0), tensor(2.0, 1.0), r"shapes differ: \(1,\) came, \(2,\) was expected"),
        (tensor(1.0), tensor(1.0, dtype=tg.float64), "dtypes differ: float32 came, float64 was"),
        (tensor(1.0), tg.ones(1, device="strict"), "devices differ: cpu came, strict was"),
        (tensor(float("nan")), tensor(float("nan")), "1 of 1 elements differ"),
        (tensor(float("inf")), tensor(-float("inf")), "1 of 1 elements differ"),
        (tensor(1.0), tensor(float("inf")), "1 of 1 elements differ"),
        (tg.tensor([1, 2]), tg.tensor([1, 3]), "1 of 2 elements are not equal"),
        (tg.tensor([True]), tg.tensor([False]), "1 of 1 elements are not equal"),
        (1, 1.0, "types differ: int came, float was"),
        (True, False, "True came, False was"),
        (None, 1.0, "None came, 1.0 was"),
        ([1.0], [1.0, 2.0], "lengths differ: 1 came, 2 was"),
        ({"a": 1.0}, {"b": 1.0}, "missing 'b'; unexpected 'a'"),
        ({"w": [tensor(1.0)]}, {"w": [tensor(2.0)]}, r"In item \['w'\]\[0\]"),
    ],
)
def test_not_close(actual: Any, expected: Any, message: str) -> None:
    with pytest.raises(AssertionError, match="(?s)" + message):
        assert_close(actual, expected)


def test_close_options() -> None:
    a, b = tensor(1.0), tensor(1.1)
    assert_close(a, b, rtol=0.0, atol=0.11)
    assert_close(tensor(float("nan")), tensor(float("nan")), equal_nan=True)
    assert_close(a, tensor(1.000001, dtype=tg.float64), check_dtype=False)
    assert_close(a, tg.ones(1, device="strict"), check_device=False)
    assert_close(tg.ones(2, 3).T, tg.ones(3, 2))
    with pytest.raises(AssertionError, match=r"strides differ: \(1, 3\) came, \(2, 1\)"):
        assert_close(tg.ones(2, 3).T, tg.ones(3, 2), check_stride=True)
    with pytest.raises(AssertionError, match=r"^mine$"):
        assert_close(a, b, msg="mine")
    with pytest.raises(AssertionError, match=r"^mine: 1 of 1"):
        assert_close(a, b, msg=lambda text: "mine: " + text)
    with pytest.raises(ArgumentError, match="rtol came without atol"):
        assert_close(a, b, rtol=1.0)
    assert_close(nn.Parameter(a), a, check_layout=False)
    with pytest.raises(ArgumentTypeError, match="Parameter and Tensor cannot be compared"):
        assert_close(nn.Parameter(a), a, allow_subclasses=False)
    for wrong in ((a, 1.0), (a, A), ("a", "a")):
        with pytest.raises(ArgumentTypeError, match="cannot be compared"):
            assert_close(*wrong)


@given(data=st.data())
def test_close_agrees_with_pytorch(data: st.DataObject) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")
    dtypes = st.sampled_from(["float16", "float32", "float64", "int64", "uint8", "bool"])
    number = st.sampled_from([0.0, 1.0, 1.0000001, 1.00002, 1.001, 1e-6, 1.1e-5, 3.0, np.nan, np.inf, -np.inf])
    length = data.draw(st.integers(0, 3))
    values = st.lists(number, min_size=length, max_size=length)
    with np.errstate(all="ignore"):
        pair = [np.nan_to_num(data.draw(values), nan=0, posinf=5, neginf=7) for _ in range(2)]
        kinds = [data.draw(dtypes) for _ in range(2)]
        if all(kind.startswith("float") for kind in kinds):
            pair = [np.array(data.draw(values)) for _ in range(2)]
        pair = [values.astype(kind) for values, kind in zip(pair, kinds)]
    options: dict[str, Any] = {"equal_nan": data.draw(st.booleans()), "check_dtype": data.draw(st.booleans())}
    if data.draw(st.booleans()):
        options.update(rtol=data.draw(st.sampled_from([0.0, 1e-3])), atol=data.draw(st.sampled_from([0.0, 1e-2])))

    def verdict(module: Any, compare: Callable[..., None]) -> bool:
        try:
            compare(*(module.from_numpy(values.copy()) for values in pair), **options)
        except AssertionError:
            return False
        return True

    assert verdict(tg, assert_close) == verdict(torch, torch.testing.assert_close)
