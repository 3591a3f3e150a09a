"""The base of optimizers: groups, state, saving and loading, and which arrays a step writes."""

from __future__ import annotations

import copy
import importlib.util
import pickle
import tracemalloc
import warnings
from collections import Counter
from typing import Any

import numpy as np
import pytest
from side_by_side import SHAPES, as_ours, as_torch, follow, gradients, leaves, set_gradients, values

import tinygrad_dl as tg
from tinygrad_dl import backend, optim, testing
from tinygrad_dl.errors import ArgumentError, ArgumentTypeError, DtypeError, GraphError, ShapeError, StateDictError
from tinygrad_dl.optim import SGD, Adam, AdamW, Optimizer, layout

MAKERS = {
    "SGD": lambda params: SGD(params, lr=0.1),
    "momentum": lambda params: SGD(params, lr=0.1, momentum=0.9, dampening=0.2, weight_decay=0.01),
    "nesterov": lambda params: SGD(params, lr=0.1, momentum=0.9, nesterov=True, maximize=True),
    "Adam": lambda params: Adam(params, lr=0.1, weight_decay=0.01),
    "amsgrad": lambda params: Adam(params, lr=0.1, amsgrad=True),
    "AdamW": lambda params: AdamW(params, lr=0.1),
    "ASGD": lambda params: optim.ASGD(params, lr=0.1, lambd=0.01, t0=1, weight_decay=0.01),
    "Adagrad": lambda params: optim.Adagrad(params, lr=0.1, lr_decay=0.1, initial_accumulator_value=0.1),
    "Adadelta": lambda params: optim.Adadelta(params, weight_decay=0.01, maximize=True),
    "RMSprop": lambda params: optim.RMSprop(params, lr=0.1, momentum=0.5, centered=True),
    "Rprop": lambda params: optim.Rprop(params, lr=0.1),
    "Adamax": lambda params: optim.Adamax(params, lr=0.1, weight_decay=0.01),
    "NAdam": lambda params: optim.NAdam(params, lr=0.1, weight_decay=0.01, decoupled_weight_decay=True),
    "RAdam": lambda params: optim.RAdam(params, lr=0.1, betas=(0.9, 0.5), maximize=True),
    "Adafactor": lambda params: optim.Adafactor(params, lr=0.1, weight_decay=0.01),
}
every_optimizer = pytest.mark.parametrize("name", MAKERS)
every_dtype = pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])


def leaf(*shape: int, **options: Any) -> tg.Tensor:
    return tg.zeros(*shape, requires_grad=True, **options)


