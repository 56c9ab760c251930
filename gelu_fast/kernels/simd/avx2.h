/* SPDX-License-Identifier: BSD-3-Clause
 *
 * x86-64-v3: AVX2 and FMA; every CPU that has AVX2 has F16C. */
#include <immintrin.h>

#define f32_BYTES 32
#define f64_BYTES 32
#define f32_GROUP 2
#define f64_GROUP 1
#include "vectors.h"

#define REAL f32
#include "masks.h"
#undef REAL
#define REAL f64
#include "masks.h"
#undef REAL

INLINE f32v f32_fma(f32v a, f32v b, f32v c) { return _mm256_fmadd_ps(a, b, c); }
INLINE f32v f32_residual(f32v c, f32v a, f32v b) { return _mm256_fnmadd_ps(a, b, c); }
INLINE f32v f32_fma_exact(f32v a, f32v b, f32v c) { return f32_fma(a, b, c); }
INLINE f32v f32_min(f32v a, f32v b) { return _mm256_min_ps(a, b); }
INLINE f32v f32_max(f32v a, f32v b) { return _mm256_max_ps(a, b); }
INLINE f32v f32_clamp(f32v a, f32v b) { return _mm256_max_ps(_mm256_min_ps(a, b), -b); }
INLINE f32v f32_select(f32_mask m, f32v a, f32v b) { return _mm256_blendv_ps(b, a, (f32v)m); }
INLINE unsigned f32_lanes(f32_mask m) { return (unsigned)_mm256_movemask_ps((f32v)m); }
INLINE int f32_any(f32_mask m) { return f32_lanes(m) != 0; }

INLINE f64v f64_fma(f64v a, f64v b, f64v c) { return _mm256_fmadd_pd(a, b, c); }
INLINE f64v f64_residual(f64v c, f64v a, f64v b) { return _mm256_fnmadd_pd(a, b, c); }
INLINE f64v f64_fma_exact(f64v a, f64v b, f64v c) { return f64_fma(a, b, c); }
INLINE f64v f64_min(f64v a, f64v b) { return _mm256_min_pd(a, b); }
INLINE f64v f64_max(f64v a, f64v b) { return _mm256_max_pd(a, b); }
INLINE f64v f64_clamp(f64v a, f64v b) { return _mm256_max_pd(_mm256_min_pd(a, b), -b); }
INLINE f64v f64_select(f64_mask m, f64v a, f64v b) { return _mm256_blendv_pd(b, a, (f64v)m); }
INLINE unsigned f64_lanes(f64_mask m) { return (unsigned)_mm256_movemask_pd((f64v)m); }
INLINE int f64_any(f64_mask m) { return f64_lanes(m) != 0; }

#define U64_MULTIPLY(a, b) (f64_bits) _mm256_mul_epu32((__m256i)(a), (__m256i)(b))
INLINE void u32_multiply(f32_bits a, uint32_t b, f32_bits *high, f32_bits *low)
{
    f64_bits even = U64_MULTIPLY(a, (f32_bits){0} + b),
             odd = U64_MULTIPLY((f64_bits)a >> 32, (f32_bits){0} + b);
    u32_halves(even, odd, high, low);
}

INLINE f64v f64_join(const f64 *low, const f64 *high)
{
    return _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(low)), _mm_loadu_pd(high), 1);
}
/* Two numbers of a row at a time, two rows to a register. */
INLINE void f64_rows(f64v *c, int n, const f64 *table, f64_bits k)
{
    const f64 *r[4];
    for (int i = 0; i < 4; i++)
        r[i] = table + n * (ptrdiff_t)(uint16_t)k[i];
    for (int j = 0; j < n; j += 2) {
        f64v a = f64_join(r[0] + j, r[2] + j), b = f64_join(r[1] + j, r[3] + j);
        c[j] = _mm256_unpacklo_pd(a, b);
        c[j + 1] = _mm256_unpackhi_pd(a, b);
    }
}

INLINE void f32_rows(f32v *c, int n, const f32 *table, f32_bits k)
{
    const f64_bits offsets = (f64_bits)((k & 0xffff) * (uint32_t)(n * sizeof(f32)));
    f32v r[4];
    for (int i = 0; i < 4; i++) {
        const char *low = (const char *)table + (uint32_t)(offsets[i / 2] >> 32 * (i % 2));
        const char *high = (const char *)table + (uint32_t)(offsets[2 + i / 2] >> 32 * (i % 2));
        r[i] = (f32v)f64_join((const f64 *)low, (const f64 *)high);
    }
    f64v ab = (f64v)_mm256_unpacklo_ps(r[0], r[1]), cd = (f64v)_mm256_unpacklo_ps(r[2], r[3]);
    c[0] = (f32v)_mm256_unpacklo_pd(ab, cd);
    c[1] = (f32v)_mm256_unpackhi_pd(ab, cd);
    ab = (f64v)_mm256_unpackhi_ps(r[0], r[1]), cd = (f64v)_mm256_unpackhi_ps(r[2], r[3]);
    c[2] = (f32v)_mm256_unpacklo_pd(ab, cd);
    c[3] = (f32v)_mm256_unpackhi_pd(ab, cd);
}

INLINE f32_signed s32_max(f32_signed a, f32_signed b)
{
    return (f32_signed)_mm256_max_epi32((__m256i)a, (__m256i)b);
}

#define TO_NEAREST (_MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
INLINE f32v f16_unpack(f16_packed v) { return _mm256_cvtph_ps((__m128i)v); }
INLINE f16_packed f16_pack(f32v v) { return (f16_packed)_mm256_cvtps_ph(v, TO_NEAREST); }
#define U16_TO_U32(v) (f32_bits) _mm256_cvtepu16_epi32((__m128i)(v))
#define F64_LARGER f64_max
#define F32_TO_F64(v) (f64v) _mm256_cvtps_pd((__m128)(v))
#define F64_TO_F32(v) (f32_half) _mm256_cvtpd_ps((__m256d)(v))

#define f16_STREAM(p, v) _mm_stream_si128((__m128i *)(p), (__m128i)(v))
#define f32_STREAM(p, v) _mm256_stream_si256((__m256i *)(p), (__m256i)(v))
#define f64_STREAM(p, v) _mm256_stream_si256((__m256i *)(p), (__m256i)(v))
#define STREAM_FENCE() _mm_sfence()
