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
from tinygrad_dl.errors import (
    ArgumentError,
    ArgumentTypeError,
    DeviceError,
    DtypeError,
    LinAlgError,
    ShapeError,
    TinygradError,
)
from tinygrad_dl.forms import OF_NN

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
    ("subtract", "", "bool", "a mask may be subtracted, as in NumPy"),
    ("rsub", "", "bool", "a mask may be subtracted, as in NumPy"),
    ("addcmul", "value=0.5", "int", "a fraction is refused, not cut to 0"),
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
        for name in "mm bmm mv addmm addmv multi_dot inner einsum bilinear".split()
    ],
    *[
        (name, "of nothing", kind, "matrices without elements are refused as others are")
        for name in "cdist pdist cholesky det eigh inv matrix_exp matrix_norm matrix_power matrix_rank pinv slogdet svd".split()
        for kind in ("float16", "int")
    ],
    ("hinge_embedding_loss", "", "int", "distances are floating numbers"),
    ("poisson_nll_loss", "", "bool", "a mask may be subtracted, as in NumPy"),
    ("cosine_embedding_loss", "", "uint8", "a target of 255 is not -1"),
    ("multi_margin_loss", "", "float16", "has a kernel here"),
    ("multilabel_margin_loss", "", "float16", "has a kernel here"),
    ("scaled_dot_product_attention", "of nothing", "int", "integers are refused also when empty"),
    ("matrix_exp", "", "float16", "PyTorch's are wrong"),
    ("cdist", "", "float16", "taken in every form, not only for many rows"),
    ("einsum", "'ij,jk->i'", "int", "a small integer and a sum, which is an int64, are refused also when empty"),
    ("linear", "", "bool", "empty bools are refused as others are"),
    *[
        (f"{way}pool{dims}d", "", kind, "pools every dtype that has an order or a sum")
        for way in ("max_", "max_un", "adaptive_max_", "avg_", "lp_")
        for dims in (1, 2, 3)
        for kind in ("float16", "int32", "int8", "uint8", *(["int64"] if way not in ("avg_", "lp_") else []))
    ],
    *[
        (f"conv{way}{dims}d", "", "int", "integers are convolved whatever the options")
        for way in ("", "_transpose")
        for dims in (1, 2, 3)
    ],
    ("affine_grid", "", "float16", "has a kernel here"),
    ("grid_sample", "", "float16", "computed in float32, which PyTorch does in part"),
    ("grid_sample", "bicubic, border, True", "float32", "what nearly cancels is rounded in another order"),
    ("interpolate", "antialias", "float16", "has a derivative here"),
    ("interpolate", "antialias", "int", "integers that need no resizing are refused as others are"),
    ("interpolate", "area", "int", "empty integers are refused as others are"),
    ("interpolate", "bilinear", "uint8", "bytes are refused as other integers are"),
    ("interpolate", "bicubic", "uint8", "bytes are refused as other integers are"),
    ("interpolate", "lanczos", "uint8", "bytes are refused as other integers are"),
    ("upsample_bilinear", "", "uint8", "bytes are refused as other integers are"),
    *[(f"{kind}_norm", "", "int", "empty integers are refused as others are") for kind in ("batch", "instance")],
    *[(name, "", "int", "integers are refused whatever p is") for name in ("dropout", "dropout2d", "alpha_dropout")],
    *[("local_response_norm", "", kind, "computes in every dtype") for kind in ("int", "float16")],
    ("index_reduce", "", "bool", "bools are reduced of any shape"),
    ("index", "x[[[0, 1], [2, 0]]]", "", "one index of two rows, as in NumPy and as PyTorch announces"),
    ("rrelu", "rrelu(x, 0.25, 0.25, True)", "float16", "has a kernel here"),
    ("round", "special.round(x)", "int", "integers are whole, as for round"),
    *[
        (name, "", "float16", "has a kernel here")
        for name in """erfcx log_ndtr ndtri i1 i1e zeta airy_ai bessel_j0 bessel_j1 bessel_y0 bessel_y1 modified_bessel_i0
        modified_bessel_i1 modified_bessel_k0 modified_bessel_k1 scaled_modified_bessel_k0 scaled_modified_bessel_k1
        spherical_bessel_j0""".split()
        + [name for name in BY_OPERATION if "polynomial" in name]
    ],
]
# Derivatives that PyTorch lacks or gets wrong.
NO_GRADIENT_THERE = {
    "interpolate(x, {'scale_factor': 1.1, 'mode': 'bilinear', 'antialias': True})",  # of a copy: that of resizing
    "functional.hardsigmoid(x)",  # multiplied by 1/6 of float32
    "hardsigmoid(x, inplace=True)",
    "vander(x)",
    "vander(x, N=4, increasing=True)",
    *["digamma(x)", "x.digamma()", "x.digamma_()", "special.digamma(x)", "special.psi(x)", "polygamma(0, x)"],  # 5e-10
    "2 % x",
    "clamp(x, y, z) [3, 2x3, 0-d]",
    "x.clamp(max=y, min=z) [3, 2x3, 0-d]",
    "clamp(x, min=y) [3, 2x3]",
    "x.clamp(max=y) [3, 2x3]",
    "addr(x, y, z.float32)",
    *[f"linalg.cond(x, {p})" for p in ("'fro'", "1", "-1", "inf", "-inf")],
}
NO_SECOND_DERIVATIVE = {"0 ** x", "embedding_bag(i, w, f)"}  # 0 · infinity; PyTorch has none


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


def counterpart(theirs: Exception) -> type[Exception]:
    """What scripts written for PyTorch's error catch of ours; its NotImplementedError is a RuntimeError."""
    if type(theirs).__name__ == "_LinAlgError":
        return tg.linalg.LinAlgError
    return RuntimeError if isinstance(theirs, NotImplementedError) else type(theirs)


