"""Hooks of modules: the user's functions that are called around forward, backward and registration."""

from __future__ import annotations

import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from tinygrad_dl import creation
from tinygrad_dl.anomaly import look_at_hook
from tinygrad_dl.errors import ArgumentTypeError, DtypeError, HookResultError, ShapeError
from tinygrad_dl.hooks import RemovableHandle
from tinygrad_dl.node import own
from tinygrad_dl.operation import modes, operation
from tinygrad_dl.registry import Hook, Registry, add, of_kind
from tinygrad_dl.tensor import Tensor, wrap
from tinygrad_dl.views import alias

# Where a hook is called.
FORWARD_PRE, FORWARD, FULL_BACKWARD_PRE, FULL_BACKWARD = "forward pre", "forward", "backward pre", "backward"
STATE_DICT_PRE, STATE_DICT, LOAD_PRE, LOAD_POST = "state_dict pre", "state_dict", "load pre", "load post"

# Hooks on the calls of all modules, and what keeps an eye on those calls. A module's call looks here first.
everywhere: Registry = OrderedDict()
# Hooks on what any module registers; their kind is that of the value.
registration: Registry = OrderedDict()


# --- around a call


def call(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A module's call with its hooks; a trace is told which modules are running."""
    running = modes.modules
    if running is None:
        return _call(module, args, kwargs)
    running.append(module)
    try:
        return _call(module, args, kwargs)
    finally:
        running.pop()


def _call(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    result, called = None, set()
    try:
        for _, hook in of_kind(FORWARD_PRE, everywhere, module._hooks):
            args, kwargs = _new_arguments(module, hook, args, kwargs)
        passage = _passage(module)
        if passage is not None:
            args = passage.enter(args)
        result = module.forward(*args, **kwargs)
        for i, hook in of_kind(FORWARD, everywhere, module._hooks):
            called.add(i)
            result = _new_result(module, hook, args, kwargs, result)
        return result if passage is None else passage.leave(result)
    except Exception as error:
        for i, hook in of_kind(FORWARD, everywhere, module._hooks):
            if hook.always_call and i not in called:
                result = _new_result_after(error, module, hook, args, kwargs, result)
        raise


def _new_arguments(module: Any, hook: Hook, args: Any, kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if not hook.with_kwargs:
        changed = hook.function(module, args)
        changed = args if changed is None else changed
        return (changed if isinstance(changed, tuple) else (changed,)), kwargs
    changed = hook.function(module, args, kwargs)
    if changed is None:
        return args, kwargs
    if not (isinstance(changed, tuple) and len(changed) == 2):
        raise HookResultError(
            f"{type(module).__name__}: a forward pre-hook with kwargs must return None or a tuple (args, kwargs), not "
            f"{changed!r}"
        )
    return changed


def _new_result(module: Any, hook: Hook, args: Any, kwargs: Any, result: Any) -> Any:
    given = (args, kwargs) if hook.with_kwargs else (args,)
    changed = hook.function(module, *given, result)
    return result if changed is None else changed


def _new_result_after(error: Exception, module: Any, hook: Hook, args: Any, kwargs: Any, result: Any) -> Any:
    """What a hook that is always called makes of a result when the call failed; the first error is the one to see."""
    try:
        return _new_result(module, hook, args, kwargs, result)
    except Exception as second:
        warnings.warn(
            f"{type(module).__name__}: a forward hook with always_call=True raised {second!r}, which gives way to the "
            f"error before it: {error!r}",
            UserWarning,
            stacklevel=5,
        )
        return result


# --- around backward


@operation("backward_hook_function", listed="tensors", tensors=lambda g: list(g))
def _pass(tensors: Any) -> Any:
    """Tensors as they came, as the outputs of one node: it is passed once the gradients of all of them are there."""
    return tuple(tensors)


def _passage(module: Any) -> _Passage | None:
    pre_hooks = of_kind(FULL_BACKWARD_PRE, everywhere, module._hooks)
    hooks = of_kind(FULL_BACKWARD, everywhere, module._hooks)
    if not hooks and not pre_hooks:
        return None
    return _Passage(module, [hook.function for _, hook in pre_hooks], [hook.function for _, hook in hooks])


class _Walk(threading.local):
    """What a call of a module with backward hooks knows of the walk in this thread; others may walk the same graph."""

    grad_output: tuple[Tensor | None, ...] | None = None

    def __init__(self) -> None:
        self.arrived: set[int] = set()


class _Passage:
    """One call of a module with backward hooks.

    Its inputs and its outputs pass through a node each. In backward the node of the outputs calls the pre-hooks and
    keeps the gradients for the node of the inputs, which calls the hooks.
    """

    def __init__(self, module: Any, pre_hooks: list[Any], hooks: list[Any]) -> None:
        self.module, self.pre_hooks, self.hooks = module, pre_hooks, hooks
        self.n_inputs, self.inputs_watched = 0, False
        self.walk = _Walk()

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, those that require grad passed through a node."""
        like = [(v.shape, v.dtype, v.device) if isinstance(v, Tensor) else None for v in args]

        def see(grads: list[Tensor | None]) -> Sequence[Tensor | None]:
            return self._see_inputs(tuple([_zeros(one) if g is None else g for g, one in zip(grads, like)]))

        self.n_inputs = len(args)
        passed = _pass_through(args, see)
        self.inputs_watched = passed is not args
        return passed

    def leave(self, result: Any) -> Any:
        """The result, the tensors of it that require grad passed through a node."""
        if not isinstance(result, Tensor | tuple):
            warnings.warn(
                f"{type(self.module).__name__}: backward hooks are called for a Tensor or a tuple of Tensors, "
                f"not for a result of type {type(result).__name__}",
                UserWarning,
                stacklevel=5,
            )
            return result
        if isinstance(result, tuple):
            return _pass_through(result, self._see_outputs)
        return _pass_through((result,), self._see_outputs)[0]

    def _see_outputs(self, grads: list[Tensor | None]) -> Sequence[Tensor | None]:
        grad_output = tuple(grads)
        for hook in self.pre_hooks:
            changed = hook(self.module, grad_output)
            grad_output = self._replaced(hook, grad_output, changed, "grad_output")
        if self.inputs_watched:
            self.walk.grad_output = grad_output
        elif self.hooks:
            self._without_inputs(grad_output)
        return [
            creation.zeros_like(old) if new is None and old is not None else new for old, new in zip(grads, grad_output)
        ]

    def _see_inputs(self, grad_input: tuple[Tensor | None, ...]) -> Sequence[Tensor | None]:
        grad_output = self.walk.grad_output
        if grad_output is None:  # a second derivative, which comes by the inputs but not by the outputs
            return grad_input
        for hook in self.hooks:
            changed = hook(self.module, grad_input, grad_output)
            grad_input = self._replaced(hook, grad_input, changed, "grad_input")
        self.walk.grad_output = None
        return grad_input

    def _without_inputs(self, grad_output: tuple[Tensor | None, ...]) -> None:
        name = type(self.module).__name__
        warnings.warn(
            f"{name}: no input requires grad, so its full backward hooks are called when the gradients of its outputs "
            "are there, with None for those of the inputs",
            UserWarning,
            stacklevel=2,
        )
        for hook in self.hooks:
            changed = hook(self.module, (None,) * self.n_inputs, grad_output)
            if changed is not None and not (isinstance(changed, tuple) and all(g is None for g in changed)):
                raise HookResultError(
                    f"{name}: a full backward hook must return None, or None for all inputs, where no input requires "
                    f"grad; it returned {changed!r}"
                )

    def _replaced(
        self, hook: Any, grads: tuple[Tensor | None, ...], changed: Any, what: str
    ) -> tuple[Tensor | None, ...]:
        """The gradients after a hook returned `changed`."""
        if changed is None:
            return grads
        if not isinstance(changed, tuple | list) or len(changed) != len(grads):
            came = f"{len(changed)}" if isinstance(changed, tuple | list) else type(changed).__name__
            raise HookResultError(
                f"{type(self.module).__name__}: a backward hook must return None or a tuple of {len(grads)} {what}, "
                f"{came} came"
            )
        look_at_hook(hook, grads, changed)
        return tuple(changed)


def _zeros(like: tuple[Any, Any, Any] | None) -> Tensor | None:
    """The gradient of an input that got none, as in PyTorch: None only for what is no tensor."""
    return None if like is None else creation.zeros(like[0], dtype=like[1], device=like[2])


def _pass_through(values: tuple[Any, ...], see: Callable[[list[Tensor | None]], Sequence[Tensor | None]]) -> Any:
    """Some values, those that require grad passed through one node, where `see` sees and may change their gradients.

    It gets a gradient or None for each value, None where none came, and gives as many.
    """
    at = [i for i, value in enumerate(values) if isinstance(value, Tensor) and value.requires_grad]
    if not at or modes.record is None:
        return values
    outputs, n = _pass([values[i] for i in at]), len(values)
    walk = _Walk()

    def note(i: int) -> Callable[[Any], None]:
        return lambda g: walk.arrived.add(i)

    def pass_on(parts: Any) -> Any:
        grads: list[Tensor | None] = [None] * n  # not len(values): the graph would hold them
        for i, part in zip(at, parts):
            if i in walk.arrived:
                grads[i] = part.clone() if isinstance(part, Tensor) else wrap(own(part))  # which hooks may edit
        walk.arrived.clear()
        changed = see(list(grads))
        new = [_checked(changed[i], part) for i, part in zip(at, parts)]
        return tuple([g if g is None or isinstance(part, Tensor) else g.array for g, part in zip(new, parts)])

    passed = list(values)
    outputs[0].node.parent.watch("module", pass_on)
    for i, output in zip(at, outputs):
        output.node.watch("module", note(i))
        alias(values[i], output, "is an input or a result of a module with backward hooks")
        passed[i] = output
    return tuple(passed) if type(values) is tuple else type(values)(*passed)


def _checked(new: Any, old: Any) -> Tensor | None:
    """What a hook returned in the place of a gradient, if it can stand there."""
    if new is None:
        return None
    if not isinstance(new, Tensor):
        raise ArgumentTypeError(f"backward hook: return Tensors or None, not {type(new).__name__}")
    if tuple(new.shape) != old.shape:
        raise ShapeError(f"backward hook: a gradient of shape {tuple(new.shape)} came back for one of {old.shape}")
    if new.array.dtype != old.dtype:
        raise DtypeError(f"backward hook: a gradient of {new.dtype} came back for one of {old.dtype}")
    return new


# --- of all modules


def register_module_forward_pre_hook(hook: Callable[[Any, tuple[Any, ...]], Any]) -> RemovableHandle:
    """Call `hook(module, args)` before every module's forward, before the module's own hooks.

    Otherwise as `Module.register_forward_pre_hook`. It holds for all modules in all threads until it is removed.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> from tinygrad_dl.nn.modules.module import register_module_forward_pre_hook
    >>> with register_module_forward_pre_hook(lambda module, args: print(type(module).__name__)):
    ...     y = nn.Sequential(nn.Tanh())(tg.ones(1))
    Sequential
    Tanh
    """
    return add(everywhere, Hook(FORWARD_PRE, hook))


def register_module_forward_hook(
    hook: Callable[..., Any], *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Call `hook(module, args, output)` after every module's forward, before the module's own hooks.

    Otherwise as `Module.register_forward_hook`. It holds for all modules in all threads until it is removed.
    """
    return add(everywhere, Hook(FORWARD, hook, with_kwargs, always_call))


def register_module_full_backward_pre_hook(hook: Callable[[Any, Any], Any]) -> RemovableHandle:
    """Call `hook(module, grad_output)` in the backward of every module, before the module's own hooks.

    Otherwise as `Module.register_full_backward_pre_hook`.
    """
    return add(everywhere, Hook(FULL_BACKWARD_PRE, hook))


def register_module_full_backward_hook(hook: Callable[[Any, Any, Any], Any]) -> RemovableHandle:
    """Call `hook(module, grad_input, grad_output)` in the backward of every module, before the module's own hooks.

    Otherwise as `Module.register_full_backward_hook`.
    """
    return add(everywhere, Hook(FULL_BACKWARD, hook))


def register_module_backward_hook(hook: Callable[[Any, Any, Any], Any]) -> RemovableHandle:
    """PyTorch's older form. Raises NotImplementedError: use `register_module_full_backward_hook`."""
    raise no_partial_hook("register_module_backward_hook", "register_module_full_backward_hook")


def no_partial_hook(old: str, new: str) -> NotImplementedError:
    """The error for the backward hooks from before the full ones."""
    return NotImplementedError(
        f"{old}: this deprecated form sees the gradients of the module's last operation only; use {new}"
    )


# --- of what modules register


def register_module_parameter_registration_hook(hook: Callable[[Any, str, Any], Any]) -> RemovableHandle:
    """Call `hook(module, name, parameter)` when any module registers a parameter; it may return another one.

    >>> from tinygrad_dl import nn
    >>> from tinygrad_dl.nn.modules.module import register_module_parameter_registration_hook
    >>> with register_module_parameter_registration_hook(lambda module, name, parameter: print(name)):
    ...     layer = nn.Linear(2, 3)
    weight
    bias
    """
    return add(registration, Hook("parameter", hook))


def register_module_buffer_registration_hook(hook: Callable[[Any, str, Any], Any]) -> RemovableHandle:
    """Call `hook(module, name, buffer)` when any module registers a buffer (or None); it may return another one."""
    return add(registration, Hook("buffer", hook))


def register_module_module_registration_hook(hook: Callable[[Any, str, Any], Any]) -> RemovableHandle:
    """Call `hook(module, name, submodule)` when any module registers a submodule; it may return another one."""
    return add(registration, Hook("module", hook))


def registered(module: Any, name: str, kind: str, value: Any) -> Any:
    """What the hooks make of a value that a module is about to register."""
    for _, hook in of_kind(kind.removeprefix("transient "), registration):
        changed = hook.function(module, name, value)
        value = value if changed is None else changed
    return value
