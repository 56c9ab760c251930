# SPDX-License-Identifier: BSD-3-Clause
# cython: language_level=3, cdivision=True, freethreading_compatible=True
"""The compiled front of gelu_fast: from the arguments of a call to the kernels, which do the arithmetic
(kernels/gelu.h).

Design. A call goes through one of three doors, to one loop.

- The direct door (try_direct, _operands.pxi) is for plain arrays: NumPy's own, aligned, of one type, and Python numbers
  beside them. It finds rows of elements that all operands make. Threads therefore share a call with a bias, or
  another broadcast input, as one job; NumPy would call a ufunc's loop once a row. A small call saves 0.1 to 0.2 us.
  stochastic_gelu, which is no ufunc, has this door alone, and copies what makes no rows.
- The ufunc is for all else: NumPy converts, broadcasts, masks and buffers the operands, hands the call to other
  libraries' arrays (__array_ufunc__), and calls the same loop (ufunc_loop). Each form of a function is a ufunc.
- The door for C (_capi.pxi) takes pointers, and calls the loop at once.
- The loop (_loops.pxi) runs a Job: a kernel, operands, their rows and their overlap. `execute` decides once how;
  `share` computes a part on one thread, in the default floating-point environment: whole rows, packed blocks, or one by
  one.

This file holds the ISA levels, the types, the ufuncs, and the public functions, which choose a form and a door. `call`
sets the default floating-point environment as well, as the result of a cast or a comparison depends on it.

State. Threads may call all functions at once, with the GIL or without one (free-threaded CPython). The import writes
tables, types and ufuncs, and nothing writes them later but _use_level and _use_rounding, for tests. Numbers that a call
may set are atomic (_threads.pxi, _loops.pxi). functools.cache keeps numpy.random's names (_stochastic.pxi). The pool
serves one call at a time, and keeps its state in atomic numbers (kernels/pool.c)."""

import operator
import os
from collections.abc import Mapping
from functools import cache
from sys import modules
from warnings import warn

cimport cython
cimport numpy as np
from cpython.object cimport PyObject
from cpython.pycapsule cimport PyCapsule_New
from cython.parallel cimport prange
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
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
    ctypedef void gelu_scalar_f32(const float *x, float *y) noexcept nogil
    ctypedef void gelu_scalar_f64(const double *x, double *y) noexcept nogil
    ctypedef struct gelu_scalars:
        gelu_scalar_f32 *f32
        gelu_scalar_f64 *f64
        gelu_scalar_f32 *f32_nearest
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
        gelu_kernel *(*nearest)[GELU_N_FORMS]
        const gelu_scalars (*scalars)[GELU_N_FORMS]
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

# Numbers that one thread may set while another reads them: in C each access is atomic. From and to Python they go by
# plain variables, as Clang casts to no atomic type.
cdef extern from "<stdatomic.h>" nogil:
    ctypedef int atomic_int
    ctypedef long long atomic_llong
    ctypedef double atomic_double "_Atomic double"
    long long atomic_fetch_add(atomic_llong *number, long long more)

cdef enum:
    MAX_ARGS = 5
    MAX_TYPES = GELU_N_TYPES + 8  # at most 8 one-byte types

include "_threads.pxi"
include "_loops.pxi"

# ---- the ISA level ----

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


roundings = ["fast", "nearest"]  # of float32; nearest: kernels/nearest.h


def choose_rounding(wanted):
    """The rounding that GELU_FAST_ROUNDING names, or the first one."""
    if not wanted:
        return roundings[0]
    if wanted in roundings:
        return wanted
    raise ImportError(f"GELU_FAST_ROUNDING={wanted}: there is no such rounding; accepted: {', '.join(roundings)}")


isa_level = choose_level(os.environ.get("GELU_FAST_ISA"), built_isa_levels, available_isa_levels)
rounding = choose_rounding(os.environ.get("GELU_FAST_ROUNDING"))
cdef int level = built_isa_levels.index(isa_level)
compiler = gelu_compiler.decode()
openmp_version = GELU_OPENMP


# ---- types and ufuncs ----

