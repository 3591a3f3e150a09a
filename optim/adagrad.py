"""AdaGrad: steps divided by the root of the sum of all squared gradients."""

from typing import Any

import numpy as np

from tinygrad_dl.backend import Array
from tinygrad_dl.tensor import Tensor

from .optimizer import Optimizer, Params, root, step_gradient


class Adagrad(Optimizer):
    """AdaGrad.

        g = g + weight_decay * w
        G = G + g^2                                             rate = lr / (1 + (t - 1) * lr_decay)
        w = w - rate * g / (sqrt(G) + eps)

    Arguments: params; lr (a number or a tensor of one); lr_decay; weight_decay; initial_accumulator_value, G before the
    first step; eps; maximize. foreach and fused change nothing. State: "step", t; "sum", G.

    G only grows, so learning stops early: good for rare features, bad for deep networks. The notes' S3 has sqrt(G +
    eps) below the line: so does a subclass with `eps_in_root = True`. Raises ArgumentError for a negative option;
    NotImplementedError for differentiable=True. Source: Duchi et al. 2011; the course notes, section 6 (N175).

    >>> import tinygrad_dl as tg
    >>> w = tg.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = tg.optim.Adagrad([w], lr=0.1)
    >>> (w * w).sum().backward(); optimizer.step()
    >>> w.detach()
    tensor([ 0.9000, -1.9000])
    """

    not_negative = ("lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps")
    eps_in_root = False

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group; as in PyTorch, its state is there before the first step."""
        super().add_param_group(param_group)
        for p in param_group["params"]:
            self._make_state(p, ("step", "sum"), param_group)

    def state_names(self, options: dict[str, Any]) -> tuple[str, ...]:
        return ("step", "sum")

    def first_value(self, name: str, options: dict[str, Any]) -> float:
        return options["initial_accumulator_value"] if name == "sum" else 0.0

    def update(
        self, w: Array, g: Array, state: dict[str, Any], options: dict[str, Any], scratch: tuple[Array, Array]
    ) -> None:
        spare, t = scratch
        g = step_gradient(w, g, options, out=spare)
        total = state["sum"]
        total += np.square(g, out=t)
        np.divide(g, root(total, options["eps"], self.eps_in_root, out=t), out=t)
        t *= options["lr"] / (1 + (state["step"] - 1) * options["lr_decay"])
        w -= t
