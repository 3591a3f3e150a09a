"""Reading and writing by every kind of index, alone and mixed, as PyTorch does it, and NumPy where they agree."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import tinygrad_dl as tg
from tinygrad_dl.errors import ArgumentTypeError, DimensionError, GraphError, ShapeError, TinygradError


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")


# --- drawing indices


@dataclass(frozen=True)
class Places:
    """Integers or bools that a library gets as its own tensor, or as a list or an array."""

    values: Any  # nested tuples
    kind: str  # "tensor", "int32 tensor", "list" or "array"

    def __repr__(self) -> str:
        return f"{self.kind}{np.asarray(self.values).tolist()}"

    def array(self) -> Any:
        values = np.asarray(self.values)
        return values if values.dtype.kind == "b" else values.astype(np.int64)

    def given(self, lib: Any) -> Any:
        if lib is np:
            return self.array()
        if self.kind == "list":
            return self.array().tolist()
        if self.kind == "array" and lib is tg:
            return self.array()
        tensor = lib.tensor(self.array())
        return tensor.int() if self.kind == "int32 tensor" and self.array().dtype.kind == "i" else tensor


def nested(array: Any) -> Any:
    return tuple(map(nested, array)) if np.ndim(array) else array.item()


def given_to(lib: Any, index: Any) -> Any:
    """A drawn index as a library takes it."""
    if isinstance(index, tuple):
        return tuple(given_to(lib, part) for part in index)
    return index.given(lib) if isinstance(index, Places) else index


SHAPES = st.lists(st.integers(0, 4), max_size=3).map(tuple)
KINDS = st.sampled_from(["tensor", "int32 tensor", "array", "list"])
STEPS = st.none() | st.integers(1, 3)
BOUNDS = st.none() | st.integers(-5, 5)
SLICES = st.builds(slice, BOUNDS, BOUNDS, STEPS)


@st.composite
def integer_places(draw: Any, size: int, shape: tuple[int, ...]) -> Places:
    """Integers in the range of a dimension, of a shape that broadcasts with `shape`."""
    own = tuple(1 if draw(st.integers(0, 3)) == 0 else n for n in shape)
    count = int(np.prod(own))
    values = draw(st.lists(st.integers(-size, size - 1), min_size=count, max_size=count)) if size else []
    kind = draw(KINDS)
    made = np.asarray(values, np.int64).reshape(own if size else (0,))
    return Places(nested(made), kind if made.ndim == 1 and made.size else "tensor")


@st.composite
def indices(draw: Any, shape: tuple[int, ...], arrays: bool = True, bools: bool = False) -> Any:
    """An index of a shape: of views only, or of arrays too; sometimes one too many, or no tuple."""
    common = draw(st.sampled_from([(2,), (3,), (2, 2), (1,), (0,), (2, 1)]))
    parts: list[Any] = []
    dim, dots = 0, False
    while dim < len(shape) and draw(st.integers(0, 9)) > 0:
        kinds = ["integer", "slice", "slice", "none"] + ["dots"] * (not dots)
        kinds += ["places", "places", "mask"] * arrays + ["bool"] * bools
        kind = draw(st.sampled_from(kinds))
        size = shape[dim]
        if kind == "integer":
            parts.append(draw(st.integers(-size, size - 1)) if size else slice(None))
        elif kind == "slice":
            parts.append(draw(SLICES))
        elif kind == "none":
            parts.append(None)
            continue
        elif kind == "bool":
            parts.append(draw(st.booleans()))
            continue
        elif kind == "dots":
            parts.append(Ellipsis)
            dots = True
            dim += draw(st.integers(0, len(shape) - dim))  # how many dimensions the rest leaves to it
            continue
        elif kind == "places":
            parts.append(draw(integer_places(size, common)))
        else:
            taken = draw(st.integers(1, len(shape) - dim))
            mask = draw(st.lists(st.booleans(), min_size=(n := int(np.prod(shape[dim : dim + taken]))), max_size=n))
            made = np.asarray(mask, bool).reshape(shape[dim : dim + taken])
            parts.append(Places(nested(made), "tensor" if taken > 1 or not n else draw(KINDS)))
            dim += taken
            continue
        dim += 1
    if len(parts) == 1 and draw(st.booleans()):
        return parts[0]
    return tuple(parts)


@st.composite
def shaped(draw: Any, **options: Any) -> tuple[tuple[int, ...], Any]:
    shape = draw(SHAPES)
    return shape, draw(indices(shape, **options))


def values_of(shape: tuple[int, ...]) -> Any:
    return np.arange(1.0, np.prod(shape) + 1).reshape(shape)


def attempt(call: Callable[[], Any]) -> Any:
    """What a call gives, or the exception that it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return call()
        except Exception as error:
            return error


