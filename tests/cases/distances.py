"""Cases of lengths, distances and rows cut to a length."""

from __future__ import annotations

from .table import CUBE, LINES, SHAPES, Case, Draw, cases, inputs, pairs

_ORDERS = (2, 1, 0, 0.5, 3, -1, float("inf"), -float("inf"), "fro", None)

CASES: list[Case] = [
    *cases(
        "norm",
        {"norm(x)": lambda lib, x: lib.norm(x), "x.norm()": lambda lib, x: x.norm()},
        [inputs(shape) for shape in SHAPES] + LINES,
    ),
    *cases(
        "norm",
        {
            f"norm(x, {p}, {dim})": lambda lib, x, p=p, dim=dim: lib.norm(x, p, dim)
            for p in _ORDERS
            for dim in (None, 1)
        },
        LINES,
    ),
    *cases(
        "norm",
        {
            "x.norm(dim=-1, keepdim=True)": lambda lib, x: x.norm(dim=-1, keepdim=True),
            "x.norm(p=1, dim=(0, 2))": lambda lib, x: x.norm(p=1, dim=(0, 2)),
            "x.norm('fro', (0, 1), True)": lambda lib, x: x.norm("fro", (0, 1), True),
            "norm(x, keepdim=True)": lambda lib, x: lib.norm(x, keepdim=True),
            "norm(x, 3, dim=0)": lambda lib, x: lib.norm(x, 3, dim=0),
            "norm(x, tensor(2))": lambda lib, x: lib.norm(x, lib.tensor(2.0)),
        },
        CUBE,
    ),
    *cases("norm", {"x.norm(2, 1, dtype=float64)": lambda lib, x: x.norm(2, 1, dtype=lib.float64)}, LINES, exact=False),
    *cases(
        "dist",
        {
            "dist(x, y)": lambda lib, x, y: lib.dist(x, y),
            "x.dist(y, 1)": lambda lib, x, y: x.dist(y, 1),
            "dist(x, y, p=3)": lambda lib, x, y: lib.dist(x, y, p=3),
        },
        pairs(),
    ),
    *cases(
        "renorm",
        {
            "renorm(x, 2, 0, 1.5)": lambda lib, x: lib.renorm(x, 2, 0, 1.5),
            "x.renorm(p=1, dim=-1, maxnorm=2)": lambda lib, x: x.renorm(p=1, dim=-1, maxnorm=2),
            "x.renorm(inf, 1, 1)": lambda lib, x: x.renorm(float("inf"), 1, 1),
        },
        [*LINES, *CUBE, (Draw((2, 2), "unit"),)],
    ),
]
