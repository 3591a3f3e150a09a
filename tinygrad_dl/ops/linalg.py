"""Products of matrices. Source: notes, sections 1.6 and 1.9: dW = dZ Aᵀ, dA = Wᵀ dZ."""

import functools
import math
from typing import Any

import numpy as np

from .. import backend
from ..backend import HOST
from ..errors import ArgumentError, ArgumentTypeError, DtypeError, ShapeError
from ..methods import attach
from ..operation import operation, promote_arguments
from ..outputs import into
from ..tensor import NUMPY, Tensor
from .composed import composed
from .editing import attach_operator
from .matrices import require_dims, require_one_dtype
from .shape import reshape, squeeze, transpose, unsqueeze


def _rows(x: Any) -> Any:
    """All leading dimensions as one: the examples of a batch as the rows of a matrix."""
    return x if x.ndim == 2 else reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))


def first_rule(g: Any, input_shape: Any, other: Any) -> Any:
    if len(input_shape) == 1:
        if other.ndim == 1:
            return g * other
        return matmul(other, g) if other.ndim == 2 else squeeze(matmul(other, unsqueeze(g, -1)), -1)
    if other.ndim == 1:
        return unsqueeze(g, -1) * other
    return matmul(g, other.T if other.ndim == 2 else transpose(other, -2, -1))


def second_rule(g: Any, input: Any, other_shape: Any) -> Any:
    if len(other_shape) == 1:
        return g * input if input.ndim == 1 else matmul(_rows(input).T, reshape(g, (-1,)))
    if input.ndim == 1:
        return unsqueeze(input, -1) * unsqueeze(g, -2)
    if len(other_shape) == 2:
        return matmul(_rows(input).T, _rows(g))
    return matmul(transpose(input, -2, -1), g)


@operation("matmul", input=first_rule, other=second_rule)
def matmul(input: Any, other: Any) -> Any:
    """The product of two matrices, of batches of matrices, or with vectors; what `@` does.

    Arguments: input (..., n, k), other (..., k, m) of one dtype, 1-d for vectors; batch dimensions broadcast. d input =
    g otherᵀ, d other = inputᵀ g. Raises ShapeError when the inner sizes differ and for 0-d tensors, DtypeError for two
    dtypes. Source: notes, section 1.6.

    >>> import tinygrad_dl as tg
    >>> tg.matmul(tg.tensor([[1.0, 2.0]]), tg.tensor([[3.0], [4.0]]))
    tensor([[11.]])
    """
    if input.ndim == 0 or other.ndim == 0:
        raise ShapeError(
            f"matmul: vectors and matrices have dimensions, shapes {tuple(input.shape)} and {tuple(other.shape)} came; "
            "use * for numbers"
        )
    if input.dtype is not other.dtype:
        raise DtypeError(
            f"matmul: both must have one dtype, {input.dtype} and {other.dtype} came; convert one, for example with "
            "other.to(input.dtype)"
        )
    if input.shape[-1] != other.shape[-2 if other.ndim > 1 else 0]:
        raise ShapeError(f"matmul: {fit(input.shape, other.shape)}")
    return product(input, other)


def product(x: Any, y: Any) -> Any:
    """The product of arrays; float16 in float32."""
    if x.dtype not in _MULTIPLIED_AS_THEY_ARE:
        if x.dtype.kind == "b":
            raise DtypeError("matmul: bool matrices have no product; convert them first, for example with .float()")
        if x.dtype.kind == "f":
            return np.matmul(x.astype(np.float32), y.astype(np.float32)).astype(x.dtype)
    if x.ndim <= 2 and y.ndim <= 2:
        return x.dot(y)
    if y.ndim <= 2 and x.ndim > 2 and x.flags.c_contiguous:  # one product instead of one for each matrix
        return x.reshape(math.prod(x.shape[:-1]), x.shape[-1]).dot(y).reshape(x.shape[:-1] + y.shape[1:])
    return np.matmul(x, y)


_MULTIPLIED_AS_THEY_ARE = (np.dtype(np.float32), np.dtype(np.float64))  # a tuple: it is searched by identity first


