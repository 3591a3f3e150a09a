"""Activations: what bends the values between two linear maps. Source: notes, section 3."""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import FLOATING
from ..errors import ArgumentError, ArgumentTypeError, DimensionError, DtypeError, ShapeError
from ..methods import attach
from ..operation import elementwise, operation
from ..tensor import Tensor, normalize_dim
from .blocks import blockwise, chosen
from .composed import composed
from .editing import in_place_form
from .elementwise import fill_with_sigmoid, relu, sigmoid, tanh, where
from .error_functions import cdf, density
from .joining import split
from .loss import softplus as _stable_softplus
from .shape import reshape

_NEEDS_FLOATING = ("biu", "floating numbers are needed; convert the input first: input.float()")
_ROOT_TWO_OVER_PI = math.sqrt(2 / math.pi)

# --- what they take


def _require_floating(name: str, x: Any) -> None:
    if x.dtype not in FLOATING:
        raise DtypeError(
            f"{name}: floating numbers are needed, {x.dtype} of shape {tuple(x.shape)} came; use input.float()"
        )


def _refuse_bools(name: str, x: Any) -> None:
    if x.dtype.kind == "b":
        raise DtypeError(
            f"{name}: bools of shape {tuple(x.shape)} came; convert them first, for example with input.int()"
        )


# --- of one input


def _fill_with_silu(out: Any, x: Any) -> None:
    fill_with_sigmoid(out, x)
    out *= x


def _silu(x: Any) -> Any:
    with np.errstate(over="ignore"):  # e^-x may be infinite, and x/infinity is the right 0
        return x / (1 + np.exp(-x))


def _fill_with_slope_of_silu(out: Any, g: Any, input: Any) -> None:
    fill_with_sigmoid(out, input)
    rest = 1 - out
    rest *= input
    rest += 1
    out *= rest
    out *= g


def _silu_rule(g: Any, input: Any) -> Any:
    s = sigmoid(input)
    return g * (s + input * s * (1 - s))


def _mish(x: Any) -> Any:
    """x tanh(log(1 + e^x)), where tanh(log(1 + e)) = e (e + 2) / (e (e + 2) + 2)."""
    e = np.exp(np.clip(x, -math.inf, 20))
    e *= e + 2
    return x * (e / (e + 2))


def _mish_rule(g: Any, input: Any) -> Any:
    t = np.tanh(_stable_softplus(input))
    return g * (t + input * (1 - t * t) * sigmoid(input))


def _gelu_tanh(x: Any) -> Any:
    return x * 0.5 * (1 + np.tanh((x + x * x * x * 0.044715) * _ROOT_TWO_OVER_PI))


def _gelu_tanh_rule(g: Any, input: Any) -> Any:
    square = input * input
    t = np.tanh((input + input * square * 0.044715) * _ROOT_TWO_OVER_PI)
    return g * ((1 + t) / 2 + input * (1 - t * t) * (1 + square * 0.134145) * (_ROOT_TWO_OVER_PI / 2))


def _log_sigmoid(x: Any) -> Any:
    return np.clip(x, -math.inf, 0) - np.log1p(np.exp(-np.abs(x)))


def _floating(name: str, forward: Callable[..., Any], rule: Any, doc: str) -> Any:
    """An operation of one floating input in blocks."""
    return elementwise(name, blockwise(forward), doc, numpy=(), refuse=_NEEDS_FLOATING, input=blockwise(rule))


_gelu = _floating("gelu", lambda x: x * cdf(x), lambda g, input: g * (cdf(input) + input * density(input)), "x Φ(x)")
_gelu_by_tanh = _floating("gelu", _gelu_tanh, _gelu_tanh_rule, "x/2 (1 + tanh(√(2/π) (x + 0.044715 x³)))")
_silu_operation = elementwise(
    "silu",
    blockwise(_silu, _fill_with_silu),
    "x σ(x)",
    numpy=(),
    refuse=_NEEDS_FLOATING,
    input=blockwise(_silu_rule, _fill_with_slope_of_silu),
)
_mish_operation = _floating("mish", _mish, _mish_rule, "x tanh(log(1 + e^x))")
_hardsigmoid = _floating(
    "hardsigmoid",
    lambda x: np.clip(x + 3, 0, 6) / 6,
    lambda g, input: where((input > -3) & (input < 3), g / 6, 0.0),
    "min(max(0, x + 3), 6) / 6",
)
_hardswish = _floating(
    "hardswish",
    lambda x: x * np.clip(x + 3, 0, 6) / 6,
    lambda g, input: where(input <= -3, 0.0, where(input < 3, g * (input / 3 + 0.5), g)),
    "x min(max(0, x + 3), 6) / 6",
)
logsigmoid = _floating(
    "logsigmoid",
    _log_sigmoid,
    lambda g, input: g * sigmoid(-input),
    """log σ(input), computed without overflow: min(x, 0) - log(1 + e^-|x|). Source: notes, section 3, N067.

    Arguments: input (floating tensor). Raises DtypeError for integers.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.logsigmoid(tg.tensor([0.0, 2.0]))
    tensor([-0.6931, -0.1269])
    """,
)


