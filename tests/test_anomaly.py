"""Anomaly mode: the first NaN or infinity is found where it arises, and named with the line that made it."""

from __future__ import annotations

import contextlib
import gc
import re
import threading
import tracemalloc
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl import nn, viz
from tinygrad_dl.autograd import set_detect_anomaly
from tinygrad_dl.modes import modes, unchecked
from tinygrad_dl.node import Node
from tinygrad_dl.operation import operation
from tinygrad_dl.utils.checkpoint import checkpoint

nan, inf = float("nan"), float("inf")


@pytest.fixture(autouse=True)
def nothing_stays_switched_on() -> Iterator[None]:
    yield
    assert modes.recorder is Node and modes.record is Node and modes.checking is unchecked and modes.observers == ()


def leaf(value: Any, dtype: Any = tg.float64) -> Any:
    return tg.tensor(value, dtype=dtype, requires_grad=True)


def anomaly(run: Callable[[], Any]) -> str:
    """What anomaly mode says of a program; that it blames a line of this file with `# here`, if it blames one."""
    with pytest.raises(tg.AnomalyError) as caught, set_detect_anomaly(True):
        run()
    message = str(caught.value)
    assert "outside anomaly mode" in message or re.search(r"(called|recorded) at .*test_anomaly\.py.*# here$", message)
    return message


def no_anomaly(run: Callable[[], Any]) -> Any:
    with set_detect_anomaly(True):
        return run()


# --- the forward: the first place


def test_a_division_by_zero() -> None:
    x, z = leaf([1.0, 2.0, 3.0]), tg.tensor([[1.0, 0.0, 0.0]], dtype=tg.float64)

    def run() -> None:
        y = x / z  # here
        (y - y).sum().backward()

    message = anomaly(run)
    assert message.startswith("div: the result (float64 of shape (1, 3)) holds inf at index (0, 1), and no input held")
    assert "input: float64 of shape (3,), a leaf, there 2\n" in message
    assert "other: float64 of shape (1, 3), outside the graph, there 0\n" in message


def test_the_inputs_at_the_place_in_question() -> None:
    x, z = leaf([[1.0], [2.0]]), tg.tensor([3.0, 0.0])

    def run() -> None:
        x / z  # here

    message = anomaly(run)
    assert "(float64 of shape (2, 2)) holds inf at index (0, 1)" in message
    assert "input: float64 of shape (2, 1), a leaf, there 1\n" in message
    assert "shape (2,), outside the graph, there 0\n" in message


def test_the_logarithm_of_zero() -> None:
    x = leaf(0.0)

    def run() -> None:
        y = tg.log(x * 3)  # here
        (y * 0).backward()

    assert anomaly(run).startswith("log: the result (float64 of shape ()) holds -inf, and no input held an infinity")


def test_a_nan_of_infinities() -> None:
    x = leaf([1.0, inf])

    def run() -> None:
        x - x  # here

    message = anomaly(run)
    assert "holds nan at index (1,), and no input held a NaN" in message
    assert "input: float64 of shape (2,), a leaf, there inf, holds inf at index (1,)\n" in message


def test_float16_overflows() -> None:
    x = leaf([200.0, 300.0], tg.float16)
    no_anomaly(lambda: x * 200)

    def run() -> None:
        x * 300  # here

    assert "mul: the result (float16 of shape (2,)) holds inf at index (1,), and no input" in anomaly(run)


def test_a_fused_loss_whose_logits_are_unsound() -> None:
    w, x = leaf([[1e200, 1.0]]), tg.tensor([[1e200], [1.0]], dtype=tg.float64)

    def run() -> None:
        logits = x @ w  # here
        nn.functional.cross_entropy(logits, tg.tensor([0, 1])).backward()

    assert anomaly(run).startswith("matmul: the result (float64 of shape (2, 2)) holds inf at index (0, 0)")


@pytest.mark.parametrize(
    "masked",
    [
        lambda x: tg.where(tg.tensor([True, False]), x, -inf),
        lambda x: x + tg.tensor([0.0, -inf]),
        lambda x: x * inf,
        lambda x: tg.cat([x, tg.tensor([inf])]),
        lambda x: tg.maximum(x, tg.tensor(inf)),
    ],
)
def test_infinities_that_were_brought_in_are_no_anomaly(masked: Any) -> None:
    x = leaf([1.0, 2.0], tg.float32)
    assert bool(tg.isinf(no_anomaly(lambda: masked(x))).any())