def same_class(ours: Exception, theirs: Exception) -> bool:
    """Whether `except` clauses written for PyTorch catch ours."""
    return isinstance(ours, counterpart(theirs)) and isinstance(ours, TinygradError)


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
    owners = [(tg, ""), (tg.Tensor, "Tensor.")]
    owners += [(nn.functional, "functional."), (tg.linalg, "linalg."), (tg.special, "special.")]
    for owner, prefix in owners:
        for name, value in vars(owner).items():
            if isinstance(value, property):
                value = value.fget
            module = getattr(value, "__module__", "") or ""
            ours = not (prefix == "" and name in OF_NN) and (  # those are nn.functional's, once somebody asks for them
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
    "imag": "INVALID below",
    "Tensor.imag": "INVALID below",
    "functional.gumbel_softmax": "test_activation.py",
    "Tensor.cpu": "test_devices below",
    "Tensor.cuda": "tests/gpu",
    "linalg.eig": "refused, below",
    "linalg.eigvals": "refused, below",
    "Tensor.resize": "refused, see test_creation.py",
    "Tensor.resize_as": "refused",
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
    try:
        return list(lib.autograd.grad(sum(curved[1:], curved[0]), wanted, allow_unused=True))
    except RuntimeError:  # its NotImplementedError is one too
        if lib is tg:
            raise
        return []


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
UNARY_NAMES += """exp2 expm1 log2 log10 log1p tan asin acos atan sinh cosh asinh acosh atanh deg2rad rad2deg floor ceil
round trunc frac nan_to_num square reciprocal rsqrt sgn angle isposinf isneginf isreal signbit""".split()
BINARY_NAMES += """fmod fmax fmin copysign hypot atan2 logaddexp logaddexp2 nextafter isclose float_power""".split()
# Where PyTorch's choice has no meaning: the gradient of a NaN, a remainder of numbers 60 orders of magnitude apart.
UNSPECIFIED = {
    ("relu", "gradient"): np.isnan,
    ("remainder", "value"): lambda x: np.abs(x) == 1e30,
    ("fmod", "value"): lambda x: np.abs(x) == 1e30,
    ("logaddexp2", "value"): lambda x: x == -1,  # of two logarithms of 1/2 PyTorch's is not exactly 0
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
    [2, 2, 3], [1e4, -1e4, 0], [3, 3, 1], [np.nan, 1, 2], [-np.inf, np.inf, 1], [2, np.nan, 3],
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
    ("dist of what agrees", lambda lib, x: lib.dist(x, x.detach()), [1, 2], [0, 0]),
    ("fmax: the first", lambda lib, x: lib.fmax(x[:2], x[2:]).sum(), [1, 5, 1, 2], [1, 1, 0, 0]),
    (
        "cosine_similarity: as if eps were not there",
        lambda lib, x: lib.cosine_similarity(x[:2], x[2:], 0, 10.0),
        [1, 2, 3, 1],
        [0.03 - 0.005 / 5**0.5, 0.01 - 0.01 / 5**0.5, 0.01 - 0.015 / 10**0.5, 0.02 - 0.005 / 10**0.5],
    ),
    ("cdist at 0", lambda lib, x: lib.cdist(x[:2, None], x[1:, None]).sum(), [1, 2, 4], [-2, 0, 2]),
    ("cdist at 0, inf", lambda lib, x: lib.cdist(x[None], 0 * x[None], float("inf")), [3, -3, 1], [1, -1, 0]),
    ("vector_norm at 0", lambda lib, x: lib.linalg.vector_norm(x), [0, 0], [0, 0]),
    ("vector_norm, inf: even", lambda lib, x: lib.linalg.vector_norm(x, float("inf")), [-3, 1, 3], [-0.5, 0, 0.5]),
    ("det of zeros", lambda lib, x: lib.det(x.reshape(2, 2)), [0, 0, 0, 0], [0, 0, 0, 0]),
    ("norm 2 of equal values", lambda lib, x: lib.linalg.norm(x.reshape(2, 2), 2), [1, 0, 0, 1], [0.5, 0, 0, 0.5]),
    ("logsumexp of -inf", lambda lib, x: lib.logsumexp(x, 0), [-np.inf, 0], [0, 1]),
]


@pytest.mark.parametrize(("name", "function", "values", "expected"), TIES, ids=[tie[0] for tie in TIES])
def test_ties(name: str, function: Any, values: list[float], expected: list[float]) -> None:
    for lib in filter(None, (tg, sys.modules.get("torch"))):
        x = lib.tensor(values, dtype=lib.float64, requires_grad=True)
        (g,) = lib.autograd.grad(function(lib, x), x)
        np.testing.assert_allclose(host(g), expected, 1e-12, 0, err_msg=lib.__name__)


def test_the_determinant_of_a_singular_matrix_has_a_derivative() -> None:
    """PyTorch's is 0 unless create_graph=True."""
    x = tg.tensor([[1.0, 2.0], [2.0, 4.0]], dtype=tg.float64, requires_grad=True)
    (g,) = tg.autograd.grad(tg.det(x), x)
    np.testing.assert_allclose(host(g), [[4, -2], [-2, 1]], 1e-12, 1e-15)


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


@pytest.mark.parametrize("operation", DIFFERENTIABLE)
def test_numbers_are_differentiated_twice_as_arrays_of_one_element_are(operation: str) -> None:
    """Of 0-d operations NumPy's scalars are saved, which a recorded walk turns into Python's numbers."""
    for case in checkable(operation):
        arrays = case.arrays()
        if not elementwise(case, arrays):
            continue
        for leaf in [at for at, draw in enumerate(case.draws) if draw.grad and not draw.fixed]:
            try:
                of_arrays, of_numbers = (
                    derivatives(case, [array.reshape(-1)[:1].reshape(shape) for array in arrays], leaf)
                    for shape in ((1,), ())
                )
            except (TinygradError, IndexError):
                continue  # the form asks for other shapes, or reads `shape[-1]`
            for one, other in zip(of_arrays, of_numbers, strict=True):
                np.testing.assert_allclose(other, one.reshape(()), 1e-9, 1e-12, err_msg=case.name)


def elementwise(case: Case, arrays: list[Any]) -> bool:
    """Whether the results have the shape to which the inputs broadcast, and none is empty."""
    try:
        shape = np.broadcast_shapes(*[array.shape for array in arrays])
    except ValueError:
        return False
    outputs = case.outputs(case.run(tg, *case.make(tg)))
    return all(array.size for array in arrays) and all(tuple(output.shape) == shape for output in outputs)


def derivatives(case: Case, arrays: list[Any], leaf: int) -> list[Any]:
    """The first and the second derivative of the first output by one of the inputs, as far as it has them."""
    inputs = [tg.tensor(array) for array in arrays]
    found: list[Any] = []
    inputs[leaf].requires_grad_()
    result = case.outputs(case.run(tg, *inputs))[0]
    orders = 1 if case.form in NO_SECOND_DERIVATIVE else 2
    while result.requires_grad and len(found) < orders:
        (result,) = tg.autograd.grad(result.sum(), inputs[leaf], create_graph=len(found) + 1 < orders)
        found.append(host(result))
    return found


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
        waiting += node.parents
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
    "scaled_dot_product_attention",
    "take_along_dim",
    "matmul",
    "cross_entropy",
    "linear_cross_entropy",  # in parts, which compute their logits anew
    "kron",
    "einsum",
    "tensordot",
    "ndtr",
    "cdist",
    "instance_norm",  # PyTorch keeps a copy of the weight for each sample
    "pdist",
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
    "erf_": lambda x, y: x.erf_(),
    "erfc_": lambda x, y: x.erfc_(),
    "erfinv_": lambda x, y: x.erfinv_(),
    "logit_": lambda x, y: x.logit_(0.1),
    "sinc_": lambda x, y: x.sinc_(),
    "i0_": lambda x, y: x.i0_(),
    "lgamma_": lambda x, y: x.lgamma_(),
    "digamma_": lambda x, y: x.digamma_(),
    "polygamma_": lambda x, y: x.polygamma_(2),
    "mvlgamma_": lambda x, y: x.mvlgamma_(1),
    "xlogy_": lambda x, y: x.xlogy_(y),
    "igamma_": lambda x, y: x.igamma_(y),
    "igammac_": lambda x, y: x.igammac_(y),
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
    "tril_": lambda x, y: x.tril_(),
    "triu_": lambda x, y: x.triu_(1),
    "fill_diagonal_": lambda x, y: x.fill_diagonal_(3),
    "fill_diagonal_ wrap": lambda x, y: x.fill_diagonal_(3, wrap=True),
    "squeeze_": lambda x, y: x.squeeze_(),
    "squeeze_ dim": lambda x, y: x.squeeze_(0),
    "unsqueeze_": lambda x, y: x.unsqueeze_(-1),
    "t_": lambda x, y: x.t_(),
    "transpose_": lambda x, y: x.transpose_(0, -1),
    "swapaxes_": lambda x, y: x.swapaxes_(-1, 0),
    "swapdims_": lambda x, y: x.swapdims_(0, 1),
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
    "put_": lambda x, y: x.put_((y > 9).long().reshape(-1)[:1], y.to(x.dtype).reshape(-1)[:1]),
    "scatter_": lambda x, y: x.scatter_(0, (x > 9).long()[:1], y.to(x.dtype).expand_as(x)[:1]),
    "scatter_ a number": lambda x, y: x.scatter_(0, (x > 9).long()[:1], 2),
    "scatter_add_": lambda x, y: x.scatter_add_(0, (x > 9).long(), y.to(x.dtype).expand_as(x)),
    "scatter_reduce_": lambda x, y: x.scatter_reduce_(0, (x > 9).long(), y.to(x.dtype).expand_as(x), "mean"),
    "index_reduce_": lambda x, y: x.index_reduce_(0, (y > 9).long().reshape(-1)[:1], x[1:2].clone(), "mean"),
}


