/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The loops of kernels without rare cases (half.h): a function of n vectors of each input, whose results are rounded as
 * they are stored. Included once a STORAGE. */
typedef void S(function)(const V *in, V *out, int n);

/* HALF_GROUP vectors at a time; where they end. Two vectors hold 2 V_LANES elements in any order. */
INLINE ptrdiff_t S(direct_groups)(const STORAGE *const *x, STORAGE *const *y, ptrdiff_t at, ptrdiff_t n,
                                  int n_in, int n_out, S(function) * function)
{
    const int vectors = HALF_GROUP;
    for (; n - at >= vectors * V_LANES; at += vectors * V_LANES) {
        V in[MAX_IN * HALF_GROUP], out[MAX_OUT * HALF_GROUP];
        for (int j = 0; j < n_in; j++)
            for (int i = 0; i < vectors; i += 2) {
                const STORAGE *p = x[j] + at + i * V_LANES;
                PREFETCH(p);
                S(load_two)(p, &in[j * vectors + i], &in[j * vectors + i + 1]);
            }
        function(in, out, vectors);
        for (int j = 0; j < n_out; j++)
            for (int i = 0; i < vectors; i += 2)
                S(store_two)(y[j] + at + i * V_LANES, out[j * vectors + i], out[j * vectors + i + 1]);
    }
    return at;
}

/* The last elements, fewer than a group, by one vector at a time, of which the last is padded. */
INLINE void S(direct)(char *const *args, ptrdiff_t n, int n_in, int n_out, S(function) * function)
{
    const STORAGE *x[MAX_IN];
    STORAGE *y[MAX_OUT];
    S(operands)(x, y, args, n_in, n_out);
    ptrdiff_t at = S(direct_groups)(x, y, 0, n, n_in, n_out, function);
    for (; at < n; at += V_LANES) {
        const ptrdiff_t length = n - at < V_LANES ? n - at : V_LANES;
        V in[MAX_IN], out[MAX_OUT];
        for (int j = 0; j < n_in; j++)
            in[j] = length == V_LANES ? S(load)(x[j] + at) : S(load_part)(x[j] + at, length);
        function(in, out, 1);
        for (int j = 0; j < n_out; j++)
            if (length == V_LANES)
                S(store)(y[j] + at, out[j]);
            else
                S(store_part)(y[j] + at, out[j], length);
    }
}

/* Past the caches, by way of a buffer: an inlined copy of each function would take as much room as the first one. */
NOINLINE void S(direct_streaming)(char *const *args, ptrdiff_t n, int n_in, int n_out, gelu_kernel *plain)
{
    enum { ROOM = 1024 };
    __attribute__((aligned(64))) STORAGE room[MAX_OUT][ROOM];
    ptrdiff_t at = S(stream_start)(args, n, n_in, n_out);
    plain(args, at);
    while (n - at >= V_LANES) {
        const ptrdiff_t left = n - at < ROOM ? n - at : ROOM, length = left / V_LANES * V_LANES;
        char *part[MAX_IN + MAX_OUT];
        S(from)(part, args, at, n_in);
        for (int j = 0; j < n_out; j++)
            part[n_in + j] = (char *)room[j];
        plain(part, length);
        for (int j = 0; j < n_out; j++)
            for (ptrdiff_t i = 0; i < length; i += V_LANES)
                S(STREAM)((STORAGE *)args[n_in + j] + at + i, *(const S(packed) *)(room[j] + i));
        at += length;
    }
    STREAM_FENCE();
    S(finish)(args, at, n, n_in + n_out, plain);
}
