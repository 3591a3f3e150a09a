"""Learning-rate schedules (section 7 of the notes): a one-line recipe for each rule, its rates, and its curve."""

import math
from collections.abc import Callable
from typing import Any

from common import start

import tinygrad_dl as tg
from tinygrad_dl import optim, viz
from tinygrad_dl.optim import lr_scheduler as S

# Name: number in the notes, the first rate, and the recipe. t counts from 0.
RECIPES: dict[str, tuple[str, float, Callable[[Any], Any]]] = {
    "inverse time": ("L08", 0.2, lambda o: S.LambdaLR(o, lambda t: 1 / (1 + 1.0 * t))),
    "exponential": ("L03", 0.1, lambda o: S.ExponentialLR(o, gamma=0.95)),
    "inverse root": ("L08", 0.2, lambda o: S.LambdaLR(o, lambda t: 1 / math.sqrt(t + 1))),
    "step": ("L01", 0.1, lambda o: S.StepLR(o, step_size=3, gamma=0.5)),
    "multi-step": ("L02", 0.1, lambda o: S.MultiStepLR(o, milestones=[2, 5, 6], gamma=0.5)),
    "polynomial": ("L04", 0.1, lambda o: S.PolynomialLR(o, total_iters=8, power=2)),
    "linear": ("W066", 0.1, lambda o: S.LinearLR(o, start_factor=0.1, total_iters=10)),
    "constant": ("L05", 0.1, lambda o: S.ConstantLR(o, factor=1 / 3, total_iters=4)),
    "cosine": ("L06", 0.1, lambda o: S.CosineAnnealingLR(o, T_max=10, eta_min=0.01)),
    "cyclic": ("L07", 0.1, lambda o: S.CyclicLR(o, 0.001, 0.006, step_size_up=4, cycle_momentum=False)),
    "chained": ("W067", 1.0, lambda o: S.ChainedScheduler([S.ExponentialLR(o, 3 / 2), S.ExponentialLR(o, 2 / 3)])),
    "sequential": (
        "W067",
        1.0,
        lambda o: S.SequentialLR(o, [S.ExponentialLR(o, 3 / 2), S.ExponentialLR(o, 2 / 3)], [3]),
    ),
    "range test": ("W061", 1e-5, lambda o: S.ExponentialLR(o, gamma=math.exp(math.log(1e6) / 500))),
    "warm restarts": ("not in the notes", 0.1, lambda o: S.CosineAnnealingWarmRestarts(o, T_0=4)),
    "one cycle": ("named only", 0.1, lambda o: S.OneCycleLR(o, max_lr=0.1, total_steps=40, cycle_momentum=False)),
}
LOSSES = [1.0, 0.8, 0.7, 0.71, 0.72, 0.73, 0.74, 0.69, 0.7, 0.7]  # L09


def optimizer(lr: float) -> optim.Optimizer:
    return optim.SGD([tg.zeros(1, requires_grad=True)], lr=lr)


def by_hand(epochs: int = 9) -> list[float]:
    """The discrete staircase by hand: assign the rate."""
    sgd, rates = optimizer(0.1), []
    for epoch in range(epochs):
        if epoch and epoch % 3 == 0:
            sgd.param_groups[0]["lr"] /= 2
        rates.append(sgd.param_groups[0]["lr"])
    return rates


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Print the rates of each schedule, draw them. Returns the numbers."""
    options = start("schedules.py", __doc__, arguments)
    numbers: dict[str, Any] = {"by hand": by_hand()}
    for name, (id, lr, make) in RECIPES.items():
        (numbers[name],) = viz.schedule_rates(make(optimizer(lr)), 501 if name == "range test" else 12)
        print(f"  {id:<5} {name:<14}" + " ".join(f"{rate:<7.4g}" for rate in numbers[name][:10]))
        if not options.no_plots:
            try:
                viz.plot_schedule({name: make(optimizer(lr))}, 40, options.output / f"{name.replace(' ', '_')}.png")
            except tg.MissingPackageError as error:
                print(error)
                options.no_plots = True
    plateau = S.ReduceLROnPlateau(optimizer(0.1), factor=0.1, patience=2)
    numbers["plateau"] = viz.schedule_rates(plateau, len(LOSSES) + 1, LOSSES)[0][1:]
    print(f"  L09   {'plateau':<14}" + " ".join(f"{rate:<7.4g}" for rate in numbers["plateau"]))
    return numbers


if __name__ == "__main__":
    main()
