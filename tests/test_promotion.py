"""How dtypes meet: tensors of all dtypes, with and without dimensions, and numbers and arrays on either side."""

from __future__ import annotations

import copy
import enum
import operator
import pickle
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_dl as tg
from tinygrad_dl.errors import DtypeError, TinygradError

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning:tinygrad_dl.*")

FLOATS = ("float16", "float32", "float64")
INTEGERS = ("uint8", "int8", "int16", "int32", "int64")
DTYPES = ("bool", *INTEGERS, *FLOATS)
SHAPES: list[tuple[tuple[int, ...], tuple[int, ...]]] = [((2,), (2,)), ((2,), ()), ((), (2,)), ((), ()), ((2, 1), (2,))]

BINARY: dict[str, Callable[[Any, Any, Any], Any]] = {
    "+": lambda lib, x, y: x + y,
    "-": lambda lib, x, y: x - y,
    "*": lambda lib, x, y: x * y,
    "/": lambda lib, x, y: x / y,
    "//": lambda lib, x, y: x // y,
    "%": lambda lib, x, y: x % y,
    "**": lambda lib, x, y: x**y,
    "==": lambda lib, x, y: x == y,
    "<": lambda lib, x, y: x < y,
    "&": lambda lib, x, y: x & y,
    "logical_or": lambda lib, x, y: lib.logical_or(x, y),
    "maximum": lambda lib, x, y: lib.maximum(x, y),
    "minimum": lambda lib, x, y: lib.minimum(x, y),
    "where": lambda lib, x, y: lib.where(lib.tensor([True, False]), x, y),
    "clamp": lambda lib, x, y: lib.clamp(x, min=y),
    "div down": lambda lib, x, y: lib.div(x, y, rounding_mode="floor"),
    "div towards 0": lambda lib, x, y: lib.div(x, y, rounding_mode="trunc"),
}
SIGNS = {sign: getattr(operator, name) for sign, name in {"+": "add", "-": "sub", "*": "mul", "/": "truediv"}.items()}
SIGNS |= {"//": operator.floordiv, "%": operator.mod, "**": operator.pow, "==": operator.eq, ">": operator.gt}
DERIVED = ("+", "-", "*", "/", "%", "**", "maximum", "minimum", "where", "clamp")


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")


@pytest.fixture
def default_dtype() -> Iterator[None]:
    """Restores the default dtype of both libraries."""
    yield
    tg.set_default_dtype(tg.float32)
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")
    torch.set_default_dtype(torch.float32)


def name_of(tensor: Any) -> str:
    return str(tensor.dtype).rpartition(".")[2]


def values(shape: tuple[int, ...], dtype: str, first: int = 1) -> Any:
    """Small numbers from `first` on, none of them 0."""
    return (np.arange(int(np.prod(shape))).reshape(shape) % 3 + first).astype(dtype)


def attempt(call: Callable[..., Any], *args: Any) -> Any:
    """What a call gives, or the exception that it raises."""
    try:
        return call(*args)
    except Exception as error:
        return error


def difference(ours: Any, theirs: Any) -> str:
    """How two outcomes (tensors or exceptions) differ, or an empty string."""
    if isinstance(theirs, Exception):
        wanted = RuntimeError if isinstance(theirs, NotImplementedError) else type(theirs)
        return "" if isinstance(ours, wanted) and isinstance(ours, TinygradError) else f"{ours!r}, PyTorch {theirs!r}"
    if isinstance(ours, Exception):
        return f"{ours!r}"
    if (name_of(ours), tuple(ours.shape)) != (name_of(theirs), tuple(theirs.shape)):
        return f"{name_of(ours)} {tuple(ours.shape)}, PyTorch {name_of(theirs)} {tuple(theirs.shape)}"
    a, b = (np.asarray(t.detach().numpy(), np.float64) for t in (ours, theirs))
    close = {"float16": 4e-3, "float32": 1e-6}.get(name_of(ours), 1e-12)
    return "" if np.allclose(a, b, close, 0, equal_nan=True) else f"{a}, PyTorch {b}"


def report(problems: list[str]) -> None:
    assert not problems, f"{len(problems)} problems:\n" + "\n".join(problems[:15])


def on_purpose(sign: str, *dtypes: str) -> bool:
    """Where ours takes what PyTorch refuses, or the other way round (docs/differences.md)."""
    return (sign == "-" and "bool" in dtypes) or (sign == "clamp" and dtypes[0] == "bool")


