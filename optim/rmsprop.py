"""RMSProp: steps divided by the root of the gradient's mean square."""

from typing import Any

import numpy as np

from tinygrad_dl.backend import Array
from tinygrad_dl.tensor import Tensor

from .optimizer import Optimizer, Params, average, average_square, require_number, root, step_gradient


class RMSprop(Optimizer):
    """RMSProp.

        g = g + weight_decay * w
        S = alpha * S + (1 - alpha) * g^2
        a = alpha * a + (1 - alpha) * g             centered: S - a^2, the variance, in place of S below
        b = momentum * b + g / (sqrt(S) + eps)
        w = w - lr * b

    Arguments: params; lr (a number or a tensor of one); alpha (the notes' beta or gamma; their S3 has 0.9); eps;
    weight_decay; momentum; centered; maximize. foreach and capturable change nothing.
    State: "step"; "square_avg", S; "momentum_buffer", b, with momentum; "grad_avg", a, when centered.

    The notes' S3 has sqrt(S + eps) below the line: so does a subclass with `eps_in_root = True`. Raises ArgumentError
    for a negative option and for alpha above 1; NotImplementedError for differentiable=True. Source: Tieleman and
    Hinton 2012; the course notes, section 6 (N176).

    >>> import tinygrad_dl as tg
    >>> w = tg.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = tg.optim.RMSprop([w], lr=0.01, alpha=0.75)
    >>> (w * w).sum().backward(); optimizer.step()
    >>> w.detach()
    tensor([ 0.9800, -1.9800])
    """

    not_negative = ("lr", "momentum", "eps", "weight_decay")
    eps_in_root = False

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def check_options(self, options: dict[str, Any]) -> None:
        super().check_options(options)
        require_number(self, "alpha", options["alpha"], most=1)

    def state_names(self, options: dict[str, Any]) -> tuple[str, ...]:
        momentum = ("momentum_buffer",) if options["momentum"] else ()
        return ("step", "square_avg", *momentum, *(("grad_avg",) if options["centered"] else ()))

    def update(
        self, w: Array, g: Array, state: dict[str, Any], options: dict[str, Any], scratch: tuple[Array, Array]
    ) -> None:
        spare, t = scratch
        alpha, S = options["alpha"], state["square_avg"]
        g = step_gradient(w, g, options, out=spare)
        average_square(S, g, alpha, t)
        if options["centered"]:
            a = state["grad_avg"]
            average(a, g, alpha, t)
            S = np.subtract(S, np.square(a, out=t), out=t)
        step = np.divide(g, root(S, options["eps"], self.eps_in_root, out=t), out=t)
        if options["momentum"]:
            b = state["momentum_buffer"]
            b *= options["momentum"]
            b += step
            step = b
        w -= np.multiply(step, options["lr"], out=t)
