/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Stochastic GELU: x where a uniform number is not above the gate, else 0. Included once a REAL.
 *
 * args: x, its gates, words of as many bits, y; and bytes that say where x was kept, or NULL. A number that is not
 * kept becomes 0 with its sign; NaN is NaN. */
static void R(decide)(char *const *args, ptrdiff_t n, gelu_kernel *gate_f64)
{
    typedef VECTOR(uint8_t, V_LANES) bytes;
    const REAL *in = (const REAL *)args[0], *gates = (const REAL *)args[1], *words = (const REAL *)args[2];
    REAL *out = (REAL *)args[3];
    char *said = args[4];
    for (ptrdiff_t at = 0; at < n; at += V_LANES) {
        const ptrdiff_t length = n - at < V_LANES ? n - at : V_LANES;
        const int whole = length == V_LANES;
        V x = whole ? R(load)(in + at) : R(load_part)(in + at, length);
        V gate = whole ? R(load)(gates + at) : R(load_part)(gates + at, length);
        BITS bits = (BITS)(whole ? R(load)(words + at) : R(load_part)(words + at, length));
        V u = R(uniform)(bits), apart = u - gate, one = SPLAT(1);
        MASK kept = LE(u, gate);
        apart = (V)((BITS)apart & ~R(SIGN));
        if (R(DOUBT) > 0 && __builtin_expect(ANY(LE(apart, gate * R(DOUBT))), 0))
            kept = LE(one, R(kept_exactly)(x, bits, gate_f64));
        MASK stays = kept | ~LE(x, SPLAT(__builtin_inff()));
        V y = SELECT(stays, x, (V)((BITS)x & R(SIGN)));
        if (whole)
            R(store)(out + at, y);
        else
            R(store_part)(out + at, y, length);
        if (said) {
            bytes of_each = __builtin_convertvector(ZERO_UNLESS(kept, one), bytes);
            memcpy(said + at, &of_each, (size_t)length);
        }
    }
}
