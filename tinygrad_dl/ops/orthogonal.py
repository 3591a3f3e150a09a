"""Orthogonal polynomials by their recurrences of three terms. Source: Abramowitz and Stegun, chapter 22."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import result_type
from ..operation import operation


def _polynomial(name: str, first: Callable[[Any], Any], step: Callable[[int, Any, Any, Any], Any], value: str) -> Any:
    """The polynomials 1, first(x), and from those of degree k and k - 1 the next: step(k, x, p of k, p of k - 1)."""

    def compute(input: Any, n: Any) -> Any:
        dtype = result_type([input, n], True)
        x = input.astype(dtype) if hasattr(input, "dtype") else dtype.type(input)
        nothing = np.zeros_like(x)
        degree = nothing + np.trunc(n)
        before, p = nothing + 1, first(x)
        out = np.where(degree < 0, nothing, np.where(degree < 1, before, p))
        for k in range(1, int(degree.max()) if degree.size else 0):
            before, p = p, step(k, x, p, before)
            out = np.where(degree == k + 1, p, out)
        return out.astype(dtype)

    compute.__name__ = compute.__qualname__ = name
    compute.__doc__ = f"""The {name.replace("_", " ")} of degree n at input; 0 for a negative n.

    Arguments: input, n (tensors that broadcast, or one number; integers in the default dtype). It has no derivative
    here, as in PyTorch.

    >>> import tinygrad_dl as tg
    >>> tg.special.{name}(tg.tensor([0.5]), 3)
    tensor([{value}])
    """
    return operation(name)(compute)


def _chebyshev(k: int, x: Any, p: Any, before: Any) -> Any:
    return 2 * x * p - before


def _shifted_chebyshev(k: int, x: Any, p: Any, before: Any) -> Any:
    return (4 * x - 2) * p - before


chebyshev_polynomial_t = _polynomial("chebyshev_polynomial_t", lambda x: x, _chebyshev, "-1.")
chebyshev_polynomial_u = _polynomial("chebyshev_polynomial_u", lambda x: 2 * x, _chebyshev, "-1.")
chebyshev_polynomial_v = _polynomial("chebyshev_polynomial_v", lambda x: 2 * x - 1, _chebyshev, "-1.")
chebyshev_polynomial_w = _polynomial("chebyshev_polynomial_w", lambda x: 2 * x + 1, _chebyshev, "-1.")
shifted_chebyshev_polynomial_t = _polynomial(
    "shifted_chebyshev_polynomial_t", lambda x: 2 * x - 1, _shifted_chebyshev, "-0."
)
shifted_chebyshev_polynomial_u = _polynomial(
    "shifted_chebyshev_polynomial_u", lambda x: 4 * x - 2, _shifted_chebyshev, "-0."
)
shifted_chebyshev_polynomial_v = _polynomial(
    "shifted_chebyshev_polynomial_v", lambda x: 4 * x - 3, _shifted_chebyshev, "1."
)
shifted_chebyshev_polynomial_w = _polynomial(
    "shifted_chebyshev_polynomial_w", lambda x: 4 * x - 1, _shifted_chebyshev, "-1."
)
hermite_polynomial_h = _polynomial(
    "hermite_polynomial_h", lambda x: 2 * x, lambda k, x, p, before: 2 * x * p - 2 * k * before, "-5."
)
hermite_polynomial_he = _polynomial(
    "hermite_polynomial_he", lambda x: x, lambda k, x, p, before: x * p - k * before, "-1.3750"
)
laguerre_polynomial_l = _polynomial(
    "laguerre_polynomial_l",
    lambda x: 1 - x,
    lambda k, x, p, before: ((2 * k + 1 - x) * p - k * before) / (k + 1),
    "-0.1458",
)
legendre_polynomial_p = _polynomial(
    "legendre_polynomial_p",
    lambda x: x,
    lambda k, x, p, before: ((2 * k + 1) * x * p - k * before) / (k + 1),
    "-0.4375",
)
