"""Hooks of optimizers: the user's functions that are called around steps, saving and loading."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar, cast

from tinygrad_dl.errors import HookResultError
from tinygrad_dl.hooks import RemovableHandle
from tinygrad_dl.registry import Hook, Registry, add, of_kind

# Where a hook is called.
STEP_PRE, STEP_POST = "step pre", "step post"
STATE_DICT_PRE, STATE_DICT_POST, LOAD_PRE, LOAD_POST = "state_dict pre", "state_dict post", "load pre", "load post"

Step = TypeVar("Step", bound=Callable[..., Any])

everywhere: Registry = OrderedDict()  # hooks on the steps of all optimizers


def register_optimizer_step_pre_hook(hook: Callable[[Any, Any, Any], Any]) -> RemovableHandle:
    """Call `hook(optimizer, args, kwargs)` before every optimizer's step, before the optimizer's own hooks.

    Otherwise as `Optimizer.register_step_pre_hook`. It holds for all optimizers in all threads until it is removed.
    """
    return add(everywhere, Hook(STEP_PRE, hook))


def register_optimizer_step_post_hook(hook: Callable[[Any, Any, Any], None]) -> RemovableHandle:
    """Call `hook(optimizer, args, kwargs)` after every optimizer's step, after the optimizer's own hooks.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl.optim.optimizer import register_optimizer_step_post_hook
    >>> with register_optimizer_step_post_hook(lambda optimizer, args, kwargs: print(type(optimizer).__name__)):
    ...     tg.optim.SGD([tg.zeros(2, requires_grad=True)], lr=0.1).step()
    SGD
    """
    return add(everywhere, Hook(STEP_POST, hook))


def hooked(step: Step) -> Step:
    """A `step` around which the hooks are called: around that of the optimizer's class, not of a class above it."""

    @functools.wraps(step)
    def step_with_hooks(self: Any, *args: Any, **kwargs: Any) -> Any:
        self.stepped = True
        if not (self._hooks or everywhere) or type(self).step is not step_with_hooks:
            return step(self, *args, **kwargs)
        args = (self, *args)  # hooks see it there, as in PyTorch
        for _, hook in of_kind(STEP_PRE, everywhere, self._hooks):
            changed = hook.function(self, args, kwargs)
            if changed is not None:
                if not (isinstance(changed, tuple) and len(changed) == 2):
                    raise HookResultError(
                        f"{type(self).__name__}.step: a pre-hook must return None or a tuple (args, kwargs), not "
                        f"{changed!r}"
                    )
                args, kwargs = changed
        result = step(*args, **kwargs)
        for _, hook in of_kind(STEP_POST, self._hooks, everywhere):
            hook.function(self, args, kwargs)
        return result

    return cast(Step, step_with_hooks)


def changed_by(hooks: list[tuple[int, Hook]], optimizer: Any, state_dict: Any) -> Any:
    """A state dict after hooks have changed it, or returned another one."""
    for _, hook in hooks:
        changed = hook.function(optimizer, state_dict)
        state_dict = state_dict if changed is None else changed
    return state_dict
