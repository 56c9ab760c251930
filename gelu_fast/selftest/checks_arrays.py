# SPDX-License-Identifier: BSD-3-Clause
"""Special values; reductions; and layouts: a result depends on its inputs alone, not on their place in memory."""

from functools import partial, reduce
from itertools import accumulate, product

import numpy as np

from gelu_fast._bounds import UFUNCS, UNARY
from gelu_fast.selftest import package
from gelu_fast.selftest.formats import all_formats, every_format, in_turn
from gelu_fast.selftest.judge import errors, outputs_of
from gelu_fast.selftest.references import gate_and_slope, terms

# ---- special values ----


def special_of_one(ufunc, check):
    """Limits, both zeros, the largest numbers, NaNs of both signs and several payloads; no number raises a warning."""
    signed_zeros = UFUNCS[ufunc][0] == "gelu"  # a zero of the others may have either sign
    for format in every_format():
        largest, least = float(format.largest), float(format.smallest)
        x = [0, -0.0, largest, -largest, *([np.inf, -np.inf] if format.has_infinity else [])]
        x = format.rounded(x)
        (want,) = _composed(ufunc, [x.astype(format.working)])
        want = format.rounded(want)
        numbers = np.concatenate([x, format.rounded([*np.geomspace(1e-3, 1e3, 40), least, -least])])
        numbers = numbers[~np.isnan(numbers)]  # too large for a type without infinity
        nans = _nans(format)
        for name, call in package.ways(ufunc):
            text = f"{name} {format.name}"
            singly = np.array([call(one) for one in x], format.dtype)
            for got in (call(x), singly):
                if not signed_zeros:
                    got = np.where((got == 0) & (want == 0), want, got)
                check.same(text, [x], got, want)
            for operand in (*numbers, np.resize(numbers, 1000)):
                _number_without_warning(text, call, operand, check)
            check.same(text, [nans], call(nans), nans)


def _number_without_warning(text, call, x, check):
    inputs = [x] if x.ndim == 0 else []
    try:
        with np.errstate(all="raise"):
            y = call(x)
    except FloatingPointError as error:
        check.fail(text, inputs, str(error), "no warning")
    else:
        check.true(text, not np.isnan(y).any(), "NaN for a number", "a number")


def _nans(format):
    """Quiet and signalling NaNs of both signs."""
    if format.dtype.itemsize <= 2:
        every = format.every()
        return every[np.isnan(every)]
    first = int(format.rounded(np.array([np.inf])).view(format.bits)[0])
    last = (1 << 8 * format.dtype.itemsize - 1) - 1
    quiet = 1 << format.mantissa_bits - 1
    bits = [first | 1, first | quiet, first | quiet | 1, last]
    return np.array(bits + [each + last + 1 for each in bits], format.bits).view(format.dtype)


def _composed(ufunc, inputs):
    """The formula as NumPy computes it in float64, with gate and slope of the references, which are limits at infinity:
    infinity times one of them that is zero is zero."""
    function, form = UFUNCS[ufunc]

    def gate_and_slope_at(z):
        gate, slope = gate_and_slope(form, np.where(np.isnan(z), 0, z))
        return np.where(np.isnan(z), np.nan, gate), slope

    def times(factor, y):
        return np.where(y == 0, np.copysign(0.0, factor), factor * y)

    with np.errstate(all="ignore"):
        if not function.endswith("_mu_sigma"):
            z, outputs = terms(function, inputs, inputs[0].dtype)
            both = gate_and_slope_at(z)
            return [a * reduce(np.add, map(times, factors, both)) for a, *factors in outputs]
        *dy, x, mu, sigma = inputs
        distance, scale = x - mu, np.where(sigma > 0, sigma, np.nan)
        # An infinite distance over an infinite sigma counts as infinite.
        z = np.float64(np.where(np.isinf(distance), distance * scale, distance / scale))
        gate, _ = gate_and_slope_at(z)
        if function == "gelu_gate_mu_sigma":
            return [gate]
        if function == "gelu_mu_sigma":
            return [np.where((gate == 0) & (x < 0), -0.0, x * gate)]
        # The derivative where it is 0, 1 or NaN; special_of_several leaves out the rest, which infinity marks.
        gradient = np.where(np.isinf(z) | np.isnan(z), gate, np.inf)
        return [
            gradient if function == "gelu_grad_mu_sigma" else np.where(np.isinf(z), dy[0] * gate, gradient)
        ]


