"""ParameterList, ParameterDict and the wrappers for several devices, against PyTorch."""

from __future__ import annotations

import copy
from collections import OrderedDict
from typing import Any

import pytest

import tinygrad_dl as tg
from tinygrad_dl import nn


@pytest.fixture(params=["tinygrad_dl", "torch"])
def lib(request: pytest.FixtureRequest) -> Any:
    """Ours, and PyTorch to confirm what the test expects."""
    return pytest.importorskip(request.param)


def make_list(lib: Any) -> Any:
    values = [lib.ones(2, 3), lib.nn.Parameter(lib.tensor(1.0), requires_grad=False), 3, "text"]
    return lib.nn.ParameterList(values)


def test_a_list_of_parameters(lib: Any) -> None:
    row = make_list(lib)
    assert [name for name, _ in row.named_parameters()] == list(row.state_dict()) == ["0", "1"]
    assert row[0].requires_grad and not row[1].requires_grad
    assert (len(row), row[-1], row[2], list(row)[3]) == (4, "text", 3, "text")
    part = row[:2]
    assert isinstance(part, lib.nn.ParameterList) and part[0] is row[0] and len(part) == 2
    row[2] = lib.zeros(1)
    row += [lib.zeros(2)]
    assert row.append(4) is row and row.extend([lib.zeros(3)]) is row
    assert list(row.state_dict()) == ["0", "1", "2", "4", "6"]
    with pytest.raises(TypeError):
        row[0] = 5
    assert [name for name in dir(row) if name.isdigit()] == []
    with pytest.raises(IndexError):
        row[7]
    with pytest.raises(TypeError):
        row["0"]
    for wrong in (3, lib.ones(2)):
        with pytest.raises(TypeError):
            row.extend(wrong)
    with pytest.raises((NotImplementedError, RuntimeError)):
        row(1)


def test_a_dict_of_parameters(lib: Any) -> None:
    names = lib.nn.ParameterDict({"b": lib.ones(2), "a": 3})
    assert list(names) == list(names.keys()) == ["a", "b"] and list(names.state_dict()) == ["b"]
    ordered = lib.nn.ParameterDict(OrderedDict(z=lib.ones(1), c=lib.ones(1)))
    assert list(ordered) == list(lib.nn.ParameterDict(ordered)) == ["z", "c"] and list(reversed(ordered)) == ["c", "z"]
    assert list(lib.nn.ParameterDict([("q", lib.ones(1)), ("p", 1)])) == ["q", "p"]
    assert "a" in names and "z" not in names and len(names) == 2
    assert names.get("a") == 3 and names.get("z", 7) == 7 and names.setdefault("n") is None
    both = names | ordered
    assert list(both) == ["a", "b", "n", "z", "c"] and len(names) == 3
    names |= {"w": lib.ones(1)}
    assert names.popitem()[0] == "w" and names.pop("a") == 3 and list(names) == ["b", "n"]
    assert names.copy()["b"] is names["b"] and list(names.fromkeys(["x", "y"], 1).items()) == [("x", 1), ("y", 1)]
    assert next(iter(names.values())) is names["b"]
    names["b"] = lib.zeros(3)
    assert names.state_dict()["b"].tolist() == [0.0] * 3
    del names["n"]
    names.clear()
    assert len(names) == 0 and not list(names.parameters())
    for wrong in (lambda: names.popitem(), lambda: names.__setitem__("x.y", lib.ones(1)), lambda: names["q"]):
        with pytest.raises((KeyError, AttributeError)):
            wrong()
    with pytest.raises(KeyError):
        names["keys"] = lib.ones(1)
    with pytest.raises(TypeError):
        names[3] = lib.ones(1)
    for wrong_values in (3, lib.ones(2)):
        with pytest.raises(TypeError):
            lib.nn.ParameterDict(wrong_values)


def test_they_look_as_pytorchs_and_are_copied() -> None:
    torch = pytest.importorskip("torch")

    def holder(lib: Any) -> Any:
        return lib.nn.Sequential(make_list(lib), lib.nn.ParameterDict({"scale": lib.ones(2), "note": 1}))

    expected = repr(holder(torch)).replace("torch.", "tinygrad_dl.")
    assert repr(holder(tg)) == expected
    again = copy.deepcopy(holder(tg)).double()
    assert again[0][0].dtype == again[1]["scale"].dtype == tg.float64 and again[0][3] == "text"
    assert again.load_state_dict(holder(tg).state_dict()).missing_keys == []


def test_a_wrong_key_is_answered_with_the_nearest() -> None:
    with pytest.raises(KeyError, match="Did you mean 'scale'"):
        nn.ParameterDict({"scale": tg.ones(1)})["scales"]


def test_the_oldest_container_warns(lib: Any) -> None:
    with pytest.warns(FutureWarning, match="deprecated"):
        held = lib.nn.Container(act=lib.nn.ReLU())
    assert repr(held) == "Container(\n  (act): ReLU()\n)"


# --- several devices


def test_data_parallel_on_one_device(lib: Any) -> None:
    model = lib.nn.DataParallel(lib.nn.Sequential(lib.nn.Linear(2, 3)))
    x = lib.ones(4, 2)
    assert model(x).tolist() == model.module(x).tolist()
    assert list(model.state_dict()) == ["module.0.weight", "module.0.bias"]
    assert repr(model).startswith("DataParallel(\n  (module): Sequential(")


def test_several_devices_and_processes_are_refused() -> None:
    layer = nn.Linear(2, 3)
    with pytest.raises(NotImplementedError, match="device_ids"):
        nn.DataParallel(layer, device_ids=[0, 1])
    with pytest.raises(NotImplementedError, match="is_available"):
        nn.parallel.DistributedDataParallel(layer)
    with pytest.raises(TypeError, match="must be a Module"):
        nn.DataParallel(3)  # type: ignore[arg-type]
    assert nn.parallel.data_parallel(layer, tg.ones(1, 2)).shape == (1, 3)


# --- where an error happened


def test_an_error_says_in_which_layer_it_happened() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList([nn.Linear(3, 4), nn.Linear(5, 4)])

        def forward(self, x: Any) -> Any:
            for layer in self.layers:
                x = layer(x)
            return x

    model = nn.Sequential(nn.Identity(), Block())
    words = r"does not fit.* \[in 1\.layers\.1: Linear\(in_features=5, .*\), called with shape \(2, 4\) of float32\]$"
    with pytest.raises(RuntimeError, match=words):
        model(tg.ones(2, 3))
    with pytest.raises(IndexError, match=r"\[in Embedding\(3, 2\), called with shape \(1,\) of int64\]$"):
        nn.Embedding(3, 2)(tg.tensor([4]))
    model[1].register_forward_hook(lambda module, args, output: output)  # the way through hooks
    with pytest.raises(RuntimeError, match=words):
        model(tg.ones(2, 3))


def test_an_error_in_ones_own_forward_names_the_module() -> None:
    class Own(nn.Module):
        def forward(self, x: Any, *, scale: Any) -> Any:
            return x @ tg.ones(5, 5)

    with pytest.raises(RuntimeError, match=r"\[in 1\.inner: Own\(\), called with shape \(2, 3\)"):
        nn.Sequential(nn.Identity(), _Given(Own()))(tg.ones(2, 3))


class _Given(nn.Module):
    def __init__(self, inner: Any) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Any) -> Any:
        return self.inner(x, scale=2)
