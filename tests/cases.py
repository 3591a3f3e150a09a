"""The table of operation cases: every public operation in its forms, with inputs that are drawn from a seed.

A case's function is written against `lib`, so that the same line runs on tinygrad_dl and on PyTorch:

    inputs = case.make(lib, device="cpu", dtype="float64")
    outputs = case.outputs(case.run(lib, *inputs))
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


# --- inputs


@dataclass(frozen=True)
class Draw:
    """One input: a shape, from which numbers it is drawn, and how it lies in memory.

    Numbers: "any" (-2 to -0.1 and 0.1 to 2), "positive" (0.3 to 2), "unit" (0.1 to 0.9), "distinct" (no two alike),
    "mask" (bools), "below n" (int64). Only floating inputs follow the dtype that is asked for.
    """

    shape: tuple[int, ...]
    numbers: str = "any"
    layout: str = "plain"  # "transposed" and "strided" are views of other memory
    grad: bool = True

    def __str__(self) -> str:
        words = ["x".join(map(str, self.shape)) or "0-d", self.layout, self.numbers]
        return " ".join(word for word in words if word not in ("plain", "any"))

    @property
    def fixed(self) -> bool:
        """Whether the dtype is the input's own."""
        return self.numbers == "mask" or self.numbers.startswith("below")

    def values(self, draw: np.random.Generator, dtype: str) -> Array:
        """The numbers as a NumPy array; integers are drawn wider, so that few are 0."""
        shape, kind = self.shape, np.dtype(dtype).kind
        if self.numbers == "mask":
            return draw.random(shape) < 0.5
        if self.numbers.startswith("below"):
            return np.asarray(draw.integers(0, int(self.numbers.split()[1]), shape))
        if self.numbers == "distinct":
            count = int(np.prod(shape))
            values = (draw.permutation(count) - count // 2 + 0.25).reshape(shape) / max(count, 1) * 4
        else:
            low, high = {"any": (0.1, 2.0), "positive": (0.3, 2.0), "unit": (0.1, 0.9)}[self.numbers]
            values = draw.uniform(low, high, shape)
            if self.numbers == "any":
                values = values * draw.choice([-1.0, 1.0], shape)
        if kind == "b":
            return np.asarray(values > 0.5)
        if kind in "iu":
            values = np.trunc(np.asarray(values) * 3)
            values = np.where(values == 0, 1, np.abs(values) if kind == "u" else values)
        return np.asarray(values).astype(dtype)

    def tensor(self, lib: Any, values: Array, device: Any) -> Any:
        """The numbers as a tensor of a library, laid out as asked."""
        if self.layout == "transposed":
            made = lib.tensor(np.ascontiguousarray(values.swapaxes(0, -1)), device=device).transpose(0, -1)
        elif self.layout == "strided":
            wide = np.repeat(values, 2, axis=-1)
            made = lib.tensor(wide, device=device)[..., ::2]
        else:
            made = lib.tensor(values, device=device)
        return made.detach()


@dataclass(frozen=True)
class Case:
    """One form of an operation with inputs."""

    operation: str
    form: str
    function: Callable[..., Any]
    draws: tuple[Draw, ...]
    differentiable: bool = True
    exact: bool = True  # computes in the dtype of its inputs, so that central differences in float64 say something

    @property
    def name(self) -> str:
        """Operation, form and inputs."""
        return f"{self.operation}: {self.form} [{', '.join(map(str, self.draws))}]"

    def arrays(self, dtype: str = "float64") -> list[Array]:
        """The inputs as NumPy arrays: the same in every run."""
        draw = np.random.default_rng(zlib.crc32(self.name.encode()))
        return [d.values(draw, dtype) for d in self.draws]

    def make(self, lib: Any, device: Any = "cpu", dtype: str = "float64", grad: bool = True) -> list[Any]:
        """The inputs as tensors; those with a derivative require grad."""
        made = [d.tensor(lib, values, device) for d, values in zip(self.draws, self.arrays(dtype))]
        if grad and self.differentiable and np.dtype(dtype).kind == "f":
            for d, tensor in zip(self.draws, made):
                if d.grad and not d.fixed:
                    tensor.requires_grad_()
        return made

    def run(self, lib: Any, *inputs: Any) -> Any:
        """What the form computes from the inputs."""
        return self.function(lib, *inputs)

    @staticmethod
    def outputs(result: Any) -> list[Any]:
        """One tensor or several, as a list."""
        return list(result) if isinstance(result, list | tuple) else [result]


Inputs = tuple[Draw, ...]


def inputs(*shapes: tuple[int, ...], **options: Any) -> Inputs:
    """Draws of several shapes with the same options."""
    return tuple(Draw(shape, **options) for shape in shapes)


def cases(
    operation: str, forms: dict[str, Callable[..., Any]], samples: Iterable[Inputs], **options: Any
) -> list[Case]:
    """Every form of an operation with every sample of inputs."""
    return [
        Case(operation, form, function, tuple(sample), **options)
        for form, function in forms.items()
        for sample in samples
    ]


def layouts(numbers: str, *shapes: tuple[int, ...]) -> list[Inputs]:
    """Single inputs of many shapes, contiguous and not."""
    plain = [inputs(shape, numbers=numbers) for shape in shapes]
    views = [inputs((3, 4), numbers=numbers, layout="transposed"), inputs((2, 3), numbers=numbers, layout="strided")]
    return plain + views


def pairs(numbers: str = "any", second: str | None = None) -> list[Inputs]:
    """Two inputs that broadcast in every way."""
    second = numbers if second is None else second
    shapes = [
        ((), ()),
        ((3,), (3,)),
        ((2, 3), (2, 3)),
        ((2, 3), (3,)),
        ((3,), (2, 3)),
        ((2, 1), (1, 3)),
        ((2, 3), ()),
        ((), (2, 3)),
        ((2, 1, 2), (3, 1)),
        ((1, 1), (2,)),
        ((0, 3), (1, 3)),
        ((0,), (1,)),
    ]
    plain = [(Draw(a, numbers), Draw(b, second)) for a, b in shapes]
    transposed = (Draw((3, 2), numbers, "transposed"), Draw((3, 2), second))
    strided = (Draw((2, 3), numbers, "strided"), Draw((2, 3), second, "transposed"))
    return [*plain, transposed, strided]


SHAPES = ((), (1,), (4,), (2, 3), (2, 1, 3), (0,), (2, 0, 3))
ANY = layouts("any", *SHAPES)
POSITIVE = layouts("positive", *SHAPES)
DISTINCT = layouts("distinct", *SHAPES)
MATRIX = [inputs((3, 4)), inputs((4, 3), layout="transposed"), inputs((3, 2), layout="strided")]
CUBE = [inputs((2, 3, 4)), inputs((4, 3, 2), layout="transposed"), inputs((2, 3, 2), layout="strided")]
SMALL = [inputs((2, 3))]

# --- arithmetic

ARITHMETIC: list[Case] = [
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

# --- one input

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

# --- reductions


def _over(name: str, function: str | None = None, **more: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    """The ways to say over which dimensions a reduction runs."""

    def call(lib: Any, x: Any, *arguments: Any, **options: Any) -> Any:
        return getattr(lib, name)(x, *arguments, **options)

    return {
        f"{name}(x, 0)": lambda lib, x: call(lib, x, 0),
        f"{name}(x, dim=-1)": lambda lib, x: call(lib, x, dim=-1),
        f"{name}(x, 1, True)": lambda lib, x: call(lib, x, 1, True),
        f"{name}(x, dim=-2, keepdim=True)": lambda lib, x: call(lib, x, dim=-2, keepdim=True),
        f"x.{name}(1)": lambda lib, x: getattr(x, name)(1),
        f"x.{name}(dim=0, keepdim=True)": lambda lib, x: getattr(x, name)(dim=0, keepdim=True),
        f"x.{name}(axis=0)": lambda lib, x: getattr(x, name)(axis=0),
        **more,
    }


def _over_several(name: str) -> dict[str, Callable[..., Any]]:
    return {
        f"{name}(x, (0, 2))": lambda lib, x: getattr(lib, name)(x, (0, 2)),
        f"x.{name}([0, -1], keepdim=True)": lambda lib, x: getattr(x, name)([0, -1], keepdim=True),
        f"x.{name}(dim=(0, 1, 2))": lambda lib, x: getattr(x, name)(dim=(0, 1, 2)),
        f"x.{name}(dim=(1,))": lambda lib, x: getattr(x, name)(dim=(1,)),
        f"x.{name}(axis=(0, 1), keepdims=True)": lambda lib, x: getattr(x, name)(axis=(0, 1), keepdims=True),
    }


def _whole(name: str) -> dict[str, Callable[..., Any]]:
    return {f"{name}(x)": lambda lib, x: getattr(lib, name)(x), f"x.{name}()": lambda lib, x: getattr(x, name)()}


EMPTY_ROWS = [inputs((0, 3)), inputs((2, 0))]
LINES = [inputs((3, 4)), inputs((4, 3), layout="transposed")]
REDUCTIONS: list[Case] = [
    *cases("sum", _whole("sum"), ANY),
    *cases("sum", _over("sum"), [*LINES, *EMPTY_ROWS]),
    *cases("sum", _over_several("sum"), CUBE),
    *cases(
        "sum",
        {
            "sum(x, dtype=float64)": lambda lib, x: lib.sum(x, dtype=lib.float64),
            "sum(x, dtype=float32)": lambda lib, x: x.sum(dtype=lib.float32),
            "sum(x, 1, dtype=float64)": lambda lib, x: lib.sum(x, 1, dtype=lib.float64),
            "x.sum(dim=())": lambda lib, x: x.sum(dim=()),
            "x.sum(dim=None)": lambda lib, x: x.sum(dim=None),
            "x.sum(None, True)": lambda lib, x: x.sum(None, True),
        },
        SMALL,
    ),
    *cases(
        "sum", {"x.sum(0)": lambda lib, x: x.sum(0), "x.sum(-1)": lambda lib, x: x.sum(-1)}, [inputs(()), inputs((3,))]
    ),
    *cases("mean", _whole("mean"), [s for s in ANY if 0 not in s[0].shape]),
    *cases("mean", _over("mean"), LINES),
    *cases("mean", _over_several("mean"), CUBE),
    *cases(
        "mean",
        {
            "mean(x, dtype=float64)": lambda lib, x: lib.mean(x, dtype=lib.float64),
            "mean(x, 0, dtype=float32)": lambda lib, x: lib.mean(x, 0, dtype=lib.float32),
            "x.mean(dim=())": lambda lib, x: x.mean(dim=()),
        },
        SMALL,
    ),
]
for _name in ("var", "std"):
    REDUCTIONS += [
        *cases(
            _name, _whole(_name), [inputs((4,)), inputs((2, 3)), inputs((3, 4), layout="transposed"), inputs((2, 2, 2))]
        ),
        *cases(
            _name,
            {
                f"{_name}(x, 0)": lambda lib, x, name=_name: getattr(lib, name)(x, 0),
                f"{_name}(x, dim=-1)": lambda lib, x, name=_name: getattr(lib, name)(x, dim=-1),
                f"{_name}(x, 1, False)": lambda lib, x, name=_name: getattr(lib, name)(x, 1, False),
                f"{_name}(x, 1, False, True)": lambda lib, x, name=_name: getattr(lib, name)(x, 1, False, True),
                f"{_name}(x, 1, unbiased=True, keepdim=True)": lambda lib, x, name=_name: getattr(lib, name)(
                    x, 1, unbiased=True, keepdim=True
                ),
                f"{_name}(x, False)": lambda lib, x, name=_name: getattr(lib, name)(x, False),
                f"{_name}(x, unbiased=False)": lambda lib, x, name=_name: getattr(lib, name)(x, unbiased=False),
                f"{_name}(x, correction=0)": lambda lib, x, name=_name: getattr(lib, name)(x, correction=0),
                f"{_name}(x, correction=2)": lambda lib, x, name=_name: getattr(lib, name)(x, correction=2),
                f"x.{_name}(0, correction=0, keepdim=True)": lambda lib, x, name=_name: getattr(x, name)(
                    0, correction=0, keepdim=True
                ),
                f"x.{_name}((0, 1))": lambda lib, x, name=_name: getattr(x, name)((0, 1)),
                f"x.{_name}(dim=None, correction=0)": lambda lib, x, name=_name: getattr(x, name)(
                    dim=None, correction=0
                ),
                f"x.{_name}(axis=1)": lambda lib, x, name=_name: getattr(x, name)(axis=1),
            },
            LINES,
        ),
    ]
for _name in ("max", "min"):
    REDUCTIONS += [
        *cases(_name, _whole(_name), [inputs((), numbers="distinct"), *layouts("distinct", (4,), (2, 3), (2, 1, 3))]),
        *cases(
            _name,
            _over(_name),
            [inputs((3, 4), numbers="distinct"), inputs((4, 3), numbers="distinct", layout="transposed")],
        ),
        *cases(
            _name,
            {f"x.{_name}(0)": lambda lib, x, name=_name: getattr(x, name)(0)},
            [inputs(()), inputs((3,), numbers="distinct"), inputs((2, 3, 2), numbers="distinct")],
        ),
        *cases(
            _name,
            {
                f"x.{_name}(1).values": lambda lib, x, name=_name: getattr(x, name)(1).values,
                f"x.{_name}(1)[1]": lambda lib, x, name=_name: getattr(x, name)(1)[1].to(x.dtype) * x.sum(),
            },
            [inputs((2, 3), numbers="distinct")],
        ),
    ]
for _name in ("amax", "amin"):
    REDUCTIONS += [
        *cases(_name, _whole(_name), [inputs((), numbers="distinct"), *layouts("distinct", (4,), (2, 3), (2, 1, 3))]),
        *cases(
            _name,
            _over(_name),
            [inputs((3, 4), numbers="distinct"), inputs((4, 3), numbers="distinct", layout="transposed")],
        ),
        *cases(_name, _over_several(_name), [inputs((2, 3, 4), numbers="distinct")]),
    ]
for _name in ("argmax", "argmin"):
    REDUCTIONS += [
        *cases(
            _name,
            _whole(_name),
            [inputs((), numbers="distinct"), *layouts("distinct", (4,), (2, 3), (2, 1, 3))],
            differentiable=False,
        ),
        *cases(
            _name,
            _over(_name),
            [inputs((3, 4), numbers="distinct"), inputs((4, 3), numbers="distinct", layout="transposed")],
            differentiable=False,
        ),
        *cases(
            _name,
            {
                f"x.{_name}(keepdim=True)": lambda lib, x, name=_name: getattr(x, name)(keepdim=True),
                f"x.{_name}(None)": lambda lib, x, name=_name: getattr(x, name)(None),
            },
            [inputs((2, 3), numbers="distinct")],
            differentiable=False,
        ),
        *cases(
            _name,
            {f"x.{_name}(0)": lambda lib, x, name=_name: getattr(x, name)(0)},
            [inputs(()), inputs((3,))],
            differentiable=False,
        ),
    ]
for _name in ("any", "all"):
    REDUCTIONS += [
        *cases(
            _name,
            _whole(_name),
            [*ANY, inputs((2, 3), numbers="mask"), inputs((4,), numbers="below 2")],
            differentiable=False,
        ),
        *cases(
            _name,
            _over(_name),
            [*EMPTY_ROWS, inputs((3, 4), numbers="mask"), inputs((3, 4), numbers="below 2")],
            differentiable=False,
        ),
        *cases(_name, _over_several(_name), [inputs((2, 3, 4), numbers="mask")], differentiable=False),
    ]
_SOFTMAX: dict[str, Callable[..., Any]] = {}
for _name in ("softmax", "log_softmax"):
    REDUCTIONS += [
        *cases(
            _name,
            {
                f"{_name}(x, 0)": lambda lib, x, name=_name: getattr(lib, name)(x, 0),
                f"{_name}(x, dim=-1)": lambda lib, x, name=_name: getattr(lib, name)(x, dim=-1),
                f"x.{_name}(1)": lambda lib, x, name=_name: getattr(x, name)(1),
                f"functional.{_name}(x, dim=1)": lambda lib, x, name=_name: getattr(lib.nn.functional, name)(x, dim=1),
            },
            [*MATRIX, *EMPTY_ROWS, inputs((2, 3, 2))],
        ),
        *cases(
            _name, {f"{_name}(x, 0)": lambda lib, x, name=_name: getattr(lib, name)(x, 0)}, [inputs(()), inputs((1,))]
        ),
        *cases(
            _name,
            {
                f"{_name}(x, 1, dtype=float64)": lambda lib, x, name=_name: getattr(lib, name)(x, 1, dtype=lib.float64),
                f"x.{_name}(dim=0, dtype=float32)": lambda lib, x, name=_name: getattr(x, name)(
                    dim=0, dtype=lib.float32
                ),
            },
            SMALL,
            exact=False,
        ),
    ]
REDUCTIONS += [
    *cases(
        "logsumexp",
        {
            "logsumexp(x, 0)": lambda lib, x: lib.logsumexp(x, 0),
            "logsumexp(x, dim=(0, 1))": lambda lib, x: lib.logsumexp(x, dim=(0, 1)),
            "x.logsumexp(-1, keepdim=True)": lambda lib, x: x.logsumexp(-1, keepdim=True),
            "x.logsumexp(1, True)": lambda lib, x: x.logsumexp(1, True),
            "logsumexp(100 * x, 1)": lambda lib, x: lib.logsumexp(100 * x, 1),
        },
        [*MATRIX, inputs((2, 3, 2))],
    ),
    *cases("logsumexp", {"logsumexp(x, 0)": lambda lib, x: lib.logsumexp(x, 0)}, [inputs(()), inputs((3,))]),
]

# --- shapes

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

# --- reading by index

INDEXING: list[Case] = [
    *cases(
        "index",
        {
            "x[0]": lambda lib, x: x[0],
            "x[-1]": lambda lib, x: x[-1],
            "x[1:]": lambda lib, x: x[1:],
            "x[:, 1]": lambda lib, x: x[:, 1],
            "x[::2]": lambda lib, x: x[::2],
            "x[..., -1]": lambda lib, x: x[..., -1],
            "x[None]": lambda lib, x: x[None],
            "x[:, None, 0:2]": lambda lib, x: x[:, None, 0:2],
            "x[5:]": lambda lib, x: x[5:],
            "x[[0, 2]]": lambda lib, x: x[[0, 2]],
            "x[[1, 1, -1]]": lambda lib, x: x[[1, 1, -1]],
            "x[[0, 1], [1, 1]]": lambda lib, x: x[[0, 1], [1, 1]],
            "x[:, [2, 0, 2]]": lambda lib, x: x[:, [2, 0, 2]],
            "x[[True, False, True]]": lambda lib, x: x[[True, False, True]],
            "x[x > 0]": lambda lib, x: x[x > 0],
            "x[x[:, 0] > 0]": lambda lib, x: x[x[:, 0] > 0],
            "x[tensor]": lambda lib, x: x[lib.tensor([2, 0, 0], device=x.device)],
            "x[tensor 2-d]": lambda lib, x: x[lib.tensor([[2, 0], [1, -1]], device=x.device)],
            "x[tensor, :2]": lambda lib, x: x[lib.tensor([1, 1], device=x.device), :2],
            "x[0-d tensor]": lambda lib, x: x[lib.tensor(1, device=x.device)],
            "x[1][2]": lambda lib, x: x[1][2],
            "x[()]": lambda lib, x: x[()],
            "x[...]": lambda lib, x: x[...],
            "x[True]": lambda lib, x: x[True],
            "x[[]]": lambda lib, x: x[[]],
            "x[[[0, 1], [2, 0]]]": lambda lib, x: x[[[0, 1], [2, 0]]],
            "x[NumPy array]": lambda lib, x: x[np.array([0, 2])],
            "x[NumPy integer]": lambda lib, x: x[np.int64(1)],
            "x[range(2)]": lambda lib, x: x[range(2)],
            "x[tensor of bools]": lambda lib, x: x[lib.tensor([True, False, True], device=x.device)],
            "x[a[:, None], b]": lambda lib, x: x[
                lib.tensor([[0], [2]], device=x.device), lib.tensor([1, 0], device=x.device)
            ],
        },
        [inputs((3, 4)), inputs((3, 4), layout="transposed")],
    ),
    *cases(
        "index",
        {
            "x[0, ..., 1]": lambda lib, x: x[0, ..., 1],
            "x[[0, 1], :, [1, 0]]": lambda lib, x: x[[0, 1], :, [1, 0]],
            "x[:, [0, 1], [1, 0]]": lambda lib, x: x[:, [0, 1], [1, 0]],
            "x[0, [0, 1]]": lambda lib, x: x[0, [0, 1]],
            "x[0, :, [1, 0]]": lambda lib, x: x[0, :, [1, 0]],
            "x[..., [0, 0]]": lambda lib, x: x[..., [0, 0]],
            "x[:, mask]": lambda lib, x: x[:, lib.tensor([True, False, True], device=x.device)],
            "x[1, mask, 0]": lambda lib, x: x[1, lib.tensor([True, False, True], device=x.device), 0],
            "x[None, ..., None]": lambda lib, x: x[None, ..., None],
            "x[1:, ::2, -1]": lambda lib, x: x[1:, ::2, -1],
        },
        CUBE[:1],
    ),
    *cases(
        "index",
        {
            "x[None]": lambda lib, x: x[None],
            "x[...]": lambda lib, x: x[...],
            "x[()]": lambda lib, x: x[()],
            "x[True]": lambda lib, x: x[True],
        },
        [inputs(())],
    ),
    *cases("index", {"x[:0]": lambda lib, x: x[:0], "x[[]]": lambda lib, x: x[[]]}, [inputs((0,)), inputs((3,))]),
    *cases(
        "select",
        {"select(x, 0, 1)": lambda lib, x: lib.select(x, 0, 1), "x.select(-1, -1)": lambda lib, x: x.select(-1, -1)},
        [*LINES, *CUBE],
    ),
    *cases(
        "take_along_dim",
        {
            "take_along_dim(x, i, 0)": lambda lib, x, i: lib.take_along_dim(x, i, 0),
            "x.take_along_dim(i, dim=0)": lambda lib, x, i: x.take_along_dim(i, dim=0),
        },
        [
            (Draw((3, 4)), Draw((2, 4), "below 3")),
            (Draw((3, 4)), Draw((5, 4), "below 3")),
            (Draw((3,)), Draw((2,), "below 3")),
            (Draw((3, 4)), Draw((2, 1), "below 3")),
            (Draw((3, 1)), Draw((2, 4), "below 3")),
            (Draw((2, 1, 4), layout="transposed"), Draw((1, 3, 1), "below 2")),
        ],
    ),
    *cases(
        "take_along_dim",
        {
            "take_along_dim(x, i, -1)": lambda lib, x, i: lib.take_along_dim(x, i, -1),
            "x.take_along_dim(i)": lambda lib, x, i: x.take_along_dim(i),
        },
        [(Draw((2, 3)), Draw((2, 2), "below 3")), (Draw((3,)), Draw((4,), "below 3"))],
    ),
]

# --- writing by index

WRITING: list[Case] = [
    *cases(
        "masked_fill",
        {
            "masked_fill(x, m, 0.5)": lambda lib, x, m: lib.masked_fill(x, m, 0.5),
            "x.masked_fill(m, -1)": lambda lib, x, m: x.masked_fill(m, -1),
        },
        [
            (Draw((3, 4)), Draw((3, 4), "mask")),
            (Draw((3, 4), layout="transposed"), Draw((4,), "mask")),
            (Draw((1, 4)), Draw((3, 1), "mask")),
            (Draw(()), Draw((), "mask")),
            (Draw((0, 2)), Draw((2,), "mask")),
        ],
    ),
    *cases(
        "masked_fill",
        {"x.masked_fill(m, v)": lambda lib, x, m, v: x.masked_fill(m, v)},
        [(Draw((3, 4)), Draw((3, 4), "mask"), Draw(()))],
    ),
    *cases(
        "masked_scatter",
        {
            "masked_scatter(x, m, s)": lambda lib, x, m, s: lib.masked_scatter(x, m, s),
            "x.masked_scatter(m, s)": lambda lib, x, m, s: x.masked_scatter(m, s),
        },
        [(Draw((3, 4)), Draw((4,), "mask"), Draw((12,))), (Draw((3, 4)), Draw((3, 4), "mask"), Draw((2, 6)))],
    ),
    *cases(
        "index_fill",
        {
            "index_fill(x, 0, i, 2.0)": lambda lib, x, i: lib.index_fill(x, 0, i, 2.0),
            "x.index_fill(-1, i, 3)": lambda lib, x, i: x.index_fill(-1, i, 3),
        },
        [
            (Draw((3, 4)), Draw((2,), "below 3")),
            (Draw((4, 3), layout="transposed"), Draw((3,), "below 3")),
            (Draw((3, 3)), Draw((0,), "below 3")),
        ],
    ),
    *cases(
        "index_fill",
        {"x.index_fill(1, i, v)": lambda lib, x, i, v: x.index_fill(1, i, v)},
        [(Draw((3, 4)), Draw((2,), "below 3"), Draw(()))],
    ),
    *cases(
        "index_copy",
        {
            "index_copy(x, 0, i, s)": lambda lib, x, i, s: lib.index_copy(x, 0, i, s),
            "x.index_copy(dim=0, index=i, source=s)": lambda lib, x, i, s: x.index_copy(dim=0, index=i, source=s),
        },
        [(Draw((3, 4)), Draw((1,), "below 3"), Draw((1, 4))), (Draw((3,)), Draw((), "below 3"), Draw((1,)))],
    ),
    *cases(
        "index_add",
        {
            "index_add(x, 0, i, s)": lambda lib, x, i, s: lib.index_add(x, 0, i, s),
            "x.index_add(-2, i, s, alpha=2)": lambda lib, x, i, s: x.index_add(-2, i, s, alpha=2),
        },
        [
            (Draw((3, 4)), Draw((5,), "below 3"), Draw((5, 4))),
            (Draw((3, 2), layout="strided"), Draw((2,), "below 3"), Draw((2, 2), layout="transposed")),
        ],
    ),
    *cases(
        "index_put",
        {
            "index_put(x, (i,), s)": lambda lib, x, i, s: lib.index_put(x, (i,), s),
            "x.index_put((i, i), s.reshape(-1)[:1])": lambda lib, x, i, s: x.index_put((i, i), s.reshape(-1)[:1]),
            "x.index_put((i,), s, accumulate=True)": lambda lib, x, i, s: x.index_put((i,), s, accumulate=True),
        },
        [(Draw((3, 4)), Draw((1,), "below 3"), Draw((1, 4))), (Draw((3, 4)), Draw((1,), "below 3"), Draw((4,)))],
    ),
    *cases(
        "index_put",
        {"x.index_put((i,), s, True)": lambda lib, x, i, s: x.index_put((i,), s, True)},
        [(Draw((3, 4)), Draw((4,), "below 3"), Draw((4, 4)))],
    ),
]

# --- products

_PRODUCT_SHAPES = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3, 4)),
    ((4, 2, 3), (3,)),
    ((3,), (4, 3, 2)),
    ((4, 2, 3), (4, 3, 2)),
    ((4, 2, 3), (3, 2)),
    ((2, 3), (4, 3, 2)),
    ((2, 1, 2, 3), (3, 3, 2)),
    ((1, 2, 3), (4, 3, 1)),
    ((2, 2, 2, 3), (3,)),
    ((0, 3), (3, 2)),
    ((2, 0), (0, 3)),
    ((0, 2, 3), (3, 4)),
    ((2, 3), (3, 0)),
]
PRODUCTS: list[Case] = [
    *cases("matmul", {"x @ y": lambda lib, x, y: x @ y}, [inputs(a, b) for a, b in _PRODUCT_SHAPES]),
    *cases(
        "matmul",
        {
            "matmul(x, y)": lambda lib, x, y: lib.matmul(x, y),
            "x.matmul(y)": lambda lib, x, y: x.matmul(y),
            "matmul(input=, other=)": lambda lib, x, y: lib.matmul(input=x, other=y),
        },
        [
            inputs((2, 3), (3, 2)),
            (Draw((2, 3), layout="transposed"), Draw((3, 2), layout="strided")),
            (Draw((2, 2, 3), layout="transposed"), Draw((3, 2))),
        ],
    ),
    *cases("matmul", {"x @ x.T": lambda lib, x: x @ x.T, "x.T @ x": lambda lib, x: x.T @ x}, LINES),
    *cases(
        "mm",
        {"mm(x, y)": lambda lib, x, y: lib.mm(x, y), "x.mm(y)": lambda lib, x, y: x.mm(y)},
        [inputs((2, 3), (3, 4)), inputs((0, 3), (3, 2))],
    ),
    *cases(
        "dot",
        {"dot(x, y)": lambda lib, x, y: lib.dot(x, y), "x.dot(y)": lambda lib, x, y: x.dot(y)},
        [inputs((3,), (3,)), inputs((0,), (0,))],
    ),
    *cases(
        "linear",
        {
            "linear(x, W, b)": lambda lib, x, W, b: lib.nn.functional.linear(x, W, b),
            "linear(x, W, bias=b)": lambda lib, x, W, b: lib.nn.functional.linear(x, W, bias=b),
        },
        [
            inputs((4, 3), (2, 3), (2,)),
            inputs((3,), (2, 3), (2,)),
            inputs((2, 4, 3), (2, 3), (2,)),
            inputs((0, 3), (2, 3), (2,)),
            inputs((4, 3), (2, 3), (2,), layout="transposed")[:2] + inputs((2,)),
        ],
    ),
    *cases(
        "linear",
        {"linear(x, W)": lambda lib, x, W: lib.nn.functional.linear(x, W)},
        [
            inputs((4, 3), (2, 3)),
            inputs((3,), (2, 3)),
            inputs((2, 2, 3), (1, 3)),
            inputs((4, 3), (3,)),
            inputs((3,), (3,)),
        ],
    ),
]

