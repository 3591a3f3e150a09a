"""Tensors that belong to a module: parameters, which are learnt, and buffers, which are not."""

from __future__ import annotations

from tinygrad_dl.errors import ArgumentTypeError
from tinygrad_dl.tensor import Tensor

# What a name that a module registered stands for. A transient buffer moves with its module but is not saved.
PARAMETER, BUFFER, TRANSIENT_BUFFER, MODULE = "parameter", "buffer", "transient buffer", "module"
BUFFERS = (BUFFER, TRANSIENT_BUFFER)


class _Member(Tensor):
    """A tensor made around the memory of another one, of the kind that a module registers when it is assigned."""

    __slots__ = ()

    def _share(self, data: Tensor | None, requires_grad: bool) -> None:
        if data is None:
            data = Tensor()
        if not isinstance(data, Tensor):
            kind = type(self).__name__
            raise ArgumentTypeError(
                f"{kind}: data must be a Tensor, not {type(data).__name__}; write {kind}(tinygrad_dl.tensor(...))"
            )
        self.array = data.array
        self.node = self.extras = self._grad = None
        self._requires_grad = False
        self.requires_grad = requires_grad


class Parameter(_Member):
    """A tensor that a module learns: assigned to an attribute of a module, it is among its `parameters()`.

    Arguments: data, a tensor of any shape, whose memory the parameter shares, without its history (None: an empty one);
    requires_grad. Raises ArgumentTypeError for what is no tensor, DtypeError for integers that require grad.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.Parameter(tg.ones(2))
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    """

    __slots__ = ()

    def __init__(self, data: Tensor | None = None, requires_grad: bool = True) -> None:
        self._share(data, requires_grad)

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()


class Buffer(_Member):
    """A tensor that is part of a module's state but not learnt, such as a running mean.

    Assigned to an attribute of a module, it moves with it, and is in its `state_dict` if `persistent`.

    Arguments: data, a tensor of any shape, whose memory the buffer shares; persistent. Raises ArgumentTypeError for
    what is no tensor.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> module = nn.Module()
    >>> module.steps = nn.Buffer(tg.zeros(1))
    >>> dict(module.state_dict())
    {'steps': tensor([0.])}
    """

    __slots__ = ()
    persistent = True

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Buffer:
        return super().__new__(cls if persistent else _TransientBuffer)

    def __init__(self, data: Tensor | None = None, *, persistent: bool = True) -> None:
        self._share(data, False)


class _TransientBuffer(Buffer):
    """A buffer that is not saved; a class, so that copies and pickles are as well."""

    __slots__ = ()
    persistent = False
