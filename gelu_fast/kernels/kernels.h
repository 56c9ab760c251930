/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the C side offers to _core.pyx: the table of functions, and for each ISA level a table of kernels.
 *
 * CONTRIBUTING.md says what to touch for a new function, type or ISA level. */
#ifndef GELU_KERNELS_H
#define GELU_KERNELS_H

#include <stddef.h>

/* A ufunc each: name, number of inputs, number of outputs. isa.h calls R(gelu_<name>) for it. Those of one input come
 * from a curve each: gelu.h has its R(tail_<name>), tables.c its segments. */
#define GELU_EVEN(ROW) ROW(erf, 1, 1) ROW(tanh, 1, 1) ROW(sigmoid, 1, 1)
#define GELU_ODD(ROW)                                                     \
    ROW(gate_erf, 1, 1) ROW(gate_tanh, 1, 1) ROW(gate_sigmoid, 1, 1)     \
    ROW(grad_erf, 1, 1) ROW(grad_tanh, 1, 1) ROW(grad_sigmoid, 1, 1)
#define GELU_CURVES(ROW) GELU_EVEN(ROW) GELU_ODD(ROW)
#define GELU_FUNCTIONS(ROW) GELU_CURVES(ROW)

/* storage type, the type that is computed in; ordered as NumPy promotes. What follows ROW goes into each row. */
#define GELU_TYPES(ROW, ...)     \
    ROW(f16, f32, ##__VA_ARGS__) \
    ROW(f32, f32, ##__VA_ARGS__) \
    ROW(f64, f64, ##__VA_ARGS__)

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

typedef struct {
    const char *name;
    int n_in, n_out;
} gelu_function;

typedef struct {
    const char *name;
    int (*supported)(void); /* by the CPU that runs */
    const gelu_kernels (*kernels)[GELU_N_TYPES];
    const gelu_strides *strides; /* of each type */
} gelu_level;

extern const gelu_function gelu_functions[GELU_N_FUNCTIONS];
extern const char *const gelu_types[GELU_N_TYPES];
extern const gelu_level gelu_levels[]; /* lowest first, ended by one without a name */
extern const char gelu_compiler[];

#endif
