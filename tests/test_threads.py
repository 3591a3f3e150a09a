"""Several threads at once: sums are exact, modes are each thread's own, no edit and no view is lost."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl import inplace, nn, optim, viz
from tinygrad_dl.operation import elementwise, operation
from tinygrad_dl.utils.checkpoint import checkpoint

THREADS = 8


@pytest.fixture(autouse=True)
def frequent_switches() -> Iterator[None]:
    """Let the interpreter change threads as often as it can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)


def in_threads(work: Callable[[int], Any], count: int = THREADS) -> list[Any]:
    """What `work(i)` gives in each of several threads that start together; the first error is raised here."""
    start = threading.Barrier(count)
    results: list[Any] = [None] * count
    errors: list[BaseException] = []

    def run(i: int) -> None:
        start.wait()
        try:
            results[i] = work(i)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(i,), daemon=True) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=600)
        assert not thread.is_alive(), "the threads wait for each other"
    if errors:
        raise errors[0]
    return results


# --- forward and backward


def add_up_in_parallel(steps: int) -> None:
    """Integers in float64: their sums don't depend on the order, so one lost or doubled gradient shows."""
    w = tg.tensor([1.0, 2.0, 3.0], dtype=tg.float64, requires_grad=True)
    b = tg.tensor(5.0, dtype=tg.float64, requires_grad=True)

    def work(i: int) -> None:
        for step in range(steps):
            (w * (i + 1) + b * (step % 3)).sum().backward()

    in_threads(work)
    assert w.grad.tolist() == [float(steps * sum(range(1, THREADS + 1)))] * 3
    assert b.grad.item() == 3.0 * THREADS * sum(step % 3 for step in range(steps))


def test_gradients_of_shared_leaves_add_up_exactly() -> None:
    for steps in (1, 2, 250):  # with one step each, the threads meet where there is no .grad yet
        for _ in range(10 if steps < 3 else 1):
            add_up_in_parallel(steps)


@pytest.mark.slow
def test_a_million_steps_in_8_threads() -> None:
    add_up_in_parallel(1_000_000 // THREADS)


def test_models_trained_side_by_side_end_as_if_alone() -> None:
    def train(seed: int) -> list[Any]:
        draw = np.random.default_rng(seed)
        model = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2))
        with tg.no_grad():
            for p in model.parameters():
                p.copy_(tg.tensor(draw.standard_normal(p.shape)))
        kind = (optim.SGD, optim.Adam, optim.AdamW)[seed % 3]
        optimizer = kind(model.parameters(), lr=0.1)
        for _ in range(20):
            inputs, labels = tg.tensor(draw.standard_normal((4, 3)), dtype=tg.float32), tg.tensor([0, 1, 1, 0])
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(inputs), labels).backward()
            optimizer.step()
        return [p.tolist() for p in model.parameters()]

    assert in_threads(train) == [train(seed) for seed in range(THREADS)]


def test_the_first_use_of_an_operation_by_all_threads_at_once() -> None:
    for _ in range(50):

        @operation(input=lambda g, other: g * other, other=lambda g, input: g * input)
        def product(input: Any, other: Any) -> Any:
            return input * other

        @operation(tensors=lambda g, tensors: [g * 2.0 for _ in tensors], listed="tensors")
        def twice_the_sum(tensors: Any) -> Any:
            return 2.0 * sum(tensors)

        def work(i: int) -> Any:
            x, y = (tg.tensor(v, dtype=tg.float64, requires_grad=i % 3 != k) for k, v in enumerate((3.0, 5.0)))
            twice_the_sum([product(x, y), x]).backward()  # run at once
            return [None if t.grad is None else t.grad.item() for t in (x, y)]

        assert in_threads(work) == [[None if i % 3 == 0 else 12.0, None if i % 3 == 1 else 6.0] for i in range(THREADS)]


def test_the_first_use_of_elementwise_operations_by_all_threads_at_once() -> None:
    from_scratch = (tg.sin.operation, tg.mul.operation)  # type: ignore[attr-defined]
    assert all(made.function is not None for made in from_scratch)
    for _ in range(50):
        sine, times = (made_anew(made) for made in from_scratch)

        def work(i: int) -> Any:
            x, y = (tg.tensor([v], dtype=tg.float64, requires_grad=i % 3 != k) for k, v in enumerate((0.0, 5.0)))
            times(sine(x), y).sum().backward()  # noqa: B023  # run at once
            return [None if t.grad is None else t.grad.item() for t in (x, y)]

        assert in_threads(work) == [[None if i % 3 == 0 else 5.0, None if i % 3 == 1 else 0.0] for i in range(THREADS)]


