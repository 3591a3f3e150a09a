"""What section 6 of the notes says of optimizers: traces, averages, and the claims that can be measured."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from side_by_side import trace

import tinygrad_dl as tg
from tinygrad_dl import nn, optim

DATA = Path(__file__).resolve().parent.parent / "data" / "worked_numbers.json"
WORKED = {entry["id"]: entry for entry in json.loads(DATA.read_text(encoding="utf-8"))}

BETA = 0.9


class EpsInRootAdagrad(optim.Adagrad):
    eps_in_root = True


class EpsInRootRMSprop(optim.RMSprop):
    eps_in_root = True


class EpsInRootAdam(optim.Adam):
    eps_in_root = True


TRACES: dict[str, Callable[[list[Any]], Any]] = {
    "O01": lambda params: optim.SGD(params, lr=0.1),
    "O02": lambda params: optim.SGD(params, lr=0.1 * (1 - BETA), momentum=BETA),
    "O04": lambda params: optim.SGD(params, lr=0.1, momentum=BETA),
    "O05": lambda params: optim.SGD(params, lr=0.1, momentum=BETA, nesterov=True),
    "O07": lambda params: optim.Adagrad(params, lr=0.1),
    "O08": lambda params: EpsInRootAdagrad(params, lr=0.1),
    "O09": lambda params: optim.RMSprop(params, lr=0.01, alpha=0.9),
    "O10": lambda params: EpsInRootRMSprop(params, lr=0.01, alpha=0.9, eps=1e-7),
    "O11": lambda params: optim.Adadelta(params),
    "O12": lambda params: optim.Adam(params, lr=0.01),
    "O13": lambda params: EpsInRootAdam(params, lr=0.01, eps=1e-7),
    "O14": lambda params: optim.AdamW(params, lr=0.01, weight_decay=0.1),
    "O15": lambda params: optim.Adam(params, lr=0.01, weight_decay=0.1),
    "O16": lambda params: optim.Adamax(params, lr=0.01, eps=0),
    "O17": lambda params: optim.NAdam(params, lr=0.01),
    "O18": lambda params: optim.SGD(params, lr=0.1, weight_decay=0.1),
}


@pytest.mark.parametrize("name", TRACES)
def test_traces(name: str) -> None:
    expected = WORKED[name]["expected"]["w"]
    default = tg.get_default_dtype()
    tg.set_default_dtype(tg.float64)  # of NAdam's product, which is kept in the default dtype
    try:
        np.testing.assert_allclose(list(trace(TRACES[name])), expected, rtol=1e-12)
    finally:
        tg.set_default_dtype(default)


def test_adafactor_on_a_matrix() -> None:
    """O19."""
    entry = WORKED["O19"]
    w = tg.tensor(entry["inputs"]["w0"], dtype=tg.float64, requires_grad=True)
    optimizer = optim.Adafactor([w], lr=0.01, eps=(1e-30, 1e-3))
    for g, expected in zip(entry["inputs"]["gradients"], entry["expected"]["w"]):
        w.grad = tg.tensor(g, dtype=tg.float64)
        optimizer.step()
        np.testing.assert_allclose(w.detach().numpy(), expected, rtol=1e-9)


def test_the_mean_of_averaged_sgd() -> None:
    """W052: from t0 = 100 on. PyTorch's t0 is one less; rates make the weights the table's."""
    entry = WORKED["W052"]
    w = tg.tensor([0.0], dtype=tg.float64, requires_grad=True)
    optimizer = optim.ASGD([w], lr=1.0, lambd=0, t0=99)
    targets = [0.0] * 100 + entry["inputs"]["theta"]
    means = []
    for target in targets:
        w.grad = w.detach() - target  # a step of rate 1 leads there
        optimizer.step()
        means.append(optimizer.state[w]["ax"].item())
    np.testing.assert_allclose(means[100:], entry["expected"]["average"], rtol=1e-6)


# --- averages


def averages(beta: float, values: list[float]) -> list[float]:
    """v = beta v + (1 - beta) x, read off a momentum: with dampening beta, but for PyTorch's undamped first step."""
    w = tg.zeros(1, dtype=tg.float64, requires_grad=True)
    optimizer = optim.SGD([w], lr=1.0, momentum=beta, dampening=beta)
    optimizer.state[w]["momentum_buffer"] = tg.zeros(1, dtype=tg.float64)
    found = []
    for x in values:
        w.grad = tg.tensor([x], dtype=tg.float64)
        optimizer.step()
        found.append(optimizer.state[w]["momentum_buffer"].item())
    return found


def test_weighted_averages_and_their_correction() -> None:
    """W056, W057, W058."""
    entry = WORKED["W056"]
    v = averages(0.98, entry["inputs"]["theta"])
    corrected = [v[0] / (1 - 0.98), v[1] / (1 - 0.98**2)]
    expected = [entry["expected"]["v1_corrected"], entry["expected"]["v2_corrected"]]
    np.testing.assert_allclose(corrected, expected, rtol=1e-12)
    np.testing.assert_allclose(averages(0.9, WORKED["W057"]["inputs"]["theta"]), WORKED["W057"]["expected"]["v"])
    weights = averages(0.9, [1.0] + [0.0] * 4)
    np.testing.assert_allclose(weights, WORKED["W058"]["expected"]["weights"], rtol=1e-12)


