"""Elementwise functions of big arrays, one block after the other, so that their temporaries stay in the cache."""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..arguments import written
from ..backend import HOST

BLOCK = 1 << 15  # elements: 128 KB of float32; half as many cost a fifth more time, twice as many gain nothing
_add: Any = np.add.reduce
_HALF, _SINGLE = np.dtype(np.float16), np.dtype(np.float32)


def blockwise(
    function: Callable[..., Any], fill: Callable[..., None] | None = None, wide: bool = True
) -> Callable[..., Any]:
    """An elementwise function that allocates its result and blocks only; it may be a forward or a rule.

    Big NumPy arrays pass through it block by block. Everything else (small arrays, those of other devices, Tensors,
    Symbols) meets the function itself. fill: the same function of a block of the result, into which it writes, and of
    the arguments; it saves a copy. wide: float16 is computed in float32, as PyTorch does in one operation.
    """
    code = function.__code__
    arguments = ", ".join(code.co_varnames[: code.co_argcount])
    first = code.co_varnames[0]

    def in_single(*values: Any) -> Any:
        singles = [value.astype(_SINGLE) if getattr(value, "dtype", None) is _HALF else value for value in values]
        out = function(*singles)
        return out.astype(_HALF) if out.dtype is _SINGLE else out

    def run(*values: Any) -> Any:
        compute = in_single if wide and values[0].dtype is _HALF else function
        many = type(values[0]) is HOST and values[0].size > BLOCK
        return _in_blocks(compute, values, fill if compute is function else None) if many else compute(*values)

    # From the function's own names, so that the plan of an operation finds them; small arrays pay for three looks.
    small = f"{first}.size <= BLOCK and {first}.dtype is not HALF"
    usual = f'({small} if type({first}) is HOST else getattr({first}, "dtype", None) is not HALF)'
    names = {"function": function, "run": run, "HOST": HOST, "BLOCK": BLOCK, "HALF": _HALF}
    made = written(f"lambda {arguments}: function({arguments}) if {usual} else run({arguments})", __name__, **names)
    made.__defaults__ = function.__defaults__
    return functools.update_wrapper(made, function)


def _in_blocks(function: Callable[..., Any], values: tuple[Any, ...], fill: Any = None) -> Any:
    """The function on arrays that broadcast to the shape of the first or a larger one, and on options."""
    arrays = [value for value in values if type(value) is HOST]
    trial = function(*[np.empty(0, value.dtype) if type(value) is HOST else value for value in values])
    out = np.empty(np.broadcast_shapes(*[array.shape for array in arrays]), trial.dtype)
    roles: Any = [["readonly"]] * len(arrays) + [["writeonly"]]
    flags: Any = ["external_loop", "buffered"]
    with np.nditer([*arrays, out], flags, roles, order="C", buffersize=BLOCK) as blocks:
        for *parts, result in blocks:
            given = iter(parts)
            arguments = [next(given) if type(value) is HOST else value for value in values]
            if fill is None:
                result[...] = function(*arguments)
            else:
                fill(result, *arguments)
    return out


