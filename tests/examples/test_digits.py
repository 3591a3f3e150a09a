"""The main job: the network learns to read digits, on every seed and device, and what it leaves behind is right."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from shutil import which
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg

pytest.importorskip("sklearn", reason="scikit-learn, which has the digits, is not installed")
pytest.importorskip("tqdm", reason="tqdm, which the program shows its progress with, is not installed")

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "examples" / "digits.py"
PICTURES = {"curves.png", "confusion.png", "misread.png", "backprop.dot", "backprop.svg"}
WEIGHTS = "weights.safetensors"


@pytest.fixture(scope="module")
def digits() -> ModuleType:
    """The program as a module."""
    spec = spec_from_file_location("digits", PROGRAM)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def device_of_its_own() -> Iterator[None]:
    """The program sets the default device, as programs do; tests after it want theirs back."""
    before = tg.get_default_device()
    yield
    tg.set_default_device(before)


@pytest.fixture
def drawing() -> None:
    """What the pictures need."""
    pytest.importorskip("matplotlib", reason="Matplotlib is not installed")
    if find_spec("pygraphviz") is None and which("dot") is None:
        pytest.skip("neither pygraphviz nor Graphviz, which draw graphs, is installed")


def command(*options: object, before: str = "") -> list[str]:
    """The program in a process of its own, after some lines of Python."""
    start = f"import runpy, sys; sys.argv[0] = {str(PROGRAM)!r}\n{before}\n"
    return [sys.executable, "-c", start + "runpy.run_path(sys.argv[0], run_name='__main__')", *map(str, options)]


def environment() -> dict[str, str]:
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return os.environ | {"PYTHONPATH": path.rstrip(os.pathsep)}


def run(*options: object, before: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*options, before=before), env=environment(), capture_output=True, text=True, timeout=120
    )


def accuracy(out: str) -> float:
    (percent,) = re.findall(r"Accuracy on the held-out quarter: ([\d.]+)%", out)
    return float(percent) / 100


def accuracy_with(digits: ModuleType, weights: Path, seed: int = 0) -> float:
    """What a network with the weights of a file reads right."""
    model = digits.Perceptron()
    model.load_state_dict(tg.load(weights))
    return digits.measure(model, digits.load_data(seed)[1])[1]


# --- what is learned


def test_seconds_are_enough_to_read(digits: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    digits.main(["--quick", "--no-plots", "--output", str(tmp_path)])
    printed = accuracy(capsys.readouterr().out)
    assert printed > 0.95
    assert printed == pytest.approx(accuracy_with(digits, tmp_path / WEIGHTS), abs=5e-5)


@pytest.mark.usefixtures("drawing")
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_every_seed_reads_97_percent_in_15_seconds(seed: int, tmp_path: Path) -> None:
    start = time.perf_counter()
    done = run("--seed", seed, "--output", tmp_path)
    taken = time.perf_counter() - start
    assert done.returncode == 0, done.stderr
    assert accuracy(done.stdout) >= 0.97
    assert taken < 15, f"{taken:.1f} s"


def test_the_whole_training_reads_97_percent(
    digits: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    digits.main(["--no-plots", "--output", str(tmp_path)])
    captured = capsys.readouterr()
    assert accuracy(captured.out) >= 0.97
    assert re.search(r"Training .*40/40 .*, loss 0\.\d+, accuracy \d+\.\d%, held out \d+\.\d%", captured.err), "no bar"


def test_the_strict_device_gives_the_same_numbers(
    digits: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed, weights = {}, {}
    for device in ("cpu", "strict"):
        digits.main(["--quick", "--no-plots", "--device", device, "--output", str(tmp_path / device)])
        printed[device] = accuracy(capsys.readouterr().out)
        weights[device] = tg.load(tmp_path / device / WEIGHTS)
    assert printed["cpu"] == printed["strict"]
    for name, weight in weights["cpu"].items():
        other = weights["strict"][name]
        assert (weight.device, other.device) == (tg.device("cpu"), tg.device("strict"))
        assert np.array_equal(weight.numpy(), other.cpu().numpy()), name


def test_the_seed_decides(digits: ModuleType, tmp_path: Path) -> None:
    def weights(name: str, seed: int) -> Any:
        digits.main(["--epochs", "1", "--no-plots", "--seed", str(seed), "--output", str(tmp_path / name)])
        return tg.load(tmp_path / name / WEIGHTS)["hidden.weight"].numpy()

    first, again, other = weights("first", 3), weights("again", 3), weights("other", 4)
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)


def test_the_split_is_stratified_and_standardized_on_the_training_part(digits: ModuleType) -> None:
    seen, unseen = digits.load_data(0)
    assert (len(seen.y), len(unseen.y)) == (1347, 450)
    for digit in range(10):
        share = [(part.y == digit).sum().item() / len(part.y) for part in (seen, unseen)]
        assert share[0] == pytest.approx(share[1], abs=0.002)
    x = seen.x.numpy().astype(float)
    assert np.abs(x.mean(axis=0)).max() < 1e-6
    mean, deviation = seen.pixels.mean(axis=0), seen.pixels.std()
    np.testing.assert_allclose(unseen.x.numpy(), (unseen.pixels - mean) / deviation, rtol=1e-5, atol=1e-6)
    images = {row.tobytes() for row in seen.pixels}
    assert not any(row.tobytes() in images for row in unseen.pixels), "a held-out image was trained on"


# --- what is written


@pytest.mark.usefixtures("drawing")
def test_everything_is_written_and_named(tmp_path: Path) -> None:
    image = import_module("matplotlib.image")
    done = run("--quick", "--output", tmp_path / "new" / "folder")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "new" / "folder"
    assert {path.name for path in folder.iterdir()} == PICTURES | {WEIGHTS}
    assert all(name in done.stdout for name in [str(folder), *PICTURES, WEIGHTS])
    for name in PICTURES:
        if name.endswith(".png"):
            picture = image.imread(folder / name)
            assert min(picture.shape[:2]) > 200 and picture[..., :3].std() > 0.05, f"{name} is blank"
    dot = (folder / "backprop.dot").read_text(encoding="utf-8")
    assert dot.lstrip().startswith("digraph") and "hidden" in dot and "cross_entropy" in dot
    assert ElementTree.parse(folder / "backprop.svg").getroot().tag.endswith("svg")


@pytest.mark.usefixtures("drawing")
def test_curves_show_the_history(digits: ModuleType) -> None:
    history = np.array([[2.3, 0.1, 2.4, 0.1], [0.3, 0.9, 0.4, 0.8], [0.1, 0.97, 0.2, 0.95]])
    losses, accuracies = digits.draw_curves(history).axes
    assert [line.get_ydata().tolist() for line in losses.lines] == [[2.3, 0.3, 0.1], [2.4, 0.4, 0.2]]
    assert [line.get_ydata().tolist() for line in accuracies.lines] == [[10, 90, 97], [10, 80, 95]]
    assert [line.get_label() for line in losses.lines] == ["training part", "held-out part"]


@pytest.mark.usefixtures("drawing")
def test_the_confusion_matrix_has_the_truth_in_rows(digits: ModuleType) -> None:
    (axes,) = digits.draw_confusion(np.array([5, 5, 5, 3]), np.array([5, 3, 3, 3])).axes
    assert {(text.get_position(), text.get_text()) for text in axes.texts} == {
        ((5, 5), "1"),
        ((3, 5), "2"),  # x is what was read, y what is in the image
        ((3, 3), "1"),
    }


@pytest.mark.usefixtures("drawing")
def test_the_sheet_shows_the_surest_mistakes_first(digits: ModuleType) -> None:
    probabilities = np.full((3, 10), 0.01)
    probabilities[0, 7], probabilities[1, 2], probabilities[2, 4] = 0.6, 0.8, 0.9
    pixels = np.arange(3 * 64).reshape(3, 64) % 17
    figure = digits.draw_misread(pixels, np.array([1, 2, 3]), probabilities)
    drawn = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title() for axes in drawn] == ["is 3, read as 4\n(90%)", "is 1, read as 7\n(60%)"]
    assert np.array_equal(drawn[0].images[0].get_array(), pixels[2].reshape(8, 8))


@pytest.mark.usefixtures("drawing")
def test_a_sheet_without_mistakes_can_be_drawn(digits: ModuleType, tmp_path: Path) -> None:
    figure = digits.draw_misread(np.zeros((10, 64)), np.arange(10), np.eye(10))
    figure.savefig(tmp_path / "misread.png")
    assert not any(axes.images for axes in figure.axes)


@pytest.mark.usefixtures("drawing")
def test_no_epoch_at_all_is_drawn_too(digits: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    digits.main(["--epochs", "0", "--output", str(tmp_path)])
    assert accuracy(capsys.readouterr().out) < 0.3
    assert {path.name for path in tmp_path.iterdir()} == PICTURES | {WEIGHTS}


# --- Ctrl-C


@pytest.mark.usefixtures("drawing")
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_control_c_keeps_what_was_learned(digits: ModuleType, tmp_path: Path) -> None:
    process = subprocess.Popen(
        command("--epochs", 100_000, "--output", tmp_path),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # Where the tests run in the background, the shell has made them, and so their children, deaf to it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stderr is not None
    try:
        seen = b""
        while b"loss" not in seen:  # the bar shows it after the first epoch
            chunk = os.read(process.stderr.fileno(), 4096)
            assert chunk, seen.decode()
            seen += chunk
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, err.decode()
    assert b"Traceback" not in err
    (epochs,) = re.findall(r"Stopped after (\d+) of 100000 epochs", out.decode())
    assert int(epochs) >= 1
    assert {path.name for path in tmp_path.iterdir()} == PICTURES | {WEIGHTS}
    assert accuracy(out.decode()) > 0.8  # one epoch does that
    assert accuracy(out.decode()) == pytest.approx(accuracy_with(digits, tmp_path / WEIGHTS), abs=5e-5)


# --- what is missing or wrong


def test_without_plots_matplotlib_is_not_needed(tmp_path: Path) -> None:
    done = run("--quick", "--no-plots", "--output", tmp_path, before="sys.modules['matplotlib'] = None")
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [WEIGHTS]


@pytest.mark.parametrize("package", ["sklearn", "tqdm", "matplotlib"])
def test_a_missing_package_is_named_with_the_command(package: str, tmp_path: Path) -> None:
    done = run("--quick", "--output", tmp_path, before=f"sys.modules[{package!r}] = None")
    assert done.returncode == 1
    assert package in done.stderr and "pip install -e '.[examples]'" in done.stderr
    assert "Traceback" not in done.stderr and "Training" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_device_that_is_not_there_is_said(tmp_path: Path) -> None:
    done = run("--quick", "--device", "cuda", "--output", tmp_path, before="sys.modules['cupy'] = None")
    assert done.returncode == 1
    assert "CuPy" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("option", [("--epochs", "-1"), ("--seed", "-1"), ("--epochs", "many"), ("--device", "tpu")])
def test_a_wrong_option_is_refused(
    option: tuple[str, str], digits: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refused:
        digits.main(list(option))
    assert refused.value.code == 2
    assert option[0] in capsys.readouterr().err
