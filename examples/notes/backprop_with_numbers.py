"""Backpropagation with numbers: two linear units, a ReLU, and the half squared error (notes 1.8).

x = (1, 2); y1 = w1 x1 + w2 x2, y2 = w3 x1 + w4 x2, z = w5 y1 + w6 y2, ŷ = ReLU(z), L = ½ (y − ŷ)². The slide stops at
w5 and w6; backward carries the chain on to w1 to w4 and to the input.
"""

from typing import Any

from common import agree, draw, leaves, start

import tinygrad_dl as tg
from tinygrad_dl import nn, viz

WEIGHTS = ["w1", "w2", "w3", "w4", "w5", "w6"]


def loss(
    x1: tg.Tensor,
    x2: tg.Tensor,
    w1: tg.Tensor,
    w2: tg.Tensor,
    w3: tg.Tensor,
    w4: tg.Tensor,
    w5: tg.Tensor,
    w6: tg.Tensor,
) -> tg.Tensor:
    y1 = w1 * x1 + w2 * x2
    y2 = w3 * x1 + w4 * x2
    z = w5 * y1 + w6 * y2
    y_hat = tg.relu(z)
    e = y_hat - 1.0
    L = 0.5 * e**2
    return L


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    options = start("backprop_with_numbers.py", __doc__, arguments)
    inputs = leaves(1.0, 2.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)

    derivation = viz.explain(loss, *inputs, letters=False)
    print(derivation)

    with viz.trace():
        L = loss(*inputs)
    L.backward()
    draw(viz.graph(L, title="Backpropagation with numbers"), "graph", options)

    print("\nThe slide's numbers")
    gradients = dict(zip(["x1", "x2", *WEIGHTS], (leaf.grad for leaf in inputs), strict=True))
    agree("dL/dŷ = ŷ − y = −0.09", derivation["dL/dy_hat"], -0.09)
    agree("dL/dw5 = −0.09 · 1 · y1 = −0.045", gradients["w5"], -0.09 * 1 * 0.5)
    agree("dL/dw6 = −0.09 · 1 · y2 = −0.099", gradients["w6"], -0.09 * 1 * 1.1)

    print("\nThe slide calls this loss MSE, but nn.MSELoss has no ½ and gives twice these gradients")
    w5, y1 = inputs[6].detach().requires_grad_(), derivation["y1"]
    nn.MSELoss()(tg.relu(w5 * y1 + 0.6 * derivation["y2"]), tg.tensor(1.0)).backward()
    agree("dMSE/dw5 = −0.09", w5.grad, 2 * gradients["w5"])

    numbers = {"loss": derivation["L"], "dL_dy1": derivation["dL/dy1"], "dL_dy2": derivation["dL/dy2"]}
    return numbers | {f"dL_d{name}": gradient.item() for name, gradient in gradients.items()}


if __name__ == "__main__":
    main()
