"""The cells of examples/sequences/write_a_cell.py are those of the notes, in numbers, and nn.GRU is another."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl import nn

ROOT = Path(__file__).resolve().parents[2]
WORKED = {e["id"]: e for e in json.loads((ROOT / "tests" / "data" / "worked_numbers.json").read_text(encoding="utf-8"))}
GRU = WORKED["W161"]["inputs"]


@pytest.fixture(scope="module")
def program() -> Any:
    spec = importlib.util.spec_from_file_location("write_a_cell", ROOT / "examples" / "sequences" / "write_a_cell.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def row(values: Any) -> Any:
    return tg.tensor([values], dtype=tg.float64)


def filled(cell: Any, layers: dict[str, str], inputs: dict[str, Any]) -> Any:
    """The cell with the worked weights W_c, b_c and so on."""
    state = {f"{layer}.weight": row(inputs[f"W_{letter}"])[0] for layer, letter in layers.items()}
    cell = cell.double()
    cell.load_state_dict(state | {f"{layer}.bias": row(inputs[f"b_{letter}"])[0] for layer, letter in layers.items()})
    return cell


def test_the_cells_give_the_notes_numbers(program: Any) -> None:
    layers = {"candidate": "c", "update": "u", "relevance": "r"}
    expected = WORKED["W161"]["expected"]
    for kind, names, wanted in (("SimplifiedGRUCell", 2, "c_simple"), ("GRUCell", 3, "c_full")):
        cell = filled(getattr(program, kind)(3, 2), dict(list(layers.items())[:names]), GRU)
        np.testing.assert_allclose(cell(row(GRU["x"]), row(GRU["c_prev"])).tolist()[0], expected[wanted], 1e-9)
    step = WORKED["W160"]["inputs"]
    stacked = {"W_a": [[*a, *x] for a, x in zip(step["W_aa"], step["W_ax"])], "b_a": step["b_a"]}
    plain = filled(program.PlainCell(3, 2), {"candidate": "a"}, stacked)
    np.testing.assert_allclose(plain(row(step["x"]), row(step["a_prev"])).tolist()[0], WORKED["W160"]["expected"]["a"])


def pytorchs(relevance_bias: float | None = None) -> Any:
    """nn.GRUCell with the notes' weights: z = 1 - Gu, so its weights have the other sign."""
    weights = {name: row(GRU[f"W_{name}"])[0] for name in "ruc"}
    biases = {name: row(GRU[f"b_{name}"])[0] for name in "ruc"}
    if relevance_bias is not None:
        biases["r"] = tg.full((2,), relevance_bias, dtype=tg.float64)
    stacked, bias = (
        tg.cat([weights["r"], -weights["u"], weights["c"]]),
        tg.cat([biases["r"], -biases["u"], biases["c"]]),
    )
    cell = nn.GRUCell(3, 2).double()
    cell.load_state_dict(
        {"weight_ih": stacked[:, 2:], "weight_hh": stacked[:, :2], "bias_ih": bias, "bias_hh": 0 * bias}
    )
    return cell


def test_nn_gru_is_the_notes_gru_when_r_is_1_and_another_otherwise(program: Any) -> None:
    x, c = row(GRU["x"]), row(GRU["c_prev"])
    np.testing.assert_allclose(pytorchs()(x, c).tolist()[0], WORKED["W161"]["expected"]["c_torch"], 1e-9)
    full = filled(program.GRUCell(3, 2), {"candidate": "c", "update": "u", "relevance": "r"}, GRU)
    nn.init.constant_(full.relevance.bias, 50.0)
    np.testing.assert_allclose(pytorchs(50.0)(x, c).tolist(), full(x, c).tolist(), 1e-12)
    assert abs(pytorchs()(x, c) - row(WORKED["W161"]["expected"]["c_full"])).max() > 1e-3


def test_nn_lstm_is_the_notes_lstm() -> None:
    inputs, expected = WORKED["W162"]["inputs"], WORKED["W162"]["expected"]
    weights = tg.cat([row(inputs[f"W_{name}"])[0] for name in "ufco"])
    bias = tg.cat([row(inputs[f"b_{name}"])[0] for name in "ufco"])
    cell = nn.LSTMCell(3, 2).double()
    cell.load_state_dict(
        {"weight_ih": weights[:, 2:], "weight_hh": weights[:, :2], "bias_ih": bias, "bias_hh": 0 * bias}
    )
    a, c = cell(row(inputs["x"]), (row(inputs["a_prev"]), row(inputs["c_prev"])))
    np.testing.assert_allclose([a.tolist()[0], c.tolist()[0]], [expected["a"], expected["c"]], 1e-9)
