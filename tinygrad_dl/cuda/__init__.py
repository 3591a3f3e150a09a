"""GPUs, as `torch.cuda`: what there is, where to compute, how much memory CuPy holds. Without a GPU it says so."""

from types import TracebackType
from typing import Any, NamedTuple

from .. import backend
from ..errors import ArgumentTypeError, DeviceError
from ..generator import default_generator
from ..tensor import Tensor
from ..tensor_types import TYPES
from ..unavailable import refused
from . import amp as amp

FloatTensor, DoubleTensor, HalfTensor = (TYPES["cuda"][f"{name}Tensor"] for name in ("Float", "Double", "Half"))
LongTensor, IntTensor, ShortTensor = (TYPES["cuda"][f"{name}Tensor"] for name in ("Long", "Int", "Short"))
CharTensor, ByteTensor, BoolTensor = (TYPES["cuda"][f"{name}Tensor"] for name in ("Char", "Byte", "Bool"))


class Properties(NamedTuple):
    """What a GPU is: its name, compute capability, bytes of memory and number of multiprocessors."""

    name: str
    major: int
    minor: int
    total_memory: int
    multi_processor_count: int


# --- which GPUs there are


def _cupy() -> Any:
    """CuPy; DeviceError when it or a GPU is missing."""
    return backend.module_of(backend.device("cuda"))


def is_available() -> bool:
    """Whether CuPy is installed and finds a GPU.

    >>> import tinygrad_dl as tg
    >>> device = "cuda" if tg.cuda.is_available() else "cpu"
    """
    try:
        _cupy()
    except DeviceError:
        return False
    return True


def device_count() -> int:
    """The number of GPUs; 0 without CuPy.

    >>> import tinygrad_dl as tg
    >>> tg.cuda.device_count() > 0 or not tg.cuda.is_available()
    True
    """
    return int(_cupy().cuda.runtime.getDeviceCount()) if is_available() else 0


def runtime_version() -> str | None:
    """The version of CUDA that CuPy runs on, as "12.4"; None without a GPU."""
    if not is_available():
        return None
    number = _cupy().cuda.runtime.runtimeGetVersion()
    return f"{number // 1000}.{number % 1000 // 10}"


def is_initialized() -> bool:
    """Whether a GPU was used already."""
    return "cuda" in backend.in_use()


