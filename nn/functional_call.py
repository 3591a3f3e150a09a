"""Calling a module with other parameters than its own: a network as a function of its weights, for `func.grad`."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Sequence
from typing import Any

from tinygrad_dl.errors import ArgumentError, ArgumentTypeError, StateDictError, nearest
from tinygrad_dl.tensor import Tensor
from tinygrad_dl.utils.checkpoint import surrounding

from .module import Module
from .parameter import BUFFERS, PARAMETER


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: dict[str, Tensor] | Sequence[dict[str, Tensor]],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """`module(*args, **kwargs)` with the given tensors in place of its parameters and buffers, for this call only.

    Arguments: module; parameter_and_buffer_dicts, tensors by path such as "0.weight", in one dict or several (what is
    not named stays the module's own; a buffer that the module assigns anew is put into the one dict); args, a tuple of
    arguments or the only one; kwargs; tie_weights, whether what is given for one path of a shared tensor counts for all
    its paths; strict, whether all paths must be given and no others. Returns what the module returns. Raises
    ArgumentError for a path in two dicts and for two tensors given for a shared one, ArgumentTypeError for a value that
    is no tensor and for the path of something else, StateDictError under `strict`.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> line = nn.Linear(2, 1)
    >>> loss = lambda weights, x: tg.func.functional_call(line, weights, x).sum()
    >>> weights = {"weight": tg.ones(1, 2), "bias": tg.zeros(1)}
    >>> tg.func.grad(loss)(weights, tg.tensor([2.0, 3.0]))
    {'weight': tensor([[2., 3.]]), 'bias': tensor([1.])}
    """
    given = _merged(parameter_and_buffer_dicts)
    own = dict(module._named_tensors((PARAMETER, *BUFFERS), "", True, remove_duplicate=False))
    values = _on_all_paths(own, given) if tie_weights else dict(given)
    _require_tensors(module, own, values, strict)
    places = {path: _place(module, path) for path in values}
    with surrounding(functools.partial(_replaced, places, values)):
        result = module(*(() if args is None else args if isinstance(args, tuple) else (args,)), **(kwargs or {}))
        for path in given:
            attributes, name = places[path]
            given[path] = attributes[name]
        return result


@contextlib.contextmanager
def _replaced(places: dict[str, tuple[dict[str, Any], str]], values: dict[str, Any]) -> Iterator[None]:
    """Let other tensors stand in some places of a module."""
    before = [(attributes, name, attributes.get(name, _NOTHING)) for attributes, name in places.values()]
    try:
        for path, (attributes, name) in places.items():
            attributes[name] = values[path]
        yield
    finally:
        for attributes, name, value in before:
            if value is _NOTHING:
                del attributes[name]
            else:
                attributes[name] = value


_NOTHING = object()


def _merged(dicts: Any) -> dict[str, Tensor]:
    """The one dict, or a new one with what several hold."""
    if isinstance(dicts, dict):
        return dicts
    if not isinstance(dicts, list | tuple) or not all(isinstance(part, dict) for part in dicts):
        raise ArgumentError(f"functional_call: a dict of tensors by path, or several, are needed; {dicts!r} came")
    paths = [path for part in dicts for path in part]
    twice = sorted({path for path in paths if paths.count(path) > 1})
    if twice:
        raise ArgumentError(f"functional_call: {', '.join(twice)} came in several dicts; give each path once")
    return {path: value for part in dicts for path, value in part.items()}


def _on_all_paths(own: dict[str, Tensor], given: dict[str, Tensor]) -> dict[str, Tensor]:
    """What is given for one path of a shared tensor, on all of its paths."""
    values = dict(given)
    for path, value in given.items():
        for other in [name for name in own if own[name] is own.get(path)]:
            if values.setdefault(other, value) is not value:
                raise ArgumentError(
                    f"functional_call: {path} and {other} are one shared tensor, but two came; give one, or pass "
                    "tie_weights=False"
                )
    return values


def _require_tensors(module: Module, own: dict[str, Tensor], values: dict[str, Any], strict: bool) -> None:
    for path, value in values.items():
        if value is not None and not isinstance(value, Tensor):
            raise ArgumentTypeError(f"functional_call: {path} must be a Tensor, not {type(value).__name__}")
    missing = [f"  missing: {path}" for path in own if path not in values]
    unexpected = [f"  unexpected: {path}.{nearest(path, own)}" for path in values if path not in own]
    if strict and missing + unexpected:
        lines = "\n".join(missing + unexpected)
        raise StateDictError(
            f"functional_call: strict=True, but what came does not fit {type(module).__name__}:\n{lines}"
        )


def _place(module: Module, path: str) -> tuple[dict[str, Any], str]:
    """Where a module keeps what it registered under a path, and the name there."""
    parent, _, name = path.rpartition(".")
    owner = module.get_submodule(parent)
    held = getattr(owner, name, None)
    if not name or not (held is None or isinstance(held, Tensor)):
        raise ArgumentTypeError(f"functional_call: {path!r} is no parameter or buffer but {held!r}")
    return owner.__dict__, name
