"""What a user gets to read after a mistake: what failed, what came, and what would work.

Each error is ours and of the class that PyTorch raises. Errors of single operations are beside their cases, in
test_operations.py; here is what belongs to no operation, or to all of them.
"""

from __future__ import annotations

import io
import re
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl import nn
from tinygrad_dl.operation import operation


def ones(lib: Any, *shape: int, grad: bool = False) -> Any:
    return lib.ones(*shape, requires_grad=grad)


def twice(lib: Any) -> None:
    w = ones(lib, 3, grad=True)
    loss = (w * w).exp().sum()
    loss.backward()
    loss.backward()


def overwritten(lib: Any) -> None:
    w, c = ones(lib, 3, grad=True), ones(lib, 3)
    loss = (w * c).sum()
    c.zero_()
    loss.backward()


def updated(lib: Any) -> None:
    W, dW, alpha = ones(lib, 2, grad=True), ones(lib, 2), 0.1
    W -= alpha * dW


def assigned(lib: Any) -> None:
    w = ones(lib, 2, grad=True)
    w[0] = 5.0


def wrong_state(lib: Any) -> None:
    model = lib.nn.Sequential(lib.nn.Linear(2, 3), lib.nn.Linear(3, 1))
    state = model.state_dict()
    state["0.wieght"] = state.pop("0.weight")
    state["1.bias"] = lib.ones(4)
    model.load_state_dict(state)


