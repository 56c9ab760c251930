/* SPDX-License-Identifier: BSD-3-Clause
 *
 * T(t) for t <= END (gelu.h), from narrow segments whose coefficients are rows of a table in memory (tables/,
 * computed by tools/fit.py). Included once a REAL.
 *
 * gelu alone is base(x) - T(t). In the inner segments, up to t = 0.4, base is x/2 and the table holds t P(t) - t/2,
 * about -0.4 t^2; in the others base is max(x, 0) and the table holds t P(t). So the difference rounds more coarsely
 * than T did, or it subtracts from zero. T(0) = +0 leaves the sign of a zero as it is.
 *
 * T(t) = c0 + d p(d), d = t - (k - 1) WIDTH exactly, in segment k, |t - k WIDTH| <= WIDTH/2. The segment lies apart
 * from its center, so p makes up for the rounding of c0. Segment 0 is centred at 0; for gelu, c0 = c1 = 0 there. T is 0
 * in the last one, for t beyond END, if `lanes` may lie there. ONE_NUMBER: one row serves all lanes.
 * Latency counts here: from t to the address of the row it is one FMA, and the last coefficients are summed in two
 * chains.
 *
 * Worst errors in ULP, of all float32 and of 10^7 float64 a function and form, tails included
 * (written by tools/readme.py):
 *   curve         float32 with FMA        without
 *   erf           0.78 at -0x1.a60c16p+3  0.79 at -0x1.a6058p+3
 *   tanh          0.79 at -0x1.5e24fep+2  0.84 at -0x1.5e289ap+2
 *   sigmoid       0.78 at -0x1.af65eep+5  0.81 at -0x1.4f915ap+4
 *   gate_erf      0.80 at -0x1.9f4846p+3  0.80 at -0x1.37c996p+3
 *   gate_tanh     0.82 at -0x1.5ba68ep+2  0.87 at -0x1.5ba7d6p+2
 *   gate_sigmoid  0.79 at -0x1.9c2392p+5  0.78 at -0x1.9bd0cap+5
 *   grad_erf      0.84 at -0x1.ab0aacp+3  0.84 at -0x1.a6cfd4p+2
 *   grad_tanh     0.78 at -0x1.482106p+3  0.81 at -0x1.b8c73ap+2
 *   grad_sigmoid  0.78 at -0x1.afba3p+5   0.86 at -0x1.b47b14p+3
 *   curve         float64 with FMA               without
 *   erf           0.77 at -0x1.5c9f27dc9145p-2   0.79 at -0x1.2d0b12db4ac67p+5
 *   tanh          0.78 at -0x1.55a329e4578bp-2   0.76 at -0x1.4cd0ff9adea5p+2
 *   sigmoid       0.80 at -0x1.5a10ea0b7346cp-2  0.79 at -0x1.a408f73a732c1p+8
 *   gate_erf      0.78 at -0x1.2c2818e660c3p+5   0.84 at -0x1.2f740001012e2p+4
 *   gate_tanh     0.76 at -0x1.5260000002ec7p+4  0.75 at 0x1.d4c01f5c78bp-4
 *   gate_sigmoid  0.76 at 0x1.02c07459e68dp-3    0.76 at -0x1.a06a7fcc8ec79p+8
 *   grad_erf      0.81 at -0x1.b9bf8f3d8481ep+3  0.83 at -0x1.b4e7fffee8d44p+3
 *   grad_tanh     0.77 at -0x1.63d5344a56a2cp+2  0.80 at -0x1.63cffffffffd4p+2
 *   grad_sigmoid  0.76 at 0x1.17cb1b0f803p-4     0.81 at -0x1.a41410117f6b1p+8
 */

/* T, and what its last rounding lost: d is small, so the other roundings do not count. `index` holds k in its last
 * bits. */
INLINE TWO R(T_from_row)(V t, const REAL *table, int rows, REAL width, int lanes, V *index)
{
    if (lanes == ANYWHERE)
        t = MIN(t, SPLAT((REAL)(rows - 1) * width));
    *index = FMA(t, SPLAT(1 / width), SPLAT(R(ROUNDER)));
    V k = *index - R(ROUNDER), d = FMA(MAX(k - 1, SPLAT(0)), SPLAT(-width), t), d2 = d * d;
    V c[R(TERMS)];
    if (lanes == ONE_NUMBER)
        for (int j = 0; j < R(TERMS); j++)
            c[j] = SPLAT(table[R(TERMS) * (uint16_t)((BITS)*index)[0] + j]);
    else
        R(rows)(c, R(TERMS), table, (BITS)*index);
    V even = c[R(TERMS) - 2], odd = c[R(TERMS) - 1];
    for (int j = R(TERMS) - 4; j > 0; j -= 2) {
        even = FMA(even, d2, c[j]);
        odd = FMA(odd, d2, c[j + 1]);
    }
    V p = FMA(FMA(odd, d, even), d, c[1]), T = FMA(p, d, c[0]);
    return (TWO){T, FMA(p, d, c[0] - T)};
}

/* T of each curve; for a product and for a sum (table_in_registers.h) it is the same here. */
#define T_OF(curve)                                                                                           \
    INLINE TWO R(T_##curve)(V t, int lanes, V *index)                                                         \
    {                                                                                                         \
        return R(T_from_row)(t, R(ROWS_##curve)[0], LENGTH(R(ROWS_##curve)), R(WIDTH_##curve), lanes, index); \
    }                                                                                                         \
    INLINE TWO R(T_for_product_##curve)(V t, int lanes, V *index) { return R(T_##curve)(t, lanes, index); }   \
    INLINE TWO R(T_for_sum_##curve)(V t, int lanes, V *index) { return R(T_##curve)(t, lanes, index); }
GELU_CURVES(T_OF)
#undef T_OF
