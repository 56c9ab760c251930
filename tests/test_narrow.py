# SPDX-License-Identifier: BSD-3-Clause
"""The types of ml_dtypes: bfloat16, which has kernels of its own, and types of one byte, which are computed in float32,
block by block. formats.py judges their results."""

import subprocess
import sys
from functools import cache

import ml_dtypes
import numpy as np
import oracle
import pytest
from cases import (
    OF_ONE_INPUT,
    OF_SEVERAL,
    assert_same,
    check_places,
    every_level,
    outputs_of,
    through_function,
)
from formats import BFLOAT16, FORMATS, ONE_BYTE, errors_of_several, exact_of_several

import gelu_fast
from gelu_fast import _core
from gelu_fast._bounds import UFUNCS, ULP, ULP_ONE_BYTE

pytestmark = every_level

every_format = pytest.mark.parametrize("format", FORMATS, ids=repr)
every_one_byte_format = pytest.mark.parametrize("format", ONE_BYTE, ids=repr)
every_name_of_one_input = pytest.mark.parametrize("name", OF_ONE_INPUT)


@every_format
def test_formats_are_those_of_ml_dtypes(format):
    np.testing.assert_array_equal(format.every.astype(np.float32), format.meanings.astype(np.float32))
    info = ml_dtypes.finfo(format.dtype)
    assert (float(info.max), float(info.smallest_subnormal)) == (format.largest, format.subnormal)
    numbers = format.numbers.astype(np.float32)
    for x in (format.middles().astype(np.float32), np.nextafter(numbers, np.float32(np.inf))):
        x = np.concatenate([x, -x])
        with np.errstate(over="ignore"):
            rounded = x.astype(format.dtype)
        np.testing.assert_array_equal(format.wide(rounded), format.nearest(x.astype(np.float64)))


def test_nearest_rounds_once():
    for format, x, want in [
        (BFLOAT16, 1 + 2.0**-8 + 2.0**-40, 1 + 2.0**-7),
        (BFLOAT16, 1 + 2.0**-8, 1.0),
        (BFLOAT16, 1 + 3 * 2.0**-8, 1 + 2.0**-6),
        (BFLOAT16, 2.0**-134, 0.0),
        (BFLOAT16, -(2.0**-134 + 2.0**-180), -(2.0**-133)),
        (BFLOAT16, 2.0**128 - 2.0**119, np.inf),
        (BFLOAT16, 2.0**128 - 2.0**119 - 2.0**80, 2.0**128 - 2.0**120),
        (ONE_BYTE[0], 1.0625 + 2.0**-40, 1.125),
        (ONE_BYTE[0], 464.0, 448.0),
        (ONE_BYTE[0], 464.1, np.nan),
    ]:
        np.testing.assert_array_equal(format.nearest(np.array([x])), [want])


def test_the_judge_convicts():
    for exact in (1.5, 2.0**-130, BFLOAT16.largest):
        wrong = np.array([exact], ml_dtypes.bfloat16).view(np.uint16) - np.uint16(3)
        assert BFLOAT16.error(wrong.view(ml_dtypes.bfloat16), np.array([exact]))[0] == 3
    largest = np.array([BFLOAT16.largest], ml_dtypes.bfloat16)
    assert BFLOAT16.error(largest, np.array([2.0**130]))[0] == 1
    assert BFLOAT16.error(np.array([np.inf], ml_dtypes.bfloat16), np.array([2.0**127]))[0] == 128


# ---- functions of one input: correctly rounded ----


def exact_of(name, x):
    """oracle.in_float64, but gelu(x) stays above x/2 even where the difference is too small for a float64: so a tie
    between two subnormal numbers rounds up."""
    exact = oracle.in_float64(name, x)
    if UFUNCS[name][0] == "gelu":
        exact = np.where((exact == x / 2) & (x != 0), np.nextafter(exact, np.inf), exact)
    return exact


@every_name_of_one_input
@every_format
def test_correctly_rounded(name, ufunc, format, report):
    """Every number is correctly rounded, without a floating-point warning; NaN comes from NaN alone."""
    exact = exact_of(name, format.meanings)
    with np.errstate(all="raise"):
        y = ufunc(format.every)
    assert y.dtype == format.dtype
    got, want = format.wide(y), format.nearest(exact)
    number = ~np.isnan(format.meanings)
    errors = format.error(y, exact)[number]
    x = format.meanings[number]
    report(f"{name} {format}: {errors.max():.6f} ULP at {x[errors.argmax()].hex()} of {x.size} inputs")
    np.testing.assert_array_equal(got, want)
    assert not np.isnan(want[number]).any()
    assert errors.max() <= (ULP_ONE_BYTE if format in ONE_BYTE else ULP[name]["bfloat16"])
    if UFUNCS[name][0] == "gelu":  # other functions may give zeros of either sign
        np.testing.assert_array_equal(np.signbit(got[number]), np.signbit(want[number]))


