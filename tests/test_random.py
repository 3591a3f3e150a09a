"""Random numbers: seeds decide them on every device, they follow their distributions, and nothing else is touched."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_dl as tg
from tinygrad_dl.errors import ArgumentError, ArgumentTypeError, DtypeError, GraphError, ShapeError, TinygradError


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")


@pytest.fixture(autouse=True)
def seeded() -> None:
    tg.manual_seed(0)


def same(a: Any, b: Any) -> bool:
    return a.dtype is b.dtype and np.array_equal(a.numpy(force=True), b.numpy(force=True))


# Each draws at least 8 numbers, from the default generator or from one that is given.
DRAWS: dict[str, Callable[..., Any]] = {
    "rand": lambda **o: tg.rand(2, 4, **o),
    "randn": lambda **o: tg.randn(2, 4, **o),
    "rand, float64": lambda **o: tg.rand(8, dtype=tg.float64, **o),
    "rand, float16": lambda **o: tg.rand(8, dtype=tg.float16, **o),
    "randn, float16": lambda **o: tg.randn(8, dtype=tg.float16, **o),
    "randint": lambda **o: tg.randint(1000, (8,), **o),
    "randint of two": lambda **o: tg.randint(-50, 500, (2, 4), **o),
    "randperm": lambda **o: tg.randperm(50, **o),
}
FILLS: dict[str, Callable[..., Any]] = {
    "log_normal_": lambda **o: tg.zeros(8).log_normal_(**o),
    "cauchy_": lambda **o: tg.zeros(8).cauchy_(**o),
    "exponential_": lambda **o: tg.zeros(8).exponential_(**o),
    "geometric_": lambda **o: tg.zeros(8).geometric_(0.1, **o),
    "random_": lambda **o: tg.zeros(8).random_(**o),
    "bernoulli_": lambda **o: tg.zeros(64).bernoulli_(**o),
    "bernoulli_ of a tensor": lambda **o: tg.zeros(64).bernoulli_(tg.full((64,), 0.5), **o),
    "bernoulli of one p": lambda **o: tg.bernoulli(tg.zeros(64), 0.5, **o),
    "poisson": lambda **o: tg.poisson(tg.full((64,), 5.0), **o),
    "binomial": lambda **o: tg.binomial(tg.full((64,), 9.0), tg.full((64,), 0.5), **o),
    "normal of tensors": lambda **o: tg.normal(tg.zeros(8), tg.ones(8), **o),
    "normal of a size": lambda **o: tg.normal(0.0, 1.0, (8,), **o),
    "multinomial": lambda **o: tg.multinomial(tg.ones(64), 32, **o),
    "multinomial with replacement": lambda **o: tg.multinomial(tg.ones(64), 32, True, **o),
    "multinomial of rows": lambda **o: tg.multinomial(tg.ones(4, 64), 8, True, **o),
    "uniform_": lambda **o: tg.zeros(8).uniform_(**o),
    "uniform_ in bounds": lambda **o: tg.zeros(8).uniform_(2, 5, **o),
    "normal_": lambda **o: tg.zeros(8).normal_(**o),
    "bernoulli": lambda **o: tg.bernoulli(tg.full((64,), 0.5), **o),
}
LIKES: dict[str, Callable[[], Any]] = {
    "rand_like": lambda: tg.rand_like(tg.zeros(8)),
    "randn_like": lambda: tg.randn_like(tg.zeros(8, dtype=tg.float64)),
    "randint_like": lambda: tg.randint_like(tg.zeros(8), 1000),
}
GIVEN = {**DRAWS, **FILLS}
ALL = {**GIVEN, **LIKES}


# --- seeds and generators


@pytest.mark.parametrize("name", ALL)
def test_a_seed_decides(name: str) -> None:
    draw = ALL[name]
    first, going_on = draw(), draw()
    tg.manual_seed(0)
    assert same(first, draw()) and same(going_on, draw())
    tg.manual_seed(1)
    assert not same(first, draw()) and not same(first, going_on)


@pytest.mark.parametrize("name", GIVEN)
def test_a_generator_of_its_own(name: str) -> None:
    """Gives what the default one would from the same seed, and leaves that where it was."""
    draw = GIVEN[name]
    before = tg.get_rng_state().tolist()
    drawn = draw(generator=tg.Generator().manual_seed(0))
    assert tg.get_rng_state().tolist() == before
    assert same(drawn, draw())
    g = tg.Generator().manual_seed(5)
    assert not same(draw(generator=g), draw(generator=g))


@pytest.mark.parametrize("name", ALL)
def test_the_same_numbers_on_every_device(name: str) -> None:
    expected = ALL[name]()
    tg.manual_seed(0)
    with tg.device("strict"):
        found = ALL[name]()
    assert found.device.type == "strict" and same(found, expected)
    tg.manual_seed(0)
    assert same(expected, ALL[name]())


@pytest.mark.parametrize("name", DRAWS)
def test_the_device_may_be_given(name: str) -> None:
    expected = DRAWS[name]()
    tg.manual_seed(0)
    found = DRAWS[name](device="strict")
    assert found.device.type == "strict" and same(found, expected)


def test_state_is_where_one_goes_on() -> None:
    tg.randn(3)
    state = tg.get_rng_state()
    kept = state.tolist()
    first = [tg.randn(3), tg.rand(2, dtype=tg.float64), tg.randint(9, (5,))]
    assert state.tolist() == kept, "drawing does not change a state that was taken"
    for again in (state, pickle.loads(pickle.dumps(state)), state.to("strict")):
        tg.set_rng_state(again)
        assert all(map(same, [tg.randn(3), tg.rand(2, dtype=tg.float64), tg.randint(9, (5,))], first))
    assert tg.initial_seed() == 0


def test_a_state_goes_from_one_generator_to_another() -> None:
    g = tg.Generator().manual_seed(3)
    tg.rand(5, generator=g)
    h = tg.Generator().manual_seed(4)
    h.set_state(g.get_state())
    assert h.initial_seed() == 3 and same(tg.rand(5, generator=h), tg.rand(5, generator=g))
    tg.rand(1, generator=h)
    assert not same(tg.rand(5, generator=h), tg.rand(5, generator=g)), "they are two"


def test_seeds() -> None:
    g = tg.Generator()
    assert g.manual_seed(7) is g and g.initial_seed() == 7
    assert tg.manual_seed(9) is tg.default_generator and tg.initial_seed() == 9
    assert g.manual_seed(np.int64(8)).initial_seed() == 8  # type: ignore[arg-type]
    drawn = g.seed()
    assert isinstance(drawn, int) and g.initial_seed() == drawn != tg.Generator().seed()
    first = tg.rand(4, generator=g)
    assert same(first, tg.rand(4, generator=tg.Generator().manual_seed(drawn)))
    fresh, other = tg.Generator(), tg.Generator()
    drawn_first = tg.rand(4, generator=fresh)
    assert not same(drawn_first, tg.rand(4, generator=other)), "unseeded ones differ"
    assert same(drawn_first, tg.rand(4, generator=tg.Generator().manual_seed(fresh.initial_seed())))
    assert tg.seed() == tg.initial_seed()


def test_seeds_of_any_size_are_taken() -> None:
    tg.manual_seed(-1)
    negative = tg.rand(4)
    tg.manual_seed(2**64 - 1)
    assert same(negative, tg.rand(4)), "as in PyTorch, -1 is the largest seed"
    assert tg.initial_seed() == 2**64 - 1


def test_numpys_own_generator_is_left_alone() -> None:
    np.random.seed(3)
    expected = np.random.rand(3)
    np.random.seed(3)
    tg.manual_seed(8)
    tg.randn(5), tg.randperm(4), tg.rand(2)
    assert np.array_equal(np.random.rand(3), expected)
    np.random.seed(4)
    tg.manual_seed(8)
    first = tg.rand(3)
    np.random.seed(5)
    tg.manual_seed(8)
    assert same(first, tg.rand(3))


# --- shapes, dtypes, leaves


@pytest.mark.parametrize("name", ["rand", "randn"])
def test_sizes_dtypes_and_leaves(torch: Any, name: str) -> None:
    for options in (
        lambda lib: ((2, 3), {}),
        lambda lib: (((2, 3),), {}),
        lambda lib: (([4],), {}),
        lambda lib: (((),), {}),
        lambda lib: ((0, 3), {}),
        lambda lib: ((), {"size": (2, 1)}),
        lambda lib: ((3,), {"dtype": lib.float64, "requires_grad": True}),
        lambda lib: ((3,), {"dtype": lib.float16}),
        lambda lib: ((3,), {"generator": lib.Generator().manual_seed(1), "device": "cpu"}),
    ):
        found, expected = (getattr(lib, name)(*options(lib)[0], **options(lib)[1]) for lib in (tg, torch))
        assert tuple(found.shape) == tuple(expected.shape) and found.requires_grad == expected.requires_grad
        assert str(found.dtype).rpartition(".")[2] == str(expected.dtype).rpartition(".")[2] and found.is_leaf


INTEGERS: dict[str, Callable[[Any], Any]] = {
    "randint(high, size)": lambda lib: lib.randint(5, (2, 3)),
    "randint(low, high, size)": lambda lib: lib.randint(3, 5, (4,)),
    "randint of a list": lambda lib: lib.randint(3, 5, [4]),
    "randint by names": lambda lib: lib.randint(low=-3, high=1, size=(2,)),
    "randint(high=, size=)": lambda lib: lib.randint(high=4, size=(2,)),
    "randint, 0-d": lambda lib: lib.randint(3, ()),
    "randint, empty": lambda lib: lib.randint(3, (0,)),
    "randint, int32": lambda lib: lib.randint(9, (2,), dtype=lib.int32),
    "randint, float": lambda lib: lib.randint(9, (2,), dtype=lib.float32, requires_grad=True),
    "randperm": lambda lib: lib.randperm(4),
    "randperm(0)": lambda lib: lib.randperm(0),
    "randperm, int32": lambda lib: lib.randperm(4, dtype=lib.int32),
    "randperm, all that fit": lambda lib: lib.randperm(256, dtype=lib.uint8),
    "randint, all that fit": lambda lib: lib.randint(-128, 128, (3,), dtype=lib.int8),
    "random_, all that fit": lambda lib: lib.zeros(3, dtype=lib.uint8).random_(0, 256),
    "randperm, float": lambda lib: lib.randperm(4, dtype=lib.float32),
    "rand_like": lambda lib: lib.rand_like(lib.zeros(2, 3, dtype=lib.float64)),
    "randn_like, dtype": lambda lib: lib.randn_like(lib.tensor([1, 2]), dtype=lib.float32),
    "randint_like": lambda lib: lib.randint_like(lib.tensor([1, 2]), 5),
    "randint_like of floats": lambda lib: lib.randint_like(lib.zeros(2), 3, 5),
    "bernoulli": lambda lib: lib.bernoulli(lib.full((3, 2), 0.5, dtype=lib.float64)),
    "bernoulli of one that requires grad": lambda lib: lib.bernoulli(lib.full((3,), 0.5, requires_grad=True)).detach(),
    "bernoulli of one p": lambda lib: lib.bernoulli(lib.tensor([1, 2]), 0.5),
    "poisson": lambda lib: lib.poisson(lib.ones(2, 3, dtype=lib.float16)),
    "binomial": lambda lib: lib.binomial(lib.ones(3, 1), lib.zeros(2)),
    "normal of two tensors": lambda lib: lib.normal(lib.zeros(3, 1), lib.ones(2, dtype=lib.float64)),
    "normal, integer deviations": lambda lib: lib.normal(lib.zeros(2), lib.tensor([1, 2])),
    "normal of a mean": lambda lib: lib.normal(lib.zeros(3, dtype=lib.float64)),
    "normal of a mean and a number": lambda lib: lib.normal(lib.zeros(3, dtype=lib.float16), 2),
    "normal of a number and deviations": lambda lib: lib.normal(2, lib.ones(3, dtype=lib.float64)),
    "normal by names": lambda lib: lib.normal(mean=0.0, std=lib.ones(3)),
    "normal of a size": lambda lib: lib.normal(0, 1, (2, 3)),
    "normal of a size, all": lambda lib: lib.normal(0.0, 1.0, size=[3], dtype=lib.float64, requires_grad=True),
    "multinomial": lambda lib: lib.multinomial(lib.ones(5, dtype=lib.float64), 3),
    "multinomial of rows": lambda lib: lib.multinomial(lib.ones(2, 5), num_samples=7, replacement=True),
    "multinomial of no rows": lambda lib: lib.multinomial(lib.ones(0, 5), 3),
    "x.multinomial": lambda lib: lib.ones(5).multinomial(1),
    "multinomial of what requires grad": lambda lib: lib.multinomial(lib.ones(3, requires_grad=True), 2),
    "randint_like by names": lambda lib: lib.randint_like(lib.zeros(2), low=1, high=3, requires_grad=True),
    "rand_like with a generator": lambda lib: lib.rand_like(lib.zeros(2, 1), generator=lib.Generator()),
    "randperm that requires grad": lambda lib: lib.randperm(4, dtype=lib.float32, requires_grad=True),
    "rand, all": lambda lib: lib.rand(2, dtype=lib.float64, layout=None, pin_memory=False, requires_grad=True),
    "random_": lambda lib: lib.zeros(3, dtype=lib.uint8).random_(3, 5),
    "geometric_ of integers": lambda lib: lib.zeros(3, dtype=lib.int16).geometric_(0.5),
    "bernoulli_ of bools": lambda lib: lib.zeros(3, dtype=lib.bool).bernoulli_(0.5),
    "bernoulli_ of a row": lambda lib: lib.zeros(3, 2).bernoulli_(lib.full((2,), 0.5)),
    "uniform_": lambda lib: lib.zeros(3, dtype=lib.float64).uniform_(),
    "normal_": lambda lib: lib.zeros(3, dtype=lib.float16).normal_(mean=1, std=2),
}


@pytest.mark.parametrize("name", INTEGERS)
def test_shapes_and_dtypes_are_pytorchs(torch: Any, name: str) -> None:
    found, expected = INTEGERS[name](tg), INTEGERS[name](torch)
    assert tuple(found.shape) == tuple(expected.shape) and found.requires_grad == expected.requires_grad
    assert str(found.dtype).rpartition(".")[2] == str(expected.dtype).rpartition(".")[2]


def test_the_default_dtype_counts() -> None:
    before = tg.get_default_dtype()
    try:
        tg.set_default_dtype(tg.float64)
        assert tg.rand(1).dtype is tg.randn(1).dtype is tg.float64 and tg.randint(3, (1,)).dtype is tg.int64
    finally:
        tg.set_default_dtype(before)


OUTS: dict[str, Callable[[Any], tuple[Any, Any]]] = {
    "rand": lambda out: (tg.rand(4, out=out), tg.rand(4)),
    "randn": lambda out: (tg.randn(4, out=out), tg.randn(4)),
    "normal": lambda out: (tg.normal(0.0, 1.0, (4,), out=out), tg.normal(0.0, 1.0, (4,))),
    "normal of tensors": lambda out: (tg.normal(tg.zeros(4), 1.0, out=out), tg.normal(tg.zeros(4), 1.0)),
    "bernoulli": lambda out: (tg.bernoulli(tg.full((4,), 0.5), out=out), tg.bernoulli(tg.full((4,), 0.5))),
    "randint": lambda out: (tg.randint(90, (4,), out=out.long()), tg.randint(90, (4,))),
    "randperm": lambda out: (tg.randperm(4, out=out.long()), tg.randperm(4)),
    "multinomial": lambda out: (tg.multinomial(tg.ones(9), 4, out=out.long()), tg.multinomial(tg.ones(9), 4)),
}


@pytest.mark.parametrize("name", OUTS)
def test_draws_go_into_out(name: str) -> None:
    state = tg.get_rng_state()
    out = tg.empty(4)
    found, following = OUTS[name](out)
    assert found is out or found.dtype is tg.int64
    tg.set_rng_state(state)
    again, _ = OUTS[name](tg.empty(4))
    assert same(found, again) and not same(found, following)


# --- distributions: the bounds are five standard errors, and the seed is fixed

COUNT = 20_000


def moments(x: Any, mean: float, variance: float, fourth: float) -> None:
    """The sample's mean and variance are near those of the distribution, whose fourth central moment is given."""
    values = x.double().numpy().ravel()
    assert abs(values.mean() - mean) < 5 * math.sqrt(variance / values.size), values.mean()
    assert abs(values.var() - variance) < 5 * math.sqrt((fourth - variance**2) / values.size), values.var()


