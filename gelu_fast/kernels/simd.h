/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The vector vocabulary that the mathematics is written in. Vectors are GCC and Clang's vector extension, so
 * that + - * / & | << and casts need no words of their own; here stands only what an ISA does in its own way.
 * For a type R in {f32, f64}:
 *
 *   R              the scalar           R##v           a vector of it, R##_BYTES long
 *   R##_bits       unsigned integers of the same width, what comparisons and masks are made of
 *   R##_fma(a, b, c)       a b + c, rounded once where the ISA has FMA, twice on the baseline
 *   R##_residual(c, a, b)  c - a b, free of rounding where c is the rounded a b
 *   R##_fma_exact(a, b, c)     a b + c, |c| << |a b|, rounded once, or so that it makes next to no difference
 *   R##_max(a, b)          b where either is NaN
 *   R##_clamp(a, b)        a, but b or -b where it is beyond them; NaN is anything
 *   R##_le(a, b)      mask: a <= b, false for NaN; masks know & and ~
 *   R##_positive_le(t, a)        mask: 0 < t <= a, where t is NaN or not below +0
 *   R##_any(m)             whether m holds in any lane
 *   R##_zero_unless(m, a)         a where m, else 0
 *   R##_select(m, a, b)    a where m, else b
 *   R##_sum(a, b)          R##_sum_t: a + b, its rounded value, and what the rounding lost of it; |a| >= |b| or a = 0
 *   R##_rows(c, n, table, k)   c[j] = table[k % 2^16][j] for a table with rows of n, lane by lane: n is 4 for f32,
 *                          a multiple of 4 for f64; no such f32 word where TABLE_IN_REGISTERS is defined, but
 *   f32_lookup(table, k)   table[k % 32], lane by lane, in registers
 *   u32_multiply(a, b, &high, &low)    the words of a b, b a number
 *
 * and for a storage type S in {f16, bf16, f32, f64} with the vector type R##v of what it is computed in:
 *
 *   S##_load(p), S##_store(p, v), S##_load_part(p, n), S##_store_part(p, v, n)     the last two: n lanes
 *   S##_stream(p, v)       a store that leaves the caches alone; p aligned to S##_packed
 *   S##_undecided(v)       whether a lane of v lies in the very middle between two S, so that it must be known what v
 *                          itself has lost in rounding; then R##_to_odd(sum) is stored
 *   S##_SPREAD(p, v)       v, a S##_packed, to every second S from p on, and nothing in between; where there is such
 *                          a store, GELU_SPREAD is defined */
#ifndef GELU_SIMD_H
#define GELU_SIMD_H

#include <float.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* setup.py takes -ffast-math and the like back. This fails where a compiler still computes in another way. */
#if defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__) \
    || defined(__NO_SIGNED_ZEROS__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__) || FLT_EVAL_METHOD != 0
#error "gelu_fast needs IEEE arithmetic: build it without -ffast-math, -Ofast, -ffinite-math-only, -mfpmath=387 and such"
#endif
_Static_assert(sizeof 1.0 == sizeof(double), "gelu_fast needs double constants: no -fsingle-precision-constant");

#if defined(__AVX2__)
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

/* Bytes of a vector; and how many vectors are computed side by side, as each waits for its own results most of the
 * time. float32 on x86-64-v4: 0.151 ns with 1, 0.145 with 2, 0.138 with 3 or 4, and 0.149 if the compiler leaves them
 * one after the other (setup.py, SCHEDULE). Rows in memory wait less: x86-64-v3 0.404, 0.393, 0.437; the baseline
 * 0.85, 0.88; float64 0.70, 0.69, on x86-64-v3 1.04, 1.30 (2^16; Zen 5). */
#if defined(__AVX512F__)
#define f32_BYTES 64
#define f64_BYTES 64
#define f32_GROUP 3
#elif defined(__AVX2__)
#define f32_BYTES 32
#define f64_BYTES 32
#define f32_GROUP 2
#else
#define f32_BYTES 16
#define f64_BYTES 16
#define f32_GROUP 1
#endif
#define f64_GROUP 1
#define LARGEST_GROUP 3

#define INLINE static inline __attribute__((always_inline, unused))
#define NOINLINE static __attribute__((noinline, unused))
#define VECTOR(type, bytes) __attribute__((vector_size(bytes))) type
#define UNALIGNED(type) __attribute__((aligned(sizeof(type)), may_alias))
/* At a cache line: one that straddles lines made streaming take 0.42 ns for 0.20 (float32, 2^24; Zen 5). And hidden, or
 * it is addressed by way of a global offset table. */
#define TABLE __attribute__((aligned(64), visibility("hidden")))

