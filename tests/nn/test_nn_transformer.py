"""Attention and transformers against PyTorch's, from equal weights: results, gradients, second derivatives, names."""

from __future__ import annotations

import copy
import importlib
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl import nn
from tinygrad_dl.errors import TinygradError
from tinygrad_dl.nn.attention import SDPBackend, sdpa_kernel

L, S, N, E = 4, 5, 3, 8  # lengths of queries and keys, batch size, width


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed (pip install -e '.[compare]')")


def pair(torch: Any, make: Callable[[Any], Any]) -> list[Any]:
    """The module in both libraries, in float64, with PyTorch's numbers."""
    torch.manual_seed(0)
    theirs = make(torch).double()
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.4)  # biases too
    ours = make(tg).double()
    ours.load_state_dict({name: tg.tensor(value.numpy()) for name, value in theirs.state_dict().items()})
    return [ours, theirs]


def results(lib: Any, module: Any, call: Callable[..., Any], arrays: list[Any]) -> list[Any]:
    """Outputs, the gradients of inputs and parameters, and those of a penalty on the inputs' gradients."""
    inputs = [lib.tensor(array, requires_grad=True) for array in arrays]
    kernels = importlib.import_module(f"{lib.__name__}.nn.attention")
    with kernels.sdpa_kernel(kernels.SDPBackend.MATH):  # the only one of PyTorch's with second derivatives
        out = call(lib, module, *inputs)
    outputs = [o for o in (out if isinstance(out, tuple) else (out,)) if o is not None]
    wanted = [*inputs, *module.parameters()]
    loss = sum((o * o).sum() for o in outputs)
    first = lib.autograd.grad(loss, wanted, create_graph=True, allow_unused=True)
    penalty = sum((g * g).sum() for g in first[: len(inputs)] if g is not None)
    second = lib.autograd.grad(penalty, wanted, allow_unused=True)
    found = [*outputs, *first, *second]
    return [None if x is None else x.detach().numpy() for x in found]


def assert_same(found: list[list[Any]]) -> None:
    ours, theirs = found
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs):
        a, b = (np.zeros(1) if x is None else x for x in (a, b))
        assert a.shape == b.shape or 0 == np.abs(a).max() == np.abs(b).max()
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


def arrays(*shapes: tuple[int, ...]) -> list[Any]:
    draw = np.random.default_rng(1)
    return [draw.standard_normal(shape) for shape in shapes]


QKV = [(L, N, E), (S, N, E), (S, N, E)]
HEADS: dict[str, tuple[dict[str, Any], list[tuple[int, ...]]]] = {
    "plain": ({}, QKV),
    "batch_first": ({"batch_first": True}, [(N, L, E), (N, S, E), (N, S, E)]),
    "no bias": ({"bias": False}, QKV),
    "kdim, vdim": ({"kdim": 5, "vdim": 6}, [(L, N, E), (S, N, 5), (S, N, 6)]),
    "kdim, vdim, no bias": ({"kdim": 5, "vdim": 6, "bias": False}, [(L, N, E), (S, N, 5), (S, N, 6)]),
    "add_bias_kv": ({"add_bias_kv": True}, QKV),
    "add_zero_attn": ({"add_zero_attn": True}, QKV),
    "both added": (
        {"add_bias_kv": True, "add_zero_attn": True, "batch_first": True},
        [(N, L, E), (N, S, E), (N, S, E)],
    ),
    "unbatched": ({}, [(L, E), (S, E), (S, E)]),
}
MASKS: dict[str, Callable[[Any, bool], dict[str, Any]]] = {
    "none": lambda lib, batched: {},
    "attn_mask": lambda lib, batched: {"attn_mask": lib.ones(L, S).triu(2).bool()},
    "attn_mask of numbers": lambda lib, batched: {"attn_mask": lib.arange(20.0).reshape(L, S).double() / 7},
    "attn_mask of each": lambda lib, batched: {
        "attn_mask": (lib.arange((N if batched else 1) * 2 * L * S) % 3 == 0).reshape(-1, L, S)
    },
    "padding": lambda lib, batched: {"key_padding_mask": padding(lib, batched)},
    "both": lambda lib, batched: {
        "attn_mask": lib.ones(L, S).triu(2).bool(),
        "key_padding_mask": padding(lib, batched),
    },
}


