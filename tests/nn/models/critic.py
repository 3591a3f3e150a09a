"""A generator and a critic with norms on its weights, trained with a penalty on the critic's gradient."""

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm, weight_norm


class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.generator = nn.Sequential(weight_norm(nn.Linear(2, 6)), nn.Tanh(), nn.Linear(6, 3))
        self.critic = nn.Sequential(
            spectral_norm(nn.Linear(3, 8)), nn.Softplus(), spectral_norm(nn.Linear(8, 8)), nn.Tanh(), nn.Linear(8, 1)
        )


def penalty(critic, real, fake, mix):
    between = (mix * real + (1 - mix) * fake).requires_grad_(True)
    (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (slope.norm(2, dim=1) - 1).pow(2).mean()


def build():
    return Pair()


def inputs(rng):
    return rng.standard_normal((5, 3)), rng.standard_normal((5, 2)), rng.random((5, 1))


def run(model, real, noise, mix):
    critic, generator = model.critic, model.generator
    of_critic = torch.optim.Adam(critic.parameters(), lr=0.01, betas=(0.0, 0.9))
    of_generator = torch.optim.Adam(generator.parameters(), lr=0.01)
    losses = []
    for _ in range(2):
        fake = generator(noise)
        loss = critic(fake.detach()).mean() - critic(real).mean() + 10 * penalty(critic, real, fake.detach(), mix)
        of_critic.zero_grad()
        loss.backward()
        of_critic.step()
        of_generator.zero_grad()
        loss_of_generator = -critic(generator(noise)).mean()
        loss_of_generator.backward()
        of_generator.step()
        losses += [loss.detach(), loss_of_generator.detach()]
    model.eval()
    nn.utils.parametrize.remove_parametrizations(generator[0], "weight")
    return {"losses": torch.stack(losses), "fake": generator(noise), "judged": critic(real)}
