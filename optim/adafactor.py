"""Adafactor: the mean square of a matrix's gradient from its row and column means, for little memory."""

import math
from typing import Any

import numpy as np

from tinygrad_dl.backend import Array
from tinygrad_dl.tensor import Tensor

from .optimizer import Optimizer, Params, average_square, require_number, require_pair


class Adafactor(Optimizer):
    """Adafactor.

        beta = 1 - t^beta2_decay                    rate = min(lr, 1 / sqrt(t)) * max(eps2, RMS(w))
        R = beta * R + (1 - beta) * (mean of g^2 over each row),  C the same of each column
        V = R C / mean(R)                           of what has one dimension: V = beta * V + (1 - beta) * g^2
        u = g / sqrt(V)
        w = (1 - lr * weight_decay) * w - rate * u / max(1, RMS(u) / d)

    RMS is the root of the mean square. Of more than two dimensions, the last two are the rows and columns.

    Arguments: params; lr (a number or a tensor of one); beta2_decay; eps (eps1, eps2), where eps1 bounds mean(R) and
    sqrt(V) from below (None: the dtype's own eps); d; weight_decay; maximize. foreach changes nothing.
    State: "step", t; "row_var" and "col_var", R and C; or "variance", V. Raises ArgumentError for a negative lr, eps
    or weight_decay, beta2_decay above 0, d below 1. Source: Shazeer and Stern 2018; section 6 of the notes (N183).

    >>> import tinygrad_dl as tg
    >>> w = tg.tensor([[1.0, -2.0], [0.5, 0.0]], requires_grad=True)
    >>> optimizer = tg.optim.Adafactor([w], lr=0.1)
    >>> (w * w).sum().backward(); optimizer.step()
    >>> optimizer.state[w]["row_var"].shape, optimizer.state[w]["col_var"].shape
    (tinygrad_dl.Size([2, 1]), tinygrad_dl.Size([1, 2]))
    """

    not_negative = ("lr", "weight_decay")
    elementwise = False

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def check_options(self, options: dict[str, Any]) -> None:
        super().check_options(options)
        require_number(self, "beta2_decay", options["beta2_decay"], least=-math.inf, most=0)
        require_number(self, "d", options["d"], least=1)
        require_pair(self, "eps", options["eps"], "eps1, eps2")
        for index, eps in enumerate(options["eps"]):
            if eps is not None or index == 1:
                require_number(self, f"eps[{index}]", eps)

    def state_names(self, options: dict[str, Any]) -> tuple[str, ...]:
        return ("step", "row_var", "col_var", "variance")

    def state_shape(self, name: str, shape: tuple[int, ...]) -> tuple[int, ...] | None:
        if len(shape) > 1:
            return {"row_var": (*shape[:-1], 1), "col_var": (*shape[:-2], 1, shape[-1])}.get(name)
        return shape if name == "variance" else None

    def update(
        self, w: Array, g: Array, state: dict[str, Any], options: dict[str, Any], scratch: tuple[Array, Array]
    ) -> None:
        spare, u = scratch
        step, (eps1, eps2) = state["step"], options["eps"]
        if eps1 is None:
            eps1 = float(np.finfo(w.dtype).eps)
        rate = min(options["lr"], step**-0.5) * max(eps2, root_mean_square(w, u))
        w *= 1 - options["lr"] * options["weight_decay"]
        g = np.negative(g, out=spare) if options["maximize"] else g
        beta = 1 - step ** options["beta2_decay"]
        if w.ndim > 1:
            np.square(g, out=u)
            R, C = state["row_var"], state["col_var"]
            for mean, dim in ((R, -1), (C, -2)):
                mean *= beta
                mean += (1 - beta) / w.shape[dim] * np.add.reduce(u, dim, keepdims=True)
            np.matmul(R, C, out=u)  # a product that broadcasts both would allocate
            u /= np.maximum(np.add.reduce(R, -2, keepdims=True) / R.shape[-2], eps1)
        else:
            average_square(state["variance"], g, beta, u)
            u[...] = state["variance"]
        np.maximum(u, eps1 * eps1, out=u)
        np.divide(g, np.sqrt(u, out=u), out=u)
        u *= rate / max(1.0, root_mean_square(u, spare) / options["d"])
        w -= u


def root_mean_square(x: Array, spare: Array) -> float:
    """The root of the mean square of all elements; `spare` is overwritten."""
    return (float(np.add.reduce(np.square(x, out=spare), None)) / max(1, x.size)) ** 0.5
