/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The vector vocabulary that gelu.h is written in. Vectors are GCC and Clang's vector extension, so that
 * + - * / & | << and casts need no words of their own; here stands only what an ISA does in its own way.
 * For a type R in {f32, f64}:
 *
 *   R              the scalar           R##v           a vector of it, VECTOR_BYTES long
 *   R##_bits       unsigned integers of the same width, what comparisons and masks are made of
 *   R##_fma(a, b, c)       a b + c, rounded once where the ISA has FMA, twice on the baseline
 *   R##_residual(c, a, b)  c - a b, free of rounding where c is the rounded a b
 *   R##_max(a, b)          b where either is NaN
 *   R##_at_most(a, b)      mask: a <= b, false for NaN
 *   R##_keep(m, a)         a where m, else 0
 *   R##_select(m, a, b)    a where m, else b
 *
 * where GELU_LOOKUP is defined, for f32 alone:
 *
 *   f32_lookup(table, i)   table[i % 32], lane by lane, in registers
 *   f32_between(a, low, high)   mask: low <= a < high, false for NaN
 *   f32_any(m)             whether m holds in any lane
 *
 * and for a storage type S in {f16, f32, f64} with the vector type R##v of what it is computed in:
 *
 *   S##_load(p), S##_store(p, v), S##_load_part(p, n), S##_store_part(p, v, n)     the last two: n lanes */
#ifndef GELU_SIMD_H
#define GELU_SIMD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX2__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif

#define INLINE static inline __attribute__((always_inline, unused))
#define VECTOR(type) __attribute__((vector_size(VECTOR_BYTES))) type
#define UNALIGNED(type) __attribute__((aligned(sizeof(type)), may_alias))

typedef float f32;
typedef double f64;
typedef uint16_t f16; /* its bits */
typedef VECTOR(float) f32v;
typedef VECTOR(double) f64v;
typedef VECTOR(uint32_t) f32_bits;
typedef VECTOR(uint64_t) f64_bits;
typedef uint16_t f16v __attribute__((vector_size(VECTOR_BYTES / 2)));

#define LENGTH(array) ((int)(sizeof(array) / sizeof(*(array))))
#define LANES(R) ((ptrdiff_t)(VECTOR_BYTES / sizeof(R)))

/* ---- what each ISA does in its own way ---- */

#if defined(__AVX512F__)

#include <immintrin.h>
typedef __mmask16 f32_mask;
typedef __mmask8 f64_mask;
#define OWN_WORDS(R, ps)                                                                                     \
    INLINE R##v R##_fma(R##v a, R##v b, R##v c) { return _mm512_fmadd_##ps(a, b, c); }                       \
    INLINE R##v R##_residual(R##v c, R##v a, R##v b) { return _mm512_fnmadd_##ps(a, b, c); }                 \
    INLINE R##v R##_max(R##v a, R##v b) { return _mm512_max_##ps(a, b); }                                    \
    INLINE R##_mask R##_at_most(R##v a, R##v b) { return _mm512_cmp_##ps##_mask(a, b, _CMP_LE_OQ); }         \
    INLINE R##v R##_keep(R##_mask m, R##v a) { return _mm512_maskz_mov_##ps(m, a); }                         \
    INLINE R##v R##_select(R##_mask m, R##v a, R##v b) { return _mm512_mask_mov_##ps(b, m, a); }
OWN_WORDS(f32, ps)
OWN_WORDS(f64, pd)

#define GELU_LOOKUP
INLINE f32v f32_lookup(const f32 *table, f32_bits i)
{
    return _mm512_permutex2var_ps(_mm512_loadu_ps(table), (__m512i)i, _mm512_loadu_ps(table + 16));
}
INLINE f32_mask f32_between(f32v a, f32 low, f32 high)
{
    f32_mask above = _mm512_cmp_ps_mask(a, _mm512_set1_ps(low), _CMP_GE_OQ);
    return _mm512_mask_cmp_ps_mask(above, a, _mm512_set1_ps(high), _CMP_LT_OQ);
}
INLINE int f32_any(f32_mask m) { return m != 0; }

#else

