"""A character model as PyTorch's users write one: a configuration, tied weights, groups for AdamW, generation."""

import math
from dataclasses import dataclass

import torch
import torch.nn as nn
from torch.nn import functional as F


@dataclass
class Settings:
    context: int = 8
    symbols: int = 11
    depth: int = 2
    heads: int = 2
    width: int = 16
    keep_all: bool = True  # no dropout
    bias: bool = True
    fused: bool = True


class Norm(nn.Module):
    """A layer norm that may go without its bias."""

    def __init__(self, width, bias):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width))
        self.register_parameter("shift", nn.Parameter(torch.zeros(width)) if bias else None)

    def forward(self, x):
        return F.layer_norm(x, self.gain.shape, self.gain, self.shift, 1e-5)


class Attend(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.s = s
        self.into, self.out = nn.Linear(s.width, 3 * s.width, bias=s.bias), nn.Linear(s.width, s.width, bias=s.bias)
        self.drop = nn.Dropout(0.0 if s.keep_all else 0.1)
        past = torch.ones(s.context, s.context, dtype=torch.bool).tril()
        self.register_buffer("past", past[None, None], persistent=False)

    def forward(self, x):
        n, t, w = x.size()
        q, k, v = (
            part.view(n, t, self.s.heads, w // self.s.heads).transpose(1, 2) for part in self.into(x).split(w, dim=2)
        )
        if self.s.fused:
            p = self.drop.p if self.training else 0.0
            y = F.scaled_dot_product_attention(q, k, v, dropout_p=p, is_causal=True)
        else:
            fit = (q @ k.transpose(-2, -1)) / math.sqrt(q.size(-1))
            fit = fit.masked_fill(~self.past[:, :, :t, :t], float("-inf"))
            y = self.drop(F.softmax(fit, dim=-1)) @ v
        return self.drop(self.out(y.transpose(1, 2).contiguous().view(n, t, w)))


class Layer(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.before, self.attend, self.between = Norm(s.width, s.bias), Attend(s), Norm(s.width, s.bias)
        self.think = nn.Sequential(
            nn.Linear(s.width, 4 * s.width, bias=s.bias), nn.GELU(), nn.Linear(4 * s.width, s.width, bias=s.bias)
        )

    def forward(self, x):
        x = x + self.attend(self.before(x))
        return x + self.think(self.between(x))


class GPT(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.s = s
        self.body = nn.ModuleDict(
            {"symbols": nn.Embedding(s.symbols, s.width), "places": nn.Embedding(s.context, s.width)}
        )
        self.body["layers"] = nn.ModuleList(Layer(s) for _ in range(s.depth))
        self.body["norm"] = Norm(s.width, s.bias)
        self.head = nn.Linear(s.width, s.symbols, bias=False)
        self.head.weight = self.body["symbols"].weight  # tied
        self.apply(self.start)

    @staticmethod
    def start(module):
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=0.02)
        if getattr(module, "bias", None) is not None:
            nn.init.zeros_(module.bias)

    def forward(self, symbols, following=None):
        places = torch.arange(symbols.size(1), dtype=torch.long, device=symbols.device)
        x = self.body.symbols(symbols) + self.body.places(places)
        for layer in self.body.layers:
            x = layer(x)
        logits = self.head(self.body.norm(x))
        if following is None:
            return logits
        return F.cross_entropy(logits.view(-1, logits.size(-1)), following.reshape(-1), ignore_index=-1)

    def optimizer(self, lr, decay):
        matrices = [p for p in self.parameters() if p.dim() > 1]
        vectors = [p for p in self.parameters() if p.dim() <= 1]
        groups = [dict(params=matrices, weight_decay=decay), dict(params=vectors, weight_decay=0.0)]  # noqa: C408
        return torch.optim.AdamW(groups, lr=lr, betas=(0.9, 0.95))

    @torch.no_grad()
    def write(self, symbols, count, best):
        """Append the likeliest of the `best` symbols, again and again."""
        for _ in range(count):
            last = self(symbols[:, -self.s.context :])[:, -1]
            least = torch.topk(last, best).values[:, [-1]]
            last[last < least] = -float("inf")
            symbols = torch.cat((symbols, F.softmax(last, dim=-1).argmax(-1, keepdim=True)), dim=1)
        return symbols
