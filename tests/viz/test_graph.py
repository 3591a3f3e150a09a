"""Graphs: what stands in them, that it is right before and after backward, and that they can be drawn."""

from __future__ import annotations

import importlib
import re
import shutil
import sys
import time
import xml.etree.ElementTree as ElementTree
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from viz_programs import leaf

import tinygrad_dl as tg
from tinygrad_dl import nn, viz
from tinygrad_dl.errors import ArgumentError, ArgumentTypeError, GraphError, MissingPackageError

graph_module: Any = importlib.import_module("tinygrad_dl.viz.graph")  # as an attribute of viz, graph is the function

DRAWS = shutil.which("dot") is not None or find_spec("pygraphviz") is not None
needs_drawing = pytest.mark.skipif(not DRAWS, reason="neither Graphviz' dot nor pygraphviz is installed")


def nodes(source: str) -> dict[str, str]:
    """The text of each node of a DOT source, without its markup."""
    found = {}
    for name, label in re.findall(r"^\s*(\w+) \[label=<(.*)> tooltip=", source, re.MULTILINE):
        cells = re.sub(r"<[^>]*>", "|", label).replace("&#160;", " ").replace("&#91;", "[").replace("&#93;", "]")
        found[name] = " ".join(cells.replace("|", " ").split())
    return found


def edges(source: str) -> list[tuple[str, str]]:
    end = r'("[^"]*"|\w+)(?::body)?'
    return re.findall(rf"^\s*{end} -> {end}", source, re.MULTILINE)


def labels(source: str) -> list[str]:
    """What stands beside the edges."""
    return re.findall(r"-> .* \[label=<<TABLE [^>]*><TR><TD>(.*?)</TD>", source)


def example(traced: bool) -> Any:
    a, b, c = leaf(5.0), leaf(3.0), leaf(2.0)
    if not traced:
        return 3 * (a + b * c)
    with viz.trace():
        u = b * c
        v = a + u
        return 3 * v


# --- what stands in it


def test_values_gradients_and_names() -> None:
    J = example(traced=True)
    before = sorted(nodes(viz.graph(J).source).values())
    assert before == sorted(
        ["3 b not yet", "2 c not yet", "6 u = b·c not yet", "5 a not yet", "11 v = a + u not yet", "33 J = 3·v not yet"]
    )
    J.backward()
    after = sorted(nodes(viz.graph(J).source).values())
    assert after == sorted(["3 b 6", "2 c 9", "6 u = b·c 3", "5 a 3", "11 v = a + u 3", "33 J = 3·v 1"])


def test_without_a_trace_structure_shapes_leaves() -> None:
    W, x = leaf([[1.0, 2.0]]), tg.ones(2, 1, dtype=tg.float64)
    loss = (W @ x).sum()
    source = viz.graph(loss).source
    assert sorted(nodes(source).values()) == sorted(["[1 2] W not yet", "(1, 1) matmul", "3 loss = sum"])
    assert "with viz.trace():" in source, "one line on how to get the rest"
    loss.backward()
    assert "[1 2] W [1 1]" in nodes(viz.graph(loss).source).values()
    assert "with viz.trace():" not in viz.graph(example(traced=True)).source


def test_zero_is_shown_as_zero_and_not_yet_as_not_yet() -> None:
    a = leaf(2.0)
    with viz.trace():
        J = a * 0.0
    assert "not yet" in viz.graph(J).source
    J.backward()
    source = viz.graph(J).source
    assert "not yet" not in source and "2 a 0" in nodes(source).values()


def test_a_value_used_twice_is_one_node_with_two_edges() -> None:
    a = leaf(3.0)
    for traced in (False, True):
        viz.trace(traced)
        J = a * a
        viz.trace(False)
        source = viz.graph(J).source
        assert len(nodes(source)) == 2
        assert len(edges(source)) == 2 and len(set(edges(source))) == 1


def test_a_shared_node_is_drawn_once() -> None:
    a = leaf(3.0)
    with viz.trace():
        u = tg.exp(a)
        J = u * tg.sin(u) + u
    source = viz.graph(J).source
    assert len(nodes(source)) == 5 and len(edges(source)) == 6


def test_edges_come_in_the_order_of_the_arguments() -> None:
    a, b = leaf(1.0), leaf(2.0)
    names = {"first": a, "second": b}
    for J in (a - b, b - a):
        source = viz.graph(J, names=names).source
        kind = {name: text.split()[1] for name, text in nodes(source).items()}
        order = [kind[tail] for tail, _ in edges(source)]
        assert order == (["first", "second"] if J.item() < 0 else ["second", "first"])
        assert labels(source) == ["1.", "2."]


def test_local_derivatives_stand_beside_the_edges() -> None:
    J = example(traced=True)
    assert labels(viz.graph(J).source) == ["c = 2", "b = 3", "1", "1", "3"]


