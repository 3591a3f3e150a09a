"""Recurrent layers over a whole sequence as one operation: one product for all inputs, one for each step.

A sequence is a matrix whose rows are the inputs of the first step, then those of the second, and so on; `sizes` says
how many each step has. They may get fewer, as the shorter sequences of a batch end (`nn.utils.rnn`). Going back, what
does not depend on later steps is computed for all of them at once, and so are the weights' gradients, by one product.
The twins do the same step by step from operations, which gives the higher derivatives.
"""

from collections.abc import Callable
from itertools import accumulate, groupby
from typing import Any

import numpy as np

from .. import backend
from ..operation import keep, operation
from .elementwise import mul, relu, sigmoid, tanh
from .joining import cat, narrow
from .linalg import linear

Arrays = tuple[Any, ...]
Sizes = tuple[int, ...]
Run = tuple[int, int, int]


# --- the order of the steps


def _runs(sizes: Sizes, reverse: bool) -> list[Run]:
    """Steps after each other that have as many rows, as (first row, rows of each step, steps), in reading order."""
    runs, start = [], 0
    for size, group in groupby(sizes):
        runs.append((start, size, len(list(group))))
        start += size * runs[-1][2]
    return runs[::-1] if reverse else runs


def _by_step(run: Run, reverse: bool, *arrays: Any) -> Any:
    """The rows of each step of a run in several arrays, as views."""
    start, size, count = run
    parts = [array[start : start + size * count].reshape(count, size, *array.shape[1:]) for array in arrays]
    return zip(*[part[::-1] for part in parts] if reverse else parts)


def _before(state: Any, states: Any, sizes: Sizes, reverse: bool) -> Any:
    """For each row the state that its step started from, of the states after all steps and the first one."""
    before, state = backend.empty(states, states.shape), state.copy()
    for run in _runs(sizes, reverse):
        for row, new in _by_step(run, reverse, before, states):
            row[...] = state[: run[1]]
            state[: run[1]] = new
    return before


