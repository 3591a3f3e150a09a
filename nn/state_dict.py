"""State dicts, and comparing one with a module: everything that does not fit, in one report."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from contextvars import ContextVar, Token
from typing import Any, NamedTuple, Self

from tinygrad_dl.errors import StateDictError, nearest
from tinygrad_dl.tensor import Tensor

EXTRA_STATE = "_extra_state"  # the name of what a module saves beside its tensors
MOST_HINTS = 20  # comparing every name of a large model with every other would take minutes


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict` returns: paths that only the module has, and paths that only the state dict has."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


def empty_state_dict() -> OrderedDict[str, Any]:
    """A state dict that will have in `_metadata` the version of the class of each module, as PyTorch's."""
    state: Any = OrderedDict()
    state._metadata = OrderedDict()
    return state


class Loading:
    """One call of `load_state_dict`: what goes where, and what does not fit."""

    def __init__(self, owner: str, state_dict: Mapping[str, Any], assign: bool) -> None:
        self.owner, self.assign = owner, assign
        self.given = dict(state_dict)  # which hooks may change
        self.keys = IncompatibleKeys([], [])
        self.messages: list[str] = []  # hooks may add some
        self.found: list[tuple[Any, str, Tensor, Tensor]] = []  # (module, name, its tensor, the new value)
        self.extra_states: list[tuple[Any, Any]] = []  # (module, what it saved beside its tensors)
        self.post_hooks: list[tuple[Any, Any]] = []
        self._metadata: Mapping[str, Any] = getattr(state_dict, "_metadata", {})

    def metadata(self, prefix: str) -> dict[str, Any]:
        """What is known of the module at a prefix when it was saved."""
        known = dict(self._metadata.get(prefix.removesuffix("."), {}))
        return {**known, "assign_to_params_buffers": True} if self.assign else known

    def __enter__(self) -> Self:
        self._token: Token[Loading] = _current.set(self)
        return self

    def __exit__(self, *error: object) -> None:
        _current.reset(self._token)

    @staticmethod
    def current() -> Loading:
        """The call that is running, which `_load_from_state_dict` has no argument for."""
        loading = _current.get(None)
        if loading is None:
            raise StateDictError("_load_from_state_dict: call load_state_dict, which calls this for every module")
        return loading

    def find(
        self,
        module: Any,
        own: Mapping[str, Tensor],
        extra: list[str],
        children: Iterable[str],
        given: Mapping[str, Any],
        prefix: str,
    ) -> None:
        """Find a module's own tensors and its extra state among what is given."""
        for name in [*own, *extra]:
            path = prefix + name
            if path not in given:
                self.keys.missing_keys.append(path)
            elif name in extra:
                self.extra_states.append((module, given[path]))
            elif wrong := _value(path, own[name], given[path], self.assign):
                self.messages.append(wrong)
            else:
                self.found.append((module, name, own[name], given[path]))
        known = {*own, *extra}
        for path in given:
            name, dot, _ = str(path).removeprefix(prefix).partition(".")
            mine = str(path).startswith(prefix)  # hooks may have added others
            if mine and not (dot and name in children) and (dot or name not in known):
                self.keys.unexpected_keys.append(path)

    def below(self, children: Iterable[str], given: Mapping[str, Any], prefix: str) -> dict[str, dict[str, Any]]:
        """For each child, what is given below it."""
        parts: dict[str, dict[str, Any]] = {child: {} for child in children}
        for path, value in given.items():
            name, dot, _ = str(path).removeprefix(prefix).partition(".")
            if dot and name in parts:
                parts[name][path] = value
        return parts

    def require_fit(self, strict: bool) -> None:
        """Raise, before anything is loaded, with all that does not fit; of names only when `strict`."""
        lines = [*(_names(self.keys) if strict else []), *(f"  {message}" for message in self.messages)]
        if lines:
            raise StateDictError(f"load_state_dict: nothing was loaded into {self.owner}:\n" + "\n".join(lines))

    def require_names(self, strict: bool) -> None:
        """Raise, after hooks had the last word on the names, for those that they left."""
        if strict and (lines := _names(self.keys)):
            raise StateDictError(
                f"load_state_dict: what has its place was loaded into {self.owner}, but not all:\n" + "\n".join(lines)
            )


_current: ContextVar[Loading] = ContextVar("loading")


def _names(keys: IncompatibleKeys) -> list[str]:
    missing, unexpected = keys
    lines = []
    if missing:
        lines += ["  Missing key(s) in state_dict:", *(f'    "{path}"' for path in missing)]
    if unexpected:
        lines += ["  Unexpected key(s) in state_dict:"]
        prefix = _common_prefix(missing, unexpected)
        for i, path in enumerate(unexpected):
            hint = nearest(path, missing) if i < MOST_HINTS and not prefix else ""
            lines += [f'    "{path}"' + (f".{hint}" if hint else "")]
        if prefix:
            lines += [
                f"  All of these are missing ones with {prefix!r} in front; load "
                f"{{key.removeprefix({prefix!r}): value for key, value in state_dict.items()}}"
            ]
    return lines


def _common_prefix(missing: list[str], unexpected: list[str]) -> str:
    """What a wrapper put in front of every path, such as "module.", or an empty string."""
    first = str(unexpected[0])
    for path in missing:
        prefix = first.removesuffix(path)
        if prefix.endswith(".") and all(str(key).removeprefix(prefix) in missing for key in unexpected):
            return prefix
    return ""


def _value(path: str, tensor: Tensor, value: Any, assign: bool) -> str:
    """Why a value can't be loaded into a tensor, or an empty string."""
    if not isinstance(value, Tensor):
        return f"{path}: a {type(value).__name__} came; make it a tensor with tinygrad_dl.as_tensor(value)"
    if value.shape != tensor.shape:
        shapes = f"shape {tuple(value.shape)} in the state dict, {tuple(tensor.shape)} in the module"
        return f"size mismatch for {path}: {shapes}"
    if assign and tensor.requires_grad and not value.is_floating_point():
        return f"{path}: {value.dtype} can't be assigned to a parameter that is learnt; leave assign out, or convert it"
    return ""