def padding(lib: Any, batched: bool) -> Any:
    mask = lib.arange(S) >= lib.tensor([[4], [5], [3]])
    return mask if batched else mask[0]


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("name", HEADS)
def test_heads_agree_with_pytorch(torch: Any, name: str, mask: str) -> None:
    options, shapes = HEADS[name]
    modules = pair(torch, lambda lib: lib.nn.MultiheadAttention(E, 2, **options))
    for given in ({}, {"average_attn_weights": False}, {"need_weights": False}):
        found = [
            results(
                lib,
                module,
                lambda lib, m, q, k, v, given=given: m(q, k, v, **MASKS[mask](lib, len(shapes[0]) == 3), **given),
                arrays(*shapes),
            )
            for lib, module in zip((tg, torch), modules)
        ]
        assert_same(found)
    assert repr(modules[0]) == repr(modules[1])


@pytest.mark.parametrize("need_weights", [True, False])
def test_self_attention_in_one_product(torch: Any, need_weights: bool) -> None:
    modules = pair(torch, lambda lib: lib.nn.MultiheadAttention(E, 4, batch_first=True))
    found = []
    for lib, module in zip((tg, torch), modules):
        mask = lib.nn.Transformer.generate_square_subsequent_mask(L).double()

        def call(lib: Any, m: Any, x: Any, mask: Any = mask) -> Any:
            return m(x, x, x, attn_mask=mask, need_weights=need_weights, is_causal=True)

        found.append(results(lib, module, call, arrays((N, L, E))))
    assert_same(found)


@pytest.mark.parametrize("options", [{"add_bias_kv": True}, {"add_zero_attn": True}])
def test_a_causal_mask_leaves_what_was_added_in_sight(options: dict[str, Any]) -> None:
    layer, x = nn.MultiheadAttention(E, 2, **options), tg.randn(L, N, E)
    mask = nn.Transformer.generate_square_subsequent_mask(L)
    told, seen = (layer(x, x, x, None, False, mask, is_causal=hint)[0] for hint in (True, False))
    assert tg.allclose(told, seen, atol=1e-6)


def test_heads_start_as_pytorchs(torch: Any) -> None:
    for options in ({}, {"kdim": 300, "add_bias_kv": True}):
        tg.manual_seed(0), torch.manual_seed(0)
        ours, theirs = (lib.nn.MultiheadAttention(400, 4, **options) for lib in (tg, torch))
        assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
        for (name, a), (_, b) in zip(ours.named_parameters(), theirs.named_parameters()):
            a, b = a.detach().numpy(), b.detach().numpy()
            assert a.shape == b.shape and a.dtype == b.dtype, name
            assert abs(a.std() - b.std()) < 0.2 * b.std() + 1e-9 and abs(np.abs(a).max() - np.abs(b).max()) < 0.3, name


def test_weights_are_left_out_while_training_only() -> None:
    layer, x = nn.MultiheadAttention(E, 2, dropout=0.5), tg.randn(L, N, E)
    tg.manual_seed(0)
    _, weights = layer(x, x, x, average_attn_weights=False)
    assert 0.3 < (weights == 0).float().mean() < 0.7
    assert not tg.allclose(layer(x, x, x, need_weights=False)[0], layer(x, x, x, need_weights=False)[0])
    layer.eval()
    assert (layer(x, x, x)[1] > 0).all()
    assert tg.allclose(layer(x, x, x)[0], layer(x, x, x, need_weights=False)[0], atol=1e-5)


def test_half_precision(torch: Any) -> None:
    q = np.random.default_rng(0).standard_normal((2, 2, 5, 8)).astype("float16")
    ours, theirs = (lib.nn.functional.scaled_dot_product_attention(*[lib.tensor(q)] * 3) for lib in (tg, torch))
    assert ours.dtype == tg.float16
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=5e-3, atol=5e-3)


def long_attention(lib: Any, options: dict[str, Any]) -> list[Any]:
    draw = np.random.default_rng(0)
    q, k, v = (lib.tensor(draw.standard_normal((2, n, 2, 8))).transpose(1, 2) for n in (400, 300, 300))
    wanted = [x.detach().requires_grad_() for x in (q, k, v)]
    options = {name: lib.tensor(value) if name == "attn_mask" else value for name, value in options.items()}
    out = lib.nn.functional.scaled_dot_product_attention(*wanted, **options)
    return [out, *lib.autograd.grad((out**2).sum(), wanted)]


@pytest.mark.parametrize("options", [{}, {"is_causal": True}, {"attn_mask": np.tri(400, 300, -20) > 0}], ids=str)
def test_long_sequences_in_blocks_of_queries(torch: Any, options: dict[str, Any]) -> None:
    for ours, theirs in zip(long_attention(tg, options), long_attention(torch, options)):
        np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-9, atol=1e-12)


