/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the C side offers to _core.pyx: the table of functions, and for each ISA level a table of kernels.
 *
 * To add a function, write it in gelu.h and add a row to GELU_FUNCTIONS. To add an ISA level, add a stub
 * isa_<level>.c, its row in setup.py and its row in levels.c. To add a type, add its load and store to
 * simd.h and a row to GELU_TYPES. */
#ifndef GELU_KERNELS_H
#define GELU_KERNELS_H

#include <stddef.h>

/* name, number of inputs, number of outputs */
#define GELU_FUNCTIONS(ROW) \
    ROW(erf, 1, 1)          \
    ROW(tanh, 1, 1)         \
    ROW(sigmoid, 1, 1)

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

typedef struct {
    const char *name;
    int n_in, n_out;
} gelu_function;

typedef struct {
    const char *name;
    int (*supported)(void); /* by the CPU that runs */
    gelu_kernel *const (*kernels)[GELU_N_TYPES];
} gelu_level;

extern const gelu_function gelu_functions[GELU_N_FUNCTIONS];
extern const char *const gelu_types[GELU_N_TYPES];
extern const gelu_level gelu_levels[]; /* lowest first, ended by one without a name */
extern const char gelu_compiler[];

#endif
