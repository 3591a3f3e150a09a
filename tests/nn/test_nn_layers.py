"""The layers against PyTorch's: state dicts, outputs, gradients, repr; and what they refuse."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl import nn
from tinygrad_dl.gradcheck import gradcheck, gradgradcheck

# How each layer is made in either library, and the shapes of its input.
LAYERS: dict[str, tuple[Callable[[Any], Any], list[tuple[int, ...]]]] = {
    "Linear": (lambda lib: lib.nn.Linear(3, 2), [(3,), (4, 3), (2, 4, 3), (0, 3)]),
    "Linear without bias": (lambda lib: lib.nn.Linear(3, 2, bias=False), [(3,), (4, 3)]),
    "Identity": (lambda lib: lib.nn.Identity(3, wanted=False), [(2, 3)]),
    "Flatten": (lambda lib: lib.nn.Flatten(), [(2, 3), (2, 3, 4), (2, 3, 4, 5), (0, 3, 4)]),
    "Flatten inside": (lambda lib: lib.nn.Flatten(1, 2), [(2, 3, 4), (2, 3, 4, 5)]),
    "Flatten from the end": (lambda lib: lib.nn.Flatten(-2), [(2, 3, 4)]),
    "Unflatten": (lambda lib: lib.nn.Unflatten(1, (2, 3)), [(4, 6), (4, 6, 5)]),
    "Unflatten the rest": (lambda lib: lib.nn.Unflatten(-1, (-1, 3)), [(4, 6)]),
    "ReLU": (lambda lib: lib.nn.ReLU(), [(), (2, 3)]),
    **{
        name: (lambda lib, name=name: getattr(lib.nn, name)(), [(), (2, 3)])
        for name in """Tanh Sigmoid ReLU6 LeakyReLU ELU SELU CELU GELU SiLU Mish Softplus Hardtanh LogSigmoid
        Hardsigmoid Hardswish Softsign Tanhshrink Softshrink Hardshrink PReLU""".split()
    },
    "ReLU in place": (lambda lib: lib.nn.Sequential(lib.nn.Softsign(), lib.nn.ReLU(inplace=True)), [(2, 3)]),
    "LeakyReLU with a slope": (lambda lib: lib.nn.LeakyReLU(0.2, False), [(2, 3)]),
    "PReLU of channels": (lambda lib: lib.nn.PReLU(3, init=0.5), [(2, 3), (2, 3, 4)]),
    "RReLU of one slope": (lambda lib: lib.nn.RReLU(0.25, 0.25), [(2, 3)]),
    "ELU with alpha": (lambda lib: lib.nn.Sequential(lib.nn.Softsign(), lib.nn.ELU(0.5, True)), [(2, 3)]),
    "CELU with alpha": (lambda lib: lib.nn.CELU(alpha=2.0), [(2, 3)]),
    "GELU by tanh": (lambda lib: lib.nn.GELU(approximate="tanh"), [(2, 3)]),
    "Softplus with options": (lambda lib: lib.nn.Softplus(2.0, 1.0), [(2, 3)]),
    "Hardtanh with bounds": (lambda lib: lib.nn.Hardtanh(-0.5, 0.75), [(2, 3)]),
    "Threshold": (lambda lib: lib.nn.Threshold(0.1, 20.0), [(2, 3)]),
    "Softshrink with lambd": (lambda lib: lib.nn.Softshrink(0.25), [(2, 3)]),
    "Hardshrink with lambd": (lambda lib: lib.nn.Hardshrink(0.75), [(2, 3)]),
    "GLU": (lambda lib: lib.nn.GLU(), [(4,), (3, 2)]),
    "GLU of rows": (lambda lib: lib.nn.GLU(0), [(4, 3)]),
    "Softmin": (lambda lib: lib.nn.Softmin(dim=-1), [(2, 3)]),
    "Softmax2d": (lambda lib: lib.nn.Softmax2d(), [(3, 2, 2), (2, 3, 2, 2)]),
    "Softmax": (lambda lib: lib.nn.Softmax(dim=1), [(2, 3), (2, 3, 4)]),
    "Softmax from the end": (lambda lib: lib.nn.Softmax(-1), [(3,), (2, 3)]),
    "LogSoftmax": (lambda lib: lib.nn.LogSoftmax(dim=0), [(3,), (2, 3)]),
    "Dropout of nothing": (lambda lib: lib.nn.Dropout(0.0), [(2, 3)]),
    "Dropout of everything": (lambda lib: lib.nn.Dropout(1.0), [(2, 3)]),
    "a network": (
        lambda lib: lib.nn.Sequential(
            lib.nn.Flatten(), lib.nn.Linear(6, 5), lib.nn.Tanh(), lib.nn.Dropout(0.0), lib.nn.Linear(5, 2)
        ),
        [(4, 2, 3)],
    ),
}


def randomized(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def both(make: Callable[[Any], Any], torch: Any) -> tuple[Any, Any]:
    """The layer in either library, with the same parameters."""
    ours, theirs = make(tg), make(torch)
    assert {k: tuple(v.shape) for k, v in ours.state_dict().items()} == {
        k: tuple(v.shape) for k, v in theirs.state_dict().items()
    }
    assert list(ours.state_dict()) == list(theirs.state_dict())
    state = {key: randomized(tuple(value.shape), i) for i, (key, value) in enumerate(ours.state_dict().items())}
    ours.load_state_dict({key: tg.tensor(value) for key, value in state.items()})
    theirs.load_state_dict({key: torch.tensor(value) for key, value in state.items()})
    return ours, theirs


def run(lib: Any, layer: Any, x: np.ndarray) -> list[Any]:
    """Output, gradient of the input and of the parameters, of a weighted sum."""
    input = lib.tensor(x, requires_grad=True)
    out = layer(input)
    weights = lib.tensor(randomized(tuple(out.shape), 99))
    (out * weights).sum().backward()
    return [out.detach().numpy(), input.grad.numpy(), *(p.grad.numpy() for p in layer.parameters())]


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("name", LAYERS)
def test_values_and_gradients_agree_with_pytorch(name: str, training: bool) -> None:
    torch = pytest.importorskip("torch")
    make, shapes = LAYERS[name]
    ours, theirs = both(make, torch)
    for shape in shapes:
        ours.zero_grad()
        theirs.zero_grad()
        x = randomized(shape, 7)
        results = zip(run(tg, ours.train(training), x), run(torch, theirs.train(training), x), strict=True)
        for mine, wanted in results:
            assert mine.dtype == wanted.dtype and mine.shape == wanted.shape
            np.testing.assert_allclose(mine, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", LAYERS)
def test_repr_agrees_with_pytorch(name: str) -> None:
    torch = pytest.importorskip("torch")
    make, _ = LAYERS[name]
    assert repr(make(tg)) == repr(make(torch))


@pytest.mark.parametrize("name", LAYERS)
def test_the_same_on_the_strict_device(name: str) -> None:
    make, shapes = LAYERS[name]
    layer = make(tg)
    for shape in shapes:
        results = []
        for device in ("cpu", "strict"):
            layer.to(device).zero_grad()
            input = tg.tensor(randomized(shape, 7), device=device, requires_grad=True)
            out = layer(input)
            out.sum().backward()
            results.append([out.tolist(), input.grad.tolist(), *(p.grad.tolist() for p in layer.parameters())])
            assert str(out.device) == device
        assert results[0] == results[1]


@pytest.mark.parametrize("name", [name for name in LAYERS if "Dropout" not in name])
def test_first_and_second_derivatives(name: str) -> None:
    make, shapes = LAYERS[name]
    layer = make(tg).double()
    input = tg.tensor(randomized(shapes[-1] if 0 not in shapes[-1] else shapes[0], 3), dtype=tg.float64)
    assert gradcheck(layer, (input.requires_grad_(),))
    assert gradgradcheck(layer, (input,))


# --- Linear


def test_linear_starts_as_pytorchs() -> None:
    """Uniform in ±1/√in_features, weight and bias: bounds reached but not passed, variance 1/(3·in_features)."""
    tg.manual_seed(0)
    layer = nn.Linear(100, 2000)
    for parameter in (layer.weight, layer.bias):
        values = parameter.detach().numpy()
        assert 0.099 < np.abs(values).max() <= 0.1
        assert abs(values.mean()) < 0.005
        assert values.var() == pytest.approx(1 / 300, rel=0.05)
    assert layer.weight.shape == (2000, 100) and layer.bias.shape == (2000,)


def test_linear_is_drawn_by_the_default_generator() -> None:
    first, second = (nn.Linear(3, 2) for _ in range(2) if tg.manual_seed(5))
    assert first.weight.tolist() == second.weight.tolist() and first.bias.tolist() == second.bias.tolist()
    before = first.weight.tolist()
    first.reset_parameters()
    assert first.weight.tolist() != before


def test_linear_takes_dtype_and_device() -> None:
    layer = nn.Linear(3, 2, device="strict", dtype=tg.float64)
    assert {(p.dtype, str(p.device)) for p in layer.parameters()} == {(tg.float64, "strict")}
    tg.set_default_dtype(tg.float64)
    try:
        assert nn.Linear(3, 2).bias.dtype == tg.float64
    finally:
        tg.set_default_dtype(tg.float32)


def test_the_same_seed_gives_the_same_parameters_on_every_device() -> None:
    values = []
    for device in ("cpu", "strict"):
        tg.manual_seed(1)
        values.append(nn.Linear(3, 2, device=device).weight.tolist())
    assert values[0] == values[1]


def test_linear_without_inputs_or_outputs() -> None:
    with pytest.warns(UserWarning, match=r"without elements, of shape \(2, 0\)"):
        layer = nn.Linear(0, 2)
    assert layer(tg.ones(3, 0)).tolist() == [layer.bias.tolist()] * 3 == [[0.0, 0.0]] * 3
    with pytest.warns(UserWarning, match="without elements"):
        assert nn.Linear(2, 0)(tg.ones(3, 2)).shape == (3, 0)


def test_linear_names_the_shapes_that_do_not_fit() -> None:
    with pytest.raises(RuntimeError) as error:
        nn.Linear(3, 2)(tg.ones(4, 5))
    assert "(4, 5)" in str(error.value) and "(2, 3)" in str(error.value)


def test_linear_names_the_dtypes_that_do_not_fit() -> None:
    with pytest.raises(RuntimeError, match=r"float64.*float32|float32.*float64"):
        nn.Linear(3, 2)(tg.ones(4, 3, dtype=tg.float64))


# --- shapes


def test_unflatten_names_what_does_not_fit() -> None:
    for sizes in ((2, 3), (4, -1), (-1, -1), (0, -1)):
        with pytest.raises(RuntimeError) as error:
            nn.Unflatten(1, sizes)(tg.ones(2, 5))
        assert str(sizes) in str(error.value) and "5" in str(error.value) and "(2, 5)" in str(error.value)
    for sizes, size in [((-1, -1), 1), ((0, -1), 0), ((-5, -1), 5)]:  # what could be anything is no size
        with pytest.raises(RuntimeError, match="don't multiply up"):
            nn.Unflatten(1, sizes)(tg.ones(2, size))
    with pytest.raises(IndexError, match="Unflatten: dim 3"):
        nn.Unflatten(3, (1, 1))(tg.ones(2, 5))


def test_flatten_names_dimensions_out_of_range() -> None:
    with pytest.raises(IndexError, match="flatten"):
        nn.Flatten(3)(tg.ones(2, 5))
    with pytest.raises(RuntimeError, match="start_dim 2 comes after end_dim 1"):
        nn.Flatten(2, 1)(tg.ones(2, 5, 3))


# --- softmax


def test_softmax_without_a_dim_chooses_pytorchs_and_warns() -> None:
    torch = pytest.importorskip("torch")
    for shape in [(3,), (2, 3), (2, 3, 4), (2, 3, 4, 5)]:
        for name in ("Softmax", "LogSoftmax"):
            with pytest.warns(UserWarning) as caught:
                ours = getattr(nn, name)()(tg.tensor(randomized(shape)))
            assert f"shape {shape}. Write dim={0 if len(shape) in (1, 3) else 1}" in str(caught[0].message)
            with pytest.warns(UserWarning, match="Implicit dimension"):
                theirs = getattr(torch.nn, name)()(torch.tensor(randomized(shape)))
            np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-5, atol=1e-6)


# --- Dropout


def test_dropout_scales_what_it_keeps() -> None:
    tg.manual_seed(0)
    x = tg.full((100_000,), 2.0)
    out = nn.Dropout(0.2)(x).numpy()
    assert set(np.unique(out)) == {np.float32(0), np.float32(2) / np.float32(0.8)}
    assert (out == 0).mean() == pytest.approx(0.2, abs=0.01)
    assert out.mean() == pytest.approx(2.0, rel=0.01), "the expected value stays"


def test_dropout_gives_what_it_left_out_no_gradient() -> None:
    x = tg.ones(50, requires_grad=True)
    out = nn.Dropout(0.5)(x)
    out.sum().backward()
    assert x.grad.tolist() == out.tolist() and set(out.tolist()) == {0.0, 2.0}


def test_dropout_is_drawn_once() -> None:
    """Walking again, or recording the walk, uses the same draw."""
    x = tg.ones(50, requires_grad=True)
    out = nn.Dropout(0.5)(x * x)
    (first,) = tg.autograd.grad(out.sum(), x, retain_graph=True)
    (second,) = tg.autograd.grad(out.sum(), x, create_graph=True)
    assert first.tolist() == second.tolist() == (2 * out).tolist()
    (third,) = tg.autograd.grad(second.sum(), x)
    assert third.tolist() == first.tolist()


def test_dropout_draws_anew_in_each_call_and_repeats_with_the_seed() -> None:
    layer, x = nn.Dropout(), tg.ones(50)
    tg.manual_seed(3)
    first, second = layer(x).tolist(), layer(x).tolist()
    tg.manual_seed(3)
    assert layer(x).tolist() == first != second
    tg.manual_seed(3)
    assert layer(tg.ones(50, device="strict")).tolist() == first


def test_dropout_in_use_passes_the_input_itself() -> None:
    x = tg.ones(3)
    assert nn.Dropout().eval()(x) is x and nn.Dropout(0.0)(x) is x


@pytest.mark.parametrize("dtype", [tg.float16, tg.float32, tg.float64])
def test_dropout_keeps_the_dtype(dtype: Any) -> None:
    x = tg.ones(4, dtype=dtype, requires_grad=True)
    out = nn.Dropout(0.5)(x)
    out.sum().backward()
    assert out.dtype == dtype and x.grad.dtype == dtype


def test_what_dropout_refuses() -> None:
    for p in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match=r"Dropout: p, .* has to be between 0 and 1, but got"):
            nn.Dropout(p)
        with pytest.raises(ValueError, match="dropout: p, "):
            nn.functional.dropout(tg.ones(1), p)
    with pytest.raises(RuntimeError, match=r"dropout: the input must be floating, not tinygrad_dl.int64"):
        nn.Dropout()(tg.ones(3, dtype=tg.int64))


@pytest.mark.parametrize("name", ["tinygrad_dl", "torch"])
class TestInPlace:
    """`inplace=True`, also as PyTorch does it."""

    def test_relu_writes_into_its_input(self, name: str) -> None:
        lib = pytest.importorskip(name)
        layer = lib.nn.ReLU(inplace=True)
        x = lib.tensor([-1.0, 2.0], requires_grad=True)
        h = x * 3
        assert layer(h) is h and h.tolist() == [0.0, 6.0]
        (h * h).sum().backward()
        assert x.grad.tolist() == [0.0, 36.0]
        integers = lib.tensor([-1, 2])
        assert layer(integers) is integers and integers.tolist() == [0, 2]
        layer.inplace = False
        assert layer(h) is not h

    def test_dropout_writes_into_its_input(self, name: str) -> None:
        lib = pytest.importorskip(name)
        layer = lib.nn.Dropout(p=0.75, inplace=True)
        x = lib.ones(100, requires_grad=True)
        h = x * 3
        assert layer(h) is h and set(h.tolist()) == {0.0, 12.0}
        h.sum().backward()
        assert (x.grad * 3).tolist() == (h * 3).tolist()
        for unchanged in (layer.eval()(h), lib.nn.Dropout(0.0, inplace=True)(h), layer(x)):
            assert unchanged is h or unchanged is x

    @pytest.mark.parametrize("kind", ["ReLU", "Dropout"])
    def test_what_is_not_edited_in_place(self, name: str, kind: str) -> None:
        lib = pytest.importorskip(name)
        layer = getattr(lib.nn, kind)(inplace=True)
        x = lib.ones(3, requires_grad=True)
        for leaf in (x, x[:2]):
            with pytest.raises(RuntimeError, match="a leaf"):
                layer(leaf)
        hooked = getattr(lib.nn, kind)(inplace=True)
        hooked.register_full_backward_hook(lambda module, grad_input, grad_output: None)
        with pytest.raises(RuntimeError):
            hooked(x * 1)
        with lib.no_grad():
            assert layer(x) is x

    @pytest.mark.parametrize("kind", ["ReLU", "Dropout"])
    def test_backward_notices_what_was_needed(self, name: str, kind: str) -> None:
        lib = pytest.importorskip(name)
        h = lib.ones(3, requires_grad=True).tanh()
        getattr(lib.nn, kind)(inplace=True)(h)
        with pytest.raises(RuntimeError):
            h.sum().backward()


def test_the_error_of_a_layer_in_place_names_it() -> None:
    for layer, name in ((nn.ReLU(True), "relu"), (nn.Dropout(inplace=True), "dropout")):
        with pytest.raises(RuntimeError, match=rf"^{name}\(inplace=True\): a leaf that requires grad"):
            layer(tg.ones(2, requires_grad=True))


# --- keeping dtypes


@pytest.mark.parametrize("dtype", [tg.float16, tg.float32, tg.float64])
@pytest.mark.parametrize("name", LAYERS)
def test_layers_keep_the_dtype(name: str, dtype: Any) -> None:
    make, shapes = LAYERS[name]
    layer = make(tg).to(dtype)
    input = tg.tensor(randomized(shapes[0]), dtype=dtype, requires_grad=True)
    out = layer(input)
    out.sum().backward()
    assert out.dtype == dtype and input.grad.dtype == dtype
    assert all(p.grad.dtype == dtype for p in layer.parameters())
