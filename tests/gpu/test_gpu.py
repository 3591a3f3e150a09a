"""On a GPU everything is as on the CPU: operations, networks, training, seeds, files, errors.

`pytest -m gpu` runs this file on `cuda`. Where there is no GPU, `TINYGRAD_DL_TEST_DEVICE=strict pytest tests/gpu` runs
all of it on the device that refuses what CuPy refuses, so that the tests themselves are known to be right; what is
cheap runs on `strict` in the normal suite too.
"""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import module_from_spec, spec_from_file_location
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import CASES, Case
from test_operations import BY_OPERATION, DIFFERENTIABLE, attempt, difference, gradients, host, report, tolerance

import tinygrad_dl as tg
from tinygrad_dl import nn, optim
from tinygrad_dl.errors import DeviceError, GraphError, TinygradError
from tinygrad_dl.nn import functional as F

DEVICE = os.environ.get("TINYGRAD_DL_TEST_DEVICE", "cuda")
UNDER_TEST = [pytest.param(DEVICE, marks=[pytest.mark.gpu] if DEVICE == "cuda" else [])]
AND_STRICT = UNDER_TEST if DEVICE == "strict" else [*UNDER_TEST, "strict"]

cheap = pytest.mark.parametrize("device", AND_STRICT)
long = pytest.mark.parametrize("device", UNDER_TEST)

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning:tinygrad_dl.*")


@pytest.fixture(autouse=True)
def device_of_its_own() -> Iterator[None]:
    """No test leaves another default device behind."""
    before = tg.get_default_device()
    yield
    tg.set_default_device(before)


def lies_on(tensor: Any, device: str) -> bool:
    return tensor.device.type == device


def close(on_device: Any, on_cpu: Any, rtol: float = 1e-4, atol: float = 1e-5) -> None:
    np.testing.assert_allclose(host(on_device), host(on_cpu), rtol, atol)


# --- every operation case


@long
@pytest.mark.parametrize("operation", BY_OPERATION)
def test_values_and_gradients_are_those_of_the_cpu(operation: str, device: str) -> None:
    """Where the CPU gives numbers the device gives the same ones, and where it raises the device raises too."""
    problems = []
    for case, dtype in product(BY_OPERATION[operation], ("float32", "float64")):
        problem = compare(case, device, dtype)
        if problem:
            problems.append(f"{case.name} {dtype}: {problem}")
    report(problems)


@long
@pytest.mark.parametrize("operation", BY_OPERATION)
def test_other_dtypes_are_those_of_the_cpu(operation: str, device: str) -> None:
    problems = []
    for case, dtype in product(BY_OPERATION[operation], ("float16", "int64", "int32", "uint8", "bool")):
        if all(d.fixed for d in case.draws):
            continue
        problem = compare(case, device, dtype)
        if problem:
            problems.append(f"{case.name} {dtype}: {problem}")
    report(problems)


def compare(case: Case, device: str, dtype: str) -> str:
    """How a case differs between the device and the CPU, or an empty string."""
    (our_inputs, found), (cpu_inputs, expected) = (attempt(case, tg, dtype, device=d) for d in (device, "cpu"))
    if isinstance(found, Exception) or isinstance(expected, Exception):
        same = type(found) is type(expected) and isinstance(found, TinygradError)
        return "" if same else f"{found!r}, on the CPU {expected!r}"
    for a, b in zip(found, expected, strict=True):
        if ".cpu()" not in case.form and not lies_on(a, device):
            return f"a result lies on {a.device}"
        problem = difference(a, b, tolerance(case, dtype, found))
        if problem:
            return problem
        if a.requires_grad != b.requires_grad:
            return f"requires_grad is {a.requires_grad}, on the CPU {b.requires_grad}"
    if not any(o.requires_grad for o in expected):
        return ""
    derivatives = zip(gradients(tg, our_inputs, found), gradients(tg, cpu_inputs, expected), strict=True)
    for i, (a, b) in enumerate(derivatives):
        if a is None or b is None:
            if a is not b:
                return f"gradient {i} is {a}, on the CPU {b}"
            continue
        if not lies_on(a, device):
            return f"gradient {i} lies on {a.device}"
        rtol, atol = tolerance(case, dtype, found)
        problem = difference(a, b, (4 * rtol, 4 * atol))
        if problem:
            return f"gradient {i}: {problem}"
    return ""