@pytest.mark.parametrize("dtype", [tg.float32, tg.float64, tg.float16])
def test_rand_is_even(dtype: Any) -> None:
    x = tg.rand(COUNT, dtype=dtype)
    moments(x, 0.5, 1 / 12, 1 / 80)
    counts = np.histogram(x.double().numpy(), 10, (0, 1))[0]
    assert abs(counts - COUNT / 10).max() < 5 * math.sqrt(COUNT * 0.09)
    assert float(x.min()) >= 0 and float(x.max()) < 1
    assert len(np.unique(x.numpy())) > (1000 if dtype is tg.float16 else COUNT * 0.9)


def test_halves_never_round_to_one() -> None:
    assert float(tg.rand(300_000, dtype=tg.float16).max()) < 1


@pytest.mark.parametrize("dtype", [tg.float32, tg.float64, tg.float16])
def test_randn_is_normal(dtype: Any) -> None:
    x = tg.randn(COUNT, dtype=dtype)
    moments(x, 0, 1, 3)
    values = x.double().numpy()
    for bound, share in ((1, 0.6827), (2, 0.9545)):
        assert abs((np.abs(values) < bound).mean() - share) < 5 * math.sqrt(share * (1 - share) / COUNT)
    assert abs((values > 0).mean() - 0.5) < 5 * 0.5 / math.sqrt(COUNT)


