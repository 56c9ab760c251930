/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The function of one curve for every x, and a times it. Included once a REAL and CURVE, of FAMILY even or odd.
 *
 * common_<curve>  x in the segments, as nearly all numbers are; short, and inlined
 * rare_<curve>    any x: in the segments, in the tail, tiny, beyond CUTOFF, NaN; a call
 * any_<curve>     the first if a vector lies in the segments whole, else the second
 *
 * A lane's result depends on its value alone, whichever of them computes it. Results are rounded once, hi, with what
 * that lost, lo. */
#define C(name) PASTE(PASTE(R(name), _), CURVE)
#define F(name) PASTE(PASTE(REAL, _), PASTE(FAMILY, _##name))

INLINE TWO C(common)(V x, V t)
{
    V index;
    TWO T = C(T)(t, &index);
    return F(from_T)(x, T, index, C(INNER));
}

/* In two parts, of which lo may be a seventh of hi. */
INLINE TWO C(common_two_part)(V x, V t)
{
    V index;
    TWO T = C(T_for_product)(t, &index);
    return F(from_T)(x, T, index, C(INNER));
}

INLINE TWO C(common_times)(V a, V x, V t)
{
    TWO exact = C(common_two_part)(x, t);
    return R(product)(a, exact, F(sign)(x, exact));
}

INLINE MASK C(in_segments)(V t) { return LE(t, SPLAT(C(END))) & ~POSITIVE_LE(t, SPLAT(TINY)); }

NOINLINE V C(rare)(V x)
{
    V t = R(abs)(x), y = F(limit)(x);
    MASK in_segments = C(in_segments)(t), tiny = POSITIVE_LE(t, SPLAT(TINY));
    MASK in_tail = LE(t, SPLAT(C(CUTOFF))) & ~in_segments & ~tiny;
    if (ANY(in_tail)) {
        V of = t; /* without a wait for the mask where no lane is tiny: a quarter faster */
        if (ANY(tiny))
            of = ZERO_UNLESS(in_tail, t);
        V T = R(unscale)(C(tail)(of).hi, (BITS){0} + LIFT);
        y = SELECT(in_tail, y + F(signed_T)(x, T), y);
    }
    if (ANY(in_segments))
        y = SELECT(in_segments, C(common)(ZERO_UNLESS(in_segments, x), ZERO_UNLESS(in_segments, t)).hi, y);
    if (ANY(tiny))
        y = SELECT(tiny, F(tiny)(x), y);
    return F(fix_sign)(x, y, (BITS)x);
}

/* For x < 0 the tail is multiplied by a before it may underflow; for x > 0 it is added to 1 or x first. */
NOINLINE V C(rare_times)(V a, V x)
{
    V t = R(abs)(x), limit = F(limit)(x), y = a * limit;
    MASK in_segments = C(in_segments)(t), tiny = POSITIVE_LE(t, SPLAT(TINY));
    MASK in_tail = LE(t, SPLAT(C(CUTOFF))) & ~in_segments & ~tiny;
    if (ANY(in_tail)) {
        TWO T = C(tail)(ZERO_UNLESS(in_tail, t));
        V below = R(times_lifted)(a, (TWO){F(signed_T)(x, T.hi), F(signed_T)(x, T.lo)});
        V beside = F(signed_T)(x, R(unscale)(T.hi, (BITS){0} + LIFT));
        V above = R(any_product)(a, R(fast_two_sum)(limit, beside), limit);
        y = SELECT(in_tail, SELECT(LE(x, SPLAT(0)), below, above), y);
    }
    if (ANY(in_segments)) {
        TWO exact = C(common_two_part)(ZERO_UNLESS(in_segments, x), ZERO_UNLESS(in_segments, t));
        y = SELECT(in_segments, R(any_product)(a, exact, F(sign)(x, exact)), y);
    }
    if (ANY(tiny))
        y = SELECT(tiny, F(tiny_times)(a, x), y);
    return F(fix_sign)(x, y, (BITS)x ^ (BITS)a);
}

INLINE TWO C(any)(V x)
{
    V t = R(abs)(x);
    MASK in_segments = C(in_segments)(t);
    if (__builtin_expect(ANY(~in_segments), 0)) {
        V lo = ZERO_UNLESS(in_segments, C(common)(x, ZERO_UNLESS(in_segments, t)).lo);
        lo = SELECT(POSITIVE_LE(t, SPLAT(TINY)), SPLAT(R(MIN_NORMAL)), lo); /* the exact value is just above x/2 */
        return (TWO){C(rare)(x), lo};
    }
    NOT_BEFORE(x);
    return C(common)(x, t);
}

INLINE TWO C(any_times)(V a, V x)
{
    V t = R(abs)(x);
    MASK common = C(in_segments)(t) & R(common_factor)(a);
    if (__builtin_expect(ANY(~common), 0)) {
        V lo = C(common_times)(a, x, ZERO_UNLESS(common, t)).lo;
        return (TWO){C(rare_times)(a, x), ZERO_UNLESS(common, lo)};
    }
    NOT_BEFORE(x);
    return C(common_times)(a, x, t);
}
#undef C
#undef F
#undef CURVE
