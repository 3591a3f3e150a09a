"""The walk: what arrives where, how often, in which order, and what is left behind."""

from __future__ import annotations

import gc
import itertools
import operator
import sys
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl import nn
from tinygrad_dl import operation as engine
from tinygrad_dl.errors import GraphError
from tinygrad_dl.operation import elementwise, keep, operation

grad = tg.autograd.grad


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")


def leaf(*values: Any, dtype: Any = tg.float64) -> tg.Tensor:
    return tg.tensor(values[0] if len(values) == 1 else list(values), dtype=dtype, requires_grad=True)


def counting() -> tuple[Callable[..., Any], Counter[str]]:
    """An operation, the square, and how often its forward and its rule have run."""
    runs: Counter[str] = Counter()

    def rule(g: Any, input: Any) -> Any:
        runs["rule"] += 1
        return g * (2 * input)

    @operation("square", input=rule)
    def square(input: Any) -> Any:
        runs["forward"] += 1
        return input * input

    return square, runs


# --- how much work: depth, width, diamonds


def chain(n: int) -> None:
    x = leaf(1.0)
    y = x
    for _ in range(n):
        y = y + 1.0
    y.backward()
    assert x.grad.item() == 1.0 and y.item() == n + 1


def test_a_chain_of_100_000() -> None:
    chain(100_000)  # also taken apart again: no recursion when it dies


@pytest.mark.slow
def test_a_chain_of_a_million() -> None:
    chain(1_000_000)


def wide(n: int) -> list[tg.Tensor]:
    leaves = [leaf(float(i)) for i in range(n)]
    total = leaves[0]
    for x in leaves[1:]:
        total = total + x * 2.0
    total.backward()
    return leaves


def diamonds(n: int) -> tg.Tensor:
    x = leaf(1.0)
    y = x
    for _ in range(n):
        y = (y + y) * 0.5
    y.backward()
    return x


def calls(function: Callable[..., Any], *args: Any) -> int:
    """How many functions of Python and of C a call runs."""
    count = 0

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        function(*args)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("graph", [wide, diamonds], ids=["width", "diamonds"])
def test_the_work_is_linear(graph: Callable[[int], Any]) -> None:
    graph(10)  # what is made once is made
    small, large = calls(graph, 500), calls(graph, 2000)
    assert large < 4.2 * small


def test_100_000_leaves() -> None:
    started = time.process_time()
    leaves = wide(100_000)
    assert leaves[0].grad.item() == 1.0 and all(x.grad.item() == 2.0 for x in leaves[1:])
    assert time.process_time() - started < 60  # seconds in any case; a quadratic walk takes many minutes


def test_100_000_diamonds() -> None:
    started = time.process_time()
    assert diamonds(100_000).grad.item() == 1.0
    assert time.process_time() - started < 60


def test_each_node_is_passed_once() -> None:
    square, runs = counting()
    x = leaf(1.0)
    y = square(x)
    for _ in range(30):  # 2^30 paths
        y = y + y
    y.backward()
    assert runs == {"forward": 1, "rule": 1} and x.grad.item() == 2.0 * 2**30


def test_a_node_is_passed_after_all_its_consumers() -> None:
    seen: list[str] = []

    def named(name: str) -> Any:
        def rule(g: Any) -> Any:
            seen.append(name)
            return g

        @operation(name, input=rule)
        def forward(input: Any) -> Any:
            return input * 1

        return forward

    x = leaf(1.0)
    a = named("a")(x)
    late = named("late")(a)
    b = named("b")(a)
    c = named("c")(b)
    (c + late * b).backward()  # `late` is reached long before `a`'s other consumers
    assert seen == ["c", "b", "late", "a"] and x.grad.item() == 3.0


def test_the_gradient_does_not_depend_on_the_order_of_the_sum() -> None:
    terms: list[Callable[..., Any]] = [
        lambda x, w, u: u * 2,
        lambda x, w, u: x * x,
        lambda x, w, u: u * x,
        lambda x, w, u: w.sum() * x,
    ]
    found = []
    for order in itertools.permutations(terms):
        x, w = leaf(1.0, 2.0), leaf(3.0, 5.0)
        u = x * w
        total = sum((term(x, w, u).sum() for term in order), tg.zeros((), dtype=tg.float64))
        total.backward()
        found.append((x.grad.tolist(), w.grad.tolist()))
    assert all(each == found[0] for each in found)  # whole numbers: exact in every order
    assert found[0] == ([22.0, 42.0], [6.0, 11.0])


# --- what is left behind


@contextmanager
def without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _plain() -> None:
    x = leaf(1.0, 2.0)
    (x * x).tanh().sum().backward()


def _never_walked() -> None:
    x = leaf(1.0, 2.0)
    y = (x @ x) * x.exp()
    assert y.requires_grad


def _grad_twice() -> None:
    x = leaf(1.0, 2.0)
    (slope,) = grad((x * x * x).sum(), x, create_graph=True)
    grad(slope.sum(), x)


def _retained() -> None:
    x = leaf(1.0, 2.0)
    u = x * 2.0
    u.retain_grad()
    (u * u).sum().backward()
    assert u.grad is not None


def _several_outputs_and_lists() -> None:
    x = leaf(1.0, 2.0, 3.0)
    a, b = tg.split(x, [1, 2])
    tg.cat([a * 2.0, b, x]).sum().backward()


def _fused() -> None:
    z = leaf([[1.0, 2.0]])
    loss = nn.functional.cross_entropy(z, tg.tensor([1]))
    (slope,) = grad(loss, z, create_graph=True)
    slope.sum().backward()


def _walked_twice() -> None:
    x = leaf(1.0)
    y = x * x
    y.backward()
    with pytest.raises(RuntimeError):
        y.backward()


def _misfit() -> None:
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError):
        x * 2.0 + tg.ones(3)
    with pytest.raises(RuntimeError):
        tg.stack([x * x, tg.ones(3)])


def _failing_rule() -> None:
    def fail(g: Any, input: Any) -> Any:
        raise KeyError("rule")

    @operation(input=fail)
    def failing(input: Any) -> Any:
        return input * 2

    x = leaf(1.0, 2.0)
    with pytest.raises(KeyError):
        failing(x * x).sum().backward()


