"""Cases of moments together, sums and means without NaN, counts and covariances."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .table import ANY, CUBE, EMPTY_ROWS, LINES, MATRIX, SMALL, Case, Draw, cases, inputs


def _holed(lib: Any, x: Any) -> Any:
    """With a NaN in place of its first element, and of what equals it."""
    return lib.where(x == x.reshape(-1)[0], float("nan"), x)


CASES: list[Case] = []
for _name in ("var_mean", "std_mean"):
    CASES += cases(
        _name,
        {
            f"{_name}(x)": lambda lib, x, name=_name: getattr(lib, name)(x),
            f"{_name}(x, 0)": lambda lib, x, name=_name: getattr(lib, name)(x, 0),
            f"{_name}(x, False)": lambda lib, x, name=_name: getattr(lib, name)(x, False),
            f"{_name}(x, 1, False, True)": lambda lib, x, name=_name: getattr(lib, name)(x, 1, False, True),
            f"{_name}(x, dim=(0, 1), correction=0)": lambda lib, x, name=_name: getattr(lib, name)(
                x, dim=(0, 1), correction=0
            ),
            f"{_name}(x, axis=1, correction=2, keepdim=True)": lambda lib, x, name=_name: getattr(lib, name)(
                x, axis=1, correction=2, keepdim=True
            ),
        },
        LINES,
    )
for _name in ("nansum", "nanmean"):
    _forms: dict[str, Callable[..., Any]] = {
        f"{_name}(x)": lambda lib, x, name=_name: getattr(lib, name)(x),
        f"x.{_name}()": lambda lib, x, name=_name: getattr(x, name)(),
    }
    _along: dict[str, Callable[..., Any]] = {
        f"{_name}(x, 1)": lambda lib, x, name=_name: getattr(lib, name)(x, 1),
        f"x.{_name}(dim=(0, 1), keepdim=True)": lambda lib, x, name=_name: getattr(x, name)(dim=(0, 1), keepdim=True),
    }
    CASES += [
        *cases(_name, _forms, ANY),
        *cases(_name, _along, [*LINES, *EMPTY_ROWS]),
        *cases(
            _name,
            {
                f"{_name}(x, 0) with NaN": lambda lib, x, name=_name: getattr(lib, name)(_holed(lib, x), 0),
                f"{_name}(x) with NaN": lambda lib, x, name=_name: getattr(lib, name)(_holed(lib, x)),
            },
            MATRIX,
        ),
        *cases(
            _name,
            {f"{_name}(x) of NaN": lambda lib, x, name=_name: getattr(lib, name)(x.detach() * float("nan"))},
            MATRIX,
            differentiable=False,
        ),
        *cases(
            _name,
            {
                f"{_name}(x, dtype=float64)": lambda lib, x, name=_name: getattr(lib, name)(x, dtype=lib.float64),
                f"x.{_name}(0, dtype=float32)": lambda lib, x, name=_name: getattr(x, name)(0, dtype=lib.float32),
            },
            SMALL,
            exact=False,
        ),
    ]
CASES += [
    *cases(
        "count_nonzero",
        {
            "count_nonzero(x)": lambda lib, x: lib.count_nonzero(x),
            "x.count_nonzero()": lambda lib, x: x.count_nonzero(),
            "count_nonzero(x, -1)": lambda lib, x: lib.count_nonzero(x, -1),
        },
        [*ANY, inputs((3, 4), numbers="below 2"), inputs((5,), numbers="mask")],
        differentiable=False,
    ),
    *cases(
        "count_nonzero",
        {
            "count_nonzero(x, (0, 2))": lambda lib, x: lib.count_nonzero(x, (0, 2)),
            "x.count_nonzero(dim=(0, 1, 2))": lambda lib, x: x.count_nonzero(dim=(0, 1, 2)),
            "x.count_nonzero(dim=())": lambda lib, x: x.count_nonzero(dim=()),
        },
        [*CUBE, inputs((2, 3, 4), numbers="below 2")],
        differentiable=False,
    ),
    *cases(
        "cov",
        {
            "cov(x)": lambda lib, x: lib.cov(x),
            "x.cov()": lambda lib, x: x.cov(),
            "cov(x, correction=0)": lambda lib, x: lib.cov(x, correction=0),
        },
        [*LINES, inputs((4,)), inputs((1, 3)), inputs((2, 0)), inputs(())],
    ),
    *cases(
        "cov",
        {
            "cov(x, fweights=n)": lambda lib, x, n, a: lib.cov(x, fweights=n + 1),
            "cov(x, aweights=a)": lambda lib, x, n, a: lib.cov(x, aweights=a),
            "x.cov(correction=0, fweights=n, aweights=a)": lambda lib, x, n, a: x.cov(
                correction=0, fweights=n + 1, aweights=a
            ),
        },
        [(Draw((3, 5)), Draw((5,), "below 3"), Draw((5,), "positive"))],
    ),
    *cases(
        "corrcoef",
        {"corrcoef(x)": lambda lib, x: lib.corrcoef(x), "x.corrcoef()": lambda lib, x: x.corrcoef()},
        [*LINES, inputs((4,)), inputs(())],
    ),
]