def test_neighbours_do_not_depend_on_each_other() -> None:
    for draw in (tg.rand, tg.randn):
        x = draw(COUNT).double().numpy()
        assert abs(np.corrcoef(x[:-1], x[1:])[0, 1]) < 5 / math.sqrt(COUNT)


@pytest.mark.parametrize(("low", "high"), [(0, 2), (-3, 4), (5, 6), (0, 256)])
def test_randint_reaches_every_integer_and_no_other(low: int, high: int) -> None:
    x = tg.randint(low, high, (COUNT,)).numpy()
    values, counts = np.unique(x, return_counts=True)
    assert values.tolist() == list(range(low, high))
    share = 1 / (high - low)
    assert abs(counts - COUNT * share).max() <= 5 * math.sqrt(COUNT * share * (1 - share))


def test_randint_of_large_bounds() -> None:
    x = tg.randint(-(2**62), 2**62, (1000,)).numpy()
    assert x.min() < -(2**61) and x.max() > 2**61
    assert tg.randint(3, (9,), dtype=tg.uint8).dtype is tg.uint8


@given(n=st.integers(0, 60), seed=st.integers(0, 2**32))
def test_randperm_names_each_once(n: int, seed: int) -> None:
    drawn = tg.randperm(n, generator=tg.Generator().manual_seed(seed))
    assert drawn.dtype is tg.int64 and sorted(drawn.tolist()) == list(range(n))


