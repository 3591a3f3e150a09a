"""utils.checkpoint: the gradients of a plain run to the last bit, with less memory, and errors where that can't be."""

from __future__ import annotations

import contextlib
import gc
import tracemalloc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl import nn, viz
from tinygrad_dl.utils.checkpoint import CheckpointError, checkpoint, checkpoint_sequential


def layers(n: int, width: int = 8, dropout: float = 0.3) -> nn.Sequential:
    tg.manual_seed(0)
    return nn.Sequential(*[nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Dropout(dropout)) for _ in range(n)])


def gradients(run: Callable[[Any], Any], net: nn.Module, x: Any) -> list[Any]:
    """The loss, all gradients and the next random number, from one seed."""
    tg.manual_seed(1)
    net.zero_grad()
    x.grad = None
    loss = (run(x) ** 2).sum()
    loss.backward()
    return [loss.item(), *[p.grad.numpy().copy() for p in net.parameters()], x.grad.numpy().copy(), tg.rand(3).numpy()]


def same(ours: list[Any], plain: list[Any]) -> None:
    """Equal to the last bit."""
    assert len(ours) == len(plain)
    for a, b in zip(ours, plain):
        np.testing.assert_array_equal(a, b)


def nested(net: nn.Sequential) -> Callable[[Any], Any]:
    """Every layer checkpointed, pairs of them too, and all of it."""

    def pair(x: Any, i: int) -> Any:
        return checkpoint(net[i + 1], checkpoint(net[i], x))

    def whole(x: Any) -> Any:
        for i in range(0, len(net), 2):
            x = checkpoint(pair, x, i=i)
        return x

    return lambda x: checkpoint(whole, x, use_reentrant=False)


@pytest.mark.parametrize("n_segments", [1, 2, 3, 6])
def test_gradients_and_random_numbers_of_a_plain_run(n_segments: int) -> None:
    net, x = layers(6), tg.randn(5, 8, requires_grad=True)
    plain = gradients(net, net, x)
    same(gradients(lambda x: checkpoint(net, x), net, x), plain)
    same(gradients(lambda x: checkpoint_sequential(net, n_segments, x, use_reentrant=False), net, x), plain)
    same(gradients(lambda x: checkpoint_sequential(list(net), n_segments, x, use_reentrant=True), net, x), plain)
    same(gradients(nested(net), net, x), plain)


def test_other_random_numbers_when_their_state_is_not_kept() -> None:
    x = tg.ones(100, requires_grad=True)
    dropped = lambda x: nn.functional.dropout(x, 0.5) * x  # noqa: E731
    tg.manual_seed(0)
    value = checkpoint(dropped, x, preserve_rng_state=False)
    value.sum().backward()
    assert x.grad.tolist() != (2 * value).tolist()
    x.grad = None
    value = checkpoint(dropped, x)
    value.sum().backward()
    assert x.grad.tolist() == (2 * value).tolist()


# --- memory


def peak(run: Callable[[], Any]) -> int:
    gc.collect()
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_falls() -> None:
    """36 layers keep 36 times (tanh's output, the input, a mask's bits); six segments of six about a third."""
    net, x = layers(36, width=64), tg.randn(256, 64, requires_grad=True)
    one = 256 * 64 * 4
    runs = [net, lambda x: checkpoint_sequential(net, 6, x), nested(net)]
    for run in runs:
        gradients(run, net, x)  # what is made once does not count
    plain, segments, in_each_other = [peak(lambda run=run: run(x).sum().backward()) for run in runs]
    assert plain > 72 * one
    assert segments < 0.35 * plain
    assert in_each_other < 0.55 * plain


def test_what_is_saved_lives_only_from_the_second_run_to_the_end_of_the_walk() -> None:
    made: list[Any] = []

    def f(x: Any) -> Any:
        y = x.exp()
        made.append(weakref.ref(y.array))
        return y.tanh() * y

    x = tg.ones(3, requires_grad=True)
    out = checkpoint(f, x).sum()
    assert len(made) == 1 and made[0]() is None
    gradient = tg.autograd.grad(out, x, retain_graph=True)[0]
    assert len(made) == 2 and made[1]() is not None  # a retained graph keeps it,
    assert (tg.autograd.grad(out, x)[0] == gradient).all() and len(made) == 2  # so nothing runs a third time
    assert made[1]() is None


