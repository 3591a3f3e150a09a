"""Looking at a recorded graph as PyTorch's users do, beside PyTorch's own."""

from __future__ import annotations

import gc
import importlib
import weakref
from typing import Any

import pytest

import tinygrad_dl as tg
from tinygrad_dl.autograd import graph


def shape_of(function: Any) -> Any:
    """The names of a graph, as nested tuples."""
    if function is None:
        return None
    name = function.name().removeprefix("torch::autograd::")
    return name, *(shape_of(inner) for inner, _ in function.next_functions)


PROGRAMS = [
    lambda lib, x, y: (x * y + x).sum(),
    lambda lib, x, y: lib.tanh(x * 2) - y.detach(),
    lambda lib, x, y: lib.cat([x, y.detach(), y]).exp(),
    lambda lib, x, y: lib.where(x > 0, x, y),
    lambda lib, x, y: x.detach().sqrt() * y,
]


@pytest.mark.parametrize("program", PROGRAMS)
def test_names_and_edges_are_pytorchs(program: Any) -> None:
    torch: Any = pytest.importorskip("torch")

    def made(lib: Any) -> Any:
        return shape_of(program(lib, *[lib.tensor([1.0, 2.0], requires_grad=True) for _ in range(2)]).grad_fn)

    expected = made(torch)
    assert made(tg) == expected


def test_a_walked_graph_can_still_be_looked_at() -> None:
    x, y = (tg.tensor([1.0], requires_grad=True) for _ in range(2))
    joined = tg.cat([x, y])
    joined.sum().backward()
    assert shape_of(joined.grad_fn) == ("CatBackward0", ("AccumulateGrad",), ("AccumulateGrad",))


def test_the_class_of_nodes() -> None:
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    y = (x * 2).split(1)[0]
    for function in (y.grad_fn, y.grad_fn.next_functions[0][0], y.grad_fn.next_functions[0][0].next_functions[0][0]):
        assert isinstance(function, graph.Node)
    assert x.grad_fn is None and function.variable is x and function.name() == "AccumulateGrad"
    assert importlib.import_module("tinygrad_dl.autograd.graph") is graph is tg.autograd.graph


def test_notes_on_nodes() -> None:
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    assert y.grad_fn.metadata == {}
    y.grad_fn.metadata["layer"] = 3
    z = y.sum()
    assert z.grad_fn.next_functions[0][0].metadata == {"layer": 3} and z.grad_fn.metadata == {}
    first, second = y.split(1)
    first.grad_fn.metadata["part"] = 1  # several outputs are one node's
    assert second.grad_fn.metadata == {"part": 1}
    y.grad_fn.next_functions[0][0].metadata["leaf"] = True
    assert y.grad_fn.next_functions[0][0].metadata == {"leaf": True}
    (z + first.sum()).backward()
    assert x.grad.tolist() == [4, 2] and y.grad_fn.metadata == {"layer": 3}


def test_notes_die_with_the_node() -> None:
    class Note:
        pass

    note = Note()
    gc.disable()
    try:
        y = tg.tensor(1.0, requires_grad=True) * 2
        y.grad_fn.metadata["note"], reference = note, weakref.ref(note)
        del note, y
        assert reference() is None
    finally:
        gc.enable()


def test_hooks_of_a_leaf_are_the_tensors() -> None:
    leaf = (tg.tensor(1.0, requires_grad=True) * 2).grad_fn.next_functions[0][0]
    for register in (leaf.register_hook, leaf.register_prehook):
        with pytest.raises(NotImplementedError, match="register_post_accumulate_grad_hook"):
            register(print)


@pytest.mark.parametrize(
    ("call", "instead"),
    [
        (lambda: graph.saved_tensors_hooks(lambda t: t, lambda t: t), "saved_tensors_hooks: .*checkpoint.*Function"),
        (lambda: graph.save_on_cpu(pin_memory=True), "save_on_cpu: .*checkpoint"),
        (lambda: graph.allow_mutation_on_saved_tensors(), r"allow_mutation_on_saved_tensors: .*tensor\.clone\(\)"),
    ],
)
def test_what_is_not_there_says_what_to_use(call: Any, instead: str) -> None:
    with pytest.raises(NotImplementedError, match=instead):
        call()
