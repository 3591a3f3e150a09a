"""Layers of normalisation, each built in both libraries and loaded with the same state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl import nn
from tinygrad_dl.errors import TinygradError

LAYERS: dict[str, tuple[Callable[[Any], Any], tuple[int, ...]]] = {
    "BatchNorm1d": (lambda nn: nn.BatchNorm1d(3), (4, 3)),
    "BatchNorm1d of lines": (lambda nn: nn.BatchNorm1d(3, eps=0.1, momentum=0.3), (4, 3, 2)),
    "BatchNorm2d": (lambda nn: nn.BatchNorm2d(3, momentum=None), (2, 3, 2, 2)),
    "BatchNorm3d": (lambda nn: nn.BatchNorm3d(3, affine=False), (2, 3, 2, 2, 1)),
    "BatchNorm2d without statistics": (lambda nn: nn.BatchNorm2d(3, track_running_stats=False), (2, 3, 2, 2)),
    "BatchNorm1d without bias": (lambda nn: nn.BatchNorm1d(3, bias=False), (4, 3)),
    "InstanceNorm1d": (lambda nn: nn.InstanceNorm1d(3), (2, 3, 4)),
    "InstanceNorm1d of one": (lambda nn: nn.InstanceNorm1d(3, affine=True), (3, 4)),
    "InstanceNorm2d": (lambda nn: nn.InstanceNorm2d(3, affine=True, track_running_stats=True), (2, 3, 2, 2)),
    "InstanceNorm3d": (lambda nn: nn.InstanceNorm3d(3, track_running_stats=True, momentum=0.5), (2, 3, 2, 2, 2)),
    "LayerNorm": (lambda nn: nn.LayerNorm(4), (2, 3, 4)),
    "LayerNorm of two dimensions": (lambda nn: nn.LayerNorm([3, 4], eps=0.1, bias=False), (2, 3, 4)),
    "LayerNorm without affine": (lambda nn: nn.LayerNorm((4,), elementwise_affine=False), (2, 4)),
    "RMSNorm": (lambda nn: nn.RMSNorm(4), (2, 3, 4)),
    "RMSNorm without affine": (lambda nn: nn.RMSNorm([3, 4], 0.1, elementwise_affine=False), (2, 3, 4)),
    "GroupNorm": (lambda nn: nn.GroupNorm(2, 4), (3, 4, 2, 2)),
    "GroupNorm without affine": (lambda nn: nn.GroupNorm(2, 4, affine=False), (3, 4, 3)),
    "LocalResponseNorm": (lambda nn: nn.LocalResponseNorm(2, alpha=1.0), (2, 4, 3, 2)),
}


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")


def pair(torch: Any, name: str, dtype: str) -> list[tuple[Any, Any]]:
    """The layer in both libraries, in the same state, which is not the one they start from."""
    make, _ = LAYERS[name]
    ours, theirs = make(nn).to(getattr(tg, dtype)), make(torch.nn).to(getattr(torch, dtype))
    draw = np.random.default_rng(0)
    state = {
        key: draw.uniform(0.5, 2, value.shape).astype(dtype) if value.ndim else np.array(3)
        for key, value in theirs.state_dict().items()
    }
    for lib, layer in ((tg, ours), (torch, theirs)):
        layer.load_state_dict({key: lib.tensor(value) for key, value in state.items()})
    return [(tg, ours), (torch, theirs)]


def numbers(shape: Any, seed: int, dtype: str = "float64") -> Any:
    return np.random.default_rng(seed).normal(size=tuple(shape)).astype(dtype)


def everything(lib: Any, layer: Any, shape: tuple[int, ...], dtype: str, orders: int) -> list[Any]:
    """Two outputs in training, the buffers, the output in use, and derivatives of all outputs."""
    x = lib.tensor(numbers(shape, 1, dtype), requires_grad=True)
    outputs = [layer(x), layer(x * 2)]
    buffers = [buffer.clone() for buffer in layer.buffers()]
    outputs.append(layer.eval()(x))
    layer.train()
    inputs = [x, *layer.parameters()]
    found = [*outputs, *buffers]
    loss = sum([(out * lib.tensor(numbers(out.shape, i, dtype))).sum() for i, out in enumerate(outputs)])
    for order in range(1, orders + 1):
        slopes = lib.autograd.grad(loss, inputs, create_graph=order < orders, allow_unused=True)
        found += [lib.zeros(1) if slope is None else slope for slope in slopes]
        loss = sum([(slope * slope).sum() for slope in slopes if slope is not None])
    return [value.detach().numpy() for value in found]


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize(("dtype", "close"), [("float64", 1e-9), ("float32", 1e-4), ("float16", 2e-2)])
def test_layers_are_pytorchs(torch: Any, name: str, dtype: str, close: float) -> None:
    if dtype == "float16" and name == "LocalResponseNorm":
        pytest.skip("PyTorch has no kernel for it")
    orders = 2 if dtype == "float64" else 1
    ours, theirs = [everything(lib, layer, LAYERS[name][1], dtype, orders) for lib, layer in pair(torch, name, dtype)]
    for a, b in zip(ours, theirs, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, close, close)


@pytest.mark.parametrize("name", LAYERS)
def test_layers_start_and_are_shown_as_pytorchs(torch: Any, name: str) -> None:
    ours, theirs = LAYERS[name][0](nn), LAYERS[name][0](torch.nn)
    assert repr(ours) == repr(theirs)
    state = ours.state_dict()
    assert list(state) == list(theirs.state_dict())
    for key, value in theirs.state_dict().items():
        assert str(state[key].dtype).rpartition(".")[2] == str(value.dtype).rpartition(".")[2]
        np.testing.assert_array_equal(state[key].numpy(), value.numpy())


def test_a_state_of_before_batches_were_counted_is_loaded() -> None:
    layer = nn.BatchNorm1d(2)
    layer.load_state_dict({key: tg.full((2,), 2.0) for key in ("weight", "bias", "running_mean", "running_var")})
    assert layer.running_mean.tolist() == [2, 2] and layer.num_batches_tracked.item() == 0


def test_running_statistics_are_edits_like_others() -> None:
    layer = nn.BatchNorm1d(2)
    old = layer.running_mean * tg.ones(2, requires_grad=True)  # saves running_mean
    layer(tg.ones(3, 2))
    with pytest.raises(RuntimeError, match="batch_norm"):
        old.sum().backward()


REFUSED: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "one value": (lambda lib, nn: nn.BatchNorm1d(3)(lib.ones(1, 3)), r"one value per channel .*\(1, 3\).*eval"),
    "one value of an instance": (lambda lib, nn: nn.InstanceNorm1d(3)(lib.ones(2, 3, 1)), "one value per sample"),
    "one value of a group": (lambda lib, nn: nn.GroupNorm(3, 3)(lib.ones(1, 3)), "one value per group"),
    "dimensions": (lambda lib, nn: nn.BatchNorm2d(3)(lib.ones(2, 3)), r"BatchNorm2d\(3\): .*4 dimensions.*\(2, 3\)"),
    "channels": (lambda lib, nn: nn.BatchNorm1d(3)(lib.ones(2, 4)), r"running_mean has shape \(3,\).* 4 channels"),
    "channels of an instance": (
        lambda lib, nn: nn.InstanceNorm1d(3, affine=True)(lib.ones(2, 4, 5)),
        r"InstanceNorm1d\(3\).*\(2, 4, 5\) has 4 channels",
    ),
    "shape": (lambda lib, nn: nn.LayerNorm(3)(lib.ones(2, 4)), r"layer_norm: normalized_shape is \(3,\).*\(2, 4\)"),
    "groups": (lambda lib, nn: nn.GroupNorm(3, 4), "num_channels 4 is not divisible by num_groups 3"),
    "channels of groups": (lambda lib, nn: nn.GroupNorm(2, 4)(lib.ones(2, 6)), r"weight has shape \(4,\).*\(6,\)"),
    "integers": (lambda lib, nn: nn.LayerNorm(3)(lib.ones(2, 3).long()), r"layer_norm: floating .*int64.* \(2, 3\)"),
    "another dtype": (lambda lib, nn: nn.LayerNorm(3)(lib.ones(2, 3).double()), "weight is .*float32.*layer.to"),
    "no running statistics": (
        lambda lib, nn: nn.functional.batch_norm(lib.ones(2, 3), None, None),
        "running_mean and running_var are needed",
    ),
    "half of them": (
        lambda lib, nn: nn.functional.batch_norm(lib.ones(2, 3), lib.ones(3), None, training=True),
        "come together",
    ),
    "learnt statistics": (
        lambda lib, nn: nn.functional.batch_norm(lib.ones(2, 3), lib.ones(3, requires_grad=True), lib.ones(3)),
        "running_mean can't require grad",
    ),
    "negative eps": (
        lambda lib, nn: nn.functional.batch_norm(lib.ones(2, 3), lib.ones(3), lib.ones(3), eps=-1.0),
        "can't be negative",
    ),
    "an integer for a shape": (
        lambda lib, nn: nn.functional.layer_norm(lib.ones(2, 3), 3),
        r"tuple of integers, 3 came",
    ),
    "no shape": (lambda lib, nn: nn.functional.rms_norm(lib.ones(2, 3), ()), "at least one dimension"),
    "a vector": (lambda lib, nn: nn.functional.batch_norm(lib.ones(3), None, None, training=True), r"\(N, C, \*\)"),
    "maps of no batch": (
        lambda lib, nn: nn.CrossMapLRN2d(2)(lib.ones(3, 2, 2)),
        r"CrossMapLRN2d: .*\(N, C, H, W\).*\(3, 2, 2\)",
    ),
    "maps of integers": (lambda lib, nn: nn.CrossMapLRN2d(2)(lib.ones(1, 3, 2, 2).long()), "CrossMapLRN2d: .*int64"),
    "a vector in groups": (lambda lib, nn: nn.functional.group_norm(lib.ones(4), 2), r"\(N, C, \*\)"),
    "a matrix": (lambda lib, nn: nn.LocalResponseNorm(2)(lib.ones(2, 3)), r"\(N, C, L, \*\)"),
    "size 0": (lambda lib, nn: nn.LocalResponseNorm(0)(lib.ones(2, 3, 4)), "size, .* at least 1, 0"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_and_where(torch: Any, name: str) -> None:
    call, message = REFUSED[name]
    with pytest.raises(Exception) as theirs:
        call(torch, torch.nn)
    with pytest.raises(type(theirs.value), match=message) as ours:
        call(tg, nn)
    assert isinstance(ours.value, TinygradError)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("shape", [(2, 6, 2, 3), (1, 1, 2, 2), (2, 2, 1, 1), (0, 3, 2, 2)])
def test_maps_are_normalised_across_as_pytorch_does(torch: Any, size: int, shape: tuple[int, ...]) -> None:
    """PyTorch's backward is not the derivative (it is shifted by a channel): ours is compared with numbers."""
    values = numbers(shape, size)
    ours, theirs = (lib.nn.CrossMapLRN2d(size, alpha=0.5, beta=0.6, k=1.5) for lib in (tg, torch))
    assert repr(ours) == repr(theirs) and ours.state_dict() == theirs.state_dict() == {}
    x = tg.tensor(values)
    np.testing.assert_allclose(ours(x).numpy(), theirs(torch.tensor(values)).numpy(), rtol=1e-12)
    assert tg.autograd.gradcheck(ours, (x.requires_grad_(),)) and tg.autograd.gradgradcheck(ours, (x,))


