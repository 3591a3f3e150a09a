"""Hooks of modules. Each test runs on ours and on PyTorch, which confirms what is called when, and with what."""

from __future__ import annotations

import copy
import gc
import warnings
import weakref
from collections import OrderedDict, namedtuple
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

import tinygrad_dl as tg
from tinygrad_dl import nn, viz
from tinygrad_dl.errors import DtypeError, HookResultError, ShapeError, StateDictError
from tinygrad_dl.operation import modes

Pair = namedtuple("Pair", ["x", "y"])


@pytest.fixture(params=["tinygrad_dl", "torch"])
def lib(request: pytest.FixtureRequest) -> Any:
    """Ours, and PyTorch to confirm what the test expects."""
    return pytest.importorskip(request.param)


@pytest.fixture
def everywhere(lib: Any) -> Iterator[Any]:
    """The module that registers hooks of all modules; whatever a test registers is removed."""
    module = import_module(f"{lib.__name__}.nn.modules.module")
    handles: list[Any] = []

    class Registering:
        def __getattr__(self, name: str) -> Any:
            def register(*args: Any, **options: Any) -> Any:
                handles.append(getattr(module, name)(*args, **options))
                return handles[-1]

            return register

    yield Registering()
    for handle in handles:
        handle.remove()


def module_of(lib: Any, forward: Any) -> Any:
    """A module with this forward."""
    kind = type("Made", (lib.nn.Module,), {"forward": lambda self, *args, **kwargs: forward(*args, **kwargs)})
    return kind()


def ones(lib: Any, *shape: int, grad: bool = True) -> Any:
    return lib.ones(*shape, requires_grad=grad)


def plain(value: Any) -> Any:
    """Tensors as lists, at any depth of tuples."""
    if isinstance(value, tuple | list):
        return tuple([plain(one) for one in value])
    return value.tolist() if hasattr(value, "tolist") else value


# --- forward


def test_the_order_of_forward_hooks(lib: Any, everywhere: Any) -> None:
    log: list[str] = []
    net = module_of(lib, lambda x: log.append("forward"))
    net.register_forward_hook(lambda m, a, y: log.append("after 1"))
    net.register_forward_hook(lambda m, a, y: log.append("after 2"))
    net.register_forward_hook(lambda m, a, y: log.append("after 0"), prepend=True)
    net.register_forward_pre_hook(lambda m, a: log.append("before 1"))
    net.register_forward_pre_hook(lambda m, a: log.append("before 2"))
    net.register_forward_pre_hook(lambda m, a: log.append("before 0"), prepend=True)
    everywhere.register_module_forward_pre_hook(lambda m, a: log.append("before any"))
    everywhere.register_module_forward_hook(lambda m, a, y: log.append("after any"))
    net(1)
    before, after = ["before any", "before 0", "before 1", "before 2"], ["after any", "after 0", "after 1", "after 2"]
    assert log == [*before, "forward", *after]


def test_forward_hooks_change_arguments_and_results(lib: Any) -> None:
    net = module_of(lib, lambda *args, **kwargs: (args, kwargs))
    net.register_forward_pre_hook(lambda m, args: args[0] * 10)
    assert net(1, 2, k=3) == ((10,), {"k": 3}), "one argument, which becomes a tuple"
    net.register_forward_pre_hook(lambda m, args: (*args, "more"))
    assert net(1, k=3) == ((10, "more"), {"k": 3})
    net.register_forward_pre_hook(lambda m, args, kwargs: (args[1:], {**kwargs, "k": 4}), with_kwargs=True)
    net.register_forward_pre_hook(lambda m, args, kwargs: None, with_kwargs=True)
    assert net(1, k=3) == (("more",), {"k": 4})
    seen = []
    net.register_forward_hook(lambda m, args, kwargs, output: seen.append((args, kwargs)), with_kwargs=True)
    net.register_forward_hook(lambda m, args, output: [args, output])
    net.register_forward_hook(lambda m, args, output: output + ["changed"])
    assert net(1, k=3) == [("more",), (("more",), {"k": 4}), "changed"]
    assert seen == [(("more",), {"k": 4})]


@pytest.mark.parametrize("result", [((1,),), [(1,), {}], 5, ((1,), {}, 2)])
def test_a_pre_hook_with_kwargs_returns_a_pair(lib: Any, result: Any) -> None:
    net = module_of(lib, lambda *args: None)
    net.register_forward_pre_hook(lambda m, args, kwargs: result, with_kwargs=True)
    with pytest.raises(RuntimeError, match="pre-hook") as error:
        net(1)
    if lib is tg:
        assert isinstance(error.value, HookResultError) and "Made: " in str(error.value)


def test_removing_hooks(lib: Any) -> None:
    log: list[str] = []
    net = module_of(lib, lambda x: x)
    first = net.register_forward_pre_hook(lambda m, a: log.append("first"))
    with net.register_forward_pre_hook(lambda m, a: log.append("second")) as second:
        net(1)
    first.remove()
    net(1)
    first.remove()
    second.remove()
    assert log == ["first", "second"]
    assert not net._forward_pre_hooks and not net._forward_hooks
    del net
    first.remove()


