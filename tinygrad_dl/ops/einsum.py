"""Products and sums over named dimensions: einsum and what is written with it.

An equation is taken apart into pairs. A pair is one operation, which lays its operands out as a batch of matrices and
multiplies those; the derivative of a pair is a pair again. Dimensions under an ellipsis get Greek letters.
"""

import functools
import math
import string
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..dtypes import find, promote_types
from ..errors import ArgumentError, ArgumentTypeError, DtypeError, ShapeError
from ..explain import explain
from ..methods import attach
from ..operation import operation
from ..tensor import Tensor, normalize_dim
from .composed import composed
from .diagonals import diagonal
from .elementwise import mul
from .linalg import matmul, product
from .matrices import require_floating, require_one_dtype
from .reduction import cast
from .reduction import sum as sum_
from .shape import dims_of, permute, reshape

LETTERS = string.ascii_uppercase + string.ascii_lowercase  # of sublists: 0 is A, 51 is z
_GREEK = 0x3B1  # the first of the letters for dimensions under an ellipsis

# --- one pair


class _Layout(NamedTuple):
    """How a pair becomes a product of matrices: (batch, rows, inner) times (batch, inner, columns)."""

    first: tuple[int, ...]  # the order of the first operand's dimensions
    second: tuple[int, ...]
    batch: int  # how many dimensions are in both operands and the result
    rows: int  # in the first operand and the result
    inner: int  # in both operands
    order: tuple[int, ...] | None  # of the result's dimensions, which come as batch, rows, columns
    aligned: tuple[Any, Any]  # without inner ones: the indices that give both operands the result's dimensions


@functools.lru_cache(1000)
def _layout(equation: str) -> _Layout:
    operands, _, out = equation.partition("->")
    first, _, second = operands.partition(",")
    batch = [c for c in out if c in first and c in second]
    rows = [c for c in out if c in first and c not in second]
    columns = [c for c in out if c not in first]
    inner = [c for c in first if c in second and c not in out]
    natural = [*batch, *rows, *columns]
    aligned = [
        (tuple([x.index(c) for c in out if c in x]), tuple([slice(None) if c in x else None for c in out]))
        for x in (first, second)
    ]
    return _Layout(
        tuple([first.index(c) for c in (*batch, *rows, *inner)]),
        tuple([second.index(c) for c in (*batch, *inner, *columns)]),
        len(batch),
        len(rows),
        len(inner),
        None if natural == list(out) else tuple([natural.index(c) for c in out]),
        (aligned[0], aligned[1]),
    )


def _for_first(equation: str) -> str:
    """The equation of the first operand's derivative, from the result's and the second operand."""
    operands, _, out = equation.partition("->")
    first, _, second = operands.partition(",")
    return f"{out},{second}->{first}"


def _for_second(equation: str) -> str:
    operands, _, out = equation.partition("->")
    first, _, second = operands.partition(",")
    return f"{first},{out}->{second}"


@operation(
    "einsum",
    input=lambda g, other, equation: contract(g, other, _for_first(equation)),
    other=lambda g, input, equation: contract(input, g, _for_second(equation)),
)
def contract(input: Any, other: Any, equation: str) -> Any:
    """The product of two operands in which each letter stands once and is also in the other or in the result."""
    plan = _layout(equation)
    if not plan.inner:
        (order, index), (other_order, other_index) = plan.aligned
        return input.transpose(order)[index] * other.transpose(other_order)[other_index]
    if input.dtype is not other.dtype:
        raise DtypeError(
            f"einsum: all operands must have one dtype, {input.dtype} and {other.dtype} came; convert one, for example "
            "with .to(...)"
        )
    x, y = input.transpose(plan.first), other.transpose(plan.second)
    batch, middle = plan.batch, plan.batch + plan.rows
    shape, outer = x.shape[:middle], y.shape[batch + plan.inner :]
    if plan.rows != 1 or plan.inner != 1:
        x = x.reshape((*x.shape[:batch], math.prod(x.shape[batch:middle]), math.prod(x.shape[middle:])))
    if len(outer) != 1 or plan.inner != 1:
        y = y.reshape((*y.shape[:batch], x.shape[-1], math.prod(outer)))
    out = product(x, y)
    if plan.rows != 1 or len(outer) != 1:
        out = out.reshape(shape + outer)
    return out if plan.order is None else out.transpose(plan.order)


