# SPDX-License-Identifier: BSD-3-Clause
# cython: language_level=3, cdivision=True
"""From NumPy's ufunc machinery to the kernels: the ufunc table, the choice of ISA level, the loops and
their threads. There is no arithmetic here: that is kernels/gelu.h."""

import operator
import os

cimport cython
cimport numpy as np
from cython.parallel cimport prange
from libc.stdint cimport uint64_t
from numpy cimport npy_intp

from numpy import bool as np_bool

from gelu_fast._cache import cache_bytes
from gelu_fast._docs import UFUNC_DOCS

np.import_array()
np.import_ufunc()

cdef extern from "kernels/kernels.h" nogil:
    enum:
        GELU_N_FUNCTIONS
        GELU_N_TYPES
    ctypedef void gelu_kernel(char **args, npy_intp n) noexcept nogil
    ctypedef struct gelu_kernels:
        gelu_kernel *plain
        gelu_kernel *streaming
    ctypedef struct gelu_strides:
        void (*pack)(char *packed, const char *strided, npy_intp step, npy_intp n) noexcept nogil
        void (*unpack)(char *strided, npy_intp step, const char *packed, npy_intp n) noexcept nogil
    ctypedef struct gelu_function:
        const char *name
        int n_in
        int n_out
    ctypedef struct gelu_level:
        const char *name
        int (*supported)() noexcept
        const gelu_kernels (*kernels)[GELU_N_TYPES]
        const gelu_strides *strides
    const gelu_function gelu_functions[GELU_N_FUNCTIONS]
    const char *gelu_types[GELU_N_TYPES]
    const gelu_level gelu_levels[1]
    const char gelu_compiler[1]

cdef extern from "kernels/threads.h" nogil:
    int omp_get_max_threads() noexcept
    int GELU_OPENMP

cdef extern from "<fenv.h>" nogil:
    int FE_DIVBYZERO, FE_INVALID, FE_OVERFLOW, FE_UNDERFLOW
    int fetestexcept(int) noexcept
    int feclearexcept(int) noexcept


# ---- loops: from a ufunc's operands to the kernel ----

cdef enum:
    MAX_ARGS = 4
    BLOCK = 768  # elements of a strided operand that are packed at a time; a multiple of every vector's length
    # Or the buffers of operands lie 4096 bytes apart, and a load waits for the store that seems to be its own.
    APART_BY = 40
    # Elements. Twice that, float32, measured: 13.4 us on one thread, 9.4 on two.
    MIN_SHARE = 16384
    MAX_THREADS = 1024  # OpenMP ends the process where the system gives it no more threads

cdef enum Overlap:
    APART
    IN_PLACE
    ACROSS  # what is written to is still to be read, as another element

cdef struct Loop:
    gelu_kernels kernels
    gelu_strides strides
    int n_in
    int n_args
    npy_intp itemsize

# Bytes of inputs and results that the cache has no room for. More are written past it: 2^24 float32, one thread, 0.29
# ns for 0.51 (Granite Rapids); with an older loop no faster, and 0.38 for 0.345 on one thread (Zen 4).
cdef double stream_from = cache_bytes()
cdef long long streamed = 0


def _stream_from(n_bytes=None):
    """Get, or set, that number of bytes; for tests and measurements."""
    global stream_from
    before = stream_from
    if n_bytes is not None:
        stream_from = n_bytes
    return before


def _streamed():
    """How many calls of an inner loop have written past the cache; for tests."""
    return streamed