@long
@pytest.mark.parametrize("operation", DIFFERENTIABLE)
def test_second_derivatives_are_those_of_the_cpu(operation: str, device: str) -> None:
    problems, compared = [], 0
    for case in BY_OPERATION[operation]:
        if not case.differentiable or any(0 in d.shape for d in case.draws):
            continue
        found, expected = (second_derivatives(case, d) for d in (device, "cpu"))
        rough = (1e-4, 1e-5) if "float32" in case.form else (1e-8, 1e-10)
        for i, (a, b) in enumerate(zip(found, expected, strict=True)):
            if a is None or b is None:
                if a is not b:
                    problems.append(f"{case.name}, input {i}: {a}, on the CPU {b}")
                continue
            compared += 1
            problem = difference(a, b, rough)
            if problem or not lies_on(a, device):
                problems.append(f"{case.name}, input {i} on {a.device}: {problem}")
    report(problems)
    assert compared or operation not in ("mul", "exp", "matmul", "cross_entropy", "softmax"), "nothing was compared"


def second_derivatives(case: Case, device: str) -> list[Any]:
    """The derivative of a nonlinear function of the first derivatives; None where they are constant."""
    inputs = case.make(tg, device=device)
    outputs = case.outputs(case.run(tg, *inputs))
    if not any(o.requires_grad for o in outputs):
        return []
    first = gradients(tg, inputs, outputs, create_graph=True)
    curved = [(g * g).sum() for g in first if g is not None and g.requires_grad]
    if not curved:
        return []
    wanted = [x for x in inputs if x.requires_grad]
    return list(tg.autograd.grad(sum(curved[1:], curved[0]), wanted, allow_unused=True))


@cheap
def test_a_few_operations_in_both_orders(device: str) -> None:
    """What the long tests ask, of one case each: they can fail, and they pass."""
    for operation in ("mul", "matmul", "index", "sum", "softmax", "cross_entropy", "cat", "where", "pow", "max"):
        case = next(c for c in BY_OPERATION[operation] if c.differentiable and not any(0 in d.shape for d in c.draws))
        assert compare(case, device, "float32") == compare(case, device, "float64") == ""
        for a, b in zip(second_derivatives(case, device), second_derivatives(case, "cpu"), strict=True):
            assert a is b is None or difference(a, b, (1e-8, 1e-10)) == ""
    wrong = Case("mul", "x * 2", lambda lib, x: x * (2 if x.device.type == "cpu" else 3), CASES[0].draws[:1])
    assert "values" in compare(wrong, device, "float32")


# --- memory, views, graphs


@cheap
def test_views_on_the_device_share_memory(device: str) -> None:
    x = tg.arange(6.0, device=device).reshape(2, 3).clone()
    x[0, 1].fill_(-1)
    x[1][2:].mul_(10)
    x.t()[0] = 7
    x[tg.tensor([0, 1], device=device), [2, 1]] = tg.tensor([8.0, 9.0])[:2].to(device)
    assert x.tolist() == [[7.0, -1.0, 8.0], [7.0, 9.0, 50.0]]


@cheap
def test_an_overwritten_saved_value_raises(device: str) -> None:
    x, c = tg.ones(3, device=device, requires_grad=True), tg.ones(3, device=device)
    y = (x * c).sum()
    c[:1].zero_()
    with pytest.raises(GraphError, match="overwritten"):
        y.backward()


