"""Convolutions, pooling, padding and resizing as layers, side by side with PyTorch's; and lazy layers."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl import nn
from tinygrad_dl.nn.lazy import LazyModuleMixin, UninitializedError

Make = Callable[[Any], Any]


def plane(dims: int, size: int = 5) -> tuple[int, ...]:
    """Different sizes, so that exchanged dimensions show."""
    return tuple(range(size, size + dims))


def samples(dims: int, channels: int = 4, size: int = 5) -> list[tuple[int, ...]]:
    """Shapes with and without a batch."""
    return [(2, channels, *plane(dims, size)), (channels, *plane(dims, size))]


def layer(name: str, *args: Any, **options: Any) -> Make:
    return lambda lib: getattr(lib.nn, name)(*args, **options)


def convolutions() -> dict[str, tuple[Make, list[tuple[int, ...]]]]:
    found = {}
    for dims in (1, 2, 3):
        shapes = [*samples(dims), (0, 4, *plane(dims))]
        for args, options in (
            ((4, 3, 3), {}),
            ((4, 6, 2, 2, 1), {"bias": False}),
            ((4, 6, (2,) * dims, 1, "same"), {"dilation": 2, "groups": 2}),
            ((4, 2, 3), {"padding": "valid", "padding_mode": "circular"}),
            ((4, 4, 3), {"padding": 1, "padding_mode": "reflect", "groups": 4}),
            ((4, 2, 2), {"padding": "same", "padding_mode": "replicate"}),
            ((4, 2, 3), {"padding": tuple(range(dims)), "padding_mode": "circular", "stride": 2}),
        ):
            name = f"Conv{dims}d"
            used = shapes if options.keys().isdisjoint({"padding_mode", "bias"}) else shapes[:2]
            found[f"{name}{args} {options}"] = (layer(name, *args, **options), used)
        for args, options in (
            ((4, 3, 3), {}),
            ((4, 6, 3, 2, 1, 1), {"groups": 2, "bias": False}),
            ((4, 2, 2), {"stride": 2, "dilation": 3, "output_padding": 2}),
        ):
            name = f"ConvTranspose{dims}d"
            used = shapes[:2] if "bias" in options else shapes  # without one PyTorch's gradient of nothing has no graph
            found[f"{name}{args} {options}"] = (layer(name, *args, **options), used)
    return found


def poolings() -> dict[str, tuple[Make, list[tuple[int, ...]]]]:
    found = {}
    for dims in (1, 2, 3):
        for kind, args, options in (
            ("MaxPool", (2,), {}),
            ("MaxPool", (3, 2, 1), {"ceil_mode": True}),
            ("MaxPool", (2, 1), {"dilation": 2}),
            ("AvgPool", (2,), {}),
            ("AvgPool", (3, 2, 1), {"ceil_mode": True, "count_include_pad": False}),
            ("LPPool", (2, 3), {}),
            ("LPPool", (3.0, 2, 1), {"ceil_mode": True}),
            ("AdaptiveMaxPool", (3,), {}),
            ("AdaptiveAvgPool", (3,), {}),
            ("AdaptiveAvgPool", (1,), {}),
            *([("AvgPool", (2,), {"divisor_override": 3})] if dims > 1 else []),
            *([("AdaptiveAvgPool", ((2, *[None] * (dims - 1)),), {})] if dims > 1 else []),
        ):
            name = f"{kind}{dims}d"
            positive = "abs" if kind == "LPPool" else ""  # of negative numbers roots have no derivative
            make = layer(name, *args, **options)
            found[f"{name}{args} {options}{positive}"] = (make, samples(dims))
    return found


def others() -> dict[str, tuple[Make, list[tuple[int, ...]]]]:
    found: dict[str, tuple[Make, list[tuple[int, ...]]]] = {}
    for dims, kind in product((1, 2, 3), ("ConstantPad", "ZeroPad", "ReflectionPad", "ReplicationPad", "CircularPad")):
        for padding in (1, tuple(range(2 * dims))[::-1] if dims == 1 else (2, 1, 0, 1, 1, 2)[: 2 * dims]):
            args = (padding, 2.5) if kind == "ConstantPad" else (padding,)
            found[f"{kind}{dims}d{args}"] = (layer(f"{kind}{dims}d", *args), samples(dims))
    found["ZeroPad2d that crops"] = (layer("ZeroPad2d", (-1, 2, 0, -1)), samples(2))
    found["PixelShuffle"] = (layer("PixelShuffle", 2), samples(2))
    found["PixelUnshuffle"] = (layer("PixelUnshuffle", 2), [(1, 2, 4, 6)])
    found["ChannelShuffle"] = (layer("ChannelShuffle", 2), [(2, 4, 3, 3)])
    for mode in ("nearest", "bilinear", "bicubic", "area"):
        found[f"Upsample to a size, {mode}"] = (layer("Upsample", (7, 3), mode=mode), samples(2)[:1])
    found["Upsample by factors"] = (
        layer("Upsample", scale_factor=(1.5, 2), mode="bilinear", align_corners=True),
        samples(2)[:1],
    )
    found["Upsample linear"] = (layer("Upsample", scale_factor=2, mode="linear"), samples(1)[:1])
    found["Upsample trilinear"] = (
        layer("Upsample", scale_factor=1.3, mode="trilinear", recompute_scale_factor=True),
        samples(3)[:1],
    )
    found["UpsamplingNearest2d"] = (layer("UpsamplingNearest2d", scale_factor=2), samples(2)[:1])
    found["UpsamplingBilinear2d"] = (layer("UpsamplingBilinear2d", size=(7, 3)), samples(2)[:1])
    found["Upsample much"] = (layer("Upsample", (70, 110), mode="bicubic"), [(1, 1, 40, 36)])
    found["Upsample to fewer"] = (layer("Upsample", 40, mode="linear"), [(2, 1, 101)])
    found["Unfold"] = (layer("Unfold", (2, 3), padding=1, stride=2), samples(2))
    found["Fold"] = (layer("Fold", (3, 4), 2), [(2, 8, 6), (8, 6)])
    return found


LAYERS = {**convolutions(), **poolings(), **others()}


def drawn(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Distinct numbers of either sign; zeros don't occur."""
    count = int(np.prod(shape))
    numbers = np.random.default_rng(seed).permutation(count) - count / 2 + 0.25
    return numbers.reshape(shape) / max(count, 1) * 3


