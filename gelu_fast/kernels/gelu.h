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
 * A function times a factor a, dy or up, is rounded once: the curve comes with what its own rounding lost, value +
 * lost, and its tail is multiplied while it is lifted out of the subnormal numbers. Let 2^-p e be the relative error of
 * value + lost, p the precision, and of the rounding of a lost: a product y is within 0.5 + 2^-p e |y|/ULP(y), at most
 * 0.5 + e ULP, just below a power of two. A subnormal one is rounded to p bits, 0.25 ULP at most, and again as it is
 * lowered: 0.75 + e/2. tests/exhaustive.py finds e over every float32, tests/worst.json says where; e <= 0.49
 * (curves.py) makes 0.995 ULP. With location and scale, g + b g', two terms with errors e and e', is within
 * 0.5 + max(e, e', |e - e'/2|, |e' - e/2|) ULP of the largest of both and the sum: terms of other signs and nearer
 * sizes cancel, and round more finely.
 * Worst found, of 4 10^7 random float32 and 10^6 random float64 and of those aimed at the worst points of the curves,
 * for each form: 0.95 and 0.86 ULP; with mu and sigma: 0.97 and 0.84 ULP.
 *
 * In functions of x alone no product takes or makes a subnormal number, for which Intel's CPUs need 35 ns: with them,
 * all-subnormal float32 took 80 times as long as ordinary input (Granite Rapids, x86-64-v4), and 1.3 times now. Sums
 * and comparisons are free of it. */

#define LIFT 96
#define TWO_LIFT 0x1p96
#define TINY ((REAL)0x1p-60) /* so that t^2 is no subnormal above it */
#define SMALL (R(MIN_NORMAL) * (REAL)0x1p66) /* so that nothing lost of a factor above it times TINY is subnormal */

INLINE V R(abs)(V x) { return (V)((BITS)x & ~R(SIGN)); }
INLINE V R(with_sign)(V x, BITS sign) { return (V)(((BITS)x & ~R(SIGN)) | (sign & R(SIGN))); }

/* a (value + lost), rounded once; SMALL < |a| < infinity, or a is 0. If that is zero, the sign is that of a `like`. */
INLINE SUM R(product)(V a, SUM sum, V like)
{
    V rest = a * sum.lost, y = R(fused)(a, sum.value, rest);
    y = (V)((BITS)y | (((BITS)a ^ (BITS)like) & R(SIGN)));
    return (SUM){y, rest - RESIDUAL(y, a, sum.value)};
}
INLINE MASK R(finite)(V a) { return AT_MOST(R(abs)(a), ALL(R(LARGEST))); }
INLINE MASK R(small)(V a) { return UP_TO(R(abs)(a), ALL(SMALL)); }
INLINE MASK R(common_factor)(V a) { return R(finite)(a) & ~R(small)(a); }

/* The same for any a; |value| < 2^97. */
INLINE V R(any_product)(V a, SUM sum, V like)
{
    MASK small = R(small)(a);
    V y = R(product)(SELECT(small, a * (REAL)0x1p90, a), sum, like).value;
    return SELECT(R(finite)(a), SELECT(small, y * (REAL)0x1p-90, y), a * (sum.value + sum.lost));
}

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

/* (w + w_lo) (1 + r + z) 2^k times 2^LIFT, |w_lo| << w; w + w r in two parts, or a third of the results round badly */
INLINE SUM R(times_exp)(V w, V w_lo, R(exp_t) exp)
{
    V sum = FMA(w, exp.r, w);
    V rest = FMA(w_lo, exp.r, w_lo) - RESIDUAL(sum - w, w, exp.r);
    SUM y = R(sum)(sum, FMA(w, exp.z, rest));
    return (SUM){y.value * exp.scale, y.lost * exp.scale};
}

/* A finite number times 2^-lift, rounded to nearest. */
INLINE V R(lower)(V lifted, BITS lift)
{
    const V least = (V)((lift + 1) << R(MANTISSA_BITS)); /* of what will be a normal number */
    V size = R(abs)(lifted), y = (V)((BITS)size - (lift << R(MANTISSA_BITS)));
    MASK normal = AT_MOST(least, size);
    if (ANY(~normal)) /* the sum has a subnormal's bits in its last bits, rounded */
        y = SELECT(normal, y, (V)((BITS)(size + least) - (BITS)least));
    return R(with_sign)(y, (BITS)lifted);
}

/* a T for T = lifted 2^-LIFT, |T| < 2^-16. That may overflow where a T does not, and the other way round. */
INLINE V R(times_lifted)(V a, SUM lifted)
{
    MASK large = AT_MOST(ALL(1), R(abs)(a));
    V y = R(any_product)(SELECT(large, a * (REAL)0x1p-88, a), lifted, lifted.value);
    V lift = SELECT(large, (V)((BITS){0} + LIFT - 88), (V)((BITS){0} + LIFT));
    return SELECT(R(finite)(a), R(lower)(y, (BITS)lift), y);
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

INLINE SUM R(tail_erf)(V t)
{
    R(gauss_t) g = R(gauss)(t);
    return R(times_exp)(g.w, g.w_lo, g.exp);
}

/* P(t) = exp(-t^2/2) w/t */
INLINE SUM R(tail_gate_erf)(V t)
{
    R(gauss_t) g = R(gauss)(t);
    V m = g.w / t;
    return R(times_exp)(m, (g.w_lo + RESIDUAL(g.w, m, t)) / t, g.exp);
}

/* P(t) - t phi(t) = -exp(-t^2/2) t (MILLS_0 - z w) */
INLINE SUM R(tail_grad_erf)(V t)
{
    R(gauss_t) g = R(gauss)(t);
    const V limit = ALL(R(MILLS_0_HI));
    V u = limit - g.z * g.w, u_lo = RESIDUAL(limit - u, g.z, g.w) + R(MILLS_0_LO);
    V m = t * u;
    return R(times_exp)(-m, -FMA(t, u_lo, -RESIDUAL(m, t, u)), g.exp);
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
INLINE SUM R(logistic_times)(V factor, V v, V v_lo)
{
    R(exp_t) exp = R(exp_minus)(v, v_lo);
    V q = R(small_exp)(exp);
    return R(times_exp)(factor, ALL(0), R(corrected)(exp, FMA(q, 1 - q, ALL(-1)) * q));
}

/* P(t) (1 - s (1 - P(t))), s = t v'(t) in two parts: -q (w - q (2 w + 1) + q^2 (3 w + 2)) to q^3, w = s - 1. */
INLINE SUM R(logistic_grad)(V v, V v_lo, V s, V s_lo)
{
    R(exp_t) exp = R(exp_minus)(v, v_lo);
    V rounded = s - 1, lost = ((s - rounded) - 1) + s_lo;
    V w = rounded + lost, w_lo = (rounded - w) + lost; /* s_lo may be half of the bits that there are */
    V q = R(small_exp)(exp), one_w = 1 / w;
    return R(times_exp)(-w, -w_lo, R(corrected)(exp, FMA(q, FMA(ALL(2), one_w, ALL(3)), -2 - one_w) * q));
}

/* A + b t^2 in two parts, A = 2 sqrt(2/pi): t times that is v(t) for b = B = 0.044715 A, and t v'(t) for b = 3 B. A_HI
 * has so few bits that s - A_HI is exact. */
INLINE V R(square)(V t, REAL b_hi, REAL b_lo, V *lo)
{
    const V a = ALL(R(TANH_A_HI)), b = ALL(b_hi);
    V square = t * t, s = FMA(square, b, a);
    V s_lo = FMA(square, ALL(b_lo), ALL(R(TANH_A_LO))) - RESIDUAL(square, t, t) * b;
    *lo = s_lo - RESIDUAL(s - a, square, b);
    return s;
}
INLINE V R(cubic)(V t, REAL b_hi, REAL b_lo, V *lo)
{
    V s_lo, s = R(square)(t, b_hi, b_lo, &s_lo), v = t * s;
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
    INLINE SUM R(tail_##form)(V t)                                                                           \
    {                                                                                                        \
        V v_lo, v = R(v_##form)(t, &v_lo);                                                                   \
        return R(logistic_times)(t, v, v_lo);                                                                \
    }                                                                                                        \
    INLINE SUM R(tail_gate_##form)(V t)                                                                      \
    {                                                                                                        \
        V v_lo, v = R(v_##form)(t, &v_lo);                                                                   \
        return R(logistic_times)(ALL(1), v, v_lo);                                                           \
    }
LOGISTIC(tanh)
LOGISTIC(sigmoid)
#undef LOGISTIC

INLINE SUM R(tail_grad_tanh)(V t)
{
    V v_lo, s_lo, v = R(v_tanh)(t, &v_lo), s = R(cubic)(t, R(TANH_3B_HI), R(TANH_3B_LO), &s_lo);
    return R(logistic_grad)(v, v_lo, s, s_lo);
}

INLINE SUM R(tail_grad_sigmoid)(V t)
{
    V v_lo, v = R(v_sigmoid)(t, &v_lo);
    return R(logistic_grad)(v, v_lo, v, v_lo);
}

/* The two ways from T to the function. gelu(x) - x/2 is even: in the inner segments T(t) is less t/2, and the sign at
 * the end is that of x, zeros included. */
INLINE V R(even_outside)(V x) { return MAX(ALL(0), x); }
INLINE V R(even_of)(V x, V T) { return -T; }
INLINE V R(even_tiny)(V x) { return R(half)(x); }
INLINE V R(even_tiny_times)(V a, V x) { return a * (REAL)0.5 * x; }
INLINE V R(even_sign)(V x, SUM of_x) { return x; }
INLINE V R(even_end)(V x, V y, BITS sign) { return R(with_sign)(y, sign); }
#define EVEN(curve)                                                                                          \
    INLINE SUM R(even_##curve)(V x, SUM T, V shifted)                                                        \
    {                                                                                                        \
        MASK inner = AT_MOST(shifted, ALL(R(ROUNDER) + R(INNER_##curve)));                                   \
        SUM sum = R(sum)(SELECT(inner, x * (REAL)0.5, MAX(ALL(0), x)), -T.value);                            \
        sum.lost -= T.lost;                                                                                  \
        return sum;                                                                                          \
    }                                                                                                        \
    CURVE(even, even_##curve, curve)

/* gate(x) - 1/2 and grad(x) - 1/2 are odd. */
INLINE V R(odd_outside)(V x)
{
    const BITS sign = (BITS){0} + R(SIGN);
    return (V)((BITS)(((BITS)x & sign) == 0) & (BITS)ALL(1));
}
INLINE V R(odd_of)(V x, V T) { return (V)((BITS)T ^ (~(BITS)x & R(SIGN))); }
INLINE V R(odd_tiny)(V x) { return ALL(0.5); }
INLINE V R(odd_tiny_times)(V a, V x) { return a * (REAL)0.5; }
INLINE V R(odd_sign)(V x, SUM of_x) { return of_x.value + of_x.lost; }
INLINE V R(odd_end)(V x, V y, BITS sign) { return SELECT(AT_MOST(x, ALL(__builtin_inff())), y, x); }
INLINE SUM R(odd_sum)(V x, SUM T, V shifted)
{
    SUM sum = R(sum)(R(odd_outside)(x), R(odd_of)(x, T.value));
    sum.lost += R(odd_of)(x, T.lost);
    return sum;
}
#define ODD(curve) CURVE(odd, odd_sum, curve)

/* A curve's function for every x, and a times it. Which way a lane's result comes from depends on its value alone.
 * A tail of x < 0 is multiplied before it may underflow; one of x > 0 stands beside 1 or x. */
#define CURVE(family, from, curve)                                                                           \
    INLINE SUM R(core_##curve)(V x, V t) /* rounded, and what that lost */                                   \
    {                                                                                                        \
        V shifted;                                                                                           \
        SUM T = R(segment_##curve)(t, &shifted);                                                             \
        return R(from)(x, T, shifted);                                                                       \
    }                                                                                                        \
    INLINE SUM R(exact_##curve)(V x, V t) /* in two parts, the second below a seventh */                     \
    {                                                                                                        \
        V shifted;                                                                                           \
        SUM T = R(parts_##curve)(t, &shifted);                                                               \
        return R(from)(x, T, shifted);                                                                       \
    }                                                                                                        \
    INLINE SUM R(times_core_##curve)(V a, V x, V t)                                                          \
    {                                                                                                        \
        SUM exact = R(exact_##curve)(x, t);                                                                  \
        return R(product)(a, exact, R(family##_sign)(x, exact));                                             \
    }                                                                                                        \
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
            V T = R(lower)(R(tail_##curve)(of).value, (BITS){0} + LIFT);                                     \
            y = SELECT(in_tail, y + R(family##_of)(x, T), y);                                                \
        }                                                                                                    \
        if (ANY(in_segments))                                                                                \
            y = SELECT(in_segments, R(core_##curve)(KEEP(in_segments, x), KEEP(in_segments, t)).value, y);   \
        if (ANY(tiny))                                                                                       \
            y = SELECT(tiny, R(family##_tiny)(x), y);                                                        \
        return R(family##_end)(x, y, (BITS)x);                                                               \
    }                                                                                                        \
    NOINLINE V R(beyond_times_##curve)(V a, V x)                                                             \
    {                                                                                                        \
        V t = R(abs)(x), outside = R(family##_outside)(x), y = a * outside;                                  \
        MASK in_segments = R(in_segments_##curve)(t), tiny = UP_TO(t, ALL(TINY));                            \
        MASK in_tail = AT_MOST(t, ALL(R(CUTOFF_##curve))) & ~in_segments & ~tiny;                            \
        if (ANY(in_tail)) {                                                                                  \
            SUM T = R(tail_##curve)(KEEP(in_tail, t));                                                       \
            V below = R(times_lifted)(a, (SUM){R(family##_of)(x, T.value), R(family##_of)(x, T.lost)});      \
            V beside = R(family##_of)(x, R(lower)(T.value, (BITS){0} + LIFT));                               \
            V above = R(any_product)(a, R(sum)(outside, beside), outside);                                   \
            y = SELECT(in_tail, SELECT(AT_MOST(x, ALL(0)), below, above), y);                                \
        }                                                                                                    \
        if (ANY(in_segments)) {                                                                              \
            SUM exact = R(exact_##curve)(KEEP(in_segments, x), KEEP(in_segments, t));                        \
            y = SELECT(in_segments, R(any_product)(a, exact, R(family##_sign)(x, exact)), y);                \
        }                                                                                                    \
        if (ANY(tiny))                                                                                       \
            y = SELECT(tiny, R(family##_tiny_times)(a, x), y);                                               \
        return R(family##_end)(x, y, (BITS)x ^ (BITS)a);                                                     \
    }                                                                                                        \
    INLINE SUM R(one_##curve)(V x)                                                                           \
    {                                                                                                        \
        V t = R(abs)(x);                                                                                     \
        MASK in_segments = R(in_segments_##curve)(t);                                                        \
        if (__builtin_expect(ANY(~in_segments), 0)) {                                                        \
            V lost = KEEP(in_segments, R(core_##curve)(x, KEEP(in_segments, t)).lost);                       \
            lost = SELECT(UP_TO(t, ALL(TINY)), ALL(R(MIN_NORMAL)), lost); /* x/2 and a little more */        \
            return (SUM){R(beyond_##curve)(x), lost};                                                        \
        }                                                                                                    \
        NOT_BEFORE(x);                                                                                       \
        return R(core_##curve)(x, t);                                                                        \
    }                                                                                                        \
    INLINE SUM R(one_times_##curve)(V a, V x)                                                                \
    {                                                                                                        \
        V t = R(abs)(x);                                                                                     \
        MASK common = R(in_segments_##curve)(t) & R(common_factor)(a);                                       \
        if (__builtin_expect(ANY(~common), 0)) {                                                             \
            V lost = R(times_core_##curve)(a, x, KEEP(common, t)).lost;                                      \
            return (SUM){R(beyond_times_##curve)(a, x), KEEP(common, lost)};                                 \
        }                                                                                                    \
        NOT_BEFORE(x);                                                                                       \
        return R(times_core_##curve)(a, x, t);                                                               \
    }
GELU_EVEN(EVEN)
GELU_ODD(ODD)
#undef EVEN
#undef ODD
#undef CURVE

/* With location and scale: z = (x - mu)/sigma, rounded twice, in the place of x in the gate g; NaN where sigma is not
 * above 0. For sigma = inf an infinite difference is divided by 1: inf/inf would be NaN. */
INLINE V R(standard)(V x, V mu, V sigma)
{
    V distance = x - mu;
    MASK usual = UP_TO(sigma, ALL(R(LARGEST)));
    if (__builtin_expect(ANY(~usual), 0)) {
        V infinite = SELECT(R(finite)(distance), ALL(__builtin_inff()), ALL(1));
        V unusual = SELECT(UP_TO(sigma, ALL(__builtin_inff())), infinite, ALL(__builtin_nanf("")));
        sigma = SELECT(usual, sigma, unusual);
    }
    return distance / sigma;
}

INLINE SUM R(select_sum)(MASK m, SUM a, SUM b)
{
    return (SUM){SELECT(m, a.value, b.value), SELECT(m, a.lost, b.lost)};
}

/* 1 - T, `one` being 1, or 2^LIFT where T is lifted. */
INLINE SUM R(above)(V one, SUM T)
{
    SUM above = R(sum)(one, -T.value);
    above.lost -= T.lost;
    return above;
}

/* g'(t) = g'(-t), t = |z|: the normal density, or v'(t) g(-t) g(t) for the logistic forms; in the tail from T = g(-t)
 * and above = g(t), lifted as they are. */
INLINE SUM R(density_lifted)(V t)
{
    V half = (REAL)0.5 * t, v = half * t;
    R(exp_t) exp = R(exp_minus)(v, -RESIDUAL(v, half, t));
    return R(times_exp)(ALL(R(MILLS_0_HI)), ALL(R(MILLS_0_LO)), exp);
}
INLINE SUM R(slope_erf)(V t)
{
    SUM lifted = R(density_lifted)(t);
    return (SUM){lifted.value * (REAL)(1 / TWO_LIFT), lifted.lost * (REAL)(1 / TWO_LIFT)};
}
INLINE SUM R(slope_tail_erf)(V t, SUM T, SUM above) { return R(density_lifted)(t); }

INLINE SUM R(times)(SUM a, SUM b)
{
    V value = a.value * b.value;
    return (SUM){value, FMA(a.value, b.lost, a.lost * (b.value + b.lost)) - RESIDUAL(value, a.value, b.value)};
}
INLINE SUM R(dv_tanh)(V t)
{
    V lo, hi = R(square)(t, R(TANH_3B_HI), R(TANH_3B_LO), &lo);
    return (SUM){hi, lo};
}
INLINE SUM R(dv_sigmoid)(V t) { return (SUM){ALL(R(SIGMOID_HI)), ALL(R(SIGMOID_LO))}; }
#define LOGISTIC_SLOPE(form)                                                                                 \
    INLINE SUM R(slope_##form)(V t)                                                                          \
    {                                                                                                        \
        V shifted;                                                                                           \
        SUM T = R(rounded_gate_##form)(t, &shifted);                                                         \
        return R(times)(R(dv_##form)(t), R(times)(T, R(above)(ALL(1), T)));                                  \
    }                                                                                                        \
    INLINE SUM R(slope_tail_##form)(V t, SUM T, SUM above)                                                   \
    {                                                                                                        \
        above.value *= (REAL)(1 / TWO_LIFT), above.lost *= (REAL)(1 / TWO_LIFT);                             \
        return R(times)(R(dv_##form)(t), R(times)(T, above));                                                \
    }
LOGISTIC_SLOPE(tanh)
LOGISTIC_SLOPE(sigmoid)
#undef LOGISTIC_SLOPE

/* gate + by slope; the terms may cancel, so what their rounding lost is not. */
INLINE SUM R(gradient)(SUM gate, V by, SUM slope)
{
    V term = by * slope.value, term_lost = FMA(by, slope.lost, -RESIDUAL(term, by, slope.value));
    V y = gate.value + term, of_term = y - gate.value;
    V lost = ((gate.value - (y - of_term)) + (term - of_term)) + (gate.lost + term_lost);
    return R(sum)(y, KEEP(R(finite)(y), lost));
}

/* x/sigma; infinity times no slope is no number. */
INLINE V R(over)(V x, V sigma) { return R(clamp)(x / sigma, ALL(R(LARGEST))); }

INLINE SUM R(rounded_product)(V a, V b)
{
    V y = a * b;
    return (SUM){y, -RESIDUAL(y, a, b)};
}

/* d/dx x g(z) = g(z) + (x/sigma) g'(z). In the tail both are lifted, and the sum is lowered; by less where x/sigma is
 * large, by 2^-8, that it may not overflow. */
#define GRAD_MU_SIGMA(form)                                                                                  \
    INLINE SUM R(near_grad_mu_sigma_##form)(V z, V by) /* in the segments of the gate */                     \
    {                                                                                                        \
        V shifted, t = R(abs)(z);                                                                            \
        SUM slope = R(slope_##form)(t), T = R(rounded_gate_##form)(t, &shifted);                             \
        return R(gradient)(R(odd_sum)(z, T, shifted), by, slope);                                            \
    }                                                                                                        \
    NOINLINE SUM R(any_grad_mu_sigma_##form)(V z, V by)                                                      \
    {                                                                                                        \
        V t = R(abs)(z), zero_if_tiny = KEEP(~UP_TO(t, ALL(TINY)), t);                                       \
        MASK in_segments = R(in_segments_gate_##form)(zero_if_tiny);                                         \
        V near = R(with_sign)(KEEP(in_segments, zero_if_tiny), (BITS)z);                                     \
        SUM y = R(near_grad_mu_sigma_##form)(near, by);                                                      \
        if (ANY(~in_segments)) {                                                                             \
            MASK in_tail = AT_MOST(t, ALL(R(CUTOFF_grad_##form))) & ~in_segments;                            \
            MASK below = AT_MOST(z, ALL(0)), large = AT_MOST(ALL(0x1p8), R(abs)(by));                        \
            V far = SELECT(in_tail, t, ALL(R(END_gate_##form)));                                             \
            V factor = SELECT(large, ALL(0x1p-88), ALL(1)), lift = (V)((BITS){0} + LIFT);                    \
            SUM T = R(tail_gate_##form)(far), above = R(above)(ALL(TWO_LIFT), T);                            \
            SUM gate = R(select_sum)(below, T, above), slope = R(slope_tail_##form)(far, T, above);          \
            gate = (SUM){gate.value * factor, gate.lost * factor};                                           \
            V lifted = R(gradient)(gate, by * factor, slope).value;                                          \
            V lowered = R(lower)(lifted, (BITS)SELECT(large, (V)((BITS){0} + LIFT - 88), lift));             \
            y.value = SELECT(in_segments, y.value, SELECT(in_tail, lowered, R(odd_outside)(z)));             \
            y.value = R(odd_end)(z, y.value, (BITS)z);                                                       \
            y.lost = KEEP(in_segments, y.lost);                                                              \
        }                                                                                                    \
        return y;                                                                                            \
    }
GELU_FORMS(GRAD_MU_SIGMA)
#undef GRAD_MU_SIGMA

/* The functions, of n vectors each of inputs and outputs: input j of vector i is IN(j), output j OUT(j). */
#define IN(j) in[(j) * n + i]
#define OUT(j) out[(j) * n + i]

/* A function of a curve at one point. A group of vectors that lies in the segments whole, as nearly all do, takes the
 * short way. Tried: the long way first, and a return: past the caches 0.185 ns for 0.163 (float32, Zen 5). */
#define OF_CURVE(name, curve, point, is_common, short_way, long_way)                                         \
    INLINE void R(name)(const V *in, SUM *out, int n)                                                        \
    {                                                                                                        \
        V points[LARGEST_GROUP];                                                                             \
        for (int i = 0; i < n; i++)                                                                          \
            points[i] = point;                                                                               \
        MASK all_common;                                                                                     \
        for (int i = 0; i < n; i++) {                                                                        \
            MASK common = R(in_segments_##curve)(R(abs)(points[i])) is_common;                               \
            all_common = i == 0 ? common : all_common & common;                                              \
        }                                                                                                    \
        if (n > 1 && !ANY(~all_common))                                                                      \
            for (int i = 0; i < n; i++) {                                                                    \
                V x = points[i];                                                                             \
                OUT(0) = short_way;                                                                          \
            }                                                                                                \
        else                                                                                                 \
            UNROLLED for (int i = 0; i < n; i++) {                                                           \
                V x = points[i];                                                                             \
                OUT(0) = long_way;                                                                           \
            }                                                                                                \
    }
#define VALUE(name, curve, point)                                                                            \
    OF_CURVE(name, curve, point, , R(core_##curve)(x, R(abs)(x)), R(one_##curve)(x))
#define TIMES(name, curve, a, point)                                                                         \
    OF_CURVE(name, curve, point, &R(common_factor)(a), R(times_core_##curve)(a, x, R(abs)(x)),               \
             R(one_times_##curve)(a, x))

#define FUNCTIONS(form)                                                                                      \
    VALUE(gelu_##form, form, IN(0))                                                                          \
    VALUE(gelu_gate_##form, gate_##form, IN(0))                                                              \
    VALUE(gelu_grad_##form, grad_##form, IN(0))                                                              \
    TIMES(gelu_backward_##form, grad_##form, IN(0), IN(1))                                                   \
    VALUE(bias_gelu_##form, form, IN(0) + IN(1))                                                             \
    TIMES(geglu_##form, form, IN(1), IN(0))                                                                  \
    INLINE void R(geglu_backward_##form)(const V *in, SUM *out, int n)                                       \
    {                                                                                                        \
        UNROLLED for (int i = 0; i < n; i++) {                                                               \
            OUT(0) = R(one_times_grad_##form)(IN(0) * IN(2), IN(1));                                         \
            OUT(1) = R(one_times_##form)(IN(0), IN(1));                                                      \
        }                                                                                                    \
    }                                                                                                        \
    TIMES(gelu_mu_sigma_##form, gate_##form, MAX(ALL(-R(LARGEST)), IN(0)), R(standard)(IN(0), IN(1), IN(2))) \
    VALUE(gelu_gate_mu_sigma_##form, gate_##form, R(standard)(IN(0), IN(1), IN(2)))                          \
    OF_CURVE(gelu_grad_mu_sigma_##form, gate_##form, R(standard)(IN(0), IN(1), IN(2)), ,                     \
             R(near_grad_mu_sigma_##form)(x, R(over)(IN(0), IN(2))),                                         \
             R(any_grad_mu_sigma_##form)(x, R(over)(IN(0), IN(2))))                                          \
    OF_CURVE(gelu_backward_mu_sigma_##form, gate_##form, R(standard)(IN(1), IN(2), IN(3)), ,                 \
             R(rounded_product)(IN(0), R(near_grad_mu_sigma_##form)(x, R(over)(IN(1), IN(3))).value),        \
             R(rounded_product)(IN(0), R(any_grad_mu_sigma_##form)(x, R(over)(IN(1), IN(3))).value))
GELU_FORMS(FUNCTIONS)
#undef FUNCTIONS
#undef TIMES
#undef VALUE
#undef OF_CURVE
#undef IN
#undef OUT
#undef POLYNOMIAL
#undef TINY
#undef SMALL
#undef LIFT
#undef TWO_LIFT
