"""L-BFGS: Newton's method with a Hessian that is known only from the last steps, and a line search."""

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from tinygrad_dl.backend import Array, aligned_zeros, device_of, owner
from tinygrad_dl.errors import ArgumentError, ArgumentTypeError
from tinygrad_dl.inplace import stamp_all
from tinygrad_dl.modes import enable_grad
from tinygrad_dl.tensor import Tensor, wrap

from .optimizer import Optimizer, Params, follow, require_number

FLAT = 1e-10  # curvature y . s that is too small to learn from
SUFFICIENT, CURVATURE = 1e-4, 0.9  # the two constants of Wolfe's conditions


class LBFGS(Optimizer):
    """L-BFGS, for full batches: `step(closure)` evaluates the loss several times.

        d = -H g,  H from the last pairs s = w_k - w_(k-1), y = g_k - g_(k-1) by the two-loop recursion
        w = w + t d,  t = lr, at the very first step lr * min(1, 1 / |g|_1); or found by the line search

    Arguments: params (one group); lr; max_iter, iterations in a step; max_eval, evaluations (None: 5/4 of max_iter);
    tolerance_grad and tolerance_change, at which a step ends; history_size, how many pairs are kept; line_search_fn,
    None or "strong_wolfe". State, kept with the first parameter: "func_evals", "n_iter", "d", "t", "old_dirs" (the y),
    "old_stps" (the s), "ro" (1 / y.s), "H_diag", "prev_flat_grad", "prev_loss".

    The memory of the oldest pair takes the newest. Raises ArgumentError for options out of range and for several
    groups, ArgumentTypeError without a closure. Source: Liu and Nocedal 1989; Nocedal and Wright 2006, algorithms 3.5,
    3.6.

    >>> import tinygrad_dl as tg
    >>> w = tg.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = tg.optim.LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((w - 3) ** 4).sum()
    ...     loss.backward()
    ...     return loss
    >>> optimizer.step(closure)
    tensor(641., grad_fn=<SumBackward0>)
    >>> bool(((w - 3).abs() < 0.05).all())
    True
    """

    not_negative = ("lr", "tolerance_grad", "tolerance_change")
    numbers = ()

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add the only group."""
        if self.param_groups:
            raise ArgumentError("LBFGS: there can be only one group, since all parameters take one step together")
        super().add_param_group(param_group)

    def check_options(self, options: dict[str, Any]) -> None:
        super().check_options(options)
        for name in ("max_iter", "max_eval", "history_size"):
            require_number(self, name, options[name], least=1)
        if options["line_search_fn"] not in (None, "strong_wolfe"):
            raise ArgumentError(
                f"LBFGS: line_search_fn is {options['line_search_fn']!r}, but must be None or 'strong_wolfe'"
            )

    def state_names(self, options: dict[str, Any]) -> tuple[str, ...]:
        return ("func_evals", "n_iter", "d", "t", "old_dirs", "old_stps", "ro", "H_diag", "prev_flat_grad", "prev_loss")

    def state_shape(self, name: str, shape: tuple[int, ...]) -> tuple[int, ...] | None:
        return None

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Iterate until nothing changes much, or max_iter or max_eval is reached.

        closure: a function that sets the gradients to zero, computes the loss, calls backward and returns the loss.
        Returns the loss before the first iteration.
        """
        if closure is None:
            raise ArgumentTypeError("LBFGS.step: a closure is needed, which computes the loss again: step(closure)")
        options, params = self.param_groups[0], self.param_groups[0]["params"]
        lr, flat = float(options["lr"]), options["tolerance_change"]
        point = self._point(params)
        point.begin(closure, f"{self._name}.step")
        state = self.state[params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)

        d, t, previous = (_array(state.get(name), point.start) for name in ("d", "t", "prev_flat_grad"))
        first_loss = point.evaluate(previous)
        evaluations, loss, g = 1, point.loss, point.gradient
        if _largest(g) > options["tolerance_grad"]:
            memory = _Memory(state, options["history_size"], point)
            for iteration in range(1, options["max_iter"] + 1):
                state["n_iter"] += 1
                if state["n_iter"] > 1:
                    memory.learn(g, previous, d, float(t))
                d = memory.direction(g)
                t = lr * min(1.0, 1.0 / point.sum_of_sizes(g)) if state["n_iter"] == 1 else lr
                previous, loss_before = g, loss
                slope = float(g.dot(d))
                if slope > -flat:  # not downhill any more
                    break
                if options["line_search_fn"]:
                    most = options["max_eval"] - evaluations
                    found, trials = strong_wolfe(point, d, _Trial(0.0, loss, g, slope), t, flat, most)
                    t, loss, g = found.t, found.loss, found.gradient
                    point.move_to(t, d)
                    point.start_here()
                    evaluations += trials
                else:
                    point.move_to(t, d)
                    point.start_here()
                    if iteration < options["max_iter"]:  # else nobody would look at it
                        point.evaluate(previous)
                        loss, g = point.loss, point.gradient
                        evaluations += 1
                if (
                    evaluations >= options["max_eval"]
                    or _largest(g) <= options["tolerance_grad"]
                    or _largest(d) * abs(t) <= flat
                    or abs(loss - loss_before) < flat
                ):
                    break
            memory.save(state)
            state.update(d=wrap(d), t=t, prev_flat_grad=wrap(previous), prev_loss=loss_before)
        state["func_evals"] += evaluations
        return first_loss

    def _point(self, params: list[Tensor]) -> "_Flat":
        """The vectors of the step before, unless the parameters have changed their kind."""
        key = [(p.array.dtype, device_of(p.array), p.array.shape) for p in params]
        if self._scratch.get("kinds") != key:
            self._scratch.update(kinds=key, point=_Flat(params))
        return self._scratch["point"]


