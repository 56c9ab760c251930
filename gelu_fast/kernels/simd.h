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
 *   R##_fused(a, b, c)     a b + c, |c| << |a b|, rounded once, or so that it makes next to no difference
 *   R##_max(a, b)          b where either is NaN
 *   R##_clamp(a, b)        a, but b or -b where it is beyond them; NaN is anything
 *   R##_at_most(a, b)      mask: a <= b, false for NaN; masks know & and ~
 *   R##_up_to(t, a)        mask: 0 < t <= a, where t is NaN or not below +0
 *   R##_any(m)             whether m holds in any lane
 *   R##_keep(m, a)         a where m, else 0
 *   R##_select(m, a, b)    a where m, else b
 *   R##_sum(a, b)          R##_sum_t: a + b, its rounded value, and what the rounding lost of it; |a| >= |b| or a = 0
 *   R##_rows(c, n, table, k)   c[j] = table[k % 2^16][j] for a table with rows of n, lane by lane: n is 4 for f32,
 *                          a multiple of 4 for f64; no such f32 word where GELU_LANES is defined, but
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
    INLINE R##_mask R##_at_most(R##v a, R##v b) { return (R##_mask)(a <= b); }                               \
    INLINE R##v R##_keep(R##_mask m, R##v a) { return (R##v)(m & (R##_mask)a); }

/* Integers order as the numbers do; zero, less one, comes last. Faster than two comparisons of numbers. */
#define INTEGER_UP_TO(R)                                                                                     \
    INLINE R##_mask R##_up_to(R##v t, R##v a)                                                                \
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
    INLINE R##v R##_fused(R##v a, R##v b, R##v c) { return R##_fma(a, b, c); }                               \
    INLINE R##v R##_max(R##v a, R##v b) { return _mm512_max_##ps(a, b); }                                    \
    INLINE R##v R##_clamp(R##v a, R##v b) { return _mm512_range_##ps(a, b, 2); }                             \
    INLINE R##_mask R##_at_most(R##v a, R##v b) { return _mm512_cmp_##ps##_mask(a, b, _CMP_LE_OQ); }         \
    INLINE R##_mask R##_up_to(R##v t, R##v a)                                                                \
    {                                                                                                        \
        return _mm512_cmplt_##epu32##_mask((__m512i)((R##_bits)t - 1), (__m512i)a);                          \
    }                                                                                                        \
    INLINE int R##_any(R##_mask m) { return m != 0; }                                                        \
    INLINE R##v R##_keep(R##_mask m, R##v a) { return _mm512_maskz_mov_##ps(m, a); }                         \
    INLINE R##v R##_select(R##_mask m, R##v a, R##v b) { return _mm512_mask_mov_##ps(b, m, a); }
AVX512_WORDS(f32, ps, epu32, 16)
AVX512_WORDS(f64, pd, epu64, 8)

#define GELU_LANES
INLINE f32v f32_lookup(const f32 *table, f32_bits k)
{
    return _mm512_permutex2var_ps(_mm512_loadu_ps(table), (__m512i)k, _mm512_loadu_ps(table + 16));
}

#elif defined(__AVX2__)

#define AVX2_WORDS(R, ps)                                                                                    \
    MASK_WORDS(R)                                                                                            \
    INTEGER_UP_TO(R)                                                                                         \
    INLINE R##v R##_fma(R##v a, R##v b, R##v c) { return _mm256_fmadd_##ps(a, b, c); }                       \
    INLINE R##v R##_residual(R##v c, R##v a, R##v b) { return _mm256_fnmadd_##ps(a, b, c); }                 \
    INLINE R##v R##_fused(R##v a, R##v b, R##v c) { return R##_fma(a, b, c); }                               \
    INLINE R##v R##_max(R##v a, R##v b) { return _mm256_max_##ps(a, b); }                                    \
    INLINE R##v R##_clamp(R##v a, R##v b) { return _mm256_max_##ps(_mm256_min_##ps(a, b), -b); }             \
    INLINE R##v R##_select(R##_mask m, R##v a, R##v b) { return _mm256_blendv_##ps(b, a, (R##v)m); }         \
    INLINE int R##_any(R##_mask m) { return _mm256_movemask_##ps((R##v)m) != 0; }
AVX2_WORDS(f32, ps)
AVX2_WORDS(f64, pd)

#elif defined(__aarch64__)

