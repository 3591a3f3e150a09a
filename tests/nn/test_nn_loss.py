"""The losses as layers against PyTorch's; the functions behind them are tested with the operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl import nn
from tinygrad_dl.errors import TinygradError

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
def test_misspelt_options(loss: Any) -> None:
    with pytest.raises(
        TypeError, match=rf"{loss.__name__}: there is no argument 'reductoin'. Did you mean 'reduction'\?"
    ):
        loss(reductoin="sum")


def test_a_loss_of_ones_own() -> None:
    class Focal(nn.modules.loss._WeightedLoss):
        def __init__(self, gamma: float, **options: Any) -> None:
            super().__init__(**options)
            self.gamma = gamma

        def forward(self, input: Any, target: Any) -> Any:
            loss = nn.functional.cross_entropy(input, target, self.weight, reduction="none")
            return ((1 - (-loss).exp()) ** self.gamma * loss).mean()

    loss = Focal(0.0, weight=tg.tensor(WEIGHT), reduction="sum")
    assert loss.reduction == "sum" and list(loss.state_dict()) == ["weight"]
    each = nn.CrossEntropyLoss(tg.tensor(WEIGHT), reduction="none")
    assert tg.allclose(loss(tg.tensor(LOGITS), tg.tensor(CLASSES)), each(tg.tensor(LOGITS), tg.tensor(CLASSES)).mean())


# --- losses with other arguments than an input and a target

OTHERS: dict[str, tuple[Callable[[Any, str], Any], tuple[tuple[int, ...], ...]]] = {
    "L1Loss": (lambda lib, r: lib.nn.L1Loss(reduction=r), ((4, 3), (4, 3))),
    "SmoothL1Loss": (lambda lib, r: lib.nn.SmoothL1Loss(reduction=r, beta=0.5), ((4, 3), (4, 3))),
    "HuberLoss": (lambda lib, r: lib.nn.HuberLoss(r, 0.5), ((4, 3), (4, 3))),
    "BCELoss": (lambda lib, r: lib.nn.BCELoss(lib.tensor(WEIGHT).double(), reduction=r), ((4, 3), (4, 3))),
    "KLDivLoss": (lambda lib, r: lib.nn.KLDivLoss(reduction=r, log_target=True), ((4, 3), (4, 3))),
    "PoissonNLLLoss": (lambda lib, r: lib.nn.PoissonNLLLoss(False, True, eps=0.1, reduction=r), ((4, 3), (4, 3))),
    "GaussianNLLLoss": (lambda lib, r: lib.nn.GaussianNLLLoss(full=True, reduction=r), ((4, 3), (4, 3), (4, 1))),
    "HingeEmbeddingLoss": (lambda lib, r: lib.nn.HingeEmbeddingLoss(0.5, reduction=r), ((4, 3), (4, 3))),
    "MarginRankingLoss": (lambda lib, r: lib.nn.MarginRankingLoss(0.5, reduction=r), ((4,), (4,), (4,))),
    "CosineEmbeddingLoss": (lambda lib, r: lib.nn.CosineEmbeddingLoss(0.1, reduction=r), ((4, 3), (4, 3), (4,))),
    "TripletMarginLoss": (
        lambda lib, r: lib.nn.TripletMarginLoss(2.0, 1.0, 1e-3, True, reduction=r),
        ((4, 3), (4, 3), (4, 3)),
    ),
    "TripletMarginWithDistanceLoss": (
        lambda lib, r: lib.nn.TripletMarginWithDistanceLoss(margin=2.0, swap=True, reduction=r),
        ((4, 3), (4, 3), (4, 3)),
    ),
    "MultiLabelSoftMarginLoss": (
        lambda lib, r: lib.nn.MultiLabelSoftMarginLoss(lib.tensor(WEIGHT).double(), reduction=r),
        ((4, 3), (4, 3)),
    ),
    "SoftMarginLoss": (lambda lib, r: lib.nn.SoftMarginLoss(reduction=r), ((4, 3), (4, 3))),
}


def run_other(lib: Any, name: str, reduction: str) -> list[Any]:
    """The loss and its gradient by the first input, of numbers between 0.1 and 0.9; labels are 1 and -1."""
    make, shapes = OTHERS[name]
    draw = np.random.default_rng(3)
    arrays = [draw.uniform(0.1, 0.9, shape) for shape in shapes]
    if "Embedding" in name or "Ranking" in name or name == "SoftMarginLoss":
        arrays[-1] = np.sign(arrays[-1] - 0.5)
    x, *others = [lib.tensor(array) for array in arrays]
    loss = make(lib, reduction)(x.requires_grad_(), *others)
    (loss * loss).sum().backward()
    return [loss.detach().numpy(), x.grad.numpy()]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", OTHERS)
def test_other_losses_agree_with_pytorch(name: str, reduction: str) -> None:
    torch = pytest.importorskip("torch")
    for ours, theirs in zip(run_other(tg, name, reduction), run_other(torch, name, reduction)):
        assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)
    ours, theirs = (OTHERS[name][0](lib, reduction) for lib in (tg, torch))
    assert repr(ours) == repr(theirs) and list(ours.state_dict()) == list(theirs.state_dict())


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("name", ["MultiMarginLoss", "MultiLabelMarginLoss"])
def test_margins_of_classes_agree_with_pytorch(name: str, p: int) -> None:
    torch = pytest.importorskip("torch")
    found = []
    for lib in (tg, torch):
        x = lib.tensor(LOGITS, requires_grad=True)
        if name == "MultiMarginLoss":
            loss = lib.nn.MultiMarginLoss(p, 0.7, lib.tensor(WEIGHT))(x, lib.tensor(CLASSES))
        else:
            loss = lib.nn.MultiLabelMarginLoss()(x, lib.tensor([[p, 0, -1], [2, -1, p], [-1, -1, 1], [0, 1, 2]]))
        loss.backward()
        found.append([loss.detach().numpy(), x.grad.numpy()])
    for ours, theirs in zip(*found):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)


@pytest.mark.parametrize("bias", [True, False])
def test_rare_classes_agree_with_pytorch(bias: bool) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(1)
    theirs = torch.nn.AdaptiveLogSoftmaxWithLoss(6, 12, [3, 7], 2.0, bias).double()
    ours = nn.AdaptiveLogSoftmaxWithLoss(6, 12, [3, 7], 2.0, bias).double()
    ours.load_state_dict({name: tg.tensor(value.numpy()) for name, value in theirs.state_dict().items()})
    assert repr(ours) == repr(theirs)
    inputs, found = 3 * np.random.default_rng(0).standard_normal((9, 6)), []
    for lib, layer in ((tg, ours), (torch, theirs)):
        x = lib.tensor(inputs, requires_grad=True)
        for targets in ([0, 2, 3, 6, 7, 11, 1, 1, 9], [0, 1, 2] * 3):
            output, loss = layer(x, lib.tensor(targets))
            loss.backward()
        single = layer(x[0], lib.tensor(8))
        results = [output, loss, x.grad, *single, layer.log_prob(x), layer.predict(x), layer.predict(x[:1])]
        found.append([r.detach().numpy() for r in (*results, *(p.grad for p in layer.parameters()))])
    assert set(found[1][6]) - {0, 1, 2} and set(found[1][6]) & {0, 1, 2}, "both ways to predict are taken"
    for a, b in zip(*found):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
    with pytest.raises(ValueError, match=r"rising.*\[7, 3\]"):
        nn.AdaptiveLogSoftmaxWithLoss(6, 12, [7, 3])
    with pytest.raises(IndexError, match=r"0 to 11.*0 to 12"):
        ours(tg.zeros(2, 6).double(), tg.tensor([0, 12]))


OLD = [(False, None), (True, None), (None, False), (None, True), (False, False), (False, True), (True, True)]


@pytest.mark.parametrize(("size_average", "reduce"), OLD)
@pytest.mark.parametrize("name", ["l1_loss", "mse_loss", "smooth_l1_loss", "soft_margin_loss", "kl_div"])
def test_what_reduction_replaced_still_counts_with_a_warning(name: str, size_average: Any, reduce: Any) -> None:
    torch = pytest.importorskip("torch")
    x, y = np.random.default_rng(0).uniform(0.1, 0.9, (2, 4, 3))
    found = []
    for lib in (tg, torch):
        with pytest.warns(UserWarning, match="reduction='"):
            loss = getattr(lib.nn.functional, name)(lib.tensor(x), lib.tensor(y), size_average, reduce)
        with pytest.warns(UserWarning, match="reduction='"):
            layer = lib.nn.L1Loss(size_average=size_average, reduce=reduce)
        found.append([loss.numpy(), layer.reduction])
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-9)
    assert found[0][1] == found[1][1]


# --- at the ends of the domain, where a derivative is a choice

NAN, INF = float("nan"), float("inf")
ENDS: dict[str, tuple[Callable[..., Any], list[list[float]]]] = {
    "binary_cross_entropy": (
        lambda F, x, y: F.binary_cross_entropy(x, y, reduction="none"),
        [[0, 1, 0, 1, 1e-30, 0.5], [0, 1, 1, 0, 1, 0.5]],
    ),
    "kl_div": (lambda F, x, y: F.kl_div(x, y.detach(), reduction="none"), [[0, 1, -2, -INF], [0, -1, 1e-30, 0.5]]),
    "kl_div of logarithms": (
        lambda F, x, y: F.kl_div(x, y, reduction="none", log_target=True),
        [[0, 1, -2], [-2, 1, -100]],
    ),
    "l1_loss": (lambda F, x, y: F.l1_loss(x, y, reduction="none"), [[1, INF, NAN, -3], [1, 2, 3, INF]]),
    "smooth_l1_loss": (
        lambda F, x, y: F.smooth_l1_loss(x, y, reduction="none", beta=0.5),
        [[1, 0.5, 0, INF, NAN, 1e30], [1, 0, 0.5, 2, 3, 1]],
    ),
    "huber_loss": (
        lambda F, x, y: F.huber_loss(x, y, reduction="none", delta=0.5),
        [[1, 0.5, 0, INF, NAN, 1e30], [1, 0, 0.5, 2, 3, 1]],
    ),
    "hinge_embedding_loss": (
        lambda F, x, y: F.hinge_embedding_loss(x, y.detach(), reduction="none"),
        [[1, 2, 0.5, 0.5], [-1, -1, 0, 0.3]],
    ),
    "margin_ranking_loss": (
        lambda F, x, y: F.margin_ranking_loss(x, y, (y * 0 + 1).detach(), 1.0, reduction="none"),
        [[1, 2, 5], [0, 2, 1]],
    ),
    "poisson_nll_loss": (
        lambda F, x, y: F.poisson_nll_loss(x, y.detach(), full=True, reduction="none"),
        [[0, 1, 2, 3], [0, 1, 1.5, 20]],
    ),
    "gaussian_nll_loss": (
        lambda F, x, y: F.gaussian_nll_loss(x, x.detach() + 1, y, eps=0.5, reduction="none"),
        [[0, 1, 2], [0, 0.5, 3]],
    ),
    "triplet_margin_loss": (
        lambda F, x, y: F.triplet_margin_loss(x, x, y, p=2, reduction="none"),
        [[1, 2, 3], [1, 2, 3]],
    ),
}


@pytest.mark.parametrize("name", ENDS)
def test_losses_at_the_ends_are_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch")
    function, values = ENDS[name]
    found = []
    for lib in (tg, torch):
        x, y = (lib.tensor(v, dtype=lib.float64, requires_grad=True) for v in values)
        loss = function(lib.nn.functional, x, y)
        gradients = lib.autograd.grad(loss.sum(), [x, y], allow_unused=True)
        found.append([loss, *gradients])
    for ours, theirs in zip(*found):
        if ours is None or theirs is None:
            assert ours is theirs
        else:
            np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-8)


def ctc(lib: Any, **changed: Any) -> Any:
    given: dict[str, Any] = {"targets": [[1, 2], [3, 1]], "input_lengths": [5, 4], "target_lengths": [2, 1], **changed}
    log_probs = lib.tensor(np.random.default_rng(0).standard_normal((5, 2, 4))).log_softmax(2)
    lengths = [lib.tensor(given.pop(f"{name}_lengths")) for name in ("input", "target")]
    return lib.nn.CTCLoss(**{k: v for k, v in given.items() if k != "targets"})(
        log_probs, lib.tensor(given["targets"]), *lengths
    )


IMPOSSIBLE = {"targets": [[1, 1], [3, 1]], "input_lengths": [2, 4]}  # a blank is needed between the same labels


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("options", [{}, IMPOSSIBLE, {**IMPOSSIBLE, "zero_infinity": True}, {"input_lengths": [5, 0]}])
def test_what_ctc_finds_possible_is_pytorchs(options: dict[str, Any], reduction: str) -> None:
    torch = pytest.importorskip("torch")
    ours, theirs = (ctc(lib, reduction=reduction, **options) for lib in (tg, torch))
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-10)
    assert repr(nn.CTCLoss()) == repr(torch.nn.CTCLoss())


def test_an_impossible_ctc_loss_has_no_gradient_if_it_does_not_count() -> None:
    x = tg.randn(2, 1, 3, requires_grad=True)
    for zero_infinity, expected in ((True, 0.0), (False, NAN)):
        loss = nn.CTCLoss(zero_infinity=zero_infinity)(x.log_softmax(2), tg.tensor([[1, 1]]), [2], [2])
        (gradient,) = tg.autograd.grad(loss, x)
        np.testing.assert_array_equal(gradient.numpy(), np.full((2, 1, 3), expected, "float32"))


BAD: dict[str, tuple[Callable[[Any], Any], str]] = {
    "ctc's times": (lambda lib: ctc(lib, input_lengths=[6, 1]), "from 0 to 5.*6"),
    "ctc's lengths": (lambda lib: ctc(lib, input_lengths=[5, 1, 1]), "2 examples, 3 came"),
    "ctc's targets": (lambda lib: ctc(lib, target_lengths=[3, 1]), r"\(2, 2\).*\(2, 3\) or wider"),
    "ctc's row": (lambda lib: ctc(lib, targets=[1, 2]), r"\(2,\).*one row, \(3,\)"),
    "ctc's blank": (lambda lib: ctc(lib, blank=4), "0 to 3, 4 came"),
    "no probabilities": (lambda lib: lib.nn.BCELoss()(lib.tensor([1.5]), lib.ones(1)), "logits"),
    "NaN": (lambda lib: lib.nn.BCELoss()(lib.tensor([NAN]), lib.ones(1)), "probabilities"),
    "shapes of BCE": (lambda lib: lib.nn.BCELoss()(lib.ones(2), lib.ones(2, 1)), r"target has shape \(2, 1\)"),
    "beta": (lambda lib: lib.nn.functional.smooth_l1_loss(lib.ones(2), lib.ones(2), beta=-1.0), "beta.*-1"),
    "delta": (lambda lib: lib.nn.functional.huber_loss(lib.ones(2), lib.ones(2), delta=0.0), "delta.*0"),
    "l1's weight": (
        lambda lib: lib.nn.functional.l1_loss(lib.ones(2), lib.ones(2), weight=lib.ones(1)),
        r"weight has shape \(1,\)",
    ),
    "variances": (lambda lib: lib.nn.GaussianNLLLoss()(lib.ones(2), lib.ones(2), -lib.ones(2)), "negative, -1"),
    "shape of variances": (
        lambda lib: lib.nn.GaussianNLLLoss()(lib.ones(2, 3), lib.ones(2, 3), lib.ones(3)),
        r"var has shape \(3,\)",
    ),
    "margin": (lambda lib: lib.nn.TripletMarginLoss(margin=0.0), "margin must be above 0|greater than 0"),
    "p": (lambda lib: lib.nn.MultiMarginLoss(p=3), "p"),
    "class": (lambda lib: lib.nn.MultiMarginLoss()(lib.ones(2, 3), lib.tensor([0, 3])), "class 3.*0 to 2"),
    "class below": (lambda lib: lib.nn.MultiMarginLoss()(lib.ones(2, 3), lib.tensor([0, -1])), "class -1"),
    "label": (lambda lib: lib.nn.MultiLabelMarginLoss()(lib.ones(1, 3), lib.tensor([[0, 3, 0]])), "class 3.*0 to 2"),
    "labels of floats": (lambda lib: lib.nn.MultiLabelMarginLoss()(lib.ones(3), lib.ones(3)), "int64.*long"),
    "dims of ranks": (
        lambda lib: lib.nn.MarginRankingLoss()(lib.ones(2), lib.ones(2), lib.ones(2, 1)),
        r"target \(2, 1\)",
    ),
    "dims of angles": (
        lambda lib: lib.nn.CosineEmbeddingLoss()(lib.ones(3), lib.ones(2, 3), lib.tensor(1)),
        r"\(N, D\).*\(2, 3\)",
    ),
    "dims of triplets": (
        lambda lib: lib.nn.TripletMarginLoss()(lib.ones(2, 3), lib.ones(2, 3), lib.ones(3)),
        r"negative \(3,\)",
    ),
}


def test_a_label_out_of_range() -> None:
    with pytest.raises(IndexError, match="the class 9, there are 4"):
        ctc(tg, targets=[[1, 9], [3, 1]])


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_explained_and_raises_what_pytorch_raises(name: str) -> None:
    torch = pytest.importorskip("torch")
    call, message = BAD[name]
    with pytest.raises(Exception) as expected:
        call(torch)
    with pytest.raises(type(expected.value), match=f"(?s){message}") as found:
        call(tg)
    assert isinstance(found.value, TinygradError)


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
