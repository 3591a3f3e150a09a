"""Module: a part of a network, which knows its parameters, buffers and submodules by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any, Self

from tinygrad_dl.errors import ArgumentError, ArgumentTypeError, TinygradError, nearest
from tinygrad_dl.tensor import Tensor

from . import hooks
from .conversion import Conversions
from .hooked import Hooked
from .hooks import everywhere
from .parameter import BUFFER, BUFFERS, MODULE, PARAMETER, TRANSIENT_BUFFER, Buffer, Parameter
from .saving import Saved


class ModuleAttributeError(TinygradError, AttributeError):
    """An attribute that a module does not have, or that is assigned before `super().__init__()`."""


class RegistrationError(TinygradError, KeyError):
    """A name under which nothing can be registered."""

    __str__ = BaseException.__str__  # KeyError's shows the message in quotes


def _missing_forward(self: Module, *args: Any, **kwargs: Any) -> Any:
    kind = type(self)
    written = [name for name in vars(kind) if callable(getattr(kind, name))]
    raise NotImplementedError(
        f"{kind.__name__} has no forward: define `def forward(self, input)` in the class, the method that is run by "
        f"{kind.__name__.lower()}(input).{nearest('forward', written)}"
    )


class Module(Conversions, Saved, Hooked):
    """Base of all layers and networks: a subclass makes its parts in `__init__` and uses them in `forward`.

    Parameters, buffers and modules that are assigned to attributes are registered under the attribute's name, so that
    `parameters()`, `to()`, `state_dict()` and the rest find them. `training` says whether layers such as Dropout behave
    as in training (`train()`) or as in use (`eval()`). Calling the module runs `forward`.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> class Line(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.slope = nn.Parameter(tg.tensor(2.0))
    ...
    ...     def forward(self, x):
    ...         return self.slope * x
    >>> line = Line()
    >>> line(tg.tensor(3.0)).item(), [name for name, _ in line.named_parameters()]
    (6.0, ['slope'])
    """

    # Registered values are ordinary attributes, which Python finds without a detour: a forward costs nothing extra.
    # `_kinds` says which attributes are registered, in what order, and as what.
    _kinds: dict[str, str]
    training: bool
    forward: Callable[..., Any] = _missing_forward

    def __init__(self) -> None:
        attributes = self.__dict__
        attributes["_kinds"] = {}
        attributes["training"] = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            if self._hooks or everywhere:
                return hooks.call(self, args, kwargs)
            return self.forward(*args, **kwargs)
        except TinygradError as error:
            locate(error, self, (*args, *kwargs.values()))
            raise

    # --- registration

    def __setattr__(self, name: str, value: Any) -> None:
        kinds = self.__dict__.get("_kinds")
        registered = kinds.get(name) if kinds else None
        if isinstance(value, Parameter):
            kind = PARAMETER
        elif isinstance(value, Module) and registered != PARAMETER:
            kind = MODULE
        elif isinstance(value, Buffer) and registered not in (PARAMETER, MODULE):
            kind = BUFFER if value.persistent else TRANSIENT_BUFFER
        elif registered is None:
            object.__setattr__(self, name, value)
            return
        elif value is None or (registered in BUFFERS and isinstance(value, Tensor)):
            kind = registered
        else:
            raise _wrong_value(self, name, registered, value)
        if kinds is None:
            raise ModuleAttributeError(
                f"{type(self).__name__}: cannot assign the {kind} {name!r} before Module.__init__() call; write "
                "super().__init__() first in __init__"
            )
        self._register(name, kind, value)

    def _register(self, name: str, kind: str, value: Any) -> None:
        if hooks.registration and not (value is None and kind == PARAMETER):  # as in PyTorch
            value = hooks.registered(self, name, kind, value)
            if value is not None and not isinstance(value, CLASSES[kind]):
                raise _wrong_value(self, name, kind, value)
        if self._kinds.get(name) != kind:
            self._kinds.pop(name, None)  # what changes its kind goes to the end
            self._kinds[name] = kind
        self.__dict__[name] = value

    def _register_new(self, name: str, kind: str, value: Any) -> None:
        """Register under a name that nothing else has."""
        if "_kinds" not in self.__dict__:
            raise self._not_initialized()
        if not isinstance(name, str):
            raise ArgumentTypeError(f"{kind} name must be a string, not {type(name).__name__}")
        if name == "" or "." in name:
            raise RegistrationError(
                f"{kind} name can't be {name!r}: dots separate the names of modules, and none is empty"
            )
        if name not in self._kinds and (name in self.__dict__ or hasattr(type(self), name)):
            raise RegistrationError(
                f"attribute {name!r} of {type(self).__name__} already exists; choose another {kind} name"
            )
        self._register(name, kind, value)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Register a parameter under a name, as `self.name = param` does; None keeps the name free for one.

        Raises ArgumentTypeError for what is no Parameter, RegistrationError (a KeyError) for a name that is taken.
        """
        if param is not None and not isinstance(param, Parameter):
            raise _wrong_value(self, name, PARAMETER, param)
        self._register_new(name, PARAMETER, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Register a tensor that belongs to the module's state but is not learnt; one not `persistent` is not saved.

        Raises ArgumentTypeError for what is no Tensor, RegistrationError (a KeyError) for a name that is taken.

        >>> import tinygrad_dl as tg
        >>> from tinygrad_dl import nn
        >>> module = nn.Module()
        >>> module.register_buffer("mean", tg.zeros(2))
        >>> module.mean
        tensor([0., 0.])
        """
        kind = BUFFER if persistent else TRANSIENT_BUFFER
        if tensor is not None and not isinstance(tensor, Tensor):
            raise _wrong_value(self, name, kind, tensor)
        self._register_new(name, kind, tensor)

    def add_module(self, name: str, module: Module | None) -> None:
        """Register a submodule under a name, as `self.name = module` does.

        Raises ArgumentTypeError for what is no Module, RegistrationError (a KeyError) for a name that is taken.
        """
        if module is not None and not isinstance(module, Module):
            raise _wrong_value(self, name, MODULE, module)
        self._register_new(name, MODULE, module)

    register_module = add_module

    def __delattr__(self, name: str) -> None:
        if name not in self.__dict__:
            self.__getattr__(name)
        self.__dict__.get("_kinds", {}).pop(name, None)
        object.__delattr__(self, name)

    def __getattr__(self, name: str) -> Any:
        """Runs only when there is no such attribute."""
        if name.startswith("__"):  # NumPy and copy ask for these; a hint would only cost time
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        if "_kinds" not in self.__dict__:
            raise self._not_initialized()
        found = inspect.getattr_static(type(self), name, None)
        if isinstance(found, property) and found.fget is not None:
            return found.fget(self)  # it raised an AttributeError of its own: that is the one to see
        raise ModuleAttributeError(
            f"{type(self).__name__!r} object has no attribute {name!r}.{nearest(name, dir(self))}"
        )

    def _not_initialized(self) -> ModuleAttributeError:
        return ModuleAttributeError(
            f"{type(self).__name__}: Module.__init__() was not called; write super().__init__() first in __init__"
        )

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if name.isidentifier()]  # not the "0" of a Sequential

    # --- what is registered

    def _named(self, *kinds: str) -> list[tuple[str, Any]]:
        return [(name, self.__dict__[name]) for name, kind in self._kinds.items() if kind in kinds]

    @property
    def _parameters(self) -> MutableMapping[str, Parameter | None]:
        """This module's own parameters by name; writing to it registers, deleting from it forgets."""
        return _Registered(self, (PARAMETER,))

    @property
    def _buffers(self) -> MutableMapping[str, Tensor | None]:
        """This module's own buffers by name."""
        return _Registered(self, BUFFERS)

    @property
    def _non_persistent_buffers_set(self) -> set[str]:
        """The names of the buffers that are not saved, to read."""
        return {name for name, _ in self._named(TRANSIENT_BUFFER)}

    @property
    def _modules(self) -> MutableMapping[str, Module | None]:
        """This module's own submodules by name."""
        return _Registered(self, (MODULE,))

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module and all below it with their paths, such as ("encoder.0", ...), a shared one once.

        >>> from tinygrad_dl import nn
        >>> [path for path, _ in nn.Sequential(nn.Tanh(), nn.Sequential(nn.ReLU())).named_modules()]
        ['', '0', '1', '1.0']
        """
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._named(MODULE):
            if module is not None:
                yield from module.named_modules(memo, _join(prefix, name), remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """This module and all below it, a shared one once."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """This module's own submodules with their names, a shared one once."""
        seen = set()
        for name, module in self._named(MODULE):
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """This module's own submodules, a shared one once."""
        for _, module in self.named_children():
            yield module

    def _named_tensors(
        self, kinds: tuple[str, ...], prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        seen = set()
        for path, module in modules:
            for name, tensor in module._named(*kinds):
                if tensor is None or tensor in seen:
                    continue
                if remove_duplicate:
                    seen.add(tensor)
                yield _join(path, name), tensor

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """The parameters with their paths, such as ("0.weight", ...), in order of registration, a shared one once.

        >>> from tinygrad_dl import nn
        >>> [path for path, _ in nn.Sequential(nn.Linear(2, 3)).named_parameters()]
        ['0.weight', '0.bias']
        """
        return self._named_tensors((PARAMETER,), prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters of this module and (if `recurse`) of all below it: what an optimizer is given."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """The buffers with their paths, a shared one once."""
        return self._named_tensors(BUFFERS, prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers of this module and (if `recurse`) of all below it."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def get_submodule(self, target: str) -> Module:
        """The module at a path such as "encoder.0"; ModuleAttributeError (an AttributeError) if there is none."""
        module: Any = self
        for name in target.split(".") if target else ():
            module = module._get(name, (MODULE,), target)
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put a module at a path such as "encoder.0"; the modules on the way there must exist.

        Arguments: target, the path; module; strict, whether there must be a module at the path already. Raises
        ArgumentError for an empty path, ArgumentTypeError for what is no module, ModuleAttributeError (an
        AttributeError) where the path leads through something else.

        >>> from tinygrad_dl import nn
        >>> net = nn.Sequential(nn.Linear(2, 3), nn.Tanh())
        >>> net.set_submodule("1", nn.ReLU()); net[1]
        ReLU()
        """
        if not target:
            raise ArgumentError("set_submodule: the path is empty, which is the module itself; give it a name")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        taken = name in parent.__dict__ or hasattr(type(parent), name)
        if strict or (taken and parent._kinds.get(name) != MODULE):
            parent._get(name, (MODULE,), target)
        if not isinstance(module, Module):
            raise _wrong_value(parent, name, MODULE, module)
        parent._register(name, MODULE, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a path such as "0.weight". Raises ModuleAttributeError if there is none."""
        path, _, name = target.rpartition(".")
        return self.get_submodule(path)._get(name, (PARAMETER,), target)

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a path such as "1.running_mean". Raises ModuleAttributeError if there is none."""
        path, _, name = target.rpartition(".")
        return self.get_submodule(path)._get(name, BUFFERS, target)

    def _get(self, name: str, kinds: tuple[str, ...], target: str) -> Any:
        if self._kinds.get(name) not in kinds:
            names = [own for own, _ in self._named(*kinds)]
            raise ModuleAttributeError(
                f"{target!r}: {type(self).__name__} has no {kinds[0]} {name!r}; it has {', '.join(names) or 'none'}."
                f"{nearest(name, names)}"
            )
        return self.__dict__[name]

    # --- doing something to all of it

    def apply(self, fn: Callable[[Module], object]) -> Self:
        """Call `fn` on every module below this one, then on this one. Returns the module.

        >>> from tinygrad_dl import nn
        >>> def zero_bias(module):
        ...     if isinstance(module, nn.Linear):
        ...         nn.init.zeros_(module.bias)
        >>> nn.Sequential(nn.Linear(1, 2)).apply(zero_bias)[0].bias.tolist()
        [0.0, 0.0]
        """
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Make this module and all below it behave as in training, or (with False) as in use. Returns the module.

        Raises ArgumentError for a mode that is no bool.
        """
        if not isinstance(mode, bool):
            raise ArgumentError(f"train: training mode is expected to be boolean, {mode!r} came")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Self:
        """Make this module and all below it behave as in use: Dropout passes everything. Returns the module."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Set whether the parameters are learnt; False freezes them. Returns the module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters: set them to None, or to zeros, which keeps their memory."""
        for parameter in self.parameters():
            if set_to_none or parameter.grad is None:
                parameter.grad = None
            else:
                parameter.grad.detach_().zero_()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._kinds = dict(self._kinds)  # copy.copy shares the attributes, not the record of them
        for name in {"_hooks", "_state_hooks"} & state.keys():
            self.__dict__[name] = state[name].copy()

    # --- showing

    def extra_repr(self) -> str:
        """What `repr` shows between the brackets; a class of one's own returns what it likes.

        Layers of this package store their constructor's arguments under their names, so it can be read off.
        """
        layer = next(kind for kind in type(self).__mro__ if kind.__module__.startswith(f"{__package__}."))
        arguments = inspect.signature(layer).parameters.values()
        named = [a.name for a in arguments if a.kind not in (a.VAR_POSITIONAL, a.VAR_KEYWORD)]
        return ", ".join(f"{name}={self._shown(name)!r}" for name in named if name not in ("device", "dtype"))

    def _shown(self, name: str) -> Any:
        value = getattr(self, name)  # which may be computed
        return value is not None if name in self._kinds else value  # bias=True, not its numbers

    def _get_name(self) -> str:
        """The name that `repr` shows; a subclass may give another."""
        return type(self).__name__

    def __repr__(self) -> str:
        extra = self.extra_repr()
        children = [f"({name}): {module!r}" for name, module in self._named(MODULE)]
        if not children and "\n" not in extra:
            return f"{self._get_name()}({extra})"
        return framed(self._get_name(), [*extra.splitlines(), *children])


class _Registered(MutableMapping[str, Any]):
    """What a module registered of one kind, by name, as PyTorch's users look at it and change it."""

    def __init__(self, module: Module, kinds: tuple[str, ...]) -> None:
        self._module, self._of = module, kinds

    def __getitem__(self, name: str) -> Any:
        if self._module._kinds.get(name) not in self._of:
            raise KeyError(name)
        return self._module.__dict__[name]

    def __setitem__(self, name: str, value: Any) -> None:
        kind = self._module._kinds.get(name)
        kind = kind if kind in self._of else self._of[0]
        if value is not None and not isinstance(value, CLASSES[kind]):
            raise _wrong_value(self._module, name, kind, value)
        self._module._register(name, kind, value)

    def __delitem__(self, name: str) -> None:
        _ = self[name]  # a KeyError for what is not there
        delattr(self._module, name)

    def __iter__(self) -> Iterator[str]:
        return iter([name for name, kind in self._module._kinds.items() if kind in self._of])

    def __len__(self) -> int:
        return len(list(iter(self)))

    def copy(self) -> dict[str, Any]:
        """A dict of its own."""
        return dict(self)

    def __repr__(self) -> str:
        return repr(dict(self))


def framed(name: str, lines: list[str]) -> str:
    """Lines, indented, between the brackets behind a name."""
    return "\n".join([f"{name}(", *("  " + line.replace("\n", "\n  ") for line in lines), ")"])


def locate(error: TinygradError, module: Module, args: tuple[Any, ...]) -> None:
    """Say in an error that comes out of a call in which module it happened; each module around gives a longer path."""
    origin = error.__dict__.setdefault("origin", (error.args, module, args))
    message, inner, came = origin
    path = next((path for path, below in module.named_modules() if below is inner), None)
    if path is None or len(message) != 1 or not isinstance(message[0], str):  # not registered, or no plain message
        return
    layer = repr(inner)
    layer = type(inner).__name__ if "\n" in layer else layer
    shapes = ", ".join(_described(value) for value in came)
    error.args = (f"{message[0]} [in {path + ': ' if path else ''}{layer}, called with {shapes or 'nothing'}]",)


def _described(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"shape {tuple(value.shape)} of {str(value.dtype).rpartition('.')[2]}"
    return type(value).__name__


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


CLASSES = {PARAMETER: Parameter, BUFFER: Tensor, TRANSIENT_BUFFER: Tensor, MODULE: Module}
EXPECTED = {
    PARAMETER: "a Parameter: nn.Parameter(tensor)",
    BUFFER: "a Tensor",
    TRANSIENT_BUFFER: "a Tensor",
    MODULE: "a Module, made by calling its class",
}


def _wrong_value(module: Module, name: str, kind: str, value: Any) -> ArgumentTypeError:
    came = f"the class {value.__name__}" if isinstance(value, type) else f"{type(value).__name__!r}"
    return ArgumentTypeError(
        f"{type(module).__name__}: cannot assign {came} as {kind} {name!r}; it takes {EXPECTED[kind]}, or None"
    )
