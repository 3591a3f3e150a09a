"""Comparing a state dict with a module: everything that does not fit, in one report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tinygrad_dl.errors import nearest
from tinygrad_dl.tensor import Tensor

MOST_HINTS = 20  # comparing every name of a large model with every other would take minutes


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict` returns: paths that only the module has, and paths that only the state dict has."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


def compare(
    own: Mapping[str, Tensor], given: Mapping[str, Any], strict: bool, assign: bool
) -> tuple[IncompatibleKeys, str]:
    """The paths on one side only, and what keeps `given` from being loaded into `own`, as lines of text."""
    keys = IncompatibleKeys([path for path in own if path not in given], [path for path in given if path not in own])
    lines = _names(keys) if strict else []
    for path, tensor in own.items():
        if path in given:
            lines += _value(path, tensor, given[path], assign)
    return keys, "\n".join(lines)


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


def _value(path: str, tensor: Tensor, value: Any, assign: bool) -> list[str]:
    if not isinstance(value, Tensor):
        return [f"  {path}: a {type(value).__name__} came; make it a tensor with tinygrad_dl.as_tensor(value)"]
    if value.shape != tensor.shape:
        shapes = f"shape {tuple(value.shape)} in the state dict, {tuple(tensor.shape)} in the module"
        return [f"  size mismatch for {path}: {shapes}"]
    if assign and tensor.requires_grad and not value.is_floating_point():
        return [
            f"  {path}: {value.dtype} can't be assigned to a parameter that is learnt; leave assign out, or convert it"
        ]
    return []