def test_randperm_is_even() -> None:
    first = np.bincount([tg.randperm(4)[0].item() for _ in range(2000)], minlength=4)
    assert abs(first - 500).max() < 5 * math.sqrt(2000 * 3 / 16)


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_bernoulli_has_the_probability_it_is_given(p: float) -> None:
    x = tg.bernoulli(tg.full((COUNT,), p))
    assert set(x.tolist()) <= {0.0, 1.0}
    assert abs(float(x.mean()) - p) <= 5 * math.sqrt(p * (1 - p) / COUNT)


def test_bernoulli_asks_each_element() -> None:
    assert tg.bernoulli(tg.tensor([[0.0, 1.0], [1.0, 0.0]])).tolist() == [[0.0, 1.0], [1.0, 0.0]]


def test_uniform_in_place() -> None:
    x = tg.empty(COUNT)
    assert x.uniform_(-2, 4) is x
    moments(x, 1, 3, 6**4 / 80)
    assert float(x.min()) >= -2 and float(x.max()) <= 4
    tg.manual_seed(1)
    by_name = tg.empty(4).uniform_(**{"from": 2, "to": 3})
    tg.manual_seed(1)
    assert same(by_name, tg.empty(4).uniform_(2, 3)) and float(by_name.min()) >= 2
    assert tg.empty(3).uniform_(2, 2).tolist() == [2.0] * 3


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-2, 3)])
def test_uniform_in_place_never_rounds_to_its_upper_bound(low: int, high: int) -> None:
    x = tg.empty(100_000, dtype=tg.float16).uniform_(low, high)
    assert float(x.max()) < high and float(x.min()) >= low


