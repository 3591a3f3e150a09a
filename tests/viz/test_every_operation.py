"""Derivations of every operation: all forms can be written, and the gradients shown are backward's, along paths too."""

from __future__ import annotations

import functools
import operator
import xml.etree.ElementTree as ElementTree
from typing import Any

import numpy as np
import pytest
from test_symbol import CASES, operations

import tinygrad_dl as tg
from tinygrad_dl import viz

NO_DERIVATIVE = {"zeta", "igamma", "igammac"}  # by their first arguments, in PyTorch neither


def copies(value: Any, leaves: list[Any]) -> Any:
    """Arguments anew, in float64, with all that can have a gradient among the leaves."""
    if isinstance(value, list):
        return [copies(part, leaves) for part in value]
    if isinstance(value, tg.Tensor) and value.is_floating_point():
        leaves.append(value.detach().clone().double().requires_grad_())
        return leaves[-1]
    return value


def half_sum(result: Any) -> Any:
    """Half the sum of all outputs that have a gradient."""
    outputs = [out for out in (result if isinstance(result, tuple) else (result,)) if out.requires_grad]
    return functools.reduce(operator.add, [(out * 0.5).sum() for out in outputs])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "args"),
    [
        pytest.param(name, args, id=f"{name}-{i}")
        for name, cases in CASES.items()
        for i, args in enumerate(cases)
        if name not in NO_DERIVATIVE
    ],
)
def test_a_derivation_of(name: str, args: tuple[Any, ...]) -> None:
    leaves: list[Any] = []
    given, run = [copies(value, leaves) for value in args], operations()[name]

    def loss() -> Any:
        return half_sum(run(*given))

    with np.errstate(all="ignore"):
        gradients = tg.autograd.grad(loss(), leaves, allow_unused=True)
        names = {f"x{i}": tensor for i, tensor in enumerate(leaves)}
        known = {key: g.numpy() for (key, _), g in zip(names.items(), gradients) if g is not None}
        for notation, before in (("chain", "dJ/d"), ("d", "d")):
            derivation = viz.explain(loss, notation=notation, names=names)
            assert derivation.text(ascii=True, shapes=True).isascii() and "object at" not in derivation.text()
            assert derivation.latex(shapes=True).count(r"\begin{aligned}") == derivation.markdown().count("$$") / 2
            ElementTree.fromstring(derivation.html())
            for key, gradient in known.items():
                np.testing.assert_allclose(derivation[before + key], gradient, rtol=1e-9, atol=1e-12)
        for key, gradient in known.items():
            along = viz.explain(loss, wrt=key, names=names)[f"dJ/d{key}"]
            np.testing.assert_allclose(along, gradient, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["amax", "prod", "cumsum", "logsumexp", "var"])
def test_a_gradient_that_is_the_same_everywhere_keeps_its_shape(name: str) -> None:
    x = tg.tensor([[1.0, 3.0, 2.0], [5.0, 4.0, 6.0]], dtype=tg.float64, requires_grad=True)
    derivation = viz.explain(lambda: getattr(tg, name)(x, 1).mean(), notation="d", letters=True, names={"x": x})
    (gradient,) = tg.autograd.grad(getattr(tg, name)(x, 1).mean(), [x])
    np.testing.assert_allclose(derivation["dx"], gradient.numpy())
    assert "1/2" in derivation.lines[-1].text or name == "cumsum"


def test_each_output_of_an_operation_has_a_gradient_of_its_own() -> None:
    def parts(x: Any) -> Any:
        left, right = tg.split(x, [1, 2])
        return (right * right).sum() + left.sum() * 3

    derivation = viz.explain(parts, tg.tensor([1.0, 2.0, 3.0], requires_grad=True))
    assert derivation["dJ/du[0]"].tolist() == [3] and derivation["dJ/du[1]"].tolist() == [4, 6]
    assert derivation["dJ/dx"].tolist() == [3, 4, 6]


def test_what_a_rule_kept_is_not_mistaken_for_a_variable() -> None:
    def loss(z: Any, probabilities: Any) -> Any:
        return tg.nn.functional.cross_entropy(z * probabilities, tg.tensor([0]))

    z, two = tg.tensor([[1.0, 2.0]], requires_grad=True), tg.tensor(2.0, requires_grad=True)
    text = str(viz.explain(loss, z, two))
    assert "probabilities′ − one_hot" in text and "z·probabilities " in text
