"""The measurements as JSON and as Markdown."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from benchmarks.interleave import Measurement
from benchmarks.libraries import module_of
from benchmarks.targets import TARGETS, Target

ENOUGH_ROUNDS = 15  # a target counts as reached when the median ratio of so many rounds meets it
UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))


def environment(libraries: Iterable[str], device: str) -> dict[str, Any]:
    """What the figures depend on."""
    versions = {"python": platform.python_version()}
    for module in ("numpy", *(module_of(library) for library in libraries)):
        try:
            versions[module] = importlib.metadata.version(module)
        except importlib.metadata.PackageNotFoundError:
            versions[module] = "from source"
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "device": device,
        "threads": 1,
        "versions": versions,
    }


def processor() -> str:
    """Its name, where the system tells it."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


def summary(workload: str, measured: dict[str, Measurement]) -> dict[str, Any]:
    """One workload's entry in the JSON file."""
    target = TARGETS[workload]
    torch = measured.get("torch", Measurement())
    libraries = {library: figures(entry, torch) for library, entry in measured.items()}
    return {
        "title": target.title,
        "targets": {key: value for key, value in target._asdict().items() if key not in ("title", "tolerance")},
        "libraries": libraries,
        "verdict": verdict(target, libraries.get("ours", {})),
    }


def figures(entry: Measurement, torch: Measurement) -> dict[str, Any]:
    """Median, ratios to PyTorch round by round, memory; or the error alone."""
    if entry.error is not None:
        return {"error": entry.error}
    result: dict[str, Any] = {
        "seconds": median(entry.rounds),
        "steps_per_round": entry.steps,
        "memory_mb": entry.memory,
        "rounds": entry.rounds,
    }
    if torch.error is None and torch.rounds:
        ratios = [one / other for one, other in zip(entry.rounds, torch.rounds, strict=True)]
        result["ratio"] = median(ratios)
        result["ratio_quartiles"] = quantiles(ratios, n=4)[::2] if len(ratios) > 1 else [ratios[0]] * 2
        result["memory_ratio"] = entry.memory / torch.memory if entry.memory and torch.memory else None
    return result


def verdict(target: Target, ours: dict[str, Any]) -> str:
    """Whether our time (and memory, where it is a goal) meets the targets."""
    if "error" in ours:
        return "error"
    if "ratio" not in ours:
        return "no PyTorch to compare" if ours else "not run"
    if len(ours["rounds"]) < ENOUGH_ROUNDS:
        return f"open: {len(ours['rounds'])} rounds"
    goals = [(ours["ratio"], target.reach, target.stretch)]
    if target.memory_reach is not None:
        memory = ours["memory_ratio"] if ours["memory_ratio"] is not None else float("inf")
        goals.append((memory, target.memory_reach, target.memory_stretch or target.memory_reach))
    if all(ratio <= stretch for ratio, _, stretch in goals):
        return "stretch"
    if all(ratio <= reach for ratio, reach, _ in goals):
        return "reached"
    return "not reached"


def markdown(report: dict[str, Any]) -> str:
    """The whole report for reading."""
    where, workloads = report["environment"], report["workloads"]
    versions = ", ".join(f"{name} {version}" for name, version in where["versions"].items())
    clock = "processor time" if where["device"] == "cpu" else "time on the clock, the GPU waited for,"
    held = "process above its size before the workload" if where["device"] == "cpu" else "library's pool on the GPU"
    libraries = report["libraries"]
    sections = [
        "# Speed beside the peers",
        f"`{report['command']}`, {report['date']}",
        f"{where['processor']}, {where['cores']} cores, {where['system']}; {versions}.",
        f"PyTorch: {clock} of one step at one thread. The others: the ratio to it, smaller is faster (median of "
        f"{report['rounds']} interleaved rounds). By hand: the same arithmetic in NumPy without a graph, the floor. "
        "All gave equal results first. *Reach* and *stretch* are the ratios that ours aims at.",
        table(
            ("id", "workload", *map(heading, libraries), "reach", "stretch", "ours is"), time_rows(workloads, libraries)
        ),
        f"Peak memory of the {held} in MB (W14: above bare Python; W17: with scikit-learn, which has the data).",
        table(("id", *map(heading, libraries), "ours / PyTorch", "reach"), memory_rows(workloads, libraries)),
    ]
    errors = failures(report)
    if errors:
        sections += ["Errors:", "\n".join(f"- {error}" for error in errors)]
    return "\n\n".join(sections) + "\n"


def failures(report: dict[str, Any]) -> list[str]:
    """Who failed at what, or gave other results than the rest."""
    return [
        f"{workload}, {library}: {entry['error']}"
        for workload, result in report["workloads"].items()
        for library, entry in result["libraries"].items()
        if "error" in entry
    ]


def heading(library: str) -> str:
    return {"torch": "PyTorch", "hand": "by hand"}.get(library, library)


def time_rows(workloads: dict[str, Any], libraries: Sequence[str]) -> list[list[str]]:
    rows = []
    for workload, result in workloads.items():
        goals = [f"{result['targets'][name]:g}" for name in ("reach", "stretch")]
        cells = [time_cell(result["libraries"].get(library), library) for library in libraries]
        rows.append([workload, result["title"], *cells, *goals, result["verdict"]])
    return rows


def time_cell(entry: dict[str, Any] | None, library: str) -> str:
    """PyTorch's time, the others' ratio to it, or their time where there is no PyTorch."""
    if entry is None:
        return ""
    if "error" in entry:
        return "error"
    if library != "torch" and "ratio" in entry:
        return f"{round(entry['ratio'], 2) + 0.0:.2f}"  # an empty import may come out below 0; never write -0.00
    size, unit = next((pair for pair in UNITS if entry["seconds"] >= pair[0]), UNITS[-1])
    return f"{entry['seconds'] / size:.3g} {unit}"


def memory_rows(workloads: dict[str, Any], libraries: Sequence[str]) -> list[list[str]]:
    rows = []
    for workload, result in workloads.items():
        entries = [result["libraries"].get(library, {}) for library in libraries]
        cells = [f"{entry['memory_mb']:.1f}" if "memory_mb" in entry else "" for entry in entries]
        ratio = result["libraries"].get("ours", {}).get("memory_ratio")
        goal = result["targets"]["memory_reach"]
        rows.append([workload, *cells, "" if ratio is None else f"{ratio:.2f}", "" if goal is None else f"{goal:g}"])
    return rows


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns line up in a terminal too."""
    lines = [list(headings), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    padded = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([padded[0], rule, *padded[1:]])