def test_hooks_that_remove_and_register_hooks_while_they_run(lib: Any) -> None:
    log: list[str] = []
    net = module_of(lib, lambda x: x)

    def first(module: Any, args: Any) -> None:
        log.append("first")
        for handle in handles:
            handle.remove()
        module.register_forward_pre_hook(lambda m, a: log.append("new"))

    handles = [
        net.register_forward_pre_hook(first),
        net.register_forward_pre_hook(lambda m, a: log.append("second")),
        net.register_forward_hook(lambda m, a, y: log.append("after")),
    ]
    net(1)
    assert log == ["first", "second"], "those before forward were all on their way, those after it not yet"
    net(1)
    assert log == ["first", "second", "new"]


class Failure(Exception):
    pass


def failing(*args: Any, **kwargs: Any) -> None:
    raise Failure


def test_hooks_that_are_always_called(lib: Any, everywhere: Any) -> None:
    log: list[Any] = []
    net = module_of(lib, failing)
    net.register_forward_hook(lambda m, args, output: log.append("never"))
    net.register_forward_hook(lambda m, args, output: log.append((1, args, output)) or "replaced", always_call=True)
    net.register_forward_hook(
        lambda m, args, kwargs, output: log.append((2, args, kwargs, output)), always_call=True, with_kwargs=True
    )
    everywhere.register_module_forward_hook(lambda m, args, output: log.append((0, args, output)), always_call=True)
    with pytest.raises(Failure):
        net(1, k=2)
    assert log == [(0, (1,), None), (1, (1,), None), (2, (1,), {"k": 2}, "replaced")]


def test_hooks_that_are_always_called_are_called_once(lib: Any) -> None:
    log: list[Any] = []
    net = module_of(lib, lambda x: x)
    net.register_forward_hook(lambda m, args, output: log.append(1) or output + 1, always_call=True)
    net.register_forward_hook(failing)
    net.register_forward_hook(lambda m, args, output: log.append(output), always_call=True)
    with pytest.raises(Failure):
        net(10)
    assert log == [1, 11]
    net.register_forward_pre_hook(failing)
    with pytest.raises(Failure):
        net(10)
    assert log == [1, 11, 1, None], "called also when a pre-hook failed; None + 1 fails, which is not the error to see"


def test_an_error_of_a_hook_after_an_error_is_a_warning(lib: Any) -> None:
    net = module_of(lib, failing)
    net.register_forward_hook(lambda m, args, output: {}["missing"], always_call=True)
    with pytest.warns(UserWarning, match="missing"), pytest.raises(Failure):
        net(1)


def test_a_trace_and_an_error_in_a_hook() -> None:
    net = module_of(tg, lambda x: x)
    net.register_forward_pre_hook(failing)
    with viz.trace():
        with pytest.raises(Failure):
            net(1)
        assert modes.modules == [], "the module is taken off again"


def test_calls_look_for_hooks_only_while_there_are_any() -> None:
    """What is left over in the registry of all modules would slow down every call."""
    assert not nn.hooks.everywhere
    with viz.trace(), viz.trace():
        assert len(nn.hooks.everywhere) == 1
    handle = nn.modules.module.register_module_forward_hook(failing)
    with pytest.raises(Failure):
        nn.Identity()(1)
    handle.remove()
    assert not nn.hooks.everywhere and nn.Identity()._hooks is None and nn.Identity()(1) == 1


# --- backward


def logging(lib: Any, forward: Any) -> tuple[Any, list[Any]]:
    """A module with this forward that logs what its backward hooks see."""
    net, log = module_of(lib, forward), []
    net.register_full_backward_pre_hook(lambda m, outputs: log.append(("pre", plain(outputs))))
    net.register_full_backward_hook(lambda m, inputs, outputs: log.append((plain(inputs), plain(outputs))))
    return net, log


def test_the_order_of_backward_hooks(lib: Any, everywhere: Any) -> None:
    log: list[Any] = []
    net = lib.nn.Sequential(module_of(lib, lambda x: x * 2), module_of(lib, lambda x: x * 3))
    for name, module in (("inner", net[0]), ("outer", net[1]), ("all", net)):
        module.register_full_backward_hook(lambda m, i, o, name=name: log.append((name, 1)))
        module.register_full_backward_hook(lambda m, i, o, name=name: log.append((name, 2)))
        module.register_full_backward_hook(lambda m, i, o, name=name: log.append((name, 0)), prepend=True)
        module.register_full_backward_pre_hook(lambda m, o, name=name: log.append((name, "pre 1")))
        module.register_full_backward_pre_hook(lambda m, o, name=name: log.append((name, "pre 0")), prepend=True)
    everywhere.register_module_full_backward_pre_hook(lambda m, o: log.append(type(m).__name__))
    everywhere.register_module_full_backward_hook(lambda m, i, o: log.append(type(m).__name__))
    net(ones(lib, 2)).sum().backward()
    assert [entry for entry in log if entry not in ("Made", "Sequential")] == [
        *[("all", "pre 0"), ("all", "pre 1")],
        *[("outer", "pre 0"), ("outer", "pre 1"), ("outer", 0), ("outer", 1), ("outer", 2)],
        *[("inner", "pre 0"), ("inner", "pre 1"), ("inner", 0), ("inner", 1), ("inner", 2)],
        *[("all", 0), ("all", 1), ("all", 2)],
    ]
    places = [i for i, entry in enumerate(log) if entry in ("Made", "Sequential")]
    assert places == [0, 3, 6, 10, 13, 17], "those of all modules come first"


