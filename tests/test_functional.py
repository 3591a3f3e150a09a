"""autograd.functional and func: closed forms, the notes' numbers, and PyTorch where it is installed."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest

import tinygrad_dl as tg
from tinygrad_dl import func, nn
from tinygrad_dl.autograd import functional
from tinygrad_dl.nested import leaves_of
from tinygrad_dl.operation import keep, operation
from tinygrad_dl.utils.checkpoint import checkpoint

WORKED = {
    entry["id"]: entry
    for entry in json.loads((Path(__file__).parent / "data" / "worked_numbers.json").read_text(encoding="utf-8"))
}


class Pair(NamedTuple):
    a: Any
    b: Any


def double(*values: Any, requires_grad: bool = False) -> Any:
    return tg.tensor(values, dtype=tg.float64, requires_grad=requires_grad)


def close(ours: Any, expected: Any, tolerance: float = 1e-12) -> None:
    np.testing.assert_allclose(ours.detach().numpy(), np.asarray(expected), rtol=tolerance, atol=tolerance)


# --- closed forms


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_jacobians_of_softmax_and_log_softmax(name: str) -> None:
    entry = WORKED["A03"]
    z, f = double(*entry["inputs"]["z"]), lambda z: getattr(tg, name)(z, 0)
    for found in (
        functional.jacobian(f, z),
        functional.jacobian(f, z, vectorize=True, strategy="forward-mode"),
        func.jacrev(f)(z),
        func.jacfwd(f)(z),
    ):
        close(found, entry["expected"][name], entry["tolerance"])


def test_gradients_of_the_notes_first_graph() -> None:
    entry = WORKED["W001"]
    inputs = {name: double(value)[0] for name, value in entry["inputs"].items()}
    gradients, value = func.grad_and_value(lambda p: 3 * (p["a"] + p["b"] * p["c"]))(inputs)
    assert value.item() == entry["expected"]["J"]
    assert {f"dJ_d{name}": g.item() for name, g in gradients.items()} == {
        name: entry["expected"][name] for name in ("dJ_da", "dJ_db", "dJ_dc")
    }


def test_hessian_of_logistic_regression() -> None:
    """H = X·diag(a(1-a))·Xᵀ / m, and products with it."""
    draw = np.random.default_rng(0)
    X, y, w = draw.normal(size=(3, 7)), draw.integers(0, 2, 7).astype(float), draw.normal(size=3)
    X_, y_ = tg.tensor(X), tg.tensor(y)

    def loss(w: Any) -> Any:
        a = tg.sigmoid(w @ X_)
        return -(y_ * a.log() + (1 - y_) * (1 - a).log()).mean()

    a = 1 / (1 + np.exp(-w @ X))
    H = X * (a * (1 - a)) @ X.T / 7
    v = double(1.0, -2.0, 0.5)
    close(functional.hessian(loss, tg.tensor(w)), H)
    close(func.hessian(loss)(tg.tensor(w)), H)
    for product in (functional.hvp, functional.vhp):
        value, found = product(loss, tg.tensor(w), v)
        close(found, H @ v.numpy())
        close(value, loss(tg.tensor(w)).item())


def test_saddle_point() -> None:
    """The notes' f = x² − y²: eigenvalues of both signs."""
    close(functional.hessian(lambda p: p[0] ** 2 - p[1] ** 2, double(0.0, 0.0)), [[2, 0], [0, -2]])


def test_products_with_a_matrix() -> None:
    A = np.arange(6.0).reshape(2, 3)
    linear = lambda x: tg.tensor(A) @ x  # noqa: E731
    x, v, u = double(1.0, 2.0, 3.0), double(1.0, 0.0, -1.0), double(2.0, 5.0)
    close(functional.jvp(linear, x, v)[1], A @ v.numpy())
    close(functional.vjp(linear, x, u)[1], A.T @ u.numpy())
    close(func.jvp(linear, (x,), (v,))[1], A @ v.numpy())
    close(func.vjp(linear, x)[1](u)[0], A.T @ u.numpy())


