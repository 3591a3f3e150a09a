"""Averages of a model's weights over training: stochastic weight averaging (SWA) and moving averages (EMA)."""

import copy
import math
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

from tinygrad_dl.autograd import no_grad
from tinygrad_dl.creation import tensor
from tinygrad_dl.dtypes import int64
from tinygrad_dl.errors import ArgumentError, StateDictError
from tinygrad_dl.nn.module import Module
from tinygrad_dl.tensor import Tensor

from .lr_scheduler.scheduler import LRScheduler, one_per_group, require
from .optimizer import Optimizer

__all__ = [
    "AveragedModel",
    "update_bn",
    "SWALR",
    "get_ema_multi_avg_fn",
    "get_swa_multi_avg_fn",
    "get_ema_avg_fn",
    "get_swa_avg_fn",
]

Average = Callable[[Tensor, Tensor, Any], Tensor]
AverageOfAll = Callable[[list[Tensor], list[Tensor], Any], None]


def get_swa_avg_fn() -> Average:
    """The running mean for `AveragedModel(avg_fn=...)`: average + (current - average) / (n + 1)."""

    def swa(averaged: Tensor, current: Tensor, count: Any) -> Tensor:
        return averaged + (current - averaged) / (int(count) + 1)

    return swa


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """The moving average for `AveragedModel(avg_fn=...)`: decay * average + (1 - decay) * current.

    Raises ArgumentError for a decay outside [0, 1].
    """
    _require_decay(decay)

    def ema(averaged: Tensor, current: Tensor, count: Any) -> Tensor:
        return decay * averaged + (1 - decay) * current

    return ema


def get_swa_multi_avg_fn() -> AverageOfAll:
    """The running mean for `AveragedModel(multi_avg_fn=...)`, in place on all parameters."""

    def swa(averaged: list[Tensor], current: list[Tensor], count: Any) -> None:
        for mean, new in zip(averaged, current):
            _move(mean, new, 1 / (int(count) + 1))

    return swa


def get_ema_multi_avg_fn(decay: float = 0.999) -> AverageOfAll:
    """The moving average for `AveragedModel(multi_avg_fn=...)`, in place on all parameters.

    Raises ArgumentError for a decay outside [0, 1].
    """
    _require_decay(decay)

    def ema(averaged: list[Tensor], current: list[Tensor], count: Any) -> None:
        for mean, new in zip(averaged, current):
            _move(mean, new, 1 - decay)

    return ema


def _move(mean: Tensor, new: Tensor, part: float) -> None:
    """mean + part * (new - mean), in place; integers are rounded towards 0, as copying does."""
    if mean.is_floating_point():
        mean.add_((new - mean).mul_(part))
    else:
        mean.copy_(mean + part * (new - mean))


def _require_decay(decay: float) -> None:
    if not 0 <= decay <= 1:
        raise ArgumentError(f"get_ema_avg_fn: decay is {decay!r}, but must be from 0 to 1")


