/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The kernels of one ISA level as a library for tests/curves.py; and every curve and slope in the two parts that a
 * factor is multiplied by. With -DREGISTERS, float32 is computed by table_in_registers.h as on x86-64-v4, on any CPU:
 * by the same arithmetic in narrower vectors, with a lookup lane by lane. */
#ifdef REGISTERS
#include "simd.h"
#ifndef TABLE_IN_REGISTERS
#define TABLE_IN_REGISTERS
INLINE f32v f32_lookup(const f32 *table, f32_bits k)
{
    f32v v;
    for (int i = 0; i < LANES(f32); i++)
        v[i] = table[k[i] % 32];
    return v;
}
#endif
#endif

/* float32 and float64 are enough, and compile in a third of the time. */
#include "kernels.h"
#undef GELU_TYPES
#define GELU_TYPES(ROW, ...) ROW(f32, f32, ##__VA_ARGS__) ROW(f64, f64, ##__VA_ARGS__)
#define LEVEL tested
#include "level.h"

/* Writes for n numbers both parts, hi and lo, and whether these are multiplied by 2^96, as tails are. x is below 0, or
 * above 0 in the segments: beyond these a tail is added to 1 or x, which is 2^21 times as large. */
#define EACH_VECTOR(name, argument, end, near, far)                                                          \
    void PASTE(R(name), _parts)(const REAL *of, REAL *value, REAL *lost, REAL *lifted, ptrdiff_t n)          \
    {                                                                                                        \
        for (ptrdiff_t at = 0, lanes = sizeof(V) / sizeof(REAL); at < n; at += lanes) {                      \
            const ptrdiff_t length = n - at < lanes ? n - at : lanes;                                        \
            V x = R(load_part)(of + at, length), t = R(abs)(x);                                              \
            MASK inside = LE(t, SPLAT(end)) & ~POSITIVE_LE(t, SPLAT(TINY));                                  \
            TWO T, parts;                                                                                    \
            x = ZERO_UNLESS(inside, x), t = ZERO_UNLESS(inside, t);                                          \
            parts = near;                                                                                    \
            x = R(load_part)(of + at, length), t = SELECT(inside, SPLAT(16), R(abs)(x));                     \
            T = far;                                                                                         \
            R(store_part)(value + at, SELECT(inside, parts.hi, T.hi), length);                               \
            R(store_part)(lost + at, SELECT(inside, parts.lo, T.lo), length);                                \
            R(store_part)(lifted + at, ZERO_UNLESS(~inside, SPLAT(1)), length);                              \
        }                                                                                                    \
    }
#define CURVE_PARTS(family, curve)                                                                           \
    INLINE TWO R(far_##curve)(V x, V t)                                                                      \
    {                                                                                                        \
        TWO T = R(tail_##curve)(t);                                                                          \
        return (TWO){R(family##_signed_T)(x, T.hi), R(family##_signed_T)(x, T.lo)};                          \
    }                                                                                                        \
    EACH_VECTOR(curve, x, R(END_##curve), R(common_two_part_##curve)(x, 0), R(far_##curve)(x, t))
#define EVEN(curve) CURVE_PARTS(even, curve)
#define ODD(curve) CURVE_PARTS(odd, curve)
#define LOCATION(form)                                                                                       \
    INLINE TWO R(near_gate_##form)(V t)                                                                      \
    {                                                                                                        \
        V index;                                                                                             \
        return R(T_for_sum_gate_##form)(t, 0, &index);                                                       \
    }                                                                                                        \
    INLINE TWO R(far_slope_##form)(V t, TWO T)                                                               \
    {                                                                                                        \
        return R(slope_tail_##form)(t, T, R(one_minus)(SPLAT(TWO_LIFT), T));                                 \
    }                                                                                                        \
    EACH_VECTOR(rounded_gate_##form, t, R(END_gate_##form), R(near_gate_##form)(t), R(tail_gate_##form)(t))  \
    EACH_VECTOR(slope_##form, t, R(END_gate_##form), R(slope_##form)(t, 0),                                  \
                R(far_slope_##form)(t, R(tail_gate_##form)(t)))
#define PARTS GELU_EVEN(EVEN) GELU_ODD(ODD) GELU_FORMS(LOCATION)

#define REAL f32
PARTS
#undef REAL
#define REAL f64
PARTS
