"""Cases of operations on one input, of extremes and choices between two, and of logic."""

from __future__ import annotations

from .table import ANY, POSITIVE, SMALL, Case, Draw, cases, inputs, pairs

UNARY: list[Case] = []
for _name in ("neg", "abs", "exp", "sin", "cos", "tanh", "sigmoid", "relu"):
    UNARY += cases(_name, {f"{_name}(x)": lambda lib, x, name=_name: getattr(lib, name)(x)}, ANY)
    UNARY += cases(_name, {f"x.{_name}()": lambda lib, x, name=_name: getattr(x, name)()}, SMALL)
for _name in ("log", "sqrt"):
    UNARY += cases(_name, {f"{_name}(x)": lambda lib, x, name=_name: getattr(lib, name)(x)}, POSITIVE)
    UNARY += cases(
        _name,
        {f"x.{_name}()": lambda lib, x, name=_name: getattr(x, name)()},
        SMALL[:0] + [inputs((2, 3), numbers="positive")],
    )
UNARY += [
    *cases("neg", {"-x": lambda lib, x: -x, "x.negative()": lambda lib, x: x.negative()}, SMALL),
    *cases("abs", {"builtin abs(x)": lambda lib, x: abs(x), "x.absolute()": lambda lib, x: x.absolute()}, SMALL),
    *cases("sign", {"sign(x)": lambda lib, x: lib.sign(x), "x.sign()": lambda lib, x: x.sign()}, ANY),
    *cases("relu", {"functional.relu(x)": lambda lib, x: lib.nn.functional.relu(x)}, SMALL),
    *cases("sigmoid", {"functional.sigmoid(x)": lambda lib, x: lib.nn.functional.sigmoid(x)}, SMALL),
    *cases("tanh", {"functional.tanh(x)": lambda lib, x: lib.nn.functional.tanh(x)}, SMALL),
    *cases("clone", {"clone(x)": lambda lib, x: lib.clone(x), "x.clone()": lambda lib, x: x.clone()}, ANY),
    *cases("contiguous", {"x.contiguous()": lambda lib, x: x.contiguous() * 1}, ANY),
]

# --- extremes and choices

CHOICES: list[Case] = []
for _name in ("maximum", "minimum"):
    CHOICES += cases(_name, {f"{_name}(x, y)": lambda lib, x, y, name=_name: getattr(lib, name)(x, y)}, pairs())
    CHOICES += cases(
        _name, {f"x.{_name}(y)": lambda lib, x, y, name=_name: getattr(x, name)(y)}, [inputs((2, 3), (3,))]
    )
CHOICES += [
    *cases(
        "max",
        {
            "max(x, y)": lambda lib, x, y: lib.max(x, y),
            "x.max(y)": lambda lib, x, y: x.max(y),
            "max(x, other=y)": lambda lib, x, y: lib.max(x, other=y),
        },
        [inputs((2, 3), (3,))],
    ),
    *cases(
        "min",
        {"min(x, y)": lambda lib, x, y: lib.min(x, y), "x.min(y)": lambda lib, x, y: x.min(y)},
        [inputs((2, 3), (3,))],
    ),
    *cases(
        "clamp",
        {
            "clamp(x, -1, 1)": lambda lib, x: lib.clamp(x, -1, 1),
            "clamp(x, min=0.5)": lambda lib, x: lib.clamp(x, min=0.5),
            "x.clamp(max=1)": lambda lib, x: x.clamp(max=1),
            "x.clamp(min=-0.75, max=0.75)": lambda lib, x: x.clamp(min=-0.75, max=0.75),
            "x.clip(-1, 1)": lambda lib, x: x.clip(-1, 1),
            "clamp(x, 1, -1)": lambda lib, x: lib.clamp(x, 1, -1),
        },
        [inputs((4, 3)), inputs(()), inputs((0, 2)), inputs((3, 4), layout="transposed")],
    ),
    *cases(
        "clamp",
        {
            "clamp(x, y, z)": lambda lib, x, y, z: lib.clamp(x, y, z),
            "x.clamp(max=y, min=z)": lambda lib, x, y, z: x.clamp(max=y, min=z),
        },
        [inputs((4, 3), (4, 3), (4, 3)), inputs((4, 3), (3,), (4, 1)), inputs((3,), (2, 3), ())],
    ),
    *cases(
        "clamp",
        {"clamp(x, min=y)": lambda lib, x, y: lib.clamp(x, min=y), "x.clamp(max=y)": lambda lib, x, y: x.clamp(max=y)},
        [inputs((4, 3), (4, 3)), inputs((4, 3), (3,)), inputs((3,), (2, 3))],
    ),
    *cases(
        "where",
        {
            "where(c, x, y)": lambda lib, c, x, y: lib.where(c, x, y),
            "x.where(c, y)": lambda lib, c, x, y: x.where(c, y),
        },
        [
            (Draw(c, "mask"), Draw(x), Draw(y))
            for c, x, y in [
                ((2, 3), (2, 3), (2, 3)),
                ((2, 3), (), (3,)),
                ((3,), (2, 1), ()),
                ((), (2, 3), (2, 3)),
                ((0, 3), (3,), ()),
            ]
        ],
    ),
    *cases(
        "where",
        {
            "where(c, x, 0.5)": lambda lib, c, x: lib.where(c, x, 0.5),
            "where(c, 2, x)": lambda lib, c, x: lib.where(c, 2, x),
            "where(c, 1.0, 2.0) * x": lambda lib, c, x: lib.where(c, 1.0, 2.0) * x,
            "where(c, 1, 2) * x": lambda lib, c, x: lib.where(c, 1, 2) * x,
        },
        [(Draw((2, 3), "mask"), Draw((2, 3)))],
    ),
    *cases("where", {"where(x > 0, x, -x)": lambda lib, x: lib.where(x > 0, x, -x)}, SMALL),
]

