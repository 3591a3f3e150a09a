"""Recurrent layers, their cells and packed sequences against PyTorch's, and what they refuse."""

from __future__ import annotations

import copy
import pickle
import tracemalloc
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl import nn
from tinygrad_dl.errors import ArgumentError, ArgumentTypeError, DtypeError, ShapeError
from tinygrad_dl.nn.utils import rnn as sequences


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")


LAYERS: dict[str, tuple[str, dict[str, Any]]] = {
    "RNN": ("RNN", {}),
    "RNN of relu": ("RNN", {"nonlinearity": "relu", "num_layers": 2, "bias": False}),
    "RNN both ways": ("RNN", {"bidirectional": True, "num_layers": 2}),
    "GRU": ("GRU", {}),
    "GRU without bias": ("GRU", {"bias": False, "batch_first": True}),
    "GRU both ways": ("GRU", {"bidirectional": True, "num_layers": 2, "batch_first": True}),
    "LSTM": ("LSTM", {}),
    "LSTM without bias": ("LSTM", {"bias": False, "num_layers": 2}),
    "LSTM both ways": ("LSTM", {"bidirectional": True, "num_layers": 2, "batch_first": True}),
    "LSTM projected": ("LSTM", {"proj_size": 2, "num_layers": 2, "bidirectional": True}),
    "LSTM projected without bias": ("LSTM", {"proj_size": 2, "bias": False}),
    "LSTM with dropout": ("LSTM", {"num_layers": 2, "dropout": 1}),
}
INPUTS, UNITS, STEPS, BATCH = 3, 4, 5, 3


def drawn(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).normal(size=shape) / 2


def loaded(lib: Any, layer: Any) -> Any:
    """The layer with weights that depend on their place and shape alone."""
    layer = layer.double()
    state = {name: drawn(*p.shape, seed=i) for i, (name, p) in enumerate(layer.state_dict().items())}
    layer.load_state_dict({name: lib.tensor(value) for name, value in state.items()})
    return layer


def flat(result: Any) -> list[Any]:
    """The floating tensors of a result, packed or nested or not."""
    if isinstance(result, tuple):
        return [part for item in result if item is not None for part in flat(item)]
    return [result] if result.is_floating_point() else []


def first_states(lib: Any, kind: str, options: dict[str, Any], batch: int) -> Any:
    count = options.get("num_layers", 1) * (1 + options.get("bidirectional", False))
    sizes = [options.get("proj_size") or UNITS, UNITS][: 1 + (kind == "LSTM")]
    shape = (count, batch) if batch else (count,)
    states = [lib.tensor(drawn(*shape, size, seed=9), requires_grad=True) for size in sizes]
    return tuple(states) if kind == "LSTM" else states[0]


def differentiated(lib: Any, layer: Any, inputs: list[Any], result: Any) -> list[Any]:
    """Results, first derivatives and those of the squared first derivatives (a gradient penalty)."""
    outputs = flat(result)
    leaves = [*inputs, *layer.parameters()]
    loss = sum(
        (out * lib.tensor(drawn(*out.shape, seed=5), device=out.device)).sum() + (out**3).sum() for out in outputs
    )
    first = lib.autograd.grad(loss, leaves, retain_graph=True, allow_unused=True)
    recorded = lib.autograd.grad(loss, leaves, create_graph=True, allow_unused=True)
    penalty = sum((g**2).sum() for g in recorded if g is not None)
    second = lib.autograd.grad(penalty, leaves, allow_unused=True)
    return [*outputs, *first, *recorded, *second]


def agree(ours: list[Any], theirs: list[Any]) -> None:
    assert len(ours) == len(theirs)
    for mine, wanted in zip(ours, theirs, strict=True):
        assert (mine is None) == (wanted is None)
        if mine is not None:
            assert tuple(mine.shape) == tuple(wanted.shape)
            np.testing.assert_allclose(mine.detach().numpy(), wanted.detach().numpy(), 1e-9, 1e-9)


