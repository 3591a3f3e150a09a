"""`python -m benchmarks`: measure, print a table, write Markdown and JSON."""

from __future__ import annotations

import argparse
import datetime
import difflib
import json
import sys
from pathlib import Path

from benchmarks.interleave import measure
from benchmarks.libraries import MODULES, WITHOUT_GPU, installed
from benchmarks.report import environment, failures, markdown, summary
from benchmarks.targets import TARGETS

ROUND_SECONDS, QUICK_ROUND_SECONDS = 0.1, 0.02
ROUNDS, QUICK_ROUNDS = 15, 3


def main(arguments: list[str] | None = None) -> int:
    """Run the workloads that the command line asks for; 1 where a library failed or gave other results."""
    options = parse(arguments)
    report = {
        "command": " ".join(["python -m benchmarks", *(sys.argv[1:] if arguments is None else arguments)]),
        "date": datetime.date.today().isoformat(),
        "rounds": options.rounds,
        "libraries": options.libraries,
        "environment": environment(options.libraries, options.device),
        "workloads": {},
    }
    seconds = QUICK_ROUND_SECONDS if options.quick else ROUND_SECONDS
    for number, workload in enumerate(options.only, 1):
        target = TARGETS[workload]
        print(f"[{number}/{len(options.only)}] {workload} {target.title}", file=sys.stderr, flush=True)
        measured = measure(workload, options.libraries, options.device, options.rounds, seconds, target.tolerance)
        report["workloads"][workload] = summary(workload, measured)
    text = markdown(report)
    print(text)
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.with_suffix(".md").write_text(text, encoding="utf-8")
        options.output.with_suffix(".json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        print(f"Written: {options.output.with_suffix('.md')}, {options.output.with_suffix('.json')}", file=sys.stderr)
    return int(bool(failures(report)))


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line, with its defaults filled in."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", metavar="W2,W4", help=f"workloads, of {', '.join(TARGETS)}")
    parser.add_argument(
        "--libraries",
        metavar="ours,torch",
        help=f"of {', '.join(MODULES)}, or any module with PyTorch's interface; default: those that are installed",
    )
    parser.add_argument("--rounds", type=int, help=f"default {ROUNDS}, quick {QUICK_ROUNDS}")
    parser.add_argument("--quick", action="store_true", help="few and short rounds, to see that all works")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write FILE.md and FILE.json")
    options = parser.parse_args(arguments)
    options.only = options.only.split(",") if options.only else list(TARGETS)
    for workload in options.only:
        if workload not in TARGETS:
            near = difflib.get_close_matches(workload, TARGETS, 1, 0)
            parser.error(f"there is no workload {workload!r}; did you mean {near[0]}? There are {', '.join(TARGETS)}")
    options.libraries = options.libraries.split(",") if options.libraries else list(filter(installed, MODULES))
    for library in options.libraries:
        if not installed(library):
            parser.error(f"{library} is not installed; `pip install -e '.[compare]'` installs the peers")
    if options.device == "cuda":
        options.libraries = [library for library in options.libraries if library not in WITHOUT_GPU]
    options.rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    return options


if __name__ == "__main__":
    sys.exit(main())