def test_gradients_of_several_inputs_and_outputs(lib: Any) -> None:
    net, log = logging(lib, lambda a, b, c, number: (a * b, b * 3, number, a + c, b.detach()))
    outputs = net(ones(lib, 2), ones(lib, 2), ones(lib, 2, grad=False), 5)
    assert [getattr(output, "requires_grad", None) for output in outputs] == [True, True, None, True, False]
    (outputs[0] * 2 + outputs[3]).sum().backward()
    grad_output = ([2.0, 2.0], None, None, [1.0, 1.0], None)
    assert log == [("pre", grad_output), (([3.0, 3.0], [2.0, 2.0], [0.0, 0.0], None), grad_output)]


def test_inputs_without_a_gradient(lib: Any) -> None:
    net, log = logging(lib, lambda a, *others, k: a * 2)
    a, b = ones(lib, 2), ones(lib, 2)
    net(a, b, lib.tensor([1, 2]), lib.ones(1, dtype=lib.float64), "no tensor", k=ones(lib, 2)).sum().backward()
    assert log[1][0] == ([2.0, 2.0], [0.0, 0.0], [0, 0], [0.0], None), "keywords don't count"
    assert plain(a.grad) == [2.0, 2.0] and plain(b.grad) == [0.0, 0.0]


def test_the_dtypes_of_gradients_that_did_not_come(lib: Any) -> None:
    dtypes: list[Any] = []
    net = module_of(lib, lambda a, *others: a * 2)
    net.register_full_backward_hook(lambda m, inputs, outputs: dtypes.extend(g.dtype for g in inputs))
    net(ones(lib, 2), lib.tensor([1, 2]), lib.ones(1, dtype=lib.float64)).sum().backward()
    assert dtypes == [lib.float32, lib.int64, lib.float64]


def test_one_tensor_as_two_inputs(lib: Any) -> None:
    net, log = logging(lib, lambda a, b: a * 2 + b * 3)
    a = ones(lib, 2)
    net(a, a).sum().backward()
    assert log[1][0] == ([2.0, 2.0], [3.0, 3.0]) and plain(a.grad) == [5.0, 5.0]


def test_scalars(lib: Any) -> None:
    net, log = logging(lib, lambda a: a * a)
    a = lib.tensor(3.0, requires_grad=True)
    net(a).backward()
    assert log == [("pre", (1.0,)), ((6.0,), (1.0,))] and plain(a.grad) == 6.0


def test_no_input_requires_grad(lib: Any) -> None:
    weight = ones(lib, 2)
    net, log = logging(lib, lambda x, y: (x * weight * 2, x * 2))
    outputs = net(ones(lib, 2, grad=False), 1)
    with pytest.warns(UserWarning, match="hook"):
        outputs[0].sum().backward()
    assert log == [("pre", ([1.0, 1.0], None)), ((None, None), ([1.0, 1.0], None))]
    assert plain(weight.grad) == [2.0, 2.0]


def test_no_input_requires_grad_and_a_hook_returns_some(lib: Any) -> None:
    weight = ones(lib, 2)
    net = module_of(lib, lambda: weight * 2)
    net.register_full_backward_hook(lambda m, inputs, outputs: (None,))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net().sum().backward()
        net.register_full_backward_hook(lambda m, inputs, outputs: outputs)
        with pytest.raises(RuntimeError, match="no input requires grad"):
            net().sum().backward()


def test_nothing_requires_grad(lib: Any) -> None:
    net, log = logging(lib, lambda a: a * 2)
    assert plain(net(ones(lib, 2, grad=False))) == [2.0, 2.0]
    with lib.no_grad():
        assert not net(ones(lib, 2)).requires_grad
    net(ones(lib, 2))
    assert log == []


@pytest.mark.parametrize("output", [dict, list, None, 5])
def test_results_that_are_no_tensors(lib: Any, output: Any) -> None:
    kinds = {dict: lambda a: {"y": a * 2}, list: lambda a: [a * 2]}
    net, log = logging(lib, kinds.get(output, lambda a: output))
    a = ones(lib, 2)
    with pytest.warns(UserWarning, match="tuple of Tensors"):
        result = net(a)
    if output in kinds:
        result["y" if output is dict else 0].sum().backward()
        assert log == [] and plain(a.grad) == [2.0, 2.0]


def test_results_in_a_nested_tuple(lib: Any) -> None:
    net, log = logging(lib, lambda a: (a * 2, (a * 3,)))
    first, (second,) = net(ones(lib, 2))
    (first + second).sum().backward()
    assert log == [("pre", ([1.0, 1.0], None)), (([5.0, 5.0],), ([1.0, 1.0], None))]


def test_results_in_a_named_tuple(lib: Any) -> None:
    net, log = logging(lib, lambda a: Pair(a * 2, a * 3))
    result = net(ones(lib, 2))
    assert type(result) is Pair
    result.y.sum().backward()
    assert log == [("pre", (None, [1.0, 1.0])), (([3.0, 3.0],), (None, [1.0, 1.0]))]


