"""Cases of reading, finding, writing and reducing by tensors of indices and by masks."""

from __future__ import annotations

from .table import ANY, Case, Draw, cases

ROWS = [  # an input, and an index for dimension 0 that it fits
    (Draw((3, 4)), Draw((5, 4), "below 3")),
    (Draw((3, 4), layout="transposed"), Draw((2, 3), "below 3")),
    (Draw((3,)), Draw((4,), "below 3")),
    (Draw((3, 2), layout="strided"), Draw((0, 2), "below 3")),
    (Draw((3, 2, 2)), Draw((4, 1, 2), "below 3")),
    (Draw(()), Draw((), "below 1")),
    (Draw(()), Draw((2,), "below 1")),
]
SOURCES = [  # the same, and something to write: of a larger one PyTorch gets the gradient wrong
    (Draw((3, 4)), Draw((5, 4), "below 3"), Draw((5, 4))),
    (Draw((3, 4), layout="transposed"), Draw((2, 3), "below 3"), Draw((3, 3), layout="transposed", grad=False)),
    (Draw((3,)), Draw((4,), "below 3"), Draw((6,), grad=False)),
    (Draw((3, 2), layout="strided"), Draw((0, 2), "below 3"), Draw((1, 2), grad=False)),
    (Draw((3, 2, 2)), Draw((4, 1, 2), "below 3"), Draw((4, 1, 2))),
    (Draw(()), Draw((), "below 1"), Draw(())),
    (Draw((1,)), Draw((), "below 1"), Draw(())),
]
APART = [  # without repetition: of several values for one place PyTorch may keep any
    (Draw((3, 4)), Draw((1, 4), "below 3"), Draw((1, 4))),
    (Draw((3, 4), layout="transposed"), Draw((1, 3), "below 3"), Draw((3, 3), layout="transposed", grad=False)),
    (Draw((3,)), Draw((1,), "below 3"), Draw((2,), grad=False)),
    (Draw((3,)), Draw((0,), "below 3"), Draw((2,), grad=False)),
    (Draw(()), Draw((), "below 1"), Draw(())),
]

READING: list[Case] = [
    *cases(
        "gather",
        {
            "gather(x, 0, i)": lambda lib, x, i: lib.gather(x, 0, i),
            "x.gather(dim=0, index=i.int())": lambda lib, x, i: x.gather(dim=0, index=i.int()),
        },
        ROWS,
    ),
    *cases(
        "gather",
        {"x.gather(-1, i)": lambda lib, x, i: x.gather(-1, i)},
        [(Draw((3, 4)), Draw((2, 6), "below 4")), (Draw((2, 3, 4), layout="transposed"), Draw((2, 3, 1), "below 4"))],
    ),
    *cases(
        "index_select",
        {
            "index_select(x, 0, i)": lambda lib, x, i: lib.index_select(x, 0, i),
            "x.index_select(dim=-1, index=i.int())": lambda lib, x, i: x.index_select(dim=-1, index=i.int()),
        },
        [
            (Draw((3, 4)), Draw((5,), "below 3")),
            (Draw((3, 4), layout="transposed"), Draw((), "below 3")),
            (Draw((3,)), Draw((0,), "below 3")),
            (Draw((3, 0, 3)), Draw((2,), "below 3")),
            (Draw(()), Draw((1,), "below 1")),
        ],
    ),
    *cases(
        "take",
        {"take(x, i)": lambda lib, x, i: lib.take(x, i), "x.take(-1 - i)": lambda lib, x, i: x.take(-1 - i)},
        [
            (Draw((3, 4)), Draw((5, 2), "below 12")),
            (Draw((3, 4), layout="transposed"), Draw((), "below 12")),
            (Draw(()), Draw((2,), "below 1")),
            (Draw((0,)), Draw((0, 2), "below 1")),
        ],
    ),
    *cases(
        "masked_select",
        {
            "masked_select(x, m)": lambda lib, x, m: lib.masked_select(x, m),
            "x.masked_select(mask=m)": lambda lib, x, m: x.masked_select(mask=m),
        },
        [
            (Draw((3, 4)), Draw((3, 4), "mask")),
            (Draw((3, 4), layout="transposed"), Draw((4,), "mask")),
            (Draw((3, 1)), Draw((2, 1, 4), "mask")),
            (Draw(()), Draw((), "mask")),
            (Draw(()), Draw((3,), "mask")),
            (Draw((0, 2)), Draw((2,), "mask")),
        ],
    ),
    *cases(
        "nonzero",
        {
            "nonzero(x)": lambda lib, x: lib.nonzero(x),
            "x.nonzero()": lambda lib, x: x.nonzero(),
            "nonzero(x - x)": lambda lib, x: lib.nonzero(x * 0),
            "nonzero(x > 0, as_tuple=True)": lambda lib, x: lib.nonzero(x > 0, as_tuple=True),
            "(x > 0).nonzero(as_tuple=True)": lambda lib, x: (x > 0).nonzero(as_tuple=True),
            "argwhere(x > 0)": lambda lib, x: lib.argwhere(x > 0),
            "x.argwhere()": lambda lib, x: x.argwhere(),
            "where(x > 0)": lambda lib, x: lib.where(x > 0),
        },
        ANY,
        differentiable=False,
    ),
    *cases(
        "unravel_index",
        {
            "unravel_index(i, (3, 4))": lambda lib, i: lib.unravel_index(i, (3, 4)),
            "unravel_index(i, 12)": lambda lib, i: lib.unravel_index(i, 12),
        },
        [(Draw((5,), "below 12"),), (Draw((), "below 12"),), (Draw((2, 3), "below 12"),)],
        differentiable=False,
    ),
]

