"""Cases of histograms and counts."""

from __future__ import annotations

from typing import Any

from .table import Case, Draw, cases, inputs

VALUES = [inputs((3, 4)), inputs((7,)), inputs((4, 3), layout="transposed"), inputs((0,)), inputs((1,)), inputs(())]
COUNTED = [inputs((9,), numbers="below 5"), inputs((0,), numbers="below 5"), inputs((1,), numbers="below 5")]


def _edges(lib: Any, x: Any, *numbers: float) -> Any:
    return lib.tensor(numbers, dtype=x.dtype, device=x.device)


CASES: list[Case] = [
    *cases(
        "histc",
        {
            "histc(x)": lambda lib, x: lib.histc(x),
            "x.histc(4)": lambda lib, x: x.histc(4),
            "histc(x, bins=3, min=-1, max=1)": lambda lib, x: lib.histc(x, bins=3, min=-1, max=1),
            "x.histc(5, 0.5, 1.5)": lambda lib, x: x.histc(5, 0.5, 1.5),
        },
        VALUES,
        differentiable=False,
    ),
    *cases(
        "histogram",
        {
            "histogram(x, 4)": lambda lib, x: lib.histogram(x, 4),
            "x.histogram(3, range=(-1.0, 1.5))": lambda lib, x: x.histogram(3, range=(-1.0, 1.5)),
            "histogram(x, bins=2, density=True)": lambda lib, x: lib.histogram(x, bins=2, density=True),
            "histogram(x, 3, weight=x)": lambda lib, x: lib.histogram(x, 3, weight=x * x),
            "x.histogram(edges, density=True)": lambda lib, x: (
                x.histogram(_edges(lib, x, -2.0, -1.0, 0.0, 0.0, 2.0), density=True).hist
            ),
        },
        VALUES,
        differentiable=False,
    ),
    *cases(
        "histogramdd",
        {
            "histogramdd(x, 3)": lambda lib, x: (lambda r: (r.hist, *r.bin_edges))(lib.histogramdd(x, 3)),
            "histogramdd(x, [2, 3], range=)": lambda lib, x: (
                lib.histogramdd(x, [2, 3], range=[-1.0, 1.0, 0.0, 2.0]).hist
            ),
        },
        [inputs((9, 2)), inputs((2, 3, 2))],
        differentiable=False,
    ),
    *cases(
        "histogramdd",
        {
            "histogramdd(x, (edges, edges), weight=w, density=True)": lambda lib, x, w: lib.histogramdd(
                x, (_edges(lib, x, -2.0, 0.0, 2.0), _edges(lib, x, -3.0, 3.0)), weight=w, density=True
            )[0]
        },
        [(Draw((9, 2)), Draw((9,), "positive"))],
        differentiable=False,
    ),
    *cases(
        "bincount",
        {
            "bincount(x)": lambda lib, x: lib.bincount(x),
            "x.bincount()": lambda lib, x: x.bincount(),
            "bincount(x, minlength=7)": lambda lib, x: lib.bincount(x, minlength=7),
            "x.int().bincount()": lambda lib, x: x.to(lib.int32).bincount(),
        },
        COUNTED,
        differentiable=False,
    ),
    *cases(
        "bincount",
        {
            "bincount(x, w)": lambda lib, x, w: lib.bincount(x, w),
            "x.bincount(weights=w, minlength=9)": lambda lib, x, w: x.bincount(weights=w, minlength=9),
        },
        [(Draw((9,), "below 5"), Draw((9,))), (Draw((0,), "below 5"), Draw((0,)))],
        differentiable=False,
    ),
]
