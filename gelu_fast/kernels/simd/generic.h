/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Any other ISA, by vector extensions alone. Untested but for its words, which are those of sse2.h and neon.h. */
#define f32_BYTES 16
#define f64_BYTES 16
#define f32_GROUP 1
#define f64_GROUP 1
#include "vectors.h"

#include "fma_exact.h"

#define u32_multiply u32_multiply_wide

#define f32_INTERLEAVE_LOW(a, b) ((f32v){a[0], b[0], a[1], b[1]})
#define f32_INTERLEAVE_HIGH(a, b) ((f32v){a[2], b[2], a[3], b[3]})
#define f64_INTERLEAVE_LOW(a, b) ((f64v){a[0], b[0]})
#define f64_INTERLEAVE_HIGH(a, b) ((f64v){a[1], b[1]})
#include "sixteen_bytes.h"

#define F64_LARGER f64_max
#define F32_TO_F64(v) __builtin_convertvector(v, f64v)
#define F64_TO_F32(v) __builtin_convertvector(v, f32_half)

/* Ordinary stores: others are not known to gain here. */
#define f16_STREAM(p, v) (*(f16_packed *)(p) = (v))
#define f32_STREAM(p, v) (*(f32v *)(p) = (v))
#define f64_STREAM(p, v) (*(f64v *)(p) = (v))
#define STREAM_FENCE() ((void)0)
