"""The child process that runs one workload in one library: `python -m benchmarks.worker LIBRARY WORKLOAD DEVICE`.

It says whether the library has the workload, then reads one command a line (`check`, `warm SECONDS`, `round`,
`memory`) and answers each, always with one line of JSON.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

import numpy as np

from benchmarks.libraries import PEERS, module_of
from benchmarks.memory import peak_memory, start_of_peak

CHECKED_STEPS = 3  # enough for an optimizer's state to matter
REPORT_PEAK = "from benchmarks.memory import peak_memory; print(peak_memory())"


class Steps:
    """A workload whose steps run in this process."""

    def __init__(self, lib: Any, device: str, build: Callable[[], Any]) -> None:
        self.gpu = None if device == "cpu" else gpu_of(lib)
        fingerprint(0.0)  # loads NumPy's generators, which every workload's numbers come from
        self.before = start_of_peak()
        self.run = build()
        self.steps = 1

    def check(self) -> list[list[float]]:
        """Fingerprints of what the first steps returned and of the results after them."""
        returned = [fingerprint(self.run.step()) for _ in range(CHECKED_STEPS)]
        return returned + [fingerprint(result) for result in self.run.results()]

    def warm(self, seconds: float) -> int:
        """Choose the number of steps in a round so that one lasts about so many seconds.

        From here on the peak is that of steps: building and checking need arrays of their own.
        """
        start_of_peak()
        for _ in range(2):  # the first step is often slow, and one alone is measured badly
            self.steps = max(1, round(seconds / self.round()))
        return self.steps

    def round(self) -> float:
        """Seconds a step: of the processor, or of the clock on the wall when a GPU does the work."""
        clock = time.perf_counter if self.gpu else time.process_time
        step = self.run.step
        self.finish()
        start = clock()
        for _ in range(self.steps):
            step()
        self.finish()
        return (clock() - start) / self.steps

    def finish(self) -> None:
        """Wait for the GPU."""
        if self.gpu:
            self.gpu.synchronize()

    def memory(self) -> float:
        """The peak in MB above what the process held before the workload; on a GPU, what the library reserved there."""
        return self.gpu.reserved() / 1024**2 if self.gpu else peak_memory() - self.before


class Imports:
    """The workload whose step is `import` in a fresh process; all figures are above those of bare Python."""

    def __init__(self, module: str) -> None:
        self.code = f"import {module}; {REPORT_PEAK}"
        self.peak = 0.0

    def check(self) -> list[list[float]]:
        """There is no result to compare."""
        return []

    def warm(self, seconds: float) -> int:
        """Let the compiled files be written and the disk's cache fill; one import is a round, however long it is."""
        self.round()
        return 1

    def round(self) -> float:
        """Processor seconds of the import."""
        bare_seconds, bare_peak = fresh_process(REPORT_PEAK)
        seconds, peak = fresh_process(self.code)
        self.peak = max(self.peak, peak - bare_peak)
        return seconds - bare_seconds

    def memory(self) -> float:
        """The peak in MB."""
        return self.peak


def fresh_process(code: str) -> tuple[float, float]:
    """Processor seconds of a process that runs the code, and the MB that it reports."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    if done.returncode:
        raise ImportError(f"`{code}` failed: {done.stderr.strip().splitlines()[-1]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, float(done.stdout)


class TorchGpu:
    """PyTorch's end of work and memory on the GPU."""

    def __init__(self, lib: Any) -> None:
        self.synchronize: Callable[[], None] = lib.cuda.synchronize
        self.reserved: Callable[[], int] = lib.cuda.max_memory_reserved


class CupyGpu:
    """CuPy's; its pool never gives memory back by itself, so what it holds is its peak."""

    def __init__(self) -> None:
        import cupy

        self.synchronize: Callable[[], None] = lambda: cupy.cuda.get_current_stream().synchronize()
        self.reserved: Callable[[], int] = cupy.get_default_memory_pool().total_bytes


def gpu_of(lib: Any) -> TorchGpu | CupyGpu:
    """The GPU as the library uses it."""
    return TorchGpu(lib) if lib.__name__ == "torch" else CupyGpu()


def fingerprint(value: Any) -> list[float]:
    """The norm of a result and its projections on three fixed random directions.

    Two results of norm r whose projections differ by about d differ by about d / r of their size.
    """
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    numbers = np.asarray(value, dtype=np.float64).ravel()
    if not np.isfinite(numbers).all():
        raise ValueError(f"a result of shape {np.shape(value)} holds a NaN or an infinity")
    directions = np.random.default_rng(0).standard_normal((3, numbers.size))
    return [float(np.sqrt(numbers @ numbers)), *(directions @ numbers).tolist()]


def prepare(library: str, workload: str, device: str) -> Steps | Imports | None:
    """The workload in the library, or None where it hasn't got it."""
    if workload == "W14":
        return Imports(module_of(library))
    lib = importlib.import_module(module_of(library))
    build = importlib.import_module(PEERS.get(library, "benchmarks.workloads")).WORKLOADS.get(workload)
    if build is None:
        return None
    if library in PEERS:
        return Steps(lib, device, build)
    rouse(lib, device)
    return Steps(lib, device, lambda: build(lib, device))


def rouse(lib: Any, device: str) -> None:
    """A tiny training step, so that what a library loads at its first one isn't taken for a workload's memory."""
    if lib.__name__ == "torch":
        lib.set_num_threads(1)
    leaf = lib.tensor([1.0], requires_grad=True, device=device)
    optimizer = lib.optim.SGD([leaf], lr=0.1)
    (leaf * leaf).sum().backward()
    optimizer.step()


def obey(command: str, job: Steps | Imports) -> Any:
    """The answer to one command."""
    name, *arguments = command.split()
    if name == "warm":
        return job.warm(float(arguments[0]))
    return {"check": job.check, "round": job.round, "memory": job.memory}[name]()


def serve(replies: TextIO, library: str, workload: str, device: str) -> None:
    """Answer commands until there are no more; the first failure is the last answer."""

    def reply(**entry: Any) -> None:
        print(json.dumps(entry), file=replies, flush=True)

    try:
        job = prepare(library, workload, device)
        reply(answer=job is not None)
        for command in sys.stdin if job else ():
            assert job
            reply(answer=obey(command, job))
    except Exception as error:  # whatever a library raises becomes its entry in the report
        reply(error=f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    # A library that prints must not spoil the answers: they keep the real standard output for themselves.
    own_replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    serve(own_replies, *sys.argv[1:4])
