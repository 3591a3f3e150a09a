"""Edits in place: what is allowed, and that backward notices every value it needs and that was overwritten."""

from __future__ import annotations

import gc
import mmap
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl import nn, optim
from tinygrad_dl.inplace import edits
from tinygrad_dl.operation import operation


def leaf(*values: Any) -> tg.Tensor:
    return tg.tensor(values[0] if len(values) == 1 else list(values), requires_grad=True)


EDITS: dict[str, Callable[[tg.Tensor], Any]] = {
    "add_": lambda t: t.add_(1.0),
    "mul_": lambda t: t.mul_(2.0),
    "exp_": lambda t: t.exp_(),
    "clamp_": lambda t: t.clamp_(0.0, 0.5),
    "zero_": lambda t: t.zero_(),
    "fill_": lambda t: t.fill_(7.0),
    "copy_": lambda t: t.copy_(tg.full((2,), 7.0)),
    "__iadd__": lambda t: t.__iadd__(1.0),
    "__isub__": lambda t: t.__isub__(1.0),
    "__imul__": lambda t: t.__imul__(3.0),
    "__itruediv__": lambda t: t.__itruediv__(2.0),
    "__ipow__": lambda t: t.__ipow__(3),
    "index assignment": lambda t: t.__setitem__(0, 7.0),
}


# --- what is allowed


@pytest.mark.parametrize("name", EDITS)
def test_edits_keep_the_tensor_and_its_memory(name: str) -> None:
    t = tg.tensor([1.0, 2.0])
    array, before = t.array, t.tolist()
    result = EDITS[name](t)
    assert (result is None or result is t) and t.array is array and t.tolist() != before


@pytest.mark.parametrize("name", EDITS)
def test_leaves_may_be_edited_without_recording(name: str) -> None:
    w = leaf(1.0, 2.0)
    for mode in (tg.no_grad(), tg.inference_mode(), tg.set_grad_enabled(False)):
        with mode:
            array, before = w.array, w.tolist()
            EDITS[name](w)
            w.copy_(tg.tensor(before))
    assert w.is_leaf and w.requires_grad and w.array is array
    (w * w).sum().backward()
    assert w.grad.tolist() == [2.0, 4.0]


def test_a_step_of_gradient_descent_as_everybody_writes_it() -> None:
    w, alpha = leaf(1.0, 2.0), 0.1
    (w * w).sum().backward()
    dW = w.grad
    with tg.no_grad():
        w -= alpha * dW
    np.testing.assert_allclose(w.tolist(), [0.8, 1.6], rtol=1e-6)
    assert w.is_leaf and w.requires_grad and w.grad is dW
    w.grad.zero_()
    (w * 2.0).sum().backward()
    assert w.grad.tolist() == [2.0, 2.0]


FILLED: dict[str, Callable[[Any], Any]] = {
    "fill_": lambda lib: lib.zeros(2, dtype=lib.float16).fill_(65510.0),
    "fill_ float32": lambda lib: lib.zeros(2).fill_(1e40),
    "fill_ far below": lambda lib: lib.zeros(2).fill_(-1e39),
    "fill_ int32 with NaN": lambda lib: lib.zeros(2, dtype=lib.int32).fill_(float("nan")),
    "fill_ int8": lambda lib: lib.zeros(2, dtype=lib.int8).fill_(300.7),
    "masked_fill_": lambda lib: lib.zeros(2, dtype=lib.float16).masked_fill_(lib.tensor(True), 1e7),
    "index_fill_": lambda lib: lib.zeros(2, dtype=lib.float16).index_fill_(0, lib.tensor([0]), 1e7),
    "x[0] = 300": lambda lib: _assigned(lib.zeros(2, dtype=lib.int8), 0, 300),
    "x[mask] = 300": lambda lib: _assigned(lib.zeros(2, dtype=lib.int8), lib.tensor([True, False]), 300),
    "x[0] = NaN": lambda lib: _assigned(lib.zeros(2, dtype=lib.int32), 0, float("nan")),
    "x[0] = -1 as uint8": lambda lib: _assigned(lib.zeros(2, dtype=lib.uint8), 0, -1),
    "x[0] = 2.7": lambda lib: _assigned(lib.zeros(2, dtype=lib.int32), 0, 2.7),
    "the greatest": lambda lib: lib.zeros(2, dtype=lib.float16).fill_(65504.0),
    "infinity": lambda lib: lib.zeros(2, dtype=lib.float16).fill_(float("-inf")),
    "a tensor": lambda lib: lib.zeros(2).fill_(lib.tensor(1e40, dtype=lib.float64)),
    "NaN as bool": lambda lib: lib.zeros(2, dtype=lib.bool).fill_(float("nan")),
}


