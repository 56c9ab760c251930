# SPDX-License-Identifier: BSD-3-Clause
"""stochastic_gelu: its random bits, the decisions made from them, and their statistics.

Seeds are fixed, so that a test passes always or never. With other seeds, each assertion about statistics would fail for
a right function with a probability of FALSE_ALARM, however many numbers it judges; all assertions together would fail
less than once in 1e7 runs. Tests show that a wrong function makes them fail."""

import numpy as np
import pytest
from cases import FLOATS, REFUSED, assert_same, bits, every_level
from needs import absent
from oracle import in_float64
from scipy.special import rel_entr
from scipy.stats import chi2, norm

import gelu_fast
from gelu_fast import _core, gelu, stochastic_gelu

FORMS = {False: "erf", "tanh": "tanh", "sigmoid": "sigmoid"}
FALSE_ALARM = 1e-9
LOW = 0xFFFFFFFF


@pytest.fixture(params=FLOATS)
def dtype(request):
    return request.param


@pytest.fixture(params=FORMS, ids=FORMS.values())
def approx(request):
    return request.param


def values(n, dtype):
    """Ordinary numbers, and among them some special ones."""
    rng = np.random.default_rng(11)
    x = rng.normal(0, 2, n).astype(dtype)
    info = np.finfo(dtype)
    special = [0.0, -0.0, np.inf, -np.inf, np.nan, info.max, info.min, info.tiny, -info.smallest_subnormal]
    return np.where(rng.random(n) < 0.05, rng.choice(np.array(special, dtype), n), x)


def gate_of(x, approx):
    return in_float64(f"gelu_gate_{FORMS[approx]}", np.asarray(x, np.float64))


# ---- the bits ----


def philox(c0, c1, c2, c3, k0, k1):
    """Philox4x32-10 as its authors define it, for numbers or for uint64 arrays."""
    for _ in range(10):
        a, b = c0 * 0xD2511F53, c2 * 0xCD9E8D57
        c0, c1, c2, c3 = (b >> 32) ^ c1 ^ k0, b & LOW, (a >> 32) ^ c3 ^ k1, a & LOW
        k0, k1 = (k0 + 0x9E3779B9) & LOW, (k1 + 0xBB67AE85) & LOW
    return c0, c1, c2, c3


def words(key, at, n):
    """Words 64 at to 64 (at + n), as uint64."""
    counters = np.uint64(16 * at) + np.arange(16 * n, dtype=np.uint64)
    k0, k1, c2, c3 = map(int, key)
    four = philox(counters & LOW, counters >> 32, c2, c3, k0, k1)
    return np.stack(four).reshape(4, n, 16).swapaxes(0, 1).ravel()


@every_level
@pytest.mark.parametrize(
    "counter, key, answer",
    [  # kat_vectors of Random123
        ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ],
    ids=["zeros", "ones", "pi"],
)
def test_known_answers(counter, key, answer):
    counter, key, answer = (tuple(int(word, 16) for word in text.split()) for text in (counter, key, answer))
    assert philox(*counter, *key) == answer
    block, place = divmod(counter[1] << 32 | counter[0], 16)
    got = _core._random_words([*key, *counter[2:]], block, 2)
    assert tuple(map(int, got[place:64:16])) == answer


# From 2**28 on, counters need their second word; they begin inside a group that is computed at once, or at its start.
@every_level
@pytest.mark.parametrize("at", [0, 1, 1000, 2**28 - 4, 2**28 - 3, 2**28, 2**40 + 1, 2**59 - 1])
def test_words(at):
    keys = np.random.default_rng(at % 1000).integers(1 << 32, size=(20, 4), dtype="u4")
    for key in (*keys, *np.eye(4, dtype="u4")):
        for n in (2, 6, 8):
            np.testing.assert_array_equal(_core._random_words(key, at, n), words(key, at, n))


# ---- the decisions ----


def key_of(rng):
    if isinstance(rng, np.random.Generator):
        return rng.integers(1 << 32, size=4, dtype="u4")
    return np.random.SeedSequence(rng).generate_state(4)


