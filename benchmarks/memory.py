"""Peak memory of this process."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

STATUS = Path("/proc/self/status")


def resident(field: str) -> float:
    """A field of Linux's process status in MB."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024


def peak_memory() -> float:
    """The most memory that this process has held, in MB.

    Linux's `ru_maxrss` starts at what the parent held when it started us; the status file has our own peak.
    """
    if STATUS.exists():
        return resident("VmHWM")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)


def start_of_peak() -> float:
    """Forget the peak so far where the system can, and give the memory held now in MB."""
    if not STATUS.exists():
        return peak_memory()
    Path("/proc/self/clear_refs").write_text("5")
    return resident("VmRSS")