def test_maps_across_need_a_size_and_channels() -> None:
    with pytest.raises(ValueError, match="size, a number of channels, must be at least 1, 0 came"):
        nn.CrossMapLRN2d(0)(tg.ones(1, 2, 2, 2))
    with pytest.raises(ValueError, match="at least one channel"):
        nn.CrossMapLRN2d(3)(tg.ones(1, 0, 2, 2))


def test_statistics_of_several_processes_are_refused() -> None:
    for make in (lambda: nn.SyncBatchNorm(3), lambda: nn.SyncBatchNorm.convert_sync_batchnorm(nn.BatchNorm1d(3))):
        with pytest.raises(NotImplementedError, match="BatchNorm1d, BatchNorm2d and BatchNorm3d do the same"):
            make()


def test_channels_that_do_not_matter_only_warn() -> None:
    with pytest.warns(UserWarning, match="4 channels; without affine any number will do"):
        assert nn.InstanceNorm1d(3)(tg.ones(2, 4, 5)).shape == (2, 4, 5)


LAZY: dict[str, tuple[Callable[[Any], Any], tuple[int, ...]]] = {
    "LazyBatchNorm1d": (lambda nn: nn.LazyBatchNorm1d(eps=0.1), (4, 3)),
    "LazyBatchNorm2d": (lambda nn: nn.LazyBatchNorm2d(affine=False), (2, 3, 2, 2)),
    "LazyBatchNorm3d": (lambda nn: nn.LazyBatchNorm3d(track_running_stats=False), (2, 3, 2, 2, 1)),
    "LazyInstanceNorm1d": (lambda nn: nn.LazyInstanceNorm1d(momentum=0.5), (2, 3, 4)),
    "LazyInstanceNorm2d": (lambda nn: nn.LazyInstanceNorm2d(track_running_stats=False), (2, 3, 2, 2)),
    "LazyInstanceNorm3d": (lambda nn: nn.LazyInstanceNorm3d(bias=False), (2, 3, 2, 2, 2)),
}


