"""Bounds: what lies beyond them, or is no number, is replaced."""

from typing import Any

import numpy as np

from .. import backend
from ..errors import ArgumentError, DtypeError
from ..methods import attach
from ..operation import elementwise, operation
from ..tensor import NUMPY, Tensor
from .blocks import blockwise
from .composed import composed
from .editing import attach_in_place
from .elementwise import where

_clamp_min = elementwise(
    "clamp_min",
    backend.at_least,
    "input, but not below `min`",
    numpy=(),
    input=lambda g, input, min: where(input >= min, g, 0.0),
    min=lambda g, input, min: where(input < min, g, 0.0),
)
_clamp_max = elementwise(
    "clamp_max",
    backend.at_most,
    "input, but not above `max`",
    numpy=(),
    input=lambda g, input, max: where(input <= max, g, 0.0),
    max=lambda g, input, max: where(input > max, g, 0.0),
)


def _require_in_range(name: str, input: Any, **bounds: Any) -> None:
    """Raise for a whole number that the input's dtype does not hold; of unsigned ones -1 stands for the largest."""
    if not isinstance(input, Tensor) or input.array.dtype.kind not in "iu":
        return
    info = np.iinfo(input.array.dtype)
    low, high = (-info.max if info.min == 0 else info.min), info.max
    for argument, bound in bounds.items():
        if type(bound) is int and not low <= bound <= high:
            raise DtypeError(f"{name}: {argument} {bound} does not fit {input.dtype}, which holds {info.min} to {high}")


@composed
def clamp_min(input: Any, min: Any) -> Any:
    """input, but not below `min`; on the bound the gradient goes to input.

    Arguments: input (tensor), min (number or tensor that broadcasts). Raises DtypeError for a whole number that an
    integer dtype does not hold.

    >>> import tinygrad_dl as tg
    >>> tg.clamp_min(tg.tensor([-2.0, 0.5]), 0)
    tensor([0.0000, 0.5000])
    """
    _require_in_range("clamp_min", input, min=min)
    return _clamp_min(input, min)


@composed
def clamp_max(input: Any, max: Any) -> Any:
    """input, but not above `max`; on the bound the gradient goes to input.

    Arguments: input (tensor), max (number or tensor that broadcasts). Raises DtypeError as `clamp_min`.

    >>> import tinygrad_dl as tg
    >>> tg.clamp_max(tg.tensor([-2.0, 0.5]), 0)
    tensor([-2.,  0.])
    """
    _require_in_range("clamp_max", input, max=max)
    return _clamp_max(input, max)


@operation(
    "clamp",
    promote="same",
    input=lambda g, input, min, max: where((input >= min) & (input <= max), g, 0.0),
    min=lambda g, input, min, max: where((input < min) & (min < max), g, 0.0),
    max=lambda g, input, max, min: where((input > max) | (max < min), g, 0.0),
)
def _clamp(input: Any, min: Any, max: Any) -> Any:
    if input.dtype.kind == "b":
        raise DtypeError("clamp: bools have no bounds on both sides; convert them first, for example with .int()")
    if input.dtype.kind == "u":  # as PyTorch, where -1 is 255
        min, max = (bound & 255 if type(bound) is int and bound < 0 else bound for bound in (min, max))
    return backend.clip(input, min, max)


@composed
def clamp(input: Any, min: Any = None, max: Any = None) -> Any:
    """input, but not below `min` nor above `max`; inside the bounds, and on them, the gradient passes.

    Arguments: input (tensor), min and max (numbers or tensors that broadcast; at least one). Raises ArgumentError
    without any bound, DtypeError as `clamp_min`.

    >>> import tinygrad_dl as tg
    >>> tg.clamp(tg.tensor([-2.0, 0.5, 3.0]), 0, 1)
    tensor([0.0000, 0.5000, 1.0000])
    """
    _require_in_range("clamp", input, min=min, max=max)
    if max is not None:
        return _clamp_max(input, max) if min is None else _clamp(input, min, max)
    if min is None:
        raise ArgumentError("clamp: at least one of min and max must be given")
    return _clamp_min(input, min)


clip = clamp


@operation(input=lambda g, input: where(np.isfinite(input), g, 0.0))
def nan_to_num(input: Any, nan: float | None = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
    """input with numbers in place of NaN and the infinities, through which no gradient passes.

    Arguments: input (tensor), nan, posinf and neginf (numbers; None for the infinities is the dtype's largest and
    smallest). Integers and bools come back as they are.

    >>> import tinygrad_dl as tg
    >>> tg.nan_to_num(tg.tensor([float("nan"), float("inf"), 1.0]), posinf=9.0)
    tensor([0., 9., 1.])
    """
    if input.dtype.kind != "f":
        return input.copy()
    compute = _copied if input.dtype == np.float16 else _numbers  # the largest number is that of the own dtype
    return compute(input, nan, posinf, neginf)


def _replace(out: Any, nan: float | None, posinf: float | None, neginf: float | None) -> None:
    """Put numbers in place of what is none, where a block of big arrays has any."""
    if out.size > 2048 and np.isfinite(out).all():
        return
    missing, limits = out != out, np.finfo(out.dtype)
    if posinf is None and neginf is None:
        out.clip(limits.min, limits.max, out)
    else:
        out[out == np.inf] = limits.max if posinf is None else posinf
        out[out == -np.inf] = limits.min if neginf is None else neginf
    out[missing] = 0.0 if nan is None else nan


def _copied(x: Any, nan: float | None, posinf: float | None, neginf: float | None) -> Any:
    out = x.copy()
    _replace(out, nan, posinf, neginf)
    return out


def _fill(out: Any, x: Any, nan: float | None, posinf: float | None, neginf: float | None) -> None:
    out[...] = x
    _replace(out, nan, posinf, neginf)


_numbers = blockwise(_copied, _fill)


# --- methods

attach(clamp, clamp_min, clamp_max, nan_to_num, clip=clamp)
attach_in_place(clamp, clamp_min, clamp_max, nan_to_num, clip=clamp)
NUMPY[np.clip] = lambda a, a_min=None, a_max=None, *, min=None, max=None: clamp(
    a, a_min if min is None else min, a_max if max is None else max
)
