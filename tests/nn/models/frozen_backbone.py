"""Fine-tuning: a frozen backbone, groups of parameters with their own rates, none of decay for biases and scales."""

import torch
from torch import nn


class Backbone(nn.Module):
    def __init__(self):
        super().__init__()
        self.stages = nn.ModuleList([nn.Sequential(nn.Linear(4, 4), nn.GELU()) for _ in range(3)])

    def forward(self, x):
        features = []
        for stage in self.stages:
            x = stage(x) + x
            features.append(x)
        return features


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = Backbone()
        self.scale = nn.Parameter(torch.ones(3))
        self.heads = nn.ModuleDict({"class": nn.Linear(4, 3), "box": nn.Linear(4, 4)})
        self.freeze(2)

    def freeze(self, stages):
        for stage in self.backbone.stages[:stages]:
            stage.eval()
            for parameter in stage.parameters():
                parameter.requires_grad = False

    def train(self, mode=True):
        super().train(mode)
        self.freeze(2)
        return self

    def forward(self, x):
        x = sum(weight * feature for weight, feature in zip(self.scale, self.backbone(x)))
        return {name: head(x) for name, head in self.heads.items()}


def groups(model):
    decay, plain = [], []
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            (plain if parameter.ndim <= 1 or name.endswith(".bias") else decay).append(parameter)
    return [{"params": decay, "weight_decay": 0.1}, {"params": plain, "weight_decay": 0.0, "lr": 0.02}]


def build():
    return Detector()


def inputs(rng):
    return rng.standard_normal((5, 4)), rng.integers(0, 3, 5), rng.standard_normal((5, 4))


def run(model, x, label, box):
    optimizer = torch.optim.AdamW(groups(model), lr=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, [lambda step: 0.5**step, lambda step: 1.0])
    model.train()
    assert not model.backbone.stages[0].training and model.backbone.stages[2].training
    for _ in range(3):
        found = model(x)
        loss = nn.functional.cross_entropy(found["class"], label) + nn.functional.mse_loss(found["box"], box)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    frozen = [name for name, p in model.named_parameters() if p.grad is None]
    return {
        "loss": loss,
        "norm": norm,
        "frozen": len(frozen),
        "rates": [group["lr"] for group in optimizer.param_groups],
    }
