/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The mathematics of GELU, written once: isa.h includes this file for REAL = f32 and for REAL = f64, on
 * each ISA level. FMA, RESIDUAL, MAX, AT_MOST, KEEP and SELECT are words of simd.h; constants come from
 * tools/fit.py. "Worst" is the largest error found among all float32 (benchmarks/results/accuracy.json, which
 * a test compares), against the exact value and rounding included; for float64 see gelu_fast/_bounds.py.
 *
 * All forms: gelu(x) = max(x, 0) - t P(t), with t = |x| and P(t) = 1 - gate(t) = gate(-t). Neither sign
 * cancels, so P needs a good relative error and nothing else. It is computed as (1 + r + z) 2^k K(t), where the
 * first factors are an exponential and K is smooth: see tail_erf and tail_logistic. A second part, named _lo, is
 * carried wherever one rounding would cost a quarter of an ULP or more of the result. */

#define R(name) PASTE(REAL, _##name) /* what simd.h, f32.h, f64.h and this file have for each REAL */
#define V PASTE(REAL, v)
#define BITS R(bits)
#define MASK R(mask)
#define FMA R(fma)
#define RESIDUAL R(residual)
#define MAX R(max)
#define AT_MOST R(at_most)
#define KEEP R(keep)
#define SELECT R(select)
#define ALL(c) ((V){0} + (REAL)(c))

/* coefficients[0] x^(n-1) + ... + coefficients[n-1] */
#define POLYNOMIAL(x, coefficients) R(polynomial)(x, coefficients, LENGTH(coefficients))
INLINE V R(polynomial)(V x, const REAL *c, int n)
{
    V p = ALL(c[0]);
    for (int i = 1; i < n; i++)
        p = FMA(p, x, ALL(c[i]));
    return p;
}

/* A power of two 2^k is kept as `scale` = 2^(k + 64), which is a normal number even where the result is
 * subnormal: multiply by it and then by 2^-64, and only the last product rounds. */

/* exp(-(v + v_lo)) = (1 + r + z) 2^k, for 0 <= v <= 1090 ln 2 and |v_lo| << v.
 * v = -k ln 2 - r with k integer and |r| <= ln(2)/2; ln 2 in two parts, k LN2_HI exact; z, below r^2, is the
 * rest of the exponential by a polynomial, and what was lost when r was rounded. */
typedef struct {
    V r, z, scale;
} R(exp_t);

INLINE R(exp_t) R(exp_minus)(V v, V v_lo)
{
    const REAL rounder = R(ROUNDER) + (R(EXPONENT_BIAS) + 64);
    R(exp_t) exp;
    V shifted = FMA(v, ALL(-R(LOG2E)), ALL(rounder));
    V k = shifted - rounder;
    V r_hi = FMA(k, ALL(-R(LN2_HI)), -v), r_lo = FMA(k, ALL(R(LN2_LO)), v_lo);
    exp.r = r_hi - r_lo;
    exp.z = FMA(exp.r * exp.r, POLYNOMIAL(exp.r, R(EXP)), (r_hi - exp.r) - r_lo);
    exp.scale = (V)((BITS)shifted << R(MANTISSA_BITS));
    return exp;
}

/* m 2^k */
typedef struct {
    V m, scale;
} R(scaled_t);

/* The exact form, P(t) = exp(-t^2/2) K(t), K(t) = erfcx(t/sqrt 2)/2 = N(u) s with s = 1/(t + 4), N a polynomial
 * in u = s - 1/8. (u is -q/8 for the variable q = (t - 4)/(t + 4) of Shepherd and Laframboise, Math. Comp. 36,
 * 1981; but s - 1/8 is exact for t <= 12, and q is not.) t^2 in two parts, or its rounding costs t^2/2 ULP; the
 * error of s in K is undone to first order: d log K / d log s = 1.9 + 10 u, to a tenth. 0 <= t <= CUTOFF_erf.
 * Worst: 1.39 ULP at -0x1.70cba4p+0 with FMA, 1.62 ULP at -0x1.eaafb2p-10 without.
 *
 * Tried: N in q, 2.5 ULP and more, from the rounding of q; u centred at the middle of s, worse in the tail. */
