"""Recurrent layers over a whole sequence as one operation: one product for all inputs, one for each step.

A sequence is a matrix whose rows are the inputs of the first step, then those of the second, and so on; `sizes` says
how many each step has. They may get fewer, as the shorter sequences of a batch end (`nn.utils.rnn`). Going back, what
does not depend on later steps is computed for all of them at once, and so are the weights' gradients, by one product.
The twins do the same step by step from operations, which gives the higher derivatives.
"""

from collections.abc import Callable
from itertools import accumulate
from typing import Any

import numpy as np

from .. import backend
from ..operation import keep, operation
from .elementwise import mul, relu, sigmoid, tanh
from .joining import cat, narrow
from .linalg import linear

Arrays = tuple[Any, ...]
Sizes = tuple[int, ...]


# --- the order of the steps


def _steps(sizes: Sizes, reverse: bool) -> list[tuple[slice, int]]:
    """The rows of each step and how many they are, in the order in which the layer reads them."""
    steps = [(slice(end - size, end), size) for size, end in zip(sizes, accumulate(sizes))]
    return steps[::-1] if reverse else steps


def _before(state: Any, states: Any, steps: list[tuple[slice, int]]) -> Any:
    """For each row the state that its step started from, of the states after all steps and the first one."""
    before, state = backend.empty(states, states.shape), state.copy()
    for rows, size in steps:
        before[rows] = state[:size]
        state[:size] = states[rows]
    return before


def _projected(input: Any, weight: Any, *biases: Any) -> Any:
    """The part of all steps' gates that comes from the inputs."""
    gates = input @ weight.T
    for bias in biases:
        if bias is not None:
            gates += bias
    return gates


def _weight_gradients(gates: Any, input: Any, before: Any, needs: Arrays) -> Arrays:
    """Of both weights and biases, from that of all steps' gates, which are sums of products with rows of both."""
    bias = np.add.reduce(gates, 0) if needs[2] or needs[3] else None
    return gates.T @ input if needs[0] else None, gates.T @ before if needs[1] else None, bias, bias


def _needed(needs: Arrays, parts: Arrays) -> Arrays:
    return tuple([part for need, part in zip(needs, parts, strict=True) if need])


def _in_their_places(needs: Arrays, parts: Arrays) -> Arrays:
    """The gradients that are needed among all of them, None for the others."""
    left = iter(parts)
    return tuple([next(left) if need else None for need in needs])


