/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The tails: T(t) 2^LIFT for END < t <= CUTOFF, of each of the nine curves (gelu.h says what T is). Included once a
 * REAL.
 *
 * Each is an exponential exp(-v(t)), whose argument is held in two parts, times a smooth factor in two parts: a
 * rounded v alone would cost v/2 ULP. Worst errors: table_in_memory.h and table_in_registers.h, which include the
 * tails. */

/* c[0] x^(n-1) + ... + c[n-1], by Horner's rule. */
#define POLYNOMIAL(x, coefficients) R(polynomial)(x, coefficients, LENGTH(coefficients))
INLINE V R(polynomial)(V x, const REAL *c, int n)
{
    V p = SPLAT(c[0]);
    for (int i = 1; i < n; i++)
        p = FMA(p, x, SPLAT(c[i]));
    return p;
}

/* exp(-v) = (1 + r + z) 2^k, for 0 <= v <= (EXPONENT_BIAS + LIFT - 9) ln 2, |v.lo| << v.
 *
 * v = -k ln 2 - r with k integer and |r| <= ln(2)/2 (Cody and Waite, Software Manual for the Elementary Functions,
 * 1980): ln 2 in two parts, of which k LN2_HI is exact. z, at most r^2, is the rest of the series by a polynomial
 * (fit.py), and what the rounding of r lost. `power` is 2^(k + LIFT), a normal number even where exp(-v) is
 * subnormal. */
typedef struct {
    V r, z, power;
} R(exp_t);

INLINE R(exp_t) R(exp_minus)(TWO v)
{
    const REAL rounder = R(ROUNDER) + (R(EXPONENT_BIAS) + LIFT);
    R(exp_t) exp;
    V shifted = FMA(v.hi, SPLAT(-R(LOG2E)), SPLAT(rounder));
    V k = shifted - rounder;
    V r_hi = FMA(k, SPLAT(-R(LN2_HI)), -v.hi), r_lo = FMA(k, SPLAT(R(LN2_LO)), v.lo);
    exp.r = r_hi - r_lo;
    exp.z = FMA(exp.r * exp.r, POLYNOMIAL(exp.r, R(EXP)), (r_hi - exp.r) - r_lo);
    exp.power = (V)((BITS)shifted << R(MANTISSA_BITS));
    return exp;
}

/* w exp 2^LIFT. w.lo is a rounding error of w.hi, so w.lo z is left out; a larger w.lo must be renormalised first.
 * w + w r is summed in two parts: in one, a third of the results would round badly. */
INLINE TWO R(times_exp)(TWO w, R(exp_t) exp)
{
    V sum = FMA(w.hi, exp.r, w.hi);
    V rest = FMA(w.lo, exp.r, w.lo) - RESIDUAL(sum - w.hi, w.hi, exp.r);
    TWO y = R(fast_two_sum)(sum, FMA(w.hi, exp.z, rest));
    return (TWO){y.hi * exp.power, y.lo * exp.power};
}

/* exp times 1 + by, |by| << 1. */
INLINE R(exp_t) R(corrected)(R(exp_t) exp, V by)
{
    exp.z += FMA(by, exp.r + exp.z, by);
    return exp;
}

/* ---- erf: P(t) = Phi(-t), by Mills' ratio ----
 *
 * t P(t) = exp(-v) w, v = t^2/2, where w = t exp(t^2/2) Phi(-t) = MILLS_0 + z p(z) is nearly constant: z = 1/t^2,
 * MILLS_0 = 1/sqrt(2 pi), p a polynomial (fit.py). */
INLINE TWO R(half_square)(V t)
{
    V half = (REAL)0.5 * t, v = half * t;
    return (TWO){v, -RESIDUAL(v, half, t)};
}

typedef struct {
    V z;
    TWO w;
    R(exp_t) exp;
} R(gauss_t);

INLINE R(gauss_t) R(gauss)(V t)
{
    R(gauss_t) g;
    TWO v = R(half_square)(t);
    g.exp = R(exp_minus)(v);
    g.z = (REAL)0.5 / v.hi;
    V p = POLYNOMIAL(g.z, R(MILLS)), limit = SPLAT(R(MILLS_0_HI));
    g.w.hi = FMA(g.z, p, limit);
    g.w.lo = R(MILLS_0_LO) - RESIDUAL(g.w.hi - limit, g.z, p);
    return g;
}

/* T = t P(t) = exp(-v) w */
INLINE TWO R(tail_erf)(V t)
{
    R(gauss_t) g = R(gauss)(t);
    return R(times_exp)(g.w, g.exp);
}

/* T = P(t) = exp(-v) w/t */
INLINE TWO R(tail_gate_erf)(V t)
{
    R(gauss_t) g = R(gauss)(t);
    V m = g.w.hi / t;
    return R(times_exp)((TWO){m, (g.w.lo + RESIDUAL(g.w.hi, m, t)) / t}, g.exp);
}