def fit(first: tuple[int, ...], second: tuple[int, ...]) -> str:
    inner = second[-2] if len(second) > 1 else second[0]
    return (
        f"shapes {tuple(first)} and {tuple(second)} can't be multiplied: the last dimension of the first ({first[-1]}) "
        f"must equal the {'second last' if len(second) > 1 else 'only'} dimension of the second ({inner})"
    )


def _linear_input_rule(g: Any, weight: Any) -> Any:
    if weight.ndim == g.ndim == 2 and type(g) is HOST:
        return g.dot(weight)  # NumPy starts it in half the time of `@`
    return g @ weight if weight.ndim == 2 else unsqueeze(g, -1) * weight


def _linear_weight_rule(g: Any, input: Any) -> Any:
    if g.ndim == input.ndim == 2 and type(g) is HOST:
        return g.T.dot(input)
    return _rows(g).T @ _rows(input) if g.ndim == input.ndim else reshape(g, (-1,)) @ _rows(input)


@operation(input=_linear_input_rule, weight=_linear_weight_rule, bias=lambda g: g)
def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """input · weightᵀ + bias: one layer of a network, examples as rows.

    Arguments: input (..., in), weight (out, in), bias (out) or None, of one dtype. Returns (..., out). d weight = gᵀ
    input, d input = g weight, d bias = the sum of g over the examples. Raises ShapeError, DtypeError. Source: notes,
    section 4, N100.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.linear(tg.tensor([1.0, 2.0]), tg.tensor([[3.0, 4.0]]), tg.tensor([0.5]))
    tensor([11.5000])
    """
    if input.dtype is not weight.dtype or (bias is not None and bias.dtype is not weight.dtype):
        kinds = ", ".join(
            f"{name} {x.dtype}" for name, x in (("input", input), ("weight", weight), ("bias", bias)) if x is not None
        )
        raise DtypeError(
            f"linear: all must have one dtype, {kinds} came; convert the input, for example with input.to(weight.dtype)"
        )
    if input.ndim == 0 or input.shape[-1] != weight.shape[-1] or weight.ndim > 2:
        raise ShapeError(
            f"linear: input {tuple(input.shape)} does not fit weight {tuple(weight.shape)}: its last size must be "
            "weight's last, in (..., in) and (out, in)"
        )
    out = product(input, weight.T)
    if bias is None:
        return out
    if out.ndim == 0 or bias.ndim > 1:
        return out + bias
    try:
        out += bias
    except ValueError:
        raise ShapeError(
            f"linear: bias {tuple(bias.shape)} does not fit weight {tuple(weight.shape)}: it must be "
            f"{tuple(weight.shape[:-1])}"
        ) from None
    return out


@composed
def mm(input: Any, mat2: Any) -> Any:
    """The product of two matrices (n, k) and (k, m), without broadcasting. Raises ShapeError for other shapes.

    >>> import tinygrad_dl as tg
    >>> tg.mm(tg.tensor([[1.0, 2.0]]), tg.tensor([[3.0], [4.0]]))
    tensor([[11.]])
    """
    if input.ndim != 2 or mat2.ndim != 2:
        raise ShapeError(
            f"mm: both must be matrices, shapes {tuple(input.shape)} and {tuple(mat2.shape)} came; matmul takes "
            "batches and vectors"
        )
    return matmul(input, mat2)


@operation(
    input=lambda g, mat2: matmul(g, transpose(mat2, -2, -1)), mat2=lambda g, input: matmul(transpose(input, -2, -1), g)
)
def bmm(input: Any, mat2: Any) -> Any:
    """The products of two batches of matrices (b, n, k) and (b, k, m), without broadcasting.

    Raises ShapeError for other shapes, DtypeError for two dtypes.

    >>> import tinygrad_dl as tg
    >>> tg.bmm(tg.ones(5, 2, 3), tg.ones(5, 3, 4)).shape
    tinygrad_dl.Size([5, 2, 4])
    """
    require_batches("bmm", input, mat2)
    if input.dtype is not mat2.dtype:
        require_one_dtype("bmm", input=input, mat2=mat2)
    return product(input, mat2)


