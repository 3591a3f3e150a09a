"""`check_by_hand`: gradients derived by hand beside the engine's, and which of the usual slips they show."""

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..autograd import grad, unbroadcast
from ..creation import as_tensor
from ..errors import ArgumentError, ArgumentTypeError, GraphError, nearest
from ..tensor import Tensor
from .altered import Gradients, Slip, backward, slips
from .history import CONSTANT, LEAF, RESULT, History, Value, results_of
from .reading import count_of_mean, host
from .trace import Trace, join
from .words import words_in
from .writing import number_text


@dataclass
class Finding:
    """What was found of one gradient: whether it is right, else why not, in words."""

    name: str
    right: bool
    difference: float  # the largest, as a part of the largest entry
    why: str = ""


class HandCheck:
    """The findings of `check_by_hand`: true when all are right; `print` shows them, `check["W1"]` is one of them."""

    def __init__(self, findings: list[Finding], words: Mapping[str, str], traced: bool) -> None:
        self.findings, self._words, self._traced = findings, words, traced

    def __bool__(self) -> bool:
        return all(finding.right for finding in self.findings)

    def __getitem__(self, name: str) -> Finding:
        for finding in self.findings:
            if finding.name == name:
                return finding
        names = [finding.name for finding in self.findings]
        raise ArgumentError(f"check_by_hand: there is no {name!r}; there are {', '.join(names)}.{nearest(name, names)}")

    def __str__(self) -> str:
        width = max((len(finding.name) for finding in self.findings), default=0)
        written = [f"d{finding.name.ljust(width)}  {self._told(finding)}" for finding in self.findings]
        return "\n".join(written + ([] if self._traced or self else [self._words["untraced"]]))

    def _told(self, finding: Finding) -> str:
        if not finding.right:
            return self._words["wrong"].format(why=finding.why)
        exact = not finding.difference
        return self._words["right" if exact else "about right"].format(difference=f"{finding.difference:.0e}")

    def __repr__(self) -> str:
        return str(self)


def check_by_hand(
    loss: Tensor | Trace,
    gradients: Mapping[str | Tensor, Any],
    *,
    tolerance: float | None = None,
    language: str | None = None,
) -> HandCheck:
    """Compare gradients that you derived by hand with the engine's, and name the slip where they differ.

    It knows a factor m or 2, a sign, a transposed matrix, a sum or keepdims that is missing, a path that was left out,
    an activation whose derivative is missing or that of another one, and an array in the wrong place, such as the
    activation of another layer. Those in the middle of backward are found for a loss that was computed inside
    `with viz.trace():`, where gradients of intermediate results ("Z2") can be checked too.

    Arguments: loss (one number, or a trace), gradients (by the variable's name, with or without d before it, a
    parameter's name, or the tensor; arrays, tensors or lists), tolerance (the largest difference that counts as right,
    as a part of the largest entry; None: 1e-4 in float32, 1e-6 in float64), language ("en" or "tr"; None: the
    locale's). Touches no `.grad`. Returns a report, true when all are right. Raises ArgumentError for a name that the
    loss does not depend on.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import viz
    >>> X, y = tg.tensor([[1.0], [2.0], [4.0]]), tg.tensor([2.0, 3.0, 5.0])
    >>> w = tg.tensor([0.5], requires_grad=True)
    >>> with viz.trace():
    ...     e = X @ w - y
    ...     J = (e**2).mean()
    >>> dw = 2 / 3 * X.T @ e.detach()
    >>> bool(viz.check_by_hand(J, {"w": dw}))
    True
    >>> print(viz.check_by_hand(J, {"w": dw / 2, "e": -2 / 3 * e.detach()}))
    dw  wrong: half of what it should be: a factor 2 (of a square) is missing, or a ½ is too many
    de  wrong: the sign is wrong
    """
    words = words_in(language, "check_by_hand")
    if not isinstance(gradients, Mapping):
        raise ArgumentTypeError(
            f'check_by_hand: gradients come by name, {{"W1": dW1}}, not as {type(gradients).__name__}'
        )
    roots = results_of("check_by_hand", loss)
    history = History(roots, sys._getframe(1))
    if len(roots) > 1 or (isinstance(history.roots[0].shape, tuple) and np.prod(history.roots[0].shape) != 1):
        raise GraphError("check_by_hand: a loss is one number; end with .sum() or .mean()")
    checker = _Checker(history, roots[0], words, tolerance)
    return HandCheck([checker.finding(name, given) for name, given in gradients.items()], words, checker.traced)


