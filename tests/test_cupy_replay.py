"""The real CuPy knows every call of the engine: what ran on `strict` is replayed on CuPy arrays without memory."""

from __future__ import annotations

import copy
import importlib
import importlib.util
import inspect
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
import replay
import test_strict
from cases import CASES, Case

import tinygrad_dl as tg
from tinygrad_dl import nn, optim, testing
from tinygrad_dl.testing import strict


@pytest.fixture(scope="session")
def cupy() -> Any:
    if importlib.util.find_spec("cupy") is None:
        pytest.skip("CuPy is not installed (without a GPU: pip install cupy-cuda12x)")
    module = importlib.import_module("cupy")
    if module.is_available():
        pytest.skip("a GPU is there, which would read arrays without memory; run `pytest -m gpu` instead")
    return module


def problems_of(call: Callable[[], Any], cupy: Any) -> list[str]:
    """What CuPy says of the calls of a program that `strict` may refuse half-way."""
    calls = replay.Recorder()
    with calls.recording(), suppress(Exception):
        call()
    return replay.replay(calls, cupy)


# --- the replay catches what CuPy does not know, and nothing else

A = strict.asarray(np.ones((2, 3), "float32"))
MASK = strict.asarray(np.ones((2, 3), bool))
HALF = strict.asarray(np.ones((2, 3), "float16"))

PLANTED: list[tuple[Callable[[], Any], str]] = [
    (lambda: np.maximum.reduce(A), r"ufunc maximum.reduce\(float32\[2, 3\]\): NotImplementedError"),
    (lambda: np.logical_and.reduce(MASK, axis=0), "ufunc logical_and.reduce.*NotImplementedError"),
    (lambda: strict.maximum.accumulate(A), "module maximum.accumulate.*NotImplementedError"),
    (lambda: np.block([A, A]), "function numpy.block.*TypeError: no implementation"),
    (lambda: np.linalg.vector_norm(A), "function numpy.linalg.vector_norm.*TypeError: no implementation"),
    (lambda: np.sum(A, where=MASK), "function numpy.sum.*unexpected keyword argument 'where'"),
    (lambda: A.sum(where=MASK), "method sum.*unexpected keyword argument 'where'"),
    (lambda: A.max(initial=0.0), "method max.*unexpected keyword argument 'initial'"),
    (lambda: np.add.reduce(A, initial=0.0), "ufunc add.reduce.*unexpected keyword argument 'initial'"),
    (lambda: np.take(A, [0], mode="clip"), "function numpy.take.*unexpected keyword argument 'mode'"),
    (lambda: np.add(A, A, order="C"), "ufunc add.*Wrong arguments"),
    (lambda: A @ np.ones((3, 2), "float32"), "operator matmul.*TypeError"),
    (lambda: A.__setitem__(0, np.ones(3)), "operator setitem.*non-scalar numpy.ndarray"),
]


@pytest.mark.parametrize(("call", "message"), PLANTED)
def test_planted_calls_are_caught(cupy: Any, call: Callable[[], Any], message: str) -> None:
    (problem,) = problems_of(call, cupy)
    assert re.search(message, problem)
    assert re.match(r"tests/test_cupy_replay.py:\d+: ", problem), "the line that made the call is named"


def test_loops_with_other_results_are_caught(cupy: Any) -> None:
    """Dtypes are compared by the lists of CuPy's ufuncs; where these agree with NumPy's there is nothing to report."""

    class Fewer:
        """CuPy without float16."""

        cuda = cupy.cuda
        ndarray = cupy.ndarray

        class multiply:
            types = ["ff->f", "dd->d"]

        class subtract:
            types = ["dd->d"]

    calls = replay.record(lambda: (HALF * 2.0, HALF - HALF, A * 2.0))
    found = replay.replay(calls, Fewer)
    assert len(found) == 2
    assert "CuPy's multiply gives f, NumPy's e" in found[0] and "CuPy's subtract gives d, NumPy's e" in found[1]
    assert replay.replay(calls, cupy) == []


def test_calls_are_distinct() -> None:
    def program() -> None:
        for scale in (1.0, 2.0):
            np.exp(A * scale)
            A.sum(axis=0)
        A.sum(axis=-1)
        A.T * 2.0

    names = [seen.call.name for seen in replay.record(program)]
    assert names == ["mul", "exp", "sum", "sum", "T", "mul"]


# --- `strict` is as strict as CuPy


@pytest.mark.parametrize("case", test_strict.ALLOWED, ids=[case[0] for case in test_strict.ALLOWED])
def test_what_strict_allows_cupy_knows(cupy: Any, case: tuple[str, Callable[[Any, Any], Any]]) -> None:
    assert problems_of(lambda: case[1](test_strict.on_strict(), strict), cupy) == []


