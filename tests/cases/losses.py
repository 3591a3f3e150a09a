"""Cases of losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .table import Case, Draw, cases, inputs


def _reductions(name: str) -> dict[str, Callable[..., Any]]:
    return {
        f"{name}(reduction={r!r})": lambda lib, *xs, r=r: getattr(lib.nn.functional, name)(*xs, reduction=r)
        for r in ("mean", "sum", "none")
    }


def _parts(lib: Any) -> Any:
    """Two rows at a time; in PyTorch all of them, since its parts have no second derivatives."""
    return None if lib.__name__ == "torch" else lib.nn.LinearCrossEntropyOptions(batch_chunk_size=2)


CASES: list[Case] = [
    *cases(
        "mse_loss",
        _reductions("mse_loss"),
        [inputs((4,), (4,)), inputs((2, 3), (2, 3)), inputs((), ()), inputs((2, 3), (2, 3), layout="transposed")],
    ),
    *cases(
        "mse_loss",
        {
            "mse_loss(x, y)": lambda lib, x, y: lib.nn.functional.mse_loss(x, y),
            "mse_loss(input=, target=)": lambda lib, x, y: lib.nn.functional.mse_loss(input=x, target=y),
        },
        [inputs((2, 3), (2, 3))],
    ),
    *cases(
        "binary_cross_entropy_with_logits",
        _reductions("binary_cross_entropy_with_logits"),
        [(Draw(s), Draw(s, "unit")) for s in [(4,), (2, 3), ()]],
    ),
    *cases(
        "binary_cross_entropy_with_logits",
        {
            "pos_weight=": lambda lib, x, y, w: lib.nn.functional.binary_cross_entropy_with_logits(x, y, pos_weight=w),
            "weight=, 'sum'": lambda lib, x, y, w: lib.nn.functional.binary_cross_entropy_with_logits(
                x, y, w, reduction="sum"
            ),
            "weight=, pos_weight=, 'none'": lambda lib, x, y, w: lib.nn.functional.binary_cross_entropy_with_logits(
                x, y, weight=w, pos_weight=w + 1, reduction="none"
            ),
        },
        [
            (Draw((2, 3)), Draw((2, 3), "unit"), Draw((3,), "positive", grad=False)),
            (Draw((2, 3)), Draw((2, 3), "unit"), Draw((2, 3), "positive", grad=False)),
        ],
    ),
    *cases(
        "binary_cross_entropy_with_logits",
        {"30 x": lambda lib, x, y: lib.nn.functional.binary_cross_entropy_with_logits(30 * x, y)},
        [(Draw((2, 3)), Draw((2, 3), "unit"))],
    ),
    *cases(
        "cross_entropy",
        _reductions("cross_entropy"),
        [
            (Draw((4, 3)), Draw((4,), "below 3")),
            (Draw((3,)), Draw((), "below 3")),
            (Draw((2, 3, 4)), Draw((2, 4), "below 3")),
            (Draw((4, 3), layout="transposed"), Draw((4,), "below 3")),
        ],
    ),
    *cases(
        "cross_entropy",
        {
            "weight=": lambda lib, x, y, w: lib.nn.functional.cross_entropy(x, y, w),
            "weight=, 'sum'": lambda lib, x, y, w: lib.nn.functional.cross_entropy(x, y, weight=w, reduction="sum"),
            "weight=, 'none'": lambda lib, x, y, w: lib.nn.functional.cross_entropy(x, y, weight=w, reduction="none"),
            "weight=, ignore_index=": lambda lib, x, y, w: lib.nn.functional.cross_entropy(
                x, y, weight=w, ignore_index=0
            ),
            "everything": lambda lib, x, y, w: lib.nn.functional.cross_entropy(
                x, y, w, ignore_index=2, reduction="mean", label_smoothing=0.2
            ),
            "everything, 'none'": lambda lib, x, y, w: lib.nn.functional.cross_entropy(
                x, y, w, ignore_index=2, reduction="none", label_smoothing=0.2
            ),
        },
        [
            (Draw((5, 3)), Draw((5,), "below 3"), Draw((3,), "positive", grad=False)),
            (Draw((2, 3, 4)), Draw((2, 4), "below 3"), Draw((3,), "positive", grad=False)),
        ],
    ),
    *cases(
        "cross_entropy",
        {
            "ignore_index=": lambda lib, x, y: lib.nn.functional.cross_entropy(x, y, ignore_index=1),
            "ignore_index=, 'none'": lambda lib, x, y: lib.nn.functional.cross_entropy(
                x, y, ignore_index=1, reduction="none"
            ),
            "label_smoothing=": lambda lib, x, y: lib.nn.functional.cross_entropy(x, y, label_smoothing=0.1),
            "label_smoothing=, 'sum'": lambda lib, x, y: lib.nn.functional.cross_entropy(
                x, y, label_smoothing=0.1, reduction="sum"
            ),
            "30 x": lambda lib, x, y: lib.nn.functional.cross_entropy(30 * x, y),
        },
        [(Draw((5, 3)), Draw((5,), "below 3")), (Draw((2, 3, 4)), Draw((2, 4), "below 3"))],
    ),
    *cases(
        "cross_entropy",
        {
            **_reductions("cross_entropy"),
            "label_smoothing=": lambda lib, x, y: lib.nn.functional.cross_entropy(x, y, label_smoothing=0.1),
            "weight=": lambda lib, x, y: lib.nn.functional.cross_entropy(
                x, y, weight=lib.arange(1.0, 4.0, device=x.device).to(x.dtype)
            ),
        },
        [
            (Draw((4, 3)), Draw((4, 3), "unit")),
            (Draw((3,)), Draw((3,), "unit")),
            (Draw((2, 3, 2)), Draw((2, 3, 2), "unit")),
        ],
    ),
    *cases(
        "nll_loss",
        _reductions("nll_loss"),
        [
            (Draw((4, 3)), Draw((4,), "below 3")),
            (Draw((3,)), Draw((), "below 3")),
            (Draw((2, 3, 4)), Draw((2, 4), "below 3")),
        ],
    ),
    *cases(
        "nll_loss",
        {
            "weight=": lambda lib, x, y, w: lib.nn.functional.nll_loss(x, y, w),
            "weight=, ignore_index=, 'none'": lambda lib, x, y, w: lib.nn.functional.nll_loss(
                x, y, weight=w, ignore_index=1, reduction="none"
            ),
            "weight=, ignore_index=, 'sum'": lambda lib, x, y, w: lib.nn.functional.nll_loss(
                x, y, weight=w, ignore_index=1, reduction="sum"
            ),
        },
        [(Draw((5, 3)), Draw((5,), "below 3"), Draw((3,), "positive", grad=False))],
    ),
    *cases(
        "one_hot",
        {
            "one_hot(y)": lambda lib, y: lib.nn.functional.one_hot(y),
            "one_hot(y, 5)": lambda lib, y: lib.nn.functional.one_hot(y, 5),
        },
        [inputs((4,), numbers="below 3"), inputs((2, 3), numbers="below 4"), inputs((), numbers="below 2")],
        differentiable=False,
    ),
    *cases(
        "ctc_loss",
        {
            f"{name}, reduction={r!r}": lambda lib, x, y, r=r, ti=ti, to=to, o=o: lib.nn.functional.ctc_loss(
                x.log_softmax(-1), y + (0 if "blank" in o else 1), ti, to, reduction=r, **o
            )
            for r in ("mean", "sum", "none")
            for name, ti, to, o in (
                ("full", (6, 6), (3, 3), {}),
                ("of all lengths", (6, 4), (3, 1), {}),
                ("of no labels", (5, 1), (0, 2), {"zero_infinity": True}),
                ("with a blank", (6, 5), (2, 3), {"blank": 3, "zero_infinity": True}),
            )
        },
        [(Draw((6, 2, 4)), Draw((2, 3), "below 3"))],
    ),
    *cases(
        "ctc_loss",
        {
            "of one, reduction='none'": lambda lib, x, y: lib.nn.functional.ctc_loss(
                x.log_softmax(-1), y + 1, lib.tensor(6), lib.tensor(3), reduction="none"
            ),
            "of one": lambda lib, x, y: lib.nn.functional.ctc_loss(x.log_softmax(-1), y + 1, (6,), (3,)),
        },
        [(Draw((6, 4)), Draw((3,), "below 3"))],
    ),
    *cases(
        "ctc_loss",
        {
            "labels in a row": lambda lib, x, y: lib.nn.functional.ctc_loss(
                x.log_softmax(-1), y + 1, (6, 5), (3, 1), reduction="none"
            )
        },
        [(Draw((6, 2, 4)), Draw((4,), "below 3"))],
    ),
    *cases(
        "linear_cross_entropy",
        {
            "linear_cross_entropy(x, w, y)": lambda lib, x, w, y: lib.nn.functional.linear_cross_entropy(x, w, y),
            "in parts": lambda lib, x, w, y: lib.nn.functional.linear_cross_entropy(x, w, y, options=_parts(lib)),
            "in parts, ignore_index=, 'none'": lambda lib, x, w, y: lib.nn.functional.linear_cross_entropy(
                x, w, y, reduction="none", ignore_index=1, options=_parts(lib)
            ),
        },
        [
            (Draw((5, 3)), Draw((4, 3)), Draw((5,), "below 4")),
            (Draw((5, 3), layout="strided"), Draw((4, 3), layout="transposed"), Draw((5,), "below 4")),
            (Draw((3,)), Draw((4, 3)), Draw((), "below 4")),
        ],
    ),
    *cases(
        "linear_cross_entropy",
        {
            "linear_bias=, weight=": lambda lib, x, w, y, b, c: lib.nn.functional.linear_cross_entropy(
                x, w, y, linear_bias=b, weight=c, options=_parts(lib)
            ),
            "linear_bias=, weight=, 'sum'": lambda lib, x, w, y, b, c: lib.nn.functional.linear_cross_entropy(
                x, w, y, linear_bias=b, weight=c, reduction="sum"
            ),
        },
        [(Draw((5, 3)), Draw((4, 3)), Draw((5,), "below 4"), Draw((4,)), Draw((4,), "positive", grad=False))],
    ),
]