def agree(found: Any, expected: Any) -> bool:
    """Whether both raise, ours what `except` clauses for PyTorch catch, or both don't."""
    if "source and destination dtypes match" in str(expected):
        return False  # PyTorch refuses this of some indices and converts for others; ours always converts
    if not isinstance(expected, Exception):
        assert not isinstance(found, Exception), repr(found)
        return True
    assert isinstance(found, type(expected)) and isinstance(found, TinygradError), f"{found!r}, PyTorch {expected!r}"
    return False


# --- reading


@given(case=shaped())
def test_reading_is_pytorchs(torch: Any, case: Any) -> None:
    """Values, shapes and gradients, repeated indices included."""
    shape, index = case

    def read(lib: Any) -> Any:
        x = lib.tensor(values_of(shape), requires_grad=True)
        y = x[given_to(lib, index)]
        y.backward(lib.arange(1.0, y.numel() + 1, dtype=lib.float64).reshape(y.shape))
        return y.detach(), x.grad

    found, expected = attempt(lambda: read(tg)), attempt(lambda: read(torch))
    if agree(found, expected):
        for a, b in zip(found, expected, strict=True):
            assert tuple(a.shape) == tuple(b.shape) and a.tolist() == b.tolist()


@given(case=shaped())
def test_reading_is_numpys_where_integers_stand_apart(case: Any) -> None:
    """NumPy counts an integer among the arrays beside it, PyTorch takes it out first; else the two agree."""
    shape, index = case
    parts = index if isinstance(index, tuple) else (index,)
    if any(isinstance(part, int) for part in parts) and any(isinstance(part, Places) for part in parts):
        return
    expected = attempt(lambda: values_of(shape)[given_to(np, index)])
    found = attempt(lambda: tg.tensor(values_of(shape))[given_to(tg, index)])
    if isinstance(expected, Exception):
        assert isinstance(found, TinygradError), repr(found)
    else:
        assert tuple(found.shape) == expected.shape and found.tolist() == expected.tolist()


@given(case=shaped())
def test_second_derivatives_of_reading(case: Any) -> None:
    """Of the sum of cubes of what is read: 6 x, as often as an element is read."""
    shape, index = case
    x = tg.tensor(values_of(shape), requires_grad=True)
    y = attempt(lambda: x[given_to(tg, index)])
    if isinstance(y, Exception):
        return
    (first,) = tg.autograd.grad((y**3).sum(), x, create_graph=True)
    (second,) = tg.autograd.grad(first.sum(), x)
    times = np.zeros(shape)
    np.add.at(times.reshape(-1), tg.arange(times.size).reshape(shape)[given_to(tg, index)].numpy().ravel(), 1)
    assert first.tolist() == (times * 3 * values_of(shape) ** 2).tolist()
    assert second.tolist() == (times * 6 * values_of(shape)).tolist()


@given(case=shaped(arrays=False))
def test_integers_and_slices_give_views(torch: Any, case: Any) -> None:
    shape, index = case

    def edit(lib: Any) -> Any:
        x = lib.tensor(values_of(shape))
        x[index].fill_(-1)
        return x.tolist()

    found, expected = attempt(lambda: edit(tg)), attempt(lambda: edit(torch))
    if agree(found, expected):
        assert found == expected


@given(case=shaped())
def test_what_shares_memory_is_what_shares_it_in_pytorch(torch: Any, case: Any) -> None:
    shape, index = case

    def edit(lib: Any) -> Any:
        x = lib.tensor(values_of(shape))
        y = x[given_to(lib, index)]
        y.fill_(-1)
        return x.tolist(), y.stride() if y.numel() and index == (index,) else None

    found, expected = attempt(lambda: edit(tg)), attempt(lambda: edit(torch))
    if agree(found, expected):
        assert found == expected


