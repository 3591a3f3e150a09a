"""Random numbers. NumPy draws them on the host: the same seed gives the same numbers on every device."""

from collections.abc import Callable
from typing import Any

import numpy as np

from . import backend, dtypes
from .creation import _finish, _like, natural_sizes
from .errors import ArgumentError, ArgumentTypeError, DtypeError
from .methods import attach
from .ops.editing import in_graph, store
from .outputs import fills_out
from .tensor import Tensor, wrap
from .views import require_editable


class Generator:
    """A source of random numbers, as `torch.Generator`; `.numpy` is NumPy's.

    >>> import tinygrad_dl as tg
    >>> g = tg.Generator().manual_seed(0)
    >>> tg.rand(2, generator=g).shape
    tinygrad_dl.Size([2])
    """

    def __init__(self, device: Any = None) -> None:
        self.device = device
        self._seed: int | None = None
        self._numpy: Any = None

    @property
    def numpy(self) -> "np.random.Generator":
        """NumPy's generator; made, and seeded by the system if nobody did, when numbers are first drawn."""
        if self._numpy is None:
            self.seed()
        return self._numpy

    def manual_seed(self, seed: int) -> "Generator":
        """Start again from a seed; returns the generator."""
        if not isinstance(seed, int | np.integer):
            raise ArgumentTypeError(f"manual_seed: a seed is an integer, not {type(seed).__name__}")
        self._seed = int(seed)
        self._numpy = np.random.default_rng(self._seed % 2**64)
        return self

    def seed(self) -> int:
        """Start from a seed that the system draws; returns it."""
        drawn = int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
        self.manual_seed(drawn)
        return drawn

    def initial_seed(self) -> int:
        """The seed from which the generator started."""
        return self.seed() if self._seed is None else self._seed

    def get_state(self) -> dict[str, Any]:
        """The state, to be given to `set_state`."""
        return {"seed": self.initial_seed(), "state": self.numpy.bit_generator.state}

    def set_state(self, state: dict[str, Any]) -> None:
        """Continue from a state that `get_state` gave."""
        self.manual_seed(state["seed"])
        self.numpy.bit_generator.state = state["state"]


default_generator = Generator()


def manual_seed(seed: int) -> Generator:
    """Start the default generator from a seed and return it.

    >>> import tinygrad_dl as tg
    >>> _ = tg.manual_seed(1); a = tg.randn(2)
    >>> _ = tg.manual_seed(1); bool((a == tg.randn(2)).all())
    True
    """
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Start the default generator from a seed that the system draws; returns it.

    >>> import tinygrad_dl as tg
    >>> isinstance(tg.seed(), int)
    True
    """
    return default_generator.seed()


def initial_seed() -> int:
    """The seed from which the default generator started.

    >>> import tinygrad_dl as tg
    >>> _ = tg.manual_seed(3); tg.initial_seed()
    3
    """
    return default_generator.initial_seed()


def get_rng_state() -> dict[str, Any]:
    """The state of the default generator.

    >>> import tinygrad_dl as tg
    >>> state = tg.get_rng_state(); a = tg.rand(2)
    >>> tg.set_rng_state(state); bool((a == tg.rand(2)).all())
    True
    """
    return default_generator.get_state()


def set_rng_state(state: dict[str, Any]) -> None:
    """Continue the default generator from a state.

    >>> import tinygrad_dl as tg
    >>> state = tg.get_rng_state()
    >>> tg.set_rng_state(state)
    """
    default_generator.set_state(state)


def numpy_generator(generator: Generator | None) -> "np.random.Generator":
    """NumPy's generator behind one of ours, or behind the default."""
    if generator is None:
        return default_generator.numpy
    if not isinstance(generator, Generator):
        raise ArgumentTypeError(f"generator: a tinygrad_dl.Generator is needed, not {type(generator).__name__}")
    return generator.numpy


def _floating(name: str, dtype: Any) -> Any:
    found = dtypes.get_default_dtype() if dtype is None else dtypes.find(dtype)
    if not found.is_floating_point:
        raise DtypeError(f"{name}: draws floating numbers, {found} came; use randint for integers")
    return found