@pytest.mark.parametrize(
    "use",
    [_plain, _never_walked, _grad_twice, _retained, _several_outputs_and_lists, _fused, _walked_twice, _misfit],
    ids=lambda use: use.__name__.strip("_"),
)
def test_graphs_leave_nothing_to_the_collector(use: Callable[[], None]) -> None:
    use()  # plans and modules are made
    with without_collector():
        use()
        kept = gc.get_debug()
        gc.set_debug(gc.DEBUG_SAVEALL)
        try:
            gc.collect()
            left = [thing for thing in gc.garbage if type(thing).__module__.startswith(("tinygrad_dl", "numpy"))]
        finally:
            gc.set_debug(kept)
            gc.garbage.clear()
    assert left == []


def test_tensors_die_when_their_names_do() -> None:
    with without_collector():
        x = leaf(1.0, 2.0)
        y = (x * x).exp()
        loss = y.sum()
        loss.backward()
        watched = [weakref.ref(t) for t in (x, y, loss, x.grad)] + [weakref.ref(t.array) for t in (x, y)]
        del x, y, loss
        assert [w() for w in watched] == [None] * len(watched)


def test_what_no_rule_asks_for_dies_in_the_forward() -> None:
    x = leaf(1.0, 2.0)
    u = x * x
    array = weakref.ref(u.array)
    loss = (u + 1.0).sum()
    del u
    assert array() is None and loss.requires_grad


def test_saved_values_are_freed_by_the_walk_unless_it_retains() -> None:
    for retain, alive in ((False, False), (True, True)):
        x = leaf(1.0, 2.0)
        u = x * 3.0
        array = weakref.ref(u.array)
        loss = (u * u).sum()
        del u
        assert array() is not None
        loss.backward(retain_graph=retain)
        assert (array() is not None) == alive


def test_a_leafs_gradient_dies_with_it() -> None:
    with without_collector():
        x = leaf(1.0)
        (x * x).backward()
        gradient = weakref.ref(x.grad)
        x.grad = None
        assert gradient() is None


# --- walking again


def test_a_retained_graph_gives_the_same_again() -> None:
    x = leaf(2.0)
    y = x * x * x
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.item() == 24.0


def test_a_second_walk_raises_with_the_operation_and_the_remedy() -> None:
    x = leaf(1.0, 2.0)
    y = (x * x).exp()
    y.backward(tg.ones(2))
    with pytest.raises(tg.GraphError, match=r"exp \(output of shape \(2,\)\).*retain_graph=True.*detach") as caught:
        (y + 1.0).backward(tg.ones(2))
    assert isinstance(caught.value, RuntimeError)
    assert x.grad.tolist() == (2 * np.array([1.0, 2.0]) * np.exp([1.0, 4.0])).tolist(), "nothing was added"


def test_two_losses_that_share_a_part() -> None:
    x = leaf(3.0)
    u = x * x
    first, second = u * 2.0, u * u
    first.backward()
    with pytest.raises(RuntimeError, match="mul"):
        second.backward()
    x.grad = None
    u = x * x
    tg.autograd.backward([u * 2.0, u * u])
    assert x.grad.item() == 2 * 2 * 3 + 4 * 27


def test_what_saved_nothing_may_be_walked_again() -> None:
    x = leaf(1.0, 2.0)
    y = -(x + x) - x
    y.backward(tg.ones(2))
    y.backward(tg.ones(2))
    assert x.grad.tolist() == [-6.0, -6.0]


def test_grad_frees_as_backward_does() -> None:
    x = leaf(2.0)
    y = x * x
    grad(y, x)
    with pytest.raises(RuntimeError, match="mul"):
        grad(y, x)
    y = x * x
    assert grad(y, x, retain_graph=True)[0].item() == grad(y, x)[0].item() == 4.0


def test_an_error_in_a_rule_leaves_the_modes_as_they_were() -> None:
    _failing_rule()
    assert tg.is_grad_enabled()
    with tg.no_grad():
        x = leaf(2.0)
        with tg.enable_grad():
            y = x * x
        (g,) = grad(y, x, create_graph=True)
        assert not tg.is_grad_enabled() and g.requires_grad


# --- roots


def test_several_roots_add_up() -> None:
    x, w = leaf(1.0, 2.0), leaf(3.0)
    tg.autograd.backward([x * x, w * x.sum()], [tg.tensor([1.0, 10.0], dtype=tg.float64), None])
    assert x.grad.tolist() == [2.0 + 3.0, 40.0 + 3.0] and w.grad.item() == 3.0


def test_a_root_that_leads_to_another_root() -> None:
    x = leaf(2.0)
    u = x * x
    tg.autograd.backward([u, u * u, u])
    assert x.grad.item() == 4 + 2 * 4 * 4 + 4


def test_leaves_are_roots() -> None:
    x = leaf(1.0, 2.0)
    seed = tg.tensor([5.0, 7.0], dtype=tg.float64)
    x.backward(seed)
    assert x.grad.tolist() == [5.0, 7.0]
    x.grad[0] = 100.0
    assert seed.tolist() == [5.0, 7.0], "the gradient that was passed in is the caller's"
    one = leaf(3.0)
    tg.autograd.backward([one, one * one])
    assert one.grad.item() == 1 + 6
    assert grad(one, one)[0].item() == 1.0


def test_a_gradient_is_converted_to_the_roots_dtype_and_left_alone() -> None:
    x = leaf(1.0, 2.0, dtype=tg.float32)
    seed = tg.tensor([5.0, 7.0], dtype=tg.float64)
    (x * 1.0).backward(seed)
    assert x.grad.dtype == tg.float32 and x.grad.tolist() == [5.0, 7.0]
    x.grad.zero_()
    assert seed.tolist() == [5.0, 7.0]


def test_one_element_of_any_shape_has_an_implicit_gradient() -> None:
    for shape in ((), (1,), (1, 1)):
        x = tg.full(shape, 3.0, requires_grad=True)
        (x * x).backward()
        assert x.grad.shape == shape and x.grad.item() == 6.0


# --- inputs=


def test_only_the_inputs_get_gradients() -> None:
    x, w, b = leaf(2.0), leaf(3.0), leaf(5.0)
    u = x * w
    (u * u + b).backward(inputs=[w, u])
    assert w.grad.item() == 2 * 6 * 2 and u.grad.item() == 12.0
    assert x.grad is None and b.grad is None