#define NEON_WORDS(R, lanes)                                                                                 \
    MASK_WORDS(R)                                                                                            \
    INTEGER_UP_TO(R)                                                                                         \
    BLEND_WORD(R)                                                                                            \
    INLINE R##v R##_fma(R##v a, R##v b, R##v c) { return (R##v)vfmaq_##lanes(c, a, b); }                     \
    INLINE R##v R##_residual(R##v c, R##v a, R##v b) { return (R##v)vfmsq_##lanes(c, a, b); }                \
    INLINE R##v R##_fused(R##v a, R##v b, R##v c) { return R##_fma(a, b, c); }                               \
    INLINE R##v R##_max(R##v a, R##v b) { return R##_select((R##_mask)(a > b), a, b); }                      \
    CLAMP_WORD(R)                                                                                            \
    INLINE int R##_any(R##_mask m) { return vmaxvq_u32((uint32x4_t)m) != 0; }
NEON_WORDS(f32, f32)
NEON_WORDS(f64, f64)

#else /* no FMA: split the factors in halves whose products are exact (Dekker 1971) */

#define NO_FMA_WORDS(R, low_bits)                                                                            \
    MASK_WORDS(R)                                                                                            \
    BLEND_WORD(R)                                                                                            \
    INLINE R##_mask R##_up_to(R##v t, R##v a) { return (R##_mask)(t <= a) & (R##_mask)(t > 0); }             \
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
INLINE f32v f32_fused(f32v a, f32v b, f32v c)
{
    f32_wide wide = __builtin_convertvector(a, f32_wide) * __builtin_convertvector(b, f32_wide);
    return __builtin_convertvector(wide + __builtin_convertvector(c, f32_wide), f32v);
}

/* The parts of a b, unless that is so small or so large that they, or halves of the factors, get out of range; then of
 * a b 2^600 or a b 2^-600. */
INLINE f64v f64_fused_in_range(f64v a, f64v b, f64v c)
{
    f64v product = a * b;
    return product + (c - f64_residual(product, a, b));
}
INLINE f64v f64_fused(f64v a, f64v b, f64v c)
{
    const f64_bits size_bits = ~(f64_bits){0} >> 1;
    f64v product = a * b, size = (f64v)((f64_bits)product & size_bits);
    f64_mask small = (f64_mask)(size < 0x1p-900), large = (f64_mask)(size > 0x1p1000);
    f64v y = f64_fused_in_range(a, b, c);
    if (f64_any(small | large)) {
        f64v up = f64_select(small, (f64v){0} + 0x1p600, (f64v){0} + 0x1p-600), down = 1 / up;
        f64_mask a_first = (f64_mask)((f64v)((f64_bits)a & size_bits) < (f64v)((f64_bits)b & size_bits));
        a_first = (a_first & small) | (~a_first & large); /* the smaller one up, the larger one down */
        f64v scaled = f64_fused_in_range(f64_select(a_first, a * up, a), f64_select(a_first, b, b * up), c * up);
        f64_mask in_range = (f64_mask)(size > 0) & (f64_mask)(size - size == 0);
        y = f64_select(small | large, f64_select(in_range, scaled * down, product), y);
    }
    return y;
}

#endif

#define SUM_WORDS(R)                                                                                         \
    typedef struct {                                                                                         \
        R##v value, lost;                                                                                    \
    } R##_sum_t;                                                                                             \
    INLINE R##_sum_t R##_sum(R##v a, R##v b)                                                                 \
    {                                                                                                        \
        R##v value = a + b;                                                                                  \
        return (R##_sum_t){value, (a - value) + b};                                                          \
    }
SUM_WORDS(f32)
SUM_WORDS(f64)

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

INLINE f64v f64_two(const f64 *low, const f64 *high)
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
        f64v a = f64_two(r[0] + j, r[2] + j), b = f64_two(r[1] + j, r[3] + j);
        f64v d = f64_two(r[4] + j, r[6] + j), e = f64_two(r[5] + j, r[7] + j);
        f64v low = _mm512_unpacklo_pd(a, b), high = _mm512_unpacklo_pd(d, e);
        c[j] = _mm512_shuffle_f64x2(low, high, 0x88);
        c[j + 2] = _mm512_shuffle_f64x2(low, high, 0xdd);
        low = _mm512_unpackhi_pd(a, b), high = _mm512_unpackhi_pd(d, e);
        c[j + 1] = _mm512_shuffle_f64x2(low, high, 0x88);
        c[j + 3] = _mm512_shuffle_f64x2(low, high, 0xdd);
    }
}

#elif defined(__AVX2__)

INLINE f64v f64_two(const f64 *low, const f64 *high)
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
        f64v a = f64_two(r[0] + j, r[2] + j), b = f64_two(r[1] + j, r[3] + j);
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
        r[i] = (f32v)f64_two((const f64 *)low, (const f64 *)high);
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