# What is done wrong, with a library that may be ours or PyTorch; what the message must say, all of it.
MISTAKES: dict[str, tuple[Callable[[Any], Any], list[str]]] = {
    # shapes that do not fit
    "broadcast": (
        lambda lib: ones(lib, 2, 3) * ones(lib, 4, 3),
        ["mul", "(2, 3)", "(4, 3)", "dimension -2 is 2 and 4", "would work"],
    ),
    "broadcast in the graph": (
        lambda lib: ones(lib, 2, grad=True) - ones(lib, 3, grad=True),
        ["sub", "(2,)", "(3,)", "don't broadcast"],
    ),
    "broadcast of a comparison": (lambda lib: ones(lib, 2) == ones(lib, 3), ["eq", "(2,)", "(3,)"]),
    "broadcast of three": (
        lambda lib: lib.where(ones(lib, 2) > 0, ones(lib, 3), ones(lib, 4)),
        ["where", "(2,)", "(3,)", "(4,)"],
    ),
    "multiply": (
        lambda lib: ones(lib, 2, 3) @ ones(lib, 2, 3),
        ["matmul", "(2, 3)", "last dimension", "(3)", "(2)", "must equal"],
    ),
    "multiply vectors": (lambda lib: ones(lib, 3) @ ones(lib, 4), ["matmul", "(3,)", "(4,)", "must equal"]),
    "a layer's input": (lambda lib: lib.nn.Linear(3, 2)(ones(lib, 4, 5)), ["linear", "(4, 5)", "(2, 3)", "last size"]),
    "an index assignment": (lambda lib: ones(lib, 2, 3).__setitem__(0, ones(lib, 4)), ["index assignment", "(4,)"]),
    "copy_": (lambda lib: ones(lib, 2).copy_(ones(lib, 3)), ["copy_", "(3,)", "(2,)"]),
    "fill_": (lambda lib: ones(lib, 2).fill_(ones(lib, 2)), ["fill_", "0-d", "(2,)", "copy_"]),
    # dtypes
    "dtypes of a product": (
        lambda lib: ones(lib, 2, 2) @ ones(lib, 2, 2).double(),
        ["matmul", "float32", "float64", "to(input.dtype)"],
    ),
    "dtypes in a layer": (
        lambda lib: lib.nn.Linear(2, 2)(ones(lib, 1, 2).double()),
        ["linear", "float64", "float32", "weight.dtype"],
    ),
    "a mean of integers": (lambda lib: lib.tensor([1, 2]).mean(), ["mean", "int64", "float()"]),
    "a gradient of integers": (lambda lib: lib.tensor([1, 2], requires_grad=True), ["floating", "int64", "float"]),
    "an index of floats": (
        lambda lib: ones(lib, 2)[lib.tensor([0.5])],
        ["index", "integers or bools", "float32", "long()"],
    ),
    "a fraction into integers": (lambda lib: lib.tensor([1, 2]).mul_(0.5), ["mul_", "float32", "int64", "convert"]),
    "a string": (lambda lib: ones(lib, 2) * "3", ["mul", "other", "str", "tensor("]),
    "nothing": (lambda lib: ones(lib, 2) + None, ["add", "other", "NoneType"]),
    "a list": (lambda lib: [1.0, 2.0] - ones(lib, 2), ["sub", "list", "tensor("]),
    "a string assigned": (lambda lib: ones(lib, 2).__setitem__(0, "a"), ["index assignment", "str"]),
    # dimensions and indices
    "a dimension": (lambda lib: ones(lib, 2, 3).sum(2), ["sum", "dim 2", "out of range", "-2 to 1"]),
    "a dimension of cat": (lambda lib: lib.cat([ones(lib, 2), ones(lib, 2)], 1), ["cat", "dim 1", "-1 to 0"]),
    "an index": (lambda lib: ones(lib, 2, 3)[2], ["index", "2 is out of bounds", "dimension 0", "size 2"]),
    "a negative index": (lambda lib: ones(lib, 2, 3)[0, -4], ["index", "-4 is out of bounds", "dimension 1", "size 3"]),
    "an index in a tensor": (lambda lib: ones(lib, 2)[lib.tensor([0, 7])], ["index", "7", "out of bounds", "size 2"]),
    "too many indices": (lambda lib: ones(lib, 2)[0, 0], ["2 indices", "1 dimension", "(2,)"]),
    "an index of a number": (lambda lib: lib.tensor(1.0)[0], ["0-d", "item()"]),
    "a mask": (lambda lib: ones(lib, 2)[lib.tensor([True, False, True])], ["mask", "(3,)", "(2,)"]),
    "a negative step": (lambda lib: ones(lib, 3)[::-1], ["step must be positive", "-1", "flip"]),
    # backward
    "a root of many elements": (
        lambda lib: (ones(lib, 3, grad=True) * 2).backward(),
        ["backward", "(3,)", ".sum()", "pass a gradient"],
    ),
    "grad of many elements": (lambda lib: lib.autograd.grad(lib.ones(3, requires_grad=True) * 2, []), ["grad", "(3,)"]),
    "without grad": (
        lambda lib: ones(lib, 3).sum().backward(),
        ["backward", "does not require grad", "requires_grad_()", "no_grad", "detach"],
    ),
    "grad without grad": (
        lambda lib: lib.autograd.grad(ones(lib, 1), ones(lib, 1, grad=True)),
        ["grad", "does not require grad"],
    ),
    "an input without grad": (
        lambda lib: lib.autograd.grad(ones(lib, 1, grad=True).sum(), ones(lib, 2)),
        ["input 0", "(2,)", "requires_grad_()"],
    ),
    "an unused input": (
        lambda lib: lib.autograd.grad(ones(lib, 1, grad=True).sum(), ones(lib, 2, grad=True)),
        ["input 0", "(2,)", "allow_unused=True"],
    ),
    "inputs without grad": (
        lambda lib: ones(lib, 1, grad=True).sum().backward(inputs=[ones(lib, 2)]),
        ["backward", "(2,)", "require"],
    ),
    "no inputs": (lambda lib: ones(lib, 1, grad=True).sum().backward(inputs=[]), ["backward", "inputs", "empty"]),
    "a second time": (twice, ["walked already", "exp|sum", "retain_graph=True", "detach()"]),
    "after an edit": (overwritten, ["mul", "'other'", "(3,)", "zero_", "clone()"]),
    "a gradient's shape": (
        lambda lib: (ones(lib, 3, grad=True) * 2).backward(ones(lib, 2)),
        ["backward", "(2,)", "(3,)"],
    ),
    "a number of gradients": (
        lambda lib: lib.autograd.backward([ones(lib, 1, grad=True)] * 2, [ones(lib, 1)]),
        ["2 tensor", "1 gradient"],
    ),
    "a gradient that is a number": (
        lambda lib: ones(lib, 1, grad=True).sum().backward(1.0),
        ["backward", "gradient", "Tensor", "float"],
    ),
    "a gradient that is an array": (
        lambda lib: (ones(lib, 2, grad=True) * 2).backward([np.ones(2)]),
        ["backward", "Tensor", "(2,)", "ndarray"],
    ),
    "inputs that are no tensors": (
        lambda lib: lib.autograd.grad(ones(lib, 1, grad=True).sum(), 3),
        ["grad", "inputs", "Tensor", "int"],
    ),
    "roots that are no tensors": (
        lambda lib: lib.autograd.backward(None),
        ["backward", "tensors", "Tensor", "NoneType"],
    ),
    "zeros and no unused": (
        lambda lib: lib.autograd.grad(ones(lib, 1, grad=True).sum(), [], allow_unused=False, materialize_grads=True),
        ["materialize_grads=True", "allow_unused"],
    ),
    "retain_grad": (lambda lib: ones(lib, 2).retain_grad(), ["retain_grad", "does not require grad"]),
    # leaving the graph
    "numpy": (lambda lib: ones(lib, 2, grad=True).numpy(), ["numpy", "requires grad", "detach().numpy()"]),
    "item": (lambda lib: ones(lib, 2, 2).item(), ["item", "(2, 2)", "tolist()", "sum()"]),
    "truth": (lambda lib: bool(ones(lib, 2)), ["(2,)", "any()", "all()"]),
    # edits in place
    "W -= alpha * dW": (
        updated,
        ["__isub__", "leaf", "(2,)", "with tinygrad_dl.no_grad():\n", "W -= alpha * dW", "W = W - alpha * dW"],
    ),
    "an index assignment to a leaf": (assigned, ["index assignment", "leaf", "no_grad"]),
    # unknown options
    "an unknown option": (
        lambda lib: ones(lib, 2).sum(keepdimm=True),
        ["sum", "'keepdimm'", "Did you mean 'keepdim'?"],
    ),
    "an option twice": (lambda lib: ones(lib, 2).sum(0, dim=0), ["sum", "'dim'", "twice"]),
    "too many arguments": (
        lambda lib: lib.exp(ones(lib, 2), 3),
        ["exp", "takes 1 argument(s) by position", "more came"],
    ),
    "an unknown option of a layer": (
        lambda lib: lib.nn.Linear(2, 3, bais=False),
        ["Linear.__init__() got an unexpected keyword argument 'bais'"],
    ),
    "an unknown dtype": (lambda lib: lib.zeros(2, dtype="floaty"), ["dtype", "floaty", "float32"]),
    "an unknown device": (lambda lib: lib.zeros(2, device="gpu"), ["device", "'gpu'", "'cuda'"]),
    # state dicts
    "a wrong state dict": (wrong_state, ["0.weight", "0.wieght", "1.bias", "(4,)", "(1,)"]),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_the_message(name: str) -> None:
    mistake, words = MISTAKES[name]
    with pytest.raises((tg.TinygradError, TypeError)) as caught:
        mistake(tg)
    assert isinstance(caught.value, tg.TinygradError) or "argument" in words[0], "Python's own error of a call"
    message = str(caught.value)
    missing = [word for word in words if not any(choice in message for choice in word.split("|"))]
    assert not missing, f"{missing} missing in: {message}"
    assert not any("  " in line.strip() for line in message.splitlines()), message


@pytest.mark.parametrize("name", MISTAKES)
def test_the_class_is_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")
    mistake = MISTAKES[name][0]
    with pytest.raises(Exception) as theirs:
        mistake(torch)
    with pytest.raises(theirs.type) as ours:
        mistake(tg)
    assert issubclass(ours.type, theirs.type)


@pytest.mark.parametrize("name", MISTAKES)
def test_no_traceback_of_the_array_library_is_shown(name: str) -> None:
    with pytest.raises(Exception) as caught:
        MISTAKES[name][0](tg)
    text = io.StringIO()
    traceback.print_exception(caught.value, file=text)
    assert "During handling" not in text.getvalue() and "direct cause" not in text.getvalue()


# --- arrays and numbers that no tensor can hold


@pytest.mark.parametrize(
    "array",
    [
        np.array([1, 2], np.uint32),
        np.array([1, 2], np.complex64),
        np.array(["a", "b"]),
        np.array([None, 1]),
        np.array([1, 2], "M8[s]"),
    ],
    ids=lambda array: str(array.dtype),
)
def test_arrays_of_dtypes_that_no_tensor_has(array: np.ndarray) -> None:
    t = tg.ones(2)
    for call in (
        lambda: t * array,
        lambda: array + t,
        lambda: t == array,
        lambda: tg.maximum(t, array),
        lambda: tg.from_numpy(array),
        lambda: tg.tensor(array),
    ):
        with pytest.raises(
            tg.TinygradError, match=rf"dtype.*{re.escape(str(array.dtype))}|\({re.escape(str(array.dtype))}\)"
        ):
            call()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # pytest undoes the package's own filter
def test_numbers_out_of_range() -> None:
    for call in (lambda: tg.ones(2) * 10**400, lambda: 10**400 - tg.ones(2), lambda: tg.full((2,), 10**400)):
        with pytest.raises(tg.TinygradError, match=r"mul|sub|full"):
            call()
    assert (tg.ones(2) * 1e300).tolist() == [np.inf] * 2 and (tg.ones(2) * 10**30).tolist() == [np.float32(1e30)] * 2


@pytest.mark.parametrize("number", [1 + 2j, np.complex64(1), np.longdouble(1), "1", b"1", object(), {}, {1}], ids=repr)
def test_numbers_that_are_none(number: Any) -> None:
    t = tg.ones(2)
    for call in (
        lambda: t * number,
        lambda: number - t,
        lambda: t.fill_(number),
        lambda: t.add_(number),
        lambda: tg.where(t > 0, t, number),
    ):
        with pytest.raises(TypeError, match=r"mul|sub|fill_|add|where") as caught:
            call()
        assert isinstance(caught.value, tg.TinygradError) and type(number).__name__.rstrip("0123456789") in str(
            caught.value
        )
    assert t.tolist() == [1.0, 1.0]


# --- devices


DEVICES: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda a, b: a + b,
    "mul": lambda a, b: b * a,
    "matmul": lambda a, b: a @ b,
    "cat": lambda a, b: tg.cat([a, b]),
    "where": lambda a, b: tg.where(a > 0, b, b),
    "linear": lambda a, b: nn.functional.linear(a, b),
    "cross_entropy|take_along_dim": lambda a, b: nn.functional.cross_entropy(a, tg.tensor([0, 1], device=b.device)),
    "mse_loss|squared_error": lambda a, b: nn.functional.mse_loss(a, b),
    "add_": lambda a, b: a.add_(b),
    "backward": lambda a, b: (a.requires_grad_() * 2).backward(b),
    "grad": lambda a, b: setattr(a, "grad", b),
}


