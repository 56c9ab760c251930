# SPDX-License-Identifier: BSD-3-Clause
"""gelu_fast in code that Numba compiles: the bits of the ufuncs, for every way in."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from cases import assert_same, outputs_of, some_inputs
from needs import needs

needs("numba")

import numba  # noqa: E402
from numba import guvectorize, njit, prange, vectorize  # noqa: E402
from numba.core.errors import TypingError  # noqa: E402
from numba.core.runtime import _nrt_python, rtsys  # noqa: E402

import gelu_fast  # noqa: E402
from gelu_fast import bias_gelu, geglu, geglu_backward, gelu, gelu_backward, gelu_gate, gelu_grad  # noqa: E402
from gelu_fast._bounds import UFUNCS  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::numba.core.errors.NumbaPerformanceWarning")

APPROX = {False: "erf", "none": "erf", True: "tanh", "tanh": "tanh", "sigmoid": "sigmoid"}
SPECIAL = np.array(
    [0, -0.0, np.inf, -np.inf, np.nan, 1e-310, -1e-310, 1e-45, 1e300, -1e300, 1, -9, -13.5, -38]
)


def assert_same_numbers(ours, theirs):
    """As assert_same, but for the bits of NaN."""
    ours, theirs = (tuple(np.asarray(each) for each in outputs_of(result)) for result in (ours, theirs))
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(np.isnan(one), np.isnan(other))
    assert_same(*(tuple(np.nan_to_num(each, nan=7) for each in result) for result in (ours, theirs)))


def inputs_of(name, dtype, n=300):
    """Ordinary numbers, and pairs of special ones."""
    with np.errstate(over="ignore", under="ignore"):
        special = SPECIAL.astype(dtype)
    inputs = some_inputs(name, n, dtype)
    pairs = [np.repeat(special, len(special)), np.tile(special, len(special))]
    beside = [np.resize(each, len(pairs[0])) for each in inputs]
    beside[: min(2, len(inputs))] = pairs[: len(inputs)]
    return [np.concatenate(each) for each in zip(inputs, beside)]


# ---- values ----


def of_numbers(ufunc):
    """Compiled: the ufunc's results for rows of numbers, one call for each row."""
    of_row = njit(
        {
            1: lambda r: ufunc(r[0]),
            2: lambda r: ufunc(r[0], r[1]),
            3: lambda r: ufunc(r[0], r[1], r[2]),
            4: lambda r: ufunc(r[0], r[1], r[2], r[3]),
        }[ufunc.nin]
    )
    return njit(lambda rows: [of_row(rows[i]) for i in range(len(rows))])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", UFUNCS)
def test_ufuncs(name, dtype):
    ufunc, inputs = getattr(gelu_fast, name), inputs_of(name, dtype)
    expected = ufunc(*inputs)
    assert_same_numbers(njit(lambda *inputs: ufunc(*inputs))(*inputs), expected)
    rows = of_numbers(ufunc)(np.stack(inputs, axis=-1))
    assert_same_numbers(tuple(np.array(rows, dtype).T) if ufunc.nout > 1 else np.array(rows, dtype), expected)


@pytest.mark.parametrize("approx", APPROX, ids=repr)
def test_forms(approx):
    x, y = some_inputs("geglu_erf", 100, np.float32)

    @njit
    def of_functions(x, y):
        return (
            gelu(x, approx),
            gelu_gate(x, approx=approx),
            gelu_grad(x, approx),
            gelu_backward(x, y, approx=approx),
            bias_gelu(x, y, approx),
            geglu(x, y, approx),
            geglu_backward(x, y, y, approx)[0],
        )

    assert_same(of_functions(x, y), of_functions.py_func(x, y))
    of_argument = njit(lambda x, approx="sigmoid": gelu(x, approx))
    assert_same(of_argument(x, approx), gelu(x, approx))
    assert_same(of_argument(x), gelu(x, "sigmoid"))
    assert_same(njit(lambda x, form: of_argument(x, form))(x, approx), gelu(x, approx))