def special_of_several(ufunc, check):
    """Zeros, infinities and NaN in every combination. Results are NaN, infinite or zero where the formula in NumPy is,
    with the same signs; other results are within the bound, except float64's, for which the formula is too inexact."""
    for format in every_format():
        values = [0, -0.0, 1.5, -1.5, np.inf, -np.inf, np.nan]
        if format.dtype.itemsize > 2:
            values += [format.largest, -format.largest, 7 * format.smallest, -9]
        values = format.rounded(np.array(values, np.float64))
        n = package.n_inputs(ufunc)
        inputs = [np.array(x, format.dtype) for x in zip(*product(values, repeat=min(n, 3)))]
        if n == 4:
            inputs.append(format.rounded(np.full(inputs[0].size, 2.0)))
        wants = _composed(ufunc, [x.astype(format.working) for x in inputs])
        if UFUNCS[ufunc][0] in ("gelu_grad_mu_sigma", "gelu_backward_mu_sigma"):
            plain = ~np.isposinf(wants[0])
            inputs, wants = [x[plain] for x in inputs], [wants[0][plain]]
        ways = package.ways(ufunc)
        for name, call in ways[:1] if "_mu_sigma" in ufunc else ways:  # the functions refuse such sigmas
            text = f"{name} {format.name}"
            for got, want in zip(outputs_of(call(*inputs)), wants, strict=True):
                check.same(text, inputs, _kind(got), _kind(format.rounded(want)))
                number = np.isfinite(want)
                if format.name != "float64":
                    got, want = got[number], np.float64(want[number])
                    distance = errors(got, want, format)
                    check.within(text, [x[number] for x in inputs], got, want, distance, format.bound(ufunc))


def _kind(x):
    """The sign of each number; zeros, infinities and NaN unchanged."""
    wide = x.astype(np.float64)
    return np.where(np.isfinite(wide) & (wide != 0), np.sign(wide), wide)


# ---- reductions ----


