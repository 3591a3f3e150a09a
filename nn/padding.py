"""Padding layers: with a number, or with what the input holds."""

from __future__ import annotations

from typing import Any

from tinygrad_dl.ops.convolution import each
from tinygrad_dl.tensor import Tensor

from .functional import pad
from .module import Module


class _Padding(Module):
    """Pads the last `dims` dimensions: `padding` is one number or two for each, those of the last dimension first."""

    dims: int
    mode: str

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding = _pads(type(self).__name__, padding, self.dims)

    def forward(self, input: Tensor) -> Tensor:
        return pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        """The numbers, as PyTorch shows them."""
        return f"{self.padding}"


def _pads(name: str, padding: Any, dims: int) -> tuple[int, ...]:
    numbers = padding if isinstance(padding, int) else tuple(padding)
    return each(name, "padding", numbers, 2 * dims, least=-(1 << 62))  # negative ones crop


class _ConstantPad(_Padding):
    mode = "constant"

    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        """Numbers and value, as PyTorch shows them."""
        return f"padding={self.padding}, value={self.value}"


class _ZeroPad(_Padding):
    mode = "constant"


class _ReflectionPad(_Padding):
    mode = "reflect"


class _ReplicationPad(_Padding):
    mode = "replicate"


class _CircularPad(_Padding):
    mode = "circular"


class ConstantPad1d(_ConstantPad):
    dims = 1


class ConstantPad2d(_ConstantPad):
    dims = 2


class ConstantPad3d(_ConstantPad):
    dims = 3


class ZeroPad1d(_ZeroPad):
    dims = 1


class ZeroPad2d(_ZeroPad):
    dims = 2


class ZeroPad3d(_ZeroPad):
    dims = 3


class ReflectionPad1d(_ReflectionPad):
    dims = 1


class ReflectionPad2d(_ReflectionPad):
    dims = 2


class ReflectionPad3d(_ReflectionPad):
    dims = 3


class ReplicationPad1d(_ReplicationPad):
    dims = 1


class ReplicationPad2d(_ReplicationPad):
    dims = 2


class ReplicationPad3d(_ReplicationPad):
    dims = 3


class CircularPad1d(_CircularPad):
    dims = 1


class CircularPad2d(_CircularPad):
    dims = 2


class CircularPad3d(_CircularPad):
    dims = 3


_DOCUMENTED: dict[type[_Padding], str] = {
    _ConstantPad: "a number",
    _ZeroPad: "zeros",
    _ReflectionPad: "its mirror image, without the edges",
    _ReplicationPad: "copies of its edges",
    _CircularPad: "its other end, as if it were a ring",
}
for _base, _filling in _DOCUMENTED.items():
    for _layer in _base.__subclasses__():
        _value = ", 0.5" if _base is _ConstantPad else ""
        _layer.__doc__ = f"""The input with {_filling} around its last {_layer.dims} dimension(s).

    Arguments: padding, one integer or two for each dimension, before and after the last, then those of the one before
    it, ...; negative ones crop{"; value" if _value else ""}. Raises ShapeError when the pads don't fit the input.

    >>> import tinygrad_dl as tg
    >>> tg.nn.{_layer.__name__}(1{_value})(tg.ones(1, 2, {", ".join(["3"] * _layer.dims)})).shape
    tinygrad_dl.Size([1, 2, {", ".join(["5"] * _layer.dims)}])
    """
