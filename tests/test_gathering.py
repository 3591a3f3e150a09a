"""Gathers, scatters and sorts against PyTorch on drawn inputs, special values, ties, and what they say of bad input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_dl as tg
from tinygrad_dl.errors import ArgumentError, ArgumentTypeError, DimensionError, DtypeError, ShapeError, TinygradError


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")


REDUCTIONS = ("sum", "prod", "mean", "amax", "amin")
FORMS: dict[str, Callable[..., Any]] = {
    "gather": lambda lib, x, d, i, s: lib.gather(x, d, i),
    "scatter a number": lambda lib, x, d, i, s: lib.scatter(x, d, i, 2.0),
    "scatter_add": lambda lib, x, d, i, s: lib.scatter_add(x, d, i, s),
    "scatter_add of another order": lambda lib, x, d, i, s: (
        x.transpose(0, -1).scatter_add(-1 - d if d < 0 else x.ndim - 1 - d, i.transpose(0, -1), s.transpose(0, -1))
        if x.ndim == 2
        else x * s.sum()
    ),
    "index_select": lambda lib, x, d, i, s: lib.index_select(x, d, i.reshape(-1)),
    "index_fill": lambda lib, x, d, i, s: lib.index_fill(x, d, i.reshape(-1), 3.0),
    "x[i]": lambda lib, x, d, i, s: x.transpose(0, d)[i],
    "take": lambda lib, x, d, i, s: lib.take(x, i),
    "put": lambda lib, x, d, i, s: lib.put(x, i, s, accumulate=True),
    **{
        f"scatter_reduce {reduce} {include}": lambda lib, x, d, i, s, r=reduce, a=include: lib.scatter_reduce(
            x, d, i, s, r, include_self=a
        )
        for reduce in REDUCTIONS
        for include in (True, False)
    },
}


@st.composite
def drawn(draw: Any) -> tuple[Any, ...]:
    """An input, a dimension, an index into it that repeats itself, and a source of the index's shape."""
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)))
    if draw(st.integers(0, 4)) == 0:
        shape = (shape[0] * 40, *shape[1:])  # enough for what is done in blocks
    dim = draw(st.integers(-len(shape), len(shape) - 1))
    along = dim % len(shape)
    count = draw(st.integers(0, 6)) * draw(st.sampled_from([1, 1, 60]))
    size = tuple(count if d == along else draw(st.integers(1, n)) for d, n in enumerate(shape))
    numbers = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x, source = (np.round(numbers.normal(size=s) * 3) / 2 for s in (shape, size))  # with zeros and ties
    return x, dim, numbers.integers(0, shape[along], size), source


@pytest.mark.parametrize("name", FORMS)
@given(case=drawn())
def test_values_and_gradients_are_pytorchs(torch: Any, name: str, case: Any) -> None:
    arrays, dim, index, source = case

    def run(lib: Any) -> list[Any]:
        x, s = lib.tensor(arrays, requires_grad=True), lib.tensor(source, requires_grad=True)
        out = FORMS[name](lib, x, dim, lib.tensor(index), s)
        weights = lib.tensor(np.random.default_rng(1).uniform(0.5, 1.5, tuple(out.shape)))
        found = lib.autograd.grad(out, [x, s], weights, allow_unused=True)
        return [out.detach().numpy(), *(None if g is None else g.numpy() for g in found)]

    for a, b in zip(run(tg), run(torch)):
        if a is None or b is None:
            assert not np.any(a if b is None else b)
        else:
            np.testing.assert_allclose(a, b, 1e-9, 1e-9)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int32", "int64", "float16"])
def test_sums_at_repeated_indices_keep_their_dtype(torch: Any, dtype: str) -> None:
    """Short rows, long ones, and one that comes often; integers wrap, bools are joined by or."""
    draw = np.random.default_rng(0)
    for width in (1, 5, 30):
        numbers = np.concatenate([draw.integers(0, 90, 300), np.full(80, 7)])
        values = draw.integers(0, 3, (len(numbers), width)).astype(dtype)
        found, expected = (
            lib.tensor(np.ones((90, width), dtype)).index_add(0, lib.tensor(numbers), lib.tensor(values))
            for lib in (tg, torch)
        )
        assert found.tolist() == expected.tolist() and str(found.dtype).endswith(dtype)


def test_many_indices_below_0_count_from_the_end(torch: Any) -> None:
    draw = np.random.default_rng(0)
    i, j = draw.integers(-7, 7, 400), draw.integers(-9, 9, 400)

    def run(lib: Any) -> list[Any]:
        x = lib.arange(63.0).reshape(7, 9).requires_grad_()
        places = lib.tensor(i), lib.tensor(j)
        y = x.clone()
        y[places] = y[places] * 2 + 1
        y.index_put_(places, lib.arange(400.0), accumulate=True)
        out = y[:, places[1]] * 3 + y[places].sum()
        return [out.tolist(), *(g.tolist() for g in lib.autograd.grad((out**2).sum() / 1e6, x))]

    for found, expected in zip(run(tg), run(torch)):
        np.testing.assert_allclose(found, expected, 1e-4)


