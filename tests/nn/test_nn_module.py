"""Module: registration, walks, state dicts, conversions and repr; what PyTorch does as well is tested on both."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl import nn, viz
from tinygrad_dl.errors import StateDictError, TinygradError
from tinygrad_dl.operation import modes


@pytest.fixture(params=["tinygrad_dl", "torch"])
def lib(request: pytest.FixtureRequest) -> Any:
    """Ours, and PyTorch to confirm what the test expects."""
    return pytest.importorskip(request.param)


def make_net(lib: Any) -> Any:
    """A module with everything in it: shared, nested, empty and transient parts."""

    class Block(lib.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = lib.nn.Linear(2, 2)
            self.register_buffer("mean", lib.zeros(2))
            self.register_buffer("scratch", lib.zeros(2), persistent=False)

        def forward(self, x: Any) -> Any:
            return self.fc(x)

    class Net(lib.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.block = Block()
            self.scale = lib.nn.Parameter(lib.ones(3))
            self.tied = self.block.fc
            self.register_parameter("nothing", None)
            self.register_buffer("no_buffer", None)
            self.act = lib.nn.ReLU()
            self.note = "no module"

        def forward(self, x: Any) -> Any:
            return self.act(self.block(x))

    return Net()


# --- registration


def test_what_is_assigned_is_registered_in_order(lib: Any) -> None:
    net = make_net(lib)
    assert [name for name, _ in net.named_parameters()] == ["scale", "block.fc.weight", "block.fc.bias"]
    assert [name for name, _ in net.named_buffers()] == ["block.mean", "block.scratch"]
    assert [name for name, _ in net.named_modules()] == ["", "block", "block.fc", "act"]
    assert [name for name, _ in net.named_children()] == ["block", "tied", "act"]


def test_shared_parts_are_listed_once_or_under_every_name(lib: Any) -> None:
    net = make_net(lib)
    names = [name for name, _ in net.named_parameters(remove_duplicate=False)]
    assert names == ["scale", "block.fc.weight", "block.fc.bias", "tied.weight", "tied.bias"]
    names = [name for name, _ in net.named_modules(remove_duplicate=False)]
    assert names == ["", "block", "block.fc", "tied", "act"]
    twice = lib.nn.Module()
    twice.a = lib.nn.Linear(1, 1)
    twice.b = twice.a
    twice.w = twice.a.weight
    assert [name for name, _ in twice.named_children()] == ["a"]
    assert [name for name, _ in twice.named_parameters()] == ["w", "a.bias"]
    twice.register_buffer("c", lib.ones(1))
    twice.register_buffer("d", twice.c)
    assert [name for name, _ in twice.named_buffers()] == ["c"]
    assert [name for name, _ in twice.named_buffers(remove_duplicate=False)] == ["c", "d"]


def test_walks_without_names(lib: Any) -> None:
    net = make_net(lib)
    assert list(map(id, net.parameters())) == [id(p) for _, p in net.named_parameters()]
    assert list(map(id, net.parameters(recurse=False))) == [id(net.scale)]
    assert list(net.buffers(recurse=False)) == []
    assert list(map(id, net.buffers())) == list(map(id, net.block.buffers()))
    assert list(map(id, net.block.buffers())) == [id(net.block.mean), id(net.block.scratch)]
    assert list(net.modules()) == [net, net.block, net.block.fc, net.act]
    assert list(net.children()) == [net.block, net.block.fc, net.act]


def test_prefixes(lib: Any) -> None:
    net = make_net(lib)
    assert [name for name, _ in net.named_parameters(prefix="net")][:2] == ["net.scale", "net.block.fc.weight"]
    assert [name for name, _ in net.named_buffers(prefix="net", recurse=False)] == []
    assert [name for name, _ in net.named_modules(prefix="net")][:2] == ["net", "net.block"]


def test_a_name_can_change_what_it_stands_for(lib: Any) -> None:
    net = lib.nn.Module()
    net.register_buffer("x", lib.ones(1))
    net.y = lib.nn.Parameter(lib.ones(1))
    net.x = lib.nn.Linear(1, 1)
    assert [name for name, _ in net.named_parameters()] == ["y", "x.weight", "x.bias"]
    assert not list(net.buffers())
    net.x = lib.nn.Parameter(lib.ones(1))
    assert [name for name, _ in net.named_modules()] == [""]
    net.x = None
    assert net.x is None and [name for name, _ in net.named_parameters()] == ["y"]
    net.x = lib.nn.Parameter(lib.ones(1))
    assert [name for name, _ in net.named_parameters()] == ["y", "x"]


def test_a_plain_attribute_becomes_a_parameter(lib: Any) -> None:
    net = lib.nn.Module()
    net.x = 3
    net.x = lib.nn.Parameter(lib.ones(1))
    assert [name for name, _ in net.named_parameters()] == ["x"]


def test_a_plain_tensor_is_no_parameter_and_no_buffer(lib: Any) -> None:
    net = lib.nn.Module()
    net.x = lib.ones(2)
    assert not list(net.parameters()) and not list(net.buffers()) and net.x.tolist() == [1.0, 1.0]


def test_buffers_take_tensors_and_none(lib: Any) -> None:
    net = make_net(lib)
    net.block.mean = lib.ones(2)
    assert next(net.block.buffers()).tolist() == [1.0, 1.0]
    net.block.mean = None
    assert [name for name, _ in net.block.named_buffers()] == ["scratch"]
    net.no_buffer = lib.ones(1)
    assert "no_buffer" in net.state_dict()


def test_the_class_of_buffers(lib: Any) -> None:
    net = lib.nn.Module()
    net.kept = lib.nn.Buffer(lib.ones(2))
    net.scratch = lib.nn.Buffer(lib.ones(2), persistent=False)
    assert [name for name, _ in net.named_buffers()] == ["kept", "scratch"]
    assert list(net.state_dict()) == ["kept"]
    assert not net.kept.requires_grad


def test_deleting(lib: Any) -> None:
    net = make_net(lib)
    del net.scale, net.block.mean, net.act, net.note
    assert [name for name, _ in net.named_parameters()] == ["block.fc.weight", "block.fc.bias"]
    assert [name for name, _ in net.named_buffers()] == ["block.scratch"]
    assert [name for name, _ in net.named_children()] == ["block", "tied"]
    for name in ("scale", "note", "never"):
        with pytest.raises(AttributeError):
            delattr(net, name)


def test_a_name_that_was_deleted_is_free_again(lib: Any) -> None:
    net = make_net(lib)
    del net.block
    net.register_buffer("block", lib.ones(1))
    assert list(net.state_dict()) == ["scale", "block", "tied.weight", "tied.bias"]


@pytest.mark.parametrize("register", ["register_parameter", "register_buffer", "add_module", "register_module"])
def test_names_under_which_nothing_can_be_registered(lib: Any, register: str) -> None:
    net = make_net(lib)
    for name in ("", "a.b", "forward", "note"):
        with pytest.raises(KeyError) as error:
            getattr(net, register)(name, None)
        if lib is tg:
            assert isinstance(error.value, TinygradError) and repr(name) in str(error.value)
    with pytest.raises(TypeError, match=r"string"):
        getattr(net, register)(3, None)


def test_wrong_values_are_refused(lib: Any) -> None:
    net = make_net(lib)
    for name, value in [
        ("scale", lib.ones(3)),
        ("scale", 3),
        ("block", 3),
        ("nothing", lib.ones(1)),
        ("no_buffer", 3),
        ("scale", lib.nn.ReLU()),
        ("act", lib.ones(1)),
        ("act", lib.nn.Buffer(lib.ones(1))),
    ]:
        with pytest.raises(TypeError, match=name):
            setattr(net, name, value)
    for register, value in [("register_parameter", lib.ones(1)), ("register_buffer", 3), ("add_module", 3)]:
        with pytest.raises(TypeError):
            getattr(net, register)("new", value)
    with pytest.raises(TypeError, match="ReLU"):
        net.add_module("new", lib.nn.ReLU)
    assert [name for name, _ in net.named_parameters()] == ["scale", "block.fc.weight", "block.fc.bias"]


def test_the_words_of_refusals() -> None:
    net = make_net(tg)
    with pytest.raises(
        TypeError, match=r"cannot assign 'Tensor' as parameter 'scale'; it takes .*nn\.Parameter\(tensor\)"
    ):
        net.scale = tg.ones(3)
    with pytest.raises(
        TypeError, match=r"cannot assign the class ReLU as module 'block'; it takes .* calling its class"
    ):
        net.block = nn.ReLU
    with pytest.raises(KeyError, match=r"attribute 'note' of Net already exists; choose another buffer name"):
        net.register_buffer("note", tg.ones(1))


def test_assigning_before_init(lib: Any) -> None:
    def construct(value: Any) -> Any:
        class Net(lib.nn.Module):
            def __init__(self) -> None:
                self.part = value
                super().__init__()

        return Net()

    for value in (lib.nn.Linear(1, 1), lib.nn.Parameter(lib.ones(1))):
        with pytest.raises(AttributeError, match=r"before Module.__init__\(\) call"):
            construct(value)
    assert construct(3).part == 3


def test_a_forgotten_init_is_named() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            self.size = 3

    net = Net()
    for use in (net.parameters, net.state_dict, net.train, lambda: net.register_buffer("b", None), lambda: net.fc):
        with pytest.raises(
            AttributeError, match=r"Net: Module.__init__\(\) was not called; write super\(\).__init__\(\)"
        ):
            list(use() or ())


# --- attributes


def test_a_misspelt_attribute_is_an_error_with_the_nearest_name() -> None:
    net = make_net(tg)
    with pytest.raises(AttributeError, match=r"'Linear' object has no attribute 'wieght'. Did you mean 'weight'\?"):
        net.block.fc.wieght  # noqa: B018
    with pytest.raises(AttributeError, match=r"Did you mean 'zero_grad'\?"):
        net.zerograd()
    assert not hasattr(net, "qqqqqq") and getattr(net, "qqqqqq", 5) == 5


def test_a_property_that_fails_says_why() -> None:
    class Net(nn.Module):
        @property
        def width(self) -> int:
            return self.fc.in_feetures

    net = Net()
    net.fc = nn.Linear(3, 3)
    with pytest.raises(
        AttributeError, match=r"'Linear' object has no attribute 'in_feetures'. Did you mean 'in_features'"
    ):
        net.width  # noqa: B018


def test_what_numpy_and_copy_ask_for_is_simply_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute '__array__'"):
        nn.ReLU().__array__  # noqa: B018


def test_dir_lists_what_is_registered(lib: Any) -> None:
    listed = dir(lib.nn.Sequential(make_net(lib)))
    assert "forward" in listed and "0" not in listed
    listed = dir(make_net(lib))
    assert {"block", "scale", "no_buffer", "training", "state_dict"} <= set(listed)


def test_getting_by_path(lib: Any) -> None:
    net = make_net(lib)
    assert net.get_submodule("") is net
    assert net.get_submodule("block.fc") is net.block.fc
    assert net.get_parameter("block.fc.weight") is net.block.fc.weight
    assert net.get_parameter("scale") is net.scale
    assert net.get_buffer("block.mean") is net.block.mean
    wrong = ["block.fx", "scale", "note", "block.fc.weight"]
    for get, path in [(net.get_submodule, p) for p in wrong] + [
        (net.get_parameter, "block.mean"),
        (net.get_buffer, "scale"),
    ]:
        with pytest.raises(AttributeError):
            get(path)


def test_a_wrong_path_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(AttributeError, match=r"'block.fc.wait': Linear has no parameter 'wait'; it has weight, bias"):
        make_net(tg).get_parameter("block.fc.wait")
    with pytest.raises(AttributeError, match=r"'blok.fc': Net has no module 'blok'; .* Did you mean 'block'\?"):
        make_net(tg).get_submodule("blok.fc")


def test_inside_mappings_can_be_read_and_written(lib: Any) -> None:
    net = make_net(lib)
    assert list(net._modules) == ["block", "tied", "act"] and list(net._parameters) == ["scale", "nothing"]
    assert list(net._buffers) == ["no_buffer"] and "scale" not in net._buffers and len(net._modules) == 3
    for name in net._modules.copy():
        if name == "act":
            net._modules[name] = lib.nn.Tanh()
    assert repr(net.act) == "Tanh()" and list(net._modules) == ["block", "tied", "act"]
    scale = net._parameters.pop("scale")
    assert not hasattr(net, "scale") and len(scale) == 3
    net._parameters["scale"] = scale
    net.block._buffers["scratch"] = lib.ones(2)
    assert "scratch" not in net.block.state_dict() and net.block.scratch.tolist() == [1.0, 1.0]
    del net._modules["tied"]
    assert [name for name, _ in net.named_children()] == ["block", "act"]
    with pytest.raises(KeyError):
        del net._modules["scale"]


def test_inside_mappings_refuse_what_would_not_be_used() -> None:
    net = make_net(tg)
    with pytest.raises(TypeError, match="cannot assign 'Tensor' as parameter 'scale'"):
        net._parameters["scale"] = tg.ones(3)
    assert repr(net._buffers) == "{'no_buffer': None}"


# --- calling


def test_calling_runs_forward_with_all_arguments(lib: Any) -> None:
    class Net(lib.nn.Module):
        def forward(self, a: Any, *rest: Any, key: Any = None) -> Any:
            return a, rest, key

    assert Net()(1, 2, 3, key=4) == (1, (2, 3), 4)
    assert Net()(a=1) == (1, (), None)


def test_a_module_without_forward(lib: Any) -> None:
    class Net(lib.nn.Module):
        def foward(self, x: Any) -> Any:
            return x

    with pytest.raises(NotImplementedError, match="Net") as error:
        Net()(1)
    if lib is tg:
        assert "no forward" in str(error.value) and "Did you mean 'foward'?" in str(error.value)


def test_a_trace_sees_which_modules_run() -> None:
    seen = []

    class Spy(nn.Module):
        def forward(self, x: Any) -> Any:
            seen.append([type(module).__name__ for module in modes.modules])
            if x == "fail":
                raise ValueError
            return x

    net = nn.Sequential(Spy(), nn.Sequential(Spy()))
    with viz.trace():
        net(1)
        assert seen == [["Sequential", "Spy"], ["Sequential", "Sequential", "Spy"]]
        with pytest.raises(ValueError):
            net("fail")
        assert modes.modules == [], "taken off even after an error"


# --- training, freezing, gradients


def test_train_and_eval_reach_everything(lib: Any) -> None:
    net = make_net(lib)
    assert all(module.training for module in net.modules())
    assert net.eval() is net and not any(module.training for module in net.modules())
    assert net.train() is net and all(module.training for module in net.modules())
    net.train(False)
    assert not net.block.fc.training
    with pytest.raises(ValueError, match="training mode is expected to be boolean"):
        net.train(1)


def test_apply_goes_from_the_leaves_to_the_root(lib: Any) -> None:
    net, order = make_net(lib), []
    assert net.apply(order.append) is net
    assert order == [net.block.fc, net.block, net.tied, net.act, net]


def test_requires_grad_freezes(lib: Any) -> None:
    net = make_net(lib)
    assert net.requires_grad_(False) is net
    assert not any(p.requires_grad for p in net.parameters())
    net.block.requires_grad_()
    assert [p.requires_grad for p in net.parameters()] == [False, True, True]


def test_zero_grad(lib: Any) -> None:
    net = lib.nn.Linear(2, 1)
    net.zero_grad()
    net.zero_grad(set_to_none=False)
    assert net.weight.grad is None
    net(lib.ones(1, 2)).sum().backward()
    gradient = net.weight.grad
    net.zero_grad(set_to_none=False)
    assert net.weight.grad is gradient and gradient.tolist() == [[0.0, 0.0]]
    net.zero_grad()
    assert net.weight.grad is None and net.bias.grad is None


# --- state dicts


def test_the_keys_of_a_state_dict(lib: Any) -> None:
    net = make_net(lib)
    keys = ["scale", "block.mean", "block.fc.weight", "block.fc.bias", "tied.weight", "tied.bias"]
    assert list(net.state_dict()) == keys
    assert list(net.state_dict(prefix="net.")) == ["net." + key for key in keys]
    destination = OrderedDict(first=1)
    assert net.state_dict(destination=destination) is destination and list(destination) == ["first", *keys]


def test_a_state_dict_shares_the_memory_outside_the_graph(lib: Any) -> None:
    net = make_net(lib)
    state = net.state_dict()
    assert not any(value.requires_grad for value in state.values())
    state["scale"][0] = 7.0
    assert net.scale.tolist() == [7.0, 1.0, 1.0]
    assert net.state_dict(keep_vars=True)["scale"] is net.scale


def test_loading_copies_the_values(lib: Any) -> None:
    net, other = make_net(lib), make_net(lib)
    state = {key: value.clone() for key, value in other.state_dict().items()}
    parameters = list(net.parameters())
    result = net.load_state_dict(state)
    assert str(result) == "<All keys matched successfully>"
    assert result.missing_keys == [] and result.unexpected_keys == []
    assert tuple(result) == ([], [])
    assert all(a is b for a, b in zip(parameters, net.parameters())), "they are the same objects"
    for key, value in net.state_dict().items():
        assert value.tolist() == state[key].tolist()
    state["scale"][0] = 100.0
    assert net.scale.tolist()[0] != 100.0


def test_loading_converts_to_the_dtype_of_the_module(lib: Any) -> None:
    net = lib.nn.Linear(1, 1)
    net.load_state_dict({"weight": lib.tensor([[2.0]], dtype=lib.float64), "bias": lib.tensor([3])})
    assert net.weight.dtype == lib.float32 and net.weight.tolist() == [[2.0]] and net.bias.tolist() == [3.0]
    assert net.weight.requires_grad


def test_loading_with_assign_takes_the_tensors_themselves(lib: Any) -> None:
    net = make_net(lib)
    net.scale.requires_grad_(False)
    state = {key: value.double() for key, value in make_net(lib).state_dict().items()}
    net.load_state_dict(state, assign=True)
    assert net.scale.dtype == lib.float64 and not net.scale.requires_grad and net.block.fc.weight.requires_grad
    assert isinstance(net.block.fc.weight, lib.nn.Parameter) and not isinstance(net.block.mean, lib.nn.Parameter)
    state["scale"][0] = 9.0
    assert net.scale.tolist()[0] == 9.0
    assert next(net.named_parameters())[0] == "scale", "it keeps its place"


def test_loading_not_strictly(lib: Any) -> None:
    net = make_net(lib)
    result = net.load_state_dict({"scale": lib.zeros(3), "else": lib.ones(1)}, strict=False)
    assert result.missing_keys == ["block.mean", "block.fc.weight", "block.fc.bias", "tied.weight", "tied.bias"]
    assert result.unexpected_keys == ["else"]
    assert net.scale.tolist() == [0.0, 0.0, 0.0]
    assert "missing_keys=['block.mean', " in repr(result)
    only_unexpected = net.load_state_dict({**net.state_dict(), "else": lib.ones(1)}, strict=False)
    assert "unexpected_keys=['else']" in repr(only_unexpected) and only_unexpected.missing_keys == []


def test_loading_what_is_no_dict(lib: Any) -> None:
    with pytest.raises(TypeError, match=r"dict"):
        make_net(lib).load_state_dict([("scale", lib.ones(3))])


def wrong_state() -> dict[str, Any]:
    state: dict[str, Any] = {key: tg.full(tuple(value.shape), 5.0) for key, value in make_net(tg).state_dict().items()}
    state["block.fc.wieght"] = state.pop("block.fc.weight")
    state["extra"] = tg.ones(1)
    state["scale"] = tg.ones(4)
    state["tied.bias"] = tg.ones(2, 1)
    state["block.mean"] = [0.0, 0.0]
    return state


def test_all_mismatches_come_in_one_error() -> None:
    net = make_net(tg)
    with pytest.raises(StateDictError) as error:
        net.load_state_dict(wrong_state())
    assert str(error.value).splitlines() == [
        "load_state_dict: nothing was loaded into Net:",
        "  Missing key(s) in state_dict:",
        '    "block.fc.weight"',
        "  Unexpected key(s) in state_dict:",
        '    "extra"',
        "    \"block.fc.wieght\". Did you mean 'block.fc.weight'?",
        "  size mismatch for scale: shape (4,) in the state dict, (3,) in the module",
        "  block.mean: a list came; make it a tensor with tinygrad_dl.as_tensor(value)",
        "  size mismatch for tied.bias: shape (2, 1) in the state dict, (2,) in the module",
    ]


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("assign", [True, False])
def test_nothing_is_loaded_after_a_mismatch(strict: bool, assign: bool) -> None:
    net = make_net(tg)
    before = {key: value.tolist() for key, value in net.state_dict().items()}
    with pytest.raises(StateDictError, match="size mismatch for scale") as error:
        net.load_state_dict(wrong_state(), strict=strict, assign=assign)
    assert ("Missing" in str(error.value)) == strict
    assert {key: value.tolist() for key, value in net.state_dict().items()} == before


def test_integers_are_not_assigned_to_what_is_learnt() -> None:
    layer = nn.Linear(1, 1)
    state = {"weight": tg.tensor([[2.0]]), "bias": tg.tensor([3])}
    with pytest.raises(StateDictError, match=r"bias: tinygrad_dl\.int64 can't be assigned"):
        layer.load_state_dict(state, assign=True)
    assert layer.weight.tolist() != [[2.0]]


def test_a_prefix_in_front_of_every_name_is_recognised() -> None:
    state = {f"module.{key}": value for key, value in make_net(tg).state_dict().items()}
    with pytest.raises(
        StateDictError, match=r"with 'module.' in front; load \{key.removeprefix\('module.'\): value"
    ) as error:
        make_net(tg).load_state_dict(state)
    assert "Did you mean" not in str(error.value), "one hint for all"
    state["modul.scale"] = state.pop("module.scale")
    with pytest.raises(StateDictError, match=r'"modul.scale". Did you mean') as error:
        make_net(tg).load_state_dict(state)
    assert "in front" not in str(error.value)


def test_hints_for_a_large_model_take_no_time() -> None:
    ours, theirs = nn.Module(), nn.Module()
    for i in range(400):
        ours.register_buffer(f"layer_{i}_weight", tg.ones(1))
        theirs.register_buffer(f"block_{i}_kernel", tg.ones(1))
    with pytest.raises(StateDictError) as error:
        ours.load_state_dict(theirs.state_dict())
    assert len(str(error.value).splitlines()) == 803, "each is listed"


def test_backward_notices_a_state_dict_that_was_loaded_between() -> None:
    layer = nn.Linear(2, 2)
    loss = layer(tg.ones(1, 2, requires_grad=True)).sum()
    layer.load_state_dict({"weight": tg.zeros(2, 2), "bias": tg.zeros(2)})
    with pytest.raises(RuntimeError, match=r"copy_"):
        loss.backward()


# --- moving and converting


def test_converting_keeps_parameters_and_their_gradients(lib: Any) -> None:
    net = make_net(lib)
    net(lib.ones(1, 2)).sum().backward()
    parameters, gradient = list(net.parameters()), net.block.fc.weight.grad.tolist()
    net.register_buffer("count", lib.tensor([3]))
    assert net.double() is net
    assert all(a is b for a, b in zip(parameters, net.parameters()))
    assert all(p.dtype == lib.float64 and p.requires_grad and p.is_leaf for p in net.parameters())
    assert net.block.fc.weight.grad.dtype == lib.float64 and net.block.fc.weight.grad.tolist() == gradient
    assert net.block.mean.dtype == lib.float64 and net.count.dtype == lib.int64
    assert net.tied.weight is net.block.fc.weight
    assert net.half().scale.dtype == lib.float16 and net.float().scale.dtype == lib.float32
    net.block(lib.ones(1, 2)).sum().backward()
    assert net.block.fc.weight.grad.dtype == lib.float32


def test_the_forms_of_to(lib: Any) -> None:
    for arguments, options in [
        ((lib.float64,), {}),
        (("cpu", lib.float64), {}),
        ((lib.device("cpu"), lib.float64), {}),
        ((), {"dtype": lib.float64}),
        ((), {"device": "cpu", "dtype": lib.float64}),
        ((lib.ones(1, dtype=lib.float64),), {}),
    ]:
        assert make_net(lib).to(*arguments, **options).scale.dtype == lib.float64
    net = make_net(lib)
    scale, mean = net.scale, net.block.mean
    assert net.to("cpu") is net and net.cpu() is net
    assert net.scale is scale and net.block.mean is mean, "nothing to do"


def test_a_buffer_held_elsewhere_is_left_as_it_is(lib: Any) -> None:
    net = make_net(lib)
    mean = net.block.mean
    net.double()
    assert mean.dtype == lib.float32 and net.block.mean.dtype == lib.float64


def test_wrong_targets_of_to() -> None:
    for dtype in (tg.int64, tg.bool):
        with pytest.raises(TypeError, match=rf"Net.to: parameters are floating, {dtype} came"):
            make_net(tg).to(dtype)
    with pytest.raises(RuntimeError, match="teapot"):
        make_net(tg).to("teapot")


def test_moving_to_another_device_and_back() -> None:
    net = make_net(tg)
    net(tg.ones(1, 2)).sum().backward()
    parameters, values = list(net.parameters()), [p.tolist() for p in net.parameters()]
    gradient = net.block.fc.weight.grad.tolist()
    net.to("strict")
    tensors = [*net.parameters(), *net.buffers(), net.block.fc.weight.grad]
    assert {str(tensor.device) for tensor in tensors} == {"strict"}
    assert all(a is b for a, b in zip(parameters, net.parameters()))
    out = net(tg.ones(1, 2, device="strict"))
    assert str(out.device) == "strict"
    net.cpu()
    assert [p.tolist() for p in net.parameters()] == values and str(net.block.mean.device) == "cpu"
    assert net.block.fc.weight.grad.tolist() == gradient


def test_a_state_dict_crosses_devices() -> None:
    net = make_net(tg).to("strict")
    state = make_net(tg).state_dict()
    net.load_state_dict(state)
    assert str(net.scale.device) == "strict"
    assert net.block.fc.weight.tolist() == state["block.fc.weight"].tolist()


@pytest.mark.gpu
def test_moving_to_a_gpu_and_back() -> None:
    net = make_net(tg)
    values = [p.tolist() for p in net.parameters()]
    assert {p.device.type for p in net.cuda().parameters()} == {"cuda"}
    assert net(tg.ones(1, 2, device="cuda")).device.type == "cuda"
    assert [p.tolist() for p in net.cpu().parameters()] == values


# --- copies


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))], ids=["deepcopy", "pickle"]
)
def test_copies_are_whole_and_independent(duplicate: Any) -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.BCEWithLogitsLoss(tg.ones(2)))
    net.add_module("tied", net[0])
    net.eval()
    twin = duplicate(net)
    assert repr(twin) == repr(net) and twin.tied is twin[0] and not twin[0].training
    assert type(twin[0].weight) is nn.Parameter and twin[0].weight.requires_grad
    assert [name for name, _ in twin.named_parameters()] == [name for name, _ in net.named_parameters()]
    assert twin[0].weight.tolist() == net[0].weight.tolist()
    with tg.no_grad():
        twin[0].weight.zero_()
    twin.register_buffer("more", tg.ones(1))
    assert net[0].weight.tolist() != [[0.0, 0.0], [0.0, 0.0]] and not hasattr(net, "more")


def test_a_shallow_copy_shares_tensors_but_not_names(lib: Any) -> None:
    net = lib.nn.Linear(2, 2)
    twin = copy.copy(net)
    assert twin.weight is net.weight
    if lib is tg:  # PyTorch's copies share the register
        twin.extra = nn.Parameter(tg.ones(1))
        assert [name for name, _ in net.named_parameters()] == ["weight", "bias"]


def test_modules_vanish_without_the_garbage_collector() -> None:
    gc.disable()
    try:
        net = nn.Sequential(nn.Linear(2, 2), nn.Dropout())
        gone = weakref.ref(net), weakref.ref(net[0].weight)
        net(tg.ones(1, 2)).sum().backward()
        del net
        assert [reference() for reference in gone] == [None, None]
    finally:
        gc.enable()


# --- repr


def test_repr_is_pytorchs(lib: Any) -> None:
    assert repr(make_net(lib)) == (
        "Net(\n"
        "  (block): Block(\n"
        "    (fc): Linear(in_features=2, out_features=2, bias=True)\n"
        "  )\n"
        "  (tied): Linear(in_features=2, out_features=2, bias=True)\n"
        "  (act): ReLU()\n"
        ")"
    )


def test_extra_repr_of_ones_own(lib: Any) -> None:
    class Scale(lib.nn.Module):
        def __init__(self, factor: int, lines: int = 1) -> None:
            super().__init__()
            self.factor, self.lines = factor, lines

        def extra_repr(self) -> str:
            return "\n".join([f"factor={self.factor}"] * self.lines)

    assert repr(Scale(3)) == "Scale(factor=3)"
    assert repr(Scale(3, 2)) == "Scale(\n  factor=3\n  factor=3\n)"
    outer = Scale(2)
    outer.inner = Scale(3, 2)
    assert repr(outer) == "Scale(\n  factor=2\n  (inner): Scale(\n    factor=3\n    factor=3\n  )\n)"


def test_a_subclass_of_a_layer_shows_the_layers_arguments(lib: Any) -> None:
    class Square(lib.nn.Linear):
        def __init__(self, size: int) -> None:
            super().__init__(size, size, bias=False)

    class Plain(lib.nn.Module):
        def __init__(self, size: int) -> None:
            super().__init__()
            self.size = size

    assert repr(Square(3)) == "Square(in_features=3, out_features=3, bias=False)"
    assert repr(Plain(3)) == "Plain()"


def test_an_emptied_module_is_shown(lib: Any) -> None:
    net = lib.nn.Sequential(lib.nn.ReLU())
    net.head = lib.nn.Linear(1, 1)
    net.head = None
    assert repr(net) == "Sequential(\n  (0): ReLU()\n  (head): None\n)"


def test_a_whole_step_of_training_agrees_with_pytorch() -> None:
    torch = pytest.importorskip("torch")
    draws = np.random.default_rng(0)
    x, y = draws.standard_normal((5, 2)).astype("float32"), draws.integers(0, 2, 5)
    results = []
    state = {key: value.numpy().copy() for key, value in make_net(tg).state_dict().items()}
    for lib in (tg, torch):
        net = make_net(lib)
        net.load_state_dict({key: lib.from_numpy(value.copy()) for key, value in state.items()})
        loss = lib.nn.CrossEntropyLoss()(net(lib.from_numpy(x)), lib.from_numpy(y))
        loss.backward()
        results.append([loss.item(), *(p.grad.tolist() for _, p in net.block.named_parameters())])
    for ours, theirs in zip(*results):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
