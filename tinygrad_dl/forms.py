"""Edits in place as functions, as PyTorch has some: `exp_(x)` is `x.exp_()`."""

from collections.abc import Callable
from typing import Any

from .errors import ArgumentTypeError
from .tensor import Tensor

_UNARY = """
    abs acos acosh arccos arccosh arcsin arcsinh arctan arctanh asin asinh atan atanh ceil conj_physical cos cosh
    deg2rad detach erf erfc exp exp2 expm1 fix floor frac log log10 log1p log2 logit nan_to_num neg negative
    rad2deg reciprocal round rsqrt sigmoid sin sinc sinh sqrt square tan tanh trunc zero
"""
_WITH_ARGUMENTS = {
    "addmv_": "tg.zeros(2), tg.ones(2, 3), tg.ones(3)",
    "clamp_": "tg.tensor([2.0]), max=1.0",
    "clamp_max_": "tg.tensor([2.0]), 1.0",
    "clamp_min_": "tg.tensor([2.0]), 3.0",
    "clip_": "tg.tensor([2.0]), max=1.0",
    "fill_": "tg.zeros(2), 3.0",
    "gcd_": "tg.tensor([6]), tg.tensor([4])",
    "index_put_": "tg.zeros(3), (tg.tensor([1]),), tg.tensor(5.0)",
    "lcm_": "tg.tensor([6]), tg.tensor([4])",
    "ldexp_": "tg.tensor([1.5]), tg.tensor([2])",
    "xlogy_": "tg.tensor([2.0]), 3.0",
}


def _form(name: str, example: str) -> Callable[..., Tensor]:
    def edit(input: Tensor, *args: Any, **options: Any) -> Tensor:
        if not isinstance(input, Tensor):
            raise ArgumentTypeError(f"{name}: input must be a Tensor, {type(input).__name__} came")
        return getattr(input, name)(*args, **options)

    edit.__name__ = edit.__qualname__ = name
    edit.__doc__ = f"""`input.{name}(...)` as a function: the result is written into input, which is returned.

    >>> import tinygrad_dl as tg
    >>> isinstance(tg.{name}({example}), tg.Tensor)
    True
    """
    return edit


FORMS = {f"{name}_": _form(f"{name}_", "tg.tensor([0.5])") for name in _UNARY.split()}
FORMS |= {name: _form(name, example) for name, example in _WITH_ARGUMENTS.items()}
# PyTorch has these at the top too; those whose arguments it takes in another order there are left out.
OF_NN = """
    adaptive_avg_pool1d adaptive_max_pool1d alpha_dropout avg_pool1d channel_shuffle conv1d conv2d conv3d
    conv_transpose1d conv_transpose2d conv_transpose3d dropout feature_alpha_dropout group_norm layer_norm max_pool1d
    max_pool2d max_pool3d pixel_shuffle pixel_unshuffle rms_norm rrelu
""".split()
globals().update(FORMS)  # where the walk for examples finds them
