"""Powers and exponentials of matrices, cross products and Vandermonde matrices."""

import math
from typing import Any

import numpy as np

from .. import backend
from ..dtypes import find
from ..errors import ArgumentTypeError, DtypeError, ShapeError
from ..methods import attach
from ..operation import operation
from ..tensor import normalize_dim, wrap
from .composed import composed
from .diagonals import diagonal
from .linalg import matmul
from .matrices import identity_like, require_one_dtype
from .reduction import cast
from .reduction import sum as sum_
from .shape import clone
from .solving import inv, turned

# --- powers


@composed
def matrix_power(A: Any, n: int) -> Any:
    """A · A · … · A, n times, by repeated squaring; for negative n the power of the inverse.

    Arguments: A (..., m, m), n (integer). Raises ShapeError, and for negative n LinAlgError for a singular matrix.

    >>> import tinygrad_dl as tg
    >>> tg.matrix_power(tg.tensor([[1.0, 1.0], [0.0, 1.0]]), 10)
    tensor([[ 1., 10.],
            [ 0.,  1.]])
    """
    if not isinstance(n, int):
        raise ArgumentTypeError(f"matrix_power: n must be an integer, {n!r} came")
    _require_square("matrix_power", A)
    if n == 0:
        return A * 0 + wrap(identity_like(A.array, A.shape[-1]))
    if n < 0:
        A, n = inv(A), -n
    if n == 1:
        return clone(A)
    out = None
    while n:
        if n % 2:
            out = A if out is None else matmul(out, A)
        n //= 2
        if n:
            A = matmul(A, A)
    return out


def _require_square(name: str, A: Any) -> None:
    if A.ndim < 2 or A.shape[-1] != A.shape[-2]:
        raise ShapeError(f"{name}: square matrices are needed, shape {tuple(A.shape)} came")


# --- the exponential

# Below these norms a Padé approximant of this degree is exact to the dtype. Source: N. Higham, The scaling and squaring
# method for the matrix exponential revisited, 2005, table 2.3 and section 2.
_DEGREES = {
    np.dtype(np.float32): ((3, 0.4258730016922831), (5, 1.880152677804762), (7, 3.925724783138660)),
    np.dtype(np.float64): (
        (3, 0.01495585217958292),
        (5, 0.2539398330063230),
        (7, 0.9504178996162932),
        (9, 2.097847961257068),
        (13, 5.371920351148152),
    ),
}


def _coefficients(degree: int) -> list[float]:
    """Of the numerator of the Padé approximant of e^x: those of the denominator differ in sign only."""
    up = math.factorial
    return [up(2 * degree - j) * up(degree) / (up(2 * degree) * up(degree - j) * up(j)) for j in range(degree + 1)]


def _exponential(x: Any) -> Any:
    """By a quotient of polynomials, which is precise for small matrices, and squaring for others."""
    size = float(np.abs(x).sum(axis=-2).max()) if x.size else 0.0
    if not math.isfinite(size):
        return x * math.nan
    degree, most = next((pair for pair in _DEGREES[x.dtype] if size <= pair[1]), _DEGREES[x.dtype][-1])
    squarings = max(0, math.ceil(math.log2(size / most))) if size > most else 0
    x = x / 2**squarings
    coefficients, unit = _coefficients(degree), identity_like(x, x.shape[-1])
    square = np.matmul(x, x)
    even, odd, power = unit * coefficients[0], unit * coefficients[1], unit
    for j in range(2, degree + 1, 2):
        power = np.matmul(power, square) if j > 2 else square
        even = even + coefficients[j] * power
        odd = odd + coefficients[j + 1] * power
    odd = np.matmul(x, odd)
    out = np.linalg.solve(even - odd, even + odd)
    for _ in range(squarings):
        out = np.matmul(out, out)
    return out


def _exponential_rule(g: Any, A: Any) -> Any:
    """The corner of the exponential of [[Aᵀ, g], [0, Aᵀ]]."""
    n = A.shape[-1]
    return _matrix_exp(_blocks(turned(A), g))[..., :n, n:]


@operation("blocks", A=lambda g, n: g[..., :n, :n] + g[..., n:, n:], corner=lambda g, n: g[..., :n, n:])
def _blocked(A: Any, corner: Any, n: int) -> Any:
    out = backend.zeros(A, (*A.shape[:-2], 2 * n, 2 * n))
    out[..., :n, :n] = out[..., n:, n:] = A
    out[..., :n, n:] = corner
    return out


def _blocks(A: Any, corner: Any) -> Any:
    return _blocked(A, corner, A.shape[-1])


@operation("matrix_exp", A=_exponential_rule)
def _matrix_exp(A: Any) -> Any:
    return _exponential(A.astype(np.float32)).astype(A.dtype) if A.dtype == np.float16 else _exponential(A)


