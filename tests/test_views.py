"""Edits of tensors in the graph, whole and through views: PyTorch's values and gradients, or both raise."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from cases import CASES

import tinygrad_dl as tg
from tinygrad_dl.ops import editing
from tinygrad_dl.views import live_views, root_of


def start(lib: Any) -> tuple[Any, Any, Any]:
    """Two leaves and an interior tensor."""
    w = lib.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], dtype=lib.float64, requires_grad=True)
    c = lib.tensor([0.5, 2.0, -1.0], dtype=lib.float64, requires_grad=True)
    return w, c, w * 1


def whole(edit: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def program(lib: Any, w: Any, c: Any, x: Any) -> Any:
        edit(x, c)
        return x * x + w

    return program


def row(edit: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def program(lib: Any, w: Any, c: Any, x: Any) -> Any:
        edit(x[0], c)
        return x * x + w

    return program


def transposed_part(edit: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def program(lib: Any, w: Any, c: Any, x: Any) -> Any:
        columns = x.t()
        part = columns[1:]
        edit(part, c[1:, None])
        return x * x + columns.t() * part.sum()

    return program


def constant(edit: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """An edit of a tensor that needed no gradient until then."""

    def program(lib: Any, w: Any, c: Any, x: Any) -> Any:
        z = lib.full((2, 3), 1.5, dtype=lib.float64)
        edit(z[1], c)
        return z * w

    return program


EDITS: dict[str, Callable[[Any, Any], Any]] = {
    "add_": lambda x, c: x.add_(c),
    "add_ alpha": lambda x, c: x.add_(c, alpha=3),
    "sub_": lambda x, c: x.sub_(c),
    "mul_": lambda x, c: x.mul_(c),
    "div_": lambda x, c: x.div_(c),
    "pow_": lambda x, c: x.pow_(c),
    "pow_ number": lambda x, c: x.pow_(3),
    "remainder_": lambda x, c: x.remainder_(c),
    "floor_divide_": lambda x, c: x.floor_divide_(2.5),
    "neg_": lambda x, c: x.neg_(),
    "abs_": lambda x, c: x.abs_(),
    "sign_": lambda x, c: x.sign_(),
    "exp_": lambda x, c: x.exp_(),
    "log_": lambda x, c: x.log_(),
    "sqrt_": lambda x, c: x.sqrt_(),
    "sin_": lambda x, c: x.sin_(),
    "cos_": lambda x, c: x.cos_(),
    "tanh_": lambda x, c: x.tanh_(),
    "sigmoid_": lambda x, c: x.sigmoid_(),
    "relu_": lambda x, c: x.relu_(),
    "clamp_": lambda x, c: x.clamp_(1.5, 4.5),
    "zero_": lambda x, c: x.zero_(),
    "fill_": lambda x, c: x.fill_(7.0),
    "fill_ with a tensor": lambda x, c: x.fill_(c.sum()),
    "copy_": lambda x, c: x.copy_(c),
    "copy_ of another dtype": lambda x, c: x.copy_(c.float()),
    "masked_fill_": lambda x, c: x.masked_fill_(x.detach() > 2.5, c.sum()),
    "masked_scatter_": lambda x, c: x.masked_scatter_(x.detach() > 1.5, c.sum() * x.detach()),
    "index_fill_": lambda x, c: x.index_fill_(0, (x.detach() > 99).long().reshape(-1)[:1], c.sum()),
    "index_copy_": lambda x, c: x.index_copy_(0, (x.detach() > 99).long().reshape(-1)[:1], (x * c)[:1]),
    "index_add_": lambda x, c: x.index_add_(0, (x.detach() > 99).long().reshape(-1)[:1], (x * c)[:1], alpha=2),
    "index_put_": lambda x, c: x.index_put_(((x.detach() > 99).long().reshape(-1)[:1],), c.sum()),
    "index_put_ adding": lambda x, c: x.index_put_((x.detach() > 2.5,), c.sum(), accumulate=True),
    "x[0] = v": lambda x, c: x.__setitem__(0, c.sum()),
    "x[0] = number": lambda x, c: x.__setitem__(0, 4.0),
    "x[..., 1:] = v": lambda x, c: x.__setitem__((..., slice(1, None)), c[1:2]),
    "x[:] = v": lambda x, c: x.__setitem__(slice(None), c),
    "x[[0, 0]] = v": lambda x, c: x.__setitem__([0, 0], c.sum()),
    "x[mask] = v": lambda x, c: x.__setitem__(x.detach() > 2.5, c.sum()),
    "+=": lambda x, c: x.__iadd__(c),
    "-= number": lambda x, c: x.__isub__(2.0),
    "*=": lambda x, c: x.__imul__(c),
    "/=": lambda x, c: x.__itruediv__(c),
    "**=": lambda x, c: x.__ipow__(2),
    "twice": lambda x, c: x.mul_(c).add_(c),
}

PROGRAMS: dict[str, Callable[..., Any]] = {
    f"{place.__name__}: {name}": place(edit)
    for name, edit in EDITS.items()
    for place in (whole, row, transposed_part, constant)
}


def program(function: Callable[..., Any]) -> Callable[..., Any]:
    PROGRAMS[function.__name__.replace("_", " ")] = function
    return function


@program
def a_view_of_a_view(lib: Any, w: Any, c: Any, x: Any) -> Any:
    flat = x.view(-1)
    part = flat[1:4]
    part.exp_()
    return x * flat.view(2, 3) + part.sum()


@program
def an_edit_of_a_view_whose_gradient_lies_in_another_order(lib: Any, w: Any, c: Any, x: Any) -> Any:
    columns = w.t() * 1
    columns.t().view(-1)[1:4].mul_(c)
    return columns * lib.full((3, 2), 2.0, dtype=lib.float64)


@program
def views_follow_an_edit_of_their_root(lib: Any, w: Any, c: Any, x: Any) -> Any:
    first, columns = x[0], x.t()
    x.mul_(c)
    return x.sum() * first + columns[:, 1]


@program
def one_view_follows_another(lib: Any, w: Any, c: Any, x: Any) -> Any:
    flat, second = x.reshape(6), x[1]
    flat[3:5].mul_(c[:2])
    second.tanh_()
    return flat * x.sum()


@program
def a_column_from_the_one_before(lib: Any, w: Any, c: Any, x: Any) -> Any:
    for i in range(1, 3):
        x[:, i] = x[:, i - 1].clone() * c[i]
    return x


@program
def an_edit_before_and_after_a_use(lib: Any, w: Any, c: Any, x: Any) -> Any:
    y = x + c
    x.mul_(2)
    return y * y + x


@program
def an_edit_of_a_value_that_a_rule_needs(lib: Any, w: Any, c: Any, x: Any) -> Any:
    y = x * c
    x.add_(1)
    return y


@program
def an_edit_of_a_result_that_its_rule_needs(lib: Any, w: Any, c: Any, x: Any) -> Any:
    y = x.exp()
    y.add_(1)
    return y


@program
def an_edit_of_a_result_that_its_rule_does_not_need(lib: Any, w: Any, c: Any, x: Any) -> Any:
    y = x / c
    y += 1
    return y * y


@program
def an_edit_of_what_an_edit_saved(lib: Any, w: Any, c: Any, x: Any) -> Any:
    x.sigmoid_()
    x.mul_(2)
    return x


@program
def an_edit_by_itself(lib: Any, w: Any, c: Any, x: Any) -> Any:
    return x.mul_(x)


@program
def an_edit_through_a_view_of_a_saved_value(lib: Any, w: Any, c: Any, x: Any) -> Any:
    y = x * x
    x[0].add_(1)
    return y


@program
def an_edit_of_a_detached_tensor(lib: Any, w: Any, c: Any, x: Any) -> Any:
    free = x.detach()
    free.mul_(c)
    return free * x


@program
def an_edit_without_recording(lib: Any, w: Any, c: Any, x: Any) -> Any:
    with lib.no_grad():
        x.add_(1)
        w.mul_(2)
    return x * x + w


@program
def a_split_part(lib: Any, w: Any, c: Any, x: Any) -> Any:
    x.split(1)[0].mul_(2)
    return x


@program
def a_view_made_without_recording(lib: Any, w: Any, c: Any, x: Any) -> Any:
    with lib.no_grad():
        view = x[0]
    view.mul_(2)
    return x


@program
def a_broadcast_view(lib: Any, w: Any, c: Any, x: Any) -> Any:
    x[0].expand(4, 3).mul_(2)
    return x


@program
def a_leaf(lib: Any, w: Any, c: Any, x: Any) -> Any:
    return w.mul_(2)


@program
def a_view_of_a_leaf(lib: Any, w: Any, c: Any, x: Any) -> Any:
    w[0] = 1.0
    return w


def results(lib: Any, name: str) -> Any:
    """The value, both first derivatives and both of a function of these; or the error."""
    w, c, x = start(lib)
    try:
        total = (PROGRAMS[name](lib, w, c, x) ** 2).sum()
        first = lib.autograd.grad(total, (w, c), create_graph=True, allow_unused=True)
        again = sum((g * g).sum() for g in first if g is not None)
        second = lib.autograd.grad(again, (w, c), allow_unused=True) if getattr(again, "requires_grad", False) else ()
        return [t if t is None else t.detach().cpu().numpy() for t in (total, *first, *second)]
    except Exception as error:
        return error


@pytest.mark.parametrize("name", PROGRAMS)
def test_edits_give_pytorchs_gradients_or_both_raise(name: str) -> None:
    torch = pytest.importorskip("torch")
    found, expected = results(tg, name), results(torch, name)
    if isinstance(expected, Exception):
        assert isinstance(found, tg.TinygradError | NotImplementedError) and isinstance(found, type(expected)), found
        return
    assert not isinstance(found, Exception), found
    assert len(found) == len(expected)
    for a, b in zip(found, expected):
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_allclose(a, b, 1e-10, 1e-14 * np.abs(b).max())


@pytest.mark.parametrize("name", [name for name in PROGRAMS if not name.startswith("transposed")])
def test_edits_on_the_strict_device(name: str) -> None:
    """What runs on the CPU runs with CuPy's restrictions, and gives the same."""

    class Strict:
        """The library with tensors made on the strict device."""

        def __getattr__(self, attribute: str) -> Any:
            return getattr(tg, attribute)

        @staticmethod
        def tensor(*args: Any, requires_grad: bool = False, **options: Any) -> Any:
            return tg.tensor(*args, **options, device="strict").requires_grad_(requires_grad)

        @staticmethod
        def full(*args: Any, **options: Any) -> Any:
            return tg.full(*args, **options, device="strict")

    found, expected = results(Strict(), name), results(tg, name)
    assert isinstance(found, Exception) == isinstance(expected, Exception), found
    if not isinstance(found, Exception):
        for a, b in zip(found, expected, strict=True):
            assert a is b or np.array_equal(a, b, equal_nan=True)


