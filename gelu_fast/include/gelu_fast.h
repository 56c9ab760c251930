/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The C interface of gelu_fast: GELU and its relatives for arrays and for single numbers, with the bits of the ufuncs.
 *
 * Include Python.h's directory and that of gelu_fast.get_include(), and call import_gelu_fast() once in each file that
 * uses the interface (in a module's init function), with the GIL held. All else needs neither the GIL nor Python, and
 * may be called from any thread with 32 KiB of stack left. There is no library to link with.
 *
 * Version 1. Later versions add to the end of gelu_fast_api, and of the enums; they change nothing that stands. */
#ifndef GELU_FAST_H
#define GELU_FAST_H

#include <Python.h>
#include <math.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GELU_FAST_API_VERSION 1

/* Functions, with their inputs; all have one result, but for GELU_FAST_GEGLU_BACKWARD: d_gate, d_up. The docstrings of
 * the Python functions say what they compute, what is rounded, and how large the error is at most. A sigma that is not
 * above 0 gives NaN. */
enum gelu_fast_function {
    GELU_FAST_GELU,                   /* x */
    GELU_FAST_GELU_GATE,              /* x */
    GELU_FAST_GELU_GRAD,              /* x */
    GELU_FAST_GELU_BACKWARD,          /* dy, x */
    GELU_FAST_GEGLU,                  /* gate, up */
    GELU_FAST_GEGLU_BACKWARD,         /* dy, gate, up */
    GELU_FAST_GELU_MU_SIGMA,          /* x, mu, sigma */
    GELU_FAST_GELU_GATE_MU_SIGMA,     /* x, mu, sigma */
    GELU_FAST_GELU_GRAD_MU_SIGMA,     /* x, mu, sigma */
    GELU_FAST_GELU_BACKWARD_MU_SIGMA, /* dy, x, mu, sigma */
    GELU_FAST_BIAS_GELU               /* x, bias */
};

/* The exact form, and the approximations by tanh and by the logistic function. */
enum gelu_fast_form { GELU_FAST_EXACT, GELU_FAST_TANH, GELU_FAST_SIGMOID, GELU_FAST_N_FORMS };

enum gelu_fast_type { GELU_FAST_FLOAT16, GELU_FAST_FLOAT32, GELU_FAST_FLOAT64, GELU_FAST_BFLOAT16 };

/* Of gelu_fast_apply and gelu_fast_apply_nd. All but GELU_FAST_OK leave the outputs as they are. */
enum gelu_fast_status {
    GELU_FAST_OK,
    GELU_FAST_BAD_FUNCTION,  /* no such function */
    GELU_FAST_BAD_FORM,      /* no such form */
    GELU_FAST_BAD_TYPE,      /* no such type */
    GELU_FAST_BAD_LENGTH,    /* n < 0, or a length in the shape */
    GELU_FAST_BAD_THREADS,   /* threads < 0 */
    GELU_FAST_BAD_POINTER,   /* NULL, although n > 0 */
    GELU_FAST_BAD_ALIGNMENT, /* an address or a step that is no multiple of the item size */
    GELU_FAST_BAD_NDIM,      /* ndim < 0 or ndim > 64 */
    GELU_FAST_N_STATUS
};

/* One number each of the inputs and of the results. */
typedef void gelu_fast_scalar_f32(const float *inputs, float *outputs);
typedef void gelu_fast_scalar_f64(const double *inputs, double *outputs);

typedef struct {
    int version; /* the newest one that this table serves */
    int n_functions;
    /* As gelu_fast_apply below. */
    int (*apply)(int function, int form, int type, ptrdiff_t n, const void *const *inputs,
                 void *const *outputs, const ptrdiff_t *steps, int threads);
    /* What a status means, in English. */
    const char *(*describe)(int status);
    /* [function][form] */
    gelu_fast_scalar_f32 *(*scalars_f32)[GELU_FAST_N_FORMS];
    gelu_fast_scalar_f64 *(*scalars_f64)[GELU_FAST_N_FORMS];
    /* As gelu_fast_apply_nd below. */
    int (*apply_nd)(int function, int form, int type, int ndim, const ptrdiff_t *shape,
                    const void *const *inputs, void *const *outputs, const ptrdiff_t *strides, int threads);
} gelu_fast_api;

static const gelu_fast_api *gelu_fast_table;

/* Find the table, importing gelu_fast. 0, or -1 with an exception set: ImportError if gelu_fast is missing, or older than
 * the interface that this file was compiled with. */
static inline int import_gelu_fast(void)
{
    const gelu_fast_api *table;
    PyObject *core = PyImport_ImportModule("gelu_fast._core"); /* PyCapsule_Import would hide why it fails */
    if (core == NULL)
        return -1;
    Py_DECREF(core);
    table = (const gelu_fast_api *)PyCapsule_Import("gelu_fast._core._c_api", 0);
    if (table == NULL) {
        if (PyErr_ExceptionMatches(PyExc_AttributeError))
            PyErr_SetString(PyExc_ImportError, "the gelu_fast that is installed has no C interface");
        return -1;
    }
    if (table->version < GELU_FAST_API_VERSION) {
        PyErr_Format(PyExc_ImportError,
                     "this module needs version %d of gelu_fast's C interface; the one installed has version %d",
                     GELU_FAST_API_VERSION, table->version);
        return -1;
    }
    gelu_fast_table = table;
    return 0;
}

/* Compute n elements. `inputs` and `outputs` hold as many pointers as the function has inputs and results, to elements
 * of `type` in native byte order, at multiples of their size. `steps` has for each input, and then for each output, the
 * bytes from an element to the next, which may be 0 or negative; NULL stands for contiguous elements. Operands may overlap
 * in any way: the result is that of a loop over the elements, in order. threads: 1 to compute on this thread; 0 for as many
 * threads as gelu_fast.get_num_threads() says, if n is large; k > 1 for at most k of them. The result is the same. The
 * thread's floating-point environment has no effect, and its exception flags stay as they are. Returns a
 * gelu_fast_status. */
static inline int gelu_fast_apply(int function, int form, int type, ptrdiff_t n, const void *const *inputs,
                                  void *const *outputs, const ptrdiff_t *steps, int threads)
{
    return gelu_fast_table->apply(function, form, type, n, inputs, outputs, steps, threads);
}

/* The same for operands of ndim dimensions, of one shape. `strides` has ndim numbers for each operand, in the order of
 * `steps` above; an input that is broadcast has strides of 0. The order of elements is that of C. Dimensions that all
 * operands pass through with one stride count as one, and threads share as many as make rows of one length. */
static inline int gelu_fast_apply_nd(int function, int form, int type, int ndim, const ptrdiff_t *shape,
                                     const void *const *inputs, void *const *outputs,
                                     const ptrdiff_t *strides, int threads)
{
    return gelu_fast_table->apply_nd(function, form, type, ndim, shape, inputs, outputs, strides, threads);
}

static inline const char *gelu_fast_describe(int status) { return gelu_fast_table->describe(status); }

/* gelu_fast_gelu(x, form) and so on, and with an f at the end for float: of one number, with the bits of the ufuncs, in any
 * floating-point environment. The flag for inexact results may be raised, no other one. NaN if there is no such form. */
#define GELU_FAST_SCALAR(name, NUMBER, real, f, bits, PARAMETERS, ...)                                       \
    static inline real gelu_fast_##name##f(PARAMETERS(real), int form)                                       \
    {                                                                                                        \
        const real inputs[] = {__VA_ARGS__};                                                                 \
        real output = (real)NAN;                                                                             \
        if (form >= 0 && form < GELU_FAST_N_FORMS)                                                           \
            gelu_fast_table->scalars_##bits[NUMBER][form](inputs, &output);                                  \
        return output;                                                                                       \
    }
#define GELU_FAST_SCALARS(name, NUMBER, PARAMETERS, ...)                                                     \
    GELU_FAST_SCALAR(name, NUMBER, double, , f64, PARAMETERS, __VA_ARGS__)                                   \
    GELU_FAST_SCALAR(name, NUMBER, float, f, f32, PARAMETERS, __VA_ARGS__)
#define GELU_FAST_X(real) real x
#define GELU_FAST_DY_X(real) real dy, real x
#define GELU_FAST_GATE_UP(real) real gate, real up
#define GELU_FAST_X_BIAS(real) real x, real bias
#define GELU_FAST_X_MU_SIGMA(real) real x, real mu, real sigma
#define GELU_FAST_DY_X_MU_SIGMA(real) real dy, real x, real mu, real sigma
GELU_FAST_SCALARS(gelu, GELU_FAST_GELU, GELU_FAST_X, x)
GELU_FAST_SCALARS(gelu_gate, GELU_FAST_GELU_GATE, GELU_FAST_X, x)
GELU_FAST_SCALARS(gelu_grad, GELU_FAST_GELU_GRAD, GELU_FAST_X, x)
GELU_FAST_SCALARS(gelu_backward, GELU_FAST_GELU_BACKWARD, GELU_FAST_DY_X, dy, x)
GELU_FAST_SCALARS(geglu, GELU_FAST_GEGLU, GELU_FAST_GATE_UP, gate, up)
GELU_FAST_SCALARS(bias_gelu, GELU_FAST_BIAS_GELU, GELU_FAST_X_BIAS, x, bias)
GELU_FAST_SCALARS(gelu_mu_sigma, GELU_FAST_GELU_MU_SIGMA, GELU_FAST_X_MU_SIGMA, x, mu, sigma)
GELU_FAST_SCALARS(gelu_gate_mu_sigma, GELU_FAST_GELU_GATE_MU_SIGMA, GELU_FAST_X_MU_SIGMA, x, mu, sigma)
GELU_FAST_SCALARS(gelu_grad_mu_sigma, GELU_FAST_GELU_GRAD_MU_SIGMA, GELU_FAST_X_MU_SIGMA, x, mu, sigma)
GELU_FAST_SCALARS(gelu_backward_mu_sigma, GELU_FAST_GELU_BACKWARD_MU_SIGMA, GELU_FAST_DY_X_MU_SIGMA, dy, x,
                  mu, sigma)

/* Of two results. */
#define GELU_FAST_PAIR(real, f, bits)                                                                        \
    static inline void gelu_fast_geglu_backward##f(real dy, real gate, real up, int form, real *d_gate,      \
                                                   real *d_up)                                               \
    {                                                                                                        \
        const real inputs[] = {dy, gate, up};                                                                \
        real outputs[] = {(real)NAN, (real)NAN};                                                             \
        if (form >= 0 && form < GELU_FAST_N_FORMS)                                                           \
            gelu_fast_table->scalars_##bits[GELU_FAST_GEGLU_BACKWARD][form](inputs, outputs);                \
        *d_gate = outputs[0];                                                                                \
        *d_up = outputs[1];                                                                                  \
    }
GELU_FAST_PAIR(double, , f64)
GELU_FAST_PAIR(float, f, f32)

#ifdef __cplusplus
}
#endif

#endif
