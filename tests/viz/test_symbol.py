"""Every rule of every operation is read by Symbols, and what they write down computes what the rule computes."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import numpy as np
import pytest
from cases import CASES as TABLE

import tinygrad_dl as tg
from tinygrad_dl import ops, viz
from tinygrad_dl.errors import ArgumentError, ArgumentTypeError
from tinygrad_dl.node import Node
from tinygrad_dl.operation import Operation, operation
from tinygrad_dl.viz.symbol import Symbol, contributions

DRAWS = np.random.default_rng(7)


def leaf(*shape: int, low: float = 0.3, high: float = 1.7) -> Any:
    """A leaf with values in a range where every operation is smooth."""
    return tg.tensor(DRAWS.uniform(low, high, shape), requires_grad=True)


def mixed(*shape: int) -> Any:
    return leaf(*shape, low=-1.5, high=1.5)


classes = tg.tensor([2, 0])
mask = tg.tensor([[True, False, True], [False, True, True]])

# By operation: arguments that differ in what their rules branch on. An operation with rules and no case fails below.
FIRST_ROW = tg.zeros(2, 3)[0].extras["view"].path

CASES: dict[str, list[tuple[Any, ...]]] = {
    "positive": [(mixed(2, 3),)],
    "add": [(mixed(2, 3), mixed(3)), (mixed(), 2.0)],
    "sub": [(mixed(2, 3), mixed(2, 1)), (1.0, mixed(2))],
    "mul": [(mixed(2, 3), mixed(3)), (mixed(2), 3.0)],
    "div": [(mixed(2, 3), leaf(3)), (2.0, leaf(2))],
    "reciprocal": [(leaf(2),)],
    "div_trunc": [(leaf(2), leaf(2))],
    "div_floor": [(leaf(2), leaf(2))],
    "remainder": [(leaf(3), leaf(3))],
    "neg": [(mixed(2),)],
    "pow": [(leaf(2, 3), leaf(3)), *[(leaf(2), n) for n in (2, 3.0, 0, -1.5)], (2.0, leaf(2))],
    "sign": [(mixed(2),)],
    "abs": [(mixed(4),)],
    "exp": [(mixed(2),)],
    "log": [(leaf(2),)],
    "sqrt": [(leaf(2),)],
    "sin": [(mixed(2),)],
    "cos": [(mixed(2),)],
    "tanh": [(mixed(2),)],
    "sigmoid": [(mixed(2),)],
    "relu": [(mixed(4),)],
    "maximum": [(mixed(4), mixed(4))],
    "minimum": [(mixed(4), mixed(4))],
    "clamp": [(mixed(4), *bounds) for bounds in ((-0.5, 0.5), (leaf(4, low=-1), leaf(4)))],
    "clamp_min": [(mixed(4), -0.5), (mixed(4), leaf(4))],
    "clamp_max": [(mixed(4), 0.5), (mixed(4), leaf(4))],
    "where": [(mask, mixed(2, 3), mixed(2, 3)), (mask, mixed(2, 3), 0.0)],
    "to": [(leaf(2), np.dtype(np.float32), None)],
    "index": [(mixed(3, 2), 1), (mixed(3, 2), (slice(0, 2), 1)), (mixed(3), np.array([0, 2, 0]))],
    "index_put": [(mixed(2), slice(1, 3), (4,)), (mixed(2), np.array([1, 1]), (4,))],
    "copy": [(mixed(2), mixed(2), "copy_")],
    "index_assign": [(mixed(3), mixed(2), np.array([0, 2]), "index assignment")],
    "index_add": [(mixed(3), mixed(2), np.array([0, 0]), "index_add_")],
    "without": [(mixed(3), slice(1, 3))],
    "copy_slices": [(mixed(2, 3), mixed(3), FIRST_ROW, [0, 1])],
    "without_region": [(mixed(2, 3), FIRST_ROW, [1, 0])],
    "take_along_dim": [(mixed(2, 3), tg.tensor([[1], [2]]), 1)],
    "put_along_dim": [(mixed(2, 1), tg.tensor([[1], [2]]), 1, (2, 3))],
    "reshape": [(mixed(2, 3), (3, 2))],
    "view": [(mixed(2, 3), (6,))],
    "permute": [(mixed(2, 3, 4), (2, 0, 1))],
    "transpose": [(mixed(2, 3), 0, 1), (mixed(2, 3, 4), 0, 2)],
    "expand": [(mixed(2, 1), (3, 2, 4))],
    "sum_to": [(mixed(2, 3), (1, 3))],
    "_cat": [([mixed(2, 3), mixed(1, 3)], 0), ([mixed(2), tg.ones(3, dtype=tg.float64)], 0)],
    "_split": [(mixed(5, 2), [2, 3], 0)],
    "stack": [([mixed(2, 3), mixed(2, 3)], 1), ([mixed(), tg.ones((), dtype=tg.float64)], 0)],
    "unbind": [(mixed(3, 2), 0), (mixed(3, 2), 1)],
    "flip": [(mixed(2, 3), (1,))],
    "roll": [(mixed(2, 3), [1, -1])],
    "repeat": [(mixed(2, 3), (2, 1, 3))],
    "repeat_interleave": [(mixed(2, 3), 2, 0)],
    "diagonal": [(mixed(2, 3), 1, 0, 1)],
    "diag_embed": [(mixed(2, 3), 0, 1, 2, (2, 3, 3))],
    "tril": [(mixed(2, 3), 0)],
    "triu": [(mixed(2, 3), 1)],
    "unfold": [(mixed(5), 0, 3, 1)],
    "unfold_backward": [(mixed(3, 3), 0, 1, (5,))],
    "as_strided": [(mixed(2, 3), (2, 2), (1, 2), 1)],
    "as_strided_backward": [(mixed(2, 2), (1, 2), 1, (2, 3))],
    "constant_pad": [(mixed(2, 3), [(1, -1), (0, 2)], 0.5)],
    "pad": [(mixed(2, 3), [(0, 0), (1, 2)], mode) for mode in ("reflect", "replicate", "circular")],
    "pad_backward": [(mixed(2, 6), [(0, 0), (1, 2)], mode) for mode in ("reflect", "replicate", "circular")],
    "rearrange": [(mixed(2, 6), (2, 3, 2), (0, 2, 1), (2, 6))],
    "clone": [(mixed(2),)],
    "sum": [(mixed(2, 3),), (mixed(2, 3), 1), (mixed(2, 3), 0, True)],
    "mean": [(mixed(2, 3),), (mixed(2, 3), 1), (mixed(2, 3), (0, 1), True)],
    "cast": [(mixed(2), np.dtype(np.float32))],
    "_var": [(mixed(2, 3), None, 1, False), (mixed(2, 3), 1, 0, True)],
    "_std": [(mixed(2, 3), None, 1, False), (mixed(2, 3), 0, 1, False)],
    "amax": [(mixed(2, 3),), (mixed(2, 3), 1)],
    "amin": [(mixed(2, 3),), (mixed(2, 3), 0, True)],
    "softmax": [(mixed(2, 3), 1)],
    "log_softmax": [(mixed(2, 3), 0)],
    "logsumexp": [(mixed(2, 3), 1), (mixed(2, 3), (0, 1), True)],
    "max": [(mixed(2, 3),)],
    "min": [(mixed(2, 3),)],
    "nansum": [(mixed(2, 3), None, False), (mixed(2, 3), 1, True)],
    "var_mean": [(mixed(2, 3), None, 1, False), (mixed(2, 3), 1, 0, True)],
    "median": [(mixed(2, 3), 1, False), (mixed(3), 0, True)],
    "nanmedian": [(mixed(2, 3), 0, False)],
    "mode": [(mixed(2, 3), 0, True)],
    "kthvalue": [(mixed(2, 3), 1, False, 2)],
    "cummax": [(mixed(2, 3), 1)],
    "cummin": [(mixed(2, 3), 0)],
    "cumsum": [(mixed(2, 3), 1, False), (mixed(4), 0, True)],
    "cumprod": [(mixed(2, 3), 1, False), (mixed(4), 0, True)],
    "logcumsumexp": [(mixed(2, 3), 1)],
    "moved": [(mixed(2, 3), 1, 1, 1)],
    "recurrence": [(mixed(2, 3), mixed(2, 3), 1, False), (mixed(4), mixed(4), 0, True)],
    "prod": [(mixed(2, 3), None, False), (mixed(2, 3), 1, True)],
    "product_of_others": [(mixed(2, 3), 1), (mixed(4), None)],
    "matmul": [
        (mixed(*first), mixed(*second))
        for first, second in [
            ((2, 3), (3, 4)),
            ((3,), (3,)),
            ((3,), (3, 2)),
            ((2, 3), (3,)),
            ((2, 3, 4), (4, 2)),
            ((2, 3, 4), (2, 4, 2)),
            ((3,), (2, 3, 4)),
            ((2, 3, 4), (4,)),
            ((1, 2, 3), (4, 3, 2)),
        ]
    ],
    "linear": [(mixed(2, 3), mixed(4, 3), mixed(4)), (mixed(2, 5, 3), mixed(4, 3), None)],
    "squared_error": [(mixed(2, 3), mixed(2, 3))],
    "_bce_with_logits": [(mixed(2), leaf(2, high=0.9), None), (mixed(2), leaf(2, high=0.9), leaf(2))],
    **{
        name: [(mixed(4),)]
        for name in """erf erfc erfcx cdf ndtr log_ndtr gelu silu mish hardsigmoid hardswish logsigmoid
        softsign""".split()
    },
    **{name: [(leaf(3),)] for name in "lgamma digamma entr sinc i0 i0e i1 i1e".split()},
    "polygamma": [(leaf(2), 1), (leaf(2), 2)],
    "zeta": [(tg.full((2,), 3.5, dtype=tg.float64), leaf(2))],
    "igamma": [(tg.full((2,), 1.5, dtype=tg.float64), leaf(2))],
    "igammac": [(tg.full((2,), 1.5, dtype=tg.float64), leaf(2))],
    "logit": [(leaf(2, high=0.9), None), (leaf(2, high=0.9), 0.4)],
    "xlogy": [(leaf(2), leaf(2)), (0.0, leaf(2))],
    "xlog1py": [(leaf(2), leaf(2))],
    "erfinv": [(leaf(2, high=0.9),)],
    "ndtri": [(leaf(2, high=0.9),)],
    "leaky_relu": [(mixed(4), 0.1)],
    "elu": [(mixed(4), 0.5, 2.0, 3.0)],
    "softplus": [(mixed(3),)],
    "hardtanh": [(mixed(4), -0.5, 0.5)],
    "threshold": [(mixed(4), 0.5, 3.0)],
    "softshrink": [(mixed(4), 0.5)],
    "hardshrink": [(mixed(4), 0.5)],
    "prelu": [(mixed(2, 3), mixed(1, 3))],
    "cross_entropy": [(mixed(2, 3), classes, kind) for kind in ("mean", "sum", "none")],
}
CASES |= {
    name: [(mixed(3),)] for name in "exp2 expm1 tan atan sinh cosh asinh deg2rad rad2deg angle nan_to_num".split()
}
CASES |= {name: [(mixed(3),)] for name in "floor ceil trunc round frac frexp".split()}
CASES |= {name: [(leaf(3),)] for name in "log2 log10 log1p rsqrt".split()}
CASES |= {name: [(leaf(3, high=0.9),)] for name in "asin acos atanh".split()}
CASES |= {name: [(mixed(2, 3), leaf(3))] for name in "atan2 hypot logaddexp logaddexp2 ldexp fmod".split()}
CASES |= {name: [(mixed(2, 3), leaf(3))] for name in "fmax fmin copysign nextafter".split()}
CASES |= {
    "acosh": [(leaf(3, low=1.2),)],
    "round_decimals": [(mixed(3), 1)],
    "addcmul": [(mixed(2, 3), mixed(3), leaf(2, 1), 2)],
    "addcdiv": [(mixed(2, 3), mixed(3), leaf(2, 1), 0.5)],
    "lerp": [(mixed(2, 3), mixed(3), leaf(2, 1)), (mixed(3), mixed(3), 0.25)],
}
NO_DERIVATIVE = {"floor_divide", "heaviside", "_once_differentiable"}  # their rules raise


def operations() -> dict[str, Any]:
    """Every operation with rules, by name, found where it was declared."""
    found: dict[str, Any] = {}
    modules = [importlib.import_module(f"{ops.__name__}.{info.name}") for info in pkgutil.iter_modules(ops.__path__)]
    for module in modules:
        for value in vars(module).values():
            made = getattr(value, "operation", None)
            if isinstance(made, Operation) and any(made.rules.values()):
                found.setdefault(made.name, value)
    return found


def node_of(result: Any) -> Node:
    first = result[0] if isinstance(result, tuple) else result
    return first.node if first.node.plan is not None else first.node.parent


def gradient_like(result: Any) -> Any:
    if isinstance(result, tuple):
        return tuple(gradient_like(part) for part in result)
    return np.asarray(DRAWS.normal(size=result.shape)).astype(result.array.dtype)


class Reader:
    """Replaces arrays by Symbols and remembers what each stands for."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def __call__(self, name: str, value: Any) -> Any:
        if isinstance(value, tuple | list) and value and all(isinstance(part, np.ndarray) for part in value):
            return type(value)(self(f"{name}{i}", part) for i, part in enumerate(value))
        if not isinstance(value, np.ndarray):
            return value
        self.values[name] = value
        return Symbol(name, value.shape, value.dtype)

    def saved(self, node: Node) -> Any:
        plan, saved, held = node.plan, node.saved, None
        if plan.listed is not None:
            saved, held = saved
        pairs = zip(plan.names, plan.saved_values(saved), strict=True)
        symbols = tuple(self(name, value) for name, value in pairs)
        packed = symbols if len(symbols) > 1 else symbols[0] if symbols else None
        return packed if plan.listed is None else (packed, held)


