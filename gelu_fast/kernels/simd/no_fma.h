/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Words for an ISA without FMA: factors are split in halves whose products are exact (Dekker 1971). Included once a
 * REAL. */
#define f32_LOW_BITS 12 /* of a number's bits, those of its lower half */
#define f64_LOW_BITS 27
INLINE V R(fma)(V a, V b, V c) { return a * b + c; }
INLINE V R(residual)(V c, V a, V b)
{
    V a_hi = (V)((MASK)a & ~(MASK){0} << R(LOW_BITS)), a_lo = a - a_hi;
    V b_hi = (V)((MASK)b & ~(MASK){0} << R(LOW_BITS)), b_lo = b - b_hi;
    return (((c - a_hi * b_hi) - a_hi * b_lo) - a_lo * b_hi) - a_lo * b_lo;
}
INLINE int R(any)(MASK m)
{
    f64_bits bits = (f64_bits)m;
    return (bits[0] | bits[1]) != 0;
}
