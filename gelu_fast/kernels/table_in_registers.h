/* SPDX-License-Identifier: BSD-3-Clause
 *
 * float32 as in table_in_memory.h, where the ISA has a table of 32 numbers in registers: wider segments, more
 * coefficients.
 *
 * T(t) = c0 + d p(d), d = t - center. Centers are in the table as well: they stand near the middle of the segment,
 * where T is a float32 to a hundredth of an ULP or better, so c0 needs no second part (Gal and Bachelis, "An accurate
 * elementary mathematical library for the IEEE floating point standard", 1991). The inner segments reach to t = 0.47,
 * for sigmoid, as the others are no narrower.
 *
 * Worst errors in ULP, of all float32, tails included (written by tools/readme.py):
 *   curve         float32
 *   erf           0.87 at -0x1.3ce348p+2
 *   tanh          0.90 at -0x1.34cd4ap+2
 *   sigmoid       0.96 at -0x1.dfb3fap-2
 *   gate_erf      0.89 at -0x1.3d12b2p+2
 *   gate_tanh     0.91 at -0x1.295f42p+2
 *   gate_sigmoid  0.79 at 0x1.ecaa64p-2
 *   grad_erf      0.88 at -0x1.4878aep+2
 *   grad_tanh     0.85 at -0x1.2a9facp+2
 *   grad_sigmoid  0.92 at -0x1.3389d2p-1
 *
 * Tried: gate(x) by segments and a product with x, 1.9 ULP, as the product's parts round; bfloat16 for the two
 * highest coefficients (vpermw reads two registers, not three), 4 % faster on Zen 4; 16 wider segments with vpermps,
 * no faster for the coefficients that are missing, and worse than 1 ULP; products and sums in place of FMA,
 * slower. */

/* p(d) = c1 + d q. The compiler drops the error terms of T below where no caller uses them. */
typedef struct {
    V d, q, c1, c0;
} R(coefficients);

INLINE R(coefficients) R(look_up)(V t, const REAL (*table)[32], REAL width, V *index)
{
    R(coefficients) at;
    *index = FMA(t, SPLAT(1 / width), SPLAT(R(ROUNDER)));
    BITS k = (BITS)*index;
    at.d = t - R(lookup)(table[0], k);
    at.q = R(lookup)(table[R(LANE_TERMS)], k);
    for (int j = R(LANE_TERMS) - 1; j > 2; j--)
        at.q = FMA(at.q, at.d, R(lookup)(table[j], k));
    at.c1 = R(lookup)(table[2], k);
    at.c0 = R(lookup)(table[1], k);
    return at;
}

/* T, and what its last rounding lost. */
INLINE TWO R(T_once)(R(coefficients) at)
{
    V p = FMA(at.q, at.d, at.c1), T = FMA(p, at.d, at.c0);
    return (TWO){T, FMA(p, at.d, at.c0 - T)};
}

/* For a product with an odd function: the line c0 + c1 d; and its error and the rest d^2 q, below a seventh of the
 * line. A product bears the roundings of the rest, a sum does not (1.34 ULP). */
INLINE TWO R(T_by_line)(R(coefficients) at)
{
    V line = FMA(at.c1, at.d, at.c0);
    return (TWO){line, FMA(at.q, at.d * at.d, FMA(at.c1, at.d, at.c0 - line))};
}

/* For a sum, and for even functions, which have no line near 0 (1.2 ULP by it): T, and all that its roundings lost,
 * by two operations more. */
INLINE TWO R(T_by_steps)(R(coefficients) at)
{
    V p = FMA(at.q, at.d, at.c1), p_lo = FMA(at.q, at.d, at.c1 - p), T = FMA(p, at.d, at.c0);
    return (TWO){T, FMA(p_lo, at.d, FMA(p, at.d, at.c0 - T))};
}

#define T_OF(name, way, curve)                                                                               \
    INLINE TWO R(name##_##curve)(V t, int lanes, V *index)                                                   \
    {                                                                                                        \
        TWO T = R(way)(R(look_up)(t, R(LANES_##curve), R(WIDTH_##curve), index));                            \
        MASK within = LE(t, SPLAT(R(END_##curve)));                                                          \
        return lanes == ANYWHERE ? (TWO){ZERO_UNLESS(within, T.hi), ZERO_UNLESS(within, T.lo)} : T;          \
    }
#define EVEN(curve) T_OF(T, T_once, curve) T_OF(T_for_product, T_by_steps, curve)
#define ODD(curve)                                                                                           \
    T_OF(T, T_once, curve) T_OF(T_for_product, T_by_line, curve) T_OF(T_for_sum, T_by_steps, curve)
GELU_EVEN(EVEN)
GELU_ODD(ODD)
#undef T_OF
#undef EVEN
#undef ODD
