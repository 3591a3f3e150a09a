"""Model files as they are written for PyTorch, run with their import redirected: equal weights, equal results.

Each file in models/ has `build()`, `inputs(rng)` and `run(model, *inputs)`, which returns what is compared.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg

torch = pytest.importorskip("torch")

MODELS = sorted((Path(__file__).parent / "models").glob("*.py"))


def loaded(path: Path, library: str) -> Any:
    """A model file, with another name in place of torch's."""
    source = re.sub(r"\btorch\b", library, path.read_text(encoding="utf-8"))
    module = ModuleType(f"{library}_{path.stem}")
    sys.modules[module.__name__] = module  # dataclasses look their module up
    exec(compile(source, str(path), "exec"), module.__dict__)
    return module


def numbers(value: Any) -> Any:
    return value.detach().numpy() if isinstance(value, tg.Tensor | torch.Tensor) else np.asarray(value)


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_a_model_file(path: Path) -> None:
    torch.manual_seed(0)
    theirs, ours = loaded(path, "torch"), loaded(path, "tinygrad_dl")
    models = [theirs.build().double(), ours.build().double()]
    state = models[0].state_dict()
    assert list(models[1].state_dict()) == list(state)
    given = {
        key: tg.tensor(value.numpy().copy()) if isinstance(value, torch.Tensor) else value
        for key, value in state.items()
    }
    models[1].load_state_dict(given)
    assert repr(models[1]) == repr(models[0]).replace("torch.", "tinygrad_dl.")
    found = []
    for lib, file, model in ((torch, theirs, models[0]), (tg, ours, models[1])):
        arrays = file.inputs(np.random.default_rng(1))
        result = file.run(model, *[lib.tensor(array) for array in arrays])
        gradients = {f"gradient of {name}": p.grad for name, p in model.named_parameters() if p.grad is not None}
        found.append({**result, **gradients, **model.state_dict()})
    assert list(found[0]) == list(found[1])
    for name, expected in found[0].items():
        if not isinstance(expected, dict):
            np.testing.assert_allclose(
                numbers(found[1][name]), numbers(expected), rtol=1e-9, atol=1e-11, err_msg=f"{path.stem}: {name}"
            )


def test_there_are_a_dozen() -> None:
    assert len(MODELS) >= 12
