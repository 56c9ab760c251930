/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Parts of the loops of every kernel: level.h has the loops. Included once a STORAGE, computed in REAL.
 *
 * Tried (x86-64-v3, Zen 3): the loops as functions here, with the kernel as a constant pointer, which GCC 12 inlines:
 * float64 spills, gates and gradients take 8 to 10 % longer. Loads and stores as functions: an element alone takes up
 * to 27 % longer. */
INLINE void S(operands)(const STORAGE **x, STORAGE **y, char *const *args, int n_in, int n_out)
{
    for (int j = 0; j < n_in; j++)
        x[j] = (const STORAGE *)args[j];
    for (int j = 0; j < n_out; j++)
        y[j] = (STORAGE *)args[n_in + j];
}

/* Round vector i of the outputs to STORAGE once. Only ties need the rounding error, and ties are rare: `again`
 * computes the vector a second time, so that errors are not kept. With them in the loop float16 took 0.26 ns for 0.22
 * (2^16; Zen 5). */
INLINE void S(round_once)(const V *in, TWO *out, int i, int vectors, int n_in, int n_out,
                          void (*again)(const V *in, TWO *out))
{
    int undecided = 0;
    for (int j = 0; j < n_out; j++)
        undecided |= S(undecided)(out[j * vectors + i].hi);
    if (__builtin_expect(undecided, 0)) {
        V of[MAX_IN];
        TWO exact[MAX_OUT];
        for (int j = 0; j < n_in; j++)
            of[j] = in[j * vectors + i];
        again(of, exact);
        for (int j = 0; j < n_out; j++)
            out[j * vectors + i].hi = R(to_odd)(exact[j]);
    }
}

/* Where streaming begins: at the first output's first aligned vector; nowhere, if the outputs are not aligned
 * alike. */
INLINE ptrdiff_t S(stream_start)(char *const *args, ptrdiff_t n, int n_in, int n_out)
{
    ptrdiff_t at = (ptrdiff_t)(-(uintptr_t)args[n_in] % sizeof(S(packed)) / sizeof(STORAGE));
    at = at < n ? at : n;
    for (int j = 1; j < n_out; j++)
        if (((uintptr_t)args[n_in + j] - (uintptr_t)args[n_in]) % sizeof(S(packed)) != 0)
            at = n;
    return at;
}

/* The elements after the last whole group. */
INLINE void S(finish)(char *const *args, ptrdiff_t at, ptrdiff_t n, int n_args, gelu_kernel *plain)
{
    char *rest[MAX_IN + MAX_OUT];
    for (int j = 0; j < n_args; j++)
        rest[j] = args[j] + at * (ptrdiff_t)sizeof(STORAGE);
    plain(rest, n - at);
}
