# SPDX-License-Identifier: BSD-3-Clause
# cython: language_level=3, cdivision=True
"""From NumPy's ufunc machinery to the kernels: the ufunc table, the choice of ISA level, the loops and
their threads. The arithmetic is in kernels/gelu.h."""

import operator
import os
from collections.abc import Mapping
from warnings import warn

cimport cython
cimport numpy as np
from cython.parallel cimport prange
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy
from numpy cimport npy_intp

from numpy import arange, array as np_array, asarray, bool as np_bool, can_cast, copyto, dtype as np_dtype
from numpy import empty, errstate, floating, generic, logical_and, ndarray, zeros
from numpy import any as np_any, where as np_where
from numpy.lib.array_utils import normalize_axis_index

from gelu_fast._docs import UFUNC_DOCS
from gelu_fast._machine import cache_bytes, cpu_quota

np.import_array()
np.import_ufunc()

cdef extern from "kernels/kernels.h" nogil:
    enum:
        GELU_F_gelu
        GELU_F_gelu_gate
        GELU_F_gelu_grad
        GELU_F_gelu_backward
        GELU_F_gelu_mu_sigma
        GELU_F_gelu_backward_mu_sigma
        GELU_F_bias_gelu
        GELU_F_geglu
        GELU_F_geglu_backward
        GELU_N_FUNCTIONS
        GELU_FORM_erf
        GELU_FORM_tanh
        GELU_FORM_sigmoid
        GELU_N_FORMS
        GELU_T_f16
        GELU_T_f32
        GELU_T_f64
        GELU_T_bf16
        GELU_N_TYPES
    ctypedef void gelu_kernel(char **args, npy_intp n) noexcept nogil
    ctypedef struct gelu_kernels:
        gelu_kernel *plain
        gelu_kernel *streaming
    ctypedef struct gelu_strides:
        void (*pack)(char *packed, const char *strided, npy_intp step, npy_intp n) noexcept nogil
        void (*unpack)(char *strided, npy_intp step, const char *packed, npy_intp n) noexcept nogil
    ctypedef struct gelu_random:
        void (*bits)(uint32_t *words, const uint32_t *key, uint64_t at, npy_intp n) noexcept nogil
        void (*decide_f32)(char **args, npy_intp n, gelu_kernel *gate_f64) noexcept nogil
        void (*decide_f64)(char **args, npy_intp n, gelu_kernel *gate_f64) noexcept nogil
    ctypedef struct gelu_function:
        const char *name
        int n_in
        int n_out
        int with_mu_sigma
    ctypedef struct gelu_level:
        const char *name
        int (*supported)() noexcept
        const gelu_kernels (*kernels)[GELU_N_FORMS][GELU_N_TYPES]
        const gelu_strides *strides
        const gelu_random *random
    const gelu_function gelu_functions[GELU_N_FUNCTIONS]
    const char *gelu_forms[GELU_N_FORMS]
    const gelu_level gelu_levels[1]
    const char gelu_compiler[1]

cdef extern from "kernels/threads.h" nogil:
    int omp_get_max_threads() noexcept
    int omp_get_proc_bind() noexcept  # 0: it does not bind threads
    int GELU_OPENMP

cdef extern from "kernels/pool.h" nogil:
    bint GELU_POOL
    ctypedef void gelu_share(const void *job, npy_intp start, npy_intp stop) noexcept nogil
    ctypedef void gelu_open(int threads) noexcept nogil
    bint gelu_pool_run(gelu_share *share, const void *job, npy_intp n, int threads, int size,
                       gelu_open *open) noexcept
    void gelu_pool_serve(int number) noexcept
    void gelu_pool_retry() noexcept
    void gelu_pool_init() noexcept

cdef extern from "kernels/environment.h" nogil:
    ctypedef struct gelu_environment:
        pass
    gelu_environment gelu_enter_environment() noexcept
    void gelu_leave_environment(gelu_environment before) noexcept

# Numbers that one thread may set while another, without the GIL, reads them: in C each access is atomic.
cdef extern from "<stdatomic.h>" nogil:
    ctypedef int atomic_int
    ctypedef long long atomic_llong
    ctypedef double atomic_double "_Atomic double"
    long long atomic_fetch_add(atomic_llong *number, long long more)


# ---- loops: from a ufunc's operands to the kernel ----

cdef enum:
    MAX_ARGS = 5
    BLOCK = 768  # elements of a strided operand that are packed at a time, at most
    BUFFERS = 1792  # words of 64 bits on a stack that may be small: for two operands of BLOCK float64, and OTHERS_BITS
    OTHERS_BITS = 1280  # bytes of random words before and after those of a block
    MIN_SHARE = 16384  # elements; twice that, float32: 23 us on one thread, 12 on two that are awake (Zen 3, x86-64-v3)
    MAX_THREADS = 1024

# How outputs lie to the inputs and to each other; each allows less than the one before.
cdef enum Overlap:
    APART
    IN_PLACE  # an element is written over itself: any order will do
    IN_ORDER  # memory that is written is read by earlier elements alone: blocks of them, in order
    ONE_BY_ONE  # a later element reads it, as in a reduction

cdef struct Draws:
    const gelu_random *random
    gelu_kernel *gate_f64
    uint32_t key[4]
    uint64_t offset  # the number of the call's first element
    int words  # of each element: 1 for float32, 2 for float64
    char *kept  # a byte for each element, or NULL

cdef struct Loop:
    gelu_kernels kernels
    gelu_strides strides
    int n_in
    int n_args
    npy_intp itemsize
    # One-byte types run float32's kernels through two tables: byte -> float32, and upper half of a float32 -> byte, its
    # lowest bit set if any lower bit was (sticky).
    const float *widen
    const uint8_t *narrow
    const Draws *draws  # of stochastic GELU, whose kernel is that of the gate; or NULL

# Which elements: rows of n, and the bytes from one element, and from one row, to the next, for each operand.
cdef struct Space:
    npy_intp n_rows
    npy_intp n
    npy_intp row_steps[MAX_ARGS]
    npy_intp steps[MAX_ARGS]

# Bytes of inputs and results that the cache has no room for. More are written past it: 2^24 float32, one thread, 0.29
# ns for 0.51 (Granite Rapids); with an older loop no faster, and 0.38 for 0.345 on one thread (Zen 4).
cdef atomic_double stream_from = cache_bytes()
cdef atomic_llong streamed = 0


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


cdef void pack(char *packed, const char *strided, npy_intp step, npy_intp n, const Loop *loop) noexcept nogil:
    cdef npy_intp i
    if loop.widen == NULL:
        loop.strides.pack(packed, strided, step, n)
    else:
        for i in range(n):
            (<float *> packed)[i] = loop.widen[(<uint8_t *> strided)[i * step]]


