"""Every program in examples/ runs in quick mode, on the CPU, and one of each folder on the strict device."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
FILES = sorted(path for path in EXAMPLES.rglob("*.py") if "output" not in path.relative_to(EXAMPLES).parts)
PROGRAMS = [path for path in FILES if "__main__" in path.read_text(encoding="utf-8")]
FIRST_OF_EACH_FOLDER = list({path.parent: path for path in reversed(PROGRAMS)}.values())[::-1]


def name(path: Path) -> str:
    return path.relative_to(EXAMPLES).as_posix()


def run(program: Path, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a folder of its own, with this checkout on the path."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    return subprocess.run(
        [sys.executable, str(program), *options],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
    )


def run_quickly(program: Path, folder: Path, device: str) -> None:
    done = run(program, folder, "--quick", "--device", device, "--output", str(folder))
    missing = [package for package in ("matplotlib", "pygraphviz", "sklearn", "tqdm") if find_spec(package) is None]
    if done.returncode and missing and "pip install" in done.stderr:
        pytest.skip(done.stderr.strip().splitlines()[-1])
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip(), "a program that prints nothing shows nothing"


def test_there_are_programs() -> None:
    assert EXAMPLES / "digits.py" in PROGRAMS


@pytest.mark.parametrize("program", PROGRAMS, ids=name)
def test_programs_run_in_quick_mode(program: Path, tmp_path: Path) -> None:
    run_quickly(program, tmp_path, "cpu")


@pytest.mark.parametrize("program", FIRST_OF_EACH_FOLDER, ids=name)
def test_one_program_of_each_folder_runs_on_the_strict_device(program: Path, tmp_path: Path) -> None:
    run_quickly(program, tmp_path, "strict")


@pytest.mark.parametrize("program", PROGRAMS, ids=name)
def test_programs_read_their_options(program: Path, tmp_path: Path) -> None:
    """One that takes no notice of its arguments would run in quick mode too."""
    for wrong in (["--no-such-option"], ["--device", "no-such-device"]):
        refused = run(program, tmp_path, "--quick", *wrong)
        assert refused.returncode != 0, f"{name(program)} takes {wrong}"
        assert wrong[-1] in refused.stderr or "pip install" in refused.stderr, refused.stderr


def test_what_is_no_program_is_used_by_one() -> None:
    imported = set()
    for program in PROGRAMS:
        for node in ast.walk(ast.parse(program.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[-1] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported |= {(node.module or "").split(".")[-1], *(alias.name for alias in node.names)}
    unused = [name(path) for path in FILES if path not in PROGRAMS and path.stem not in imported]
    assert not unused, "neither run by `if __name__ == '__main__':` nor imported by a program"


def test_the_list_of_programs_is_complete() -> None:
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    unlisted = [name(program) for program in PROGRAMS if program.name not in text]
    assert not unlisted, "list them in examples/README.md"
