"""What a trace keeps, how long it lives, and the names that it finds in the source."""

from __future__ import annotations

import gc
import importlib
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from viz_programs import leaf

import tinygrad_dl as tg
from tinygrad_dl import nn, optim, viz
from tinygrad_dl.modes import modes
from tinygrad_dl.node import Node
from tinygrad_dl.observing import ObservedNode
from tinygrad_dl.viz.history import History

trace_module: Any = importlib.import_module("tinygrad_dl.viz.trace")  # as an attribute of viz, trace is the function


def named(result: Any) -> dict[str, str]:
    """Names and operations of what led to a result, as a derivation would show them."""
    history = History([result])
    history.name_all()
    return {str(v.name): v.operation.name.strip("_") if v.kind == "result" else v.kind for v in history.values}


@pytest.fixture(autouse=True)
def nothing_stays_switched_on() -> Iterator[None]:
    yield
    assert modes.recorder is Node and modes.record is Node and modes.modules is None
    assert trace_module._state.depth == 0


# --- what is kept


def test_values_are_those_from_before_an_edit() -> None:
    a = leaf([1.0, 2.0])
    with viz.trace() as t:
        y = a * a
        y[:1].mul_(3)
        J = (y * y).sum()
    values = [node.record.value.tolist() for node in t.nodes if node.record.operation.name == "mul"]
    assert values == [[1.0, 4.0], [3.0], [9.0, 16.0]]
    J.backward()
    assert a.grad.tolist() == [36.0, 32.0]


def test_values_arguments_and_gradients() -> None:
    a, b = leaf(3.0), leaf([1.0, 2.0])
    with viz.trace() as t:
        u = a * b
        J = u.sum()
    assert [node.record.operation.name for node in t.nodes] == ["mul", "sum"]
    mul, total = (node.record for node in t.nodes)
    assert mul.value.tolist() == [3.0, 6.0] and mul.arguments == (a, b) and total.arguments[1:] == (None, False, None)
    assert mul.gradient is None and total.gradient is None
    J.backward()
    np.testing.assert_array_equal(mul.gradient, [1, 1])
    np.testing.assert_array_equal(total.gradient, 1)
    assert a.grad.item() == 3 and repr(t) == "<trace of 2 operation(s)>" and len(t) == 2


def test_backward_is_the_same_with_and_without_a_trace() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    x = tg.randn(5, 3, dtype=tg.float64)
    model(x).sum().backward()
    expected = [p.grad.numpy().copy() for p in model.parameters()]
    model.zero_grad()
    with viz.trace():
        loss = model(x).sum()
    loss.backward()
    for parameter, gradient in zip(model.parameters(), expected, strict=True):
        np.testing.assert_array_equal(parameter.grad.numpy(), gradient)


def test_a_recorded_walk_can_be_traced() -> None:
    x = leaf(2.0)
    with viz.trace():
        (slope,) = tg.autograd.grad(x**3, x, create_graph=True)
        (second,) = tg.autograd.grad(slope, x)
    assert (slope.item(), second.item()) == (12, 12)
    assert viz.explain(slope)["J"] == 12


def test_leaves_are_shown_as_they_were() -> None:
    w = leaf(1.0)
    optimizer = optim.SGD([w], lr=0.5)
    with viz.trace():
        J = w * 3
    J.backward()
    optimizer.step()
    assert w.item() == -0.5
    assert viz.graph(J).text().splitlines()[0].split() == ["w", "leaf", "value", "1", "gradient", "3"]


def test_several_outputs() -> None:
    x = leaf([1.0, 2.0, 3.0])
    with viz.trace() as t:
        first, second = tg.split(x, [1, 2])
        J = (first * second).sum()
    J.backward()
    record = t.nodes[0].record
    assert [part.tolist() for part in record.value] == [[1], [2, 3]]
    assert [part.tolist() for part in record.gradient] == [[5], [1, 1]]
    assert x.grad.tolist() == [5, 1, 1]


