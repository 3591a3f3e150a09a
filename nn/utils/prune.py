"""Parts of parameters held at zero by a mask, chosen by size or at random."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tinygrad_dl.creation import ones_like
from tinygrad_dl.errors import ArgumentError, ArgumentTypeError, DimensionError, ShapeError
from tinygrad_dl.ops.joining import cat
from tinygrad_dl.random import rand
from tinygrad_dl.tensor import Tensor

from ..module import Module
from ..parameter import Parameter
from .weight_norm import find_hook, own_parameter, take_hook

# Takes scores, one for each candidate, and gives which of them go.
Choice = Callable[[Tensor, int], Tensor]


def _smallest(scores: Tensor, count: int) -> Tensor:
    return scores.topk(count, largest=False).indices


def _any(scores: Tensor, count: int) -> Tensor:
    return rand(scores.numel(), device=scores.device).topk(count).indices


def l1_unstructured(module: Module, name: str, amount: float, importance_scores: Tensor | None = None) -> Module:
    """Hold the `amount` smallest elements of a parameter at zero, by their size or by importance_scores.

    The parameter is `weight_orig` then, the mask the buffer `weight_mask`; the weight is a plain attribute, their
    product, computed before each call. Pruned again, the amount is that of what was left. Arguments: module; name;
    amount, a number of elements, or a fraction as a float. Returns the module. Raises ArgumentError for an amount that
    is no such number or more than there is, ArgumentTypeError for a name that is no parameter.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> from tinygrad_dl.nn.utils import prune
    >>> layer = nn.Linear(4, 1, bias=False)
    >>> _ = layer.weight.data.copy_(tg.tensor([[1.0, 2.0, 3.0, 4.0]]))
    >>> prune.l1_unstructured(layer, "weight", 0.5).weight
    tensor([[0., 0., 3., 4.]], grad_fn=<MulBackward0>)
    """
    return _prune_elements(module, name, amount, _smallest, importance_scores)


def random_unstructured(module: Module, name: str, amount: float) -> Module:
    """Hold `amount` elements of a parameter, drawn at random, at zero; otherwise as `l1_unstructured`."""
    return _prune_elements(module, name, amount, _any, None)


def ln_structured(
    module: Module, name: str, amount: float, n: float, dim: int, importance_scores: Tensor | None = None
) -> Module:
    """Hold the `amount` slices along `dim` of the least n-norm at zero; otherwise as `l1_unstructured`."""
    return _prune_slices(module, name, amount, dim, _smallest, importance_scores, n)


def random_structured(module: Module, name: str, amount: float, dim: int) -> Module:
    """Hold `amount` slices along `dim`, drawn at random, at zero; otherwise as `l1_unstructured`."""
    return _prune_slices(module, name, amount, dim, _any, None, 2)


def identity(module: Module, name: str) -> Module:
    """Hold nothing at zero: only the parameter, the mask of ones and the attribute are there. Returns the module."""
    return _masked(module, name, ones_like(_pruned_or_own(module, name)[0]))


def custom_from_mask(module: Module, name: str, mask: Tensor) -> Module:
    """Hold at zero what a mask has zeros for. Returns the module. Raises ShapeError for a mask of another shape."""
    original, _ = _pruned_or_own(module, name)
    if mask.shape != original.shape:
        raise ShapeError(f"custom_from_mask: mask has shape {tuple(mask.shape)}, {name} {tuple(original.shape)}")
    return _masked(module, name, mask)


class L1Unstructured:
    """Which elements `global_unstructured` takes: the smallest."""

    choose = staticmethod(_smallest)


class RandomUnstructured:
    """Which elements `global_unstructured` takes: any."""

    choose = staticmethod(_any)


def global_unstructured(
    parameters: Iterable[tuple[Module, str]],
    pruning_method: Any,
    importance_scores: dict[tuple[Module, str], Tensor] | None = None,
    *,
    amount: float,
) -> None:
    """Prune several parameters as if they were one: by the smallest of all, or by any.

    Arguments: parameters, pairs of module and name; pruning_method, L1Unstructured or RandomUnstructured;
    importance_scores by pair; amount, of all of them together.
    """
    pairs = list(parameters)
    if pruning_method not in (L1Unstructured, RandomUnstructured):
        raise ArgumentTypeError("global_unstructured: pruning_method must be L1Unstructured or RandomUnstructured")
    scores, masks = [], []
    for module, name in pairs:
        _, mask = _pruned_or_own(module, name)
        given = (importance_scores or {}).get((module, name), getattr(module, name))
        scores.append(given.detach().abs().reshape(-1))
        masks.append(mask)
    gone = _without(cat(scores), cat([mask.reshape(-1) for mask in masks]), amount, pruning_method.choose)
    start = 0
    for (module, name), mask in zip(pairs, masks):
        part = gone[start : start + mask.numel()].reshape(mask.shape)
        start += mask.numel()
        _masked(module, name, part)


def is_pruned(module: Module) -> bool:
    """Whether a parameter of this module, or of one below it, is pruned."""
    return any(isinstance(hook, _Mask) for part in module.modules() for hook in part._forward_pre_hooks.values())


def remove(module: Module, name: str) -> Module:
    """Make a pruned parameter an ordinary one, in which the zeros are values as others. Returns the module."""
    take_hook(module, _Mask, name, "remove")
    original, mask = getattr(module, f"{name}_orig"), getattr(module, f"{name}_mask")
    original.data = (original * mask).detach()
    for part in (name, f"{name}_orig", f"{name}_mask"):
        delattr(module, part)
    module.register_parameter(name, original)
    return module


# --- inside


class _Mask:
    """The hook that computes the pruned tensor."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, module: Any, args: Any) -> None:
        product = getattr(module, f"{self.name}_orig") * getattr(module, f"{self.name}_mask")
        module.__dict__[self.name] = product