@pytest.mark.filterwarnings("ignore:dropout option", "ignore:.*has no effect")
@pytest.mark.parametrize("form", ["batch", "one", "states", "one with states"])
@pytest.mark.parametrize("name", LAYERS)
def test_layers_agree_with_pytorch(torch: Any, name: str, form: str) -> None:
    kind, options = LAYERS[name]
    found = []
    for lib in (tg, torch):
        layer = loaded(lib, getattr(lib.nn, kind)(INPUTS, UNITS, **options))
        batch = 0 if "one" in form else BATCH
        shape = (STEPS, INPUTS) if not batch else (BATCH, STEPS, INPUTS) if options.get("batch_first") else None
        x = lib.tensor(drawn(*(shape or (STEPS, BATCH, INPUTS))), requires_grad=True)
        states = first_states(lib, kind, options, batch) if "states" in form else None
        inputs = [x, *(flat(states) if states is not None else ())]
        found.append(differentiated(lib, layer, inputs, layer(x, states)))
        found[-1].append(lib.tensor(0.0))
    agree(*found)


@pytest.mark.parametrize("enforce_sorted", [True, False])
@pytest.mark.parametrize("name", LAYERS)
def test_layers_read_packed_sequences_as_pytorchs(torch: Any, name: str, enforce_sorted: bool) -> None:
    kind, options = LAYERS[name]
    lengths = [5, 3, 3, 1] if enforce_sorted else [3, 1, 5, 3]
    for with_states in (False, True):
        found = []
        for lib in (tg, torch):
            layer = loaded(lib, getattr(lib.nn, kind)(INPUTS, UNITS, **options))
            x = lib.tensor(drawn(STEPS, 4, INPUTS), requires_grad=True)
            packed = lib.nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=enforce_sorted)
            states = first_states(lib, kind, options, 4) if with_states else None
            output, last = layer(packed, states)
            assert isinstance(output, lib.nn.utils.rnn.PackedSequence)
            padded, counts = lib.nn.utils.rnn.pad_packed_sequence(output, padding_value=0.5)
            assert counts.tolist() == lengths
            inputs = [x, *(flat(states) if with_states else ())]
            found.append(differentiated(lib, layer, inputs, (output.data, padded, last)))
        agree(*found)


@pytest.mark.parametrize("kind", ["RNNCell", "LSTMCell", "GRUCell"])
@pytest.mark.parametrize("bias", [True, False])
def test_cells_agree_with_pytorch(torch: Any, kind: str, bias: bool) -> None:
    for shape in ((BATCH,), ()):
        found = []
        for lib in (tg, torch):
            cell = loaded(lib, getattr(lib.nn, kind)(INPUTS, UNITS, bias=bias))
            xs = [lib.tensor(drawn(*shape, INPUTS, seed=i), requires_grad=True) for i in range(3)]
            state = None
            for x in xs:
                state = cell(x, state)
            found.append(differentiated(lib, cell, xs, state))
        agree(*found)
    relu = {"nonlinearity": "relu"} if kind == "RNNCell" else {}
    assert repr(getattr(nn, kind)(3, 4, bias, **relu)) == repr(getattr(torch.nn, kind)(3, 4, bias, **relu))


@pytest.mark.parametrize("name", LAYERS)
def test_names_shapes_and_repr_are_pytorchs(torch: Any, name: str) -> None:
    kind, options = LAYERS[name]
    ours, theirs = (getattr(lib.nn, kind)(INPUTS, UNITS, **options) for lib in (tg, torch))
    assert repr(ours) == repr(theirs)
    assert {k: tuple(v.shape) for k, v in ours.state_dict().items()} == {
        k: tuple(v.shape) for k, v in theirs.state_dict().items()
    }
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert [[tuple(w.shape) for w in ws] for ws in ours.all_weights] == [
        [tuple(w.shape) for w in ws] for ws in theirs.all_weights
    ]
    assert ours.mode == theirs.mode and ours.flatten_parameters() is None
    bound = max(abs(p).max().item() for p in ours.parameters())
    assert 0.3 < bound <= UNITS**-0.5