@cheap
def test_gradients_add_up_where_the_leaf_lies(device: str) -> None:
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    y = x.to(device)
    for _ in range(2):
        (x.to(device) * y.detach()).sum().backward()
    assert x.grad is not None and lies_on(x.grad, "cpu") and x.grad.tolist() == [2.0, 4.0]
    leaf = tg.tensor([1.0, 2.0], device=device, requires_grad=True)
    (leaf.cpu() * x.detach()).sum().backward()
    assert leaf.grad is not None and lies_on(leaf.grad, device) and leaf.grad.tolist() == [1.0, 2.0]


@cheap
def test_copies_between_devices(device: str) -> None:
    x = tg.tensor([1.0, 2.0])
    there = x.to(device)
    x.fill_(0)
    assert there.tolist() == [1.0, 2.0] and there.to(device) is there and there.to(there.device) is there
    assert x.copy_(there).tolist() == [1.0, 2.0] and lies_on(x, "cpu")
    assert there.copy_(tg.tensor([3, 4])).tolist() == [3.0, 4.0] and lies_on(there, device)
    assert lies_on(there.to(x), "cpu") and lies_on(x.to(there), device)
    assert there.to(device, tg.float64).dtype is tg.float64
    assert np.array_equal(there.cpu().numpy(), [3.0, 4.0]) and np.array_equal(there.numpy(force=True), [3.0, 4.0])


@cheap
def test_deep_copies_and_pickles_stay_on_the_device(device: str) -> None:
    x = tg.tensor([1.0, 2.0], device=device, requires_grad=True)
    for other in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert lies_on(other, device) and other.requires_grad and other.tolist() == [1.0, 2.0]
        (other * other).sum().backward()
        assert other.grad.tolist() == [2.0, 4.0]


@cheap
def test_numpy_is_refused_and_says_how(device: str) -> None:
    x = tg.ones(2, device=device)
    for call in (x.numpy, lambda: np.asarray(x)):
        with pytest.raises(DeviceError, match=r"tensor\.cpu\(\)\.numpy\(\)"):
            call()
    assert f"device='{x.device}'" in repr(x) and "1., 1." in repr(x)
    assert x[0].item() == 1.0 and float(x[1]) == 1.0 and bool((x == 1).all()) and f"{x.sum():.1f}" == "2.0"


# --- operands on different devices


@cheap
def test_mixed_devices_raise_with_both_names(device: str) -> None:
    x, y = tg.ones(3, device=device), tg.ones(3)
    mixes: list[Callable[[], Any]] = [
        lambda: x + y,
        lambda: y - x,
        lambda: x * np.ones(3, np.float32),
        lambda: x @ y,
        lambda: tg.cat([x, y]),
        lambda: tg.stack([y, x]),
        lambda: tg.where(x > 0, x, y),
        lambda: tg.maximum(x, y),
        lambda: F.mse_loss(x, y),
        lambda: F.linear(x, tg.ones(2, 3)),
        lambda: x == y,
        lambda: nn.Linear(3, 2)(x),
        lambda: x.add_(y),
    ]
    for mix in mixes:
        with pytest.raises(DeviceError) as caught:
            mix()
        assert f"'{x.device}'" in str(caught.value) and "'cpu'" in str(caught.value)
        assert caught.value.__cause__ is None


@long
def test_every_operation_refuses_mixed_devices(device: str) -> None:
    problems, asked = [], 0
    for case in CASES:
        if len(case.draws) < 2 or not all(d.shape for d in case.draws):
            continue
        asked += 1
        inputs = case.make(tg)
        inputs[0] = inputs[0].detach().to(device)
        try:
            case.run(tg, *inputs)
        except DeviceError as error:
            if f"'{inputs[0].device}'" not in str(error) or "'cpu'" not in str(error):
                problems.append(f"{case.name}: {error}")
        except Exception as error:
            problems.append(f"{case.name}: {error!r}")
        else:
            problems.append(f"{case.name}: no error")
    report(problems)
    assert asked > 100