# --- by hand


def test_a_root_of_no_dimension_and_its_views() -> None:
    """Gradients of 0-d tensors are NumPy's scalars on their way."""
    v = tg.tensor(-0.99, requires_grad=True)
    u = v * 2
    w = u.reshape(1, 1)
    w[...].clamp_(min=-0.3)
    (u + w.sum()).backward()
    assert v.grad.item() == 0.0
    x = tg.tensor(3.0, requires_grad=True)
    y = x * 1
    y[...] = x
    (g,) = tg.autograd.grad((y * y).sum(), x, create_graph=True)
    assert g.item() == 6.0 and tg.autograd.grad(g, x)[0].item() == 2.0


def test_a_leaf_that_moves_into_the_graph_after_its_use() -> None:
    w, v = tg.ones(2, requires_grad=True), tg.ones(2, requires_grad=True)
    y = w * 2
    w.requires_grad_(False)
    w.add_(v)
    with pytest.raises(tg.GraphError, match=r"a leaf of shape \(2,\) was used and then edited"):
        y.sum().backward()


def test_a_view_of_a_part_made_without_recording_stays_a_constant() -> None:
    x = tg.ones(4, 2, requires_grad=True)
    y = x * 1
    part = y.split(2, -1)[0]
    with tg.no_grad():
        view = part.view(8)
    y.add_(x)
    assert not view.requires_grad
    with pytest.raises(tg.GraphError, match="made under no_grad"):
        view.mul_(2)


