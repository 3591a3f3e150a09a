"""Schedules: the notes' numbers, PyTorch's rates over 40 epochs, saving, the order trap, what is refused."""

from __future__ import annotations

import copy
import json
import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl.errors import ArgumentError, ArgumentTypeError, StateDictError
from tinygrad_dl.optim import lr_scheduler
from tinygrad_dl.optim.lr_scheduler import (
    ChainedScheduler,
    ConstantLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    CyclicLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiplicativeLR,
    MultiStepLR,
    OneCycleLR,
    PolynomialLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)

DATA = Path(__file__).resolve().parent.parent / "data" / "worked_numbers.json"
WORKED = {entry["id"]: entry for entry in json.loads(DATA.read_text(encoding="utf-8"))}


def sgd(lr: Any = 0.1, **options: Any) -> Any:
    return tg.optim.SGD([tg.zeros(1, requires_grad=True)], lr=lr, **options)


def rates(optimizer: Any, scheduler: Any, epochs: int) -> list[float]:
    """The rate of each epoch, the first included."""
    found = [optimizer.param_groups[0]["lr"]]
    for _ in range(epochs):
        optimizer.step()
        scheduler.step()
        found.append(optimizer.param_groups[0]["lr"])
    return found


# --- the notes' numbers (section 7), each rule as its one-line recipe

RECIPES: dict[str, tuple[str, float, Callable[[Any], Any]]] = {
    "L01": ("lr", 0.1, lambda o: StepLR(o, step_size=3, gamma=0.5)),
    "L02": ("lr", 0.1, lambda o: MultiStepLR(o, milestones=[2, 5, 6], gamma=0.5)),
    "L03": ("lr", 0.1, lambda o: ExponentialLR(o, gamma=0.95)),
    "L04": ("lr", 0.1, lambda o: PolynomialLR(o, total_iters=8, power=2.0)),
    "L05": ("lr", 0.1, lambda o: ConstantLR(o, factor=1 / 3, total_iters=4)),
    "L06": ("lr", 0.1, lambda o: CosineAnnealingLR(o, T_max=10, eta_min=0.01)),
    "L07": ("lr", 0.1, lambda o: CyclicLR(o, base_lr=0.001, max_lr=0.006, step_size_up=4, cycle_momentum=False)),
    "L08": ("inverse_time", 0.2, lambda o: LambdaLR(o, lambda t: 1 / (1 + 1.0 * t))),
    "L08 root": ("inverse_sqrt", 0.2, lambda o: LambdaLR(o, lambda t: 1.0 / math.sqrt(t + 1))),
    "W066": ("lr", 0.1, lambda o: LinearLR(o, start_factor=0.1, total_iters=10)),
    "W067": ("chained", 1.0, lambda o: ChainedScheduler([ExponentialLR(o, 3 / 2), ExponentialLR(o, 2 / 3)])),
    "W067 s": ("sequential", 1.0, lambda o: SequentialLR(o, [ExponentialLR(o, 3 / 2), ExponentialLR(o, 2 / 3)], [3])),
}


@pytest.mark.parametrize("name", RECIPES)
def test_the_rates_of_the_notes(name: str) -> None:
    key, lr, make = RECIPES[name]
    expected = WORKED[name.split()[0]]["expected"][key]
    optimizer = sgd(lr)
    np.testing.assert_allclose(rates(optimizer, make(optimizer), len(expected) - 1), expected, rtol=1e-12, atol=1e-15)


def test_the_inverse_time_of_the_notes() -> None:
    """W060, from epoch 1."""
    optimizer = sgd(0.2)
    found = rates(optimizer, LambdaLR(optimizer, lambda t: 1 / (1 + t)), 4)
    np.testing.assert_allclose(found[1:], WORKED["W060"]["expected"]["alpha"], rtol=1e-12)


def test_the_range_test_of_the_notes() -> None:
    """W061: from 1e-5 to 10 in 500 iterations."""
    optimizer = sgd(1e-5)
    found = rates(optimizer, ExponentialLR(optimizer, gamma=math.exp(math.log(1e6) / 500)), 500)
    np.testing.assert_allclose([found[1], found[250], found[500]], WORKED["W061"]["expected"]["lr_after"], rtol=1e-9)


