"""Every optimizer beside PyTorch's: 50 steps, defaults, state dicts both ways, what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from side_by_side import SHAPES, as_ours, as_torch, compare_with_torch, counting_in_float64, follow, gradients, leaves

import tinygrad_dl as tg
from tinygrad_dl import optim
from tinygrad_dl.errors import ArgumentError, ArgumentTypeError

torch = pytest.importorskip("torch")

CASES: dict[str, list[dict[str, Any]]] = {
    "ASGD": [
        {},
        {"t0": 10, "lambd": 0.1, "alpha": 0.5},
        {"t0": 0, "weight_decay": 0.1, "maximize": True, "foreach": True},
    ],
    "Adagrad": [
        {},
        {"lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.5, "eps": 1e-3},
        {"maximize": True, "fused": True},
    ],
    "Adadelta": [{}, {"rho": 0.5, "eps": 1e-2, "weight_decay": 0.1, "maximize": True}, {"foreach": True}],
    "RMSprop": [
        {},
        {"alpha": 0.9, "momentum": 0.9, "centered": True, "weight_decay": 0.1},
        {"momentum": 0.5, "maximize": True},
        {"centered": True, "foreach": True},
    ],
    "Rprop": [{}, {"etas": (0.3, 1.5), "step_sizes": (1e-3, 0.05)}, {"maximize": True, "foreach": True}],
    "Adamax": [
        {},
        {"weight_decay": 0.1, "betas": (0.5, 0.7), "eps": 1e-2},
        {"eps": 0, "maximize": True, "foreach": True},
    ],
    "NAdam": [
        {},
        {"weight_decay": 0.1, "momentum_decay": 0.1, "foreach": True},
        {"weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True},
    ],
    "RAdam": [
        {},
        {"weight_decay": 0.1, "betas": (0.5, 0.7), "foreach": True},
        {"weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True},
    ],
    "Adafactor": [
        {},
        {"weight_decay": 0.1, "eps": (1e-30, 1e-2), "d": 2.0, "beta2_decay": -0.5},
        {"maximize": True, "foreach": True},
    ],
}
FILLED = [shape for shape in SHAPES if 0 not in shape] + [(2, 3, 4)]  # PyTorch's Adafactor divides by the size

EVERY = ["SGD", "Adam", "AdamW", *CASES, "Muon", "LBFGS"]


@pytest.mark.parametrize(("name", "options"), [(name, options) for name in CASES for options in CASES[name]], ids=str)
def test_follows_pytorch(name: str, options: dict) -> None:
    shapes = FILLED if name == "Adafactor" else SHAPES
    compare_with_torch(name, {"lr": 0.01, **options}, {"lr": 0.05}, torch, shapes)


@pytest.mark.parametrize("name", [name for name in EVERY if name not in ("Muon", "LBFGS")])
def test_a_rate_in_a_tensor_follows_pytorch(name: str) -> None:
    shapes = FILLED if name == "Adafactor" else SHAPES
    ours, given = leaves(shapes=shapes), gradients(5, shapes=shapes)
    mine = follow(ours, getattr(optim, name)(ours, lr=tg.tensor(0.01, dtype=tg.float64)), given)
    theirs = [torch.tensor(p, requires_grad=True) for p in map(np.array, [p.detach() for p in leaves(shapes=shapes)])]
    optimizer = getattr(torch.optim, name)(theirs, lr=0.01)
    for one in given:
        for p, g in zip(theirs, one):
            p.grad = torch.tensor(g)
        optimizer.step()
    for a, b in zip(mine, theirs):
        np.testing.assert_allclose(a, b.detach().numpy(), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", EVERY)
def test_defaults_and_their_order_are_pytorchs(name: str) -> None:
    ours = getattr(optim, name)([tg.zeros(1, 1, requires_grad=True)])
    theirs = getattr(torch.optim, name)([torch.zeros(1, 1, requires_grad=True)])
    assert ours.defaults == theirs.defaults
    assert repr(ours) == repr(theirs)


def test_all_names_of_pytorch_are_there() -> None:
    public = {name for name in dir(torch.optim) if name[0] != "_"}
    assert public - {"swap_in_optimizer_params_and_state"} <= {*dir(optim), "lr_scheduler", "swa_utils"}


def torchs(params: list[Any]) -> list[Any]:
    return [torch.tensor(p.detach().numpy(), requires_grad=True) for p in params]


@pytest.mark.parametrize(("name", "options"), [(name, options) for name in CASES for options in CASES[name]], ids=str)
def test_state_dicts_go_to_pytorch_and_come_back(name: str, options: dict) -> None:
    with counting_in_float64(torch):
        go_and_come_back(name, options)


def go_and_come_back(name: str, options: dict) -> None:
    shapes = FILLED if name == "Adafactor" else SHAPES
    first, second = gradients(3, missing=0.2, shapes=shapes), gradients(6, shapes=shapes)[3:]
    ours = leaves(shapes=shapes)
    mine = getattr(optim, name)(ours, lr=0.1, **options)
    follow(ours, mine, first)

    theirs = torchs(ours)
    other = getattr(torch.optim, name)(theirs, lr=7.0)
    other.load_state_dict(as_torch(mine.state_dict(), torch))
    for one in second:
        for p, g in zip(theirs, one):
            p.grad = torch.tensor(g)
        other.step()
    for a, b in zip(follow(ours, mine, second), theirs):
        np.testing.assert_allclose(a, b.detach().numpy(), rtol=1e-9, atol=1e-12)

    back = [tg.tensor(p.detach().numpy(), requires_grad=True) for p in theirs]
    again = getattr(optim, name)(back, lr=7.0)
    again.load_state_dict(as_ours(other.state_dict(), torch))
    mine_state, theirs_state = mine.state_dict()["state"], again.state_dict()["state"]
    for number, state in mine_state.items():
        assert list(state) == list(theirs_state[number])
    for a, b in zip(follow(ours, mine, first), follow(back, again, first)):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_adagrads_state_is_there_before_the_first_step() -> None:
    """PyTorch's would fail for a parameter without it."""
    w, late = (tg.zeros(2, requires_grad=True) for _ in range(2))
    optimizer = optim.Adagrad([w], initial_accumulator_value=0.5)
    optimizer.add_param_group({"params": [late], "initial_accumulator_value": 2.0})
    assert optimizer.state[w]["sum"].tolist() == [0.5, 0.5] and optimizer.state[late]["sum"].tolist() == [2.0, 2.0]
    assert optimizer.state[w]["step"].item() == 0.0


