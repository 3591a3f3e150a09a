"""Long arrays, which are summed, multiplied and run along in blocks: the numbers are NumPy's in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg

# Around the widths of groups (8), rows (4096) and blocks (65536), and with something left over.
SHAPES = [(70001,), (65536,), (3, 20011), (700, 70), (1000, 64), (2, 5003, 7), (3, 40, 500), (9, 600, 64), (2, 33000)]
ALONG = [(shape, dim) for shape in SHAPES for dim in range(len(shape))]


def values(shape: tuple[int, ...], dtype: Any) -> Any:
    """Numbers near 1 of both signs, the products of which stay finite."""
    draw = np.random.default_rng(7)
    return (draw.choice([-1.0, 1.0], shape) * draw.uniform(0.999, 1.001, shape)).astype(dtype)


def close(found: Any, expected: Any, dtype: Any, exact: float = 1e-5) -> None:
    """exact: for float32; products of 70,000 factors are rounded as often."""
    assert found.dtype == dtype and found.shape == expected.shape
    exact = exact if dtype == np.float32 else 1e-11
    np.testing.assert_allclose(found, expected, exact, exact * np.abs(expected).max())


@pytest.mark.parametrize(("shape", "dim"), ALONG)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_running_results_of_long_arrays(shape: tuple[int, ...], dim: int, dtype: Any) -> None:
    array = values(shape, dtype)
    exact, backwards = array.astype(np.float64), np.flip(array.astype(np.float64), dim)
    x = tg.tensor(array, requires_grad=True)
    total = x.cumsum(dim)
    close(total.numpy(force=True), exact.cumsum(dim), dtype)
    close(x.detach().cumprod(dim).numpy(), exact.cumprod(dim), dtype)
    (g,) = tg.autograd.grad(total, x, x.detach())  # runs from the end
    close(g.numpy(), np.flip(backwards.cumsum(dim), dim), dtype)


@pytest.mark.parametrize(("shape", "dim"), [*ALONG, *((shape, None) for shape in SHAPES)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("keepdim", [False, True])
def test_sums_and_products_of_long_arrays(shape: tuple[int, ...], dim: Any, dtype: Any, keepdim: bool) -> None:
    array = values(shape, dtype)
    x, exact = tg.tensor(array), array.astype(np.float64)
    close(x.sum(dim, keepdim).numpy(), exact.sum(dim, keepdims=keepdim), dtype)
    if dim is not None:
        close(x.prod(dim, keepdim).numpy(), exact.prod(dim, keepdims=keepdim), dtype, 1e-4)
    elif not keepdim:
        close(x.prod().numpy(), exact.prod(), dtype, 1e-4)


def test_running_products_do_not_leave_the_range_on_the_way() -> None:
    """As in float64: groups of tiny factors are 0 in float32, their product with what came before is not."""
    x = np.ones(40000, np.float32)
    x[0:4], x[8:16], x[16:24] = 1e9, 1e-7, 1e7
    found = tg.tensor(x).cumprod(0).numpy()
    np.testing.assert_allclose(found, np.cumprod(x.astype(np.float64)), 1e-6)


def test_sums_keep_infinities_and_nan() -> None:
    x = np.ones((4, 20000), np.float32)
    x[0, 3], x[1, 5], x[2, 7] = np.inf, -np.inf, np.nan
    np.testing.assert_array_equal(tg.tensor(x).sum(1).numpy(), [np.inf, -np.inf, np.nan, 20000])
    assert np.isnan(tg.tensor(x).cumsum(1).numpy()[2, 7:]).all()
