"""Derivatives checked against central differences, in float64 whatever the inputs' dtype."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import backend
from .autograd import grad
from .creation import tensor
from .dtypes import FLOATING, float64
from .errors import ArgumentError, GraphError
from .modes import enable_grad
from .tensor import Tensor


class GradcheckError(GraphError):
    """An analytical and a numerical derivative that differ."""


def gradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """Whether the gradients of `func` agree with (f(x + eps) - f(x - eps)) / (2 eps).

    Arguments: func (of the inputs, giving one tensor or several), inputs (those that require grad are checked, as
    float64 copies), eps (the step), atol and rtol (tolerances), raise_exception (or return False). Raises
    GradcheckError that names the input, the element and both numbers, ArgumentError when no input requires grad.
    Source: notes, section 1.1.

    >>> import tinygrad_dl as tg
    >>> tg.gradcheck(lambda x: x * x, tg.tensor([1.0, 2.0], requires_grad=True))
    True
    """
    copies, checked = _float64_copies("gradcheck", inputs)
    with enable_grad():
        outputs = [o for o in _listed(func(*copies)) if o.array.dtype in FLOATING]
    try:
        for which, output in enumerate(outputs):
            _check_output(func, copies, checked, which, output, eps, atol, rtol)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """Whether the second derivatives of `func` agree with central differences of the first.

    Arguments as for `gradcheck`; grad_outputs (the gradients of the outputs, random if None).

    >>> import tinygrad_dl as tg
    >>> tg.gradgradcheck(lambda x: x * x * x, tg.tensor([1.0, 2.0], requires_grad=True))
    True
    """
    copies, checked = _float64_copies("gradgradcheck", inputs)
    with enable_grad():
        outputs = [o for o in _listed(func(*copies)) if o.array.dtype in FLOATING and o.requires_grad]
    if grad_outputs is None:
        draw = np.random.default_rng(0)
        seeds = [tensor(draw.normal(size=o.shape), device=o.device, requires_grad=True) for o in outputs]
    else:
        seeds = [g.detach().to(float64).requires_grad_() for g in _listed(grad_outputs)]

    def first_derivatives(*values: Any) -> tuple[Tensor, ...]:
        given, weights = values[: len(copies)], values[len(copies) :]
        results = [o for o in _listed(func(*given)) if o.array.dtype in FLOATING and o.requires_grad]
        wanted = [given[i] for i in checked]
        found = grad(results, wanted, list(weights), create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None and g.requires_grad)

    return gradcheck(
        first_derivatives, (*copies, *seeds), eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception
    )


def _listed(values: Any) -> list[Any]:
    return [values] if isinstance(values, Tensor) else list(values)


def _float64_copies(name: str, inputs: Any) -> tuple[list[Any], list[int]]:
    """Copies of the floating inputs, the constant ones too so that all meet in one dtype, and which are checked."""
    copies = [
        value.detach().clone().to(float64).requires_grad_(value.requires_grad)
        if isinstance(value, Tensor) and value.is_floating_point()
        else value
        for value in _listed(inputs)
    ]
    checked = [i for i, value in enumerate(copies) if isinstance(value, Tensor) and value.requires_grad]
    if not checked:
        raise ArgumentError(
            f"{name}: no input requires grad, so there is nothing to check; call requires_grad_() on one"
        )
    return copies, checked


def _check_output(
    func: Any, copies: list[Any], checked: list[int], which: int, output: Tensor, eps: float, atol: float, rtol: float
) -> None:
    """Compare the derivative of one output, a row of the Jacobian for each of its elements."""
    rows: list[list[Any]] = []
    for j in range(output.numel()):
        unit = np.zeros(output.shape)
        unit.reshape(-1)[j] = 1
        if output.requires_grad:
            seed = tensor(unit, device=output.device)
            found = grad(output, [copies[i] for i in checked], seed, retain_graph=True, allow_unused=True)
        else:
            found = (None,) * len(checked)
        rows.append([None if g is None else backend.to_numpy(g.array) for g in found])
    for place, i in enumerate(checked):
        values = backend.to_numpy(copies[i].array).copy()
        for k in range(values.size):
            numerical = (
                _moved(func, copies, i, values, k, eps, which) - _moved(func, copies, i, values, k, -eps, which)
            ) / (2 * eps)
            analytical = np.array([0.0 if row[place] is None else row[place].reshape(-1)[k] for row in rows])
            wrong = ~np.isclose(analytical, numerical.reshape(-1), rtol, atol, equal_nan=True)
            if wrong.any():
                j = int(np.argmax(wrong))
                raise GradcheckError(
                    f"gradcheck: d output {which}[{j}] / d input {i}[{k}] is {analytical[j]:.8g} by backward, but "
                    f"{numerical.reshape(-1)[j]:.8g} by central differences (step {eps:g})"
                )


def _moved(func: Any, copies: list[Any], i: int, values: np.ndarray, k: int, step: float, which: int) -> np.ndarray:
    """The output with element k of input i moved by a step."""
    moved = values.copy()
    moved.reshape(-1)[k] += step
    given = list(copies)
    given[i] = tensor(moved, device=copies[i].device, requires_grad=True)
    with enable_grad():
        result = [o for o in _listed(func(*given)) if o.array.dtype in FLOATING][which]
    return backend.to_numpy(result.array).astype(np.float64)
