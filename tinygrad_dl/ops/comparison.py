"""Comparisons, logic and bits: their results are outside the graph.

Bools, but for the operations on bits, which give integers for integers.
"""

from typing import Any

import numpy as np

from ..dtypes import result_type
from ..errors import ArgumentError, ArgumentTypeError, DtypeError
from ..methods import attach, attach_comparison
from ..operation import Operation, documented, operation, promote_arguments, register
from ..outputs import into
from ..promotion import wrapped_integers
from ..tensor import NUMPY, Tensor, wrap
from .blocks import blockwise
from .composed import composed
from .editing import attach_in_place, attach_operator

# --- comparisons


def predicate(name: str, function: Any, doc: str, numpy: Any = None) -> Any:
    """An operation of two inputs without gradient: they meet in one dtype, the result is outside the graph."""
    made = Operation(name, lambda input, other: function(input, other), {"input": None, "other": None}, promote="same")

    def build(operation: Operation, otherwise: Any) -> Any:
        def record(input: Any, other: Any, *, out: Any = None) -> Any:
            if out is not None:
                return into(out, record, (input, other), {})
            if not (isinstance(input, Tensor) or isinstance(other, Tensor)):
                return otherwise(record, operation, [input, other])
            met = promote_arguments(operation, (input, other))
            result, _ = operation.run([value.array if isinstance(value, Tensor) else value for value in met])
            return wrap(result)

        return record

    return register(build, made, documented(name, doc), (function,) if numpy is None else numpy)


def _comparison(name: str, ufunc: Any, sign: str) -> Any:
    doc = f"""Whether input {sign} other, element by element: a bool tensor.

    Arguments: tensors that broadcast, or a number.

    >>> import tinygrad_dl as tg
    >>> tg.{name}(tg.tensor([1.0, 2.0]), 2).tolist()
    [{ufunc(1, 2)}, {ufunc(2, 2)}]
    """
    return predicate(name, ufunc, doc)


eq = _comparison("eq", np.equal, "==")
ne = _comparison("ne", np.not_equal, "!=")
lt = _comparison("lt", np.less, "<")
le = _comparison("le", np.less_equal, "<=")
gt = _comparison("gt", np.greater, ">")
ge = _comparison("ge", np.greater_equal, ">=")
greater, greater_equal, less, less_equal, not_equal = gt, ge, lt, le, ne

# --- logic and bits


def _logical(name: str, function: Any, words: str, numpys: Any = None) -> Any:
    ufunc = function if numpys is None else numpys
    doc = f"""Whether {words}, element by element; what is not 0 counts as true.

    >>> import tinygrad_dl as tg
    >>> tg.{name}(tg.tensor([True, True]), tg.tensor([True, False])).tolist()
    {[bool(ufunc(True, True)), bool(ufunc(True, False))]}
    """
    return predicate(name, function, doc, (ufunc,))


def _of_bits(name: str, ufunc: Any, words: str) -> Any:
    """A function of bits, of which a number outside the range of integers gives those that they have."""

    def of_bits(x: Any, y: Any) -> Any:
        try:
            return ufunc(x, y)
        except OverflowError:
            return ufunc(*wrapped_integers((x, y)))

    return _logical(name, of_bits, words, ufunc)


logical_and = _logical("logical_and", np.logical_and, "both hold")
logical_or = _logical("logical_or", np.logical_or, "one of them holds")
logical_xor = _logical("logical_xor", np.logical_xor, "exactly one of them holds")
bitwise_and = _of_bits("bitwise_and", np.bitwise_and, "the bits of both are set (integers and bools)")
bitwise_or = _of_bits("bitwise_or", np.bitwise_or, "a bit of one of them is set (integers and bools)")
bitwise_xor = _of_bits("bitwise_xor", np.bitwise_xor, "exactly one bit is set (integers and bools)")


def _shift(name: str, ufunc: Any, words: str) -> Any:
    def shifted(x: Any, y: Any) -> Any:
        dtype = result_type([x, y])
        if dtype.kind not in "iu":
            raise DtypeError(f"{name}: integers have bits to shift, {dtype} came; convert it first, with .int()")
        return ufunc(*wrapped_integers((x, y)))

    doc = f"""The bits of integers moved to the {words}, element by element.

    Arguments: integer tensors that broadcast, or a number: by how many bits. Raises DtypeError for others.

    >>> import tinygrad_dl as tg
    >>> tg.{name}(tg.tensor([4, -4]), 1).tolist()
    {[int(ufunc(4, 1)), int(ufunc(-4, 1))]}
    """
    return predicate(name, shifted, doc, (ufunc,))


bitwise_left_shift = _shift("bitwise_left_shift", np.left_shift, "left: input · 2^other")
bitwise_right_shift = _shift("bitwise_right_shift", np.right_shift, "right: input / 2^other rounded down")


@composed
def logical_not(input: Any) -> Any:
    """Whether an element is 0 or False.

    >>> import tinygrad_dl as tg
    >>> tg.logical_not(tg.tensor([0.0, 2.0]))
    tensor([ True, False])
    """
    return eq(input, 0)


@operation(numpy=(np.invert,))
def bitwise_not(input: Any) -> Any:
    """~input: not for bools, all bits turned for integers. Raises DtypeError for floating tensors.

    >>> import tinygrad_dl as tg
    >>> ~tg.tensor([True, False])
    tensor([False,  True])
    """
    if input.dtype.kind == "f":
        raise DtypeError(f"bitwise_not: {input.dtype} has no bits to turn, bools and integers have; use logical_not()")
    return np.invert(input)