def test_normal_in_place() -> None:
    x = tg.empty(COUNT, dtype=tg.float64)
    assert x.normal_(3, 0.5) is x and x.dtype is tg.float64
    moments(x, 3, 0.25, 3 * 0.25**2)
    assert tg.empty(3).normal_(mean=4, std=0).tolist() == [4.0] * 3


# --- filling in place keeps to the rules of edits


def test_fills_write_through_views_and_stamp() -> None:
    x = tg.zeros(2, 3)
    x[0].uniform_(1, 2)
    x.t()[2].normal_(50, 1)
    assert x[1, :2].tolist() == [0.0, 0.0] and all(1 <= v < 2 for v in x[0, :2].tolist()) and float(x[:, 2].min()) > 40
    w, c = tg.ones(3, requires_grad=True), tg.ones(3)
    y = (w * c).sum()
    c.uniform_()
    with pytest.raises(GraphError, match="uniform_ has overwritten it"):
        y.backward()


def test_leaves_are_filled_under_no_grad_only() -> None:
    w = tg.zeros(3, requires_grad=True)
    for fill in (w.uniform_, w.normal_):
        with pytest.raises(GraphError, match=r"(?s)leaf that requires grad.*no_grad"):
            fill()
    assert w.tolist() == [0.0] * 3
    with tg.no_grad():
        w.normal_()
    assert w.requires_grad and w.is_leaf and 0.0 not in w.tolist()


def test_what_is_drawn_has_no_history() -> None:
    p = tg.full((3,), 0.5, requires_grad=True)
    assert not tg.rand_like(p).requires_grad and tg.rand_like(p, requires_grad=True).is_leaf


FILLINGS: dict[str, Callable[[Any], Any]] = {
    "uniform_": lambda x: x.uniform_(),
    "normal_": lambda x: x.normal_(),
    "log_normal_": lambda x: x.log_normal_(),
    "cauchy_": lambda x: x.cauchy_(),
    "exponential_": lambda x: x.exponential_(),
    "geometric_": lambda x: x.geometric_(0.5),
    "random_": lambda x: x.random_(),
    "bernoulli_": lambda x: x.bernoulli_(),
    "bernoulli_ of a tensor": lambda x: x.bernoulli_(x.detach() * 0),
}
DRAWN: dict[str, Callable[[Any, Any], Any]] = {
    "bernoulli": lambda lib, x: lib.bernoulli(x),
    "poisson": lambda lib, x: lib.poisson(x),
    "normal": lambda lib, x: lib.normal(x, x),
    "normal of a mean": lambda lib, x: lib.normal(x, 1.0),
}


@pytest.mark.parametrize("name", FILLINGS)
def test_filling_what_is_in_a_graph_makes_the_gradient_zero(torch: Any, name: str) -> None:
    for lib in (tg, torch):
        w = lib.ones(3, requires_grad=True)
        x = w * 1
        assert FILLINGS[name](x) is x and x.requires_grad and not x.is_leaf
        (x + w).sum().backward()
        assert w.grad.tolist() == [1.0] * 3


