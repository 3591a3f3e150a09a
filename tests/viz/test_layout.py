"""Derivations as text, ASCII, Markdown, LaTeX and HTML: what they look like, and that every name comes out as text."""

from __future__ import annotations

import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from viz_programs import leaf

import tinygrad_dl as tg
from tinygrad_dl import viz
from tinygrad_dl.viz.formula import Name, ascii_of

HOSTILE = [
    "</script>",
    "a_b",
    "x$y",
    'say "hi"',
    "it's",
    "{b}",
    "back\\slash",
    "a&b",
    "100%",
    "#1",
    "x^2",
    "~",
    "`c`",
    "a|b",
    "*",
]


def f(a: Any, b: Any, c: Any) -> Any:
    u = b * c
    v = a + u
    return 3 * v


def network(W: Any, X: Any, b: Any) -> Any:
    Z = W @ X + b
    A = tg.tanh(Z)
    return ((A - 0.5) ** 2 / 2).mean()


def network_inputs() -> list[Any]:
    return [leaf([[0.5, -1.0]]), leaf([[1.0, 2.0, 3.0], [0.1, 0.2, 0.3]]), leaf([[0.25]])]


def hostile() -> viz.Derivation:
    """A derivation whose names are no identifiers: they come from the keys of a dict."""
    values = {name: leaf([1.0, float(i)]) for i, name in enumerate(HOSTILE)}
    with viz.trace():
        total = sum(values.values())
        loss = (total * total).sum()
    return viz.explain(loss, names=values)


def everything() -> list[viz.Derivation]:
    """Derivations with all that there is to write."""

    def many(x: Any, w: Any) -> Any:
        y = tg.where(x > 0, x**2, -x) * tg.nn.functional.hardtanh(x) / (1 + w.abs())
        y[:1].mul_(3)
        left, right = tg.split(y.exp() ** w, [1, 1])
        return (tg.cat([left, right]).reshape(2, 1).T @ w[:, None]).sum() * 1e-9 + y.var()

    x, w = leaf([0.5, -1.5]), leaf([1.5, 2.0])
    found = [viz.explain(many, x, w, notation=notation) for notation in ("chain", "d", "bar")]
    found += [viz.explain(f, 5.0, -3.0, float("nan")), viz.explain(f, 5.0, 3.0, 2.0, language="tr", bump=0.001)]
    found += [
        viz.explain(network, *network_inputs(), notation="d", per_example=True, bump=0.001, wrt=wrt)
        for wrt in (None, "W")
    ]
    return [*found, viz.explain(lambda x: (x * x).sum(), leaf([[1.0] * 10] * 10)), hostile()]


# --- text


def test_columns_keep_their_places_in_ascii() -> None:
    text = viz.explain(network, *network_inputs(), notation="d", letters=False).text(ascii=True)
    assert text.isascii()
    assert "  dW = dZ X.T " in text and "  dZ = dA*(1 - A*A) " in text
    forward = text.split("Backward")[0].splitlines()[1:3]
    assert len({line.index("= [") for line in forward}) == 1
    assert "\n  v_bar       = 3 " in viz.explain(f, 5.0, 3.0, 2.0, notation="bar").text(ascii=True)


def test_ascii_spells_what_it_lacks() -> None:
    assert ascii_of("∂J/∂a⁽²⁾ = 3·Wᵀ e² − x⁻¹₍₂ₓ₃₎ ≤ ±α, ŷ, v̄, ş, あ") == (
        "dJ/da(2) = 3*W.T e^2 - x^-1_(2x3) <= +-alpha, y, v_bar, s, \\u3042"
    )


def test_shapes_stand_behind_names_on_request() -> None:
    derivation = viz.explain(network, *network_inputs())
    assert "u₍₁ₓ₃₎ = W₍₁ₓ₂₎ X₍₂ₓ₃₎" in derivation.text(shapes=True) and "₍" not in derivation.text()
    assert "W_(1x2) X_(2x3)" in derivation.text(shapes=True, ascii=True)
    assert r"\underset{1 \times 2}{W}" in derivation.latex(shapes=True) and "underset" not in derivation.latex()
    assert '<munder><mi>W</mi><mtext class="shape">1×2</mtext></munder>' in derivation.html()
    assert "munder" not in derivation.html(shapes=False)


# --- LaTeX and Markdown


LATEX = r"""\noindent \textbf{Forward}
\[
\begin{aligned}
u &= b \cdot c &&= 3 \cdot 2 &&= 6 \\
v &= a + u &&= 5 + 6 &&= 11 \\
J &= 3 \cdot v &&= 3 \cdot 11 &&= 33
\end{aligned}
\]
\noindent \textbf{Backward}
\[
\begin{aligned}
\frac{d J}{d v} & &&= 3 &&= 3 \\
\frac{d J}{d a} &= \frac{d J}{d v} \cdot \frac{d v}{d a} &&= 3 \cdot 1 &&= 3 \\
\frac{d J}{d u} &= \frac{d J}{d v} \cdot \frac{d v}{d u} &&= 3 \cdot 1 &&= 3 \\
\frac{d J}{d b} &= \frac{d J}{d u} \cdot \frac{d u}{d b} &&= 3 \cdot c = 3 \cdot 2 &&= 6 \\
\frac{d J}{d c} &= \frac{d J}{d u} \cdot \frac{d u}{d c} &&= 3 \cdot b = 3 \cdot 3 &&= 9
\end{aligned}
\]
"""