def test_the_source_line() -> None:
    a = leaf(1.0)
    with viz.trace() as t:
        _ = tg.exp(a)  # this line
    file, line, function = t.nodes[0].record.line
    assert file == __file__ and function == "test_the_source_line"
    assert "# this line" in open(file, encoding="utf-8").read().splitlines()[line - 1]


# --- how long it lives


def graph_of_values() -> tuple[Any, Any]:
    a = leaf(np.ones(10))
    u = tg.exp(a)
    J = (u * u).sum()
    return J, weakref.ref(u.array)


def draw(J: Any) -> None:
    """In a function of its own: Python keeps the variables of a frame that was looked into until the frame ends."""
    assert viz.graph(J).text() and str(viz.explain(J))


@pytest.mark.parametrize("always", [False, True])
def test_values_die_with_the_graph(always: bool) -> None:
    gc.collect()
    gc.disable()
    try:
        if always:
            viz.trace(True)
            J, value = graph_of_values()
        else:
            with viz.trace():
                J, value = graph_of_values()
        assert value() is not None
        J.backward()
        draw(J)
        del J
        assert value() is None
    finally:
        gc.enable()
        viz.trace(False)


def test_what_a_trace_holds_dies_with_it() -> None:
    with viz.trace() as t:
        _, value = graph_of_values()
    assert value() is not None
    gc.disable()
    try:
        del t, _
        assert value() is None
    finally:
        gc.enable()


# --- switching


def test_an_error_closes_it() -> None:
    with pytest.raises(ZeroDivisionError), viz.trace():
        assert modes.recorder is ObservedNode
        raise ZeroDivisionError
    assert modes.recorder is Node


def test_traces_nest() -> None:
    a = leaf(2.0)
    with viz.trace() as outer:
        u = a * a
        with viz.trace() as inner:
            v = u + a
        w = v * u
    assert (len(outer), len(inner)) == (3, 1)
    assert w.node.record is not None


def test_on_and_off_at_once() -> None:
    a = leaf(2.0)
    viz.trace(True)
    viz.trace(True)
    assert hasattr((a * a).node, "record")
    with viz.trace() as t:
        viz.trace(False)
        b = a * a
    assert len(t) == 1 and hasattr(b.node, "record")
    assert not hasattr((a * a).node, "record")


def test_grad_modes_inside() -> None:
    a = leaf(2.0)
    with viz.trace() as t:
        with tg.no_grad():
            assert not (a * a).requires_grad
            with tg.enable_grad():
                b = a * a
        c = a * a
    with tg.no_grad(), viz.trace() as quiet:
        assert not (a * a).requires_grad
    assert len(t) == 2 and len(quiet) == 0 and b.node.record and c.node.record


UNCHANGED = """
import tinygrad_dl as tg
a = tg.tensor(2.0, requires_grad=True)
J = a * a
print(hasattr(J.node, "record"), J.item())
"""


