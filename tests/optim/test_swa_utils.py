"""Averages of weights: beside PyTorch's, their functions, batch normalisation, the schedule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl import nn, optim
from tinygrad_dl.errors import ArgumentError, StateDictError
from tinygrad_dl.optim import swa_utils
from tinygrad_dl.optim.swa_utils import SWALR, AveragedModel, get_ema_multi_avg_fn, get_swa_multi_avg_fn, update_bn

KINDS: dict[str, Any] = {
    "default": lambda S: {},
    "swa": lambda S: {"avg_fn": S.get_swa_avg_fn()},
    "swa of all": lambda S: {"multi_avg_fn": S.get_swa_multi_avg_fn()},
    "ema": lambda S: {"avg_fn": S.get_ema_avg_fn(0.9)},
    "ema of all": lambda S: {"multi_avg_fn": S.get_ema_multi_avg_fn(0.9)},
    "with buffers": lambda S: {"multi_avg_fn": S.get_ema_multi_avg_fn(0.5), "use_buffers": True},
}


def model_of(lib: Any) -> Any:
    net = lib.nn.Sequential(lib.nn.Linear(3, 2), lib.nn.Linear(2, 1))
    net.register_buffer("seen", lib.zeros(2, dtype=lib.float64))
    net.register_buffer("count", lib.zeros(1, dtype=lib.int64))
    return net.to(lib.float64)


@pytest.mark.parametrize("kind", KINDS)
def test_follows_pytorch(kind: str) -> None:
    torch = pytest.importorskip("torch")
    found = []
    for lib in (tg, torch):
        net, draw = model_of(lib), np.random.default_rng(0)
        averaged = lib.optim.swa_utils.AveragedModel(net, **KINDS[kind](lib.optim.swa_utils))
        with lib.no_grad():
            for step in range(6):
                for p in net.parameters():
                    p.copy_(lib.tensor(draw.standard_normal(tuple(p.shape))))
                net.seen += step + 1.0
                net.count += 3
                averaged.update_parameters(net)
        state = {name: np.array(value) for name, value in averaged.state_dict().items()}
        found.append((state, averaged(lib.ones(1, 3, dtype=lib.float64)).item()))
    (ours, mine), (theirs, other) = found
    tolerance = 1e-6 if kind == "swa of all" else 1e-9  # PyTorch divides by the count in float32 there
    assert list(ours) == list(theirs) and mine == pytest.approx(other, rel=10 * tolerance)
    for name, value in ours.items():
        np.testing.assert_allclose(value, theirs[name], rtol=tolerance, atol=tolerance / 10, err_msg=name)


def test_all_names_of_pytorch_are_there() -> None:
    assert {*swa_utils.__all__} == {*pytest.importorskip("torch").optim.swa_utils.__all__}


def test_the_average_is_a_copy_that_goes_on_after_loading() -> None:
    net = nn.Linear(2, 1)
    averaged = AveragedModel(net, multi_avg_fn=get_swa_multi_avg_fn())
    assert averaged.module is not net and int(averaged.n_averaged) == 0
    for value in (1.0, 2.0):
        nn.init.constant_(net.weight, value)
        averaged.update_parameters(net)
    again = AveragedModel(nn.Linear(2, 1))
    again.load_state_dict(averaged.state_dict())
    nn.init.constant_(net.weight, 6.0)
    again.update_parameters(net)
    assert again.module.weight.tolist() == [[3.0, 3.0]] and int(again.n_averaged) == 3
    assert averaged.module.weight.tolist() == [[1.5, 1.5]]


def test_an_average_may_live_on_another_device() -> None:
    net = nn.Linear(2, 1)
    averaged = AveragedModel(net, device="strict", multi_avg_fn=get_ema_multi_avg_fn(0.5))
    for value in (1.0, 2.0):
        nn.init.constant_(net.weight, value)
        averaged.update_parameters(net)
    assert averaged.module.weight.device == "strict" and averaged.module.weight.cpu().tolist() == [[1.5, 1.5]]


def test_what_is_refused() -> None:
    net = nn.Linear(2, 1)
    with pytest.raises(ArgumentError, match="only one can be used"):
        AveragedModel(net, avg_fn=swa_utils.get_swa_avg_fn(), multi_avg_fn=get_swa_multi_avg_fn())
    for make in (swa_utils.get_ema_avg_fn, get_ema_multi_avg_fn):
        with pytest.raises(ArgumentError, match=r"decay is 1\.5, but must be from 0 to 1"):
            make(1.5)
    with pytest.raises(StateDictError, match=r"shapes \[\(1, 2\), \(1,\)\], but the model has \[\(2, 2\), \(2,\)\]"):
        AveragedModel(net).update_parameters(nn.Linear(2, 2))
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    with pytest.raises(ArgumentError, match="anneal_strategy is 'x'"):
        SWALR(optimizer, 0.05, anneal_strategy="x")
    with pytest.raises(ArgumentError, match="anneal_epochs is -1"):
        SWALR(optimizer, 0.05, anneal_epochs=-1)


class Normalise(nn.Module):
    """Batch normalisation's running mean, as `update_bn` finds it."""

    running_mean: Any

    def __init__(self) -> None:
        super().__init__()
        self.momentum: float | None = 0.1
        self.register_buffer("running_mean", tg.zeros(2))
        self.reset_running_stats()

    def reset_running_stats(self) -> None:
        self.running_mean.zero_()
        self.batches = 0

    def forward(self, x: Any) -> Any:
        if self.training:
            self.batches += 1
            part = 1 / self.batches if self.momentum is None else self.momentum
            self.running_mean.mul_(1 - part).add_(x.mean(0).mul(part))
        return x - self.running_mean


def test_statistics_are_the_mean_over_all_batches() -> None:
    layer = Normalise()
    net = nn.Sequential(layer).eval()
    nn.init.constant_(layer.running_mean, 99.0)
    batches = [(tg.full((4, 2), value), "label") for value in (1.0, 2.0, 6.0)]
    update_bn(batches, net)
    assert layer.running_mean.tolist() == pytest.approx([3.0, 3.0])
    assert layer.momentum == 0.1 and not net.training


@pytest.mark.parametrize(
    "options", [{}, {"anneal_epochs": 3, "anneal_strategy": "linear"}, {"anneal_epochs": 0}], ids=str
)
@pytest.mark.parametrize("swa_lr", [0.05, [0.05, 0.3]])
def test_the_schedule_follows_pytorch(options: dict, swa_lr: Any) -> None:
    torch = pytest.importorskip("torch")
    found = []
    for lib in (tg, torch):
        w, v = (lib.zeros(1, requires_grad=True) for _ in range(2))
        optimizer = lib.optim.SGD([{"params": [w]}, {"params": [v], "lr": 0.2}], lr=0.1)
        beneath = lib.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
        scheduler = lib.optim.swa_utils.SWALR(optimizer, swa_lr, **options)
        rows = []
        for step in range(15):
            optimizer.step()
            if step < 4:
                beneath.step()
            scheduler.step()
            rows.append([group["lr"] for group in optimizer.param_groups])
        found.append(np.array(rows))
    np.testing.assert_allclose(*found, rtol=1e-9)
