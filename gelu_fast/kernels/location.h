/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Location and scale: z = (x - mu)/sigma takes the place of x in the gate g, so that
 *
 *   d/dx x g(z) = g(z) + (x/sigma) g'(z)
 *
 * Here are z, the slope g' of each form, and that sum; loc_scale.h assembles them for one form. Included once a REAL.
 *
 * g'(z) = g'(-z): the normal density, or v'(t) g(-t) g(t) for the logistic forms, t = |z| (v: tail.h). */

/* z, rounded twice; NaN where sigma is not above 0. For sigma = inf an infinite difference is divided by 1: inf/inf
 * would be NaN, and inf/1 is the limit. */
INLINE V R(standardize)(V x, V mu, V sigma)
{
    V distance = x - mu;
    MASK usual = POSITIVE_LE(sigma, SPLAT(R(LARGEST)));
    if (__builtin_expect(ANY(~usual), 0)) {
        V infinite = SELECT(R(finite)(distance), SPLAT(__builtin_inff()), SPLAT(1));
        V unusual = SELECT(POSITIVE_LE(sigma, SPLAT(__builtin_inff())), infinite, SPLAT(__builtin_nanf("")));
        sigma = SELECT(usual, sigma, unusual);
    }
    return distance / sigma;
}

/* x/sigma, finite: infinity times a slope of 0 would be NaN. */
INLINE V R(clamped_quotient)(V x, V sigma) { return R(clamp)(x / sigma, SPLAT(R(LARGEST))); }

/* g'(t); slope_tail_<form> gives g'(t) 2^LIFT in the tail, from T = g(-t) 2^LIFT and one_minus_T = g(t) 2^LIFT. */
INLINE TWO R(density_lifted)(V t)
{
    R(exp_t) exp = R(exp_minus)(R(half_square)(t));
    return R(times_exp)((TWO){SPLAT(R(MILLS_0_HI)), SPLAT(R(MILLS_0_LO))}, exp);
}
INLINE TWO R(slope_erf)(V t, int lanes)
{
    return R(scale)(R(density_lifted)(t), SPLAT((REAL)(1 / TWO_LIFT)));
}
INLINE TWO R(slope_tail_erf)(V t, TWO T, TWO one_minus_T) { return R(density_lifted)(t); }

INLINE TWO R(dv_tanh)(V t) { return R(square)(t, R(TANH_3B_HI), R(TANH_3B_LO)); }
INLINE TWO R(slope_tail_tanh)(V t, TWO T, TWO one_minus_T)
{
    TWO g = R(scale)(one_minus_T, SPLAT((REAL)(1 / TWO_LIFT)));
    return R(times)(R(dv_tanh)(t), R(times)(T, g));
}
INLINE TWO R(slope_tanh)(V t, int lanes)
{
    V index;
    TWO T = R(T_for_sum_gate_tanh)(t, lanes, &index);
    return R(times)(R(dv_tanh)(t), R(times)(T, R(one_minus)(SPLAT(1), T)));
}

INLINE TWO R(dv_sigmoid)(V t) { return (TWO){SPLAT(R(SIGMOID_HI)), SPLAT(R(SIGMOID_LO))}; }
INLINE TWO R(slope_tail_sigmoid)(V t, TWO T, TWO one_minus_T)
{
    TWO g = R(scale)(one_minus_T, SPLAT((REAL)(1 / TWO_LIFT)));
    return R(times)(R(dv_sigmoid)(t), R(times)(T, g));
}
INLINE TWO R(slope_sigmoid)(V t, int lanes)
{
    V index;
    TWO T = R(T_for_sum_gate_sigmoid)(t, lanes, &index);
    return R(times)(R(dv_sigmoid)(t), R(times)(T, R(one_minus)(SPLAT(1), T)));
}

/* gate + by slope. The terms may cancel, so their rounding errors must be kept: the sum is TwoSum of Knuth (The Art
 * of Computer Programming, volume 2). */
INLINE TWO R(gradient)(TWO gate, V by, TWO slope)
{
    V term = by * slope.hi, term_lo = FMA(by, slope.lo, -RESIDUAL(term, by, slope.hi));
    V y = gate.hi + term, of_term = y - gate.hi;
    V lo = ((gate.hi - (y - of_term)) + (term - of_term)) + (gate.lo + term_lo);
    return R(fast_two_sum)(y, ZERO_UNLESS(R(finite)(y), lo));
}
