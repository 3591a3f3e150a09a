"""Cases of shapes."""

from __future__ import annotations

from .table import CUBE, EMPTY_ROWS, LINES, Case, cases, inputs

CASES: list[Case] = [
    *cases(
        "reshape",
        {
            "reshape(x, (4, 3))": lambda lib, x: lib.reshape(x, (4, 3)),
            "x.reshape(-1)": lambda lib, x: x.reshape(-1),
            "x.reshape(2, -1, 3)": lambda lib, x: x.reshape(2, -1, 3),
            "x.reshape([6, 2])": lambda lib, x: x.reshape([6, 2]),
            "reshape(x, shape=(12,))": lambda lib, x: lib.reshape(x, shape=(12,)),
            "x.reshape(x.shape)": lambda lib, x: x.reshape(x.shape),
            "x.reshape_as(y)": lambda lib, x: x.reshape_as(lib.zeros(2, 6)),
        },
        LINES,
    ),
    *cases(
        "reshape",
        {"x.reshape(())": lambda lib, x: x.reshape(()), "x.reshape(1, 1)": lambda lib, x: x.reshape(1, 1)},
        [inputs((1,)), inputs(())],
    ),
    *cases(
        "reshape",
        {"x.reshape(3, 0)": lambda lib, x: x.reshape(3, 0), "x.reshape(-1)": lambda lib, x: x.reshape(-1)},
        [inputs((0,)), inputs((2, 0))],
    ),
    *cases(
        "view",
        {
            "x.view(4, 3)": lambda lib, x: x.view(4, 3),
            "x.view(-1)": lambda lib, x: x.view(-1),
            "x.view((2, 6))": lambda lib, x: x.view((2, 6)),
            "x.view([12])": lambda lib, x: x.view([12]),
            "x.view(x.size(0), -1)": lambda lib, x: x.view(x.size(0), -1),
            "x.view(x.shape)": lambda lib, x: x.view(x.shape),
            "x.view_as(y)": lambda lib, x: x.view_as(lib.zeros(2, 6)),
        },
        [inputs((3, 4)), inputs((3, 2, 2))],
    ),
    *cases(
        "view",
        {"x.view(1, 3, 4)": lambda lib, x: x.view(1, 3, 4), "x.view(3, 2, 2)": lambda lib, x: x.view(3, 2, 2)},
        [inputs((3, 4), layout="strided")],
    ),
    *cases("view", {"x.view(3, 1, 4)": lambda lib, x: x.view(3, 1, 4)}, [inputs((3, 4), layout="transposed")]),
    *cases(
        "flatten",
        {
            "flatten(x)": lambda lib, x: lib.flatten(x),
            "flatten(x, 1)": lambda lib, x: lib.flatten(x, 1),
            "x.flatten(0, 1)": lambda lib, x: x.flatten(0, 1),
            "x.flatten(start_dim=-2)": lambda lib, x: x.flatten(start_dim=-2),
            "flatten(x, 1, 1)": lambda lib, x: lib.flatten(x, 1, 1),
            "flatten(x, end_dim=1)": lambda lib, x: lib.flatten(x, end_dim=1),
        },
        CUBE,
    ),
    *cases("flatten", {"flatten(x)": lambda lib, x: lib.flatten(x)}, [inputs(()), inputs((0, 3)), inputs((3,))]),
    *cases(
        "transpose",
        {
            "transpose(x, 0, 1)": lambda lib, x: lib.transpose(x, 0, 1),
            "x.transpose(-1, -2)": lambda lib, x: x.transpose(-1, -2),
            "x.transpose(dim0=0, dim1=-1)": lambda lib, x: x.transpose(dim0=0, dim1=-1),
            "x.swapaxes(0, 1)": lambda lib, x: x.swapaxes(0, 1),
            "x.swapdims(0, 1)": lambda lib, x: x.swapdims(0, 1),
            "x.mT": lambda lib, x: x.mT,
        },
        [*LINES, *CUBE, *EMPTY_ROWS],
    ),
    *cases(
        "transpose",
        {
            "transpose(x, 0, 0)": lambda lib, x: lib.transpose(x, 0, 0),
            "transpose(x, 0, -1)": lambda lib, x: lib.transpose(x, 0, -1),
        },
        [inputs(()), inputs((3,))],
    ),
    *cases(
        "t",
        {"t(x)": lambda lib, x: lib.t(x), "x.t()": lambda lib, x: x.t(), "x.T": lambda lib, x: x.T},
        [*LINES, *EMPTY_ROWS],
    ),
    *cases("t", {"t(x)": lambda lib, x: lib.t(x), "x.t()": lambda lib, x: x.t()}, [inputs(()), inputs((3,))]),
    *cases(
        "permute",
        {
            "permute(x, (2, 0, 1))": lambda lib, x: lib.permute(x, (2, 0, 1)),
            "x.permute(1, 2, 0)": lambda lib, x: x.permute(1, 2, 0),
            "x.permute(-1, 0, -2)": lambda lib, x: x.permute(-1, 0, -2),
            "x.permute([0, 2, 1])": lambda lib, x: x.permute([0, 2, 1]),
            "x.permute(dims=(2, 1, 0))": lambda lib, x: x.permute(dims=(2, 1, 0)),
        },
        CUBE,
    ),
    *cases("permute", {"permute(x, ())": lambda lib, x: lib.permute(x, ())}, [inputs(())]),
    *cases(
        "squeeze",
        {
            "squeeze(x)": lambda lib, x: lib.squeeze(x),
            "squeeze(x, 0)": lambda lib, x: lib.squeeze(x, 0),
            "x.squeeze(-1)": lambda lib, x: x.squeeze(-1),
            "x.squeeze(dim=1)": lambda lib, x: x.squeeze(dim=1),
            "x.squeeze((0, 2))": lambda lib, x: x.squeeze((0, 2)),
        },
        [
            inputs((1, 3, 1)),
            inputs((1, 1, 1)),
            inputs((2, 3, 4)),
            inputs((1, 0, 1)),
            inputs((1, 3, 2), layout="transposed"),
        ],
    ),
    *cases(
        "squeeze",
        {
            "squeeze(x)": lambda lib, x: lib.squeeze(x),
            "squeeze(x, 0)": lambda lib, x: lib.squeeze(x, 0),
            "squeeze(x, -1)": lambda lib, x: lib.squeeze(x, -1),
        },
        [inputs(()), inputs((1,))],
    ),
    *cases(
        "unsqueeze",
        {
            "unsqueeze(x, 0)": lambda lib, x: lib.unsqueeze(x, 0),
            "x.unsqueeze(-1)": lambda lib, x: x.unsqueeze(-1),
            "x.unsqueeze(dim=0)": lambda lib, x: x.unsqueeze(dim=0),
        },
        [
            inputs(()),
            inputs((3,)),
            inputs((2, 3)),
            inputs((0,)),
            inputs((2, 3), layout="transposed"),
            inputs((2, 3), layout="strided"),
        ],
    ),
    *cases(
        "unsqueeze",
        {
            "unsqueeze(x, -2)": lambda lib, x: lib.unsqueeze(x, -2),
            "unsqueeze(x, 1)": lambda lib, x: lib.unsqueeze(x, 1),
        },
        [inputs((2, 3)), inputs((3,))],
    ),
    *cases(
        "expand",
        {
            "x.expand(2, 3)": lambda lib, x: x.expand(2, 3),
            "x.expand((4, 2, 3))": lambda lib, x: x.expand((4, 2, 3)),
            "x.expand([2, 3])": lambda lib, x: x.expand([2, 3]),
            "x.expand_as(y)": lambda lib, x: x.expand_as(lib.zeros(2, 2, 3)),
        },
        [inputs((1, 3)), inputs((2, 1)), inputs((3,)), inputs((1,)), inputs(()), inputs((2, 3))],
    ),
    *cases(
        "expand",
        {"x.expand(2, -1)": lambda lib, x: x.expand(2, -1), "x.expand(-1, -1)": lambda lib, x: x.expand(-1, -1)},
        [inputs((1, 3)), inputs((2, 3), layout="strided"), inputs((1, 0))][:2],
    ),
    *cases("expand", {"x.expand(0, 3)": lambda lib, x: x.expand(0, 3)}, [inputs((1, 3)), inputs((3,)), inputs(())]),
    *cases(
        "movedim",
        {
            "movedim(x, 0, -1)": lambda lib, x: lib.movedim(x, 0, -1),
            "x.movedim((0, 1), (2, 0))": lambda lib, x: x.movedim((0, 1), (2, 0)),
            "moveaxis(x, -1, 0)": lambda lib, x: lib.moveaxis(x, -1, 0),
            "x.moveaxis(source=1, destination=0)": lambda lib, x: x.moveaxis(source=1, destination=0),
            "x.movedim([2, 0], [0, 1])": lambda lib, x: x.movedim([2, 0], [0, 1]),
        },
        CUBE,
    ),
    *cases("movedim", {"movedim(x, 0, 0)": lambda lib, x: lib.movedim(x, 0, 0)}, [inputs(()), inputs((3,))]),
    *cases(
        "transpose",
        {
            "swapaxes(x, axis0=, axis1=)": lambda lib, x: lib.swapaxes(x, axis0=0, axis1=1),
            "swapdims(x, dim0=, dim1=)": lambda lib, x: lib.swapdims(x, dim0=-1, dim1=0),
            "x.mH": lambda lib, x: x.mH,
            "adjoint(x)": lambda lib, x: lib.adjoint(x),
            "x.adjoint()": lambda lib, x: x.adjoint(),
        },
        [*LINES, *CUBE, *EMPTY_ROWS],
    ),
    *cases("transpose", {"x.H": lambda lib, x: x.H}, [*LINES, inputs(())]),
    *cases("permute", {"x.T": lambda lib, x: x.T}, CUBE),
    *cases(
        "unflatten",
        {
            "unflatten(x, 1, (2, -1))": lambda lib, x: lib.unflatten(x, 1, (2, -1)),
            "x.unflatten(-1, [2, 2])": lambda lib, x: x.unflatten(-1, [2, 2]),
            "x.unflatten(dim=1, sizes=(4, 1))": lambda lib, x: x.unflatten(dim=1, sizes=(4, 1)),
        },
        [inputs((3, 4)), inputs((3, 4), layout="transposed"), inputs((3, 4), layout="strided"), inputs((0, 4))],
    ),
    *cases(
        "ravel",
        {"ravel(x)": lambda lib, x: lib.ravel(x), "x.ravel()": lambda lib, x: x.ravel()},
        [*LINES, inputs(()), inputs((0, 2))],
    ),
    *cases(
        "expand",
        {
            "broadcast_to(x, (2, 3))": lambda lib, x: lib.broadcast_to(x, (2, 3)),
            "x.broadcast_to(4, 2, 3)": lambda lib, x: x.broadcast_to(4, 2, 3),
            "broadcast_to(x, size=)": lambda lib, x: lib.broadcast_to(x, size=(2, 3)),
            "zeros of broadcast_shapes": lambda lib, x: lib.zeros_like(x).expand(lib.broadcast_shapes((2, 1), 3)) + x,
        },
        [inputs((1, 3)), inputs((2, 1)), inputs((3,)), inputs(())],
    ),
    *cases(
        "broadcast_tensors",
        {"broadcast_tensors(x, y)": lambda lib, *xs: lib.broadcast_tensors(*xs)},
        [inputs((2, 1), (3,)), inputs((), (2, 2)), inputs((2,)), inputs((0, 1), (2,))],
    ),
    *cases(
        "atleast",
        {
            "atleast_1d(x)": lambda lib, x: lib.atleast_1d(x),
            "atleast_2d(x)": lambda lib, x: lib.atleast_2d(x),
            "atleast_3d(x)": lambda lib, x: lib.atleast_3d(x),
        },
        [inputs(()), inputs((3,)), inputs((2, 3)), inputs((1, 2, 3)), inputs((0,))],
    ),
    *cases(
        "atleast",
        {
            "atleast_1d(x, y)": lambda lib, *xs: lib.atleast_1d(*xs),
            "atleast_2d([x, y])": lambda lib, *xs: lib.atleast_2d(list(xs)),
            "atleast_3d((x, y))": lambda lib, *xs: lib.atleast_3d(xs),
        },
        [inputs((), (3,)), inputs((2, 3))],
    ),
]
