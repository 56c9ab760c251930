/* SPDX-License-Identifier: BSD-3-Clause
 *
 * float32 as in rows.h, where the ISA has a table of 32 numbers in registers: wider segments, more coefficients.
 *
 * T(t) = c0 + d p(d), d = t - center. Centers are looked up as well: they stand near the middle of the segment, where
 * T is a float32 but for a hundredth of an ULP or less, so that c0 needs no second part. The inner segments reach to
 * t = 0.47, for sigmoid, as the others are no narrower.
 *
 * Worst found of all float32, the tail of gelu.h included: erf 0.87 ULP at -0x1.3ce348p+2, tanh 0.90 ULP at
 *   -0x1.34cd4ap+2, sigmoid 0.96 ULP at -0x1.dfb3fap-2.
 *
 * Tried: gate(x) by segments and a product with x, 1.9 ULP, as the product's parts round; bfloat16 for the two
 * highest coefficients (vpermw reads two registers, not three), 4 % faster on Zen 4; 16 wider segments with
 * vpermps, no faster for the coefficients that are missing, and worse than 1 ULP; products and sums for FMA, slower;
 * two or three vectors at a time, 3 to 6 % faster. */

INLINE f32_sum_t f32_by_lanes(f32v x, f32v t, const f32 (*table)[32], f32 width, int last_inner)
{
    f32v shifted = f32_fma(t, ALL(1 / width), ALL(f32_ROUNDER));
    f32_bits k = (f32_bits)shifted;
    f32v d = t - f32_lookup(table[0], k);
    f32v p = f32_lookup(table[f32_LANE_TERMS], k);
    for (int j = f32_LANE_TERMS - 1; j > 0; j--)
        p = f32_fma(p, d, f32_lookup(table[j], k));
    f32_mask inner = f32_at_most(shifted, ALL(f32_ROUNDER + last_inner));
    return f32_sum(f32_select(inner, x * 0.5f, f32_max(ALL(0), x)), -p);
}

#define CORE(form)                                                                                           \
    INLINE f32_sum_t f32_core_##form(f32v x, f32v t)                                                         \
    {                                                                                                        \
        return f32_by_lanes(x, t, f32_LANES_##form, f32_LANE_WIDTH_##form, f32_LANE_INNER_##form);           \
    }
GELU_FORMS(CORE)
#undef CORE
