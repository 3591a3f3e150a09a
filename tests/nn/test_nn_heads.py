"""`multi_head_attention_forward` against PyTorch's: results, weights, first and second derivatives, errors."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl.errors import TinygradError

L, S, N, E, H = 4, 5, 3, 8, 2  # lengths of queries and keys, batch size, width, heads

QKV = {"query": (L, N, E), "key": (S, N, E), "value": (S, N, E)}
PACKED = {"in_proj_weight": (3 * E, E), "in_proj_bias": (3 * E,)}
SEPARATE = {"q_proj_weight": (E, E), "k_proj_weight": (E, 5), "v_proj_weight": (E, 6), "in_proj_bias": (3 * E,)}
OUT = {"out_proj_weight": (E, E), "out_proj_bias": (E,)}
MORE = {"bias_k": (1, 1, E), "bias_v": (1, 1, E)}
STATIC = {"static_k": (N * H, 7, E // H), "static_v": (N * H, 7, E // H)}

GIVEN: dict[str, dict[str, tuple[int, ...]]] = {
    "packed": {**QKV, **PACKED, **OUT},
    "no biases": {**QKV, "in_proj_weight": (3 * E, E), "out_proj_weight": (E, E)},
    "one for all": {"query": (L, N, E), **PACKED, **OUT},
    "one for keys and values": {"query": (L, N, E), "key": (S, N, E), **PACKED, **OUT},
    "one for keys and values, no bias": {**{k: QKV[k] for k in ("query", "key")}, "in_proj_weight": (3 * E, E), **OUT},
    "separate": {**QKV, "key": (S, N, 5), "value": (S, N, 6), **SEPARATE, **OUT},
    "bias_k, bias_v": {**QKV, **PACKED, **OUT, **MORE},
    "static": {**QKV, **PACKED, **OUT, **STATIC},
    "static keys": {**QKV, **PACKED, **OUT, "static_k": (N * H, S, E // H)},
    "another width behind": {**QKV, **PACKED, "out_proj_weight": (3, E)},
    "unbatched": {"query": (L, E), "key": (S, E), "value": (S, E), **PACKED, **OUT},
    "unbatched and more": {"query": (L, E), "key": (S, E), "value": (S, E), **PACKED, **OUT, **MORE},
}


def leaves(lib: Any, shapes: dict[str, tuple[int, ...]]) -> dict[str, Any]:
    draw = np.random.default_rng(0)
    return {name: lib.tensor(draw.standard_normal(shape) * 0.5, requires_grad=True) for name, shape in shapes.items()}


def call(lib: Any, tensors: dict[str, Any], **options: Any) -> Any:
    given = dict.fromkeys(("in_proj_weight", "in_proj_bias", "bias_k", "bias_v", "out_proj_bias"))
    given |= {"embed_dim_to_check": E, "num_heads": H, "add_zero_attn": False, "dropout_p": 0.0, **tensors, **options}
    given.setdefault("key", given["query"])
    given.setdefault("value", given["key"])
    given["use_separate_proj_weight"] = given["in_proj_weight"] is None
    return lib.nn.functional.multi_head_attention_forward(**given)


def masks(lib: Any, kind: str, shapes: dict[str, tuple[int, ...]]) -> dict[str, Any]:
    """Masks for the keys that are attended to."""
    length, batch = shapes["query"][0], N if len(shapes["query"]) == 3 else 1
    keys = shapes.get("static_k", (0, shapes.get("key", shapes["query"])[0]))[1]
    seen = lib.arange(batch * H * length * keys).reshape(-1, length, keys) % 7
    padding = lib.arange(keys) >= lib.tensor([[4], [keys], [3]])
    found = {}
    if "rows" in kind:
        found["attn_mask"] = seen[0] == 3
    if "heads" in kind:
        found["attn_mask"] = seen == 3
    if "numbers" in kind:
        found["attn_mask"] = seen[: H * batch if "each" in kind else 1].double() / 7
        found["attn_mask"] = found["attn_mask"] if "each" in kind else found["attn_mask"][0]
    if "padding" in kind:
        found["key_padding_mask"] = padding if batch > 1 else padding[0]
    if "padding, numbers" in kind:
        found["key_padding_mask"] = found["key_padding_mask"].double() * -2.5
    return found


def results(lib: Any, shapes: dict[str, tuple[int, ...]], kind: str, options: dict[str, Any]) -> list[Any]:
    tensors = leaves(lib, shapes)
    kernels = importlib.import_module(f"{lib.__name__}.nn.attention")
    with kernels.sdpa_kernel(kernels.SDPBackend.MATH):  # the only one of PyTorch's with second derivatives
        out, weights = call(lib, tensors, **masks(lib, kind, shapes), **options)
    outputs = [out] if weights is None else [out, weights]
    wanted = list(tensors.values())
    first = lib.autograd.grad(sum((o * o).sum() for o in outputs), wanted, create_graph=True, allow_unused=True)
    penalty = sum((g * g).sum() for g in first if g is not None)
    second = lib.autograd.grad(penalty, wanted, allow_unused=True)
    return [None if x is None else x.detach().numpy() for x in (*outputs, *first, *second)]


def assert_same(torch: Any, *given: Any) -> None:
    ours, theirs = (results(lib, *given) for lib in (tg, torch))
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs):
        a, b = (np.zeros(1) if x is None else x for x in (a, b))
        assert a.shape == b.shape or 0 == np.abs(a).max() == np.abs(b).max()
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")


@pytest.mark.parametrize(
    "kind", ["no mask", "rows", "heads", "numbers", "numbers of each", "padding", "rows, padding", "padding, numbers"]
)
@pytest.mark.parametrize("name", GIVEN)
def test_heads_agree_with_pytorch(torch: Any, name: str, kind: str) -> None:
    shapes = GIVEN[name]
    if name == "static" and kind != "no mask":
        kind = "padding"  # masks of rows have, in PyTorch, as many columns as there are keys
    for options in ({}, {"average_attn_weights": False, "add_zero_attn": True}, {"need_weights": False}):
        assert_same(torch, shapes, kind, options)


@pytest.mark.parametrize("need_weights", [True, False])
def test_a_causal_mask_may_be_announced(torch: Any, need_weights: bool) -> None:
    found = []
    for lib in (tg, torch):
        mask = lib.nn.Transformer.generate_square_subsequent_mask(L).double()
        tensors = leaves(lib, {"query": (L, N, E), **PACKED, **OUT})
        out, weights = call(lib, tensors, attn_mask=mask, is_causal=True, need_weights=need_weights)
        found.append([out.tolist(), weights if weights is None else weights.tolist()])
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-9)
    assert (found[0][1] is None) == (found[1][1] is None) == (not need_weights)
    if need_weights:
        np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-9)


def test_a_hint_replaces_the_mask_where_no_weights_are_needed(torch: Any) -> None:
    """PyTorch does not look at the mask then; with a mask of the padding it does."""
    for padded in (False, True):
        found = []
        for lib in (tg, torch):
            options = {"attn_mask": lib.zeros(L, L).double(), "is_causal": True, "need_weights": False}
            if padded:
                options["key_padding_mask"] = lib.zeros(N, L).double()
            out, _ = call(lib, leaves(lib, {"query": (L, N, E), **PACKED, **OUT}), **options)
            found.append(out.detach().numpy())
        np.testing.assert_allclose(*found, rtol=1e-9)


def test_weights_are_left_out_while_training_only() -> None:
    tensors = leaves(tg, GIVEN["packed"])
    full, _ = call(tg, tensors)
    assert tg.equal(call(tg, tensors, dropout_p=0.5, training=False)[0], full)
    _, weights = call(tg, tensors, dropout_p=0.5, average_attn_weights=False)
    assert 0.2 < (weights == 0).float().mean() < 0.8
    assert not tg.allclose(call(tg, tensors, dropout_p=0.5, need_weights=False)[0], full)


def test_masks_of_two_dtypes_warn_as_in_pytorch(torch: Any) -> None:
    for lib in (tg, torch):
        tensors = leaves(lib, GIVEN["packed"])
        mixed = {"attn_mask": lib.zeros(L, S).double(), "key_padding_mask": lib.zeros(N, S).bool()}
        with pytest.warns(UserWarning, match="key_padding_mask"):
            call(lib, tensors, **mixed)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            call(lib, tensors, attn_mask=mixed["attn_mask"], key_padding_mask=lib.zeros(N, S).double())


def changed(**options: Any) -> Callable[[Any], Any]:
    """A call with tensors of other shapes, or without some; with other options."""

    def run(lib: Any) -> Any:
        shapes = {**GIVEN["packed"], **{k: v for k, v in options.items() if isinstance(v, tuple)}}
        given = {k: v(lib) if callable(v) else v for k, v in options.items() if not isinstance(v, tuple)}
        tensors = {name: x for name, x in leaves(lib, shapes).items() if name not in given}
        return call(lib, tensors, **given)

    return run


BAD: dict[str, tuple[Callable[[Any], Any], str]] = {
    "width": (changed(query=(L, N, 7)), r"widths must be \(8, 8, 8\).*\(4, 3, 7\)"),
    "width of keys": (changed(key=(S, N, 7), value=(S, N, 7)), r"widths must be \(8, 8, 8\)"),
    "dimensions": (changed(query=(L, E)), "of one example"),
    "four dimensions": (changed(query=(1, L, N, E)), r"\(length, N, width\)"),
    "values": (changed(value=(L, N, E)), "as many values as keys"),
    "batch": (changed(key=(S, 1, E), value=(S, 1, E)), "one batch size"),
    "heads": (changed(num_heads=3), "num_heads 3 must divide the width 8"),
    "no weight": (changed(in_proj_weight=None), "q_proj_weight, k_proj_weight and v_proj_weight can't be None"),
    "weight": (changed(in_proj_weight=(2 * E, E)), r"in_proj_weight must be \(24, 8\).*\(16, 8\)"),
    "bias of in_proj": (changed(in_proj_bias=(E,)), "bias"),
    "one of two": (changed(bias_k=(1, 1, E)), "bias_k and bias_v come together"),
    "the other of two": (changed(bias_v=(1, 1, E)), "bias_k and bias_v come together"),
    "added to static": (changed(**MORE, **STATIC), "can't be added to static_k"),
    "static heads": (changed(static_k=(N, S, E // H)), r"static_k must be .* \(6, S, 4\); \(3, 5, 4\) came"),
    "static width": (changed(static_v=(N * H, S, E)), r"static_v must be .* \(6, S, 4\); \(6, 5, 8\) came"),
    "mask": (changed(attn_mask=lambda lib: lib.zeros(S, L).double()), r"attn_mask .*\(5, 4\).*\(4, 5\).*\(6, 4, 5\)"),
    "mask of heads": (changed(attn_mask=lambda lib: lib.zeros(N, L, S).double()), r"attn_mask has shape \(3, 4, 5\)"),
    "mask of one row": (changed(attn_mask=lambda lib: lib.zeros(S).double()), r"attn_mask has shape \(5,\)"),
    "padding": (changed(key_padding_mask=lambda lib: lib.zeros(N, L).double()), r"padding_mask .*\(3, 4\).*\(3, 5\)"),
    "padding of one": (changed(key_padding_mask=lambda lib: lib.zeros(S).double()), r"padding_mask .*\(5,\).*\(3, 5\)"),
    "integers": (changed(attn_mask=lambda lib: lib.zeros(L, S).long()), "attn_mask must be bool or floating.*int64"),
    "dtype": (changed(attn_mask=lambda lib: lib.zeros(L, S)), "query's dtype.*float64; .*float32 came"),
    "hint alone": (changed(is_causal=True), "is_causal=True .*generate_square"),
    "probability": (changed(dropout_p=1.5), r"1\.5"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_explained(torch: Any, name: str) -> None:
    run, message = BAD[name]
    with pytest.raises((AssertionError, RuntimeError, ValueError)) as theirs:
        run(torch)
    with pytest.raises(TinygradError, match=f"(?s){message}") as ours:
        run(tg)
    assert isinstance(ours.value, type(theirs.value))
    if "bias of" not in name and name != "probability":
        assert "multi_head_attention_forward: " in str(ours.value)
