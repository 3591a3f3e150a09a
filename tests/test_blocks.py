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


WHOLE: dict[str, Any] = {  # each with the parts of 4 MB that its result takes
    "rsqrt": (lambda x, y: tg.rsqrt(y), 1),
    "2 / x": (lambda x, y: 2 / y, 1),
    "addcmul": (lambda x, y: tg.addcmul(x, y, y), 1),
    "addcmul by 2": (lambda x, y: tg.addcmul(x, y, y, value=2), 1),
    "addcdiv": (lambda x, y: tg.addcdiv(x, y, y), 1),
    "lerp": (lambda x, y: tg.lerp(x, y, 0.3), 1),
    "isclose": (lambda x, y: tg.isclose(x, y), 0.25),
    "sign": (lambda x, y: tg.sign(x), 1),
    "nan_to_num": (lambda x, y: tg.nan_to_num(x), 1),
    "sort": (lambda x, y: tg.sort(x, 1), 3),
    "argsort": (lambda x, y: tg.argsort(x, 1), 2),
    "topk": (lambda x, y: tg.topk(x, 2, 1), 0),
    "argmax of columns": (lambda x, y: tg.argmax(x, 0), 0),
    "max of columns": (lambda x, y: tg.max(x, 0), 0),
    "nonzero": (lambda x, y: tg.nonzero(x > 0), 2.25),  # with the bools
    "var": (lambda x, y: tg.var(x), 0),
    "var of columns": (lambda x, y: tg.var(x, 0), 0),
    "std of rows": (lambda x, y: tg.std(x, 1), 0),
    "logsumexp": (lambda x, y: tg.logsumexp(x, (0, 1)), 0),
    "logsumexp of columns": (lambda x, y: tg.logsumexp(x, 0), 0),
    "log_softmax of columns": (lambda x, y: tg.log_softmax(x, 0), 1),
    "eye": (lambda x, y: tg.eye(1024), 1),
    "linspace": (lambda x, y: tg.linspace(0, 1, 1 << 20), 1),
    "arange": (lambda x, y: tg.arange(0.0, float(1 << 20)), 1),
}


def of_second(name: str) -> Any:
    """A function of one input, of the positive numbers."""
    return lambda x, y: getattr(tg, name)(y)


BOTH_WAYS: dict[str, Any] = {
    **{name: of_second(name) for name in "exp2 cos tanh atan sqrt rsqrt log2 log1p asin".split()},
    "x / y": lambda x, y: x / y,
    "x ** 3": lambda x, y: x**3,
    "atan2": tg.atan2,
    "maximum": tg.maximum,
    "fmod": tg.fmod,
    "logaddexp": tg.logaddexp,
    "mse_loss": tg.nn.functional.mse_loss,
    "std": lambda x, y: tg.std(x),
    "var_mean": lambda x, y: tg.var_mean(x)[0],
    "norm": lambda x, y: tg.norm(x),
    "prod": lambda x, y: tg.prod(y),
    "amax": lambda x, y: tg.amax(x, 1),
    "logsumexp": lambda x, y: tg.logsumexp(x, 1),
    "log_softmax of columns": lambda x, y: tg.log_softmax(x, 0),
    "reshape of a product": lambda x, y: (x * y).reshape(-1),
    "a product of reshaped": lambda x, y: x.reshape(-1) * y.reshape(-1),
}
MEGABYTES = 4 << 20


def numbers(grad: bool) -> list[Any]:
    x, y = tg.randn(1024, 1024), tg.rand(1024, 1024) * 0.8 + 0.1
    return [x.requires_grad_(grad), y.requires_grad_(grad)]


@pytest.mark.parametrize("name", WHOLE)
def test_results_are_all_that_is_allocated(name: str) -> None:
    function, parts = WHOLE[name]
    x, y = numbers(False)
    assert peak(lambda: function(x, y)) < (parts + 0.5) * MEGABYTES


@pytest.mark.parametrize("name", BOTH_WAYS)
def test_gradients_are_all_that_backward_allocates(name: str) -> None:
    x, y = numbers(True)
    out = BOTH_WAYS[name](x, y)
    g = tg.ones_like(out.detach())

    def step() -> Any:
        x.grad = y.grad = None
        out.backward(g, retain_graph=True)
        return [leaf.grad for leaf in (x, y) if leaf.grad is not None]

    assert peak(step) < (len(step()) + 0.5) * MEGABYTES


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
