"""The same parameters and gradients for ours and for PyTorch's optimizers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

import tinygrad_dl as tg

# Packed together: all small ones, also the 0-d and the empty one. In blocks: the big one. Alone: the middle one.
SHAPES = [(3, 4), (), (0,), (5,), (300, 400), (7, 1, 2), (60, 50)]

Gradients = list[list[np.ndarray | None]]


def values(dtype: str = "float64", shapes: Sequence[tuple[int, ...]] = SHAPES) -> list[np.ndarray]:
    """Starting values, the same at each call."""
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape).astype(dtype)[...] for shape in shapes]


def gradients(
    steps: int, missing: float = 0.0, dtype: str = "float64", shapes: Sequence[tuple[int, ...]] = SHAPES
) -> Gradients:
    """Gradients for each step and parameter; a share of them is missing."""
    rng = np.random.default_rng(1)
    return [
        [None if rng.random() < missing else rng.standard_normal(shape).astype(dtype)[...] for shape in shapes]
        for _ in range(steps)
    ]


def leaves(dtype: str = "float64", device: str = "cpu", shapes: Sequence[tuple[int, ...]] = SHAPES) -> list[Any]:
    """Our parameters."""
    arrays = values(dtype, shapes)
    return [tg.tensor(array, device=device, requires_grad=True) for array in arrays]


def follow(params: list[Any], optimizers: Any, given: Gradients) -> list[np.ndarray]:
    """Take a step per list of gradients, and give the parameters' values after them."""
    optimizers = optimizers if isinstance(optimizers, list) else [optimizers]
    for one in given:
        set_gradients(params, one)
        for optimizer in optimizers:
            optimizer.step()
    return [p.detach().cpu().numpy().copy() for p in params]


def set_gradients(params: list[Any], given: list[np.ndarray | None]) -> None:
    for p, g in zip(params, given):
        p.grad = None if g is None else tg.tensor(g, device=p.device)


def halves(params: list[Any], **options: Any) -> list[dict[str, Any]]:
    """Two groups, the second with options of its own."""
    return [{"params": params[:4]}, {"params": params[4:], **options}]


@contextmanager
def counting_in_float64(torch: Any) -> Iterator[None]:
    """Both libraries keep single numbers of the state in the default dtype; in float32 they round them differently."""
    ours, theirs = tg.get_default_dtype(), torch.get_default_dtype()
    tg.set_default_dtype(tg.float64)
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        tg.set_default_dtype(ours)
        torch.set_default_dtype(theirs)


def compare_with_torch(
    name: str,
    options: dict[str, Any],
    group_options: dict[str, Any],
    torch: Any,
    shapes: Sequence[tuple[int, ...]] = SHAPES,
    rtol: float = 1e-9,
) -> None:
    """50 steps in two groups with missing gradients, in float64, to 1e-9 of each number's size."""
    with counting_in_float64(torch):
        ours, given = leaves(shapes=shapes), gradients(50, missing=0.15, shapes=shapes)
        mine = follow(ours, getattr(tg.optim, name)(halves(ours, **group_options), **options), given)
        theirs = [torch.tensor(array, requires_grad=True) for array in values(shapes=shapes)]
        optimizer = getattr(torch.optim, name)(halves(theirs, **group_options), **options)
        for one in given:
            for p, g in zip(theirs, one):
                p.grad = None if g is None else torch.tensor(g)
            optimizer.step()
    for a, b in zip(mine, theirs):
        np.testing.assert_allclose(a, b.detach().numpy(), rtol=rtol, atol=1e-12)


def trace(make: Callable[[list[Any]], Any]) -> Iterator[list[float]]:
    """The parameter after each of the three steps of the notes' traces."""
    w = tg.tensor([1.0, -2.0], dtype=tg.float64, requires_grad=True)
    optimizer = make([w])
    for g in ([0.1, -0.2], [0.3, 0.4], [-0.2, 0.1]):
        w.grad = tg.tensor(g, dtype=tg.float64)
        optimizer.step()
        yield w.tolist()


def as_torch(value: Any, torch: Any) -> Any:
    """Nested dicts and lists with our tensors as PyTorch's."""
    return _converted(value, tg.Tensor, lambda tensor: torch.tensor(tensor.numpy()))


def as_ours(value: Any, torch: Any) -> Any:
    return _converted(value, torch.Tensor, lambda tensor: tg.tensor(tensor.detach().numpy()))


def _converted(value: Any, kind: type, convert: Any) -> Any:
    if isinstance(value, kind):
        return convert(value)
    if isinstance(value, dict):
        return {key: _converted(one, kind, convert) for key, one in value.items()}
    return [_converted(one, kind, convert) for one in value] if isinstance(value, list) else value
