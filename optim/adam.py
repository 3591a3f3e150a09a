"""Adam and AdamW: momentum for the direction, the gradient's mean square for the size of the step."""

from typing import Any

import numpy as np

from tinygrad_dl.backend import Array
from tinygrad_dl.tensor import Tensor

from .optimizer import Optimizer, Params, average, average_square, root, step_gradient


class Adam(Optimizer):
    """Adam.

        g = g + weight_decay * w                    decoupled_weight_decay: w = w - lr * weight_decay * w instead
        m = beta1 * m + (1 - beta1) * g             mh = m / (1 - beta1^t)
        v = beta2 * v + (1 - beta2) * g^2           vh = v / (1 - beta2^t), of the largest v so far with amsgrad
        w = w - lr * mh / (sqrt(vh) + eps)

    Arguments: params; lr (a number or a 0-d tensor); betas (beta1, beta2); eps; weight_decay; amsgrad; maximize (w goes
    up along g); decoupled_weight_decay (AdamW's form). foreach, fused and capturable choose between PyTorch's
    implementations; here there is one, so they change nothing.
    State: "step", t; "exp_avg", m; "exp_avg_sq", v; "max_exp_avg_sq" with amsgrad.

    The notes' S3 has sqrt(vh + eps) below the line: so does a subclass with `eps_in_root = True`.
    Raises ArgumentError for a negative lr, eps or weight_decay and for betas outside [0, 1); NotImplementedError for
    differentiable=True. Source: Kingma and Ba 2015; Reddi et al. 2018 (amsgrad); the course notes, section 6 (N178).

    >>> import tinygrad_dl as tg
    >>> w = tg.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = tg.optim.Adam([w], lr=0.1)
    >>> (w * w).sum().backward(); optimizer.step()
    >>> w.detach()
    tensor([ 0.9000, -1.9000])
    """

    not_negative = ("lr", "eps", "weight_decay", "betas")
    eps_in_root = False

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def state_names(self, options: dict[str, Any]) -> tuple[str, ...]:
        return ("step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq")[: 4 if options["amsgrad"] else 3]

    def advance(self, numbers: dict[str, float], options: dict[str, Any]) -> None:
        beta1, beta2 = numbers["beta1"], numbers["beta2"] = [float(beta) for beta in options["betas"]]
        numbers["step"] = t = numbers["step"] + 1
        # Both corrections taken out of the arrays: sqrt(vh) + eps = (sqrt(v) + eps c) / c with c = sqrt(1 - beta2^t).
        c = (1 - beta2**t) ** 0.5
        numbers["rate"] = options["lr"] * c / (1 - beta1**t)
        numbers["eps"] = options["eps"] * (c * c if self.eps_in_root else c)

    def update(
        self, w: Array, g: Array, state: dict[str, Any], options: dict[str, Any], scratch: tuple[Array, Array]
    ) -> None:
        spare, t = scratch
        m, v = state["exp_avg"], state["exp_avg_sq"]
        if options["weight_decay"] or options["maximize"]:
            g = step_gradient(w, g, options, spare)
        average(m, g, state["beta1"], t)
        average_square(v, g, state["beta2"], t)
        if options["amsgrad"]:
            v = np.maximum(state["max_exp_avg_sq"], v, out=state["max_exp_avg_sq"])
        np.divide(m, root(v, state["eps"], self.eps_in_root, t), t)
        np.multiply(t, state["rate"], t)
        np.subtract(w, t, w)


class AdamW(Adam):
    """Adam whose weight decay goes to the update, not to the gradient: w = w - lr * weight_decay * w.

    Arguments, state and errors as Adam's, but weight_decay is 0.01 unless given. Source: Loshchilov and Hutter 2019;
    the course notes, section 6 (N179).

    >>> import tinygrad_dl as tg
    >>> w = tg.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = tg.optim.AdamW([w], lr=0.1, weight_decay=0.5)
    >>> (w * w).sum().backward(); optimizer.step()
    >>> w.detach()
    tensor([ 0.8500, -1.8000])
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )


class SparseAdam(Optimizer):
    """Refused: there are no sparse tensors here. `Adam` does the same on the gradients that there are.

    >>> import tinygrad_dl as tg
    >>> tg.optim.SparseAdam([tg.zeros(2, requires_grad=True)])
    Traceback (most recent call last):
    NotImplementedError: SparseAdam: there are no sparse tensors, gradients are whole arrays; use optim.Adam
    """

    def __init__(self, params: Params, *args: Any, **options: Any) -> None:
        raise NotImplementedError("SparseAdam: there are no sparse tensors, gradients are whole arrays; use optim.Adam")
