"""tinygrad_dl: autograd and tensors on NumPy or CuPy, with PyTorch's names, that show every step of backprop.

>>> import tinygrad_dl as tg
>>> w = tg.tensor(3.0, requires_grad=True)
>>> loss = (w * 2 - 4) ** 2
>>> loss.backward()
>>> w.grad
tensor(8.)
"""

import importlib
import math
import os
import sys
import warnings
from math import e, inf, nan, pi
from typing import TYPE_CHECKING, Any

from . import _checkout

_checkout.install()
# As in PyTorch, 1/0 and log(0) silently give infinities and NaN; NumPy would warn from our frames.
warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"tinygrad_dl\.")

from . import anomaly as _anomaly
from . import autograd as autograd
from . import copies as _copies  # lets tensors be copied deeply and pickled
from . import einops_backend as _einops_backend  # einops finds it when that is imported
from . import function as _function
from . import functional as _functional
from . import graph as _graph
from . import inspection as _inspection  # gives nodes their next_functions
from . import linalg as linalg
from . import numpy_functions as _numpy_functions  # lets NumPy's functions take tensors
from . import return_types as return_types
from .anomaly import is_anomaly_check_nan_enabled, is_anomaly_enabled
from .attributes import get_device, is_complex, is_floating_point, is_inference, is_same_size, is_signed, result_type
from .backend import device, get_default_device, set_default_device
from .creation import (
    arange,
    as_tensor,
    asarray,
    empty,
    empty_like,
    empty_strided,
    eye,
    from_numpy,
    full,
    full_like,
    linspace,
    logspace,
    ones,
    ones_like,
    range,
    scalar_tensor,
    tensor,
    tril_indices,
    triu_indices,
    zeros,
    zeros_like,
)
from .dtypes import (
    bfloat16,
    can_cast,
    cdouble,
    cfloat,
    complex64,
    complex128,
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
    uint16,
    uint32,
    uint64,
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
    ExportError,
    GraphError,
    MissingPackageError,
    ShapeError,
    StateDictError,
    TinygradError,
    UnknownAttributeError,
)
from .forms import FORMS as _FORMS
from .forms import OF_NN as _OF_NN
from .generator import Generator, default_generator, get_rng_state, initial_seed, manual_seed, seed, set_rng_state
from .gradcheck import gradcheck, gradgradcheck
from .layouts import channels_last, channels_last_3d, contiguous_format, layout, memory_format, preserve_format, strided
from .limits import finfo, iinfo
from .methods import attach as _attach
from .methods import make_public as _make_public
from .modes import enable_grad, inference_mode, is_grad_enabled, is_inference_mode_enabled, no_grad, set_grad_enabled
from .ops import conversion as _conversion
from .ops import shape_edits as _shape_edits
from .ops.activation import celu, celu_, hardshrink, prelu, relu_, selu, selu_, threshold, threshold_
from .ops.addmm import addbmm, addmm, addmv, addr, baddbmm
from .ops.agreement import allclose, equal
from .ops.arithmetic import (
    addcdiv,
    addcmul,
    copysign,
    float_power,
    fmax,
    fmin,
    gcd,
    heaviside,
    lcm,
    lerp,
    nextafter,
    rsqrt,
    rsub,
    square,
)
from .ops.bilinear import bilinear
from .ops.bounds import clamp, clamp_max, clamp_min, clip, nan_to_num
from .ops.broadcasting import atleast_1d, atleast_2d, atleast_3d, broadcast_shapes, broadcast_tensors, broadcast_to
from .ops.comparison import (
    bitwise_and,
    bitwise_left_shift,
    bitwise_not,
    bitwise_or,
    bitwise_right_shift,
    bitwise_xor,
    eq,
    ge,
    greater,
    greater_equal,
    gt,
    is_nonzero,
    isclose,
    isfinite,
    isin,
    isinf,
    isnan,
    isneginf,
    isposinf,
    isreal,
    le,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    lt,
    ne,
    not_equal,
    signbit,
)
from .ops.complex import angle, conj, conj_physical, imag, is_conj, is_neg, real, resolve_conj, resolve_neg
from .ops.cumulative import cummax, cummin, cumprod, cumsum, logcumsumexp, prod
from .ops.diagonals import diag, diag_embed, diagflat, diagonal, trace, tril, triu
from .ops.differences import cumulative_trapezoid, diff, gradient, trapezoid, trapz
from .ops.distances import dist, norm, renorm
from .ops.division import floor_divide, fmod, remainder
from .ops.einsum import einsum, inner, kron, tensordot
from .ops.elementwise import (
    abs,
    absolute,
    add,
    div,
    divide,
    maximum,
    minimum,
    mul,
    multiply,
    neg,
    negative,
    positive,
    pow,
    reciprocal,
    relu,
    sgn,
    sigmoid,
    sign,
    sqrt,
    sub,
    subtract,
    tanh,
    true_divide,
)
from .ops.error_functions import erf, erfc, erfinv
from .ops.exponential import exp, exp2, expm1, frexp, ldexp, log, log1p, log2, log10, logaddexp, logaddexp2
from .ops.extremes import amax, amin, aminmax, argmax, argmin, max, min
from .ops.gamma import digamma, lgamma, mvlgamma, polygamma
from .ops.gathering import argwhere, gather, index_select, masked_select, nonzero, take, unravel_index, where
from .ops.grids import block_diag, cartesian_prod, combinations, meshgrid, vander
from .ops.histograms import bincount, histc, histogram, histogramdd
from .ops.index_edits import index_add, index_copy, index_fill, index_put, masked_fill, masked_scatter
from .ops.indexing import select, take_along_dim
from .ops.joining import (
    cat,
    chunk,
    column_stack,
    concat,
    concatenate,
    dsplit,
    dstack,
    hsplit,
    hstack,
    narrow,
    narrow_copy,
    row_stack,
    split,
    split_with_sizes,
    stack,
    tensor_split,
    unbind,
    vsplit,
    vstack,
)
from .ops.linalg import bmm, chain_matmul, dot, matmul, mm, mv, outer, vdot
from .ops.linalg import outer as ger
from .ops.matrix_functions import cross, matrix_exp, matrix_power
from .ops.older_linalg import cholesky, inverse, pinverse, qr, svd
from .ops.pairwise import cdist, cosine_similarity, pairwise_distance, pdist
from .ops.ranks import kthvalue, median, mode, nanmedian, nanquantile, quantile
from .ops.rearranging import flip, fliplr, flipud, repeat_interleave, roll, rot90, tile
from .ops.reduction import all, any, mean, std, sum, var
from .ops.rounding import ceil, fix, floor, frac, round, trunc
from .ops.scattering import index_reduce, put, scatter, scatter_add, scatter_reduce
from .ops.shape import (
    adjoint,
    clone,
    flatten,
    moveaxis,
    movedim,
    permute,
    ravel,
    reshape,
    squeeze,
    swapaxes,
    swapdims,
    t,
    transpose,
    unflatten,
    unsqueeze,
)
from .ops.softmax import log_softmax, logsumexp, softmax
from .ops.solving import cholesky_inverse, cholesky_solve, det, logdet, slogdet
from .ops.sorting import argsort, bucketize, msort, searchsorted, sort, topk, unique, unique_consecutive
from .ops.special import i0, igamma, igammac, logit, sinc, xlogy
from .ops.statistics import corrcoef, count_nonzero, cov, nanmean, nansum, std_mean, var_mean
from .ops.trigonometry import (
    acos,
    acosh,
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctan2,
    arctanh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    cos,
    cosh,
    deg2rad,
    hypot,
    rad2deg,
    sin,
    sinh,
    tan,
)
from .ops.windows import as_strided, diagonal_scatter, select_scatter, slice_scatter
from .printing import set_printoptions, tensor_repr
from .random import rand, rand_like, randint, randint_like, randn, randn_like, randperm
from .sampling import bernoulli, binomial, multinomial, normal, poisson
from .settings import (
    are_deterministic_algorithms_enabled,
    get_float32_matmul_precision,
    get_num_interop_threads,
    get_num_threads,
    is_deterministic_algorithms_warn_only_enabled,
    set_float32_matmul_precision,
    set_num_interop_threads,
    set_num_threads,
    use_deterministic_algorithms,
)
from .sharing import TypedStorage, UntypedStorage, from_dlpack, frombuffer, is_storage, to_dlpack
from .signal import windows as _windows
from .signal.windows import bartlett_window, blackman_window, hamming_window, hann_window, kaiser_window
from .tensor import Size, Tensor
from .tensor_types import TYPES as _TYPES
from .tensor_types import Variable as _Variable
from .tensor_types import set_default_tensor_type, typename
from .unavailable import ABSENT as _ABSENT