def rowwise(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of arrays of one shape along their dimension `dim` that allocates its result and blocks only.

    The result has as many rows, which may have another length. Big NumPy arrays pass through it a few rows at a time
    where `dim` is the last; everything else meets the function.
    """
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]
    at = names.index("dim")

    def run(*values: Any) -> Any:
        first, dim = values[0], values[at]
        if type(first) is HOST and first.size > BLOCK and dim in (-1, first.ndim - 1):
            arrays = [value for value in values if type(value) is HOST]
            if all(array.flags.c_contiguous and array.shape == first.shape for array in arrays):
                return _in_rows(function, values, at)
        return function(*values)

    made = written(f"lambda {', '.join(names)}: run({', '.join(names)})", __name__, run=run)
    return functools.update_wrapper(made, function)


def _in_rows(function: Callable[..., Any], values: tuple[Any, ...], dim: int) -> Any:
    shape = values[0].shape
    matrices = [value.reshape(-1, shape[-1]) if type(value) is HOST else value for value in values]
    matrices[dim] = 1
    count = max(BLOCK // shape[-1], 1)
    out: Any = None
    for start in range(0, len(matrices[0]), count):
        rows = slice(start, start + count)
        part = function(*[value[rows] if type(value) is HOST else value for value in matrices])
        if out is None:
            out = np.empty((*shape[:-1], part.shape[1]), part.dtype)
        out.reshape(-1, part.shape[1])[rows] = part
    return out


def block_sums(function: Callable[[Any, Any], Any], x: Any, y: Any, axis: Any, keepdims: bool) -> Any:
    """The sums along an axis (None: of all) of a function of an array and of y, which has size 1 along that axis.

    Big NumPy arrays in row-major order pass through the function block by block.
    """
    if not (type(x) is HOST and x.size > BLOCK and x.flags.c_contiguous and (axis is None or type(axis) is int)):
        return _add(function(x, y), axis, None, None, keepdims)
    at = 0 if axis is None else axis % x.ndim
    n, inner = (x.size, 1) if axis is None else (x.shape[at], math.prod(x.shape[at + 1 :]))
    cubes, fixed = x.reshape(-1, n, inner), y.reshape(-1, 1, inner)
    sums = np.zeros(fixed.shape)
    outer, height = max(BLOCK // (n * inner), 1), max(BLOCK // inner, 1)
    for i in range(0, len(cubes), outer):
        for j in range(0, n, height):
            part = function(cubes[i : i + outer, j : j + height], fixed[i : i + outer])
            sums[i : i + outer] += _add(part, 1, None, None, True)
    shape = y.shape if keepdims else () if axis is None else (*y.shape[:at], *y.shape[at + 1 :])
    return sums.astype(x.dtype).reshape(shape)


def chosen(condition: Any, x: Any, y: Any) -> Any:
    """x where the condition holds, else y, which meet in one dtype; on big NumPy arrays by their bits, in blocks.

    NumPy's own `where` takes five times as long when nobody can guess the condition.
    """
    if type(condition) is not HOST or condition.size < 2048:
        return np.where(condition, x, y)
    return (_in_blocks if condition.size > BLOCK else _at_once)(_by_bits, (condition, x, y))


def masked(g: Any, condition: Any) -> Any:
    """g where the condition holds, else 0, also where g is infinite or NaN; of NumPy arrays by their bits."""
    if isinstance(g, np.generic) and isinstance(condition, np.bool_):  # np.where takes ten times as long
        return g if condition else g.dtype.type(0)
    bits = _BITS.get(g.dtype) if type(g) is type(condition) is HOST else None
    if bits is None or g.shape != condition.shape:
        return np.where(condition, g, 0.0)
    chosen = condition.astype(bits)
    chosen *= g.view(bits)  # by 1 all bits stay, by 0 none
    return chosen.view(g.dtype)


_BITS: dict[Any, Any] = {np.dtype(f"f{size}"): np.dtype(f"i{size}") for size in (2, 4, 8)}


def _at_once(function: Callable[..., Any], values: tuple[Any, ...]) -> Any:
    return function(*values)


def _by_bits(condition: Any, x: Any, y: Any) -> Any:
    dtype = x.dtype if hasattr(x, "dtype") else y.dtype
    bits = f"i{dtype.itemsize}"
    mask = condition.astype(bits)
    np.negative(mask, out=mask)  # all bits set, or none
    a, b = [(v if hasattr(v, "dtype") else dtype.type(v)).view(bits) for v in (x, y)]
    if np.isscalar(y) and b == 0:
        return (a & mask).view(dtype)
    return (((a ^ b) & mask) ^ b).view(dtype)


def polynomial(x: Any, *coefficients: float) -> Any:
    """c0 + c1 x + c2 x² + ... by Horner's rule; on arrays in one new array."""
    out = x * coefficients[-1]
    for c in coefficients[-2:0:-1]:
        out += c
        out *= x
    out += coefficients[0]
    return out
