"""A form that is linear in each of two vectors."""

from typing import Any

from ..errors import ShapeError
from .composed import composed
from .einsum import einsum
from .linalg import matmul
from .shape import squeeze, unsqueeze


@composed
def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """x1 Wₖ x2 + bₖ for each output k.

    Arguments: input1 (..., in1), input2 (..., in2), with the same leading dimensions; weight (out, in1, in2), bias
    (out) or None, of one dtype. Returns (..., out). Raises ShapeError, DtypeError.

    >>> import tinygrad_dl as tg
    >>> x, y = tg.tensor([1.0, 2.0]), tg.tensor([3.0])
    >>> tg.nn.functional.bilinear(x, y, tg.tensor([[[1.0], [10.0]]]))
    tensor([63.])
    """
    came = f"{tuple(input1.shape)}, {tuple(input2.shape)} and weight {tuple(weight.shape)} came"
    if weight.ndim != 3 or (input1.shape[-1], input2.shape[-1]) != tuple(weight.shape[1:]):
        raise ShapeError(f"bilinear: inputs (..., in1) and (..., in2) and a weight (out, in1, in2) are needed; {came}")
    if input1.shape[:-1] != input2.shape[:-1]:
        raise ShapeError(f"bilinear: both inputs must have the same leading dimensions; {came}")
    through = einsum("...i,oij->...oj", input1, weight)
    out = squeeze(matmul(through, unsqueeze(input2, -1)), -1)
    return out if bias is None else out + bias
