"""Whether two tensors agree, altogether: Python's bools."""

from typing import Any

from ..errors import ArgumentTypeError
from ..methods import attach
from ..operation import operation
from ..tensor import Tensor
from .comparison import isclose
from .composed import composed


def _require_tensors(name: str, input: Any, other: Any) -> None:
    for argument, value in (("input", input), ("other", other)):
        if not isinstance(value, Tensor):
            raise ArgumentTypeError(f"{name}: {argument} must be a Tensor, {type(value).__name__} came")


@operation(promote="same")
def _agreeing(input: Any, other: Any) -> Any:
    return (input == other).all()


@composed
def equal(input: Any, other: Any) -> bool:
    """Whether two tensors have one shape and equal elements: a bool. NaN equals nothing.

    Arguments: two tensors on one device; their dtypes may differ.

    >>> import tinygrad_dl as tg
    >>> tg.equal(tg.tensor([1, 2]), tg.tensor([1.0, 2.0])), tg.equal(tg.zeros(2), tg.zeros(1, 2))
    (True, False)
    """
    _require_tensors("equal", input, other)
    return input.shape == other.shape and bool(_agreeing(input, other))


@composed
def allclose(input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether |input - other| <= atol + rtol · |other| everywhere: a bool. Equal infinities are close.

    Arguments: two tensors of one dtype that broadcast, the tolerances, equal_nan (whether NaN is close to NaN). Raises
    DtypeError for two dtypes, ArgumentError for a negative tolerance.

    >>> import tinygrad_dl as tg
    >>> tg.allclose(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 2.000001]))
    True
    """
    _require_tensors("allclose", input, other)
    return bool(isclose(input, other, rtol, atol, equal_nan).all())


attach(equal, allclose)