@every_name_of_one_input
@every_format
def test_the_oracle_decides(name, format):
    """No exact value is so near to a middle that the oracle's own error (1e-13, and 1e-16 near a gradient's zero) could
    move it to the other side. Values that the oracle computes as x/2 are known to be above it."""
    x = format.meanings[np.isfinite(format.meanings)]
    size = np.abs(oracle.in_float64(name, x))
    middles = format.middles()
    place = np.searchsorted(middles, size).clip(1, middles.size - 1)
    distance = np.minimum(np.abs(middles[place] - size), np.abs(middles[place - 1] - size))
    doubt = 1e-12 * size
    if name in oracle.ZEROS:
        doubt[np.abs(x - oracle.ZEROS[name]) < 0.5] += 1e-15
    decided = distance > doubt
    if UFUNCS[name][0] == "gelu":
        decided |= np.abs(x) < 2.0**-100
    assert decided.all()


# ---- a value at any position ----

# Types of one byte take the same path for every function.
CASES = [(BFLOAT16, name) for name in OF_ONE_INPUT] + [(format, "gelu_erf") for format in ONE_BYTE]


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def case(request):
    return request.param


@pytest.fixture
def format(case):
    return case[0]


@pytest.fixture
def name(case):
    return case[1]


@cache
def shuffled(format):
    """All numbers of the type, in an order in which neighbours take different paths."""
    x = format.every[np.random.default_rng(11).permutation(200_001) % format.every.size]
    x.flags.writeable = False
    return x


@pytest.fixture
def x(format):
    return shuffled(format)


@pytest.fixture
def expected(ufunc, format, x):
    """The results of x, taken from those that test_correctly_rounded judges."""
    return ufunc(format.every)[x.view(format.bits)]


def test_position(call, x, expected, format):
    assert_same(call(x), expected)
    for other in (-10, -100, 0, 8):
        beside = np.full(2 * x.size, other, format.dtype)
        beside[::2] = x
        assert_same(call(beside)[::2], expected)
    for length in [*range(1, 150), 767, 768, 769, 4097]:
        for start in (0, 1, 3, 1000):
            assert_same(call(x[start : start + length]), expected[start : start + length])


def test_layouts(call, x, expected, format):
    for step in (2, 3, 16, 1000, -1, -3):
        assert_same(call(x[::step]), expected[::step])
        room = np.full(x.size, 7, format.dtype)
        call(x[::step], out=room[::step])
        assert_same(room[::step], expected[::step])
        room[::step] = 7
        assert (room == 7).all()
    n = x.size // 700 * 700
    square = x[:n].reshape(700, -1)
    assert_same(call(square.T), expected[:n].reshape(700, -1).T)
    assert_same(call(square[:, 1:-1]), expected[:n].reshape(700, -1)[:, 1:-1])
    moved = np.zeros(x.nbytes + 1, np.uint8)[1:].view(format.dtype)
    moved[...] = x
    assert_same(call(moved), expected)


def test_in_place(call, x, expected):
    for n in (1, 15, 17, 769, x.size):
        y = x[:n].copy()
        assert call(y, out=y) is y
        assert_same(y, expected[:n])
    for step in (2, -1):
        y = x.copy()
        call(y[::step], out=y[::step])
        assert_same(y[::step], expected[::step])


def test_threads(call, x, expected, threads, stream_from, format):
    count = _core._streamed()
    out = np.empty_like(x)
    assert_same(call(x, out=out), expected)
    assert (_core._streamed() > count) == (stream_from == 0 and format is BFLOAT16)
    assert_same(call(x), expected)
    assert_same(call(x[::2]), expected[::2])
    check_places(call, x, expected)


def test_overlap(call, x, expected, threads):
    for shift in (1, 16, 5000):
        later, earlier = slice(shift, None), slice(None, -shift)
        for there, back in ((later, earlier), (earlier, later)):
            base = x.copy()
            call(base[there], out=base[back])
            assert_same(base[back], expected[there])
    base = x.copy()
    call(base[::-1], out=base)
    assert_same(base, expected[::-1])


# ---- arguments ----