# NumPy keeps pointers into all of these for as long as the process lives.
cdef KernelSpec specs[GELU_N_FUNCTIONS][GELU_N_FORMS][MAX_TYPES]
cdef void *spec_data[GELU_N_FUNCTIONS][GELU_N_FORMS][MAX_TYPES]
cdef char signatures[GELU_N_FUNCTIONS][MAX_TYPES * MAX_ARGS]
cdef np.PyUFuncGenericFunction loop_functions[MAX_TYPES]
cdef list kept = []
# Types are numbered: a GELU_T_<type>, and the next numbers for the one-byte types of ml_dtypes.
cdef void *descriptors[MAX_TYPES]  # the type in native byte order, without metadata; NULL if it is for C alone
cdef int type_numbers[MAX_TYPES]  # NumPy's
cdef int kernels_of[MAX_TYPES]  # the GELU_T_<type> whose kernels compute it
cdef int n_types = 0


cdef void take_kernels(int t) noexcept:
    """Point the specs of type t to the kernels of the current ISA level."""
    cdef int f, form
    cdef KernelSpec *spec
    cdef bint to_nearest = rounding == "nearest"
    for f in range(GELU_N_FUNCTIONS):
        for form in range(GELU_N_FORMS):
            spec = &specs[f][form][t]
            if to_nearest and t == GELU_T_f32:
                spec.kernels.plain, spec.kernels.streaming = gelu_levels[level].nearest[f][form], NULL
            else:
                spec.kernels = gelu_levels[level].kernels[f][form][kernels_of[t]]
            spec.strides = gelu_levels[level].strides[kernels_of[t]]


def _use_level(name):
    """Compute on another ISA level from now on; for tests and measurements, while no other thread computes."""
    global level, isa_level
    isa_level = choose_level(name, built_isa_levels, available_isa_levels)
    level = built_isa_levels.index(isa_level)
    for t in range(n_types):
        take_kernels(t)
    take_scalars()


def _use_rounding(name):
    """Round float32 in another way from now on; as _use_level."""
    global rounding
    rounding = choose_rounding(name)
    take_kernels(GELU_T_f32)
    take_scalars()


cdef int new_type(int kernels_type, npy_intp itemsize, const float *to_f32, const uint8_t *from_f32) noexcept:
    """Number a type, and make a spec for it of each function's kernels for `kernels_type`, a GELU_T_<type>."""
    global n_types
    cdef int f, form, t = n_types
    cdef KernelSpec *spec
    kernels_of[t], descriptors[t], loop_functions[t] = kernels_type, NULL, <np.PyUFuncGenericFunction> ufunc_loop
    for f in range(GELU_N_FUNCTIONS):
        for form in range(GELU_N_FORMS):
            spec = &specs[f][form][t]
            spec.n_in = gelu_functions[f].n_in
            spec.n_args = spec.n_in + gelu_functions[f].n_out
            spec.itemsize = itemsize
            spec.to_f32, spec.from_f32 = to_f32, from_f32
            spec_data[f][form][t] = spec
    take_kernels(t)
    n_types += 1
    return t


cdef int set_dtype(int t, object dtype) except -1:
    kept.append(dtype)
    descriptors[t], type_numbers[t] = <void *> dtype, dtype.num
    return 0


cdef object make_ufunc(int f, int form):
    """The ufunc of a function's form, of NumPy's types."""
    cdef const gelu_function *function = &gelu_functions[f]
    cdef int n_args = function.n_in + function.n_out, t, j
    name = f"{function.name.decode()}_{gelu_forms[form].decode()}"
    if n_args > MAX_ARGS:
        raise ImportError(f"{name} has {n_args} operands, _core.pyx has room for {MAX_ARGS}")
    encoded = name.encode(), UFUNC_DOCS[name].encode()
    kept.append(encoded)
    for t in range(n_numpy_types):
        for j in range(n_args):
            signatures[f][t * n_args + j] = <char> type_numbers[t]
    return np.PyUFunc_FromFuncAndData(
        loop_functions, spec_data[f][form], signatures[f], n_numpy_types, function.n_in, function.n_out,
        np.PyUFunc_None, encoded[0], encoded[1], 0)


for t in range(GELU_N_TYPES):
    new_type(t, 8 if t == GELU_T_f64 else 4 if t == GELU_T_f32 else 2, NULL, NULL)
