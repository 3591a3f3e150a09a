"""Hooks on tensors, leaves, groups of tensors and nodes: what they see, change, and in which order; as PyTorch's."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import tinygrad_dl as tg

PROGRAMS: dict[str, Callable[[Any], Any]] = {}


def program(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    PROGRAMS[function.__name__] = function
    return function


def leaf(lib: Any, value: Any = 2.0) -> Any:
    return lib.tensor(value, dtype=lib.float64, requires_grad=True)


def numbers(tensors: Any) -> Any:
    return [None if t is None else t.tolist() for t in tensors]


@program
def observing_and_changing_in_order(lib: Any) -> Any:
    x, seen = leaf(lib), []
    y = x * 3
    y.register_hook(lambda g: seen.append(g.item()))
    y.register_hook(lambda g: g * 10)
    y.register_hook(lambda g: seen.append(g.item()))
    y.backward()
    return seen, x.grad.item()


@program
def on_leaves_before_accumulation(lib: Any) -> Any:
    w, seen = leaf(lib), []
    first = w.register_hook(lambda g: g * 2)
    w.register_hook(lambda g: seen.append(g.item()))
    (w * 3).backward()
    first.remove()
    first.remove()
    (w * 3).backward()
    return seen, w.grad.item(), numbers(lib.autograd.grad(w * w, w)), seen


@program
def after_accumulation_on_a_leaf_that_was_frozen_since(lib: Any) -> Any:
    w, seen = leaf(lib), []
    y = w * 3
    w.register_post_accumulate_grad_hook(lambda w: seen.append(w.grad))
    w.requires_grad_(False)
    y.backward()
    return seen


@program
def a_leaf_used_twice_has_one_gradient(lib: Any) -> Any:
    w, seen = leaf(lib), []
    w.register_hook(lambda g: seen.append(g.item()))
    (w * 3 + w * w).backward()
    return seen


@program
def after_accumulation(lib: Any) -> Any:
    w, seen = leaf(lib), []
    handle = w.register_post_accumulate_grad_hook(lambda p: seen.append((p is w, p.grad.item())))
    (w * 3).backward()
    (w * 3).backward()
    handle.remove()
    (w * 3).backward()
    lib.autograd.grad(w * w, w)
    return seen, w.grad.item()


@program
def an_optimizer_in_backward(lib: Any) -> Any:
    w = leaf(lib, [1.0, 2.0])

    def step(p: Any) -> None:
        with lib.no_grad():
            p -= 0.5 * p.grad
        p.grad = None

    w.register_post_accumulate_grad_hook(step)
    (w * w).sum().backward()
    (w * w * w).sum().backward()
    return w.tolist(), w.grad is None


@program
def retained_gradients_come_after_hooks(lib: Any) -> Any:
    x = leaf(lib)
    y = x * 3
    y.retain_grad()
    y.register_hook(lambda g: g * 5)
    (y * y).backward()
    return y.grad.item(), x.grad.item()


@program
def a_hook_from_before_an_edit_sees_the_old_value(lib: Any) -> Any:
    x, seen = leaf(lib, [1.0, 2.0]), []
    y = x * 1
    y.register_hook(lambda g: seen.append(("before", g.tolist())))
    y.mul_(3)
    y.register_hook(lambda g: seen.append(("after", g.tolist())))
    (y * y).sum().backward()
    return seen, x.grad.tolist()


@program
def a_retained_gradient_follows_an_edit(lib: Any) -> Any:
    x = leaf(lib, [1.0, 2.0])
    y = x * 1
    y.retain_grad()
    y[0].mul_(3)
    (y * y).sum().backward()
    return y.grad.tolist(), x.grad.tolist()


@program
def on_a_node_each_input_has_its_place(lib: Any) -> Any:
    x, y, seen = leaf(lib, [1.0, 2.0]), leaf(lib, [3.0, 4.0]), []
    see = lambda grads, _: seen.append([None if g is None else g.tolist() for g in grads])  # noqa: E731
    for result, inputs in ((y.detach() * x, None), (x * y, None), (x * y, [y]), (x * x, None), (x * 2, None)):
        result.grad_fn.register_hook(see)
        result.sum().backward(inputs=inputs)
    last = x.detach() * y
    last.grad_fn.register_hook(lambda grads, _: (grads[0], grads[1] * 10))
    last.sum().backward()
    return seen, x.grad.tolist(), y.grad.tolist()


@program
def on_one_of_several_outputs(lib: Any) -> Any:
    x, seen = leaf(lib, [1.0, 2.0, 3.0]), []
    first, second, _ = x.split(1)
    first.register_hook(lambda g: seen.append(g.tolist()))
    second.register_hook(lambda g: g * 7)
    (first * second).sum().backward()
    return seen, x.grad.tolist()


@program
def a_second_derivative_through_a_hook(lib: Any) -> Any:
    x = leaf(lib, 3.0)
    y = x * x
    y.register_hook(lambda g: g * x)
    (g,) = lib.autograd.grad(y * y, x, create_graph=True)
    return g.item(), numbers(lib.autograd.grad(g, x))


@program
def the_mode_inside_a_hook(lib: Any) -> Any:
    x, seen = leaf(lib), []
    y = x * x
    y.register_hook(lambda g: seen.append((lib.is_grad_enabled(), g.requires_grad)))
    y.backward(retain_graph=True)
    lib.autograd.grad(y * y, x, create_graph=True)
    return seen


@program
def a_hook_that_removes_itself(lib: Any) -> Any:
    x, seen = leaf(lib), []

    def once(g: Any) -> None:
        seen.append(g.item())
        handle.remove()

    handle = x.register_hook(once)
    x.register_hook(lambda g: seen.append(g.item() * 100))
    (x * 3).backward()
    (x * 3).backward()
    return seen


@program
def a_handle_as_context(lib: Any) -> Any:
    x = leaf(lib)
    with x.register_hook(lambda g: g * 2):
        (x * 3).backward()
    (x * 3).backward()
    return x.grad.item()


@program
def all_of_several_tensors(lib: Any) -> Any:
    a, seen = leaf(lib), []
    c, d, e = a * 2, a * 3, a * 4
    handle = lib.autograd.graph.register_multi_grad_hook((c, d, e), lambda grads: seen.append(numbers(grads)))
    (c * d).backward(retain_graph=True)
    (c + e).backward(retain_graph=True)
    handle.remove()
    (c * e).backward()
    return seen


@program
def any_of_several_tensors(lib: Any) -> Any:
    a, seen = leaf(lib), []
    c, d = a * 2, a * 3
    lib.autograd.graph.register_multi_grad_hook((c, d), lambda g: seen.append(g.item()), mode="any")
    (c * c).backward(retain_graph=True)
    (d * d).backward()
    return seen


@program
def of_several_tensors_after_a_walk_that_failed(lib: Any) -> Any:
    w, c, seen = leaf(lib), leaf(lib, 3.0), []
    lib.autograd.graph.register_multi_grad_hook((w, c), lambda grads: seen.append(numbers(grads)))
    handles = [x.register_hook(lambda g: 1 / 0) for x in (w, c)]
    y = w * c
    with pytest.raises(ZeroDivisionError):
        y.backward(retain_graph=True)
    for handle in handles:
        handle.remove()
    y.backward()
    return seen


@program
def of_several_tensors_around_a_walk_of_another_graph(lib: Any) -> Any:
    w, seen = leaf(lib), []
    x = w * 3
    lib.autograd.graph.register_multi_grad_hook((x, w), lambda grads: seen.append(numbers(grads)))

    def walk_another_graph(g: Any) -> None:
        with lib.enable_grad():
            (leaf(lib) * 2).backward()

    x.register_hook(walk_another_graph)
    (x * x).backward()
    return seen


@program
def on_nodes(lib: Any) -> Any:
    w, seen = leaf(lib), []
    y = w * w
    handle = y.grad_fn.register_hook(lambda inputs, outputs: seen.append((numbers(inputs), numbers(outputs))))
    y.grad_fn.register_prehook(lambda outputs: (outputs[0] * 10,))
    (y * 3).backward(retain_graph=True)
    handle.remove()
    (y * 3).backward()
    return seen, w.grad.item()


@program
def nodes_change_what_goes_on(lib: Any) -> Any:
    x, w = leaf(lib), leaf(lib, 5.0)
    y = x * w
    y.grad_fn.register_hook(lambda inputs, outputs: (inputs[0] * 2, inputs[1] * 3))
    y.backward()
    return x.grad.item(), w.grad.item()


@program
def on_nodes_after_those_on_tensors(lib: Any) -> Any:
    x, seen = leaf(lib), []
    y = x * x
    y.grad_fn.register_prehook(lambda outputs: seen.append(("node", numbers(outputs))))
    y.grad_fn.register_prehook(lambda outputs: (outputs[0] * 3,))
    y.register_hook(lambda g: seen.append(("tensor", g.item())))
    y.register_hook(lambda g: g * 10)
    y.retain_grad()
    y.backward()
    return seen, y.grad.item(), x.grad.item()


@program
def on_nodes_past_the_gradient_that_was_asked_for(lib: Any) -> Any:
    x = leaf(lib)
    y = x * x
    y.grad_fn.register_prehook(lambda outputs: (outputs[0] * 3,))
    return numbers(lib.autograd.grad(y * y, (y, x)))


@program
def on_nodes_of_several_outputs(lib: Any) -> Any:
    x, seen = leaf(lib, [2.0, 3.0]), []
    first, second = (x * 1).split(1)
    first.grad_fn.register_prehook(lambda outputs: (outputs[0] * 10, outputs[1]))
    second.grad_fn.register_hook(lambda inputs, outputs: seen.append((numbers(inputs), numbers(outputs))))
    (first * second).sum().backward()
    return seen, x.grad.tolist()


@pytest.mark.parametrize("name", PROGRAMS)
def test_hooks_do_what_pytorchs_do(name: str) -> None:
    torch = pytest.importorskip("torch")
    assert PROGRAMS[name](tg) == PROGRAMS[name](torch)


REFUSED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "no gradient comes": (
        lambda lib: lib.ones(2).register_hook(print),
        r"register_hook: .*\(2,\).*does not require grad",
    ),
    "no leaf": (
        lambda lib: (leaf(lib) * 2).register_post_accumulate_grad_hook(print),
        r"only leaves get a \.grad.*MulBackward0.*register_hook",
    ),
    "no tensor came back": (lambda lib: _backward(lib, lambda g: 3.0), "hook: return a Tensor or None, not float"),
    "another shape came back": (lambda lib: _backward(lib, lambda g: lib.ones(2)), r"hook: .*\(2,\).*\(\)"),
    "another dtype came back": (lambda lib: _backward(lib, lambda g: g.float()), "hook: .*float32.*float64"),
    "something came back after accumulation": (
        lambda lib: _accumulate(lib, lambda leaf: leaf.grad.mul_(2)),
        "register_post_accumulate_grad_hook: the hook must return None",
    ),
    "an unknown mode": (
        lambda lib: lib.autograd.graph.register_multi_grad_hook((leaf(lib),), print, mode="some"),
        "mode is 'all' or 'any', not 'some'",
    ),
}


def _backward(lib: Any, hook: Any) -> None:
    y = leaf(lib) * 2
    y.register_hook(hook)
    y.backward()


def _accumulate(lib: Any, hook: Any) -> None:
    x = leaf(lib)
    x.register_post_accumulate_grad_hook(hook)
    (x * 2).backward()


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_says_why(name: str) -> None:
    function, words = REFUSED[name]
    with pytest.raises(tg.TinygradError, match=words):
        function(tg)


def test_a_hook_may_edit_its_gradient_in_place_and_no_other() -> None:
    """`a + b` hands both inputs one gradient; each hook has its own."""
    x, y = leaf(tg, 3.0), leaf(tg, 4.0)
    a, b = x * 1, y * 1
    a.register_hook(lambda g: g.mul_(5))
    (a + b).backward()
    assert x.grad.item() == 5.0 and y.grad.item() == 1.0


def test_hooks_make_no_cycles() -> None:
    gc.disable()
    try:
        x = leaf(tg, [1.0, 2.0])
        y = x * 2
        y.register_hook(lambda g: g * 2)
        handle = y.register_hook(lambda g: None)
        y.retain_grad()
        y.sum().backward()
        died = weakref.ref(y), weakref.ref(y.node.extras)
        del y
        assert all(ref() is None for ref in died)
        handle.remove()
    finally:
        gc.enable()


def test_an_error_in_a_hook_leaves_no_trace_behind() -> None:
    x = leaf(tg)
    handle = x.register_hook(lambda g: 1 / 0)
    tg.autograd.graph.register_multi_grad_hook((x,), lambda grads: None)
    with pytest.raises(ZeroDivisionError):
        (x * 2).backward()
    assert x.grad is None and tg.is_grad_enabled()
    handle.remove()
    (x * 2).backward()
    assert x.grad.item() == 2.0
