# SPDX-License-Identifier: BSD-3-Clause
"""The targets: a case of gelu_fast, what it is compared with, and the largest ratio of the two times. This is data
alone; report.py judges it by the medians of a run."""

from typing import NamedTuple

from distributions import GROUPS, NORMAL
from ours import DTYPES, ON_DATA, size_on_data


class Limit(NamedTuple):
    ratio: float
    of: str  # what gelu_fast is compared with, in words
    differs: dict  # keys in which its case differs from gelu_fast's; the fastest row that fits counts


class Target(NamedTuple):
    case: dict
    sizes: tuple[int, ...]  # if there are several, the geometric mean of the ratios counts
    data: tuple[str, ...]  # if there are several, the worst ratio counts
    limits: tuple[Limit, ...]  # one of them is enough
    why: str  # the reason, if the target is missed


CASE = dict(who="gelu_fast", form="exact", dtype="float32", mode="out", threads=1)
EITHER = ("out", "no out")
PEERS = "the fastest peer", dict(who=None, kind="peer", mode=EITHER)
TORCH = "torch", dict(who="torch", mode=EITHER)
RELU = "torch's relu, out=", dict(who="torch.clamp_min(x, 0)")  # torch's relu has no out=
COPY = "np.copyto", dict(who="np.copyto", mode="out")
NEGATIVE = "np.negative", dict(who="np.negative")
MULTIPLY = "np.multiply", dict(who="np.multiply")
FRAMEWORK = "the faster of torch and torch.compile", dict(who=("torch", "torch.compile"), mode=EITHER)
GELU = "gelu", dict(form="exact")
FLOAT32 = "float32", dict(dtype="float32")
OWN = "own N(0,1)", dict(data=NORMAL)


def target(*limits, sizes, data=(NORMAL,), why="", **differs):
    return Target(CASE | differs, sizes, data, tuple(Limit(ratio, *other) for ratio, other in limits), why)


IN_CACHE = (4096, 65536, 2**20)
LARGE = [((size,), threads) for size in (2**24, 2**26) for threads in (1, 2)]

COMPUTES = (
    "One thread computes for 0.14 ns (Zen 5; 0.21 on Granite Rapids, 0.33 on Zen 4), which a copy does not: 8 "
    "lookups among 32 numbers, 7 FMAs and 12 other operations for 16 numbers, four fifths of the ports' throughput."
)
IN_CACHE_2 = (
    "Two threads take half of one thread's time, 0.075 ns, and cost nothing more; the target needs 0.063. The "
    "row of 2^24 and one thread says what is computed."
)
ROWS = (
    "The limit of float64 is its table: 1 ULP needs some 400 rows of 8 coefficients, more than registers hold. For 8 "
    "numbers, eight rows take 16 loads, 16 shuffles and 8 addresses extracted from a vector, 0.71 ns an element on "
    "Zen 5. Two rows of 4 numbers at a time, as on x86-64-v3, take 1.0 ns there."
)
ROWS_OF_4 = (
    "For 8 numbers, eight rows of 4 coefficients take 8 loads, 8 shuffles and 8 addresses extracted from a vector. "
    "The ratio is 0.63 on Zen 4, 0.78 on Granite Rapids."
)
HALF = (
    "Every input is rounded correctly (torch: 577 of 63 488 wrongly), by an exponential, a quotient and some 20 other "
    "operations for all values; on zen5 measured with an older kernel, float32's and a test for ties."
)
TAIL = (
    "Numbers beyond the table are found by a scan, a fifth of N(0,1)'s time, and packed, 7 cycles each; to keep 1 ULP "
    "their exponential is computed in two parts, 50 operations and a division for a vector. Tried: one pass that notes "
    "them while it computes (N(0,1) itself 1.1 to 1.2), 1/t^2 without the division (a twentieth), four vectors side by "
    "side (nothing)."
)
STRIDES = (
    "np.negative takes 0.15 ns, all of it to move 8 bytes an element in and out. Packing and unpacking take as "
    "long, and do not overlap with the kernel, which works on blocks."
)
SPREAD = "The difference is within the spread of runs."
PRODUCT = (
    "For 1 ULP of the product, the curve's rounding error is computed and multiplied as well: some 50 operations for "
    "16 numbers, where gelu has 27."
)
BFLOAT16 = (
    "Some 42 operations and a division for a vector, for all values: subnormal numbers are lifted, which float16 does "
    "not need. Tried: quotients by Newton's way, a fifth slower. On zen5 measured with an older kernel."
)
RANDOM = (
    "Philox4x32-10 takes 0.17 ns an element, the gate as long as gelu, the decision the rest; a key from a Generator "
    "or a seed takes 5 us a call, here 0.08 ns an element."
)
MU_SIGMA = (
    "There are two more operands and a division. gelu multiplies x by the gate in two parts, for 1 ULP. The derivative "
    "is the sum of the gate and of x/sigma times the density, an exponential, both in two parts, as they may cancel."
)

