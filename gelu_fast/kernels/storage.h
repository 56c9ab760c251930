/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Conversions between storage types S in {f16, bf16, f32, f64} and the vector type R##v that each is computed in;
 * access.h makes loads and stores of them.
 *
 *   S##_packed             a vector as it is stored; S##_unpack(packed), S##_pack(v)
 *   S##_undecided(v)       whether a lane of v lies midway between two S, so that the error of v decides its rounding;
 *                          then R##_to_odd(hi + lo) is stored in its place */

/* Types that are computed in themselves. */
typedef f32v f32_packed;
INLINE f32v f32_unpack(f32_packed v) { return v; }
INLINE f32_packed f32_pack(f32v v) { return v; }
INLINE int f32_undecided(f32v v) { return 0; }
typedef f64v f64_packed;
INLINE f64v f64_unpack(f64_packed v) { return v; }
INLINE f64_packed f64_pack(f64v v) { return v; }
INLINE int f64_undecided(f64v v) { return 0; }

/* float16 and bfloat16 are rounded once, to nearest, ties to even. A float32 midway between two of them, whose last
 * bits are zero but for the first, is rare: it is rounded to odd instead. So are the other lanes of its vector; it does
 * not change their result. */
INLINE int f32_ends_in_zeros(f32v v, uint32_t last_bits)
{
    return f32_any(f32_le((f32v)((f32_bits)v & last_bits), (f32v){0}));
}
/* Whether a lane is a number that rounding changes. */
INLINE int f32_any_rounded(f32v v, f32v rounded)
{
    f32_mask same = f32_le(v, rounded) & f32_le(rounded, v);
    return f32_any(~same & f32_le(v, (f32v){0} + __builtin_inff()));
}
INLINE int f16_undecided(f32v v)
{
    return f32_ends_in_zeros(v, 0xfff) && f32_any_rounded(v, f16_unpack(f16_pack(v)));
}

/* bfloat16 is the upper half of a float32. */
INLINE f32v bf16_unpack(bf16_packed v) { return (f32v)(U16_TO_U32(v) << 16); }
INLINE bf16_packed bf16_pack(f32v v)
{
    f32_bits bits = (f32_bits)v;
    f32v up = (f32v)(0x7fff + (bits >> 16 & 1));
    f32_mask number = f32_le(v, (f32v){0} + __builtin_inff()); /* a NaN might overflow */
    return __builtin_convertvector((bits + (f32_bits)f32_zero_unless(number, up)) >> 16, bf16_packed);
}

INLINE int bf16_undecided(f32v v)
{
    return f32_ends_in_zeros(v, 0x7fff) && f32_any_rounded(v, bf16_unpack(bf16_pack(v)));
}

#define bf16_STREAM f16_STREAM
#define bf16_SPREAD f16_SPREAD
