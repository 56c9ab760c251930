/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The function of one curve for every x, and a times it. Included once a REAL and CURVE, of FAMILY even or odd.
 *
 * in_segments_<curve>   the lanes that need nothing but the table, as nearly all do
 * usual_<curve>         those and more that `common` serves: so large that T does not count, and tiny for odd functions
 * common_<curve>        short, without a branch, and inlined; `lanes` says what they may be: IN_SEGMENTS
 *                       all; ANYWHERE, where others than usual ones get any number; ONE_NUMBER all, in the segments
 * rare_<curve>          any lane of n vectors, a multiple of RARE: in the tail, tiny, NaN, usual ones too; a call
 * any_<curve>           one vector: common if it is usual whole, else rare
 *
 * and likewise for a factor a times the curve. A lane's result depends on its value alone, whichever of them computes
 * it. Results are rounded once, hi, with what that lost, lo. */
#define C(name) PASTE(PASTE(R(name), _), CURVE)
#define F(name) PASTE(PASTE(REAL, _), PASTE(FAMILY, _##name))

INLINE MASK C(in_segments)(V x)
{
    V t = R(abs)(x);
    return LE(t, SPLAT(C(END))) & ~POSITIVE_LE(t, SPLAT(TINY));
}
INLINE MASK C(in_segments_times)(V a, V x) { return C(in_segments)(x) & R(common_factor)(a); }

/* T does not count from FAR on in a sum, and from FAR_TIMES on in the two parts of a factor. */
INLINE MASK C(usual)(V x) { return (LE(R(abs)(x), SPLAT(C(END))) | LE(SPLAT(C(FAR)), x)) & F(fits)(x); }
INLINE MASK C(usual_times)(V a, V x)
{
    MASK within = LE(R(abs)(x), SPLAT(C(END))) | LE(SPLAT(C(FAR_TIMES)), x);
    return within & F(fits_product)(x) & R(common_factor)(a);
}

INLINE TWO C(common)(V x, int lanes)
{
    V index, t = R(abs)(x);
    TWO T = C(T)(lanes == ANYWHERE ? F(tame)(t) : t, lanes, &index);
    return F(from_T)(x, T, index, C(INNER));
}

/* In two parts, of which lo may be a seventh of hi. */
INLINE TWO C(common_two_part)(V x, int lanes)
{
    V index, t = R(abs)(x);
    TWO T = C(T_for_product)(lanes == ANYWHERE ? F(tame)(t) : t, lanes, &index);
    return F(from_T)(x, T, index, C(INNER));
}

INLINE TWO C(common_times)(V a, V x, int lanes)
{
    TWO exact = C(common_two_part)(x, lanes);
    return R(product)(a, exact, F(sign)(x, exact));
}

INLINE MASK C(in_tail)(V t) { return LE(t, SPLAT(C(CUTOFF))) & ~LE(t, SPLAT(C(END))); }

/* RARE vectors side by side, as each waits for its own results most of the time: 1.28 ns for 1.55 by one, by four
 * the same (erf; x86-64-v3, Zen 3). T of CUTOFF is 0. */
NOINLINE void C(rare)(const V *x, V *y, int n)
{
    for (int i = 0; i < n; i += RARE) {
        V of[RARE], t[RARE], T[RARE];
        MASK tiny[RARE], in_segments[RARE];
        MASK some_tail = (MASK){0}, some_tiny = (MASK){0}, some_in_segments = (MASK){0};
        for (int j = 0; j < RARE; j++) {
            of[j] = x[i + j], t[j] = R(abs)(of[j]), T[j] = SPLAT(0);
            tiny[j] = POSITIVE_LE(t[j], SPLAT(TINY)), in_segments[j] = C(in_segments)(of[j]);
            some_tail |= C(in_tail)(t[j]), some_tiny |= tiny[j], some_in_segments |= in_segments[j];
        }
        if (ANY(some_tail))
            for (int j = 0; j < RARE; j++) {
                V within = MAX(SPLAT(C(END)), MIN(t[j], SPLAT(C(CUTOFF))));
                T[j] = R(unscale)(C(tail)(within).hi, (BITS){0} + LIFT);
            }
        for (int j = 0; j < RARE; j++)
            y[i + j] = F(fix_sign)(of[j], F(limit)(of[j]) + F(signed_T)(of[j], T[j]), (BITS)of[j]);
        if (ANY(some_in_segments))
            for (int j = 0; j < RARE; j++) {
                V common = C(common)(ZERO_UNLESS(in_segments[j], of[j]), IN_SEGMENTS).hi;
                y[i + j] = SELECT(in_segments[j], common, y[i + j]);
            }
        if (ANY(some_tiny))
            for (int j = 0; j < RARE; j++)
                y[i + j] = SELECT(tiny[j], F(tiny)(of[j]), y[i + j]);
    }
}

