# SPDX-License-Identifier: BSD-3-Clause
# The check of sigma: every element that is computed needs a sigma above 0, in the type that is computed in. Included in
# _core.pyx.

# The smallest number above 0 of float8_e3m4. All other types have smaller ones.
cdef double LARGEST_TINY = 2.0 ** -6


cdef void sigma_loop(char **args, const npy_intp *dimensions, const npy_intp *steps, void *data) noexcept nogil:
    """Copy the last input."""
    cdef const KernelSpec *spec = <const KernelSpec *> data
    cdef int last = spec.n_in - 1
    cdef npy_intp i
    for i in range(dimensions[0]):
        memcpy(args[last + 1] + i * steps[last + 1], args[last] + i * steps[last], spec.itemsize)


cdef np.PyUFuncGenericFunction sigma_loops[MAX_TYPES]


cdef object make_sigma_ufunc(int f):
    """A ufunc with the inputs and types of function f, whose result is sigma as f computes with it: NumPy, and every
    library that takes part in a ufunc, converts, aligns and masks the inputs of both in the same way."""
    cdef int types[MAX_ARGS]
    cdef int t, j
    for t in range(n_types):
        sigma_loops[t] = <np.PyUFuncGenericFunction> sigma_loop
    ufunc = np.PyUFunc_FromFuncAndData(
        sigma_loops, spec_data[f][GELU_FORM_erf], signatures[f], n_numpy_types, gelu_functions[f].n_in, 1,
        np.PyUFunc_None, b"sigma", b"sigma in the type that is computed in.", 0)
    for t in range(n_numpy_types, n_types):
        if descriptors[t] == NULL:
            continue
        for j in range(MAX_ARGS):
            types[j] = (<object> descriptors[t]).num
        np.PyUFunc_RegisterLoopForType(ufunc, types[0], <np.PyUFuncGenericFunction> sigma_loop, types,
                                       spec_data[f][GELU_FORM_erf][t])
    return ufunc


cdef object sigma_beside_x = make_sigma_ufunc(GELU_F_gelu_mu_sigma)
cdef object sigma_beside_dy_x = make_sigma_ufunc(GELU_F_gelu_backward_mu_sigma)


cdef object stand_in(object x):
    """In place of an input that leaves no element out, one number of its type. An input that may leave elements out
    (masked, missing, or without a partner of the same label) stays; a lazy one is not asked."""
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
    """Whether sigma is above 0 in every type that it may be rounded to: a fast test, which most sigmas pass."""
    if type(sigma) is float or type(sigma) is int or isinstance(sigma, floating):
        return sigma >= LARGEST_TINY
    return (type(sigma) is ndarray and sigma.dtype.kind in "fiu" and sigma.size > 0
            and sigma.min() >= LARGEST_TINY)


cdef int check_sigma(tuple inputs, object where, dict types) except -1:
    """Raise if an element is computed with a sigma, the last input, that is not above 0 in the type that is computed
    in. A lazy sigma is not checked: the ufunc returns NaN where it is not positive."""
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
