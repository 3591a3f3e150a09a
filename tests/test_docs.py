"""What the documents show is so: code that they quote stands in our files, what they type in prints what they say."""

from __future__ import annotations

import doctest
import importlib.util
import re
from functools import cache
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from test_house import BELOW, NAMED, SPLIT_OFF, imports, ours, size, sources

ROOT = Path(__file__).resolve().parent.parent
PAGES = [path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))]]
BLOCK = re.compile(r"^ *```(\S+)?(?: (\S+))?\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
REFERENCE = "docs/reference.md"  # its examples are those of the docstrings, which test_doctests.py runs
REFUSED = {"tinygrad_dl.linalg.eig", "tinygrad_dl.linalg.eigvals"}  # have nothing to show
KINDS = {"python", "pycon", "text", "bash"}  # of blocks: programs and sessions are run, quotations name their file


def blocks(page: str) -> list[tuple[str, str, str]]:
    """The blocks of a page: kind, the file it is quoted from (or nothing), text."""
    return BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))


def missing(quotation: str, source: str) -> str | None:
    """The first piece of a quotation that does not stand in a source behind the one before it; `...` parts pieces."""
    at, lines = 0, source.splitlines()
    for piece in re.split(r"^ *\.\.\.\n", quotation, flags=re.MULTILINE):
        wanted = dedent(piece).splitlines()
        starts = range(at, len(lines) - len(wanted) + 1)
        found = (i for i in starts if dedent("\n".join(lines[i : i + len(wanted)])).splitlines() == wanted)
        start = next(found, None)
        if start is None:
            return piece
        at = start + len(wanted)
    return None


def quotations() -> list[object]:
    """The blocks that name a file."""
    found: list[object] = []
    for page in PAGES:
        quoted = [(file, text) for _, file, text in blocks(page) if file]
        found += [pytest.param(file, text, id=f"{page}, {i + 1}: {file}") for i, (file, text) in enumerate(quoted)]
    return found


@pytest.mark.parametrize(("file", "text"), quotations())
def test_quoted_code_stands_in_its_file(file: str, text: str) -> None:
    piece = missing(text, (ROOT / file).read_text(encoding="utf-8"))
    assert piece is None, f"{file} has no longer:\n{piece}"


def test_a_quotation_must_be_exact() -> None:
    source = "def f():\n    if x:\n        y = 1\n        z = 2\n"
    assert missing("if x:\n    y = 1\n", source) is None
    assert missing("def f():\n...\n        z = 2\n", source) is None
    assert missing("if x:\n    z = 2\n", source) == "if x:\n    z = 2\n"  # a line is left out
    assert missing("if x:\ny = 1\n", source) == "if x:\ny = 1\n"  # another indentation
    assert missing("z = 2\n...\ny = 1\n", source) == "y = 1\n"  # another order


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page != REFERENCE and any(kind == "pycon" for kind, _, _ in blocks(page))]
)
def test_sessions_print_what_they_say(page: str) -> None:
    """The sessions of a page are one: what one defines, the next ones know."""
    text = "\n".join(text for kind, _, text in blocks(page) if kind == "pycon")
    report: list[str] = []
    session = doctest.DocTestParser().get_doctest(text, {}, page, page, 0)
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(session, out=report.append)
    assert result.attempted == text.count(">>> ") and not result.failed, "".join(report)


@pytest.mark.parametrize("page", PAGES)
def test_blocks_are_of_a_kind_that_is_checked(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert len(re.findall(r"^ *```", text, re.MULTILINE)) == 2 * len(blocks(page))
    assert {kind for kind, _, _ in blocks(page)} <= KINDS
    assert not [text for kind, _, text in blocks(page) if ">>> " in text and kind != "pycon"]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files(page: str) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", (ROOT / page).read_text(encoding="utf-8"))
    gone = [link for link in links if "://" not in link and not ((ROOT / page).parent / link).exists()]
    assert not gone, f"{page} links to what is not there: {gone}"


@cache
def reference() -> Any:
    """The program that writes docs/reference.md."""
    specification = importlib.util.spec_from_file_location("make_reference", ROOT / "docs" / "make_reference.py")
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_the_reference_says_what_docstrings_and_rules_say() -> None:
    assert reference().PAGE.read_text(encoding="utf-8") == reference().written(), "run python docs/make_reference.py"


def test_functions_of_namespaces_and_methods_are_documented() -> None:
    spaces = reference().NAMESPACES.items()
    found = {f"{space}.{name}": f.__doc__ or "" for space, m in spaces for name, f in reference().functions(m).items()}
    assert len(found) > 500
    assert not [name for name, text in found.items() if ">>> " not in text and name not in REFUSED]
    assert not [name for name, method in reference().methods().items() if not (method.__doc__ or "").strip()]


def test_the_counts_of_lines_are_right() -> None:
    """The architecture's table says to ten lines how big the engine's files are."""
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    said = {name: int(lines) for name, lines in re.findall(r"^\| `([\w/]+)\.py` \| (\d+) \|", text, re.MULTILINE)}
    assert {*NAMED, *SPLIT_OFF, *BELOW} <= said.keys()
    wrong = {name: size([name]) for name, lines in said.items() if abs(size([name]) - lines) > 10}
    assert not wrong, f"docs/architecture.md: these have another number of lines of code now: {wrong}"


def test_the_table_of_the_house_is_whole_and_in_order() -> None:
    """Each module has its row in the architecture's table, and imports from its own row and those above it."""
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    house = text[text.index("## The house") : text.index("## One value")]
    rows = [re.findall(r"`(\w+)(?:\.py|/)`", row.split("|")[1]) for row in house.splitlines() if row.startswith("| `")]
    height = {name: i for i, names in enumerate(rows) for name in names}
    inside = {module: module.split(".")[1] for module in sources() if "." in module and "_checkout" not in module}
    assert not sorted({*inside.values()} - height.keys()), "these modules have no row"
    wrong = [
        f"{module} imports {target}"
        for module, name in inside.items()
        for _, target, _ in imports(module)
        if ours(target) and target in inside and height[inside[target]] > height[name]
    ]
    assert not wrong, "these stand above what they import:\n" + "\n".join(wrong)