@given(case=shaped())
def test_reading_on_strict(case: Any) -> None:
    """The device that, as CuPy, wraps what is out of range and has other rules for indices of arrays."""
    shape, index = case

    def read(device: str) -> Any:
        x = tg.tensor(values_of(shape), device=device, requires_grad=True)
        y = x[given_to(tg, index)]
        y.backward(tg.arange(1.0, y.numel() + 1, dtype=tg.float64, device=device).reshape(y.shape))
        return y.device.type, y.tolist(), x.grad.tolist()

    found, expected = attempt(lambda: read("strict")), attempt(lambda: read("cpu"))
    if isinstance(expected, Exception):
        assert type(found) is type(expected)
    else:
        assert found == ("strict", *expected[1:])


@given(case=shaped(bools=True))
def test_bools_as_parts(torch: Any, case: Any) -> None:
    """True is a new dimension of size 1, False of size 0; beside arrays they are arrays."""
    shape, index = case
    found, expected = (
        attempt(lambda lib=lib: lib.tensor(values_of(shape))[given_to(lib, index)]) for lib in (tg, torch)
    )
    if agree(found, expected):
        assert tuple(found.shape) == tuple(expected.shape) and found.tolist() == expected.tolist()


@given(shape=SHAPES, draw=st.data())
def test_indices_out_of_range_raise(torch: Any, shape: tuple[int, ...], draw: Any) -> None:
    """Integers and arrays of them that may reach beyond either end."""
    assume(0 not in shape)  # where nothing can be read, PyTorch does not look at the indices
    parts = []
    for size in shape:
        kind = draw.draw(st.sampled_from(["integer", "slice", "tensor"]))
        beyond = st.integers(-size - 2, size + 1)
        if kind == "integer":
            parts.append(draw.draw(beyond))
        else:
            parts.append(
                slice(None) if kind == "slice" else Places(tuple(draw.draw(st.tuples(beyond, beyond))), "tensor")
            )
    found, expected = (
        attempt(lambda lib=lib: lib.tensor(values_of(shape))[given_to(lib, tuple(parts))]) for lib in (tg, torch)
    )
    if agree(found, expected):
        assert found.tolist() == expected.tolist()


# --- forms that are easily got wrong, one by one

X = np.arange(24.0).reshape(2, 3, 4)
FORMS: dict[str, Callable[[Any, Any], Any]] = {
    "a 0-d tensor of a bool": lambda lib, x: x[lib.tensor(True)],
    "a 0-d tensor of False": lambda lib, x: x[lib.tensor(False)],
    "0-d tensors as bounds": lambda lib, x: x[:, lib.tensor(1) : lib.tensor(3)],
    "a 0-d tensor in a list": lambda lib, x: x[[lib.tensor(1), lib.tensor(0)]],
    "a 0-d tensor beside an array": lambda lib, x: x[lib.tensor(1), lib.tensor([0, 2])],
    "NumPy's integers": lambda lib, x: x[np.int64(1), :, np.int32(-1)],
    "a range": lambda lib, x: x[:, range(0, 3, 2)],
    "int8 indices": lambda lib, x: x[lib.tensor([0, 1]).to(lib.int8).long()],
    "empty slices": lambda lib, x: x[1:0, :, 9:],
    "slices beyond the end": lambda lib, x: x[-9:9, 1:99:5],
    "an empty list": lambda lib, x: x[:, []],
    "an empty mask": lambda lib, x: x[:, lib.tensor([False, False, False])],
    "a mask of everything": lambda lib, x: x[x > -1],
    "a mask and an array": lambda lib, x: x[lib.tensor([True, True]), lib.tensor([0, 2])],
    "a mask of two dimensions": lambda lib, x: x[(x > 5)[:, :, 0]],
    "arrays apart": lambda lib, x: x[lib.tensor([0, 1]), :, lib.tensor([3, 0])],
    "arrays apart, integer between": lambda lib, x: x[lib.tensor([0, 1]), 1, lib.tensor([3, 0])],
    "an integer before arrays": lambda lib, x: x[0, :, lib.tensor([3, 0])],
    "an integer after arrays": lambda lib, x: x[lib.tensor([1, 0]), :, 2],
    "None before an array": lambda lib, x: x[None, lib.tensor([1, 0])],
    "None between arrays": lambda lib, x: x[lib.tensor([1, 0]), None, lib.tensor([2, 1])],
    "dots for nothing": lambda lib, x: x[0, 1, ..., 2],
    "dots for nothing beside arrays": lambda lib, x: x[lib.tensor([0]), lib.tensor([1]), ..., lib.tensor([2])],
    "negative indices in arrays": lambda lib, x: x[:, lib.tensor([-1, -3])],
    "chained": lambda lib, x: x[1][:, lib.tensor([0, 0])][2],
    "arrays that broadcast": lambda lib, x: x[:, lib.tensor([[0], [2]]), lib.tensor([1, 3])],
    "one element": lambda lib, x: x[1, 2, 3],
    "one element by dots": lambda lib, x: x[1, 2, 3, ...],
    "a select": lambda lib, x: x.select(1, -1),
}


