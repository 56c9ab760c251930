# SPDX-License-Identifier: BSD-3-Clause
# Stochastic GELU, which is no ufunc. Included in _core.pyx.

cdef enum:
    SHORTEST_ROW = 256  # elements; shorter rows are copied, as each draws words that its neighbours draw again


def import_random():
    """default_rng, SeedSequence, and the types of generators, which a draw advances. numpy.random is imported late, as
    that takes as long as the import of this package."""
    from numpy.random import BitGenerator, Generator, RandomState, SeedSequence, default_rng
    return default_rng, SeedSequence, (Generator, BitGenerator, RandomState)


cdef object numpy_random = cache(import_random)


cdef object key_of(object rng, bint is_used):
    """A key of 128 bits, as four words: drawn from a generator if the key is used, made from a seed, or of the system's
    entropy."""
    default_rng, SeedSequence, advancing = numpy_random()
    try:
        if isinstance(rng, advancing):
            generator = default_rng(rng)  # RandomState: NumPy 2.2 or later
            return generator.integers(1 << 32, size=4, dtype="u4") if is_used else zeros(4, "u4")
        if hasattr(rng, "__index__") and getattr(rng, "ndim", 0) == 0:
            rng = operator.index(rng)
        return (rng if hasattr(rng, "generate_state") else SeedSequence(rng)).generate_state(4)
    except TypeError as error:
        raise TypeError(f"rng must be something that numpy.random.default_rng takes, not {rng!r}: {error}") from None


cdef object array_of(object x):
    """x as an array. A lazy x is refused, as it would be computed here."""
    if is_lazy(x):
        raise TypeError(
            f"stochastic_gelu computes with arrays in memory, and x, of type {type(x).__name__}, is still to be "
            "computed; call it on each chunk, with a seed and offset= (the docstring shows it for dask)")
    try:
        return asarray(x)
    except (TypeError, ValueError, RuntimeError) as error:
        if not hasattr(x, "__array__"):
            raise
        raise TypeError(f"x, of type {type(x).__name__}, cannot be made a NumPy array: {error}") from error


cdef object stochastic_of_masked(object x, object out, bint return_mask, dict given):
    """stochastic_gelu of a masked array, or into one: the masks are as a ufunc leaves them."""
    from numpy.ma import MaskedArray, getdata, getmaskarray
    if out is not None and not is_masked(out):
        raise TypeError(f"out must be a masked array, as x is, not {type(out).__name__}")
    data = array_of(getdata(x) if is_masked(x) else x)
    mask = getmaskarray(x) if is_masked(x) else zeros(data.shape, "?")
    results = stochastic_gelu(data, out=None if out is None else out.data, return_mask=True, **given)
    y, where_kept = [MaskedArray(each, mask.copy())[()] for each in results]
    if out is not None:
        out.mask = mask
        y = out
    return (y, where_kept) if return_mask else y


cdef int check_out(object out, object array, object result) except -1:
    """Raise, as a ufunc would, if `out` cannot take results of type `result` in the shape of `array`."""
    if not isinstance(out, ndarray):
        raise TypeError(f"out must be an array, not {type(out).__name__}")
    if out.shape != array.shape:
        raise ValueError(f"out has shape {out.shape}, x has {array.shape}")
    if not out.flags.writeable:
        raise ValueError("output array is read-only")
    if not can_cast(result, out.dtype, "same_kind"):
        raise TypeError(f"cannot cast {result} to {out.dtype}, the type of out, by the rule 'same_kind'")
    return 0


cdef object stochastic(object x, object rng, object approx, object approximate, object out, object return_mask,
                       object offset):
    cdef int form = form_of(approx, approximate), t
    cdef np.ndarray a, y, mask = None
    cdef PyArrayObject *operands[2]
    cdef Draws draws
    cdef Job job
    if is_masked(x) or is_masked(out):
        given = {"rng": rng, "approx": approx, "approximate": approximate, "offset": offset}
        return stochastic_of_masked(x, out, return_mask, given)
    array = array_of(x)
    result = array.dtype
    if result is not float32 and result is not float64:
        try:
            result = ufunc_of[GELU_F_gelu][GELU_FORM_erf].resolve_dtypes((result, None))[1]
        except TypeError:
            raise TypeError(f"stochastic_gelu takes no x of type {array.dtype}") from None
    try:
        offset = operator.index(offset)
    except TypeError:
        raise TypeError(f"offset must be an integer, not {offset!r}") from None
    if not 0 <= offset <= 2**64 - array.size:
        raise ValueError(f"offset must be from 0 to 2**64 - {array.size}, the size of x, not {offset}")
    if out is not None:
        check_out(out, array, result)
    key = key_of(rng, array.size > 0)  # after the checks: a call that fails leaves a generator as it is
    t = GELU_T_f64 if result == float64 else GELU_T_f32
    computed = float64 if t == GELU_T_f64 else float32
    if array.dtype is computed and np.PyArray_ISBEHAVED_RO(array):
        a = array
    else:
        with errstate(invalid="ignore"):  # signalling NaN
            a = array.astype(computed)
    if type(out) is ndarray and out.dtype is computed and result == computed and np.PyArray_ISBEHAVED(out):
        y = out
    else:
        y = empty(array.shape, computed)
    if return_mask:
        mask = empty(array.shape, "?")
        draws.mask = np.PyArray_BYTES(mask)
    else:
        draws.mask = NULL
    draws.random = gelu_levels[level].random
    draws.gate = gelu_levels[level].kernels[GELU_F_gelu_gate][form][t].plain
    draws.gate_f64 = gelu_levels[0].kernels[GELU_F_gelu_gate][form][GELU_T_f64].plain
    draws.words = computed.itemsize // 4
    draws.offset = offset if array.size else 0
    for j in range(4):
        draws.key[j] = key[j]
    begin_job(&job, &specs[GELU_F_gelu_gate][form][t])
    job.draws = &draws
    operands[0], operands[1] = <PyArrayObject *> a, <PyArrayObject *> y
    if not (find_rows(operands, np.PyArray_DIMS(y), np.PyArray_NDIM(y), &job)
            and (job.rows.n_rows == 1 or job.rows.n >= SHORTEST_ROW)):
        a, y = a.copy("C"), empty(array.shape, computed)
        operands[0], operands[1] = <PyArrayObject *> a, <PyArrayObject *> y
        find_rows(operands, np.PyArray_DIMS(y), np.PyArray_NDIM(y), &job)
    run(&job)
    if y is not out:
        y = y.astype(result, copy=False)  # also before a cast to out: some one-byte types have no -0.0
    if out is None:
        answer = y if y.ndim else y[()]
    else:
        if y is not out:
            copyto(out, y, casting="same_kind")
        answer = out
    if not return_mask:
        return answer
    return answer, mask if mask.ndim else mask[()]


@cython.binding(False)
def stochastic_gelu(x, rng=None, *, approx=NOT_GIVEN, approximate=None, offset=0, out=None, return_mask=False):
    cdef gelu_environment before = gelu_enter_environment()  # for casts and comparisons, as in call
    try:
        return stochastic(x, rng, approx, approximate, out, return_mask, offset)
    finally:
        gelu_leave_environment(before)


def _random_words(key, at, n):
    """Words 64 * at to 64 * (at + n) of the generator with this key of four words; for tests."""
    cdef np.ndarray words = empty(64 * (n + 3), "u4"), four = asarray(key, "u4")
    gelu_levels[level].random.bits(
        <uint32_t *> np.PyArray_DATA(words), <const uint32_t *> np.PyArray_DATA(four), at, (n + 3) // 4 * 4)
    return words[: 64 * n]