def read_in_the_table() -> set[str]:
    """The operations behind the results of the table of cases, which test_operations.py reads, and their gradients."""
    found: set[str] = set()
    seen: set[tuple[str, str]] = set()
    for case in TABLE:
        if not case.differentiable or (case.operation, case.form) in seen:
            continue
        seen.add((case.operation, case.form))
        inputs = case.make(tg)
        reached = [out for out in case.outputs(case.run(tg, *inputs)) if out.requires_grad]
        wanted, waiting = [x for x in inputs if x.requires_grad], list(reached)
        for _ in range(2):
            seeds = [tg.ones_like(out).requires_grad_() for out in reached]
            gradients = tg.autograd.grad(reached, wanted, seeds, True, True, allow_unused=True)
            reached = [g for g in gradients if g is not None and g.requires_grad]
            wanted, waiting = [*wanted, *seeds], [*waiting, *reached]
        nodes, known = [tensor.grad_fn for tensor in waiting], set[int]()
        while nodes:
            node = nodes.pop()
            if node is None or isinstance(node, tg.Tensor) or id(node) in known:
                continue
            known.add(id(node))
            found.update([node.plan.operation.name] if node.plan is not None else [])
            nodes += node.parents
    return found


def test_every_operation_with_rules_has_a_case() -> None:
    missing = operations().keys() - CASES.keys() - NO_DERIVATIVE - read_in_the_table()
    assert not missing, f"give these operations cases, so that their rules are read: {sorted(missing)}"
    gone = CASES.keys() - operations().keys()
    assert not gone, f"there are no such operations with rules now: {sorted(gone)}"


