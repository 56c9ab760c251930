/* SPDX-License-Identifier: BSD-3-Clause
 *
 * gelu(x), from its curve T: gelu(x) - x/2 is even, so that max(x, 0) - T(|x|) serves both signs. In the inner
 * segments, near zero, the table holds T(t) - t/2, and the result is x/2 less that. Included once a REAL. */

/* The result where T is 0, beyond CUTOFF. NaN stays NaN: MAX gives its second argument. */
INLINE V R(even_limit)(V x) { return MAX(SPLAT(0), x); }
/* The term that T adds. */
INLINE V R(even_signed_T)(V x, V T) { return -T; }
INLINE V R(even_tiny)(V x) { return R(tiny_half)(x); }
/* Tiny numbers need a result of their own. They are too small for a product, and infinity has no two parts. */
INLINE MASK R(even_fits)(V x) { return ~POSITIVE_LE(R(abs)(x), SPLAT(TINY)); }
INLINE V R(even_tame)(V t) { return t; }
INLINE MASK R(even_fits_product)(V x) { return R(even_fits)(x) & R(finite)(x); }
INLINE V R(even_tiny_times)(V a, V x) { return a * (REAL)0.5 * x; }
/* A number with the sign of the result. */
INLINE V R(even_sign)(V x, TWO of_x) { return x; }
/* The result has the sign of x, zeros included. */
INLINE V R(even_fix_sign)(V x, V y, BITS sign) { return R(with_sign)(y, sign); }

INLINE TWO R(even_from_T)(V x, TWO T, V index, int last_inner)
{
    MASK inner = LE(index, SPLAT(R(ROUNDER) + last_inner));
    TWO sum = R(fast_two_sum)(SELECT(inner, x * (REAL)0.5, MAX(SPLAT(0), x)), -T.hi);
    sum.lo -= T.lo;
    return sum;
}
