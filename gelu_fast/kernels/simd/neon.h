/* SPDX-License-Identifier: BSD-3-Clause
 *
 * AArch64: Advanced SIMD, which every CPU of ARMv8.0 has. The bits are those of x86-64-v3: both have FMA. */
#include <arm_neon.h>

#define f32_BYTES 16
#define f64_BYTES 16
#define f32_GROUP 1
#define f64_GROUP 1
#include "vectors.h"

#define NOT_BEFORE(x) __asm__ volatile("" : "+w"(x))

#define NEON_WORDS(R, lanes)                                                                                 \
    MASK_WORDS(R)                                                                                            \
    INTEGER_POSITIVE_LE(R)                                                                                   \
    BLEND_WORD(R)                                                                                            \
    INLINE R##v R##_fma(R##v a, R##v b, R##v c) { return (R##v)vfmaq_##lanes(c, a, b); }                     \
    INLINE R##v R##_residual(R##v c, R##v a, R##v b) { return (R##v)vfmsq_##lanes(c, a, b); }                \
    INLINE R##v R##_fma_exact(R##v a, R##v b, R##v c) { return R##_fma(a, b, c); }                           \
    INLINE R##v R##_max(R##v a, R##v b) { return R##_select((R##_mask)(a > b), a, b); }                      \
    CLAMP_WORD(R)                                                                                            \
    INLINE int R##_any(R##_mask m) { return vmaxvq_u32((uint32x4_t)m) != 0; }
NEON_WORDS(f32, f32)
NEON_WORDS(f64, f64)

#define u32_multiply u32_multiply_wide

#define f32_INTERLEAVE_LOW vzip1q_f32
#define f32_INTERLEAVE_HIGH vzip2q_f32
#define f64_INTERLEAVE_LOW vzip1q_f64
#define f64_INTERLEAVE_HIGH vzip2q_f64
#include "sixteen_bytes.h"

/* Ordinary stores: others are not known to gain here. */
#define f16_STREAM(p, v) (*(f16_packed *)(p) = (v))
#define f32_STREAM(p, v) (*(f32v *)(p) = (v))
#define f64_STREAM(p, v) (*(f64v *)(p) = (v))
#define STREAM_FENCE() ((void)0)