def test_products_where_the_hessian_is_not_symmetric() -> None:
    """x·y with the gradient (y, 0), since a hook takes away y's share the first time: H is [[0, 1], [0, 0]]."""

    def f(x: Any, y: Any) -> Any:
        share = iter([0.0])
        y = y * 1
        y.register_hook(lambda g: g * next(share, 1.0))
        return x * y

    x, y, v = double(3.0)[0], double(5.0)[0], (double(10.0)[0], double(100.0)[0])
    assert [t.item() for t in functional.hvp(f, (x, y), v)[1]] == [100, 0]
    assert [t.item() for t in functional.vhp(f, (x, y), v)[1]] == [0, 10]


def test_a_first_derivative_needs_no_second_one() -> None:
    @operation(input=lambda g, slope: g * slope)
    def once(input: Any) -> Any:
        return keep(input * input, slope=2 * input)

    x, w = double(1.0, 2.0), double(1.0, requires_grad=True)
    assert func.grad(lambda x: once(x).sum())(x).tolist() == [2, 4]
    assert func.jacrev(once)(x).tolist() == functional.jacobian(once, x).tolist() == [[2, 0], [0, 4]]
    with pytest.raises(NotImplementedError, match="once"):
        func.grad(lambda x: (once(x) * w).sum())(x)


def test_derivatives_of_any_order() -> None:
    f = lambda x: x**5  # noqa: E731
    derivative, expected = f, [2.0**5]
    for k in range(5):
        derivative = func.grad(derivative)
        expected.append(expected[-1] * (5 - k) / 2)
        assert derivative(tg.tensor(2.0)).item() == pytest.approx(expected[-1])


def test_jacobian_of_a_function_that_calls_grad() -> None:
    def slope(x: Any) -> Any:
        return tg.autograd.grad((x**3).sum(), x, create_graph=True)[0]

    close(functional.jacobian(slope, double(1.0, 2.0)), [[6, 0], [0, 12]])
    close(func.jacfwd(slope)(double(1.0, 2.0)), [[6, 0], [0, 12]])
    close(func.grad(lambda x: slope(x).sum())(double(1.0, 2.0)), [6, 12])


def test_an_inner_function_takes_the_outer_argument_for_a_constant() -> None:
    """d/dx [x · d/dy (x·y)] = d/dx x² = 2x; confusing the two levels gives x or 0."""
    inner = lambda x: func.grad(lambda y: x * y)(tg.tensor(1.0))  # noqa: E731
    assert func.grad(lambda x: x * inner(x))(tg.tensor(3.0)).item() == 6
    same = lambda x: func.grad(lambda y: x * y)(x)  # noqa: E731  # d/dy at y = x, not d/dx of x²
    assert same(tg.tensor(3.0)).item() == 3 and func.grad(same)(tg.tensor(3.0)).item() == 1


def test_a_gradient_step_inside_a_function() -> None:
    """d/dw of L(w − a·L'(w)) with L = w²/2·c: c·(1−ac)²·w, through the inner gradient."""
    a, c, w = 0.1, 3.0, double(2.0)[0]
    loss = lambda w: c * w * w / 2  # noqa: E731
    close(func.grad(lambda w: loss(w - a * func.grad(loss)(w)))(w), c * (1 - a * c) ** 2 * 2.0)


# --- what belongs to which graph


def test_closures_that_require_grad() -> None:
    w = double(2.0, 3.0, requires_grad=True)
    f = lambda x: (w * x**3).sum()  # noqa: E731
    x = double(1.0, 2.0)
    for found in (
        func.grad(f)(x),
        functional.jacobian(f, x, create_graph=True),
        functional.vjp(f, x, create_graph=True)[1],
        functional.hvp(lambda x: (w * x**4).sum() / 4, x, double(1.0, 1.0), create_graph=True)[1],
    ):
        close(tg.autograd.grad(found.sum(), w)[0], 3 * x.numpy() ** 2)
    assert not functional.jacobian(f, x).requires_grad
    assert w.grad is None


def test_nothing_is_left_of_a_graph_that_nobody_outside_needs() -> None:
    x = double(1.0, 2.0)
    point = func.grad_and_value(lambda x: ((x * x).sum(), x * 2), has_aux=True)(x)
    gradients, (value, aux) = point
    assert not any(t.requires_grad for t in (gradients, value, aux, func.hessian(lambda x: (x**3).sum())(x)))
    w = double(1.0, 1.0, requires_grad=True)
    gradients, value = func.grad_and_value(lambda x: (x * x).sum() + w.sum())(x)
    assert value.requires_grad and not gradients.requires_grad


