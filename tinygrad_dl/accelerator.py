"""The fastest kind of device that is there, as `torch.accelerator`: GPUs, or none."""

from typing import Any

from . import backend, cuda
from .cuda import device_count as device_count
from .cuda import empty_cache as empty_cache
from .cuda import is_available as is_available
from .cuda import max_memory_allocated as max_memory_allocated
from .cuda import memory_allocated as memory_allocated
from .cuda import memory_reserved as memory_reserved
from .cuda import reset_peak_memory_stats as reset_peak_memory_stats
from .cuda import synchronize as synchronize


def current_accelerator(check_available: bool = False) -> backend.device | None:
    """The device "cuda" when there is a GPU, else None.

    >>> import tinygrad_dl as tg
    >>> device = tg.accelerator.current_accelerator() or tg.device("cpu")
    """
    return backend.device("cuda") if is_available() else None


def current_device_index() -> int:
    """The number of the GPU on which "cuda" computes. Raises DeviceError when there is none."""
    return cuda.current_device()


def set_device_index(device: Any) -> None:
    """Let "cuda" mean another GPU from now on. Raises DeviceError when it is not there."""
    cuda.set_device(device)


current_device_idx, set_device_idx = current_device_index, set_device_index