SCATTERING: list[Case] = [
    *cases(
        "scatter",
        {
            "scatter(x, 0, i, s)": lambda lib, x, i, s: lib.scatter(x, 0, i, s),
            "x.scatter(dim=0, index=i.int(), src=s)": lambda lib, x, i, s: x.scatter(dim=0, index=i.int(), src=s),
        },
        APART,
    ),
    *cases(
        "scatter",
        {
            "scatter(x, 0, i, 2.5)": lambda lib, x, i: lib.scatter(x, 0, i, 2.5),
            "x.scatter(0, i, value=1)": lambda lib, x, i: x.scatter(0, i, value=1),
        },
        ROWS[:-1],
    ),
    *cases(
        "scatter",
        {
            "x.scatter(0, i, s, reduce='add')": lambda lib, x, i, s: x.scatter(0, i, s, reduce="add"),
            "scatter(x, 0, i, s, reduce='multiply')": lambda lib, x, i, s: lib.scatter(x, 0, i, s, reduce="multiply"),
            "scatter(x, 0, i, 3, reduce='multiply')": lambda lib, x, i, s: lib.scatter(x, 0, i, 3, reduce="multiply"),
            "scatter(x, 0, i, 3, reduce='add')": lambda lib, x, i, s: lib.scatter(x, 0, i, 3, reduce="add"),
        },
        SOURCES[:4],
        differentiable=False,  # PyTorch has not this derivative
    ),
    *cases(
        "scatter_add",
        {
            "scatter_add(x, 0, i, s)": lambda lib, x, i, s: lib.scatter_add(x, 0, i, s),
            "x.scatter_add(dim=0, index=i.int(), src=s)": lambda lib, x, i, s: x.scatter_add(
                dim=0, index=i.int(), src=s
            ),
        },
        SOURCES,
    ),
    *cases(
        "scatter_add",
        {"x.scatter_add(-1, i, s)": lambda lib, x, i, s: x.scatter_add(-1, i, s)},
        [(Draw((3, 4)), Draw((2, 6), "below 4"), Draw((2, 6)))],
    ),
    *cases(
        "scatter_reduce",
        {
            f"scatter_reduce(x, 0, i, s, '{reduce}', {include})": lambda lib, x, i, s, r=reduce, a=include: (
                lib.scatter_reduce(x, 0, i, s, r, include_self=a)
            )
            for reduce in ("sum", "prod", "mean", "amax", "amin")
            for include in (True, False)
        },
        [sample for sample in SOURCES if sample[1].shape == sample[2].shape],
    ),
    *cases(
        "scatter_reduce",
        {"x.scatter_reduce(1, i, s, reduce='amax')": lambda lib, x, i, s: x.scatter_reduce(1, i, s, reduce="amax")},
        [(Draw((3, 4)), Draw((2, 6), "below 4"), Draw((2, 6)))],
    ),
    *cases(
        "index_reduce",
        {
            f"index_reduce(x, 0, i, s, '{reduce}', {include})": lambda lib, x, i, s, r=reduce, a=include: (
                lib.index_reduce(x, 0, i, s, r, include_self=a)
            )
            for reduce in ("prod", "mean", "amax", "amin")
            for include in (True, False)
        },
        [
            (Draw((3, 4)), Draw((5,), "below 3"), Draw((5, 4))),
            (Draw((3, 2), layout="strided"), Draw((2,), "below 3"), Draw((2, 2), layout="transposed")),
            (Draw((3,)), Draw((0,), "below 3"), Draw((0,))),
        ],
    ),
    *cases(
        "index_reduce",
        {"x.index_reduce(1, i, s, reduce='mean')": lambda lib, x, i, s: x.index_reduce(1, i, s, reduce="mean")},
        [(Draw((2, 3, 2)), Draw((4,), "below 3"), Draw((2, 4, 2)))],
    ),
    *cases(
        "put",
        {
            "put(x, i, s)": lambda lib, x, i, s: lib.put(x, i, s),
            "x.put(-1 - i, s)": lambda lib, x, i, s: x.put(-1 - i, s),
        },
        [
            (Draw((3, 4)), Draw((1,), "below 12"), Draw((1,))),
            (Draw((3, 4), layout="transposed"), Draw((), "below 12"), Draw(())),
            (Draw(()), Draw((1,), "below 1"), Draw((1,))),
        ],
    ),
    *cases(
        "put",
        {"x.put(i, s, accumulate=True)": lambda lib, x, i, s: x.put(i, s, accumulate=True)},
        [(Draw((3, 4)), Draw((2, 3), "below 12"), Draw((3, 2), layout="transposed"))],
    ),
]

CASES = [*READING, *SCATTERING]
