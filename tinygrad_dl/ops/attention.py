"""Attention: each query takes the mean of the values, weighted by how well their keys fit. Source: notes, section 7.

One operation computes it a few rows of queries at a time, so that no array of all queries by all keys is made: the
forward keeps the logarithm of each row's sum, and the backward pass computes the weights anew from it (Dao et al.,
FlashAttention, 2022).
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .. import backend
from ..errors import ArgumentError, ArgumentTypeError, DtypeError, ShapeError
from ..explain import explain
from ..operation import keep, operation
from ..tensor import Tensor, wrap
from .elementwise import where
from .linalg import matmul
from .rearranging import repeat_interleave
from .shape import expand, reshape, squeeze, transpose, unsqueeze
from .softmax import softmax

_WEIGHTS = 1 << 15  # weights at a time, which stay in the cache
_ROWS = 64  # queries at a time at the least, so that the products are of matrices

Block = tuple[Any, Any, Any, Any]  # slices: of the batch, of its heads, of the queries, and of the keys they see


def _blocks(shape: tuple[int, ...], keys: int, is_causal: bool, whole: bool) -> Iterator[Block]:
    """Parts of the queries (batch, heads, queries, width) that together cover them, if there is anything to see."""
    batch, heads, queries = shape[:3]
    if not queries or not keys:
        return
    one = queries * keys
    rows = queries if whole or one <= _WEIGHTS else min(queries, max(_ROWS, _WEIGHTS // keys))
    several = heads if whole else min(heads, max(1, _WEIGHTS // max(one, 1)))
    examples = batch if whole else max(1, _WEIGHTS // max(one * heads, 1)) if several == heads else 1
    for b in range(0, batch, max(examples, 1)):
        for h in range(0, heads, max(several, 1)):
            for row in range(0, queries, max(rows, 1)):
                last = min(row + rows, queries)
                seen = slice(0, min(last, keys) if is_causal else keys)
                yield slice(b, b + examples), slice(h, h + several), slice(row, last), seen


def _scores(q: Any, k: Any, bias: Any, block: Block, scale: float, is_causal: bool) -> Any:
    """What a softmax makes the weights of a block of."""
    b, h, rows, seen = block
    scores = np.matmul(q[b, h, rows] * scale, k[b, h, seen].swapaxes(2, 3))
    if is_causal:
        scores += _causal(q, rows, seen.stop)
    elif bias is not None:
        scores += bias[b, h, rows]
    return scores


def _exponentials(scores: Any) -> tuple[Any, Any, Any]:
    """e^scores (written into them), its sums along the rows, and the logarithms of the sums.

    A row whose keys are all masked has zeros and the sum 1. The maximum is subtracted only where it must be.
    """
    ones = backend.array_module(scores).ones((scores.shape[-1], 1), scores.dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        e = np.exp(scores)
        sums = np.matmul(e, ones)
        if not (sums.min() > 1e-3 and sums.max() < 1e7):  # (nor with a NaN)
            largest = scores.max(axis=-1, keepdims=True)
            largest = np.where(largest == -math.inf, 0.0, largest).astype(scores.dtype)
            e = np.exp(scores - largest)
            sums = np.matmul(e, ones)
            sums = np.where(sums == 0, 1.0, sums).astype(scores.dtype)
            return e, sums, np.log(sums) + largest
    return e, sums, np.log(sums)


def _like_heads(x: Any, shape: tuple[int, ...]) -> Any:
    """Memory for (batch, heads, rows, width) in which an example's rows lie together, as the layers around expect."""
    batch, heads, rows, width = shape
    return backend.array_module(x).empty((batch, rows, heads, width), x.dtype).swapaxes(1, 2)


def _wide(*arrays: Any) -> list[Any]:
    return [x.astype(np.float32) if x is not None and x.dtype == np.float16 else x for x in arrays]


def _rule(
    g: Any, needs: Any, query: Any, key: Any, value: Any, bias: Any, scale: Any, is_causal: Any, out: Any, logs: Any
) -> Any:
    return _gradients(g, query, key, value, bias, scale, is_causal, out, logs)


def _composed(query: Any, key: Any, value: Any, bias: Any, scale: float, is_causal: bool) -> Any:
    """What the fused operation computes, from operations."""
    if is_causal:
        bias = wrap(_causal(query.array, slice(0, query.shape[-2]), key.shape[-2]))
    return matmul(weights(query, key, bias, scale), value)