@pytest.mark.parametrize(
    ("name", "args"),
    [pytest.param(name, args, id=f"{name}-{i}") for name, cases in CASES.items() for i, args in enumerate(cases)],
)
def test_what_a_symbol_reads_computes_what_the_rule_computes(name: str, args: tuple[Any, ...]) -> None:
    result = operations()[name](*args)
    node, g, read = node_of(result), gradient_like(result), Reader()
    symbols = contributions(node.plan, read.saved(node), read("g", g))
    arrays = contributions(node.plan, node.saved, g)
    assert len(symbols) == len(arrays) > 0
    for symbol, array in zip(symbols, arrays, strict=True):
        if array is None:  # a rule that sends nothing
            assert symbol is None
            continue
        assert isinstance(symbol, Symbol)
        assert symbol.shape == array.shape and symbol.dtype == array.dtype
        np.testing.assert_allclose(symbol.evaluate(read.values), array, rtol=1e-12)
        simple = np.broadcast_to(symbol.simplified().evaluate(read.values), array.shape)
        np.testing.assert_allclose(simple, array, rtol=1e-6 if array.dtype == np.float32 else 1e-12)
        assert symbol.text() and "object at" not in symbol.text()


# --- joint rules, and what a rule may not do


def _both(g: Any, needs: tuple[bool, bool], input: Any, other: Any) -> tuple[Any, Any]:
    shared = g * np.exp(input * other)
    return shared * other if needs[0] else None, shared * input if needs[1] else None


