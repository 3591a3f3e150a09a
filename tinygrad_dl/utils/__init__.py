"""Around training: `utils.data` loads, `utils.checkpoint` saves memory, `utils.dlpack` shares it."""

from . import checkpoint, data, dlpack

__all__ = ["checkpoint", "data", "dlpack"]
