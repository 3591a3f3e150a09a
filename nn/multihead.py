"""Attention with several heads, each of which compares and collects in a part of the width of its own."""

from __future__ import annotations

import math
from typing import Any

from tinygrad_dl.creation import empty, zeros
from tinygrad_dl.errors import ArgumentError, DtypeError, ShapeError
from tinygrad_dl.ops.joining import cat
from tinygrad_dl.tensor import Tensor

from . import init
from .functional import check_dropout, dropout, linear, pad, scaled_dot_product_attention, softmax
from .linear import NonDynamicallyQuantizableLinear
from .module import Module
from .parameter import Parameter


class MultiheadAttention(Module):
    """Attention in several heads: queries, keys and values are projected, attended to head by head, and joined again.

    The input projections start as Xavier's uniform, biases as 0.

    Arguments: embed_dim E; num_heads, which divide it; dropout of the weights, while training; bias, of the
    projections; add_bias_kv, whether a learnt key and value are added to the others; add_zero_attn, whether zeros are;
    kdim, vdim, the widths of keys and values if they are others; batch_first, (N, L, E) in place of (L, N, E); device,
    dtype. Source: notes, section 7; Vaswani et al., 2017.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> layer = nn.MultiheadAttention(8, 2, batch_first=True)
    >>> x = tg.randn(5, 3, 8)
    >>> output, weights = layer(x, x, x)
    >>> output.shape, weights.shape
    (tinygrad_dl.Size([5, 3, 8]), tinygrad_dl.Size([5, 3, 3]))
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0 or embed_dim % num_heads:
            raise ArgumentError(
                f"MultiheadAttention: num_heads {num_heads} must divide embed_dim {embed_dim}, and both be above 0"
            )
        super().__init__()
        check_dropout("MultiheadAttention", dropout)
        self.embed_dim, self.num_heads, self.head_dim = embed_dim, num_heads, embed_dim // num_heads
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == embed_dim == self.vdim
        self.dropout, self.batch_first, self.add_zero_attn = dropout, batch_first, add_zero_attn

        def made(there: bool, *shape: int) -> Parameter | None:
            return Parameter(empty(*shape, device=device, dtype=dtype)) if there else None

        packed = self._qkv_same_embed_dim
        for name, there, shape in (
            *(
                (f"{part}_proj_weight", not packed, (embed_dim, width))
                for part, width in (("q", embed_dim), ("k", self.kdim), ("v", self.vdim))
            ),
            ("in_proj_weight", packed, (3 * embed_dim, embed_dim)),
            ("in_proj_bias", bias, (3 * embed_dim,)),
        ):
            self.register_parameter(name, made(there, *shape))
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias, device, dtype)
        self.bias_k, self.bias_v = made(add_bias_kv, 1, 1, embed_dim), made(add_bias_kv, 1, 1, embed_dim)
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)
        if self.bias_k is not None and self.bias_v is not None:
            init.xavier_normal_(self.bias_k)
            init.xavier_normal_(self.bias_v)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """What each query collected, and the weights with which it did.

        Arguments: query (L, N, E), key (S, N, kdim), value (S, N, vdim), the first two dimensions exchanged with
        batch_first, without N for one example; key_padding_mask (N, S), True for keys to leave out, or numbers to add;
        need_weights (without them it is faster, and the second result None); attn_mask (L, S) or (N · heads, L, S),
        of the same kinds; average_attn_weights, over the heads; is_causal, says that attn_mask is the causal one.
        Results of the query's shape, and (N, L, S), or (N, heads, L, S) without an average. Raises ShapeError.
        """
        _check_inputs(self, query, key, value, key_padding_mask, attn_mask)
        if is_causal and attn_mask is None:
            raise ArgumentError(
                "MultiheadAttention: is_causal=True says that attn_mask is causal, so it is needed: "
                "nn.Transformer.generate_square_subsequent_mask(length)"
            )
        batched = query.ndim == 3
        q, k, v = self._projected(*_batch_first(query, key, value, self.batch_first))
        if not batched and key_padding_mask is not None:
            key_padding_mask = key_padding_mask.unsqueeze(0)
        causal = is_causal and key_padding_mask is None and not need_weights
        causal = causal and self.bias_k is None and not self.add_zero_attn
        mask = None if causal else self._mask(attn_mask, key_padding_mask, q, k.shape[1])
        k, v = self._longer(k, v)
        q, k, v = (x.reshape(x.shape[0], x.shape[1], self.num_heads, -1).transpose(1, 2) for x in (q, k, v))
        p = self.dropout if self.training else 0.0
        weights = None
        if need_weights:
            scores = (q * math.sqrt(1 / self.head_dim)) @ k.transpose(-2, -1)
            weights = dropout(softmax(scores if mask is None else scores + mask, -1), p)
            out = weights @ v
            weights = weights.mean(1) if average_attn_weights else weights
        else:
            out = scaled_dot_product_attention(q, k, v, mask, p, causal)
        out = self.out_proj(out.transpose(1, 2).reshape(out.shape[0], out.shape[2], self.embed_dim))
        if not batched:
            return out.squeeze(0), None if weights is None else weights.squeeze(0)
        return out if self.batch_first else out.transpose(0, 1), weights

    def _projected(self, query: Tensor, key: Tensor, value: Tensor) -> Any:
        """Queries, keys and values in the heads' width; in one product where they are the same tensor."""
        biases = (None,) * 3 if self.in_proj_bias is None else self.in_proj_bias.chunk(3)
        if not self._qkv_same_embed_dim:
            weights: Any = self.q_proj_weight, self.k_proj_weight, self.v_proj_weight
        elif query is key and key is value:
            return linear(query, self.in_proj_weight, self.in_proj_bias).chunk(3, -1)
        else:
            weights = self.in_proj_weight.chunk(3)
        return [linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases)]

    def _longer(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values with the learnt ones and the zeros behind them."""
        nothing = zeros(1, 1, self.embed_dim, device=k.device, dtype=k.dtype) if self.add_zero_attn else None
        for more_k, more_v in ((self.bias_k, self.bias_v), (nothing, nothing)):
            if more_k is not None and more_v is not None:
                k = cat([k, more_k.expand(k.shape[0], 1, -1)], 1)
                v = cat([v, more_v.expand(v.shape[0], 1, -1)], 1)
        return k, v

    def _mask(self, attn_mask: Any, key_padding_mask: Any, q: Tensor, keys: int) -> Tensor | None:
        """What is added to the scores (N, heads, L, S): both masks together, 0 for keys that were added."""
        length = q.shape[1]
        mask: Any = None
        if attn_mask is not None:
            mask = _added("attn_mask", attn_mask, q)
            if mask.ndim == 3 and mask.shape[0] != 1:
                mask = mask.reshape(q.shape[0], self.num_heads, length, keys)
        if key_padding_mask is not None:
            padding = _added("key_padding_mask", key_padding_mask, q).reshape(q.shape[0], 1, 1, keys)
            mask = padding if mask is None else mask + padding
        more = (self.bias_k is not None) + self.add_zero_attn
        return mask if mask is None or not more else pad(mask, (0, more))

    def extra_repr(self) -> str:
        """Nothing, as in PyTorch."""
        return ""


def _batch_first(query: Tensor, key: Tensor, value: Tensor, already: bool) -> tuple[Tensor, Tensor, Tensor]:
    """All as (N, length, width); what was one tensor stays one."""

    def turned(x: Tensor) -> Tensor:
        return x.unsqueeze(0) if x.ndim == 2 else x if already else x.transpose(0, 1)

    q = turned(query)
    k = q if key is query else turned(key)
    return q, k, k if value is key else turned(value)


def _added(name: str, mask: Tensor, like: Tensor) -> Tensor:
    """A mask as numbers to add: -inf where it is True."""
    if mask.is_floating_point():
        return mask
    if str(mask.dtype).rpartition(".")[2] != "bool":
        raise DtypeError(f"MultiheadAttention: {name} must be bool or floating, it is {mask.dtype}")
    return zeros(mask.shape, dtype=like.dtype, device=like.device).masked_fill(mask, -math.inf)


def _check_inputs(layer: Any, query: Any, key: Any, value: Any, key_padding_mask: Any, attn_mask: Any) -> None:
    """Raise unless the shapes fit each other and the layer."""
    came = f"query {tuple(query.shape)}, key {tuple(key.shape)} and value {tuple(value.shape)} came"
    order = "(N, length, width)" if layer.batch_first else "(length, N, width)"
    if query.ndim not in (2, 3) or not query.ndim == key.ndim == value.ndim:
        raise ShapeError(f"MultiheadAttention: all must be {order}, or (length, width) of one example; {came}")
    widths = (layer.embed_dim, layer.kdim, layer.vdim)
    if tuple(x.shape[-1] for x in (query, key, value)) != widths:
        raise ShapeError(f"MultiheadAttention: the widths must be {widths} of query, key and value; {came}")
    if key.shape[:-1] != value.shape[:-1]:
        raise ShapeError(f"MultiheadAttention: there must be as many values as keys; {came}")
    if query.ndim == 2:
        batch, length, keys = 1, query.shape[0], key.shape[0]
    else:
        at, along = (0, 1) if layer.batch_first else (1, 0)
        batch, length, keys = query.shape[at], query.shape[along], key.shape[along]
        if key.shape[at] != batch:
            raise ShapeError(f"MultiheadAttention: all must have one batch size, in {order}; {came}")
    if attn_mask is not None:
        fitting = [(length, keys), (batch * layer.num_heads, length, keys)]
        if tuple(attn_mask.shape) not in fitting:
            raise ShapeError(
                f"MultiheadAttention: attn_mask has shape {tuple(attn_mask.shape)}, it must be (L, S), here "
                f"{fitting[0]}, or (N · heads, L, S), here {fitting[1]}"
            )
    if key_padding_mask is not None:
        wanted = (batch, keys) if query.ndim == 3 else (keys,)
        if tuple(key_padding_mask.shape) != wanted:
            raise ShapeError(
                f"MultiheadAttention: key_padding_mask has shape {tuple(key_padding_mask.shape)}, it must be {wanted}: "
                "each example's keys"
            )
