/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The mathematics of GELU, written once: isa.h includes this file for REAL = f32 and for REAL = f64, on
 * each ISA level. What is written in capitals, and sum, are words of simd.h (isa.h has the short names) or constants,
 * which come from tools/fit.py. Errors: gelu_fast/_bounds.py, and what was found, benchmarks/results/accuracy.json.
 *
 * Every function comes from a curve T(t) of t = |x|, so that neither sign of x cancels and T needs a good relative
 * error and nothing else:
 *
 *   gelu(x) = max(x, 0) - T(t)    T(t) = -gelu(-t) = t P(t), where P(t) = 1 - gate(t) = gate(-t)
 *   gate(x) = T(t), or 1 - T(t) for x >= 0    T(t) = gate(-t)
 *   grad(x) likewise    T(t) = grad(-t) = 1 - grad(t) = P(t) + t P'(t), which is zero near t = 3/4
 *
 *   0 < t <= TINY         x/2, to half an ULP, or 1/2; here
 *   0, TINY < t <= END    a polynomial for each of many segments of t: rows.h, or lanes.h
 *   END < t <= CUTOFF     the tail, an exponential and a smooth factor: T(t) = (1 + r + z) 2^k w; here
 *   elsewhere             T(t) is 0; NaN is NaN
 *
 * No product takes or makes a subnormal number, for which Intel's CPUs need 35 ns: with them, all-subnormal float32
 * took 80 times as long as ordinary input (Granite Rapids, x86-64-v4), and 1.3 times now. Sums and comparisons are
 * free of it. */

#define LIFT 96
#define TWO_LIFT 0x1p96
#define TINY ((REAL)0x1p-60) /* so that t^2 is no subnormal above it */

INLINE V R(abs)(V x) { return (V)((BITS)x & ~R(SIGN)); }

/* x/2 for 0 < t <= TINY, correctly rounded: it is a little more, which takes the middle between two subnormals up. */
INLINE V R(half)(V x)
{
    const BITS one = (BITS){0} + 1;
    BITS sign = (BITS)x & R(SIGN), t = (BITS)x ^ sign;
    BITS subnormal = (t + (one & ((BITS)sign == 0))) >> 1;
    MASK is_normal = AT_MOST((V)(one << (R(MANTISSA_BITS) + 1)), (V)t);
    return (V)((BITS)SELECT(is_normal, (V)(t - (one << R(MANTISSA_BITS))), (V)subnormal) | sign);
}

/* c[0] x^(n-1) + ... + c[n-1] */
#define POLYNOMIAL(x, coefficients) R(polynomial)(x, coefficients, LENGTH(coefficients))
INLINE V R(polynomial)(V x, const REAL *c, int n)
{
    V p = ALL(c[0]);
    for (int i = 1; i < n; i++)
        p = FMA(p, x, ALL(c[i]));
    return p;
}

/* exp(-(v + v_lo)) = (1 + r + z) 2^k, for 0 <= v <= (EXPONENT_BIAS + LIFT - 9) ln 2, |v_lo| << v.
 * v = -k ln 2 - r with k integer and |r| <= ln(2)/2; ln 2 in two parts, k LN2_HI exact; z, below r^2, is the
 * rest of the exponential by a polynomial, and what was lost when r was rounded. `scale` is 2^(k + LIFT), which is
 * a normal number even where the result is subnormal. */
typedef struct {
    V r, z, scale;
} R(exp_t);

INLINE R(exp_t) R(exp_minus)(V v, V v_lo)
{
    const REAL rounder = R(ROUNDER) + (R(EXPONENT_BIAS) + LIFT);
    R(exp_t) exp;
    V shifted = FMA(v, ALL(-R(LOG2E)), ALL(rounder));
    V k = shifted - rounder;
    V r_hi = FMA(k, ALL(-R(LN2_HI)), -v), r_lo = FMA(k, ALL(R(LN2_LO)), v_lo);
    exp.r = r_hi - r_lo;
    exp.z = FMA(exp.r * exp.r, POLYNOMIAL(exp.r, R(EXP)), (r_hi - exp.r) - r_lo);
    exp.scale = (V)((BITS)shifted << R(MANTISSA_BITS));
    return exp;
}

