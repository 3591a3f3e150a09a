"""Features of inner layers by hooks, their gradients by backward hooks, inputs changed by pre-hooks."""

from torch import nn


class Recorder:
    def __init__(self, model, names):
        self.features, self.gradients, self.handles = {}, {}, []
        for name, module in model.named_modules():
            if name in names:
                self.handles.append(module.register_forward_hook(self.keep(name)))
                self.handles.append(module.register_full_backward_hook(self.keep_gradient(name)))

    def keep(self, name):
        def hook(module, args, output):
            self.features[name] = output.detach()

        return hook

    def keep_gradient(self, name):
        def hook(module, grad_input, grad_output):
            self.gradients[name] = grad_output[0].detach()

        return hook

    def remove(self):
        for handle in self.handles:
            handle.remove()


def build():
    return nn.Sequential(
        nn.Sequential(nn.Linear(3, 5), nn.ReLU()), nn.Sequential(nn.Linear(5, 4), nn.Tanh()), nn.Linear(4, 2)
    )


def inputs(rng):
    return (rng.standard_normal((4, 3)),)


def run(model, x):
    recorder = Recorder(model, {"0.1", "1"})
    handle = model[0].register_forward_pre_hook(lambda module, args: (args[0] * 2,))
    y = model(x)
    y[:, 1].sum().backward()
    importance = (recorder.gradients["1"] * recorder.features["1"]).sum(-1).relu()
    recorder.remove()
    handle.remove()
    model(x)
    assert not model[0][1]._forward_hooks and not model[0]._forward_pre_hooks
    return {"importance": importance, **{f"f {name}": value for name, value in recorder.features.items()}, "y": y}