@pytest.mark.parametrize("name", FORMS)
def test_single_forms_are_pytorchs(torch: Any, name: str) -> None:
    results = []
    for lib in (tg, torch):
        x = lib.tensor(X, requires_grad=True)
        y = FORMS[name](lib, x)
        (y * y).sum().backward()
        results.append((tuple(y.shape), y.tolist(), x.grad.tolist()))
    assert results[0] == results[1]


def test_repeated_indices_add_their_gradients() -> None:
    x = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    x[[0, 2, 2, -1]].backward(tg.tensor([1.0, 10.0, 100.0, 1000.0]))
    assert x.grad is not None and x.grad.tolist() == [1.0, 0.0, 1110.0]
    y = tg.zeros(2, 2, requires_grad=True)
    y[[0, 0, 1], [1, 1, 0]].sum().backward()
    assert y.grad is not None and y.grad.tolist() == [[0.0, 2.0], [1.0, 0.0]]


@pytest.mark.parametrize("dtype", [tg.float32, tg.float16])
def test_gradients_have_the_dtype_of_the_tensor(dtype: Any) -> None:
    x = tg.ones(3, dtype=dtype, requires_grad=True)
    x[[0, 0]].sum().backward()
    assert x.grad is not None and x.grad.dtype is dtype and x.grad.tolist() == [2.0, 0.0, 0.0]


def test_an_index_that_changes_afterwards_changes_no_gradient() -> None:
    x, places = tg.ones(3, requires_grad=True), [0, 1]
    y = x[places].sum()
    places[0] = 2
    y.backward()
    assert x.grad is not None and x.grad.tolist() == [1.0, 1.0, 0.0]
    array, z = np.array([0, 1]), tg.ones(3, requires_grad=True)
    out = z[array].sum()
    array[0] = 2
    try:
        out.backward()
    except GraphError:
        return
    assert z.grad is not None and z.grad.tolist() in ([1.0, 1.0, 0.0], [0.0, 1.0, 1.0])


def test_single_elements_are_views() -> None:
    x = tg.zeros(2, 2)
    x[0, 1].fill_(5)
    x[1][0].add_(3)
    x[..., 1, 1].copy_(tg.tensor(7.0))
    assert x.tolist() == [[0.0, 5.0], [3.0, 7.0]]
    for copy in (x[[0]], x[tg.tensor([0])], x[x > 0], x[True][[0]], x[[0], 1]):
        copy.fill_(-1)
    assert x.tolist() == [[0.0, 5.0], [3.0, 7.0]]


@pytest.mark.parametrize("dtype", [tg.float32, tg.float64])
@pytest.mark.parametrize("read", [lambda x: x[1], lambda x: x[..., 1], lambda x: x[[1]][0]])
def test_single_elements_have_gradients_of_both_orders(read: Callable[[Any], Any], dtype: Any) -> None:
    x = tg.tensor([2.0, 3.0], dtype=dtype, requires_grad=True)
    (first,) = tg.autograd.grad(read(x) ** 3, x, create_graph=True)
    first.sum().backward()
    assert first.tolist() == [0.0, 27.0] and x.grad is not None
    assert x.grad.tolist() == [0.0, 18.0] and x.grad.dtype is dtype