def test_a_batch_of_none_and_copies(torch: Any) -> None:
    for kind in ("RNN", "LSTM", "GRU"):
        out, _ = getattr(nn, kind)(INPUTS, UNITS)(tg.zeros(STEPS, 0, INPUTS))
        assert out.shape == (STEPS, 0, UNITS)
        layer, x = getattr(nn, kind)(INPUTS, UNITS, 2), tg.ones(STEPS, INPUTS)
        for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
            assert twin(x)[0].tolist() == layer(x)[0].tolist()


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_float32_and_float16_are_near(torch: Any, kind: str) -> None:
    layer = loaded(tg, getattr(nn, kind)(INPUTS, UNITS))
    wanted = layer(tg.tensor(drawn(STEPS, BATCH, INPUTS)))[0].detach().numpy()
    for dtype, near in ((tg.float32, 1e-6), (tg.float16, 2e-3)):
        x = tg.tensor(drawn(STEPS, BATCH, INPUTS), dtype=dtype, requires_grad=True)
        out = layer.to(dtype)(x)[0]
        assert out.dtype == dtype
        np.testing.assert_allclose(out.detach().numpy(), wanted, 0, near)
        out.sum().backward()
        assert x.grad.dtype == dtype and layer.weight_hh_l0.grad.dtype == dtype


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_other_devices_compute_the_same(kind: str) -> None:
    found = []
    for device in ("cpu", "strict"):
        layer = loaded(tg, getattr(nn, kind)(INPUTS, UNITS, 2, bidirectional=True)).to(device)
        x = tg.tensor(drawn(STEPS, BATCH, INPUTS), device=device, requires_grad=True)
        packed = sequences.pack_padded_sequence(x, [2, 5, 1], enforce_sorted=False)
        output, _ = layer(packed)
        padded, _ = sequences.pad_packed_sequence(output)
        found.append([part.cpu() for part in differentiated(tg, layer, [x], (padded, layer(x)))])
    agree(*found)


def test_results_may_be_edited_before_backward(torch: Any) -> None:
    for kind in ("RNN", "LSTM", "GRU"):
        found = []
        for lib in (tg, torch):
            layer = loaded(lib, getattr(lib.nn, kind)(INPUTS, UNITS))
            x = lib.tensor(drawn(STEPS, BATCH, INPUTS), requires_grad=True)
            out, _ = layer(x)
            out *= 2
            out[0] = 0
            (out**2).sum().backward()
            found.append([x.grad, *[p.grad for p in layer.parameters()]])
        agree(*found)


# --- sequences of different lengths


def ragged(lib: Any, *lengths: int, seed: int = 0) -> list[Any]:
    return [lib.tensor(drawn(length, 2, seed=seed + i), requires_grad=True) for i, length in enumerate(lengths)]


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_is_pytorchs(torch: Any, batch_first: bool, side: str) -> None:
    found = []
    for lib in (tg, torch):
        parts = ragged(lib, 2, 4, 1)
        padded = lib.nn.utils.rnn.pad_sequence(parts, batch_first, -1.5, side)
        (first,) = lib.autograd.grad((padded**3).sum(), parts[1], create_graph=True)
        found.append([padded, first, *lib.autograd.grad((first**2).sum(), parts[1])])
    agree(*found)


