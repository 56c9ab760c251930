/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The gradient with location and scale, g(z) + by g'(z), by = x/sigma (location.h), of one form. Included once a REAL
 * and FORM. common_: curve.h; rare_ takes any lane of
 * one vector, and gives two parts. */
#define G(name) PASTE(PASTE(R(name), _), FORM)

INLINE TWO G(common_grad_mu_sigma)(V z, V by, int lanes)
{
    V index, t = R(abs)(z);
    TWO slope = G(slope)(t, lanes), T = G(T_for_sum_gate)(t, lanes, &index);
    return R(gradient)(R(odd_from_T)(z, T, index, -1), by, slope);
}

/* In the tail both terms are lifted, and the sum is unscaled. Where `by` is LARGE they are lifted by 2^SMALL_LIFT only:
 * by g'(z) 2^LIFT might overflow. */
NOINLINE TWO G(rare_grad_mu_sigma)(V z, V by)
{
    V t = R(abs)(z), zero_if_tiny = ZERO_UNLESS(~POSITIVE_LE(t, SPLAT(TINY)), t);
    MASK in_segments = LE(zero_if_tiny, SPLAT(G(END_gate)));
    V near = R(with_sign)(ZERO_UNLESS(in_segments, zero_if_tiny), (BITS)z);
    TWO y = G(common_grad_mu_sigma)(near, by, IN_SEGMENTS);
    if (ANY(~in_segments)) {
        MASK in_tail = LE(t, SPLAT(G(CUTOFF_grad))) & ~in_segments;
        MASK below = LE(z, SPLAT(0)), large = LE(SPLAT(LARGE), R(abs)(by));
        V far = SELECT(in_tail, t, SPLAT(G(END_gate)));
        V factor = SELECT(large, SPLAT(LESS_LIFT), SPLAT(1)), lift = (V)((BITS){0} + LIFT);
        TWO T = G(tail_gate)(far), one_minus_T = R(one_minus)(SPLAT(TWO_LIFT), T);
        TWO gate = R(select_two)(below, T, one_minus_T), slope = G(slope_tail)(far, T, one_minus_T);
        gate = (TWO){gate.hi * factor, gate.lo * factor};
        V lifted = R(gradient)(gate, by * factor, slope).hi;
        V unscaled = R(unscale)(lifted, (BITS)SELECT(large, (V)((BITS){0} + SMALL_LIFT), lift));
        y.hi = SELECT(in_segments, y.hi, SELECT(in_tail, unscaled, R(odd_limit)(z)));
        y.hi = R(odd_fix_sign)(z, y.hi, (BITS)z);
        y.lo = ZERO_UNLESS(in_segments, y.lo);
    }
    return y;
}
#undef G
#undef FORM
