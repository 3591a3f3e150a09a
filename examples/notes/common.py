"""What the programs of this folder share: their options, how they compare numbers, and where their pictures go."""

import argparse
from pathlib import Path
from typing import Any

import tinygrad_dl as tg
from tinygrad_dl import viz

OUTPUT = Path(__file__).resolve().parent.parent / "output" / "notes"


def start(program: str, description: str | None, arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the options and set the device; the notes' numbers are computed in float64."""
    parser = argparse.ArgumentParser(
        prog=program, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="do less where the program measures or trains")
    parser.add_argument("--device", choices=["cpu", "cuda", "strict"], help="where to compute (default: cpu)")
    parser.add_argument("--no-plots", action="store_true", help="draw no graph")
    parser.add_argument(
        "--output", type=Path, default=OUTPUT / Path(program).stem, help="where to draw (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    if options.device is not None:
        tg.set_default_device(options.device)
    tg.set_default_dtype(tg.float64)
    return options


def leaves(*data: Any) -> list[tg.Tensor]:
    """Tensors that want a gradient."""
    return [tg.tensor(values, dtype=tg.float64, requires_grad=True) for values in data]


def agree(what: str, ours: Any, expected: Any, tolerance: float = 1e-12) -> None:
    """Say that two numbers, or all numbers of two arrays, are the same; AssertionError when they are not."""
    difference = (tg.as_tensor(ours) - tg.as_tensor(expected)).abs().max().item()
    assert difference <= tolerance, f"{what}: {ours} is not {expected}"
    print(f"  {what}: equal" + (f" (to {difference:.0e})" if difference else ""))


def draw(graph: viz.Graph, name: str, options: argparse.Namespace) -> None:
    """Write a graph as DOT, and as SVG and PNG where something is installed that draws."""
    if options.no_plots:
        return
    written = []
    for kind in ("dot", "svg", "png"):
        try:
            written.append(graph.save(options.output / f"{name}.{kind}").name)
        except tg.MissingPackageError as error:
            print(error)
            break
    print(f"Drawn in {options.output}: {', '.join(written)}")
