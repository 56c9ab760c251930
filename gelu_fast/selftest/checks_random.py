# SPDX-License-Identifier: BSD-3-Clause
"""stochastic_gelu: its random words are those of Philox4x32-10, and its results follow the documented rule in every
layout, on every number of threads, and in chunks."""

from functools import partial

import numpy as np

import gelu_fast
from gelu_fast.selftest import environment, package
from gelu_fast.selftest.checks_arrays import layouts_of, mixed_numbers
from gelu_fast.selftest.formats import all_formats, formats
from gelu_fast.selftest.references import gate_and_slope

FUNCTION = "stochastic_gelu"
WORD = 0xFFFFFFFF
PER_BLOCK = 64  # words, of 16 counters


def philox(counter, key):
    """Philox4x32-10 as Salmon and others define it (SC 2011), of four numbers or four uint64 arrays."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        a, b = c0 * 0xD2511F53, c2 * 0xCD9E8D57
        c0, c1, c2, c3 = (b >> 32) ^ c1 ^ k0, b & WORD, (a >> 32) ^ c3 ^ k1, a & WORD
        k0, k1 = k0 + 0x9E3779B9 & WORD, k1 + 0xBB67AE85 & WORD
    return c0, c1, c2, c3


def words_of(key, block, n_blocks):
    """Words 64 block to 64 (block + n_blocks). A block has word 0 of 16 successive counters, then word 1 of these, and
    so on."""
    counters = np.uint64(16 * block) + np.arange(16 * n_blocks, dtype=np.uint64)
    k0, k1, c2, c3 = map(int, key)
    four = philox((counters & WORD, counters >> 32, c2, c3), (k0, k1))
    return np.stack(four).reshape(4, n_blocks, 16).swapaxes(0, 1).ravel().astype(np.uint32)


# Known answers of Random123: counter, key, result.
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((WORD,) * 4, (WORD, WORD), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


def random_words(check):
    for counter, key, answer in KNOWN:
        check.true(
            f"Philox4x32-10 of the self-test, {counter}",
            philox(counter, key) == answer,
            "other words",
            answer,
        )
        block, place = divmod(counter[1] << 32 | counter[0], 16)
        got = package.random_words([*key, *counter[2:]], block, 2)
        check.same("random words", [], got[place:PER_BLOCK:16], np.array(answer, np.uint32))
    rng = np.random.default_rng(1)
    for block in (0, 1, 1000, 2**28 - 3, 2**28, 2**59 - 1):  # from 2**28 on counters have a second word
        for key in (*rng.integers(1 << 32, size=(4, 4), dtype="u4"), np.array([0, 0, 0, 1], "u4")):
            got = package.random_words(key, block, 6)
            check.same(f"random words of block {block}, key {key}", [], got, words_of(key, block, 6))


def _uniform(seed, dtype, n, offset):
    """The random number of each of n elements."""
    of_each = dtype.itemsize // 4
    block, skip = divmod(offset * of_each, PER_BLOCK)
    key = np.random.SeedSequence(seed).generate_state(4)
    words = words_of(key, block, (skip + n * of_each) // PER_BLOCK + 1)[skip : skip + n * of_each].astype(
        np.uint64
    )
    if of_each == 1:
        return (words >> 1) * 2.0**-31 + 2.0**-32
    low, high = words.reshape(n, 2).T
    return ((low | high << 32) >> 12) * 2.0**-52 + 2.0**-53


def _decided(x, seed, form, offset=0):
    """Result and mask by the rule, for float32 or float64; and where gate and random number are too close to decide."""
    u, nan = _uniform(seed, x.dtype, x.size, offset), np.isnan(x)
    gate, _ = gate_and_slope(form, np.where(nan, 0, x).astype(np.float64))
    mask = (u <= gate) & ~nan
    return np.where(mask | nan, x, np.copysign(0, x)), mask, np.abs(u - gate) <= 1e-12 * gate


def _draw(x, seed, approx, **given):
    return _draw_alone(x, seed, approx, return_mask=True, **given)


def _draw_alone(x, seed, approx, **given):
    return package.call(FUNCTION, x, seed, approx=approx, **given)


def rule(form, quick, check):
    """Element i is kept if random number offset + i is at most its gate; smaller types are computed in float32."""
    approx = package.FORM_NAMES[form]
    for format in all_formats():
        text = f"stochastic_gelu({format.name}, approx={approx!r})"
        for n, seed, offset in (
            (1, 1, 0),
            (65, 2**100, 3),
            (2000, 3, 2**40 + 17),
            (3000 if quick else 100_000, 4, 0),
        ):
            x = mixed_numbers(format, n, seed % 1000)
            want, mask, unclear = _decided(x.astype(format.deciding), seed, form, offset)
            got, clear = _draw(x, seed, approx, offset=offset), ~unclear
            want = format.rounded(want)[clear], mask[clear]
            check.same(text, [x[clear]], tuple(y[clear] for y in got), want)
            alone = _draw_alone(x, seed, approx, offset=offset)
            check.same(f"{text} without mask", [x[clear]], alone[clear], want[0])


def rule_where_close(form, quick, check):
    """The rule for numbers whose gate is so close to the random number that a gate in float32 could not decide."""
    n, approx = 300 if quick else 3000, package.FORM_NAMES[form]
    for dtype in (np.dtype(np.float32), np.dtype(np.float64)):
        u = _uniform(7, dtype, n, 0)
        for step in (-1, 0, 1):
            if dtype == np.float32:
                x = (_inverse(u, form).astype(dtype).view(np.int32) + step).view(dtype)
            else:
                x = _inverse(u * (1 + step * 1e-11), form)
            want, mask, unclear = _decided(x, 7, form)
            got, clear = _draw(x, 7, approx), ~unclear
            text = f"stochastic_gelu({dtype}, approx={approx!r})"
            check.same(text, [x[clear]], tuple(y[clear] for y in got), (want[clear], mask[clear]))


def _inverse(gate, form):
    """The x for which the gate has this value, by bisection."""
    low, high = np.full(gate.shape, -15.0), np.full(gate.shape, 15.0)
    for _ in range(60):
        middle = (low + high) / 2
        below = gate_and_slope(form, middle)[0] < gate
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return high


def same_draws(check):
    """The same results in all layouts, in chunks with an offset, on any number of threads, in all floating-point
    environments, in place, and from two generators of one seed."""
    (float64,) = formats()["float64"]
    x = mixed_numbers(float64, 100)
    want = _draw_alone(x, 5, "none")
    check.same("stochastic_gelu, no approx", [x], package.call(FUNCTION, x, 5), want)
    check.same("stochastic_gelu, a list", [x], _draw_alone(x.tolist(), 5, "none"), want)
    for i, number in enumerate(x.tolist()):
        got = _draw_alone(number, 5, "none", offset=i)
        check.same("stochastic_gelu, a Python number", [number], got, want[i])
    for format in all_formats():
        x = mixed_numbers(format, 16 * 3001)
        want = _draw(x, 5, "tanh")
        text = f"stochastic_gelu({format.name}), {{}}"

        def compare(what, got, want=want, x=x, text=text):
            check.same(text.format(what), [x], tuple(map(np.ravel, got)), want)

        for layout, lay in layouts_of(x.dtype).items():
            compare(layout, _draw(lay(x), 5, "tanh"))
        chunks = [
            _draw(x[a:b], 5, "tanh", offset=a) for a, b in ((0, 1), (1, 700), (700, 30_000), (30_000, None))
        ]
        compare("chunks", map(np.concatenate, zip(*chunks)))
        in_place = x.copy()
        compare("in place", _draw(in_place, 5, "tanh", out=in_place))
        for shift in (-700, -1, 1, 700):
            for draw, expected in ((_draw, want), (_draw_alone, want[0])):
                room = np.resize(x, 3 * x.size)
                out = room[x.size + shift : 2 * x.size + shift]
                got = draw(room[x.size : 2 * x.size], 5, "tanh", out=out)
                check.same(text.format(f"out {shift} elements from x"), [x], got, expected)
        for seed in (np.random.SeedSequence(5), [5]):
            compare("another seed object", _draw(x, seed, "tanh"))
        twins = [_draw(x, np.random.default_rng(6), "tanh") for _ in range(2)]
        compare("twin generators", twins[0], twins[1])
        for mode in () if environment.UNKNOWN else environment.ENVIRONMENTS:
            with environment.environment(*mode):
                got = _draw(x, 5, "tanh")
            compare("-".join(mode), got)
        many = np.resize(x, 1 << 18)
        alone = _threads_draw(1, many)
        for n_threads in (2, 5):
            compare(f"{n_threads} threads", _threads_draw(n_threads, many), alone, many)


def _threads_draw(n_threads, x):
    gelu_fast.set_num_threads(n_threads)
    try:
        return _draw(x, 5, "tanh")
    finally:
        gelu_fast.set_num_threads(None)


def checks(wanted, options):
    if not wanted:
        return
    yield "random words", FUNCTION, "", random_words
    for form in package.FORM_NAMES:
        yield f"rule, {form} gate", FUNCTION, "", partial(rule, form, options.quick)
        yield (
            f"rule where close, {form} gate",
            FUNCTION,
            "",
            partial(rule_where_close, form, options.quick),
        )
    yield "same draws everywhere", FUNCTION, "", same_draws