def init() -> None:
    """Find the GPU. Raises DeviceError when there is none."""
    _cupy()


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Whether bfloat16 can be used: no, NumPy and CuPy have no such dtype.

    >>> import tinygrad_dl as tg
    >>> tg.cuda.is_bf16_supported()
    False
    """
    return False


def is_tf32_supported() -> bool:
    """Whether products may lose precision for speed: no."""
    return False


# --- one of them


def _index(where: Any) -> int:
    """The number of the GPU that an integer, a string or a device names; None is the current one."""
    if where is not None and not isinstance(where, int | str | backend.device):
        raise ArgumentTypeError(f"cuda: a GPU is a number, 'cuda:0' or a device, {where!r} came")
    index = where if where is None or isinstance(where, int) else backend.device(where).index
    if isinstance(where, str | backend.device) and backend.device(where).type != "cuda":
        raise DeviceError(f"cuda: {str(where)!r} is no GPU")
    count = int(_cupy().cuda.runtime.getDeviceCount())
    if index is None:
        return current_device()
    if not 0 <= index < count:
        raise DeviceError(f"cuda: there is no GPU {index}; this machine has {count}, numbered from 0")
    return index


def current_device() -> int:
    """The number of the GPU on which "cuda" computes. Raises DeviceError when there is none."""
    return int(_cupy().cuda.runtime.getDevice())


def set_device(device: Any) -> None:
    """Let "cuda" mean another GPU from now on; a negative number changes nothing."""
    if not (isinstance(device, int) and device < 0):
        _cupy().cuda.Device(_index(device)).use()


def get_device_properties(device: Any = None) -> Properties:
    """What a GPU is. Raises DeviceError when there is none."""
    found = _cupy().cuda.runtime.getDeviceProperties(_index(device))
    name = found["name"].decode() if isinstance(found["name"], bytes) else str(found["name"])
    return Properties(name, found["major"], found["minor"], found["totalGlobalMem"], found["multiProcessorCount"])


def get_device_name(device: Any = None) -> str:
    """The name of a GPU. Raises DeviceError when there is none."""
    return get_device_properties(device).name


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """The compute capability of a GPU. Raises DeviceError when there is none."""
    return get_device_properties(device)[1:3]


class device:
    """A block in which "cuda" means one GPU; a negative number or None changes nothing.

    >>> import tinygrad_dl as tg
    >>> with tg.cuda.device(-1): pass
    """

    def __init__(self, device: Any) -> None:
        nothing = device is None or (isinstance(device, int) and device < 0)
        self.idx = -1 if nothing else _index(device)
        self._outer = -1

    def __enter__(self) -> None:
        if self.idx >= 0:
            self._outer = current_device()
            set_device(self.idx)

    def __exit__(self, kind: Any, error: BaseException | None, trace: TracebackType | None) -> None:
        set_device(self._outer)


class device_of(device):
    """A block in which "cuda" means the GPU of a tensor; one on the CPU changes nothing."""

    def __init__(self, obj: Tensor) -> None:
        super().__init__(obj.device if obj.is_cuda else None)


def synchronize(device: Any = None) -> None:
    """Wait until a GPU has done what was asked of it. Raises DeviceError when there is none."""
    _cupy().cuda.Device(_index(device)).synchronize()


# --- memory


def empty_cache() -> None:
    """Give back the memory that CuPy keeps for later; nothing without a GPU."""
    if is_available():
        _cupy().get_default_memory_pool().free_all_blocks()


def memory_allocated(device: Any = None) -> int:
    """Bytes that arrays of a GPU hold; 0 without one.

    >>> import tinygrad_dl as tg
    >>> tg.cuda.memory_allocated() >= 0
    True
    """
    return _pool(device, "used_bytes")


def memory_reserved(device: Any = None) -> int:
    """Bytes that CuPy holds on a GPU for arrays, those kept for later among them; 0 without a GPU."""
    return _pool(device, "total_bytes")


memory_cached = memory_reserved


def _pool(where: Any, question: str) -> int:
    if not is_available():
        return 0
    with _cupy().cuda.Device(_index(where)):
        return int(getattr(_cupy().get_default_memory_pool(), question)())


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """Free bytes and all bytes of a GPU. Raises DeviceError when there is none."""
    with _cupy().cuda.Device(_index(device)):
        free, total = _cupy().cuda.runtime.memGetInfo()
    return int(free), int(total)


def _no_peak(name: str) -> Any:
    def peak(device: Any = None) -> int:
        if is_available():
            raise NotImplementedError(
                f"cuda.{name}: CuPy's pool keeps no peak; ask memory_allocated() where it matters"
            )
        return 0

    peak.__name__ = peak.__qualname__ = name
    peak.__doc__ = "0 without a GPU; with one it raises NotImplementedError, since CuPy keeps no peak."
    return peak


max_memory_allocated, max_memory_reserved = _no_peak("max_memory_allocated"), _no_peak("max_memory_reserved")
reset_peak_memory_stats = _no_peak("reset_peak_memory_stats")
reset_max_memory_allocated = reset_peak_memory_stats


# --- random numbers: the default generator draws them for every device


def manual_seed(seed: int) -> None:
    """Start the random numbers of GPUs from a seed: those of the default generator; nothing without a GPU.

    >>> import tinygrad_dl as tg
    >>> tg.cuda.manual_seed(0)
    """
    if is_available():
        default_generator.manual_seed(seed)


manual_seed_all = manual_seed


def seed() -> None:
    """Start the random numbers of GPUs from a seed that the system draws; nothing without a GPU."""
    if is_available():
        default_generator.seed()


seed_all = seed


def initial_seed() -> int:
    """The seed from which the default generator, which draws for GPUs too, started."""
    return default_generator.initial_seed()


def get_rng_state(device: Any = "cuda") -> Tensor:
    """The state of the default generator, which draws for GPUs too."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor, device: Any = "cuda") -> None:
    """Continue the default generator, which draws for GPUs too, from a state."""
    default_generator.set_state(new_state)


def get_rng_state_all() -> list[Tensor]:
    """The state of the default generator, once for each GPU."""
    return [default_generator.get_state()] * device_count()


def set_rng_state_all(new_states: list[Tensor]) -> None:
    """Continue the default generator from the first of some states."""
    for state in list(new_states)[:1]:
        default_generator.set_state(state)


# --- what is not there

_ONE_STREAM = "work on a GPU runs in CuPy's current stream; use cupy.cuda.Stream around it"
current_stream, default_stream = (
    refused("cuda.current_stream", _ONE_STREAM),
    refused("cuda.default_stream", _ONE_STREAM),
)
stream, set_stream = refused("cuda.stream", _ONE_STREAM), refused("cuda.set_stream", _ONE_STREAM)


class Stream:
    """Raises NotImplementedError: work runs in CuPy's current stream."""

    __init__ = refused("cuda.Stream", _ONE_STREAM)


class Event:
    """Raises NotImplementedError: measure time with `cuda.synchronize()` and `time.perf_counter()`."""

    __init__ = refused("cuda.Event", "measure time with cuda.synchronize() and time.perf_counter()")


class CUDAGraph:
    """Raises NotImplementedError: calls are not captured."""

    __init__ = refused("cuda.CUDAGraph", "calls are not captured; run them again")


OutOfMemoryError = MemoryError  # CuPy's is one of these
