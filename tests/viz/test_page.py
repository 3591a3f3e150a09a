"""The page that steps through backprop: its data against the engine, its layout, and the page itself in Chromium."""

from __future__ import annotations

import importlib
import itertools
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from viz_programs import diamond, expression, leaf

import tinygrad_dl as tg
from tinygrad_dl import nn, viz
from tinygrad_dl.errors import ArgumentError, ArgumentTypeError, GraphError
from tinygrad_dl.nn import functional as F
from tinygrad_dl.viz.page_layout import Item, Line, lay_out

page_module: Any = importlib.import_module("tinygrad_dl.viz.page")  # as an attribute of viz, page is the function


def network() -> Any:
    tg.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    X, y = tg.randn(5, 3), tg.tensor([0, 1, 1, 0, 1])
    with viz.trace():
        loss = F.cross_entropy(net(X), y)
    return net, loss


def made(f: Any, *inputs: Any, **options: Any) -> Any:
    return viz.page(f, *inputs, path=None, **{"language": "en", **options})


def named(page: Any) -> dict[str, Any]:
    return {node["name"]: node for node in page.data["nodes"]}


def text(page: Any, array: int) -> str:
    return page.data["arrays"][array]["text"]


# --- its data


def test_steps_of_the_notes_example() -> None:
    page = made(expression, 5.0, 3.0, 2.0)
    steps = page.data["steps"]
    assert [step["phase"] for step in steps] == ["start"] + 3 * ["forward"] + 4 * ["backward"]
    assert [line for step in steps for line in step["lines"]] == [
        "u = b·c = 3·2 = 6",
        "v = a + u = 5 + 6 = 11",
        "J = 3·v = 3·11 = 33",
        "dJ/dJ = 1",
        "dJ/dv = dJ/dJ · dJ/dv = 1·3 = 3",
        "dJ/da = dJ/dv · dv/da = 3·1 = 3",
        "dJ/du = dJ/dv · dv/du = 3·1 = 3",
        "dJ/db = dJ/du · du/db = 3·c = 3·2 = 6",
        "dJ/dc = dJ/du · du/dc = 3·b = 3·3 = 9",
    ]
    nodes = named(page)
    assert {name: text(page, node["value"]) for name, node in nodes.items()} == {
        "a": "5",
        "b": "3",
        "c": "2",
        "u": "6",
        "v": "11",
        "J": "33",
    }
    assert {name: text(page, node["gradient"]) for name, node in nodes.items()} == {
        "a": "3",
        "b": "6",
        "c": "9",
        "u": "3",
        "v": "3",
        "J": "1",
    }
    assert [nodes[name]["gradientStep"] for name in ("J", "v", "a", "u", "b", "c")] == [4, 5, 6, 6, 7, 7]
    assert page.title == "Backprop of J = 3·(a + b·c)"


def test_a_step_says_what_arrives_what_it_is_multiplied_with_and_who_still_waits() -> None:
    step = made(expression, 5.0, 3.0, 2.0).data["steps"][7]
    assert [(row["label"], row["text"]) for row in step["rows"]] == [
        ("incoming gradient", "dJ/du = 3"),
        ("local derivative", "du/db = c = 2"),
        ("to b", "3·c = 3·2 = 6"),
        ("local derivative", "du/dc = b = 3"),
        ("to c", "3·b = 3·3 = 9"),
    ]
    assert step["pending"][0] == "b is a leaf: its gradient is complete."
    first = made(expression, 5.0, 3.0, 2.0).data["steps"][4]
    assert "v waits for 1 more: J." in first["pending"] and "b waits for 1 more: u." in first["pending"]


def test_where_paths_meet_the_sum_is_shown_and_a_part_is_no_gradient() -> None:
    def f(a: Any) -> Any:
        b = a * a
        c = a + b
        return c * 2

    page = made(f, 3.0)
    nodes, steps = named(page), page.data["steps"]
    ((step, part, done, count),) = nodes["a"]["arrivals"]
    assert (text(page, part), done, count) == ("2", 1, 3) and step < nodes["a"]["gradientStep"]
    assert any("a waits for 2 more: b." in words for words in steps[step]["pending"])
    assert steps[step]["lines"][0].endswith("(so far, 1 of 3)")
    assert text(page, nodes["a"]["gradient"]) == "14"
    assert ("sum for a", "2 + 6 + 6 = 14  (complete)") in [(r["label"], r["text"]) for r in steps[-1]["rows"]]


