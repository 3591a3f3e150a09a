"""Every operation, driven by the table of cases: values, derivatives, dtypes, devices, rules as symbols, and PyTorch."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any

import cases
import numpy as np
import pytest
from cases import CASES, Case
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import tinygrad_dl as tg
from tinygrad_dl import nn
from tinygrad_dl.errors import ArgumentError, ArgumentTypeError, DeviceError, DtypeError, ShapeError, TinygradError

pytestmark = pytest.mark.filterwarnings(
    "ignore::RuntimeWarning:tinygrad_dl.*"
)  # pytest undoes the package's own filter

BY_OPERATION: dict[str, list[Case]] = {}
for _case in CASES:
    BY_OPERATION.setdefault(_case.operation, []).append(_case)
DIFFERENTIABLE = [name for name, members in BY_OPERATION.items() if any(case.differentiable for case in members)]
FLOATS = ("float64", "float32", "float16")
OTHERS = ("int64", "int32", "int8", "uint8", "bool")
CLOSE = {"float64": (1e-10, 1e-12), "float32": (3e-5, 1e-6), "float16": (6e-3, 2e-3)}

# What ours takes and PyTorch refuses, and the few results that differ on purpose, by operation, form and dtype.
MORE: list[tuple[str, str, str, str]] = [
    ("sub", "", "bool", "a mask may be subtracted, as in NumPy"),
    ("add", "add(x, y, alpha=)", "bool", "bools times an integer are integers"),
    ("clamp", "", "bool", "bools have no bounds in any form"),
    ("clamp", "clamp(x, -1, 1)", "uint8", "-1 is refused, not wrapped to 255"),
    ("clamp", "x.clip(-1, 1)", "uint8", "-1 is refused, not wrapped to 255"),
    ("clamp", "clamp(x, 1, -1)", "uint8", "-1 is refused, not wrapped to 255"),
    ("argmax", "", "bool", "the first True is a position too"),
    ("argmin", "", "bool", "the first False is a position too"),
    ("kthvalue", "indices", "int", "which of equal elements has the index"),
    ("histogram", "", "float16", "PyTorch takes it with edges or a range, and not without"),
    ("histogramdd", "", "float16", "PyTorch takes it with edges or a range, and not without"),
    ("gradient", "edge_order=2", "bool", "bools are refused in any form"),
    ("gradient", "edge_order=2", "float16", "what nearly cancels is rounded in another order"),
    ("kthvalue", "", "bool", "bools are refused, also a single one"),
    ("softmax", "", "int", "empty integers are refused as others are"),
    ("log_softmax", "", "int", "empty integers are refused as others are"),
    ("matmul", "", "bool", "empty bools are refused as others are"),
    *[
        (name, "", "bool", "empty bools are refused as others are")
        for name in "mm bmm mv addmm addmv multi_dot inner einsum".split()
    ],
    ("einsum", "'ij,jk->i'", "int", "a small integer and a sum, which is an int64, are refused also when empty"),
    ("linear", "", "bool", "empty bools are refused as others are"),
    ("index", "x[[[0, 1], [2, 0]]]", "", "one index of two rows, as in NumPy and as PyTorch announces"),
]
# Derivatives that PyTorch lacks or gets wrong.
NO_GRADIENT_THERE = {
    "2 % x",
    "clamp(x, y, z) [3, 2x3, 0-d]",
    "x.clamp(max=y, min=z) [3, 2x3, 0-d]",
    "clamp(x, min=y) [3, 2x3]",
    "x.clamp(max=y) [3, 2x3]",
    "addr(x, y, z.float32)",
}
NO_SECOND_DERIVATIVE = {"0 ** x"}  # 0 · infinity


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")


def report(problems: list[str]) -> None:
    """Fail with the first few problems of many."""
    assert not problems, f"{len(problems)} problems:\n" + "\n".join(problems[:15])


def on_purpose(case: Case, dtype: str) -> bool:
    kinds = ("int64", "int32", "int8", "uint8", "bool")
    return any(
        case.operation == operation and form in case.form and (dtype in kinds if kind == "int" else kind in dtype)
        for operation, form, kind, _ in MORE
    )


def name_of(dtype: Any) -> str:
    return str(dtype).rpartition(".")[2]


def host(tensor: Any) -> Any:
    """The values of a tensor of either library as a NumPy array."""
    return tensor.detach().cpu().numpy(force=True)


def difference(ours: Any, theirs: Any, tolerance: tuple[float, float]) -> str:
    """How two tensors differ, or an empty string."""
    if tuple(ours.shape) != tuple(theirs.shape):
        return f"shape {tuple(ours.shape)}, expected {tuple(theirs.shape)}"
    if name_of(ours.dtype) != name_of(theirs.dtype):
        return f"dtype {name_of(ours.dtype)}, expected {name_of(theirs.dtype)}"
    a, b = host(ours).astype(np.float64), host(theirs).astype(np.float64)
    if np.allclose(a, b, *tolerance, equal_nan=True):
        return ""
    return f"values {a.ravel()[:6]}, expected {b.ravel()[:6]}"


def tolerance(case: Case, dtype: str, outputs: list[Any]) -> tuple[float, float]:
    """The coarsest of the dtypes that took part."""
    names = [dtype, *(name_of(o.dtype) for o in outputs), *(["float32"] if "float32" in case.form else [])]
    return max(CLOSE.get(name, (0.0, 0.0)) for name in names)


def attempt(case: Case, lib: Any, dtype: str, **options: Any) -> tuple[list[Any], Any]:
    """The inputs and what came out of a case: outputs or an exception."""
    inputs = case.make(lib, dtype=dtype, **options)
    try:
        return inputs, case.outputs(case.run(lib, *inputs))
    except Exception as error:
        return inputs, error


def same_class(ours: Exception, theirs: Exception) -> bool:
    """Whether `except` clauses written for PyTorch catch ours; its NotImplementedError is a RuntimeError."""
    expected = RuntimeError if isinstance(theirs, NotImplementedError) else type(theirs)
    return isinstance(ours, expected) and isinstance(ours, TinygradError)


def gradients(lib: Any, inputs: list[Any], outputs: list[Any], **options: Any) -> list[Any]:
    """Derivatives of the outputs, with weights that are the same in both libraries, by the inputs that need them."""
    wanted = [x for x in inputs if x.requires_grad]
    roots = [o for o in outputs if o.requires_grad]
    weights = [lib.tensor(weight(o.shape, name_of(o.dtype)), device=o.device) for o in roots]
    return list(lib.autograd.grad(roots, wanted, weights, allow_unused=True, **options))


def weight(shape: Any, dtype: str) -> Any:
    return np.asarray(np.random.default_rng(1).uniform(0.5, 1.5, tuple(shape))).astype(dtype)


# --- the table is complete


def table_functions() -> dict[str, tuple[Any, str]]:
    """The public functions and methods that come from operations: name -> (owner, attribute)."""
    found: dict[str, tuple[Any, str]] = {}
    for owner, prefix in ((tg, ""), (nn.functional, "functional."), (tg.linalg, "linalg."), (tg.Tensor, "Tensor.")):
        for name, value in vars(owner).items():
            if isinstance(value, property):
                value = value.fget
            module = getattr(value, "__module__", "") or ""
            ours = (
                module.startswith("tinygrad_dl.ops")
                or hasattr(value, "operation")
                or module == "tinygrad_dl.nn.functional"
            )
            if (
                ours
                and callable(value)
                and not isinstance(value, type)
                and not name.startswith("_") | name.endswith("_")
            ):
                found[prefix + name] = (owner, name)
    return found


ELSEWHERE = {
    "functional.check_dropout": "no operation",
    "functional.dropout": "tests/nn",
    "Tensor.cpu": "test_devices below",
    "Tensor.cuda": "tests/gpu",
}


TABLE = os.path.dirname(cases.__file__)


@contextmanager
def counted(functions: dict[str, tuple[Any, str]]) -> Iterator[set[str]]:
    """While the block runs, note which functions the table's own lines call."""
    called: set[str] = set()
    before = {name: vars(owner)[attribute] for name, (owner, attribute) in functions.items()}

    def noting(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            if sys._getframe(1).f_code.co_filename.startswith(TABLE):
                called.add(name)
            return function(*args, **options)

        return call

    try:
        for name, (owner, attribute) in functions.items():
            value = before[name]
            wrapped = property(noting(name, value.fget)) if isinstance(value, property) else noting(name, value)
            setattr(owner, attribute, wrapped)
        yield called
    finally:
        for name, (owner, attribute) in functions.items():
            setattr(owner, attribute, before[name])


def test_every_public_operation_is_in_the_table() -> None:
    functions = table_functions()
    assert len(functions) > 150, "the search for operations finds them"
    with counted(functions) as called:
        for case in CASES:
            case.run(tg, *case.make(tg, grad=False))
    missing = sorted(functions.keys() - called - ELSEWHERE.keys())
    assert not missing, f"give these a case in tests/cases/: {missing}"


def test_names_of_cases_are_distinct() -> None:
    names = [case.name for case in CASES]
    assert len(names) == len(set(names))


# --- against PyTorch


@pytest.mark.parametrize("operation", BY_OPERATION)
def test_values_dtypes_and_derivatives_are_pytorchs(torch: Any, operation: str) -> None:
    """Every case in every dtype: both raise, or both give the same values, dtypes, shapes and gradients."""
    problems = []
    for case, dtype in product(BY_OPERATION[operation], FLOATS + OTHERS):
        if (all(d.fixed for d in case.draws) and dtype != "float64") or on_purpose(case, dtype):
            continue
        problem = compare(case, dtype, attempt(case, tg, dtype), (torch, *attempt(case, torch, dtype)))
        if problem:
            problems.append(f"{case.name} {dtype}: {problem}")
    report(problems)


def compare(case: Case, dtype: str, ours: tuple[list[Any], Any], theirs: tuple[Any, list[Any], Any]) -> str:
    (our_inputs, found), (torch, their_inputs, expected) = ours, theirs
    if isinstance(expected, Exception):
        if not isinstance(found, Exception):
            return f"PyTorch raises {expected!r}, ours gave {[name_of(o.dtype) for o in found]}"
        return "" if same_class(found, expected) else f"raises {found!r}, PyTorch {expected!r}"
    if isinstance(found, Exception):
        return f"raises {found!r}"
    if len(found) != len(expected):
        return f"{len(found)} outputs, expected {len(expected)}"
    for a, b in zip(found, expected):
        problem = difference(a, b, tolerance(case, dtype, found))
        if problem:
            return problem
        if a.requires_grad != b.requires_grad:
            return f"requires_grad is {a.requires_grad}, expected {b.requires_grad}"
    if not any(o.requires_grad for o in found):
        return ""
    if case.form in NO_GRADIENT_THERE or case.name.partition(": ")[2] in NO_GRADIENT_THERE:
        gradients(tg, our_inputs, found)
        return ""
    for i, (a, b) in enumerate(zip(gradients(tg, our_inputs, found), gradients(torch, their_inputs, expected))):
        if a is None or b is None:
            if a is not b:
                return f"gradient {i} is {a}, expected {b}"
            continue
        problem = difference(a, b, tuple(4 * t for t in tolerance(case, dtype, found)))  # type: ignore[arg-type]
        if problem:
            return f"gradient {i}: {problem}"
    return ""


@pytest.mark.parametrize("operation", DIFFERENTIABLE)
def test_second_derivatives_are_pytorchs(torch: Any, operation: str) -> None:
    problems = []
    for case in BY_OPERATION[operation]:
        left_out = case.form in NO_GRADIENT_THERE | NO_SECOND_DERIVATIVE or any(0 in d.shape for d in case.draws)
        if left_out or not case.differentiable:
            continue
        close = (1e-4, 1e-5) if "float32" in case.form else (1e-8, 1e-10)
        found, expected = (second_derivatives(lib, case) for lib in (tg, torch))
        for i, (a, b) in enumerate(zip(found, expected)):
            a = np.zeros(case.draws[i].shape) if a is None else host(a)
            b = np.zeros(case.draws[i].shape) if b is None else host(b)
            if not np.allclose(a, b, *close, equal_nan=True) and case.name.partition(": ")[2] not in NO_GRADIENT_THERE:
                problems.append(f"{case.name}, input {i}: {a.ravel()[:6]}, expected {b.ravel()[:6]}")
    report(problems)


def second_derivatives(lib: Any, case: Case) -> list[Any]:
    """The derivative of a nonlinear function of the first derivatives; None where they are constant."""
    inputs = case.make(lib)
    outputs = case.outputs(case.run(lib, *inputs))
    if not any(o.requires_grad for o in outputs):
        return []
    try:
        first = gradients(lib, inputs, outputs, create_graph=True)
    except RuntimeError:
        if lib is tg:
            raise
        return []  # PyTorch has not this derivative
    curved = [(g * g).sum() for g in first if g is not None and g.requires_grad]
    if not curved:
        return []
    wanted = [x for x in inputs if x.requires_grad]
    return list(lib.autograd.grad(sum(curved[1:], curved[0]), wanted, allow_unused=True))


SHAPES = st.integers(0, 3).flatmap(lambda n: npst.mutually_broadcastable_shapes(num_shapes=2, max_dims=n, max_side=3))
BINARY: dict[str, Callable[[Any, Any, Any], Any]] = {
    "add": lambda lib, x, y: x + y,
    "sub": lambda lib, x, y: x - y,
    "mul": lambda lib, x, y: x * y,
    "div": lambda lib, x, y: x / y,
    "pow": lambda lib, x, y: lib.pow(abs(x), y),
    "remainder": lambda lib, x, y: x % y,
    "maximum": lambda lib, x, y: lib.maximum(x, y),
    "minimum": lambda lib, x, y: lib.minimum(x, y),
    "where": lambda lib, x, y: lib.where(x > y, x, y),
    "clamp": lambda lib, x, y: lib.clamp(x + 0 * y, min=y),
    "eq": lambda lib, x, y: x == y,
    "lt": lambda lib, x, y: x < y,
}


@pytest.mark.parametrize("name", BINARY)
@given(shapes=SHAPES, seed=st.integers(0, 2**32 - 1))
def test_broadcasting_is_pytorchs(torch: Any, name: str, shapes: Any, seed: int) -> None:
    draw = np.random.default_rng(seed)
    arrays = [
        np.asarray(draw.uniform(0.1, 2, shape) * draw.choice([-1.0, 1.0], shape)) for shape in shapes.input_shapes
    ]

    def run(lib: Any) -> list[Any]:
        inputs = [lib.tensor(a, requires_grad=True) for a in arrays]
        out = BINARY[name](lib, *inputs)
        return [out, *(gradients(lib, inputs, [out]) if out.requires_grad else [])]

    for a, b in zip(run(tg), run(torch)):
        assert tuple(a.shape) == tuple(b.shape)
        np.testing.assert_allclose(host(a), host(b), 1e-10, 1e-12)


def test_nothing_warns_where_pytorch_is_silent() -> None:
    """In a fresh interpreter, since pytest keeps its own list of warnings to show."""
    program = """
import tinygrad_dl as tg
x = tg.tensor([0.0, -1.0, 1000.0, float("inf")], requires_grad=True)
y = x / 0 + x.log() + x.exp() + x.sqrt() + x**-1 + 0**x + x.softmax(0) + (x - x).sigmoid() + x % 0 + x // x.detach()
(y.detach() * x / x).sum().backward()
tg.zeros(0).mean(), tg.zeros(1).var(), tg.zeros(0, 3).log_softmax(0), tg.zeros(0).logsumexp(0), tg.tensor([1e30]).half().int()
tg.tensor([200], dtype=tg.uint8) * 2, tg.tensor(3) ** 100, -tg.tensor(1, dtype=tg.uint8), tg.tensor(float("nan")).long()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


# --- special values: zeros, infinities, NaN

SPECIAL = [0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, np.inf, -np.inf, np.nan, 1e30, -1e30, 1e-30, 88.0, -104.0]
UNARY_NAMES = "neg abs sign exp log sqrt sin cos tanh sigmoid relu isnan isinf isfinite logical_not".split()
BINARY_NAMES = """add sub mul div floor_divide remainder pow maximum minimum eq ne lt le gt ge logical_and logical_or
logical_xor""".split()
# Where PyTorch's choice has no meaning: the gradient of a NaN, a remainder of numbers 60 orders of magnitude apart.
UNSPECIFIED = {
    ("abs", "gradient"): np.isnan,
    ("relu", "gradient"): np.isnan,
    ("remainder", "value"): lambda x: np.abs(x) == 1e30,
}


def special_cases() -> Iterator[tuple[str, Callable[..., Any], list[Any]]]:
    x = np.array(SPECIAL)
    grid = [np.ascontiguousarray(a) for a in np.meshgrid(x, x)]
    for name in UNARY_NAMES:
        yield name, lambda lib, x, name=name: getattr(lib, name)(x), [x]
    for name in BINARY_NAMES:
        yield name, lambda lib, x, y, name=name: getattr(lib, name)(x, y), grid
    for exponent in (0, 1, 2, 3, -1, -2, 0.0, 1.5, 7, True, np.inf, np.nan):
        yield f"x ** {exponent}", lambda lib, x, n=exponent: x**n, [x]
    for base in (0, 1, 2, -1, -2, 0.5, np.inf):
        yield f"{base} ** x", lambda lib, x, n=base: n**x, [x]
    for low, high in ((0, None), (None, 1), (-1, 1), (np.nan, None), (-np.inf, np.inf)):
        yield f"clamp {low} {high}", lambda lib, x, a=low, b=high: lib.clamp(x, a, b), [x]
    yield "clamp by tensors", lambda lib, x, y: lib.clamp(x, y, y + 1), grid


@pytest.mark.parametrize(("name", "function", "arrays"), [pytest.param(*case, id=case[0]) for case in special_cases()])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_special_values_are_pytorchs(torch: Any, name: str, function: Any, arrays: list[Any], dtype: str) -> None:
    def run(lib: Any) -> list[Any]:
        inputs = [lib.tensor(a.astype(dtype), requires_grad=True) for a in arrays]
        out = function(lib, *inputs)
        if not out.requires_grad or name == "floor_divide":
            return [host(out)]
        return [host(out), *map(host, lib.autograd.grad(out, inputs, lib.ones_like(out)))]

    with np.errstate(all="ignore"):
        for i, (a, b) in enumerate(zip(run(tg), run(torch))):
            assert a.dtype == b.dtype
            unspecified = UNSPECIFIED.get((name, "gradient" if i else "value"))
            if unspecified is not None:
                a, b = (np.where(unspecified(arrays[0]), 0, values) for values in (a, b))
            np.testing.assert_allclose(a, b, 2e-5 if dtype == "float32" else 1e-11, 0, err_msg=f"output {i}")


ROWS = [
    [0, 1, 2], [1, 1, 1], [np.inf, 1, 2], [-np.inf, 1, 2], [np.inf, np.inf, 0], [-np.inf, -np.inf, -np.inf],
    [2, 2, 3], [1e4, -1e4, 0], [3, 3, 1], [np.nan, 1, 2], [-np.inf, np.inf, 1],
]  # fmt: skip
PICKERS = "max min cummax cummin median nanmedian".split()
REDUCERS: dict[str, Callable[[Any, Any], Any]] = {
    **{
        name: lambda lib, x, name=name: getattr(lib, name)(x)
        for name in "sum mean amax amin norm max min argmax argmin any all var std prod median nanmedian".split()
    },
    **{
        f"{name} of a row": lambda lib, x, name=name: getattr(lib, name)(x, 0)
        for name in "softmax log_softmax logsumexp amax argmin cumsum cumprod logcumsumexp".split()
    },
    **{f"{name} values": lambda lib, x, name=name: getattr(lib, name)(x, 0).values for name in PICKERS},
    **{f"{name} indices": lambda lib, x, name=name: getattr(lib, name)(x, 0).indices for name in PICKERS},
    **{f"{name} 0.4": lambda lib, x, name=name: getattr(lib, name)(x, 0.4) for name in ("quantile", "nanquantile")},
    "kthvalue": lambda lib, x: lib.kthvalue(x.detach(), 2).values,
    "std, correction 0": lambda lib, x: lib.std(x, correction=0),
    "cross_entropy": lambda lib, x: lib.nn.functional.cross_entropy(x, lib.tensor(1)),
    "cross_entropy of a batch": lambda lib, x: lib.nn.functional.cross_entropy(lib.stack([x, x]), lib.tensor([1, 0])),
}


# Gradients beside infinities are numbers where PyTorch has NaN (see differences.md), beside large ones more exact.
NUMBERS_FOR_NAN = {"cumprod of a row", "logcumsumexp of a row"}


@pytest.mark.parametrize("name", REDUCERS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_reductions_of_special_values_are_pytorchs(torch: Any, name: str, dtype: str) -> None:
    for row in ROWS:

        def run(lib: Any, row: list[float] = row) -> list[Any]:
            x = lib.tensor(np.array(row, dtype), requires_grad=True)
            out = REDUCERS[name](lib, x)
            return [host(out), *(map(host, lib.autograd.grad(out.sum(), x)) if out.requires_grad else [])]

        for a, b in zip(run(tg), run(torch)):
            assert a.dtype == b.dtype
            if name in NUMBERS_FOR_NAN:
                a = np.where(np.isnan(b), np.nan, a)
            close = 3e-5 if name in NUMBERS_FOR_NAN else 1e-5
            np.testing.assert_allclose(a, b, close, 3e-7, err_msg=f"of {row}")


# --- ties, where the derivative is a choice

TIES: list[tuple[str, Callable[..., Any], list[float], list[float]]] = [
    ("max along a dim: the first index", lambda lib, x: lib.max(x, 0).values, [1, 3, 3, 2], [0, 1, 0, 0]),
    ("min along a dim: the first index", lambda lib, x: lib.min(x, 0).values, [2, 1, 1, 3], [0, 1, 0, 0]),
    ("max of all: even", lambda lib, x: lib.max(x), [1, 3, 3, 3], [0, 1 / 3, 1 / 3, 1 / 3]),
    ("min of all: even", lambda lib, x: lib.min(x), [1, 1, 3, 3], [0.5, 0.5, 0, 0]),
    ("amax: even", lambda lib, x: lib.amax(x, 0), [4, 1, 4, 2], [0.5, 0, 0.5, 0]),
    ("amin: even", lambda lib, x: lib.amin(x), [0, 0, 0, 0], [0.25, 0.25, 0.25, 0.25]),
    ("maximum: half each", lambda lib, x: lib.maximum(x[:2], x[2:]).sum(), [1, 5, 1, 2], [0.5, 1, 0.5, 0]),
    ("minimum: half each", lambda lib, x: lib.minimum(x[:2], x[2:]).sum(), [1, 5, 1, 2], [0.5, 0, 0.5, 1]),
    ("maximum with itself", lambda lib, x: lib.maximum(x, x).sum(), [1, 2], [1, 1]),
    ("abs at 0", lambda lib, x: x.abs().sum(), [-1, 0, 2], [-1, 0, 1]),
    ("relu at 0", lambda lib, x: x.relu().sum(), [-1, 0, 2], [0, 0, 1]),
    ("clamp on the bounds", lambda lib, x: x.clamp(-1, 1).sum(), [-2, -1, 0, 1, 2], [0, 1, 1, 1, 0]),
    ("clamp with crossed bounds", lambda lib, x: x.clamp(1, -1).sum(), [-2, 0, 2], [0, 0, 0]),
    ("sign at 0", lambda lib, x: (x.sign() * x).sum(), [-1, 0, 2], [-1, 0, 1]),
    ("std of equal numbers", lambda lib, x: x.std(), [2, 2, 2], [0, 0, 0]),
    ("0 ** 0", lambda lib, x: (x**0).sum(), [0, 2], [0, 0]),
    ("0 ** 2", lambda lib, x: (x**2).sum(), [0, 3], [0, 6]),
    ("logsumexp of -inf", lambda lib, x: lib.logsumexp(x, 0), [-np.inf, 0], [0, 1]),
]


@pytest.mark.parametrize(("name", "function", "values", "expected"), TIES, ids=[tie[0] for tie in TIES])
def test_ties(name: str, function: Any, values: list[float], expected: list[float]) -> None:
    for lib in filter(None, (tg, sys.modules.get("torch"))):
        x = lib.tensor(values, dtype=lib.float64, requires_grad=True)
        (g,) = lib.autograd.grad(function(lib, x), x)
        np.testing.assert_allclose(host(g), expected, 1e-12, 0, err_msg=lib.__name__)


def test_the_gradient_of_the_exponent_exists() -> None:
    x, y = tg.tensor([2.0, 0.0], requires_grad=True), tg.tensor([3.0, 2.0], requires_grad=True)
    (x**y).sum().backward()
    np.testing.assert_allclose(host(x.grad), [12, 0])
    np.testing.assert_allclose(host(y.grad), [8 * np.log(2), 0], 1e-6)


# --- derivatives against central differences


@pytest.mark.parametrize("operation", DIFFERENTIABLE)
def test_first_derivatives_are_central_differences(operation: str) -> None:
    problems = []
    for case in checkable(operation):
        try:
            tg.gradcheck(lambda *xs, case=case: differentiable_outputs(case, xs), case.make(tg))
        except Exception as error:
            problems.append(f"{case.name}: {error!r}")
    report(problems)


@pytest.mark.parametrize("operation", DIFFERENTIABLE)
def test_second_derivatives_are_central_differences(operation: str) -> None:
    """One sample for each form; the samples differ in shapes, and these the first derivatives and PyTorch have tested."""
    problems = []
    forms: dict[str, Case] = {}
    for case in checkable(operation):
        if case.form not in NO_SECOND_DERIVATIVE:
            forms.setdefault(case.form, case)
    for case in forms.values():
        inputs = case.make(tg)
        first = gradients(tg, inputs, differentiable_outputs(case, inputs), create_graph=True)
        if not any(g is not None and g.requires_grad for g in first):
            continue  # constant
        try:
            tg.gradgradcheck(lambda *xs, case=case: differentiable_outputs(case, xs), inputs, atol=1e-4)
        except Exception as error:
            problems.append(f"{case.name}: {error!r}")
    report(problems)


def checkable(operation: str) -> list[Case]:
    """The cases whose outputs have a derivative that small steps show in float64."""
    return [case for case in BY_OPERATION[operation] if case.differentiable and "float32" not in case.form]


def differentiable_outputs(case: Case, inputs: Any) -> tuple[Any, ...]:
    return tuple(o for o in case.outputs(case.run(tg, *inputs)) if o.requires_grad)


THIRD: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "pow": (lambda x: x**4, lambda x: 24 * x),
    "pow by a fraction": (lambda x: x**2.5, lambda x: 1.875 * x**-0.5),
    "exp": (lambda x: x.exp(), np.exp),
    "log": (lambda x: x.log(), lambda x: 2 / x**3),
    "sin": (lambda x: x.sin(), lambda x: -np.cos(x)),
    "cos": (lambda x: x.cos(), np.sin),
    "sqrt": (lambda x: x.sqrt(), lambda x: 0.375 * x**-2.5),
    "tanh": (lambda x: x.tanh(), lambda x: (1 - np.tanh(x) ** 2) * (6 * np.tanh(x) ** 2 - 2)),
    "sigmoid": (lambda x: x.sigmoid(), lambda x: (s := 1 / (1 + np.exp(-x))) * (1 - s) * (1 - 6 * s + 6 * s * s)),
    "div": (lambda x: 1 / x, lambda x: -6 / x**4),
    "mul": (lambda x: x * x * x, lambda x: 6 + 0 * x),
    "exponent": (lambda x: 2**x, lambda x: np.log(2) ** 3 * 2**x),
}


@pytest.mark.parametrize("name", THIRD)
def test_third_derivatives(name: str) -> None:
    function, expected = THIRD[name]
    x = tg.tensor([0.3, 0.7, 1.4], dtype=tg.float64, requires_grad=True)
    derivative = function(x)
    for _ in range(3):
        (derivative,) = tg.autograd.grad(derivative.sum(), x, create_graph=True)
    np.testing.assert_allclose(host(derivative), expected(host(x)), 1e-10)


THIRD_OF_SEVERAL: dict[str, Callable[[Any, Any], Any]] = {
    "softmax": lambda lib, x: lib.softmax(x, 1)[:, 0],
    "log_softmax": lambda lib, x: lib.log_softmax(x, 1)[:, 0],
    "logsumexp": lambda lib, x: lib.logsumexp(x, 1),
    "cross_entropy": lambda lib, x: lib.nn.functional.cross_entropy(x, lib.tensor([0, 2])),
    "bce": lambda lib, x: lib.nn.functional.binary_cross_entropy_with_logits(x, lib.sigmoid(x * x)),
    "var": lambda lib, x: lib.var(x, 1) ** 2,
    "std": lambda lib, x: lib.std(x, 1),
    "matmul": lambda lib, x: x @ x.T @ x,
    "mean": lambda lib, x: (x.mean(0) * x).mean(1) * x[:, 0],
    "pow": lambda lib, x: lib.pow(lib.exp(x), x),
    "index": lambda lib, x: x[[0, 1, 0], [0, 0, 2]] ** 3,
    "where": lambda lib, x: lib.where(x > 0, x**3, x.sin()),
}


@pytest.mark.parametrize("name", THIRD_OF_SEVERAL)
def test_third_derivatives_of_many_inputs_are_pytorchs(torch: Any, name: str) -> None:
    values = np.random.default_rng(3).normal(size=(2, 3))

    def third(lib: Any) -> Any:
        x = lib.tensor(values, requires_grad=True)
        derivative = THIRD_OF_SEVERAL[name](lib, x)
        for step in range(3):
            scaled = (derivative * lib.tensor(weight(derivative.shape, "float64"))).sum()
            (derivative,) = lib.autograd.grad(scaled, x, create_graph=step < 2)
        return host(derivative)

    np.testing.assert_allclose(third(tg), third(torch), 1e-8, 1e-10)


# --- rules read as symbols


@pytest.mark.parametrize("operation", DIFFERENTIABLE)
def test_rules_read_as_symbols_compute_what_they_say(operation: str) -> None:
    symbol = pytest.importorskip("tinygrad_dl.viz.symbol", reason="tinygrad_dl.viz has no Symbol yet")
    problems, seen = [], set()
    for case in BY_OPERATION[operation]:
        if not case.differentiable:
            continue
        for node in nodes_behind(case.outputs(case.run(tg, *case.make(tg)))):
            key = (id(node.plan), case.form, str(node.shape))
            if key not in seen:
                seen.add(key)
                problem = reading_differs(symbol, node)
                if problem:
                    problems.append(f"{case.name}, {node.plan.operation.name}: {problem}")
    report(problems)


def nodes_behind(outputs: list[Any]) -> list[Any]:
    """Every node with rules that a result came from."""
    found: dict[int, Any] = {}
    waiting = [o.grad_fn for o in outputs if o.grad_fn is not None]
    while waiting:
        node = waiting.pop()
        if id(node) in found or isinstance(node, tg.Tensor):
            continue
        found[id(node)] = node
        waiting += node.parents if isinstance(node.parents, tuple) else [node.parents]
    return [node for node in found.values() if node.plan is not None]


def reading_differs(symbol: Any, node: Any) -> str:
    """How the rules of a node, read as symbols and evaluated, differ from the rules on arrays; empty if they don't."""
    values: dict[str, Any] = {}

    def stand_in(name: str, value: Any) -> Any:
        if isinstance(value, list | tuple) and value and all(hasattr(part, "dtype") for part in value):
            return type(value)(stand_in(f"{name}{i}", part) for i, part in enumerate(value))
        if not hasattr(value, "dtype") or isinstance(value, np.dtype):
            return value
        values[name] = value
        return symbol.Symbol(name, value.shape, value.dtype)

    plan, saved, mask = node.plan, node.saved, None
    if plan.listed is not None:
        saved, mask = saved
    pairs = zip(plan.names, plan.saved_values(saved))
    stand_ins = tuple(value if name == "index" else stand_in(name, value) for name, value in pairs)
    held = stand_ins if len(plan.names) > 1 else stand_ins[0] if stand_ins else None
    shapes = node.shape if isinstance(node.shape, list) else [(node.shape, np.dtype("float64"))]
    g = tuple(np.asarray(weight(shape, dtype.name)) for shape, dtype in shapes)
    upstream = g if isinstance(node.shape, list) else g[0]
    expected = symbol.contributions(plan, (saved, mask) if plan.listed is not None else saved, upstream)
    read = symbol.contributions(plan, (held, mask) if plan.listed is not None else held, stand_in("g", upstream))
    for a, b in zip(read, expected, strict=True):
        if a is None and b is None:  # no derivative
            continue
        found = a.evaluate(values) if isinstance(a, symbol.Symbol) else a
        if np.shape(found) != np.shape(b) or not np.allclose(found, b, 1e-12, 1e-14, equal_nan=True):
            return f"{a!r} is {np.asarray(found).ravel()[:4]}, the rule gives {np.asarray(b).ravel()[:4]}"
    return ""


# --- devices


@pytest.mark.parametrize("operation", BY_OPERATION)
def test_results_on_strict_are_those_of_the_cpu(operation: str) -> None:
    problems = []
    for case, dtype in product(BY_OPERATION[operation], ("float32", "float64")):
        results = []
        for device in ("cpu", "strict"):
            inputs = case.make(tg, device=device, dtype=dtype)
            outputs = case.outputs(case.run(tg, *inputs))
            found = gradients(tg, inputs, outputs) if any(o.requires_grad for o in outputs) else []
            if ".cpu()" not in case.form and any(o.device.type != device for o in outputs):
                problems.append(f"{case.name} {dtype}: a result of {device} inputs is elsewhere")
            results.append([host(t) for t in (*outputs, *found) if t is not None])
        if not all(np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in zip(*results)):
            problems.append(f"{case.name} {dtype}: other numbers on strict")
    report(problems)


def test_results_on_strict_of_float16_and_integers() -> None:
    problems = []
    for case, dtype in product(CASES, ("float16", "int64", "bool")):
        _, expected = attempt(case, tg, dtype)
        inputs = case.make(tg, device="strict", dtype=dtype)
        try:
            found: Any = case.outputs(case.run(tg, *inputs))
        except Exception as error:
            found = error
        if isinstance(expected, Exception) or isinstance(found, Exception):
            if type(expected) is not type(found):
                problems.append(f"{case.name} {dtype}: {found!r}, on the CPU {expected!r}")
        elif not all(np.array_equal(host(a), host(b), equal_nan=True) for a, b in zip(found, expected)):
            problems.append(f"{case.name} {dtype}: other numbers on strict")
    report(problems)


def test_mixed_devices_are_refused_by_every_operation() -> None:
    """An error that names both devices; 0-d tensors of the CPU mix with all, as in PyTorch."""
    problems = []
    for case in CASES:
        several = [d for d in case.draws if d.shape]
        if len(several) < 2 or len(several) < len(case.draws) or "one_hot" in case.operation:
            continue
        inputs = case.make(tg)
        inputs[0] = inputs[0].detach().to("strict")
        try:
            case.run(tg, *inputs)
        except DeviceError as error:
            if "'strict'" not in str(error) or "'cpu'" not in str(error):
                problems.append(f"{case.name}: {error}")
        except Exception as error:
            problems.append(f"{case.name}: {error!r}")
        else:
            problems.append(f"{case.name}: no error")
    report(problems)


def test_moves_between_devices_carry_the_gradient() -> None:
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    moved = x.to("strict")
    (moved * moved).sum().backward()
    assert x.grad is not None and x.grad.device.type == "cpu" and x.grad.tolist() == [2.0, 4.0]
    assert x.cpu() is x and moved.cpu().device.type == "cpu"
    assert (tg.tensor(2.0) * tg.ones(2, device="strict")).device.type == "strict"
    assert (tg.ones(2, device="strict") - tg.tensor(2.0, requires_grad=True)).requires_grad


def walks_after_an_edit(lib: Any, case: Case, place: int) -> bool | None:
    """Whether backward still works once an input, or the output (-1), was overwritten; None where nothing is to see."""
    inputs = [x * 1 if x.requires_grad else x for x in case.make(lib)]
    outputs = [out for out in case.outputs(case.run(lib, *inputs)) if out.requires_grad]
    roots = [(out * 1).sum() for out in outputs]
    try:
        with lib.no_grad():
            for edited in outputs if place == -1 else [inputs[place]]:
                edited.zero_()
    except RuntimeError:  # a broadcast view
        return None
    try:
        lib.autograd.backward(roots)
    except RuntimeError:
        return False
    return True


KEEPS_MORE = {
    "take_along_dim",
    "matmul",
    "cross_entropy",
    "kron",
    "einsum",
    "tensordot",
}  # PyTorch saves copies of some inputs


@pytest.mark.parametrize("operation", [name for name in DIFFERENTIABLE if name not in KEEPS_MORE])
def test_edits_that_pytorch_allows_are_allowed(torch: Any, operation: str) -> None:
    """A rule may ask for no more than what PyTorch saves: else an edit would raise here only."""
    problems = []
    for case in BY_OPERATION[operation]:
        if case.differentiable:
            for place in range(-1, len(case.draws)):
                if walks_after_an_edit(torch, case, place) and walks_after_an_edit(tg, case, place) is False:
                    problems.append(f"{case.name}: backward raises after an edit of {place if place >= 0 else 'out'}")
    report(problems)


# --- forms in place

IN_PLACE: dict[str, Callable[..., Any]] = {
    "add_": lambda x, y: x.add_(y),
    "add_ alpha": lambda x, y: x.add_(y, alpha=2),
    "sub_": lambda x, y: x.sub_(y),
    "mul_": lambda x, y: x.mul_(y),
    "div_": lambda x, y: x.div_(y),
    "div_ trunc": lambda x, y: x.div_(y, rounding_mode="trunc"),
    "floor_divide_": lambda x, y: x.floor_divide_(y),
    "remainder_": lambda x, y: x.remainder_(y),
    "pow_": lambda x, y: x.pow_(2),
    "neg_": lambda x, y: x.neg_(),
    "sign_": lambda x, y: x.sign_(),
    "abs_": lambda x, y: x.abs_(),
    "exp_": lambda x, y: x.exp_(),
    "log_": lambda x, y: x.log_(),
    "sqrt_": lambda x, y: x.sqrt_(),
    "sin_": lambda x, y: x.sin_(),
    "cos_": lambda x, y: x.cos_(),
    "tanh_": lambda x, y: x.tanh_(),
    "sigmoid_": lambda x, y: x.sigmoid_(),
    "relu_": lambda x, y: x.relu_(),
    "clamp_": lambda x, y: x.clamp_(-1, 1),
    "clip_": lambda x, y: x.clip_(min=0),
    "renorm_": lambda x, y: x.renorm_(2, 0, 1.5),
    "cumsum_": lambda x, y: x.cumsum_(0),
    "cumsum_ dtype": lambda x, y: x.cumsum_(-1, dtype=x.dtype),
    "cumprod_": lambda x, y: x.cumprod_(-1),
    "copy_": lambda x, y: x.copy_(y),
    "fill_": lambda x, y: x.fill_(3),
    "zero_": lambda x, y: x.zero_(),
    "+=": lambda x, y: x.__iadd__(y),
    "-=": lambda x, y: x.__isub__(y),
    "*=": lambda x, y: x.__imul__(y),
    "/=": lambda x, y: x.__itruediv__(y),
    "//=": lambda x, y: x.__ifloordiv__(y),
    "%=": lambda x, y: x.__imod__(y),
    "**=": lambda x, y: x.__ipow__(2),
    "+= 1.5": lambda x, y: x.__iadd__(1.5),
    "*= 2": lambda x, y: x.__imul__(2),
    "/= 2": lambda x, y: x.__itruediv__(2),
    "-= True": lambda x, y: x.__iadd__(True),
    "&=": lambda x, y: x.__iand__(y),
    "|=": lambda x, y: x.__ior__(y),
    "^=": lambda x, y: x.__ixor__(y),
    "add_ of a scalar in a fraction": lambda x, y: x.add_(0.5),
    "fill_ with a tensor": lambda x, y: x.fill_(y.reshape(-1)[0]),
    "fill_ too large": lambda x, y: x.fill_(1000),
    "copy_ another dtype": lambda x, y: x.copy_(y.double()),
    "masked_fill_": lambda x, y: x.masked_fill_(x > 0, 2),
    "masked_fill_ with a tensor": lambda x, y: x.masked_fill_(x > 0, y.reshape(-1)[0]),
    "masked_scatter_": lambda x, y: x.masked_scatter_(x > 0, y.to(x.dtype)),
    "index_fill_": lambda x, y: x.index_fill_(-1, (y[..., :1] * 0).long().reshape(-1)[:1], 3),
    "index_copy_": lambda x, y: x.index_copy_(0, (y > 9).long().reshape(-1)[:1], x[1:2].clone()),
    "index_add_": lambda x, y: x.index_add_(0, (y > 9).long().reshape(-1)[:1], x[1:2].clone(), alpha=1),
    "index_put_": lambda x, y: x.index_put_(((y > 9).long().reshape(-1)[:1],), y.to(x.dtype)),
    "addmm_": lambda x, y: x.addmm_(x[:, :2].clone(), x[:2].clone(), beta=2),
    "addmm_ of another dtype": lambda x, y: x.addmm_(x[:, :2].clone(), y[:2]),
    "addmv_": lambda x, y: x.addmv_(x[:, None] * x, x.clone(), alpha=2),
    "addr_": lambda x, y: x.addr_(x[:, 0].clone(), x[0].clone()),
    "addbmm_": lambda x, y: x.addbmm_(x[None, :, :2].clone(), x[None, :2].clone()),
    "baddbmm_": lambda x, y: (x.unsqueeze(0).baddbmm_(x[None, :, :2].clone(), x[None, :2].clone()), x)[1],
    "index_put_ adding": lambda x, y: x.index_put_((x > 0,), y.to(x.dtype).reshape(-1)[:1], accumulate=True),
}


MORE_IN_PLACE = {  # see MORE
    ("bool", "sub_"),
    ("bool", "cumsum_"),
    ("bool", "cumsum_ dtype"),
    ("bool", "cumprod_"),
    ("bool", "-="),
    ("bool", "add_ alpha"),
    ("bool", "clamp_"),
    ("bool", "clip_"),
    ("uint8", "clamp_"),
    ("uint8", "masked_fill_ with a tensor"),
}


@pytest.mark.parametrize("name", IN_PLACE)
def test_forms_in_place_are_pytorchs(torch: Any, name: str) -> None:
    """On tensors without a gradient, contiguous or not: the same values, the same tensor; or both refuse."""
    problems = []
    for dtype, other, (shape, second), layout in product(
        ("float32", "float64", "float16", "int64", "uint8", "bool"),
        ("float32", "int64", "bool"),
        [((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 3), ()), ((), ()), ((3,), (2, 3)), ((), (1,))],
        ("plain", "transposed"),
    ):
        if (dtype, name) in MORE_IN_PLACE or (other == "bool" and name in ("sub_", "-=")):
            continue
        results = []
        for lib in (tg, torch):
            draws = [cases.Draw(shape, layout=layout if len(shape) == 2 else "plain"), cases.Draw(second)]
            draw = np.random.default_rng(5)
            x, y = (d.tensor(lib, d.values(draw, kind), "cpu") for d, kind in zip(draws, (dtype, other)))
            try:
                out = IN_PLACE[name](x, y)
                results.append(out if out is x else AssertionError("another tensor came back"))
            except Exception as error:
                results.append(error)
        found, expected = results
        where = f"{dtype} {shape} {layout} with {other} {second}"
        if isinstance(expected, Exception):
            if not isinstance(found, Exception) or not same_class(found, expected):
                problems.append(f"{where}: {found!r}, PyTorch {expected!r}")
        elif isinstance(found, Exception):
            problems.append(f"{where}: {found!r}")
        else:
            problem = difference(found, expected, CLOSE.get(dtype, (0.0, 0.0)))
            if problem:
                problems.append(f"{where}: {problem}")
    report(problems)


def test_every_form_in_place_is_tested() -> None:
    tested = " ".join(inspect.getsource(function) for function in IN_PLACE.values())
    elsewhere = {"requires_grad_", "detach_", "normal_", "uniform_"}  # flags, and test_random.py
    forms = [name for name in dir(tg.Tensor) if name.endswith("_") and not name.startswith("_")]
    assert len(forms) > 20
    assert [name for name in forms if f".{name}(" not in tested and name not in elsewhere] == []


# --- small methods

PROPERTIES: dict[str, Callable[[Any, Any], Any]] = {
    "size": lambda lib, x: (tuple(x.size()), x.size(0), x.size(-1), x.size(dim=1)),
    "shape": lambda lib, x: (tuple(x.shape), x.shape.numel(), tuple(x.shape[:1]), x.shape == (2, 3)),
    "dim": lambda lib, x: (x.dim(), x.ndim, x.ndimension()),
    "numel": lambda lib, x: (x.numel(), x.nelement(), lib.numel(x), len(x)),
    "stride": lambda lib, x: (x.stride(), x.stride(0), x.t().stride(-1), x[:, ::2].stride()),
    "is_contiguous": lambda lib, x: (x.is_contiguous(), x.t().is_contiguous(), x.t().contiguous().is_contiguous()),
    "element_size": lambda lib, x: (x.element_size(), x.itemsize, x.nbytes),
    "is_floating_point": lambda lib, x: (x.is_floating_point(), x.long().is_floating_point(), x.is_complex()),
    "item": lambda lib, x: (x[0, 0].item(), x[:1, :1].item(), x.long()[1, 2].item(), (x > 1)[0, 0].item()),
    "types of item": lambda lib, x: [type(y[0, 0].item()).__name__ for y in (x, x.double(), x.long(), x > 0)],
    "tolist": lambda lib, x: (x.tolist(), x[0, 0].tolist(), x.long().tolist(), (x > 1).tolist()),
    "float": lambda lib, x: (float(x[0, 1]), int(x[1, 2]), bool(x[0, 0]), f"{x[1, 1]:.2f}"),
    "index": lambda lib, x: ([10, 20, 30][lib.tensor(1)], list(range(lib.tensor(3)))),
    "iteration": lambda lib, x: ([row.tolist() for row in x], [float(v) for v in x[0]], len(x[:0])),
    "in": lambda lib, x: (2.0 in x, 7 in x, x[0, 1] in x),
    "numpy": lambda lib, x: (x.numpy().tolist(), x.numpy().dtype.name, x.t().numpy().flags.c_contiguous),
    "array": lambda lib, x: (np.asarray(x).tolist(), np.array(x).dtype.name, np.asarray(x, dtype="float64").dtype.name),
    "requires_grad": lambda lib, x: (x.requires_grad, x.is_leaf, x.grad is None, x.grad_fn is None),
    "detach": lambda lib, x: (x.requires_grad_().detach().requires_grad, (x * 2).detach().is_leaf),
    "data": lambda lib, x: (x.data.tolist(), x.requires_grad_().data.requires_grad),
    "names of types": lambda lib, x: [y.type().rpartition(".")[2] for y in (x, x.double(), x.long(), x > 0, x.byte())],
    "what flattens nothing": lambda lib, x: ((v := x[0]).flatten() is v, x.flatten(1) is x, x[0, 0].flatten().shape[0]),
    "memory of their own": lambda lib, x: [part.detach_().sum().item() for part in (x * 2).max(0)],
    "order in memory": lambda lib, x: [
        y.is_contiguous()
        for y in (x[:, [1, 1]], x[..., None, [0, 2]], x[:, lib.tensor([True, False, True])], lib.cat([x.t(), x.t()], 1))
    ],
    "order in memory of what is reduced": lambda lib, x: [
        y.stride()
        for z in [lib.arange(24.0).reshape(2, 3, 4).permute(2, 1, 0)]
        for y in (
            z.sum(0),
            z.mean(1),
            z.amax(0),
            *z.max(0),
            *z.median(1),
            z.prod(0),
            z.var(0),
            z.any(0),
            z.logsumexp(0),
        )
    ],
    "order in memory of running results": lambda lib, x: [
        y.is_contiguous() for y in (x.t().cumsum(0), x.t().cumprod(1), x.t().softmax(0), *x.t().cummax(0))
    ],
    "max of a number": lambda lib, x: [(y := x[0, 0].requires_grad_().max(0).values).requires_grad, y.is_leaf],
    "hash": lambda lib, x: (len({x, x, x.clone()}), x in {x: 1}),
    "nothing equals None": lambda lib, x: (x == None, x != None),  # noqa: E711
    "truth": lambda lib, x: [bool(lib.tensor(v)) for v in (0, 1, 0.0, -2.5, True, [3])],
    "views share memory": lambda lib, x: (x.view(-1).data_ptr() == x.data_ptr(), x.clone().data_ptr() == x.data_ptr()),
}


@pytest.mark.parametrize("name", PROPERTIES)
def test_small_methods_are_pytorchs(torch: Any, name: str) -> None:
    found, expected = (PROPERTIES[name](lib, lib.arange(6.0).reshape(2, 3)) for lib in (tg, torch))
    assert repr(found) == repr(expected)


VIEWS: dict[str, Callable[[Any], Any]] = {
    "x[0]": lambda x: x[0],
    "x[0, 1]": lambda x: x[0, 1],
    "x[:, 1:]": lambda x: x[:, 1:],
    "x[0][1]": lambda x: x[0][1],
    "x.view": lambda x: x.view(3, 2)[1],
    "x.reshape": lambda x: x.reshape(-1)[2:4],
    "x.t()": lambda x: x.t()[1],
    "x.T": lambda x: x.T[2:],
    "x.unsqueeze": lambda x: x.unsqueeze(0)[0, 1],
    "x.squeeze": lambda x: x[:1].squeeze(),
    "x.flatten": lambda x: x.flatten()[3:],
    "x.permute": lambda x: x.permute(1, 0)[0],
    "x.expand that repeats nothing": lambda x: x.expand(1, -1, 3)[0, 1],
    "x.select": lambda x: x.select(1, 2),
    "x.split": lambda x: x.split(2, 1)[0],
    "x.detach": lambda x: x.detach(),
    "x.data": lambda x: x.data[1:],
    "iteration": lambda x: list(x)[1],
    "x.clone": lambda x: x.clone(),
    "x[[0]]": lambda x: x[[0]],
    "x.contiguous": lambda x: x.t().contiguous(),
}


@pytest.mark.parametrize("name", VIEWS)
def test_views_write_through_where_pytorchs_do(torch: Any, name: str) -> None:
    results = []
    for lib in (tg, torch):
        x = lib.arange(6.0).reshape(2, 3).clone()
        VIEWS[name](x).fill_(-1)
        results.append(x.tolist())
    assert results[0] == results[1]


def test_methods_are_the_functions() -> None:
    """A method and the function of its name run the same operation on the same arguments."""
    x = tg.tensor([[0.3, 0.8], [0.5, 0.2]])
    problems = []
    for name, (owner, attribute) in table_functions().items():
        function = vars(tg).get(attribute)
        method = vars(tg.Tensor).get(attribute)
        if (
            owner is not tg.Tensor
            or not callable(function)
            or not callable(method)
            or isinstance(function, types.ModuleType)
        ):
            continue
        one = function if hasattr(function, "operation") else getattr(function, "__wrapped__", function)
        if (
            getattr(one, "operation", one) is not getattr(method, "operation", method)
            and attribute not in DIFFERENT_FORMS
        ):
            problems.append(name)
    report(problems)
    assert x.add(1).tolist() == tg.add(x, 1).tolist()


DIFFERENT_FORMS = {"where", "reshape", "permute", "float", "int", "bool"}  # x.where(c, y); sizes one by one; casts


# --- bad input: our error, of the class that PyTorch raises, with what failed and what came

A23 = [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]


def f23(lib: Any) -> Any:
    return lib.tensor(A23)


def f3(lib: Any) -> Any:
    return lib.tensor([1.0, 2.0, 3.0])


def i3(lib: Any) -> Any:
    return lib.tensor([1, 2, 0])


def b3(lib: Any) -> Any:
    return lib.tensor([True, False, True])


INVALID: dict[str, tuple[Callable[[Any], Any], type[Exception], str]] = {
    "shapes": (lambda lib: f23(lib) + lib.ones(4), ShapeError, r"add: input \(2, 3\) and other " r"\(4,\) don't " r"broadcast: " r"dimension -1 is 3 and 4"),
    "text": (lambda lib: f3(lib) + "a", ArgumentTypeError, "add: other must be a " "Tensor, a NumPy " "array or a " "number, not str"),
    "None": (lambda lib: f3(lib) * None, ArgumentTypeError, "mul: other must be .*, not NoneType"),
    "a list": (lambda lib: f3(lib) - [1.0, 2.0, 3.0], ArgumentTypeError, "sub: other must be .*, not list"),
    "fraction " "of integers": (lambda lib: lib.add(i3(lib), i3(lib), alpha=0.5), DtypeError, "add: alpha must be " "an integer"),
    "rounding_mode": (lambda lib: lib.div(f3(lib), 2, rounding_mode="up"), ArgumentError, "rounding_mode is " "None, 'trunc' or " "'floor', " "not 'up'"),
    "division by zero": (lambda lib: i3(lib) // 0, ArgumentError, "floor_divide: integer division by zero"),
    "remainder by zero": (lambda lib: i3(lib) % i3(lib), ArgumentError, "remainder: integer division by zero"),
    "negative power": (lambda lib: i3(lib) ** -1, DtypeError, "pow: integers to the negative power -1"),
    "- of bools": (lambda lib: -b3(lib), DtypeError, "neg: a bool tensor can't be negated; use ~"),
    "bools subtracted": (lambda lib: b3(lib) - b3(lib), DtypeError, "sub: two bool tensors can't be subtracted"),
    "~ of floats": (lambda lib: ~f3(lib), ArgumentTypeError, "bitwise_not: float32 has no bits to turn"),
    "& of floats": (lambda lib: f3(lib) & f3(lib), DtypeError, "bitwise_and: not defined for float32"),
    "clamp without bounds": (lambda lib: lib.clamp(f3(lib)), ArgumentError, "at least one of min and max"),
    "where of floats": (lambda lib: lib.where(f3(lib), f3(lib), f3(lib)), DtypeError, "where: condition must be " "a bool tensor, float32"),
    "where of a list": (lambda lib: lib.where([True], f3(lib), f3(lib)), ArgumentTypeError, "where: condition " "must be a bool " "tensor, list came"),
    "into an integer": (lambda lib: i3(lib).add_(1.5), DtypeError, r"add_: a .*float32 " r"result can't " r"be written " r"into a .*int64 tensor"),
    "shape in place": (lambda lib: f3(lib).add_(f23(lib)), ShapeError, r"add_: the result has shape \(2, 3\)"),
    "dim": (lambda lib: f23(lib).sum(2), IndexError, r"sum: dim 2 is out of range, -2 to 1 would work"),
    "negative dim": (lambda lib: f23(lib).mean(-3), IndexError, "mean: dim -3 is out of range"),
    "dim twice": (lambda lib: f23(lib).sum((1, -1)), RuntimeError, "sum: .*dim"),
    "dim of text": (lambda lib: f3(lib).sum("a"), ArgumentTypeError, "sum: .*integer; got " "input float32 " "of shape " "\\(3,\\), dim 'a'"),
    "unknown argument": (lambda lib: f3(lib).sum(dims=0), ArgumentTypeError, "sum: there is no " "argument " "'dims'.*Did " "you mean 'dim'"),
    "unknown argument of max": (lambda lib: f3(lib).max(keep=True), ArgumentTypeError, "max: there is no " "argument 'keep'"),
    "mean of integers": (lambda lib: i3(lib).mean(), DtypeError, r"mean: a mean needs " r"floating " r"numbers, int64 " r"came; use input.float\(\)"),
    "var of integers": (lambda lib: i3(lib).var(), DtypeError, "var: floating numbers are needed, int64 came"),
    "max of nothing": (lambda lib: lib.zeros(0).max(), RuntimeError, r"max: an empty tensor \(shape \(0,\)\)"),
    "max along nothing": (lambda lib: lib.zeros(0, 3).max(0), IndexError, r"max: dimension 0 of shape \(0, 3\) has size 0"),
    "softmax's dim": (lambda lib: f3(lib).softmax(1), IndexError, "softmax: dim 1 is out of " "range for " "a tensor " "of 1 dimension"),
    "softmax of integers": (lambda lib: i3(lib).softmax(0), DtypeError, "softmax: " "floating numbers " "are needed, " "int64 came"),
    "reshape": (lambda lib: f3(lib).reshape(2, 2), ShapeError, r"reshape: shape \(2, " r"2\) has 4 " r"elements, the " r"input of shape \(3,\) has 3"),
    "two -1": (lambda lib: f3(lib).reshape(-1, -1), ShapeError, "only one size can be -1"),
    "no size": (lambda lib: f3(lib).reshape(), ArgumentTypeError, "reshape: the argument shape is missing"),
    "view": (lambda lib: f23(lib).t().view(6), ShapeError, r"view: .*\(3, 2\).* has " r"no view of " r"shape \(6,\); " r"use reshape"),
    "flatten": (lambda lib: f23(lib).flatten(1, 0), ShapeError, "start_dim 1 comes after end_dim 0"),
    "permute": (lambda lib: f23(lib).permute(0, 0), ShapeError, r"permute: dims \(0, 0\) must " r"name each " r"of the 2 " r"dimensions once"),
    "t": (lambda lib: lib.zeros(2, 2, 2).t(), ShapeError, r"t: a matrix has at most 2 " r"dimensions, " r"this tensor " r"has shape \(2, 2, 2\)"),
    "unsqueeze": (lambda lib: f3(lib).unsqueeze(2), IndexError, "unsqueeze: dim 2 is out of range"),
    "squeeze": (lambda lib: f3(lib).squeeze(1), IndexError, "squeeze: dim 1 is out of range"),
    "expand": (lambda lib: f23(lib).expand(2, 4), ShapeError, r"expand: dimension 1 has size 3 and can't become 4"),
    "cat": (lambda lib: lib.cat([f23(lib), lib.zeros(2, 2)]), ShapeError, r"cat: tensor 1 of " r"shape \(2, " r"2\) does " r"not fit \(2, 3\)"),
    "cat of nothing": (lambda lib: lib.cat([]), ArgumentError, "cat: the list of tensors is empty"),
    "cat of a number": (lambda lib: lib.cat([f3(lib), 1.0]), ArgumentTypeError, "cat: element 1 " "must be a " "Tensor, float came"),
    "stack": (lambda lib: lib.stack([f3(lib), lib.zeros(2)]), ShapeError, r"stack: all " r"tensors must " r"have one " r"shape, \(3,\), \(2,\) came"),
    "split": (lambda lib: f3(lib).split([1, 1]), ShapeError, r"split: the sizes " r"\[1, 1\] add " r"up to 2, " r"dimension 0 has 3"),
    "split of text": (lambda lib: f3(lib).split("a"), ArgumentTypeError, "split: sizes must be integers"),
    "matmul": (lambda lib: f23(lib) @ f23(lib), ShapeError, r"matmul: shapes \(2, 3\) and \(2, 3\) " r"can't be " r"multiplied: the last " r"dimension of the first \(3\)"),
    "matmul of dtypes": (lambda lib: f23(lib) @ f23(lib).t().double(), DtypeError, "matmul: both must " "have one " "dtype, float32 " "and float64 came"),
    "matmul by " "a number": (lambda lib: f23(lib) @ 2.0, ArgumentTypeError, "matmul: both must be " "tensors or " "arrays, float came"),
    "matmul of batches": (lambda lib: lib.zeros(2, 2, 2) @ lib.zeros(3, 2, 2), ShapeError, r"matmul: .*\(2, 2, " r"2\).*\(3, 2, 2\)"),
    "mm": (lambda lib: lib.mm(f3(lib), f3(lib)), ShapeError, r"mm: both must be " r"matrices, shapes " r"\(3,\) and " r"\(3,\) came"),
    "dot": (lambda lib: lib.dot(f3(lib), lib.zeros(2)), ShapeError, r"shapes \(3,\) and \(2,\)"),
    "linear": (lambda lib: lib.nn.functional.linear(f23(lib), lib.zeros(4, 2)), ShapeError, r"linear: input \(2, " r"3\) does " r"not fit " r"weight \(4, 2\)"),
    "bias": (lambda lib: lib.nn.functional.linear(f23(lib), lib.zeros(4, 3), f3(lib)), ShapeError, r"linear: bias " r"\(3,\) does " r"not fit weight \(4, 3\)"),
    "mse shapes": (lambda lib: lib.nn.functional.mse_loss(f3(lib), lib.zeros(2)), ShapeError, r"\(3,\).*\(2,\).*don't broadcast"),
    "reduction": (lambda lib: lib.nn.functional.mse_loss(f3(lib), f3(lib), reduction="avg"), ArgumentError, "reduction " "is 'mean', " "'sum' or " "'none', not 'avg'"),
    "loss of integers": (lambda lib: lib.nn.functional.mse_loss(i3(lib), i3(lib)), DtypeError, "mse_loss: a loss " "needs floating " "numbers, " ".*int64 came"),
    "bce shapes": (lambda lib: lib.nn.functional.binary_cross_entropy_with_logits(f3(lib), lib.zeros(3, 1)), ShapeError, r"target has " r"shape \(3, 1\), it " r"must have the " r"input's, \(3,\)"),
    "batch": (lambda lib: lib.nn.functional.cross_entropy(f23(lib), i3(lib)), ShapeError, r"target has shape " r"\(3,\), for an input of " r"shape \(2, 3\) " r"it must be \(2,\)"),
    "class": (lambda lib: lib.nn.functional.cross_entropy(f23(lib), lib.tensor([0, 3])), IndexError, "target holds " "the class 3, the " "input has 3 " "classes, numbered 0 to 2"),
    "class weights": (lambda lib: lib.nn.functional.cross_entropy(f23(lib), lib.tensor([0, 1]), weight=lib.ones(2)), ShapeError, r"weight has shape " r"\(2,\).*3 classes"),
    "label_smoothing": (lambda lib: lib.nn.functional.cross_entropy(f23(lib), lib.tensor([0, 1]), label_smoothing=2.0), ArgumentError, "between 0 " "and 1, 2.0 came"),
    "take_along_dim": (lambda lib: lib.take_along_dim(f23(lib), lib.tensor([0]), 1), ShapeError, r"indices of " r"shape \(1,\) do " r"not fit input " r"of shape \(2, 3\)"),
    "equal": (lambda lib: lib.equal(f3(lib), 3), ArgumentTypeError, "equal: other must be a Tensor, int came"),
    "allclose of dtypes": (lambda lib: lib.allclose(f3(lib), f3(lib).double()), DtypeError, "allclose: both must have one dtype, .*float32 and .*float64 came"),
    "allclose's rtol": (lambda lib: lib.allclose(f3(lib), f3(lib), rtol=-1.0), ArgumentError, "allclose: rtol and atol must not be negative"),
    "norm of integers": (lambda lib: i3(lib).norm(), DtypeError, "norm: floating numbers are needed, .*int64 came"),
    "norm's p": (lambda lib: f23(lib).norm("abc"), ArgumentError, "norm: p is a number, inf or .*'abc' came"),
    "norm fro": (lambda lib: lib.ones(2, 2, 2).norm("fro", (0, 1, 2)), ShapeError, r"norm: 'fro' is .*dim=\(0, 1, 2\)"),
    "renorm's p": (lambda lib: f23(lib).renorm(0, 0, 1), ArgumentError, "renorm: p must be above 0"),
    "renorm of a row": (lambda lib: f3(lib).renorm(2, 0, 1), ShapeError, r"renorm: input must have two .*\(3,\) came"),
    "prod over several": (lambda lib: f23(lib).prod((0, 1)), ArgumentTypeError, r"prod: dim must be an integer, not \(0, 1\)"),
    "cumsum's dim": (lambda lib: f3(lib).cumsum(1), IndexError, "cumsum: dim 1 is out of range"),
    "cumsum_'s dtype": (lambda lib: f3(lib).cumsum_(0, dtype=lib.float64), DtypeError, "cumsum_: the result has the tensor's dtype"),
    "logcumsumexp of integers": (lambda lib: i3(lib).logcumsumexp(0), DtypeError, "logcumsumexp: floating numbers are needed"),
    "median of bools": (lambda lib: b3(lib).median(), DtypeError, "median: bools have no median"),
    "median of nothing": (lambda lib: lib.zeros(2, 0).median(1), IndexError, r"median: dimension 1 of shape \(2, 0\) has size 0"),
    "mode of nothing": (lambda lib: lib.zeros(0).mode(), IndexError, r"mode: dimension -1 of shape \(0,\) has size 0"),
    "kthvalue": (lambda lib: f3(lib).kthvalue(4), ArgumentError, "kthvalue: k is from 1 to the size of dimension 0, 3; 4 came"),
    "quantile's q": (lambda lib: f3(lib).quantile(1.5), ArgumentError, "quantile: q lies between 0 and 1, 1.5 came"),
    "quantile's qs": (lambda lib: f3(lib).quantile(lib.tensor([0.5, -1.0])), ArgumentError, "quantile: q lies between 0 and 1, -1.0 to 0.5 came"),
    "quantile's dtype": (lambda lib: f3(lib).quantile(lib.tensor(0.5).double()), DtypeError, "quantile: q must have the input's dtype"),
    "quantile of integers": (lambda lib: i3(lib).quantile(0.5), DtypeError, "quantile: input must be float32 or float64, .*int64 came"),
    "quantile of nothing": (lambda lib: lib.zeros(0).quantile(0.5), ArgumentError, r"quantile: an empty tensor \(shape \(0,\)\)"),
    "interpolation": (lambda lib: f3(lib).quantile(0.5, interpolation="up"), ArgumentError, "interpolation is one of linear, .*'up' came"),
    "var_mean of integers": (lambda lib: lib.var_mean(i3(lib)), DtypeError, "var_mean: floating numbers are needed, int64 came"),
    "nanmean of integers": (lambda lib: i3(lib).nanmean(), DtypeError, "nanmean: floating numbers are needed"),
    "cov": (lambda lib: lib.ones(1, 1, 1).cov(), ShapeError, r"cov: variables are rows of a matrix, .*\(1, 1, 1\) came"),
    "cov's fweights": (lambda lib: f23(lib).cov(fweights=f3(lib)), DtypeError, "cov: fweights must be integers, .*float32 came"),
    "cov's aweights": (lambda lib: f23(lib).cov(aweights=lib.ones(2)), ShapeError, r"cov: aweights has shape \(2,\), there are 3"),
    "cov of bools": (lambda lib: b3(lib).cov(), DtypeError, "cov: bools have no covariance"),
    "corrcoef": (lambda lib: lib.ones(1, 1, 1).corrcoef(), ShapeError, "corrcoef: variables are rows"),
    "diff": (lambda lib: lib.diff(lib.tensor(1.0)), ShapeError, "diff: all tensors must have as many dimensions"),
    "diff's n": (lambda lib: lib.diff(f3(lib), -1), ArgumentError, "diff: n must be 0 or more, -1 came"),
    "gradient": (lambda lib: lib.gradient(lib.ones(1)), ShapeError, r"gradient: edge_order 1 needs 2 elements .*\(1,\) came"),
    "gradient's spacing": (lambda lib: lib.gradient(f23(lib), spacing=[1.0]), ShapeError, r"gradient: 2 dimension\(s\) need as many spacings, 1 came"),
    "gradient's edges": (lambda lib: lib.gradient(f3(lib), edge_order=3), ArgumentError, "gradient: edge_order is 1 or 2, 3 came"),
    "trapezoid": (lambda lib: lib.trapezoid(f3(lib), lib.ones(2)), ShapeError, "trapezoid: x has 2 elements, dimension 0 of y 3"),
    "trapezoid of a number": (lambda lib: lib.trapezoid(lib.tensor(1.0)), IndexError, "trapezoid: y needs a dimension"),
    "trapezoid of bools": (lambda lib: lib.trapezoid(b3(lib)), DtypeError, "trapezoid: bools have no area"),
    "bincount of floats": (lambda lib: lib.bincount(f3(lib)), DtypeError, "bincount: integers are counted, .*float32 came"),
    "bincount of -1": (lambda lib: lib.bincount(i3(lib) - 1), ArgumentError, "bincount: integers of 0 or more are counted, -1 came"),
    "bincount's weights": (lambda lib: lib.bincount(i3(lib), lib.ones(2)), ShapeError, r"bincount: weights have shape \(2,\)"),
    "bincount of a matrix": (lambda lib: lib.bincount(lib.ones(1, 1).long()), ShapeError, "bincount: input must have one dimension"),
    "histc's bins": (lambda lib: f3(lib).histc(0), ArgumentError, "histc: there must be at least one bin, 0 came"),
    "histc's range": (lambda lib: f3(lib).histc(3, 2, 1), ArgumentError, "histc: the range must not end before it begins, 2 to 1 came"),
    "histc of infinity": (lambda lib: (f3(lib) / 0).histc(3), ArgumentError, "histc: the range must be finite"),
    "histc of integers": (lambda lib: i3(lib).histc(3), DtypeError, "histc: floating numbers are needed, .*int64 came"),
    "histogram's edges": (lambda lib: f3(lib).histogram(lib.ones(1)), ArgumentError, "histogram: the edges are a row of two or more"),
    "histogram's weight": (lambda lib: f3(lib).histogram(3, weight=lib.ones(2)), ShapeError, r"histogram: weight has shape \(2,\)"),
    "histogram's bins": (lambda lib: f3(lib).histogram(3.0), ArgumentTypeError, "histogram: bins must be an integer, 3.0 came"),
    "histogramdd": (lambda lib: lib.histogramdd(lib.ones(2, 2), [1]), ShapeError, "histogramdd: points of 2 coordinates"),
    "sum_to_size": (lambda lib: f23(lib).sum_to_size(2, 2), ShapeError, r"sum_to_size: \(2, 2\) can't be repeated to \(2, 3\)"),
    "item": (lambda lib: f3(lib).item(), RuntimeError, r"item: only a tensor of one " r"element is a " r"number, this " r"one has shape \(3,\)"),
    "truth": (lambda lib: bool(f3(lib)), RuntimeError, r"a tensor of shape \(3,\) is neither true nor false"),
    "length": (lambda lib: len(lib.tensor(1.0)), TypeError, "len: a 0-d tensor has no length"),
    "iteration": (lambda lib: list(lib.tensor(1.0)), TypeError, "a 0-d tensor can't be iterated"),
    "gradient of integers": (lambda lib: i3(lib).requires_grad_(), RuntimeError, "only floating " "tensors can " "require gradients, " "this one is .*int64"),
    "an attribute": (lambda lib: f3(lib).rehsape(3), AttributeError, "no attribute 'rehsape'"),
    "numbers for tensors": (lambda lib: lib.exp(1.0), ArgumentTypeError, "exp: .*float.*tinygrad_dl.tensor"),
    "lists for tensors": (lambda lib: lib.max([1.0, 2.0]), ArgumentTypeError, "max: input must be a Tensor, list came"),
}  # fmt: skip


@pytest.mark.parametrize("name", INVALID)
def test_bad_input_is_explained(name: str) -> None:
    call, kind, message = INVALID[name]
    with pytest.raises(kind, match=f"(?s){message}") as caught:
        call(tg)
    assert isinstance(caught.value, TinygradError | AttributeError)
    assert caught.value.__cause__ is None and (caught.value.__context__ is None or caught.value.__suppress_context__), (
        "no traceback of NumPy's"
    )


@pytest.mark.parametrize("name", INVALID)
def test_bad_input_raises_what_pytorch_raises(torch: Any, name: str) -> None:
    call = INVALID[name][0]
    with pytest.raises(Exception) as expected:
        call(torch)
    with pytest.raises(Exception) as found:
        call(tg)
    wanted = RuntimeError if isinstance(expected.value, NotImplementedError) else type(expected.value)
    assert isinstance(found.value, wanted), f"{found.value!r}, PyTorch {expected.value!r}"
