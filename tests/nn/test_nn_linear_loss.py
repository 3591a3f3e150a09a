"""`linear_cross_entropy` and its layer, whole and a few rows at a time, against PyTorch's."""

from __future__ import annotations

import copy
import pickle
import tracemalloc
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl import nn
from tinygrad_dl.errors import TinygradError

N, E, C = 7, 3, 5


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")


def drawn(lib: Any, *shape: int, seed: int = 0) -> Any:
    return lib.tensor(np.random.default_rng(seed).standard_normal(shape) * 3, requires_grad=True)


def classes(lib: Any, *shape: int) -> Any:
    found = np.random.default_rng(1).integers(0, C, shape)
    if found.size > 2:
        found.flat[[1, 2]] = -100, 2
    return lib.tensor(found)


def everything(lib: Any, loss: Any, wanted: list[Any], orders: int) -> list[Any]:
    """The loss and its derivatives, of which a walk may be repeated."""
    found, scalar = [loss], (loss * loss.detach().cos()).sum()
    for order in range(1, orders + 1):
        slopes = lib.autograd.grad(scalar, wanted, create_graph=order < orders, retain_graph=True)
        found += slopes
        scalar = sum((slope * slope).sum() for slope in slopes)
    return [x.detach().numpy() for x in found]


SHAPES: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "rows": ((N, E), (C, E)),
    "one": ((E,), (C, E)),
    "several dimensions": ((N, E), (C, 2, 4, E)),
    "a row": ((1, E), (C, E)),
}
HOW: dict[str, dict[str, Any]] = {
    "plain": {},
    "weights": {"weight": [0.5, 1.0, 2.0, 0.0, 1.5]},
    "sum": {"reduction": "sum", "ignore_index": 2},
    "each": {"reduction": "none", "weight": [0.5, 1.0, 2.0, 0.0, 1.5]},
    "smooth": {"label_smoothing": 0.2},
    "probabilities": {"label_smoothing": 0.1, "reduction": "mean"},
}


def called(lib: Any, name: str, how: str, bias: bool, options: Any) -> tuple[Any, list[Any]]:
    of_input, of_weight = SHAPES[name]
    x, w = drawn(lib, *of_input), drawn(lib, *of_weight, seed=1)
    given = {key: lib.tensor(v, dtype=lib.float64) if key == "weight" else v for key, v in HOW[how].items()}
    target = classes(lib, *of_input[:-1], *of_weight[1:-1])
    if how == "sum":
        target = target.clamp(0)
    if how == "probabilities":
        target = drawn(lib, *of_input[:-1], C, *of_weight[1:-1]).detach().softmax(len(of_input) - 1)
    b = drawn(lib, *of_weight[:-1], seed=2) if bias else None
    loss = lib.nn.functional.linear_cross_entropy(x, w, target, linear_bias=b, options=options, **given)
    return loss, [x, w, b] if bias else [x, w]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("name", SHAPES)
def test_losses_agree_with_pytorch(torch: Any, name: str, how: str, bias: bool) -> None:
    ours, theirs = (everything(lib, *called(lib, name, how, bias, None), 2) for lib in (tg, torch))
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("how", ["plain", "weights", "sum", "each"])
@pytest.mark.parametrize("name", ["rows", "one", "a row"])
def test_parts_agree_with_the_whole_and_with_pytorchs_parts(torch: Any, name: str, how: str, bias: bool) -> None:
    """PyTorch's parts have first derivatives only; ours are compared with the whole for the second ones."""
    whole = everything(tg, *called(tg, name, how, bias, None), 2)
    for given in ({"batch_chunk_size": 2}, {"batch_chunk_size": 100}, {"chunking_method": "aspect_ratio:2"}, {}):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            parts = everything(tg, *called(tg, name, how, bias, nn.LinearCrossEntropyOptions(**given)), 2)
        for a, b in zip(parts, whole, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)
        options = torch.nn.LinearCrossEntropyOptions(**given, allow_retain_graph=True)
        theirs = everything(torch, *called(torch, name, how, bias, options), 1)
        for a, b in zip(parts, theirs):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "how"), [("several dimensions", "plain"), ("rows", "smooth"), ("rows", "probabilities")]
)
def test_options_are_left_aside_with_a_warning(torch: Any, name: str, how: str) -> None:
    found = []
    for lib in (tg, torch):
        with pytest.warns(UserWarning, match="options"):
            found.append(called(lib, name, how, True, lib.nn.LinearCrossEntropyOptions())[0].item())
    assert found[0] == pytest.approx(found[1])