def test_reference_counts_are_enough() -> None:
    class Given:
        """Something whose end is seen."""

    given = Given()
    known = weakref.ref(given)
    gc.disable()
    try:
        x = tg.ones(3, requires_grad=True)
        out = checkpoint(lambda x, given: checkpoint(tg.exp, x) * x, x * 1, given)
        del given
        assert known() is not None  # needed for the second run,
        out.sum().backward()
        assert known() is None  # and not after it
        for walked in (True, False):
            out = checkpoint(lambda x, given: x.exp() * x, x * 1, given := Given())
            known = weakref.ref(given)
            if walked:
                tg.autograd.grad(out.sum(), x, create_graph=True)
            del given, out
            assert known() is None
        h = x * 1
        known = weakref.ref(h)
        h += checkpoint(lambda h: h.exp(), h)  # now the checkpoint is in its argument's history
        del h
        assert known() is None
    finally:
        gc.enable()


def test_a_deep_region() -> None:
    def f(x: Any) -> Any:
        for _ in range(20_000):
            x = x * 1.0
        return x

    x = tg.ones(1, requires_grad=True)
    checkpoint(f, x).sum().backward()
    assert x.grad.item() == 1


# --- anything may come in and out


def test_closures_keywords_structures_and_constants() -> None:
    w, b = tg.tensor(2.0, requires_grad=True), tg.tensor(5.0, requires_grad=True)
    interior = b * 3

    def f(scale: float, parts: dict[str, Any], *, shift: Any = None, name: str) -> Any:
        x, y = parts["x"], parts["rest"][0]
        return {name: (x * y * w * scale, 7), "n": x.detach(), "more": [y + shift * interior, (y > 0).sum()]}

    x, y, shift = (tg.tensor([1.0, 2.0], requires_grad=True) for _ in range(3))
    results = []
    for call in (lambda *args, **kwargs: f(*args, **kwargs), lambda *args, **kwargs: checkpoint(f, *args, **kwargs)):
        out = call(10.0, {"x": x, "rest": [y]}, shift=shift, name="out")
        assert out["out"][1] == 7 and out["more"][1].item() == 2 and not out["n"].requires_grad
        loss = (out["out"][0] * 3).sum() + (out["more"][0] ** 2).sum()
        results.append([g.tolist() for g in tg.autograd.grad(loss, [w, b, x, y, shift], retain_graph=True)])
    assert results[0] == results[1]


def test_parts_of_the_results() -> None:
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    first, second = checkpoint(lambda x: (x.exp(), tg.split(x * x, 1)), x)
    assert tg.autograd.grad(second[1].sum(), x, retain_graph=True)[0].tolist() == [0, 4]
    assert tg.autograd.grad(first.sum(), x)[0].tolist() == pytest.approx(x.exp().tolist())


def test_nothing_requires_grad_or_nothing_records() -> None:
    calls = []
    f = lambda x: (calls.append(1), x * x)[1]  # noqa: E731
    assert not checkpoint(f, tg.ones(2)).requires_grad
    with tg.no_grad():
        assert not checkpoint(f, tg.ones(2, requires_grad=True)).requires_grad
    x = tg.ones(2, requires_grad=True)
    out = checkpoint(lambda x: x.sum(), x)  # which saves nothing
    out.backward()
    assert len(calls) == 2 and x.grad.tolist() == [1, 1]


def test_grad_modes_inside() -> None:
    def f(x: Any) -> Any:
        with tg.no_grad():
            scale = x * 10
            with tg.enable_grad():
                y = x.exp()
                made.append(weakref.ref(y.array))
        return y * scale

    made: list[Any] = []
    x = tg.tensor([0.5], requires_grad=True)
    out = checkpoint(f, x).sum()
    assert made[0]() is None
    expected = tg.autograd.grad(f(x).sum(), x)[0].tolist()
    assert tg.autograd.grad(checkpoint(f, x).sum(), x)[0].tolist() == expected
    with tg.inference_mode():
        assert tg.autograd.grad(out, x)[0].tolist() == expected


def test_outputs_are_ordinary_tensors() -> None:
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    y = checkpoint(lambda x: x.exp(), x)
    assert y.grad_fn.name() == "ExpBackward0" and y.grad_fn.next_functions[0][0].variable is x
    y.retain_grad()
    y.register_hook(lambda g: g * 2)
    y.sum().backward()
    assert y.grad.tolist() == [2, 2] and x.grad.tolist() == pytest.approx((2 * x.exp()).tolist())
    with pytest.raises(tg.GraphError, match="retain_graph"):
        y.sum().backward()


# --- higher orders, and walks inside