/* (w + w_lo) (1 + r + z) 2^k, |w_lo| << w; w + w r in two parts, or a third of the results round badly */
INLINE V R(times_exp)(V w, V w_lo, R(exp_t) exp)
{
    V sum = FMA(w, exp.r, w);
    V rest = FMA(w_lo, exp.r, w_lo) - RESIDUAL(sum - w, w, exp.r);
    V scaled = (sum + FMA(w, exp.z, rest)) * exp.scale;
    V y = (V)((BITS)scaled - (((BITS){0} + LIFT) << R(MANTISSA_BITS)));
    const V least = ALL(R(MIN_NORMAL) * TWO_LIFT);
    MASK normal = AT_MOST(least, scaled);
    if (ANY(~normal)) /* the sum has a subnormal's bits in its last bits, rounded */
        y = SELECT(normal, y, (V)((BITS)(scaled + least) - (BITS)least));
    return y;
}

/* The exact form: t P(t) = exp(-t^2/2) w, where w = t exp(t^2/2) Phi(-t) = MILLS_0 + z p(z) is nearly constant,
 * z = 1/t^2. v = t^2/2 in two parts, or its rounding costs as many ULP. */
typedef struct {
    V z, w, w_lo;
    R(exp_t) exp;
} R(gauss_t);

INLINE R(gauss_t) R(gauss)(V t)
{
    R(gauss_t) g;
    V half = (REAL)0.5 * t, v = half * t;
    g.exp = R(exp_minus)(v, -RESIDUAL(v, half, t));
    g.z = (REAL)0.5 / v;
    V p = POLYNOMIAL(g.z, R(MILLS)), limit = ALL(R(MILLS_0_HI));
    g.w = FMA(g.z, p, limit);
    g.w_lo = R(MILLS_0_LO) - RESIDUAL(g.w - limit, g.z, p);
    return g;
}

INLINE V R(tail_erf)(V t)
{
    R(gauss_t) g = R(gauss)(t);
    return R(times_exp)(g.w, g.w_lo, g.exp);
}

/* P(t) = exp(-t^2/2) w/t */
INLINE V R(tail_gate_erf)(V t)
{
    R(gauss_t) g = R(gauss)(t);
    V m = g.w / t;
    return R(times_exp)(m, (g.w_lo + RESIDUAL(g.w, m, t)) / t, g.exp);
}

/* P(t) - t phi(t) = -exp(-t^2/2) t (MILLS_0 - z w) */
INLINE V R(tail_grad_erf)(V t)
{
    R(gauss_t) g = R(gauss)(t);
    const V limit = ALL(R(MILLS_0_HI));
    V u = limit - g.z * g.w, u_lo = RESIDUAL(limit - u, g.z, g.w) + R(MILLS_0_LO);
    V m = t * u;
    return -R(times_exp)(m, FMA(t, u_lo, -RESIDUAL(m, t, u)), g.exp);
}

/* The logistic forms: P(t) = q/(1 + q) = q (1 - q + q^2 - q^3) to q^4, q = exp(-v), v = v(t) in two parts. Where q is
 * below 2^-60, 2^-60 does for it beside 1. */
INLINE V R(small_exp)(R(exp_t) exp)
{
    V power = MAX(exp.scale, ALL(0x1p-60 * TWO_LIFT)) * (REAL)(1 / TWO_LIFT);
    return FMA(power, exp.r + exp.z, power);
}

/* exp times 1 + by, |by| << 1 */
INLINE R(exp_t) R(corrected)(R(exp_t) exp, V by)
{
    exp.z += FMA(by, exp.r + exp.z, by);
    return exp;
}

/* P(t) times a factor */
INLINE V R(logistic_times)(V factor, V v, V v_lo)
{
    R(exp_t) exp = R(exp_minus)(v, v_lo);
    V q = R(small_exp)(exp);
    return R(times_exp)(factor, ALL(0), R(corrected)(exp, FMA(q, 1 - q, ALL(-1)) * q));
}

