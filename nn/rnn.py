"""Recurrent layers, which read sequences step by step, and their cells, which make one step."""

from __future__ import annotations

import math
import warnings
from typing import Any

from tinygrad_dl.creation import empty, zeros
from tinygrad_dl.errors import ArgumentError, ArgumentTypeError, DeviceError, DtypeError, ShapeError
from tinygrad_dl.ops.gathering import index_select
from tinygrad_dl.ops.indexing import select
from tinygrad_dl.ops.joining import cat, stack
from tinygrad_dl.ops.recurrent import gru_sequence, lstm_sequence, rnn_sequence
from tinygrad_dl.ops.shape import reshape, squeeze, transpose, unsqueeze
from tinygrad_dl.tensor import Tensor

from . import init
from .functional import dropout
from .module import Module
from .parameter import Parameter
from .utils.rnn import PackedSequence

GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}
NONLINEARITIES = ("tanh", "relu")


class InputDtypeError(DtypeError, ValueError):
    """An input or a state of another dtype than the weights'."""


def _run(mode: str, rows: Tensor, state: tuple[Tensor, ...], weights: Any, sizes: Any, reverse: bool) -> Any:
    """All outputs as rows and the last states, of one layer in one direction; weights in the operations' order."""
    if mode == "LSTM":
        return lstm_sequence(rows, *state, *weights, sizes, reverse)
    if mode == "GRU":
        return gru_sequence(rows, *state, *weights[:4], sizes, reverse)
    return rnn_sequence(rows, *state, *weights[:4], mode[4:].lower(), sizes, reverse)


def _require_fitting(name: str, value: Any, weight: Tensor, argument: str) -> None:
    if not isinstance(value, Tensor):
        raise ArgumentTypeError(f"{name}: {argument} must be a Tensor, not {type(value).__name__}")
    if value.dtype != weight.dtype:
        raise InputDtypeError(
            f"{name}: {argument} has dtype {value.dtype}, the weights {weight.dtype}; use .to({weight.dtype}), or "
            f"convert the layer by .to({value.dtype})"
        )
    if type(value.array) is not type(weight.array):
        raise DeviceError(
            f"{name}: {argument} is on '{value.device}', the weights on '{weight.device}'; use .to(device)"
        )


def _uniform(module: Module, hidden_size: int) -> None:
    bound = 1 / math.sqrt(hidden_size) if hidden_size > 0 else 0
    for parameter in module.parameters():
        init.uniform_(parameter, -bound, bound)


# --- layers


