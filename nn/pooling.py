"""Pooling layers: the largest, the mean or the norm of each window."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinygrad_dl.ops.convolution import each
from tinygrad_dl.tensor import Tensor

from . import functional as F
from .module import Module


class _Pooling(Module):
    """A layer that calls `function` with the arguments that it was made with, and shows `shown` of them."""

    dims: int
    function: Callable[..., Any]
    shown: tuple[str, ...]

    def extra_repr(self) -> str:
        """The arguments under PyTorch's names."""
        return ", ".join(f"{name}={getattr(self, name)}" for name in self.shown)


class _MaxPool(_Pooling):
    shown = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")

    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation = padding, dilation
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def forward(self, input: Tensor) -> Any:
        return type(self).function(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices
        )


class _MaxUnpool(_Pooling):
    shown = ("kernel_size", "stride", "padding")

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0) -> None:
        super().__init__()
        name = type(self).__name__
        self.kernel_size = each(name, "kernel_size", kernel_size, self.dims, 1)
        self.stride = each(name, "stride", kernel_size if stride is None else stride, self.dims, 1)
        self.padding = each(name, "padding", padding, self.dims)

    def forward(self, input: Tensor, indices: Tensor, output_size: Any = None) -> Tensor:
        return type(self).function(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class _AvgPool(_Pooling):
    shown = ("kernel_size", "stride", "padding")

    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
        count_include_pad: bool = True, divisor_override: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode = padding, ceil_mode
        self.count_include_pad, self.divisor_override = count_include_pad, divisor_override

    def forward(self, input: Tensor) -> Tensor:
        return type(self).function(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad,
            self.divisor_override,
        )  # fmt: skip


class _LPPool(_Pooling):
    shown = ("norm_type", "kernel_size", "stride", "ceil_mode")

    def __init__(self, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> None:
        super().__init__()
        self.norm_type, self.kernel_size, self.stride, self.ceil_mode = norm_type, kernel_size, stride, ceil_mode

    def forward(self, input: Tensor) -> Tensor:
        return type(self).function(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class _AdaptiveMaxPool(_Pooling):
    shown = ("output_size",)

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size, self.return_indices = output_size, return_indices

    def forward(self, input: Tensor) -> Any:
        return type(self).function(input, self.output_size, self.return_indices)


class _AdaptiveAvgPool(_Pooling):
    shown = ("output_size",)

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        return type(self).function(input, self.output_size)


class MaxPool1d(_MaxPool):
    dims, function = 1, F.max_pool1d


class MaxPool2d(_MaxPool):
    dims, function = 2, F.max_pool2d


class MaxPool3d(_MaxPool):
    dims, function = 3, F.max_pool3d


class MaxUnpool1d(_MaxUnpool):
    dims, function = 1, F.max_unpool1d


class MaxUnpool2d(_MaxUnpool):
    dims, function = 2, F.max_unpool2d


class MaxUnpool3d(_MaxUnpool):
    dims, function = 3, F.max_unpool3d


class AvgPool1d(_AvgPool):
    dims, function = 1, F.avg_pool1d

    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)
        self.kernel_size = each("AvgPool1d", "kernel_size", kernel_size, 1, 1)
        self.stride = each("AvgPool1d", "stride", self.stride, 1, 1)
        self.padding = each("AvgPool1d", "padding", padding, 1)


class AvgPool2d(_AvgPool):
    dims, function = 2, F.avg_pool2d


class AvgPool3d(_AvgPool):
    dims, function = 3, F.avg_pool3d


class LPPool1d(_LPPool):
    dims, function = 1, F.lp_pool1d


class LPPool2d(_LPPool):
    dims, function = 2, F.lp_pool2d


class LPPool3d(_LPPool):
    dims, function = 3, F.lp_pool3d


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    dims, function = 1, F.adaptive_max_pool1d


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    dims, function = 2, F.adaptive_max_pool2d


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    dims, function = 3, F.adaptive_max_pool3d


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    dims, function = 1, F.adaptive_avg_pool1d


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    dims, function = 2, F.adaptive_avg_pool2d


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    dims, function = 3, F.adaptive_avg_pool3d


_WINDOWS = "kernel_size, stride (kernel_size if None), padding: integers or one for each dimension"
_DOCUMENTED: dict[type[_Pooling], tuple[str, str, str]] = {
    _MaxPool: (
        "The largest element of each window",
        f"{_WINDOWS}, dilation; return_indices, whether the places in the plane come too; ceil_mode",
        "2",
    ),
    _AvgPool: (
        "The mean of each window",
        f"{_WINDOWS}; ceil_mode; count_include_pad; in two and three dimensions divisor_override, as in the function",
        "2",
    ),
    _LPPool: ("The root Σ(xᵖ)^(1/p) of each window", "norm_type p; kernel_size, stride; ceil_mode", "1, 2"),
    _AdaptiveMaxPool: (
        "The largest element of each of `output_size` windows",
        "output_size (integers, or None for the input's); return_indices",
        "2",
    ),
    _AdaptiveAvgPool: (
        "The mean of each of `output_size` windows",
        "output_size (integers, or None for the input's)",
        "2",
    ),
}
for _base, (_summary, _arguments, _example) in _DOCUMENTED.items():
    for _layer in _base.__subclasses__():
        _layer.__doc__ = f"""{_summary} in {_layer.dims} dimension(s).

    Arguments: {_arguments}.
    Input (batch, channels, sizes) or without the batch. Raises ShapeError, ArgumentError, DtypeError. Source: notes,
    section 7.

    >>> import tinygrad_dl as tg
    >>> tg.nn.{_layer.__name__}({_example})(tg.ones(1, 3, {", ".join(["4"] * _layer.dims)})).shape
    tinygrad_dl.Size([1, 3, {", ".join(["2"] * _layer.dims)}])
    """
for _layer in _MaxUnpool.__subclasses__():
    _fours = ", ".join(["4"] * _layer.dims)
    _layer.__doc__ = f"""Zeros, with each element at the place that MaxPool{_layer.dims}d(return_indices=True) found.

    Arguments: {_WINDOWS}, as in the pooling. A call takes input, indices
    (int64, of the input's shape) and output_size where several are possible. Raises ShapeError, ArgumentError.

    >>> import tinygrad_dl as tg
    >>> y, places = tg.nn.MaxPool{_layer.dims}d(2, return_indices=True)(tg.rand(1, 3, {_fours}))
    >>> tg.nn.MaxUnpool{_layer.dims}d(2)(y, places).shape
    tinygrad_dl.Size([1, 3, {_fours}])
    """
