"""Pictures of optimization: the curve of a schedule, and optimizers racing down a landscape. Drawn by Matplotlib."""

import copy
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_dl.optim import Optimizer
from tinygrad_dl.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from ..creation import tensor
from ..dtypes import float64
from ..errors import ArgumentError, MissingPackageError
from ..modes import no_grad
from ..tensor import Tensor

Landscape = Callable[[Tensor], Tensor]


def schedule_rates(scheduler: LRScheduler, steps: int, metrics: Sequence[float] | None = None) -> list[list[float]]:
    """The rates of each group at each of the next steps, the one now first. The scheduler and its optimizer stay.

    Arguments: scheduler; steps; metrics, what ReduceLROnPlateau would be told after each step. Raises ArgumentError for
    steps below 1, and when metrics are needed and fewer than steps - 1.

    >>> import tinygrad_dl as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(1, requires_grad=True)], lr=1.0)
    >>> tg.viz.schedule_rates(tg.optim.lr_scheduler.ExponentialLR(optimizer, 0.5), 4)
    [[1.0, 0.5, 0.25, 0.125]]
    """
    if steps < 1:
        raise ArgumentError(f"schedule_rates: steps is {steps}, but must be 1 or more")
    if isinstance(scheduler, ReduceLROnPlateau) and len(metrics or ()) < steps - 1:
        raise ArgumentError(f"schedule_rates: ReduceLROnPlateau needs metrics, one for each of the {steps - 1} steps")
    optimizer = scheduler.optimizer
    shared = [p for group in optimizer.param_groups for p in group["params"]] + [optimizer.state]
    scheduler = copy.deepcopy(scheduler, {id(one): one for one in shared})  # but not the parameters
    scheduler.optimizer.stepped = True
    rates = [[float(rate)] for rate in scheduler.get_last_lr()]
    for step in range(steps - 1):
        if isinstance(scheduler, ReduceLROnPlateau) and metrics is not None:
            scheduler.step(metrics[step])
        else:
            scheduler.step()
        for curve, rate in zip(rates, scheduler.get_last_lr()):
            curve.append(float(rate))
    return rates


def plot_schedule(
    scheduler: LRScheduler | Mapping[str, LRScheduler],
    steps: int,
    path: str | Path | None = None,
    *,
    metrics: Sequence[float] | None = None,
    log: bool = False,
) -> Any:
    """A picture of the rates over the next steps: one curve for each group, or for each of several schedules.

    Arguments: scheduler, or a dict of them by name; steps; path, where to write the picture; metrics, for
    ReduceLROnPlateau; log, the rates on a logarithmic axis. Returns Matplotlib's figure. Nothing is stepped. Raises
    MissingPackageError without Matplotlib. Source: notes, section 7.

    >>> import tinygrad_dl as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(1, requires_grad=True)], lr=1.0)
    >>> figure = tg.viz.plot_schedule(tg.optim.lr_scheduler.StepLR(optimizer, 3), steps=10)
    >>> figure.axes[0].get_ylabel()
    'learning rate'
    """
    figure, axes = _figure("plot_schedule", (7, 4))
    several = isinstance(scheduler, Mapping)
    for name, one in scheduler.items() if isinstance(scheduler, Mapping) else [("", scheduler)]:
        curves = schedule_rates(one, steps, metrics)
        for index, curve in enumerate(curves):
            group = f"group {index}" if len(curves) > 1 else ""
            axes.plot(curve, label=", ".join(filter(None, (name, group))), drawstyle="steps-post")
    axes.set(xlabel="step", ylabel="learning rate", title="" if several else type(scheduler).__name__)
    if log:
        axes.set_yscale("log")
    if several or len(curves) > 1:
        axes.legend()
    return _saved(figure, path)


def ravine(w: Tensor) -> Tensor:
    """J(w, b) = w²/20 + b²: a long valley, flat along w and steep along b, as the notes draw it for RMSProp.

    >>> import tinygrad_dl as tg
    >>> tg.viz.ravine(tg.tensor([10.0, 1.0]))
    tensor(6.)
    """
    return w[0] * w[0] / 20 + w[1] * w[1]


