"""nn/ and optim/ lie beside tinygrad_dl/ and are its sub-packages: in a checkout, an install and a wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from importlib import import_module
from importlib.util import find_spec
from operator import attrgetter
from pathlib import Path

import numpy as np
import pytest

import tinygrad_dl

# Trains one step with every sub-package and says where each came from.
PROGRAM = """
import tinygrad_dl as tg
from tinygrad_dl import nn, optim
from tinygrad_dl.utils.data import DataLoader, TensorDataset
import tinygrad_dl.nn.functional as F

model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
optimizer = optim.SGD(model.parameters(), lr=0.1)
for x, y in DataLoader(TensorDataset(tg.ones(4, 2), tg.ones(4, 1)), batch_size=2):
    optimizer.zero_grad()
    F.mse_loss(model(x), y).backward()
    optimizer.step()
assert "digraph" in tg.viz.graph(F.mse_loss(model(x), y)).source
assert "<!doctype html>" in tg.viz.page(lambda a: a * a, 3.0, path=None).html
assert nn.functional is F and tg.nn is nn and nn.Linear.__module__.startswith("tinygrad_dl.nn")
print(tg.__file__, nn.__file__, optim.__file__, sep="\\n")
"""


def run(command: list[object], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command with this environment but for the caller's Python path."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, env=inherited | environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def packages_in(repository: Path) -> dict[str, Path]:
    """Every folder with an __init__.py, by the name under which it is installed."""
    found = {}
    for name in ("tinygrad_dl", "nn", "optim"):
        prefix = "" if name == "tinygrad_dl" else "tinygrad_dl."
        for init in (repository / name).rglob("__init__.py"):
            found[prefix + ".".join(init.parent.relative_to(repository).parts)] = init.parent
    return found


def copy_of_what_is_packed(repository: Path, target: Path) -> Path:
    """A copy to build in: setuptools writes into the folder, and would pack what an earlier build left there."""
    for name in ("tinygrad_dl", "nn", "optim"):
        shutil.copytree(repository / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(repository / name, target)
    return target


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built by the setuptools that is installed."""
    if find_spec("setuptools") is None or find_spec("pip") is None:
        pytest.skip("pip and setuptools, which build the wheel, are not installed")
    source = copy_of_what_is_packed(repository, tmp_path_factory.mktemp("source"))
    target = tmp_path_factory.mktemp("wheel")
    run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "-q",
            "--no-deps",
            "--no-build-isolation",
            "--wheel-dir",
            target,
            source,
        ],
        target,
    )
    (built,) = target.glob("*.whl")
    return built


# --- the bare checkout


def libraries() -> str:
    """Where NumPy and the graphviz package are: under -S they are on the path, but no install of ours is active."""
    folders = [Path(np.__file__).parent.parent]
    graphviz = find_spec("graphviz")
    if graphviz is not None and graphviz.origin is not None:
        folders.append(Path(graphviz.origin).parent.parent)
    return os.pathsep.join(dict.fromkeys(map(str, folders)))


def run_checkout(checkout: Path, program: str, folder: Path) -> list[str]:
    """Run a program on a checkout that is only on the path."""
    path = os.pathsep.join([str(checkout), libraries()])
    return run([sys.executable, "-S", "-c", program], folder, PYTHONPATH=path).stdout.split()


def test_a_bare_checkout_on_the_path_works(repository: Path, tmp_path: Path) -> None:
    package, nn, optim = run_checkout(repository, PROGRAM, tmp_path)
    assert Path(package) == repository / "tinygrad_dl" / "__init__.py"
    assert Path(nn) == repository / "nn" / "__init__.py"
    assert Path(optim) == repository / "optim" / "__init__.py"


def toy(folder: Path, *, inside: bool) -> Path:
    """A package of the same name and layout as ours that holds nothing but the finder."""
    package = folder / "tinygrad_dl"
    package.mkdir(parents=True)
    shutil.copy(Path(tinygrad_dl.__file__).parent / "_checkout.py", package)
    (package / "__init__.py").write_text("from ._checkout import install\ninstall()\n")
    for name in ("nn", "optim"):
        beside = (package if inside else folder) / name
        beside.mkdir()
        (beside / "__init__.py").write_text("from .part import value\n")
        (beside / "part.py").write_text(f"value = {name!r}\n")
    return folder