def _softsign(x: Any) -> Any:
    _refuse_bools("softsign", x)
    return x / (1 + np.abs(x))


softsign = elementwise(
    "softsign",
    blockwise(_softsign),
    """input / (1 + |input|), between -1 and 1. Source: notes, section 3, N062.

    Arguments: input (tensor; integers in the default dtype).

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.softsign(tg.tensor([-1.0, 3.0]))
    tensor([-0.5000,  0.7500])
    """,
    floating=True,
    numpy=(),
    input=blockwise(lambda g, input: g / (1 + abs(input)) ** 2),
)
# --- with options


@operation("leaky_relu", input=blockwise(lambda g, input, negative_slope: where(input > 0, g, g * negative_slope)))
@blockwise
def _leaky_relu(input: Any, negative_slope: float) -> Any:
    _require_floating("leaky_relu", input)
    return np.clip(input, 0, math.inf) + np.clip(input, -math.inf, 0) * negative_slope


def _elu_rule(g: Any, input: Any, alpha: float, scale: float, input_scale: float) -> Any:
    slope = np.exp(relu(-input) * -input_scale) * (alpha * scale * input_scale)  # whose own slope at 0 is 0
    return where(input <= 0, g * slope, g * scale)


@operation("elu", input=blockwise(_elu_rule))
@blockwise
def _elu(input: Any, alpha: float, scale: float, input_scale: float) -> Any:
    """scale · (max(x, 0) + alpha · (e^(input_scale · min(x, 0)) - 1)): ELU, SELU and CELU."""
    _require_floating("elu", input)
    return np.clip(input, 0, math.inf) * scale + np.expm1(np.clip(input, -math.inf, 0) * input_scale) * (alpha * scale)


@operation(
    "softplus",
    input=blockwise(lambda g, input, beta, threshold: where(input * beta > threshold, g, g * sigmoid(input * beta))),
)
@blockwise
def _softplus(input: Any, beta: float, threshold: float) -> Any:
    _require_floating("softplus", input)
    scaled = input * beta
    return chosen(scaled > threshold, input, (np.clip(scaled, 0, math.inf) + np.log1p(np.exp(-np.abs(scaled)))) / beta)


@operation(
    "hardtanh",
    input=blockwise(lambda g, input, low, high: where((input > low) & (input < high) | (input != input), g, 0.0)),
)
@blockwise
def _hardtanh(input: Any, low: float, high: float) -> Any:
    return np.clip(input, low, high)


@operation("threshold", input=blockwise(lambda g, input, threshold: where(input <= threshold, 0.0, g)))
@blockwise
def _threshold(input: Any, threshold: float, value: float) -> Any:
    return chosen(input <= threshold, value, input)


def _outside(g: Any, input: Any, lambd: float) -> Any:
    return where((input < -lambd) | (input > lambd) | (input != input), g, 0.0)


@operation("softshrink", input=blockwise(_outside))
@blockwise
def _softshrink(input: Any, lambd: float) -> Any:
    _require_floating("softshrink", input)
    return input - np.clip(input, -lambd, lambd)


@operation("hardshrink", input=blockwise(_outside))
@blockwise
def _hardshrink(input: Any, lambd: float) -> Any:
    _require_floating("hardshrink", input)
    return chosen((input < -lambd) | (input > lambd) | (input != input), input, 0)


@operation(
    "prelu",
    input=blockwise(lambda g, input, weight: where(input > 0, g, g * weight)),
    weight=blockwise(lambda g, input: where(input > 0, 0.0, g * input)),
)
@blockwise
def _prelu(input: Any, weight: Any) -> Any:
    return chosen(input > 0, input, input * weight)