@cheap
def test_numbers_of_the_cpu_mix(device: str) -> None:
    """0-d tensors and NumPy's scalars stand beside tensors of any device, and their gradients come back."""
    x = tg.tensor([1.0, 2.0], device=device, requires_grad=True)
    s = tg.tensor(3.0, requires_grad=True)
    for y, expected in ((x * s, [3.0, 6.0]), (s - x, [2.0, 1.0]), (x + np.float32(1), [2.0, 3.0]), (s / x, [3.0, 1.5])):
        assert lies_on(y, device) and y.tolist() == expected and y.dtype is tg.float32
    (x * s).sum().backward()
    assert s.grad is not None and lies_on(s.grad, "cpu") and s.grad.item() == 3.0
    assert x.grad is not None and lies_on(x.grad, device) and x.grad.tolist() == [3.0, 3.0]
    assert (x.detach() * tg.tensor(2.0, dtype=tg.float64)).dtype is tg.float32
    assert lies_on(tg.maximum(x, s), device) and lies_on(tg.where(x > 1, x, s), device)
    assert bool((x > tg.tensor(1.5))[1])
    (tg.tensor(2.0, device=device, requires_grad=True) * s).backward()
    assert s.grad.item() == 5.0


@cheap
def test_indices_of_the_cpu_are_taken(device: str) -> None:
    x = tg.arange(6.0, device=device).reshape(3, 2)
    for index in (tg.tensor([2, 0]), [2, 0], np.array([2, 0]), tg.tensor([2, 0], device=device)):
        assert lies_on(x[index], device) and x[index].tolist() == [[4.0, 5.0], [0.0, 1.0]]
    assert x[tg.tensor([True, False, True])].tolist() == [[0.0, 1.0], [4.0, 5.0]]


@cheap
def test_repeated_indices_add_their_gradients(device: str) -> None:
    x = tg.zeros(3, device=device, requires_grad=True)
    (x[[0, 2, 2, 2]] * tg.tensor([1.0, 2.0, 3.0, 4.0], device=device)).sum().backward()
    assert x.grad.tolist() == [1.0, 0.0, 9.0]


def test_a_device_that_is_not_there_says_what_to_do() -> None:
    with pytest.raises(DeviceError, match=r"'tpu' is unknown; there are 'cpu', 'cuda', 'strict'"):
        tg.zeros(2, device="tpu")


@pytest.mark.gpu
@pytest.mark.skipif(DEVICE != "cuda", reason="only GPUs have numbers")
def test_gpus_have_numbers() -> None:
    first = tg.ones(2, device="cuda:0")
    assert first.device == tg.device("cuda", 0) == tg.zeros(1, device=0).device == tg.ones(2).cuda().device
    assert str(tg.ones(2, device="cuda").device).startswith("cuda:") and first.is_cuda
    assert lies_on(tg.ones(2).cuda(0), "cuda") and tg.ones(2).to(0).is_cuda and not tg.ones(2).is_cuda
    with pytest.raises(DeviceError, match=r"'cuda:99': this machine has \d+ GPU\(s\), numbered from 0"):
        tg.zeros(2, device="cuda:99")


@pytest.mark.gpu
def test_memory_is_shared_with_cupy() -> None:
    import cupy

    array = cupy.zeros(3, "float32")
    x = tg.as_tensor(array)
    assert x.array is array and x.is_cuda
    shared = tg.from_dlpack(array)
    shared[0] = 5.0
    cupy.from_dlpack(x)[1] = 6.0
    tg.utils.dlpack.from_dlpack(tg.utils.dlpack.to_dlpack(x))[2] = 7.0
    assert x.tolist() == shared.tolist() == [5.0, 6.0, 7.0] and x.__dlpack_device__() == (2, 0)


