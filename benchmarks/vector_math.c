/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The usual formulas with the vector functions of the library that this is linked with: glibc's libmvec, or SLEEF, which
 * has them under the same names. peers.py compiles it; -ffast-math makes GCC call them. */

#include <math.h>

#define LOOP(name, type, formula)                                                                            \
    void name(const type *x, type *y, long n)                                                                \
    {                                                                                                        \
        _Pragma("omp parallel for simd") for (long i = 0; i < n; i++)                                        \
        {                                                                                                    \
            type v = x[i];                                                                                   \
            y[i] = formula;                                                                                  \
        }                                                                                                    \
    }

LOOP(exact_float32, float, 0.5f * v * (1 + erff(0.70710678f * v)))
LOOP(exact_float64, double, 0.5 * v * (1 + erf(0.70710678118654752 * v)))
LOOP(tanh_float32, float, 0.5f * v * (1 + tanhf(0.79788456f * (v + 0.044715f * (v * v * v)))))
LOOP(tanh_float64, double, 0.5 * v * (1 + tanh(0.79788456080286536 * (v + 0.044715 * (v * v * v)))))
LOOP(sigmoid_float32, float, v / (1 + expf(-1.702f * v)))
LOOP(sigmoid_float64, double, v / (1 + exp(-1.702 * v)))