def both(make: Make, torch: Any) -> tuple[Any, Any]:
    """The layer in either library in float64, PyTorch's state loaded into ours."""
    ours, theirs = make(tg).double(), make(torch).double()
    ours.load_state_dict({key: tg.tensor(value.numpy()) for key, value in theirs.state_dict().items()})
    assert list(ours.state_dict()) == list(theirs.state_dict())
    return ours, theirs


def derivatives(lib: Any, module: Any, x: np.ndarray) -> list[np.ndarray]:
    """Output, gradients, and the gradients of a gradient penalty."""
    input = lib.tensor(x, requires_grad=True)
    out = module(input)
    wanted = [input, *module.parameters()]
    first = lib.autograd.grad((lib.tensor(drawn(tuple(out.shape), 1)) * out**2).sum(), wanted, create_graph=True)
    penalty = sum((gradient**2).sum() for gradient in first)
    second = lib.autograd.grad(penalty, wanted)
    return [t.detach().numpy() for t in (out, *first, *second)]


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch")


@pytest.mark.parametrize("name", LAYERS)
def test_layers_and_both_derivatives_are_pytorchs(torch: Any, name: str) -> None:
    make, shapes = LAYERS[name]
    ours, theirs = both(make, torch)
    assert repr(ours) == repr(theirs)
    for shape in shapes:
        x = np.abs(drawn(shape, 0)) if name.endswith("abs") else drawn(shape, 0)
        for found, wanted in zip(derivatives(tg, ours, x), derivatives(torch, theirs, x), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", [name for name in LAYERS if "Conv" in name])
def test_initial_values_are_distributed_as_pytorchs(torch: Any, name: str) -> None:
    """Uniform in the same bounds: no value outside, and the widest of many near them."""
    ours, theirs = LAYERS[name][0](tg), LAYERS[name][0](torch)
    for (key, mine), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        bound = 1 / np.sqrt(np.prod(theirs.weight.shape[1:]))
        assert mine.shape == tuple(other.shape) and mine.abs().max().item() <= bound, key
        assert mine.numel() < 20 or mine.abs().max().item() > 0.7 * bound, key


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_unpooling_undoes_pooling(torch: Any, dims: int) -> None:
    results = []
    for lib in (tg, torch):
        x = lib.tensor(drawn((2, 3, *plane(dims)), 0), requires_grad=True)
        y, places = getattr(lib.nn, f"MaxPool{dims}d")(2, return_indices=True)(x)
        module = getattr(lib.nn, f"MaxUnpool{dims}d")(2)
        out = module(y, places, output_size=tuple(x.shape))
        (gradient,) = lib.autograd.grad((out**3).sum(), x)
        results.append((repr(module), out.detach().numpy(), gradient.numpy()))
        pooled, at = getattr(lib.nn, f"AdaptiveMaxPool{dims}d")(2, return_indices=True)(x)
        results[-1] += (pooled.detach().numpy(), at.numpy())
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("options", [{"output_size": 5}, {"output_ratio": 0.5}, {"output_size": 1}], ids=str)
def test_fractional_pooling_of_the_same_draws(torch: Any, dims: int, options: dict[str, Any]) -> None:
    draws = np.random.default_rng(0).random((2, 3, dims))
    for shape in ((2, 3, *plane(dims, 12)), (3, *plane(dims, 12))):
        results = []
        for lib in (tg, torch):
            x = lib.tensor(drawn(shape, 0), requires_grad=True)
            samples = lib.tensor(draws[: len(shape) - dims])
            samples = samples if len(shape) == dims + 2 else samples[:1]
            module = getattr(lib.nn, f"FractionalMaxPool{dims}d")(
                2, **options, return_indices=True, _random_samples=samples
            )
            out, places = module(x)
            (gradient,) = lib.autograd.grad((out**3).sum(), x)
            results.append((repr(module), out.detach().numpy(), places.numpy(), gradient.numpy()))
        for ours, theirs in zip(*results, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_fractional_pooling_draws_its_windows() -> None:
    tg.manual_seed(0)
    x = tg.tensor(drawn((1, 50, 9, 9), 0))
    first, second = (nn.functional.fractional_max_pool2d(x, 2, 5) for _ in range(2))
    assert first.shape == (1, 50, 5, 5) and not first.equal(second)
    assert (first[:, :, -1, -1] == x[:, :, -2:, -2:].amax((2, 3))).all(), "the last window ends at the edge"


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_output_size_chooses_the_size(torch: Any, dims: int) -> None:
    ours, theirs = both(layer(f"ConvTranspose{dims}d", 4, 2, 3, stride=3, padding=1), torch)
    x = drawn((2, 4, *plane(dims, 3)), 0)
    for more in (0, 1, 2):
        size = tuple(3 * n - 2 + more for n in plane(dims, 3))
        out = ours(tg.tensor(x), output_size=size)
        np.testing.assert_allclose(out.tolist(), theirs(torch.tensor(x), output_size=size).tolist(), atol=1e-12)
    too_large = tuple(3 * n + 1 for n in plane(dims, 3))
    for wrong in (too_large, (1,) * dims, (1,) * (dims + 3)):
        with pytest.raises(ValueError):
            theirs(torch.tensor(x), output_size=wrong)
        with pytest.raises(tg.errors.ShapeError, match=f"ConvTranspose{dims}d: output_size"):
            ours(tg.tensor(x), output_size=wrong)


def test_wide_columns_are_laid_out_in_parts(torch: Any) -> None:
    """Windows that don't fit the buffer: of many samples, and of one sample with several rows at a time."""
    for args, shape in (((8, 5, 3, 1, 1), (3, 8, 130, 140)), ((4, 3, (5, 2), (1, 2)), (40, 4, 40, 50))):
        ours, theirs = both(layer("Conv2d", *args), torch)
        for found, wanted in zip(*[derivatives(lib, m, drawn(shape, 0)) for lib, m in ((tg, ours), (torch, theirs))]):
            np.testing.assert_allclose(found, wanted, rtol=1e-7, atol=1e-7 * np.abs(wanted).max())


def test_layers_take_float16(torch: Any) -> None:
    for make in (layer("Conv2d", 4, 3, 3), layer("ConvTranspose2d", 4, 3, 3, 2), layer("AvgPool2d", 2)):
        ours, theirs = both(make, torch)
        x = drawn((2, 4, 5, 6), 0)
        out = ours.half()(tg.tensor(x).half())
        assert out.dtype == tg.float16
        wanted = theirs.half()(torch.tensor(x).half()).float().detach().numpy()
        np.testing.assert_allclose(out.float().detach().numpy(), wanted, rtol=1e-2, atol=1e-2)


# --- layers that find out their shapes

LAZY: dict[str, tuple[Make, tuple[int, ...]]] = {
    "LazyLinear": (layer("LazyLinear", 3), (2, 5)),
    "LazyLinear without bias": (layer("LazyLinear", 3, bias=False), (5,)),
    **{f"LazyConv{d}d": (layer(f"LazyConv{d}d", 4, 2, groups=2), (2, 4, *plane(d))) for d in (1, 2, 3)},
    **{
        f"LazyConvTranspose{d}d": (layer(f"LazyConvTranspose{d}d", 4, 2, bias=False, groups=2), (4, *plane(d)))
        for d in (1, 2, 3)
    },
}


@pytest.mark.parametrize("name", LAZY)
def test_lazy_layers_become_ordinary_ones(torch: Any, name: str) -> None:
    make, shape = LAZY[name]
    ours, theirs = make(tg).double(), make(torch).double()
    assert repr(ours) == repr(theirs) and repr(ours.weight) == repr(theirs.weight) == "<UninitializedParameter>"
    held = [copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))]
    parameters, x = list(ours.parameters()), drawn(shape, 0)
    optimizer = tg.optim.SGD(parameters, lr=0.1)
    ours(tg.tensor(x)).sum().backward()
    theirs(torch.tensor(x))
    assert repr(ours) == repr(theirs) and type(ours).__name__ == name.removeprefix("Lazy").split()[0]
    assert all(a is b and type(a) is nn.Parameter for a, b in zip(parameters, ours.parameters(), strict=True))
    optimizer.step()
    for other in held:
        other.load_state_dict({key: tg.tensor(value.numpy()) for key, value in theirs.state_dict().items()})
        out = other(tg.tensor(x))
        np.testing.assert_allclose(out.tolist(), theirs(torch.tensor(x)).tolist(), atol=1e-12)
        assert repr(other) == repr(theirs)