def made_anew(made: Any) -> Any:
    """An elementwise operation that nobody has called yet."""
    return elementwise(made.name, made.function, "", numpy=(), **made.rules)


# --- one graph


def test_one_graph_walked_by_all_threads() -> None:
    x = tg.tensor([1.0, 2.0, 3.0], dtype=tg.float64, requires_grad=True)
    u = x * 2.0
    u.retain_grad()
    y = (u * u).sum()
    in_threads(lambda i: [y.backward(retain_graph=True) for _ in range(100)] and None)
    assert x.grad.tolist() == [THREADS * 100 * 8.0 * v for v in (1.0, 2.0, 3.0)]
    assert u.grad.tolist() == [THREADS * 100 * 4.0 * v for v in (1.0, 2.0, 3.0)]


def test_a_checkpoint_that_all_threads_ask_for_first() -> None:
    for _ in range(20):
        x = tg.tensor([1.0, 2.0], dtype=tg.float64, requires_grad=True)
        y = checkpoint(lambda x: (x * 2.0).exp().log().sum(), x)
        slopes = in_threads(lambda i, x=x, y=y: tg.autograd.grad(y, x, retain_graph=True)[0].tolist())  # type: ignore[misc]
        assert slopes == [[2.0, 2.0]] * THREADS


def test_backward_hooks_of_a_module_in_a_graph_walked_by_all_threads() -> None:
    layer, seen = nn.Tanh(), set()
    layer.register_full_backward_pre_hook(lambda module, grad_output: (grad_output[0] * 2,))
    layer.register_full_backward_hook(
        lambda module, grad_input, grad_output: seen.add((grad_input[0].item(), grad_output[0].item()))
    )
    x = tg.tensor(0.0, dtype=tg.float64, requires_grad=True)
    y = layer(x * 3.0)
    slopes = in_threads(lambda i: {tg.autograd.grad(y, x, retain_graph=True)[0].item() for _ in range(100)})
    assert slopes == [{6.0}] * THREADS and seen == {(2.0, 2.0)}


def test_derivatives_of_one_graph_asked_for_by_all_threads() -> None:
    x = tg.tensor(3.0, dtype=tg.float64, requires_grad=True)
    y = x * x * x

    def second(i: int) -> set[tuple[float, float]]:
        found = set()
        for _ in range(50):
            (slope,) = tg.autograd.grad(y, x, create_graph=True)
            (bend,) = tg.autograd.grad(slope, x, retain_graph=True)
            found.add((slope.item(), bend.item()))
        return found

    assert in_threads(second) == [{(27.0, 18.0)}] * THREADS
    assert x.grad is None


def test_a_graph_is_freed_by_one_thread_and_refused_to_the_others_in_words() -> None:
    for _ in range(20):
        x = tg.tensor(3.0, dtype=tg.float64, requires_grad=True)
        y = x * x * x * x

        def work(i: int) -> bool:
            try:
                y.backward()  # noqa: B023  # run at once
            except RuntimeError as error:
                assert "second time" in str(error) or "freed" in str(error)
                return False
            return True

        walked = sum(in_threads(work))
        assert x.grad is None if walked == 0 else x.grad.item() == 108.0 * walked


def test_hooks_of_all_threads_see_each_gradient() -> None:
    x = tg.ones(2, dtype=tg.float64, requires_grad=True)
    u = x * 1.0
    y = u.sum()
    seen: list[float] = []

    def work(i: int) -> None:
        for _ in range(50):
            handles = [x.register_hook(lambda g: g * 1.0), u.register_hook(lambda g: seen.append(g[0].item()))]
            y.backward(retain_graph=True)
            for handle in handles:
                handle.remove()

    in_threads(work)
    assert x.grad.tolist() == [THREADS * 50.0] * 2
    assert len(seen) >= THREADS * 50 and set(seen) == {1.0}


