"""L-BFGS: PyTorch's path, saving in the middle, its ends, what is refused."""

from __future__ import annotations

import copy
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from side_by_side import as_ours, as_torch

import tinygrad_dl as tg
from tinygrad_dl.errors import ArgumentError, ArgumentTypeError, GraphError, StateDictError
from tinygrad_dl.optim import LBFGS, SGD


def banana(w: Any) -> Any:
    """Rosenbrock's."""
    return (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2


def flat_bottom(w: Any) -> Any:
    return ((w - 3) ** 4).sum() + (w[0] * w[1]).sin()


def slope(w: Any) -> Any:
    """Without a minimum."""
    return -w.sum()


def closure_of(optimizer: Any, f: Callable[[Any], Any], w: Any) -> Callable[[], Any]:
    def closure() -> Any:
        optimizer.zero_grad()
        loss = f(w)
        loss.backward()
        return loss

    return closure


def made(lib: Any, start: Any, **options: Any) -> tuple[Any, Any]:
    w = lib.tensor(start, dtype=lib.float64, requires_grad=True)
    return w, lib.optim.LBFGS([w], **options)


def path(optimizer: Any, f: Callable[[Any], Any], w: Any, steps: int = 12) -> np.ndarray:
    """The loss before each step, where it led, and how many evaluations and iterations there were."""
    rows = []
    for _ in range(steps):
        loss = optimizer.step(closure_of(optimizer, f, w))
        state = optimizer.state[w]
        rows.append([float(loss), *w.detach().tolist(), state["func_evals"], state["n_iter"]])
    return np.array(rows)


OPTIONS = [
    {"lr": 0.1, "max_iter": 5},
    {"lr": 0.01, "history_size": 2, "max_iter": 7},
    {"line_search_fn": "strong_wolfe"},
    {"line_search_fn": "strong_wolfe", "max_iter": 4, "max_eval": 1000},
    {"line_search_fn": "strong_wolfe", "max_eval": 3},
    {"line_search_fn": "strong_wolfe", "max_iter": 3, "lr": 0.01},
    {"line_search_fn": "strong_wolfe", "max_iter": 3, "lr": 30.0},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize(("f", "start"), [(banana, [-1.5, 2.0]), (flat_bottom, [1.0, -2.0])])
def test_follows_pytorch(f: Callable[[Any], Any], start: list[float], options: dict) -> None:
    torch = pytest.importorskip("torch")
    (w, mine), (v, theirs) = made(tg, start, **options), made(torch, start, **options)
    np.testing.assert_allclose(path(mine, f, w), path(theirs, f, v), rtol=1e-6, atol=1e-12)


def test_a_line_search_without_end_goes_as_far_as_max_eval() -> None:
    torch = pytest.importorskip("torch")
    options = {"line_search_fn": "strong_wolfe", "max_eval": 9}
    (w, mine), (v, theirs) = made(tg, [0.0, 1.0], **options), made(torch, [0.0, 1.0], **options)
    np.testing.assert_allclose(path(mine, slope, w, 1), path(theirs, slope, v, 1), rtol=1e-6)
    assert w[0].item() > 1e6


def test_finds_the_minimum() -> None:
    w, optimizer = made(tg, [-1.5, 2.0], line_search_fn="strong_wolfe")
    path(optimizer, banana, w, 5)
    np.testing.assert_allclose(w.detach().numpy(), [1.0, 1.0], atol=1e-5)


def test_parameters_of_several_shapes_move_together_and_those_without_gradient_stay() -> None:
    torch = pytest.importorskip("torch")
    found = []
    for lib in (tg, torch):
        a, b, unused = (lib.ones(*s, dtype=lib.float64, requires_grad=True) for s in ((2, 3), (4,), (2,)))
        optimizer = lib.optim.LBFGS([a, b, unused], lr=0.5, max_iter=6)

        def closure(optimizer: Any = optimizer, a: Any = a, b: Any = b) -> Any:
            optimizer.zero_grad()
            loss = ((a - 2) ** 4).sum() + (a.sum() * b).exp().sum() + (b * b).sum()
            loss.backward()
            return loss

        for _ in range(4):
            optimizer.step(closure)
        assert unused.tolist() == [1.0, 1.0]
        found.append(np.concatenate([p.detach().numpy().ravel() for p in (a, b)]))
    np.testing.assert_allclose(*found, rtol=1e-6)


@pytest.mark.parametrize("options", [{"lr": 0.3, "max_iter": 4}, {"line_search_fn": "strong_wolfe", "max_iter": 3}])
def test_state_dicts_go_to_pytorch_and_come_back(options: dict) -> None:
    torch = pytest.importorskip("torch")
    w, mine = made(tg, [1.0, -2.0], **options)
    path(mine, flat_bottom, w, 2)
    v, theirs = made(torch, w.tolist(), **options)
    theirs.load_state_dict(as_torch(copy.deepcopy(mine.state_dict()), torch))
    u, again = made(tg, w.tolist(), **options)
    again.load_state_dict(as_ours(theirs.state_dict(), torch))
    expected = path(mine, flat_bottom, w, 3)
    np.testing.assert_allclose(path(theirs, flat_bottom, v, 3), expected, rtol=1e-6)
    np.testing.assert_allclose(path(again, flat_bottom, u, 3), expected, rtol=1e-6)


def test_float32_and_the_strict_device() -> None:
    w = tg.tensor([-1.5, 2.0], device="strict", requires_grad=True)
    optimizer = LBFGS([w], line_search_fn="strong_wolfe")
    for _ in range(5):
        optimizer.step(closure_of(optimizer, banana, w))
    assert w.dtype is tg.float32 and w.device == "strict"
    np.testing.assert_allclose(w.detach().cpu().numpy(), [1.0, 1.0], atol=1e-3)


@pytest.mark.parametrize("options", [{"lr": 0.3}, {"line_search_fn": "strong_wolfe"}], ids=str)
def test_a_warm_step_allocates_nothing_that_counts(options: dict) -> None:
    w, optimizer = made(tg, np.linspace(1, 2, 50_000), history_size=3, max_iter=4, max_eval=40, **options)
    curvatures, w.grad = np.linspace(1, 100, 50_000), tg.zeros_like(w)

    def closure() -> float:
        """The sum of c w^2 / 2, which allocates nothing."""
        return float(np.multiply(curvatures, w.array, w.grad.array).dot(w.array)) / 2

    for _ in range(3):
        optimizer.step(closure)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        optimizer.step(closure)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert optimizer.state[w]["n_iter"] == 16 and len(optimizer.state[w]["ro"]) == 3
    assert after - before < 20_000 and peak - before < 40_000  # bytes; one vector has 400,000


def test_copies_of_model_and_optimizer_go_on_by_themselves() -> None:
    w, optimizer = made(tg, [-1.5, 2.0], line_search_fn="strong_wolfe", max_iter=3)
    path(optimizer, banana, w, 2)
    v, other = copy.deepcopy((w, optimizer))
    before = [one.tolist() for one in optimizer.state[w]["old_dirs"]]
    expected = path(other, banana, v, 3)
    assert [one.tolist() for one in optimizer.state[w]["old_dirs"]] == before
    np.testing.assert_array_equal(path(optimizer, banana, w, 3), expected)


def test_state_moves_with_the_parameters() -> None:
    (w, optimizer), (v, other) = (made(tg, [-1.5, 2.0], line_search_fn="strong_wolfe", max_iter=3) for _ in range(2))
    path(optimizer, banana, w, 2)
    path(other, banana, v, 2)
    w.data = w.data.to("strict")
    optimizer.zero_grad()
    for _ in range(3):
        optimizer.step(closure_of(optimizer, banana, w))
    path(other, banana, v, 3)
    assert w.device == "strict" and optimizer.state[w]["d"].device == "strict"
    np.testing.assert_array_equal(w.detach().cpu().numpy(), v.detach().numpy())


def test_backward_through_updated_state_raises() -> None:
    w, optimizer = made(tg, [-1.5, 2.0], max_iter=3)
    path(optimizer, banana, w, 1)
    losses = [(w * optimizer.state[w][name]).sum() for name in ("d", "prev_flat_grad")]
    optimizer.step(closure_of(optimizer, banana, w))
    for loss in losses:
        with pytest.raises(GraphError, match=r"LBFGS\.step"):
            loss.backward()


def test_a_flat_start_is_the_end() -> None:
    w, optimizer = made(tg, [0.0, 0.0])
    assert optimizer.step(closure_of(optimizer, lambda w: (w * w).sum(), w)).item() == 0.0
    assert w.tolist() == [0.0, 0.0] and optimizer.state[w] == {"func_evals": 1, "n_iter": 0}


def test_a_graph_from_before_the_step_is_noticed() -> None:
    w, optimizer = made(tg, [-1.5, 2.0])
    loss = (w * w).sum()
    optimizer.step(closure_of(optimizer, banana, w))
    with pytest.raises(GraphError, match=r"LBFGS\.step"):
        loss.backward()


def test_what_is_refused() -> None:
    a, b = (tg.zeros(1, requires_grad=True) for _ in range(2))
    with pytest.raises(ArgumentError, match="LBFGS: there can be only one group"):
        LBFGS([{"params": [a]}, {"params": [b]}])
    with pytest.raises(ArgumentTypeError, match=r"LBFGS\.step: a closure is needed"):
        LBFGS([a]).step()
    other = SGD([a], lr=0.1, momentum=0.9)
    a.grad = tg.ones(1)
    other.step()
    with pytest.raises(StateDictError, match="momentum_buffer is another optimizer's"):
        LBFGS([b]).load_state_dict(other.state_dict())