cdef void run_blocks(char **args, const npy_intp *steps, npy_intp n, const Loop *loop) noexcept nogil:
    """Operands that are not contiguous are packed, a block at a time."""
    # Tried: blocks of 128, 256 and 512, slower; 1536, no faster; fetching the next block ahead of the kernel, faster for float64 that is
    # not in the cache (2.9 ns for 3.9), slower for float32 (0.84 for 0.80).
    cdef uint64_t buffers[MAX_ARGS][BLOCK + APART_BY]
    cdef char *block_args[MAX_ARGS]
    cdef npy_intp start = 0, length
    cdef int j
    while start < n:
        length = min(n - start, <npy_intp> BLOCK)
        for j in range(loop.n_args):
            block_args[j] = args[j] + start * steps[j]
            if steps[j] != loop.itemsize:
                if j < loop.n_in:
                    loop.strides.pack(<char *> buffers[j], block_args[j], steps[j], length)
                block_args[j] = <char *> buffers[j]
        loop.kernels.plain(block_args, length)
        for j in range(loop.n_in, loop.n_args):
            if steps[j] != loop.itemsize:
                loop.strides.unpack(args[j] + start * steps[j], steps[j], <char *> buffers[j], length)
        start += length


cdef bint contiguous(const npy_intp *steps, npy_intp n, const Loop *loop) noexcept nogil:
    cdef int j
    for j in range(loop.n_args):
        if steps[j] != loop.itemsize and n > 1:
            return False
    return True


cdef void run(char **args, const npy_intp *steps, npy_intp start, npy_intp stop, const Loop *loop,
              bint streaming) noexcept nogil:
    """Elements start to stop, on this thread."""
    cdef char *shifted[MAX_ARGS]
    cdef int j
    for j in range(loop.n_args):
        shifted[j] = args[j] + start * steps[j]
    if streaming:
        loop.kernels.streaming(shifted, stop - start)
    elif contiguous(steps, stop - start, loop):
        loop.kernels.plain(shifted, stop - start)
    else:
        run_blocks(shifted, steps, stop - start, loop)


cdef Overlap overlap(char **args, const npy_intp *steps, npy_intp n, const Loop *loop) noexcept nogil:
    """How the outputs lie to the inputs (NumPy lets an output run behind an input). Unless it is ACROSS, shares of
    the elements may be computed in any order."""
    cdef Overlap found = APART
    cdef int i, j
    cdef char *first_in
    cdef char *first_out
    for j in range(loop.n_in, loop.n_args):
        if -loop.itemsize < steps[j] < loop.itemsize:
            return ACROSS
        first_out = args[j] + min((n - 1) * steps[j], <npy_intp> 0)
        for i in range(loop.n_in):
            first_in = args[i] + min((n - 1) * steps[i], <npy_intp> 0)
            if args[i] == args[j] and steps[i] == steps[j]:
                found = IN_PLACE
            elif (first_in < args[j] + max((n - 1) * steps[j], <npy_intp> 0) + loop.itemsize
                    and first_out < args[i] + max((n - 1) * steps[i], <npy_intp> 0) + loop.itemsize):
                return ACROSS
    return found


