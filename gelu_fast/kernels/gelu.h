/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The mathematics of GELU, written once: isa.h includes this file for REAL = f32 and for REAL = f64, on
 * each ISA level. Read fma, residual, max, at_most, keep and select in simd.h. */

#define OF_REAL(name) PASTE(REAL, name)
#define V OF_REAL(v)
#define BITS OF_REAL(v_bits)
#define MASK OF_REAL(_mask)
#define C(name) OF_REAL(_##name) /* a constant of this type */
#define FMA OF_REAL(_fma)
#define RESIDUAL OF_REAL(_residual)
#define MAX OF_REAL(_max)
#define AT_MOST OF_REAL(_at_most)
#define KEEP OF_REAL(_keep)
#define SELECT OF_REAL(_select)
#define ALL(c) ((V){0} + (REAL)(c))

/* coefficients[0] x^(n-1) + ... + coefficients[n-1] */
#define POLYNOMIAL(x, coefficients) \
    OF_REAL(_polynomial)(x, coefficients, (int)(sizeof(coefficients) / sizeof(*coefficients)))
INLINE V OF_REAL(_polynomial)(V x, const REAL *c, int n)
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
} OF_REAL(_exp_t);

INLINE OF_REAL(_exp_t) OF_REAL(_exp_minus)(V v, V v_lo)
{
    const REAL rounder = C(ROUNDER) + (C(EXPONENT_BIAS) + 64);
    OF_REAL(_exp_t) exp;
    V shifted = FMA(v, ALL(-C(LOG2E)), ALL(rounder));
    V k = shifted - rounder;
    V r_hi = FMA(k, ALL(-C(LN2_HI)), -v), r_lo = FMA(k, ALL(C(LN2_LO)), v_lo);
    exp.r = r_hi - r_lo;
    exp.z = FMA(exp.r * exp.r, POLYNOMIAL(exp.r, C(EXP)), (r_hi - exp.r) - r_lo);
    exp.scale = (V)((BITS)shifted << C(MANTISSA_BITS));
    return exp;
}

/* m 2^k */
typedef struct {
    V m, scale;
} OF_REAL(_scaled_t);

/* The exact form, P(t) = exp(-t^2/2) M(t), M(t) = erfcx(t/sqrt 2)/2 = N(q)/(t + 4), q = (t - 4)/(t + 4)
 * (the variable is that of Shepherd and Laframboise, Math. Comp. 36, 1981). t^2 in two parts, or its
 * rounding costs t^2/2 ULP. */
INLINE OF_REAL(_scaled_t) OF_REAL(_tail_erf)(V t)
{
    V square = t * t;
    OF_REAL(_exp_t) exp = OF_REAL(_exp_minus)((REAL)0.5 * square, (REAL)-0.5 * RESIDUAL(square, t, t));
    V d = t + 4, d_lo = t - (d - 4);
    V s = 1 / d, s_error = RESIDUAL(ALL(1), d, s) - d_lo * s;
    V u = s - C(ERFCX_CENTER);
    V p = POLYNOMIAL(u, C(ERFCX)), n0 = ALL(C(ERFCX_0));
    V n = FMA(p, u, n0), n_lo = -RESIDUAL(n - n0, p, u);
    V m = n * s, m_lo = FMA(m * FMA(u, ALL(10), ALL(1.9)), s_error, FMA(n_lo, s, -RESIDUAL(m, n, s)));
    V w = t * m, w_lo = FMA(t, m_lo, -RESIDUAL(w, t, m));
    return (OF_REAL(_scaled_t)){w + FMA(w, exp.r, FMA(w, exp.z, FMA(w_lo, exp.r, w_lo))), exp.scale};
}

/* The logistic forms, P(t) = exp(-v)/(1 + exp(-v)). */
INLINE OF_REAL(_scaled_t) OF_REAL(_tail_logistic)(V t, V v, V v_lo)
{
    OF_REAL(_exp_t) exp = OF_REAL(_exp_minus)(v, v_lo);
    V power = exp.scale * (REAL)0x1p-64;
    V e = exp.r + exp.z;
    V numerator = FMA(t, e, t), numerator_lo = FMA(t, e, t - numerator);
    V exp_v = FMA(power, e, power);
    V d = 1 + exp_v, d_lo = (1 - d) + exp_v;
    V inverse = 1 / d;
    V quotient = numerator * inverse;
    V remainder = RESIDUAL(numerator, quotient, d) - FMA(quotient, d_lo, -numerator_lo);
    return (OF_REAL(_scaled_t)){FMA(remainder, inverse, quotient), exp.scale};
}

/* v = 2u = A t + B t^3 */
INLINE OF_REAL(_scaled_t) OF_REAL(_tail_tanh)(V t)
{
    V square = t * t, square_lo = -RESIDUAL(square, t, t);
    V b = square * C(TANH_B_HI);
    V b_lo = FMA(square, ALL(C(TANH_B_LO)), FMA(square_lo, ALL(C(TANH_B_HI)), -RESIDUAL(b, square, ALL(C(TANH_B_HI)))));
    V s = b + C(TANH_A_HI), b_part = s - C(TANH_A_HI);
    V s_lo = (b - b_part) + (C(TANH_A_HI) - (s - b_part)) + (b_lo + C(TANH_A_LO));
    V v = t * s, v_lo = FMA(t, s_lo, -RESIDUAL(v, t, s));
    return OF_REAL(_tail_logistic)(t, v, v_lo);
}

/* v = 1.702 t */
INLINE OF_REAL(_scaled_t) OF_REAL(_tail_sigmoid)(V t)
{
    V v = t * C(SIGMOID_HI);
    V v_lo = FMA(t, ALL(C(SIGMOID_LO)), -RESIDUAL(v, t, ALL(C(SIGMOID_HI))));
    return OF_REAL(_tail_logistic)(t, v, v_lo);
}

/* All forms: gelu(x) = max(x, 0) - t P(t), with t = |x| and P(t) = 1 - gate(t) = gate(-t). Neither sign
 * cancels, so P needs a good relative error and nothing else. Every form gives t P(t) as m 2^k.
 *
 * Beyond the form's CUTOFF gelu(-t) rounds to zero and gelu(t) to t; those lanes, and NaN, leave the
 * arithmetic by `inside` and go through it as zeros. The sign of the result is that of x, zeros included. */
#define WHOLE(form)                                                             \
    INLINE V OF_REAL(_whole_##form)(V x)                                        \
    {                                                                           \
        V zero_or_x = MAX(ALL(0), x);                                           \
        V t = (V)((BITS)x & ~C(SIGN));                                          \
        MASK inside = AT_MOST(t, ALL(C(CUTOFF_##form)));                        \
        t = KEEP(inside, t);                                                    \
        OF_REAL(_scaled_t) tail = OF_REAL(_tail_##form)(t);                     \
        V y = zero_or_x - tail.m * tail.scale * (REAL)0x1p-64;                  \
        y = SELECT(inside, y, zero_or_x);                                       \
        return (V)((BITS)y | ((BITS)x & C(SIGN)));                              \
    }
WHOLE(erf)
WHOLE(tanh)
WHOLE(sigmoid)
#undef OF_REAL
#undef V
#undef BITS
#undef MASK
#undef C
#undef FMA
#undef RESIDUAL
#undef MAX
#undef AT_MOST
#undef KEEP
#undef SELECT
#undef ALL
#undef POLYNOMIAL
