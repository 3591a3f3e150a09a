"""Which kernel computes attention: PyTorch's names, of which the choice changes nothing here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum

from tinygrad_dl.errors import ArgumentTypeError


class SDPBackend(IntEnum):
    """The kernels that PyTorch has for `scaled_dot_product_attention`.

    >>> from tinygrad_dl.nn.attention import SDPBackend
    >>> SDPBackend.MATH.name
    'MATH'
    """

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


@contextmanager
def sdpa_kernel(backends: Sequence[SDPBackend] | SDPBackend, set_priority: bool = False) -> Iterator[None]:
    """Choose among kernels for attention; there is one here, so that the block runs as it would without.

    Arguments: backends, one or several; set_priority. Raises ArgumentTypeError for what is no SDPBackend.

    >>> from tinygrad_dl.nn.attention import SDPBackend, sdpa_kernel
    >>> with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
    ...     pass
    """
    for chosen in backends if isinstance(backends, list | tuple | set) else [backends]:
        if not isinstance(chosen, SDPBackend):
            raise ArgumentTypeError(f"sdpa_kernel: backends are SDPBackend's members, {chosen!r} came")
    yield