class AveragedModel(Module):
    """A copy of a model that holds averages of its parameters; by default of all that it was shown (SWA).

        n = 0: average = w;   then average = average + (w - average) / (n + 1), or what the functions say;   n = n + 1

    Arguments: model; device, where the copy lives (None: as the model); avg_fn(average, current, n), which returns the
    new average, or multi_avg_fn(averages, currents, n), which works in place: `get_ema_multi_avg_fn(decay)` for a
    moving average; use_buffers, whether buffers are averaged too (else copied). `module` is the copy, `n_averaged` n.
    Raises ArgumentError for both functions at once. Source: Izmailov et al. 2018; for ASGD, section 6 of the notes.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> from tinygrad_dl.optim.swa_utils import AveragedModel
    >>> model = nn.Linear(1, 1, bias=False)
    >>> averaged = AveragedModel(model)
    >>> for value in (2.0, 1.5, 1.0):
    ...     _ = nn.init.constant_(model.weight, value); averaged.update_parameters(model)
    >>> averaged(tg.ones(1)).item()
    1.5
    """

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Average | None = None,
        multi_avg_fn: AverageOfAll | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise ArgumentError("AveragedModel: avg_fn and multi_avg_fn came, but only one can be used")
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", tensor(0, dtype=int64, device=device))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The averaged model's result."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take the model's parameters as they are now into the average. Raises StateDictError for another model's."""
        averaged, current = self._averaged(self.module), self._averaged(model)
        shapes = [[tuple(one.shape) for one in side] for side in (averaged, current)]
        if shapes[0] != shapes[1]:
            raise StateDictError(
                f"AveragedModel: it averages parameters of shapes {shapes[0]}, but the model has {shapes[1]}"
            )
        count = int(self.n_averaged)
        with no_grad():
            new = [w.detach().to(mean.device) for mean, w in zip(averaged, current)]
            if count == 0:
                for mean, w in zip(averaged, new):
                    mean.copy_(w)
            elif self.avg_fn is not None:
                for mean, w in zip(averaged, new):
                    mean.copy_(self.avg_fn(mean.detach(), w, self.n_averaged.to(mean.device)))
            else:
                (self.multi_avg_fn or get_swa_multi_avg_fn())([mean.detach() for mean in averaged], new, count)
            if not self.use_buffers:
                for mine, theirs in zip(self.module.buffers(), model.buffers()):
                    mine.detach().copy_(theirs.detach().to(mine.device))
            self.n_averaged += 1

    def _averaged(self, model: Module) -> list[Tensor]:
        return list(chain(model.parameters(), model.buffers()) if self.use_buffers else model.parameters())


def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Compute the running statistics of batch normalisation anew, from all batches of a loader.

    Averaged weights never ran on data, so the statistics of their layers are not theirs. Layers are those with
    `running_mean`, `momentum` and `reset_running_stats`; all batches count the same. Of a batch that is a list or a
    tuple, the first member is the input. Arguments: loader; model; device, to which inputs are moved first.

    >>> from tinygrad_dl import nn
    >>> from tinygrad_dl.optim.swa_utils import update_bn
    >>> update_bn([], nn.Linear(2, 2))  # nothing to do
    """
    layers: list[Any] = [
        module
        for module in model.modules()
        if getattr(module, "running_mean", None) is not None and hasattr(module, "reset_running_stats")
    ]
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    was_training = model.training
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # a plain mean over all batches
    model.train()
    try:
        with no_grad():
            for batch in loader:
                inputs = batch[0] if isinstance(batch, list | tuple) else batch
                model(inputs if device is None else inputs.to(device))
    finally:
        for layer, momentum in zip(layers, momenta):
            layer.momentum = momentum
        model.train(was_training)


BLENDS: dict[str, Callable[[float], float]] = {"cos": lambda x: (1 - math.cos(math.pi * x)) / 2, "linear": lambda x: x}


class SWALR(LRScheduler):
    """From the rate that it finds to swa_lr in anneal_epochs, and constant then: for the end of training.

    rate = swa_lr * a + (rate without it) * (1 - a), a from 0 to 1 along a cosine or a straight line. Other schedules
    may go on beneath it.

    Arguments: optimizer; swa_lr (a number, or a list of one for each group); anneal_epochs; anneal_strategy, "cos" or
    "linear"; last_epoch. Raises ArgumentError for others.

    >>> import tinygrad_dl as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(2, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.swa_utils.SWALR(optimizer, swa_lr=0.5, anneal_epochs=2, anneal_strategy="linear")
    >>> for _ in range(3):
    ...     print(*scheduler.get_last_lr()); optimizer.step(); scheduler.step()
    1.0
    0.75
    0.5
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        for group, rate in zip(optimizer.param_groups, one_per_group(self, "swa_lr", swa_lr, optimizer)):
            group["swa_lr"] = rate
        require(self, anneal_strategy in BLENDS, "anneal_strategy", anneal_strategy, f"one of {[*BLENDS]}")
        require(
            self, isinstance(anneal_epochs, int) and anneal_epochs >= 0, "anneal_epochs", anneal_epochs, "0 or more"
        )
        self.anneal_epochs, self._anneal_strategy = anneal_epochs, anneal_strategy
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The rates of this epoch from those of the one before, freed from the part that was swa_lr then."""
        self._warn_outside_step()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = (self._part(one) for one in (step - 1, step))
        rates = []
        for rate, group in zip(self._rates(), self.optimizer.param_groups):
            goal = group["swa_lr"]
            free = goal if before == 1 else (rate - before * goal) / (1 - before)
            rates.append(goal * now + free * (1 - now))
        return rates

    def _part(self, step: int) -> float:
        """How much of the rate is swa_lr."""
        return BLENDS[self._anneal_strategy](max(0.0, min(1.0, step / max(1, self.anneal_epochs))))
