"""Gradient descent with numbers: one weight, then linear and logistic regression as matrices (notes 1.4, 1.5).

Examples are rows here: ŷ = X w, E = y − ŷ, grad = −(2/n) Xᵀ E, w := w − α·grad. The sign of the gradient gives the
direction of the step, its size the length, and at the minimum it is 0.
"""

from typing import Any

from common import agree, draw, leaves, start

import tinygrad_dl as tg
from tinygrad_dl import viz
from tinygrad_dl.nn import functional as F

EXAMPLES = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]


def one_weight(begin: float, steps: int, alpha: float = 0.1) -> list[float]:
    """Fit y = 2x from one example, x = 1 and y = 2. Returns w after each step."""
    x, y, (w,) = 1.0, 2.0, leaves(begin)
    print(f"\n  w        y − wx   step     (from w = {begin:g})")
    path = []
    for _ in range(steps):
        e = y - w * x
        w.grad = None
        (0.5 * e**2).backward()
        if len(path) < 3:
            print(f"  {w.item():<8.4g} {e.item():<8.4g} {alpha * w.grad.item():<8.4g}")
        with tg.no_grad():
            w -= alpha * w.grad
        path.append(w.item())
    print(f"  {path[-1]:.6f} after {steps} steps")
    return path


def mean_squared_error(w: tg.Tensor, X: tg.Tensor, y: tg.Tensor) -> tg.Tensor:
    E = y - X @ w
    MSE = (E**2).mean()
    return MSE


def cross_entropy(w: tg.Tensor, X: tg.Tensor, y: tg.Tensor) -> tg.Tensor:
    z = X @ w
    y_hat = tg.sigmoid(z)  # noqa: F841  # a name for the derivation
    BCE = F.binary_cross_entropy_with_logits(z, y)
    return BCE


def one_step(loss: Any, y: tg.Tensor, alpha: float, options: Any) -> dict[str, Any]:
    """One step from w = (2, 2, 2), with its derivation."""
    (w,), X = leaves([2.0, 2.0, 2.0]), tg.tensor(EXAMPLES)
    derivation = viz.explain(loss, w, X, y, notation="d")
    print(f"\n{derivation}")
    with viz.trace():
        before = loss(w, X, y)
    before.backward()
    draw(viz.graph(before, title=loss.__name__.replace("_", " "), letters=False), loss.__name__, options)
    gradient = w.grad.clone()
    with tg.no_grad():
        w -= alpha * w.grad
        after = loss(w, X, y)
    print(f"\n  one step with α = {alpha}: w = {[round(v, 4) for v in w.tolist()]}")
    print(f"  loss {before.item():.4f} → {after.item():.4f}")
    return {"gradient": gradient, "w_new": w.tolist(), "before": before.item(), "after": after.item()}


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    options = start("gradient_descent.py", __doc__, arguments)
    print("One weight, y = 2x: from above it falls, from below it rises")
    steps = 100 if options.quick else 200
    above, below = one_weight(5.0, steps), one_weight(1.0, steps)
    agree("both end at 2", [above[-1], below[-1]], [2.0, 2.0], 1e-3)

    linear = one_step(mean_squared_error, tg.tensor([14.0, 32.0]), 0.01, options)
    E = tg.tensor([14.0, 32.0]) - tg.tensor(EXAMPLES) @ tg.tensor([2.0, 2.0, 2.0])
    agree("gradient = −(2/n) Xᵀ E", linear["gradient"], -(2 / 2) * tg.tensor(EXAMPLES).T @ E)

    logistic = one_step(cross_entropy, tg.tensor([0.0, 1.0]), 0.1, options)
    E = tg.sigmoid(tg.tensor(EXAMPLES) @ tg.tensor([2.0, 2.0, 2.0])) - tg.tensor([0.0, 1.0])
    agree("gradient = (1/n) Xᵀ (σ(z) − y)", logistic["gradient"], (1 / 2) * tg.tensor(EXAMPLES).T @ E)
    linear["gradient"], logistic["gradient"] = linear["gradient"].tolist(), logistic["gradient"].tolist()
    return {"above": above[:2], "below": below[:2], "linear": linear, "logistic": logistic}


if __name__ == "__main__":
    main()
