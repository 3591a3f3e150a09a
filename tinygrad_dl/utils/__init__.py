"""Data sets and loaders: `tinygrad_dl.utils.data`."""

from . import data

__all__ = ["data"]
