"""Training on several machines or GPUs at a time, as `torch.distributed`: not available, and says so."""

from typing import Any, NoReturn

from .errors import ArgumentError
from .unavailable import refused


def is_available() -> bool:
    """Whether processes can train together: no.

    >>> import tinygrad_dl as tg
    >>> tg.distributed.is_available(), tg.distributed.is_initialized()
    (False, False)
    """
    return False


def is_initialized() -> bool:
    """Whether this process is one of a group: no."""
    return False


is_nccl_available = is_gloo_available = is_mpi_available = is_torchelastic_launched = is_initialized


def _no_group(name: str) -> Any:
    def ask(group: Any = None) -> NoReturn:
        raise ArgumentError(f"{name}: this process is in no group; ask distributed.is_initialized() first")

    ask.__name__ = ask.__qualname__ = name
    ask.__doc__ = "Raises ArgumentError, as PyTorch does where no group was made."
    return ask


get_rank, get_world_size, get_backend = map(_no_group, ("get_rank", "get_world_size", "get_backend"))

_ALONE = "there is one process and nobody to talk to; guard the call with distributed.is_available()"
_TALK = (
    "init_process_group", "destroy_process_group", "new_group", "init_device_mesh", "barrier", "broadcast",
    "broadcast_object_list", "all_reduce", "reduce", "all_gather", "all_gather_object", "all_gather_into_tensor",
    "gather", "gather_object", "scatter", "scatter_object_list", "reduce_scatter", "reduce_scatter_tensor",
    "all_to_all", "all_to_all_single", "send", "recv", "isend", "irecv",
)  # fmt: skip
for _name in _TALK:
    globals()[_name] = refused(f"distributed.{_name}", _ALONE)


class ReduceOp:
    """How values of several processes are combined; named by scripts, used by nothing here."""

    SUM, PRODUCT, MIN, MAX, AVG = "SUM", "PRODUCT", "MIN", "MAX", "AVG"
