/* SPDX-License-Identifier: BSD-3-Clause
 *
 * AArch64: Advanced SIMD, which every CPU of ARMv8.0 has. The bits are those of x86-64-v3: both have FMA. */
#include <arm_neon.h>

#define f32_BYTES 16
#define f64_BYTES 16
#define f32_GROUP 1
#define f64_GROUP 1
#include "vectors.h"

#define REAL f32
#include "masks.h"
#undef REAL
#define REAL f64
#include "masks.h"
#undef REAL

INLINE f32v f32_fma(f32v a, f32v b, f32v c) { return (f32v)vfmaq_f32(c, a, b); }
INLINE f32v f32_residual(f32v c, f32v a, f32v b) { return (f32v)vfmsq_f32(c, a, b); }
INLINE f32v f32_fma_exact(f32v a, f32v b, f32v c) { return f32_fma(a, b, c); }
INLINE int f32_any(f32_mask m) { return vmaxvq_u32((uint32x4_t)m) != 0; }

INLINE f64v f64_fma(f64v a, f64v b, f64v c) { return (f64v)vfmaq_f64(c, a, b); }
INLINE f64v f64_residual(f64v c, f64v a, f64v b) { return (f64v)vfmsq_f64(c, a, b); }
INLINE f64v f64_fma_exact(f64v a, f64v b, f64v c) { return f64_fma(a, b, c); }
INLINE int f64_any(f64_mask m) { return vmaxvq_u32((uint32x4_t)m) != 0; }

#define u32_multiply u32_multiply_wide

#define f32_INTERLEAVE_LOW vzip1q_f32
#define f32_INTERLEAVE_HIGH vzip2q_f32
#define f64_INTERLEAVE_LOW vzip1q_f64
#define f64_INTERLEAVE_HIGH vzip2q_f64
#include "sixteen_bytes.h"

#define F64_LARGER f64_max
#define F32_TO_F64(v) __builtin_convertvector(v, f64v)
#define F64_TO_F32(v) __builtin_convertvector(v, f32_half)

/* Ordinary stores: others are not known to gain here. */
#define f16_STREAM(p, v) (*(f16_packed *)(p) = (v))
#define f32_STREAM(p, v) (*(f32v *)(p) = (v))
#define f64_STREAM(p, v) (*(f64v *)(p) = (v))
#define STREAM_FENCE() ((void)0)
