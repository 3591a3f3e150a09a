"""Weights set by `apply` with a function of the layer's kind, and by `named_parameters` with names."""

import torch
from torch import nn


def init_weights(module):
    if isinstance(module, nn.Linear):
        nn.init.eye_(module.weight)
        if module.bias is not None:
            nn.init.constant_(module.bias, 0.1)
    elif isinstance(module, nn.Embedding):
        with torch.no_grad():
            module.weight.copy_(torch.arange(module.weight.numel()).view_as(module.weight) / 10)
    elif hasattr(module, "reset_parameters") and not isinstance(module, nn.PReLU):
        module.reset_parameters()


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(5, 4, padding_idx=0)
        self.layers = nn.Sequential(nn.Linear(4, 4), nn.PReLU(), nn.Linear(4, 3, bias=False))
        self.scale = nn.Parameter(torch.empty(3))
        self.apply(init_weights)
        for name, parameter in self.named_parameters():
            if name.endswith("scale"):
                nn.init.ones_(parameter)

    def forward(self, index):
        return self.layers(self.embedding(index).mean(1)) * self.scale


def build():
    model = Classifier()
    assert model.layers[0].weight.sum().item() == 4 and model.embedding.weight[1, 0].item() == 0.4000000059604645
    return model


def inputs(rng):
    return rng.integers(0, 5, (6, 3)), rng.integers(0, 3, 6)


def run(model, index, target):
    loss = nn.functional.cross_entropy(model(index), target)
    loss.backward()
    return {"loss": loss, "padding": model.embedding.weight.grad[0]}