def test_what_was_detached_in_place_retains_nothing() -> None:
    x = tg.ones(2, requires_grad=True) * 2
    x.retain_grad()
    x.detach_()
    x.copy_(tg.ones(2, requires_grad=True))
    assert x.requires_grad and not x.retains_grad


def test_no_door_writes_into_a_broadcast_view() -> None:
    x = tg.ones(1).expand(2)
    for edit in (
        lambda: x.index_add_(0, tg.tensor([0, 1]), tg.ones(2)),
        lambda: x.fill_(2.0),
        lambda: x.__setitem__(0, 2.0),
        lambda: x.masked_fill_(x > 0, 3.0),
    ):
        with pytest.raises(tg.TinygradError, match="broadcast view"):
            edit()
    assert x.tolist() == [1.0, 1.0]


def test_only_roots_and_what_leads_to_the_inputs_is_retained() -> None:
    a, b = tg.ones(2, requires_grad=True), tg.ones(2, requires_grad=True)
    u, t = b * 2, a * 3
    u.retain_grad()
    tg.cat([u, t]).sum().backward(inputs=[t])
    assert u.grad is None and t.grad.tolist() == [1.0, 1.0]
    root = a * 2
    root.retain_grad()
    root.backward(tg.ones(2), inputs=[t])
    assert root.grad.tolist() == [1.0, 1.0]