def test_grad_modes() -> None:
    x = double(1.0, 2.0, requires_grad=True)
    for mode in (tg.no_grad, tg.inference_mode):
        with mode():
            found = func.grad(lambda x: (x**3).sum())(x)
            close(found, [3, 12])
            assert not found.requires_grad
            close(functional.jacobian(lambda x: x * x, x), [[2, 0], [0, 4]])
            assert functional.jacobian(lambda x: x * x, x, create_graph=True).requires_grad
            value, gradient = func.value_and_grad(lambda y: (x * y).sum())(double(1.0, 1.0))
            assert gradient.tolist() == x.tolist() and not value.requires_grad and not gradient.requires_grad
    with tg.no_grad():  # inside the function, no_grad counts
        assert func.grad(lambda x: _without_grad(x).sum() + x.sum())(x).tolist() == [1, 1]


def _without_grad(x: Any) -> Any:
    with tg.no_grad():
        return x * x


def test_the_callers_tensors_stay_as_they_are() -> None:
    x = double(1.0, 2.0, requires_grad=True)
    y = x * 2
    node, before = y.node, y.tolist()
    functional.hessian(lambda y: (y**3).sum(), y, create_graph=True)
    func.jacrev(lambda y: y * x)(y)
    assert x.grad is None and y.node is node and y.tolist() == before
    (y * y).sum().backward()
    close(x.grad, 8 * np.array([1.0, 2.0]))


def test_a_function_that_edits_its_input() -> None:
    """f = (3x)²: PyTorch differentiates with respect to the edited value here, and gives 6x for 18x."""
    f = lambda x: x.mul_(3) * x  # noqa: E731
    x = double(1.0, 2.0, requires_grad=True)
    y = x * 1
    close(functional.jacobian(f, y, create_graph=True), [[18, 0], [0, 36]])
    close(y, [1, 2])
    close(func.grad(lambda x: f(x).sum())(y), [18, 36])
    close(func.grad(lambda x: f(x.clone()).sum())(double(1.0, 2.0)), [18, 36])
    with pytest.raises(RuntimeError, match="leaf"):
        functional.jacobian(f, double(1.0, 2.0))


def test_on_a_device() -> None:
    x, w = tg.tensor([1.0, 2.0], device="strict"), tg.tensor(3.0, device="strict", requires_grad=True)
    f = lambda x: (w * x**3, x.sum())  # noqa: E731
    found = [
        functional.jacobian(f, x),
        functional.jvp(f, x, x)[1],
        functional.hessian(lambda x: f(x)[0].sum(), x),
        func.jacfwd(f)(x),
        func.jacrev(lambda x: x[:0])(x),
        func.grad(lambda x: checkpoint(f, x)[0].sum())(x),
    ]
    assert {str(t.device) for t in leaves_of(found)} == {"strict"}
    assert found[5].tolist() == [9, 36]


# --- structures


def test_nested_arguments_and_results() -> None:
    def f(p: Any, x: Any) -> Any:
        return {"sum": p["w"][0] * x + p["b"], "rest": [(x * x,), p["w"][1].sum()]}

    p = {"w": [double(1.0, 2.0), double(5.0)], "b": double(3.0)[0]}
    x = double(10.0, 20.0)
    for found in (func.jacrev(f)(p, x), func.jacfwd(f)(p, x)):
        close(found["sum"]["w"][0], [[10, 0], [0, 20]])
        close(found["sum"]["b"], [1, 1])
        close(found["rest"][1]["w"][1], [1])
        close(found["rest"][0][0]["w"][0], np.zeros((2, 2)))
    both = func.jacrev(f, argnums=(0, 1))(p, x)
    close(both["sum"][1], [[1, 0], [0, 2]])
    close(both["rest"][0][0][1], [[20, 0], [0, 40]])
    output, pull = func.vjp(f, p, x)
    gradients, of_x = pull({"sum": double(1.0, 1.0), "rest": [(double(0.0, 1.0),), double(2.0)[0]]})
    close(gradients["w"][1], [2])
    close(of_x, [1, 2 + 40])
    assert output["rest"][1].item() == 5


