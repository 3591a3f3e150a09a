"""Cases of elements in another order and repeated, of diagonals, triangles and windows."""

from __future__ import annotations

from .table import CUBE, EMPTY_ROWS, LINES, Case, cases, inputs

ORDERS: list[Case] = [
    *cases(
        "flip",
        {
            "flip(x, (0,))": lambda lib, x: lib.flip(x, (0,)),
            "x.flip(-1)": lambda lib, x: x.flip(-1),
            "x.flip([0, 1])": lambda lib, x: x.flip([0, 1]),
            "flip(x, dims=())": lambda lib, x: lib.flip(x, dims=()),
            "x.flip(0, -1)": lambda lib, x: x.flip(0, -1),
            "fliplr(x)": lambda lib, x: lib.fliplr(x),
            "x.fliplr()": lambda lib, x: x.fliplr(),
            "flipud(x)": lambda lib, x: lib.flipud(x),
            "x.flipud()": lambda lib, x: x.flipud(),
        },
        [*LINES, *CUBE, *EMPTY_ROWS, inputs((3, 2), layout="strided")],
    ),
    *cases(
        "flip",
        {"flip(x, [0])": lambda lib, x: lib.flip(x, [0]), "x.flip(-1)": lambda lib, x: x.flip(-1)},
        [inputs((3,)), inputs(())],
    ),
    *cases(
        "rot90",
        {
            "rot90(x)": lambda lib, x: lib.rot90(x),
            "x.rot90(2)": lambda lib, x: x.rot90(2),
            "x.rot90(-1, (-1, 0))": lambda lib, x: x.rot90(-1, (-1, 0)),
            "rot90(x, k=3, dims=[0, 1])": lambda lib, x: lib.rot90(x, k=3, dims=[0, 1]),
            "rot90(x, 4)": lambda lib, x: lib.rot90(x, 4),
        },
        [*LINES, *CUBE, inputs((2, 0))],
    ),
    *cases(
        "roll",
        {
            "roll(x, 1)": lambda lib, x: lib.roll(x, 1),
            "x.roll(-5)": lambda lib, x: x.roll(-5),
            "roll(x, 1, 0)": lambda lib, x: lib.roll(x, 1, 0),
            "x.roll((1, 2), (0, -1))": lambda lib, x: x.roll((1, 2), (0, -1)),
            "roll(x, shifts=(1, 1), dims=(1, 1))": lambda lib, x: lib.roll(x, shifts=(1, 1), dims=(1, 1)),
            "roll(x, (1,), ())": lambda lib, x: lib.roll(x, (1,), ()),
            "roll(x, 12, 0)": lambda lib, x: lib.roll(x, 12, 0),
        },
        [*LINES, *CUBE, *EMPTY_ROWS, inputs((3, 2), layout="strided")],
    ),
    *cases("roll", {"roll(x, 1)": lambda lib, x: lib.roll(x, 1)}, [inputs(()), inputs((3,)), inputs((0,))]),
    *cases(
        "repeat",
        {
            "x.repeat(2, 3)": lambda lib, x: x.repeat(2, 3),
            "x.repeat([2, 1, 2])": lambda lib, x: x.repeat([2, 1, 2]),
            "x.repeat(1, 1)": lambda lib, x: x.repeat(1, 1),
            "x.repeat(repeats=(0, 2))": lambda lib, x: x.repeat(repeats=(0, 2)),
            "tile(x, (2,))": lambda lib, x: lib.tile(x, (2,)),
            "x.tile(2, 1, 2)": lambda lib, x: x.tile(2, 1, 2),
            "tile(x, dims=[])": lambda lib, x: lib.tile(x, dims=[]),
        },
        [*LINES, inputs((1, 2)), inputs((3,)), inputs(()), inputs((2, 0)), inputs((3, 2), layout="strided")],
    ),
    *cases(
        "repeat_interleave",
        {
            "repeat_interleave(x, 2)": lambda lib, x: lib.repeat_interleave(x, 2),
            "x.repeat_interleave(3, dim=0)": lambda lib, x: x.repeat_interleave(3, dim=0),
            "x.repeat_interleave(2, -1)": lambda lib, x: x.repeat_interleave(2, -1),
            "repeat_interleave(x, 0, 0)": lambda lib, x: lib.repeat_interleave(x, 0, 0),
            "repeat_interleave(x, counts, 0)": lambda lib, x: lib.repeat_interleave(x, lib.tensor([2, 0, 1]), 0),
            "x.repeat_interleave(repeats=counts, dim=0, output_size=)": lambda lib, x: x.repeat_interleave(
                repeats=lib.tensor([1, 3, 1]), dim=0, output_size=5
            ),
            "x.repeat_interleave(tensor(2), 0)": lambda lib, x: x.repeat_interleave(lib.tensor(2), 0),
            "x.repeat_interleave(tensor([2]))": lambda lib, x: x.repeat_interleave(lib.tensor([2])),
            "repeat_interleave(counts) + x": lambda lib, x: lib.repeat_interleave(lib.tensor([0, 2, 1])).sum() + x,
        },
        [inputs((3, 2)), inputs((3,)), inputs((3, 2, 2), layout="transposed"), inputs((3, 0))],
    ),
    *cases("repeat_interleave", {"repeat_interleave(x, 2)": lambda lib, x: lib.repeat_interleave(x, 2)}, [inputs(())]),
]

