/* SPDX-License-Identifier: BSD-3-Clause
 *
 * gate(x) and gelu_grad(x), from their curves T: less 1/2 they are odd, so that T(|x|) is the result for x < 0, and
 * 1 - T(|x|) for x >= 0. The functions are those of even.h. Included once a REAL. */
INLINE V R(odd_limit)(V x) /* 0 or 1 */
{
    const BITS sign = (BITS){0} + R(SIGN);
    return (V)((BITS)(((BITS)x & sign) == 0) & (BITS)SPLAT(1));
}
INLINE V R(odd_signed_T)(V x, V T) { return (V)((BITS)T ^ (~(BITS)x & R(SIGN))); }
INLINE V R(odd_tiny)(V x) { return SPLAT(0.5); }
/* Tiny numbers count as TINY: the result is 1/2, and products with subnormal numbers are slow. */
INLINE V R(odd_tame)(V t) { return MAX(SPLAT(TINY), t); }
INLINE MASK R(odd_fits)(V x) { return ~(MASK){0}; }
INLINE MASK R(odd_fits_product)(V x) { return ~(MASK){0}; }
INLINE V R(odd_tiny_times)(V a, V x) { return a * (REAL)0.5; }
INLINE V R(odd_sign)(V x, TWO of_x) { return of_x.hi + of_x.lo; }
/* The sign is right; NaN of a NaN. */
INLINE V R(odd_fix_sign)(V x, V y, BITS sign) { return SELECT(LE(x, SPLAT(__builtin_inff())), y, x); }

INLINE TWO R(odd_from_T)(V x, TWO T, V index, int last_inner) /* no segment of an odd curve is an inner one */
{
    TWO sum = R(fast_two_sum)(R(odd_limit)(x), R(odd_signed_T)(x, T.hi));
    sum.lo += R(odd_signed_T)(x, T.lo);
    return sum;
}
