"""The notes' derivations (section 1), the chain rule path by path, the bump test, layers as steps, languages."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from viz_programs import WORKED, leaf, two_layer_inputs, two_layers

import tinygrad_dl as tg
from tinygrad_dl import nn, viz
from tinygrad_dl.errors import ArgumentError, GraphError
from tinygrad_dl.nn import functional as F


def data(value: Any) -> Any:
    return tg.tensor(value, dtype=tg.float64)


def first(a: Any, b: Any, c: Any) -> Any:
    u = b * c
    v = a + u
    return 3 * v


def lines(derivation: viz.Derivation, phase: str = "") -> list[str]:
    """The lines with single spaces."""
    return [" ".join(line.text.split()) for line in derivation.lines if phase in line.phase]


# --- notes 1.2 and 1.8: numbers


def test_the_first_example_along_its_paths() -> None:
    assert lines(viz.explain(first, 5.0, 3.0, 2.0, wrt="b"), "Paths") == [
        "dJ/db = dJ/dv · dv/du · du/db = 3·1·c = 3·1·2 = 6"
    ]
    assert lines(viz.explain(first, 5.0, 3.0, 2.0, wrt="u"), "Paths") == ["dJ/du = dJ/dv · dv/du = 3·1 = 3"]
    assert "dJ/db = dJ/du · du/db = 3·c = 3·2 = 6" in lines(viz.explain(first, 5.0, 3.0, 2.0))


def test_the_first_example_bumped() -> None:
    expected = WORKED["W002"]["expected"]
    derivation = viz.explain(first, 5.0, 3.0, 2.0, bump=0.001)
    notes = {line.name: line.note for line in derivation.lines if line.note}
    slopes = {"a": 3, "b": 6, "c": 9}
    assert notes == {
        f"dJ/d{name}": f"bumped by 0.001: J = {expected[f'J_after_{name}_bump']:g}, slope {slope}"
        for name, slope in slopes.items()
    }
    assert all(note in derivation.text() and note in derivation.html() for note in notes.values())


def two_units(x1: Any, x2: Any, w1: Any, w2: Any, w3: Any, w4: Any, w5: Any, w6: Any) -> Any:
    y1 = w1 * x1 + w2 * x2
    y2 = w3 * x1 + w4 * x2
    z = w5 * y1 + w6 * y2
    y_hat = tg.relu(z)
    L = 0.5 * (1 - y_hat) ** 2
    return L  # noqa: RET504  # the trace reads the name


def test_backpropagation_with_numbers() -> None:
    """W003: three factors to w5 and w6, then on to w1 to w4 and the input."""
    numbers = WORKED["W003"]
    inputs = [*numbers["inputs"]["x"], *(numbers["inputs"][f"w{i}"] for i in range(1, 7))]

    def paths(name: str) -> list[str]:
        return lines(viz.explain(two_units, *map(leaf, inputs), letters=False, wrt=name), "Paths")

    three = "dL/dy_hat · dy_hat/dz · dz"
    assert paths("w5") == [f"dL/dw5 = {three}/dw5 = (y_hat − 1)·[y_hat > 0]·y1 = −0.09·1·0.5 = −0.045"]
    assert paths("w6") == [f"dL/dw6 = {three}/dw6 = (y_hat − 1)·[y_hat > 0]·y2 = −0.09·1·1.1 = −0.099"]
    assert paths("w4")[0].endswith("= −0.09·1·0.6·2 = −0.108")
    assert paths("x1") == [
        f"path 1 = {three}/dy1 · dy1/dx1 = (y_hat − 1)·[y_hat > 0]·w5·w1 = −0.09·1·0.5·0.1 = −0.0045",
        f"path 2 = {three}/dy2 · dy2/dx1 = (y_hat − 1)·[y_hat > 0]·w6·w3 = −0.09·1·0.6·0.3 = −0.0162",
        f"dL/dx1 = {three}/dy1 · dy1/dx1 + {three}/dy2 · dy2/dx1 = (y_hat − 1)·[y_hat > 0]·w5·w1 "
        "+ (y_hat − 1)·[y_hat > 0]·w6·w3 = −0.09·1·0.5·0.1 − 0.09·1·0.6·0.3 = −0.0207",
    ]
    derivation = viz.explain(two_units, *map(leaf, inputs), letters=False)
    assert "dL/dy_hat = y_hat − 1 = 0.91 − 1 = −0.09" in lines(derivation)
    assert "dL/dz = dL/dy_hat · dy_hat/dz = −0.09·[y_hat > 0] = −0.09·1 = −0.09" in lines(derivation)
    for name in ("dy1", "dy2", *(f"dw{i}" for i in range(1, 7)), "dx1", "dx2"):
        assert derivation[f"dL/{name}"] == pytest.approx(numbers["expected"][f"dL_{name}"], rel=1e-12)


# --- notes 1.1: paths that meet


def test_the_paths_of_a_diamond_are_summed() -> None:
    def diamond(a: Any) -> Any:
        b = a + a
        return b * a

    derivation = viz.explain(diamond, 5.0, wrt="a")
    assert lines(derivation, "Paths") == [
        "path 1 = dJ/db · db/da⁽¹⁾ = a·1 = 5·1 = 5",
        "path 2 = dJ/db · db/da⁽²⁾ = a·1 = 5·1 = 5",
        "path 3 = ∂J/∂a = b = 10 = 10",
        "dJ/da = dJ/db · db/da⁽¹⁾ + dJ/db · db/da⁽²⁾ + ∂J/∂a = a·1 + a·1 + b = 5·1 + 5·1 + 10 = 20",
    ]
    assert [derivation[f"path {i}"] for i in (1, 2, 3)] == [5, 5, 10] and derivation["dJ/da"] == 20


def test_a_graph_of_too_many_paths_is_refused() -> None:
    def doubled(a: Any) -> Any:
        for _ in range(40):
            a = a + a
        return a

    with pytest.raises(GraphError, match=r"1,099,511,627,776 paths lead from .* to b?a?.*at most 100"):
        viz.explain(doubled, tg.tensor(1.0, requires_grad=True), wrt="a")
    assert len(viz.explain(doubled, 1.0).lines) == 80, "without wrt each gradient is derived once"


def test_paths_through_one_of_several_outputs() -> None:
    def split(x: Any) -> Any:
        left, right = tg.split(x, [1, 2])
        return (left * right).sum()

    x = leaf([1.0, 2.0, 3.0])
    derivation = viz.explain(split, x, wrt=x)
    np.testing.assert_allclose(derivation["path 1"] + derivation["path 2"], derivation["dJ/dx"])
    split(x).backward()
    np.testing.assert_allclose(derivation["dJ/dx"], x.grad.numpy())


# --- notes 1.4 to 1.7: matrices


def test_linear_regression() -> None:
    inputs, expected = WORKED["W021"]["inputs"], WORKED["W021"]["steps"]

    def loss(w: Any, X: Any, y: Any) -> Any:
        E = y - X @ w
        MSE = (E**2).mean()
        return MSE  # noqa: RET504  # the trace reads the name

    derivation = viz.explain(loss, leaf(inputs["w0"]), data(inputs["X"]), data(inputs["y"]), notation="d")
    assert lines(derivation)[0] == "E = y − X w = [2 2] (2,)"
    assert lines(derivation)[-1] == "dw = −Xᵀ dE = [−10 −14 −18] (3,)"
    np.testing.assert_allclose(derivation["dw"], expected["gradient"])


def test_logistic_regression_over_m_examples() -> None:
    inputs, expected = WORKED["W032"]["inputs"], WORKED["W032"]["steps"]

    def cost(w: Any, b: Any, X: Any, y: Any) -> Any:
        z = X @ w + b
        A = tg.sigmoid(z)  # noqa: F841  # a name for the derivation
        J = F.binary_cross_entropy_with_logits(z, y)
        return J  # noqa: RET504

    derivation = viz.explain(
        cost, leaf(inputs["w0"]), leaf([0.0]), data(inputs["X"]), data(inputs["y"]), notation="d", per_example=True
    )
    formulas = [line.columns[0].split(" = ")[0] + " = " + line.sides[0][0].text() for line in derivation.lines[4:]]
    assert formulas == ["dw = 1/2·Xᵀ dz", "db = 1/2·sum(dz, dim=0)"]
    assert derivation.lines[3].columns[:2] == ["dz", "= A − y"]
    np.testing.assert_allclose(derivation["dz"], expected["error"], rtol=1e-3, atol=1e-15)
    np.testing.assert_allclose(derivation["dw"], np.array(expected["grad_sum"]) / 2, rtol=1e-9)


def test_matrices_along_a_path_are_written_as_the_rules_nest() -> None:
    derivation = viz.explain(two_layers, *two_layer_inputs(), notation="d", per_example=True, wrt="W1")
    assert lines(derivation, "Paths") == [
        "dW1 = 1/3·dJ/dZ2 · dZ2/dA1 · dA1/dZ1 · dZ1/dW1 = 1/3·((W2ᵀ (A2 − Y))·(1 − A1·A1)) Xᵀ (3, 2)"
    ]
    np.testing.assert_allclose(derivation["dW1"], WORKED["W156"]["expected"]["dW1"], rtol=1e-9)
    plain = viz.explain(two_layers, *two_layer_inputs(), wrt="W2", letters=False)
    assert lines(plain, "Paths")[0].startswith("dJ/dW2 = dJ/dZ2 · dZ2/dW2 = (1/3·(A2 − Y)) A1ᵀ")


def test_a_path_through_many_matrices_has_no_nested_formula() -> None:
    def deep(x: Any) -> Any:
        for _ in range(1500):
            x = x * 1.001
        return x.sum()

    derivation = viz.explain(deep, leaf([1.0, 2.0]), wrt="x")
    (line,) = [line for line in derivation.lines if line.phase == "Paths"]
    assert len(line.columns) == 3 and line.columns[0].count(" · ") == 1500
    np.testing.assert_allclose(line.value, 1.001**1500)


def test_the_layers_of_a_deep_network() -> None:
    """Notes 1.7, with the sizes of W039: a gradient has the shape of its variable, under the notes' names."""
    sizes, draws = WORKED["W039"]["inputs"]["n"], np.random.default_rng(0)
    W = {i: leaf(draws.normal(size=(n, m))) for i, (m, n) in enumerate(pairwise(sizes), 1)}
    b = {i: leaf(draws.normal(size=(n, 1))) for i, n in enumerate(sizes[1:], 1)}
    X, Y = data(draws.normal(size=(sizes[0], 4))), data([[1.0, 0.0, 1.0, 1.0]])

    def cost(W: Any, b: Any, X: Any, Y: Any) -> Any:
        A, Z = {0: X}, {}
        for layer in range(1, len(sizes)):
            Z[layer] = W[layer] @ A[layer - 1] + b[layer]
            A[layer] = tg.sigmoid(Z[layer])
        J = F.binary_cross_entropy_with_logits(Z[len(sizes) - 1], Y)
        return J  # noqa: RET504

    derivation = viz.explain(cost, W, b, X, Y, notation="d", per_example=True)
    written = {line.name: line for line in derivation.lines}
    for i in range(1, 6):
        assert written[f"dW[{i}]"].shape == tuple(WORKED["W039"]["expected"][f"W{i}"])
        assert written[f"db[{i}]"].columns[0] == f"db[{i}] = 1/4·sum(dZ[{i}], dim=1)"
    assert written["dZ[3]"].columns[0] == "dZ[3] = dA[3]·A[3]·(1 − A[3])"
    assert written["dW[3]"].columns[0] == "dW[3] = 1/4·dZ[3] A[2]ᵀ"
    assert written["dA[2]"].columns[0] == "dA[2] = W[3]ᵀ dZ[3]"


