"""A normalization written by hand: buffers that training moves, one that is not saved, another path in eval."""

import torch
from torch import nn


class RunningNorm(nn.Module):
    def __init__(self, features, momentum=0.1, eps=1e-5):
        super().__init__()
        self.features, self.momentum, self.eps = features, momentum, eps
        self.weight = nn.Parameter(torch.full((features,), 1.5))
        self.bias = nn.Parameter(torch.zeros(features))
        self.register_buffer("running_mean", torch.zeros(features))
        self.register_buffer("running_var", torch.ones(features))
        self.register_buffer("num_batches_tracked", torch.tensor(0, dtype=torch.long))
        self.register_buffer("last_batch", None, persistent=False)
        self.register_parameter("unused", None)

    def forward(self, x):
        if self.training:
            mean, var = x.mean(0), x.var(0, unbiased=False)
            with torch.no_grad():
                n = x.size(0)
                self.num_batches_tracked += 1
                self.running_mean.mul_(1 - self.momentum).add_(mean, alpha=self.momentum)
                self.running_var.lerp_(var * n / (n - 1), self.momentum)
            self.last_batch = x.detach()
        else:
            mean, var = self.running_mean, self.running_var
        return (x - mean) / torch.sqrt(var + self.eps) * self.weight + self.bias

    def extra_repr(self):
        return f"{self.features}, momentum={self.momentum}"


def build():
    return nn.Sequential(nn.Linear(3, 4), RunningNorm(4), nn.Tanh(), nn.Linear(4, 2))


def inputs(rng):
    return rng.standard_normal((6, 3)), rng.standard_normal((6, 3))


def run(model, first, second):
    trained = [model(first).pow(2).sum(), model(second).pow(2).sum()]
    sum(trained).backward()
    model.eval()
    assert "1.last_batch" not in model.state_dict() and "last_batch" in dict(model[1].named_buffers())
    return {"trained": torch.stack(trained), "used": model(first), "last": model[1].last_batch}
