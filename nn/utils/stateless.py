"""The older place of `func.functional_call`."""

from __future__ import annotations

import warnings
from typing import Any

from tinygrad_dl.tensor import Tensor

from .. import functional_call as _calling
from ..module import Module


def functional_call(
    module: Module,
    parameters_and_buffers: dict[str, Tensor],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """As `func.functional_call`, which took its place; warns."""
    warnings.warn("nn.utils.stateless.functional_call: its place is func now", FutureWarning, stacklevel=2)
    return _calling.functional_call(
        module, parameters_and_buffers, args, kwargs, tie_weights=tie_weights, strict=strict
    )
