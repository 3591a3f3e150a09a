"""Cases of reading and writing by index."""

from __future__ import annotations

import numpy as np

from .table import CUBE, LINES, Case, Draw, cases, inputs

INDEXING: list[Case] = [
    *cases(
        "index",
        {
            "x[0]": lambda lib, x: x[0],
            "x[-1]": lambda lib, x: x[-1],
            "x[1:]": lambda lib, x: x[1:],
            "x[:, 1]": lambda lib, x: x[:, 1],
            "x[::2]": lambda lib, x: x[::2],
            "x[..., -1]": lambda lib, x: x[..., -1],
            "x[None]": lambda lib, x: x[None],
            "x[:, None, 0:2]": lambda lib, x: x[:, None, 0:2],
            "x[5:]": lambda lib, x: x[5:],
            "x[[0, 2]]": lambda lib, x: x[[0, 2]],
            "x[[1, 1, -1]]": lambda lib, x: x[[1, 1, -1]],
            "x[[0, 1], [1, 1]]": lambda lib, x: x[[0, 1], [1, 1]],
            "x[:, [2, 0, 2]]": lambda lib, x: x[:, [2, 0, 2]],
            "x[[True, False, True]]": lambda lib, x: x[[True, False, True]],
            "x[x > 0]": lambda lib, x: x[x > 0],
            "x[x[:, 0] > 0]": lambda lib, x: x[x[:, 0] > 0],
            "x[tensor]": lambda lib, x: x[lib.tensor([2, 0, 0], device=x.device)],
            "x[tensor 2-d]": lambda lib, x: x[lib.tensor([[2, 0], [1, -1]], device=x.device)],
            "x[tensor, :2]": lambda lib, x: x[lib.tensor([1, 1], device=x.device), :2],
            "x[0-d tensor]": lambda lib, x: x[lib.tensor(1, device=x.device)],
            "x[1][2]": lambda lib, x: x[1][2],
            "x[()]": lambda lib, x: x[()],
            "x[...]": lambda lib, x: x[...],
            "x[True]": lambda lib, x: x[True],
            "x[[]]": lambda lib, x: x[[]],
            "x[[[0, 1], [2, 0]]]": lambda lib, x: x[[[0, 1], [2, 0]]],
            "x[NumPy array]": lambda lib, x: x[np.array([0, 2])],
            "x[NumPy integer]": lambda lib, x: x[np.int64(1)],
            "x[range(2)]": lambda lib, x: x[range(2)],
            "x[tensor of bools]": lambda lib, x: x[lib.tensor([True, False, True], device=x.device)],
            "x[a[:, None], b]": lambda lib, x: x[
                lib.tensor([[0], [2]], device=x.device), lib.tensor([1, 0], device=x.device)
            ],
        },
        [inputs((3, 4)), inputs((3, 4), layout="transposed")],
    ),
    *cases(
        "index",
        {
            "x[0, ..., 1]": lambda lib, x: x[0, ..., 1],
            "x[[0, 1], :, [1, 0]]": lambda lib, x: x[[0, 1], :, [1, 0]],
            "x[:, [0, 1], [1, 0]]": lambda lib, x: x[:, [0, 1], [1, 0]],
            "x[0, [0, 1]]": lambda lib, x: x[0, [0, 1]],
            "x[0, :, [1, 0]]": lambda lib, x: x[0, :, [1, 0]],
            "x[..., [0, 0]]": lambda lib, x: x[..., [0, 0]],
            "x[:, mask]": lambda lib, x: x[:, lib.tensor([True, False, True], device=x.device)],
            "x[1, mask, 0]": lambda lib, x: x[1, lib.tensor([True, False, True], device=x.device), 0],
            "x[None, ..., None]": lambda lib, x: x[None, ..., None],
            "x[1:, ::2, -1]": lambda lib, x: x[1:, ::2, -1],
        },
        CUBE[:1],
    ),
    *cases(
        "index",
        {
            "x[None]": lambda lib, x: x[None],
            "x[...]": lambda lib, x: x[...],
            "x[()]": lambda lib, x: x[()],
            "x[True]": lambda lib, x: x[True],
        },
        [inputs(())],
    ),
    *cases("index", {"x[:0]": lambda lib, x: x[:0], "x[[]]": lambda lib, x: x[[]]}, [inputs((0,)), inputs((3,))]),
    *cases(
        "select",
        {"select(x, 0, 1)": lambda lib, x: lib.select(x, 0, 1), "x.select(-1, -1)": lambda lib, x: x.select(-1, -1)},
        [*LINES, *CUBE],
    ),
    *cases(
        "take_along_dim",
        {
            "take_along_dim(x, i, 0)": lambda lib, x, i: lib.take_along_dim(x, i, 0),
            "x.take_along_dim(i, dim=0)": lambda lib, x, i: x.take_along_dim(i, dim=0),
        },
        [
            (Draw((3, 4)), Draw((2, 4), "below 3")),
            (Draw((3, 4)), Draw((5, 4), "below 3")),
            (Draw((3,)), Draw((2,), "below 3")),
            (Draw((3, 4)), Draw((2, 1), "below 3")),
            (Draw((3, 1)), Draw((2, 4), "below 3")),
            (Draw((2, 1, 4), layout="transposed"), Draw((1, 3, 1), "below 2")),
        ],
    ),
    *cases(
        "take_along_dim",
        {
            "take_along_dim(x, i, -1)": lambda lib, x, i: lib.take_along_dim(x, i, -1),
            "x.take_along_dim(i)": lambda lib, x, i: x.take_along_dim(i),
        },
        [(Draw((2, 3)), Draw((2, 2), "below 3")), (Draw((3,)), Draw((4,), "below 3"))],
    ),
]

