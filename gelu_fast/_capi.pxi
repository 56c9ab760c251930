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
        GELU_FAST_N_STATUS
    ctypedef struct gelu_fast_api:
        int version
        int n_functions
        int (*apply)(int function, int form, int type, npy_intp n, const void *const *inputs, void *const *outputs,
                     const npy_intp *steps, int threads) noexcept
        const char *(*describe)(int status) noexcept
        gelu_scalar_f32 *(*scalars_f32)[GELU_N_FORMS]
        gelu_scalar_f64 *(*scalars_f64)[GELU_N_FORMS]

cdef const char *descriptions[GELU_FAST_N_STATUS + 1]
descriptions[GELU_FAST_OK] = "no error"
descriptions[GELU_FAST_BAD_FUNCTION] = "there is no such function"
descriptions[GELU_FAST_BAD_FORM] = "there is no such form"
descriptions[GELU_FAST_BAD_TYPE] = "there is no such type"
descriptions[GELU_FAST_BAD_LENGTH] = "the number of elements is negative"
descriptions[GELU_FAST_BAD_THREADS] = "the number of threads is negative"
descriptions[GELU_FAST_BAD_POINTER] = "a pointer is NULL"
descriptions[GELU_FAST_BAD_ALIGNMENT] = "an address or a step is not a multiple of the item size"
descriptions[GELU_FAST_N_STATUS] = "there is no such status"


cdef const char *describe(int status) noexcept nogil:
    return descriptions[status if 0 <= status < GELU_FAST_N_STATUS else GELU_FAST_N_STATUS]


cdef int apply(int function, int form, int type_, npy_intp n, const void *const *inputs, void *const *outputs,
               const npy_intp *steps, int threads) noexcept nogil:
    cdef const KernelSpec *spec
    cdef Job job
    cdef int j
    if not 0 <= function < GELU_N_FUNCTIONS:
        return GELU_FAST_BAD_FUNCTION
    if not 0 <= form < GELU_N_FORMS:
        return GELU_FAST_BAD_FORM
    if not 0 <= type_ < GELU_N_TYPES:
        return GELU_FAST_BAD_TYPE
    if n < 0:
        return GELU_FAST_BAD_LENGTH
    if threads < 0:
        return GELU_FAST_BAD_THREADS
    if n == 0:
        return GELU_FAST_OK
    spec = &specs[function][form][type_]
    job.spec, job.draws, job.new_outputs, job.most_threads = spec, NULL, False, threads
    job.rows.n_rows, job.rows.n = 1, n
    for j in range(spec.n_args):
        job.args[j] = <char *> (inputs[j] if j < spec.n_in else outputs[j - spec.n_in])
        if job.args[j] == NULL:
            return GELU_FAST_BAD_POINTER
        job.rows.steps[j] = spec.itemsize if steps == NULL else steps[j]
        job.rows.row_steps[j] = 0
        if <size_t> job.args[j] % <size_t> spec.itemsize or job.rows.steps[j] % spec.itemsize:
            return GELU_FAST_BAD_ALIGNMENT
    job.overlap = overlap_of(&job)
    execute(&job)
    return GELU_FAST_OK


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
api.scalars_f32, api.scalars_f64 = scalars_f32, scalars_f64
_c_api = PyCapsule_New(&api, "gelu_fast._core._c_api", NULL)
