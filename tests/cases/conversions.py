"""Cases of dtypes and devices."""

from __future__ import annotations

from .table import Case, cases, inputs

CASES: list[Case] = [
    *cases(
        "to",
        {
            "x.to(float64)": lambda lib, x: x.to(lib.float64),
            "x.to(float32)": lambda lib, x: x.to(lib.float32),
            "x.to(dtype=float32)": lambda lib, x: x.to(dtype=lib.float32),
            "x.double()": lambda lib, x: x.double(),
            "x.float(), float32": lambda lib, x: x.float(),
            "x.type(float64)": lambda lib, x: x.type(lib.float64),
            "x.type_as(y), float32": lambda lib, x: x.type_as(lib.zeros(1, dtype=lib.float32)),
            "x.cpu()": lambda lib, x: x.cpu() * 1,
            "x.to(y)": lambda lib, x: x.to(x.detach()),
        },
        [inputs((2, 3)), inputs(())],
    ),
    *cases(
        "to",
        {
            "x.half()": lambda lib, x: x.half(),
            "x.long()": lambda lib, x: x.long(),
            "x.int()": lambda lib, x: x.int(),
            "x.short()": lambda lib, x: x.short(),
            "x.char()": lambda lib, x: x.char(),
            "x.bool()": lambda lib, x: x.bool(),
            "x.to(int64)": lambda lib, x: x.to(lib.int64),
            "abs(x).byte()": lambda lib, x: (x * x).byte(),
        },
        [inputs((2, 3))],
        differentiable=False,
    ),
]
