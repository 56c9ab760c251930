/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Vectors of 16 bytes: rows to columns, by interleaving; float16, without conversions of the ISA's own. */
#ifndef __SSE2__ /* which has instructions for these */
INLINE unsigned f32_lanes(f32_mask m) { return (m[0] & 1) | (m[1] & 2) | (m[2] & 4) | (m[3] & 8); }
INLINE unsigned f64_lanes(f64_mask m) { return (unsigned)((m[0] & 1) | (m[1] & 2)); }
#endif

typedef f32v f32_row ALIGNED_AS(f32);
typedef f64v f64_row ALIGNED_AS(f64);

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

INLINE f32_signed s32_max(f32_signed a, f32_signed b)
{
    f32_signed larger = a > b;
    return (larger & a) | (~larger & b);
}

#define U16_TO_U32(v) __builtin_convertvector(v, f32_bits)
