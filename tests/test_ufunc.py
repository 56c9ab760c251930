# SPDX-License-Identifier: BSD-3-Clause
"""gelu does with its arguments everything that np.exp does."""

import pickle
import subprocess
import sys
import warnings
from itertools import permutations

import numpy as np
import pytest
from cases import FLOATS, OF_ONE_INPUT, REFUSED, assert_same, every_level, one_form_each

import gelu_fast
from gelu_fast import gelu


@pytest.fixture(params=one_form_each(OF_ONE_INPUT))
def name(request):
    return request.param


@pytest.fixture
def x():
    return np.random.default_rng(7).normal(0, 4, (6, 10))


# ---- gelu, gelu_gate and gelu_grad choose ----


@pytest.fixture(params=["gelu", "gelu_gate", "gelu_grad"])
def chooser(request):
    return getattr(gelu_fast, request.param)


@pytest.mark.parametrize(
    "approx, name",
    [
        (False, "erf"),
        ("none", "erf"),
        (True, "tanh"),
        ("tanh", "tanh"),
        ("sigmoid", "sigmoid"),
        (np.True_, "tanh"),
        (np.False_, "erf"),
    ],
)
def test_approx(x, chooser, approx, name):
    ufunc = getattr(gelu_fast, f"{chooser.__name__}_{name}")
    assert_same(chooser(x, approx), ufunc(x))
    assert_same(chooser(x, approx=approx), ufunc(x))
    assert_same(chooser(x[::2], approx), ufunc(x[::2]))


def test_the_default_is_exact(x, chooser):
    assert_same(chooser(x), getattr(gelu_fast, f"{chooser.__name__}_erf")(x))


@pytest.mark.parametrize("approx", [None, "erf", "Tanh", 1, 0, 2.0, [], {}, np.zeros(3), b"tanh"])
def test_bad_approx(x, chooser, approx):
    out = np.full_like(x, 7.0)
    with pytest.raises(ValueError, match="False or 'none', True or 'tanh', or 'sigmoid'"):
        chooser(x, approx, out=out)
    assert (out == 7.0).all()


def test_arguments_reach_the_ufunc(x, chooser):
    where = x > 0
    out = np.full_like(x, 7.0)
    assert chooser(x, out=out, where=where) is out
    assert (out[~where] == 7.0).all()
    assert_same(out[where], chooser(x)[where])
    assert chooser(x, dtype=np.float32).dtype == np.float32
    assert chooser(x, order="F").flags.f_contiguous
    with pytest.raises(TypeError):
        chooser(x, dtype=np.float32, casting="safe")
    assert type(chooser(x.view(Tagged), subok=False)) is np.ndarray
    assert chooser(x, True, out=(out,)) is out
    assert_same(out, chooser(x, "tanh"))


def test_unknown_arguments(x, chooser):
    with pytest.raises(TypeError):
        chooser(x, inplace=True)
    with pytest.raises(TypeError):
        chooser()
    with pytest.raises(TypeError):
        chooser(x, False, x)


@pytest.mark.parametrize("name", OF_ONE_INPUT)
def test_is_a_ufunc(ufunc, name):
    assert type(ufunc) is np.ufunc
    assert ufunc.__name__ == name
    assert (ufunc.nin, ufunc.nout, ufunc.types) == (1, 1, ["e->e", "f->f", "d->d"])
    assert pickle.loads(pickle.dumps(ufunc)) is ufunc


@pytest.mark.parametrize("name", OF_ONE_INPUT)
def test_pickle_crosses_processes(name, ufunc):
    code = "import pickle, sys; f = pickle.load(sys.stdin.buffer); print(f.__name__, f(0.0))"
    data = pickle.dumps(ufunc)
    done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True)
    assert done.stdout.decode().split() == [name, str(ufunc(0.0))]


# ---- types ----