/* Unrolled, or GCC spills the results to the stack and computes `lost` parts that are not used. */
#define UNROLLED _Pragma("GCC unroll 8")

/* A compiler may compute with x ahead of a branch that was to spare it subnormal numbers; not across this. */
#if defined(__AVX512F__)
#define NOT_BEFORE(x) __asm__ volatile("" : "+v"(x))
#elif defined(__SSE2__)
#define NOT_BEFORE(x) __asm__ volatile("" : "+x"(x))
#elif defined(__aarch64__)
#define NOT_BEFORE(x) __asm__ volatile("" : "+w"(x))
#else
#define NOT_BEFORE(x) ((void)0)
#endif

typedef float f32;
typedef double f64;
typedef uint16_t f16; /* its bits */
typedef uint16_t bf16;
typedef VECTOR(float, f32_BYTES) f32v;
typedef VECTOR(double, f64_BYTES) f64v;
typedef VECTOR(uint32_t, f32_BYTES) f32_bits;
typedef VECTOR(int32_t, f32_BYTES) f32_signed;
typedef VECTOR(uint64_t, f64_BYTES) f64_bits;
typedef VECTOR(int64_t, f64_BYTES) f64_signed;

#define LENGTH(array) ((int)(sizeof(array) / sizeof(*(array))))
#define LANES(R) ((ptrdiff_t)(R##_BYTES / sizeof(R)))

/* ---- what each ISA does in its own way ---- */

/* Masks as vectors. */
#define MASK_WORDS(R)                                                                                        \
    typedef R##_bits R##_mask;                                                                               \
    INLINE R##_mask R##_le(R##v a, R##v b) { return (R##_mask)(a <= b); }                               \
    INLINE R##v R##_zero_unless(R##_mask m, R##v a) { return (R##v)(m & (R##_mask)a); }

