"""Schedules that go up and down: waves with restarts, triangles, and one cycle for a whole training."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from tinygrad_dl.errors import ArgumentError

from ..optimizer import Optimizer
from .scheduler import LRScheduler, number, one_per_group, require, savable, set_option


class CosineAnnealingWarmRestarts(LRScheduler):
    """Half waves down to eta_min, each from the start again and T_mult times as long as the one before.

    rate = eta_min + (base - eta_min) * (1 + cos(pi * T_cur / T_i)) / 2, T_cur epochs after the last restart.

    Arguments: optimizer; T_0, length of the first wave; T_mult; eta_min; last_epoch. `step(epoch)` takes fractions,
    `epoch + batch / batches`. Raises ArgumentError for T_0 or T_mult that are no integers from 1. Source: Loshchilov
    and Hutter 2017; not in the notes.

    >>> import tinygrad_dl as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(2, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=2)
    >>> optimizer.step(); scheduler.step(); half = scheduler.get_last_lr(); scheduler.step()
    >>> half, scheduler.get_last_lr()
    ([0.5], [1.0])
    """

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        require(self, isinstance(T_0, int) and T_0 >= 1, "T_0", T_0, "an integer from 1")
        require(self, isinstance(T_mult, int) and T_mult >= 1, "T_mult", T_mult, "an integer from 1")
        self.T_0 = self.T_i = T_0
        self.T_mult, self.eta_min, self.T_cur = T_mult, eta_min, float(last_epoch)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The rates where the wave is now."""
        self._warn_outside_step()
        part = (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
        return [self.eta_min + (base - self.eta_min) * part for base in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Set the rates of the next epoch, or of `epoch`, which may be a fraction."""
        if epoch is not None:
            require(self, epoch >= 0, "epoch", epoch, "0 or more")
        self._go_to(epoch)

    def _go_to(self, epoch: float | None = None) -> None:
        if epoch is None and self.last_epoch >= 0:
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur -= self.T_i
                self.T_i *= self.T_mult
            super()._go_to()
        else:
            epoch = max(0, self.last_epoch + 1) if epoch is None else epoch
            self.T_cur, self.T_i = self._place(epoch)
            super()._go_to(math.floor(epoch))

    def _place(self, epoch: float) -> tuple[float, int]:
        """Epochs since the last restart, and the length of the wave."""
        start, length = 0, self.T_0
        if self.T_mult == 1:
            return epoch % length, length
        while epoch >= start + length:
            start, length = start + length, length * self.T_mult
        return epoch - start, length


class CyclicLR(LRScheduler):
    """Triangles between base_lr and max_lr.

        c = floor(1 + t / (up + down)),  x: from 0 to 1 in `up` steps, back in `down` steps
        rate = base + (max - base) * x * scale          scale by mode: triangular 1, triangular2 1 / 2^(c - 1),
                                                        exp_range gamma^t; or scale_fn(c), scale_fn(t)

    With cycle_momentum, momentum (or Adam's beta1) goes the other way: max_momentum - (max - base) * x * scale.

    Arguments: optimizer; base_lr, max_lr (numbers, or lists of one for each group); step_size_up; step_size_down (None:
    as up); mode; gamma; scale_fn with scale_mode "cycle" or "iterations"; cycle_momentum; base_momentum, max_momentum;
    last_epoch. Raises ArgumentError for unknown modes, sizes not above 0, and cycle_momentum with an optimizer that has
    no momentum. Source: Smith 2017; notes, section 7 (N210).

    >>> import tinygrad_dl as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(2, requires_grad=True)], lr=0.1, momentum=0.9)
    >>> scheduler = tg.optim.lr_scheduler.CyclicLR(optimizer, base_lr=0.0, max_lr=1.0, step_size_up=2)
    >>> optimizer.step(); scheduler.step()
    >>> scheduler.get_last_lr(), round(optimizer.param_groups[0]["momentum"], 4)
    ([0.5], 0.85)
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        down = step_size_up if step_size_down is None else step_size_down
        require(self, step_size_up > 0, "step_size_up", step_size_up, "above 0")
        require(self, down > 0, "step_size_down", down, "above 0")
        if scale_fn is None:
            require(self, mode in SCALES, "mode", mode, f"one of {[*SCALES]}, or come with scale_fn")
            scale_mode = "iterations" if mode == "exp_range" else "cycle"
        require(self, scale_mode in ("cycle", "iterations"), "scale_mode", scale_mode, "'cycle' or 'iterations'")
        bases = one_per_group(self, "base_lr", base_lr, optimizer)
        self.max_lrs = one_per_group(self, "max_lr", max_lr, optimizer)
        self.total_size = float(step_size_up + down)
        self.step_ratio = step_size_up / self.total_size
        self.mode, self.gamma, self.scale_mode, self._scale_fn_custom = mode, gamma, scale_mode, scale_fn
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.use_beta1 = uses_beta1(self, optimizer)
            self.base_momentums = one_per_group(self, "base_momentum", base_momentum, optimizer)
            self.max_momentums = one_per_group(self, "max_momentum", max_momentum, optimizer)
        if last_epoch == -1:
            for index, group in enumerate(optimizer.param_groups):
                set_option(group, "lr", bases[index])
                if cycle_momentum:
                    low, high = self.base_momentums[index], self.max_momentums[index]
                    set_momentum(group, high, self.use_beta1)
                    group["max_momentum"], group["base_momentum"] = high, low
        super().__init__(optimizer, last_epoch)
        self.base_lrs = bases  # in place of initial_lr
        self._go_to(self.last_epoch)

    def scale_fn(self, x: float) -> float:
        """The height of a triangle, of its number or of the step."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        return SCALES[self.mode](x, self.gamma)

    def get_lr(self) -> list[float]:
        """The rates of this step; the momentum is set here too."""
        self._warn_outside_step()
        cycles = self.last_epoch / self.total_size
        cycle = math.floor(1 + cycles)
        x = 1 + cycles - cycle
        height = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        height *= self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            for group, low, high in zip(self.optimizer.param_groups, self.base_momentums, self.max_momentums):
                set_momentum(group, high - (high - low) * height, self.use_beta1)
        return [base + (top - base) * height for base, top in zip(self.base_lrs, self.max_lrs)]

    def state_dict(self) -> dict[str, Any]:
        """What the schedule knows; of scale_fn, the attributes if it is an object that can be called."""
        return {**super().state_dict(), "_scale_fn_custom": savable(self._scale_fn_custom)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on where a schedule of the same kind was; scale_fn is this schedule's own."""
        self._require_fitting(state_dict)
        function, attributes = self._scale_fn_custom, state_dict.get("_scale_fn_custom")
        vars(self).update(state_dict)
        self._scale_fn_custom = function
        if function is not None and attributes is not None:
            vars(function).update(attributes)


SCALES: dict[str, Callable[[float, float], float]] = {
    "triangular": lambda x, gamma: 1.0,
    "triangular2": lambda x, gamma: 1 / 2.0 ** (x - 1),
    "exp_range": lambda x, gamma: gamma**x,
}

ANNEALING: dict[str, Callable[[float, float, float], float]] = {
    "cos": lambda start, end, part: end + (start - end) / 2 * (1 + math.cos(math.pi * part)),
    "linear": lambda start, end, part: start + (end - start) * part,
}


class OneCycleLR(LRScheduler):
    """One cycle for a whole training: from max_lr / div_factor up to max_lr, and down to almost nothing.

    Up for pct_start of the steps, then down to (the start) / final_div_factor; with three_phase down to the start in
    as many steps as up, and the rest from there. Momentum (or Adam's beta1) goes the other way. It counts batches.

    Arguments: optimizer; max_lr (a number, or a list of one for each group); total_steps, or epochs and
    steps_per_epoch; pct_start; anneal_strategy "cos" or "linear"; cycle_momentum; base_momentum, max_momentum;
    div_factor; final_div_factor; three_phase; last_epoch. Raises ArgumentError for options out of range, for more steps
    than total_steps, and for cycle_momentum with an optimizer that has no momentum. Source: Smith and Topin 2018, which
    the notes name only (N215).

    >>> import tinygrad_dl as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(2, requires_grad=True)], lr=0.1, momentum=0.9)
    >>> scheduler = tg.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=10)
    >>> rates = []
    >>> for _ in range(9):
    ...     rates += scheduler.get_last_lr(); optimizer.step(); scheduler.step()
    >>> round(rates[0], 4), max(rates), rates.index(max(rates))
    (0.04, 1.0, 2)
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        self.total_steps = self._total(total_steps, epochs, steps_per_epoch)
        require(self, 0 <= pct_start <= 1, "pct_start", pct_start, "from 0 to 1")
        require(self, anneal_strategy in ANNEALING, "anneal_strategy", anneal_strategy, f"one of {[*ANNEALING]}")
        self._anneal_func_type = anneal_strategy
        up = pct_start * self.total_steps - 1
        corners: list[tuple[float, str, str]] = [(up, "max_lr", "base_momentum")]  # where each phase ends
        if three_phase:
            corners.append((2 * pct_start * self.total_steps - 2, "initial_lr", "max_momentum"))
        corners.append((self.total_steps - 1, "min_lr", "max_momentum"))
        starts = [(0.0, "initial_lr", "max_momentum"), *corners]
        self._schedule_phases: list[dict[str, Any]] = [
            {"end_step": step, "start_lr": lr, "end_lr": end_lr, "start_momentum": momentum, "end_momentum": end}
            for (_, lr, momentum), (step, end_lr, end) in zip(starts, corners)
        ]
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.use_beta1 = uses_beta1(self, optimizer)
        if last_epoch == -1:
            highs, lows = (
                one_per_group(self, name, value, optimizer)
                for name, value in (("max_momentum", max_momentum), ("base_momentum", base_momentum))
            )
            tops = one_per_group(self, "max_lr", max_lr, optimizer)
            for group, top, high, low in zip(optimizer.param_groups, tops, highs, lows):
                start = top / div_factor
                group.update(initial_lr=start, max_lr=top, min_lr=start / final_div_factor)
                if cycle_momentum:
                    set_momentum(group, high, self.use_beta1)
                    group.update(max_momentum=high, base_momentum=low)
        super().__init__(optimizer, last_epoch)

    def _total(self, total_steps: Any, epochs: Any, steps_per_epoch: Any) -> int:
        if total_steps is None and (epochs is None or steps_per_epoch is None):
            raise ArgumentError("OneCycleLR: give total_steps, or both epochs and steps_per_epoch")
        given = {"total_steps": total_steps}
        if total_steps is None:
            given = {"epochs": epochs, "steps_per_epoch": steps_per_epoch}
        for name, value in given.items():
            require(self, isinstance(value, int) and value > 0, name, value, "an integer above 0")
        return math.prod(given.values())

    def get_lr(self) -> list[float]:
        """The rates of this step; the momentum is set here too."""
        self._warn_outside_step()
        step = self.last_epoch
        if step > self.total_steps:
            raise ArgumentError(
                f"OneCycleLR: {step} steps, but the cycle has total_steps={self.total_steps}. It counts the calls of "
                "scheduler.step(): batches, if that comes after each batch"
            )
        start, phase = 0.0, self._schedule_phases[0]
        for phase in self._schedule_phases:
            if step <= phase["end_step"] or phase is self._schedule_phases[-1]:
                break
            start = phase["end_step"]
        part = (step - start) / (phase["end_step"] - start) if phase["end_step"] != start else 1.0
        anneal = ANNEALING[self._anneal_func_type]
        if self.cycle_momentum:
            for group in self.optimizer.param_groups:
                momentum = anneal(group[phase["start_momentum"]], group[phase["end_momentum"]], part)
                set_momentum(group, momentum, self.use_beta1)
        return [anneal(group[phase["start_lr"]], group[phase["end_lr"]], part) for group in self.optimizer.param_groups]


def uses_beta1(scheduler: LRScheduler, optimizer: Optimizer) -> bool:
    """Whether an optimizer's momentum is the first of its betas."""
    if "momentum" in optimizer.defaults:
        return False
    if "betas" in optimizer.defaults:
        return True
    raise ArgumentError(
        f"{type(scheduler).__name__}: {type(optimizer).__name__} has neither momentum nor betas; cycle_momentum=False "
        "leaves them alone"
    )


def set_momentum(group: dict[str, Any], momentum: float, use_beta1: bool) -> None:
    """Set a group's momentum, wherever it lies."""
    if use_beta1:
        group["betas"] = (momentum, *map(number, group["betas"][1:]))
    else:
        set_option(group, "momentum", momentum)
