"""The notes' numbers and programs: examples/notes/ against the worked numbers, and the notes' lines of NumPy."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl import optim

ROOT = Path(__file__).resolve().parent.parent
NOTES = ROOT / "examples" / "notes"
WORKED = {e["id"]: e for e in json.loads((ROOT / "tests" / "data" / "worked_numbers.json").read_text(encoding="utf-8"))}


@pytest.fixture(autouse=True)
def settings_of_their_own() -> Iterator[None]:
    """The programs choose a dtype and a device, and their folder is on the path only while they run."""
    sys.path.insert(0, str(NOTES))
    dtype = tg.get_default_dtype()
    yield
    tg.set_default_dtype(dtype)
    tg.set_default_device("cpu")
    sys.path.remove(str(NOTES))
    sys.modules.pop("common", None)


def run(name: str, folder: Path, *options: str) -> dict[str, Any]:
    """Run one of the programs; it returns the numbers that it printed."""
    spec = importlib.util.spec_from_file_location(f"notes_{name}", NOTES / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # the trace reads names from the source
    spec.loader.exec_module(module)
    numbers: dict[str, Any] = module.main(["--quick", "--output", str(folder), *options])
    return numbers


def compare(id: str, ours: dict[str, Any], where: str = "expected") -> None:
    """Every number of an entry that a program returns, by its name; it must return at least one."""
    entry = WORKED[id]
    common = ours.keys() & entry[where].keys()
    assert common, f"{id}: the program returned {sorted(ours)}"
    for name in common:
        expected = np.asarray(entry[where][name], dtype=np.float64)
        tolerance = entry["tolerance"]
        np.testing.assert_allclose(ours[name], expected, rtol=tolerance, atol=tolerance, err_msg=f"{id} {name}")


# --- examples/notes


def test_computation_graph(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    numbers = run("computation_graph", tmp_path)
    assert WORKED["W001"]["expected"].keys() <= numbers.keys() >= WORKED["W002"]["expected"].keys()
    compare("W001", numbers)
    compare("W002", numbers)
    printed = " ".join(capsys.readouterr().out.split())
    assert "v 11 → 11.001 J 33 → 33.003 slope 3.000" in printed and "b 3 → 3.001 J 33 → 33.006" in printed
    assert "dJ/db = dJ/du · du/db = 3·c = 3·2 = 6" in printed
    assert {path.name for path in tmp_path.iterdir()} >= {"before.dot", "after.dot"}
    assert "not yet" in (tmp_path / "before.dot").read_text(encoding="utf-8")
    assert "not yet" not in (tmp_path / "after.dot").read_text(encoding="utf-8")


def test_diamond(tmp_path: Path) -> None:
    assert run("diamond", tmp_path)["dJ_da"] == 20


def test_logistic_regression(tmp_path: Path) -> None:
    numbers = run("logistic_regression", tmp_path)
    assert WORKED["W157"]["expected"].keys() == numbers.keys()
    compare("W157", numbers)


def test_vectorization(tmp_path: Path) -> None:
    numbers = run("vectorization", tmp_path)
    assert numbers["J_loops"] == pytest.approx(numbers["J_vectorised"], rel=1e-12)


def test_broadcasting(tmp_path: Path) -> None:
    numbers = run("broadcasting", tmp_path)
    compare("W034", numbers)
    compare("W034", numbers, "steps")
    for id, total in zip(("W035", "W036", "W037"), numbers["sums"], strict=True):
        compare(id, {"sum": total})


def test_two_layers(tmp_path: Path) -> None:
    numbers = run("two_layers", tmp_path)
    assert WORKED["W156"]["expected"].keys() <= numbers.keys() >= WORKED["W156"]["steps"].keys()
    compare("W156", numbers)
    compare("W156", numbers, "steps")


@pytest.mark.skipif(
    shutil.which("dot") is None and importlib.util.find_spec("pygraphviz") is None,
    reason="neither Graphviz' dot nor pygraphviz is installed",
)
def test_the_picture_in_the_readme_is_what_two_layers_draws(tmp_path: Path) -> None:
    """All that is written in it; where it stands may differ with the version of Graphviz."""
    run("two_layers", tmp_path)
    drawn, kept = (
        sorted("".join(text.itertext()) for text in ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}text"))
        for path in (tmp_path / "two_layers.svg", ROOT / "docs" / "images" / "backprop.svg")
    )
    assert drawn == kept and "tanh(Z1)" in " ".join(kept)


def test_l_layers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    numbers = run("l_layers", tmp_path)
    assert numbers == WORKED["W039"]["expected"]
    printed = capsys.readouterr().out
    for line in ("dZ[5] ", "dW[3] = 1/4·dZ[3] A[2]ᵀ", "dZ[2] = dA[2]·[A[2] > 0]", "dW[1] = 1/4·dZ[1] Xᵀ"):
        assert line in printed
    # A[5] leads nowhere else, so only the source can tell its name
    assert ("= A[5] − Y" if importlib.util.find_spec("executing") else "= sigmoid(Z[5]) − Y") in printed


def test_backprop_with_numbers(tmp_path: Path) -> None:
    numbers = run("backprop_with_numbers", tmp_path)
    assert WORKED["W003"]["expected"].keys() <= numbers.keys()
    compare("W003", numbers)


def test_optimizers(tmp_path: Path) -> None:
    numbers = run("optimizers", tmp_path, "--no-plots")
    for id in [id for id in WORKED if id[0] == "O" and id != "O19"]:
        compare(id, numbers[id])
    assert set(WORKED["O06"]["expected"]) == set(numbers["O06"])
    assert numbers["race"]["momentum"][-1] < numbers["race"]["gradient descent"][-1]


def test_schedules(tmp_path: Path) -> None:
    numbers = run("schedules", tmp_path, "--no-plots")
    for id, key, name in (
        ("L01", "lr", "step"),
        ("L02", "lr", "multi-step"),
        ("L03", "lr", "exponential"),
        ("L04", "lr", "polynomial"),
        ("L05", "lr", "constant"),
        ("L06", "lr", "cosine"),
        ("L07", "lr", "cyclic"),
        ("L08", "inverse_time", "inverse time"),
        ("L09", "lr_after", "plateau"),
        ("W067", "sequential", "sequential"),
    ):
        compare(id, {key: numbers[name][: len(WORKED[id]["expected"][key])]})
    assert numbers["by hand"] == pytest.approx(WORKED["L01"]["expected"]["lr"][:9])


def test_gradient_descent(tmp_path: Path) -> None:
    numbers = run("gradient_descent", tmp_path)
    for id, path in (("W019", numbers["above"]), ("W020", numbers["below"])):
        compare(id, {"w_after_1": path[0], "w_after_2": path[1]})
    linear, logistic = numbers["linear"], numbers["logistic"]
    compare("W021", {"w_new": linear["w_new"], "mse_before": linear["before"], "mse_after": linear["after"]})
    compare("W021", linear, "steps")
    compare("W032", {"w_new": logistic["w_new"], "bce_before": logistic["before"], "bce_after": logistic["after"]})


def test_tape(tmp_path: Path) -> None:
    numbers = run("tape", tmp_path)
    compare("W068", numbers)
    compare("W068", numbers, "steps")


@pytest.mark.parametrize("name", sorted(path.stem for path in NOTES.glob("*.py") if path.stem != "common"))
def test_the_same_numbers_on_the_strict_device(name: str, tmp_path: Path) -> None:
    on_cpu = run(name, tmp_path, "--no-plots")
    on_strict = run(name, tmp_path, "--no-plots", "--device", "strict")
    assert on_strict == on_cpu
    assert not list(tmp_path.iterdir()), "--no-plots draws nothing"


# --- the notes' NumPy, pasted (notes, section 1.14)


def wanted(*shape: int) -> Any:
    values = np.random.default_rng(5).uniform(0.2, 0.9, shape)
    return tg.tensor(values, dtype=tg.float64, requires_grad=True)


def same(ours: Any, theirs: Any) -> None:
    """The value is NumPy's, and it was recorded."""
    assert isinstance(ours, tg.Tensor) and ours.requires_grad
    np.testing.assert_allclose(ours.detach().numpy(), theirs, rtol=1e-12)


