"""Every rule of every operation is read by Symbols, and what they write down computes what the rule computes."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl import ops, viz
from tinygrad_dl.errors import ArgumentError, ArgumentTypeError
from tinygrad_dl.operation import Node, Operation, operation
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
CASES: dict[str, list[tuple[Any, ...]]] = {
    "positive": [(mixed(2, 3),)],
    "add": [(mixed(2, 3), mixed(3)), (mixed(), 2.0)],
    "sub": [(mixed(2, 3), mixed(2, 1)), (1.0, mixed(2))],
    "mul": [(mixed(2, 3), mixed(3)), (mixed(2), 3.0)],
    "div": [(mixed(2, 3), leaf(3)), (2.0, leaf(2))],
    "div_trunc": [(leaf(2), leaf(2))],
    "remainder": [(leaf(3), leaf(3))],
    "neg": [(mixed(2),)],
    "pow": [(leaf(2, 3), leaf(3)), (leaf(2), 2), (leaf(2), 3.0), (leaf(2), 0), (leaf(2), -1.5), (2.0, leaf(2)), (0.0, leaf(2))],
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
    "clamp": [(mixed(4), -0.5, None), (mixed(4), None, 0.5), (mixed(4), -0.5, 0.5), (mixed(4), leaf(4, low=-1), leaf(4))],
    "where": [(mask, mixed(2, 3), mixed(2, 3)), (mask, mixed(2, 3), 0.0)],
    "to": [(leaf(2), np.dtype(np.float32), None)],
    "index": [(mixed(3, 2), 1), (mixed(3, 2), (slice(0, 2), 1)), (mixed(3), np.array([0, 2, 0]))],
    "index_put": [(mixed(2), slice(1, 3), (4,)), (mixed(2), np.array([1, 1]), (4,))],
    "take_along_dim": [(mixed(2, 3), tg.tensor([[1], [2]]), 1)],
    "put_along_dim": [(mixed(2, 1), tg.tensor([[1], [2]]), 1, (2, 3))],
    "reshape": [(mixed(2, 3), (3, 2))],
    "_view": [(mixed(2, 3), (6,))],
    "permute": [(mixed(2, 3, 4), (2, 0, 1))],
    "transpose": [(mixed(2, 3), 0, 1), (mixed(2, 3, 4), 0, 2)],
    "expand": [(mixed(2, 1), (3, 2, 4))],
    "sum_to": [(mixed(2, 3), (1, 3))],
    "_cat": [([mixed(2, 3), mixed(1, 3)], 0), ([mixed(2), tg.ones(3, dtype=tg.float64)], 0)],
    "_split": [(mixed(5, 2), [2, 3], 0)],
    "clone": [(mixed(2),)],
    "sum": [(mixed(2, 3),), (mixed(2, 3), 1), (mixed(2, 3), 0, True)],
    "mean": [(mixed(2, 3),), (mixed(2, 3), 1), (mixed(2, 3), (0, 1), True)],
    "cast": [(mixed(2), np.dtype(np.float32))],
    "cast_like": [(tg.tensor([True, False]), mixed(2))],
    "_var": [(mixed(2, 3), None, 1, False), (mixed(2, 3), 1, 0, True)],
    "_std": [(mixed(2, 3), None, 1, False), (mixed(2, 3), 0, 1, False)],
    "amax": [(mixed(2, 3),), (mixed(2, 3), 1)],
    "amin": [(mixed(2, 3),), (mixed(2, 3), 0, True)],
    "softmax": [(mixed(2, 3), 1)],
    "log_softmax": [(mixed(2, 3), 0)],
    "logsumexp": [(mixed(2, 3), 1), (mixed(2, 3), (0, 1), True)],
    "matmul": [
        (mixed(2, 3), mixed(3, 4)), (mixed(3), mixed(3)), (mixed(3), mixed(3, 2)), (mixed(2, 3), mixed(3)),
        (mixed(2, 3, 4), mixed(4, 2)), (mixed(2, 3, 4), mixed(2, 4, 2)), (mixed(3), mixed(2, 3, 4)), (mixed(2, 3, 4), mixed(4)),
    ],  # fmt: skip
    "linear": [(mixed(2, 3), mixed(4, 3), mixed(4)), (mixed(2, 5, 3), mixed(4, 3), None)],
    "squared_error": [(mixed(2, 3), mixed(2, 3))],
    "bce_with_logits": [(mixed(2), leaf(2, high=0.9), None), (mixed(2), leaf(2, high=0.9), leaf(2))],
    "_bce_with_logits": [(mixed(2), leaf(2, high=0.9), None), (mixed(2), leaf(2, high=0.9), leaf(2))],
    "softplus": [(mixed(3),)],
    "cross_entropy": [(mixed(2, 3), classes, kind) for kind in ("mean", "sum", "none")],
}  # fmt: skip


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
    return first.node if first.node.plan is not None else first.node.parents


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


def test_every_operation_with_rules_has_a_case() -> None:
    missing = operations().keys() - CASES.keys()
    assert not missing, f"give these operations cases, so that their rules are read: {sorted(missing)}"


@pytest.mark.parametrize(
    ("name", "args"),
    [pytest.param(name, args, id=f"{name}-{i}") for name, cases in CASES.items() for i, args in enumerate(cases)],
)
def test_what_a_symbol_reads_computes_what_the_rule_computes(name: str, args: tuple[Any, ...]) -> None:
    found = operations()
    if name not in found:
        pytest.skip(f"there is no operation {name!r} now")
    result = found[name](*args)
    if not (result[0] if isinstance(result, tuple) else result).requires_grad:
        pytest.skip(f"{name} of these arguments is outside the graph")
    node, g, read = node_of(result), gradient_like(result), Reader()
    symbols = contributions(node.plan, read.saved(node), read("g", g))
    arrays = contributions(node.plan, node.saved, g)
    assert len(symbols) == len(arrays) > 0
    for symbol, array in zip(symbols, arrays, strict=True):
        assert isinstance(symbol, Symbol)
        assert symbol.shape == array.shape and symbol.dtype == array.dtype
        np.testing.assert_allclose(symbol.evaluate(read.values), array, rtol=1e-12)
        simple = np.broadcast_to(symbol.simplified().evaluate(read.values), array.shape)
        np.testing.assert_allclose(simple, array, rtol=1e-6 if array.dtype == np.float32 else 1e-12)
        assert symbol.text() and "object at" not in symbol.text()
