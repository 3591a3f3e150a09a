"""Files of older versions of a model: names changed by a hook and by a version, extra state, keys left out."""

import torch
from torch import nn


class Scaler(nn.Module):
    _version = 2

    def __init__(self, features):
        super().__init__()
        self.register_buffer("scale", torch.ones(features))
        self.vocabulary = {}

    def forward(self, x):
        return x * self.scale

    def get_extra_state(self):
        return self.vocabulary

    def set_extra_state(self, state):
        self.vocabulary = dict(state)

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, strict, missing, unexpected, errors):
        if local_metadata.get("version", 1) < 2 and prefix + "log_scale" in state_dict:
            state_dict[prefix + "scale"] = state_dict.pop(prefix + "log_scale").exp()
        super()._load_from_state_dict(state_dict, prefix, local_metadata, strict, missing, unexpected, errors)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.scaler = Scaler(3)
        self.backbone = nn.Linear(3, 4)
        self.head = nn.Linear(4, 2)
        self.register_load_state_dict_post_hook(self.forgive)
        self._register_load_state_dict_pre_hook(self.rename)

    @staticmethod
    def rename(state, prefix, *rest):
        for key in [key for key in state if key.startswith(prefix + "encoder.")]:
            state[key.replace("encoder.", "backbone.", 1)] = state.pop(key)

    @staticmethod
    def forgive(module, keys):
        keys.missing_keys[:] = [key for key in keys.missing_keys if not key.startswith("head.")]

    def forward(self, x):
        return self.head(self.backbone(self.scaler(x)))


def build():
    return Net()


def inputs(rng):
    return rng.standard_normal((4, 3)), rng.standard_normal((4, 3))


def run(model, x, weight):
    old = {
        "scaler.log_scale": torch.full((3,), 0.5, dtype=x.dtype),
        "scaler._extra_state": {"a": 1},
        "encoder.weight": weight,
        "encoder.bias": torch.zeros(4, dtype=x.dtype),
    }
    keys = model.load_state_dict(old)
    assert not keys.missing_keys and model.scaler.vocabulary == {"a": 1}
    y = model(x)
    y.sum().backward()
    partial = {key: value for key, value in model.state_dict().items() if key.startswith("head.")}
    left = nn.Sequential(nn.Linear(3, 3)).load_state_dict(partial, strict=False)
    return {"y": y, "missing": len(left.missing_keys), "unexpected": len(left.unexpected_keys)}
