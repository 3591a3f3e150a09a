"""Parameters whose shape is not known yet, and modules that find it out from their first input."""

from __future__ import annotations

from typing import Any

from tinygrad_dl import backend, dtypes
from tinygrad_dl.autograd import no_grad
from tinygrad_dl.creation import empty
from tinygrad_dl.errors import ArgumentError
from tinygrad_dl.tensor import Tensor

from .linear import Linear
from .module import Module
from .parameter import Parameter


class UninitializedError(ArgumentError):
    """A parameter that is used before its shape is known."""


_memory: Any = Tensor.array  # type: ignore[misc]  # the slot: it holds an empty array


def _refuse(self: Any) -> Any:
    raise UninitializedError(
        f"this {type(self).__name__} has no shape yet: call the lazy module that owns it with an input first (a batch "
        "of examples under no_grad will do), then use, count, save or load its parameters"
    )


class _Uninitialized(Tensor):
    """A tensor of which only dtype and device are known; `materialize` makes it an ordinary one, the same object."""

    __slots__ = ()
    cls_to_become: type[Tensor]
    array = property(_refuse, _memory.__set__)  # whatever looks at the values comes here

    def __init__(self, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> None:
        _memory.__set__(self, empty(0, device=device, dtype=dtype).array)
        self.node = self.extras = self._grad = None
        self._requires_grad = requires_grad

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Become an ordinary parameter or tensor of this shape, its values not set; optimizers that hold it keep it."""
        made = empty(tuple(shape), device=device or self.device, dtype=dtype or self.dtype)
        self.__class__ = self.cls_to_become  # type: ignore[assignment]
        self.array = made.array

    dtype = property(lambda self: dtypes.find(_memory.__get__(self).dtype))
    device = property(lambda self: backend.device_of(_memory.__get__(self)))
    data = property(lambda self: self, lambda self, new: _memory.__set__(self, _memory.__get__(new)))

    def is_floating_point(self) -> bool:
        """Whether the dtype is a floating one."""
        return bool(self.dtype.is_floating_point)

    def to(self, device: Any = None, dtype: Any = None) -> Any:
        """One with another dtype or device."""
        return type(self)(self._requires_grad, device or self.device, dtype or self.dtype)

    def detach(self) -> Any:
        """Itself: there is nothing to detach yet."""
        return self

    def __deepcopy__(self, memo: Any) -> Any:
        return memo.setdefault(id(self), self.to())

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (self._requires_grad, str(self.device), self.dtype)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class UninitializedParameter(_Uninitialized, Parameter):
    """A parameter whose shape is not known yet; `materialize(shape)` makes it a Parameter, the same object.

    Arguments: requires_grad; device, dtype. Whatever needs its values or its shape raises UninitializedError (a
    RuntimeError and a ValueError).

    >>> from tinygrad_dl import nn
    >>> weight = nn.UninitializedParameter()
    >>> weight.materialize((2, 3)); weight.shape
    tinygrad_dl.Size([2, 3])
    """

    __slots__ = ()
    cls_to_become = Parameter


class UninitializedBuffer(_Uninitialized):
    """A buffer whose shape is not known yet; `materialize(shape)` makes it a Tensor, the same object.

    Arguments: requires_grad; device, dtype. Otherwise as UninitializedParameter.
    """

    __slots__ = ()
    cls_to_become = Tensor

    def __init__(self, requires_grad: bool = False, device: Any = None, dtype: Any = None) -> None:
        super().__init__(requires_grad, device, dtype)


class LazyModuleMixin:
    """Base, beside a Module, of modules that find out shapes from their first input: `initialize_parameters(input)`.

    The first call runs `initialize_parameters` with its arguments, in which a subclass materializes its parameters,
    and then makes the module one of the class `cls_to_become` (None: it stays what it is). `load_state_dict` gives
    parameters the shapes that it brings. Raises UninitializedError where a parameter is used, or still without a
    shape, before.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> layer = nn.LazyLinear(2)
    >>> layer(tg.ones(4, 3)).shape, layer
    (tinygrad_dl.Size([4, 2]), Linear(in_features=3, out_features=2, bias=True))
    """

    cls_to_become: type[Module] | None = None
    _inferred = False

    def _forget_shapes(self: Any, *names: str) -> None:
        """Put uninitialized parameters and buffers, of the same dtype and device, in the place of these."""
        for name in names:
            if (old := self.__dict__[name]) is not None:
                kind = UninitializedParameter if isinstance(old, Parameter) else UninitializedBuffer
                setattr(self, name, kind(old.requires_grad, old.device, old.dtype))

    def has_uninitialized_params(self: Any) -> bool:
        """Whether a parameter or buffer of this module itself has no shape yet."""
        return any(isinstance(tensor, _Uninitialized) for _, tensor in self._own_state())

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Materialize the parameters; called with the arguments of the first call."""
        raise NotImplementedError(
            f"{type(self).__name__}: define `def initialize_parameters(self, input)`, which gives each uninitialized "
            "parameter its shape: self.weight.materialize(shape)"
        )

    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not self._inferred:
            self.initialize_parameters(*args, **kwargs)
            if self.has_uninitialized_params():
                raise UninitializedError(f"{type(self).__name__}: initialize_parameters left parameters without shape")
            self._inferred = True
            if self.cls_to_become is not None:
                del self._inferred
                self.__class__ = self.cls_to_become
        return Module.__call__(self, *args, **kwargs)

    def _find_state(self: Any, given: dict[str, Any], prefix: str, loading: Any) -> None:
        with no_grad():
            for name, tensor in self._own_state():
                value = given.get(prefix + name)
                if isinstance(tensor, _Uninitialized) and isinstance(value, Tensor):
                    tensor.materialize(value.shape)
        super()._find_state(given, prefix, loading)  # type: ignore[misc]  # a Module's, which norms have their own of


class LazyLinear(LazyModuleMixin, Linear):
    """A Linear layer that finds in_features from its first input, and then is a Linear: y = x Wᵀ + b.

    Arguments: out_features; bias; device, dtype. Its parameters are UninitializedParameter until then; whoever uses
    them gets an UninitializedError.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> model = nn.Sequential(nn.Flatten(), nn.LazyLinear(10))
    >>> model(tg.ones(2, 3, 4)).shape
    tinygrad_dl.Size([2, 10])
    """

    cls_to_become = Linear

    def __init__(self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__(0, out_features, bias, device, dtype)
        self._forget_shapes("weight", "bias")

    def extra_repr(self) -> str:
        """The arguments as a Linear's."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"

    def reset_parameters(self) -> None:
        """Draw the parameters anew, once they have a shape."""
        if self.in_features and not self.has_uninitialized_params():
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        """Give the parameters the shapes that fit this input."""
        fresh = self.has_uninitialized_params()
        self.in_features = input.shape[-1] if fresh else self.weight.shape[1]
        if fresh:
            self.weight.materialize((self.out_features, self.in_features))
            if self.bias is not None:
                self.bias.materialize((self.out_features,))
            self.reset_parameters()
