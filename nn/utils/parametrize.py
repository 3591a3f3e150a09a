"""Parameters computed from others: `module.weight` becomes `parametrization(original)`, read whenever it is used."""

from __future__ import annotations

import contextlib
import copy
import functools
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from tinygrad_dl.autograd import no_grad
from tinygrad_dl.errors import ArgumentError, ArgumentTypeError
from tinygrad_dl.tensor import Tensor

from ..containers import ModuleDict, ModuleList
from ..module import Module, RegistrationError
from ..parameter import Parameter

# While `cached()` holds: how many such blocks are open, and what was computed in them.
_open_blocks = 0
_computed: dict[tuple[int, str], Tensor] = {}


@contextlib.contextmanager
def cached() -> Iterator[None]:
    """Within the block each parametrized tensor is computed once, however often it is read.

    It holds in all threads. Assigning to a parametrized tensor in the block has it computed anew.

    >>> from tinygrad_dl import nn
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 3))
    >>> with nn.utils.parametrize.cached():
    ...     layer.weight is layer.weight
    True
    """
    global _open_blocks
    _open_blocks += 1
    try:
        yield
    finally:
        _open_blocks -= 1
        if not _open_blocks:
            _computed.clear()


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor, applied in order, and what they start from: `original`, or `original0`...

    Arguments: modules, at least one; original, the tensor so far; unsafe, whether shape and dtype may change. Raises
    ArgumentError where they do without `unsafe`.
    """

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False) -> None:
        if not modules:
            raise ArgumentError("ParametrizationList: at least one parametrization is needed")
        super().__init__(modules)
        self.unsafe = unsafe
        with no_grad():
            start = original
            for part in reversed(list(self)):
                with contextlib.suppress(NotImplementedError):
                    start = part.right_inverse(start) if hasattr(part, "right_inverse") else start
        self.is_tensor = isinstance(start, Tensor)
        if self.is_tensor:
            _require_dtype("right_inverse returned", start, original)
            with no_grad():
                original.data = start
            self._hold("original", original)
        else:
            self.ntensors = len(_require_tensors(start))
            for i, tensor in enumerate(start):
                learnt = isinstance(original, Parameter)
                self._hold(f"original{i}", Parameter(tensor, original.requires_grad) if learnt else tensor)
        if not unsafe:
            _require_like("the parametrization returned", self(), original)

    def _hold(self, name: str, tensor: Tensor) -> None:
        if isinstance(tensor, Parameter):
            self.register_parameter(name, tensor)
        else:
            self.register_buffer(name, tensor)

    def _originals(self) -> list[Tensor]:
        if self.is_tensor:
            return [self.original]
        return [getattr(self, f"original{i}") for i in range(self.ntensors)]

    def forward(self) -> Tensor:
        first, *others = self
        value = first(*self._originals())
        for part in others:
            value = part(value)
        return value

    def right_inverse(self, value: Any) -> None:
        """Set the originals so that the parametrized tensor is `value`: what assigning to it does.

        Raises NotImplementedError for a parametrization without `right_inverse`.
        """
        with no_grad():
            for part in reversed(list(self)):
                if not hasattr(part, "right_inverse"):
                    raise NotImplementedError(
                        f"{type(part).__name__}: a value can't be assigned to a tensor with this parametrization; "
                        "define right_inverse(self, value) in it, or set the original"
                    )
                value = part.right_inverse(value)
            values = [value] if self.is_tensor else _require_tensors(value)
            originals = self._originals()
            if len(values) != len(originals):
                raise ArgumentError(f"right_inverse must return {len(originals)} tensors, {len(values)} came")
            for original, new in zip(originals, values):
                _require_dtype("right_inverse returned", new, original)
                original.data = new


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Compute a parameter or buffer of a module by another module: `module.weight` is `parametrization(original)`.

    The original is learnt and saved, under "parametrizations.weight.original". More than one follow each other. A
    parametrization that defines `right_inverse(value)` has the start value, and later values that are assigned, go
    through it; where it returns several tensors, these are `original0`, `original1`...

    Arguments: module; tensor_name; parametrization; unsafe, whether shape and dtype may change. Returns the module, the
    class of which is from now on one derived from its own. Raises ArgumentError for a name that is no parameter or
    buffer, and for another shape or dtype without `unsafe`.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> class Symmetric(nn.Module):
    ...     def forward(self, x):
    ...         return x.triu() + x.triu(1).T
    >>> layer = nn.utils.parametrize.register_parametrization(nn.Linear(3, 3), "weight", Symmetric())
    >>> bool((layer.weight == layer.weight.T).all()), list(layer.state_dict())
    (True, ['bias', 'parametrizations.weight.original'])
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        if not unsafe:
            _require_chain(parametrization, getattr(module, tensor_name))
        held = module.parametrizations[tensor_name]
        held.append(parametrization)
        held.unsafe |= unsafe
    elif tensor_name in module._buffers or tensor_name in module._parameters:
        held = ParametrizationList([parametrization], getattr(module, tensor_name), unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            module.parametrizations = ModuleDict()
        module.parametrizations[tensor_name] = held
        _renew_class(module)
    else:
        names = [*module._parameters, *module._buffers]
        raise ArgumentError(
            f"register_parametrization: {type(module).__name__} has no parameter or buffer {tensor_name!r}, "
            f"only {names}"
        )
    return module


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether a tensor of a module, or with None any of its own tensors, is parametrized."""
    held = module.__dict__.get("parametrizations")
    if not isinstance(held, ModuleDict):
        return False
    return len(held) > 0 if tensor_name is None else tensor_name in held


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Make a parametrized tensor an ordinary one: of its value, or else (leave_parametrized=False) the original.

    Returns the module, of its own class again with the last one. Raises ArgumentError for a tensor that is not
    parametrized, and for several originals, of which none can be left.

    >>> from tinygrad_dl import nn
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 3))
    >>> nn.utils.parametrize.remove_parametrizations(layer, "weight")
    Linear(in_features=2, out_features=3, bias=True)
    """
    if not is_parametrized(module, tensor_name):
        raise ArgumentError(f"remove_parametrizations: {type(module).__name__}.{tensor_name} is not parametrized")
    held = module.parametrizations[tensor_name]
    if not held.is_tensor and not leave_parametrized:
        raise ArgumentError(
            f"remove_parametrizations: {tensor_name} is computed from {held.ntensors} tensors, of which none can take "
            "its place; leave it parametrized"
        )
    value = getattr(module, tensor_name)
    if held.is_tensor:
        tensor = held.original
        if leave_parametrized:
            tensor.data = value.detach()
    else:
        tensor = Parameter(value.detach()) if value.requires_grad else value
    del module.parametrizations[tensor_name]
    if not is_parametrized(module):
        del module.parametrizations
    _renew_class(module)
    if isinstance(tensor, Parameter):
        module.register_parameter(tensor_name, tensor)
    else:
        module.register_buffer(tensor_name, tensor)
    return module


def type_before_parametrizations(module: Module) -> type:
    """The module's class without what parametrizations made of it."""
    return type(module).__bases__[0] if isinstance(module, _Parametrized) else type(module)