class _Flat:
    """The parameters as one vector, the loss and its gradient where they stand, and memory for vectors like it."""

    def __init__(self, params: list[Tensor]) -> None:
        self.params = params
        self.start = np.concatenate([p.array.reshape(-1) for p in params])
        self.goal, self.d, *self.gradients = (self.vector() for _ in range(6))
        self.spare = self.vector(), self.vector()  # for the next pair

    def vector(self) -> Array:
        return aligned_zeros(self.start, self.start.shape)

    def begin(self, closure: Callable[[], Any], operation: str) -> None:
        """Before a step: start where the parameters are; what a graph has kept of the state is overwritten from now."""
        self.closure, self.operation = closure, operation
        stamp_all([owner(array) for array in (self.d, *self.gradients)], operation)
        self.start_here()

    def pieces(self, flat: Array) -> Iterator[tuple[Tensor, Array]]:
        """Each parameter, and its part of a vector."""
        at = 0
        for p in self.params:
            yield p, flat[at : at + p.array.size].reshape(p.array.shape)
            at += p.array.size

    def start_here(self) -> None:
        for p, piece in self.pieces(self.start):
            piece[...] = p.array

    def evaluate(self, *held: Array) -> Any:
        """The closure's loss; `loss` and `gradient` are of it. The gradients `held` are not written over."""
        with enable_grad():
            result = self.closure()
        self.loss = float(result)
        self.gradient = next(one for one in self.gradients if not any(one is array for array in held))
        for p, piece in self.pieces(self.gradient):
            piece[...] = 0 if p._grad is None else p._grad.array
        return result

    def move_to(self, t: float, d: Array) -> None:
        """Put the parameters at start + t d."""
        stamp_all([p.array for p in self.params], self.operation)
        np.add(self.start, np.multiply(d, t, self.goal), self.goal)
        for p, piece in self.pieces(self.goal):
            p.array[...] = piece

    def sum_of_sizes(self, x: Array) -> float:
        return float(np.add.reduce(np.absolute(x, self.goal)))


class _Memory:
    """The last pairs (y, s), and H, the inverse Hessian that they suggest."""

    def __init__(self, state: dict[str, Any], size: int, point: _Flat) -> None:
        self.size, self.point = size, point
        ys, ss = ([_array(one, point.start) for one in state.get(name, [])] for name in ("old_dirs", "old_stps"))
        self.pairs = [*zip(ys, ss, map(float, state.get("ro", [])))]
        self.scale = float(state.get("H_diag", 1.0))

    def learn(self, g: Array, previous: Array, d: Array, t: float) -> None:
        """Take in the last step, unless it shows no curvature; the oldest one goes when there are too many."""
        y, s = self.point.spare
        stamp_all([owner(y), owner(s)], self.point.operation)
        curvature = float(np.subtract(g, previous, y).dot(np.multiply(d, t, s)))
        if curvature > FLAT:
            self.pairs.append((y, s, 1 / curvature))
            self.scale = curvature / float(y.dot(y))
            full = len(self.pairs) > self.size
            self.point.spare = self.pairs.pop(0)[:2] if full else (self.point.vector(), self.point.vector())

    def direction(self, g: Array) -> Array:
        """-H g."""
        d, step = np.negative(g, self.point.d), self.point.goal
        weights = []
        for y, s, rho in reversed(self.pairs):
            weights.append(rho * float(s.dot(d)))
            d -= np.multiply(y, weights[-1], step)
        d *= self.scale
        for (y, s, rho), weight in zip(self.pairs, reversed(weights)):
            d += np.multiply(s, weight - rho * float(y.dot(d)), step)
        return d

    def save(self, state: dict[str, Any]) -> None:
        ys, ss, rhos = zip(*self.pairs) if self.pairs else ((), (), ())
        state.update(old_dirs=[*map(wrap, ys)], old_stps=[*map(wrap, ss)], ro=[*rhos], H_diag=self.scale)


