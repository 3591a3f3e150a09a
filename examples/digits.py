"""Learn to read handwritten digits, and look at what was learned.

A multilayer perceptron on the 1,797 real images of 8×8 pixels that come with scikit-learn: it trains on three quarters
of them and is judged on the quarter that it never saw, where it reads about 98% right. That takes seconds:

    python examples/digits.py                    # --help shows the options
    python examples/digits.py --device cuda      # the same on a GPU

Into examples/output/digits it writes the curves of the training, the confusion matrix, the digits that it misread, the
graph of one step's backpropagation, and the weights. Ctrl-C ends the training early and keeps what was learned.
"""

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import tinygrad_dl as tg
from tinygrad_dl import nn, optim
from tinygrad_dl.utils.data import DataLoader, TensorDataset

INSTALL = "This installs what the examples need: pip install -e '.[examples]'"
try:
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split
    from threadpoolctl import threadpool_limits
    from tqdm import tqdm
except ImportError as error:
    sys.exit(f"digits.py: {error}. {INSTALL}")

# Chosen by cross-validation inside the training part: had the held-out part chosen them, it would not be unseen.
HIDDEN_UNITS, DROPOUT, LEARNING_RATE, BATCH_SIZE, EPOCHS, QUICK_EPOCHS = 256, 0.5, 0.003, 32, 40, 5
BAR = "{desc} {bar} {n_fmt}/{total_fmt} [{elapsed}<{remaining}]{postfix}"
OUTPUT = Path(__file__).resolve().parent / "output" / "digits"

# --- the data


class Part(NamedTuple):
    """Some of the images: as they are, as the network wants them, and the digits that they show."""

    pixels: np.ndarray  # (n, 64), ink from 0 to 16
    x: tg.Tensor  # (n, 64), standardized
    y: tg.Tensor  # (n,), from 0 to 9


def load_data(seed: int) -> tuple[Part, Part]:
    """The part to train on and the held-out quarter, each digit having the same share of both (stratified)."""
    pixels, digits = load_digits(return_X_y=True)
    split = train_test_split(pixels, digits, test_size=0.25, stratify=digits, random_state=seed)
    seen, unseen, seen_digits, unseen_digits = split
    # Both from the training part alone. One deviation serves all pixels: those at the edge are hardly ever inked, and
    # divided by its own tiny deviation, a rare drop of ink there would outweigh the digit.
    mean, deviation = seen.mean(axis=0), seen.std()

    def part(pixels: np.ndarray, digits: np.ndarray) -> Part:
        return Part(pixels, tg.tensor((pixels - mean) / deviation, dtype=tg.float32), tg.tensor(digits))

    return part(seen, seen_digits), part(unseen, unseen_digits)


# --- the network and its training