# --- losses


def _reductions(name: str) -> dict[str, Callable[..., Any]]:
    return {
        f"{name}(reduction={r!r})": lambda lib, *xs, r=r: getattr(lib.nn.functional, name)(*xs, reduction=r)
        for r in ("mean", "sum", "none")
    }


LOSSES: list[Case] = [
    *cases(
        "mse_loss",
        _reductions("mse_loss"),
        [inputs((4,), (4,)), inputs((2, 3), (2, 3)), inputs((), ()), inputs((2, 3), (2, 3), layout="transposed")],
    ),
    *cases(
        "mse_loss",
        {
            "mse_loss(x, y)": lambda lib, x, y: lib.nn.functional.mse_loss(x, y),
            "mse_loss(input=, target=)": lambda lib, x, y: lib.nn.functional.mse_loss(input=x, target=y),
        },
        [inputs((2, 3), (2, 3))],
    ),
    *cases(
        "binary_cross_entropy_with_logits",
        _reductions("binary_cross_entropy_with_logits"),
        [(Draw(s), Draw(s, "unit")) for s in [(4,), (2, 3), ()]],
    ),
    *cases(
        "binary_cross_entropy_with_logits",
        {
            "pos_weight=": lambda lib, x, y, w: lib.nn.functional.binary_cross_entropy_with_logits(x, y, pos_weight=w),
            "weight=, 'sum'": lambda lib, x, y, w: lib.nn.functional.binary_cross_entropy_with_logits(
                x, y, w, reduction="sum"
            ),
            "weight=, pos_weight=, 'none'": lambda lib, x, y, w: lib.nn.functional.binary_cross_entropy_with_logits(
                x, y, weight=w, pos_weight=w + 1, reduction="none"
            ),
        },
        [
            (Draw((2, 3)), Draw((2, 3), "unit"), Draw((3,), "positive", grad=False)),
            (Draw((2, 3)), Draw((2, 3), "unit"), Draw((2, 3), "positive", grad=False)),
        ],
    ),
    *cases(
        "binary_cross_entropy_with_logits",
        {"30 x": lambda lib, x, y: lib.nn.functional.binary_cross_entropy_with_logits(30 * x, y)},
        [(Draw((2, 3)), Draw((2, 3), "unit"))],
    ),
    *cases(
        "cross_entropy",
        _reductions("cross_entropy"),
        [
            (Draw((4, 3)), Draw((4,), "below 3")),
            (Draw((3,)), Draw((), "below 3")),
            (Draw((2, 3, 4)), Draw((2, 4), "below 3")),
            (Draw((4, 3), layout="transposed"), Draw((4,), "below 3")),
        ],
    ),
    *cases(
        "cross_entropy",
        {
            "weight=": lambda lib, x, y, w: lib.nn.functional.cross_entropy(x, y, w),
            "weight=, 'sum'": lambda lib, x, y, w: lib.nn.functional.cross_entropy(x, y, weight=w, reduction="sum"),
            "weight=, 'none'": lambda lib, x, y, w: lib.nn.functional.cross_entropy(x, y, weight=w, reduction="none"),
            "weight=, ignore_index=": lambda lib, x, y, w: lib.nn.functional.cross_entropy(
                x, y, weight=w, ignore_index=0
            ),
            "everything": lambda lib, x, y, w: lib.nn.functional.cross_entropy(
                x, y, w, ignore_index=2, reduction="mean", label_smoothing=0.2
            ),
            "everything, 'none'": lambda lib, x, y, w: lib.nn.functional.cross_entropy(
                x, y, w, ignore_index=2, reduction="none", label_smoothing=0.2
            ),
        },
        [
            (Draw((5, 3)), Draw((5,), "below 3"), Draw((3,), "positive", grad=False)),
            (Draw((2, 3, 4)), Draw((2, 4), "below 3"), Draw((3,), "positive", grad=False)),
        ],
    ),
    *cases(
        "cross_entropy",
        {
            "ignore_index=": lambda lib, x, y: lib.nn.functional.cross_entropy(x, y, ignore_index=1),
            "ignore_index=, 'none'": lambda lib, x, y: lib.nn.functional.cross_entropy(
                x, y, ignore_index=1, reduction="none"
            ),
            "label_smoothing=": lambda lib, x, y: lib.nn.functional.cross_entropy(x, y, label_smoothing=0.1),
            "label_smoothing=, 'sum'": lambda lib, x, y: lib.nn.functional.cross_entropy(
                x, y, label_smoothing=0.1, reduction="sum"
            ),
            "30 x": lambda lib, x, y: lib.nn.functional.cross_entropy(30 * x, y),
        },
        [(Draw((5, 3)), Draw((5,), "below 3")), (Draw((2, 3, 4)), Draw((2, 4), "below 3"))],
    ),
    *cases(
        "cross_entropy",
        {
            **_reductions("cross_entropy"),
            "label_smoothing=": lambda lib, x, y: lib.nn.functional.cross_entropy(x, y, label_smoothing=0.1),
            "weight=": lambda lib, x, y: lib.nn.functional.cross_entropy(
                x, y, weight=lib.arange(1.0, 4.0, device=x.device).to(x.dtype)
            ),
        },
        [
            (Draw((4, 3)), Draw((4, 3), "unit")),
            (Draw((3,)), Draw((3,), "unit")),
            (Draw((2, 3, 2)), Draw((2, 3, 2), "unit")),
        ],
    ),
    *cases(
        "nll_loss",
        _reductions("nll_loss"),
        [
            (Draw((4, 3)), Draw((4,), "below 3")),
            (Draw((3,)), Draw((), "below 3")),
            (Draw((2, 3, 4)), Draw((2, 4), "below 3")),
        ],
    ),
    *cases(
        "nll_loss",
        {
            "weight=": lambda lib, x, y, w: lib.nn.functional.nll_loss(x, y, w),
            "weight=, ignore_index=, 'none'": lambda lib, x, y, w: lib.nn.functional.nll_loss(
                x, y, weight=w, ignore_index=1, reduction="none"
            ),
            "weight=, ignore_index=, 'sum'": lambda lib, x, y, w: lib.nn.functional.nll_loss(
                x, y, weight=w, ignore_index=1, reduction="sum"
            ),
        },
        [(Draw((5, 3)), Draw((5,), "below 3"), Draw((3,), "positive", grad=False))],
    ),
    *cases(
        "one_hot",
        {
            "one_hot(y)": lambda lib, y: lib.nn.functional.one_hot(y),
            "one_hot(y, 5)": lambda lib, y: lib.nn.functional.one_hot(y, 5),
        },
        [inputs((4,), numbers="below 3"), inputs((2, 3), numbers="below 4"), inputs((), numbers="below 2")],
        differentiable=False,
    ),
]

