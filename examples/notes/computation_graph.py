"""J = 3(a + bc): values from left to right, derivatives from right to left, and the bump test.

The first example of the notes (1.2): each step's derivative follows from its successor's by the chain rule, and raising
a value by 0.001 shows the same slope without any calculus.
"""

from typing import Any

from common import agree, draw, leaves, start

import tinygrad_dl as tg
from tinygrad_dl import viz

BUMP = 0.001


def cost(a: tg.Tensor, b: tg.Tensor, c: tg.Tensor) -> tg.Tensor:
    u = b * c
    v = a + u
    J = 3 * v
    return J


def bump_test(derivation: viz.Derivation) -> dict[str, float]:
    """Raise one value after the other by 0.001 and watch J."""
    a, b, c, u, v, J = 5.0, 3.0, 2.0, derivation["u"], derivation["v"], derivation["J"]
    after = {
        "v": (v, 3 * (v + BUMP)),
        "u": (u, 3 * (a + (u + BUMP))),
        "a": (a, 3 * ((a + BUMP) + b * c)),
        "b": (b, 3 * (a + (b + BUMP) * c)),
        "c": (c, 3 * (a + b * (c + BUMP))),
    }
    print("\nThe bump test")
    for name, (value, bumped) in after.items():
        slope, derivative = (bumped - J) / BUMP, derivation[f"dJ/d{name}"]
        print(f"  {name} {value:g} → {value + BUMP:g}    J {J:g} → {bumped:.3f}    slope {slope:.3f} = dJ/d{name}")
        assert abs(slope - derivative) < 1e-9
    return {f"J_after_{name}_bump": bumped for name, (_, bumped) in after.items()} | {"u_after_b_bump": (b + BUMP) * c}


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    options = start("computation_graph.py", __doc__, arguments)
    a, b, c = leaves(5.0, 3.0, 2.0)

    derivation = viz.explain(cost, a, b, c)
    print(derivation)
    numbers = {"J": derivation["J"]} | {f"dJ_d{name}": derivation[f"dJ/d{name}"] for name in "vuabc"}
    numbers |= bump_test(derivation)

    with viz.trace():
        J = cost(a, b, c)
    draw(viz.graph(J, title="J = 3(a + bc), before backward"), "before", options)
    J.backward()
    draw(viz.graph(J, title="J = 3(a + bc), after backward"), "after", options)

    print("\nWhat backward left in .grad")
    for name, leaf, expected in (("a", a, 3), ("b", b, 6), ("c", c, 9)):
        agree(f"{name}.grad and dJ/d{name} = {expected}", leaf.grad, expected)
    return numbers


if __name__ == "__main__":
    main()