def test_constants_have_no_gradient() -> None:
    x, w = tg.tensor([1.0, 2.0]), tg.ones(2, requires_grad=True)
    with viz.trace():
        J = (w * x).sum()
    assert "[1 2] x" in nodes(viz.graph(J).source).values()


def test_several_roots_and_several_outputs() -> None:
    x = leaf([1.0, 2.0, 3.0])
    with viz.trace():
        first, second = tg.split(x, [1, 2])
        p, q = first.sum(), second.sum()
    source = viz.graph([p, q]).source
    assert len(nodes(source)) == 4 and "output 0" in source and "output 1" in source


def test_results_without_a_name_can_be_written_out() -> None:
    W, x, b = leaf([[1.0]]), tg.ones(1, 1, dtype=tg.float64), leaf([[0.5]])
    with viz.trace():
        Z = W @ x + b
        J = Z.sum() * 2
    source = viz.graph(J, letters=False).source
    assert {text.split(" ", 1)[1].removesuffix(" not yet") for text in nodes(source).values()} == {
        "W", "x", "b", "Z = W x + b", "J = sum(Z)·2",
    }  # fmt: skip
    assert len(edges(source)) == 4


def test_it_is_the_same_after_the_graph_was_freed() -> None:
    a = leaf([1.0, 2.0])
    J = (a * a).sum()
    structure = edges(viz.graph(J).source)
    J.backward()
    assert edges(viz.graph(J).source) == structure


def test_text_for_a_terminal() -> None:
    a = leaf(3.0)
    with viz.trace():
        J = a * 2
    J.backward()
    assert viz.graph(J).text().splitlines() == [
        "a          leaf  value 3  gradient 2",
        "J = a·2    mul   value 6  gradient 1",
    ]


def test_names_that_would_break_dot() -> None:
    a = leaf(1.0)
    names = {'"><b>&[x]\\n{|}\n</TABLE>': a}
    with viz.trace():
        J = a * 2
    graph = viz.graph(J, names=names, title='<i>"quoted" & \\</i>')
    assert "&lt;/TABLE&gt;" in graph.source
    if DRAWS:
        text = "".join(ElementTree.fromstring(graph.svg()).itertext())
        assert '"><b>&[x]\\n{|}·</TABLE>' in text and '<i>"quoted" & \\</i>' in text


# --- modules and size


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x: Any) -> Any:
        return x + self.second(tg.tanh(self.first(x)))


def deep(count: int) -> Any:
    net = nn.Sequential(*[Block() for _ in range(count)])
    with viz.trace():
        return net(tg.ones(2, 4)).mean()


def test_modules_are_clusters() -> None:
    source = viz.graph(deep(2)).source
    labels = re.findall(r'subgraph "?cluster_.*?label=<(.*?)>', source, re.DOTALL)
    assert [label.replace("&#91;", "[").replace("&#93;", "]") for label in labels] == [
        "net: Sequential", "net[0]: Block", "net[0].first: Linear", "net[0].second: Linear",
        "net[1]: Block", "net[1].first: Linear", "net[1].second: Linear",
    ]  # fmt: skip
    assert len(nodes(source)) == 2 * 4 + 1 + 8 + 1


def test_a_module_with_one_operation_and_no_parameters_has_no_cluster() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Tanh())
    with viz.trace():
        y = model(tg.ones(1, 2)).sum()
    assert re.findall(r"cluster_([^\s\"{]*)", viz.graph(y).source) == ["model", "model/model[0]"]


def test_big_graphs_are_folded_by_module() -> None:
    loss = deep(50)
    folded = viz.graph(loss).source
    boxes = re.findall(r"<B>([^<]*)</B><BR/>4 operations, 40 parameters", folded)
    assert len(boxes) == 50 and len(edges(folded)) == 51
    assert len(nodes(viz.graph(loss, fold=False).source)) == 50 * 8 + 2
    one = viz.graph(loss, fold=1).source
    assert "200 operations, 2,000 parameters" in one and len(edges(one)) == 2
    assert "4 operations" in viz.graph(deep(2), fold=2).source


@pytest.mark.parametrize("traced", [False, True])
def test_ten_thousand_operations(traced: bool) -> None:
    w = leaf(1.0)
    viz.trace(traced)
    y = w
    for _ in range(10_000):
        y = y + w
    viz.trace(False)
    begin = time.process_time()
    graph = viz.graph(y)
    assert "9,998 operations" in graph.source and len(graph.source) < 20_000
    assert len(nodes(viz.graph(y, fold=False).source)) == 10_001
    assert len(graph.text().splitlines()) == 10_001
    assert time.process_time() - begin < 15
    assert repr(graph) == '<graph of 10,000 operations and 1 leaf; .save("graph.svg") draws it>'


