"""Attention as a function: of one head, and of several between their projections."""

from __future__ import annotations

import math
import warnings
from typing import Any, NamedTuple

from tinygrad_dl.creation import zeros
from tinygrad_dl.errors import ArgumentError, DtypeError, ShapeError
from tinygrad_dl.ops.attention import attention as _attention
from tinygrad_dl.ops.joining import cat
from tinygrad_dl.ops.linalg import linear
from tinygrad_dl.ops.padding import pad
from tinygrad_dl.ops.softmax import softmax
from tinygrad_dl.tensor import Tensor

from .dropping import check_dropout, dropout


class HeadsError(ShapeError, DtypeError, AssertionError):
    """What does not fit attention in several heads."""


class Heads(NamedTuple):
    """Their parameters, what stands in place of keys or behind them, and the name that errors begin with."""

    name: str
    batch_first: bool
    width: int
    number: int
    in_weight: Any  # of all three projections together, or in `separate` of each
    in_bias: Any
    separate: Any
    bias_k: Any
    bias_v: Any
    add_zero_attn: bool
    out_weight: Any
    out_bias: Any
    static_k: Any = None
    static_v: Any = None


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(query keyᵀ · scale + mask) value: means of the values, weighted by how well their keys fit the query.

    Arguments: query (..., L, E), key (..., S, E), value (..., S, Ev), whose leading dimensions broadcast; attn_mask,
    broadcast to (..., L, S): bools, of which True takes part, or numbers to add; dropout_p, with which weights are left
    out (whether training or not); is_causal, no query sees keys behind its own place; scale (None: 1/√E); enable_gqa,
    keys and values have fewer heads than queries, by a whole factor. Returns (..., L, Ev); zeros for a query that sees
    no key. Raises ShapeError, DtypeError, ArgumentError. Source: Vaswani et al., 2017; Dao et al., 2022.

    >>> import tinygrad_dl as tg
    >>> import tinygrad_dl.nn.functional as F
    >>> x = tg.eye(2).reshape(1, 2, 2)
    >>> F.scaled_dot_product_attention(x, x, x, is_causal=True)
    tensor([[[1.0000, 0.0000],
             [0.3302, 0.6698]]])
    """
    check_dropout("scaled_dot_product_attention", dropout_p)
    drop = (lambda weights: dropout(weights, dropout_p)) if dropout_p > 0 else None
    return _attention(query, key, value, attn_mask, is_causal, scale, enable_gqa, drop)


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """What each query collected in several heads, projected, and the weights with which it did.

    `nn.MultiheadAttention` is this with parameters of its own. With heads of width E / H, for each of them
    softmax(q kᵀ / √(E / H) + masks) v of the projections q, k, v; the heads side by side are projected once more.

    Arguments: query (L, N, E), key and value (S, N, widths), or all without N; embed_dim_to_check E; num_heads H, which
    divides it; in_proj_weight (3 E, E), those for queries, keys and values together; in_proj_bias (3 E) or None;
    bias_k, bias_v (1, 1, E), a key and a value that are added, or None; add_zero_attn, whether zeros are; dropout_p of
    the weights, while training; out_proj_weight (E, E), out_proj_bias (E) or None; key_padding_mask (N, S), True for
    keys to leave out, or numbers to add; need_weights (without them it is faster, and the second result None);
    attn_mask (L, S) or (N · H, L, S), of the same kinds; use_separate_proj_weight, whether q_proj_weight (E, E),
    k_proj_weight and v_proj_weight (E, width) are taken in place of in_proj_weight; static_k, static_v
    (N · H, S, E / H), keys and values that were projected already; average_attn_weights, over the heads; is_causal,
    says that attn_mask is the causal one. Results (L, N, E) and (N, L, S), or (N, H, L, S) without an average.
    Raises ShapeError, DtypeError, ArgumentError. Source: notes, section 7; Vaswani et al., 2017.

    >>> import tinygrad_dl as tg
    >>> x, w = tg.tensor([[2.0], [3.0]]), tg.tensor([[0.0], [0.0], [1.0]])
    >>> rest = (None, None, None, False, 0.0, tg.ones(1, 1), None)
    >>> tg.nn.functional.multi_head_attention_forward(x, x, x, 1, 1, w, *rest, need_weights=False)[0]
    tensor([[2.5000],
            [2.5000]])
    """
    separate = (q_proj_weight, k_proj_weight, v_proj_weight) if use_separate_proj_weight else None
    heads = Heads(
        "multi_head_attention_forward", False, embed_dim_to_check, num_heads, in_proj_weight, in_proj_bias, separate,
        bias_k, bias_v, add_zero_attn, out_proj_weight, out_proj_bias, static_k, static_v,
    )  # fmt: skip
    p = dropout_p if training else 0.0
    return attend(
        heads, query, key, value, p, key_padding_mask, need_weights, attn_mask, average_attn_weights, is_causal
    )


def attend(
    heads: Heads,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    dropout_p: float,
    key_padding_mask: Tensor | None,
    need_weights: bool,
    attn_mask: Tensor | None,
    average_attn_weights: bool,
    is_causal: bool,
) -> tuple[Tensor, Tensor | None]:
    """As `multi_head_attention_forward`; with batch_first, the first two dimensions are exchanged."""
    _check_heads(heads)
    batch, length = _check_inputs(heads, query, key, value)
    if is_causal and attn_mask is None:
        raise ArgumentError(
            f"{heads.name}: is_causal=True says that attn_mask is causal, so it is needed: "
            "nn.Transformer.generate_square_subsequent_mask(length)"
        )
    q, k, v = _projected(heads, *_batch_first(query, key, value, heads.batch_first))
    k, v, added = _keys_and_values(heads, k, v, batch)
    q = _split(q, heads.number)
    causal = is_causal and key_padding_mask is None and not need_weights and not added
    mask = None if causal else _mask(heads, attn_mask, key_padding_mask, q, k.shape[2], added)
    weights = None
    if need_weights:
        scores = (q * math.sqrt(heads.number / heads.width)) @ k.transpose(-2, -1)
        weights = dropout(softmax(scores if mask is None else scores + mask, -1), dropout_p)
        out = weights @ v
        weights = weights.mean(1) if average_attn_weights else weights
    else:
        out = scaled_dot_product_attention(q, k, v, mask, dropout_p, causal)
    out = linear(out.transpose(1, 2).reshape(batch, length, heads.width), heads.out_weight, heads.out_bias)
    if query.ndim == 2:
        return out.squeeze(0), None if weights is None else weights.squeeze(0)
    return out if heads.batch_first else out.transpose(0, 1), weights


# --- the steps


def _batch_first(query: Tensor, key: Tensor, value: Tensor, already: bool) -> tuple[Tensor, Tensor, Tensor]:
    """All as (N, length, width); what was one tensor stays one."""

    def turned(x: Tensor) -> Tensor:
        return x.unsqueeze(0) if x.ndim == 2 else x if already else x.transpose(0, 1)

    q = turned(query)
    k = q if key is query else turned(key)
    return q, k, q if value is query else k if value is key else turned(value)


def _projected(heads: Heads, query: Tensor, key: Tensor, value: Tensor) -> Any:
    """Queries, keys and values in the heads' width; in one product what is the same tensor."""
    bias = heads.in_bias
    if heads.separate is None:
        if query is key and key is value:
            return linear(query, heads.in_weight, bias).chunk(3, -1)
        if key is value:
            parts = [heads.width, 2 * heads.width]
            own, others = heads.in_weight.split(parts)
            b, bs = (None, None) if bias is None else bias.split(parts)
            return linear(query, own, b), *linear(key, others, bs).chunk(2, -1)
    weights = heads.in_weight.chunk(3) if heads.separate is None else heads.separate
    biases = (None,) * 3 if bias is None else bias.chunk(3)
    return [linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases)]