def test_the_plateau_of_the_notes() -> None:
    """L09."""
    entry, optimizer = WORKED["L09"], sgd(0.1)
    scheduler = ReduceLROnPlateau(optimizer, factor=0.1, patience=2)
    found = []
    for loss in entry["inputs"]["losses"]:
        scheduler.step(loss)
        found += scheduler.get_last_lr()
    np.testing.assert_allclose(found, entry["expected"]["lr_after"], rtol=1e-12)


# --- beside PyTorch

MAKERS: dict[str, Callable[..., Any]] = {
    "Lambda": lambda S, o, **k: S.LambdaLR(o, lambda t: 0.9**t, **k),
    "two lambdas": lambda S, o, **k: S.LambdaLR(o, [lambda t: 0.9**t, lambda t: 1 / (1 + t)], **k),
    "Multiplicative": lambda S, o, **k: S.MultiplicativeLR(o, lambda t: 0.9 + 0.01 * t, **k),
    "Step": lambda S, o, **k: S.StepLR(o, 3, 0.5, **k),
    "MultiStep": lambda S, o, **k: S.MultiStepLR(o, [7, 2, 7, 9], 0.5, **k),
    "Constant": lambda S, o, **k: S.ConstantLR(o, 0.4, 4, **k),
    "Linear": lambda S, o, **k: S.LinearLR(o, 0.2, 0.9, 6, **k),
    "Linear to 0": lambda S, o, **k: S.LinearLR(o, 1.0, 0.0, 6, **k),
    "Exponential": lambda S, o, **k: S.ExponentialLR(o, 0.9, **k),
    "Polynomial": lambda S, o, **k: S.PolynomialLR(o, 8, 2.0, **k),
    "Cosine": lambda S, o, **k: S.CosineAnnealingLR(o, 7, 0.01, **k),
    "Cosine to 0": lambda S, o, **k: S.CosineAnnealingLR(o, 10, **k),
    "restarts": lambda S, o: S.CosineAnnealingWarmRestarts(o, 3, 2, 0.01),
    "equal restarts": lambda S, o: S.CosineAnnealingWarmRestarts(o, 4),
    "triangular": lambda S, o: S.CyclicLR(o, 0.01, 0.1, 4),
    "triangular2": lambda S, o: S.CyclicLR(o, [0.01, 0.02], [0.1, 0.3], 4, 6, mode="triangular2"),
    "exp_range": lambda S, o: S.CyclicLR(o, 0.01, 0.1, 4, mode="exp_range", gamma=0.9, base_momentum=0.7),
    "scale_fn": lambda S, o: S.CyclicLR(o, 0.01, 0.1, 4, scale_fn=lambda x: 1 / x, cycle_momentum=False),
    "OneCycle": lambda S, o: S.OneCycleLR(o, 0.5, 41),
    "three phases": lambda S, o: S.OneCycleLR(
        o, [0.5, 0.7], epochs=6, steps_per_epoch=7, three_phase=True, anneal_strategy="linear"
    ),
    "chained": lambda S, o: S.ChainedScheduler(
        [S.ExponentialLR(o, 0.9), S.StepLR(o, 4, 0.5), S.LinearLR(o, 0.5, 1.0, 5)]
    ),
    "chained cosine": lambda S, o: S.ChainedScheduler([S.CosineAnnealingLR(o, 5, 0.01), S.ConstantLR(o, 0.3, 12)]),
    "sequential": lambda S, o: S.SequentialLR(
        o,
        [S.ConstantLR(o, 0.5, 3), S.ExponentialLR(o, 0.9), S.CosineAnnealingLR(o, 6)]
        + [S.CosineAnnealingWarmRestarts(o, 3, 2)],
        [4, 9, 20],
    ),
    "sequential 2": lambda S, o: S.SequentialLR(
        o,
        [S.LinearLR(o, 0.1, 1, 4), S.LambdaLR(o, lambda t: 1 / (1 + t))]
        + [S.MultiplicativeLR(o, lambda t: 0.9), S.CyclicLR(o, 0.01, 0.1, 3)],
        [4, 9, 20],
    ),
}
RESUMABLE = [name for name in MAKERS if name[0].isupper() and name != "OneCycle"]
MOMENTUM = ["triangular", "triangular2", "exp_range", "OneCycle", "three phases"]


