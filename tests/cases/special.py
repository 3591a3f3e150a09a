"""Cases of special functions: `lib.special` and the names that some of them have elsewhere."""

from __future__ import annotations

from typing import Any

from .table import SHAPES, SMALL, Case, cases, layouts

ANY = layouts("any", *SHAPES)
UNIT = layouts("unit", *SHAPES)


def everywhere(names: str, samples: Any, in_place: str = "") -> list[Case]:
    """Functions of one input that have a name in `lib`, in `lib.special` and as a method."""
    found: list[Case] = []
    for name in names.split():
        small = [sample for sample in samples if sample[0].shape == (2, 3)][:1]
        found += cases(name, {f"{name}(x)": lambda lib, x, name=name: getattr(lib, name)(x)}, samples)
        found += cases(
            name,
            {
                f"x.{name}()": lambda lib, x, name=name: getattr(x, name)(),
                f"x.{name}_()": lambda lib, x, name=name: getattr(x * 1, f"{name}_")(),
            },
            small,
        )
    return found


def special(names: str, samples: Any) -> list[Case]:
    """Functions of one input of `lib.special`."""
    found: list[Case] = []
    for name in names.split():
        found += cases(name, {f"special.{name}(x)": lambda lib, x, name=name: getattr(lib.special, name)(x)}, samples)
    return found


CASES = [
    *everywhere("erf erfc", ANY),
    *everywhere("erfinv", UNIT),
    *special("erf erfc", SMALL),
    *special("erfcx ndtr log_ndtr", ANY),
    *special("ndtri", UNIT),
    *special("erfinv", UNIT[:1]),
]
