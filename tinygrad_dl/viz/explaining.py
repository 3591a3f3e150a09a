"""`explain`: run a function under a trace, or take what was traced, and derive its gradients."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import ArgumentError, nearest
from ..tensor import Tensor
from .bump import Bump
from .derivation import Derivation
from .narrator import Narrator, Style
from .trace import Trace
from .traced import history_of, is_function, traced

NOTATIONS = ("chain", "d", "bar")


def explain(
    f: Callable[..., Tensor] | Tensor | Trace,
    *inputs: Any,
    notation: str = "chain",
    per_example: bool = False,
    letters: bool | None = None,
    digits: int = 5,
    wrt: Tensor | str | None = None,
    fold: bool | int = True,
    bump: float | None = None,
    names: Mapping[str, Tensor] | None = None,
    language: str | None = None,
) -> Derivation:
    """The derivation of a number: each step forward, each gradient backward, as names, symbols and numbers.

    `viz.explain(f, *inputs)` runs f and traces it; `viz.explain(loss)` reads a loss that was computed under
    `viz.trace()`. Arguments: f (a function that returns one number, such a number, or a trace), inputs (tensors; a
    float becomes a leaf), notation ("chain" writes dJ/db = dJ/du · du/db, "d" writes dZ, dW, db as the notes' networks
    do, "bar" writes b̄), per_example (gradients of one example's loss, with 1/m in those of the leaves, as the notes do
    where J is a mean over m examples; else all are gradients of J), letters (True: a result that has no name in the
    source gets a letter and a line; False: it is written out where it is used; None: False in notation "d"), digits
    (significant ones of numbers), wrt (a tensor or its name: the chain rule along every path to it, operation by
    operation, and their sum), fold (True: the operations of a layer are one step; False: each is one; a number: modules
    so deep are one step), bump (raises each leaf by so much, runs f again and puts the slope beside the derivative),
    names ({"W": tensor}, where the variables' names are not wanted), language ("en" or "tr";
    None: the locale's). Touches no `.grad`. Returns a Derivation: `print` shows it, `.text()`, `.markdown()`,
    `.latex()` and `.html()` write it, a notebook renders it.
    Raises GraphError when nothing was traced or the result is not one number, ArgumentError for an option that there
    is not. Source: notes, sections 1.1 to 1.8.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import viz
    >>> def f(b, c):
    ...     u = b * c
    ...     return u + b
    >>> print(viz.explain(f, 3.0, 2.0))
    Forward
      u = b·c      = 3·2     = 6
      J = u + b    = 6 + 3   = 9
    Backward
      dJ/du                           = 1                  = 1
      dJ/db = 1 + dJ/du · du/db       = 1 + 1·c = 1 + 1·2  = 3
      dJ/dc = dJ/du · du/dc           = 1·b = 1·3          = 3
    >>> print(viz.explain(f, 3.0, 2.0, wrt="b", bump=0.001))
    Forward
      u = b·c      = 3·2     = 6
      J = u + b    = 6 + 3   = 9
    Chain rule, path by path
      path 1 = dJ/du · du/db              = 1·c = 1·2          = 2
      path 2 = ∂J/∂b                      = 1                  = 1
      dJ/db = dJ/du · du/db + ∂J/∂b       = 1·c + 1 = 1·2 + 1  = 3  bumped by 0.001: J = 9.003, slope 3
    """
    style = _style(notation, per_example, letters, digits, fold if wrt is None else False, language)
    if bump is not None and (not isinstance(bump, int | float) or not bump or not math.isfinite(bump)):
        raise ArgumentError(f"explain: bump is how much a leaf is raised, for example 0.001, not {bump!r}")
    if bump is not None and not is_function(f):
        raise ArgumentError("explain: bump runs the function again, so it needs one: viz.explain(f, *inputs, bump=...)")
    result, also, given = traced("explain", f, inputs)
    history = history_of("explain", result, names=names)
    tried = None if bump is None else Bump(f, given, float(bump))  # type: ignore[arg-type]  # a function, see above
    return Derivation(Narrator(history, also, style, tried), wrt)


def _style(
    notation: str, per_example: bool, letters: bool | None, digits: int, fold: bool | int, language: str | None
) -> Style:
    """The options, looked at."""
    if notation not in NOTATIONS:
        raise ArgumentError(
            f"explain: notation is {', '.join(map(repr, NOTATIONS))}, not {notation!r}.{nearest(notation, NOTATIONS)}"
        )
    if not isinstance(digits, int) or isinstance(digits, bool) or not 1 <= digits <= 17:
        raise ArgumentError(f"explain: digits is how many significant digits are shown, 1 to 17, not {digits!r}")
    if not isinstance(fold, int) or (fold is not False and fold < 1):
        raise ArgumentError(f"explain: fold is True, False, or how deep, from 1; not {fold!r}")
    return Style(notation, per_example, notation != "d" if letters is None else letters, digits, fold, language)
