"""Convolutions and their transposes as layers, in one, two and three dimensions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tinygrad_dl.creation import empty
from tinygrad_dl.errors import ArgumentError, ShapeError
from tinygrad_dl.ops.convolution import each
from tinygrad_dl.tensor import Tensor

from . import init
from .functional import conv1d, conv2d, conv3d, conv_transpose1d, conv_transpose2d, conv_transpose3d, pad
from .lazy import LazyModuleMixin
from .module import Module
from .parameter import Parameter

PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class _Convolutional(Module):
    """What convolutions and their transposes have in common: weight and bias, and how they are drawn and shown."""

    dims: int
    function: Callable[..., Any]
    transposed = False
    padding: Any

    def _set_up(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any, padding: Any, dilation: Any,
        output_padding: Any, groups: int, bias: bool, padding_mode: str, device: Any, dtype: Any,
    ) -> None:  # fmt: skip
        Module.__init__(self)
        name, dims = type(self).__name__, self.dims
        if not isinstance(groups, int) or groups < 1:
            raise ArgumentError(f"{name}: groups must be a positive integer, not {groups!r}")
        for argument, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
            if channels % groups:
                raise ArgumentError(f"{name}: {argument} must be divisible by groups, {channels} by {groups} came")
        if padding_mode not in PADDING_MODES or (self.transposed and padding_mode != "zeros"):
            modes = PADDING_MODES[:1] if self.transposed else PADDING_MODES
            raise ArgumentError(f"{name}: padding_mode is one of {', '.join(modes)}, not {padding_mode!r}")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = each(name, "kernel_size", kernel_size, dims, 1)
        self.stride = each(name, "stride", stride, dims, 1)
        self.padding = padding if isinstance(padding, str) else each(name, "padding", padding, dims)
        self.dilation = each(name, "dilation", dilation, dims, 1)
        self.output_padding = each(name, "output_padding", output_padding, dims)
        self.padding_mode = padding_mode
        self._check_padding(name)
        self.weight = Parameter(empty(*self._weight_shape(), device=device, dtype=dtype))
        self.register_parameter("bias", Parameter(empty(out_channels, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def _check_padding(self, name: str) -> None:
        if isinstance(self.padding, str):
            if self.padding not in ("same", "valid") or self.transposed:
                raise ArgumentError(f"{name}: padding must be integers, 'same' or 'valid', not {self.padding!r}")
            if self.padding == "same" and set(self.stride) != {1}:
                raise ArgumentError(f"{name}: padding='same' goes with stride 1 only, not {self.stride}")

    def _weight_shape(self) -> tuple[int, ...]:
        first, second = self.out_channels, self.in_channels
        if self.transposed:
            first, second = second, first
        return (first, second // self.groups, *self.kernel_size)

    def reset_parameters(self) -> None:
        """Draw the parameters anew: both uniform in ±1/√(weights of one output)."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            inputs = math.prod(self.weight.shape[1:])
            bound = 1 / math.sqrt(inputs) if inputs else 0
            init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        """The arguments that differ from their defaults, as PyTorch shows them."""
        zeros, ones = (0,) * self.dims, (1,) * self.dims
        shown = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        for name, default in {"padding": zeros, "dilation": ones, "output_padding": zeros, "groups": 1}.items():
            if (value := getattr(self, name)) != default:
                shown += f", {name}={value}"
        shown += ", bias=False" if self.bias is None else ""
        return shown + (f", padding_mode={self.padding_mode}" if self.padding_mode != "zeros" else "")


