"""Windows of signals are PyTorch's, to the last digits that its float32 cosines leave."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl.signal import windows

PARAMETERS: dict[str, list[dict[str, Any]]] = {
    "general_cosine": [{"a": [0.46, 0.23, 0.31]}, {"a": (1.0,)}],
    "general_hamming": [{}, {"alpha": 0.46}],
    "exponential": [{}, {"tau": 2.0}, {"tau": 0.5, "center": 1, "sym": False, "M": 4}],
    "gaussian": [{}, {"std": 0.7}],
    "kaiser": [{}, {"beta": 0.0}, {"beta": 5.0}],
}


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")


@pytest.mark.parametrize("name", windows.__all__)
def test_windows_are_pytorchs(torch: Any, name: str) -> None:
    ours, theirs = (getattr(lib.signal.windows, name) for lib in (tg, torch))
    for parameters, M, sym in product(PARAMETERS.get(name, [{}]), (0, 1, 2, 5, 8), (True, False)):
        options = {"M": M, "sym": sym, **parameters}
        for dtype, close in (("float64", 1e-12), ("float32", 1e-6)):
            found, expected = (f(dtype=getattr(l, dtype), **options) for f, l in ((ours, tg), (theirs, torch)))
            np.testing.assert_allclose(found.numpy(), expected.numpy(), close, close, err_msg=f"{options}")
            assert found.numpy().dtype == dtype
    assert ours(3, requires_grad=True, **PARAMETERS.get(name, [{}])[0]).requires_grad


@pytest.mark.parametrize("name", ["hann", "hamming", "blackman", "bartlett", "kaiser"])
def test_older_names_are_pytorchs(torch: Any, name: str) -> None:
    ours, theirs = (getattr(lib, f"{name}_window") for lib in (tg, torch))
    more = {"hamming": (0.5, 0.4), "kaiser": (5.0,)}.get(name, ())
    for M, arguments in product((0, 1, 2, 7), ((), (False,), (True, *more))):
        found, expected = (f(M, *arguments, dtype=lib.float64) for f, lib in ((ours, tg), (theirs, torch)))
        np.testing.assert_allclose(found.numpy(), expected.numpy(), 1e-12, 1e-12)
    assert ours(window_length=3).dtype is tg.float32 and ours(2, dtype=tg.float16).dtype is tg.float16


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda w: w.hann(-1), "hann: the length of a window can't be negative, -1 came"),
        (lambda w: w.hann(3.0), "hann: the length .*must be an integer, not 3.0"),
        (lambda w: w.cosine(3, dtype=w.dtype), "cosine: dtype must be float32 or float64, not .*int32"),
        (lambda w: w.general_cosine(3, a=3.0), "a must be a list or tuple"),
        (lambda w: w.general_cosine(3, a=[]), "a is empty"),
        (lambda w: w.exponential(3, center=1), "center=1 came"),
        (lambda w: w.exponential(3, tau=0.0), "tau must be positive, 0.0 came"),
        (lambda w: w.gaussian(3, std=0), "std must be positive, 0 came"),
        (lambda w: w.kaiser(3, beta=-1.0), "beta can't be negative, -1.0 came"),
    ],
)
def test_bad_windows_are_explained(torch: Any, call: Any, message: str) -> None:
    class Windows:
        def __init__(self, lib: Any) -> None:
            self.lib, self.dtype = lib, lib.int32

        def __getattr__(self, name: str) -> Any:
            return getattr(self.lib.signal.windows, name)

    with pytest.raises(tg.TinygradError, match=message) as found:
        call(Windows(tg))
    with pytest.raises(Exception) as expected:
        call(Windows(torch))
    assert isinstance(found.value, type(expected.value))
