"""Tensors as text: `repr` as PyTorch writes it, with our module's name in the dtype."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .backend import to_numpy
from .dtypes import bool_, get_default_dtype, int64
from .errors import ArgumentError


@dataclass(frozen=True)
class Options:
    """How tensors are printed; `set_printoptions` explains the fields."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


_PROFILES = {"default": Options(), "short": Options(precision=2, edgeitems=2), "full": Options(threshold=math.inf)}
_options = Options()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Choose how tensors are printed, as `torch.set_printoptions`; what is not given stays, but `sci_mode`.

    `precision` digits behind the point; above `threshold` elements only `edgeitems` at both ends of each dimension;
    lines of `linewidth` characters; scientific notation always (`sci_mode=True`), never (False) or where the values ask
    for it (None). `profile` ("default", "short", "full") sets all of them first; ArgumentError for another profile.

    >>> import tinygrad_dl as tg
    >>> tg.set_printoptions(precision=2, threshold=5)
    >>> tg.tensor([0.125, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0])
    tensor([ 0.12,  0.50,  1.00,  ...,  4.00,  8.00, 16.00])
    >>> tg.set_printoptions(profile="default")
    """
    global _options
    if profile is not None and profile not in _PROFILES:
        known = ", ".join(map(repr, _PROFILES))
        raise ArgumentError(f"set_printoptions: profile {profile!r} is unknown; there are {known}")
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    _options = replace(_options if profile is None else _PROFILES[profile], **changes, sci_mode=sci_mode)


def tensor_repr(tensor: Any) -> str:
    """A tensor as text: its values, then what the values do not tell (device, size, dtype, history).

    >>> import tinygrad_dl as tg
    >>> tg.tensor([[1.0, 2.5], [3.0, -4.0]], requires_grad=True) * 2
    tensor([[ 2.,  5.],
            [ 6., -8.]], grad_fn=<MulBackward0>)
    >>> tg.zeros(0, 3, dtype=tg.int64)
    tensor([], size=(0, 3), dtype=tinygrad_dl.int64)
    """
    kind = type(tensor).__name__
    prefix = "tensor(" if kind in ("Tensor", "Parameter") else f"{kind}("
    text = prefix + format_array(to_numpy(tensor.array), prefix)
    return _with_suffixes(text, _suffixes(tensor), len(prefix)) + ")"


def format_array(array: np.ndarray, prefix: str = "") -> str:
    """The values of a host array as PyTorch prints them, for a line that begins with `prefix` (which is not included).

    >>> import numpy as np
    >>> from tinygrad_dl.printing import format_array
    >>> print("x = " + format_array(np.array([[1.0, 20.0], [0.0, np.nan]]), "x = "))
    x = [[ 1., 20.],
         [ 0., nan]]
    """
    if array.size == 0:
        return "[]"
    summarized = array.size > _options.threshold
    shown = _ends_of_dimensions(array) if summarized else array
    width, write = _column_of_floats(shown) if array.dtype.kind == "f" else _column_of_integers(shown)
    return _layout(array, len(prefix), summarized, width, lambda value: write(value).rjust(width))


# --- which text stands behind the values


def _suffixes(tensor: Any) -> Iterator[str]:
    """What PyTorch adds behind the values, in its order."""
    if tensor.device.type != "cpu":
        yield f"device='{tensor.device}'"
    empty = 0 in tensor.shape
    if (empty and len(tensor.shape) != 1) or (not empty and not _options.edgeitems):
        yield f"size={tuple(tensor.shape)}"
    # Digits tell integers, bools and the default dtype apart; without digits only the default goes without saying.
    evident = (get_default_dtype(),) if empty else (get_default_dtype(), int64, bool_)
    if tensor.dtype not in evident:
        yield f"dtype={tensor.dtype}"
    if tensor.grad_fn is not None:
        yield f"grad_fn=<{tensor.grad_fn.name()}>"
    elif tensor.requires_grad:
        yield "requires_grad=True"


def _with_suffixes(text: str, suffixes: Iterator[str], indent: int) -> str:
    """`text` and the suffixes, each on the last line when it fits there, else on a line of its own."""
    used = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if used + len(suffix) + 2 > _options.linewidth:
            text += ",\n" + " " * indent + suffix
            used = indent + len(suffix)
        else:
            text += ", " + suffix
            used += len(suffix) + 2
    return text


# --- how one value is written


def _column_of_integers(array: np.ndarray) -> tuple[int, Callable[[Any], str]]:
    """The width of the widest value, and how a value is written."""
    return max((len(str(value)) for value in array.ravel().tolist()), default=1), str


def _column_of_floats(array: np.ndarray) -> tuple[int, Callable[[float], str]]:
    """The width of the widest value that is finite and not zero, and how any value is written.

    Only those decide: whole numbers are written "2.", values that differ much in size as 2.0000e+00, others as 2.5000.
    """
    values = array.ravel().astype(np.float64)
    values = values[np.isfinite(values) & (values != 0)]
    if values.size == 0:
        return 1, _whole
    write: Callable[[float], str]
    if _needs_exponents(np.abs(values)):
        write = _exponential
    elif (values == np.ceil(values)).all():
        write = _whole
    else:
        write = _decimal
    return max(len(write(value)) for value in values.tolist()), write


def _needs_exponents(magnitudes: np.ndarray) -> bool:
    if _options.sci_mode is not None:
        return _options.sci_mode
    largest, smallest = float(magnitudes.max()), float(magnitudes.min())
    return largest / smallest > 1000 or largest > 1e8 or smallest < 1e-4


def _whole(value: float) -> str:
    return f"{value:.0f}." if math.isfinite(value) else str(value)


def _decimal(value: float) -> str:
    return f"{value:.{_options.precision}f}"


def _exponential(value: float) -> str:
    return f"{value:.{_options.precision}e}"


# --- where the values stand


def _ends_of_dimensions(array: np.ndarray) -> np.ndarray:
    """The elements that a summary shows."""
    edge = _options.edgeitems
    for axis, size in enumerate(array.shape):
        if size > 2 * edge:
            array = np.take(array, [*range(edge), *range(size - edge, size)], axis)
    return array


def _layout(array: np.ndarray, indent: int, summarized: bool, width: int, write: Callable[[Any], str]) -> str:
    """Brackets, commas and line breaks around the values; `indent` characters stand before the first bracket."""
    if array.ndim == 0:
        return write(array.item())
    edge = _options.edgeitems
    cut = summarized and len(array) > 2 * edge
    if array.ndim == 1:
        head, tail = (array[:edge], array[len(array) - edge :]) if cut else (array, array[:0])
        items = [write(value) for value in head.tolist()]
        items += ([" ..." if edge else "..."] if cut else []) + [write(value) for value in tail.tolist()]
        per_line = max(1, int((_options.linewidth - indent) // (width + 2)))
        lines = [", ".join(items[start : start + per_line]) for start in range(0, len(items), per_line)]
        return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
    rows = range(len(array))
    before, after = (rows[:edge], rows[len(array) - edge :]) if cut else (rows, rows[:0])
    parts = [_layout(array[row], indent + 1, summarized, width, write) for row in before]
    parts += ["..."] if cut else []
    parts += [_layout(array[row], indent + 1, summarized, width, write) for row in after]
    return "[" + ("," + "\n" * (array.ndim - 1) + " " * (indent + 1)).join(parts) + "]"
