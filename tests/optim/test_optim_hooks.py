"""Hooks of optimizers. Each test runs on ours and on PyTorch, which confirms what is called when, and with what."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

import tinygrad_dl as tg
from tinygrad_dl.errors import HookResultError, StateDictError


@pytest.fixture(params=["tinygrad_dl", "torch"])
def lib(request: pytest.FixtureRequest) -> Any:
    """Ours, and PyTorch to confirm what the test expects."""
    return pytest.importorskip(request.param)


@pytest.fixture
def everywhere(lib: Any) -> Iterator[Any]:
    """Registers hooks of all optimizers, and removes them after the test."""
    module, handles = import_module(f"{lib.__name__}.optim.optimizer"), []

    def register(place: str, hook: Any) -> Any:
        handles.append(getattr(module, f"register_optimizer_step_{place}_hook")(hook))
        return handles[-1]

    yield register
    for handle in handles:
        handle.remove()


def parameter(lib: Any) -> Any:
    w = lib.tensor([1.0, -2.0], requires_grad=True)
    w.grad = lib.tensor([8.0, 16.0])
    return w


def made(lib: Any, lr: float = 0.125) -> Any:
    return lib.optim.SGD([parameter(lib)], lr=lr)


def weights(optimizer: Any) -> list[float]:
    return optimizer.param_groups[0]["params"][0].tolist()


def test_the_order_of_hooks_around_a_step(lib: Any, everywhere: Any) -> None:
    log: list[Any] = []
    optimizer = made(lib)
    for place in ("pre", "post"):
        for name in (1, 2):
            getattr(optimizer, f"register_step_{place}_hook")(
                lambda o, args, kwargs, entry=(place, name): log.append((*entry, weights(o)))
            )
        everywhere(place, lambda o, args, kwargs, entry=(place, "any"): log.append((*entry, weights(o))))
    optimizer.step()
    before, after = [1.0, -2.0], [0.0, -4.0]
    assert log == [
        *[("pre", "any", before), ("pre", 1, before), ("pre", 2, before)],
        *[("post", 1, after), ("post", 2, after), ("post", "any", after)],
    ]


def test_hooks_see_and_change_the_arguments_of_a_step(lib: Any) -> None:
    log: list[Any] = []
    optimizer = made(lib)
    optimizer.register_step_pre_hook(lambda o, args, kwargs: log.append((args[0] is o, len(args), dict(kwargs))))
    optimizer.register_step_pre_hook(lambda o, args, kwargs: ((o,), {"closure": lambda: "replaced"}))
    optimizer.register_step_post_hook(lambda o, args, kwargs: log.append((len(args), kwargs["closure"]())) or "ignored")
    assert optimizer.step(lambda: "closure") == "replaced"
    assert log == [(True, 2, {}), (1, "replaced")]


@pytest.mark.parametrize("result", [5, (1,), [(), {}], ((), {}, 1)])
def test_a_pre_hook_of_a_step_returns_a_pair(lib: Any, result: Any) -> None:
    optimizer = made(lib)
    optimizer.register_step_pre_hook(lambda o, args, kwargs: result)
    with pytest.raises(RuntimeError, match="must return None or a tuple") as error:
        optimizer.step()
    assert weights(optimizer) == [1.0, -2.0]
    if lib is tg:
        assert isinstance(error.value, HookResultError) and "SGD.step" in str(error.value)


def test_removing_hooks_of_optimizers(lib: Any, everywhere: Any) -> None:
    log: list[str] = []
    optimizer = made(lib)
    handle = optimizer.register_step_pre_hook(lambda *args: log.append("own"))
    with everywhere("post", lambda *args: log.append("any")):
        optimizer.step()
    optimizer.step()
    handle.remove()
    optimizer.step()
    assert log == ["own", "any", "own"]
    assert weights(optimizer) == [-2.0, -8.0]


class Failure(Exception):
    pass


def failing(*args: Any) -> None:
    raise Failure


def test_no_step_is_taken_when_a_pre_hook_fails(lib: Any) -> None:
    optimizer = made(lib)
    optimizer.register_step_pre_hook(failing)
    optimizer.register_step_post_hook(lambda *args: pytest.fail("called after no step"))
    with pytest.raises(Failure):
        optimizer.step()
    assert weights(optimizer) == [1.0, -2.0]


def test_hooks_around_a_step_of_ones_own(lib: Any, everywhere: Any) -> None:
    log: list[str] = []

    class Own(lib.optim.Optimizer):
        def __init__(self, params: Any) -> None:
            super().__init__(params, {})

        def step(self, closure: Any = None) -> str:
            log.append("step")
            return "done"

    optimizer = Own([parameter(lib)])
    optimizer.register_step_pre_hook(lambda *args: log.append("pre"))
    everywhere("post", lambda *args: log.append("post"))
    assert optimizer.step() == "done" and log == ["pre", "step", "post"]


def test_a_step_inside_a_step_calls_no_hooks() -> None:
    """PyTorch calls them twice, unless no optimizer of the inner class was made before."""
    log: list[str] = []

    class Twice(tg.optim.SGD):
        def step(self, closure: Any = None) -> None:
            super().step()
            super().step()

    optimizer = Twice([parameter(tg)], lr=0.125)
    optimizer.register_step_pre_hook(lambda *args: log.append("pre"))
    optimizer.step()
    assert log == ["pre"] and weights(optimizer) == [-1.0, -6.0]


def test_hooks_on_the_state_of_an_optimizer(lib: Any) -> None:
    log: list[Any] = []
    optimizer = made(lib)
    optimizer.register_state_dict_pre_hook(lambda o: log.append("pre 1"))
    optimizer.register_state_dict_pre_hook(lambda o: log.append("pre 0"), prepend=True)
    optimizer.register_state_dict_post_hook(lambda o, state: state.update(extra=1))
    optimizer.register_state_dict_post_hook(lambda o, state: {**state, "more": state["extra"] + 1})
    optimizer.register_state_dict_post_hook(lambda o, state: log.append(list(state)), prepend=True)
    state = optimizer.state_dict()
    assert log == ["pre 0", "pre 1", ["state", "param_groups"]]
    assert (state["extra"], state["more"]) == (1, 2)


def test_hooks_on_loading_the_state_of_an_optimizer(lib: Any) -> None:
    log: list[Any] = []
    optimizer = made(lib)
    state = {**made(lib, lr=0.5).state_dict(), "old": 1}

    def rename(o: Any, state: Any) -> None:
        log.append((o.param_groups[0]["lr"], list(state)))
        state["new"] = state.pop("old")

    def replace(o: Any, state: Any) -> Any:
        log.append(list(state))
        return {**state, "param_groups": [{**state["param_groups"][0], "lr": 0.25}]}

    optimizer.register_load_state_dict_pre_hook(replace)
    optimizer.register_load_state_dict_pre_hook(rename, prepend=True)
    optimizer.register_load_state_dict_post_hook(lambda o: log.append(("post", o.param_groups[0]["lr"])))
    optimizer.register_load_state_dict_post_hook(lambda o: log.append("first post"), prepend=True)
    optimizer.load_state_dict(state)
    assert log == [
        (0.125, ["state", "param_groups", "old"]),
        ["state", "param_groups", "new"],
        "first post",
        ("post", 0.25),
    ]
    assert list(state) == ["state", "param_groups", "old"] and state["param_groups"][0]["lr"] == 0.5


def test_loading_what_is_no_state_dict_with_hooks() -> None:
    optimizer = made(tg)
    optimizer.register_load_state_dict_pre_hook(lambda o, state: None)
    with pytest.raises(StateDictError, match="a dict with 'state' and 'param_groups' is needed"):
        optimizer.load_state_dict(5)  # type: ignore[arg-type]


def test_a_copy_of_an_optimizer_has_no_hooks(lib: Any) -> None:
    optimizer = made(lib)
    optimizer.register_step_pre_hook(failing)
    twin = copy.deepcopy(optimizer)
    twin.param_groups[0]["params"][0].grad = lib.tensor([8.0, 16.0])
    twin.step()
    twin.register_step_post_hook(failing)
    with pytest.raises(Failure):
        twin.step()
    assert weights(optimizer) == [1.0, -2.0] and weights(twin) == [-1.0, -6.0]