def two_groups(lib: Any, kind: str = "SGD", as_tensor: bool = False) -> Any:
    options = {"momentum": 0.9} if kind == "SGD" else {}
    w, v = (lib.ones(2, requires_grad=True) for _ in range(2))
    lr = lib.tensor(0.1, dtype=lib.float64) if as_tensor else 0.1
    return getattr(lib.optim, kind)([{"params": [w]}, {"params": [v], "lr": 0.2}], lr=lr, **options)


def row(optimizer: Any, scheduler: Any) -> list[float]:
    """Rates and momenta of both groups."""
    found = [float(group["lr"]) for group in optimizer.param_groups] + [*map(float, scheduler.get_last_lr())]
    for group in optimizer.param_groups:
        found += [group["momentum"]] if "momentum" in group else list(group["betas"])
    return found


def follow(optimizer: Any, scheduler: Any, epochs: int = 40, change: bool = False) -> np.ndarray:
    rows = [row(optimizer, scheduler)]
    for epoch in range(epochs):
        optimizer.step()
        scheduler.step()
        if change and epoch == 5:
            for group in optimizer.param_groups:
                group["lr"] = 0.33
        rows.append(row(optimizer, scheduler))
    return np.array(rows)


def compare(torch: Any, name: str, **options: Any) -> None:
    change = options.pop("change", False)
    found = []
    for lib in (tg, torch):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyTorch warns of its own calls
            optimizer = two_groups(lib, **options)
            found.append(follow(optimizer, MAKERS[name](lib.optim.lr_scheduler, optimizer), change=change))
    np.testing.assert_allclose(*found, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("name", MAKERS)
def test_follows_pytorch(name: str) -> None:
    compare(pytest.importorskip("torch"), name)


@pytest.mark.parametrize("name", MAKERS)
def test_follows_pytorch_after_the_user_has_set_a_rate(name: str) -> None:
    compare(pytest.importorskip("torch"), name, change=True)


@pytest.mark.parametrize("name", ["Step", "Cosine", "triangular", "OneCycle", "sequential"])
def test_a_rate_in_a_tensor_follows_pytorch(name: str) -> None:
    compare(pytest.importorskip("torch"), name, as_tensor=True)


@pytest.mark.parametrize("name", MOMENTUM)
def test_the_first_beta_is_adams_momentum(name: str) -> None:
    compare(pytest.importorskip("torch"), name, kind="Adam")


@pytest.mark.parametrize("last_epoch", [0, 2, 3, 6, 8, 12])
@pytest.mark.parametrize("name", RESUMABLE)
def test_a_resumed_schedule_follows_pytorch(name: str, last_epoch: int) -> None:
    torch = pytest.importorskip("torch")
    found = []
    for lib in (tg, torch):
        optimizer = two_groups(lib)
        for group in optimizer.param_groups:
            group["initial_lr"], group["lr"] = group["lr"], 0.7 * group["lr"]
        scheduler = MAKERS[name](lib.optim.lr_scheduler, optimizer, last_epoch=last_epoch)
        found.append(follow(optimizer, scheduler))
    np.testing.assert_allclose(*found, rtol=1e-9, atol=1e-14)


PLATEAUS = [
    {"patience": 2},
    {"patience": 0, "cooldown": 3, "min_lr": [0.001, 0.05]},
    {"mode": "max", "patience": 1, "threshold": 0.1},
    {"mode": "max", "patience": 0, "threshold": 0.3, "cooldown": 2},
    {"mode": "max", "threshold_mode": "abs", "threshold": 0.5, "patience": 1},
    {"threshold_mode": "abs", "threshold": 0.3, "patience": 1, "factor": 0.5, "eps": 0.01},
]


@pytest.mark.parametrize("options", PLATEAUS, ids=str)
def test_the_plateau_follows_pytorch(options: dict) -> None:
    torch = pytest.importorskip("torch")
    numbers = np.random.default_rng(0).standard_normal(40) + 3 * np.sin(np.linspace(0, 9, 40))
    numbers[7] = math.nan
    found = []
    for lib in (tg, torch):
        optimizer = two_groups(lib)
        scheduler, rows = lib.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **options), []
        for number in numbers:
            scheduler.step(lib.tensor(number))
            rows.append([*scheduler.get_last_lr(), scheduler.best, scheduler.num_bad_epochs])
        found.append(np.array(rows))
    np.testing.assert_allclose(*found, rtol=1e-6)


