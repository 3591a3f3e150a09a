"""Sources of random numbers and their seeds. NumPy's generator draws on the host, whatever the device."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from . import backend
from .errors import ArgumentError, ArgumentTypeError
from .tensor import Tensor, wrap

_LAYOUT = struct.Struct("<QQQQQII")  # of a state: the seed, then both halves of PCG64's two large integers, then a rest
_HALF = 2**64 - 1


class Generator:
    """A source of random numbers, as `torch.Generator`; `.numpy` is NumPy's.

    A generator is of no device: its numbers are drawn on the host, and are the same everywhere.

    >>> import tinygrad_dl as tg
    >>> g = tg.Generator().manual_seed(0)
    >>> tg.rand(2, generator=g).shape
    tinygrad_dl.Size([2])
    """

    def __init__(self, device: Any = None) -> None:
        self.device = backend.CPU if device is None else backend.find_device(device)
        self._seed: int | None = None
        self._numpy: Any = None

    @property
    def numpy(self) -> "np.random.Generator":
        """NumPy's generator; made, and seeded by the system if nobody did, when numbers are first drawn."""
        if self._numpy is None:
            self.seed()
        return self._numpy

    def manual_seed(self, seed: int) -> "Generator":
        """Start again from a seed, an integer from -2⁶³ to 2⁶⁴ - 1; returns the generator."""
        if isinstance(seed, Tensor):
            seed = seed.__index__()
        if not isinstance(seed, int | np.integer):
            raise ArgumentTypeError(f"manual_seed: a seed is an integer, not {type(seed).__name__}")
        if not -(2**63) <= seed < 2**64:
            raise ArgumentError(f"manual_seed: a seed lies between -2**63 and 2**64 - 1, {seed} came")
        self._seed = int(seed) % 2**64
        self._numpy = np.random.default_rng(self._seed)
        return self

    def seed(self) -> int:
        """Start from a seed that the system draws; returns it."""
        drawn = int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
        self.manual_seed(drawn)
        return drawn

    def initial_seed(self) -> int:
        """The seed from which the generator started."""
        return self.seed() if self._seed is None else self._seed

    def get_state(self) -> Tensor:
        """The state as a tensor of bytes, to be given to `set_state`."""
        seed, state = self.initial_seed(), self.numpy.bit_generator.state
        large = [part for name in ("state", "inc") for part in divmod(state["state"][name], 2**64)]
        packed = _LAYOUT.pack(seed, *large, state["has_uint32"], state["uinteger"])
        return wrap(np.frombuffer(packed, np.uint8).copy())

    def set_state(self, state: Tensor) -> None:
        """Continue from a state that `get_state` gave. Raises ArgumentError for another tensor."""
        if not isinstance(state, Tensor):
            raise ArgumentTypeError(f"set_state: a Tensor that get_state gave is needed, not {type(state).__name__}")
        packed = backend.to_numpy(state.array).tobytes()
        if len(packed) != _LAYOUT.size or state.array.dtype != np.uint8:
            raise ArgumentError(
                f"set_state: a state is a uint8 tensor of shape ({_LAYOUT.size},), {state.dtype} of shape "
                f"{tuple(state.shape)} came; pass what get_state gave"
            )
        seed, *large, has_rest, rest = _LAYOUT.unpack(packed)
        self.manual_seed(seed)
        words = {"state": large[0] << 64 | large[1], "inc": large[2] << 64 | large[3]}
        known: Any = self.numpy.bit_generator.state
        self.numpy.bit_generator.state = known | {"state": words, "has_uint32": has_rest, "uinteger": rest}

    def clone_state(self) -> "Generator":
        """Another generator that goes on from here with the same numbers."""
        twin = Generator(self.device)
        twin.set_state(self.get_state())
        return twin


default_generator = Generator()


def numpy_generator(generator: Generator | None) -> "np.random.Generator":
    """NumPy's generator behind one of ours, or behind the default."""
    if generator is None:
        return default_generator.numpy
    if not isinstance(generator, Generator):
        raise ArgumentTypeError(f"generator: a tinygrad_dl.Generator is needed, not {type(generator).__name__}")
    return generator.numpy


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


def get_rng_state() -> Tensor:
    """The state of the default generator, a tensor of bytes.

    >>> import tinygrad_dl as tg
    >>> state = tg.get_rng_state(); a = tg.rand(2)
    >>> tg.set_rng_state(state); bool((a == tg.rand(2)).all())
    True
    """
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Continue the default generator from a state that `get_rng_state` gave.

    >>> import tinygrad_dl as tg
    >>> state = tg.get_rng_state()
    >>> tg.set_rng_state(state)
    """
    default_generator.set_state(new_state)


@contextmanager
def fork_rng(devices: Any = None, enabled: bool = True, device_type: str = "cuda") -> Iterator[None]:
    """A block after which the default generator goes on from where it was before.

    `devices` and `device_type` name the generators that PyTorch would also keep; here one draws for all devices.

    >>> import tinygrad_dl as tg
    >>> before = tg.initial_seed()
    >>> with tg.random.fork_rng(): _ = tg.manual_seed(7)
    >>> tg.initial_seed() == before
    True
    """
    state = get_rng_state() if enabled else None
    try:
        yield
    finally:
        if state is not None:
            set_rng_state(state)
