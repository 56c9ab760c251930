# SPDX-License-Identifier: BSD-3-Clause
# The door for C, include/gelu_fast.h: a table of functions in a capsule. Included in _core.pyx.

cdef extern from "include/gelu_fast.h" nogil:
    enum:
        GELU_FAST_API_VERSION
        GELU_FAST_OK
        GELU_FAST_BAD_FUNCTION
        GELU_FAST_BAD_FORM
        GELU_FAST_BAD_TYPE
        GELU_FAST_BAD_LENGTH
        GELU_FAST_BAD_THREADS
        GELU_FAST_BAD_POINTER
        GELU_FAST_BAD_ALIGNMENT
        GELU_FAST_BAD_NDIM
        GELU_FAST_N_STATUS
    ctypedef struct gelu_fast_api:
        int version
        int n_functions
        int (*apply)(int function, int form, int type, npy_intp n, const void *const *inputs, void *const *outputs,
                     const npy_intp *steps, int threads) noexcept
        const char *(*describe)(int status) noexcept
        gelu_scalar_f32 *(*scalars_f32)[GELU_N_FORMS]
        gelu_scalar_f64 *(*scalars_f64)[GELU_N_FORMS]
        int (*apply_nd)(int function, int form, int type, int ndim, const npy_intp *shape, const void *const *inputs,
                        void *const *outputs, const npy_intp *strides, int threads) noexcept

cdef const char *descriptions[GELU_FAST_N_STATUS + 1]
descriptions[GELU_FAST_OK] = "no error"
descriptions[GELU_FAST_BAD_FUNCTION] = "there is no such function"
descriptions[GELU_FAST_BAD_FORM] = "there is no such form"
descriptions[GELU_FAST_BAD_TYPE] = "there is no such type"
descriptions[GELU_FAST_BAD_LENGTH] = "the number of elements is negative"
descriptions[GELU_FAST_BAD_THREADS] = "the number of threads is negative"
descriptions[GELU_FAST_BAD_POINTER] = "a pointer is NULL"
descriptions[GELU_FAST_BAD_ALIGNMENT] = "an address or a step is not a multiple of the item size"
descriptions[GELU_FAST_BAD_NDIM] = "the number of dimensions is not from 0 to 64"
descriptions[GELU_FAST_N_STATUS] = "there is no such status"


cdef const char *describe(int status) noexcept nogil:
    return descriptions[status if 0 <= status < GELU_FAST_N_STATUS else GELU_FAST_N_STATUS]


cdef void execute_nd(Job *job, int ndim, const npy_intp *shape, npy_intp (*strides)[MAX_DIMS],
                     const char *const *args) noexcept nogil:
    """Operands of one shape: as rows if they make such, else one index of the first dimension after the other."""
    cdef const char *part[MAX_ARGS]
    cdef npy_intp i
    cdef int j
    if join_rows(shape, ndim, strides, job.spec.n_args, &job.rows):
        for j in range(job.spec.n_args):
            job.args[j] = <char *> args[j]
        job.overlap = overlap_of(job)
        if job.rows.n_rows == 1 or job.overlap <= IN_PLACE:
            execute(job)
            return
    for i in range(shape[0]):
        for j in range(job.spec.n_args):
            part[j] = args[j] + i * strides[j][0]
        execute_nd(job, ndim - 1, shape + 1, <npy_intp (*)[MAX_DIMS]> &strides[0][1], part)


cdef int apply_nd(int function, int form, int type_, int ndim, const npy_intp *shape, const void *const *inputs,
                  void *const *outputs, const npy_intp *strides, int threads) noexcept nogil:
    cdef const KernelSpec *spec
    cdef Job job
    cdef const char *args[MAX_ARGS]
    cdef npy_intp strides_of[MAX_ARGS][MAX_DIMS]
    cdef npy_intp n = 1, step
    cdef int i, j
    if not 0 <= function < GELU_N_FUNCTIONS:
        return GELU_FAST_BAD_FUNCTION
    if not 0 <= form < GELU_N_FORMS:
        return GELU_FAST_BAD_FORM
    if not 0 <= type_ < GELU_N_TYPES:
        return GELU_FAST_BAD_TYPE
    if not 0 <= ndim <= MAX_DIMS:
        return GELU_FAST_BAD_NDIM
    for i in range(ndim):
        if shape[i] < 0:
            return GELU_FAST_BAD_LENGTH
        n = 0 if shape[i] == 0 else n
    if threads < 0:
        return GELU_FAST_BAD_THREADS
    if n == 0:
        return GELU_FAST_OK
    spec = &specs[function][form][type_]
    begin_job(&job, spec)
    job.most_threads = threads
    for j in range(spec.n_args):
        args[j] = <const char *> (inputs[j] if j < spec.n_in else outputs[j - spec.n_in])
        if args[j] == NULL:
            return GELU_FAST_BAD_POINTER
        step = spec.itemsize
        for i in range(ndim - 1, -1, -1):
            strides_of[j][i] = step if strides == NULL else strides[j * ndim + i]
            step *= shape[i]
            if shape[i] > 1 and strides_of[j][i] % spec.itemsize:
                return GELU_FAST_BAD_ALIGNMENT
        if <size_t> args[j] % <size_t> spec.itemsize:
            return GELU_FAST_BAD_ALIGNMENT
    execute_nd(&job, ndim, shape, strides_of, args)
    return GELU_FAST_OK


cdef int apply(int function, int form, int type_, npy_intp n, const void *const *inputs, void *const *outputs,
               const npy_intp *steps, int threads) noexcept nogil:
    return apply_nd(function, form, type_, 1, &n, inputs, outputs, steps, threads)


cdef gelu_scalar_f32 *scalars_f32[GELU_N_FUNCTIONS][GELU_N_FORMS]
cdef gelu_scalar_f64 *scalars_f64[GELU_N_FUNCTIONS][GELU_N_FORMS]


cdef void take_scalars() noexcept:
    """Point the table to the functions of the current ISA level and rounding."""
    cdef gelu_scalars scalars
    cdef bint to_nearest = rounding == "nearest"
    for f in range(GELU_N_FUNCTIONS):
        for form in range(GELU_N_FORMS):
            scalars = gelu_levels[level].scalars[f][form]
            scalars_f32[f][form] = scalars.f32_nearest if to_nearest else scalars.f32
            scalars_f64[f][form] = scalars.f64


take_scalars()
cdef gelu_fast_api api
api.version, api.n_functions, api.apply, api.describe = GELU_FAST_API_VERSION, GELU_N_FUNCTIONS, apply, describe
api.scalars_f32, api.scalars_f64, api.apply_nd = scalars_f32, scalars_f64, apply_nd
_c_api = PyCapsule_New(&api, "gelu_fast._core._c_api", NULL)