def _split(x: Tensor, count: int) -> Tensor:
    """(N, length, width) as (N, heads, length, width of a head)."""
    return x.reshape(x.shape[0], x.shape[1], count, -1).transpose(1, 2)


def _keys_and_values(heads: Heads, k: Tensor, v: Tensor, batch: int) -> tuple[Tensor, Tensor, int]:
    """Keys and values of the heads, learnt ones and zeros behind them, and how many of these there are."""
    found = []
    for x, static, more in ((k, heads.static_k, heads.bias_k), (v, heads.static_v, heads.bias_v)):
        if more is not None:
            x = cat([x, more.expand(batch, 1, heads.width)], 1)
        x = _split(x, heads.number) if static is None else static.unflatten(0, (batch, heads.number))
        if heads.add_zero_attn:
            x = cat([x, zeros(batch, heads.number, 1, x.shape[3], device=x.device, dtype=x.dtype)], 2)
        found.append(x)
    return found[0], found[1], (heads.bias_k is not None) + bool(heads.add_zero_attn)


def _mask(heads: Heads, attn_mask: Any, key_padding_mask: Any, q: Tensor, keys: int, added: int) -> Tensor | None:
    """What is added to the scores (N, heads, L, S): both masks together, 0 for keys that were added."""
    batch, count, length, _ = q.shape
    keys -= added
    _check_masks(heads, attn_mask, key_padding_mask, batch, length, keys)
    mask: Any = None
    if attn_mask is not None:
        mask = _numbers(heads, "attn_mask", attn_mask, q)
        if mask.ndim == 3:
            mask = mask.reshape(batch, count, length, keys)
    if key_padding_mask is not None:
        padding = _numbers(heads, "key_padding_mask", key_padding_mask, q).reshape(batch, 1, 1, keys)
        mask = padding if mask is None else mask + padding
    if mask is not None and mask.dtype != q.dtype:
        raise HeadsError(f"{heads.name}: masks of numbers must be of the query's dtype, {q.dtype}; {mask.dtype} came")
    return pad(mask, (0, added)) if mask is not None and added else mask


