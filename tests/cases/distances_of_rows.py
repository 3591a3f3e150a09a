"""Cases of distances and similarities of rows."""

from __future__ import annotations

from .table import Case, Draw, cases, inputs

_ORDERS = (0, 0.5, 1, 1.5, 2, 3, float("inf"))

CASES: list[Case] = [
    *cases(
        "cdist",
        {f"cdist(x, y, {p})": lambda lib, x, y, p=p: lib.cdist(x, y, p) for p in _ORDERS},
        [inputs((3, 2), (4, 2)), inputs((2, 3, 2), (2, 2)), (Draw((3, 2), layout="transposed"), Draw((2, 2)))],
    ),
    *cases(
        "cdist",
        {
            "cdist(x, y)": lambda lib, x, y: lib.cdist(x, y),
            "cdist(x, y, compute_mode='use_mm_for_euclid_dist')": lambda lib, x, y: lib.cdist(
                x, y, compute_mode="use_mm_for_euclid_dist"
            ),
            "cdist(x1=, x2=, p=2)": lambda lib, x, y: lib.cdist(x1=x, x2=y, p=2),
        },
        [inputs((3, 2), (4, 2)), inputs((26, 3), (2, 3)), inputs((2, 1, 2, 2), (3, 2, 2))],
    ),
    *cases(
        "cdist",
        {f"cdist(x, y, {p}) of nothing": lambda lib, x, y, p=p: lib.cdist(x, y, p) for p in (1, 2, float("inf"))},
        [inputs((0, 2), (3, 2)), inputs((3, 0), (2, 0))],
    ),
    *cases(
        "pdist",
        {
            **{
                f"functional.pdist(x, {p})": lambda lib, x, p=p: lib.nn.functional.pdist(x, p)
                for p in (0, 0.5, 1, 1.5, 3, float("inf"))
            },
            "functional.pdist(x)": lambda lib, x: lib.nn.functional.pdist(x),
            "pdist(x)": lambda lib, x: lib.pdist(x),
        },
        [inputs((4, 3)), inputs((2, 3), layout="transposed")],
    ),
    *cases(
        "pdist", {"pdist(x) of nothing": lambda lib, x: lib.pdist(x)}, [inputs((3, 0))]
    ),  # (none in PyTorch: a crash)
    *cases(
        "cosine_similarity",
        {
            "functional.cosine_similarity(x, y)": lambda lib, x, y: lib.nn.functional.cosine_similarity(x, y),
            "cosine_similarity(x, y, -1, 1e-3)": lambda lib, x, y: lib.cosine_similarity(x, y, -1, 1e-3),
            "cosine_similarity(x, y, dim=0)": lambda lib, x, y: lib.cosine_similarity(x, y, dim=0),
            "cosine_similarity(x, y.float32)": lambda lib, x, y: lib.cosine_similarity(x, y.to(lib.float32)),
        },
        [inputs((2, 3), (2, 3)), inputs((2, 3), (3,)), inputs((2, 1), (1, 3)), inputs((2, 1, 2), (3, 2))],
    ),
    *cases(
        "pairwise_distance",
        {
            "functional.pairwise_distance(x, y)": lambda lib, x, y: lib.nn.functional.pairwise_distance(x, y),
            "pairwise_distance(x, y, 1.0, 0.1, True)": lambda lib, x, y: lib.pairwise_distance(x, y, 1.0, 0.1, True),
            "pairwise_distance(x, y, p=inf)": lambda lib, x, y: lib.pairwise_distance(x, y, p=float("inf")),
        },
        [inputs((2, 3), (2, 3)), inputs((2, 3), (3,)), inputs((3,), (3,)), inputs((2, 1, 2), (3, 2))],
    ),
]
