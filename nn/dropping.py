"""Functions that leave out values, or whole channels, at random."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from tinygrad_dl import backend
from tinygrad_dl.errors import ArgumentError, ArgumentTypeError, DtypeError, ShapeError
from tinygrad_dl.ops.blocks import BLOCK
from tinygrad_dl.ops.dropping import blocks, dropped
from tinygrad_dl.ops.editing import in_place_form
from tinygrad_dl.random import numpy_generator
from tinygrad_dl.tensor import Tensor

ALPHA = 1.7580993408473766  # λ α of SELU, which tends to minus this for small inputs

_IN_PLACE = {
    name: in_place_form(dropped, f"{name}(inplace=True)")
    for name in "dropout dropout1d dropout2d dropout3d alpha_dropout feature_alpha_dropout".split()
}


def check_dropout(name: str, p: float) -> None:
    """Raise unless p is a probability."""
    if not 0 <= p <= 1:
        raise ArgumentError(
            f"{name}: p, the probability of leaving a value out, has to be between 0 and 1, but got {p}"
        )


def _drawn(units: tuple[int, ...], p: float) -> Any:
    """Bits of which each is set with probability 1 - p; drawn in float32, block by block."""
    generator, size = numpy_generator(None), math.prod(units)
    bits, room = np.empty((size + 7) // 8, np.uint8), np.empty(min(size, BLOCK), np.float32)
    for part in blocks(size):
        uniform = generator.random(dtype=np.float32, out=room[: part.stop - part.start])
        bits[part.start // 8 : (part.stop + 7) // 8] = np.packbits(uniform >= p)
    return bits


def _dropping(name: str, input: Any, p: float, training: bool, inplace: bool, leading: int | None, alpha: bool) -> Any:
    """Each value of a tensor left out, or (leading) all values behind so many dimensions together."""
    if not isinstance(input, Tensor):
        raise ArgumentTypeError(f"{name}: a Tensor is needed, not {type(input).__name__}; use tinygrad_dl.tensor(...)")
    check_dropout(name, p)
    if not training or p == 0:
        return input
    if not input.is_floating_point():
        raise DtypeError(f"{name}: the input must be floating, not {input.dtype}; convert it first: input.float()")
    units, dtype = input.array.shape[:leading], input.array.dtype.type
    bits = backend.from_numpy(_drawn(units, p), input.device)
    scale, offsets = float(1 / dtype(1 - p)) if p < 1 else 0.0, None
    if alpha and p < 1:
        scale = 1 / math.sqrt((ALPHA**2 * p + 1) * (1 - p))
        offsets = ALPHA * scale * (p - 1), ALPHA * scale * p
    return (_IN_PLACE[name] if inplace else dropped)(input, bits, units, scale, offsets)


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """While training: x · d / (1 - p), each d being 0 with probability p, else 1. Otherwise x itself.

    The factors are drawn once, by the default generator; one bit of each is kept for backward.

    Arguments: input, floating, of any shape; p; training; inplace, whether the result is written into the input.
    Result of the input's shape and dtype. Raises ArgumentError for a p outside [0, 1], DtypeError for integers,
    GraphError for an input that can't be edited in place. Source: notes, section 8.3.

    >>> import tinygrad_dl as tg
    >>> import tinygrad_dl.nn.functional as F
    >>> F.dropout(tg.ones(3), p=0.5, training=False)
    tensor([1., 1., 1.])
    """
    return _dropping("dropout", input, p, training, inplace, None, False)


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """As `dropout`, for whole channels: one draw for each line of (N, C, L) or (C, L).

    Neighbours in a line tell of each other, so that leaving out single values would only slow down learning. Raises
    ShapeError for other shapes. Source: Tompson et al., 2015.

    >>> import tinygrad_dl as tg
    >>> import tinygrad_dl.nn.functional as F
    >>> F.dropout1d(tg.ones(1, 2), p=1.0)
    tensor([[0., 0.]])
    """
    return _dropping("dropout1d", input, p, training, inplace, _leading("dropout1d", input, (2, 3)), False)


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """As `dropout1d`, for images (N, C, H, W); (N, C, L) is taken with a warning, as in PyTorch.

    >>> import tinygrad_dl as tg
    >>> import tinygrad_dl.nn.functional as F
    >>> F.dropout2d(tg.ones(1, 1, 1, 2), p=1.0)
    tensor([[[[0., 0.]]]])
    """
    return _dropping("dropout2d", input, p, training, inplace, _leading("dropout2d", input, (4,)), False)


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """As `dropout1d`, for volumes (N, C, D, H, W) or (C, D, H, W).

    >>> import tinygrad_dl as tg
    >>> import tinygrad_dl.nn.functional as F
    >>> F.dropout3d(tg.ones(1, 1, 1, 2), p=1.0)
    tensor([[[[0., 0.]]]])
    """
    return _dropping("dropout3d", input, p, training, inplace, _leading("dropout3d", input, (4, 5)), False)


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """While training: values are set to SELU's lower limit with probability p, and all scaled and shifted.

    Mean 0 and variance 1 stay so, which is what networks with SELU need. Arguments as for `dropout`. Source:
    Klambauer et al., 2017.

    >>> import tinygrad_dl as tg
    >>> import tinygrad_dl.nn.functional as F
    >>> F.alpha_dropout(tg.ones(2))
    tensor([1., 1.])
    """
    return _dropping("alpha_dropout", input, p, training, inplace, None, True)


def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """As `alpha_dropout`, for whole channels: one draw for each of the first two dimensions of (N, C, *).

    >>> import tinygrad_dl as tg
    >>> import tinygrad_dl.nn.functional as F
    >>> F.feature_alpha_dropout(tg.ones(1, 2))
    tensor([[1., 1.]])
    """
    name = "feature_alpha_dropout"
    if isinstance(input, Tensor) and training and input.ndim < 2:
        raise ShapeError(f"{name}: the input must be (N, C, *), its shape is {tuple(input.shape)}")
    return _dropping(name, input, p, training, inplace, 2, True)


def _leading(name: str, input: Any, usual: tuple[int, ...]) -> int:
    """How many dimensions say which channel of which sample it is: two, or one where the input is a single sample."""
    if not isinstance(input, Tensor):
        return 2
    if input.ndim in usual:
        return 1 if len(usual) == 2 and input.ndim == usual[0] else 2
    wanted = " or ".join(map(str, usual))
    if name == "dropout1d" or input.ndim < 2:
        raise ShapeError(f"{name}: the input must have {wanted} dimensions, its shape is {tuple(input.shape)}")
    leading = 1 if name == "dropout3d" else 2
    warnings.warn(
        f"{name}: the input should have {wanted} dimensions, its shape is {tuple(input.shape)}; all behind the first "
        f"{leading} is left out together. Use dropout or dropout1d for such inputs",
        UserWarning,
        stacklevel=3,
    )
    return leading
