"""Cases of norms of vectors and matrices."""

from __future__ import annotations

from .table import CUBE, EMPTY_ROWS, LINES, SHAPES, Case, cases, inputs

_ORDERS = (2, 1, 0, 0.5, 1.5, 3, 4, -1, float("inf"), -float("inf"))

CASES: list[Case] = [
    *cases(
        "vector_norm",
        {"linalg.vector_norm(x)": lambda lib, x: lib.linalg.vector_norm(x)},
        [inputs(shape) for shape in SHAPES] + LINES,
    ),
    *cases(
        "vector_norm",
        {
            f"linalg.vector_norm(x, {order}, 1)": lambda lib, x, order=order: lib.linalg.vector_norm(x, order, 1)
            for order in _ORDERS
        },
        [*LINES, inputs((0, 3))],
    ),
    *cases(
        "vector_norm",
        {
            "linalg.vector_norm(x, dim=(0, -1), keepdim=True)": lambda lib, x: lib.linalg.vector_norm(
                x, dim=(0, -1), keepdim=True
            ),
            "linalg.vector_norm(x, 3, keepdim=True)": lambda lib, x: lib.linalg.vector_norm(x, 3, keepdim=True),
            "linalg.vector_norm(x, inf, (1, 2))": lambda lib, x: lib.linalg.vector_norm(x, float("inf"), (1, 2)),
            "linalg.vector_norm(x, -2)": lambda lib, x: lib.linalg.vector_norm(x, -2),
        },
        CUBE,
    ),
    *cases(
        "vector_norm",
        {"linalg.vector_norm(x, dtype=float64)": lambda lib, x: lib.linalg.vector_norm(x, dtype=lib.float64)},
        LINES + EMPTY_ROWS,
        exact=False,
    ),
]