def weights(query: Any, key: Any, bias: Any, scale: float) -> Any:
    """softmax(query keyᵀ · scale + bias) along the keys; 0 where all of a row is masked."""
    scores = matmul(query * scale, transpose(key, -2, -1))
    if bias is None:
        return softmax(scores, -1)
    scores = scores + bias
    masked = (scores.detach().array == -math.inf).all(axis=-1, keepdims=True)
    return (
        where(wrap(masked), 0.0, softmax(where(wrap(masked), 0.0, scores), -1)) if masked.any() else softmax(scores, -1)
    )


def _causal(like: Any, rows: slice, keys: int) -> Any:
    """-inf for each key behind its query, else 0, for some rows of queries."""
    module = backend.array_module(like)
    behind = module.arange(rows.start, rows.stop)[:, None] < module.arange(keys)
    return np.where(behind, -math.inf, 0.0).astype(like.dtype)


def _small_causal(q: Any, k: Any, bias: Any, is_causal: bool) -> tuple[Any, bool]:
    """The causal mask as a bias, made once, where all queries of a head fit in a block."""
    (batch, heads, queries), keys = q.shape[:3], k.shape[2]
    if not is_causal or queries * keys > _WEIGHTS:
        return bias, is_causal
    mask = _causal(q, slice(0, queries), keys)
    return backend.broadcast_to(mask, (batch, heads, queries, keys)), False


@operation("scaled_dot_product_attention", joint=_rule, twin=_composed, query=None, key=None, value=None)
def _attention(query: Any, key: Any, value: Any, bias: Any, scale: float, is_causal: bool) -> Any:
    """Of arrays (batch, heads, rows, width), the bias a view of (batch, heads, queries, keys)."""
    q, k, v, bias = _wide(query, key, value, bias)
    bias, is_causal = _small_causal(q, k, bias, is_causal)
    out = _like_heads(q, (*q.shape[:3], v.shape[3]))
    logs = backend.array_module(q).empty((*q.shape[:3], 1), q.dtype)
    if k.shape[2] == 0:
        out[...] = 0
    whole = type(q) is not backend.HOST
    for block in _blocks(q.shape, k.shape[2], is_causal, whole):
        b, h, rows, seen = block
        e, sums, logs[b, h, rows] = _exponentials(_scores(q, k, bias, block, scale, is_causal))
        out[b, h, rows] = np.matmul(e, v[b, h, seen]) / sums
    return keep(out if out.dtype == query.dtype else out.astype(query.dtype), logs=logs)


@operation("attention_gradients")
def _gradients(
    g: Any, query: Any, key: Any, value: Any, bias: Any, scale: float, is_causal: bool, out: Any, logs: Any
) -> Any:
    """The gradients of the queries, the keys and the values, with the weights e^(scores - logs) of each block."""
    g, q, k, v, bias, out = _wide(g, query, key, value, bias, out)
    bias, is_causal = _small_causal(q, k, bias, is_causal)
    of_q, of_k, of_v = (_like_heads(x, x.shape) for x in (q, k, v))
    if q.shape[2] == 0 or k.shape[2] == 0:
        of_q[...] = of_k[...] = of_v[...] = 0
    for block in _blocks(q.shape, k.shape[2], is_causal, type(q) is not backend.HOST):
        b, h, rows, seen = block
        scores = _scores(q, k, bias, block, scale, is_causal)
        scores -= logs[b, h, rows]
        weight = np.exp(scores)
        upstream = g[b, h, rows]
        through = np.matmul(upstream, v[b, h, seen].swapaxes(2, 3))
        through -= (upstream * out[b, h, rows]).sum(axis=3, keepdims=True)
        through *= weight
        of_q[b, h, rows] = np.matmul(through, k[b, h, seen]) * scale
        for whole, part in (
            (of_v, np.matmul(weight.swapaxes(2, 3), upstream)),
            (of_k, np.matmul(through.swapaxes(2, 3), q[b, h, rows] * scale)),
        ):
            if rows.start == 0:
                whole[b, h, seen] = part
                whole[b, h, seen.stop :] = 0
            else:
                whole[b, h, seen] += part
    return tuple([part.astype(x.dtype) for part, x in zip((of_q, of_k, of_v), (query, key, value), strict=True)])


# --- what the user hands in

_NAME = "scaled_dot_product_attention"


def attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any,
    is_causal: bool,
    scale: float | None,
    enable_gqa: bool,
    drop: Callable[[Any], Any] | None,
) -> Any:
    """`scaled_dot_product_attention` with a function that leaves out weights, or None."""
    _check(query, key, value, attn_mask, is_causal)
    if enable_gqa:
        key, value = _repeated(query, key), _repeated(query, value)
    scale = 1 / math.sqrt(query.shape[-1] or 1) if scale is None else scale
    lead = _leading(query, key, value)
    bias = None if attn_mask is None else _bias(attn_mask, query, key, lead)
    if drop is not None or (bias is not None and bias.requires_grad):
        if is_causal:
            bias = wrap(_causal(query.array, slice(0, query.shape[-2]), key.shape[-2]))
        found = weights(query, key, bias, scale)
        return matmul(found if drop is None else drop(found), value)
    q, k, v = (_as_four(x, lead) for x in (query, key, value))
    if bias is not None:
        bias = _as_four(expand(bias, (*lead, query.shape[-2], key.shape[-2])), lead)
    out = _attention(q, k, v, bias, scale, bool(is_causal))
    if len(lead) == 2:
        return out
    return reshape(out, (*lead, *out.shape[2:])) if len(lead) > 2 else squeeze(out, 0) if lead else squeeze(out, (0, 1))


def _as_four(x: Any, lead: tuple[int, ...]) -> Any:
    """(batch, heads, rows, width) of (..., rows, width)."""
    if tuple(x.shape[:-2]) != lead:
        x = expand(x, (*lead, *x.shape[-2:]))
    if len(lead) == 2:
        return x
    if len(lead) > 2:
        return reshape(x, (math.prod(lead[:-1]), *x.shape[-3:]))
    return unsqueeze(x, 0) if lead else unsqueeze(unsqueeze(x, 0), 0)


def _check(query: Any, key: Any, value: Any, attn_mask: Any, is_causal: bool) -> None:
    given = {"query": query, "key": key, "value": value}
    for argument, x in given.items():
        if not isinstance(x, Tensor):
            raise ArgumentTypeError(f"{_NAME}: {argument} must be a Tensor, not {type(x).__name__}")
    if len({type(x.array) for x in given.values()}) > 1:
        raise explain(_NAME, given, given.values(), TypeError("mixed devices"))
    came = ", ".join(f"{argument} {x.dtype} {tuple(x.shape)}" for argument, x in given.items())
    if len({x.dtype for x in given.values()}) > 1 or not query.is_floating_point():
        raise DtypeError(
            f"{_NAME}: all must have one floating dtype, {came} came; convert them, for example with .to()"
        )
    if min(x.ndim for x in given.values()) < 2:
        raise ShapeError(f"{_NAME}: each must have rows, (..., length, width); {came} came")
    if query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        raise ShapeError(
            f"{_NAME}: query (..., L, E), key (..., S, E) and value (..., S, Ev) are needed: queries and keys of one "
            f"width, as many keys as values; {came} came"
        )
    if attn_mask is not None and is_causal:
        raise ArgumentError(f"{_NAME}: is_causal=True is a mask, so attn_mask must be None; join both in one mask")
    if attn_mask is not None and attn_mask.dtype != query.dtype and attn_mask.array.dtype.kind != "b":
        raise DtypeError(f"{_NAME}: attn_mask is {attn_mask.dtype}, it must be bool or the query's {query.dtype}")


def _repeated(query: Any, x: Any) -> Any:
    """Each head of x as often as there are queries for it."""
    if query.ndim < 3 or x.ndim < 3 or x.shape[-3] == 0 or query.shape[-3] % x.shape[-3]:
        raise ShapeError(
            f"{_NAME}: with enable_gqa the heads of keys and values must divide the queries'; query "
            f"{tuple(query.shape)} and {tuple(x.shape)} came"
        )
    times = query.shape[-3] // x.shape[-3]
    return x if times == 1 else repeat_interleave(x, times, -3)


def _leading(query: Any, key: Any, value: Any) -> tuple[int, ...]:
    """The dimensions in front of rows, in which the three broadcast."""
    shapes = [tuple(x.shape[:-2]) for x in (query, key, value)]
    if shapes[0] == shapes[1] == shapes[2]:
        return shapes[0]
    try:
        return tuple(np.broadcast_shapes(*shapes))
    except ValueError:
        raise ShapeError(
            f"{_NAME}: the dimensions before the rows must broadcast, {shapes[0]}, {shapes[1]} and {shapes[2]} came"
        ) from None


def _bias(attn_mask: Any, query: Any, key: Any, lead: tuple[int, ...]) -> Any:
    """What is added to the scores: -inf where a mask of bools is False."""
    full = (*lead, query.shape[-2], key.shape[-2])
    try:
        fits = np.broadcast_shapes(tuple(attn_mask.shape), full) == full
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(f"{_NAME}: attn_mask {tuple(attn_mask.shape)} must broadcast to (..., L, S), here {full}")
    if attn_mask.array.dtype.kind != "b":
        return attn_mask
    return wrap(np.where(attn_mask.array, 0.0, -math.inf).astype(query.array.dtype))