/* ---- storage types ---- */

/* A type that is computed in itself. */
#define OWN_STORAGE(R)                                                                                       \
    typedef R##v R##_packed;                                                                                 \
    INLINE R##v R##_unpack(R##_packed v) { return v; }                                                       \
    INLINE R##_packed R##_pack(R##v v) { return v; }                                                         \
    INLINE int R##_undecided(R##v v) { return 0; }
OWN_STORAGE(f32)
OWN_STORAGE(f64)

/* float16 and bfloat16, rounded to nearest, ties to even, once: what was rounded to the very middle between two of
 * them (its last bits, but for the first of those, are zero, which is rare) is rounded to odd instead (Boldo and
 * Melquiond, IEEE TC 57, 2008), as is what stands beside it, which makes no difference there. */
INLINE f32v f32_to_odd(f32_sum_t sum)
{
    f32_bits bits = (f32_bits)sum.value, lost = (f32_bits)sum.lost;
    f32_bits toward_zero = bits + (f32_bits)((f32_signed)(bits ^ lost) >> 31);
    f32_mask inexact = f32_at_most((f32v)((f32_bits){0} + 1), (f32v)(lost & 0x7fffffff)); /* not of infinity: NaN */
    return f32_select(inexact, (f32v)(toward_zero | 1), sum.value);
}
INLINE f64v f64_to_odd(f64_sum_t sum) { return sum.value; } /* no type is rounded from float64 */
INLINE int f32_ends_in_zeros(f32v v, uint32_t last_bits)
{
    return f32_any(f32_at_most((f32v)((f32_bits)v & last_bits), (f32v){0}));
}
INLINE int f16_undecided(f32v v) { return f32_ends_in_zeros(v, 0xfff); }
INLINE int bf16_undecided(f32v v) { return f32_ends_in_zeros(v, 0x7fff); }

typedef VECTOR(uint16_t, f32_BYTES / 2) f16_packed;

#if defined(__AVX2__) /* every CPU that has AVX2 has F16C */

#define TO_NEAREST (_MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
#if defined(__AVX512F__)
INLINE f32v f16_unpack(f16_packed v) { return _mm512_cvtph_ps((__m256i)v); }
INLINE f16_packed f16_pack(f32v v) { return (f16_packed)_mm512_cvtps_ph(v, TO_NEAREST); }
#else
INLINE f32v f16_unpack(f16_packed v) { return _mm256_cvtph_ps((__m128i)v); }
INLINE f16_packed f16_pack(f32v v) { return (f16_packed)_mm256_cvtps_ph(v, TO_NEAREST); }
#endif

#else

/* By integers and one exact multiplication: a float16's exponent and mantissa, moved to a float32's place, are
 * off by a factor 2^112, subnormals included. */
INLINE f32v f16_unpack(f16_packed v)
{
    f32_bits half = __builtin_convertvector(v, f32_bits);
    f32_bits magnitude = half & 0x7fff;
    f32_bits infinite = (f32_bits)(magnitude >= 0x7c00) & 0x7f800000;
    f32v scaled = (f32v)(magnitude << 13) * 0x1p112f;
    return (f32v)((f32_bits)scaled | infinite | (half & 0x8000) << 16);
}

/* A magnitude below 2^-14 is rounded by adding 1/2, whose last bit is float16's smallest subnormal; one above, by
 * adding half a unit in place (less one where even). */
INLINE f16_packed f16_pack(f32v v)
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
    return __builtin_convertvector(half, f16_packed);
}

#endif

/* bfloat16: the first half of a float32. Words of 16 and of 32 bits: the compiler's own conversion takes detours. */
typedef f16_packed bf16_packed;
#if defined(__AVX512F__)
#define TO_WORDS(v) (f32_bits) _mm512_cvtepu16_epi32((__m256i)(v))
#elif defined(__AVX2__)
#define TO_WORDS(v) (f32_bits) _mm256_cvtepu16_epi32((__m128i)(v))
#else
#define TO_WORDS(v) __builtin_convertvector(v, f32_bits)
#endif
INLINE f32v bf16_unpack(bf16_packed v) { return (f32v)(TO_WORDS(v) << 16); }
INLINE bf16_packed bf16_pack(f32v v)
{
    f32_bits bits = (f32_bits)v;
    f32v up = (f32v)(0x7fff + (bits >> 16 & 1));
    f32_mask number = f32_at_most(v, (f32v){0} + __builtin_inff()); /* or a NaN might overflow */
    return __builtin_convertvector((bits + (f32_bits)f32_keep(number, up)) >> 16, bf16_packed);
}