# --- the table of dtypes


def test_promote_types_and_can_cast_are_pytorchs(torch: Any) -> None:
    for a, b in product(DTYPES, DTYPES):
        ours = tg.promote_types(getattr(tg, a), getattr(tg, b))
        assert ours.name == str(torch.promote_types(getattr(torch, a), getattr(torch, b))).rpartition(".")[2], (a, b)
        cast = torch.can_cast(getattr(torch, a), getattr(torch, b))
        if not (a in INTEGERS and b == "uint8"):
            assert tg.can_cast(getattr(tg, a), getattr(tg, b)) == cast, (a, b)


# --- two tensors


@pytest.mark.parametrize("sign", BINARY)
def test_tensors_meet_as_in_pytorch(torch: Any, sign: str) -> None:
    """All pairs of dtypes, with dimensions and without: dtype, shape and values, or an error of the same class."""
    problems = []
    for a, b, (first, second) in product(DTYPES, DTYPES, SHAPES):
        if on_purpose(sign, a, b):
            continue
        arrays = values(first, a, 2), values(second, b)
        found, expected = (attempt(BINARY[sign], lib, *map(lib.tensor, arrays)) for lib in (tg, torch))
        problem = difference(found, expected)
        if problem:
            problems.append(f"{a} {first} {sign} {b} {second}: {problem}")
    report(problems)


@pytest.mark.parametrize("sign", DERIVED)
def test_gradients_have_the_dtype_of_their_input(torch: Any, sign: str) -> None:
    """Whatever the result's dtype: promotion records a cast, and the gradient comes back through it."""
    problems = []
    for a, b, (first, second) in product(DTYPES, DTYPES, SHAPES):
        if (a not in FLOATS and b not in FLOATS) or on_purpose(sign, a, b):
            continue

        def run(lib: Any, a: str = a, b: str = b, first: Any = first, second: Any = second) -> list[Any]:
            x, y = lib.tensor(values(first, a, 2)), lib.tensor(values(second, b))
            wanted = [t.requires_grad_() for t in (x, y) if t.is_floating_point()]
            return list(lib.autograd.grad(BINARY[sign](lib, x, y).sum(), wanted, allow_unused=True))

        found, expected = run(tg), attempt(run, torch)
        if isinstance(expected, Exception):
            continue  # PyTorch's clamp has not the gradient of an input that broadcasts
        dtypes = [d for d in (a, b) if d in FLOATS]
        for dtype, g, h in zip(dtypes, found, expected, strict=True):
            if g is None or h is None:
                problem = "" if g is h else f"{g}, PyTorch {h}"
            else:
                problem = difference(g, h) or ("" if name_of(g) == dtype else f"{name_of(g)} for {dtype}")
            if problem:
                problems.append(f"{a} {first} {sign} {b} {second}: {problem}")
    report(problems)


def test_second_derivatives_have_the_dtype_of_their_input() -> None:
    for a, b in product(FLOATS, FLOATS):
        x = tg.tensor([1.5, 2.0], dtype=getattr(tg, a), requires_grad=True)
        y = tg.tensor([0.5, 3.0], dtype=getattr(tg, b), requires_grad=True)
        for out in (x * y * x, y * x * y):
            dx, dy = tg.autograd.grad(out.sum(), (x, y), create_graph=True)
            dxx, dxy = tg.autograd.grad(dx.sum(), (x, y), allow_unused=True, retain_graph=True)
            dyx, dyy = tg.autograd.grad(dy.sum(), (x, y), allow_unused=True)
            assert {name_of(t) for t in (dx, dxx, dyx) if t is not None} == {a}
            assert {name_of(t) for t in (dy, dxy, dyy) if t is not None} == {b}
            np.testing.assert_allclose(dxy.numpy().astype(float), dyx.numpy().astype(float), 1e-2)


# --- a tensor and a number


class Level(enum.IntEnum):
    """A subclass of Python's integers counts as one."""

    TWO = 2


NUMBERS: dict[str, Any] = {"True": True, "2": 2, "2.0": 2.0, "0.5": 0.5, "-3": -3, "inf": float("inf")}