# --- the line search


class _Trial(NamedTuple):
    """A point on the line: how far, and the loss, its gradient and its slope there."""

    t: float
    loss: float
    gradient: Array
    slope: float


def strong_wolfe(point: _Flat, d: Array, start: _Trial, t: float, tolerance: float, most: int) -> tuple[_Trial, int]:
    """A t that lowers the loss enough and flattens the slope enough (Wolfe's strong conditions), and trials made.

    After the first trial and `most` others it is the best one so far.
    """

    def trial(t: float, *held: _Trial) -> _Trial:
        point.move_to(t, d)
        point.evaluate(start.gradient, *[one.gradient for one in held])
        return _Trial(t, point.loss, point.gradient, float(point.gradient.dot(d)))

    def too_high(one: _Trial) -> bool:
        return one.loss > start.loss + SUFFICIENT * one.t * start.slope

    def flat_enough(one: _Trial) -> bool:
        return abs(one.slope) <= -CURVATURE * start.slope

    # Forward until the minimum lies between two trials.
    before, now, trials, iterations = start, trial(t), 1, 0
    while True:
        if iterations >= most:
            low, high = start, now
            break
        if too_high(now) or (iterations > 1 and now.loss >= before.loss) or (now.slope >= 0 and not flat_enough(now)):
            low, high = before, now
            break
        if flat_enough(now):
            return now, trials
        farther = cubic_minimum(before, now, now.t + 0.01 * (now.t - before.t), now.t * 10)
        before, now = now, trial(farther, now)
        trials, iterations = trials + 1, iterations + 1

    # Narrow the two down.
    first, last = low, high  # as they were found; `low` is the one with the lower loss from here on
    if first.loss > last.loss:
        low, high = last, first
    size, stuck = _largest(d), False
    while iterations < most and abs(high.t - low.t) * size >= tolerance:
        t, stuck = _inside(cubic_minimum(low, high), low, high, stuck)
        now = trial(t, low, high)
        trials, iterations = trials + 1, iterations + 1
        if too_high(now) or now.loss >= low.loss:
            high = now
            if high.loss < low.loss:
                low, high = high, low
        else:
            if flat_enough(now):
                return now, trials
            if now.slope * (high.t - low.t) >= 0:
                high = low
            low = now
    return low, trials


def _inside(t: float, low: _Trial, high: _Trial, stuck: bool) -> tuple[float, bool]:
    """t away from the ends of the interval, where it would make no progress twice; and whether it made none now."""
    least, most = sorted((low.t, high.t))
    margin = 0.1 * (most - least)
    if min(most - t, t - least) >= margin:
        return t, False
    if not stuck and least < t < most:
        return t, True
    return (most - margin if most - t < t - least else least + margin), False


def cubic_minimum(a: _Trial, b: _Trial, least: float | None = None, most: float | None = None) -> float:
    """Where the cubic through two points with their slopes is lowest, within bounds (else between the points)."""
    if a.t > b.t:
        a, b = b, a
    if least is None or most is None:
        least, most = a.t, b.t
    try:
        mean = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
        r = math.sqrt(mean * mean - a.slope * b.slope)
        t = b.t - (b.t - a.t) * (b.slope + r - mean) / (b.slope - a.slope + 2 * r)
    except ValueError:  # of a negative number: the cubic has no minimum
        return (least + most) / 2
    except ZeroDivisionError:  # a straight line
        return most
    return min(max(t, least), most)


# --- inside


def _largest(x: Array) -> float:
    return max(float(x.max()), -float(x.min())) if x.size else 0.0


def _array(value: Any, like: Array) -> Any:
    """What a value of the state is: a number, or an array where the parameters are now."""
    if not isinstance(value, Tensor) or value.array.ndim == 0:
        return value
    follow(value, like)
    return value.array