@operation("exp_of_product", joint=_both, input=None, other=None)
def exp_of_product(input: Any, other: Any) -> Any:
    return np.exp(input * other)


def test_a_joint_rule_is_read() -> None:
    result = exp_of_product(mixed(3), mixed(3))
    node, g, read = node_of(result), gradient_like(result), Reader()
    symbols = contributions(node.plan, read.saved(node), read("g", g))
    for symbol, array in zip(symbols, contributions(node.plan, node.saved, g), strict=True):
        np.testing.assert_allclose(symbol.evaluate(read.values), array)
    assert [symbol.text() for symbol in symbols] == ["g·exp(input·other)·other", "g·exp(input·other)·input"]


def test_a_symbol_carries_shape_and_dtype() -> None:
    x = Symbol("x", (2, 3), np.float32)
    assert (x.ndim, x.size, x.T.shape, x.reshape(-1).shape, x.sum(1).shape) == (2, 6, (3, 2), (6,), (2,))
    assert (x @ x.T).shape == (2, 2) and (x * Symbol("y", (3,), np.float32)).dtype == np.float32
    assert (x > 0).dtype == np.bool_ and x.mean(0, keepdims=True).shape == (1, 3)
    assert np.exp(x).shape == np.where(x > 0, x, 0.0).shape == (2, 3)


