"""Gradient descent, with and without momentum."""

from typing import Any

import numpy as np

from tinygrad_dl.backend import Array, constant
from tinygrad_dl.errors import ArgumentError
from tinygrad_dl.tensor import Tensor

from .optimizer import Optimizer, Params, step_gradient


class SGD(Optimizer):
    """Stochastic gradient descent.

        g = g + weight_decay * w
        v = momentum * v + (1 - dampening) * g      at the first step v = g
        w = w - lr * v                              without momentum v is g, with nesterov it is g + momentum * v

    Arguments: params; lr (a number or a 0-d tensor); momentum; dampening; weight_decay; nesterov; maximize (w goes up
    along g). foreach and fused choose between PyTorch's implementations; here there is one, so they change nothing.
    State: "momentum_buffer", v, if there is momentum.

    Raises ArgumentError for a negative lr, momentum or weight_decay, and for nesterov without momentum or with
    dampening; NotImplementedError for differentiable=True. Source: the course notes, section 6 (N172-N174), where S3's
    m is -lr * v at constant lr; Sutskever et al. 2013 for nesterov.

    >>> import tinygrad_dl as tg
    >>> w = tg.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = tg.optim.SGD([w], lr=0.1, momentum=0.9)
    >>> for _ in range(2):
    ...     optimizer.zero_grad(); (w * w).sum().backward(); optimizer.step()
    >>> w.detach()
    tensor([ 0.4600, -0.9200])
    """

    not_negative = ("lr", "momentum", "weight_decay")

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float | Tensor = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def check_options(self, options: dict[str, Any]) -> None:
        super().check_options(options)
        momentum, dampening = options["momentum"], options["dampening"]
        if options["nesterov"] and (momentum == 0 or dampening != 0):
            raise ArgumentError(
                f"SGD: nesterov needs momentum above 0 and dampening 0, but momentum is {momentum} and dampening "
                f"{dampening}"
            )

    def state_names(self, options: dict[str, Any]) -> tuple[str, ...]:
        return ("momentum_buffer",) if options["momentum"] else ()

    def pack_from(self, options: dict[str, Any]) -> int:
        return 3 if options["momentum"] else 5

    def update(
        self, w: Array, g: Array, state: dict[str, Any], options: dict[str, Any], scratch: tuple[Array, Array]
    ) -> None:
        spare, t = scratch
        if options["weight_decay"] or options["maximize"]:
            g = step_gradient(w, g, options, spare)
        if options["momentum"]:
            momentum, dampening = constant(options["momentum"], w), options["dampening"]
            v = state["momentum_buffer"]
            if state["new"]:
                v[...] = g
            else:
                np.multiply(v, momentum, v)
                np.add(v, np.multiply(g, 1 - dampening, t) if dampening else g, v)
            g = np.add(g, np.multiply(v, momentum, t), t) if options["nesterov"] else v
        np.subtract(w, np.multiply(g, constant(options["lr"], w), t), w)