def test_padded_sequences_have_the_first_ones_dtype(torch: Any) -> None:
    for lib in (tg, torch):
        padded = lib.nn.utils.rnn.pad_sequence([lib.tensor([1, 2]), lib.tensor([0.5])], padding_value=7)
        assert padded.dtype == lib.int64 and padded.tolist() == [[1, 0], [2, 7]]


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("lengths", [[4, 2, 1], [4, 4, 4], [1]], ids=str)
def test_packing_is_pytorchs(torch: Any, batch_first: bool, lengths: list[int]) -> None:
    for order, enforce in ((lengths, True), (lengths[::-1], False)):
        found, orders = [], []
        for lib in (tg, torch):
            tools = lib.nn.utils.rnn
            x = lib.tensor(drawn(*((len(order), 4) if batch_first else (4, len(order))), 2), requires_grad=True)
            packed = tools.pack_padded_sequence(x, lib.tensor(order), batch_first, enforce)
            padded, counts = tools.pad_packed_sequence(packed, batch_first, 0.25, 6)
            back = tools.unpack_sequence(packed)
            parts = tools.unpad_sequence(x.detach() if batch_first else x.detach().clone(), counts, batch_first)
            found.append([packed.data, padded, *back, *parts, *lib.autograd.grad((padded**2).sum(), x)])
            indices = [packed.sorted_indices, packed.unsorted_indices]
            orders.append(
                [packed.batch_sizes.tolist(), counts.tolist(), *[None if i is None else i.tolist() for i in indices]]
            )
        agree(*found)
        assert orders[0] == orders[1]


def test_packed_sequences_convert_and_copy(torch: Any) -> None:
    shown = []
    for lib in (tg, torch):
        packed = lib.nn.utils.rnn.pack_sequence([lib.tensor([1, 2]), lib.tensor([3, 4, 5])], enforce_sorted=False)
        assert packed.data.tolist() == [3, 1, 4, 2, 5] and packed.batch_sizes.tolist() == [2, 2, 1]
        assert packed.double().data.dtype == lib.float64 and packed.float().half().data.dtype == lib.float16
        assert packed.long() is packed and packed.to(lib.int32).int().data.dtype == lib.int32 and packed.cpu() is packed
        assert packed.double().sorted_indices.tolist() == [1, 0] and not packed.is_cuda
        twin = pickle.loads(pickle.dumps(packed))
        assert type(twin) is type(packed) and twin.unsorted_indices.tolist() == [1, 0]
        shown.append(repr(packed))
        again = lib.nn.utils.rnn.PackedSequence((packed.data, packed.batch_sizes))
        assert again.sorted_indices is None and again.batch_sizes.tolist() == [2, 2, 1]
    assert shown[0] == shown[1]


