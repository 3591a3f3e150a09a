"""What PyTorch asks of CUDA; its switches can be set."""

from importlib.util import find_spec


class _Matmul:
    """Switches of products of matrices on GPUs."""

    allow_tf32 = False
    allow_fp16_reduced_precision_reduction = True
    allow_bf16_reduced_precision_reduction = True


matmul = _Matmul()


def is_built() -> bool:
    """Whether CuPy, by which GPUs are used, is installed; `cuda.is_available()` also asks for a GPU.

    >>> import tinygrad_dl as tg
    >>> isinstance(tg.backends.cuda.is_built(), bool)
    True
    """
    return find_spec("cupy") is not None