@pytest.mark.parametrize(("beta", "window"), zip([0.5, 0.9, 0.98, 0.99, 0.999], [2, 10, 50, 100, 1000]))
def test_the_window_of_a_momentum(beta: float, window: int) -> None:
    """W059: beyond 1 / (1 - beta) steps, less than 1/e of the weight is left (and 1/e nearly, for beta near 1)."""
    assert WORKED["W059"]["expected"]["window"][[0.5, 0.9, 0.98, 0.99, 0.999].index(beta)] == pytest.approx(window)
    impulse = averages(beta, [1.0] + [0.0] * window)
    left = impulse[window] / impulse[0]
    assert left < 1 / math.e and left == pytest.approx(1 / math.e, rel=0.7 * (1 - beta) + 1e-9)


def test_a_constant_slope_ends_in_a_constant_speed() -> None:
    """The ball's terminal velocity is lr g / (1 - beta)."""
    w = tg.zeros(1, dtype=tg.float64, requires_grad=True)
    optimizer = optim.SGD([w], lr=0.1, momentum=0.9)
    places = []
    for _ in range(200):
        w.grad = tg.tensor([2.0], dtype=tg.float64)
        optimizer.step()
        places.append(w.item())
    assert places[-2] - places[-1] == pytest.approx(0.1 * 2.0 / (1 - 0.9), rel=1e-6)
    assert places[0] == pytest.approx(-0.1 * 2.0)


def test_bias_correction_makes_the_first_step_one_rate_long() -> None:
    """Without it, sqrt(v) is too small by sqrt(1 - beta2) = 1/32 but m by 1/10: steps three times as long."""
    w = tg.zeros(3, dtype=tg.float64, requires_grad=True)
    optimizer = optim.Adam([w], lr=0.5)
    w.grad = tg.tensor([1e-3, 1.0, -1e3], dtype=tg.float64)
    optimizer.step()
    np.testing.assert_allclose(w.detach().numpy(), [-0.5, -0.5, 0.5], rtol=1e-4)
    state = optimizer.state[w]
    uncorrected = 0.5 * state["exp_avg"].numpy() / (np.sqrt(state["exp_avg_sq"].numpy()) + 1e-8)
    np.testing.assert_allclose(np.abs(uncorrected), 0.5 * 0.1 / math.sqrt(0.001), rtol=1e-3)


# --- rates on a quadratic


def after(steps: int, make: Callable[[list[Any]], Any], curvature: float) -> float:
    w = tg.tensor([1.0], dtype=tg.float64, requires_grad=True)
    optimizer = make([w])
    for _ in range(steps):
        optimizer.zero_grad()
        (0.5 * curvature * w * w).sum().backward()
        optimizer.step()
    return abs(w.item())


@pytest.mark.parametrize("curvature", [1.0, 50.0])
def test_rates_below_two_over_the_curvature_converge_and_those_above_diverge(curvature: float) -> None:
    """w <- (1 - lr h) w: the error shrinks by |1 - lr h| a step."""
    for part in (0.1, 0.5, 1.0, 1.5, 1.9):
        lr = part / curvature
        assert after(50, lambda p, lr=lr: optim.SGD(p, lr=lr), curvature) == pytest.approx(abs(1 - part) ** 50)
    assert after(50, lambda p: optim.SGD(p, lr=2.0 / curvature), curvature) == pytest.approx(1.0)  # to and fro
    assert after(50, lambda p: optim.SGD(p, lr=2.1 / curvature), curvature) == pytest.approx(1.1**50)


def test_momentum_stands_larger_rates() -> None:
    """The bound is 2 (1 + beta) / h."""
    bound = 2 * (1 + 0.9)
    assert after(300, lambda p: optim.SGD(p, lr=0.97 * bound, momentum=0.9), 1.0) < 1e-3
    assert after(300, lambda p: optim.SGD(p, lr=1.03 * bound, momentum=0.9), 1.0) > 1e3


def test_decay_in_the_gradient_and_in_the_loss_are_one_for_sgd_and_apart_for_adamw() -> None:
    """Section 8.1: the penalty lambda/2 |w|^2 in the loss is weight_decay=lambda for SGD and Adam, not for AdamW."""

    def trained(kind: Any, penalty: float, **options: Any) -> list[float]:
        w = tg.tensor([1.0, -2.0], dtype=tg.float64, requires_grad=True)
        optimizer = kind([w], lr=0.05, **options)
        for _ in range(20):
            optimizer.zero_grad()
            ((w - 3) ** 2).sum().add(penalty / 2 * (w * w).sum()).backward()
            optimizer.step()
        return w.tolist()

    for kind in (optim.SGD, optim.Adam):
        np.testing.assert_allclose(trained(kind, 0.3, weight_decay=0), trained(kind, 0, weight_decay=0.3), rtol=1e-9)
    assert abs(trained(optim.AdamW, 0, weight_decay=0.3)[0] - trained(optim.Adam, 0.3)[0]) > 1e-3


