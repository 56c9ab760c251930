# SPDX-License-Identifier: BSD-3-Clause
# The door for plain arrays: from operands to a Job, without NumPy's ufunc machinery. Included in _core.pyx.

cdef enum:
    WARN_ON_WRITE = -0x80000000  # NPY_ARRAY_WARN_ON_WRITE, which Cython's declarations lack
    MAX_DIMS = 64  # NumPy's
    FLOAT16_MAX = 65504  # all NumPy types hold numbers up to this one


# NumPy's accessors, for borrowed pointers: counting their references would take a tenth of a small call.
cdef extern from "numpy/arrayobject.h" nogil:
    ctypedef struct PyArrayObject:
        pass
    bint PyArray_CheckExact(PyObject *x)
    int PyArray_NDIM(PyArrayObject *a)
    npy_intp *PyArray_DIMS(PyArrayObject *a)
    npy_intp *PyArray_STRIDES(PyArrayObject *a)
    char *PyArray_BYTES(PyArrayObject *a)
    void *PyArray_DESCR(PyArrayObject *a)
    int PyArray_FLAGS(PyArrayObject *a)
    bint PyArray_ISBEHAVED(PyArrayObject *a)
    bint PyArray_ISBEHAVED_RO(PyArrayObject *a)
    bint PyArray_IS_C_CONTIGUOUS(PyArrayObject *a)


cdef bint is_in_order(PyArrayObject *a) noexcept nogil:
    """Whether elements that differ in memory lie there in the order of their indices."""
    cdef npy_intp stride, least = 0
    cdef int i
    for i in range(PyArray_NDIM(a) - 1, -1, -1):
        stride = PyArray_STRIDES(a)[i]
        if PyArray_DIMS(a)[i] != 1 and stride != 0:
            if stride < least:
                return False
            least = stride
    return True


cdef bint join_rows(const npy_intp *shape, int ndim, npy_intp (*strides)[MAX_DIMS], int n_args,
                    Rows *rows) noexcept nogil:
    """Merge neighbouring dimensions that every operand passes through with one stride. True if at most two are left:
    rows, and the elements of a row."""
    cdef npy_intp *lengths[2]
    cdef npy_intp *steps[2]
    cdef int depth = -1, i, j
    cdef bint joins
    lengths[0], lengths[1] = &rows.n, &rows.n_rows
    steps[0], steps[1] = rows.steps, rows.row_steps
    rows.n = rows.n_rows = 1
    for j in range(n_args):
        rows.steps[j] = rows.row_steps[j] = 0
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


cdef void order_as_stored(npy_intp *shape, int ndim, npy_intp (*strides)[MAX_DIMS], int n_args) noexcept nogil:
    """Put the dimensions in the order in which the last operand, an output, lies in memory."""
    cdef int i, k, j
    cdef npy_intp *last = strides[n_args - 1]
    for i in range(1, ndim):
        k = i
        while k > 0 and max(last[k], -last[k]) > max(last[k - 1], -last[k - 1]):
            shape[k - 1], shape[k] = shape[k], shape[k - 1]
            for j in range(n_args):
                strides[j][k - 1], strides[j][k] = strides[j][k], strides[j][k - 1]
            k -= 1


cdef bint find_rows(PyArrayObject **operands, const npy_intp *shape, int ndim, Job *job) noexcept nogil:
    """Fill the job with the rows of elements that its operands make: aligned arrays of the spec's type, inputs that
    broadcast to `shape`, outputs of this shape. False if they make none, or if the order of elements matters."""
    cdef const KernelSpec *spec = job.spec
    cdef npy_intp strides[MAX_ARGS][MAX_DIMS]
    cdef npy_intp lengths[MAX_DIMS]
    cdef npy_intp n = 1
    cdef int missing, i, j
    cdef bint one_row = True  # contiguous operands of one shape
    cdef PyArrayObject *a
    for j in range(spec.n_args):
        a = operands[j]
        job.args[j] = PyArray_BYTES(a)
        job.rows.steps[j], job.rows.row_steps[j] = spec.itemsize, 0
        one_row = one_row and PyArray_IS_C_CONTIGUOUS(a) and PyArray_NDIM(a) == ndim
        for i in range(ndim):
            one_row = one_row and PyArray_DIMS(a)[i] == shape[i]
    if one_row:
        for i in range(ndim):
            n *= shape[i]
        job.rows.n_rows, job.rows.n = 1, n
    else:
        for j in range(spec.n_args):
            a = operands[j]
            missing = ndim - PyArray_NDIM(a)
            if missing < 0 or (missing > 0 and j >= spec.n_in):
                return False
            for i in range(ndim):
                n = 1 if i < missing else PyArray_DIMS(a)[i - missing]
                if n != shape[i] and (n != 1 or j >= spec.n_in):
                    return False
                strides[j][i] = 0 if n == 1 else PyArray_STRIDES(a)[i - missing]
        for i in range(ndim):
            lengths[i] = shape[i]
        if job.draws == NULL:
            order_as_stored(lengths, ndim, strides, spec.n_args)
        if not join_rows(lengths, ndim, strides, spec.n_args, &job.rows):
            return False
    job.overlap = DISJOINT if job.new_outputs else overlap_of(job)
    return job.overlap <= IN_PLACE


