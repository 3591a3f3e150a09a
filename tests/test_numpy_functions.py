"""NumPy's own functions on tensors: those with an operation record it, the others compute or say why they can't."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl.errors import ArgumentTypeError, GraphError, TinygradError
from tinygrad_dl.tensor import NUMPY

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


X = np.array([[0.5, -1.25, 2.0], [-0.75, 1.5, 0.25]])
Y = np.array([[1.5, 0.75, -0.5], [0.6, -2.25, 1.75]])
P = np.abs(X) + 0.1
ROW = np.array([0.7, -1.1, 0.4])
I = np.array([[6, 3, 5], [1, 2, 4]])
J = np.array([[1, 2, 3], [4, 5, 6]])
B = X > 0
C = Y > 0

# The function, then calls of it with the arrays that become tensors. Floating arrays are differentiated.
Call = tuple[Callable[..., Any], tuple[np.ndarray, ...]]
CALLS: dict[Any, dict[str, Call]] = {
    np.add: {
        "x, y": (lambda x, y: np.add(x, y), (X, Y)),
        "x, row": (lambda x, y: np.add(x, y), (X, ROW)),
        "x, 2": (lambda x: np.add(x, 2), (X,)),
        "0.5, x": (lambda x: np.add(0.5, x), (X,)),
        "integers": (lambda x: np.add(x, 2), (I,)),
    },
    np.subtract: {"x, y": (lambda x, y: np.subtract(x, y), (X, Y)), "1, x": (lambda x: np.subtract(1, x), (X,))},
    np.multiply: {
        "x, y": (lambda x, y: np.multiply(x, y), (X, Y)),
        "x, x": (lambda x: np.multiply(x, x), (X,)),
        "x, array": (lambda x: np.multiply(x, Y), (X,)),
        "array, x": (lambda x: np.multiply(Y, x), (X,)),
    },
    np.divide: {
        "x, y": (lambda x, y: np.divide(x, y), (X, Y)),
        "1, x": (lambda x: np.divide(1, x), (X,)),
        "true_divide": (lambda x, y: np.true_divide(x, y), (X, ROW)),
    },
    np.floor_divide: {
        "x, y": (lambda x, y: np.floor_divide(x.detach(), y.detach()) if is_ours(x) else np.floor_divide(x, y), (X, Y)),
        "integers": (lambda x, y: np.floor_divide(x, y), (I, J)),
    },
    np.remainder: {
        "x, y": (lambda x, y: np.remainder(x, y), (X, 1.03 * Y)),
        "mod": (lambda x: np.mod(x, 0.7), (X,)),
        "integers": (lambda x, y: np.remainder(x, y), (I, J)),
    },
    np.power: {
        "x, y": (lambda x, y: np.power(x, y), (P, Y)),
        "x, 3": (lambda x: np.power(x, 3), (X,)),
        "2, x": (lambda x: np.power(2, x), (X,)),
    },
    np.negative: {"x": (lambda x: np.negative(x), (X,))},
    np.positive: {"x": (lambda x: np.positive(x) * 1, (X,))},
    np.absolute: {"x": (lambda x: np.absolute(x), (X,)), "abs": (lambda x: np.abs(x), (X,))},
    np.sign: {"x": (lambda x: np.sign(x), (X,))},
    np.exp: {"x": (lambda x: np.exp(x), (X,))},
    np.log: {"x": (lambda x: np.log(x), (P,))},
    np.sqrt: {"x": (lambda x: np.sqrt(x), (P,))},
    np.square: {"x": (lambda x: np.square(x), (X,))},
    np.sin: {"x": (lambda x: np.sin(x), (X,))},
    np.sinc: {"x": (lambda x: np.sinc(x), (X,))},
    np.cos: {"x": (lambda x: np.cos(x), (X,))},
    np.tanh: {"x": (lambda x: np.tanh(x), (X,))},
    np.maximum: {
        "x, y": (lambda x, y: np.maximum(x, y), (X, Y)),
        "0, x": (lambda x: np.maximum(0, x), (X,)),
        "x, 0": (lambda x: np.maximum(x, 0), (X,)),
    },
    np.minimum: {"x, row": (lambda x, y: np.minimum(x, y), (X, ROW)), "x, 1.0": (lambda x: np.minimum(x, 1.0), (X,))},
    np.clip: {
        "x, -1, 1": (lambda x: np.clip(x, -1, 1), (X,)),
        "a_min=, a_max=": (lambda x: np.clip(x, a_min=0.1, a_max=1.2), (X,)),
        "x, None, 1": (lambda x: np.clip(x, None, 1), (X,)),
        "x, y, y + 1": (lambda x, y: np.clip(x, y, y + 1), (X, Y)),
        "a=": (lambda x: np.clip(a=x, a_min=0, a_max=1), (X,)),
    },
    np.where: {
        "c, x, y": (lambda c, x, y: np.where(c, x, y), (B, X, Y)),
        "x > 0, x, 0": (lambda x: np.where(x > 0, x, 0.0), (X,)),
        "array, x, y": (lambda x, y: np.where(C, x, y), (X, ROW)),
    },
    np.equal: {"x, y": (lambda x, y: np.equal(x, y), (I, J)), "x, 3": (lambda x: np.equal(x, 3), (I,))},
    np.not_equal: {"x, y": (lambda x, y: np.not_equal(x, y), (I, J))},
    np.less: {"x, y": (lambda x, y: np.less(x, y), (X, Y)), "0, x": (lambda x: np.less(0, x), (X,))},
    np.less_equal: {"x, y": (lambda x, y: np.less_equal(x, y), (I, J))},
    np.greater: {"x, y": (lambda x, y: np.greater(x, y), (X, ROW)), "array, x": (lambda x: np.greater(Y, x), (X,))},
    np.greater_equal: {"x, y": (lambda x, y: np.greater_equal(x, y), (I, J))},
    np.logical_and: {"b, c": (lambda x, y: np.logical_and(x, y), (B, C)), "x, c": (np.logical_and, (X, C))},
    np.logical_or: {"b, c": (lambda x, y: np.logical_or(x, y), (B, C))},
    np.logical_xor: {"b, c": (lambda x, y: np.logical_xor(x, y), (B, C))},
    np.logical_not: {"b": (lambda x: np.logical_not(x), (B,)), "i": (lambda x: np.logical_not(x), (I,))},
    np.bitwise_and: {"i, j": (lambda x, y: np.bitwise_and(x, y), (I, J)), "b, c": (np.bitwise_and, (B, C))},
    np.bitwise_or: {"i, 1": (lambda x: np.bitwise_or(x, 1), (I,))},
    np.bitwise_xor: {"i, j": (lambda x, y: np.bitwise_xor(x, y), (I, J))},
    np.invert: {"i": (lambda x: np.invert(x), (I,)), "b": (lambda x: np.invert(x), (B,))},
    np.isnan: {"x": (lambda x: np.isnan(x), (np.array([np.nan, 1.0, np.inf]),))},
    np.isinf: {"x": (lambda x: np.isinf(x), (np.array([np.nan, 1.0, -np.inf]),))},
    np.isfinite: {"x": (lambda x: np.isfinite(x), (np.array([np.nan, 1.0, np.inf]),))},
    np.sum: {
        "x": (lambda x: np.sum(x), (X,)),
        "x, 0": (lambda x: np.sum(x, 0), (X,)),
        "axis=1, keepdims=True": (lambda x: np.sum(x, axis=1, keepdims=True), (X,)),
        "keepdims=True": (lambda x: np.sum(x, keepdims=True), (X,)),
        "axis=(0, 1)": (lambda x: np.sum(x, axis=(0, 1)), (X,)),
        "axis=None": (lambda x: np.sum(x, axis=None), (X,)),
        "dtype=": (lambda x: np.sum(x, dtype=np.float64), (X,)),
        "bools": (lambda x: np.sum(x), (B,)),
        "a=": (lambda x: np.sum(a=x, axis=-1), (X,)),
        "by position, dtype=": (lambda x: np.sum(x, 0, np.float64, None, True), (X,)),
    },
    np.mean: {
        "x": (lambda x: np.mean(x), (X,)),
        "axis=0": (lambda x: np.mean(x, axis=0), (X,)),
        "axis=1, keepdims=True": (lambda x: np.mean(x, axis=1, keepdims=True), (X,)),
        "axis=(0, 1)": (lambda x: np.mean(x, axis=(0, 1)), (X,)),
        "by position": (lambda x: np.mean(x, 1, None, None, True), (X,)),
    },
    np.var: {
        "x": (lambda x: np.var(x), (X,)),
        "axis=0": (lambda x: np.var(x, axis=0), (X,)),
        "axis=1, ddof=1, keepdims=True": (lambda x: np.var(x, axis=1, ddof=1, keepdims=True), (X,)),
        "by position, dtype=": (lambda x: np.var(x, 0, np.float64, None, 1), (X,)),
        "correction=": (lambda x: np.var(x, 0, correction=1), (X,)),
    },
    np.std: {
        "x": (lambda x: np.std(x), (X,)),
        "axis=1, ddof=1": (lambda x: np.std(x, axis=1, ddof=1), (X,)),
        "axis=0, keepdims=True": (lambda x: np.std(x, axis=0, keepdims=True), (X,)),
    },
    np.max: {
        "x": (lambda x: np.max(x), (X,)),
        "axis=1, keepdims=True": (lambda x: np.max(x, axis=1, keepdims=True), (X,)),
        "axis=(0, 1)": (lambda x: np.max(x, axis=(0, 1)), (X,)),
        "keepdims=True": (lambda x: np.max(x, keepdims=True), (X,)),
        "by position": (lambda x: np.max(x, 0, None, True), (X,)),
    },
    np.min: {"x": (lambda x: np.min(x), (X,)), "x, 0": (lambda x: np.min(x, 0), (X,))},
    np.amax: {"x": (lambda x: np.amax(x), (X,)), "axis=0": (lambda x: np.amax(x, axis=0), (X,))},
    np.amin: {"x": (lambda x: np.amin(x), (X,)), "axis=-1": (lambda x: np.amin(x, axis=-1), (X,))},
    np.argmax: {
        "x": (lambda x: np.argmax(x), (X,)),
        "axis=0": (lambda x: np.argmax(x, axis=0), (X,)),
        "axis=1, keepdims=True": (lambda x: np.argmax(x, axis=1, keepdims=True), (X,)),
    },
    np.argmin: {"x": (lambda x: np.argmin(x), (X,)), "axis=1": (lambda x: np.argmin(x, axis=1), (X,))},
    np.prod: {
        "x": (lambda x: np.prod(x), (X,)),
        "axis=1, keepdims": (lambda x: np.prod(x, axis=1, keepdims=True), (X,)),
        "integers": (lambda x: np.prod(x, 0), (I,)),
    },
    np.cumsum: {"x": (lambda x: np.cumsum(x), (X,)), "axis=1": (lambda x: np.cumsum(x, axis=1), (X,))},
    np.cumprod: {"x": (lambda x: np.cumprod(x), (X,)), "axis=0": (lambda x: np.cumprod(x, 0), (X,))},
    np.diff: {"x": (lambda x: np.diff(x), (X,)), "n=2, axis=0": (lambda x: np.diff(x, n=2, axis=0), (X,))},
    np.count_nonzero: {
        "b": (lambda x: np.count_nonzero(x), (B,)),
        "axis=0": (lambda x: np.count_nonzero(x, axis=0), (I,)),
    },
    np.any: {"b": (lambda x: np.any(x), (B,)), "axis=0": (lambda x: np.any(x, axis=0), (B,))},
    np.all: {"b": (lambda x: np.all(x), (B,)), "axis=1, keepdims": (lambda x: np.all(x, axis=1, keepdims=True), (B,))},
    np.matmul: {
        "x, y.T": (lambda x, y: np.matmul(x, y.T), (X, Y)),
        "x, row": (lambda x, y: np.matmul(x, y), (X, ROW)),
        "array, x": (lambda x: np.matmul(Y.T, x), (X,)),
    },
    np.dot: {
        "x, y.T": (lambda x, y: np.dot(x, y.T), (X, Y)),
        "x, row": (lambda x, y: np.dot(x, y), (X, ROW)),
        "row, row": (lambda x, y: np.dot(x, y), (ROW, X[0])),
        "2, x": (lambda x: np.dot(2, x), (X,)),
        "x, 0-d": (lambda x, y: np.dot(x, y), (X, np.array(3.0))),
        "array, x": (lambda x: np.dot(Y.T, x), (X,)),
    },
    np.reshape: {
        "x, (3, 2)": (lambda x: np.reshape(x, (3, 2)), (X,)),
        "x, -1": (lambda x: np.reshape(x, -1), (X,)),
        "order='C'": (lambda x: np.reshape(x, (1, -1), order="C"), (X,)),
        "order='F'": (lambda x: np.reshape(x, (3, 2), order="F"), (X,)),
        "(-1,), order='F'": (lambda x: np.reshape(x, (-1,), order="F"), (X,)),
        "-1, order='F'": (lambda x: np.reshape(x, (3, -1, 1), order="F"), (X,)),
    },
    np.ravel: {
        "x": (lambda x: np.ravel(x), (X,)),
        "x.T": (lambda x: np.ravel(x.T), (X,)),
        "order='F'": (lambda x: np.ravel(x, order="F"), (X,)),
    },
    np.transpose: {
        "x": (lambda x: np.transpose(x), (X,)),
        "axes": (lambda x: np.transpose(x, (1, 0)), (X,)),
        "axes=": (lambda x: np.transpose(x.reshape(1, 2, 3), axes=[2, 0, 1]), (X,)),
        "negative axes": (lambda x: np.transpose(x.reshape(1, 2, 3), (-1, 0, 1)), (X,)),
    },
    np.swapaxes: {
        "0, 1": (lambda x: np.swapaxes(x, 0, 1), (X,)),
        "axis1=, axis2=": (lambda x: np.swapaxes(x, axis1=0, axis2=-1), (X,)),
    },
    np.squeeze: {
        "x": (lambda x: np.squeeze(x.reshape(1, 2, 1, 3)), (X,)),
        "axis=0": (lambda x: np.squeeze(x.reshape(1, 2, 1, 3), axis=0), (X,)),
        "axis=(0, 2)": (lambda x: np.squeeze(x.reshape(1, 2, 1, 3), axis=(0, 2)), (X,)),
    },
    np.expand_dims: {
        "0": (lambda x: np.expand_dims(x, 0), (X,)),
        "axis=-1": (lambda x: np.expand_dims(x, axis=-1), (X,)),
        "axis=(0, 2)": (lambda x: np.expand_dims(x, axis=(0, 2)), (X,)),
    },
    np.concatenate: {
        "[x, y]": (lambda x, y: np.concatenate([x, y]), (X, Y)),
        "axis=1": (lambda x, y: np.concatenate((x, y), axis=1), (X, Y)),
        "axis=None": (lambda x, y: np.concatenate([x, y], axis=None), (X, ROW)),
        "[x, array]": (lambda x: np.concatenate([x, Y]), (X,)),
        "[array, x]": (lambda x: np.concatenate([Y, x], 1), (X,)),
    },
    np.stack: {
        "[x, y]": (lambda x, y: np.stack([x, y]), (X, Y)),
        "axis=-1": (lambda x, y: np.stack((x, y), axis=-1), (X, Y)),
        "[x, array]": (lambda x: np.stack([x, Y], 1), (X,)),
    },
    np.broadcast_to: {
        "row": (lambda x: np.broadcast_to(x, (2, 3)), (ROW,)),
        "x": (lambda x: np.broadcast_to(x, (4, 2, 3)), (X,)),
        "shape=": (lambda x: np.broadcast_to(x, shape=(3,)), (np.array([2.0]),)),
    },
    np.hstack: {
        "[x, y]": (lambda x, y: np.hstack([x, y]), (X, Y)),
        "rows": (lambda x, y: np.hstack((x, y)), (ROW, ROW)),
    },
    np.vstack: {
        "[x, row]": (lambda x, y: np.vstack([x, y]), (X, ROW)),
        "[array, x]": (lambda x: np.vstack([Y, x]), (X,)),
    },
    np.dstack: {"[x, y]": (lambda x, y: np.dstack([x, y]), (X, Y))},
    np.column_stack: {"(row, row)": (lambda x, y: np.column_stack((x, y)), (ROW, ROW))},
    np.atleast_1d: {"x": (lambda x: np.atleast_1d(x), (np.array(2.0),))},
    np.atleast_2d: {
        "row": (lambda x: np.atleast_2d(x), (ROW,)),
        "x, row": (lambda x, y: np.atleast_2d(x, y)[1], (X, ROW)),
    },
    np.atleast_3d: {"row": (lambda x: np.atleast_3d(x), (ROW,)), "x": (lambda x: np.atleast_3d(x), (X,))},
    np.meshgrid: {
        "x, y": (lambda x, y: np.meshgrid(x, y)[1], (ROW, ROW[:2])),
        "indexing=": (lambda x, y: np.meshgrid(x, y, indexing="ij")[0], (ROW, ROW[:2])),
    },
    np.flip: {"x": (lambda x: np.flip(x), (X,)), "axis=1": (lambda x: np.flip(x, axis=1), (X,))},
    np.fliplr: {"x": (lambda x: np.fliplr(x), (X,))},
    np.flipud: {"x": (lambda x: np.flipud(x), (X,))},
    np.rot90: {"x": (lambda x: np.rot90(x), (X,)), "k=3, axes=": (lambda x: np.rot90(x, k=3, axes=(1, 0)), (X,))},
    np.roll: {"1": (lambda x: np.roll(x, 1), (X,)), "axis=": (lambda x: np.roll(x, (1, 2), axis=(0, 1)), (X,))},
    np.tile: {"2": (lambda x: np.tile(x, 2), (X,)), "(2, 1, 2)": (lambda x: np.tile(x, (2, 1, 2)), (X,))},
    np.repeat: {
        "2": (lambda x: np.repeat(x, 2), (X,)),
        "axis=": (lambda x: np.repeat(x, 2, axis=1), (X,)),
        "list": (lambda x: np.repeat(x, [1, 2], axis=0), (X,)),
    },
    np.diagonal: {"x": (lambda x: np.diagonal(x), (X,)), "1, 1, 0": (lambda x: np.diagonal(x, 1, 1, 0), (X,))},
    np.diag: {"x": (lambda x: np.diag(x), (X,)), "row, k=": (lambda x: np.diag(x, k=1), (ROW,))},
    np.diagflat: {"x": (lambda x: np.diagflat(x), (X,))},
    np.trace: {"x": (lambda x: np.trace(x), (X,)), "offset=": (lambda x: np.trace(x, offset=1), (X,))},
    np.tril: {"x": (lambda x: np.tril(x), (X,)), "k=": (lambda x: np.tril(x, k=-1), (X,))},
    np.triu: {"x": (lambda x: np.triu(x), (X,)), "1": (lambda x: np.triu(x, 1), (X,))},
    np.copy: {"x": (lambda x: np.copy(x), (X,)), "x.T": (lambda x: np.copy(x.T), (X,))},
    np.take_along_axis: {
        "axis=1": (lambda x, i: np.take_along_axis(x, i, axis=1), (X, np.array([[2, 0], [1, 1]]))),
        "array of indices": (lambda x: np.take_along_axis(x, np.array([[1, 0, 1]]), 0), (X,)),
    },
}
CALLS |= {f: {"x": (f, (X,))} for f in (np.exp2, np.expm1, np.tan, np.arctan, np.sinh, np.cosh, np.arcsinh, np.deg2rad)}
CALLS |= {f: {"x": (f, (X,))} for f in (np.rad2deg, np.radians, np.degrees, np.reciprocal, np.angle)}
CALLS |= {f: {"x": (f, (P,))} for f in (np.floor, np.ceil, np.trunc, np.rint, np.fix, np.signbit)}
CALLS |= {np.conjugate: {"x": (lambda x: np.conjugate(x) * 1, (X,))}}
CALLS |= {f: {"x": (f, (P,))} for f in (np.log2, np.log10, np.log1p)}
CALLS |= {f: {"x": (lambda x, f=f: f(x / 3), (X,))} for f in (np.arcsin, np.arccos, np.arctanh)}
CALLS |= {np.arccosh: {"x": (lambda x: np.arccosh(x + 1), (P,))}}
CALLS |= {
    f: {"x, y": (f, (X, Y))} for f in (np.logaddexp, np.logaddexp2, np.arctan2, np.hypot, np.fmax, np.fmin, np.copysign)
}
CALLS |= {
    np.round: {"x": (lambda x: np.round(x), (P,)), "x, 1": (lambda x: np.round(x, 1), (1.1 * P,))},
    np.around: {"decimals=1": (lambda x: np.around(x, decimals=1), (1.1 * P,))},
    np.fmod: {"x, y": (lambda x, y: np.fmod(x, 1.03 * y), (X, Y))},
    np.ldexp: {"x, i": (lambda x, i: np.ldexp(x, i), (X, I))},
    np.frexp: {"mantissa": (lambda x: np.frexp(x)[0], (P,))},
    np.heaviside: {"x, y": (lambda x, y: np.heaviside(*plain(x, y)), (X, Y))},
    np.nextafter: {"x, y": (lambda x, y: np.nextafter(*plain(x, y)), (X, Y))},
    np.gcd: {"i, j": (np.gcd, (I, J))},
    np.lcm: {"i, j": (np.lcm, (I, J))},
    np.left_shift: {"i, j": (np.left_shift, (I, J)), "1, j": (lambda j: np.left_shift(1, j), (J,))},
    np.right_shift: {"i, 1": (lambda i: np.right_shift(i, 1), (I,))},
    np.isclose: {
        "x, y": (lambda x, y: np.isclose(x, y), (X, Y)),
        "atol=": (lambda x: np.isclose(x, x + 1, atol=2), (X,)),
    },
    np.isposinf: {"x": (np.isposinf, (np.array([np.nan, -np.inf, np.inf]),))},
    np.isneginf: {"x": (np.isneginf, (np.array([np.nan, -np.inf, np.inf]),))},
    np.isreal: {"x": (np.isreal, (X,))},
}


def plain(*xs: Any) -> list[Any]:
    """Tensors without a gradient."""
    return [x.detach() if is_ours(x) else x for x in xs]


FORMS = [pytest.param(f, form, id=f"{f.__name__}: {form}") for f, forms in CALLS.items() for form in forms]


def is_ours(x: Any) -> bool:
    return isinstance(x, tg.Tensor)


def tensors(arrays: tuple[np.ndarray, ...], **options: Any) -> list[Any]:
    made = [tg.tensor(a, **options) for a in arrays]
    return [t.requires_grad_() if t.is_floating_point() else t for t in made]


def test_every_function_that_is_recorded_is_here() -> None:
    assert NUMPY.keys() - CALLS.keys() == set()
    assert CALLS.keys() - NUMPY.keys() == set(), "these have no operation any more"


@pytest.mark.parametrize(("function", "form"), FORMS)
def test_values_are_numpys(function: Any, form: str) -> None:
    call, arrays = CALLS[function][form]
    found, expected = call(*tensors(arrays)), np.asarray(call(*arrays))
    assert is_ours(found) and tuple(found.shape) == expected.shape
    assert found.detach().numpy().dtype == expected.dtype
    np.testing.assert_allclose(found.detach().numpy(), expected, 1e-14, 1e-15)


NOT_DIFFERENTIABLE = {np.floor_divide, np.heaviside, np.nextafter}


@pytest.mark.parametrize(("function", "form"), FORMS)
def test_gradients_are_central_differences(function: Any, form: str) -> None:
    call, arrays = CALLS[function][form]
    inputs = tensors(arrays)
    out = call(*inputs)
    if not out.is_floating_point() or function in NOT_DIFFERENTIABLE:
        assert not out.requires_grad
        return
    assert out.requires_grad and out.grad_fn is not None, "it is recorded"
    assert tg.gradcheck(call, inputs) and tg.gradgradcheck(call, inputs)


@pytest.mark.parametrize(("function", "form"), FORMS)
def test_float32_stays_float32(function: Any, form: str) -> None:
    call, arrays = CALLS[function][form]
    halved = tuple(a.astype(np.float32) if a.dtype.kind == "f" else a for a in arrays)
    mine = call(*tensors(halved))
    takes_an_array = (
        any(word in form for word in ("array,", ", array", "[array", "dtype=")) and "of indices" not in form
    )
    if mine.is_floating_point() and not takes_an_array:  # the arrays in the calls are float64, and meet as in PyTorch
        assert mine.dtype is tg.float32


@pytest.mark.parametrize(("function", "form"), [p for p in FORMS if "array" not in p.values[1]])
def test_numpys_functions_run_on_other_devices(function: Any, form: str) -> None:
    call, arrays = CALLS[function][form]
    found, expected = call(*tensors(arrays, device="strict")), call(*tensors(arrays))
    assert found.device.type == "strict"
    assert np.array_equal(found.numpy(force=True), expected.numpy(force=True))


# --- options that the operation does not have are refused, not ignored

OPTIONS: dict[str, Callable[[Any], Any]] = {
    "sum where=": lambda x: np.sum(x, where=B),
    "sum initial=": lambda x: np.sum(x, initial=3.0),
    "max initial=": lambda x: np.max(x, initial=3.0),
    "mean where=": lambda x: np.mean(x, where=B),
    "std mean=": lambda x: np.std(x, mean=0.0),
    "add where=": lambda x: np.add(x, 1, where=B),
    "add dtype=": lambda x: np.add(x, 1, dtype=np.float32),
    "exp casting=": lambda x: np.exp(x, casting="no"),
    "reshape order=": lambda x: np.reshape(x, (3, 2), order="A"),
    "ravel order=": lambda x: np.ravel(x.T, order="K"),
    "copy order=": lambda x: np.copy(x, order="F"),
    "concatenate dtype=": lambda x: np.concatenate([x, x], dtype=np.float32),
    "broadcast_to subok=": lambda x: np.broadcast_to(x, (2, 2, 3), subok=True),
    "where of one": lambda x: np.where(x),
}


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("grad", [True, False])
def test_options_are_obeyed_or_refused(name: str, grad: bool) -> None:
    call = OPTIONS[name]
    expected = call(X)
    try:
        found = call(tg.tensor(X, requires_grad=grad))
    except (TinygradError, NotImplementedError) as error:
        assert str(error)
        return
    except TypeError as error:  # Python's own, which names the option
        assert name.split()[1].rstrip("=") in str(error)
        return
    parts, wanted = (list(r) if isinstance(r, tuple) else [r] for r in (found, expected))
    for a, b in zip(parts, wanted, strict=True):
        given = np.asarray(b)[B] if "add where" in name else b  # what is not chosen is not set
        mine = a.detach().numpy()[B] if "add where" in name else np.asarray(a.detach() if is_ours(a) else a)
        np.testing.assert_allclose(mine, given)
        if is_ours(a) and a.is_floating_point():
            assert a.requires_grad == grad and a.numpy(force=True).dtype == np.asarray(b).dtype


# --- functions that nothing records

UNKNOWN: dict[str, Callable[[Any], Any]] = {
    "sort": lambda x: np.sort(x),
    "sort, axis": lambda x: np.sort(x, axis=0),
    "unwrap": lambda x: np.unwrap(x),
    "ptp": lambda x: np.ptp(x),
    "median": lambda x: np.median(x),
    "cbrt": lambda x: np.cbrt(x),
    "divmod": lambda x: np.divmod(x, Y),
    "float_power": lambda x: np.float_power(abs(X), x),
    "outer": lambda x: np.outer(x, x),
    "einsum": lambda x: np.einsum("ij,kj->ik", x, x),
    "tensordot": lambda x: np.tensordot(x, x, 2),
    "add.reduce": lambda x: np.add.reduce(x),
    "multiply.outer": lambda x: np.multiply.outer(x, x),
    "add.accumulate": lambda x: np.add.accumulate(x),
    "select": lambda x: np.select([B], [x]),
    "linalg.norm": lambda x: np.linalg.norm(x),
    "allclose": lambda x: np.allclose(x, X),
    "array_equal": lambda x: np.array_equal(x, X),
    "argsort": lambda x: np.argsort(x),
    "interp": lambda x: np.interp(x, [0.0, 1.0], [2.0, 3.0]),
    "split": lambda x: np.split(x, 3, axis=1),
    "nonzero": lambda x: np.nonzero(x),
    "modf": lambda x: np.modf(x),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_function_without_an_operation_computes_on_plain_values(name: str) -> None:
    call = UNKNOWN[name]
    found, expected = call(tg.tensor(X)), call(X)
    several = isinstance(expected, tuple | list)
    for a, b in zip(found, expected, strict=True) if several else [(found, expected)]:
        values = a.numpy() if is_ours(a) else np.asarray(a)
        np.testing.assert_allclose(values, b)
        assert values.dtype == np.asarray(b).dtype


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_function_without_an_operation_loses_no_gradient_silently(name: str) -> None:
    with pytest.raises(
        GraphError, match=r"numpy\.[\w.]+: no operation records this call.*\(2, 3\).*tensor\.detach\(\)"
    ):
        UNKNOWN[name](tg.tensor(X, requires_grad=True))


def test_tensors_inside_lists_and_keywords_are_seen() -> None:
    x = tg.tensor(X, requires_grad=True)
    for call in (
        lambda: np.select([B], [x]),
        lambda: np.sort(a=x),
        lambda: np.block([[Y, x]]),
        lambda: np.float_power(x1=1, x2=x),
    ):
        with pytest.raises((GraphError, TypeError)):
            call()
    with pytest.raises(GraphError, match="select"):
        np.select([B], [x])


def test_results_of_plain_calls_are_tensors_of_their_own() -> None:
    x = tg.tensor(X)
    y = np.sort(x)
    y.fill_(0)
    assert np.array_equal(x.numpy(), X)
    assert is_ours(np.prod(x)) and np.prod(x).shape == () and is_ours(np.add.reduce(x, axis=None))


def test_other_devices_convert_nothing_by_themselves() -> None:
    x = tg.tensor(X, device="strict")
    assert np.sort(x).device.type == "strict"
    with pytest.raises((TinygradError, TypeError)):
        np.hypot(x, Y)


# --- out=, writers


def test_out_may_be_an_array_and_no_tensor() -> None:
    x, out = tg.tensor(X), np.zeros((2, 3))
    assert np.multiply(x, 2, out=out) is out and np.array_equal(out, 2 * X)
    total = np.zeros(3)
    assert np.sum(x, axis=0, out=total) is total and np.array_equal(total, X.sum(0))
    target = tg.zeros(2, 3, dtype=tg.float64)
    for call in (
        lambda: np.multiply(x, 2, out=target),
        lambda: np.multiply(X, 2, out=target),
        lambda: np.exp(x, target),
        lambda: np.sum(X, axis=0, out=tg.zeros(3, dtype=tg.float64)),
        lambda: np.concatenate([X], out=target),
        lambda: np.modf(X, out=(target, None)),
    ):
        with pytest.raises(ArgumentTypeError, match=r"numpy\.\w+: out= can't be a Tensor; assign the result"):
            call()
        assert float(target.abs().sum()) == 0
    with pytest.raises(GraphError, match="multiply"):
        np.multiply(tg.tensor(X, requires_grad=True), 2, out=out)


def test_an_array_edited_by_a_tensor_stays_an_array() -> None:
    for edit, expected in (("__iadd__", X + Y), ("__isub__", X - Y), ("__imul__", X * Y), ("__itruediv__", X / Y)):
        a = X.copy()
        result = getattr(a, edit)(tg.tensor(Y))
        assert result is a and type(a) is np.ndarray and np.array_equal(a, expected)
    a = X.copy()
    with pytest.raises(GraphError):
        a += tg.tensor(Y, requires_grad=True)
    assert np.array_equal(a, X)


WRITERS: dict[str, Callable[[Any], Any]] = {
    "copyto": lambda c: np.copyto(c, 2.0),
    "copyto of a tensor": lambda c: np.copyto(c, tg.full((3,), 2.0)),
    "copyto by name": lambda c: np.copyto(dst=c, src=np.float32(2)),
    "put": lambda c: np.put(c, [1], 2.0),
    "place": lambda c: np.place(c, np.array([True, False, True]), [2.0, 3.0]),
    "putmask": lambda c: np.putmask(c, np.array([True, False, True]), 2.0),
    "put_along_axis": lambda c: np.put_along_axis(c, np.array([0]), 2.0, 0),
    "add.at": lambda c: np.add.at(c, [0, 0], 1.0),
    "a view": lambda c: np.copyto(c[:1], 2.0),
}


@pytest.mark.parametrize("name", WRITERS)
def test_what_numpy_writes_is_noticed_by_backward(name: str) -> None:
    plain, c = np.ones(3, np.float32), tg.ones(3)
    x = tg.ones(3, requires_grad=True)
    y = (x * c).sum()
    if "tensor" not in name:
        WRITERS[name](plain)
    else:
        plain[:] = 2
    WRITERS[name](c)
    assert np.array_equal(c.numpy(), plain) and not np.array_equal(plain, np.ones(3))
    with pytest.raises(GraphError, match=r"numpy\.[\w.]+ has overwritten it"):
        y.backward()


def test_fill_diagonal_is_noticed() -> None:
    c, x = tg.ones(2, 2), tg.ones(2, 2, requires_grad=True)
    y = (x * c).sum()
    np.fill_diagonal(c, 5.0)
    assert c.tolist() == [[5.0, 1.0], [1.0, 5.0]]
    with pytest.raises(GraphError, match=r"numpy\.fill_diagonal has overwritten"):
        y.backward()


@pytest.mark.parametrize("name", WRITERS)
def test_numpy_does_not_write_into_a_leaf_of_the_graph(name: str) -> None:
    w = tg.ones(3, requires_grad=True)
    with pytest.raises((GraphError, NotImplementedError)):
        WRITERS[name](w)
    assert w.tolist() == [1.0, 1.0, 1.0]


# --- NumPy's scalars and arrays on either side of the operators

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": lambda a, b: a**b,
    "%": lambda a, b: a % b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}
OTHERS: dict[str, Any] = {
    "float64": np.float64(1.5),
    "float32": np.float32(1.5),
    "int64": np.int64(2),
    "uint8": np.uint8(3),
    "bool": np.bool_(True),
    "0-d array": np.array(1.5),
    "row": ROW,
    "matrix": Y,
    "float32 matrix": Y.astype(np.float32),
    "column": np.array([[2.0], [0.5]]),
    "integers": I,
}


@pytest.mark.parametrize("sign", OPERATORS)
@pytest.mark.parametrize("other", OTHERS)
def test_operators_beside_numpys_values(sign: str, other: str) -> None:
    """On both sides a recorded Tensor with NumPy's values, and with the gradient that a tensor in that place gives."""
    value, apply = OTHERS[other], OPERATORS[sign]
    for call in (lambda x, v: apply(x, v), lambda x, v: apply(v, x)):
        x, again = tensors((X, X))
        found, expected = call(x, value), call(X, value)
        assert is_ours(found) and tuple(found.shape) == np.shape(expected)
        np.testing.assert_allclose(found.detach().numpy(), expected, 1e-14)
        beside = call(again, tg.tensor(value))
        assert found.dtype is beside.dtype and found.requires_grad == beside.requires_grad
        if found.requires_grad:
            found.sum().backward()
            beside.sum().backward()
            np.testing.assert_allclose(x.grad.numpy(), again.grad.numpy(), 1e-14)


