"""Muon: momentum made orthogonal, for the matrices inside a network."""

from typing import Any

import numpy as np

from tinygrad_dl.backend import Array, zeros
from tinygrad_dl.errors import ArgumentError
from tinygrad_dl.tensor import Tensor

from .optimizer import Optimizer, Params, average, require_number

ADJUSTMENTS = {
    "original": lambda rows, columns: max(1.0, rows / columns) ** 0.5,
    "match_rms_adamw": lambda rows, columns: 0.2 * max(rows, columns) ** 0.5,
}


class Muon(Optimizer):
    """Momentum, orthogonalized.

        m = momentum * m + (1 - momentum) * g
        X = m, with nesterov momentum * m + (1 - momentum) * g, over its norm; then ns_steps times
            A = X X^T,   X = a * X + (b * A + c * A A) X        which brings all singular values close to 1
        w = (1 - lr * weight_decay) * w - lr * scale * X        scale = sqrt(max(1, rows / columns))

    Parameters must be matrices: those inside a network; biases and the last layer go to another optimizer.

    Arguments: params; lr; weight_decay; momentum; nesterov; ns_coefficients (a, b, c); eps, the least norm; ns_steps;
    adjust_lr_fn: None or "original", or "match_rms_adamw" for the scale 0.2 * sqrt(max(rows, columns)).
    State: "momentum_buffer", m. Everything is computed in the parameter's dtype; PyTorch rounds X to bfloat16.

    Raises ArgumentError for a parameter that is no matrix and for options out of range. Source: Jordan 2024; not in the
    notes.

    >>> import tinygrad_dl as tg
    >>> w = tg.zeros(2, 2, requires_grad=True)
    >>> optimizer = tg.optim.Muon([w], lr=0.1)
    >>> (w * tg.tensor([[3.0, 0.0], [0.0, 5.0]])).sum().backward(); optimizer.step()
    >>> bool((w.detach() < 0.06).all()), w.detach()[0, 0].item() < -0.06
    (True, True)
    """

    not_negative = ("lr", "weight_decay", "momentum", "eps")
    elementwise = False

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)

    def check_options(self, options: dict[str, Any]) -> None:
        super().check_options(options)
        require_number(self, "ns_steps", options["ns_steps"], below=100)
        coefficients, adjustment = options["ns_coefficients"], options["adjust_lr_fn"]
        if not isinstance(coefficients, tuple | list) or len(coefficients) != 3:
            raise ArgumentError(f"Muon: ns_coefficients is {coefficients!r}, but must be three numbers (a, b, c)")
        if adjustment is not None and adjustment not in ADJUSTMENTS:
            raise ArgumentError(f"Muon: adjust_lr_fn is {adjustment!r}, but must be None or one of {[*ADJUSTMENTS]}")

    def _check_params(self, tensors: list[Any], with_names: bool) -> None:
        super()._check_params(tensors, with_names)
        for position, p in enumerate(tensors):
            if p.ndim != 2:
                raise ArgumentError(
                    f"Muon: parameter {position} has shape {tuple(p.shape)}, but only matrices can be made "
                    "orthogonal; give the others to another optimizer, such as AdamW"
                )

    def state_names(self, options: dict[str, Any]) -> tuple[str, ...]:
        return ("momentum_buffer",)

    def update(
        self, w: Array, g: Array, state: dict[str, Any], options: dict[str, Any], scratch: tuple[Array, Array]
    ) -> None:
        spare, t = scratch
        lr, momentum, m = options["lr"], options["momentum"], state["momentum_buffer"]
        average(m, g, momentum, t)
        spare[...] = m
        if options["nesterov"]:
            average(spare, g, momentum, t)
        w *= 1 - lr * options["weight_decay"]
        X = self.orthogonalized(spare, t, options)
        X *= lr * ADJUSTMENTS[options["adjust_lr_fn"] or "original"](*w.shape)
        w -= X

    def orthogonalized(self, x: Array, spare: Array, options: dict[str, Any]) -> Array:
        """x with singular values close to 1, by Newton's and Schulz's iteration; both arrays are overwritten."""
        a, b, c = options["ns_coefficients"]
        norm = float(np.add.reduce(np.square(x, out=spare), None)) ** 0.5
        np.divide(x, max(norm, options["eps"]), out=spare)
        X, tall = spare, x.shape[0] > x.shape[1]
        if tall:  # the smaller of X X^T and X^T X
            X, x = x.reshape(X.shape[::-1]), spare.reshape(X.shape[::-1])
            X[...] = spare.T
        A, P = self._squares(X)
        for _ in range(options["ns_steps"]):
            np.matmul(X, X.T, out=A)
            np.matmul(A, A, out=P)
            A *= b
            P *= c
            P += A
            np.matmul(P, X, out=x)
            X *= a
            X += x
        return X.T if tall else X

    def _squares(self, X: Array) -> tuple[Array, Array]:
        """Two square arrays for products, kept from step to step."""
        key = "squares", X.dtype, type(X), len(X)
        if key not in self._scratch:
            self._scratch[key] = (zeros(X, (len(X), len(X))), zeros(X, (len(X), len(X))))
        return self._scratch[key]