def array(tensor: Any) -> Any:
    return tensor.detach().numpy()


def test_forward_lines_record() -> None:
    w, X, b = wanted(2, 1), wanted(2, 5), wanted(1, 1)
    z = np.dot(w.T, X) + b
    same(z, np.dot(array(w).T, array(X)) + array(b))
    A = 1 / (1 + np.exp(-z))
    same(A, 1 / (1 + np.exp(-array(z))))
    Y = np.array([[0.0, 1.0, 1.0, 0.0, 1.0]])
    J = -np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A))
    J.backward()
    dZ = array(A) - Y
    np.testing.assert_allclose(w.grad.numpy(), (1 / 5) * np.dot(array(X), dZ.T), rtol=1e-12)
    np.testing.assert_allclose(b.grad.numpy(), (1 / 5) * np.sum(dZ, axis=1, keepdims=True), rtol=1e-12)


def test_backward_lines_record() -> None:
    m, X, dZ = 5, wanted(2, 5), wanted(1, 5)
    dw = (1 / m) * np.dot(X, dZ.T)
    db = (1 / m) * np.sum(dZ)
    same(dw, (1 / m) * np.dot(array(X), array(dZ).T))
    same(db, (1 / m) * np.sum(array(dZ)))
    same(np.sum(dZ, axis=1, keepdims=True), np.sum(array(dZ), axis=1, keepdims=True))
    same(np.matmul(X, dZ.T), np.matmul(array(X), array(dZ).T))
    (dw.sum() + db).backward()
    np.testing.assert_allclose(dZ.grad.numpy(), (array(X).sum(axis=0, keepdims=True) + 1) / m, rtol=1e-12)


