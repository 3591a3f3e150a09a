"""Adapters of low rank: layers found by their kind, replaced in their parents, merged back afterwards."""

import math

import torch
from torch import nn


class LowRank(nn.Module):
    def __init__(self, base, rank=2, alpha=4):
        super().__init__()
        self.base = base
        for parameter in self.base.parameters():
            parameter.requires_grad_(False)
        self.down = nn.Parameter(torch.empty(rank, base.in_features))
        self.up = nn.Parameter(torch.zeros(base.out_features, rank))
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))
        nn.init.constant_(self.up, 0.05)
        self.scaling = alpha / rank

    def forward(self, x):
        return self.base(x) + (x @ self.down.T @ self.up.T) * self.scaling

    def merged(self):
        self.base.weight.data += self.up.data @ self.down.data * self.scaling
        return self.base


def adapt(model, names):
    for path, module in list(model.named_modules()):
        if isinstance(module, nn.Linear) and path.rsplit(".", 1)[-1] in names:
            parent = model.get_submodule(path.rpartition(".")[0])
            setattr(parent, path.rpartition(".")[2], LowRank(module))
    return model


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.value, self.out = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        return self.out(torch.sigmoid(self.query(x)) * self.value(x))


def build():
    return adapt(nn.Sequential(Layer(), Layer()), {"query", "value"})


def inputs(rng):
    return (rng.standard_normal((5, 4)),)


def run(model, x):
    y = model(x)
    y.pow(2).sum().backward()
    learnt = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert len(learnt) == 2 * (2 + 2 + 2) and model.get_parameter("0.query.up").grad is not None
    before = y.detach()
    for path, module in list(model.named_modules()):
        if isinstance(module, LowRank):
            model.set_submodule(path, module.merged())
    assert not any(isinstance(module, LowRank) for module in model.modules())
    return {"y": y, "merged": model(x), "distance": (model(x) - before).abs().max() < 1e-9}