/* For x < 0 the tail is multiplied by a before it may underflow; for x > 0 it is added to 1 or x first. */
NOINLINE void C(rare_times)(const V *as, const V *x, V *y, int n)
{
    for (int i = 0; i < n; i += RARE) {
        V a[RARE], of[RARE], t[RARE];
        TWO T[RARE];
        MASK in_tail[RARE], tiny[RARE], in_segments[RARE];
        MASK some_tail = (MASK){0}, some_above = (MASK){0}, some_tiny = (MASK){0}, some_in_segments = (MASK){0};
        for (int j = 0; j < RARE; j++) {
            a[j] = as[i + j], of[j] = x[i + j], t[j] = R(abs)(of[j]);
            y[i + j] = a[j] * F(limit)(of[j]);
            in_tail[j] = C(in_tail)(t[j]);
            some_tail |= in_tail[j];
            some_above |= in_tail[j] & ~LE(of[j], SPLAT(0));
            tiny[j] = POSITIVE_LE(t[j], SPLAT(TINY)), in_segments[j] = C(in_segments)(of[j]);
            some_tiny |= tiny[j], some_in_segments |= in_segments[j];
        }
        if (ANY(some_tail))
            for (int j = 0; j < RARE; j++) {
                T[j] = C(tail)(SELECT(in_tail[j], t[j], SPLAT(C(END))));
                TWO factor = {F(signed_T)(of[j], T[j].hi), F(signed_T)(of[j], T[j].lo)};
                y[i + j] = SELECT(in_tail[j], R(times_lifted)(a[j], factor), y[i + j]);
            }
        if (ANY(some_above))
            for (int j = 0; j < RARE; j++) {
                V limit = F(limit)(of[j]), counts = R(unscale)(T[j].hi, (BITS){0} + LIFT);
                V beside = F(signed_T)(of[j], ZERO_UNLESS(~LE(SPLAT(C(FAR_TIMES)), of[j]), counts));
                V above = R(any_product)(a[j], R(fast_two_sum)(limit, beside), limit);
                y[i + j] = SELECT(in_tail[j] & ~LE(of[j], SPLAT(0)), above, y[i + j]);
            }
        if (ANY(some_in_segments))
            for (int j = 0; j < RARE; j++) {
                V within = ZERO_UNLESS(in_segments[j], of[j]);
                TWO exact = C(common_two_part)(within, IN_SEGMENTS);
                V product = R(any_product)(a[j], exact, F(sign)(within, exact));
                y[i + j] = SELECT(in_segments[j], product, y[i + j]);
            }
        if (ANY(some_tiny))
            for (int j = 0; j < RARE; j++)
                y[i + j] = SELECT(tiny[j], F(tiny_times)(a[j], of[j]), y[i + j]);
        for (int j = 0; j < RARE; j++)
            y[i + j] = F(fix_sign)(of[j], y[i + j], (BITS)of[j] ^ (BITS)a[j]);
    }
}

NOINLINE TWO C(any)(V x)
{
    MASK usual = C(usual)(x), tiny = POSITIVE_LE(R(abs)(x), SPLAT(TINY));
    TWO y = C(common)(ZERO_UNLESS(usual, x), ANYWHERE);
    if (__builtin_expect(ANY(~usual), 0)) {
        V of[RARE], rare[RARE];
        for (int i = 0; i < RARE; i++)
            of[i] = x;
        C(rare)(of, rare, RARE);
        y = (TWO){rare[0], ZERO_UNLESS(usual, y.lo)};
    }
    y.lo = SELECT(tiny, SPLAT(R(MIN_NORMAL)), y.lo); /* the exact value is just above x/2 or 1/2 */
    return y;
}

NOINLINE TWO C(any_times)(V a, V x)
{
    MASK usual = C(usual_times)(a, x);
    TWO y = C(common_times)(ZERO_UNLESS(usual, a), ZERO_UNLESS(usual, x), ANYWHERE);
    if (__builtin_expect(ANY(~usual), 0)) {
        V as[RARE], of[RARE], rare[RARE];
        for (int i = 0; i < RARE; i++)
            as[i] = a, of[i] = x;
        C(rare_times)(as, of, rare, RARE);
        y = (TWO){rare[0], ZERO_UNLESS(usual, y.lo)};
    }
    return y;
}
#undef C
#undef F
#undef CURVE
