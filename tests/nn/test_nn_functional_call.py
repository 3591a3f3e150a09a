"""functional_call: a module with other parameters for one call, as in PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl import nn
from tinygrad_dl.func import functional_call
from tinygrad_dl.utils.checkpoint import checkpoint


class Tied(nn.Module):
    """Two layers that share a weight, and a counter that is assigned anew in each call."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", tg.zeros(1))
        self.first, self.second = nn.Linear(2, 2), nn.Linear(2, 2, bias=False)
        self.second.weight = self.first.weight

    def forward(self, x: Any) -> Any:
        self.calls = self.calls + 1
        return self.second(self.first(x))


def test_given_and_own_tensors() -> None:
    layer, x = nn.Linear(2, 2), tg.tensor([1.0, 2.0])
    weight, bias = layer.weight, layer.bias
    zero = tg.zeros(2)
    assert functional_call(layer, {"weight": tg.eye(2), "bias": zero}, (x,)).tolist() == [1, 2]
    assert functional_call(layer, [{"weight": tg.eye(2)}, {"bias": zero}], x).tolist() == [1, 2]
    assert functional_call(layer, ({"weight": tg.eye(2)},), kwargs={"input": x}).tolist() == (x + bias).tolist()
    assert functional_call(nn.Linear(2, 2, bias=False), {"weight": tg.eye(2), "bias": x}, x).tolist() == [2, 4]
    assert layer.weight is weight and layer.bias is bias
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"]


def test_everything_is_put_back_after_an_error() -> None:
    layer = nn.Linear(2, 2)
    weight = layer.weight
    with pytest.raises(tg.ShapeError):
        functional_call(layer, {"weight": tg.ones(2, 3), "extra": tg.ones(1)}, tg.ones(2))
    assert layer.weight is weight and not hasattr(layer, "extra")


def test_shared_tensors() -> None:
    net, x = Tied(), tg.tensor([1.0, 2.0])
    bias = net.first.bias.tolist()
    twice = [4 + 2 * bias[0], 8 + 2 * bias[1]]
    two = 2 * tg.eye(2)
    assert functional_call(net, {"first.weight": two}, x).tolist() == pytest.approx([2 * v for v in _plus(x * 2, bias)])
    assert functional_call(net, {"second.weight": two}, x).tolist() == pytest.approx(twice)
    assert functional_call(net, {"first.weight": two, "second.weight": two}, x).tolist() == pytest.approx(twice)
    own = functional_call(net, {"second.weight": two}, x, tie_weights=False)
    assert own.tolist() == pytest.approx((2 * net.first(x)).tolist())
    with pytest.raises(ValueError, match=r"first\.weight and second\.weight are one"):
        functional_call(net, {"first.weight": two, "second.weight": tg.eye(2)}, x)


def _plus(x: Any, bias: list[float]) -> list[float]:
    return [a + b for a, b in zip(x.tolist(), bias)]


def test_buffers_that_the_module_assigns() -> None:
    net = Tied()
    given = {"calls": tg.tensor([5.0])}
    functional_call(net, given, tg.ones(2))
    assert given["calls"].item() == 6 and net.calls.item() == 0 and net.state_dict()["calls"].item() == 0


def test_strict() -> None:
    net = Tied()
    own = dict(net.named_parameters()) | dict(net.named_buffers())
    functional_call(net, dict(own), tg.ones(2), strict=True)
    with pytest.raises(RuntimeError, match=r"missing: second\.weight"):
        functional_call(net, dict(own), tg.ones(2), strict=True, tie_weights=False)
    del own["calls"]
    with pytest.raises(
        RuntimeError, match=r"missing: calls\n  unexpected: first\.wieght\. Did you mean 'first\.weight'"
    ):
        functional_call(net, {**own, "first.wieght": tg.ones(1)}, tg.ones(2), strict=True)


def test_what_is_refused() -> None:
    layer = nn.Linear(2, 2)
    for given, kind in (
        ({"weight": 2.0}, TypeError),
        (2, ValueError),
        ([2], ValueError),
        ([{"bias": tg.ones(2)}, {"bias": tg.ones(2)}], ValueError),
        ({"a.b": tg.ones(2)}, AttributeError),
        ({"forward": tg.ones(2)}, TypeError),
        ({"in_features": tg.ones(2)}, TypeError),
        ({"": tg.ones(2)}, TypeError),
    ):
        with pytest.raises(kind):
            functional_call(layer, given, tg.ones(2))  # type: ignore[arg-type]


@pytest.mark.parametrize("nested", [False, True])
def test_a_checkpoint_inside_runs_again_with_the_same_tensors(nested: bool) -> None:
    """Also when backward comes after the call, and for parameters that get no gradient."""

    class Checkpointed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(2, 1)

        def forward(self, x: Any) -> Any:
            run = lambda x: self.layer(x).tanh()  # noqa: E731
            return checkpoint(checkpoint, run, x) if nested else checkpoint(run, x)

    net, x = Checkpointed().requires_grad_(False), tg.ones(2, requires_grad=True)
    given = {"layer.weight": tg.tensor([[0.5, -0.25]], requires_grad=True), "layer.bias": tg.tensor([1.0])}
    before = dict(net.named_parameters())
    functional_call(net, given, x).backward()
    slope = 1 - np.tanh(1.25) ** 2
    assert x.grad.tolist() == pytest.approx([0.5 * slope, -0.25 * slope])
    assert given["layer.weight"].grad.tolist() == [pytest.approx([slope, slope])]
    assert all(p is before[name] for name, p in net.named_parameters())
    assert tg.func.grad(lambda w: functional_call(net, {"layer.weight": w}, x).sum())(given["layer.weight"]).shape


def test_derivatives_by_parameters_as_in_pytorch() -> None:
    torch = pytest.importorskip("torch")

    def derivatives(m: Any) -> Any:
        net = m.nn.Sequential(m.nn.Linear(2, 3), m.nn.Tanh(), m.nn.Linear(3, 1)).double()
        shapes = {name: p.shape for name, p in net.named_parameters()}
        weights = {name: m.linspace(-1, 1, n.numel(), dtype=m.float64).reshape(n) for name, n in shapes.items()}
        x = m.tensor([[0.5, -1.0], [2.0, 0.25]], dtype=m.float64)
        loss = lambda w: (m.func.functional_call(net, w, (x,)) ** 2).sum()  # noqa: E731
        gradients, hessians = m.func.grad(loss)(weights), m.func.hessian(loss)(weights)
        return [g.reshape(-1).tolist() for g in gradients.values()] + [
            h.reshape(-1).tolist() for row in hessians.values() for h in row.values()
        ]

    for ours, theirs in zip(derivatives(tg), derivatives(torch), strict=True):
        assert ours == pytest.approx(theirs, rel=1e-10, abs=1e-12)
