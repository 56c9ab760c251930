/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The interface of the C side to _core.pyx: names and numbers of operands of the functions, and for each ISA level a
 * table of kernels. CONTRIBUTING.md says what to touch for a new function, type or ISA level. */
#ifndef GELU_KERNELS_H
#define GELU_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "functions.h"

/* args: the inputs, then the outputs, n contiguous elements each. An output may be an input, or begin at a lower address
 * than an input that it overlaps: an element is read before anything at its address or above is written. */
typedef void gelu_kernel(char *const *args, ptrdiff_t n);

/* `streaming` writes past the caches. Its outputs overlap no input, and lie at multiples of their item size. */
typedef struct {
    gelu_kernel *plain, *streaming;
} gelu_kernels;

/* Of one number: n_in inputs and n_out results, in any floating-point environment. scalars.h */
typedef void gelu_scalar_f32(const float *x, float *y);
typedef void gelu_scalar_f64(const double *x, double *y);
typedef struct {
    gelu_scalar_f32 *f32;
    gelu_scalar_f64 *f64;
    gelu_scalar_f32 *f32_nearest;
} gelu_scalars;

/* n elements, `step` bytes apart, to contiguous ones and back. */
typedef struct {
    void (*pack)(char *packed, const char *strided, ptrdiff_t step, ptrdiff_t n);
    void (*unpack)(char *strided, ptrdiff_t step, const char *packed, ptrdiff_t n);
} gelu_strides;

/* Stochastic GELU: random.h, decide.h. */
typedef struct {
    void (*bits)(uint32_t *words, const uint32_t *key, uint64_t at, ptrdiff_t n);
    void (*decide_f32)(char *const *args, ptrdiff_t n, gelu_kernel *gate_f64);
    void (*decide_f64)(char *const *args, ptrdiff_t n, gelu_kernel *gate_f64);
} gelu_random;

typedef struct {
    const char *name;
    int n_in, n_out;
    int with_mu_sigma; /* the number of the function that takes these as well, or GELU_F_none */
} gelu_function;

typedef struct {
    const char *name;
    int (*supported)(void); /* by the CPU that runs */
    const gelu_kernels (*kernels)[GELU_N_FORMS][GELU_N_TYPES]; /* of each function */
    gelu_kernel *const (*nearest)[GELU_N_FORMS]; /* float32, rounded to nearest: nearest.h */
    const gelu_scalars (*scalars)[GELU_N_FORMS]; /* of each function */
    const gelu_strides *strides; /* of each type */
    const gelu_random *random;
} gelu_level;

extern const gelu_function gelu_functions[GELU_N_FUNCTIONS]; /* the ufuncs are named <function>_<form> */
extern const char *const gelu_forms[GELU_N_FORMS];
extern const char *const gelu_types[GELU_N_TYPES];
extern const gelu_level gelu_levels[]; /* lowest first, ended by one without a name */
extern const char gelu_compiler[];

#endif
