/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Bits of numbers, and numbers in two parts hi + lo, where lo holds what the rounding of hi lost. Included once a
 * REAL.
 *
 * Error-free transformations: fast_two_sum is Fast2Sum of Dekker ("A floating-point technique for extending the
 * available precision", 1971); the error of a product is RESIDUAL (simd.h), by one FMA or Dekker's splitting. */

typedef struct {
    V hi, lo;
} TWO;

/* The tails compute T 2^LIFT, a normal number even where T is subnormal. A product that takes or makes a subnormal number
 * costs 35 ns on Intel's CPUs, and rounds twice. |T| < 2^-16 in the tails. */
#define LIFT 96
#define TWO_LIFT 0x1p96 /* 2^LIFT */

/* A large factor times T 2^LIFT may overflow: then the lift is SMALL_LIFT, by a factor LESS_LIFT. */
#define SMALL_LIFT 8
#define LESS_LIFT (REAL)(0x1p8 / TWO_LIFT) /* 2^(SMALL_LIFT - LIFT) */
#define LARGE 0x1p8 /* such a factor of a slope (loc_scale.h) */

/* |x| <= TINY: gelu(x) is x/2 to half an ULP, and the odd functions are 1/2. Above it x^2 is a normal number. */
#define TINY ((REAL)0x1p-60)

/* Factors up to SMALL are multiplied by RAISE before a product, and the product by LOWER afterwards. SMALL TINY/2 is
 * 2^5 MIN_NORMAL, so a larger factor times x/2, |x| > TINY, is a normal number. SMALL RAISE 2^(LIFT + 1) is 2^127 for
 * float32, so no small factor overflows. */
#define SMALL (R(MIN_NORMAL) * (REAL)0x1p66)
#define RAISE (REAL)0x1p90
#define LOWER (REAL)0x1p-90

INLINE V R(abs)(V x) { return (V)((BITS)x & ~R(SIGN)); }
INLINE V R(with_sign)(V x, BITS sign) { return (V)(((BITS)x & ~R(SIGN)) | (sign & R(SIGN))); }
INLINE MASK R(finite)(V a) { return LE(R(abs)(a), SPLAT(R(LARGEST))); }
INLINE MASK R(small)(V a) { return POSITIVE_LE(R(abs)(a), SPLAT(SMALL)); }
INLINE MASK R(common_factor)(V a) { return R(finite)(a) & ~R(small)(a); }

/* a + b, |a| >= |b| or a = 0. Exact. */
INLINE TWO R(fast_two_sum)(V a, V b)
{
    V hi = a + b;
    return (TWO){hi, (a - hi) + b};
}

/* a b, rounded, and its error. */
INLINE TWO R(two_product)(V a, V b)
{
    V hi = a * b;
    return (TWO){hi, -RESIDUAL(hi, a, b)};
}

/* hi + lo, rounded to odd: rounded to a narrower type afterwards, it is as if it had been rounded once (Boldo and
 * Melquiond, "Emulation of FMA and correctly rounded sums", IEEE TC 57, 2008). */
INLINE V R(to_odd)(TWO y)
{
    BITS bits = (BITS)y.hi, lost = (BITS)y.lo;
    BITS toward_zero = bits + (BITS)((R(signed))(bits ^ lost) >> (8 * sizeof(REAL) - 1));
    /* false for NaN, the error of infinity */
    MASK inexact = LE((V)((BITS){0} + 1), R(abs)(y.lo));
    return SELECT(inexact, (V)(toward_zero | 1), y.hi);
}

/* The product of two two-part numbers; a.lo b.lo counts, further terms do not. */
INLINE TWO R(times)(TWO a, TWO b)
{
    V hi = a.hi * b.hi;
    return (TWO){hi, FMA(a.hi, b.lo, a.lo * (b.hi + b.lo)) - RESIDUAL(hi, a.hi, b.hi)};
}

/* one - a, where |a| < |one|; `one` is 1, or 2^LIFT where a is lifted. */
INLINE TWO R(one_minus)(V one, TWO a)
{
    TWO y = R(fast_two_sum)(one, -a.hi);
    y.lo -= a.lo;
    return y;
}

/* Both parts times a power of two. */
INLINE TWO R(scale)(TWO a, V power) { return (TWO){a.hi * power, a.lo * power}; }

INLINE TWO R(select_two)(MASK m, TWO a, TWO b) { return (TWO){SELECT(m, a.hi, b.hi), SELECT(m, a.lo, b.lo)}; }

/* a (hi + lo), rounded once; SMALL < |a| < infinity, or a is 0. A product that is zero gets the sign of a `like`. */
INLINE TWO R(product)(V a, TWO by, V like)
{
    V rest = a * by.lo, y = FMA_EXACT(a, by.hi, rest);
    y = (V)((BITS)y | (((BITS)a ^ (BITS)like) & R(SIGN)));
    return (TWO){y, rest - RESIDUAL(y, a, by.hi)};
}

/* The same for any a, where |hi| < 2^(LIFT + 1). */
INLINE V R(any_product)(V a, TWO by, V like)
{
    MASK small = R(small)(a);
    V y = R(product)(SELECT(small, a * RAISE, a), by, like).hi;
    return SELECT(R(finite)(a), SELECT(small, y * LOWER, y), a * (by.hi + by.lo));
}

/* A finite number times 2^-lift, rounded to nearest: by integers, as a product with a subnormal result is slow. */
INLINE V R(unscale)(V lifted, BITS lift)
{
    const V least = (V)((lift + 1) << R(MANTISSA_BITS)); /* of those that become normal numbers */
    V size = R(abs)(lifted), y = (V)((BITS)size - (lift << R(MANTISSA_BITS)));
    /* the last bits of the sum are those of the subnormal number, rounded */
    V subnormal = (V)((BITS)(size + least) - (BITS)least);
    return R(with_sign)(SELECT(LE(least, size), y, subnormal), (BITS)lifted);
}

/* a T for T = lifted 2^-LIFT, |T| < 2^-16. a lifted may overflow where a T is finite, and a T may underflow. */
INLINE V R(times_lifted)(V a, TWO lifted)
{
    MASK large = LE(SPLAT(1), R(abs)(a));
    V y = R(any_product)(SELECT(large, a * LESS_LIFT, a), lifted, lifted.hi);
    V lift = SELECT(large, (V)((BITS){0} + SMALL_LIFT), (V)((BITS){0} + LIFT));
    return SELECT(R(finite)(a), R(unscale)(y, (BITS)lift), y);
}

/* x/2 for 0 < |x| <= TINY, the value of gelu there. The exact value lies just above x/2, so a tie between two
 * subnormal numbers rounds up. By integers: a product of subnormal numbers is slow. */
INLINE V R(tiny_half)(V x)
{
    const BITS one = (BITS){0} + 1;
    BITS sign = (BITS)x & R(SIGN), t = (BITS)x ^ sign;
    BITS subnormal = (t + (one & ((BITS)sign == 0))) >> 1;
    MASK is_normal = LE((V)(one << (R(MANTISSA_BITS) + 1)), (V)t);
    return (V)((BITS)SELECT(is_normal, (V)(t - (one << R(MANTISSA_BITS))), (V)subnormal) | sign);
}