@pytest.mark.gpu
def test_what_a_gpu_says_of_itself() -> None:
    cuda = tg.cuda
    assert cuda.is_available() and cuda.device_count() >= 1 and cuda.current_device() == 0
    assert cuda.get_device_name() == cuda.get_device_name("cuda:0") and cuda.get_device_capability()[0] >= 5
    assert tg.version.cuda.partition(".")[0].isdigit() and tg.accelerator.current_accelerator() == tg.device("cuda")
    cuda.empty_cache()
    before = cuda.memory_allocated()
    x = tg.zeros(1_000_000, device="cuda")
    assert cuda.memory_allocated() - before >= 4_000_000 and cuda.memory_reserved() >= cuda.memory_allocated()
    free, total = cuda.mem_get_info()
    assert 0 < free < total and x.get_device() == 0 and isinstance(x, cuda.FloatTensor) and not x.is_cpu
    with cuda.device(0), cuda.device_of(x):
        cuda.synchronize()
    cuda.manual_seed_all(3)
    assert tg.initial_seed() == 3 and cuda.is_initialized()
    assert tg.cuda.LongTensor([1, 2]).is_cuda and tg.ones(1).type("torch.cuda.DoubleTensor").dtype is tg.float64


# --- networks


def network(device: str = "cpu") -> Any:
    tg.manual_seed(0)
    with tg.device(device):
        return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3))


def batch(device: str) -> tuple[Any, Any]:
    draw = np.random.default_rng(3)
    x, y = draw.normal(size=(16, 4)).astype(np.float32), draw.integers(0, 3, 16)
    return tg.tensor(x, device=device), tg.tensor(y, device=device)


def steps(model: Any, optimizer: Any, device: str, count: int = 5) -> list[float]:
    x, y = batch(device)
    losses = []
    for _ in range(count):
        optimizer.zero_grad()
        loss = nn.CrossEntropyLoss()(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "SGD": lambda parameters: optim.SGD(parameters, lr=0.1),
    "SGD, momentum": lambda parameters: optim.SGD(parameters, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "Adam": lambda parameters: optim.Adam(parameters, lr=0.01),
    "Adam, amsgrad": lambda parameters: optim.Adam(parameters, lr=0.01, amsgrad=True, weight_decay=0.1),
}


@cheap
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_takes_the_same_course(name: str, device: str) -> None:
    losses, models = {}, {}
    for where in ("cpu", device):
        models[where] = network(where)
        losses[where] = steps(models[where], OPTIMIZERS[name](models[where].parameters()), where)
    assert losses["cpu"][-1] < losses["cpu"][0]
    np.testing.assert_allclose(losses[device], losses["cpu"], 1e-4)
    for a, b in zip(models[device].parameters(), models["cpu"].parameters(), strict=True):
        assert lies_on(a, device) and lies_on(a.grad, device)
        close(a, b, 1e-3, 1e-4)


@cheap
def test_parameters_stay_the_same_objects_when_they_move(device: str) -> None:
    model = network()
    before = list(model.parameters())
    values = [host(p) for p in before]
    model(batch("cpu")[0]).sum().backward()
    slopes = [host(p.grad).copy() for p in before]
    assert model.to(device) is model
    for p, old, value, slope in zip(model.parameters(), before, values, slopes, strict=True):
        assert p is old and lies_on(p, device) and p.is_leaf and p.requires_grad and type(p) is nn.Parameter
        assert np.array_equal(host(p), value) and lies_on(p.grad, device) and np.array_equal(host(p.grad), slope)
    assert all(lies_on(p, "cpu") for p in model.cpu().parameters())
    if device == "cuda":
        assert all(p.is_cuda for p in model.cuda().parameters()) and all(p.is_cuda for p in model.cuda(0).parameters())


@cheap
@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_an_optimizer_made_before_the_move_goes_on(name: str, device: str) -> None:
    losses = {}
    for where in ("cpu", device):
        model = network()
        optimizer = OPTIMIZERS[name](model.parameters())
        model.to(where)
        losses[where] = steps(model, optimizer, where)
    np.testing.assert_allclose(losses[device], losses["cpu"], 1e-4)


@cheap
def test_buffers_move_and_integers_keep_their_dtype(device: str) -> None:
    model = nn.Module()
    model.register_buffer("mean", tg.ones(2))
    model.register_buffer("count", tg.tensor([3]))
    model.to(device, tg.float64)
    assert lies_on(model.mean, device) and model.mean.dtype is tg.float64
    assert lies_on(model.count, device) and model.count.dtype is tg.int64


@cheap
def test_a_state_goes_to_the_device_of_the_module(device: str) -> None:
    source, target = network(), network(device)
    with tg.no_grad():
        for p in source.parameters():
            p.mul_(2)
    target.load_state_dict(source.state_dict())
    for a, b in zip(target.parameters(), source.parameters(), strict=True):
        assert lies_on(a, device) and np.array_equal(host(a), host(b))
    source.load_state_dict(target.state_dict())
    assert all(lies_on(p, "cpu") for p in source.parameters())
    assert all(lies_on(t, device) for t in target.state_dict().values())


@cheap
def test_an_optimizer_goes_on_from_its_state(device: str, tmp_path: Path) -> None:
    """A checkpoint taken on the device goes on there as if nothing had happened."""
    model = network(device)
    optimizer = OPTIMIZERS["Adam"](model.parameters())
    steps(model, optimizer, device, 3)
    tg.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, tmp_path / "checkpoint")
    expected = steps(model, optimizer, device, 3)
    saved = tg.load(tmp_path / "checkpoint")
    again = network(device)
    resumed = OPTIMIZERS["Adam"](again.parameters())
    again.load_state_dict(saved["model"])
    resumed.load_state_dict(saved["optimizer"])
    assert steps(again, resumed, device, 3) == pytest.approx(expected, rel=1e-6)


