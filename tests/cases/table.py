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
EMPTY_ROWS = [inputs((0, 3)), inputs((2, 0))]
LINES = [inputs((3, 4)), inputs((4, 3), layout="transposed")]
