# SPDX-License-Identifier: BSD-3-Clause
# The loops: a kernel over rows of elements, whatever the strides and the overlap of its operands, on threads. Included
# in _core.pyx.

cdef enum:
    BLOCK = 768  # at most so many elements of a strided operand are packed at a time
    SCRATCH = 14336  # bytes of a thread: two operands of BLOCK float64, and RANDOM_MARGIN
    FEW = 512  # words of 64 bits, enough for 64 elements of any call; up to so many elements they are used alone
    RANDOM_MARGIN = 1280  # bytes of random words before and after those of a block
    MIN_SHARE = 16384  # elements; twice that, float32: 23 us on one thread, 12 on two that are awake (Zen 3, x86-64-v3)
    KEEP_GIL = 500  # elements up to which a call keeps the GIL; as in NumPy

# How outputs overlap the inputs and each other. Each value allows less than the one before.
cdef enum Overlap:
    DISJOINT
    IN_PLACE  # an element is written over itself: any order is right
    IN_ORDER  # only earlier elements read what an element writes: blocks of them, in order
    ONE_BY_ONE  # a later element reads what an element writes, as in a reduction

# A kernel and its operands' format: one for each function, form and type.
cdef struct KernelSpec:
    gelu_kernels kernels
    gelu_strides strides
    int n_in
    int n_args
    npy_intp itemsize
    # One-byte types run float32's kernels through two tables: byte -> float32, and upper half of a float32 -> byte, its
    # lowest bit set if any lower bit was (sticky).
    const float *to_f32
    const uint8_t *from_f32

# n_rows rows of n elements. For each operand, the bytes from an element to the next, and from a row to the next.
cdef struct Rows:
    npy_intp n_rows
    npy_intp n
    npy_intp row_steps[MAX_ARGS]
    npy_intp steps[MAX_ARGS]

# Memory for packed copies.
cdef struct Scratch:
    char *memory
    npy_intp bytes

# The random part of stochastic GELU.
cdef struct Draws:
    const gelu_random *random
    gelu_kernel *gate
    gelu_kernel *gate_f64
    uint32_t key[4]
    uint64_t offset  # the number of the call's first element
    int words  # of each element: 1 for float32, 2 for float64
    char *mask  # a byte for each element, or NULL

# A call: the kernel, the operands, and how they lie.
cdef struct Job:
    const KernelSpec *spec
    const Draws *draws  # NULL unless this is stochastic GELU, whose kernel is that of the gate
    char *args[MAX_ARGS]
    Rows rows
    bint new_outputs  # by this call: they overlap nothing, and are in the cache, as the system has just zeroed them
    int most_threads  # 0: no limit but that of all calls
    Overlap overlap
    bint in_blocks  # the kernel cannot take the operands as they lie
    bint streaming  # write past the cache

# Bytes of inputs and results that the cache has no room for. Larger calls write past the cache: 2^24 float32, one
# thread, 0.29 ns for 0.51 (Granite Rapids); with an older loop no faster, and 0.38 for 0.345 on one thread (Zen 4).
cdef double initial_stream_from = cache_bytes()
cdef atomic_double stream_from = initial_stream_from
cdef atomic_llong streamed = 0


def _stream_from(n_bytes=None):
    """Get, or set, the number of bytes from which a call writes past the cache; for tests and measurements."""
    global stream_from
    cdef double before = stream_from, after = before if n_bytes is None else n_bytes
    stream_from = after
    return before


def _streamed():
    """How many calls of an inner loop have written past the cache; for tests."""
    cdef long long n = streamed
    return n


cdef inline void begin_job(Job *job, const KernelSpec *spec) noexcept nogil:
    """A job as most are; rows, arguments and overlap are still to be set."""
    job.spec, job.draws, job.new_outputs, job.most_threads = spec, NULL, False, 0


# ---- blocks: operands that a kernel cannot take as they lie ----