def _invert(self: Tensor) -> Tensor:
    """`~`, an operator, which as such refuses a floating tensor by a TypeError."""
    try:
        return bitwise_not(self)
    except DtypeError as error:
        raise ArgumentTypeError(str(error)) from None


# --- what kind of number an element is


def _kind(name: str, function: Any, words: str, numpy: Any = None) -> Any:
    def test(input: Any) -> Any:
        return function(input)

    test.__name__ = test.__qualname__ = name
    test.__doc__ = f"""Whether an element is {words}: a bool tensor.

    >>> import tinygrad_dl as tg
    >>> tg.{name}(tg.tensor([-1.0, float("-inf"), float("nan")])).tolist()
    {[bool(function(np.float64(x))) for x in (-1, -np.inf, np.nan)]}
    """
    return operation(name, numpy=(function,) if numpy is None else numpy)(test)


isnan = _kind("isnan", np.isnan, "not a number")
isinf = _kind("isinf", np.isinf, "infinite")
isfinite = _kind("isfinite", np.isfinite, "neither infinite nor NaN")
isposinf = _kind("isposinf", lambda x: x == np.inf, "positive infinity", (np.isposinf,))
isneginf = _kind("isneginf", lambda x: x == -np.inf, "negative infinity", (np.isneginf,))
isreal = _kind("isreal", np.isreal, "real")
signbit = _kind(
    "signbit", lambda x: np.signbit(x) if x.dtype.kind == "f" else x < 0, "negative, or -0.0", (np.signbit,)
)


@operation(numpy=(np.isclose,))
def isclose(input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Any:
    """Whether |input - other| <= atol + rtol · |other|, element by element; equal infinities are close.

    Arguments: two tensors of one dtype that broadcast, the tolerances, whether NaN is close to NaN. Raises DtypeError
    for two dtypes, ArgumentError for a negative tolerance.

    >>> import tinygrad_dl as tg
    >>> tg.isclose(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 2.1]))
    tensor([ True, False])
    """
    if rtol < 0 or atol < 0:
        raise ArgumentError(f"isclose: rtol and atol must not be negative, {rtol} and {atol} came")
    if input.dtype != other.dtype:
        raise DtypeError(
            f"isclose: both must have one dtype, {input.dtype} and {other.dtype} came; convert one of them first"
        )
    return _close(input, other, rtol, atol, equal_nan)


@blockwise
def _close(x: Any, y: Any, rtol: float, atol: float, equal_nan: bool) -> Any:
    same = x == y
    if equal_nan:
        same = same | ((x != x) & (y != y))
    if rtol == atol == 0:
        return same
    x, y = (value if value.dtype.kind == "f" else value.astype(np.float64) for value in (x, y))
    distance = np.absolute(x - y)
    return same | (np.isfinite(distance) & (distance <= atol + np.absolute(rtol * y)))


@composed
def is_nonzero(input: Any) -> bool:
    """Whether the one element of a tensor is not 0. Raises for a tensor of several elements, or of none.

    >>> import tinygrad_dl as tg
    >>> tg.is_nonzero(tg.tensor([0.0]))
    False
    """
    return bool(input)


_isin = predicate("isin", np.isin, "Whether each element of input is one of those of other.", ())


@composed
def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False) -> Any:
    """Whether each of `elements` is one of `test_elements` (with invert=True: is none of them).

    Arguments: two tensors, or a tensor and a number; assume_unique (a promise that neither repeats anything, which
    changes nothing here). Returns bools in the shape of `elements`. Raises DtypeError for bools.

    >>> import tinygrad_dl as tg
    >>> tg.isin(tg.tensor([1, 2, 3]), tg.tensor([3, 1]))
    tensor([ True, False,  True])
    """
    tensors = [value for value in (elements, test_elements) if isinstance(value, Tensor)]
    if any(tensor.array.dtype.kind == "b" for tensor in tensors):
        raise DtypeError("isin: bools came; convert them first, for example with .int()")
    if len(tensors) == 2:
        found = _isin(elements, test_elements)
    else:
        found = eq(elements, test_elements)
        found = found if elements is tensors[0] else found.any()
    return logical_not(found) if invert else found


# --- operators and methods

NUMPY[np.logical_not] = logical_not
for _symbol, _operation in {
    "and": bitwise_and,
    "or": bitwise_or,
    "xor": bitwise_xor,
    "lshift": bitwise_left_shift,
    "rshift": bitwise_right_shift,
}.items():
    attach_operator(_symbol, _operation)
COMPARISONS = {"eq": eq, "ne": ne, "lt": lt, "le": le, "gt": gt, "ge": ge}
ALIASES = {"greater": gt, "greater_equal": ge, "less": lt, "less_equal": le, "not_equal": ne}
LOGIC = (logical_and, logical_or, logical_xor, logical_not)
BITS = (bitwise_and, bitwise_or, bitwise_xor, bitwise_not, bitwise_left_shift, bitwise_right_shift)
for _symbol, _operation in COMPARISONS.items():
    attach_comparison(_symbol, _operation)
attach(*COMPARISONS.values(), *LOGIC, *BITS, isnan, isinf, isfinite, isposinf, isneginf, isreal, signbit, isclose)
attach(is_nonzero)
attach(__invert__=_invert, **ALIASES)
attach_in_place(*COMPARISONS.values(), *LOGIC, *BITS, **ALIASES)
