"""Logistic regression as a graph: one example with two features.

z = w1 x1 + w2 x2 + b,  a = σ(z),  L(a, y) = −(y log a + (1 − y) log(1 − a)). The notes (1.3) derive dz = a − y by
hand; here the derivation is read off the rules that backward runs, and both are compared. At the end: why a loss should
take z and not a.
"""

from typing import Any

import numpy as np
from common import agree, draw, leaves, start

import tinygrad_dl as tg
from tinygrad_dl import viz
from tinygrad_dl.nn import functional as F


def loss(w1: tg.Tensor, w2: tg.Tensor, b: tg.Tensor, x1: tg.Tensor, x2: tg.Tensor, y: tg.Tensor) -> tg.Tensor:
    z = w1 * x1 + w2 * x2 + b
    a = tg.sigmoid(z)
    L = -(y * tg.log(a) + (1 - y) * tg.log(1 - a))
    return L


def saturated(y: tg.Tensor) -> None:
    """For a large z, a is 1 and log(1 − a) infinite; the gradient of the loss that takes z stays a − y."""
    print("\nA sure and wrong answer: z = 40, y = 0")
    (z,) = leaves(40.0)
    a = tg.sigmoid(z)
    a.retain_grad()
    with np.errstate(divide="ignore", invalid="ignore"):  # this is what shall be seen
        (-tg.log(1 - a)).backward()
    print(f"  a = {a.item():g}, da = {a.grad.item():g}, and through it dz = {z.grad.item():g}: lost")
    z.grad = None
    F.binary_cross_entropy_with_logits(z, y * 0).backward()
    print(f"  the loss that takes z: dz = {z.grad.item():g} = a − y")
    assert z.grad.item() == 1.0


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    options = start("logistic_regression.py", __doc__, arguments)
    w1, w2, b = leaves(0.5, -0.25, 0.1)
    x1, x2, y = tg.tensor(1.0), tg.tensor(2.0), tg.tensor(1.0)

    derivation = viz.explain(loss, w1, w2, b, x1, x2, y, notation="d")
    print(derivation)
    print("\nStep by step, with every local derivative")
    print(viz.explain(loss, w1, w2, b, x1, x2, y, letters=False))

    with viz.trace():
        L = loss(w1, w2, b, x1, x2, y)
    L.backward()
    draw(viz.graph(L, title="Logistic regression, one example"), "one_example", options)

    print("\nThe notes' formulas beside what backward computed")
    a = tg.tensor(derivation["a"])
    dz = a - y
    agree("da = −y/a + (1 − y)/(1 − a)", derivation["da"], -y / a + (1 - y) / (1 - a))
    agree("dz = a − y", derivation["dz"], dz)
    agree("dw1 = x1·dz", w1.grad, x1 * dz)
    agree("dw2 = x2·dz", w2.grad, x2 * dz)
    agree("db = dz", b.grad, dz)

    alpha = 0.1
    with tg.no_grad():
        for parameter in (w1, w2, b):
            parameter -= alpha * parameter.grad
        after = loss(w1, w2, b, x1, x2, y)
    print(f"\nOne step w := w − α·dw with α = {alpha}: L {L.item():.4f} → {after.item():.4f}")
    assert after.item() < L.item()
    saturated(y)
    dw = [derivation["dw1"], derivation["dw2"]]
    return {"loss": derivation["L"], "da": derivation["da"], "dz": derivation["dz"], "dw": dw, "db": derivation["db"]}


if __name__ == "__main__":
    main()