def _projected(input: Any, weight: Any, *biases: Any) -> Any:
    """The part of all steps' gates that comes from the inputs."""
    gates = input @ weight.T
    if biases[0] is not None:
        gates += sum(biases[1:], biases[0])
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
        if args[0].dtype != np.float16:  # all others have the first one's
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
    steps = list(zip(accumulate(sizes, initial=0), sizes))
    for start, size in reversed(steps) if reverse else steps:
        part = x if len(sizes) == 1 else narrow(x, 0, start, size)
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
    for run in _runs(sizes, reverse):
        state = h[: run[1]]
        for (z,) in _by_step(run, reverse, states):
            z += state @ weight
            state[...] = np.tanh(z, out=z) if nonlinearity == "tanh" else np.maximum(z, 0, out=z)
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
    dh = g_hidden.copy()
    gates = 1 - states * states if nonlinearity == "tanh" else (states > 0).astype(states.dtype)
    for run in _runs(sizes, not reverse):
        d = dh[: run[1]]
        for z, of_output in _by_step(run, not reverse, gates, g):
            d += of_output
            z *= d
            z.dot(weight_hh, d)
    before = _before(hidden, states, sizes, reverse) if needs[3] else None
    weights = _weight_gradients(gates, input, before, needs[2:])
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
    both, news = gates[:, : 2 * n], gates[:, 2 * n :]
    for run in _runs(sizes, reverse):
        state = h[: run[1]]
        for z, r, update, new, candidate, result in _by_step(
            run, reverse, both, both[:, :n], both[:, n:], news, candidates, states
        ):
            product = state @ weight
            if bias_hh is not None:
                product += bias_hh
            z += product[:, : 2 * n]
            z *= 0.5  # σ(x) = tanh(x / 2) / 2 + 1 / 2
            np.tanh(z, out=z)
            z *= 0.5
            z += 0.5
            candidate[...] = product[:, 2 * n :]
            new += r * candidate
            np.tanh(new, out=new)
            state -= new
            state *= update
            state += new
            result[...] = state
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
    n, dh = hidden.shape[1], g_hidden.copy()
    before = _before(hidden, states, sizes, reverse)
    r, z, new = gates[:, :n], gates[:, n : 2 * n], gates[:, 2 * n :]
    slopes = backend.empty(gates, (gates.shape[0], 4, n))  # of r, z, W' h + b' and n, each times the gradient of h'
    slopes[:, 3] = (1 - z) * (1 - new * new)
    slopes[:, 2] = slopes[:, 3] * r
    slopes[:, 1] = (before - new) * z * (1 - z)
    slopes[:, 0] = slopes[:, 2] * candidates * (1 - r)
    flat = slopes.reshape(gates.shape[0], 4 * n)
    for run in _runs(sizes, not reverse):
        d = dh[: run[1]]
        for of_output, slope, of_hidden, update in _by_step(run, not reverse, g, slopes, flat[:, : 3 * n], z):
            d += of_output
            slope *= d[:, None]
            d *= update
            d += of_hidden @ weight_hh
    hidden_side = _weight_gradients(flat[:, : 3 * n], input, before, (False, needs[3], False, needs[5]))
    slopes[:, 2] = slopes[:, 3]  # the input's part of n is not multiplied by r
    input_side = _weight_gradients(flat[:, : 3 * n], input, before, (needs[2], False, needs[4], False))
    of_rows = flat[:, : 3 * n] @ weight_ih if needs[0] else None
    return _needed(needs, (of_rows, dh, input_side[0], hidden_side[1], input_side[2], hidden_side[3]))


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
    n, h, c = cell.shape[1], hidden.copy(), cell.copy()
    scale = backend.filled(input, (4 * n,), 0.5)
    scale[2 * n : 3 * n] = 1  # σ(x) = tanh(x / 2) / 2 + 1 / 2: all gates are a tanh
    biases = (None if bias is None else bias * scale for bias in (bias_ih, bias_hh))
    gates = _projected(input, weight_ih * scale[:, None], *biases)
    weight = backend.row_major((weight_hh * scale[:, None]).T)
    out, cells = (backend.empty(gates, (gates.shape[0], state.shape[1])) for state in (h, c))
    products = backend.empty(gates, (h.shape[0], 4 * n))
    scales = backend.broadcast_to(scale, products.shape).copy()  # twice as fast as a row that is repeated
    shifts = 1 - scales
    parts = [gates[:, at * n : (at + 1) * n] for at in range(4)]
    for run in _runs(sizes, reverse):
        state, memory, product, scale, shift = (x[: run[1]] for x in (h, c, products, scales, shifts))
        for z, i, f, new, o, cell, result in _by_step(run, reverse, gates, *parts, cells, out):
            z += state.dot(weight, product)
            np.tanh(z, out=z)
            z *= scale
            z += shift
            memory *= f
            memory += i * new
            cell[...] = memory
            output = np.tanh(memory)
            if weight_hr is None:
                np.multiply(output, o, out=state)
            else:
                np.matmul(output * o, weight_hr.T, out=state)
            result[...] = state
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
    n = cell.shape[1]
    i, f, new, o = (gates[:, at * n : (at + 1) * n] for at in range(4))
    outputs = np.tanh(cells)
    slopes = backend.empty(gates, (gates.shape[0], 4, n))  # of i, f and g times the gradient of c', of o times h's
    slopes[:, 0] = new * i * (1 - i)
    slopes[:, 1] = _before(cell, cells, sizes, reverse) * f * (1 - f)
    slopes[:, 2] = i * (1 - new * new)
    slopes[:, 3] = outputs * o * (1 - o)
    to_cell = o * (1 - outputs * outputs)
    outputs *= o
    dh, dc, flat = g_hidden.copy(), g_cell.copy(), slopes.reshape(gates.shape)
    totals = g if weight_hr is None else backend.empty(g, g.shape)  # the gradients of all h, if projected
    for run in _runs(sizes, not reverse):
        d, memory = dh[: run[1]], dc[: run[1]]
        arrays = [g, totals, to_cell, f, flat, slopes[:, 3], slopes[:, :3]]
        for of_output, total, factor, kept, z, last, others in _by_step(run, not reverse, *arrays):
            d += of_output
            of_state = d
            if weight_hr is not None:
                total[...] = d
                of_state = d @ weight_hr
            memory += of_state * factor
            last *= of_state
            others *= memory[:, None]
            memory *= kept
            z.dot(weight_hh, d)
    of_projection = totals.T @ outputs if needs[7] else None
    if needs[4]:
        outputs = _before(hidden, outputs if weight_hr is None else outputs @ weight_hr.T, sizes, reverse)
    weights = _weight_gradients(flat, input, outputs, needs[3:])
    return _needed(needs, (flat @ weight_ih if needs[0] else None, dh, dc, *weights, of_projection))