def test_changing_gradients(lib: Any) -> None:
    log: list[Any] = []
    weight = ones(lib, 2)
    net = module_of(lib, lambda a, b: (a * weight, b * 2))
    net.register_full_backward_pre_hook(lambda m, outputs: (outputs[0] * 10, None))
    net.register_full_backward_pre_hook(lambda m, outputs: log.append(plain(outputs)))
    net.register_full_backward_hook(lambda m, inputs, outputs: [inputs[0] + 1, inputs[1]])
    net.register_full_backward_hook(lambda m, inputs, outputs: log.append((plain(inputs), plain(outputs))))
    a, b = ones(lib, 2), ones(lib, 2)
    first, second = net(a, b)
    (first + second).sum().backward()
    assert log == [([10.0, 10.0], None), (([11.0, 11.0], [0.0, 0.0]), ([10.0, 10.0], None))]
    assert [plain(t.grad) for t in (a, b, weight)] == [[11.0, 11.0], [0.0, 0.0], [10.0, 10.0]]


def test_a_gradient_for_an_output_that_had_none(lib: Any) -> None:
    net = module_of(lib, lambda a: (a * 2, a * 3))
    net.register_full_backward_pre_hook(lambda m, outputs: (outputs[0], outputs[0] * 10))
    a = ones(lib, 2)
    net(a)[0].sum().backward()
    assert plain(a.grad) == [32.0, 32.0]


def test_an_input_hook_that_stops_the_gradient(lib: Any) -> None:
    net = module_of(lib, lambda a, b: a * b)
    net.register_full_backward_hook(lambda m, inputs, outputs: (None, inputs[1]))
    a, b = ones(lib, 2), ones(lib, 2)
    net(a, b).sum().backward()
    assert a.grad is None and plain(b.grad) == [1.0, 1.0]


def test_editing_gradients_in_place(lib: Any) -> None:
    net = module_of(lib, lambda a: a * 1)
    net.register_full_backward_hook(lambda m, inputs, outputs: [inputs[0].mul_(10), None][1])
    net.register_full_backward_hook(lambda m, inputs, outputs: (inputs[0].mul_(10),))
    a = ones(lib, 2)
    net(a).sum().backward()
    assert plain(a.grad) == [100.0, 100.0]


def test_gradients_that_a_hook_edits_are_its_own() -> None:
    """Both summands have one gradient; in PyTorch the other one's changes too."""
    net = module_of(tg, lambda a: a)
    net.register_full_backward_pre_hook(lambda m, outputs: (outputs[0].mul_(10),))
    a, b = ones(tg, 2), ones(tg, 2)
    (net(a) + b).sum().backward()
    assert plain(a.grad) == [10.0, 10.0] and plain(b.grad) == [1.0, 1.0]
    grads = tg.autograd.grad((net(a) + b).sum(), (a, b), create_graph=True)
    assert plain(grads) == ([10.0, 10.0], [1.0, 1.0])


WRONG = {
    "count": (lambda lib: (lib.ones(2), lib.ones(2)), RuntimeError, HookResultError, "2 came"),
    "bare": (lambda lib: lib.ones(2), RuntimeError, HookResultError, "Tensor came"),
    "size": (lambda lib: (lib.ones(3),), RuntimeError, ShapeError, "came back for"),
    "broadcast": (lambda lib: (lib.ones(4, 2),), RuntimeError, ShapeError, "came back for"),
    "dtype": (lambda lib: (lib.ones(2, dtype=lib.float64),), RuntimeError, DtypeError, "float64 came back for"),
    "number": (lambda lib: (1.0,), TypeError, TypeError, "return Tensors or None"),
    "no tuple": (lambda lib: 5, (TypeError, RuntimeError), HookResultError, "int came"),
}


@pytest.mark.parametrize("pre", [True, False])
@pytest.mark.parametrize("case", WRONG)
def test_wrong_results_of_backward_hooks(lib: Any, case: str, pre: bool) -> None:
    make, theirs, ours, message = WRONG[case]
    net = module_of(lib, lambda a: a * 2)
    if pre:
        net.register_full_backward_pre_hook(lambda m, outputs: make(lib))
    else:
        net.register_full_backward_hook(lambda m, inputs, outputs: make(lib))
    with pytest.raises(theirs) as error:
        net(ones(lib, 2)).sum().backward()
    if lib is tg:
        assert isinstance(error.value, ours) and message in str(error.value)


def test_a_backward_hook_that_raises(lib: Any) -> None:
    net, log = logging(lib, lambda a: a * 2)
    handle = net.register_full_backward_hook(failing)
    a = ones(lib, 2)
    with pytest.raises(Failure):
        net(a).sum().backward()
    handle.remove()
    net(a).sum().backward()
    assert plain(a.grad) == [2.0, 2.0] and len(log) == 4


def test_backward_again(lib: Any) -> None:
    net, log = logging(lib, lambda a: (a * 2, a * 3))
    a = ones(lib, 2)
    first, second = net(a)
    first.sum().backward(retain_graph=True)
    second.sum().backward()
    grads = [([1.0, 1.0], None), (None, [1.0, 1.0])]
    assert log == [("pre", grads[0]), (([2.0, 2.0],), grads[0]), ("pre", grads[1]), (([3.0, 3.0],), grads[1])]
    assert plain(a.grad) == [5.0, 5.0]


def test_hooks_are_those_of_the_time_of_the_call(lib: Any) -> None:
    log: list[str] = []
    net = module_of(lib, lambda a: a * 2)
    handle = net.register_full_backward_hook(lambda m, inputs, outputs: log.append("removed later"))
    out = net(ones(lib, 2))
    handle.remove()
    net.register_full_backward_hook(lambda m, inputs, outputs: log.append("registered later"))
    out.sum().backward()
    assert log == ["removed later"]


