"""The losses as layers against PyTorch's; the functions behind them are tested with the operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl import nn

DRAWS = np.random.default_rng(0)
LOGITS = DRAWS.standard_normal((4, 3)).astype("float32")
IMAGES = DRAWS.standard_normal((2, 3, 2, 2)).astype("float32")
CLASSES = np.array([0, 2, 1, 2])
PIXELS = np.array([[[0, 1], [2, 2]], [[1, 1], [0, 2]]])
PROBABILITIES = np.array([[0.2, 0.3, 0.5]] * 4, "float32")
WEIGHT = np.array([1.0, 2.0, 0.5], "float32")

Case = tuple[Callable[[Any, str], Any], np.ndarray, np.ndarray]
CASES: dict[str, Case] = {
    "MSELoss": (lambda lib, r: lib.nn.MSELoss(reduction=r), LOGITS, PROBABILITIES),
    "BCEWithLogitsLoss": (lambda lib, r: lib.nn.BCEWithLogitsLoss(reduction=r), LOGITS, PROBABILITIES),
    "BCEWithLogitsLoss, weighted": (
        lambda lib, r: lib.nn.BCEWithLogitsLoss(lib.tensor(WEIGHT), reduction=r, pos_weight=lib.tensor(WEIGHT * 3)),
        LOGITS,
        PROBABILITIES,
    ),
    "CrossEntropyLoss": (lambda lib, r: lib.nn.CrossEntropyLoss(reduction=r), LOGITS, CLASSES),
    "CrossEntropyLoss of one": (lambda lib, r: lib.nn.CrossEntropyLoss(reduction=r), LOGITS[0], np.array(2)),
    "CrossEntropyLoss of pixels": (lambda lib, r: lib.nn.CrossEntropyLoss(reduction=r), IMAGES, PIXELS),
    "CrossEntropyLoss of probabilities": (lambda lib, r: lib.nn.CrossEntropyLoss(reduction=r), LOGITS, PROBABILITIES),
    "CrossEntropyLoss with all": (
        lambda lib, r: lib.nn.CrossEntropyLoss(
            weight=lib.tensor(WEIGHT), ignore_index=1, reduction=r, label_smoothing=0.1
        ),
        LOGITS,
        CLASSES,
    ),
    "NLLLoss": (lambda lib, r: lib.nn.NLLLoss(reduction=r), LOGITS, CLASSES),
    "NLLLoss, weighted": (
        lambda lib, r: lib.nn.NLLLoss(lib.tensor(WEIGHT), ignore_index=0, reduction=r),
        LOGITS,
        CLASSES,
    ),
}


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients_agree_with_pytorch(name: str, reduction: str) -> None:
    torch = pytest.importorskip("torch")
    make, input, target = CASES[name]
    results = []
    for lib in (tg, torch):
        x = lib.tensor(input, requires_grad=True)
        loss = make(lib, reduction)(x, lib.tensor(target))
        (loss * loss).sum().backward()
        results.append((loss.detach().numpy(), x.grad.numpy()))
    for ours, theirs in zip(*results):
        assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_repr_and_state_agree_with_pytorch(name: str) -> None:
    torch = pytest.importorskip("torch")
    make, _, _ = CASES[name]
    ours, theirs = make(tg, "mean"), make(torch, "mean")
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict()), "weights are buffers"
    assert not list(ours.parameters())


def test_weights_move_with_the_loss() -> None:
    make, input, target = CASES["CrossEntropyLoss with all"]
    here = make(tg, "mean")(tg.tensor(input), tg.tensor(target))
    there = make(tg, "mean").to("strict")(tg.tensor(input, device="strict"), tg.tensor(target, device="strict"))
    assert str(there.device) == "strict" and there.item() == pytest.approx(here.item())


@pytest.mark.parametrize("loss", [nn.MSELoss, nn.CrossEntropyLoss, nn.NLLLoss, nn.BCEWithLogitsLoss])
def test_options_of_old_and_misspelt_ones(loss: Any) -> None:
    for option in ("size_average", "reduce"):
        with pytest.raises(TypeError) as error:
            loss(**{option: False})
        assert option in str(error.value) and "reduction='mean', 'sum' or 'none'" in str(error.value)
    with pytest.raises(
        TypeError, match=rf"{loss.__name__}: there is no argument 'reductoin'. Did you mean 'reduction'\?"
    ):
        loss(reductoin="sum")


@pytest.mark.parametrize("name", CASES)
def test_an_unknown_reduction(name: str) -> None:
    make, input, target = CASES[name]
    with pytest.raises(ValueError, match="'avg'"):
        make(tg, "avg")(tg.tensor(input), tg.tensor(target))


def test_different_shapes_warn_with_both_of_them() -> None:
    with pytest.warns(UserWarning) as caught:
        nn.MSELoss()(tg.ones(4, 1), tg.ones(4))
    message = str(caught[0].message)
    assert all(word in message for word in ["(4, 1)", "(4,)", "(4, 4)", "reshape"])


def test_cross_entropy_of_many_transposed_logits_has_the_gradient_of_few() -> None:
    """A - Y is written into rows of the result, which must be the rows of the logits in any order in memory."""
    values = np.random.default_rng(3).normal(size=(400, 300)).astype(np.float32)
    classes = tg.tensor(np.random.default_rng(4).integers(0, 300, 400))
    gradients = []
    for logits in (tg.tensor(values), tg.tensor(np.ascontiguousarray(values.T)).t()):
        logits.requires_grad_()
        nn.functional.cross_entropy(logits, classes).backward()
        gradients.append(logits.grad.numpy())
    np.testing.assert_allclose(gradients[1], gradients[0], rtol=1e-6, atol=1e-12)
    assert (gradients[1][np.arange(400), classes.numpy()] < 0).all()
