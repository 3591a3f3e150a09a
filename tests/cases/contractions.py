"""Cases of einsum and of what is written with it."""

from __future__ import annotations

from typing import Any

from .table import Case, Draw, cases, inputs


def _equations(*equations: str) -> dict[str, Any]:
    return {f"einsum({text!r})": lambda lib, *xs, text=text: lib.einsum(text, *xs) for text in equations}


CASES: list[Case] = [
    *cases(
        "einsum",
        _equations("ij->ji", "ij->i", "ij->", "ij", "ba", "...->...", "i...->...", "...j", "b a -> a b", "...->"),
        [inputs((2, 3)), inputs((3, 2), layout="transposed"), inputs((0, 3))],
    ),
    *cases("einsum", _equations("ii", "ii->i", "ii->"), [inputs((3, 3)), inputs((0, 0))]),
    *cases("einsum", _equations("iij->ij", "iij->ji", "iij", "iij->j", "...ij->...ji"), [inputs((2, 2, 3))]),
    *cases("einsum", _equations("iijj->ij", "ijij->", "iiij->j", "i...i->..."), [inputs((2, 2, 2, 2))]),
    *cases("einsum", _equations("", "...", "->"), [inputs(())]),
    *cases(
        "einsum",
        _equations("ij,jk->ik", "ij,jk->ki", "ij,jk", "ij,jk->i", "ij,jk->", "ij,jk->ijk", "ij,jk->jki", "ij,jk->j"),
        [
            inputs((2, 3), (3, 4)),
            inputs((2, 1), (3, 4)),
            inputs((2, 0), (0, 4)),
            (Draw((2, 3), layout="transposed"), Draw((3, 4), layout="strided")),
        ],
    ),
    *cases(
        "einsum", _equations("i,i->", "i,i->i", "i,i", "i,j->ij", "i,j->ji", "i,j->j", "i,j->"), [inputs((3,), (3,))]
    ),
    *cases("einsum", _equations("ij,ij->", "ij,ij->ij", "ij,ij->j", "ij,ij->i", "ij,kj->ik"), [inputs((2, 3), (2, 3))]),
    *cases("einsum", _equations("ij,ji->", "ij,ji->i", "ij,ji->ji", "ij,kl->il", "ij,kl"), [inputs((2, 3), (3, 2))]),
    *cases("einsum", _equations("ii,ij->j", "ii,ik->ki", "ij,jj->i"), [inputs((2, 2), (2, 2))]),
    *cases(
        "einsum",
        _equations("bij,bjk->bik", "bij,bjk->bki", "bij,bjk->ik", "bij,bjk->b", "...ij,...jk->...ik", "...ij,...jk"),
        [inputs((2, 3, 2), (2, 2, 4)), inputs((2, 3, 2), (1, 2, 4)), inputs((0, 3, 2), (0, 2, 4))],
    ),
    *cases(
        "einsum",
        _equations("...ij,jk->...ik", "b...j,jk->...kb", "bij,jk->bik", "bij,jk->ikb", "bij,ji->b", "bij,jk->k"),
        [inputs((2, 3, 2), (2, 3))],
    ),
    *cases("einsum", _equations("...,...", "...,...->...", "i...,...->i..."), [inputs((2, 2), (2,))]),
    *cases(
        "einsum",
        _equations("bhqd,bhkd->bhqk", "bqhd,bkhd->bhqk", "bhqd,bhkd->qkbh", "abcd,bcda->dc"),
        [inputs((2, 2, 2, 2), (2, 2, 2, 2))],
    ),
    *cases(
        "einsum",
        _equations("i,ij,j->", "i,ij,j->ij", "i,ij,j->ji", "i,ij,j", "i,ij,j->j"),
        [inputs((2,), (2, 3), (3,))],
    ),
    *cases(
        "einsum",
        _equations("ij,jk,kl->il", "ij,jk,kl->ikl", "ij,jk,kl->", "ij,jk,kl->jl", "ij,jk,kl"),
        [inputs((2, 3), (3, 2), (2, 4)), inputs((2, 1), (3, 2), (1, 4))],
    ),
    *cases("einsum", _equations("ab,bc,cd,de,ef->af"), [inputs((2, 3), (3, 2), (2, 3), (3, 2), (2, 1))]),
    *cases("einsum", _equations("ab,bc,cd,da,ab,b->"), [inputs((2, 3), (3, 2), (2, 3), (3, 2), (2, 3), (3,))]),
    *cases(
        "einsum",
        {
            "einsum(x, [0, 1], y, [1, 2], [2, 0])": lambda lib, x, y: lib.einsum(x, [0, 1], y, [1, 2], [2, 0]),
            "einsum(x, [0, 1], y, [1, 2])": lambda lib, x, y: lib.einsum(x, [0, 1], y, [1, 2]),
            "einsum(x, [..., 0], y, (0, 1))": lambda lib, x, y: lib.einsum(x, [..., 0], y, (0, 1)),
            "einsum(equation, [x, y])": lambda lib, x, y: lib.einsum("ij,jk->ik", [x, y]),
            "einsum(' i j , j k -> k i ')": lambda lib, x, y: lib.einsum(" i j , j k -> k i ", x, y),
            "einsum(x, y.float32)": lambda lib, x, y: lib.einsum("ij,jk->ijk", x, y.to(lib.float32)),
        },
        [inputs((2, 3), (3, 4))],
    ),
    *cases(
        "tensordot",
        {
            "tensordot(x, y)": lambda lib, x, y: lib.tensordot(x, y),
            "tensordot(x, y, 1)": lambda lib, x, y: lib.tensordot(x, y.transpose(0, 1), 1),
            "tensordot(x, y, dims=0)": lambda lib, x, y: lib.tensordot(x, y, dims=0),
            "tensordot(x, y, ([-1], [1]))": lambda lib, x, y: lib.tensordot(x, y, ([-1], [1])),
            "tensordot(x, y, [[1, 2], [0, 1]])": lambda lib, x, y: lib.tensordot(x, y, [[1, 2], [0, 1]]),
            "tensordot(x, y, ((2, 1), (1, 0)))": lambda lib, x, y: lib.tensordot(x, y, ((2, 1), (1, 0))),
            "tensordot(x, y, tensor)": lambda lib, x, y: lib.tensordot(x, y, lib.tensor([[1], [0]])),
        },
        [inputs((2, 3, 4), (3, 4, 2)), inputs((2, 3, 4), (3, 4)), inputs((2, 3, 1), (1, 4))],
    ),
    *cases(
        "inner",
        {"inner(x, y)": lambda lib, x, y: lib.inner(x, y), "x.inner(y)": lambda lib, x, y: x.inner(y)},
        [
            inputs((3,), (3,)),
            inputs((2, 3), (3,)),
            inputs((3,), (2, 3)),
            inputs((2, 3), (4, 3)),
            inputs((2, 2, 3), (4, 3)),
            inputs((), (2, 3)),
            inputs((2, 3), ()),
            inputs((2, 0), (3, 0)),
        ],
    ),
    *cases(
        "kron",
        {"kron(x, y)": lambda lib, x, y: lib.kron(x, y), "x.kron(y)": lambda lib, x, y: x.kron(y)},
        [
            inputs((2, 3), (3, 2)),
            inputs((2,), (3,)),
            inputs((2, 3), (2,)),
            inputs((2,), (2, 2, 3)),
            inputs((), (2, 3)),
            inputs((0, 2), (2, 3)),
        ],
    ),
    *cases(
        "vecdot",
        {
            "linalg.vecdot(x, y)": lambda lib, x, y: lib.linalg.vecdot(x, y),
            "linalg.vecdot(x, y, dim=0)": lambda lib, x, y: lib.linalg.vecdot(x, y, dim=0),
        },
        [inputs((3,), (3,)), inputs((3, 3), (3,)), inputs((2, 3), (2, 3)), inputs((0, 3), (0, 3)), inputs((), ())],
    ),
]