class RNNBase(Module):
    """What RNN, LSTM and GRU share: layers upon each other, each reading the sequence forwards, and maybe backwards.

    mode is "RNN_TANH", "RNN_RELU", "LSTM" or "GRU"; the other arguments are those of the layers.
    """

    def __init__(
        self, mode: str, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
        batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.mode, self.input_size, self.hidden_size, self.num_layers = mode, input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout = bias, batch_first, dropout
        self.bidirectional, self.proj_size = bidirectional, proj_size
        self._check_arguments()
        directions = ["", "_reverse"] if bidirectional else [""]
        outputs, gates = proj_size or hidden_size, GATES[mode] * hidden_size
        self._all_weights: list[list[str]] = []  # the names, for each layer and direction
        for layer in range(num_layers):
            inputs = input_size if layer == 0 else outputs * len(directions)
            for direction in directions:
                shapes: dict[str, tuple[int, ...]] = {"weight_ih": (gates, inputs), "weight_hh": (gates, outputs)}
                if bias:
                    shapes |= {"bias_ih": (gates,), "bias_hh": (gates,)}
                if proj_size:
                    shapes["weight_hr"] = (proj_size, hidden_size)
                names = [f"{name}_l{layer}{direction}" for name in shapes]
                self._all_weights.append(names)
                for name, shape in zip(names, shapes.values()):
                    setattr(self, name, Parameter(empty(*shape, device=device, dtype=dtype)))
        self.reset_parameters()

    def _check_arguments(self) -> None:
        name = type(self).__name__
        if self.mode not in GATES:
            raise ArgumentError(f"{name}: mode must be one of {', '.join(GATES)}, not {self.mode!r}")
        for argument in ("input_size", "hidden_size", "num_layers"):
            value = getattr(self, argument)
            if not isinstance(value, int):
                raise ArgumentTypeError(f"{name}: {argument} must be an integer, not {type(value).__name__}")
            if value <= 0:
                raise ArgumentError(f"{name}: {argument} must be greater than zero, {value} came")
        for argument in ("bias", "batch_first"):
            if not isinstance(getattr(self, argument), bool):
                raise ArgumentTypeError(f"{name}: {argument} must be True or False, not {getattr(self, argument)!r}")
        if not isinstance(self.dropout, int | float) or isinstance(self.dropout, bool) or not 0 <= self.dropout <= 1:
            raise ArgumentError(f"{name}: dropout must be a number from 0 to 1, not {self.dropout!r}")
        if not 0 <= self.proj_size < self.hidden_size:
            raise ArgumentError(
                f"{name}: proj_size must be 0 (no projection) or smaller than hidden_size {self.hidden_size}, "
                f"{self.proj_size} came"
            )
        if self.proj_size and self.mode != "LSTM":
            raise ArgumentError(f"{name}: proj_size goes with LSTM only")
        self.dropout = float(self.dropout)
        if self.dropout and self.num_layers == 1:
            warnings.warn(
                f"{name}: dropout={self.dropout} has no effect with num_layers=1: it is between layers", stacklevel=4
            )

    def reset_parameters(self) -> None:
        """Draw the parameters anew, uniform in ±1/√hidden_size."""
        _uniform(self, self.hidden_size)

    def flatten_parameters(self) -> None:
        """Does nothing: there is no flat copy of the weights to keep in order; here for programs that call it."""

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each layer and direction, as lists."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def extra_repr(self) -> str:
        """The sizes, and the options that are not as usual."""
        usual = {
            "proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False, "dropout": 0, "bidirectional": False
        }  # fmt: skip
        shown = [f"{name}={vars(self)[name]}" for name, value in usual.items() if vars(self)[name] != value]
        return ", ".join([str(self.input_size), str(self.hidden_size), *shown])

    def _weights_of(self, names: list[str]) -> list[Any]:
        """Both weights, both biases and the projection of a layer and direction; None for what it has not."""
        found = [getattr(self, name) for name in names]
        weights = found[:2] + (found[2:4] if self.bias else [None, None])
        return [*weights, found[-1] if self.proj_size else None]

    def forward(self, input: Any, hx: Any = None) -> Any:
        name, packed = type(self).__name__, isinstance(input, PackedSequence)
        batched = packed or getattr(input, "ndim", None) != 2
        weight = getattr(self, self._all_weights[0][0])
        _require_fitting(name, input.data if packed else input, weight, "input")
        rows, sizes = self._packed_rows(input) if packed else self._rows(input)
        order = input.sorted_indices if packed else None
        states = self._states(hx, sizes[0], batched, rows, order)
        rows, last = self._run_layers(rows, states, sizes)
        if packed:
            output: Any = PackedSequence(rows, *input[1:])
        elif not batched:
            output = rows
        else:
            output = reshape(rows, (len(sizes), sizes[0], rows.shape[1]))
            output = transpose(output, 0, 1) if self.batch_first else output
        if order is not None:
            last = [index_select(state, 1, input.unsorted_indices) for state in last]
        last = last if batched else [squeeze(state, 1) for state in last]
        return output, last[0] if len(last) == 1 else tuple(last)

    def _rows(self, input: Tensor) -> tuple[Tensor, tuple[int, ...]]:
        """The inputs of all steps as rows, and how many each step has."""
        name, shape = type(self).__name__, tuple(input.shape)
        if input.ndim not in (2, 3):
            form = "(batch, steps, features)" if self.batch_first else "(steps, batch, features)"
            raise ShapeError(f"{name}: input must be 3-D, {form}, or 2-D without the batch; shape {shape} came")
        if shape[-1] != self.input_size:
            raise ShapeError(
                f"{name}: input must have input_size={self.input_size} features in its last dimension, shape {shape} "
                "came"
            )
        if input.ndim == 3 and self.batch_first:
            input = transpose(input, 0, 1)
        steps = input.shape[0]
        if not steps:
            raise ShapeError(f"{name}: there is no step in an input of shape {shape}")
        batch = input.shape[1] if input.ndim == 3 else 1
        return input if input.ndim == 2 else reshape(input, (steps * batch, shape[-1])), (batch,) * steps

    def _packed_rows(self, input: PackedSequence) -> tuple[Tensor, tuple[int, ...]]:
        name, rows, sizes = type(self).__name__, input.data, tuple(input.batch_sizes.tolist())
        if rows.ndim != 2 or rows.shape[1] != self.input_size:
            raise ShapeError(
                f"{name}: packed data must have shape (rows, input_size={self.input_size}), not {tuple(rows.shape)}"
            )
        if not sizes or sum(sizes) != rows.shape[0] or list(sizes) != sorted(sizes, reverse=True) or sizes[-1] < 1:
            raise ShapeError(
                f"{name}: batch_sizes {list(sizes)} must decrease, be positive and sum to {rows.shape[0]}, the rows"
            )
        return rows, sizes

    def _states(self, hx: Any, batch: int, batched: bool, like: Tensor, order: Tensor | None) -> list[Tensor]:
        """The first states, (layers · directions, batch, size) each: h, and for an LSTM c."""
        name, several = type(self).__name__, self.mode == "LSTM"
        sizes = [self.proj_size or self.hidden_size, self.hidden_size][: 1 + several]
        count = len(self._all_weights)
        if hx is None:
            return [zeros(count, batch, size, dtype=like.dtype, device=like.device) for size in sizes]
        if several and not (isinstance(hx, tuple | list) and len(hx) == 2):
            raise ArgumentTypeError(f"{name}: the initial state must be a pair (h_0, c_0), not {type(hx).__name__}")
        states = list(hx) if several else [hx]
        for state, size, argument in zip(states, sizes, ("h_0", "c_0")):
            _require_fitting(name, state, like, argument)
            wanted = (count, batch, size) if batched else (count, size)
            if tuple(state.shape) != wanted:
                form = "(num_layers · directions, batch, size)" if batched else "(num_layers · directions, size)"
                raise ShapeError(f"{name}: {argument} must have shape {wanted}, {form}, not {tuple(state.shape)}")
        if not batched:
            states = [unsqueeze(state, 1) for state in states]
        return states if order is None else [index_select(state, 1, order) for state in states]

    def _run_layers(self, rows: Tensor, states: list[Tensor], sizes: tuple[int, ...]) -> tuple[Tensor, list[Tensor]]:
        """The last layer's outputs as rows, and the last states of all layers and directions."""
        last: list[Any] = []
        for first in range(0, len(self._all_weights), 1 + self.bidirectional):
            if first and self.dropout:
                rows = dropout(rows, self.dropout, self.training)
            outputs = []
            for at in range(first, first + 1 + self.bidirectional):
                state = tuple([select(s, 0, at) for s in states])
                weights = self._weights_of(self._all_weights[at])
                out, *end = _run(self.mode, rows, state, weights, sizes, at > first)
                outputs.append(out)
                last.append(end)
            rows = cat(outputs, 1) if self.bidirectional else outputs[0]
        if len(last) == 1:
            return rows, [unsqueeze(state, 0) for state in last[0]]
        return rows, [stack(list(parts), 0) for parts in zip(*last)]


class RNN(RNNBase):
    """An Elman network: hₜ = tanh(W x + b + W' hₜ₋₁ + b') for each step, or relu of it.

    Arguments: input_size, hidden_size H; num_layers upon each other; nonlinearity, "tanh" or "relu"; bias; batch_first:
    batches are (B, T, *); dropout between layers; bidirectional: D = 2 directions; device, dtype. Input (T, B,
    input_size), (T, input_size) or a PackedSequence, and the first state (D · num_layers, B, H), 0 when left out.
    Result: all h of the last layer (T, B, D · H) and the last state. Parameters `weight_ih_l0`, `weight_hh_l0`,
    `bias_ih_l0`, `bias_hh_l0`, `..._l0_reverse` and so on. Raises ShapeError, DtypeError. Source: notes, N122.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> output, h = nn.RNN(10, 20, num_layers=2)(tg.randn(5, 3, 10))
    >>> output.shape, h.shape
    (tinygrad_dl.Size([5, 3, 20]), tinygrad_dl.Size([2, 3, 20]))
    """

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh", bias: bool = True,
        batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        if nonlinearity not in NONLINEARITIES:
            raise ArgumentError(f"RNN: nonlinearity must be 'tanh' or 'relu', not {nonlinearity!r}")
        super().__init__(
            f"RNN_{nonlinearity.upper()}", input_size, hidden_size, num_layers, bias, batch_first, dropout,
            bidirectional, proj_size, device, dtype,
        )  # fmt: skip
        self.nonlinearity = nonlinearity


class LSTM(RNNBase):
    """Long short-term memory: i, f, o = σ(W x + b + W' h + b'), g = tanh(...); c' = f c + i g; h' = o tanh(c').

    Arguments: those of RNN without nonlinearity, and proj_size P: h' is multiplied by a matrix (P, H), 0 for none.
    Input as for RNN, with the first states (h, c): (D · num_layers, B, P or H) and (D · num_layers, B, H). Result: all
    h of the last layer and the last (h, c). The rows of the weights are those of i, f, g and o. Raises ShapeError,
    DtypeError. Source: notes, N124; projections: Sak et al., 2014.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> output, (h, c) = nn.LSTM(10, 20, bidirectional=True)(tg.randn(5, 3, 10))
    >>> output.shape, c.shape
    (tinygrad_dl.Size([5, 3, 40]), tinygrad_dl.Size([2, 3, 20]))
    """

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
        dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(
            "LSTM", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size, device,
            dtype,
        )  # fmt: skip


class GRU(RNNBase):
    """A gated recurrent unit: r, z = σ(W x + b + W' h + b'), n = tanh(W x + b + r (W' h + b')), h' = (1 - z) n + z h.

    Arguments, input and result as for RNN, without nonlinearity. The rows of the weights are those of r, z and n. It
    differs from the notes' GRU: z keeps the old state, and r multiplies after the product. Raises ShapeError,
    DtypeError. Source: Cho et al., 2014; compare notes, N123.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> output, h = nn.GRU(10, 20, batch_first=True)(tg.randn(3, 5, 10))
    >>> output.shape, h.shape
    (tinygrad_dl.Size([3, 5, 20]), tinygrad_dl.Size([1, 3, 20]))
    """

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
        dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(
            "GRU", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size, device,
            dtype,
        )  # fmt: skip


# --- cells


class RNNCellBase(Module):
    """What the cells share: weights (num_chunks · hidden_size, ...) and biases, and the check of input and states."""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, num_chunks: int, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        gates = num_chunks * hidden_size
        self.weight_ih = Parameter(empty(gates, input_size, device=device, dtype=dtype))
        self.weight_hh = Parameter(empty(gates, hidden_size, device=device, dtype=dtype))
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, Parameter(empty(gates, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew, uniform in ±1/√hidden_size."""
        _uniform(self, self.hidden_size)

    def extra_repr(self) -> str:
        """The sizes, and the options that are not as usual."""
        usual = {"bias": True, "nonlinearity": "tanh"}
        shown = [f"{name}={vars(self)[name]}" for name, value in usual.items() if vars(self).get(name, value) != value]
        return ", ".join([str(self.input_size), str(self.hidden_size), *shown])

    def _step(self, mode: str, input: Tensor, states: tuple[Any, ...]) -> list[Tensor]:
        """The output and the next states."""
        name = type(self).__name__
        _require_fitting(name, input, self.weight_ih, "input")
        if input.ndim not in (1, 2) or input.shape[-1] != self.input_size:
            raise ShapeError(
                f"{name}: input must have shape (batch, input_size={self.input_size}), or without batch, not "
                f"{tuple(input.shape)}"
            )
        wanted = (*input.shape[:-1], self.hidden_size)
        for state, argument in zip(states, ("hx", "cx")):
            if state is not None:
                _require_fitting(name, state, self.weight_ih, argument)
                if tuple(state.shape) != wanted:
                    raise ShapeError(f"{name}: {argument} must have shape {wanted}, not {tuple(state.shape)}")
        batch = input if input.ndim == 2 else unsqueeze(input, 0)
        states = tuple([zeros(wanted, dtype=input.dtype, device=input.device) if s is None else s for s in states])
        if input.ndim == 1:
            states = tuple([unsqueeze(state, 0) for state in states])
        weights = [self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh, None]
        results = _run(mode, batch, states, weights, (batch.shape[0],), False)
        return list(results) if input.ndim == 2 else [squeeze(result, 0) for result in results]


class RNNCell(RNNCellBase):
    """One step of an RNN: h' = tanh(W x + b + W' h + b'), or relu of it.

    Arguments: input_size, hidden_size H; bias; nonlinearity, "tanh" or "relu"; device, dtype. Input (B, input_size) or
    (input_size), and h (B, H), 0 when left out; result h'. Parameters `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh`.
    Raises ShapeError, DtypeError. Source: notes, N122.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.RNNCell(10, 20)(tg.randn(3, 10)).shape
    tinygrad_dl.Size([3, 20])
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh", device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        if nonlinearity not in NONLINEARITIES:
            raise ArgumentError(f"RNNCell: nonlinearity must be 'tanh' or 'relu', not {nonlinearity!r}")
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        return self._step(f"RNN_{self.nonlinearity.upper()}", input, (hx,))[0]


class LSTMCell(RNNCellBase):
    """One step of an LSTM.

    Arguments: input_size, hidden_size H; bias; device, dtype. Input (B, input_size) or (input_size), and the states
    (h, c), (B, H) each, 0 when left out; result (h', c'). Raises ShapeError, DtypeError. Source: notes, N124.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> h, c = nn.LSTMCell(10, 20)(tg.randn(3, 10))
    >>> h.shape, c.shape
    (tinygrad_dl.Size([3, 20]), tinygrad_dl.Size([3, 20]))
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        if hx is not None and not (isinstance(hx, tuple | list) and len(hx) == 2):
            raise ArgumentTypeError(f"LSTMCell: the states must be a pair (h, c), not {type(hx).__name__}")
        h, _, c = self._step("LSTM", input, (None, None) if hx is None else tuple(hx))
        return h, c


class GRUCell(RNNCellBase):
    """One step of a GRU.

    Arguments: input_size, hidden_size H; bias; device, dtype. Input (B, input_size) or (input_size), and h (B, H), 0
    when left out; result h'. Raises ShapeError, DtypeError. Source: Cho et al., 2014.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.GRUCell(10, 20)(tg.randn(3, 10)).shape
    tinygrad_dl.Size([3, 20])
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        return self._step("GRU", input, (hx,))[0]