def _assigned(x: Any, index: Any, value: Any) -> Any:
    x[index] = value
    return x


@pytest.mark.parametrize("name", FILLED)
def test_numbers_that_do_not_fit_are_refused_where_pytorch_refuses_them(name: str) -> None:
    torch = pytest.importorskip("torch")

    def outcome(lib: Any) -> Any:
        try:
            return FILLED[name](lib).tolist()
        except RuntimeError:
            return "refused"

    assert outcome(tg) == outcome(torch)


def test_plus_x_is_x_and_edits_of_it_are_edits_of_x() -> None:
    x = leaf(1.0, 2.0) * 3
    y = +x
    y.mul_(2.0)
    assert y is x and x.tolist() == [6.0, 12.0]
    with pytest.raises((TypeError, RuntimeError), match=r"positive: bools have no sign.*got input bool of shape"):
        +tg.tensor(True)


def test_operators_in_place_return_the_same_tensor() -> None:
    t = tg.tensor([8.0, 6.0])
    same = t
    t += 2
    t -= tg.tensor(1.0)
    t *= np.float64(2)
    t /= 3
    t **= 2
    t //= 5
    t %= 4
    assert t is same and t.tolist() == [(18 / 3) ** 2 // 5 % 4, (14 / 3) ** 2 // 5 % 4] and t.dtype == tg.float32


def test_results_must_fit_into_the_tensor() -> None:
    t = tg.tensor([1.0, 2.0])
    with pytest.raises(RuntimeError, match=r"add_: the result has shape \(3, 2\).*\(2,\)"):
        t.add_(tg.ones(3, 2))
    with pytest.raises(RuntimeError, match=r"__itruediv__: .*float32.*int64"):
        tg.tensor([1, 2]).__itruediv__(2)
    assert t.tolist() == [1.0, 2.0]


def test_memory_that_can_not_be_written_to() -> None:
    array = np.ones(2, np.float32)
    array.flags.writeable = False
    for edit in EDITS.values():
        t = tg.from_numpy(array)
        with pytest.raises(RuntimeError, match=r"(?s)read-only|clone"):
            edit(t)
    assert array.tolist() == [1.0, 1.0]


# --- what is refused while recording


@pytest.mark.parametrize("name", EDITS)
def test_a_leaf_can_not_be_edited_while_recording(name: str) -> None:
    w = leaf(1.0, 2.0)
    with pytest.raises(
        tg.GraphError, match=r"(?s)leaf.*\(2,\).*with tinygrad_dl\.no_grad\(\):\n +W -= alpha \* dW"
    ) as caught:
        EDITS[name](w)
    assert isinstance(caught.value, RuntimeError) and str(caught.value).startswith(name)
    assert w.tolist() == [1.0, 2.0]


def test_an_update_without_no_grad_gives_the_line_to_write() -> None:
    W, dW, alpha = leaf(1.0, 2.0), tg.ones(2), 0.1
    with pytest.raises(RuntimeError, match=r"(?s)__isub__.*no_grad\(\):\n +W -= alpha \* dW.*W = W - alpha \* dW"):
        W -= alpha * dW
    assert W.tolist() == [1.0, 2.0]


def test_outside_the_graph_everything_is_allowed_while_recording() -> None:
    x = leaf(1.0, 2.0)
    x.detach().add_(1.0)
    x.data.mul_(2.0)
    x.data[0] = 9.0
    assert x.tolist() == [9.0, 6.0] and x.is_leaf


# --- what backward notices


def overwritten(saver: str, name: str, writer: str) -> Any:
    return pytest.raises(
        tg.GraphError, match=rf"backward: {saver} saved its '{name}' .*but {writer} has overwritten it.*clone\(\)"
    )


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_of_a_saved_value_is_noticed(name: str) -> None:
    x, c = leaf(1.0, 2.0), tg.tensor([3.0, 4.0])
    y = (x * c).sum()
    EDITS[name](c)
    with overwritten("mul", "other", name) as caught:
        y.backward()
    assert isinstance(caught.value, RuntimeError) and x.grad is None


DOORS: dict[str, Callable[[tg.Tensor], Any]] = {
    "data": lambda t: t.data.add_(1.0),
    "detach": lambda t: t.detach().add_(1.0),
    "no_grad": lambda t: tg.no_grad()(t.add_)(1.0),
    "numpy": lambda t: tg.from_numpy(t.detach().numpy()).add_(1.0),
    "as_tensor": lambda t: tg.as_tensor(t.detach().numpy()).add_(1.0),
    "a view": lambda t: t.detach()[:1].add_(1.0),
    "a reshaped view": lambda t: t.detach().reshape(2, 1)[1].add_(1.0),
    "a NumPy view": lambda t: tg.from_numpy(t.detach().numpy()[::-1][1:]).add_(1.0),
    "a transpose": lambda t: t.detach().reshape(1, 2).T.add_(1.0),
    "Parameter": lambda t: tg.no_grad()(nn.Parameter(t.detach()).add_)(1.0),
    "np.copyto(dst=)": lambda t: np.copyto(src=5.0, dst=t.detach()),
    "np.copyto": lambda t: np.copyto(t.detach(), 5.0),
    "np.add(out=)": lambda t: np.add(t.detach(), 1.0, out=t.detach()),
    "np.add.at": lambda t: np.add.at(t.detach(), [0], 1.0),
    "np.put": lambda t: np.put(t.detach(), [0], 5.0),
    "np.fill_diagonal": lambda t: np.fill_diagonal(t.detach().reshape(1, 2), 5.0),
}


@pytest.mark.parametrize("door", DOORS)
def test_an_edit_is_noticed_whatever_door_it_comes_through(door: str) -> None:
    x, c = leaf(1.0, 2.0), leaf(3.0, 4.0)
    y = (x * c).sum()
    before = c.tolist()
    try:
        DOORS[door](c)
    except tg.TinygradError:  # to refuse the edit is as good
        assert c.tolist() == before
        return
    assert c.tolist() != before
    with pytest.raises(tg.GraphError, match=r"mul saved its .* overwritten"):
        y.backward()


def test_an_edited_input_and_an_edited_output() -> None:
    x = leaf(1.0, 2.0)
    y = x.tanh()
    y.detach().zero_()
    with overwritten("tanh", "out", "zero_"):
        y.sum().backward()
    x = leaf(1.0, 2.0)
    y = x.sin()
    x.data.zero_()
    with overwritten("sin", "input", "zero_"):
        y.sum().backward()


def test_what_no_rule_needs_may_be_overwritten() -> None:
    x, c = leaf(1.0, 2.0), tg.tensor([3.0, 4.0])
    y = (x + c).sum()
    c.zero_()
    y.backward()
    assert x.grad.tolist() == [1.0, 1.0]
    z = x.exp()  # saves its output only
    with tg.no_grad():
        x.zero_()
    x.grad = None
    z.sum().backward()
    np.testing.assert_allclose(x.grad.tolist(), np.exp([1.0, 2.0]), rtol=1e-6)


def test_an_edit_before_the_operation_is_none_of_its_business() -> None:
    x, c = leaf(1.0, 2.0), tg.tensor([3.0, 4.0])
    c.add_(1.0)
    y = (x * c).sum()
    other = tg.ones(2)
    other.zero_()
    y.backward()
    assert x.grad.tolist() == [4.0, 5.0]


def test_the_last_writer_is_named() -> None:
    x, c = leaf(1.0, 2.0), tg.tensor([3.0, 4.0])
    y = x * c
    c.add_(1.0)
    c[1:].mul_(2.0)
    with overwritten("mul", "other", "mul_"):
        y.backward(tg.ones(2))
    c.zero_()
    with overwritten("mul", "other", "zero_"):
        y.backward(tg.ones(2))


def test_a_graph_that_was_walked_and_then_edited_says_that_it_was_walked() -> None:
    w = leaf(1.0, 2.0)
    for compute in (lambda w: w * w, lambda w: w @ w, lambda w: tg.cat([w, w]) ** 3):
        y = compute(w)
        y.backward(tg.ones_like(y))
        with tg.no_grad():
            w -= 0.1 * w.grad
        with pytest.raises(tg.GraphError, match=r"walked already.*retain_graph=True"):
            y.backward(tg.ones_like(y))


def test_an_index_that_was_edited() -> None:
    x, i = leaf(1.0, 2.0, 3.0), tg.tensor([0, 1])
    y = (x[i] * 1.0).sum()
    i.fill_(2)
    with overwritten("index", "index", "fill_"):
        y.backward()


def test_members_of_a_list() -> None:
    @operation("squares", listed="tensors", tensors=lambda g, tensors: [2 * g * t for t in tensors])
    def squares(tensors: Any) -> Any:
        return sum(t * t for t in tensors)

    x, c = leaf(1.0, 2.0), tg.ones(2)
    y = squares([x, c]).sum()
    c.zero_()
    with overwritten("squares", "tensors", "zero_"):
        y.backward()


def test_a_recorded_walk_notices_as_well() -> None:
    x, c = leaf(1.0, 2.0), tg.tensor([3.0, 4.0])
    y = (x * c).sum()
    c.zero_()
    with overwritten("mul", "other", "zero_"):
        tg.autograd.grad(y, x, create_graph=True)


def test_the_graph_of_a_gradient_notices() -> None:
    x = leaf(1.0, 2.0)
    (slope,) = tg.autograd.grad((x * x * x).sum(), x, create_graph=True)
    with tg.no_grad():
        x.zero_()
    with pytest.raises(tg.GraphError, match="zero_ has overwritten"):
        slope.sum().backward()


def test_a_step_of_an_optimizer_between_forward_and_backward() -> None:
    w = nn.Parameter(tg.tensor([1.0, 2.0]))
    w.grad = tg.ones(2)
    loss = (w * w).sum()
    optim.SGD([w], lr=0.1).step()
    with pytest.raises(tg.GraphError, match=r"mul saved its .* has overwritten"):
        loss.backward()


def test_adding_to_a_gradient_that_was_saved() -> None:
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    (x * 2.0).sum().backward()
    y = (w * x.grad).sum()
    (x * 2.0).sum().backward()
    with overwritten("mul", "other", r"backward \(adding to \.grad\)"):
        y.backward()


def test_zero_dimensional_values_are_either_noticed_or_right() -> None:
    x, c = leaf(2.0), tg.tensor(3.0)
    y = x * c
    c.fill_(100.0)
    try:
        y.backward()
    except tg.GraphError:
        return
    assert x.grad.item() == 3.0


# --- no false alarms


def test_neighbours_in_one_buffer_do_not_conflict() -> None:
    flat = tg.zeros(6)
    first, second = flat[:2], flat[2:4]
    first.fill_(3.0)
    x = leaf(1.0, 2.0)
    y = (x * first).sum()
    second.fill_(5.0)
    flat[4:].add_(1.0)
    y.backward()
    assert x.grad.tolist() == [3.0, 3.0]
    y = (x * first).sum()
    flat[1:3].zero_()  # overlaps by one
    with overwritten("mul", "other", "zero_"):
        y.backward()
    y = (x * first).sum()
    flat.zero_()
    with overwritten("mul", "other", "zero_"):
        y.backward()


def test_flat_parameters_as_an_optimizer_lays_them_out() -> None:
    flat = tg.zeros(4)
    w1, w2 = nn.Parameter(flat[:2]), nn.Parameter(flat[2:])
    y = (w1 * w1).sum()
    with tg.no_grad():
        w2.add_(1.0)
    y.backward()
    assert w1.grad.tolist() == [0.0, 0.0]
    y = (w1 * w1).sum()
    with tg.no_grad():
        w1.add_(1.0)
    with overwritten("mul", "other|input", "add_"):
        y.backward()


def test_a_view_that_runs_backwards_has_the_same_memory() -> None:
    flat = np.zeros(6, np.float32)
    x, c = leaf(1.0, 2.0), tg.as_tensor(flat[3:1:-1])  # elements 3 and 2
    for edited, conflict in ((flat[:2], False), (flat[4:], False), (flat[2:3], True), (flat[3:4], True)):
        y = (x * c).sum()
        tg.from_numpy(edited).add_(1.0)
        if conflict:
            with overwritten("mul", "other", "add_"):
                y.backward()
        else:
            y.backward()


def test_empty_views_never_conflict() -> None:
    t = tg.zeros(4)
    x = tg.zeros(0, requires_grad=True)
    y = (x * t[2:2]).sum()
    t.add_(1.0)
    y.backward()
    x, c = leaf(1.0, 2.0), tg.ones(2)
    y = (x * c).sum()
    c[1:1].add_(1.0)
    y.backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_memory_of_a_dead_array_that_is_used_again() -> None:
    x = leaf(*[1.0] * 64)
    for _ in range(50):
        c = tg.ones(64)
        y = (x * c).sum()
        stray = tg.zeros(64)
        stray.add_(1.0)  # its stamp is later than the node
        where = stray.data_ptr()
        del stray
        again = tg.ones(64)  # often at the address of `stray`
        z = (x * again).sum() + y
        z.backward()
        if again.data_ptr() == where:
            break
    else:
        pytest.skip("the allocator never gave the memory out again")


def test_what_is_known_of_dead_memory_is_forgotten() -> None:
    gc.collect()
    before = len(edits.owned)
    tensors = [tg.ones(3) for _ in range(100)]
    for t in tensors:
        t.add_(1.0)
        t[1:].add_(1.0)
    assert len(edits.owned) == before + 100
    del t, tensors
    assert len(edits.owned) == before


def test_edits_of_the_same_place_do_not_pile_up() -> None:
    t = tg.zeros(10)
    for _ in range(100):
        t[2:5].add_(1.0)
        t[4:6].add_(1.0)
    memory = edits.owned[id(t.array)]
    assert len(memory.edits) <= 2
    t.add_(1.0)
    assert len(memory.edits) == 1


def test_a_stamp_keeps_nothing_alive() -> None:
    gc.collect()
    gc.disable()
    try:
        t = tg.ones(3)
        t.add_(1.0)
        array = weakref.ref(t.array)
        del t
        assert array() is None
    finally:
        gc.enable()


# --- memory that belongs to no array of NumPy's


def buffers(tmp_path: Path) -> dict[str, np.ndarray]:
    path = tmp_path / "numbers"
    np.arange(8, dtype=np.float32).tofile(path)
    with open(path, "r+b") as file:
        mapped = mmap.mmap(file.fileno(), 0)
    return {
        "bytearray": np.frombuffer(bytearray(32), np.float32),
        "mmap": np.frombuffer(mapped, np.float32),
        "memmap": np.memmap(path, np.float32, "r+"),
    }


@pytest.mark.parametrize("kind", ["bytearray", "mmap", "memmap"])
def test_foreign_memory(kind: str, tmp_path: Path) -> None:
    array = buffers(tmp_path)[kind]
    x = leaf(1.0, 2.0)
    low, high = tg.from_numpy(array[:2]), tg.from_numpy(array[2:4])
    y = (x * low).sum()
    high.add_(1.0)
    y.backward()  # a neighbour
    y = (x * low).sum()
    tg.from_numpy(array[1:3]).add_(1.0)
    with overwritten("mul", "other", "add_"):
        y.backward()


def test_one_memory_seen_as_foreign_and_as_ones_own() -> None:
    array = np.ones(4, np.float32)
    windows = np.lib.stride_tricks.as_strided(array, (3, 2), (4, 4))
    for saved, edited in ((array[:2], windows[0]), (windows[0], array), (windows[0], windows[0])):
        x = leaf(1.0, 2.0)
        y = (x * tg.from_numpy(saved)).sum()
        tg.from_numpy(edited).add_(1.0)
        with overwritten("mul", "other", "add_"):
            y.backward()


def test_memory_shared_with_pytorch() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")
    theirs = torch.zeros(4)
    x, c = leaf(1.0, 2.0), tg.from_numpy(theirs.numpy()[:2])
    y = (x * c).sum()
    tg.from_numpy(theirs.numpy()).add_(1.0)
    assert theirs.tolist() == [1.0] * 4
    with overwritten("mul", "other", "add_"):
        y.backward()


# --- memory that several elements share


def test_an_expanded_tensor_is_not_edited_element_by_element() -> None:
    for edit in (lambda t: t.add_(tg.tensor([1.0, 2.0, 3.0])), lambda t: t.mul_(2.0)):
        t = tg.ones(1).expand(3)
        with pytest.raises(RuntimeError, match=r"(?s)clone"):
            edit(t)
        assert t.tolist() == [1.0, 1.0, 1.0]


def test_on_the_strict_device() -> None:
    x = tg.tensor([1.0, 2.0], device="strict", requires_grad=True)
    c = tg.tensor([3.0, 4.0, 5.0], device="strict")
    y = (x * c[:2]).sum()
    c[2:].add_(1.0)
    y.backward()
    assert x.grad.tolist() == [3.0, 4.0]
    y = (x * c[:2]).sum()
    c[1:].add_(1.0)
    with overwritten("mul", "other", "add_"):
        y.backward()


def test_numbers_edited_through_views() -> None:
    """The walk holds gradients of 0-d tensors as NumPy's scalars, of which no view shows the memory."""
    x = leaf(3.0)
    y = x * 2
    view = y.reshape(1, 1)[...]
    view.clamp_(max=1.0)
    (view.sum() + y).backward()
    assert x.grad is not None and x.grad.tolist() == 0.0
    z = x * 2
    z[...] = x
    (slope,) = tg.autograd.grad((z * z).sum(), z, create_graph=True)
    assert tg.autograd.grad((slope * slope).sum(), x)[0].tolist() == 24.0  # of 4x²
    nothing = (w := x * 2).reshape(1)[:0]
    nothing += 1
    assert tg.autograd.grad(w, x)[0].tolist() == 2.0


def test_a_number_added_to_a_gradient_that_has_a_graph() -> None:
    x = leaf(3.0)
    with pytest.warns(UserWarning, match="create_graph"):
        (x * x).backward(create_graph=True)
    (x * x).backward()
    assert x.grad is not None and x.grad.device.type == "cpu" and x.grad.tolist() == 12.0


def test_an_edit_by_a_part_that_is_read_again_first() -> None:
    x = leaf([[1.0, 2.0]])
    y = x * 1
    part = y.split(1, 1)[1]
    y *= 2
    z = x * 1
    z[:, :1] += part
    z.sum().backward()
    assert z.tolist() == [[5.0, 2.0]] and x.grad is not None and x.grad.tolist() == [[1.0, 3.0]]


def test_numbers_beyond_the_range_of_integers_have_the_bits_that_fit() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")
    for number in (-1, 300, 7):
        for name in ("__iand__", "__ior__", "__ixor__", "bitwise_and_"):
            ours, theirs = (lib.tensor([1, 2, 255], dtype=lib.uint8) for lib in (tg, torch))
            assert getattr(ours, name)(number).tolist() == getattr(theirs, name)(number).tolist()


def test_nothing_is_divided_by_0() -> None:
    """Of no elements none is divided, whatever stands in the divisor."""
    nothing, zeros = tg.zeros((0, 3), dtype=tg.int64), tg.zeros((1, 3), dtype=tg.int64)
    for name in ("floor_divide_", "fmod_", "remainder_"):
        assert getattr(nothing.clone(), name)(zeros).shape == (0, 3)
        with pytest.raises(RuntimeError, match="division by zero"):
            getattr(zeros.clone(), name)(zeros)


def test_the_diagonal_of_a_triangle_is_one_integer() -> None:
    x = tg.ones(2, 3)
    assert tg.tril(x, tg.tensor(1)).tolist() == tg.tril(x, 1).tolist()
    for diagonal in (tg.tensor([1, 0, 2]), tg.tensor(1.0)):
        with pytest.raises(TypeError, match="triu: diagonal must be an integer"):
            tg.triu(x, diagonal)