@pytest.mark.parametrize("name", DEVICES)
def test_mixed_devices_name_both_and_the_call_that_helps(name: str) -> None:
    for first, second in (("cpu", "strict"), ("strict", "cpu")):
        a, b = tg.ones(2, 2, device=first), tg.ones(2, 2, device=second)
        with pytest.raises(RuntimeError) as caught:
            DEVICES[name](a, b)
        message = str(caught.value)
        assert isinstance(caught.value, tg.TinygradError)
        assert "cpu" in message and "strict" in message and ".to(" in message, message
        assert any(choice in message for choice in name.rstrip("_").split("|")), message


def test_numbers_on_the_cpu_mix_with_every_device() -> None:
    t = tg.ones(2, device="strict", requires_grad=True)
    number = tg.tensor(3.0, requires_grad=True)
    (t * number + number).sum().backward()
    assert number.grad.item() == 4.0 and number.grad.device == "cpu" and t.grad.device == "strict"


def test_a_gpu_that_is_not_there_says_how_to_get_one() -> None:
    try:
        tg.zeros(1, device="cuda")
    except RuntimeError as error:
        assert isinstance(error, tg.DeviceError)
        assert ("pip install" in str(error) and "cupy-cuda12x" in str(error)) or "nvidia-smi" in str(error)
    else:
        pytest.skip("there is a GPU")