@pytest.mark.parametrize("sign", SIGNS)
def test_numbers_on_either_side_are_weak_as_in_pytorch(torch: Any, sign: str) -> None:
    problems = []
    for dtype, (label, number), shape in product(DTYPES, NUMBERS.items(), [(2,), ()]):
        left_out = (sign, dtype, label) in (("**", "bool", "True"), (">", "uint8", "-3"))  # PyTorch compares with 253
        if left_out or on_purpose(sign, dtype, "bool" if number is True else ""):
            continue
        for turned in (False, True):

            def run(
                lib: Any, dtype: Any = dtype, number: Any = number, shape: Any = shape, turned: Any = turned
            ) -> Any:
                x = lib.tensor(values(shape, dtype, 2))
                return SIGNS[sign](number, x) if turned else SIGNS[sign](x, number)

            found, expected = (attempt(run, lib) for lib in (tg, torch))
            problem = difference(found, expected)
            if problem:
                side = f"{label} {sign} {dtype}" if turned else f"{dtype} {sign} {label}"
                problems.append(f"{side} {shape}: {problem}")
    report(problems)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("sign", ["+", "-", "*", "/", "**"])
def test_numbers_beside_a_tensor_leave_its_gradients_dtype(sign: str, dtype: str) -> None:
    for number, shape in product(
        (True, 2, 0.5, np.float64(0.5), np.float32(2), np.int64(2), np.array(0.5)), [(2,), ()]
    ):
        for turned in (False, True):
            x = tg.tensor(values(shape, dtype, 1), requires_grad=True)
            out = SIGNS[sign](number, x) if turned else SIGNS[sign](x, number)
            out.sum().backward()
            assert x.grad is not None
            assert (name_of(out), name_of(x.grad), x.grad.shape) == (dtype, dtype, shape), (number, turned)


@pytest.mark.parametrize("sign", SIGNS)
def test_numpys_numbers_are_weak_as_pythons(sign: str) -> None:
    """NumPy's scalars and 0-d arrays of every dtype: the same dtype and values as Python's number, on either side."""
    for dtype, kind, shape in product(DTYPES, DTYPES, [(2,), ()]):
        if sign == "-" and "bool" in (dtype, kind):
            continue
        scalar = np.dtype(kind).type(1)
        for number in (scalar, np.array(scalar)):
            x = tg.tensor(values(shape, dtype, 2))
            for turned in (False, True):
                call = SIGNS[sign]
                found = attempt(call, number, x) if turned else attempt(call, x, number)
                expected = attempt(call, scalar.item(), x) if turned else attempt(call, x, scalar.item())
                if isinstance(expected, Exception):
                    assert type(found) is type(expected), (dtype, kind, number, turned)
                    continue
                assert isinstance(found, tg.Tensor), (dtype, kind, type(number), turned)
                assert (found.dtype, found.shape) == (expected.dtype, expected.shape), (
                    dtype,
                    kind,
                    type(number),
                    turned,
                )
                assert found.tolist() == expected.tolist()


def test_subclasses_of_pythons_numbers_are_numbers() -> None:
    x = tg.tensor([1.0, 2.0], dtype=tg.float16, requires_grad=True)
    for out in (x * Level.TWO, Level.TWO * x):
        assert (name_of(out), out.tolist()) == ("float16", [2.0, 4.0])


def test_arrays_with_dimensions_meet_as_tensors(torch: Any) -> None:
    """PyTorch meets NumPy's arrays in this way where it takes them at all."""
    for a, b, sign in product(DTYPES, DTYPES, ("+", "*", "/")):
        x, array = values((2,), a, 2), values((2,), b)
        expected = SIGNS[sign](torch.tensor(x), torch.tensor(array))
        for found in (SIGNS[sign](tg.tensor(x), array), SIGNS[sign](array, tg.tensor(x))):
            assert isinstance(found, tg.Tensor)
            assert name_of(found) == name_of(expected), (a, sign, b)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_wrap(torch: Any, dtype: str) -> None:
    info = np.iinfo(dtype)
    ends = np.array([info.min, info.max], dtype)
    for call in (
        lambda x: x + 1, lambda x: 1 + x, lambda x: x - 2, lambda x: x * 3, lambda x: -x, lambda x: x**2,
        lambda x: x + x, lambda x: x + 300, lambda x: 1000 - x, lambda x: x[0] - 1, lambda x: x * -1, lambda x: abs(x),
    ):  # fmt: skip
        ours, theirs = call(tg.tensor(ends)), call(torch.tensor(ends))
        assert (name_of(ours), ours.tolist()) == (name_of(theirs), theirs.tolist())