# --- initialisation (section 5)


def test_variances_and_limits() -> None:
    """W153: fan_in 300, fan_out 100."""
    expected, tg_seed = WORKED["W153"]["expected"], tg.manual_seed
    for name, kind in (("lecun", "lecun"), ("glorot", "xavier"), ("he", "kaiming")):
        options = {"nonlinearity": "relu"} if kind == "kaiming" else {}
        tg_seed(0)
        normal = getattr(nn.init, f"{kind}_normal_")(tg.empty(100, 300), **options).numpy()
        uniform = getattr(nn.init, f"{kind}_uniform_")(tg.empty(100, 300), **options).numpy()
        assert normal.var() == pytest.approx(expected[f"{name}_var"], rel=0.03)
        assert uniform.var() == pytest.approx(expected[f"{name}_var"], rel=0.03)
        assert np.abs(uniform).max() == pytest.approx(expected[f"{name}_limit"], rel=1e-3)


def deep(init: Callable[[Any], Any], activation: Callable[[Any], Any], layers: int = 50, width: int = 256) -> float:
    """By what the mean square of the signal is multiplied from the first hidden layer to the last."""
    tg.manual_seed(0)
    x = tg.randn(64, width, dtype=tg.float64)
    first = None
    for _ in range(layers):
        x = activation(x @ init(tg.empty(width, width, dtype=tg.float64)).T)
        first = (x * x).mean().item() if first is None else first
    return (x * x).mean().item() / first


def he(w: Any) -> Any:
    return nn.init.kaiming_normal_(w, nonlinearity="relu")


def test_he_keeps_the_signal_through_fifty_layers_of_relu_and_xavier_does_not() -> None:
    assert 0.2 < deep(he, tg.relu) < 5
    assert 0.2 < deep(lambda w: nn.init.kaiming_uniform_(w, nonlinearity="relu"), tg.relu) < 5
    assert deep(nn.init.xavier_normal_, tg.relu) < 1e-12  # halved in each layer: 2^-49 = 1.8e-15
    assert deep(lambda w: nn.init.normal_(w, std=0.01), tg.relu) < 1e-80


def test_xavier_and_lecun_keep_the_signal_through_fifty_linear_layers_and_others_do_not() -> None:
    for keep in (nn.init.xavier_normal_, nn.init.xavier_uniform_, nn.init.lecun_normal_, nn.init.lecun_uniform_):
        assert 0.2 < deep(keep, lambda x: x) < 5
    assert deep(he, lambda x: x) > 1e12  # doubled in each layer
    assert deep(nn.init.kaiming_uniform_, lambda x: x) > 1e12  # its default gain is that of ReLU
    default = lambda w: nn.init.kaiming_uniform_(w, a=math.sqrt(5))  # noqa: E731  # nn.Linear's own
    assert deep(default, lambda x: x) < 1e-20  # a third in each layer


def test_tanh_saturates_when_weights_are_large_and_fades_slowly_with_lecuns() -> None:
    tg.manual_seed(0)
    x = tg.randn(64, 256)
    large = tg.tanh(x @ nn.init.normal_(tg.empty(256, 256), std=1.0).T)
    assert (large.abs() > 0.99).float().mean().item() > 0.8
    assert 0.01 < deep(nn.init.lecun_normal_, tg.tanh) < 1


def test_a_deep_linear_net_of_scaled_identities() -> None:
    """W154: 1.5 I and 0.5 I in L - 1 layers; W053: 0.9 and 1.1 to the power 150."""
    for scale, layers, expected in (
        (1.5, 50, WORKED["W154"]["expected"]["growth"]),
        (0.5, 50, WORKED["W154"]["expected"]["decay"]),
        (0.9, 151, WORKED["W053"]["expected"]["vanished"]),
        (1.1, 151, WORKED["W053"]["expected"]["exploded"]),
    ):
        x = tg.ones(2, dtype=tg.float64)
        for _ in range(layers - 1):
            x = (nn.init.eye_(tg.empty(2, 2, dtype=tg.float64)) * scale) @ x
        assert x[0].item() == pytest.approx(expected, rel=1e-9)


def test_equal_weights_stay_equal_for_ever() -> None:
    """Symmetry: units that start equal get equal gradients; random ones part."""
    tg.manual_seed(0)
    x, y = tg.randn(16, 3), tg.randn(16, 1)
    for start, equal in ((0.3, True), (None, False)):
        net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
        if start is not None:
            for p in net.parameters():
                nn.init.constant_(p, start)
        optimizer = optim.Adam(net.parameters(), lr=0.05)
        for _ in range(30):
            optimizer.zero_grad()
            ((net(x) - y) ** 2).mean().backward()
            optimizer.step()
        spread = np.ptp(net[0].weight.detach().numpy(), axis=0)
        assert bool((spread == 0).all()) is equal