# --- what is refused

REFUSED = [
    ("ASGD", {"lr": -1}, "ASGD: lr is -1, but must be 0 or more"),
    ("ASGD", {"weight_decay": -1}, "weight_decay is -1"),
    ("ASGD", {"t0": "soon"}, "t0 is 'soon', but must be a number"),
    ("Adagrad", {"lr_decay": -1}, "lr_decay is -1"),
    ("Adagrad", {"initial_accumulator_value": -1}, "initial_accumulator_value is -1"),
    ("Adagrad", {"eps": -1}, "eps is -1"),
    ("Adadelta", {"rho": 1.5}, "rho is 1.5, but must be at least 0 and at most 1"),
    ("Adadelta", {"eps": -1}, "eps is -1"),
    ("RMSprop", {"alpha": -0.1}, "alpha is -0.1"),
    ("RMSprop", {"alpha": 1.1}, "alpha is 1.1, but must be at least 0 and at most 1"),
    ("RMSprop", {"momentum": -1}, "momentum is -1"),
    ("Rprop", {"etas": (1.1, 1.2)}, "must be 0 < etaminus < 1 < etaplus"),
    ("Rprop", {"etas": 0.5}, "etas is 0.5, but must be a pair"),
    ("Rprop", {"step_sizes": (1.0, 0.1)}, "must be 0 <= smallest <= largest"),
    ("Adamax", {"betas": (0.9, 1.0)}, r"betas\[1\] is 1.0, but must be at least 0 and less than 1"),
    ("NAdam", {"momentum_decay": -1}, "momentum_decay is -1"),
    ("NAdam", {"betas": (-0.1, 0.9)}, r"betas\[0\] is -0.1"),
    ("RAdam", {"weight_decay": float("inf")}, "weight_decay is inf"),
    ("Adafactor", {"lr": -1}, "lr is -1"),
    ("Adafactor", {"beta2_decay": 0.1}, "beta2_decay is 0.1, but must be at most 0"),
    ("Adafactor", {"eps": (-1, 1)}, r"eps\[0\] is -1"),
    ("Adafactor", {"eps": (None, None)}, r"eps\[1\] is None, but must be a number"),
    ("Adafactor", {"d": 0.5}, "d is 0.5, but must be 1 or more"),
    ("Muon", {"momentum": -1}, "momentum is -1"),
    ("Muon", {"ns_steps": 100}, "ns_steps is 100, but must be at least 0 and less than 100"),
    ("Muon", {"ns_coefficients": (1, 2)}, r"ns_coefficients is \(1, 2\), but must be three numbers"),
    ("Muon", {"adjust_lr_fn": "x"}, "adjust_lr_fn is 'x', but must be None or one of"),
    ("LBFGS", {"line_search_fn": "x"}, "line_search_fn is 'x', but must be None or 'strong_wolfe'"),
    ("LBFGS", {"history_size": 0}, "history_size is 0, but must be 1 or more"),
    ("LBFGS", {"tolerance_grad": -1}, "tolerance_grad is -1"),
]