# --- the default dtype


@pytest.mark.parametrize("default", FLOATS)
def test_integers_meet_floating_operations_in_the_default_dtype(torch: Any, default_dtype: None, default: str) -> None:
    tg.set_default_dtype(getattr(tg, default))
    torch.set_default_dtype(getattr(torch, default))
    calls: list[Callable[[Any, Any], Any]] = [
        lambda lib, x: x + 0.5,
        lambda lib, x: 0.5 * x,
        lambda lib, x: x / 2,
        lambda lib, x: x / x,
        lambda lib, x: x**0.5,
        lambda lib, x: 2.0**x,
        lambda lib, x: x.exp(),
        lambda lib, x: x.sqrt(),
        lambda lib, x: x.sigmoid(),
        lambda lib, x: x.tanh(),
        lambda lib, x: lib.maximum(x, lib.tensor(0.5)),
        lambda lib, x: lib.where(x > 1, x, 0.5),
        lambda lib, x: lib.where(x > 1, 1.0, 0.5),
        lambda lib, x: x.clamp(max=1.5),
        lambda lib, x: x.logsumexp(0),
        lambda lib, x: lib.cat([x, lib.tensor([0.5])]),
        lambda lib, x: x.mean(dtype=lib.float64),
        lambda lib, x: lib.nn.functional.mse_loss(x, lib.tensor([0.5, 1.5])),
    ]
    for i, (call, dtype) in enumerate(product(calls, ("bool", "int64", "uint8"))):
        ours, theirs = (attempt(call, lib, lib.tensor(values((2,), dtype))) for lib in (tg, torch))
        if dtype == "bool" and isinstance(theirs, Exception):
            continue
        assert not difference(ours, theirs), f"call {i // 3} of {dtype}: {difference(ours, theirs)}"


# --- reductions


REDUCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "sum": lambda lib, x: x.sum(),
    "sum of rows": lambda lib, x: x.sum(1),
    "sum in int32": lambda lib, x: x.sum(dtype=lib.int32),
    "sum in float64": lambda lib, x: lib.sum(x, 0, dtype=lib.float64),
    "sum in bool": lambda lib, x: x.sum(dtype=lib.bool),
    "mean": lambda lib, x: x.mean(),
    "mean in float32": lambda lib, x: x.mean(1, dtype=lib.float32),
    "max": lambda lib, x: x.max(),
    "max of rows": lambda lib, x: x.max(1).values,
    "its indices": lambda lib, x: x.min(0).indices,
    "amin": lambda lib, x: x.amin((0, 1)),
    "argmax": lambda lib, x: (x * 1).argmax(1),
    "any": lambda lib, x: x.any(),
    "all of rows": lambda lib, x: x.all(1),
    "var": lambda lib, x: x.var(),
    "std of rows": lambda lib, x: x.std(1, correction=0),
    "softmax in float64": lambda lib, x: x.softmax(1, dtype=lib.float64),
    "softmax": lambda lib, x: x.softmax(1),
    "logsumexp": lambda lib, x: x.logsumexp(1),
}


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions_have_pytorchs_dtypes(torch: Any, name: str) -> None:
    problems = []
    for dtype, shape in product(DTYPES, [(2, 3), (1, 1)]):
        numbers = values(shape, dtype)
        found, expected = (attempt(REDUCTIONS[name], lib, lib.tensor(numbers)) for lib in (tg, torch))
        problem = difference(found, expected)
        if problem:
            problems.append(f"{name} of {dtype} {shape}: {problem}")
    report(problems)


