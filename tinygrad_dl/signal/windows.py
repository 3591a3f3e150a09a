"""Window functions: weights that fade a piece of a signal in and out. As `torch.signal.windows`.

Every window is a formula of n = 0, 1, ..., M - 1, and of the steps from its beginning to its end: M - 1 of a symmetric
one, M of a periodic one, which is to be repeated.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..creation import tensor
from ..dtypes import find, float32, float64, get_default_dtype
from ..errors import ArgumentError, ArgumentTypeError, DtypeError
from ..layouts import row_major
from ..tensor import Tensor

__all__ = [
    "bartlett",
    "blackman",
    "cosine",
    "exponential",
    "gaussian",
    "general_cosine",
    "general_hamming",
    "hamming",
    "hann",
    "kaiser",
    "nuttall",
]

Formula = Callable[[Any, Any], Any]  # of the places n and the number of steps


def _places(name: str, M: Any, sym: bool) -> tuple[Any, int]:
    if not isinstance(M, int):
        raise ArgumentTypeError(f"{name}: the length of a window must be an integer, not {M!r}")
    if M < 0:
        raise ArgumentError(f"{name}: the length of a window can't be negative, {M} came")
    return np.arange(M), M - 1 if sym else M


def _window(name: str, formula: Formula, M: Any, sym: bool, dtype: Any, device: Any, requires_grad: bool) -> Tensor:
    """A formula's values, computed in float64; a window of length 1 is 1."""
    n, steps = _places(name, M, sym)
    values = formula(n, steps) if M > 1 else np.ones(M)
    return tensor(values, dtype=dtype or get_default_dtype(), device=device, requires_grad=requires_grad)


def _narrow(name: str, dtype: Any) -> Any:
    """The dtypes that PyTorch has here."""
    if dtype is not None and find(dtype) not in (float32, float64):
        raise ArgumentError(f"{name}: dtype must be float32 or float64, not {find(dtype)}")
    return dtype


def _positive(name: str, argument: str, value: float) -> float:
    if value <= 0:
        raise ArgumentError(f"{name}: {argument} must be positive, {value} came")
    return value


# --- formulas


def _cosines(coefficients: Any) -> Formula:
    """a₀ - a₁·cos(2πn/N) + a₂·cos(4πn/N) - ..."""
    return lambda n, steps: sum((-1) ** k * a * np.cos(2 * math.pi * k * n / steps) for k, a in enumerate(coefficients))


def _hamming(alpha: float, beta: float) -> Formula:
    return _cosines((alpha, beta))


def _triangle(n: Any, steps: int) -> Any:
    return 1 - abs(2 * n / steps - 1)


def _kaiser(beta: float) -> Formula:
    return lambda n, steps: np.i0(beta * np.sqrt(np.maximum(1 - (2 * n / steps - 1) ** 2, 0))) / np.i0(beta)


_HANN, _BLACKMAN = (0.5, 0.5), (0.42, 0.5, 0.08)
_NUTTALL = (0.3635819, 0.4891775, 0.1365995, 0.0106411)


# --- windows, symmetric unless `sym` is False


