"""Apple's GPUs, as `torch.mps`: they are not used."""

from .unavailable import refused


def is_available() -> bool:
    """Whether Apple's GPUs can be used: no.

    >>> import tinygrad_dl as tg
    >>> tg.mps.is_available()
    False
    """
    return False


def device_count() -> int:
    """The number of such GPUs that can be used: 0."""
    return 0


def manual_seed(seed: int) -> None:
    """Seeds nothing: there is no such device."""


_NONE = "there is no device 'mps'; ask mps.is_available() first"
synchronize, empty_cache = refused("mps.synchronize", _NONE), refused("mps.empty_cache", _NONE)
current_allocated_memory = refused("mps.current_allocated_memory", _NONE)
driver_allocated_memory = refused("mps.driver_allocated_memory", _NONE)
