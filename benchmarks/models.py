"""Models too long for a line of a workload, written once for PyTorch's interface."""

from __future__ import annotations

from typing import Any


def gpt(lib: Any, vocabulary: int, length: int, layers: int, heads: int, width: int) -> Any:
    """A language model of `layers` blocks of causal attention and a small network, norms first."""
    nn, functional = lib.nn, lib.nn.functional

    class Attention(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.attend, self.join = nn.Linear(width, 3 * width), nn.Linear(width, width)

        def forward(self, x: Any) -> Any:
            count, steps, _ = x.shape
            parts = self.attend(x).split(width, dim=2)
            q, k, v = (part.view(count, steps, heads, width // heads).transpose(1, 2) for part in parts)
            y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            return self.join(y.transpose(1, 2).contiguous().view(count, steps, width))

    class Block(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.norm1, self.attention, self.norm2 = nn.LayerNorm(width), Attention(), nn.LayerNorm(width)
            self.network = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

        def forward(self, x: Any) -> Any:
            x = x + self.attention(self.norm1(x))
            return x + self.network(self.norm2(x))

    class GPT(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.tokens, self.places = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
            self.blocks, self.norm = nn.Sequential(*[Block() for _ in range(layers)]), nn.LayerNorm(width)
            self.head = nn.Linear(width, vocabulary, bias=False)

        def forward(self, tokens: Any, targets: Any) -> Any:
            places = lib.arange(tokens.shape[1], device=tokens.device)
            x = self.norm(self.blocks(self.tokens(tokens) + self.places(places)))
            return functional.cross_entropy(self.head(x).view(-1, vocabulary), targets.view(-1))

    return GPT()
