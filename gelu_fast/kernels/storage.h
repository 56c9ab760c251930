/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Storage types S in {f16, bf16, f32, f64}, with the vector type R##v that each is computed in:
 *
 *   S##_load(p), S##_store(p, v), S##_load_part(p, n), S##_store_part(p, v, n)   the last two: n lanes
 *   S##_stream(p, v)       a store past the caches; p aligned to S##_packed, the vector as it is stored
 *   S##_undecided(v)       whether a lane of v lies midway between two S, so that the error of v decides its rounding; then
 *                          R##_to_odd(hi + lo) is stored in its place */

/* A type that is computed in itself. */
#define OWN_STORAGE(R)                                                                                       \
    typedef R##v R##_packed;                                                                                 \
    INLINE R##v R##_unpack(R##_packed v) { return v; }                                                       \
    INLINE R##_packed R##_pack(R##v v) { return v; }                                                         \
    INLINE int R##_undecided(R##v v) { return 0; }
OWN_STORAGE(f32)
OWN_STORAGE(f64)

/* float16 and bfloat16 are rounded once, to nearest, ties to even. A float32 midway between two of them, whose last bits are
 * zero but for the first, is rare: it is rounded to odd instead (Boldo and Melquiond, "Emulation of FMA and correctly
 * rounded sums", IEEE TC 57, 2008). So are the other lanes of its vector; it does not change their result. */
INLINE f32v f32_to_odd(f32_two y)
{
    f32_bits bits = (f32_bits)y.hi, lost = (f32_bits)y.lo;
    f32_bits toward_zero = bits + (f32_bits)((f32_signed)(bits ^ lost) >> 31);
    f32_mask inexact = f32_le((f32v)((f32_bits){0} + 1), (f32v)(lost & 0x7fffffff)); /* false for NaN, the error of infinity */
    return f32_select(inexact, (f32v)(toward_zero | 1), y.hi);
}
INLINE f64v f64_to_odd(f64_two y) { return y.hi; } /* no narrower type is computed in float64 */
INLINE int f32_ends_in_zeros(f32v v, uint32_t last_bits)
{
    return f32_any(f32_le((f32v)((f32_bits)v & last_bits), (f32v){0}));
}
INLINE int f16_undecided(f32v v) { return f32_ends_in_zeros(v, 0xfff); }
INLINE int bf16_undecided(f32v v) { return f32_ends_in_zeros(v, 0x7fff); }

/* bfloat16 is the upper half of a float32. */
INLINE f32v bf16_unpack(bf16_packed v) { return (f32v)(U16_TO_U32(v) << 16); }
INLINE bf16_packed bf16_pack(f32v v)
{
    f32_bits bits = (f32_bits)v;
    f32v up = (f32v)(0x7fff + (bits >> 16 & 1));
    f32_mask number = f32_le(v, (f32v){0} + __builtin_inff()); /* a NaN might overflow */
    return __builtin_convertvector((bits + (f32_bits)f32_zero_unless(number, up)) >> 16, bf16_packed);
}

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
            memcpy(&one, p, sizeof(S)); /* ufunc.at passes unaligned operands */                             \
            return S##_unpack(one - (S##_packed){0}); /* 0 + one would be +0 for -0 */                       \
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