# --- writing by index

WRITING: list[Case] = [
    *cases(
        "masked_fill",
        {
            "masked_fill(x, m, 0.5)": lambda lib, x, m: lib.masked_fill(x, m, 0.5),
            "x.masked_fill(m, -1)": lambda lib, x, m: x.masked_fill(m, -1),
        },
        [
            (Draw((3, 4)), Draw((3, 4), "mask")),
            (Draw((3, 4), layout="transposed"), Draw((4,), "mask")),
            (Draw((1, 4)), Draw((3, 1), "mask")),
            (Draw(()), Draw((), "mask")),
            (Draw((0, 2)), Draw((2,), "mask")),
        ],
    ),
    *cases(
        "masked_fill",
        {"x.masked_fill(m, v)": lambda lib, x, m, v: x.masked_fill(m, v)},
        [(Draw((3, 4)), Draw((3, 4), "mask"), Draw(()))],
    ),
    *cases(
        "masked_scatter",
        {
            "masked_scatter(x, m, s)": lambda lib, x, m, s: lib.masked_scatter(x, m, s),
            "x.masked_scatter(m, s)": lambda lib, x, m, s: x.masked_scatter(m, s),
        },
        [(Draw((3, 4)), Draw((4,), "mask"), Draw((12,))), (Draw((3, 4)), Draw((3, 4), "mask"), Draw((2, 6)))],
    ),
    *cases(
        "index_fill",
        {
            "index_fill(x, 0, i, 2.0)": lambda lib, x, i: lib.index_fill(x, 0, i, 2.0),
            "x.index_fill(-1, i, 3)": lambda lib, x, i: x.index_fill(-1, i, 3),
        },
        [
            (Draw((3, 4)), Draw((2,), "below 3")),
            (Draw((4, 3), layout="transposed"), Draw((3,), "below 3")),
            (Draw((3, 3)), Draw((0,), "below 3")),
        ],
    ),
    *cases(
        "index_fill",
        {"x.index_fill(1, i, v)": lambda lib, x, i, v: x.index_fill(1, i, v)},
        [(Draw((3, 4)), Draw((2,), "below 3"), Draw(()))],
    ),
    *cases(
        "index_copy",
        {
            "index_copy(x, 0, i, s)": lambda lib, x, i, s: lib.index_copy(x, 0, i, s),
            "x.index_copy(dim=0, index=i, source=s)": lambda lib, x, i, s: x.index_copy(dim=0, index=i, source=s),
        },
        [(Draw((3, 4)), Draw((1,), "below 3"), Draw((1, 4))), (Draw((3,)), Draw((), "below 3"), Draw((1,)))],
    ),
    *cases(
        "index_add",
        {
            "index_add(x, 0, i, s)": lambda lib, x, i, s: lib.index_add(x, 0, i, s),
            "x.index_add(-2, i, s, alpha=2)": lambda lib, x, i, s: x.index_add(-2, i, s, alpha=2),
        },
        [
            (Draw((3, 4)), Draw((5,), "below 3"), Draw((5, 4))),
            (Draw((3, 2), layout="strided"), Draw((2,), "below 3"), Draw((2, 2), layout="transposed")),
        ],
    ),
    *cases(
        "index_put",
        {
            "index_put(x, (i,), s)": lambda lib, x, i, s: lib.index_put(x, (i,), s),
            "x.index_put((i, i), s.reshape(-1)[:1])": lambda lib, x, i, s: x.index_put((i, i), s.reshape(-1)[:1]),
            "x.index_put((i,), s, accumulate=True)": lambda lib, x, i, s: x.index_put((i,), s, accumulate=True),
        },
        [(Draw((3, 4)), Draw((1,), "below 3"), Draw((1, 4))), (Draw((3, 4)), Draw((1,), "below 3"), Draw((4,)))],
    ),
    *cases(
        "index_put",
        {"x.index_put((i,), s, True)": lambda lib, x, i, s: x.index_put((i,), s, True)},
        [(Draw((3, 4)), Draw((4,), "below 3"), Draw((4, 4)))],
    ),
]

CASES = [*INDEXING, *WRITING]
