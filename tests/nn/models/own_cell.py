"""A recurrent cell written by hand, with optional bias, states carried along, truncated backpropagation."""

import torch
from torch import nn


class GatedCell(nn.Module):
    def __init__(self, inputs, hidden, bias=True, reset_after=False):
        super().__init__()
        self.inputs, self.hidden, self.reset_after = inputs, hidden, reset_after
        self.weight_x = nn.Parameter(torch.randn(inputs, 3 * hidden) / inputs**0.5)
        self.weight_h = nn.Parameter(torch.randn(hidden, 3 * hidden) / hidden**0.5)
        if bias:
            self.bias = nn.Parameter(torch.zeros(3 * hidden))
        else:
            self.register_parameter("bias", None)

    def forward(self, x, h):
        given = x @ self.weight_x
        if self.bias is not None:
            given = given + self.bias
        r, z, n = given.chunk(3, 1)
        w_r, w_z, w_n = self.weight_h.chunk(3, 1)
        r, z = torch.sigmoid(r + h @ w_r), torch.sigmoid(z + h @ w_z)
        n = torch.tanh(n + (r * (h @ w_n) if self.reset_after else (r * h) @ w_n))
        return (1 - z) * n + z * h

    def extra_repr(self):
        return "{inputs}, {hidden}, reset_after={reset_after}".format(**self.__dict__)


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.cells = nn.ModuleList([GatedCell(3, 4), GatedCell(4, 4, bias=False, reset_after=True)])
        self.start = nn.ParameterList([nn.Parameter(torch.zeros(1, 4)) for _ in self.cells])
        self.readout = nn.Linear(4, 2)

    def forward(self, x, states=None):
        if states is None:
            states = [start.expand(x.size(1), -1) for start in self.start]
        outputs = []
        for x_t in x.unbind(0):
            for i, cell in enumerate(self.cells):
                states[i] = x_t = cell(x_t, states[i])
            outputs.append(self.readout(x_t))
        return torch.stack(outputs), states


def build():
    return Recurrent()


def inputs(rng):
    return (rng.standard_normal((6, 2, 3)),)


def run(model, x):
    states, losses = None, []
    for part in x.split(3):
        out, states = model(part, states)
        loss = out.pow(2).mean()
        loss.backward()
        losses.append(loss.detach())
        states = [state.detach() for state in states]
    return {"losses": torch.stack(losses), "out": out, "state": states[1]}
