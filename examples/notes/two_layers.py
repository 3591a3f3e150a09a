"""A network of two layers: the notes' formulas by hand beside backward(), and what it can do that one layer can't.

Z1 = W1 X + b1,  A1 = tanh(Z1),  Z2 = W2 A1 + b2,  A2 = σ(Z2). Backwards (notes 1.6): dZ2 = A2 − Y, dW2 = (1/m) dZ2 A1ᵀ,
db2 = (1/m) Σ dZ2, dZ1 = W2ᵀ dZ2 ∗ (1 − A1²), dW1 = (1/m) dZ1 Xᵀ, db1 = (1/m) Σ dZ1. Examples are columns.

The graph that it draws is the picture in the README (docs/images/backprop.png and .svg).
"""

from typing import Any

from common import agree, draw, leaves, start

import tinygrad_dl as tg
from tinygrad_dl import viz
from tinygrad_dl.nn import functional as F

EXAMPLES = [[1.0, -2.0, 0.5], [2.0, 1.0, -1.0]]
LABELS = [[1.0, 0.0, 1.0]]
PARAMETERS = ([[0.1, 0.2], [-0.3, 0.4], [0.5, -0.1]], [[0.01], [-0.02], [0.03]], [[0.2, -0.4, 0.6]], [[0.05]])


def cost(W1: tg.Tensor, b1: tg.Tensor, W2: tg.Tensor, b2: tg.Tensor, X: tg.Tensor, Y: tg.Tensor) -> tg.Tensor:
    Z1 = W1 @ X + b1
    A1 = tg.tanh(Z1)
    Z2 = W2 @ A1 + b2
    A2 = tg.sigmoid(Z2)  # noqa: F841  # a name for the derivation
    J = F.binary_cross_entropy_with_logits(Z2, Y)
    return J


def by_hand(
    W1: tg.Tensor, b1: tg.Tensor, W2: tg.Tensor, b2: tg.Tensor, X: tg.Tensor, Y: tg.Tensor
) -> dict[str, tg.Tensor]:
    """The formulas of the notes, line by line."""
    m = X.shape[1]
    A1 = tg.tanh(W1 @ X + b1)
    A2 = tg.sigmoid(W2 @ A1 + b2)
    dZ2 = A2 - Y
    dW2 = (1 / m) * dZ2 @ A1.T
    db2 = (1 / m) * dZ2.sum(dim=1, keepdim=True)
    dZ1 = W2.T @ dZ2 * (1 - A1**2)
    dW1 = (1 / m) * dZ1 @ X.T
    db1 = (1 / m) * dZ1.sum(dim=1, keepdim=True)
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}


def parity(hidden: int, steps: int) -> float:
    """Learn whether exactly one of two bits is set, by gradient descent. Returns the share of right answers."""
    tg.manual_seed(3)
    X, Y = tg.tensor([[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]]), tg.tensor([[0.0, 1.0, 1.0, 0.0]])
    W1, W2 = tg.randn(hidden, 2, requires_grad=True), tg.randn(1, hidden, requires_grad=True)
    b1, b2 = tg.zeros(hidden, 1, requires_grad=True), tg.zeros(1, 1, requires_grad=True)
    parameters, alpha = [W1, b1, W2, b2], 1.0
    for _ in range(steps):
        J = cost(*parameters, X, Y)
        gradients = tg.autograd.grad(J, parameters)
        with tg.no_grad():
            for W, dW in zip(parameters, gradients, strict=True):
                W -= alpha * dW
    with tg.no_grad():
        A2 = tg.sigmoid(W2 @ tg.tanh(W1 @ X + b1) + b2)
    return ((A2 > 0.5) == (Y > 0.5)).double().mean().item()


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    options = start("two_layers.py", __doc__, arguments)
    parameters, X, Y = leaves(*PARAMETERS), tg.tensor(EXAMPLES), tg.tensor(LABELS)

    derivation = viz.explain(cost, *parameters, X, Y, notation="d", per_example=True)
    print(derivation)

    with viz.trace():
        J = cost(*parameters, X, Y)
    J.backward()
    title = "One step of backpropagation: a network of two layers, three examples"
    draw(viz.graph(J, title=title, letters=False), "two_layers", options)

    print("\nBy hand and by backward()")
    with tg.no_grad():
        expected = by_hand(*parameters, X, Y)
    for (name, gradient), parameter in zip(expected.items(), parameters, strict=True):
        agree(f"d{name}, shape {tuple(gradient.shape)}", parameter.grad, gradient)

    steps = 300 if options.quick else 3000
    network, line = parity(4, steps), parity(1, steps)
    print(f"\nExactly one of two bits, after {steps} steps: 4 hidden units get {network:.0%} right, 1 unit {line:.0%}")
    assert network == 1.0 and line < 1.0
    numbers = {name: derivation[name].tolist() for name in ("Z1", "A1", "Z2", "A2", "dZ2", "dW2", "db2", "dW1", "db1")}
    return {"J": derivation["J"], **numbers}


if __name__ == "__main__":
    main()
