"""Cases of shapes and of joining."""

from __future__ import annotations

from typing import Any

from .table import CUBE, EMPTY_ROWS, LINES, Case, Inputs, cases, inputs

SHAPING: list[Case] = [
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
]


def _joined(*shapes: tuple[int, ...], **options: Any) -> Inputs:
    return inputs(*shapes, **options)


JOINING: list[Case] = [
    *cases(
        "cat",
        {"cat([x, y])": lambda lib, *xs: lib.cat(list(xs)), "cat((x, y), 0)": lambda lib, *xs: lib.cat(xs, 0)},
        [
            _joined((2,), (3,)),
            _joined((2, 3), (1, 3)),
            _joined((0, 3), (2, 3)),
            _joined((3,)),
            _joined((0,), (2,)),
            _joined((0,), (2, 3)),
            _joined((2, 3), (0,), (1, 3)),
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
        [_joined((2, 3), (2, 1)), _joined((2, 3), (2, 0), (2, 2)), _joined((3, 2), (3, 4), layout="transposed")],
    ),
    *cases("cat", {"cat([x, x])": lambda lib, x: lib.cat([x, x])}, [inputs((2,)), inputs((2, 3))]),
    *cases(
        "stack",
        {
            "stack([x, y])": lambda lib, *xs: lib.stack(list(xs)),
            "stack((x, y), -1)": lambda lib, *xs: lib.stack(xs, -1),
        },
        [
            _joined((), ()),
            _joined((3,), (3,)),
            _joined((2, 3), (2, 3), (2, 3)),
            _joined((0,), (0,)),
            _joined((2, 3), layout="transposed"),
        ],
    ),
    *cases(
        "stack",
        {
            "stack([x, y], 1)": lambda lib, *xs: lib.stack(list(xs), 1),
            "stack([x, y], dim=-2)": lambda lib, *xs: lib.stack(list(xs), dim=-2),
        },
        [_joined((3,), (3,)), _joined((2, 3), (2, 3))],
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
]

CASES = [*SHAPING, *JOINING]
