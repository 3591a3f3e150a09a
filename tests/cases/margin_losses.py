"""Cases of losses that ask for a margin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .regression_losses import options, reductions
from .table import Case, Draw, cases, inputs

TRIPLETS = [inputs((3, 2), (3, 2), (3, 2)), inputs((2,), (2,), (2,)), inputs((3, 2), (1, 2), (3, 2))]


def labelled(name: str, target: Callable[[Any, Any], Any], **given: Any) -> dict[str, Callable[..., Any]]:
    """A loss of tensors whose last is a mask, with labels made of it."""
    return {
        f"{name}(labels, {given}, {r!r})": lambda lib, *xs, r=r: getattr(lib.nn.functional, name)(
            *xs[:-1], target(xs[0], xs[-1]), **given, reduction=r
        )
        for r in ("mean", "sum", "none")
    }


def signs(x: Any, mask: Any) -> Any:
    return 2 * mask.to(x.dtype) - 1


CASES: list[Case] = [
    *[
        case
        for name, given in (
            ("hinge_embedding_loss", {}),
            ("hinge_embedding_loss", {"margin": 0.5}),
            ("soft_margin_loss", {}),
            ("multilabel_soft_margin_loss", {}),
        )
        for case in cases(
            name,
            labelled(name, signs, **given),
            [(Draw(shape), Draw(shape, "mask")) for shape in ((4,), (2, 3), (0, 3))],
        )
    ],
    *[
        case
        for name in ("hinge_embedding_loss", "soft_margin_loss", "multilabel_soft_margin_loss")
        for case in cases(name, reductions(name), [(Draw((2, 3)), Draw((2, 3), grad=name[0] == "m"))])
    ],
    *cases(
        "multilabel_soft_margin_loss",
        {"weight=": lambda lib, x, y, w: lib.nn.functional.multilabel_soft_margin_loss(x, y, w)},
        [(Draw((2, 3)), Draw((2, 3), "unit"), Draw((3,), "positive"))],
    ),
    *[
        case
        for name, samples in (
            ("margin_ranking_loss", [((4,), (4,), (4,)), ((2, 3), (2, 1), (2, 3)), ((), (), ())]),
            ("cosine_embedding_loss", [((4, 3), (4, 3), (4,)), ((3,), (3,), ())]),
        )
        for given in ({}, {"margin": 0.2})
        for case in cases(
            name, labelled(name, signs, **given), [(Draw(a), Draw(b), Draw(t, "mask")) for a, b, t in samples]
        )
    ],
    *cases(
        "triplet_margin_loss",
        {
            **reductions("triplet_margin_loss"),
            **options(
                "triplet_margin_loss",
                {"margin": 3.0, "p": 1},
                {"swap": True, "margin": 2.0},
                {"p": 3, "eps": 0.1, "margin": 2.0},
            ),
        },
        TRIPLETS,
    ),
    *cases(
        "triplet_margin_with_distance_loss",
        {
            **reductions("triplet_margin_with_distance_loss"),
            **options("triplet_margin_with_distance_loss", {"distance_function": None, "swap": True, "margin": 2.0}),
            "its own distance": lambda lib, a, p, n: lib.nn.functional.triplet_margin_with_distance_loss(
                a, p, n, distance_function=lambda x, y: 1 - lib.cosine_similarity(x, y, -1), margin=2.0
            ),
        },
        TRIPLETS,
    ),
    *cases(
        "multi_margin_loss",
        {**reductions("multi_margin_loss"), **options("multi_margin_loss", {"p": 2}, {"margin": 2.5})},
        [
            (Draw((4, 3)), Draw((4,), "below 3")),
            (Draw((3,)), Draw((), "below 3")),
            (Draw((3,)), Draw((1,), "below 3")),
            (Draw(()), Draw((), "below 1")),
        ],
    ),
    *cases(
        "multi_margin_loss",
        {
            "weight=": lambda lib, x, y, w: lib.nn.functional.multi_margin_loss(x, y, weight=w),
            "weight=, p=2": lambda lib, x, y, w: lib.nn.functional.multi_margin_loss(x, y, 2, 0.5, w, reduction="none"),
        },
        [(Draw((4, 3)), Draw((4,), "below 3"), Draw((3,), "positive", grad=False))],
    ),
    *cases(
        "multilabel_margin_loss",
        {
            f"{name}, reduction={r!r}": lambda lib, x, y, low=low, r=r: lib.nn.functional.multilabel_margin_loss(
                x, y - low, reduction=r
            )
            for name, low in (("all", 0), ("some", 1))
            for r in ("mean", "sum", "none")
        },
        [(Draw((4, 3)), Draw((4, 3), "below 3")), (Draw((3,)), Draw((3,), "below 3")), (Draw(()), Draw((), "below 1"))],
    ),
]