# --- comparisons and logic: no derivatives

LOGIC: list[Case] = []
for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    LOGIC += cases(
        _name,
        {f"{_name}(x, y)": lambda lib, x, y, name=_name: getattr(lib, name)(x, y)},
        pairs("distinct"),
        differentiable=False,
    )
    LOGIC += cases(
        _name,
        {
            f"x.{_name}(y)": lambda lib, x, y, name=_name: getattr(x, name)(y),
            f"x.__{_name}__(y)": lambda lib, x, y, name=_name: getattr(x, f"__{name}__")(y),
        },
        [inputs((2, 3), (3,), numbers="distinct")],
        differentiable=False,
    )
    LOGIC += cases(
        _name,
        {
            f"{_name}(x, 1)": lambda lib, x, name=_name: getattr(lib, name)(x, 1),
            f"x.{_name}(0.5)": lambda lib, x, name=_name: getattr(x, name)(0.5),
        },
        [inputs((2, 3), numbers="distinct")],
        differentiable=False,
    )
LOGIC += cases(
    "eq",
    {
        "1 == x": lambda lib, x: 1 == x,
        "0.5 != x": lambda lib, x: 0.5 != x,
        "1 < x": lambda lib, x: 1 < x,
        "1 >= x": lambda lib, x: 1 >= x,
    },
    SMALL,
    differentiable=False,
)
for _name in ("logical_and", "logical_or", "logical_xor"):
    LOGIC += cases(
        _name,
        {
            f"{_name}(x, y)": lambda lib, x, y, name=_name: getattr(lib, name)(x, y),
            f"x.{_name}(y)": lambda lib, x, y, name=_name: getattr(x, name)(y),
        },
        [inputs((2, 3), (3,)), inputs((2, 1), (1, 3), numbers="mask"), inputs((2, 2), (), numbers="below 3")],
        differentiable=False,
    )
LOGIC += cases(
    "logical_not",
    {"logical_not(x)": lambda lib, x: lib.logical_not(x), "x.logical_not()": lambda lib, x: x.logical_not()},
    [*ANY, inputs((4,), numbers="below 2")],
    differentiable=False,
)
for _name, _sign in (("and", "&"), ("or", "|"), ("xor", "^")):
    LOGIC += cases(
        f"bitwise_{_name}",
        {
            f"x {_sign} y": lambda lib, x, y, name=_name: getattr(x, f"__{name}__")(y),
            f"bitwise_{_name}(x, y)": lambda lib, x, y, name=_name: getattr(lib, f"bitwise_{name}")(x, y),
            f"x.bitwise_{_name}(y)": lambda lib, x, y, name=_name: getattr(x, f"bitwise_{name}")(y),
        },
        [
            inputs((2, 3), (3,), numbers="mask"),
            inputs((2, 1), (1, 3), numbers="below 6"),
            (Draw((3,), "mask"), Draw((3,), "below 6")),
        ],
        differentiable=False,
    )
    LOGIC += cases(
        f"bitwise_{_name}",
        {
            f"x {_sign} 1": lambda lib, x, name=_name: getattr(x, f"__{name}__")(1),
            f"True {_sign} x": lambda lib, x, name=_name: getattr(x, f"__r{name}__")(True),
        },
        [inputs((2, 3), numbers="mask"), inputs((3,), numbers="below 6")],
        differentiable=False,
    )
LOGIC += [
    *cases(
        "bitwise_not",
        {
            "~x": lambda lib, x: ~x,
            "bitwise_not(x)": lambda lib, x: lib.bitwise_not(x),
            "x.bitwise_not()": lambda lib, x: x.bitwise_not(),
        },
        [inputs((2, 3), numbers="mask"), inputs((3,), numbers="below 5")],
        differentiable=False,
    )
]
for _name in ("isnan", "isinf", "isfinite"):
    LOGIC += cases(
        _name,
        {
            f"{_name}(x)": lambda lib, x, name=_name: getattr(lib, name)(x),
            f"x.{_name}()": lambda lib, x, name=_name: getattr(x, name)(),
            f"{_name}(x / 0)": lambda lib, x, name=_name: getattr(lib, name)(x / (x * 0)),
        },
        [inputs((2, 3)), inputs(()), inputs((0,))],
        differentiable=False,
    )

CASES = [*UNARY, *CHOICES, *LOGIC]
