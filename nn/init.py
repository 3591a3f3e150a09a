"""Ways to draw the first values of parameters; each writes into the tensor it is given, and returns it.

The idea of those with a name: the variance of a layer's output should equal that of its input. n_in is the number of
inputs of one unit, n_out of outputs. Source: notes, section 5.
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_dl.autograd import no_grad
from tinygrad_dl.creation import as_tensor
from tinygrad_dl.errors import ArgumentError, DtypeError
from tinygrad_dl.random import Generator, numpy_generator
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


def lecun_uniform_(tensor: Tensor, generator: Generator | None = None) -> Tensor:
    """Fill with draws from U(-r, r), r = √(3 / n_in): LeCun's, for sigmoid, tanh and SELU.

    PyTorch writes it `kaiming_uniform_(tensor, nonlinearity="linear")`. Arguments and errors as those of that. Source:
    notes, section 5 (N152).

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> bool((nn.init.lecun_uniform_(tg.empty(5, 3)).abs() <= 1).all())
    True
    """
    return kaiming_uniform_(tensor, nonlinearity="linear", generator=generator)


def lecun_normal_(tensor: Tensor, generator: Generator | None = None) -> Tensor:
    """Fill with draws from N(0, 1 / n_in): LeCun's, for sigmoid, tanh and SELU.

    PyTorch writes it `kaiming_normal_(tensor, nonlinearity="linear")`. Source: notes, section 5 (N152).

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.init.lecun_normal_(tg.empty(5, 3)).shape
    tinygrad_dl.Size([5, 3])
    """
    return kaiming_normal_(tensor, nonlinearity="linear", generator=generator)


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Fill with draws from N(mean, std²) that lie between a and b; others are drawn again.

    Arguments: tensor, floating, of any shape; mean, std; a, b, the bounds; generator. Raises DtypeError for integers,
    ArgumentError for a > b and for a negative std.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> w = nn.init.trunc_normal_(tg.empty(100), a=1.0, b=2.0)
    >>> bool(((w >= 1) & (w <= 2)).all())
    True
    """
    _require_floating("trunc_normal_", tensor)
    if a > b or std < 0:
        raise ArgumentError(f"trunc_normal_: a <= b and std >= 0 are needed, but a is {a}, b {b} and std {std}")
    if std == 0:
        return constant_(tensor, min(max(mean, a), b))
    draws = _between(numpy_generator(generator), tensor.numel(), (a - mean) / std, (b - mean) / std)
    return _write(tensor, (draws * std + mean).clip(a, b).reshape(tuple(tensor.shape)))


def _between(source: np.random.Generator, count: int, low: float, high: float) -> np.ndarray:
    """Draws from N(0, 1) between two bounds: even draws, kept with the probability that the bell has there."""
    top = min(max(0.0, low), high)  # where the bell is highest
    reach = math.sqrt(top * top + 74)  # beyond, it is below 1e-16 of that
    low, high = max(low, -reach), min(high, reach)
    kept, have = [np.empty(0)], 0
    while have < count:
        x = source.uniform(low, high, 4 * (count - have) + 16)
        x = x[source.random(len(x)) < np.exp((top * top - x * x) / 2)]
        kept.append(x)
        have += len(x)
    return np.concatenate(kept)[:count]


