"""Sequential, ModuleList and ModuleDict; what PyTorch does as well is tested on both."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import pytest

import tinygrad_dl as tg
from tinygrad_dl import nn


@pytest.fixture(params=["tinygrad_dl", "torch"])
def lib(request: pytest.FixtureRequest) -> Any:
    """Ours, and PyTorch to confirm what the test expects."""
    return pytest.importorskip(request.param)


def names(module: Any) -> list[str]:
    return [name for name, _ in module.named_children()]


def test_sequential_hands_each_result_on(lib: Any) -> None:
    class Add(lib.nn.Module):
        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

        def forward(self, x: str) -> str:
            return x + self.text

    assert lib.nn.Sequential(Add("b"), Add("c"))("a") == "abc"
    assert lib.nn.Sequential()("a") == "a"
    assert lib.nn.Sequential(OrderedDict(first=Add("b"), second=Add("c")))("a") == "abc"


def test_names_in_a_sequential(lib: Any) -> None:
    relu, tanh = lib.nn.ReLU(), lib.nn.Tanh()
    assert names(lib.nn.Sequential(relu, tanh)) == ["0", "1"]
    named = lib.nn.Sequential(OrderedDict(first=relu, second=tanh))
    assert names(named) == ["first", "second"] and named.first is relu and named[1] is tanh
    assert names(named[1:]) == ["second"] and type(named[1:]) is lib.nn.Sequential


@pytest.fixture(params=["Sequential", "ModuleList"])
def row(request: pytest.FixtureRequest, lib: Any) -> Any:
    """A container of three layers, made either way."""
    layers = [lib.nn.Linear(i, i) for i in (1, 2, 3)]
    return lib.nn.Sequential(*layers) if request.param == "Sequential" else lib.nn.ModuleList(layers)


def sizes(row: Any) -> list[int]:
    return [layer.in_features for layer in row]


def test_reading_a_row(row: Any) -> None:
    assert len(row) == 3 and sizes(row) == [1, 2, 3]
    assert row[0].in_features == 1 and row[-1].in_features == 3 and row[-3] is row[0]
    assert sizes(row[1:]) == [2, 3] and sizes(row[::2]) == [1, 3] and type(row[1:]) is type(row)
    assert row[1:][0] is row[1], "a slice shares its modules"
    assert names(row[1:]) == (["1", "2"] if type(row).__name__ == "Sequential" else ["0", "1"])


def test_changing_a_row(row: Any, lib: Any) -> None:
    row[1] = lib.nn.Linear(7, 7)
    assert sizes(row) == [1, 7, 3]
    assert row.append(lib.nn.Linear(4, 4)) is row and sizes(row) == [1, 7, 3, 4]
    assert row.extend([lib.nn.Linear(5, 5), lib.nn.Linear(6, 6)]) is row and sizes(row) == [1, 7, 3, 4, 5, 6]
    row.insert(1, lib.nn.Linear(9, 9))
    assert sizes(row) == [1, 9, 7, 3, 4, 5, 6] and names(row) == list("0123456")
    assert row.pop(1).in_features == 9 and row.pop(-1).in_features == 6
    del row[1]
    assert sizes(row) == [1, 3, 4, 5] and names(row) == list("0123")
    del row[1:3]
    assert sizes(row) == [1, 5] and names(row) == list("01")
    row[-1] = lib.nn.Linear(8, 8)
    assert sizes(row) == [1, 8] and [name for name, _ in row.named_parameters()][-1] == "1.bias"


def test_adding_rows(row: Any, lib: Any) -> None:
    both = row + row[:1]
    assert sizes(both) == [1, 2, 3, 1] and type(both) is type(row) and sizes(row) == [1, 2, 3]
    row += row[:1]
    assert sizes(row) == [1, 2, 3, 1]
    if lib is tg:  # PyTorch can't
        row.extend(row)
        assert sizes(row) == [1, 2, 3, 1] * 2


def test_wrong_indices(row: Any, lib: Any) -> None:
    for use in (lambda: row[3], lambda: row[-4], lambda: row.pop(3), lambda: row.__setitem__(3, lib.nn.ReLU())):
        with pytest.raises(IndexError, match=r"index -?[34] is out of range"):
            use()
    with pytest.raises(TypeError):
        row["0"]


@pytest.mark.parametrize("row", [nn.Sequential, nn.ModuleList])
def test_what_is_no_module_leaves_a_row_as_it_was(row: Any) -> None:
    row = row().extend(nn.Linear(i, i) for i in (1, 2, 3))
    for use in (row.append, lambda value: row.insert(0, value), lambda value: row.__setitem__(0, value)):
        for value in (3, nn.ReLU):
            with pytest.raises(TypeError, match="takes a Module, made by calling its class"):
                use(value)
    assert sizes(row) == [1, 2, 3] and names(row) == list("012")


def test_making_rows_of_what_are_no_modules(lib: Any) -> None:
    for make in (lambda: lib.nn.Sequential(lib.nn.ReLU), lambda: lib.nn.ModuleList([3])):
        with pytest.raises(TypeError):
            make()


def test_repr_of_containers(lib: Any) -> None:
    made = lib.nn.Sequential(
        lib.nn.ModuleList([lib.nn.Linear(2, 2), lib.nn.Linear(2, 2), lib.nn.Tanh(), lib.nn.Sequential(lib.nn.ReLU())]),
        lib.nn.ModuleList(lib.nn.Sequential(lib.nn.ReLU()) for _ in range(2)),
        lib.nn.ModuleDict({"a": lib.nn.ReLU(), "b": lib.nn.Sequential()}),
        lib.nn.ModuleList(),
        lib.nn.ModuleDict(),
    )
    assert repr(made) == (
        "Sequential(\n"
        "  (0): ModuleList(\n"
        "    (0-1): 2 x Linear(in_features=2, out_features=2, bias=True)\n"
        "    (2): Tanh()\n"
        "    (3): Sequential(\n"
        "      (0): ReLU()\n"
        "    )\n"
        "  )\n"
        "  (1): ModuleList(\n"
        "    (0-1): 2 x Sequential(\n"
        "      (0): ReLU()\n"
        "    )\n"
        "  )\n"
        "  (2): ModuleDict(\n"
        "    (a): ReLU()\n"
        "    (b): Sequential()\n"
        "  )\n"
        "  (3): ModuleList()\n"
        "  (4): ModuleDict()\n"
        ")"
    )


def test_lists_and_dicts_have_no_forward(lib: Any) -> None:
    for container in (lib.nn.ModuleList(), lib.nn.ModuleDict()):
        with pytest.raises(NotImplementedError):
            container(1)


def test_a_module_dict(lib: Any) -> None:
    relu, tanh = lib.nn.ReLU(), lib.nn.Tanh()
    made = lib.nn.ModuleDict({"b": relu, "a": tanh})
    assert list(made) == list(made.keys()) == ["b", "a"] and len(made) == 2
    assert list(made.values()) == [relu, tanh] and list(made.items()) == [("b", relu), ("a", tanh)]
    assert made["a"] is tanh and made.a is tanh and "a" in made and "c" not in made
    made["c"] = relu
    made.update({"a": relu})
    made.update([("d", lib.nn.Linear(1, 1))])
    assert list(made) == ["b", "a", "c", "d"] and made["a"] is relu
    assert list(made.state_dict()) == ["d.weight", "d.bias"]
    assert made.pop("c") is relu and list(made) == ["b", "a", "d"]
    del made["b"]
    assert list(made) == ["a", "d"]
    made.clear()
    assert len(made) == 0 and not list(made.parameters())


def test_wrong_keys_and_values_of_a_module_dict(lib: Any) -> None:
    made = lib.nn.ModuleDict({"relu": lib.nn.ReLU()})
    for use in (lambda: made["rely"], lambda: made.pop("rely"), lambda: made.__delitem__("rely")):
        with pytest.raises(KeyError, match="rely"):
            use()
    for key in ("a.b", "", "keys"):
        with pytest.raises(KeyError):
            made[key] = lib.nn.ReLU()
    with pytest.raises(TypeError):
        made["new"] = 3
    assert list(made) == ["relu"]


def test_a_wrong_key_is_answered_with_the_nearest() -> None:
    with pytest.raises(KeyError, match=r"there is no module 'rely', only \['relu', 'tanh'\]. Did you mean 'relu'\?"):
        nn.ModuleDict({"relu": nn.ReLU(), "tanh": nn.Tanh()})["rely"]
