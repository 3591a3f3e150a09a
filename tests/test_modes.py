"""What is recorded, and where: no_grad, enable_grad, set_grad_enabled and inference_mode in every form."""

from __future__ import annotations

import contextlib
import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import tinygrad_dl as tg

OFF: dict[str, Callable[[Any], Any]] = {
    "no_grad": lambda lib: lib.no_grad(),
    "set_grad_enabled": lambda lib: lib.set_grad_enabled(False),
    "inference_mode": lambda lib: lib.inference_mode(),
    "inference_mode(mode=True)": lambda lib: lib.inference_mode(mode=True),
}
ON: dict[str, Callable[[Any], Any]] = {
    "enable_grad": lambda lib: lib.enable_grad(),
    "set_grad_enabled": lambda lib: lib.set_grad_enabled(True),
}


@pytest.fixture(params=["ours", "PyTorch's"])
def lib(request: pytest.FixtureRequest) -> Any:
    """The tests say what PyTorch does too."""
    if request.param == "ours":
        return tg
    return pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")


@pytest.fixture(autouse=True)
def recording_before_and_after() -> Iterator[None]:
    assert tg.is_grad_enabled() and not tg.is_inference_mode_enabled()
    yield
    assert tg.is_grad_enabled() and not tg.is_inference_mode_enabled()


def records(lib: Any) -> bool:
    """Whether an operation records, as its result and the library say."""
    w = lib.ones(2, requires_grad=True)
    recorded = (w * 2).requires_grad
    assert recorded == lib.is_grad_enabled() and (w * 2).is_leaf == (not recorded) and w.requires_grad
    return recorded


@pytest.mark.parametrize("name", OFF)
def test_nothing_is_recorded_in_a_block(lib: Any, name: str) -> None:
    assert records(lib)
    with OFF[name](lib):
        assert not lib.is_grad_enabled() and not (lib.ones(1, requires_grad=True) * 2).requires_grad
    assert records(lib)


@pytest.mark.parametrize("inner", ON)
@pytest.mark.parametrize("outer", ["no_grad", "set_grad_enabled"])
def test_recording_inside_a_block_that_does_not(lib: Any, outer: str, inner: str) -> None:
    with OFF[outer](lib):
        with ON[inner](lib):
            assert records(lib)
            with OFF[outer](lib):
                assert not records(lib)
            assert records(lib)
        assert not records(lib)


def test_every_kind_of_operation_obeys(lib: Any) -> None:
    x = lib.ones(2, 2, requires_grad=True)
    with lib.no_grad():
        results = [x + x, -x, x @ x, x.sum(), lib.cat([x, x]), x[lib.tensor([0, 1])], x.double()]
        if lib is tg:  # PyTorch's views of a leaf say that they require grad
            results += [*lib.split(x, 1), x[0], x.reshape(4), x.T]
        results.append(lib.nn.functional.cross_entropy(x, lib.tensor([0, 1])))
    assert not any(t.requires_grad for t in results) and all(t.grad_fn is None for t in results)


def test_a_leaf_made_inside_requires_grad_outside(lib: Any) -> None:
    with lib.no_grad():
        w = lib.ones(2, requires_grad=True)
    assert w.requires_grad and (w * 2).requires_grad


@pytest.mark.parametrize("name", OFF)
def test_errors_restore_the_mode(lib: Any, name: str) -> None:
    with pytest.raises(KeyError), OFF[name](lib):
        raise KeyError("inside")
    assert records(lib)
    with lib.no_grad():
        with contextlib.suppress(KeyError), lib.enable_grad():
            raise KeyError("inside")
        assert not records(lib)


def test_one_object_may_be_used_again_and_inside_itself(lib: Any) -> None:
    mode = lib.no_grad()
    with mode:
        assert not records(lib)
    if lib is tg:  # PyTorch's remembers one outer mode only
        with mode:
            with mode, lib.enable_grad():
                assert records(lib)
            assert not records(lib)
    assert records(lib)


# --- set_grad_enabled


def test_set_grad_enabled_acts_at_once(lib: Any) -> None:
    lib.set_grad_enabled(False)
    try:
        assert not records(lib)
    finally:
        lib.set_grad_enabled(True)
    assert records(lib)


def test_a_block_of_set_grad_enabled_restores_what_was_before_the_call(lib: Any) -> None:
    mode = lib.set_grad_enabled(False)
    assert not records(lib)
    with mode:
        assert not records(lib)
    assert records(lib)
    for wanted in (False, True):
        with lib.set_grad_enabled(wanted):
            assert records(lib) == wanted
    assert records(lib)


# --- inference mode


def test_inference_mode_is_seen(lib: Any) -> None:
    with lib.inference_mode():
        assert lib.is_inference_mode_enabled()
        with lib.no_grad():
            assert lib.is_inference_mode_enabled()
        with lib.inference_mode(False):
            assert not lib.is_inference_mode_enabled() and records(lib)
        assert lib.is_inference_mode_enabled() and not lib.is_grad_enabled()
    assert not lib.is_inference_mode_enabled()


def test_nothing_is_recorded_in_inference_mode_even_when_asked(lib: Any) -> None:
    w = lib.ones(2, requires_grad=True)
    with lib.inference_mode(), lib.enable_grad():
        assert not (w * 2).requires_grad


# --- decorators