# --- drawing


@needs_drawing
def test_files(tmp_path: Path) -> None:
    graph = viz.graph(example(traced=True), title="J = 3(a + b·c)")
    for kind, start in {
        "dot": b"digraph",
        "gv": b"digraph",
        "svg": b"<?xml",
        "png": b"\x89PNG",
        "pdf": b"%PDF",
    }.items():
        path = graph.save(tmp_path / "new" / f"graph.{kind}")
        assert path.read_bytes().startswith(start), kind
    with pytest.raises(ArgumentError, match=r"ends in .svg, .png, .pdf or .dot, not 'graph.bmp'"):
        graph.save(tmp_path / "graph.bmp")


@needs_drawing
def test_the_drawing_shows_what_the_source_says() -> None:
    J = example(traced=True)
    J.backward()
    root = ElementTree.fromstring(viz.graph(J).svg())
    text = "".join(root.itertext())
    for word in (" = b·c", "33", "11", "value", "gradient"):
        assert word in text
    assert "Verdana" in viz.graph(J).svg(), "a font for machines without ours"


def points(path: str) -> list[tuple[float, float]]:
    """Points along a line that Graphviz drew: Bézier curves, one after the other."""
    ends = [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+),(-?[\d.]+)", path)]
    found = []
    for i in range(0, len(ends) - 1, 3):
        for t in (k / 50 for k in range(51)):
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            x, y = (sum(w * end[axis] for w, end in zip(weights, ends[i : i + 4], strict=True)) for axis in (0, 1))
            found.append((x, y))
    return found


@needs_drawing
def test_labels_touch_no_line() -> None:
    w1, w2, w3, x1, x2 = (leaf(value) for value in (0.5, -0.25, 0.1, 1.0, 2.0))
    with viz.trace():
        y1 = w1 * x1 + w2 * x2
        y2 = w3 * x1 + w1 * x2
        J = tg.sigmoid(y1 * y2) + y1
    root = ElementTree.fromstring(viz.graph(J).svg())
    edges_drawn = [group for group in root.iter() if group.get("class") == "edge"]
    lines = [points(str(path.get("d"))) for group in edges_drawn for path in group.iter() if path.tag.endswith("path")]
    texts = [text for group in edges_drawn for text in group.iter() if text.tag.endswith("text")]
    assert len(lines) == len(texts) == 17
    for text in texts:
        left, base, size = (float(str(text.get(key))) for key in ("x", "y", "font-size"))
        right = left + 0.6 * size * len(str(text.text))  # each character of a monospaced font is that wide
        for line in lines:
            touching = [(x, y) for x, y in line if left < x < right and base - 0.8 * size < y < base + 0.2 * size]
            assert not touching, text.text


@pytest.mark.skipif(find_spec("pygraphviz") is None, reason="pygraphviz is not installed")
def test_it_is_drawn_without_any_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert viz.graph(example(traced=False)).svg().startswith("<?xml")


def test_without_anything_that_draws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    graph = viz.graph(example(traced=True))
    with pytest.raises(MissingPackageError, match=r"pip install pygraphviz.*apt-get install graphviz.*\.dot works"):
        graph.save(tmp_path / "graph.svg")
    assert graph.save(tmp_path / "graph.dot").read_text(encoding="utf-8") == graph.source
    bundle = graph._repr_mimebundle_()
    assert list(bundle) == ["text/plain"] and "pip install" in bundle["text/plain"] and "leaf" in bundle["text/plain"]


@needs_drawing
def test_a_notebook_shows_it() -> None:
    bundle = viz.graph(example(traced=False))._repr_mimebundle_()
    assert bundle["image/svg+xml"].startswith("<?xml") and bundle["text/plain"].startswith("<graph of 3 operations")


# --- bad input


def test_what_has_no_graph() -> None:
    with pytest.raises(GraphError, match=r"graph: this tensor \(shape \(2,\)\) has no history"):
        viz.graph(tg.ones(2))
    with pytest.raises(ArgumentTypeError, match="a Tensor, a list of them or a trace has a graph, not int"):
        viz.graph(3)
    with pytest.raises(ArgumentError, match=r"direction is 'LR'.*not 'RL'"):
        viz.graph(example(traced=False), direction="RL")
    for fold in (0, -1, "module"):
        with pytest.raises(ArgumentError, match="fold is True, False, None or how deep, from 1; not"):
            viz.graph(example(traced=False), fold=fold)


def test_nan_infinity_and_empty() -> None:
    a, empty = leaf([float("nan"), float("inf"), 1.0]), leaf([])
    with viz.trace():
        J = (a * 2).sum() + empty.sum()
    assert "[nan inf 1] a not yet" in nodes(viz.graph(J).source).values()
    assert "[] empty not yet" in nodes(viz.graph(J).source).values()
