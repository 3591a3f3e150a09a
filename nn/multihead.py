"""Attention with several heads, each of which compares and collects in a part of the width of its own."""

from __future__ import annotations

from typing import Any

from tinygrad_dl.creation import empty
from tinygrad_dl.errors import ArgumentError
from tinygrad_dl.tensor import Tensor

from . import init
from .attending import Heads, attend
from .dropping import check_dropout
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
        weights = None if self._qkv_same_embed_dim else (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        heads = Heads(
            "MultiheadAttention", self.batch_first, self.embed_dim, self.num_heads, self.in_proj_weight,
            self.in_proj_bias, weights, self.bias_k, self.bias_v, self.add_zero_attn, self.out_proj.weight,
            self.out_proj.bias,
        )  # fmt: skip
        p = self.dropout if self.training else 0.0
        return attend(
            heads, query, key, value, p, key_padding_mask, need_weights, attn_mask, average_attn_weights, is_causal
        )

    def extra_repr(self) -> str:
        """Nothing, as in PyTorch."""
        return ""