cdef void pack(char *packed, const char *strided, npy_intp step, npy_intp n, const KernelSpec *spec) noexcept nogil:
    cdef npy_intp i
    if spec.to_f32 == NULL:
        spec.strides.pack(packed, strided, step, n)
    else:
        for i in range(n):
            (<float *> packed)[i] = spec.to_f32[(<uint8_t *> strided)[i * step]]


cdef void unpack(char *strided, npy_intp step, const char *packed, npy_intp n, const KernelSpec *spec) noexcept nogil:
    cdef npy_intp i
    cdef uint32_t bits
    if spec.from_f32 == NULL:
        spec.strides.unpack(strided, step, packed, n)
    else:
        for i in range(n):
            bits = (<const uint32_t *> packed)[i]
            (<uint8_t *> strided)[i * step] = spec.from_f32[bits >> 16 | ((bits & 0xffff) != 0)]


cdef void draw(char **args, char *gates, char *bits, npy_intp number, npy_intp n, const Job *job) noexcept nogil:
    """Stochastic GELU of a block, from args[0] to args[1]. `gates` has room for n gates, `bits` for n elements' random
    words and RANDOM_MARGIN bytes; `number` is that of the block's first element in the call."""
    cdef const Draws *draws = job.draws
    cdef char *block_args[5]
    # The generator gives 64 words at a time; the block begins at element `place` of those from word 64 `first` on.
    # Numbers of elements reach 2**64, and their product with `words` would overflow: divide first.
    cdef uint64_t in_64_words = 64 // draws.words
    cdef uint64_t first = (draws.offset + number) // in_64_words
    cdef npy_intp place = (draws.offset + number) % in_64_words
    block_args[0] = args[0]
    block_args[1] = gates
    block_args[2] = bits + 4 * place * draws.words
    block_args[3] = args[1]
    block_args[4] = NULL if draws.mask == NULL else draws.mask + number
    draws.random.bits(<uint32_t *> bits, draws.key, first, ((place + n) * draws.words + 255) // 256 * 4)
    draws.gate(block_args, n)
    if draws.words == 1:
        draws.random.decide_f32(block_args, n, draws.gate_f64)
    else:
        draws.random.decide_f64(block_args, n, draws.gate_f64)


cdef bint is_packed(int j, const Job *job) noexcept nogil:
    return job.rows.steps[j] != job.spec.itemsize or job.spec.to_f32 != NULL


cdef void run_blocks(char **args, npy_intp number, npy_intp n, const Job *job, Scratch scratch) noexcept nogil:
    """Run the kernel on n elements of a row, on packed copies of the operands that need them, at most BLOCK elements at
    a time; an input of stride 0 is packed once. `number` is that of the first element in the call."""
    # Tried: blocks of 128, 256 and 512, slower; 1536, no faster; fetching the next block ahead of the kernel, faster
    # for float64 that is not in the cache (2.9 ns for 3.9), slower for float32 (0.84 for 0.80).
    cdef const KernelSpec *spec = job.spec
    cdef const npy_intp *steps = &job.rows.steps[0]
    cdef char *buffers[MAX_ARGS + 2]
    cdef char *block_args[MAX_ARGS]
    cdef npy_intp itemsize = 4 if spec.to_f32 != NULL else spec.itemsize  # of the kernel
    cdef npy_intp start = 0, block, length
    cdef int n_buffers = 0, j
    for j in range(spec.n_args):
        n_buffers += is_packed(j, job)
    n_buffers = max(1, n_buffers) if job.draws == NULL else n_buffers + 2
    length = (scratch.bytes if job.draws == NULL else scratch.bytes - RANDOM_MARGIN) // n_buffers // 64 * 64
    block = min(length // itemsize // 64 * 64, <npy_intp> BLOCK)
    for j in range(n_buffers):
        buffers[j] = scratch.memory + j * length
    while start < n:
        length = min(n - start, block)
        n_buffers = 0
        for j in range(spec.n_args):
            block_args[j] = args[j] + start * steps[j]
            if is_packed(j, job):
                if j < spec.n_in and (steps[j] != 0 or start == 0):
                    pack(buffers[n_buffers], block_args[j], steps[j], length, spec)
                block_args[j] = buffers[n_buffers]
                n_buffers += 1
        if job.draws == NULL:
            spec.kernels.plain(block_args, length)
        else:
            draw(block_args, buffers[n_buffers], buffers[n_buffers + 1], number + start, length, job)
        for j in range(spec.n_in, spec.n_args):
            if is_packed(j, job):
                unpack(args[j] + start * steps[j], steps[j], block_args[j], length, spec)
        start += length


# ---- overlap ----

cdef bint self_overlaps(int j, const Job *job) noexcept nogil:
    """Whether two elements of operand j may share memory."""
    cdef const Rows *rows = &job.rows
    cdef npy_intp step = max(rows.steps[j], -rows.steps[j]), row_step = max(rows.row_steps[j], -rows.row_steps[j])
    cdef npy_intp n = rows.n, n_rows = rows.n_rows, itemsize = job.spec.itemsize
    return ((n > 1 and step < itemsize) or (n_rows > 1 and row_step < itemsize)
            or (n > 1 and n_rows > 1 and row_step < (n - 1) * step + itemsize
                and step < (n_rows - 1) * row_step + itemsize))


cdef bint is_read_later(npy_intp ahead, npy_intp read_step, npy_intp step, npy_intp n,
                        npy_intp itemsize) noexcept nogil:
    """Whether some element i may write memory that an element i + k, k > 0, reads. The input begins `ahead` bytes above
    the output. Exact for equal steps. For others it is sure of "no" only where the input moves ahead of the output, the
    case in which NumPy makes no copy."""
    cdef npy_intp k
    if step < 0:
        ahead, read_step, step = -ahead, -read_step, -step
    if step < itemsize or read_step != step:
        return n > 1 and not (itemsize <= step <= read_step and ahead >= 0)
    k = max(-ahead // step, <npy_intp> 1)  # elements k and k + 1 come nearest
    return ((k < n and -itemsize < ahead + k * step < itemsize)
            or (k + 1 < n and -itemsize < ahead + (k + 1) * step < itemsize))


cdef Overlap overlap_of(const Job *job) noexcept nogil:
    cdef const Rows *rows = &job.rows
    cdef const KernelSpec *spec = job.spec
    cdef Overlap found = DISJOINT
    cdef int i, j
    cdef npy_intp along, across
    cdef bint itself
    cdef const char *first[MAX_ARGS]
    cdef const char *end[MAX_ARGS]
    for j in range(spec.n_args):
        along = (rows.n - 1) * rows.steps[j]
        across = (rows.n_rows - 1) * rows.row_steps[j]
        first[j] = job.args[j] + min(along, <npy_intp> 0) + min(across, <npy_intp> 0)
        end[j] = job.args[j] + max(along, <npy_intp> 0) + max(across, <npy_intp> 0) + spec.itemsize
    for j in range(spec.n_in, spec.n_args):
        itself = self_overlaps(j, job)
        if itself:
            found = IN_ORDER
        for i in range(j):
            if first[i] >= end[j] or first[j] >= end[i]:
                continue
            if (i < spec.n_in and not itself and job.args[i] == job.args[j] and rows.steps[i] == rows.steps[j]
                    and rows.row_steps[i] == rows.row_steps[j]):
                found = max(found, IN_PLACE)
            elif (i >= spec.n_in or rows.n_rows > 1
                    or is_read_later(job.args[i] - job.args[j], rows.steps[i], rows.steps[j], rows.n, spec.itemsize)):
                return ONE_BY_ONE
            else:
                found = IN_ORDER
    return found


# ---- running a job ----

cdef void run_one_by_one(npy_intp start, npy_intp stop, const Job *job, Scratch scratch) noexcept nogil:
    """Elements start to stop of the only row, each of which may be read by the next."""
    cdef char *element[MAX_ARGS]
    cdef npy_intp i
    cdef int j
    for i in range(start, stop):
        for j in range(job.spec.n_args):
            element[j] = job.args[j] + i * job.rows.steps[j]
        if job.spec.to_f32 == NULL:
            job.spec.kernels.plain(element, 1)
        else:
            run_blocks(element, i, 1, job, scratch)


cdef void share(const void *data, npy_intp start, npy_intp stop) noexcept nogil:
    """Elements start to stop of a Job, on this thread, in the default floating-point environment."""
    cdef const Job *job = <const Job *> data
    cdef const Rows *rows = &job.rows
    cdef char *part[MAX_ARGS]
    cdef npy_intp row, column, length
    cdef int j
    cdef gelu_environment before = gelu_enter_environment()
    cdef uint64_t few[FEW]  # alone if there is no more memory: a stack may be small
    cdef void *more = malloc(SCRATCH) if job.in_blocks and stop - start > FEW else NULL
    cdef Scratch scratch
    scratch.memory = <char *> (few if more == NULL else more)
    scratch.bytes = sizeof(few) if more == NULL else SCRATCH
    if job.overlap == ONE_BY_ONE:
        run_one_by_one(start, stop, job, scratch)
        start = stop
    while start < stop:
        row = start // rows.n if rows.n_rows > 1 else 0
        column = start - row * rows.n
        length = min(rows.n - column, stop - start)
        for j in range(job.spec.n_args):
            part[j] = job.args[j] + row * rows.row_steps[j] + column * rows.steps[j]
        if job.in_blocks:
            run_blocks(part, start, length, job, scratch)
        elif job.streaming:
            job.spec.kernels.streaming(part, length)
        else:
            job.spec.kernels.plain(part, length)
        start += length
    free(more)
    gelu_leave_environment(before)


cdef void open_region(int threads) noexcept nogil:
    """Let OpenMP's threads, which it binds to places, help with large arrays from now on: kernels/pool.c."""
    cdef int i
    for i in prange(threads, num_threads=threads, schedule="static"):
        gelu_pool_serve(i)


cdef void execute(Job *job) noexcept nogil:
    """All elements of the job, on as many threads as they are worth."""
    cdef const KernelSpec *spec = job.spec
    cdef npy_intp n = job.rows.n_rows * job.rows.n
    cdef int threads = 1, size = 1, j
    cdef gelu_open *open_bound = NULL
    job.in_blocks = spec.to_f32 != NULL or job.draws != NULL
    for j in range(spec.n_args):
        if job.rows.steps[j] != spec.itemsize and job.rows.n > 1:
            job.in_blocks = True
    job.streaming = (job.overlap == DISJOINT and not job.new_outputs and not job.in_blocks
                     and spec.kernels.streaming != NULL and <double> n * spec.n_args * spec.itemsize > stream_from)
    if job.streaming:
        atomic_fetch_add(&streamed, 1)
    if n >= 2 * MIN_SHARE and job.overlap <= IN_PLACE:
        size = thread_count()
        threads = <int> min(<npy_intp> size, n // MIN_SHARE)
        if job.most_threads > 0:
            threads = min(threads, job.most_threads)
        if omp_get_proc_bind() != 0:
            open_bound = open_region
    if threads == 1 or not gelu_pool_run(share, job, n, threads, size, open_bound):
        share(job, 0, n)


cdef void run(Job *job) noexcept:
    """As execute, from Python: without the GIL, where there is enough to compute."""
    if job.rows.n_rows * job.rows.n <= KEEP_GIL:
        execute(job)
    else:
        with nogil:
            execute(job)


cdef void ufunc_loop(char **args, const npy_intp *dimensions, const npy_intp *steps, void *data) noexcept nogil:
    """The inner loop of every ufunc; `data` is its KernelSpec."""
    cdef Job job
    cdef int j
    begin_job(&job, <const KernelSpec *> data)
    job.rows.n_rows, job.rows.n = 1, dimensions[0]
    for j in range(job.spec.n_args):
        job.args[j] = args[j]
        job.rows.steps[j] = steps[j]
        job.rows.row_steps[j] = 0
    job.overlap = overlap_of(&job)
    execute(&job)