cdef object array_of_number(object x, int t):
    """A Python number as an array of type t. None where the ufunc must convert it: NumPy warns of numbers that may
    overflow, and any float beside an ml_dtypes array makes the result float32."""
    cdef gelu_environment before
    if (type(x) is not float and type(x) is not int) or t >= n_numpy_types or not -FLOAT16_MAX <= x <= FLOAT16_MAX:
        return None
    before = gelu_enter_environment()  # the cast rounds
    try:
        return np_array(x, <object> descriptors[t])
    finally:
        gelu_leave_environment(before)


cdef object try_direct(int f, int form, PyObject **inputs, object out):
    """Function f of the inputs (borrowed), without the ufunc, where the ufunc would only call its loop: arrays of one
    type, and numbers beside them, that make rows. Else None, and nothing is computed. `out`, if it is given, is an
    array, or a tuple for two outputs."""
    cdef int n_in = gelu_functions[f].n_in, n_out = gelu_functions[f].n_out, ndim = 0, t = 0, missing, i, j
    cdef PyArrayObject *operands[MAX_ARGS]  # borrowed, from inputs, numbers and results
    cdef PyArrayObject *a
    cdef PyArrayObject *first = NULL
    cdef npy_intp shape[MAX_DIMS]
    cdef void *descriptor
    cdef list numbers = None
    cdef object results = None
    cdef Job job
    # The type is that of the array of most dimensions.
    for j in range(n_in):
        a = operands[j] = <PyArrayObject *> inputs[j]
        if PyArray_CheckExact(inputs[j]) and PyArray_NDIM(a) > ndim:
            first, ndim = a, PyArray_NDIM(a)
    if first == NULL:
        return None
    # Compare descriptors by address: a type in another byte order, or with metadata, has another descriptor.
    descriptor = PyArray_DESCR(first)
    while t < n_types and descriptors[t] != descriptor:
        t += 1
    if t == n_types:
        return None
    # The inputs, and the shape that they broadcast to.
    for i in range(ndim):
        shape[i] = PyArray_DIMS(first)[i]
    for j in range(n_in):
        if not PyArray_CheckExact(inputs[j]):
            number = array_of_number(<object> inputs[j], t)
            if number is None:
                return None
            numbers = [number] if numbers is None else [*numbers, number]
            operands[j] = <PyArrayObject *> number
        a = operands[j]
        if PyArray_DESCR(a) != descriptor or not PyArray_ISBEHAVED_RO(a):
            return None
        # A new output has C order here; the ufunc would give it the order of the inputs.
        if out is None and not PyArray_IS_C_CONTIGUOUS(a) and not is_in_order(a):
            return None
        missing = ndim - PyArray_NDIM(a)
        for i in range(missing, ndim):
            if shape[i] == 1:
                shape[i] = PyArray_DIMS(a)[i - missing]
    # The outputs, new ones or those of `out`.
    if n_out > 1 and out is not None and (type(out) is not tuple or len(<tuple> out) != n_out):
        return None
    for j in range(n_out):
        if out is None:
            y = np.PyArray_EMPTY(ndim, shape, type_numbers[t], 0)
        else:
            y = out if n_out == 1 else (<tuple> out)[j]
            a = <PyArrayObject *> y
            if (not PyArray_CheckExact(<PyObject *> y) or PyArray_DESCR(a) != descriptor or not PyArray_ISBEHAVED(a)
                    or PyArray_FLAGS(a) & WARN_ON_WRITE):
                return None
        operands[n_in + j] = <PyArrayObject *> y
        results = y if n_out == 1 else (y,) if j == 0 else (*results, y)
    begin_job(&job, &specs[f][form][t])
    job.new_outputs = out is None
    if not find_rows(operands, shape, ndim, &job):
        return None
    run(&job)
    return results


# ---- inputs that are not plain arrays ----

cdef bint is_lazy(object x) except -1:
    """Whether x has no values yet: a collection of dask or cubed, or an expression of polars, which has no shape."""
    if isinstance(x, (ndarray, generic)):
        return False
    graph = getattr(x, "__dask_graph__", None)
    if graph is not None and graph() is not None or getattr(x, "chunks", None) and hasattr(x, "compute"):
        return True
    return hasattr(x, "__array_ufunc__") and not hasattr(x, "shape") and not hasattr(x, "__len__")


cdef bint is_masked(object x) except -1:
    if type(x) is ndarray or not isinstance(x, ndarray):
        return False
    from numpy.ma import MaskedArray
    return isinstance(x, MaskedArray)