def test_approximate():
    """The other name of approx."""
    x = np.linspace(-3, 3, 7)
    assert_same(njit(lambda x: gelu(x, approximate="tanh"))(x), gelu(x, "tanh"))
    assert_same(njit(lambda x, form: gelu(x, approximate=form))(x, "tanh"), gelu(x, "tanh"))
    assert_same(njit(lambda x: gelu(x, "tanh", approximate=None))(x), gelu(x, "tanh"))
    with pytest.raises(TypingError, match="approx or approximate, not both"):
        njit(lambda x: gelu(x, False, approximate="tanh"))(x)


LAYOUTS = {
    "one number": lambda w: (w[0, 0, 0, ...], w[1, 1, 1, ...]),
    "empty": lambda w: (w[:, :0], w[0, 0]),
    "no rows": lambda w: (w[:0, 0], w[0, 0]),
    "reversed": lambda w: (w[0, 0, ::-1], w[0, 1, ::-1]),
    "every other": lambda w: (w[0, 0, ::2], w[1, 0, ::-2]),
    "rows": lambda w: (w, w[0, 0]),
    "a number for each row": lambda w: (w, w[..., :1]),
    "columns": lambda w: (w[0].copy("F"), w[1].copy("F")),
    "columns and rows": lambda w: (w[0].copy("F"), w[0, 0]),
    "transposed": lambda w: (w.T, w[:, 0, 0]),
    "three strides": lambda w: (w[::2, ::-1, 1:7], w[:3, :, 4:]),
    "outer product": lambda w: (w[0, :, :1], w[0, :1]),
    "read-only": lambda w: (
        np.broadcast_to(w[0, 0], (3, 10)),
        np.frombuffer(bytes(10 * w.itemsize), w.dtype),
    ),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(layout, dtype):
    x, y = LAYOUTS[layout](np.random.default_rng(1).normal(0, 3, (6, 8, 10)).astype(dtype))

    @njit
    def three(x, y):
        return gelu(x), bias_gelu(x, y, "tanh"), geglu_backward(x, y, y)[1]

    ours, theirs = three(x, y), three.py_func(x, y)
    # Numba returns a number of float32 as a float.
    assert_same(tuple(np.asarray(a, dtype) if isinstance(a, float) else a for a in ours), theirs)
    if layout == "columns":
        assert ours[1].flags.f_contiguous and theirs[1].flags.f_contiguous


def test_large_arrays():
    """Threads share them, as rows as well."""
    x = np.random.default_rng(1).normal(0, 3, (300, 1001)).astype("f4")
    gelu_fast.set_num_threads(3)
    try:
        of_bias = njit(lambda x, b: bias_gelu(x, b))(x, x[0])
    finally:
        gelu_fast.set_num_threads(None)
    assert_same(of_bias, bias_gelu(x, x[0]))


def test_unaligned_fields():
    records = np.zeros(20, np.dtype([("byte", "i1"), ("x", "f8")]))
    records["x"] = np.linspace(-3, 3, 20)
    of_field = njit(lambda records: gelu(records["x"]))
    assert_same(of_field(records), gelu(records["x"]))
    into_field = njit(lambda x, records: gelu(x, out=records["x"]))
    with pytest.raises(TypingError, match="writable and aligned"):
        into_field(np.ones(20), records)


# ---- types ----


@pytest.mark.parametrize("dtype", ["i2", "i4", "i8", "u2", "u4", "u8"])
def test_integers(dtype):
    x = np.arange(1, 100).astype(dtype)
    compiled = njit(lambda x: gelu(x))
    assert_same(compiled(x), gelu(x))
    assert_same(compiled(x[::-2]), gelu(x[::-2]))
    assert compiled(x[3]) == gelu(x[3])
    assert compiled(3) == gelu(3) == njit(lambda: gelu(3))()


@pytest.mark.parametrize("dtype", ["i1", "u1", "?"])
def test_where_numpy_computes_in_float16(dtype):
    """There it is float32, as for np.exp: Numba has no float16."""
    x = np.arange(2).astype(dtype)
    y = njit(lambda x: gelu(x))(x)
    assert y.dtype == njit(lambda x: np.exp(x))(x).dtype == np.float32
    assert_same(y, gelu(x.astype(np.float32)))
    assert njit(lambda x: gelu(x))(True) == gelu(np.float32(1))


def test_mixed_types():
    """As NumPy promotes them: a Python number takes the type of the arrays beside it."""
    single, double, whole = np.linspace(-3, 3, 7, dtype="f4"), np.linspace(1, 2, 7), np.arange(7)
    compiled = njit(lambda gate, up: geglu(gate, up))
    for gate in (single, double, whole):
        for up in (single, double, whole, 0.1, 3, single[:1]):
            for pair in ((gate, up), (up, gate)):
                assert_same(compiled(*pair), geglu(*pair))
    assert_same(njit(lambda x: bias_gelu(x, 0.1))(single), bias_gelu(single, 0.1))
    assert_same(compiled(single, np.float32(0.1)), geglu(single, np.float32(0.1)))
    assert_same(compiled(single, np.float64(0.1)), geglu(single, 0.1))  # for Numba np.float64 is float


def test_numbers_of_two_types():
    """Between numbers the wider type wins, as everywhere in Numba, which cannot tell np.float64 from float."""
    y = njit(lambda dy, x: gelu_backward(dy, x))(np.float32(0.1), 0.3)
    assert y == gelu_backward(np.float64(np.float32(0.1)), np.float64(0.3))


def test_what_may_be_none():
    @njit
    def perhaps(x, given):
        number = None
        if given:
            number = x
        return gelu(number)

    assert perhaps(0.5, True) == gelu(0.5)
    with pytest.raises(TypeError, match="expected float64, got None"):
        perhaps(0.5, False)


# ---- location and scale ----

MU_SIGMA = {
    "numbers": (0.25, 1.5),
    "integers": (-1, 2),
    "the defaults": (0, 1.0),
    "float32": (np.float32(0), np.float32(1)),
    "arrays": (np.linspace(-1, 1, 300), np.linspace(0.5, 2, 300, dtype="f4")),
    "zeros and ones": (np.zeros(300, int), np.ones(300, int)),
}


@pytest.mark.parametrize("mu, sigma", MU_SIGMA.values(), ids=MU_SIGMA)
def test_location_and_scale(mu, sigma):
    @njit
    def several(x, mu, sigma):
        return (
            gelu(x, sigma=sigma),
            gelu_gate(x, mu=mu),
            gelu_grad(x, mu=mu, sigma=sigma),
            gelu_backward(x, x, True, sigma=sigma, mu=mu),
        )

    for dtype in (np.float32, np.float64):
        x = some_inputs("gelu_erf", 300, dtype)[0]
        assert_same(several(x, mu, sigma), several.py_func(x, mu, sigma))


def test_location_and_scale_of_numbers():
    """mu and sigma do not widen the type of x."""
    scaled = njit(lambda x, mu, sigma: gelu_grad(x, mu=mu, sigma=sigma))
    for x in (*np.linspace(-3, 3, 50), *np.linspace(-3, 3, 50, dtype=np.float32)):
        for mu, sigma in ((0.0, 1.0), (0, 1), (0.1, 2.0), (np.float32(0), np.float32(1))):
            assert scaled(x, mu, sigma) == gelu_grad(x, mu=mu, sigma=sigma)
    returned = {each.signature.args[0]: each.signature.return_type for each in scaled.overloads.values()}
    assert returned == {ty: ty for ty in (numba.float32, numba.float64)}


@pytest.mark.parametrize("dtype", ["i2", "i4", "i8"])
def test_location_and_scale_of_integers(dtype):
    """The default of mu, and of sigma, promotes no type."""
    x = np.arange(-3, 4, dtype=dtype)
    assert_same(njit(lambda x: gelu(x, sigma=2))(x), gelu(x, sigma=2))
    assert_same(njit(lambda x: gelu(x, mu=1))(x), gelu(x, mu=1))
    assert_same(njit(lambda x: gelu(x, sigma=2.5))(x), gelu(x, sigma=2.5))


@pytest.mark.parametrize("sigma", [0.0, -1.0, np.nan, 1e-50, np.array([1, -0.0]), np.array([1, 0])], ids=repr)
def test_bad_sigma(sigma):
    x, y = np.ones(2, "f4"), np.full(2, 7, "f4" if np.ndim(sigma) == 0 else "f8")

    @njit
    def scaled(x, sigma, y):
        gelu(x, sigma=sigma, out=y)

    for call in (scaled, scaled.py_func):
        with pytest.raises(ValueError, match="sigma must be above 0, also when it is rounded"):
            call(x, sigma, y)
        assert (y == 7).all()
    assert scaled(x[:0], sigma if np.ndim(sigma) == 0 else sigma[1:], y[:0]) is None  # nothing is computed
    with pytest.raises(ValueError, match="sigma must be above 0"):
        njit(lambda x, sigma: gelu(x, sigma=sigma))(np.float32(1), np.min(sigma))


# ---- halves ----


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2])
def test_halves(axis):
    x = np.random.default_rng(1).normal(0, 3, (4, 6, 8)).astype("f4")
    split = njit(lambda x: geglu(x, axis=axis, approx="tanh"))
    for each in (x, x.T, x[::-1, ::-1], np.arange(96).reshape(4, 6, 4)):
        assert_same(split(each), geglu(each, axis=axis, approx="tanh"))
    assert_same(njit(lambda x, axis: geglu(x, axis=axis))(x, axis), geglu(x, axis=axis))
    assert_same(njit(lambda x: geglu(x))(x), geglu(x))
    with pytest.raises(ValueError, match="has no halves"):
        split(np.ones((3, 3, 3)))


