"""Model files as they are written for PyTorch, with the import redirected: the same numbers from equal weights."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg

PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")


def load(program: str, lib: Any) -> Any:
    """A program as a module, written for PyTorch and run on a library."""
    source = (PROGRAMS / f"{program}.py").read_text(encoding="utf-8")
    module = types.ModuleType(f"{program}_on_{lib.__name__}")
    sys.modules[module.__name__] = module  # where dataclasses look
    redirected = source.replace("import torch.nn as nn", f"import {lib.__name__}.nn as nn")
    redirected = redirected.replace("import torch\n", f"import {lib.__name__} as torch\n")
    redirected = redirected.replace("from torch", f"from {lib.__name__}")
    exec(compile(redirected, module.__name__, "exec"), module.__dict__)
    return module


def with_equal_weights(torch: Any, program: str, make: Any) -> list[tuple[Any, Any]]:
    """(library, model) for both libraries, in float64, with PyTorch's weights."""
    torch.manual_seed(0)
    ours, theirs = (make(load(program, lib)).double() for lib in (tg, torch))
    assert repr(ours) == repr(theirs)
    ours.load_state_dict({name: tg.tensor(value.numpy()) for name, value in theirs.state_dict().items()})
    return [(tg, ours), (torch, theirs)]


def assert_same_training(runs: list[tuple[Any, Any]], losses: Any, optimizer_of: Any) -> None:
    """Three steps of training: the losses, the gradients of the last step, and the weights."""
    found = []
    for lib, model in runs:
        optimizer, seen = optimizer_of(lib, model), []
        for _ in range(3):
            optimizer.zero_grad(set_to_none=True)
            loss = losses(lib, model)
            loss.backward()
            lib.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            seen.append(loss.item())
        gradients = {name: p.grad.numpy() for name, p in model.named_parameters()}
        found.append((seen, gradients, {name: p.detach().numpy() for name, p in model.named_parameters()}))
    ours, theirs = found
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-9)
    for a, b in zip(ours[1:], theirs[1:]):
        assert list(a) == list(b)
        for name in a:
            np.testing.assert_allclose(a[name], b[name], rtol=1e-6, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_a_gpt(torch: Any, bias: bool, fused: bool) -> None:
    runs = with_equal_weights(torch, "gpt", lambda program: program.GPT(program.Settings(bias=bias, fused=fused)))
    symbols = np.random.default_rng(0).integers(0, 11, (3, 9))

    def loss(lib: Any, model: Any) -> Any:
        following = lib.tensor(symbols[:, 1:])
        following[0, :2] = -1
        return model(lib.tensor(symbols[:, :-1]), following)

    assert_same_training(runs, loss, lambda lib, model: model.optimizer(1e-2, 0.1))
    written = [model.eval().write(lib.tensor(symbols[:1, :3]), 8, best=4).tolist() for lib, model in runs]
    assert written[0] == written[1] and len(written[0][0]) == 11


def test_a_translator(torch: Any) -> None:
    runs = with_equal_weights(torch, "translation", lambda program: program.Translator(9, 10))
    draw = np.random.default_rng(0)
    source, target = draw.integers(3, 9, (6, 4)), draw.integers(3, 9, (5, 4))
    source[4:, 1], target[3:, 2] = 0, 0

    def adam(lib: Any, model: Any) -> Any:
        return lib.optim.Adam(model.parameters(), lr=1e-2, betas=(0.9, 0.98), eps=1e-9)

    assert_same_training(runs, lambda lib, model: model.loss(lib.tensor(source), lib.tensor(target)), adam)
    said = [model.eval().translate(lib.tensor(source[:, :1]), 7).tolist() for lib, model in runs]
    assert said[0] == said[1]
