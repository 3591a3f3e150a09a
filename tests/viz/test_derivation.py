"""Derivations: the notes' lines, their numbers, and that they are what backward computes."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from viz_programs import WORKED, leaf, two_layer_inputs, two_layers

import tinygrad_dl as tg
from tinygrad_dl import nn, viz
from tinygrad_dl.errors import ArgumentError, ArgumentTypeError, GraphError
from tinygrad_dl.nn import functional as F

needs_executing = pytest.mark.skipif(find_spec("executing") is None, reason="the executing package is not installed")
DESIGN = """\
Forward
  u = b·c      = 3·2     = 6
  v = a + u    = 5 + 6   = 11
  J = 3·v      = 3·11    = 33
Backward
  dJ/dv                       = 3          = 3
  dJ/da = dJ/dv · dv/da       = 3·1        = 3
  dJ/du = dJ/dv · dv/du       = 3·1        = 3
  dJ/db = dJ/du · du/db       = 3·c = 3·2  = 6
  dJ/dc = dJ/du · du/dc       = 3·b = 3·3  = 9"""


def f(a: Any, b: Any, c: Any) -> Any:
    u = b * c
    v = a + u
    return 3 * v


def lines(derivation: viz.Derivation) -> list[str]:
    """The text with single spaces."""
    return [" ".join(line.split()) for line in str(derivation).splitlines()]


# --- J = 3(a + bc)


def test_the_notes_first_example_to_the_letter() -> None:
    assert str(viz.explain(f, leaf(5.0), leaf(3.0), leaf(2.0))) == DESIGN
    assert str(viz.explain(f, 5.0, 3.0, 2.0)) == DESIGN
    assert str(viz.explain(lambda a, b, c: 3 * (a + b * c), 5.0, 3.0, 2.0)) == DESIGN


def test_of_a_traced_loss_and_of_a_trace_before_and_after_backward() -> None:
    a, b, c = leaf(5.0), leaf(3.0), leaf(2.0)
    with viz.trace() as t:
        J = f(a, b, c)
    assert str(viz.explain(J)) == DESIGN
    assert a.grad is None, "explain touches no .grad"
    J.backward()
    assert str(viz.explain(J)) == str(viz.explain(t)) == DESIGN


def test_after_the_step_of_an_optimizer() -> None:
    w = leaf([2.0, 3.0])
    with viz.trace():
        y = (w * w).sum()
    y.backward()
    before = str(viz.explain(y))
    with tg.no_grad():
        w -= 1
    assert str(viz.explain(y)) == before and "[4  6]" in before


@pytest.mark.parametrize("once", [False, True])
def test_a_function_after_backward(once: bool) -> None:
    class Square(tg.autograd.Function):
        clear_saved_tensors_on_access = once

        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return 2 * g * x

    w = leaf([2.0, 3.0])
    with viz.trace():
        y = Square.apply(w).sum()
    y.backward()
    for _ in range(2):
        assert str(viz.explain(y)).endswith("dy/dw = Square.backward(dy/du)       = [4  6]  (2,)")


def test_numbers_are_at_hand() -> None:
    derivation = viz.explain(f, 5.0, 3.0, 2.0)
    expected = WORKED["W001"]["expected"]
    assert derivation["J"] == expected["J"] and derivation["u"] == 6
    for name in "vuabc":
        assert derivation[f"dJ/d{name}"] == expected[f"dJ_d{name}"]
    assert [line.name for line in derivation.lines][:4] == ["u", "v", "J", "dJ/dv"]
    assert derivation.lines[0].phase == "Forward" and derivation.lines[0].columns == ["u = b·c", "= 3·2", "= 6"]
    with pytest.raises(ArgumentError, match=r"no line for 'dJ/dx'.*dJ/da"):
        derivation["dJ/dx"]


def test_numbers_follow_the_inputs() -> None:
    derivation = viz.explain(f, -1.5, 4.0, 0.25)
    assert lines(derivation)[1:4] == [
        "u = b·c = 4·0.25 = 1",
        "v = a + u = −1.5 + 1 = −0.5",
        "J = 3·v = 3·(−0.5) = −1.5",
    ]
    assert derivation["dJ/db"] == 0.75


# --- other shapes of graphs


def test_paths_that_meet_are_summed() -> None:
    def diamond(a: Any) -> Any:
        b = a + a
        return b * a

    derivation = viz.explain(diamond, 5.0)
    assert lines(derivation)[-1] == (
        "dJ/da = b + dJ/db · db/da⁽¹⁾ + dJ/db · db/da⁽²⁾ = b + 5·1 + 5·1 = 10 + 5·1 + 5·1 = 20"
    )
    assert derivation["dJ/da"] == 20


def test_a_gradient_stands_where_it_is_complete() -> None:
    def many(a: Any) -> Any:
        p = a * 2
        q = p * a
        return q * p + a

    names = [line.name for line in viz.explain(many, 3.0).lines if line.phase == "Backward"]
    assert names.index("dJ/dq") < names.index("dJ/dp") < names.index("dJ/da")


def test_notations() -> None:
    bar = viz.explain(f, 5.0, 3.0, 2.0, notation="bar", letters=True)
    assert lines(bar)[-1] == "c̄ = 3·b = 3·3 = 9"
    d = viz.explain(f, 5.0, 3.0, 2.0, notation="d")
    assert d["db"] == 6 and "dJ/db" not in str(d)
    with pytest.raises(ArgumentError, match=r"notation is 'chain', 'd', 'bar', not 'chian'. Did you mean 'chain'"):
        viz.explain(f, 5.0, 3.0, 2.0, notation="chian")


def test_numbers_over_numbers_are_one_number() -> None:
    derivation = viz.explain(lambda a: (a**2 / 2).mean(), leaf([1.0, 2.0, 3.0]), notation="d")
    assert lines(derivation)[-1] == "da = 1/3·a = [0.3333 0.6667 1.0000] (3,)"


def test_results_without_a_name_are_written_out_on_request() -> None:
    def one_line(w: Any, x: Any, b: Any) -> Any:
        z = w * x + b
        return tg.sigmoid(z) ** 2

    derivation = viz.explain(one_line, 2.0, 0.5, -1.0, letters=False)
    assert lines(derivation) == [
        "Forward",
        "z = w·x + b = 2·0.5 − 1 = 0",
        "J = sigmoid(z)² = sigmoid(0)² = 0.25",
        "Backward",
        "dJ/dz = 2·sigmoid(z)·sigmoid(z)·(1 − sigmoid(z)) = 2·sigmoid(0)·sigmoid(0)·(1 − sigmoid(0)) = 0.25",
        "dJ/dw = dJ/dz · dz/dw = 0.25·x = 0.25·0.5 = 0.125",
        "dJ/dx = dJ/dz · dz/dx = 0.25·w = 0.25·2 = 0.5",
        "dJ/db = dJ/dz · dz/db = 0.25·1 = 0.25",
    ]


# --- the notes


@needs_executing  # it writes (1 − y) as the source does
def test_logistic_regression_with_one_example() -> None:
    def loss(w1: Any, w2: Any, b: Any, x1: Any, x2: Any, y: Any) -> Any:
        z = w1 * x1 + w2 * x2 + b
        a = tg.sigmoid(z)
        L = -(y * tg.log(a) + (1 - y) * tg.log(1 - a))
        return L  # noqa: RET504  # the trace reads the name

    numbers = WORKED["W157"]
    w, x, y = numbers["inputs"]["w"], numbers["inputs"]["x"], numbers["inputs"]["y"]
    leaves = [leaf(value) for value in (*w, numbers["inputs"]["b"])]
    data = [tg.tensor(value, dtype=tg.float64) for value in (*x, y)]
    derivation = viz.explain(loss, *leaves, *data, notation="d")
    formulas = [line.columns[0] for line in derivation.lines]
    assert formulas == [
        "z = w1·x1 + w2·x2 + b",
        "a = sigmoid(z)",
        "L = −(y·log(a) + (1 − y)·log(1 − a))",
        "da = −y/a + (1 − y)/(1 − a)",
        "dz = da·a·(1 − a)",
        "dw1 = dz·x1",
        "dw2 = dz·x2",
        "db = dz",
    ]
    expected = numbers["expected"]
    for name, value in {
        "L": expected["loss"],
        "da": expected["da"],
        "dz": expected["dz"],
        "db": expected["db"],
    }.items():
        assert derivation[name] == pytest.approx(value, rel=numbers["tolerance"])
    assert [derivation["dw1"], derivation["dw2"]] == pytest.approx(expected["dw"], rel=numbers["tolerance"])


def test_a_network_per_example_reads_as_the_notes_do() -> None:
    derivation = viz.explain(two_layers, *two_layer_inputs(), notation="d", per_example=True)
    formulas = [line.text.replace("  = ", " = ").split("  ")[0] for line in derivation.lines]
    assert [formula.split(" = [")[0] for formula in formulas] == [
        "Z1 = W1 X + b1",
        "A1 = tanh(Z1)",
        "Z2 = W2 A1 + b2",
        "A2 = sigmoid(Z2)",
        "J = mean(bce(Z2, Y)) = 0.50279",
        "dZ2 = A2 − Y",
        "dW2 = 1/3·dZ2 A1ᵀ",
        "dA1 = W2ᵀ dZ2",
        "db2 = 1/3·sum(dZ2, dim=1)",
        "dZ1 = dA1·(1 − A1·A1)",
        "dW1 = 1/3·dZ1 Xᵀ",
        "db1 = 1/3·sum(dZ1, dim=1)",
    ]
    assert "of each example's loss; 1/3 comes in with the leaves" in str(derivation)
    for name, value in {**WORKED["W156"]["steps"], **WORKED["W156"]["expected"]}.items():
        np.testing.assert_allclose(derivation[name], value, rtol=WORKED["W156"]["tolerance"], err_msg=name)


def test_gradients_of_the_mean_say_so() -> None:
    derivation = viz.explain(two_layers, *two_layer_inputs(), notation="d")
    assert "Backward  (of J, a mean over 3" in str(derivation)
    dZ2 = np.asarray(WORKED["W156"]["steps"]["dZ2"])
    np.testing.assert_allclose(derivation["dZ2"], dZ2 / 3, rtol=1e-12)
    np.testing.assert_allclose(derivation["dW1"], WORKED["W156"]["expected"]["dW1"], rtol=1e-9)
    with pytest.raises(GraphError, match=r"a mean over examples, this one was made by mul"):
        viz.explain(f, 5.0, 3.0, 2.0, per_example=True)


def test_softmax_and_cross_entropy() -> None:
    def loss(Z: Any, y: Any) -> Any:
        return F.cross_entropy(Z, y)

    Z, y = leaf([[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]]), tg.tensor([1, 0])
    derivation = viz.explain(loss, Z, y, notation="d", per_example=True)
    expected = (F.softmax(Z.detach(), 1) - F.one_hot(y, 3)).numpy()
    np.testing.assert_allclose(derivation["dZ"], expected / 2)  # Z is a leaf, so 1/m has come in
    assert "probabilities − one_hot" in str(derivation)


# --- it is what backward computes


def network(x: Any) -> Any:
    h = tg.relu(x @ x.T + 0.5)
    left, right = tg.split(h, [1, 2], 1)
    joined = tg.cat([right * 2, left.exp()], 1)
    return (F.log_softmax(joined, 1)[:, 1:] ** 2).mean() + joined.max() + joined.var()


@pytest.mark.parametrize("notation", ["chain", "d", "bar"])
@pytest.mark.parametrize("letters", [True, False])
def test_every_gradient_is_backwards(notation: str, letters: bool) -> None:
    x = tg.randn(3, 4, dtype=tg.float64, requires_grad=True, generator=tg.Generator().manual_seed(3))
    derivation = viz.explain(network, x, notation=notation, letters=letters)
    network(x).backward()
    name = {"chain": "dJ/dx", "d": "dx", "bar": "x̄"}[notation]
    np.testing.assert_allclose(derivation[name], x.grad.numpy(), rtol=1e-12)
    assert str(derivation) and "object at" not in str(derivation)


def test_modules_and_their_parameters() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    with viz.trace():
        loss = nn.MSELoss()(model(tg.ones(4, 2)), tg.zeros(4, 1))
    derivation = viz.explain(loss, notation="d")
    loss.backward()
    for name, parameter in model.named_parameters():
        layer, kind = name.split(".")
        np.testing.assert_allclose(derivation[f"dmodel[{layer}].{kind}"], parameter.grad.numpy(), rtol=1e-6)


def test_on_the_strict_device() -> None:
    with tg.device("strict"):
        derivation = viz.explain(two_layers, *two_layer_inputs(), notation="d", per_example=True)
    np.testing.assert_allclose(derivation["dW1"], WORKED["W156"]["expected"]["dW1"], rtol=1e-9)


def test_large_arrays_are_summed_up() -> None:
    text = str(viz.explain(lambda x: (x * x).sum(), leaf(np.ones((100, 100)))))
    assert "(100, 100)" in text and "2 … 2, mean 2" in text and len(text.splitlines()) < 10


def test_a_notebook_shows_it() -> None:
    bundle = viz.explain(lambda a: tg.relu(a) * 2, 3.0)._repr_mimebundle_()
    assert bundle["text/plain"].startswith("Forward") and "[u > 0]" in bundle["text/plain"]
    assert bundle["text/html"].startswith("<div") and "<mi>u</mi><mo>&gt;</mo><mn>0</mn>" in bundle["text/html"]


# --- bad input


def test_what_has_no_derivation() -> None:
    a = leaf([1.0, 2.0])
    with pytest.raises(GraphError, match=r"backprop starts from one number, a result of shape \(2,\)"):
        viz.explain(lambda a: a * 2, a)
    with pytest.raises(GraphError, match=r"mul \(result of shape \(2,\)\) was not traced.*with viz.trace"):
        viz.explain((a * 2).sum())
    with pytest.raises(GraphError, match="no history"):
        viz.explain(lambda a: a.detach().sum(), a)
    with pytest.raises(ArgumentTypeError, match="a Tensor, a list of them or a trace has a graph, not str"):
        viz.explain("J")
    with pytest.raises(ArgumentTypeError, match="inputs go to a function"):
        viz.explain((a * 2).sum(), a)
    with viz.trace() as empty:
        a.detach() * 2
    with pytest.raises(GraphError, match="this trace recorded nothing"):
        viz.explain(empty)


def test_an_error_in_f_comes_through() -> None:
    with pytest.raises(ZeroDivisionError):
        viz.explain(lambda a: a * (1 / 0), 1.0)


def test_edits_through_views_and_numbers_beside_vectors() -> None:
    def f(t: Any) -> Any:
        y = t * t
        y[:1].mul_(3)
        return (y * y).sum()

    x = tg.tensor([1.0, 2.0], requires_grad=True)
    text = str(viz.explain(f, x))
    assert "dJ/dv·3" in text and "other" not in text
    assert text.count("[36  32]") == 1 and "u = y[:1]" in text
    assert "y₂ = y with y[:1] = v" in text and "(dJ/dy₂ with dJ/dy₂[:1] = 0) + put(" in text