FloatTensor, DoubleTensor, HalfTensor = (_TYPES["cpu"][f"{_name}Tensor"] for _name in ("Float", "Double", "Half"))
LongTensor, IntTensor, ShortTensor = (_TYPES["cpu"][f"{_name}Tensor"] for _name in ("Long", "Int", "Short"))
CharTensor, ByteTensor, BoolTensor = (_TYPES["cpu"][f"{_name}Tensor"] for _name in ("Char", "Byte", "Bool"))

_attach(__repr__=tensor_repr)
autograd.gradcheck, autograd.gradgradcheck = gradcheck, gradgradcheck  # type: ignore[attr-defined]
autograd.Function, autograd.function = _function.Function, _function  # type: ignore[attr-defined]
autograd.Variable = _Variable  # type: ignore[attr-defined]
autograd.functional, autograd.graph = _functional, _graph  # type: ignore[attr-defined]
# `autograd` is a file, not a folder; this makes `from tinygrad_dl.autograd.functional import jacobian` work.
for _name, _module in {"function": _function, "functional": _functional, "graph": _graph}.items():
    sys.modules[f"{__name__}.autograd.{_name}"] = _module
for _name in ("detect_anomaly", "set_detect_anomaly", "is_anomaly_enabled", "is_anomaly_check_nan_enabled"):
    setattr(autograd, _name, getattr(_anomaly, _name))
