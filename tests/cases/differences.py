"""Cases of differences, slopes and areas."""

from __future__ import annotations

from .table import CUBE, LINES, Case, Draw, cases, inputs

ROWS = [*LINES, inputs((2, 4), layout="strided")]
CURVES = [(Draw((3, 4)), Draw((4,), "distinct")), (Draw((4,)), Draw((4,), "distinct"))]

CASES: list[Case] = [
    *cases(
        "diff",
        {
            "diff(x)": lambda lib, x: lib.diff(x),
            "x.diff(2)": lambda lib, x: x.diff(2),
            "diff(x, 0)": lambda lib, x: lib.diff(x, 0),
            "diff(x, n=5)": lambda lib, x: lib.diff(x, n=5),
            "x.diff(dim=0)": lambda lib, x: x.diff(dim=0),
        },
        [*ROWS, inputs((4,)), inputs((1,)), inputs((2, 0)), *CUBE],
    ),
    *cases(
        "diff",
        {
            "diff(x, 1, -1, y, z)": lambda lib, x, y, z: lib.diff(x, 1, -1, y, z),
            "x.diff(prepend=y)": lambda lib, x, y, z: x.diff(prepend=y),
            "diff(x, append=z, n=2)": lambda lib, x, y, z: lib.diff(x, append=z, n=2),
        },
        [(Draw((2, 3)), Draw((2, 1)), Draw((2, 2)))],
    ),
    *cases(
        "gradient",
        {
            "gradient(x)": lambda lib, x: lib.gradient(x),
            "gradient(x, dim=0)": lambda lib, x: lib.gradient(x, dim=0),
            "gradient(x, spacing=0.5, edge_order=2)": lambda lib, x: lib.gradient(x, spacing=0.5, edge_order=2),
            "gradient(x, spacing=[2, 0.5], dim=(1, 0))": lambda lib, x: lib.gradient(x, spacing=[2, 0.5], dim=(1, 0)),
            "gradient(x, spacing=tensor)": lambda lib, x: lib.gradient(x, spacing=lib.tensor(0.5)),
        },
        LINES,
    ),
    *cases("gradient", {"gradient(x)": lambda lib, x: lib.gradient(x)}, [inputs((2,)), inputs((5,)), inputs((2, 2))]),
    *cases(
        "gradient",
        {
            "gradient(y, spacing=(x,), dim=-1)": lambda lib, y, x: lib.gradient(y, spacing=(x.cumsum(0),), dim=-1),
            "gradient(y, spacing=[x], dim=-1, edge_order=2)": lambda lib, y, x: lib.gradient(
                y, spacing=[x.cumsum(0)], dim=-1, edge_order=2
            ),
        },
        [(Draw((3, 4)), Draw((4,), "positive")), (Draw((4,)), Draw((4,), "positive"))],
    ),
]
for _name in ("trapezoid", "trapz", "cumulative_trapezoid"):
    CASES += [
        *cases(
            _name,
            {
                f"{_name}(y)": lambda lib, y, name=_name: getattr(lib, name)(y),
                f"{_name}(y, y)": lambda lib, y, name=_name: getattr(lib, name)(y, y),
                f"{_name}(y, dx=2)": lambda lib, y, name=_name: getattr(lib, name)(y, dx=2),
                f"{_name}(y, dx=0.5, dim=0)": lambda lib, y, name=_name: getattr(lib, name)(y, dx=0.5, dim=0),
            },
            [*ROWS, inputs((4,)), inputs((1,))],
        ),
        *cases(
            _name,
            {
                f"{_name}(y, x)": lambda lib, y, x, name=_name: getattr(lib, name)(y, x),
                f"{_name}(y, x=x * y, dim=0)": lambda lib, y, x, name=_name: getattr(lib, name)(y, x=x * y, dim=0),
            },
            CURVES,
        ),
    ]