def test_sums_and_products_of_halves_are_computed_in_float32() -> None:
    """In float16 alone, adding 1 to 2048 changes nothing, and 65520 is infinite."""
    ones = tg.ones(4096, dtype=tg.float16)
    assert ones.sum().item() == 4096
    assert (ones.reshape(1, -1) @ ones.reshape(-1, 1)).item() == 4096
    assert ones.dot(ones).item() == 4096
    columns = tg.ones(4096, 2, dtype=tg.float16)  # NumPy itself adds up in wider numbers along the last dimension only
    assert columns.sum(0).tolist() == [4096, 4096] and columns.mean(0).tolist() == [1, 1]
    np.testing.assert_allclose((columns * 0 + 2).logsumexp(0).tolist(), 2 + np.log(4096), 1e-3)
    np.testing.assert_allclose(columns.softmax(0)[0].tolist(), 1 / 4096, 1e-3)
    large = tg.full((4,), 60000.0, dtype=tg.float16)
    assert large.mean().item() == 60000
    assert large.sum().item() == float("inf"), "the result itself does not fit"
    assert tg.tensor([60000.0, -60000.0, 100.0], dtype=tg.float16).sum().item() == pytest.approx(100, abs=1)
    assert large.var().item() == 0
    bias = tg.zeros(2, dtype=tg.float16, requires_grad=True)
    (bias + columns).sum().backward()
    assert bias.grad is not None and (bias.grad.tolist(), name_of(bias.grad)) == ([4096, 4096], "float16")
    (repeated,) = tg.autograd.grad(bias.expand(4096, 2).sum(), bias)
    assert (repeated.tolist(), name_of(repeated)) == ([4096, 4096], "float16")


# --- lists and three operands


ANY_TENSOR = st.tuples(st.sampled_from(DTYPES), st.sampled_from([(), (2,)]))


@given(members=st.lists(ANY_TENSOR, min_size=1, max_size=4))
def test_lists_meet_as_in_pytorch(torch: Any, members: list[tuple[str, tuple[int, ...]]]) -> None:
    joined = [[lib.tensor(values((2,), dtype)) for dtype, _ in members] for lib in (tg, torch)]
    assert not difference(tg.cat(joined[0]), torch.cat(joined[1]))
    assert not difference(tg.stack(joined[0]), torch.stack(joined[1]))


@given(x=ANY_TENSOR, low=ANY_TENSOR, high=ANY_TENSOR)
def test_three_operands_meet_as_in_pytorch(torch: Any, x: Any, low: Any, high: Any) -> None:
    def run(lib: Any, call: Any) -> Any:
        first, second, third = (
            lib.tensor(values(shape, dtype, i)) for i, (dtype, shape) in enumerate((x, low, high), 1)
        )
        return attempt(call, lib, first, second, third)

    calls: list[Callable[..., Any]] = [lambda lib, a, b, c: lib.where(a > 1, b, c)]
    if x[0] != "bool":
        calls.append(lambda lib, a, b, c: lib.clamp(a, b, c))
    for call in calls:
        assert not difference(run(tg, call), run(torch, call))


@given(x=st.sampled_from(FLOATS), y=st.sampled_from(FLOATS), reduction=st.sampled_from(["mean", "sum", "none"]))
def test_losses_of_two_dtypes(torch: Any, x: str, y: str, reduction: str) -> None:
    def run(lib: Any) -> list[Any]:
        a, b = lib.tensor(values((3,), x), requires_grad=True), lib.tensor(values((3,), y) / 4, requires_grad=True)
        loss = lib.nn.functional.mse_loss(a, b, reduction=reduction)
        return [loss, *lib.autograd.grad(loss.sum(), (a, b))]

    for ours, theirs in zip(run(tg), run(torch)):
        assert not difference(ours, theirs)


# --- dtypes that equal but are not the same object


def test_equal_dtypes_that_are_other_objects_meet() -> None:
    """NumPy's dtypes are not single objects after unpickling, with metadata, or under another name."""
    marked = np.dtype("f4", metadata={"unit": "m"})
    x = tg.ones(2)
    for other in (
        pickle.loads(pickle.dumps(x)),
        copy.deepcopy(x),
        tg.from_numpy(np.ones(2, marked)),
        tg.tensor(np.ones(2, ">f4")),
    ):
        assert (name_of(other * x), (other * x).tolist()) == ("float32", [1.0, 1.0])
        assert (x + other).tolist() == [2.0, 2.0]
    whole = tg.tensor([1]) * np.array([2], np.longlong)
    assert (name_of(whole), whole.tolist()) == ("int64", [2])
    assert name_of(x * np.ones(2, marked)) == "float32"


@pytest.mark.parametrize("array", [np.array([1], np.uint32), np.array([1j]), np.array(["a"]), np.array([None])])
def test_arrays_of_dtypes_that_no_tensor_has_are_named(array: Any) -> None:
    for call in (lambda: tg.ones(1) * array, lambda: array * tg.ones(1), lambda: tg.tensor([1]) + array):
        with pytest.raises((DtypeError, TypeError), match=str(array.dtype)) as caught:
            call()
        assert isinstance(caught.value, TinygradError)