def test_broadcasting_is_undone_by_sums() -> None:
    def cost(a: Any, b: Any) -> Any:
        Z = a + b
        return (Z * Z).sum()

    for a, b, said in (
        (np.ones((4, 1)), 100.0, "db = sum(dZ, dim=(0, 1)) = 808"),
        (np.ones((2, 3)), np.zeros((1, 3)), "db = sum(dZ, dim=0) = [4 4 4] (1, 3)"),
        (np.ones((2, 3)), np.zeros((2, 1)), "db = sum(dZ, dim=1) (2, 1)"),
    ):
        assert said in lines(viz.explain(cost, leaf(a), leaf(b), notation="d"))


def test_softmax_with_cross_entropy() -> None:
    """W045: dz = ŷ − y."""
    z, y = leaf(np.log([0.3, 0.2, 0.1, 0.4])), data([0.0, 1.0, 0.0, 0.0])
    derivation = viz.explain(lambda z, y: F.cross_entropy(z, y), z, y, notation="d")
    np.testing.assert_allclose(derivation["dz"], [0.3, -0.8, 0.1, 0.4], atol=1e-12)


# --- the bump test


def test_entries_of_arrays_are_bumped() -> None:
    derivation = viz.explain(two_layers, *two_layer_inputs(), bump=1e-4)
    notes = [line.note for line in derivation.lines if line.note]
    assert len(notes) == 4 and all(
        note.startswith("each entry bumped by ±0.0001: slopes differ by at most") for note in notes
    )
    assert all(float(note.split()[-1].replace("−", "-")) < 1e-7 for note in notes)


