"""Cases of medians, modes, k-th smallest elements and quantiles."""

from __future__ import annotations

from .table import CUBE, Case, Draw, cases, inputs

ROWS = [
    inputs((3, 5), numbers="distinct"),
    inputs((4, 3), numbers="distinct", layout="transposed"),
    inputs((2, 4), numbers="distinct", layout="strided"),
]
LINE = [inputs((), numbers="distinct"), inputs((4,), numbers="distinct"), inputs((1,), numbers="distinct")]
TIED = [inputs((2, 7), numbers="below 3"), inputs((6, 3), numbers="below 2"), inputs((9,), numbers="below 4")]

CASES: list[Case] = []
for _name in ("median", "nanmedian"):
    CASES += [
        *cases(
            _name,
            {
                f"{_name}(x)": lambda lib, x, name=_name: getattr(lib, name)(x),
                f"x.{_name}()": lambda lib, x, name=_name: getattr(x, name)(),
            },
            [*ROWS, *LINE, *CUBE],
        ),
        *cases(
            _name,
            {f"{_name}(x) of equal elements": lambda lib, x, name=_name: getattr(lib, name)((x * 2).long())},
            [*ROWS, *LINE],
            differentiable=False,
        ),
    ]
for _name in ("median", "nanmedian", "mode"):
    CASES += [
        *cases(
            _name,
            {
                f"{_name}(x, 0)": lambda lib, x, name=_name: getattr(lib, name)(x, 0),
                f"{_name}(x, dim=-1, keepdim=True)": lambda lib, x, name=_name: getattr(lib, name)(
                    x, dim=-1, keepdim=True
                ),
                f"x.{_name}(1, True)": lambda lib, x, name=_name: getattr(x, name)(1, True),
                f"x.{_name}(axis=0)": lambda lib, x, name=_name: getattr(x, name)(axis=0),
                f"x.{_name}(1).values": lambda lib, x, name=_name: getattr(x, name)(1).values,
            },
            [*ROWS, inputs((2, 3, 4), numbers="distinct")],
        ),
        *cases(_name, {f"{_name}(x, 0)": lambda lib, x, name=_name: getattr(lib, name)(x, 0)}, LINE),
        *cases(
            _name,
            {f"{_name}(x, -1)": lambda lib, x, name=_name: getattr(lib, name)(x, -1)},
            [*TIED, inputs((0, 3))],
            differentiable=False,
        ),
    ]
CASES += [
    *cases(
        "mode",
        {"mode(x)": lambda lib, x: lib.mode(x), "x.mode()": lambda lib, x: x.mode()},
        [*TIED, inputs((2, 3), numbers="mask")],
        differentiable=False,
    ),
    *cases(
        "kthvalue",
        {
            "kthvalue(x, 2)": lambda lib, x: lib.kthvalue(x, 2).values,
            "kthvalue(x, 1, 0)": lambda lib, x: lib.kthvalue(x, 1, 0).values,
            "kthvalue(x, k=2, dim=-1, keepdim=True)": lambda lib, x: lib.kthvalue(x, k=2, dim=-1, keepdim=True)[0],
            "x.kthvalue(3, 1, True)": lambda lib, x: x.kthvalue(3, 1, True).values,
            "x.kthvalue(2, axis=0), values and indices": lambda lib, x: x.kthvalue(2, axis=0),
        },
        [*ROWS, inputs((2, 3, 4), numbers="distinct")],
    ),
    *cases("kthvalue", {"kthvalue(x, 1)": lambda lib, x: lib.kthvalue(x, 1)}, LINE),
    *cases("kthvalue", {"kthvalue(x, 2)": lambda lib, x: lib.kthvalue(x, 2).values}, TIED, differentiable=False),
]
for _name in ("quantile", "nanquantile"):
    CASES += [
        *cases(
            _name,
            {
                f"{_name}(x, 0.3)": lambda lib, x, name=_name: getattr(lib, name)(x, 0.3),
                f"{_name}(x, 0.3, 0)": lambda lib, x, name=_name: getattr(lib, name)(x, 0.3, 0),
                f"{_name}(x, q=0.7, dim=-1, keepdim=True)": lambda lib, x, name=_name: getattr(lib, name)(
                    x, q=0.7, dim=-1, keepdim=True
                ),
                f"x.{_name}(1, keepdim=True)": lambda lib, x, name=_name: getattr(x, name)(1, keepdim=True),
                f"x.{_name}(0.5, axis=0)": lambda lib, x, name=_name: getattr(x, name)(0.5, axis=0),
                **{
                    f"{_name}(x, 0.4, -1, interpolation={how})": lambda lib, x, name=_name, how=how: getattr(lib, name)(
                        x, 0.4, -1, interpolation=how
                    )
                    for how in ("linear", "lower", "higher", "nearest", "midpoint")
                },
            },
            [*ROWS, *LINE, inputs((2, 3, 4), numbers="distinct")],
        ),
        *cases(
            _name,
            {
                f"{_name}(x, q)": lambda lib, x, q, name=_name: getattr(lib, name)(x, q),
                f"x.{_name}(q, 0)": lambda lib, x, q, name=_name: getattr(x, name)(q, 0),
                f"x.{_name}(q, -1, True)": lambda lib, x, q, name=_name: getattr(x, name)(q, -1, True),
                f"{_name}(x, q, 0, interpolation=nearest)": lambda lib, x, q, name=_name: getattr(lib, name)(
                    x, q, 0, interpolation="nearest"
                ),
            },
            [(sample[0], Draw(shape, "unit")) for sample in ROWS for shape in ((), (1,), (3,), (0,))],
        ),
    ]
