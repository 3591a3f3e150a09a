"""Random programs on PyTorch and here: a short run of `python -m tests.random_programs`, and what it must catch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_programs.__main__ import main
from random_programs.checking import check, judge, smallest, source
from random_programs.differences import DIFFERENCES
from random_programs.writing import KINDS, write_program

import tinygrad_dl as tg
from tinygrad_dl import autograd, inplace
from tinygrad_dl.ops import editing

SEEDS = range(300)


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")


def test_programs_agree_with_pytorch(torch: Any) -> None:
    report = check(torch, SEEDS)
    assert not report.disagreements, "\n\n".join(f"seed {seed}\n{text}" for seed, text in report.disagreements)
    assert report.share(report.through_edited_view) >= 0.2, report
    assert report.share(report.raised_in_both) >= 0.1, report
    assert report.share(report.wild) <= 0.05, report  # else too little is compared


def test_every_kind_of_statement_runs(torch: Any) -> None:
    """In one program or another, without being refused by both sides."""
    ran = check(torch, SEEDS).ran
    for kinds in (
        ["+=", "-=", "*=", "/=", "**=", "add_", "sub_", "mul_", "div_", "pow_", "copy_", "fill_", "zero_", "clamp_"],
        ["tanh_", "sigmoid_", "relu_", "exp_", "neg_", "masked_fill_", "assign by index", "assign by an array"],
        ["index", "view", "reshape", "flatten", "transpose", "permute", "squeeze", "unsqueeze", "expand", "split"],
        ["detach", "data", "requires_grad_", "detach_", "retain_grad", "hook that sees", "hook that changes"],
        ["hook after accumulation", "removed hook", "grad", "grad with a graph", "backward", "backward of a gradient"],
    ):
        assert [kind for kind in kinds if not ran[kind]] == []


# --- mutations of our own code, each of which must be caught


def first_slice(g: Any, shape: tuple[int, ...]) -> Any:
    """A gradient brought to a shape without a sum."""
    g = g[(0,) * (g.ndim - len(shape))]
    return g[tuple(slice(None) if n == wanted else slice(0, 1) for n, wanted in zip(g.shape, shape))]


def keep_order(node: Any, result: Any, memory: Any) -> None:
    """An edit's node as if it had been recorded before the stamp."""
    editing._replace(node, result, memory)


MUTATIONS: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "no un-broadcasting": (autograd, "unbroadcast", first_slice),
    "no stamp": (inplace, "stamp", lambda array, operation: None),
    "the edit's node is older than its stamp": (editing, "_share_result", keep_order),
    "an edit's node forgets that it reads what it writes": (editing, "overlaps", lambda first, second: False),
    "views are not made anew": (editing, "live_views", lambda root: []),
    "what is overwritten is not kept": (editing, "_keep_overwritten", lambda node, array, since: None),
    "a gradient is shared": (autograd, "own", lambda g: np.asarray(g)),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_mutations_are_caught(torch: Any, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(*MUTATIONS[name])
    assert any(judge(torch, write_program(seed)).disagreement is not None for seed in SEEDS)


# --- the tool itself


def test_a_program_depends_on_its_seed_alone() -> None:
    assert write_program(5) == write_program(5) != write_program(6)
    assert len({line.source for seed in range(50) for line in write_program(seed)}) > 300


def test_a_disagreement_is_reported_by_a_small_program(torch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tanh = tg.Tensor.tanh
    monkeypatch.setattr(tg.Tensor, "tanh", lambda self: tanh(self) * 1.001)
    found = next(
        verdict
        for verdict in (judge(torch, write_program(seed)) for seed in SEEDS)
        if verdict.disagreement is not None and verdict.disagreement.what == "value"
    )
    shown = source(smallest(torch, found)).splitlines()
    assert shown[0] == "import torch as lib  # import tinygrad_dl as lib" and len(shown) <= 8
    assert any(".tanh()" in line for line in shown)
    program = "\n".join(line for line in shown if not line.startswith("#"))
    for lib in ("torch", "tinygrad_dl"):
        exec(program.replace("import torch", f"import {lib}"), {})


def test_explained_differences_are_documented(repository: Path) -> None:
    lines = (repository / "docs" / "differences.md").read_text(encoding="utf-8").splitlines()
    missing = [
        known.name for known in DIFFERENCES if not any(line.startswith(f"- {known.documented}") for line in lines)
    ]
    assert not missing, f"docs/differences.md says nothing of: {missing}"


def test_the_command(torch: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--programs", "20", "--seed", "3"]) == 0
    out = capsys.readouterr().out
    assert "20 programs" in out and "disagreements: 0" in out and "backward through an edited view" in out


def test_all_kinds_have_a_weight() -> None:
    assert len(KINDS) > 30 and all(weight > 0 for weight, _ in KINDS.values())
