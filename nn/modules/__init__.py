"""PyTorch's import paths of layers, `nn.modules.conv` and the like, and the hooks of all modules."""

from __future__ import annotations

from typing import Any

from tinygrad_dl.import_paths import Place, make_places

from . import module, utils
from .module import Module

__all__ = ["module", "utils", "Module"]

_NN = __name__.rpartition(".")[0]

# PyTorch's files, and ours in which their private names lie; public ones are all in `nn`.
_FILES = {
    "activation": "activation attention multihead",
    "adaptive": "adaptive",
    "batchnorm": "batchnorm",
    "channelshuffle": "pixelshuffle",
    "container": "containers parameter_containers",
    "conv": "conv",
    "distance": "distance",
    "dropout": "dropout",
    "flatten": "flatten",
    "fold": "fold",
    "instancenorm": "batchnorm",
    "lazy": "lazy",
    "linear": "linear",
    "loss": "loss",
    "normalization": "normalization",
    "padding": "padding",
    "pixelshuffle": "pixelshuffle",
    "pooling": "pooling",
    "rnn": "rnn",
    "sparse": "embedding",
    "transformer": "transformer",
    "upsampling": "upsampling",
}
_RENAMED = {"_ConvNd": "_Convolutional", "_ConvTransposeNd": "_TransposedConvolution", "_NormBase": "_Norm"}

make_places(__name__, _FILES, inside=_NN, also=_NN, renamed=_RENAMED)
_all = Place(__name__, [_NN], {})


def __getattr__(name: str) -> Any:
    return getattr(_all, name)
