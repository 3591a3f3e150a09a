"""Cases of sorting, of the largest elements, and of what sorted elements are good for."""

from __future__ import annotations

from .table import DISTINCT, Case, Draw, cases, inputs

MATRICES = [
    inputs((3, 4), numbers="distinct"),
    inputs((4, 3), numbers="distinct", layout="transposed"),
    inputs((3, 2), numbers="distinct", layout="strided"),
    inputs((2, 3, 4), numbers="distinct", layout="transposed"),
]

REPEATING = [
    (Draw((9,), "below 3"),),
    (Draw((6, 2), "below 2"),),
    (Draw((2, 6), "below 2", "transposed"),),
    (Draw((5, 1, 2), "below 2"),),
]

ORDER: list[Case] = [
    *cases(
        "sort",
        {
            "sort(x)": lambda lib, x: lib.sort(x),
            "x.sort(-1)": lambda lib, x: x.sort(-1),
            "sort(x, descending=True).values": lambda lib, x: lib.sort(x, descending=True).values,
            "sort(x, stable=True).indices": lambda lib, x: lib.sort(x, stable=True).indices,
        },
        DISTINCT,
    ),
    *cases(
        "sort",
        {
            "sort(x, 0, True)": lambda lib, x: lib.sort(x, 0, True),
            "x.sort(dim=1, descending=False)": lambda lib, x: x.sort(dim=1, descending=False),
            "x.sort(stable=True, dim=0)": lambda lib, x: x.sort(stable=True, dim=0),
            "sort(x, axis=0)": lambda lib, x: lib.sort(x, axis=0),
        },
        MATRICES,
    ),
    *cases("msort", {"msort(x)": lambda lib, x: lib.msort(x), "x.msort()": lambda lib, x: x.msort()}, DISTINCT),
    *cases(
        "argsort",
        {
            "argsort(x)": lambda lib, x: lib.argsort(x),
            "x.argsort(-1, True)": lambda lib, x: x.argsort(-1, True),
            "argsort(x, dim=0, descending=True, stable=True)": lambda lib, x: lib.argsort(
                x, dim=0, descending=True, stable=True
            ),
        },
        DISTINCT,
        differentiable=False,
    ),
    *cases(
        "argsort",
        {  # equal elements, in both directions
            "argsort(i % 3)": lambda lib, i: lib.argsort(i % 3, stable=True),
            "argsort(i % 3, descending=True)": lambda lib, i: lib.argsort(i % 3, descending=True, stable=True),
            "sort((i % 3).float(), dim=0)": lambda lib, i: lib.sort((i % 3).float(), dim=0, stable=True).indices,
        },
        [(Draw((60,), "below 9"),), (Draw((7, 20), "below 9"),), (Draw((20, 7), "below 9", "transposed"),)],
        differentiable=False,
    ),
    *cases(
        "topk",
        {
            "topk(x, 2)": lambda lib, x: lib.topk(x, 2).values,
            "x.topk(1, dim=0)": lambda lib, x: x.topk(1, dim=0)[0],
            "x.topk(2, 1, largest=False)": lambda lib, x: x.topk(2, 1, largest=False).values,
            "x.topk(2, sorted=False)[0].sum(-1)": lambda lib, x: x.topk(2, sorted=False)[0].sum(-1),
            "topk(x, k=0)": lambda lib, x: lib.topk(x, k=0),
            "topk(x, x.shape[0], 0)": lambda lib, x: lib.topk(x, x.shape[0], 0).values,
            "x.gather(1, x.topk(2, 1).indices)": lambda lib, x: x.gather(1, x.topk(2, 1).indices),
        },
        MATRICES,
    ),
    *cases("topk", {"topk(x, 1)": lambda lib, x: lib.topk(x, 1)}, [inputs(()), inputs((1,)), inputs((0, 2))]),
    *cases(
        "unique",
        {
            "unique(i)": lambda lib, i: lib.unique(i),
            "i.unique(return_inverse=True)": lambda lib, i: i.unique(return_inverse=True),
            "unique(i, True, True, True)": lambda lib, i: lib.unique(i, True, True, True),
            "unique(i, return_counts=True)": lambda lib, i: lib.unique(i, return_counts=True),
            "unique(i.double())": lambda lib, i: lib.unique(i.double(), return_inverse=True),
            "unique_consecutive(i)": lambda lib, i: lib.unique_consecutive(i),
            "i.unique_consecutive(True, True)": lambda lib, i: i.unique_consecutive(True, True),
        },
        [*REPEATING, (Draw((), "below 3"),), (Draw((0,), "below 3"),), (Draw((0, 2), "below 3"),)],
        differentiable=False,
    ),
    *cases(
        "unique",
        {
            "unique(i, dim=0, ...)": lambda lib, i: lib.unique(i, return_inverse=True, return_counts=True, dim=0),
            "unique_consecutive(i, True, True, 0)": lambda lib, i: lib.unique_consecutive(i, True, True, 0),
        },
        [*REPEATING, (Draw((0, 2), "below 3"),)],
        differentiable=False,
    ),
    *cases(
        "unique",
        {
            "unique(i, dim=-1)": lambda lib, i: lib.unique(i, dim=-1),
            "unique_consecutive(i, dim=-1)": lambda lib, i: lib.unique_consecutive(i, dim=-1),
        },
        REPEATING,
        differentiable=False,
    ),
]

SEARCHING: list[Case] = [
    *cases(
        "searchsorted",
        {
            "searchsorted(a, v)": lambda lib, a, v: lib.searchsorted(a.sort(-1).values, v),
            "searchsorted(a, v, right=True)": lambda lib, a, v: lib.searchsorted(a.sort(-1).values, v, right=True),
            "searchsorted(a, v, side='right')": lambda lib, a, v: lib.searchsorted(a.sort(-1).values, v, side="right"),
            "searchsorted(a, v, sorter=)": lambda lib, a, v: lib.searchsorted(a, v, sorter=a.argsort(-1)),
            "searchsorted(a, v, out_int32=True)": lambda lib, a, v: lib.searchsorted(
                a.sort(-1).values, v, out_int32=True
            ),
        },
        [
            (Draw((5,), "distinct"), Draw((2, 3))),
            (Draw((5,), "distinct"), Draw(())),
            (Draw((2, 5), "distinct"), Draw((2, 3))),
            (Draw((2, 5), "distinct", "transposed"), Draw((2, 0))),
            (Draw((0,)), Draw((2,))),
            (Draw((2, 0)), Draw((2, 3))),
        ],
        differentiable=False,
    ),
    *cases(
        "searchsorted",
        {
            "searchsorted(a, 0.5)": lambda lib, a: lib.searchsorted(a.sort().values, 0.5),
            "searchsorted(a, 1)": lambda lib, a: lib.searchsorted(a.sort().values, 1),
            "bucketize(0.5, a)": lambda lib, a: lib.bucketize(0.5, a.sort().values),
        },
        [(Draw((5,), "distinct"),)],
        differentiable=False,
    ),
    *cases(
        "bucketize",
        {
            "bucketize(x, b)": lambda lib, x, b: lib.bucketize(x, b.sort().values),
            "bucketize(x, b, right=True, out_int32=True)": lambda lib, x, b: lib.bucketize(
                x, b.sort().values, right=True, out_int32=True
            ),
        },
        [(Draw((2, 3)), Draw((4,), "distinct")), (Draw((3, 2), layout="transposed"), Draw((4,), "distinct"))],
        differentiable=False,
    ),
]

CASES = [*ORDER, *SEARCHING]
