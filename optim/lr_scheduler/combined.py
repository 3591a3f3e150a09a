"""Schedules made of schedules: several at once, and one after the other."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from tinygrad_dl.errors import ArgumentError, StateDictError

from ..optimizer import Optimizer
from .plateau import ReduceLROnPlateau
from .scheduler import LRScheduler, number, require_optimizer, set_option


class _Several(LRScheduler):
    """Schedules of one optimizer, which are saved with what combines them."""

    _schedulers: list[LRScheduler]

    def _take(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None) -> None:
        who = type(self).__name__
        self._schedulers = list(schedulers)
        if not self._schedulers:
            raise ArgumentError(f"{who}: at least one schedule is needed, the list is empty")
        self.optimizer = self._schedulers[0].optimizer if optimizer is None else require_optimizer(self, optimizer)
        for index, scheduler in enumerate(self._schedulers):
            if scheduler.optimizer is not self.optimizer:
                raise ArgumentError(
                    f"{who}: all schedules must be of one optimizer, but schedule {index} ({type(scheduler).__name__}) "
                    f"belongs to another {type(scheduler.optimizer).__name__}"
                )

    def get_lr(self) -> list[float]:
        """The rates now; the schedules compute them."""
        return self._rates()

    def state_dict(self) -> dict[str, Any]:
        """What it knows, and the state dicts of its schedules."""
        return {**super().state_dict(), "_schedulers": [one.state_dict() for one in self._schedulers]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on where others were, schedule by schedule. Raises StateDictError for another number of schedules."""
        self._require_fitting(state_dict)
        saved = state_dict.get("_schedulers", [])
        if len(saved) != len(self._schedulers):
            raise StateDictError(
                f"{type(self).__name__}.load_state_dict: the state dict has {len(saved)} schedule(s), there are "
                f"{len(self._schedulers)}"
            )
        for one, its in zip(self._schedulers, saved):
            one._require_fitting(its)  # before anything is loaded
        vars(self).update({name: value for name, value in state_dict.items() if name != "_schedulers"})
        for one, its in zip(self._schedulers, saved):
            one.load_state_dict(its)


class ChainedScheduler(_Several):
    """Several schedules at once: each step is a step of each, and their factors multiply.

    Arguments: schedulers, of one optimizer; optimizer. Raises ArgumentError for an empty list and for schedules of
    several optimizers. Source: notes, section 7 (N212).

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl.optim.lr_scheduler import ChainedScheduler, ExponentialLR
    >>> optimizer = tg.optim.SGD([tg.zeros(2, requires_grad=True)], lr=1.0)
    >>> scheduler = ChainedScheduler([ExponentialLR(optimizer, 0.5), ExponentialLR(optimizer, 0.25)])
    >>> optimizer.step(); scheduler.step(); scheduler.get_last_lr()
    [0.125]
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        self._take(schedulers, optimizer)
        self._last_lr = self._rates()

    def step(self) -> None:  # type: ignore[override]
        """Step all."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = self._rates()


class SequentialLR(_Several):
    """One schedule after the other: the next one begins, at its own epoch 0, at each milestone.

    Arguments: optimizer; schedulers, of this optimizer; milestones, the epochs at which the next one takes over, one
    fewer than schedules, rising; last_epoch. Raises ArgumentError for others, and for ReduceLROnPlateau, whose step
    takes an argument. Source: notes, section 7 (N213).

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl.optim.lr_scheduler import ConstantLR, ExponentialLR, SequentialLR
    >>> optimizer = tg.optim.SGD([tg.zeros(2, requires_grad=True)], lr=1.0)
    >>> parts = [ConstantLR(optimizer, factor=0.5), ExponentialLR(optimizer, gamma=0.25)]
    >>> scheduler = SequentialLR(optimizer, parts, milestones=[2])
    >>> for _ in range(4):
    ...     print(*scheduler.get_last_lr()); optimizer.step(); scheduler.step()
    0.5
    0.5
    1.0
    0.25
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: list[LRScheduler], milestones: list[int], last_epoch: int = -1
    ) -> None:
        require_optimizer(self, optimizer)
        self._take(schedulers, optimizer)
        for index, scheduler in enumerate(self._schedulers):
            if isinstance(scheduler, ReduceLROnPlateau):
                raise ArgumentError(f"SequentialLR: schedule {index} is ReduceLROnPlateau, whose step needs the loss")
        if len(milestones) != len(self._schedulers) - 1:
            raise ArgumentError(
                f"SequentialLR: {len(self._schedulers)} schedules need {len(self._schedulers) - 1} milestone(s), but "
                f"{len(milestones)} came"
            )
        if any(later <= sooner for sooner, later in pairwise(milestones)):
            raise ArgumentError(f"SequentialLR: milestones must rise, but are {milestones}")
        self._milestones = list(milestones)
        self.last_epoch = last_epoch + 1
        for group in optimizer.param_groups:
            set_option(group, "lr", number(group["initial_lr"]))
        for scheduler in self._schedulers:
            scheduler._undo()
        self._schedulers[0]._initial_step()
        self._last_lr = self._schedulers[0].get_last_lr()

    def step(self) -> None:  # type: ignore[override]
        """A step of the schedule whose turn it is."""
        self._go_to()

    def _go_to(self, epoch: int | None = None) -> None:
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        turn = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[turn]
        if (turn and self._milestones[turn - 1] == self.last_epoch) or (epoch == 0):
            scheduler._go_to(0)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()

    def _initial_step(self) -> None:
        self._schedulers[0]._initial_step()

    def _undo(self) -> None:
        for scheduler in self._schedulers:
            scheduler._undo()