@cheap
def test_functions_of_nn_take_the_devices_arrays(device: str) -> None:
    results = {}
    for where in ("cpu", device):
        tg.manual_seed(5)
        x, y = batch(where)
        dropped = nn.Dropout(0.5)(x)
        weights = tg.tensor([1.0, 2.0, 0.5], device=where)
        loss = F.cross_entropy(x[:, :3], y, weight=weights, label_smoothing=0.1)
        binary = F.binary_cross_entropy_with_logits(x, (x > 0).float(), pos_weight=tg.ones(4, device=where) * 2)
        results[where] = [dropped, loss, binary, F.one_hot(y, 3), nn.Flatten()(x.reshape(4, 2, 2, 4)), x.std(0)]
    for a, b in zip(results[device], results["cpu"], strict=True):
        assert lies_on(a, device) and a.dtype is b.dtype
        close(a, b)


# --- seeds

DRAWS: dict[str, Callable[[], Any]] = {
    "rand": lambda: tg.rand(3, 4),
    "rand, float64": lambda: tg.rand(5, dtype=tg.float64),
    "rand, float16": lambda: tg.rand(5, dtype=tg.float16),
    "randn": lambda: tg.randn(3, 4),
    "randint": lambda: tg.randint(-5, 9, (20,)),
    "randperm": lambda: tg.randperm(20),
    "rand_like": lambda: tg.rand_like(tg.zeros(4)),
    "randn_like": lambda: tg.randn_like(tg.zeros(4)),
    "randint_like": lambda: tg.randint_like(tg.zeros(9), 7),
    "bernoulli": lambda: tg.bernoulli(tg.full((50,), 0.3)),
    "uniform_": lambda: tg.empty(6).uniform_(-1, 2),
    "normal_": lambda: tg.empty(6).normal_(3, 2),
    "log_normal_": lambda: tg.empty(6).log_normal_(),
    "cauchy_": lambda: tg.empty(6).cauchy_(),
    "exponential_": lambda: tg.empty(6).exponential_(),
    "geometric_": lambda: tg.empty(60).geometric_(0.3),
    "random_": lambda: tg.empty(6).random_(),
    "bernoulli_": lambda: tg.empty(50).bernoulli_(),
    "bernoulli_ of a tensor": lambda: tg.empty(50).bernoulli_(tg.full((50,), 0.3)),
    "poisson": lambda: tg.poisson(tg.full((50,), 3.0)),
    "binomial": lambda: tg.binomial(tg.full((50,), 9.0), tg.full((50,), 0.3)),
    "normal": lambda: tg.normal(tg.zeros(5), tg.ones(5)),
    "normal of a size": lambda: tg.normal(0.0, 1.0, (5,)),
    "multinomial": lambda: tg.multinomial(tg.rand(3, 20), 5),
    "multinomial with replacement": lambda: tg.multinomial(tg.rand(3, 20), 50, True),
    "dropout": lambda: F.dropout(tg.ones(50), 0.4),
    "Linear": lambda: nn.Linear(3, 5).weight,
    "kaiming_normal_": lambda: nn.init.kaiming_normal_(tg.empty(4, 3)),
    "a generator": lambda: tg.rand(5, generator=tg.Generator().manual_seed(4)),
}


