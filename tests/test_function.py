"""`autograd.Function`: what it computes is what PyTorch computes, what PyTorch refuses it refuses."""

from __future__ import annotations

import gc
import threading
import traceback
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl import viz
from tinygrad_dl.autograd import Function
from tinygrad_dl.autograd.function import FunctionCtx, once_differentiable
from tinygrad_dl.errors import ArgumentTypeError, GraphError
from tinygrad_dl.viz import Symbol
from tinygrad_dl.viz.history import History
from tinygrad_dl.viz.reading import Reader

grad = tg.autograd.grad


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")


def make(
    L: Any, forward: Callable[..., Any], backward: Callable[..., Any] | None = None, name: str = "Made", **flags: Any
) -> Any:
    """A Function of a library `L` (PyTorch or ours) with these methods; both take ctx."""
    methods = {"forward": staticmethod(forward), **flags}
    if backward is not None:
        methods["backward"] = staticmethod(backward)
    return type(name, (L.autograd.Function,), methods)


def leaf(L: Any, *values: float) -> Any:
    return L.tensor(list(values) or 3.0, dtype=L.float64, requires_grad=True)


def plain(value: Any) -> Any:
    """What a program returned, without its library: tensors as lists with dtype and whether they require grad."""
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if hasattr(value, "tolist"):
        return value.tolist(), str(value.dtype).rpartition(".")[2], value.requires_grad
    return value


def square(L: Any) -> Any:
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x * x

    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return 2 * g * x

    return make(L, forward, backward, "Square")


# --- programs that give the same in both libraries

PROGRAMS: dict[str, Callable[[Any], Any]] = {}


