"""The command line: `python -m tinygrad_dl explain "3*(a + b*c)" a=5 b=3 c=2` prints a derivation."""

import argparse
import math
import sys
from collections.abc import Callable
from pathlib import Path

from . import viz
from .errors import ArgumentError, MissingPackageError
from .tensor import Tensor
from .viz.explaining import NOTATIONS
from .viz.expression import ALLOWED, Expression, values_of
from .viz.formula import ascii_of
from .viz.trace import name_tensors
from .viz.words import LANGUAGES

_FORMS = ("ascii", "markdown", "latex", "html")


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns the exit status. Errors of what was typed in are one message, without a traceback."""
    options = _parser().parse_args(_formulas_kept(sys.argv[1:] if arguments is None else arguments))
    try:
        _explain(options)
    except (ValueError, TypeError, RuntimeError, ArithmeticError, MissingPackageError, OSError) as error:
        print(_printable(f"{error}"), file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tinygrad_dl", description="What tinygrad_dl does from a terminal.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="explain")
    explain = commands.add_parser(
        "explain",
        help="derive a formula: each step forward, each gradient backward",
        description="Derive a formula: each step forward, each gradient backward.",
        epilog='for example: python -m tinygrad_dl explain "3*(a + b*c)" a=5 b=3 c=2 --wrt b',
    )
    explain.add_argument("formula", help=ALLOWED.replace("%", "%%"))
    explain.add_argument("values", nargs="*", metavar="name=value", help="a=5, w=[1,2], W=[[1,2],[3,4]]")
    forms = explain.add_mutually_exclusive_group()
    for form in _FORMS:
        forms.add_argument(
            f"--{form}", dest="form", action="store_const", const=form, default="text", help=f"print it as {form}"
        )
    explain.add_argument("--notation", choices=NOTATIONS, default="chain", help="dJ/db, db or b with a bar")
    explain.add_argument("--wrt", metavar="NAME", help="the chain rule along every path to one name")
    explain.add_argument("--bump", type=float, metavar="0.001", help="raise each value by so much, and see J move")
    explain.add_argument("--language", choices=LANGUAGES, help="default: the locale's")
    explain.add_argument("--graph", type=Path, metavar="out.svg", help="draw the graph (.svg, .png, .pdf, .dot)")
    explain.add_argument("--page", type=Path, metavar="out.html", help="write a page that steps through backward")
    return parser


def _formulas_kept(arguments: list[str]) -> list[str]:
    """A formula or value that begins with a minus is no option: argparse takes what begins with a space as it is."""
    known = {"-h", *(f"--{name}" for name in (*_FORMS, "help", "notation", "wrt", "bump", "language", "graph", "page"))}
    return [
        f" {argument}" if argument.startswith("-") and argument.partition("=")[0] not in known else argument
        for argument in arguments
    ]


def _explain(options: argparse.Namespace) -> None:
    formula = Expression(options.formula)
    leaves = values_of(options.values, formula.names)

    shape = tuple(formula(**leaves).shape)
    if math.prod(shape) != 1:
        raise ArgumentError(f"explain: one number has a derivation, this has shape {shape}; put it in sum() or mean()")

    def run(*values: Tensor) -> Tensor:
        return formula(**dict(zip(formula.names, values, strict=True)))

    derivation = viz.explain(
        run,
        *leaves.values(),
        notation=options.notation,
        wrt=options.wrt,
        bump=options.bump,
        language=options.language,
        letters=True,
        names=leaves,
    )
    form = {
        "text": derivation.text,
        "markdown": derivation.markdown,
        "latex": derivation.latex,
        "html": derivation.html,
    }
    print(_printable(derivation.text(ascii=True) if options.form == "ascii" else form[options.form]()))
    if options.graph or options.page:
        _draw(options, run, leaves)


def _draw(options: argparse.Namespace, run: Callable[..., Tensor], leaves: dict[str, Tensor]) -> None:
    with viz.Trace() as traced:
        name_tensors(leaves)
        run(*leaves.values()).backward()
    if options.graph:
        viz.graph(traced).save(options.graph)
    if options.page:
        viz.page(traced, path=options.page)


def _printable(text: str) -> str:
    """Text as the terminal can show it."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return "\n".join(map(ascii_of, text.splitlines()))
    return text


if __name__ == "__main__":
    sys.exit(main())