def test_latex_of_the_first_example() -> None:
    assert viz.explain(f, 5.0, 3.0, 2.0).latex() == LATEX


def test_markdown_holds_the_same_displays() -> None:
    markdown = viz.explain(f, 5.0, 3.0, 2.0).markdown()
    assert markdown.startswith("**Forward**\n\n$$\n\\begin{aligned}\nu &= b")
    displays = re.findall(r"\\begin{aligned}.*?\\end{aligned}", markdown, re.DOTALL)
    assert displays == re.findall(r"\\begin{aligned}.*?\\end{aligned}", LATEX, re.DOTALL)


def test_markdown_has_no_tags_and_no_dollars_within() -> None:
    for derivation in everything():
        body = derivation.markdown()
        assert "<" not in body and ">" not in body
        assert body.count("$$") == 2 * body.count(r"\begin{aligned}")
        assert not re.search(r"(?<![\\$])\$(?!\$)", body), "a single dollar would end the display"
    assert r"per\_example=True" in viz.explain(network, *network_inputs(), notation="d").markdown()


def test_names_as_the_notes_write_them() -> None:
    assert {name: Name(name).latex() for name in ("W1", "Z[2]", "u₂", "y_hat", "w_10", "α", "cost", "a_b")} == {
        "W1": "W_{1}",
        "Z[2]": "Z^{[2]}",
        "u₂": "u_{2}",
        "y_hat": r"\hat{y}",
        "w_10": "w_{10}",
        "α": r"\alpha",
        "cost": r"\mathtt{cost}",
        "a_b": r"\mathtt{a\_b}",
    }


def test_braces_of_latex_are_balanced() -> None:
    for derivation in everything():
        plain = re.sub(r"\\[{}]", "", derivation.latex(shapes=True))
        assert plain.count("{") == plain.count("}")
        assert plain.count(r"\left") - plain.count(r"\leftarrow") - plain.count(r"\leq") >= plain.count(r"\right") - 1


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX is installed")
def test_latex_compiles(tmp_path: Path) -> None:
    derivations = everything()
    body = "\n\\newpage\n".join(d.latex(shapes=shapes) for d in derivations for shapes in (False, True))
    preamble = "\\documentclass{article}\\usepackage[T1]{fontenc}\\usepackage{amsmath}\\begin{document}\\tiny\n"
    (tmp_path / "derivation.tex").write_text(f"{preamble}{body}\\end{{document}}", encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "derivation.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=120)
    errors = [line for line in done.stdout.splitlines() if line.startswith("!") or "Missing character" in line]
    assert done.returncode == 0 and not errors, errors or done.stdout[-2000:]


@pytest.mark.skipif(shutil.which("pdflatex") is not None, reason="LaTeX is installed, and compiles all of it")
def test_formulas_are_read_by_matplotlib() -> None:
    mathtext = pytest.importorskip("matplotlib.mathtext", reason="neither LaTeX nor Matplotlib is installed")
    parser = mathtext.MathTextParser("path")
    for derivation in everything():
        for line in derivation.lines:
            for formula in (line.left, *(side for column in line.sides for side in column)):
                parser.parse(f"${formula.latex()}$")


# --- HTML


def elements(derivation: viz.Derivation) -> ElementTree.Element:
    """The HTML, which is well-formed XML as well."""
    return ElementTree.fromstring(derivation.html())


def test_html_is_well_formed_and_holds_what_the_text_holds() -> None:
    for derivation in everything():
        root = elements(derivation)
        assert len(root.findall(".//tr")) == len(derivation.lines)
        assert len(root.findall(".//caption")) == len({line.phase for line in derivation.lines})
        for script in root.iter("script"):
            raise AssertionError(script)


def test_html_of_the_first_example() -> None:
    rows = ["".join(row.itertext()) for row in elements(viz.explain(f, 5.0, 3.0, 2.0)).iter("tr")]
    assert rows[:3] == ["u=b·c=3·2=6", "v=a+u=5+6=11", "J=3·v=3·11=33"]
    assert rows[-2] == "dJdb=dJdu·dudb=3·c=3·2=6"


def test_a_notebook_gets_html_and_text() -> None:
    derivation = viz.explain(f, 5.0, 3.0, 2.0, language="tr")
    bundle = derivation._repr_mimebundle_()
    assert bundle == {"text/plain": str(derivation), "text/html": derivation.html()}
    assert derivation._repr_html_() == derivation.html() and elements(derivation).get("lang") == "tr"


def test_names_come_out_as_text() -> None:
    derivation = hostile()
    shown = "".join(elements(derivation).itertext())
    for name in HOSTILE:
        assert name in shown and name in derivation.text()
    assert "</script>" not in derivation.html()
    latex = derivation.latex()
    for name in (
        r"\text{\textless{}/script\textgreater{}}",
        r"\mathtt{a\_b}",
        r"\text{x\$y}",
        r"\text{\{b\}}",
        r"\text{100\%}",
    ):
        assert name in latex
