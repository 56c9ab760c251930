/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The mathematics of float16 and bfloat16, in float32: the functions of gelu.h whose curves are taken at a number as it
 * is stored. Included once a STORAGE. There is no branch and no table, so the time does not depend on values; but a product
 * of bfloat16 that takes or makes a subnormal float32 takes up to 2.5 times as long (Zen 3).
 *
 * T(t) = Q E (gelu.h says what T is), where E = exp(-v) falls and Q is smooth:
 *
 *   erf            v = t^2/2; Q = t N/D, N/D, (t0 - t) N/D: polynomials in t, and t0, where the gradient is zero
 *   tanh, sigmoid  v = t (A + B t^2), or A t; Q = t/(1 + E), 1/(1 + E), (1 - t v' + E)/(1 + E)^2
 *
 * T is right to 2^-20 or better; where it is multiplied, to 2^-18 (bfloat16) and 2^-15.4 (float16) beside t0 and where
 * products are small. gelu, gelu_gate and gelu_grad are correctly rounded for every input, with FMA and without:
 * tools/fit_half.py moves the coefficients until they are (as RLIBM does by linear programs:
 * Lim and Nagarakatte, "High performance correctly rounded math libraries for 32-bit floating point representations",
 * PLDI 2021). Products of them with a factor are rounded twice.
 *
 * Tried (x86-64-v3, Zen 3): quotients by Newton's iteration from an integer's guess, 20 % slower: each step waits for the
 * one before.
 *
 * Functions of x alone multiply no subnormal numbers (gelu.h): those of bfloat16 are lifted by LIFT before a product. */
#define EACH for (int i = 0; i < n; i++)
#define ONE SPLAT(S(TWO_LIFT))
#define FIRST (R(ROUNDER) - S(LIFT))

/* E = exp(-v) = 2^-h = mantissa 2^-k, |h - k| <= 1/2. The last bits of `shifted` are k - LIFT. */
typedef struct {
    V mantissa, shifted;
} S(exp_t);

/* E 2^LIFT */
INLINE V S(lifted)(S(exp_t) exp) { return (V)((BITS)exp.mantissa - ((BITS)exp.shifted << R(MANTISSA_BITS))); }

/* n polynomials in x, coefficients as in tail.h; side by side, so that a coefficient is loaded once. */
#define POLYNOMIALS(p, x, coefficients) S(polynomials)(p, x, coefficients, LENGTH(coefficients), n)
INLINE void S(polynomials)(V *p, const V *x, const REAL *c, int terms, int n)
{
    EACH p[i] = SPLAT(c[0]);
    UNROLLED
    for (int j = 1; j < terms; j++)
        EACH p[i] = FMA(p[i], x[i], SPLAT(c[j]));
}

INLINE void S(exp2_minus)(S(exp_t) * exp, const V *r, const V *shifted, const REAL *c, int terms, int n)
{
    V p[HALF_GROUP];
    S(polynomials)(p, r, c, terms, n);
    EACH exp[i] = (S(exp_t)){p[i], shifted[i]};
}

/* h = a u: a[0], and a[1] + a[2], where u a[1] is exact. */
INLINE void S(exp_of)(S(exp_t) * exp, const V *u, const REAL *a, const REAL *exp2, int terms, int n)
{
    V r[HALF_GROUP], shifted[HALF_GROUP];
    EACH
    {
        shifted[i] = FMA(u[i], SPLAT(a[0]), SPLAT(FIRST));
        r[i] = FMA(u[i], SPLAT(a[2]), FMA(u[i], SPLAT(a[1]), FIRST - shifted[i]));
    }
    S(exp2_minus)(exp, r, shifted, exp2, terms, n);
}

INLINE void S(exp_erf)(S(exp_t) * exp, const V *t, const REAL *a, const REAL *exp2, int terms, int n)
{
    V square[HALF_GROUP];
    EACH square[i] = t[i] * t[i];
    S(exp_of)(exp, square, a, exp2, terms, n);
}

INLINE void S(exp_sigmoid)(S(exp_t) * exp, const V *t, const REAL *a, const REAL *exp2, int terms, int n)
{
    S(exp_of)(exp, t, a, exp2, terms, n);
}

/* h = a t + a[3] t^3 */
INLINE void S(exp_tanh)(S(exp_t) * exp, const V *t, const REAL *a, const REAL *exp2, int terms, int n)
{
    V r[HALF_GROUP], shifted[HALF_GROUP];
    EACH
    {
        V cube = t[i] * t[i] * t[i];
        shifted[i] = FMA(cube, SPLAT(a[3]), t[i] * a[0]) + FIRST;
        r[i] = FMA(cube, SPLAT(a[3]), FMA(t[i], SPLAT(a[1]), FIRST - shifted[i]));
        r[i] = FMA(t[i], SPLAT(a[2]), r[i]);
    }
    S(exp2_minus)(exp, r, shifted, exp2, terms, n);
}

/* 1 - t v'(t) is 1 + c[0] t, a multiple of 2^-25 beside the zero of T, and this. */
INLINE V S(falls_sigmoid)(V t, const REAL *c) { return t * c[1]; }
INLINE V S(falls_tanh)(V t, const REAL *c) { return FMA(t * t * t, SPLAT(c[2]), t * c[1]); }

#define EXP2(curve) S(EXP2_##curve), LENGTH(S(EXP2_##curve))

/* by N/D */
#define QUOTIENT(q, by, t, name)                                                                             \
    V numerator[HALF_GROUP], denominator[HALF_GROUP];                                                        \
    POLYNOMIALS(numerator, t, S(N_##name));                                                                  \
    POLYNOMIALS(denominator, t, S(D_##name));                                                                \
    EACH q[i] = by numerator[i] / denominator[i];

/* T = q exp of gelu, with a factor `by` for t. */
INLINE void S(value_erf)(V *q, S(exp_t) * exp, const V *t, const V *by, int n)
{
    QUOTIENT(q, by[i] *, t, erf)
    S(exp_erf)(exp, t, S(V_erf), EXP2(erf), n);
}

/* T 2^LIFT of the gate, or (1 - T) 2^LIFT for x > 0. */
INLINE void S(gate_erf)(V *y, const V *t, const V *x, int n)
{
    S(exp_t) exp[HALF_GROUP];
    QUOTIENT(y, , t, gate_erf)
    S(exp_erf)(exp, t, S(V_gate_erf), EXP2(gate_erf), n);
    EACH
    {
        V T = y[i] * S(lifted)(exp[i]);
        y[i] = SELECT(LE(x[i], SPLAT(0)), T, ONE - T);
    }
}

/* T = q exp of the gradient; of that times a factor likewise, where T(0) is exactly 1/2. */
#define ERF_GRAD(name)                                                                                       \
    INLINE void S(name##_erf)(V *q, S(exp_t) * exp, const V *t, int n)                                       \
    {                                                                                                        \
        QUOTIENT(q, ((HALF_ZERO_HI - t[i]) + HALF_ZERO_LO) *, t, name##_erf)                                 \
        S(exp_erf)(exp, t, S(V_##name##_erf), EXP2(name##_erf), n);                                          \
    }
ERF_GRAD(grad)
ERF_GRAD(times)
#undef ERF_GRAD

#define LOGISTIC(form)                                                                                       \
    INLINE void S(value_##form)(V *q, S(exp_t) * exp, const V *t, const V *by, int n)                        \
    {                                                                                                        \
        S(exp_##form)(exp, t, S(V_##form), EXP2(form), n);                                                   \
        EACH q[i] = by[i] * ONE / (ONE + S(lifted)(exp[i]));                                                 \
    }                                                                                                        \
    INLINE void S(gate_##form)(V *y, const V *t, const V *x, int n)                                          \
    {                                                                                                        \
        S(exp_t) exp[HALF_GROUP];                                                                            \
        S(exp_##form)(exp, t, S(V_gate_##form), EXP2(gate_##form), n);                                       \
        EACH                                                                                                 \
        {                                                                                                    \
            V E = S(lifted)(exp[i]);                                                                         \
            y[i] = SELECT(LE(x[i], SPLAT(0)), E, ONE) * ONE / (ONE + E);                                     \
        }                                                                                                    \
    }
LOGISTIC(tanh)
LOGISTIC(sigmoid)
#undef LOGISTIC

/* T = q exp of the gradient, and of that times a factor, whose relative error counts beside its zero: there the sum of
 * the larger terms is exact. */
#define LOGISTIC_GRAD(name, form, numerator)                                                                 \
    INLINE void S(name##_##form)(V *q, S(exp_t) * exp, const V *t, int n)                                    \
    {                                                                                                        \
        const REAL *c = S(FALLS_##name##_##form);                                                            \
        S(exp_##form)(exp, t, S(V_##name##_##form), EXP2(name##_##form), n);                                 \
        EACH                                                                                                 \
        {                                                                                                    \
            V E = S(lifted)(exp[i]), d = ONE + E;                                                            \
            V high = FMA(t[i], SPLAT(c[0]), SPLAT(1)), low = S(falls_##form)(t[i], c);                       \
            q[i] = (numerator) * ONE / (d * d);                                                              \
        }                                                                                                    \
    }
LOGISTIC_GRAD(grad, tanh, ONE *(high + low) + E)
LOGISTIC_GRAD(grad, sigmoid, ONE *(high + low) + E)
LOGISTIC_GRAD(times, tanh, FMA(ONE *t[i], SPLAT(c[3]), (ONE * high + E) + ONE * low))
LOGISTIC_GRAD(times, sigmoid, FMA(ONE *t[i], SPLAT(c[3]), (ONE * high + E) + ONE * low))
#undef LOGISTIC_GRAD
#undef QUOTIENT

/* y, or x where x is NaN: of two NaNs, a sum or a product is the one that the order of operands chooses. */
INLINE V S(with_nan)(V y, V x) { return SELECT(LE(x, SPLAT(__builtin_inff())), y, x); }

/* t for a curve that is 0 from `cutoff` on; NaN stays NaN. */
INLINE V S(clamped)(V x, REAL cutoff) { return MIN(SPLAT(cutoff), R(abs)(x)); }

/* gelu(x) for tiny x is x/2 and a little more: a tie between two subnormal numbers rounds up. From this t on T is so
 * much below t/2 that it does; below it x/2 is near enough otherwise. */
#define LEAST SPLAT(0x1p-14)

/* E = first second, normal numbers both, of nearly the same size for bfloat16. */
INLINE V S(first)(S(exp_t) exp) { return (V)((BITS)SPLAT(1) - S(half_of_k)(exp.shifted)); }
INLINE V S(second)(S(exp_t) exp)
{
    BITS k = ((BITS)exp.shifted << R(MANTISSA_BITS)) + ((uint32_t)S(LIFT) << R(MANTISSA_BITS));
    return (V)((BITS)exp.mantissa - (k - S(half_of_k)(exp.shifted)));
}

#define FORM erf
#include "half_form.h"
#define FORM tanh
#include "half_form.h"
#define FORM sigmoid
#include "half_form.h"
#undef EACH
#undef ONE
#undef FIRST
#undef LEAST
#undef POLYNOMIALS
#undef EXP2