@pytest.mark.parametrize("count", [1, 2, 7, 64, 1000, 4097])
@pytest.mark.parametrize(("width", "classes"), [(3, 5), (8, 8), (64, 50000), (64, 100), (7, 3)])
def test_parts_are_as_large_as_pytorchs(torch: Any, count: int, width: int, classes: int) -> None:
    for given in (
        {"chunking_method": "aspect_ratio"},
        {"chunking_method": "aspect_ratio:3"},
        {"chunking_method": "aspect_ratio:2"},
        {"batch_chunk_size": 5},
        {"chunking_method": None},
        {"batch_chunk_size": 9, "chunking_method": None},
    ):
        ours, theirs = (lib.nn.LinearCrossEntropyOptions(**given) for lib in (tg, torch))
        wanted = theirs._adjust(count, width, classes, torch.float32).batch_chunk_size
        assert ours.rows(count, width, classes) == wanted, given
        assert repr(ours) == repr(theirs)
    automatic = nn.LinearCrossEntropyOptions().rows(count, width, classes)
    assert automatic == nn.LinearCrossEntropyOptions(chunking_method="aspect_ratio:2").rows(count, width, classes)


def test_logits_are_there_a_few_rows_at_a_time() -> None:
    x, w = tg.randn(512, 16, requires_grad=True), tg.randn(4000, 16, requires_grad=True)
    target, whole = tg.randint(0, 4000, (512,)), 512 * 4000 * 4
    options = nn.LinearCrossEntropyOptions(batch_chunk_size=16)
    tracemalloc.start()
    try:
        nn.functional.linear_cross_entropy(x, w, target, options=options).backward()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < whole / 4


def test_half_precision_sums_in_float32(torch: Any) -> None:
    found = []
    for lib in (tg, torch):
        x, w = (drawn(lib, *shape).detach().half().requires_grad_() for shape in ((300, 40), (60, 40)))
        target = lib.tensor(np.random.default_rng(3).integers(0, 60, 300))
        options = lib.nn.LinearCrossEntropyOptions(batch_chunk_size=16, acc_dtype=lib.float32)
        loss = lib.nn.functional.linear_cross_entropy(x, w, target, options=options)
        loss.backward()
        found.append([v.detach().float().numpy() for v in (loss, x.grad, w.grad)])
        assert loss.dtype == x.grad.dtype == w.grad.dtype == lib.float16
    for a, b in zip(*found):
        np.testing.assert_allclose(a, b, rtol=5e-3, atol=2e-4)


@pytest.mark.parametrize("options", [{}, {"batch_chunk_size": 2}])
def test_nothing_to_average_is_nan(torch: Any, options: dict[str, Any]) -> None:
    for lib in (tg, torch):
        chosen = lib.nn.LinearCrossEntropyOptions(**options) if options else None
        x, w, ignored = lib.ones(4, E, requires_grad=True), lib.ones(C, E), lib.full((4,), -100)
        assert lib.nn.functional.linear_cross_entropy(x, w, ignored, options=chosen).isnan()
        assert lib.nn.functional.linear_cross_entropy(x[:0], w, ignored[:0], options=chosen).isnan()
        assert lib.nn.functional.linear_cross_entropy(x, w, ignored, options=chosen, reduction="sum").item() == 0


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_what_is_ignored_may_be_anything(torch: Any, reduction: str) -> None:
    x = np.random.default_rng(0).standard_normal((4, E))
    x[1] = np.nan
    found = []
    for lib, options in ((tg, nn.LinearCrossEntropyOptions()), (tg, None), (torch, None)):
        target = lib.tensor([0, -100, 2, 3])
        w = drawn(lib, C, E)
        loss = lib.nn.functional.linear_cross_entropy(lib.tensor(x), w, target, reduction=reduction, options=options)
        found.append(loss.item())
    assert found[0] == pytest.approx(found[2]) and found[1] == pytest.approx(found[2])


