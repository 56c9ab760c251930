/* SPDX-License-Identifier: BSD-3-Clause
 *
 * float32 as in rows.h, where the ISA has a table of 32 numbers in registers: wider segments, more coefficients.
 *
 * T(t) = c0 + d p(d), d = t - center. Centers are looked up as well: they stand near the middle of the segment, where
 * T is a float32 but for a hundredth of an ULP or less, so that c0 needs no second part. The inner segments reach to
 * t = 0.47, for sigmoid, as the others are no narrower.
 *
 * Worst found of all float32, the tail of gelu.h included: erf 0.87 ULP at -0x1.3ce348p+2, gate_erf 0.89 ULP at
 *   -0x1.3d12b2p+2, gate_sigmoid 0.79 ULP at 0x1.ecaa64p-2, gate_tanh 0.91 ULP at -0x1.295f42p+2, grad_erf 0.88 ULP
 *   at -0x1.4878aep+2, grad_sigmoid 0.92 ULP at -0x1.3389d2p-1, grad_tanh 0.85 ULP at -0x1.2a9facp+2, sigmoid 0.96
 *   ULP at -0x1.dfb3fap-2, tanh 0.90 ULP at -0x1.34cd4ap+2.
 *
 * Tried: gate(x) by segments and a product with x, 1.9 ULP, as the product's parts round; bfloat16 for the two
 * highest coefficients (vpermw reads two registers, not three), 4 % faster on Zen 4; 16 wider segments with
 * vpermps, no faster for the coefficients that are missing, and worse than 1 ULP; products and sums for FMA, slower. */

/* The index and d are shared; what rounding lost is no code where it is not used. */
typedef struct {
    f32v d, q, c1, c0;
} f32_lanes_t;

INLINE f32_lanes_t f32_by_lanes(f32v t, const f32 (*table)[32], f32 width, f32v *shifted)
{
    f32_lanes_t at;
    *shifted = f32_fma(t, ALL(1 / width), ALL(f32_ROUNDER));
    f32_bits k = (f32_bits)*shifted;
    at.d = t - f32_lookup(table[0], k);
    at.q = f32_lookup(table[f32_LANE_TERMS], k);
    for (int j = f32_LANE_TERMS - 1; j > 2; j--)
        at.q = f32_fma(at.q, at.d, f32_lookup(table[j], k));
    at.c1 = f32_lookup(table[2], k);
    at.c0 = f32_lookup(table[1], k);
    return at;
}

/* T, and what its last rounding lost. */
INLINE f32_sum_t f32_by_lanes_once(f32v t, const f32 (*table)[32], f32 width, f32v *shifted)
{
    f32_lanes_t at = f32_by_lanes(t, table, width, shifted);
    f32v p = f32_fma(at.q, at.d, at.c1), T = f32_fma(p, at.d, at.c0);
    return (f32_sum_t){T, f32_fma(p, at.d, at.c0 - T)};
}

/* In two parts, nearly free of rounding. Odd functions: the line c0 + c1 d, and what it lost and the rest, below a
 * seventh of it, which a product bears; beside a sum the rest has too many roundings (1.34 ULP), so that there, as for even
 * functions, for which near 0 there is no line (1.2 ULP), the parts are T and all that it lost, by two operations more. */
INLINE f32_sum_t f32_by_lanes_odd(f32v t, const f32 (*table)[32], f32 width, f32v *shifted)
{
    f32_lanes_t at = f32_by_lanes(t, table, width, shifted);
    f32v line = f32_fma(at.c1, at.d, at.c0);
    return (f32_sum_t){line, f32_fma(at.q, at.d * at.d, f32_fma(at.c1, at.d, at.c0 - line))};
}
INLINE f32_sum_t f32_by_lanes_even(f32v t, const f32 (*table)[32], f32 width, f32v *shifted)
{
    f32_lanes_t at = f32_by_lanes(t, table, width, shifted);
    f32v p = f32_fma(at.q, at.d, at.c1), p_lost = f32_fma(at.q, at.d, at.c1 - p), T = f32_fma(p, at.d, at.c0);
    return (f32_sum_t){T, f32_fma(p_lost, at.d, f32_fma(p, at.d, at.c0 - T))};
}

#define SEGMENT(curve)                                                                                       \
    INLINE f32_sum_t f32_segment_##curve(f32v t, f32v *shifted)                                              \
    {                                                                                                        \
        return f32_by_lanes_once(t, f32_LANES_##curve, f32_WIDTH_##curve, shifted);                          \
    }
#define PARTS(by_lanes, parts, curve)                                                                        \
    INLINE f32_sum_t f32_##parts##_##curve(f32v t, f32v *shifted)                                            \
    {                                                                                                        \
        return by_lanes(t, f32_LANES_##curve, f32_WIDTH_##curve, shifted);                                   \
    }
#define PARTS_EVEN(curve) PARTS(f32_by_lanes_even, parts, curve)
#define PARTS_ODD(curve) PARTS(f32_by_lanes_odd, parts, curve) PARTS(f32_by_lanes_even, rounded, curve)
GELU_CURVES(SEGMENT)
GELU_EVEN(PARTS_EVEN)
GELU_ODD(PARTS_ODD)
#undef SEGMENT
#undef PARTS
#undef PARTS_EVEN
#undef PARTS_ODD