def test_named_tuples_and_plain_results_keep_their_types() -> None:
    gradients = func.grad(lambda p: (p.a * p.b).sum())(Pair(double(1.0, 2.0), double(3.0)))
    assert isinstance(gradients, Pair) and gradients.b.tolist() == [3]
    assert isinstance(func.grad(lambda p: p[0] * p[1])([double(1.0)[0], double(2.0)[0]]), list)


def test_empty_and_0d_tensors() -> None:
    empty = tg.zeros(0, 3)
    assert functional.jacobian(lambda x: x * x, empty).shape == (0, 3, 0, 3)
    assert func.jacfwd(lambda x: x * x)(empty).shape == (0, 3, 0, 3)
    assert functional.jacobian(lambda x: x[:0], tg.ones(2)).shape == (0, 2)
    assert func.grad(lambda x: x.sum())(empty).shape == (0, 3)
    assert functional.hessian(lambda x: x**3, tg.tensor(2.0)).item() == 12
    assert functional.jvp(lambda x: x * x, tg.tensor(3.0))[1].item() == 6


def test_value_and_grad_is_in_the_other_order() -> None:
    f = lambda x: (x * x, "aux")  # noqa: E731
    (value, aux), gradient = func.value_and_grad(f, has_aux=True)(tg.tensor(3.0))
    assert (value.item(), aux, gradient.item()) == (9, "aux", 6)


def test_keyword_arguments_are_constant() -> None:
    k = double(5.0, requires_grad=True)
    found = func.grad(lambda x, k: (x * k).sum())(double(2.0), k=k)
    assert found.tolist() == [5] and found.requires_grad


def test_gradients_of_a_network_by_its_weights() -> None:
    tg.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    x = tg.randn(5, 3)
    loss = lambda weights, x: (func.functional_call(net, weights, x) ** 2).mean()  # noqa: E731
    gradients = func.grad(loss)({name: p.detach() for name, p in net.named_parameters()}, x)
    (net(x) ** 2).mean().backward()
    for name, parameter in net.named_parameters():
        assert (gradients[name] == parameter.grad).all() and not gradients[name].requires_grad


def test_import_as_from_pytorch() -> None:
    from tinygrad_dl.autograd.functional import hessian, jacobian
    from tinygrad_dl.func import functional_call, grad

    assert (hessian, jacobian) == (functional.hessian, functional.jacobian)
    assert grad is func.grad and functional_call is tg.nn.functional_call.functional_call


# --- the same calls in PyTorch: values, structure, dtypes, requires_grad, or the class of the error

