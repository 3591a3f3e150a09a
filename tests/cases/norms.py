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
    *cases(
        "matrix_norm",
        {
            f"linalg.matrix_norm(x, {order!r})": lambda lib, x, order=order: lib.linalg.matrix_norm(x, order)
            for order in ("fro", "nuc", 2, -2, 1, -1, float("inf"), -float("inf"))
        },
        [inputs((3, 3)), inputs((2, 3, 4))],
    ),
    *cases(
        "matrix_norm",
        {
            f"linalg.matrix_norm(x, {order!r}) of nothing": lambda lib, x, order=order: lib.linalg.matrix_norm(x, order)
            for order in ("fro", "nuc", 2, 1, float("inf"))
        },
        [inputs((0, 0)), inputs((2, 0))],
    ),
    *cases(
        "matrix_norm",
        {
            "linalg.matrix_norm(x)": lambda lib, x: lib.linalg.matrix_norm(x),
            "linalg.matrix_norm(x, 2, (0, 2))": lambda lib, x: lib.linalg.matrix_norm(x, 2, (0, 2)),
            "linalg.matrix_norm(x, 1, dim=(-1, 0), keepdim=True)": lambda lib, x: lib.linalg.matrix_norm(
                x, 1, dim=(-1, 0), keepdim=True
            ),
            "linalg.matrix_norm(x, 'nuc', (1, 0), True)": lambda lib, x: lib.linalg.matrix_norm(x, "nuc", (1, 0), True),
            "linalg.matrix_norm(x, dtype=float64)": lambda lib, x: lib.linalg.matrix_norm(x, dtype=lib.float64),
        },
        CUBE,
    ),
    *cases(
        "norm",
        {
            "linalg.norm(x)": lambda lib, x: lib.linalg.norm(x),
            "linalg.norm(x, keepdim=True)": lambda lib, x: lib.linalg.norm(x, keepdim=True),
        },
        [inputs(shape) for shape in SHAPES],
    ),
    *cases(
        "norm",
        {
            "linalg.norm(x, 2)": lambda lib, x: lib.linalg.norm(x, 2),
            "linalg.norm(x, 1)": lambda lib, x: lib.linalg.norm(x, 1),
            "linalg.norm(x, inf)": lambda lib, x: lib.linalg.norm(x, float("inf")),
            "linalg.norm(x, dim=0)": lambda lib, x: lib.linalg.norm(x, dim=0),
            "linalg.norm(x, 3, dim=(-1,))": lambda lib, x: lib.linalg.norm(x, 3, dim=(-1,)),
        },
        [inputs((3,)), inputs((2, 3)), inputs((3, 2), layout="transposed")],
    ),
    *cases(
        "norm",
        {
            "linalg.norm(x, 'nuc', (0, 1))": lambda lib, x: lib.linalg.norm(x, "nuc", (0, 1)),
            "linalg.norm(x, dim=(0, 1))": lambda lib, x: lib.linalg.norm(x, dim=(0, 1)),
            "linalg.norm(x, 2, 1, True)": lambda lib, x: lib.linalg.norm(x, 2, 1, True),
        },
        [inputs((2, 3)), inputs((2, 3, 2))],
    ),
]