@pytest.mark.parametrize("name", FILLINGS)
def test_filling_a_view_writes_into_its_base(name: str) -> None:
    base = tg.full((2, 3), -7.0)
    x = FILLINGS[name](base[:, 1])
    assert base[:, 1].tolist() == x.tolist() and -7.0 not in x.tolist() and base[:, ::2].tolist() == [[-7.0] * 2] * 2


@pytest.mark.parametrize("name", DRAWN)
def test_no_gradient_goes_through_a_draw(torch: Any, name: str) -> None:
    for lib in (tg, torch):
        w = lib.full((3,), 0.5, requires_grad=True)
        x = DRAWN[name](lib, w)
        assert x.requires_grad
        x.sum().backward()
        assert w.grad.tolist() == [0.0] * 3 and w.tolist() == [0.5] * 3


def test_a_forked_generator_comes_back() -> None:
    first = tg.rand(3)
    tg.manual_seed(0)
    with tg.random.fork_rng():
        tg.manual_seed(5), tg.rand(2)
    assert same(first, tg.rand(3)) and tg.initial_seed() == 0
    with tg.random.fork_rng(enabled=False):
        tg.manual_seed(5)
    assert tg.initial_seed() == 5
    with pytest.raises(ZeroDivisionError), tg.random.fork_rng(devices=[]):
        tg.manual_seed(6), 1 / 0
    assert tg.initial_seed() == 5


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g)), tg.Generator.clone_state])
def test_a_generators_copy_goes_on_alone(twin: Any) -> None:
    g = tg.Generator().manual_seed(3)
    tg.randint(9, (3,), generator=g)
    h = twin(g)
    first = tg.randn(3, generator=g)
    assert same(first, tg.randn(3, generator=h)) and h.initial_seed() == 3 and g.device == h.device == "cpu"


# --- what is refused