def test_gradients_of_parameters_only(lib: Any) -> None:
    weight = ones(lib, 2)
    net, log = logging(lib, lambda a: a * weight)
    a = ones(lib, 2)
    out = net(a).sum()
    lib.autograd.grad(out, weight, retain_graph=True)
    assert log == [("pre", ([1.0, 1.0],))], "the gradients of the inputs were not computed"
    lib.autograd.grad(out, a)
    assert log[1:] == [("pre", ([1.0, 1.0],)), (([1.0, 1.0],), ([1.0, 1.0],))]


def test_hooks_of_the_tensors_come_beside(lib: Any) -> None:
    net, log = logging(lib, lambda a: a * 2)
    x = ones(lib, 2) * 1
    y = net(x)
    x.retain_grad()
    y.retain_grad()
    (y * 3).sum().backward()
    assert plain(x.grad) == [6.0, 6.0] and plain(y.grad) == [3.0, 3.0]
    assert log == [("pre", ([3.0, 3.0],)), (([6.0, 6.0],), ([3.0, 3.0],))]


def test_a_recorded_walk(lib: Any) -> None:
    """Hooks get tensors that record, and are not called for the second derivative."""
    log: list[bool] = []
    net = module_of(lib, lambda a: a**3)
    net.register_full_backward_pre_hook(lambda m, outputs: (outputs[0] * outputs[0],))
    net.register_full_backward_hook(lambda m, inputs, outputs: (inputs[0] * inputs[0],))
    net.register_full_backward_hook(lambda m, inputs, outputs: log.append(inputs[0].requires_grad))
    a = lib.tensor([2.0, 3.0], dtype=lib.float64, requires_grad=True)
    (g,) = lib.autograd.grad(net(a).sum(), a, create_graph=True)
    assert plain(g) == [9 * 2.0**4, 9 * 3.0**4] and log == [True]
    (gg,) = lib.autograd.grad(g.sum(), a, create_graph=True)
    assert plain(gg) == [36 * 2.0**3, 36 * 3.0**3] and log == [True]
    (ggg,) = lib.autograd.grad(gg.sum(), a)
    assert plain(ggg) == [108 * 2.0**2, 108 * 3.0**2] and log == [True]


def test_hooks_do_not_record_otherwise(lib: Any) -> None:
    log: list[bool] = []
    net = module_of(lib, lambda a: a * 2)
    net.register_full_backward_hook(lambda m, inputs, outputs: log.append(lib.is_grad_enabled()))
    net(ones(lib, 2)).sum().backward()
    assert log == [False]


@pytest.mark.parametrize("leaf", [True, False])
def test_inputs_are_not_edited_in_place(lib: Any, leaf: bool) -> None:
    """While a backward hook is registered: the module's input is a view of what it was called with."""
    net, _ = logging(lib, lambda a: a.mul_(2))
    x = ones(lib, 2)
    with pytest.raises(RuntimeError, match=r"mul_|view"):
        net(x if leaf else x * 1)


def test_results_are_not_edited_in_place(lib: Any) -> None:
    net, _ = logging(lib, lambda a: a * 2)
    with pytest.raises(RuntimeError, match=r"mul_|view"):
        net(ones(lib, 2)).mul_(2)


def test_views_of_inputs_are_not_edited_in_place(lib: Any) -> None:
    net, _ = logging(lib, lambda a: a[0].mul_(2))
    with pytest.raises(RuntimeError, match=r"mul_|view"):
        net(ones(lib, 2) * 1)


def test_an_edit_without_recording() -> None:
    """As without hooks, the gradient does not know of it; PyTorch refuses to use the result."""
    net, log = logging(tg, lambda a: a * 3)
    x = ones(tg, 2)
    y = net(x)
    with tg.no_grad():
        y.mul_(2)
    y.sum().backward()
    assert plain(y) == [6.0, 6.0] and plain(x.grad) == [3.0, 3.0] and len(log) == 2


@pytest.mark.parametrize("view", [True, False])
def test_an_edit_of_what_a_module_was_called_with(view: bool) -> None:
    """What the module kept of it is a view, whose history follows; PyTorch refuses to use it."""
    kept: list[Any] = []
    net, log = logging(tg, lambda a: kept.append(a) or a * 3)
    x = ones(tg, 3)
    b = x * 1
    y = net(b[:2] if view else b)
    b.mul_(5)
    (kept[0] * 2 + y).sum().backward()
    n = 2 if view else 3
    assert plain(kept[0]) == [5.0] * n and plain(x.grad) == [13.0] * n + [0.0] * (3 - n)
    assert log[1] == (([3.0] * n,), ([1.0] * n,))


def test_inputs_without_a_gradient_are_edited_in_place(lib: Any) -> None:
    net, _ = logging(lib, lambda a, b: a * b.mul_(2))
    b = ones(lib, 2, grad=False)
    assert plain(net(ones(lib, 2), b)) == [2.0, 2.0] and plain(b) == [2.0, 2.0]


def test_values_pass_through_without_a_copy() -> None:
    seen: list[Any] = []
    net, _ = logging(tg, lambda a: seen.append(a) or a)
    x = ones(tg, 2)
    y = net(x)
    assert seen[0].array is x.array and y.array is x.array and seen[0] is not x


