"""gradcheck and gradgradcheck: they find planted wrong gradients, and nothing in right ones."""

from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl.errors import ArgumentError
from tinygrad_dl.gradcheck import GradcheckError
from tinygrad_dl.operation import keep, operation


@operation(input=lambda g, input: g * (3 * input))
def wrong_square(input: Any) -> Any:
    """input², with a derivative that is not its own."""
    return input * input


@operation(constants=("slope",), input=lambda g, slope: g * slope)
def square_with_constant_slope(input: Any) -> Any:
    """input², right at first order; at second the slope is taken for a constant."""
    return keep(input * input, slope=2 * input)


SECOND = tg.tensor([0.0, 1.0])  # leaves only the second element to be wrong


def leaf(*values: float, dtype: Any = None) -> Any:
    return tg.tensor(list(values), dtype=dtype, requires_grad=True)


def test_a_wrong_gradient_is_found_and_named() -> None:
    words = r"d output 0\[1\] / d input 0\[1\] is 6 by backward, but 4.*by central differences"
    with pytest.raises(GradcheckError, match=words):
        tg.gradcheck(lambda x: wrong_square(x) * SECOND, leaf(1.0, 2.0))
    assert not tg.gradcheck(wrong_square, leaf(1.0, 2.0), raise_exception=False)


def test_a_wrong_second_derivative_is_found() -> None:
    assert tg.gradcheck(square_with_constant_slope, leaf(1.0, 2.0))
    with pytest.raises(GradcheckError):
        tg.gradgradcheck(square_with_constant_slope, leaf(1.0, 2.0))
    assert not tg.gradgradcheck(square_with_constant_slope, leaf(1.0, 2.0), raise_exception=False)


def test_a_lost_gradient_is_found() -> None:
    with pytest.raises(GradcheckError, match=r"is 0 by backward, but 2"):
        tg.gradcheck(lambda x: x.detach() * 2 + x * 0, leaf(1.0))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_every_dtype_is_checked_in_float64(dtype: str) -> None:
    x = leaf(0.3, -0.7, dtype=getattr(tg, dtype))
    seen = []
    assert tg.gradcheck(lambda x: (seen.append(x.dtype), x.exp() * x.sin())[1], x)
    assert set(seen) == {tg.float64}
    assert tg.gradgradcheck(lambda x: x.exp() * x.sin(), x)
    assert x.grad is None and x.dtype is getattr(tg, dtype)


def test_several_inputs_and_outputs_and_constants() -> None:
    x, y, mask = leaf(1.0, 2.0), leaf(3.0, 4.0), tg.tensor([True, False])

    def f(x: Any, y: Any, mask: Any, factor: float) -> Any:
        return x * y * factor, tg.where(mask, x, y), x.argmax()

    assert tg.gradcheck(f, (x, y, mask, 2.0))
    assert tg.gradgradcheck(f, (x, y, mask, 2.0))


def test_empty_and_zero_dimensional_inputs() -> None:
    assert tg.gradcheck(lambda x: x * x, tg.tensor(3.0, requires_grad=True))
    assert tg.gradcheck(lambda x: x * x, tg.zeros(0, requires_grad=True))


def test_the_gradients_of_the_outputs_may_be_given() -> None:
    x = leaf(1.0, 2.0)
    assert tg.gradgradcheck(lambda x: x**3, x, grad_outputs=tg.tensor([1.0, -2.0]))


def test_nothing_to_check_is_an_error() -> None:
    for check in (tg.gradcheck, tg.gradgradcheck):
        with pytest.raises(ArgumentError, match=r"no input requires grad.*requires_grad_"):
            check(lambda x: x, tg.zeros(2))


def test_the_tolerances_count() -> None:
    @operation(input=lambda g, input: g * (2.001 * input))
    def nearly(input: Any) -> Any:
        return input * input

    assert not tg.gradcheck(nearly, leaf(1.0), rtol=1e-5, atol=1e-8, raise_exception=False)
    assert tg.gradcheck(nearly, leaf(1.0), rtol=1e-2)
    assert np.isclose(nearly(leaf(2.0)).item(), 4.0)


def test_constants_meet_the_checked_inputs_in_float64() -> None:
    """A product of two dtypes would be refused."""
    x, w, places = leaf(1.0, 2.0, 3.0), tg.ones(3, 2), tg.tensor([0, 0, 2])
    for check in (tg.gradcheck, tg.gradgradcheck):
        assert check(lambda x, w, places: (x[places] @ w).exp(), (x, w, places))
    assert w.dtype is tg.float32 and w.tolist() == [[1.0, 1.0]] * 3


def test_they_record_whatever_the_callers_mode() -> None:
    with tg.no_grad():
        assert tg.gradcheck(lambda x: x**3, leaf(1.0)) and tg.gradgradcheck(lambda x: x**3, leaf(1.0))
        assert not tg.gradcheck(wrong_square, leaf(1.0), raise_exception=False)
        assert not tg.gradgradcheck(square_with_constant_slope, leaf(1.0), raise_exception=False)


def test_the_output_and_the_input_that_are_wrong_are_named() -> None:
    with pytest.raises(GradcheckError, match=r"d output 2\[0\] / d input 1\[1\]"):
        tg.gradcheck(lambda x, y: (x, y.argmax(), x * 2, wrong_square(y * SECOND).sum()), (leaf(1.0), leaf(1.0, 2.0)))


def test_views_of_other_memory_are_checked_element_by_element() -> None:
    x = tg.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).t().requires_grad_()
    factors = tg.arange(6.0, dtype=tg.float64).reshape(3, 2)
    assert tg.gradcheck(lambda x: x * x * factors, x)
    with pytest.raises(GradcheckError, match=r"d output 0\[3\] / d input 0\[3\] is 15 by backward, but 10"):
        tg.gradcheck(lambda x: wrong_square(x) * (factors == 3), x)