def test_both_paths_of_a_plus_a_are_there() -> None:
    page = made(diamond, 3.0)
    assert [edge["local"] for edge in page.data["edges"]] == ["1", "1", "b = 6", "b = 6"]
    assert page.data["steps"][-1]["lines"] == ["dJ/da = dJ/db · db/da⁽¹⁾ + dJ/db · db/da⁽²⁾ = 12 + 12 = 24"]


def test_the_numbers_are_the_engines() -> None:
    net, loss = network()
    page = made(loss)
    assert all(parameter.grad is None for parameter in net.parameters()), "looking must not leave gradients behind"
    loss.backward()
    nodes = named(page)
    for name, parameter in net.named_parameters():
        index, _, kind = name.partition(".")
        shown = page.data["arrays"][nodes[f"net[{index}].{kind}"]["gradient"]]
        rows = [[float(cell.replace("−", "-")) for cell in row] for row in shown["cells"]]
        np.testing.assert_allclose(rows, np.atleast_2d(parameter.grad.numpy()), rtol=1e-3)
        assert shown["shape"] == str(tuple(parameter.shape))
    assert float(text(page, nodes["loss"]["value"])) == pytest.approx(loss.item(), rel=1e-4)


def test_layers_as_wide_as_in_life_are_read() -> None:
    layer = nn.Linear(20, 32)
    with viz.trace():
        loss = layer(tg.ones(64, 20)).sum()
    page = made(loss)
    assert "layer.bias = sum(dloss/du, dim=0)   (32,)" in str(page.data["steps"][-1]["lines"])
    assert page.data["arrays"][named(page)["layer.bias"]["gradient"]]["note"] == "64 … 64, mean 64"


def test_after_backward_and_of_a_trace() -> None:
    x = leaf([1.0, 2.0, 3.0])
    with viz.trace() as t:
        J = (x * x).sum()
    before = made(t).data
    J.backward()
    assert made(J).data["steps"] == made(t).data["steps"] == before["steps"]
    assert x.grad.tolist() == [2.0, 4.0, 6.0], "and the page added nothing"


def test_a_gradient_that_does_not_come_is_not_zero() -> None:
    x = leaf([1.0, 2.0, 3.0])

    def f(x: Any) -> Any:
        n = x.sum()
        with tg.no_grad():
            k = n * 2
        return n * k

    page = made(f, x)
    assert named(page)["k"]["gradient"] is None and named(page)["k"]["kind"] == "constant"