def test_long_sequences_keep_no_weights() -> None:
    x = tg.randn(1, 1, 2000, 8, requires_grad=True)
    tracemalloc.start()
    try:
        out = nn.functional.scaled_dot_product_attention(x, x, x)
        out.sum().backward()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2000 * 2000 * 4 / 4, "an array of all queries by all keys has 16 MB"


# --- layers and stacks

CAUSAL = "causal"
LAYERS: dict[str, dict[str, Any]] = {
    "plain": {},
    "batch_first": {"batch_first": True},
    "norm_first, gelu": {"norm_first": True, "activation": "gelu"},
    "no bias": {"bias": False, "layer_norm_eps": 1e-3},
}


def causal(lib: Any, n: int) -> Any:
    return lib.nn.Transformer.generate_square_subsequent_mask(n).double()


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", LAYERS)
def test_encoders_agree_with_pytorch(torch: Any, name: str, training: bool) -> None:
    options = {"dropout": 0.0, **LAYERS[name]}

    def make(lib: Any) -> Any:
        layer = lib.nn.TransformerEncoderLayer(E, 2, 6, **options)
        return lib.nn.TransformerEncoder(layer, 2, lib.nn.LayerNorm(E), enable_nested_tensor=False)

    modules = [module.train(training) for module in pair(torch, make)]
    shape = (N, L, E) if "batch_first" in options else (L, N, E)
    for given in (
        lambda lib: {},
        lambda lib: {"mask": causal(lib, L)},
        lambda lib: {"mask": causal(lib, L), "is_causal": True},
        lambda lib: {"mask": lib.ones(L, L).triu(2).bool()},
        lambda lib: {"src_key_padding_mask": lib.arange(L) >= lib.tensor([[4], [2], [3]])},
    ):
        found = [
            results(lib, module, lambda lib, m, x, given=given: m(x, **given(lib)), arrays(shape))
            for lib, module in zip((tg, torch), modules)
        ]
        assert_same(found)
    assert repr(modules[0]) == repr(modules[1])


@pytest.mark.parametrize("name", LAYERS)
def test_decoders_agree_with_pytorch(torch: Any, name: str) -> None:
    options = {"dropout": 0.0, **LAYERS[name]}
    modules = pair(torch, lambda lib: lib.nn.TransformerDecoder(lib.nn.TransformerDecoderLayer(E, 2, 6, **options), 2))
    shapes = [(N, L, E), (N, S, E)] if "batch_first" in options else [(L, N, E), (S, N, E)]

    def call(lib: Any, m: Any, x: Any, memory: Any) -> Any:
        return m(x, memory, tgt_mask=causal(lib, L), memory_key_padding_mask=padding(lib, True))

    assert_same([results(lib, module, call, arrays(*shapes)) for lib, module in zip((tg, torch), modules)])
    assert repr(modules[0]) == repr(modules[1])


@pytest.mark.parametrize("batched", [True, False])
def test_the_whole_agrees_with_pytorch(torch: Any, batched: bool) -> None:
    modules = pair(torch, lambda lib: lib.nn.Transformer(E, 2, 2, 1, 6, 0.0, "gelu", batch_first=True, norm_first=True))
    shapes = [(N, S, E), (N, L, E)] if batched else [(S, E), (L, E)]

    def call(lib: Any, m: Any, src: Any, tgt: Any) -> Any:
        pad = padding(lib, batched)
        return m(src, tgt, tgt_mask=causal(lib, L), src_key_padding_mask=pad, memory_key_padding_mask=pad)

    assert_same([results(lib, module, call, arrays(*shapes)) for lib, module in zip((tg, torch), modules)])
    assert repr(modules[0]) == repr(modules[1])
    assert list(modules[0].state_dict()) == list(modules[1].state_dict())


def test_an_activation_may_be_a_function_or_a_module(torch: Any) -> None:
    for activation in (lambda lib: lib.tanh, lambda lib: lib.nn.SiLU()):
        modules = pair(torch, lambda lib, a=activation: lib.nn.TransformerEncoderLayer(E, 2, 6, 0.0, a(lib)))
        assert_same(
            [results(lib, m, lambda lib, m, x: m(x), arrays((L, N, E))) for lib, m in zip((tg, torch), modules)]
        )
    twin = copy.deepcopy(modules[0])
    assert repr(twin) == repr(modules[1])


def test_bilinear_maps_agree_with_pytorch(torch: Any) -> None:
    for bias in (True, False):
        modules = pair(torch, lambda lib, bias=bias: lib.nn.Bilinear(3, 2, 4, bias))
        found = [
            results(lib, module, lambda lib, m, x, y: m(x, y), arrays((5, 3), (5, 2)))
            for lib, module in zip((tg, torch), modules)
        ]
        assert_same(found)
        assert repr(modules[0]) == repr(modules[1])
    assert nn.Bilinear(100, 5, 7).weight.abs().max().item() == pytest.approx(0.1, rel=0.02)