FINDERS = "import sys, tinygrad_dl; print(sum(type(finder).__name__ == 'CheckoutFinder' for finder in sys.meta_path))"


def test_the_finder_leads_to_modules_inside_the_folders(tmp_path: Path) -> None:
    program = "from tinygrad_dl.nn import part; from tinygrad_dl.optim.part import value; print(part.__name__, value)"
    assert run_checkout(toy(tmp_path, inside=False), program, tmp_path) == ["tinygrad_dl.nn.part", "optim"]


def test_the_finder_leads_nowhere_else(tmp_path: Path) -> None:
    """With the repository's root as a search path of the package, `tinygrad_dl.tests` would be importable."""
    checkout = toy(tmp_path, inside=False)
    (checkout / "tests").mkdir()
    (checkout / "tests" / "__init__.py").touch()
    program = (
        "import tinygrad_dl\ntry: import tinygrad_dl.tests\nexcept ModuleNotFoundError as error: print(error.name)"
    )
    assert run_checkout(checkout, program, tmp_path) == ["tinygrad_dl.tests"]


def test_a_second_import_installs_no_second_finder(tmp_path: Path) -> None:
    again = "; import importlib; importlib.reload(tinygrad_dl._checkout); importlib.reload(tinygrad_dl); "
    program = FINDERS + again + FINDERS
    assert run_checkout(toy(tmp_path, inside=False), program, tmp_path) == ["1", "1"]


def test_an_installed_package_needs_no_finder(tmp_path: Path) -> None:
    """The folders of another `nn` beside an installed package are not ours."""
    installed = toy(tmp_path, inside=True)
    (installed / "nn").mkdir()
    (installed / "nn" / "__init__.py").write_text("raise SystemExit('the wrong nn')\n")
    assert run_checkout(installed, FINDERS + "; import tinygrad_dl.nn", tmp_path) == ["0"]


def test_importing_the_folder_itself_fails_loudly(repository: Path) -> None:
    """`import nn` in the checkout would make a second copy of every class."""
    for name in ("nn", "optim"):
        program = f"try:\n import {name}\nexcept ImportError as error: print(error)"
        assert "tinygrad_dl" in " ".join(run_checkout(repository, program, repository))


def test_every_sub_package_is_an_attribute(repository: Path) -> None:
    """No public function may stand in its way, as `tinygrad_dl.tensor` does in its module's."""
    for package in packages_in(repository).keys() - {"tinygrad_dl"}:
        assert attrgetter(package.removeprefix("tinygrad_dl."))(tinygrad_dl) is import_module(package)


# --- the wheel


def test_the_list_of_packages_is_complete(repository: Path) -> None:
    listed = tomllib.loads((repository / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    assert sorted(listed) == sorted(packages_in(repository)), "bring `packages` in pyproject.toml up to date"


def test_the_wheel_holds_every_module(repository: Path, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    wanted = {"tinygrad_dl/py.typed"}
    for package, folder in packages_in(repository).items():
        wanted.update(f"{package.replace('.', '/')}/{path.name}" for path in folder.glob("*.py"))
    assets = repository / "tinygrad_dl" / "viz" / "assets"
    wanted.update(f"tinygrad_dl/viz/assets/{path.name}" for path in assets.iterdir())
    assert packed == wanted


def test_the_wheel_knows_its_version_and_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        text = archive.read(metadata).decode()
        assert any(name.endswith("licenses/LICENSE") for name in archive.namelist())
    assert f"\nVersion: {tinygrad_dl.__version__}\n" in text
    assert "\nLicense-Expression: MIT\n" in text


def test_the_unpacked_wheel_works_elsewhere(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    (tmp_path / "elsewhere").mkdir()
    for came_from in run_checkout(site, PROGRAM, tmp_path / "elsewhere"):
        assert Path(came_from).is_relative_to(site / "tinygrad_dl")


@pytest.mark.slow
def test_the_wheel_works_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    """As a stranger installs it: pip brings what the metadata ask for, and nothing else is there."""
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=True)
    python = environment / ("Scripts" if os.name == "nt" else "bin") / "python"
    run([python, "-m", "pip", "install", "-q", wheel], tmp_path)
    for came_from in run([python, "-c", PROGRAM], tmp_path).stdout.split():
        assert Path(came_from).resolve().is_relative_to(environment.resolve())
