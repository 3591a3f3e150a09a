"""AdaDelta: steps in the units of the weights, from the mean squares of gradients and of earlier steps."""

from typing import Any

from tinygrad_dl.backend import Array
from tinygrad_dl.tensor import Tensor

from .optimizer import Optimizer, Params, average_square, require_number, root, step_gradient


class Adadelta(Optimizer):
    """AdaDelta.

        g = g + weight_decay * w
        E = rho * E + (1 - rho) * g^2
        d = sqrt(D + eps) / sqrt(E + eps) * g
        D = rho * D + (1 - rho) * d^2
        w = w - lr * d

    Arguments: params; lr (a number or a tensor of one), which multiplies every step (the notes' S2: only the first);
    rho; eps; weight_decay; maximize. foreach and capturable change nothing.
    State: "step"; "square_avg", E; "acc_delta", D.

    Raises ArgumentError for a negative option and for rho above 1; NotImplementedError for differentiable=True. Source:
    Zeiler 2012; the course notes, section 6 (N177).

    >>> import tinygrad_dl as tg
    >>> w = tg.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = tg.optim.Adadelta([w], rho=0.75, eps=1e-2)
    >>> (w * w).sum().backward(); optimizer.step()
    >>> w.detach()
    tensor([ 0.8010, -1.8002])
    """

    not_negative = ("lr", "eps", "weight_decay")

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def check_options(self, options: dict[str, Any]) -> None:
        super().check_options(options)
        require_number(self, "rho", options["rho"], most=1)

    def state_names(self, options: dict[str, Any]) -> tuple[str, ...]:
        return ("step", "square_avg", "acc_delta")

    def update(
        self, w: Array, g: Array, state: dict[str, Any], options: dict[str, Any], scratch: tuple[Array, Array]
    ) -> None:
        spare, d = scratch
        rho, eps = options["rho"], options["eps"]
        E, D = state["square_avg"], state["acc_delta"]
        g = step_gradient(w, g, options, out=spare)
        average_square(E, g, rho, d)
        root(D, eps, True, out=d)
        d *= g  # g, which may lie in spare, is needed no more
        d /= root(E, eps, True, out=spare)
        average_square(D, d, rho, spare)
        d *= options["lr"]
        w -= d