@pytest.mark.parametrize("other", ["float64", "float32", "int64", "0-d array"])
def test_numpys_scalars_do_not_widen_a_float32_tensor(other: str) -> None:
    x = tg.ones(2, requires_grad=True)
    value = OTHERS[other]
    for y in (x * value, value * x, value - x, x / value, np.add(x, value), np.maximum(value, x)):
        assert is_ours(y) and y.dtype is tg.float32 and y.requires_grad


def test_matrix_products_beside_arrays() -> None:
    x = tg.tensor(X, requires_grad=True)
    for y, expected in ((x @ Y.T, X @ Y.T), (Y.T @ x, Y.T @ X), (x @ ROW, X @ ROW), (np.ones(2) @ x, np.ones(2) @ X)):
        assert is_ours(y) and y.requires_grad and np.allclose(y.detach().numpy(), expected)
    (Y.T @ x).sum().backward()
    assert np.allclose(x.grad.numpy(), Y.sum(1)[:, None] * np.ones((1, 3)))


def test_an_array_of_objects_is_never_made() -> None:
    x = tg.ones(2, requires_grad=True)
    a = np.array([1.0, 2.0], np.float32)
    for y in (a + x, a * x, x * a, a == x, a < x, a @ x):
        assert is_ours(y)
    with pytest.raises(TinygradError):
        _ = np.array([None, 1], dtype=object) * x
