/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The baseline of x86-64: SSE2. */
#include <emmintrin.h>

#define f32_BYTES 16
#define f64_BYTES 16
#define f32_GROUP 1
#define f64_GROUP 1
#include "vectors.h"

#include "fma_exact.h"

INLINE unsigned f32_lanes(f32_mask m) { return (unsigned)_mm_movemask_ps((f32v)m); }
INLINE unsigned f64_lanes(f64_mask m) { return (unsigned)_mm_movemask_pd((f64v)m); }

#define U64_MULTIPLY(a, b) (f64_bits) _mm_mul_epu32((__m128i)(a), (__m128i)(b))
INLINE void u32_multiply(f32_bits a, uint32_t b, f32_bits *high, f32_bits *low)
{
    f64_bits even = U64_MULTIPLY(a, (f32_bits){0} + b),
             odd = U64_MULTIPLY((f64_bits)a >> 32, (f32_bits){0} + b);
    u32_halves(even, odd, high, low);
}

#define f32_INTERLEAVE_LOW _mm_unpacklo_ps
#define f32_INTERLEAVE_HIGH _mm_unpackhi_ps
#define f64_INTERLEAVE_LOW _mm_unpacklo_pd
#define f64_INTERLEAVE_HIGH _mm_unpackhi_pd
#include "sixteen_bytes.h"

#define F64_LARGER _mm_max_pd /* as f64_max it would slow float64's geglu: 13.4 ns for 8.9 (Zen 3) */
INLINE f64v F32_TO_F64(f32_half v)
{
    f64 both;
    memcpy(&both, &v, sizeof both);
    return _mm_cvtps_pd((__m128)_mm_set_sd(both));
}
INLINE f32_half F64_TO_F32(f64v v)
{
    f64v both = (f64v)_mm_cvtpd_ps(v);
    f32_half half;
    memcpy(&half, &both, sizeof half);
    return half;
}

#define f16_STREAM(p, v) _mm_stream_si64((long long *)(p), (long long)(v))
#define f32_STREAM(p, v) _mm_stream_si128((__m128i *)(p), (__m128i)(v))
#define f64_STREAM(p, v) _mm_stream_si128((__m128i *)(p), (__m128i)(v))
#define STREAM_FENCE() _mm_sfence()