# NumPy's own types come first in GELU_TYPES, in this order.
set_dtype(GELU_T_f16, np.PyArray_DescrFromType(np.NPY_FLOAT16))
set_dtype(GELU_T_f32, np.PyArray_DescrFromType(np.NPY_FLOAT32))
set_dtype(GELU_T_f64, np.PyArray_DescrFromType(np.NPY_FLOAT64))
cdef int n_numpy_types = GELU_T_f64 + 1
cdef object float32 = <object> descriptors[GELU_T_f32], float64 = <object> descriptors[GELU_T_f64]
cdef list ufunc_of = [[make_ufunc(f, form) for form in range(GELU_N_FORMS)] for f in range(GELU_N_FUNCTIONS)]
ufuncs = {ufunc.__name__: ufunc for forms_of in ufunc_of for ufunc in forms_of}


cdef int add_dtype(int t, object dtype) except -1:
    """Add type t, which NumPy does not have itself, to all ufuncs."""
    cdef int types[MAX_ARGS]
    cdef int f, form, j
    if dtype.itemsize != specs[0][0][t].itemsize:
        raise TypeError(f"{dtype} has {dtype.itemsize} bytes")
    for j in range(MAX_ARGS):
        types[j] = dtype.num
    for f in range(GELU_N_FUNCTIONS):
        for form in range(GELU_N_FORMS):
            np.PyUFunc_RegisterLoopForType(ufunc_of[f][form], types[0], <np.PyUFuncGenericFunction> ufunc_loop,
                                           types, spec_data[f][form][t])
    set_dtype(t, dtype)
    return 0


# The one-byte types, which tables convert; ml_dtypes fills the tables.
cdef tuple ONE_BYTE = ("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e4m3b11fnuz",
                       "float8_e4m3", "float8_e3m4")


cdef int add_one_byte(object dtype, object bfloat16) except -1:
    cdef np.ndarray to_f32 = arange(1 << 8, dtype="u1").view(dtype).astype("f4")
    cdef np.ndarray from_f32 = arange(1 << 16, dtype="u2").view(bfloat16).astype(dtype).view("u1")
    kept.append((to_f32, from_f32))
    cdef int t = new_type(GELU_T_f32, 1, <const float *> np.PyArray_DATA(to_f32),
                          <const uint8_t *> np.PyArray_DATA(from_f32))
    return add_dtype(t, dtype)


cdef int warn_of(str part, object error) except -1:
    warn(f"gelu_fast works without {part}, which is installed but fails: {type(error).__name__}: {error}",
         RuntimeWarning)
    return 0


cdef int add_ml_dtypes() except -1:
    """Add the types of ml_dtypes, where it is installed: at import, as an array of them can come from anywhere. Its
    import takes 4 ms, one that fails 0.1. A part of it that fails costs the types of that part, and a warning."""
    try:
        import ml_dtypes
        if ml_dtypes is None:  # sys.modules says that it shall be missing
            return 0
        bfloat16 = np_dtype(ml_dtypes.bfloat16)
        add_dtype(GELU_T_bf16, bfloat16)
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

include "_operands.pxi"
include "_capi.pxi"
include "_sigma.pxi"

# ---- the public functions: a form, and a door ----

cdef dict forms = {False: GELU_FORM_erf, "none": GELU_FORM_erf, True: GELU_FORM_tanh, "tanh": GELU_FORM_tanh,
                   "sigmoid": GELU_FORM_sigmoid}
cdef tuple APPROX_TYPES = (str, bool, np_bool)  # 0 == False and 1 == True, but numbers name no form
cdef object NO_MU = 0.0, NO_SIGMA = 1.0, SAME_KIND = "same_kind", K = "K"  # the very objects that the defaults are
cdef object NOT_GIVEN = object()  # the default of approx and axis; the values for which it stands are others


cdef int form_named(object approx, str argument) except -1:
    form = forms.get(approx) if isinstance(approx, APPROX_TYPES) else None
    if form is not None:
        return form
    raise ValueError(f"{argument} must be False or 'none', True or 'tanh', or 'sigmoid', not {approx!r}")


