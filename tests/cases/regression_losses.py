"""Cases of losses of numbers against numbers and of the parameters of distributions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .table import Case, Draw, cases, inputs


def reductions(name: str, *more: str) -> dict[str, Callable[..., Any]]:
    """A loss with each reduction, and as it is called without one."""
    return {
        **{
            f"{name}(reduction={r!r})": lambda lib, *xs, r=r: getattr(lib.nn.functional, name)(*xs, reduction=r)
            for r in ("mean", "sum", "none", *more)
        },
        f"{name}()": lambda lib, *xs: getattr(lib.nn.functional, name)(*xs),
    }


def options(name: str, *given: dict[str, Any]) -> dict[str, Callable[..., Any]]:
    """A loss with options, unreduced."""
    return {
        f"{name}({', '.join(f'{key}={value}' for key, value in some.items())})": (
            lambda lib, *xs, some=some: getattr(lib.nn.functional, name)(*xs, **{"reduction": "none", **some})
        )
        for some in given
    }


PAIRS = [
    inputs((4,), (4,)),
    inputs((2, 3), (2, 3), layout="transposed"),
    inputs((), ()),
    inputs((0, 3), (0, 3)),
    inputs((2, 3), (3,)),
    (Draw((2, 3)), Draw((2, 3), grad=False)),
]
PROBABILITIES = [
    tuple(Draw(d.shape, "unit", d.layout, d.grad) for d in pair) for pair in PAIRS if pair[0].shape == pair[1].shape
]
WEIGHTED = [(Draw((2, 3)), Draw((2, 3)), Draw((2, 3), "positive"))]

CASES: list[Case] = [
    *cases("l1_loss", reductions("l1_loss"), PAIRS),
    *cases("smooth_l1_loss", reductions("smooth_l1_loss"), PAIRS),
    *cases("smooth_l1_loss", options("smooth_l1_loss", {"beta": 0.5}, {"beta": 0}, {"beta": 3.0}), PAIRS[:2]),
    *cases("huber_loss", reductions("huber_loss"), PAIRS),
    *cases("huber_loss", options("huber_loss", {"delta": 0.5}, {"delta": 3.0}), PAIRS[:2]),
    *[
        case
        for name in ("mse_loss", "l1_loss", "huber_loss")
        for case in cases(
            name,
            {
                f"{name}(weight=, reduction={r!r})": lambda lib, x, y, w, name=name, r=r: getattr(
                    lib.nn.functional, name
                )(x, y, weight=w, reduction=r)
                for r in ("mean", "sum", "none")
            },
            WEIGHTED,
        )
    ],
    *cases("binary_cross_entropy", reductions("binary_cross_entropy"), PROBABILITIES),
    *cases(
        "binary_cross_entropy",
        {
            "weight=": lambda lib, x, y, w: lib.nn.functional.binary_cross_entropy(x, y, w),
            "weight=, 'sum'": lambda lib, x, y, w: lib.nn.functional.binary_cross_entropy(
                x, y, weight=w, reduction="sum"
            ),
        },
        [
            (Draw((2, 3), "unit"), Draw((2, 3), "unit"), Draw((3,), "positive", grad=False)),
            (Draw((2, 3), "unit"), Draw((2, 3), "unit"), Draw((2, 1), "positive", grad=False)),
        ],
    ),
    *cases("kl_div", reductions("kl_div", "batchmean"), [(pair[0], Draw(pair[1].shape, "unit")) for pair in PAIRS]),
    *cases("kl_div", options("kl_div", {"log_target": True}, {"log_target": True, "reduction": "batchmean"}), PAIRS),
    *cases("poisson_nll_loss", reductions("poisson_nll_loss"), PAIRS),
    *cases(
        "poisson_nll_loss",
        options("poisson_nll_loss", {"log_input": False}, {"full": True}, {"log_input": False, "eps": 0.1}),
        [inputs((2, 3), (2, 3), numbers="positive"), inputs((4,), (4,), numbers="positive")],
    ),
    *cases(
        "gaussian_nll_loss",
        {**reductions("gaussian_nll_loss"), **options("gaussian_nll_loss", {"full": True}, {"eps": 0.1})},
        [
            (Draw((2, 3)), Draw((2, 3)), Draw(shape, "positive"))
            for shape in ((2, 3), (2,), (2, 1), (1, 3))
        ] + [(Draw(()), Draw(()), Draw((), "positive"))],
    ),
    *cases(
        "gaussian_nll_loss",
        {"of a number": lambda lib, x, y: lib.nn.functional.gaussian_nll_loss(x, y, 0.5)},
        [inputs((2, 3), (2, 3))],
    ),
]  # fmt: skip