def transfer_parametrizations_and_params(
    from_module: Module, to_module: Module, tensor_name: str | None = None
) -> Module:
    """Give a module the parametrizations of another, of one tensor or of all, and share their originals with it."""
    names = list(from_module.parametrizations) if is_parametrized(from_module) else []
    for name in names if tensor_name is None else [tensor_name]:
        source = from_module.parametrizations[name]
        if not hasattr(to_module, name):
            setattr(to_module, name, Parameter(getattr(from_module, name).detach()))
        for part in source:
            register_parametrization(to_module, name, part)
        for key in ["original"] if source.is_tensor else [f"original{i}" for i in range(source.ntensors)]:
            setattr(to_module.parametrizations[name], key, getattr(source, key))
    return to_module


# --- the class of a parametrized module


class _Parametrized:
    """What a parametrized module's class has beside its own class."""

    def _register(self: Any, name: str, kind: str, value: Any) -> None:
        if is_parametrized(self, name):
            raise RegistrationError(
                f"{type(self).__name__}: {name!r} is parametrized, a {kind} can't take its place; assign a plain "
                "tensor, or remove the parametrization first"
            )
        Module._register(self, name, kind, value)

    def __deepcopy__(self: Any, memo: dict[int, Any]) -> Any:
        kind: Any = type(self)
        twin = kind.__new__(kind)
        memo[id(self)] = twin
        twin.__setstate__(copy.deepcopy(self.__dict__, memo))
        return twin

    def __getstate__(self) -> NoReturn:
        raise ArgumentTypeError(
            f"{type(self).__name__}: a module with parametrizations can't be pickled; save its state_dict, or remove "
            "them first"
        )


def _renew_class(module: Module) -> None:
    names = tuple(module.parametrizations) if is_parametrized(module) else ()
    kind = type_before_parametrizations(module)
    module.__class__ = _class_of(kind, names) if names else kind


@functools.cache
def _class_of(kind: type, names: tuple[str, ...]) -> type:
    """A class derived from a module's class, in which these names are computed."""
    inside = {"__module__": kind.__module__, **{name: _property(name) for name in names}}
    for name in ("_register", "__deepcopy__", "__getstate__"):
        inside[name] = vars(_Parametrized)[name]
    return type(f"Parametrized{kind.__name__}", (kind, _Parametrized), inside)


def _property(name: str) -> property:
    def value(self: Any) -> Tensor:
        if not _open_blocks:
            return self.parametrizations[name]()
        key = (id(self), name)
        if key not in _computed:
            _computed[key] = self.parametrizations[name]()
        return _computed[key]

    def assign(self: Any, new: Any) -> None:
        _computed.pop((id(self), name), None)
        self.parametrizations[name].right_inverse(new)

    return property(value, assign)


# --- checks


def _require_tensors(values: Any) -> Sequence[Tensor]:
    if not isinstance(values, Sequence) or not all(isinstance(value, Tensor) for value in values):
        raise ArgumentError(f"right_inverse must return a tensor or several, it returned {type(values).__name__}")
    return values


def _require_chain(parametrization: Any, value: Tensor) -> None:
    """That another parametrization keeps shape and dtype, and its right_inverse as well."""
    result = parametrization(value)
    _require_like("the parametrization returned", result, value)
    if hasattr(parametrization, "right_inverse"):
        with contextlib.suppress(NotImplementedError):
            _require_like("right_inverse returned", parametrization.right_inverse(result), value)


def _require_like(what: str, came: Any, wanted: Tensor) -> None:
    _require_dtype(what, came, wanted)
    if came.shape != wanted.shape:
        raise ArgumentError(
            f"register_parametrization: {what} shape {tuple(came.shape)} for a tensor of {tuple(wanted.shape)}; with "
            "unsafe=True it may"
        )


def _require_dtype(what: str, came: Any, wanted: Tensor) -> None:
    if not isinstance(came, Tensor):
        raise ArgumentError(f"register_parametrization: {what} a {type(came).__name__}, but must return a tensor")
    if came.dtype != wanted.dtype:
        raise ArgumentError(
            f"register_parametrization: {what} {came.dtype} for a tensor of {wanted.dtype}; convert it back"
        )
