"""Write a recurrent cell of your own: the two GRUs of the notes, on a task that a plain RNN can't learn.

"The cat, which already ate ..., was full": a word near the beginning decides about a late one. Here each word is 1 or
-1, one of the first five has a mark, and the network is asked for it at the end. An update gate near 0 carries the
memory on, and gradients come back over the whole distance; in a plain RNN each step multiplies them by W and tanh'.
"""

import argparse
from importlib.util import find_spec
from pathlib import Path

import tinygrad_dl as tg
from tinygrad_dl import nn, optim

UNITS, BATCH, RATE = 16, 64, 0.02
OUTPUT = Path(__file__).resolve().parent.parent / "output" / "write_a_cell"


class PlainCell(nn.Module):
    """a' = tanh(W_a [a, x] + b_a). A cell takes an input (batch, inputs) and a state (batch, units): the next state."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.candidate = nn.Linear(units + inputs, units)

    def forward(self, x: tg.Tensor, a: tg.Tensor) -> tg.Tensor:
        return tg.tanh(self.candidate(tg.cat([a, x], dim=1)))


class SimplifiedGRUCell(PlainCell):
    """c' = Gu · tanh(W_c [c, x] + b_c) + (1 - Gu) · c with the update gate Gu = σ(W_u [c, x] + b_u)."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__(inputs, units)
        self.update = nn.Linear(units + inputs, units)
        nn.init.constant_(self.update.bias, -2.0)  # starts by keeping most of its memory

    def seen(self, x: tg.Tensor, c: tg.Tensor) -> tg.Tensor:
        return c  # what the candidate sees of the memory

    def forward(self, x: tg.Tensor, c: tg.Tensor) -> tg.Tensor:
        gate = tg.sigmoid(self.update(tg.cat([c, x], dim=1)))
        return gate * super().forward(x, self.seen(x, c)) + (1 - gate) * c


class GRUCell(SimplifiedGRUCell):
    """The full GRU: the candidate sees Gr · c, with the relevance gate Gr = σ(W_r [c, x] + b_r)."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__(inputs, units)
        self.relevance = nn.Linear(units + inputs, units)

    def seen(self, x: tg.Tensor, c: tg.Tensor) -> tg.Tensor:
        return tg.sigmoid(self.relevance(tg.cat([c, x], dim=1))) * c


class Reader(nn.Module):
    """Reads sequences (steps, batch, 2) with a cell; a result above 0 says that the marked word was 1."""

    def __init__(self, cell: nn.Module) -> None:
        super().__init__()
        self.cell, self.answer = cell, nn.Linear(UNITS, 1)

    def forward(self, sequence: tg.Tensor) -> tg.Tensor:
        state = tg.zeros(sequence.shape[1], UNITS)
        for x in sequence:
            state = self.cell(x, state)
        return self.answer(state).squeeze(1)


def task(length: int, count: int) -> tuple[tg.Tensor, tg.Tensor]:
    """Sequences (length, count, 2) of words and marks, and whether the marked word of each is 1."""
    words = 2 * (tg.rand(length, count) < 0.5).float() - 1
    marks = nn.functional.one_hot(tg.randint(5, (count,)), length).float().T
    return tg.stack([words, marks], dim=2), ((words * marks).sum(dim=0) > 0).float()


def train(model: nn.Module, length: int, steps: int) -> tuple[float, list[float]]:
    """The share of right answers to new sequences, and the first gradient's norm at each step of the input."""
    optimizer, norms = optim.Adam(model.parameters(), lr=RATE), []
    for sequence, answers in (task(length, BATCH) for _ in range(steps)):
        optimizer.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(model(sequence.requires_grad_()), answers).backward()
        norms = norms or sequence.grad.norm(dim=(1, 2)).tolist()
        optimizer.step()
    sequence, answers = task(length, 500)
    return ((model(sequence) > 0) == (answers > 0)).float().mean().item(), norms


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="shorter sequences, less training")
    parser.add_argument("--device", choices=["cpu", "cuda", "strict"], default="cpu", help="where to compute")
    parser.add_argument("--no-plots", action="store_true", help="draw nothing")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="where to draw (default: %(default)s)")
    options = parser.parse_args(arguments)
    if not options.no_plots and find_spec("matplotlib") is None:
        parser.error("drawing needs matplotlib: pip install -e '.[examples]', or give --no-plots")
    tg.set_default_device(options.device)
    curves = {}
    for cell in (PlainCell, SimplifiedGRUCell, GRUCell):
        tg.manual_seed(0)
        right, curves[cell.__name__] = train(Reader(cell(2, UNITS)), *((25, 80) if options.quick else (40, 400)))
        print(f"{cell.__name__}: {right:.0%} right; gradient of the first word {curves[cell.__name__][0]:.1e} at first")
        assert right < 0.75 if cell is PlainCell else right > 0.95
    if not options.no_plots:
        from matplotlib.figure import Figure

        options.output.mkdir(parents=True, exist_ok=True)
        axes = (figure := Figure()).subplots()
        for name, norms in curves.items():
            axes.semilogy(norms, label=name)
        axes.set(xlabel="step of the input", ylabel="norm of the loss's gradient, before training")
        axes.legend()
        figure.savefig(options.output / "gradients.png")
        print(f"Drawn in {options.output}: gradients.png")


if __name__ == "__main__":
    main()