class _Checker:
    """A loss whose gradients are known, and what slips in it would lead to."""

    def __init__(self, history: History, root: Any, words: Mapping[str, str], tolerance: float | None) -> None:
        self.history, self.words, self.tolerance = history, words, tolerance
        self.traced = all(value.record is not None for value in history.values if value.kind == RESULT)
        if self.traced:
            history.name_all()
        self.known = backward(history) if self.traced else self._by_the_engine(root)
        self.examples = self._counts()

    def _by_the_engine(self, root: Any) -> Gradients:
        leaves = [value for value in self.history.values if value.kind == LEAF]
        found = grad(root, [leaf.tensor for leaf in leaves], retain_graph=True, allow_unused=True)
        return {leaf: g.array for leaf, g in zip(leaves, found, strict=True) if g is not None}

    @cached_property
    def slips(self) -> list[tuple[Slip, Gradients]]:
        """What slips within backward lead to."""
        return list(slips(self.history)) if self.traced else []

    def _counts(self) -> list[int]:
        """What m may be: of how many a mean was taken, and the sizes of the data."""
        means = [count_of_mean(value) for value in self.history.values]
        data = [size for v in self.history.values if v.kind == CONSTANT and v.array is not None for size in v.shape]
        return [count for count in dict.fromkeys([*means, *data]) if count is not None and count > 1]

    # --- one gradient

    def finding(self, name: str | Tensor, given: Any) -> Finding:
        """What is to be said of one gradient."""
        value = self._value(name)
        shown = name if isinstance(name, str) else str(value.name)
        came = host(as_tensor(given).array).astype(np.float64)
        if value not in self.known:
            return Finding(shown, False, float("nan"), self.words["nothing"])
        wanted = host(self.known[value]).astype(np.float64)
        difference = _difference(came, wanted)
        if difference <= self._tolerance(value):
            return Finding(shown, True, difference)
        found = self._diagnosis(value, came, wanted)
        if found is None:
            found = [("unknown", {"difference": number_text(float(np.abs(came - wanted).max()), 2)})]
        return Finding(shown, False, difference, self._told(found))

    def _told(self, found: list[Slip]) -> str:
        return self.words["and"].join(self.words[kind].format(**names) for kind, names in found)

    def _tolerance(self, value: Value) -> float:
        single = self.known[value].dtype.itemsize < 8
        return self.tolerance if self.tolerance is not None else 1e-4 if single else 1e-6

    def _diagnosis(self, value: Value, came: np.ndarray, wanted: np.ndarray) -> list[Slip] | None:
        """The slips that explain a wrong gradient, the simplest explanation first; None when there is none."""
        near = self._tolerance(value)
        explained = self._explained(came, wanted, near, known_only=True)
        for slip, gradients in self.slips if explained is None else ():
            if value in gradients and not isinstance(gradients[value], tuple):
                rest = self._explained(came, host(gradients[value]).astype(np.float64), near, known_only=True)
                if rest is not None and (explained is None or len(rest) + 1 < len(explained)):
                    explained = [slip, *rest]
        if explained is None:
            explained = self._explained(came, wanted, near, known_only=False)
        if explained is None and came.shape != wanted.shape:
            return [("shape", {"came": str(came.shape), "wanted": str(wanted.shape)})]
        return explained

    def _explained(self, came: np.ndarray, wanted: np.ndarray, near: float, known_only: bool) -> list[Slip] | None:
        """How what came is what is wanted but for its shape and a factor; an empty list when it is the same."""
        for slip, repaired, aim in _repairs(came, wanted):
            if _difference(repaired, aim) <= near:
                return [] if slip is None else [slip]
        for slip, repaired, aim in _repairs(came, wanted):
            factor = _ratio(repaired, aim, near)
            told = None if factor is None else self._of_factor(factor, known_only)
            if told is not None:
                return told if slip is None else [slip, *told]
        return None

    def _of_factor(self, factor: float, known_only: bool) -> list[Slip] | None:
        """What a factor tells: the sign, and m or 2 above or below."""
        found: list[Slip] = [("sign", {})] if factor < 0 else []
        size = abs(factor)
        if np.isclose(size, 1, rtol=1e-4):
            return found
        for m in self.examples:
            for kind, ratio in (("m too large", size), ("m too small", 1 / size)):
                if np.isclose(ratio, m, rtol=1e-4):
                    return [*found, (kind if m != 2 else kind.replace("m ", "m or two "), {"factor": str(m)})]
        for kind, ratio in (("two too large", size), ("two too small", 1 / size)):
            if np.isclose(ratio, 2, rtol=1e-4):
                return [*found, (kind, {})]
        return None if known_only else [*found, ("times", {"factor": number_text(size, 4)})]

    # --- which value is meant

    def _value(self, name: str | Tensor) -> Value:
        values = self.history.values
        if isinstance(name, Tensor):
            found = [v for v in values if v.tensor is name or (name.node is not None and v.node is name.node)]
            if found:
                return found[0]
            raise ArgumentError("check_by_hand: a tensor came that the loss does not depend on")
        if not isinstance(name, str):
            raise ArgumentTypeError(f"check_by_hand: a name or a tensor says which gradient, not {type(name).__name__}")
        names = {v.name: v for v in values if v.name}
        path = join("", name)
        tests: Iterable[Callable[[str], bool]] = (
            lambda known: known == name,
            lambda known: f"d{known}" == name,
            lambda known: known.endswith((path, f".{name}")),  # a parameter's name within its model
        )
        for test in tests:
            found = [value for known, value in names.items() if test(known)]
            if len(found) == 1:
                return found[0]
        raise ArgumentError(
            f"check_by_hand: the loss has no {name!r}; it has {', '.join(names)}.{nearest(name, names)}"
        )