def assert_same_bits(first: list[np.ndarray], second: list[np.ndarray]) -> None:
    for a, b in zip(first, second, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


# --- groups


def test_groups_have_the_defaults_and_their_own_options() -> None:
    a, b = leaf(2), leaf(3)
    optimizer = SGD([{"params": a}, {"params": [b], "lr": 0.5, "name": "head"}], lr=0.1, momentum=0.9)
    assert [group["lr"] for group in optimizer.param_groups] == [0.1, 0.5]
    assert [group["momentum"] for group in optimizer.param_groups] == [0.9, 0.9]
    assert optimizer.param_groups[0]["params"] == [a] and optimizer.param_groups[1]["name"] == "head"


def test_options_changed_between_steps_count() -> None:
    w = leaf(1)
    optimizer = SGD([w], lr=0.1)
    for lr in (0.5, 0.25):
        w.grad = tg.ones(1)
        optimizer.param_groups[0]["lr"] = lr
        optimizer.step()
    assert w.item() == -0.75


def test_a_rate_may_be_a_tensor() -> None:
    w, rate = leaf(1), tg.tensor(0.5)
    optimizer = SGD([w], lr=rate)
    for _ in range(2):
        w.grad = tg.ones(1)
        optimizer.step()
        rate.fill_(0.25)
    assert w.item() == -0.75


def test_numpy_scalars_as_options_change_no_bit() -> None:
    first, second, given = leaves("float32"), leaves("float32"), gradients(3, dtype="float32")
    plain = SGD(first, lr=0.1, momentum=0.9, weight_decay=0.3)
    numpy = SGD(second, lr=np.float64(0.1), momentum=np.float64(0.9), weight_decay=np.float64(0.3))
    assert_same_bits(follow(first, plain, given), follow(second, numpy, given))


def test_a_group_added_later_is_updated() -> None:
    a, b = leaf(1), leaf(1)
    optimizer = SGD([a], lr=1.0)
    optimizer.add_param_group({"params": b, "lr": 2.0})
    a.grad, b.grad = tg.ones(1), tg.ones(1)
    optimizer.step()
    assert (a.item(), b.item()) == (-1.0, -2.0)


def test_parameters_may_have_names() -> None:
    a, b = leaf(2), leaf(3)
    optimizer = SGD([("weight", a), ("bias", b)], lr=0.1)
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["weight", "bias"]
    with pytest.raises(ArgumentError, match="either all groups have names"):
        optimizer.add_param_group({"params": [leaf(1)]})
    with pytest.raises(ArgumentError, match="1 of 2 parameters have names"):
        SGD([("weight", a), b], lr=0.1)


def test_params_may_be_an_iterator() -> None:
    assert len(SGD((leaf(1) for _ in range(3)), lr=0.1).param_groups[0]["params"]) == 3


@pytest.mark.parametrize(
    ("params", "error", "builtin", "words"),
    [
        (list, ArgumentError, ValueError, "SGD: params is empty"),
        (lambda: leaf(2), ArgumentTypeError, TypeError, r"params is one tensor of shape \(2,\).* model.parameters"),
        (lambda: {leaf(2)}, ArgumentTypeError, TypeError, "params is a set, whose order changes"),
        (lambda: [{"params": {leaf(2)}}], ArgumentTypeError, TypeError, "params is a set"),
        (lambda: [leaf(2), 3.0], ArgumentTypeError, TypeError, "parameter 1 is a float, but must be a Tensor"),
        (lambda: [leaf(2) * 2], ArgumentError, ValueError, r"parameter 0, of shape \(2,\), is not a leaf"),
        (lambda: [leaf(2)] * 2, ArgumentError, ValueError, r"parameter 1, of shape \(2,\), comes twice"),
        (lambda: [{"lr": 0.1}], ArgumentError, ValueError, "the group has no 'params', only lr"),
        (lambda: [{"params": leaf(1)}, leaf(2)], ArgumentTypeError, TypeError, "a group is a dict, not Tensor"),
    ],
)
def test_params_that_are_none(params: Any, error: type, builtin: type, words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        SGD(params(), lr=0.1)
    assert isinstance(caught.value, builtin)


def test_a_parameter_of_another_group_is_refused_and_nothing_changes() -> None:
    w = leaf(2)
    optimizer = SGD([w], lr=0.1)
    with pytest.raises(ArgumentError, match="comes twice"):
        optimizer.add_param_group({"params": [leaf(1), w]})
    assert len(optimizer.param_groups) == 1


def test_a_misspelt_option_of_a_group_warns() -> None:
    with pytest.warns(UserWarning, match="'momentun' is not an option.* Did you mean 'momentum'"):
        SGD([{"params": leaf(1), "momentun": 0.9}], lr=0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SGD([{"params": leaf(1), "lr_mult": 2.0, "name": "head"}], lr=0.1)


def test_repr_lists_the_options() -> None:
    text = repr(SGD([{"params": leaf(1)}, {"params": leaf(1), "lr": 0.5}], lr=0.1))
    assert text.startswith("SGD (\nParameter Group 0\n    dampening: 0\n") and text.endswith(")")
    assert "Parameter Group 1" in text and "    lr: 0.5\n" in text and "params" not in text


def test_repr_is_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    assert repr(Adam([leaf(1)])) == repr(torch.optim.Adam([torch.zeros(1, requires_grad=True)]))


# --- steps


def test_step_returns_the_closures_loss_and_records_in_it() -> None:
    w = tg.tensor([3.0], requires_grad=True)
    optimizer = SGD([w], lr=0.1)

    def closure() -> tg.Tensor:
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    with tg.no_grad():
        assert optimizer.step(closure).item() == 9.0
    assert w.item() == pytest.approx(2.4)
    assert optimizer.step() is None


def test_zero_grad_drops_the_gradient_or_clears_it() -> None:
    w, unused = leaf(2), leaf(1)
    optimizer = SGD([w, unused], lr=0.1)
    w.grad = kept = tg.ones(2)
    optimizer.zero_grad(set_to_none=False)
    assert w.grad is kept and kept.tolist() == [0.0, 0.0] and unused.grad is None
    optimizer.zero_grad()
    assert w.grad is None


def test_zero_grad_cuts_a_recorded_gradient_from_its_graph() -> None:
    w = tg.tensor([2.0], requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # backward(create_graph=True) warns of the cycle
        (w**3).sum().backward(create_graph=True)
    assert w.grad is not None and w.grad.requires_grad
    SGD([w], lr=0.1).zero_grad(set_to_none=False)
    assert w.grad.tolist() == [0.0] and not w.grad.requires_grad and w.grad.grad_fn is None


@every_optimizer
def test_parameters_keep_their_arrays_and_gradients_are_only_read(name: str) -> None:
    params, given = leaves(), gradients(3)
    optimizer = MAKERS[name](params)
    arrays, nodes = [p.array for p in params], [p.grad_fn for p in params]
    follow(params, optimizer, given)
    assert all(p.array is array for p, array in zip(params, arrays))
    assert nodes == [None] * len(params) and all(p.requires_grad for p in params)
    for p, g in zip(params, given[-1]):
        np.testing.assert_array_equal(p.grad.numpy(), g)


@every_optimizer
def test_parameters_without_a_gradient_are_left_alone(name: str) -> None:
    with_gradient, without = leaf(3), leaf(3)
    optimizer = MAKERS[name]([with_gradient, without])
    with_gradient.grad = tg.ones(3)
    optimizer.step()
    assert without.tolist() == [0.0] * 3
    assert name == "Adagrad" or all(p is not without for p in optimizer.state)  # PyTorch's makes its state at once
    assert 0.0 not in with_gradient.tolist()


def test_each_parameter_counts_its_own_steps() -> None:
    early, late = leaf(2), leaf(2)
    optimizer = Adam([early, late], lr=0.1)
    for step in range(4):
        set_gradients([early, late], [np.ones(2, np.float32), np.ones(2, np.float32) if step > 1 else None])
        optimizer.step()
    assert [optimizer.state[p]["step"].item() for p in (early, late)] == [4.0, 2.0]
    alone = leaf(2)
    assert_same_bits([late.detach().numpy()], follow([alone], Adam([alone], lr=0.1), [[np.ones(2, np.float32)]] * 2))


def test_backward_through_an_updated_parameter_raises() -> None:
    for shape in ((3,), (100, 100)):  # packed, alone
        w, other = leaf(*shape), leaf(3)
        optimizer = SGD([w, other], lr=0.1)
        loss = (w * w).sum()
        w.grad, other.grad = tg.ones(*shape), tg.ones(3)
        optimizer.step()
        with pytest.raises(GraphError, match=r"SGD\.step"):
            loss.backward()


def test_backward_through_updated_state_raises() -> None:
    params = [leaf(3), leaf(3), leaf(100, 100)]  # two packed, one alone
    optimizer = Adam(params, lr=0.1)
    for p in params:
        p.grad = tg.ones(*p.shape)
    optimizer.step()
    optimizer.step()
    losses = [(p * optimizer.state[p]["exp_avg"]).sum() for p in params]
    optimizer.step()
    for loss in losses:
        with pytest.raises(GraphError, match=r"Adam\.step"):
            loss.backward()


# --- the same bits, however the arrays lie


@every_dtype
@every_optimizer
def test_one_by_one_or_together_gives_the_same_bits(name: str, dtype: str) -> None:
    given = gradients(5, missing=0.2, dtype=dtype)
    together, single = leaves(dtype), leaves(dtype)
    with np.errstate(all="ignore"):  # eps is 0 in float16, and so are some squares
        first = follow(together, MAKERS[name](together), given)
        second = follow(single, [MAKERS[name]([p]) for p in single], given)
    assert_same_bits(first, second)


@every_optimizer
def test_blocks_change_no_bit(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = gradients(3, dtype="float32")
    whole = leaves("float32")
    first = follow(whole, MAKERS[name](whole), given)
    monkeypatch.setattr(layout, "BLOCK", 7)
    monkeypatch.setattr(layout, "SMALL", 0)
    cut = leaves("float32", shapes=[*SHAPES[:4], (60, 50)])
    second = follow(cut, MAKERS[name](cut), [one[:4] + one[6:] for one in gradients(3, dtype="float32")])
    assert_same_bits(first[:4], second[:4])


@every_dtype
@every_optimizer
def test_the_strict_device_gives_the_same_bits(name: str, dtype: str) -> None:
    given = gradients(4, missing=0.2, dtype=dtype)
    cpu, strict = leaves(dtype), leaves(dtype, device="strict")
    with np.errstate(all="ignore"):
        first, second = follow(cpu, MAKERS[name](cpu), given), follow(strict, MAKERS[name](strict), given)
    assert_same_bits(first, second)
    assert all(p.device == "strict" for p in strict)


@every_optimizer
def test_arrays_that_are_not_contiguous(name: str) -> None:
    shapes = [(6, 4), (300, 400), (90, 70)]
    given = gradients(3, shapes=shapes)
    plain = leaves(shapes=shapes)
    turned = [tg.from_numpy(np.asfortranarray(array)).requires_grad_() for array in values(shapes=shapes)]
    assert not any(p.is_contiguous() for p in turned)
    assert_same_bits(follow(plain, MAKERS[name](plain), given), follow(turned, MAKERS[name](turned), given))
    aslant = leaves(shapes=shapes)
    optimizer = MAKERS[name](aslant)
    for one in given:
        for p, g in zip(aslant, one):
            p.grad = tg.from_numpy(np.asfortranarray(g))
        optimizer.step()
    assert_same_bits([p.detach().numpy() for p in plain], [p.detach().numpy() for p in aslant])


def test_parameters_that_share_memory_are_updated_one_after_the_other() -> None:
    memory = tg.zeros(4)
    whole, part = memory.detach().requires_grad_(), memory[1:3].detach().requires_grad_()
    optimizer = SGD([whole, part, leaf(2)], lr=1.0)
    for p in optimizer.param_groups[0]["params"]:
        p.grad = tg.ones(*p.shape)
    optimizer.step()
    assert memory.tolist() == [-1.0, -2.0, -2.0, -1.0]


def test_a_gradient_may_be_shared_and_weight_decay_does_not_reach_it() -> None:
    a, b = tg.ones(2, requires_grad=True), tg.ones(2, requires_grad=True)
    a.grad = b.grad = shared = tg.ones(2)
    SGD([{"params": a, "weight_decay": 1.0}, {"params": b}], lr=1.0).step()
    assert (a.tolist(), b.tolist(), shared.tolist()) == ([-1.0] * 2, [0.0] * 2, [1.0] * 2)


# --- parameters and state that change hands


@every_optimizer
def test_replaced_data_is_what_the_next_step_updates(name: str) -> None:
    params, given = leaves(), gradients(4)
    optimizer = MAKERS[name](params)
    follow(params, optimizer, given[:2])
    old = [p.array for p in params]
    before = [array.copy() for array in old]
    for p in params:
        p.data = p.data.clone()
    expected_params = leaves()
    expected = follow(expected_params, MAKERS[name](expected_params), given)
    assert_same_bits(follow(params, optimizer, given[2:]), expected)
    assert_same_bits(old, before)


@every_optimizer
def test_state_moves_with_its_parameter(name: str) -> None:
    stay, move, given = leaves("float32"), leaves("float32"), gradients(4, dtype="float32")
    optimizer = MAKERS[name](move)
    follow(move, optimizer, given[:2])
    for p in move:
        p.data = p.data.to("strict")
    assert_same_bits(follow(stay, MAKERS[name](stay), given), follow(move, optimizer, given[2:]))
    arrays = [value for p in move for key, value in optimizer.state.get(p, {}).items() if key not in optimizer.numbers]
    assert all(value.device == "strict" for value in arrays)


def test_state_takes_its_parameters_dtype() -> None:
    w = leaf(3)
    optimizer = Adam([w], lr=0.1)
    w.grad = tg.ones(3)
    optimizer.step()
    optimizer.zero_grad()
    w.data = w.data.double()
    w.grad = tg.ones(3, dtype=tg.float64)
    optimizer.step()
    assert optimizer.state[w]["exp_avg"].dtype is tg.float64


@pytest.mark.parametrize("copy_of", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))])
@every_optimizer
def test_copies_of_model_and_optimizer_go_on_by_themselves(name: str, copy_of: Any) -> None:
    params, given = leaves(), gradients(4)
    optimizer = MAKERS[name](params)
    follow(params, optimizer, given[:2])
    other_params, other = copy_of((params, optimizer))
    assert other.param_groups[0]["params"][0] is other_params[0] is not params[0]
    middle = [p.detach().numpy().copy() for p in params]
    ahead = follow(other_params, other, given[2:])
    assert_same_bits([p.detach().numpy() for p in params], middle)
    assert_same_bits(follow(params, optimizer, given[2:]), ahead)


def test_state_that_a_user_sets_is_used() -> None:
    a, b = leaf(2), leaf(2)
    optimizer = SGD([a, b], lr=1.0, momentum=0.5)
    set_gradients([a, b], [np.ones(2, np.float32)] * 2)
    optimizer.step()
    optimizer.state[a]["momentum_buffer"] = tg.full((2,), 8.0)
    optimizer.state[b]["momentum_buffer"].fill_(4.0)
    optimizer.step()
    assert (a.tolist(), b.tolist()) == ([-6.0] * 2, [-4.0] * 2)


def test_a_count_of_steps_that_a_user_sets_is_used() -> None:
    a, b = leaf(2), leaf(2)
    optimizer = Adam([a, b], lr=1.0)
    for _ in range(2):
        set_gradients([a, b], [np.ones(2, np.float32)] * 2)
        optimizer.step()
        optimizer.state[b]["step"].fill_(100.0)
    assert optimizer.state[a]["step"].item() == 2.0
    set_gradients([a, b], [np.ones(2, np.float32)] * 2)
    optimizer.step()
    assert [optimizer.state[p]["step"].item() for p in (a, b)] == [3.0, 101.0]


def test_a_parameter_of_another_shape_needs_another_optimizer() -> None:
    w = leaf(3)
    optimizer = Adam([w], lr=0.1)
    w.grad = tg.ones(3)
    optimizer.step()
    w.data = tg.zeros(4)
    with pytest.raises(DtypeError, match=r"\(4,\) on 'cpu', but its gradient .*\(3,\).* zero_grad"):
        optimizer.step()
    optimizer.zero_grad()
    w.grad = tg.ones(4)
    with pytest.raises(ShapeError, match=r"shape \(4,\), but its state 'exp_avg' \(3,\).* make a new optimizer"):
        optimizer.step()


def test_memory_that_can_not_be_written_to() -> None:
    array = np.zeros(3, np.float32)
    array.flags.writeable = False
    w = leaf(3)
    w.data = tg.from_numpy(array)
    w.grad = tg.ones(3)
    with pytest.raises(ArgumentError, match=r"shape \(3,\) lies in memory that can't be written to"):
        SGD([w], lr=0.1).step()
    w.data = w.data.clone()
    SGD([w], lr=0.1).step()


# --- saving and loading


def trained(name: str, steps: int = 3) -> tuple[list[Any], Any]:
    params = leaves()
    optimizer = MAKERS[name](params)
    follow(params, optimizer, gradients(steps))
    return params, optimizer


def test_state_dict_has_pytorchs_layout() -> None:
    a, b, c = leaf(2), leaf(3), leaf(1)
    optimizer = Adam([{"params": [a, b]}, {"params": [c], "lr": 0.5}], lr=0.1)
    a.grad, c.grad = tg.ones(2), tg.ones(1)
    optimizer.step()
    saved = optimizer.state_dict()
    assert list(saved) == ["state", "param_groups"] and list(saved["state"]) == [0, 2]
    assert [group["params"] for group in saved["param_groups"]] == [[0, 1], [2]]
    assert [group["lr"] for group in saved["param_groups"]] == [0.1, 0.5]
    assert list(saved["state"][0]) == ["step", "exp_avg", "exp_avg_sq"]
    assert optimizer.param_groups[0]["params"] == [a, b]


@every_optimizer
def test_a_loaded_optimizer_goes_on_as_the_saved_one(name: str) -> None:
    params, optimizer = trained(name)
    saved = copy.deepcopy(optimizer.state_dict())
    copies = [p.detach().clone().requires_grad_() for p in params]
    other = MAKERS[name](copies)
    other.load_state_dict(saved)
    later = gradients(6)[3:]
    assert_same_bits(follow(params, optimizer, later), follow(copies, other, later))


def test_loading_copies() -> None:
    w, u = leaf(2), leaf(2)
    first, second = SGD([w], lr=0.1, momentum=0.9), SGD([u], lr=0.1, momentum=0.9)
    w.grad = u.grad = tg.ones(2)
    first.step()
    saved = first.state_dict()
    second.load_state_dict(saved)
    second.step()
    assert saved["state"][0]["momentum_buffer"].tolist() == [1.0, 1.0]
    second.param_groups[0]["lr"] = 7.0
    assert first.param_groups[0]["lr"] == 0.1


def test_loaded_options_replace_and_missing_ones_stay_default() -> None:
    optimizer = Adam([leaf(2)], lr=0.1)
    saved = optimizer.state_dict()
    saved["param_groups"][0]["lr"] = 0.5
    saved["param_groups"][0]["initial_lr"] = 0.75
    del saved["param_groups"][0]["decoupled_weight_decay"]  # as older versions of PyTorch save it
    optimizer.load_state_dict(saved)
    group = optimizer.param_groups[0]
    assert (group["lr"], group["initial_lr"], group["decoupled_weight_decay"]) == (0.5, 0.75, False)


def test_loaded_state_takes_dtype_and_device_of_its_parameter() -> None:
    _, optimizer = trained("Adam")
    params = leaves("float32", device="strict")
    other = MAKERS["Adam"](params)
    other.load_state_dict(optimizer.state_dict())
    state = other.state[params[0]]
    assert state["exp_avg"].dtype is tg.float32 and state["exp_avg"].device == "strict"
    assert state["step"].device == "cpu" and state["step"].item() == 3.0
    follow(params, other, gradients(1, dtype="float32"))


def test_mismatches_come_all_at_once_and_nothing_is_loaded() -> None:
    a, b = leaf(2), leaf(3)
    first, second = Adam([a, b], lr=0.5), Adam([leaf(3), leaf(2)], lr=0.1)
    a.grad, b.grad = tg.ones(2), tg.ones(3)
    first.step()
    with pytest.raises(StateDictError, match="nothing was loaded") as caught:
        second.load_state_dict(first.state_dict())
    for words in (
        r"state 0: exp_avg has shape (2,), the parameter (3,)",
        r"state 1: exp_avg_sq has shape (3,), the parameter (2,)",
    ):
        assert words in str(caught.value)
    assert isinstance(caught.value, ValueError)
    assert second.param_groups[0]["lr"] == 0.1 and not second.state


@pytest.mark.parametrize(
    ("state_dict", "words"),
    [
        ([], "a dict with 'state' and 'param_groups' is needed"),
        ({"state": {}}, "a dict with 'state' and 'param_groups' is needed"),
        ({"state": {}, "param_groups": []}, r"0 group\(s\) of \[\] parameters, the optimizer 1 of \[2\]"),
        (
            {"state": {}, "param_groups": [{"params": [0]}]},
            r"1 group\(s\) of \[1\] parameters, the optimizer 1 of \[2\]",
        ),
        ({"state": [], "param_groups": [{"params": [0, 1]}]}, "'state' must be a dict"),
        ({"state": {}, "param_groups": [{"lr": 0.1}]}, "each group must have 'params'"),
        ({"state": {0: 5}, "param_groups": [{"params": [0, 1]}]}, "state 0: a dict is needed, int came"),
    ],
)
def test_a_state_dict_of_another_layout_is_refused(state_dict: Any, words: str) -> None:
    optimizer = SGD([leaf(1), leaf(1)], lr=0.1)
    with pytest.raises(ValueError, match=words):
        optimizer.load_state_dict(state_dict)


@pytest.mark.parametrize("step", ["many", tg.ones(2), tg.ones(1, requires_grad=True) * 2])
def test_state_that_cannot_be_taken_over_leaves_the_optimizer_as_it_was(step: Any) -> None:
    w = leaf(2)
    optimizer = Adam([w], lr=0.1)
    w.grad = tg.ones(2)
    optimizer.step()
    state, saved = optimizer.state[w], optimizer.state_dict()
    with pytest.raises((ValueError, RuntimeError)):
        optimizer.load_state_dict({**saved, "state": {0: {**state, "step": step}}})
    assert optimizer.state[w] is state and state["step"].item() == 1


def test_the_state_of_another_optimizer_is_refused() -> None:
    w = leaf(2)
    sgd = SGD([w], lr=0.1, momentum=0.9)
    w.grad = tg.ones(2)
    sgd.step()
    with pytest.raises(
        StateDictError, match="momentum_buffer is another optimizer's; Adam keeps exp_avg, exp_avg_sq, step"
    ):
        Adam([leaf(2)]).load_state_dict(sgd.state_dict())


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("SGD", {"lr": 0.1}),
        ("SGD", {"lr": 0.1, "momentum": 0.9}),
        ("Adam", {"lr": 0.1}),
        ("Adam", {"lr": 0.1, "amsgrad": True}),
        ("AdamW", {"lr": 0.1}),
    ],
)
def test_state_dicts_go_to_pytorch_and_come_back(kind: str, options: dict) -> None:
    torch = pytest.importorskip("torch")
    first, second = gradients(3), gradients(6)[3:]
    ours = leaves()
    mine = getattr(tg.optim, kind)(ours, **options)
    follow(ours, mine, first)

    theirs = [torch.tensor(p.detach().numpy(), requires_grad=True) for p in ours]
    other = getattr(torch.optim, kind)(theirs, lr=7.0)
    other.load_state_dict(as_torch(mine.state_dict(), torch))
    for one in second:
        for p, g in zip(theirs, one):
            p.grad = torch.tensor(g)
        other.step()
    for a, b in zip(follow(ours, mine, second), theirs):
        np.testing.assert_allclose(a, b.detach().numpy(), rtol=1e-9, atol=1e-12)

    back = [tg.tensor(p.detach().numpy(), requires_grad=True) for p in theirs]
    again = getattr(tg.optim, kind)(back, lr=7.0)
    again.load_state_dict(as_ours(other.state_dict(), torch))
    assert again.param_groups[0]["lr"] == 0.1
    for a, b in zip(follow(ours, mine, first), follow(back, again, first)):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


