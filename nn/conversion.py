"""What a module does to all its tensors at once: moving them to a device, converting them to a dtype."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn, Self

from tinygrad_dl import dtypes
from tinygrad_dl.autograd import no_grad
from tinygrad_dl.creation import empty_like
from tinygrad_dl.errors import ArgumentTypeError, DtypeError
from tinygrad_dl.tensor import Tensor
from tinygrad_dl.unavailable import warn_once

from .parameter import BUFFERS, PARAMETER, Parameter


class Conversions:
    """The part of a Module that moves and converts; it stays the same module, with the same parameters."""

    if TYPE_CHECKING:
        children: Callable[[], Any]
        _named: Callable[..., list[tuple[str, Any]]]

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Put `fn(tensor)` in the place of each parameter's data, gradient and of each buffer, and of those below.

        A subclass overrides this to take along what it holds beside them. Returns the module.
        """
        with no_grad():
            for child in self.children() if recurse else ():
                child._apply(fn)
            for name, tensor in self._named(PARAMETER, *BUFFERS):
                if isinstance(tensor, Parameter):
                    gradient, tensor.grad = tensor.grad, None
                    tensor.data = fn(tensor)
                    tensor.grad = None if gradient is None else fn(gradient)
                elif tensor is not None:
                    self.__dict__[name] = fn(tensor)  # whoever else holds the old one may need it as it is
        return self

    def to(
        self, *args: Any, device: Any = None, dtype: Any = None, non_blocking: bool = False, memory_format: Any = None
    ) -> Self:
        """Move to a device, convert to a floating dtype, or both: `to(device)`, `to(dtype)`, `to(device, dtype)`.

        Parameters stay the same objects, with their gradients, so that an optimizer made before keeps working; integer
        buffers keep their dtype. Arguments: a device, a dtype, both, or a tensor that has both; or by name.
        non_blocking changes nothing here: copies are finished on return. Returns the module. Raises ArgumentTypeError
        for a dtype that is not floating, DeviceError for a device that is not there, NotImplementedError for a
        memory_format, as a tensor's `to`.

        >>> import tinygrad_dl as tg
        >>> from tinygrad_dl import nn
        >>> nn.Linear(2, 3).to("cpu", tg.float64).weight.dtype
        tinygrad_dl.float64
        """
        for target in args:
            if isinstance(target, Tensor):
                device, dtype = target.device, target.dtype
            elif isinstance(target, dtypes.dtype):
                dtype = target
            elif not isinstance(target, bool):  # which is non_blocking, the third one
                device = target
        if dtype is not None and not dtypes.find(dtype).is_floating_point:
            raise ArgumentTypeError(
                f"{type(self).__name__}.to: parameters are floating, {dtype} came; convert the input instead"
            )
        layout = {} if memory_format is None else {"memory_format": memory_format}
        return self._apply(
            lambda tensor: tensor.to(device=device, dtype=dtype if tensor.is_floating_point() else None, **layout)
        )

    def cpu(self) -> Self:
        """Move all parameters and buffers to the CPU. Returns the module."""
        return self.to("cpu")

    def cuda(self, device: Any = None) -> Self:
        """Move all parameters and buffers to a GPU, the first one or that of an index. Returns the module."""
        return self.to("cuda" if device is None else device)

    def float(self) -> Self:
        """Convert the floating parameters and buffers to float32. Returns the module."""
        return self.to(dtypes.float32)

    def double(self) -> Self:
        """Convert the floating parameters and buffers to float64. Returns the module."""
        return self.to(dtypes.float64)

    def half(self) -> Self:
        """Convert the floating parameters and buffers to float16. Returns the module."""
        return self.to(dtypes.float16)

    def bfloat16(self) -> NoReturn:
        """PyTorch's bfloat16, which NumPy lacks. Raises DtypeError: use `half()` for half the memory."""
        raise DtypeError(
            f"{type(self).__name__}.bfloat16: tensors have no such dtype; use float(), or half() for half the memory"
        )

    def type(self, dst_type: Any) -> Self:
        """Convert all parameters and buffers, integer ones as well, to one dtype. Returns the module.

        >>> import tinygrad_dl as tg
        >>> from tinygrad_dl import nn
        >>> nn.Linear(2, 3).type(tg.float64).bias.dtype
        tinygrad_dl.float64
        """
        return self._apply(lambda tensor: tensor.type(dst_type))

    def to_empty(self, *, device: Any, recurse: bool = True) -> Self:
        """Move to a device without copying: the values there are whatever its memory holds. Returns the module."""
        return self._apply(lambda tensor: empty_like(tensor, device=device), recurse)

    def share_memory(self) -> Self:
        """PyTorch's sharing between processes. Raises NotImplementedError, as a tensor's `share_memory_`."""
        return self._apply(lambda tensor: tensor.share_memory_())

    def compile(self, *args: Any, backend: Any = None, disable: bool = False, **options: Any) -> None:
        """Nothing: the module runs as Python does, as `tinygrad_dl.compile` of it does; a warning says so once."""
        if backend != "eager" and not disable:
            warn_once("compile", "nothing is compiled; the module stays as it is")