def test_second_and_third_order() -> None:
    w = tg.tensor([0.3, 0.7], dtype=tg.float64, requires_grad=True)
    x = tg.tensor([0.5, -0.2], dtype=tg.float64, requires_grad=True)
    f = lambda x: (tg.tanh(x * w) * nn.functional.log_softmax(x, 0)).exp()  # noqa: E731
    run = lambda x: checkpoint(f, x, use_reentrant=False)  # noqa: E731
    for make in (tg.func.grad, tg.func.hessian, lambda f: tg.func.jacrev(tg.func.hessian(f))):
        plain, ours = (make(lambda x, f=f: f(x).sum())(x) for f in (f, run))
        assert (ours == plain).all()
        assert (tg.autograd.grad(ours.sum(), w)[0] == tg.autograd.grad(plain.sum(), w)[0]).all()
    assert tg.gradgradcheck(run, x)


def test_a_second_derivative_through_a_function_inside() -> None:
    """What it saved has the history of the first run, to which the caller's tensors belong."""

    class Square(tg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return 2 * g * x

    x, steps = tg.tensor(2.0, requires_grad=True), []

    def f(x: Any) -> Any:
        steps.append(x * 3)
        return Square.apply(steps[-1]) * steps[-1]

    y = checkpoint(f, x)
    (slope,) = tg.autograd.grad(y, steps[0], create_graph=True)
    assert slope.item() == 3 * 6**2
    assert tg.autograd.grad(slope, steps[0])[0].item() == 6 * 6


def test_a_function_that_saves_something_else_in_the_second_run_is_an_error() -> None:
    saved: list[Any] = []

    class Keep(tg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            saved.append(x)
            ctx.save_for_backward(*saved)
            return x * 1

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * ctx.saved_tensors[0]

    with pytest.raises(CheckpointError, match="operation 0"):
        checkpoint(Keep.apply, tg.ones(1, requires_grad=True)).backward()


def test_a_gradient_penalty_inside() -> None:
    """The function walks its own unfinished graph, in both runs."""

    def f(x: Any) -> Any:
        y = (x.tanh() * x).sum()
        (slope,) = tg.autograd.grad(y, x, create_graph=True)
        return y + (slope**2).sum()

    x = tg.tensor([0.5, -0.2], dtype=tg.float64, requires_grad=True)
    plain = tg.autograd.grad(f(x), x)[0]
    assert (tg.autograd.grad(checkpoint(f, x), x)[0] == plain).all()
    assert (tg.autograd.grad(checkpoint(lambda x: checkpoint(f, x * 1), x), x)[0] == plain).all()


def test_a_walk_over_an_inner_checkpoint_before_the_outer_one_ends() -> None:
    def f(x: Any) -> Any:
        y = checkpoint(lambda x: x.exp() * x, x)
        (slope,) = tg.autograd.grad(y.sum(), x, create_graph=True)
        return y * slope

    x = tg.tensor([0.5, -0.2], dtype=tg.float64, requires_grad=True)
    y = x.exp() * x
    (slope,) = tg.autograd.grad(y.sum(), x, create_graph=True)
    plain = tg.autograd.grad((y * slope).sum(), x)[0]
    assert (tg.autograd.grad(checkpoint(f, x).sum(), x)[0] == plain).all()


def test_the_second_run_has_a_graph_of_its_own() -> None:
    """What the function keeps of it leads to the real leaves, and may be walked without freeing the first one's."""
    kept = []

    def f(x: Any) -> Any:
        y = x.exp()
        kept.append(y)
        return y * y

    x = tg.tensor([0.5], dtype=tg.float64, requires_grad=True)
    out = checkpoint(f, x).sum()
    out.backward(retain_graph=True)
    kept[1].sum().backward()
    out.backward()
    assert x.grad.item() == pytest.approx(2 * 2 * np.exp(1.0) + np.exp(0.5))


def test_what_an_inner_walk_freed_stays_freed() -> None:
    def f(x: Any) -> Any:
        y = x.exp()
        out = y * x.sin()
        tg.autograd.grad(y, x, tg.ones(2))  # the second run does not come to it
        return out

    for run in (f, lambda x: checkpoint(f, x)):
        with pytest.raises(tg.GraphError, match=r"exp .* walked already"):
            run(tg.ones(2, requires_grad=True)).sum().backward()


# --- edits in place


def test_edits_inside() -> None:
    def f(x: Any) -> Any:
        h = x * 2
        h += x
        h.mul_(h.detach().clone())
        part = h[1:]
        part.sin_()
        h[0] = x[1] * 5
        return h.tanh_() * x

    x = tg.tensor([0.1, 0.2, 0.3], dtype=tg.float64, requires_grad=True)
    plain = tg.autograd.grad(f(x).sum(), x)[0]
    for run in (lambda x: checkpoint(f, x), lambda x: checkpoint(lambda x: checkpoint(f, x), x)):
        out = run(x).sum()
        tg.zeros(1).add_(1)  # an edit of something else, after which backward looks closely
        assert (tg.autograd.grad(out, x)[0] == plain).all()


def test_an_edit_of_what_was_saved_is_an_error_as_in_a_plain_run() -> None:
    def f(x: Any) -> Any:
        y = x * 2
        z = (y * y).sum()
        with tg.no_grad():
            y.zero_()
        return z + y.sum()

    for run in (f, lambda x: checkpoint(f, x)):
        with pytest.raises(tg.GraphError, match="overwritten"):
            run(tg.ones(3, requires_grad=True)).backward()


@pytest.mark.parametrize("what", ["argument", "interior argument", "parameter", "interior of a closure", "constant"])
def test_edits_between_the_runs_are_errors(what: str) -> None:
    """tanh saves its output only, so that a plain run could go on; a second run would start from other values."""
    x, w, c = tg.ones(3, requires_grad=True), tg.ones(3, requires_grad=True), tg.ones(3)
    argument, held = x * 1 if what == "interior argument" else x, w * 1
    tensor = {"parameter": w, "interior of a closure": held, "constant": c}.get(what, argument)
    out = checkpoint(lambda x: (x + w + held + c).tanh(), argument).sum()
    with tg.no_grad():
        tensor.add_(1)
    with pytest.raises(tg.GraphError, match=r"checkpoint: .*overwritten by add_"):
        out.backward()


def test_other_arrays_between_the_runs_are_errors() -> None:
    for which in (0, 1):
        leaves = x, w = [tg.tensor([2.0], requires_grad=True) for _ in range(2)]
        out = checkpoint(lambda x, w=w: (x * w).exp(), x).sum()
        leaves[which].data = tg.zeros(1)
        with pytest.raises(tg.GraphError, match="another array"):
            out.backward()


@pytest.mark.parametrize("by", ["a leaf", "the result of an operation"])
def test_parameters_replaced_between_the_runs_are_errors(by: str) -> None:
    layer, x = nn.Linear(2, 1), tg.ones(2, requires_grad=True)
    out = checkpoint(lambda x: layer(x).exp(), x).sum()
    other = layer.weight.detach() * 5
    layer.weight = nn.Parameter(other)
    if by == "the result of an operation":
        del layer.weight
        layer.weight = other.requires_grad_() * 1
    with pytest.raises(CheckpointError, match="linear takes another leaf"):
        out.backward()


def test_leaves_that_the_function_makes() -> None:
    def f(x: Any) -> Any:
        start = tg.tensor([1.0, float("nan")], requires_grad=True)
        for _ in range(2):  # it is edited before the second turn
            slope = tg.autograd.grad((start[0] - 3) ** 2, start, create_graph=True)[0]
            with tg.no_grad():
                start -= 0.1 * slope
        return x * start.detach()[0]

    x = tg.tensor(2.0, requires_grad=True)
    checkpoint(f, x).backward()
    assert x.grad.item() == pytest.approx(3 - 2 * 0.8**2)


def test_a_function_that_edits_its_argument() -> None:
    x = tg.ones(3, requires_grad=True)
    out = checkpoint(lambda y: y.mul_(2).exp(), x * 1).sum()
    with pytest.raises(tg.GraphError, match=r"an argument .*mul_.*clone"):
        out.backward()


def test_an_edit_after_the_second_run_is_an_error() -> None:
    x = tg.ones(3, requires_grad=True)
    out = checkpoint(lambda x: x * x, x).sum()
    out.backward(retain_graph=True)
    with tg.no_grad():
        x.zero_()
    with pytest.raises(tg.GraphError, match="overwritten"):
        out.backward()


def test_a_result_may_be_added_to_the_argument_in_place() -> None:
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    h = x * 1
    out = checkpoint(lambda h: h + 1, h)
    h += out  # the argument's tensor has the checkpoint in its own history now
    h.sum().backward()
    assert x.grad.tolist() == [2, 2]


# --- a second run that differs


def alternating(first: Callable[[Any], Any], second: Callable[[Any], Any]) -> Callable[[Any], Any]:
    runs = iter([first, second])
    return lambda x: next(runs)(x)


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (lambda x: (x[:1] * x[:1]).exp(), "operation 0 .*mul.* is select|index"),
        (lambda x: (x * x).sin(), "operation 1 of the function was exp .* is sin"),
        (lambda x: x * x, "recorded 2 operations in forward, but only 1"),
        (lambda x: (x * x.detach()).exp(), "operation 0"),
        (lambda x: (x.reshape(1, 2) * x).exp(), "operation 0"),
    ],
)
def test_a_second_run_that_differs_is_an_error(second: Callable[[Any], Any], words: str) -> None:
    x = tg.ones(2, requires_grad=True)
    out = checkpoint(alternating(lambda x: (x * x).exp(), second), x).sum()
    with pytest.raises(CheckpointError, match=words):
        out.backward()
    assert issubclass(CheckpointError, RuntimeError)


