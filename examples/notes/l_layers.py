"""L layers from two blocks: forward keeps a cache, backward takes it up (notes 1.7).

Forward block l: A[l−1] → A[l], cache (A[l−1], W[l], Z[l]). Backward block l: dA[l] → dA[l−1], dW[l], db[l]. The notes'
dZ and dA belong to one example's loss; 1/m comes in with dW and db, as the derivation says. The sizes are 2-3-5-4-2-1.
"""

from typing import Any

from common import agree, draw, leaves, start

import tinygrad_dl as tg
from tinygrad_dl import viz
from tinygrad_dl.nn import functional as F

SIZES = [2, 3, 5, 4, 2, 1]
L = len(SIZES) - 1
Cache = tuple[tg.Tensor, tg.Tensor, tg.Tensor]

# --- by hand


def forward_block(A_prev: tg.Tensor, W: tg.Tensor, b: tg.Tensor, g: Any) -> tuple[tg.Tensor, Cache]:
    Z = W @ A_prev + b
    return g(Z), (A_prev, W, Z)


def backward_block(dA: tg.Tensor, cache: Cache, g_slope: Any) -> tuple[tg.Tensor, tg.Tensor, tg.Tensor]:
    A_prev, W, Z = cache
    m = Z.shape[1]
    dZ = dA * g_slope(Z)
    dW = (1 / m) * dZ @ A_prev.T
    db = (1 / m) * dZ.sum(dim=1, keepdim=True)
    return W.T @ dZ, dW, db


def relu_slope(Z: tg.Tensor) -> tg.Tensor:
    return (Z > 0).double()


def sigmoid_slope(Z: tg.Tensor) -> tg.Tensor:
    a = tg.sigmoid(Z)
    return a * (1 - a)


def by_hand(
    W: list[tg.Tensor], b: list[tg.Tensor], X: tg.Tensor, Y: tg.Tensor
) -> tuple[list[tg.Tensor], list[tg.Tensor]]:
    """dW[1] to dW[L] and db[1] to db[L]."""
    A, caches = X, []
    for layer in range(1, L + 1):
        A, cache = forward_block(A, W[layer], b[layer], tg.sigmoid if layer == L else tg.relu)
        caches.append(cache)
    dA = -Y / A + (1 - Y) / (1 - A)
    dW, db = [], []
    for layer in range(L, 0, -1):
        dA, dW_layer, db_layer = backward_block(dA, caches[layer - 1], sigmoid_slope if layer == L else relu_slope)
        dW.insert(0, dW_layer)
        db.insert(0, db_layer)
    return dW, db


# --- by the engine


def cost(W: list[tg.Tensor], b: list[tg.Tensor], X: tg.Tensor, Y: tg.Tensor) -> tg.Tensor:
    Z, A = {}, {0: X}
    for l in range(1, L):
        k = l - 1
        Z[l] = W[l] @ A[k] + b[l]
        A[l] = tg.relu(Z[l])
    Z[L] = W[L] @ A[L - 1] + b[L]
    A[L] = tg.sigmoid(Z[L])
    J = F.binary_cross_entropy_with_logits(Z[L], Y)
    return J


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    options = start("l_layers.py", __doc__, arguments)
    tg.manual_seed(1)
    m = 4
    X = tg.randn(SIZES[0], m)
    Y = tg.tensor([[1.0, 0.0, 1.0, 0.0]])
    W, b = [None], [None]  # from W[1] on, as in the notes
    for l in range(1, L + 1):
        W += leaves((tg.randn(SIZES[l], SIZES[l - 1]) * (2 / SIZES[l - 1]) ** 0.5).tolist())
        b += leaves([[0.1]] * SIZES[l])

    print(viz.explain(cost, W, b, X, Y, notation="d", per_example=True))
    with viz.trace():
        J = cost(W, b, X, Y)
    J.backward()
    draw(viz.graph(J, title="Five layers, 2-3-5-4-2-1", letters=False), "five_layers", options)

    print("\nThe blocks by hand beside backward()")
    with tg.no_grad():
        dW, db = by_hand(W, b, X, Y)
    for l in range(1, L + 1):
        assert W[l].grad.shape == W[l].shape and b[l].grad.shape == b[l].shape
        agree(f"dW[{l}], shape {tuple(W[l].shape)}", W[l].grad, dW[l - 1])
        agree(f"db[{l}], shape {tuple(b[l].shape)}", b[l].grad, db[l - 1])
    parameters = sum(p.numel() for p in W[1:] + b[1:])
    print(f"  {parameters} parameters in all")
    shapes = {f"W{l}": list(W[l].shape) for l in range(1, L + 1)} | {"b": [p.shape[0] for p in b[1:]]}
    return {**shapes, "parameters": parameters}


if __name__ == "__main__":
    main()