# --- dtypes

CONVERSIONS: list[Case] = [
    *cases(
        "to",
        {
            "x.to(float64)": lambda lib, x: x.to(lib.float64),
            "x.to(float32)": lambda lib, x: x.to(lib.float32),
            "x.to(dtype=float32)": lambda lib, x: x.to(dtype=lib.float32),
            "x.double()": lambda lib, x: x.double(),
            "x.float(), float32": lambda lib, x: x.float(),
            "x.type(float64)": lambda lib, x: x.type(lib.float64),
            "x.type_as(y), float32": lambda lib, x: x.type_as(lib.zeros(1, dtype=lib.float32)),
            "x.cpu()": lambda lib, x: x.cpu() * 1,
            "x.to(y)": lambda lib, x: x.to(x.detach()),
        },
        [inputs((2, 3)), inputs(())],
    ),
    *cases(
        "to",
        {
            "x.half()": lambda lib, x: x.half(),
            "x.long()": lambda lib, x: x.long(),
            "x.int()": lambda lib, x: x.int(),
            "x.short()": lambda lib, x: x.short(),
            "x.char()": lambda lib, x: x.char(),
            "x.bool()": lambda lib, x: x.bool(),
            "x.to(int64)": lambda lib, x: x.to(lib.int64),
            "abs(x).byte()": lambda lib, x: (x * x).byte(),
        },
        [inputs((2, 3))],
        differentiable=False,
    ),
]

CASES: list[Case] = [
    *ARITHMETIC,
    *UNARY,
    *CHOICES,
    *LOGIC,
    *REDUCTIONS,
    *SHAPING,
    *JOINING,
    *INDEXING,
    *WRITING,
    *PRODUCTS,
    *LOSSES,
    *CONVERSIONS,
]