@pytest.mark.parametrize("case", test_strict.EDITS, ids=[case[0] for case in test_strict.EDITS])
def test_edits_that_strict_allows_cupy_knows(cupy: Any, case: tuple[str, Callable[[Any, Any], Any]]) -> None:
    assert problems_of(lambda: case[1](test_strict.on_strict(), strict), cupy) == []


@pytest.mark.parametrize("case", test_strict.REFUSED, ids=[case[0] for case in test_strict.REFUSED])
def test_what_strict_refuses_cupy_refuses(cupy: Any, case: tuple[str, type[Exception], Callable[[Any], Any]]) -> None:
    """With the same exception, where CuPy gets that far without a GPU."""
    name, error, call = case
    if "module" in name:
        return  # these call `strict` itself; the tables below are compared with CuPy
    array = replay.fill(replay.Blank((2, 3), "<f4", (12, 4)), cupy)
    with pytest.raises((error, cupy.cuda.runtime.CUDARuntimeError, ImportError)):
        call(array)


def names_of(module: Any) -> set[str]:
    return {name for name in dir(module) if not name.startswith("_")}


def test_names_that_cupy_lacks_are_refused(cupy: Any) -> None:
    assert {name for name in names_of(np) if not hasattr(cupy, name)} <= testing.LACKS
    assert {name for name in names_of(np.linalg) if not hasattr(cupy.linalg, name)} <= testing.LACKS_LINALG
    assert {name for name in names_of(np.ndarray) if not hasattr(cupy.ndarray, name)} <= testing.LACKS_METHODS


def test_names_that_cupy_has_are_not_refused(cupy: Any) -> None:
    refused = (testing.LACKS & names_of(cupy)) | (testing.LACKS_LINALG & names_of(cupy.linalg))
    assert not refused, "CuPy has learnt these: take them out of the tables"


def test_keywords_that_cupy_lacks_are_refused(cupy: Any) -> None:
    named = {"a", "arr", "x", "arrays", "args", "kwargs", "shape", "start_or_stop"} | {"out"}
    for name, refused in testing.LACKS_KEYWORDS.items():
        ours, theirs = (set(inspect.signature(getattr(module, name)).parameters) for module in (np, cupy))
        if name == "astype":  # the method has keywords that the function has not
            ours |= {"casting", "subok"}
        assert refused <= ours - theirs, f"{name}: CuPy has learnt {refused & theirs}, or NumPy never had it"
        assert (ours - theirs) - named <= refused, f"{name}: CuPy lacks {ours - theirs - named - refused}"


@pytest.mark.parametrize("method", ["reduce", "accumulate", "reduceat", "at"])
def test_methods_of_ufuncs_that_cupy_has(cupy: Any, method: str) -> None:
    known = testing.SCATTERS if method == "at" else testing.REDUCES[method]
    array = replay.fill(replay.Blank((2, 3), "<i4", (12, 4)), cupy)
    arguments = {"at": (0, 1), "reduceat": ([0],)}.get(method, (0,))
    for name in names_of(np):
        ufunc = getattr(np, name)
        if isinstance(ufunc, np.ufunc) and hasattr(getattr(cupy, name, None), method):
            try:
                getattr(getattr(cupy, name), method)(array, *arguments)
            except NotImplementedError:
                assert ufunc.__name__ not in known
            except (cupy.cuda.runtime.CUDARuntimeError, TypeError):
                assert ufunc.__name__ in known


# --- CuPy knows what the engine does


def training(optimizer: Callable[[Any], Any]) -> Callable[[], Any]:
    """A program that trains a small network on `strict` for some steps, with everything around it."""

    def program() -> None:
        tg.manual_seed(0)
        layers = [
            nn.Flatten(),
            nn.Linear(6, 5),
            nn.ReLU(),
            nn.Dropout(0.25),
            nn.Linear(5, 4),
            nn.Tanh(),
            nn.Linear(4, 3),
        ]
        model = nn.Sequential(*layers).to("strict")
        chosen = optimizer(model.parameters())
        x, y = tg.randn(8, 2, 3, device="strict"), tg.randint(0, 3, (8,), device="strict")
        for _ in range(3):
            chosen.zero_grad()
            loss = nn.CrossEntropyLoss()(model(x), y)
            loss.backward()
            chosen.step()
        model.load_state_dict(model.state_dict())
        chosen.load_state_dict(chosen.state_dict())
        chosen.zero_grad(set_to_none=False)
        with tg.no_grad():
            guesses = model.eval()(x).argmax(dim=1)
        float(loss), (guesses == y).sum().item(), repr(loss), model.to("cpu")

    return program


