"""An average of a model's weights, kept as a frozen deep copy and swapped in for use."""

import copy

import torch
from torch import nn


class MovingAverage:
    def __init__(self, model, decay=0.9):
        self.decay = decay
        self.module = copy.deepcopy(model).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, model):
        state = model.state_dict()
        for name, value in self.module.state_dict().items():
            if value.dtype.is_floating_point:
                value.mul_(self.decay).add_(state[name].detach(), alpha=1 - self.decay)
            else:
                value.copy_(state[name])

    def copy_to(self, model):
        for target, source in zip(model.parameters(), self.module.parameters()):
            target.data.copy_(source.data)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 4), nn.Tanh())
        self.head = nn.Linear(4, 1)
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def forward(self, x):
        self.steps += 1
        return self.head(self.body(x)).squeeze(-1)


def build():
    return Net()


def inputs(rng):
    return rng.standard_normal((8, 3)), rng.standard_normal(8)


def run(model, x, y):
    average = MovingAverage(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for _ in range(4):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        average.update(model)
    assert all(not p.requires_grad for p in average.module.parameters()) and not average.module.training
    used = average.module(x)
    result = {"loss": loss, "used": used, "steps": average.module.steps.clone(), "own": model(x)}
    average.copy_to(model)
    return result | {"copied": model(x)}