cdef void unpack(char *strided, npy_intp step, const char *packed, npy_intp n, const Loop *loop) noexcept nogil:
    cdef npy_intp i
    cdef uint32_t bits
    if loop.narrow == NULL:
        loop.strides.unpack(strided, step, packed, n)
    else:
        for i in range(n):
            bits = (<const uint32_t *> packed)[i]
            (<uint8_t *> strided)[i * step] = loop.narrow[bits >> 16 | ((bits & 0xffff) != 0)]


cdef void draw(char **args, char *gates, char *bits, npy_intp number, npy_intp n, const Loop *loop) noexcept nogil:
    """Stochastic GELU of a block of elements, x and y, with room for their gates and bits, and for OTHERS_BITS more;
    `number` counts the first one from the call's first element."""
    cdef const Draws *draws = loop.draws
    cdef char *block_args[5]
    # Numbers reach 2**64, so the division comes before the product: element `place` of the 64 words from 64 `first` on.
    cdef uint64_t in_64_words = 64 // draws.words
    cdef uint64_t first = (draws.offset + number) // in_64_words
    cdef npy_intp place = (draws.offset + number) % in_64_words
    block_args[0] = args[0]
    block_args[1] = gates
    block_args[2] = bits + 4 * place * draws.words
    block_args[3] = args[1]
    block_args[4] = NULL if draws.kept == NULL else draws.kept + number
    draws.random.bits(<uint32_t *> bits, draws.key, first, ((place + n) * draws.words + 255) // 256 * 4)
    loop.kernels.plain(block_args, n)
    if draws.words == 1:
        draws.random.decide_f32(block_args, n, draws.gate_f64)
    else:
        draws.random.decide_f64(block_args, n, draws.gate_f64)


cdef bint is_packed(int j, const npy_intp *steps, const Loop *loop) noexcept nogil:
    return steps[j] != loop.itemsize or loop.widen != NULL


cdef void run_blocks(char **args, const npy_intp *steps, npy_intp number, npy_intp n, const Loop *loop) noexcept nogil:
    """Operands that are not as the kernel takes them are packed, a block at a time; one number for all, once. `number`
    is that of the first element."""
    # Tried: blocks of 128, 256 and 512, slower; 1536, no faster; fetching the next block ahead of the kernel, faster
    # for float64 that is not in the cache (2.9 ns for 3.9), slower for float32 (0.84 for 0.80).
    cdef uint64_t memory[BUFFERS]
    cdef char *buffers[MAX_ARGS + 2]
    cdef char *block_args[MAX_ARGS]
    cdef npy_intp itemsize = 4 if loop.widen != NULL else loop.itemsize  # of the kernel
    cdef npy_intp start = 0, block, length
    cdef int n_buffers = 0, j
    for j in range(loop.n_args):
        n_buffers += is_packed(j, steps, loop)
    n_buffers = max(1, n_buffers) if loop.draws == NULL else n_buffers + 2
    length = (sizeof(memory) if loop.draws == NULL else sizeof(memory) - OTHERS_BITS) // n_buffers // 64 * 64
    block = min(length // itemsize // 64 * 64, <npy_intp> BLOCK)
    for j in range(n_buffers):
        buffers[j] = <char *> memory + j * length
    while start < n:
        length = min(n - start, block)
        n_buffers = 0
        for j in range(loop.n_args):
            block_args[j] = args[j] + start * steps[j]
            if is_packed(j, steps, loop):
                if j < loop.n_in and (steps[j] != 0 or start == 0):
                    pack(buffers[n_buffers], block_args[j], steps[j], length, loop)
                block_args[j] = buffers[n_buffers]
                n_buffers += 1
        if loop.draws == NULL:
            loop.kernels.plain(block_args, length)
        else:
            draw(block_args, buffers[n_buffers], buffers[n_buffers + 1], number + start, length, loop)
        for j in range(loop.n_in, loop.n_args):
            if is_packed(j, steps, loop):
                unpack(args[j] + start * steps[j], steps[j], block_args[j], length, loop)
        start += length


cdef bint contiguous(const npy_intp *steps, npy_intp n, const Loop *loop) noexcept nogil:
    """Whether operands are as the kernel takes them, and need no blocks."""
    cdef int j
    for j in range(loop.n_args):
        if steps[j] != loop.itemsize and n > 1:
            return False
    return loop.widen == NULL and loop.draws == NULL


cdef void run(char **args, const Space *space, npy_intp start, npy_intp stop, const Loop *loop,
              bint streaming) noexcept nogil:
    """Elements start to stop, on this thread."""
    cdef char *shifted[MAX_ARGS]
    cdef npy_intp row, column, length
    cdef int j
    while start < stop:
        row = start // space.n
        column = start - row * space.n
        length = min(space.n - column, stop - start)
        for j in range(loop.n_args):
            shifted[j] = args[j] + row * space.row_steps[j] + column * space.steps[j]
        if streaming:
            loop.kernels.streaming(shifted, length)
        elif contiguous(space.steps, length, loop):
            loop.kernels.plain(shifted, length)
        else:
            run_blocks(shifted, space.steps, start, length, loop)
        start += length


cdef void run_one_by_one(char **args, const npy_intp *steps, npy_intp start, npy_intp stop,
                         const Loop *loop) noexcept nogil:
    """Elements of one row, each of which may be read by the next."""
    cdef char *element[MAX_ARGS]
    cdef npy_intp i
    cdef int j
    for j in range(loop.n_args):
        element[j] = args[j] + start * steps[j]
    for i in range(start, stop):
        if contiguous(steps, 1, loop):
            loop.kernels.plain(element, 1)
        else:
            run_blocks(element, steps, i, 1, loop)
        for j in range(loop.n_args):
            element[j] += steps[j]


cdef bint meets_itself(const Space *space, int j, npy_intp itemsize) noexcept nogil:
    """Whether elements of operand j may lie on each other."""
    cdef npy_intp step = max(space.steps[j], -space.steps[j]), row_step = max(space.row_steps[j], -space.row_steps[j])
    cdef npy_intp n = space.n, n_rows = space.n_rows
    return ((n > 1 and step < itemsize) or (n_rows > 1 and row_step < itemsize)
            or (n > 1 and n_rows > 1 and row_step < (n - 1) * step + itemsize
                and step < (n_rows - 1) * row_step + itemsize))


cdef bint is_read_later(npy_intp ahead, npy_intp read_step, npy_intp step, npy_intp n,
                        npy_intp itemsize) noexcept nogil:
    """Whether some element i may write what an element i + k, k > 0, reads: its operand begins `ahead` bytes above the
    output. Exact for equal steps; for others sure of "no" where the input strides ahead of the output, which is when
    NumPy leaves such operands as they are."""
    cdef npy_intp k
    if step < 0:
        ahead, read_step, step = -ahead, -read_step, -step
    if step < itemsize or read_step != step:
        return n > 1 and not (itemsize <= step <= read_step and ahead >= 0)
    k = max(-ahead // step, <npy_intp> 1)  # this one and the next come nearest
    return ((k < n and -itemsize < ahead + k * step < itemsize)
            or (k + 1 < n and -itemsize < ahead + (k + 1) * step < itemsize))


cdef Overlap overlap(char **args, const Space *space, const Loop *loop) noexcept nogil:
    cdef Overlap found = APART
    cdef int i, j
    cdef npy_intp along, across
    cdef bint itself
    cdef char *first[MAX_ARGS]
    cdef char *end[MAX_ARGS]
    for j in range(loop.n_args):
        along = (space.n - 1) * space.steps[j]
        across = (space.n_rows - 1) * space.row_steps[j]
        first[j] = args[j] + min(along, <npy_intp> 0) + min(across, <npy_intp> 0)
        end[j] = args[j] + max(along, <npy_intp> 0) + max(across, <npy_intp> 0) + loop.itemsize
    for j in range(loop.n_in, loop.n_args):
        itself = meets_itself(space, j, loop.itemsize)
        if itself:
            found = IN_ORDER
        for i in range(j):
            if first[i] >= end[j] or first[j] >= end[i]:
                continue
            if (i < loop.n_in and not itself and args[i] == args[j] and space.steps[i] == space.steps[j]
                    and space.row_steps[i] == space.row_steps[j]):
                found = max(found, IN_PLACE)
            elif (i >= loop.n_in or space.n_rows > 1
                    or is_read_later(args[i] - args[j], space.steps[i], space.steps[j], space.n, loop.itemsize)):
                return ONE_BY_ONE
            else:
                found = IN_ORDER
    return found


cdef struct Job:
    char **args
    const Space *space
    const Loop *loop
    bint streaming
    bint one_by_one


cdef void share(const void *data, npy_intp start, npy_intp stop) noexcept nogil:
    """Elements start to stop of a Job, on this thread, in the default floating-point environment."""
    cdef const Job *job = <const Job *> data
    cdef gelu_environment before = gelu_enter_environment()
    if job.one_by_one:
        run_one_by_one(job.args, job.space.steps, start, stop, job.loop)
    else:
        run(job.args, job.space, start, stop, job.loop, job.streaming)
    gelu_leave_environment(before)


cdef void open_region(int threads) noexcept nogil:
    """Let OpenMP's threads, bound to their places, help with large arrays from now on: kernels/pool.c."""
    cdef int i
    for i in prange(threads, num_threads=threads, schedule="static"):
        gelu_pool_serve(i)


cdef void execute(char **args, const Space *space, const Loop *loop, Overlap overlaps) noexcept nogil:
    """All elements, on as many threads as they are worth."""
    cdef npy_intp n = space.n_rows * space.n
    cdef Job job
    cdef int threads = 1, size = 1
    cdef gelu_open *open_bound = NULL
    job.args, job.space, job.loop = args, space, loop
    job.one_by_one = overlaps == ONE_BY_ONE
    job.streaming = (overlaps == APART and loop.kernels.streaming != NULL and contiguous(space.steps, space.n, loop)
                     and <double> n * loop.n_args * loop.itemsize > stream_from)
    if job.streaming:
        atomic_fetch_add(&streamed, 1)
    if n >= 2 * MIN_SHARE and overlaps <= IN_PLACE:
        size = thread_count()
        threads = <int> min(<npy_intp> size, n // MIN_SHARE)
    if omp_get_proc_bind() != 0:
        open_bound = open_region
    if threads == 1 or not gelu_pool_run(share, &job, n, threads, size, open_bound):
        share(&job, 0, n)


cdef void ufunc_loop(char **args, const npy_intp *dimensions, const npy_intp *steps,
                     void *data) noexcept nogil:
    """The inner loop of every ufunc; `data` is the Loop that says which kernel."""
    cdef const Loop *loop = <const Loop *> data
    cdef Space space
    cdef int j
    space.n_rows, space.n = 1, dimensions[0]
    for j in range(loop.n_args):
        space.steps[j] = steps[j]
        space.row_steps[j] = 0
    execute(args, &space, loop, overlap(args, &space, loop))


# ---- threads ----

cdef atomic_int requested_threads = 0  # 0: as many as OpenMP would use, and the CPUs that a quota leaves
cdef int initial_threads = openmp_threads()
cdef atomic_int threads_when_requested = initial_threads
cdef int quota = cpu_quota(MAX_THREADS)

gelu_pool_init()


cdef int openmp_threads() noexcept nogil:
    return min(omp_get_max_threads(), <int> MAX_THREADS)


cdef int thread_count() noexcept nogil:
    cdef int openmp = openmp_threads(), requested = requested_threads
    if not GELU_POOL:
        return 1
    if requested == 0:
        return min(openmp, quota)
    # threadpoolctl, or another library, has set OpenMP's maximum: that is a limit
    if openmp < initial_threads or openmp != threads_when_requested:
        return min(openmp, requested)
    return requested


def get_num_threads():
    """
    The number of threads that a large array is split over.

    Returns
    -------
    int
        The number that `set_num_threads` was given, or else OpenMP's maximum (``OMP_NUM_THREADS``, the CPUs that
        this process may use, or the limit that threadpoolctl set) and, unless ``OMP_NUM_THREADS`` is set, at most the
        CPU quota of the process's control group, rounded up. The same in a forked child. Elsewhere than on Linux
        always 1.

    Notes
    -----
    The threads are one pool for the process, which serves one call at a time: a call that finds it busy with
    another Python thread's call is computed by its own thread alone. The result is the same.

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
        goes back to the default (see `get_num_threads`). It counts in forked children, too.

    Raises
    ------
    TypeError
        If `n` is not an integer.
    ValueError
        If `n` is less than 1 or more than 1024.

    See Also
    --------
    get_num_threads

    Notes
    -----
    Threads start with the first large call that wants them, and stay. Where the system refuses some, those that
    there are compute; the next call of this function asks for them again.
    """
    global requested_threads, threads_when_requested
    if n is None:
        requested_threads = 0
        return
    n = operator.index(n)
    if not 1 <= n <= MAX_THREADS:
        raise ValueError(f"the number of threads must be from 1 to {MAX_THREADS}, not {n}")
    threads_when_requested = openmp_threads()
    requested_threads = n
    gelu_pool_retry()


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

cdef enum:
    MAX_TYPES = GELU_N_TYPES + 8  # and those of one byte

# NumPy keeps pointers into all of these for as long as the process lives.
cdef Loop loops[GELU_N_FUNCTIONS][GELU_N_FORMS][MAX_TYPES]
cdef void *loop_data[GELU_N_FUNCTIONS][GELU_N_FORMS][MAX_TYPES]
cdef char signatures[GELU_N_FUNCTIONS][MAX_TYPES * MAX_ARGS]
cdef np.PyUFuncGenericFunction loop_functions[MAX_TYPES]
cdef list kept = []
cdef void *descriptors[MAX_TYPES]  # NumPy's own: of native byte order, without metadata
cdef int n_types = 0


cdef int kernels_of[MAX_TYPES]  # the GELU_T_<type> whose kernels compute each type


cdef void take_kernels(int t) noexcept:
    """Point the loops of type t to the kernels of the current ISA level."""
    cdef int f, form
    for f in range(GELU_N_FUNCTIONS):
        for form in range(GELU_N_FORMS):
            loops[f][form][t].kernels = gelu_levels[level].kernels[f][form][kernels_of[t]]
            loops[f][form][t].strides = gelu_levels[level].strides[kernels_of[t]]
            if loops[f][form][t].widen != NULL:
                loops[f][form][t].kernels.streaming = NULL


def _use_level(name):
    """Compute on another ISA level from now on; for tests and measurements, while no other thread computes."""
    global level, isa_level
    isa_level = choose_level(name, built_isa_levels, available_isa_levels)
    level = built_isa_levels.index(isa_level)
    for t in range(n_types):
        take_kernels(t)


cdef int new_type(object dtype, int kernels_type, const float *widen, const uint8_t *narrow) except -1:
    """Number a type, and make a loop for it of each function's kernels for `kernels_type`, a GELU_T_<type>."""
    global n_types
    cdef int f, form, t = n_types
    cdef Loop *loop
    kernels_of[t] = kernels_type
    kept.append(dtype)
    descriptors[t] = <void *> dtype
    for f in range(GELU_N_FUNCTIONS):
        for form in range(GELU_N_FORMS):
            loop = &loops[f][form][t]
            loop.n_in = gelu_functions[f].n_in
            loop.n_args = loop.n_in + gelu_functions[f].n_out
            loop.itemsize = dtype.itemsize
            loop.widen, loop.narrow, loop.draws = widen, narrow, NULL
            loop_data[f][form][t] = loop
    take_kernels(t)
    loop_functions[t] = <np.PyUFuncGenericFunction> ufunc_loop
    n_types += 1
    return t


cdef object make_ufunc(int f, int form):
    """Of the types that are numbered so far."""
    cdef const gelu_function *function = &gelu_functions[f]
    cdef int n_args = function.n_in + function.n_out, t, j
    name = f"{function.name.decode()}_{gelu_forms[form].decode()}"
    if n_args > MAX_ARGS:
        raise ImportError(f"{name} has {n_args} operands, _core.pyx room for {MAX_ARGS}")
    encoded = name.encode(), UFUNC_DOCS[name].encode()
    kept.append(encoded)
    for t in range(n_types):
        for j in range(n_args):
            signatures[f][t * n_args + j] = <char> <int> kept[t].num
    return np.PyUFunc_FromFuncAndData(
        loop_functions, loop_data[f][form], signatures[f], n_types, function.n_in, function.n_out,
        np.PyUFunc_None, encoded[0], encoded[1], 0)


# These come first in GELU_TYPES: their numbers are those of their kernels.
new_type(np.PyArray_DescrFromType(np.NPY_FLOAT16), GELU_T_f16, NULL, NULL)
new_type(np.PyArray_DescrFromType(np.NPY_FLOAT32), GELU_T_f32, NULL, NULL)
new_type(np.PyArray_DescrFromType(np.NPY_FLOAT64), GELU_T_f64, NULL, NULL)
cdef int n_numpy_types = n_types
cdef object float32 = <object> descriptors[GELU_T_f32], float64 = <object> descriptors[GELU_T_f64]
cdef list ufunc_of = [[make_ufunc(f, form) for form in range(GELU_N_FORMS)] for f in range(GELU_N_FUNCTIONS)]
ufuncs = {ufunc.__name__: ufunc for forms_of in ufunc_of for ufunc in forms_of}


cdef int add_type(object dtype, int kernels_type, const float *widen, const uint8_t *narrow) except -1:
    """A type that NumPy does not know."""
    global n_types
    cdef int types[MAX_ARGS]
    cdef int t, f, form, j
    if dtype.itemsize != (2 if widen == NULL else 1):
        raise TypeError(f"{dtype} has {dtype.itemsize} bytes")
    t = new_type(dtype, kernels_type, widen, narrow)
    for j in range(MAX_ARGS):
        types[j] = dtype.num
    try:
        for f in range(GELU_N_FUNCTIONS):
            for form in range(GELU_N_FORMS):
                np.PyUFunc_RegisterLoopForType(ufunc_of[f][form], types[0], <np.PyUFuncGenericFunction> ufunc_loop,
                                               types, loop_data[f][form][t])
    except:
        n_types = t
        raise
    return 0


# One-byte types, converted by tables that ml_dtypes fills.
cdef tuple ONE_BYTE = ("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e4m3b11fnuz",
                       "float8_e4m3", "float8_e3m4")


cdef int add_one_byte(object dtype, object bfloat16) except -1:
    cdef np.ndarray widen = arange(1 << 8, dtype="u1").view(dtype).astype("f4")
    cdef np.ndarray narrow = arange(1 << 16, dtype="u2").view(bfloat16).astype(dtype).view("u1")
    kept.append((widen, narrow))
    return add_type(dtype, GELU_T_f32, <const float *> np.PyArray_DATA(widen), <const uint8_t *> np.PyArray_DATA(narrow))


cdef int warn_of(str part, object error) except -1:
    warn(f"gelu_fast works without {part}, which is installed but fails: {type(error).__name__}: {error}", RuntimeWarning)
    return 0


cdef int add_ml_dtypes() except -1:
    """Where ml_dtypes is installed, its types; an array of one can be there without this package knowing, so at once.
    Its import takes 4 ms, one that fails 0.1. A part of it that fails costs its types, and a warning."""
    try:
        import ml_dtypes
        if ml_dtypes is None:  # sys.modules says that it shall be missing
            return 0
        bfloat16 = np_dtype(ml_dtypes.bfloat16)
        add_type(bfloat16, GELU_T_bf16, NULL, NULL)
    except Exception as error:
        if not isinstance(error, ModuleNotFoundError) or error.name != "ml_dtypes":
            warn_of("ml_dtypes", error)
        return 0
    for name in ONE_BYTE:
        try:
            if hasattr(ml_dtypes, name):
                with errstate(all="ignore"):
                    add_one_byte(np_dtype(getattr(ml_dtypes, name)), bfloat16)
        except Exception as error:
            warn_of(f"ml_dtypes.{name}", error)
    return 0



cdef gelu_environment at_import = gelu_enter_environment()  # for the tables
try:
    add_ml_dtypes()
finally:
    gelu_leave_environment(at_import)

# ---- the functions: plain arrays without the ufunc's ways round them, all else by the ufunc ----

cdef enum:
    KEEP_GIL = 500  # elements; as in NumPy
    WARN_ON_WRITE = -0x80000000  # NPY_ARRAY_WARN_ON_WRITE, which Cython's declarations lack
    MAX_DIMS = 64  # NumPy's
    EVERY_TYPE_HAS = 65504  # float16's largest number

cdef double EVERY_TYPE_HAS_TINY = 2.0 ** -6  # the smallest number above 0 of float8_e3m4, and larger than all others'


cdef bint broadcast(np.ndarray a, const npy_intp *shape, int ndim, npy_intp *strides, bint repeats):
    """The strides of an array as one of this shape; whether it can be that, with elements repeated if they may be."""
    cdef int missing = ndim - np.PyArray_NDIM(a), i
    cdef npy_intp n
    for i in range(ndim):
        n = 1 if i < missing else np.PyArray_DIM(a, i - missing)
        if n != shape[i] and not (n == 1 and repeats):
            return False
        strides[i] = 0 if n == 1 else np.PyArray_STRIDE(a, i - missing)
    return True


cdef bint in_order(const npy_intp *strides, const npy_intp *shape, int ndim) noexcept:
    """Whether elements lie in memory in the order of their indices, as far as they do not coincide."""
    cdef npy_intp least = 0
    cdef int i
    for i in range(ndim - 1, -1, -1):
        if shape[i] != 1 and strides[i] != 0:
            if strides[i] < least:
                return False
            least = strides[i]
    return True


cdef bint in_rows(const npy_intp *shape, int ndim, npy_intp (*strides)[MAX_DIMS], int n_args,
                  Space *space) noexcept:
    """Take dimensions together until there are rows of elements and no more; whether that is possible."""
    cdef npy_intp *lengths[2]
    cdef npy_intp *steps[2]
    cdef int depth = -1, i, j
    cdef bint joins
    lengths[0] = &space.n
    lengths[1] = &space.n_rows
    steps[0] = space.steps
    steps[1] = space.row_steps
    space.n = space.n_rows = 1
    for j in range(n_args):
        space.steps[j] = space.row_steps[j] = 0
    for i in range(ndim - 1, -1, -1):
        if shape[i] == 1:
            continue
        joins = depth >= 0
        for j in range(n_args):
            joins = joins and strides[j][i] == steps[depth][j] * lengths[depth][0]
        if not joins:
            depth += 1
            if depth == 2:
                return False
            for j in range(n_args):
                steps[depth][j] = strides[j][i]
        lengths[depth][0] *= shape[i]
    return True


cdef int type_of(np.ndarray a) noexcept:
    """The number of an array's type; n_types, if it is none of them or has metadata or another byte order."""
    cdef void *descriptor = <void *> np.PyArray_DESCR(a)
    cdef int t = 0
    while t < n_types and descriptors[t] != descriptor:
        t += 1
    return t


cdef object apply_contiguous(int f, int form, object x, object out):
    """As apply_plain, of one input and one output that are contiguous and alike, which is soon seen: one element in
    0.17 us, where np.negative takes 0.24 and apply_plain 0.28."""
    if not np.PyArray_CheckExact(x):
        return None
    cdef np.ndarray a = x, y
    cdef int ndim = np.PyArray_NDIM(a), t = type_of(a), i
    cdef Overlap overlaps = APART
    cdef Space space
    if t == n_types or ndim == 0 or not np.PyArray_ISCARRAY_RO(a):
        return None
    cdef Loop loop = loops[f][form][t]
    cdef char *args[2]
    if out is None:
        y = np.PyArray_EMPTY(ndim, np.PyArray_DIMS(a), np.PyArray_TYPE(a), 0)
        loop.kernels.streaming = NULL  # as in apply_plain
    else:
        if not np.PyArray_CheckExact(out):
            return None
        y = out
        if (<void *> np.PyArray_DESCR(y) != descriptors[t] or np.PyArray_NDIM(y) != ndim
                or not np.PyArray_ISCARRAY(y) or np.PyArray_FLAGS(y) & WARN_ON_WRITE):
            return None
        for i in range(ndim):
            if np.PyArray_DIM(a, i) != np.PyArray_DIM(y, i):
                return None
    args[0], args[1] = np.PyArray_BYTES(a), np.PyArray_BYTES(y)
    space.n_rows, space.n = 1, np.PyArray_SIZE(a)
    space.steps[0] = space.steps[1] = loop.itemsize
    space.row_steps[0] = space.row_steps[1] = 0
    if out is not None:
        overlaps = overlap(args, &space, &loop)
        if overlaps > IN_PLACE:
            return None
    run_plain(args, &space, &loop, overlaps)
    return y


cdef int run_plain(char **args, const Space *space, const Loop *loop, Overlap overlaps) except -1:
    if space.n_rows * space.n <= KEEP_GIL:
        execute(args, space, loop, overlaps)
    else:
        with nogil:
            execute(args, space, loop, overlaps)
    return 0


cdef object apply_plain(int f, int form, tuple inputs, object out):
    """Function f of the inputs, sooner than by the ufunc (0.1 us, for one input), and on all threads also where rows of
    an operand do not join, as those of a bias. Inputs and `out`, if it is given, a tuple for two outputs, must be such
    that a ufunc would do nothing but call its inner loop; returns None if they are not."""
    cdef int n_in = gelu_functions[f].n_in, n_out = gelu_functions[f].n_out, ndim = 0, t, missing, i, j
    cdef np.ndarray a, first = None
    cdef list operands
    cdef char *args[MAX_ARGS]
    cdef npy_intp shape[MAX_DIMS]
    cdef npy_intp strides[MAX_ARGS][MAX_DIMS]
    cdef Space space
    for x in inputs:
        if np.PyArray_CheckExact(x) and np.PyArray_NDIM(x) > ndim:
            first = x
            ndim = np.PyArray_NDIM(first)
    if first is None:
        return None
    t = type_of(first)
    if t == n_types:
        return None
    cdef Loop loop = loops[f][form][t]

    operands = []
    for i in range(ndim):
        shape[i] = np.PyArray_DIM(first, i)
    for x in inputs:
        if type(x) is float or type(x) is int:
            # Not for NumPy to warn of, and of the types that it does not know, which a float makes float32, none.
            if t >= n_numpy_types or not -EVERY_TYPE_HAS <= x <= EVERY_TYPE_HAS:
                return None
            x = np_array(x, first.dtype)
        elif not np.PyArray_CheckExact(x):
            return None
        operands.append(x)
        missing = ndim - np.PyArray_NDIM(x)
        for i in range(missing, ndim):
            if shape[i] == 1:
                shape[i] = np.PyArray_DIM(x, i - missing)
    if out is None:
        loop.kernels.streaming = NULL  # the system has just zeroed that memory, and has it in the cache
        for j in range(n_out):
            operands.append(np.PyArray_EMPTY(ndim, shape, np.PyArray_TYPE(first), 0))
    elif n_out == 1:
        operands.append(out)
    elif type(out) is tuple and len(<tuple> out) == n_out:
        operands.extend(out)
    else:
        return None
    for j in range(n_in + n_out):
        x = operands[j]
        if not np.PyArray_CheckExact(x):
            return None
        a = x
        if <void *> np.PyArray_DESCR(a) != descriptors[t] or not broadcast(a, shape, ndim, strides[j], j < n_in):
            return None
        if j < n_in:
            if not np.PyArray_ISBEHAVED_RO(a) or (out is None and not in_order(strides[j], shape, ndim)):
                return None
        elif not np.PyArray_ISBEHAVED(a) or np.PyArray_FLAGS(a) & WARN_ON_WRITE or np.PyArray_NDIM(a) != ndim:
            return None
        args[j] = <char *> np.PyArray_DATA(a)
    if not in_rows(shape, ndim, strides, n_in + n_out, &space):
        return None
    cdef Overlap overlaps = APART
    if out is not None:
        overlaps = overlap(args, &space, &loop)
        if overlaps > IN_PLACE:
            return None
    run_plain(args, &space, &loop, overlaps)
    return operands[n_in] if n_out == 1 else tuple(operands[n_in:])


cdef dict forms = {False: GELU_FORM_erf, "none": GELU_FORM_erf, True: GELU_FORM_tanh, "tanh": GELU_FORM_tanh,
                   "sigmoid": GELU_FORM_sigmoid}
cdef tuple names_of_forms = (str, bool, np_bool)  # their types: 0 and 1 are no booleans here
cdef str SAME_KIND = "same_kind", K = "K"  # interned, as are the defaults


cdef int form_of(object approx) except -1:
    if approx is False:
        return GELU_FORM_erf
    if isinstance(approx, names_of_forms) and approx in forms:
        return forms[approx]
    raise ValueError(f"approx must be False or 'none', True or 'tanh', or 'sigmoid', not {approx!r}")


cdef dict choice_of_types(object dtype, object casting, object signature):
    """Those of a ufunc's arguments that choose its loop. Only those given: other libraries' __array_ufunc__ may get
    them."""
    cdef dict given = {}
    if dtype is not None:
        given["dtype"] = dtype
    if casting is not SAME_KIND:
        given["casting"] = casting
    if signature is not None:
        given["signature"] = signature
    return given


cdef bint are_defaults(object where, object dtype, object casting, object order, object subok, object signature):
    return (where is True and dtype is None and casting is SAME_KIND and order is K and subok is True
            and signature is None)


cdef object apply(int f, int form, tuple inputs, object out, object where, object dtype, object casting,
                  object order, object subok, object signature):
    """Function f of the inputs; the other arguments are a ufunc's."""
    cdef dict given
    if are_defaults(where, dtype, casting, order, subok, signature):
        y = apply_plain(f, form, inputs, out)
        if y is not None:
            return y
    given = choice_of_types(dtype, casting, signature)
    if where is not True:
        given["where"] = where
    if order is not K:
        given["order"] = order
    if subok is not True:
        given["subok"] = subok
    if out is not None:
        given["out"] = out
    return ufunc_of[f][form](*inputs, **given)


cdef bint is_number(object x, double number):
    return <double> x == number if type(x) is float else type(x) is int and x == number


cdef void sigma_loop(char **args, const npy_intp *dimensions, const npy_intp *steps, void *data) noexcept nogil:
    """Copy the last input."""
    cdef const Loop *loop = <const Loop *> data
    cdef int last = loop.n_in - 1
    cdef npy_intp i
    for i in range(dimensions[0]):
        memcpy(args[last + 1] + i * steps[last + 1], args[last] + i * steps[last], loop.itemsize)


cdef np.PyUFuncGenericFunction sigma_loops[MAX_TYPES]


cdef object make_sigma_ufunc(int f):
    """sigma as function f computes with it. This ufunc has the inputs and types of f, so that NumPy, and every library
    that a ufunc dispatches to, converts, aligns and masks the inputs for both in the same way."""
    cdef int types[MAX_ARGS]
    cdef int t, j
    for t in range(n_types):
        sigma_loops[t] = <np.PyUFuncGenericFunction> sigma_loop
    ufunc = np.PyUFunc_FromFuncAndData(
        sigma_loops, loop_data[f][GELU_FORM_erf], signatures[f], n_numpy_types, gelu_functions[f].n_in, 1,
        np.PyUFunc_None, b"sigma", b"sigma in the type that is computed in.", 0)
    for t in range(n_numpy_types, n_types):
        for j in range(MAX_ARGS):
            types[j] = (<object> descriptors[t]).num
        np.PyUFunc_RegisterLoopForType(ufunc, types[0], <np.PyUFuncGenericFunction> sigma_loop, types,
                                       loop_data[f][GELU_FORM_erf][t])
    return ufunc


cdef object sigma_beside_x = make_sigma_ufunc(GELU_F_gelu_mu_sigma)
cdef object sigma_beside_dy_x = make_sigma_ufunc(GELU_F_gelu_backward_mu_sigma)


cdef bint is_lazy(object x) except -1:
    """Whether the values of x are still to be computed: a collection of dask or cubed, or an expression of polars, which
    has no shape."""
    if isinstance(x, (ndarray, generic)):
        return False
    graph = getattr(x, "__dask_graph__", None)
    if graph is not None and graph() is not None or getattr(x, "chunks", None) and hasattr(x, "compute"):
        return True
    return hasattr(x, "__array_ufunc__") and not hasattr(x, "shape") and not hasattr(x, "__len__")


cdef object stand_in(object x):
    """One number of the input's type, unless the input may leave elements out: masked, missing, or without a partner of
    the same label. A lazy input cannot be asked."""
    if isinstance(x, ndarray) and not is_masked(x) or is_lazy(x):
        return zeros((), x.dtype) if isinstance(getattr(x, "dtype", None), np_dtype) else 0
    return x


cdef bint has_bad(object sigma, object where, bint nan_is_missing) except -1:
    """Whether an element that is computed and not missing has a sigma that is not above 0."""
    if isinstance(sigma, Mapping):  # of xarray, a Dataset
        return any([has_bad(each, where, nan_is_missing) for each in sigma.values()])
    bad = ~(sigma > 0)
    if hasattr(sigma, "is_nan"):  # for polars NaN is above 0
        bad = bad | sigma.is_nan()
    if nan_is_missing and hasattr(sigma, "isna"):
        bad = bad & ~sigma.isna()
    if where is not True:
        bad = bad & asarray(where, bool)
    try:
        return bool(np_any(bad))
    except TypeError:  # polars
        return bool(bad.any())


cdef bint is_above_zero(object sigma) except -1:
    """Whether sigma is above 0 whatever type it is rounded to: most are, and this test is fast."""
    if type(sigma) is float or type(sigma) is int or isinstance(sigma, floating):
        return sigma >= EVERY_TYPE_HAS_TINY
    return (type(sigma) is ndarray and sigma.dtype.kind in "fiu" and sigma.size > 0
            and sigma.min() >= EVERY_TYPE_HAS_TINY)


cdef int check_sigma(tuple inputs, object where, dict types) except -1:
    """Raise if an element is computed with a sigma, the last input, that is not above 0 in the type that is computed in.
    A lazy sigma is not checked: the ufunc gives NaN there."""
    sigma = inputs[len(inputs) - 1]
    if is_above_zero(sigma) or is_lazy(sigma) or any([isinstance(x, ndarray) and x.size == 0 for x in inputs]):
        return 0
    cdef list others = [stand_in(x) for x in inputs[:-1]]
    cdef bint nan_is_missing = hasattr(sigma, "isna")  # of pandas
    cdef bint bad = False
    try:
        for x in inputs:
            if hasattr(x, "is_valid"):  # of pyarrow, whose nulls NumPy reads as NaN
                where = logical_and(where, x.is_valid())
            # Beside an array of pandas that knows NA, NaN would become NA.
            if (hasattr(x, "isna") and isinstance(sigma, (float, floating, ndarray)) and not is_masked(sigma)
                    and np_any(sigma != sigma)):
                sigma = np_where(sigma != sigma, -1, sigma)
        with errstate(all="ignore"):
            computed = (sigma_beside_x if len(others) == 2 else sigma_beside_dy_x)(*others, sigma, **types)
            bad = has_bad(computed, where, nan_is_missing)
    except MemoryError:
        raise
    except Exception:  # the function's own ufunc fails as well, with its name in the error
        return 0
    if bad:
        raise ValueError("sigma must be above 0, also when it is rounded to the type that is computed in")
    return 0


cdef object apply_at(int f, int form, tuple inputs, object mu, object sigma, object out, object where, object dtype,
                     object casting, object order, object subok, object signature):
    """Function f of the inputs, or, unless location and scale are 0 and 1, the one that takes these as well."""
    if is_number(mu, 0) and is_number(sigma, 1):
        return apply(f, form, inputs, out, where, dtype, casting, order, subok, signature)
    # The defaults are no reason to compute in another type than that of x, as a float is for bfloat16.
    mu, sigma = 0 if is_number(mu, 0) else mu, 1 if is_number(sigma, 1) else sigma
    inputs = (*inputs, mu, sigma)
    check_sigma(inputs, where, choice_of_types(dtype, casting, signature))
    return apply(gelu_functions[f].with_mu_sigma, form, inputs, out, where, dtype, casting, order, subok, signature)


cdef object NO_MU = 0.0, NO_SIGMA = 1.0  # the defaults of the functions below


cdef object call(int f, int form, tuple inputs, object mu, object sigma, object out, object where, object dtype,
                 object casting, object order, object subok, object signature):
    """A small call the shortest way; all else in the default floating-point environment, as casts and comparisons depend
    on it, too."""
    if (mu is NO_MU and sigma is NO_SIGMA and len(inputs) == 1
            and are_defaults(where, dtype, casting, order, subok, signature)):
        y = apply_contiguous(f, form, inputs[0], out)
        if y is not None:
            return y
    cdef gelu_environment before = gelu_enter_environment()
    try:
        return apply_at(f, form, inputs, mu, sigma, out, where, dtype, casting, order, subok, signature)
    finally:
        gelu_leave_environment(before)


cdef tuple halves(object x, object axis):
    """Both halves along an axis: views, of NumPy's and dask's arrays. What has labels is taken without them, as halves
    have none in common."""
    if not isinstance(x, ndarray) and not hasattr(x, "dask"):
        x = asarray(x)
    axis = normalize_axis_index(axis, len(x.shape))
    n = x.shape[axis]
    if n % 2:
        raise ValueError(f"axis {axis} of length {n} has no halves")
    before = (slice(None),) * axis
    return x[(*before, slice(None, n // 2))], x[(*before, slice(n // 2, None))]


# Here, as Python functions around them would take half of the time of a small call.
@cython.binding(False)
def gelu(x, approx=False, *, mu=0.0, sigma=1.0, out=None, where=True, dtype=None, casting="same_kind",
         order="K", subok=True, signature=None):
    return call(GELU_F_gelu, form_of(approx), (x,), mu, sigma, out, where, dtype, casting, order, subok, signature)


@cython.binding(False)
def gelu_gate(x, approx=False, *, mu=0.0, sigma=1.0, out=None, where=True, dtype=None, casting="same_kind",
              order="K", subok=True, signature=None):
    return call(GELU_F_gelu_gate, form_of(approx), (x,), mu, sigma, out, where, dtype, casting, order, subok, signature)


@cython.binding(False)
def gelu_grad(x, approx=False, *, mu=0.0, sigma=1.0, out=None, where=True, dtype=None, casting="same_kind",
              order="K", subok=True, signature=None):
    return call(GELU_F_gelu_grad, form_of(approx), (x,), mu, sigma, out, where, dtype, casting, order, subok, signature)


@cython.binding(False)
def gelu_backward(dy, x, approx=False, *, mu=0.0, sigma=1.0, out=None, where=True, dtype=None,
                  casting="same_kind", order="K", subok=True, signature=None):
    return call(GELU_F_gelu_backward, form_of(approx), (dy, x), mu, sigma, out, where, dtype, casting, order, subok,
                signature)


@cython.binding(False)
def bias_gelu(x, bias, approx=False, *, out=None, where=True, dtype=None, casting="same_kind", order="K",
              subok=True, signature=None):
    return call(GELU_F_bias_gelu, form_of(approx), (x, bias), NO_MU, NO_SIGMA, out, where, dtype, casting, order, subok,
                signature)


@cython.binding(False)
def geglu(gate, up=None, approx=False, *, axis=-1, out=None, where=True, dtype=None, casting="same_kind", order="K",
          subok=True, signature=None):
    cdef int form = form_of(approx)
    if isinstance(up, (str, bool)):  # np.True_ and np.False_ are numbers like any other
        raise TypeError(f"up must be an array or a number, not {up!r}; approx is given by its name")
    if up is None:
        up, gate = halves(gate, axis)
    return call(GELU_F_geglu, form, (gate, up), NO_MU, NO_SIGMA, out, where, dtype, casting, order, subok, signature)


@cython.binding(False)
def geglu_backward(dy, gate, up, approx=False, *, out=None, where=True, dtype=None, casting="same_kind", order="K",
                   subok=True, signature=None):
    return call(GELU_F_geglu_backward, form_of(approx), (dy, gate, up), NO_MU, NO_SIGMA, out, where, dtype, casting,
                order, subok, signature)


cdef enum:
    SHORTEST_ROW = 256  # elements; for each row, words are drawn that belong to those before and after

cdef object default_rng = None, SeedSequence = None, advancing = None


cdef object key_of(object rng, bint is_used):
    """128 bits as four words: from a generator, which they advance if the key is used, from a seed, or from the system."""
    global default_rng, SeedSequence, advancing
    if advancing is None:  # the last one that is set; here, as their import takes as long as this package's
        from numpy.random import BitGenerator, Generator, RandomState, SeedSequence, default_rng
        advancing = (Generator, BitGenerator, RandomState)
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
    """x as an array, unless that would compute it."""
    if is_lazy(x):
        raise TypeError(
            f"stochastic_gelu computes with arrays in memory, and x, of type {type(x).__name__}, is still to be computed; "
            "call it on each chunk, with a seed and offset= (the docstring shows it for dask)")
    try:
        return asarray(x)
    except (TypeError, ValueError, RuntimeError) as error:
        if not hasattr(x, "__array__"):
            raise
        raise TypeError(f"x, of type {type(x).__name__}, cannot be made a NumPy array: {error}") from error


cdef bint is_masked(object x) except -1:
    if type(x) is ndarray or not isinstance(x, ndarray):
        return False
    from numpy.ma import MaskedArray
    return isinstance(x, MaskedArray)


cdef object stochastic_of_masked(object x, object out, bint return_mask, dict given):
    """stochastic_gelu of a masked array, or into one: the masks are as a ufunc leaves them."""
    from numpy.ma import MaskedArray, getdata, getmaskarray
    if out is not None and not is_masked(out):
        raise TypeError(f"out must be a masked array, as x is, not {type(out).__name__}")
    data = array_of(getdata(x) if is_masked(x) else x)
    mask = getmaskarray(x) if is_masked(x) else zeros(data.shape, "?")
    results = stochastic_gelu(data, out=None if out is None else out.data, return_mask=True, **given)
    y, kept = [MaskedArray(each, mask.copy())[()] for each in results]
    if out is not None:
        out.mask = mask
        y = out
    return (y, kept) if return_mask else y


cdef object stochastic(object x, object rng, object approx, object out, object return_mask, object offset):
    cdef int form = form_of(approx)
    cdef np.ndarray a, y, kept_at = None
    cdef char *args[2]
    cdef npy_intp strides[MAX_ARGS][MAX_DIMS]
    cdef Space space
    cdef Draws draws
    if is_masked(x) or is_masked(out):
        return stochastic_of_masked(x, out, return_mask, {"rng": rng, "approx": approx, "offset": offset})
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
        if not isinstance(out, ndarray):
            raise TypeError(f"out must be an array, not {type(out).__name__}")
        if out.shape != array.shape:
            raise ValueError(f"out has shape {out.shape}, x has {array.shape}")
        if not out.flags.writeable:
            raise ValueError("output array is read-only")
        if not can_cast(result, out.dtype, "same_kind"):
            raise TypeError(f"cannot cast {result} to {out.dtype}, the type of out, by the rule 'same_kind'")
    key = key_of(rng, array.size > 0)  # here, so that an error takes nothing from a generator
    computed = float64 if result == float64 else float32
    # Plain operands of that type as they are, all else through new arrays.
    if array.dtype is computed:
        a = array
    else:
        with errstate(invalid="ignore"):  # signalling NaN
            a = array.astype(computed)
    if not np.PyArray_ISBEHAVED_RO(a):
        a = a.copy()
    if type(out) is ndarray and out.dtype is computed and result == computed and np.PyArray_ISBEHAVED(out):
        y = out
    else:
        y = empty(array.shape, computed)
    if return_mask:
        kept_at = empty(array.shape, "?")
        draws.kept = np.PyArray_BYTES(kept_at)
    else:
        draws.kept = NULL
    draws.random = gelu_levels[level].random
    draws.gate_f64 = gelu_levels[0].kernels[GELU_F_gelu_gate][form][GELU_T_f64].plain
    draws.words = computed.itemsize // 4
    draws.offset = offset if array.size else 0
    for j in range(4):
        draws.key[j] = key[j]
    cdef Loop loop = loops[GELU_F_gelu_gate][form][GELU_T_f64 if computed is float64 else GELU_T_f32]
    loop.kernels.streaming = NULL
    loop.draws = &draws
    args[0], args[1] = np.PyArray_BYTES(a), np.PyArray_BYTES(y)
    if not (broadcast(a, np.PyArray_DIMS(y), np.PyArray_NDIM(y), strides[0], False)
            and broadcast(y, np.PyArray_DIMS(y), np.PyArray_NDIM(y), strides[1], False)
            and in_rows(np.PyArray_DIMS(y), np.PyArray_NDIM(y), strides, 2, &space)
            and (space.n_rows == 1 or space.n >= SHORTEST_ROW)
            and overlap(args, &space, &loop) <= IN_PLACE):
        a, y = a.copy("C"), empty(array.shape, computed)
        args[0], args[1] = np.PyArray_BYTES(a), np.PyArray_BYTES(y)
        space.n_rows, space.n = 1, np.PyArray_SIZE(a)
        space.steps[0] = space.steps[1] = computed.itemsize
        space.row_steps[0] = space.row_steps[1] = 0
    run_plain(args, &space, &loop, IN_PLACE)
    if y is not out:
        y = y.astype(result, copy=False)  # for out as well: some types of one byte have no -0.0
    if out is None:
        answer = y if y.ndim else y[()]
    else:
        if y is not out:
            copyto(out, y, casting="same_kind")
        answer = out
    if not return_mask:
        return answer
    return answer, kept_at if kept_at.ndim else kept_at[()]


@cython.binding(False)
def stochastic_gelu(x, rng=None, *, approx=False, offset=0, out=None, return_mask=False):
    cdef gelu_environment before = gelu_enter_environment()  # as for all functions: call
    try:
        return stochastic(x, rng, approx, out, return_mask, offset)
    finally:
        gelu_leave_environment(before)


def _random_words(key, at, n):
    """Words 64 at to 64 (at + n) of the generator with this key of four words; for tests."""
    cdef np.ndarray words = empty(64 * (n + 3), "u4"), four = asarray(key, "u4")
    gelu_levels[level].random.bits(
        <uint32_t *> np.PyArray_DATA(words), <const uint32_t *> np.PyArray_DATA(four), at, (n + 3) // 4 * 4)
    return words[: 64 * n]