def eye_(tensor: Tensor) -> Tensor:
    """Fill a matrix with ones on its diagonal and zeros elsewhere. Raises ArgumentError unless it has two dimensions.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.init.eye_(tg.empty(2, 3))
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    _require_dims("eye_", tensor, 2, 2)
    return _write(tensor, np.eye(*tensor.shape))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fill the weight of a convolution so that it passes on its channels as they are, as many as there are.

    Arguments: tensor (outputs, inputs, *kernel) of three to five dimensions; groups, each of which starts from its
    first channel again. Raises ArgumentError for others, and for outputs that groups doesn't divide.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> nn.init.dirac_(tg.empty(2, 2, 3))[0]
    tensor([[0., 1., 0.],
            [0., 0., 0.]])
    """
    _require_dims("dirac_", tensor, 3, 5)
    outputs, inputs, *kernel = tensor.shape
    if groups < 1 or outputs % groups:
        raise ArgumentError(f"dirac_: groups must divide the {outputs} outputs, but is {groups}")
    weight = np.zeros(tuple(tensor.shape))
    each = outputs // groups
    for channel in range(min(each, inputs)):
        place: Any = (slice(channel, None, each), channel, *(size // 2 for size in kernel))
        weight[place] = 1
    return _write(tensor, weight)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """Fill with a random matrix whose rows (or columns, if they are fewer) are orthogonal and of length gain.

    Arguments: tensor (n_out, ...), of which all but the first dimension are taken as one; gain; generator. Raises
    ArgumentError for fewer than two dimensions. Source: Saxe et al., 2014.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> w = nn.init.orthogonal_(tg.empty(2, 3))
    >>> bool(((w @ w.T - tg.eye(2)).abs() < 1e-6).all())
    True
    """
    _require_dims("orthogonal_", tensor, 2)
    _require_floating("orthogonal_", tensor)
    if tensor.numel() == 0:
        return tensor
    rows = tensor.shape[0]
    drawn = numpy_generator(generator).standard_normal((rows, tensor.numel() // rows))
    wide = drawn.shape[0] < drawn.shape[1]
    q, r = np.linalg.qr(drawn.T if wide else drawn)
    q *= np.sign(np.diagonal(r))  # makes all such matrices equally likely
    return _write(tensor, gain * (q.T if wide else q).reshape(tuple(tensor.shape)))


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> Tensor:
    """Fill a matrix with draws from N(0, std²), and a part of each column, at random places, with zeros.

    Arguments: tensor (n_out, n_in); sparsity, that part, from 0 to 1, rounded up; std; generator. Raises ArgumentError
    for others. Source: Martens, 2010.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> (nn.init.sparse_(tg.empty(4, 3), sparsity=0.5) == 0).sum(0)
    tensor([2, 2, 2])
    """
    _require_dims("sparse_", tensor, 2, 2)
    _require_floating("sparse_", tensor)
    if not 0 <= sparsity <= 1:
        raise ArgumentError(f"sparse_: sparsity must be from 0 to 1, but is {sparsity}")
    source, (rows, columns) = numpy_generator(generator), tensor.shape
    weight = source.standard_normal((rows, columns)) * std
    places = source.random((rows, columns)).argsort(axis=0)[: math.ceil(sparsity * rows)]
    np.put_along_axis(weight, places, 0.0, axis=0)
    return _write(tensor, weight)


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


def _write(tensor: Tensor, values: np.ndarray) -> Tensor:
    """Values that were computed on the host, as a tensor's."""
    with no_grad():
        return tensor.copy_(as_tensor(values, dtype=tensor.dtype, device=tensor.device))


def _require_dims(operation: str, tensor: Tensor, least: int, most: int | None = None) -> None:
    if not least <= tensor.dim() <= (most or tensor.dim()):
        wanted = (
            f"{least} dimensions" if least == most else f"{least} or more" if most is None else f"{least} to {most}"
        )
        raise ArgumentError(f"{operation}: a tensor of {wanted} is needed, but its shape is {tuple(tensor.shape)}")


def _warn_about_nothing(tensor: Tensor) -> Tensor:
    warnings.warn(f"initializing a tensor without elements, of shape {tuple(tensor.shape)}, does nothing", stacklevel=3)
    return tensor


def _require_floating(operation: str, tensor: Tensor) -> None:
    if not tensor.is_floating_point():
        raise DtypeError(f"{operation}: draws are floating, the tensor is {tensor.dtype}; convert it: tensor.float()")


def _older(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A function under the name that it had before PyTorch 0.4, which warns."""
    older = function.__name__.removesuffix("_")

    @functools.wraps(function)
    def renamed(*args: Any, **kwargs: Any) -> Tensor:
        warnings.warn(f"nn.init.{older}: its name is {older}_ now", FutureWarning, stacklevel=2)
        return function(*args, **kwargs)

    renamed.__name__ = renamed.__qualname__ = older
    renamed.__doc__ = f"The older name of `{older}_`; warns."
    return renamed


uniform, normal, constant = _older(uniform_), _older(normal_), _older(constant_)
eye, dirac, orthogonal, sparse = _older(eye_), _older(dirac_), _older(orthogonal_), _older(sparse_)
xavier_uniform, xavier_normal = _older(xavier_uniform_), _older(xavier_normal_)
kaiming_uniform, kaiming_normal = _older(kaiming_uniform_), _older(kaiming_normal_)
