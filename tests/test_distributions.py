"""What is drawn follows its distribution: Kolmogorov and Smirnov's test, or chi-square where results are counts.

The seeds are fixed, so what passes once passes again; a level of 1e-4 leaves room for another version of NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl.sampling import _with_replacement

LEVEL = 1e-4
COUNT = 20_000


@pytest.fixture(scope="module")
def stats() -> Any:
    return pytest.importorskip("scipy.stats", reason="SciPy is not installed")


@pytest.fixture(autouse=True)
def seeded() -> None:
    tg.manual_seed(0)


def empty(dtype: Any = tg.float64) -> Any:
    return tg.empty(COUNT, dtype=dtype)


CONTINUOUS: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "rand": (lambda: tg.rand(COUNT), lambda s: s.uniform()),
    "randn": (lambda: tg.randn(COUNT, dtype=tg.float64), lambda s: s.norm()),
    "randn, few of float32": (lambda: tg.randn(COUNT), lambda s: s.norm()),
    "randn, many of float32": (lambda: tg.randn(3, 100_001), lambda s: s.norm()),
    "randn, many of float32, an odd rest": (lambda: tg.randn(2**15 + 7)[-7000:], lambda s: s.norm()),
    "randn, sums of neighbours": (lambda: tg.randn(2, 2**16).sum(0) / 2**0.5, lambda s: s.norm()),
    "randn, sums of pairs": (lambda: tg.randn(2**3, 2, 2**14).sum(1) / 2**0.5, lambda s: s.norm()),
    "uniform_": (lambda: empty().uniform_(-2, 4), lambda s: s.uniform(-2, 6)),
    "uniform_, float32": (lambda: empty(tg.float32).uniform_(1, 3), lambda s: s.uniform(1, 2)),
    "normal_": (lambda: empty().normal_(2, 3), lambda s: s.norm(2, 3)),
    "normal_, float32": (lambda: empty(tg.float32).normal_(2, 3), lambda s: s.norm(2, 3)),
    "log_normal_": (lambda: empty().log_normal_(), lambda s: s.lognorm(2, scale=np.e)),
    "log_normal_(0.5, 0.3)": (lambda: empty().log_normal_(0.5, 0.3), lambda s: s.lognorm(0.3, scale=np.exp(0.5))),
    "cauchy_": (lambda: empty().cauchy_(), lambda s: s.cauchy()),
    "cauchy_(1, 2)": (lambda: empty(tg.float32).cauchy_(median=1, sigma=2), lambda s: s.cauchy(1, 2)),
    "exponential_": (lambda: empty().exponential_(), lambda s: s.expon()),
    "exponential_(3)": (lambda: empty(tg.float32).exponential_(lambd=3), lambda s: s.expon(scale=1 / 3)),
    "normal of a size": (lambda: tg.normal(1, 2, (COUNT,)), lambda s: s.norm(1, 2)),
    "normal of tensors": (
        lambda: (tg.normal(tg.arange(COUNT).double(), tg.full((COUNT,), 2.0)) - tg.arange(COUNT)) / 2,
        lambda s: s.norm(),
    ),
    "normal, std of elements": (
        lambda: tg.normal(1.0, tg.arange(1.0, COUNT + 1)) / tg.arange(1.0, COUNT + 1),
        lambda s: s.norm(),
    ),
}


@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous_distributions(stats: Any, name: str) -> None:
    draw, expected = CONTINUOUS[name]
    assert stats.kstest(draw().double().numpy().ravel(), expected(stats).cdf).pvalue > LEVEL


COUNTS: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "geometric_": (lambda: empty().geometric_(0.3), lambda s: s.geom(0.3)),
    "geometric_, almost sure": (lambda: empty().geometric_(0.99), lambda s: s.geom(0.99)),
    "geometric_ of integers": (lambda: empty(tg.int64).geometric_(0.7), lambda s: s.geom(0.7)),
    "poisson": (lambda: tg.poisson(tg.full((COUNT,), 3.5)), lambda s: s.poisson(3.5)),
    "binomial": (lambda: tg.binomial(tg.full((COUNT,), 9.0), tg.full((COUNT,), 0.3)), lambda s: s.binom(9, 0.3)),
    "random_(7)": (lambda: empty(tg.int64).random_(7), lambda s: s.randint(0, 7)),
    "random_(-2, 3)": (lambda: empty().random_(-2, 3), lambda s: s.randint(-2, 3)),
    "random_(to=4)": (lambda: empty(tg.int32).random_(to=4), lambda s: s.randint(0, 4)),
    "random_ by names": (lambda: empty(tg.int32).random_(**{"from": 1, "to": 4}), lambda s: s.randint(1, 4)),
    "random_ of bools": (lambda: empty(tg.bool).random_(), lambda s: s.randint(0, 2)),
    "random_ of bytes": (lambda: empty(tg.uint8).random_(), lambda s: s.randint(0, 256)),
    "randint": (lambda: tg.randint(-3, 4, (COUNT,)), lambda s: s.randint(-3, 4)),
    "bernoulli": (lambda: tg.bernoulli(tg.full((COUNT,), 0.3)), lambda s: s.bernoulli(0.3)),
    "bernoulli of one p": (lambda: tg.bernoulli(empty(), 0.8), lambda s: s.bernoulli(0.8)),
    "bernoulli_": (lambda: empty().bernoulli_(), lambda s: s.bernoulli(0.5)),
    "bernoulli_ of a tensor": (lambda: empty().bernoulli_(tg.tensor([0.2])), lambda s: s.bernoulli(0.2)),
}


@pytest.mark.parametrize("name", COUNTS)
def test_distributions_of_counts(stats: Any, name: str) -> None:
    draw, expected = COUNTS[name]
    drawn, distribution = draw().long().numpy(), expected(stats)
    values = np.arange(drawn.min(), drawn.max() + 1)
    shares = distribution.pmf(values) * COUNT
    common = shares >= 5
    assert common.sum() > 1 and (distribution.pmf(drawn) > 0).all()
    found = np.array([(drawn == value).sum() for value in values[common]] + [np.isin(drawn, values[~common]).sum()])
    wanted = np.append(shares[common], COUNT - shares[common].sum())
    if wanted[-1] < 1e-6:
        found, wanted = found[:-1], wanted[:-1]
    assert stats.chisquare(found, wanted * found.sum() / wanted.sum()).pvalue > LEVEL


# --- multinomial

WEIGHTS = np.array([0.0, 1.0, 2.0, 0.0, 5.0, 0.5, 0.0])


@pytest.mark.parametrize("dtype", [tg.float16, tg.float32, tg.float64])
def test_multinomial_with_replacement(stats: Any, dtype: Any) -> None:
    drawn = tg.multinomial(tg.tensor(WEIGHTS, dtype=dtype), COUNT, replacement=True).numpy()
    counts = np.bincount(drawn, minlength=7)
    assert not counts[WEIGHTS == 0].any(), "what has no weight is never drawn"
    share = WEIGHTS[WEIGHTS > 0] / WEIGHTS.sum()
    assert stats.chisquare(counts[WEIGHTS > 0], share * COUNT).pvalue > LEVEL


def test_one_sample_of_each_row(stats: Any) -> None:
    drawn = tg.multinomial(tg.tensor(WEIGHTS).expand(COUNT, 7), 1)
    assert tuple(drawn.shape) == (COUNT, 1)
    counts = np.bincount(drawn.numpy().ravel(), minlength=7)
    share = WEIGHTS[WEIGHTS > 0] / WEIGHTS.sum()
    assert stats.chisquare(counts[WEIGHTS > 0], share * COUNT).pvalue > LEVEL and counts.sum() == COUNT


def test_rows_have_their_own_weights(stats: Any) -> None:
    weights = np.random.default_rng(0).random((50, 6)) * (np.arange(6) != 2)
    drawn = tg.multinomial(tg.tensor(weights), 2000, replacement=True).numpy()
    for row, found in zip(weights, drawn):
        counts = np.bincount(found, minlength=6)
        assert counts[2] == 0
        assert stats.chisquare(counts[row > 0], row[row > 0] / row.sum() * 2000).pvalue > LEVEL / 50


def test_multinomial_without_replacement(stats: Any) -> None:
    """The first is drawn by weight, the second among the rest; nothing comes twice."""
    weights = np.array([1.0, 2.0, 3.0, 0.0])
    drawn = tg.multinomial(tg.tensor(weights).expand(COUNT, 4), 2).numpy()
    pairs = {(i, j): weights[i] / 6 * weights[j] / (6 - weights[i]) for i in range(3) for j in range(3) if i != j}
    found = [((drawn[:, 0] == i) & (drawn[:, 1] == j)).sum() for i, j in pairs]
    assert sum(found) == COUNT, "neither twice the same nor what has no weight"
    assert stats.chisquare(found, np.array(list(pairs.values())) * COUNT).pvalue > LEVEL


def test_all_are_drawn_without_replacement_each_once() -> None:
    drawn = tg.multinomial(tg.rand(30, 17) + 0.01, 17)
    assert np.array_equal(np.sort(drawn.numpy(), axis=1), np.tile(np.arange(17), (30, 1)))
    assert tg.multinomial(tg.tensor([0.0, 1.0, 0.0]), 2).tolist()[0] == 1


@pytest.mark.parametrize("weights", [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0, 0.0]])
def test_a_row_ends_where_it_ends_also_among_many(weights: list[float]) -> None:
    """The largest number below 1 is rounded up among many rows, and then is that of the next row's start."""

    class Largest:
        def random(self, shape: tuple[int, ...]) -> np.ndarray:
            return np.full(shape, np.nextafter(1, 0))

    drawn = _with_replacement(Largest(), np.tile(weights, (1000, 1)), 3)  # type: ignore[arg-type]
    assert (drawn == weights.index(1.0)).all()


