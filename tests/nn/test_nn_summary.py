"""`nn.utils.summary` against numbers counted by hand."""

from __future__ import annotations

from typing import Any

import pytest

import tinygrad_dl as tg
from tinygrad_dl import nn
from tinygrad_dl.nn.utils import summary


class Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(width, width), nn.Linear(width, width)])
        self.act = nn.ReLU()
        self.gain = nn.Parameter(tg.ones(width))

    def forward(self, x: Any) -> Any:
        for layer in self.layers:
            x = self.act(layer(x))
        return x * self.gain


class Language(nn.Module):
    """Tied weights, a module called twice, a frozen part."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(10, 4)
        self.blocks = nn.Sequential(Block(4), Block(4))
        self.blocks[0].requires_grad_(False)
        self.head = nn.Linear(4, 10, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, index: Any) -> Any:
        return self.head(self.blocks(self.embed(index)))


def found_in(model: nn.Module, *args: Any, **options: Any) -> Any:
    return summary(model, *args, verbose=0, **options)


def test_a_perceptron() -> None:
    """Parameters 4·8+8 and 8·1+1, outputs 2·8, 2·8 and 2·1 numbers of 4 bytes, twice for their gradients."""
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
    found = found_in(model, (2, 4))
    assert (found.total_params, found.trainable_params) == (49, 49)
    assert (found.total_input, found.total_param_bytes, found.total_buffer_bytes) == (32, 196, 0)
    assert found.total_output_bytes == 2 * 4 * (16 + 16 + 2)
    rows = [(one.class_name, one.var_name, one.depth, one.num_params, one.output_size) for one in found.summary_list]
    assert rows == [
        ("Sequential", "Sequential", 0, 49, (2, 1)),
        ("Linear", "0", 1, 40, (2, 8)),
        ("ReLU", "1", 1, 0, (2, 8)),
        ("Linear", "2", 1, 9, (2, 1)),
    ]
    assert found.summary_list[1].input_size == (2, 4) and found.summary_list[0].is_leaf is False


def test_shared_frozen_and_repeated_parts() -> None:
    found = found_in(Language(), (2, 3), dtypes=[tg.int64])
    block = 2 * (4 * 4 + 4) + 4
    assert (found.total_params, found.trainable_params) == (40 + 2 * block, 40 + block)
    rows = {(one.depth, one.class_name, one.var_name): one for one in found.summary_list}
    assert rows[1, "Linear", "head"].num_params == 0 and rows[1, "Embedding", "embed"].num_params == 40
    assert rows[1, "Sequential", "blocks"].num_params == 2 * block and rows[2, "Block", "1"].own_params == 4
    assert rows[1, "Sequential", "blocks"].trainable == "Partial" and rows[2, "Block", "0"].trainable == "False"
    assert [one.is_recursive for one in found.summary_list if one.class_name == "ReLU"] == [False, True] * 2
    assert rows[3, "Linear", "layers.1"].output_size == (2, 3, 4)


def test_the_table() -> None:
    text = str(
        found_in(Language(), (2, 3), dtypes=[tg.int64], depth=1, col_names=("output_size", "num_params", "trainable"))
    )
    rows = [line.split("  ") for line in text.splitlines()]
    cells = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    assert cells[1] == ["Layer (name)", "Output Shape", "Param #", "Trainable"]
    assert cells[3:7] == [
        ["Language", "[2, 3, 10]", "--", "Partial"],
        ["├─Embedding (embed)", "[2, 3, 4]", "40", "True"],
        ["├─Sequential (blocks)", "[2, 3, 4]", "88", "Partial"],
        ["├─Linear (head)", "[2, 3, 10]", "(shared)", "True"],
    ]
    assert "Total params: 128" in text and "Non-trainable params: 44" in text
    deep = str(found_in(Language(), (2, 3), dtypes=[tg.int64], row_settings=("depth",)))
    assert "│    │    ├─Linear  " in deep and "(layers" not in deep
    wide = str(
        found_in(nn.Linear(1000, 1000, bias=False), (1, 1000), depth=0, col_names=("params_percent", "num_params"))
    )
    assert "100.00%" in wide and "1,000,000" in wide and "Params size (MB): 4.00" in wide


def test_it_prints_unless_told_not_to(capsys: Any) -> None:
    found = summary(nn.ReLU(), (1,))
    assert capsys.readouterr().out == f"{found}\n"
    summary(nn.ReLU(), (1,), verbose=0)
    assert capsys.readouterr().out == ""


def test_ways_to_give_inputs() -> None:
    class Two(nn.Module):
        def forward(self, a: Any, b: Any, *, scale: float = 1.0) -> Any:
            return {"sum": (a + b) * scale, "rest": [a]}

    for options in (
        {"input_size": [(2, 3), (3,)]},
        {"input_shape": [(2, 3), (3,)]},
        {"input_data": [tg.ones(2, 3), tg.ones(3)], "scale": 2.0},
        {"input_data": {"a": tg.ones(2, 3), "b": tg.ones(3)}},
    ):
        found = found_in(Two(), **options)
        assert found.summary_list[0].output_size == (2, 3) and found.total_input == 36
        assert found.summary_list[0].output_bytes == 2 * 24
    assert found_in(nn.ReLU(), (3,), batch_dim=0).summary_list[0].input_size == (1, 3)
    assert found_in(nn.ReLU(), input_data=tg.ones(2, 3)).total_input == 24
    assert found_in(nn.Linear(2, 3).double(), (1, 2), dtypes=[tg.float64]).total_output_bytes == 2 * 24


def test_the_model_is_left_as_it_was() -> None:
    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("steps", tg.zeros(1))
            self.register_buffer("last", None)
            self.drop = nn.Dropout(0.5)
            self.drop.eval()

        def forward(self, x: Any) -> Any:
            self.steps += 1
            self.last = x
            self.mode = self.training, self.drop.training
            return self.drop(x)

    model = Counting()
    steps, state = model.steps, tg.random.get_rng_state()
    for mode, seen in (("same", (True, False)), ("train", (True, True)), ("eval", (False, False))):
        found_in(model, (4,), mode=mode)
        assert model.mode == seen
        assert model.training and not model.drop.training
        assert model.steps is steps and steps.tolist() == [0.0] and model.last is None
    assert tg.equal(tg.random.get_rng_state(), state)
    assert not model._forward_hooks and not model._forward_pre_hooks
    assert list(model.state_dict()) == ["steps"]


def test_what_is_refused_and_an_error_inside() -> None:
    model = nn.Sequential(nn.Linear(2, 3))
    with pytest.raises(ValueError, match="col_names has 'mult_adds'"):
        found_in(model, (1, 2), col_names=("mult_adds",))
    with pytest.raises(ValueError, match="mode is 'x'"):
        found_in(model, (1, 2), mode="x")
    with pytest.raises(ValueError, match="give one of"):
        found_in(model)
    with pytest.raises(ValueError, match="2 dtypes came for 1"):
        found_in(model, (1, 2), dtypes=[tg.float32] * 2)
    with pytest.raises(TypeError, match="must be a Module"):
        found_in(3, (1, 2))  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match=r"\[in 0: Linear\(in_features=2"):
        found_in(model, (1, 5))
    assert not model[0]._forward_hooks