class Perceptron(nn.Module):
    """64 pixels, 256 hidden units, a score for each of the 10 digits."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(64, HIDDEN_UNITS)
        self.relu = nn.ReLU()
        self.dropout = nn.Dropout(DROPOUT)  # units that can't count on each other learn less by heart
        self.output = nn.Linear(HIDDEN_UNITS, 10)

    def forward(self, x: tg.Tensor) -> tg.Tensor:
        z = self.hidden(x)
        a = self.dropout(self.relu(z))
        return self.output(a)


loss_function = nn.CrossEntropyLoss()  # takes the scores as they are: the softmax is inside


@tg.no_grad()
def measure(model: nn.Module, part: Part) -> tuple[float, float]:
    """The mean loss and the share of digits read right, both without dropout."""
    model.eval()
    scores = model(part.x)
    right = (scores.argmax(dim=1) == part.y).sum().item()
    return loss_function(scores, part.y).item(), right / len(part.y)


@threadpool_limits.wrap(limits=1)  # products as small as these are slower when cores share them
def train(model: nn.Module, seen: Part, unseen: Part, epochs: int) -> np.ndarray:
    """Train to the end or to Ctrl-C. Returns loss and accuracy on the training part, then on the held-out part, in a
    row for the start and one for each epoch."""
    batches = DataLoader(TensorDataset(seen.x, seen.y), batch_size=BATCH_SIZE, shuffle=True)
    optimizer = optim.Adam(model.parameters(), lr=LEARNING_RATE)
    history = [measure(model, seen) + measure(model, unseen)]
    bar = tqdm(range(epochs), "Training", bar_format=BAR)
    try:
        for _ in bar:
            model.train()
            for x, y in batches:
                optimizer.zero_grad()
                loss = loss_function(model(x), y)  # forward: the graph is recorded
                loss.backward()  # backward: each parameter gets its gradient
                optimizer.step()  # and takes a step against it
            history.append(measure(model, seen) + measure(model, unseen))
            loss_now, accuracy, _, held_out = history[-1]
            bar.set_postfix_str(f"loss {loss_now:.4f}, accuracy {accuracy:.1%}, held out {held_out:.1%}", refresh=False)
    except KeyboardInterrupt:
        bar.close()
        print(f"Stopped after {len(history) - 1} of {epochs} epochs. What was learned is kept.")
    return np.array(history)


def save_weights(model: nn.Module, path: Path) -> None:
    """Write the weights, and see that a new network gets the same ones from the file."""
    tg.save(model.state_dict(), path)
    copy = Perceptron()
    copy.load_state_dict(tg.load(path))
    for (name, written), read in zip(model.named_parameters(), copy.parameters()):
        if not (read == written).all():
            sys.exit(f"digits.py: {name} comes out of {path} other than it went in")


# --- the pictures: blue is seen or right, orange is unseen or wrong, in tones that the color-blind can tell apart

BLUE, ORANGE = "#0072B2", "#D55E00"


def new_figure(width: float, height: float, title: str) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=130, layout="constrained")
    figure.suptitle(title)
    return figure


def draw_curves(history: np.ndarray) -> Any:
    figure = new_figure(10, 4, "Training a perceptron to read digits")
    losses, accuracies = figure.subplots(1, 2)
    for axes, (seen, unseen) in ((losses, history[:, 0::2].T), (accuracies, 100 * history[:, 1::2].T)):
        axes.plot(seen, color=BLUE, label="training part")
        axes.plot(unseen, color=ORANGE, linestyle="--", label="held-out part")
        axes.set_xlabel("epochs (passes over the training part)")
        axes.locator_params(axis="x", integer=True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    losses.set(ylabel="cross-entropy loss (nats per digit)", yscale="log")
    # From the first epoch up: the untrained network reads one digit in ten right, and beside that all else looks flat.
    accuracies.set(ylabel="digits read right (%)", ylim=(100 * history[:2, 3].max() - 1, 100.2))
    return figure


def draw_confusion(truth: np.ndarray, read: np.ndarray) -> Any:
    """Row i, column j: how many images of the digit i were read as j."""
    counts = np.zeros((10, 10), dtype=int)
    np.add.at(counts, (truth, read), 1)
    wrong = ~np.eye(10, dtype=bool)
    figure = new_figure(6, 6.2, f"Numbers of held-out images: {counts[wrong].sum()} of {len(truth)} misread")
    axes = figure.subplots()
    axes.imshow(np.ma.masked_where(wrong, counts), cmap="Blues", vmin=0, vmax=3 * counts.max())
    axes.imshow(np.ma.masked_where(~wrong | (counts == 0), counts), cmap="Oranges", vmin=0, vmax=8)
    for i, j in np.argwhere(counts):
        axes.text(j, i, counts[i, j], ha="center", va="center")
    axes.set(xlabel="read as", ylabel="digit in the image", xticks=range(10), yticks=range(10), axisbelow=True)
    axes.grid(alpha=0.3)
    return figure


def draw_misread(pixels: np.ndarray, truth: np.ndarray, probabilities: np.ndarray) -> Any:
    """The misread images, up to 24, those first of which the network was surest."""
    read, surety = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(read != truth)
    shown = wrong[np.argsort(-surety[wrong])][:24]
    rows = max(1, -(-len(shown) // 6))
    title = f"Misread: {len(wrong)} of {len(truth)} held-out images, with the probability given to the answer"
    figure = new_figure(9, 1.9 * rows + 0.5, title)
    for axes, i in zip(figure.subplots(rows, 6).flat, shown):
        axes.imshow(pixels[i].reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
        axes.set_title(f"is {truth[i]}, read as {read[i]}\n({surety[i]:.0%})", fontsize="medium")
    for axes in figure.axes:
        axes.set(xticks=[], yticks=[], frame_on=bool(axes.images))
    return figure


def draw_backprop(part: Part) -> Any:
    """The graph of a new network's first step: the loss is about log 10 = 2.3, as good as guessing."""
    model = Perceptron()
    x, y = part.x[:BATCH_SIZE], part.y[:BATCH_SIZE]
    with tg.viz.trace():  # keeps what a graph alone forgets: the values in between, and their gradients
        scores = model(x)
        loss = loss_function(scores, y)
        loss.backward()
    return tg.viz.graph(loss)