def test_a_wrong_backward_shows_in_the_bump_test() -> None:
    class Wrong(tg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 3

    derivation = viz.explain(lambda x: Wrong.apply(x).sum(), leaf([1.0, 2.0]), bump=0.001)
    assert derivation.lines[-1].note == "each entry bumped by ±0.001: slopes differ by at most 1"
    assert viz.explain(lambda x: Wrong.apply(x), 1.0, bump=0.001).lines[-1].note.endswith("J = 2.002, slope 2")


def test_leaves_that_are_no_inputs_are_bumped_and_put_back() -> None:
    w, x = leaf([1.0, 2.0]), tg.ones(2)
    note = viz.explain(lambda x: (w * x).sum(), x, bump=0.5).lines[-1].note
    assert note == "each entry bumped by ±0.5: slopes differ by at most 0" and w.tolist() == [1.0, 2.0]
    many = viz.explain(lambda x: (x * x).sum(), leaf(np.ones((30, 20))), bump=1e-3).lines[-1].note
    assert many.startswith("200 of 600 entries bumped")


def test_digits_enough_to_see_the_bump() -> None:
    assert (
        viz.explain(lambda a: a * 1 + 1e6, 1.0, bump=0.001).lines[-1].note
        == "bumped by 0.001: J = 1000001.001, slope 1"
    )


def test_what_the_bump_test_needs() -> None:
    with viz.trace():
        J = first(*map(leaf, (5.0, 3.0, 2.0)))
    with pytest.raises(ArgumentError, match="bump runs the function again, so it needs one"):
        viz.explain(J, bump=0.001)
    for bump in (0, float("nan"), "much"):
        with pytest.raises(ArgumentError, match="bump is how much a leaf is raised"):
            viz.explain(first, 5.0, 3.0, 2.0, bump=bump)  # type: ignore[arg-type]
    with pytest.raises(GraphError, match="does not give the same number twice"):
        viz.explain(lambda a: a * tg.rand(()), 1.0, bump=0.001)


# --- layers


class Block(nn.Module):
    """A layer of three operations."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(tg.eye(2) * 0.5)

    def forward(self, x: Any) -> Any:
        h = x @ self.w
        return tg.tanh(h) + h


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.out = Block(), Block(), nn.Linear(2, 1)

    def forward(self, x: Any) -> Any:
        p = self.a(x)
        q = self.b(p).relu()
        return self.out(q)


@pytest.mark.parametrize("notation", ["chain", "d", "bar"])
def test_a_layer_is_one_step(notation: str) -> None:
    net = Net()
    x = tg.tensor([[1.0, -2.0], [0.5, 3.0]])

    def cost() -> Any:
        return F.mse_loss(net(x), tg.zeros(2, 1))

    folded = viz.explain(cost, notation=notation)
    written = [line.columns[0] for line in folded.lines]
    assert written[0] == "x₂ = net.a(x)" and not any(part.startswith("h") for part in written)
    assert any("= net.b(x₂)" in part for part in written)
    assert ("net.a.backward(" in str(folded)) and ("tanh" not in str(folded))
    whole = viz.explain(cost, notation=notation, fold=1)
    assert "net(x)" in whole.lines[0].columns[0] and "net.a(" not in str(whole)
    unfolded = viz.explain(cost, notation=notation, fold=False)
    assert "tanh(h)" in str(unfolded) and "net.a(" not in str(unfolded)
    cost().backward()
    for derivation in (folded, whole, unfolded):
        values = {line.name: line.value for line in derivation.lines}
        for name, parameter in net.named_parameters():
            (found,) = [value for key, value in values.items() if key.strip("̄").endswith(name)]
            np.testing.assert_allclose(found, parameter.grad.numpy(), rtol=1e-5, atol=1e-7)


def test_a_layer_whose_inner_result_is_used_outside_keeps_it() -> None:
    class Leaky(nn.Module):
        def forward(self, x: Any) -> Any:
            self.inner = x * 2
            return tg.exp(self.inner).sum()

    layer = Leaky()

    def cost(x: Any) -> Any:
        y = layer(x)
        return y * layer.inner.sum()

    x = leaf([0.1, 0.2])
    derivation = viz.explain(cost, x)
    assert "layer(" not in str(derivation) and "exp(" in str(derivation)
    cost(x).backward()
    np.testing.assert_allclose(derivation["dJ/dx"], x.grad.numpy())


# --- languages


def test_in_turkish(monkeypatch: pytest.MonkeyPatch) -> None:
    text = str(viz.explain(first, 5.0, 3.0, 2.0, language="tr", bump=0.001))
    assert text.startswith("İleri geçiş\n") and "\nGeri yayılım\n" in text
    assert "0.001 artırılınca: J = 33.006, eğim 6" in text
    assert "Zincir kuralı" in str(viz.explain(first, 5.0, 3.0, 2.0, language="tr", wrt="b"))
    for setting, heading in (
        ("tr_TR.UTF-8", "İleri geçiş"),
        ("tr:en", "İleri geçiş"),
        ("de_DE", "Forward"),
        ("C", "Forward"),
    ):
        monkeypatch.setenv("LANGUAGE", setting)
        assert str(viz.explain(first, 5.0, 3.0, 2.0)).startswith(heading)
    assert str(viz.explain(first, 5.0, 3.0, 2.0, language="en")).startswith("Forward")
    with pytest.raises(ArgumentError, match=r"explain: language is 'en', 'tr', not 'tk'"):
        viz.explain(first, 5.0, 3.0, 2.0, language="tk")


# --- bad input


def test_wrt_names_something_of_the_derivation() -> None:
    a = leaf(5.0)
    with pytest.raises(ArgumentError, match=r"wrt='d' is not in it; there are b, c, u, a, v, J"):
        viz.explain(first, 5.0, 3.0, 2.0, wrt="d")
    with viz.trace():
        other = leaf(1.0) * 2
    with pytest.raises(GraphError, match="wrt is no tensor of this derivation"):
        viz.explain(first, a, 3.0, 2.0, wrt=other)
    with pytest.raises(ArgumentError, match="wrt=J is the result itself"):
        viz.explain(first, a, 3.0, 2.0, wrt="J")
    with pytest.raises(GraphError, match="no gradient goes to x: it does not require grad"):
        viz.explain(lambda a, x: (a * x).sum(), a, tg.ones(2), wrt="x")


def test_options_that_there_are_not() -> None:
    with pytest.raises(ArgumentError, match="digits is how many significant digits"):
        viz.explain(first, 5.0, 3.0, 2.0, digits=0)
    with pytest.raises(ArgumentError, match="fold is True, False, or how deep"):
        viz.explain(first, 5.0, 3.0, 2.0, fold=-1)


def test_a_backward_that_began_with_another_number_is_not_shown() -> None:
    a = leaf(5.0)
    with viz.trace():
        J = first(a, leaf(3.0), leaf(2.0))
    J.backward(tg.tensor(2.0, dtype=tg.float64), retain_graph=True)
    assert viz.explain(J)["dJ/da"] == 3 and a.grad.item() == 6


def test_a_graph_that_backward_freed() -> None:
    w = leaf([1.0, 2.0])
    with viz.trace():
        J = (w * w).sum()
    J.backward()
    assert viz.explain(J, wrt=w)["dJ/dw"].tolist() == [2, 4] and viz.check_by_hand(J, {"w": [2, 4]})
    untraced = (w * w).sum()
    untraced.backward()
    with pytest.raises(GraphError, match="not traced"):
        viz.explain(untraced)
    with pytest.raises(RuntimeError, match="retain_graph"):
        viz.check_by_hand(untraced, {"w": [2, 4]})


def test_names_that_collide() -> None:
    def cost(Z: Any) -> Any:
        dZ = Z * 2
        return dZ * Z

    derivation = viz.explain(cost, 3.0, notation="d")
    assert derivation["dZ"] == 6 and derivation["dJ/dZ"] == 12
    assert lines(derivation)[-1] == "dJ/dZ = dZ + ddZ·2 = 6 + 3·2 = 12"


def test_nan_and_infinity_are_shown() -> None:
    text = str(viz.explain(lambda a: a * 2, float("inf"))) + str(viz.explain(lambda a: a * 2, float("nan")))
    assert "inf" in text and "nan" in text
    assert r"\infty" in viz.explain(lambda a: a * 2, float("inf")).latex()


def test_a_long_graph() -> None:
    def chain(a: Any) -> Any:
        for _ in range(3000):
            a = a * 1.0001
        return a

    derivation = viz.explain(chain, 1.0)
    assert len(derivation.lines) == 6000 and derivation.lines[-1].value == pytest.approx(1.0001**3000, rel=1e-3)
