"""b = a + a: a value that is used twice gets the sum of both gradients.

Why backward goes through the nodes in reverse order of their making and not along the paths (notes 1.1): a node must
not send its gradient on before all its consumers have sent theirs. After thirty such steps there are 2³⁰ paths, but
still only thirty nodes.
"""

import time
from typing import Any

from common import agree, draw, leaves, start

import tinygrad_dl as tg
from tinygrad_dl import viz


def twice(a: tg.Tensor) -> tg.Tensor:
    b = a + a
    J = b * a
    return J


def doubled(a: tg.Tensor, times: int) -> tg.Tensor:
    """((a + a) + (a + a)) + …: each step uses its predecessor twice."""
    b = a
    for _ in range(times):
        b = b + b
    return b


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    options = start("diamond.py", __doc__, arguments)
    (a,) = leaves(5.0)

    derivation = viz.explain(twice, a)
    print(derivation)
    print("\na is used three times, so three terms meet in dJ/da. J = 2a², and its derivative is 4a:")
    agree("dJ/da and 4a", derivation["dJ/da"], 4 * 5.0)

    with viz.trace():
        J = twice(a)
    J.backward()
    draw(viz.graph(J, title="J = (a + a)·a: two edges from a to b"), "diamond", options)

    print("\nBackward passes each node once, however many paths there are")
    for times in (2, 10, 20) if options.quick else (2, 10, 20, 30, 50):
        a.grad = None
        start_of_it = time.perf_counter()
        doubled(a, times).backward()
        taken = (time.perf_counter() - start_of_it) * 1e6
        print(f"  {times} nodes, {2**times:,} paths: gradient {a.grad.item():,.0f}, {taken:.0f} µs")
        assert a.grad.item() == 2**times
    return {"dJ_da": derivation["dJ/da"]}


if __name__ == "__main__":
    main()
