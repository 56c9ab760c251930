/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the C side offers to _core.pyx: the table of functions, and for each ISA level a table of kernels.
 *
 * CONTRIBUTING.md says what to touch for a new function, type or ISA level. */
#ifndef GELU_KERNELS_H
#define GELU_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* The forms; and the curves that all functions come from: gelu.h has an R(tail_<curve>) for each, tables.c its
 * segments. */
#define GELU_FORMS(ROW) ROW(erf) ROW(tanh) ROW(sigmoid)
#define GELU_EVEN(ROW) ROW(erf) ROW(tanh) ROW(sigmoid)
#define GELU_ODD(ROW) ROW(gate_erf) ROW(gate_tanh) ROW(gate_sigmoid) ROW(grad_erf) ROW(grad_tanh) ROW(grad_sigmoid)
#define GELU_CURVES(ROW) GELU_EVEN(ROW) GELU_ODD(ROW)

/* A function, its number of inputs and of outputs; a ufunc for each of its forms, R(<function>_<form>) of gelu.h. Those
 * with mu and sigma stand in the order of those without (_core.pyx). */
#define GELU_FUNCTIONS(ROW)                          \
    GELU_EACH_FORM(ROW, gelu, 1, 1)                   \
    GELU_EACH_FORM(ROW, gelu_gate, 1, 1)              \
    GELU_EACH_FORM(ROW, gelu_grad, 1, 1)              \
    GELU_EACH_FORM(ROW, gelu_backward, 2, 1)          \
    GELU_EACH_FORM(ROW, gelu_mu_sigma, 3, 1)          \
    GELU_EACH_FORM(ROW, gelu_gate_mu_sigma, 3, 1)     \
    GELU_EACH_FORM(ROW, gelu_grad_mu_sigma, 3, 1)     \
    GELU_EACH_FORM(ROW, gelu_backward_mu_sigma, 4, 1) \
    GELU_EACH_FORM(ROW, bias_gelu, 2, 1)              \
    GELU_EACH_FORM(ROW, geglu, 2, 1)                  \
    GELU_EACH_FORM(ROW, geglu_backward, 3, 2)
#define GELU_EACH_FORM(ROW, name, n_in, n_out) \
    ROW(name##_erf, n_in, n_out) ROW(name##_tanh, n_in, n_out) ROW(name##_sigmoid, n_in, n_out)

/* storage type, the type that is computed in; NumPy's own as it promotes them, then those of ml_dtypes. What follows
 * ROW goes into each row. */
#define GELU_TYPES(ROW, ...)     \
    ROW(f16, f32, ##__VA_ARGS__) \
    ROW(f32, f32, ##__VA_ARGS__) \
    ROW(f64, f64, ##__VA_ARGS__) \
    ROW(bf16, f32, ##__VA_ARGS__)

#define GELU_COUNT(...) +1
enum {
    GELU_N_FUNCTIONS = 0 GELU_FUNCTIONS(GELU_COUNT),
    GELU_N_TYPES = 0 GELU_TYPES(GELU_COUNT),
};

/* args: the inputs, then the outputs, n contiguous elements each. An output may be an input, or lie behind
 * it in memory (at a lower address): elements are read before any at their address or above is written. */
typedef void gelu_kernel(char *const *args, ptrdiff_t n);

/* `streaming` writes past the caches. Its outputs are apart from its inputs, and lie at multiples of their size. */
typedef struct {
    gelu_kernel *plain, *streaming;
} gelu_kernels;

/* n elements, `step` bytes apart, to contiguous ones and back. */
typedef struct {
    void (*pack)(char *packed, const char *strided, ptrdiff_t step, ptrdiff_t n);
    void (*unpack)(char *strided, ptrdiff_t step, const char *packed, ptrdiff_t n);
} gelu_strides;

/* Stochastic GELU: random.h. */
typedef struct {
    void (*bits)(uint32_t *words, const uint32_t *key, uint64_t at, ptrdiff_t n);
    void (*decide_f32)(char *const *args, ptrdiff_t n, gelu_kernel *gate_f64);
    void (*decide_f64)(char *const *args, ptrdiff_t n, gelu_kernel *gate_f64);
} gelu_random;

typedef struct {
    const char *name;
    int n_in, n_out;
} gelu_function;

typedef struct {
    const char *name;
    int (*supported)(void); /* by the CPU that runs */
    const gelu_kernels (*kernels)[GELU_N_TYPES];
    const gelu_strides *strides; /* of each type */
    const gelu_random *random;
} gelu_level;

extern const gelu_function gelu_functions[GELU_N_FUNCTIONS];
extern const char *const gelu_types[GELU_N_TYPES];
extern const gelu_level gelu_levels[]; /* lowest first, ended by one without a name */
extern const char gelu_compiler[];

#endif