def test_shapes_and_dtypes_are_compared() -> None:
    size = iter([3, 2, 3, 2])
    x = tg.ones(1, requires_grad=True)

    def f(x: Any) -> Any:
        return (x * tg.ones(next(size))).exp()

    with pytest.raises(CheckpointError, match=r"\(3,\).*\(2,\)"):
        checkpoint(f, x).sum().backward()
    with pytest.raises(Exception) as caught:  # without the comparison it fails further on
        checkpoint(f, x, determinism_check="none").sum().backward()
    assert not isinstance(caught.value, CheckpointError)


def test_an_error_in_the_second_run_comes_through() -> None:
    def fail(x: Any) -> Any:
        raise LookupError("gone")

    x = tg.ones(2, requires_grad=True)
    out = checkpoint(alternating(lambda x: x * x, fail), x).sum()
    state = tg.get_rng_state().tolist()
    with pytest.raises(LookupError, match="gone"):
        out.backward()
    assert tg.is_grad_enabled() and (x * 2).grad_fn.name() == "MulBackward0"  # modes are as before
    assert tg.get_rng_state().tolist() == state
    with pytest.raises(LookupError):  # also out of a first run
        checkpoint(fail, x)
    assert type((x * 2).grad_fn) is type((x * 3).grad_fn) is tg.node.Node