def test_training_with_hooks_is_training(lib: Any) -> None:
    """A network learns the same with hooks that only look on."""
    gradients = []
    for hooked in (False, True):
        net = lib.nn.Sequential(lib.nn.Linear(3, 4), lib.nn.Tanh(), lib.nn.Sequential(lib.nn.Linear(4, 2)))
        for i, parameter in enumerate(net.parameters()):
            with lib.no_grad():
                parameter.copy_(lib.arange(parameter.numel()).reshape(parameter.shape) * 0.1 - i * 0.2)
        for module in net.modules() if hooked else ():
            module.register_forward_pre_hook(lambda m, args: None)
            module.register_forward_hook(lambda m, args, output: None)
            module.register_full_backward_hook(lambda m, inputs, outputs: None)
        x = lib.arange(6).reshape(2, 3) * 0.1
        x.requires_grad_()
        (net(x) ** 2).sum().backward()
        gradients.append([plain(tensor.grad) for tensor in (x, *net.parameters())])
    assert gradients[0] == gradients[1]


def test_the_graph_of_hooks_vanishes_with_the_result(lib: Any) -> None:
    net, _ = logging(lib, lambda a: a * 2)
    gc.collect()
    gc.disable()
    try:
        x = ones(lib, 2) * 1
        gone = weakref.ref(x)
        y = net(x)
        y.sum().backward()
        del x, y
        assert gone() is None
        inputs = [ones(lib, 2) * 1, ones(lib, 2, grad=False), ones(lib, 2) * 1]
        gone_inputs = [weakref.ref(value) for value in inputs]
        several, _ = logging(lib, lambda a, b, c: (a * 2, c.exp()))
        outputs = several(*inputs)
        del inputs
        assert [gone() for gone in gone_inputs] == [None] * 3, "the graph holds only what a rule asks for"
        outputs[0].sum().backward()
    finally:
        gc.enable()


def test_none_from_a_pre_hook_is_zeros_for_parameters() -> None:
    weight = ones(tg, 2)
    net = module_of(tg, lambda a: a * weight)
    net.register_full_backward_pre_hook(lambda m, outputs: (None,))
    net(ones(tg, 2)).sum().backward()
    assert plain(weight.grad) == [0.0, 0.0]


def test_the_older_backward_hook_is_refused() -> None:
    with pytest.raises(NotImplementedError, match="use register_full_backward_hook"):
        nn.Tanh().register_backward_hook(failing)
    with pytest.raises(NotImplementedError, match="use register_module_full_backward_hook"):
        nn.modules.module.register_module_backward_hook(failing)


def test_pictures_of_a_graph_with_hooks() -> None:
    net, _ = logging(tg, lambda a: a * 2)
    with viz.trace():
        y = net(ones(tg, 2)).sum()
    y.backward()
    assert "backward_hook_function" in viz.graph(y, fold=False).source


# --- copies


