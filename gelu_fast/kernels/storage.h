/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Storage types. */
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
INLINE f32v f32_to_odd(f32_two y)
{
    f32_bits bits = (f32_bits)y.hi, lost = (f32_bits)y.lo;
    f32_bits toward_zero = bits + (f32_bits)((f32_signed)(bits ^ lost) >> 31);
    f32_mask inexact = f32_le((f32v)((f32_bits){0} + 1), (f32v)(lost & 0x7fffffff)); /* not of infinity: NaN */
    return f32_select(inexact, (f32v)(toward_zero | 1), y.hi);
}
INLINE f64v f64_to_odd(f64_two y) { return y.hi; } /* no type is rounded from float64 */
INLINE int f32_ends_in_zeros(f32v v, uint32_t last_bits)
{
    return f32_any(f32_le((f32v)((f32_bits)v & last_bits), (f32v){0}));
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
    f32_mask number = f32_le(v, (f32v){0} + __builtin_inff()); /* or a NaN might overflow */
    return __builtin_convertvector((bits + (f32_bits)f32_zero_unless(number, up)) >> 16, bf16_packed);
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

