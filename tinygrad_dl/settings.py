"""Settings of the whole process that PyTorch's scripts make: threads, precision, determinism."""

import importlib
import os
import warnings
from typing import Any

from .errors import ArgumentError, ArgumentTypeError

PRECISIONS = ("highest", "high", "medium")
_settings: dict[str, Any] = {"precision": "highest", "deterministic": False, "warn_only": False, "threads": None}


def _threadpools() -> Any:
    try:
        return importlib.import_module("threadpoolctl")
    except ImportError:
        return None


def _positive(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ArgumentTypeError(f"{name}: a number of threads is an integer, {value!r} came")
    if value < 1:
        raise ArgumentError(f"{name}: at least 1 thread is needed, {value} came")
    return value


def set_num_threads(num: int) -> None:
    """Let NumPy's products of matrices use so many threads; everything else runs in one.

    It takes the package threadpoolctl (`pip install threadpoolctl`), without which it warns and changes nothing. Set
    OMP_NUM_THREADS before the program starts to do without. Raises ArgumentError for less than 1.

    >>> import tinygrad_dl as tg
    >>> before = tg.get_num_threads(); tg.set_num_threads(before)
    """
    threads, pools = _positive("set_num_threads", num), _threadpools()
    if pools is None:
        warnings.warn(
            f"set_num_threads({threads}): nothing changed, since the package that tells NumPy's library is missing: "
            "pip install threadpoolctl. Or set OMP_NUM_THREADS before the program starts",
            UserWarning,
            stacklevel=2,
        )
        return
    _settings["threads"] = pools.threadpool_limits(limits=threads, user_api="blas")  # holds while it is alive


def get_num_threads() -> int:
    """How many threads NumPy's products of matrices use, as far as is known without threadpoolctl.

    >>> import tinygrad_dl as tg
    >>> tg.get_num_threads() >= 1
    True
    """
    pools = _threadpools()
    if pools is not None:
        return max([pool["num_threads"] for pool in pools.threadpool_info() if pool["user_api"] == "blas"], default=1)
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return int(asked) if asked.isdigit() and int(asked) > 0 else os.cpu_count() or 1


def set_num_interop_threads(num: int) -> None:
    """Operations run one after another: 1 is as it is, more raises NotImplementedError.

    >>> import tinygrad_dl as tg
    >>> tg.set_num_interop_threads(1)
    """
    if _positive("set_num_interop_threads", num) > 1:
        raise NotImplementedError("set_num_interop_threads: operations run one after another; leave it at 1")


def get_num_interop_threads() -> int:
    """How many operations run at a time: 1.

    >>> import tinygrad_dl as tg
    >>> tg.get_num_interop_threads()
    1
    """
    return 1


def set_float32_matmul_precision(precision: str) -> None:
    """Permit products of float32 matrices of less precision: "highest" (none), "high", "medium".

    It is a permission; products are of full precision all the same. Raises ArgumentError for another word.

    >>> import tinygrad_dl as tg
    >>> tg.set_float32_matmul_precision("high"); tg.get_float32_matmul_precision()
    'high'
    >>> tg.set_float32_matmul_precision("highest")
    """
    if precision not in PRECISIONS:
        raise ArgumentError(
            f"set_float32_matmul_precision: {precision!r} is none of {', '.join(map(repr, PRECISIONS))}"
        )
    _settings["precision"] = precision


def get_float32_matmul_precision() -> str:
    """The precision that was permitted last, "highest" at first.

    >>> import tinygrad_dl as tg
    >>> tg.get_float32_matmul_precision()
    'highest'
    """
    return str(_settings["precision"])


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Ask for the same bits in every run.

    On the CPU they are the same anyway. On a GPU adding at repeated indices is not, and is not refused either.

    >>> import tinygrad_dl as tg
    >>> tg.use_deterministic_algorithms(True); tg.are_deterministic_algorithms_enabled()
    True
    >>> tg.use_deterministic_algorithms(False)
    """
    _settings["deterministic"], _settings["warn_only"] = bool(mode), bool(mode) and bool(warn_only)


def are_deterministic_algorithms_enabled() -> bool:
    """Whether `use_deterministic_algorithms` asked for the same bits in every run.

    >>> import tinygrad_dl as tg
    >>> tg.are_deterministic_algorithms_enabled()
    False
    """
    return bool(_settings["deterministic"])


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Whether `use_deterministic_algorithms` asked for warnings only.

    >>> import tinygrad_dl as tg
    >>> tg.is_deterministic_algorithms_warn_only_enabled()
    False
    """
    return bool(_settings["warn_only"])