# ---- out ----


def test_out():
    x, room = np.linspace(-3, 3, 12).reshape(3, 4), np.full((3, 9), 7.0)
    into = njit(lambda x, y: bias_gelu(x, x[0], out=y))
    y = into(x, room[:, 1::2])
    assert np.shares_memory(y, room) and y.strides == room[:, 1::2].strides
    assert_same(y, bias_gelu(x, x[0]))
    assert (room[:, ::2] == 7).all()
    x_in_place, ufunc = x.copy(), gelu_fast.gelu_tanh
    assert njit(lambda x: ufunc(x, x))(x_in_place) is not None
    assert_same(x_in_place, gelu(x, True))
    larger = np.full((2, 3, 4), 7.0)
    njit(lambda x, y: gelu(x, out=(y,)))(x, larger)
    assert_same(larger, np.stack([gelu(x)] * 2))
    alone = np.full((), 7.0)
    njit(lambda x, y: gelu(x, out=y))(0.5, alone)
    assert alone == gelu(0.5)


def test_overlap():
    """Elements are computed one after the other."""
    x = np.linspace(0.5, 3, 12)
    expected = x.copy()
    for i in range(11):
        expected[i + 1] = gelu(expected[i])
    njit(lambda x: gelu(x[:-1], out=x[1:]))(x)
    assert_same(x, expected)