@pytest.mark.parametrize("name", MAKERS)
def test_state_dicts_go_to_pytorch_and_come_back(name: str) -> None:
    torch = pytest.importorskip("torch")

    def made(lib: Any) -> tuple[Any, Any]:
        optimizer = two_groups(lib)
        return optimizer, MAKERS[name](lib.optim.lr_scheduler, optimizer)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours, theirs, again = made(tg), made(torch), made(tg)
        follow(*ours, epochs=11)
        for here, there in ((ours, theirs), (theirs, again)):
            there[1].load_state_dict(copy.deepcopy(here[1].state_dict()))
            for group, its in zip(there[0].param_groups, here[0].param_groups):
                group.update({key: value for key, value in its.items() if key != "params"})
        expected = follow(*ours, epochs=20)
        np.testing.assert_allclose(follow(*theirs, epochs=20), expected, rtol=1e-9, atol=1e-14)
        np.testing.assert_allclose(follow(*again, epochs=20), expected, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("name", MAKERS)
def test_a_checkpoint_holds_the_schedule(name: str, tmp_path: Path) -> None:
    def made() -> tuple[Any, Any]:
        optimizer = two_groups(tg)
        return optimizer, MAKERS[name](lr_scheduler, optimizer)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (optimizer, schedule), (other, again) = first, second = made(), made()
        follow(*first, epochs=11)
        tg.save({"optimizer": optimizer.state_dict(), "schedule": schedule.state_dict()}, tmp_path / "checkpoint")
        saved = tg.load(tmp_path / "checkpoint")
        other.load_state_dict(saved["optimizer"])
        again.load_state_dict(saved["schedule"])
        np.testing.assert_allclose(follow(*second, epochs=20), follow(*first, epochs=20), rtol=1e-12)


def test_all_names_of_pytorch_are_there() -> None:
    torch = pytest.importorskip("torch")
    assert {*torch.optim.lr_scheduler.__all__} <= {*lr_scheduler.__all__}
    assert lr_scheduler._LRScheduler is LRScheduler


# --- what else holds


class WarmUp(LRScheduler):
    """As users write them."""

    def __init__(self, optimizer: Any, steps: int, last_epoch: int = -1) -> None:
        self.steps = steps
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return [base * min(1.0, (self.last_epoch + 1) / self.steps) for base in self.base_lrs]


def test_a_schedule_of_the_user() -> None:
    optimizer = sgd(1.0)
    scheduler = WarmUp(optimizer, steps=4)
    assert rates(optimizer, scheduler, 5) == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    assert scheduler.state_dict()["steps"] == 4 and "optimizer" not in scheduler.state_dict()


def test_the_base_has_no_rule() -> None:
    with pytest.raises(NotImplementedError, match=r"LRScheduler: a subclass .* defines get_lr\(\)"):
        LRScheduler(sgd())


def test_a_step_of_the_schedule_before_one_of_the_optimizer_is_reported_by_name() -> None:
    optimizer = sgd()
    optimizer.step()  # before there was a schedule: does not count
    scheduler = StepLR(optimizer, 1)
    with pytest.warns(UserWarning, match=r"StepLR.step was called before SGD.step.* first rate .* is skipped"):
        scheduler.step()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        other = StepLR(optimizer, 1)
        optimizer.step()
        other.step()
        scheduler.step()


def test_an_epoch_given_to_step_moves_there_and_warns() -> None:
    optimizer = sgd(1.0)
    scheduler = StepLR(optimizer, 2, 0.5)
    optimizer.step()
    with pytest.warns(UserWarning, match="argument epoch will go"):
        scheduler.step(5)
    assert scheduler.get_last_lr() == [0.25] and scheduler.last_epoch == 5


def test_get_lr_outside_step_points_to_get_last_lr() -> None:
    scheduler = ExponentialLR(sgd(), 0.5)
    with pytest.warns(UserWarning, match=r"ExponentialLR.get_lr: what is set now is get_last_lr\(\)"):
        scheduler.get_lr()


def test_fractions_of_epochs_of_restarts_follow_pytorch() -> None:
    torch = pytest.importorskip("torch")
    found = []
    for lib in (tg, torch):
        optimizer = two_groups(lib)
        scheduler = lib.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 2, 3, 0.01)
        rows = []
        for epoch in (0.25, 0.5, 1.75, 2.0, 5.5, 8.25, 30.0, 1.5):
            scheduler.step(epoch)
            rows.append(row(optimizer, scheduler))
        rows += follow(optimizer, scheduler, 5).tolist()
        found.append(np.array(rows))
    np.testing.assert_allclose(*found, rtol=1e-9)