# --- options


def test_contexts_of_both_runs() -> None:
    entered = []

    @contextlib.contextmanager
    def noting(name: str) -> Iterator[None]:
        entered.append(name)
        yield

    x = tg.ones(2, requires_grad=True)
    out = checkpoint(lambda x: x * x, x, context_fn=lambda: (noting("first"), noting("second"))).sum()
    assert entered == ["first"]
    out.backward()
    assert entered == ["first", "second"]


def test_the_second_run_ends_with_the_last_recorded_operation() -> None:
    done = []

    def f(x: Any) -> Any:
        y = x * x
        try:
            return y.exp()
        except Exception:  # what a function may write, and must not catch
            done.append("caught")
        finally:
            done.append("end")

    x = tg.ones(2, requires_grad=True)
    checkpoint(f, x).sum().backward()
    assert done == ["end", "end"]


def test_options_that_are_refused() -> None:
    x = tg.ones(2, requires_grad=True)
    for options, kind in (
        ({"debug": True}, NotImplementedError),
        ({"early_stop": False}, NotImplementedError),
        ({"determinism_check": "all"}, ValueError),
    ):
        with pytest.raises(kind):
            checkpoint(lambda x: x, x, **options)
    for segments in (0, 3, 1.5):
        with pytest.raises(ValueError, match="segments"):
            checkpoint_sequential([tg.exp, tg.exp], segments, x)  # type: ignore[arg-type]


def test_under_a_trace_it_is_a_plain_call() -> None:
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    with viz.trace() as trace:
        out = checkpoint(lambda x: x * x, x)
    assert [node.record.operation.name for node in trace.nodes] == ["mul"]
    out.sum().backward()
    assert x.grad.tolist() == [2, 4]


# --- PyTorch


def test_as_in_pytorch() -> None:
    torch = pytest.importorskip("torch")
    from torch.utils.checkpoint import checkpoint as theirs

    draw = np.random.default_rng(0)
    arrays = [draw.normal(size=shape) for shape in ((4, 3), (3, 5), (5,))]

    def derivatives(m: Any, run: Callable[..., Any]) -> list[Any]:
        x, w, b = (m.tensor(a, requires_grad=True) for a in arrays)
        f = lambda x, power: (m.tanh(x @ w + b) ** power, x.sum())  # noqa: E731
        y, total = run(f, x, power=3)
        loss = (y * y).sum() * total
        first = m.autograd.grad(loss, [x, w, b], create_graph=True)
        second = m.autograd.grad(sum((g * g).sum() for g in first), [x, w, b])
        return [g.detach().numpy() for g in (*first, *second)]

    ours = derivatives(tg, lambda f, *args, **kwargs: checkpoint(f, *args, use_reentrant=False, **kwargs))
    expected = derivatives(torch, lambda f, *args, **kwargs: theirs(f, *args, use_reentrant=False, **kwargs))
    for a, b in zip(ours, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
