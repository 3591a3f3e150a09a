"""Optimizers as the notes write them (section 6): their spellings, three steps of each, and a race down a ravine.

Where a spelling of the notes is not PyTorch's, the class below is the recipe: an option, a subclass of one line, or a
rule of its own in three.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from common import start

import tinygrad_dl as tg
from tinygrad_dl import optim, viz

W, GRADIENTS = [1.0, -2.0], [[0.1, -0.2], [0.3, 0.4], [-0.2, 0.1]]
BETA = 0.9


class RateInside(optim.Optimizer):
    """S2's momentum: v = beta v + (1 - beta) lr g, w = w - v. A schedule then acts with a delay."""

    def __init__(self, params: Any, lr: float, beta: float = BETA) -> None:
        super().__init__(params, {"lr": lr, "beta": beta})

    def state_names(self, options: dict[str, Any]) -> tuple[str, ...]:
        return ("v",)

    def update(self, w: Any, g: Any, state: Any, options: Any, scratch: Any) -> None:
        v, beta = state["v"], options["beta"]
        v *= beta
        v += (1 - beta) * options["lr"] * g
        w -= v


class AdagradEpsInside(optim.Adagrad):
    """S3's AdaGrad: g / sqrt(G + eps)."""

    eps_in_root = True


class RMSpropEpsInside(optim.RMSprop):
    """S3's RMSProp: g / sqrt(S + eps)."""

    eps_in_root = True


class AdamEpsInside(optim.Adam):
    """S3's Adam: mh / sqrt(vh + eps)."""

    eps_in_root = True


# The notes' rules by the number of their trace, each as one line.
RULES: dict[str, tuple[str, Callable[[Any], optim.Optimizer]]] = {
    "O01": ("gradient descent", lambda p: optim.SGD(p, lr=0.1)),
    "O02": ("momentum, an average (S1, S0)", lambda p: optim.SGD(p, lr=0.1 * (1 - BETA), momentum=BETA)),
    "O03": ("momentum, rate inside (S2)", lambda p: RateInside(p, lr=0.1)),
    "O04": ("momentum (S3, PyTorch)", lambda p: optim.SGD(p, lr=0.1, momentum=BETA)),
    "O05": ("Nesterov", lambda p: optim.SGD(p, lr=0.1, momentum=BETA, nesterov=True)),
    "O07": ("AdaGrad", lambda p: optim.Adagrad(p, lr=0.1)),
    "O08": ("AdaGrad, eps in the root (S3)", lambda p: AdagradEpsInside(p, lr=0.1)),
    "O09": ("RMSProp", lambda p: optim.RMSprop(p, lr=0.01, alpha=0.9)),
    "O10": ("RMSProp, eps in the root (S3)", lambda p: RMSpropEpsInside(p, lr=0.01, alpha=0.9, eps=1e-7)),
    "O11": ("AdaDelta", lambda p: optim.Adadelta(p)),
    "O12": ("Adam", lambda p: optim.Adam(p, lr=0.01)),
    "O13": ("Adam, eps in the root (S3)", lambda p: AdamEpsInside(p, lr=0.01, eps=1e-7)),
    "O14": ("AdamW", lambda p: optim.AdamW(p, lr=0.01, weight_decay=0.1)),
    "O15": ("Adam, decay in the gradient", lambda p: optim.Adam(p, lr=0.01, weight_decay=0.1)),
    "O16": ("AdaMax, without eps", lambda p: optim.Adamax(p, lr=0.01, eps=0)),
    "O17": ("Nadam", lambda p: optim.NAdam(p, lr=0.01)),
    "O18": ("weight decay, lambda/m = 0.1", lambda p: optim.SGD(p, lr=0.1, weight_decay=0.1)),
}

RACERS: dict[str, Callable[[Any], optim.Optimizer]] = {
    "gradient descent": lambda p: optim.SGD(p, lr=0.9),
    "momentum": lambda p: optim.SGD(p, lr=0.2, momentum=0.8),
    "Nesterov": lambda p: optim.SGD(p, lr=0.2, momentum=0.8, nesterov=True),
    "AdaGrad": lambda p: optim.Adagrad(p, lr=1.0),
    "RMSProp": lambda p: optim.RMSprop(p, lr=0.2, alpha=0.9),
    "Adam": lambda p: optim.Adam(p, lr=0.5),
}


def three_steps(make: Callable[[Any], optim.Optimizer]) -> list[list[float]]:
    """w after each of three steps with given gradients."""
    w = tg.tensor(W, requires_grad=True)
    optimizer, path = make([w]), []
    for gradient in GRADIENTS:
        w.grad = tg.tensor(gradient)
        optimizer.step()
        path.append(w.tolist())
    return path


def nesterov(steps: int = 5, lr: float = 0.1, beta: float = BETA) -> dict[str, list[float]]:
    """f = w² from 1: the notes' iterates, and PyTorch's parameter, which is their look-ahead point w + beta m."""
    theta, m, thetas = 1.0, 0.0, []
    for _ in range(steps):
        m = beta * m - lr * 2 * (theta + beta * m)
        theta += m
        thetas.append(theta)
    w = tg.tensor(1.0, requires_grad=True)
    optimizer, look_ahead = optim.SGD([w], lr=lr, momentum=beta, nesterov=True), []
    for _ in range(steps):
        optimizer.zero_grad()
        (w * w).backward()
        optimizer.step()
        look_ahead.append(w.item())
    return {"theta": thetas, "look_ahead": look_ahead}


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Print the traces, run the race, draw it. Returns the numbers."""
    options = start("optimizers.py", __doc__, arguments)
    numbers: dict[str, Any] = {}
    print("w = (1, -2) after three steps with the gradients (0.1, -0.2), (0.3, 0.4), (-0.2, 0.1)\n")
    for name, (title, make) in RULES.items():
        numbers[name] = {"w": three_steps(make)}
        print(f"  {name}  {title:<32}" + "   ".join(f"{w:9.6f} {v:9.6f}" for w, v in numbers[name]["w"]))
    numbers["O06"] = nesterov()
    ran = viz.race(viz.ravine, (-10.0, 1.5), RACERS, 20 if options.quick else 60)
    numbers["race"] = ran.losses
    print("\nJ = w²/20 + b² from (-10, 1.5), after each tenth step")
    for name, losses in ran.losses.items():
        print(f"  {name:<17}" + "  ".join(f"{loss:9.2e}" for loss in losses[::10]))
    swings = {name: int(np.sum(np.diff(np.sign([b for _, b in path])) != 0)) for name, path in ran.paths.items()}
    print("Across the valley and back: " + ", ".join(f"{name} {count} times" for name, count in swings.items()))
    if not options.no_plots:
        try:
            ran.plot(options.output / "race.png")
            print(f"Drawn in {options.output}: race.png, {ran.animate(options.output / 'race.gif').name}")
        except tg.MissingPackageError as error:
            print(error)
    return numbers


if __name__ == "__main__":
    main()
