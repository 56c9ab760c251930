/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The kernels of one ISA level as a library for tests/curves.py, and what they do not show: every curve and slope in the
 * two parts that a factor is multiplied with. Compiled with -DREGISTERS, float32 is computed by lanes.h as on x86-64-v4,
 * whatever the CPU: by the same arithmetic in narrower vectors, with a lookup lane by lane. */
#ifdef REGISTERS
#include "simd.h"
#ifndef GELU_LANES
#define GELU_LANES
INLINE f32v f32_lookup(const f32 *table, f32_bits k)
{
    f32v v;
    for (int i = 0; i < LANES(f32); i++)
        v[i] = table[k[i] % 32];
    return v;
}
#endif
#endif

/* float32 and float64 will do, and take a third of the time to compile. */
#include "kernels.h"
#undef GELU_TYPES
#define GELU_TYPES(ROW, ...) ROW(f32, f32, ##__VA_ARGS__) ROW(f64, f64, ##__VA_ARGS__)
#define LEVEL tested
#include "isa.h"

/* Of n numbers: value and lost, and whether these are multiplied by 2^96, as tails are. For x < 0, and for x > 0 in the
 * segments; beyond these a tail stands beside 1 or x, which is 2^21 times as large. */
#define EACH_VECTOR(name, argument, in_segments, near, far)                                                  \
    void PASTE(R(name), _parts)(const REAL *of, REAL *value, REAL *lost, REAL *lifted, ptrdiff_t n)          \
    {                                                                                                        \
        for (ptrdiff_t at = 0, lanes = sizeof(V) / sizeof(REAL); at < n; at += lanes) {                      \
            const ptrdiff_t length = n - at < lanes ? n - at : lanes;                                        \
            V x = R(load_part)(of + at, length), t = R(abs)(x);                                              \
            MASK inside = in_segments(KEEP(~UP_TO(t, ALL(TINY)), t));                                        \
            SUM T, parts;                                                                                    \
            x = KEEP(inside, x), t = KEEP(inside, t);                                                        \
            parts = near;                                                                                    \
            x = R(load_part)(of + at, length), t = SELECT(inside, ALL(16), R(abs)(x));                       \
            T = far;                                                                                         \
            R(store_part)(value + at, SELECT(inside, parts.value, T.value), length);                         \
            R(store_part)(lost + at, SELECT(inside, parts.lost, T.lost), length);                            \
            R(store_part)(lifted + at, KEEP(~inside, ALL(1)), length);                                       \
        }                                                                                                    \
    }
#define CURVE(family, curve)                                                                                 \
    INLINE SUM R(far_##curve)(V x, V t)                                                                      \
    {                                                                                                        \
        SUM T = R(tail_##curve)(t);                                                                          \
        return (SUM){R(family##_of)(x, T.value), R(family##_of)(x, T.lost)};                                 \
    }                                                                                                        \
    EACH_VECTOR(curve, x, R(in_segments_##curve), R(exact_##curve)(x, t), R(far_##curve)(x, t))
#define EVEN(curve) CURVE(even, curve)
#define ODD(curve) CURVE(odd, curve)
#define LOCATION(form)                                                                                       \
    INLINE SUM R(near_gate_##form)(V t)                                                                      \
    {                                                                                                        \
        V shifted;                                                                                           \
        return R(rounded_gate_##form)(t, &shifted);                                                          \
    }                                                                                                        \
    INLINE SUM R(far_slope_##form)(V t, SUM T) { return R(slope_tail_##form)(t, T, R(above)(ALL(0x1p96), T)); } \
    EACH_VECTOR(rounded_gate_##form, t, R(in_segments_gate_##form), R(near_gate_##form)(t), R(tail_gate_##form)(t)) \
    EACH_VECTOR(slope_##form, t, R(in_segments_gate_##form), R(slope_##form)(t),                             \
                R(far_slope_##form)(t, R(tail_gate_##form)(t)))
#define PARTS GELU_EVEN(EVEN) GELU_ODD(ODD) GELU_FORMS(LOCATION)

#define TINY ((REAL)0x1p-60)
#define REAL f32
PARTS
#undef REAL
#define REAL f64
PARTS