def test_two_outs():
    dy, gate, up = some_inputs("geglu_backward_erf", 100, np.float32)
    y, z, expected = np.zeros_like(dy), np.zeros_like(dy), geglu_backward(dy, gate, up)
    both = njit(lambda dy, gate, up, y, z: geglu_backward(dy, gate, up, out=(y, z)))
    one, other = both(dy, gate, up, y, z)
    assert np.shares_memory(one, y) and np.shares_memory(other, z)
    assert_same((y, z), expected)
    second = njit(lambda dy, gate, up, z: geglu_backward(dy, gate, up, out=(None, z)))
    z[:] = 0
    assert_same(second(dy, gate, up, z), expected)
    assert_same(z, expected[1])
    y[:] = 7
    with pytest.raises(ValueError, match="operands could not be broadcast together: dy, gate, up, out"):
        both(dy, gate, up, y, z[:50])
    assert (y == 7).all()


def test_memory_is_released():
    x, whole, y = np.linspace(-3, 3, 100), np.arange(100), np.empty(100)

    @njit
    def calls(x, whole, y):
        total = 0.0
        for _ in range(10):
            total += gelu(x)[0] + gelu(whole)[0] + bias_gelu(whole, x)[1] + gelu(x, out=y)[0]
            total += geglu_backward(x, whole, x, out=(y, None))[0][0] + geglu_backward(x, x, x)[1][0]
            total += gelu(whole, sigma=whole + 1)[0] + geglu(whole)[0]
        return total

    calls(x, whole, y)
    _nrt_python.memsys_enable_stats()
    references, before = sys.getrefcount(y), rtsys.get_allocation_stats()
    calls(x, whole, y)
    after = rtsys.get_allocation_stats()
    _nrt_python.memsys_disable_stats()
    assert sys.getrefcount(y) == references
    assert after.alloc - before.alloc == after.free - before.free > 100