# --- optimizers of users


class Signed(Optimizer):
    """A rule alone is enough."""

    def __init__(self, params: Any, lr: float = 0.5) -> None:
        super().__init__(params, {"lr": lr})

    def update(self, w: Any, g: Any, state: dict, options: dict, scratch: tuple) -> None:
        w -= options["lr"] * np.sign(g)


class Averaging(Optimizer):
    """State beside the rule."""

    def __init__(self, params: Any) -> None:
        super().__init__(params, {})

    def state_names(self, options: dict) -> tuple[str, ...]:
        return ("step", "mean")

    def update(self, w: Any, g: Any, state: dict, options: dict, scratch: tuple) -> None:
        state["mean"] += (g - state["mean"]) / state["step"]
        w -= state["mean"]


class OwnLoop(Optimizer):
    """Written as for PyTorch."""

    def __init__(self, params: Any, lr: float) -> None:
        super().__init__(params, {"lr": lr})

    @tg.no_grad()
    def step(self, closure: Any = None) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                state["count"] = state.get("count", 0) + 1
                p.sub_(p.grad * group["lr"])


def test_an_optimizer_in_a_few_lines() -> None:
    a, b = leaf(3), leaf(2, 2)
    optimizer = Signed([a, b])
    a.grad, b.grad = tg.tensor([1.0, -5.0, 0.0]), tg.ones(2, 2)
    optimizer.step()
    assert (a.tolist(), b.tolist()) == ([-0.5, 0.5, 0.0], [[-0.5, -0.5], [-0.5, -0.5]])


