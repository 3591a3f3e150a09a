"""The limits of dtypes."""

from typing import Any

import numpy as np

from .dtypes import find, get_default_dtype
from .errors import ArgumentTypeError


class finfo:
    """The limits of a floating dtype, as `torch.finfo`.

    >>> import tinygrad_dl as tg
    >>> tg.finfo(tg.float32).eps
    1.1920928955078125e-07
    """

    def __init__(self, type: Any = None) -> None:
        chosen = get_default_dtype() if type is None else find(type)
        if not chosen.is_floating_point:
            raise ArgumentTypeError(f"finfo: {chosen} is not a floating dtype; use iinfo for integers")
        info = np.finfo(chosen.numpy)
        self.dtype, self.bits = chosen.name, info.bits
        self.eps, self.max, self.min = float(info.eps), float(info.max), float(info.min)
        self.tiny = self.smallest_normal = float(info.tiny)
        self.resolution = float(info.resolution)


class iinfo:
    """The limits of an integer dtype, as `torch.iinfo`.

    >>> import tinygrad_dl as tg
    >>> tg.iinfo(tg.int8).max
    127
    """

    def __init__(self, type: Any) -> None:
        chosen = find(type)
        if chosen.category != 1:
            raise ArgumentTypeError(f"iinfo: {chosen} is not an integer dtype; use finfo for floating dtypes")
        info = np.iinfo(chosen.numpy)
        self.dtype, self.bits, self.max, self.min = chosen.name, info.bits, int(info.max), int(info.min)