# ---- errors ----

REFUSED = {
    "in compiled code gelu takes arrays and numbers of float32, float64, integers and bool; x is": [
        lambda: njit(lambda x: gelu(x))(np.ones(2, "f2")),
        lambda: njit(lambda x: gelu(x))(1j),
        lambda: njit(lambda x: gelu(x))("1"),
        lambda: njit(lambda x: gelu(x))((1.0, 2.0)),
        lambda: njit(lambda x: gelu(x))(None),
    ],
    "approx must be False or 'none', True or 'tanh', or 'sigmoid', not": [
        lambda: njit(lambda x: gelu(x, "erf"))(1.0),
        lambda: njit(lambda x: gelu(x, 1))(1.0),
        lambda: njit(lambda x, form: gelu(x, form))(1.0, "gelu"),
    ],
    "approx of gelu must be a constant": [
        lambda: njit(lambda x: gelu(x, 0.5))(1.0),
        lambda: njit(lambda x: gelu(x, None))(1.0),
        lambda: njit(lambda arguments: gelu(*arguments))((1.0, "tanh")),
    ],
    "missing a required argument: 'x'; in compiled code there is gelu\\(x, approx=False": [
        lambda: njit(lambda: gelu())()
    ],
    "unexpected keyword argument 'where'; in compiled code there is gelu\\(x, approx=False": [
        lambda: njit(lambda x: gelu(x, where=x > 0))(np.ones(2))
    ],
    "too many positional arguments; in compiled code there is gelu_erf\\(x, /, out=None\\)": [
        lambda: njit(lambda x: gelu_fast.gelu_erf(x, x, x))(np.ones(2))
    ],
    "out of gelu must be an array of float32 with 1 dimensions, writable and aligned": [
        lambda: njit(lambda x: gelu(x, out=()))(np.ones(2, "f4")),
        lambda: njit(lambda x, y: gelu(x, out=y))(np.ones(2, "f4"), np.ones(2)),
        lambda: njit(lambda x, y: gelu(x, out=y))(np.ones(2, "f4"), np.frombuffer(bytes(8), "f4")),
        lambda: njit(lambda x, y: gelu(x, out=y))(np.ones(2, "f4"), np.array(1, "f4")),
        lambda: njit(lambda x, y: gelu(x, out=y))(np.ones(2, "f4"), 1.0),
        lambda: njit(lambda x, y: gelu(x, out=(y, y)))(np.ones(2, "f4"), np.ones(2, "f4")),
    ],
    "out of geglu_backward must be a tuple of 2 arrays": [
        lambda: njit(lambda x: geglu_backward(x, x, x, out=x))(np.ones(2)),
        lambda: njit(lambda x, y: geglu_backward(x, x, x, out=(x, y)))(np.ones(2), np.ones((1, 2))),
    ],
    "up of geglu must be an array or a number": [
        lambda: njit(lambda x: geglu(x, "tanh"))(np.ones(2)),
        lambda: njit(lambda x: geglu(x, True))(np.ones(2)),
    ],
    "geglu of one argument splits an array": [lambda: njit(lambda x: geglu(x))(1.0)],
    "axis 1 is out of bounds": [lambda: njit(lambda x: geglu(x, axis=1))(np.ones(2))],
    "axis of geglu must be": [
        lambda: njit(lambda x: geglu(x, axis="0"))(np.ones(2)),
        lambda: njit(lambda x: geglu(x, axis=1.5))(np.ones(2)),
    ],
    "stochastic_gelu is not for compiled code": [
        lambda: njit(lambda x: gelu_fast.stochastic_gelu(x, 1))(np.ones(2))
    ],
}


