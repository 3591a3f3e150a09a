"""The rules of the house, read from the source: who imports whom, who knows NumPy's types, how long a file may be."""

from __future__ import annotations

import ast
import io
import os
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "tinygrad_dl"
FOLDERS = {PACKAGE: ROOT / PACKAGE, f"{PACKAGE}.nn": ROOT / "nn", f"{PACKAGE}.optim": ROOT / "optim"}

# A module imports from its own line and from those above it. A name stands for the module and for what lies inside it.
LAYERS = [
    ["errors", "silence", "_checkout"],
    ["dtypes", "layouts", "limits", "modes", "return_types"],
    ["kernels"],
    ["backend"],
    ["explain", "inplace"],
    ["tensor", "views"],
    ["arguments", "forms", "methods", "nested", "node", "numpy_functions", "outputs", "promotion"],
    ["operation", "inspection", "observing"],
    ["ops"],
    ["anomaly"],
    ["function", "hooks", "recorded", "registry"],
    ["autograd"],
    ["generator"],
    ["creation", "graph", "linalg", "random", "printing", "serialization", "gradcheck", "testing"],
    ["draws", "import_paths", "sampling", "settings", "tensor_types", "unavailable"],
    ["creation", "graph", "linalg", "random", "printing", "serialization", "gradcheck", "special", "testing"],
    [
        "attributes",
        "copies",
        "draws",
        "einops_backend",
        "sampling",
        "settings",
        "sharing",
        "tensor_types",
        "unavailable",
    ],
    ["creation", "graph", "linalg", "random", "printing", "serialization", "gradcheck", "signal", "testing"],
    ["point"],
    ["functional"],
    ["nn", "optim", "utils", "viz"],
    ["amp", "backends", "cuda", "distributed", "func", "jit", "mps", "multiprocessing"],
    ["accelerator", "compiler"],
    [""],  # tinygrad_dl/__init__.py, which gathers the public names
    ["version", "__main__"],  # ask it for the version, and for what a terminal may run
]

KNOW_CUPY = {LAYERS.index(["kernels"]), LAYERS.index(["backend"])}

# Modules that load another one above them when it is first asked for, and why.
DEFERRED = {(f"{PACKAGE}.backend", f"{PACKAGE}.testing"): "the strict device is made at first use, as CuPy's is"}

# What may be imported inside a function: packages that one may lack, or that would make `import tinygrad_dl` slow.
OPTIONAL = {"cupy", "cupyx", "executing", "graphviz", "IPython", "matplotlib", "pygraphviz", "scipy", "threadpoolctl"}
OPTIONAL |= {"tqdm"}

# Where NumPy's types may be named outside backend.py, by module or function, and why.
NUMPY_ALLOWED = {
    "creation": "takes the user's data",
    "gradcheck": "compares numbers on the host",
    "ops.indexing:_index_part": "takes the user's index",
    "ops.extremes:_extreme": "tells a dim from an array that the user passed in its place",
    "promotion:as_operand": "takes what the user wrote beside a tensor",
    "random": "NumPy's generators draw on the host, whatever the device",
    "sampling": "NumPy's generators draw on the host, whatever the device",
    "tensor:__array__": "NumPy's own protocol",
    "testing": "the strict device is made of NumPy's arrays",
}

# Modules whose names examples may use; others are the engine's inside.
PUBLIC_MODULES = {
    "autograd",
    "autograd.functional",
    "func",
    "gradcheck",
    "linalg",
    "nn",
    "nn.functional",
    "nn.init",
    "nn.utils",
    "optim",
    "optim.lr_scheduler",
    "optim.swa_utils",
    "special",
    "signal.windows",
    "testing",
    "utils",
    "utils.checkpoint",
    "utils.data",
    "viz",
}
PRIVATE_ATTRIBUTES = {"array", "node", "extras"}  # of tensors


# --- reading the source


