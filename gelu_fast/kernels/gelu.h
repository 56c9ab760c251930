/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The mathematics of GELU, written once: isa.h includes this file for REAL = f32 and for REAL = f64, on
 * each ISA level. FMA, RESIDUAL, MAX, AT_MOST, ANY, KEEP and SELECT are words of simd.h; constants come from
 * tools/fit.py. Errors: gelu_fast/_bounds.py, and what was found, benchmarks/results/accuracy.json.
 *
 * All forms: gelu(x) = max(x, 0) - t P(t), with t = |x| and P(t) = 1 - gate(t) = gate(-t). Neither sign
 * cancels, so t P(t) needs a good relative error and nothing else.
 *
 *   0 < t <= TINY         gelu(x) is x/2, to half an ULP; here
 *   0, TINY < t <= END    a polynomial for each of many segments of t: rows.h, or lanes.h
 *   END < t <= CUTOFF     the tail: t P(t) = (1 + r + z) 2^k w, an exponential and a smooth factor; here
 *   elsewhere             gelu(x) is max(x, 0), to half an ULP; NaN is NaN
 *
 * No product takes or makes a subnormal number, for which Intel's CPUs need 35 ns: with them, all-subnormal float32
 * took 80 times as long as ordinary input (Granite Rapids, x86-64-v4), and 1.3 times now. Sums and comparisons are
 * free of it. */

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

/* exp(-(v + v_lo)) = (1 + r + z) 2^k, for 0 <= v <= 1090 ln 2 and |v_lo| << v.
 * v = -k ln 2 - r with k integer and |r| <= ln(2)/2; ln 2 in two parts, k LN2_HI exact; z, below r^2, is the
 * rest of the exponential by a polynomial, and what was lost when r was rounded. `scale` is 2^(k + 64), which is
 * a normal number even where the result is subnormal. */
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

/* (w + w_lo) (1 + r + z) 2^k, |w_lo| << w; w + w r in two parts, or a third of the results round badly */
INLINE V R(times_exp)(V w, V w_lo, R(exp_t) exp)
{
    V sum = FMA(w, exp.r, w);
    V rest = FMA(w_lo, exp.r, w_lo) - RESIDUAL(sum - w, w, exp.r);
    V scaled = (sum + FMA(w, exp.z, rest)) * exp.scale;
    V y = (V)((BITS)scaled - ((BITS){0} + 64 << R(MANTISSA_BITS)));
    const V least = ALL(R(MIN_NORMAL) * 0x1p64);
    MASK normal = AT_MOST(least, scaled);
    if (ANY(~normal)) /* the sum has a subnormal's bits in its last bits, rounded */
        y = SELECT(normal, y, (V)((BITS)(scaled + least) - (BITS)least));
    return y;
}

/* The exact form: t P(t) = exp(-t^2/2) w, where w = t exp(t^2/2) Phi(-t) is a polynomial in z = 1/t^2.
 * v = t^2/2 in two parts, or its rounding costs as many ULP. */
INLINE V R(tail_erf)(V t)
{
    V half = (REAL)0.5 * t, v = half * t;
    R(exp_t) exp = R(exp_minus)(v, -RESIDUAL(v, half, t));
    V z = (REAL)0.5 / v, p = POLYNOMIAL(z, R(MILLS)), limit = ALL(R(MILLS_0_HI));
    V w = FMA(z, p, limit);
    return R(times_exp)(w, R(MILLS_0_LO) - RESIDUAL(w - limit, z, p), exp);
}

/* The logistic forms: t P(t) = t q/(1 + q) = t q (1 - q + q^2 - q^3) to q^4, q = exp(-v), v = v(t) in two parts.
 * Where q is below 2^-60, 2^-60 does for it in the sum. */
INLINE V R(tail_logistic)(V t, V v, V v_lo)
{
    R(exp_t) exp = R(exp_minus)(v, v_lo);
    V power = MAX(exp.scale, ALL(16)) * (REAL)0x1p-64, e = exp.r + exp.z;
    V q = FMA(power, e, power), factor = FMA(q, 1 - q, ALL(-1)) * q;
    exp.z += FMA(factor, e, factor);
    return R(times_exp)(t, ALL(0), exp);
}

