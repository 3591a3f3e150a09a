"""Shapes changed in place, and edits through the views of this family: the graph follows as PyTorch's does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl.errors import GraphError


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")


def weighted(lib: Any, y: Any) -> Any:
    """A number whose gradient is different for each element."""
    return (y * lib.arange(1.0, 1 + y.numel()).reshape(y.shape)).sum() + (y * y).sum()


def turned(lib: Any, x: Any) -> Any:
    y = x * 2
    assert y.t_() is y
    return weighted(lib, y)


def row_with_a_dimension(lib: Any, x: Any) -> Any:
    y = x * 2
    row = y[0]
    row.unsqueeze_(0)
    row.mul_(3)
    return weighted(lib, y) + weighted(lib, row)


def edited_again(lib: Any, x: Any) -> Any:
    y = x * 2
    row = y[0]
    row.unsqueeze_(0)
    row.mul_(row.detach() * 2)
    y.mul_(2)
    return weighted(lib, y) + row.sum()


def turned_and_edited(lib: Any, x: Any) -> Any:
    y = x * 2
    y.transpose_(0, 1)
    y[0].mul_(5)
    y.unsqueeze_(-1)
    return weighted(lib, y)


def turned_view(lib: Any, x: Any) -> Any:
    y = (x * 1).unsqueeze(0)
    y.squeeze_(0)
    y.swapaxes_(0, 1)
    y[1:].mul_(4)
    return weighted(lib, y)


def turned_constant(lib: Any, x: Any) -> Any:
    y = lib.ones(2, 3)
    y.t_()
    y.mul_(x.t())
    return weighted(lib, y)


def retained(lib: Any, x: Any) -> Any:
    y = x * 2
    y.retain_grad()
    y.swapdims_(0, 1)
    weighted(lib, y).backward()
    return y.grad.sum() * 1.0


def parts(lib: Any, x: Any) -> Any:
    y = x * 2
    y.diagonal().mul_(3)
    y.narrow(1, 0, 2).mul_(2)
    lib.movedim(y, 0, 1)[0].mul_(7)
    y.tensor_split(2, 1)[0].mul_(3)
    y.hsplit(3)[1].mul_(3)
    y.unflatten(1, (3, 1))[1].mul_(2)
    return weighted(lib, y)


def windows(lib: Any, x: Any) -> Any:
    y = x * 2
    y.unfold(1, 2, 2).mul_(3)
    y.T[0].mul_(2)
    return weighted(lib, y)


def strided(lib: Any, x: Any) -> Any:
    y = x * 2
    y.as_strided((2, 2), (3, 1), 1).mul_(x[:, 1:])
    y[1].as_strided((2,), (2,)).mul_(3)
    return weighted(lib, y) + weighted(lib, y.as_strided((3, 2), (1, 2)))


def triangles(lib: Any, x: Any) -> Any:
    y = x * 2
    y.tril_()
    y.fill_diagonal_(3)
    y.diagonal(1).copy_(x[1, :2])
    return weighted(lib, y)


def transposed_root(lib: Any, x: Any) -> Any:
    y = x.t() * 2
    y.diagonal(-1).mul_(x[0, :2])
    y.unfold(0, 1, 2).mul_(x.detach()[:, 1:].sum())
    return weighted(lib, y)


PROGRAMS = [
    turned, row_with_a_dimension, edited_again, turned_and_edited, turned_view, turned_constant, retained, parts,
    windows, strided, triangles, transposed_root,
]  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_gradients_follow_as_pytorchs(torch: Any, program: Callable[[Any, Any], Any]) -> None:
    results = []
    for lib in (tg, torch):
        x = (lib.arange(6.0).reshape(2, 3) + 1).requires_grad_()
        out = program(lib, x)
        if out.requires_grad:
            out.backward()
        results.append((out.item(), x.grad.tolist()))
    assert results[0] == results[1]


REFUSED: dict[str, Callable[[Any, Any], Any]] = {
    "a leaf": lambda lib, x: x.t_(),
    "a view of a leaf": lambda lib, x: x[0].unsqueeze_(0),
    "a part of chunk": lambda lib, x: (x * 1).chunk(2)[0].mul_(2),
    "a part of unbind": lambda lib, x: (x * 1).unbind()[0].mul_(2),
    "a part of split": lambda lib, x: (x * 1).split(1)[0].squeeze_(),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_pytorch_refuses_is_refused(torch: Any, name: str) -> None:
    for lib, kind in ((tg, GraphError), (torch, RuntimeError)):
        with pytest.raises(kind):
            REFUSED[name](lib, lib.ones(2, 3, requires_grad=True))


def test_a_leaf_may_be_turned_under_no_grad() -> None:
    w = tg.ones(2, 3, requires_grad=True)
    with tg.no_grad():
        w.t_()
    (w * tg.arange(6.0).reshape(3, 2)).sum().backward()
    assert w.shape == (3, 2) and w.grad is not None and w.grad.tolist() == [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]


def test_a_tensor_in_the_graph_keeps_its_shape_under_no_grad() -> None:
    y = tg.ones(2, 3, requires_grad=True) * 2
    with tg.no_grad(), pytest.raises(GraphError, match=r"t_: under no_grad .* use t\(...\)"):
        y.t_()


def test_views_of_a_turned_root_are_outdated() -> None:
    y = tg.ones(2, 3, requires_grad=True) * 2
    row = y[0]
    y.t_()
    with pytest.raises(GraphError, match="another place in its memory"):
        row.mul_(2)


def test_overlapping_windows_are_read_only() -> None:
    with pytest.raises(tg.ArgumentError, match="one element stands in several places"):
        tg.arange(4.0).unfold(0, 2, 1).mul_(2)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8"])
def test_long_rows_are_reversed_in_blocks(dtype: str) -> None:
    for shape in ((700, 64), (3, 40_000), (5, 7, 1000), (40_000, 3)):
        x = tg.arange(float(np.prod(shape)), dtype=tg.float64).reshape(shape).to(getattr(tg, dtype))
        for y in (x, x.transpose(0, -1)):
            assert np.array_equal(y.flip(-1).numpy(), y.numpy()[..., ::-1]) and y.flip(-1).is_contiguous()
