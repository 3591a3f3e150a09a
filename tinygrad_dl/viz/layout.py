"""A derivation's lines laid out: text in columns, Markdown, LaTeX, HTML with MathML."""

import html
from collections.abc import Callable, Iterator

from .formula import BAR, Formula, Sign, latex_text
from .lines import BACKWARD, FORWARD, PATHS, Line

Section = tuple[str, str, list[Line]]  # a heading, a remark to it, its lines
_GAPS = {FORWARD: (4, 3), BACKWARD: (7, 2), PATHS: (7, 2)}  # spaces behind the first column and behind others
_EQUALS = Sign(" = ")


def as_text(sections: list[Section], shapes: bool, spell: Callable[[str], str]) -> str:
    """Columns of text, each piece of which is spelled in the letters that are wanted."""
    written: list[str] = []
    for heading, remark, lines in sections:
        written.append(spell(f"{heading}  {remark}" if remark else heading))
        written += _aligned(lines, _GAPS[lines[0].phase], shapes, spell)
    return "\n".join(written)


def _aligned(lines: list[Line], gaps: tuple[int, int], shapes: bool, spell: Callable[[str], str]) -> Iterator[str]:
    """Lines in columns; a last column stands by itself."""
    table = [[spell(column) for column in line.written(shapes)] for line in lines]
    widths = [
        max([_width(row[i]) for row in table if len(row) > i + 1], default=0) for i in range(max(map(len, table)))
    ]
    for line, row in zip(lines, table, strict=True):
        text = " "
        for i, column in enumerate(row):
            text += " " + column if i == 0 else column
            if i < len(row) - 1:
                text += " " * (widths[i] - _width(column) + gaps[min(i, 1)])
        yield text.rstrip()
        yield from ("      " + spell(block) for block in line.block)


def _width(text: str) -> int:
    """The width of text: combining marks take none."""
    return len(text.replace(BAR, ""))


# --- LaTeX and Markdown


def as_latex(sections: list[Section], shapes: bool) -> str:
    """Displays with `aligned`, for a document that loads amsmath."""
    parts = []
    for heading, remark, lines in sections:
        title = rf"\textbf{{{latex_text(heading)}}}" + (f" {latex_text(remark)}" if remark else "")
        parts.append(f"\\noindent {title}\n\\[\n{_display(lines, shapes)}\n\\]")
    return "\n".join(parts) + "\n"


def as_markdown(sections: list[Section], shapes: bool) -> str:
    """Headings, and displays between double dollars."""
    parts = []
    for heading, remark, lines in sections:
        title = f"**{heading}**" + (f" {_markdown_text(remark)}" if remark else "")
        display = _display(lines, shapes).replace("<", r"\lt ").replace(">", r"\gt ")  # no tags for Markdown
        parts.append(f"{title}\n\n$$\n{display}\n$$")
    return "\n\n".join(parts) + "\n"


def _markdown_text(text: str) -> str:
    return "".join(f"\\{letter}" if letter in r"\`*_{}[]<>#|$" else letter for letter in text)


def _display(lines: list[Line], shapes: bool) -> str:
    rows = [_latex_row(line, shapes) for line in lines]
    return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"


def _latex_row(line: Line, shapes: bool) -> str:
    first, *others = line.sides
    columns = [_latex_side(first, shapes)] + [_latex_side(column, shapes) for column in others]
    if line.cells is not None:
        body = r" \\ ".join(" & ".join(map(_latex_cell, row)) for row in line.cells)
        columns.append(rf"= \begin{{bmatrix}} {body} \end{{bmatrix}}")
    elif line.told:
        columns.append(rf"\quad \text{{{latex_text(_told(line))}}}")
    if line.note:
        columns.append(rf"\quad \text{{{latex_text(line.note)}}}")
    return f"{line.left.latex(shapes)} &{columns[0]}" + "".join(f" &&{column}" for column in columns[1:])


def _latex_side(formulas: list[Formula], shapes: bool) -> str:
    return " ".join(f"= {formula.latex(shapes)}" for formula in formulas)


def _latex_cell(cell: str) -> str:
    mantissa, e, exponent = cell.replace("−", "-").partition("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if e else _SPECIAL.get(mantissa, mantissa)


_SPECIAL = {"inf": r"\infty", "-inf": r"-\infty", "nan": r"\mathrm{nan}"}


def _told(line: Line) -> str:
    """What is said of an array that is not shown: its shape, and a summary."""
    return f"{line.shape} {line.told}" if line.shape else line.told


# --- HTML


_STYLE = """
.tg-derivation { font-size: 1.05em; line-height: 1.7; overflow-x: auto; }
.tg-derivation table { border-collapse: collapse; margin: 0 0 1em; background: none; }
.tg-derivation caption { text-align: left; font-weight: bold; padding: .3em 0; }
.tg-derivation caption small { font-weight: normal; opacity: .75; }
.tg-derivation td { text-align: left; padding: .3em 1.2em .3em 0; border: 0; vertical-align: middle; }
.tg-derivation .shape { font-size: .65em; opacity: .65; }
.tg-derivation .told { opacity: .75; font-size: .9em; }
"""


def as_html(sections: list[Section], shapes: bool, language: str) -> str:
    """Tables of MathML with their style, to stand within a page; the colours are the page's."""
    tables = "".join(_table(*section, shapes) for section in sections)
    return f'<div class="tg-derivation" lang="{language}"><style>{_STYLE}</style>{tables}</div>'


def _table(heading: str, remark: str, lines: list[Line], shapes: bool) -> str:
    small = f" <small>{html.escape(remark)}</small>" if remark else ""
    width = max(len(line.sides) for line in lines)
    rows = "\n".join(_html_row(line, width, shapes) for line in lines)
    return f"<table><caption>{html.escape(heading)}{small}</caption>\n{rows}\n</table>\n"


def _html_row(line: Line, width: int, shapes: bool) -> str:
    first, *others = line.sides
    cells = [_math(line.left.mathml(shapes) + "".join(_equal(side, shapes) for side in first))]
    cells += [_math("".join(_equal(side, shapes) for side in column)) for column in others]
    if line.cells is not None:
        cells.append(_math(_EQUALS.mathml() + _matrix(line.cells)))
    elif line.told:
        cells.append(f'<span class="told">{html.escape(_told(line))}</span>')
    cells += [""] * (width - len(cells))
    if line.note:
        cells.append(f'<span class="told">{html.escape(line.note)}</span>')
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _equal(formula: Formula, shapes: bool) -> str:
    return _EQUALS.mathml() + formula.mathml(shapes)


def _math(inner: str) -> str:
    return f'<math displaystyle="true">{inner}</math>' if inner else ""


def _matrix(cells: list[list[str]]) -> str:
    rows = "".join("<mtr>" + "".join(f"<mtd>{_number(cell)}</mtd>" for cell in row) + "</mtr>" for row in cells)
    return f"<mrow><mo>[</mo><mtable>{rows}</mtable><mo>]</mo></mrow>"


def _number(cell: str) -> str:
    return f"<mn>{html.escape(cell)}</mn>"