# --- what users call


@functools.cache
def _in_place(operation: Callable[..., Any], name: str) -> Callable[..., Any]:
    return in_place_form(operation, f"{name}(inplace=True)")


def _applied(name: str, operation: Callable[..., Any], inplace: bool, input: Any, *options: Any) -> Any:
    """An activation of a tensor, written into it if asked for."""
    if not isinstance(input, Tensor):
        raise ArgumentTypeError(
            f"{name}: input must be a Tensor, {type(input).__name__} came; convert it with tinygrad_dl.tensor(...)"
        )
    return (_in_place(operation, name) if inplace else operation)(input, *options)


@composed
def gelu(input: Any, *, approximate: str = "none") -> Any:
    """input · Φ(input), where Φ is the distribution function of the normal distribution. Source: notes, N080.

    Arguments: input (floating tensor), approximate ("none", or "tanh": x/2 (1 + tanh(√(2/π) (x + 0.044715 x³)))).
    Raises ArgumentError for another approximation, DtypeError for integers.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.gelu(tg.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.1587,  0.0000,  0.8413])
    """
    if approximate not in ("none", "tanh"):
        raise ArgumentError(f"gelu: approximate is 'none' or 'tanh', not {approximate!r}")
    return _applied("gelu", _gelu if approximate == "none" else _gelu_by_tanh, False, input)


@composed
def silu(input: Any, inplace: bool = False) -> Any:
    """input · σ(input), also called swish. Source: notes, section 3, N081.

    Arguments: input (floating tensor), inplace (write the result into it). Raises DtypeError for integers.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.silu(tg.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.2689,  0.0000,  0.7311])
    """
    return _applied("silu", _silu_operation, inplace, input)


@composed
def mish(input: Any, inplace: bool = False) -> Any:
    """input · tanh(log(1 + e^input)). Source: notes, section 3, N083.

    Arguments: input (floating tensor), inplace (write the result into it). Raises DtypeError for integers.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.mish(tg.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.3034,  0.0000,  0.8651])
    """
    return _applied("mish", _mish_operation, inplace, input)


@composed
def hardsigmoid(input: Any, inplace: bool = False) -> Any:
    """min(max(0, input + 3), 6) / 6, a sigmoid of straight lines. Source: notes, section 3, N069.

    Arguments: input (floating tensor), inplace (write the result into it). Raises DtypeError for integers.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.hardsigmoid(tg.tensor([-4.0, 0.0, 1.5]))
    tensor([0.0000, 0.5000, 0.7500])
    """
    return _applied("hardsigmoid", _hardsigmoid, inplace, input)


@composed
def hardswish(input: Any, inplace: bool = False) -> Any:
    """input · min(max(0, input + 3), 6) / 6, a silu of straight pieces. Source: notes, section 3, N082.

    Arguments: input (floating tensor), inplace (write the result into it). Raises DtypeError for integers.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.hardswish(tg.tensor([-4.0, 1.5, 4.0]))
    tensor([-0.0000,  1.1250,  4.0000])
    """
    return _applied("hardswish", _hardswish, inplace, input)


@composed
def tanhshrink(input: Any) -> Any:
    """input - tanh(input). Source: notes, section 3, N065.

    Arguments: input (tensor; integers in the default dtype).

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.tanhshrink(tg.tensor([0.0, 2.0]))
    tensor([0.0000, 1.0360])
    """
    _refuse_bools("tanhshrink", input.array)
    return input - tanh(input)


@composed
def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """input where it is positive, else negative_slope · input. Source: notes, section 3, N075.

    Arguments: input (floating tensor), negative_slope (number), inplace (write the result into it). Raises DtypeError
    for integers.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.leaky_relu(tg.tensor([-1.0, 2.0]), 0.1)
    tensor([-0.1000,  2.0000])
    """
    return _applied("leaky_relu", _leaky_relu, inplace, input, negative_slope)