/* Integers order as the numbers do; zero, less one, comes last. Faster than two comparisons of numbers. */
#define INTEGER_POSITIVE_LE(R)                                                                                     \
    INLINE R##_mask R##_positive_le(R##v t, R##v a)                                                                \
    {                                                                                                        \
        const R##_bits last = ~(R##_bits){0} >> 1;                                                           \
        return (R##_mask)((R##_signed)((R##_bits)t + last) < (R##_signed)((R##_bits)a - ~last));             \
    }

#define BLEND_WORD(R)                                                                                        \
    INLINE R##v R##_select(R##_mask m, R##v a, R##v b)                                                       \
    {                                                                                                        \
        return (R##v)((m & (R##_mask)a) | (~m & (R##_mask)b));                                               \
    }

#define CLAMP_WORD(R)                                                                                        \
    INLINE R##v R##_clamp(R##v a, R##v b) { return R##_select((R##_mask)(a > b), b, R##_max(-b, a)); }

#if defined(__AVX512F__)

#define AVX512_WORDS(R, ps, epu32, lanes)                                                                    \
    typedef __mmask##lanes R##_mask;                                                                         \
    INLINE R##v R##_fma(R##v a, R##v b, R##v c) { return _mm512_fmadd_##ps(a, b, c); }                       \
    INLINE R##v R##_residual(R##v c, R##v a, R##v b) { return _mm512_fnmadd_##ps(a, b, c); }                 \
    INLINE R##v R##_fma_exact(R##v a, R##v b, R##v c) { return R##_fma(a, b, c); }                               \
    INLINE R##v R##_max(R##v a, R##v b) { return _mm512_max_##ps(a, b); }                                    \
    INLINE R##v R##_clamp(R##v a, R##v b) { return _mm512_range_##ps(a, b, 2); }                             \
    INLINE R##_mask R##_le(R##v a, R##v b) { return _mm512_cmp_##ps##_mask(a, b, _CMP_LE_OQ); }         \
    INLINE R##_mask R##_positive_le(R##v t, R##v a)                                                                \
    {                                                                                                        \
        return _mm512_cmplt_##epu32##_mask((__m512i)((R##_bits)t - 1), (__m512i)a);                          \
    }                                                                                                        \
    INLINE int R##_any(R##_mask m) { return m != 0; }                                                        \
    INLINE R##v R##_zero_unless(R##_mask m, R##v a) { return _mm512_maskz_mov_##ps(m, a); }                         \
    INLINE R##v R##_select(R##_mask m, R##v a, R##v b) { return _mm512_mask_mov_##ps(b, m, a); }
AVX512_WORDS(f32, ps, epu32, 16)
AVX512_WORDS(f64, pd, epu64, 8)

#define TABLE_IN_REGISTERS
INLINE f32v f32_lookup(const f32 *table, f32_bits k)
{
    return _mm512_permutex2var_ps(_mm512_loadu_ps(table), (__m512i)k, _mm512_loadu_ps(table + 16));
}

#elif defined(__AVX2__)

#define AVX2_WORDS(R, ps)                                                                                    \
    MASK_WORDS(R)                                                                                            \
    INTEGER_POSITIVE_LE(R)                                                                                         \
    INLINE R##v R##_fma(R##v a, R##v b, R##v c) { return _mm256_fmadd_##ps(a, b, c); }                       \
    INLINE R##v R##_residual(R##v c, R##v a, R##v b) { return _mm256_fnmadd_##ps(a, b, c); }                 \
    INLINE R##v R##_fma_exact(R##v a, R##v b, R##v c) { return R##_fma(a, b, c); }                               \
    INLINE R##v R##_max(R##v a, R##v b) { return _mm256_max_##ps(a, b); }                                    \
    INLINE R##v R##_clamp(R##v a, R##v b) { return _mm256_max_##ps(_mm256_min_##ps(a, b), -b); }             \
    INLINE R##v R##_select(R##_mask m, R##v a, R##v b) { return _mm256_blendv_##ps(b, a, (R##v)m); }         \
    INLINE int R##_any(R##_mask m) { return _mm256_movemask_##ps((R##v)m) != 0; }
AVX2_WORDS(f32, ps)
AVX2_WORDS(f64, pd)

#elif defined(__aarch64__)

#define NEON_WORDS(R, lanes)                                                                                 \
    MASK_WORDS(R)                                                                                            \
    INTEGER_POSITIVE_LE(R)                                                                                         \
    BLEND_WORD(R)                                                                                            \
    INLINE R##v R##_fma(R##v a, R##v b, R##v c) { return (R##v)vfmaq_##lanes(c, a, b); }                     \
    INLINE R##v R##_residual(R##v c, R##v a, R##v b) { return (R##v)vfmsq_##lanes(c, a, b); }                \
    INLINE R##v R##_fma_exact(R##v a, R##v b, R##v c) { return R##_fma(a, b, c); }                               \
    INLINE R##v R##_max(R##v a, R##v b) { return R##_select((R##_mask)(a > b), a, b); }                      \
    CLAMP_WORD(R)                                                                                            \
    INLINE int R##_any(R##_mask m) { return vmaxvq_u32((uint32x4_t)m) != 0; }
NEON_WORDS(f32, f32)
NEON_WORDS(f64, f64)

#else /* no FMA: split the factors in halves whose products are exact (Dekker 1971) */

#define NO_FMA_WORDS(R, low_bits)                                                                            \
    MASK_WORDS(R)                                                                                            \
    BLEND_WORD(R)                                                                                            \
    INLINE R##_mask R##_positive_le(R##v t, R##v a) { return (R##_mask)(t <= a) & (R##_mask)(t > 0); }             \
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

#endif

/* Of even and of odd lanes. */
#if defined(__AVX512F__)
INLINE void u32_multiply(f32_bits a, uint32_t b, f32_bits *high, f32_bits *low)
{
    const __m512i by = (__m512i)((f32_bits){0} + b);
    __m512i even = _mm512_mul_epu32((__m512i)a, by), odd = _mm512_mul_epu32((__m512i)((f64_bits)a >> 32), by);
    *high = (f32_bits)_mm512_mask_shuffle_epi32(odd, 0x5555, even, _MM_PERM_DDBB);
    *low = (f32_bits)_mm512_mask_shuffle_epi32(even, 0xaaaa, odd, _MM_PERM_CCAA);
}
#elif defined(__SSE2__)
#if defined(__AVX2__)
#define U64_MULTIPLY(a, b) (f64_bits) _mm256_mul_epu32((__m256i)(a), (__m256i)(b))
#else
#define U64_MULTIPLY(a, b) (f64_bits) _mm_mul_epu32((__m128i)(a), (__m128i)(b))
#endif
INLINE void u32_multiply(f32_bits a, uint32_t b, f32_bits *high, f32_bits *low)
{
    const f64_bits lower = (f64_bits){0} + 0xffffffff;
    f64_bits even = U64_MULTIPLY(a, (f32_bits){0} + b), odd = U64_MULTIPLY((f64_bits)a >> 32, (f32_bits){0} + b);
    *high = (f32_bits)((even >> 32) | (odd & ~lower));
    *low = (f32_bits)((even & lower) | (odd << 32));
}
#else
typedef VECTOR(uint64_t, 2 * f32_BYTES) u64_wide;
INLINE void u32_multiply(f32_bits a, uint32_t b, f32_bits *high, f32_bits *low)
{
    u64_wide product = __builtin_convertvector(a, u64_wide) * b;
    *high = __builtin_convertvector(product >> 32, f32_bits);
    *low = __builtin_convertvector(product, f32_bits);
}
#endif

/* ---- rows to columns ---- */

#if defined(__AVX512F__)

INLINE f64v f64_join(const f64 *low, const f64 *high)
{
    return _mm512_insertf64x4(_mm512_castpd256_pd512(_mm256_loadu_pd(low)), _mm256_loadu_pd(high), 1);
}
/* Four numbers of a row at a time, two rows to a register: 16 loads and 16 shuffles. Of two at a time, 32 loads and 8
 * shuffles, takes 0.88 ns for 0.71 (Zen 5). */
INLINE void f64_rows(f64v *c, int n, const f64 *table, f64_bits k)
{
    const f64_bits offsets = (k & 0xffff) * (uint64_t)(n * sizeof(f64));
    const f64 *r[8];
    for (int i = 0; i < 8; i++)
        r[i] = (const f64 *)((const char *)table + offsets[i]);
    for (int j = 0; j < n; j += 4) {
        f64v a = f64_join(r[0] + j, r[2] + j), b = f64_join(r[1] + j, r[3] + j);
        f64v d = f64_join(r[4] + j, r[6] + j), e = f64_join(r[5] + j, r[7] + j);
        f64v low = _mm512_unpacklo_pd(a, b), high = _mm512_unpacklo_pd(d, e);
        c[j] = _mm512_shuffle_f64x2(low, high, 0x88);
        c[j + 2] = _mm512_shuffle_f64x2(low, high, 0xdd);
        low = _mm512_unpackhi_pd(a, b), high = _mm512_unpackhi_pd(d, e);
        c[j + 1] = _mm512_shuffle_f64x2(low, high, 0x88);
        c[j + 3] = _mm512_shuffle_f64x2(low, high, 0xdd);
    }
}

#elif defined(__AVX2__)

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

#else

#if defined(__aarch64__)
#define f32_INTERLEAVE_LOW vzip1q_f32
#define f32_INTERLEAVE_HIGH vzip2q_f32
#define f64_INTERLEAVE_LOW vzip1q_f64
#define f64_INTERLEAVE_HIGH vzip2q_f64
#elif defined(__SSE2__)
#define f32_INTERLEAVE_LOW _mm_unpacklo_ps
#define f32_INTERLEAVE_HIGH _mm_unpackhi_ps
#define f64_INTERLEAVE_LOW _mm_unpacklo_pd
#define f64_INTERLEAVE_HIGH _mm_unpackhi_pd
#else
#define f32_INTERLEAVE_LOW(a, b) ((f32v){a[0], b[0], a[1], b[1]})
#define f32_INTERLEAVE_HIGH(a, b) ((f32v){a[2], b[2], a[3], b[3]})
#define f64_INTERLEAVE_LOW(a, b) ((f64v){a[0], b[0]})
#define f64_INTERLEAVE_HIGH(a, b) ((f64v){a[1], b[1]})
#endif
typedef f32v f32_row UNALIGNED(f32);
typedef f64v f64_row UNALIGNED(f64);

INLINE void f64_rows(f64v *c, int n, const f64 *table, f64_bits k)
{
    const f64 *r0 = table + n * (ptrdiff_t)(uint16_t)k[0], *r1 = table + n * (ptrdiff_t)(uint16_t)k[1];
    for (int j = 0; j < n; j += 2) {
        f64v a = *(const f64_row *)(r0 + j), b = *(const f64_row *)(r1 + j);
        c[j] = f64_INTERLEAVE_LOW(a, b);
        c[j + 1] = f64_INTERLEAVE_HIGH(a, b);
    }
}

INLINE void f32_rows(f32v *c, int n, const f32 *table, f32_bits k)
{
    f32v r[4];
    for (int i = 0; i < 4; i++)
        r[i] = *(const f32_row *)(table + n * (ptrdiff_t)(uint16_t)k[i]);
    f32v even = f32_INTERLEAVE_LOW(r[0], r[2]), odd = f32_INTERLEAVE_LOW(r[1], r[3]);
    c[0] = f32_INTERLEAVE_LOW(even, odd);
    c[1] = f32_INTERLEAVE_HIGH(even, odd);
    even = f32_INTERLEAVE_HIGH(r[0], r[2]), odd = f32_INTERLEAVE_HIGH(r[1], r[3]);
    c[2] = f32_INTERLEAVE_LOW(even, odd);
    c[3] = f32_INTERLEAVE_HIGH(even, odd);
}

#endif

#endif
