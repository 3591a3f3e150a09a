"""Schedules that are a factor of the epoch: the rate is base_lr * factor(t), as the notes write them."""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..optimizer import Optimizer
from .scheduler import LRScheduler, number, one_per_group, require, savable


class _Decay(LRScheduler):
    """A schedule that is a factor of the epoch, above a smallest rate.

    In closed form the rate is floor + (base - floor) * factor(t). A step multiplies the rate above the floor with
    factor(t) / factor(t - 1), so that what other schedules have done to it stays.
    """

    eta_min = 0.0
    in_pieces = False  # constant but for jumps; as in PyTorch, these are made where a schedule is resumed, too

    def factor_at(self, t: int) -> float:
        """The rate of epoch t as a part of that of the start."""
        raise NotImplementedError

    def get_lr(self) -> list[float]:
        """The rates of this epoch from those of the one before."""
        self._warn_outside_step()
        t, floor, rates = self.last_epoch, self.eta_min, self._rates()
        now = self.factor_at(t)
        if self._is_initial and t > 0 and not self.in_pieces:  # resumed: the optimizer brings its rate
            return rates
        before = 1.0 if t == 0 else self.factor_at(t - 1)
        if now == before:
            return rates
        if before == 0:  # at the floor, from which nothing can be multiplied
            return [rate + (base - floor) * now for rate, base in zip(rates, self.base_lrs)]
        return [floor + (rate - floor) * (now / before) for rate in rates]

    def _get_closed_form_lr(self) -> list[float]:
        return [self.eta_min + (base - self.eta_min) * self.factor_at(self.last_epoch) for base in self.base_lrs]


