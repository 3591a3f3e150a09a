"""Parameter and Buffer."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl import nn


def test_a_parameter_shares_the_memory_of_its_data() -> None:
    data = tg.tensor([1.0, 2.0])
    parameter = nn.Parameter(data)
    data[0] = 5.0
    assert parameter.tolist() == [5.0, 2.0] and not data.requires_grad


def test_a_parameter_is_a_leaf_whatever_it_came_from() -> None:
    source = tg.ones(2, requires_grad=True) * 3
    parameter = nn.Parameter(source)
    assert parameter.is_leaf and parameter.requires_grad and parameter.grad is None
    (parameter * parameter).sum().backward()
    assert parameter.grad.tolist() == [6.0, 6.0] and source.grad_fn is not None


def test_the_ways_to_make_one() -> None:
    assert nn.Parameter(tg.Tensor(3, 4)).shape == (3, 4)
    assert nn.Parameter(tg.randn(3)).shape == (3,)
    assert nn.Parameter(nn.Parameter(tg.ones(2))).tolist() == [1.0, 1.0]
    assert not nn.Parameter(tg.ones(2), requires_grad=False).requires_grad
    assert nn.Parameter().shape == (0,) and nn.Parameter().requires_grad
    assert nn.Parameter(tg.ones(1, dtype=tg.int64), requires_grad=False).dtype == tg.int64


def test_what_is_no_tensor_is_refused() -> None:
    for data in ([1.0], 3, np.ones(2)):
        with pytest.raises(
            TypeError, match=rf"Parameter: .* not {type(data).__name__}; write Parameter\(tinygrad_dl.tensor"
        ):
            nn.Parameter(data)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="Buffer: "):
        nn.Buffer([1.0])  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match=r"int64"):
        nn.Parameter(tg.ones(2, dtype=tg.int64))


def test_repr_and_kind() -> None:
    parameter = nn.Parameter(tg.ones(2))
    assert repr(parameter) == "Parameter containing:\ntensor([1., 1.], requires_grad=True)"
    assert isinstance(parameter, tg.Tensor)
    assert type(parameter * 2) is tg.Tensor and type(parameter.data) is tg.Tensor
    assert type(parameter.detach()) is tg.Tensor


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))], ids=["deepcopy", "pickle"]
)
def test_copies_keep_their_kind(duplicate) -> None:
    for original in (nn.Parameter(tg.ones(2)), nn.Parameter(tg.ones(2), requires_grad=False)):
        twin = duplicate(original)
        assert type(twin) is nn.Parameter and twin.requires_grad == original.requires_grad
        assert twin.tolist() == [1.0, 1.0] and twin.data_ptr() != original.data_ptr()
    buffer = nn.Buffer(tg.ones(2), persistent=False)
    twin = duplicate(buffer)
    assert isinstance(twin, nn.Buffer) and not twin.persistent and nn.Buffer(tg.ones(2)).persistent


def test_a_parameter_in_arithmetic_and_edited_without_recording() -> None:
    w = nn.Parameter(tg.tensor([1.0, 2.0]))
    (w * tg.tensor([3.0, 4.0])).sum().backward()
    with tg.no_grad():
        w -= 0.5 * w.grad
    assert w.tolist() == [-0.5, 0.0] and isinstance(w, nn.Parameter)
    with pytest.raises(RuntimeError, match="no_grad"):
        w -= 1.0
