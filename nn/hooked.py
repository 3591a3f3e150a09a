"""The methods by which a module takes hooks, and the views of those it has."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from tinygrad_dl.hooks import RemovableHandle
from tinygrad_dl.registry import Hook, Registry, add, of_kind

from . import hooks


class Hooked:
    """The part of a Module that takes hooks."""

    _hooks: Registry | None = None  # around calls and backward; made with the first one

    if TYPE_CHECKING:
        _not_initialized: Callable[[], Exception]

    def _add_hook(self, registry: str, hook: Hook, prepend: bool = False) -> RemovableHandle:
        if "_kinds" not in self.__dict__:
            raise self._not_initialized()
        return add(self.__dict__.setdefault(registry, OrderedDict()), hook, prepend)

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args)` before every forward; what it returns replaces the positional arguments.

        Arguments: hook, which returns None, a tuple, or one argument; prepend, whether it comes before the module's
        other such hooks; with_kwargs, whether it is called as `hook(module, args, kwargs)` and returns None or the pair
        (args, kwargs). Returns a handle with `remove()`. The call raises HookResultError (a RuntimeError) if a hook
        with kwargs returns anything else.

        >>> import tinygrad_dl as tg
        >>> from tinygrad_dl import nn
        >>> layer = nn.Identity()
        >>> handle = layer.register_forward_pre_hook(lambda module, args: args[0] * 2)
        >>> layer(tg.ones(2))
        tensor([2., 2.])
        """
        return self._add_hook("_hooks", Hook(hooks.FORWARD_PRE, hook, with_kwargs), prepend)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args, output)` after every forward; what it returns, unless None, replaces the output.

        Arguments: hook; prepend, whether it comes before the module's other such hooks; with_kwargs, whether it is
        called as `hook(module, args, kwargs, output)`; always_call, whether it is called also if the call fails, then
        with the output so far, or None. Returns a handle with `remove()`.

        >>> import tinygrad_dl as tg
        >>> from tinygrad_dl import nn
        >>> layer, shapes = nn.Linear(2, 3), []
        >>> with layer.register_forward_hook(lambda module, args, output: shapes.append(tuple(output.shape))):
        ...     y = layer(tg.ones(4, 2))
        >>> shapes
        [(4, 3)]
        """
        return self._add_hook("_hooks", Hook(hooks.FORWARD, hook, with_kwargs, always_call), prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` in backward, when the gradients of the inputs are there.

        They are tuples with None for what is no tensor, and in grad_output for an output that nobody used. What the
        hook returns, unless None, replaces grad_input, and must have its length, shapes and dtypes. Where no input
        requires grad, hooks are called with the gradients of the outputs, and a warning. The inputs and outputs can't
        be edited in place. Only positional arguments count, and an output that is a tensor or a tuple.

        Arguments: hook; prepend, whether it comes before the module's other such hooks. Returns a handle with
        `remove()`. Backward raises HookResultError (a RuntimeError) for a wrong count, ShapeError or DtypeError for
        gradients that differ.

        >>> import tinygrad_dl as tg
        >>> from tinygrad_dl import nn
        >>> layer = nn.Tanh()
        >>> handle = layer.register_full_backward_hook(lambda module, grad_input, grad_output: (grad_input[0] * 10,))
        >>> x = tg.zeros(2, requires_grad=True)
        >>> layer(x).sum().backward(); x.grad
        tensor([10., 10.])
        """
        return self._add_hook("_hooks", Hook(hooks.FULL_BACKWARD, hook), prepend)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_output)` in backward, when the gradients of the module's outputs are there.

        What it returns, unless None, replaces grad_output; None among the gradients stands for zeros. Otherwise as
        `register_full_backward_hook`.
        """
        return self._add_hook("_hooks", Hook(hooks.FULL_BACKWARD_PRE, hook), prepend)

    def register_backward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """PyTorch's older form. Raises NotImplementedError: use `register_full_backward_hook`."""
        raise hooks.no_partial_hook("register_backward_hook", "register_full_backward_hook")

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(module, prefix, keep_vars)` before `state_dict` collects this module's state."""
        return self._add_hook("_state_hooks", Hook(hooks.STATE_DICT_PRE, hook))

    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(module, state_dict, prefix, local_metadata)` after `state_dict` collected this module's state.

        It may change the state dict in place, and returns None; `state_dict` raises HookResultError for anything else.

        >>> from tinygrad_dl import nn
        >>> def leave_out_bias(module, state, prefix, metadata):
        ...     del state[prefix + "bias"]
        >>> layer = nn.Linear(2, 3)
        >>> handle = layer.register_state_dict_post_hook(leave_out_bias)
        >>> list(layer.state_dict())
        ['weight']
        """
        return self._add_hook("_state_hooks", Hook(hooks.STATE_DICT, hook))

    def _register_state_dict_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """PyTorch's older form of `register_state_dict_post_hook`: may return another state dict for the outermost."""
        return self._add_hook("_state_hooks", Hook(hooks.STATE_DICT, hook, may_replace=True))

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call a hook before this module's part of a state dict is read, so that it may rename and convert.

        hook(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs) changes them
        in place: the state dict, in which this module's keys begin with `prefix`, and the lists, of which `error_msgs`
        makes loading fail. `local_metadata` has the "version" of the class that saved, if that is known.

        >>> from tinygrad_dl import nn
        >>> def rename(module, state, prefix, *rest):
        ...     state[prefix + "weight"] = state.pop(prefix + "kernel")
        >>> layer = nn.Linear(2, 3, bias=False)
        >>> handle = layer.register_load_state_dict_pre_hook(rename)
        >>> layer.load_state_dict({"kernel": nn.Linear(2, 3).weight.detach()})
        <All keys matched successfully>
        """
        return self._add_hook("_state_hooks", Hook(hooks.LOAD_PRE, hook))

    def _register_load_state_dict_pre_hook(
        self, hook: Callable[..., Any], with_module: bool = False
    ) -> RemovableHandle:
        """PyTorch's older form of `register_load_state_dict_pre_hook`: without the module unless asked for."""
        return self._add_hook("_state_hooks", Hook(hooks.LOAD_PRE, hook, with_module=with_module))

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(module, incompatible_keys)` after a state dict was loaded.

        It may change the lists `missing_keys` and `unexpected_keys` in place, by which loading fails or not, and
        returns None; `load_state_dict` raises HookResultError for anything else.
        """
        return self._add_hook("_state_hooks", Hook(hooks.LOAD_POST, hook))

    def _hooks_by_number(self, kind: str) -> Mapping[int, Callable[..., Any]]:
        """This module's own hooks of one kind, to read."""
        return MappingProxyType({i: hook.function for i, hook in of_kind(kind, self._hooks)})

    _forward_pre_hooks = property(lambda self: self._hooks_by_number(hooks.FORWARD_PRE))
    _forward_hooks = property(lambda self: self._hooks_by_number(hooks.FORWARD))
    _backward_pre_hooks = property(lambda self: self._hooks_by_number(hooks.FULL_BACKWARD_PRE))
    _backward_hooks = property(lambda self: self._hooks_by_number(hooks.FULL_BACKWARD))