def test_scalars(call, format):
    number = format.dtype.type(1.5)
    expected = call(np.array([number]))
    for x in (number, np.array(number)):
        y = call(x)
        assert type(y) is format.dtype.type
        assert_same(np.array([y]), expected)
    assert_same(call([number]), expected)
    out = np.array(7, format.dtype)
    assert call(np.array(number), out=out) is out
    assert_same(out.reshape(1), expected)


def test_empty(call, format):
    for shape in [(0,), (3, 0), (0, 4, 2)]:
        y = call(np.empty(shape, format.dtype))
        assert y.shape == shape and y.dtype == format.dtype


def test_out_and_where(call, x, expected, format):
    where = np.arange(x.size) % 3 == 0
    out = np.full(x.size, 7, format.dtype)
    assert call(x, out=(out,), where=where) is out
    assert_same(out[where], expected[where])
    assert (out[~where] == 7).all()
    three = np.full((3, x.size), 7, format.dtype)
    call(x, out=three)
    for row in three:
        assert_same(row, expected)


def outcome(function, *args, **kwargs):
    """The type of the result, or the type of the error."""
    try:
        with np.errstate(all="ignore"):
            return function(*args, **kwargs).dtype
    except TypeError:
        return TypeError


def test_out_and_dtype_of_another_type(ufunc, format):
    """The result or the error has the same type as np.exp's."""
    x = format.every[:100]
    for other in (*"efdi", *(each.dtype for each in FORMATS)):
        for given in ({"out": np.zeros(100, other)}, {"dtype": other}):
            assert outcome(ufunc, x, **given) == outcome(np.exp, x, **given)
    for casting in ("no", "equiv", "safe", "same_kind", "unsafe"):
        for dtype in ("f4", "f8"):
            given = {"dtype": dtype, "casting": casting}
            assert outcome(ufunc, x, **given) == outcome(np.exp, x, **given)
    wide = np.zeros(100, np.float32)
    ufunc(x, out=wide)
    np.testing.assert_array_equal(wide, format.wide(ufunc(x)))
    narrow = np.zeros(100, format.dtype)
    ufunc(x.astype(np.float32), out=narrow)
    assert_same(narrow, ufunc(x.astype(np.float32)).astype(format.dtype))
    assert_same(ufunc(x, dtype=np.float32), ufunc(x.astype(np.float32)))


@pytest.mark.parametrize("other", [*(each.name for each in FORMATS), *"?bBhHiIlLqQefd"])
@every_format
def test_mixed_types(format, other):
    """Two types are computed in the type that np.multiply gives them."""
    x = np.array([0.5, -2, 3], format.dtype)
    dy = np.array([1, 0, 1]).astype(other)
    for a, b in ((dy, x), (x, dy)):
        common = np.multiply(a, b).dtype
        expected = gelu_fast.gelu_backward_erf(a.astype(common), b.astype(common))
        assert expected.dtype == common
        assert_same(gelu_fast.gelu_backward_erf(a, b), expected)
        assert_same(gelu_fast.gelu_backward(a, b), expected)


@pytest.mark.parametrize("other", "gFDGO")
@every_format
def test_mixed_types_that_are_refused(format, other):
    x = np.ones(3, format.dtype)
    for function in (gelu_fast.gelu_backward_erf, gelu_fast.gelu_backward):
        with pytest.raises(TypeError, match="ufunc 'gelu_backward_erf' not supported for the input types"):
            function(x, x.astype(other))
        with pytest.raises(TypeError, match="ufunc 'gelu_backward_erf' not supported for the input types"):
            function(x.astype(other), x)


def test_other_types_of_ml_dtypes():
    """Types without a loop here are computed in a type to which NumPy casts them safely."""
    for name, computed in [
        ("float8_e8m0fnu", "f4"),
        ("float4_e2m1fn", "f4"),
        ("int4", "f2"),
        ("uint4", "f2"),
    ]:
        if hasattr(ml_dtypes, name):
            x = np.ones(3, getattr(ml_dtypes, name))
            assert_same(gelu_fast.gelu(x), gelu_fast.gelu(x.astype(computed)))


PYTHON_NUMBERS = {
    "gelu_backward": lambda x, number, **given: gelu_fast.gelu_backward(number, x, **given),
    "bias_gelu": lambda x, number, **given: gelu_fast.bias_gelu(x, number, **given),
    "geglu": lambda x, number, **given: gelu_fast.geglu(x, number, **given),
    "gelu": lambda x, number, **given: gelu_fast.gelu(x, mu=number, sigma=2.0, **given),
}