def test_unknown_shapes_are_explained(torch: Any) -> None:
    for use in (
        lambda lib, module: module.weight.shape,
        lambda lib, module: module.weight + 1,
        lambda lib, module: module.weight.sum(),
        lambda lib, module: lib.nn.Linear(2, 3).load_state_dict(module.state_dict()),
        lambda lib, module: sum(parameter.numel() for parameter in module.parameters()),
    ):
        with pytest.raises((RuntimeError, ValueError)) as theirs:
            use(torch, torch.nn.LazyLinear(3))
        with pytest.raises(UninitializedError, match="call the lazy module that owns it with an input first") as ours:
            use(tg, nn.LazyLinear(3))
        assert isinstance(ours.value, type(theirs.value))


def test_a_lazy_layer_of_ones_own() -> None:
    class Scale(LazyModuleMixin, nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.factor = nn.UninitializedParameter(dtype=tg.float64)
            self.register_buffer("seen", nn.UninitializedBuffer())

        def initialize_parameters(self, x: tg.Tensor) -> None:
            if isinstance(self.factor, nn.UninitializedParameter):
                self.factor.materialize(x.shape[1:])
                nn.init.constant_(self.factor, 2.0)

        def forward(self, x: tg.Tensor) -> tg.Tensor:
            return x * self.factor

    scale = Scale()
    with pytest.raises(UninitializedError, match="Scale: initialize_parameters left"):
        scale(tg.ones(2, 3))
    scale.seen.materialize((2,))
    assert scale(tg.ones(2, 3)).tolist() == [[2.0] * 3] * 2 and type(scale.seen) is tg.Tensor
    assert scale(tg.ones(1, 3)).dtype == tg.float64, "a module without cls_to_become stays what it is"


# --- what is refused

REFUSED: dict[str, tuple[Make, str]] = {
    "groups": (lambda lib: lib.nn.Conv2d(3, 4, 2, groups=2), "Conv2d: in_channels must be divisible by groups, 3 by 2"),
    "outputs": (lambda lib: lib.nn.Conv2d(4, 3, 2, groups=2), "Conv2d: out_channels must be divisible"),
    "no groups": (lambda lib: lib.nn.Conv1d(4, 3, 2, groups=0), "Conv1d: groups must be a positive integer, not 0"),
    "named padding": (lambda lib: lib.nn.Conv1d(4, 3, 2, padding="some"), "Conv1d: padding must be integers, 'same'"),
    "same of strides": (lambda lib: lib.nn.Conv1d(4, 3, 2, 2, "same"), "Conv1d: padding='same' goes with stride 1"),
    "padding mode": (lambda lib: lib.nn.Conv1d(4, 3, 2, padding_mode="x"), "Conv1d: padding_mode is one of zeros, ref"),
    "mode of a transpose": (
        lambda lib: lib.nn.ConvTranspose1d(4, 3, 2, padding_mode="reflect"),
        "ConvTranspose1d: padding_mode is one of zeros, not 'reflect'",
    ),
    "less than nothing": (
        lambda lib: lib.nn.ConvTranspose1d(2, 3, 1, padding=1)(lib.ones(2, 2, 1)),
        r"conv_transpose1d: input \(2, 2, 1\) gives an output of sizes \(-1,\)",
    ),
    "channels": (lambda lib: lib.nn.Conv2d(3, 4, 2)(lib.ones(1, 2, 4, 4)), "has 2 channels; weight .* needs 3"),
    "no image": (lambda lib: lib.nn.Conv2d(3, 4, 2)(lib.ones(4)), r"conv2d: input must have 4 dimensions .* \(4,\)"),
    "lazy dimensions": (lambda lib: lib.nn.LazyConv2d(4, 2)(lib.ones(4)), "LazyConv2d: input must have 4 dimensions"),
    "lazy groups": (
        lambda lib: lib.nn.LazyConv1d(4, 2, groups=2)(lib.ones(1, 3, 4)),
        "LazyConv1d: in_channels must be divisible by groups, 3 by 2",
    ),
    "pads": (lambda lib: lib.nn.ReflectionPad2d(5)(lib.ones(1, 2, 3, 3)), "pad: mode 'reflect' can't pad dimension"),
    "no size": (lambda lib: lib.nn.Upsample()(lib.ones(1, 2, 3)), "interpolate: exactly one of size and scale_factor"),
    "two sizes": (lambda lib: lib.nn.Upsample((2, 3))(lib.ones(1, 2, 3)), "interpolate: size has a number for each"),
    "whole sizes": (lambda lib: lib.nn.Upsample((2.5,))(lib.ones(1, 2, 3)), "interpolate: size must be integers"),
    "size 0": (lambda lib: lib.nn.Upsample(0)(lib.ones(1, 2, 3)), r"interpolate: .* \(1, 2, 3\) can't be resized"),
    "mode": (lambda lib: lib.nn.Upsample(2, mode="x")(lib.ones(1, 2, 3)), "interpolate: mode 'x' is not for"),
    "corners": (
        lambda lib: lib.nn.Upsample(2, align_corners=True)(lib.ones(1, 2, 3)),
        "interpolate: align_corners goes with the interpolating modes, not with 'nearest'",
    ),
    "antialias": (
        lambda lib: lib.nn.functional.interpolate(lib.ones(1, 2, 3), 2, antialias=True),
        "interpolate: antialias goes with bilinear, bicubic, lanczos",
    ),
    "lanczos": (
        lambda lib: lib.nn.functional.interpolate(lib.ones(1, 2, 3, 3), 2, mode="lanczos"),
        "interpolate: mode 'lanczos' needs antialias=True",
    ),
    "factor and size": (
        lambda lib: lib.nn.functional.interpolate(lib.ones(1, 2, 3), 2, recompute_scale_factor=True),
        "interpolate: recompute_scale_factor goes with scale_factor",
    ),
    "integers": (
        lambda lib: lib.nn.Upsample(2)(lib.ones(1, 2, 3).long()),
        "interpolate: mode 'nearest' takes floating",
    ),
    "grid of another batch": (
        lambda lib: lib.nn.functional.grid_sample(lib.ones(2, 1, 3, 3), lib.zeros(1, 2, 2, 2)),
        "grid_sample: an input .* takes a grid",
    ),
    "grid of another dtype": (
        lambda lib: lib.nn.functional.grid_sample(lib.ones(1, 1, 3, 3), lib.zeros(1, 2, 2, 2).double()),
        "grid_sample: input and grid must be of one floating dtype",
    ),
    "sampling mode": (
        lambda lib: lib.nn.functional.grid_sample(lib.ones(1, 1, 3, 3), lib.zeros(1, 2, 2, 2), "x"),
        "grid_sample: mode is one of bilinear",
    ),
    "bicubic volume": (
        lambda lib: lib.nn.functional.grid_sample(lib.ones(1, 1, 3, 3, 3), lib.zeros(1, 2, 2, 2, 3), "bicubic"),
        "grid_sample: mode 'bicubic' is for images",
    ),
    "nothing to sample": (
        lambda lib: lib.nn.functional.grid_sample(lib.ones(1, 1, 0, 3), lib.zeros(1, 2, 2, 2)),
        "grid_sample: the input has no elements",
    ),
    "theta": (
        lambda lib: lib.nn.functional.affine_grid(lib.ones(1, 3, 3), (1, 1, 2, 2)),
        r"affine_grid: size .* needs theta \(1, 2, 3\)",
    ),
    "theta of integers": (
        lambda lib: lib.nn.functional.affine_grid(lib.ones(1, 2, 3).long(), (1, 1, 2, 2)),
        "affine_grid: theta must be floating",
    ),
    "no grid": (
        lambda lib: lib.nn.functional.affine_grid(lib.ones(1, 2, 3), (1, 1, 2)),
        r"affine_grid: size is \(N, C, H, W\)",
    ),
    "empty grid": (
        lambda lib: lib.nn.functional.affine_grid(lib.ones(1, 2, 3), (1, 1, 2, 0)),
        "affine_grid: sizes must be positive",
    ),
    "columns": (lambda lib: lib.nn.Fold(3, 2)(lib.ones(1, 4, 5)), r"fold: an image of \(3, 3\) has 4 windows"),
    "windows": (lambda lib: lib.nn.Unfold(2)(lib.ones(1, 1, 1, 1)), "unfold: windows of .* are larger"),
    "columns of integers": (lambda lib: lib.nn.Unfold(2)(lib.ones(1, 1, 3, 3).long()), "unfold: floating numbers"),
    "no fraction": (lambda lib: lib.nn.FractionalMaxPool2d(2), "FractionalMaxPool2d: exactly one of output_size and"),
    "large fraction": (lambda lib: lib.nn.FractionalMaxPool2d(2, output_ratio=2), "output_ratio must be between 0 and"),
    "too many windows": (
        lambda lib: lib.nn.FractionalMaxPool2d(2, 3)(lib.ones(1, 1, 3, 3)),
        "fractional_max_pool2d: an input of sizes .* is too small",
    ),
    "large windows": (lambda lib: lib.nn.MaxPool2d(5)(lib.ones(1, 2, 3, 3)), "max_pool2d: windows of"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_explained(torch: Any, name: str) -> None:
    call, message = REFUSED[name]
    with pytest.raises((RuntimeError, ValueError, TypeError)) as theirs:
        call(torch)
    with pytest.raises(tg.TinygradError, match=message) as ours:
        call(tg)
    wanted = type(theirs.value)
    assert isinstance(ours.value, RuntimeError if wanted is NotImplementedError else wanted)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("n", "out", "mode"), [(2796, 2570, "nearest"), (1920, 3467, "nearest-exact")])
def test_nearest_elements_are_found_in_float32_as_in_pytorch(
    torch: Any, n: int, out: int, mode: str, dtype: str
) -> None:
    """These sizes have a place just below a whole number in float64, and at it in float32."""
    found, wanted = (
        lib.nn.functional.interpolate(lib.arange(n, dtype=getattr(lib, dtype)).reshape(1, 1, n), size=out, mode=mode)
        for lib in (tg, torch)
    )
    np.testing.assert_array_equal(found.numpy(), wanted.numpy())


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize(("size", "kernel", "how"), [(1, 2, {}), (2, 2, {"stride": 2, "padding": 2}), (3, 4, {})])
def test_a_transpose_to_nothing_is_empty(torch: Any, dims: int, size: int, kernel: int, how: dict[str, int]) -> None:
    """Its gradients are zeros, also the second ones, which PyTorch does not have here."""
    how = {"padding": (size + kernel - 1) // 2} | how
    for sizes in ((size,) * dims, (*[5] * (dims - 1), size)):
        found = []
        for lib in (tg, torch):
            x, w = lib.ones(2, 4, *sizes, requires_grad=True), lib.ones(4, 3, *[kernel] * dims, requires_grad=True)
            b = lib.ones(3, requires_grad=True)
            out = getattr(lib.nn.functional, f"conv_transpose{dims}d")(x, w, b, **how)
            slopes = lib.autograd.grad((out * out).sum(), (x, w, b), create_graph=lib is tg)
            found.append([tuple(out.shape), *[slope.tolist() for slope in slopes]])
            if lib is tg:
                twice = tg.autograd.grad(sum((slope * slope).sum() for slope in slopes), (x, w))
                assert [t.abs().sum().item() for t in twice] == [0, 0]
        assert found[0] == found[1] and 0 in found[0][0]
