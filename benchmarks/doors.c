/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Loops of calls as a C program makes them, for doors.py: of gelu_fast.h's functions, and of the formulas that a program
 * has without them. */
#include <gelu_fast.h>

int begin(void) { return import_gelu_fast(); }

/* A hundred calls, as ctypes takes half a microsecond for one. */
int arrays_float32(const float *x, float *y, long n)
{
    const void *inputs[] = {x};
    void *outputs[] = {y};
    int status = GELU_FAST_OK;
    for (int i = 0; i < 100 && status == GELU_FAST_OK; i++)
        status =
            gelu_fast_apply(GELU_FAST_GELU, GELU_FAST_EXACT, GELU_FAST_FLOAT32, n, inputs, outputs, NULL, 1);
    return status;
}

#define NUMBERS(name, real, expression)                                                                      \
    void name(const real *x, real *y, long n)                                                                \
    {                                                                                                        \
        for (long i = 0; i < n; i++)                                                                         \
            y[i] = expression;                                                                               \
    }
NUMBERS(numbers_float64, double, gelu_fast_gelu(x[i], GELU_FAST_EXACT))
NUMBERS(numbers_float32, float, gelu_fast_geluf(x[i], GELU_FAST_EXACT))
NUMBERS(formula_float64, double, 0.5 * x[i] * erfc(-0.70710678118654752 * x[i]))
NUMBERS(formula_float32, float, 0.5f * x[i] * erfcf(-0.70710678f * x[i]))