/* P(t) (1 - s (1 - P(t))), s = t v'(t) in two parts: -q (w - q (2 w + 1) + q^2 (3 w + 2)) to q^3, w = s - 1. */
INLINE V R(logistic_grad)(V v, V v_lo, V s, V s_lo)
{
    R(exp_t) exp = R(exp_minus)(v, v_lo);
    V rounded = s - 1, lost = ((s - rounded) - 1) + s_lo;
    V w = rounded + lost, w_lo = (rounded - w) + lost; /* s_lo may be half of the bits that there are */
    V q = R(small_exp)(exp), one_w = 1 / w;
    return -R(times_exp)(w, w_lo, R(corrected)(exp, FMA(q, FMA(ALL(2), one_w, ALL(3)), -2 - one_w) * q));
}

/* (A + b t^2) t in two parts, A = 2 sqrt(2/pi): v(t) for b = B = 0.044715 A, t v'(t) for b = 3 B. A_HI has so few bits
 * that s - A_HI is exact. */
INLINE V R(cubic)(V t, REAL b_hi, REAL b_lo, V *lo)
{
    const V a = ALL(R(TANH_A_HI)), b = ALL(b_hi);
    V square = t * t, s = FMA(square, b, a);
    V s_lo = FMA(square, ALL(b_lo), ALL(R(TANH_A_LO))) - RESIDUAL(square, t, t) * b;
    s_lo -= RESIDUAL(s - a, square, b);
    V v = t * s;
    *lo = FMA(t, s_lo, -RESIDUAL(v, t, s));
    return v;
}
INLINE V R(v_tanh)(V t, V *lo) { return R(cubic)(t, R(TANH_B_HI), R(TANH_B_LO), lo); }

/* v(t) = t v'(t) = 1.702 t */
INLINE V R(v_sigmoid)(V t, V *lo)
{
    V v = t * R(SIGMOID_HI);
    *lo = FMA(t, ALL(R(SIGMOID_LO)), -RESIDUAL(v, t, ALL(R(SIGMOID_HI))));
    return v;
}