def test_integer_tensors_can_be_read() -> None:
    x = tg.arange(6).reshape(2, 3)
    for y in (x[0], x[:, 1], x[[1, 0]], x[x > 2]):
        assert y.dtype is tg.int64 and not y.requires_grad
    assert (x > 2)[1].dtype is tg.bool


# --- writing


@st.composite
def written(draw: Any) -> tuple[tuple[int, ...], Any, Any]:
    """A shape, an index without repeated places, and a number or how the value broadcasts."""
    shape, index = draw(shaped())
    numbers = tg.arange(int(np.prod(shape))).reshape(shape)
    read = attempt(lambda: numbers[given_to(tg, index)])
    if isinstance(read, Exception):
        return shape, index, 7.0
    repeated = len(set(read.reshape(-1).tolist())) < read.numel()
    form = draw(
        st.sampled_from(["number", "integer", "0-d", "ones"] + ["full", "row", "integers", "leading"] * (not repeated))
    )
    return shape, index, (form, tuple(read.shape))


def value_for(lib: Any, value: Any) -> Any:
    if not isinstance(value, tuple):
        return value
    form, shape = value
    count = int(np.prod(shape))
    if form in ("number", "integer"):
        return {"number": -0.5, "integer": -3}[form]
    if form == "0-d":
        return lib.tensor(-2.5)
    if form == "ones":
        return lib.tensor(-np.ones((1,) * len(shape)))
    if form == "row":
        return lib.tensor(-values_of(shape[-1:]))
    full = -np.arange(1.0, count + 1).reshape(shape)
    if form == "leading":
        return lib.tensor(full[None])
    return lib.tensor(full.astype(np.int64) if form == "integers" else full)


@given(case=written())
def test_writing_is_pytorchs(torch: Any, case: Any) -> None:
    shape, index, value = case

    def write(lib: Any) -> Any:
        x = lib.tensor(values_of(shape))
        x[given_to(lib, index)] = value_for(lib, value)
        return x.tolist()

    found, expected = attempt(lambda: write(tg)), attempt(lambda: write(torch))
    if agree(found, expected):
        assert found == expected


@given(case=written(), dtype=st.sampled_from(["float32", "float16", "int64", "uint8", "bool"]))
def test_writing_converts_as_pytorch(torch: Any, case: Any, dtype: str) -> None:
    shape, index, value = case
    if dtype in ("uint8",):
        value = 3.7  # what is negative has no right answer

    def write(lib: Any) -> Any:
        x = lib.tensor(values_of(shape)).to(getattr(lib, dtype))
        x[given_to(lib, index)] = value_for(lib, value)
        return str(x.dtype).rpartition(".")[2], x.tolist()

    found, expected = attempt(lambda: write(tg)), attempt(lambda: write(torch))
    if agree(found, expected):
        assert found == expected


@given(case=written())
def test_writing_on_strict(case: Any) -> None:
    shape, index, value = case

    def write(device: str) -> Any:
        x = tg.tensor(values_of(shape), device=device)
        v = value_for(tg, value)
        x[given_to(tg, index)] = v.to(device) if isinstance(v, tg.Tensor) and v.ndim else v
        return x.tolist()

    found, expected = attempt(lambda: write("strict")), attempt(lambda: write("cpu"))
    assert type(found) is type(expected) if isinstance(expected, Exception) else found == expected


@given(case=written())
def test_writing_through_a_view_reaches_the_tensor(torch: Any, case: Any) -> None:
    shape, index, value = case

    def write(lib: Any) -> Any:
        whole = lib.zeros((3, *shape), dtype=lib.float64)
        whole[1][given_to(lib, index)] = value_for(lib, value)
        return whole.tolist()

    found, expected = attempt(lambda: write(tg)), attempt(lambda: write(torch))
    if agree(found, expected):
        assert found == expected