# --- ranges of dtypes


@pytest.mark.parametrize(
    ("dtype", "end"),
    [(tg.float16, 2**11), (tg.float32, 2**24), (tg.float64, 2**53), (tg.int8, 127), (tg.int64, 2**63 - 1)],
)
def test_random_without_bounds_reaches_what_is_exact(dtype: Any, end: int) -> None:
    x = empty(dtype).random_().double().numpy()
    assert x.min() >= 0 and 0.99 * end < x.max() <= end
    assert dtype is not tg.float16 or x.max() == end, "the end is among them"
    y = empty(dtype).random_(3, None).double().numpy()
    assert y.min() >= 3 and y.max() <= end


def test_normals_drawn_in_pairs_don_t_depend_on_each_other() -> None:
    x = tg.randn(2**15).double().numpy().reshape(2, -1)
    for a, b in ((x[0], x[1]), (x[0] ** 2, x[1] ** 2), (x[0, 1:], x[0, :-1])):
        assert abs(np.corrcoef(a, b)[0, 1]) < 5 / 2**7
    assert np.isfinite(x).all() and 3.5 < abs(x).max() < 5.8 and tg.randn(2**15 + 1, dtype=tg.float16).shape == (32769,)


def test_geometric_with_almost_no_chance() -> None:
    x = empty().geometric_(1e-30).numpy()
    assert abs(np.log10(np.median(x)) - 30) < 0.2 and empty(tg.int16).geometric_(0.9999).min().item() == 1


def test_exponentials_are_never_zero() -> None:
    assert float(tg.empty(200_000, dtype=tg.float16).exponential_(1e4).min()) > 0


def test_draws_of_many_blocks_go_on() -> None:
    """More numbers than are drawn at a time are all different, and laid out as the tensor is."""
    x = tg.empty(2**17 + 5, dtype=tg.float64).normal_()
    assert len(np.unique(x.numpy())) == x.numel()
    y = tg.zeros(3, 5).t().uniform_(1, 2)
    assert float(y.min()) >= 1
