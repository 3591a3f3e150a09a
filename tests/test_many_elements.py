"""Operations that go another way on many elements than on few: both ways give the same numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning:tinygrad_dl.*")

MANY = 100_000  # three blocks and a part of one
SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, 3.0, 7.5, 1e-30, 1e30, -1e38, np.inf, -np.inf, np.nan])
OPERATIONS: dict[str, tuple[Callable[..., Any], int]] = {
    "remainder": (tg.remainder, 0),  # how many units in the last place the two ways may be apart
    "fmod": (tg.fmod, 0),
    "floor_divide": (tg.floor_divide, 0),
    "div down": (lambda x, y: tg.div(x, y, rounding_mode="floor"), 0),
    "remainder by a number": (lambda x, y: x % 0.7, 0),
    "fmod of a number": (lambda x, y: tg.fmod(3.0, y), 0),
    "remainder of a column": (lambda x, y: x.reshape(-1, 4) % y.reshape(-1, 4)[:, :1], 0),
    "hypot": (tg.hypot, 2),
    "nextafter": (tg.nextafter, 0),
    "logaddexp": (tg.logaddexp, 8),
    "logaddexp2": (tg.logaddexp2, 8),
    "lerp": (lambda x, y: tg.lerp(x, y, tg.tensor(0.25, dtype=x.dtype)), 0),
    "sigmoid": (lambda x, y: tg.sigmoid(x), 4),
    "sign": (lambda x, y: tg.sign(x), 0),
    "where": (lambda x, y: tg.where(x > y, x, y), 0),
}
NUMBERS: dict[str, Callable[[Any], tuple[Any, Any]]] = {
    "near": lambda draw: (draw.normal(size=MANY), draw.normal(size=MANY)),
    "multiples": lambda draw: (draw.integers(-300, 300, MANY) * 0.1, draw.choice([0.1, -0.3, 3.0], MANY)),
    "far": lambda draw: (draw.normal(size=MANY) * 10.0 ** draw.integers(-3, 7, MANY), draw.normal(size=MANY)),
    "special": lambda draw: (draw.choice(SPECIAL, MANY), draw.choice(SPECIAL, MANY)),
}


@pytest.mark.parametrize("numbers", NUMBERS)
@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_many_elements_are_computed_as_few_are(name: str, numbers: str, dtype: Any) -> None:
    function, apart = OPERATIONS[name]
    with np.errstate(over="ignore"):
        x, y = (a.astype(dtype) for a in NUMBERS[numbers](np.random.default_rng(11)))
    many = function(tg.tensor(x), tg.tensor(y)).numpy().ravel()
    few = [
        function(tg.tensor(x[i : i + 400]), tg.tensor(y[i : i + 400])).numpy().ravel() for i in range(0, 40_000, 400)
    ]
    expected = np.concatenate(few)
    found = many[: len(expected)]
    assert many.shape == x.shape and found.dtype == dtype
    if apart == 0:
        np.testing.assert_array_equal(found, expected)
    else:
        eps = np.finfo(dtype).eps  # absolute, too: sums of logarithms near 0 cancel
        close = np.isclose(found, expected, apart * eps, apart * eps, equal_nan=True)
        assert close.all(), (x[:40_000][~close][:5], y[:40_000][~close][:5], found[~close][:5], expected[~close][:5])


@pytest.mark.parametrize("name", ["remainder", "fmod", "floor_divide", "hypot"])
def test_many_elements_are_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")
    for numbers in ("near", "multiples", "far"):
        x, y = (a.astype(np.float32) for a in NUMBERS[numbers](np.random.default_rng(12)))
        found = getattr(tg, name)(tg.tensor(x), tg.tensor(y)).numpy()
        expected = getattr(torch, name)(torch.tensor(x), torch.tensor(y)).numpy()
        np.testing.assert_allclose(found, expected, 2e-7, 0)