def uniform(rng, n, dtype, offset=0):
    """The random number of each element."""
    of_each = 2 if dtype == np.float64 else 1
    block, skip = divmod(offset * of_each, 64)
    of_all = words(key_of(rng), block, (skip + n * of_each) // 64 + 1)[skip : skip + n * of_each]
    if dtype == np.float64:
        low, high = of_all.reshape(n, 2).T
        return ((low | high << 32) >> 12) * 2.0**-52 + 2.0**-53
    return ((of_all >> 1) + 0.5) * 2.0**-31


def decided(x, rng, approx, offset=0):
    """The result, the mask, and where gate and random number are too near for this float64 computation to decide."""
    gate, u = gate_of(x, approx), uniform(rng, x.size, x.dtype, offset)
    mask = u <= gate
    return np.where(mask | np.isnan(x), x, np.copysign(0, x)), mask, np.abs(u - gate) <= 1e-13 * gate


@every_level
@pytest.mark.parametrize("n", [1, 2, 63, 64, 65, 127, 128, 129, 767, 768, 769, 1000, 200_001])
def test_rule(dtype, approx, n):
    """Results follow the rule, which does not depend on the ISA level."""
    x = values(n, dtype)
    for rng, twin in ((n, n), (2**100 + n, 2**100 + n), (np.random.default_rng(n), np.random.default_rng(n))):
        want, want_mask, doubtful = decided(x, rng, approx)
        assert not doubtful.any()
        y, mask = stochastic_gelu(x, twin, approx=approx, return_mask=True)
        np.testing.assert_array_equal(mask, want_mask)
        assert_same(y, want)


def inverse(u, approx):
    """The x whose gate is u."""
    low, high = np.full((2, u.size), [[-14.0], [14.0]])
    for _ in range(60):
        middle = (low + high) / 2
        below = gate_of(middle, approx) < u
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return high


@every_level
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rule_where_gate_and_number_are_near(dtype, approx, report):
    """Gate and number are so near that float32 alone, or for float64 the first 32 of 52 bits, cannot decide."""
    n = 10_000
    u = uniform(3, n, dtype)
    distances, n_doubtful = [], 0
    for step in range(-3, 4):
        if dtype == np.float32:
            x = (inverse(u, approx).astype(dtype).view("i4") + step).view(dtype)
        else:
            x = inverse(u * (1 + step * 1e-12), approx)
        want, want_mask, doubtful = decided(x, 3, approx)
        y, mask = stochastic_gelu(x, 3, approx=approx, return_mask=True)
        np.testing.assert_array_equal(mask[~doubtful], want_mask[~doubtful])
        assert_same(y[~doubtful], want[~doubtful])
        if step != 0 or dtype == np.float32:
            n_doubtful += doubtful.sum()
            distances.append(np.abs(gate_of(x, approx) / u - 1))
    near = np.median(distances)
    assert near < (2**-23 if dtype == np.float32 else 2**-38) and n_doubtful < 10
    report(
        f"stochastic_gelu {np.dtype(dtype)} {FORMS[approx]}: right at 2^{np.log2(near):.0f}, {n_doubtful} unclear"
    )


@every_level
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rule_to_the_last_bit(dtype, approx):
    """Small random numbers decide differently from numbers with one bit less."""
    n, last = 1 << 21, 2.0**-31 if dtype == np.float32 else 2.0**-52
    got = _core._random_words(key_of(5), 0, n * np.dtype(dtype).itemsize // 4 // 64)
    u = (got[:n] >> 1) * last if dtype == np.float32 else (got.view("<u8")[:n] >> 12) * last
    at = np.flatnonzero(u < 2.0**-14)
    u = u[at] + last / 2
    x = np.zeros(n, dtype)
    for step in (-0.45, -0.1, 0.1, 0.45):
        x[at] = inverse(u + step * last, approx)
        gate = gate_of(x[at], approx)
        assert (np.abs(u - gate) > 1e-13 * gate).all() and ((gate > u) == (step > 0)).all()
        mask = stochastic_gelu(x, 5, approx=approx, return_mask=True)[1]
        assert (mask[at] == (step > 0)).all()


@every_level
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_length_does_not_matter(dtype):
    x = values(3000, dtype)
    y, mask = stochastic_gelu(x, 8, return_mask=True)
    for n in (*range(200), 767, 768, 769, 1535, 1536, 1537):
        part, part_mask = stochastic_gelu(x[:n], 8, return_mask=True)
        assert_same(part, y[:n])
        assert_same(part_mask, mask[:n])


def type_of(name):
    try:
        return np.dtype(name)  # gelu_fast imports ml_dtypes where it is installed
    except TypeError:
        absent(f"needs ml_dtypes, which has {name}")


SMALL = ["float16", "bfloat16", "float8_e4m3fn", "float8_e5m2"]
SMALL += ["float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e4m3b11fnuz"]  # without -0.0


@every_level
@pytest.mark.parametrize("name", SMALL)
def test_small_types_are_taken_through_float32(approx, name):
    dtype = type_of(name)
    x = np.random.default_rng(2).normal(0, 2, 5001).astype(dtype)
    x[:7] = [0.0, -0.0, np.nan, 3.5, -3.5, 15.0, -15.0]
    y, mask = stochastic_gelu(x, 4, approx=approx, return_mask=True)
    wide, wide_mask = stochastic_gelu(x.astype(np.float32), 4, approx=approx, return_mask=True)
    assert_same(y, wide.astype(dtype))
    assert_same(mask, wide_mask)
    out = np.zeros_like(x)
    assert stochastic_gelu(x, 4, approx=approx, out=out) is out
    assert_same(out, y)
    stochastic_gelu(x, 4, approx=approx, out=x)
    assert_same(x, y)


# ---- threads, memory ----

BASE = 30 * 8 * 1001


def misaligned(base):
    room = np.zeros(base.nbytes + 1, np.uint8)
    room[1:] = base.view(np.uint8)
    return room[1:].view(base.dtype)


LAYOUTS = {
    "contiguous": lambda base: base,
    "one dimension of many": lambda base: base.reshape(1, 240, 1, 1001),
    "every second": lambda base: base[::2],
    "backwards": lambda base: base[::-1],
    "every third, backwards": lambda base: base[::-3],
    "transposed": lambda base: base.reshape(240, 1001).T,
    "Fortran order": lambda base: base.reshape((30, 8, 1001), order="F"),
    "axes exchanged": lambda base: base.reshape(30, 8, 1001).transpose(1, 0, 2),
    "rows that do not join": lambda base: base.reshape(30, 8, 1001)[:, :, 1:],
    "planes that do not join": lambda base: base.reshape(30, 8, 1001)[:, 1:, ::-1],
    "short rows": lambda base: base.reshape(-1, 4)[:, 1:],
    "misaligned": misaligned,
    "byte-swapped": lambda base: base.astype(base.dtype.newbyteorder()),
    "native, not NumPy's own dtype object": lambda base: base.view(base.dtype.newbyteorder("=")),
    "dtype with metadata": lambda base: base.view(np.dtype(base.dtype, metadata={"unit": "mV"})),
}
REPEATED = {
    "one number": lambda base: np.broadcast_to(base[10], (100_000,)),
    "one row": lambda base: np.broadcast_to(base[:1001], (100, 1001)),
    "one column": lambda base: np.broadcast_to(base[:1001, None], (1001, 100)),
}


def in_order(x):
    """Result and mask of the same elements in C order, on one thread."""
    threads = gelu_fast.get_num_threads()
    gelu_fast.set_num_threads(1)
    x = np.array(x, x.dtype.char, order="C")
    result = stochastic_gelu(x, 5, approx="tanh", return_mask=True)
    gelu_fast.set_num_threads(threads)
    return result


@every_level
@pytest.mark.parametrize("layout", LAYOUTS | REPEATED)
def test_layout(threads, dtype, layout):
    x = (LAYOUTS | REPEATED)[layout](values(BASE, dtype))
    before = x.tobytes()
    y, mask = stochastic_gelu(x, 5, approx="tanh", return_mask=True)
    want, want_mask = in_order(x)
    assert x.tobytes() == before
    assert_same(y, want)
    assert_same(mask, want_mask)


@every_level
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layout_of_out(threads, dtype, layout):
    """Nothing beside `out` is written."""
    room = np.full(BASE, 7, dtype)
    out = LAYOUTS[layout](room)
    x = values(out.size, dtype).reshape(out.shape)
    y, mask = stochastic_gelu(x, 5, approx="tanh", out=out, return_mask=True)
    assert y is out
    want, want_mask = in_order(x)
    assert_same(out.astype(dtype), want)
    assert_same(mask, want_mask)
    out[...] = 7
    assert (room == 7).all()


@every_level
@pytest.mark.parametrize("layout", LAYOUTS)
def test_in_place(threads, dtype, layout):
    x = LAYOUTS[layout](values(BASE, dtype))
    copy = x.copy()
    y, mask = stochastic_gelu(x, 5, approx="tanh", out=x, return_mask=True)
    assert y is x
    want, want_mask = in_order(copy)
    assert_same(x.astype(dtype), want)
    assert_same(mask, want_mask)


@every_level
def test_two_layouts(threads, dtype):
    base, room = values(BASE, dtype), np.zeros(BASE, dtype)
    planes, rows = base.reshape(30, 8, 1001), room.reshape(30, 8, 1001)
    for x, out in (
        (base[BASE // 2 :][::-1], room[::2]),
        (base.reshape(240, 1001).T, room.reshape(1001, 240)),
        (base.reshape(240, 1001)[:, :990].T, room[: 990 * 241].reshape(990, 241)[:, 1:]),
        (planes[..., 1:], rows[..., :1000]),
        (planes[..., 1:], rows[:, ::-1, :1000]),
        (np.broadcast_to(base[:1001], (240, 1001)), room.reshape(240, 1001)),
    ):
        stochastic_gelu(x, 5, approx="tanh", out=out)
        assert_same(out.copy(), in_order(x)[0])


@every_level
@pytest.mark.parametrize("step", [1, 2, -1])
@pytest.mark.parametrize("shift", [1, 16, 5000])
def test_overlap(threads, dtype, shift, step):
    for forward in (True, False):
        base = values(BASE, dtype)
        x, out = base[shift:], base[:-shift]
        if not forward:
            x, out = out, x
        x, out = x[::step], out[::step]
        copy = x.copy()
        stochastic_gelu(x, 5, approx="tanh", out=out)
        assert_same(out, in_order(copy)[0])


@every_level
def test_overlap_of_reversed(threads, dtype):
    base = values(BASE, dtype)
    copy = base[::-1].copy()
    stochastic_gelu(base[::-1], 5, approx="tanh", out=base)
    assert_same(base, in_order(copy)[0])


@pytest.mark.parametrize("to", ["f2", "f4", "f8", ">f4", "c16", "O"])
def test_out_of_another_type(dtype, to):
    x = np.random.default_rng(3).normal(0, 3, (30, 100)).astype(dtype)
    out = np.zeros(x.shape, to)
    assert stochastic_gelu(x, 5, out=out) is out
    np.testing.assert_array_equal(out, stochastic_gelu(x, 5).astype(to))


@pytest.mark.parametrize("from_type", ["int8", "int16", "float32", "float64", *SMALL])
@pytest.mark.parametrize("to_type", ["bool", "int64", "float32", "complex64", *SMALL])
def test_types_of_out_are_those_of_gelu(from_type, to_type):
    x, out = np.ones(3, type_of(from_type)), np.zeros(3, type_of(to_type))

    def outcome(function):
        try:
            return function(x, out=out).dtype
        except TypeError:
            return TypeError

    assert outcome(stochastic_gelu) == outcome(gelu)


# ---- statistics ----


def surprise(kept, n, gate):
    """How far `kept`, the number of elements of n that were kept, is from n gate: n times the Kullback-Leibler
    divergence, which is nearly half the square of the deviation in sigmas. Chernoff: P(surprise >= t) <= 2 exp(-t), for
    any n and gate."""
    return n * (rel_entr(kept / n, gate) + rel_entr(1 - kept / n, 1 - gate))


def allowed(n_tests):
    return np.log(2 * n_tests / FALSE_ALARM)


BINS = 48


def chi_square(x, kept, gate):
    """The probability (p-value, two-sided) that the numbers kept in bins of x are this far from the gates' prediction,
    or this near to it."""
    of = ((x.astype(np.float64) + 3) * (BINS / 6)).astype(int).clip(0, BINS - 1)
    got, expected, variance = (np.bincount(of, weight, BINS) for weight in (kept, gate, gate * (1 - gate)))
    assert variance.min() > 25  # each bin is nearly normal
    statistic = ((got - expected) ** 2 / variance).sum()
    return 2 * min(chi2.sf(statistic, BINS), chi2.cdf(statistic, BINS))


def correlation(a, b, gate):
    """The correlation of two masks, in sigmas."""
    return (a - gate) @ (b - gate) / (gate * (1 - gate) * np.sqrt(a.size))


GRID = np.linspace(-3, 3, 60)
SEEDS, REPEATS = 2000, 200


def test_mean_is_gelu(dtype, approx, report):
    """The mean of each element over the seeds is GELU, and so is the mean of all elements of one value."""
    grid = GRID.astype(dtype)
    x = np.tile(grid, REPEATS)
    total = np.zeros(x.shape)
    for seed in range(SEEDS):
        total += stochastic_gelu(x, seed, approx=approx)
    kept = np.rint(total / x)
    gate = gate_of(x, approx)
    of_elements = surprise(kept, SEEDS, gate).max()
    kept = kept.reshape(REPEATS, -1).sum(axis=0)
    of_values = surprise(kept, SEEDS * REPEATS, gate[: grid.size]).max()
    mean = total.reshape(REPEATS, -1).sum(axis=0) / (SEEDS * REPEATS)
    off = np.abs(mean - in_float64(f"gelu_{FORMS[approx]}", grid.astype(np.float64))).max()
    assert of_elements <= allowed(x.size) and of_values <= allowed(grid.size)
    assert off <= 3 * np.sqrt(allowed(grid.size) / (2 * SEEDS * REPEATS))  # Hoeffding
    report(
        f"stochastic_gelu {np.dtype(dtype)} {FORMS[approx]}: mean of {SEEDS * REPEATS} off by up to {off:.1e}, "
        f"surprise {of_values:.1f} of {allowed(grid.size):.1f}; of elements {of_elements:.1f} of {allowed(x.size):.1f}"
    )


def test_frequencies(dtype, approx, report):
    x = np.random.default_rng(9).uniform(-3, 3, 1 << 20).astype(dtype)
    p = chi_square(x, stochastic_gelu(x, 9, approx=approx, return_mask=True)[1], gate_of(x, approx))
    assert p >= FALSE_ALARM
    report(f"stochastic_gelu {np.dtype(dtype)} {FORMS[approx]}: chi-square of {BINS} bins, p = {p:.3f}")


LAGS = [1, 2, 3, 4, 8, 15, 16, 17, 32, 48, 64, 128, 768, 1 << 19]


@pytest.mark.parametrize("value", [-1.0, 0.0, 0.5])
def test_independence(dtype, value, report):
    """The masks of neighbours, of the two halves, of two seeds, and of two calls with one generator are independent."""
    x = np.full(1 << 20, value, dtype)
    gate = gate_of(value, False)
    rng = np.random.default_rng(1)
    sources = [1, 2, 1 << 32, 1 << 64, rng, rng]
    masks = [stochastic_gelu(x, source, return_mask=True)[1].astype(float) for source in sources]
    found = {f"lag {lag}": correlation(masks[0][lag:], masks[0][:-lag], gate) for lag in LAGS}
    for i in range(len(masks)):
        for j in range(i):
            found[f"calls {i} and {j}"] = correlation(masks[i], masks[j], gate)
    worst = max(found, key=lambda which: abs(found[which]))
    limit = norm.isf(FALSE_ALARM / 2 / len(found))
    assert abs(found[worst]) <= limit, worst
    report(
        f"stochastic_gelu {np.dtype(dtype)} of {value}: correlation up to {abs(found[worst]):.1f} sigma ({worst}), "
        f"allowed {limit:.1f}"
    )


WRONG = {
    "more": lambda x: np.minimum(1.01 * gate_of(x, False), 1),
    "less": lambda x: 0.99 * gate_of(x, False),
    "moved": lambda x: gate_of(x + 0.03, False),
    "another form": lambda x: gate_of(x, "sigmoid"),
}


@pytest.mark.parametrize("wrong", [None, *WRONG])
def test_wrong_gates_would_be_found(wrong, report):
    """The same statistics, of as many draws from NumPy's own generator, reject wrong gates and accept the right one."""
    rng = np.random.default_rng(4)
    x = rng.uniform(-3, 3, 1 << 20)
    gate, grid_gate = (WRONG[wrong](at) if wrong else gate_of(at, False) for at in (x, GRID))
    p = chi_square(x, rng.random(x.size) <= gate, gate_of(x, False))
    n = SEEDS * REPEATS
    of_values = surprise(rng.binomial(n, grid_gate), n, gate_of(GRID, False)).max()
    assert (p < FALSE_ALARM) == bool(wrong)
    assert (of_values > allowed(GRID.size)) == bool(wrong)
    report(
        f"gate {wrong or 'as it is'}: p = {p:.0e}, surprise {of_values:.0f}, allowed {allowed(GRID.size):.0f}"
    )


def test_dependence_would_be_found():
    """A dependence of 2 % of the elements is found."""
    rng = np.random.default_rng(4)
    for value in (-1.0, 0.0, 0.5):
        gate = gate_of(value, False)
        a, b = rng.random((2, 1 << 19)) <= gate
        limit = norm.isf(FALSE_ALARM / 2)
        assert abs(correlation(a, b, gate)) < limit
        assert correlation(a, np.where(rng.random(a.size) < 0.02, a, b), gate) > limit


# ---- special values ----


@pytest.fixture
def draw(approx):
    """Draw one value many times: the results and the mask. A result must be x, or zero with the sign of x."""

    def many(value, dtype):
        x = np.full(4001, value, dtype)
        with np.errstate(all="raise"):
            y, mask = stochastic_gelu(x, 6, approx=approx, return_mask=True)
            scalar = stochastic_gelu(x[0], 6, approx=approx)
        assert_same(np.signbit(y), np.signbit(x))
        assert bits(scalar) == bits(y)[0]
        if value == value:
            assert_same(y, np.where(mask, x, np.copysign(0, x)))
        return y, mask

    return many


@every_level
def test_zeros(draw, dtype):
    for zero in (0.0, -0.0):
        y, mask = draw(zero, dtype)
        assert (y == 0).all()  # `draw` checks its sign
        assert mask.any() and not mask.all()


@every_level
def test_infinities(draw, dtype):
    y, mask = draw(np.inf, dtype)
    assert (y == np.inf).all() and mask.all()
    y, mask = draw(-np.inf, dtype)
    assert (y == 0).all() and not mask.any()


@every_level
def test_nan(draw, dtype):
    for nan in (np.nan, -np.nan):
        y, mask = draw(nan, dtype)
        assert_same(y, np.full(y.shape, nan, dtype))
        assert not mask.any()


@every_level
def test_nan_among_others(dtype):
    for position in range(40):
        x = np.ones(40, dtype)
        x[position] = np.nan
        np.testing.assert_array_equal(np.isnan(stochastic_gelu(x, position)), np.isnan(x))


@every_level
def test_subnormals(draw, dtype):
    info = np.finfo(dtype)
    for value in (info.smallest_subnormal, info.tiny / 2, info.tiny):
        for x in (value, -value):
            y, mask = draw(x, dtype)
            assert mask.any() and not mask.all()
            np.testing.assert_array_equal(y != 0, mask)


@every_level
def test_large_values(draw, dtype):
    """At 9 a gate is 1 in float32, at 40 in float64 and every form; at -40 it is below every number."""
    for value in (9.0, 40.0, 1e4, np.finfo(dtype).max):
        if value < 40 and dtype == np.float64:
            continue
        y, mask = draw(value, dtype)
        assert mask.all() and (y == y[0]).all()
    for value in (-40.0, -1e4, np.finfo(dtype).min):
        y, mask = draw(value, dtype)
        assert not mask.any() and (y == 0).all()


# ---- arguments ----


def test_mask(dtype, approx):
    x = values(5000, dtype).reshape(50, 100)
    y, mask = stochastic_gelu(x, 2, approx=approx, return_mask=True)
    assert type(y) is type(mask) is np.ndarray
    assert mask.dtype == bool and mask.shape == x.shape and np.isin(mask.view("u1"), [0, 1]).all()
    assert mask.any() and not mask.all()
    assert_same(y, np.where(mask | np.isnan(x), x, np.copysign(0, x)))
    assert_same(y, stochastic_gelu(x, 2, approx=approx))


def test_forms_have_names():
    x = np.random.default_rng(1).uniform(-3, 3, 200_000)
    of = {name: stochastic_gelu(x, 1, approx=name) for name in (False, True, "none", "tanh", "sigmoid")}
    assert_same(of[False], of["none"])
    assert_same(of[True], of["tanh"])
    assert_same(of[False], stochastic_gelu(x, 1))
    assert (of["tanh"] != of["none"]).any() and (of["sigmoid"] != of["tanh"]).any()


@pytest.mark.parametrize("char", "?bBhHiIlLqQefd")
def test_promotion(char):
    x = np.arange(200).astype(char) if char != "?" else np.arange(200) % 2 == 0
    y = stochastic_gelu(x, 3)
    assert y.dtype == gelu(x).dtype
    assert_same(y, stochastic_gelu(x.astype(y.dtype), 3))


@pytest.mark.parametrize(
    "scalar", [True, 1, -3, 2.5, np.float32(2.5), np.float16(2.5), np.int8(3), np.array(1.5)]
)
def test_scalars(scalar):
    y, mask = stochastic_gelu(scalar, 3, return_mask=True)
    assert type(y) is type(stochastic_gelu(scalar, 3)) is type(gelu(scalar))
    assert type(mask) is np.bool_
    of_one, mask_of_one = stochastic_gelu(np.array([scalar]), 3, return_mask=True)
    assert (y, mask) == (of_one[0], mask_of_one[0])


def test_zero_dimensional_out():
    out = np.array(7.0, np.float32)
    assert stochastic_gelu(np.float32(30), 3, out=out) is out
    assert out == 30


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 4, 2)])
def test_empty(dtype, shape):
    x = np.empty(shape, dtype)
    y, mask = stochastic_gelu(x, 3, return_mask=True)
    assert y.shape == mask.shape == shape and y.dtype == dtype and mask.dtype == bool
    assert stochastic_gelu(x[..., ::-1], 3, out=x) is x


@pytest.mark.parametrize("row_step", [0, 1])
def test_an_output_that_meets_itself(threads, row_step):
    """The row that is computed last wins, on any number of threads. In place, each row is read before it is written."""
    x = np.random.default_rng(7).normal(0, 2, (300, 1000)).astype(np.float32)
    base = np.zeros(1000 + 299 * row_step, np.float32)
    out = np.lib.stride_tricks.as_strided(base, x.shape, (4 * row_step, 4))
    stochastic_gelu(x, 3, out=out)
    want = np.zeros_like(base)
    for i, row in enumerate(stochastic_gelu(x, 3)):
        want[i * row_step : i * row_step + 1000] = row
    assert_same(base, want)
    if row_step:
        values = np.random.default_rng(7).normal(0, 2, base.size).astype(np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(values, 1000, writeable=True)
        want = stochastic_gelu(windows.copy(), 3)
        stochastic_gelu(windows, 3, out=windows)
        assert_same(windows[-1].copy(), want[-1])
        assert_same(values[:300], want[:, 0].copy())


def test_many_dimensions(dtype):
    x = values(2**12, dtype).reshape((2,) * 12).transpose(*range(0, 12, 2), *range(1, 12, 2))
    assert_same(stochastic_gelu(x, 3), stochastic_gelu(x.ravel(), 3).reshape(x.shape))


def test_array_likes():
    x = np.random.default_rng(7).normal(0, 2, (6, 10))

    class HasArray:
        def __array__(self, dtype=None, copy=None):
            return x

    for like in (x.tolist(), tuple(map(tuple, x)), memoryview(x), HasArray()):
        assert_same(stochastic_gelu(like, 3), stochastic_gelu(x, 3))


@pytest.mark.parametrize("x", [*REFUSED, ["1.0"], [None], 1j], ids=repr)
def test_refused_types(x):
    out, rng = np.full(np.shape(x), 7.0), np.random.default_rng(1)
    before = str(rng.bit_generator.state)
    for given in (None, out):
        with pytest.raises(TypeError):
            stochastic_gelu(x, rng, out=given)
    assert (out == 7).all()
    assert str(rng.bit_generator.state) == before


@pytest.mark.parametrize("bad", ["shape", "broadcast", "integer", "bool", "readonly", "list", "tuple"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_bad_out_is_untouched(dtype, bad):
    x = np.ones((6, 10), dtype)
    out = np.full(x.shape, 7, dtype)
    before = out.tobytes()
    given, error = {
        "shape": (out[:-1], ValueError),
        "broadcast": (out[None], ValueError),
        "integer": (out.view(f"i{out.itemsize}"), TypeError),
        "bool": (np.zeros(x.shape, bool), TypeError),
        "readonly": (out.view(), ValueError),
        "list": (out.tolist(), TypeError),
        "tuple": ((out,), TypeError),
    }[bad]
    if bad == "readonly":
        given.flags.writeable = False
    rng = np.random.default_rng(1)
    state = str(rng.bit_generator.state)
    with pytest.raises(error):
        stochastic_gelu(x, rng, out=given)
    assert out.tobytes() == before
    assert str(rng.bit_generator.state) == state


@pytest.mark.parametrize("approx", [None, "erf", "Tanh", 1, 0, 2.0, [], np.zeros(3), b"tanh"])
def test_bad_approx(approx):
    out, rng = np.full(3, 7.0), np.random.default_rng(1)
    with pytest.raises(ValueError, match="False or 'none', True or 'tanh', or 'sigmoid'"):
        stochastic_gelu(np.ones(3), rng, approx=approx, out=out)
    assert (out == 7).all()
    assert rng.bit_generator.state == np.random.default_rng(1).bit_generator.state


def test_unknown_arguments():
    for call in (
        lambda: stochastic_gelu(),
        lambda: stochastic_gelu(1.0, 1, "tanh"),
        lambda: stochastic_gelu(1.0, seed=1),
    ):
        with pytest.raises(TypeError):
            call()


# ---- rng ----


def test_seeds(dtype):
    x = np.random.default_rng(7).normal(0, 2, 1000).astype(dtype)
    seeds = [0, 1, 2, 2**31, 2**32 - 1, 2**32, 2**64 - 1, 2**64, 2**100]
    of = [stochastic_gelu(x, seed) for seed in seeds]
    for seed, y in zip(seeds, of):
        assert_same(stochastic_gelu(x, seed), y)
        assert_same(stochastic_gelu(x, rng=seed), y)
    assert len({y.tobytes() for y in of}) == len(seeds)
    for seed in (np.int8(2), np.uint64(2), np.array(2)):
        assert_same(stochastic_gelu(x, seed), of[2])
    assert_same(stochastic_gelu(x, np.uint64(2**64 - 1)), of[6])


def test_no_seed(dtype):
    """Calls without a seed differ. Two would be the same by chance less than once in 1e100 times."""
    x = np.random.default_rng(7).normal(0, 2, 1000).astype(dtype)
    of = [stochastic_gelu(x, *rng) for rng in ((), (None,), (), (None,))]
    assert len({y.tobytes() for y in of}) == 4


@pytest.mark.parametrize("bits_of", ["PCG64", "MT19937", "SFC64", "Philox"])
@pytest.mark.parametrize("n", [0, 1, 1000, 50_000])
def test_generator(bits_of, n):
    """A call takes four words from a generator, however many elements there are, and none if there is no element."""
    rng, twin, third = (np.random.Generator(getattr(np.random, bits_of)(1)) for _ in range(3))
    x = np.random.default_rng(7).normal(0, 2, n)
    first = stochastic_gelu(x, rng)
    assert_same(first, stochastic_gelu(x, twin))
    third.integers(1 << 32, size=4 if n else 0, dtype="u4")
    np.testing.assert_equal(rng.bit_generator.state, third.bit_generator.state)
    second = stochastic_gelu(x, rng)
    assert_same(second, stochastic_gelu(x, twin))
    if n >= 1000:
        assert first.tobytes() != second.tobytes()


def test_what_default_rng_takes(dtype):
    """SPEC 7: integers and sequences of integers are seeds; from a generator, words are taken."""
    x = np.random.default_rng(7).normal(0, 2, 1000).astype(dtype)
    of_seed = {seed: stochastic_gelu(x, seed) for seed in (0, 3, 2**70)}
    for seed, y in of_seed.items():
        sequence = np.random.SeedSequence(seed)
        for same in ([seed], (seed,), np.array([seed]) if seed < 9 else [seed], sequence):
            assert_same(stochastic_gelu(x, same), y)
        assert_same(stochastic_gelu(x, sequence), y)  # the call above has not changed it
        assert sequence.n_children_spawned == 0
    children = [stochastic_gelu(x, child).tobytes() for child in np.random.SeedSequence(3).spawn(3)]
    sequences = [
        stochastic_gelu(x, seed).tobytes() for seed in ([1, 2], (2, 1), range(3), np.arange(3, dtype="u2"))
    ]
    assert sequences[2] == sequences[3] and len({*children, *sequences[:3]}) == 6
    for bits_of in ("PCG64", "MT19937", "SFC64", "Philox"):
        generators = [np.random.Generator(getattr(np.random, bits_of)(5)), getattr(np.random, bits_of)(5)]
        if np.lib.NumpyVersion(np.__version__) >= "2.2.0":
            generators.append(np.random.RandomState(getattr(np.random, bits_of)(5)))
        first = [stochastic_gelu(x, generator) for generator in generators]
        second = [stochastic_gelu(x, generator) for generator in generators]
        for y, other in zip(first, second):
            assert_same(y, first[0])
            assert_same(other, second[0])
        assert first[0].tobytes() != second[0].tobytes()


@pytest.mark.parametrize("size", [0, 3])
@pytest.mark.parametrize(
    "rng, error",
    [
        ("a", TypeError),
        ("1", TypeError),
        (b"1", TypeError),
        (1.5, TypeError),
        (np.float64(1), TypeError),
        ([1.5], TypeError),
        (np.array([1.5]), TypeError),
        (np.random, TypeError),
        (object(), TypeError),
        (-1, ValueError),
        (np.int8(-1), ValueError),
        ([1, -1], ValueError),
    ],
    ids=lambda value: type(value).__name__,
)
def test_bad_rng(rng, error, size):
    out = np.full(size, 7.0)
    with pytest.raises(error, match="default_rng takes" if error is TypeError else "non-negative"):
        stochastic_gelu(np.ones(size), rng, out=out)
    assert (out == 7).all()


# ---- offset ----


@every_level
@pytest.mark.parametrize(
    "offset", [0, 1, 31, 32, 33, 63, 64, 65, 100, 767, 768, 12_345, 2**31 - 1, 2**32 + 5, 2**62 - 3]
)
def test_rule_with_an_offset(dtype, offset):
    for n in (1, 65, 2000):
        x = values(n, dtype)
        want, want_mask, doubtful = decided(x, 9, False, offset)
        assert not doubtful.any()
        y, mask = stochastic_gelu(x, 9, offset=offset, return_mask=True)
        np.testing.assert_array_equal(mask, want_mask)
        assert_same(y, want)


@every_level
@pytest.mark.parametrize("n", [1, 63, 64, 1000])
def test_the_largest_offset(dtype, n):
    """The last element has the number 2**64 - 1; the counters of its random words have 64 bits."""
    x = values(n, dtype)
    for back in (0, 1, 31, 64, 1000, 2**63 - n - 5, 2**63 - n):
        offset = 2**64 - n - back
        want, want_mask, doubtful = decided(x, 9, False, offset)
        assert not doubtful.any()
        y, mask = stochastic_gelu(x, 9, offset=offset, return_mask=True)
        np.testing.assert_array_equal(mask, want_mask)
        assert_same(y, want)
    for offset in (2**64 - n + 1, 2**64, 2**64 + 1, 2**70):
        with pytest.raises(ValueError, match="offset must be from 0"):
            stochastic_gelu(x, 9, offset=offset)
    assert stochastic_gelu(x[:0], 9, offset=2**64).size == 0


@every_level
def test_chunks_draw_as_the_whole(threads, dtype):
    x = values(200_003, dtype)
    y, mask = stochastic_gelu(x, 8, approx="tanh", return_mask=True)
    edges = np.sort(np.random.default_rng(3).choice(x.size, 40))
    for start, stop in zip([0, *edges], [*edges, x.size]):
        part = stochastic_gelu(x[start:stop], 8, approx="tanh", offset=start, return_mask=True)
        assert_same(part[0], y[start:stop])
        assert_same(part[1], mask[start:stop])
    square = x[: 300 * 301].reshape(300, 301)
    whole = stochastic_gelu(square, 8)
    for start, stop in ((0, 1), (1, 7), (7, 300)):
        for layout in (square, np.asfortranarray(square)):
            assert_same(stochastic_gelu(layout[start:stop], 8, offset=start * 301), whole[start:stop])
    out = square.copy()
    stochastic_gelu(out[50:], np.int64(8), offset=np.uint16(50 * 301), out=out[50:])
    assert_same(out[50:], whole[50:])


@pytest.mark.parametrize("name", SMALL)
def test_chunks_of_small_types(name):
    x = np.random.default_rng(2).normal(0, 2, 3000).astype(type_of(name))
    y = stochastic_gelu(x, 4)
    assert_same(stochastic_gelu(x[1001:], 4, offset=1001), y[1001:])


@pytest.mark.parametrize(
    "offset, error",
    [(1.0, TypeError), ("1", TypeError), (None, TypeError), ([1], TypeError), (np.float64(1), TypeError)]
    + [(-1, ValueError), (np.int8(-1), ValueError), (2**64, ValueError), (-(2**70), ValueError)],
    ids=repr,
)
def test_bad_offset(offset, error):
    out, rng = np.full(3, 7.0), np.random.default_rng(1)
    with pytest.raises(error, match="offset must be"):
        stochastic_gelu(np.ones(3), rng, offset=offset, out=out)
    assert (out == 7).all()
    assert rng.bit_generator.state == np.random.default_rng(1).bit_generator.state


# ---- masks, errors, outputs of another type ----


def test_masked_arrays(dtype):
    x = values(400, dtype).reshape(20, 20)
    hidden = np.random.default_rng(3).random(x.shape) < 0.3
    y, kept = stochastic_gelu(x, 5, return_mask=True)
    m = np.ma.array(x, mask=hidden)
    for z in (m, m.T.copy().T):
        of_masked, kept_of_masked = stochastic_gelu(z, 5, return_mask=True)
        assert type(of_masked) is type(kept_of_masked) is np.ma.MaskedArray
        assert_same(of_masked.mask, hidden)
        assert_same(kept_of_masked.mask, hidden)
        assert_same(of_masked.compressed(), y[~hidden])
        assert_same(kept_of_masked.compressed(), kept[~hidden])
        assert type(stochastic_gelu(z, 5)) is np.ma.MaskedArray
        of_masked[0] = 1  # the mask is a copy
        assert_same(kept_of_masked.mask, hidden)
        assert_same(z.mask, hidden)
    assert_same(stochastic_gelu(np.ma.array(x), 5).data, y)
    out = np.ma.array(np.zeros_like(x), mask=~hidden)
    assert stochastic_gelu(m, 5, out=out) is out
    assert_same(out.mask, hidden)
    assert_same(out.compressed(), y[~hidden])
    stochastic_gelu(x, 5, out=out)
    assert_same(out.filled(), y)
    stochastic_gelu(m, 5, offset=400, out=m)
    assert_same(m.mask, hidden)
    assert_same(m.compressed(), stochastic_gelu(x, 5, offset=400)[~hidden])


def test_a_mask_needs_a_place():
    out, rng = np.full(3, 7.0), np.random.default_rng(1)
    with pytest.raises(TypeError, match="out must be a masked array"):
        stochastic_gelu(np.ma.masked_equal([1.0, 2, 3], 2), rng, out=out)
    assert (out == 7).all() and rng.bit_generator.state == np.random.default_rng(1).bit_generator.state
    out = np.ma.array(out, mask=[True, False, False])
    with pytest.raises(ValueError, match="shape"):
        stochastic_gelu(np.ma.masked_equal([1.0, 2], 2), 1, out=out)
    assert out.mask.tolist() == [True, False, False] and (out.data == 7).all()


def test_masked_scalars():
    y, kept = stochastic_gelu(np.ma.masked, 5, return_mask=True)
    assert y is np.ma.masked and kept is np.ma.masked
    y = stochastic_gelu(np.ma.array(30.0), 5)
    assert y == 30 and type(y) is np.float64


@pytest.mark.parametrize(
    "x",
    [1j, "a", None, np.longdouble(1), np.datetime64(1, "s"), [object()]],
    ids=lambda x: type(x).__name__,  # the same in every process: object()'s repr has its address
)
def test_errors_name_the_function(x):
    with pytest.raises(TypeError, match="^stochastic_gelu takes no x of type"):
        stochastic_gelu(x, 1)


def test_out_must_be_an_array():
    with pytest.raises(TypeError, match="out must be an array, not list"):
        stochastic_gelu(np.ones(3), 1, out=[1.0, 2, 3])


@pytest.mark.parametrize("to", ["f4", "f8", "c16"])
@pytest.mark.parametrize("name", SMALL)
def test_out_gets_what_the_type_has(name, to):
    """Some types of one byte have no -0.0: their results have none, even in an `out` of another type."""
    dtype = type_of(name)
    every = np.arange(1 << 8, dtype="u1")
    x = every.view(dtype) if dtype.itemsize == 1 else values(500, np.float16).astype(dtype)
    want = stochastic_gelu(x, 3)
    for out in (np.ones(x.size, to), np.ones(2 * x.size, to)[::2]):
        stochastic_gelu(x, 3, out=out)
        np.testing.assert_array_equal(out, want.astype(to))
        np.testing.assert_array_equal(np.signbit(out.real), np.signbit(want.astype(to).real))
        with np.errstate(all="ignore"):
            again = gelu(x, out=np.ones(x.size, to)), gelu(x).astype(to)
        np.testing.assert_array_equal(*map(np.signbit, (again[0].real, again[1].real)))
