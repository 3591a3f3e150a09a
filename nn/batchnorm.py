"""Layers that normalise each channel, over the batch or in each sample, and keep running statistics."""

from __future__ import annotations

import warnings
from typing import Any, NoReturn

from tinygrad_dl.creation import empty, ones, tensor, zeros
from tinygrad_dl.dtypes import int64
from tinygrad_dl.errors import ArgumentError
from tinygrad_dl.ops.normalization import batch_norm, instance_norm
from tinygrad_dl.tensor import Tensor

from . import init
from .lazy import LazyModuleMixin
from .module import Module
from .parameter import Parameter


class _Norm(Module):
    """What the layers have in common: a scale and a shift that are learnt, and running statistics, if wanted."""

    _version = 2  # since num_batches_tracked is kept
    dims: tuple[int, ...]  # how many dimensions an input may have

    def _set_up(
        self, num_features: int, eps: float, momentum: float | None, affine: bool, track_running_stats: bool,
        device: Any, dtype: Any, bias: bool,
    ) -> None:  # fmt: skip
        Module.__init__(self)
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        place: Any = {"device": device, "dtype": dtype}
        self.register_parameter("weight", Parameter(empty(num_features, **place)) if affine else None)
        self.register_parameter("bias", Parameter(empty(num_features, **place)) if affine and bias else None)
        tracked = track_running_stats
        self.register_buffer("running_mean", zeros(num_features, **place) if tracked else None)
        self.register_buffer("running_var", ones(num_features, **place) if tracked else None)
        self.register_buffer("num_batches_tracked", tensor(0, dtype=int64, device=device) if tracked else None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Start the running statistics again: mean 0, variance 1, no batch seen."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Start again: weight 1, bias 0, and the running statistics."""
        self.reset_running_stats()
        if self.affine:
            init.ones_(self.weight)
            if self.bias is not None:
                init.zeros_(self.bias)

    def extra_repr(self) -> str:
        """The arguments as PyTorch shows them."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )

    def _channels(self, input: Any) -> int:
        return int(input.shape[1])

    def _require_dims(self, input: Any) -> None:
        if input.ndim not in self.dims:
            wanted = " or ".join(map(str, self.dims))
            raise ArgumentError(
                f"{type(self).__name__}({self.num_features}): the input must have {wanted} dimensions, its shape is "
                f"{tuple(input.shape)}"
            )

    def _find_state(self, given: Any, prefix: str, loading: Any) -> None:
        """States that were saved before num_batches_tracked was kept leave it as it is."""
        key = f"{prefix}num_batches_tracked"
        old = (loading.metadata(prefix).get("version") or 1) < 2
        if old and self.track_running_stats and key not in given:
            given = {**given, key: self.num_batches_tracked}
        super()._find_state(given, prefix, loading)


class _BatchNorm(_Norm):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        self._set_up(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias)

    def forward(self, input: Tensor) -> Tensor:
        """The input, normalised by the batch's statistics while training or if there are no others."""
        self._require_dims(input)
        mean, var, momentum = self.running_mean, self.running_var, self.momentum
        if self.training:
            if not self.track_running_stats:
                mean = var = None
            elif self.num_batches_tracked is not None:
                self.num_batches_tracked.add_(1)
                if momentum is None:  # then the running statistics are means of all batches so far
                    momentum = 1 / self.num_batches_tracked.item()
        own = self.training or (mean is None and var is None)
        return batch_norm(input, mean, var, self.weight, self.bias, own, momentum or 0.0, self.eps)


class BatchNorm1d(_BatchNorm):
    """Each channel minus its mean, divided by √(variance + eps), times a weight, plus a bias that are learnt.

    While training, mean and variance are those of the batch, and the running ones move towards them by `momentum`;
    in `eval()` the running ones are used, so that one example's result does not depend on others.

    Arguments: num_features C; eps; momentum (None: the running statistics are means of all batches);
    affine, whether there are weight and bias, (C,), which start at 1 and 0; track_running_stats, whether there are the
    buffers running_mean, running_var, (C,), and num_batches_tracked; device, dtype; bias. Input and result (N, C) or
    (N, C, L). Raises ArgumentError for other shapes and for one value per channel while training. Source: notes,
    section 4.1, N103.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> layer = nn.BatchNorm1d(2)
    >>> layer(tg.tensor([[0.0, 1.0], [2.0, 5.0]])), layer.running_mean
    (tensor([[-1.0000, -1.0000],
            [ 1.0000,  1.0000]], grad_fn=<NormalizeBackward0>), tensor([0.1000, 0.3000]))
    """

    dims = (2, 3)


class BatchNorm2d(_BatchNorm):
    """As `BatchNorm1d`, for images (N, C, H, W): one mean and variance for each channel.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.BatchNorm2d(3)(tg.randn(8, 3, 4, 4)).shape
    tinygrad_dl.Size([8, 3, 4, 4])
    """

    dims = (4,)


class BatchNorm3d(_BatchNorm):
    """As `BatchNorm1d`, for volumes (N, C, D, H, W)."""

    dims = (5,)


class SyncBatchNorm(_BatchNorm):
    """Batch norm over several processes. Raises NotImplementedError: there is one process; use `BatchNorm1d`."""

    def __init__(self, num_features: int, *args: Any, **kwargs: Any) -> None:
        self._refuse()

    @classmethod
    def convert_sync_batchnorm(cls, module: Any, process_group: Any = None) -> Any:
        """Raises NotImplementedError: leave the module's batch norms as they are."""
        cls._refuse()

    @staticmethod
    def _refuse() -> NoReturn:
        raise NotImplementedError(
            "SyncBatchNorm: it shares statistics between processes, and tinygrad_dl trains in one; there BatchNorm1d, "
            "BatchNorm2d and BatchNorm3d do the same"
        )


class _InstanceNorm(_Norm):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        self._set_up(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias)

    def _channels(self, input: Any) -> int:
        return int(input.shape[0 if input.ndim == self.dims[0] else 1])

    def forward(self, input: Tensor) -> Tensor:
        """The input, normalised by its own statistics unless running ones are tracked and this is no training."""
        self._require_dims(input)
        single = input.ndim == self.dims[0]
        channels = self._channels(input)
        if channels != self.num_features:
            came = f"{type(self).__name__}({self.num_features}): the input of shape {tuple(input.shape)} has {channels}"
            if self.affine:
                raise ArgumentError(f"{came} channels")
            warnings.warn(f"{came} channels; without affine any number will do", UserWarning, stacklevel=3)
        own = self.training or not self.track_running_stats
        batch = input.unsqueeze(0) if single else input
        out = instance_norm(
            batch, self.running_mean, self.running_var, self.weight, self.bias, own, self.momentum or 0.0, self.eps
        )
        return out.squeeze(0) if single else out


class InstanceNorm1d(_InstanceNorm):
    """Each channel of each sample minus its mean, divided by √(variance + eps).

    Arguments as for `BatchNorm1d`, but weight and bias, and running statistics (means over the samples, used in
    `eval()`), are there only if asked for. Input and result (N, C, L) or (C, L). Raises ArgumentError for other shapes
    and for one value per channel. Source: Ulyanov et al., 2016.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.InstanceNorm1d(2)(tg.tensor([[0.0, 2.0], [1.0, 5.0]]))
    tensor([[-1.0000,  1.0000],
            [-1.0000,  1.0000]])
    """

    dims = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """As `InstanceNorm1d`, for images (N, C, H, W) or (C, H, W)."""

    dims = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """As `InstanceNorm1d`, for volumes (N, C, D, H, W) or (C, D, H, W)."""

    dims = (4, 5)


class _LazyNorm(LazyModuleMixin):
    """A norm layer that finds num_features from its first input."""

    def __init__(
        self: Any,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        self._set_up(0, eps, momentum, affine, track_running_stats, device, dtype, bias)
        self._forget_shapes("weight", "bias", "running_mean", "running_var")

    def reset_parameters(self: Any) -> None:
        """Start again: weight 1, bias 0, and the running statistics, once they have a shape."""
        if self.num_features and not self.has_uninitialized_params():
            _Norm.reset_parameters(self)

    def initialize_parameters(self: Any, input: Tensor) -> None:
        """Give the parameters and buffers the shape that fits this input, or find num_features if they have one."""
        self._require_dims(input)
        self.num_features = self._channels(input)
        if self.has_uninitialized_params():
            for tensor in (self.weight, self.bias, self.running_mean, self.running_var):
                if tensor is not None:
                    tensor.materialize((self.num_features,))
            self.reset_parameters()


class LazyBatchNorm1d(_LazyNorm, _BatchNorm):
    """A BatchNorm1d that finds num_features from its first input: its arguments are the others.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> layer = nn.LazyBatchNorm1d(momentum=0.3)
    >>> layer(tg.randn(4, 2)).shape, layer.num_features, type(layer).__name__
    (tinygrad_dl.Size([4, 2]), 2, 'BatchNorm1d')
    """

    cls_to_become, dims = BatchNorm1d, BatchNorm1d.dims


class LazyBatchNorm2d(_LazyNorm, _BatchNorm):
    """A BatchNorm2d that finds num_features from its first input."""

    cls_to_become, dims = BatchNorm2d, BatchNorm2d.dims


class LazyBatchNorm3d(_LazyNorm, _BatchNorm):
    """A BatchNorm3d that finds num_features from its first input."""

    cls_to_become, dims = BatchNorm3d, BatchNorm3d.dims


class LazyInstanceNorm1d(_LazyNorm, _InstanceNorm):
    """An InstanceNorm1d that finds num_features from its first input; with weight, bias and statistics unless refused.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> layer = nn.LazyInstanceNorm1d()
    >>> layer(tg.randn(4, 2, 5)).shape, layer.running_mean.shape
    (tinygrad_dl.Size([4, 2, 5]), tinygrad_dl.Size([2]))
    """

    cls_to_become, dims = InstanceNorm1d, InstanceNorm1d.dims


class LazyInstanceNorm2d(_LazyNorm, _InstanceNorm):
    """An InstanceNorm2d that finds num_features from its first input."""

    cls_to_become, dims = InstanceNorm2d, InstanceNorm2d.dims


class LazyInstanceNorm3d(_LazyNorm, _InstanceNorm):
    """An InstanceNorm3d that finds num_features from its first input."""

    cls_to_become, dims = InstanceNorm3d, InstanceNorm3d.dims
