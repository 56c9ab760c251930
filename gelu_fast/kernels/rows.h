/* SPDX-License-Identifier: BSD-3-Clause
 *
 * gelu(x) for t = |x| <= END, by narrow segments whose coefficients are rows of a table in memory.
 *
 * gelu(x) = base(x) - T(t). In the inner segments, up to t = 0.4, base is x/2 and T(t) = t P(t) - t/2, which is
 * about -0.4 t^2; in the others base is max(x, 0) and T(t) = t P(t). So the difference rounds more coarsely than T
 * did, or subtracts from zero; and T(0) = +0 leaves the sign of a zero as it is.
 *
 * T(t) = c0 + d p(d), d = t - (k - 1) WIDTH exactly, in segment k, |t - k WIDTH| <= WIDTH/2: it lies apart from its
 * center, and p makes up for the rounding of c0. Segment 0 is centred at 0, with c0 = c1 = 0. From t to the address
 * of the row it is one FMA, and the last coefficients are summed in two chains: latency is what counts here.
 *
 * Worst found, the tail of gelu.h included: of all float32,
 * with FMA: erf 0.82 ULP at -0x1.a61432p+3, tanh 0.83 ULP at -0x1.435f6ap+3, sigmoid 0.85 ULP at
 *   -0x1.56169ep+4;
 * without: erf 0.83 ULP at -0x1.a61344p+3, tanh 0.93 ULP at -0x1.58cc7ap+2, sigmoid 0.90 ULP at -0x1.442acp+5;
 * of 10^7 float64 a form,
 * with FMA: erf 0.77 ULP at -0x1.5c9f27dc9145p-2, tanh 0.78 ULP at -0x1.55a329e4578bp-2, sigmoid 0.80 ULP at
 *   -0x1.5a10ea0b7346cp-2;
 * without: erf 0.79 ULP at -0x1.2d0b12db4ac67p+5, tanh 0.76 ULP at -0x1.4cd0ff9adea5p+2, sigmoid 0.79 ULP at
 *   -0x1.a408f73a732c1p+8. */

INLINE SUM R(by_rows)(V x, V t, const REAL *table, REAL width, int last_inner)
{
    V shifted = FMA(t, ALL(1 / width), ALL(R(ROUNDER))), k = shifted - R(ROUNDER);
    V d = FMA(MAX(k - 1, ALL(0)), ALL(-width), t), d2 = d * d;
    V c[R(TERMS)];
    R(rows)(c, R(TERMS), table, (BITS)shifted);
    V even = c[R(TERMS) - 2], odd = c[R(TERMS) - 1];
    for (int j = R(TERMS) - 4; j > 0; j -= 2) {
        even = FMA(even, d2, c[j]);
        odd = FMA(odd, d2, c[j + 1]);
    }
    V p = FMA(FMA(odd, d, even), d, c[1]);
    V base = SELECT(AT_MOST(k, ALL(last_inner)), x * (REAL)0.5, MAX(ALL(0), x));
    return R(sum)(base, -FMA(p, d, c[0]));
}

#define CORE(form)                                                                                           \
    INLINE SUM R(core_##form)(V x, V t)                                                                      \
    {                                                                                                        \
        return R(by_rows)(x, t, R(ROWS_##form)[0], R(WIDTH_##form), R(INNER_##form));                        \
    }
GELU_FORMS(CORE)
#undef CORE
