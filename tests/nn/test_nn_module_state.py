"""What a module saves and loads in its own way, converts and replaces; all of it on PyTorch as well."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl import nn


@pytest.fixture(params=["tinygrad_dl", "torch"])
def lib(request: pytest.FixtureRequest) -> Any:
    """Ours, and PyTorch to confirm what the test expects."""
    return pytest.importorskip(request.param)


# --- state of one's own


def make_counter(lib: Any) -> Any:
    class Counter(lib.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = lib.nn.Linear(1, 1)
            self.seen = {"steps": 0}

        def get_extra_state(self) -> Any:
            return dict(self.seen)

        def set_extra_state(self, state: Any) -> None:
            self.seen = dict(state)

    return lib.nn.Sequential(Counter())


def test_extra_state_is_saved_and_loaded(lib: Any) -> None:
    model, other = make_counter(lib), make_counter(lib)
    model[0].seen["steps"] = 7
    state = model.state_dict()
    assert list(state) == ["0._extra_state", "0.fc.weight", "0.fc.bias"]
    other.load_state_dict(state)
    assert other[0].seen == {"steps": 7}
    del state["0._extra_state"]
    with pytest.raises(RuntimeError, match="_extra_state"):
        other.load_state_dict(state)
    assert other.load_state_dict(state, strict=False).missing_keys == ["0._extra_state"]
    plain = lib.nn.Sequential(lib.nn.Linear(1, 1))
    assert plain.load_state_dict({"0._extra_state": 1}, strict=False).unexpected_keys == ["0._extra_state"]
    with pytest.raises((NotImplementedError, RuntimeError), match="get_extra_state"):
        plain.get_extra_state()
    with pytest.raises((NotImplementedError, RuntimeError), match="set_extra_state"):
        plain.set_extra_state(1)


def test_extra_state_is_not_set_when_something_does_not_fit() -> None:
    model = make_counter(tg)
    state = make_counter(tg).state_dict()
    state["0._extra_state"] = {"steps": 9}
    state["0.fc.weight"] = tg.ones(3)
    with pytest.raises(RuntimeError):
        model.load_state_dict(state)
    assert model[0].seen == {"steps": 0}


def test_saving_and_loading_overridden(lib: Any) -> None:
    """As a layer does that renamed its parameter and saves a note beside it."""
    seen = []

    class Renamed(lib.nn.Linear):
        _version = 2

        def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
            super()._save_to_state_dict(destination, prefix, keep_vars)
            destination[prefix + "note"] = lib.ones(1)

        def _load_from_state_dict(self, state_dict: Any, prefix: str, local_metadata: Any, *rest: Any) -> None:
            seen.append((prefix, local_metadata.get("version")))
            state_dict.pop(prefix + "note", None)
            if local_metadata.get("version", 1) < 2:
                state_dict[prefix + "weight"] = state_dict.pop(prefix + "kernel")
            super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

    model = lib.nn.Sequential(lib.nn.ReLU(), Renamed(2, 1))
    assert list(model.state_dict()) == ["1.weight", "1.bias", "1.note"]
    model.load_state_dict(model.state_dict())
    model.load_state_dict({"1.kernel": lib.ones(1, 2), "1.bias": lib.zeros(1)})
    assert seen == [("1.", 2), ("1.", None)] and model[1].weight.tolist() == [[1.0, 1.0]]
    with pytest.raises(RuntimeError, match=r"1\.bias"):
        model.load_state_dict({"1.kernel": lib.ones(1, 2)})


def test_a_module_that_loads_all_by_itself(lib: Any) -> None:
    class Own(lib.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.values: list[float] = []
            self.inner = lib.nn.Linear(1, 1, bias=False)

        def _load_from_state_dict(self, state_dict: Any, prefix: str, *rest: Any) -> None:
            self.values = state_dict[prefix + "values"].tolist()

    model = lib.nn.Sequential(Own())
    model.load_state_dict({"0.values": lib.ones(2), "0.inner.weight": lib.ones(1, 1)})
    assert model[0].values == [1.0, 1.0] and model[0].inner.weight.tolist() == [[1.0]]


def test_older_ways_to_call_state_dict(lib: Any) -> None:
    class Passing(lib.nn.Linear):
        def state_dict(self, *args: Any, **kwargs: Any) -> Any:
            return super().state_dict(*args, **kwargs)

    model = lib.nn.Sequential(Passing(1, 1))
    model.register_buffer("scratch", lib.ones(1), persistent=False)
    assert list(model.state_dict()) == ["0.weight", "0.bias"] and model._non_persistent_buffers_set == {"scratch"}
    into: dict[str, Any] = {"x": 1}
    with pytest.warns(FutureWarning):
        assert model.state_dict(into, "net.") is into
    assert list(into) == ["x", "net.0.weight", "net.0.bias"]


# --- replacing modules


def test_setting_a_submodule_by_its_path(lib: Any) -> None:
    model = lib.nn.Sequential(lib.nn.Linear(1, 1), lib.nn.Sequential(lib.nn.ReLU()))
    model.set_submodule("1.0", lib.nn.Tanh())
    assert repr(model[1][0]) == "Tanh()"
    model.set_submodule("1.new", lib.nn.Tanh())
    assert [name for name, _ in model[1].named_children()] == ["0", "new"]
    with pytest.raises(AttributeError):
        model.set_submodule("1.newer", lib.nn.Tanh(), strict=True)
    with pytest.raises(AttributeError):
        model.set_submodule("5.0", lib.nn.Tanh())
    with pytest.raises(AttributeError):
        model.set_submodule("0.weight", lib.nn.Tanh())
    with pytest.raises(ValueError):
        model.set_submodule("", lib.nn.Tanh())


def test_walking_over_shared_modules(lib: Any) -> None:
    part = lib.nn.Tanh()
    model = lib.nn.Sequential(part, part)
    assert (len(list(model.modules())), len(list(model.modules(remove_duplicate=False)))) == (2, 3)


# --- converting


def test_converting_what_a_module_holds_beside_its_parameters(lib: Any) -> None:
    """A subclass overrides `_apply` to take along a plain tensor."""

    class Beside(lib.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.extra = lib.ones(2)

        def _apply(self, fn: Any, *rest: Any) -> Any:
            self.extra = fn(self.extra)
            return super()._apply(fn, *rest)

    model = lib.nn.Sequential(Beside())
    assert model.double()[0].extra.dtype == lib.float64
    assert model.to(dtype=lib.float16)[0].extra.dtype == lib.float16


def test_converting_by_type_reaches_integers(lib: Any) -> None:
    model = lib.nn.Linear(1, 1)
    model.register_buffer("steps", lib.tensor(3))
    assert model.type(lib.float64) is model
    assert {t.dtype for t in (*model.parameters(), *model.buffers())} == {lib.float64}


def test_moving_without_the_values(lib: Any) -> None:
    model = lib.nn.Linear(2, 3)
    before = model.weight
    assert model.to_empty(device="cpu") is model
    assert model.weight is before and tuple(model.weight.shape) == (3, 2)


def test_what_does_not_exist_here_says_so() -> None:
    model = nn.Linear(1, 1)
    with pytest.raises(RuntimeError, match=r"bfloat16.*half"):
        model.bfloat16()
    with pytest.raises(NotImplementedError, match="share_memory"):
        model.share_memory()
    model.compile(backend="eager")
    assert model(tg.ones(1, 1)).shape == (1, 1)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_tied_weights_stay_tied(lib: Any, duplicate: Any) -> None:
    """In copies, under conversion, in the count, and after loading."""
    model = lib.nn.ModuleDict({"embed": lib.nn.Linear(3, 3), "head": lib.nn.Linear(3, 3, bias=False)})
    model["head"].weight = model["embed"].weight
    again = duplicate(model).double()
    assert again["head"].weight is again["embed"].weight is not model["embed"].weight
    assert sum(p.numel() for p in again.parameters()) == 12
    state = again.state_dict()
    assert list(state) == ["embed.weight", "embed.bias", "head.weight"]
    model.load_state_dict(state)
    np.testing.assert_allclose(model["head"].weight.tolist(), again["embed"].weight.tolist(), rtol=1e-6)
