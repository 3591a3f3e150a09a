"""Every example in a docstring runs and prints what it says; every program in README and docs runs."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

import tinygrad_dl
import tinygrad_dl.nn
import tinygrad_dl.optim

# In a checkout the folders of nn and optim lie beside the package, where a walk of the package does not see them.
ROOTS = (tinygrad_dl, tinygrad_dl.nn, tinygrad_dl.optim)
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def modules() -> list[str]:
    """The names of all modules of the package."""
    names = {root.__name__ for root in ROOTS}
    for root in ROOTS:
        names.update(info.name for info in pkgutil.walk_packages(root.__path__, root.__name__ + "."))
    return sorted(names)


def documented(module: ModuleType) -> Iterator[tuple[str, str]]:
    """Names and docstrings of a module and what it defines.

    `doctest` asks where a function's code lies and would miss operations, which are made by operation.py.
    """
    yield module.__name__, docstring(module)
    for name, value in vars(module).items():
        of_table = module.__name__.startswith("tinygrad_dl.ops.") and hasattr(value, "operation")
        if of_table or getattr(value, "__module__", None) == module.__name__:
            yield f"{module.__name__}.{name}", docstring(value)
            for member, attribute in vars(value).items() if inspect.isclass(value) else ():
                function = getattr(attribute, "fget", getattr(attribute, "__func__", attribute))
                if getattr(function, "__module__", None) == module.__name__:
                    yield f"{module.__name__}.{name}.{member}", docstring(function)


def docstring(value: object) -> str:
    text = getattr(value, "__doc__", None)
    return inspect.cleandoc(text) if isinstance(text, str) else ""


@cache
def examples(name: str) -> tuple[doctest.DocTest, ...]:
    """A module's docstrings with examples, each once: two names may share one."""
    module = importlib.import_module(name)
    texts: dict[str, str] = {}
    for place, text in documented(module):
        if ">>>" in text:
            texts.setdefault(text, place)
    parse = doctest.DocTestParser().get_doctest
    return tuple(parse(text, {}, place, module.__file__, 0) for text, place in texts.items())


@pytest.fixture(autouse=True)
def settings_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Examples start from seed 0, write files elsewhere, and what they switch is switched back."""
    monkeypatch.chdir(tmp_path)
    dtype, device = tinygrad_dl.get_default_dtype(), tinygrad_dl.get_default_device()
    tinygrad_dl.manual_seed(0)
    yield
    tinygrad_dl.set_default_dtype(dtype)
    tinygrad_dl.set_default_device(device)
    tinygrad_dl.set_grad_enabled(True)


@pytest.mark.parametrize("name", modules())
def test_examples_in_docstrings(name: str) -> None:
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    for example in examples(name):
        runner.run(example, out=report.append, clear_globs=False)
    assert runner.failures == 0, "".join(report)


def test_every_public_function_has_an_example() -> None:
    """Also shows that the walk finds them: examples that nobody runs would pass for ever."""
    found = {example.docstring for name in modules() for example in examples(name)}
    public = {name: value for name, value in vars(tinygrad_dl).items() if inspect.isfunction(value) and name[0] != "_"}
    assert not [name for name, value in public.items() if docstring(value) not in found]
    for package in ("tinygrad_dl.nn.", "tinygrad_dl.optim.", "tinygrad_dl.utils.", "tinygrad_dl.viz."):
        assert any(examples(name) for name in modules() if name.startswith(package)), f"no example found in {package}*"


def programs() -> list[object]:
    """The Python blocks of the documents, each with what the text block behind it says that it prints."""
    root = Path(__file__).resolve().parent.parent
    found: list[object] = []
    for path in [*root.glob("*.md"), *sorted((root / "docs").rglob("*.md"))]:
        pattern = r"^```python\n(.*?)^```\n(?:\n^```text\n(.*?)^```)?"
        blocks = re.findall(pattern, path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
        name = path.relative_to(root).as_posix()
        found += [pytest.param(*block, id=f"{name}, block {i + 1}") for i, block in enumerate(blocks)]
    return found


@pytest.mark.parametrize(("program", "printed"), programs())
def test_programs_in_documents(program: str, printed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "program.py"
    path.write_text(program, encoding="utf-8")  # a trace reads names from the source
    exec(compile(program, str(path), "exec"), {"__name__": "__main__", "__file__": str(path)})
    assert not printed or capsys.readouterr().out == printed