def test_an_optimizer_with_state_in_a_few_lines() -> None:
    w = leaf(1)
    optimizer = Averaging([w])
    for g in (1.0, 3.0):
        w.grad = tg.tensor([g])
        optimizer.step()
    assert w.item() == -3.0 and optimizer.state[w]["mean"].item() == 2.0


def test_an_optimizer_with_its_own_loop() -> None:
    w = leaf(1)
    optimizer = OwnLoop([w], lr=0.5)
    w.grad = tg.ones(1)
    optimizer.step()
    assert w.item() == -0.5
    saved = optimizer.state_dict()
    assert saved["state"] == {0: {"count": 1}}
    optimizer.load_state_dict(saved)
    assert optimizer.state[w] == {"count": 1}


def test_the_base_has_no_rule() -> None:
    w = leaf(1)
    optimizer = Optimizer([w], {})
    w.grad = tg.ones(1)
    with pytest.raises(NotImplementedError, match=r"defines update\(\), or step\(\)"):
        optimizer.step()


def test_the_folder_is_not_imported_by_its_bare_name() -> None:
    spec = importlib.util.spec_from_file_location("optim", tg.optim.__file__)
    assert spec is not None and spec.loader is not None
    with pytest.raises(ImportError, match="use `from tinygrad_dl import optim`"):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


