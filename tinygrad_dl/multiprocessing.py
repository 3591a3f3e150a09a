"""Python's `multiprocessing`, and PyTorch's `spawn`. Tensors go to other processes as copies."""

import multiprocessing as _python
import traceback
from collections.abc import Callable
from multiprocessing import *  # noqa: F403  # the names are Python's
from multiprocessing import connection
from typing import Any

from .errors import TinygradError
from .unavailable import refused


class ProcessRaisedException(TinygradError, Exception):
    """A process that `spawn` started raised: the message holds its traceback."""

    def __init__(self, msg: str, error_index: int) -> None:
        super().__init__(msg)
        self.error_index = error_index


def _run(fn: Callable[..., Any], i: int, args: tuple[Any, ...], failures: Any) -> None:
    try:
        fn(i, *args)
    except Exception:
        failures.put((i, traceback.format_exc()))
        raise SystemExit(1) from None


class ProcessContext:
    """The processes that `spawn` started."""

    def __init__(self, processes: list[Any], failures: Any) -> None:
        self.processes, self._failures = processes, failures

    def pids(self) -> list[int]:
        """The numbers by which the system knows them."""
        return [process.pid for process in self.processes]

    def join(self, timeout: float | None = None) -> bool:
        """Wait until one fails or all have ended, in which case it is True.

        When one failed the others are ended and ProcessRaisedException is raised. False after `timeout` seconds.
        """
        waiting = {process.sentinel: process for process in self.processes if process.exitcode is None}
        while waiting and not any(process.exitcode for process in self.processes):
            ended = connection.wait(list(waiting), timeout)
            if not ended:
                return False
            for sentinel in ended:
                waiting.pop(sentinel).join()
        failed = next((i for i, process in enumerate(self.processes) if process.exitcode), None)
        if failed is None:
            return True
        for process in waiting.values():
            process.terminate()
            process.join()
        if self._failures.empty():
            raise ProcessRaisedException(
                f"spawn: process {failed} ended with {self.processes[failed].exitcode}", failed
            )
        i, text = self._failures.get()
        raise ProcessRaisedException(f"spawn: process {i} raised:\n\n{text}", i)


def spawn(
    fn: Callable[..., Any],
    args: tuple[Any, ...] = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:
    """Run `fn(i, *args)` for i = 0, ..., nprocs - 1, each in a process of its own.

    With `join` it returns when all have ended, and raises ProcessRaisedException when one failed, after it has ended
    the others; without it returns the ProcessContext, which has `join()`.
    """
    context: Any = _python.get_context(start_method)
    failures = context.SimpleQueue()
    processes = [context.Process(target=_run, args=(fn, i, args, failures), daemon=daemon) for i in range(nprocs)]
    for process in processes:
        process.start()
    started = ProcessContext(processes, failures)
    return None if join and started.join() else started


_COPIES = "tensors go to other processes as copies; there is no strategy to choose"
get_sharing_strategy = refused("multiprocessing.get_sharing_strategy", _COPIES)
set_sharing_strategy = refused("multiprocessing.set_sharing_strategy", _COPIES)