@composed
def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """input where it is positive, else alpha · (e^input - 1). Source: notes, section 3, N084.

    Arguments: input (floating tensor), alpha (number), inplace (write the result into it). Raises DtypeError for
    integers.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.elu(tg.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    return _applied("elu", _elu, inplace, input, alpha, 1.0, 1.0)


@composed
def selu(input: Any, inplace: bool = False) -> Any:
    """ELU with the scale and alpha that keep mean 0 and variance 1 through layers. Source: notes, section 3, N085.

    Arguments: input (floating tensor), inplace (write the result into it). Raises DtypeError for integers.

    >>> import tinygrad_dl as tg
    >>> tg.selu(tg.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """
    return _applied("selu", _elu, inplace, input, 1.6732632423543772, 1.0507009873554805, 1.0)


@composed
def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """max(0, x) + min(0, alpha · (e^(x / alpha) - 1)), whose slope at 0 is 1. Source: notes, section 3, N086.

    Arguments: input (floating tensor), alpha (number, not 0), inplace (write the result into it). Raises ArgumentError
    for alpha 0, DtypeError for integers.

    >>> import tinygrad_dl as tg
    >>> tg.celu(tg.tensor([-1.0, 2.0]), alpha=2.0)
    tensor([-0.7869,  2.0000])
    """
    if alpha == 0:
        raise ArgumentError("celu: alpha must not be 0, the negative part is divided by it")
    return _applied("celu", _elu, inplace, input, alpha, 1.0, 1 / alpha)


@composed
def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """log(1 + e^(beta · input)) / beta, a smooth relu. Source: notes, section 3, N079.

    Arguments: input (floating tensor), beta, threshold (numbers; where beta · input is larger the result is input).
    Raises DtypeError for integers.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.softplus(tg.tensor([-1.0, 0.0, 30.0]))
    tensor([ 0.3133,  0.6931, 30.0000])
    """
    return _applied("softplus", _softplus, False, input, beta, threshold)


@composed
def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    """input, but not below min_val nor above max_val; on the bounds the gradient is 0. Source: notes, N070.

    Arguments: input (tensor, not bool), min_val, max_val (numbers), inplace (write the result into it). Raises
    ArgumentError when min_val is the larger one or an unsigned dtype can't hold it, DtypeError for bools.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.hardtanh(tg.tensor([-2.0, 0.5, 3.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min_val > max_val:
        raise ArgumentError(f"hardtanh: min_val {min_val} is larger than max_val {max_val}")
    return _clipped("hardtanh", input, min_val, max_val, inplace)


@composed
def relu_(input: Any) -> Any:
    """`relu` in place: the result is written into the input, which is returned.

    >>> import tinygrad_dl as tg
    >>> x = tg.tensor([-1.0, 2.0])
    >>> tg.relu_(x) is x, x
    (True, tensor([0., 2.]))
    """
    return _applied("relu_", relu, True, input)


@composed
def relu6(input: Any, inplace: bool = False) -> Any:
    """min(max(0, input), 6); the gradient at 0 and 6 is 0. Source: notes, section 3, N077.

    Arguments: input (tensor, not bool), inplace (write the result into it). Raises DtypeError for bools.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.relu6(tg.tensor([-1.0, 3.0, 7.0]))
    tensor([0., 3., 6.])
    """
    return _clipped("relu6", input, 0, 6, inplace)


def _clipped(name: str, input: Any, low: Any, high: Any, inplace: bool) -> Any:
    if isinstance(input, Tensor) and input.array.dtype.kind != "f":
        _refuse_bools(name, input.array)
        low, high = int(low), int(high)
        if input.array.dtype.kind == "u" and low < 0:
            raise DtypeError(f"{name}: the lower bound {low} is negative and {input.dtype} is not; use input.int()")
    return _applied(name, _hardtanh, inplace, input, low, high)


@composed
def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Any:
    """input where it is larger than the threshold, else value. Source: notes, section 3, N060.

    Arguments: input (tensor, not bool), threshold, value (numbers), inplace (write the result into it). Raises
    DtypeError for bools.

    >>> import tinygrad_dl as tg
    >>> tg.threshold(tg.tensor([-1.0, 0.5, 2.0]), 1.0, 0.0)
    tensor([0., 0., 2.])
    """
    if isinstance(input, Tensor):
        _refuse_bools("threshold", input.array)
        value = value if input.is_floating_point() else int(value)
    return _applied("threshold", _threshold, inplace, input, threshold, value)


@composed
def softshrink(input: Any, lambd: float = 0.5) -> Any:
    """input moved towards 0 by lambd, 0 where it is not further away. Source: notes, section 3, N064.

    Arguments: input (floating tensor), lambd (number ≥ 0). Raises ArgumentError for a negative one, DtypeError for
    integers.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.softshrink(tg.tensor([-2.0, 0.3, 1.0]))
    tensor([-1.5000,  0.0000,  0.5000])
    """
    if lambd < 0:
        raise ArgumentError(f"softshrink: lambd must not be negative, {lambd} came")
    return _applied("softshrink", _softshrink, False, input, lambd)


@composed
def hardshrink(input: Any, lambd: float = 0.5) -> Any:
    """input, but 0 where it lies between -lambd and lambd. Source: notes, section 3, N063.

    Arguments: input (floating tensor), lambd (number). Raises DtypeError for integers.

    >>> import tinygrad_dl as tg
    >>> tg.hardshrink(tg.tensor([-2.0, 0.3, 1.0]))
    tensor([-2.,  0.,  1.])
    """
    return _applied("hardshrink", _hardshrink, False, input, lambd)


@composed
def prelu(input: Any, weight: Any) -> Any:
    """input where it is positive, else weight · input with a learned weight. Source: notes, section 3, N076.

    Arguments: input (floating tensor), weight (of the same dtype: one number, or one for each channel, the size of
    dimension 1). Raises ShapeError for another number of weights, DtypeError for another dtype.

    >>> import tinygrad_dl as tg
    >>> tg.prelu(tg.tensor([-2.0, 3.0]), tg.tensor([0.25]))
    tensor([-0.5000,  3.0000])
    """
    if not isinstance(weight, Tensor):
        raise ArgumentTypeError(f"prelu: weight must be a Tensor, not {type(weight).__name__}")
    if isinstance(input, Tensor):
        _require_floating("prelu", input.array)
        if weight.dtype != input.dtype:
            raise DtypeError(f"prelu: weight is {weight.dtype}, it must be {input.dtype} as the input is")
        weight = _per_channel(input, weight)
    return _applied("prelu", _prelu, False, input, weight)


def _per_channel(input: Any, weight: Any) -> Any:
    """The weights of prelu in a shape that broadcasts along dimension 1."""
    if weight.ndim > 1:
        raise ShapeError(f"prelu: weight must have at most one dimension, its shape is {tuple(weight.shape)}")
    if weight.numel() == 1:
        return reshape(weight, (1,) * input.ndim)
    channels = input.shape[1] if input.ndim > 1 else 1
    if weight.numel() != channels:
        raise ShapeError(
            f"prelu: there are {weight.numel()} weights and {channels} channels (dimension 1 of {tuple(input.shape)})"
        )
    return reshape(weight, (1, channels) + (1,) * (input.ndim - 2))


@composed
def glu(input: Any, dim: int = -1) -> Any:
    """a · σ(b), where a and b are the halves of input along `dim`.

    Arguments: input (floating tensor), dim (integer, of even size). Raises ShapeError for an odd size, DimensionError
    for a dim out of range or a 0-d tensor, DtypeError for integers. Source: Dauphin et al., 2017.

    >>> import tinygrad_dl as tg
    >>> tg.nn.functional.glu(tg.tensor([1.0, 2.0, 0.0, 0.0]))
    tensor([0.5000, 1.0000])
    """
    if input.ndim == 0:
        raise DimensionError("glu: a 0-d tensor has no halves")
    _require_floating("glu", input.array)
    at = normalize_dim("glu", dim, input.ndim)
    size = input.shape[at]
    if size % 2:
        raise ShapeError(f"glu: dimension {dim} of shape {tuple(input.shape)} has the odd size {size} and no halves")
    if size == 0:
        return input * sigmoid(input)
    a, b = split(input, size // 2, at)
    return a * sigmoid(b)


def _edited(function: Callable[..., Any], options: str = "") -> Callable[..., Any]:
    """PyTorch's other spelling of `inplace=True`: a name that ends in _; options are those of its example."""

    def edit(input: Any, *args: Any, **options: Any) -> Any:
        return function(input, *args, inplace=True, **options)

    edit.__name__ = edit.__qualname__ = f"{function.__name__}_"
    edit.__doc__ = f"""`{function.__name__}` in place: the result is written into the input, which is returned.

    >>> import tinygrad_dl as tg
    >>> x = tg.tensor([-1.0, 2.0])
    >>> tg.nn.functional.{function.__name__}_(x{options}) is x
    True
    """
    return edit


celu_, elu_, hardtanh_, leaky_relu_, selu_ = map(_edited, (celu, elu, hardtanh, leaky_relu, selu))
threshold_ = _edited(threshold, ", 1.0, 0.0")

attach(prelu, hardshrink)
