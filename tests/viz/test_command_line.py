"""`python -m tinygrad_dl explain`: what it prints and draws, and that what is typed in is parsed and never run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tinygrad_dl as tg
from tinygrad_dl import viz
from tinygrad_dl.__main__ import main
from tinygrad_dl.errors import ArgumentError
from tinygrad_dl.viz.expression import Expression, values_of

ROOT = Path(__file__).resolve().parents[2]
FIRST = ["explain", "3*(a + b*c)", "a=5", "b=3", "c=2"]


def first(a: Any, b: Any, c: Any) -> Any:
    u = b * c
    v = a + u
    return 3 * v


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["explain", *arguments]) == 0
    return capsys.readouterr().out.rstrip("\n")


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["explain", *arguments]) == 2
    captured = capsys.readouterr()
    assert not captured.out
    return captured.err


def test_the_first_example(capsys: pytest.CaptureFixture[str]) -> None:
    derivation = viz.explain(first, 5.0, 3.0, 2.0)
    assert printed(capsys, *FIRST[1:]) == str(derivation)
    assert printed(capsys, *FIRST[1:], "--latex") == derivation.latex().rstrip("\n")
    assert printed(capsys, *FIRST[1:], "--markdown") == derivation.markdown().rstrip("\n")
    assert printed(capsys, *FIRST[1:], "--html") == derivation.html()
    assert printed(capsys, *FIRST[1:], "--ascii") == derivation.text(ascii=True)


def test_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert "dJ/db = dJ/dv · dv/du · du/db" in printed(capsys, *FIRST[1:], "--wrt", "b")
    assert "bumped by 0.001: J = 33.006" in printed(capsys, *FIRST[1:], "--bump", "0.001")
    assert printed(capsys, *FIRST[1:], "--language", "tr").startswith("İleri geçiş")
    assert "\n  db       = 3·c = 3·2  = 6" in printed(capsys, *FIRST[1:], "--notation", "d")


def test_vectors_matrices_and_functions(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "sum(relu(W@x)**2)", "W=[[1,2],[3,-4]]", "x=[1, 2]")
    assert "u = W x" in text and "[u > 0]" not in text and "[10  20]" in text
    assert "0.5" in printed(capsys, "mean(maximum(a, b))", "a=[1,2]", "b=[3,0]")


def test_signs_as_derivations_write_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert "= −6" in printed(capsys, "−a·b", "a=2", "b=3")
    assert "= −6" in printed(capsys, "-a*b", "a=2", "b=3"), "no option"
    assert printed(capsys, "a*2", "a=-1.5e-3").count("−0.0015") >= 1


def test_it_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed(capsys, *FIRST[1:], "--graph", str(tmp_path / "out.dot"))
    source = (tmp_path / "out.dot").read_text(encoding="utf-8")
    assert all(f">{name}<" in source for name in "abc") and "33" in source
    assert "ends in .svg" in refused_after_print(capsys, *FIRST[1:], "--graph", str(tmp_path / "out.gif"))


def refused_after_print(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["explain", *arguments]) == 2
    return capsys.readouterr().err


def test_it_writes_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed(capsys, *FIRST[1:], "--page", str(tmp_path / "out.html"))
    assert "<!doctype html>" in (tmp_path / "out.html").read_text(encoding="utf-8").lower()


def test_as_a_module_on_a_terminal_without_unicode(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "tinygrad_dl", *FIRST]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr
    assert done.stdout.splitlines()[1] == "  u = b*c      = 3*2     = 6"


def test_help_says_what_is_allowed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["explain", "--help"])
    assert stop.value.code == 0 and "sigmoid" in capsys.readouterr().out
    with pytest.raises(SystemExit) as stop:
        main([])
    assert stop.value.code == 2


# --- what is refused


@pytest.mark.parametrize(
    ("formula", "column", "said"),
    [
        ("a &b", 3, "'a & b' is not allowed"),
        ("(a·b) & a", 7, "'a * b & a' is not allowed"),
        ("a.real", 1, "'a.real' is not allowed"),
        ("a[0]", 1, "'a[0]' is not allowed"),
        ("[a]", 1, "'[a]' is not allowed"),
        ("2*'x'", 3, "\"'x'\" is not allowed"),
        ("a*True", 3, "'True' is not allowed"),
        ("a*2j", 3, "'2j' is not allowed"),
        ("a < 1", 1, "'a < 1' is not allowed"),
        ("a if a else 1", 1, "is not allowed"),
        ("lambda: a", 1, "'lambda: a' is not allowed"),
        ("[a for a in b]", 1, "is not allowed"),
        ("(a := 1)", 2, "is not allowed"),
        ("f'{a}'", 1, "is not allowed"),
        ("~a", 1, "'~a' is not allowed"),
        ("a // 2", 3, "'a // 2' is not allowed"),
        ("__import__('os').system('x')", 1, "is not allowed"),
        ("__import__('os')", 1, "there is no function '__import__'"),
        ("a + eval('1')", 5, "there is no function 'eval'"),
        ("expp(a)", 1, "there is no function 'expp'. Did you mean 'exp'?"),
        ("exp(a, a)", 1, "exp takes 1 argument(s), 'exp(a, a)' came"),
        ("sum(a, dim=0)", 1, "sum takes 1 argument(s)"),
        ("maximum(a)", 1, "maximum takes 2 argument(s)"),
        ("a +* b", 4, "here the formula can't be read"),
        ("(a", 1, "here the formula can't be read"),
        ("", 1, "here the formula can't be read"),
        ("import os", 1, "here the formula can't be read"),
        ("a*(1/0)", 4, "'1 / 0' divides by 0"),
        ("a + 9**9**9**9", 8, "is too large"),
        ("a + (-8)**0.5", 5, "is no real number"),
    ],
)
def test_what_is_no_formula(capsys: pytest.CaptureFixture[str], formula: str, column: int, said: str) -> None:
    error = refused(capsys, formula, "a=2")
    assert f"column {column}: " in error and said in error
    assert "Allowed: numbers, names, + - * / ** @" in error and error.rstrip().endswith("^")


def test_formulas_that_are_too_much() -> None:
    for formula in ("(" * 300 + "a" + ")" * 300, "a+" * 4000 + "a", "-" * 4000 + "a"):
        with pytest.raises(ArgumentError, match=r"^explain: (column|this formula|a formula)"):
            Expression(formula)
    with pytest.raises(ArgumentError, match="explain"):
        Expression("a*" + "9" * 4500)
    with pytest.raises(ArgumentError, match="explain"):
        Expression("a\0b")


def test_formulas_without_anything_to_differentiate() -> None:
    with pytest.raises(ArgumentError, match="'1 \\+ 2' has no name in it"):
        Expression("1 + 2")
    with pytest.raises(ArgumentError, match="'a' is a name, and nothing is computed from it"):
        Expression("a")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["a=1"], "b has no value; add for example b=1"),
        (["a=1", "b=2", "c=3"], "the formula has no 'c'; it has a, b"),
        (["a=1", "a=2", "b=1"], "a is given twice"),
        (["a", "b=1"], "values come as name=value, for example a=5 or w=[1,2], not 'a'"),
        (["1=2", "b=1"], "values come as name=value"),
        (["a=x", "b=1"], "a is a number, or numbers in brackets"),
        (["a=__import__('os')", "b=1"], "a is a number, or numbers in brackets"),
        (["a=['x']", "b=1"], "a is a number, or numbers in brackets"),
        (["a={}", "b=1"], "a is a number, or numbers in brackets"),
        (["a=" + "[" * 500, "b=1"], "a is a number, or numbers in brackets"),
        (["a=[1,[2]]", "b=1"], "the same length at each level"),
        (["a=[1,2]", "b=1"], "one number has a derivation, this has shape (2,); put it in sum() or mean()"),
        (["a=[1,2]", "b=[1,2,3]"], "don't broadcast"),
    ],
)
def test_values_that_do_not_fit(capsys: pytest.CaptureFixture[str], settings: list[str], said: str) -> None:
    assert said in refused(capsys, "a*b", *settings)


def test_values() -> None:
    found = values_of(["a=[[1,2],[3,4]]", "b=-1e-3", "c=inf"], ("a", "b", "c"))
    assert {name: value.tolist() for name, value in found.items()} == {
        "a": [[1.0, 2.0], [3.0, 4.0]],
        "b": -0.001,
        "c": float("inf"),
    }
    assert all(value.requires_grad and value.dtype == tg.float64 for value in found.values())


def test_an_error_of_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert "wrt='d' is not in it" in refused(capsys, *FIRST[1:], "--wrt", "d")
    assert "bump is how much a leaf is raised" in refused(capsys, *FIRST[1:], "--bump", "0")