def require_batches(name: str, first: Any, second: Any) -> None:
    """Raise unless two arrays are batches of as many matrices that can be multiplied."""
    a, b = first.shape, second.shape
    if len(a) != 3 or len(b) != 3:
        require_dims(name, 3, **{"the first": first, "the second": second})
    if a[0] != b[0]:
        raise ShapeError(f"{name}: both batches must have one size, {tuple(a)} and {tuple(b)} came; matmul broadcasts")
    if a[2] != b[1]:
        raise ShapeError(f"{name}: {fit(a, b)}")


@composed
def mv(input: Any, vec: Any) -> Any:
    """The product of a matrix (n, k) and a vector (k). Raises ShapeError for other shapes, DtypeError for two dtypes.

    >>> import tinygrad_dl as tg
    >>> tg.mv(tg.tensor([[1.0, 2.0]]), tg.tensor([3.0, 4.0]))
    tensor([11.])
    """
    if input.ndim != 2 or vec.ndim != 1:
        require_dims("mv", 2, input=input)
        require_dims("mv", 1, vec=vec)
    return matmul(input, vec)


@composed
def dot(input: Any, tensor: Any) -> Any:
    """The sum of the products of two vectors of one length. Raises ShapeError for other shapes.

    >>> import tinygrad_dl as tg
    >>> tg.dot(tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0]))
    tensor(11.)
    """
    if input.ndim != 1 or tensor.ndim != 1:
        raise ShapeError(
            f"dot: both must be vectors, shapes {tuple(input.shape)} and {tuple(tensor.shape)} came; matmul takes "
            "matrices"
        )
    return matmul(input, tensor)


@composed
def vdot(input: Any, other: Any) -> Any:
    """The sum of the products of two vectors of one length, as `dot`; they would differ for complex numbers.

    >>> import tinygrad_dl as tg
    >>> tg.vdot(tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0]))
    tensor(11.)
    """
    require_dims("vdot", 1, input=input, other=other)
    return matmul(input, other)


@operation(promote="same", input=lambda g, vec2: matmul(g, vec2), vec2=lambda g, input: matmul(input, g))
def outer(input: Any, vec2: Any) -> Any:
    """The matrix of all products of an element of one vector with one of the other: (n), (m) to (n, m).

    Mixed dtypes are promoted. Raises ShapeError for other than vectors.

    >>> import tinygrad_dl as tg
    >>> tg.outer(tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0]))
    tensor([[3., 4.],
            [6., 8.]])
    """
    if input.ndim != 1 or vec2.ndim != 1:
        require_dims("outer", 1, input=input, vec2=vec2)
    if input.size * vec2.size > MANY:  # a product of NumPy's would start a loop for each row
        return np.einsum("i,j->ij", input, vec2)
    return input[:, None] * vec2


MANY = 32768


# --- products of many matrices


@functools.lru_cache(1000)
def _cheapest(sizes: tuple[int, ...]) -> dict[tuple[int, int], int]:
    """For the product of matrices i to j, of `sizes` (rows of each, columns of the last): after which one to cut it."""
    cost, cut = {(i, i): 0 for i in range(len(sizes) - 1)}, {}
    for length in range(2, len(sizes)):
        for i in range(len(sizes) - length):
            j = i + length - 1
            options = [(cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)]
            cost[i, j], cut[i, j] = min(options)
    return cut


def _chain(matrices: Any) -> Any:
    cut = _cheapest((*[m.shape[0] for m in matrices], matrices[-1].shape[1]))
    return _part(matrices, cut, 0, len(matrices) - 1)


def _part(matrices: Any, cut: Any, i: int, j: int) -> Any:
    """The product of the matrices i to j. (An inner function that calls itself would be a cycle that holds them.)"""
    if i == j:
        return matrices[i]
    return matmul(_part(matrices, cut, i, cut[i, j]), _part(matrices, cut, cut[i, j] + 1, j))


