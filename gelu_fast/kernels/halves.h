/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Kernels of their own for float16 and bfloat16 (half.h), and the words in which the two differ:
 *
 *   S##_LIFT             E is computed times 2^LIFT, so that it is a normal number; S##_LIFT_OF_X, likewise for x
 *   S##_lift(t)          t 2^LIFT_OF_X
 *   S##_unlift(T, lift)  T 2^-lift, rounded to float32, for T >= 0 or |T| 2^-lift normal; any number for NaN
 *   S##_half_of_k(shifted)   an integer near k/2 in a number's exponent
 *   S##_normal(t)        t, or a normal number in place of a smaller one
 *   S##_without_sign(T, x, vanishing)   0 in place of T where |x| >= vanishing, as float32 has no smaller number
 *   S##_LIMIT            that T is subtracted from: 1, or the number below, which serves more inputs of float16 */
#include "coeffs_half.h"

#define f16_LIFT 0
#define f16_TWO_LIFT 1
#define f16_LIFT_OF_X 0
#define f16_LIMIT 0x1.fffffep-1f
INLINE f32v f16_lift(f32v t) { return t; }
INLINE f32v f16_unlift(f32v T, int lift) { return T; }
INLINE f32_bits f16_half_of_k(f32v shifted) { return (f32_bits){0}; }
INLINE f32v f16_normal(f32v t) { return t; }
INLINE f32v f16_without_sign(f32v T, f32v x, f32 vanishing)
{
    return f32_zero_unless(~f32_le((f32v){0} + vanishing, f32_abs(x)), T);
}

/* A subnormal number is a float32 whose last bits are those of a sum, less the larger term. Of the two, this and the
 * shifted exponent, the smaller one is right when lifted, and the larger one when unlifted. */
#define bf16_LIFT 40
#define bf16_TWO_LIFT 0x1p40f
#define bf16_LIFT_OF_X 16
#define bf16_LIMIT 1
INLINE f32_bits bf16_least(int lift) /* 2^lift times the least normal number */
{
    return (f32_bits){0} + ((uint32_t)(lift + 1) << f32_MANTISSA_BITS);
}
INLINE f32v bf16_lift(f32v t)
{
    const f32_bits least = bf16_least(bf16_LIFT_OF_X);
    f32v normal = (f32v)((f32_bits)t + (bf16_LIFT_OF_X << f32_MANTISSA_BITS));
    return f32_min(normal, (f32v)((f32_bits)t + least) - (f32v)least);
}
INLINE f32v bf16_unlift(f32v T, int lift)
{
    const f32_bits least = bf16_least(lift);
    f32_signed normal = (f32_signed)((f32_bits)T - ((uint32_t)lift << f32_MANTISSA_BITS));
    return (f32v)s32_max(normal, (f32_signed)((f32_bits)(T + (f32v)least) - least));
}
INLINE f32_bits bf16_half_of_k(f32v shifted)
{
    return ((f32_bits)shifted + bf16_LIFT) << (f32_MANTISSA_BITS - 1) & ~(uint32_t)0 << f32_MANTISSA_BITS;
}
INLINE f32v bf16_normal(f32v t) { return f32_max((f32v){0} + 0x1p-40f, t); }
INLINE f32v bf16_without_sign(f32v T, f32v x, f32 vanishing) { return T; }

/* Two vectors at a time, in any order, but stored as they were loaded. */
INLINE void f16_load_two(const f16 *p, f32v *first, f32v *second)
{
    *first = f16_load(p), *second = f16_load(p + LANES(f32));
}
INLINE void f16_store_two(f16 *p, f32v first, f32v second)
{
    f16_store(p, first), f16_store(p + LANES(f32), second);
}

/* Of each 32 bits the lower half is an element of the first vector, the upper half one of the second: without
 * conversions of integers, which cross lanes. A NaN here ends in zeros, as an input's or the hardware's own, so that its
 * rounding does not overflow. */
typedef f32_bits bf16_two ALIGNED_AS(bf16);
INLINE void bf16_load_two(const bf16 *p, f32v *first, f32v *second)
{
    f32_bits two = *(const bf16_two *)p;
    *first = (f32v)(two << 16), *second = (f32v)(two & 0xffff0000);
}
INLINE f32_bits bf16_rounded(f32v v)
{
    f32_bits bits = (f32_bits)v;
    return bits + (0x7fff + (bits >> 16 & 1));
}
INLINE f32_bits bf16_pack_two(f32v first, f32v second)
{
    return bf16_rounded(first) >> 16 | (bf16_rounded(second) & 0xffff0000);
}
INLINE void bf16_store_two(bf16 *p, f32v first, f32v second)
{
    *(bf16_two *)p = bf16_pack_two(first, second);
}

#define REAL f32
#define STORAGE f16
#include "direct.h"
#include "half.h"
#undef STORAGE
#define STORAGE bf16
#include "direct.h"
#include "half.h"
#undef STORAGE
#undef REAL
