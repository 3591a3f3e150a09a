"""Cases of matrix products."""

from __future__ import annotations

from .table import LINES, Case, Draw, cases, inputs

_PRODUCT_SHAPES = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3, 4)),
    ((4, 2, 3), (3,)),
    ((3,), (4, 3, 2)),
    ((4, 2, 3), (4, 3, 2)),
    ((4, 2, 3), (3, 2)),
    ((2, 3), (4, 3, 2)),
    ((2, 1, 2, 3), (3, 3, 2)),
    ((1, 2, 3), (4, 3, 1)),
    ((2, 2, 2, 3), (3,)),
    ((0, 3), (3, 2)),
    ((2, 0), (0, 3)),
    ((0, 2, 3), (3, 4)),
    ((2, 3), (3, 0)),
]
CASES: list[Case] = [
    *cases("matmul", {"x @ y": lambda lib, x, y: x @ y}, [inputs(a, b) for a, b in _PRODUCT_SHAPES]),
    *cases(
        "matmul",
        {
            "matmul(x, y)": lambda lib, x, y: lib.matmul(x, y),
            "x.matmul(y)": lambda lib, x, y: x.matmul(y),
            "matmul(input=, other=)": lambda lib, x, y: lib.matmul(input=x, other=y),
        },
        [
            inputs((2, 3), (3, 2)),
            (Draw((2, 3), layout="transposed"), Draw((3, 2), layout="strided")),
            (Draw((2, 2, 3), layout="transposed"), Draw((3, 2))),
        ],
    ),
    *cases("matmul", {"x @ x.T": lambda lib, x: x @ x.T, "x.T @ x": lambda lib, x: x.T @ x}, LINES),
    *cases(
        "mm",
        {"mm(x, y)": lambda lib, x, y: lib.mm(x, y), "x.mm(y)": lambda lib, x, y: x.mm(y)},
        [inputs((2, 3), (3, 4)), inputs((0, 3), (3, 2))],
    ),
    *cases(
        "dot",
        {"dot(x, y)": lambda lib, x, y: lib.dot(x, y), "x.dot(y)": lambda lib, x, y: x.dot(y)},
        [inputs((3,), (3,)), inputs((0,), (0,))],
    ),
    *cases(
        "linear",
        {
            "linear(x, W, b)": lambda lib, x, W, b: lib.nn.functional.linear(x, W, b),
            "linear(x, W, bias=b)": lambda lib, x, W, b: lib.nn.functional.linear(x, W, bias=b),
        },
        [
            inputs((4, 3), (2, 3), (2,)),
            inputs((3,), (2, 3), (2,)),
            inputs((2, 4, 3), (2, 3), (2,)),
            inputs((0, 3), (2, 3), (2,)),
            inputs((4, 3), (2, 3), (2,), layout="transposed")[:2] + inputs((2,)),
        ],
    ),
    *cases(
        "linear",
        {"linear(x, W)": lambda lib, x, W: lib.nn.functional.linear(x, W)},
        [
            inputs((4, 3), (2, 3)),
            inputs((3,), (2, 3)),
            inputs((2, 2, 3), (1, 3)),
            inputs((4, 3), (3,)),
            inputs((3,), (3,)),
        ],
    ),
]
