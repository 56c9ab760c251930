/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What each form's gelu is on this ISA level: `whole` of gelu.h, or, in float32 and where the ISA has a
 * table of 32 in registers, a polynomial by segments, and `whole` for the far negative tail alone.
 *
 * With t = |x| = k WIDTH + d, |d| <= WIDTH/2, the table has P(t) = c0_hi + r, r = c0_lo + c1 d + ... + c6 d^6.
 * x P(t) = x c0_hi - t r for x < 0, and x (1 - P(t)) = x (1 - c0_hi) - t r for x > 0, where 1 - c0_hi is
 * exact: one rounding of size, and no cancellation in the tail.
 *
 * Beyond NEAR, the end of the table, gelu(t) is t to half an ULP; a vector that has an x in [-CUTOFF, -NEAR)
 * goes through `whole` as well. Which lanes take which result depends on their values alone.
 *
 * Worst of all float32: erf 1.56 ULP at -0x1.4f4cb6p+2, tanh 1.95 ULP at -0x1.2b348cp+2,
 * sigmoid 1.62 ULP at -0x1.4aa75p+3; where c0_hi has few bits, in the last segments. */

#ifdef GELU_LOOKUP

INLINE f32v f32_segments(f32v x, f32v t, f32 width, const f32 table[][f32_SEGMENTS], int rows)
{
    f32v shifted = f32_fma(t, (f32v){0} + 1 / width, (f32v){0} + f32_ROUNDER);
    f32v d = f32_residual(t, shifted - f32_ROUNDER, (f32v){0} + width);
    f32_bits segment = (f32_bits)shifted;
    f32v r = f32_lookup(table[rows - 1], segment);
    for (int i = rows - 2; i > 0; i--)
        r = f32_fma(r, d, f32_lookup(table[i], segment));
    f32v c0 = f32_lookup(table[0], segment);
    f32v gate = f32_select(f32_at_most((f32v){0}, x), 1 - c0, c0);
    return f32_fma(x, gate, -(t * r));
}

#define GELU_F32(form)                                                                                       \
    static __attribute__((noinline)) f32v f32_far_##form(f32v x) { return f32_whole_##form(x); }             \
    INLINE f32v f32_gelu_##form(f32v x)                                                                      \
    {                                                                                                        \
        f32v t = (f32v)((f32_bits)x & ~f32_SIGN);                                                            \
        f32v y = f32_segments(x, t, f32_SEGMENT_WIDTH_##form, f32_SEGMENT_##form,                            \
                              LENGTH(f32_SEGMENT_##form));                                                   \
        y = f32_select(f32_at_most(t, (f32v){0} + f32_NEAR_##form), y, f32_max((f32v){0}, x));               \
        f32_mask far = f32_between(x, -f32_CUTOFF_##form, -f32_NEAR_##form);                                 \
        if (__builtin_expect(f32_any(far), 0))                                                               \
            y = f32_select(far, f32_far_##form(x), y);                                                       \
        return (f32v)((f32_bits)y | ((f32_bits)x & f32_SIGN));                                               \
    }

#else

#define GELU_F32(form) \
    INLINE f32v f32_gelu_##form(f32v x) { return f32_whole_##form(x); }

#endif

#define GELU_F64(form) \
    INLINE f64v f64_gelu_##form(f64v x) { return f64_whole_##form(x); }

GELU_FORMS(GELU_F32)
GELU_FORMS(GELU_F64)