@pytest.mark.parametrize("function", PYTHON_NUMBERS)
@every_format
def test_python_numbers(function, format):
    """A Python float with such an array: the type of the result depends on the types alone. The array's layout and the
    number's value have no influence, and the number is rounded to that type."""
    call = PYTHON_NUMBERS[function]
    x = np.array([[0.5, -2, 3], [1, 0, -1]], format.dtype)
    dtype = call(x, 0.5).dtype
    for number in (0.5, -3.0, 1000.0, 1e5):
        with np.errstate(over="ignore"):
            expected = call(x.astype(dtype), np.array(number, dtype))
        assert_same(call(x, number), expected)
        assert_same(call(x.T, number), expected.T)
        assert_same(call(x, number, order="C"), expected)
        assert_same(call(x[:, ::2], number), expected[:, ::2])
        assert_same(np.asarray(call(x[0, 0], number)), expected[0, 0, ...])
        out = np.empty(x.shape, format.dtype)
        call(x, number, out=out)
        assert_same(out, expected.astype(format.dtype))


def test_types_that_numpy_lists():
    """`types` lists NumPy's own types alone, which have letters."""
    for name in UFUNCS:
        ufunc = getattr(gelu_fast, name)
        np.testing.assert_array_equal(ufunc.types, [f"{c * ufunc.nin}->{c * ufunc.nout}" for c in "efd"])


# ---- functions of several inputs ----


def numbers_of_any_size(name, format, n):
    """Ordinary numbers, numbers in the tail, numbers near the zeros of gradients, and numbers of any size."""
    rng = np.random.default_rng(13)
    tail = {"exact": 14, "tanh": 10, "sigmoid": 60}[UFUNCS[name][1]]
    finite = format.meanings[np.isfinite(format.meanings)]
    inputs = []
    for _ in range(getattr(gelu_fast, name).nin):
        kinds = [
            rng.normal(0, 2, n),
            rng.uniform(-tail, 0, n),
            rng.uniform(-0.9, -0.6, n),
            rng.choice(finite, n),
        ]
        x = np.choose(rng.integers(0, 4, n), kinds).clip(-format.largest, format.largest)
        inputs.append(x.astype(format.dtype))
    if "mu_sigma" in name:
        inputs[-1] = np.abs(inputs[-1])
        inputs[-1][inputs[-1] == 0] = 1
    return inputs


@pytest.mark.parametrize("name", OF_SEVERAL)
def test_several_inputs_in_bfloat16(name, report):
    n = 200_000
    inputs = numbers_of_any_size(name, BFLOAT16, n)
    results = outputs_of(getattr(gelu_fast, name)(*inputs))
    for y, other in zip(results, outputs_of(through_function(name)(*inputs)), strict=True):
        assert_same(y, other)
    for y, exact in zip(results, exact_of_several(name, inputs), strict=True):
        assert y.dtype == ml_dtypes.bfloat16
        errors = errors_of_several(BFLOAT16, y, *exact)
        worst = int(errors.argmax())
        where = ", ".join(float(x[worst]).hex() for x in inputs)
        bound = ULP[name]["bfloat16"]
        report(f"{name} bfloat16: {errors[worst]:.6f} ULP at {where} of {n} inputs, bound {bound}")
        assert not np.isnan(errors).any()
        assert errors[worst] <= bound


@pytest.mark.parametrize("approx", [False, "tanh", "sigmoid"])
@every_format
def test_ties(format, approx):
    """The derivative at 0 is 1/2: half of every second subnormal number is a tie."""
    dy = format.every[np.isfinite(format.meanings)]
    halves = format.wide(dy) / 2
    assert np.isin(np.abs(halves), format.middles()).any()
    for zero in (0.0, -0.0):
        y = gelu_fast.gelu_backward(dy, np.full_like(dy, zero), approx)
        np.testing.assert_array_equal(format.wide(y), format.nearest(halves))


def test_overflow():
    """A result overflows if it lies beyond the middle between the largest number and the one that would follow, and not
    before."""
    largest = BFLOAT16.largest
    for function, inputs, want in [
        (gelu_fast.bias_gelu, [[largest] * 2, [129 * 2.0**112, 255 * 2.0**111]], [np.inf, largest]),
        (
            gelu_fast.geglu,
            np.array([[181, 181, 166], [181, -181, 197]]) * [[2.0**60], [2.0**53]],
            [np.inf, -np.inf, largest],
        ),
        (gelu_fast.gelu_backward, [[largest, -largest, largest], [1, 1, 20]], [np.inf, -np.inf, largest]),
    ]:
        y = function(*np.array(inputs, ml_dtypes.bfloat16))
        np.testing.assert_array_equal(BFLOAT16.wide(y), want)