def test_kernels_may_be_chosen_and_change_nothing() -> None:
    x = tg.randn(2, 3, 4)
    plain = nn.functional.scaled_dot_product_attention(x, x, x)
    with sdpa_kernel([SDPBackend.MATH, SDPBackend.FLASH_ATTENTION], set_priority=True):
        assert tg.equal(nn.functional.scaled_dot_product_attention(x, x, x), plain)
    with pytest.raises(TypeError, match="'math'"), sdpa_kernel("math"):  # type: ignore[arg-type]
        pass


BAD: dict[str, tuple[Callable[[], Any], str]] = {
    "heads": (lambda: nn.MultiheadAttention(8, 3), "num_heads 3 must divide embed_dim 8"),
    "dropout": (lambda: nn.MultiheadAttention(8, 2, 1.5), "1.5"),
    "width": (lambda: attend((L, N, 7), (S, N, E), (S, N, E)), r"widths must be \(8, 8, 8\).*\(4, 3, 7\)"),
    "dims": (lambda: attend((L, N, E), (S, E), (S, E)), r"\(length, N, width\).*\(5, 8\)"),
    "values": (lambda: attend((L, N, E), (S, N, E), (L, N, E)), "as many values as keys"),
    "batch": (lambda: attend((L, N, E), (S, 1, E), (S, 1, E)), "one batch size"),
    "attn_mask": (
        lambda: attend((L, N, E), (S, N, E), (S, N, E), attn_mask=tg.zeros(S, L)),
        r"attn_mask has shape \(5, 4\).*\(4, 5\).*\(6, 4, 5\)",
    ),
    "padding": (
        lambda: attend((L, N, E), (S, N, E), (S, N, E), key_padding_mask=tg.zeros(N, L)),
        r"key_padding_mask has shape \(3, 4\).*\(3, 5\)",
    ),
    "integers": (lambda: attend((L, N, E), (S, N, E), (S, N, E), attn_mask=tg.zeros(L, S).long()), "int64"),
    "causal without a mask": (lambda: attend((L, N, E), (L, N, E), (L, N, E), is_causal=True), "generate_square"),
    "activation": (lambda: nn.TransformerEncoderLayer(8, 2, activation="tanh"), "'tanh'"),
    "width of src": (
        lambda: nn.Transformer(8, 2, 1, 1, 4)(tg.ones(S, N, 7), tg.ones(L, N, 8)),
        r"d_model 8.*\(5, 3, 7\)",
    ),
    "batch of tgt": (lambda: nn.Transformer(8, 2, 1, 1, 4)(tg.ones(S, N, 8), tg.ones(L, 2, 8)), "one batch size"),
    "query's width": (lambda: product((2, 3, 4), (2, 3, 5), (2, 3, 5)), "of one width"),
    "keys and values": (lambda: product((2, 3, 4), (2, 3, 4), (2, 4, 4)), "as many keys as values"),
    "leading": (lambda: product((2, 3, 4), (3, 3, 4), (3, 3, 4)), "must broadcast"),
    "rows": (lambda: product((4,), (4,), (4,)), "must have rows"),
    "mask of attention": (lambda: product((2, 3, 4), (2, 3, 4), (2, 3, 4), attn_mask=tg.zeros(4, 3)), r"\(4, 3\)"),
    "two masks": (
        lambda: product((3, 4), (3, 4), (3, 4), attn_mask=tg.zeros(3, 3), is_causal=True),
        "is_causal=True is a mask",
    ),
    "probability": (lambda: product((3, 4), (3, 4), (3, 4), dropout_p=1.5), "1.5"),
    "heads of keys": (lambda: product((4, 3, 4), (3, 3, 4), (3, 3, 4), enable_gqa=True), "divide"),
    "bilinear": (lambda: nn.Bilinear(3, 2, 4)(tg.ones(5, 3), tg.ones(5, 3)), r"\(5, 3\).*\(4, 3, 2\)"),
}


def attend(*shapes: tuple[int, ...], **options: Any) -> Any:
    return nn.MultiheadAttention(E, 2)(*[tg.ones(shape) for shape in shapes], **options)


def product(*shapes: tuple[int, ...], **options: Any) -> Any:
    return nn.functional.scaled_dot_product_attention(*[tg.ones(shape) for shape in shapes], **options)


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_explained(name: str) -> None:
    call, message = BAD[name]
    with pytest.raises(TinygradError, match=f"(?s){message}"):
        call()