@pytest.mark.parametrize("char", "?bBhHiIlLqQefd")
def test_promotion(ufunc, char):
    x = np.array([0, 1, 1], dtype=char)
    y = ufunc(x)
    assert y.dtype == np.exp(x).dtype
    assert_same(y, ufunc(x.astype(y.dtype)))


@pytest.mark.parametrize("scalar", [True, 1, -3, 2.5, np.float32(2.5), np.float16(2.5), np.int8(3)])
def test_scalars(ufunc, scalar):
    y = ufunc(scalar)
    assert type(y) is type(np.exp(scalar))
    assert y == ufunc(np.array([scalar]))[0]


def test_zero_dimensions(call):
    x = np.array(1.5, dtype=np.float32)
    assert type(call(x)) is np.float32
    out = np.array(0.0, dtype=np.float32)
    assert call(x, out=out) is out
    assert out == call(1.5, dtype=np.float32)


@pytest.mark.parametrize("x", REFUSED, ids=repr)
def test_refused_types(ufunc, x):
    """The error is a TypeError with NumPy's own message; longdouble is never rounded to double."""
    out = np.full(1, 7.0)
    with pytest.raises(TypeError) as ours:
        ufunc(x, out=out)
    assert out[0] == 7.0
    assert f"ufunc '{ufunc.__name__}' not supported for the input types" in str(ours.value)
    if not isinstance(x, np.ndarray) or x.dtype != np.longdouble:
        with pytest.raises(TypeError) as numpys:
            np.spacing(x)
        assert str(ours.value) == str(numpys.value).replace("spacing", ufunc.__name__)


# ---- out, where, broadcasting ----


@every_level
@pytest.mark.parametrize("dtype", FLOATS)
def test_in_place(call, dtype):
    for n in (1, 15, 16, 17, 1000, 200_001):
        x = np.random.default_rng(1).normal(0, 4, n).astype(dtype)
        expected = call(x)
        assert call(x, out=x) is x
        assert_same(x, expected)


def test_out_is_broadcast_to(call, x):
    out = np.zeros((3, *x.shape))
    call(x, out=out)
    for part in out:
        assert_same(part, call(x))


def test_out_of_another_type(call, x):
    out = np.zeros(x.shape, np.float32)
    call(x, out=out)
    assert_same(out, call(x).astype(np.float32))
    wide = np.zeros(x.shape, np.float64)
    call(x.astype(np.float32), out=wide)
    assert_same(wide, call(x.astype(np.float32)).astype(np.float64))


def test_out_may_be_an_ellipsis():
    """From NumPy 2.3 on, out=... gives an array in place of a scalar. The outcome is the same as np.exp's."""
    try:
        expected = type(np.exp(1.0, out=...))
    except TypeError:
        with pytest.raises(TypeError):
            gelu(1.0, out=...)
    else:
        assert type(gelu(1.0, out=...)) is expected


def test_dtype_metadata_is_kept(call, x):
    described = x.astype(np.dtype("f4", metadata={"unit": "mV"}))
    assert call(described).dtype.metadata == np.exp(described).dtype.metadata


def test_out_that_numpy_warns_of(call):
    """NumPy warns of an `out` that np.broadcast_arrays() made, even if it is contiguous."""

    def warnings_of(function):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            function(np.ones((1, 3)), out=np.broadcast_arrays(np.zeros(3), np.zeros((1, 3)))[0])
        return [str(w.message) for w in caught]

    assert warnings_of(call) == warnings_of(np.exp) != []


@pytest.mark.parametrize("bad", ["shape", "integer", "readonly", "list"])
def test_bad_out_is_untouched(call, x, bad):
    out = np.full(x.shape, 7.0)
    given, error = {
        "shape": (out[:-1], ValueError),
        "integer": (out.view(np.int64), TypeError),
        "readonly": (out.view(), ValueError),
        "list": (out.tolist(), TypeError),
    }[bad]
    if bad == "readonly":
        given.flags.writeable = False
    with pytest.raises(error):
        call(x, out=given)
    with pytest.raises(error):
        np.exp(x, out=given)
    assert (out == 7.0).all()


