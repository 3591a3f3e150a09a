"""Cases of convolutions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .table import Case, cases, inputs


def _forms(name: str, **options: dict[str, Any]) -> dict[str, Callable[..., Any]]:
    """A function with several sets of options, and with a bias where a third input comes."""
    forms: dict[str, Callable[..., Any]] = {}
    for label, given in options.items():
        forms[f"{name}, {label}"] = lambda lib, x, w, b=None, given=given: getattr(lib.nn.functional, name)(
            x, w, b, **given
        )
    return forms


CASES: list[Case] = [
    *cases(
        "conv1d",
        _forms("conv1d", plain={}, padded={"padding": 2, "stride": 2}, dilated={"dilation": 2, "padding": "same"}),
        [inputs((2, 2, 5), (3, 2, 2)), inputs((2, 5), (1, 2, 3), (1,)), inputs((1, 2, 6), (2, 2, 3), layout="strided")],
    ),
    *cases(
        "conv2d",
        _forms(
            "conv2d",
            plain={},
            padded={"padding": (1, 2), "stride": (2, 1)},
            dilated={"dilation": 2, "padding": 2},
            same={"padding": "same"},
            valid={"padding": "valid"},
            wide={"padding": 3},
        ),
        [
            inputs((2, 2, 4, 5), (3, 2, 2, 3)),
            inputs((2, 2, 4, 4), (3, 2, 1, 1), (3,)),
            inputs((2, 4, 5), (1, 2, 3, 2)),
            inputs((2, 2, 4, 4), (2, 2, 3, 3), layout="transposed"),
            inputs((0, 2, 4, 4), (2, 2, 2, 2)),
        ],
    ),
    *cases(
        "conv2d",
        _forms("conv2d", two_groups={"groups": 2}, strided_groups={"groups": 2, "stride": 2, "padding": 1}),
        [inputs((2, 4, 4, 4), (6, 2, 2, 2), (6,)), inputs((1, 2, 5, 5), (2, 1, 3, 3))],
    ),
    *cases(
        "conv3d",
        _forms("conv3d", plain={}, padded={"padding": 1, "stride": 2}),
        [inputs((2, 1, 3, 4, 3), (2, 1, 2, 2, 2), (2,))],
    ),
    *cases(
        "conv_transpose1d",
        _forms("conv_transpose1d", plain={}, strided={"stride": 2, "padding": 1, "output_padding": 1}),
        [inputs((2, 2, 4), (2, 3, 3), (3,)), inputs((2, 4), (2, 1, 2))],
    ),
    *cases(
        "conv_transpose2d",
        _forms(
            "conv_transpose2d",
            plain={},
            strided={"stride": 2, "padding": 1, "output_padding": 1},
            dilated={"dilation": 2, "output_padding": 1},
        ),
        [inputs((2, 2, 3, 3), (2, 3, 3, 2), (3,)), inputs((2, 3, 3), (2, 1, 2, 2)), inputs((0, 2, 3, 3), (2, 1, 2, 2))],
    ),
    *cases(
        "conv_transpose2d",
        _forms("conv_transpose2d", two_groups={"groups": 2, "stride": 2}),
        [inputs((2, 4, 3, 3), (4, 2, 2, 2), (4,))],
    ),
    *cases(
        "conv_transpose3d",
        _forms("conv_transpose3d", plain={}, strided={"stride": 2, "padding": 1}),
        [inputs((1, 2, 2, 3, 2), (2, 1, 2, 2, 2))],
    ),
]
