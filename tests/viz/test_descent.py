"""Schedules as curves and optimizers on a ravine: the numbers behind the pictures, and that they are drawn."""

from __future__ import annotations

import importlib.util
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl import optim, viz
from tinygrad_dl.errors import ArgumentError, MissingPackageError
from tinygrad_dl.optim import lr_scheduler as S

needs_matplotlib = pytest.mark.skipif(
    importlib.util.find_spec("matplotlib") is None, reason="Matplotlib is not installed"
)

RACERS: dict[str, Any] = {
    "SGD": lambda params: optim.SGD(params, lr=0.9),
    "momentum": lambda params: optim.SGD(params, lr=0.2, momentum=0.8),
    "RMSprop": lambda params: optim.RMSprop(params, lr=0.2, alpha=0.9),
    "Adam": lambda params: optim.Adam(params, lr=0.5),
    "L-BFGS": lambda params: optim.LBFGS(params, max_iter=1),
}
START = (-10.0, 1.5)


def sgd(lr: float = 1.0) -> Any:
    return optim.SGD([tg.zeros(3, requires_grad=True)], lr=lr, momentum=0.9)


# --- schedules


def test_looking_ahead_changes_nothing() -> None:
    optimizer = sgd()
    scheduler = S.OneCycleLR(optimizer, 1.0, 20)
    for _ in range(3):
        optimizer.step()
        scheduler.step()
    before = scheduler.state_dict() | {"lr": optimizer.param_groups[0]["lr"]}
    ahead = viz.schedule_rates(scheduler, 10)[0]
    assert scheduler.state_dict() | {"lr": optimizer.param_groups[0]["lr"]} == before
    real = [optimizer.param_groups[0]["lr"]]
    for _ in range(9):
        optimizer.step()
        scheduler.step()
        real.append(optimizer.param_groups[0]["lr"])
    assert ahead == real and scheduler.optimizer is optimizer


def test_each_group_has_its_curve() -> None:
    optimizer = optim.SGD([{"params": [tg.zeros(1, requires_grad=True)], "lr": lr} for lr in (1.0, 0.5)])
    assert viz.schedule_rates(S.StepLR(optimizer, 1, 0.5), 3) == [[1.0, 0.5, 0.25], [0.5, 0.25, 0.125]]


def test_the_plateau_needs_metrics() -> None:
    scheduler = S.ReduceLROnPlateau(sgd(), factor=0.5, patience=0)
    assert viz.schedule_rates(scheduler, 4, [1.0, 1.0, 0.5]) == [[1.0, 1.0, 0.5, 0.5]]
    with pytest.raises(ArgumentError, match="ReduceLROnPlateau needs metrics, one for each of the 3 steps"):
        viz.schedule_rates(scheduler, 4, [1.0])
    with pytest.raises(ArgumentError, match="steps is 0"):
        viz.schedule_rates(scheduler, 0)


@needs_matplotlib
def test_the_picture_of_a_schedule_has_its_rates(tmp_path: Path) -> None:
    figure = viz.plot_schedule(S.CosineAnnealingLR(sgd(), 10), 11, tmp_path / "new" / "cosine.png")
    (line,) = figure.axes[0].lines
    np.testing.assert_array_equal(line.get_ydata(), viz.schedule_rates(S.CosineAnnealingLR(sgd(), 10), 11)[0])
    assert (tmp_path / "new" / "cosine.png").read_bytes().startswith(b"\x89PNG")
    assert figure.axes[0].get_title() == "CosineAnnealingLR" and figure.axes[0].get_legend() is None


@needs_matplotlib
def test_several_schedules_in_one_picture(tmp_path: Path) -> None:
    schedules = {"step": S.StepLR(sgd(), 3), "exponential": S.ExponentialLR(sgd(), 0.9)}
    figure = viz.plot_schedule(schedules, 10, tmp_path / "both.svg", log=True)
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["step", "exponential"]
    assert figure.axes[0].get_yscale() == "log" and (tmp_path / "both.svg").exists()


# --- the race


def test_the_numbers_of_the_race() -> None:
    ran = viz.race(viz.ravine, START, RACERS, 40)
    for name, path in ran.paths.items():
        assert path[0] == START and len(path) == 41
        np.testing.assert_allclose([x * x / 20 + y * y for x, y in path], ran.losses[name], rtol=1e-9)
    # By hand: w <- (1 - lr / 10) w, b <- (1 - 2 lr) b.
    expected = [(-10 * 0.91**t, 1.5 * (-0.8) ** t) for t in range(41)]
    np.testing.assert_allclose(ran.paths["SGD"], expected, rtol=1e-9)


def test_what_the_notes_say_of_the_race() -> None:
    """Descent swings across the valley; momentum cancels that and moves along; RMSProp damps the steep direction."""
    ran = viz.race(viz.ravine, START, RACERS, 40)
    crossings = {
        name: sum(b * c < 0 for (_, b), (_, c) in pairwise(path) if abs(c) > 1e-3) for name, path in ran.paths.items()
    }
    assert crossings["SGD"] >= 20 and crossings["RMSprop"] < 5 and crossings["momentum"] < crossings["SGD"]
    first = {name: np.subtract(path[1], path[0]) for name, path in ran.paths.items()}
    assert abs(first["SGD"][1]) > 2 * abs(first["SGD"][0])  # the gradient points across
    for name in ("RMSprop", "Adam"):  # sizes are evened out
        assert first[name][0] == pytest.approx(-first[name][1], rel=1e-3)
    assert ran.losses["momentum"][-1] < ran.losses["SGD"][-1] < ran.losses["SGD"][0]
    assert ran.losses["L-BFGS"][-1] < 1e-9


def test_descent_stops_on_the_saddle_and_adam_leaves_it_first() -> None:
    """N027: f = x² − y² from beside the ridge."""
    ran = viz.race(lambda w: w[0] * w[0] - w[1] * w[1], (1.0, 1e-3), {k: RACERS[k] for k in ("SGD", "Adam")}, 20)
    slow = viz.race(lambda w: w[0] * w[0] - w[1] * w[1], (1.0, 1e-3), {"SGD": lambda p: optim.SGD(p, lr=0.1)}, 20)
    assert abs(slow.paths["SGD"][20][1]) < 0.05 < 1.0 < ran.paths["Adam"][20][1]


@needs_matplotlib
def test_the_race_as_a_picture_and_an_animation(tmp_path: Path) -> None:
    ran = viz.race(viz.ravine, START, RACERS, 5)
    figure = ran.plot(tmp_path / "race.png")
    lines = {line.get_label(): np.column_stack(line.get_data()) for line in figure.axes[0].lines}
    assert lines.keys() == RACERS.keys()
    np.testing.assert_array_equal(lines["Adam"], ran.paths["Adam"])
    assert (tmp_path / "race.png").read_bytes().startswith(b"\x89PNG")
    from PIL import Image

    with Image.open(ran.animate(tmp_path / "new" / "race.gif")) as picture:
        assert picture.n_frames == 6
    with pytest.raises(ArgumentError, match=r"ends in .gif, not 'race.mp4'"):
        ran.animate(tmp_path / "race.mp4")
    assert repr(ran) == "<race of SGD, momentum, RMSprop, Adam, L-BFGS over 5 steps>"


def test_a_start_is_two_numbers() -> None:
    with pytest.raises(ArgumentError, match=r"start is \(1.0,\), but must be two numbers"):
        viz.race(viz.ravine, (1.0,), RACERS, 1)


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingPackageError, match=r"plot_schedule: .* pip install 'tinygrad_dl\[viz\]'"):
        viz.plot_schedule(S.StepLR(sgd(), 1), 3)