def _pruned_or_own(module: Module, name: str) -> tuple[Parameter, Tensor]:
    """The parameter itself and the mask so far."""
    if find_hook(module, _Mask, name) is not None:
        return getattr(module, f"{name}_orig"), getattr(module, f"{name}_mask")
    parameter = own_parameter(module, name, "prune")
    return parameter, ones_like(parameter).detach()


def _masked(module: Module, name: str, mask: Tensor) -> Module:
    """Let a mask, together with the one before, hold a parameter at zero."""
    original, before = _pruned_or_own(module, name)
    together = (mask.to(dtype=original.dtype, device=original.device) * before).detach()
    if find_hook(module, _Mask, name) is not None:
        setattr(module, f"{name}_mask", together)
    else:
        delattr(module, name)
        module.register_parameter(f"{name}_orig", original)
        module.register_buffer(f"{name}_mask", together)
        module.register_forward_pre_hook(_Mask(name))
    _Mask(name)(module, ())
    return module


def _prune_elements(module: Module, name: str, amount: float, choose: Choice, scores: Tensor | None) -> Module:
    original, mask = _pruned_or_own(module, name)
    sizes = (original if scores is None else scores).detach().abs()
    return _masked(module, name, _without(sizes.reshape(-1), mask.reshape(-1), amount, choose).reshape(mask.shape))


def _prune_slices(
    module: Module, name: str, amount: float, dim: int, choose: Choice, scores: Tensor | None, n: float
) -> Module:
    original, mask = _pruned_or_own(module, name)
    if original.ndim < 2 or not -original.ndim <= dim < original.ndim:
        raise DimensionError(
            f"prune: dim {dim} of a tensor of shape {tuple(original.shape)} has no slices to take away"
        )
    others = [i for i in range(original.ndim) if i != dim % original.ndim]
    sizes = (original if scores is None else scores).detach().norm(p=n, dim=others)
    left = (mask.sum(others) != 0).to(mask.dtype)
    kept = _without(sizes, left, amount, choose)
    shape = [1] * original.ndim
    shape[dim] = -1
    return _masked(module, name, kept.reshape(shape).expand(mask.shape))


def _without(scores: Tensor, mask: Tensor, amount: float, choose: Choice) -> Tensor:
    """A mask, of one dimension, without some of those it lets through."""
    left = mask.nonzero()[:, 0]
    kept = mask.clone()
    kept[left[choose(scores[left], _count(amount, left.numel()))]] = 0
    return kept


def _count(amount: Any, total: int) -> int:
    if isinstance(amount, bool) or not isinstance(amount, int | float) or amount < 0:
        raise ArgumentError(f"prune: amount is {amount!r}, but must be a number of elements or a fraction from 0 to 1")
    count = amount if isinstance(amount, int) else round(amount * total)
    if count > total:
        raise ArgumentError(f"prune: amount is {amount}, but only {total} are left")
    return count
