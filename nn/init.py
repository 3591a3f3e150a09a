"""Ways to draw the first values of parameters; each writes into the tensor it is given, and returns it.

The idea of those with a name: the variance of a layer's output should equal that of its input. n_in is the number of
inputs of one unit, n_out of outputs. Source: notes, section 5.
"""

from __future__ import annotations

import math
import warnings

from tinygrad_dl.autograd import no_grad
from tinygrad_dl.errors import ArgumentError, DtypeError
from tinygrad_dl.random import Generator
from tinygrad_dl.tensor import Tensor


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with draws from U(a, b).

    Arguments: tensor, floating, of any shape; a, b, the bounds; generator (None: the default one). Raises DtypeError
    for integers, ArgumentError for a > b.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> bool((nn.init.uniform_(tg.empty(100), -1, 1).abs() <= 1).all())
    True
    """
    _require_floating("uniform_", tensor)
    with no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with draws from N(mean, std²).

    Arguments: tensor, floating, of any shape; mean, std; generator (None: the default one). Raises DtypeError for
    integers, ArgumentError for a negative std.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.init.normal_(tg.empty(3), mean=2.0, std=0.0)
    tensor([2., 2., 2.])
    """
    _require_floating("normal_", tensor)
    with no_grad():
        return tensor.normal_(mean, std, generator=generator)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one value.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.init.constant_(tg.empty(2), 0.5)
    tensor([0.5000, 0.5000])
    """
    with no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with ones."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zeros: right for biases; as weights all units of a layer would stay equal."""
    return constant_(tensor, 0.0)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with draws from U(-r, r), r = gain · √(6 / (n_in + n_out)): Glorot's, for tanh, sigmoid and softmax.

    Arguments: tensor (n_out, n_in, ...); gain, see `calculate_gain`; generator. Raises ArgumentError for fewer than two
    dimensions. Source: notes, section 5; Glorot and Bengio, 2010.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> bool((nn.init.xavier_uniform_(tg.empty(2, 4)).abs() <= 1).all())
    True
    """
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    bound = gain * math.sqrt(6.0 / (fan_in + fan_out))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with draws from N(0, s²), s = gain · √(2 / (n_in + n_out)): Glorot's, for tanh, sigmoid and softmax.

    Arguments: tensor (n_out, n_in, ...); gain, see `calculate_gain`; generator. Raises ArgumentError for fewer than two
    dimensions. Source: notes, section 5; Glorot and Bengio, 2010.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.init.xavier_normal_(tg.empty(2, 3)).shape
    tinygrad_dl.Size([2, 3])
    """
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / (fan_in + fan_out)), generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Fill with draws from U(-r, r), r = gain · √(3 / n_in): He's, for ReLU and its relatives.

    Arguments: tensor (n_out, n_in, ...); a, the slope of the leaky ReLU that follows; mode, "fan_in", or "fan_out" for
    n_out in place of n_in; nonlinearity, which gives the gain: √2 for "relu", 1 for "linear" (LeCun's scheme);
    generator. Raises ArgumentError for fewer than two dimensions, ArgumentError for an unknown mode or nonlinearity.
    Source: notes, section 5; He et al., 2015.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> bool((nn.init.kaiming_uniform_(tg.empty(5, 6), nonlinearity="relu").abs() <= 1).all())
    True
    """
    if tensor.numel() == 0:
        return _warn_about_nothing(tensor)
    bound = math.sqrt(3.0) * calculate_gain(nonlinearity, a) / math.sqrt(_calculate_correct_fan(tensor, mode))
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Fill with draws from N(0, s²), s = gain / √n_in: He's, for ReLU and its relatives.

    Arguments and errors as those of `kaiming_uniform_`. Source: notes, section 5; He et al., 2015.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.init.kaiming_normal_(tg.empty(5, 6), nonlinearity="relu").shape
    tinygrad_dl.Size([5, 6])
    """
    if tensor.numel() == 0:
        return _warn_about_nothing(tensor)
    std = calculate_gain(nonlinearity, a) / math.sqrt(_calculate_correct_fan(tensor, mode))
    return normal_(tensor, 0.0, std, generator)


LINEAR = ("linear", *(f"conv{kind}{n}d" for kind in ("", "_transpose") for n in (1, 2, 3)), "sigmoid")


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor by which a function shrinks the standard deviation of what goes through it, inverted.

    1 for "linear", convolutions and "sigmoid"; 5/3 for "tanh"; √2 for "relu"; √(2 / (1 + slope²)) for "leaky_relu",
    whose slope is `param` (0.01 if None); 3/4 for "selu". Raises ArgumentError for another one.

    >>> from tinygrad_dl import nn
    >>> nn.init.calculate_gain("leaky_relu", 1.0)
    1.0
    """
    if nonlinearity in LINEAR:
        return 1.0
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, int | float):
            raise ArgumentError(f"calculate_gain: negative_slope must be a number, {slope!r} came")
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity == "selu":
        return 3.0 / 4
    known = ", ".join([*LINEAR, "tanh", "relu", "leaky_relu", "selu"])
    raise ArgumentError(f"calculate_gain: unsupported nonlinearity {nonlinearity!r}; there are {known}")


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """n_in and n_out of a weight (n_out, n_in, *kernel): each unit sees n_in values at each place of the kernel."""
    if tensor.dim() < 2:
        raise ArgumentError(
            f"fan in and fan out can not be computed for a tensor of shape {tuple(tensor.shape)}: a weight is "
            "(outputs, inputs, ...). Use uniform_ or normal_"
        )
    kernel = math.prod(tensor.shape[2:])
    return tensor.shape[1] * kernel, tensor.shape[0] * kernel


def _calculate_correct_fan(tensor: Tensor, mode: str) -> int:
    if mode.lower() not in ("fan_in", "fan_out"):
        raise ArgumentError(f"mode {mode!r} is not supported; use 'fan_in' or 'fan_out'")
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return fan_in if mode.lower() == "fan_in" else fan_out


def _warn_about_nothing(tensor: Tensor) -> Tensor:
    warnings.warn(f"initializing a tensor without elements, of shape {tuple(tensor.shape)}, does nothing", stacklevel=3)
    return tensor


def _require_floating(operation: str, tensor: Tensor) -> None:
    if not tensor.is_floating_point():
        raise DtypeError(f"{operation}: draws are floating, the tensor is {tensor.dtype}; convert it: tensor.float()")
