"""Programs whose backprop several tests draw, derive and step through; the notes' worked numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import tinygrad_dl as tg
from tinygrad_dl.nn import functional as F

WORKED = {e["id"]: e for e in json.loads((Path(__file__).parents[1] / "data" / "worked_numbers.json").read_text())}


def leaf(value: Any) -> Any:
    return tg.tensor(value, dtype=tg.float64, requires_grad=True)


def expression(a: Any, b: Any, c: Any) -> Any:
    u = b * c
    v = a + u
    return 3 * v


def diamond(a: Any) -> Any:
    b = a + a
    return b * b


def two_layers(W1: Any, b1: Any, W2: Any, b2: Any, X: Any, Y: Any) -> Any:
    Z1 = W1 @ X + b1
    A1 = tg.tanh(Z1)
    Z2 = W2 @ A1 + b2
    A2 = tg.sigmoid(Z2)  # noqa: F841  # a name for the derivation
    return F.binary_cross_entropy_with_logits(Z2, Y)


def two_layer_inputs() -> list[Any]:
    inputs = WORKED["W156"]["inputs"]
    data = [tg.tensor(inputs[name], dtype=tg.float64) for name in ("X", "Y")]
    return [*(leaf(inputs[name]) for name in ("W1", "b1", "W2", "b2")), *data]