@pytest.mark.parametrize(
    "name", [n for n in OF_SEVERAL if UFUNCS[n][0] in ("gelu_backward", "bias_gelu", "geglu")]
)
@every_one_byte_format
def test_every_pair_of_bytes(name, format, report):
    """Within the type's range, results keep the bound of bfloat16; beyond it, they are the float32 results cast by
    ml_dtypes."""
    every = np.arange(1 << 16)
    inputs = [format.every[every >> 8], format.every[every & 255]]
    ufunc = getattr(gelu_fast, name)
    y = ufunc(*inputs)
    assert y.dtype == format.dtype
    assert_same(y, through_function(name)(*inputs))
    float32 = ufunc(*(x.astype(np.float32) for x in inputs))
    with np.errstate(over="ignore"):
        cast = float32.astype(format.dtype)
    ((exact, of, factor),) = exact_of_several(name, inputs)
    within = np.abs(exact) <= format.largest
    errors = errors_of_several(format, y[within], exact[within], of[within], factor[within])
    worst, bound = int(errors.argmax()), ULP[name]["bfloat16"]
    where = ", ".join(float(x[within][worst]).hex() for x in inputs)
    report(f"{name} {format}: {errors[worst]:.6f} ULP at {where} of {errors.size} inputs, bound {bound}")
    assert not np.isnan(errors).any()
    assert errors[worst] <= bound
    np.testing.assert_array_equal(format.wide(y[~within]), format.wide(cast[~within]))
    nan_in = np.isnan(format.wide(inputs[0])) | np.isnan(format.wide(inputs[1]))
    assert np.isnan(format.wide(y[nan_in])).all()


@pytest.mark.parametrize("name", [name for name in OF_SEVERAL if getattr(gelu_fast, name).nin > 2])
@every_one_byte_format
def test_more_than_two_inputs_of_bytes(name, format):
    """Results are the float32 results, rounded; each operand is taken for itself, repeated or not."""
    inputs = numbers_of_any_size(name, format, 3000)
    for operands in (inputs, [x if i == 1 else x[:1] for i, x in enumerate(inputs)]):
        float32 = outputs_of(getattr(gelu_fast, name)(*(x.astype(np.float32) for x in operands)))
        for call in (getattr(gelu_fast, name), through_function(name)):
            for y, wide in zip(outputs_of(call(*operands)), float32, strict=True):
                with np.errstate(over="ignore"):
                    assert_same(y, wide.astype(format.dtype))


# ---- with and without ml_dtypes ----


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


WITHOUT = """
import sys
sys.modules["ml_dtypes"] = None
import numpy as np, gelu_fast
print(gelu_fast.gelu_erf(np.float32(-1.25)), *gelu_fast.gelu_erf.types)
del sys.modules["ml_dtypes"]
import ml_dtypes
for name in ("bfloat16", "float8_e4m3fn"):
    x = np.full(3, -1.25, getattr(ml_dtypes, name))
    print(gelu_fast.gelu(x).dtype, gelu_fast.gelu_erf(x).dtype)
"""


def test_without_ml_dtypes():
    """Without ml_dtypes, arrays of its types are computed in float32, to which NumPy may cast them."""
    value, *rest = run(WITHOUT)
    assert value == str(gelu_fast.gelu_erf(np.float32(-1.25)))
    assert rest == ["e->e", "f->f", "d->d"] + ["float32"] * 4


@pytest.mark.parametrize("imports", ["gelu_fast, ml_dtypes", "ml_dtypes, gelu_fast"])
def test_with_ml_dtypes(imports):
    """gelu_fast and ml_dtypes may be imported in either order."""
    done = run(
        f"""
import sys, numpy as np, {imports}
for name in {[format.name for format in FORMATS]}:
    x = np.full(1000, -1.25, getattr(ml_dtypes, name))
    for y in (gelu_fast.gelu(x), gelu_fast.gelu_erf(x)):
        print(y.dtype, float(y[999]))
"""
    )
    expected = []
    for format in FORMATS:
        y = gelu_fast.gelu_erf(np.full(1, -1.25, format.dtype))
        expected += [format.name, str(float(y[0]))] * 2
    assert done == expected


def test_ml_dtypes_is_imported():
    """gelu_fast imports ml_dtypes, as a user may get arrays of its types without importing it."""
    assert run("import sys, gelu_fast; print('ml_dtypes' in sys.modules)") == ["True"]
