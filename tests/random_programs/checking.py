"""Judges programs: agreement, an explained difference, or a disagreement with the smallest program that shows it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from . import operations as operations  # registers its kinds of statements
from .differences import explained, replay
from .replaying import Disagreement, Replay, shown
from .writing import Statement, write_program


@dataclass
class Verdict:
    """What came of one program."""

    statements: list[Statement]
    replay: Replay
    explanation: str | None

    @property
    def disagreement(self) -> Disagreement | None:
        """What neither agrees nor is explained."""
        return None if self.explanation else self.replay.disagreement


def judge(torch: Any, statements: list[Statement]) -> Verdict:
    """Run a program on both sides."""
    done = replay(torch, statements)
    found = done.disagreement
    return Verdict(statements, done, None if found is None else explained(torch, done))


def smallest(torch: Any, verdict: Verdict) -> Verdict:
    """The disagreement of a verdict with as few lines as dropping lines can reach."""
    assert verdict.disagreement is not None
    what, statements = verdict.disagreement.what, verdict.statements[: verdict.disagreement.line + 1]
    verdict = judge(torch, statements)
    shrinking = True
    while shrinking:
        shrinking = False
        for i in reversed(range(len(statements))):
            shorter = judge(torch, statements[:i] + statements[i + 1 :])
            if shorter.disagreement is not None and shorter.disagreement.what == what:
                verdict, shrinking = shorter, True
                statements = shorter.statements[: shorter.disagreement.line + 1]
                break
    return verdict


def source(verdict: Verdict) -> str:
    """The program of a disagreement as source that runs on either side, and what each side did."""
    found = verdict.disagreement
    assert found is not None
    lines = [statement.source for statement in verdict.statements[: found.line + 1]]
    if any("see(" in line for line in lines):
        lines.insert(0, "see = print")
    return "\n".join(
        [
            "import torch as lib  # import tinygrad_dl as lib",
            *lines,
            f"# after this line, {found.what} of {found.name or 'the line'}:",
            f"#   PyTorch: {shown(found.theirs)}",
            f"#   here:    {shown(found.ours)}",
        ]
    )


# --- many programs


@dataclass
class Report:
    """What a run of many programs covered."""

    programs: int = 0
    through_edited_view: int = 0
    raised_in_both: int = 0
    wild: int = 0
    ran: Counter[str] = field(default_factory=Counter)
    raised: Counter[str] = field(default_factory=Counter)
    explanations: Counter[str] = field(default_factory=Counter)
    disagreements: list[tuple[int, str]] = field(default_factory=list)  # the seed, and the smallest program's source

    def add(self, seed: int, verdict: Verdict) -> None:
        self.programs += 1
        self.through_edited_view += verdict.replay.through_edited_view
        self.raised_in_both += bool(verdict.replay.raised)
        self.wild += verdict.replay.wild
        self.ran += verdict.replay.ran
        self.raised += verdict.replay.raised
        if verdict.explanation:
            self.explanations[verdict.explanation] += 1

    def share(self, count: int) -> float:
        return count / max(self.programs, 1)

    def __str__(self) -> str:
        def percent(count: int) -> str:
            return f"{count} ({100 * self.share(count):.1f} %)"

        lines = [
            f"{self.programs} programs, {self.ran.total()} lines run, {self.raised.total()} raised on both sides",
            f"backward through an edited view: {percent(self.through_edited_view)}",
            f"a line raised on both sides: {percent(self.raised_in_both)}",
            f"values not compared to the end, since they grew: {percent(self.wild)}",
            "explained differences: "
            + (", ".join(f"{name} {n}" for name, n in self.explanations.most_common()) or "none"),
            "lines by kind (raised on both sides): "
            + ", ".join(f"{name} {n} ({self.raised[name]})" for name, n in self.ran.most_common()),
            f"disagreements: {len(self.disagreements)}",
        ]
        return "\n".join(lines)


def check(torch: Any, seeds: Any, stop_after: int = 10, progress: Any = None) -> Report:
    """Judge the programs of some seeds, up to a number of disagreements."""
    report = Report()
    for seed in seeds:
        verdict = judge(torch, write_program(seed))
        report.add(seed, verdict)
        if verdict.disagreement is not None:
            report.disagreements.append((seed, source(smallest(torch, verdict))))
            if len(report.disagreements) >= stop_after:
                break
        if progress is not None:
            progress(report)
    return report
