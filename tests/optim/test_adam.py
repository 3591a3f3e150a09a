"""Adam and AdamW: the notes' traces, PyTorch's numbers, its errors."""

from __future__ import annotations

import numpy as np
import pytest
from side_by_side import compare_with_torch, trace

import tinygrad_dl as tg
from tinygrad_dl.errors import ArgumentError
from tinygrad_dl.optim import Adam, AdamW

# Section 6 of the notes: id, options, the parameter after each step.
TRACES = {
    "O12": (
        Adam,
        {"lr": 0.01},
        [
            [0.9900000009999999, -1.9900000005],
            [0.9808221902205589, -1.9936610356546038],
            [0.9782431522889793, -1.9978175474963837],
        ],
    ),
    "O14": (
        AdamW,
        {"lr": 0.01, "weight_decay": 0.1},
        [
            [0.9890000009999999, -1.9880000005],
            [0.978833190219559, -1.989673035654104],
            [0.9752753190977598, -1.9918398744602297],
        ],
    ),
    "O15": (
        Adam,
        {"lr": 0.01, "weight_decay": 0.1},
        [
            [0.9900000004999999, -1.99000000025],
            [0.9803455136142577, -1.9873559274772667],
            [0.9744938143494155, -1.983983034921308],
        ],
    ),
}


@pytest.mark.parametrize("name", TRACES)
def test_traces_of_the_notes(name: str) -> None:
    kind, options, expected = TRACES[name]
    np.testing.assert_allclose(list(trace(lambda params: kind(params, **options))), expected, rtol=1e-12)


def test_the_program_of_the_notes() -> None:
    """W068: J = w^2 - 10 w + 25 from w = 0, 1000 steps of Adam(0.1)."""
    w = tg.tensor(0.0, dtype=tg.float64, requires_grad=True)
    optimizer = Adam([w], 0.1)
    for _ in range(1000):
        optimizer.zero_grad()
        (w * w - 10 * w + 25).backward()
        optimizer.step()
    assert w.item() == pytest.approx(5.0, abs=1e-9)


OPTIONS = [
    {},
    {"weight_decay": 0.1},
    {"amsgrad": True},
    {"amsgrad": True, "maximize": True, "weight_decay": 0.01},
    {"decoupled_weight_decay": True, "weight_decay": 0.1},
    {"eps": 1e-2, "betas": (0.5, 0.7)},
    {"betas": (0.0, 0.9)},
    {"foreach": True},
    {"fused": True},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_adam_follows_pytorch(options: dict) -> None:
    torch = pytest.importorskip("torch")
    compare_with_torch("Adam", {"lr": 0.01, **options}, {"lr": 0.05}, torch)


@pytest.mark.parametrize("options", [{}, {"weight_decay": 0.3, "amsgrad": True}, {"maximize": True}], ids=str)
def test_adamw_follows_pytorch(options: dict) -> None:
    torch = pytest.importorskip("torch")
    compare_with_torch("AdamW", {"lr": 0.01, **options}, {"weight_decay": 0.0}, torch)


def test_defaults_are_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    for name in ("Adam", "AdamW"):
        ours = getattr(tg.optim, name)([tg.zeros(1, requires_grad=True)]).defaults
        assert ours == getattr(torch.optim, name)([torch.zeros(1, requires_grad=True)]).defaults


def test_the_first_step_has_the_size_of_the_rate() -> None:
    w = tg.tensor([0.0, 0.0, 0.0], requires_grad=True)
    optimizer = Adam([w], lr=0.5)
    w.grad = tg.tensor([1e-3, 1.0, -1e3])
    optimizer.step()
    np.testing.assert_allclose(w.detach().numpy(), [-0.5, -0.5, 0.5], rtol=1e-4)


def test_state_has_pytorchs_names_and_shapes() -> None:
    w = tg.zeros(2, 3, requires_grad=True)
    optimizer = Adam([w], amsgrad=True)
    w.grad = tg.ones(2, 3)
    optimizer.step()
    state = optimizer.state[w]
    assert list(state) == ["step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"]
    assert state["step"].item() == 1.0 and state["step"].shape == () and state["step"].dtype is tg.float32
    assert all(state[name].shape == (2, 3) for name in list(state)[1:])


def test_amsgrad_may_be_switched_on_later() -> None:
    w = tg.zeros(2, requires_grad=True)
    optimizer = Adam([w])
    for amsgrad in (False, True, True):
        w.grad = tg.ones(2)
        optimizer.param_groups[0]["amsgrad"] = amsgrad
        optimizer.step()
    assert optimizer.state[w]["step"].item() == 3.0
    assert optimizer.state[w]["max_exp_avg_sq"].tolist() == optimizer.state[w]["exp_avg_sq"].tolist()


def test_tensors_as_betas() -> None:
    w, u = (tg.tensor([1.0], requires_grad=True) for _ in range(2))
    for p, betas in ((w, (tg.tensor(0.5), tg.tensor(0.75))), (u, (0.5, 0.75))):
        optimizer = Adam([p], betas=betas)
        for g in (1.0, -3.0):
            p.grad = tg.tensor([g])
            optimizer.step()
    assert w.item() == u.item()


def test_a_square_beyond_float16_does_not_overflow() -> None:
    w = tg.zeros(3, dtype=tg.float16, requires_grad=True)
    optimizer = Adam([w], lr=0.5)
    w.grad = tg.full((3,), 300.0, dtype=tg.float16)  # 300^2 is above the largest float16
    optimizer.step()
    np.testing.assert_allclose(w.detach().numpy(), -0.5, rtol=2e-3)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"lr": -1.0}, "Adam: lr is -1.0, but must be 0 or more"),
        ({"eps": -1e-8}, "eps is -1e-08"),
        ({"weight_decay": -1}, "weight_decay is -1"),
        ({"betas": (1.0, 0.999)}, r"betas\[0\] is 1.0, but must be at least 0 and less than 1"),
        ({"betas": (0.9, -0.1)}, r"betas\[1\] is -0.1"),
        ({"betas": (0.9,)}, r"betas is \(0.9,\), but must be a pair \(beta1, beta2\)"),
        ({"betas": 0.9}, "betas is 0.9, but must be a pair"),
    ],
)
def test_options_out_of_range(options: dict, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        Adam([tg.zeros(1, requires_grad=True)], **options)


def test_a_recorded_step_is_refused() -> None:
    with pytest.raises(NotImplementedError, match=r"AdamW: differentiable=True .* create_graph=True"):
        AdamW([tg.zeros(1, requires_grad=True)], differentiable=True)
