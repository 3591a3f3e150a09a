"""Logistic regression over m examples: with loops, then vectorised, and the time that each takes (notes 1.4).

Loops:       J += L(a, y); dz = a − y; dw_j += x_j dz; db += dz; all divided by m.
Vectorised:  Z = wᵀX + b; A = σ(Z); dZ = A − Y; dw = (1/m) X dZᵀ; db = (1/m) Σ dZ.
Backward finds the same from the forward lines alone. Examples are columns, as in the notes.
"""

import math
import time
from typing import Any

from common import agree, draw, leaves, start

import tinygrad_dl as tg
from tinygrad_dl import viz
from tinygrad_dl.nn import functional as F

Numbers = list[list[float]]


def with_loops(w: list[float], b: float, X: Numbers, y: list[float]) -> tuple[float, list[float], float]:
    """J, dw and db with a loop over the examples and one over the features."""
    n, m = len(X), len(y)
    J, dw, db = 0.0, [0.0] * n, 0.0
    for i in range(m):
        z = b
        for j in range(n):
            z += w[j] * X[j][i]
        a = 1 / (1 + math.exp(-z))
        J += -(y[i] * math.log(a) + (1 - y[i]) * math.log(1 - a))
        dz = a - y[i]
        for j in range(n):
            dw[j] += X[j][i] * dz
        db += dz
    return J / m, [d / m for d in dw], db / m


def vectorised(w: tg.Tensor, b: tg.Tensor, X: tg.Tensor, Y: tg.Tensor) -> tuple[tg.Tensor, tg.Tensor, tg.Tensor]:
    """The same without a loop."""
    m = X.shape[1]
    Z = w.T @ X + b
    A = tg.sigmoid(Z)
    J = -(Y * tg.log(A) + (1 - Y) * tg.log(1 - A)).mean()
    dZ = A - Y
    return J, (1 / m) * X @ dZ.T, (1 / m) * dZ.sum(dim=1, keepdim=True)


def cost(w: tg.Tensor, b: tg.Tensor, X: tg.Tensor, Y: tg.Tensor) -> tg.Tensor:
    """The forward lines, for backward."""
    Z = w.T @ X + b
    A = tg.sigmoid(Z)  # noqa: F841  # a name for the derivation
    J = F.binary_cross_entropy_with_logits(Z, Y)
    return J


def seconds(f: Any) -> float:
    begin = time.perf_counter()
    f()
    return time.perf_counter() - begin


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    options = start("vectorization.py", __doc__, arguments)
    tg.manual_seed(0)
    n, m = (20, 500) if options.quick else (50, 5000)
    X = tg.randn(n, m)
    Y = (X[:1] + 0.5 * tg.randn(1, m) > 0).double()
    w, b = leaves([[0.1]] * n, [[0.0]])

    print("Three examples with two features: the derivation\n")
    small = leaves([[0.1], [-0.2]], [[0.05]])
    derivation = viz.explain(cost, *small, X[:2, :3], Y[:, :3], notation="d", per_example=True)
    print(derivation)
    with viz.trace():
        J = cost(*small, X[:2, :3], Y[:, :3])
    J.backward()
    draw(viz.graph(J, title="Logistic regression, vectorised", letters=False), "vectorised", options)

    print(f"\n{m} examples with {n} features: loops, vectorised, backward")
    lists = ([row[0] for row in w.tolist()], b.item(), X.tolist(), Y[0].tolist())
    J_loops, dw_loops, db_loops = with_loops(*lists)
    with tg.no_grad():
        J_vector, dw, db = vectorised(w, b, X, Y)
    cost(w, b, X, Y).backward()
    agree("J, loops and vectorised", J_vector, J_loops)
    agree("dw, loops and vectorised", dw, [[d] for d in dw_loops])
    agree("db, loops and vectorised", db, [[db_loops]])
    agree("dw, backward and vectorised", w.grad, dw)
    agree("db, backward and vectorised", b.grad, db)

    with tg.no_grad():
        times = {
            "loops": seconds(lambda: with_loops(*lists)),
            "vectorised": min(seconds(lambda: vectorised(w, b, X, Y)) for _ in range(5)),
        }
    times["forward and backward()"] = min(seconds(lambda: cost(w, b, X, Y).backward()) for _ in range(5))
    print()
    for name, taken in times.items():
        print(f"  {name:24} {taken * 1e3:9.3f} ms    {times['loops'] / taken:6.0f} times as fast as the loops")
    return {"J_loops": J_loops, "J_vectorised": J_vector.item()}


if __name__ == "__main__":
    main()