def test_where(ufunc, x):
    where = np.arange(x.shape[1]) % 3 == 0
    out = np.full_like(x, 7.0)
    ufunc(x, out=out, where=where)
    assert_same(out[:, where], ufunc(x)[:, where])
    assert (out[:, ~where] == 7.0).all()


@pytest.mark.parametrize("casting", ["no", "equiv", "safe", "same_kind", "unsafe"])
@pytest.mark.parametrize("from_type, to_type", [("f4", "f8"), ("f8", "f4"), ("i4", "f4"), (">f8", "f8")])
def test_casting(ufunc, casting, from_type, to_type):
    x = np.array([1, 2], from_type)

    def outcome(function):
        try:
            return function(x, dtype=to_type, casting=casting).dtype
        except TypeError as error:
            return str(error).replace(function.__name__, "f")

    assert outcome(ufunc) == outcome(np.spacing)


@pytest.mark.parametrize("order", "CFAK")
def test_order(ufunc, x, order):
    for array in (x, x.T, np.asfortranarray(x), x.reshape(3, 2, 10).transpose(2, 0, 1)):
        assert ufunc(array, order=order).strides == np.exp(array, order=order).strides


# ---- memory ----


@every_level
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("n", [0, 1, 5, 767, 768, 769, 2000])
@pytest.mark.parametrize("step", [1, 2, 3, -1, -2, 7])
def test_strides(call, dtype, n, step):
    base = np.random.default_rng(n).normal(0, 4, 7 * n + 1).astype(dtype)
    x = base[::step][:n]
    expected = call(x.copy())
    assert_same(call(x), expected)
    room = np.full(7 * n + 1, 9.0, dtype)
    out = room[::step][:n]
    call(x, out=out)
    assert_same(out, expected)
    out[...] = 9
    assert (room == 9).all()


@every_level
def test_zero_stride(ufunc):
    x = np.broadcast_to(np.float32(-1.25), (1000,))
    assert_same(ufunc(x), np.full(1000, ufunc(np.float32(-1.25))))


@every_level
@pytest.mark.parametrize("dtype", FLOATS)
def test_misaligned(call, dtype):
    itemsize = np.dtype(dtype).itemsize
    x = np.random.default_rng(3).normal(0, 4, 9000).astype(dtype)
    for offset in range(1, itemsize):
        moved = np.zeros(x.nbytes + itemsize, np.uint8)[offset : offset + x.nbytes].view(dtype)
        moved[...] = x
        assert not moved.flags.aligned
        assert_same(call(moved), call(x))
        call(moved, out=moved)
        assert_same(moved.copy(), call(x))


@every_level
@pytest.mark.parametrize("dtype", FLOATS)
def test_byte_swapped(call, dtype):
    x = np.random.default_rng(3).normal(0, 4, 9000).astype(dtype)
    swapped = x.astype(x.dtype.newbyteorder())
    assert_same(call(swapped), call(x))
    call(x, out=swapped)
    assert_same(swapped.astype(dtype), call(x))


def test_read_only(call, x):
    expected = call(x)
    x.flags.writeable = False
    assert_same(call(x), expected)


@every_level
@pytest.mark.parametrize(
    "shift, dtype",
    [
        (1, np.float16),
        (1, np.float64),
        (3, np.float32),
        (16, np.float64),
        (511, np.float16),
        (5000, np.float32),
    ],
)
@pytest.mark.parametrize("step", [1, 2, -1])
def test_overlap(call, threads, shift, step, dtype):
    """An input is read before the output overwrites it, on any number of threads."""
    for forward in (True, False):
        base = np.random.default_rng(5).normal(0, 4, 100_000).astype(dtype)
        x, out = base[shift:], base[:-shift]
        if not forward:
            x, out = out, x
        x, out = x[::step], out[::step]
        expected = call(x.copy())
        call(x, out=out)
        assert_same(out, expected)