SQUARE = lambda x: (x * x).sum()  # noqa: E731
CALLS: dict[str, Any] = {
    "jacobian": lambda m, F, f, t: F.jacobian(lambda x: x * x, t.x),
    "jacobian, recorded": lambda m, F, f, t: F.jacobian(lambda x: x * x, t.x, create_graph=True),
    "jacobian, recorded, of what requires grad": lambda m, F, f, t: F.jacobian(lambda x: x**3, t.r, create_graph=True),
    "jacobian, not recorded": lambda m, F, f, t: F.jacobian(lambda x: x**3, t.r),
    "jacobian, linear": lambda m, F, f, t: F.jacobian(lambda x: x * 3, t.r, create_graph=True),
    "jacobian, tuple of one": lambda m, F, f, t: F.jacobian(lambda x: x * x, (t.x,)),
    "jacobian, two and two": lambda m, F, f, t: F.jacobian(
        lambda x, y: (x * y, x.sum()), (t.x, t.r), create_graph=True
    ),
    "jacobian, matrices": lambda m, F, f, t: F.jacobian(lambda A, x: A @ x, (t.A, t.x)),
    "jacobian, vectorized": lambda m, F, f, t: F.jacobian(lambda x: x**3, t.r, vectorize=True),
    "jacobian, mixed dtypes": lambda m, F, f, t: F.jacobian(lambda x, y: x * y, (t.x, t.single)),
    "jacobian, independent": lambda m, F, f, t: F.jacobian(lambda x, y: x * x, (t.x, t.r), create_graph=True),
    "jacobian, constant": lambda m, F, f, t: F.jacobian(lambda x: t.x * 2, t.single),
    "jacobian, integers come out": lambda m, F, f, t: F.jacobian(lambda x: x.long(), t.x),
    "jacobian, integers come in": lambda m, F, f, t: F.jacobian(lambda x: x * 1.0, t.x.long()),
    "jacobian, a list comes in": lambda m, F, f, t: F.jacobian(lambda x, y: x * y, [t.x, t.x]),
    "jacobian, a number comes in": lambda m, F, f, t: F.jacobian(lambda x, y: x * y, (t.x, 2.0)),
    "jacobian, a number comes out": lambda m, F, f, t: F.jacobian(lambda x: 2.0, t.x),
    "jacobian, strict": lambda m, F, f, t: F.jacobian(lambda x: x * 3, t.x, strict=True),
    "jacobian, strict, independent": lambda m, F, f, t: F.jacobian(lambda x, y: x * x, (t.x, t.x), strict=True),
    "jacobian, strict, constant": lambda m, F, f, t: F.jacobian(lambda x: t.x * 2, t.x, strict=True),
    "jacobian, strict, linear": lambda m, F, f, t: F.jacobian(lambda x: x * 3, t.x, strict=True, create_graph=True),
    "jacobian, one of two constant": lambda m, F, f, t: F.jacobian(lambda x: (x, t.x), t.x, strict=True),
    "jacobian of grad": lambda m, F, f, t: F.jacobian(
        lambda x: m.autograd.grad((x**3).sum(), x, create_graph=True)[0], t.x
    ),
    "jacobian of hvp": lambda m, F, f, t: F.jacobian(
        lambda x: F.hvp(lambda x: (x**4).sum(), x, t.x, create_graph=True)[1], t.x
    ),
    "hessian": lambda m, F, f, t: F.hessian(lambda x: (x**3).sum(), t.x),
    "hessian, recorded": lambda m, F, f, t: F.hessian(lambda x: (x**3).sum(), t.r, create_graph=True),
    "hessian, two": lambda m, F, f, t: F.hessian(lambda x, y: (x * x * y).sum(), (t.x, t.r)),
    "hessian, one dimension too many": lambda m, F, f, t: F.hessian(lambda x: (x**3).sum().reshape(1), t.x),
    "hessian, linear": lambda m, F, f, t: F.hessian(lambda x: (3 * x).sum(), t.x),
    "hessian, constant": lambda m, F, f, t: F.hessian(lambda x: t.r.sum(), t.x),
    "hessian, not of a number": lambda m, F, f, t: F.hessian(lambda x: x * x, t.x),
    "hessian, of a tuple": lambda m, F, f, t: F.hessian(lambda x: (SQUARE(x), SQUARE(x)), t.x),
    "hessian, strict, linear": lambda m, F, f, t: F.hessian(lambda x: (3 * x).sum(), t.x, strict=True),
    "hessian, strict": lambda m, F, f, t: F.hessian(SQUARE, t.x, strict=True),
    "hessian, strict, recorded": lambda m, F, f, t: F.hessian(SQUARE, t.x, strict=True, create_graph=True),
    "hessian, strict, apart": lambda m, F, f, t: F.hessian(lambda x, y: SQUARE(x) + SQUARE(y), (t.x, t.x), strict=True),
    "vjp": lambda m, F, f, t: F.vjp(lambda x: x * x, t.x, t.r),
    "vjp, recorded": lambda m, F, f, t: F.vjp(lambda x: 3 * x, t.x, t.r, create_graph=True),
    "vjp, no v": lambda m, F, f, t: F.vjp(SQUARE, t.r, create_graph=True),
    "vjp, tuples": lambda m, F, f, t: F.vjp(lambda x, y: (x * y, y.sum()), (t.x, t.r), (t.x, t.x[0])),
    "vjp, no v for two": lambda m, F, f, t: F.vjp(lambda x: x * x, t.x),
    "vjp, another shape": lambda m, F, f, t: F.vjp(lambda x: x * x, t.x, t.A),
    "vjp, too few": lambda m, F, f, t: F.vjp(lambda x: (x, x), t.x, t.x),
    "vjp, another dtype": lambda m, F, f, t: F.vjp(lambda x: x * x, t.x, t.single),
    "vjp, constant": lambda m, F, f, t: F.vjp(lambda x: t.x * 1, t.x, t.x),
    "vjp, strict, one constant": lambda m, F, f, t: F.vjp(lambda x: (x, t.x), t.x, (t.x, t.x), strict=True),
    "vjp, strict, constant": lambda m, F, f, t: F.vjp(lambda x: t.x * 1, t.x, t.x, strict=True),
    "jvp": lambda m, F, f, t: F.jvp(lambda x: x * x, t.x, t.r),
    "jvp, recorded": lambda m, F, f, t: F.jvp(lambda x: x * x, t.r, t.x, create_graph=True),
    "jvp, linear, recorded": lambda m, F, f, t: F.jvp(lambda x: 3 * x, t.x, t.x, create_graph=True),
    "jvp, tuples": lambda m, F, f, t: F.jvp(lambda x, y: (x * y, y.sum()), (t.x, t.r), (t.x, t.x)),
    "jvp, no v": lambda m, F, f, t: F.jvp(lambda x: x * t.x, t.x[0]),
    "jvp, no v for two": lambda m, F, f, t: F.jvp(lambda x: x * x, t.x),
    "jvp, another shape": lambda m, F, f, t: F.jvp(lambda x: x * x, t.x, t.A),
    "jvp, one constant": lambda m, F, f, t: F.jvp(lambda x: (x, t.x), t.x, t.x),
    "jvp, strict, one constant": lambda m, F, f, t: F.jvp(lambda x: (x, t.x), t.x, t.x, strict=True),
    "jvp, strict, linear": lambda m, F, f, t: F.jvp(lambda x: 3 * x, t.x, t.x, strict=True),
    "jvp, strict, independent": lambda m, F, f, t: F.jvp(lambda x, y: x, (t.x, t.x), (t.x, t.x), strict=True),
    "hvp": lambda m, F, f, t: F.hvp(lambda x: (x**3).sum(), t.x, t.r),
    "hvp, recorded": lambda m, F, f, t: F.hvp(lambda x: (x**3).sum(), t.r, t.x, create_graph=True),
    "hvp, two": lambda m, F, f, t: F.hvp(lambda x, y: (x * x * y).sum(), (t.x, t.r), (t.x, t.x)),
    "hvp, no v": lambda m, F, f, t: F.hvp(lambda x: x**3, t.x[1]),
    "hvp, not of a number": lambda m, F, f, t: F.hvp(lambda x: x * x, t.x, t.x),
    "hvp, linear": lambda m, F, f, t: F.hvp(lambda x: x.sum(), t.x, t.x),
    "hvp, strict, linear": lambda m, F, f, t: F.hvp(lambda x: x.sum(), t.x, t.x, strict=True),
    "hvp, strict": lambda m, F, f, t: F.hvp(SQUARE, t.x, t.x, strict=True),
    "hvp, strict, recorded": lambda m, F, f, t: F.hvp(SQUARE, t.x, t.x, strict=True, create_graph=True),
    "vhp": lambda m, F, f, t: F.vhp(lambda x: (x**3).sum(), t.x, t.r),
    "vhp, recorded": lambda m, F, f, t: F.vhp(lambda x: (x**3).sum(), t.r, t.x, create_graph=True),
    "vhp, two": lambda m, F, f, t: F.vhp(lambda x, y: (x * x * y).sum(), (t.x, t.r), (t.x, t.x)),
    "vhp, strict, linear": lambda m, F, f, t: F.vhp(lambda x: x.sum(), t.x, t.x, strict=True),
    "grad": lambda m, F, f, t: f.grad(SQUARE)(t.x),
    "grad, of what requires grad": lambda m, F, f, t: f.grad(SQUARE)(t.r),
    "grad, linear": lambda m, F, f, t: f.grad(lambda x: (3 * x).sum())(t.r),
    "grad, with a closure": lambda m, F, f, t: f.grad_and_value(lambda x: (t.r * x * x).sum())(t.x),
    "grad, with a closure beside": lambda m, F, f, t: f.grad_and_value(lambda x: SQUARE(x) + t.r.sum())(t.x),
    "grad, argnums": lambda m, F, f, t: f.grad(lambda x, y: (x * y).sum(), argnums=(1, 0))(t.x, t.r),
    "grad, argnums from the end": lambda m, F, f, t: f.grad(lambda x, y: (x * x * y).sum(), argnums=-1)(t.x, t.x),
    "grad, argnums twice": lambda m, F, f, t: f.grad(lambda x, y: (x * y).sum(), argnums=(0, 0))(t.x, t.r),
    "grad, argnums that are not there": lambda m, F, f, t: f.grad(lambda x, y: (x * y).sum(), argnums=2)(t.x, t.r),
    "grad, no argnums": lambda m, F, f, t: f.grad(SQUARE, argnums=())(t.x),
    "grad, argnums of a wrong type": lambda m, F, f, t: f.grad(SQUARE, argnums="0")(t.x),
    "grad, unused": lambda m, F, f, t: f.grad(lambda x, y: SQUARE(x), argnums=(0, 1))(t.x, t.A),
    "grad, constant": lambda m, F, f, t: f.grad(lambda x: t.r.sum())(t.x),
    "grad, a dict": lambda m, F, f, t: f.grad(lambda p: (p["a"] * p["b"][0]).sum())({"a": t.x, "b": [t.r]}),
    "grad, a number in a dict": lambda m, F, f, t: f.grad(lambda p: SQUARE(p["a"]))({"a": t.x, "b": 2.0}),
    "grad, of a number": lambda m, F, f, t: f.grad(lambda x: x * x)(2.0),
    "grad, of integers": lambda m, F, f, t: f.grad(lambda x: (x * 1.0).sum())(t.x.long()),
    "grad, not of a number": lambda m, F, f, t: f.grad(lambda x: x * x)(t.x),
    "grad, one dimension too many": lambda m, F, f, t: f.grad(lambda x: SQUARE(x).reshape(1))(t.x),
    "grad, of a tuple": lambda m, F, f, t: f.grad(lambda x: (SQUARE(x), x))(t.x),
    "grad, aux": lambda m, F, f, t: f.grad(lambda x: (SQUARE(x), {"y": x * 2}), has_aux=True)(t.r),
    "grad_and_value, aux": lambda m, F, f, t: f.grad_and_value(lambda x: (SQUARE(x), x * 2), has_aux=True)(t.x),
    "grad, no aux": lambda m, F, f, t: f.grad(SQUARE, has_aux=True)(t.x),
    "grad of grad": lambda m, F, f, t: f.grad(lambda x: f.grad(lambda x: (x**3).sum())(x).sum())(t.x),
    "func.vjp": lambda m, F, f, t: f.vjp(lambda x, y: (x * y, {"y": y}), t.x, t.r)[1]((t.x, {"y": t.x})),
    "func.vjp, output": lambda m, F, f, t: f.vjp(lambda x: x * x, t.r)[0],
    "func.vjp, the input itself": lambda m, F, f, t: f.vjp(lambda x: x, t.x)[0],
    "func.vjp, v requires grad": lambda m, F, f, t: f.vjp(lambda x: x * x, t.x)[1](t.r),
    "func.vjp, another shape": lambda m, F, f, t: f.vjp(lambda x: x * x, t.x)[1](t.A),
    "func.vjp, aux": lambda m, F, f, t: f.vjp(lambda x: (x * x, x), t.x, has_aux=True)[::2],
    "func.jvp": lambda m, F, f, t: f.jvp(lambda x: {"y": x * x}, (t.r,), (t.x,)),
    "func.jvp, aux": lambda m, F, f, t: f.jvp(lambda x: (x * x, 3 * x), (t.x,), (t.x,), has_aux=True),
    "func.jvp, constant": lambda m, F, f, t: f.jvp(lambda x: t.x * 1, (t.x,), (t.x,)),
    "func.jvp, strict, constant": lambda m, F, f, t: f.jvp(lambda x: t.x * 1, (t.x,), (t.x,), strict=True),
    "func.jvp, no tuple": lambda m, F, f, t: f.jvp(lambda x: x, t.x, t.x),
    "func.jvp, another shape": lambda m, F, f, t: f.jvp(lambda x: x, (t.x,), (t.A,)),
    "func.jvp, too many": lambda m, F, f, t: f.jvp(lambda x: x, (t.x,), (t.x, t.x)),
    "jacrev": lambda m, F, f, t: f.jacrev(lambda x, y: (x * x, {"k": y.sum()}), argnums=(0, 1))(t.x, t.r),
    "jacrev, tuple of one": lambda m, F, f, t: f.jacrev(lambda x: x * x, argnums=(0,))(t.x),
    "jacrev, aux": lambda m, F, f, t: f.jacrev(lambda x: (x * x, x), has_aux=True)(t.x),
    "jacrev, constant": lambda m, F, f, t: f.jacrev(lambda x: t.x * 1)(t.A),
    "jacrev, mixed dtypes": lambda m, F, f, t: f.jacrev(lambda x, y: x * y, argnums=(0, 1))(t.single, t.x),
    "jacrev, integers come out": lambda m, F, f, t: f.jacrev(lambda x: (x, x.long()))(t.x),
    "vjp, integers come out": lambda m, F, f, t: f.vjp(lambda x: x.long(), t.x)[0],
    "jacrev, no chunk": lambda m, F, f, t: f.jacrev(SQUARE, chunk_size=0)(t.x),
    "jacfwd": lambda m, F, f, t: f.jacfwd(lambda A, x: A @ x, argnums=(0, 1))(t.A, t.x),
    "jacfwd, mixed dtypes": lambda m, F, f, t: f.jacfwd(lambda x, y: x * y, argnums=(0, 1))(t.single, t.x),
    "func.hessian": lambda m, F, f, t: f.hessian(lambda x: (x**3).sum())(t.r),
    "func.hessian, argnums": lambda m, F, f, t: f.hessian(lambda x, y: (x * x * y).sum(), argnums=(0, 1))(t.x, t.x),
    "func.hessian, not of a number": lambda m, F, f, t: f.hessian(lambda x: x**3)(t.x),
}
BUILT_IN = (TypeError, ValueError, NotImplementedError, RuntimeError)


