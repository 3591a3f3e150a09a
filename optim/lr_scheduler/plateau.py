"""The schedule that looks at the loss: less when it stops falling."""

import math
import warnings
from typing import Any

from ..optimizer import Optimizer
from .scheduler import LRScheduler, one_per_group, require, require_optimizer, set_option


class ReduceLROnPlateau(LRScheduler):
    """Times factor when a number, say the loss on held-out data, was not better for more than `patience` epochs.

    Better than the best so far is, by mode and threshold_mode: min rel: a < best * (1 - threshold); min abs: a < best -
    threshold; max rel: a > best * (1 + threshold); max abs: a > best + threshold. NaN is not better.

    Arguments: optimizer; mode "min" or "max"; factor, below 1; patience; threshold; threshold_mode "rel" or "abs";
    cooldown, epochs after a cut that don't count; min_lr (a number, or a list of one for each group); eps, cuts smaller
    than which are not made. Raises ArgumentError for others. Source: notes, section 7 (N211).

    >>> import tinygrad_dl as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(2, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    >>> for loss in (0.9, 0.8, 0.8, 0.8):
    ...     scheduler.step(loss)
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        require(self, factor < 1, "factor", factor, "below 1")
        require(self, mode in ("min", "max"), "mode", mode, "'min' or 'max'")
        require(self, threshold_mode in ("rel", "abs"), "threshold_mode", threshold_mode, "'rel' or 'abs'")
        self.optimizer = require_optimizer(self, optimizer)
        self.min_lrs = one_per_group(self, "min_lr", min_lr, optimizer)
        self.factor, self.patience, self.cooldown, self.eps = factor, patience, cooldown, eps
        self.mode, self.threshold, self.threshold_mode = mode, threshold, threshold_mode
        self.best = math.inf if mode == "min" else -math.inf
        self.last_epoch = self.cooldown_counter = self.num_bad_epochs = 0
        self._last_lr = self._rates()

    def get_lr(self) -> list[float]:
        """The rates now: what comes next, only the loss can tell."""
        return self._rates()

    def step(self, metrics: Any, epoch: int | None = None) -> None:  # type: ignore[override]
        """Take note of the number of this epoch, and cut the rates if that is the one too many."""
        value = float(metrics)
        if epoch is not None:
            warnings.warn("ReduceLROnPlateau.step: the argument epoch will go; leave it out", UserWarning, stacklevel=2)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self._is_better(value, self.best):
            self.best, self.num_bad_epochs = value, 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._cut()
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._last_lr = self._rates()

    @property
    def in_cooldown(self) -> bool:
        """Whether bad epochs don't count yet."""
        return self.cooldown_counter > 0

    def _is_better(self, value: float, best: float) -> bool:
        sign = 1 if self.mode == "max" else -1  # which way is better
        if not math.isfinite(best):  # the first, of which no part can be asked for
            return sign * value > sign * best
        bound = best * (1 + sign * self.threshold) if self.threshold_mode == "rel" else best + sign * self.threshold
        return sign * value > sign * bound

    def _cut(self) -> None:
        for group, rate, least in zip(self.optimizer.param_groups, self._rates(), self.min_lrs):
            new = max(rate * self.factor, least)
            if rate - new > self.eps:
                set_option(group, "lr", new)
