"""How operations become methods and operators of Tensor."""

import functools
from collections.abc import Callable
from typing import Any

from . import backend
from .errors import ArgumentTypeError
from .tensor import Tensor


def attach(*operations: Callable[..., Any], **named: Any) -> None:
    """Make operations methods of Tensor under their own names or the given ones."""
    for operation in operations:
        setattr(Tensor, operation.__name__, operation)
    for name, operation in named.items():
        setattr(Tensor, name, operation)


def attach_reflected(name: str, operation: Callable[..., Any]) -> None:
    """Make a binary operation an operator: `a ∘ b` and `b ∘ a`."""

    def reflected(self: Tensor, other: Any) -> Any:
        return operation(other, self)

    setattr(Tensor, f"__{name}__", operation)
    setattr(Tensor, f"__r{name}__", reflected)


def attach_comparison(name: str, operation: Callable[..., Any]) -> None:
    """Make a comparison an operator; what is no operand (None, a string) is left to Python, which says unequal."""

    def compare(self: Tensor, other: Any) -> Any:
        return operation(self, other) if backend.is_operand(other) else NotImplemented

    setattr(Tensor, f"__{name}__", compare)


def make_public(names: dict[str, Any]) -> None:
    """Replace each operation in a namespace by its public form, which refuses a call without any Tensor.

    Rules call the operations behind them with raw arrays and get raw arrays; a user who does that has made a mistake.
    """
    for name, value in list(names.items()):
        if hasattr(value, "public"):
            names[name] = value.public()
            names[name].operation, names[name].__wrapped__ = value.operation, value.__wrapped__
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
