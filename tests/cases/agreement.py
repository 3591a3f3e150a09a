"""Cases of whether two tensors agree."""

from __future__ import annotations

from typing import Any

from .table import Case, Draw, cases


def _said(lib: Any, x: Any, *answers: bool) -> Any:
    return lib.tensor(answers, device=x.device)


PAIRS = [(Draw((2, 3)), Draw((2, 3))), (Draw((0,)), Draw((0,))), (Draw(()), Draw((1,)))]

CASES: list[Case] = [
    *cases(
        "equal",
        {
            "equal(x, y)": lambda lib, x, y: _said(
                lib, x, lib.equal(x, y), lib.equal(x, x), x.equal(y), x.equal(x * 1)
            ),
            "equal of two dtypes": lambda lib, x, y: _said(lib, x, lib.equal(x, x.double()), x.equal(y.long())),
            "equal of NaN": lambda lib, x, y: _said(lib, x, x.equal(x * float("nan")), (y * float("nan")).equal(x)),
        },
        PAIRS,
        differentiable=False,
    ),
    *cases(
        "allclose",
        {
            "allclose(x, y)": lambda lib, x, y: _said(
                lib, x, lib.allclose(x, y), lib.allclose(x, x), x.allclose(y * 1)
            ),
            "x.allclose(y, rtol, atol)": lambda lib, x, y: _said(
                lib, x, x.allclose(y, 10, 10), x.allclose(y, rtol=0, atol=0), x.allclose(x + x * 1e-6)
            ),
            "allclose(x, y, equal_nan=)": lambda lib, x, y: _said(
                lib,
                x,
                lib.allclose(x * float("nan"), x * float("nan"), equal_nan=True),
                lib.allclose(x * float("nan"), x * float("nan")),
                lib.allclose(x * float("inf"), x * float("inf")),
                lib.allclose(x, y * float("inf")),
            ),
        },
        PAIRS,
        differentiable=False,
    ),
]
