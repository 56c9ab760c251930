# SPDX-License-Identifier: BSD-3-Clause
# cython: language_level=3, cdivision=True
"""From NumPy's ufunc machinery to the kernels: the ufunc table, the choice of ISA level, the loops and
their threads. There is no arithmetic here: that is kernels/gelu.h."""

import operator
import os

cimport numpy as np
from cython.parallel cimport prange
from libc.stdint cimport uint16_t, uint32_t, uint64_t
from numpy cimport npy_intp

from gelu_fast._docs import UFUNC_DOCS

np.import_array()
np.import_ufunc()

cdef extern from "kernels/kernels.h" nogil:
    enum:
        GELU_N_FUNCTIONS
        GELU_N_TYPES
    ctypedef void gelu_kernel(char **args, npy_intp n) noexcept
    ctypedef struct gelu_function:
        const char *name
        int n_in
        int n_out
    ctypedef struct gelu_level:
        const char *name
        int (*supported)() noexcept
        gelu_kernel *(*kernels)[GELU_N_TYPES]
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
    BLOCK = 512  # elements of a strided operand that are packed at a time; a multiple of every vector's length
    # Elements. Twice that, float32, measured: 13.4 us on one thread, 9.4 on two.
    MIN_SHARE = 16384
    MAX_THREADS = 1024  # OpenMP ends the process where the system gives it no more threads

cdef struct Loop:
    gelu_kernel *kernel
    int n_in
    int n_args
    npy_intp itemsize


cdef inline void copy(char *to, npy_intp to_step, const char *source, npy_intp step, npy_intp n,
                      npy_intp itemsize) noexcept nogil:
    cdef npy_intp i
    if itemsize == 1:
        for i in range(n):
            to[i * to_step] = source[i * step]
    elif itemsize == 2:
        for i in range(n):
            (<uint16_t *> (to + i * to_step))[0] = (<const uint16_t *> (source + i * step))[0]
    elif itemsize == 4:
        for i in range(n):
            (<uint32_t *> (to + i * to_step))[0] = (<const uint32_t *> (source + i * step))[0]
    else:
        for i in range(n):
            (<uint64_t *> (to + i * to_step))[0] = (<const uint64_t *> (source + i * step))[0]


cdef void run_blocks(char **args, const npy_intp *steps, npy_intp n, const Loop *loop) noexcept nogil:
    """Operands that are not contiguous are packed, a block at a time."""
    cdef uint64_t buffers[MAX_ARGS][BLOCK]
    cdef char *block_args[MAX_ARGS]
    cdef npy_intp start = 0, length
    cdef int j
    while start < n:
        length = min(n - start, <npy_intp> BLOCK)
        for j in range(loop.n_args):
            if steps[j] == loop.itemsize:
                block_args[j] = args[j] + start * steps[j]
            else:
                block_args[j] = <char *> buffers[j]
                if j < loop.n_in:
                    copy(block_args[j], loop.itemsize, args[j] + start * steps[j], steps[j], length,
                         loop.itemsize)
        loop.kernel(block_args, length)
        for j in range(loop.n_in, loop.n_args):
            if steps[j] != loop.itemsize:
                copy(args[j] + start * steps[j], steps[j], block_args[j], loop.itemsize, length,
                     loop.itemsize)
        start += length


cdef void run(char **args, const npy_intp *steps, npy_intp start, npy_intp stop,
              const Loop *loop) noexcept nogil:
    """Elements start to stop, on this thread."""
    cdef char *shifted[MAX_ARGS]
    cdef bint contiguous = True
    cdef int j
    for j in range(loop.n_args):
        shifted[j] = args[j] + start * steps[j]
        contiguous = contiguous and (steps[j] == loop.itemsize or stop - start == 1)
    if contiguous:
        loop.kernel(shifted, stop - start)
    else:
        run_blocks(shifted, steps, stop - start, loop)


cdef bint separable(char **args, const npy_intp *steps, npy_intp n, const Loop *loop) noexcept nogil:
    """Whether shares of the elements may be computed in any order: each output apart from every input
    (NumPy lets an output run behind an input), or the very same."""
    cdef int i, j
    cdef char *first_in
    cdef char *first_out
    for j in range(loop.n_in, loop.n_args):
        if -loop.itemsize < steps[j] < loop.itemsize:
            return False
        first_out = args[j] + min((n - 1) * steps[j], <npy_intp> 0)
        for i in range(loop.n_in):
            first_in = args[i] + min((n - 1) * steps[i], <npy_intp> 0)
            if (not (args[i] == args[j] and steps[i] == steps[j])
                    and first_in < args[j] + max((n - 1) * steps[j], <npy_intp> 0) + loop.itemsize
                    and first_out < args[i] + max((n - 1) * steps[i], <npy_intp> 0) + loop.itemsize):
                return False
    return True


cdef void ufunc_loop(char **args, const npy_intp *dimensions, const npy_intp *steps,
                     void *data) noexcept nogil:
    """The inner loop of every ufunc; `data` is the Loop that says which kernel."""
    cdef const Loop *loop = <const Loop *> data
    cdef npy_intp n = dimensions[0], share
    cdef int errors = FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW | FE_UNDERFLOW
    cdef int before = fetestexcept(errors)
    cdef int team = 1, raised, i
    if n >= 2 * MIN_SHARE:
        team = <int> min(<npy_intp> thread_count(), n // MIN_SHARE)
    if team > 1 and separable(args, steps, n, loop):
        share = (n // team + BLOCK) // BLOCK * BLOCK
        for i in prange(team, num_threads=team, schedule="static"):
            if i * share < n:
                run(args, steps, i * share, min(n, (i + 1) * share), loop)
    elif n > 0:
        run(args, steps, 0, n, loop)
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
cdef list strings = []


cdef object make_ufunc(int f):
    cdef const gelu_function *function = &gelu_functions[f]
    cdef int n_args = function.n_in + function.n_out
    cdef int t, j
    if n_args > MAX_ARGS:
        raise ImportError(f"{function.name.decode()} has {n_args} operands, _core.pyx room for {MAX_ARGS}")
    name = f"gelu_{function.name.decode()}"
    encoded = name.encode(), UFUNC_DOCS[name].encode()
    strings.append(encoded)
    for t in range(GELU_N_TYPES):
        number = TYPE_NUMBERS[gelu_types[t].decode()]
        for j in range(n_args):
            signatures[f][t * n_args + j] = <char> <int> number
        loops[f][t].kernel = gelu_levels[level].kernels[f][t]
        loops[f][t].n_in = function.n_in
        loops[f][t].n_args = n_args
        loops[f][t].itemsize = np.PyArray_DescrFromType(number).itemsize
        loop_data[f][t] = &loops[f][t]
        loop_functions[t] = <np.PyUFuncGenericFunction> ufunc_loop
    return name, np.PyUFunc_FromFuncAndData(
        loop_functions, loop_data[f], signatures[f], GELU_N_TYPES, function.n_in, function.n_out,
        np.PyUFunc_None, encoded[0], encoded[1], 0)


ufuncs = dict([make_ufunc(f) for f in range(GELU_N_FUNCTIONS)])
