"""Averaged gradient descent: the mean of the weights of many steps, for the end of training."""

from typing import Any

import numpy as np

from tinygrad_dl.backend import Array
from tinygrad_dl.tensor import Tensor

from .optimizer import Optimizer, Params, step_gradient


class ASGD(Optimizer):
    """Averaged stochastic gradient descent.

        g = g + weight_decay * w
        w = (1 - lambd * eta) * w - eta * g         eta is lr in the first step
        ax = ax + (w - ax) * mu                     mu is 1 up to step t0 + 1, so that ax = w; then 1/2, 1/3, ...
        eta = lr / (1 + lambd * lr * t)^alpha       of the next step, and so is
        mu = 1 / max(1, t - t0)

    The weights go on by themselves; their mean is in the state, for the end. To use it:

        with tg.no_grad():
            for p in model.parameters():
                p.copy_(optimizer.state[p]["ax"])

    The notes (S2, N182) leave lr and w as they are and count from one step later: lambd=0 and t0 = (their t0) - 1.
    `swa_utils.AveragedModel` keeps a mean beside any optimizer.

    Arguments: params; lr (a number or a tensor of one); lambd; alpha; t0; weight_decay; maximize. foreach and
    capturable change nothing. State: "step", t; "eta"; "mu"; "ax". Raises ArgumentError for a negative lr or
    weight_decay; NotImplementedError for differentiable=True. Source: Polyak and Juditsky 1992; section 6 of the notes.

    >>> import tinygrad_dl as tg
    >>> w = tg.tensor([1.0], requires_grad=True)
    >>> optimizer = tg.optim.ASGD([w], lr=0.25, lambd=0, t0=0)
    >>> for _ in range(3):
    ...     optimizer.zero_grad(); (w * w).sum().backward(); optimizer.step()
    >>> w.detach(), optimizer.state[w]["ax"]
    (tensor([0.1250]), tensor([0.1875]))
    """

    not_negative = ("lr", "weight_decay", "lambd", "alpha", "t0")
    numbers = ("step", "eta", "mu")

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def state_names(self, options: dict[str, Any]) -> tuple[str, ...]:
        return ("step", "eta", "mu", "ax")

    def first_value(self, name: str, options: dict[str, Any]) -> float:
        return {"eta": float(options["lr"]), "mu": 1.0}.get(name, 0.0)

    def advance(self, numbers: dict[str, float], options: dict[str, Any]) -> None:
        numbers["rate"], numbers["weight"] = numbers["eta"], numbers["mu"]  # those of this step
        numbers["step"] = t = numbers["step"] + 1
        lr = options["lr"]
        numbers["eta"] = lr / (1 + options["lambd"] * lr * t) ** options["alpha"]
        numbers["mu"] = 1 / max(1, t - options["t0"])

    def update(
        self, w: Array, g: Array, state: dict[str, Any], options: dict[str, Any], scratch: tuple[Array, Array]
    ) -> None:
        spare, t = scratch
        eta, mu, mean = state["rate"], state["weight"], state["ax"]
        g = step_gradient(w, g, options, out=spare)
        w *= 1 - options["lambd"] * eta
        w -= np.multiply(g, eta, out=t)
        if mu == 1:
            mean[...] = w
        else:
            np.subtract(w, mean, out=t)
            t *= mu
            mean += t