cdef void ufunc_loop(char **args, const npy_intp *dimensions, const npy_intp *steps,
                     void *data) noexcept nogil:
    """The inner loop of every ufunc; `data` is the Loop that says which kernel."""
    global streamed
    cdef const Loop *loop = <const Loop *> data
    cdef npy_intp n = dimensions[0], share
    cdef int errors = FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW | FE_UNDERFLOW
    cdef int before = fetestexcept(errors)
    cdef Overlap overlaps = ACROSS
    cdef bint streaming
    cdef int team = 1, raised, i
    if n >= 2 * MIN_SHARE:
        overlaps = overlap(args, steps, n, loop)
    if overlaps != ACROSS:
        team = <int> min(<npy_intp> thread_count(), n // MIN_SHARE)
    streaming = (overlaps == APART and loop.kernels.streaming != NULL and contiguous(steps, n, loop)
                 and <double> n * loop.n_args * loop.itemsize > stream_from)
    if streaming:
        streamed += 1
    if team > 1:
        share = (n // team + BLOCK) // BLOCK * BLOCK
        for i in prange(team, num_threads=team, schedule="static"):
            if i * share < n:
                run(args, steps, i * share, min(n, (i + 1) * share), loop, streaming)
    elif n > 0:
        run(args, steps, 0, n, loop, streaming)
    # The kernels use infinities and underflow as they please; NumPy must hear of none of it.
    raised = fetestexcept(errors) & ~before
    if raised:
        feclearexcept(raised)


# ---- threads ----

cdef int requested_threads = 0  # 0: as many as OpenMP would use
cdef int initial_threads = openmp_threads()
cdef int threads_when_requested = initial_threads
cdef bint in_forked_child = False


cdef int openmp_threads() noexcept nogil:
    return min(omp_get_max_threads(), <int> MAX_THREADS)


cdef int thread_count() noexcept nogil:
    cdef int openmp = openmp_threads()
    if in_forked_child:
        return 1
    if requested_threads == 0:
        return openmp
    # threadpoolctl, or another library, has set OpenMP's maximum: that is a limit
    if openmp < initial_threads or openmp != threads_when_requested:
        return min(openmp, requested_threads)
    return requested_threads


def get_num_threads():
    """
    The number of threads that a large array is split over.

    Returns
    -------
    int
        What `set_num_threads` was given, or else OpenMP's maximum (``OMP_NUM_THREADS``, the CPUs this
        process may use, or what threadpoolctl set). In a forked child it is 1.

    See Also
    --------
    set_num_threads
    """
    return thread_count()


def set_num_threads(n):
    """
    Set the number of threads that a large array is split over, for the whole process.

    Parameters
    ----------
    n : int or None
        From 1 to 1024. It takes the place of ``OMP_NUM_THREADS``. A limit of threadpoolctl still holds, if it
        is less than OpenMP's maximum at import, or differs from OpenMP's maximum when this was called. None
        goes back to OpenMP's maximum.

    Raises
    ------
    TypeError
        If `n` is not an integer.
    ValueError
        If `n` is less than 1 or more than 1024.

    See Also
    --------
    get_num_threads
    """
    global requested_threads, threads_when_requested
    if n is None:
        requested_threads = 0
        return
    n = operator.index(n)
    if not 1 <= n <= MAX_THREADS:
        raise ValueError(f"the number of threads must be from 1 to {MAX_THREADS}, not {n}")
    requested_threads = n
    threads_when_requested = openmp_threads()


def _after_fork():
    global in_forked_child
    in_forked_child = True


# libgomp's threads do not survive a fork, and a parallel region would wait for them forever.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


# ---- the ISA level, chosen once, and the ufuncs made for it ----

cdef int n_levels = 0
while gelu_levels[n_levels].name != NULL:
    n_levels += 1

cdef list built_isa_levels = [gelu_levels[i].name.decode() for i in range(n_levels)]
available_isa_levels = [name for i, name in enumerate(built_isa_levels) if gelu_levels[<int> i].supported()]


def choose_level(wanted, built, available):
    """The level that GELU_FAST_ISA names, or the best one available."""
    if not wanted:
        return available[-1]
    if wanted in available:
        return wanted
    why = "this CPU lacks it" if wanted in built else "there is no such ISA level in this build"
    raise ImportError(f"GELU_FAST_ISA={wanted}: {why}; available: {', '.join(available)}")


isa_level = choose_level(os.environ.get("GELU_FAST_ISA"), built_isa_levels, available_isa_levels)
cdef int level = built_isa_levels.index(isa_level)
compiler = gelu_compiler.decode()
openmp_version = GELU_OPENMP

cdef dict TYPE_NUMBERS = {"f16": np.NPY_FLOAT16, "f32": np.NPY_FLOAT32, "f64": np.NPY_FLOAT64}

# NumPy keeps pointers into all of these for as long as the process lives.
cdef Loop loops[GELU_N_FUNCTIONS][GELU_N_TYPES]
cdef void *loop_data[GELU_N_FUNCTIONS][GELU_N_TYPES]
cdef char signatures[GELU_N_FUNCTIONS][GELU_N_TYPES * MAX_ARGS]
cdef np.PyUFuncGenericFunction loop_functions[GELU_N_TYPES]
cdef list kept = []
cdef void *descriptors[GELU_N_TYPES]  # NumPy's own: of native byte order, without metadata


cdef object make_ufunc(int f):
    cdef const gelu_function *function = &gelu_functions[f]
    cdef int n_args = function.n_in + function.n_out
    cdef int t, j
    if n_args > MAX_ARGS:
        raise ImportError(f"{function.name.decode()} has {n_args} operands, _core.pyx room for {MAX_ARGS}")
    name = f"gelu_{function.name.decode()}"
    encoded = name.encode(), UFUNC_DOCS[name].encode()
    kept.append(encoded)
    for t in range(GELU_N_TYPES):
        number = TYPE_NUMBERS[gelu_types[t].decode()]
        descriptor = np.PyArray_DescrFromType(number)
        kept.append(descriptor)
        descriptors[t] = <void *> descriptor
        for j in range(n_args):
            signatures[f][t * n_args + j] = <char> <int> number
        loops[f][t].kernels = gelu_levels[level].kernels[f][t]
        loops[f][t].strides = gelu_levels[level].strides[t]
        loops[f][t].n_in = function.n_in
        loops[f][t].n_args = n_args
        loops[f][t].itemsize = descriptor.itemsize
        loop_data[f][t] = &loops[f][t]
        loop_functions[t] = <np.PyUFuncGenericFunction> ufunc_loop
    return name, np.PyUFunc_FromFuncAndData(
        loop_functions, loop_data[f], signatures[f], GELU_N_TYPES, function.n_in, function.n_out,
        np.PyUFunc_None, encoded[0], encoded[1], 0)


ufuncs = dict([make_ufunc(f) for f in range(GELU_N_FUNCTIONS)])


# ---- gelu(): plain arrays without the ufunc's ways round them, all else by the ufunc ----

cdef enum:
    KEEP_GIL = 500  # elements; as in NumPy
    WARN_ON_WRITE = -0x80000000  # NPY_ARRAY_WARN_ON_WRITE, which Cython's declarations lack


cdef object apply_plain(int f, object x, object out):
    """Function f of x, of one input and one output, 0.1 us faster than by the ufunc: x and `out`, if it is given,
    must be such that a ufunc would do nothing but call its inner loop. Returns None if they are not."""
    if not np.PyArray_CheckExact(x):
        return None
    cdef np.ndarray a = x, y
    cdef void *descriptor = <void *> np.PyArray_DESCR(a)
    cdef int ndim = np.PyArray_NDIM(a), t = 0, i
    while t < GELU_N_TYPES and descriptors[t] != descriptor:
        t += 1
    if t == GELU_N_TYPES or ndim == 0 or not np.PyArray_ISCARRAY_RO(a):
        return None
    cdef Loop loop = loops[f][t]
    cdef npy_intp n = np.PyArray_SIZE(a)
    cdef char *args[2]
    cdef npy_intp steps[2]
    args[0] = <char *> np.PyArray_DATA(a)
    steps[0] = steps[1] = loop.itemsize
    if out is None:
        y = np.PyArray_EMPTY(ndim, np.PyArray_DIMS(a), np.PyArray_TYPE(a), 0)
        args[1] = <char *> np.PyArray_DATA(y)
        loop.kernels.streaming = NULL  # the system has just zeroed this memory, and has it in the cache
    else:
        if not np.PyArray_CheckExact(out):
            return None
        y = out
        if (<void *> np.PyArray_DESCR(y) != descriptor or np.PyArray_NDIM(y) != ndim
                or not np.PyArray_ISCARRAY(y) or np.PyArray_FLAGS(y) & WARN_ON_WRITE):
            return None
        for i in range(ndim):
            if np.PyArray_DIM(a, i) != np.PyArray_DIM(y, i):
                return None
        args[1] = <char *> np.PyArray_DATA(y)
        if n > 0 and overlap(args, steps, n, &loop) == ACROSS:
            return None
    if n <= KEEP_GIL:
        ufunc_loop(args, &n, steps, &loop)
    else:
        with nogil:
            ufunc_loop(args, &n, steps, &loop)
    return y


cdef list by_number = list(ufuncs.values())
cdef list names = list(ufuncs)
# A function's forms stand one after the other: gelu_erf, gelu_tanh, gelu_sigmoid.
cdef int VALUE = names.index("gelu_erf"), GATE = names.index("gelu_gate_erf"), GRAD = names.index("gelu_grad_erf")
cdef dict forms = {False: 0, "none": 0, True: 1, "tanh": 1, "sigmoid": 2}
cdef tuple names_of_forms = (str, bool, np_bool)  # their types: 0 and 1 are no booleans here
cdef str SAME_KIND = "same_kind", K = "K"  # interned, as are the defaults


cdef int form_of(object approx) except -1:
    if approx is False:
        return 0
    if isinstance(approx, names_of_forms) and approx in forms:
        return forms[approx]
    raise ValueError(f"approx must be False or 'none', True or 'tanh', or 'sigmoid', not {approx!r}")


cdef object apply(int f, object x, object out, object where, object dtype, object casting, object order,
                  object subok):
    """Function f of x; the other arguments are a ufunc's."""
    cdef dict given
    if where is True and dtype is None and casting is SAME_KIND and order is K and subok is True:
        y = apply_plain(f, x, out)
        if y is not None:
            return y
    given = {}  # only what was given: it may go on to other libraries' __array_ufunc__
    if where is not True:
        given["where"] = where
    if dtype is not None:
        given["dtype"] = dtype
    if casting is not SAME_KIND:
        given["casting"] = casting
    if order is not K:
        given["order"] = order
    if subok is not True:
        given["subok"] = subok
    if out is not None:
        given["out"] = out
    return by_number[f](x, **given)


# Here, as a Python function around it would take half of the time of a small call.
@cython.binding(False)
@cython.embedsignature(True)
@cython.embedsignature.format("clinic")
def gelu(x, approx=False, *, out=None, where=True, dtype=None, casting="same_kind", order="K", subok=True):
    """
    The Gaussian error linear unit, x Phi(x), or one of its approximations.

    Parameters
    ----------
    x : array_like
        Input, of any shape. float16, float32 and float64 are computed as they are; bool, integers and Python
        numbers are promoted as `numpy.exp` promotes them. Arrays of other libraries that know NumPy's ufuncs
        (dask, pandas, xarray) give arrays of theirs.
    approx : {False, "none", True, "tanh", "sigmoid"}, optional
        The form: exact (False or "none", the default), the tanh approximation (True or "tanh"), or the
        sigmoid approximation. These are the ufuncs `gelu_erf`, `gelu_tanh` and `gelu_sigmoid`.
    out : ndarray, None, or tuple of one ndarray, optional
        Where to put the result; may be `x` itself.
    where : array_like of bool, optional
        Where to compute; elsewhere `out` keeps its value.
    dtype, casting, order, subok
        As for every `numpy.ufunc`.

    Returns
    -------
    ndarray or scalar
        GELU of each element, in the shape of `x`; `out` if given.

    Raises
    ------
    ValueError
        If `approx` is none of the above, or if `out` has a shape that the result does not broadcast to.
    TypeError
        If `x` is complex, longdouble, object, string or datetime, or if `out` cannot hold the result under
        `casting`.

    See Also
    --------
    gelu_erf, gelu_tanh, gelu_sigmoid : The forms, with their error bounds.

    References
    ----------
    D. Hendrycks and K. Gimpel, "Gaussian Error Linear Units (GELUs)", arXiv:1606.08415.

    Examples
    --------
    >>> import numpy as np
    >>> from gelu_fast import gelu
    >>> gelu(np.array([-10.0, -1.0, 0.0, 1.0]))
    array([-7.61985302e-23, -1.58655254e-01,  0.00000000e+00,  8.41344746e-01])
    >>> gelu(np.float32(1.0), approx="tanh")
    np.float32(0.841192)
    """
    return apply(VALUE + form_of(approx), x, out, where, dtype, casting, order, subok)


@cython.binding(False)
@cython.embedsignature(True)
@cython.embedsignature.format("clinic")
def gelu_gate(x, approx=False, *, out=None, where=True, dtype=None, casting="same_kind", order="K", subok=True):
    """
    The gate of GELU, which x is multiplied with: Phi(x), or one of its approximations.

    The negative tail keeps its relative accuracy, down to subnormal results.

    Parameters
    ----------
    x : array_like
        Input, of any shape. float16, float32 and float64 are computed as they are; bool, integers and Python
        numbers are promoted as `numpy.exp` promotes them.
    approx : {False, "none", True, "tanh", "sigmoid"}, optional
        The form, as for `gelu`. These are the ufuncs `gelu_gate_erf`, `gelu_gate_tanh` and `gelu_gate_sigmoid`.
    out, where, dtype, casting, order, subok
        As for `gelu`.

    Returns
    -------
    ndarray or scalar
        The gate of each element, from 0 at -inf to 1 at +inf, in the shape of `x`; `out` if given.

    Raises
    ------
    ValueError, TypeError
        As `gelu` does.

    See Also
    --------
    gelu : x times its gate.
    gelu_gate_erf, gelu_gate_tanh, gelu_gate_sigmoid : The forms, with their error bounds.

    References
    ----------
    D. Hendrycks and K. Gimpel, "Gaussian Error Linear Units (GELUs)", arXiv:1606.08415.

    Examples
    --------
    >>> import numpy as np
    >>> from gelu_fast import gelu_gate
    >>> gelu_gate(np.array([-10.0, 0.0, 1.0]))
    array([7.61985302e-24, 5.00000000e-01, 8.41344746e-01])
    """
    return apply(GATE + form_of(approx), x, out, where, dtype, casting, order, subok)


@cython.binding(False)
@cython.embedsignature(True)
@cython.embedsignature.format("clinic")
def gelu_grad(x, approx=False, *, out=None, where=True, dtype=None, casting="same_kind", order="K", subok=True):
    """
    The derivative of GELU, or of one of its approximations.

    Parameters
    ----------
    x : array_like
        Where to take the derivative; of any shape. float16, float32 and float64 are computed as they are; bool,
        integers and Python numbers are promoted as `numpy.exp` promotes them.
    approx : {False, "none", True, "tanh", "sigmoid"}, optional
        The form, as for `gelu`. These are the ufuncs `gelu_grad_erf`, `gelu_grad_tanh` and `gelu_grad_sigmoid`.
    out, where, dtype, casting, order, subok
        As for `gelu`.

    Returns
    -------
    ndarray or scalar
        The derivative at each element, 0 at -inf and 1 at +inf, in the shape of `x`; `out` if given. It is zero at
        one point near -0.75, and exceeds 1 for x between 0.75 and infinity.

    Raises
    ------
    ValueError, TypeError
        As `gelu` does.

    See Also
    --------
    gelu_grad_erf, gelu_grad_tanh, gelu_grad_sigmoid : The forms, with their error bounds.

    References
    ----------
    D. Hendrycks and K. Gimpel, "Gaussian Error Linear Units (GELUs)", arXiv:1606.08415.

    Examples
    --------
    >>> import numpy as np
    >>> from gelu_fast import gelu_grad
    >>> gelu_grad(np.array([-10.0, 0.0, 1.0]))
    array([-7.61840010e-22,  5.00000000e-01,  1.08331547e+00])
    """
    return apply(GRAD + form_of(approx), x, out, where, dtype, casting, order, subok)