# --- state dicts


def test_all_mismatches_come_at_once_and_nothing_is_loaded() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    state = {name: tg.zeros(*value.shape) for name, value in model.state_dict().items()}
    state["0.wieght"] = state.pop("0.weight")
    state["1.bias"] = tg.ones(4)
    before = {name: value.tolist() for name, value in model.state_dict().items()}
    with pytest.raises(tg.StateDictError) as caught:
        model.load_state_dict(state)
    message = str(caught.value)
    assert '"0.weight"' in message and '"0.wieght"' in message and "(4,)" in message and "(1,)" in message
    assert "Did you mean" in message or "nearest" in message, message
    assert {name: value.tolist() for name, value in model.state_dict().items()} == before


# --- warnings


@pytest.mark.parametrize("loss", [nn.functional.mse_loss, nn.MSELoss()], ids=["functional", "module"])
def test_a_loss_of_two_shapes_warns_as_pytorchs(loss: Any) -> None:
    with pytest.warns(UserWarning) as caught:
        loss(tg.ones(4, 1), tg.ones(4))
    message = str(caught[0].message)
    for word in ("mse_loss", "(4, 1)", "(4,)", "(4, 4)", "target.reshape(4, 1)"):
        assert word in message, message
    assert Path(caught[0].filename).name != "loss.py" or "nn" in caught[0].filename
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loss(tg.ones(4, 1), tg.ones(4, 1))


def test_the_warning_of_a_loss_points_at_the_caller() -> None:
    with pytest.warns(UserWarning) as caught:
        nn.functional.mse_loss(tg.ones(2, 1), tg.ones(2))
    assert caught[0].filename == __file__


# --- mistakes in an operation of one's own


def test_a_rule_that_asks_for_what_is_not_there_says_so() -> None:
    with pytest.raises(
        tg.TinygradError, match=r"own_operation: a rule asks for 'inptu'.*Did you mean 'input'"
    ) as caught:

        @operation("own_operation", input=lambda g, inptu: g * inptu)
        def own_operation(input: Any) -> Any:
            return input * 1

        own_operation(tg.ones(2, requires_grad=True))
    assert "input" in str(caught.value)


def test_a_target_on_another_device_is_named_in_the_users_words() -> None:
    logits, target = tg.zeros(2, 3, device="strict"), tg.tensor([0, 1])
    with pytest.raises(tg.DeviceError, match="cross_entropy: input is on 'strict', target is on 'cpu'"):
        tg.nn.functional.cross_entropy(logits, target)
