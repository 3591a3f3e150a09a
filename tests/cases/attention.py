"""Cases of attention and of bilinear maps."""

from __future__ import annotations

from typing import Any

from .table import Case, Draw, cases, inputs


def attend(lib: Any, *xs: Any, **options: Any) -> Any:
    return lib.nn.functional.scaled_dot_product_attention(*xs, **options)


SAMPLES = [
    inputs((2, 3, 4, 2), (2, 3, 5, 2), (2, 3, 5, 3)),
    inputs((3, 4, 2), (3, 4, 2), (3, 4, 2)),
    inputs((4, 2), (4, 2), (4, 2)),
    inputs((2, 1, 2, 3, 2), (2, 1, 2, 3, 2), (2, 1, 2, 3, 2)),
    inputs((2, 4, 3), (1, 5, 3), (5, 2)),
    inputs((2, 3, 2, 4), (2, 3, 2, 4), (2, 3, 2, 4), layout="transposed"),
]

CASES: list[Case] = [
    *cases(
        "scaled_dot_product_attention",
        {
            "f(q, k, v)": lambda lib, q, k, v: attend(lib, q, k, v),
            "is_causal=True": lambda lib, q, k, v: attend(lib, q, k, v, is_causal=True),
            "scale=0.3": lambda lib, q, k, v: attend(lib, q, k, v, scale=0.3),
            "40 q": lambda lib, q, k, v: attend(lib, 40 * q.double(), k.double(), v.double()),
        },
        SAMPLES,
    ),
    *cases(
        "scaled_dot_product_attention",
        {
            "bools": lambda lib, q, k, v, m: attend(lib, q, k, v, m),
            "bools, of which a row is False": lambda lib, q, k, v, m: attend(
                lib, q, k, v, m & (lib.arange(m.shape[-2], device=m.device) != 1)[:, None]
            ),
        },
        [
            (Draw((2, 3, 4, 2)), Draw((2, 3, 5, 2)), Draw((2, 3, 5, 3)), Draw((4, 5), "mask")),
            (Draw((2, 3, 4, 2)), Draw((2, 3, 5, 2)), Draw((2, 3, 5, 3)), Draw((2, 1, 4, 5), "mask")),
            (Draw((4, 2)), Draw((5, 2)), Draw((5, 3)), Draw((4, 5), "mask")),
        ],
    ),
    *cases(
        "scaled_dot_product_attention",
        {"attn_mask=": lambda lib, q, k, v, m: attend(lib, q, k, v, attn_mask=m)},
        [
            inputs((2, 3, 4, 2), (2, 3, 5, 2), (2, 3, 5, 3), (4, 5)),
            inputs((2, 3, 4, 2), (2, 3, 5, 2), (2, 3, 5, 3), (3, 1, 5)),
            (Draw((3, 4, 2)), Draw((3, 5, 2)), Draw((3, 5, 3)), Draw((3, 4, 5), grad=False)),
        ],
    ),
    *cases(
        "scaled_dot_product_attention",
        {
            "enable_gqa=True": lambda lib, q, k, v: attend(lib, q, k, v, enable_gqa=True),
            "enable_gqa=True, is_causal=True": lambda lib, q, k, v: attend(
                lib, q, k, v, is_causal=True, enable_gqa=True
            ),
        },
        [inputs((2, 6, 3, 2), (2, 2, 4, 2), (2, 2, 4, 2)), inputs((2, 6, 3, 2), (2, 2, 4, 2), (2, 3, 4, 2))],
    ),
    *cases(
        "scaled_dot_product_attention",
        {"of nothing": lambda lib, q, k, v: attend(lib, q, k, v)},
        [inputs((2, n, 3), (m, k, 3), (m, k, 3)) for n, m, k in ((0, 2, 4), (3, 2, 0), (3, 1, 2))],
    ),
    *cases(
        "bilinear",
        {
            "functional.bilinear(x, y, w)": lambda lib, x, y, w, b: lib.nn.functional.bilinear(x, y, w),
            "functional.bilinear(x, y, w, b)": lambda lib, x, y, w, b: lib.nn.functional.bilinear(x, y, w, b),
            "bilinear(x, y, w, b)": lambda lib, x, y, w, b: lib.bilinear(x, y, w, b),
        },
        [inputs((2, 3), (2, 2), (4, 3, 2), (4,)), inputs((3,), (2,), (4, 3, 2), (4,)),
         inputs((2, 1, 3), (2, 1, 2), (1, 3, 2), (1,)), inputs((0, 3), (0, 2), (4, 3, 2), (4,))],
    ),
]  # fmt: skip
