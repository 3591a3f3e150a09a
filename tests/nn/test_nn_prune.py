"""`nn.utils.prune` against PyTorch: masks, names, pruning again, removing."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg

torch = pytest.importorskip("torch")
pytest.importorskip("torch.nn.utils.prune")  # which `import torch` leaves out


@pytest.fixture(params=["tinygrad_dl", "torch"])
def lib(request: pytest.FixtureRequest) -> Any:
    """Ours, and PyTorch to confirm what the test expects."""
    return pytest.importorskip(request.param)


def made(lib: Any) -> Any:
    layer = lib.nn.Linear(4, 6)
    layer.weight.data.copy_(lib.tensor(np.random.default_rng(0).standard_normal((6, 4)).astype(np.float32)))
    return layer


SCORES = np.arange(24.0).reshape(6, 4)

STEPS = [
    [("l1_unstructured", {"amount": 5})],
    [("l1_unstructured", {"amount": 0.5}), ("l1_unstructured", {"amount": 0.5}), ("l1_unstructured", {"amount": 1})],
    [("l1_unstructured", {"amount": 7, "importance_scores": SCORES})],
    [("ln_structured", {"amount": 2, "n": 2, "dim": 0}), ("ln_structured", {"amount": 0.25, "n": 1, "dim": 0})],
    [("ln_structured", {"amount": 1, "n": 2, "dim": 1}), ("l1_unstructured", {"amount": 3})],
    [("ln_structured", {"amount": 1, "n": 2, "dim": -1, "importance_scores": SCORES})],
    [("l1_unstructured", {"amount": 9}), ("custom_from_mask", {"mask": np.tril(np.ones((6, 4)))}), ("identity", {})],
    [("identity", {}), ("custom_from_mask", {"mask": np.tril(np.ones((6, 4)))})],
]


@pytest.mark.parametrize("steps", STEPS)
def test_the_masks_are_pytorchs(steps: Any) -> None:
    found = []
    for lib in (torch, tg):
        layer = made(lib)
        for name, options in steps:
            given = {k: lib.tensor(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
            assert getattr(lib.nn.utils.prune, name)(layer, "weight", **given) is layer
        layer(lib.ones(2, 4)).sum().backward()
        found.append((list(layer.state_dict()), layer.weight_mask, layer.weight, layer.weight_orig.grad))
    assert found[0][0] == found[1][0]
    for theirs, ours in zip(found[0][1:], found[1][1:]):
        np.testing.assert_array_equal(ours.detach().numpy(), theirs.detach().numpy())


def test_the_smallest_of_several_parameters(lib: Any) -> None:
    prune = lib.nn.utils.prune
    model = lib.nn.Sequential(made(lib), made(lib))
    model[1].weight.data.mul_(10)
    prune.global_unstructured([(model[0], "weight"), (model[1], "weight")], prune.L1Unstructured, amount=20)
    assert [int((layer.weight_mask == 0).sum()) for layer in model] == [19, 1]
    prune.global_unstructured([(model[0], "weight"), (model[1], "weight")], prune.RandomUnstructured, amount=0.5)
    assert sum(int((layer.weight_mask == 0).sum()) for layer in model) == 34


def test_random_pruning(lib: Any) -> None:
    prune = lib.nn.utils.prune
    layer = prune.random_unstructured(made(lib), "weight", 7)
    assert int((layer.weight_mask == 0).sum()) == 7
    layer = prune.random_structured(made(lib), "weight", 2, dim=0)
    assert sorted(layer.weight_mask.sum(1).tolist()) == [0, 0, 4, 4, 4, 4]


def test_removing_and_following_the_parameter(lib: Any) -> None:
    prune = lib.nn.utils.prune
    model = lib.nn.Sequential(made(lib))
    assert not prune.is_pruned(model)
    prune.l1_unstructured(model[0], "weight", 0.5)
    assert prune.is_pruned(model)
    model[0].weight_orig.data.fill_(2.0)
    model(lib.ones(1, 4))
    assert sorted(set(model[0].weight.flatten().tolist())) == [0.0, 2.0]
    other = lib.nn.Sequential(prune.identity(made(lib), "weight"))
    other.load_state_dict(copy.deepcopy(model.state_dict()))
    assert other(lib.ones(1, 4)).tolist() == model(lib.ones(1, 4)).tolist()
    before = model(lib.ones(1, 4)).tolist()
    original = model[0].weight_orig
    prune.remove(model[0], "weight")
    assert model[0].weight is original and model(lib.ones(1, 4)).tolist() == before
    assert sorted(model.state_dict()) == ["0.bias", "0.weight"] and not prune.is_pruned(model)
    with pytest.raises(ValueError):
        prune.remove(model[0], "weight")


def test_amounts_that_make_no_sense(lib: Any) -> None:
    for amount in (-1, 25, 1.5):
        with pytest.raises(ValueError):
            lib.nn.utils.prune.l1_unstructured(made(lib), "weight", amount)
    with pytest.raises((ValueError, IndexError)):
        lib.nn.utils.prune.ln_structured(made(lib), "weight", 1, 2, dim=3)
    with pytest.raises((AttributeError, TypeError)):
        lib.nn.utils.prune.l1_unstructured(made(lib), "wieght", 1)
