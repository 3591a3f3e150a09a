"""NAdam: Adam with Nesterov's look ahead."""

from typing import Any

import numpy as np

from tinygrad_dl.backend import Array
from tinygrad_dl.tensor import Tensor

from .optimizer import Optimizer, Params, average, average_square, root, step_gradient


class NAdam(Optimizer):
    """NAdam.

        g = g + weight_decay * w                    decoupled_weight_decay: w = w - lr * weight_decay * w instead
        m = beta1 * m + (1 - beta1) * g             mu_t = beta1 * (1 - 0.5 * 0.96^(t * momentum_decay))
        v = beta2 * v + (1 - beta2) * g^2           P_t = mu_1 * ... * mu_t
        n = (1 - mu_t) * g / (1 - P_t) + mu_(t+1) * m / (1 - P_(t+1))
        w = w - lr * n / (sqrt(v / (1 - beta2^t)) + eps)

    The notes say only "Adam and Nesterov"; this is PyTorch's rule.

    Arguments: params; lr (a number or a tensor of one); betas (beta1, beta2); eps; weight_decay; momentum_decay;
    decoupled_weight_decay; maximize. foreach and capturable change nothing.
    State: "step", t; "mu_product", P_t; "exp_avg", m; "exp_avg_sq", v. Raises ArgumentError for a negative option and
    for betas outside [0, 1); NotImplementedError for differentiable=True. Source: Dozat 2016; section 6 of the course
    notes (N181).

    >>> import tinygrad_dl as tg
    >>> w = tg.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = tg.optim.NAdam([w], lr=0.1)
    >>> (w * w).sum().backward(); optimizer.step()
    >>> w.detach()
    tensor([ 0.8944, -1.8944])
    """

    not_negative = ("lr", "eps", "weight_decay", "momentum_decay", "betas")
    numbers = ("step", "mu_product")

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def state_names(self, options: dict[str, Any]) -> tuple[str, ...]:
        return ("step", "mu_product", "exp_avg", "exp_avg_sq")

    def first_value(self, name: str, options: dict[str, Any]) -> float:
        return 1.0 if name == "mu_product" else 0.0

    def advance(self, numbers: dict[str, float], options: dict[str, Any]) -> None:
        numbers["step"] = t = numbers["step"] + 1
        for name, time in (("mu", t), ("mu_next", t + 1)):
            numbers[name] = options["betas"][0] * (1 - 0.5 * 0.96 ** (time * options["momentum_decay"]))
        numbers["mu_product"] *= numbers["mu"]

    def update(
        self, w: Array, g: Array, state: dict[str, Any], options: dict[str, Any], scratch: tuple[Array, Array]
    ) -> None:
        spare, t = scratch
        lr, (beta1, beta2) = options["lr"], options["betas"]
        m, v = state["exp_avg"], state["exp_avg_sq"]
        mu, mu_next, P = state["mu"], state["mu_next"], state["mu_product"]
        g = step_gradient(w, g, options, out=spare)
        average(m, g, beta1, t)
        average_square(v, g, beta2, t)

        # As in Adam: sqrt(vh) + eps = (sqrt(v) + eps c) / c with c = sqrt(1 - beta2^t).
        c = (1 - beta2 ** state["step"]) ** 0.5
        root(v, options["eps"] * c, False, out=t)
        for part, weight in ((g, (1 - mu) / (1 - P)), (m, mu_next / (1 - P * mu_next))):
            np.multiply(part, lr * c * weight, out=spare)
            spare /= t
            w -= spare
