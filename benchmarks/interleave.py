"""Measure one workload in several libraries, each in its own process, their rounds taking turns."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM")}
MOST_TRUSTED = ("torch", "hand", "autograd", "micrograd", "ours")  # the first that ran is what the others must equal
SMALLEST = 1e-6  # differences below this are rounding, however small the result


def worker_environment() -> dict[str, str]:
    """One thread, and compiled files kept as an installed library has them: else each import compiles ours anew."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | ONE_THREAD


class WorkerError(Exception):
    """A worker answered with an error, or ended."""


class Worker:
    """A child process with one workload in one library."""

    def __init__(self, library: str, workload: str, device: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", library, workload, device],
            cwd=ROOT,
            env=worker_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, command: str) -> Any:
        """Send a command and wait for its answer."""
        assert self.process.stdin
        with contextlib.suppress(BrokenPipeError):  # it ended; the answer it left behind, if any, says why
            print(command, file=self.process.stdin, flush=True)
        return self.answer()

    def answer(self) -> Any:
        """The next answer."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise WorkerError(f"the process ended with exit code {self.process.wait()}")
        reply = json.loads(line)
        if "error" in reply:
            raise WorkerError(reply["error"])
        return reply["answer"]

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()


@dataclass
class Measurement:
    """One workload in one library: seconds a step in each round, peak MB, or the error that stopped it."""

    rounds: list[float] = field(default_factory=list)
    steps: int = 0
    memory: float | None = None
    error: str | None = None


def measure(
    workload: str, libraries: Sequence[str], device: str, rounds: int, seconds: float, tolerance: float
) -> dict[str, Measurement]:
    """The measurements of the libraries that have the workload; `seconds` is how long a round should last."""
    workers: dict[str, Worker] = {}
    measured: dict[str, Measurement] = {}
    try:
        for library in libraries:
            workers[library] = Worker(library, workload, device)
        have_it = ask_each(workers, measured, None)
        for library in [library for library, has in have_it.items() if not has]:
            workers.pop(library).close()
            del measured[library]
        refuse_unequal(ask_each(workers, measured, "check"), measured, tolerance)
        for library, steps in ask_each(workers, measured, f"warm {seconds}").items():
            measured[library].steps = steps
        for number in range(rounds):
            # Every other round goes backwards, so that nobody always runs after the same neighbour.
            turns = dict(reversed(workers.items())) if number % 2 else workers
            for library, time in ask_each(turns, measured, "round").items():
                measured[library].rounds.append(time)
        for library, memory in ask_each(workers, measured, "memory").items():
            measured[library].memory = memory
    finally:
        for worker in workers.values():
            worker.close()
    return measured


def ask_each(workers: dict[str, Worker], measured: dict[str, Measurement], command: str | None) -> dict[str, Any]:
    """One after the other, the answers of those that have not failed; None waits for the first word of each."""
    answers = {}
    for library, worker in workers.items():
        entry = measured.setdefault(library, Measurement())
        if entry.error is None:
            try:
                answers[library] = worker.answer() if command is None else worker.ask(command)
            except WorkerError as error:
                entry.error = str(error)
    return answers


def refuse_unequal(fingerprints: dict[str, Any], measured: dict[str, Measurement], tolerance: float) -> None:
    """A library whose results differ from the most trusted one's gets an error in place of times."""
    trusted = next((library for library in MOST_TRUSTED if library in fingerprints), None)
    if trusted is None:
        return
    expected = fingerprints[trusted]
    for library, found in fingerprints.items():
        if len(found) != len(expected):
            measured[library].error = f"gives {len(found)} results where {trusted} gives {len(expected)}"
            continue
        for index, (one, other) in enumerate(zip(found, expected, strict=True)):
            difference = max(abs(a - b) for a, b in zip(one, other, strict=True))
            if difference > tolerance * other[0] + SMALLEST:
                measured[library].error = (
                    f"unequal: result {index + 1} of {len(expected)} differs from that of {trusted} by about "
                    f"{difference:.2g} where its norm is {other[0]:.4g} (allowed: {tolerance:g} of it)"
                )
                break
