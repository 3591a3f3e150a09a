"""The long run: `python -m tests.random_programs --programs 20000 --seed 0`."""

from __future__ import annotations

import argparse
import os
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy and PyTorch are imported

from .checking import Report, check


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=0, help="of the first program; the others follow")
    parser.add_argument("--stop-after", type=int, default=10, help="disagreements")
    options = parser.parse_args(arguments)
    try:
        import torch
    except ImportError:
        print("PyTorch is not installed: pip install -e '.[compare]'", file=sys.stderr)
        return 2
    start = time.perf_counter()

    def progress(report: Report) -> None:
        if report.programs % 100 == 0:
            spent = time.perf_counter() - start
            found = len(report.disagreements)
            print(f"\r{report.programs} programs, {found} disagreements, {spent:.0f} s", end="", file=sys.stderr)

    report = check(torch, range(options.seed, options.seed + options.programs), options.stop_after, progress)
    print(file=sys.stderr)
    for seed, program in report.disagreements:
        print(f"\n--- seed {seed}\n{program}")
    print(f"\n{report}")
    return int(bool(report.disagreements))


if __name__ == "__main__":
    sys.exit(main())