# --- one operand


def _diagonals(x: Any, labels: str) -> tuple[Any, str]:
    """An operand without repeated letters: of these only the elements with equal indices are left."""
    for c in dict.fromkeys(labels):
        while labels.count(c) > 1:
            x = diagonal(x, 0, labels.index(c), labels.rindex(c))
            labels = labels.replace(c, "", 1)[::-1].replace(c, "", 1)[::-1] + c
    return x, labels


def _summed(x: Any, labels: str, kept: Any) -> tuple[Any, str]:
    """An operand summed over the letters that are needed nowhere else."""
    lost = tuple([i for i, c in enumerate(labels) if c not in kept])
    return (sum_(x, lost), "".join(c for c in labels if c in kept)) if lost else (x, labels)


# --- equations


def _split_term(term: str, i: int, ndim: int) -> tuple[str, str, str]:
    """The letters of an operand before its ellipsis, those that the ellipsis stands for, and those behind it."""
    before, dots, after = term.partition("...")
    if "." in before + after:
        raise ArgumentError(f"einsum: operand {i} has a '.' in {term!r} that belongs to no ellipsis, or a second one")
    known = len(before) + len(after)
    if known > ndim or (known < ndim and not dots):
        raise ShapeError(
            f"einsum: operand {i} has {ndim} dimension(s), its letters {term!r} name {known}; "
            + ("name fewer" if known > ndim else "name each, or write ... for the rest")
        )
    return before, "".join(chr(_GREEK + n) for n in reversed(range(ndim - known))), after


@functools.lru_cache(1000)
def _parse(equation: str, ndims: tuple[int, ...]) -> tuple[list[str], str]:
    """The letters of each operand and of the result, one for each dimension."""
    text = equation.replace(" ", "")
    left, arrow, right = text.partition("->")
    for i, c in enumerate(left + right):
        if c not in LETTERS and c not in ".,":
            raise ArgumentError(f"einsum: {c!r} (character {i}) in {equation!r} is no letter; letters are a-z and A-Z")
    terms = left.split(",")
    if len(terms) != len(ndims):
        raise ArgumentError(
            f"einsum: {equation!r} names {len(terms)} operand(s), {len(ndims)} came; give each its letters, "
            "separated by commas"
        )
    parts = [_split_term(term, i, ndim) for i, (term, ndim) in enumerate(zip(terms, ndims, strict=True))]
    labels = ["".join(part) for part in parts]
    dots = max((part[1] for part in parts), key=len)
    if not arrow:
        letters = "".join(before + after for before, _, after in parts)
        return labels, dots + "".join(sorted(c for c in letters if letters.count(c) == 1))
    before, ellipsis, after = right.partition("...")
    if "." in before + after or "," in right:
        raise ArgumentError(f"einsum: the result {right!r} may have letters and one ellipsis only")
    for c in before + after:
        if right.count(c) > 1:
            raise ArgumentError(f"einsum: {c!r} stands more than once in the result of {equation!r}")
        if c not in left:
            raise ArgumentError(f"einsum: {c!r} of the result is in no operand of {equation!r}")
    return labels, before + (dots if ellipsis else "") + after


def _sizes(operands: Sequence[Any], labels: list[str]) -> dict[str, int]:
    """The size of each letter; size 1 goes with all others but those of the same operand."""
    sizes: dict[str, tuple[int, int]] = {}
    for i, (x, names) in enumerate(zip(operands, labels, strict=True)):
        inside: dict[str, int] = {}
        for c, n in zip(names, x.shape, strict=True):
            if inside.setdefault(c, n) != n:
                raise ShapeError(
                    f"einsum: {c!r} stands twice at operand {i}, shape {tuple(x.shape)}, for {inside[c]} and {n}, "
                    "which must agree"
                )
            known, first = sizes.get(c, (1, i))
            if known not in (1, n) and n != 1:
                raise ShapeError(
                    f"einsum: {c!r} has size {n} at operand {i} (shape {tuple(x.shape)}) and {known} at operand "
                    f"{first}; equal sizes, or 1, would work"
                )
            sizes[c] = (known, first) if n == 1 and known != 1 else (n, i)
    return {c: n for c, (n, _) in sizes.items()}