@pytest.mark.parametrize("text", REFUSED)
def test_refused_when_compiled(text):
    for call in REFUSED[text]:
        with pytest.raises(TypingError, match=text):
            call()


def test_shapes_that_do_not_fit():
    x, y = np.ones((3, 4)), np.full((3, 4), 7.0)
    into = njit(lambda x, bias, y: bias_gelu(x, bias, out=y))
    for bias in (np.ones(3), np.ones((2, 1)), np.ones((2, 3, 4))[0, :, :3]):
        with pytest.raises(ValueError, match="operands could not be broadcast together: x, bias"):
            into(x, bias, y)
        with pytest.raises(ValueError, match="operands could not be broadcast together: x, bias"):
            njit(lambda x, bias: bias_gelu(x, bias))(x, bias)
    with pytest.raises(ValueError, match="broadcast"):
        into(np.ones((1, 4)), np.ones(4), y[:1, :1])
    with pytest.raises(ValueError, match="broadcast"):
        into(x, np.ones(4), y[:2])
    assert (y == 7).all()

    @njit
    def caught(x, bias):
        try:
            bias_gelu(x, bias)
        except Exception:
            return True
        return False

    assert caught(x, np.ones(3)) and not caught(x, np.ones(4))
    assert_same(njit(lambda x, b: bias_gelu(x, b))(x[:0], np.ones((1, 4))), bias_gelu(x[:0], np.ones((1, 4))))


# ---- parallel code, and other decorators ----


def test_parallel():
    x = np.random.default_rng(1).normal(0, 3, (16, 70_001)).astype("f4")

    @njit(parallel=True)
    def rows(x):
        y, z = np.empty_like(x), np.empty_like(x)
        for i in prange(len(x)):
            y[i] = gelu(x[i])
            gelu(x[i], "tanh", out=z[i])
        return y, z

    @njit(parallel=True)
    def numbers(x):
        y = np.empty_like(x)
        for i in prange(x.size):
            y[i] = gelu(x[i], "tanh")
        return y

    @njit(parallel=True)
    def expression(x, bias):
        y = np.empty_like(x)
        gelu(x + bias, out=y)
        return y * bias + gelu_fast.gelu_erf(x)

    assert_same(rows(x), (gelu(x), gelu(x, "tanh")))
    assert_same(numbers(x[0]), gelu(x[0], "tanh"))
    assert_same(expression(x, x[0]), gelu(x + x[0]) * x[0] + gelu(x))


def test_python_threads():
    x = np.random.default_rng(1).normal(0, 3, 100_000).astype("f4")
    expected, compiled = gelu(x), njit(nogil=True)(lambda x: gelu(x))
    with ThreadPoolExecutor(8) as pool:
        for y in pool.map(compiled, [x] * 200):
            assert_same(y, expected)


