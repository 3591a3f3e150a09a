"""How operations become methods and operators of Tensor, and their forms in place."""

import functools
from collections.abc import Callable
from typing import Any

from . import backend
from .dtypes import can_cast, of
from .errors import ArgumentTypeError, DtypeError, ShapeError
from .inplace import assign, require_editable
from .modes import modes
from .tensor import Tensor


def attach(*operations: Callable[..., Any], **named: Any) -> None:
    """Make operations methods of Tensor under their own names or the given ones."""
    for operation in operations:
        setattr(Tensor, operation.__name__, operation)
    for name, operation in named.items():
        setattr(Tensor, name, operation)


def attach_operator(name: str, operation: Callable[..., Any], in_place: bool = True) -> None:
    """Make a binary operation an operator: `a ∘ b`, `b ∘ a` and `a ∘= b`."""

    def reflected(self: Tensor, other: Any) -> Any:
        return operation(other, self)

    setattr(Tensor, f"__{name}__", operation)
    setattr(Tensor, f"__r{name}__", reflected)
    if in_place:
        setattr(Tensor, f"__i{name}__", in_place_form(operation, f"__i{name}__"))


def attach_comparison(name: str, operation: Callable[..., Any]) -> None:
    """Make a comparison an operator; what is no operand (None, a string) is left to Python, which says unequal."""

    def compare(self: Tensor, other: Any) -> Any:
        return operation(self, other) if backend.is_operand(other) else NotImplemented

    setattr(Tensor, f"__{name}__", compare)


def attach_in_place(*operations: Callable[..., Any], **named: Callable[..., Any]) -> None:
    """Give Tensor the forms in place, `exp_` for `exp`, that write the result into the tensor itself."""
    for name, operation in {**{operation.__name__: operation for operation in operations}, **named}.items():
        setattr(Tensor, f"{name}_", in_place_form(operation, f"{name}_"))


def in_place_form(operation: Callable[..., Any], name: str) -> Callable[..., Tensor]:
    """The form of an operation that writes its result into its first argument and returns it."""

    @functools.wraps(operation)
    def edit(self: Tensor, *args: Any, **options: Any) -> Tensor:
        require_editable(name, self, modes.record is not None, *args, *options.values())
        outer, modes.record = modes.record, None
        try:
            result = operation(self, *args, **options)
        finally:
            modes.record = outer
        write(name, self, result)
        return self

    edit.__name__ = edit.__qualname__ = name
    edit.__doc__ = f"`{operation.__name__}` in place: the result is written into this tensor, which is returned."
    return edit


def write(name: str, target: Tensor, value: Tensor) -> None:
    """Copy `value` into the memory of `target` and stamp it; refuse what PyTorch refuses."""
    if value.array.shape != target.array.shape:
        raise ShapeError(
            f"{name}: the result has shape {tuple(value.shape)} and can't be written into a tensor of shape "
            f"{tuple(target.shape)}"
        )
    if not can_cast(value.dtype, target.dtype):
        raise DtypeError(
            f"{name}: a {of(value.array)} result can't be written into a {target.dtype} tensor; convert the tensor "
            "first"
        )
    assign(name, target.array, ..., value.array)


def make_public(names: dict[str, Any]) -> None:
    """Replace each operation in a namespace by its public form, which refuses a call without any Tensor.

    Rules call the operations behind them with raw arrays and get raw arrays; a user who does that has made a mistake.
    """
    for name, value in list(names.items()):
        if hasattr(value, "public"):
            names[name] = value.public()
            names[name].operation = value.operation
        elif getattr(value, "composed", None) is True:
            names[name] = _refusing(value)


def _holds_tensor(value: Any) -> bool:
    return isinstance(value, Tensor) or (
        isinstance(value, list | tuple) and (not value or any(map(_holds_tensor, value)))
    )


def _refusing(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def public(*args: Any, **options: Any) -> Any:
        if not any(map(_holds_tensor, (*args, *options.values()))):
            came = type(args[0]).__name__ if args else "nothing"
            raise ArgumentTypeError(
                f"{function.__name__}: input must be a Tensor, {came} came; convert it with tinygrad_dl.tensor(...)"
            )
        return function(*args, **options)

    return public
