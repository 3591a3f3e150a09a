"""The benchmarks run, write what they measured, and refuse times of a library whose results are wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

WRONG_ENGINE = """
import tinygrad_dl
from tinygrad_dl import *
from tinygrad_dl import nn, no_grad, optim, tensor

def tanh(input):
    return tinygrad_dl.tanh(input) * 1.01
"""


def benchmark(repository: Path, output: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--output", str(output), *options],
        cwd=repository,
        env=os.environ | {"PYTHONPATH": str(output.parent)},
        capture_output=True,
        text=True,
    )


def libraries_of(output: Path, workload: str) -> dict[str, Any]:
    report = json.loads(output.with_suffix(".json").read_text(encoding="utf-8"))
    return report["workloads"][workload]["libraries"]


def test_one_workload_beside_its_floor(repository: Path, tmp_path: Path) -> None:
    output = tmp_path / "figures"
    done = benchmark(repository, output, "--only", "W4", "--libraries", "ours,hand", "--rounds", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    for entry in libraries_of(output, "W4").values():
        assert len(entry["rounds"]) == 2
        assert min(entry["rounds"]) <= entry["seconds"] <= max(entry["rounds"])
        assert 1e-6 < entry["seconds"] < 1
        assert entry["memory_mb"] > 0
    written = output.with_suffix(".md").read_text(encoding="utf-8")
    assert written.strip() == done.stdout.strip()
    assert "MLP 64-128-10" in written


def test_wrong_results_get_an_error_in_place_of_a_time(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "wrong_engine.py").write_text(WRONG_ENGINE)
    output = tmp_path / "figures"
    done = benchmark(repository, output, "--only", "W2", "--libraries", "ours,wrong_engine", "--rounds", "1")
    assert done.returncode == 1, done.stdout + done.stderr
    libraries = libraries_of(output, "W2")
    assert libraries["wrong_engine"].keys() == {"error"}
    assert libraries["wrong_engine"]["error"].startswith("unequal: result 1 of 6 differs from that of ours")
    assert libraries["ours"]["seconds"] > 0
    assert "- W2, wrong_engine: unequal" in done.stdout


def test_an_unknown_workload_is_answered_with_the_nearest(repository: Path, tmp_path: Path) -> None:
    done = benchmark(repository, tmp_path / "figures", "--only", "W16x")
    assert done.returncode == 2
    assert "there is no workload 'W16x'; did you mean W16" in done.stderr


@pytest.mark.parametrize(
    ("ratio", "memory_ratio", "rounds", "expected"),
    [
        (0.34, 0.44, 15, "stretch"),
        (0.44, 0.44, 15, "reached"),
        (0.34, 0.59, 15, "reached"),
        (0.34, 0.61, 15, "not reached"),
        (0.46, 0.44, 15, "not reached"),
        (0.34, None, 15, "not reached"),
        (0.34, 0.44, 14, "open: 14 rounds"),
    ],
)
def test_the_verdict_needs_time_memory_and_enough_rounds(
    repository: Path,
    monkeypatch: pytest.MonkeyPatch,
    ratio: float,
    memory_ratio: float | None,
    rounds: int,
    expected: str,
) -> None:
    monkeypatch.syspath_prepend(str(repository))
    from benchmarks.report import verdict
    from benchmarks.targets import TARGETS

    ours = {"ratio": ratio, "memory_ratio": memory_ratio, "rounds": [1.0] * rounds}
    assert verdict(TARGETS["W3"], ours) == expected
