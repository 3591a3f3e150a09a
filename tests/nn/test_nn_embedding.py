"""Tables of vectors: what they start from, what they are printed as, what they learn, as PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl import nn
from tinygrad_dl.errors import ArgumentTypeError, DimensionError, DtypeError, ShapeError, TinygradError


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")


def test_rows_start_from_a_normal_distribution_and_padding_from_0() -> None:
    weight = nn.Embedding(400, 50, padding_idx=-2).weight.detach()
    assert weight[398].tolist() == [0] * 50
    rest = tg.cat([weight[:398], weight[399:]])
    assert abs(rest.mean().item()) < 0.03 and abs(rest.std().item() - 1) < 0.03


OPTIONS: list[dict[str, Any]] = [
    {},
    {"padding_idx": -1},
    {"max_norm": 1.0, "norm_type": 3.0},
    {"scale_grad_by_freq": True, "sparse": True, "padding_idx": 0},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_tables_are_printed_as_pytorchs(torch: Any, options: dict[str, Any]) -> None:
    assert repr(nn.Embedding(5, 3, **options)) == repr(torch.nn.Embedding(5, 3, **options))
    of_bags = {name: value for name, value in options.items() if name != "sparse"}
    assert repr(nn.EmbeddingBag(5, 3, **of_bags, mode="sum")) == repr(
        torch.nn.EmbeddingBag(5, 3, **of_bags, mode="sum")
    )


@pytest.mark.parametrize(
    "options", [{}, {"padding_idx": 1}, {"max_norm": 1.5}, {"max_norm": 1.0, "norm_type": 1.0}], ids=str
)
@pytest.mark.parametrize("kind", ["Embedding", "EmbeddingBag"])
def test_a_step_changes_the_rows_as_in_pytorch(torch: Any, kind: str, options: dict[str, Any]) -> None:
    values = np.random.default_rng(0).normal(size=(6, 3))
    found = []
    for lib in (tg, torch):
        table = getattr(lib.nn, kind).from_pretrained(lib.tensor(values), freeze=False, **options)
        optimizer = lib.optim.SGD(table.parameters(), lr=0.1)
        for _ in range(2):
            optimizer.zero_grad()
            (table(lib.tensor([[1, 2, 2], [5, 1, 0]])) ** 2).sum().backward()
            optimizer.step()
        found.append(table.weight.tolist())
    np.testing.assert_allclose(found[0], found[1], 1e-6)


@pytest.mark.parametrize("options", [{"padding_idx": 1}, {"scale_grad_by_freq": True}], ids=str)
def test_gradients_that_are_changed_on_purpose_are_pytorchs(torch: Any, options: dict[str, Any]) -> None:
    """Of the padding row, and of rows that come often: no derivatives, but linear, so that they have one themselves."""
    found = []
    for lib in (tg, torch):
        weight = lib.arange(8.0).reshape(4, 2).requires_grad_()
        rows = lib.nn.functional.embedding(lib.tensor([[1, 2], [1, 0]]), weight, **options)
        (first,) = lib.autograd.grad((rows**3).sum(), weight, create_graph=True)
        (second,) = lib.autograd.grad((first**2).sum(), weight)
        found.append([x.detach().numpy() for x in (rows, first, second)])
    if "scale_grad_by_freq" in options:  # forgotten in PyTorch's second derivative
        found[1][2][1] /= 2
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, 1e-6)


def test_many_rows_get_their_sums(torch: Any) -> None:
    """Enough for the sums that sort first: long rows, short ones, and one row very often."""
    draw = np.random.default_rng(0)
    for width, often in ((3, 0), (40, 0), (40, 500)):
        numbers = np.concatenate([draw.integers(0, 300, 900), np.full(often, 7)])
        upstream = draw.normal(size=(len(numbers), width))
        found = []
        for lib in (tg, torch):
            weight = lib.zeros(300, width, dtype=lib.float64).requires_grad_()
            lib.nn.functional.embedding(lib.tensor(numbers), weight).backward(lib.tensor(upstream))
            found.append(weight.grad.numpy())
        np.testing.assert_allclose(found[0], found[1], 1e-12, 1e-12)


def test_a_table_of_given_rows_is_frozen_unless_asked() -> None:
    rows = tg.eye(3)
    assert not nn.Embedding.from_pretrained(rows).weight.requires_grad
    table = nn.Embedding.from_pretrained(rows, freeze=False)
    assert table.weight.requires_grad and (table.num_embeddings, table.embedding_dim) == (3, 3)
    assert nn.Embedding(3, 3, _weight=rows, _freeze=True).weight.requires_grad is False


def test_two_names_of_one_table_learn_together() -> None:
    """Weights tied with an output layer's, as language models do: both uses add to one gradient."""
    table = nn.Embedding(4, 3)
    out = nn.Linear(3, 4, bias=False)
    out.weight = table.weight
    index = tg.tensor([1, 1, 2])
    nn.functional.cross_entropy(out(table(index)), index).backward()
    assert table.weight.grad is not None and bool((table.weight.grad != 0).all())


BAD: dict[str, tuple[Any, type[Exception], str]] = {
    "a number no row has": (lambda m: m.nn.Embedding(3, 2)(m.tensor([0, 3])), DimensionError, "index 3.*rows 0 to 2"),
    "a negative number": (lambda m: m.nn.Embedding(3, 2)(m.tensor([-1])), DimensionError, "index -1"),
    "floats": (lambda m: m.nn.Embedding(3, 2)(m.tensor([0.5])), DtypeError, "int32 or int64"),
    "a list": (lambda m: m.nn.Embedding(3, 2)([0]), ArgumentTypeError, "index must be a Tensor"),
    "padding": (lambda m: m.nn.Embedding(3, 2, padding_idx=3), AssertionError, "padding_idx 3 is none of 3 rows"),
    "weight": (lambda m: m.nn.Embedding(3, 2, _weight=m.zeros(2, 2)), AssertionError, r"\(2, 2\).*\(3, 2\)"),
    "rows": (lambda m: m.nn.Embedding.from_pretrained(m.zeros(2)), AssertionError, "must be a matrix"),
    "vector": (lambda m: m.nn.functional.embedding(m.tensor([0]), m.zeros(2)), ShapeError, "must be a matrix"),
    "mode": (lambda m: m.nn.EmbeddingBag(3, 2, mode="avg")(m.tensor([[0]])), ValueError, "'sum', 'mean' or 'max'"),
    "no offsets": (lambda m: m.nn.EmbeddingBag(3, 2)(m.tensor([0])), ValueError, "a vector of offsets"),
    "offsets of a matrix": (
        lambda m: m.nn.EmbeddingBag(3, 2)(m.tensor([[0]]), m.tensor([0])), ValueError, "offsets must be None",
    ),
    "first offset": (lambda m: m.nn.EmbeddingBag(3, 2)(m.tensor([0]), m.tensor([1])), ShapeError, "begin with 0"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_raises_what_pytorch_raises(torch: Any, name: str) -> None:
    call, kind, message = BAD[name]
    with pytest.raises(kind, match=message) as found:
        call(tg)
    with pytest.raises(Exception) as expected:
        call(torch)
    assert isinstance(found.value, type(expected.value)) and isinstance(found.value, TinygradError)
