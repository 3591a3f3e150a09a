"""Pages to step through backprop: open them in a browser, no network needed.

Three graphs, each as one HTML file in examples/output/pages: J = 3(a + bc), the diamond b = a + a, whose two paths
meet again, and a network of two layers on a small batch, folded by module. Arrow keys step, a click unfolds a module
or pins a node.

    python examples/pages.py                     # --help shows the options
    python examples/pages.py --language tr       # captions in Turkish
"""

import argparse
from pathlib import Path

import tinygrad_dl as tg
from tinygrad_dl import nn, viz
from tinygrad_dl.nn import functional as F

OUTPUT = Path(__file__).resolve().parent / "output" / "pages"


def expression(a: tg.Tensor, b: tg.Tensor, c: tg.Tensor) -> tg.Tensor:
    u = b * c
    v = a + u
    return 3 * v


def diamond(a: tg.Tensor) -> tg.Tensor:
    b = a + a
    return b * b


def network(batch: int) -> tg.Tensor:
    """The loss of a network that has not learned yet: is a point inside the circle?"""
    tg.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2))
    X = tg.randn(batch, 2)
    y = ((X**2).sum(dim=1) < 1.5).long()
    with viz.trace():
        return F.cross_entropy(model(X), y)


def options_of(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="pages.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="take a smaller batch")
    parser.add_argument("--device", choices=["cpu", "cuda", "strict"], help="where to compute (default: cpu)")
    parser.add_argument("--no-plots", action="store_true", help="write no page, only say what would be in it")
    parser.add_argument("--language", choices=["en", "tr"], help="of the captions (default: your surroundings')")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="where to write (default: %(default)s)")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> list[viz.Page]:
    options = options_of(arguments)
    if options.device is not None:
        tg.set_default_device(options.device)
    pages = {
        "expression": viz.page(expression, 5.0, 3.0, 2.0, path=None, language=options.language),
        "diamond": viz.page(diamond, 3.0, path=None, language=options.language),
        "network": viz.page(network(4 if options.quick else 8), path=None, language=options.language, fold=True),
    }
    for name, page in pages.items():
        print(page if options.no_plots else page.save(options.output / f"{name}.html"))
    return list(pages.values())


if __name__ == "__main__":
    main()