REFUSED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "rand of integers": (lambda: tg.rand(2, dtype=tg.int64), DtypeError, "rand: .*int64 came; use randint"),
    "randn of bools": (lambda: tg.randn(2, dtype=tg.bool), DtypeError, "randn: .*bool came"),
    "rand_like of integers": (lambda: tg.rand_like(tg.tensor([1])), DtypeError, "rand.*: .*int64"),
    "randint, nothing to draw": (lambda: tg.randint(3, 3, (2,)), ArgumentError, "there is no integer from 3 up"),
    "randint(0)": (lambda: tg.randint(0, (2,)), ArgumentError, "from 0 up to but not including 0"),
    "randint of a fraction": (lambda: tg.randint(2.5, (2,)), ArgumentTypeError, "randint: .*2.5"),
    "randint without size": (lambda: tg.randint(1, 5), ArgumentTypeError, r"randint\(low, high, size\)"),
    "randint without anything": (lambda: tg.randint(), ArgumentTypeError, "randint"),
    "randint, size no tuple": (lambda: tg.randint(0, 5, 3), ArgumentTypeError, "randint: .*tuple"),
    "a negative size": (lambda: tg.rand(-1), ShapeError, r"rand: sizes can't be negative, \(-1,\)"),
    "no size": (lambda: tg.randn(), ArgumentTypeError, r"randn: size is missing; write randn\(2, 3\)"),
    "randperm(-1)": (lambda: tg.randperm(-1), ShapeError, "randperm: .*negative"),
    "randperm of a fraction": (lambda: tg.randperm(2.5), ArgumentTypeError, "randperm: .*2.5"),
    "a seed of text": (lambda: tg.manual_seed("1"), ArgumentTypeError, "manual_seed: a seed is an integer, not str"),
    "a seed of a fraction": (lambda: tg.manual_seed(1.5), ArgumentTypeError, "manual_seed: .*float"),
    "NumPy's generator": (
        lambda: tg.rand(2, generator=np.random.default_rng(0)),
        ArgumentTypeError,
        "generator: a tinygrad_dl.Generator is needed, not Generator",
    ),
    "a seed as generator": (lambda: tg.randperm(2, generator=3), ArgumentTypeError, "generator: .*int"),
    "probabilities above 1": (lambda: tg.bernoulli(tg.tensor([1.5])), ArgumentError, "bernoulli: .*between 0 and 1"),
    "probabilities that are NaN": (lambda: tg.bernoulli(tg.tensor([math.nan])), ArgumentError, "bernoulli"),
    "probabilities of integers": (lambda: tg.bernoulli(tg.tensor([1])), DtypeError, "bernoulli: .*int64"),
    "a probability": (lambda: tg.bernoulli(0.5), ArgumentTypeError, "bernoulli: input must be a Tensor, float came"),
    "uniform_ backwards": (lambda: tg.zeros(2).uniform_(3, 1), ArgumentError, "uniform_: from 3 lies above to 1"),
    "uniform_ of integers": (lambda: tg.tensor([1]).uniform_(), DtypeError, "uniform_: .*int64"),
    "uniform_, unknown name": (lambda: tg.zeros(2).uniform_(low=1), ArgumentTypeError, "uniform_: .*'low'.*from, to"),
    "normal_ of a negative deviation": (lambda: tg.zeros(2).normal_(0, -1), ArgumentError, "normal_: std .*-1 came"),
    "normal_ of integers": (lambda: tg.tensor([1]).normal_(), DtypeError, "normal_: .*int64"),
    "rand_like of an array": (lambda: tg.rand_like(np.ones(2)), ArgumentTypeError, "rand_like: .*not ndarray"),
    "weights of integers": (lambda: tg.multinomial(tg.tensor([1, 2]), 1), DtypeError, "multinomial: .*int64 came"),
    "weights in a list": (lambda: tg.multinomial([1.0], 1), ArgumentTypeError, "multinomial: input .*list came"),
    "weights of three dimensions": (lambda: tg.multinomial(tg.ones(1, 2, 3), 1), ShapeError, r"1 or 2.*\(1, 2, 3\)"),
    "a weight below 0": (lambda: tg.multinomial(tg.tensor([1.0, -1]), 1), ArgumentError, "multinomial: weights"),
    "a weight that is infinite": (lambda: tg.multinomial(tg.tensor([1.0, math.inf]), 1), ArgumentError, "weights"),
    "a weight that is NaN": (lambda: tg.multinomial(tg.tensor([1.0, math.nan]), 1, True), ArgumentError, "weights"),
    "weights that are all 0": (lambda: tg.multinomial(tg.zeros(2), 1, True), ArgumentError, "multinomial: .*all 0"),
    "too many samples": (lambda: tg.multinomial(tg.ones(2), 3), ArgumentError, "3 samples .*from 2.*replacement=True"),
    "no samples": (lambda: tg.multinomial(tg.ones(2), 0), ArgumentError, "num_samples must be positive, 0 came"),
    "samples, a fraction": (lambda: tg.multinomial(tg.ones(2), 1.5), ArgumentTypeError, "num_samples .*1.5"),
    "normal of two numbers": (lambda: tg.normal(0.0, 1.0), ArgumentTypeError, "normal: .*size="),
    "normal, deviation below 0": (lambda: tg.normal(tg.zeros(2), -1.0), ArgumentError, "normal: std .*-1.0 came"),
    "normal, deviations below 0": (lambda: tg.normal(0.0, -tg.ones(2)), ArgumentError, "normal: std can't be negative"),
    "normal of integers": (lambda: tg.normal(tg.tensor([1]), 1.0), DtypeError, "normal: .*int64"),
    "normal, size of a tensor": (lambda: tg.normal(tg.zeros(2), 1.0, (2,)), ArgumentTypeError, "normal: size"),
    "normal of a size of integers": (lambda: tg.normal(0, 1, (2,), dtype=tg.int64), DtypeError, "normal: .*int64"),
    "a rate below 0": (lambda: tg.poisson(-tg.ones(2)), ArgumentError, "poisson: rates can't be negative"),
    "a rate that is NaN": (lambda: tg.poisson(tg.tensor([math.nan])), ArgumentError, "poisson: rates"),
    "a rate that is infinite": (lambda: tg.poisson(tg.tensor([math.inf])), ArgumentError, "poisson: rates"),
    "bernoulli_ of another device": (
        lambda: tg.zeros(1, device="strict").bernoulli_(tg.ones(1)), tg.DeviceError, "p is on 'cpu', .*'strict'"
    ),
    "binomial of two devices": (
        lambda: tg.binomial(tg.ones(1, device="strict"), tg.ones(1)), tg.DeviceError, "cpu.*strict|strict.*cpu"
    ),
    "binomial of two shapes": (lambda: tg.binomial(tg.ones(3), tg.ones(2)), ShapeError, r"\(3,\).*\(2,\)"),
    "normal of two shapes": (lambda: tg.normal(tg.ones(3), tg.ones(2)), ShapeError, r"\(3,\).*\(2,\)"),
    "rates of integers": (lambda: tg.poisson(tg.tensor([1])), DtypeError, "poisson: .*int64"),
    "trials below 0": (lambda: tg.binomial(-tg.ones(1), tg.ones(1)), ArgumentError, "binomial: counts"),
    "bernoulli_ of more than 1": (lambda: tg.zeros(2).bernoulli_(1.5), ArgumentError, "bernoulli_: .*1.5 came"),
    "bernoulli_ of another shape": (lambda: tg.zeros(2).bernoulli_(tg.ones(3)), ShapeError, r"\(3,\).*\(2,\)"),
    "bernoulli_ of integers": (lambda: tg.zeros(1).bernoulli_(tg.tensor([1])), DtypeError, "bernoulli_: .*int64"),
    "random_, nothing to draw": (lambda: tg.zeros(2).random_(5, 5), ArgumentError, "random_: .*from 5 up to"),
    "random_(0)": (lambda: tg.zeros(2).random_(0), ArgumentError, "random_: .*from 0 up to but not including 0"),
    "random_, too large": (lambda: tg.zeros(2, dtype=tg.uint8).random_(300), DtypeError, "random_: .*299.*uint8"),
    "random_, too small": (lambda: tg.zeros(2, dtype=tg.uint8).random_(-1, 5), DtypeError, "random_: .*-1.*uint8"),
    "random_ of a fraction": (lambda: tg.zeros(2).random_(2.5), ArgumentTypeError, "random_: .*2.5"),
    "random_, only from": (lambda: tg.zeros(2).random_(**{"from": 2}), ArgumentTypeError, "random_"),
    "random_, three bounds": (lambda: tg.zeros(2).random_(1, 2, 3), ArgumentTypeError, "random_"),
    "randint, too large": (lambda: tg.randint(300, (2,), dtype=tg.uint8), DtypeError, "randint: .*299.*uint8"),
    "randint, bool": (lambda: tg.randint(3, (2,), dtype=tg.bool), DtypeError, "randint: .*bool, which holds 0 to 1"),
    "randperm, too large": (lambda: tg.randperm(300, dtype=tg.uint8), DtypeError, "randperm: 299 .*uint8"),
    "exponential_, rate 0": (lambda: tg.zeros(2).exponential_(0), ArgumentError, "exponential_: lambd .*0 came"),
    "exponential_ of integers": (lambda: tg.tensor([1]).exponential_(), DtypeError, "exponential_: .*int64"),
    "geometric_, p 0": (lambda: tg.zeros(2).geometric_(0), ArgumentError, "geometric_: p lies"),
    "geometric_, p 1": (lambda: tg.zeros(2).geometric_(1), ArgumentError, "geometric_: p lies"),
    "geometric_ of bools": (lambda: tg.tensor([True]).geometric_(0.5), DtypeError, "geometric_: .*bool"),
    "log_normal_, std 0": (lambda: tg.zeros(2).log_normal_(1, 0), ArgumentError, "log_normal_: std"),
    "log_normal_ of integers": (lambda: tg.tensor([1]).log_normal_(), DtypeError, "log_normal_: .*int64"),
    "cauchy_, sigma 0": (lambda: tg.zeros(2).cauchy_(0, 0), ArgumentError, "cauchy_: sigma"),
    "cauchy_ of integers": (lambda: tg.tensor([1]).cauchy_(), DtypeError, "cauchy_: .*int64"),
    "uniform_, too wide": (lambda: tg.zeros(2).uniform_(0, math.inf), ArgumentError, "uniform_: .*wide"),
    "a broadcast view": (lambda: tg.zeros(1).expand(3).normal_(), ArgumentError, "normal_: .*broadcast view"),
    "pinned memory": (lambda: tg.rand(2, pin_memory=True), NotImplementedError, "rand: pin_memory"),
    "another layout": (lambda: tg.rand(2, layout="sparse_coo"), NotImplementedError, "rand: .*sparse_coo"),
    "a memory format": (
        lambda: tg.rand_like(tg.ones(1, 1, 1, 1), memory_format=tg.channels_last),
        NotImplementedError,
        "rand_like: .*channels_last",
    ),
    "a seed that is too large": (lambda: tg.manual_seed(2**64), ArgumentError, r"manual_seed: .*18446744073709551616"),
    "a state that is none": (lambda: tg.set_rng_state(tg.zeros(3)), ArgumentError, r"set_state: .*\(48,\).*\(3,\)"),
    "a state in a dict": (lambda: tg.set_rng_state({}), ArgumentTypeError, "set_state: .*not dict"),
    "requires_grad of integers": (lambda: tg.randint(3, (2,), requires_grad=True), DtypeError, "int64"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_says_why(name: str) -> None:
    call, kind, words = REFUSED[name]
    with pytest.raises(kind, match=words) as caught:
        call()
    assert isinstance(caught.value, TinygradError | NotImplementedError)


@pytest.mark.parametrize(
    "call", [lambda: tg.randint(0, (2,)), lambda: tg.rand(2, dtype=tg.int64), lambda: tg.zeros(2).uniform_(3, 1)]
)
def test_what_is_refused_draws_nothing(call: Callable[[], Any]) -> None:
    """So that a mistake that was caught does not change the numbers that follow."""
    before = tg.get_rng_state().tolist()
    with pytest.raises(TinygradError):
        call()
    assert tg.get_rng_state().tolist() == before


@pytest.mark.parametrize("name", ["uniform_", "normal_"])
def test_a_refused_fill_draws_nothing(name: str) -> None:
    before = tg.get_rng_state().tolist()
    for tensor in (tg.tensor([1]), tg.zeros(2, requires_grad=True)):
        with pytest.raises(TinygradError):
            getattr(tensor, name)()
    assert tg.get_rng_state().tolist() == before