def test_an_index_reaches_into_memory_of_another_order() -> None:
    x = tg.zeros(3, 200)
    x.t().index_add_(0, tg.arange(400) // 2, tg.ones(400, 3))
    assert x.tolist() == [[2.0] * 200] * 3


# --- order

ROWS = [[3.0, np.nan, -np.inf, 0.0, -0.0, np.inf, np.nan, 3.0, -1.0], [np.nan] * 3, [0.0, -0.0, 0.0], [1.0], []]


@pytest.mark.parametrize("row", ROWS, ids=str)
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize("descending", [False, True])
def test_special_values_are_sorted_as_pytorchs(torch: Any, row: list[float], dtype: str, descending: bool) -> None:
    ours, theirs = (lib.tensor(np.array(row, dtype)) for lib in (tg, torch))
    found, expected = ours.sort(descending=descending), theirs.sort(descending=descending)
    assert repr(found.values.tolist()) == repr(expected.values.tolist())
    assert found.indices.tolist() == expected.indices.tolist() == ours.argsort(descending=descending).tolist()
    for k in {0, len(row) // 2, len(row)}:
        some = ours.topk(k, largest=descending).values
        assert some.abs().tolist() == pytest.approx(found.values[:k].abs().tolist(), nan_ok=True)


@given(st.integers(0, 2**32 - 1), st.sampled_from(["int64", "int16", "uint8", "bool", "float32"]), st.booleans())
def test_equal_elements_keep_their_order(seed: int, dtype: str, descending: bool) -> None:
    draw = np.random.default_rng(seed)
    values = draw.integers(0, 4, (3, draw.integers(1, 60))).astype(dtype)
    order = tg.argsort(tg.tensor(values), 1, descending, stable=True)
    keys = values.astype(np.int64) * (-1 if descending else 1)
    assert order.tolist() == np.argsort(keys, 1, kind="stable").tolist()
    assert tg.sort(tg.tensor(values.T.copy()), 0, descending).indices.tolist() == order.t().tolist()


def test_the_gradient_of_a_sorted_value_goes_to_the_element_that_it_was() -> None:
    x = tg.tensor([3.0, 1.0, 2.0], requires_grad=True)
    (x.sort().values * tg.tensor([1.0, 10.0, 100.0])).sum().backward()
    assert x.grad is not None and x.grad.tolist() == [100, 1, 10]


def test_names_of_results() -> None:
    for found in (tg.sort(tg.arange(3)), tg.topk(tg.arange(3), 1)):
        assert found._fields == ("values", "indices") and found[1] is found.indices


SEQUENCES = [[1.0, np.nan], [0.0, 1.0, 1.0, 2.0, np.nan], [-np.inf, 0.0, np.inf], [1.0, 1.0, 1.0]]


@pytest.mark.parametrize("sequence", SEQUENCES, ids=str)
@pytest.mark.parametrize("right", [False, True])
def test_special_values_are_searched_as_pytorchs(torch: Any, sequence: list[float], right: bool) -> None:
    values = [np.nan, -np.inf, np.inf, 0.0, 1.0, 1.5, 2.0]
    found, expected = (
        [
            lib.searchsorted(lib.tensor(sequence), lib.tensor(values), right=right).tolist(),
            lib.searchsorted(lib.tensor([sequence, sequence]), lib.tensor([values, values]), right=right).tolist(),
            lib.bucketize(lib.tensor(values), lib.tensor(sequence), right=right).tolist(),
        ]
        for lib in (tg, torch)
    )
    assert found == expected


@pytest.mark.parametrize("reduce", REDUCTIONS)
@pytest.mark.parametrize("include", [True, False])
def test_special_values_are_reduced_as_pytorchs(torch: Any, reduce: str, include: bool) -> None:
    """NaN, infinities, zeros alone and several of them, ties, also with the old value."""
    nan, inf = np.nan, np.inf
    values = [[1.0, nan, 2.0], [inf, 2.0, -inf], [0.0, 2.0, 3.0], [0.0, 0.0, 3.0], [5.0, 5.0, 1.0], [7.0, 5.0, 1.0]]
    before, rows = [5.0, 1.0, 0.0, 2.0, 5.0, 0.0], np.repeat(np.arange(6), 3)

    def run(lib: Any) -> list[Any]:
        x = lib.tensor(before, requires_grad=True)
        s = lib.tensor(np.ravel(values).astype(np.float32), requires_grad=True)
        out = lib.scatter_reduce(x, 0, lib.tensor(rows), s, reduce, include_self=include)
        return [out.detach().numpy(), *(g.numpy() for g in lib.autograd.grad(out.sum(), [x, s]))]

    for a, b in zip(run(tg), run(torch)):
        np.testing.assert_allclose(a, b, 1e-6)


def test_a_product_with_two_zeros_has_no_second_derivative() -> None:
    x, s = tg.ones(1, requires_grad=True), tg.tensor([0.0, 0.0, 3.0], requires_grad=True)
    out = x.scatter_reduce(0, tg.tensor([0, 0, 0]), s, "prod")
    (first,) = tg.autograd.grad(out.sum(), s, create_graph=True)
    assert first.tolist() == [0, 0, 0]
    with pytest.raises(NotImplementedError, match="more than one 0"):
        first.sum().backward()


# --- bad input


def f23(lib: Any) -> Any:
    return lib.arange(6.0).reshape(2, 3)


BAD: dict[str, tuple[Callable[[Any], Any], type[Exception], str]] = {
    "gather too far": (
        lambda m: f23(m).gather(0, m.tensor([[2]])),
        DimensionError,
        "gather: index 2 .*dimension 0 of size 2",
    ),
    "gather below": (lambda m: f23(m).gather(1, m.tensor([[-1]])), DimensionError, "gather: index -1.*from the front"),
    "gather sizes": (
        lambda m: f23(m).gather(0, m.tensor([[0] * 4])),
        ShapeError,
        r"index of shape \(1, 4\) does not fit input .*\(2, 3\)",
    ),
    "gather dims": (lambda m: f23(m).gather(0, m.tensor([0])), ShapeError, "equally many dimensions"),
    "gather dtype": (lambda m: f23(m).gather(0, m.tensor([[0.0]])), DtypeError, "int32 or int64, not .*float32"),
    "gather dim": (lambda m: f23(m).gather(2, m.tensor([[0]])), DimensionError, "gather: dim 2"),
    "gather list": (lambda m: f23(m).gather(0, [[0]]), ArgumentTypeError, "index must be a Tensor.*list"),
    "scatter source": (lambda m: f23(m).scatter(0, m.tensor([[0, 1]]), m.zeros(1, 1)), ShapeError, "does not fit src"),
    "scatter dtype": (
        lambda m: f23(m).scatter(0, m.tensor([[0]]), m.zeros(1, 1).double()),
        DtypeError,
        "src is .*float64",
    ),
    "scatter nothing": (lambda m: f23(m).scatter(0, m.tensor([[0]])), ArgumentTypeError, "either src.*or value"),
    "scatter reduce": (
        lambda m: f23(m).scatter(0, m.tensor([[0]]), 1.0, reduce="mul"),
        ArgumentError,
        "'multiply', not 'mul'",
    ),
    "scatter_add number": (
        lambda m: f23(m).scatter_add(0, m.tensor([[0]]), 1.0),
        ArgumentTypeError,
        "src must be a Tensor, not float",
    ),
    "reduction": (lambda m: f23(m).scatter_reduce(0, m.tensor([[0]]), f23(m), "add"), ArgumentError, "not 'add'"),
    "mean of bools": (
        lambda m: (f23(m) > 1).scatter_reduce(0, m.tensor([[0]]), f23(m) > 1, "mean"),
        DtypeError,
        "no mean",
    ),
    "index_select": (lambda m: f23(m).index_select(0, m.tensor([2])), DimensionError, "index_select: index 2 .*size 2"),
    "index_select matrix": (lambda m: f23(m).index_select(0, m.tensor([[0]])), DimensionError, "must be a vector"),
    "index_add too far": (
        lambda m: f23(m).index_add(0, m.tensor([2]), m.zeros(1, 3)),
        DimensionError,
        "index_add_: index 2 .*size 2",
    ),
    "index_reduce": (lambda m: f23(m).index_reduce(0, m.tensor([0]), f23(m)[:1], "sum"), ArgumentError, "not 'sum'"),
    "take": (lambda m: f23(m).take(m.tensor([6])), DimensionError, "take: index 6 .*size 6"),
    "put": (lambda m: f23(m).put_(m.tensor([0, 1]), m.zeros(1)), DimensionError, "names 2 elements, source has 1"),
    "masked_select": (lambda m: f23(m).masked_select(f23(m)), DtypeError, "mask must hold bools"),
    "masked_select sizes": (lambda m: f23(m).masked_select(m.tensor([True, False])), ShapeError, "don't broadcast"),
    "where of two": (lambda m: m.where(f23(m) > 1, f23(m)), ArgumentTypeError, "comes alone, or with both"),
    "unravel_index": (lambda m: m.unravel_index(f23(m), (2, 3)), ArgumentTypeError, "integers, not .*float32"),
    "sort": (lambda m: f23(m).sort(2), DimensionError, "sort: dim 2"),
    "descending": (lambda m: f23(m).sort(0, 1), ArgumentTypeError, "True or False, not 1"),
    "topk": (lambda m: f23(m).topk(4), ArgumentError, "topk: k is 4, dimension 1 .* 3 element"),
    "topk of bools": (lambda m: (f23(m) > 1).topk(1), DtypeError, "bools have no order"),
    "unique": (lambda m: m.unique(m.zeros(3, 0), dim=0), ShapeError, "have no elements"),
    "side": (
        lambda m: m.searchsorted(m.arange(3), m.arange(3), side="up"),
        ArgumentError,
        "'left' or 'right', not 'up'",
    ),
    "two sides": (lambda m: m.searchsorted(m.arange(3), 1, side="left", right=True), ArgumentError, "contradict"),
    "sequences": (lambda m: m.searchsorted(f23(m), m.zeros(3, 3)), ShapeError, r"\(2, 3\) and input of shape \(3, 3\)"),
    "sorter": (
        lambda m: m.searchsorted(m.arange(2), 1, sorter=m.tensor([0, 2])),
        DimensionError,
        "index 2 .*of size 2",
    ),
    "boundaries": (lambda m: m.bucketize(f23(m), f23(m)), ShapeError, "boundaries must be a vector"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_explained_and_raises_what_pytorch_raises(torch: Any, name: str) -> None:
    call, kind, message = BAD[name]
    with pytest.raises(kind, match=f"(?s){message}") as found:
        call(tg)
    assert isinstance(found.value, TinygradError)
    with pytest.raises(Exception) as expected:
        call(torch)
    wanted = RuntimeError if isinstance(expected.value, NotImplementedError) else type(expected.value)
    assert isinstance(found.value, wanted), repr(expected.value)


def test_topk_of_a_0d_tensor_shares_no_memory_with_it() -> None:
    x = tg.tensor(1.5)
    tg.topk(x, 1).values.add_(1)
    assert x.item() == 1.5


@pytest.mark.parametrize("form", ["scatter", "scatter_add", "scatter_reduce", "put"])
def test_what_is_written_nowhere_is_a_part_of_the_history(form: str) -> None:
    x, source = tg.ones(2, 2), tg.ones(2, 2, requires_grad=True)
    nowhere, nothing = tg.zeros((0, 2), dtype=tg.int64), tg.ones(0, requires_grad=True)
    out = {
        "scatter": lambda: x.scatter(0, nowhere, source),
        "scatter_add": lambda: x.clone().scatter_add_(0, nowhere, source),
        "scatter_reduce": lambda: x.scatter_reduce(0, nowhere, source, "amax"),
        "put": lambda: x.put(nowhere, nothing),
    }[form]()
    assert out.requires_grad and out.tolist() == [[1, 1], [1, 1]]
    written = nothing if form == "put" else source
    (g,) = tg.autograd.grad(out.sum(), written)
    assert g.shape == written.shape and not g.any()


@pytest.mark.parametrize("reduce", ["prod", "mean", "amax", "amin"])
@pytest.mark.parametrize("shape", [(5, 70), (90, 4), (6, 10, 20)])
def test_whole_slices_are_reduced_as_pytorchs(torch: Any, reduce: str, shape: tuple[int, ...]) -> None:
    draw = np.random.default_rng(2)
    array = draw.integers(-3, 4, shape) / 2.0
    for dim, include in [(d, include) for d in range(len(shape)) for include in (True, False)]:
        index = draw.integers(0, shape[dim], 7)
        source = draw.normal(size=(*shape[:dim], 7, *shape[dim + 1 :]))
        found = []
        for lib in (tg, torch):
            x, s = (lib.tensor(value, requires_grad=True) for value in (array, source))
            places = lib.tensor(index)
            row = places.reshape(-1, *(1 for _ in shape[dim + 1 :])).expand(source.shape)
            part = row[..., : shape[-1] // 2] if dim < len(shape) - 1 else row  # of a part of each slice
            results = [
                x.index_reduce(dim, places, s, reduce, include_self=include),
                x.scatter_reduce(dim, row, s, "amax", include_self=include),
                x.scatter_reduce(dim, part, s[..., : part.shape[-1]], "prod", include_self=include),
            ]
            for out in results:
                found.append([out.detach().numpy(), *lib.autograd.grad((out * out).sum(), [x, s])])
        for ours, theirs in zip(found[:3], found[3:]):
            for a, b in zip(ours, theirs):
                np.testing.assert_allclose(np.asarray(a), np.asarray(b), 1e-9, 1e-12)
