"""Cases of padding and of channels as pixels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .table import Case, cases, inputs


def _padded(pad: tuple[int, ...], **options: Any) -> Callable[..., Any]:
    return lambda lib, x: lib.nn.functional.pad(x, pad, **options)


CASES: list[Case] = [
    *cases(
        "pad",
        {
            "pad(x, (1, 2))": _padded((1, 2)),
            "pad(x, (-1, 2))": _padded((-1, 2)),
            "pad(x, (1, -2))": _padded((1, -2)),
            "pad(x, (-1, -1), value=2)": _padded((-1, -1), value=2),
            "pad(x, (0, 0))": _padded((0, 0)),
            "pad(x, ())": _padded(()),
        },
        [inputs((3,)), inputs((2, 3)), inputs((3, 4), layout="transposed"), inputs((2, 3, 3)), inputs((0, 2))],
    ),
    *cases("pad", {"pad(x, [])": lambda lib, x: lib.nn.functional.pad(x, [])}, [inputs(())]),
    *cases(
        "pad",
        {
            "pad(x, (1, 0, 2, 1), value=2)": _padded((1, 0, 2, 1), value=2),
            "pad(x, [1, 1, -1, 1], mode='constant', value=None)": lambda lib, x: lib.nn.functional.pad(
                x, [1, 1, -1, 1], mode="constant", value=None
            ),
            "pad(x, (5, -2))": _padded((5, -2)),
        },
        [inputs((2, 3)), inputs((3, 4), layout="transposed"), inputs((2, 3, 3))],
    ),
    *cases(
        "pad",
        {
            "pad(x, (1, 0, 0, 1, 2, 0), 'constant', 0.5)": lambda lib, x: lib.nn.functional.pad(
                x, (1, 0, 0, 1, 2, 0), "constant", 0.5
            )
        },
        [inputs((2, 3, 3)), inputs((2, 1, 2, 1))],
    ),
    *cases(
        "pad",
        {
            f"pad(x, {pad}, {mode!r})": _padded(pad, mode=mode)
            for mode in ("reflect", "replicate", "circular")
            for pad in ((1, 2), (2, 0), (0, 0), (-1, 2), (1, -1), (-1, -1))
        },
        [inputs((2, 3)), inputs((1, 2, 4)), inputs((4, 3), layout="transposed")],
    ),
    *cases(
        "pad",
        {
            f"pad(x, {pad}, {mode!r})": _padded(pad, mode=mode)
            for mode in ("reflect", "replicate", "circular")
            for pad in ((1, 2, 2, 1), (0, 1, 2, -1), (0, 0, 1, 1))
        },
        [inputs((1, 3, 4)), inputs((1, 2, 3, 3)), inputs((3, 3, 4), layout="transposed")],
    ),
    *cases(
        "pad",
        {
            f"pad(x, {pad}, {mode!r})": _padded(pad, mode=mode)
            for mode in ("reflect", "replicate", "circular")
            for pad in ((1, 1, 0, 1, 1, 0),)
        },
        [inputs((1, 2, 2, 2)), inputs((1, 1, 2, 3, 2))],
    ),
    *cases(
        "pixel_shuffle",
        {"pixel_shuffle(x, 2)": lambda lib, x: lib.nn.functional.pixel_shuffle(x, 2)},
        [inputs((1, 4, 1, 2)), inputs((8, 2, 1)), inputs((2, 1, 4, 1, 1)), inputs((4, 2, 4), layout="transposed")],
    ),
    *cases(
        "pixel_unshuffle",
        {"pixel_unshuffle(x, 2)": lambda lib, x: lib.nn.functional.pixel_unshuffle(x, 2)},
        [inputs((1, 1, 2, 4)), inputs((2, 4, 2)), inputs((4, 2, 2), layout="transposed")],
    ),
    *cases(
        "channel_shuffle",
        {
            "channel_shuffle(x, 2)": lambda lib, x: lib.nn.functional.channel_shuffle(x, 2),
            "channel_shuffle(x, groups=1)": lambda lib, x: lib.nn.functional.channel_shuffle(x, groups=1),
        },
        [inputs((1, 4, 1, 2)), inputs((2, 6, 2)), inputs((2, 4, 3), layout="transposed")],
    ),
]
