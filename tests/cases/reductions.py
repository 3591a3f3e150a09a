"""Cases of reductions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .table import ANY, CUBE, EMPTY_ROWS, LINES, MATRIX, SMALL, Case, cases, inputs, layouts


def _over(name: str, function: str | None = None, **more: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    """The ways to say over which dimensions a reduction runs."""

    def call(lib: Any, x: Any, *arguments: Any, **options: Any) -> Any:
        return getattr(lib, name)(x, *arguments, **options)

    return {
        f"{name}(x, 0)": lambda lib, x: call(lib, x, 0),
        f"{name}(x, dim=-1)": lambda lib, x: call(lib, x, dim=-1),
        f"{name}(x, 1, True)": lambda lib, x: call(lib, x, 1, True),
        f"{name}(x, dim=-2, keepdim=True)": lambda lib, x: call(lib, x, dim=-2, keepdim=True),
        f"x.{name}(1)": lambda lib, x: getattr(x, name)(1),
        f"x.{name}(dim=0, keepdim=True)": lambda lib, x: getattr(x, name)(dim=0, keepdim=True),
        f"x.{name}(axis=0)": lambda lib, x: getattr(x, name)(axis=0),
        **more,
    }


def _over_several(name: str) -> dict[str, Callable[..., Any]]:
    return {
        f"{name}(x, (0, 2))": lambda lib, x: getattr(lib, name)(x, (0, 2)),
        f"x.{name}([0, -1], keepdim=True)": lambda lib, x: getattr(x, name)([0, -1], keepdim=True),
        f"x.{name}(dim=(0, 1, 2))": lambda lib, x: getattr(x, name)(dim=(0, 1, 2)),
        f"x.{name}(dim=(1,))": lambda lib, x: getattr(x, name)(dim=(1,)),
        f"x.{name}(axis=(0, 1), keepdims=True)": lambda lib, x: getattr(x, name)(axis=(0, 1), keepdims=True),
    }


def _whole(name: str) -> dict[str, Callable[..., Any]]:
    return {f"{name}(x)": lambda lib, x: getattr(lib, name)(x), f"x.{name}()": lambda lib, x: getattr(x, name)()}


CASES: list[Case] = [
    *cases("sum", _whole("sum"), ANY),
    *cases("sum", _over("sum"), [*LINES, *EMPTY_ROWS]),
    *cases("sum", _over_several("sum"), CUBE),
    *cases(
        "sum",
        {
            "sum(x, dtype=float64)": lambda lib, x: lib.sum(x, dtype=lib.float64),
            "sum(x, dtype=float32)": lambda lib, x: x.sum(dtype=lib.float32),
            "sum(x, 1, dtype=float64)": lambda lib, x: lib.sum(x, 1, dtype=lib.float64),
            "x.sum(dim=())": lambda lib, x: x.sum(dim=()),
            "x.sum(dim=None)": lambda lib, x: x.sum(dim=None),
            "x.sum(None, True)": lambda lib, x: x.sum(None, True),
        },
        SMALL,
    ),
    *cases(
        "sum", {"x.sum(0)": lambda lib, x: x.sum(0), "x.sum(-1)": lambda lib, x: x.sum(-1)}, [inputs(()), inputs((3,))]
    ),
    *cases("mean", _whole("mean"), [s for s in ANY if 0 not in s[0].shape]),
    *cases("mean", _over("mean"), LINES),
    *cases("mean", _over_several("mean"), CUBE),
    *cases(
        "mean",
        {
            "mean(x, dtype=float64)": lambda lib, x: lib.mean(x, dtype=lib.float64),
            "mean(x, 0, dtype=float32)": lambda lib, x: lib.mean(x, 0, dtype=lib.float32),
            "x.mean(dim=())": lambda lib, x: x.mean(dim=()),
        },
        SMALL,
    ),
]
for _name in ("var", "std"):
    CASES += [
        *cases(
            _name, _whole(_name), [inputs((4,)), inputs((2, 3)), inputs((3, 4), layout="transposed"), inputs((2, 2, 2))]
        ),
        *cases(
            _name,
            {
                f"{_name}(x, 0)": lambda lib, x, name=_name: getattr(lib, name)(x, 0),
                f"{_name}(x, dim=-1)": lambda lib, x, name=_name: getattr(lib, name)(x, dim=-1),
                f"{_name}(x, 1, False)": lambda lib, x, name=_name: getattr(lib, name)(x, 1, False),
                f"{_name}(x, 1, False, True)": lambda lib, x, name=_name: getattr(lib, name)(x, 1, False, True),
                f"{_name}(x, 1, unbiased=True, keepdim=True)": lambda lib, x, name=_name: getattr(lib, name)(
                    x, 1, unbiased=True, keepdim=True
                ),
                f"{_name}(x, False)": lambda lib, x, name=_name: getattr(lib, name)(x, False),
                f"{_name}(x, unbiased=False)": lambda lib, x, name=_name: getattr(lib, name)(x, unbiased=False),
                f"{_name}(x, correction=0)": lambda lib, x, name=_name: getattr(lib, name)(x, correction=0),
                f"{_name}(x, correction=2)": lambda lib, x, name=_name: getattr(lib, name)(x, correction=2),
                f"x.{_name}(0, correction=0, keepdim=True)": lambda lib, x, name=_name: getattr(x, name)(
                    0, correction=0, keepdim=True
                ),
                f"x.{_name}((0, 1))": lambda lib, x, name=_name: getattr(x, name)((0, 1)),
                f"x.{_name}(dim=None, correction=0)": lambda lib, x, name=_name: getattr(x, name)(
                    dim=None, correction=0
                ),
                f"x.{_name}(axis=1)": lambda lib, x, name=_name: getattr(x, name)(axis=1),
            },
            LINES,
        ),
    ]
    CASES += cases(
        _name,
        {
            f"{_name}(x) of one": lambda lib, x, name=_name: getattr(lib, name)(x.detach()),
            f"{_name}(x, 0) of one": lambda lib, x, name=_name: getattr(lib, name)(x.detach(), 0, correction=0),
            f"{_name}(x, correction=9)": lambda lib, x, name=_name: getattr(lib, name)(x.detach(), correction=9),
        },
        [inputs(()), inputs((1,)), inputs((3,))],
        differentiable=False,
    )
    CASES += cases(
        _name,
        {f"x.{_name}(dim=())": lambda lib, x, name=_name: getattr(x.detach(), name)(dim=())},
        SMALL,
        differentiable=False,
    )
for _name in ("max", "min"):
    CASES += [
        *cases(_name, _whole(_name), [inputs((), numbers="distinct"), *layouts("distinct", (4,), (2, 3), (2, 1, 3))]),
        *cases(
            _name,
            _over(_name),
            [inputs((3, 4), numbers="distinct"), inputs((4, 3), numbers="distinct", layout="transposed")],
        ),
        *cases(
            _name,
            {f"x.{_name}(0)": lambda lib, x, name=_name: getattr(x, name)(0)},
            [inputs(()), inputs((3,), numbers="distinct"), inputs((2, 3, 2), numbers="distinct")],
        ),
        *cases(
            _name,
            {
                f"x.{_name}(1).values": lambda lib, x, name=_name: getattr(x, name)(1).values,
                f"x.{_name}(1)[1]": lambda lib, x, name=_name: getattr(x, name)(1)[1].to(x.dtype) * x.sum(),
            },
            [inputs((2, 3), numbers="distinct")],
        ),
    ]
for _name in ("amax", "amin"):
    CASES += [
        *cases(_name, _whole(_name), [inputs((), numbers="distinct"), *layouts("distinct", (4,), (2, 3), (2, 1, 3))]),
        *cases(
            _name,
            _over(_name),
            [inputs((3, 4), numbers="distinct"), inputs((4, 3), numbers="distinct", layout="transposed")],
        ),
        *cases(_name, _over_several(_name), [inputs((2, 3, 4), numbers="distinct")]),
    ]
CASES += [
    *cases(
        "aminmax",
        {
            "aminmax(x)": lambda lib, x: lib.aminmax(x),
            "x.aminmax(dim=0)": lambda lib, x: x.aminmax(dim=0),
            "x.aminmax(keepdim=True)": lambda lib, x: x.aminmax(keepdim=True),
            "aminmax(x, dim=-1, keepdim=True).min": lambda lib, x: lib.aminmax(x, dim=-1, keepdim=True).min,
        },
        [inputs((), numbers="distinct"), *layouts("distinct", (4,), (2, 3), (2, 1, 3))],
    ),
    *cases(
        "sum_to_size",
        {
            "x.sum_to_size(1, 3)": lambda lib, x: x.sum_to_size(1, 3),
            "x.sum_to_size((3,))": lambda lib, x: x.sum_to_size((3,)),
            "x.sum_to_size(x.shape)": lambda lib, x: x.sum_to_size(x.shape) * 1,
            "x.sum_to_size(())": lambda lib, x: x.sum_to_size(()),
        },
        [inputs((2, 3)), inputs((3, 3), layout="transposed"), inputs((2, 4, 3))],
    ),
]
for _name in ("argmax", "argmin"):
    CASES += [
        *cases(
            _name,
            _whole(_name),
            [inputs((), numbers="distinct"), *layouts("distinct", (4,), (2, 3), (2, 1, 3))],
            differentiable=False,
        ),
        *cases(
            _name,
            _over(_name),
            [inputs((3, 4), numbers="distinct"), inputs((4, 3), numbers="distinct", layout="transposed")],
            differentiable=False,
        ),
        *cases(
            _name,
            {
                f"x.{_name}(keepdim=True)": lambda lib, x, name=_name: getattr(x, name)(keepdim=True),
                f"x.{_name}(None)": lambda lib, x, name=_name: getattr(x, name)(None),
            },
            [inputs((2, 3), numbers="distinct")],
            differentiable=False,
        ),
        *cases(
            _name,
            {f"x.{_name}(0)": lambda lib, x, name=_name: getattr(x, name)(0)},
            [inputs(()), inputs((3,))],
            differentiable=False,
        ),
    ]
for _name in ("any", "all"):
    CASES += [
        *cases(
            _name,
            _whole(_name),
            [*ANY, inputs((2, 3), numbers="mask"), inputs((4,), numbers="below 2")],
            differentiable=False,
        ),
        *cases(
            _name,
            _over(_name),
            [*EMPTY_ROWS, inputs((3, 4), numbers="mask"), inputs((3, 4), numbers="below 2")],
            differentiable=False,
        ),
        *cases(_name, _over_several(_name), [inputs((2, 3, 4), numbers="mask")], differentiable=False),
    ]
_SOFTMAX: dict[str, Callable[..., Any]] = {}
for _name in ("softmax", "log_softmax"):
    CASES += [
        *cases(
            _name,
            {
                f"{_name}(x, 0)": lambda lib, x, name=_name: getattr(lib, name)(x, 0),
                f"{_name}(x, dim=-1)": lambda lib, x, name=_name: getattr(lib, name)(x, dim=-1),
                f"x.{_name}(1)": lambda lib, x, name=_name: getattr(x, name)(1),
                f"functional.{_name}(x, dim=1)": lambda lib, x, name=_name: getattr(lib.nn.functional, name)(x, dim=1),
            },
            [*MATRIX, *EMPTY_ROWS, inputs((2, 3, 2))],
        ),
        *cases(
            _name, {f"{_name}(x, 0)": lambda lib, x, name=_name: getattr(lib, name)(x, 0)}, [inputs(()), inputs((1,))]
        ),
        *cases(
            _name,
            {
                f"{_name}(x, 1, dtype=float64)": lambda lib, x, name=_name: getattr(lib, name)(x, 1, dtype=lib.float64),
                f"x.{_name}(dim=0, dtype=float32)": lambda lib, x, name=_name: getattr(x, name)(
                    dim=0, dtype=lib.float32
                ),
            },
            SMALL,
            exact=False,
        ),
    ]
CASES += [
    *cases(
        "logsumexp",
        {
            "logsumexp(x, 0)": lambda lib, x: lib.logsumexp(x, 0),
            "logsumexp(x, dim=(0, 1))": lambda lib, x: lib.logsumexp(x, dim=(0, 1)),
            "x.logsumexp(-1, keepdim=True)": lambda lib, x: x.logsumexp(-1, keepdim=True),
            "x.logsumexp(1, True)": lambda lib, x: x.logsumexp(1, True),
            "logsumexp(100 * x, 1)": lambda lib, x: lib.logsumexp(100 * x, 1),
        },
        [*MATRIX, inputs((2, 3, 2))],
    ),
    *cases("logsumexp", {"logsumexp(x, 0)": lambda lib, x: lib.logsumexp(x, 0)}, [inputs(()), inputs((3,))]),
]
