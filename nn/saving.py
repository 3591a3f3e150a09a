"""What a module saves and loads: its state dict, with the hooks around it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from tinygrad_dl.autograd import no_grad
from tinygrad_dl.errors import ArgumentTypeError, HookResultError
from tinygrad_dl.registry import Registry, of_kind
from tinygrad_dl.tensor import Tensor

from . import hooks
from .parameter import BUFFER, MODULE, PARAMETER, Parameter
from .state_dict import EXTRA_STATE, IncompatibleKeys, Loading, empty_state_dict


class Saved:
    """The part of a Module that saves and loads."""

    _state_hooks: Registry | None = None  # made with the first one
    _version: int = 1  # of what the state dict holds; a class that changes this counts it up

    if TYPE_CHECKING:
        _kinds: dict[str, str]
        _named: Callable[..., list[tuple[str, Any]]]
        _register: Callable[[str, str, Any], None]

    def state_dict(
        self, *args: Any, destination: dict[str, Any] | None = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Tensor]:
        """All parameters and persistent buffers by their paths: what `save` takes and `load_state_dict` reads.

        The tensors share the module's memory: they change when it learns. Arguments: destination, a dict to add to;
        prefix, what the paths start with; keep_vars, the parameters themselves instead of tensors outside the graph.

        >>> from tinygrad_dl import nn
        >>> {path: tuple(value.shape) for path, value in nn.Sequential(nn.Linear(2, 3)).state_dict().items()}
        {'0.weight': (3, 2), '0.bias': (3,)}
        """
        if args:
            warnings.warn("state_dict: give destination, prefix and keep_vars by name", FutureWarning, stacklevel=2)
            given: list[Any] = [*args, *[destination, prefix, keep_vars][len(args) :]]
            destination, prefix, keep_vars = given
        destination = empty_state_dict() if destination is None else destination
        metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix.removesuffix(".")] = metadata
        for _, hook in of_kind(hooks.STATE_DICT_PRE, self._state_hooks):
            hook.function(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._named(MODULE):
            if module is not None:
                module.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for _, hook in of_kind(hooks.STATE_DICT, self._state_hooks):
            result = hook.function(self, destination, prefix, metadata)
            if result is not None and not hook.may_replace:
                raise HookResultError(
                    f"{type(self).__name__}.state_dict: a post-hook must change the state dict in place and return "
                    f"None, not a {type(result).__name__}"
                )
            destination = destination if result is None else result
        return destination

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        """Put this module's own state, without those below it, into a state dict; a subclass may add to it."""
        for name, tensor in self._own_state():
            destination[prefix + name] = tensor if keep_vars else tensor.detach()
        if self._has_own("get_extra_state"):
            destination[prefix + EXTRA_STATE] = self.get_extra_state()

    def get_extra_state(self) -> Any:
        """What a module saves beside its tensors; a subclass that has some defines this and `set_extra_state`.

        `state_dict` keeps what it returns under the name "_extra_state". `save` takes tensors, numbers, strings, bools
        and None, in dicts, lists and tuples.
        """
        raise NotImplementedError(f"{type(self).__name__}: define get_extra_state(self) to save more than tensors")

    def set_extra_state(self, state: Any) -> None:
        """Take back what `get_extra_state` returned; called by `load_state_dict`."""
        raise NotImplementedError(f"{type(self).__name__}: define set_extra_state(self, state) to load extra state")

    def _has_own(self, method: str) -> bool:
        return getattr(type(self), method) is not getattr(Saved, method)

    def _own_state(self) -> list[tuple[str, Tensor]]:
        return [pair for kind in (PARAMETER, BUFFER) for pair in self._named(kind) if pair[1] is not None]

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copy the values of a state dict into the parameters and buffers, once all of them are known to fit.

        Arguments: state_dict, tensors by path; strict, whether missing and unexpected paths are errors; assign, whether
        the tensors themselves, with their dtype and device, take the place of the old ones, instead of being copied.
        Returns the missing and the unexpected paths. Raises StateDictError, which lists everything that does not fit
        with the nearest names, and then has changed nothing.

        >>> from tinygrad_dl import nn
        >>> nn.Linear(2, 3).load_state_dict(nn.Linear(2, 3).state_dict())
        <All keys matched successfully>
        """
        if not isinstance(state_dict, Mapping):
            raise ArgumentTypeError(
                f"load_state_dict: state_dict must be a dict of tensors, not {type(state_dict).__name__}"
            )
        loading = Loading(type(self).__name__, state_dict, assign)
        with loading:
            self._find_state(loading.given, "", loading)
        loading.require_fit(strict and not loading.post_hooks)
        with no_grad():
            for module, name, tensor, value in loading.found:
                if assign:
                    module._assign(name, tensor, value)
                else:
                    tensor.copy_(value)
        for module, extra in loading.extra_states:
            module.set_extra_state(extra)
        for module, hook in loading.post_hooks:
            if hook.function(module, loading.keys) is not None:
                raise HookResultError("load_state_dict: a post-hook must change the keys in place and return None")
        loading.require_names(strict)
        return loading.keys

    def _find_state(self, given: dict[str, Any], prefix: str, loading: Loading) -> None:
        """Find in a state dict, once the hooks have changed it, what is of this module and of those below it."""
        metadata = loading.metadata(prefix)
        self._load_from_state_dict(given, prefix, metadata, True, *loading.keys, loading.messages)
        children = {name: module for name, module in self._named(MODULE) if module is not None}
        below = loading.below(children, given, prefix)
        for name, child in children.items():
            child._find_state(below[name], f"{prefix}{name}.", loading)
        loading.post_hooks += [(self, hook) for _, hook in of_kind(hooks.LOAD_POST, self._state_hooks)]

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Find this module's own state, without that of those below it, in a state dict.

        A subclass overrides this to rename or convert what older versions saved, and calls `super()`'s. What is found
        is copied once all modules have found theirs and nothing is wrong. Arguments as those of the hooks of
        `register_load_state_dict_pre_hook`.
        """
        loading = Loading.current()
        for _, hook in of_kind(hooks.LOAD_PRE, self._state_hooks):
            module = (self,) if hook.with_module else ()
            hook.function(
                *module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
            )
        children = [name for name, module in self._named(MODULE) if module is not None]
        extra = [EXTRA_STATE] if self._has_own("set_extra_state") else []
        loading.find(self, dict(self._own_state()), extra, children, state_dict, prefix)

    def _assign(self, name: str, old: Tensor, new: Tensor) -> None:
        if isinstance(old, Parameter):
            new = new if isinstance(new, Parameter) else Parameter(new)
            new.requires_grad_(old.requires_grad)
        self._register(name, self._kinds[name], new)
