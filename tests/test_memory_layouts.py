"""Results don't depend on how inputs lie in memory: reversed, in another order, with gaps, or one element for many."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle
from typing import Any

import numpy as np
import pytest
from cases import CASES, Case

import tinygrad_dl as tg
from tinygrad_dl.tensor import wrap


def reversed_(x: Any) -> Any:
    back = (slice(None, None, -1),) * x.ndim
    return np.ascontiguousarray(x[back])[back] if x.ndim else x.copy()


def with_gaps(x: Any) -> Any:
    wide = np.zeros([2 * n + 1 for n in x.shape], x.dtype)
    wide[(slice(1, None, 2),) * x.ndim] = x
    return wide[(slice(1, None, 2),) * x.ndim]


def inside_a_row(x: Any) -> Any:
    row = np.zeros(x.size + 3, x.dtype)
    row[2:-1] = x.reshape(-1)
    return row[2:-1].reshape(x.shape)


def repeated(x: Any) -> Any:
    """The first row, or the first column, in place of all, without memory of their own."""
    if not x.size:
        return x.copy()
    return np.broadcast_to(x[:1] if x.ndim and x.shape[0] > 1 else x[..., :1] if x.ndim else x, x.shape)


LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "reversed": reversed_,
    "columns first": np.asfortranarray,
    "with gaps": with_gaps,
    "inside a row": inside_a_row,
    "repeated": repeated,
}
OF_MEMORY = {"as_strided", "view"}  # what they do depends on it
TURNS: dict[str, list[tuple[Case, str]]] = {}  # by operation, each of whose forms meets several layouts
for _case, _layout in zip(CASES, cycle(LAYOUTS)):
    if _case.operation not in OF_MEMORY:
        TURNS.setdefault(_case.operation, []).append((_case, _layout))


def results(case: Case, arrays: list[Any]) -> Any:
    """Outputs, gradients and second derivatives; or the class of an error."""
    tg.manual_seed(0)
    inputs = [wrap(array) for array in arrays]
    leaves = [x for x, draw in zip(inputs, case.draws) if case.differentiable and draw.grad and not draw.fixed]
    for leaf in leaves:
        leaf.requires_grad_()
    try:
        found = [out for out in case.outputs(case.run(tg, *inputs)) if isinstance(out, tg.Tensor)]
        for _ in range(2):
            total: Any = sum((out * wrap(np.cos(np.arange(out.numel())).reshape(out.shape))).sum() for out in found)
            if not (leaves and isinstance(total, tg.Tensor) and total.requires_grad):
                break
            gradients = tg.autograd.grad(total, leaves, create_graph=True, allow_unused=True)
            found += [g for g in gradients if g is not None]
    except (RuntimeError, TypeError, IndexError) as error:
        return type(error)
    return [out.numpy(force=True).copy() for out in found]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("operation", TURNS)
def test_results_do_not_depend_on_memory(operation: str) -> None:
    for case, layout in TURNS[operation]:
        arrays = [np.asarray(LAYOUTS[layout](array)) for array in case.arrays()]
        expected, found = results(case, [array.copy() for array in arrays]), results(case, arrays)
        if isinstance(expected, type):
            assert found is expected, (case.name, layout)
            continue
        assert len(found) == len(expected), (case.name, layout)
        for ours, plain in zip(found, expected):
            assert ours.dtype == plain.dtype and ours.shape == plain.shape
            np.testing.assert_allclose(ours, plain, 1e-10, 1e-11, err_msg=f"{case.name} {layout}")