@cheap
@pytest.mark.parametrize("name", DRAWS)
def test_a_seed_gives_the_numbers_of_the_cpu(name: str, device: str) -> None:
    drawn = []
    for where in ("cpu", device):
        tg.manual_seed(11)
        with tg.device(where):
            drawn.append(DRAWS[name]())
        assert lies_on(drawn[-1], where)
    assert drawn[0].dtype is drawn[1].dtype and np.array_equal(*map(host, drawn))
    assert len(np.unique(host(drawn[0]))) > 1


# --- where tensors are made

MAKERS: dict[str, Callable[..., Any]] = {
    "tensor": lambda **o: tg.tensor([1.0, 2.0], **o),
    "as_tensor": lambda **o: tg.as_tensor(np.ones(2), **o),
    "Tensor": lambda **o: tg.Tensor([1.0, 2.0], **o),
    "Tensor of sizes": lambda **o: tg.Tensor(2, 3, **o),
    "zeros": lambda **o: tg.zeros(2, **o),
    "ones": lambda **o: tg.ones(2, **o),
    "full": lambda **o: tg.full((2,), 7, **o),
    "empty": lambda **o: tg.empty(2, **o),
    "eye": lambda **o: tg.eye(2, **o),
    "arange": lambda **o: tg.arange(3, **o),
    "linspace": lambda **o: tg.linspace(0, 1, 3, **o),
    "rand": lambda **o: tg.rand(2, **o),
    "randn": lambda **o: tg.randn(2, **o),
    "randint": lambda **o: tg.randint(3, (2,), **o),
    "randperm": lambda **o: tg.randperm(3, **o),
}


@cheap
@pytest.mark.parametrize("name", MAKERS)
def test_every_way_to_say_where(name: str, device: str) -> None:
    make = MAKERS[name]
    assert lies_on(make(device=device), device) and lies_on(make(device=tg.device(device)), device)
    with tg.device(device):
        assert lies_on(make(), device) and lies_on(make(device="cpu"), "cpu")
        with tg.device("cpu"):
            assert lies_on(make(), "cpu")
        assert lies_on(make(), device)
    assert lies_on(make(), "cpu")
    tg.set_default_device(device)
    assert lies_on(make(), device) and lies_on(make(device="cpu"), "cpu")
    with tg.device("cpu"):
        assert lies_on(make(), "cpu")


@cheap
def test_like_another_tensor_is_where_it_is(device: str) -> None:
    x = tg.ones(2, 3, device=device)
    for like in (tg.zeros_like, tg.ones_like, tg.empty_like, tg.rand_like, tg.randn_like):
        assert lies_on(like(x), device) and like(x).shape == (2, 3) and lies_on(like(x, device="cpu"), "cpu")
    assert lies_on(tg.full_like(x, 2.0), device) and lies_on(tg.tensor(x), device) and tg.as_tensor(x) is x


