"""A variational autoencoder: sampling with given noise, a list of parameters as the codes' prior."""

import torch
import torch.nn.functional as F
from torch import nn


class Autoencoder(nn.Module):
    def __init__(self, seen=6, hidden=5, code=2, components=3):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(seen, hidden), nn.ELU())
        self.mean, self.log_var = nn.Linear(hidden, code), nn.Linear(hidden, code)
        self.decoder = nn.Sequential(
            nn.Linear(code, hidden), nn.ELU(), nn.Linear(hidden, seen), nn.Unflatten(1, (2, 3))
        )
        self.centers = nn.ParameterList([torch.full((code,), float(i)) for i in range(components)])

    def forward(self, x, noise):
        h = self.encoder(x.flatten(1))
        mean, log_var = self.mean(h), self.log_var(h).clamp(-4, 4)
        z = mean + noise * torch.exp(0.5 * log_var)
        return self.decoder(z), mean, log_var, z

    def loss(self, x, noise):
        logits, mean, log_var, z = self(x, noise)
        reconstruction = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum((1, 2)).mean()
        divergence = -0.5 * (1 + log_var - mean.pow(2) - log_var.exp()).sum(1).mean()
        distance = torch.stack([(z - center).pow(2).sum(1) for center in self.centers])
        return reconstruction + divergence - torch.logsumexp(-distance, 0).mean()


def build():
    return Autoencoder()


def inputs(rng):
    return rng.random((4, 2, 3)), rng.standard_normal((4, 2))


def run(model, x, noise):
    loss = model.loss(x, noise)
    loss.backward()
    vector = nn.utils.parameters_to_vector(model.parameters())
    return {"loss": loss, "vector": vector, "decoded": model.decoder(noise)}
