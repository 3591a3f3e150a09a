"""RAdam: Adam that waits with its divisor until there are enough gradients for it."""

from typing import Any

import numpy as np

from tinygrad_dl.backend import Array
from tinygrad_dl.tensor import Tensor

from .optimizer import Optimizer, Params, average, average_square, root, step_gradient


class RAdam(Optimizer):
    """Rectified Adam.

        g = g + weight_decay * w                    decoupled_weight_decay: w = w - lr * weight_decay * w instead
        m = beta1 * m + (1 - beta1) * g             mh = m / (1 - beta1^t)
        v = beta2 * v + (1 - beta2) * g^2           n = 2 / (1 - beta2) - 1
        k = n - 2 * t * beta2^t / (1 - beta2^t)     how many gradients v is worth
        r = sqrt((k - 4) * (k - 2) * n / ((n - 4) * (n - 2) * k))
        w = w - lr * mh * r * sqrt(1 - beta2^t) / (sqrt(v) + eps)   where k > 5; else w = w - lr * mh

    Arguments: params; lr (a number or a tensor of one); betas (beta1, beta2); eps; weight_decay;
    decoupled_weight_decay; maximize. foreach and capturable change nothing.
    State: "step", t; "exp_avg", m; "exp_avg_sq", v. Raises ArgumentError for a negative option and for betas outside
    [0, 1); NotImplementedError for differentiable=True. Source: Liu et al. 2020; not in the notes.

    >>> import tinygrad_dl as tg
    >>> w = tg.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = tg.optim.RAdam([w], lr=0.1)
    >>> (w * w).sum().backward(); optimizer.step()  # still without the divisor
    >>> w.detach()
    tensor([ 0.8000, -1.6000])
    """

    not_negative = ("lr", "eps", "weight_decay", "betas")

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
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
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def state_names(self, options: dict[str, Any]) -> tuple[str, ...]:
        return ("step", "exp_avg", "exp_avg_sq")

    def update(
        self, w: Array, g: Array, state: dict[str, Any], options: dict[str, Any], scratch: tuple[Array, Array]
    ) -> None:
        spare, t = scratch
        (beta1, beta2), step = options["betas"], state["step"]
        m, v = state["exp_avg"], state["exp_avg_sq"]
        g = step_gradient(w, g, options, out=spare)
        average(m, g, beta1, t)
        average_square(v, g, beta2, t)
        rate = options["lr"] / (1 - beta1**step)
        n = 2 / (1 - beta2) - 1
        k = n - 2 * step * beta2**step / (1 - beta2**step)
        if k > 5:
            r = ((k - 4) * (k - 2) * n / ((n - 4) * (n - 2) * k)) ** 0.5
            np.divide(m, root(v, options["eps"], False, out=t), out=t)
            t *= rate * r * (1 - beta2**step) ** 0.5
        else:
            np.multiply(m, rate, out=t)
        w -= t