def test_no_hook_is_lost_that_several_threads_register_first() -> None:
    for _ in range(100):
        x = tg.ones(1, dtype=tg.float64, requires_grad=True)
        u = x * 1.0
        in_threads(lambda i: (x.register_hook(lambda g: g * 2.0), u.register_hook(lambda g: g * 2.0)))  # noqa: B023
        u.backward()
        assert x.grad.item() == 4.0**THREADS


# --- modes


def test_modes_are_each_threads_own() -> None:
    x = tg.ones(2, requires_grad=True)
    modes = [tg.no_grad, tg.enable_grad, tg.inference_mode, lambda: tg.set_grad_enabled(False)]

    def work(i: int) -> set[tuple[bool, bool]]:
        found = set()
        for _ in range(200):
            with modes[i % 4]():
                found.add(((x * 2).requires_grad, tg.is_inference_mode_enabled()))
            assert (x * 2).requires_grad and not tg.is_inference_mode_enabled()
        return found

    expected = [{(False, False)}, {(True, False)}, {(False, True)}, {(False, False)}]
    assert in_threads(work) == expected * (THREADS // 4)


def test_a_new_thread_records_whatever_its_parent_does() -> None:
    x = tg.ones(2, requires_grad=True)
    with tg.inference_mode(), viz.trace():
        assert in_threads(lambda i: (x * 2).requires_grad) == [True] * THREADS
        assert not (x * 2).requires_grad
    tg.set_grad_enabled(False)
    try:
        assert in_threads(lambda i: tg.is_grad_enabled()) == [True] * THREADS
    finally:
        tg.set_grad_enabled(True)


def test_a_decorated_function_and_generator_run_in_all_threads() -> None:
    x = tg.ones(2, requires_grad=True)

    @tg.no_grad()
    def plain() -> bool:
        return (x * 2).requires_grad

    @tg.no_grad()
    def steps() -> Any:
        for _ in range(5):
            yield (x * 2).requires_grad

    def work(i: int) -> bool:
        return any(plain() or any(steps()) or not (x * 2).requires_grad for _ in range(50))

    assert in_threads(work) == [False] * THREADS


def test_a_walk_leaves_the_modes_of_other_threads_alone() -> None:
    x = tg.ones(2, requires_grad=True)

    def work(i: int) -> None:
        for _ in range(100):
            y = (x * x).sum()
            assert y.requires_grad
            tg.autograd.grad(y, x, create_graph=bool(i % 2))
            assert tg.is_grad_enabled()
            with tg.no_grad():
                tg.autograd.grad(y, x, create_graph=True) if i % 2 else None
                assert not (x * x).requires_grad

    in_threads(work)


def test_a_trace_sees_its_own_threads_operations_only() -> None:
    x = tg.ones(2, requires_grad=True)

    def work(i: int) -> str:
        with viz.trace():
            y = x
            for _ in range(i + 1):
                y = y.sin() if i % 2 else y.cos()
        return viz.graph(y).text()

    for i, text in enumerate(in_threads(work)):
        assert ("sin" in text, "cos" in text) == (bool(i % 2), not i % 2)


def test_the_default_dtype_is_that_of_all_threads_as_in_pytorch() -> None:
    tg.set_default_dtype(tg.float64)
    try:
        assert in_threads(lambda i: tg.ones(1).dtype) == [tg.float64] * THREADS
    finally:
        tg.set_default_dtype(tg.float32)


# --- edits and views


def test_no_edit_of_disjoint_views_is_lost() -> None:
    for _ in range(20):
        buffer = tg.zeros(THREADS * 4, 2)
        rows = [buffer[i] for i in range(THREADS * 4)]
        x = tg.ones(2, requires_grad=True)
        saved = [(x * row).sum() for row in rows]
        whole = (x * buffer).sum()

        def work(i: int) -> None:
            for row in rows[i::THREADS]:  # noqa: B023  # run at once
                row.add_(float(i))

        in_threads(work)
        for y in (*saved, whole):
            with pytest.raises(RuntimeError, match="overwritten"):
                y.backward()
        assert [row.tolist() for row in rows] == [[float(i % THREADS)] * 2 for i in range(THREADS * 4)]


def test_no_first_edit_of_a_memory_is_lost() -> None:
    for _ in range(100):
        array = np.zeros(THREADS)
        before = inplace.tick()
        in_threads(lambda i: inplace.stamp(array[i : i + 1], "edit"))  # noqa: B023
        assert all(inplace.overwritten_by(array[i : i + 1], before) for i in range(THREADS))


def test_the_time_of_the_last_edit_never_goes_back() -> None:
    arrays = [np.zeros(2) for _ in range(THREADS)]
    seen: list[bool] = []

    def work(i: int) -> None:
        for _ in range(300):
            inplace.stamp(arrays[i], "edit") if i % 2 else inplace.stamp_all([arrays[i]], "edit")
            time = inplace.edits.owned[id(arrays[i])].edits[0][2]
            seen.append(inplace.edits.last >= time)

    in_threads(work)
    assert all(seen)


def test_views_that_several_threads_take_all_follow_an_edit() -> None:
    for _ in range(30):
        x = tg.ones(THREADS, 2, dtype=tg.float64, requires_grad=True)
        y = x * 1.0
        views = in_threads(lambda i: [y[i].view(2) for _ in range(20)])  # noqa: B023
        y *= 3.0
        for mine in views:
            for view in mine:
                (slope,) = tg.autograd.grad(view.sum(), x, retain_graph=True)
                assert slope.sum().item() == 6.0


@pytest.mark.parametrize("inner", ["backward", "edit"])
@pytest.mark.parametrize("outer", ["backward", "edit"])
def test_a_destructor_may_do_what_its_thread_is_doing(outer: str, inner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The collector runs destructors anywhere, also where a thread holds the lock of gradients or of edits."""
    ran: list[None] = []
    done: list[str] = []

    def do(what: str) -> None:
        if what == "edit":
            tg.ones(2).add_(1.0)
            tg.ones(2).view(2).add_(1.0)
        else:
            with tg.enable_grad():  # a walk is no place to record
                x = tg.ones(2, requires_grad=True)
                (x * 2.0).sum().backward()
            assert x.grad.tolist() == [2.0, 2.0]
        done.append(what)

    class Dying:
        def __del__(self) -> None:
            ran.append(None)
            do(inner)

    def dying_before(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            if not ran:
                Dying()
            return function(*args)

        return call

    # What is called while the lock is held, as the collector would be.
    place, name = (inplace, "tick") if outer == "edit" else (tg.autograd, "wrap")
    monkeypatch.setattr(place, name, dying_before(getattr(place, name)))
    thread = threading.Thread(target=do, args=(outer,), daemon=True)
    thread.start()
    thread.join(timeout=20)
    assert not thread.is_alive(), "the thread waits for itself"
    assert ran and sorted(done) == sorted([outer, inner])


# --- data and random numbers


def test_loaders_in_all_threads_give_each_its_whole_data() -> None:
    data = tg.utils.data.TensorDataset(tg.arange(40).float(), tg.arange(40))
    shared = tg.utils.data.DataLoader(data, batch_size=7, shuffle=True)

    def work(i: int) -> list[list[int]]:
        own = tg.utils.data.DataLoader(data, batch_size=3, shuffle=True, generator=tg.Generator().manual_seed(i))
        found = []
        for loader in (own, shared):
            labels = []
            for inputs, targets in loader:
                assert inputs.tolist() == targets.tolist()
                labels += targets.tolist()
            found.append(labels)
        return found

    for i, (own, from_shared) in enumerate(in_threads(work)):
        alone = tg.utils.data.DataLoader(data, batch_size=3, shuffle=True, generator=tg.Generator().manual_seed(i))
        assert own == [label for _, targets in alone for label in targets.tolist()]
        assert sorted(from_shared) == list(range(40))


def test_all_threads_together_draw_the_numbers_that_one_would() -> None:
    tg.manual_seed(3)
    drawn = in_threads(lambda i: [tuple(tg.rand(2, dtype=tg.float64).tolist()) for _ in range(100)])
    tg.manual_seed(3)
    alone = [tuple(tg.rand(2, dtype=tg.float64).tolist()) for _ in range(100 * THREADS)]
    assert sorted(pair for mine in drawn for pair in mine) == sorted(alone)


def test_generators_of_each_thread_are_not_disturbed() -> None:
    def draws(seed: int) -> list[float]:
        generator = tg.Generator().manual_seed(seed)
        return [tg.randn(1, generator=generator).item() for _ in range(100)]

    assert in_threads(draws) == [draws(seed) for seed in range(THREADS)]
