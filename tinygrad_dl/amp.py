"""Mixed precision, as `torch.amp`: scaled losses for float16; no automatic choice of dtypes."""

import functools
from collections.abc import Callable
from types import TracebackType
from typing import Any

from .errors import ArgumentError, GraphError
from .modes import no_grad
from .tensor import Tensor
from .unavailable import warn_once


class autocast:
    """A block in which PyTorch chooses dtypes for some operations. Here every operation keeps its tensors' dtypes.

    So the block computes what it would without; when `enabled`, a warning says so once. It is a decorator too.
    Arguments: device_type, dtype, enabled, cache_enabled, of which only enabled is looked at.

    >>> import tinygrad_dl as tg
    >>> with tg.autocast("cpu", enabled=False): (tg.ones(2) * 2).dtype
    tinygrad_dl.float32
    """

    def __init__(
        self, device_type: str, dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        self.device, self.fast_dtype = device_type, dtype
        if enabled:
            warn_once(
                "autocast",
                "operations keep the dtypes of their tensors; nothing is computed in less precision. Pass "
                "enabled=False, or convert the model with .half()",
            )

    def __enter__(self) -> "autocast":
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: TracebackType | None) -> None:
        return None

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*args: Any, **options: Any) -> Any:
            return function(*args, **options)

        return call


def is_autocast_available(device_type: str) -> bool:
    """Whether dtypes are chosen automatically: no."""
    return False


def is_autocast_enabled(device_type: str | None = None) -> bool:
    """Whether dtypes are chosen automatically: no.

    >>> import tinygrad_dl as tg
    >>> tg.is_autocast_enabled()
    False
    """
    return False


class GradScaler:
    """Scales a loss, so that small gradients in float16 don't vanish, and takes the scale out before the step.

    A step whose gradients are not finite is left out, and the scale made smaller by `backoff_factor`; after
    `growth_interval` steps that were taken it grows by `growth_factor`.

    >>> import tinygrad_dl as tg
    >>> w = tg.ones(1, requires_grad=True); scaler = tg.amp.GradScaler("cpu", init_scale=8.0)
    >>> optimizer = tg.optim.SGD([w], lr=0.5)
    >>> scaler.scale((w * 1.0).sum()).backward(); w.grad
    tensor([8.])
    >>> scaler.step(optimizer); scaler.update(); w
    tensor([0.5000], requires_grad=True)
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        if growth_factor <= 1.0 or not 0.0 < backoff_factor < 1.0:
            raise ArgumentError(
                f"GradScaler: growth_factor lies above 1 and backoff_factor between 0 and 1, {growth_factor} and "
                f"{backoff_factor} came"
            )
        self._enabled = enabled
        self._scale, self._growth_tracker = float(init_scale), 0
        self._growth_factor, self._backoff_factor = growth_factor, backoff_factor
        self._growth_interval = growth_interval
        self._finite: dict[int, bool] = {}  # of the optimizers whose gradients were unscaled since the last update
        self._stepped: set[int] = set()

    def scale(self, outputs: Any) -> Any:
        """A loss, or each in a list or tuple of them, times the scale."""
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            return outputs * self._scale
        return type(outputs)([self.scale(output) for output in outputs])

    def unscale_(self, optimizer: Any) -> None:
        """Take the scale out of the gradients of an optimizer's parameters, say to clip them before the step."""
        if not self._enabled:
            return
        if id(optimizer) in self._finite:
            raise GraphError("unscale_: the gradients of this optimizer were unscaled since the last update() already")
        finite = True
        with no_grad():
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    if parameter.grad is not None:
                        parameter.grad.mul_(1.0 / self._scale)
                        finite = finite and bool(parameter.grad.isfinite().all())
        self._finite[id(optimizer)] = finite

    def step(self, optimizer: Any, *args: Any, **options: Any) -> Any:
        """The optimizer's step, unless a gradient is not finite; unscales the gradients first if that was not done."""
        if not self._enabled:
            return optimizer.step(*args, **options)
        if id(optimizer) in self._stepped:
            raise GraphError("step: this optimizer has taken its step since the last update() already")
        if id(optimizer) not in self._finite:
            self.unscale_(optimizer)
        self._stepped.add(id(optimizer))
        return optimizer.step(*args, **options) if self._finite[id(optimizer)] else None

    def update(self, new_scale: Any = None) -> None:
        """The scale for the next iteration, or `new_scale`. Raises GraphError when no step was taken since the last."""
        if not self._enabled:
            return
        if new_scale is not None:
            self._scale = float(new_scale)
        elif not self._finite:
            raise GraphError("update: no gradients were unscaled since the last update(); call step(optimizer) first")
        elif not all(self._finite.values()):
            self._scale, self._growth_tracker = self._scale * self._backoff_factor, 0
        else:
            self._growth_tracker += 1
            if self._growth_tracker == self._growth_interval:
                self._scale, self._growth_tracker = self._scale * self._growth_factor, 0
        self._finite, self._stepped = {}, set()

    def is_enabled(self) -> bool:
        """Whether losses are scaled."""
        return self._enabled

    def get_scale(self) -> float:
        """The scale; 1 when not enabled."""
        return self._scale if self._enabled else 1.0

    def get_growth_factor(self) -> float:
        """By how much the scale grows."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Set by how much the scale grows."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """By how much the scale shrinks."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Set by how much the scale shrinks."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """After how many steps the scale grows."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Set after how many steps the scale grows."""
        self._growth_interval = new_interval

    _STATE = ("scale", "growth_factor", "backoff_factor", "growth_interval", "_growth_tracker")

    def state_dict(self) -> dict[str, Any]:
        """The scale and what decides how it goes on; empty when not enabled."""
        return {name: getattr(self, f"_{name.lstrip('_')}") for name in self._STATE} if self._enabled else {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave. Raises GraphError for the empty one of a scaler that was not enabled."""
        if not self._enabled:
            return
        if not state_dict:
            raise GraphError("load_state_dict: the state is empty: it comes from a GradScaler(enabled=False)")
        for name in self._STATE:
            setattr(self, f"_{name.lstrip('_')}", state_dict[name])
