"""`repr` of tensors, compared with PyTorch's for random values, shapes, dtypes and options."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import tinygrad_dl as tg
from tinygrad_dl import printing
from tinygrad_dl.errors import ArgumentError


@pytest.fixture(autouse=True)
def default_options() -> Iterator[None]:
    yield
    tg.set_printoptions(profile="default")


# --- pinned, so that the rules are tested without PyTorch too


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (np.array([1.0, 2.0, -3.0], "f"), "tensor([ 1.,  2., -3.])"),
        (np.array([0.5, 2.0], "f"), "tensor([0.5000, 2.0000])"),
        (np.array([0.0001, 1000.0], "f"), "tensor([1.0000e-04, 1.0000e+03])"),
        (np.array([0.5, np.nan, -np.inf], "f"), "tensor([0.5000,    nan,   -inf])"),
        (np.array([np.nan, 0.0, -0.0, np.inf], "f"), "tensor([nan, 0., -0., inf])"),
        (np.array(3.14159, "f"), "tensor(3.1416)"),
        (np.array(7), "tensor(7)"),
        (np.array([True, False]), "tensor([ True, False])"),
        (np.array([1, 20, -3], "i4"), "tensor([ 1, 20, -3], dtype=tinygrad_dl.int32)"),
        (np.array([1.5]), "tensor([1.5000], dtype=tinygrad_dl.float64)"),
        (np.zeros(0, "f"), "tensor([])"),
        (np.zeros((0, 3), "f"), "tensor([], size=(0, 3))"),
        (np.zeros(0, "i8"), "tensor([], dtype=tinygrad_dl.int64)"),
        (np.zeros((2, 0), "?"), "tensor([], size=(2, 0), dtype=tinygrad_dl.bool)"),
        (np.ones((2, 2), "f"), "tensor([[1., 1.],\n        [1., 1.]])"),
        (np.arange(2000), "tensor([   0,    1,    2,  ..., 1997, 1998, 1999])"),
    ],
)
def test_pinned(values: np.ndarray, text: str) -> None:
    assert repr(tg.from_numpy(values)) == text


def test_history_stands_behind_the_values() -> None:
    a = tg.tensor([1.0, 2.0], requires_grad=True)
    assert repr(a) == "tensor([1., 2.], requires_grad=True)"
    assert repr(a * a) == "tensor([1., 4.], grad_fn=<MulBackward0>)"
    assert repr((a * a).detach()) == "tensor([1., 4.])"


def test_device_is_named_unless_it_is_the_cpu() -> None:
    assert repr(tg.ones(2, device="strict")) == "tensor([1., 1.], device='strict')"
    a = tg.ones(2, 2, device="strict", dtype=tg.float64, requires_grad=True)
    assert repr(a) == (
        "tensor([[1., 1.],\n        [1., 1.]], device='strict', dtype=tinygrad_dl.float64,\n       requires_grad=True)"
    )


def test_default_dtype_goes_without_saying() -> None:
    a = tg.tensor([0.5], dtype=tg.float64)
    tg.set_default_dtype(tg.float64)
    try:
        assert repr(a) == "tensor([0.5000])"
        assert repr(a.to(tg.float32)) == "tensor([0.5000], dtype=tinygrad_dl.float32)"
    finally:
        tg.set_default_dtype(tg.float32)


def test_subclasses_are_named() -> None:
    class Weight(tg.Tensor):
        __slots__ = ()

    assert repr(Weight([1.0])) == "Weight([1.])"


def test_unknown_profile_is_refused() -> None:
    with pytest.raises(ArgumentError, match="'long' is unknown; there are 'default', 'short', 'full'"):
        tg.set_printoptions(profile="long")


def test_options_stay_but_sci_mode() -> None:
    tg.set_printoptions(precision=1, sci_mode=True)
    assert repr(tg.tensor([1.5])) == "tensor([1.5e+00])"
    tg.set_printoptions(threshold=2)
    assert repr(tg.tensor([1.5])) == "tensor([1.5])"


def test_format_array_continues_under_the_prefix() -> None:
    assert printing.format_array(np.eye(2), "W = ") == "[[1., 0.],\n     [0., 1.]]"


# --- compared with PyTorch

SHAPES = st.one_of(
    st.just(()),
    npst.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4),
    st.sampled_from(
        [(7,), (8,), (30,), (200,), (7, 7), (2, 30), (30, 2), (1, 9, 3), (1001,), (40, 40), (3, 3, 200), (1, 1500)]
    ),
)
MAGNITUDES = {  # each reaches another branch: whole numbers, decimals, exponents, what is not finite
    "whole": st.integers(-1000, 1000).map(float),
    "near one": st.floats(0.01, 9.99),
    "signed": st.floats(-50, 50),
    "wide": st.floats(-1e12, 1e12),
    "tiny": st.floats(1e-7, 1e-3),
    "special": st.sampled_from(
        [0.0, -0.0, 1.0, 1e8, 1.00001e8, 1e-4, 9e-5, 1000.0, 1001.0, 0.5, np.nan, np.inf, -np.inf]
    ),
    "any": st.floats(width=16),
}
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "precision": st.integers(0, 8),
        "threshold": st.integers(0, 40),
        "edgeitems": st.integers(0, 4),
        "linewidth": st.integers(10, 130),
        "profile": st.sampled_from(["default", "short", "full"]),
        "sci_mode": st.booleans(),
    },
)


@st.composite
def arrays(draw: st.DrawFn) -> np.ndarray:
    dtype = draw(st.sampled_from(["f2", "f4", "f8", "f4", "u1", "i1", "i2", "i4", "i8", "?"]))
    shape = draw(SHAPES)
    if dtype.startswith("f"):
        elements = MAGNITUDES[draw(st.sampled_from(sorted(MAGNITUDES)))]
    elif dtype == "?":
        elements = st.booleans()
    else:
        limits = np.iinfo(dtype)
        elements = st.integers(max(limits.min, -draw(st.sampled_from([9, 2**62]))), min(limits.max, 2**62))
    # A few values, repeated: a summary then still shows all kinds.
    few = draw(st.lists(elements, min_size=1, max_size=6))
    with np.errstate(over="ignore"):
        return np.resize(np.array(few).astype(dtype), shape)


def as_pytorch_writes(text: str) -> str:
    return text.replace("tinygrad_dl.", "torch.")


def unwrapped(text: str) -> str:
    """The text without breaks before suffixes: the names of our modules and devices are longer."""
    return re.sub(r",\n +(?=[a-z_]+=)", ", ", text)


@given(array=arrays(), options=OPTIONS)
def test_values_as_pytorch(array: np.ndarray, options: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")
    try:
        for module in (tg, torch):
            module.set_printoptions(profile="default")
            module.set_printoptions(**options)
        expected = repr(torch.from_numpy(array))
        actual = as_pytorch_writes(repr(tg.from_numpy(array)))
        assert unwrapped(actual) == unwrapped(expected)
        if str(array.dtype) in ("float32", "int64", "bool") and array.size:  # nothing named: breaks agree as well
            assert actual == expected
    finally:
        for module in (tg, torch):
            module.set_printoptions(profile="default")


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (40, 40), (0,), (0, 2), (2, 12)])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_history_as_pytorch(shape: tuple[int, ...], dtype: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")
    values = (np.arange(np.prod(shape)) % 13 / 4 - 1).reshape(shape).astype(dtype)  # sums are exact
    ours, theirs = (m.tensor(values, requires_grad=True) for m in (tg, torch))
    for mine, other in ((ours, theirs), (ours * 2, theirs * 2), (ours.sum(), theirs.sum()), (-ours, -theirs)):
        assert unwrapped(as_pytorch_writes(repr(mine))) == unwrapped(repr(other))


def test_breaks_before_suffixes_as_pytorch() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")
    for count in range(1, 40):  # the last line ends in every column
        ours, theirs = (m.linspace(0, 1, count).requires_grad_() for m in (tg, torch))
        assert repr(ours) == repr(theirs)