class StepLR(_Decay):
    """Times gamma every step_size epochs: factor(t) = gamma^floor(t / step_size).

    Arguments: optimizer; step_size, from 1; gamma; last_epoch. Raises ArgumentError for a step_size below 1. Source:
    notes, section 7 (N203, N204).

    >>> import tinygrad_dl as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(2, requires_grad=True)], lr=0.5)
    >>> scheduler = tg.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    >>> for _ in range(4):
    ...     print(*scheduler.get_last_lr()); optimizer.step(); scheduler.step()
    0.5
    0.5
    0.25
    0.25
    """

    in_pieces = True

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        require(self, step_size >= 1, "step_size", step_size, "1 or more")
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def factor_at(self, t: int) -> float:
        return self.gamma ** (t // self.step_size)


class MultiStepLR(_Decay):
    """Times gamma at each of the milestones: factor(t) = gamma^(milestones up to t).

    Arguments: optimizer; milestones, epochs in any order, of which one may come twice; gamma; last_epoch. Source:
    notes, section 7 (N205).

    >>> import tinygrad_dl as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(2, requires_grad=True)], lr=0.5)
    >>> scheduler = tg.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[2, 3], gamma=0.5)
    >>> for _ in range(3):
    ...     optimizer.step(); scheduler.step()
    >>> scheduler.get_last_lr()
    [0.125]
    """

    in_pieces = True

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones, self.gamma = Counter(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def factor_at(self, t: int) -> float:
        return self.gamma ** bisect_right(sorted(Counter(self.milestones).elements()), t)


class ConstantLR(_Decay):
    """A smaller rate for the first epochs: factor(t) = factor until total_iters, then 1.

    Arguments: optimizer; factor, from 0 to 1; total_iters; last_epoch. Raises ArgumentError for another factor. Source:
    notes, section 7 (N208).

    >>> import tinygrad_dl as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(2, requires_grad=True)], lr=0.5)
    >>> scheduler = tg.optim.lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=1)
    >>> first = scheduler.get_last_lr(); optimizer.step(); scheduler.step(); first, scheduler.get_last_lr()
    ([0.25], [0.5])
    """

    in_pieces = True

    def __init__(
        self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5, last_epoch: int = -1
    ) -> None:
        require(self, 0 <= factor <= 1, "factor", factor, "from 0 to 1")
        require(self, total_iters >= 0, "total_iters", total_iters, "0 or more")
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def factor_at(self, t: int) -> float:
        return self.factor if t < self.total_iters else 1.0


class LinearLR(_Decay):
    """A straight line: factor(t) = start + (end - start) * t / total_iters, then the end.

    Arguments: optimizer; start_factor, above 0 and up to 1; end_factor, from 0 to 1; total_iters, from 1; last_epoch.
    Raises ArgumentError for others. Source: notes, section 7 (N207, W066).

    >>> import tinygrad_dl as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(2, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> first = scheduler.get_last_lr(); optimizer.step(); scheduler.step(); first, scheduler.get_last_lr()
    ([0.5], [0.75])
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        require(self, 0 < start_factor <= 1, "start_factor", start_factor, "above 0, and at most 1")
        require(self, 0 <= end_factor <= 1, "end_factor", end_factor, "from 0 to 1")
        require(self, total_iters >= 1, "total_iters", total_iters, "1 or more")
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def factor_at(self, t: int) -> float:
        return self.start_factor + (self.end_factor - self.start_factor) * min(t, self.total_iters) / self.total_iters


class ExponentialLR(_Decay):
    """Times gamma at every step: factor(t) = gamma^t.

    Arguments: optimizer; gamma (the notes have 0.95); last_epoch. A gamma above 1 is the notes' range test (S3): the
    rate from 1e-5 to 10 in 500 steps with gamma = exp(log(1e6) / 500). Source: notes, section 7 (N201, N214).

    >>> import tinygrad_dl as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(2, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    >>> optimizer.step(); scheduler.step(); scheduler.get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def factor_at(self, t: int) -> float:
        return self.gamma**t


class PolynomialLR(_Decay):
    """Down to 0 along a polynomial: factor(t) = (1 - t / total_iters)^power, then 0.

    Arguments: optimizer; total_iters, from 1; power; last_epoch. Raises ArgumentError for total_iters below 1. Source:
    notes, section 7 (N206).

    >>> import tinygrad_dl as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(2, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=2, power=2)
    >>> optimizer.step(); scheduler.step(); scheduler.get_last_lr()
    [0.25]
    """

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        require(self, total_iters >= 1, "total_iters", total_iters, "1 or more")
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def factor_at(self, t: int) -> float:
        return (1 - min(t, self.total_iters) / self.total_iters) ** self.power


class CosineAnnealingLR(_Decay):
    """Half a wave down to eta_min: eta_min + (base - eta_min) * (1 + cos(pi * t / T_max)) / 2, and up again.

    Arguments: optimizer; T_max, from 1; eta_min; last_epoch. Raises ArgumentError for a T_max below 1. Source: notes,
    section 7 (N209).

    >>> import tinygrad_dl as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(2, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=2)
    >>> optimizer.step(); scheduler.step(); scheduler.get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        require(self, T_max >= 1, "T_max", T_max, "1 or more")
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def factor_at(self, t: int) -> float:
        return (1 + math.cos(math.pi * t / self.T_max)) / 2


class _Functions(LRScheduler):
    """A schedule by the user's functions, one for each group."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Any, last_epoch: int = -1) -> None:
        self.lr_lambdas = one_per_group(self, "lr_lambda", lr_lambda, optimizer)
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """What the schedule knows; functions are not saved, but the attributes of objects that can be called are."""
        return {**super().state_dict(), "lr_lambdas": [savable(function) for function in self.lr_lambdas]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on where a schedule of the same kind was; the functions are this schedule's own."""
        self._require_fitting(state_dict)
        functions, saved = self.lr_lambdas, state_dict["lr_lambdas"]
        vars(self).update(state_dict)
        self.lr_lambdas = functions
        for function, attributes in zip(functions, saved):
            if attributes is not None:
                vars(function).update(attributes)


class LambdaLR(_Functions):
    """base_lr * lr_lambda(t), whatever the rate is now.

    Arguments: optimizer; lr_lambda, a function of the epoch, or a list of one for each group; last_epoch. The notes'
    inverse time is `lambda t: 1 / (1 + decay_rate * t)`, their inverse root `lambda t: k / sqrt(t + 1)`. Raises
    ArgumentError for another number of functions. Source: notes, section 7 (N200, N202).

    >>> import tinygrad_dl as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(2, requires_grad=True)], lr=0.2)
    >>> scheduler = tg.optim.lr_scheduler.LambdaLR(optimizer, lambda t: 1 / (1 + t))
    >>> optimizer.step(); scheduler.step(); scheduler.get_last_lr()
    [0.1]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | list[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        super().__init__(optimizer, lr_lambda, last_epoch)

    def get_lr(self) -> list[float]:
        """The rates of this epoch."""
        self._warn_outside_step()
        return [base * number(function(self.last_epoch)) for function, base in zip(self.lr_lambdas, self.base_lrs)]


class MultiplicativeLR(_Functions):
    """The rate now times lr_lambda(t), from epoch 1 on.

    Arguments and errors as `LambdaLR`'s.

    >>> import tinygrad_dl as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(2, requires_grad=True)], lr=0.2)
    >>> scheduler = tg.optim.lr_scheduler.MultiplicativeLR(optimizer, lambda t: 0.5)
    >>> optimizer.step(); scheduler.step(); scheduler.get_last_lr()
    [0.1]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | list[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        super().__init__(optimizer, lr_lambda, last_epoch)

    def get_lr(self) -> list[float]:
        """The rates of this epoch from those of the one before."""
        self._warn_outside_step()
        if self._is_initial:
            return self._rates()
        return [rate * number(function(self.last_epoch)) for function, rate in zip(self.lr_lambdas, self._rates())]