def test_broadcasting_lines_record() -> None:
    A = wanted(3, 4)
    cal = A.sum(axis=0)
    same(cal, array(A).sum(axis=0))
    percentage = 100 * A / cal.reshape(1, 4)
    same(percentage, 100 * array(A) / array(A).sum(axis=0).reshape(1, 4))
    percentage.sum().backward()
    np.testing.assert_allclose(A.grad.numpy(), np.zeros((3, 4)), atol=1e-12)


@pytest.mark.parametrize(
    ("name", "slope"),
    [
        ("exp", np.exp),
        ("log", lambda x: 1 / x),
        ("sqrt", lambda x: 0.5 / np.sqrt(x)),
        ("tanh", lambda x: 1 - np.tanh(x) ** 2),
    ],
)
def test_functions_record(name: str, slope: Any) -> None:
    x = wanted(3)
    y = getattr(np, name)(x)
    same(y, getattr(np, name)(array(x)))
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), slope(array(x)), rtol=1e-12)


def test_maximum_and_multiply_record() -> None:
    a, b = wanted(4), wanted(4)
    same(np.maximum(0, a - 0.5), np.maximum(0, array(a) - 0.5))
    same(np.multiply(a, b), np.multiply(array(a), array(b)))


def test_inverted_dropout() -> None:
    """`a3 /= keep_prob` comes with edits in place; the line before it works."""
    a3, keep_prob = wanted(4, 5), 0.8
    d3 = np.random.rand(*a3.shape) < keep_prob
    assert d3.shape == (4, 5) and d3.dtype == bool
    same(np.multiply(a3, d3), np.multiply(array(a3), d3))
    a3 = np.multiply(a3, d3) / keep_prob
    a3.sum().backward()


def test_initialisation_and_update() -> None:
    n, alpha, shape = 2, 0.1, (2, 2)
    W = tg.tensor(np.random.randn(2, 2) * 0.01, requires_grad=True)
    b = tg.tensor(np.zeros((2, 1)), requires_grad=True)
    he = tg.tensor(np.random.randn(*shape) * np.sqrt(2 / n), requires_grad=True)
    assert W.dtype == b.dtype == he.dtype == tg.float64 and he.shape == (2, 2)
    (np.dot(W, he) + b).sum().backward()
    dW = W.grad
    W = W - alpha * dW
    assert W.shape == (2, 2) and b.grad.tolist() == [[2.0], [2.0]]


def test_rank_one_arrays() -> None:
    a = tg.tensor(np.random.randn(5, 1))
    assert a.shape == (5, 1)
    assert np.dot(a, a.T).shape == (5, 5)
    a = tg.tensor(np.random.randn(5))
    assert a.shape == a.T.shape == (5,) and np.dot(a, a.T).shape == ()


def test_one_example_at_a_time() -> None:
    """dz = da * g'(z); dw = dz a[l-1]ᵀ; db = dz; da[l-1] = wᵀ dz, without 1/m."""
    w, a_prev, b = wanted(1, 3), wanted(3, 1), wanted(1, 1)
    z = np.dot(w, a_prev) + b
    a = np.tanh(z)
    a.sum().backward()
    dz = 1 * (1 - array(a) ** 2)
    np.testing.assert_allclose(w.grad.numpy(), np.dot(dz, array(a_prev).T), rtol=1e-12)
    np.testing.assert_allclose(b.grad.numpy(), dz, rtol=1e-12)
    np.testing.assert_allclose(a_prev.grad.numpy(), np.dot(array(w).T, dz), rtol=1e-12)


def test_row_form_of_s4() -> None:
    X, y = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), np.array([14.0, 32.0])
    w = tg.tensor([2.0, 2.0, 2.0], dtype=tg.float64, requires_grad=True)
    E = y - np.matmul(X, w)
    MSE = np.mean(E**2)
    MSE.backward()
    grad = -(2 / 2) * np.matmul(X.T, array(E))
    np.testing.assert_allclose(w.grad.numpy(), grad, rtol=1e-12)
    np.testing.assert_allclose(grad, WORKED["W021"]["steps"]["gradient"], rtol=1e-12)


# --- the tape program (N258), as a reader would paste it


def test_the_tape_program_in_its_long_form() -> None:
    w = tg.tensor(0.0, dtype=tg.float64, requires_grad=True)
    x = np.array([1.0, -10.0, 25.0])
    optimizer = optim.Adam([w], lr=0.1)
    for _ in range(1000):
        optimizer.zero_grad()
        cost = x[0] * w**2 + x[1] * w + x[2]
        cost.backward()
        optimizer.step()
    assert w.item() == pytest.approx(WORKED["W068"]["expected"]["w_final"], abs=1e-9)


def test_the_tape_program_in_its_short_form() -> None:
    w = tg.tensor(0.0, dtype=tg.float64, requires_grad=True)
    optimizer = optim.Adam([w], lr=0.1)

    def cost() -> Any:
        optimizer.zero_grad()
        J = w**2 - 10 * w + 25
        J.backward()
        return J

    costs = [optimizer.step(cost).item() for _ in range(1000)]
    assert costs[0] == 25.0 and w.item() == pytest.approx(5.0, abs=1e-9)
