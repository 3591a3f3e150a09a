"""The page that steps through backprop: one HTML file that needs no network and no other program."""

import html
import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from ..errors import GraphError
from ..tensor import Tensor
from .history import RESULT, History
from .page_arrays import Arrays
from .page_data import Story
from .page_groups import grouped, short_names, shown_at_first
from .page_views import views
from .page_words import SHOWN, page_words
from .reading import Reader
from .trace import Trace
from .traced import history_of, traced
from .words import language_in

MOST_OPERATIONS = 5_000
BOXES_UP_TO = 30  # that are unfolded by themselves
LABELS_UP_TO = 60  # operations, for the derivatives beside the edges
MANY = 200  # operations; the heat maps of more are coarser, to keep the file small
TITLE_UP_TO = 48  # characters of a formula in the title


def page(
    f: Callable[..., Tensor] | Tensor | Trace,
    *inputs: Any,
    path: str | Path | None = "backprop.html",
    title: str | None = None,
    fold: bool | None = None,
    language: str | None = None,
) -> "Page":
    """Write a page that steps through the forward and backward of a number: one HTML file, which needs no network.

    Each step lights an operation up and shows its value, the gradient that comes in, the local derivative as a formula
    and in numbers, the product along each path, the sum where paths meet, and which values still wait for consumers.
    Arrow keys, Home, End and space step; `#step=7` behind the address opens a step; a click pins a node or unfolds a
    module. Arguments: f (a function that returns one number, such a number computed under `viz.trace()`, or a trace),
    inputs (of the function: tensors; a float becomes a leaf), path (the file to write; None: none, for a notebook),
    title, fold (modules as one box each: True, False, or None: where there are many), language ("en" or "tr"; None: the
    surroundings'). Touches no `.grad`. Raises GraphError when nothing was traced, the result is not one number, or
    there are more than 5,000 operations. Source: notes, sections 1.1 to 1.8.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import viz
    >>> def f(a, b, c):
    ...     u = b * c
    ...     v = a + u
    ...     return 3 * v
    >>> viz.page(f, 5.0, 3.0, 2.0, path=None)
    <page of 3 operations in 8 steps>
    >>> str(viz.page(f, 5.0, 3.0, 2.0, path="backprop.html"))  # doctest: +SKIP
    'page of 3 operations in 8 steps: backprop.html'
    """
    chosen = language_in(language, "page")
    result, _, _ = traced("page", f, inputs)
    history = history_of("page", result)
    operations = sum(value.kind == RESULT for value in history.values)
    if operations > MOST_OPERATIONS:
        raise GraphError(
            f"page: {operations:,} operations are more than a page can be stepped through ({MOST_OPERATIONS:,}). "
            "Take fewer layers or a shorter sequence; viz.graph(loss) draws a graph of any size, folded"
        )
    made = Page(history, title, fold, chosen)
    return made if path is None else made.save(path)


class Page:
    """A page: `.html` is its text, `.save(path)` writes it, `.path` says where it is; a notebook shows it by itself."""

    def __init__(self, history: History, title: str | None, fold: bool | None, language: str) -> None:
        self.path: Path | None = None
        words = page_words(language)
        groups, homes = grouped(history.values)  # by the names in the source, before letters are given out
        history.name_all()
        self._operations = sum(value.kind == RESULT for value in history.values)
        many = self._operations > MANY
        arrays = Arrays(words, rows=8 if many else 16, columns=12 if many else 24)
        story = Story(history, words, language, arrays, short_names(history.values, homes))
        self._steps = len(story.steps)
        self.data = {
            "nodes": story.nodes,
            "edges": story.edges,
            "steps": story.steps,
            "arrays": arrays.shown,
            "views": views(groups, homes, story, words, self._operations <= LABELS_UP_TO),
            "unfolded": shown_at_first(groups, fold, BOXES_UP_TO),
            "words": {word: words[word] for word in SHOWN},
        }
        self.title = title or _title(history, words["title"])
        self.html = _filled(self.data, self.title, language)

    def save(self, path: str | Path) -> "Page":
        """Write the page, and the folders around it."""
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(self.html, encoding="utf-8")
        return self

    def _counts(self) -> str:
        return f"page of {self._operations:,} operation{'s' * (self._operations != 1)} in {self._steps:,} steps"

    def __str__(self) -> str:
        return self._counts() + (f": {self.path}" if self.path else "")

    def __repr__(self) -> str:
        return f"<{self}>"

    def _repr_html_(self) -> str:
        frame = 'style="width:100%; height:720px; border:0" sandbox="allow-scripts"'
        return f'<iframe {frame} title="{html.escape(self.title)}" srcdoc="{html.escape(self.html)}"></iframe>'


def _title(history: History, words: str) -> str:
    """The result, and what it is of its leaves where that is short."""
    root, results = history.roots[0], {value for value in history.values if value.kind == RESULT}
    name = str(root.name)
    if len(results) <= 8:
        formula = Reader(results - {root}).expression(root).text()
        name = f"{name} = {formula}" if len(formula) <= TITLE_UP_TO else name
    return words.format(root=name)


def _filled(data: Any, title: str, language: str) -> str:
    """The template with everything in it; what the user named is text there and data in the script."""
    folder = files(__package__) / "assets"
    style, script, template = ((folder / name).read_text("utf-8") for name in ("page.css", "page.js", "page.html"))
    words = {key.replace(" ", "_"): html.escape(word) for key, word in page_words(language).items()}
    fields = {**words, "title": html.escape(title), "language": language, "style": style, "script": script}
    return Template(template).substitute(fields, data=_as_json(data))


def _as_json(data: Any) -> str:
    """JSON within a page: plain ASCII, and no `<` that could end the script."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