def losses() -> None:
    """Every loss with every option, forward and backward."""
    for dtype in (tg.float32, tg.float64):
        x, y = (tg.rand(4, 3, device="strict", dtype=dtype, requires_grad=True) for _ in range(2))
        labels = tg.tensor([0, 2, 1, 1], device="strict")
        weight = tg.rand(3, device="strict", dtype=dtype)
        for reduction in ("mean", "sum", "none"):
            for loss in (
                nn.MSELoss(reduction=reduction)(x, y),
                nn.BCEWithLogitsLoss(reduction=reduction)(x, y.detach()),
                nn.BCEWithLogitsLoss(weight=weight, reduction=reduction, pos_weight=weight)(x, y.detach()),
                nn.CrossEntropyLoss(reduction=reduction)(x, labels),
                nn.CrossEntropyLoss(weight=weight, reduction=reduction, label_smoothing=0.1, ignore_index=2)(x, labels),
                nn.CrossEntropyLoss(reduction=reduction)(x, y.softmax(dim=1)),
                nn.NLLLoss(reduction=reduction)(x.log_softmax(dim=1), labels),
            ):
                loss.sum().backward()


def creation() -> None:
    """Every way to make a tensor on a device."""
    device = tg.device("strict")
    with device:
        made = [tg.zeros(2, 3), tg.ones(2), tg.full((2,), 1.5), tg.empty(2), tg.arange(5), tg.arange(0.0, 1.0, 0.25)]
        made += [tg.linspace(0, 1, 5), tg.eye(3), tg.rand(2), tg.randn(2), tg.randint(0, 5, (3,)), tg.randperm(4)]
        made += [tg.tensor([[1, 2], [3, 4]]), tg.tensor(1.5), tg.as_tensor(np.ones(3)), tg.bernoulli(tg.rand(3))]
    like = [tg.zeros_like, tg.ones_like, tg.empty_like, tg.rand_like, tg.randn_like]
    for tensor in made:
        assert tensor.device == device
        repr(tensor), tensor.tolist(), tensor.cpu().to(device), tensor.clone(), tensor.to(tg.float64)
        for function in like if tensor.is_floating_point() else like[:3]:
            assert function(tensor).device == device
    tg.full_like(made[0], 2.0), tg.randint_like(made[0], 3)


def edits() -> None:
    """Every edit in place that needs no gradient, and of a leaf under no_grad."""
    a, b = tg.rand(2, 3, device="strict"), tg.rand(3, device="strict")
    a.add_(b).sub_(1).mul_(b).div_(2).pow_(2).clamp_(0, 1).exp_().log_().sqrt_().neg_().abs_()
    a.sigmoid_().tanh_().sin_().cos_().relu_().sign_().zero_().fill_(2.0).copy_(b).uniform_().normal_()
    a.log_normal_().cauchy_().exponential_().geometric_(0.5).random_(5).bernoulli_().bernoulli_(a)
    tg.bernoulli(a), tg.poisson(a), tg.binomial(a, a), tg.normal(a, b), tg.normal(1.0, b), tg.multinomial(b + 1, 2)
    list(reversed(a)), copy.deepcopy([a, a[0]]), tg.as_tensor(a.array), a.get_device(), a.storage().data_ptr()
    a += b
    a -= 1.0
    a *= b
    a /= 2
    leaf = tg.rand(2, 3, device="strict", requires_grad=True)
    with tg.no_grad():
        leaf -= 0.1 * a
    leaf.data.mul_(0.5)
    leaf.sum().backward()
    leaf.grad.zero_()


def checks() -> None:
    """Derivatives compared with differences, which read and write single elements."""
    a = tg.rand(2, 2, device="strict", dtype=tg.float64, requires_grad=True)
    assert tg.gradcheck(lambda x: (x * x).sin(), (a,)) and tg.gradgradcheck(lambda x: x**3, (a,))
    testing.assert_close(a, a.clone())
    assert a[0, 0].item() == a.select(0, 0).tolist()[0]


def lines_of_numpy() -> None:
    """NumPy's functions on tensors of the device."""
    a = tg.rand(3, 3, device="strict", requires_grad=True)
    total = np.exp(a) + np.maximum(a, 0) - np.tanh(a) * 2.0 + np.dot(a, a.T) - np.sum(a, axis=1, keepdims=True)
    (total / np.sqrt(a + 1.0)).sum().backward()
    np.round(a.detach()), np.sort(a.detach())


OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "SGD": lambda p: optim.SGD(p, lr=0.1),
    "SGD, momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.1, weight_decay=0.01, maximize=True),
    "SGD, nesterov": lambda p: optim.SGD(p, lr=tg.tensor(0.1), momentum=0.9, nesterov=True),
    "Adam": lambda p: optim.Adam(p),
    "Adam, all": lambda p: optim.Adam(p, lr=tg.tensor(0.1), weight_decay=0.1, amsgrad=True, maximize=True),
    "AdamW": lambda p: optim.AdamW(p),
    "ASGD": lambda p: optim.ASGD(p, t0=0, weight_decay=0.1),
    "Adagrad": lambda p: optim.Adagrad(p, lr_decay=0.1, initial_accumulator_value=0.1),
    "Adadelta": lambda p: optim.Adadelta(p, weight_decay=0.1),
    "RMSprop": lambda p: optim.RMSprop(p, momentum=0.9, centered=True),
    "Rprop": lambda p: optim.Rprop(p),
    "Adamax": lambda p: optim.Adamax(p),
    "NAdam": lambda p: optim.NAdam(p, weight_decay=0.1, decoupled_weight_decay=True),
    "RAdam": lambda p: optim.RAdam(p, betas=(0.9, 0.5)),
    "Adafactor": lambda p: optim.Adafactor(p, weight_decay=0.1),
}


def matrices_and_clipping() -> None:
    """Muon and L-BFGS, clipping, averages, first values."""
    w, v = (nn.Parameter(nn.init.orthogonal_(tg.empty(*shape, device="strict"))) for shape in ((4, 3), (3, 4)))
    model = nn.Linear(2, 2).to("strict")
    averaged = optim.swa_utils.AveragedModel(model, multi_avg_fn=optim.swa_utils.get_ema_multi_avg_fn(0.9))
    for _ in range(2):
        averaged.update_parameters(model)
    for optimizer in (optim.Muon([w, v]), optim.LBFGS([w, v], line_search_fn="strong_wolfe", max_iter=3)):

        def closure(optimizer: Any = optimizer) -> Any:
            optimizer.zero_grad()
            loss = ((w @ v - 1) ** 2).sum()
            loss.backward()
            for norm in (2.0, 1.0, float("inf"), float("-inf"), 0.0):
                nn.utils.clip_grad_norm_([w, v], 1.0, norm, error_if_nonfinite=True)
            nn.utils.clip_grad_value_([w, v], 0.5)
            return loss

        closure()
        optimizer.step(closure)
    nn.utils.vector_to_parameters(nn.utils.parameters_to_vector([w, v]).detach(), [w, v])


PROGRAMS: dict[str, Callable[[], Any]] = {
    **{
        program.__name__: program
        for program in (losses, creation, edits, checks, lines_of_numpy, matrices_and_clipping)
    },
    **{f"training with {name}": training(make) for name, make in OPTIMIZERS.items()},
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_cupy_knows_the_calls_of_a_program(cupy: Any, name: str) -> None:
    calls = replay.record(PROGRAMS[name])
    assert len(calls) >= 10
    problems = replay.replay(calls, cupy)
    assert not problems, "CuPy does not know these calls:\n" + "\n".join(problems)


def differentiate(case: Case, dtype: str) -> None:
    """A case on `strict`: forward, backward at the speed of arrays, and backward through the recorded gradients."""
    inputs = case.make(tg, device="strict", dtype=dtype)
    outputs = [output for output in case.outputs(case.run(tg, *inputs)) if output.requires_grad]
    if not outputs:
        return
    leaves = [leaf for leaf in inputs if leaf.requires_grad]
    seeds = [tg.ones_like(output) for output in outputs]
    tg.autograd.backward(outputs, seeds, retain_graph=True)
    first = tg.autograd.grad(outputs, leaves, seeds, create_graph=True, allow_unused=True)
    again = [gradient for gradient in first if gradient is not None and gradient.requires_grad]
    if again:
        tg.autograd.backward(again, [tg.ones_like(gradient) for gradient in again])


@pytest.mark.parametrize("operation", sorted({case.operation for case in CASES}))
def test_cupy_knows_the_calls_of_an_operation(cupy: Any, operation: str) -> None:
    calls = replay.Recorder()
    for case in CASES:
        if case.operation == operation:
            with calls.recording():
                differentiate(case, "float32")
            with calls.recording(), suppress(tg.DtypeError):  # as in PyTorch, linear algebra takes no float16
                differentiate(case, "float16")
            with calls.recording(), suppress(tg.DtypeError, tg.ArgumentError):  # many operations take no integers
                case.run(tg, *case.make(tg, device="strict", dtype="int64"))
    assert len(calls) > 0
    problems = replay.replay(calls, cupy)
    assert not problems, "CuPy does not know these calls:\n" + "\n".join(problems)
