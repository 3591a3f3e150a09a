"""Rprop: a step size for each weight, which grows while the gradient keeps its sign."""

from typing import Any

import numpy as np

from tinygrad_dl.backend import Array
from tinygrad_dl.errors import ArgumentError
from tinygrad_dl.tensor import Tensor

from .optimizer import Optimizer, Params, require_number, require_pair, step_gradient


class Rprop(Optimizer):
    """Resilient backpropagation, for full batches: of the gradient only the sign counts.

        s = sign(g * (g of the step before))
        size = size * (etaplus where s = 1, etaminus where s = -1), within step_sizes
        g = 0 where s = -1
        w = w - sign(g) * size

    Arguments: params; lr (a number or a tensor of one), the first size; etas (etaminus, etaplus); step_sizes (smallest,
    largest); maximize. foreach and capturable change nothing.
    State: "step"; "prev", the g of the step before, after its third line; "step_size".

    Raises ArgumentError for a negative lr, unless 0 < etaminus < 1 < etaplus, and for step_sizes that are negative or
    in the wrong order; NotImplementedError for differentiable=True. Source: Riedmiller and Braun 1993.

    >>> import tinygrad_dl as tg
    >>> w = tg.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = tg.optim.Rprop([w], lr=0.1)
    >>> for _ in range(2):
    ...     optimizer.zero_grad(); (w * w).sum().backward(); optimizer.step()
    >>> w.detach()
    tensor([ 0.7800, -1.7800])
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def check_options(self, options: dict[str, Any]) -> None:
        super().check_options(options)
        require_number(self, "lr", options["lr"])
        require_pair(self, "etas", options["etas"], "etaminus, etaplus")
        require_pair(self, "step_sizes", options["step_sizes"], "smallest, largest")
        if not 0 < options["etas"][0] < 1 < options["etas"][1]:
            raise ArgumentError(f"Rprop: etas are {options['etas']}, but must be 0 < etaminus < 1 < etaplus")
        if not 0 <= options["step_sizes"][0] <= options["step_sizes"][1]:
            raise ArgumentError(f"Rprop: step_sizes are {options['step_sizes']}, but must be 0 <= smallest <= largest")

    def state_names(self, options: dict[str, Any]) -> tuple[str, ...]:
        return ("step", "prev", "step_size")

    def first_value(self, name: str, options: dict[str, Any]) -> float:
        return options["lr"] if name == "step_size" else 0.0

    def update(
        self, w: Array, g: Array, state: dict[str, Any], options: dict[str, Any], scratch: tuple[Array, Array]
    ) -> None:
        spare, s = scratch
        (etaminus, etaplus), (smallest, largest) = options["etas"], options["step_sizes"]
        previous, size = state["prev"], state["step_size"]
        g = step_gradient(w, g, options, out=spare)
        np.sign(np.multiply(g, previous, out=s), out=s)

        # The factors without a mask, which would be memory of its own; the old gradient's can be used from here on.
        factor = np.maximum(s, 0, out=previous)
        factor *= etaplus - 1
        factor += 1
        size *= factor
        turned = np.minimum(s, 0, out=s)  # -1 where the sign has changed
        np.multiply(turned, 1 - etaminus, out=factor)
        factor += 1
        size *= factor
        np.maximum(size, smallest, out=size)
        np.minimum(size, largest, out=size)

        turned += 1
        np.multiply(turned, g, out=previous)
        w -= np.multiply(np.sign(previous, out=s), size, out=s)