FUNCTIONS = """exp2 expm1 log2 log10 log1p tan asin arcsin acos arccos atan arctan sinh cosh asinh arcsinh acosh arccosh
atanh arctanh deg2rad rad2deg floor ceil round trunc fix frac nan_to_num square reciprocal rsqrt sgn absolute negative
conj_physical logical_not bitwise_not""".split()
OF_TWO = """atan2 arctan2 hypot fmod copysign float_power nextafter heaviside gcd lcm multiply subtract divide true_divide
eq ne lt le gt ge greater greater_equal less less_equal not_equal logical_and logical_or logical_xor bitwise_and
bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift clamp_min clamp_max""".split()
IN_PLACE |= {f"{name}_": lambda x, y, name=name: getattr(x, f"{name}_")() for name in FUNCTIONS}
IN_PLACE |= {f"{name}_": lambda x, y, name=name: getattr(x, f"{name}_")(y) for name in OF_TWO}
IN_PLACE |= {
    "addcmul_": lambda x, y: x.addcmul_(y, y, value=2),
    "addcdiv_": lambda x, y: x.addcdiv_(y, y, value=2),
    "lerp_": lambda x, y: x.lerp_(y, 0.25),
    "lerp_ by a tensor": lambda x, y: x.lerp_(y, y),
    "round_ decimals": lambda x, y: x.round_(decimals=1),
    "fmod_ by a number": lambda x, y: x.fmod_(2),
    "clamp_min_ of a number": lambda x, y: x.clamp_min_(1),
    "clamp_ -1": lambda x, y: x.clamp_(min=-1),
    "ldexp_": lambda x, y: x.ldexp_(y.long()),
    "__idiv__": lambda x, y: x.__idiv__(2),
    "<<=": lambda x, y: x.__ilshift__(2),
    ">>=": lambda x, y: x.__irshift__(y),
}

