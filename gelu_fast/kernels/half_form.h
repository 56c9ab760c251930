/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The functions of one form for float16 or bfloat16 (half.h), of n vectors of each input and output. Included once a
 * STORAGE and FORM. */
#define F(name) PASTE(PASTE(S(name), _), FORM)

INLINE void F(own_gelu)(const V *x, V *y, int n)
{
    V t[HALF_GROUP], by[HALF_GROUP];
    S(exp_t) exp[HALF_GROUP];
    EACH
    {
        V clamped = S(clamped)(x[i], F(CUTOFF));
        t[i] = MAX(LEAST, clamped), by[i] = S(lift)(clamped);
    }
    F(value)(y, exp, t, by, n);
    EACH
    {
        V T = S(unlift)(y[i] * S(lifted)(exp[i]), S(LIFT) + S(LIFT_OF_X));
        y[i] = MAX((V)((BITS){0} + R(SIGN)), x[i]) -
               T; /* the second argument where both are zero, or one is NaN */
    }
}

INLINE void F(own_gelu_gate)(const V *x, V *y, int n)
{
    V t[HALF_GROUP];
    EACH t[i] = S(normal)(S(clamped)(x[i], F(CUTOFF_gate)));
    F(gate)(y, t, x, n);
    EACH y[i] = S(with_nan)(S(unlift)(y[i], S(LIFT)), x[i]);
}

INLINE void F(own_gelu_grad)(const V *x, V *y, int n)
{
    V t[HALF_GROUP], q[HALF_GROUP];
    S(exp_t) exp[HALF_GROUP];
    EACH t[i] = S(normal)(S(clamped)(x[i], F(CUTOFF_grad)));
    F(grad)(q, exp, t, n);
    EACH
    {
        V minus = S(unlift)(-q[i] * S(lifted)(exp[i]), S(LIFT)); /* T < 0 where it is small */
        minus = S(without_sign)(minus, x[i], F(VANISHING_grad));
        y[i] = S(with_nan)(SELECT(LE(x[i], SPLAT(0)), 0 - minus, S(LIMIT) + minus), x[i]);
    }
}

/* a T for x <= 0, a (limit - T) for x > 0, where T = q E. E = first second, so that for x < 0 no part overflows, nor
 * underflows much, where the product does not. */
INLINE V F(product)(V a, V x, V q, S(exp_t) exp, V limit, REAL vanishing)
{
    V first = ZERO_UNLESS(~LE(SPLAT(vanishing), R(abs)(x)), q * S(first)(exp)), second = S(second)(exp);
    V above = a * (limit - first * S(normal)(second));
    return S(with_nan)(SELECT(LE(x, SPLAT(0)), a * first * second, above), x);
}

INLINE void F(value_times)(const V *a, const V *x, V *y, int n)
{
    V t[HALF_GROUP], q[HALF_GROUP];
    S(exp_t) exp[HALF_GROUP];
    EACH t[i] = S(clamped)(x[i], F(CUTOFF));
    EACH y[i] = R(with_sign)(t[i], (BITS)x[i]);
    F(value)(q, exp, t, y, n);
    EACH
    {
        V product = F(product)(a[i], x[i], q[i], exp[i], MAX(SPLAT(0), x[i]), F(VANISHING));
        y[i] = R(with_sign)(product, (BITS)a[i] ^ (BITS)x[i]); /* of a zero, too */
    }
}

INLINE void F(grad_times)(const V *a, const V *x, V *y, int n)
{
    V t[HALF_GROUP], q[HALF_GROUP];
    S(exp_t) exp[HALF_GROUP];
    EACH t[i] = S(normal)(S(clamped)(x[i], F(CUTOFF_grad)));
    F(times)(q, exp, t, n);
    EACH y[i] = F(product)(a[i], x[i], q[i], exp[i], SPLAT(S(LIMIT)), F(VANISHING_grad));
}

INLINE void F(own_gelu_backward)(const V *in, V *y, int n) { F(grad_times)(in, in + n, y, n); }
INLINE void F(own_geglu)(const V *in, V *y, int n) { F(value_times)(in + n, in, y, n); }
INLINE void F(own_geglu_backward)(const V *in, V *y, int n)
{
    V a[HALF_GROUP];
    EACH a[i] = in[i] * in[2 * n + i];
    F(grad_times)(a, in + n, y, n);
    F(value_times)(in, in + n, y + n, n);
}
#undef F
#undef FORM
