"""Wrappers that PyTorch has for several GPUs: on one device they call their module; more there are not here."""

from __future__ import annotations

from typing import Any, NoReturn

from tinygrad_dl.errors import ArgumentTypeError

from .module import Module


class DataParallel(Module):
    """A module under the name `module`, as PyTorch's wrapper keeps it, called as it is on the one device.

    The keys of its `state_dict` begin with "module.", as those of files that were saved from PyTorch's wrapper.

    Arguments: module; device_ids, the one device or None; output_device, the same; dim, the batch's dimension, which
    is not cut. Raises NotImplementedError for several devices, ArgumentTypeError for what is no module.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> model = nn.DataParallel(nn.Linear(2, 3))
    >>> model(tg.ones(5, 2)).shape, list(model.state_dict())
    (tinygrad_dl.Size([5, 3]), ['module.weight', 'module.bias'])
    """

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0) -> None:
        super().__init__()
        if not isinstance(module, Module):
            raise ArgumentTypeError(f"DataParallel: module must be a Module, {type(module).__name__} came")
        if device_ids is not None and len(device_ids) > 1:
            raise NotImplementedError(
                f"DataParallel: device_ids={list(device_ids)}: a batch is not cut over several devices; leave out "
                "device_ids, and the module runs where it is"
            )
        self.module, self.device_ids, self.output_device, self.dim = module, device_ids, output_device, dim

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self.module(*inputs, **kwargs)

    def extra_repr(self) -> str:
        """Nothing: the module is shown as it is."""
        return ""


class DistributedDataParallel(Module):
    """PyTorch's training by several processes. Raises NotImplementedError: there is one process.

    As in PyTorch, it could be made only where a process group was: guard it with `distributed.is_available()`.
    """

    def __init__(self, module: Module, *args: Any, **options: Any) -> None:
        _refuse("DistributedDataParallel")


def data_parallel(
    module: Module,
    inputs: Any,
    device_ids: Any = None,
    output_device: Any = None,
    dim: int = 0,
    module_kwargs: Any = None,
) -> Any:
    """`module(*inputs)` on the one device; otherwise as DataParallel."""
    wrapped = DataParallel(module, device_ids, output_device, dim)
    return wrapped(*(inputs if isinstance(inputs, tuple) else (inputs,)), **(module_kwargs or {}))


def _refuse(name: str) -> NoReturn:
    raise NotImplementedError(
        f"{name}: there is one process and nobody to share gradients with; train the module as it is, and guard this "
        "with distributed.is_available()"
    )
