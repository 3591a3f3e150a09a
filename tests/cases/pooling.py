"""Cases of pooling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .table import Case, cases, inputs


def _forms(name: str, **calls: tuple[tuple[Any, ...], dict[str, Any]]) -> dict[str, Callable[..., Any]]:
    return {
        f"{name}, {label}": lambda lib, x, given=given: getattr(lib.nn.functional, name)(x, *given[0], **given[1])
        for label, given in calls.items()
    }


def _max(dims: int) -> list[Case]:
    shape = (2, 2, 5, 4, 3)[: 2 + dims]
    name = f"max_pool{dims}d"
    forms = _forms(
        name,
        plain=((2,), {}),
        overlapping=((3, 1), {"padding": 1}),
        dilated=((2, 1, 0, 2), {}),
        ceil=((2, 2), {"ceil_mode": True, "padding": 1}),
    )
    draws = [inputs(shape, numbers="distinct"), inputs(shape[1:], numbers="distinct", layout="strided")]
    return cases(name, forms if dims < 3 else {k: v for k, v in forms.items() if "dilated" not in k}, draws)


def _unpool(dims: int) -> list[Case]:
    def there_and_back(lib: Any, x: Any) -> Any:
        functions = lib.nn.functional
        y, places = getattr(functions, f"max_pool{dims}d")(x, 2, return_indices=True)
        return getattr(functions, f"max_unpool{dims}d")(y, places, 2, output_size=x.shape[-dims:])

    return cases(
        f"max_unpool{dims}d",
        {"there and back": there_and_back},
        [inputs((2, 1, 4, 5, 2)[: 2 + dims], numbers="distinct")],
    )


def _adaptive(dims: int) -> list[Case]:
    found: list[Case] = []
    for way, numbers in (("avg", "any"), ("max", "distinct")):
        name = f"adaptive_{way}_pool{dims}d"
        forms = _forms(name, one=((1,), {}), two=((2,), {}), three=(((3, 2, 1)[:dims],), {}))
        found += cases(
            name,
            forms,
            [inputs((2, 2, 4, 5, 4)[: 2 + dims], numbers=numbers), inputs((1, 5, 5, 2)[: 1 + dims], numbers=numbers)],
        )
    return found


CASES: list[Case] = []
for _dims in (1, 2, 3):
    CASES += [*_max(_dims), *_unpool(_dims), *_adaptive(_dims)]
    _name = f"avg_pool{_dims}d"
    CASES += cases(
        _name,
        _forms(
            _name,
            plain=((2,), {}),
            padded=((3, 2, 1), {}),
            without_padding=((3, 2, 1), {"count_include_pad": False}),
            ceil=((2, 2), {"ceil_mode": True}),
            **({} if _dims == 1 else {"divided": ((2, 1), {"divisor_override": 3})}),
        ),
        [inputs((2, 1, 5, 4, 3)[: 2 + _dims]), inputs((2, 4, 3, 4)[: 1 + _dims], layout="transposed")],
    )
    _name = f"lp_pool{_dims}d"
    _lp = _forms(_name, two=((2.0, 2), {}), three_and_ceil=((3.0, 2, 2), {"ceil_mode": True}))
    CASES += cases(_name, _lp, [inputs((2, 1, 4, 5, 3)[: 2 + _dims], numbers="positive")])