/* T = P(t) - t phi(t) = -exp(-v) t (MILLS_0 - z w) */
INLINE TWO R(tail_grad_erf)(V t)
{
    R(gauss_t) g = R(gauss)(t);
    const V limit = SPLAT(R(MILLS_0_HI));
    V u = limit - g.z * g.w.hi, u_lo = RESIDUAL(limit - u, g.z, g.w.hi) + R(MILLS_0_LO);
    V m = t * u;
    return R(times_exp)((TWO){-m, -FMA(t, u_lo, -RESIDUAL(m, t, u))}, g.exp);
}

/* ---- the logistic forms: P(t) = 1/(1 + exp(v(t))) ----
 *
 * tanh: v(t) = t (A + B t^2), A = 2 sqrt(2/pi), B = 0.044715 A. sigmoid: v(t) = 1.702 t. With q = exp(-v),
 * P(t) = q/(1 + q) = q (1 - q + q^2 - q^3) to q^4. */

/* A + b t^2: v(t)/t for b = B, v'(t) for b = 3 B. A_HI has so few bits that s - A_HI is exact. */
INLINE TWO R(square)(V t, REAL b_hi, REAL b_lo)
{
    const V a = SPLAT(R(TANH_A_HI)), b = SPLAT(b_hi);
    V square = t * t, s = FMA(square, b, a);
    V s_lo = FMA(square, SPLAT(b_lo), SPLAT(R(TANH_A_LO))) - RESIDUAL(square, t, t) * b;
    return (TWO){s, s_lo - RESIDUAL(s - a, square, b)};
}

/* t (A + b t^2): v(t) for b = B, t v'(t) for b = 3 B. */
INLINE TWO R(cubic)(V t, REAL b_hi, REAL b_lo)
{
    TWO s = R(square)(t, b_hi, b_lo);
    V v = t * s.hi;
    return (TWO){v, FMA(t, s.lo, -RESIDUAL(v, t, s.hi))};
}
INLINE TWO R(v_tanh)(V t) { return R(cubic)(t, R(TANH_B_HI), R(TANH_B_LO)); }

/* v(t) = t v'(t) = 1.702 t */
INLINE TWO R(v_sigmoid)(V t)
{
    V v = t * R(SIGMOID_HI);
    return (TWO){v, FMA(t, SPLAT(R(SIGMOID_LO)), -RESIDUAL(v, t, SPLAT(R(SIGMOID_HI))))};
}

/* q; 2^-60 where it is smaller, which changes no result, as q is used beside 1 only. */
INLINE V R(small_exp)(R(exp_t) exp)
{
    V power = MAX(exp.power, SPLAT(0x1p-60 * TWO_LIFT)) * (REAL)(1 / TWO_LIFT);
    return FMA(power, exp.r + exp.z, power);
}

/* factor P(t) */
INLINE TWO R(logistic_times)(V factor, TWO v)
{
    R(exp_t) exp = R(exp_minus)(v);
    V q = R(small_exp)(exp);
    return R(times_exp)((TWO){factor, SPLAT(0)}, R(corrected)(exp, FMA(q, 1 - q, SPLAT(-1)) * q));
}

/* P(t) (1 - s (1 - P(t))), s = t v'(t): -q (w - q (2 w + 1) + q^2 (3 w + 2)) to q^3, w = s - 1. */
INLINE TWO R(logistic_grad)(TWO v, TWO s)
{
    R(exp_t) exp = R(exp_minus)(v);
    V rounded = s.hi - 1, lost = ((s.hi - rounded) - 1) + s.lo;
    V w = rounded + lost, w_lo = (rounded - w) + lost; /* s.lo may have half of the significant bits */
    V q = R(small_exp)(exp), one_w = 1 / w;
    exp = R(corrected)(exp, FMA(q, FMA(SPLAT(2), one_w, SPLAT(3)), -2 - one_w) * q);
    return R(times_exp)((TWO){-w, -w_lo}, exp);
}

/* T = t P(t); T = P(t); T = P(t) + t P'(t) = P(t) (1 - t v'(t) (1 - P(t))). */
INLINE TWO R(tail_tanh)(V t) { return R(logistic_times)(t, R(v_tanh)(t)); }
INLINE TWO R(tail_gate_tanh)(V t) { return R(logistic_times)(SPLAT(1), R(v_tanh)(t)); }
INLINE TWO R(tail_grad_tanh)(V t)
{
    TWO v = R(v_tanh)(t), s = R(cubic)(t, R(TANH_3B_HI), R(TANH_3B_LO));
    return R(logistic_grad)(v, s);
}

INLINE TWO R(tail_sigmoid)(V t) { return R(logistic_times)(t, R(v_sigmoid)(t)); }
INLINE TWO R(tail_gate_sigmoid)(V t) { return R(logistic_times)(SPLAT(1), R(v_sigmoid)(t)); }
INLINE TWO R(tail_grad_sigmoid)(V t)
{
    TWO v = R(v_sigmoid)(t);
    return R(logistic_grad)(v, v);
}