LAYERS: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    "plain": ({}, (N,)),
    "bias": ({"bias": True, "ignore_index": 2}, (N,)),
    "several dimensions": ({"bias": True, "out_features": (2, 4)}, (N, 2, 4)),
    "everything": ({"bias": True, "reduction": "sum", "label_smoothing": 0.1, "ignore_index": 1}, (N,)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_agree_with_pytorch(torch: Any, name: str) -> None:
    options, shape = LAYERS[name]
    layers = [
        lib.nn.LinearCrossEntropyLoss(E, C, dtype=lib.float64, weight=lib.arange(1.0, C + 1).double(), **options)
        for lib in (tg, torch)
    ]
    ours, theirs = layers
    assert repr(ours) == repr(theirs) and list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict({key: tg.tensor(value.numpy()) for key, value in theirs.state_dict().items()})
    found = []
    for lib, layer in zip((tg, torch), layers):
        x = drawn(lib, N, E)
        loss = layer(x, classes(lib, *shape).clamp(0))
        found.append(everything(lib, loss, [x, *layer.parameters()], 2))
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


def test_a_layer_with_options_is_copied_and_shown() -> None:
    layer = nn.LinearCrossEntropyLoss(E, C, options=nn.LinearCrossEntropyOptions(batch_chunk_size=2))
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert twin.options == layer.options and repr(twin) == repr(layer)
    assert "options=LinearCrossEntropyOptions(allow_retain_graph=False, batch_chunk_size=2" in repr(layer)


def loss_of(**changed: Any) -> Callable[[Any], Any]:
    def run(lib: Any) -> Any:
        given = {key: value(lib) if callable(value) else value for key, value in changed.items()}
        given = {"input": lib.ones(N, E), "linear_weight": lib.ones(C, E), "target": lib.zeros(N).long(), **given}
        return lib.nn.functional.linear_cross_entropy(**given)

    return run


def parts(**given: Any) -> Callable[[Any], Any]:
    return lambda lib: lib.nn.LinearCrossEntropyOptions(
        **{key: getattr(lib, value) if key == "acc_dtype" else value for key, value in given.items()}
    )


BAD: dict[str, tuple[Callable[[Any], Any], str]] = {
    "width": (loss_of(linear_weight=lambda lib: lib.ones(C, 2)), r"\(N, E\).*\(7, 3\).*\(5, 2\)"),
    "dimensions": (loss_of(input=lambda lib: lib.ones(1, N, E)), r"\(1, 7, 3\)"),
    "a vector of weights": (loss_of(linear_weight=lambda lib: lib.ones(E)), r"linear_weight \(C, ..., E\)"),
    "one of several dimensions": (
        loss_of(input=lambda lib: lib.ones(E), linear_weight=lambda lib: lib.ones(C, 2, E)),
        "several dimensions needs an input",
    ),
    "bias": (loss_of(linear_bias=lambda lib: lib.ones(3)), r"linear_bias has shape \(3,\), it must be \(5,\)"),
    "dtype": (loss_of(linear_weight=lambda lib: lib.ones(C, E).double()), "one dtype; input .*float32.*float64"),
    "targets": (loss_of(target=lambda lib: lib.zeros(4).long()), r"target has shape \(4,\)"),
    "targets in parts": (
        loss_of(target=lambda lib: lib.zeros(4).long(), options=parts(batch_chunk_size=2)),
        r"target has shape \(4,\), it must be \(7,\)",
    ),
    "a class": (loss_of(target=lambda lib: lib.full((N,), C)), "the class 5"),
    "a class in parts": (loss_of(target=lambda lib: lib.full((N,), C), options=parts()), "the class 5"),
    "weights": (loss_of(weight=lambda lib: lib.ones(2)), r"weight has shape \(2,\)"),
    "reduction": (loss_of(reduction="x"), "reduction is .* not 'x'"),
    "ignored probabilities": (
        loss_of(target=lambda lib: lib.ones(N, C), ignore_index=1),
        "ignore_index is a class, and target holds probabilities",
    ),
    "smoothing": (loss_of(label_smoothing=2.0), "label_smoothing"),
    "two sizes": (loss_of(options=parts(batch_chunk_size=3, chunking_method="aspect_ratio")), "3 and .* disagree"),
    "sums": (loss_of(options=parts(acc_dtype="float64")), "acc_dtype .*float64 does not go with .*float32"),
    "no rows": (parts(batch_chunk_size=0), "batch_chunk_size is .* not 0"),
    "half a row": (parts(batch_chunk_size=2.5), r"batch_chunk_size is .* not 2\.5"),
    "method": (parts(chunking_method="aspect_ratio:0"), "chunking_method is .* not 'aspect_ratio:0'"),
    "policy": (parts(acc_policy="x"), "acc_policy is .* not 'x'"),
    "integers": (parts(acc_dtype="int32"), "acc_dtype is None, float16"),
    "smooth layer": (lambda lib: lib.nn.LinearCrossEntropyLoss(3, 4, label_smoothing=2.0), "between 0 and 1, 2.0"),
    "weights of a layer": (
        lambda lib: lib.nn.LinearCrossEntropyLoss(3, 4, weight=lib.ones(3)),
        r"weight must have shape \(4,\), \(3,\) came",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_explained(torch: Any, name: str) -> None:
    run, message = BAD[name]
    with pytest.raises((RuntimeError, ValueError, IndexError)) as theirs:
        run(torch)
    with pytest.raises(TinygradError, match=message) as ours:
        run(tg)
    assert isinstance(ours.value, type(theirs.value))


def test_options_are_options() -> None:
    with pytest.raises(TypeError, match="options are LinearCrossEntropyOptions, not int"):
        loss_of(options=3)(tg)