/* Stores past the cache, of whole vectors at their own alignment, seen in order after STREAM_FENCE. */
#if defined(__AVX512F__)
#define f16_STREAM(p, v) _mm256_stream_si256((__m256i *)(p), (__m256i)(v))
#define f32_STREAM(p, v) _mm512_stream_si512((__m512i *)(p), (__m512i)(v))
#define f64_STREAM(p, v) _mm512_stream_si512((__m512i *)(p), (__m512i)(v))
#elif defined(__AVX2__)
#define f16_STREAM(p, v) _mm_stream_si128((__m128i *)(p), (__m128i)(v))
#define f32_STREAM(p, v) _mm256_stream_si256((__m256i *)(p), (__m256i)(v))
#define f64_STREAM(p, v) _mm256_stream_si256((__m256i *)(p), (__m256i)(v))
#elif defined(__SSE2__)
#define f16_STREAM(p, v) _mm_stream_si64((long long *)(p), (long long)(v))
#define f32_STREAM(p, v) _mm_stream_si128((__m128i *)(p), (__m128i)(v))
#define f64_STREAM(p, v) _mm_stream_si128((__m128i *)(p), (__m128i)(v))
#else /* not known to gain: ordinary ones */
#define f16_STREAM(p, v) (*(f16_packed *)(p) = (v))
#define f32_STREAM(p, v) (*(f32_packed *)(p) = (v))
#define f64_STREAM(p, v) (*(f64_packed *)(p) = (v))
#endif
#if defined(__SSE2__)
#define STREAM_FENCE() _mm_sfence()
#else
#define STREAM_FENCE() ((void)0)
#endif

#if defined(__AVX512F__)
#define GELU_SPREAD
#define f16_SPREAD(p, v) _mm512_mask_storeu_epi16(p, 0x55555555, _mm512_cvtepu16_epi32((__m256i)(v)))
INLINE void f32_SPREAD(f32 *p, f32v v)
{
    _mm512_mask_storeu_epi32(p, 0x5555, _mm512_cvtepu32_epi64(_mm512_castsi512_si256((__m512i)v)));
    _mm512_mask_storeu_epi32(p + 16, 0x5555, _mm512_cvtepu32_epi64(_mm512_extracti64x4_epi64((__m512i)v, 1)));
}
INLINE void f64_SPREAD(f64 *p, f64v v)
{
    _mm512_mask_storeu_pd(p, 0x55, _mm512_permutexvar_pd(_mm512_set_epi64(3, 3, 2, 2, 1, 1, 0, 0), v));
    _mm512_mask_storeu_pd(p + 8, 0x55, _mm512_permutexvar_pd(_mm512_set_epi64(7, 7, 6, 6, 5, 5, 4, 4), v));
}
#endif

#define bf16_STREAM f16_STREAM
#define bf16_SPREAD f16_SPREAD

#define ACCESS(S, R)                                                                                         \
    typedef S##_packed S##_unaligned UNALIGNED(S);                                                           \
    INLINE R##v S##_load(const S *p) { return S##_unpack(*(const S##_unaligned *)p); }                       \
    INLINE void S##_store(S *p, R##v v) { *(S##_unaligned *)p = S##_pack(v); }                               \
    INLINE void S##_stream(S *p, R##v v) { S##_STREAM(p, S##_pack(v)); }                                     \
    INLINE R##v S##_load_part(const S *p, ptrdiff_t n)                                                       \
    {                                                                                                        \
        if (n == 1) {                                                                                        \
            S one;                                                                                           \
            memcpy(&one, p, sizeof(S)); /* ufunc.at hands on operands that are not aligned */                \
            return S##_unpack(one - (S##_packed){0}); /* not 0 + one, which has another sign for -0 */       \
        }                                                                                                    \
        S lanes[LANES(R)] = {0};                                                                             \
        memcpy(lanes, p, (size_t)n * sizeof(S));                                                             \
        return S##_load(lanes);                                                                              \
    }                                                                                                        \
    INLINE void S##_store_part(S *p, R##v v, ptrdiff_t n)                                                    \
    {                                                                                                        \
        if (n == 1) {                                                                                        \
            S one = S##_pack(v)[0];                                                                          \
            memcpy(p, &one, sizeof(S));                                                                      \
            return;                                                                                          \
        }                                                                                                    \
        S lanes[LANES(R)];                                                                                   \
        S##_store(lanes, v);                                                                                 \
        memcpy(p, lanes, (size_t)n * sizeof(S));                                                             \
    }
ACCESS(f16, f32)
ACCESS(bf16, f32)
ACCESS(f32, f32)
ACCESS(f64, f64)

#endif