def test_several_outputs_lists_and_functions_of_the_users() -> None:
    class Square(tg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return 2 * g * x

    def f(x: Any) -> Any:
        first, second = tg.split(x, [1, 2])
        joined = tg.cat([Square.apply(first), second, second])
        return joined.sum()

    x = leaf([3.0, 1.0, 2.0])
    page = made(f, x)
    assert page.data["arrays"][named(page)["x"]["gradient"]]["cells"] == [["6", "2", "2"]]


def test_nan_and_infinity_are_shown_as_such() -> None:
    page = made(lambda x: (tg.log(x) * x).sum(), leaf([-1.0, 0.0, 2.0]))
    json.loads(json.dumps(page.data, allow_nan=False))
    shown = [array for array in page.data["arrays"] if "cells" in array]
    cells = {cell for array in shown for row in array["cells"] for cell in row}
    assert {"NaN", "−∞"} <= cells
    assert any("1 NaN, 1 −∞" in array["note"] for array in shown)
    assert any("?" in row and "-" in row for array in shown for row in array["heat"])


def test_large_arrays_are_sampled_and_say_so() -> None:
    page = made(lambda x: (x * 2).sum(), leaf(np.arange(6000.0).reshape(100, 60)))
    array = page.data["arrays"][named(page)["x"]["value"]]
    assert (len(array["heat"]), len(array["heat"][0])) == (16, 24) and "cells" not in array
    assert "16 × 24 of 100 × 60 elements" in array["sample"] and array["note"] == "0 … 6e+03, mean 3e+03"
    assert array["heat"][-1][-1] == "t" and array["heat"][0][0] == "U", "the strongest, and zero"


EVIL = "</script><script>alert(1)</script>\"'{{}}${x}\u2028&amp;<!--"


def test_names_and_titles_are_text() -> None:
    values = {EVIL: leaf(2.0)}
    with viz.trace():
        J = values[EVIL] * 3
    page = made(J, title=EVIL)
    assert EVIL in named(page)
    assert page.html.count("</script>") == 2 and "alert(1)</" not in page.html
    data = re.search(r'id="data">(.*)</script>', page.html)
    assert data is not None and json.loads(data[1])["nodes"][0]["name"] == EVIL


# --- refused


def test_what_can_not_be_stepped_through_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    x = leaf([1.0, 2.0])
    with pytest.raises(GraphError, match=r"page: this tensor .* has no history"):
        made(tg.ones(2).sum())
    with pytest.raises(GraphError, match=r"page: mul .* was not traced, so its values are not known"):
        made((x * x).sum())
    with pytest.raises(GraphError, match=r"page: backprop starts from one number, a result of shape \(2,\) came"):
        made(lambda x: x * x, x)
    with pytest.raises(GraphError, match="page: this trace recorded nothing"), viz.trace() as t:
        made(t)
    with viz.trace():
        pair = [x.sum(), x.prod()]
    with pytest.raises(GraphError, match="page: backprop starts from one number, 2 results came"):
        made(pair)
    with pytest.raises(ArgumentTypeError, match="page: inputs go to a function"):
        made(pair[0], 1.0)
    with pytest.raises(ArgumentTypeError, match=r"page: .* not int"):
        made(3)
    with pytest.raises(ArgumentError, match="page: language is 'en', 'tr', not 'de'"):
        made(pair[0], language="de")
    with viz.trace():
        u = x * x
        J, other = u.sum(), (u * u).sum()
    J.backward()
    with pytest.raises(GraphError, match="what it saved is freed"):
        made(other)
    monkeypatch.setattr(page_module, "MOST_OPERATIONS", 2)
    with pytest.raises(GraphError, match="3 operations are more than a page"):
        made(expression, 5.0, 3.0, 2.0)


# --- what it becomes


def test_it_writes_one_small_file_that_asks_for_nothing(tmp_path: Path) -> None:
    page = viz.page(expression, 5.0, 3.0, 2.0, path=tmp_path / "deep" / "page.html", language="en")
    written = (tmp_path / "deep" / "page.html").read_text("utf-8")
    assert written == page.html and page.path == tmp_path / "deep" / "page.html"
    assert str(page) == f"page of 3 operations in 8 steps: {page.path}" and repr(page) == f"<{page}>"
    assert len(written) < 60_000
    assert not re.findall(r"(?:https?:)?//(?!www\.w3\.org/2000/svg)\w+\.\w+", written), "no address to load from"


def test_in_a_notebook_it_is_a_frame() -> None:
    shown = made(expression, 5.0, 3.0, 2.0)._repr_html_()
    assert shown.startswith("<iframe ") and shown.endswith("</iframe>") and shown.count("<") == 2


def test_languages_have_the_same_words(monkeypatch: pytest.MonkeyPatch) -> None:
    from tinygrad_dl.viz import page_words

    english, turkish = page_words.page_words("en"), page_words.page_words("tr")
    assert english.keys() == turkish.keys()
    for word, said in english.items():
        assert set(re.findall(r"\{\w+\}", said)) == set(re.findall(r"\{\w+\}", turkish[word])), word
    for variable in ("LANGUAGE", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("LANG", "tr_TR.UTF-8")
    html = viz.page(expression, 5.0, 3.0, 2.0, path=None).html
    assert 'lang="tr"' in html and "için geri yayılım" in html
    monkeypatch.setenv("LANG", "C.UTF-8")
    assert 'lang="en"' in viz.page(expression, 5.0, 3.0, 2.0, path=None).html


# --- folding and layout


def test_modules_are_folded_with_their_parameters() -> None:
    _, loss = network()
    views, nodes = made(loss, fold=True).data["views"], named(made(loss))
    assert [view["label"] for view in views] == ["", "net: Sequential", "net[0]: Linear", "net[2]: Linear"]
    names = list(nodes)
    inside = [[names[box["i"]] for box in view["boxes"] if box["k"] == "node"] for view in views]
    assert set(inside[0]) == {"X", "y", "loss"} and len(inside[1]) == 1
    assert set(inside[2]) == {"net[0].weight", "net[0].bias", "u"}
    assert nodes["net[0].weight"]["box"] == "weight" and nodes["u"]["box"] == "u = X weightᵀ + bias"
    assert made(loss, fold=True).data["unfolded"] == [] and made(loss, fold=False).data["unfolded"] == [1, 2, 3]


def chain(operations: int) -> Callable[[Any], Any]:
    def f(a: Any) -> Any:
        for _ in range(operations):
            a = tg.tanh(a)
        return a

    return f


def test_three_thousand_operations_stay_usable() -> None:
    start = time.process_time()
    page = made(chain(3000), 1.0)
    assert time.process_time() - start < 15
    assert page.data["unfolded"] == [] and max(len(view["boxes"]) for view in page.data["views"]) <= 42
    assert page.data["views"][1]["label"] == "operations 1 to 200"


def boxes_and_curves(view: Any) -> tuple[list[Any], list[Any], list[Any]]:
    """The rectangles of a view's nodes and labels, and points along its lines, as the page draws them."""
    columns = view["columns"]
    middle = [(left + right) / 2 for left, right in columns]
    boxes = [
        (middle[b["c"]] - b["w"] / 2, b["y"] - b["h"] / 2, middle[b["c"]] + b["w"] / 2, b["y"] + b["h"] / 2)
        for b in view["boxes"]
    ]
    labels, curves = [], []
    for line in view["lines"]:
        source, target = view["boxes"][line["s"]], view["boxes"][line["t"]]
        points = [(middle[source["c"]] + source["w"] / 2, source["y"]), (columns[source["c"]][1], source["y"])]
        for c, y in [*line["via"], [target["c"], target["y"] + line["in"]]]:
            (x0, y0), x1 = points[-1], columns[c][0]
            for s in np.linspace(0, 1, 20):  # a cubic with level ends: x and y as Bernstein polynomials
                xm, bend = (x0 + x1) / 2, 3 * s**2 - 2 * s**3
                x = x0 * (1 - s) ** 3 + 3 * xm * s * (1 - s) + x1 * s**3
                points.append((x, y0 + (y - y0) * bend))
            points.append((columns[c][1] if [c, y] in line["via"] else middle[c] - target["w"] / 2, y))
        curves.append(points)
        if line["label"] is not None:
            c, y = line["via"][line["label"]]
            labels += [(columns[c][0], y - 16, columns[c][1], y - 3), (columns[c][0], y + 4, columns[c][1], y + 16)]
    return boxes, labels, curves


def apart(one: Any, other: Any) -> bool:
    return bool(one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1])


def inside(point: Any, box: Any) -> bool:
    return bool(box[0] + 1 < point[0] < box[2] - 1 and box[1] + 1 < point[1] < box[3] - 1)


def tangle(*xs: Any) -> Any:
    """Many values used far away from where they were made."""
    made = list(xs)
    for i in range(11):
        made.append(made[i % 3] * made[-1] + made[(i * 5) % len(made)])
    return sum(made[1:], made[0])


@pytest.mark.parametrize("f, count", [(expression, 3), (diamond, 1), (tangle, 3)])
def test_nothing_touches_a_label_and_no_line_a_box(f: Any, count: int) -> None:
    (view,) = made(f, *[1.0 + i for i in range(count)]).data["views"]
    boxes, labels, curves = boxes_and_curves(view)
    assert labels and all(apart(a, b) for a, b in itertools.combinations(boxes + labels, 2))
    for points in curves:
        finer = [
            (x + (u - x) * s, y + (v - y) * s) for (x, y), (u, v) in itertools.pairwise(points) for s in (0, 0.3, 0.7)
        ]
        assert not [box for box in boxes + labels for point in finer if inside(point, box)]


def test_lines_lead_to_the_right_and_few_cross() -> None:
    items = [Item(50, 30) for _ in range(6)]
    layout = lay_out(items, [Line(0, 5), Line(1, 4), Line(2, 3)])
    columns = [column for column, _ in layout.places]
    assert columns == [0, 0, 0, 1, 1, 1]
    heights = [y for _, y in layout.places]
    assert [heights[i] for i in (5, 4, 3)] == [heights[i] for i in (0, 1, 2)], "straight: the order was turned"


def test_what_belongs_together_stands_level() -> None:
    layout = lay_out([Item(50, 30) for _ in range(6)], [Line(0, i) for i in (1, 2, 3)] + [Line(i, 5) for i in (3, 4)])
    heights = [y for _, y in layout.places]
    assert sorted(heights[1:4])[1] == pytest.approx(heights[0], abs=12), "one above, one level, one below"
    assert min(heights[3:5]) < heights[5] < max(heights[3:5])


def test_many_inputs_of_a_module_stand_where_they_are_used() -> None:
    cell = nn.RNNCell(2, 3)
    steps = list(tg.randn(50, 1, 2))
    with viz.trace():
        h = tg.zeros(1, 3)
        for x in steps:
            h = cell(x, h)
        loss = h.sum()
    assert max(len(view["boxes"]) for view in made(loss).data["views"]) <= 42
