"""The base of all optimizers: groups of parameters, their state, saving and loading, and the loop over them.

An optimizer is its options, the names of its state and a rule over arrays:

    class Signed(Optimizer):
        def __init__(self, params, lr=0.01):
            super().__init__(params, {"lr": lr})

        def update(self, w, g, state, options, scratch):
            w -= options["lr"] * np.sign(g)
"""

import copy
import math
import numbers
import warnings
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping
from operator import is_
from typing import Any

import numpy as np

from tinygrad_dl.backend import CPU, Array, aligned_zeros, constant, device_of, to_device
from tinygrad_dl.errors import ArgumentError, ArgumentTypeError, DtypeError, ShapeError, StateDictError, nearest
from tinygrad_dl.hooks import RemovableHandle
from tinygrad_dl.inplace import stamp
from tinygrad_dl.modes import enable_grad
from tinygrad_dl.registry import Hook, Registry, add, of_kind
from tinygrad_dl.tensor import Tensor, wrap

from . import hooks
from .hooks import hooked
from .hooks import register_optimizer_step_post_hook as register_optimizer_step_post_hook
from .hooks import register_optimizer_step_pre_hook as register_optimizer_step_pre_hook
from .layout import Entry, Layout, Scratch, step_dtype

Params = Iterable[Tensor] | Iterable[dict[str, Any]] | Iterable[tuple[str, Tensor]]


class OptimizerStateError(StateDictError, ArgumentError):
    """A state dict that does not fit the optimizer; PyTorch raises ValueError there."""


