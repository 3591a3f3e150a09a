"""Two encoders, one of them used twice, a learnt temperature that is clamped, half of the parts shared."""

import torch
import torch.nn.functional as F
from torch import nn


class Tower(nn.Module):
    def __init__(self, inputs, shared):
        super().__init__()
        self.embed = nn.EmbeddingBag(inputs, 5, mode="mean")
        self.shared = shared
        self.proj = nn.Linear(4, 3, bias=False)

    def forward(self, index):
        return F.normalize(self.proj(self.shared(self.embed(index))), dim=-1)


class TwoTowers(nn.Module):
    def __init__(self):
        super().__init__()
        trunk = nn.Sequential(nn.Linear(5, 4), nn.LeakyReLU(0.2))
        self.left, self.right = Tower(7, trunk), Tower(9, trunk)
        self.logit_scale = nn.Parameter(torch.ones([]) * 2.5)

    def forward(self, left, right):
        with torch.no_grad():
            self.logit_scale.clamp_(0, 2.0)
        scores = self.logit_scale.exp() * self.left(left) @ self.right(right).t()
        target = torch.arange(scores.size(0))
        return scores, (F.cross_entropy(scores, target) + F.cross_entropy(scores.t(), target)) / 2


def build():
    return TwoTowers()


def inputs(rng):
    return rng.integers(0, 7, (4, 3)), rng.integers(0, 9, (4, 2))


def run(model, left, right):
    scores, loss = model(left, right)
    loss.backward()
    assert model.left.shared is model.right.shared
    once = sum(p.numel() for p in model.parameters())
    each = sum(p.numel() for _, p in model.named_parameters(remove_duplicate=False))
    return {"scores": scores, "loss": loss, "once": once, "each": each, "scale": model.logit_scale}