X = (STEPS, BATCH, INPUTS)
BAD: dict[str, tuple[Any, type[Exception], str]] = {
    "features": (lambda: nn.LSTM(4, 2)(tg.zeros(*X)), ShapeError, r"LSTM: input.*input_size=4.*\(5, 3, 3\)"),
    "dimensions": (lambda: nn.GRU(3, 2)(tg.zeros(3)), ShapeError, "GRU: input must be 3-D"),
    "no step": (lambda: nn.RNN(3, 2)(tg.zeros(0, 2, 3)), ShapeError, "no step"),
    "dtype": (lambda: nn.RNN(3, 2)(tg.zeros(*X, dtype=tg.float64)), ValueError, "float64.*float32"),
    "state's dtype": (lambda: nn.GRUCell(3, 2)(tg.zeros(1, 3), tg.zeros(1, 2).double()), DtypeError, "hx.*float64"),
    "device": (lambda: nn.RNN(3, 2)(tg.zeros(*X, device="strict")), RuntimeError, "'strict'.*'cpu'"),
    "state": (lambda: nn.GRU(3, 2)(tg.zeros(*X), tg.zeros(1, 3, 3)), ShapeError, r"h_0.*\(1, 3, 2\).*\(1, 3, 3\)"),
    "cell": (
        lambda: nn.LSTM(3, 4, proj_size=2)(tg.zeros(*X), (tg.zeros(1, 3, 2), tg.zeros(1, 3, 2))),
        ShapeError,
        r"c_0.*\(1, 3, 4\)",
    ),
    "state of one": (lambda: nn.GRU(3, 2)(tg.zeros(5, 3), tg.zeros(1, 1, 2)), ShapeError, r"h_0.*\(1, 2\)"),
    "no pair": (lambda: nn.LSTM(3, 2)(tg.zeros(*X), tg.zeros(1, 3, 2)), ArgumentTypeError, r"\(h_0, c_0\)"),
    "a list": (lambda: nn.LSTM(3, 2)([[0.0]]), ArgumentTypeError, "must be a Tensor"),
    "cell input": (lambda: nn.GRUCell(3, 2)(tg.zeros(2, 2)), ShapeError, "GRUCell: input.*input_size=3"),
    "cell state": (lambda: nn.LSTMCell(3, 2)(tg.zeros(2, 3), (tg.zeros(2, 3),) * 2), ShapeError, r"hx.*\(2, 2\)"),
    "cell pair": (lambda: nn.LSTMCell(3, 2)(tg.zeros(2, 3), tg.zeros(2, 2)), ArgumentTypeError, "pair"),
    "projection": (lambda: nn.LSTM(3, 2, proj_size=2), ArgumentError, "proj_size"),
    "projected GRU": (lambda: nn.GRU(3, 2, proj_size=1), ArgumentError, "LSTM only"),
    "sizes": (lambda: nn.LSTM(3, 0), ArgumentError, "hidden_size"),
    "size type": (lambda: nn.LSTM(3.0, 1), ArgumentTypeError, "input_size"),
    "dropout": (lambda: nn.LSTM(3, 2, 2, dropout=1.5), ArgumentError, "dropout"),
    "nonlinearity": (lambda: nn.RNN(3, 2, nonlinearity="sin"), ArgumentError, "'sin'"),
    "packed data": (
        lambda: nn.RNN(3, 2)(sequences.PackedSequence(tg.zeros(3, 3), tg.tensor([1, 1]))),
        ShapeError,
        "sum to 3",
    ),
    "lengths": (lambda: sequences.pack_padded_sequence(tg.zeros(2, 3), [1, 1]), ShapeError, "each of 3 sequences"),
    "zero": (lambda: sequences.pack_padded_sequence(tg.zeros(2, 2), [1, 0]), ArgumentError, "greater than 0"),
    "too long": (lambda: sequences.pack_padded_sequence(tg.zeros(2, 2), [3, 1]), ArgumentError, "has 2 steps"),
    "order": (lambda: sequences.pack_padded_sequence(tg.zeros(2, 2), [1, 2]), ArgumentError, "enforce_sorted=False"),
    "total": (
        lambda: sequences.pad_packed_sequence(sequences.pack_sequence([tg.zeros(2)]), total_length=1),
        ArgumentError,
        "total_length 1",
    ),
    "no packed": (lambda: sequences.pad_packed_sequence(tg.zeros(2)), ArgumentTypeError, "PackedSequence"),
    "no sequence": (lambda: sequences.pad_sequence([]), ArgumentError, "at least one"),
    "widths": (lambda: sequences.pad_sequence([tg.zeros(2, 1), tg.zeros(2, 2)]), ShapeError, r"\(2, 1\), \(2, 2\)"),
    "side": (lambda: sequences.pad_sequence([tg.zeros(2)], padding_side="up"), ArgumentError, "'up'"),
    "unpad": (lambda: sequences.unpad_sequence(tg.zeros(2, 3), tg.tensor([1])), ShapeError, "1 lengths.*3"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_does_not_fit_is_explained(name: str) -> None:
    call, error, words = BAD[name]
    with pytest.raises(error, match=words):
        call()


def test_dropout_of_one_layer_warns() -> None:
    with pytest.warns(UserWarning, match="has no effect"):
        nn.LSTM(3, 2, dropout=0.5)


# --- in programs


TEXT = "the cat sat on the mat and the rat sat on the cat; "


def character_model(lib: Any) -> Any:
    """A language model over characters, as one writes it for PyTorch."""

    class CharRNN(lib.nn.Module):  # type: ignore[misc]
        def __init__(self, vocabulary: int, embedding: int, hidden: int, layers: int) -> None:
            super().__init__()
            self.encoder = lib.nn.Embedding(vocabulary, embedding)
            self.rnn = lib.nn.LSTM(embedding, hidden, layers, batch_first=True, dropout=0.0)
            self.decoder = lib.nn.Linear(hidden, vocabulary)

        def forward(self, x: Any, hidden: Any = None) -> Any:
            output, hidden = self.rnn(self.encoder(x), hidden)
            return self.decoder(output), hidden

        def init_hidden(self, batch: int) -> Any:
            weight = next(self.parameters())
            shape = (self.rnn.num_layers, batch, self.rnn.hidden_size)
            return (weight.new_zeros(shape), weight.new_zeros(shape))

    return CharRNN(len(set(TEXT)), 5, 8, 2)


def test_a_character_model_trains_and_speaks_as_in_pytorch(torch: Any) -> None:
    """Truncated backpropagation through time, clipped gradients, Adam; then greedy sampling."""
    letters = sorted(set(TEXT))
    numbers = [letters.index(letter) for letter in TEXT * 5]
    found = []
    for lib in (tg, torch):
        model = loaded(lib, character_model(lib))
        optimizer = lib.optim.Adam(model.parameters(), lr=0.05)
        criterion = lib.nn.CrossEntropyLoss()
        data = lib.tensor(numbers[:250]).view(5, 50)
        hidden, losses = model.init_hidden(5), []
        for at in range(0, 40, 10):
            hidden = tuple(h.detach() for h in hidden)
            optimizer.zero_grad()
            output, hidden = model(data[:, at : at + 9], hidden)
            loss = criterion(output.reshape(-1, len(letters)), data[:, at + 1 : at + 10].reshape(-1))
            loss.backward()
            lib.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            optimizer.step()
            losses.append(loss.item())
        model.eval()
        spoken, hidden = [3], None
        with lib.no_grad():
            for _ in range(20):
                output, hidden = model(lib.tensor([[spoken[-1]]]), hidden)
                spoken.append(output[0, -1].argmax().item())
        found.append((losses, spoken))
    np.testing.assert_allclose(found[0][0], found[1][0], 1e-9)
    assert found[0][1] == found[1][1] and found[0][0][-1] < found[0][0][0]


def test_frozen_weights_and_outputs_that_nobody_uses(torch: Any) -> None:
    for kind in ("RNN", "LSTM", "GRU"):
        found = []
        for lib in (tg, torch):
            layer = loaded(lib, getattr(lib.nn, kind)(INPUTS, UNITS))
            layer.weight_hh_l0.requires_grad_(False)
            x = lib.tensor(drawn(STEPS, BATCH, INPUTS))
            last = layer(x)[1]
            ((last[1] if kind == "LSTM" else last) ** 2).sum().backward()
            found.append([p.grad for p in layer.parameters()])
        agree(*found)


def test_a_derivation_writes_the_gradients_down() -> None:
    for kind in ("RNN", "LSTM", "GRU"):
        layer = getattr(nn, kind)(2, 3)
        text = str(tg.viz.explain(lambda x, layer=layer: layer(x)[0].sum(), tg.ones(4, 2, requires_grad=True)))
        assert f"{kind.lower()}_sequence(" in text and f"{kind.lower()}_gradients(" in text


def test_a_training_step_keeps_no_more_than_the_gates_cells_and_results() -> None:
    """In float32 of n units: 4n gates, n cells and n outputs for each row, beside the input."""
    layer, rows = nn.LSTM(8, 32), 40 * 50
    x = tg.randn(40, 50, 8)
    tracemalloc.start()
    try:
        out, _ = layer(x)
        kept = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert out.requires_grad and kept < 4 * rows * 32 * (4 + 1 + 1) * 1.1