def test_a_mask_of_infinities_before_softmax() -> None:
    x, mask = leaf([1.0, 2.0, 3.0]), tg.tensor([False, True, False])

    def run() -> None:
        tg.softmax(tg.where(mask, -inf, x), 0)[0].backward()

    no_anomaly(run)
    assert x.grad[1] == 0 and bool(tg.isfinite(x.grad).all())


def test_what_holds_no_floating_numbers_passes() -> None:
    x = leaf([3.0, 1.0])
    values, places = no_anomaly(lambda: x.max(0, keepdim=True))
    assert (values.item(), places.item()) == (3, 0)
    assert no_anomaly(lambda: tg.tensor([1, 2]) // tg.tensor([2, 1])).tolist() == [0, 2]


# --- a NaN from outside is named with the input that brought it


@pytest.mark.parametrize(
    ("run", "name"),
    [
        (lambda x, bad: x * bad, "other"),  # here
        (lambda x, bad: bad / x, "input"),  # here
        (lambda x, bad: tg.cat([x, bad]), r"tensors\[1\]"),  # here
        (lambda x, bad: tg.where(x > 0, bad.numpy(), x), "input"),  # here
        (lambda x, bad: x + nan, "other"),  # here
        (lambda x, bad: nn.functional.linear(x, bad.reshape(1, 2)), "other|weight"),  # here
    ],
)
def test_a_nan_from_outside(run: Any, name: str) -> None:
    x, bad = leaf([1.0, 2.0]), tg.tensor([1.0, nan], dtype=tg.float64)
    assert re.search(f"holds nan.*, which came in with ({name})\n", anomaly(lambda: run(x, bad)))


def test_where_in_the_input_a_nan_was() -> None:
    w, data = leaf([[1.0], [1.0]]), np.zeros((5, 2))
    data[3, 1] = nan

    def run() -> None:
        tg.tensor(data) @ w  # here

    message = anomaly(run)
    assert "input: float64 of shape (5, 2), outside the graph, holds nan at index (3, 1)\n" in message
    assert "other: float64 of shape (2, 1), a leaf\n" in message


def test_a_leaf_that_is_not_a_number() -> None:
    x = leaf(nan)

    def run() -> None:
        x * 2  # here

    assert "input: float64 of shape (), a leaf, there nan, holds nan" in anomaly(run)


def test_what_is_not_recorded_is_not_looked_at() -> None:
    x = leaf([0.0, 1.0])

    def run() -> Any:
        with tg.no_grad():
            y = tg.log(x)
        return y, tg.log(x.detach()), tg.isnan(tg.tensor([nan])), (x.detach() / 0)

    y, *_ = no_anomaly(run)
    assert y[0] == -inf


def test_a_nan_that_is_taken_out_again_is_no_anomaly() -> None:
    x, data = leaf([1.0, 2.0]), tg.tensor([nan, 3.0], dtype=tg.float64)
    clean = no_anomaly(lambda: x * tg.where(tg.isnan(data), 0.0, data))
    assert clean.tolist() == [0, 6]


# --- backward: the first rule


def test_the_square_root_at_zero() -> None:
    x = leaf([4.0, 0.0])

    def run() -> None:
        y = tg.sqrt(x)  # here
        (y * 3).sum().backward()

    message = anomaly(run)
    assert message.startswith(
        "backward: the gradient of sqrt for its 'input' (float64 of shape (2,)) holds inf at inde"
    )
    assert "and neither the gradient that arrived nor a saved value held an infinity" in message
    assert (
        "the gradient that arrived: float64 of shape (2,), there 3\n    out: float64 of shape (2,), there 0" in message
    )
    assert x.grad is None


def test_where_does_not_hide_the_other_branch() -> None:
    x = leaf([4.0, 0.0])

    def run() -> None:
        root = x**0.5  # here
        tg.where(x > 0, root, 0.0).sum().backward()

    message = anomaly(run)
    assert message.startswith(
        "backward: the gradient of pow for its 'input' (float64 of shape (2,)) holds nan at index"
    )
    assert "the gradient that arrived: float64 of shape (2,), there 0" in message


def test_the_input_whose_gradient_it_is() -> None:
    a, b = leaf([1e-100]), leaf([1e-250])

    def run() -> None:
        y = a / b  # here
        y.backward()

    assert "the gradient of div for its 'other' (float64 of shape (1,)) holds -inf" in anomaly(run)


def test_the_member_of_a_list_whose_gradient_it_is() -> None:
    x, y = leaf([1.0]), leaf([0.0])

    def run() -> None:
        parts = tg.cat([x, tg.sqrt(y)])  # here
        parts.sum().backward()

    assert anomaly(run).startswith("backward: the gradient of sqrt for its 'input'")


def test_the_sum_over_what_was_broadcast_overflows() -> None:
    b, x = leaf([0.0], tg.float16), tg.ones(4, dtype=tg.float16)

    def run() -> None:
        y = x + b  # here
        y.backward(x * 30000)

    assert "the gradient of add for its 'other' (float16 of shape (1,)) holds inf" in anomaly(run)


def test_several_outputs() -> None:
    x = leaf([4.0, 0.0, 1.0])

    def run() -> None:
        first, _ = tg.split(tg.sqrt(x), [2, 1])  # here
        (first * 2).sum().backward()

    assert "the gradient of sqrt for its 'input' (float64 of shape (3,)) holds inf at index (1,)" in anomaly(run)

    def unsound() -> None:
        tg.split(leaf([1.0, nan]), 1)  # here

    message = anomaly(unsound)
    assert message.startswith("split: result 1 (float64 of shape (1,)) holds nan at index (0,), which came in with inp")


def test_a_gradient_that_is_passed_in() -> None:
    x = leaf([1.0, 2.0])

    def run() -> None:
        y = x * 2  # here
        y.backward(tg.tensor([1.0, nan], dtype=tg.float64))

    message = anomaly(run)
    assert message.startswith("backward: the gradient that arrived at mul holds nan, which no rule gave: it was passed")
    assert "the gradient that arrived: float64 of shape (2,), holds nan at index (1,)" in message
    no_anomaly(lambda: (x * 2).backward(tg.tensor([1.0, inf], dtype=tg.float64)))


def test_only_what_leads_to_the_inputs_of_grad_is_looked_at() -> None:
    x, y = leaf([4.0, 0.0]), leaf([1.0, 1.0])
    no_anomaly(lambda: tg.autograd.grad((tg.sqrt(x) * y).sum(), y))

    def run() -> None:
        root = tg.sqrt(x)  # here
        tg.autograd.grad((root * y).sum(), [x, y])

    anomaly(run)


def test_a_graph_recorded_before_the_mode_was_on() -> None:
    x = leaf([4.0, 0.0])
    y = tg.sqrt(x).sum()
    assert "recorded outside anomaly mode; switch it on before the forward" in anomaly(y.backward)


def test_a_recorded_walk() -> None:
    x = leaf([4.0, 0.0])

    def first() -> None:
        y = tg.sqrt(x)  # here
        tg.autograd.grad(y.sum(), x, create_graph=True)

    assert anomaly(first).startswith("backward: the gradient of sqrt for its 'input'")

    def second() -> None:
        (slope,) = tg.autograd.grad((x**1.5).sum(), x, create_graph=True)  # here
        slope.sum().backward()

    message = anomaly(second)
    assert re.search(r"recorded at .*: \(slope,\) = .*\n    in the derivative of pow, called at .*# here$", message)


def test_a_step_of_a_rule_is_no_result() -> None:
    """The rule of the exponent takes the logarithm of the base 0, and does not use it."""
    x, n = leaf([2.0, 0.0]), leaf([2.0, 2.0])

    def run() -> Any:
        slopes = tg.autograd.grad((x**n).sum(), [x, n], create_graph=True)
        return slopes[1]

    assert no_anomaly(run)[1] == 0


def test_a_twin_is_looked_at_as_a_whole() -> None:
    logits = leaf([[1.0, 2.0], [3.0, 4.0]])

    def run() -> Any:
        loss = nn.functional.cross_entropy(logits, tg.tensor([0, 1]))
        (slope,) = tg.autograd.grad(loss, logits, create_graph=True)
        return tg.autograd.grad((slope * slope).sum(), logits)[0]

    expected = run()
    np.testing.assert_array_equal(no_anomaly(run).numpy(), expected.numpy())


def test_a_step_of_a_twin_is_no_result() -> None:
    """The root's own gradient is infinite at 0, and `where` drops it."""

    @operation(
        "safe_root",
        twin=lambda input: tg.sqrt(tg.where(input > 0, input, 0.0)),
        input=lambda g, input, out: np.where(input > 0, g / np.where(input > 0, 2 * out, 1), 0),
    )
    def safe_root(input: Any) -> Any:
        return np.sqrt(np.maximum(input, 0))

    x = leaf([4.0, 0.0])
    for create_graph in (False, True):
        (slope,) = no_anomaly(lambda: tg.autograd.grad(safe_root(x).sum(), x, create_graph=create_graph))  # noqa: B023
        assert slope.tolist() == [0.25, 0]


def test_gradients_are_the_same_in_anomaly_mode() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    x, y = tg.randn(5, 3, dtype=tg.float64), tg.tensor([0, 1, 0, 1, 1])

    def gradients() -> list[np.ndarray]:
        model.zero_grad()
        for _ in range(2):  # also added up
            nn.functional.cross_entropy(model(x), y).backward()
        return [p.grad.numpy().copy() for p in model.parameters()]

    for got, expected in zip(no_anomaly(gradients), gradients(), strict=True):
        np.testing.assert_array_equal(got, expected)


def test_on_another_device() -> None:
    with tg.device("strict"):
        x = tg.tensor([4.0, 0.0], requires_grad=True)
        bad = tg.tensor([1.0, nan])

    def forward() -> None:
        (x * 2) / x  # here

    assert (
        "holds nan at index (1,), and no input held a NaN\n    input: float32 of shape (2,) on 'strict', there 0\n"
        in (anomaly(forward))
    )

    def backward() -> None:
        y = tg.sqrt(x)  # here
        y.sum().backward()

    assert "the gradient of sqrt for its 'input' (float32 of shape (2,) on 'strict') holds inf" in anomaly(backward)

    def brought() -> None:
        x + bad  # here

    assert "holds nan at index (1,), which came in with other" in anomaly(brought)

    def written() -> None:
        t = x * 2
        y = t * t
        t.array[0] = 7.0
        y.sum().backward()

    with pytest.raises(tg.GraphError, match="has written to that memory since"):
        no_anomaly(written)


# --- edits in place


def test_an_edit_in_place() -> None:
    x = leaf([2.0, 0.0])
    u = x * 1

    def run() -> None:
        u.log_()  # here

    message = anomaly(run)
    assert message.startswith("log: the result (float64 of shape (2,)) holds -inf at index (1,), and no input held")
    assert u.tolist() == [2, 0]  # raised before it was written


def test_an_edit_through_a_view() -> None:
    x = leaf([2.0, 0.0])

    def forward() -> None:
        u = x * 1
        u[1:].div_(0)  # here

    assert anomaly(forward).startswith("div: the result (float64 of shape (1,)) holds nan at index (0,), and no input")

    def backward() -> None:
        u = x * 1
        u[1:].sqrt_()  # here
        u.sum().backward()

    assert anomaly(backward).startswith(
        "backward: the gradient of sqrt for its 'input' (float64 of shape (1,)) holds i"
    )


def test_assignments() -> None:
    x = leaf([2.0, 0.0])

    def masked() -> Any:
        u = x * 1
        u[0] = -inf
        return u.exp_()

    assert no_anomaly(masked).tolist() == [0, 1]

    def ruined() -> None:
        u = x * 1
        u[0] = nan  # here

    assert "holds nan, which came in with" in anomaly(ruined)


def test_gradients_of_edits_are_the_same_in_anomaly_mode() -> None:
    x = leaf([[1.0, 2.0], [3.0, 4.0]])

    def gradient() -> Any:
        u = x * 1
        u[0].exp_()
        u[1].sin_().mul_(u[0].detach().clone())
        v = u + u
        v[:, 1] = x[0, 0]
        return tg.autograd.grad(v.tanh_().sum(), x)[0].numpy()

    np.testing.assert_array_equal(no_anomaly(gradient), gradient())


# --- hooks


def spoil(*gradients: Any) -> Any:
    """A hook that ruins what it gets."""
    first = gradients[0]
    return tuple([None if g is None else g / 0 for g in first]) if isinstance(first, tuple) else first / 0


def in_place(gradient: Any) -> None:
    gradient.mul_(nan)


@pytest.mark.parametrize(
    ("register", "name", "what"),
    [
        (lambda x, u: u.register_hook(spoil), "spoil", "inf"),
        (lambda x, u: x.register_hook(spoil), "spoil", "inf"),
        (lambda x, u: u.register_hook(in_place), "in_place", "nan"),
        (lambda x, u: u.grad_fn.register_hook(spoil), "spoil", "inf"),
        (lambda x, u: u.grad_fn.register_prehook(spoil), "spoil", "inf"),
    ],
)
@pytest.mark.parametrize("recorded", [False, True])
def test_a_hook_that_ruins_a_gradient(register: Any, name: str, what: str, recorded: bool) -> None:
    x = leaf([1.0, 2.0])
    with set_detect_anomaly(True):
        u = x * 2
        register(x, u)
        with pytest.raises(tg.AnomalyError) as caught:
            tg.autograd.grad(u.sum(), x, create_graph=recorded)
    first, came, where = str(caught.value).split("\n")
    assert first.startswith(
        f"hook {name}: the gradient that it gave (float64 of shape (2,)) holds {what} at index (0,)"
    )
    assert came == "    gradient[0]: float64 of shape (2,)"
    assert re.match(rf"    defined at .*test_anomaly.py, line \d+, in {name}: def {name}", where)


@pytest.mark.parametrize("kind", ["register_full_backward_hook", "register_full_backward_pre_hook"])
def test_a_modules_hook_that_ruins_a_gradient(kind: str) -> None:
    layer, x = nn.Tanh(), leaf([1.0, 2.0])
    getattr(layer, kind)(lambda *came: spoil(came[1]))
    with set_detect_anomaly(True), pytest.raises(tg.AnomalyError, match="hook <lambda>: the gradient that it gave"):
        layer(x).sum().backward()


def test_hooks_that_change_nothing_pass() -> None:
    x, seen = leaf([1.0, 2.0]), []
    u = x * 2
    u.register_hook(lambda g: seen.append(g.tolist()))
    no_anomaly(lambda: u.backward(tg.tensor([inf, 1.0], dtype=tg.float64)))
    assert seen == [[inf, 1]]


# --- saved values that something else has written to


def writes(tensor: Any) -> None:
    tensor.detach().numpy()[0] = 7.0


@pytest.mark.parametrize(
    ("build", "name", "operation"),
    [
        (lambda x: ((t := x * 2), t * t), "other", "mul"),  # here
        (lambda x: ((t := tg.exp(x)), t + 0), "out", "exp"),  # here
        (lambda x: ((t := x * 1), x[tg.tensor([0, 1])] @ t), "other", "matmul"),  # here
        (lambda x: ((t := x * 1), tg.cat([t, x]) * tg.cat([t, t])), None, None),
    ],
)
def test_a_write_through_numpy(build: Any, name: str | None, operation: str | None) -> None:
    x = leaf([1.0, 2.0])
    with set_detect_anomaly(True):
        t, y = build(x)
        writes(t)
        if name is None:  # nobody asks for it
            y.sum().backward()
            return
        with pytest.raises(tg.GraphError, match=f"backward: {operation} saved its '{name}' .*written to.*") as caught:
            y.sum().backward()
    assert re.search(r"test_anomaly\.py, line \d+, in <lambda>: .*# here$", str(caught.value))


def test_a_write_through_numpy_is_found_by_a_recorded_walk() -> None:
    x = leaf([1.0, 2.0])
    with set_detect_anomaly(True):
        t = x * 2
        y = (t * t).sum()
        writes(t)
        with pytest.raises(tg.GraphError, match="has written to that memory"):
            tg.autograd.grad(y, x, create_graph=True)


def test_a_retained_graph_is_compared_each_time() -> None:
    x = leaf([1.0, 2.0])
    with set_detect_anomaly(True):
        t = x * 2
        y = (t * t).sum()
        y.backward(retain_graph=True)
        y.backward(retain_graph=True)
        writes(t)
        with pytest.raises(tg.GraphError, match="has written to that memory"):
            y.backward()


# --- other errors of backward


def test_a_walk_of_a_freed_graph_says_where_it_was_recorded() -> None:
    x, memory = leaf(2.0), []
    with set_detect_anomaly(True):
        for step in range(2):
            hidden = x * (memory[-1] if memory else 1.0)  # this one
            memory.append(hidden)
            if step == 1:
                with pytest.raises(
                    tg.GraphError, match=r"outlived that step: detach\(\) it\. mul was recorded at .*this"
                ):
                    hidden.backward()
            else:
                hidden.backward()


def test_a_trace_says_so_too() -> None:
    x = leaf(2.0)
    with viz.trace():
        y = x * 2  # this one
    y.backward()
    with pytest.raises(
        tg.GraphError, match=r"mul was recorded at .*test_anomaly.py, line \d+, in .*: y = x \* 2  # th"
    ):
        y.backward()


def test_a_conflict_of_an_edit_says_where_the_value_was_saved() -> None:
    x = leaf([1.0, 2.0])
    with set_detect_anomaly(True):
        y = tg.exp(x)  # this one
        y.data.zero_()
        with pytest.raises(tg.GraphError, match=r"zero_ has overwritten it.* exp was recorded at .*# this one"):
            y.sum().backward()


def test_an_error_in_a_rule_says_where_the_forward_was() -> None:
    @operation("lost", input=lambda g: g.reshape(7))
    def lost(input: Any) -> Any:
        return input * 1

    x = leaf([1.0, 2.0])
    for check_nan in (True, False):
        with set_detect_anomaly(True, check_nan):
            y = lost(x)  # this one
            with pytest.raises(ValueError, match="reshape") as caught:
                y.sum().backward()
        (note,) = caught.value.__notes__
        assert re.match(r"lost: recorded at .*test_anomaly.py, line \d+, in .*# this one$", note)


# --- a Function's


def test_functions() -> None:
    class Root(tg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, factor: float) -> Any:
            y = tg.sqrt(x) * factor
            ctx.save_for_backward(x, y)
            return y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            _, y = ctx.saved_tensors
            return g / (2 * y), None

    x = leaf([4.0, 0.0])

    def forward() -> None:
        Root.apply(x, nan)  # here

    assert anomaly(forward).startswith(
        "Root: the result (float64 of shape (2,)) holds nan at index (0,), which came in w"
    )

    for create_graph in (False, True):

        def backward() -> None:
            y = Root.apply(x, 1.0)  # here
            tg.autograd.grad(y.sum(), x, create_graph=create_graph)  # noqa: B023

        message = anomaly(backward)
        assert message.startswith(
            "backward: the gradient of Root for its 'x' (float64 of shape (2,)) holds inf at index"
        )
        assert "    the gradient that arrived: float64 of shape (2,)\n    tensor 0: float64 of shape (2,)\n" in message

    with set_detect_anomaly(True):
        t = x + 1
        y = Root.apply(t, 1.0)  # this one
        writes(t)
        with pytest.raises(tg.GraphError, match=r"Root saved its 'tensor 0'.*written to that memory[\s\S]*# this one"):
            y.sum().backward()


def test_checkpoints() -> None:
    x = leaf([4.0, 0.0])

    def root(x: Any) -> Any:
        return tg.sqrt(x)  # here

    assert anomaly(lambda: checkpoint(root, x).sum().backward()).startswith("backward: the gradient of sqrt for its 'i")
    made_before = checkpoint(root, x).sum()
    assert "recorded outside anomaly mode" in anomaly(made_before.backward)
    no_anomaly(checkpoint(lambda x: root(x + 1), x).sum().backward)
    np.testing.assert_allclose(x.grad.numpy(), [0.5 / 5**0.5, 0.5])


def test_what_a_function_returns_wrongly() -> None:
    class Wrong(tg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return tg.ones(7)

    with set_detect_anomaly(True):
        y = Wrong.apply(leaf([1.0, 2.0]))  # this one
        with pytest.raises(tg.ShapeError) as caught:
            y.sum().backward()
    assert re.match(r"Wrong: recorded at .*test_anomaly.py, line \d+, in .*# this one$", caught.value.__notes__[0])


def test_without_looking_at_values() -> None:
    x = leaf([1.0, 0.0])
    with set_detect_anomaly(True, check_nan=False):
        y = x / x  # this one
        (y - y).sum().backward(retain_graph=True)
        assert bool(tg.isnan(x.grad).any())
        writes(x)
        with pytest.raises(tg.GraphError, match=r"div saved its '(input|other)'.*[\s\S]*# this one"):
            (y - y).sum().backward()


# --- switching


def test_names_and_states_are_pytorchs() -> None:
    assert not tg.is_anomaly_enabled() and tg.is_anomaly_check_nan_enabled()
    with pytest.warns(UserWarning, match="anomaly mode"), tg.autograd.detect_anomaly(check_nan=False):
        assert tg.is_anomaly_enabled() and not tg.is_anomaly_check_nan_enabled()
        with set_detect_anomaly(True):
            assert tg.is_anomaly_check_nan_enabled()
        assert tg.is_anomaly_enabled() and not tg.is_anomaly_check_nan_enabled()
        with set_detect_anomaly(False):
            assert not tg.is_anomaly_enabled()
        assert tg.is_anomaly_enabled()
    assert not tg.is_anomaly_enabled() and tg.is_anomaly_check_nan_enabled()
    assert tg.autograd.is_anomaly_enabled is tg.is_anomaly_enabled


def test_on_and_off_at_once() -> None:
    x = leaf(0.0)
    set_detect_anomaly(True)
    try:
        set_detect_anomaly(True)
        with pytest.raises(tg.AnomalyError):
            1 / x
    finally:
        set_detect_anomaly(False)
    assert (1 / x).item() == inf


@pytest.mark.parametrize("options", [("yes",), (None,), (True, 1)])
def test_only_true_and_false_switch_it(options: Any) -> None:
    with pytest.raises(TypeError, match="True or False"):
        set_detect_anomaly(*options)
    assert not tg.is_anomaly_enabled()


def test_switched_on_in_a_checkpoint_it_looks_at_what_follows() -> None:
    def f(x: Any) -> Any:
        set_detect_anomaly(True)
        return x * 2

    x = leaf(0.0)
    try:
        checkpoint(f, x)
        with pytest.raises(tg.AnomalyError):
            1 / x
    finally:
        set_detect_anomaly(False)


def test_an_error_switches_it_off() -> None:
    with pytest.raises(ZeroDivisionError), set_detect_anomaly(True):
        raise ZeroDivisionError
    assert not tg.is_anomaly_enabled()


def test_an_error_in_a_rule_leaves_the_mode_as_it_was() -> None:
    x = leaf([4.0, 0.0])
    with set_detect_anomaly(True):
        for create_graph in (False, True):
            with pytest.raises(tg.AnomalyError):
                tg.sqrt(x).sum().backward(create_graph=create_graph)
            assert modes.record is not None
            with pytest.raises(tg.AnomalyError):  # results are still looked at
                1 / x


def test_it_is_this_threads() -> None:
    x, found = leaf(0.0), []
    with set_detect_anomaly(True):
        thread = threading.Thread(target=lambda: found.extend([tg.is_anomaly_enabled(), (1 / x).item()]))
        thread.start()
        thread.join()
    assert found == [False, inf]


def test_when_it_is_off_a_node_carries_nothing() -> None:
    x = leaf(2.0)
    with set_detect_anomaly(True):
        inside = x * x
    y = x * x
    assert type(y.node) is Node and type(inside.node) is not Node
    assert not hasattr(y.node, "call") and inside.node.call.line > 0


def test_grad_modes_around_it() -> None:
    x = leaf(0.0)
    with tg.no_grad():
        set_detect_anomaly(True)
        assert not (x * 2).requires_grad
    with pytest.raises(tg.AnomalyError):  # what no_grad restores knows of it
        1 / x
    with tg.no_grad():
        set_detect_anomaly(False)
    assert type((x * 2).node) is Node
    with tg.set_grad_enabled(False):
        set_detect_anomaly(True)
        with tg.enable_grad(), pytest.raises(tg.AnomalyError):
            1 / x
    set_detect_anomaly(False)


def test_switched_on_in_the_midst_of_a_walk() -> None:
    x = leaf(0.0)
    x.register_hook(lambda g: set_detect_anomaly(True) and None)
    (x * 2).backward()
    try:
        with pytest.raises(tg.AnomalyError):
            1 / x
    finally:
        set_detect_anomaly(False)


# --- together with a trace


@pytest.mark.parametrize("trace_opens_first", [True, False])
@pytest.mark.parametrize("trace_closes_first", [True, False])
def test_with_a_trace_in_any_order(trace_opens_first: bool, trace_closes_first: bool) -> None:
    x, trace = leaf(2.0), viz.trace()
    if trace_opens_first:
        trace.__enter__()
    mode = set_detect_anomaly(True)
    if not trace_opens_first:
        trace.__enter__()
    both = (x * x).node
    closing = [trace, mode] if trace_closes_first else [mode, trace]
    closing[0].__exit__(None, None, None)
    one = (x * x).node
    closing[1].__exit__(None, None, None)
    assert both.record.value == 4 and len(both.checksums) == 2 and both.call == both.record.line
    assert hasattr(one, "checksums") == trace_closes_first and hasattr(one, "record") != trace_closes_first
    assert type((x * x).node) is Node


@pytest.mark.parametrize("trace_opens_first", [True, False])
def test_a_trace_has_the_operation_that_failed(trace_opens_first: bool) -> None:
    x, trace = leaf(0.0), viz.trace()
    with contextlib.ExitStack() as opened:
        if trace_opens_first:
            opened.enter_context(trace)
        opened.enter_context(set_detect_anomaly(True))
        if not trace_opens_first:
            opened.enter_context(trace)
        with pytest.raises(tg.AnomalyError):
            tg.log(x * 2)
    assert [node.record.operation.name for node in trace.nodes] == ["mul", "log"]


def test_backward_under_both() -> None:
    x = leaf([4.0, 0.0])
    with viz.trace() as t, set_detect_anomaly(True):
        y = (x * 3).sum()
        y.backward()
        assert t.nodes[0].record.gradient.tolist() == [1, 1] and x.grad.tolist() == [3, 3]
        with pytest.raises(tg.AnomalyError):
            tg.sqrt(x).sum().backward()


# --- memory


def test_graphs_vanish_by_reference_counts() -> None:
    gc.collect()
    gc.disable()
    try:
        with set_detect_anomaly(True):
            x = leaf(np.ones(10))
            u = tg.exp(x)
            value = weakref.ref(u.array)
            y = (u * u).sum()
            y.backward(create_graph=False)
            del u, y
            assert value() is None
    finally:
        gc.enable()


def test_no_growth() -> None:
    model = nn.Sequential(nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 1))
    x = tg.randn(4, 8)

    def steps(n: int) -> None:
        for _ in range(n):
            model.zero_grad()
            model(x).sum().backward()

    with set_detect_anomaly(True):
        steps(20)
        tracemalloc.start()
        try:
            gc.collect()
            before = tracemalloc.get_traced_memory()[0]
            steps(100)
            gc.collect()
            assert tracemalloc.get_traced_memory()[0] - before < 20_000
        finally:
            tracemalloc.stop()


# --- against PyTorch


@pytest.mark.parametrize(
    "program",
    [
        lambda lib, x: lib.where(x > 0, x**0.5, 0.0 * x).sum(),  # here
        lambda lib, x: (lib.sqrt(x) * 0).sum(),  # here
        lambda lib, x: (x / x.detach().sum() * 0 / 0).sum(),  # here
        lambda lib, x: lib.tanh(x).sum(),
        lambda lib, x: lib.softmax(lib.where(x > 0, x, -inf), 0)[0],
        lambda lib, x: (x * 2).sum(),
    ],
)
def test_it_raises_where_pytorchs_does(program: Any) -> None:
    """PyTorch looks at backward only, and at NaN only: where that raises, ours does, there or before."""
    torch: Any = pytest.importorskip("torch")
    x = torch.tensor([4.0, 0.0], dtype=torch.float64, requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with torch.autograd.detect_anomaly():
            try:
                program(torch, x).backward()
                raised = False
            except RuntimeError:
                raised = True
    ours = leaf([4.0, 0.0])
    if raised:
        anomaly(lambda: program(tg, ours).backward())
    else:
        no_anomaly(lambda: program(tg, ours).backward())
        np.testing.assert_allclose(ours.grad.numpy(), x.grad.numpy())


def test_a_rule_that_runs_in_blocks_is_no_line_of_the_users() -> None:
    x = leaf([4.0, 1.0])
    with tg.autograd.detect_anomaly():
        (slope,) = tg.autograd.grad(tg.sigmoid(x).sum(), x, create_graph=True)
    assert slope.grad_fn.call.file == __file__