def assigned(lib: Any, place: Callable[[Any], Any], value: Any) -> Any:
    x = lib.tensor(X)
    x[place(lib)] = value(lib, x) if callable(value) else value
    return x.tolist()


WRITTEN: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "a bool": (lambda lib: (0, 1), True),
    "an integer in a tensor": (lambda lib: (slice(None), 1), lambda lib, x: lib.tensor(9)),
    "a row": (lambda lib: (0, lib.tensor([2, 0])), lambda lib, x: lib.arange(4.0, dtype=lib.float64)),
    "through a mask": (lambda lib: lib.tensor(X) > 11, -1.0),
    "as many as a mask takes": (
        lambda lib: lib.tensor(X) > 19,
        lambda lib, x: lib.tensor([1.0, 2.0, 3.0, 4.0]).double(),
    ),
    "everywhere": (lambda lib: ..., 0),
    "everywhere by nothing": (lambda lib: (), 4.0),
    "everywhere by True": (lambda lib: True, 4.0),
    "nowhere by False": (lambda lib: False, 4.0),
    "a new dimension": (lambda lib: (None, 0), lambda lib, x: lib.ones(1, 3, 4, dtype=lib.float64)),
    "itself, shifted": (lambda lib: slice(1, None), lambda lib, x: x[:-1].clone()),
    "infinity": (lambda lib: (1, 1, 1), float("inf")),
    "an empty place": (lambda lib: slice(0, 0), 3.0),
    "leading ones": (lambda lib: 0, lambda lib, x: lib.ones(1, 1, 3, 4, dtype=lib.float64)),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_single_forms_of_writing_are_pytorchs(torch: Any, name: str) -> None:
    place, value = WRITTEN[name]
    assert (
        assigned(tg, place, value) == assigned(torch, place, value) != X.tolist()
        or "nowhere" in name
        or "empty" in name
    )


def test_arrays_can_be_written() -> None:
    x = tg.zeros(2, 3)
    x[0] = np.arange(3)
    x[1, :2] = np.array([5.5, 6.5])
    x[1, 2] = np.float32(7.5)
    assert x.tolist() == [[0.0, 1.0, 2.0], [5.5, 6.5, 7.5]]


def test_overlapping_memory_is_read_before_it_is_written() -> None:
    x = tg.arange(5.0)
    x[1:] = x[:-1]
    assert x.tolist() == [0.0, 0.0, 1.0, 2.0, 3.0]


def test_operators_in_place_at_an_index() -> None:
    x = tg.zeros(2, 3)
    x[0] += 2
    x[:, 1] *= 5
    x[x > 5] -= 1
    assert x.tolist() == [[2.0, 9.0, 2.0], [0.0, 0.0, 0.0]]


# --- writing and the graph


def test_writing_is_noticed_by_backward() -> None:
    for index in (0, slice(1, 2), [2], tg.tensor([True, False, False]), ..., (None, 0)):
        w, c = tg.ones(3, requires_grad=True), tg.ones(3)
        y = (w * c).sum()
        c[index] = 5.0
        with pytest.raises(GraphError, match="index assignment has overwritten it"):
            y.backward()


def test_what_was_not_saved_may_be_written() -> None:
    w, c = tg.ones(3, requires_grad=True), tg.ones(4)
    y = (w * c[:3]).sum()
    c[3] = 5.0
    y.backward()
    assert w.grad is not None and w.grad.tolist() == [1.0, 1.0, 1.0]


def test_leaves_in_the_graph_are_not_written_to() -> None:
    w = tg.ones(3, requires_grad=True)
    with pytest.raises(GraphError, match=r"(?s)index assignment: a view of a leaf that requires grad.*no_grad"):
        w[0] = 2.0
    assert w.tolist() == [1.0, 1.0, 1.0]
    with tg.no_grad():
        w[0] = 2.0
        w[1:] = w[:1]
    assert w.tolist() == [2.0, 2.0, 2.0] and w.is_leaf and w.requires_grad