/* v = 2 sqrt(2/pi) (t + 0.044715 t^3) = (A + B t^2) t; A_HI has so few bits that s - A_HI is exact */
INLINE V R(tail_tanh)(V t)
{
    const V a = ALL(R(TANH_A_HI)), b = ALL(R(TANH_B_HI));
    V square = t * t, s = FMA(square, b, a);
    V s_lo = FMA(square, ALL(R(TANH_B_LO)), ALL(R(TANH_A_LO))) - RESIDUAL(square, t, t) * b;
    s_lo -= RESIDUAL(s - a, square, b);
    V v = t * s, v_lo = FMA(t, s_lo, -RESIDUAL(v, t, s));
    return R(tail_logistic)(t, v, v_lo);
}

/* v = 1.702 t */
INLINE V R(tail_sigmoid)(V t)
{
    V v = t * R(SIGMOID_HI);
    V v_lo = FMA(t, ALL(R(SIGMOID_LO)), -RESIDUAL(v, t, ALL(R(SIGMOID_HI))));
    return R(tail_logistic)(t, v, v_lo);
}

/* A form for every x. A group of vectors that lies in the segments whole, as nearly all do, takes the short way;
 * which way a lane's result comes from depends on its value alone. The sign is that of x, zeros included. */
#define GELU(form)                                                                                           \
    INLINE MASK R(in_segments_##form)(V t)                                                                   \
    {                                                                                                        \
        return AT_MOST(t, ALL(R(END_##form))) & ~UP_TO(t, ALL(TINY));                                        \
    }                                                                                                        \
    NOINLINE V R(beyond_##form)(V x)                                                                         \
    {                                                                                                        \
        V t = R(abs)(x), y = MAX(ALL(0), x);                                                                 \
        MASK in_segments = R(in_segments_##form)(t), tiny = UP_TO(t, ALL(TINY));                             \
        MASK in_tail = AT_MOST(t, ALL(R(CUTOFF_##form))) & ~in_segments & ~tiny;                             \
        if (ANY(in_tail))                                                                                    \
            y = SELECT(in_tail, y - R(tail_##form)(t), y);                                                   \
        if (ANY(in_segments))                                                                                \
            y = SELECT(in_segments, R(core_##form)(KEEP(in_segments, x), KEEP(in_segments, t)).value, y);    \
        if (ANY(tiny))                                                                                       \
            y = SELECT(tiny, R(half)(x), y);                                                                 \
        return (V)(((BITS)y & ~R(SIGN)) | ((BITS)x & R(SIGN)));                                              \
    }                                                                                                        \
    INLINE SUM R(one_##form)(V x)                                                                            \
    {                                                                                                        \
        V t = R(abs)(x);                                                                                     \
        MASK in_segments = R(in_segments_##form)(t);                                                         \
        if (__builtin_expect(ANY(~in_segments), 0)) {                                                        \
            V lost = LOST(R(core_##form)(x, KEEP(in_segments, t))); /* no code where it is not used */       \
            V y = R(beyond_##form)(x);                                                                       \
            return (SUM){y, y, KEEP(in_segments, lost)};                                                     \
        }                                                                                                    \
        return R(core_##form)(x, t);                                                                         \
    }                                                                                                        \
    INLINE void R(gelu_##form)(const V *x, SUM *y, int n)                                                    \
    {                                                                                                        \
        MASK in_segments = R(in_segments_##form)(R(abs)(x[0]));                                              \
        for (int i = 1; i < n; i++)                                                                          \
            in_segments &= R(in_segments_##form)(R(abs)(x[i]));                                              \
        if (n > 1 && !ANY(~in_segments))                                                                     \
            for (int i = 0; i < n; i++)                                                                      \
                y[i] = R(core_##form)(x[i], R(abs)(x[i]));                                                   \
        else                                                                                                 \
            for (int i = 0; i < n; i++)                                                                      \
                y[i] = R(one_##form)(x[i]);                                                                  \
    }
GELU_FORMS(GELU)
#undef GELU
#undef POLYNOMIAL
#undef TINY