INLINE R(scaled_t) R(tail_erf)(V t)
{
    V square = t * t;
    R(exp_t) exp = R(exp_minus)((REAL)0.5 * square, (REAL)-0.5 * RESIDUAL(square, t, t));
    V d = t + 4, d_lo = t - (d - 4);
    V s = 1 / d, s_error = RESIDUAL(ALL(1), d, s) - d_lo * s;
    V u = s - R(ERFCX_CENTER);
    V p = POLYNOMIAL(u, R(ERFCX)), n0 = ALL(R(ERFCX_0));
    V n = FMA(p, u, n0), n_lo = -RESIDUAL(n - n0, p, u);
    V m = n * s, m_lo = FMA(m * FMA(u, ALL(10), ALL(1.9)), s_error, FMA(n_lo, s, -RESIDUAL(m, n, s)));
    V w = t * m, w_lo = FMA(t, m_lo, -RESIDUAL(w, t, m));
    return (R(scaled_t)){w + FMA(w, exp.r, FMA(w, exp.z, FMA(w_lo, exp.r, w_lo))), exp.scale};
}

/* The logistic forms, P(t) = exp(-v) K, K = 1/(1 + exp(-v)), v = v(t) in two parts: t P(t) as a quotient, and the
 * remainder of the division added to it. */
INLINE R(scaled_t) R(tail_logistic)(V t, V v, V v_lo)
{
    R(exp_t) exp = R(exp_minus)(v, v_lo);
    V power = exp.scale * (REAL)0x1p-64;
    V e = exp.r + exp.z;
    V numerator = FMA(t, e, t), numerator_lo = FMA(t, e, t - numerator);
    V exp_v = FMA(power, e, power);
    V d = 1 + exp_v, d_lo = (1 - d) + exp_v;
    V inverse = 1 / d;
    V quotient = numerator * inverse;
    V remainder = RESIDUAL(numerator, quotient, d) - FMA(quotient, d_lo, -numerator_lo);
    return (R(scaled_t)){FMA(remainder, inverse, quotient), exp.scale};
}

/* v = 2 sqrt(2/pi) (t + 0.044715 t^3) = (A + B t^2) t, 0 <= t <= CUTOFF_tanh.
 * Worst: 1.08 ULP at -0x1.60a952p+1 with FMA, 1.30 ULP at -0x1.326874p+3 without. */
INLINE R(scaled_t) R(tail_tanh)(V t)
{
    V square = t * t, square_lo = -RESIDUAL(square, t, t);
    V b = square * R(TANH_B_HI);
    V b_lo = FMA(square_lo, ALL(R(TANH_B_HI)), -RESIDUAL(b, square, ALL(R(TANH_B_HI))));
    b_lo = FMA(square, ALL(R(TANH_B_LO)), b_lo);
    V s = b + R(TANH_A_HI), b_part = s - R(TANH_A_HI);
    V s_lo = (b - b_part) + (R(TANH_A_HI) - (s - b_part)) + (b_lo + R(TANH_A_LO));
    V v = t * s, v_lo = FMA(t, s_lo, -RESIDUAL(v, t, s));
    return R(tail_logistic)(t, v, v_lo);
}

/* v = 1.702 t, 0 <= t <= CUTOFF_sigmoid.
 * Worst: 1.13 ULP at -0x1.6653b2p+3 with FMA, 1.34 ULP at -0x1.63201ap+4 without. */
INLINE R(scaled_t) R(tail_sigmoid)(V t)
{
    V v = t * R(SIGMOID_HI);
    V v_lo = FMA(t, ALL(R(SIGMOID_LO)), -RESIDUAL(v, t, ALL(R(SIGMOID_HI))));
    return R(tail_logistic)(t, v, v_lo);
}

/* A form for every x. Beyond its CUTOFF gelu(-t) rounds to zero and gelu(t) to t; those lanes, and NaN, leave
 * the arithmetic by `inside` and go through it as zeros. The sign of the result is that of x, zeros included. */
#define WHOLE(form)                                                             \
    INLINE V R(whole_##form)(V x)                                               \
    {                                                                           \
        V zero_or_x = MAX(ALL(0), x);                                           \
        V t = (V)((BITS)x & ~R(SIGN));                                          \
        MASK inside = AT_MOST(t, ALL(R(CUTOFF_##form)));                        \
        t = KEEP(inside, t);                                                    \
        R(scaled_t) tail = R(tail_##form)(t);                                   \
        V y = zero_or_x - tail.m * tail.scale * (REAL)0x1p-64;                  \
        y = SELECT(inside, y, zero_or_x);                                       \
        return (V)((BITS)y | ((BITS)x & R(SIGN)));                              \
    }
GELU_FORMS(WHOLE)

#undef R
#undef V
#undef BITS
#undef MASK
#undef FMA
#undef RESIDUAL
#undef MAX
#undef AT_MOST
#undef KEEP
#undef SELECT
#undef ALL
#undef POLYNOMIAL
#undef WHOLE