def test_a_refused_write_changes_nothing() -> None:
    x = tg.arange(6.0).reshape(2, 3)
    for index, value in (
        (0, tg.zeros(2)),
        (7, 1.0),
        ((0, 0, 0), 1.0),
        ([0, 5], 1.0),
        (0, "a"),
        (0, None),
        (0, [1.0] * 3),
    ):
        with pytest.raises(TinygradError):
            x[index] = value
    assert x.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]


# --- errors that are in no other file

REFUSED: dict[str, tuple[Callable[[Any], Any], type[Exception], str]] = {
    "a float": (lambda lib: lib.ones(3)[1.0], DimensionError, "index: float is no index; integers, slices, None"),
    "text": (lambda lib: lib.ones(3)["a"], ArgumentTypeError, "index: str is no index"),
    "a bound of a float": (lambda lib: lib.ones(3)[0.5:], ArgumentTypeError, "a slice's bounds must be .*0.5"),
    "a list of floats": (lambda lib: lib.ones(3)[[0.5]], DimensionError, "integers or bools, float64 came"),
    "an array beyond the end": (
        lambda lib: lib.ones(2, 3)[:, lib.tensor([0, 3])],
        DimensionError,
        "values from 0 to 3 are out of bounds for dimension 1 of size 3",
    ),
    "a list before the start": (lambda lib: lib.ones(2, 3)[[-3]], DimensionError, "-3.* dimension 0 of size 2"),
    "a long mask": (lambda lib: lib.ones(2)[lib.ones(3) > 0], DimensionError, r"mask of shape \(3,\) .*\(2,\)"),
    "a mask in the wrong place": (
        lambda lib: lib.ones(2, 3)[:, lib.tensor([True, False])],
        DimensionError,
        r"mask of shape \(2,\) does not fit shape \(2, 3\) at dimension 1",
    ),
    "too many": (lambda lib: lib.ones(2)[0, :, 0], DimensionError, r"3 indices came .* 1 dimension\(s\), shape \(2,\)"),
    "too many of a 0-d": (lambda lib: lib.tensor(1.0)[0], DimensionError, r"0-d .*item\(\)"),
    "arrays that don't broadcast": (
        lambda lib: lib.ones(3, 3)[lib.tensor([0, 1]), lib.tensor([0, 1, 2])],
        DimensionError,
        "index",
    ),
    "two ellipses": (lambda lib: lib.ones(2, 2)[..., ...], DimensionError, "index"),
    "an empty dimension": (lambda lib: lib.ones(0)[0], DimensionError, "0 is out of bounds for dimension 0 of size 0"),
    "a value that does not fit": (
        lambda lib: lib.ones(2, 3).__setitem__(0, lib.ones(2)),
        ShapeError,
        r"index assignment: .*\(3,\).*\(2,\)",
    ),
    "values for a mask": (
        lambda lib: lib.ones(3).__setitem__(lib.tensor([True, True, False]), lib.ones(3)),
        ShapeError,
        r"index assignment: .*\(3,\)",
    ),
    "select": (lambda lib: lib.ones(2, 3).select(2, 0), DimensionError, "select: dim 2 is out of range"),
    "select beyond the end": (lambda lib: lib.ones(2, 3).select(1, 3), DimensionError, "3 is out of bounds"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_says_why(name: str) -> None:
    call, kind, words = REFUSED[name]
    with pytest.raises(kind, match=f"(?s){words}") as caught:
        call(tg)
    assert isinstance(caught.value, TinygradError) and caught.value.__cause__ is None


@pytest.mark.parametrize(
    "name", sorted(REFUSED.keys() - {"a list of floats", "two ellipses"})
)  # PyTorch lets these pass
def test_what_is_refused_raises_pytorchs_class(torch: Any, name: str) -> None:
    call = REFUSED[name][0]
    with pytest.raises(Exception) as expected:
        call(torch)
    with pytest.raises(type(expected.value)):
        call(tg)


def test_mixed_devices_of_a_written_value_are_named() -> None:
    x = tg.zeros(3, device="strict")
    with pytest.raises(TinygradError, match=r"'strict'.*'cpu'|'cpu'.*'strict'"):
        x[:2] = tg.ones(2)
    x[0] = tg.tensor(5.0)  # 0-d tensors mix
    assert x.tolist() == [5.0, 0.0, 0.0]
