"""The tape program: find the minimum of J(w) = w² − 10w + 25 with Adam, written in two ways.

The notes end their chapter on frameworks with it: one describes the cost, the tape records it, and the optimiser needs
nothing else. The long form records, takes the gradient and applies it; the short form hands the optimiser the cost.
"""

from typing import Any

from common import agree, draw, leaves, start

import tinygrad_dl as tg
from tinygrad_dl import optim, viz

x = [1.0, -10.0, 25.0]  # the coefficients


def cost(w: tg.Tensor) -> tg.Tensor:
    J = x[0] * w**2 + x[1] * w + x[2]
    return J


def long_form(steps: int) -> list[float]:
    """Record the cost, take its gradient, apply it. Returns w after each step."""
    (w,) = leaves(0.0)
    optimizer = optim.Adam([w], lr=0.1)
    path = []
    for _ in range(steps):
        J = cost(w)
        (w.grad,) = tg.autograd.grad(J, [w])
        optimizer.step()
        path.append(w.item())
    return path


def short_form(steps: int) -> list[float]:
    """Hand the optimiser a function that computes the cost and its gradient."""
    (w,) = leaves(0.0)
    optimizer = optim.Adam([w], lr=0.1)

    def closure() -> tg.Tensor:
        optimizer.zero_grad()
        J = cost(w)
        J.backward()
        return J

    path = []
    for _ in range(steps):
        optimizer.step(closure)
        path.append(w.item())
    return path


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    options = start("tape.py", __doc__, arguments)
    (w,) = leaves(3.0)
    print("The derivative at w = 3: 2w − 10 = −4\n")
    derivation = viz.explain(cost, w, letters=False)
    print(derivation)
    agree("dJ/dw = 2w − 10", derivation["dJ/dw"], 2 * 3.0 - 10)

    with viz.trace():
        J = cost(w)
    J.backward()
    draw(viz.graph(J, title="J = w² − 10w + 25"), "cost", options)

    print("\nAdam with α = 0.1 from w = 0, 1000 steps")  # also with --quick: the notes' number of steps takes no time
    long, short = long_form(1000), short_form(1000)
    for step in (1, 2, 10, 100, 1000):
        print(f"  after {step:4} step(s)   w = {long[step - 1]:.12f}   J = {(long[step - 1] - 5) ** 2:.2e}")
    agree("both forms", long, short, 0.0)
    agree("the minimum, 5", long[-1], 5.0, 1e-9)
    return {"w_final": long[-1], **{f"w_after_{step}": long[step - 1] for step in (1, 2, 10, 100)}}


if __name__ == "__main__":
    main()
