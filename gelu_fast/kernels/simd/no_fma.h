/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Words for an ISA without FMA: factors are split in halves whose products are exact (Dekker 1971). */
#define NO_FMA_WORDS(R, low_bits)                                                                            \
    MASK_WORDS(R)                                                                                            \
    BLEND_WORD(R)                                                                                            \
    INLINE R##_mask R##_positive_le(R##v t, R##v a) { return (R##_mask)(t <= a) & (R##_mask)(t > 0); }       \
    INLINE R##v R##_fma(R##v a, R##v b, R##v c) { return a * b + c; }                                        \
    INLINE R##v R##_residual(R##v c, R##v a, R##v b)                                                         \
    {                                                                                                        \
        R##v a_hi = (R##v)((R##_mask)a & ~(R##_mask){0} << low_bits), a_lo = a - a_hi;                       \
        R##v b_hi = (R##v)((R##_mask)b & ~(R##_mask){0} << low_bits), b_lo = b - b_hi;                       \
        return (((c - a_hi * b_hi) - a_hi * b_lo) - a_lo * b_hi) - a_lo * b_lo;                              \
    }                                                                                                        \
    INLINE R##v R##_max(R##v a, R##v b) { return R##_select((R##_mask)(a > b), a, b); }                      \
    CLAMP_WORD(R)                                                                                            \
    INLINE int R##_any(R##_mask m)                                                                           \
    {                                                                                                        \
        f64_bits bits = (f64_bits)m;                                                                         \
        return (bits[0] | bits[1]) != 0;                                                                     \
    }
NO_FMA_WORDS(f32, 12)
NO_FMA_WORDS(f64, 27)

/* a b is exact in float64, and what is there rounded to 53 bits has none to spare at the end of 24 but by chance. */
typedef VECTOR(double, 2 * f32_BYTES) f32_wide;
INLINE f32v f32_fma_exact(f32v a, f32v b, f32v c)
{
    f32_wide wide = __builtin_convertvector(a, f32_wide) * __builtin_convertvector(b, f32_wide);
    return __builtin_convertvector(wide + __builtin_convertvector(c, f32_wide), f32v);
}

/* The parts of a b, unless that is so small or so large that they, or halves of the factors, get out of range; then of
 * a b 2^600 or a b 2^-600. */
INLINE f64v f64_fma_exact_in_range(f64v a, f64v b, f64v c)
{
    f64v product = a * b;
    return product + (c - f64_residual(product, a, b));
}
INLINE f64v f64_fma_exact(f64v a, f64v b, f64v c)
{
    const f64_bits size_bits = ~(f64_bits){0} >> 1;
    f64v product = a * b, size = (f64v)((f64_bits)product & size_bits);
    f64_mask small = (f64_mask)(size < 0x1p-900), large = (f64_mask)(size > 0x1p1000);
    f64v y = f64_fma_exact_in_range(a, b, c);
    if (f64_any(small | large)) {
        f64v up = f64_select(small, (f64v){0} + 0x1p600, (f64v){0} + 0x1p-600), down = 1 / up;
        f64_mask a_first = (f64_mask)((f64v)((f64_bits)a & size_bits) < (f64v)((f64_bits)b & size_bits));
        a_first = (a_first & small) | (~a_first & large); /* the smaller one up, the larger one down */
        f64v scaled = f64_fma_exact_in_range(f64_select(a_first, a * up, a), f64_select(a_first, b, b * up), c * up);
        f64_mask in_range = (f64_mask)(size > 0) & (f64_mask)(size - size == 0);
        y = f64_select(small | large, f64_select(in_range, scaled * down, product), y);
    }
    return y;
}
