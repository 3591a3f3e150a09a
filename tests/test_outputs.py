"""`out=`: results go into a tensor that the user has, with PyTorch's rules of dtypes and gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exp": lambda lib, x, out: lib.exp(x, out=out),
    "add": lambda lib, x, out: lib.add(x, 2, alpha=3, out=out),
    "mul": lambda lib, x, out: lib.mul(x, x, out=out),
    "eq": lambda lib, x, out: lib.eq(x, 1, out=out),
    "sum": lambda lib, x, out: lib.sum(x, 0, True, out=out),
    "matmul": lambda lib, x, out: lib.matmul(x, x.t(), out=out),
    "cat": lambda lib, x, out: lib.cat([x, x], out=out),
    "argmax": lambda lib, x, out: lib.argmax(x, 1, out=out),
    "where": lambda lib, x, out: lib.where(x > 1, x, x * 2, out=out),
    "arange": lambda lib, x, out: lib.arange(2, 5, out=out),
    "linspace": lambda lib, x, out: lib.linspace(0, 1, 3, out=out),
    "zeros": lambda lib, x, out: lib.zeros(2, 3, out=out),
    "full": lambda lib, x, out: lib.full((2,), 1.5, out=out),
    "eye": lambda lib, x, out: lib.eye(2, out=out),
}


PYTORCH_REFUSES = {"matmul", "argmax", "where", "arange", "linspace"}  # what isn't of the result's own dtype
OURS_REFUSES = {"sum"}  # to cut fractions off


def example(lib: Any) -> Any:
    return lib.arange(6.0).reshape(2, 3)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_results_go_into_out_as_pytorchs_do(name: str) -> None:
    """Empty, of the right shape, of another dtype, a view: the same values or both refuse; the same tensor returns."""
    torch = pytest.importorskip("torch")
    whole = FUNCTIONS[name](torch, example(torch), None)
    shape = tuple(whole.shape)
    for dtype in ("float32", "float64", "int64", "bool"):
        for make in (
            lambda lib, kind: lib.empty(0, dtype=kind),
            lambda lib, kind: lib.zeros(shape, dtype=kind),
            lambda lib, kind: lib.zeros((*shape, 2), dtype=kind)[..., 0],
        ):
            results = []
            for lib in (tg, torch):
                out = make(lib, getattr(lib, dtype))
                try:
                    given = FUNCTIONS[name](lib, example(lib), out)
                    assert given is out
                    results.append((given.tolist(), tuple(given.shape), str(given.dtype).rpartition(".")[2]))
                except (RuntimeError, TypeError):
                    results.append(None)
            found, expected = results
            if (expected is None and name in PYTORCH_REFUSES) or (found is None and name in OURS_REFUSES):
                continue
            assert (found is None) == (expected is None), (dtype, results)
            if expected is not None:
                assert found[1:] == expected[1:]
                np.testing.assert_allclose(found[0], expected[0], 1e-6)


def test_a_base_sees_what_goes_into_its_view() -> None:
    base = tg.zeros(2, 3)
    tg.add(tg.ones(3), 1.0, out=base[1])
    assert base.tolist() == [[0, 0, 0], [2, 2, 2]]


def test_several_results_need_several_tensors() -> None:
    values, indices = tg.empty(0), tg.empty(0, dtype=tg.int64)
    result = tg.max(example(tg), 1, out=(values, indices))
    assert result.values is values and result.indices is indices
    assert values.tolist() == [2, 5] and indices.tolist() == [2, 2]
    with pytest.raises(TypeError, match="max: 2 result"):
        tg.max(example(tg), 1, out=values)
    with pytest.raises(TypeError, match="exp: 1 result"):
        tg.exp(example(tg), out=(values,))


@pytest.mark.parametrize("place", ["input", "list", "out"])
def test_gradients_are_not_lost_silently(place: str) -> None:
    x, out = tg.ones(2, requires_grad=True), tg.zeros(2, requires_grad=place == "out")
    call = {"input": lambda: tg.exp(x, out=out), "list": lambda: tg.stack([x, x], out=out)}
    with pytest.raises(tg.GraphError, match="outside the graph"):
        call.get(place, lambda: tg.exp(tg.ones(2), out=out))()
    assert out.tolist() == [0, 0]
    with tg.no_grad():
        assert tg.mul(x, 3.0, out=tg.zeros(2)).tolist() == [3, 3]


def test_writing_into_out_is_an_edit() -> None:
    x, y = tg.ones(2, requires_grad=True), tg.ones(2)
    z = x * y
    tg.exp(tg.ones(2), out=y)
    with pytest.raises(tg.GraphError):
        z.sum().backward()


REFUSED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "shape": (
        lambda: tg.exp(tg.ones(2), out=tg.ones(3)),
        RuntimeError,
        r"exp: the result has shape \(2,\), out has \(3,\)",
    ),
    "dtype": (lambda: tg.exp(tg.ones(2), out=tg.ones(2).long()), RuntimeError, "exp: a result of .*float32.*int64"),
    "by position": (lambda: tg.exp(tg.ones(2), tg.ones(2)), TypeError, r"exp: takes 1 argument.* by position"),
    "too many": (lambda: tg.mul(tg.ones(2), 2, 3, out=tg.ones(2)), TypeError, r"mul: takes 2 argument.* by position"),
    "a bool": (lambda: tg.equal(tg.ones(2), tg.ones(2), out=tg.ones(2)), TypeError, "equal: gives no tensor"),
    "array": (lambda: tg.exp(tg.ones(2), out=tg.ones(2).numpy()), TypeError, "exp: out must be a Tensor, ndarray came"),
    "dtype of a new one": (
        lambda: tg.zeros(2, dtype=tg.int64, out=tg.ones(2)),
        RuntimeError,
        "zeros: out has .*float32",
    ),
    "no tensor for a new one": (lambda: tg.zeros(2, out=3), TypeError, "zeros: out must be a Tensor, int came"),
    "device": (lambda: tg.exp(tg.ones(2), out=tg.ones(2, device="strict")), RuntimeError, "exp: out is on 'strict'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_refused_by_name(name: str) -> None:
    function, kind, words = REFUSED[name]
    with pytest.raises(kind, match=words):
        function()


EVERYWHERE: dict[str, Callable[..., Any]] = {
    "logical_not": lambda lib, x, out: lib.logical_not(x, out=out),
    "multi_dot": lambda lib, x, out: lib.linalg.multi_dot(3 * [x + 0], out=out),
    "chain_matmul": lambda lib, x, out: lib.chain_matmul(*3 * [x + 0], out=out),
    "sqrt": lambda lib, x, out: lib.sqrt(x, out=out),
    "addcmul": lambda lib, x, out: lib.addcmul(x, x, x, out=out),
    "cumsum": lambda lib, x, out: lib.cumsum(x, 0, out=out),
    "sigmoid": lambda lib, x, out: lib.sigmoid(x, out=out),
    "tril": lambda lib, x, out: lib.tril(x, out=out),
    "sort": lambda lib, x, out: lib.sort(x, 1, out=(out, lib.empty(0, dtype=lib.int64)))[0],
}


@pytest.mark.parametrize("name", EVERYWHERE)
def test_out_may_be_empty_a_view_or_the_input(name: str) -> None:
    torch = pytest.importorskip("torch")
    for make in (
        lambda lib, x: lib.empty(0, dtype=lib.bool if name == "logical_not" else x.dtype),
        lambda lib, x: lib.zeros(4, 4, 2, dtype=x.dtype)[..., 1],
        lambda lib, x: x,
    ):
        found = []
        for lib in (tg, torch):
            x = lib.arange(16.0, dtype=lib.float64).reshape(4, 4) % 5
            out = make(lib, x)
            assert EVERYWHERE[name](lib, x, out) is out
            found.append(out.numpy())
        assert found[0].dtype == found[1].dtype
        np.testing.assert_allclose(found[0], found[1], 1e-12)
