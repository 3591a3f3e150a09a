"""The parts of complex numbers. There are real tensors only: they are their own real part and their own conjugate."""

import math
from typing import Any

import numpy as np

from ..errors import DtypeError
from ..methods import attach
from ..operation import elementwise
from ..tensor import NUMPY
from .blocks import blockwise
from .composed import composed
from .editing import attach_in_place, zeros_like


def _itself(name: str, words: str) -> Any:
    def same(input: Any) -> Any:
        return input

    same.__name__ = same.__qualname__ = name
    same.__doc__ = f"""{words}: of a real tensor the tensor itself.

    >>> import tinygrad_dl as tg
    >>> x = tg.tensor([1.0, -2.0])
    >>> tg.{name}(x) is x
    True
    """
    return composed(same)


real = _itself("real", "The real part")
conj = _itself("conj", "The complex conjugate")
conj_physical = _itself("conj_physical", "The complex conjugate in memory of its own")
resolve_conj = _itself("resolve_conj", "The tensor with its conjugation carried out")
resolve_neg = _itself("resolve_neg", "The tensor with its negation carried out")


@composed
def imag(input: Any) -> Any:
    """The imaginary part, which only complex tensors have: raises DtypeError.

    >>> import tinygrad_dl as tg
    >>> tg.imag(tg.tensor([1.0]))
    Traceback (most recent call last):
        ...
    tinygrad_dl.errors.DtypeError: imag: tensors are real here (this one is float32) and have no imaginary part
    """
    raise DtypeError(f"imag: tensors are real here (this one is {input.dtype.name}) and have no imaginary part")


@blockwise
def _angle(x: Any) -> Any:
    half_turn = x.dtype.type(math.pi) if x.dtype.kind == "f" else math.pi
    return np.where(x == x, (x < 0) * half_turn, x)


angle = elementwise(
    "angle",
    _angle,
    """The angle of a number with the positive axis: π below 0, else 0. Its derivative is 0.

    Argument: input (tensor; integers give the default dtype).

    >>> import tinygrad_dl as tg
    >>> tg.angle(tg.tensor([2.0, -1.0]))
    tensor([0.0000, 3.1416])
    """,
    floating=True,
    numpy=(np.angle,),
    input=lambda g: zeros_like(g),
)


@composed
def is_conj(input: Any) -> bool:
    """Whether a tensor is the conjugate of what lies in its memory: never.

    >>> import tinygrad_dl as tg
    >>> tg.is_conj(tg.tensor([1.0]))
    False
    """
    return False


@composed
def is_neg(input: Any) -> bool:
    """Whether a tensor is the negative of what lies in its memory: never.

    >>> import tinygrad_dl as tg
    >>> tg.is_neg(tg.tensor([1.0]))
    False
    """
    return False


attach(conj, conj_physical, resolve_conj, resolve_neg, angle, is_conj, is_neg, real=property(real), imag=property(imag))
attach_in_place(conj_physical)
NUMPY[np.conjugate] = conj
