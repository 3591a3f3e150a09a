"""Broadcasting, and the sum that undoes it in backward.

A dimension of size 1 is repeated against a larger one (notes 1.9). Going back, every repetition sends its gradient, so
they are summed: this is where db = Σ dZ comes from.
"""

from typing import Any

from common import agree, draw, leaves, start

import tinygrad_dl as tg
from tinygrad_dl import viz


def calories() -> tuple[tg.Tensor, tg.Tensor]:
    """Calories from carbohydrates, protein and fat in 100 g of apple, beef, eggs and potatoes, then in per cent."""
    A = tg.tensor([[56.0, 0.0, 4.4, 68.0], [1.2, 104.0, 52.0, 8.0], [1.8, 135.0, 99.0, 0.9]])
    cal = A.sum(axis=0)
    percentage = 100 * A / cal.reshape(1, 4)
    print("Calories per 100 g", cal)
    print("Per cent from carbohydrates, protein, fat")
    print(percentage)
    agree("each column adds up to 100", percentage.sum(axis=0), [100.0] * 4)
    return cal, percentage


def weighted_sum(a: tg.Tensor, b: tg.Tensor) -> tg.Tensor:
    """A number that depends on every element of a + b differently, so that the gradients can be told apart."""
    Z = a + b
    weights = tg.arange(1.0, Z.numel() + 1).reshape(Z.shape)
    J = (weights * Z).sum()
    return J


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    options = start("broadcasting.py", __doc__, arguments)
    cal, percentage = calories()

    matrix = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    cases = {
        "column + number": ([[1.0], [2.0], [3.0], [4.0]], 100.0),
        "(2, 3) + (1, 3)": (matrix, [[100.0, 200.0, 300.0]]),
        "(2, 3) + (2, 1)": (matrix, [[100.0], [200.0]]),
    }
    sums = {}
    for title, data in cases.items():
        a, b = leaves(*data)
        print(f"\n{title}, and the gradients of J = Σ weights·Z")
        derivation = viz.explain(weighted_sum, a, b, notation="d")
        print(derivation)
        sums[title] = derivation["Z"]
        with viz.trace():
            J = weighted_sum(a, b)
        J.backward()
        dZ = tg.tensor(derivation["dZ"])
        repeated = tuple(i for i in range(2) if b.dim() == 0 or b.shape[i] == 1 < dZ.shape[i])
        agree(f"db is dZ, summed over dim {repeated}", b.grad, dZ.sum(dim=repeated, keepdim=b.dim() > 0))
        assert a.grad.shape == a.shape and b.grad.shape == b.shape, "a gradient has the shape of its variable"
        draw(viz.graph(J, title=title, letters=False), title.split(" + ")[1].strip("()").replace(", ", "_by_"), options)

    print("\nA trap: an array of shape (5,) is neither a row nor a column")
    a = tg.randn(5)
    assert a.T.shape == (5,) and (a @ a.T).shape == ()
    a = tg.randn(5, 1)
    assert (a @ a.T).shape == (5, 5)
    print("  (5,): its transpose is itself, and a @ a.T a number; (5, 1): a @ a.T is a (5, 5) matrix")
    return {"cal": cal.tolist(), "percentage": percentage.tolist(), "sums": [Z.tolist() for Z in sums.values()]}


if __name__ == "__main__":
    main()