def test_vectorize():
    """Compiled ufuncs have the same bits, and raise no floating-point warning."""
    of_one = vectorize(lambda x: gelu(x, "tanh"))
    of_two = vectorize(["f4(f4,f4)", "f8(f8,f8)"])(lambda x, bias: bias_gelu(x, bias))
    many = vectorize(["f8(f8)"], target="parallel")(lambda x: gelu_grad(x))
    for dtype in (np.float32, np.float64):
        x, y = inputs_of("bias_gelu_erf", dtype)
        finite = np.isfinite(x) & np.isfinite(y)
        x, y = x[finite], np.clip(y[finite], -1e30, 1e30)
        with np.errstate(all="raise"):
            ours = of_one(x), of_two(x, y)
        assert_same(ours, (gelu(x, "tanh"), bias_gelu(x, y)))
    with np.errstate(all="raise"):
        special = of_one(SPECIAL), many(SPECIAL)
    assert_same_numbers(special, (gelu(SPECIAL, "tanh"), gelu_grad(SPECIAL)))


@pytest.mark.parametrize("target", ["cpu", "parallel"])
def test_guvectorize(target):
    @guvectorize(["void(f4[:], f4[:], f4[:])", "void(f8[:], f8[:], f8[:])"], "(n),(n)->(n)", target=target)
    def compiled(x, bias, y):
        bias_gelu(x, bias, "sigmoid", out=y)

    x = np.random.default_rng(1).normal(0, 3, (5, 7, 20))
    for each in (x, x.astype("f4"), x.T[:20, :, :].T, x[..., ::-2]):
        with np.errstate(all="raise"):
            assert_same(compiled(each, each[0, 0]), bias_gelu(each, each[0, 0], "sigmoid"))


# ---- processes ----


def run(code, *arguments, **env):
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=os.environ | env,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


CACHED = """
import numpy as np
from numba import njit
from gelu_fast import bias_gelu, gelu

@njit(cache=True)
def of_arrays(x, bias):
    return bias_gelu(x, bias), gelu(x, "tanh")

@njit("f4(f4)", cache=True)
def of_number(x):
    return gelu(x)
"""
USE = """
import sys
import numpy as np
sys.path.insert(0, sys.argv[1])
import cached
assert "gelu_fast" in sys.modules and cached.of_number.stats.cache_hits.total() == int(sys.argv[2])
x = np.linspace(-3, 3, 10_001, dtype="f4").reshape(73, 137)
ours, numbers = cached.of_arrays(x, x[0]), [cached.of_number(each) for each in x[:, 0]]
assert cached.of_arrays.stats.cache_hits.total() == int(sys.argv[2])
from gelu_fast import bias_gelu, gelu
assert (ours[0] == bias_gelu(x, x[0])).all() and (ours[1] == gelu(x, "tanh")).all() and (numbers == gelu(x[:, 0])).all()
print(ours[0].tobytes().hex(), np.float32(numbers).tobytes().hex())
"""


def test_cache(tmp_path):
    """Code from the cache of another process computes as gelu_fast does in this one."""
    (tmp_path / "cached.py").write_text(CACHED)
    first, _ = run(USE, tmp_path, 0)
    again, _ = run(USE, tmp_path, 1)
    assert first == again
    on_baseline, _ = run(USE, tmp_path, 1, GELU_FAST_ISA=gelu_fast._core.available_isa_levels[0])
    to_nearest, _ = run(USE, tmp_path, 1, GELU_FAST_ROUNDING="nearest")
    assert all(one != other for one, other in zip(first.split(), to_nearest.split()))


def test_without_numba():
    run("import sys, gelu_fast; assert not {'numba', 'llvmlite'} & set(sys.modules)")


def test_a_gelu_fast_that_fails():
    """Numba warns, and compiles what does not use it."""
    code = "from numba import njit; print(njit(lambda x: x + 1)(2))"
    out, err = run(code, GELU_FAST_ISA="none")
    assert (
        out.strip() == "3"
        and "gelu_fast._numba' failed to load due to 'ImportError(GELU_FAST_ISA=none" in err
    )


def test_jit_disabled():
    code = "import numba, gelu_fast; f = numba.njit(lambda x: gelu_fast.gelu(x, 'tanh')); print(repr(f(1.0)))"
    out, _ = run(code, NUMBA_DISABLE_JIT="1")
    assert out.strip() == repr(gelu(1.0, "tanh"))
