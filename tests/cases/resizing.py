"""Cases of resizing, of reading at the points of a grid, and of windows as columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .table import Case, cases, inputs

SHAPES = {1: (2, 2, 3), 2: (2, 2, 3, 4), 3: (1, 2, 3, 2, 4)}


def _resized(name: str = "interpolate", **options: Any) -> Callable[..., Any]:
    return lambda lib, x: getattr(lib.nn.functional, name)(x, **options)


def _forms(*sets: dict[str, Any]) -> dict[str, Callable[..., Any]]:
    return {f"interpolate(x, {options})": _resized(**options) for options in sets}


def _sampled(**options: Any) -> Callable[..., Any]:
    """Points within and outside the image, none where a weight has a kink."""
    return lambda lib, x, grid: lib.nn.functional.grid_sample(x, 0.73 * grid + 0.011, **options)


def _window(name: str, *sizes: Any, **options: Any) -> dict[str, Callable[..., Any]]:
    return {f"{name}{sizes} {options}": lambda lib, x: getattr(lib.nn.functional, name)(x, *sizes, **options)}


_ONE = ({"size": 5, "mode": "linear"}, {"size": 2, "mode": "linear", "align_corners": True})
_TWO = (
    {"scale_factor": 2, "mode": "bilinear"},
    {"size": (2, 5), "mode": "bilinear", "align_corners": True},
    {"scale_factor": (1.7, 0.6), "mode": "bicubic"},
    {"size": 5, "mode": "bicubic", "align_corners": True},
    *[{"size": (2, 3), "mode": mode, "antialias": True} for mode in ("bilinear", "bicubic", "lanczos")],
    {"scale_factor": 1.6, "mode": "bilinear", "recompute_scale_factor": True},
    {"scale_factor": 1.1, "mode": "bilinear", "antialias": True},
)
_THREE = ({"size": (2, 3, 3), "mode": "trilinear"}, {"scale_factor": 2, "mode": "trilinear", "align_corners": True})
_ANY = (
    {"scale_factor": 2},
    {"size": 3},
    {"scale_factor": 3.0, "mode": "nearest-exact"},
    {"size": 5, "mode": "nearest-exact"},
    {"scale_factor": 0.7, "mode": "area"},
    {"size": 2, "mode": "area"},
)

CASES: list[Case] = [
    *[
        case
        for dims, forms in {1: _ONE, 2: _TWO, 3: _THREE}.items()
        for case in cases(
            "interpolate",
            _forms(*forms, *_ANY),
            [inputs(SHAPES[dims]), inputs((0, *SHAPES[dims][1:])), inputs(SHAPES[dims], layout="transposed")],
        )
    ],
    *cases("interpolate", _forms({"scale_factor": 2.1}, {"scale_factor": 1.1}), [inputs((1, 2, 5, 4))]),
    *cases("upsample", {"upsample(x, scale_factor=2)": _resized("upsample", scale_factor=2)}, [inputs((1, 2, 3))]),
    *cases("upsample_nearest", {"upsample_nearest": _resized("upsample_nearest", size=5)}, [inputs((1, 2, 3, 3))]),
    *cases("upsample_bilinear", {"upsample_bilinear": _resized("upsample_bilinear", size=5)}, [inputs((1, 2, 3, 3))]),
    *cases(
        "grid_sample",
        {
            f"grid_sample(x, grid, {mode}, {padding}, {corners})": _sampled(
                mode=mode, padding_mode=padding, align_corners=corners
            )
            for mode in ("bilinear", "nearest", "bicubic")
            for padding in ("zeros", "border", "reflection")
            for corners in (True, False)
        },
        [inputs((2, 2, 3, 4), (2, 2, 3, 2)), inputs((1, 1, 1, 2), (1, 2, 2, 2), layout="transposed")],
    ),
    *cases(
        "grid_sample",
        {
            f"grid_sample(x, grid, {mode}, {padding})": _sampled(mode=mode, padding_mode=padding)
            for mode in ("bilinear", "nearest")
            for padding in ("zeros", "border", "reflection")
        },
        [inputs((2, 1, 3, 2, 3), (2, 2, 1, 2, 3))],
    ),
    *cases(
        "affine_grid",
        {
            f"affine_grid(x, {corners})": lambda lib, x, corners=corners: lib.nn.functional.affine_grid(
                x, (x.shape[0], 2, *(3, 1, 2)[: x.shape[1]]), corners
            )
            for corners in (True, False)
        },
        [inputs((2, 2, 3)), inputs((1, 3, 4))],
    ),
    *cases(
        "unfold",
        {
            **_window("unfold", 2),
            **_window("unfold", (2, 3), padding=(0, 1), stride=2),
            **_window("unfold", 2, dilation=2, padding=1),
        },
        [inputs((2, 2, 3, 4)), inputs((2, 4, 3)), inputs((4, 3, 2, 2), layout="transposed"), inputs((0, 1, 3, 3))],
    ),
    *cases("fold", _window("fold", (3, 4), 2), [inputs((2, 8, 6)), inputs((4, 6)), inputs((0, 4, 6))]),
    *cases(
        "fold",
        _window("fold", (4, 3), (1, 2), dilation=2, padding=(0, 1), stride=(1, 3)),
        [inputs((2, 8, 4)), inputs((2, 4, 4), layout="transposed")],
    ),
]