@every_level
def test_overlap_of_reversed(call, threads):
    x = np.random.default_rng(5).normal(0, 4, 150_001)
    expected = call(x[::-1].copy())
    call(x[::-1], out=x)
    assert_same(x, expected)


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 4, 2)])
def test_empty(call, shape):
    y = call(np.empty(shape, np.float32))
    assert y.shape == shape and y.dtype == np.float32
    out = np.empty(shape, np.float32)
    assert call(np.empty(shape, np.float32), out=out) is out


def test_many_dimensions(call):
    x = np.random.default_rng(5).normal(0, 4, (2,) * 12)
    x = x.transpose(*range(0, 12, 2), *range(1, 12, 2))
    assert_same(call(x), call(x.ravel()).reshape(x.shape))


@pytest.mark.parametrize("of_out", [*permutations(range(3))])
@pytest.mark.parametrize("of_x", [*permutations(range(3))])
def test_orders_of_dimensions(of_x, of_out):
    """Inputs and outputs lie in memory in different orders of their dimensions, which may be reversed."""
    shape = (3, 4, 6)

    def new(order):
        return np.full([shape[i] for i in order], 7.0).transpose(np.argsort(order))

    rng = np.random.default_rng(5)
    dy, x, up = (new(of_x) for _ in range(3))
    for each in (dy, x, up):
        each[...] = rng.normal(0, 4, shape)
    outs = new(of_out), new(of_x)
    for part in (np.s_[:], np.s_[::-1, ::2], np.s_[:, ::-1, ::-2], np.s_[1], np.s_[::-1, 1], np.s_[..., 1]):
        inputs = [dy[part], x[part], up[part][:1]]
        results = tuple(out[part] for out in outs)
        gelu_fast.geglu_backward(*inputs, "tanh", out=results)
        for i in np.ndindex(results[0].shape):
            of_one = [each[tuple(np.minimum(i, np.subtract(each.shape, 1)))] for each in inputs]
            assert_same(tuple(result[i] for result in results), gelu_fast.geglu_backward_tanh(*of_one))


# ---- other array types, other ways in ----


class Tagged(np.ndarray):
    def __array_finalize__(self, source):
        self.tag = getattr(source, "tag", "none")


def test_subclass(call, x):
    tagged = x.view(Tagged)
    tagged.tag = "mine"
    y = call(tagged)
    assert type(y) is Tagged and y.tag == "mine"
    assert_same(y.view(np.ndarray), call(x))
    assert type(call(tagged, subok=False)) is np.ndarray


def test_masked_array(call, x):
    masked = np.ma.masked_less(x, 0)
    y = call(masked)
    assert type(y) is np.ma.MaskedArray
    np.testing.assert_array_equal(y.mask, masked.mask)
    np.testing.assert_array_equal(y.compressed(), call(masked.compressed()))


def test_array_likes(ufunc, x):
    class HasArray:
        def __array__(self, dtype=None, copy=None):
            return x

    for like in (x.tolist(), tuple(map(tuple, x)), memoryview(x), HasArray()):
        assert_same(ufunc(like), ufunc(x))


def test_array_ufunc_is_asked_first():
    class Other:
        def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
            return ufunc.__name__, method, kwargs

    assert gelu(Other(), "tanh") == ("gelu_tanh", "__call__", {})
    assert gelu(Other(), dtype=np.float32)[2]["dtype"] is np.float32


def test_methods(ufunc, x):
    row = x[0].copy()
    expected = row.copy()
    expected[[1, 4]] = ufunc(row[[1, 4]])
    ufunc.at(row, [1, 4])
    assert_same(row, expected)
    with pytest.raises(ValueError, match="reduce only supported for binary functions"):
        ufunc.reduce(x)
