"""Computed parameters: parametrize, the norms in both forms, orthogonal maps, fusion; on equal weights in PyTorch."""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl import nn

torch = pytest.importorskip("torch")


@pytest.fixture(params=["tinygrad_dl", "torch"])
def lib(request: pytest.FixtureRequest) -> Any:
    """Ours, and PyTorch to confirm what the test expects."""
    return pytest.importorskip(request.param)


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of the older forms
        yield


def numbers(tensor: Any) -> np.ndarray:
    return tensor.detach().numpy()


def give(theirs: Any, ours: Any) -> None:
    """PyTorch's state into our module, by the same names."""
    ours.load_state_dict({key: tg.tensor(numbers(value).copy()) for key, value in theirs.state_dict().items()})


def require_equal(theirs: Any, ours: Any, shape: tuple[int, ...]) -> None:
    """Outputs, gradients of input and parameters, second derivatives and buffers, after equal states."""
    give(theirs, ours)
    x = np.random.default_rng(0).standard_normal(shape)
    found = []
    for lib, module in ((torch, theirs), (tg, ours)):
        given = lib.tensor(x, dtype=lib.float64, requires_grad=True)
        y = module(given)
        (slope,) = lib.autograd.grad((y**2).sum(), given, create_graph=True)
        (y.sum() + (slope**2).sum()).backward()
        parts = {"y": y, "x.grad": given.grad, **{name: p.grad for name, p in module.named_parameters()}}
        found.append({key: numbers(value) for key, value in {**parts, **module.state_dict()}.items()})
    assert list(found[0]) == list(found[1])
    for key, expected in found[0].items():
        np.testing.assert_allclose(found[1][key], expected, rtol=1e-9, atol=1e-10, err_msg=key)


LAYERS = [("Linear", (3, 4), (5, 3)), ("Conv1d", (2, 4, 2), (3, 2, 5)), ("ConvTranspose1d", (2, 4, 2), (3, 2, 3))]


def both(kind: str, arguments: tuple[Any, ...]) -> list[Any]:
    return [getattr(lib.nn, kind)(*arguments).double() for lib in (torch, tg)]


@pytest.mark.parametrize(("kind", "arguments", "shape"), LAYERS)
@pytest.mark.parametrize(
    ("apply", "options"),
    [
        ("parametrizations.weight_norm", {}),
        ("parametrizations.weight_norm", {"dim": None}),
        ("parametrizations.weight_norm", {"dim": 1}),
        ("parametrizations.spectral_norm", {}),
        ("parametrizations.spectral_norm", {"n_power_iterations": 3, "dim": 1}),
        ("parametrizations.orthogonal", {}),
        ("parametrizations.orthogonal", {"orthogonal_map": "matrix_exp"}),
        ("parametrizations.orthogonal", {"orthogonal_map": "cayley"}),
        ("parametrizations.orthogonal", {"orthogonal_map": "cayley", "use_trivialization": False}),
        ("parametrizations.orthogonal", {"orthogonal_map": "householder", "use_trivialization": False}),
        ("weight_norm", {}),
        ("weight_norm", {"dim": None}),
        ("spectral_norm", {}),
        ("spectral_norm", {"n_power_iterations": 2}),
    ],
)
@pytest.mark.parametrize("train", [True, False])
def test_norms_and_maps(kind: str, arguments: Any, shape: Any, apply: str, options: Any, train: bool) -> None:
    modules = both(kind, arguments)
    for lib, module in zip((torch, tg), modules):
        function: Any = lib.nn.utils
        for part in apply.split("."):
            function = getattr(function, part)
        assert function(module, **options) is module
        module.train(train)
    assert repr(modules[1]) == repr(modules[0])
    require_equal(modules[0], modules[1], shape)


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 4)])
@pytest.mark.parametrize("form", ["matrix_exp", "cayley", "householder", None])
@pytest.mark.parametrize("trivial", [True, False])
def test_orthogonal_weights_stay_orthogonal(shape: tuple[int, int], form: str | None, trivial: bool) -> None:
    layer = nn.Linear(*shape).double()
    nn.init.orthogonal_(layer.weight)
    before = numbers(layer.weight).copy()
    nn.utils.parametrizations.orthogonal(layer, orthogonal_map=form, use_trivialization=trivial)
    if trivial or form == "householder" or (form is None and shape[0] != shape[1]):
        np.testing.assert_allclose(numbers(layer.weight), before, atol=1e-12)
    optimizer = tg.optim.SGD(layer.parameters(), lr=0.1)
    layer(tg.ones(1, shape[0], dtype=tg.float64)).sum().backward()
    optimizer.step()
    weight = numbers(layer.weight)
    assert np.abs(weight - before).max() > 1e-3
    weight = weight if weight.shape[0] >= weight.shape[1] else weight.T
    np.testing.assert_allclose(weight.T @ weight, np.eye(weight.shape[1]), atol=1e-12)