@pytest.mark.parametrize("branch", [bool, len, list, float, lambda x: x and 1, lambda x: 1 if x > 0 else 0])
def test_branching_on_a_symbol_is_refused(branch: Any) -> None:
    with pytest.raises(ArgumentTypeError, match=r"Symbol .*x.*shape \(3,\)"):
        branch(Symbol("x", (3,)))


# --- text


@pytest.mark.parametrize(
    ("operation", "argument", "names", "whole", "local"),
    [
        (tg.tanh, "input", {"out": "a"}, "ḡ·(1 − a·a)", "1 − a·a"),
        (tg.mul, "input", {"other": "w"}, "ḡ·w", "w"),
        (tg.sin, "input", {"input": "x"}, "ḡ·cos(x)", "cos(x)"),
        (tg.cos, "input", {"input": "x"}, "−ḡ·sin(x)", "−sin(x)"),
        (tg.log, "input", {"input": "a"}, "ḡ/a", "1/a"),
        (tg.sqrt, "input", {"out": "r"}, "ḡ/(2·r)", "1/(2·r)"),
        (tg.sigmoid, "input", {"out": "a"}, "ḡ·a·(1 − a)", "a·(1 − a)"),
        (tg.relu, "input", {"out": "a"}, "ḡ·[a > 0]", "[a > 0]"),
        (tg.add, "other", {}, "ḡ", "1"),
        (tg.sub, "other", {}, "−ḡ", "−1"),
        (tg.div, "input", {"other": "y"}, "ḡ/y", "1/y"),
        (tg.div, "other", {"input": "x", "other": "y"}, "−ḡ·x/y/y", "−x/y/y"),
        (tg.pow, "input", {"input": "x", "other": 3.0}, "ḡ·3·x²", "3·x²"),
        (tg.maximum, "input", {"input": "x", "other": "y"}, "where(x = y, ḡ/2, ḡ·[x ≥ y])", None),
    ],
)
def test_rules_as_text(operation: Any, argument: str, names: dict[str, Any], whole: str, local: str | None) -> None:
    assert viz.derivative(operation, argument, **names) == whole
    if local is not None:
        assert viz.derivative(operation, argument, g="1", **names) == local