@cache
def sources() -> dict[str, Path]:
    """The modules of the package by their dotted names."""
    found = {}
    for package, folder in FOLDERS.items():
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            found[".".join([package, *(part for part in parts if part != "__init__")])] = path
    return found


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def python_files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def where(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{node.lineno}"  # type: ignore[attr-defined]


def imports(module: str) -> Iterator[tuple[ast.AST, str, bool]]:
    """(statement, what it imports, whether inside a function) of a module, but for what only a type checker reads."""
    path = sources()[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for statement, target, inside in _imports(tree(path), package, False):
        if (module, target) not in DEFERRED:
            yield statement, target, inside


def _imports(node: ast.AST, package: str, inside: bool) -> Iterator[tuple[ast.AST, str, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield child, alias.name, inside
        elif isinstance(child, ast.ImportFrom):
            for target in _targets(child, package):
                yield child, target, inside
        elif isinstance(child, ast.Call) and ast.unparse(child.func).endswith("import_module"):
            if isinstance(child.args[0], ast.Constant):
                yield child, str(child.args[0].value), inside
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            for statement in child.orelse:
                yield from _imports(statement, package, inside)
        else:
            inner = inside or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _imports(child, package, inner)


def _targets(statement: ast.ImportFrom, package: str) -> set[str]:
    """The modules that `from x import a, b` names: x.a where that is a module of ours, else x."""
    base = statement.module or ""
    if statement.level:
        above = package.split(".")
        above = above[: len(above) - statement.level + 1]
        base = ".".join([*above, base] if base else above)
    inner = {f"{base}.{alias.name}" for alias in statement.names}
    return {name if name in sources() else base for name in inner}


def ours(name: str) -> bool:
    return name.split(".")[0] == PACKAGE


def layer(module: str) -> int:
    """How high a module stands; `_targets` has made sure that it exists."""
    inside = module.removeprefix(PACKAGE).lstrip(".").split(".")[0]
    for height, names in enumerate(LAYERS):
        if inside in names:
            return height
    raise AssertionError(f"{module} has no place in LAYERS of {Path(__file__).name}: give it one")


# --- who may import whom


@pytest.mark.parametrize("module", sources())
def test_imports_point_downwards(module: str) -> None:
    wrong = [
        f"{where(sources()[module], statement)}: {module} imports {target}"
        for statement, target, _ in imports(module)
        if ours(target) and layer(target) > layer(module)
    ]
    assert not wrong, "these imports point upwards:\n" + "\n".join(wrong)


def test_imports_make_no_cycle() -> None:
    graph = {module: {target for _, target, _ in imports(module) if ours(target)} for module in sources()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail("modules that import each other: " + " -> ".join(error.args[1]))


def test_only_optional_packages_are_imported_inside_functions() -> None:
    wrong = [
        f"{where(sources()[module], statement)}: {target}"
        for module in sources()
        for statement, target, inside in imports(module)
        if inside and target.split(".")[0] not in OPTIONAL
    ]
    assert not wrong, "move these imports to the top of their files:\n" + "\n".join(wrong)


def test_optional_packages_are_imported_nowhere_else() -> None:
    wrong = [
        f"{where(sources()[module], statement)}: {target}"
        for module in sources()
        for statement, target, inside in imports(module)
        if not inside and not ours(target) and target.split(".")[0] not in {*sys.stdlib_module_names, "numpy"}
    ]
    assert not wrong, "`import tinygrad_dl` would need these packages:\n" + "\n".join(wrong)


def test_import_loads_nothing_that_is_slow_or_optional(tmp_path: Path) -> None:
    program = (
        "import sys, numpy\n"  # what the interpreter's own set-up loads does not count
        "before = set(sys.modules)\n"
        "import tinygrad_dl, tinygrad_dl.nn, tinygrad_dl.optim, tinygrad_dl.utils.data, tinygrad_dl.viz\n"
        "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before}))"
    )
    command = [sys.executable, "-c", program]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    out = subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True).stdout
    unwanted = OPTIONAL | {"autograd", "pandas", "safetensors", "scipy", "sklearn", "torch"}
    assert PACKAGE in out.split()
    assert not unwanted & set(out.split())


# --- who may know which array library runs


def test_only_backend_imports_cupy() -> None:
    wrong = [
        where(sources()[module], statement)
        for module in sources()
        for statement, target, _ in imports(module)
        if target.split(".")[0] in {"cupy", "cupyx"} and layer(module) not in KNOW_CUPY
    ]
    assert not wrong, "only backend.py, and the kernels that it chooses, may know CuPy:\n" + "\n".join(wrong)


def numpy_types(path: Path) -> Iterator[tuple[ast.AST, str]]:
    """Where a file asks for np.ndarray or converts with np.asarray or np.array, with the function around it."""
    yield from _numpy_types(tree(path), "module")


def _numpy_types(node: ast.AST, function: str) -> Iterator[tuple[ast.AST, str]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call) and _knows_numpy(child):
            yield child, function
        named = isinstance(child, ast.FunctionDef | ast.ClassDef)
        yield from _numpy_types(child, child.name if named else function)  # type: ignore[attr-defined]


def _knows_numpy(call: ast.Call) -> bool:
    if isinstance(call.func, ast.Name):
        return call.func.id == "isinstance" and "'ndarray'" in ast.dump(call.args[1])
    return (
        isinstance(call.func, ast.Attribute)
        and call.func.attr in {"array", "asarray", "asanyarray", "ascontiguousarray"}
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id in {"np", "numpy"}
    )


def test_only_backend_knows_numpy_types() -> None:
    """An array may be CuPy's: what asks for NumPy's type, or converts to it, breaks on a GPU."""
    wrong, used = [], set()
    for module, path in sources().items():
        inner = module.removeprefix(f"{PACKAGE}.")
        for node, function in numpy_types(path) if inner != "backend" else ():
            allowed = {inner, f"{inner}:{function}"} & NUMPY_ALLOWED.keys()
            used |= allowed
            if not allowed:
                wrong.append(f"{where(path, node)} in {function}")
    assert not wrong, "outside backend.py, arrays may be CuPy's:\n" + "\n".join(wrong)
    assert used == NUMPY_ALLOWED.keys(), "no longer needed in NUMPY_ALLOWED"


# --- examples show what a user may write


def private_uses(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if ours(alias.name) and not _public_module(alias.name):
                    yield f"{where(path, node)}: import {alias.name}"
        elif isinstance(node, ast.ImportFrom) and node.module and ours(node.module):
            for alias in node.names:
                if not _public_name(node.module, alias.name):
                    yield f"{where(path, node)}: from {node.module} import {alias.name}"
        elif isinstance(node, ast.Attribute):
            of_module = isinstance(node.value, ast.Name) and node.value.id in {"np", "numpy"}
            private = node.attr.startswith("_") and not node.attr.endswith("__")
            if private or (node.attr in PRIVATE_ATTRIBUTES and not of_module):
                yield f"{where(path, node)}: .{node.attr}"


def _public_module(name: str) -> bool:
    return name == PACKAGE or name.removeprefix(f"{PACKAGE}.") in PUBLIC_MODULES


def _public_name(module: str, name: str) -> bool:
    return (_public_module(module) and not name.startswith("_")) or _public_module(f"{module}.{name}")


@pytest.mark.parametrize("path", python_files("examples"), ids=lambda path: str(path.relative_to(ROOT)))
def test_examples_use_public_names_only(path: Path) -> None:
    wrong = list(private_uses(path))
    assert not wrong, "an example uses the engine's inside:\n" + "\n".join(wrong)


# --- budgets of lines


def code_lines(text: str) -> set[int]:
    """The numbers of the lines that hold code: no blank ones, no comments, no docstrings."""
    silent = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in silent:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            docstring = node.body[0]
            lines.difference_update(range(docstring.lineno, (docstring.end_lineno or 0) + 1))
    return lines


def test_code_lines_counts_code_only() -> None:
    text = '"""Doc\nstring."""\n\n# comment\nx = 1  # code\ny = """both\nlines"""\ndef f():\n    "Doc."\n    return x\n'
    assert code_lines(text) == {5, 6, 7, 8, 10}


# What a reader of the engine begins with, what was split off from it, and what it stands on.
NAMED = ["operation", "autograd"]
SPLIT_OFF = ["modes", "node", "recorded"]
BELOW = ["tensor", "inplace", "functional", "dtypes", "promotion"]


def size(names: list[str]) -> int:
    """The lines of code of some of the package's files together."""
    paths = [ROOT / PACKAGE / f"{name}.py" for name in names]
    return sum(len(code_lines(path.read_text(encoding="utf-8"))) for path in paths if path.exists())


def test_what_records_stays_small() -> None:
    assert size(NAMED) <= 600
    assert size(NAMED + SPLIT_OFF) <= 850  # the aim is 600 for all of it


def test_the_engine_stays_small() -> None:
    assert size(NAMED + SPLIT_OFF + BELOW) <= 1500


def test_no_operation_is_long() -> None:
    """An operation is a table's line or one block: a function with its rules in the decorator."""
    long = {}
    for path in python_files(f"{PACKAGE}/ops"):
        lines = code_lines(path.read_text(encoding="utf-8"))
        for node in tree(path).body:
            first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])
            size = len(lines & set(range(first, (node.end_lineno or first) + 1)))
            if size > 40:
                long[where(path, node)] = size
    assert not long, f"operations of more than 40 lines of code: {long}"