DIAGONALS: list[Case] = [
    *cases(
        "diagonal",
        {
            "diagonal(x)": lambda lib, x: lib.diagonal(x),
            "x.diagonal(1)": lambda lib, x: x.diagonal(1),
            "x.diagonal(-1, 1, 0)": lambda lib, x: x.diagonal(-1, 1, 0),
            "x.diagonal(offset=9, dim1=-2, dim2=-1)": lambda lib, x: x.diagonal(offset=9, dim1=-2, dim2=-1),
        },
        [*LINES, *CUBE, *EMPTY_ROWS, inputs((3, 3), layout="strided")],
    ),
    *cases(
        "diag",
        {
            "diag(x)": lambda lib, x: lib.diag(x),
            "x.diag(1)": lambda lib, x: x.diag(1),
            "diag(x, diagonal=-2)": lambda lib, x: lib.diag(x, diagonal=-2),
        },
        [*LINES, inputs((3,)), inputs((4,), layout="strided"), inputs((0,))],
    ),
    *cases(
        "diag_embed",
        {
            "diag_embed(x)": lambda lib, x: lib.diag_embed(x),
            "x.diag_embed(-1)": lambda lib, x: x.diag_embed(-1),
            "x.diag_embed(1, 1, 0)": lambda lib, x: x.diag_embed(1, 1, 0),
            "x.diag_embed(offset=0, dim1=0, dim2=-1)": lambda lib, x: x.diag_embed(offset=0, dim1=0, dim2=-1),
        },
        [inputs((3,)), inputs((2, 3)), inputs((4, 3), layout="transposed"), inputs((2, 0))],
    ),
    *cases(
        "diagflat",
        {
            "diagflat(x)": lambda lib, x: lib.diagflat(x),
            "x.diagflat(1)": lambda lib, x: x.diagflat(1),
            "x.diagflat(offset=-1)": lambda lib, x: x.diagflat(offset=-1),
        },
        [inputs((2, 2)), inputs((3,)), inputs(()), inputs((0,))],
    ),
    *cases(
        "trace",
        {"trace(x)": lambda lib, x: lib.trace(x), "x.trace()": lambda lib, x: x.trace()},
        [*LINES, inputs((3, 3)), *EMPTY_ROWS],
    ),
    *cases(
        "tril",
        {
            "tril(x)": lambda lib, x: lib.tril(x),
            "x.tril(1)": lambda lib, x: x.tril(1),
            "x.tril(diagonal=-1)": lambda lib, x: x.tril(diagonal=-1),
            "triu(x)": lambda lib, x: lib.triu(x),
            "x.triu(1)": lambda lib, x: x.triu(1),
            "triu(x, diagonal=-9)": lambda lib, x: lib.triu(x, diagonal=-9),
        },
        [*LINES, *CUBE, *EMPTY_ROWS, inputs((3, 3), layout="strided")],
    ),
    *cases(
        "diagonal_scatter",
        {
            "diagonal_scatter(x, y)": lambda lib, x, y: lib.diagonal_scatter(x, y),
            "x.diagonal_scatter(src=, offset=, dim1=, dim2=)": lambda lib, x, y: x.diagonal_scatter(
                src=y, offset=-1, dim1=1, dim2=0
            ),
        },
        [inputs((3, 4), (3,))],
    ),
    *cases(
        "diagonal_scatter",
        {"x.diagonal_scatter(y, -1)": lambda lib, x, y: x.diagonal_scatter(y, -1)},
        [inputs((3, 3), (2,)), inputs((4, 3), (3,), layout="transposed")],
    ),
    *cases(
        "select_scatter",
        {
            "select_scatter(x, y, 0, 1)": lambda lib, x, y: lib.select_scatter(x, y, 0, 1),
            "x.select_scatter(y, dim=-1, index=-1)": lambda lib, x, y: x.select_scatter(y, dim=-1, index=-1),
            "select_scatter(x, y.float32, 0, 0)": lambda lib, x, y: lib.select_scatter(x, y.float(), 0, 0),
        },
        [inputs((3, 3), (3,)), inputs((3,), ())],
    ),
    *cases(
        "slice_scatter",
        {
            "x.slice_scatter(y, 1, 1)": lambda lib, x, y: x.slice_scatter(y, 1, 1),
            "x.slice_scatter(y, dim=1, start=0, end=9, step=2)": lambda lib, x, y: x.slice_scatter(
                y, dim=1, start=0, end=9, step=2
            ),
            "slice_scatter(x, y, -1, -2)": lambda lib, x, y: lib.slice_scatter(x, y, -1, -2),
        },
        [inputs((2, 3), (2, 2))],
    ),
    *cases("slice_scatter", {"slice_scatter(x, y)": lambda lib, x, y: lib.slice_scatter(x, y)}, [inputs((3,), (3,))]),
    *cases(
        "as_strided",
        {
            "as_strided(x, (2, 2), (1, 1))": lambda lib, x: lib.as_strided(x, (2, 2), (1, 1)),
            "x.as_strided((2, 3), (3, 1), 0)": lambda lib, x: x.as_strided((2, 3), (3, 1), 0),
            "x.as_strided(size=(3,), stride=(2,), storage_offset=1)": lambda lib, x: x.as_strided(
                size=(3,), stride=(2,), storage_offset=1
            ),
            "x.as_strided((), ())": lambda lib, x: x.as_strided((), ()),
            "x.as_strided((2, 0), (1, 1))": lambda lib, x: x.as_strided((2, 0), (1, 1)),
            "x.as_strided((3, 2), (0, 1))": lambda lib, x: x.as_strided((3, 2), (0, 1)),
            "x[1:].as_strided((2,), (1,), 4)": lambda lib, x: x[1:].as_strided((2,), (1,), 4),
        },
        [inputs((6,)), inputs((2, 3))],
    ),
    *cases(
        "unfold",
        {
            "x.unfold(0, 2, 1)": lambda lib, x: x.unfold(0, 2, 1),
            "x.unfold(-1, 2, 2)": lambda lib, x: x.unfold(-1, 2, 2),
            "x.unfold(0, 1, 3)": lambda lib, x: x.unfold(0, 1, 3),
            "x.unfold(0, 0, 1)": lambda lib, x: x.unfold(0, 0, 1),
        },
        [*LINES, *CUBE, inputs((5,)), inputs((3, 2), layout="strided")],
    ),
    *cases(
        "unfold",
        {"x.unfold(dimension=0, size=3, step=2)": lambda lib, x: x.unfold(dimension=0, size=3, step=2)},
        [inputs((5, 2)), inputs((6,), layout="strided"), inputs((4, 3), layout="transposed"), inputs((3, 0))],
    ),
    *cases(
        "unfold",
        {
            "x.unfold(0, 1, 1)": lambda lib, x: x.unfold(0, 1, 1),
            "x.unfold(-1, 0, 1)": lambda lib, x: x.unfold(-1, 0, 1),
        },
        [inputs(())],
    ),
]

CASES = [*ORDERS, *DIAGONALS]
