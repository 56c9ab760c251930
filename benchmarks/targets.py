# SPDX-License-Identifier: BSD-3-Clause
"""What gelu_fast wants to reach: how long it takes in a case, beside what, and at most what ratio of the two.
Data alone; report.py judges it by the medians of a run."""

from typing import NamedTuple


class Limit(NamedTuple):
    ratio: float
    of: str  # the other side, in words
    differs: dict  # in what its case differs from gelu_fast's; of several rows that fit, the fastest counts


class Target(NamedTuple):
    case: dict
    sizes: tuple[int, ...]  # of several, the geometric mean of the ratios counts
    limits: tuple[Limit, ...]  # one of them is enough
    why: str  # what stands in the way, if it is missed


CASE = dict(who="gelu_fast", form="exact", dtype="float32", mode="out", threads=1)
EITHER = ("out", "no out")
PEERS = "the fastest peer", dict(who=None, kind="peer", mode=EITHER)
TORCH = "torch", dict(who="torch", mode=EITHER)
FRESH = "torch (fresh)", dict(who="torch (fresh)")
RELU = "torch's relu, out=", dict(who="torch.clamp_min(x, 0)")  # what relu with an out= is in torch
COPY = "np.copyto", dict(who="np.copyto", mode="out")
NEGATIVE = "np.negative", dict(who="np.negative")


def target(*limits, sizes, why="", **differs):
    return Target(CASE | differs, sizes, tuple(Limit(ratio, *other) for ratio, other in limits), why)


IN_CACHE = (4096, 65536, 2**20)
LARGE = [((size,), threads) for size in (2**24, 2**26) for threads in (1, 2)]

TARGETS = [
    target((0.5, PEERS), sizes=IN_CACHE),
    *(target((0.6, PEERS), sizes=(size,), threads=2) for size in IN_CACHE[1:]),
    *(target((0.8, COPY), sizes=sizes, threads=threads) for sizes, threads in LARGE),
    *(target((0.9, RELU), sizes=sizes, threads=threads) for sizes, threads in LARGE),
    target((0.75, COPY), sizes=(2**26,), mode="in place", threads=2),
    *(
        target((1.0, ("the exact form", dict(form="exact"))), (0.5, PEERS), sizes=(size,), form=form)
        for form in ("tanh", "sigmoid")
        for size in IN_CACHE
    ),
    target((0.08, TORCH), sizes=(65536,), dtype="float64"),
    target((0.08, FRESH), sizes=(65536,), dtype="float64"),
    target((0.4, TORCH), sizes=(65536,), dtype="float64", form="tanh"),
    *(
        target((0.6, TORCH), sizes=(65536,), dtype="float16", form=form)
        for form in ("exact", "tanh", "sigmoid")
    ),
    target((0.7, ("torch held to AVX2", TORCH[1])), sizes=(65536,), isa="x86-64-v3"),
    target((1.1, NEGATIVE), sizes=(2**24,), mode="no out", threads=2),
    *(
        target((2.0, ("ordinary input", dict(mode="out"))), sizes=(65536,), mode=mode)
        for mode in ("all -100", "all -10", "all subnormal", "all NaN")
    ),
    *(
        target((1.5, NEGATIVE), (2.0, ("the contiguous one", dict(mode="out"))), sizes=(2**20,), mode=mode)
        for mode in ("strided", "transposed")
    ),
    *(target((1.0, NEGATIVE), sizes=(size,), mode="no out") for size in (1, 128)),
]