@pytest.mark.parametrize(("value", "traced"), [("1", True), ("0", False), ("", False)])
def test_the_environment_variable_traces_an_unchanged_script(value: str, traced: bool) -> None:
    environment = {**os.environ, "TINYGRAD_DL_TRACE": value, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", UNCHANGED]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.stdout.split() == [str(traced), "4.0"], ran.stderr


def test_it_is_of_this_thread_only() -> None:
    seen: list[Any] = []
    with viz.trace() as t:
        thread = threading.Thread(target=lambda: seen.append(leaf(2.0) * 3))
        thread.start()
        thread.join()
        mine = leaf(2.0) * 3
    assert len(t) == 1 and not hasattr(seen[0].node, "record") and hasattr(mine.node, "record")


# --- names

needs_executing = pytest.mark.skipif(trace_module._executing() is None, reason="the executing package is not installed")


def test_names_of_variables() -> None:
    a, b = leaf(1.0), leaf(2.0)
    with viz.trace():
        u = a * b
        v = tg.exp(u)
        J = (u + v) * 2
    assert named(J) == {"a": "leaf", "b": "leaf", "u": "mul", "v": "exp", "p": "add", "J": "mul"}


def test_names_as_the_notes_write_them() -> None:
    W, Z = [None, leaf([[1.0]]), leaf([[2.0]])], {}
    A = {0: tg.ones(1, 1, dtype=tg.float64)}
    with viz.trace():
        for l in (1, 2):
            k = l - 1
            Z[l] = W[l] @ A[k]
            A[l] = tg.tanh(Z[l])
        J = A[2].sum()
    results = ["Z[1]", "A[1]", "Z[2]", "A[2]", "J"]
    assert [name for name, kind in named(J).items() if kind not in ("leaf", "constant")] == results
    assert {"W[1]", "W[2]", "A[0]"} < named(J).keys()


def test_names_of_the_call_not_of_its_inner_steps() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    loss_function = nn.MSELoss()
    with viz.trace():
        y = model(tg.ones(4, 2))
        loss = loss_function(y, tg.zeros(4, 1))
    names = named(loss)
    assert names["y"] == "linear" and names["loss"] == "mean"
    assert "y₂" not in names and "loss₂" not in names
    assert {"model[0].weight", "model[0].bias", "model[2].weight", "model[2].bias"} < names.keys()


def test_a_name_that_is_given_again() -> None:
    h = leaf(1.0)
    with viz.trace():
        for _ in range(3):
            h = tg.tanh(h)
    assert list(named(h)) == ["h", "h₂", "h₃", "h₄"]


@needs_executing
def test_other_ways_to_assign() -> None:
    class Holder:
        pass

    a, holder = leaf(3.0), Holder()
    with viz.trace():
        holder.z = a * 2
        p, q = a + 1, a + 2
        total = holder.z * p
        total = total + q
        if (r := total * 3) is not None:
            J: Any = r * 1
    assert {"z", "p", "q", "total", "total₂", "r", "J"} < named(J).keys()
    with viz.trace():
        product = leaf([[2.0]]) * 1
        product @= leaf([[3.0]])
    assert list(named(product))[-1] == "product₂"


def test_a_function_says_more_through_its_caller() -> None:
    def layer(x: Any, w: Any) -> Any:
        return tg.tanh(x @ w)

    X, W1 = tg.ones(1, 1), tg.ones(1, 1, requires_grad=True)
    with viz.trace():
        J = layer(X, W1).sum()
    assert {"X", "W1"} < named(J).keys()


@needs_executing
def test_constants_made_on_the_spot_are_written_as_in_the_source() -> None:
    a, y = leaf(0.3), tg.tensor(1.0, dtype=tg.float64)
    with viz.trace():
        J = (1 - y) * tg.log(a)
    assert named(J)["(1 − y)"] == "constant"


def test_without_the_package_variables_still_have_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace_module, "_executing", lambda: None)
    a, b = leaf(1.0), leaf(2.0)
    with viz.trace():
        first = a * b
        second = tg.exp(first)
        loss = (second + a) * 2
    kinds = {"a": "leaf", "b": "leaf", "first": "mul", "second": "exp", "u": "add", "loss": "mul"}
    assert named(loss) == kinds


def test_names_without_source() -> None:
    space: dict[str, Any] = {"tg": tg, "viz": viz, "a": leaf(3.0)}
    exec("with viz.trace():\n    u = a * a\n    loss = u + (a * 2).exp()\n", space)
    assert list(named(space["loss"])) == ["a", "u", "v", "p", "loss"]


def test_names_never_collide() -> None:
    u = leaf(1.0)
    with viz.trace():
        J = (u * 2 + 1) * (u * 3 + 1)
    assert len(named(J)) == 6


def test_modules_that_ran() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.hidden = nn.Linear(2, 2)

        def forward(self, x: Any) -> Any:
            return self.hidden(x).sum()

    net = Net()
    with viz.trace() as t:
        net(tg.ones(1, 2))
    assert [node.record.modules for node in t.nodes] == [(("net", "Net"), ("net.hidden", "Linear")), (("net", "Net"),)]