TARGETS = [
    target((0.5, PEERS), sizes=IN_CACHE),
    *(target((0.6, PEERS), sizes=(size,), threads=2, why=IN_CACHE_2) for size in IN_CACHE[1:]),
    *(
        target(limit, sizes=sizes, threads=threads, why=COMPUTES if threads == 1 else SPREAD)
        for limit in ((0.8, COPY), (0.9, RELU))
        for sizes, threads in LARGE
    ),
    target((0.75, COPY), sizes=(2**26,), mode="in place", threads=2),
    *(
        target(
            (1.0, ("the exact form", dict(form="exact"))), (0.5, PEERS), sizes=(size,), form=form, why=SPREAD
        )
        for form in ("tanh", "sigmoid")
        for size in IN_CACHE
    ),
    # Until 2026-11 these were 0.08 of torch, whose float64 took 21 ns then and takes 1.9 ns (Zen 5) now.
    *(
        target((ratio, TORCH), sizes=(65536,), dtype="float64", form=form, why=ROWS)
        for form, ratio in (("exact", 0.5), ("tanh", 0.4), ("backward", 0.5))
    ),
    *(
        target((ratio, of), sizes=(65536,), dtype="float16", form=form, why=HALF)
        for form in ("exact", "tanh", "sigmoid")
        for ratio, of in ((0.5, TORCH), (1.0, FLOAT32))
    ),
    *(
        target((ratio, of), sizes=(size,), dtype="bfloat16", form=form, why=BFLOAT16)
        for form, ratio, of in (
            ("exact", 0.6, TORCH),
            ("exact", 0.8, FLOAT32),
            ("tanh", 0.3, TORCH),
            ("backward", 0.6, TORCH),
        )
        for size in (65536, 2**20)
    ),
    target((0.7, ("torch held to AVX2", TORCH[1])), sizes=(65536,), isa="x86-64-v3", why=ROWS_OF_4),
    target((1.1, NEGATIVE), sizes=(2**24,), mode="no out", threads=2),
    *(
        target(
            (1.5, NEGATIVE),
            (2.0, ("the contiguous one", dict(mode="out"))),
            sizes=(2**20,),
            mode=mode,
            why=STRIDES,
        )
        for mode in ("strided", "strided, both", "transposed")
    ),
    *(target((1.0, NEGATIVE), sizes=(size,), mode="no out", why=SPREAD) for size in (1, 128)),
    *(target((0.5, TORCH), sizes=(size,), form="backward", why=PRODUCT) for size in (65536, 2**20)),
    *(
        target((0.6, FRAMEWORK), sizes=(size,), form=form, why=PRODUCT)
        for form in ("bias", "geglu")
        for size in (341 * 3072, 5461 * 3072)
    ),
    target((0.9, MULTIPLY), sizes=(2**26,), form="geglu", threads=2, why=SPREAD),
    target((3.0, GELU), sizes=(65536,), form="stochastic", why=RANDOM),
    *(
        target((1.6, GELU), sizes=(65536,), form=form, why=MU_SIGMA)
        for form in ("mu, sigma", "gate, mu, sigma", "grad, mu, sigma", "backward, mu, sigma")
    ),
    *(
        target(
            (ratio, OWN),
            sizes=(size_on_data(form),),
            data=GROUPS[group],
            form=form,
            dtype=dtype,
            why=TAIL,
        )
        for form in ON_DATA
        for dtype in DTYPES
        for group, ratio in (("ordinary data", 1.3), ("extreme data", 2.0))
    ),
    *(
        target((1.0, TORCH), sizes=(65536,), data=GROUPS["any data"], form=form, dtype=dtype, why=TAIL)
        for form in ("exact", "tanh")
        for dtype in DTYPES
    ),
]