_make_public(globals())
globals().update(_FORMS)

newaxis = None  # x[:, newaxis]
OutOfMemoryError = MemoryError  # CuPy's is one of these
__version__ = "0.1.0"
if TYPE_CHECKING:
    from . import (
        accelerator,
        amp,
        backends,
        compiler,
        cuda,
        distributed,
        func,
        jit,
        mps,
        multiprocessing,
        nn,
        optim,
        special,
        testing,
        utils,
        version,
        viz,
    )
    from .amp import GradScaler, autocast, is_autocast_enabled
    from .jit import compile
    from .serialization import load, save

_LAZY = {  # loaded at first use
    name: name
    for name in (
        "accelerator", "amp", "backends", "compiler", "cuda", "distributed", "func", "jit", "mps", "multiprocessing",
        "nn", "optim", "special", "testing", "utils", "version", "viz",
    )
}  # fmt: skip
_LAZY |= {"load": "serialization", "save": "serialization", "compile": "jit"}
_LAZY |= dict.fromkeys(_OF_NN, "nn.functional")
_LAZY |= dict.fromkeys(("autocast", "GradScaler", "is_autocast_enabled"), "amp")


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        module = importlib.import_module(f"{__name__}.{_LAZY[name]}")
        found = globals()[name] = module if _LAZY[name] == name else getattr(module, name)
        return found
    raise UnknownAttributeError("module 'tinygrad_dl'", name, lambda: [*globals(), *_LAZY], _ABSENT.get(name, ""))


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
