"""Optimizers: what turns gradients into better parameters. The public names are those of `torch.optim`."""

if not __name__.startswith("tinygrad_dl."):
    raise ImportError("`import optim` would make a second copy of every class; use `from tinygrad_dl import optim`")

from . import lr_scheduler, swa_utils
from .adadelta import Adadelta
from .adafactor import Adafactor
from .adagrad import Adagrad
from .adam import Adam, AdamW, SparseAdam
from .adamax import Adamax
from .asgd import ASGD
from .lbfgs import LBFGS
from .muon import Muon
from .nadam import NAdam
from .optimizer import Optimizer
from .radam import RAdam
from .rmsprop import RMSprop
from .rprop import Rprop
from .sgd import SGD

__all__ = [
    "Optimizer",
    "SGD",
    "ASGD",
    "Adagrad",
    "Adadelta",
    "RMSprop",
    "Rprop",
    "Adam",
    "AdamW",
    "Adamax",
    "NAdam",
    "RAdam",
    "Adafactor",
    "Muon",
    "LBFGS",
    "SparseAdam",
    "lr_scheduler",
    "swa_utils",
]