def draw_pictures(model: nn.Module, history: np.ndarray, seen: Part, unseen: Part, folder: Path) -> list[str]:
    """Write all pictures. Returns their names."""
    with tg.no_grad():
        probabilities = model.eval()(unseen.x).softmax(dim=1).cpu().numpy()
    truth = unseen.y.cpu().numpy()
    plots = {
        "curves.png": draw_curves(history),
        "confusion.png": draw_confusion(truth, probabilities.argmax(axis=1)),
        "misread.png": draw_misread(unseen.pixels, truth, probabilities),
    }
    for name, figure in plots.items():
        figure.savefig(folder / name)
    graphs = ["backprop.dot", "backprop.svg"]
    backprop = draw_backprop(seen)
    for name in graphs:
        backprop.save(folder / name)
    return [*plots, *graphs]


# --- the program


def read_options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cpu", "cuda", "strict"], help="default: cpu, or TINYGRAD_DL_DEVICE")
    parser.add_argument("--epochs", type=int, help=f"passes over the training part (default: {EPOCHS})")
    parser.add_argument("--seed", type=int, default=0, help="of the split and of all that is drawn (default: 0)")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_EPOCHS} epochs, unless --epochs is given")
    parser.add_argument("--no-plots", action="store_true", help="write the weights only")
    parser.add_argument("--output", type=Path, default=OUTPUT, help=f"where to write (default: {OUTPUT})")
    options = parser.parse_args(arguments)
    if options.epochs is None:
        options.epochs = QUICK_EPOCHS if options.quick else EPOCHS
    if options.epochs < 0 or options.seed < 0:
        parser.error("--epochs and --seed are 0 or more")
    return options


def main(arguments: list[str] | None = None) -> None:
    options = read_options(arguments)
    if not options.no_plots and find_spec("matplotlib") is None:
        sys.exit(f"digits.py: the pictures need matplotlib. {INSTALL}, and --no-plots leaves the pictures out.")
    if options.device is not None:
        tg.set_default_device(options.device)  # what is made from now on lies there
    tg.manual_seed(options.seed)
    seen, unseen = load_data(options.seed)
    model = Perceptron()
    history = train(model, seen, unseen, options.epochs)
    print(f"Accuracy on the held-out quarter: {measure(model, unseen)[1]:.2%}")

    options.output.mkdir(parents=True, exist_ok=True)
    written = ["weights.safetensors"]
    save_weights(model, options.output / written[0])
    if not options.no_plots:
        written += draw_pictures(model, history, seen, unseen, options.output)
    print(f"Written to {options.output}: {', '.join(written)}")


if __name__ == "__main__":
    try:
        main()
    except (tg.DeviceError, tg.MissingPackageError) as error:
        sys.exit(f"digits.py: {error}")
