"""What a tensor says of its kind and place where PyTorch has several and there is one here: dense, and its own."""

from typing import Any

from .dtypes import bfloat16, dtype, find
from .dtypes import result_type as meet
from .errors import ArgumentTypeError
from .layouts import strided
from .methods import attach
from .promotion import as_operand
from .tensor import Tensor
from .unavailable import refused


def _always(answer: Any, what: str) -> property:
    return property(lambda self: answer, doc=f"{what}.")


def _tensor(name: str, value: Any) -> Tensor:
    if not isinstance(value, Tensor):
        raise ArgumentTypeError(f"{name}: input must be a Tensor, {type(value).__name__} came")
    return value


def get_device(input: Tensor) -> int:
    """The number of the GPU on which a tensor lies; -1 on the CPU.

    >>> import tinygrad_dl as tg
    >>> tg.get_device(tg.zeros(1))
    -1
    """
    where = _tensor("get_device", input).device
    return -1 if where.index is None else where.index


def is_nonzero(input: Tensor) -> bool:
    """Whether the one element of a tensor is not 0. Raises ArgumentError for more or fewer elements.

    >>> import tinygrad_dl as tg
    >>> tg.is_nonzero(tg.tensor([2.0]))
    True
    """
    return bool(_tensor("is_nonzero", input))


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape.

    >>> import tinygrad_dl as tg
    >>> tg.is_same_size(tg.zeros(2), tg.zeros(2, 1))
    False
    """
    return _tensor("is_same_size", input).array.shape == _tensor("is_same_size", other).array.shape


def is_floating_point(input: Tensor) -> bool:
    """Whether a tensor's elements are floating-point numbers.

    >>> import tinygrad_dl as tg
    >>> tg.is_floating_point(tg.zeros(1)), tg.is_floating_point(tg.tensor(1))
    (True, False)
    """
    return _tensor("is_floating_point", input).dtype.is_floating_point


def is_complex(input: Tensor) -> bool:
    """Whether a tensor's elements are complex numbers.

    >>> import tinygrad_dl as tg
    >>> tg.is_complex(tg.zeros(1))
    False
    """
    return _tensor("is_complex", input).dtype.is_complex


def is_signed(input: Tensor) -> bool:
    """Whether a tensor's dtype has negative numbers.

    >>> import tinygrad_dl as tg
    >>> tg.is_signed(tg.zeros(1)), tg.is_signed(tg.zeros(1, dtype=tg.uint8))
    (True, False)
    """
    return _tensor("is_signed", input).dtype.is_signed


def is_inference(input: Tensor) -> bool:
    """Whether a tensor was made under inference mode and keeps to it: no, here it may be used anywhere.

    >>> import tinygrad_dl as tg
    >>> tg.is_inference(tg.zeros(1))
    False
    """
    _tensor("is_inference", input)
    return False


def result_type(tensor1: Any, tensor2: Any) -> dtype:
    """The dtype in which two tensors or numbers meet: 0-d tensors yield to others, numbers to all tensors.

    >>> import tinygrad_dl as tg
    >>> tg.result_type(tg.zeros(1, dtype=tg.float16), 1.0), tg.result_type(tg.tensor([1]), 1.0)
    (tinygrad_dl.float16, tinygrad_dl.float32)
    """
    operands = [as_operand("result_type", f"tensor{i}", value) for i, value in enumerate((tensor1, tensor2), 1)]
    return find(meet([getattr(operand, "array", operand) for operand in operands]))


def _to_dense(self: Tensor, dtype: Any = None) -> Tensor:
    """This tensor, which is dense; of another dtype when one is given."""
    return self.to(dtype=dtype)


def _bfloat16(self: Tensor) -> Tensor:
    """Raises DtypeError: no tensor has this dtype."""
    return self.to(bfloat16)


def _pinned(self: Tensor, device: Any = None) -> bool:
    """Whether the tensor lies in pinned memory, of which there is none."""
    return False


def _shared(self: Tensor) -> bool:
    """Whether the tensor lies in memory that processes share, of which there is none."""
    return self.is_cuda


attach(
    get_device=get_device,
    is_nonzero=is_nonzero,
    is_same_size=is_same_size,
    is_signed=is_signed,
    is_inference=is_inference,
    is_pinned=_pinned,
    is_shared=_shared,
    to_dense=_to_dense,
    bfloat16=_bfloat16,
    to_sparse=refused("to_sparse", "there are no sparse tensors; nonzero() gives the indices of what is not 0"),
    pin_memory=refused("pin_memory", "there is no pinned memory; leave it out"),
    share_memory_=refused("share_memory_", "processes get copies of tensors; send results back through a Queue"),
    layout=_always(strided, "How the elements lie in memory: `strided`"),
    is_cpu=property(lambda self: self.device.type == "cpu", doc="Whether the array lies on the CPU."),
    is_sparse=_always(False, "Whether only what is not 0 is kept: no"),
    is_sparse_csr=_always(False, "Whether only what is not 0 is kept, row by row: no"),
    is_quantized=_always(False, "Whether the elements are quantized: no"),
    is_meta=_always(False, "Whether the tensor has a shape but no values: no"),
    is_mps=_always(False, "Whether the array lies on one of Apple's GPUs: no"),
    is_xpu=_always(False, "Whether the array lies on one of Intel's GPUs: no"),
    is_mkldnn=_always(False, "Whether the elements lie as Intel's library wants them: no"),
    is_nested=_always(False, "Whether the rows have lengths of their own: no"),
)
