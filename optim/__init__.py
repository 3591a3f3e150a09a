"""Optimizers: what turns gradients into better parameters. The public names are those of `torch.optim`."""

if not __name__.startswith("tinygrad_dl."):
    raise ImportError("`import optim` would make a second copy of every class; use `from tinygrad_dl import optim`")

from .adam import Adam, AdamW
from .optimizer import Optimizer
from .sgd import SGD

__all__ = ["Optimizer", "SGD", "Adam", "AdamW"]