def test_a_copy_has_hooks_of_its_own(lib: Any) -> None:
    class Counting(lib.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.count = 0
            self.register_forward_hook(self.see)

        def forward(self, x: Any) -> Any:
            return x

        def see(self, *args: Any) -> None:
            self.count += 1

    net = Counting()
    handle = net.register_forward_hook(lambda m, args, output: output * 2)
    twin = copy.deepcopy(net)
    handle.remove()
    assert (net(1), twin(1)) == (1, 2)
    assert (net.count, twin.count) == (1, 1), "a bound method is the copy's"
    twin.register_forward_hook(lambda m, args, output: output * 3)
    assert (net(1), twin(1)) == (1, 6)


def test_a_shallow_copy_has_hooks_of_its_own() -> None:
    net = module_of(tg, lambda x: x)
    handle = net.register_forward_hook(lambda m, args, output: output * 2)
    net.register_state_dict_pre_hook(lambda m, prefix, keep_vars: None)
    twin = copy.copy(net)
    handle.remove()
    assert (net(1), twin(1)) == (1, 2)
    assert twin._state_hooks == net._state_hooks and twin._state_hooks is not net._state_hooks


@pytest.mark.parametrize("kind", ["forward_hook", "full_backward_hook", "state_dict_pre_hook"])
def test_hooks_before_init(lib: Any, kind: str) -> None:
    class Early(lib.nn.Module):
        def __init__(self) -> None:
            getattr(self, f"register_{kind}")(failing)

    with pytest.raises(AttributeError):
        Early()


# --- registration


def test_hooks_on_registration(lib: Any, everywhere: Any) -> None:
    log: list[Any] = []
    everywhere.register_module_parameter_registration_hook(lambda m, name, p: log.append(("parameter", name)))
    everywhere.register_module_buffer_registration_hook(lambda m, name, b: log.append(("buffer", name)))
    everywhere.register_module_module_registration_hook(lambda m, name, c: log.append(("module", name)))
    net = lib.nn.Module()
    net.weight = lib.nn.Parameter(lib.ones(1))
    net.bias = None
    net.register_parameter("other", lib.nn.Parameter(lib.ones(1)))
    net.register_parameter("none", None)
    net.register_buffer("mean", lib.ones(1))
    net.register_buffer("var", None)
    net.register_buffer("passing", lib.ones(1), persistent=False)
    net.mean = lib.zeros(1)
    net.child = lib.nn.Tanh()
    net.add_module("empty", None)
    net.child = None
    net.to(lib.float64)
    net.load_state_dict({key: lib.ones(1) for key in ("weight", "other", "mean")}, assign=True)
    assert log == [
        *[("parameter", "weight"), ("parameter", "other")],
        *[("buffer", "mean"), ("buffer", "var"), ("buffer", "passing"), ("buffer", "mean")],
        *[("module", "child"), ("module", "empty"), ("module", "child")],
        *[("parameter", "weight"), ("parameter", "other"), ("buffer", "mean")],
    ]


def test_hooks_on_registration_change_what_is_registered(lib: Any, everywhere: Any) -> None:
    everywhere.register_module_parameter_registration_hook(lambda m, name, p: lib.nn.Parameter(p.detach() * 2))
    everywhere.register_module_parameter_registration_hook(lambda m, name, p: lib.nn.Parameter(p.detach() + 1))
    everywhere.register_module_buffer_registration_hook(lambda m, name, b: b * 3)
    everywhere.register_module_module_registration_hook(lambda m, name, c: lib.nn.Identity())
    net = lib.nn.Module()
    net.weight = lib.nn.Parameter(lib.ones(1))
    net.register_buffer("mean", lib.ones(1))
    net.child = lib.nn.Tanh()
    assert plain(net.weight) == [3.0] and plain(net.mean) == [3.0] and type(net.child) is lib.nn.Identity
    assert list(net.state_dict()) == ["weight", "mean"]


def test_what_a_hook_on_registration_must_not_return() -> None:
    with nn.modules.module.register_module_parameter_registration_hook(lambda m, name, p: p.detach()):
        with pytest.raises(TypeError, match="takes a Parameter"):
            nn.Linear(1, 1)
    nn.Linear(1, 1)


# --- state


def nested(lib: Any) -> Any:
    """Linear layers at three depths."""

    class Block(lib.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = lib.nn.Linear(1, 1)
            self.register_buffer("mean", lib.zeros(1))

    net = lib.nn.Sequential(lib.nn.Linear(1, 1), Block())
    for i, tensor in enumerate(net.state_dict().values()):
        tensor.copy_(lib.full_like(tensor, float(i)))
    return net


KEYS = ["0.weight", "0.bias", "1.mean", "1.fc.weight", "1.fc.bias"]


def test_the_order_of_hooks_on_a_state_dict(lib: Any) -> None:
    log: list[Any] = []
    net = nested(lib)
    for name, module in net.named_modules():
        module.register_state_dict_pre_hook(lambda m, prefix, keep_vars: log.append(("pre", prefix, keep_vars)))
        module.register_state_dict_post_hook(
            lambda m, state, prefix, metadata, name=name: log.append((name, prefix, list(state), metadata))
        )
    net.state_dict(prefix="net.", keep_vars=True)
    keys = [f"net.{key}" for key in KEYS]
    version = {"version": 1}
    assert log == [
        ("pre", "net.", True),
        *[("pre", "net.0.", True), ("0", "net.0.", keys[:2], version)],
        ("pre", "net.1.", True),
        *[("pre", "net.1.fc.", True), ("1.fc", "net.1.fc.", keys, version), ("1", "net.1.", keys, version)],
        ("", "net.", keys, version),
    ]


def test_hooks_change_a_state_dict(lib: Any) -> None:
    net = nested(lib)

    def double(module: Any, state: Any, prefix: str, metadata: Any) -> None:
        state[prefix + "extra"] = state.pop(prefix + "weight") * 2

    handle = net[0].register_state_dict_post_hook(double)
    assert list(net.state_dict()) == ["0.bias", "0.extra", *KEYS[2:]]
    handle.remove()
    assert list(net.state_dict()) == KEYS
    net[0].register_state_dict_post_hook(lambda m, state, prefix, metadata: {})
    with pytest.raises(RuntimeError, match="post-hook must"):
        net.state_dict()


def test_the_older_hook_returns_another_state_dict(lib: Any) -> None:
    net = nested(lib)
    net[1]._register_state_dict_hook(lambda m, state, prefix, metadata: {"ignored": 1})
    assert list(net.state_dict()) == KEYS, "only that of the outermost module counts"
    assert net[1].state_dict() == {"ignored": 1}


def test_the_version_of_a_module_is_kept(lib: Any) -> None:
    class Versioned(lib.nn.Linear):
        _version = 3

    seen: list[Any] = []
    net = lib.nn.Sequential(Versioned(1, 1), lib.nn.Linear(1, 1))
    for module in net.modules():
        module.register_load_state_dict_pre_hook(lambda m, state, prefix, metadata, *rest: seen.append(metadata))
    state = net.state_dict()
    assert type(state) is OrderedDict
    assert state._metadata == {"": {"version": 1}, "0": {"version": 3}, "1": {"version": 1}}
    net.load_state_dict(state)
    assert seen == [{"version": 1}, {"version": 3}, {"version": 1}]
    seen.clear()
    net.load_state_dict(dict(state))
    assert seen == [{}, {}, {}]
    seen.clear()
    net.load_state_dict(dict(state), assign=True)
    assert seen == [{"assign_to_params_buffers": True}] * 3


def test_the_order_of_hooks_on_loading(lib: Any) -> None:
    log: list[Any] = []
    net = nested(lib)
    state = net.state_dict()
    for name, module in net.named_modules():
        module.register_load_state_dict_post_hook(lambda m, keys, name=name: log.append(("post", name, plain(keys))))
        module.register_load_state_dict_pre_hook(
            lambda m, state, prefix, metadata, *rest, name=name: log.append((name, prefix, list(state), plain(rest)))
        )
        module._register_load_state_dict_pre_hook(lambda state, prefix, *rest: log.append(prefix))
        module._register_load_state_dict_pre_hook(
            lambda m, state, *rest, module=module: log.append(m is module), with_module=True
        )
    net.load_state_dict(state)
    nothing = (True, (), (), ())
    assert [entry for entry in log if not is_post(entry)] == [
        *[("", "", KEYS, nothing), "", True, ("0", "0.", KEYS[:2], nothing), "0.", True],
        *[("1", "1.", KEYS[2:], nothing), "1.", True, ("1.fc", "1.fc.", KEYS[3:], nothing), "1.fc.", True],
    ]
    assert [entry[1] for entry in log if is_post(entry)] == ["0", "1.fc", "1", ""]


def is_post(entry: Any) -> bool:
    return isinstance(entry, tuple) and entry[0] == "post"


def test_a_hook_renames_what_is_loaded(lib: Any) -> None:
    net = nested(lib)
    old = {key.replace("weight", "kernel"): value + 10 for key, value in net.state_dict().items()}
    given = dict(old)
    for module in (net[0], net[1].fc):
        module.register_load_state_dict_pre_hook(
            lambda m, state, prefix, *rest: state.update({prefix + "weight": state.pop(prefix + "kernel")})
        )
    assert repr(net.load_state_dict(old)) == "<All keys matched successfully>"
    assert [plain(value)[0] for value in net.state_dict().values()] == [[10.0], 11.0, 12.0, [13.0], 14.0]
    assert old == given and list(old) == list(given), "the caller's dict is left alone"


def test_a_hook_of_the_outer_module_renames_for_the_inner_ones(lib: Any) -> None:
    net = nested(lib)
    state = {f"module.{key}": value for key, value in net.state_dict().items()}

    def strip(module: Any, state: Any, *rest: Any) -> None:
        for key in list(state):
            state[key.removeprefix("module.")] = state.pop(key)

    net.register_load_state_dict_pre_hook(strip)
    assert list(net.load_state_dict(state)) == [[], []]
    assert list(state) == [f"module.{key}" for key in KEYS], "the caller's dict is left alone"


def test_a_hook_adds_what_is_not_below_its_module(lib: Any) -> None:
    net = nested(lib)
    net[1].fc.register_load_state_dict_pre_hook(lambda m, state, prefix, *rest: state.update({"0.weight": 5, "x": 5}))
    assert list(net.load_state_dict(net.state_dict())) == [[], []], "nobody looks at it"


def test_a_hook_adds_an_error(lib: Any) -> None:
    net = nested(lib)
    net[0].register_load_state_dict_pre_hook(
        lambda m, state, prefix, metadata, strict, a, b, errors: errors.append("no!")
    )
    with pytest.raises(RuntimeError, match="no!"):
        net.load_state_dict(net.state_dict(), strict=False)


def test_unexpected_and_missing_keys_are_pytorchs(lib: Any) -> None:
    net = nested(lib)
    state = net.state_dict()
    for key in ("1.fc.bias", "0.weight", "1.mean"):
        del state[key]
    for key in ("1.fc.x.y", "1.x", "x", "2.weight", "1.fcc.bias", "0.bias.x", "1.fc", "1"):
        state[key] = lib.ones(1)
    keys = net.load_state_dict(state, strict=False)
    assert keys.missing_keys == ["0.weight", "1.mean", "1.fc.bias"]
    assert keys.unexpected_keys == ["x", "2.weight", "1", "0.bias.x", "1.x", "1.fcc.bias", "1.fc", "1.fc.x.y"]


def test_a_post_hook_decides_which_keys_may_be_missing(lib: Any) -> None:
    net = nested(lib)
    state = {key: value + 10 for key, value in net.state_dict().items() if key != "1.fc.bias"}
    seen: list[Any] = []

    def forgive(module: Any, keys: Any) -> None:
        seen.append((list(keys.missing_keys), plain(module.fc.weight)))
        keys.missing_keys.clear()

    handle = net[1].register_load_state_dict_post_hook(forgive)
    assert list(net.load_state_dict(state)) == [[], []]
    assert seen == [(["1.fc.bias"], [[13.0]])], "it sees the module as it was loaded"
    handle.remove()
    net[1].register_load_state_dict_post_hook(lambda m, keys: keys.unexpected_keys.append("made up"))
    with pytest.raises(RuntimeError, match="made up") as error:
        net.load_state_dict(state)
    if lib is tg:
        assert isinstance(error.value, StateDictError) and "what has its place was loaded" in str(error.value)


def test_what_a_post_hook_on_loading_must_not_return(lib: Any) -> None:
    net = nested(lib)
    net.register_load_state_dict_post_hook(lambda m, keys: keys)
    with pytest.raises(AssertionError, match="hook"):
        net.load_state_dict(net.state_dict())
    if lib is tg:
        with pytest.raises(HookResultError):
            net.load_state_dict(net.state_dict())


def test_nothing_is_loaded_when_a_value_does_not_fit_also_with_hooks() -> None:
    net = nested(tg)
    net.register_load_state_dict_post_hook(lambda m, keys: keys.missing_keys.clear())
    with pytest.raises(StateDictError, match="nothing was loaded"):
        net.load_state_dict({"0.weight": tg.ones(1, 1) * 5, "1.mean": tg.ones(2)})
    assert plain(net[0].weight) == [[0.0]]