class _Convolution(_Convolutional):
    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
        dilation: Any = 1, groups: int = 1, bias: bool = True, padding_mode: str = "zeros", device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        self._set_up(
            in_channels, out_channels, kernel_size, stride, padding, dilation, 0, groups, bias, padding_mode, device,
            dtype,
        )  # fmt: skip

    def forward(self, input: Tensor) -> Tensor:
        padding = self.padding
        if self.padding_mode != "zeros" and padding != "valid":
            input, padding = pad(input, self._border(), self.padding_mode), 0
        return type(self).function(
            input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
        )  # fmt: skip

    def _border(self) -> list[int]:
        """How much is padded before and after each dimension, the last one first."""
        if self.padding != "same":
            return [p for p in reversed(self.padding) for _ in range(2)]
        totals = [d * (k - 1) for d, k in zip(reversed(self.dilation), reversed(self.kernel_size))]
        return [part for total in totals for part in (total // 2, total - total // 2)]


class _TransposedConvolution(_Convolutional):
    transposed = True

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
        output_padding: Any = 0, groups: int = 1, bias: bool = True, dilation: Any = 1, padding_mode: str = "zeros",
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        self._set_up(
            in_channels, out_channels, kernel_size, stride, padding, dilation, output_padding, groups, bias,
            padding_mode, device, dtype,
        )  # fmt: skip

    def forward(self, input: Tensor, output_size: Any = None) -> Tensor:
        """The layer's output; of the sizes that the stride allows, `output_size` chooses one."""
        more = self.output_padding if output_size is None else self._padding_for(input, tuple(output_size))
        return type(self).function(
            input, self.weight, self.bias, self.stride, self.padding, more, self.groups, self.dilation
        )

    def _padding_for(self, input: Tensor, output_size: tuple[int, ...]) -> tuple[int, ...]:
        sizes, wanted = input.shape[-self.dims :], output_size[-self.dims :]
        parts = zip(sizes, self.kernel_size, self.stride, self.padding, self.dilation)
        least = [(n - 1) * s - 2 * p + d * (k - 1) + 1 for n, k, s, p, d in parts]
        most = [low + s - 1 for low, s in zip(least, self.stride)]
        if len(output_size) not in (self.dims, input.ndim):
            raise ShapeError(
                f"{type(self).__name__}: output_size has {self.dims} numbers, or {input.ndim} for an input of shape "
                f"{tuple(input.shape)}; {output_size} came"
            )
        if not all(low <= size <= high for low, size, high in zip(least, wanted, most)):
            raise ShapeError(f"{type(self).__name__}: output_size {output_size} came, it can be from {least} to {most}")
        return tuple([size - low for size, low in zip(wanted, least)])


class _LazyConvolutional(LazyModuleMixin):
    """Finds in_channels from the first input."""

    def reset_parameters(self: Any) -> None:
        """Draw the parameters anew, once they have a shape."""
        if self.in_channels and not self.has_uninitialized_params():
            super().reset_parameters()  # type: ignore[misc]

    def initialize_parameters(self: Any, input: Tensor, *args: Any, **kwargs: Any) -> None:
        """Give the parameters the shapes that fit this input."""
        name = type(self).__name__
        if not self.has_uninitialized_params():
            self.in_channels = self.weight.shape[0 if self.transposed else 1] * (1 if self.transposed else self.groups)
            return
        if input.ndim not in (self.dims + 1, self.dims + 2):
            raise ShapeError(
                f"{name}: input must have {self.dims + 2} dimensions (batch, channels, sizes), or {self.dims + 1} "
                f"without batch; shape {tuple(input.shape)} came"
            )
        channels = input.shape[-self.dims - 1]
        if channels % self.groups:
            raise ArgumentError(f"{name}: in_channels must be divisible by groups, {channels} by {self.groups} came")
        self.in_channels = channels
        self.weight.materialize(self._weight_shape())
        if self.bias is not None:
            self.bias.materialize((self.out_channels,))
        self.reset_parameters()


class _LazyConvolution(_LazyConvolutional):
    def __init__(
        self: Any, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
        groups: int = 1, bias: bool = True, padding_mode: str = "zeros", device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        self._set_up(
            0, out_channels, kernel_size, stride, padding, dilation, 0, groups, bias, padding_mode, device, dtype
        )
        self._forget_shapes("weight", "bias")


class _LazyTransposedConvolution(_LazyConvolutional):
    def __init__(
        self: Any, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0, output_padding: Any = 0,
        groups: int = 1, bias: bool = True, dilation: Any = 1, padding_mode: str = "zeros", device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        self._set_up(
            0, out_channels, kernel_size, stride, padding, dilation, output_padding, groups, bias, padding_mode,
            device, dtype,
        )  # fmt: skip
        self._forget_shapes("weight", "bias")


_ARGUMENTS = """\
in_channels, out_channels; kernel_size, stride, padding, dilation: integers or one for each dimension, padding also
    "same" or "valid"; groups, into which the channels are split; bias, whether there is one; padding_mode, "zeros",
    "reflect", "replicate" or "circular"; device, dtype of the parameters. `weight` is (out_channels, in_channels /
    groups, kernel sizes), `bias` (out_channels,) or None; both start uniform in ±1/√(weights of one output)."""
_TRANSPOSED = """\
in_channels, out_channels; kernel_size, stride, padding, output_padding (added at the end of each dimension), dilation:
    integers or one for each dimension; groups; bias; padding_mode ("zeros" only); device, dtype. `weight` is
    (in_channels, out_channels / groups, kernel sizes), `bias` (out_channels,) or None. A call takes `output_size` too,
    which chooses one of the sizes that the stride allows."""
_SIZES = ("length", "height, width", "depth, height, width")


def _documented(layer: type[_Convolutional], kind: str, arguments: str, out: int) -> None:
    dims, lazy = layer.dims, layer.__name__.startswith("Lazy")
    numbers = ", ".join(["4"] * dims)
    channels = "" if lazy else "2, "
    given = "as " + layer.__name__.removeprefix("Lazy") + "'s without in_channels." if lazy else arguments
    layer.__doc__ = f"""{kind} in {dims} dimension(s){", with in_channels of its first input" if lazy else ""}.

    Arguments: {given}
    Input (batch, channels, {_SIZES[dims - 1]}) or without the batch. Raises ShapeError, DtypeError, ArgumentError.
    Source: notes, section 7.

    >>> import tinygrad_dl as tg
    >>> tg.nn.{layer.__name__}({channels}3, 2)(tg.ones(1, 2, {numbers})).shape
    tinygrad_dl.Size([1, 3, {", ".join([str(out)] * dims)}])
    """


class Conv1d(_Convolution):
    dims, function = 1, conv1d


class Conv2d(_Convolution):
    dims, function = 2, conv2d


class Conv3d(_Convolution):
    dims, function = 3, conv3d


class ConvTranspose1d(_TransposedConvolution):
    dims, function = 1, conv_transpose1d


class ConvTranspose2d(_TransposedConvolution):
    dims, function = 2, conv_transpose2d


class ConvTranspose3d(_TransposedConvolution):
    dims, function = 3, conv_transpose3d


class LazyConv1d(_LazyConvolution, Conv1d):
    cls_to_become = Conv1d


class LazyConv2d(_LazyConvolution, Conv2d):
    cls_to_become = Conv2d


class LazyConv3d(_LazyConvolution, Conv3d):
    cls_to_become = Conv3d


class LazyConvTranspose1d(_LazyTransposedConvolution, ConvTranspose1d):
    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyTransposedConvolution, ConvTranspose2d):
    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(_LazyTransposedConvolution, ConvTranspose3d):
    cls_to_become = ConvTranspose3d


_plain = (Conv1d, Conv2d, Conv3d, LazyConv1d, LazyConv2d, LazyConv3d)
_back = (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)
_lazy_back = (LazyConvTranspose1d, LazyConvTranspose2d, LazyConvTranspose3d)
_KINDS: list[tuple[tuple[type[_Convolutional], ...], str, str, int]] = [
    (_plain, "The correlation of an input with a weight that is learnt", _ARGUMENTS, 3),
    ((*_back, *_lazy_back), "The transpose of a convolution, with a weight that is learnt,", _TRANSPOSED, 5),
]
for _layers, _kind, _arguments, _out in _KINDS:
    for _layer in _layers:
        _documented(_layer, _kind, _arguments, _out)