@pytest.mark.parametrize("name", LAZY)
def test_lazy_layers_become_pytorchs(torch: Any, name: str) -> None:
    make, shape = LAZY[name]
    ours, theirs = make(nn), make(torch.nn)
    values = numbers(shape, 1, "float32")
    np.testing.assert_allclose(
        ours(tg.tensor(values)).detach(), theirs(torch.tensor(values)).detach(), rtol=1e-4, atol=1e-6
    )
    assert type(ours) is getattr(nn, name.removeprefix("Lazy")) and repr(ours) == repr(theirs)
    assert [(key, tuple(value.shape)) for key, value in ours.state_dict().items()] == [
        (key, tuple(value.shape)) for key, value in theirs.state_dict().items()
    ]


def test_a_lazy_layer_takes_a_state() -> None:
    lazy, known = nn.LazyBatchNorm1d(), nn.BatchNorm1d(3)
    known(tg.randn(5, 3))
    state = known.state_dict()
    del state["num_batches_tracked"]
    lazy.load_state_dict(dict(state))  # of before batches were counted
    assert (lazy.running_mean == known.running_mean).all()
    assert lazy.eval()(tg.ones(2, 3)).tolist() == known.eval()(tg.ones(2, 3)).tolist()


def test_a_lazy_layer_of_one_sample_counts_its_channels() -> None:
    layer = nn.LazyInstanceNorm1d()
    assert layer(tg.randn(3, 5)).shape == (3, 5) and layer.num_features == 3


def test_a_lazy_layer_refuses_other_dimensions_and_stays_lazy() -> None:
    layer = nn.LazyBatchNorm2d()
    with pytest.raises(ValueError, match=r"LazyBatchNorm2d\(0\): .*4 dimensions.*\(2, 3\)"):
        layer(tg.ones(2, 3))
    assert layer(tg.randn(2, 3, 4, 4)).shape == (2, 3, 4, 4)
