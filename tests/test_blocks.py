"""Elementwise functions in blocks: the same numbers as all at once, without temporaries of the size of the array."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl.ops.blocks import BLOCK, blockwise, chosen

SIZE = 2 * BLOCK + 17
LAYOUTS = {
    "contiguous": lambda x: x,
    "transposed": lambda x: x[: SIZE - 1].reshape(2, -1).T,
    "strided": lambda x: np.repeat(x, 2)[::2],
    "reversed": lambda x: x[::-1],
    "a column": lambda x: x[:SIZE].reshape(-1, 1),
    "three dimensions": lambda x: x[: SIZE - SIZE % 12].reshape(3, -1, 4).swapaxes(0, 1),
}


@blockwise
def product(x: Any, y: Any, shift: float = 1.0) -> Any:
    """(x + shift) · y."""
    return (x + shift) * y


def drawn(dtype: str, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=SIZE).astype(dtype)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_blocks_give_what_the_function_gives_at_once(layout: str, dtype: str) -> None:
    x, y = (LAYOUTS[layout](drawn(dtype, seed)) for seed in (0, 1))
    for given in ((x, y), (x, y, 2.0), (x, 3.0), (x, y[:1])):
        found, expected = product(*given), product.__wrapped__(*given)
        assert found.dtype == expected.dtype and found.shape == expected.shape and found.flags.c_contiguous
        np.testing.assert_array_equal(found, expected)


def test_an_error_of_the_function_is_the_callers() -> None:
    @blockwise
    def refusing(x: Any) -> Any:
        raise tg.DtypeError("no")

    with pytest.raises(tg.DtypeError, match="no"):
        refusing(np.ones(SIZE))


def test_float16_is_computed_in_float32() -> None:
    x = np.full(SIZE, 300, np.float16)
    square = blockwise(lambda x: x * x / 300)  # 90000 is infinite in float16
    for array in (x, x[:3], x[:1].reshape(())):
        assert square(array).dtype == np.float16 and (square(array) == 300).all()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int64", "int8"])
def test_chosen_chooses_as_where_does(layout: str, dtype: str) -> None:
    x, y = (LAYOUTS[layout](drawn("float64", seed)) for seed in (0, 1))
    condition = x > 0.3
    x, y = (array * 50 for array in (x, y))
    if dtype.startswith("float"):
        x[0], y[-1] = np.nan, np.inf
    x, y = x.astype(dtype), y.astype(dtype)
    zero = -0.0 if dtype.startswith("float") else 0
    for a, b in ((x, y), (x, 0), (0, y), (x, 3), (x, zero), (zero, y), (x, y[:1]), (x[:1], y)):
        found, expected = chosen(condition, a, b), np.where(condition, a, b)
        assert found.dtype == expected.dtype and found.shape == expected.shape
        assert found.tobytes() == expected.tobytes()


def peak(run: Any) -> int:
    """The most bytes that a call held at one time."""
    run()
    tracemalloc.start()
    try:
        kept = run()
        return tracemalloc.get_traced_memory()[1] if kept is not None else 0
    finally:
        tracemalloc.stop()


NAMES = "gelu silu mish softplus elu selu celu leaky_relu hardtanh hardswish hardsigmoid logsigmoid softsign".split()


@pytest.mark.parametrize("name", NAMES)
def test_activations_allocate_their_result_and_blocks_only(name: str) -> None:
    """4 MB of float32: the result or the gradient, and less than half of that for blocks."""
    size = 1 << 20
    x, g = tg.randn(size, requires_grad=True), tg.randn(size)
    function = getattr(tg.nn.functional, name)
    assert peak(lambda: function(x)) < 1.5 * 4 * size
    out = function(x)
    (rule,), saved = out.grad_fn.plan.rules, out.grad_fn.saved
    assert peak(lambda: rule(g.array, saved)) < 1.5 * 4 * size