def test_householder_takes_the_value_that_pytorch_takes() -> None:
    for shape in [(3, 5), (5, 3), (4, 4)]:
        modules = both("Linear", shape)
        modules[1].load_state_dict({k: tg.tensor(numbers(v).copy()) for k, v in modules[0].state_dict().items()})
        for lib, module in zip((torch, tg), modules):
            lib.nn.utils.parametrizations.orthogonal(module, orthogonal_map="householder", use_trivialization=False)
        theirs, ours = (numbers(module.parametrizations.weight.original) for module in modules)
        tall = theirs if theirs.shape[0] >= theirs.shape[1] else theirs.T
        lower = np.tril(np.ones_like(tall)).astype(bool)  # what is above is not read
        lower = lower if lower.shape == theirs.shape else lower.T
        np.testing.assert_allclose(ours[lower], theirs[lower], atol=1e-12)


def symmetric(lib: Any) -> Any:
    class Symmetric(lib.nn.Module):
        def forward(self, x: Any) -> Any:
            return x.triu() + x.triu(1).T

        def right_inverse(self, a: Any) -> Any:
            return a.triu()

    return Symmetric()


def doubled(lib: Any) -> Any:
    class Doubled(lib.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.calls = 0

        def forward(self, x: Any) -> Any:
            self.calls += 1
            return 2 * x

    return Doubled()


def test_parametrizations_in_a_row(lib: Any) -> None:
    parametrize = lib.nn.utils.parametrize
    layer = lib.nn.Linear(3, 3)
    kind = type(layer)
    assert parametrize.register_parametrization(layer, "weight", symmetric(lib)) is layer
    parametrize.register_parametrization(layer, "weight", doubled(lib))
    parametrize.register_parametrization(layer, "bias", doubled(lib))
    assert parametrize.is_parametrized(layer) and parametrize.is_parametrized(layer, "bias")
    assert not parametrize.is_parametrized(layer, "x") and not parametrize.is_parametrized(lib.nn.ReLU())
    assert list(layer.state_dict()) == ["parametrizations.weight.original", "parametrizations.bias.original"]
    assert parametrize.type_before_parametrizations(layer) is kind is not type(layer)
    assert isinstance(layer, kind) and type(layer).__name__ == "ParametrizedLinear"
    assert (
        layer.weight.tolist() == (2 * layer.parametrizations.weight[0](layer.parametrizations.weight.original)).tolist()
    )
    with pytest.raises(KeyError):
        layer.weight = lib.nn.Parameter(lib.ones(3, 3))
    value = layer.weight.detach().clone()
    parametrize.remove_parametrizations(layer, "weight")
    assert layer.weight.tolist() == value.tolist() and isinstance(layer.weight, lib.nn.Parameter)
    assert type(layer) is not kind
    original = layer.parametrizations.bias.original
    parametrize.remove_parametrizations(layer, "bias", leave_parametrized=False)
    assert layer.bias is original and type(layer) is kind and not hasattr(layer, "parametrizations")
    assert list(layer.state_dict()) == ["weight", "bias"]


def test_assigning_goes_through_the_inverse(lib: Any) -> None:
    layer = lib.nn.Linear(2, 2)
    lib.nn.utils.parametrize.register_parametrization(layer, "weight", symmetric(lib))
    layer.weight = lib.tensor([[1.0, 2.0], [2.0, 3.0]])
    assert layer.parametrizations.weight.original.tolist() == [[1.0, 2.0], [0.0, 3.0]]
    assert layer.weight.tolist() == [[1.0, 2.0], [2.0, 3.0]]
    lib.nn.utils.parametrize.register_parametrization(layer, "bias", doubled(lib))
    with pytest.raises((NotImplementedError, RuntimeError)):
        layer.bias = lib.zeros(2)


def test_the_cache_computes_once(lib: Any) -> None:
    parametrize = lib.nn.utils.parametrize
    layer = lib.nn.Linear(2, 2)
    count = doubled(lib)
    parametrize.register_parametrization(layer, "weight", count)
    before = count.calls
    with parametrize.cached():
        first = layer.weight
        with parametrize.cached():
            assert layer.weight is first
        assert layer.weight is first and count.calls == before + 1
    assert layer.weight is not first and count.calls == before + 2


def test_copies_of_a_parametrized_module(lib: Any) -> None:
    parametrize = lib.nn.utils.parametrize
    layer = lib.nn.utils.parametrizations.weight_norm(lib.nn.Linear(2, 3))
    twin = copy.deepcopy(layer)
    assert twin.parametrizations.weight.original0 is not layer.parametrizations.weight.original0
    with pytest.raises((RuntimeError, TypeError)):
        pickle.dumps(layer)
    parametrize.transfer_parametrizations_and_params(layer, other := lib.nn.Linear(2, 3))
    assert other.parametrizations.weight.original1 is layer.parametrizations.weight.original1
    assert other.weight.tolist() == layer.weight.tolist()


def test_a_copy_keeps_its_parametrization_when_the_other_loses_it() -> None:
    layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 3))
    twin = copy.deepcopy(layer)
    nn.utils.parametrize.remove_parametrizations(layer, "weight")
    assert twin.weight.tolist() == layer.weight.tolist() and nn.utils.parametrize.is_parametrized(twin)


