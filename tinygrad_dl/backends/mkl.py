"""Intel's library of linear algebra, if NumPy is built on it."""

from typing import Any

import numpy as np


def is_available() -> bool:
    """Whether NumPy multiplies matrices with MKL.

    >>> import tinygrad_dl as tg
    >>> isinstance(tg.backends.mkl.is_available(), bool)
    True
    """
    config: Any = np.show_config(mode="dicts")
    return "mkl" in str(config["Build Dependencies"]["blas"]["name"]).lower()