def _difference(came: np.ndarray, wanted: np.ndarray) -> float:
    """The largest difference as a part of the largest entry; infinite between shapes."""
    if came.shape != wanted.shape:
        return float("inf")
    if not wanted.size or np.array_equal(came, wanted, equal_nan=True):
        return 0.0
    largest, apart = float(np.abs(wanted).max()), float(np.abs(came - wanted).max())
    return apart / largest if largest else apart


def _ratio(came: np.ndarray, wanted: np.ndarray, near: float) -> float | None:
    """The number that one array is of another, everywhere; None when there is no such number."""
    if came.shape != wanted.shape or not wanted.any() or not np.isfinite(came).all():
        return None
    factor = float((came * wanted).sum() / (wanted * wanted).sum())
    return factor if factor and _difference(came, factor * wanted) <= near else None


def _repairs(came: np.ndarray, wanted: np.ndarray) -> Iterable[tuple[Slip | None, np.ndarray, np.ndarray]]:
    """What came and what is wanted in a common shape, with the slip that this would be the repair of."""
    shapes = {"came": str(came.shape), "wanted": str(wanted.shape)}
    if came.shape == wanted.shape:
        yield None, came, wanted
    if came.ndim == 2 and came.T.shape == wanted.shape and came.size > 1:
        yield ("transposed", {}), came.T, wanted
    if came.shape == wanted.shape:
        return
    if came.size == wanted.size:
        yield ("keepdims", shapes), came.reshape(wanted.shape), wanted
    if _fits(wanted.shape, came.shape) and came.size > wanted.size:
        padded = (1,) * (came.ndim - wanted.ndim) + wanted.shape
        dims = [i for i, (a, b) in enumerate(zip(came.shape, padded, strict=True)) if a != b]
        told = shapes | {"dims": ", ".join(f"dim {i}" for i in dims)}
        yield ("sum missing", told), unbroadcast(came, wanted.shape), wanted
    if _fits(came.shape, wanted.shape) and came.size < wanted.size:
        yield ("summed too far", shapes), came, unbroadcast(wanted, came.shape)


def _fits(small: tuple[int, ...], big: tuple[int, ...]) -> bool:
    """Whether broadcasting makes one shape of the other."""
    try:
        return np.broadcast_shapes(small, big) == big
    except ValueError:
        return False