@fills_out
def rand(
    *sizes: Any,
    size: Any = None,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers drawn evenly from [0, 1).

    Arguments: sizes (integers or one sequence, also as `size=`), generator, dtype (floating), device, requires_grad.

    >>> import tinygrad_dl as tg
    >>> x = tg.rand(100); bool(((x >= 0) & (x < 1)).all())
    True
    """
    kind = _floating("rand", dtype)
    inner = np.float32 if kind.itemsize <= 4 else np.float64
    drawn = numpy_generator(generator).random(natural_sizes("rand", sizes, size), dtype=inner)
    if kind.itemsize == 2:
        drawn = np.minimum(drawn, np.float32(1 - 2**-11))  # rounding must not reach 1
    return _finish(np.asarray(drawn), kind, device, requires_grad)


@fills_out
def randn(
    *sizes: Any,
    size: Any = None,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers drawn from the normal distribution with mean 0 and variance 1; arguments as for `rand`.

    >>> import tinygrad_dl as tg
    >>> tg.randn(2, 3).shape
    tinygrad_dl.Size([2, 3])
    """
    kind = _floating("randn", dtype)
    drawn = numpy_generator(generator).standard_normal(
        natural_sizes("randn", sizes, size), dtype=np.float32 if kind.itemsize <= 4 else np.float64
    )
    return _finish(np.asarray(drawn), kind, device, requires_grad)


@fills_out
def randint(
    low: Any = None,
    high: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Integers drawn evenly from low, ..., high - 1; `randint(high, size)` starts at 0.

    Raises ArgumentError when there is nothing to draw from.

    >>> import tinygrad_dl as tg
    >>> tg.randint(3, (2, 2)).shape
    tinygrad_dl.Size([2, 2])
    """
    given = [value for value in (low, high, size) if value is not None]
    low, high, size = (0, *given) if len(given) == 2 else (low, high, size)
    if not isinstance(size, tuple | list) or not all(isinstance(n, int | np.integer) for n in (low, high)):
        raise ArgumentTypeError(
            f"randint: randint(low, high, size) takes two integers and a tuple, {(low, high, size)!r} came"
        )
    if high <= low:
        raise ArgumentError(f"randint: there is no integer from {low} up to but not including {high}")
    drawn = numpy_generator(generator).integers(low, high, natural_sizes("randint", (size,)))
    return _finish(np.asarray(drawn), dtypes.int64 if dtype is None else dtype, device, requires_grad)


@fills_out
def randperm(n: int, *, generator: Generator | None = None, dtype: Any = None, device: Any = None) -> Tensor:
    """The integers 0, ..., n - 1 in random order.

    >>> import tinygrad_dl as tg
    >>> sorted(tg.randperm(4).tolist())
    [0, 1, 2, 3]
    """
    (n,) = natural_sizes("randperm", (n,))
    return _finish(numpy_generator(generator).permutation(n), dtypes.int64 if dtype is None else dtype, device)


def rand_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """As `rand`, with the shape, dtype and device of a tensor.

    >>> import tinygrad_dl as tg
    >>> tg.rand_like(tg.zeros(2)).shape
    tinygrad_dl.Size([2])
    """
    return rand(input.shape, **_like("rand_like", input, dtype, device), requires_grad=requires_grad)


def randn_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """As `randn`, with the shape, dtype and device of a tensor.

    >>> import tinygrad_dl as tg
    >>> tg.randn_like(tg.zeros(2)).shape
    tinygrad_dl.Size([2])
    """
    return randn(input.shape, **_like("randn_like", input, dtype, device), requires_grad=requires_grad)


def randint_like(input: Tensor, low: int, high: Any = None, *, dtype: Any = None, device: Any = None) -> Tensor:
    """As `randint`, with the shape, dtype and device of a tensor.

    >>> import tinygrad_dl as tg
    >>> tg.randint_like(tg.zeros(2), 3).shape
    tinygrad_dl.Size([2])
    """
    low, high = (0, low) if high is None else (low, high)
    return randint(low, high, tuple(input.shape), **_like("randint_like", input, dtype, device))


# --- filling tensors


def _redraw(name: str, tensor: Tensor, draw: Callable[[], np.ndarray]) -> Tensor:
    """Draw into a tensor; what is refused draws nothing."""
    _floating(name, tensor.dtype)
    if in_graph(tensor):
        require_editable(name, tensor)
    return store(name, tensor, wrap(backend.from_numpy(draw().astype(tensor.array.dtype), tensor.device)))


def _uniform_(
    self: Tensor, from_: float = 0.0, to: float = 1.0, *, generator: Generator | None = None, **named: Any
) -> Tensor:
    """Numbers drawn evenly from [`from`, `to`), in place."""
    low, high = named.pop("from", from_), to
    if named:
        raise ArgumentTypeError(
            f"uniform_: there is no argument {next(iter(named))!r}; it takes from, to and generator"
        )
    if low > high:
        raise ArgumentError(f"uniform_: from {low} lies above to {high}")
    kind, source = self.array.dtype.type, numpy_generator(generator)

    def draw() -> np.ndarray:
        drawn = source.random(self.array.shape) * (high - low) + low
        return np.minimum(drawn, np.nextafter(kind(high), kind(low)))  # rounding must not reach `to`

    return _redraw("uniform_", self, draw)


def _normal_(self: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Numbers drawn from the normal distribution, in place."""
    if std < 0:
        raise ArgumentError(f"normal_: std can't be negative, {std} came")
    source = numpy_generator(generator)
    return _redraw("normal_", self, lambda: source.standard_normal(self.array.shape) * std + mean)


attach(uniform_=_uniform_, normal_=_normal_)


def bernoulli(input: Tensor, *, generator: Generator | None = None) -> Tensor:
    """1 with the probability that `input` gives, else 0. Raises ArgumentError for what is no probability.

    >>> import tinygrad_dl as tg
    >>> tg.bernoulli(tg.tensor([0.0, 1.0]))
    tensor([0., 1.])
    """
    if not isinstance(input, Tensor):
        raise ArgumentTypeError(f"bernoulli: input must be a Tensor of probabilities, not {type(input).__name__}")
    _floating("bernoulli", input.dtype)
    if not bool(((input.array >= 0) & (input.array <= 1)).all()):
        raise ArgumentError("bernoulli: probabilities lie between 0 and 1")
    drawn = numpy_generator(generator).random(input.array.shape)
    return wrap((backend.from_numpy(drawn, input.device) < input.array).astype(input.array.dtype))
