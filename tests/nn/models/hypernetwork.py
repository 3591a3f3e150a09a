"""Weights made by another network: a module called with generated parameters, and adapted by gradient steps."""

import torch
from torch import nn
from torch.func import functional_call


class Hyper(nn.Module):
    def __init__(self):
        super().__init__()
        self.target = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)).requires_grad_(False)
        self.shapes = {name: p.shape for name, p in self.target.named_parameters()}
        self.heads = nn.ModuleDict(
            {name.replace(".", "_"): nn.Linear(4, shape.numel()) for name, shape in self.shapes.items()}
        )
        self.gains = nn.ParameterDict({name.replace(".", "_"): torch.ones(1) for name in self.shapes})

    def forward(self, task, x):
        made = {}
        for name, shape in self.shapes.items():
            key = name.replace(".", "_")
            made[name] = (self.heads[key](task) * self.gains[key]).view(shape)
        return functional_call(self.target, made, (x,))


def build():
    return Hyper()


def inputs(rng):
    return rng.standard_normal(4), rng.standard_normal((5, 2)), rng.standard_normal((5, 1))


def adapted(model, x, y, rate=0.1):
    weights = {name: p.detach().clone().requires_grad_() for name, p in model.target.named_parameters()}
    loss = nn.functional.mse_loss(functional_call(model.target, weights, x), y)
    slopes = torch.autograd.grad(loss, list(weights.values()), create_graph=True)
    faster = {name: w - rate * g for (name, w), g in zip(weights.items(), slopes)}
    return nn.functional.mse_loss(functional_call(model.target, faster, x), y), weights


def run(model, task, x, y):
    before = [p.clone() for p in model.target.parameters()]
    out = model(task, x)
    nn.functional.mse_loss(out, y).backward()
    loss, weights = adapted(model, x, y)
    loss.backward()
    assert all(torch.equal(a, b) for a, b in zip(before, model.target.parameters()))
    return {"out": out, "adapted": loss, **{f"second {name}": w.grad for name, w in weights.items()}}