def test_a_function_object_is_saved_with_its_attributes() -> None:
    class Decay:
        def __init__(self, rate: float) -> None:
            self.rate = rate

        def __call__(self, t: int) -> float:
            return self.rate**t

    first, second = LambdaLR(sgd(), Decay(0.5)), LambdaLR(sgd(), Decay(0.9))
    assert first.state_dict()["lr_lambdas"] == [{"rate": 0.5}]
    second.load_state_dict(first.state_dict())
    assert second.lr_lambdas[0].rate == 0.5
    assert LambdaLR(sgd(), lambda t: 1.0).state_dict()["lr_lambdas"] == [None]


# --- what is refused


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda o: StepLR(o, 0), "StepLR: step_size is 0, but must be 1 or more"),
        (lambda o: LambdaLR(o, [lambda t: 1.0] * 2), r"lr_lambda has 2 values, but the optimizer has 1 group"),
        (lambda o: ConstantLR(o, factor=2), "factor is 2, but must be from 0 to 1"),
        (lambda o: LinearLR(o, start_factor=0), "start_factor is 0, but must be above 0"),
        (lambda o: LinearLR(o, end_factor=1.1), "end_factor is 1.1"),
        (lambda o: LinearLR(o, total_iters=0), "total_iters is 0"),
        (lambda o: PolynomialLR(o, total_iters=0), "total_iters is 0"),
        (lambda o: CosineAnnealingLR(o, 0), "T_max is 0"),
        (lambda o: CosineAnnealingWarmRestarts(o, 0), "T_0 is 0, but must be an integer from 1"),
        (lambda o: CosineAnnealingWarmRestarts(o, 1, 0), "T_mult is 0"),
        (lambda o: CyclicLR(o, 0.1, 1, mode="x"), "mode is 'x', but must be one of"),
        (lambda o: CyclicLR(o, 0.1, 1, step_size_up=0), "step_size_up is 0"),
        (lambda o: CyclicLR(o, [0.1, 0.2], 1), "base_lr has 2 values"),
        (lambda o: OneCycleLR(o, 0.1), "give total_steps, or both epochs and steps_per_epoch"),
        (lambda o: OneCycleLR(o, 0.1, -1), "total_steps is -1, but must be an integer above 0"),
        (lambda o: OneCycleLR(o, 0.1, epochs=3, steps_per_epoch=0), "steps_per_epoch is 0"),
        (lambda o: OneCycleLR(o, 0.1, 10, pct_start=2), "pct_start is 2"),
        (lambda o: OneCycleLR(o, 0.1, 10, anneal_strategy="x"), "anneal_strategy is 'x'"),
        (lambda o: ReduceLROnPlateau(o, factor=1.0), "factor is 1.0, but must be below 1"),
        (lambda o: ReduceLROnPlateau(o, mode="x"), "mode is 'x', but must be 'min' or 'max'"),
        (lambda o: ReduceLROnPlateau(o, threshold_mode="x"), "threshold_mode is 'x'"),
        (lambda o: ReduceLROnPlateau(o, min_lr=[0, 0]), "min_lr has 2 values"),
        (lambda o: ChainedScheduler([]), "at least one schedule is needed"),
        (lambda o: ChainedScheduler([StepLR(o, 1), StepLR(sgd(), 1)]), r"schedule 1 \(StepLR\) belongs to another SGD"),
        (lambda o: SequentialLR(o, [StepLR(o, 1)], [1]), r"1 schedules need 0 milestone\(s\), but 1 came"),
        (lambda o: SequentialLR(o, [StepLR(sgd(), 1)], []), "belongs to another SGD"),
        (lambda o: SequentialLR(o, [StepLR(o, 1), ReduceLROnPlateau(o)], [1]), "ReduceLROnPlateau, whose step needs"),
        (lambda o: SequentialLR(o, [StepLR(o, 1)] * 3, [5, 1]), r"milestones must rise, but are \[5, 1\]"),
    ],
)
def test_arguments_out_of_range(make: Callable[[Any], Any], words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        make(sgd())


@pytest.mark.parametrize(
    "make", [lambda o: StepLR(o, 1), lambda o: ReduceLROnPlateau(o), lambda o: ExponentialLR(o, 1)]
)
def test_what_is_no_optimizer_of_ours(make: Callable[[Any], Any]) -> None:
    class SGD:
        """Another library's."""

        param_groups: list[Any] = []

    with pytest.raises(ArgumentTypeError, match=r"LR.*: .*SGD is not an Optimizer of tinygrad_dl"):
        make(SGD())


@pytest.mark.parametrize("make", [lambda o: CyclicLR(o, 0.1, 1), lambda o: OneCycleLR(o, 0.1, 10)])
def test_momentum_that_an_optimizer_does_not_have(make: Callable[[Any], Any]) -> None:
    optimizer = tg.optim.Adagrad([tg.zeros(1, requires_grad=True)])
    with pytest.raises(ArgumentError, match="Adagrad has neither momentum nor betas; cycle_momentum=False"):
        make(optimizer)


def test_more_steps_than_one_cycle_has() -> None:
    optimizer = sgd(momentum=0.9)
    scheduler = OneCycleLR(optimizer, 0.1, 3)
    with pytest.raises(ArgumentError, match=r"OneCycleLR: 4 steps, but the cycle has total_steps=3"):
        rates(optimizer, scheduler, 5)


def test_resuming_needs_the_rates_of_the_start() -> None:
    with pytest.raises(KeyError, match=r"group 0 has no 'initial_lr'.* after epoch 3") as caught:
        StepLR(sgd(), 1, last_epoch=3)
    assert isinstance(caught.value, ArgumentError) and not str(caught.value).startswith("'")


def test_a_state_dict_of_another_schedule_or_optimizer() -> None:
    one = StepLR(sgd(), 1)
    with pytest.raises(StateDictError, match=r"ExponentialLR.load_state_dict: a dict is needed"):
        ExponentialLR(sgd(), 0.5).load_state_dict([])  # type: ignore[arg-type]
    with pytest.raises(StateDictError, match="nothing was loaded, the state dict has no T_max, eta_min"):
        CosineAnnealingLR(sgd(), 5).load_state_dict(one.state_dict())
    with pytest.raises(StateDictError, match=r"is for 2 group\(s\), the optimizer has 1"):
        one.load_state_dict(StepLR(two_groups(tg), 1).state_dict())
    optimizer = sgd()
    chained = ChainedScheduler([StepLR(optimizer, 1), ExponentialLR(optimizer, 0.5)])
    with pytest.raises(StateDictError, match=r"the state dict has 0 schedule\(s\), there are 2"):
        chained.load_state_dict({"_last_lr": [0.1]})
    swapped = chained.state_dict()
    swapped["_schedulers"].reverse()
    with pytest.raises(
        StateDictError, match=r"StepLR.load_state_dict: nothing was loaded, the state dict has no step_size"
    ):
        chained.load_state_dict(swapped)


def test_a_multiplied_rate_starts_as_it_is() -> None:
    optimizer = sgd(1.0)
    assert rates(optimizer, MultiplicativeLR(optimizer, lambda t: 0.5), 2) == [1.0, 0.5, 0.25]