def test_wrong_parametrizations(lib: Any) -> None:
    class To(lib.nn.Module):
        def __init__(self, change: Any) -> None:
            super().__init__()
            self.change = change

        def forward(self, x: Any) -> Any:
            return self.change(x)

    for register in (False, True):
        for change in (lambda x: x.double(), lambda x: x[0], lambda x: 3):
            layer = lib.nn.Linear(2, 2)
            if register:
                lib.nn.utils.parametrize.register_parametrization(layer, "weight", symmetric(lib))
            with pytest.raises(ValueError):
                lib.nn.utils.parametrize.register_parametrization(layer, "weight", To(change))
    with pytest.raises(ValueError):
        lib.nn.utils.parametrize.register_parametrization(layer, "wieght", symmetric(lib))
    with pytest.raises(ValueError):
        lib.nn.utils.parametrize.remove_parametrizations(layer, "bias")
    normed = lib.nn.utils.parametrizations.weight_norm(lib.nn.Linear(2, 2))
    with pytest.raises(ValueError):
        lib.nn.utils.parametrize.remove_parametrizations(normed, "weight", leave_parametrized=False)
    for name in ("orthogonal", "spectral_norm"):
        with pytest.raises(ValueError):
            getattr(lib.nn.utils.parametrizations, name)(lib.nn.Linear(2, 2), "wieght")
    with pytest.raises(ValueError):
        lib.nn.utils.parametrizations.orthogonal(lib.nn.Linear(2, 2), orthogonal_map="other")
    with pytest.raises(ValueError):
        lib.nn.utils.parametrizations.orthogonal(lib.nn.Linear(2, 2), "bias")


def test_unsafe_parametrizations_may_change_the_shape(lib: Any) -> None:
    class Wide(lib.nn.Module):
        def forward(self, x: Any) -> Any:
            return lib.cat([x, x])

    layer = lib.nn.Linear(2, 2)
    lib.nn.utils.parametrize.register_parametrization(layer, "weight", Wide(), unsafe=True)
    assert tuple(layer.weight.shape) == (4, 2)


def test_state_dicts_of_the_older_weight_norm_load(lib: Any) -> None:
    old = lib.nn.utils.weight_norm(lib.nn.Linear(2, 3))
    new = lib.nn.Sequential(lib.nn.utils.parametrizations.weight_norm(lib.nn.Linear(2, 3)))
    new.load_state_dict({f"0.{key}": value for key, value in old.state_dict().items()})
    assert new[0].weight.tolist() == old.weight.tolist()


@pytest.mark.parametrize("norm", ["weight_norm", "spectral_norm"])
def test_the_older_norms_are_removed(lib: Any, norm: str) -> None:
    layer = getattr(lib.nn.utils, norm)(lib.nn.Linear(2, 3)).eval()
    x = lib.ones(1, 2)
    before = layer(x).tolist()
    with pytest.raises((RuntimeError, ValueError)):
        getattr(lib.nn.utils, norm)(layer)
    remove = getattr(lib.nn.utils, f"remove_{norm}")
    assert remove(layer) is layer
    np.testing.assert_allclose(layer(x).tolist(), before, rtol=1e-5)
    assert sorted(layer.state_dict()) == ["bias", "weight"] and not layer._forward_pre_hooks
    with pytest.raises(ValueError):
        remove(layer)