def test_a_row_is_written_and_the_gradient_goes_to_what_was_written() -> None:
    w, v = tg.ones(2, 2, requires_grad=True), tg.tensor([3.0, 4.0], requires_grad=True)
    x = w * 2
    x[0] = v
    (x * x).sum().backward()
    assert v.grad.tolist() == [6.0, 8.0] and w.grad.tolist() == [[0.0, 0.0], [8.0, 8.0]]


def test_the_notes_line_a3_divided_by_keep_prob() -> None:
    """Inverted dropout as the notes write it: `a3 = a3 * d3; a3 /= keep_prob`."""
    a3 = tg.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    dropped = a3 * tg.tensor([1.0, 0.0, 1.0, 1.0])
    dropped /= 0.8
    dropped.sum().backward()
    np.testing.assert_allclose(a3.grad.tolist(), [1.25, 0.0, 1.25, 1.25], rtol=1e-6)


def test_an_edit_keeps_the_tensor_its_memory_and_its_views() -> None:
    x = tg.ones(2, 3, requires_grad=True) * 1
    view, array = x[0], x.array
    x.mul_(2)
    assert x.array is array and view.tolist() == [2.0, 2.0, 2.0] and x.grad_fn.name() == "MulBackward0"
    view.add_(1)
    assert x[0].tolist() == [3.0, 3.0, 3.0] and x.grad_fn.name() == "CopySlicesBackward0"


def test_a_refused_edit_changes_nothing() -> None:
    x = tg.ones(2, 3, requires_grad=True) * 1
    node, view = x.node, x[0]
    for edit in (
        lambda: x.add_(tg.ones(4)),
        lambda: x.add_(tg.ones(5, 2, 3)),
        lambda: view.copy_(tg.ones(4)),
        lambda: x.split(1)[0].zero_(),
        lambda: x[0].expand(2, 3).zero_(),
        lambda: x.masked_fill_(tg.ones(2, dtype=tg.bool), 1.0),
    ):
        with pytest.raises(tg.TinygradError):
            edit()
        assert x.node is node and x.tolist() == [[1.0] * 3] * 2
    (x.sum() + view.sum()).backward()


