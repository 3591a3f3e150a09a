"""Cases of products, and of running sums, products and extremes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .table import ANY, CUBE, EMPTY_ROWS, LINES, MATRIX, SMALL, Case, cases, inputs

LINE = [inputs(()), inputs((1,)), inputs((5,)), inputs((2, 5)), inputs((7, 2))]
TIED = [inputs((2, 7), numbers="below 3"), inputs((9,), numbers="below 4")]
DISTINCT_LINES = [
    inputs((3, 4), numbers="distinct"),
    inputs((4, 3), numbers="distinct", layout="transposed"),
    inputs((), numbers="distinct"),
    inputs((7,), numbers="distinct"),
    inputs((0, 2)),
]


def _running(name: str) -> dict[str, Callable[..., Any]]:
    return {
        f"{name}(x, 0)": lambda lib, x: getattr(lib, name)(x, 0),
        f"x.{name}(-1)": lambda lib, x: getattr(x, name)(-1),
        f"{name}(x, dim=-1)": lambda lib, x: getattr(lib, name)(x, dim=-1),
        f"x.{name}(axis=0)": lambda lib, x: getattr(x, name)(axis=0),
    }


def _in_dtype(name: str) -> dict[str, Callable[..., Any]]:
    return {
        f"{name}(x, 0, dtype=float64)": lambda lib, x: getattr(lib, name)(x, 0, dtype=lib.float64),
        f"x.{name}(1, dtype=float32)": lambda lib, x: getattr(x, name)(1, dtype=lib.float32),
    }


def _as_integers(name: str) -> dict[str, Callable[..., Any]]:
    return {f"x.{name}(1, dtype=int32)": lambda lib, x: getattr(x, name)(1, dtype=lib.int32)}


def _zeroed(function: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    """A product with one factor that is 0, with two, and with a row of zeros."""
    return {
        "one 0": lambda lib, x: function(lib, x * (x != x.reshape(-1)[0])),
        "two 0": lambda lib, x: function(lib, x * (x != x.reshape(-1)[0]) * (x != x.reshape(-1)[-1])),
        "only 0": lambda lib, x: function(lib, x * 0),
    }


CASES: list[Case] = [
    *cases("prod", {"prod(x)": lambda lib, x: lib.prod(x), "x.prod()": lambda lib, x: x.prod()}, ANY),
    *cases(
        "prod",
        {
            "prod(x, 0)": lambda lib, x: lib.prod(x, 0),
            "x.prod(-1)": lambda lib, x: x.prod(-1),
            "prod(x, 1, True)": lambda lib, x: lib.prod(x, 1, True),
            "x.prod(dim=0, keepdim=True)": lambda lib, x: x.prod(dim=0, keepdim=True),
            "x.prod(axis=1)": lambda lib, x: x.prod(axis=1),
        },
        [*LINES, *EMPTY_ROWS],
    ),
    *cases("prod", {"x.prod(0)": lambda lib, x: x.prod(0)}, [inputs(()), inputs((3,)), *CUBE]),
    *cases(
        "prod",
        {
            **_in_dtype("prod"),
            "prod(x, dtype=float64)": lambda lib, x: lib.prod(x, dtype=lib.float64),
            "x.prod(dtype=float32)": lambda lib, x: x.prod(dtype=lib.float32),
        },
        SMALL,
        exact=False,
    ),
    *cases(
        "prod",
        {f"prod(x), {name}": form for name, form in _zeroed(lambda lib, x: x.prod()).items()},
        [inputs((4,)), inputs((1,)), *SMALL],
    ),
    *cases("prod", {f"prod(x, 1), {name}": form for name, form in _zeroed(lambda lib, x: x.prod(1)).items()}, MATRIX),
    *cases("cumsum", _running("cumsum"), [*LINE, *LINES, *EMPTY_ROWS, *CUBE]),
    *cases("cumsum", _in_dtype("cumsum"), SMALL, exact=False),
    *cases("cumprod", _running("cumprod"), [*LINE, *LINES, *EMPTY_ROWS, *CUBE]),
    *cases("cumprod", _in_dtype("cumprod"), SMALL, exact=False),
    *cases(
        "cumprod",
        {f"cumprod(x, -1), {name}": form for name, form in _zeroed(lambda lib, x: x.cumprod(-1)).items()},
        [inputs((5,)), inputs((1,)), *MATRIX],
    ),
    *cases("logcumsumexp", _running("logcumsumexp"), [*LINE, *LINES, *EMPTY_ROWS, *CUBE]),
    *cases("logcumsumexp", {"logcumsumexp(3 * x, 1)": lambda lib, x: lib.logcumsumexp(3 * x, 1)}, [inputs((3, 4))]),
    *cases(
        "logcumsumexp",
        {"logcumsumexp(500 * x, 1)": lambda lib, x: lib.logcumsumexp(500 * x, 1)},
        [inputs((3, 4))],
        differentiable=False,
    ),
]
for _name in ("prod", "cumsum", "cumprod"):
    CASES += cases(_name, _as_integers(_name), SMALL, differentiable=False)
for _name in ("cummax", "cummin"):
    CASES += [
        *cases(_name, _running(_name), DISTINCT_LINES),
        *cases(
            _name,
            {
                f"x.{_name}(-1).indices": lambda lib, x, name=_name: getattr(x, name)(-1).indices,
                f"{_name}(x, -1)[0]": lambda lib, x, name=_name: getattr(lib, name)(x, -1)[0],
            },
            [*TIED, inputs((2, 3, 4), numbers="distinct")],
            differentiable=False,
        ),
    ]
