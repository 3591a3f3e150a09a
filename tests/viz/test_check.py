"""check_by_hand: right gradients pass, and each of the usual slips is named: of a network, of logistic regression."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl import nn, viz
from tinygrad_dl.errors import ArgumentError, ArgumentTypeError, GraphError
from tinygrad_dl.nn import functional as F
from tinygrad_dl.viz.words import _WORDS

M = 5


def leaf(draws: np.random.Generator, *shape: int) -> Any:
    return tg.tensor(draws.normal(size=shape), dtype=tg.float64, requires_grad=True)


class Network:
    """Two layers, as the notes have them, and their gradients by hand, in NumPy."""

    def __init__(self) -> None:
        draws = np.random.default_rng(1)
        self.W1, self.b1, self.W2, self.b2 = (leaf(draws, *s) for s in ((4, 4), (4, 1), (1, 4), (1, 1)))
        X, Y = tg.tensor(draws.normal(size=(4, M))), tg.tensor((draws.random((1, M)) > 0.5) * 1.0)
        W1, b1, W2, b2 = self.W1, self.b1, self.W2, self.b2
        with viz.trace():
            Z1 = W1 @ X + b1
            A1 = tg.tanh(Z1)
            Z2 = W2 @ A1 + b2
            A2 = tg.sigmoid(Z2)
            J = -(Y * tg.log(A2) + (1 - Y) * tg.log(1 - A2)).mean()
        self.J = J
        self.X, self.Y, self.A1, self.A2 = (t.detach().cpu().numpy() for t in (X, Y, A1, A2))

    def by_hand(self, dZ2: Any = None, dZ1: Any = None) -> dict[str, Any]:
        dZ2 = self.A2 - self.Y if dZ2 is None else dZ2
        dZ1 = self.W2.detach().cpu().numpy().T @ dZ2 * (1 - self.A1**2) if dZ1 is None else dZ1
        return {
            "W2": dZ2 @ self.A1.T / M,
            "b2": dZ2.sum(axis=1, keepdims=True) / M,
            "W1": dZ1 @ self.X.T / M,
            "b1": dZ1.sum(axis=1, keepdims=True) / M,
        }


@pytest.fixture(scope="module")
def net() -> Network:
    return Network()


def test_right_gradients_pass(net: Network) -> None:
    check = viz.check_by_hand(net.J, net.by_hand())
    assert check and all(finding.right for finding in check.findings)
    assert str(check).startswith("dW2  right") and len(str(check).splitlines()) == 4


def test_it_names_tensors_and_lists_too(net: Network) -> None:
    hand = net.by_hand()
    assert viz.check_by_hand(net.J, {net.W1: hand["W1"].tolist(), "dW2": tg.tensor(hand["W2"])})
    assert viz.check_by_hand(net.J, {"Z2": (net.A2 - net.Y) / M}), "of results, in a trace"


def test_it_touches_no_grad_and_works_after_backward() -> None:
    net = Network()
    assert viz.check_by_hand(net.J, net.by_hand()) and net.W1.grad is None
    net.J.backward()
    assert viz.check_by_hand(net.J, net.by_hand())


def slips_of_two_layers(net: Network) -> dict[str, tuple[dict[str, Any], str, str]]:
    """By slip: gradients with it, in which of them it shows, and what must be said."""
    hand, W2 = net.by_hand(), net.W2.detach().numpy()
    dZ2 = net.A2 - net.Y
    dZ1 = W2.T @ dZ2 * (1 - net.A1**2)
    through_sigmoid = dZ2 * net.A2 * (1 - net.A2)
    return {
        "factor m": ({"W2": hand["W2"] * M}, "W2", "5 times too large: divide by m = 5"),
        "1/m twice": ({"W2": hand["W2"] / M}, "W2", "5 times too small: 1/m has come in once too often (m = 5)"),
        "factor 2": ({"b1": hand["b1"] * 2}, "b1", "twice too large"),
        "factor ½": ({"b1": hand["b1"] / 2}, "b1", "half of what it should be"),
        "sign": ({"W1": -hand["W1"]}, "W1", "the sign is wrong"),
        "sign and m": ({"W1": -hand["W1"] * M}, "W1", "the sign is wrong; and 5 times too large"),
        "transposed, square": ({"W1": hand["W1"].T}, "W1", "transposed"),
        "transposed": ({"W2": hand["W2"].T}, "W2", "transposed"),
        "transposed and m": ({"W2": hand["W2"].T * M}, "W2", "transposed; and 5 times too large"),
        "keepdims": ({"b1": dZ1.sum(axis=1) / M}, "b1", "shape (4,) came, (4, 1) belongs there: keepdims=True"),
        "no sum": ({"b1": dZ1 / M}, "b1", "a sum is missing: what broadcasting repeated is summed over dim 1"),
        "no sum, no 1/m": ({"b1": dZ1}, "b1", "is summed over dim 1, to shape (4, 1); and 5 times too large"),
        "summed to a number": ({"b1": np.array(dZ1.sum() / M)}, "b1", "summed over too much: shape () came"),
        "shape": ({"W1": np.ones((3, 2))}, "W1", "shape (3, 2) came, (4, 4) belongs there"),
        "tanh' forgotten": (
            net.by_hand(dZ1=W2.T @ dZ2),
            "W1",
            "the derivative of tanh is missing, on the way through A1",
        ),
        "sigmoid' of tanh": (
            net.by_hand(dZ1=W2.T @ dZ2 * net.A1 * (1 - net.A1)),
            "W1",
            "the derivative of sigmoid stands where that of tanh belongs, at A1",
        ),
        "the other layer's activation": (
            net.by_hand(dZ1=W2.T @ dZ2 * (1 - net.A2**2)),
            "b1",
            "A2 stands where A1 belongs",
        ),
        "X for A1": ({"W2": dZ2 @ net.X.T / M}, "W2", "X stands where A1 belongs"),
        "A1 for X": ({"W1": dZ1 @ net.A1.T / M}, "W1", "A1 stands where X belongs"),
        "sigmoid' twice": (net.by_hand(through_sigmoid), "W2", "differs by up to"),
        "anything": ({"W1": hand["W1"] + 1}, "W1", "differs by up to 1, and by none of the usual slips"),
    }


@pytest.mark.parametrize("slip", slips_of_two_layers(Network()))
def test_slips_in_a_network(net: Network, slip: str) -> None:
    gradients, name, said = slips_of_two_layers(net)[slip]
    check = viz.check_by_hand(net.J, gradients)
    assert not check and not check[name].right
    assert said in check[name].why
    assert f"wrong: {check[name].why}" in str(check)


def logistic(m: int = 4) -> tuple[Any, dict[str, Any], Any]:
    draws = np.random.default_rng(2)
    w, b = leaf(draws, 3), tg.tensor(0.3, dtype=tg.float64, requires_grad=True)
    X, y = tg.tensor(draws.normal(size=(m, 3))), tg.tensor((draws.random(m) > 0.5) * 1.0)
    with viz.trace():
        z = X @ w + b
        a = tg.sigmoid(z)
        L = F.binary_cross_entropy(a, y)
    error = (a - y).detach().numpy()
    return L, {"w": X.numpy().T @ error / m, "b": error.sum() / m}, (X.numpy(), y.numpy(), a.detach().numpy())


def test_slips_in_logistic_regression() -> None:
    L, hand, (X, y, a) = logistic()
    assert viz.check_by_hand(L, hand)
    da = (-y / a + (1 - y) / (1 - a)) / 4
    said = {
        "4 times too large: divide by m = 4": {"w": hand["w"] * 4, "b": hand["b"] * 4},
        "the sign is wrong": {"w": -hand["w"], "b": -hand["b"]},
        "twice too large": {"w": 2 * hand["w"], "b": 2 * hand["b"]},
        "a sum is missing": {"b": (a - y) / 4},
        "keepdims=True": {"w": hand["w"].reshape(3, 1)},
        "the derivative of sigmoid is missing, on the way through a": {"w": X.T @ da, "b": da.sum()},
    }
    for words, gradients in said.items():
        check = viz.check_by_hand(L, gradients)
        assert all(words in finding.why for finding in check.findings), (words, str(check))


def test_with_two_examples_a_factor_2_may_be_m() -> None:
    L, hand, _ = logistic(2)
    assert "1/m is missing (m = 2" in viz.check_by_hand(L, {"w": hand["w"] * 2})["w"].why
    assert "1/m is in it twice (m = 2)" in viz.check_by_hand(L, {"w": hand["w"] / 2})["w"].why


def test_every_activation_forgotten_and_a_path_left_out() -> None:
    x, w, v = (leaf(np.random.default_rng(3), *s) for s in ((3,), (3, 3), (3, 3)))
    with viz.trace():
        p = tg.tanh(w @ x)
        q = tg.tanh(v @ p)
        J = (q * p).sum()
    P = p.detach().numpy()
    dq = v.detach().numpy().T @ P
    check = viz.check_by_hand(J, {"p": q.detach(), "w": np.outer(dq + q.detach().numpy(), x.detach().numpy())})
    assert check["p"].why.startswith("a path is missing: p is used in several places")
    assert check["w"].why == "the derivative of tanh is missing, on the way through p, q"


def test_without_a_trace_names_come_from_the_variables() -> None:
    w, b = (leaf(np.random.default_rng(4), 3) for _ in range(2))
    J = (w * b).sum()
    check = viz.check_by_hand(J, {"w": b.detach(), "b": -w.detach()})
    assert check["w"].right and check["b"].why == "the sign is wrong" and "with viz.trace():" in str(check)


def test_names_of_parameters() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    with viz.trace():
        J = nn.MSELoss()(model(tg.ones(4, 2)), tg.zeros(4, 1))
    gradients = dict(
        zip(dict(model.named_parameters()), tg.autograd.grad(J, list(model.parameters()), retain_graph=True))
    )
    assert viz.check_by_hand(J, gradients)
    assert viz.check_by_hand(J, {"model[0].weight": gradients["0.weight"]})
    assert not viz.check_by_hand(J, {"0.weight": -gradients["0.weight"]})


def test_nan_and_infinity_are_not_right(net: Network) -> None:
    hand = net.by_hand()
    assert not viz.check_by_hand(net.J, {"W1": hand["W1"] * float("nan"), "W2": hand["W2"] * float("inf")})


def test_on_the_strict_device() -> None:
    with tg.device("strict"):
        net = Network()
        assert viz.check_by_hand(net.J, net.by_hand())
        slip = viz.check_by_hand(net.J, net.by_hand(dZ1=net.W2.detach().cpu().numpy().T @ (net.A2 - net.Y)))
    assert "the derivative of tanh is missing" in slip["W1"].why


def test_in_turkish(net: Network) -> None:
    check = viz.check_by_hand(net.J, {"W1": -net.by_hand()["W1"]}, language="tr")
    assert str(check) == "dW1  yanlış: işareti yanlış"


def test_each_language_says_the_same() -> None:
    def fields(text: str) -> set[str]:
        return {part.split("}")[0] for part in text.split("{")[1:]}

    english, turkish = _WORDS["en"], _WORDS["tr"]
    assert english.keys() == turkish.keys()
    assert {key: fields(text) for key, text in english.items()} == {key: fields(text) for key, text in turkish.items()}


def test_bad_input(net: Network) -> None:
    hand = net.by_hand()
    with pytest.raises(ArgumentError, match=r"the loss has no 'weights1'; it has W1, X, .*J\.$"):
        viz.check_by_hand(net.J, {"weights1": hand["W1"]})
    with pytest.raises(ArgumentError, match="a tensor came that the loss does not depend on"):
        viz.check_by_hand(net.J, {tg.zeros(2): hand["W1"]})
    with pytest.raises(ArgumentTypeError, match="gradients come by name"):
        viz.check_by_hand(net.J, [hand["W1"]])  # type: ignore[arg-type]
    with pytest.raises(ArgumentTypeError, match="a name or a tensor says which gradient, not int"):
        viz.check_by_hand(net.J, {1: hand["W1"]})  # type: ignore[dict-item]
    with pytest.raises(ArgumentError, match=r"language is 'en', 'tr', not 'de'"):
        viz.check_by_hand(net.J, hand, language="de")
    with pytest.raises(GraphError, match="no history"):
        viz.check_by_hand(tg.tensor(1.0), {})
    with pytest.raises(GraphError, match="a loss is one number"):
        viz.check_by_hand(net.W1 * 2, {"W1": hand["W1"]})
    with pytest.raises(ArgumentError, match="there is no 'b1'; there are W1"):
        viz.check_by_hand(net.J, {"W1": hand["W1"]})["b1"]
    assert "no gradient goes there" in viz.check_by_hand(net.J, {"X": net.X})["X"].why