def outcome(m: Any, call: Any) -> Any:
    inputs = SimpleNamespace(
        x=m.tensor([1.0, 2.0], dtype=m.float64),
        r=m.tensor([3.0, -4.0], dtype=m.float64, requires_grad=True),
        A=m.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], dtype=m.float64),
        single=m.tensor([0.5, 1.5], dtype=m.float32),
    )
    try:
        return described(call(m, m.autograd.functional, m.func, inputs))
    except BUILT_IN as error:
        return error


def described(result: Any) -> Any:
    if isinstance(result, dict):
        return {name: described(part) for name, part in result.items()}
    if isinstance(result, list | tuple):
        return type(result)(map(described, result))
    return result.tolist(), str(result.dtype).split(".")[-1], tuple(result.shape), result.requires_grad


@pytest.mark.parametrize("name", CALLS)
def test_as_in_pytorch(name: str) -> None:
    torch = pytest.importorskip("torch")
    ours, theirs = outcome(tg, CALLS[name]), outcome(torch, CALLS[name])
    if isinstance(theirs, Exception):
        built_in = next(kind for kind in BUILT_IN if isinstance(theirs, kind))
        assert isinstance(ours, built_in) and isinstance(ours, tg.TinygradError | NotImplementedError), ours
    else:
        assert ours == theirs


