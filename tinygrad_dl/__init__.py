"""tinygrad_dl: autograd and tensors on NumPy or CuPy, with PyTorch's names, that show every step of backprop.

>>> import tinygrad_dl as tg
>>> w = tg.tensor(3.0, requires_grad=True)
>>> loss = (w * 2 - 4) ** 2
>>> loss.backward()
>>> w.grad
tensor(8.)
"""

import importlib
import os
import sys
import warnings
from typing import TYPE_CHECKING, Any

from . import _checkout

_checkout.install()
# As in PyTorch, 1/0 and log(0) silently give infinities and NaN; NumPy would warn from our frames.
warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"tinygrad_dl\.")

from . import anomaly as _anomaly
from . import autograd as autograd
from . import function as _function
from . import functional as _functional
from . import graph as _graph
from . import inspection as _inspection  # gives nodes their next_functions
from . import linalg as linalg
from . import numpy_functions as _numpy_functions  # lets NumPy's functions take tensors
from . import return_types as return_types
from .anomaly import is_anomaly_check_nan_enabled, is_anomaly_enabled
from .backend import device, get_default_device, set_default_device
from .creation import (
    arange,
    as_tensor,
    empty,
    empty_like,
    eye,
    from_numpy,
    full,
    full_like,
    linspace,
    ones,
    ones_like,
    tensor,
    zeros,
    zeros_like,
)
from .dtypes import (
    bfloat16,
    can_cast,
    double,
    dtype,
    float16,
    float32,
    float64,
    get_default_dtype,
    half,
    int8,
    int16,
    int32,
    int64,
    long,
    promote_types,
    set_default_dtype,
    short,
    uint8,
)
from .dtypes import bool_ as bool
from .dtypes import float_ as float
from .dtypes import int_ as int
from .errors import (
    AnomalyError,
    ArgumentError,
    ArgumentTypeError,
    DeviceError,
    DimensionError,
    DtypeError,
    GraphError,
    MissingPackageError,
    ShapeError,
    StateDictError,
    TinygradError,
    UnknownAttributeError,
)
from .gradcheck import gradcheck, gradgradcheck
from .limits import finfo, iinfo
from .methods import attach as _attach
from .methods import make_public as _make_public
from .modes import enable_grad, inference_mode, is_grad_enabled, is_inference_mode_enabled, no_grad, set_grad_enabled
from .ops import conversion as _conversion  # attaches its methods
from .ops.addmm import addbmm, addmm, addmv, addr, baddbmm
from .ops.agreement import allclose, equal
from .ops.cumulative import cummax, cummin, cumprod, cumsum, logcumsumexp, prod
from .ops.differences import cumulative_trapezoid, diff, gradient, trapezoid, trapz
from .ops.distances import dist, norm, renorm
from .ops.einsum import einsum, inner, kron, tensordot
from .ops.elementwise import (
    abs,
    add,
    bitwise_and,
    bitwise_not,
    bitwise_or,
    bitwise_xor,
    clamp,
    cos,
    div,
    eq,
    exp,
    floor_divide,
    ge,
    gt,
    isfinite,
    isinf,
    isnan,
    le,
    log,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    lt,
    maximum,
    minimum,
    mul,
    ne,
    neg,
    pow,
    relu,
    remainder,
    sigmoid,
    sign,
    sin,
    sqrt,
    sub,
    tanh,
    true_divide,
    where,
)
from .ops.extremes import amax, amin, aminmax, argmax, argmin, max, min
from .ops.histograms import bincount, histc, histogram, histogramdd
from .ops.index_edits import index_add, index_copy, index_fill, index_put, masked_fill, masked_scatter
from .ops.indexing import select, take_along_dim
from .ops.linalg import bmm, chain_matmul, dot, matmul, mm, mv, outer, vdot
from .ops.linalg import outer as ger
from .ops.ranks import kthvalue, median, mode, nanmedian, nanquantile, quantile
from .ops.reduction import all, any, log_softmax, logsumexp, mean, softmax, std, sum, var
from .ops.shape import cat, clone, flatten, permute, reshape, split, squeeze, stack, t, transpose, unsqueeze
from .ops.statistics import corrcoef, count_nonzero, cov, nanmean, nansum, std_mean, var_mean
from .printing import set_printoptions, tensor_repr
from .random import (
    Generator,
    bernoulli,
    default_generator,
    get_rng_state,
    initial_seed,
    manual_seed,
    rand,
    rand_like,
    randint,
    randint_like,
    randn,
    randn_like,
    randperm,
    seed,
    set_rng_state,
)
from .tensor import Size, Tensor

_attach(__repr__=tensor_repr)
autograd.gradcheck, autograd.gradgradcheck = gradcheck, gradgradcheck  # type: ignore[attr-defined]
autograd.Function, autograd.function = _function.Function, _function  # type: ignore[attr-defined]
autograd.functional, autograd.graph = _functional, _graph  # type: ignore[attr-defined]
# `autograd` is a file, not a folder; this makes `from tinygrad_dl.autograd.functional import jacobian` work.
for _name, _module in {"function": _function, "functional": _functional, "graph": _graph}.items():
    sys.modules[f"{__name__}.autograd.{_name}"] = _module
for _name in ("detect_anomaly", "set_detect_anomaly", "is_anomaly_enabled", "is_anomaly_check_nan_enabled"):
    setattr(autograd, _name, getattr(_anomaly, _name))
_make_public(globals())

__version__ = "0.1.0"
if TYPE_CHECKING:
    from . import func, nn, optim, testing, utils, viz
    from .serialization import load, save

_LAZY = {name: name for name in ("func", "nn", "optim", "testing", "utils", "viz")}  # loaded at first use
_LAZY |= {"load": "serialization", "save": "serialization"}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        module = importlib.import_module(f"{__name__}.{_LAZY[name]}")
        found = globals()[name] = module if _LAZY[name] == name else getattr(module, name)
        return found
    raise UnknownAttributeError("module 'tinygrad_dl'", name, globals)


def is_tensor(obj: Any) -> "bool":  # type: ignore[valid-type]
    """Whether an object is a Tensor.

    >>> import tinygrad_dl as tg
    >>> tg.is_tensor(tg.zeros(1)), tg.is_tensor([1])
    (True, False)
    """
    return isinstance(obj, Tensor)


def numel(input: Tensor) -> "int":  # type: ignore[valid-type]
    """The number of elements of a tensor.

    >>> import tinygrad_dl as tg
    >>> tg.numel(tg.zeros(2, 3))
    6
    """
    return input.numel()


if os.environ.get("TINYGRAD_DL_TRACE", "0") not in ("", "0"):
    importlib.import_module(f"{__name__}.viz").trace(True)
