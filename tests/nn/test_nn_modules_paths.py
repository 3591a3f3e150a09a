"""PyTorch's import paths of layers: the same classes as in `nn`."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import tinygrad_dl as tg
from tinygrad_dl import nn
from tinygrad_dl.nn.modules.utils import _pair, _quadruple, _reverse_repeat_tuple, _single, _triple

torch = pytest.importorskip("torch")

UNBUILT = {"_functions", "linear_cross_entropy", "linear_cross_entropy_options"}
FILES = sorted({file.name for file in pkgutil.iter_modules(torch.nn.modules.__path__)} - UNBUILT)


@pytest.mark.parametrize("file", FILES)
def test_each_file_has_the_classes_that_it_has_in_pytorch(file: str) -> None:
    theirs = importlib.import_module(f"torch.nn.modules.{file}")
    ours = importlib.import_module(f"tinygrad_dl.nn.modules.{file}")
    names = [name for name in getattr(theirs, "__all__", []) if hasattr(nn, name)]
    for name in names:
        assert getattr(ours, name) is getattr(nn, name)


def test_names_are_imported_by_the_usual_statements() -> None:
    from tinygrad_dl.nn.modules import Linear
    from tinygrad_dl.nn.modules.activation import ReLU
    from tinygrad_dl.nn.modules.container import Sequential
    from tinygrad_dl.nn.modules.loss import _Loss
    from tinygrad_dl.nn.parameter import Parameter

    assert (Linear, ReLU, Sequential, Parameter) == (nn.Linear, nn.ReLU, nn.Sequential, nn.Parameter)
    assert issubclass(nn.MSELoss, _Loss)
    with pytest.raises(AttributeError, match="Did you mean 'Linear'"):
        _ = nn.modules.linear.Liner
    with pytest.raises(AttributeError, match="Did you mean 'Linear'"):
        _ = nn.modules.Liner


def test_types_of_arguments() -> None:
    theirs = {name for name in vars(torch.nn.common_types) if name.startswith("_") and name.endswith("_t")}
    assert sorted(theirs - set(vars(nn.common_types))) == []


def test_small_functions() -> None:
    theirs = torch.nn.modules.utils
    for name, ours in {"_single": _single, "_pair": _pair, "_triple": _triple, "_quadruple": _quadruple}.items():
        for value in (3, (1, 2), [4]):
            assert ours(value) == getattr(theirs, name)(value)
    assert _reverse_repeat_tuple((1, 2), 2) == theirs._reverse_repeat_tuple((1, 2), 2) == (2, 2, 1, 1)
    found = []
    for lib in (torch, tg):
        state = lib.nn.DataParallel(lib.nn.Sequential(lib.nn.Linear(1, 1))).state_dict()
        lib.nn.modules.utils.consume_prefix_in_state_dict_if_present(state, "module.")
        found.append((list(state), sorted(state._metadata)))
    assert found[0] == found[1]
    assert found[1][0] == ["0.weight", "0.bias"]
