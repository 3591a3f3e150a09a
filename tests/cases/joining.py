"""Cases of joining and taking apart."""

from __future__ import annotations

from .table import Case, cases, inputs

CASES: list[Case] = [
    *cases(
        "cat",
        {"cat([x, y])": lambda lib, *xs: lib.cat(list(xs)), "cat((x, y), 0)": lambda lib, *xs: lib.cat(xs, 0)},
        [
            inputs((2,), (3,)),
            inputs((2, 3), (1, 3)),
            inputs((0, 3), (2, 3)),
            inputs((3,)),
            inputs((0,), (2,)),
            inputs((0,), (2, 3)),
            inputs((2, 3), (0,), (1, 3)),
        ],
    ),
    *cases(
        "cat",
        {
            "cat([x, y], 1)": lambda lib, *xs: lib.cat(list(xs), 1),
            "cat([x, y], dim=-1)": lambda lib, *xs: lib.cat(list(xs), dim=-1),
            "cat([x, y], axis=1)": lambda lib, *xs: lib.cat(list(xs), axis=1),
            "cat(tensors=, dim=)": lambda lib, *xs: lib.cat(tensors=list(xs), dim=1),
        },
        [inputs((2, 3), (2, 1)), inputs((2, 3), (2, 0), (2, 2)), inputs((3, 2), (3, 4), layout="transposed")],
    ),
    *cases("cat", {"cat([x, x])": lambda lib, x: lib.cat([x, x])}, [inputs((2,)), inputs((2, 3))]),
    *cases(
        "stack",
        {
            "stack([x, y])": lambda lib, *xs: lib.stack(list(xs)),
            "stack((x, y), -1)": lambda lib, *xs: lib.stack(xs, -1),
        },
        [
            inputs((), ()),
            inputs((3,), (3,)),
            inputs((2, 3), (2, 3), (2, 3)),
            inputs((0,), (0,)),
            inputs((2, 3), layout="transposed"),
        ],
    ),
    *cases(
        "stack",
        {
            "stack([x, y], 1)": lambda lib, *xs: lib.stack(list(xs), 1),
            "stack([x, y], dim=-2)": lambda lib, *xs: lib.stack(list(xs), dim=-2),
        },
        [inputs((3,), (3,)), inputs((2, 3), (2, 3))],
    ),
    *cases(
        "split",
        {
            "split(x, 2)": lambda lib, x: lib.split(x, 2),
            "split(x, [1, 3, 1])": lambda lib, x: lib.split(x, [1, 3, 1]),
            "x.split(5)": lambda lib, x: x.split(5),
            "x.split(9)": lambda lib, x: x.split(9),
            "x.split((2, 3), dim=0)": lambda lib, x: x.split((2, 3), dim=0),
            "x.split([5, 0])": lambda lib, x: x.split([5, 0]),
        },
        [inputs((5,)), inputs((5, 2)), inputs((5, 2), layout="transposed")],
    ),
    *cases(
        "split",
        {
            "split(x, 2, 1)": lambda lib, x: lib.split(x, 2, 1),
            "x.split(1, dim=-1)": lambda lib, x: x.split(1, dim=-1),
            "split(x, 2, -1)[0]": lambda lib, x: lib.split(x, 2, -1)[0],
        },
        [inputs((2, 3)), inputs((2, 3), layout="strided"), inputs((0, 3))],
    ),
    *cases(
        "cat",
        {
            "hstack([x, y])": lambda lib, *xs: lib.hstack(list(xs)),
            "vstack((x, y))": lambda lib, *xs: lib.vstack(xs),
            "row_stack((x, y))": lambda lib, *xs: lib.row_stack(xs),
            "dstack([x, y])": lambda lib, *xs: lib.dstack(list(xs)),
            "column_stack([x, y])": lambda lib, *xs: lib.column_stack(list(xs)),
            "hstack(tensors=)": lambda lib, *xs: lib.hstack(tensors=list(xs)),
        },
        [
            inputs((), ()),
            inputs((3,), (3,)),
            inputs((2, 3), (2, 3)),
            inputs((2, 3), (2, 3), layout="transposed"),
            inputs((1, 2, 3), (1, 2, 3)),
        ],
    ),
    *cases(
        "cat",
        {
            "concat([x, y])": lambda lib, *xs: lib.concat(list(xs)),
            "concatenate((x, y), axis=0)": lambda lib, *xs: lib.concatenate(xs, axis=0),
            "hstack([x, y])": lambda lib, *xs: lib.hstack(list(xs)),
        },
        [inputs((2,), (3,))],
    ),
    *cases("cat", {"column_stack([x, y])": lambda lib, *xs: lib.column_stack(list(xs))}, [inputs((2, 3), (2,))]),
    *cases("cat", {"vstack([x, y])": lambda lib, *xs: lib.vstack(list(xs))}, [inputs((3,), (2, 3))]),
    *cases(
        "cat",
        {"cat([x, 1])": lambda lib, x: lib.cat([x, lib.ones(2, dtype=lib.int32, device=x.device)])},
        [inputs((3,))],
    ),
    *cases(
        "split",
        {
            "chunk(x, 2)": lambda lib, x: lib.chunk(x, 2),
            "x.chunk(4)": lambda lib, x: x.chunk(4),
            "x.chunk(9, dim=0)": lambda lib, x: x.chunk(9, dim=0),
            "tensor_split(x, 3)": lambda lib, x: lib.tensor_split(x, 3),
            "x.tensor_split((1, 3))": lambda lib, x: x.tensor_split((1, 3)),
            "x.tensor_split([-2, 9, 1], dim=0)": lambda lib, x: x.tensor_split([-2, 9, 1], dim=0),
            "tensor_split(x, indices)": lambda lib, x: lib.tensor_split(x, lib.tensor([1, 3])),
            "tensor_split(x, 7)": lambda lib, x: lib.tensor_split(x, lib.tensor(7)),
            "hsplit(x, [1])": lambda lib, x: lib.hsplit(x, [1]),
            "x.hsplit(1)": lambda lib, x: x.hsplit(1),
        },
        [inputs((5,)), inputs((5, 2)), inputs((5, 2), layout="transposed"), inputs((0, 2))],
    ),
    *cases(
        "split",
        {
            "chunk(x, 3, 1)": lambda lib, x: lib.chunk(x, 3, 1),
            "tensor_split(x, 2, -1)": lambda lib, x: lib.tensor_split(x, 2, -1),
            "hsplit(x, 2)": lambda lib, x: lib.hsplit(x, 2),
            "vsplit(x, 1)": lambda lib, x: lib.vsplit(x, 1),
            "x.vsplit((1,))": lambda lib, x: x.vsplit((1,)),
        },
        [inputs((2, 4, 3)), inputs((3, 4, 2), layout="transposed"), inputs((2, 4))],
    ),
    *cases(
        "split",
        {"dsplit(x, 2)": lambda lib, x: lib.dsplit(x, 2), "x.dsplit([1, 2])": lambda lib, x: x.dsplit([1, 2])},
        [inputs((1, 2, 4)), inputs((3, 1, 2), layout="transposed")],
    ),
    *cases(
        "split",
        {
            "split_with_sizes(x, [1, 4])": lambda lib, x: lib.split_with_sizes(x, [1, 4]),
            "x.split_with_sizes((2, 0, 3), 0)": lambda lib, x: x.split_with_sizes((2, 0, 3), 0),
        },
        [inputs((5,)), inputs((5, 2), layout="transposed")],
    ),
    *cases(
        "unbind",
        {
            "unbind(x)": lambda lib, x: lib.unbind(x),
            "x.unbind(-1)": lambda lib, x: x.unbind(-1),
            "x.unbind(dim=0)": lambda lib, x: x.unbind(dim=0),
            "unbind(x, 0)[0]": lambda lib, x: lib.unbind(x, 0)[0],
        },
        [inputs((3,)), inputs((3, 2)), inputs((2, 2, 2), layout="transposed"), inputs((3, 2), layout="strided")],
    ),
    *cases(
        "unbind", {"unbind(x, 1)": lambda lib, x: lib.unbind(x, 1)}, [inputs((2, 3)), inputs((0, 2)), inputs((2, 0))]
    ),
    *cases(
        "narrow",
        {
            "narrow(x, 0, 1, 2)": lambda lib, x: lib.narrow(x, 0, 1, 2),
            "x.narrow(-1, -2, 1)": lambda lib, x: x.narrow(-1, -2, 1),
            "x.narrow(dim=0, start=3, length=0)": lambda lib, x: x.narrow(dim=0, start=3, length=0),
            "x.narrow(0, tensor, 1)": lambda lib, x: x.narrow(0, lib.tensor(1), 1),
            "narrow_copy(x, 0, 1, 2)": lambda lib, x: lib.narrow_copy(x, 0, 1, 2),
            "x.narrow_copy(1, 0, 1)": lambda lib, x: x.narrow_copy(1, 0, 1),
        },
        [inputs((3, 2)), inputs((3, 4), layout="transposed")],
    ),
    *cases(
        "meshgrid",
        {
            "meshgrid(x, y, indexing='ij')": lambda lib, *xs: lib.meshgrid(*xs, indexing="ij"),
            "meshgrid([x, y], indexing='xy')": lambda lib, *xs: lib.meshgrid(list(xs), indexing="xy"),
        },
        [inputs((2,), (3,)), inputs((2,), (), (3,)), inputs((3,)), inputs((), ()), inputs((2,), (0,))],
    ),
    *cases(
        "cartesian_prod",
        {"cartesian_prod(x, y)": lambda lib, *xs: lib.cartesian_prod(*xs)},
        [inputs((2,), (3,)), inputs((2,), (1,), (2,)), inputs((3,)), inputs((2,), (0,))],
    ),
    *cases(
        "combinations",
        {
            "combinations(x)": lambda lib, x: lib.combinations(x),
            "combinations(x, 3)": lambda lib, x: lib.combinations(x, 3),
            "combinations(x, r=1)": lambda lib, x: lib.combinations(x, r=1),
            "combinations(x, 0)": lambda lib, x: lib.combinations(x, 0),
            "combinations(x, 2, True)": lambda lib, x: lib.combinations(x, 2, True),
            "combinations(x, with_replacement=)": lambda lib, x: lib.combinations(x, with_replacement=True),
        },
        [inputs((4,)), inputs((1,)), inputs((0,))],
    ),
    *cases(
        "block_diag",
        {"block_diag(x, y)": lambda lib, *xs: lib.block_diag(*xs)},
        [inputs((2, 3), (1, 2)), inputs((2,), (), (3, 1)), inputs((2, 2)), inputs((0,), (2, 0)), inputs((), ())],
    ),
]