@pytest.mark.parametrize(("name", "options", "words"), REFUSED, ids=str)
def test_options_out_of_range(name: str, options: dict, words: str) -> None:
    w = tg.zeros(1, 1, requires_grad=True)
    with pytest.raises((ArgumentError, ArgumentTypeError), match=words):
        getattr(optim, name)([w], **options)
    if name != "LBFGS":  # the same holds for one group's
        with pytest.raises((ArgumentError, ArgumentTypeError), match=words):
            getattr(optim, name)([{"params": [w], **options}])


@pytest.mark.parametrize("name", [name for name in CASES if name != "Adafactor"])
def test_a_recorded_step_is_refused(name: str) -> None:
    with pytest.raises(NotImplementedError, match=f"{name}: differentiable=True .* create_graph=True"):
        getattr(optim, name)([tg.zeros(1, requires_grad=True)], differentiable=True)


def test_sparse_gradients_are_refused() -> None:
    with pytest.raises(NotImplementedError, match=r"no sparse tensors.* use optim\.Adam"):
        optim.SparseAdam([tg.zeros(1, requires_grad=True)], lr=0.1)


# --- Muon


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"nesterov": False, "adjust_lr_fn": "match_rms_adamw"},
        {"momentum": 0.5, "weight_decay": 0.0, "ns_steps": 3, "adjust_lr_fn": "original"},
    ],
    ids=str,
)
def test_muon_follows_pytorch_but_for_its_rounding(options: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch rounds the matrix to bfloat16 before it is made orthogonal; without that the numbers are equal."""
    shapes = [(6, 4), (4, 6), (30, 50), (5, 5)]
    ours, theirs = leaves(shapes=shapes), torchs(leaves(shapes=shapes))
    mine, other = optim.Muon(ours, lr=0.01, **options), torch.optim.Muon(theirs, lr=0.01, **options)
    given = gradients(50, shapes=shapes)
    after = follow(ours, mine, given)
    monkeypatch.setattr(torch.Tensor, "bfloat16", lambda self: self.clone())
    for one in given:
        for p, g in zip(theirs, one):
            p.grad = torch.tensor(g)
        other.step()
    for a, b in zip(after, theirs):
        np.testing.assert_allclose(a, b.detach().numpy(), rtol=1e-6, atol=1e-9)
    other.load_state_dict(as_torch(mine.state_dict(), torch))
    mine.load_state_dict(as_ours(other.state_dict(), torch))


def test_muon_makes_singular_values_close_to_one() -> None:
    w = tg.zeros(8, 5, dtype=tg.float64, requires_grad=True)
    optimizer = optim.Muon([w], lr=1.0, weight_decay=0.0, adjust_lr_fn="match_rms_adamw")
    w.grad = tg.tensor(np.random.default_rng(0).standard_normal((8, 5)) * np.logspace(0, 1, 5))
    optimizer.step()
    values = np.linalg.svd(w.detach().numpy(), compute_uv=False) / (0.2 * 8**0.5)
    assert 0.6 < values.min() <= values.max() < 1.3


def test_muon_takes_matrices_only() -> None:
    with pytest.raises(ArgumentError, match=r"Muon: parameter 1 has shape \(2,\), but only matrices"):
        optim.Muon([tg.zeros(2, 2, requires_grad=True), tg.zeros(2, requires_grad=True)])
