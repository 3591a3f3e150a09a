"""Around training: data sets and loaders, `utils.data`, and memory for time, `utils.checkpoint`."""

from . import checkpoint, data

__all__ = ["checkpoint", "data"]