@row_major
def general_cosine(
    M: int, *, a: Any, sym: bool = True, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A sum of cosines: Σₖ (-1)ᵏ · aₖ · cos(2πkn / (M - 1)).

    Arguments: M (the length), a (a sequence of coefficients), sym (symmetric; else periodic), dtype (float32 or
    float64; the default dtype if None), device, requires_grad. Raises ArgumentError for a negative length and no
    coefficients.

    >>> import tinygrad_dl as tg
    >>> tg.signal.windows.general_cosine(3, a=[0.5, 0.5])
    tensor([0., 1., 0.])
    """
    if not isinstance(a, list | tuple):
        raise ArgumentTypeError(f"general_cosine: a must be a list or tuple of coefficients, not {type(a).__name__}")
    if not a:
        raise ArgumentError("general_cosine: a is empty; at least one coefficient is needed")
    return _window("general_cosine", _cosines(a), M, sym, _narrow("general_cosine", dtype), device, requires_grad)


@row_major
def general_hamming(
    M: int, *, alpha: float = 0.54, sym: bool = True, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """alpha - (1 - alpha) · cos(2πn / (M - 1)). Arguments as for `general_cosine`.

    >>> import tinygrad_dl as tg
    >>> tg.signal.windows.general_hamming(3, alpha=0.5)
    tensor([0., 1., 0.])
    """
    formula = _hamming(alpha, 1 - alpha)
    return _window("general_hamming", formula, M, sym, _narrow("general_hamming", dtype), device, requires_grad)


def _plain(name: str, formula: Formula, said: str, at_3: str) -> Callable[..., Tensor]:
    """A window without parameters of its own."""

    def window(
        M: int, *, sym: bool = True, dtype: Any = None, device: Any = None, requires_grad: bool = False
    ) -> Tensor:
        return _window(name, formula, M, sym, _narrow(name, dtype), device, requires_grad)

    window.__name__ = window.__qualname__ = name
    window.__doc__ = f"""{said} Arguments as for `general_cosine`.

    >>> import tinygrad_dl as tg
    >>> tg.signal.windows.{name}(3)
    tensor({at_3})
    """
    return row_major(window)


hann = _plain("hann", _cosines(_HANN), "The window of von Hann: (1 - cos(2πn / (M - 1))) / 2.", "[0., 1., 0.]")
hamming = _plain(
    "hamming", _hamming(0.54, 0.46), "Hamming's window: 0.54 - 0.46 · cos(2πn / (M - 1)).", "[0.0800, 1.0000, 0.0800]"
)
blackman = _plain(
    "blackman",
    _cosines(_BLACKMAN),
    "Blackman's window: cosines with 0.42, 0.5 and 0.08.",
    "[-1.3878e-17,  1.0000e+00, -1.3878e-17]",
)
nuttall = _plain(
    "nuttall",
    _cosines(_NUTTALL),
    "Nuttall's window: four cosines. Source: Nuttall, 1981.",
    "[3.6280e-04, 1.0000e+00, 3.6280e-04]",
)
bartlett = _plain("bartlett", _triangle, "The triangle of Bartlett: 1 - |2n / (M - 1) - 1|.", "[0., 1., 0.]")
cosine = _plain(
    "cosine",
    lambda n, steps: np.sin(math.pi * (n + 0.5) / (steps + 1)),
    "Half a wave: sin(π(n + 1/2) / M).",
    "[0.5000, 1.0000, 0.5000]",
)


@row_major
def exponential(
    M: int,
    *,
    center: float | None = None,
    tau: float = 1.0,
    sym: bool = True,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """e^(-|n - center| / tau).

    Arguments as for `general_cosine`, and center (None: the middle; given only for a periodic window), tau (positive).

    >>> import tinygrad_dl as tg
    >>> tg.signal.windows.exponential(3)
    tensor([0.3679, 1.0000, 0.3679])
    """
    if sym and center is not None:
        raise ArgumentError(f"exponential: a symmetric window has its center in the middle, center={center} came")
    tau = _positive("exponential", "tau", tau)
    middle = lambda steps: steps / 2 if center is None else center  # noqa: E731
    formula = lambda n, steps: np.exp(-abs(n - middle(steps)) / tau)  # noqa: E731
    return _window("exponential", formula, M, sym, _narrow("exponential", dtype), device, requires_grad)


@row_major
def gaussian(
    M: int, *, std: float = 1.0, sym: bool = True, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """The bell curve e^(-((n - middle) / std)² / 2). Arguments as for `general_cosine`, and std (positive).

    >>> import tinygrad_dl as tg
    >>> tg.signal.windows.gaussian(3)
    tensor([0.6065, 1.0000, 0.6065])
    """
    std = _positive("gaussian", "std", std)
    formula = lambda n, steps: np.exp(-(((n - steps / 2) / std) ** 2) / 2)  # noqa: E731
    return _window("gaussian", formula, M, sym, _narrow("gaussian", dtype), device, requires_grad)


@row_major
def kaiser(
    M: int, *, beta: float = 12.0, sym: bool = True, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Kaiser's window: I₀(beta · √(1 - (2n / (M - 1) - 1)²)) / I₀(beta), with the Bessel function I₀.

    Arguments as for `general_cosine`, and beta (not negative).

    >>> import tinygrad_dl as tg
    >>> tg.signal.windows.kaiser(3, beta=0.0)
    tensor([1., 1., 1.])
    """
    if beta < 0:
        raise ArgumentError(f"kaiser: beta can't be negative, {beta} came")
    return _window("kaiser", _kaiser(beta), M, sym, _narrow("kaiser", dtype), device, requires_grad)


# --- under their older names, periodic unless asked otherwise


def _older(name: str, formula: Formula, window_length: Any, periodic: bool, options: dict[str, Any]) -> Tensor:
    dtype = options.get("dtype")
    if dtype is not None and not find(dtype).is_floating_point:
        raise DtypeError(f"{name}: dtype must be a floating one, not {find(dtype)}")
    known = {"dtype": None, "device": None, "requires_grad": False} | options
    return _window(name, formula, window_length, not periodic, **known)


@row_major
def hann_window(window_length: int, periodic: bool = True, **options: Any) -> Tensor:
    """The window of von Hann, periodic. Arguments: window_length, periodic, dtype, device, requires_grad.

    >>> import tinygrad_dl as tg
    >>> tg.hann_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return _older("hann_window", _cosines(_HANN), window_length, periodic, options)


@row_major
def hamming_window(
    window_length: int, periodic: bool = True, alpha: float = 0.54, beta: float = 0.46, **options: Any
) -> Tensor:
    """Hamming's window, periodic: alpha - beta · cos(2πn / N). Arguments as for `hann_window`.

    >>> import tinygrad_dl as tg
    >>> tg.hamming_window(4)
    tensor([0.0800, 0.5400, 1.0000, 0.5400])
    """
    return _older("hamming_window", _hamming(alpha, beta), window_length, periodic, options)


@row_major
def blackman_window(window_length: int, periodic: bool = True, **options: Any) -> Tensor:
    """Blackman's window, periodic. Arguments as for `hann_window`.

    >>> import tinygrad_dl as tg
    >>> tg.blackman_window(4)[1:]
    tensor([0.3400, 1.0000, 0.3400])
    """
    return _older("blackman_window", _cosines(_BLACKMAN), window_length, periodic, options)


@row_major
def bartlett_window(window_length: int, periodic: bool = True, **options: Any) -> Tensor:
    """The triangle of Bartlett, periodic. Arguments as for `hann_window`.

    >>> import tinygrad_dl as tg
    >>> tg.bartlett_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return _older("bartlett_window", _triangle, window_length, periodic, options)


@row_major
def kaiser_window(window_length: int, periodic: bool = True, beta: float = 12.0, **options: Any) -> Tensor:
    """Kaiser's window, periodic. Arguments as for `hann_window`.

    >>> import tinygrad_dl as tg
    >>> tg.kaiser_window(2, beta=0.0)
    tensor([1., 1.])
    """
    return _older("kaiser_window", _kaiser(beta), window_length, periodic, options)
