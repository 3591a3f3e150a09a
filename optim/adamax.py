"""AdaMax: Adam with the largest gradient so far in place of the mean square."""

from typing import Any

import numpy as np

from tinygrad_dl.backend import Array
from tinygrad_dl.tensor import Tensor

from .optimizer import Optimizer, Params, average, step_gradient


class Adamax(Optimizer):
    """AdaMax.

        g = g + weight_decay * w
        m = beta1 * m + (1 - beta1) * g
        u = max(beta2 * u, |g| + eps)
        w = w - lr / (1 - beta1^t) * m / u

    The notes' S3 (N180) has no eps, which eps=0 gives, and forgets the absolute value.

    Arguments: params; lr (a number or a tensor of one); betas (beta1, beta2); eps; weight_decay; maximize. foreach and
    capturable change nothing. State: "step", t; "exp_avg", m; "exp_inf", u. Raises ArgumentError for a negative lr, eps
    or weight_decay and for betas outside [0, 1); NotImplementedError for differentiable=True. Source: Kingma and Ba
    2015; the course notes, section 6 (N180).

    >>> import tinygrad_dl as tg
    >>> w = tg.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = tg.optim.Adamax([w], lr=0.1)
    >>> (w * w).sum().backward(); optimizer.step()
    >>> w.detach()
    tensor([ 0.9000, -1.9000])
    """

    not_negative = ("lr", "eps", "weight_decay", "betas")

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def state_names(self, options: dict[str, Any]) -> tuple[str, ...]:
        return ("step", "exp_avg", "exp_inf")

    def update(
        self, w: Array, g: Array, state: dict[str, Any], options: dict[str, Any], scratch: tuple[Array, Array]
    ) -> None:
        spare, t = scratch
        beta1, beta2 = options["betas"]
        m, u = state["exp_avg"], state["exp_inf"]
        g = step_gradient(w, g, options, out=spare)
        average(m, g, beta1, t)
        np.absolute(g, out=t)
        t += options["eps"]
        u *= beta2
        np.maximum(u, t, out=u)
        np.divide(m, u, out=t)
        t *= options["lr"] / (1 - beta1 ** state["step"])
        w -= t