def _numbers(heads: Heads, argument: str, mask: Tensor, like: Tensor) -> Tensor:
    """A mask as numbers to add: -inf where it is True."""
    if mask.is_floating_point():
        return mask
    if str(mask.dtype).rpartition(".")[2] != "bool":
        raise HeadsError(f"{heads.name}: {argument} must be bool or floating, it is {mask.dtype}")
    return zeros(mask.shape, dtype=like.dtype, device=like.device).masked_fill(mask, -math.inf)


# --- what came in


def _check_heads(heads: Heads) -> None:
    """Raise unless the parameters go together."""
    name, width, count = heads.name, heads.width, heads.number
    if count < 1 or width % count:
        raise HeadsError(f"{name}: num_heads {count} must divide the width {width}")
    missing = heads.in_weight is None if heads.separate is None else any(w is None for w in heads.separate)
    if missing:
        wanted = "in_proj_weight" if heads.separate is None else "q_proj_weight, k_proj_weight and v_proj_weight"
        raise HeadsError(f"{name}: {wanted} can't be None with use_separate_proj_weight={heads.separate is not None}")
    if heads.separate is None and tuple(heads.in_weight.shape) != (3 * width, width):
        raise HeadsError(
            f"{name}: in_proj_weight must be {(3 * width, width)}, three matrices; {tuple(heads.in_weight.shape)} came"
        )
    if (heads.bias_k is None) != (heads.bias_v is None):
        raise HeadsError(f"{name}: bias_k and bias_v come together, or both are None")
    if heads.bias_k is not None and (heads.static_k is not None or heads.static_v is not None):
        raise HeadsError(f"{name}: bias_k and bias_v can't be added to static_k or static_v")


def _check_inputs(heads: Heads, query: Any, key: Any, value: Any) -> tuple[int, int]:
    """The batch size and the number of queries. Raise unless the shapes fit each other and the heads."""
    name, width = heads.name, heads.width
    came = f"query {tuple(query.shape)}, key {tuple(key.shape)} and value {tuple(value.shape)} came"
    order = "(N, length, width)" if heads.batch_first else "(length, N, width)"
    if query.ndim not in (2, 3) or not query.ndim == key.ndim == value.ndim:
        raise HeadsError(f"{name}: all must be {order}, or (length, width) of one example; {came}")
    found = tuple([x.shape[-1] for x in (query, key, value)])
    widths = (width,) * 3 if heads.separate is None else tuple([w.shape[-1] for w in heads.separate])
    if found != widths or widths[0] != width:
        raise HeadsError(f"{name}: the widths must be {(width, *widths[1:])} of query, key and value; {came}")
    if key.shape[:-1] != value.shape[:-1]:
        raise HeadsError(f"{name}: there must be as many values as keys; {came}")
    if query.ndim == 2:
        batch, length = 1, query.shape[0]
    else:
        at = 0 if heads.batch_first else 1
        batch, length = query.shape[at], query.shape[1 - at]
        if key.shape[at] != batch:
            raise HeadsError(f"{name}: all must have one batch size, in {order}; {came}")
    for argument, static in (("static_k", heads.static_k), ("static_v", heads.static_v)):
        wanted = batch * heads.number, width // heads.number
        if static is not None and (static.ndim != 3 or (static.shape[0], static.shape[2]) != wanted):
            raise HeadsError(
                f"{name}: {argument} must be (N · heads, S, width of a head), here ({wanted[0]}, S, {wanted[1]}); "
                f"{tuple(static.shape)} came"
            )
    return batch, length


def _check_masks(heads: Heads, attn_mask: Any, key_padding_mask: Any, batch: int, length: int, keys: int) -> None:
    """Raise for masks that don't fit; warn, as PyTorch does, if only one of them is of bools."""
    if attn_mask is not None:
        fitting = [(length, keys), (batch * heads.number, length, keys)]
        if tuple(attn_mask.shape) not in fitting:
            raise HeadsError(
                f"{heads.name}: attn_mask has shape {tuple(attn_mask.shape)}, it must be (L, S), here {fitting[0]}, "
                f"or (N · heads, L, S), here {fitting[1]}"
            )
    if key_padding_mask is not None:
        wanted = (batch, keys)
        if tuple(key_padding_mask.shape) not in (wanted, (keys,) if batch == 1 else wanted):
            raise HeadsError(
                f"{heads.name}: key_padding_mask has shape {tuple(key_padding_mask.shape)}, it must be {wanted}: each "
                "example's keys"
            )
        if attn_mask is not None and attn_mask.dtype != key_padding_mask.dtype:
            warnings.warn(
                f"{heads.name}: key_padding_mask is {key_padding_mask.dtype} and attn_mask {attn_mask.dtype}; PyTorch "
                "is about to demand one dtype of both",
                UserWarning,
                stacklevel=4,
            )
