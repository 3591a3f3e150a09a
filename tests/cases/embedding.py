"""Cases of rows of a matrix by their numbers."""

from __future__ import annotations

from .table import Case, Draw, cases

ROWS = [
    (Draw((5,), "below 3"), Draw((3, 2))),
    (Draw((2, 3), "below 3"), Draw((3, 4), layout="transposed")),
    (Draw((), "below 3"), Draw((3, 2))),
    (Draw((0,), "below 3"), Draw((3, 2))),
]
BAGS = [(Draw((6,), "below 3"), Draw((3, 2), "distinct")), (Draw((5,), "below 4"), Draw((4, 1), "distinct"))]

CASES: list[Case] = [
    *cases(
        "embedding",
        {
            "embedding(i, w)": lambda lib, i, w: lib.nn.functional.embedding(i, w),
            "embedding(i.int(), w)": lambda lib, i, w: lib.nn.functional.embedding(i.int(), w),
        },
        ROWS,
    ),
    *cases(
        "embedding_bag",
        {
            f"embedding_bag(i, w, [0, 2, 2], mode='{mode}', padding_idx={padding})": (
                lambda lib, i, w, mode=mode, padding=padding: lib.nn.functional.embedding_bag(
                    i, w, lib.tensor([0, 2, 2], device=w.device), mode=mode, padding_idx=padding
                )
            )
            for mode in ("sum", "mean", "max")
            for padding in (None, 1)
        },
        BAGS,
    ),
    *cases(
        "embedding_bag",
        {
            "embedding_bag(i, w)": lambda lib, i, w: lib.nn.functional.embedding_bag(i, w),
            "embedding_bag(i, w, mode='max')": lambda lib, i, w: lib.nn.functional.embedding_bag(i, w, mode="max"),
        },
        [(Draw((2, 3), "below 3"), Draw((3, 2), "distinct")), (Draw((0, 3), "below 3"), Draw((3, 2), "distinct"))],
    ),
    *cases(
        "embedding_bag",
        {
            "embedding_bag(i, w, f)": lambda lib, i, w, f: lib.nn.functional.embedding_bag(
                i, w, mode="sum", per_sample_weights=f
            )
        },
        [(Draw((2, 3), "below 3"), Draw((3, 2)), Draw((2, 3)))],
    ),
]