# --- others


def test_skip_init_and_stateless(lib: Any) -> None:
    layer = lib.nn.utils.skip_init(lib.nn.Linear, 2, 3)
    assert tuple(layer.weight.shape) == (3, 2)
    for wrong in (lib.nn.ReLU, 3):
        with pytest.raises((RuntimeError, TypeError)):
            lib.nn.utils.skip_init(wrong)
    call = lib.nn.utils.stateless.functional_call
    given = {"weight": lib.ones(3, 2), "bias": lib.zeros(3)}
    assert call(layer, given, lib.ones(1, 2)).tolist() == [[2.0, 2.0, 2.0]]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("affine", [True, False])
def test_fused_weights(bias: bool, affine: bool) -> None:
    rng = np.random.default_rng(0)
    w, b, mean, gamma, beta = (rng.standard_normal(shape) for shape in [(4, 3), 4, 4, 4, 4])
    given = [w, b if bias else None, mean, rng.random(4), 1e-3, *([gamma, beta] if affine else [None, None])]
    for transpose in (False, True):
        given[0] = rng.standard_normal((3, 4, 2) if transpose else (4, 3, 2))
        found = [
            lib.nn.utils.fuse_conv_bn_weights(
                *[lib.tensor(v) if isinstance(v, np.ndarray) else v for v in given], transpose=transpose
            )
            for lib in (torch, tg)
        ]
        for theirs, ours in zip(*found):
            assert isinstance(ours, nn.Parameter)
            np.testing.assert_allclose(numbers(ours), numbers(theirs), rtol=1e-12)


@pytest.mark.parametrize("layer", ["Conv1d", "Conv2d", "ConvTranspose2d", "Linear"])
def test_a_norm_taken_into_the_layer_before_it(layer: str) -> None:
    dims = 0 if layer == "Linear" else int(layer[-2])
    arguments = (3, 4) if layer == "Linear" else (3, 4, 2)
    theirs, ours = both(layer, arguments)
    norms = [getattr(lib.nn, f"BatchNorm{max(dims, 1)}d")(4).double() for lib in (torch, tg)]
    x = np.random.default_rng(0).standard_normal((5, 3, *[4] * dims))
    with torch.no_grad():
        norms[0](theirs(torch.tensor(x)))  # moves the running statistics
        norms[0].weight.uniform_(1, 2)
    results = []
    give(theirs, ours)
    give(*norms)
    for lib, module, norm in ((torch, theirs, norms[0]), (tg, ours, norms[1])):
        with pytest.raises((ValueError, AssertionError, RuntimeError)):
            _fuse(lib, module, norm)
        fused = _fuse(lib, module.eval(), norm.eval())
        np.testing.assert_allclose(
            numbers(fused(lib.tensor(x))), numbers(norm(module(lib.tensor(x)))), rtol=1e-9, atol=1e-12
        )
        assert type(fused) is type(module) and fused is not module
        results.append({name: numbers(p) for name, p in fused.named_parameters()})
    for name, expected in results[0].items():
        np.testing.assert_allclose(results[1][name], expected, rtol=1e-12)


def _fuse(lib: Any, layer: Any, norm: Any) -> Any:
    if type(layer).__name__ == "Linear":
        return lib.nn.utils.fuse_linear_bn_eval(layer, norm)
    return lib.nn.utils.fuse_conv_bn_eval(layer, norm, transpose="Transpose" in type(layer).__name__)


@pytest.mark.parametrize("apply", ["weight_norm", "spectral_norm", "orthogonal"])
def test_parametrizations_on_the_strict_device(apply: str) -> None:
    layer = getattr(nn.utils.parametrizations, apply)(nn.Linear(3, 4, device="strict"))
    twin = copy.deepcopy(layer).to("cpu")
    x = tg.ones(2, 3, device="strict")
    layer(x).sum().backward()
    twin(x.cpu()).sum().backward()
    for ours, other in zip(layer.parameters(), twin.parameters()):
        np.testing.assert_allclose(ours.grad.cpu().numpy(), other.grad.numpy(), rtol=1e-5, atol=1e-6)
    assert layer.weight.device.type == "strict"
