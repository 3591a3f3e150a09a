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
    *cases(
        "bmm",
        {"bmm(x, y)": lambda lib, x, y: lib.bmm(x, y), "x.bmm(y)": lambda lib, x, y: x.bmm(y)},
        [
            inputs((4, 2, 3), (4, 3, 2)),
            inputs((1, 2, 1), (1, 1, 3)),
            inputs((0, 2, 3), (0, 3, 2)),
            inputs((2, 2, 0), (2, 0, 2)),
            (Draw((2, 2, 3), layout="transposed"), Draw((2, 3, 2), layout="strided")),
        ],
    ),
    *cases(
        "mv",
        {"mv(x, y)": lambda lib, x, y: lib.mv(x, y), "x.mv(y)": lambda lib, x, y: x.mv(y)},
        [inputs((2, 3), (3,)), inputs((2, 0), (0,)), (Draw((2, 3), layout="transposed"), Draw((3,)))],
    ),
    *cases(
        "vdot",
        {"vdot(x, y)": lambda lib, x, y: lib.vdot(x, y), "x.vdot(y)": lambda lib, x, y: x.vdot(y)},
        [inputs((3,), (3,))],
    ),
    *cases(
        "outer",
        {
            "outer(x, y)": lambda lib, x, y: lib.outer(x, y),
            "x.outer(y)": lambda lib, x, y: x.outer(y),
            "ger(x, y)": lambda lib, x, y: lib.ger(x, y),
            "x.ger(vec2=y)": lambda lib, x, y: x.ger(vec2=y),
            "outer(x, y.float32)": lambda lib, x, y: lib.outer(x, y.to(lib.float32)),
        },
        [inputs((3,), (2,)), inputs((0,), (2,)), inputs((2,), (1,))],
    ),
    *cases(
        "multi_dot",
        {"linalg.multi_dot(x, y, z)": lambda lib, x, y, z: lib.linalg.multi_dot([x, y, z])},
        [
            inputs((2, 3), (3, 4), (4, 1)),
            inputs((3,), (3, 4), (4, 2)),
            inputs((2, 3), (3, 4), (4,)),
            inputs((3,), (3, 2), (2,)),
        ],
    ),
    *cases(
        "multi_dot",
        {
            "linalg.multi_dot((x, y))": lambda lib, x, y: lib.linalg.multi_dot((x, y)),
            "linalg.matmul(x, y)": lambda lib, x, y: lib.linalg.matmul(x, y),
        },
        [inputs((3,), (3,)), inputs((2, 0), (0, 3))],
    ),
    *cases(
        "chain_matmul",
        {"chain_matmul(x, y, z)": lambda lib, x, y, z: lib.chain_matmul(x, y, z)},
        [inputs((2, 3), (3, 4), (4, 1))],
    ),
    *cases("chain_matmul", {"chain_matmul(x)": lambda lib, x: lib.chain_matmul(x)}, LINES),
    *cases(
        "addmm",
        {
            "addmm(x, y, z)": lambda lib, x, y, z: lib.addmm(x, y, z),
            "x.addmm(y, z, beta=2, alpha=3)": lambda lib, x, y, z: x.addmm(y, z, beta=2, alpha=3),
            "addmm(x, y, z, beta=0)": lambda lib, x, y, z: lib.addmm(x, y, z, beta=0),
            "addmm(input=, mat1=, mat2=)": lambda lib, x, y, z: lib.addmm(input=x, mat1=y, mat2=z),
        },
        [
            inputs((2, 4), (2, 3), (3, 4)),
            inputs((4,), (2, 3), (3, 4)),
            inputs((), (2, 3), (3, 4)),
            inputs((2, 1), (2, 3), (3, 4)),
            inputs((2, 4), (2, 0), (0, 4)),
            inputs((4, 2), (4, 3), (3, 2), layout="transposed"),
        ],
    ),
    *cases(
        "addmv",
        {
            "addmv(x, y, z)": lambda lib, x, y, z: lib.addmv(x, y, z),
            "x.addmv(y, z, beta=2, alpha=3)": lambda lib, x, y, z: x.addmv(y, z, beta=2, alpha=3),
        },
        [inputs((2,), (2, 3), (3,)), inputs((), (2, 3), (3,)), inputs((2,), (2, 0), (0,))],
    ),
    *cases(
        "addr",
        {
            "addr(x, y, z)": lambda lib, x, y, z: lib.addr(x, y, z),
            "x.addr(y, z, beta=2, alpha=3)": lambda lib, x, y, z: x.addr(y, z, beta=2, alpha=3),
            "addr(x, y, z.float32)": lambda lib, x, y, z: lib.addr(x, y, z.to(lib.float32), beta=0),
        },
        [inputs((2, 3), (2,), (3,)), inputs((3,), (2,), (3,)), inputs((), (2,), (0,))],
    ),
    *cases(
        "baddbmm",
        {
            "baddbmm(x, y, z)": lambda lib, x, y, z: lib.baddbmm(x, y, z),
            "x.baddbmm(y, z, beta=2, alpha=3)": lambda lib, x, y, z: x.baddbmm(y, z, beta=2, alpha=3),
        },
        [
            inputs((2, 2, 4), (2, 2, 3), (2, 3, 4)),
            inputs((2, 1), (2, 2, 3), (2, 3, 4)),
            inputs((2, 2, 1), (2, 2, 0), (2, 0, 1)),
        ],
    ),
    *cases(
        "addbmm",
        {
            "addbmm(x, y, z)": lambda lib, x, y, z: lib.addbmm(x, y, z),
            "x.addbmm(y, z, beta=2, alpha=3)": lambda lib, x, y, z: x.addbmm(y, z, beta=2, alpha=3),
        },
        [
            inputs((2, 4), (2, 2, 3), (2, 3, 4)),
            inputs((4,), (2, 2, 3), (2, 3, 4)),
            inputs((2, 4), (0, 2, 3), (0, 3, 4)),
        ],
    ),
]