def _without_ones(x: Any, labels: str, sizes: dict[str, int]) -> tuple[Any, str]:
    """An operand without the dimensions of size 1 that are larger at another one."""
    kept = [i for i, c in enumerate(labels) if x.shape[i] == sizes[c]]
    if len(kept) == len(labels):
        return x, labels
    return reshape(x, tuple([x.shape[i] for i in kept])), "".join(labels[i] for i in kept)


@functools.lru_cache(1000)
def _path(labels: tuple[str, ...], shapes: tuple[tuple[int, ...], ...], out: str) -> tuple[tuple[int, ...], ...]:
    """In which order pairs are multiplied so that little is to do: NumPy's choice."""
    names = dict(zip(dict.fromkeys("".join(labels)), LETTERS))  # NumPy knows these only
    if len(labels) < 3 or len(names) < len(set("".join(labels))):
        return ((0, 1),) * (len(labels) - 1)
    translated = [",".join("".join(names[c] for c in x) for x in labels), "".join(names[c] for c in out)]
    stand_ins = [np.broadcast_to(0.0, shape) for shape in shapes]
    kind: Any = "optimal" if len(labels) < 6 else "greedy"
    return tuple(np.einsum_path("->".join(translated), *stand_ins, optimize=kind)[0][1:])


def _multiplied(first: tuple[Any, str], second: tuple[Any, str], needed: str, out: str | None) -> tuple[Any, str]:
    """The product of two operands, summed over what nothing else needs; in the order `out` if that is known."""
    (x, a), (y, b) = first, second
    x, a = _summed(x, a, needed + b)
    y, b = _summed(y, b, needed + a)
    result = "".join(dict.fromkeys(c for c in a + b if c in needed)) if out is None else out
    both = dict.fromkeys(a + b)
    if x.dtype != y.dtype and len(both) == len(result):  # nothing is summed
        kind = promote_types(x.dtype, y.dtype).numpy
        x, y = cast(x, kind), cast(y, kind)
    return contract(x, y, f"{a},{b}->{result}"), result


@functools.lru_cache(1000)
def _direct(labels: tuple[str, ...], shapes: tuple[tuple[int, ...], ...], out: str) -> str | None:
    """The equation of two operands that are a pair as they came, None for others."""
    if len(labels) != 2 or any(len(set(names)) < len(names) for names in labels):
        return None
    a, b = labels
    first, second = (dict(zip(names, shape, strict=True)) for names, shape in zip(labels, shapes, strict=True))
    fit = first | second == second | first
    whole = all(c in out or (c in a and c in b) for c in a + b)
    return f"{a},{b}->{out}" if fit and whole and set(a) & set(b) - set(out) else None


def _evaluated(operands: Sequence[Any], labels: list[str], out: str) -> Any:
    sizes = _sizes(operands, labels)
    terms = []
    for x, names in zip(operands, labels, strict=True):
        if len(set(names)) < len(names):
            x, names = _diagonals(x, names)
        terms.append(_without_ones(x, names, sizes))
    path = _path(tuple([names for _, names in terms]), tuple([tuple(x.shape) for x, _ in terms]), out)
    for step in path:
        chosen = [terms[i] for i in step]
        terms = [term for i, term in enumerate(terms) if i not in step]
        for place, second in enumerate(chosen[1:], 2):
            others = [names for _, names in (*terms, *chosen[place:])]
            chosen[0] = _multiplied(chosen[0], second, out + "".join(others), None if others else out)
        terms.append(chosen[0])
    x, names = _summed(*terms[0], out)
    return x if names == out and x is not operands[0] else permute(x, tuple([names.index(c) for c in out]))


def _written(operands: tuple[Any, ...]) -> tuple[str, list[Any]]:
    """Equation and operands of the form einsum(x, [0, 1], y, [1, 2], [0, 2])."""
    terms = [_term(sublist) for sublist in operands[1::2]]
    values = list(operands[0::2])
    result = f"->{_term(values.pop())}" if len(operands) % 2 else ""
    return ",".join(terms) + result, values