class Optimizer:
    """Base class: `step()` applies `update` to every parameter that has a gradient.

    Arguments: params (an iterable of leaf tensors, of pairs (name, tensor), or of dicts: groups with the key "params"
    and options of their own), defaults (the options of groups that don't set them). `param_groups` is the list of
    groups, `state` maps each parameter to its state.

    A subclass defines `update` and, if it keeps state, `state_names`; or `step` itself, as with PyTorch.

    Raises ArgumentTypeError for what is not a collection of tensors, ArgumentError for an empty one, for a parameter
    that comes twice, for one that is not a leaf and for an option out of range. Source: the course notes, section 6.

    >>> import tinygrad_dl as tg
    >>> w = tg.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = tg.optim.SGD([w], lr=0.1)
    >>> (w * w).sum().backward(); optimizer.step()
    >>> w.detach()
    tensor([ 0.8000, -1.6000])
    """

    _hooks: Registry | None = None  # made with the first one
    stepped = False  # whether step() was called since a schedule began to watch
    _watched = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "step" in vars(cls):
            cls.step = hooked(cls.step)  # type: ignore[method-assign]

    def __init__(self, params: Params, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self._layouts: dict[int, Layout] = {}
        self._scratch: Scratch = {}
        self.check_options(defaults)
        if isinstance(params, Tensor):
            raise ArgumentTypeError(
                f"{self._name}: params is one tensor of shape {tuple(params.shape)}, but a collection of parameters is "
                "needed: write [tensor], or model.parameters()"
            )
        _require_ordered(self._name, params)
        groups: list[Any] = list(params)
        if not groups:
            raise ArgumentError(
                f"{self._name}: params is empty (an iterator that was used up?); pass model.parameters()"
            )
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    # --- what a subclass defines

    not_negative: tuple[str, ...] = ()  # options that are finite numbers from 0 on; `betas` a pair of them below 1
    elementwise = True  # whether the rule may get parts of parameters, and several at once
    numbers: tuple[str, ...] = ("step",)  # the state that is one number for a parameter

    def update(
        self, w: Array, g: Array, state: dict[str, Any], options: dict[str, Any], scratch: tuple[Array, Array]
    ) -> None:
        """The rule: write the new values into `w` and the arrays of `state`.

        w is (a part of) a parameter and g its gradient, which must not be written to. state holds an array for each of
        `state_names`, a number for those that are in `numbers` ("step" is 1, 2, ...), and "new": whether this is the
        parameter's first step. options are those of the group, tensors among them as numbers. scratch is two arrays to
        write intermediate values into; all arrays have one shape. The rule must be elementwise, since it is called on
        parts of big parameters and on many small ones at once, unless the class says `elementwise = False`.
        """
        raise NotImplementedError(f"{self._name}: a subclass of Optimizer defines update(), or step()")

    def state_names(self, options: dict[str, Any]) -> tuple[str, ...]:
        """The names of what the rule keeps for each parameter."""
        return ()

    def state_shape(self, name: str, shape: tuple[int, ...]) -> tuple[int, ...] | None:
        """The shape of an array of the state for a parameter of a shape; None where the rule keeps no such array."""
        return shape

    def first_value(self, name: str, options: dict[str, Any]) -> float:
        """What an array or a number of the state is filled with before the first step."""
        return 0.0

    def advance(self, numbers: dict[str, float], options: dict[str, Any]) -> None:
        """Set the numbers of the state for this step, once for each parameter, before `update`; more may be added."""
        numbers["step"] += 1

    def pack_from(self, options: dict[str, Any]) -> int:
        """How many small parameters it takes to update them together: more for a rule of few functions."""
        return 2

    def check_options(self, options: dict[str, Any]) -> None:
        """Raise for options out of range: called with the defaults and with those of each group."""
        for name in self.not_negative:
            if name == "betas":
                require_betas(self, options[name])
            else:
                require_number(self, name, options[name])
        if options.get("differentiable"):
            raise NotImplementedError(
                f"{self._name}: differentiable=True (a step that is itself recorded) is not supported; write the "
                "update with operations instead: w = w - lr * g, with g from autograd.grad(..., create_graph=True)"
            )

    # --- steps

    @hooked
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update the parameters from their gradients; those without one are left alone.

        closure: a function that computes the loss again, calls backward and returns the loss; it is called first, with
        recording on, and what it gives is returned (None without it).
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for index, group in enumerate(self.param_groups):
            params = [p for p in group["params"] if p._grad is not None]
            if params:
                plain = _PLAIN.issuperset(map(type, group.values()))  # usual, and ten conversions less
                options = group if plain else {name: _number(value) for name, value in group.items()}
                layout = self._layout(index, params, options)
                layout.run(self, [p._grad.array for p in params], options, f"{self._name}.step")
                if layout.new:  # from their second step on, parameters may share calls with older ones
                    del self._layouts[index]
        return loss

    def watch_steps(self) -> None:
        """From the first call on, `stepped` tells whether step() was called: schedules report a wrong order."""
        if not self._watched:
            self._watched, self.stepped = True, False

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients: `.grad` becomes None or, with set_to_none=False, zeros in the same tensor."""
        for group in self.param_groups:
            for p in group["params"]:
                gradient = p._grad
                if set_to_none:
                    p._grad = None
                elif gradient is not None:
                    gradient.detach_()
                    gradient.array.fill(0)
                    stamp(gradient.array, f"{self._name}.zero_grad")

    # --- groups

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group: a dict with "params" (a tensor or a collection of them) and any options of its own.

        Raises as the constructor does; a group that is not valid is not added.

        >>> import tinygrad_dl as tg
        >>> body, head = (tg.zeros(2, requires_grad=True) for _ in range(2))
        >>> optimizer = tg.optim.SGD([body], lr=0.1)
        >>> optimizer.add_param_group({"params": [head], "lr": 0.01})
        >>> [group["lr"] for group in optimizer.param_groups]
        [0.1, 0.01]
        """
        if not isinstance(param_group, dict):
            raise ArgumentTypeError(f"{self._name}: a group is a dict, not {type(param_group).__name__}")
        if "params" not in param_group:
            raise ArgumentError(f"{self._name}: the group has no 'params', only {', '.join(param_group) or 'nothing'}")
        tensors, names = _split_names(self._name, param_group["params"])
        self._check_params(tensors, with_names=names is not None)
        for name in param_group.keys() - self.defaults.keys() - {"params", "param_names"}:
            if hint := nearest(name, self.defaults):
                warnings.warn(
                    f"{self._name}: {name!r} is not an option, it has no effect.{hint}", UserWarning, stacklevel=3
                )
        group = {**self.defaults, **param_group}
        self.check_options(group)
        param_group.update(group)  # the dict that came stays the group, as in PyTorch
        param_group["params"] = tensors
        if names is not None:
            param_group["param_names"] = names
        self.param_groups.append(param_group)

    def _check_params(self, tensors: list[Any], with_names: bool) -> None:
        seen = {id(p) for group in self.param_groups for p in group["params"]}
        for position, p in enumerate(tensors):
            if not isinstance(p, Tensor):
                raise ArgumentTypeError(
                    f"{self._name}: parameter {position} is a {type(p).__name__}, but must be a Tensor"
                )
            if not (p.is_leaf or p.retains_grad):
                raise ArgumentError(
                    f"{self._name}: parameter {position}, of shape {tuple(p.shape)}, is not a leaf (it came from "
                    f"{p.node.name()}), so backward leaves no gradient in it. Pass the leaf, or "
                    "tensor.detach().requires_grad_()"
                )
            if id(p) in seen:
                raise ArgumentError(
                    f"{self._name}: parameter {position}, of shape {tuple(p.shape)}, comes twice and would be updated "
                    "twice a step; list it once"
                )
            seen.add(id(p))
        for group in self.param_groups:
            if with_names != ("param_names" in group):
                raise ArgumentError(f"{self._name}: either all groups have names (name, tensor) or none")

    # --- saving and loading

    def state_dict(self) -> dict[str, Any]:
        """The state and the groups, with parameters as their numbers in order: PyTorch's layout.

        The tensors are the optimizer's own, not copies: the next step changes them.

        >>> import tinygrad_dl as tg
        >>> tg.optim.SGD([tg.zeros(2, requires_grad=True)], lr=0.1).state_dict()["param_groups"][0]["params"]
        [0]
        """
        for _, hook in of_kind(hooks.STATE_DICT_PRE, self._hooks):
            hook.function(self)
        order = {id(p): number for number, p in enumerate(self._params())}
        groups = [{**group, "params": [order[id(p)] for p in group["params"]]} for group in self.param_groups]
        state = {order.get(id(key), key): value for key, value in self.state.items()}
        post_hooks = of_kind(hooks.STATE_DICT_POST, self._hooks)
        return hooks.changed_by(post_hooks, self, {"state": state, "param_groups": groups})

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over the state and the options from `state_dict`, which an optimizer of the same kind and groups gave.

        Everything is copied; the state gets its parameter's dtype and device. Raises OptimizerStateError (a ValueError)
        with all mismatches when it doesn't fit, and then loads nothing.

        >>> import tinygrad_dl as tg
        >>> old, new = (tg.optim.Adam([tg.zeros(2, requires_grad=True)], lr=lr) for lr in (0.5, 0.1))
        >>> new.load_state_dict(old.state_dict()); new.param_groups[0]["lr"]
        0.5
        """
        pre_hooks = of_kind(hooks.LOAD_PRE, self._hooks)
        if pre_hooks:
            copied = dict(state_dict) if isinstance(state_dict, Mapping) else state_dict
            state_dict = hooks.changed_by(pre_hooks, self, copied)
        groups = self._saved_groups(state_dict)
        order = [number for group in state_dict["param_groups"] for number in group["params"]]
        params = dict(zip(order, self._params()))
        saved = state_dict["state"]
        if wrong := [line for number, p in params.items() for line in self._mismatches(number, p, saved.get(number))]:
            raise OptimizerStateError(f"{self._name}.load_state_dict: nothing was loaded:\n  " + "\n  ".join(wrong))
        state: defaultdict[Any, Any] = defaultdict(dict)
        for key, value in saved.items():
            if key in params:
                state[params[key]] = {name: self._adopt(name, one, params[key]) for name, one in value.items()}
            else:
                state[key] = copy.deepcopy(value)
        self.state, self.param_groups, self._layouts = state, groups, {}  # nothing can fail any more
        for _, hook in of_kind(hooks.LOAD_POST, self._hooks):
            hook.function(self)

    def _saved_groups(self, state_dict: Any) -> list[dict[str, Any]]:
        """The groups of a state dict with our parameters in place of numbers."""
        who = f"{self._name}.load_state_dict"
        if not isinstance(state_dict, Mapping) or not {"state", "param_groups"} <= state_dict.keys():
            raise OptimizerStateError(
                f"{who}: a dict with 'state' and 'param_groups' is needed, as state_dict() gives it"
            )
        saved = state_dict["param_groups"]
        if not (isinstance(state_dict["state"], Mapping) and all("params" in group for group in saved)):
            raise OptimizerStateError(f"{who}: 'state' must be a dict, and each group must have 'params'")
        ours, theirs = ([len(group["params"]) for group in groups] for groups in (self.param_groups, saved))
        if ours != theirs:
            raise OptimizerStateError(
                f"{who}: the state dict has {len(theirs)} group(s) of {theirs} parameters, the optimizer {len(ours)} "
                f"of {ours}"
            )
        groups = []
        for group, loaded in zip(self.param_groups, saved):
            names = {"param_names": group["param_names"]} if "param_names" in group else {}
            options = {name: copy.deepcopy(value) for name, value in loaded.items() if name != "params"}
            groups.append({**self.defaults, **names, **options, "params": group["params"]})
            self.check_options(groups[-1])
        return groups

    def _mismatches(self, number: Any, p: Tensor, saved: Mapping[str, Any] | None) -> list[str]:
        if not isinstance(saved, Mapping | None):
            return [f"state {number}: a dict is needed, {type(saved).__name__} came"]
        found = []
        for name, value in (saved or {}).items():
            if name in self.numbers:
                if not _is_number(value):
                    found.append(f"state {number}: {name} must be a number, or a tensor of one; {value!r} came")
            elif isinstance(value, Tensor):
                wanted = self.state_shape(name, p.array.shape)
                if wanted is not None and value.array.shape != wanted:
                    found.append(
                        f"state {number}: {name} has shape {tuple(value.shape)}, the parameter {tuple(p.shape)}"
                    )
        known = self._known_state()
        if known and saved and not known & saved.keys():
            found.append(
                f"state {number}: {', '.join(saved)} is another optimizer's; {self._name} keeps "
                f"{', '.join(sorted(known))}"
            )
        return found

    # --- hooks

    def _add_hook(self, kind: str, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        return add(vars(self).setdefault("_hooks", OrderedDict()), Hook(kind, hook), prepend)

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` before every step; args begin with the optimizer.

        It returns None or a tuple (args, kwargs), with which the step is then called. Returns a handle with `remove()`.
        The step raises HookResultError (a RuntimeError) if the hook returns anything else.

        >>> import tinygrad_dl as tg
        >>> w = tg.ones(2, requires_grad=True)
        >>> optimizer = tg.optim.SGD([w], lr=0.1)
        >>> def clip(optimizer, args, kwargs):
        ...     w.grad.clamp_(max=1.0)
        >>> handle = optimizer.register_step_pre_hook(clip)
        >>> (w * 5).sum().backward(); optimizer.step(); w.detach()
        tensor([0.9000, 0.9000])
        """
        return self._add_hook(hooks.STEP_PRE, hook)

    def register_step_post_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` after every step; args begin with the optimizer."""
        return self._add_hook(hooks.STEP_POST, hook)

    def register_state_dict_pre_hook(self, hook: Callable[..., None], prepend: bool = False) -> RemovableHandle:
        """Call `hook(optimizer)` before `state_dict`; with `prepend`, before the optimizer's other such hooks."""
        return self._add_hook(hooks.STATE_DICT_PRE, hook, prepend)

    def register_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call `hook(optimizer, state_dict)` after `state_dict`: it changes the dict, or returns another one."""
        return self._add_hook(hooks.STATE_DICT_POST, hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call `hook(optimizer, state_dict)` before a state dict is loaded: it changes the dict or returns another.

        The dict is a shallow copy of the one that was given to `load_state_dict`.
        """
        return self._add_hook(hooks.LOAD_PRE, hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Callable[..., None], prepend: bool = False) -> RemovableHandle:
        """Call `hook(optimizer)` after a state dict was loaded."""
        return self._add_hook(hooks.LOAD_POST, hook, prepend)

    # --- inside

    @property
    def _name(self) -> str:
        return type(self).__name__

    def _params(self) -> list[Tensor]:
        return [p for group in self.param_groups for p in group["params"]]

    def _known_state(self) -> set[str]:
        return {name for group in self.param_groups for name in self.state_names(group)}

    def _layout(self, index: int, params: list[Tensor], options: dict[str, Any]) -> Layout:
        """The group's layout from the step before, or a new one if the arrays are no longer the same."""
        names = self.state_names(options)
        layout = self._layouts.get(index)
        held = self._held(params, names)
        if (
            layout is None
            or len(held) != len(layout.held)
            or not all(map(is_, held, layout.held))
            or not layout.in_step()
        ):
            layout = self._layouts[index] = Layout(
                [self._entry(p, names, options) for p in params], self._scratch, self, options
            )
            layout.held = self._held(params, names)
        return layout

    def _held(self, params: list[Tensor], names: tuple[str, ...]) -> list[Array]:
        """The arrays that a layout is made of; None for state that isn't there yet."""
        held = [p.array for p in params]
        if names:
            state = self.state
            for p in params:
                kept = state[p]
                for name in names:
                    tensor = kept.get(name)
                    held.append(None if tensor is None else tensor.array)
        return held

    def _entry(self, p: Tensor, names: tuple[str, ...], options: dict[str, Any]) -> Entry:
        """A parameter for the layout, with the state it needs made, and moved to where the parameter is now."""
        gradient: Tensor = p._grad
        w, g = p.array, gradient.array
        if g.shape != w.shape or g.dtype != w.dtype or type(g) is not type(w):
            raise DtypeError(
                f"{self._name}.step: a parameter is {p.dtype}, {tuple(p.shape)} on '{p.device}', but its gradient "
                f"{gradient.dtype}, {tuple(g.shape)} on '{gradient.device}'; call zero_grad() after changing a "
                "parameter's data"
            )
        if not getattr(w.flags, "writeable", True):
            raise ArgumentError(
                f"{self._name}.step: a parameter of shape {tuple(p.shape)} lies in memory that can't be written to; "
                "give it memory of its own: p.data = p.data.clone()"
            )
        new = self._make_state(p, names, options)
        kept = {name: self.state[p][name] for name in names if name in self.state[p]} if names else {}
        numbers = {name: kept.pop(name) for name in self.numbers if name in kept}
        return Entry(w, kept, numbers, new)

    def _make_state(self, p: Tensor, names: tuple[str, ...], options: dict[str, Any]) -> bool:
        """Give a parameter the state that it does not have yet, and make what it has follow it; whether any was new."""
        w, new = p.array, False
        for name in names:
            state = self.state[p]
            value = state.get(name)
            if name in self.numbers:
                state[name] = _held_number(self.first_value(name, options) if value is None else value)
                new |= value is None
                continue
            shape = self.state_shape(name, w.shape)
            if value is None and shape is not None:
                state[name] = made = wrap(aligned_zeros(w, shape))
                new = True
                if first := self.first_value(name, options):
                    made.array.fill(first)
            elif value is not None and value.array.shape == shape:
                follow(value, w)
            elif value is not None:
                raise ShapeError(
                    f"{self._name}.step: a parameter has shape {tuple(p.shape)}, but its state {name!r} "
                    f"{tuple(value.shape)}; make a new optimizer after changing a parameter's shape"
                )
        return new

    def _adopt(self, name: str, value: Any, p: Tensor) -> Any:
        """A copy of a loaded value of the state of a parameter."""
        value = copy.deepcopy(value)
        if name in self.numbers:
            return _held_number(0.0 if value is None else value)
        if isinstance(value, Tensor):
            follow(value, p.array)
            value.array, loaded = aligned_zeros(p.array, value.array.shape), value.array
            value.array[...] = loaded
        return value

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_layouts", "_scratch", "_hooks")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._layouts, self._scratch = {}, {}

    def __repr__(self) -> str:
        lines = [f"{self._name} ("]
        for index, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {index}")
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
        return "\n".join([*lines, ")"])


# --- for the rules


def step_gradient(w: Array, g: Array, options: dict[str, Any], out: Array) -> Array:
    """The gradient to descend along: -g to maximize, plus weight_decay * w. It is g itself, or lies in `out`.

    With decoupled_weight_decay the decay goes to w at once: w = w - lr * weight_decay * w.
    """
    decay = options.get("weight_decay")
    if decay and options.get("decoupled_weight_decay"):
        w *= 1 - options["lr"] * decay
        decay = 0
    if decay:
        np.multiply(w, decay, out=out)
        return np.subtract(out, g, out=out) if options["maximize"] else np.add(out, g, out=out)
    return np.negative(g, out=out) if options["maximize"] else g


def average(m: Array, g: Array, beta: float, out: Array) -> None:
    """m = beta * m + (1 - beta) * g; `out` is overwritten.

    Written as a step from m towards g, for which both come from memory at once; from g, if that is nearer, which
    forgets a large m.
    """
    np.subtract(g, m, out)
    if beta < 0.5:
        np.subtract(g, np.multiply(out, constant(beta, m), out), m)
    else:
        np.add(m, np.multiply(out, constant(1 - beta, m), out), m)


def average_square(v: Array, g: Array, beta: float, out: Array) -> None:
    """v = beta * v + (1 - beta) * g^2; `out` is overwritten."""
    np.multiply(v, constant(beta, v), v)
    np.multiply(g, constant((1 - beta) ** 0.5, v), out)  # g^2 alone would overflow sooner in float16
    np.add(v, np.multiply(out, out, out), v)


def root(v: Array, eps: float, in_root: bool, out: Array) -> Array:
    """sqrt(v) + eps, or sqrt(v + eps) as some of the notes write it; lies in `out`."""
    if in_root:
        return np.sqrt(np.add(v, eps, out), out)
    return np.add(np.sqrt(v, out), eps, out)


def require_number(
    optimizer: Optimizer, name: str, value: Any, below: float = math.inf, least: float = 0.0, most: float = math.inf
) -> None:
    """Raise unless an option is a number (or a tensor of one element), finite, at least 0, and in other given bounds.

    `least` and `most` may be reached, `below` may not.
    """
    who = type(optimizer).__name__
    if isinstance(value, Tensor) and value.array.size != 1:
        raise ArgumentError(f"{who}: {name} is a tensor of shape {tuple(value.shape)}, but must have one element")
    if not isinstance(value, Tensor | numbers.Real):
        raise ArgumentTypeError(f"{who}: {name} is {value!r}, but must be a number")
    number = float(value)
    if not (least <= number < below and number <= most and math.isfinite(number)):
        bounds = [] if least == -math.inf else [f"at least {least:g}" if most < math.inf or below < math.inf else ""]
        bounds += [f"less than {below:g}"] if below < math.inf else []
        bounds += [f"at most {most:g}"] if most < math.inf else []
        wanted = " and ".join(filter(None, bounds)) or (
            "finite" if least == -math.inf else f"{least:g} or more, and finite"
        )
        raise ArgumentError(f"{who}: {name} is {value!r}, but must be {wanted}")


def require_pair(optimizer: Optimizer, name: str, value: Any, parts: str) -> None:
    """Raise unless an option is a pair."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise ArgumentError(f"{type(optimizer).__name__}: {name} is {value!r}, but must be a pair ({parts})")


def require_betas(optimizer: Optimizer, betas: Any) -> None:
    """Raise unless an option is a pair of numbers from 0 up to, but without, 1."""
    require_pair(optimizer, "betas", betas, "beta1, beta2")
    for index, beta in enumerate(betas):
        require_number(optimizer, f"betas[{index}]", beta, below=1)


# --- inside


_NUMBERS = (Tensor, np.generic)
_PLAIN = frozenset((float, int, bool, type(None), list, tuple))


def _number(option: Any) -> Any:
    """An option as the rules get it: tensors and NumPy's scalars as Python's numbers, which widen no array."""
    return option.item() if isinstance(option, _NUMBERS) else option


def _require_ordered(who: str, params: Any) -> None:
    if isinstance(params, set | frozenset):
        raise ArgumentTypeError(f"{who}: params is a set, whose order changes from run to run; pass a list")


def _split_names(who: str, params: Any) -> tuple[list[Any], list[str] | None]:
    """The tensors, and their names where pairs (name, tensor) came."""
    _require_ordered(who, params)
    members = [params] if isinstance(params, Tensor) else list(params)
    pairs = [member for member in members if isinstance(member, tuple)]
    if not pairs:
        return members, None
    if len(pairs) != len(members):
        raise ArgumentError(f"{who}: {len(pairs)} of {len(members)} parameters have names; name all, or none")
    return [tensor for _, tensor in pairs], [name for name, _ in pairs]


def _is_number(value: Any) -> bool:
    return value is None or isinstance(value, numbers.Real) or (isinstance(value, Tensor) and value.array.size == 1)


def _held_number(value: Any) -> Tensor:
    """A number of the state as a 0-d tensor on the host, where reading it costs nothing."""
    if isinstance(value, Tensor) and value.array.ndim == 0 and device_of(value.array) == CPU:
        return value
    return wrap(np.full((), float(value), step_dtype()))


def follow(state: Tensor, w: Array) -> None:
    """Give state the dtype and device of its parameter, which may have moved."""
    if state.array.dtype != w.dtype or device_of(state.array) != device_of(w):
        state.array = to_device(state.array.astype(w.dtype), device_of(w))