# --- calls, each of which is a kernel on a GPU


@pytest.mark.parametrize(
    ("make", "functions"),
    [
        (lambda params: SGD(params, lr=0.1), 2),
        (lambda params: SGD(params, lr=0.1, momentum=0.9), 4),
        (lambda params: Adam(params), 12),
    ],
    ids=["SGD", "momentum", "Adam"],
)
def test_small_parameters_on_a_device_share_the_calls_of_a_rule(make: Any, functions: int) -> None:
    def calls(count: int, *shape: int) -> Counter[str]:
        params = [leaf(*shape, device="strict") for _ in range(count)]
        optimizer = make(params)
        for p in params:
            p.grad = tg.ones(*shape, device="strict")
        optimizer.step()
        optimizer.step()
        found: Counter[str] = Counter()
        with testing.watch(lambda call: found.update([call.name if call.kind == "function" else call.kind])):
            optimizer.step()
        return found

    for count in (2, 50):  # and each parameter is copied out of the flat array
        assert calls(count, 10, 10) == {"numpy.concatenate": 2, "ufunc": functions, "operator": count}
    assert calls(3, 300, 400) == {"ufunc": 3 * functions}


# --- memory


def test_state_and_scratch_begin_at_cache_lines() -> None:
    params = [leaf(300, 401), leaf(70, 70), leaf(3), leaf(5)]  # in blocks, alone, packed
    optimizer = Adam(params, lr=0.1)
    for p in params:
        p.grad = tg.ones(*p.shape)
    optimizer.step()
    optimizer.step()
    optimizer.load_state_dict(optimizer.state_dict())
    optimizer.step()
    parts = optimizer._layouts[0].parts
    packed = [part for part in parts if isinstance(part, layout._Pack)]
    arrays = [array for part in packed for array in (part.w, part.g, *part.scratch)]
    for part in parts:
        blocks = [] if part in packed else part.blocks
        arrays += [array for _, state, spare in blocks for array in (state["exp_avg"], state["exp_avg_sq"], *spare)]
    assert len(packed) == 1 and len(arrays) == 4 + 4 * (3 + 1)
    assert not any(backend.address(array) % backend.CACHE_LINE for array in arrays)


@every_optimizer
def test_a_warm_step_allocates_nothing_that_counts(name: str) -> None:
    params = leaves("float32", shapes=[(300, 400), (60, 50), (3, 4), (5,), ()])
    optimizer = MAKERS[name](params)
    set_gradients(params, gradients(1, dtype="float32", shapes=[p.shape for p in params])[0])
    for _ in range(3):
        optimizer.step()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(10):
            optimizer.step()
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 4_000 and peak - before < 20_000  # bytes; one of the arrays has 480,000