def _term(sublist: Any) -> str:
    if not isinstance(sublist, list | tuple):
        raise ArgumentTypeError(
            f"einsum: behind each operand comes the list of its letters' numbers, {type(sublist).__name__} came"
        )
    for n in sublist:
        if n is not Ellipsis and not (isinstance(n, int) and 0 <= n < len(LETTERS)):
            raise ArgumentError(f"einsum: {n!r} in {sublist} is no letter's number; they go from 0 to 51, or ...")
    return "".join("..." if n is Ellipsis else LETTERS[n] for n in sublist)


def einsum(equation: Any, *operands: Any) -> Any:
    """The sum of products that an equation describes: "ij,jk->ik" is Σⱼ xᵢⱼ yⱼₖ.

    Arguments: equation (letters of each operand's dimensions, separated by commas; behind -> those of the result, else
    the letters that stand once, in alphabetical order; ... for the dimensions without letters), operands (tensors, or
    one list of them). Also einsum(x, [0, 1], y, [1, 2], [0, 2]). A letter that stands twice at an operand takes its
    diagonal. Raises ShapeError for sizes that differ, ArgumentError for an equation that doesn't fit.

    >>> import tinygrad_dl as tg
    >>> x = tg.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> tg.einsum("ij,j->i", x, tg.tensor([1.0, 10.0])), tg.einsum("ii", x)
    (tensor([21., 43.]), tensor(5.))
    """
    if isinstance(equation, Tensor):
        equation, members = _written((equation, *operands))
    else:
        members = list(operands[0]) if len(operands) == 1 and isinstance(operands[0], list | tuple) else list(operands)
    if not members or not isinstance(equation, str):
        raise ArgumentError("einsum: give an equation and at least one operand, or operands and their lists of letters")
    for i, operand in enumerate(members):
        if not isinstance(operand, Tensor):
            raise ArgumentTypeError(
                f"einsum: operand {i} must be a Tensor, {type(operand).__name__} came; convert it with "
                "tinygrad_dl.tensor(...)"
            )
        if type(operand.array) is not type(members[0].array):
            raise explain("einsum", ["operand 0", f"operand {i}"], [members[0], operand], TypeError("mixed devices"))
    labels, out = _parse(equation, tuple([x.array.ndim for x in members]))
    direct = _direct(tuple(labels), tuple([x.array.shape for x in members]), out)
    return contract(*members, direct) if direct else _evaluated(members, labels, out)


# --- products that are written with it