@pytest.mark.parametrize("name", OFF)
def test_as_decorator(lib: Any, name: str) -> None:
    @OFF[name](lib)
    def f(x: Any, *, times: int = 1) -> Any:
        """The words."""
        assert not lib.is_grad_enabled()
        return lib.is_grad_enabled(), x, times

    assert lib.is_grad_enabled(), "to decorate changes nothing"
    assert f(3, times=2) == (False, 3, 2) and f(4) == (False, 4, 1)
    assert f.__name__ == "f" and f.__doc__ == "The words."
    assert lib.is_grad_enabled()


def test_without_parentheses(lib: Any) -> None:
    @lib.no_grad
    def quiet() -> bool:
        return lib.is_grad_enabled()

    @lib.inference_mode
    def inferring() -> bool:
        return lib.is_inference_mode_enabled()

    @lib.enable_grad
    def recording() -> bool:
        return lib.is_grad_enabled()

    assert (quiet(), inferring(), quiet()) == (False, True, False)
    with lib.no_grad():
        assert recording() and not lib.is_grad_enabled()


def test_enable_grad_and_set_grad_enabled_as_decorators(lib: Any) -> None:
    @lib.enable_grad()
    def recording() -> bool:
        return lib.is_grad_enabled()

    with lib.no_grad():

        @lib.set_grad_enabled(True)
        def also() -> bool:
            return lib.is_grad_enabled()

        assert not lib.is_grad_enabled()
        assert recording() and also()
        assert not lib.is_grad_enabled()


def test_a_decorated_function_may_call_itself_and_fail(lib: Any) -> None:
    @lib.no_grad()
    def factorial(n: int) -> int:
        assert not lib.is_grad_enabled()
        if n < 0:
            raise KeyError(n)
        return n * factorial(n - 1) if n else 1

    assert factorial(5) == 120
    with pytest.raises(KeyError):
        factorial(-1)
    assert lib.is_grad_enabled()


def test_a_decorated_method(lib: Any) -> None:
    class Model:
        scale = 3

        @lib.no_grad()
        def predict(self, x: Any) -> Any:
            return x * self.scale

    assert not Model().predict(lib.ones(1, requires_grad=True)).requires_grad


# --- generators


def test_a_generator_is_quiet_inside_only(lib: Any) -> None:
    @lib.no_grad()
    def steps() -> Any:
        for i in range(3):
            assert not lib.is_grad_enabled()
            yield i
            assert not lib.is_grad_enabled()
        return "end"

    seen = []
    for i in steps():
        assert lib.is_grad_enabled(), "between two steps the caller's mode is on"
        seen.append(i)
    assert seen == [0, 1, 2]

    def outer() -> Any:
        seen.append((yield from steps()))

    assert list(outer()) == [0, 1, 2] and seen[-1] == "end"


def test_values_and_errors_reach_the_generator(lib: Any) -> None:
    events: list[Any] = []

    @lib.no_grad()
    def steps() -> Any:
        try:
            events.append((yield "first"))
            yield "second"
        except KeyError as error:
            events.append((error.args, lib.is_grad_enabled()))
            yield "third"
        finally:
            events.append(("closed", lib.is_grad_enabled()))

    it = steps()
    assert next(it) == "first" and it.send("sent") == "second"
    assert it.throw(KeyError("thrown")) == "third" and lib.is_grad_enabled()
    it.close()
    assert events == ["sent", (("thrown",), False), ("closed", False)] and lib.is_grad_enabled()
    it = steps()
    next(it)
    with pytest.raises(ValueError, match="not caught"):
        it.throw(ValueError("not caught"))
    assert events[-1] == ("closed", False) and lib.is_grad_enabled()


def test_an_error_in_a_generator_reaches_the_caller(lib: Any) -> None:
    @lib.no_grad()
    def steps() -> Any:
        yield 1
        raise KeyError("inside")

    it = steps()
    next(it)
    with pytest.raises(KeyError):
        next(it)
    assert lib.is_grad_enabled()
    with pytest.raises(StopIteration):
        next(it)


def test_a_generator_leaves_nothing_to_the_collector() -> None:
    @tg.no_grad()
    def steps(x: Any) -> Any:
        with contextlib.suppress(KeyError):
            yield x.sum()
        yield x.sum()

    gc.collect()
    gc.disable()
    try:
        x = tg.ones(3)
        watched = weakref.ref(x)
        it = steps(x)
        next(it)
        it.throw(KeyError())
        del it, x
        assert watched() is None
    finally:
        gc.enable()


def test_two_generators_do_not_disturb_each_other(lib: Any) -> None:
    @lib.no_grad()
    def quiet() -> Any:
        while True:
            yield lib.is_grad_enabled()

    @lib.enable_grad()
    def loud() -> Any:
        while True:
            yield lib.is_grad_enabled()

    a, b = quiet(), loud()
    with lib.no_grad():
        assert [next(a), next(b), next(a), next(b)] == [False, True, False, True]
    assert [next(b), next(a), lib.is_grad_enabled()] == [True, False, True]


# --- threads


def test_modes_are_of_one_thread(lib: Any) -> None:
    inside, go = threading.Event(), threading.Event()
    seen: list[bool] = []

    def other() -> None:
        seen.append(lib.is_grad_enabled())  # a new thread records, whatever its parent does
        with lib.no_grad():
            inside.set()
            go.wait(10)
            seen.append(lib.is_grad_enabled())

    with lib.no_grad():
        thread = threading.Thread(target=other)
        thread.start()
        assert inside.wait(10)
    assert lib.is_grad_enabled(), "the other thread's block changes nothing here"
    go.set()
    thread.join()
    assert seen == [True, False]