def test_views_know_their_root_and_die_with_their_last_holder() -> None:
    x = tg.zeros(4, 4)
    views = [x[i] for i in range(4)]
    assert all(root_of(view) is x for view in views) and live_views(x) == views
    del views[1:]
    gc.disable()
    try:
        for _ in range(1000):
            x[0]
        assert live_views(x) == views and len(x.extras["views"]) < 200
    finally:
        gc.enable()


def test_other_memory_is_no_view() -> None:
    x = tg.ones(3, requires_grad=True) * 1
    view = x[:2]
    x.data = tg.zeros(3)
    assert root_of(view) is view
    node = x.node
    view.mul_(5.0)
    assert x.tolist() == [0.0, 0.0, 0.0] and view.tolist() == [5.0, 5.0] and x.node is node


def test_a_view_at_another_place_of_its_memory_is_refused() -> None:
    x = tg.ones(2, 2, requires_grad=True) * tg.tensor([[1.0], [2.0]])
    view, kept = x[0], x[1]
    kept.retain_grad()
    part = view[:1]
    x.data = x.data.t()
    for tensor in (view, kept, view[1:]):
        with pytest.raises(tg.GraphError, match=r"another place in its memory by \.data"):
            tensor.mul_(2.0)
    x.mul_(2.0)
    x[0].mul_(3.0)
    assert x.tolist() == [[6.0, 12.0], [2.0, 4.0]] and view.tolist() == [6.0, 2.0]
    for tensor in (view, kept, part):
        with pytest.raises(tg.GraphError, match=r"another array by \.data"):
            _ = tensor.requires_grad


def test_every_operation_that_gives_views_says_so() -> None:
    """A result that shares its input's memory and is not registered would be edited behind its root's back."""
    unknown = set()
    for case in CASES:
        inputs = case.make(tg)
        outputs = case.outputs(case.run(tg, *inputs))
        for output in outputs:
            for tensor in inputs:
                if (
                    isinstance(output, tg.Tensor)
                    and output is not tensor
                    and output.numel()
                    and np.shares_memory(output.array, tensor.array)
                    and root_of(output) is not root_of(tensor)
                ):
                    unknown.add(case.name)
    assert not unknown


def test_an_edit_costs_the_same_whatever_the_number_of_views(monkeypatch: Any) -> None:
    readings = []
    replay = editing.replay
    monkeypatch.setattr(editing, "replay", lambda path, x: readings.append(path) or replay(path, x))
    w = tg.ones(300, 2, requires_grad=True)
    x = w * 1
    rows = [x[i] for i in range(300)]
    for row in rows:
        row.mul_(2.0)
    (x.sum() + rows[0].sum() * 10).backward()
    assert w.grad[0].tolist() == [22.0, 22.0] and w.grad[299].tolist() == [2.0, 2.0]
    assert len(readings) < 300 * 8


def test_an_outdated_view_is_a_tensor_like_others() -> None:
    w = tg.ones(2, 2, requires_grad=True)
    x = w * 1
    view, kept = x[0], x[1]
    kept.retain_grad()
    x.mul_(3.0)
    assert repr(type(view)) == repr(tg.Tensor) and isinstance(view, tg.Tensor)
    with tg.no_grad():
        assert view.requires_grad and view.grad_fn.name() == "IndexBackward0" and type(view) is tg.Tensor
    (view * kept).sum().backward()
    assert w.grad.tolist() == [[9.0, 9.0]] * 2 and kept.grad.tolist() == [3.0, 3.0]
    x.mul_(2.0)
    x.data = tg.zeros(2, 2)
    with pytest.raises(tg.GraphError, match=r"another array by \.data"):
        _ = view.requires_grad