#define LOGISTIC(form)                                                                                       \
    INLINE V R(tail_##form)(V t)                                                                             \
    {                                                                                                        \
        V v_lo, v = R(v_##form)(t, &v_lo);                                                                   \
        return R(logistic_times)(t, v, v_lo);                                                                \
    }                                                                                                        \
    INLINE V R(tail_gate_##form)(V t)                                                                        \
    {                                                                                                        \
        V v_lo, v = R(v_##form)(t, &v_lo);                                                                   \
        return R(logistic_times)(ALL(1), v, v_lo);                                                           \
    }
LOGISTIC(tanh)
LOGISTIC(sigmoid)
#undef LOGISTIC

INLINE V R(tail_grad_tanh)(V t)
{
    V v_lo, s_lo, v = R(v_tanh)(t, &v_lo), s = R(cubic)(t, R(TANH_3B_HI), R(TANH_3B_LO), &s_lo);
    return R(logistic_grad)(v, v_lo, s, s_lo);
}

INLINE V R(tail_grad_sigmoid)(V t)
{
    V v_lo, v = R(v_sigmoid)(t, &v_lo);
    return R(logistic_grad)(v, v_lo, v, v_lo);
}

/* The two ways from T to the function. gelu(x) - x/2 is even: in the inner segments T(t) is less t/2, and the sign at
 * the end is that of x, zeros included. */
INLINE V R(even_outside)(V x) { return MAX(ALL(0), x); }
INLINE V R(even_of)(V x, V T) { return -T; }
INLINE V R(even_tiny)(V x) { return R(half)(x); }
INLINE V R(even_end)(V x, V y) { return (V)(((BITS)y & ~R(SIGN)) | ((BITS)x & R(SIGN))); }
#define EVEN(curve, ...)                                                                                     \
    INLINE SUM R(core_##curve)(V x, V t)                                                                     \
    {                                                                                                        \
        V shifted, T_lost, T = R(segment_##curve)(t, &shifted, &T_lost);                                     \
        MASK inner = AT_MOST(shifted, ALL(R(ROUNDER) + R(INNER_##curve)));                                   \
        return R(sum)(SELECT(inner, x * (REAL)0.5, MAX(ALL(0), x)), -T);                                     \
    }                                                                                                        \
    FUNCTION(even, curve)

/* gate(x) - 1/2 and grad(x) - 1/2 are odd. */
INLINE V R(odd_outside)(V x)
{
    const BITS sign = (BITS){0} + R(SIGN);
    return (V)((BITS)(((BITS)x & sign) == 0) & (BITS)ALL(1));
}
INLINE V R(odd_of)(V x, V T) { return (V)((BITS)T ^ (~(BITS)x & R(SIGN))); }
INLINE V R(odd_tiny)(V x) { return ALL(0.5); }
INLINE V R(odd_end)(V x, V y) { return SELECT(AT_MOST(x, ALL(__builtin_inff())), y, x); }
#define ODD(curve, ...)                                                                                      \
    INLINE SUM R(core_##curve)(V x, V t)                                                                     \
    {                                                                                                        \
        V shifted, T_lost, T = R(segment_##curve)(t, &shifted, &T_lost);                                     \
        SUM sum = R(sum)(R(odd_outside)(x), R(odd_of)(x, T));                                                \
        sum.lost += R(odd_of)(x, T_lost);                                                                    \
        return sum;                                                                                          \
    }                                                                                                        \
    FUNCTION(odd, curve)

/* For every x. A group of vectors that lies in the segments whole, as nearly all do, takes the short way; which way a
 * lane's result comes from depends on its value alone. Tried: the long way first, and a return: past the caches 0.185
 * ns for 0.163 (float32, Zen 5). */
#define FUNCTION(family, curve)                                                                              \
    INLINE MASK R(in_segments_##curve)(V t)                                                                  \
    {                                                                                                        \
        return AT_MOST(t, ALL(R(END_##curve))) & ~UP_TO(t, ALL(TINY));                                       \
    }                                                                                                        \
    NOINLINE V R(beyond_##curve)(V x)                                                                        \
    {                                                                                                        \
        V t = R(abs)(x), y = R(family##_outside)(x);                                                         \
        MASK in_segments = R(in_segments_##curve)(t), tiny = UP_TO(t, ALL(TINY));                            \
        MASK in_tail = AT_MOST(t, ALL(R(CUTOFF_##curve))) & ~in_segments & ~tiny;                            \
        if (ANY(in_tail)) {                                                                                  \
            V of = t; /* waiting for the mask where it is not needed would take a quarter longer */          \
            if (ANY(tiny))                                                                                   \
                of = KEEP(in_tail, t);                                                                       \
            y = SELECT(in_tail, y + R(family##_of)(x, R(tail_##curve)(of)), y);                              \
        }                                                                                                    \
        if (ANY(in_segments))                                                                                \
            y = SELECT(in_segments, R(core_##curve)(KEEP(in_segments, x), KEEP(in_segments, t)).value, y);   \
        if (ANY(tiny))                                                                                       \
            y = SELECT(tiny, R(family##_tiny)(x), y);                                                        \
        return R(family##_end)(x, y);                                                                        \
    }                                                                                                        \
    INLINE SUM R(one_##curve)(V x)                                                                           \
    {                                                                                                        \
        V t = R(abs)(x);                                                                                     \
        MASK in_segments = R(in_segments_##curve)(t);                                                        \
        if (__builtin_expect(ANY(~in_segments), 0)) {                                                        \
            V lost = R(core_##curve)(x, KEEP(in_segments, t)).lost; /* no code where it is not used */       \
            return (SUM){R(beyond_##curve)(x), KEEP(in_segments, lost)};                                     \
        }                                                                                                    \
        NOT_BEFORE(x);                                                                                       \
        return R(core_##curve)(x, t);                                                                        \
    }                                                                                                        \
    INLINE void R(gelu_##curve)(const V *x, SUM *y, int n)                                                   \
    {                                                                                                        \
        MASK in_segments = R(in_segments_##curve)(R(abs)(x[0]));                                             \
        for (int i = 1; i < n; i++)                                                                          \
            in_segments &= R(in_segments_##curve)(R(abs)(x[i]));                                             \
        if (n > 1 && !ANY(~in_segments))                                                                     \
            for (int i = 0; i < n; i++)                                                                      \
                y[i] = R(core_##curve)(x[i], R(abs)(x[i]));                                                  \
        else                                                                                                 \
            UNROLLED for (int i = 0; i < n; i++)                                                             \
                y[i] = R(one_##curve)(x[i]);                                                                 \
    }
GELU_EVEN(EVEN)
GELU_ODD(ODD)
#undef EVEN
#undef ODD
#undef FUNCTION
#undef POLYNOMIAL
#undef TINY
#undef LIFT
#undef TWO_LIFT