def race(
    landscape: Landscape, start: Sequence[float], racers: Mapping[str, Callable[[list[Tensor]], Optimizer]], steps: int
) -> "Race":
    """Let optimizers run down a landscape from one place, in float64.

    Arguments: landscape, a function of a tensor w of two elements, say `viz.ravine`; it is drawn by calling it with w
    of shape (2, n, m), so it should take w[0] and w[1] apart; start, two numbers; racers, by name a function that makes
    an optimizer from a list of parameters; steps. Returns a Race: `.paths`, `.losses`, `.plot(path)`, `.animate(path)`.
    Raises ArgumentError for a start that is no pair. Source: notes, section 6 (N184).

    >>> import tinygrad_dl as tg
    >>> ran = tg.viz.race(tg.viz.ravine, (10.0, 1.0), {"SGD": lambda params: tg.optim.SGD(params, lr=0.5)}, steps=2)
    >>> ran.paths["SGD"]
    [(10.0, 1.0), (9.5, 0.0), (9.025, 0.0)]
    """
    if len(start) != 2:
        raise ArgumentError(f"race: start is {start!r}, but must be two numbers")
    paths, losses = {}, {}
    for name, make in racers.items():
        w = tensor([float(x) for x in start], dtype=float64, requires_grad=True)
        optimizer = make([w])
        places, values = [_place(w)], []

        def closure(w: Tensor = w, optimizer: Optimizer = optimizer) -> Tensor:
            optimizer.zero_grad()
            loss = landscape(w)
            loss.backward()
            return loss

        for _ in range(steps):
            values.append(float(optimizer.step(closure)))
            places.append(_place(w))
        with no_grad():
            values.append(float(landscape(w)))
        paths[name], losses[name] = places, values
    return Race(landscape, paths, losses)


class Race:
    """Where optimizers were after each step of a race, and the loss there; the start is the first."""

    def __init__(
        self, landscape: Landscape, paths: dict[str, list[tuple[float, float]]], losses: dict[str, list[float]]
    ) -> None:
        self.landscape, self.paths, self.losses = landscape, paths, losses

    def plot(self, path: str | Path | None = None) -> Any:
        """The paths over the landscape's contours, as Matplotlib's figure; written to `path` if given."""
        figure, _, lines = self._scene()
        for name, line in lines.items():
            line.set_data(*zip(*self.paths[name]))
        return _saved(figure, path)

    def animate(self, path: str | Path, fps: int = 15) -> Path:
        """Write the race as an animated GIF, a frame for each step. Returns the path."""
        if Path(path).suffix.lower() != ".gif":
            raise ArgumentError(f"Race.animate: an animation's name ends in .gif, not {Path(path).name!r}")
        figure, axes, lines = self._scene()
        from matplotlib.animation import PillowWriter

        Path(path).parent.mkdir(parents=True, exist_ok=True)
        writer = PillowWriter(fps=fps)
        with writer.saving(figure, str(path), dpi=80):
            for step in range(max(map(len, self.paths.values()))):
                for name, line in lines.items():
                    line.set_data(*zip(*self.paths[name][: step + 1]))
                axes.set_title(f"step {step}")
                writer.grab_frame()
        return Path(path)

    def _scene(self) -> tuple[Any, Any, dict[str, Any]]:
        """The contours, and a line for each racer that is still empty."""
        figure, axes = _figure("race", (8, 5))
        places = np.concatenate([list(path) for path in self.paths.values()])
        places = places[np.isfinite(places).all(axis=1)]
        low, high = places.min(axis=0), places.max(axis=0)
        margin = 0.1 * (high - low).max() + 1e-9
        sides = [np.linspace(low[i] - margin, high[i] + margin, 120) for i in range(2)]
        x, y = np.meshgrid(*sides)
        with no_grad():
            heights = self.landscape(tensor(np.stack([x, y]), dtype=float64, device="cpu")).numpy()
        axes.contour(x, y, heights, levels=25, cmap="Greys", linewidths=0.7)
        lines = {name: axes.plot([], [], marker=".", markersize=4, label=name)[0] for name in self.paths}
        axes.set(xlabel="w", ylabel="b", xlim=sides[0][[0, -1]], ylim=sides[1][[0, -1]])
        axes.legend(loc="upper left")
        return figure, axes, lines

    def __repr__(self) -> str:
        steps = max(map(len, self.losses.values())) - 1
        return f"<race of {', '.join(self.paths)} over {steps} steps>"


# --- inside


def _place(w: Tensor) -> tuple[float, float]:
    x, y = w.tolist()
    return x, y


def _figure(operation: str, size: tuple[float, float]) -> tuple[Any, Any]:
    """An empty figure of its own, which needs no window and no state of pyplot."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingPackageError(
            f"{operation}: drawing needs Matplotlib, which is not installed: pip install 'tinygrad_dl[viz]'"
        ) from None
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def _saved(figure: Any, path: str | Path | None) -> Any:
    if path is not None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of a layout that had no room
            figure.savefig(path)
    return figure
