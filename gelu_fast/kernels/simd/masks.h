/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Masks as vectors of all ones or zeros, and the words that follow from them. Included once a REAL. */
typedef BITS MASK;
INLINE MASK R(le)(V a, V b) { return (MASK)(a <= b); }
INLINE V R(zero_unless)(MASK m, V a) { return (V)(m & (MASK)a); }

/* Positive numbers are ordered as their bits. Zero less one becomes the largest integer, which fails t <= a. Faster
 * than two comparisons of numbers, where there are comparisons of integers: SSE2 has none of 64 bits. */
INLINE MASK R(positive_le)(V t, V a)
{
#ifdef NO_FMA
    return (MASK)(t <= a) & (MASK)(t > 0);
#else
    const BITS last = ~(BITS){0} >> 1;
    return (MASK)((R(signed))((BITS)t + last) < (R(signed))((BITS)a - ~last));
#endif
}

#ifndef __AVX2__ /* which has instructions for these */
INLINE V R(select)(MASK m, V a, V b) { return (V)((m & (MASK)a) | (~m & (MASK)b)); }
INLINE V R(min)(V a, V b) { return R(select)((MASK)(a < b), a, b); }
INLINE V R(max)(V a, V b) { return R(select)((MASK)(a > b), a, b); }
INLINE V R(clamp)(V a, V b) { return R(select)((MASK)(a > b), b, R(max)(-b, a)); }
#endif
