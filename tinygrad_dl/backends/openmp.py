"""Threads by OpenMP, if NumPy's library of linear algebra has them."""

from typing import Any

import numpy as np


def is_available() -> bool:
    """Whether NumPy multiplies matrices with threads of OpenMP.

    >>> import tinygrad_dl as tg
    >>> isinstance(tg.backends.openmp.is_available(), bool)
    True
    """
    config: Any = np.show_config(mode="dicts")
    return "OPENMP" in str(config["Build Dependencies"]["blas"]).upper()