def test_rules_on_matrices_as_text() -> None:
    shapes = {"input": (2, 4), "other": (4, 3), "out": (2, 3)}
    assert viz.derivative(tg.matmul, "input", g="dZ", shapes=shapes, other="W") == "dZ Wᵀ"
    assert viz.derivative(tg.matmul, "other", g="dZ", shapes=shapes, input="A") == "Aᵀ dZ"
    assert viz.derivative(tg.sum, "input", shapes={"input": (2, 3)}, dim=None, keepdim=False) == "ḡ"
    assert viz.derivative(tg.mean, "input", g="1", shapes={"input": (2, 3)}, dim=None, keepdim=False) == "1/6"
    softmax = viz.derivative(tg.softmax, "input", shapes={"input": (2, 3), "out": (2, 3)}, out="a", dim=1)
    assert softmax == "a·(ḡ − sum(ḡ·a, dim=1))"


x, y, z = (Symbol(name) for name in "xyz")


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (1 * x, "x"),
        (x * 0, "0"),
        (x + 0, "x"),
        (0 - x, "−x"),
        (x - (-y), "x + y"),
        (x + (-y), "x − y"),
        (-(0 - x), "x"),
        (x - (y - z), "x − (y − z)"),
        (x - y - z, "x − y − z"),
        (x / (y * z), "x/(y·z)"),
        (x * (y / z), "x·y/z"),
        ((x + y) * z, "(x + y)·z"),
        (-x * y, "−x·y"),
        (x * -y, "−x·y"),
        (-(x + y), "−(x + y)"),
        (x**2, "x²"),
        ((x + y) ** 2, "(x + y)²"),
        (x ** (y - 1), "x^(y − 1)"),
        (2 * (3 * x), "6·x"),
        (abs(x - y), "|x − y|"),
        (x * ((y > 0) & (z <= 1)), "x·[y > 0 and z ≤ 1]"),
        (x * -2.5, "x·(−2.5)"),
    ],
)
def test_as_few_parentheses_as_it_can_be_read_with(expression: Symbol, text: str) -> None:
    assert expression.text() == text
    values = {"x": 0.7, "y": 1.9, "z": 0.4}
    assert expression.simplified().evaluate(values) == pytest.approx(expression.evaluate(values), rel=1e-14)


def test_indices_as_text() -> None:
    a = Symbol("a", (3, 4))
    assert [part.text() for part in (a[0], a[0:2, 1], a[..., None], a[::2])] == [
        "a[0]",
        "a[0:2, 1]",
        "a[..., None]",
        "a[::2]",
    ]


def test_numbers_for_names() -> None:
    assert (x * (1 - y)).text({"x": "−0.5", "y": "0.25"}) == "−0.5·(1 − 0.25)"
    assert (x * y).text({"y": "−3"}) == "x·(−3)"


def test_matrix_products_beside_other_products() -> None:
    W, dZ, A = Symbol("W", (2, 3)), Symbol("dZ", (2, 4)), Symbol("A", (3, 4))
    assert (W.T @ dZ * (1 - A * A)).text() == "(Wᵀ dZ)·(1 − A·A)"
    assert ((W.T @ (-dZ)).T).text() == "−dZᵀ W"
    assert (Symbol("w", (3,)) @ Symbol("x", (3,))).text() == "wᵀ x"


def test_derivative_names_what_has_no_rule() -> None:
    with pytest.raises(ArgumentError, match="tanh has no rule for 'weight'; it has rules for input"):
        viz.derivative(tg.tanh, "weight")
    with pytest.raises(ArgumentTypeError, match="'flatten' is not one operation"):
        viz.derivative(tg.flatten, "input")