MORE_IN_PLACE = {  # see MORE
    ("bool", "sub_"),
    ("bool", "subtract_"),
    ("bool", "cumsum_"),
    ("bool", "cumsum_ dtype"),
    ("bool", "cumprod_"),
    ("bool", "-="),
    ("bool", "add_ alpha"),
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
        if (dtype, name) in MORE_IN_PLACE or (other == "bool" and name in ("sub_", "subtract_", "-=")):
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
    elsewhere = {"requires_grad_", "detach_"}  # flags
    elsewhere |= {
        "uniform_",
        "normal_",
        "log_normal_",
        "cauchy_",
        "exponential_",
        "geometric_",
        "random_",
        "bernoulli_",
    }
    elsewhere |= {"apply_", "map_", "share_memory_"}  # test_sharing.py; the line above: test_random.py
    elsewhere |= {"resize_", "resize_as_"}  # test_creation.py
    tested += " ".join(f".{name}(" for name in IN_PLACE)
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
    "x.movedim": lambda x: x.movedim(0, 1)[0],
    "x.swapaxes": lambda x: x.swapaxes(0, 1)[0],
    "x.mH": lambda x: x.mH[0],
    "x.unflatten": lambda x: x.unflatten(1, (3, 1))[0],
    "x.ravel": lambda x: x.ravel()[1:3],
    "x.T.ravel": lambda x: x.T.ravel(),
    "x.narrow": lambda x: x.narrow(1, 1, 2),
    "x.narrow_copy": lambda x: x.narrow_copy(1, 1, 2),
    "x.chunk": lambda x: x.chunk(2)[1],
    "x.unbind": lambda x: x.unbind(1)[2],
    "x.unbind of a vector": lambda x: x[0].unbind()[2],
    "x.tensor_split": lambda x: x.tensor_split(2, 1)[1],
    "x.hsplit": lambda x: x.hsplit(3)[1],
    "x.diagonal": lambda x: x.diagonal(1),
    "x.t().diagonal": lambda x: x.t().diagonal(-1),
    "x[:, ::2].diagonal": lambda x: x[:, ::2].diagonal(),
    "x.diag": lambda x: x.diag(),
    "x.unfold": lambda x: x.unfold(1, 1, 2),
    "x.t().unfold": lambda x: x.t().unfold(0, 2, 2),
    "x.as_strided": lambda x: x.as_strided((2, 2), (2, 1), 1),
    "x.broadcast_to": lambda x: x.broadcast_to(1, 2, 3)[0, 0],
    "x.repeat": lambda x: x.repeat(1, 1),
    "x.flip": lambda x: x.flip(()),
    "x.roll": lambda x: x.roll(0, 0),
    "x.rot90": lambda x: x.rot90(0),
    "x.tril": lambda x: x.tril(9),
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


# x.where(c, y); sizes one by one; polygamma(n, x); casts
DIFFERENT_FORMS = {"where", "reshape", "permute", "polygamma", "float", "int", "bool"}


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
    "chunks": (lambda lib: f3(lib).chunk(0), ArgumentError, "chunk: chunks must be positive, 0 came"),
    "clamp_min out of range": (lambda lib: lib.ones(2, dtype=lib.uint8).clamp_min(300), DtypeError, "clamp_min: min 300 does not fit .*uint8, which holds 0 to 255"),
    "clamp_max out of range": (lambda lib: lib.ones(2, dtype=lib.int8).clamp_max(-200), DtypeError, "clamp_max: max -200 does not fit .*int8"),
    "clamp out of range": (lambda lib: lib.ones(2, dtype=lib.uint8).clamp_(-300, 3), DtypeError, "clamp.*: min -300 does not fit .*uint8"),
    "chunk of a number": (lambda lib: lib.tensor(1.0).chunk(1), ShapeError, "chunk: a 0-d tensor"),
    "unbind of a number": (lambda lib: lib.tensor(1.0).unbind(), IndexError, "unbind: a 0-d tensor"),
    "tensor_split": (lambda lib: f3(lib).tensor_split(0), ArgumentError, "number of parts must be positive, 0 came"),
    "tensor_split by floats": (lambda lib: f3(lib).tensor_split(f3(lib)), DtypeError, "must be int64 .*float32 of shape"),
    "hsplit": (lambda lib: f23(lib).hsplit(2), ShapeError, "hsplit: dimension 1 of size 3 can't be divided into 2"),
    "vsplit": (lambda lib: f3(lib).vsplit(1), ShapeError, r"vsplit: .*at least 2 dimension\(s\).*\(3,\) came"),
    "narrow's length": (lambda lib: f23(lib).narrow(1, 2, 2), ShapeError, "narrow: from 2, dimension 1 of size 3 has 0 to 1"),
    "narrow's start": (lambda lib: f23(lib).narrow(1, -4, 1), IndexError, "narrow: start -4 is out of range"),
    "narrow by floats": (lambda lib: f3(lib).narrow(0, lib.tensor(1.0), 1), DtypeError, "start must be an integer"),
    "hstack": (lambda lib: lib.hstack([f3(lib), f23(lib)]), ShapeError, r"cat: tensor 1 of shape \(2, 3\) does not fit"),
    "vstack of nothing": (lambda lib: lib.vstack([]), ArgumentError, "vstack: the list of tensors is empty"),
    "dstack of a tensor": (lambda lib: lib.dstack(f3(lib)), ArgumentTypeError, "dstack: tensors must be a list"),
    "meshgrid of a matrix": (lambda lib: lib.meshgrid(f23(lib), indexing="ij"), ShapeError, r"tensor 0 .*\(2, 3\)"),
    "meshgrid of dtypes": (lambda lib: lib.meshgrid(f3(lib), i3(lib), indexing="ij"), DtypeError, "float32 and .*int64"),
    "meshgrid's indexing": (lambda lib: lib.meshgrid(f3(lib), indexing="yx"), ArgumentError, "'ij' or 'xy', not 'yx'"),
    "cartesian_prod": (lambda lib: lib.cartesian_prod(), ArgumentError, "at least one tensor"),
    "cartesian_prod of a list": (lambda lib: lib.cartesian_prod([f3(lib)]), ArgumentTypeError, "argument 0 must be a Tensor"),
    "combinations": (lambda lib: lib.combinations(f3(lib), -1), ArgumentError, "r can't be negative, -1 came"),
    "block_diag": (lambda lib: lib.block_diag(lib.zeros(1, 1, 1)), ShapeError, r"block_diag: tensor 0 has shape \(1, 1, 1\)"),
    "vander": (lambda lib: lib.vander(f23(lib)), ShapeError, "vander: x must have one dimension"),
    "vander's N": (lambda lib: lib.vander(f3(lib), -1), ArgumentError, "vander: N can't be negative"),
    "broadcast_shapes": (lambda lib: lib.broadcast_shapes((2,), (3,)), ShapeError, r"\(2,\), \(3,\) don't broadcast"),
    "broadcast_shapes, negative": (lambda lib: lib.broadcast_shapes((-1,)), ShapeError, "can't be negative"),
    "broadcast_tensors": (lambda lib: lib.broadcast_tensors(f23(lib), lib.zeros(2)), ShapeError, "don't broadcast"),
    "broadcast_to": (lambda lib: f23(lib).broadcast_to(2, 4), ShapeError, "dimension 1 has size 3"),
    "sum_to_size": (lambda lib: f23(lib).sum_to_size(2, 2), ShapeError, r"\(2, 2\) can't be expanded to .*\(2, 3\)"),
    "movedim": (lambda lib: f23(lib).movedim((0, 1), (0,)), ShapeError, "equally many dimensions"),
    "movedim, mixed": (lambda lib: f23(lib).movedim((0, 1), 0), ArgumentTypeError, "both be integers or both sequences"),
    "movedim twice": (lambda lib: f23(lib).movedim((0, 0), (0, 1)), ShapeError, "movedim: a dimension appears more than once"),
    "unflatten": (lambda lib: f23(lib).unflatten(1, (2, 2)), ShapeError, r"\(2, 2\) don't multiply up to 3, dimension 1"),
    "unflatten, two -1": (lambda lib: f23(lib).unflatten(1, (-1, -1)), ShapeError, "don't multiply up"),
    "H": (lambda lib: f3(lib).H, ShapeError, r"H: a matrix has 2 dimensions.*\(3,\); use .mH"),
    "flip": (lambda lib: f23(lib).flip(2), IndexError, "flip: dim 2 is out of range"),
    "flip twice": (lambda lib: f23(lib).flip(0, -2), ShapeError, "flip: a dimension appears more than once"),
    "fliplr": (lambda lib: lib.fliplr(f3(lib)), ShapeError, "fliplr: at least 2"),
    "rot90": (lambda lib: lib.rot90(f3(lib)), ShapeError, r"rot90: two dimensions are turned.*\(3,\)"),
    "rot90 of one dim": (lambda lib: lib.rot90(f23(lib), 1, (0, 0)), ShapeError, "rot90: a dimension appears more than once"),
    "roll": (lambda lib: lib.roll(f23(lib), (1, 2), 0), ShapeError, "roll: equally many shifts and dims"),
    "roll by nothing": (lambda lib: lib.roll(f23(lib), (), ()), ShapeError, "roll: equally many"),
    "roll of a number": (lambda lib: lib.roll(lib.tensor(1.0), 1, 0), IndexError, "0-d tensor"),
    "repeat": (lambda lib: f23(lib).repeat(2), ShapeError, r"repeat: .*\(2,\) came for shape \(2, 3\)"),
    "repeat of negatives": (lambda lib: f3(lib).repeat(-1), ShapeError, "repeat: .*not negative"),
    "repeat without numbers": (lambda lib: f3(lib).repeat(), ArgumentTypeError, "repeat: the argument repeats is missing"),
    "repeat_interleave": (lambda lib: f23(lib).repeat_interleave(lib.tensor([1, 2, 3]), 0), ShapeError, "3 repeats came for .*2"),
    "repeat_interleave, negative": (lambda lib: f3(lib).repeat_interleave(-1), ArgumentError, "can't be negative, -1"),
    "repeat_interleave, negatives": (lambda lib: f23(lib).repeat_interleave(lib.tensor([1, -2]), 0), ArgumentError, "negative, -2"),
    "repeat_interleave by floats": (lambda lib: f3(lib).repeat_interleave(f3(lib)), DtypeError, "int64 or int32, .*float32"),
    "repeat_interleave by a matrix": (lambda lib: f23(lib).repeat_interleave(f23(lib).long(), 0), ShapeError, r"one dimension.*\(2, 3\)"),
    "repeat_interleave by a list": (lambda lib: f3(lib).repeat_interleave([1, 2, 3]), ArgumentTypeError, r"not \[1, 2, 3\]|\[1, 2, 3\] came"),
    "output_size": (lambda lib: f3(lib).repeat_interleave(2, output_size=5), ShapeError, "output_size is 6 .*not 5"),
    "unfold": (lambda lib: f3(lib).unfold(0, 4, 1), ShapeError, "dimension 0 of size 3 has no windows of size 4"),
    "unfold's step": (lambda lib: f3(lib).unfold(0, 2, 0), ArgumentError, "unfold: step must be positive, 0 came"),
    "as_strided": (lambda lib: f23(lib).as_strided((2, 9), (3, 1)), ShapeError, "from element 0 to 11 of a memory of 6"),
    "as_strided, lengths": (lambda lib: f23(lib).as_strided((2,), (3, 1)), ShapeError, "equally many numbers"),
    "as_strided, negative": (lambda lib: f23(lib).as_strided((2,), (-1,)), ShapeError, "none negative"),
    "diagonal": (lambda lib: f23(lib).diagonal(0, 1, 1), ShapeError, "the two dimensions of a diagonal must differ"),
    "diagonal of a vector": (lambda lib: f3(lib).diagonal(), IndexError, "diagonal: dim 1 is out of range"),
    "diag": (lambda lib: lib.zeros(1, 1, 1).diag(), ShapeError, r"diag: a vector or a matrix.*\(1, 1, 1\)"),
    "diag_embed": (lambda lib: lib.tensor(1.0).diag_embed(), IndexError, "diag_embed: a 0-d tensor"),
    "tril": (lambda lib: f3(lib).tril(), ShapeError, r"tril: at least 2 dimensions.*\(3,\)"),
    "tril of a fraction": (lambda lib: f23(lib).tril(0.5), ArgumentTypeError, "tril: sizes must be integers"),
    "trace": (lambda lib: f3(lib).trace(), ShapeError, r"trace: a matrix is needed, shape \(3,\) came"),
    "trace of bools": (lambda lib: (f23(lib) > 1).trace(), DtypeError, "trace: bools"),
    "diagonal_scatter": (lambda lib: f23(lib).diagonal_scatter(f3(lib)), ShapeError, r"the part has shape \(2,\), src has \(3,\)"),
    "slice_scatter": (lambda lib: lib.slice_scatter(f23(lib), f23(lib), 1, 1), ShapeError, r"\(2, 2\), src has \(2, 3\)"),
    "select_scatter": (lambda lib: lib.select_scatter(f23(lib), f3(lib), 0, 5), IndexError, "5"),
    "slice_scatter of a number": (lambda lib: lib.slice_scatter(lib.tensor(1.0), lib.tensor(1.0)), IndexError, "0-d tensor"),
    "fill_diagonal_": (lambda lib: f3(lib).fill_diagonal_(1), RuntimeError, "fill_diagonal_: .*more dimensions"),
    "pad": (lambda lib: lib.nn.functional.pad(f3(lib), (1,)), ShapeError, "pad: pad must have two numbers"),
    "pad, too much": (lambda lib: lib.nn.functional.pad(f3(lib), (1, 1, 1, 1)), ShapeError, r"4 came for a tensor of shape \(3,\)"),
    "pad, all cropped": (lambda lib: lib.nn.functional.pad(f3(lib), (-2, -2)), ShapeError, r"\(-2, -2\) would leave nothing"),
    "pad, cropped more": (lambda lib: lib.nn.functional.pad(f3(lib), (-4, 2)), ShapeError, "crops more than dimension 0"),
    "pad of a number": (lambda lib: lib.nn.functional.pad(f3(lib), 1), ArgumentTypeError, "tuple or list of integers"),
    "pad's mode": (lambda lib: lib.nn.functional.pad(f23(lib), (1, 1), "edge"), NotImplementedError, "not 'edge'"),
    "reflect": (lambda lib: lib.nn.functional.pad(f23(lib), (3, 0), "reflect"), ShapeError, "'reflect' can't pad .*at most 2"),
    "reflect of a vector": (lambda lib: lib.nn.functional.pad(f3(lib), (1, 0), "reflect"), NotImplementedError, r"came for shape \(3,\)"),
    "reflect of bools": (lambda lib: lib.nn.functional.pad(f23(lib) > 1, (1, 0), "reflect"), RuntimeError, "bool"),
    "reflect with a value": (lambda lib: lib.nn.functional.pad(f23(lib), (1, 0), "reflect", 2.0), RuntimeError, "leave it out"),
    "circular": (lambda lib: lib.nn.functional.pad(f23(lib), (4, 0), "circular"), ShapeError, "at most 3"),
    "replicate of nothing": (lambda lib: lib.nn.functional.pad(lib.zeros(2, 0), (1, 0), "replicate"), ShapeError, "elements to repeat"),
    "pixel_shuffle": (lambda lib: lib.nn.functional.pixel_shuffle(lib.zeros(3, 1, 1), 2), ShapeError, "divisible by 4"),
    "pixel_shuffle by 0": (lambda lib: lib.nn.functional.pixel_shuffle(lib.zeros(4, 1, 1), 0), ArgumentError, "must be positive"),
    "pixel_unshuffle": (lambda lib: lib.nn.functional.pixel_unshuffle(lib.zeros(1, 3, 2), 2), ShapeError, "the height"),
    "channel_shuffle": (lambda lib: lib.nn.functional.channel_shuffle(lib.zeros(1, 3, 2), 2), ShapeError, "divisible by 2"),
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
    "bmm": (lambda lib: lib.bmm(f23(lib), f23(lib)), ShapeError, r"bmm: the first must be a batch of matrices \(3-d\), shape \(2, 3\) came"),
    "bmm of batches": (lambda lib: lib.bmm(lib.zeros(2, 2, 2), lib.zeros(1, 2, 2)), ShapeError, r"bmm: both batches must have one size"),
    "mv": (lambda lib: lib.mv(f3(lib), f3(lib)), ShapeError, r"mv: input must be a matrix \(2-d\), shape \(3,\) came"),
    "outer": (lambda lib: lib.outer(f23(lib), f3(lib)), ShapeError, r"outer: input must be a vector"),
    "addmm": (lambda lib: lib.addmm(f3(lib), f23(lib), f23(lib)), ShapeError, r"addmm: shapes \(2, 3\) and \(2, 3\) can't be multiplied"),
    "addmm's input": (lambda lib: lib.addmm(lib.zeros(5, 5), f23(lib), f23(lib).t()), ShapeError, r"addmm: input \(5, 5\) must broadcast to the product's shape \(2, 2\)"),
    "addmm's input, unused": (lambda lib: lib.addmm(lib.zeros(5, 5), f23(lib), f23(lib).t(), beta=0), ShapeError, r"addmm: input \(5, 5\) must broadcast"),
    "addmm of dtypes": (lambda lib: lib.addmm(f3(lib).double(), f23(lib).t(), f23(lib)), DtypeError, "addmm: all must have one dtype, input float64, first float32"),
    "addbmm of batches": (lambda lib: lib.addbmm(f3(lib), lib.zeros(2, 2, 2), lib.zeros(1, 2, 2)), ShapeError, "addbmm: both batches must have one size"),
    "einsum's sizes": (lambda lib: lib.einsum("ij,jk->ik", f23(lib), f23(lib)), ShapeError, r"einsum: 'j' has size 2 at operand 1 \(shape \(2, 3\)\) and 3 at operand 0"),
    "einsum's diagonal": (lambda lib: lib.einsum("ii", f23(lib)), ShapeError, "einsum: 'i' stands twice at operand 0, .* for 2 and 3"),
    "einsum's result": (lambda lib: lib.einsum("ij->ik", f23(lib)), ArgumentError, "einsum: 'k' of the result is in no operand"),
    "einsum's result, twice": (lambda lib: lib.einsum("ij->ii", f23(lib)), ArgumentError, "einsum: 'i' stands more than once in the result"),
    "einsum's operands": (lambda lib: lib.einsum("ij,jk->ik", f23(lib)), ArgumentError, "einsum: 'ij,jk->ik' names 2 operand.s., 1 came"),
    "einsum's letters": (lambda lib: lib.einsum("i1", f23(lib)), ArgumentError, "einsum: '1' .* is no letter"),
    "einsum's dimensions": (lambda lib: lib.einsum("ijk", f23(lib)), ShapeError, "einsum: operand 0 has 2 dimension.s., its letters 'ijk' name 3"),
    "einsum's dots": (lambda lib: lib.einsum("i..j", f23(lib)), ArgumentError, "einsum: operand 0 has a '.' in 'i..j' that belongs to no ellipsis"),
    "einsum of a number": (lambda lib: lib.einsum("ij,jk", f23(lib), 2.0), ArgumentTypeError, "einsum: operand 1 must be a Tensor, float came"),
    "einsum of nothing": (lambda lib: lib.einsum("ij"), ArgumentError, "einsum: give an equation and at least one operand"),
    "einsum of dtypes": (lambda lib: lib.einsum("ij,kj->ik", f23(lib), f23(lib).double()), DtypeError, "einsum: all operands must have one dtype"),
    "einsum's list": (lambda lib: lib.einsum(f23(lib), [0, 60]), ArgumentError, "einsum: 60 in .* is no letter's number"),
    "tensordot": (lambda lib: lib.tensordot(f23(lib), f23(lib), 1), ShapeError, r"tensordot: dimension 1 of \(2, 3\) has size 3, dimension 0 of \(2, 3\) has 2"),
    "tensordot's dims": (lambda lib: lib.tensordot(f23(lib), f23(lib), 3), ShapeError, "tensordot: dims 3 does not fit"),
    "inner": (lambda lib: lib.inner(f23(lib), lib.zeros(2)), ShapeError, r"inner: the last dimensions of \(2, 3\) and \(2,\) must agree"),
    "vecdot of integers": (lambda lib: lib.linalg.vecdot(i3(lib), i3(lib)), DtypeError, "vecdot: floating numbers are needed, x is int64"),
    "cdist": (lambda lib: lib.cdist(f23(lib), lib.ones(2, 2)), ShapeError, "cdist: rows must have one length"),
    "cdist's p": (lambda lib: lib.cdist(f23(lib), f23(lib), -1), ArgumentError, "cdist: p can't be negative, -1 came"),
    "cdist's mode": (lambda lib: lib.cdist(f23(lib), f23(lib), compute_mode="fast"), ArgumentError, "cdist: compute_mode is one of"),
    "pdist of a vector": (lambda lib: lib.pdist(f3(lib)), ShapeError, r"pdist: a matrix has at least 2 dimensions, shape \(3,\) came"),
    "cosine of integers": (lambda lib: lib.cosine_similarity(i3(lib), i3(lib), 0), DtypeError, "cosine_similarity: floating numbers are needed, int64 came"),
    "multi_dot of one": (lambda lib: lib.linalg.multi_dot([f23(lib)]), ArgumentError, "multi_dot: at least two tensors are needed, 1 came"),
    "cross": (lambda lib: lib.linalg.cross(f23(lib), f23(lib), dim=0), ShapeError, "cross: dimension 0 must have size 3"),
    "norm of integers": (lambda lib: lib.linalg.vector_norm(i3(lib)), DtypeError, "vector_norm: floating numbers are needed, .*int64 came"),
    "norm of nothing": (lambda lib: lib.linalg.vector_norm(lib.zeros(0), float("inf")), RuntimeError, "vector_norm: the inf norm of no elements does not exist"),
    "norm's ord": (lambda lib: lib.linalg.vector_norm(f3(lib), "fro"), ArgumentTypeError, "vector_norm: ord must be a number"),
    "norm's narrower dtype": (lambda lib: lib.linalg.vector_norm(f3(lib), dtype=lib.float16), DtypeError, "vector_norm: dtype must be floating and not narrower than .*float32"),
    "matrix_norm's ord": (lambda lib: lib.linalg.matrix_norm(f23(lib), 3), ArgumentError, "matrix_norm: ord is one of 'fro', 'nuc', .*, not 3"),
    "matrix_norm of a vector": (lambda lib: lib.linalg.matrix_norm(f3(lib)), ShapeError, r"matrix_norm: a matrix has at least 2 dimensions, shape \(3,\) came"),
    "norm of three dims": (lambda lib: lib.linalg.norm(lib.zeros(1, 1, 1), 2), ShapeError, "norm: with ord and without dim a vector or matrix is needed"),
    "inv of a rectangle": (lambda lib: lib.linalg.inv(f23(lib)), ShapeError, r"inv: square matrices are needed, shape \(2, 3\) came"),
    "inv of integers": (lambda lib: lib.linalg.inv(lib.ones(2, 2).long()), DtypeError, "inv: float32 or float64 is needed, int64 came"),
    "inv of float16": (lambda lib: lib.linalg.inv(lib.ones(2, 2).half()), DtypeError, "inv: float32 or float64 is needed, float16 came"),
    "inv of a singular matrix": (lambda lib: lib.linalg.inv(lib.ones(2, 2)), LinAlgError, r"inv: the matrix \(shape \(2, 2\)\) is singular"),
    "inv of a batch": (lambda lib: lib.linalg.inv(lib.stack([lib.eye(2), lib.ones(2, 2)])), LinAlgError, "inv: matrix 1 of a batch .* is singular"),
    "solve": (lambda lib: lib.linalg.solve(lib.ones(2, 2), lib.ones(2)), LinAlgError, "solve: the matrix .* is singular"),
    "solve's shapes": (lambda lib: lib.linalg.solve(lib.eye(2), f3(lib)), ShapeError, r"solve: B \(3,\) does not fit A \(2, 2\): \(..., 2, k\) or \(..., 2\) would work"),
    "cholesky": (lambda lib: lib.linalg.cholesky(lib.tensor([[1.0, 2.0], [2.0, 1.0]])), LinAlgError, "cholesky: the matrix .* is not positive definite: the leading 2 by 2 part"),
    "svd of NaN": (lambda lib: lib.linalg.svd(lib.full((2, 2), float("nan"))), LinAlgError, "svd: the matrix .* holds infinities or NaN"),
    "qr's mode": (lambda lib: lib.linalg.qr(f23(lib), "full"), ArgumentError, "qr: mode is 'reduced', 'complete' or 'r', not 'full'"),
    "eigh's triangle": (lambda lib: lib.linalg.eigh(lib.eye(2), "X"), ArgumentError, "eigh: UPLO is 'L' or 'U'"),
    "cond's p": (lambda lib: lib.linalg.cond(lib.eye(2), 3), ArgumentError, "cond: p is None, 2, -2, .*, not 3"),
    "lstsq": (lambda lib: lib.linalg.lstsq(lib.ones(3, 2), lib.ones(4, 1)), ShapeError, "lstsq: B .* does not fit A"),
    "matrix_power's n": (lambda lib: lib.linalg.matrix_power(lib.eye(2), 1.5), ArgumentTypeError, "matrix_power: n must be an integer, 1.5 came"),
    "tensorinv": (lambda lib: lib.linalg.tensorinv(f23(lib), 1), ShapeError, r"tensorinv: the sizes \(2,\) and \(3,\) must have one product"),
    "equal": (lambda lib: lib.equal(f3(lib), 3), ArgumentTypeError, "equal: other must be a Tensor, int came"),
    "allclose of dtypes": (lambda lib: lib.allclose(f3(lib), f3(lib).double()), DtypeError, "isclose: both must have one dtype, .*float32 and .*float64 came"),
    "allclose's rtol": (lambda lib: lib.allclose(f3(lib), f3(lib), rtol=-1.0), ArgumentError, "isclose: rtol and atol must not be negative"),
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
    "item": (lambda lib: f3(lib).item(), RuntimeError, r"item: only a tensor of one " r"element is a " r"number, this " r"one has shape \(3,\)"),
    "truth": (lambda lib: bool(f3(lib)), RuntimeError, r"a tensor of shape \(3,\) is neither true nor false"),
    "length": (lambda lib: len(lib.tensor(1.0)), TypeError, "len: a 0-d tensor has no length"),
    "iteration": (lambda lib: list(lib.tensor(1.0)), TypeError, "a 0-d tensor can't be iterated"),
    "gradient of integers": (lambda lib: i3(lib).requires_grad_(), RuntimeError, "only floating " "tensors can " "require gradients, " "this one is .*int64"),
    "an attribute": (lambda lib: f3(lib).rehsape(3), AttributeError, "no attribute 'rehsape'"),
    "a mode of text": (lambda lib: lib.set_grad_enabled("x"), ArgumentTypeError, "set_grad_enabled: mode is True or False, not 'x'"),
    "several that are not zero": (lambda lib: lib.is_nonzero(f3(lib)), RuntimeError, "neither true nor false"),
    "imag": (lambda lib: lib.imag(f3(lib)), DtypeError, "imag: tensors are real here .*float32"),
    "x.imag": (lambda lib: f3(lib).imag, DtypeError, "imag: tensors are real here"),
    "bits of floats": (lambda lib: lib.bitwise_not(f3(lib)), DtypeError, "bitwise_not: float32 has no bits"),
    "shift of floats": (lambda lib: lib.bitwise_left_shift(f3(lib), 1), DtypeError, "bitwise_left_shift: integers have bits to shift, float32"),
    "shift of bools": (lambda lib: b3(lib) >> b3(lib), DtypeError, "bitwise_right_shift: integers .*bool came"),
    "gcd of floats": (lambda lib: lib.gcd(f3(lib), f3(lib)), DtypeError, "gcd: only whole numbers .*float32"),
    "hypot of integers": (lambda lib: lib.hypot(i3(lib), i3(lib)), DtypeError, "hypot: floating numbers .*int64"),
    "floor of bools": (lambda lib: lib.floor(b3(lib)), DtypeError, "floor: a bool tensor can't be rounded"),
    "frac of integers": (lambda lib: lib.frac(i3(lib)), DtypeError, "frac: whole numbers have no fraction"),
    "decimals of integers": (lambda lib: lib.round(i3(lib), decimals=1), DtypeError, "round: decimals .*int64"),
    "frexp of integers": (lambda lib: lib.frexp(i3(lib)), DtypeError, "frexp: floating numbers .*int64"),
    "fmod by zero": (lambda lib: lib.fmod(i3(lib), 0), ArgumentError, "fmod: integer division by zero"),
    "lerp of dtypes": (lambda lib: lib.lerp(f3(lib), f3(lib).double(), 0.5), DtypeError, "lerp: .*float32 of .*float64 of"),
    "lerp of integers": (lambda lib: lib.lerp(i3(lib), i3(lib), 0.5), DtypeError, "lerp: .*int64 of shape"),
    "addcdiv of integers": (lambda lib: lib.addcdiv(f3(lib), i3(lib), i3(lib)), DtypeError, "addcdiv: .*int64 and int64 came"),
    "addcmul of bools": (lambda lib: lib.addcmul(b3(lib), b3(lib), b3(lib)), DtypeError, "addcmul: bools"),
    "heaviside of dtypes": (lambda lib: lib.heaviside(f3(lib), i3(lib)), DtypeError, "heaviside: .*float32 and .*int64"),
    "isclose of dtypes": (lambda lib: lib.isclose(f3(lib), i3(lib)), DtypeError, "isclose: .*float32 and int64 came"),
    "negative rtol": (lambda lib: lib.isclose(f3(lib), f3(lib), rtol=-1), RuntimeError, "isclose: rtol and atol .*-1"),
    "isin of bools": (lambda lib: lib.isin(b3(lib), i3(lib)), DtypeError, "isin: bools came"),
    "isin of lists": (lambda lib: lib.isin([1], [1]), ArgumentTypeError, "isin: input must be a Tensor, list came"),
    "+ of bools": (lambda lib: lib.positive(b3(lib)), DtypeError, "positive: bools have no sign"),
    "bools clamped": (lambda lib: b3(lib).clamp(b3(lib), b3(lib)), DtypeError, "clamp: bools have no bounds on both sides"),
    "float_power in place": (lambda lib: f3(lib).float_power_(2), DtypeError, "float_power_: the result is float64"),
    "numbers for tensors": (lambda lib: lib.exp(1.0), ArgumentTypeError, "exp: .*float.*tinygrad_dl.tensor"),
    "lists for tensors": (lambda lib: lib.max([1.0, 2.0]), ArgumentTypeError, "max: input must be a Tensor, list came"),
}  # fmt: skip


def test_what_complex_numbers_are_needed_for_is_refused() -> None:
    for name in ("eig", "eigvals"):
        with pytest.raises(NotImplementedError, match=f"{name}: its results are complex numbers"):
            getattr(tg.linalg, name)(tg.eye(2))


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
    wanted = counterpart(expected.value)
    assert isinstance(found.value, wanted), f"{found.value!r}, PyTorch {expected.value!r}"
