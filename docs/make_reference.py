"""`python docs/make_reference.py` writes docs/reference.md: every public function, its derivative read off its rule.

The derivatives are those of the first case of each operation in tests/cases, read by Symbols as the pictures of
backprop read them: ḡ is the gradient of the result, `out` the result, other names are arguments.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import cases  # noqa: E402

import tinygrad_dl as tg  # noqa: E402
from tinygrad_dl.forms import OF_NN  # noqa: E402
from tinygrad_dl.viz.symbol import Symbol, contributions  # noqa: E402

PAGE = ROOT / "docs" / "reference.md"
NAMESPACES = {"tinygrad_dl": tg, "tinygrad_dl.nn.functional": tg.nn.functional}
NAMESPACES |= {f"tinygrad_dl.{name}": getattr(tg, name) for name in ("linalg", "special", "fft") if hasattr(tg, name)}
LONGEST = 160  # letters of a derivative; longer ones are programs rather than formulas


def functions(space: Any) -> dict[str, Any]:
    """The public functions of a namespace that take or make tensors, by name."""
    found = {}
    for name in tg._LAZY if space is tg else ():
        getattr(tg, name)  # loads it
    elsewhere = OF_NN if space is tg else ()
    for name, value in sorted(vars(space).items()):
        module = getattr(value, "__module__", "") or ""
        ours = module.startswith("tinygrad_dl") or hasattr(value, "operation")
        if name not in getattr(space, "__all__", (name,)) or name == "make_public" or name in elsewhere:
            continue
        if ours and callable(value) and not inspect.isclass(value) and not name.startswith("_"):
            found[name] = value
    return found


def methods() -> dict[str, Any]:
    """Methods of Tensor that are no functions too, but for the forms in place of others."""
    known = functions(tg)
    return {
        name: value
        for name, value in functions(tg.Tensor).items()
        if name not in known and name.removesuffix("_") not in known
    }


def signature(name: str, function: Any) -> str:
    """As one calls it, without types."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return f"{name}(...)"
    bare = inspect.Signature([p.replace(annotation=inspect.Parameter.empty) for p in parameters])
    return f"{name}{bare}"


def derivatives(name: str) -> Iterator[str]:
    """The rules behind the first case of an operation that has any, one line for each input."""
    differentiable = [case for case in cases.CASES if case.operation == name and case.differentiable]
    for case in sorted(differentiable, key=lambda case: all(draw.shape != (2, 3) for draw in case.draws)):
        nodes = nodes_behind(case.outputs(case.run(tg, *case.make(tg))))
        for node in nodes:
            place = f"in {node.plan.operation.name}, " if len(nodes) > 1 else ""
            for argument, text in zip(arguments(node), read(node), strict=True):
                yield f"{place}d/d {argument}: " + (f"`{text}`" if len(text) <= LONGEST else "a rule of many steps")
        if nodes:
            return


def nodes_behind(outputs: list[Any]) -> list[Any]:
    """The nodes with rules that results came from, in the order of the forward."""
    found: dict[int, Any] = {}
    waiting = [getattr(out, "grad_fn", None) for out in outputs]
    while waiting:
        node = waiting.pop()
        if node is None or isinstance(node, tg.Tensor) or id(node) in found:
            continue
        found[id(node)] = node
        waiting += node.parents
    return sorted((node for node in found.values() if node.plan is not None), key=lambda node: node.order)


def arguments(node: Any) -> Iterator[str]:
    for name in node.plan.needs:
        if name == node.plan.listed:
            yield from (f"{name}[{i}]" for i, need in enumerate(node.saved[1]) if need)
        else:
            yield name


def read(node: Any) -> Iterator[str]:
    """What the rules of a node send to its inputs, as text."""
    plan, saved, mask = node.plan, node.saved, None
    if plan.listed is not None:
        saved, mask = saved
    held = tuple(symbol(name, value) for name, value in zip(plan.names, plan.saved_values(saved), strict=True))
    bare = held if len(plan.names) > 1 else held[0] if held else None
    shapes = node.shape if isinstance(node.shape, list) else [(node.shape, np.dtype("float64"))]
    gradients = tuple(Symbol("ḡ" if len(shapes) == 1 else f"ḡ{i}", *shape) for i, shape in enumerate(shapes))
    upstream = gradients if isinstance(node.shape, list) else gradients[0]
    for part in contributions(plan, (bare, mask) if plan.listed is not None else bare, upstream):
        yield part.text() if isinstance(part, Symbol) else str(part)


def symbol(name: str, value: Any) -> Any:
    if isinstance(value, list | tuple) and value and all(hasattr(part, "dtype") for part in value):
        return type(value)(symbol(f"{name}{i}", part) for i, part in enumerate(value))
    if name == "index" or not hasattr(value, "dtype") or isinstance(value, np.dtype):
        return value
    return Symbol(name, value.shape, value.dtype)


def entry(space: str, name: str, function: Any) -> str:
    """What the page says of one function."""
    text = inspect.getdoc(function) or ""
    prose, _, session = text.partition(">>> ")
    parts = [f"### {name}", f"`{space}.{signature(name, function)}`".replace("tinygrad_dl.", "", 1), prose.strip()]
    lines = [f"- {line}" for line in derivatives(name)]
    parts += ["\n".join(lines)] if lines else []
    if session:
        parts.append("```pycon\n" + re.sub(r"\n{2,}", "\n", f">>> {session}".rstrip()) + "\n```")
    return "\n\n".join(part for part in parts if part)


def written() -> str:
    """The whole page."""
    sections = [
        "# Reference",
        "Written by `python docs/make_reference.py` from the docstrings and from the rules that the engine runs. ḡ is "
        "the gradient of the result, `out` the result; what a rule sends is summed where broadcasting had repeated.",
    ]
    for space, module in NAMESPACES.items():
        sections += [f"## {space}", *(entry(space, name, function) for name, function in functions(module).items())]
    sections += ["## Methods of Tensor that are no functions"]
    sections += [entry("tinygrad_dl.Tensor", name, function) for name, function in methods().items()]
    return "\n\n".join(sections) + "\n"


if __name__ == "__main__":
    PAGE.write_text(written(), encoding="utf-8")
    print(f"Written: {PAGE.relative_to(ROOT)}")