def test_inputs_may_come_twice_and_alone() -> None:
    x, w = leaf(2.0), leaf(3.0)
    (x * w).backward(inputs=[x, x])
    (x * w).backward(inputs=w)
    assert x.grad.item() == 3.0 and w.grad.item() == 2.0
    u = x * w
    (u * 5.0).backward(inputs=(t for t in [u, u]))
    assert u.grad.item() == 5.0


def test_an_input_that_is_not_reached_stays_without_gradient() -> None:
    x, other = leaf(2.0), leaf(3.0)
    (x * x).backward(inputs=[other])
    assert other.grad is None and x.grad is None


@pytest.mark.parametrize("way", ["backward", "grad"])
def test_rules_that_lead_nowhere_do_not_run(way: str) -> None:
    square, runs = counting()
    x, w = leaf(2.0), leaf(3.0)
    y = square(x) * w
    if way == "backward":
        y.backward(inputs=[w])
        assert w.grad.item() == 4.0
    else:
        assert grad(y, w)[0].item() == 4.0
    assert runs["rule"] == 0


def test_the_rules_of_other_inputs_do_not_run() -> None:
    seen: list[str] = []

    def rule(name: str) -> Any:
        return lambda g: (seen.append(name), g)[1]

    @operation("total", input=rule("input"), other=rule("other"))
    def total(input: Any, other: Any) -> Any:
        return input + other

    x, w = leaf(2.0), leaf(3.0)
    assert grad(total(x, w), w)[0].item() == 1.0 and seen == ["other"]


def test_joint_rules_beyond_an_interior_input_do_not_run_and_stay_walkable() -> None:
    product, seen = joint_product()
    x, w = leaf(2.0), leaf(3.0)
    u = product(x, w)
    assert grad(u * u, u)[0].item() == 12.0 and seen == []
    (u * u).backward()
    assert (x.grad.item(), w.grad.item()) == (36.0, 24.0)


def test_an_input_that_retains_its_gradient_gets_it_once(torch: Any) -> None:
    for lib in (tg, torch):
        x = lib.ones(2, requires_grad=True)
        u = x * 2
        u.retain_grad()
        (u * 3).sum().backward(inputs=[u])
        assert u.grad.tolist() == [3.0, 3.0] and x.grad is None


def test_beyond_an_interior_input_nothing_runs() -> None:
    square, runs = counting()
    x = leaf(2.0)
    u = square(x)
    assert grad(u * u, u)[0].item() == 8.0 and runs["rule"] == 0
    u = square(x)
    assert [g.item() for g in grad(u * u, [u, x])] == [8.0, 32.0] and runs["rule"] == 1


# --- autograd.grad


def test_grad_of_leaves_and_interior_tensors_touches_no_grad() -> None:
    x, w = leaf(2.0), leaf(3.0)
    u = x * w
    v = u * u
    found = grad(v * 5.0, [x, u, w, v, x])
    assert [g.item() for g in found] == [5 * 2 * 6 * 3, 60.0, 5 * 2 * 6 * 2, 5.0, 180.0]
    assert x.grad is None and w.grad is None and not found[0].requires_grad


def test_unused_inputs() -> None:
    x, other = leaf(2.0), leaf([1.0, 2.0])
    with pytest.raises(RuntimeError, match=r"do not depend on input 1 \(shape \(2,\)\).*allow_unused=True"):
        grad(x * x, [x, other])
    used, unused = grad(x * x, [x, other], allow_unused=True)
    assert used.item() == 4.0 and unused is None
    used, unused = grad(x * x, [x, other], materialize_grads=True)
    assert unused.tolist() == [0.0, 0.0] and unused.dtype == tg.float64
    with pytest.raises(ValueError, match=r"materialize_grads=True.*allow_unused"):
        grad(x * x, [x], allow_unused=False, materialize_grads=True)


def test_results_of_grad_share_no_memory() -> None:
    x, w, seed = leaf(1.0, 2.0), leaf(3.0, 4.0), tg.ones(2, dtype=tg.float64)
    u = x + w
    found = grad(u, [x, w, u], seed)
    for g in found:
        g.array[...] = 9.0
        assert sum((other.array == 9.0).all() for other in (*found, seed)) == 1
        g.array[...] = 1.0


def test_a_gradient_may_be_passed_as_tensor_of_the_graph() -> None:
    x, v = leaf(1.0, 2.0), leaf(1.0, 1.0)
    (g,) = grad(x * x, x, v, create_graph=True)
    assert grad(g.sum(), v)[0].tolist() == [2.0, 4.0]


# --- higher derivatives


def test_third_order() -> None:
    x = leaf(2.0)
    y = x**5
    for expected in (80.0, 160.0, 240.0, 240.0, 120.0):
        (y,) = grad(y, x, create_graph=True)
        assert y.item() == expected


def _mixture(lib: Any, x: Any, w: Any) -> Any:
    h = lib.tanh(x @ w)
    return (h * h).sum() + (x.exp() / (1 + w.sum() ** 2)).mean() + lib.sigmoid(h).log().sum()


def test_third_order_is_pytorchs(torch: Any) -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(2, 3)), rng.normal(size=(3, 2))]

    def orders(lib: Any) -> list[Any]:
        inputs = [lib.tensor(a, requires_grad=True) for a in arrays]
        y, found = _mixture(lib, *inputs), []
        for _ in range(3):
            slopes = lib.autograd.grad(y, inputs, create_graph=True)
            found += [slope.detach().numpy() for slope in slopes]
            y = sum((slope * slope).sum() for slope in slopes)
        return found

    for ours, theirs in zip(orders(tg), orders(torch), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10)