# --- what we refuse, or give where PyTorch refuses


def test_errors_name_what_came() -> None:
    x = tg.ones(2)
    for call, words in (
        (lambda: functional.jacobian(lambda x: x, x, strategy="sideways"), "'sideways'"),
        (lambda: functional.vjp(lambda x: x, x, tg.ones(3)), r"vjp: v must .*\[\(2,\)\], \[\(3,\)\] came"),
        (lambda: functional.jacobian(lambda x, y: x, (x, x), strict=True), r"input \[1\]"),
        (lambda: func.grad(lambda x: x)(x), r"shape \(2,\) came"),
        (lambda: func.jacfwd(lambda x: x, randomness="different"), "runs once"),
        (lambda: functional.jacobian(lambda x: x, [x]), "not list"),
    ):
        with pytest.raises((tg.TinygradError, NotImplementedError), match=words):
            call()


def test_forward_mode_of_integers() -> None:
    x = double(1.0, 2.0)
    value, product = func.jvp(lambda x: (x * x, x.argmax()), (x,), (x,))
    assert value[1].item() == 1 and product[1].item() == 0
    close(product[0], [2, 8])
    close(func.jacfwd(lambda x: x.argmax())(x), [0, 0])


def test_forward_mode_works_with_every_option() -> None:
    x = double(1.0, 2.0, requires_grad=True)
    found = functional.jacobian(lambda x: x**3, x, strategy="forward-mode", create_graph=True, strict=True)
    close(found, [[3, 0], [0, 12]])
    close(tg.autograd.grad(found.sum(), x)[0], [6, 12])
