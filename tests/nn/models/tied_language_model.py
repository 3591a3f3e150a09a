"""A language model in one file: causal attention by hand, a mask as a buffer, the head's weight tied."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass
class Config:
    vocabulary: int = 11
    block: int = 6
    width: int = 8
    heads: int = 2
    layers: int = 2


class RootMeanSquareNorm(nn.Module):
    def __init__(self, width, eps=1e-6):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) * self.weight


class CausalAttention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.heads = config.heads
        self.qkv = nn.Linear(config.width, 3 * config.width, bias=False)
        self.proj = nn.Linear(config.width, config.width)
        mask = torch.tril(torch.ones(config.block, config.block)).view(1, 1, config.block, config.block)
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, x):
        b, t, c = x.size()
        q, k, v = self.qkv(x).split(c, dim=2)
        q, k, v = (part.view(b, t, self.heads, c // self.heads).transpose(1, 2) for part in (q, k, v))
        weights = (q @ k.transpose(-2, -1)) / math.sqrt(k.size(-1))
        weights = F.softmax(weights.masked_fill(self.mask[:, :, :t, :t] == 0, float("-inf")), dim=-1)
        return self.proj((weights @ v).transpose(1, 2).contiguous().view(b, t, c))


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.norm1, self.norm2 = RootMeanSquareNorm(config.width), RootMeanSquareNorm(config.width)
        self.attention = CausalAttention(config)
        self.mlp = nn.ModuleDict(
            {
                "up": nn.Linear(config.width, 4 * config.width),
                "act": nn.GELU(),
                "down": nn.Linear(4 * config.width, config.width),
            }
        )

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        h = self.norm2(x)
        for layer in self.mlp.values():
            h = layer(h)
        return x + h


class LanguageModel(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.transformer = nn.ModuleDict(
            {
                "tokens": nn.Embedding(config.vocabulary, config.width),
                "positions": nn.Embedding(config.block, config.width),
                "blocks": nn.ModuleList([Block(config) for _ in range(config.layers)]),
                "norm": RootMeanSquareNorm(config.width),
            }
        )
        self.head = nn.Linear(config.width, config.vocabulary, bias=False)
        self.transformer.tokens.weight = self.head.weight

    def num_params(self):
        return sum(p.numel() for p in self.parameters()) - self.transformer.positions.weight.numel()

    def forward(self, index, targets=None):
        t = index.size(1)
        x = self.transformer.tokens(index) + self.transformer.positions(torch.arange(t))
        for block in self.transformer.blocks:
            x = block(x)
        logits = self.head(self.transformer.norm(x))
        if targets is None:
            return logits
        return logits, F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1), ignore_index=-1)

    @torch.no_grad()
    def generate(self, index, steps):
        for _ in range(steps):
            logits = self(index[:, -self.config.block :])[:, -1, :]
            index = torch.cat([index, logits.argmax(-1, keepdim=True)], dim=1)
        return index


def build():
    return LanguageModel(Config())


def inputs(rng):
    targets = rng.integers(0, 11, (2, 6))
    targets[0, :2] = -1
    return rng.integers(0, 11, (2, 6)), targets


def run(model, index, targets):
    logits, loss = model(index, targets)
    loss.backward()
    assert model.transformer["tokens"].weight is model.head.weight
    return {"logits": logits, "loss": loss, "text": model.generate(index[:, :2], 5), "size": model.num_params()}