def test_a_gradient_penalty_reaches_the_weights(torch: Any) -> None:
    def penalised(lib: Any) -> list[Any]:
        x = lib.tensor([[1.0, 2.0]], dtype=lib.float64, requires_grad=True)
        w = lib.tensor([[0.5], [-0.3]], dtype=lib.float64, requires_grad=True)
        out = lib.tanh(x @ w).sum()
        (slope,) = lib.autograd.grad(out, x, create_graph=True)
        (out + (slope * slope).sum()).backward()
        return [w.grad.numpy(), x.grad.numpy()]

    for ours, theirs in zip(penalised(tg), penalised(torch), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_backward_with_create_graph_warns_and_keeps_history() -> None:
    x = leaf(2.0)
    y = x * x * x
    with pytest.warns(UserWarning, match=r"create_graph=True.*autograd\.grad"):
        y.backward(create_graph=True)
    assert x.grad.item() == 12.0 and x.grad.requires_grad
    (second,) = grad(x.grad, x)
    assert second.item() == 12.0
    x.grad = None  # the loop of references


@pytest.mark.filterwarnings("ignore:backward.create_graph:UserWarning")
def test_create_graph_records_whatever_the_callers_mode() -> None:
    x, v = leaf(2.0), leaf(1.0)
    y = x * x * x
    with tg.no_grad():
        y.backward(create_graph=True)
        assert x.grad.requires_grad
        (g,) = grad([y, y], x, [v, v], create_graph=True)
        assert not tg.is_grad_enabled()
    assert grad(x.grad, x)[0].item() == 12.0
    assert grad(g, v)[0].item() == 24.0
    x.grad = None


@pytest.mark.filterwarnings("ignore:backward.create_graph:UserWarning")
def test_recorded_gradients_are_no_one_elses() -> None:
    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    seed = tg.ones(2, dtype=tg.float64)
    (a + b).backward(seed, create_graph=True)
    a.grad.detach().fill_(9.0)
    assert b.grad.tolist() == [1.0, 1.0] and seed.tolist() == [1.0, 1.0]
    a.grad = b.grad = None


@pytest.mark.filterwarnings("ignore:backward.create_graph:UserWarning")
def test_recorded_gradients_add_up() -> None:
    x = leaf(2.0)
    (x * x).backward()
    (x * x * x).backward(create_graph=True)
    assert x.grad.item() == 16.0 and grad(x.grad, x)[0].item() == 12.0
    x.grad = None


def test_a_plain_walk_records_nothing_even_in_rules_that_use_operations() -> None:
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    (x.reshape(4)[1:3].expand(2, 2) @ x).sum().backward()
    assert not x.grad.requires_grad and x.grad.grad_fn is None


def test_a_leaf_that_is_not_a_number() -> None:
    for value in (float("nan"), float("inf"), -0.0):
        x = leaf(value)
        (g,) = grad(x * x, x, create_graph=True)
        np.testing.assert_equal(g.item(), 2 * value)


def test_a_leaf_with_an_array_of_another_shape_stops_every_walk() -> None:
    x = leaf(1.0, 2.0, 3.0)
    y = (x * 2.0).sum()
    x.data = tg.ones(4)
    with pytest.raises(tg.ShapeError, match=r"\(3,\) came for a tensor of shape \(4,\).*\.data"):
        y.backward()
    assert x.grad is None


def test_a_leaf_with_another_array_stops_the_recorded_walk() -> None:
    for shape in ((), (2,)):
        x = tg.full(shape, 2.0, requires_grad=True)
        y = (x * x).sum()
        x.data = tg.full(shape, 5.0)
        with pytest.raises(tg.GraphError, match=r"mul: a leaf .* got another array"):
            grad(y, x, create_graph=True)


# --- fused operations and their twins


def fused_square() -> tuple[Any, Counter[str]]:
    runs: Counter[str] = Counter()

    def rule(g: Any, doubled: Any) -> Any:
        runs["fused rule"] += 1
        return g * doubled

    def twin(input: Any, other: Any) -> Any:
        runs["twin"] += 1
        return input * input + other * 0.0

    @operation("fused_square", twin=twin, input=rule, other=lambda g: g * 0.0)
    def fused(input: Any, other: Any) -> Any:
        return keep(input * input, doubled=2 * input)

    return fused, runs


def test_arrays_run_the_fused_rule_and_a_recorded_walk_the_twin() -> None:
    fused, runs = fused_square()
    x, other = leaf(3.0, 4.0), leaf(1.0, 1.0)
    (plain,) = grad(fused(x, other).sum(), x)
    assert runs == {"fused rule": 1} and plain.tolist() == [6.0, 8.0]
    (recorded,) = grad(fused(x, other).sum(), x, create_graph=True)
    assert runs == {"fused rule": 1, "twin": 1} and recorded.tolist() == [6.0, 8.0]
    assert grad(recorded.sum(), x)[0].tolist() == [2.0, 2.0]


def test_the_twin_stands_in_the_middle_of_a_graph() -> None:
    fused, _ = fused_square()
    x = leaf(3.0)
    y = (fused(x * 2.0, x) * x).sum()  # 4 x³
    first, second, third = 4 * 3 * 9, 4 * 6 * 3, 24
    for expected in (first, second, third):
        (y,) = grad(y, x, create_graph=True)
        assert y.item() == expected


def test_a_twin_that_returns_what_it_was_given() -> None:
    @operation(twin=lambda input: input, input=lambda g: g)
    def same(input: Any) -> Any:
        return input * 1

    square, runs = counting()
    x = leaf(1.0, 2.0)
    (g,) = grad(same(square(x)).sum(), x, create_graph=True)
    assert g.tolist() == [2.0, 4.0] and runs["rule"] == 1


def test_an_input_that_the_twin_ignores_gets_no_gradient() -> None:
    @operation(twin=lambda input, other: input * 2, input=lambda g: g * 2, other=lambda g: g * 0)
    def first(input: Any, other: Any) -> Any:
        return input * 2

    x, w = leaf(1.0), leaf(1.0)
    g, none = grad(first(x, w), [x, w], create_graph=True, allow_unused=True)
    assert g.item() == 2.0 and none is None


@pytest.mark.parametrize("same", [False, True], ids=["two tensors", "one tensor twice"])
def test_a_twin_with_several_outputs(same: bool) -> None:
    def twin(input: Any) -> Any:
        y = input * input
        return (y, y) if same else (y, input * input)

    @operation("pair", twin=twin, input=lambda g, input: 2 * (g[0] + g[1]) * input)
    def pair(input: Any) -> Any:
        return input * input, input * input

    x = leaf(1.0, 2.0)
    a, b = pair(x)
    (g,) = grad((a + 3 * b).sum(), x, create_graph=True)
    assert g.tolist() == [8.0, 16.0] and grad(g.sum(), x)[0].tolist() == [8.0, 8.0]


def test_a_twin_of_a_list_whose_members_need_no_gradient() -> None:
    @operation(
        "weighted",
        twin=lambda tensors, input: tg.cat(tensors) * input,
        listed="tensors",
        tensors=lambda g, tensors, input: [(g * input)[:1], (g * input)[1:]],
        input=lambda g, tensors: g * np.concatenate(tensors),
    )
    def weighted(tensors: Any, input: Any) -> Any:
        return np.concatenate(tensors) * input

    x, frozen = leaf(1.0, 2.0), [tg.tensor([3.0], dtype=tg.float64), tg.tensor([5.0], dtype=tg.float64)]
    (g,) = grad((weighted(frozen, x * x)).sum(), x, create_graph=True)
    assert g.tolist() == [6.0, 20.0] and grad(g.sum(), x)[0].tolist() == [6.0, 10.0]
    mixed = [frozen[0], leaf(5.0).reshape(1)]
    (g,) = grad((weighted(mixed, x * x)).sum(), x, create_graph=True)
    assert g.tolist() == [6.0, 20.0]


def test_a_kept_value_without_history_stops_the_recorded_walk_only() -> None:
    @operation("kept", input=lambda g, factor: g * factor)
    def kept(input: Any) -> Any:
        return keep(input * input, factor=2 * input)

    x = leaf(3.0)
    assert grad(kept(x), x)[0].item() == 6.0
    with pytest.raises(NotImplementedError, match=r"kept: its derivative keeps 'factor'.*create_graph=True"):
        grad(kept(x), x, create_graph=True)


def test_a_kept_value_that_is_declared_constant_has_none() -> None:
    @operation("masked", input=lambda g, mask: g * mask, constants=("mask",))
    def masked(input: Any) -> Any:
        mask = (input > 1).astype(input.dtype)
        return keep(input * mask, mask=mask)

    x = leaf(1.0, 2.0)
    (g,) = grad((masked(x) * x).sum(), x, create_graph=True)
    assert g.tolist() == [0.0, 4.0] and grad(g.sum(), x)[0].tolist() == [0.0, 2.0]


def test_a_forward_may_keep_its_values_in_any_order_and_number() -> None:
    @operation("keeping", input=lambda g, a: g * a, constants=("a", "b"))
    def keeping(input: Any, swapped: bool = False) -> Any:
        a, b = input * 0 + 2, input * 0 + 5
        return keep(input * 2, b=b, a=a) if swapped else keep(input * 2, a=a, b=b)

    x = leaf(1.0, 2.0)
    for swapped in (False, True, False):
        assert grad(keeping(x, swapped).sum(), x)[0].tolist() == [2.0, 2.0]


# --- joint rules, lists, several outputs


def joint_product() -> tuple[Any, list[tuple[bool, bool]]]:
    seen: list[tuple[bool, bool]] = []

    def rule(g: Any, needs: tuple[bool, bool], input: Any, other: Any) -> Any:
        seen.append(needs)
        return g * other if needs[0] else None, g * input if needs[1] else None

    @operation("joint_product", joint=rule, input=None, other=None)
    def product(input: Any, other: Any) -> Any:
        return input * other

    return product, seen


def test_a_joint_rule_runs_once_for_all_inputs() -> None:
    product, seen = joint_product()
    x, w = leaf(2.0), leaf(3.0)
    product(x, w).backward()
    assert (x.grad.item(), w.grad.item()) == (3.0, 2.0) and seen == [(True, True)]
    product(x, 10.0).backward()
    product(tg.tensor(10.0, dtype=tg.float64), w).backward()
    assert (x.grad.item(), w.grad.item()) == (13.0, 12.0) and seen[1:] == [(True, False), (False, True)]


def test_a_joint_rule_differentiated_again() -> None:
    product, _ = joint_product()
    x, w = leaf(2.0), leaf(3.0)
    gx, gw = grad(product(x * x, w), [x, w], create_graph=True)
    assert (gx.item(), gw.item()) == (12.0, 4.0)
    assert [g.item() for g in grad(gx * gw, [x, w])] == [12 * 4 + 6 * 4, 4 * 4]  # 2xw · x²: 6x²w, 2x³


def test_broadcasting_in_a_joint_rule_is_undone() -> None:
    product, _ = joint_product()
    x, w = leaf([[1.0], [2.0]]), leaf(3.0, 5.0)
    product(x, w).sum().backward()
    assert x.grad.tolist() == [[8.0], [8.0]] and w.grad.tolist() == [3.0, 3.0]


def listed_sum() -> Any:
    @operation("squares", listed="tensors", tensors=lambda g, tensors: [2 * g * t for t in tensors])
    def squares(tensors: Any) -> Any:
        return sum(t * t for t in tensors)

    return squares


def test_a_list_of_tensors() -> None:
    squares = listed_sum()
    x, w = leaf(2.0), leaf([3.0, 4.0])
    constant = tg.tensor(10.0, dtype=tg.float64)
    squares([x, constant, w, x]).sum().backward()
    assert x.grad.item() == 2 * (2 * 2 + 2 * 2) and w.grad.tolist() == [6.0, 8.0] and constant.grad is None
    assert grad(squares([x * x, w]).sum(), w)[0].tolist() == [6.0, 8.0]
    (g,) = grad(squares((x * x, constant)), x, create_graph=True)
    assert g.item() == 4 * 8 and grad(g, x)[0].item() == 12 * 4
    assert not squares([constant, constant]).requires_grad


def test_next_functions_of_a_list() -> None:
    x, u = leaf(2.0), leaf(3.0) * 1.0
    functions = listed_sum()([x, u]).grad_fn.next_functions
    assert functions[0][0].variable is x and functions[1] == (u.grad_fn, 0)


def halves() -> Any:
    @operation("halves", input=lambda g, input: g[0] * 2 * input + g[1] * 3)
    def pair(input: Any) -> Any:
        return input * input, input * 3, np.argsort(input)

    return pair


def test_several_outputs() -> None:
    x = leaf(2.0, 5.0)
    square, triple, order = halves()(x)
    assert not order.requires_grad and order.dtype == tg.int64 and square.requires_grad
    (square * triple).sum().backward()
    assert x.grad.tolist() == [9 * 4.0, 9 * 25.0]


@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize("used", [0, 1])
def test_outputs_that_nobody_used(used: int, recorded: bool) -> None:
    x = leaf(2.0, 5.0)
    out = halves()(x)[used]
    (g,) = grad(out.sum(), x, create_graph=recorded)
    assert g.tolist() == [[4.0, 10.0], [3.0, 3.0]][used]
    if recorded and used == 0:
        assert grad(g.sum(), x)[0].tolist() == [2.0, 2.0]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_slot_of_an_unused_output_has_its_shape_and_dtype(dtype: str) -> None:
    seen: list[Any] = []

    def rule(g: Any, input_shape: Any) -> Any:
        seen.extend(g)
        return g[0]

    @operation("outputs", input=rule)
    def outputs(input: Any) -> Any:
        return input * 1, np.zeros((4, 1), input.dtype)

    x = tg.ones(2, dtype=getattr(tg, dtype), requires_grad=True)
    outputs(x)[0].sum().backward()
    assert seen[1].shape == (4, 1) and seen[1].dtype == dtype and not seen[1].any()


def test_a_saved_output_among_several_adds_to_what_the_graph_sends_there() -> None:
    """The second walk comes to an output twice: through the first graph, and through what the rule saved of it."""

    @operation("pair", joint=lambda g, needs, out: (2 * g[0] + g[1] * out[1],), input=None)
    def pair(input: Any) -> Any:
        return 2 * input, np.exp(input)

    x = leaf(1.0)
    double, power = pair(x)
    (first,) = grad(double * power, x, create_graph=True)  # (2 + 2x) e^x
    (second,) = grad(first, x)
    assert second.item() == pytest.approx(6 * np.e)


@pytest.mark.parametrize("recorded", [False, True])
def test_several_outputs_without_dimensions(recorded: bool) -> None:
    @operation("extremes", input=lambda g, input: g[0] * (input * 0 + 1) + g[1] * (input == 5))
    def extremes(input: Any) -> Any:
        return input.sum(), input.max()

    x = leaf(2.0, 5.0)
    total, _ = extremes(x)
    assert grad(total * total, x, create_graph=recorded)[0].tolist() == [14.0, 14.0]
    total, largest = extremes(x)
    assert total.device == largest.device == "cpu" and largest.dtype == tg.float64
    assert grad(total * largest, x, create_graph=recorded)[0].tolist() == [5.0, 12.0]


def test_an_output_may_be_used_often_and_be_an_input_of_grad() -> None:
    x = leaf(1.0, 2.0, 3.0)
    a, b = tg.split(x, [1, 2])
    y = (a * b).sum() + (b * b).sum()
    ga, gb, gx = grad(y, [a, b, x])
    assert ga.tolist() == [5.0] and gb.tolist() == [5.0, 7.0] and gx.tolist() == [5.0, 5.0, 7.0]


def test_an_argument_without_a_rule_that_needs_a_gradient_raises() -> None:
    @operation("half_known", input=lambda g, other: g * other, other=None)
    def half_known(input: Any, other: Any) -> Any:
        return input * other

    x, w = leaf(2.0), leaf(3.0)
    assert grad(half_known(x, 3.0), x)[0].item() == 3.0
    with pytest.raises(NotImplementedError, match="half_known: no derivative is known for other"):
        half_known(x, w)
    with tg.no_grad():
        assert half_known(x, w).item() == 6.0


def test_rules_get_arrays_in_a_plain_walk_and_tensors_in_a_recorded_one() -> None:
    kinds: list[type] = []

    def rule(g: Any, input: Any, out: Any) -> Any:
        kinds.extend([type(g), type(input), type(out)])
        return g * out

    @operation("looking", input=rule)
    def looking(input: Any) -> Any:
        return np.exp(input)

    x = leaf(1.0, 2.0)
    grad(looking(x).sum(), x)
    assert kinds == [np.ndarray] * 3
    kinds.clear()
    grad(looking(x).sum(), x, create_graph=True)
    assert kinds == [tg.Tensor] * 3


def test_an_operation_made_from_a_line_of_a_table() -> None:
    cube = elementwise("cube", lambda x: x * x * x, "input³", numpy=(), input=lambda g, input: g * (3 * input * input))
    product = elementwise(
        "product",
        lambda x, y: x * y,
        "x y",
        numpy=(),
        input=lambda g, other: g * other,
        other=lambda g, input: g * input,
    )
    for shape in ((), (2,)):
        x = tg.full(shape, 2.0, requires_grad=True)
        y = product(cube(x), 3.0).sum()
        for expected in (36.0, 36.0, 18.0):
            (slope,) = grad(y, x, create_graph=True)
            assert slope.tolist() == np.full(shape, expected).tolist() and slope.dtype == tg.float32
            y = slope.sum()


# --- gradients have the shape and dtype of what they belong to


SHAPES = [
    ((), (3,)),
    ((3,), (2, 3)),
    ((2, 1), (1, 3)),
    ((1,), (2, 1, 3)),
    ((1, 1), ()),
    ((0, 3), (3,)),
    ((2, 1, 3), (4, 1)),
]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_shape_and_dtype_of_gradients(shapes: Any, dtype: str) -> None:
    x, w = (tg.ones(shape, dtype=getattr(tg, dtype), requires_grad=True) for shape in shapes)
    u = x * 2.0 + w
    v = tg.maximum(u, w) / (2 - x) - np.float64(0.5)
    out = (v * v).sum()
    for variable, g in zip((x, w, u), grad(out, [x, w, u], retain_graph=True), strict=True):
        assert g.shape == variable.shape and g.dtype == variable.dtype
    out.backward()
    for variable in (x, w):
        assert variable.grad.shape == variable.shape and variable.grad.dtype == variable.dtype
        assert variable.grad.array.flags.writeable


def test_gradients_return_in_their_inputs_dtype() -> None:
    leaves = [tg.ones(2, dtype=d, requires_grad=True) for d in (tg.float16, tg.float32, tg.float64)]
    (leaves[0] * leaves[1] + leaves[2] * tg.tensor([1, 2])).sum().backward()
    assert [x.grad.dtype for x in leaves] == [tg.float16, tg.float32, tg.float64]


# --- .grad belongs to its tensor alone


SHARING: dict[str, Callable[[tg.Tensor, tg.Tensor], tg.Tensor]] = {
    "add": lambda x, w: x + w,
    "twice": lambda x, w: x + x + w,
    "sub": lambda x, w: x - w,
    "identity": lambda x, w: (+x) + (+w),
    "clone": lambda x, w: x.clone() + w.clone(),
    "reshape": lambda x, w: x.reshape(4).reshape(2, 2) + w,
    "transpose": lambda x, w: x.T.T + w.permute(1, 0).t(),
    "expand": lambda x, w: x.expand(3, 2, 2).sum(0) + w.expand(3, 2, 2)[0],
    "sum": lambda x, w: (x.sum() + w.sum()).expand(2, 2),
    "mean": lambda x, w: x.mean(0, keepdim=True) + w.mean(),
    "cat": lambda x, w: tg.cat([x, w])[1:3] + tg.stack([x, w])[0],
    "split": lambda x, w: tg.split(x, 1)[0] + tg.split(w, 1)[1],
    "index": lambda x, w: x[:] + w[tg.tensor([1, 0])],
    "where": lambda x, w: tg.where(tg.tensor([True, False]), x, w),
    "relu": lambda x, w: x.relu() + w,
    "unsqueeze": lambda x, w: (x.unsqueeze(0) + w.unsqueeze(0)).squeeze(0),
    "convert": lambda x, w: x.to(tg.float32) + w.float(),
    "matmul": lambda x, w: x @ w,
    "interior": lambda x, w: (x + w) * tg.ones(2, 2, dtype=x.dtype),
}


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("name", SHARING)
def test_grad_is_no_one_elses(name: str, times: int) -> None:
    x, w = leaf([[1.0, 2.0], [3.0, 4.0]]), leaf([[5.0, 6.0], [7.0, 8.0]])
    y = SHARING[name](x, w)
    seed = tg.ones_like(y)
    for _ in range(times):
        y.backward(seed, retain_graph=True)
    everything = [t.array for t in (x, w, y, seed, x.grad, w.grad)]
    before = [a.copy() for a in everything]
    for mine in (4, 5):
        everything[mine] += 100
        for i, array in enumerate(everything):
            assert i == mine or (array == before[i]).all(), "an edit of one gradient is seen elsewhere"
        everything[mine] -= 100
        assert everything[mine].size == np.unique([a.ctypes.data for a in np.nditer(everything[mine])]).size


@pytest.mark.filterwarnings("ignore:backward.create_graph:UserWarning")
@pytest.mark.parametrize("recorded", [False, True])
def test_retained_gradients_are_no_one_elses(recorded: bool) -> None:
    x = leaf(1.0, 2.0)
    u, v = x * 2.0, x * 3.0
    y = u + v
    for t in (u, v, y):
        t.retain_grad()
    seed = tg.ones(2, dtype=tg.float64)
    y.backward(seed, create_graph=recorded)
    arrays = [t.array for t in (seed, u.grad, v.grad, y.grad, x.grad)]
    assert len({a.ctypes.data for a in arrays}) == len(arrays)
    x.grad = None


def test_gradients_of_interior_inputs_are_no_one_elses() -> None:
    x = leaf(1.0, 2.0)
    u, v = x * 2.0, x * 3.0
    ((u + v) * 1.0).backward(tg.ones(2, dtype=tg.float64), inputs=[u, v, x])
    u.grad[0] = 50.0
    assert v.grad.tolist() == [1.0, 1.0] and x.grad.tolist() == [5.0, 5.0]


def test_later_gradients_are_added_in_place() -> None:
    x = leaf(1.0, 2.0)
    (x * 2.0).sum().backward()
    first, array = x.grad, x.grad.array
    (x * 3.0).sum().backward()
    assert x.grad is first and first.array is array and first.tolist() == [5.0, 5.0]
    zero = leaf(3.0)
    (zero * 2.0).backward()
    first = zero.grad
    (zero * 2.0).backward()
    assert zero.grad is first and first.item() == 4.0


def test_a_gradient_that_has_a_history_is_not_edited() -> None:
    x, w = leaf(1.0, 2.0), leaf(1.0, 1.0)
    x.grad = w * 2.0
    (x * 3.0).sum().backward()
    assert x.grad.tolist() == [5.0, 5.0] and not x.grad.requires_grad


# --- leaves


def test_what_is_outside_the_graph_gets_nothing() -> None:
    x, w, c = leaf(2.0), leaf(3.0), tg.tensor(4.0, dtype=tg.float64)
    with tg.no_grad():
        u = w * 2.0
    (x * u * w.detach() * c).backward()
    assert x.grad.item() == 6 * 3 * 4 and w.grad is None and c.grad is None and u.grad is None


def test_a_leaf_that_was_frozen_after_the_forward() -> None:
    x, w = leaf(2.0), leaf(3.0)
    y = x * w
    x.requires_grad = False
    y.backward()
    assert x.grad is None and w.grad.item() == 2.0


def test_integers_have_no_gradient(torch: Any) -> None:
    for lib in (tg, torch):
        x = lib.tensor([1.5, 2.5], requires_grad=True)
        cut = [x.long(), x.int(), x.bool(), x.to(lib.uint8), x > 1, x.argmax()]
        assert not any(t.requires_grad for t in cut) and x.double().requires_grad
        (cut[0] * x).sum().backward()
        assert x.grad.tolist() == [1.0, 2.0]


def test_parameters_are_leaves_like_others() -> None:
    p = nn.Parameter(tg.tensor([1.0, 2.0]))

    class Marked(nn.Parameter):
        pass

    q = Marked(tg.tensor([3.0, 4.0]))
    out = p * q
    out.sum().backward()
    assert type(out) is tg.Tensor and type(p.grad) is tg.Tensor
    assert p.grad.tolist() == [3.0, 4.0] and q.grad.tolist() == [1.0, 2.0]
    assert out.grad_fn.next_functions[1][0].variable is q


# --- random graphs against PyTorch


def _random_program(lib: Any, arrays: list[np.ndarray], seed: int) -> list[Any]:
    """A graph of 25 operations drawn by `seed`, walked; the gradients of its leaves and of some tensors inside."""
    rng = np.random.default_rng(seed)
    leaves = [lib.tensor(a, requires_grad=bool(i % 4)) for i, a in enumerate(arrays)]
    pool, watched = list(leaves), []
    unary = ["tanh", "sigmoid", "exp", "relu", "sin", "neg", "abs"]
    for _ in range(25):
        x, y = (pool[rng.integers(len(pool))] for _ in range(2))
        kind = rng.integers(9)
        if kind < 3:
            made = [operator.mul, operator.add, operator.sub][kind](x, y * 0.5)
        elif kind < 5:
            made = getattr(lib, unary[rng.integers(len(unary))])(x * 0.3)
        elif kind == 5:
            made = x.sum(-1, keepdim=True) if x.ndim else x * 2
        elif kind == 6:
            with lib.no_grad():
                hidden = x * 2
            made = hidden + y
        elif kind == 7:
            made = x.detach() * y if rng.integers(2) else lib.maximum(x, y)
        else:
            made = (x.reshape(-1)[:1] + y).mean() if rng.integers(2) else x.mean() * y
        if made.requires_grad and rng.integers(3) == 0:
            made.retain_grad()
            watched.append(made)
        pool.append(made)
    used = [t for t in pool[len(leaves) :] if t.requires_grad]
    loss = sum((t.mean() for t in used[1:]), used[0].sum())
    loss.backward(retain_graph=bool(seed % 2))
    if seed % 2:
        loss.backward()
    return [t.grad for t in [*leaves, *watched]] + [loss.detach()]


@pytest.mark.filterwarnings("ignore:.*not a leaf:UserWarning", "ignore:grad. this tensor is no leaf:UserWarning")
@pytest.mark.parametrize("seed", range(40))
def test_random_graphs_are_pytorchs(torch: Any, seed: int) -> None:
    rng = np.random.default_rng(1000 + seed)
    shapes = [(), (3,), (2, 3), (2, 1), (1,), (4, 2, 3)]
    arrays = [rng.normal(size=shapes[i % len(shapes)]) for i in range(7)]
    ours, theirs = _random_program(tg, arrays, seed), _random_program(torch, arrays, seed)
    assert [g is None for g in ours] == [g is None for g in theirs]
    for mine, yours in zip(ours, theirs, strict=True):
        if mine is not None:
            np.testing.assert_allclose(mine.numpy(), yours.numpy(), rtol=1e-9, atol=1e-12)


# --- threads


def in_threads(n: int, work: Callable[[int], None]) -> None:
    """Run work(0) to work(n - 1) at once, switching often; raise what one of them raised."""
    failures: list[BaseException] = []
    gate = threading.Barrier(n)

    def run(i: int) -> None:
        try:
            gate.wait()
            work(i)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(n)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    if failures:
        raise failures[0]


def test_threads_share_leaves_and_lose_nothing() -> None:
    x, w = tg.zeros(3, requires_grad=True), tg.ones((), requires_grad=True)
    times, threads = 200, 8

    def work(i: int) -> None:
        for _ in range(times):
            (x * float(i + 1) + w).sum().backward()

    in_threads(threads, work)
    assert x.grad.tolist() == [times * sum(range(1, threads + 1))] * 3
    assert w.grad.item() == 3 * times * threads


def test_a_thread_may_come_while_another_adds_to_a_gradient() -> None:
    slot = tg.Tensor._grad  # the storage behind .grad

    class Slow(nn.Parameter):
        """A leaf whose gradient takes a while to be read, so that another thread gets its turn."""

        @property
        def _grad(self) -> Any:
            value = slot.__get__(self)
            time.sleep(0.005)
            return value

        @_grad.setter
        def _grad(self, value: Any) -> None:
            slot.__set__(self, value)

    x = Slow(tg.tensor(1.0))
    in_threads(4, lambda _: (x * 2.0).backward())
    assert x.grad.item() == 8.0


def test_threads_walk_graphs_of_their_own() -> None:
    results: dict[int, float] = {}

    def work(i: int) -> None:
        x = leaf(float(i))
        for _ in range(100):
            x.grad = None
            y = x
            for _ in range(10):
                y = y * x
            y.backward()
        results[i] = x.grad.item()

    in_threads(8, work)
    assert results == {i: 11.0 * i**10 for i in range(8)}


@pytest.mark.parametrize("inputs", [1, 2])
def test_a_thread_may_come_while_another_makes_the_plan(inputs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = {"input": lambda g, input: g * 1, "other": lambda g, other: g * 1}
    names = list(rules)[:inputs]
    made = elementwise("fresh", lambda *x: x[0] * 1, "", numpy=(), **{name: rules[name] for name in names})
    args = [leaf(1.0, 2.0) for _ in range(inputs)]
    keeper, found = engine._keeper, []

    def interrupted(plan: Any, places: Any) -> Any:
        monkeypatch.setattr(engine, "_keeper", keeper)
        in_threads(1, lambda _: found.append(made(*args)))
        return keeper(plan, places)

    monkeypatch.setattr(engine, "_keeper", interrupted)
    out = made(*args)
    assert found[0].requires_grad and out.requires_grad


def test_a_mode_is_of_its_thread() -> None:
    seen: dict[int, bool] = {}

    def work(i: int) -> None:
        seen[i] = tg.is_grad_enabled()

    with tg.no_grad():
        in_threads(2, work)
        assert not tg.is_grad_enabled()
    assert seen == {0: True, 1: True}


def test_a_joint_rule_with_a_listed_argument_is_refused_when_declared() -> None:
    with pytest.raises(NotImplementedError, match="joint rule can't have a listed argument"):
        operation(joint=lambda g, needs: (g,), listed="tensors", tensors=None)


def test_a_walk_divides_by_zero_in_silence_and_leaves_numpys_settings_as_they_were() -> None:
    x = tg.tensor(0.0, requires_grad=True)
    y = x.sqrt()
    with np.errstate(all="raise"):
        before = np.geterr()
        y.backward()
        with pytest.raises(GraphError):
            y.backward()  # an error too gives them back
        assert np.geterr() == before
    assert x.grad.item() == np.inf
