"""The base of all schedules: counting, setting the groups' rates, saving and loading."""

import warnings
from collections.abc import Mapping
from typing import Any

from tinygrad_dl.autograd import no_grad
from tinygrad_dl.errors import ArgumentError, ArgumentTypeError, StateDictError
from tinygrad_dl.tensor import Tensor

from ..optimizer import Optimizer


class MissingInitialRateError(ArgumentError, KeyError):
    """A schedule that is to be resumed, on groups that don't know the rates it began with."""

    __str__ = Exception.__str__  # KeyError would show the text in quotes


class LRScheduler:
    """Base class: `step()` moves to the next epoch and sets the rate of each group to what `get_lr()` gives.

    Arguments: optimizer; last_epoch, -1 for a new schedule, or the last epoch of one that is to be resumed: then the
    groups must have "initial_lr", as a loaded optimizer's have. A subclass defines `get_lr`, from `last_epoch` (0, 1,
    ...), `base_lrs` (the rates at the start) and the rates in `optimizer.param_groups`.

    Raises ArgumentTypeError for what is no optimizer, MissingInitialRateError (a KeyError) for a resumed schedule
    without "initial_lr". Source: notes, section 7.

    >>> import tinygrad_dl as tg
    >>> class Halving(tg.optim.lr_scheduler.LRScheduler):
    ...     def get_lr(self):
    ...         return [base * 0.5**self.last_epoch for base in self.base_lrs]
    >>> optimizer = tg.optim.SGD([tg.zeros(2, requires_grad=True)], lr=0.1)
    >>> scheduler = Halving(optimizer)
    >>> for _ in range(2):
    ...     optimizer.step(); scheduler.step()
    >>> scheduler.get_last_lr()
    [0.025]
    """

    _get_lr_called_within_step = False
    _is_initial = False  # in the constructor's step

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = require_optimizer(self, optimizer)
        for index, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", number(group["lr"]))
            elif "initial_lr" not in group:
                raise MissingInitialRateError(
                    f"{type(self).__name__}: group {index} has no 'initial_lr', which a schedule needs that is to go "
                    f"on after epoch {last_epoch}; load the optimizer's state_dict first, or start with last_epoch=-1"
                )
        self.base_lrs = [number(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._step_count = 0
        self._last_lr = self._rates()
        optimizer.watch_steps()
        self._initial_step()

    def _initial_step(self) -> None:
        """To epoch 0, whose rates may be others than the optimizer's."""
        self._step_count, self._is_initial = 0, True
        self.step()
        del self._is_initial

    # --- what a subclass defines

    def get_lr(self) -> list[float]:
        """The rates of `last_epoch`, one for each group; called by `step`. What is set now is `get_last_lr()`."""
        raise NotImplementedError(f"{type(self).__name__}: a subclass of LRScheduler defines get_lr()")

    # --- steps

    def get_last_lr(self) -> list[float]:
        """The rates that this schedule has set last, one for each group."""
        return self._last_lr

    def step(self, epoch: int | None = None) -> None:
        """Set the rates of the next epoch. To be called after `optimizer.step()`.

        `epoch` moves there directly, as older scripts do, and warns.
        """
        if self._step_count == 1 and not self.optimizer.stepped:
            warnings.warn(
                f"{type(self).__name__}.step was called before {type(self.optimizer).__name__}.step, so that the first "
                "rate of the schedule is skipped. Call optimizer.step() first, then scheduler.step()",
                UserWarning,
                stacklevel=2,
            )
        self._step_count += 1
        if epoch is not None:
            warnings.warn(
                f"{type(self).__name__}.step: the argument epoch will go; call step() without it", UserWarning, 2
            )
        self._go_to(epoch)

    def _go_to(self, epoch: int | None = None) -> None:
        """Set the rates of an epoch; of the next one for None."""
        self._get_lr_called_within_step = True
        try:
            closed = getattr(self, "_get_closed_form_lr", None)
            self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
            rates = self.get_lr() if epoch is None or closed is None else closed()
        finally:
            del self._get_lr_called_within_step
        for group, rate in zip(self.optimizer.param_groups, rates):
            set_option(group, "lr", rate)
        self._last_lr = self._rates()

    def _undo(self) -> None:
        """Take back the step of the constructor, for a schedule whose turn comes later."""
        self.last_epoch -= 1

    def _rates(self) -> list[float]:
        return [number(group["lr"]) for group in self.optimizer.param_groups]

    def _warn_outside_step(self) -> None:
        """Called by `get_lr`, which gives the next rates only where `step` has counted on."""
        if not self._get_lr_called_within_step:
            warnings.warn(
                f"{type(self).__name__}.get_lr: what is set now is get_last_lr(); get_lr() is for step() to call",
                UserWarning,
                stacklevel=3,
            )

    # --- saving and loading

    def state_dict(self) -> dict[str, Any]:
        """What the schedule knows, but for its optimizer and for functions: PyTorch's layout."""
        return {name: value for name, value in vars(self).items() if name != "optimizer"}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on where a schedule of the same kind was. The rates are in the optimizer's own state dict.

        Raises StateDictError when it is another schedule's, or has another number of groups.
        """
        self._require_fitting(state_dict)
        vars(self).update(state_dict)

    def _require_fitting(self, state_dict: Any) -> None:
        who = f"{type(self).__name__}.load_state_dict"
        if not isinstance(state_dict, Mapping):
            raise StateDictError(f"{who}: a dict is needed, as state_dict() gives it; {type(state_dict).__name__} came")
        if missing := sorted(name for name in self.state_dict().keys() - state_dict.keys() if name[0] != "_"):
            raise StateDictError(f"{who}: nothing was loaded, the state dict has no {', '.join(missing)}")
        rates = state_dict.get("base_lrs", self.optimizer.param_groups)
        if len(rates) != len(self.optimizer.param_groups):
            raise StateDictError(
                f"{who}: nothing was loaded, the state dict is for {len(rates)} group(s), the optimizer has "
                f"{len(self.optimizer.param_groups)}"
            )


# --- for the schedules


def number(value: Any) -> float:
    """An option of a group, which may be a tensor of one element, as a number."""
    return value.item() if isinstance(value, Tensor) else value


def set_option(group: dict[str, Any], name: str, value: float) -> None:
    """Set an option; a tensor keeps its identity and gets another value."""
    if isinstance(group.get(name), Tensor):
        with no_grad():
            group[name].fill_(number(value))
    else:
        group[name] = value


def require_optimizer(scheduler: LRScheduler, optimizer: Any) -> Optimizer:
    """Raise unless it is one of our optimizers."""
    if not isinstance(optimizer, Optimizer):
        raise ArgumentTypeError(
            f"{type(scheduler).__name__}: {type(optimizer).__module__}.{type(optimizer).__name__} is not an Optimizer "
            "of tinygrad_dl"
        )
    return optimizer


def one_per_group(scheduler: LRScheduler, name: str, value: Any, optimizer: Optimizer) -> list[Any]:
    """An argument as a list with a value for each group; one value stands for all."""
    values = list(value) if isinstance(value, list | tuple) else [value] * len(optimizer.param_groups)
    if len(values) != len(optimizer.param_groups):
        raise ArgumentError(
            f"{type(scheduler).__name__}: {name} has {len(values)} values, but the optimizer has "
            f"{len(optimizer.param_groups)} group(s)"
        )
    return values


def require(scheduler: LRScheduler, fits: bool, name: str, value: Any, wanted: str) -> None:
    """Raise ArgumentError unless an argument fits."""
    if not fits:
        raise ArgumentError(f"{type(scheduler).__name__}: {name} is {value!r}, but must be {wanted}")


def savable(function: Any) -> Any:
    """What of a function goes into a state dict: of an object that can be called, its attributes; else None."""
    return vars(function).copy() if hasattr(function, "__dict__") and not hasattr(function, "__code__") else None