@composed
def matrix_exp(A: Any) -> Any:
    """The exponential of each matrix: the sum of Aⁿ / n!.

    Arguments: A (..., n, n), floating. Raises ShapeError, DtypeError.

    >>> import tinygrad_dl as tg
    >>> tg.matrix_exp(tg.tensor([[0.0, 1.0], [0.0, 0.0]]))
    tensor([[1., 1.],
            [0., 1.]])
    """
    if not find(A.dtype).is_floating_point:
        raise DtypeError(f"matrix_exp: floating numbers are needed, {A.dtype} came; use A.float()")
    _require_square("matrix_exp", A)
    return _matrix_exp(A)


# --- cross products


@operation(
    "cross", input=lambda g, other, dim: _cross(other, g, dim), other=lambda g, input, dim: _cross(g, input, dim)
)
def _cross(input: Any, other: Any, dim: int) -> Any:
    if type(input) is not type(other):
        raise TypeError("mixed devices")
    places = [(slice(None),) * dim + (i,) for i in range(3)]
    (a, b, c), (p, q, r) = [input[place] for place in places], [other[place] for place in places]
    return np.stack((b * r - c * q, c * p - a * r, a * q - b * p), dim)


def _crossed(name: str, input: Any, other: Any, dim: int) -> Any:
    require_one_dtype(name, input=input, other=other)
    if find(input.dtype).category == 0:
        raise DtypeError(f"{name}: bools have no product; convert them first, for example with .int()")
    if input.ndim != other.ndim:
        raise ShapeError(
            f"{name}: both must have as many dimensions, shapes {tuple(input.shape)} and {tuple(other.shape)} came"
        )
    dim = normalize_dim(name, dim, input.ndim)
    if input.ndim == 0 or input.shape[dim] != 3 or other.shape[dim] != 3:
        raise ShapeError(
            f"{name}: dimension {dim} must have size 3 in both, {tuple(input.shape)} and {tuple(other.shape)} came"
        )
    return _cross(input, other, dim)


@composed
def linalg_cross(input: Any, other: Any, *, dim: int = -1) -> Any:
    """The cross product of vectors of 3 elements along `dim`: perpendicular to both.

    Arguments: input, other (tensors of one dtype that broadcast and have size 3 at dim). Raises ShapeError, DtypeError.

    >>> import tinygrad_dl as tg
    >>> tg.linalg.cross(tg.tensor([1.0, 0.0, 0.0]), tg.tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """
    return _crossed("cross", input, other, dim)


@composed
def cross(input: Any, other: Any, dim: int | None = None) -> Any:
    """The cross product of vectors of 3 elements along `dim`, by default the first dimension of size 3.

    Arguments: input, other (tensors of one dtype that broadcast). Raises ShapeError, DtypeError.

    >>> import tinygrad_dl as tg
    >>> tg.cross(tg.tensor([1.0, 0.0, 0.0]), tg.tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """
    if dim is None:
        dim = next((i for i, n in enumerate(input.shape) if n == 3), None)
        if dim is None:
            raise ShapeError(f"cross: no dimension of shape {tuple(input.shape)} has size 3")
    return _crossed("cross", input, other, dim)


# --- diagonals and Vandermonde matrices


@composed
def linalg_diagonal(A: Any, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """The diagonal of each matrix, as a new last dimension; a view. As `diagonal`, but of the last two dimensions.

    >>> import tinygrad_dl as tg
    >>> tg.linalg.diagonal(tg.tensor([[[1, 2], [3, 4]]]))
    tensor([[1, 4]])
    """
    return diagonal(A, offset, dim1, dim2)


@operation("vander", x=lambda g, x, exponents: sum_(g[..., 1:] * exponents * _powers(x, exponents[:-1]), -1))
def _powers(x: Any, exponents: Any) -> Any:
    """The powers of each element from 0 to the last exponent."""
    out = backend.zeros(x, (*x.shape, len(exponents) + 1))
    out[..., 0] = 1
    for i in range(len(exponents)):
        np.multiply(out[..., i], x, out=out[..., i + 1])
    return out


@composed
def linalg_vander(x: Any, N: int | None = None) -> Any:
    """For each element a row of its powers: 1, x, x², …, xᴺ⁻¹.

    Arguments: x (..., n), N (at least 2; n if None). Returns (..., n, N). Raises ShapeError for N < 2, DtypeError.

    >>> import tinygrad_dl as tg
    >>> tg.linalg.vander(tg.tensor([2, 3]), N=3)
    tensor([[1, 2, 4],
            [1, 3, 9]])
    """
    kind = find(x.dtype)
    if kind.category == 0 or (kind.itemsize < 4 and kind.is_floating_point):
        raise DtypeError(f"vander: integers, float32 or float64 are needed, {kind.name} came; use x.float()")
    n = (x.shape[-1] if x.ndim else 1) if N is None else N
    if n < 2:
        raise ShapeError(f"vander: N must be at least 2, {n} came")
    if not kind.is_floating_point:
        x = cast(x, np.dtype(np.int64))
    return _powers(x, backend.array_module(x.array).arange(1, n).astype(x.array.dtype))


attach(matrix_power, matrix_exp, cross)