cdef inline int form_of(object approx, object approximate) except -1:
    """The form that one of the two arguments names. They are NOT_GIVEN and None where they are not given."""
    if approximate is None:
        return GELU_FORM_erf if approx is NOT_GIVEN or approx is False else form_named(approx, "approx")
    if approx is NOT_GIVEN:
        return form_named(approximate, "approximate")
    raise TypeError("approx and approximate are two names of one argument; give one of them")


cdef bint is_number(object x, double number):
    return <double> x == number if type(x) is float else type(x) is int and x == number


cdef object call(int f, int form, PyObject **inputs, object mu, object sigma, object out, object where, object dtype,
                 object casting, object order, object subok, object signature):
    """Function f of the inputs (borrowed), with location and scale unless they are 0 and 1: by the direct door if `out`
    is the only one of a ufunc's arguments that is given, else by the ufunc."""
    cdef bint plain = (where is True and dtype is None and casting is SAME_KIND and order is K and subok is True
                       and signature is None)
    cdef bint at_default = mu is NO_MU and sigma is NO_SIGMA, with_mu_sigma
    cdef PyObject *operands[MAX_ARGS]
    cdef int n_in = gelu_functions[f].n_in, j
    cdef dict given
    cdef gelu_environment before
    if plain and at_default:
        y = try_direct(f, form, inputs, out)
        if y is not None:
            return y
    before = gelu_enter_environment()
    try:
        with_mu_sigma = not (at_default or is_number(mu, 0) and is_number(sigma, 1))
        # A ufunc gets only what is given: other libraries' __array_ufunc__ may see it.
        given = {}
        if dtype is not None:
            given["dtype"] = dtype
        if casting is not SAME_KIND:
            given["casting"] = casting
        if signature is not None:
            given["signature"] = signature
        for j in range(n_in):
            operands[j] = inputs[j]
        if with_mu_sigma:
            # Integers in place of the defaults: beside bfloat16 a float would make the result float32.
            mu, sigma = 0 if is_number(mu, 0) else mu, 1 if is_number(sigma, 1) else sigma
            operands[n_in], operands[n_in + 1] = <PyObject *> mu, <PyObject *> sigma
            f, n_in = gelu_functions[f].with_mu_sigma, n_in + 2
        arguments = tuple([<object> operands[j] for j in range(n_in)])
        if n_in > 1 and "pandas" in modules and any([hasattr(x, "iloc") for x in arguments]):
            from gelu_fast._labels import aligned
            arguments = aligned(arguments)
        if gelu_functions[f].n_out > 1 and any([is_lazy(x) for x in arguments]):
            raise TypeError(f"{gelu_functions[f].name.decode()} has two results, which the ufuncs of lazy arrays "
                            "cannot have; call it on each chunk, for instance by dask.array.apply_gufunc")
        if with_mu_sigma:
            check_sigma(arguments, where, given)
        if plain and not at_default:
            y = try_direct(f, form, operands, out)
            if y is not None:
                return y
        if where is not True:
            given["where"] = where
        if order is not K:
            given["order"] = order
        if subok is not True:
            given["subok"] = subok
        if out is not None:
            given["out"] = out
        return ufunc_of[f][form](*arguments, **given)
    finally:
        gelu_leave_environment(before)