def _require_chain(name: str, tensors: Any) -> None:
    if not isinstance(tensors, list | tuple):
        raise ArgumentTypeError(f"{name}: a list of tensors is needed, {type(tensors).__name__} came")
    for i, tensor in enumerate(tensors):
        if not isinstance(tensor, Tensor):
            raise ArgumentTypeError(f"{name}: element {i} must be a Tensor, {type(tensor).__name__} came")


def chain_matmul(*matrices: Any, out: Any = None) -> Any:
    """The product of matrices in the order that takes the fewest multiplications.

    Arguments: matrices (n₀, n₁), (n₁, n₂), … Raises ShapeError for sizes that don't fit, ArgumentError for none. An
    older name of `linalg.multi_dot`.

    >>> import tinygrad_dl as tg
    >>> tg.chain_matmul(tg.ones(2, 3), tg.ones(3, 4), tg.ones(4, 5)).shape
    tinygrad_dl.Size([2, 5])
    """
    if not matrices:
        raise ArgumentError("chain_matmul: at least one matrix is needed")
    if out is not None:
        return into(out, chain_matmul, matrices, {})
    _require_chain("chain_matmul", matrices)
    require_dims("chain_matmul", 2, **{f"matrix {i}": matrix for i, matrix in enumerate(matrices)})
    return _chain(matrices)


@composed
def multi_dot(tensors: Any) -> Any:
    """The product of matrices in the order that takes the fewest multiplications; the first and last may be vectors.

    Arguments: tensors (a list of at least two, of one dtype). A vector that comes first is a row, one that comes last a
    column; the result has no dimension for it. Raises ShapeError for sizes that don't fit, ArgumentError for fewer.

    >>> import tinygrad_dl as tg
    >>> tg.linalg.multi_dot([tg.ones(2, 3), tg.ones(3, 4), tg.ones(4)]).shape
    tinygrad_dl.Size([2])
    """
    _require_chain("multi_dot", tensors)
    n = len(tensors)
    if n < 2:
        raise ArgumentError(f"multi_dot: at least two tensors are needed, {n} came")
    require_one_dtype("multi_dot", **{f"tensor {i}": tensor for i, tensor in enumerate(tensors)})
    first, last = tensors[0], tensors[-1]
    matrices = [
        unsqueeze(first, 0) if first.ndim == 1 else first,
        *tensors[1:-1],
        unsqueeze(last, 1) if last.ndim == 1 else last,
    ]
    require_dims("multi_dot", 2, **{f"tensor {i}": matrix for i, matrix in enumerate(matrices)})
    out = _chain(matrices)
    out = squeeze(out, -1) if last.ndim == 1 else out
    return squeeze(out, 0) if first.ndim == 1 else out


def _operand_matmul(input: Any, other: Any) -> Any:
    """`@`: two tensors must have one dtype; an array of NumPy's meets the tensor in the wider one, as in NumPy."""
    if not (isinstance(input, Tensor) and isinstance(other, Tensor)):
        if isinstance(input, Tensor) or isinstance(other, Tensor):
            _require_matrices(input, other)
            input, other = promote_arguments(_MEETING, (input, other))
    return matmul(input, other)


def _require_matrices(*operands: Any) -> None:
    for operand in operands:
        if not isinstance(operand, Tensor) and not backend.is_array(operand):
            raise ArgumentTypeError(
                f"matmul: both must be tensors or arrays, {type(operand).__name__} came; use * for numbers, or convert "
                "it with tinygrad_dl.tensor(...)"
            )


def _numpy_dot(a: Any, b: Any) -> Any:
    """np.dot: a product of numbers, vectors or matrices."""
    if getattr(a, "ndim", 0) == 0 or getattr(b, "ndim", 0) == 0:
        return a * b
    return _operand_matmul(a, b)


_MEETING = operation("matmul", promote="same", input=None, other=None)(lambda input, other: None).operation  # type: ignore[attr-defined]

attach(matmul, mm, bmm, mv, dot, vdot, outer, ger=outer)
attach_operator("matmul", _operand_matmul, in_place=False)
NUMPY.update({np.matmul: _operand_matmul, np.dot: _numpy_dot})