def _in_single(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of arrays that computes float16 in float32, as PyTorch does, and rounds its results once."""

    def call(*args: Any) -> Any:
        if not any(backend.is_array(arg) and arg.dtype == np.float16 for arg in args):
            return function(*args)
        return tuple([_cast(part, np.float16) for part in function(*[_cast(arg, np.float32) for arg in args])])

    return call


def _cast(value: Any, dtype: Any) -> Any:
    return value.astype(dtype) if backend.is_array(value) and value.dtype.kind == "f" else value


# --- step by step, from operations


def rnn_step(x: Any, state: Arrays, weight: Any, bias: Any, activation: Callable[[Any], Any]) -> Arrays:
    """h' = activation(x + W h + b), where x is the input's part already."""
    return (activation(x + linear(state[0], weight, bias)),)


def gru_step(x: Any, state: Arrays, weight: Any, bias: Any) -> Arrays:
    """r, z = σ(x + W h + b); n = tanh(xₙ + r (Wₙ h + bₙ)); h' = (1 - z) n + z h."""
    (h,) = state
    n, hidden = h.shape[1], linear(h, weight, bias)
    gates = sigmoid(narrow(x, 1, 0, 2 * n) + narrow(hidden, 1, 0, 2 * n))
    reset, update = narrow(gates, 1, 0, n), narrow(gates, 1, n, n)
    new = tanh(narrow(x, 1, 2 * n, n) + mul(reset, narrow(hidden, 1, 2 * n, n)))
    return (new + mul(update, h - new),)


def lstm_step(x: Any, state: Arrays, weight: Any, bias: Any, projection: Any) -> Arrays:
    """i, f, g, o = σ, σ, tanh, σ of x + W h + b; c' = f c + i g; h' = o tanh(c'), projected by a matrix or not."""
    h, c = state
    n, gates = c.shape[1], x + linear(h, weight, bias)
    i, f, o = (sigmoid(narrow(gates, 1, at * n, n)) for at in (0, 1, 3))
    c = mul(f, c) + mul(i, tanh(narrow(gates, 1, 2 * n, n)))
    h = mul(o, tanh(c))
    return (h if projection is None else linear(h, projection), c)


def _stepwise(x: Any, state: Arrays, sizes: Sizes, reverse: bool, step: Callable[[Any, Arrays], Arrays]) -> Arrays:
    """All steps' outputs as rows, and the last state, from the inputs' part of the gates and the first state."""
    outputs = []
    for rows, size in _steps(sizes, reverse):
        part = x if len(sizes) == 1 else narrow(x, 0, rows.start, size)
        if size == state[0].shape[0]:
            state = step(part, state)
        else:  # the other sequences have ended, or not begun
            new = step(part, tuple([narrow(s, 0, 0, size) for s in state]))
            rest = [narrow(s, 0, size, s.shape[0] - size) for s in state]
            state = tuple([cat([moved, kept], 0) for moved, kept in zip(new, rest)])
        outputs.append(state[0] if size == state[0].shape[0] else narrow(state[0], 0, 0, size))
    return (cat(outputs[::-1] if reverse else outputs, 0), *state)


# --- RNN


def _composed_rnn(
    input: Any, hidden: Any, weight_ih: Any, weight_hh: Any, bias_ih: Any, bias_hh: Any,
    nonlinearity: str, sizes: Sizes, reverse: bool,
) -> Arrays:  # fmt: skip
    activation = tanh if nonlinearity == "tanh" else relu
    x = linear(input, weight_ih, bias_ih)
    return _stepwise(x, (hidden,), sizes, reverse, lambda x, h: rnn_step(x, h, weight_hh, bias_hh, activation))


def _rnn_rule(
    g: Any, needs: Any, input: Any, hidden: Any, weight_ih: Any, weight_hh: Any, nonlinearity: str,
    sizes: Sizes, reverse: bool, states: Any,
) -> Arrays:  # fmt: skip
    parts = rnn_gradients(
        g[0], g[1], needs, input, hidden, weight_ih, weight_hh, nonlinearity, sizes, reverse, states
    )  # fmt: skip
    return _in_their_places(needs, parts)


@operation(
    joint=_rnn_rule, twin=_composed_rnn, input=None, hidden=None, weight_ih=None, weight_hh=None, bias_ih=None,
    bias_hh=None,
)  # fmt: skip
def rnn_sequence(
    input: Any, hidden: Any, weight_ih: Any, weight_hh: Any, bias_ih: Any, bias_hh: Any,
    nonlinearity: str, sizes: Any, reverse: bool,
) -> Any:  # fmt: skip
    """hₜ = tanh or relu of (W x + b + W' hₜ₋₁ + b'): all h as rows, and the last one of each sequence."""
    out, hidden, states = _rnn(input, hidden, weight_ih, weight_hh, bias_ih, bias_hh, nonlinearity, sizes, reverse)
    return keep((out, hidden), states=states)


@_in_single
def _rnn(
    input: Any, hidden: Any, weight_ih: Any, weight_hh: Any, bias_ih: Any, bias_hh: Any,
    nonlinearity: str, sizes: Sizes, reverse: bool,
) -> Arrays:  # fmt: skip
    states, h, weight = _projected(input, weight_ih, bias_ih, bias_hh), hidden.copy(), backend.row_major(weight_hh.T)
    for rows, size in _steps(sizes, reverse):
        z = states[rows]
        z += h[:size] @ weight
        h[:size] = np.tanh(z, out=z) if nonlinearity == "tanh" else np.maximum(z, 0, out=z)
    return states.copy(), h, states  # (what is kept is not the result, which may be edited)


@operation()
def rnn_gradients(
    g: Any, g_hidden: Any, needs: Any, input: Any, hidden: Any, weight_ih: Any, weight_hh: Any,
    nonlinearity: str, sizes: Any, reverse: bool, states: Any,
) -> Any:  # fmt: skip
    """The gradients of all inputs of `rnn_sequence` that are needed."""
    return _rnn_back(g, g_hidden, needs, input, hidden, weight_ih, weight_hh, nonlinearity, sizes, reverse, states)


@_in_single
def _rnn_back(
    g: Any, g_hidden: Any, needs: Arrays, input: Any, hidden: Any, weight_ih: Any, weight_hh: Any,
    nonlinearity: str, sizes: Sizes, reverse: bool, states: Any,
) -> Arrays:  # fmt: skip
    steps, dh = _steps(sizes, reverse), g_hidden.copy()
    gates = 1 - states * states if nonlinearity == "tanh" else (states > 0).astype(states.dtype)
    for rows, size in reversed(steps):
        d, z = dh[:size], gates[rows]
        d += g[rows]
        z *= d
        np.matmul(z, weight_hh, out=d)
    weights = _weight_gradients(gates, input, _before(hidden, states, steps) if needs[3] else None, needs[2:])
    return _needed(needs, (gates @ weight_ih if needs[0] else None, dh, *weights))


# --- GRU


def _composed_gru(
    input: Any, hidden: Any, weight_ih: Any, weight_hh: Any, bias_ih: Any, bias_hh: Any, sizes: Sizes, reverse: bool
) -> Arrays:
    x = linear(input, weight_ih, bias_ih)
    return _stepwise(x, (hidden,), sizes, reverse, lambda x, h: gru_step(x, h, weight_hh, bias_hh))


def _gru_rule(
    g: Any, needs: Any, input: Any, hidden: Any, weight_ih: Any, weight_hh: Any, sizes: Sizes, reverse: bool,
    gates: Any, candidates: Any, states: Any,
) -> Arrays:  # fmt: skip
    parts = gru_gradients(
        g[0], g[1], needs, input, hidden, weight_ih, weight_hh, sizes, reverse, gates, candidates, states
    )  # fmt: skip
    return _in_their_places(needs, parts)


@operation(
    joint=_gru_rule, twin=_composed_gru, input=None, hidden=None, weight_ih=None, weight_hh=None, bias_ih=None,
    bias_hh=None,
)  # fmt: skip
def gru_sequence(
    input: Any, hidden: Any, weight_ih: Any, weight_hh: Any, bias_ih: Any, bias_hh: Any, sizes: Any, reverse: bool
) -> Any:
    """r, z = σ(W x + W' h + b); n = tanh(W x + b + r (W' h + b')); h' = (1 - z) n + z h: all h, and the last ones."""
    out, h, gates, candidates, states = _gru(
        input, hidden, weight_ih, weight_hh, bias_ih, bias_hh, sizes, reverse
    )  # fmt: skip
    return keep((out, h), gates=gates, candidates=candidates, states=states)


@_in_single
def _gru(
    input: Any, hidden: Any, weight_ih: Any, weight_hh: Any, bias_ih: Any, bias_hh: Any, sizes: Sizes, reverse: bool
) -> Arrays:
    gates, h, weight, n = (
        _projected(input, weight_ih, bias_ih),
        hidden.copy(),
        backend.row_major(weight_hh.T),
        hidden.shape[1],
    )
    candidates = backend.empty(gates, (gates.shape[0], n))  # W' h + b' of the new state, before r
    states = backend.empty(gates, candidates.shape)
    for rows, size in _steps(sizes, reverse):
        state, z, candidate = h[:size], gates[rows], candidates[rows]
        product = state @ weight
        if bias_hh is not None:
            product += bias_hh
        both, new = z[:, : 2 * n], z[:, 2 * n :]
        both += product[:, : 2 * n]
        both *= 0.5  # σ(x) = tanh(x / 2) / 2 + 1 / 2
        np.tanh(both, out=both)
        both *= 0.5
        both += 0.5
        candidate[...] = product[:, 2 * n :]
        new += both[:, :n] * candidate
        np.tanh(new, out=new)
        state -= new
        state *= both[:, n:]
        state += new
        states[rows] = state
    return states.copy(), h, gates, candidates, states  # (what is kept is not the result, which may be edited)


@operation()
def gru_gradients(
    g: Any, g_hidden: Any, needs: Any, input: Any, hidden: Any, weight_ih: Any, weight_hh: Any,
    sizes: Any, reverse: bool, gates: Any, candidates: Any, states: Any,
) -> Any:  # fmt: skip
    """The gradients of all inputs of `gru_sequence` that are needed."""
    return _gru_back(
        g, g_hidden, needs, input, hidden, weight_ih, weight_hh, sizes, reverse, gates, candidates, states
    )  # fmt: skip


@_in_single
def _gru_back(
    g: Any, g_hidden: Any, needs: Arrays, input: Any, hidden: Any, weight_ih: Any, weight_hh: Any,
    sizes: Sizes, reverse: bool, gates: Any, candidates: Any, states: Any,
) -> Arrays:  # fmt: skip
    steps, n = _steps(sizes, reverse), hidden.shape[1]
    before, dh = _before(hidden, states, steps), g_hidden.copy()
    r, z, new = gates[:, :n], gates[:, n : 2 * n], gates[:, 2 * n :]
    slopes = backend.empty(gates, (gates.shape[0], 4, n))  # of r, z, W' h + b' and n, each times the gradient of h'
    slopes[:, 3] = (1 - z) * (1 - new * new)
    slopes[:, 2] = slopes[:, 3] * r
    slopes[:, 1] = (before - new) * z * (1 - z)
    slopes[:, 0] = slopes[:, 2] * candidates * (1 - r)
    flat = slopes.reshape(gates.shape[0], 4 * n)
    for rows, size in reversed(steps):
        d, slope = dh[:size], slopes[rows]
        d += g[rows]
        slope *= d[:, None]
        d *= z[rows]
        d += flat[rows, : 3 * n] @ weight_hh
    of_hidden = _weight_gradients(flat[:, : 3 * n], input, before, (False, needs[3], False, needs[5]))
    slopes[:, 2] = slopes[:, 3]  # the input's part of n is not multiplied by r
    of_input = _weight_gradients(flat[:, : 3 * n], input, before, (needs[2], False, needs[4], False))
    of_rows = flat[:, : 3 * n] @ weight_ih if needs[0] else None
    return _needed(needs, (of_rows, dh, of_input[0], of_hidden[1], of_input[2], of_hidden[3]))


# --- LSTM


def _composed_lstm(
    input: Any, hidden: Any, cell: Any, weight_ih: Any, weight_hh: Any, bias_ih: Any, bias_hh: Any, weight_hr: Any,
    sizes: Sizes, reverse: bool,
) -> Arrays:  # fmt: skip
    x = linear(input, weight_ih, bias_ih)
    return _stepwise(
        x, (hidden, cell), sizes, reverse, lambda x, state: lstm_step(x, state, weight_hh, bias_hh, weight_hr)
    )


def _lstm_rule(
    g: Any, needs: Any, input: Any, hidden: Any, cell: Any, weight_ih: Any, weight_hh: Any, weight_hr: Any,
    sizes: Sizes, reverse: bool, gates: Any, cells: Any,
) -> Arrays:  # fmt: skip
    parts = lstm_gradients(
        g[0], g[1], g[2], needs, input, hidden, cell, weight_ih, weight_hh, weight_hr, sizes, reverse, gates, cells
    )
    return _in_their_places(needs, parts)


@operation(
    joint=_lstm_rule, twin=_composed_lstm, input=None, hidden=None, cell=None, weight_ih=None, weight_hh=None,
    bias_ih=None, bias_hh=None, weight_hr=None,
)  # fmt: skip
def lstm_sequence(
    input: Any, hidden: Any, cell: Any, weight_ih: Any, weight_hh: Any, bias_ih: Any, bias_hh: Any, weight_hr: Any,
    sizes: Any, reverse: bool,
) -> Any:  # fmt: skip
    """i, f, g, o = σ, σ, tanh, σ of W x + W' h + b; c' = f c + i g; h' = o tanh(c'): all h, the last h and c."""
    out, h, c, gates, cells = _lstm(
        input, hidden, cell, weight_ih, weight_hh, bias_ih, bias_hh, weight_hr, sizes, reverse
    )  # fmt: skip
    return keep((out, h, c), gates=gates, cells=cells)


@_in_single
def _lstm(
    input: Any, hidden: Any, cell: Any, weight_ih: Any, weight_hh: Any, bias_ih: Any, bias_hh: Any, weight_hr: Any,
    sizes: Sizes, reverse: bool,
) -> Arrays:  # fmt: skip
    gates, n = _projected(input, weight_ih, bias_ih, bias_hh), cell.shape[1]
    h, c, weight = hidden.copy(), cell.copy(), backend.row_major(weight_hh.T)
    out, cells = (backend.empty(gates, (gates.shape[0], state.shape[1])) for state in (h, c))
    products = backend.empty(gates, (h.shape[0], 4 * n))
    scales, shifts = backend.filled(gates, products.shape, 0.5), backend.filled(gates, products.shape, 0.5)
    scales[:, 2 * n : 3 * n], shifts[:, 2 * n : 3 * n] = 1, 0  # σ(x) = tanh(x / 2) / 2 + 1 / 2, so that all are tanh
    for rows, size in _steps(sizes, reverse):
        z, memory, scale = gates[rows], c[:size], scales[:size]
        z += np.matmul(h[:size], weight, out=products[:size])
        z *= scale
        np.tanh(z, out=z)
        z *= scale
        z += shifts[:size]
        memory *= z[:, n : 2 * n]
        new = z[:, :n] * z[:, 2 * n : 3 * n]
        memory += new
        cells[rows] = memory
        np.tanh(memory, out=new)
        new *= z[:, 3 * n :]
        h[:size] = out[rows] = new if weight_hr is None else new @ weight_hr.T
    return out, h, c, gates, cells


@operation()
def lstm_gradients(
    g: Any, g_hidden: Any, g_cell: Any, needs: Any, input: Any, hidden: Any, cell: Any, weight_ih: Any, weight_hh: Any,
    weight_hr: Any, sizes: Any, reverse: bool, gates: Any, cells: Any,
) -> Any:  # fmt: skip
    """The gradients of all inputs of `lstm_sequence` that are needed."""
    return _lstm_back(
        g, g_hidden, g_cell, needs, input, hidden, cell, weight_ih, weight_hh, weight_hr, sizes, reverse, gates, cells
    )


@_in_single
def _lstm_back(
    g: Any, g_hidden: Any, g_cell: Any, needs: Arrays, input: Any, hidden: Any, cell: Any, weight_ih: Any,
    weight_hh: Any, weight_hr: Any, sizes: Sizes, reverse: bool, gates: Any, cells: Any,
) -> Arrays:  # fmt: skip
    steps, n = _steps(sizes, reverse), cell.shape[1]
    i, f, new, o = (gates[:, at * n : (at + 1) * n] for at in range(4))
    outputs = np.tanh(cells)
    slopes = backend.empty(gates, (gates.shape[0], 4, n))  # of i, f and g times the gradient of c', of o times h's
    slopes[:, 0] = new * i * (1 - i)
    slopes[:, 1] = _before(cell, cells, steps) * f * (1 - f)
    slopes[:, 2] = i * (1 - new * new)
    slopes[:, 3] = outputs * o * (1 - o)
    to_cell = o * (1 - outputs * outputs)
    outputs *= o
    dh, dc, flat = g_hidden.copy(), g_cell.copy(), slopes.reshape(gates.shape)
    totals = backend.empty(g, g.shape if weight_hr is not None else (0,))  # the gradients of all h, if projected
    for rows, size in reversed(steps):
        d, memory, slope = dh[:size], dc[:size], slopes[rows]
        d += g[rows]
        of_output = d
        if weight_hr is not None:
            totals[rows] = d
            of_output = d @ weight_hr
        memory += of_output * to_cell[rows]
        slope[:, 3] *= of_output
        slope[:, :3] *= memory[:, None]
        memory *= f[rows]
        np.matmul(flat[rows], weight_hh, out=d)
    of_projection = totals.T @ outputs if needs[7] else None
    if needs[4]:
        outputs = _before(hidden, outputs if weight_hr is None else outputs @ weight_hr.T, steps)
    weights = _weight_gradients(flat, input, outputs, needs[3:])
    return _needed(needs, (flat @ weight_ih if needs[0] else None, dh, dc, *weights, of_projection))
