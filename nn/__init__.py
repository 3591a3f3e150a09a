"""Networks: modules with parameters, layers, losses, and the functions behind them."""

if __name__ == "nn":  # `import nn` in a checkout would make a second copy of every class
    raise ImportError("import nn as a part of the package: from tinygrad_dl import nn")

from . import functional, init, modules, parallel, utils
from .activation import (
    CELU,
    ELU,
    GELU,
    GLU,
    SELU,
    Hardshrink,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    Mish,
    PReLU,
    ReLU,
    ReLU6,
    RReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softmax2d,
    Softmin,
    Softplus,
    Softshrink,
    Softsign,
    Tanh,
    Tanhshrink,
    Threshold,
)
from .containers import Container, ModuleDict, ModuleList, Sequential
from .dropout import Dropout
from .embedding import Embedding, EmbeddingBag
from .flatten import Flatten, Unflatten
from .linear import Identity, Linear
from .loss import BCEWithLogitsLoss, CrossEntropyLoss, MSELoss, NLLLoss
from .module import Module
from .parallel import DataParallel
from .parameter import Buffer, Parameter
from .parameter_containers import ParameterDict, ParameterList

__all__ = [
    "functional",
    "init",
    "modules",
    "parallel",
    "utils",
    "Module",
    "Parameter",
    "Buffer",
    "Container",
    "Sequential",
    "ModuleList",
    "ModuleDict",
    "ParameterList",
    "ParameterDict",
    "DataParallel",
    "Linear",
    "Identity",
    "Embedding",
    "EmbeddingBag",
    "Flatten",
    "Unflatten",
    "ReLU",
    "ReLU6",
    "LeakyReLU",
    "PReLU",
    "RReLU",
    "ELU",
    "SELU",
    "CELU",
    "GELU",
    "SiLU",
    "Mish",
    "Softplus",
    "Tanh",
    "Hardtanh",
    "Softsign",
    "Tanhshrink",
    "Softshrink",
    "Hardshrink",
    "Sigmoid",
    "LogSigmoid",
    "Hardsigmoid",
    "Hardswish",
    "Threshold",
    "GLU",
    "Softmax",
    "Softmax2d",
    "LogSoftmax",
    "Softmin",
    "Dropout",
    "MSELoss",
    "CrossEntropyLoss",
    "NLLLoss",
    "BCEWithLogitsLoss",
]