@cheap
def test_an_error_in_a_with_block_ends_it(device: str) -> None:
    with pytest.raises(KeyError), tg.device(device):
        raise KeyError
    assert lies_on(tg.zeros(1), "cpu")


@cheap
def test_the_environment_decides_where(device: str, repository: Path) -> None:
    program = """
import tinygrad_dl as tg
from tinygrad_dl import nn
x = tg.ones(2, 3, requires_grad=True)
nn.Linear(3, 1)(x).sum().backward()
print(x.device.type, x.grad.device.type, tg.get_default_device().type, tg.zeros(1, device="cpu").device.type)
"""
    environment = {**os.environ, "TINYGRAD_DL_DEVICE": device, "PYTHONPATH": str(repository)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout.split()) == (0, [device, device, device, "cpu"]), done.stderr


# --- files


@cheap
def test_files_keep_devices(device: str, tmp_path: Path) -> None:
    path = tmp_path / "tensors"
    tensors = {"there": tg.arange(6.0, device=device).reshape(2, 3).t(), "here": tg.tensor([1, 2])}
    tg.save(tensors, path)
    loaded = tg.load(path)
    assert lies_on(loaded["there"], device) and lies_on(loaded["here"], "cpu")
    assert loaded["there"].tolist() == [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]] and loaded["here"].tolist() == [1, 2]
    assert all(lies_on(t, "cpu") for t in tg.load(path, map_location="cpu").values())
    assert all(lies_on(t, device) for t in tg.load(path, map_location=device).values())
    loaded["there"].mul_(2)
    assert loaded["there"][0, 1].item() == 6.0


# --- the main job


@pytest.fixture(scope="module")
def digits(repository: Path) -> Any:
    """The program that learns to read digits, as a module."""
    pytest.importorskip("sklearn", reason="scikit-learn, which has the digits, is not installed")
    pytest.importorskip("tqdm", reason="tqdm, which the program shows its progress with, is not installed")
    spec = spec_from_file_location("digits_on_a_device", repository / "examples" / "digits.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@long
def test_digits_are_learned_as_on_the_cpu(digits: Any, device: str) -> None:
    histories, weights = {}, {}
    for where in ("cpu", device):
        tg.manual_seed(0)
        with tg.device(where):
            seen, unseen = digits.load_data(0)
            model = digits.Perceptron()
            histories[where] = digits.train(model, seen, unseen, 2)
        assert all(lies_on(p, where) for p in model.parameters()) and lies_on(seen.x, where)
        weights[where] = model.hidden.weight
    assert histories["cpu"][-1][3] > 0.93, "two epochs read most digits"
    np.testing.assert_allclose(histories[device], histories["cpu"], 0.02, 0.01)
    close(weights[device], weights["cpu"], 0.05, 0.01)


@long
def test_the_program_runs_on_the_device(digits: Any, device: str, tmp_path: Path, capsys: Any) -> None:
    digits.main(["--epochs", "1", "--no-plots", "--device", device, "--output", str(tmp_path)])
    assert "Accuracy on the held-out quarter: 9" in capsys.readouterr().out
    assert all(lies_on(t, device) for t in tg.load(tmp_path / "weights.safetensors").values())


# --- derivatives


@cheap
def test_gradcheck_runs_on_the_device(device: str) -> None:
    x = tg.tensor([[0.5, -1.0], [2.0, 0.25]], device=device, requires_grad=True)
    w = tg.tensor([0.3, 0.7], device=device, requires_grad=True)
    assert tg.gradcheck(lambda x, w: (x @ w).sigmoid(), (x, w))
    assert tg.gradgradcheck(lambda x, w: (x @ w).tanh() * x.exp().sum(), (x, w))
    with pytest.raises(GraphError, match="by central differences"):
        tg.gradcheck(lambda x: x.detach() * x, x)