def _factors(format, n):
    """Factors near 1 of both signs, so that running products do not end in 0 or infinity; both zeros, the tail,
    infinity and NaN."""
    rng = np.random.default_rng(3)
    x = [rng.normal(1, 1, n), rng.uniform(-7, 7, n // 8), [0.0, -0.0, -20.0, np.inf, np.nan]]
    return format.rounded(rng.permutation(np.concatenate(x)))


def reductions(ufunc, quick, check):
    """reduce, accumulate, reduceat, at and outer give what calls for one element after the other give."""
    step = partial(package.call, ufunc)
    for format in all_formats():
        x = _factors(format, 80 if quick else 400)
        text = f"{ufunc}.{{}} {format.name}"
        for v in (x, x[:1], x[:7], x[::2], x[::-3]):
            check.same(text.format("reduce"), [], _method(ufunc, "reduce", v), _one(reduce(step, v), v))
            running = np.array(list(accumulate(v, step)), v.dtype)
            check.same(text.format("accumulate"), [v], _method(ufunc, "accumulate", v), running)
        in_place = x.copy()
        _method(ufunc, "accumulate", in_place, out=in_place)
        check.same(
            text.format("accumulate in place"), [x], in_place, np.array(list(accumulate(x, step)), x.dtype)
        )
        starts = [0, 5, 3, 40, 40, 2]
        parts = [x[a:b] if a < b else x[a : a + 1] for a, b in zip(starts, [*starts[1:], x.size])]
        want = np.array([reduce(step, part) for part in parts], x.dtype)
        check.same(text.format("reduceat"), [], _method(ufunc, "reduceat", x, starts), want)
        m = x[:72].reshape(8, 9)
        want = np.array([reduce(step, row) for row in m.T], x.dtype)
        check.same(text.format("reduce axis=0"), [], _method(ufunc, "reduce", m, axis=0), want)
        want = np.array([[step(a, b) for b in x[-6:]] for a in x[:5]], x.dtype)
        check.same(text.format("outer"), [], _method(ufunc, "outer", x[:5], x[-6:]), want)
        at, got, want = np.arange(60) % 7, x[:20].copy(), x[:20].copy()
        package.call_in_place(ufunc, got, at, x[20:80])
        for i, factor in zip(at, x[20:80]):
            want[i] = step(want[i], factor)
        check.same(text.format("at"), [], got, want)


def _method(ufunc, method, *inputs, **given):
    return package.call(ufunc, *inputs, method=method, **given)


def _one(scalar, like):
    return np.asarray(scalar, like.dtype)[()]


# ---- layouts ----


def mixed_numbers(format, n, seed=11):
    """Numbers of every kind, mixed so that neighbours take different branches of a kernel."""
    rng = np.random.default_rng(seed)
    kinds = [
        rng.normal(0, 2, n),
        rng.uniform(-40, 9, n),
        np.exp(rng.uniform(-100, 5, n)) * rng.choice([-1, 1], n),
        rng.choice([0.0, -0.0, np.inf, -np.inf, np.nan, -100.0], n),
        rng.integers(-9, 9, n) * float(format.smallest),
    ]
    return format.rounded(np.choose(rng.integers(0, len(kinds), n), kinds))


def mixed_inputs(ufunc, format, n):
    """Such numbers for each input, repeated from 3001 on; sigma is above 0."""
    size = min(n, 3001)
    inputs = [mixed_numbers(format, size, seed) for seed in range(package.n_inputs(ufunc))]
    if "_mu_sigma" in ufunc:
        inputs[-1] = format.rounded(np.random.default_rng(9).uniform(0.25, 4, size))
    return [np.resize(x, n) for x in inputs]


def unaligned(x):
    room = np.zeros(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    room[...] = x
    return room


LAYOUTS = {
    "contiguous": lambda x: x.copy(),
    "unaligned": unaligned,
    "byte-swapped": lambda x: x.astype(x.dtype.newbyteorder()),
    "every second": lambda x: np.repeat(x, 2)[::2],
    "every third": lambda x: np.repeat(x, 3)[1::3],
    "backwards": lambda x: x[::-1].copy()[::-1],
    "every second, backwards": lambda x: np.repeat(x[::-1], 2)[::-2],
    "two dimensions": lambda x: x.reshape(16, -1).copy(),
    "Fortran order": lambda x: np.asfortranarray(x.reshape(16, -1)),
    "rows that do not join": lambda x: np.repeat(x.reshape(16, -1), 2, axis=0)[::2],
}


def layouts_of(dtype):
    """All layouts of the type: ml_dtypes' types have one byte order alone."""
    return {name: lay for name, lay in LAYOUTS.items() if name != "byte-swapped" or dtype.kind == "f"}


N = 16 * 23  # elements; rows of 23
# (number of elements, shift from an input to an output in elements, step of both)
OVERLAPS = *product((N,), (-40, -3, -1, 1, 3, 40), (1, 2, -1)), (40_000, 5000, 1)
LENGTHS = 1, 2, 3, 7, 15, 31, 33, 65, 127, 767, 768, 769, 2000  # strided ones are packed in blocks of 768


def layouts(ufunc, quick, check):
    """Arrays in every layout give the results of single elements."""
    for format in in_turn(all_formats(), ufunc, quick):
        inputs = mixed_inputs(ufunc, format, N)
        single = [outputs_of(package.call(ufunc, *element)) for element in zip(*inputs)]
        want = tuple(np.array(y, format.dtype) for y in zip(*single))
        for name, call in package.ways(ufunc):
            text = f"{name} {format.name}, {{}}"
            _inputs_in_layouts(text, call, inputs, want, check)
            _outputs_in_layouts(text, call, inputs, want, check)
            _overlaps(text, call, inputs, want, in_turn(OVERLAPS, ufunc, quick), check)
            if len(inputs) > 1:
                _repeated_inputs(text, ufunc, call, inputs, check)


def _inputs_in_layouts(text, call, inputs, want, check):
    for layout, lay in layouts_of(inputs[0].dtype).items():
        laid = [lay(x) for x in inputs]
        got = outputs_of(call(*laid))
        check.same(text.format(layout), inputs, tuple(np.ravel(y) for y in got), want)
        if len(laid) > 1:  # the first input has the layout, the others are contiguous
            got = outputs_of(call(laid[0], *[x.reshape(laid[0].shape) for x in inputs[1:]]))
            check.same(text.format(f"the first {layout}"), inputs, tuple(np.ravel(y) for y in got), want)
    for n in LENGTHS:
        some, expected = [np.resize(x, n) for x in inputs], tuple(np.resize(y, n) for y in want)
        check.same(text.format(f"{n} elements"), some, outputs_of(call(*some)), expected)
        apart = [np.repeat(x, 2)[::2] for x in some]
        check.same(text.format(f"every second of {2 * n}"), some, outputs_of(call(*apart)), expected)


def _repeated_inputs(text, ufunc, call, inputs, check):
    """One input is a number, a row or a column, which broadcasts."""
    inputs = [x[: 4 * 6].reshape(4, 6) for x in inputs]
    for i, x in enumerate(inputs):
        for what, part in (("number", x[2, 3]), ("row", x[1]), ("column", x[:, 3:4])):
            operands = [*inputs[:i], part, *inputs[i + 1 :]]
            elements = [np.broadcast_to(each, x.shape).ravel() for each in operands]
            single = [outputs_of(package.call(ufunc, *element)) for element in zip(*elements)]
            want = tuple(np.array(y, x.dtype).reshape(x.shape) for y in zip(*single))
            got = tuple(np.broadcast_to(y, x.shape) for y in outputs_of(call(*operands)))
            check.same(text.format(f"one {what} of input {i}"), [], got, want)


def _into(call, outs, *operands, **given):
    call(*operands, out=outs if len(outs) > 1 else outs[0], **given)


def _outputs_in_layouts(text, call, inputs, want, check):
    def into(outs, *operands, **given):
        _into(call, outs, *operands, **given)

    def sevens():
        return tuple(np.full(N, 7, y.dtype) for y in want)

    for layout, lay in layouts_of(inputs[0].dtype).items():
        outs = tuple(lay(y) for y in sevens())
        before = [_root(y).tobytes() for y in outs]
        into(outs, *[x.reshape(outs[0].shape) for x in inputs])
        check.same(
            text.format(f"out {layout}"), inputs, tuple(y.ravel().astype(want[0].dtype) for y in outs), want
        )
        for y, bytes_before in zip(outs, before):
            y[...] = 7
            what = text.format(f"memory beside out {layout}")
            check.true(what, _root(y).tobytes() == bytes_before, "written", "as it was")
    some = np.arange(N) % 3 == 1
    outs = sevens()
    into(outs, *inputs, where=some)
    check.same(text.format("where"), inputs, outs, tuple(np.where(some, y, y.dtype.type(7)) for y in want))
    for i in range(len(inputs)):
        copies = [x.copy() for x in inputs]
        outs = copies[i], *sevens()[1:]
        into(outs, *copies)
        check.same(text.format(f"out is input {i}"), inputs, outs, want)


def _overlaps(text, call, inputs, want, overlaps, check):
    """Each output overlaps each input."""
    for i, o in product(range(len(inputs)), range(len(want))):
        for n, shift, step in overlaps:
            room = np.full(3 * n, 7, want[0].dtype)
            x, y = room[n : 2 * n][::step], room[n + shift : 2 * n + shift][::step]
            some = [np.resize(v, x.size) for v in inputs]
            outs = [np.full(x.size, 7, v.dtype) for v in want]
            x[...], outs[o] = some[i], y
            _into(call, tuple(outs), *some[:i], x, *some[i + 1 :])
            what = text.format(f"output {o} {shift} elements from input {i}, step {step}, {x.size} elements")
            check.same(what, some, tuple(outs), tuple(np.resize(v, x.size) for v in want))


def _root(view):
    while view.base is not None:
        view = view.base
    return view


def checks(ufuncs, options):
    for ufunc in ufuncs:
        run = special_of_one if UFUNCS[ufunc][0] in UNARY else special_of_several
        yield "special values", ufunc, "", partial(run, ufunc)
    for ufunc in ufuncs:
        if package.n_inputs(ufunc) == 2:
            yield "reductions", ufunc, "", partial(reductions, ufunc, options.quick)
    for ufunc in ufuncs:
        yield "layouts", ufunc, "", partial(layouts, ufunc, options.quick)
