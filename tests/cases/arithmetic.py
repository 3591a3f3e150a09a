"""Cases of arithmetic."""

from __future__ import annotations

from .table import Case, Draw, cases, inputs, pairs

CASES: list[Case] = [
    *cases("add", {"x + y": lambda lib, x, y: x + y}, pairs()),
    *cases(
        "add",
        {
            "add(x, y)": lambda lib, x, y: lib.add(x, y),
            "add(x, y, alpha=)": lambda lib, x, y: lib.add(x, y, alpha=3),
            "x.add(y)": lambda lib, x, y: x.add(y),
            "add(input=, other=)": lambda lib, x, y: lib.add(input=x, other=y),
        },
        [inputs((2, 3), (3,))],
    ),
    *cases(
        "add",
        {
            "x + 2": lambda lib, x: x + 2,
            "2 + x": lambda lib, x: 2 + x,
            "x + 0.5": lambda lib, x: x + 0.5,
            "0.5 + x": lambda lib, x: 0.5 + x,
            "x + True": lambda lib, x: x + True,
            "add(x, 2)": lambda lib, x: lib.add(x, 2),
            "add(x, 2, alpha=3)": lambda lib, x: lib.add(x, 2, alpha=3),
            "+x": lambda lib, x: +x,
        },
        [inputs((2, 3)), inputs(())],
    ),
    *cases("sub", {"x - y": lambda lib, x, y: x - y}, pairs()),
    *cases(
        "sub",
        {
            "sub(x, y)": lambda lib, x, y: lib.sub(x, y),
            "sub(x, y, alpha=)": lambda lib, x, y: lib.sub(x, y, alpha=2),
            "x.sub(y)": lambda lib, x, y: x.sub(y),
            "x.subtract(y)": lambda lib, x, y: x.subtract(y),
        },
        [inputs((2, 3), (3,))],
    ),
    *cases(
        "sub",
        {
            "x - 2": lambda lib, x: x - 2,
            "2 - x": lambda lib, x: 2 - x,
            "0.5 - x": lambda lib, x: 0.5 - x,
            "x - 0.5": lambda lib, x: x - 0.5,
            "sub(x, 2, alpha=3)": lambda lib, x: lib.sub(x, 2, alpha=3),
        },
        [inputs((2, 3)), inputs(())],
    ),
    *cases("mul", {"x * y": lambda lib, x, y: x * y}, pairs()),
    *cases(
        "mul",
        {
            "mul(x, y)": lambda lib, x, y: lib.mul(x, y),
            "x.mul(y)": lambda lib, x, y: x.mul(y),
            "x.multiply(y)": lambda lib, x, y: x.multiply(y),
        },
        [inputs((2, 3), (3,))],
    ),
    *cases(
        "mul",
        {
            "x * 2": lambda lib, x: x * 2,
            "2 * x": lambda lib, x: 2 * x,
            "x * 0.5": lambda lib, x: x * 0.5,
            "0.5 * x": lambda lib, x: 0.5 * x,
            "x * x": lambda lib, x: x * x,
            "x * False": lambda lib, x: x * False,
        },
        [inputs((2, 3)), inputs(())],
    ),
    *cases("div", {"x / y": lambda lib, x, y: x / y}, pairs()),
    *cases(
        "div",
        {
            "div(x, y)": lambda lib, x, y: lib.div(x, y),
            "true_divide(x, y)": lambda lib, x, y: lib.true_divide(x, y),
            "x.div(y)": lambda lib, x, y: x.div(y),
            "x.divide(y)": lambda lib, x, y: x.divide(y),
            "x.true_divide(y)": lambda lib, x, y: x.true_divide(y),
        },
        [inputs((2, 3), (3,))],
    ),
    *cases(
        "div",
        {
            "x / 2": lambda lib, x: x / 2,
            "2 / x": lambda lib, x: 2 / x,
            "x / 0.5": lambda lib, x: x / 0.5,
            "0.5 / x": lambda lib, x: 0.5 / x,
            "div(x, 2)": lambda lib, x: lib.div(x, 2),
        },
        [inputs((2, 3)), inputs(())],
    ),
    *cases(
        "div",
        {
            "div(x, y, rounding_mode='trunc')": lambda lib, x, y: lib.div(x, y, rounding_mode="trunc"),
            "x.div(y, rounding_mode='trunc')": lambda lib, x, y: x.div(y, rounding_mode="trunc"),
        },
        [inputs((2, 3), (3,)), inputs((2, 3), (2, 3))],
    ),
    *cases(
        "div",
        {
            "div(x, y, rounding_mode='floor')": lambda lib, x, y: lib.div(x, y, rounding_mode="floor"),
            "x.div(y, rounding_mode='floor')": lambda lib, x, y: x.div(y, rounding_mode="floor"),
        },
        [inputs((2, 3), (3,))],
    ),
    *cases(
        "div",
        {
            "div(x, 2, rounding_mode='floor')": lambda lib, x: lib.div(x, 2, rounding_mode="floor"),
            "div(x, -2, rounding_mode='trunc')": lambda lib, x: lib.div(x, -2, rounding_mode="trunc"),
        },
        [inputs((2, 3))],
    ),
    *cases("floor_divide", {"x // y": lambda lib, x, y: x // y}, pairs(), differentiable=False),
    *cases(
        "floor_divide",
        {
            "floor_divide(x, y)": lambda lib, x, y: lib.floor_divide(x, y),
            "x.floor_divide(y)": lambda lib, x, y: x.floor_divide(y),
        },
        [inputs((2, 3), (3,))],
        differentiable=False,
    ),
    *cases(
        "floor_divide",
        {"x // 2": lambda lib, x: x // 2, "2 // x": lambda lib, x: 2 // x, "x // -0.75": lambda lib, x: x // -0.75},
        [inputs((2, 3))],
        differentiable=False,
    ),
    *cases("remainder", {"x % y": lambda lib, x, y: x % y}, pairs()),
    *cases(
        "remainder",
        {"remainder(x, y)": lambda lib, x, y: lib.remainder(x, y), "x.remainder(y)": lambda lib, x, y: x.remainder(y)},
        [inputs((2, 3), (3,))],
    ),
    *cases(
        "remainder",
        {"x % 2": lambda lib, x: x % 2, "x % -0.75": lambda lib, x: x % -0.75, "2 % x": lambda lib, x: 2 % x},
        [inputs((2, 3))],
    ),
    *cases("pow", {"x ** y": lambda lib, x, y: x**y}, pairs("positive", "any")),
    *cases(
        "pow",
        {"pow(x, y)": lambda lib, x, y: lib.pow(x, y), "x.pow(y)": lambda lib, x, y: x.pow(y)},
        [(Draw((2, 3), "positive"), Draw((3,)))],
    ),
    *cases(
        "pow",
        {
            "x ** 2": lambda lib, x: x**2,
            "x ** 3": lambda lib, x: x**3,
            "x ** 4": lambda lib, x: x**4,
            "x ** 1": lambda lib, x: x**1,
            "x ** 0": lambda lib, x: x**0,
            "x ** -1": lambda lib, x: x**-1,
            "x ** -2": lambda lib, x: x**-2,
            "x ** 2.0": lambda lib, x: x**2.0,
            "pow(x, 2)": lambda lib, x: lib.pow(x, 2),
            "x.pow(exponent=3)": lambda lib, x: x.pow(exponent=3),
            "2 ** x": lambda lib, x: 2**x,
            "0.5 ** x": lambda lib, x: 0.5**x,
            "pow(2, x)": lambda lib, x: lib.pow(2, x),
        },
        [inputs((2, 3)), inputs(())],
    ),
    *cases(
        "pow",
        {
            "x ** 0.5": lambda lib, x: x**0.5,
            "x ** 1.5": lambda lib, x: x**1.5,
            "x ** -0.5": lambda lib, x: x**-0.5,
            "x ** x": lambda lib, x: x**x,
            "1 ** x": lambda lib, x: 1**x,
            "0 ** x": lambda lib, x: 0**x,
        },
        [inputs((2, 3), numbers="positive")],
    ),
]
