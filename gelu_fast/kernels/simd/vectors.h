/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The types of vectors of f32_BYTES and f64_BYTES, and words that several ISAs share. Each file of simd/ says how
 * long its vectors are and includes this. */
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

typedef VECTOR(float, f64_BYTES / 2) f32_half; /* as many as an f64v */

typedef VECTOR(uint16_t, f32_BYTES / 2) f16_packed;
typedef f16_packed bf16_packed;

/* The words of 32 bits of the products of even and of odd lanes. */
INLINE void u32_halves(f64_bits even, f64_bits odd, f32_bits *high, f32_bits *low)
{
    const f64_bits lower = (f64_bits){0} + 0xffffffff;
    *high = (f32_bits)((even >> 32) | (odd & ~lower));
    *low = (f32_bits)((even & lower) | (odd << 32));
}

/* u32_multiply in words of 64 bits. */
INLINE void u32_multiply_wide(f32_bits a, uint32_t b, f32_bits *high, f32_bits *low)
{
    typedef VECTOR(uint64_t, 2 * f32_BYTES) wide;
    wide product = __builtin_convertvector(a, wide) * b;
    *high = __builtin_convertvector(product >> 32, f32_bits);
    *low = __builtin_convertvector(product, f32_bits);
}