def _dimension_lists(a: Any, b: Any, dims: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The dimensions of both that tensordot sums over."""
    if isinstance(dims, Tensor):
        dims = dims.tolist()
    if isinstance(dims, int):
        if not 0 <= dims <= min(a.ndim, b.ndim):
            raise ShapeError(
                f"tensordot: dims {dims} does not fit shapes {tuple(a.shape)} and {tuple(b.shape)}; 0 to "
                f"{min(a.ndim, b.ndim)} would work"
            )
        return tuple(range(a.ndim - dims, a.ndim)), tuple(range(dims))
    if len(dims) != 2 or not all(isinstance(part, list | tuple) for part in dims):
        raise ArgumentTypeError(f"tensordot: dims is an integer or two lists of dimensions, not {dims!r}")
    first, second = (
        dims_of("tensordot", part, x.ndim, empty_is_all=False) for part, x in zip(dims, (a, b), strict=True)
    )
    if len(first) != len(second):
        raise ShapeError(f"tensordot: both lists of dimensions must have one length, {dims!r} came")
    return first, second


@composed
def tensordot(a: Any, b: Any, dims: Any = 2) -> Any:
    """The sum of products over the last `dims` dimensions of a and the first of b, or over two lists of dimensions.

    Arguments: a, b (tensors of one dtype), dims (integer, or a list for each; their sizes agree). Returns a's other
    dimensions, then b's. Raises ShapeError.

    >>> import tinygrad_dl as tg
    >>> tg.tensordot(tg.ones(2, 3, 4), tg.ones(4, 3, 5), dims=([1, 2], [1, 0])).shape
    tinygrad_dl.Size([2, 5])
    """
    require_one_dtype("tensordot", a=a, b=b)
    if find(a.dtype).category == 0:
        raise DtypeError("tensordot: bools have no product; convert them first, for example with .float()")
    first, second = _dimension_lists(a, b, dims)
    for i, j in zip(first, second, strict=True):
        if a.shape[i] == b.shape[j]:
            continue
        if a.shape[i] == 1:
            b = sum_(b, j, True, b.dtype)
        elif b.shape[j] == 1:
            a = sum_(a, i, True, a.dtype)
        else:
            raise ShapeError(
                f"tensordot: dimension {i} of {tuple(a.shape)} has size {a.shape[i]}, dimension {j} of "
                f"{tuple(b.shape)} has {b.shape[j]}; they are summed over together and must agree"
            )
    labels = [chr(_GREEK + i) for i in range(a.ndim + b.ndim)]
    ours, theirs = labels[: a.ndim], labels[a.ndim :]
    for i, j in zip(first, second, strict=True):
        theirs[j] = ours[i]
    out = [c for c in ours if c not in theirs] + [c for c in theirs if c not in ours]
    return contract(a, b, f"{''.join(ours)},{''.join(theirs)}->{''.join(out)}")


@composed
def inner(input: Any, other: Any) -> Any:
    """The sum of products over the last dimensions of both; of a 0-d tensor the product.

    Arguments: input (..., k), other (..., k) of one dtype. Returns input's other dimensions, then other's. Raises
    ShapeError when the last sizes differ.

    >>> import tinygrad_dl as tg
    >>> tg.inner(tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0]))
    tensor(11.)
    """
    if input.ndim == 0 or other.ndim == 0:
        return mul(input, other)
    if input.shape[-1] != other.shape[-1]:
        raise ShapeError(
            f"inner: the last dimensions of {tuple(input.shape)} and {tuple(other.shape)} must agree, "
            f"{input.shape[-1]} and {other.shape[-1]} came"
        )
    return matmul(input, other.T) if other.ndim <= 2 else tensordot(input, other, ((-1,), (-1,)))


@composed
def kron(input: Any, other: Any) -> Any:
    """The Kronecker product: input with each element replaced by that element times other.

    Arguments: tensors of any shapes (the shorter gets dimensions in front). Returns the products of the sizes.

    >>> import tinygrad_dl as tg
    >>> tg.kron(tg.tensor([1.0, 10.0]), tg.tensor([1.0, 2.0]))
    tensor([ 1.,  2., 10., 20.])
    """
    n = max(input.ndim, other.ndim)
    first = (1,) * (n - input.ndim) + tuple(input.shape)
    second = (1,) * (n - other.ndim) + tuple(other.shape)
    outer = mul(
        reshape(input, tuple([size for m in first for size in (m, 1)])),
        reshape(other, tuple([size for m in second for size in (1, m)])),
    )
    return reshape(outer, tuple([a * b for a, b in zip(first, second, strict=True)]))


@composed
def vecdot(x: Any, y: Any, *, dim: int = -1) -> Any:
    """The sum of x · y along `dim`: the dot products of vectors in two batches.

    Arguments: x, y (floating tensors of one dtype that broadcast), dim (integer). Raises DtypeError, ShapeError.

    >>> import tinygrad_dl as tg
    >>> tg.linalg.vecdot(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), tg.tensor([1.0, 10.0]))
    tensor([21., 43.])
    """
    require_floating("vecdot", x=x, y=y)
    ndim = max(x.ndim, y.ndim)
    if ndim == 0:
        return x * y
    dim = normalize_dim("vecdot", dim, ndim)
    labels = "".join(chr(_GREEK + i) for i in range(ndim))
    if tuple(x.shape) == tuple(y.shape):
        return contract(x, y, f"{labels},{labels}->{labels.replace(labels[dim], '')}")
    x, y = (reshape(v, (1,) * (ndim - v.ndim) + tuple(v.shape)) for v in (x, y))
    return _evaluated([x, y], [labels, labels], labels.replace(labels[dim], ""))


attach(inner, kron)
