/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Conversions between storage types S in {f16, bf16, f32, f64} and the vector type R##v that each is computed in;
 * access.h makes loads and stores of them.
 *
 *   S##_packed             a vector as it is stored; S##_unpack(packed), S##_pack(v)
 *
 * float16 and bfloat16 are rounded from a float32, to nearest, ties to even. So they are rounded twice, and within 0.5 +
 * 2^-12 ULP of the exact value (bfloat16: 2^-15); the functions of half.h that have one input are right for every one. */

/* Types that are computed in themselves. */
typedef f32v f32_packed;
INLINE f32v f32_unpack(f32_packed v) { return v; }
INLINE f32_packed f32_pack(f32v v) { return v; }
typedef f64v f64_packed;
INLINE f64v f64_unpack(f64_packed v) { return v; }
INLINE f64_packed f64_pack(f64v v) { return v; }

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