typedef f32_bits f32_mask;
typedef f64_bits f64_mask;
#define OWN_WORDS(R)                                                                                         \
    INLINE R##_mask R##_at_most(R##v a, R##v b) { return (R##_mask)(a <= b); }                               \
    INLINE R##v R##_keep(R##_mask m, R##v a) { return (R##v)(m & (R##_mask)a); }                             \
    INLINE R##v R##_select(R##_mask m, R##v a, R##v b)                                                       \
    {                                                                                                        \
        return (R##v)((m & (R##_mask)a) | (~m & (R##_mask)b));                                               \
    }
OWN_WORDS(f32)
OWN_WORDS(f64)

#if defined(__AVX2__)

#include <immintrin.h>
#define FMA_WORDS(R, ps)                                                                                     \
    INLINE R##v R##_fma(R##v a, R##v b, R##v c) { return _mm256_fmadd_##ps(a, b, c); }                       \
    INLINE R##v R##_residual(R##v c, R##v a, R##v b) { return _mm256_fnmadd_##ps(a, b, c); }                 \
    INLINE R##v R##_max(R##v a, R##v b) { return _mm256_max_##ps(a, b); }
FMA_WORDS(f32, ps)
FMA_WORDS(f64, pd)

#elif defined(__aarch64__)

#include <arm_neon.h>
#define FMA_WORDS(R, lanes)                                                                                  \
    INLINE R##v R##_fma(R##v a, R##v b, R##v c) { return (R##v)vfmaq_##lanes(c, a, b); }                     \
    INLINE R##v R##_residual(R##v c, R##v a, R##v b) { return (R##v)vfmsq_##lanes(c, a, b); }                \
    INLINE R##v R##_max(R##v a, R##v b) { return R##_select((R##_mask)(a > b), a, b); }
FMA_WORDS(f32, f32)
FMA_WORDS(f64, f64)

#else /* no FMA: split the factors in halves whose products are exact (Dekker 1971) */

#define NO_FMA_WORDS(R, low_bits)                                                                            \
    INLINE R##v R##_fma(R##v a, R##v b, R##v c) { return a * b + c; }                                        \
    INLINE R##v R##_residual(R##v c, R##v a, R##v b)                                                         \
    {                                                                                                        \
        R##v a_hi = (R##v)((R##_mask)a & ~(R##_mask){0} << low_bits), a_lo = a - a_hi;                       \
        R##v b_hi = (R##v)((R##_mask)b & ~(R##_mask){0} << low_bits), b_lo = b - b_hi;                       \
        return (((c - a_hi * b_hi) - a_hi * b_lo) - a_lo * b_hi) - a_lo * b_lo;                              \
    }                                                                                                        \
    INLINE R##v R##_max(R##v a, R##v b) { return R##_select((R##_mask)(a > b), a, b); }
NO_FMA_WORDS(f32, 12)
NO_FMA_WORDS(f64, 27)

#endif
#endif

/* ---- storage types ---- */

/* A type that is computed in itself. */
#define OWN_STORAGE(R)                                                                                       \
    typedef R##v R##v_unaligned UNALIGNED(R);                                                                \
    INLINE R##v R##_load(const R *p) { return *(const R##v_unaligned *)p; }                                  \
    INLINE void R##_store(R *p, R##v v) { *(R##v_unaligned *)p = v; }
OWN_STORAGE(f32)
OWN_STORAGE(f64)

/* float16, rounded to nearest, ties to even. */
#if defined(__AVX512F__)

INLINE f32v f16_load(const f16 *p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p)); }
INLINE void f16_store(f16 *p, f32v v)
{
    _mm256_storeu_si256((__m256i *)p, _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

#elif defined(__AVX2__) /* every CPU that has AVX2 has F16C */

INLINE f32v f16_load(const f16 *p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }
INLINE void f16_store(f16 *p, f32v v)
{
    _mm_storeu_si128((__m128i *)p, _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

#else

typedef f16v f16v_unaligned UNALIGNED(f16);

/* By integers and one exact multiplication: a float16's exponent and mantissa, moved to a float32's place, are
 * off by a factor 2^112, subnormals included. */
INLINE f32v f16_load(const f16 *p)
{
    f32_bits half = __builtin_convertvector(*(const f16v_unaligned *)p, f32_bits);
    f32_bits magnitude = half & 0x7fff;
    f32_bits infinite = (f32_bits)(magnitude >= 0x7c00) & 0x7f800000;
    f32v scaled = (f32v)(magnitude << 13) * 0x1p112f;
    return (f32v)((f32_bits)scaled | infinite | (half & 0x8000) << 16);
}

/* A magnitude below 2^-14 is rounded by adding 1/2, whose last bit is float16's smallest subnormal; one above, by
 * adding half a unit in place (less one where even). */
INLINE void f16_store(f16 *p, f32v v)
{
    f32_bits bits = (f32_bits)v, magnitude = bits & 0x7fffffff;
    f32_bits normal = (magnitude + 0xfff + (magnitude >> 13 & 1) - (112u << 23)) >> 13;
    f32_bits subnormal = (f32_bits)((f32v)magnitude + 0.5f) - 0x3f000000;
    f32_bits is_normal = (f32_bits)(magnitude >= 0x38800000u);
    f32_bits overflows = (f32_bits)(magnitude >= 0x477ff000u);
    f32_bits is_nan = (f32_bits)(magnitude > 0x7f800000u);
    f32_bits half = (is_normal & normal) | (~is_normal & subnormal);
    half = (overflows & 0x7c00) | (~overflows & half);
    half |= (is_nan & 0x0200) | (bits >> 16 & 0x8000);
    *(f16v_unaligned *)p = __builtin_convertvector(half, f16v);
}

#endif

/* A part of a vector goes through a padded one: a lane's result depends on nothing but its value. */
#define PARTS(S, R)                                                                                          \
    INLINE R##v S##_load_part(const S *p, ptrdiff_t n)                                                       \
    {                                                                                                        \
        S lanes[LANES(R)] = {0};                                                                             \
        memcpy(lanes, p, (size_t)n * sizeof(S));                                                             \
        return S##_load(lanes);                                                                              \
    }                                                                                                        \
    INLINE void S##_store_part(S *p, R##v v, ptrdiff_t n)                                                    \
    {                                                                                                        \
        S lanes[LANES(R)];                                                                                   \
        S##_store(lanes, v);                                                                                 \
        memcpy(p, lanes, (size_t)n * sizeof(S));                                                             \
    }
PARTS(f16, f32)
PARTS(f32, f32)
PARTS(f64, f64)

#endif