cdef tuple halves(object x, object axis, object dim):
    """Both halves along an axis, as views. Those of a dask array stay lazy; those of pandas and xarray have labels
    along the other axes."""
    if dim is not None and axis is not NOT_GIVEN:
        raise TypeError("axis= and dim= both say what to split; give one of them")
    axis = -1 if axis is NOT_GIVEN else axis
    if type(x) is not ndarray or dim is not None:
        from gelu_fast._labels import halves as halves_with_labels
        labelled = halves_with_labels(x, axis, dim)
        if labelled is not None:
            return tuple(labelled)
        if is_lazy(x) and not hasattr(x, "chunks"):
            raise TypeError(f"geglu cannot split a {type(x).__name__}, which has no values yet; give gate and up")
        if not isinstance(x, ndarray) and not hasattr(x, "dask"):
            x = asarray(x)
    axis = normalize_axis_index(axis, len(x.shape))
    n = x.shape[axis]
    if n % 2:
        raise ValueError(f"axis {axis} of length {n} has no halves")
    before = (slice(None),) * axis
    return x[(*before, slice(None, n // 2))], x[(*before, slice(n // 2, None))]


# In Python, these would take half of the time of a small call. Their docstrings are in _docs.py.
@cython.binding(False)
def gelu(x, approx=NOT_GIVEN, *, mu=0.0, sigma=1.0, out=None, where=True, dtype=None, casting="same_kind",
         order="K", subok=True, signature=None, approximate=None):
    cdef PyObject *inputs[1]
    inputs = [<PyObject *> x]
    return call(GELU_F_gelu, form_of(approx, approximate), inputs, mu, sigma, out, where, dtype, casting, order,
                subok, signature)


@cython.binding(False)
def gelu_gate(x, approx=NOT_GIVEN, *, mu=0.0, sigma=1.0, out=None, where=True, dtype=None, casting="same_kind",
              order="K", subok=True, signature=None, approximate=None):
    cdef PyObject *inputs[1]
    inputs = [<PyObject *> x]
    return call(GELU_F_gelu_gate, form_of(approx, approximate), inputs, mu, sigma, out, where, dtype, casting, order,
                subok, signature)


@cython.binding(False)
def gelu_grad(x, approx=NOT_GIVEN, *, mu=0.0, sigma=1.0, out=None, where=True, dtype=None, casting="same_kind",
              order="K", subok=True, signature=None, approximate=None):
    cdef PyObject *inputs[1]
    inputs = [<PyObject *> x]
    return call(GELU_F_gelu_grad, form_of(approx, approximate), inputs, mu, sigma, out, where, dtype, casting, order,
                subok, signature)


@cython.binding(False)
def gelu_backward(dy, x, approx=NOT_GIVEN, *, mu=0.0, sigma=1.0, out=None, where=True, dtype=None,
                  casting="same_kind", order="K", subok=True, signature=None, approximate=None):
    cdef PyObject *inputs[2]
    inputs = [<PyObject *> dy, <PyObject *> x]
    return call(GELU_F_gelu_backward, form_of(approx, approximate), inputs, mu, sigma, out, where, dtype, casting,
                order, subok, signature)


@cython.binding(False)
def bias_gelu(x, bias, approx=NOT_GIVEN, *, out=None, where=True, dtype=None, casting="same_kind", order="K",
              subok=True, signature=None, approximate=None):
    cdef PyObject *inputs[2]
    inputs = [<PyObject *> x, <PyObject *> bias]
    return call(GELU_F_bias_gelu, form_of(approx, approximate), inputs, NO_MU, NO_SIGMA, out, where, dtype, casting,
                order, subok, signature)


@cython.binding(False)
def geglu(gate, up=None, approx=NOT_GIVEN, *, axis=NOT_GIVEN, dim=None, out=None, where=True, dtype=None,
          casting="same_kind", order="K", subok=True, signature=None, approximate=None):
    cdef int form = form_of(approx, approximate)
    if isinstance(up, (str, bool)):  # np.True_ and np.False_ are numbers like any other
        raise TypeError(f"up must be an array or a number, not {up!r}; approx is given by its name")
    if up is None:
        up, gate = halves(gate, axis, dim)
    elif dim is not None:
        raise TypeError("dim= says what to split where one array is both gate and up; here up is given")
    cdef PyObject *inputs[2]
    inputs = [<PyObject *> gate, <PyObject *> up]
    return call(GELU_F_geglu, form, inputs, NO_MU, NO_SIGMA, out, where, dtype, casting, order, subok, signature)


@cython.binding(False)
def geglu_backward(dy, gate, up, approx=NOT_GIVEN, *, out=None, where=True, dtype=None, casting="same_kind", order="K",
                   subok=True, signature=None, approximate=None):
    cdef PyObject *inputs[3]
    inputs = [<PyObject *> dy, <PyObject *> gate, <PyObject *> up]
    return call(GELU_F_geglu_backward, form_of(approx, approximate), inputs, NO_MU, NO_SIGMA, out, where, dtype,
                casting, order, subok, signature)


include "_stochastic.pxi"