def program(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    PROGRAMS[function.__name__] = function
    return function


@program
def one_input(L: Any) -> Any:
    x = leaf(L, 1.0, 2.0)
    y = square(L).apply(x)
    looked_at = y.grad_fn.name(), y.grad_fn.saved_tensors, y.grad_fn.needs_input_grad
    y.sum().backward()
    return y, x.grad, looked_at


@program
def second_and_third_derivative(L: Any) -> Any:
    x = leaf(L, 1.0, 2.0)
    (first,) = L.autograd.grad((square(L).apply(x) * x).sum(), x, create_graph=True)
    (second,) = L.autograd.grad(first.sum(), x, create_graph=True)
    return first, second, L.autograd.grad(second.sum(), x)


@program
def second_derivative_through_a_saved_output(L: Any) -> Any:
    def forward(ctx: Any, x: Any) -> Any:
        y, z = x.exp(), x * 2
        ctx.save_for_backward(y)
        return z, y

    def backward(ctx: Any, h: Any, g: Any) -> Any:
        (y,) = ctx.saved_tensors
        return 2 * h + g * y

    x = leaf(L, 0.0, 1.0)
    z, y = make(L, forward, backward).apply(x * 1)
    (first,) = L.autograd.grad((z * y).sum(), x, create_graph=True)
    return first, L.autograd.grad(first.sum(), x)


@program
def setup_apart_with_defaults(L: Any) -> Any:
    seen: list[Any] = []

    class Scale(L.autograd.Function):
        @staticmethod
        def forward(x: Any, k: float = 2.0, *rest: Any) -> Any:
            return x * k

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            seen.append([inputs[1:], output.requires_grad, output.grad_fn, L.is_grad_enabled(), ctx.needs_input_grad])
            ctx.k = inputs[1]
            ctx.save_for_backward(inputs[0], output)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            x, y = ctx.saved_tensors
            return (g * ctx.k + 0 * x * y, *[None] * (len(ctx.needs_input_grad) - 1))

    x = leaf(L, 1.0, 2.0)
    results = [Scale.apply(x), Scale.apply(x, 3.0), Scale.apply(k=4.0, x=x), Scale.apply(x, 5.0, "a", None)]
    return results, [L.autograd.grad(y.sum(), x) for y in results], seen


@program
def options_by_name(L: Any) -> Any:
    def forward(ctx: Any, x: Any, k: float = 2.0, m: float = 1.0) -> Any:
        ctx.k = k * m
        return x * ctx.k

    scale = make(L, forward, lambda ctx, g: (g * ctx.k, *[None] * (len(ctx.needs_input_grad) - 1)))
    x = leaf(L, 1.0, 2.0)
    results = [scale.apply(x), scale.apply(x, k=3.0), scale.apply(m=2.0, x=x, k=3.0)]
    return [(y, y.grad_fn.needs_input_grad, L.autograd.grad(y.sum(), x)) for y in results]


@program
def forward_records_nothing(L: Any) -> Any:
    seen: list[Any] = []

    def forward(ctx: Any, x: Any) -> Any:
        y = x * 2
        seen.extend([L.is_grad_enabled(), x.requires_grad, x.is_leaf, y.requires_grad, ctx.saved_tensors])
        ctx.save_for_backward(x)
        seen.append(ctx.saved_tensors)
        return y

    function = make(L, forward, lambda ctx, g: g * 2)
    x = leaf(L, 1.0, 2.0)
    function.apply(x), function.apply(x * 1)
    return seen, L.is_grad_enabled()


@program
def in_backward_as_in_the_walk(L: Any) -> Any:
    seen: list[Any] = []

    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x * 2

    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        seen.append([L.is_grad_enabled(), x.requires_grad, x.is_leaf, ctx.needs_input_grad, g])
        return g * 2

    function = make(L, forward, backward)
    x = leaf(L, 1.0, 2.0)
    function.apply(x).sum().backward()
    L.autograd.grad(function.apply(x * 1).sum(), x, create_graph=True)
    return seen


@program
def a_saved_leaf_is_itself(L: Any) -> Any:
    seen: list[bool] = []

    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x * 2

    def backward(ctx: Any, g: Any) -> Any:
        seen.append(ctx.saved_tensors[0] is x)
        return g * 2

    x = leaf(L, 1.0)
    make(L, forward, backward).apply(x).backward()
    return seen


@program
def a_saved_input_that_is_returned_is_the_input(L: Any) -> Any:
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x

    x = leaf(L, 3.0)
    y = make(L, forward, lambda ctx, g: g * ctx.saved_tensors[0] ** 2).apply(x)
    (first,) = L.autograd.grad(y, x, create_graph=True)
    return y.grad_fn.saved_tensors[0] is x, first, L.autograd.grad(first, x)


@program
def saved_intermediates_captured_tensors_and_none(L: Any) -> Any:
    seen: list[Any] = []
    w = leaf(L, 5.0, 6.0)
    h = w * 1

    def forward(ctx: Any, x: Any) -> Any:
        y = x * 2
        ctx.save_for_backward(None, x, y, y * 2, w, h, w * 3)
        return y

    def backward(ctx: Any, g: Any) -> Any:
        seen.extend(ctx.saved_tensors)
        seen.append([t is not None and t.grad_fn is not None for t in ctx.saved_tensors])
        return g * 2

    make(L, forward, backward).apply(leaf(L, 1.0, 2.0)).sum().backward()
    return seen


@program
def needs_input_grad_of_each_argument(L: Any) -> Any:
    seen: list[Any] = []

    def forward(ctx: Any, a: Any, b: Any, c: Any, k: Any) -> Any:
        seen.append(ctx.needs_input_grad)
        return a * b * c * k

    def backward(ctx: Any, g: Any) -> Any:
        seen.append(ctx.needs_input_grad)
        return g, g * 2, g * 3, None

    function = make(L, forward, backward)
    a, b, c = leaf(L, 1.0), L.ones(1), leaf(L, 2.0)
    (function.apply(a, b, c, 2)).backward()
    with L.no_grad():
        y = function.apply(a, b, c, 2)
    return seen, a.grad, b.grad, c.grad, y, L.autograd.grad(function.apply(a, b, c, 2), c)


@program
def several_outputs(L: Any) -> Any:
    seen: list[Any] = []

    def backward(ctx: Any, g: Any, h: Any) -> Any:
        seen.append([g, h])
        return g * 2 + h * 3

    function = make(L, lambda ctx, x: (x * 2, x * 3), backward)
    x = leaf(L, 1.0, 2.0)
    y, z = function.apply(x)
    results = [L.autograd.grad(t.sum(), x, retain_graph=True) for t in (y, z, y * z)]
    return results, seen, y.grad_fn.name(), z.grad_fn.name()


@program
def gradients_not_materialized(L: Any) -> Any:
    seen: list[Any] = []

    def forward(ctx: Any, x: Any) -> Any:
        ctx.set_materialize_grads(False)
        return x * 2, x * 3, x.long()

    def backward(ctx: Any, g: Any, h: Any, i: Any) -> Any:
        seen.append([g, h, i])
        return (0 if g is None else g * 2) + (0 if h is None else h * 3)

    x = leaf(L, 1.0, 2.0)
    y, z, _ = make(L, forward, backward).apply(x)
    return [L.autograd.grad(t.sum(), x, retain_graph=True) for t in (y, z, y + z)], seen


@program
def what_is_no_tensor_among_the_outputs(L: Any) -> Any:
    seen: list[Any] = []

    def backward(ctx: Any, *g: Any) -> Any:
        seen.append(g)
        return g[1]

    x = leaf(L, 1.0, 2.0)
    outs = make(L, lambda ctx, x: ("a", x * 2, 5, None), backward).apply(x)
    return outs, L.autograd.grad(outs[1].sum(), x), seen


@program
def only_what_is_no_tensor(L: Any) -> Any:
    x = leaf(L, 1.0)
    return [make(L, lambda ctx, x, out=out: out).apply(x) for out in (5, None, "a", (), (1, 2))]


@program
def tuples_of_one_and_lists(L: Any) -> Any:
    x = leaf(L, 1.0)
    one = make(L, lambda ctx, x: (x * 2,), lambda ctx, g: (g * 2,)).apply(x)
    as_list = make(L, lambda ctx, x: [x * 2]).apply(x)
    return type(one).__name__, one, L.autograd.grad(one[0], x), type(as_list).__name__, as_list


@program
def integers_have_no_gradient(L: Any) -> Any:
    seen: list[Any] = []

    def backward(ctx: Any, *g: Any) -> Any:
        seen.append(g)
        return g[0]

    x = leaf(L, 1.0, 2.0)
    y, i, b = make(L, lambda ctx, x: (x * 1, x.long(), x > 1), backward).apply(x)
    return i, b, L.autograd.grad(y.sum(), x), seen, make(L, lambda ctx, x: x.long()).apply(x)


@program
def marked_as_non_differentiable(L: Any) -> Any:
    seen: list[Any] = []

    def forward(ctx: Any, x: Any) -> Any:
        y, z = x * 2, x * 3
        ctx.mark_non_differentiable(z)
        ctx.save_for_backward(z)
        return y, z

    def backward(ctx: Any, *g: Any) -> Any:
        seen.extend([g, ctx.saved_tensors])
        return g[0]

    x = leaf(L, 1.0, 2.0)
    y, z = make(L, forward, backward).apply(x)
    return y, z, z.is_leaf, L.autograd.grad(y.sum(), x), seen


@program
def all_marked_as_non_differentiable(L: Any) -> Any:
    def forward(ctx: Any, x: Any) -> Any:
        y = x * 2
        ctx.mark_non_differentiable(y)
        return y

    def same(ctx: Any, x: Any) -> Any:
        ctx.mark_non_differentiable(x)
        return x

    x = leaf(L, 1.0)
    return make(L, forward).apply(x), make(L, same).apply(x), x


@program
def an_input_as_it_is(L: Any) -> Any:
    function = make(L, lambda ctx, x, c: (x, c), lambda ctx, g, h: (g * 7, h))
    x, c = leaf(L, 1.0, 2.0), L.ones(2)
    y, d = function.apply(x, c)
    with L.no_grad():
        z, _ = function.apply(x, c)
    shared = [t.data_ptr() == x.data_ptr() for t in (y, z)]
    return y is x, d is c, z is x, shared, y, d, z, x, L.autograd.grad(y.sum(), x)


@program
def a_view_of_an_input(L: Any) -> Any:
    x = leaf(L, 1.0, 2.0)
    y = make(L, lambda ctx, x: x[1:], lambda ctx, g: L.cat([0 * g, 5 * g])).apply(x)
    return y, L.autograd.grad(y.sum(), x)


@program
def one_tensor_twice(L: Any) -> Any:
    def forward(ctx: Any, x: Any) -> Any:
        y = x * 2
        return y, y

    x = leaf(L, 1.0)
    y, z = make(L, forward, lambda ctx, g, h: 2 * (g + h)).apply(x)
    a, b = make(L, lambda ctx, x: (x, x), lambda ctx, g, h: g + h).apply(x)
    return y is z, a is b, L.autograd.grad(y + 3 * z, x), L.autograd.grad(a + 3 * b, x)


@program
def no_input_requires_grad(L: Any) -> Any:
    return square(L).apply(L.ones(2)), make(L, lambda ctx: L.ones(2)).apply()


@program
def gradients_that_broadcast_are_summed(L: Any) -> Any:
    x, one, number = leaf(L, 1.0, 2.0), leaf(L, 1.0), leaf(L)
    return [
        L.autograd.grad(make(L, lambda ctx, x: x * 1, lambda ctx, g, s=s: L.ones(*s)).apply(t).sum(), t)
        for t, s in [(x, (3, 2)), (x, (1, 2)), (one, (4,)), (one, (2, 3)), (number, (4,)), (number, (1,))]
    ]


@program
def gradients_that_broadcast_are_summed_when_recorded(L: Any) -> Any:
    x = leaf(L, 1.0, 2.0)
    y = make(L, lambda ctx, x: x * 1, lambda ctx, g: L.ones(3, 2) * g * g).apply(x)
    seed = leaf(L, 3.0, 4.0)
    (first,) = L.autograd.grad(y, x, seed, create_graph=True)
    return first, L.autograd.grad(first.sum(), seed)


@program
def gradients_come_in_the_dtype_of_their_input(L: Any) -> Any:
    results = []
    for own in (L.float16, L.float32, L.float64):
        for other in (L.float16, L.float32, L.float64, L.int64):
            x = L.tensor([1.0, 2.0], dtype=own, requires_grad=True)
            y = make(L, lambda ctx, x: x * 1, lambda ctx, g, other=other: g.to(other)).apply(x)
            results += [y, L.autograd.grad(y.sum(), x)]
    return results


@program
def none_and_too_many_none(L: Any) -> Any:
    x, c = leaf(L, 1.0), L.ones(1)
    one = make(L, lambda ctx, x: x * 1, lambda ctx, g: (g, None, None)).apply(x)
    none = make(L, lambda ctx, x: x * 1, lambda ctx, g: None).apply(x)
    unneeded = make(L, lambda ctx, x, c: x * c, lambda ctx, g: (g, L.tensor(1.0))).apply(x, c)
    return [L.autograd.grad(y, x, allow_unused=True) for y in (one, none, unneeded)]


@program
def backward_called_vjp(L: Any) -> Any:
    x = leaf(L, 1.0)
    function = make(L, lambda ctx, x: x * 1, vjp=staticmethod(lambda ctx, g: g * 7))
    return L.autograd.grad(function.apply(x), x)


@program
def gradients_in_one_list(L: Any) -> Any:
    seen: list[Any] = []

    def backward(ctx: Any, grads: Any) -> Any:
        seen.append([type(grads).__name__, grads])
        return grads[0]

    x = leaf(L, 1.0)
    function = make(L, lambda ctx, x: (x * 1, x * 2), backward, boxed_grads_call=True)
    return L.autograd.grad(function.apply(x)[0], x), seen


@program
def without_saved_tensors_the_graph_is_not_freed(L: Any) -> Any:
    def forward(ctx: Any, x: Any) -> Any:
        ctx.k = 3
        return x * 3

    x = leaf(L, 1.0)
    y = make(L, forward, lambda ctx, g: g * ctx.k).apply(x)
    y.backward()
    y.backward()
    return x.grad


@program
def retained_twice(L: Any) -> Any:
    x = leaf(L, 1.0, 2.0)
    y = square(L).apply(x).sum()
    for _ in range(3):
        y.backward(retain_graph=True)
    return x.grad


@program
def any_attribute_of_ctx(L: Any) -> Any:
    def forward(ctx: Any, x: Any) -> Any:
        ctx.shape, ctx.saved, ctx.parents, ctx.order, ctx.plan, ctx.extras = x.shape, 1, 2, 3, 4, 5
        ctx.count = 0
        return x * 2

    def backward(ctx: Any, g: Any) -> Any:
        ctx.count += 1
        assert (tuple(ctx.shape), ctx.saved, ctx.parents, ctx.order, ctx.plan, ctx.extras) == ((2,), 1, 2, 3, 4, 5)
        return g * ctx.count

    x = leaf(L, 1.0, 2.0)
    y = make(L, forward, backward).apply(x)
    return [L.autograd.grad(y.sum(), x, retain_graph=True) for _ in range(2)]


@program
def next_functions_of_the_tensors(L: Any) -> Any:
    a, b, c = leaf(L, 1.0), leaf(L, 2.0) * 1, L.ones(1)
    function = make(L, lambda ctx, k, a, b, c: a * b * c, lambda ctx, g: (None, g, g, None))
    y = function.apply(3, a, b, c)
    names = [(f and f.name().split(":")[-1], i) for f, i in y.grad_fn.next_functions]
    return names, y.grad_fn.next_functions[1][0].name(), y.grad_fn.next_functions[0][0].variable is a


@program
def inside_a_graph_of_operations(L: Any) -> Any:
    a, b = leaf(L, 1.0, 2.0), leaf(L, 3.0, 4.0)
    product = make(L, lambda ctx, a, b: (ctx.save_for_backward(a, b), a * b)[1], lambda ctx, g: mul_back(ctx, g))
    h = product.apply(a * 2, b.exp())
    loss = (product.apply(h, h) + h * a).mean()
    loss.backward()
    return a.grad, b.grad


def mul_back(ctx: Any, g: Any) -> Any:
    a, b = ctx.saved_tensors
    return g * b, g * a


@program
def a_walk_inside_backward(L: Any) -> Any:
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x.exp()

    def backward(ctx: Any, g: Any) -> Any:
        with L.enable_grad():
            x = ctx.saved_tensors[0].detach().requires_grad_()
            return L.autograd.grad(x.exp(), x, g)

    x = leaf(L, 0.0, 1.0)
    make(L, forward, backward).apply(x * 2).sum().backward()
    return x.grad


# edits in forward


def adding(L: Any, *marked: int) -> Any:
    """Adds its second argument to the first in place; the derivatives are 2 and 3, which nothing else has."""

    def forward(ctx: Any, x: Any, y: Any) -> Any:
        ctx.mark_dirty(*[(x, y)[i] for i in marked or (0,)])
        return x.add_(y)

    return make(L, forward, lambda ctx, g: (2 * g, 3 * g), "Adding")


@program
def a_dirty_input(L: Any) -> Any:
    x, c = leaf(L, 1.0, 2.0), L.ones(2)
    b = x * 5
    y = adding(L).apply(b, c)
    return y is b, b.grad_fn.name(), b, L.autograd.grad(b.sum(), x)


@program
def a_dirty_input_that_required_no_grad(L: Any) -> Any:
    x, b = leaf(L, 1.0, 2.0), L.ones(2, dtype=L.float64)
    y = adding(L).apply(b, x)
    return y is b, b.requires_grad, b.is_leaf, b.grad_fn.name(), L.autograd.grad(b.sum(), x)


@program
def dirty_without_a_gradient(L: Any) -> Any:
    b = L.ones(2)
    y = adding(L).apply(b, L.ones(2))
    x = leaf(L, 1.0, 2.0)
    with L.no_grad():
        z = adding(L).apply(x, L.ones(2))
    return y is b, y, z is x, z, x, x.is_leaf


@program
def a_dirty_view(L: Any) -> Any:
    x, w = leaf(L, 1.0, 2.0), leaf(L, 7.0)
    b = x * 5
    v = b[:1]
    y = adding(L).apply(v, w)
    once = L.autograd.grad((b * b).sum() + v.sum(), (x, w), retain_graph=True)
    v.mul_(4)
    return y is v, b, v, once, L.autograd.grad((b * b).sum() + v.sum(), (x, w))


@program
def a_dirty_input_returned_twice(L: Any) -> Any:
    def forward(ctx: Any, x: Any) -> Any:
        ctx.mark_dirty(x)
        x.add_(1)
        return x, x

    x = leaf(L, 1.0, 2.0)
    b = x * 5
    y, z = make(L, forward, lambda ctx, g, h: 2 * (g + h)).apply(b)
    return y is b, z is b, L.autograd.grad((b * b).sum(), x)


@program
def a_view_of_a_dirty_input(L: Any) -> Any:
    x, w = leaf(L, 1.0, 2.0), leaf(L, 7.0, 8.0)
    b = x * 5
    v, t = b[:1], b.reshape(2, 1)
    adding(L).apply(b, w)
    return b, v, t, L.autograd.grad((v * v).sum() + t.sum(), (x, w))


@program
def a_dirty_input_among_several_outputs(L: Any) -> Any:
    def forward(ctx: Any, x: Any) -> Any:
        ctx.mark_dirty(x)
        z = x * 3
        return z, x.add_(1)

    x = leaf(L, 1.0, 2.0)
    b = x * 1
    z, y = make(L, forward, lambda ctx, g, h: 3 * g + 5 * h).apply(b)
    return y is b, z, L.autograd.grad((y * z).sum(), x)


@program
def a_dirty_input_saved_as_the_output_it_became(L: Any) -> Any:
    seen: list[Any] = []

    def forward(ctx: Any, x: Any) -> Any:
        ctx.mark_dirty(x)
        ctx.save_for_backward(x)
        return x.exp_()

    def backward(ctx: Any, g: Any) -> Any:
        (y,) = ctx.saved_tensors
        seen.append(y.grad_fn.name())
        return g * y

    x = leaf(L, 1.0, 2.0)
    y = make(L, forward, backward).apply(x * 1)
    (first,) = L.autograd.grad(y.sum(), x, create_graph=True)
    return y, first, seen, L.autograd.grad(first.sum(), x)


@program
def dirty_and_no_input_but_returned(L: Any) -> Any:
    c, x = L.ones(1, dtype=L.float64), leaf(L, 1.0)
    y = make(L, lambda ctx, x: (ctx.mark_dirty(c), c.add_(x))[1], lambda ctx, g: g * 2).apply(x)
    return y is c, y, L.autograd.grad(y, x)


@program
def edited_and_not_marked(L: Any) -> Any:
    x = leaf(L, 1.0, 2.0)
    b = x * 1
    y = make(L, lambda ctx, x: x.add_(1), lambda ctx, g: g).apply(b)
    return y is b, b, y, L.autograd.grad((b + y).sum(), x)


@program
def a_dirty_input_that_retains_its_gradient(L: Any) -> Any:
    x, w = leaf(L, 1.0, 2.0), leaf(L, 7.0, 8.0)
    b = x * 5
    b.retain_grad()
    adding(L).apply(b, w)
    (b * 4).sum().backward()
    return b.grad, x.grad, w.grad


# in graphs


@program
def hooks_and_retained_gradients(L: Any) -> Any:
    x = leaf(L, 1.0, 2.0)
    y, z = make(L, lambda ctx, x: (x * 2, x * 3), lambda ctx, g, h: 2 * g + 3 * h).apply(x)
    seen: list[Any] = []
    y.retain_grad()
    y.register_hook(lambda g: seen.append(g))
    y.register_hook(lambda g: g * 10)
    x.register_hook(lambda g: seen.append(g))
    (y * z).sum().backward()
    return y.grad, x.grad, seen


@program
def hooks_on_the_node(L: Any) -> Any:
    x = leaf(L, 1.0, 2.0)
    y = square(L).apply(x)
    seen: list[Any] = []
    y.grad_fn.register_prehook(lambda gs: (gs[0] * 10,))
    y.grad_fn.register_hook(lambda inputs, outputs: seen.append([inputs, outputs]))
    y.sum().backward()
    return x.grad, seen


@program
def enabling_grad_in_forward_records_nothing_outside(L: Any) -> Any:
    def forward(ctx: Any, x: Any) -> Any:
        with L.enable_grad():
            return x * 2

    x = leaf(L, 1.0)
    y = make(L, forward, lambda ctx, g: g * 100).apply(x)
    return y.grad_fn.name(), L.autograd.grad(y, x)


@program
def a_leaf_returned_as_its_gradient_is_not_its_grad(L: Any) -> Any:
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x * x / 2

    x = leaf(L, 1.0, 2.0)
    make(L, forward, lambda ctx, g: ctx.saved_tensors[0]).apply(x).sum().backward()
    return x.grad, x.grad is x, x.grad.data_ptr() == x.data_ptr()


@program
def a_changed_leaf_keeps_its_value_of_the_forward_or_not_at_all(L: Any) -> Any:
    x = leaf(L, 1.0, 2.0)
    y = square(L).apply(x)
    with L.no_grad():
        z = y * 2  # no edit: the graph is whole
    return z, L.autograd.grad(y.sum(), x)


@pytest.mark.parametrize("name", PROGRAMS)
def test_gives_what_pytorch_gives(name: str, torch: Any) -> None:
    assert plain(PROGRAMS[name](tg)) == plain(PROGRAMS[name](torch))


@pytest.mark.parametrize("name", PROGRAMS)
def test_gives_the_same_on_the_strict_device(name: str) -> None:
    on_cpu = plain(PROGRAMS[name](tg))
    with tg.device("strict"):
        assert plain(PROGRAMS[name](tg)) == on_cpu


# --- what is refused

REFUSED: dict[str, tuple[Callable[[Any], Any], str]] = {}


def refused(words: str) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    """A program that raises in both libraries: ours of the same class, with a message that has these words."""

    def register(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        REFUSED[function.__name__] = (function, words)
        return function

    return register


def gradient_by(L: Any, backward: Callable[..., Any], *args: Any) -> Any:
    args = args or (leaf(L, 1.0, 2.0),)
    y = make(L, lambda ctx, x, *rest: x * 1, backward).apply(*args)
    return L.autograd.grad(y.sum(), args[0])


@refused("Made: backward returned 2 gradient.*1 argument")
def too_many(L: Any) -> Any:
    return gradient_by(L, lambda ctx, g: (g, g))


@refused("Made: backward returned 2 gradient.*3 argument")
def too_few(L: Any) -> Any:
    return gradient_by(L, lambda ctx, g: (g, None), leaf(L, 1.0), 2, 3)


@refused("list as the gradient of argument 0; a gradient is a Tensor or None, and several are a tuple")
def a_list_of_gradients(L: Any) -> Any:
    return gradient_by(L, lambda ctx, g: [g])


@refused("float as the gradient of argument 0")
def a_number_as_gradient(L: Any) -> Any:
    return gradient_by(L, lambda ctx, g: 2.0)


@refused("ndarray as the gradient of argument 0")
def an_array_as_gradient(L: Any) -> Any:
    return gradient_by(L, lambda ctx, g: np.ones(2))


@refused("str as the gradient of argument 1")
def no_tensor_for_a_tensor_without_grad(L: Any) -> Any:
    return gradient_by(L, lambda ctx, g: (g, "x"), leaf(L, 1.0), L.ones(1))


@refused("gradient for argument 1, which is no tensor; return None")
def a_gradient_for_what_is_no_tensor(L: Any) -> Any:
    return gradient_by(L, lambda ctx, g: (g, g), leaf(L, 1.0), 2)


@refused(r"gradient of shape \(2, 3\) for an input of shape \(2,\)")
def a_gradient_of_another_shape(L: Any) -> Any:
    return gradient_by(L, lambda ctx, g: L.ones(2, 3))


@refused(r"gradient of shape \(1,\) for an input of shape \(2,\)")
def a_gradient_that_would_have_to_be_repeated(L: Any) -> Any:
    return gradient_by(L, lambda ctx, g: L.ones(1))


@refused(r"gradient of shape \(\) for an input of shape \(2,\)")
def a_gradient_with_too_few_dimensions(L: Any) -> Any:
    return gradient_by(L, lambda ctx, g: L.tensor(1.0))


@refused("Square .* was walked already.*retain_graph=True")
def walked_twice(L: Any) -> Any:
    y = square(L).apply(leaf(L, 1.0))
    y.backward()
    y.backward()


@refused("Square .* was walked already")
def saved_tensors_after_backward(L: Any) -> Any:
    y = square(L).apply(leaf(L, 1.0))
    y.backward()
    return y.grad_fn.saved_tensors


@refused(r"Square saved tensor 0 \(shape \(2,\)\) for its derivative, but .* has overwritten it.*tensor.clone\(\)")
def a_saved_leaf_was_edited(L: Any) -> Any:
    x = leaf(L, 1.0, 2.0)
    y = square(L).apply(x)
    with L.no_grad():
        x.add_(1)
    y.sum().backward()


@refused("Made saved tensor 1 .* has overwritten it")
def a_saved_constant_was_edited(L: Any) -> Any:
    x, c = leaf(L, 1.0), L.ones(1)
    function = make(L, lambda ctx, x: (ctx.save_for_backward(x, c), x * 1)[1], lambda ctx, g: ctx.saved_tensors and g)
    y = function.apply(x)
    c.add_(1)
    y.backward()


@refused("Made saved tensor 0 .* has overwritten it")
def a_saved_number_was_edited(L: Any) -> Any:
    c = L.tensor(1.0)
    function = make(L, lambda ctx, x: (ctx.save_for_backward(c), x * 1)[1], lambda ctx, g: ctx.saved_tensors and g)
    y = function.apply(leaf(L))
    c.add_(1)
    y.backward()


@refused("save_for_backward: argument 1 is no Tensor but int")
def saving_what_is_no_tensor(L: Any) -> Any:
    make(L, lambda ctx, x: (ctx.save_for_backward(x, 3), x * 1)[1]).apply(leaf(L))


@refused("save_for_backward: argument 0 is no Tensor but list")
def saving_a_list(L: Any) -> Any:
    make(L, lambda ctx, x: (ctx.save_for_backward([x]), x * 1)[1]).apply(leaf(L))


@refused("set_materialize_grads: value is True or False, not 3")
def materialize_grads_no_bool(L: Any) -> Any:
    make(L, lambda ctx, x: (ctx.set_materialize_grads(3), (x * 1, x * 2))[1]).apply(leaf(L))


@refused("write a static method forward")
def no_forward(L: Any) -> Any:
    type("Made", (L.autograd.Function,), {}).apply(leaf(L))


@refused("write a static method backward")
def no_backward(L: Any) -> Any:
    make(L, lambda ctx, x: x * 1).apply(leaf(L)).backward()


@refused("backward and vjp are two names")
def backward_and_vjp(L: Any) -> Any:
    function = make(L, lambda ctx, x: x * 1, lambda ctx, g: g, vjp=staticmethod(lambda ctx, g: g))
    function.apply(leaf(L)).backward()


@refused("by position, so scale can't be given")
def an_option_by_name_only(L: Any) -> Any:
    def forward(ctx: Any, x: Any, *, scale: float = 1.0) -> Any:
        return x * scale

    make(L, forward).apply(leaf(L), scale=2.0)


@refused("by position, so m can't be given")
def an_option_behind_a_gap(L: Any) -> Any:
    def forward(ctx: Any, x: Any, k: float = 1.0, m: float = 1.0) -> Any:
        return x * k * m

    make(L, forward).apply(leaf(L), m=2.0)


@refused("Made: got an unexpected keyword argument 'q'")
def an_unknown_option(L: Any) -> Any:
    make(L, lambda ctx, x: x).apply(leaf(L), q=2.0)


@refused("Adding: a leaf that requires grad")
def a_dirty_leaf(L: Any) -> Any:
    adding(L).apply(leaf(L, 1.0), L.ones(1))


@refused("Adding: a view of a leaf that requires grad")
def a_dirty_view_of_a_leaf(L: Any) -> Any:
    adding(L).apply(leaf(L, 1.0, 2.0)[:1], L.ones(1))


@refused("marked by mark_dirty, which is for inputs that forward has edited in place, and was not returned")
def dirty_and_not_returned(L: Any) -> Any:
    function = make(L, lambda ctx, x: (ctx.mark_dirty(x), x.add_(1), x * 2)[2])
    function.apply(leaf(L, 1.0) * 1)


@refused("marked by mark_dirty, which is for inputs")
def dirty_and_no_input(L: Any) -> Any:
    function = make(L, lambda ctx, x: (ctx.mark_dirty(L.ones(1)), x * 2)[1])
    function.apply(leaf(L, 1.0))


@refused("an input that is a view, and returned several tensors")
def a_dirty_view_among_several_outputs(L: Any) -> Any:
    function = make(L, lambda ctx, x: (ctx.mark_dirty(x), x.add_(1), x * 2)[1:])
    function.apply((leaf(L, 1.0, 2.0) * 1)[:1])


@refused("overwritten it since")
def saved_before_it_became_dirty(L: Any) -> Any:
    x = leaf(L, 1.0)
    b = x * 1
    c = b * b
    adding(L).apply(b, L.ones(1))
    c.backward()


@refused("is a view of an input that came out of the Function Made, so its edit can't be recorded")
def editing_an_input_returned_as_it_is(L: Any) -> Any:
    y = make(L, lambda ctx, x: x, lambda ctx, g: g).apply(leaf(L, 1.0) * 1)
    y.add_(1)


@refused("is a view of an input that came out of the Function Made")
def editing_a_view_of_an_input(L: Any) -> Any:
    y = make(L, lambda ctx, x: x[:1], lambda ctx, g: L.cat([g, g])).apply(leaf(L, 1.0, 2.0) * 1)
    y[0] = 5


@refused("is a view of an input that came out of the Function Made")
def editing_a_view_of_a_view_of_an_input(L: Any) -> Any:
    y = make(L, lambda ctx, x: x, lambda ctx, g: g).apply(leaf(L, 1.0, 2.0) * 1)
    y[:1].add_(1)


@refused("Made: backward came to a view of an input that this Function returned, .* edited since")
def a_view_whose_input_was_edited_since(L: Any) -> Any:
    b = leaf(L, 1.0, 2.0) * 1
    y = make(L, lambda ctx, x: x[:1], lambda ctx, g: L.cat([g, g])).apply(b)
    b.mul_(3)
    (y * 2).sum().backward()


@refused("Made: backward came to a view of an input")
def a_view_without_grad_whose_input_was_edited_since(L: Any) -> Any:
    c = L.ones(2, dtype=L.float64)
    y = make(L, lambda ctx, x: x, lambda ctx, g: g).apply(c)
    assert not y.requires_grad
    c.add_(leaf(L, 1.0, 2.0))
    (y * 2).sum().backward()


@refused("marked with @once_differentiable")
def twice_through_once_differentiable(L: Any) -> Any:
    x, seed = leaf(L, 1.0, 2.0), leaf(L, 1.0, 1.0)
    once = L.autograd.function.once_differentiable(lambda ctx, g: 2 * g * ctx.saved_tensors[0])
    y = make(L, lambda ctx, x: (ctx.save_for_backward(x), x * x)[1], once).apply(x)
    (first,) = L.autograd.grad(y, x, seed, create_graph=True)
    assert first.tolist() == [2.0, 4.0]
    assert first.requires_grad
    first.sum().backward()


@refused("saved_tensors can be read once with clear_saved_tensors_on_access")
def saved_tensors_read_twice(L: Any) -> Any:
    function = make(
        L,
        lambda ctx, x: (ctx.save_for_backward(x), x * 1)[1],
        lambda ctx, g: g * len(ctx.saved_tensors) * len(ctx.saved_tensors),
        clear_saved_tensors_on_access=True,
    )
    function.apply(leaf(L)).backward(retain_graph=True)


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_what_pytorch_refuses(name: str, torch: Any) -> None:
    refusing, words = REFUSED[name]
    with pytest.raises(Exception) as theirs:
        refusing(torch)
    with pytest.raises(type(theirs.value), match=f"(?s){words}"):
        refusing(tg)


# --- on its own


class Cube(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return 3 * g * x**2


class SumAndProduct(Function):
    """Of two inputs; saves an output."""

    @staticmethod
    def forward(a: Any, b: Any, scale: float = 1.0) -> Any:
        return a + b, "no tensor", scale * a * b

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        a, b, ctx.scale = inputs
        ctx.save_for_backward(a, b, output[2])

    @staticmethod
    def backward(ctx: Any, g: Any, none: Any, h: Any) -> Any:
        a, b, product = ctx.saved_tensors
        return g + h * product / a, g + h * product / b, None


def both(a: Any, b: Any) -> Any:
    total, _, product = SumAndProduct.apply(a, b, 3.0)
    return total, product


@pytest.mark.parametrize("check", [tg.gradcheck, tg.gradgradcheck])
def test_derivatives_agree_with_differences(check: Any) -> None:
    a, b = leaf(tg, 1.0, 2.0), leaf(tg, 3.0, -4.0)
    assert check(Cube.apply, a)
    assert check(both, (a, b))
    assert check(lambda a: Cube.apply(Cube.apply(a) * a), a)


def test_names_are_public() -> None:
    assert Function is tg.autograd.function.Function is tg.autograd.Function
    assert issubclass(tg.autograd.function.FunctionCtx, FunctionCtx)


@pytest.mark.parametrize("call", [lambda: Cube(), lambda: Cube(leaf(tg)), lambda: Function()])
def test_calling_the_class_names_the_fix(call: Any) -> None:
    with pytest.raises(GraphError, match=r"call \w+.apply\(\.\.\.\)"):
        call()


@pytest.mark.parametrize(
    "call", [lambda: Function.jvp(None, None), lambda: Function.vmap(None, None), lambda: Function.backward(None)]
)
def test_what_there_is_not_says_so(call: Any) -> None:
    with pytest.raises(NotImplementedError, match="Function: "):
        call()


def test_code_for_forward_mode_beside_backward_runs() -> None:
    class Twice(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_forward(x, None)
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2

        @staticmethod
        def jvp(ctx: Any, x: Any) -> Any:
            return x * 2

    x = leaf(tg, 1.0)
    assert grad(Twice.apply(x), x)[0].tolist() == [2.0]
    with pytest.raises(ArgumentTypeError, match="save_for_forward: argument 0"):
        FunctionCtx().save_for_forward(3)


def test_once_differentiable_raises_though_the_gradient_came_from_a_constant() -> None:
    """PyTorch's result does not require grad there, so that a penalty on it has silently no derivative."""

    class Twice(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        @once_differentiable
        def backward(ctx: Any, g: Any) -> Any:
            assert not tg.is_grad_enabled()
            return tg.tensor(g.detach().numpy() * 2)

    x, seed = leaf(tg, 1.0), leaf(tg, 1.0)
    assert grad(Twice.apply(x), x)[0].tolist() == [2.0]
    for i, given in enumerate((tg.ones(1), seed)):
        (first,) = grad(Twice.apply(x), x, given, create_graph=True)
        with pytest.raises(GraphError, match=r"Twice.backward is marked with @once_differentiable"):
            grad(first, (x, seed)[i])


def test_an_edit_of_the_gradient_that_came_in_is_refused() -> None:
    """Other operations may share it: in PyTorch, b would get 3 where 1 is right."""

    def edits(ctx: Any, g: Any) -> Any:
        g.mul_(3)
        return g

    a, b = leaf(tg, 1.0), leaf(tg, 1.0)
    y = make(tg, lambda ctx, x: x * 1, edits).apply(a)
    with pytest.raises(GraphError, match=r"Made: in backward, mul_ has written .* grad_output.clone\(\)"):
        grad(b + y, (a, b), tg.ones(1))


def test_a_dirty_leaf_that_is_constant_can_be_marked_in_neither_way_twice() -> None:
    def forward(ctx: Any, x: Any) -> Any:
        ctx.mark_dirty(x)
        ctx.mark_non_differentiable(x)
        return x.add_(1), x * 2

    with pytest.raises(GraphError, match="can't be marked dirty and non-differentiable"):
        make(tg, forward).apply(leaf(tg, 1.0) * 1)


def test_an_edit_in_forward_past_the_library_is_noticed() -> None:
    """As in the example of PyTorch's documentation, where x.numpy() is written to."""

    def forward(ctx: Any, x: Any) -> Any:
        x.detach().numpy()[...] += 1
        ctx.mark_dirty(x)
        return x

    x = leaf(tg, 2.0)
    b = x * 1
    c = b * b
    y = make(tg, forward, lambda ctx, g: g).apply(b)
    assert y is b
    assert grad(y, x, retain_graph=True)[0].tolist() == [1.0]
    with pytest.raises(GraphError, match="but Made has overwritten it since"):
        grad(c, x)


def test_an_unread_saved_tensor_may_be_overwritten() -> None:
    c, x = tg.ones(1), leaf(tg, 1.0)
    y = make(tg, lambda ctx, x: (ctx.save_for_backward(c), x * 1)[1], lambda ctx, g: g * 5).apply(x)
    c.add_(1)
    assert grad(y, x)[0].tolist() == [5.0]


def test_a_leaf_with_another_array_since() -> None:
    x = leaf(tg, 3.0)
    y = square(tg).apply(x)
    x.data = tg.tensor([100.0], dtype=tg.float64)
    assert grad(y, x, retain_graph=True)[0].tolist() == [6.0]
    with pytest.raises(GraphError, match=r"Square: a leaf of shape .* got another array"):
        grad(y, x, create_graph=True)


def test_a_backward_that_raises_leaves_the_graph_as_it_was() -> None:
    fails = True

    def backward(ctx: Any, g: Any) -> Any:
        if fails:
            raise ZeroDivisionError("mine")
        return 2 * g * ctx.saved_tensors[0]

    x = leaf(tg, 3.0)
    y = make(tg, lambda ctx, x: (ctx.save_for_backward(x), x * x)[1], backward).apply(x)
    with pytest.raises(ZeroDivisionError, match="mine") as caught:
        y.backward()
    assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "backward"
    assert traceback.extract_tb(caught.value.__traceback__)[-1].filename == __file__
    assert caught.value.__cause__ is None
    assert x.grad is None
    assert tg.is_grad_enabled()
    fails = False
    y.backward()
    assert x.grad.tolist() == [6.0]


def test_a_forward_that_raises_leaves_the_mode_as_it_was() -> None:
    with pytest.raises(ZeroDivisionError):
        make(tg, lambda ctx, x: 1 / 0).apply(leaf(tg))
    assert tg.is_grad_enabled()


@pytest.mark.parametrize("recorded", [False, True])
def test_graphs_vanish_by_reference_counts(recorded: bool) -> None:
    class Saves(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, b: Any) -> Any:
            y, z = x * 2, x + 1
            b.add_(1)
            c = x * 5
            ctx.save_for_backward(x, y, z, x * 3, b, c)
            ctx.mark_dirty(b)
            ctx.mark_non_differentiable(c)
            ctx.kept = {1, 2}
            watched.append(weakref.ref(ctx.kept))
            return y, z, b, c

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any, i: Any, j: Any) -> Any:
            x, y, *_ = ctx.saved_tensors
            return g * y / x + h, i

    watched: list[Any] = []
    gc.collect()
    gc.disable()
    try:
        x = leaf(tg, 1.0, 2.0)
        y, z, b, c = Saves.apply(x * 1, x * 2)
        watched += [weakref.ref(t) for t in (x, y, z, b, c, y.array, y.grad_fn, y.grad_fn.parent)]
        (slope,) = grad((y * z).sum(), x, create_graph=recorded)
        watched += [weakref.ref(slope), weakref.ref(slope.array)]
        kept = Saves.apply(x * 1, x * 2)[0]
        watched += [weakref.ref(kept.array), weakref.ref(kept.grad_fn.parent)]
        del x, y, z, b, c, slope, kept
        assert [w() for w in watched] == [None] * len(watched)
    finally:
        gc.enable()


def test_a_ctx_that_outlives_its_graph_says_so() -> None:
    kept: list[Any] = []
    Cube_ = make(tg, lambda ctx, x: (kept.append(ctx), ctx.save_for_backward(x), x * 1)[2], lambda ctx, g: g)
    y = Cube_.apply(leaf(tg, 1.0))
    assert kept[0].saved_tensors[0].tolist() == [1.0]
    del y
    with pytest.raises(GraphError, match="graph that this ctx belongs to no longer exists"):
        _ = kept[0].saved_tensors


def test_what_is_saved_is_freed_by_the_walk() -> None:
    held: list[Any] = []

    def forward(ctx: Any, x: Any) -> Any:
        inner = x * 2
        held.append(weakref.ref(inner.array))
        ctx.save_for_backward(inner)
        return x * 1

    y = make(tg, forward, lambda ctx, g: g).apply(leaf(tg, 1.0))
    assert held[0]() is not None
    y.backward()
    assert held[0]() is None


def test_deep_graphs_need_no_recursion() -> None:
    x = leaf(tg, 1.0)
    y = x
    identity = make(tg, lambda ctx, x: (ctx.save_for_backward(x), x * 1)[1], lambda ctx, g: g * ctx.saved_tensors[0])
    for _ in range(20_000):
        y = identity.apply(y)
    assert grad(y, x)[0].tolist() == [1.0]
    del y


def test_threads_walk_one_graph() -> None:
    x = leaf(tg, 3.0)
    y = Cube.apply(x)
    found: list[Any] = []

    def walk() -> None:
        found.extend(grad(y, x, retain_graph=True)[0].item() for _ in range(50))

    threads = [threading.Thread(target=walk) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [27.0] * 200


def test_a_gradient_on_another_device() -> None:
    x = leaf(tg, 1.0)

    def gradient(value: Any) -> Any:
        return grad(make(tg, lambda ctx, x: x * 1, lambda ctx, g: value).apply(x), x)[0]

    with pytest.raises(tg.DeviceError, match="gradient on 'strict' for an input on 'cpu'"):
        gradient(tg.ones(1, device="strict"))
    number = leaf(tg)
    y = make(tg, lambda ctx, x: x * 1, lambda ctx, g: tg.tensor(5.0, device="strict")).apply(number)
    (g,) = grad(y, number)
    assert (g.device.type, g.item()) == ("cpu", 5.0)


# --- pictures


def test_a_graph_shows_a_box_with_its_name() -> None:
    x = leaf(tg, 1.0, 2.0)
    untraced = viz.graph(Cube.apply(x).sum())
    assert "Cube" in untraced.source
    assert "Cube" in untraced.text()
    with viz.trace():
        a, b = leaf(tg), leaf(tg)
        total, _, product = SumAndProduct.apply(a, b)
        J = total * product
    assert "SumAndProduct" in viz.graph(J).source
    J.backward()
    assert viz.graph(J).text().count("gradient") == 4


def test_a_trace_holds_one_node_for_a_function() -> None:
    x = leaf(tg)
    with viz.trace() as t:
        u = Cube.apply(x)
        _ = u * 2
    assert [node.record.operation.name for node in t.nodes] == ["Cube", "mul"]
    assert t.nodes[0].record.name == "u"
    assert t.nodes[0].name() == "CubeBackward"


def test_a_derivation_calls_it_by_name() -> None:
    def f(a: Any) -> Any:
        u = Cube.apply(a)
        return u * 2

    derivation = viz.explain(f, 2.0)
    assert derivation["dJ/da"] == 24.0
    assert "u = Cube(a)" in str(derivation)
    assert "Cube.backward(1)" in str(derivation)


def test_a_derivation_of_several_outputs() -> None:
    def f(a: Any, b: Any) -> Any:
        total, _, product = SumAndProduct.apply(a, b)
        return total * product

    derivation = viz.explain(f, 2.0, 3.0)
    assert derivation["dJ/da"] == 6.0 + 5.0 * 3.0
    assert derivation["dJ/db"] == 6.0 + 5.0 * 2.0


def test_a_picture_calls_backward_with_the_gradients_only() -> None:
    seen: list[Any] = []

    def backward(ctx: Any, g: Any) -> Any:
        assert not tg.is_grad_enabled()
        seen.append(g.item())
        return g * 2, g * 3

    function = make(tg, lambda ctx, a, b: 2 * a + 3 * b, backward)
    derivation = viz.explain(lambda a, b: function.apply(a, b) * 5, 2.0, 3.0)
    assert "Made.backward(1)[1]" in str(derivation)
    assert derivation["dJ/db"] == 15.0
    assert set(seen) == {5.0}


def test_a_picture_of_an_edit_in_forward() -> None:
    a, w = leaf(tg), leaf(tg)
    with viz.trace() as t:
        b = a * 2
        J = adding(tg).apply(b, w) * b
    assert [node.record.operation.name for node in t.nodes] == ["mul", "Adding", "mul"]
    assert [line.count("Adding(") for line in viz.graph(J).text().splitlines()] == [0, 0, 0, 1, 0]
    assert viz.explain(J)["dJ/dw"] == 2 * J.item() ** 0.5 * 3


def test_what_a_picture_writes_down_can_be_evaluated() -> None:
    with viz.trace():
        a, b = leaf(tg), leaf(tg)
        J = Cube.apply(a) * SumAndProduct.apply(a, b)[2]
    history = History([J])
    history.name_all()
    cube, pair = [value for value in history.values if value.kind == "result"][:2]
    reader = Reader()
    numbers = {"a": np.float64(2.0), "b": np.float64(5.0), "g": np.float64(10.0)}
    assert reader.expression(cube).evaluate(numbers) == 8.0
    assert [part.item() for part in reader.expression(pair).evaluate(numbers)] == [7.0, 10.0]
    ((_, sent),) = reader.read(cube, Symbol("g"))
    assert sent.evaluate(numbers) == 10 * 27.0  # of what was saved
